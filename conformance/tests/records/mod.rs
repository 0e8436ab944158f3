//! A run made by hand, with every verdict and every kind of entry in its traces, and the same with hostile texts.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::moment::Moment;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::transcript::{Entry, Transcript, What, draw};
use appsync_protocol::wire::{Bytes, Headers, OwnedFrame, Request, Response, Side};
use proptest::prelude::*;
use syncspec::player::Observation;
use syncspec::report::figures::Figures;
use syncspec::report::json::Document;
use syncspec::report::{Case, Exit, Run, Target};
use syncspec::verdict::{Breach, Verdict};

/// Texts that somebody might try.
pub(crate) const HOSTILE: [&str; 14] = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\" onmouseover=\"alert(1)",
    "' autofocus onfocus='alert(1)",
    "]]><!-- --><![CDATA[",
    "&lt;b&gt;&#60;i&#62;",
    "::error title=x::y\n::set-output name=a::b\r::stop-commands::z",
    "```\n# head\n[link](javascript:alert(1)) @everyone | a | b |",
    "`` ` ``` `",
    "'; touch /tmp/owned; '$(touch /tmp/owned)`touch /tmp/owned`",
    "\"\"\"\nimport os\n'''\\",
    "\u{1b}[2J\u{9b}31m\u{202e}gnp\u{2028}\u{0}\u{fffe}\u{feff}",
    "%0A%3A:,%25",
    "/../..//x?y=z#f /",
];

/// A run with a case of each verdict.
pub(crate) fn run() -> Run {
    run_of(&[])
}

/// The same, where texts of the peer are these, in turn.
pub(crate) fn run_of(texts: &[String]) -> Run {
    let mut texts = texts.iter().cycle().cloned();
    let mut next = move |plain: &str| texts.next().unwrap_or_else(|| plain.into());
    let failing = failing(&mut next);
    let mut cases = vec![failing];
    for verdict in Verdict::ALL.into_iter().filter(|verdict| *verdict != Verdict::Fail) {
        cases.push(Case {
            reason: if verdict == Verdict::Pass { String::new() } else { next("a reason") },
            evidence: vec![next("#1 connection_ack")],
            ..plain(&format!("graphql/init/{}", verdict.word().replace('/', "-")), verdict)
        });
    }
    let mut monitored = plain("monitor/EVT-KA-001", Verdict::Warn);
    monitored.dialect = Dialect::Events;
    monitored.title = next("a title");
    monitored.breaches = vec![breach(R::EvtKa001, &next("a keep-alive"), &next("none"))];
    cases.push(monitored);
    Run {
        target: Target {
            endpoints: BTreeMap::from([
                (Dialect::Graphql, format!("http://127.0.0.1:20002/graphql{}", next(""))),
                (Dialect::Events, "http://127.0.0.1:20002/event".into()),
            ]),
            realtime: BTreeMap::from([(Dialect::Graphql, "ws://127.0.0.1:20002/graphql/realtime".into())]),
            embedded: false,
            namespaces: vec!["default".into(), next("other")],
            arguments: next(""),
        },
        seed: 0x05ee_d1ab,
        started_unix_s: 1_700_000_000,
        took_ms: 12_345,
        cases,
        observations: vec![Observation { name: next("GQL-A-18"), value: next("connectionTimeout") }],
        connections: 9,
        messages: 41,
        interrupted: false,
        exit: Exit { code: 1, reason: next("1 failure") },
    }
}

/// The records of the run.
pub(crate) fn document() -> Document {
    let mut document = Document::of(&run());
    // Of no version: what is measured changes.
    document.suite.figures = Some(Figures::default());
    document
}

/// Texts that are hostile, by hand and by chance.
pub(crate) fn hostile() -> impl Strategy<Value = Vec<String>> {
    let one = prop_oneof![
        any::<String>(),
        proptest::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        (proptest::sample::select(HOSTILE.to_vec()), any::<String>()).prop_map(|(head, tail)| head.to_owned() + &tail),
    ];
    proptest::collection::vec(one, 1..20)
}

fn failing(next: &mut impl FnMut(&str) -> String) -> Case {
    let mut trace = Transcript::new();
    for (n, what) in whats(next).into_iter().enumerate() {
        let at = Moment::from_millis(n as u64 * 10);
        trace.push(Entry { at, connection: 1 + u32::from(n > 9), what });
    }
    let dialogue = draw(&trace, Some(2));
    Case {
        title: next("The acknowledgement tells the client how long to wait for a ka."),
        reason: next("GQL-INIT-003: expected connection_ack with a number; got a text"),
        requirements: vec![R::GqlInit003, R::GqlInit012],
        breaches: vec![
            breach(R::GqlInit003, &next("connection_ack with a number"), &next("a text")),
            breach(R::GqlInit012, &next("no id"), &next("an id")),
        ],
        evidence: vec![next("#1 101")],
        observations: vec![Observation { name: next("ack"), value: next("22 ms") }],
        dialogue,
        trace,
        mark: Some(2),
        replay: "graphql/init/names-the-timeout".into(),
        ..plain("graphql/init/names-the-timeout", Verdict::Fail)
    }
}

/// An entry of each kind.
fn whats(next: &mut impl FnMut(&str) -> String) -> Vec<What> {
    let frame = |from, frame| What::Frame { from, frame };
    let (client, server) = (Side::Client, Side::Server);
    let open = |path: String, offered: String, selected: String| What::Open {
        target: path,
        subprotocols: vec!["graphql-ws".into(), offered],
        status: 101,
        selected: Some(selected),
    };
    let request = Request {
        method: "POST".into(),
        target: next("/graphql"),
        headers: Headers::new().with("x-api-key", "${key:1}").with("x-other", next("value")),
        body: next(r#"{"query":"{ f }"}"#).into(),
    };
    let mut response = Response::new(200, next("{}").as_str());
    response.headers.push("content-type", next("application/json"));
    vec![
        open("/graphql/realtime?header=${credentials}".into(), next("header-${credentials}"), next("graphql-ws")),
        frame(client, OwnedFrame::text(next(r#"{"type":"connection_init"}"#))),
        frame(server, OwnedFrame::text(next(r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":"1"}}"#))),
        frame(client, OwnedFrame::Text { text: next(r#"{"type":"start"}"#), fragments: 3 }),
        frame(client, OwnedFrame::Binary(next("bytes").into_bytes())),
        frame(client, OwnedFrame::Ping(b"p".to_vec())),
        frame(server, OwnedFrame::Pong(b"p".to_vec())),
        What::Http { request, response },
        What::Http {
            request: Request {
                method: next("GET"),
                target: "/".into(),
                headers: Headers::new(),
                body: Bytes::default(),
            },
            response: Response::new(500, Bytes(vec![0xff, 0xfe])),
        },
        What::Note(next("a note")),
        open(next("/graphql/realtime"), next("x"), next("y")),
        frame(server, OwnedFrame::Close { code: Some(1000), reason: next("bye") }),
        frame(client, OwnedFrame::Close { code: None, reason: String::new() }),
        frame(server, OwnedFrame::Lost),
    ]
}

fn plain(id: &str, verdict: Verdict) -> Case {
    let played = !matches!(verdict, Verdict::NotApplicable | Verdict::Blocked);
    Case {
        id: id.into(),
        title: "A title.".into(),
        dialect: Dialect::Graphql,
        verdict,
        reason: String::new(),
        requirements: vec![R::GqlInit002],
        breaches: Vec::new(),
        evidence: Vec::new(),
        observations: Vec::new(),
        dialogue: String::new(),
        trace: Transcript::new(),
        mark: None,
        took_ms: 30,
        attempts: u32::from(played),
        replay: "graphql/init/acknowledges".into(),
    }
}

fn breach(requirement: R, expected: &str, got: &str) -> Breach {
    let severity = requirement.severity();
    Breach { requirement, severity, expected: vec![expected.into()], got: got.into(), entry: None }
}
