//! Reports read back: the published form, and what is told of texts that are none.
#![allow(clippy::unwrap_used, reason = "tests")]

mod records;

use proptest::prelude::*;
use serde_json::{Value, json};
use syncspec::report::Case;
use syncspec::report::json::{Document, from_json, to_json, to_text};
use syncspec::report::ndjson::Writer;
use syncspec::report::read::{from_bytes, from_file, from_ndjson, from_text};
use syncspec::report::text::{Style, summary};
use syncspec::report::{junit::to_junit, restore};

// The published form

#[test]
fn a_report_keeps_the_published_form() {
    let complaints = Form::read().complaints(&serde_json::from_str(&to_json(&records::run())).unwrap(), "report");

    assert_eq!(complaints, Vec::<String>::new());
}

#[test]
fn every_line_of_a_stream_keeps_the_published_form() {
    for line in stream().lines() {
        let complaints = Form::read().complaints(&serde_json::from_str(line).unwrap(), "line");

        assert_eq!(complaints, Vec::<String>::new(), "{line}");
    }
}

#[test]
fn the_published_form_refuses_what_is_not_a_report() {
    let whole: Value = serde_json::from_str(&to_json(&records::run())).unwrap();
    let edits: [(&str, Value, &str); 8] = [
        ("/schema_version", json!(2), "schema_version"),
        ("/cases/0/verdict", json!("good"), "verdict"),
        ("/cases/0/duration_ms", json!(-1), "duration_ms"),
        ("/cases/0/trace/0/at", json!("1"), "at"),
        ("/cases/0/mark", json!("2"), "mark"),
        ("/exit/code", json!(9), "code"),
        ("/suite", json!([]), "suite"),
        ("/requirements/0/reach", json!(null), "reach"),
    ];
    for (place, value, told) in edits {
        let mut wrong = whole.clone();
        *wrong.pointer_mut(place).unwrap() = value;
        let complaints = Form::read().complaints(&wrong, "report");
        assert!(complaints.iter().any(|line| line.contains(told)), "{place}: {complaints:?}");
    }
    let mut wrong = whole;
    wrong.as_object_mut().unwrap().remove("cases");
    assert!(!Form::read().complaints(&wrong, "report").is_empty());
    wrong.as_object_mut().unwrap().insert("unheard_of".into(), json!(1));
    assert!(Form::read().complaints(&wrong, "report").iter().any(|line| line.contains("unheard_of")));
}

// Back again

#[test]
fn a_report_reads_back_as_it_was_written() {
    let document = records::document();

    assert_eq!(from_text(&to_text(&document)).unwrap(), document);
}

#[test]
fn members_that_are_not_known_are_skipped_and_new_ones_may_be_missing() {
    let mut value: Value = serde_json::from_str(&to_json(&records::run())).unwrap();
    value["later"] = json!({ "x": [1] });
    for case in value["cases"].as_array_mut().unwrap() {
        for name in ["trace", "mark", "replay"] {
            case.as_object_mut().unwrap().remove(name);
        }
    }

    let document = from_json(&value.to_string()).unwrap();

    assert!(document.cases.iter().all(|case| case.trace.is_empty() && case.mark.is_none()));
}

#[test]
fn a_stream_reads_back_as_the_report_of_its_run() {
    let (document, streamed) = (records::document(), from_text(&stream()).unwrap());

    assert_eq!(streamed.cases, document.cases);
    assert_eq!(streamed.requirements, document.requirements);
    assert_eq!((streamed.summary, streamed.run, streamed.exit), (document.summary, document.run, document.exit));
}

#[test]
fn a_stream_without_its_end_is_an_interrupted_run() {
    let text = stream();
    let lines: Vec<_> = text.lines().collect();

    let document = from_ndjson(&lines[..3].join("\n")).unwrap();

    assert_eq!((document.cases.len(), document.run.interrupted, document.exit.code), (2, true, 130));
}

#[test]
fn a_run_comes_back_from_its_records_for_the_forms_that_need_it() {
    let run = records::run();

    let back = restore::run(&Document::of(&run)).unwrap();

    assert_eq!(summary(&back, &Style::default()), summary(&run, &Style::default()));
    assert_eq!(to_junit(&back, false).unwrap(), to_junit(&run, false).unwrap());
    let again = |case: &Case| (case.trace.clone(), case.mark, case.replay.clone());
    assert!(back.cases.iter().zip(&run.cases).all(|(one, other)| again(one) == again(other)));
}

#[test]
fn a_requirement_that_this_version_does_not_know_is_told_where_its_row_is_needed() {
    let mut document = records::document();
    document.cases[0].findings[1].requirement = "GQL-NEW-001".into();

    let document = from_text(&to_text(&document)).unwrap();
    let error = restore::run(&document).unwrap_err().to_string();

    assert!(error.starts_with("cases[0].findings[1].requirement: expected a requirement"), "{error}");
}

// What is none

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let good = to_json(&records::run());
    let edits: [(&str, &str, &str); 12] = [
        ("\"schema_version\": 1,", "\"schema_version\": 99,", "schema_version: expected 1 or less; got 99"),
        ("\"schema_version\": 1,", "\"schema_version\": 0,", "schema_version: expected 1 or more; got 0"),
        ("\"schema_version\": 1,", "\"schema_version\": 99999999999,", "got 99999999999, which a newer syncspec wrote"),
        ("\"schema_version\": 1,", "\"schema_version\": \"1\",", "line 2 column"),
        (
            "\"verdict\": \"blocked\"",
            "\"verdict\": \"bad\"",
            "cases[5].verdict: expected a JSON report of syncspec; expected a verdict",
        ),
        ("\"severity\": \"fail\"", "\"severity\": \"worse\"", "cases[0].findings[0].severity: expected one of fail"),
        (
            "\"dialect\": \"events\"",
            "\"dialect\": \"mqtt\"",
            "cases[7].dialect: expected one of graphql, events; got \"mqtt\"",
        ),
        ("\"mark\": 2", "\"mark\": 200", "cases[0].mark: expected an index in the trace of 14 entries; got 200"),
        (
            "\"from\": \"server\"",
            "\"from\": \"nobody\"",
            "cases[0].trace[2]: expected an entry of a recording; it has a",
        ),
        ("\"seed\": \"0x5eed1ab\"", "\"seed\": \"--x\"", "run.seed: expected a whole number"),
        (
            "\"started_unix_s\": 1700000000",
            "\"started_unix_s\": 18446744073709551615",
            "run.started_unix_s: expected seconds",
        ),
        ("\"fail\": 1", "\"fail\": 0", "summary.fail: expected 1, which is what the cases say; got 0"),
    ];
    for (from, to, told) in edits {
        assert!(good.contains(from), "{from}");
        let error = from_text(&good.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(told), "{told}\n{error}");
    }
    let twice = good.replacen("\"id\": \"graphql/init/pass\"", "\"id\": \"graphql/init/warn\"", 1);
    let error = from_text(&twice).unwrap_err().to_string();
    assert!(error.contains("cases[2].id: expected each case once"), "{error}");
}

#[test]
fn a_report_that_is_cut_anywhere_is_told_with_its_line() {
    let good = to_json(&records::run());
    let end = good.trim_end().len();
    let cuts: Vec<_> = (0..end).filter(|at| good.is_char_boundary(*at)).step_by(997).chain([0, 1, end - 1]).collect();

    for cut in cuts {
        let error = from_text(&good[..cut]).unwrap_err();
        assert!(error.at.is_some_and(|(line, _)| line >= good[..cut].lines().count()), "{cut}: {error}");
    }
}

#[test]
fn a_stream_that_is_out_of_order_or_cut_within_a_line_is_told_with_its_line() {
    let text = stream();
    let lines: Vec<_> = text.lines().collect();
    let (first, case, last) = (lines[0], lines[1], lines[lines.len() - 1]);
    let half = &case[..case.len() / 2];
    let newer = first.replacen("\"schema_version\":1", "\"schema_version\":7", 1);
    for (lines, told) in [
        (vec![case], "line 1 column 1: event: expected run-started on the first line"),
        (vec![first, first], "line 2 column 1: event: expected run-started once"),
        (vec![first, last, case], "line 3 column 1: event: expected nothing after run-finished"),
        (vec![first, case, half], "line 3 column"),
        (vec![first, case, case], "cases[1].id: expected each case once"),
        (vec![first, r#"{"event":"what"}"#], "line 2 column"),
        (vec![newer.as_str()], "line 1 column 1: schema_version: expected 1 or less; got 7"),
    ] {
        let error = from_text(&lines.join("\n")).unwrap_err().to_string();
        assert!(error.contains(told), "{told}\n{error}");
    }
}

#[test]
fn a_file_that_is_no_report_is_named() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join("no-report.json");
    for (bytes, told) in [
        (b"".as_slice(), "no-report.json:1:0: expected a JSON report of syncspec; EOF"),
        (b"{}\n", "missing field `schema_version`"),
        (b"[1]", "no-report.json:1:"),
        (b"{\n  \"a\": \xff", "no-report.json:2:8: expected UTF-8"),
        (b"\x1f\x8b\x08\x00", "expected UTF-8"),
        (b"<?xml version=\"1.0\"?>", "no-report.json:1:1: expected a JSON report"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = from_file(&path).unwrap_err().to_string();
        assert!(error.contains(told), "{told}\n{error}");
    }
    let error = from_file(&folder.join("there-is-none.json")).unwrap_err().to_string();
    assert!(error.contains("there-is-none.json: expected a report that can be read; got"), "{error}");
    let error = from_file(folder).unwrap_err().to_string();
    assert!(error.contains("expected a report that can be read"), "{error}");
}

#[test]
fn depth_and_repetition_lead_to_errors() {
    let deep = format!("\"trace\": {}{},", "[".repeat(100_000), "]".repeat(100_000));
    let deep = to_json(&records::run()).replacen("\"trace\": [],", &deep, 1);
    let twice = to_json(&records::run()).replacen("\"attempts\": 1", "\"attempts\": 1, \"attempts\": 1", 1);

    assert!(from_text(&deep).unwrap_err().to_string().contains("recursion limit"));
    assert!(from_text(&twice).unwrap_err().to_string().contains("duplicate field"));
}

#[test]
fn what_an_error_quotes_cannot_command_a_terminal() {
    let wrong = to_json(&records::run()).replacen("\"dialect\": \"events\"", "\"dialect\": \"\\u001b[2J\\u202e\"", 1);

    let error = from_text(&wrong).unwrap_err().to_string();

    assert!(!error.contains(['\u{1b}', '\u{202e}']), "{error:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_the_reader_panic(at in any::<prop::sample::Index>(), bytes: Vec<u8>, stream_too: bool) {
        let mut good = if stream_too { stream() } else { to_json(&records::run()) }.into_bytes();
        let at = at.index(good.len());
        let end = (at + bytes.len()).min(good.len());
        good.splice(at..end, bytes.iter().copied());

        if let Ok(document) = from_bytes(&good) {
            prop_assert_eq!(from_text(&to_text(&document)).map_err(|e| e.to_string()), Ok(document));
        }
        let _ = from_bytes(&bytes);
    }

    #[test]
    fn any_texts_of_a_peer_read_back(texts in records::hostile()) {
        let document = Document::of(&records::run_of(&texts));

        prop_assert_eq!(from_text(&to_text(&document)).map_err(|e| e.to_string()), Ok(document));
    }
}

// Helpers

fn stream() -> String {
    let run = records::run();
    let mut writer = Writer::new(Vec::new());
    writer.started(&run, run.cases.len()).unwrap();
    for case in &run.cases {
        writer.case(case).unwrap();
    }
    writer.finished(&run).unwrap();
    String::from_utf8(writer.into_inner()).unwrap()
}

/// The published form: as much of JSON Schema as it uses, and stricter, since what it does not name is a complaint.
struct Form(Value);

impl Form {
    fn read() -> Self {
        Self(serde_json::from_str(include_str!("../../fixtures/report.schema.json")).unwrap())
    }

    fn complaints(&self, value: &Value, definition: &str) -> Vec<String> {
        let mut out = Vec::new();
        self.check(value, &self.0["$defs"][definition], definition, &mut out);
        out
    }

    fn check(&self, value: &Value, form: &Value, place: &str, out: &mut Vec<String>) {
        let form_members = form.as_object().unwrap_or_else(|| panic!("{place}: no form"));
        for (keyword, wanted) in form_members {
            match keyword.as_str() {
                "description" => {}
                "$ref" => {
                    let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    self.check(value, &self.0["$defs"][name], place, out);
                }
                "type" => {
                    let kinds = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                    if !kinds.iter().any(|kind| is(value, kind.as_str().unwrap())) {
                        out.push(format!("{place}: no {wanted}"));
                    }
                }
                "enum" if !wanted.as_array().unwrap().contains(value) => out.push(format!("{place}: {value}")),
                "minimum" if value.as_f64().is_some_and(|n| n < wanted.as_f64().unwrap()) => {
                    out.push(format!("{place}: {value} is less than {wanted}"));
                }
                "required" => {
                    let missing =
                        wanted.as_array().unwrap().iter().filter(|n| value.get(n.as_str().unwrap()).is_none());
                    out.extend(missing.map(|name| format!("{place} lacks {name}")));
                }
                "properties" => self.members(value, form, place, out),
                "items" => {
                    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(item, wanted, &format!("{place}[{n}]"), out);
                    }
                }
                "anyOf" => {
                    let fits = |form: &&Value| {
                        let mut wrong = Vec::new();
                        self.check(value, form, place, &mut wrong);
                        wrong.is_empty()
                    };
                    if wanted.as_array().unwrap().iter().find(fits).is_none() {
                        out.push(format!("{place}: none of the forms"));
                    }
                }
                "enum" | "minimum" | "additionalProperties" => {}
                other => panic!("{place}: the keyword {other} is not checked"),
            }
        }
    }

    fn members(&self, value: &Value, form: &Value, place: &str, out: &mut Vec<String>) {
        for (name, member) in value.as_object().into_iter().flatten() {
            match form["properties"].get(name) {
                Some(form) => self.check(member, form, &format!("{place}.{name}"), out),
                None if form.get("additionalProperties").is_some() => {}
                None => out.push(format!("{place}.{name} is not in the form")),
            }
        }
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the kind {other} is not checked"),
    }
}
