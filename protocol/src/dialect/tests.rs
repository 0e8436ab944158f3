use alloc::string::{String, ToString};

use super::*;
use crate::message::Operation;

/// One legal message of every word, written as [`encode`] writes it.
const GRAPHQL: &[&str] = &[
    r#"{"type":"connection_init"}"#,
    r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}"#,
    r#"{"type":"connection_error","payload":{"errors":[{"errorType":"UnauthorizedException"}]}}"#,
    r#"{"type":"ka"}"#,
    r#"{"type":"start","id":"s1","payload":{"data":"{}","extensions":{"authorization":{"x-api-key":"k"}}}}"#,
    r#"{"type":"start_ack","id":"s1"}"#,
    r#"{"type":"data","id":"s1","payload":{"data":{"onNote":{"id":"n1"}}}}"#,
    r#"{"type":"stop","id":"s1"}"#,
    r#"{"type":"complete","id":"s1"}"#,
    r#"{"type":"error","id":"s1","payload":{"errors":[{"message":"no"}]}}"#,
    r#"{"type":"error","payload":{"errors":[]}}"#,
    r#"{"type":"future","id":"x"}"#,
];

const EVENTS: &[&str] = &[
    r#"{"type":"connection_init"}"#,
    r#"{"type":"connection_ack","connectionTimeoutMs":300000}"#,
    r#"{"type":"connection_error","errors":[{"errorType":"UnauthorizedException"}]}"#,
    r#"{"type":"ka"}"#,
    r#"{"type":"subscribe","id":"s1","channel":"/default/a","authorization":{"x-api-key":"k"}}"#,
    r#"{"type":"subscribe_success","id":"s1"}"#,
    r#"{"type":"subscribe_error","id":"s1","errors":[{"errorType":"X"}]}"#,
    r#"{"type":"data","id":"s1","event":"{\"a\":1}"}"#,
    r#"{"type":"broadcast_error","id":"s1","errors":[{"errorType":"X"}]}"#,
    r#"{"type":"unsubscribe","id":"s1"}"#,
    r#"{"type":"unsubscribe_success","id":"s1"}"#,
    r#"{"type":"unsubscribe_error","id":"s1","errors":[{"errorType":"X"}]}"#,
    r#"{"type":"publish","id":"p1","channel":"/default/a","events":["1"],"authorization":{"x-api-key":"k"}}"#,
    r#"{"type":"publish_success","id":"p1","successful":[{"identifier":"i","index":0}],"failed":[]}"#,
    r#"{"type":"publish_error","id":"p1","errors":[{"errorType":"X"}]}"#,
    r#"{"type":"error","errors":[{"errorType":"UnsupportedOperation"}]}"#,
];

fn again(dialect: Dialect, text: &str) -> String {
    let mut out = String::new();
    encode(dialect, &decode(dialect, text).unwrap().message, &mut out);
    out
}

#[test]
fn every_word_of_both_catalogues_is_read_and_written_back() {
    for (dialect, texts) in [(Dialect::Graphql, GRAPHQL), (Dialect::Events, EVENTS)] {
        for text in texts {
            assert_eq!(&again(dialect, text), text);
        }
    }
}

#[test]
fn the_timeout_stands_in_another_place_in_each_dialect() {
    let silence = |dialect, text| match decode(dialect, text).unwrap().message {
        Message::Ack { silence } => silence,
        other => panic!("{other:?}"),
    };

    assert_eq!(silence(Dialect::Graphql, GRAPHQL[1]), SilenceLimit::Millis(300_000));
    assert_eq!(silence(Dialect::Events, EVENTS[1]), SilenceLimit::Millis(300_000));
    assert_eq!(silence(Dialect::Graphql, EVENTS[1]), SilenceLimit::Missing);
    assert_eq!(silence(Dialect::Events, GRAPHQL[1]), SilenceLimit::Missing);
}

#[test]
fn a_timeout_that_is_no_positive_whole_number_is_malformed() {
    for value in ["0", "-1", "1.5", "\"300000\"", "null", "true", "1e-3", "1e300"] {
        let text = alloc::format!(r#"{{"type":"connection_ack","connectionTimeoutMs":{value}}}"#);
        let message = decode(Dialect::Events, &text).unwrap().message;
        assert!(matches!(message, Message::Ack { silence: SilenceLimit::Malformed }), "{value}");
    }
}

#[test]
fn a_whole_number_is_its_value_however_it_is_written() {
    for value in ["300000", "3e5", "3E+5", "300000.0", "30.0e4"] {
        let text = alloc::format!(r#"{{"type":"connection_ack","connectionTimeoutMs":{value}}}"#);
        let message = decode(Dialect::Events, &text).unwrap().message;
        assert!(matches!(message, Message::Ack { silence: SilenceLimit::Millis(300_000) }), "{value}");
    }
}

#[test]
fn a_message_without_a_needed_member_names_it() {
    let fault = |text| decode(Dialect::Graphql, text).unwrap_err().to_string();

    assert_eq!(fault(r#"{"type":"data","payload":{}}"#), r#"data lacks "id""#);
    assert_eq!(
        fault(r#"{"type":"start_ack","id":5}"#),
        r#"expected a string in "id" of start_ack; got another JSON type"#
    );
    assert_eq!(fault("{}"), r#"expected a member "type"; there is none"#);
    assert_eq!(fault(r#"{"type":5}"#), r#"expected a string in "type"; got another JSON type"#);
}

#[test]
fn an_error_may_lack_its_id_or_have_a_null_one() {
    for text in [r#"{"type":"error","errors":[]}"#, r#"{"type":"error","id":null,"errors":[]}"#] {
        let message = decode(Dialect::Events, text).unwrap().message;
        assert!(matches!(message, Message::Refused { id: None, operation: None, .. }), "{text}");
    }
}

#[test]
fn the_word_of_an_events_refusal_names_the_operation() {
    let operation = |text| match decode(Dialect::Events, text).unwrap().message {
        Message::Refused { operation, .. } => operation,
        other => panic!("{other:?}"),
    };

    assert_eq!(operation(EVENTS[6]), Some(Operation::Subscribe));
    assert_eq!(operation(EVENTS[11]), Some(Operation::Unsubscribe));
    assert_eq!(operation(EVENTS[14]), Some(Operation::Publish));
    assert_eq!(operation(EVENTS[15]), None);
}

#[test]
fn a_word_of_the_other_dialect_is_unknown() {
    assert!(matches!(
        decode(Dialect::Events, r#"{"type":"start","id":"a","payload":{}}"#).unwrap().message,
        Message::Unknown { .. }
    ));
    assert!(matches!(
        decode(Dialect::Graphql, r#"{"type":"subscribe","id":"a"}"#).unwrap().message,
        Message::Unknown { .. }
    ));
}
