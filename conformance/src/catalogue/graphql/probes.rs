//! Open questions of this dialect, asked of the target; see [`crate::catalogue::probes`].

use appsync_protocol::handshake::{Carrier, Credentials};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::{Headers, OwnedFrame, Request};
use serde_json::json;

use super::steps::{
    CHANNEL, INIT, QUICK, all, any_of, bad_start, connected, expect, open, published, refusal, say, stop, stopped,
    subscribed, warmed,
};
use crate::scenario::cast::{SUBSCRIBE_TO_CHANNEL, quoted, request_body};
use crate::scenario::{Cast, Conn, Greeting, Need, Pattern, Scenario, Shape, Step, Tier, Wait};

/// What a message can lead to: it is passed over, answered by an error, or ends the connection.
type Reactions = [&'static str; 3];

macro_rules! reactions {
    ($what:literal) => {
        [
            concat!($what, ": passed over"),
            concat!($what, ": answered by an error"),
            concat!($what, ": ends the connection"),
        ]
    };
}

/// What a start can lead to: it is granted, refused, passed over, or ends the connection.
macro_rules! fates {
    ($what:literal) => {
        [
            concat!($what, ": granted"),
            concat!($what, ": refused"),
            concat!($what, ": passed over"),
            concat!($what, ": ends the connection"),
        ]
    };
}

/// What a handshake can lead to.
macro_rules! welcomes {
    ($what:literal) => {
        [concat!($what, ": let in"), concat!($what, ": refused in-band"), concat!($what, ": refused by a status")]
    };
}

const SCENARIO: Scenario = Scenario { needs: CHANNEL, ..QUICK };

/// Sends something on a connection of its own, and then a start that is surely answered.
fn reaction(cast: &Cast, conn: Conn, probe: &'static str, frame: OwnedFrame, told: Reactions) -> Vec<Step> {
    let [passed, error, closed] = told;
    let answers = vec![
        refusal("marker").reads(probe, passed),
        Pattern::word("error").reads(probe, error),
        Pattern::word("connection_error").reads(probe, error),
        Pattern::closed().reads(probe, closed),
    ];
    all([
        connected(cast, conn),
        vec![Step::Send { conn, frame }, say(conn, bad_start(cast, "marker")), any_of(conn, answers, R::GqlErr001)],
    ])
}

/// Sends something that may start a subscription, and then a start that is surely refused.
fn fate(cast: &Cast, conn: Conn, probe: &'static str, start: String, told: [&'static str; 4]) -> Vec<Step> {
    let [granted, refused, passed, closed] = told;
    let answers = vec![
        refusal("marker").reads(probe, passed),
        Pattern::word("start_ack").reads(probe, granted),
        Pattern::word("error").reads(probe, refused),
        Pattern::closed().reads(probe, closed),
    ];
    let sent = vec![say(conn, start), say(conn, bad_start(cast, "marker")), any_of(conn, answers, R::GqlSub006)];
    all([connected(cast, conn), sent])
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
    let any_greeting = vec![Greeting::accepted(), Greeting::refused().reads(probe, status).ends()];
    vec![
        Step::Open { conn, request, any_of: any_greeting, rule: R::GqlHandshake004 },
        say(conn, INIT),
        any_of(conn, answers, R::GqlInit002),
    ]
}

/// The request with another header field in place of those of this name.
fn with_field(request: Request, name: &str, value: &str) -> Request {
    let mut headers = Headers::new();
    for (own, kept) in request.headers.iter().filter(|(own, _)| !own.eq_ignore_ascii_case(name)) {
        headers.push(own, kept);
    }
    headers.push(name, value);
    Request { headers, ..request }
}

/// A start with the JSON text of another id.
fn start_with_id(cast: &Cast, id: &str) -> String {
    let start = cast.start_channel("THE-ID", &cast.nonce("room"));
    match id {
        "" => start.replacen(r#""id":"THE-ID","#, "", 1),
        text => start.replacen(r#""THE-ID""#, text, 1),
    }
}

/// A start with the JSON text of another type.
fn start_with_type(cast: &Cast, kind: &str) -> String {
    let start = cast.start_channel("typed", &cast.nonce("room"));
    match kind {
        "" => start.replacen(r#""type":"start","#, "", 1),
        text => start.replacen(r#""type":"start""#, &format!(r#""type":{text}"#), 1),
    }
}

/// A start with this text as its request.
fn start_of(cast: &Cast, id: &str, request: &str) -> String {
    let authorization = cast.authorization_of(request);
    format!(
        r#"{{"id":{},"type":"start","payload":{{"data":{},"extensions":{{"authorization":{authorization}}}}}}}"#,
        quoted(id),
        quoted(request)
    )
}

/// A document whose variable is a channel of this scenario.
fn document(cast: &Cast, document: &str) -> String {
    start_of(cast, "asked", &request_body(document, &json!({ "n": cast.nonce("room") })))
}

fn the_token(cast: &Cast) -> String {
    let request = cast.upgrade(Carrier::Subprotocol, &cast.credentials());
    let offered: Vec<_> =
        request.subprotocols().filter(|name| name.starts_with("header-")).map(str::to_owned).collect();
    offered.into_iter().next().unwrap_or_default()
}

/// An upgrade that offers these subprotocols.
fn offering(cast: &Cast, offered: &str) -> Request {
    with_field(cast.upgrade(Carrier::Subprotocol, &cast.credentials()), "Sec-WebSocket-Protocol", offered)
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/probe/p-01-unreadable",
        title: "What becomes of text that is no message, and of binary frames, is recorded.",
        covers: &[R::GqlErr001],
        hazard: true,
        steps: |cast| {
            let text = OwnedFrame::text;
            let ask = |conn, frame, told| reaction(cast, conn, "GQL-P-01", frame, told);
            all([
                ask(1, text("{"), reactions!("malformed JSON")),
                ask(2, text("[]"), reactions!("an array")),
                ask(3, text("17"), reactions!("a number")),
                ask(4, text(""), reactions!("an empty text")),
                ask(5, OwnedFrame::Binary(b"{}".to_vec()), reactions!("a binary frame")),
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-02-second-init",
        title: "What answers a second connection_init is recorded.",
        covers: &[R::GqlInit002],
        steps: |cast| {
            let answers = vec![
                Pattern::word("connection_ack").reads("GQL-P-02", "acknowledged again"),
                refusal("marker").reads("GQL-P-02", "passed over"),
                Pattern::word("error").reads("GQL-P-02", "answered by an error"),
                Pattern::closed().reads("GQL-P-02", "ends the connection"),
            ];
            all([
                connected(cast, 1),
                vec![say(1, INIT), say(1, bad_start(cast, "marker")), any_of(1, answers, R::GqlInit002)],
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-03-nothing-sent",
        title: "What becomes of a connection on which nothing is ever sent is recorded.",
        covers: &[R::GqlInit002],
        tier: Tier::Long,
        steps: |cast| {
            let any_of = vec![
                Pattern::closed().reads("GQL-P-03", "closed within ten minutes"),
                Pattern::word("connection_error").reads("GQL-P-03", "told that it is refused"),
                Pattern::word("ka").reads("GQL-P-03", "kept alive"),
            ];
            vec![open(cast, 1), Step::Expect { conn: 1, any_of, rule: R::GqlInit002, within: Wait::Seconds(600) }]
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-04-no-init",
        title: "What becomes of a start on a connection without connection_init is recorded.",
        covers: &[R::GqlSub006],
        steps: |cast| {
            let answers = vec![
                Pattern::word("start_ack").reads("GQL-P-04", "granted"),
                Pattern::word("error").reads("GQL-P-04", "refused"),
                Pattern::word("connection_error").reads("GQL-P-04", "refused"),
                Pattern::word("connection_ack").reads("GQL-P-04", "passed over, or kept until connection_init"),
                Pattern::closed().reads("GQL-P-04", "ends the connection"),
            ];
            let start = cast.start_channel("first", &cast.nonce("room"));
            vec![open(cast, 1), say(1, start), say(1, INIT), any_of(1, answers, R::GqlSub006)]
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-05-id-used-again",
        title: "Whether the id of a subscription that is over may be used again is recorded.",
        covers: &[R::GqlSub006],
        steps: |cast| {
            let room = cast.nonce("room");
            let answers = vec![
                Pattern::with_id("start_ack", "again").reads("GQL-P-05", "granted"),
                refusal("again").reads("GQL-P-05", "refused"),
            ];
            all([
                connected(cast, 1),
                subscribed(cast, 1, "again", &room),
                stopped(1, "again"),
                vec![say(1, cast.start_channel("again", &room)), any_of(1, answers, R::GqlSub006)],
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-06-unusual-ids",
        title: "What becomes of a start with an unusual id, or without one, is recorded.",
        covers: &[R::GqlSub006],
        hazard: true,
        steps: |cast| {
            let ask = |conn, id: &str, told| fate(cast, conn, "GQL-P-06", start_with_id(cast, id), told);
            all([
                ask(1, r#""""#, fates!("an empty id")),
                ask(2, "", fates!("no id")),
                ask(3, "7", fates!("a number")),
                ask(4, "null", fates!("null")),
                ask(5, &format!("\"{}\"", "x".repeat(2_000)), fates!("2000 characters")),
                ask(6, r#""a\u0001b""#, fates!("a control character")),
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-07-spelling-of-type",
        title: "What becomes of a start whose type is spelled differently, or is missing, is recorded.",
        covers: &[R::GqlSub006],
        hazard: true,
        steps: |cast| {
            let ask = |conn, kind: &str, told| fate(cast, conn, "GQL-P-07", start_with_type(cast, kind), told);
            all([
                ask(1, r#""START""#, fates!("upper case")),
                ask(2, "", fates!("no type")),
                ask(3, "null", fates!("null")),
                ask(4, "5", fates!("a number")),
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-08-several-carriers",
        title: "Which credentials count when several carriers conflict is recorded.",
        covers: &[R::GqlHandshake004],
        steps: |cast| {
            let (good, wrong) = (cast.credentials(), cast.wrong_credentials());
            let query = cast.upgrade(Carrier::Query, &good);
            let mut fields = cast.upgrade(Carrier::Headers, &wrong);
            fields.target.clone_from(&query.target);
            let mut token = cast.upgrade(Carrier::Subprotocol, &wrong);
            token.target.clone_from(&query.target);
            all([
                welcome(1, "GQL-P-08", fields, welcomes!("good in the query and wrong in header fields")),
                welcome(2, "GQL-P-08", token, welcomes!("good in the query and wrong in the subprotocol")),
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-09-payload-of-the-query",
        title: "Whether the query needs a payload of {} is recorded.",
        covers: &[R::GqlHandshake004],
        steps: |cast| {
            let request = cast.upgrade(Carrier::Query, &cast.credentials());
            let bare = request.target.split("&payload=").next().unwrap_or_default().to_owned();
            let with = |target: String| Request { target, ..request.clone() };
            all([
                welcome(1, "GQL-P-09", with(bare.clone()), welcomes!("no payload")),
                welcome(2, "GQL-P-09", with(format!("{bare}&payload=bnVsbA==")), welcomes!("a payload of null")),
                welcome(
                    3,
                    "GQL-P-09",
                    with(format!("{bare}&payload=eyJhIjoxfQ==")),
                    welcomes!("a payload with a member"),
                ),
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-10-subprotocol-token",
        title: "In which order and spelling the subprotocol token may stand is recorded.",
        covers: &[R::GqlHandshake004],
        steps: |cast| {
            let token = the_token(cast);
            let ask = |conn, offered: String, told| welcome(conn, "GQL-P-10", offering(cast, &offered), told);
            all([
                ask(1, format!("{token}, graphql-ws"), welcomes!("before the name")),
                ask(2, format!("graphql-ws, {token}, {token}"), welcomes!("twice")),
                ask(3, format!("graphql-ws, {token}=="), welcomes!("with padding")),
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-11-alias",
        title: "Whether an alias of the root field names the key in data is recorded.",
        covers: &[R::GqlSub013],
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let aliased = SUBSCRIBE_TO_CHANNEL.replacen("{ subscribe", "{ mine: subscribe", 1);
            let seen = |path| Pattern::with_id("data", "first").has(path, Shape::Present);
            let answers = vec![
                seen("payload.data.mine").reads("GQL-P-11", "the alias"),
                seen("payload.data.subscribe2channel").reads("GQL-P-11", "the name of the field"),
            ];
            all([
                connected(cast, 1),
                vec![
                    say(1, cast.start("first", &aliased, &json!({ "n": room }))),
                    expect(1, Pattern::with_id("start_ack", "first"), R::GqlSub006),
                    warmed(cast, 1, "first", &room),
                    published(cast, &room, &nonce),
                    any_of(1, answers, R::GqlSub013),
                ],
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-12-parts-of-documents",
        title: "Whether fragments, directives and __typename are taken in a subscription is recorded.",
        covers: &[R::GqlSub006],
        steps: |cast| {
            let ask = |conn, selection: &str, more: &str, told| {
                let text = format!("subscription S($n: String!) {{ subscribe2channel(name: $n) {selection} }} {more}");
                fate(cast, conn, "GQL-P-12", document(cast, &text), told)
            };
            all([
                ask(1, "{ ...F }", "fragment F on Channel { name data }", fates!("a fragment")),
                ask(2, "{ name data @include(if: true) }", "", fates!("@include")),
                ask(3, "{ name data @skip(if: true) }", "", fates!("@skip")),
                ask(4, "{ __typename name }", "", fates!("__typename")),
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-13-operations",
        title: "Whether several root fields, several operations and operations without a name are taken is recorded.",
        covers: &[R::GqlSub006],
        steps: |cast| {
            let two = "subscription A($n: String!) { a: subscribe2channel(name: $n) { name } \
                b: subscribe2channel(name: $n) { name } }";
            let anonymous = "subscription ($n: String!) { subscribe2channel(name: $n) { name } }";
            let several = "subscription A($n: String!) { subscribe2channel(name: $n) { name } } \
                subscription B($n: String!) { subscribe2channel(name: $n) { name data } }";
            let named = json!({ "query": several, "operationName": "B", "variables": { "n": cast.nonce("room") } });
            let ask = |conn, start, told| fate(cast, conn, "GQL-P-13", start, told);
            all([
                ask(1, document(cast, two), fates!("two root fields")),
                ask(2, document(cast, anonymous), fates!("no name")),
                ask(3, start_of(cast, "asked", &named.to_string()), fates!("two operations and a name")),
                ask(4, document(cast, several), fates!("two operations without a name")),
            ])
        },
        hazard: true,
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-14-early-and-second-stop",
        title: "What answers a stop before the start_ack, and a second one, is recorded.",
        covers: &[R::GqlSub024],
        steps: |cast| {
            let early = vec![
                Pattern::with_id("start_ack", "early").reads("GQL-P-14", "an early stop: granted first"),
                Pattern::with_id("complete", "early").reads("GQL-P-14", "an early stop: complete first"),
                Pattern::with_id("error", "early").reads("GQL-P-14", "an early stop: refused"),
            ];
            let again = vec![
                refusal("marker").reads("GQL-P-14", "a second stop: passed over"),
                Pattern::with_id("complete", "twice").reads("GQL-P-14", "a second stop: complete again"),
                Pattern::word("error").reads("GQL-P-14", "a second stop: answered by an error"),
            ];
            let room = cast.nonce("room");
            all([
                connected(cast, 1),
                vec![say(1, cast.start_channel("early", &room)), say(1, stop("early"))],
                vec![any_of(1, early, R::GqlSub024)],
                connected(cast, 2),
                subscribed(cast, 2, "twice", &room),
                stopped(2, "twice"),
                vec![say(2, stop("twice")), say(2, bad_start(cast, "marker")), any_of(2, again, R::GqlSub024)],
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-15-frames",
        title: "What becomes of pings and of an offered extension is recorded.",
        covers: &[R::GqlFrame001],
        steps: |cast| {
            let payload = vec![b'x'; 125];
            let answers = vec![
                Pattern::pong(&payload).reads("GQL-P-15", "a ping of 125 bytes: answered"),
                refusal("marker").reads("GQL-P-15", "a ping of 125 bytes: passed over"),
                Pattern::closed().reads("GQL-P-15", "a ping of 125 bytes: ends the connection"),
            ];
            let mut request = cast.usual_upgrade();
            request.headers.push("Sec-WebSocket-Extensions", "permessage-deflate");
            let greetings = vec![
                Greeting::no_extension().reads("GQL-P-15", "an extension: declined"),
                Greeting::accepted().reads("GQL-P-15", "an extension: selected"),
                Greeting::refused().reads("GQL-P-15", "an extension: refused by a status"),
            ];
            all([
                connected(cast, 1),
                vec![
                    Step::Send { conn: 1, frame: OwnedFrame::Ping(payload) },
                    say(1, bad_start(cast, "marker")),
                    any_of(1, answers, R::GqlFrame001),
                    Step::Open { conn: 2, request, any_of: greetings, rule: R::GqlFrame001 },
                ],
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-15-broken-frames",
        title: "What becomes of a control frame that is too long, and of one that is not masked, is recorded.",
        covers: &[R::GqlFrame001],
        needs: &[Need::ChannelSchema, Need::Socket],
        hazard: true,
        steps: |cast| {
            let mut long = vec![0x89, 0xfe, 0x00, 0x7e, 0, 0, 0, 0];
            long.extend(vec![b'x'; 126]);
            let ask = |conn, bytes: Vec<u8>, what, [closed, answered]: [&'static str; 2]| {
                let answers = vec![
                    Pattern::closed().reads("GQL-P-15", closed),
                    refusal("marker").reads("GQL-P-15", answered),
                    Pattern::word("error").reads("GQL-P-15", answered),
                    Pattern::pong(&[b'x'; 126]).reads("GQL-P-15", answered),
                ];
                let sent = vec![
                    Step::Raw { conn, bytes, what },
                    say(conn, bad_start(cast, "marker")),
                    any_of(conn, answers, R::GqlFrame001),
                ];
                all([connected(cast, conn), sent])
            };
            all([
                ask(1, long, "a ping of 126 bytes", ["126 bytes: ends the connection", "126 bytes: taken"]),
                ask(
                    2,
                    vec![0x81, 0x02, b'{', b'}'],
                    "a text frame without a mask",
                    ["no mask: ends the connection", "no mask: taken"],
                ),
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-16-long-messages",
        title: "How long a message of a client may be is recorded.",
        covers: &[R::GqlSub006],
        needs: &[Need::ChannelSchema, Need::Limits],
        hazard: true,
        steps: |cast| {
            let padded = |kb: usize| {
                let start = cast.start_channel("long", &cast.nonce("room"));
                start.replacen('{', &format!(r#"{{"padding":"{}","#, "x".repeat(kb * 1024)), 1)
            };
            let ask = |conn, kb, told| fate(cast, conn, "GQL-P-16", padded(kb), told);
            all([ask(1, 64, fates!("64 KB")), ask(2, 256, fates!("256 KB")), ask(3, 1024, fates!("1 MB"))])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-17-extensions",
        title: "What becomes of unknown members in extensions, and of another host in a start alone, is recorded.",
        covers: &[R::GqlSub006],
        steps: |cast| {
            let room = cast.nonce("room");
            let more =
                cast.start_channel("more", &room).replacen(r#""extensions":{"#, r#""extensions":{"more":[1],"#, 1);
            let elsewhere = Cast { auth_host: "nobody.example.net".into(), ..cast.clone() };
            all([
                fate(cast, 1, "GQL-P-17", more, fates!("an unknown member")),
                fate(cast, 2, "GQL-P-17", elsewhere.start_channel("host", &room), fates!("another host")),
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-18-order-of-the-end",
        title: "Whether complete comes before an event that was under way is recorded.",
        covers: &[R::GqlSub024],
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let answers = vec![
                Pattern::with_id("data", "first").reads("GQL-P-18", "the event first"),
                Pattern::with_id("complete", "first").reads("GQL-P-18", "complete first"),
            ];
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    published(cast, &room, &nonce),
                    say(1, stop("first")),
                    any_of(1, answers, R::GqlSub024),
                ],
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-19-end-of-refused-connections",
        title: "How a connection ends that was refused is recorded.",
        covers: &[R::GqlClose009],
        steps: |cast| {
            let request = cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials());
            let told = vec![
                Pattern::word("connection_error"),
                Pattern::word("error"),
                Pattern::closed().reads("GQL-P-19", "without a word").ends(),
            ];
            let ends = vec![
                Pattern::close_frame().reads("GQL-P-19", "by a close frame"),
                Pattern::closed().reads("GQL-P-19", "without a close frame"),
            ];
            let greetings =
                vec![Greeting::accepted(), Greeting::refused().reads("GQL-P-19", "there is no connection").ends()];
            vec![
                Step::Open { conn: 1, request, any_of: greetings, rule: R::GqlClose009 },
                say(1, INIT),
                any_of(1, told, R::GqlClose009),
                any_of(1, ends, R::GqlClose009),
            ]
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/p-20-name-of-the-subprotocol",
        title: "How the name of the subprotocol may be spelled in its list is recorded.",
        covers: &[R::GqlHandshake004],
        steps: |cast| {
            let token = the_token(cast);
            let ask = |conn, offered: String, told| welcome(conn, "GQL-P-20", offering(cast, &offered), told);
            all([
                ask(1, format!("GRAPHQL-WS, {token}"), welcomes!("in upper case")),
                ask(2, format!("graphql-ws ,\t{token}"), welcomes!("with white space")),
                ask(3, format!("graphql-ws,{token}"), welcomes!("without white space")),
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/a-03-refused-credentials",
        title: "Which type and code an unauthorized connection gets is recorded.",
        covers: &[R::GqlHandshake004],
        steps: |cast| {
            let request = cast.upgrade(cast.usual_carrier(), &cast.wrong_credentials());
            let typed = |kind: &str, code: i64| {
                Pattern::word("connection_error")
                    .has("payload.errors.0.errorType", Shape::Is(kind.into()))
                    .has("payload.errors.0.errorCode", Shape::Is(code.into()))
            };
            let told = vec![
                typed("UnauthorizedException", 401).reads("GQL-A-03", "UnauthorizedException and 401"),
                typed("com.amazonaws.deepdish.graphql.auth#UnauthorizedException", 400)
                    .reads("GQL-A-03", "a type with a namespace and 400"),
                Pattern::word("connection_error").reads("GQL-A-03", "another type or code"),
                told_by_error(),
            ];
            let greetings = vec![Greeting::accepted(), super::steps::http_refusal().ends()];
            vec![
                Step::Open { conn: 1, request, any_of: greetings, rule: R::GqlHandshake004 },
                say(1, INIT),
                any_of(1, told, R::GqlHandshake004),
            ]
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/a-06-place-of-the-type",
        title: "Where in an error element its type stands is recorded.",
        covers: &[R::GqlErr001],
        steps: |cast| {
            let told = |path| Pattern::with_id("error", "bad").has(path, Shape::Text);
            let answers = vec![
                told("payload.errors.0.errorType").reads("GQL-A-06", "directly in the element"),
                told("payload.errors.0.extensions.errorType").reads("GQL-A-06", "under extensions"),
                Pattern::with_id("error", "bad").reads("GQL-A-06", "there is none"),
            ];
            all([connected(cast, 1), vec![say(1, bad_start(cast, "bad")), any_of(1, answers, R::GqlErr001)]])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/a-08-stop-of-an-unknown-id",
        title: "What answers the stop of an unknown id is recorded.",
        covers: &[R::GqlSub024],
        steps: |cast| {
            let answers = vec![
                refusal("marker").reads("GQL-A-08", "nothing"),
                Pattern::with_id("complete", "nobody").reads("GQL-A-08", "complete"),
                Pattern::with_id("error", "nobody").reads("GQL-A-08", "an error"),
                Pattern::word("error").reads("GQL-A-08", "an error without the id"),
            ];
            let sent = vec![say(1, stop("nobody")), say(1, bad_start(cast, "marker"))];
            all([connected(cast, 1), sent, vec![any_of(1, answers, R::GqlSub024)]])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/a-11-duplicate-start",
        title: "What a duplicate start does to the first subscription is recorded.",
        covers: &[R::GqlSub006],
        steps: |cast| {
            let (first, second) = (cast.nonce("first"), cast.nonce("second"));
            let (old, new) = (cast.nonce("old"), cast.nonce("new"));
            let told = vec![
                Pattern::with_id("error", "same").reads("GQL-A-11", "the duplicate is refused"),
                Pattern::with_id("start_ack", "same").reads("GQL-A-11", "the duplicate is granted"),
            ];
            let event = |nonce: &str| {
                Pattern::with_id("data", "same").has(
                    "payload.data.subscribe2channel.data",
                    Shape::Is(crate::scenario::cast::channel_data(nonce).into()),
                )
            };
            let heard = vec![
                event(&old).reads("GQL-A-11", "the first goes on"),
                event(&new).reads("GQL-A-11", "the duplicate takes its place"),
                refusal("marker").reads("GQL-A-11", "both are over"),
            ];
            all([
                connected(cast, 1),
                subscribed(cast, 1, "same", &first),
                vec![
                    warmed(cast, 1, "same", &first),
                    say(1, cast.start_channel("same", &second)),
                    any_of(1, told, R::GqlSub006),
                    published(cast, &first, &old),
                    published(cast, &second, &new),
                    say(1, bad_start(cast, "marker")),
                    any_of(1, heard, R::GqlSub006),
                ],
            ])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/a-01-without-init",
        title: "Whether a connection is of use without connection_init is recorded.",
        covers: &[R::GqlSub006],
        steps: |cast| {
            let answers = vec![
                Pattern::with_id("start_ack", "first").reads("GQL-A-01", "a start is granted without connection_init"),
                Pattern::word("connection_ack").reads("GQL-A-01", "a start is passed over until connection_init"),
                Pattern::word("error").reads("GQL-A-01", "a start is refused without connection_init"),
                Pattern::word("connection_error").reads("GQL-A-01", "a start is refused without connection_init"),
                Pattern::closed().reads("GQL-A-01", "a start without connection_init ends the connection"),
            ];
            let start = cast.start_channel("first", &cast.nonce("room"));
            vec![open(cast, 1), say(1, start), say(1, INIT), any_of(1, answers, R::GqlSub006)]
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/a-12-date-beside-the-key",
        title: "Whether credentials may bear a date that they do not need is recorded.",
        covers: &[R::GqlHandshake004],
        steps: |cast| {
            let plain = cast.credentials();
            let dated = match plain.get("x-amz-date") {
                None => plain.clone().with("x-amz-date", "20260101T000000Z"),
                Some(_) => plain.clone(),
            };
            let ask = |conn, credentials: &Credentials, told| {
                welcome(conn, "GQL-A-12", cast.upgrade(cast.usual_carrier(), credentials), told)
            };
            all([ask(1, &plain, welcomes!("without a date")), ask(2, &dated, welcomes!("with a date"))])
        },
        ..SCENARIO
    },
    Scenario {
        id: "graphql/probe/a-18-name-of-the-timeout",
        title: "Under which name connection_ack tells the timeout is recorded.",
        covers: &[R::GqlInit003],
        steps: |cast| {
            let ack = |name| Pattern::word("connection_ack").has(name, Shape::Present);
            let answers = vec![
                ack("payload.connectionTimeoutMs").reads("GQL-A-18", "connectionTimeoutMs"),
                ack("payload.connectionTimeout").reads("GQL-A-18", "connectionTimeout"),
                Pattern::word("connection_ack").reads("GQL-A-18", "it is not told"),
            ];
            vec![open(cast, 1), say(1, INIT), any_of(1, answers, R::GqlInit003)]
        },
        ..SCENARIO
    },
];

/// The other message that tells of a refused connection.
fn told_by_error() -> Pattern {
    super::steps::told_by_error()
}
