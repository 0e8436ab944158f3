//! Open questions of this dialect, asked of the target; see [`crate::catalogue::probes`].

use appsync_protocol::handshake::Carrier;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Mode;
use appsync_protocol::wire::{OwnedFrame, Request};
use serde_json::json;

use super::publish_steps::{called, general_error, publish_one, receipt};
use super::session_steps::{INIT, QUICK, offering, refusal, refusals, unsubscribe};
use super::steps::{all, any_of, connected, expect, heard, open, say, subscribed, warmed};
use crate::auth::sign::publish_body;
use crate::catalogue::modes::secret;
use crate::scenario::{Answer, Cast, Conn, Greeting, Need, Pattern, Scenario, Shape, Step, Tier, Wait};

macro_rules! reactions {
    ($what:literal) => {
        [
            concat!($what, ": passed over"),
            concat!($what, ": answered by an error"),
            concat!($what, ": ends the connection"),
        ]
    };
}

macro_rules! fates {
    ($what:literal) => {
        [concat!($what, ": granted"), concat!($what, ": refused"), concat!($what, ": passed over")]
    };
}

macro_rules! welcomes {
    ($what:literal) => {
        [concat!($what, ": let in"), concat!($what, ": refused in-band"), concat!($what, ": refused by a status")]
    };
}

/// An operation that is surely answered: the end of a subscription that never was.
fn marker(conn: Conn) -> Step {
    say(conn, unsubscribe("marker"))
}

fn marked() -> Pattern {
    Pattern::with_id("unsubscribe_error", "marker")
}

/// Sends something on a connection of its own, and then an operation that is surely answered.
fn reaction(cast: &Cast, conn: Conn, probe: &'static str, frame: OwnedFrame, told: [&'static str; 3]) -> Vec<Step> {
    let [passed, error, closed] = told;
    let answers = vec![
        marked().reads(probe, passed),
        Pattern::word("error").reads(probe, error),
        Pattern::word("connection_error").reads(probe, error),
        Pattern::closed().reads(probe, closed),
    ];
    all([connected(cast, conn), vec![Step::Send { conn, frame }, marker(conn), any_of(conn, answers, R::EvtErr006)]])
}

/// Sends a subscribe, and then an operation that is surely answered.
fn fate(cast: &Cast, conn: Conn, probe: &'static str, subscribe: String, told: [&'static str; 3]) -> Vec<Step> {
    let [granted, refused, passed] = told;
    let answers = vec![
        marked().reads(probe, passed),
        Pattern::word("subscribe_success").reads(probe, granted),
        Pattern::word("subscribe_error").reads(probe, refused),
        Pattern::word("error").reads(probe, refused),
        Pattern::closed().reads(probe, refused),
    ];
    all([connected(cast, conn), vec![say(conn, subscribe), marker(conn), any_of(conn, answers, R::EvtSub007)]])
}

/// Upgrades and asks for the acknowledgement.
fn welcome(conn: Conn, probe: &'static str, request: Request, told: [&'static str; 3]) -> Vec<Step> {
    let [taken, refused, status] = told;
    let answers = vec![
        Pattern::word("connection_ack").reads(probe, taken),
        Pattern::word("connection_error").reads(probe, refused),
        Pattern::word("error").reads(probe, refused),
        Pattern::closed().reads(probe, refused),
    ];
    let greetings = vec![Greeting::accepted(), Greeting::refused().reads(probe, status).ends()];
    vec![
        Step::Open { conn, request, any_of: greetings, rule: R::EvtHandshake001 },
        say(conn, INIT),
        any_of(conn, answers, R::EvtInit002),
    ]
}

/// A subscribe with the JSON text of another id, or without one.
fn subscribe_with_id(cast: &Cast, id: &str) -> String {
    let subscribe = cast.subscribe("THE-ID", &cast.channel("room"));
    match id {
        "" => subscribe.replacen(r#""id":"THE-ID","#, "", 1),
        text => subscribe.replacen(r#""THE-ID""#, text, 1),
    }
}

fn the_token(cast: &Cast) -> String {
    let request = cast.upgrade(Carrier::Subprotocol, &cast.credentials());
    let offered: Vec<_> =
        request.subprotocols().filter(|name| name.starts_with("header-")).map(str::to_owned).collect();
    offered.into_iter().next().unwrap_or_default()
}

const NAME: &str = "aws-appsync-event-ws";

/// Subscribes to a pattern beside a subscription that hears the same, and publishes once: who hears it first?
fn covers(cast: &Cast, pattern: &str, channel: &str, told: [&'static str; 3]) -> Vec<Step> {
    let [covered, not_covered, refused] = told;
    let nonce = cast.nonce("event");
    let granted = vec![
        Pattern::with_id("subscribe_success", "asked"),
        refusal("asked").reads("EVT-A-11", refused).ends(),
        Pattern::word("error").reads("EVT-A-11", refused).ends(),
    ];
    let event = |id| Pattern::with_id("data", id).has("event", Shape::JsonText(json!(nonce)));
    let heard_by = vec![
        event("asked").reads("EVT-A-11", covered),
        Pattern::with_id("unsubscribe_error", "marker").reads("EVT-A-11", not_covered),
    ];
    let sent = cast.http_publish(channel, &[json!(nonce)]);
    all([
        connected(cast, 1),
        subscribed(cast, 1, "exact", channel),
        vec![
            warmed(cast, 1, "exact", channel),
            say(1, cast.subscribe("asked", pattern)),
            any_of(1, granted, R::EvtChannel012),
            called(sent, vec![Answer::status(200)], R::EvtHttp004),
            heard(1, "exact", &nonce, R::EvtData001),
            Step::Quiet { conn: 1 },
            marker(1),
            any_of(1, heard_by, R::EvtChannel012),
        ],
    ])
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/probe/p-01-unreadable",
        title: "What becomes of text that is no message, and of binary frames, is recorded.",
        covers: &[R::EvtErr006],
        hazard: true,
        steps: |cast| {
            let text = OwnedFrame::text;
            let ask = |conn, frame, told| reaction(cast, conn, "EVT-P-01", frame, told);
            all([
                ask(1, text("{"), reactions!("malformed JSON")),
                ask(2, text("[]"), reactions!("an array")),
                ask(3, text("17"), reactions!("a number")),
                ask(4, text(""), reactions!("an empty text")),
                ask(5, OwnedFrame::Binary(b"{}".to_vec()), reactions!("a binary frame")),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/p-02-second-init",
        title: "What answers a second connection_init is recorded.",
        covers: &[R::EvtInit002],
        steps: |cast| {
            let answers = vec![
                Pattern::word("connection_ack").reads("EVT-P-02", "acknowledged again"),
                marked().reads("EVT-P-02", "passed over"),
                Pattern::word("error").reads("EVT-P-02", "answered by an error"),
                Pattern::closed().reads("EVT-P-02", "ends the connection"),
            ];
            all([connected(cast, 1), vec![say(1, INIT), marker(1), any_of(1, answers, R::EvtInit002)]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/p-03-nothing-sent",
        title: "What becomes of a connection on which nothing is ever sent is recorded.",
        covers: &[R::EvtInit002],
        tier: Tier::Long,
        steps: |cast| {
            let any_of = vec![
                Pattern::closed().reads("EVT-P-03", "closed within ten minutes"),
                Pattern::word("ka").reads("EVT-P-03", "kept alive"),
                Pattern::word("connection_error").reads("EVT-P-03", "told that it is refused"),
            ];
            vec![open(cast, 1), Step::Expect { conn: 1, any_of, rule: R::EvtInit002, within: Wait::Seconds(600) }]
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/p-04-unusual-ids",
        title: "What becomes of a subscribe with an unusual id, or without one, is recorded.",
        covers: &[R::EvtSub007],
        hazard: true,
        steps: |cast| {
            let ask = |conn, id: &str, told| fate(cast, conn, "EVT-P-04", subscribe_with_id(cast, id), told);
            all([
                ask(1, r#""""#, fates!("an empty id")),
                ask(2, "", fates!("no id")),
                ask(3, "7", fates!("a number")),
                ask(4, "null", fates!("null")),
                ask(5, r#""a\u0001b""#, fates!("a control character")),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/p-05-several-carriers",
        title: "Which credentials count when the token and the header fields conflict is recorded.",
        covers: &[R::EvtHandshake007],
        steps: |cast| {
            let (good, wrong) = (cast.credentials(), cast.wrong_credentials());
            let with_fields = |mut request: Request, fields: &Request| {
                for (name, value) in fields.headers.iter() {
                    if request.headers.first(name).is_none() {
                        request.headers.push(name, value);
                    }
                }
                request
            };
            let (token, fields) = (cast.upgrade(Carrier::Subprotocol, &good), cast.upgrade(Carrier::Headers, &wrong));
            let (bad_token, good_fields) =
                (cast.upgrade(Carrier::Subprotocol, &wrong), cast.upgrade(Carrier::Headers, &good));
            all([
                welcome(1, "EVT-P-05", with_fields(token, &fields), welcomes!("a good token and wrong header fields")),
                welcome(
                    2,
                    "EVT-P-05",
                    with_fields(bad_token, &good_fields),
                    welcomes!("a wrong token and good header fields"),
                ),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/p-06-subprotocol-token",
        title: "In which order and spelling the subprotocol token may stand is recorded.",
        covers: &[R::EvtHandshake007],
        steps: |cast| {
            let token = the_token(cast);
            let ask = |conn, offered: String, told| {
                let request = offering(cast.upgrade(Carrier::Subprotocol, &cast.credentials()), Some(&offered));
                welcome(conn, "EVT-P-06", request, told)
            };
            all([
                ask(1, format!("{token}, {NAME}"), welcomes!("before the name")),
                ask(2, format!("{NAME}, {token}, {token}"), welcomes!("twice")),
                ask(3, format!("{NAME}, {token}=="), welcomes!("with padding")),
                ask(4, format!("{}, {token}", NAME.to_uppercase()), welcomes!("the name in upper case")),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/p-07-early-and-second-unsubscribe",
        title: "What answers an unsubscribe before the subscribe_success, and a second one, is recorded.",
        covers: &[R::EvtSub016],
        steps: |cast| {
            let channel = cast.channel("room");
            let early = vec![
                Pattern::with_id("subscribe_success", "early").reads("EVT-P-07", "an early unsubscribe: granted first"),
                Pattern::with_id("unsubscribe_success", "early").reads("EVT-P-07", "an early unsubscribe: ended first"),
                Pattern::with_id("unsubscribe_error", "early").reads("EVT-P-07", "an early unsubscribe: refused"),
            ];
            let again = vec![
                Pattern::with_id("unsubscribe_error", "twice").reads("EVT-P-07", "a second unsubscribe: refused"),
                Pattern::with_id("unsubscribe_success", "twice")
                    .reads("EVT-P-07", "a second unsubscribe: answered again"),
                Pattern::word("error").reads("EVT-P-07", "a second unsubscribe: answered by an error"),
            ];
            all([
                connected(cast, 1),
                vec![say(1, cast.subscribe("early", &channel)), say(1, unsubscribe("early"))],
                vec![any_of(1, early, R::EvtSub016)],
                connected(cast, 2),
                subscribed(cast, 2, "twice", &channel),
                vec![
                    say(2, unsubscribe("twice")),
                    expect(2, Pattern::with_id("unsubscribe_success", "twice"), R::EvtSub016),
                    say(2, unsubscribe("twice")),
                    any_of(2, again, R::EvtSub016),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/p-08-id-used-again",
        title: "Whether the id of a subscription that is over may be used again is recorded.",
        covers: &[R::EvtSub007],
        steps: |cast| {
            let channel = cast.channel("room");
            let mut answers = vec![Pattern::with_id("subscribe_success", "again").reads("EVT-P-08", "granted")];
            answers.extend(refusals("again").into_iter().map(|pattern| pattern.reads("EVT-P-08", "refused")));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "again", &channel),
                vec![
                    say(1, unsubscribe("again")),
                    expect(1, Pattern::with_id("unsubscribe_success", "again"), R::EvtSub016),
                    say(1, cast.subscribe("again", &channel)),
                    any_of(1, answers, R::EvtSub007),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/a-05-entries-of-errors",
        title: "What an error entry holds besides its type is recorded.",
        covers: &[R::EvtInit010],
        steps: |cast| {
            let request = cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials());
            let told = |message, code| {
                Pattern::word("connection_error").has("errors.0.message", message).has("errors.0.errorCode", code)
            };
            let answers = vec![
                told(Shape::Text, Shape::Present).reads("EVT-A-05", "a message and an errorCode"),
                told(Shape::Text, Shape::Absent).reads("EVT-A-05", "a message"),
                told(Shape::Nothing, Shape::Present).reads("EVT-A-05", "an errorCode"),
                told(Shape::Nothing, Shape::Absent).reads("EVT-A-05", "nothing"),
                Pattern::closed().reads("EVT-A-05", "there is no error"),
            ];
            vec![
                Step::Open {
                    conn: 1,
                    request,
                    any_of: vec![Greeting::accepted(), Greeting::refused().ends()],
                    rule: R::EvtInit010,
                },
                say(1, INIT),
                any_of(1, answers, R::EvtInit010),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/a-08-close-code",
        title: "With which code a refused connection is closed is recorded.",
        covers: &[R::EvtClose008],
        steps: |cast| {
            let request = cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials());
            let told = vec![
                Pattern::word("connection_error"),
                Pattern::word("error"),
                Pattern::closed().reads("EVT-A-08", "closed without a word").ends(),
            ];
            let ends = vec![
                Pattern::close_code(1000).reads("EVT-A-08", "closed with 1000"),
                Pattern::close_code(1008).reads("EVT-A-08", "closed with 1008"),
                Pattern::close_code(4401).reads("EVT-A-08", "closed with 4401"),
                Pattern::close_frame().reads("EVT-A-08", "closed with another code, or none"),
                Pattern::closed().reads("EVT-A-08", "ended without a close frame"),
            ];
            let greetings =
                vec![Greeting::accepted(), Greeting::refused().reads("EVT-A-08", "there is no connection").ends()];
            vec![
                Step::Open { conn: 1, request, any_of: greetings, rule: R::EvtHandshake001 },
                say(1, INIT),
                any_of(1, told, R::EvtInit010),
                any_of(1, ends, R::EvtClose008),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/a-11-bare-prefix",
        title: "Whether a wildcard covers the channel above it is recorded.",
        covers: &[R::EvtChannel012],
        steps: |cast| {
            let channel = cast.channel("room");
            let told = ["it covers its prefix", "it does not cover its prefix", "it is refused"];
            covers(cast, &format!("{channel}/*"), &channel, told)
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/a-11-inside-a-path",
        title: "What an asterisk inside a path covers is recorded.",
        covers: &[R::EvtChannel012],
        steps: |cast| {
            let (room, namespace) = (cast.nonce("room"), cast.namespace());
            let told =
                ["inside a path it covers a segment", "inside a path it covers nothing", "inside a path it is refused"];
            covers(cast, &format!("/{namespace}/*/{room}"), &format!("/{namespace}/any/{room}"), told)
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/a-11-two-asterisks",
        title: "What two asterisks cover is recorded.",
        covers: &[R::EvtChannel012],
        steps: |cast| {
            let channel = cast.channel("room");
            let told = ["two cover any depth", "two cover nothing", "two are refused"];
            covers(cast, &format!("{channel}/**"), &format!("{channel}/a/b"), told)
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/a-18-header-fields",
        title: "Whether credentials are read from header fields is recorded.",
        covers: &[R::EvtHandshake008],
        steps: |cast| {
            let request = cast.upgrade(Carrier::Headers, &cast.credentials());
            welcome(1, "EVT-A-18", request, welcomes!("credentials in header fields"))
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/a-20-subscribe-before-the-acknowledgement",
        title: "What becomes of a subscribe before the acknowledgement is recorded.",
        covers: &[R::EvtSub007],
        steps: |cast| {
            let answers = vec![
                Pattern::with_id("subscribe_success", "early").reads("EVT-A-20", "granted"),
                Pattern::with_id("subscribe_error", "early").reads("EVT-A-20", "refused"),
                Pattern::word("error").reads("EVT-A-20", "refused"),
                Pattern::word("connection_ack").reads("EVT-A-20", "answered after the acknowledgement, or never"),
                Pattern::closed().reads("EVT-A-20", "ends the connection"),
            ];
            vec![
                open(cast, 1),
                say(1, cast.subscribe("early", &cast.channel("room"))),
                say(1, INIT),
                any_of(1, answers, R::EvtSub007),
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/a-23-signed-angle-brackets",
        title: "Whether a signed publish may hold angle brackets is recorded.",
        covers: &[R::EvtAuth008],
        needs: &[Need::Mode(Mode::Iam)],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let event = json!(format!("<b>{nonce}</b>"));
            let body = publish_body(&channel, [event.to_string().as_str()]);
            let authorization = cast.operation_by(&secret(cast, Mode::Iam), &body).to_json();
            let answers = vec![
                receipt("signed", 1).reads("EVT-A-23", "taken"),
                Pattern::with_id("publish_error", "signed").reads("EVT-A-23", "refused"),
                general_error().reads("EVT-A-23", "refused"),
            ];
            let publish = cast.publish_as("signed", &channel, &[event], &authorization);
            all([connected(cast, 1), vec![say(1, publish), any_of(1, answers, R::EvtAuth008)]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/a-29-answer-or-event-first",
        title: "Whether a publisher gets its answer or its own event first is recorded.",
        covers: &[R::EvtData001],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let answers = vec![
                receipt("own", 1).reads("EVT-A-29", "the answer"),
                Pattern::with_id("data", "first")
                    .has("event", Shape::JsonText(json!(nonce)))
                    .reads("EVT-A-29", "the event"),
            ];
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![
                    warmed(cast, 1, "first", &channel),
                    say(1, publish_one(cast, "own", &channel, &nonce)),
                    any_of(1, answers, R::EvtData001),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/a-30-order-in-a-publish",
        title: "Whether the events of one publish come in their order is recorded.",
        covers: &[R::EvtData003],
        steps: |cast| {
            let channel = cast.channel("room");
            let nonces = ["one", "two", "three", "four", "five"].map(|name| cast.nonce(name));
            let events = nonces.each_ref().map(|nonce| json!(nonce));
            let event = |nonce: &String| Pattern::with_id("data", "all").has("event", Shape::JsonText(json!(nonce)));
            let [first, rest @ ..] = &nonces;
            let mut order = vec![event(first).reads("EVT-A-30", "the first of five comes first")];
            order.extend(rest.iter().map(|nonce| event(nonce).reads("EVT-A-30", "another of five comes first")));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "all", &channel),
                vec![
                    warmed(cast, 1, "all", &channel),
                    called(cast.http_publish(&channel, &events), vec![Answer::status(200)], R::EvtHttp004),
                    any_of(1, order, R::EvtData003),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/probe/a-31-trailing-slash",
        title: "Whether a channel may end with a slash is recorded.",
        covers: &[R::EvtSub007],
        steps: |cast| {
            let answers = vec![
                Pattern::with_id("subscribe_success", "slash").reads("EVT-A-31", "taken"),
                Pattern::with_id("subscribe_error", "slash").reads("EVT-A-31", "refused"),
                general_error().reads("EVT-A-31", "refused"),
            ];
            let channel = format!("{}/", cast.channel("room"));
            all([connected(cast, 1), vec![say(1, cast.subscribe("slash", &channel)), any_of(1, answers, R::EvtSub007)]])
        },
        ..QUICK
    },
];
