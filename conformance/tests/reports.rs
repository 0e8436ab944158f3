//! What people and programs read of a run: the texts as snapshots, the forms as properties.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::{Ambiguity, Requirement as R};
use appsync_protocol::transcript::{self, Redactor, Transcript, What};
use proptest::prelude::*;
use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use syncspec::catalogue::{faults, scenarios};
use syncspec::player::{Entry, Event, Observation, Outcome};
use syncspec::report::baseline::{self, Baseline, Comparison, Difference, Matched};
use syncspec::report::exit::{ExitFacts, decide};
use syncspec::report::explain::{explain, suggest};
use syncspec::report::json::{from_json, to_json};
use syncspec::report::junit::to_junit;
use syncspec::report::ndjson::{Line, Writer};
use syncspec::report::text::{Style, failure, printable, summary};
use syncspec::report::{Case, Exit, Run, Target, list};
use syncspec::scenario::Scenario;
use syncspec::verdict::{Breach, Verdict, judge};

const PLAIN: Style = Style { color: false, width: 100 };

// Texts for people

#[test]
fn a_failure_says_what_was_required_done_and_seen() {
    let run = small_run();

    insta::assert_snapshot!(failure(case(&run, "graphql/init/ack-tells-the-timeout"), &run, &PLAIN));
}

#[test]
fn a_warning_has_the_same_shape() {
    let run = small_run();

    insta::assert_snapshot!(failure(case(&run, "monitor/GQL-INIT-013"), &run, &PLAIN));
}

#[test]
fn a_failure_of_a_played_scenario_shows_its_dialogue() {
    let run = played_run();

    insta::assert_snapshot!(failure(&run.cases[1], &run, &PLAIN));
}

#[test]
fn the_summary_counts_everything_and_names_every_reason() {
    insta::assert_snapshot!(summary(&small_run(), &PLAIN));
}

#[test]
fn colours_only_repeat_what_the_words_say() {
    let run = small_run();
    let colored = Style { color: true, ..PLAIN };

    let text = summary(&run, &colored) + &failure(&run.cases[1], &run, &colored);
    let plain = summary(&run, &PLAIN) + &failure(&run.cases[1], &run, &PLAIN);

    assert!(text.contains("\u{1b}[31;1mFAIL\u{1b}[0m"), "{text}");
    assert_eq!(without_colors(&text), plain);
    assert!(!plain.contains('\u{1b}'));
    assert!(plain.is_ascii());
}

#[test]
fn prose_is_wrapped_and_commands_are_not() {
    let mut run = small_run();
    run.target.endpoints.insert(Dialect::Graphql, format!("https://{}/graphql", "long.".repeat(30)));
    let text = failure(case(&run, "graphql/init/ack-tells-the-timeout"), &run, &PLAIN);

    let long: Vec<_> = text.lines().filter(|line| line.chars().count() > 100 && !line.contains(" ms  ")).collect();

    assert_eq!(long.len(), 1, "{long:#?}");
    assert!(long[0].starts_with("  again      syncspec server https://long."), "{}", long[0]);
}

#[test]
fn nothing_that_a_target_says_reaches_the_terminal_as_a_command() {
    assert_eq!(printable("a\u{1b}[2J\nb\u{202e}c\u{9b}\t"), "a\\u{1b}[2J\\nb\\u{202e}c\\u{9b}\\t");
}

#[test]
fn what_we_did_is_told_in_few_words() {
    let lines = [
        "|-- open graphql-ws /graphql?header=x: 101 graphql-ws",
        "|-- connection_init ------------->|",
        "|-- start a-1 {\"data\":\"{}\"} ----->|",
        "|<-- start_ack a-1 --------------|",
        "#2 |-- publish p channel=\"/default/x\" events=[]",
        "|-- unknown_word {\"x\":1} ------->|",
        "|-- POST /graphql?x=1 {}: 200 {}",
        "|-- POST /graphql?x=2 {}: 200 {}",
        "|   * client writes bytes: an unmasked frame",
        "|-- binary (3 bytes) ------------>|      <-- here",
        "|-- ping (4 bytes) -------------->|",
    ];
    let dialogue: String = lines.iter().map(|line| format!("  1 ms   {line}\n")).collect();
    let run = small_run();
    let text = failure(&Case { dialogue, ..broken_ack() }, &run, &Style { color: false, width: 0 });

    let did = text.lines().find(|line| line.starts_with("  did")).unwrap();
    assert_eq!(
        did,
        "  did        open a connection, connection_init, start a-1, publish p, unknown_word, POST /graphql (2 times), \
         write bytes: an unmasked frame, binary (3 bytes)"
    );
}

// Explanations

#[test]
fn a_requirement_is_explained_with_source_dispute_and_severity() {
    let text = explain("evt-data-002").unwrap();

    // Who covers and breaks it is the catalogue's story.
    insta::assert_snapshot!(text.split("  covered by").next().unwrap());
}

#[test]
fn an_ambiguity_without_a_dialect_is_explained_for_both() {
    insta::assert_snapshot!(explain("a-01").unwrap());
}

#[test]
fn a_scenario_is_explained_with_its_dialogue_and_its_saboteurs() {
    insta::assert_snapshot!(explain("graphql/control/refuses-a-wrong-key").unwrap());
}

#[test]
fn a_saboteur_is_explained_with_what_it_breaks_and_what_catches_it() {
    insta::assert_snapshot!(explain("graphql-any-key-connects").unwrap());
}

#[test]
fn everything_that_has_a_name_is_explained() {
    for rule in R::ALL {
        for id in [rule.id().to_owned(), rule.id().to_lowercase(), format!("monitor/{rule}")] {
            let text = explain(&id).unwrap_or_else(|| panic!("no explanation of {id}"));
            for part in [rule.id(), "source", "breach", "covered by", "broken by"] {
                assert!(text.contains(part), "{id} lacks {part}:\n{text}");
            }
        }
    }
    for ambiguity in Ambiguity::all() {
        let text = explain(ambiguity.id).unwrap();
        assert!(text.contains("readings") && text.contains("treatment") && text.contains("softens"), "{text}");
    }
    for scenario in scenarios() {
        let text = explain(scenario.id).unwrap();
        assert!(text.contains(scenario.title) && scenario.covers.iter().all(|r| text.contains(r.id())), "{text}");
    }
    for fault in faults() {
        let text = explain(fault.name).unwrap();
        assert!(text.contains(fault.about) && text.contains(fault.caught_by), "{text}");
    }
}

#[test]
fn an_unknown_name_gets_near_names_and_nonsense_gets_none() {
    assert_eq!(explain("GQL-SUB-999"), None);
    assert_eq!(suggest("GQL-INITT-003").first().map(String::as_str), Some("GQL-INIT-003"));
    assert!(suggest("graphql/control/refuse-a-wrong-key").contains(&"graphql/control/refuses-a-wrong-key".to_owned()));
    assert_eq!(suggest("what is this even, if I may ask, then"), Vec::<String>::new());
    assert_eq!(suggest(""), Vec::<String>::new());
}

// Lists

#[test]
fn the_list_of_requirements_shows_the_state_of_each() {
    let text = list::requirements(&["gql-init-00".into(), "gql-filter-00".into()]);

    // What is exercised grows with the catalogue.
    let stable: Vec<_> = text
        .lines()
        .map(|line| match line.split_once("exercised") {
            Some((head, _)) => format!("{}(exercised or not)", head.trim_end_matches("not ")),
            None => line.to_owned(),
        })
        .collect();
    insta::assert_snapshot!(stable.join("\n"));
}

#[test]
fn the_lists_for_programs_hold_everything() {
    let rules: serde_json::Value = serde_json::from_str(&list::requirements_json(&[])).unwrap();
    let all: serde_json::Value = serde_json::from_str(&list::scenarios_json(&[])).unwrap();
    let bent: serde_json::Value = serde_json::from_str(&list::faults_json(&[])).unwrap();

    assert_eq!(rules["requirements"].as_array().unwrap().len(), 489);
    assert_eq!(rules["suite_rules"].as_array().unwrap().len(), 4);
    assert_eq!(all["scenarios"].as_array().unwrap().len(), scenarios().count());
    assert_eq!(bent["faults"].as_array().unwrap().len(), faults().count());
    let row = rules["requirements"].as_array().unwrap().iter().find(|row| row["id"] == "GQL-AUTH-016").unwrap();
    let by: Vec<_> = row["exercised_by"].as_array().unwrap().iter().filter_map(|id| id.as_str()).collect();
    assert!(by.contains(&"graphql/control/refuses-a-wrong-key"), "{by:?}");
}

#[test]
fn a_filter_takes_any_of_its_texts_in_any_case() {
    let text = list::scenarios(&["REFUSES-a-wrong-key".into(), "nothing-like-this".into()]);

    assert!(text.contains("graphql/control/refuses-a-wrong-key") && text.ends_with("2 scenarios\n"), "{text}");
    assert_eq!(list::scenarios(&["nothing-like-this".into()]), "0 scenarios\n");
    assert!(list::faults(&["any-key".into()]).contains("events-any-key-connects"));
}

#[test]
fn every_requirement_has_one_state() {
    for rule in R::ALL {
        let status = list::status(*rule);
        let known = ["exercised by", "softened by", "not yet judged", "needs ", "hidden because ", "not exercised yet"];
        assert!(known.iter().any(|head| status.starts_with(head)), "{rule}: {status}");
    }
}

// JSON

#[test]
fn the_json_report_holds_the_run_and_the_whole_register() {
    let run = small_run();
    let mut document = from_json(&to_json(&run)).unwrap();

    assert_eq!(document.requirements.len(), 489 + 4);
    let shown = ["GQL-INIT-003", "GQL-SUB-012", "GQL-FILTER-001", "SYN-ALIVE-001"];
    document.requirements.retain(|rule| shown.contains(&rule.id.as_str()));
    document.suite.version = "(version)".into();
    assert_eq!(document.suite.figures.take().as_ref(), syncspec::report::figures::published());
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
}

#[test]
fn a_json_report_reads_back_with_every_verdict() {
    let run = small_run();

    let document = from_json(&to_json(&run)).unwrap();

    for case in &run.cases {
        assert_eq!(document.verdict(&case.id), Some(case.verdict), "{}", case.id);
    }
    assert_eq!(document.exit.code, run.exit.code);
    assert_eq!(document.verdict("graphql/no/such-case"), None);
}

#[test]
fn a_report_of_a_newer_suite_is_told_apart_from_nonsense() {
    let newer = to_json(&small_run()).replacen("\"schema_version\": 1", "\"schema_version\": 99", 1);

    let error = from_json(&newer).unwrap_err().to_string();
    assert!(error.contains("got 99"), "{error}");
    let error = from_json("{}").unwrap_err().to_string();
    assert!(error.contains("expected a JSON report of syncspec"), "{error}");
    let wrong = to_json(&small_run()).replace("\"verdict\": \"blocked\"", "\"verdict\": \"bad\"");
    let error = from_json(&wrong).unwrap_err().to_string();
    assert!(error.contains("expected a verdict; got \"bad\""), "{error}");
}

#[test]
fn the_stream_has_a_line_for_each_case_and_says_when_it_is_whole() {
    let run = small_run();
    let mut writer = Writer::new(Vec::new());
    writer.started(&run, 9).unwrap();
    for case in &run.cases {
        writer.case(case).unwrap();
    }
    writer.finished(&run).unwrap();

    let text = String::from_utf8(writer.into_inner()).unwrap();
    let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), run.cases.len() + 2);
    assert!(text.starts_with("{\"event\":\"run-started\",\"schema_version\":1,"), "{text}");
    assert!(text.ends_with("\n"));
    let report = from_json(&to_json(&run)).unwrap();
    for (line, record) in lines[1..].iter().zip(&report.cases) {
        assert_eq!(line, &Line::Case(record.clone()));
    }
    let Some(Line::RunFinished(finished)) = lines.last() else { panic!("{text}") };
    assert_eq!((&finished.summary, &finished.exit), (&report.summary, &report.exit));
}

#[test]
fn a_line_that_cannot_be_written_is_an_error() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let run = small_run();
    let mut writer = Writer::new(Full);

    assert!(writer.started(&run, 1).is_err());
    assert!(writer.case(&run.cases[0]).is_err());
    assert!(writer.finished(&run).is_err());
}

// JUnit

#[test]
fn the_junit_report_tells_failures_from_warnings_skips_and_errors() {
    let xml = to_junit(&small_run(), false).unwrap();

    insta::assert_snapshot!(xml);
    let report = Report::deserialize_from_str(&xml).unwrap();
    assert_eq!((report.tests, report.failures, report.errors), (9, 1, 1));
    let cases: BTreeMap<_, _> = report
        .test_suites
        .iter()
        .flat_map(|suite| &suite.test_cases)
        .map(|case| (case.name.to_string(), case))
        .collect();
    let status = |id: &str| &cases[id].status;
    assert!(matches!(
        status("graphql/init/ack-tells-the-timeout"),
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. }
    ));
    assert!(matches!(
        status("graphql/keepalive/comes-in-time"),
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. }
    ));
    assert!(matches!(status("monitor/GQL-INIT-013"), TestCaseStatus::Success { .. }));
    assert!(cases["monitor/GQL-INIT-013"].system_out.as_ref().unwrap().starts_with("WARN"));
    for skipped in ["graphql/filter/by-one-argument", "graphql/hazard/oversize"] {
        assert!(matches!(status(skipped), TestCaseStatus::Skipped { message: Some(_), .. }), "{skipped}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_breaks_a_report(texts in proptest::collection::vec(hostile_text(), 8)) {
        let run = hostile_run(&texts);

        let xml = to_junit(&run, false).unwrap();
        prop_assert!(xml.chars().all(is_xml), "{:?}", xml);
        let junit = Report::deserialize_from_str(&xml).unwrap();
        prop_assert_eq!(junit.tests, run.cases.len());

        let document = from_json(&to_json(&run)).unwrap();
        prop_assert_eq!(&document.cases[0].reason, &run.cases[0].reason);

        let text = failure(&run.cases[0], &run, &PLAIN) + &summary(&run, &PLAIN);
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", text);

        let listed = baseline::write(&run);
        let baseline = Baseline::parse(&listed, "b.toml").unwrap();
        prop_assert_eq!(baseline.entries.len(), 1);
    }
}

#[test]
fn markup_and_escapes_of_a_target_stand_in_the_report_as_text() {
    let run = hostile_run(&["]]></failure><script>&amp;\u{1b}]0;title\u{7}\u{0}\u{fffe}rest".into()]);

    let report = Report::deserialize_from_str(&to_junit(&run, false).unwrap()).unwrap();

    let TestCaseStatus::NonSuccess { message, description, .. } = &report.test_suites[0].test_cases[0].status else {
        panic!("{report:?}")
    };
    let seen = "]]></failure><script>&amp;\\u{1b}]0;title\\u{7}\\u{0}\\u{fffe}rest";
    assert!(message.as_ref().unwrap().contains(seen), "{message:?}");
    assert!(description.as_ref().unwrap().contains(seen), "{description:?}");
}

// Secrets

#[test]
fn no_report_of_a_played_run_holds_the_key() {
    let key = syncspec::reference::Config::default().api_key().to_owned();
    let run = played_run();

    let mut stream = Writer::new(Vec::new());
    stream.started(&run, 2).unwrap();
    run.cases.iter().for_each(|case| stream.case(case).unwrap());
    let mut all = vec![to_json(&run), to_junit(&run, false).unwrap(), summary(&run, &PLAIN), baseline::write(&run)];
    all.push(String::from_utf8(stream.into_inner()).unwrap());
    all.extend(run.cases.iter().map(|case| failure(case, &run, &PLAIN)));
    for report in all {
        assert!(!report.contains(&key), "{report}");
    }
}

// Baselines

#[test]
fn a_comparison_tells_regressions_stale_entries_and_unknown_ids_apart() {
    let text = r#"
        target = "an-emulator"
        case = [
            { id = "graphql/init/acknowledges", verdict = "fail", reason = "it did not, in May" },
            { id = "graphql/keepalive/tolerates-jitter", verdict = "pass", reason = "no way" },
            { id = "graphql/control/refuse-a-wrong-key", verdict = "fail", reason = "a typing error" },
            { id = "monitor/GQL-INIT-013", verdict = "warn", reason = "known" },
            { id = "graphql/keepalive/comes-in-time", verdict = "fail", reason = "too slow" },
            { id = "monitor/EVT-KA-001", verdict = "warn", reason = "was seen once" },
        ]"#;
    let run = small_run();
    let known: BTreeSet<_> = scenarios().map(|s| s.id).chain(run.cases.iter().map(|case| case.id.as_str())).collect();

    let comparison = Baseline::parse(text, "targets/an-emulator.toml").unwrap().compare(&run, |id| known.contains(id));

    insta::assert_snapshot!(comparison);
    assert!(!comparison.is_clean());
}

#[test]
fn a_baseline_written_from_a_run_matches_that_run() {
    let run = small_run();
    let text = baseline::write(&run);

    let comparison = Baseline::parse(&text, "b.toml").unwrap().compare(&run, |_| true);

    insta::assert_snapshot!(text);
    assert!(comparison.is_clean() && comparison.matched.len() == 2, "{comparison}");
    let fixed =
        Run { cases: run.cases.iter().map(|case| Case { verdict: Verdict::Pass, ..case.clone() }).collect(), ..run };
    let comparison = Baseline::parse(&text, "b.toml").unwrap().compare(&fixed, |_| true);
    assert_eq!((comparison.stale.len(), comparison.regressions.len()), (2, 0), "{comparison}");
}

#[test]
fn what_the_monitor_no_longer_finds_in_a_whole_run_is_stale() {
    let text = "target = \"t\"\n[[case]]\nid = \"monitor/GQL-INIT-013\"\nverdict = \"warn\"\nreason = \"r\"\n";
    let baseline = Baseline::parse(text, "b.toml").unwrap();
    let passes = |s: &Scenario| Case { id: s.id.into(), dialect: s.dialect, ..plain_case(s.id, Verdict::Pass) };
    let whole = Run { cases: scenarios().map(passes).collect(), ..small_run() };
    let part = Run { cases: scenarios().take(1).map(passes).collect(), ..small_run() };

    assert_eq!(baseline.compare(&whole, |_| false).stale.len(), 1);
    assert_eq!(baseline.compare(&part, |_| false).open.len(), 1);
    assert_eq!(baseline.compare(&Run { interrupted: true, ..whole }, |_| false).open.len(), 1);
}

#[test]
fn one_id_may_be_listed_for_each_dialect() {
    let entry = |dialect: &str, verdict: &str| {
        format!(
            "[[case]]\nid = \"monitor/SYN-ALIVE-001\"\ndialect = \"{dialect}\"\nverdict = \"{verdict}\"\nreason = \"r\"\n"
        )
    };
    let text = format!("target = \"t\"\n{}{}", entry("graphql", "fail"), entry("events", "warn"));
    let case = |dialect| Case { dialect, ..plain_case("monitor/SYN-ALIVE-001", Verdict::Fail) };
    let run = Run { cases: vec![case(Dialect::Graphql), case(Dialect::Events)], ..small_run() };

    let comparison = Baseline::parse(&text, "b.toml").unwrap().compare(&run, |_| true);

    assert_eq!((comparison.matched.len(), comparison.regressions.len()), (1, 1), "{comparison}");
    assert_eq!(baseline::write(&run).matches("dialect = ").count(), 2);
}

#[test]
fn a_wrong_baseline_is_told_with_line_key_and_expectation() {
    let case = |rest: &str| format!("target = \"t\"\n\n[[case]]\nid = \"a/b/c\"\n{rest}");
    let texts = [
        case("verdict = \"fail\"\n"),
        case("verdict = \"fail\"\nreason = \"  \"\n"),
        case("verdict = \"bad\"\nreason = \"r\"\n"),
        case("verdict = 3\nreason = \"r\"\n"),
        case("verdict = \"fail\"\nreason = \"r\"\nuntil = \"x\"\n"),
        case("verdict = \"fail\"\nreason = \"r\"\ndialect = \"mqtt\"\n"),
        case("verdict = \"fail\"\nreason = \"r\"\n[[case]]\nid = \"a/b/c\"\nverdict = \"warn\"\nreason = \"r\"\n"),
        "[[case]]\n".into(),
        "target = \"t\"\ncases = []\n".into(),
        "target = \"t\"\ncase = 1\n".into(),
        "target = \"t\"\ncase = [1]\n".into(),
        "target = \"t\"\nthis is no TOML\n".into(),
    ];

    let errors: Vec<_> =
        texts.iter().map(|text| Baseline::parse(text, "targets/t.toml").unwrap_err().to_string()).collect();

    insta::assert_snapshot!(errors.join("\n"));
}

// Exit codes

#[test]
fn of_several_reasons_to_exit_the_first_in_order_decides() {
    const ORDER: [u8; 8] = [130, 70, 2, 3, 1, 6, 5, 4];
    let difference = Difference { id: "a".into(), listed: None, got: Some(Verdict::Fail), reason: "r".into() };
    for with_baseline in [false, true] {
        for set in 0_u32..1 << ORDER.len() {
            let applies: Vec<_> =
                ORDER.iter().enumerate().filter(|(n, _)| set & (1 << n) != 0).map(|(_, c)| *c).collect();
            let has = |code| applies.contains(&code);
            let mut comparison = Comparison::default();
            if has(1) {
                comparison.regressions.push(difference.clone());
            }
            if has(6) {
                comparison.stale.push(difference.clone());
            }
            let facts = ExitFacts {
                interrupted: has(130),
                harness_error: has(70).then(|| "a panic".into()),
                usage: has(2).then(|| "a bad flag".into()),
                unreachable: has(3).then(|| "refused".into()),
                failures: usize::from(has(1)),
                warnings: 1,
                strict: false,
                baseline: with_baseline.then_some(&comparison),
                inconclusive: usize::from(has(5)),
                executed: usize::from(!has(4)),
                min_cases: 1,
            };
            // Without a baseline nothing is stale.
            let expected = applies.iter().copied().find(|code| *code != 6 || with_baseline).unwrap_or(0);

            let exit = decide(&facts);

            assert_eq!(exit.code, expected, "{facts:?}");
            assert!(!exit.reason.is_empty() && !exit.reason.ends_with('.'), "{}", exit.reason);
        }
    }
}

#[test]
fn strict_turns_unlisted_warnings_into_failures() {
    let warned = ExitFacts { warnings: 2, executed: 5, min_cases: 1, ..ExitFacts::default() };
    let warning = Difference { id: "a".into(), listed: None, got: Some(Verdict::Warn), reason: "r".into() };
    let unlisted = Comparison { unlisted_warnings: vec![warning], ..Comparison::default() };
    let listed = Comparison::default();

    assert_eq!(decide(&warned).code, 0);
    assert_eq!(decide(&ExitFacts { strict: true, ..warned.clone() }).code, 1);
    assert_eq!(decide(&ExitFacts { strict: true, baseline: Some(&unlisted), ..warned.clone() }).code, 1);
    assert_eq!(decide(&ExitFacts { strict: true, baseline: Some(&listed), ..warned }).code, 0);
}

#[test]
fn a_baseline_excuses_just_what_it_lists() {
    let as_listed = |verdict| Matched { id: "a".into(), verdict };
    let comparison = Comparison {
        matched: vec![as_listed(Verdict::Fail), as_listed(Verdict::Inconclusive)],
        ..Comparison::default()
    };
    let facts = ExitFacts {
        failures: 1,
        inconclusive: 1,
        executed: 9,
        min_cases: 9,
        baseline: Some(&comparison),
        ..ExitFacts::default()
    };

    assert_eq!(decide(&facts).code, 0);
    assert_eq!(decide(&ExitFacts { inconclusive: 2, ..facts.clone() }).code, 5);
    assert_eq!(decide(&ExitFacts { min_cases: 10, ..facts.clone() }).code, 4);
    assert_eq!(decide(&ExitFacts { executed: 0, min_cases: 0, inconclusive: 0, ..facts }).code, 4);
}

// Runs

/// A run made by hand, with every verdict.
fn small_run() -> Run {
    Run {
        target: Target {
            endpoints: BTreeMap::from([
                (Dialect::Graphql, "http://127.0.0.1:20002/graphql".into()),
                (Dialect::Events, "http://127.0.0.1:20002/event".into()),
            ]),
            realtime: BTreeMap::from([(Dialect::Graphql, "ws://127.0.0.1:20002/graphql/realtime".into())]),
            namespaces: vec!["default".into()],
            ..Target::default()
        },
        seed: 0x05ee_d1ab,
        started_unix_s: 1_700_000_000,
        took_ms: 12_345,
        cases: small_cases(),
        observations: vec![observation("GQL-A-18", "connectionTimeout"), observation("ack latency", "22 ms")],
        connections: 9,
        messages: 41,
        interrupted: false,
        exit: Exit { code: 1, reason: "1 failure".into() },
    }
}

fn small_cases() -> Vec<Case> {
    let schema = "the schema lacks addNote and onNote";
    vec![
        Case {
            title: "A connection_init is answered with connection_ack.".into(),
            requirements: vec![R::GqlInit002],
            evidence: vec!["#1 101".into(), "#1 connection_ack".into()],
            ..plain_case("graphql/init/acknowledges", Verdict::Pass)
        },
        broken_ack(),
        Case {
            reason: schema.into(),
            requirements: vec![R::GqlFilter001],
            ..unplayed("graphql/filter/by-one-argument")
        },
        Case {
            reason: schema.into(),
            requirements: vec![R::GqlFilter002],
            ..unplayed("graphql/filter/by-two-arguments")
        },
        Case {
            verdict: Verdict::Blocked,
            reason: "the target did not come back after graphql/hazard/binary".into(),
            ..unplayed("graphql/hazard/oversize")
        },
        Case {
            reason: "no ka in 70 s; needs --tier long".into(),
            requirements: vec![R::GqlKa001],
            took_ms: 70_012,
            ..plain_case("graphql/keepalive/comes-in-time", Verdict::Inconclusive)
        },
        Case {
            reason: "GQL-KA-003: expected a ka after about 60 s; got a ka after 20 s".into(),
            requirements: vec![R::GqlKa003],
            breaches: vec![breach(R::GqlKa003, &["a ka after about 60 s"], "a ka after 20 s")],
            observations: vec![observation("GQL-A-17", "20 s")],
            ..plain_case("graphql/keepalive/tolerates-jitter", Verdict::Info)
        },
        Case {
            title: "A publish is answered with publish_success.".into(),
            dialect: Dialect::Events,
            requirements: vec![R::EvtHttp004],
            evidence: vec!["HTTP 200".into()],
            ..plain_case("events/publish/acknowledges", Verdict::Pass)
        },
        second_ack(),
    ]
}

fn broken_ack() -> Case {
    let dialogue = r#"        0 ms   |-- open graphql-ws /graphql/realtime: 101 graphql-ws
       23 ms   |-- connection_init ------------->|
       45 ms   |<-- connection_ack {"connectionTimeoutMs":"300000"}      <-- here
"#;
    Case {
        title: "The acknowledgement tells the client how long to wait for a ka.".into(),
        reason: "GQL-INIT-003: expected connection_ack with a number; got a text".into(),
        requirements: vec![R::GqlInit003, R::GqlInit012],
        breaches: vec![
            breach(
                R::GqlInit003,
                &["connection_ack payload.connectionTimeoutMs=a positive integer", "connection_error"],
                r#"connection_ack payload={"connectionTimeoutMs":"300000"}"#,
            ),
            breach(R::GqlInit012, &["no id"], "the server sent connection_ack with an id"),
        ],
        dialogue: dialogue.into(),
        took_ms: 45,
        ..plain_case("graphql/init/ack-tells-the-timeout", Verdict::Fail)
    }
}

fn second_ack() -> Case {
    Case {
        title: R::GqlInit013.row().text.into(),
        reason: "GQL-INIT-013: the server sent connection_ack twice; seen 4 times, first in graphql/init/acknowledges"
            .into(),
        requirements: vec![R::GqlInit013],
        breaches: vec![breach(R::GqlInit013, &[R::GqlInit013.row().text], "the server sent connection_ack twice")],
        ..plain_case("monitor/GQL-INIT-013", Verdict::Warn)
    }
}

fn plain_case(id: &str, verdict: Verdict) -> Case {
    Case {
        id: id.into(),
        title: "A title.".into(),
        dialect: Dialect::Graphql,
        verdict,
        reason: String::new(),
        requirements: Vec::new(),
        breaches: Vec::new(),
        evidence: Vec::new(),
        observations: Vec::new(),
        dialogue: String::new(),
        trace: Transcript::new(),
        mark: None,
        took_ms: 30,
        attempts: 1,
        replay: "graphql/control/refuses-a-wrong-key".into(),
    }
}

fn unplayed(id: &str) -> Case {
    Case { took_ms: 0, attempts: 0, ..plain_case(id, Verdict::NotApplicable) }
}

fn breach(requirement: R, expected: &[&str], got: &str) -> Breach {
    let expected = expected.iter().map(|text| (*text).to_owned()).collect();
    Breach { requirement, severity: requirement.severity(), expected, got: got.into(), entry: None }
}

fn observation(name: &str, value: &str) -> Observation {
    Observation { name: name.into(), value: value.into() }
}

fn case<'r>(run: &'r Run, id: &str) -> &'r Case {
    run.cases.iter().find(|case| case.id == id).expect("the run has the case")
}

/// The control on the reference endpoint, and on one that tells subscriptions of every field.
fn played_run() -> Run {
    let scenario =
        scenarios().find(|s| s.id == "graphql/control/delivers-to-the-right-subscription").expect("the control");
    let fault = faults().find(|fault| fault.name == "graphql-leak-to-another-field").expect("its saboteur");
    assert!(syncspec::selftest::stage::playable(scenario));
    let cases = [vec![], vec![fault.how]].map(|bent| {
        played(scenario, &syncspec::selftest::stage::outcome(scenario, syncspec::reference::Config::default(), &bent))
    });
    Run {
        target: Target { embedded: true, ..Target::default() },
        cases: cases.into(),
        exit: Exit { code: 1, reason: "1 failure".into() },
        ..small_run()
    }
}

fn played(scenario: &Scenario, outcome: &Outcome) -> Case {
    let (verdict, breaches) = judge(scenario, outcome);
    Case {
        title: scenario.title.into(),
        requirements: scenario.covers.to_vec(),
        reason: breaches.first().map(|breach| format!("got {}", breach.got)).unwrap_or_default(),
        dialogue: drawn(&outcome.record, breaches.first().and_then(|breach| breach.entry)),
        breaches,
        evidence: outcome.evidence.clone(),
        took_ms: u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX),
        ..plain_case(scenario.id, verdict)
    }
}

/// The record as the runner draws it: without secrets, the deciding entry marked.
fn drawn(record: &[Entry], mark: Option<usize>) -> String {
    let key = syncspec::reference::Config::default().api_key().to_owned();
    let redactor = Redactor::new(&[("key", &key)]);
    let (mut transcript, mut place) = (Transcript::new(), None);
    let mut asked = None;
    for (index, entry) in record.iter().enumerate() {
        let what = match &entry.event {
            Event::Upgrade { request } | Event::Call { request, .. } => {
                asked = Some(request.clone());
                None
            }
            Event::Upgraded { response } => asked.take().map(|request| What::open(&request, response)),
            Event::Answer { response, .. } => {
                asked.take().map(|request| What::Http { request, response: response.clone() })
            }
            Event::Frame { from, frame } => Some(What::Frame { from: *from, frame: frame.clone() }),
            Event::Failed { what } => Some(What::Note(what.clone())),
            Event::Bytes { what } => Some(What::Note((*what).into())),
        };
        if let Some(what) = what {
            if mark == Some(index) {
                place = Some(transcript.entries().len());
            }
            let line = transcript::Entry { at: entry.at, connection: u32::from(entry.conn), what };
            transcript.push(redactor.entry(&line));
        }
    }
    transcript::draw(&transcript, place)
}

/// A failing and a passing case whose every text is hostile.
fn hostile_run(texts: &[String]) -> Run {
    let mut texts = texts.iter().cycle().cloned();
    let mut next = || texts.next().unwrap_or_default();
    let failing = Case {
        title: next(),
        reason: next(),
        breaches: vec![breach(R::GqlInit003, &[&next(), &next()], &next())],
        evidence: vec![next()],
        dialogue: format!("  1 ms   |-- {}\n  2 ms   |<-- {}      <-- here\n", next(), next()),
        observations: vec![observation(&next(), &next())],
        ..plain_case("graphql/hostile/failing", Verdict::Fail)
    };
    let passing = Case { evidence: vec![next(), next()], ..plain_case("graphql/hostile/passing", Verdict::Pass) };
    let skipped = Case { reason: next(), ..unplayed("graphql/hostile/skipped") };
    let unsure = Case { reason: next(), ..plain_case("graphql/hostile/unsure", Verdict::Inconclusive) };
    Run { cases: vec![failing, passing, skipped, unsure], ..small_run() }
}

fn hostile_text() -> impl Strategy<Value = String> {
    let markup = r#"(\]\]>|</failure>|<!\[CDATA\[|&#0;|&amp;|<--|"""|''|\\|\n|\t|\u{1b}\[31m|\u{1b}\]|\u{0}|\u{9b}|\u{202e}|a){0,12}"#;
    prop_oneof![any::<String>(), proptest::string::string_regex(markup).expect("a regular expression")]
}

/// Characters that XML 1.0 can hold.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

fn without_colors(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').map_or(part, |(_, rest)| rest))
}
