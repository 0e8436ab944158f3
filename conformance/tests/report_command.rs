//! `syncspec report` and `syncspec replay`, as somebody at a terminal uses them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;
mod records;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use peers::command::{Ended, fresh, start_with, syncspec};
use syncspec::catalogue::faults;
use syncspec::reference::shell::{Options, Running};
use syncspec::reference::{Config, Endpoint};
use syncspec::report::diff::diff;
use syncspec::report::json::{Document, to_text};
use syncspec::report::merge::{Named, merge, split};
use syncspec::report::read::{from_file, from_text};
use syncspec::report::roll_up;
use syncspec::verdict::Verdict;

const KEY: &str = "da2-thekeyofacommandlinetest1";

// The command

#[test]
fn a_run_writes_every_form_and_its_report_converts_to_the_same() {
    let json = fresh("forms.json");
    let forms = ["sarif", "github", "markdown", "har", "html", "text", "junit"];
    let paths = forms.map(|form| fresh(&format!("forms.{form}")));
    let mut arguments = vec!["server".to_owned(), "--quiet".into(), "--filter=/control/".into()];
    arguments.push(format!("--report=json={}", json.display()));
    for (form, path) in forms.iter().zip(&paths) {
        arguments.push(format!("--report={form}={}", path.display()));
    }
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();

    let ran = syncspec(&arguments);

    ran.exits(0, "no failure");
    for (form, path) in forms.iter().zip(&paths) {
        let ended = syncspec(&["report", "convert", &text(&json), "--to", form]);
        assert_eq!(ended.code, Some(0), "{ended}");
        // The children's output is read by lines.
        assert_eq!(ended.out.trim_end(), fs::read_to_string(path).unwrap().trim_end(), "{form}");
    }
    let again = fresh("forms-again.json");
    let ended = syncspec(&["report", "convert", &text(&json), "--to=json", "-o", &text(&again)]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{ended}");
    assert_eq!(fs::read_to_string(again).unwrap(), fs::read_to_string(json).unwrap());
}

#[test]
fn a_report_on_standard_output_is_there() {
    let ran = syncspec(&["server", "--quiet", "--filter=graphql/control/", "--report=github=-"]);

    assert!(ran.out.contains("::notice title=syncspec::2 pass"), "{ran}");
    syncspec(&["server", "--report=ndjson=-"]).refuses("expected a file for ndjson");
    syncspec(&["server", "--report=pdf=x"]).refuses("expected ndjson or one of json, junit, sarif");
}

#[test]
fn what_cannot_be_read_is_told_with_file_and_place() {
    let path = fresh("broken.json");
    fs::write(&path, "{\n  \"schema_version\": 99\n}").unwrap();
    let file = text(&path);
    for arguments in [
        vec!["report", "convert", &file, "--to", "html"],
        vec!["report", "merge", &file],
        vec!["report", "diff", &file, &file],
        vec!["report", "matrix", &file],
        vec!["report", "badge", &file],
        vec!["replay", &file, "graphql/init/acknowledges"],
    ] {
        syncspec(&arguments).refuses("broken.json: schema_version: expected 1 or less; got 99");
    }
    syncspec(&["report", "convert", "/nowhere/x.json", "--to", "html"]).refuses("/nowhere/x.json: expected a report");
    let good = stored("good-one.json", &records::document());
    syncspec(&["report", "convert", &good, "--to", "html", "-o", "/nowhere/x.html"]).refuses("/nowhere/x.html");
    syncspec(&["report", "merge", &good, "--name", "a", "--name", "b"])
        .refuses("--name: expected at most one for each");
    assert_eq!(syncspec(&["report", "merge"]).code, Some(2));
}

#[test]
fn a_difference_exits_1_only_if_something_fails_that_did_not() {
    let (before, after) = (records::document(), changed(0, Verdict::Pass));
    let (before, after) = (stored("before.json", &before), stored("after.json", &after));

    let better = syncspec(&["report", "diff", &before, &after]);
    let worse = syncspec(&["report", "diff", &after, &before]);
    let same = syncspec(&["report", "diff", &after, &after]);

    assert_eq!((better.code, worse.code, same.code), (Some(0), Some(1), Some(0)), "{better}{worse}{same}");
    assert!(better.out.contains("fixed\n  graphql/init/names-the-timeout   fail -> pass"), "{better}");
    assert!(worse.out.contains("new failures\n  graphql/init/names-the-timeout   pass -> fail"), "{worse}");
    assert!(same.out.starts_with("0 new failures - 0 new warnings - 0 fixed"), "{same}");
}

#[test]
fn several_servers_stand_side_by_side_under_their_names() {
    let (one, other) = (stored("one.json", &records::document()), stored("other.json", &changed(0, Verdict::Pass)));
    let merged = text(&fresh("merged.json"));

    let ended = syncspec(&["report", "merge", &one, &other, "--name=left", "--name=right", "-o", &merged]);
    assert_eq!(ended.code, Some(0), "{ended}");
    let direct = syncspec(&["report", "matrix", &one, &other, "--name=left", "--name=right"]);
    let through = syncspec(&["report", "matrix", &merged]);

    assert!(direct.out.starts_with("| cases that pass | `left` | `right` |"), "{direct}");
    assert!(direct.out.contains("| `graphql/init/names-the-timeout` | **fail** | pass |"), "{direct}");
    assert_eq!(direct.out, through.out);
    let html = syncspec(&["report", "matrix", &merged, "--format=html"]);
    assert!(html.out.contains("<th scope=\"col\">left</th><th scope=\"col\">right</th>"), "{html}");
    let badge = syncspec(&["report", "badge", &one, "--label", "an emulator"]);
    assert!(badge.out.contains("an emulator: 1/5 pass, 1 fail"), "{badge}");
    syncspec(&["replay", &merged, "graphql/init/names-the-timeout"]).refuses("expected --target, one of left, right");
}

#[test]
fn the_help_of_each_command_teaches() {
    for (arguments, told) in [
        (&["report", "--help"][..], "fixtures/report.schema.json"),
        (&["report", "convert", "--help"], "one self-contained page"),
        (&["report", "merge", "--help"], "what is bad is"),
        (&["report", "diff", "--help"], "Exit code 1 if something fails that did not"),
        (&["report", "matrix", "--help"], "of a merged report each target is one"),
        (&["report", "badge", "--help"], "What stands on the left"),
        (&["replay", "--help"], "the credentials are not in it"),
    ] {
        let ended = syncspec(arguments);
        let flat = ended.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ended.code, Some(0), "{ended}");
        assert!(flat.contains(told), "{told}\n{ended}");
    }
}

// Replay

#[test]
fn a_failure_is_replayed_from_its_report_and_as_a_script() {
    let fault = faults().find(|fault| fault.name == "graphql-ack-timeout-as-text").unwrap();
    let endpoint = Endpoint::new(Config::default().with_api_key(KEY), &[fault.how]).unwrap();
    let bent = Running::start(endpoint, "127.0.0.1:0", Options::default()).unwrap();
    let url = format!("http://{}/graphql", bent.address());
    let report = text(&fresh("replay.json"));
    let key = [("SYNCSPEC_API_KEY", KEY)];
    let first = start_with(
        &["server", &url, "--quiet", "--filter=names-the-timeout", "--seed=0x77", &format!("--report=json={report}")],
        &key,
    );
    first.end().exits(1, "1 failure");

    let again = start_with(&["replay", &report, "graphql/init/names-the-timeout"], &key).end();

    again.exits(1, "1 failure");
    assert!(again.out.contains("seed 0x77") && again.out.contains("FAIL graphql/init/names-the-timeout"), "{again}");
    assert!(again.out.contains("often      the property is missing"), "{again}");
    assert!(again.out.contains("summary  2 pass - 1 fail"), "the case and the controls\n{again}");
    syncspec(&["replay", &report, "graphql/init/names-the-timeout"]).refuses("no API key");
    syncspec(&["replay", &report, "graphql/init/name-the-timeout"])
        .refuses("did you mean graphql/init/names-the-timeout?");

    let script = fresh("replay.py");
    let emitted =
        syncspec(&["replay", &report, "graphql/init/names-the-timeout", "--emit=python", "-o", &text(&script)]);
    assert_eq!(emitted.code, Some(0), "{emitted}");
    runs_as_python(&script, "connectionTimeoutMs");
    let shell = fresh("replay.sh");
    syncspec(&["replay", &report, "graphql/init/names-the-timeout", "--emit=websocat", "-o", &text(&shell)]);
    let checked = Command::new("sh").arg("-n").arg(&shell).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn a_report_cannot_give_options_to_the_command_that_replays_it() {
    let mut document = records::document();
    document.target.endpoints.insert("graphql".into(), "--restart-cmd=touch /tmp/owned".into());
    let file = stored("options.json", &document);
    start_with(&["replay", &file, "graphql/init/names-the-timeout"], &[("SYNCSPEC_API_KEY", KEY)])
        .end()
        .refuses("ENDPOINT \"--restart-cmd=touch /tmp/owned\"");

    document.cases[0].replay = "graphql/no/such-case".into();
    let file = stored("unknown.json", &document);
    syncspec(&["replay", &file, "graphql/init/names-the-timeout"]).refuses("is no scenario of this version");
}

#[test]
fn scripts_of_hostile_dialogues_are_scripts_still() {
    let Some(python) = python() else { return };
    for (n, texts) in records::HOSTILE.map(|text| vec![text.to_owned()]).into_iter().enumerate() {
        let file = stored(&format!("hostile-{n}.json"), &Document::of(&records::run_of(&texts)));
        let (script, shell) = (fresh(&format!("hostile-{n}.py")), fresh(&format!("hostile-{n}.sh")));
        for (language, path) in [("python", &script), ("websocat", &shell)] {
            let id = "graphql/init/names-the-timeout";
            let ended = syncspec(&["replay", &file, id, "--emit", language, "-o", &text(path)]);
            assert_eq!(ended.code, Some(0), "{ended}");
        }
        let compiled = Command::new(&python).arg("-m").arg("py_compile").arg(&script).output().unwrap();
        assert!(compiled.status.success(), "{texts:?}: {}", String::from_utf8_lossy(&compiled.stderr));
        let checked = Command::new("sh").arg("-n").arg(&shell).output().unwrap();
        assert!(checked.status.success(), "{texts:?}: {}", String::from_utf8_lossy(&checked.stderr));
    }
}

#[test]
fn a_case_that_was_not_played_has_no_script() {
    let file = stored("unplayed.json", &records::document());

    syncspec(&["replay", &file, "graphql/init/blocked", "--emit=python"]).refuses("expected a case with a trace");
}

// Merging and comparing, in detail

#[test]
fn parts_of_one_run_become_one_report() {
    let whole = records::document();
    let part = |keep: fn(usize) -> bool| {
        let cases = whole.cases.iter().enumerate().filter(|(n, _)| keep(*n)).map(|(_, case)| case.clone()).collect();
        told(&whole, cases)
    };

    let merged = merge(&[named("x", part(|n| n < 3)), named("x", part(|n| n >= 3))]).unwrap();

    assert_eq!(merged.summary, whole.summary);
    assert!(merged.requirements == whole.requirements);
    assert_eq!((merged.targets.len(), merged.cases.len(), merged.run.took_ms), (0, whole.cases.len(), 24_690));
    assert_eq!(merge(&[]), None);
}

#[test]
fn where_reports_of_one_target_disagree_the_failure_is_kept() {
    let (bad, good) = (records::document(), changed(0, Verdict::Pass));

    for parts in [[&bad, &good], [&good, &bad]] {
        let merged = merge(&parts.map(|document| named("x", document.clone()))).unwrap();
        let case = &merged.cases[0];
        assert_eq!((case.verdict, case.attempts, merged.cases.len()), (Verdict::Fail, 2, bad.cases.len()));
    }
}

#[test]
fn targets_that_were_merged_come_apart_again() {
    let (one, other) = (records::document(), changed(0, Verdict::Pass));
    let merged = merge(&[named("one", one.clone()), named("other", other.clone())]).unwrap();

    let read = from_text(&to_text(&merged)).unwrap();
    let parts = split(&read, None);

    assert_eq!(parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["one", "other"]);
    assert_eq!(parts[0].document.cases, one.cases);
    assert_eq!(parts[1].document.cases, other.cases);
    assert_eq!(parts[1].document.requirements, other.requirements);
}

#[test]
fn each_change_is_told_once_and_for_what_it_is() {
    let (before, mut after) = (records::document(), records::document());
    let at = |document: &Document, id: &str| document.cases.iter().position(|case| case.id.ends_with(id)).unwrap();
    let (warn, pass) = (at(&after, "init/warn"), at(&after, "init/pass"));
    after.cases[0].findings[0].requirement = "GQL-INIT-004".into();
    after.cases[warn].verdict = Verdict::Pass;
    after.cases[pass].verdict = Verdict::Inconclusive;
    after.cases.retain(|case| !case.id.starts_with("monitor/"));

    let found = diff(&before, &after);
    let back = diff(&after, &before);

    let ids = |changes: &[syncspec::report::diff::Change]| changes.iter().map(|c| c.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&found.otherwise), ["graphql/init/names-the-timeout"]);
    assert_eq!(ids(&found.fixed), ["graphql/init/warn", "monitor/EVT-KA-001"]);
    assert_eq!(ids(&found.silent), ["graphql/init/pass"]);
    assert_eq!((found.same, found.is_worse(true)), (4, false));
    assert_eq!(ids(&back.new_warnings), ["monitor/EVT-KA-001", "graphql/init/warn"]);
    assert_eq!((back.is_worse(false), back.is_worse(true)), (false, true));
}

// Helpers

/// The report with another verdict on one case.
fn changed(n: usize, verdict: Verdict) -> Document {
    let whole = records::document();
    let mut cases = whole.cases.clone();
    cases[n].verdict = verdict;
    cases[n].findings.clear();
    told(&whole, cases)
}

/// A report that says what these cases say.
fn told(whole: &Document, cases: Vec<syncspec::report::json::CaseRecord>) -> Document {
    let mut document = whole.clone();
    document.cases = cases;
    document.requirements = roll_up::requirements(roll_up::register(), &document.cases);
    let count = |verdict| document.cases.iter().filter(|case| case.verdict == verdict).count();
    document.summary = syncspec::report::json::Summary {
        pass: count(Verdict::Pass),
        fail: count(Verdict::Fail),
        warn: count(Verdict::Warn),
        info: count(Verdict::Info),
        not_applicable: count(Verdict::NotApplicable),
        blocked: count(Verdict::Blocked),
        inconclusive: count(Verdict::Inconclusive),
    };
    document
}

fn stored(name: &str, document: &Document) -> String {
    let path = fresh(name);
    fs::write(&path, to_text(document)).unwrap();
    assert_eq!(from_file(&path).as_ref(), Ok(document));
    text(&path)
}

fn named(name: &str, document: Document) -> Named {
    Named { name: name.into(), document }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Python 3, where there is one.
fn python() -> Option<PathBuf> {
    let there = Command::new("python3").arg("--version").output().is_ok_and(|output| output.status.success());
    there.then(|| "python3".into())
}

/// The script compiles, and where its package is there, it meets the same answer.
fn runs_as_python(script: &Path, answer: &str) {
    let Some(python) = python() else { return };
    let compiled = Command::new(&python).arg("-m").arg("py_compile").arg(script).output().unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let has = Command::new(&python).args(["-c", "import websockets.sync.client"]).output().unwrap();
    if has.status.success() {
        let ran = Command::new(&python).arg(script).env("SYNCSPEC_API_KEY", KEY).output().unwrap();
        let said = Ended {
            code: ran.status.code(),
            out: String::from_utf8_lossy(&ran.stdout).into(),
            err: String::from_utf8_lossy(&ran.stderr).into(),
        };
        assert_eq!(said.code, Some(0), "{said}");
        let got: Vec<_> = said.out.lines().filter(|line| line.contains("got: ") && line.contains(answer)).collect();
        assert!(!got.is_empty() && said.out.contains("here it parted"), "{said}");
    }
}
