use alloc::string::ToString;

use proptest::prelude::*;

use super::*;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..16)
}

fn frames() -> impl Strategy<Value = OwnedFrame> {
    prop_oneof![
        (".{0,16}", 1u32..4).prop_map(|(text, fragments)| OwnedFrame::Text { text, fragments }),
        bytes().prop_map(OwnedFrame::Binary),
        bytes().prop_map(OwnedFrame::Ping),
        bytes().prop_map(OwnedFrame::Pong),
        (any::<Option<u16>>(), ".{0,16}").prop_map(|(code, reason)| OwnedFrame::Close { code, reason }),
        Just(OwnedFrame::Lost),
    ]
}

fn headers() -> impl Strategy<Value = Headers> {
    prop::collection::vec((".{0,8}", ".{0,8}"), 0..3)
        .prop_map(|all| all.into_iter().fold(Headers::new(), |headers, (name, value)| headers.with(name, value)))
}

fn http() -> impl Strategy<Value = What> {
    let request = (any::<(String, String, Vec<u8>)>(), headers())
        .prop_map(|((method, target, body), headers)| Request { method, target, headers, body: Bytes(body) });
    let response = (any::<(u16, Vec<u8>)>(), headers()).prop_map(|((status, body), headers)| Response {
        status,
        headers,
        body: Bytes(body),
    });
    (request, response).prop_map(|(request, response)| What::Http { request, response })
}

fn whats() -> impl Strategy<Value = What> {
    prop_oneof![
        (".{0,8}", prop::collection::vec(".{0,8}", 0..3), any::<u16>(), prop::option::of(".{0,8}")).prop_map(
            |(target, subprotocols, status, selected)| { What::Open { target, subprotocols, status, selected } }
        ),
        (any::<bool>(), frames())
            .prop_map(|(ours, frame)| { What::Frame { from: if ours { Side::Client } else { Side::Server }, frame } }),
        http(),
        ".{0,16}".prop_map(What::Note),
    ]
}

proptest! {
    #[test]
    fn what_was_written_reads_back_equal(entries in prop::collection::vec((any::<u64>(), any::<u32>(), whats()), 0..8)) {
        let mut transcript = Transcript::new();
        for (at, connection, what) in entries {
            transcript.push(Entry { at: Moment::from_micros(at), connection, what });
        }

        let lines = transcript.to_json_lines();

        prop_assert_eq!(lines.lines().count(), transcript.entries().len());
        prop_assert_eq!(read(&lines), Ok(transcript));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(\\{\"(at|from|open|close|http)\":.{0,12}\\}?\n?){0,3}|.{0,40}") {
        let _ = read(&text);
    }
}

#[test]
fn each_entry_is_one_line_with_members_in_a_fixed_order() {
    let mut transcript = Transcript::new();
    let at = Moment::from_millis(22);
    let frame = OwnedFrame::text(r#"{"type":"ka"}"#);
    transcript.push(Entry { at, connection: 1, what: What::Frame { from: Side::Server, frame } });
    transcript.push(Entry { at, connection: 2, what: What::Note("a\nb".into()) });
    transcript.dropped = 3;

    assert_eq!(
        transcript.to_json_lines(),
        "{\"at\":22000,\"connection\":1,\"from\":\"server\",\"text\":\"{\\\"type\\\":\\\"ka\\\"}\"}\n\
         {\"at\":22000,\"connection\":2,\"note\":\"a\\nb\"}\n{\"dropped\":3}\n"
    );
}

#[test]
fn a_recording_that_runs_backwards_is_reported_at_its_line() {
    let text = "{\"at\":2,\"connection\":1,\"note\":\"\"}\n\n{\"at\":1,\"connection\":1,\"note\":\"\"}\n";

    let error = read(text).unwrap_err();

    assert_eq!(error, TranscriptError { line: 3, what: TranscriptFault::TimeRunsBackwards });
    assert_eq!(error.to_string(), "line 3 of the recording runs backwards in time");
}

#[test]
fn what_is_no_entry_says_why() {
    use TranscriptFault::{Malformed, Missing, NoKind, NotAnObject};
    for (line, what) in [
        ("x", NotAnObject),
        ("[]", NotAnObject),
        (r#"{"connection":1,"note":""}"#, Missing { member: "at" }),
        (r#"{"at":-1,"connection":1,"note":""}"#, Malformed { member: "at" }),
        (r#"{"at":1,"connection":4294967296,"note":""}"#, Malformed { member: "connection" }),
        (r#"{"at":1,"connection":1}"#, NoKind),
        (r#"{"at":1,"connection":1,"from":"nobody","lost":true}"#, Malformed { member: "from" }),
        (r#"{"at":1,"connection":1,"from":"client"}"#, NoKind),
        (r#"{"at":1,"connection":1,"from":"client","ping":"?"}"#, Malformed { member: "ping" }),
        (r#"{"at":1,"connection":1,"from":"client","close":{}}"#, Missing { member: "reason" }),
        (r#"{"at":1,"connection":1,"from":"client","lost":false}"#, Malformed { member: "lost" }),
        (r#"{"at":1,"connection":1,"open":[]}"#, Malformed { member: "open" }),
    ] {
        assert_eq!(read(line), Err(TranscriptError { line: 1, what }), "{line}");
    }
}

#[test]
fn members_nobody_knows_are_ignored() {
    let text = r#"{"later":[1],"at":1,"connection":1,"note":"x"}"#;

    assert_eq!(read(text).unwrap().entries()[0].what, What::Note("x".into()));
}
