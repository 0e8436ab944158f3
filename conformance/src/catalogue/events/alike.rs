//! What is alike and not the same: equal events, ids that differ in a letter, messages in another spelling.

use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::publish_steps::{QUICK, called, edit, publish_raw, receipt, warmed_by};
use super::session_steps::{refusals, taken, unsubscribe};
use super::steps::{all, any_of, connected, expect, heard, heard_value, published, say, subscribed, warmed};
use crate::auth::sign::{publish_body, subscribe_body};
use crate::fault::{Change, Fault, How, Nth};
use crate::scenario::cast::quoted;
use crate::scenario::{Answer, Cast, Pattern, Publication, Scenario, Shape, Step};

/// Ids that differ in case, in what parts their words and in a zero alone.
const IDS: [&str; 5] = ["Ab_1-2", "aB_1-2", "Ab-1_2", "Ab_01-2", "Ab_1+2"];

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/delivery/equal-events-of-a-batch",
        title: "Events of a publish that are equal arrive as often as they were published.",
        covers: &[R::EvtData003],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let twice = [json!(nonce), json!(nonce)];
            let both_heard =
                || vec![heard(1, "first", &nonce, R::EvtData003), heard(1, "first", &nonce, R::EvtData003)];
            let answer = Answer::status(200).has("successful", Shape::Length(2));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![
                    warmed(cast, 1, "first", &channel),
                    say(1, cast.publish("twice", &channel, &twice)),
                    expect(1, receipt("twice", 2), R::EvtPub007),
                ],
                both_heard(),
                vec![called(cast.http_publish(&channel, &twice), vec![answer], R::EvtHttp004)],
                both_heard(),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/equal-publishes",
        title: "An event that is published again arrives again, also after another one.",
        covers: &[R::EvtData001],
        steps: |cast| {
            let (channel, nonce, other) = (cast.channel("room"), cast.nonce("event"), cast.nonce("other"));
            let each = [&nonce, &nonce, &other, &nonce].into_iter().enumerate().map(|(n, event)| {
                let id = format!("p{n}");
                vec![
                    say(1, cast.publish(&id, &channel, &[json!(event)])),
                    expect(1, receipt(&id, 1), R::EvtPub007),
                    heard(1, "first", event, R::EvtData001),
                ]
            });
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![warmed(cast, 1, "first", &channel)],
                all(each),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/answers-of-different-sizes",
        title: "Of publishes of one to five events that are under way at once each gets the answer to its own events.",
        covers: &[R::EvtPub023],
        steps: |cast| {
            let channel = cast.channel("room");
            let id = |n: usize| format!("p{n}");
            let events = |n: usize| (0..n).map(|k| json!(cast.nonce(&format!("event-{n}-{k}")))).collect::<Vec<_>>();
            all([
                connected(cast, 1),
                (1..=5).map(|n| say(1, cast.publish(&id(n), &channel, &events(n)))).collect(),
                (1..=5).map(|n| expect(1, receipt(&id(n), n), R::EvtPub023)).collect(),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/events-with-white-space",
        title: "The text of an event may have white space around its value and between its parts.",
        covers: &[R::EvtPub003],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let texts = [format!(" \"{nonce}\"\n"), format!("\r\n{{\t\"a\" : [ \"{nonce}\" ,\n 1 ] }} ")];
            let values = [json!(nonce), json!({ "a": [nonce, 1] })];
            let each = texts.iter().zip(values).enumerate().map(|(n, (text, value))| {
                let id = format!("p{n}");
                vec![
                    say(1, publish_raw(cast, &id, &channel, &format!("[{}]", quoted(text)))),
                    expect(1, receipt(&id, 1), R::EvtPub003),
                    heard_value(1, "first", value, R::EvtPub003),
                ]
            });
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![warmed(cast, 1, "first", &channel)],
                all(each),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/framing/escaped-names-and-types",
        title: "Escaped characters mean what they stand for, in the names of members, in types, ids and channels.",
        covers: &[R::EvtFrame001],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let authorization = cast.authorization_of(&subscribe_body(&channel));
            let event = json!(nonce).to_string();
            let publishing = cast.authorization_of(&publish_body(&channel, [event.as_str()]));
            let (at, event) = (quoted(&channel).replacen('/', "\\u002f", 1), quoted(&event));
            let subscribe = format!(
                r#"{{"\u0074ype":"\u0073ubscribe","i\u0064":"first\u002d1","chann\u0065l":{at},"authorization":{authorization}}}"#
            );
            let publish = format!(
                r#"{{"typ\u0065":"publis\u0068","id":"p\u0031","channel":{at},"\u0065vents":[{event}],"authorizatio\u006e":{publishing}}}"#
            );
            all([
                connected(cast, 1),
                vec![
                    say(1, subscribe),
                    expect(1, Pattern::with_id("subscribe_success", "first-1"), R::EvtFrame001),
                    warmed_by(cast, 1, "first-1", &channel, R::EvtFrame001),
                    say(1, publish),
                    expect(1, receipt("p1", 1), R::EvtFrame001),
                    heard(1, "first-1", &nonce, R::EvtFrame001),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/ids-nearly-the-same",
        title: "Ids that differ in case, in a zero or in what parts their words name different subscriptions.",
        covers: &[R::EvtSub007],
        steps: |cast| {
            let each = IDS.iter().enumerate().map(|(n, id)| {
                let (channel, nonce) = (cast.channel(&format!("room-{n}")), cast.nonce(&format!("event-{n}")));
                let last = vec![
                    warmed(cast, 1, id, &channel),
                    published(cast, &channel, &nonce),
                    heard(1, id, &nonce, R::EvtData001),
                ];
                all([taken(cast, 1, id, &channel, R::EvtSub007), last])
            });
            all([connected(cast, 1), all(each)])
        },
        ..QUICK
    },
    Scenario {
        id: "events/unsubscribe/ids-nearly-the-same",
        title: "An unsubscribe of an id that differs from one in use in case, in a zero or in what parts its words ends \
                nothing.",
        covers: &[R::EvtSub017, R::EvtSub021],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let (own, others) = (IDS[0], &IDS[1..]);
            let told = |id: &&str| {
                let refused = Pattern::with_id("unsubscribe_error", id).has("errors", Shape::Errors);
                vec![say(1, unsubscribe(id)), expect(1, refused, R::EvtSub017)]
            };
            all([
                connected(cast, 1),
                subscribed(cast, 1, own, &channel),
                vec![warmed(cast, 1, own, &channel)],
                all(others.iter().map(told)),
                vec![published(cast, &channel, &nonce), heard(1, own, &nonce, R::EvtSub021)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/neighbours-of-a-namespace",
        title: "A wildcard of a namespace and one of another whose name begins like it do not hear each other's channels.",
        covers: &[R::EvtData006],
        steps: |cast| {
            let (longer, room, other) = (longer_namespace(cast), cast.channel("room"), cast.nonce("other"));
            // Whether there is such a namespace is not for the suite to know: either answer will do.
            let mut either = refusals("longer");
            either.push(Pattern::with_id("subscribe_success", "longer"));
            // Nor whether everybody may hear a whole namespace.
            let mut wide: Vec<_> = refusals("wide").into_iter().map(Pattern::ends).collect();
            wide.push(Pattern::with_id("subscribe_success", "wide"));
            let publish = cast.http_publish(&format!("/{longer}/{}", cast.nonce("below")), &[json!(other)]);
            all([
                connected(cast, 1),
                vec![
                    say(1, cast.subscribe("wide", &format!("/{}/*", cast.namespace()))),
                    any_of(1, wide, R::EvtChannel010),
                ],
                // Whatever else is published below the namespace comes here too, so nothing is forbidden by name: the
                // delivery model knows who hears what.
                vec![
                    warmed(cast, 1, "wide", &room),
                    say(1, cast.subscribe("longer", &format!("/{longer}/*"))),
                    any_of(1, either, R::EvtSub008),
                    called(publish, vec![Answer::between(200, 499)], R::EvtHttp004),
                    marked_among_others(cast, "wide", &room),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
];

/// Publishes a marker until the subscription hears it, whatever else it hears.
fn marked_among_others(cast: &Cast, id: &str, channel: &str) -> Step {
    let attempts = (1..=8).map(|n| {
        let nonce = cast.nonce(&format!("marker-{n}"));
        (nonce.clone(), Publication::Http(cast.http_publish(channel, &[json!(nonce)])))
    });
    Step::Warm { conn: 1, id: id.into(), attempts: attempts.collect(), rule: R::EvtData001 }
}

/// The name of a namespace that begins with that of the first one.
fn longer_namespace(cast: &Cast) -> String {
    let nonce: String = cast.nonce("n").chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{}{nonce}", cast.namespace()).chars().take(50).collect()
}

/// Takes the text of an event with white space around it for no JSON.
fn no_white_space_in_events(text: &str) -> Option<String> {
    let mut message = parse_json(text)?;
    let events = message.get_mut("events")?.as_array_mut()?;
    let spaced = events.iter_mut().filter(|event| event.as_str().is_some_and(|text| text.trim() != text));
    let changed = spaced.map(|event| *event = Json::String("{".into())).count();
    (changed > 0).then(|| message.to_string())
}

/// Takes escaped characters for a backslash and what follows it.
pub(in crate::catalogue) fn escapes_as_they_are(text: &str) -> Option<String> {
    text.contains("\\u").then(|| text.replace("\\u", "\\\\u"))
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-equal-events-of-a-batch-once",
        about: "does not deliver an event that is the same as the one before",
        breaks: R::EvtData003,
        caught_by: "events/delivery/equal-events-of-a-batch",
        how: edit("data", Nth::Every, Change::DropRepeated),
    },
    Fault {
        name: "events-equal-events-once",
        about: "delivers an event once, however often it is published",
        breaks: R::EvtData001,
        caught_by: "events/delivery/equal-publishes",
        how: edit("data", Nth::Every, Change::DropSeen),
    },
    Fault {
        name: "events-answers-to-publishes-swapped",
        about: "answers the fourth and the fifth publish each under the id of the other",
        breaks: R::EvtPub023,
        caught_by: "events/publish/answers-of-different-sizes",
        how: edit("publish_success", Nth::Only(4), Change::SwapIds),
    },
    Fault {
        name: "events-white-space-in-an-event-refused",
        about: "takes an event with white space around its value for no JSON",
        breaks: R::EvtPub003,
        caught_by: "events/publish/events-with-white-space",
        how: How::Mishear(no_white_space_in_events),
    },
    Fault {
        name: "events-escapes-as-they-are",
        about: "does not read the escapes of a message",
        breaks: R::EvtFrame001,
        caught_by: "events/framing/escaped-names-and-types",
        how: How::Mishear(escapes_as_they_are),
    },
    Fault {
        name: "events-ids-nearly-the-same-are-in-use",
        about: "takes ids for in use that differ from one in case or in what parts their words",
        breaks: R::EvtSub007,
        caught_by: "events/subscribe/ids-nearly-the-same",
        how: How::Skip(Check::SubscribeIdExact),
    },
    Fault {
        name: "events-unsubscribes-an-id-nearly-the-same",
        about: "ends a subscription whose id is nearly the one that is given",
        breaks: R::EvtSub017,
        caught_by: "events/unsubscribe/ids-nearly-the-same",
        how: How::Skip(Check::UnsubscribeIdExact),
    },
    Fault {
        name: "events-namespace-by-its-beginning",
        about: "takes a namespace for the one that its name begins with",
        breaks: R::EvtData006,
        caught_by: "events/channel/neighbours-of-a-namespace",
        how: How::Skip(Check::NamespaceEnd),
    },
];
