//! Baselines: patterns, single findings, messages, last days, and `syncspec baseline`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;
mod records;

use std::fs;
use std::path::Path;

use appsync_protocol::requirement::{Requirement as R, Severity};
use peers::command::{Ended, fresh, syncspec};
use proptest::prelude::*;
use syncspec::report::baseline::{Baseline, BaselineRecord, Comparison, Fresh, UpdateError, day, init, update};
use syncspec::report::exit::{ExitFacts, decide};
use syncspec::report::json::{Document, from_json, to_text};
use syncspec::report::{Case, Run, is_known_case};
use syncspec::verdict::{Breach, Verdict};

const ACK: &str = "graphql/init/acknowledged";
const TIMEOUT: &str = "graphql/init/names-the-timeout";
const KEEP_ALIVE: &str = "monitor/GQL-KA-001";

// Entries

#[test]
fn a_pattern_stands_for_every_case_that_fits_and_an_entry_of_its_own_goes_first() {
    let failing = run(&[(ACK, Verdict::Fail), (TIMEOUT, Verdict::Fail), (KEEP_ALIVE, Verdict::Warn)]);
    let init = listed("graphql/init/*", "fail");
    let own = format!("{init}{}", listed(ACK, "warn"));

    assert_eq!(counts(&format!("{init}{}", listed("monitor/GQL-KA-*", "warn")), &failing), [3, 0, 0, 0, 0]);
    assert_eq!(counts(&own, &failing), [1, 1, 0, 0, 0]);
    let one_passes = run(&[(ACK, Verdict::Pass), (TIMEOUT, Verdict::Fail)]);
    assert_eq!(counts(&init, &one_passes), [1, 0, 0, 0, 0]);
    let all_pass = run(&[(ACK, Verdict::Pass), (TIMEOUT, Verdict::Pass)]);
    assert_eq!(counts(&init, &all_pass), [0, 0, 1, 0, 0]);
    assert_eq!(counts(&listed("graphql/init/*", "warn"), &failing), [0, 2, 0, 0, 0]);
    assert_eq!(counts(&listed("graphql/nothing-like-this/*", "fail"), &all_pass), [0, 0, 0, 1, 0]);
    assert_eq!(counts(&listed("monitor/GQL-KA-*", "warn"), &all_pass), [0, 0, 0, 0, 1]);
}

#[test]
fn a_check_excuses_a_case_when_all_that_counts_in_it_is_expected() {
    let one = with(&[(ACK, &[(R::GqlInit003, "a text")])]);
    let two = with(&[(ACK, &[(R::GqlInit003, "a text"), (R::GqlSub026, "late data")])]);
    let check = |rest: &str| format!("[[check]]\nverdict = \"fail\"\nreason = \"r\"\n{rest}\n");
    let timeout = check("requirement = \"GQL-INIT-003\"");

    assert_eq!(counts(&timeout, &one), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&timeout, &two), [0, 1, 0, 0, 0]);
    assert_eq!(counts(&format!("{timeout}{}", check("requirement = \"GQL-SUB-*\"")), &two), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&check("requirement = \"GQL-INIT-003\"\ncase = \"graphql/init/*\""), &one), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&check("requirement = \"GQL-INIT-003\"\ncase = \"graphql/limits/*\""), &one)[..2], [0, 1]);
    assert_eq!(counts(&check("requirement = \"GQL-INIT-003\"\ndialect = \"events\""), &one)[..2], [0, 1]);
    assert_eq!(counts(&check("requirement = \"GQL-INIT-003\"\nmessage = \"*a text\""), &one), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&check("requirement = \"GQL-INIT-003\"\nmessage = \"*a number\""), &one)[..2], [0, 1]);
}

#[test]
fn a_check_is_stale_unknown_or_open_like_a_case() {
    let check = |rule: &str| format!("[[check]]\nrequirement = \"{rule}\"\nverdict = \"fail\"\nreason = \"r\"\n");
    let mut passes = run(&[(ACK, Verdict::Pass)]);
    passes.cases[0].requirements = vec![R::GqlInit003];

    assert_eq!(counts(&check("GQL-INIT-003"), &passes), [0, 0, 1, 0, 0]);
    assert_eq!(counts(&check("GQL-INIT-999"), &passes), [0, 0, 0, 1, 0]);
    assert_eq!(counts(&check("GQL-SUB-026"), &passes), [0, 0, 0, 0, 1]);
    passes.cases[0].verdict = Verdict::Blocked;
    assert_eq!(counts(&check("GQL-INIT-003"), &passes), [0, 0, 0, 0, 1]);
}

#[test]
fn a_case_that_fails_with_another_message_is_a_regression() {
    let failing = with(&[(ACK, &[(R::GqlInit003, "a text of \u{1b} 9 bytes")])]);
    let entry = |message: &str| format!("{}message = {message:?}\n", listed(ACK, "fail"));

    assert_eq!(counts(&entry("GQL-INIT-003: a text of * 9 bytes"), &failing), [1, 0, 0, 0, 0]);
    let comparison = compare(&entry("*a number*"), &failing);
    assert_eq!((comparison.regressions.len(), comparison.matched.len()), (1, 0));
    assert!(comparison.to_string().contains("expected the message \"*a number*\""), "{comparison}");
}

#[test]
fn an_entry_expires_after_its_last_day_and_is_told_apart() {
    let text = format!("target = \"t\"\n{}expires = 2026-03-31\n", listed(ACK, "fail"));
    let failing = run(&[(ACK, Verdict::Fail)]);
    let on = |date: &str| {
        Baseline::parse(&text, "b.toml").unwrap().as_of(date.parse().ok()).compare(&failing, is_known_case)
    };

    assert!(on("2026-03-31").is_clean());
    let late = on("2026-04-01");
    assert_eq!((late.matched.len(), late.regressions.len(), late.expired.len()), (1, 0, 1));
    assert!(!late.is_clean());
    let told = late.to_string();
    assert!(told.contains("expired: the last day is over"), "{told}");
    assert!(told.contains(&format!("{ACK} (line 3)   held until 2026-03-31, today is 2026-04-01")), "{told}");
    let record = BaselineRecord::of(&late);
    assert_eq!((record.expired.len(), record.expired[0].last.as_str()), (1, "2026-03-31"));
    let exit = exit_of(&late);
    assert_eq!((exit.0, exit.1.as_str()), (6, "the baseline has expired: 1 entry beyond the last day"));
}

#[test]
fn a_regression_a_stale_entry_and_an_unknown_id_have_codes_and_words_of_their_own() {
    let failing = run(&[(ACK, Verdict::Fail), (TIMEOUT, Verdict::Pass)]);

    let regression = compare("", &failing);
    let stale = compare(&format!("{}{}", listed(ACK, "fail"), listed(TIMEOUT, "fail")), &failing);
    let unknown = compare(&format!("{}{}", listed(ACK, "fail"), listed("graphql/init/acknowledge", "fail")), &failing);

    assert_eq!(exit_of(&regression), (1, "1 regression".into()));
    assert_eq!(exit_of(&stale), (6, "the baseline is stale: 1 entry better now".into()));
    assert_eq!(exit_of(&unknown), (2, "the baseline names what does not exist: 1 entry".into()));
    assert_eq!(unknown.unknown[0].near.as_deref(), Some(ACK));
}

#[test]
fn what_is_wrong_in_the_new_keys_is_told_with_its_place() {
    let case = |rest: &str| format!("target = \"t\"\n{}{rest}\n", listed(ACK, "fail"));
    let check = |rest: &str| format!("target = \"t\"\n[[check]]\nreason = \"r\"\n{rest}\n");
    for (text, expected) in [
        (
            case("expires = \"tomorrow\""),
            "b.toml:6: expires: expected a date such as 2027-01-31; got a value of type string",
        ),
        (
            case("expires = 2026-01-01T00:00:00Z"),
            "expires: expected a date such as 2027-01-31; got 2026-01-01T00:00:00Z",
        ),
        (
            case("link = \"issue 12\""),
            "b.toml:6: link: expected a URL that begins with http:// or https://; got \"issue 12\"",
        ),
        (
            case("message = \"\""),
            "b.toml:6: message: expected a text of the finding, or a pattern with *; got an empty text",
        ),
        (
            case("until = 3"),
            "until: expected one of id, dialect, verdict, message, reason, link, expires; got an unknown key",
        ),
        (check("verdict = \"fail\""), "b.toml:2: requirement: expected the id of a requirement"),
        (
            check("requirement = \"GQL-INIT-003\"\nverdict = \"pass\""),
            "b.toml:5: verdict: expected one of fail, warn, info",
        ),
        (
            check("requirement = \"GQL-INIT-003\"\nverdict = \"fail\"\nid = \"x\""),
            "b.toml:6: id: expected one of requirement, case",
        ),
        (
            "target = \"t\"\ncheck = 3\n".into(),
            "b.toml:2: check: expected [[check]] tables; got a value of type integer",
        ),
    ] {
        let told = Baseline::parse(&text, "b.toml").unwrap_err().to_string();
        assert!(told.contains(expected), "{text}\n{told}");
    }
}

#[test]
fn a_day_is_that_of_utc_and_there_is_none_beyond_the_calendar() {
    assert_eq!(day(1_775_001_599).unwrap().to_string(), "2026-03-31");
    assert_eq!(day(1_775_001_600).unwrap().to_string(), "2026-04-01");
    assert_eq!(day(u64::MAX), None);
}

// Writing

#[test]
fn a_new_baseline_needs_a_reason_and_matches_its_run() {
    let failing = run(&[(ACK, Verdict::Fail), (TIMEOUT, Verdict::Warn), ("graphql/init/pass", Verdict::Pass)]);

    let refused = init(&failing, None, &Fresh::default()).unwrap_err();
    let made = init(&failing, Some("an emulator"), &because("as it was found")).unwrap();

    assert!(matches!(&refused, UpdateError::WithoutReason(all) if all.len() == 1), "{refused}");
    assert!(refused.to_string().contains(&format!("{ACK}   not listed, now fail")), "{refused}");
    assert!(made.comparison.is_clean() && made.comparison.matched.len() == 2, "{}", made.text);
    assert!(made.text.starts_with("target = \"an emulator\"\n"), "{}", made.text);
    assert_eq!(made.text.matches("reason = \"as it was found\"").count(), 2, "{}", made.text);
    let passes = run(&[(ACK, Verdict::Pass)]);
    assert_eq!(init(&passes, None, &Fresh::default()).unwrap().text, "target = \"127.0.0.1\"\n");
}

#[test]
fn an_update_keeps_what_people_wrote_and_takes_out_what_does_not_hold() {
    let text = format!(
        "# Of the emulator.\ntarget = \"t\"\n\n# It is slow.\n{}link = \"https://example.org/1\" # open\n\n\
         # Mended.\n{}\n# Gone.\n{}\n[[check]]\n# kept too\nrequirement = \"GQL-SUB-026\"\nverdict = \"fail\"\nreason = \"c\"\n",
        listed(ACK, "fail"),
        listed(TIMEOUT, "fail"),
        listed("graphql/no/such-case", "fail"),
    );
    let better = run(&[(ACK, Verdict::Fail), (TIMEOUT, Verdict::Pass)]);

    let updated = update(&text, Path::new("b.toml"), &better, None, &Fresh::default()).unwrap();

    for kept in ["# Of the emulator.", "# It is slow.", "link = \"https://example.org/1\" # open", "# kept too"] {
        assert!(updated.text.contains(kept), "{kept}\n{}", updated.text);
    }
    assert!(!updated.text.contains(TIMEOUT) && !updated.text.contains("no/such-case"), "{}", updated.text);
    assert!(!updated.text.contains("# Mended.") && updated.comparison.is_clean(), "{}", updated.text);
    assert_eq!(updated.changes.len(), 2, "{:?}", updated.changes);
    let again = update(&updated.text, Path::new("b.toml"), &better, None, &Fresh::default()).unwrap();
    assert_eq!((again.text, again.changes.len()), (updated.text, 0));
}

#[test]
fn an_update_corrects_what_is_less_bad_and_wants_a_reason_for_what_is_worse() {
    let text = format!("target = \"t\"\n{}{}", listed(ACK, "fail"), listed(TIMEOUT, "warn"));
    let changed = run(&[(ACK, Verdict::Warn), (TIMEOUT, Verdict::Fail)]);
    let made = |fresh: &Fresh| update(&text, Path::new("b.toml"), &changed, None, fresh);

    let refused = made(&Fresh::default()).unwrap_err().to_string();
    let updated = made(&because("it is worse now")).unwrap();

    assert!(refused.contains(&format!("{TIMEOUT}   warn, now fail")) && !refused.contains(ACK), "{refused}");
    assert!(updated.comparison.is_clean(), "{}", updated.text);
    let entries = Baseline::parse(&updated.text, "b.toml").unwrap().entries;
    assert_eq!((entries[0].verdict, entries[0].terms.reason.as_str()), (Verdict::Warn, "for a test"));
    assert_eq!((entries[1].verdict, entries[1].terms.reason.as_str()), (Verdict::Fail, "it is worse now"));
}

#[test]
fn an_update_renews_what_has_expired_only_with_another_day() {
    let text = format!("target = \"t\"\n{}expires = 2026-01-01 # first try\n", listed(ACK, "fail"));
    let failing = run(&[(ACK, Verdict::Fail)]);
    let today = "2026-05-05".parse().ok();
    let made = |fresh: &Fresh| update(&text, Path::new("b.toml"), &failing, today, fresh);

    let refused = made(&because("a reason is not enough")).unwrap_err().to_string();
    let updated = made(&Fresh { expires: "2027-01-31".parse().ok(), ..Fresh::default() }).unwrap();

    assert!(refused.contains(&format!("{ACK} (line 3)   held until 2026-01-01")), "{refused}");
    assert!(updated.text.contains("expires = 2027-01-31") && updated.comparison.is_clean(), "{}", updated.text);
}

#[test]
fn an_update_takes_in_only_what_it_is_asked_for_and_nothing_under_a_pattern_is_widened() {
    let text = format!("target = \"t\"\n{}", listed("graphql/init/*", "warn"));
    let failing = run(&[(ACK, Verdict::Fail), (TIMEOUT, Verdict::Fail)]);
    let fresh =
        Fresh { only: vec!["*/acknowledged".into()], link: Some("https://example.org/7".into()), ..because("r") };

    let updated = update(&text, Path::new("b.toml"), &failing, None, &fresh).unwrap();

    let entries = Baseline::parse(&updated.text, "b.toml").unwrap().entries;
    assert_eq!(entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["graphql/init/*", ACK]);
    assert_eq!(entries[1].terms.link.as_deref(), Some("https://example.org/7"));
    assert_eq!(updated.comparison.regressions.len(), 1);
}

#[test]
fn inline_entries_are_mended_too() {
    let text = format!("target = \"t\"\ncase = [{{ id = \"{ACK}\", verdict = \"fail\", reason = \"r\" }}]\n");
    let failing = run(&[(ACK, Verdict::Pass), (TIMEOUT, Verdict::Fail)]);

    let updated = update(&text, Path::new("b.toml"), &failing, None, &because("new")).unwrap();

    assert!(updated.comparison.is_clean() && !updated.text.contains(ACK), "{}", updated.text);
}

proptest! {
    #[test]
    fn an_update_with_a_reason_always_leads_to_a_baseline_that_matches(
        before in prop::collection::vec((0..4usize, 0..3usize), 0..4),
        after in prop::collection::vec(0..7usize, 4),
        reason in "[^\u{0}]{1,20}",
    ) {
        let ids = [ACK, TIMEOUT, KEEP_ALIVE, "graphql/init/pass"];
        let mut text = String::from("target = \"t\"\n");
        for (n, id) in ids.iter().enumerate() {
            if let Some((_, word)) = before.iter().find(|(of, _)| *of == n) {
                text.push_str(&listed(id, ["fail", "warn", "info"][*word]));
            }
        }
        let cases: Vec<_> = ids.iter().zip(&after).map(|(id, n)| (*id, Verdict::ALL[*n])).collect();
        let run = run(&cases);
        prop_assume!(!reason.trim().is_empty());

        let updated = update(&text, Path::new("b.toml"), &run, None, &because(&reason)).unwrap();

        prop_assert!(updated.comparison.regressions.is_empty(), "{}\n{}", updated.text, updated.comparison);
        prop_assert!(updated.comparison.stale.is_empty(), "{}\n{}", updated.text, updated.comparison);
    }

    #[test]
    fn no_text_makes_the_reader_of_baselines_panic(text in any::<String>(), key in "[a-z]{1,8}") {
        let _ = Baseline::parse(&text, "b.toml");
        let _ = Baseline::parse(&format!("target = \"t\"\n[[case]]\n{key} = {text}"), "b.toml");
    }
}

// The command

#[test]
fn the_command_makes_checks_and_mends_a_baseline() {
    let report = stored("b-run.json", &records::document());
    let path = fresh("made.toml");
    let made = path.to_str().unwrap().to_owned();

    syncspec(&["baseline", "init", &report, "-o", &made]).refuses("with --reason TEXT; got none for\n");
    assert!(!path.exists());
    let first =
        syncspec(&["baseline", "init", &report, "-o", &made, "--reason", "as found", "--expires", "2999-12-31"]);
    assert_eq!(first.code, Some(0), "{first}");
    assert!(first.out.contains(&format!("added     {TIMEOUT}   fail")), "{first}");
    syncspec(&["baseline", "init", &report, "-o", &made, "--reason", "x"])
        .refuses("expected no such file; it is there");
    syncspec(&["baseline", "check", &report, &made]).exits(0, "no failure");

    let fixed = stored("b-fixed.json", &changed(TIMEOUT, Verdict::Pass));
    let stale = syncspec(&["baseline", "check", &fixed, &made]);
    stale.exits(6, "1 entry better now");
    let mended = syncspec(&["baseline", "update", &fixed, &made]);
    assert!(mended.code == Some(0) && mended.out.contains(&format!("removed   {TIMEOUT}")), "{mended}");
    let regression = syncspec(&["baseline", "check", &report, &made]);
    regression.exits(1, "1 regression");
    let before = fs::read_to_string(&path).unwrap();
    syncspec(&["baseline", "update", &report, &made]).refuses("made.toml: expected a reason");
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    syncspec(&["baseline", "update", &report, &made, "--reason", "again", "--expires", "soon"])
        .refuses("expected a date");
}

#[test]
fn the_command_tells_the_kinds_apart_as_json_and_says_what_cannot_be_read() {
    let report = stored("b-kinds.json", &records::document());
    let path = fresh("kinds.toml");
    let file = path.to_str().unwrap().to_owned();
    let entries = [listed("graphql/init/pass", "fail"), listed("graphql/no/such", "fail")].concat();
    fs::write(&path, format!("target = \"t\"\n{entries}expires = 2020-01-01\n")).unwrap();

    let ended = syncspec(&["baseline", "check", &report, &file, "--json"]);

    let told: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    let ids = |name: &str| {
        told["baseline"][name]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(ended.code, Some(2), "{ended}");
    assert_eq!(ids("regressions"), [TIMEOUT]);
    assert_eq!(ids("stale"), ["graphql/init/pass"]);
    assert_eq!(ids("unknown"), ["graphql/no/such"]);
    assert_eq!(ids("expired"), ["graphql/no/such"]);
    fs::write(&path, "target = 3\n").unwrap();
    syncspec(&["baseline", "check", &report, &file]).refuses("kinds.toml:1: target: expected the name of the target");
    syncspec(&["baseline", "check", "/no/such", &file]).refuses("/no/such: expected a report");
    syncspec(&["baseline", "update", &report, "/no/such"]).refuses("/no/such: expected a baseline");
    fs::write(&path, "target = \"t\"\n[[case").unwrap();
    syncspec(&["baseline", "update", &report, &file, "--reason", "r"]).refuses("kinds.toml:2: expected TOML");
}

#[test]
fn a_run_with_a_baseline_tells_the_comparison_in_its_report() {
    let path = fresh("own.toml");
    fs::write(&path, format!("target = \"t\"\n{}", listed("graphql/control/refuses-a-wrong-key", "fail"))).unwrap();
    let json = fresh("own.json");

    let ended = run_server(&path, &json);

    ended.exits(6, "1 entry better now");
    let document = from_json(&fs::read_to_string(&json).unwrap()).unwrap();
    let baseline = document.baseline.unwrap();
    assert_eq!(baseline.stale[0].id, "graphql/control/refuses-a-wrong-key");
    assert_eq!((baseline.stale[0].listed.as_deref(), baseline.stale[0].got.as_deref()), (Some("fail"), Some("pass")));
}

fn run_server(baseline: &Path, json: &Path) -> Ended {
    let (baseline, json) = (format!("--baseline={}", baseline.display()), format!("--report=json={}", json.display()));
    syncspec(&["server", "--quiet", "--filter=graphql/control", &baseline, &json])
}

// Runs and baselines

fn listed(id: &str, verdict: &str) -> String {
    format!("[[case]]\nid = \"{id}\"\nverdict = \"{verdict}\"\nreason = \"for a test\"\n")
}

fn because(reason: &str) -> Fresh {
    Fresh { reason: Some(reason.into()), ..Fresh::default() }
}

fn compare(entries: &str, run: &Run) -> Comparison {
    Baseline::parse(&format!("target = \"t\"\n{entries}"), "b.toml").unwrap().compare(run, is_known_case)
}

/// Matched, regressions, stale, unknown, open.
fn counts(entries: &str, run: &Run) -> [usize; 5] {
    let found = compare(entries, run);
    [found.matched.len(), found.regressions.len(), found.stale.len(), found.unknown.len(), found.open.len()]
}

fn exit_of(comparison: &Comparison) -> (u8, String) {
    let exit = decide(&ExitFacts { baseline: Some(comparison), executed: 1, ..ExitFacts::default() });
    (exit.code, exit.reason)
}

fn run(cases: &[(&str, Verdict)]) -> Run {
    let whole = records::run();
    let case = |(id, verdict): &(&str, Verdict)| Case {
        id: (*id).into(),
        verdict: *verdict,
        reason: if *verdict == Verdict::Pass { String::new() } else { "a reason".into() },
        requirements: Vec::new(),
        breaches: Vec::new(),
        ..whole.cases[0].clone()
    };
    Run { cases: cases.iter().map(case).collect(), ..whole }
}

/// Failing cases with what was found in them.
fn with(cases: &[(&str, &[(R, &str)])]) -> Run {
    let mut made = run(&cases.iter().map(|(id, _)| (*id, Verdict::Fail)).collect::<Vec<_>>());
    for (case, (_, breaches)) in made.cases.iter_mut().zip(cases) {
        let breach = |(requirement, got): &(R, &str)| Breach {
            requirement: *requirement,
            severity: Severity::Fail,
            expected: Vec::new(),
            got: (*got).into(),
            entry: None,
        };
        case.breaches = breaches.iter().map(breach).collect();
        case.requirements = breaches.iter().map(|(requirement, _)| *requirement).collect();
    }
    made
}

fn changed(id: &str, verdict: Verdict) -> Document {
    let mut run = records::run();
    for case in run.cases.iter_mut().filter(|case| case.id == id) {
        case.verdict = verdict;
        case.breaches.clear();
    }
    Document::of(&run)
}

fn stored(name: &str, document: &Document) -> String {
    let path = fresh(name);
    fs::write(&path, to_text(document)).unwrap();
    path.to_str().unwrap().to_owned()
}
