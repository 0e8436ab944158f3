//! The smallest dialogue that shows each rule. `>` is the client, `<` the server; the rest of a line
//! is a word with an optional id, or a whole message.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::dialect::Dialect::{Events, Graphql};

fn full_text(dialect: Dialect, line: &str) -> String {
    if line.starts_with(['{', '[', '"']) {
        return line.into();
    }
    let (word, id) = line.split_once(' ').unwrap_or((line, ""));
    let more = match (dialect, word) {
        (Graphql, "connection_ack") => r#","payload":{"connectionTimeoutMs":300000}"#,
        (Events, "connection_ack") => r#","connectionTimeoutMs":300000"#,
        (Graphql, "start") => r#","payload":{"data":"{}"}"#,
        (Graphql, "data") => r#","payload":{"data":{"f":1}}"#,
        (Graphql, "error" | "connection_error") => r#","payload":{"errors":[{"message":"m"}]}"#,
        (Events, "subscribe") => r#","channel":"/default/a","authorization":{}"#,
        (Events, "publish") => r#","channel":"/default/a","events":["1"]"#,
        (Events, "data") => r#","event":"1""#,
        (Events, "publish_success") => r#","successful":[{"identifier":"i","index":0}],"failed":[]"#,
        (Events, w) if w.ends_with("error") => r#","errors":[{"errorType":"E"}]"#,
        _ => "",
    };
    let id = if id.is_empty() { String::new() } else { format!(r#","id":"{id}""#) };
    format!(r#"{{"type":"{word}"{id}{more}}}"#)
}

fn play(dialect: Dialect, lines: &[&str]) -> (Conversation, Vec<Finding>) {
    let mut conversation = Conversation::new(dialect);
    let mut findings = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let (arrow, rest) = line.split_at(1);
        let side = if arrow == ">" { Side::Client } else { Side::Server };
        let text = full_text(dialect, rest.trim());
        let frame = match rest.trim() {
            "(close)" => Frame::Close { code: Some(1000), reason: "" },
            "(lost)" => Frame::Lost,
            "(binary)" => Frame::Binary(b"x"),
            "(ping)" => Frame::Ping(b""),
            _ => Frame::text(&text),
        };
        findings.extend(conversation.observe(Moment::from_millis(n as u64), side, frame).findings);
    }
    (conversation, findings)
}

fn rules(dialect: Dialect, lines: &[&str]) -> String {
    play(dialect, lines).1.iter().map(|f| f.requirement.id()).collect::<Vec<_>>().join(" ")
}

const OPEN: [&str; 2] = ["> connection_init", "< connection_ack"];

fn graphql(lines: &[&str]) -> String {
    rules(Graphql, &[&OPEN, lines].concat())
}

fn events(lines: &[&str]) -> String {
    rules(Events, &[&OPEN, lines].concat())
}

#[test]
fn a_whole_honest_course_gives_no_finding() {
    let course =
        ["> start a", "< start_ack a", "< ka", "< data a", "> stop a", "< data a", "< complete a", "> (close)"];
    assert_eq!(graphql(&course), "");

    let course =
        ["> subscribe a", "< subscribe_success a", "> publish p", "< data a", "< publish_success p", "> unsubscribe a"];
    assert_eq!(events(&[&course[..], &["< unsubscribe_success a", "< (close)"]].concat()), "");
}

#[test]
fn data_that_crosses_a_stop_is_fine_and_data_after_the_end_is_not() {
    let lines = ["> start a", "< start_ack a", "> stop a", "< data a", "< complete a", "< data a"];
    assert_eq!(graphql(&lines), "GQL-SUB-026");

    let lines = ["> subscribe a", "< subscribe_success a", "> unsubscribe a", "< data a", "< unsubscribe_success a"];
    assert_eq!(events(&[&lines[..], &["< data a"]].concat()), "EVT-SUB-018");
}

#[test]
fn data_before_the_grant_is_reported_once() {
    assert_eq!(graphql(&["> start a", "< data a", "< start_ack a", "< data a"]), "GQL-SUB-009");
    assert_eq!(events(&["> subscribe a", "< data a", "< subscribe_success a"]), "EVT-SUB-014");
}

#[test]
fn data_for_an_id_nobody_subscribed_is_reported() {
    assert_eq!(graphql(&["< data x"]), "GQL-SUB-012");
    assert_eq!(events(&["> subscribe a", "< subscribe_error a", "< data a"]), "EVT-DATA-001");
}

#[test]
fn late_data_belongs_to_the_last_life_until_the_next_grant() {
    let lines = [
        "> start a",
        "< start_ack a",
        "> stop a",
        "< complete a",
        "> start a",
        "< data a",
        "< start_ack a",
        "< data a",
    ];
    assert_eq!(graphql(&lines), "GQL-SUB-026");
}

#[test]
fn a_grant_nobody_asked_for_costs_one_finding_and_no_cascade() {
    assert_eq!(graphql(&["< start_ack a", "< data a", "< data a"]), "GQL-SUB-006");
    assert_eq!(events(&["< subscribe_success a", "< data a"]), "EVT-SUB-007");
}

#[test]
fn the_same_unanswered_start_again_is_no_fault_of_the_client() {
    assert_eq!(graphql(&["> start a", "> start a", "< start_ack a", "< error a", "< data a"]), "");
}

#[test]
fn another_start_with_a_live_id_is_the_clients_fault_and_its_refusal_leaves_the_first_alive() {
    let other = r#"> {"type":"start","id":"a","payload":{"data":"{other}"}}"#;
    assert_eq!(graphql(&["> start a", "< start_ack a", other, "< error a", "< data a"]), "GQL-SUB-003");
}

#[test]
fn granting_a_live_id_again_is_the_servers_fault() {
    assert_eq!(graphql(&["> start a", "< start_ack a", "> start a", "< start_ack a"]), "GQL-ERR-009");
    let lines = ["> subscribe a", "< subscribe_success a", "> subscribe a", "< subscribe_success a"];
    assert_eq!(events(&lines), "EVT-SUB-004");
}

#[test]
fn an_error_or_complete_may_end_a_graphql_subscription_unasked() {
    assert_eq!(graphql(&["> start a", "< start_ack a", "< error a"]), "");
    assert_eq!(graphql(&["> start a", "< start_ack a", "< complete a", "> stop a", "< complete a"]), "");
    assert_eq!(graphql(&["> start a", "< start_ack a", "< error a", "< data a"]), "GQL-SUB-026");
}

#[test]
fn an_error_with_an_empty_id_may_mean_no_id_where_somebody_uses_that_one() {
    let [start, stop] = [r#"> {"type":"start","id":"","payload":{"data":"{}"}}"#, r#"> {"type":"stop","id":""}"#];
    let error = r#"< {"type":"error","id":"","payload":{"errors":[{"message":"m"}]}}"#;

    let client = "GQL-SUB-023";
    assert_eq!(graphql(&[stop, "> start a", error, error, "< start_ack a"]), client, "and nothing of the server");
    let grant = r#"< {"type":"start_ack","id":""}"#;
    assert_eq!(graphql(&[start, error, grant]), "");
    assert_eq!(graphql(&[start, grant, start, error, grant]), "", "the first may have ended");
    assert_eq!(graphql(&["> start a", "< start_ack a", "> stop a", "< complete a", "< error b"]), "GQL-ERR-002");
}

#[test]
fn an_end_nobody_asked_for_is_reported() {
    assert_eq!(events(&["> subscribe a", "< subscribe_success a", "< unsubscribe_success a"]), "EVT-SUB-016");
    let lines = ["> start a", "< start_ack a", "> stop a", "< complete a", "< complete a", "< complete a"];
    assert_eq!(graphql(&lines), "GQL-SUB-024", "the first may have crossed the stop, the second answered it");
}

#[test]
fn an_error_that_may_mean_several_things_is_taken_for_none_of_them() {
    let doubtful = ["> start a", "< start_ack a", "> start a", "< error a"];
    let (conversation, _) = play(Graphql, &[&OPEN[..], &doubtful].concat());
    let a = conversation.subscription("a").unwrap();
    assert!(a.is_live() && a.awaits_answer() && a.is_wanted() && !a.is_taken(), "{a:?}");

    assert_eq!(graphql(&[&doubtful[..], &["< data a", "< start_ack a"]].concat()), "");
    assert_eq!(graphql(&[&doubtful[..], &["< start_ack a", "< start_ack a"]].concat()), "GQL-SUB-006", "one start");
    assert_eq!(graphql(&[&doubtful[..], &["< complete a", "< data a"]].concat()), "GQL-SUB-026");
    let lines = ["> subscribe a", "> publish a", "< error a", "< subscribe_success a", "< publish_success a"];
    assert_eq!(events(&lines), "");
}

#[test]
fn a_standing_concerns_what_was_asked_for_last() {
    let standing = |lines: &[&str]| {
        let (conversation, _) = play(Graphql, &[&OPEN, lines].concat());
        conversation.subscription("a").unwrap().standing()
    };
    let lines = ["> start a", "< start_ack a", "> stop a", "< complete a", "> start a", "< start_ack a"];
    assert_eq!(standing(&lines[..3]), Standing::Leaving);
    assert_eq!(standing(&lines[..4]), Standing::Over);
    assert_eq!(standing(&lines[..5]), Standing::Asked);
    assert_eq!(standing(&lines), Standing::Live);
    assert_eq!(standing(&["< start_ack a"]), Standing::Live, "nobody has asked to end it");
}

#[test]
fn each_end_that_a_client_may_have_heard_frees_its_id_once() {
    let other = r#"> {"type":"start","id":"a","payload":{"data":"{other}"}}"#;
    assert_eq!(graphql(&["> start a", "< error a", other, "> start a"]), "GQL-SUB-003");
    assert_eq!(graphql(&["> start a", "< start_ack a", "< complete a", other, "> start a"]), "GQL-SUB-003");
    assert_eq!(graphql(&["> start a", "> stop a", other]), "", "let go by its own word");
}

#[test]
fn a_second_stop_is_fine_only_for_a_grant_that_came_after_the_first() {
    assert_eq!(graphql(&["> start a", "< start_ack a", "> stop a", "> stop a"]), "GQL-SUB-023");
    assert_eq!(graphql(&["> start a", "< start_ack a", "> stop a", "< complete a", "> stop a"]), "GQL-SUB-023");
    assert_eq!(graphql(&["> start a", "> stop a", "< complete a", "< start_ack a", "> stop a"]), "");
    assert_eq!(graphql(&["> start a", "> stop a", "< start_ack a", "> stop a"]), "");
    let twice = ["> start a", "< start_ack a", "< start_ack a", "> stop a", "> stop a"];
    assert_eq!(graphql(&twice), "GQL-SUB-006", "the second grant is another one to stop");
}

#[test]
fn a_stop_for_an_unknown_id_is_reported_once_and_any_answer_to_it_is_fine() {
    assert_eq!(graphql(&["> stop x", "< complete x"]), "GQL-SUB-023");
    assert_eq!(graphql(&["> stop x", "< error x"]), "GQL-SUB-023");
}

#[test]
fn a_refusal_of_what_was_never_asked_is_reported() {
    assert_eq!(graphql(&["< error x"]), "GQL-ERR-002");
    assert_eq!(events(&["< subscribe_error x"]), "EVT-ERR-005");
    assert_eq!(events(&["> subscribe a", "< publish_error a"]), "EVT-ERR-005", "the wrong operation");
    assert_eq!(graphql(&["< error"]), "", "an error without id concerns the connection");
}

#[test]
fn a_refusal_answers_one_operation_that_waits() {
    let found = |lines: &[&str]| events(&[&["> subscribe a", "< subscribe_success a"], lines].concat());

    assert_eq!(found(&["< subscribe_error a"]), "EVT-ERR-005");
    assert_eq!(found(&["< unsubscribe_error a"]), "EVT-ERR-005");
    assert_eq!(found(&["> subscribe b", "< subscribe_error b", "< subscribe_success b"]), "EVT-SUB-007");
    assert_eq!(found(&["> unsubscribe a", "< unsubscribe_error a"]), "");
    assert_eq!(found(&["> unsubscribe a", "< unsubscribe_error a", "< unsubscribe_success a"]), "EVT-SUB-016");
    assert_eq!(found(&["> publish p", "> publish p", "< publish_error p", "< publish_success p"]), "");
    assert_eq!(found(&["> publish p", "< publish_error p", "< publish_success p"]), "EVT-PUB-007");
}

#[test]
fn what_a_client_says_without_meaning_may_be_refused_once() {
    for (said, rule) in [
        ("> (binary)", "GQL-FRAME-002"),
        ("> [1]", "GQL-FRAME-001"),
        (r#"> {"type":"nope","id":"7"}"#, "GQL-FRAME-012"),
        ("> complete 7", "GQL-FRAME-012"),
    ] {
        assert_eq!(graphql(&[said, "< error 7"]), rule, "{said}");
        assert_eq!(graphql(&[said, "< error 7", "< error 7"]), format!("{rule} GQL-ERR-002"), "{said}");
    }
    for (said, rule) in [("< (binary)", "GQL-FRAME-002"), ("< [1]", "GQL-FRAME-001"), ("< stop 7", "GQL-FRAME-001")] {
        assert_eq!(graphql(&[said, "< error 7"]), format!("{rule} GQL-ERR-002"), "{said}");
    }
}

#[test]
fn a_failed_broadcast_names_a_subscription() {
    assert_eq!(events(&["< broadcast_error x"]), "EVT-DATA-012");
    assert_eq!(events(&["> subscribe a", "< broadcast_error a"]), "");
}

#[test]
fn a_generation_is_a_life_between_a_grant_and_an_end() {
    let lives =
        |lines: &[&str]| play(Graphql, &[&OPEN, lines].concat()).0.subscription("a").map(Subscription::generation);
    let lines = ["> start a", "< start_ack a", "> stop a", "< complete a", "> start a", "< start_ack a"];

    assert_eq!([0, 1, 2, 4, 6].map(|n| lives(&lines[..n])), [None, Some(0), Some(1), Some(1), Some(2)]);
}

#[test]
fn an_error_with_an_id_may_answer_an_unknown_message() {
    assert_eq!(graphql(&[r#"> {"type":"nope","id":"7"}"#, "< error 7"]), "GQL-FRAME-012", "the client's only");
    assert_eq!(events(&[r#"> {"type":"nope","id":"7"}"#, "< error 7"]), "");
}

#[test]
fn an_error_with_an_empty_id_has_none() {
    let empty = r#"< {"type":"error","id":"","payload":{"errors":[{"message":"m"}]}}"#;

    assert_eq!(graphql(&[empty]), "");
}

#[test]
fn an_ack_answers_one_init() {
    assert_eq!(rules(Graphql, &["< connection_ack"]), "GQL-INIT-013");
    assert_eq!(events(&["< connection_ack"]), "EVT-INIT-005");
    assert_eq!(graphql(&["> connection_init", "< connection_ack"]), "");
}

#[test]
fn the_ack_names_its_timeout_and_nothing_else() {
    let ack = |text| rules(Graphql, &["> connection_init", text]);

    assert_eq!(ack(r#"< {"type":"connection_ack","payload":{"connectionTimeout":300000}}"#), "GQL-INIT-003");
    assert_eq!(ack(r#"< {"type":"connection_ack","payload":{"connectionTimeoutMs":"300000"}}"#), "GQL-INIT-003");
    assert_eq!(ack(r#"< {"type":"connection_ack","id":"1","payload":{"connectionTimeoutMs":1}}"#), "GQL-INIT-012");
    let ack = |text| rules(Events, &["> connection_init", text]);
    assert_eq!(ack(r#"< {"type":"connection_ack","payload":{"connectionTimeoutMs":1}}"#), "EVT-INIT-002 EVT-INIT-003");
}

#[test]
fn an_ack_after_connection_error_is_reported() {
    assert_eq!(rules(Graphql, &["> connection_init", "< connection_error", "< connection_ack"]), "GQL-AUTH-016");
}

#[test]
fn an_ack_after_connection_error_is_reported_once_with_or_without_an_init() {
    let lines = ["< connection_error", "< connection_ack", "> connection_init", "< connection_ack"];
    assert_eq!(rules(Graphql, &lines), "GQL-AUTH-016");
    assert_eq!(rules(Events, &lines), "EVT-AUTH-027");
}

#[test]
fn subscribing_before_the_ack_is_the_clients_fault() {
    assert_eq!(rules(Graphql, &["> connection_init", "> start a", "< connection_ack"]), "GQL-INIT-006");
    assert_eq!(rules(Events, &["> subscribe a", "< subscribe_success a"]), "", "init is optional");
}

#[test]
fn silence_beyond_the_limit_is_reported_once_a_period() {
    let (mut conversation, _) = play(Graphql, &OPEN);
    let limit = conversation.deadline().unwrap();

    assert_eq!((limit.at, limit.why), (Moment::from_millis(300_001), Timer::Silence));
    assert!(conversation.elapse(Moment::from_millis(300_000)).is_empty());
    assert_eq!(conversation.elapse(limit.at)[0].requirement, Requirement::GqlKa001);
    assert!(conversation.elapse(limit.at).is_empty());
    assert!(conversation.deadline().unwrap().at > limit.at);
}

#[test]
fn a_keep_alive_moves_the_deadline_and_other_messages_do_not() {
    let (fresh, _) = play(Events, &OPEN);
    let (kept, _) = play(Events, &[&OPEN[..], &["< ka"]].concat());
    let (busy, _) = play(Events, &[&OPEN[..], &["> subscribe a", "< subscribe_success a"]].concat());

    assert!(kept.deadline() > fresh.deadline());
    assert_eq!(busy.deadline(), fresh.deadline());
}

#[test]
fn the_form_of_each_message_is_looked_at() {
    for (line, rule) in [
        (r#"< {"type":"ka","id":"1"}"#, "GQL-KA-009"),
        (r#"< {"type":"error","id":"a","payload":{}}"#, "GQL-ERR-001"),
        (r#"< {"type":"start_ack","id":"a","payload":{}}"#, "GQL-SUB-008"),
        (r#"< {"type":"data","id":"a","payload":{"data":"text"}}"#, "GQL-SUB-013 GQL-SUB-009"),
        (r#"< {"type":"data","id":"a","payload":{"data":null}}"#, "GQL-SUB-013 GQL-SUB-009"),
        (r#"< {"type":"start_ack"}"#, "GQL-SUB-006"),
        ("< [1]", "GQL-FRAME-001"),
        ("< (binary)", "GQL-FRAME-002"),
        (r#"< {"type":"start","id":"a","payload":{}}"#, "GQL-FRAME-001"),
    ] {
        assert_eq!(graphql(&["> start a", line]), rule, "{line}");
    }
}

#[test]
fn the_form_of_each_events_message_is_looked_at() {
    for (line, rule) in [
        (r#"< {"type":"data","id":"a","event":5}"#, "EVT-DATA-002"),
        (r#"< {"type":"data","id":"a","event":["1","2"]}"#, "EVT-DATA-002"),
        (r#"< {"type":"publish_success","id":"p","successful":[]}"#, "EVT-PUB-007"),
        (r#"< {"type":"publish_success","id":"p","successful":[{"index":0}],"failed":[]}"#, "EVT-PUB-009"),
        (
            r#"< {"type":"publish_success","id":"p","successful":[{"index":1,"identifier":"i"}],"failed":[]}"#,
            "EVT-PUB-008",
        ),
        (
            r#"< {"type":"publish_success","id":"p","successful":[],"failed":[{"index":0,"identifier":"i"}]}"#,
            "EVT-PUB-010",
        ),
    ] {
        let lines = ["> subscribe a", "< subscribe_success a", "> publish p", line];
        assert_eq!(events(&lines), rule, "{line}");
    }
    assert_eq!(events(&["> subscribe a", "< subscribe_success a", r#"< {"type":"data","id":"a","event":["1"]}"#]), "");
    assert_eq!(events(&["> subscribe a.b", "< subscribe_error a.b"]), "EVT-SUB-002");
}

#[test]
fn a_list_of_errors_has_an_entry_and_each_entry_tells_something() {
    for errors in ["[]", "[{}]", r#"[{"message":"m"},{}]"#, "5"] {
        let rejected = format!(r#"< {{"type":"connection_error","payload":{{"errors":{errors}}}}}"#);
        let refused = format!(r#"< {{"type":"error","id":"a","payload":{{"errors":{errors}}}}}"#);

        assert_eq!(rules(Graphql, &["> connection_init", &rejected]), "GQL-ERR-023", "{errors}");
        assert_eq!(graphql(&["> start a", &refused]), "GQL-ERR-001", "{errors}");
    }
    assert_eq!(rules(Graphql, &["> connection_init", r#"< {"type":"connection_error"}"#]), "GQL-ERR-023");
}

#[test]
fn data_has_an_object_or_errors() {
    let found = |payload: &str| {
        let line = format!(r#"< {{"type":"data","id":"a","payload":{payload}}}"#);
        let findings = play(Graphql, &[&OPEN[..], &["> start a", "< start_ack a", &line]].concat()).1;
        findings.iter().map(|f| format!("{} {}", f.requirement.id(), f.detail)).collect::<String>()
    };

    assert_eq!(found(r#"{"data":{"f":1}}"#), "");
    assert_eq!(found(r#"{"data":null,"errors":[]}"#), "");
    assert_eq!(found(r#"{"errors":[]}"#), "");
    assert_eq!(found(r#"{"data":null}"#), "GQL-SUB-013 sent data whose payload.data is null without errors");
    assert_eq!(found(r#"{"data":5,"errors":[]}"#), "GQL-SUB-013 sent data whose payload.data is no object");
    assert_eq!(found("{}"), "GQL-SUB-012 sent data without payload.data");
}

#[test]
fn a_publish_has_one_to_five_strings() {
    let found =
        |list: &str| events(&[&format!(r#"> {{"type":"publish","id":"p","channel":"/default/a","events":{list}}}"#)]);

    assert_eq!(found(r#"["1","2","3","4","5"]"#), "");
    for wrong in ["[]", "[1]", r#"["1",2]"#, r#"["1","2","3","4","5","6"]"#] {
        assert_eq!(found(wrong), "EVT-PUB-002", "{wrong}");
    }
}

#[test]
fn an_answer_to_a_publish_has_two_lists_and_a_code_for_each_failure() {
    let found = |lists: &str| events(&["> publish p", &format!(r#"< {{"type":"publish_success","id":"p",{lists}}}"#)]);
    let failed = |code: &str| found(&format!(r#""successful":[],"failed":[{{"index":0,"identifier":"i"{code}}}]"#));

    assert_eq!(found(r#""successful":[],"failed":{}"#), "EVT-PUB-007");
    assert_eq!(found(r#""successful":{},"failed":[]"#), "EVT-PUB-007");
    assert_eq!(found(r#""successful":[{"identifier":"i"}],"failed":[]"#), "EVT-PUB-009");
    assert_eq!(failed(r#","code":null"#), "EVT-PUB-010");
    assert_eq!(failed(r#","code":"C""#), "");
    assert_eq!(failed(r#","errorCode":5"#), "");
}

#[test]
fn a_broken_message_of_the_other_side_is_first_of_all_a_message_of_the_other_side() {
    assert_eq!(graphql(&[r#"< {"type":"start"}"#, r#"> {"type":"complete"}"#]), "GQL-FRAME-001 GQL-FRAME-012");
    assert_eq!(events(&[r#"< {"type":"publish"}"#]), "EVT-FRAME-001");
    assert_eq!(events(&[r#"> {"type":"data"}"#, "< error 7"]), "", "any word that a server does not know is the same");
}

#[test]
fn a_channel_is_the_same_however_its_characters_are_escaped() {
    let again = r#"> {"type":"subscribe","id":"a","channel":"\/default\u002fa"}"#;
    assert_eq!(events(&["> subscribe a", again]), "");
    let other = r#"> {"type":"subscribe","id":"a","channel":"/default/b"}"#;
    assert_eq!(events(&["> subscribe a", other]), "EVT-SUB-003");
}

#[test]
fn an_answer_to_a_publish_that_waits_for_none_is_reported() {
    assert_eq!(events(&["> publish p", "< publish_success p", "< publish_success p"]), "EVT-PUB-007");
    assert_eq!(events(&["> publish p", "> publish p", "< publish_success p", "< publish_error p"]), "");
}

#[test]
fn unknown_words_of_a_server_are_no_finding() {
    assert_eq!(graphql(&[r#"< {"type":"future","id":"x"}"#]), "");
    assert_eq!(events(&[r#"< {"type":"future"}"#, "< (ping)"]), "");
}

#[test]
fn closing_takes_both_sides_or_the_end_of_the_transport() {
    assert_eq!(play(Graphql, &["> (close)"]).0.phase(), Phase::Closing { by: Side::Client });
    assert_eq!(play(Graphql, &["> (close)", "> (close)"]).0.phase(), Phase::Closing { by: Side::Client });
    assert_eq!(play(Graphql, &["> (close)", "< (close)"]).0.phase(), Phase::Closed);
    assert_eq!(play(Graphql, &["< (lost)"]).0.phase(), Phase::Closed);
}

#[test]
fn time_never_goes_back() {
    let (mut conversation, _) = play(Graphql, &OPEN);
    conversation.elapse(Moment::from_millis(500));

    let seen = conversation.observe(Moment::from_millis(3), Side::Server, Frame::text(r#"{"type":"ka","id":"1"}"#));

    assert_eq!(seen.findings[0].at, Moment::from_millis(500));
}

#[test]
fn the_memory_of_ended_ids_is_bounded() {
    let mut conversation = play(Events, &OPEN).0;
    for n in 0..IDS_REMEMBERED_MAX + 100 {
        for (side, line) in [(Side::Client, format!("subscribe s{n}")), (Side::Server, format!("subscribe_error s{n}"))]
        {
            conversation.observe(Moment::START, side, Frame::text(&full_text(Events, &line)));
        }
    }

    assert_eq!(conversation.subscriptions().count(), IDS_REMEMBERED_MAX);
}

#[test]
fn the_memory_of_ids_that_were_only_stopped_is_bounded() {
    let mut conversation = play(Events, &OPEN).0;
    for n in 0..IDS_REMEMBERED_MAX + 100 {
        let text = full_text(Events, &format!("unsubscribe s{n}"));
        conversation.observe(Moment::START, Side::Client, Frame::text(&text));
    }

    assert_eq!(conversation.subscriptions().count(), IDS_REMEMBERED_MAX + 1);
}

#[test]
fn of_a_forgotten_id_nobody_is_blamed_for_what_may_have_been_on_its_way() {
    let lines = ["> start 0", "< start_ack 0", "< complete 0"];
    let mut conversation = play(Graphql, &[&OPEN[..], &lines].concat()).0;
    let mut say = |side, line: &str| {
        let text = full_text(Graphql, line);
        let findings = conversation.observe(Moment::START, side, Frame::text(&text)).findings;
        assert_eq!(findings, [], "{line}");
    };
    for n in 0..IDS_REMEMBERED_MAX + 1 {
        say(Side::Client, &format!("start s{n}"));
        say(Side::Server, &format!("error s{n}"));
    }

    say(Side::Client, "stop 0");
    say(Side::Server, "error 0");
    say(Side::Server, "complete 1");
    say(Side::Server, "error 2");
    assert!(conversation.forgotten);
}

#[test]
fn admits_asks_without_doing() {
    let (conversation, _) = play(Graphql, &[&OPEN[..], &["> start a"]].concat());
    let id = || "a".into();

    assert_eq!(conversation.admits(Side::Client, &Message::KeepAlive), Err(UsageError::NotThisSide));
    assert_eq!(
        conversation.admits(Side::Server, &Message::Data { id: id(), body: body() }),
        Err(UsageError::UnknownId)
    );
    assert_eq!(conversation.admits(Side::Server, &Message::Granted { id: id() }), Ok(()));
    let again = Message::Subscribe { id: id(), request: body(), authorization: None };
    assert_eq!(conversation.admits(Side::Client, &again), Err(UsageError::IdInUse));
    assert_eq!(conversation.admits(Side::Client, &Message::Unsubscribe { id: "x".into() }), Err(UsageError::UnknownId));
    let publish = Message::Publish { id: id(), channel: body(), events: body(), authorization: None };
    assert_eq!(conversation.admits(Side::Client, &publish), Err(UsageError::NotInDialect));
}

#[test]
fn a_side_is_admitted_only_in_the_phases_in_which_it_may_speak() {
    let ready = |dialect, lines: &[&str], from, message: &Message<'_>| {
        play(dialect, lines).0.admits(from, message) != Err(UsageError::NotOpen)
    };
    let subscribe = Message::Subscribe { id: "a".into(), request: body(), authorization: None };
    let refused = ["> connection_init", "< connection_error"];

    assert!(ready(Graphql, &[], Side::Client, &Message::Init));
    assert!(!ready(Graphql, &[], Side::Client, &subscribe));
    assert!(ready(Graphql, &[], Side::Server, &Message::KeepAlive));
    assert!(ready(Events, &[], Side::Client, &subscribe));
    assert!(!ready(Graphql, &OPEN[..1], Side::Client, &subscribe));
    assert!(ready(Graphql, &OPEN[..1], Side::Server, &Message::KeepAlive));
    assert!(ready(Graphql, &OPEN, Side::Client, &subscribe));
    assert!(ready(Graphql, &OPEN, Side::Server, &Message::KeepAlive));
    for over in [&refused[..], &["> (close)"], &["< (lost)"]] {
        assert!(!ready(Graphql, over, Side::Client, &subscribe), "{over:?}");
        assert!(!ready(Graphql, over, Side::Server, &Message::KeepAlive), "{over:?}");
    }
}

#[test]
fn a_message_is_admitted_where_its_id_stands_as_it_has_to() {
    let admitted = |lines: &[&str], from, message: &Message<'_>| {
        play(Graphql, &[&OPEN, lines].concat()).0.admits(from, message).is_ok()
    };
    let start = Message::Subscribe { id: "a".into(), request: body(), authorization: None };
    let granted = Message::Granted { id: "a".into() };
    let data = Message::Data { id: "a".into(), body: body() };
    let stop = Message::Unsubscribe { id: "a".into() };
    let live = ["> start a", "< start_ack a"];

    assert!(admitted(&[], Side::Client, &start));
    assert!(!admitted(&live, Side::Client, &start));
    assert!(!admitted(&[], Side::Server, &granted));
    assert!(admitted(&live[..1], Side::Server, &granted));
    assert!(!admitted(&live, Side::Server, &granted));
    assert!(admitted(&live, Side::Server, &data));
    assert!(admitted(&live, Side::Client, &stop));
    assert!(!admitted(&[&live[..], &["> stop a"]].concat(), Side::Client, &stop));
}

#[test]
fn a_printed_conversation_tells_its_phase_and_its_subscriptions() {
    let printed = format!("{:?}", play(Graphql, &[&OPEN[..], &["> start a"]].concat()).0);

    assert!(printed.contains("phase: Open") && printed.contains(r#""a": Subscription"#), "{printed}");
}

fn body() -> crate::envelope::Raw<'static> {
    crate::envelope::Raw::read("{}").unwrap()
}

#[test]
fn a_finding_says_who_what_when_and_against_which_rule() {
    let finding = play(Graphql, &["> start a", "< data a"]).1.remove(0);

    assert_eq!(
        finding.to_string(),
        r#"server sent data for "a" before it had granted that subscription at 0.001s (GQL-SUB-009, SHOULD)"#
    );
}

#[test]
fn a_refusal_of_what_nobody_could_read_is_not_blamed() {
    let unreadable = r#"> {"type":"publish","id":"p","channel":"/default/a","events":{}}"#;
    let found = |lines: &[&str]| rules(Events, &[&OPEN, lines].concat());

    assert_eq!(found(&[unreadable, "< publish_error p"]), "EVT-PUB-001");
    assert_eq!(found(&[unreadable, "< publish_error p", "< publish_error p"]), "EVT-PUB-001 EVT-ERR-005");
    assert_eq!(found(&["< publish_error p"]), "EVT-ERR-005");
    assert_eq!(found(&[unreadable, "< subscribe_error a"]), "EVT-PUB-001");
    assert_eq!(found(&[unreadable, "< unsubscribe_error a"]), "EVT-PUB-001");
}

#[test]
fn a_binary_message_costs_one_finding_and_its_answer_none() {
    let mut conversation = play(Graphql, &OPEN).0;
    let start = full_text(Graphql, "start a");
    let answer = full_text(Graphql, "start_ack a");

    let asked = conversation.observe(Moment::START, Side::Client, Frame::Binary(start.as_bytes())).findings;
    let answered = conversation.observe(Moment::START, Side::Server, Frame::text(&answer)).findings;

    assert_eq!((asked.len(), asked[0].requirement), (1, Requirement::GqlFrame002));
    assert_eq!(answered, []);
}

#[test]
fn a_mark_is_the_one_that_is_published_as_fnv_1a() {
    assert_eq!(subscription::mark(""), 0xcbf2_9ce4_8422_2325);
    assert_eq!(subscription::mark("a"), 0xaf63_dc4c_8601_ec8c);
    assert_eq!(subscription::mark("foobar"), 0x8594_4171_f739_67e8);
}
