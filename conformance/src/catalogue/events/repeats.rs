//! The second time as the first, and neighbours that are alike: what goes wrong only where there is more than one.

use appsync_protocol::json::{Json, json_text};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::publish_steps::{QUICK, called, edit, edit_http, forbidden, marked, receipt, six, warmed_by};
use super::session_steps::{ended, taken, unsubscribe};
use super::steps::{all, connected, expect, heard, heard_value, published, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, HttpChange, Nth, rewrites};
use crate::scenario::{Answer, Cast, Pattern, Scenario, Shape, Step};

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/unsubscribe/each-of-three",
        title: "Each of three subscriptions of a connection that end is told of with one unsubscribe_success.",
        covers: &[R::EvtSub016],
        steps: |cast| {
            let ids = ["first-1", "second_2", "third+3"];
            all([
                connected(cast, 1),
                all(ids.map(|id| subscribed(cast, 1, id, &cast.channel(id)))),
                all(ids.map(|id| ended(1, id, R::EvtSub016))),
                vec![Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/unsubscribe/unknown-ids-in-a-row",
        title: "Each of three unsubscribes of ids that were never used is answered with one unsubscribe_error.",
        covers: &[R::EvtSub017],
        steps: |cast| {
            let told = |id: &str| {
                let refused = Pattern::with_id("unsubscribe_error", id).has("errors", Shape::Errors);
                vec![say(1, unsubscribe(id)), expect(1, refused, R::EvtSub017)]
            };
            all([
                connected(cast, 1),
                subscribed(cast, 1, "listener", &cast.channel("room")),
                all(["one-1", "two_2", "three+3"].map(told)),
                vec![Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/errors/leave-the-bystander-alone",
        title: "The error for a message that is no operation does not bear the id of a subscription.",
        covers: &[R::EvtErr005],
        steps: |cast| {
            let channel = cast.channel("room");
            let error = Pattern::with_another_id("error", "listener").has("errors", Shape::Errors);
            all([
                connected(cast, 1),
                subscribed(cast, 1, "listener", &channel),
                vec![
                    warmed(cast, 1, "listener", &channel),
                    say(1, r#"{"type":"nothing_like_this","id":"stray"}"#),
                    expect(1, error.clone(), R::EvtErr005),
                    say(1, r#"{"type":"nothing_like_this"}"#),
                    expect(1, error, R::EvtErr005),
                    published(cast, &channel, &cast.nonce("event")),
                    heard(1, "listener", &cast.nonce("event"), R::EvtErr015),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/errors/bear-unusual-ids",
        title: "The refusal of a publish bears its id, also where that has hyphens, underscores and plus signs.",
        covers: &[R::EvtErr005],
        steps: |cast| {
            let refused = |id: &str| {
                let told = Pattern::with_id("publish_error", id).has("errors", Shape::Errors);
                vec![say(1, cast.publish(id, &cast.channel("room"), &six(cast))), expect(1, told, R::EvtErr005)]
            };
            all([connected(cast, 1), all(["six-1", "six_2+2", "-"].map(refused))])
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/another-subscription-interrupts-nothing",
        title: "A subscription misses no event while others are granted on its connection, and hears each once.",
        covers: &[R::EvtData001, R::EvtData004],
        steps: |cast| {
            let room = cast.channel("room");
            let further = |n: u32| {
                let nonce = cast.nonce(&format!("event-{n}"));
                all([
                    subscribed(cast, 1, &format!("other-{n}"), &cast.channel(&format!("other-{n}"))),
                    vec![published(cast, &room, &nonce), heard(1, "first-1", &nonce, R::EvtData001)],
                ])
            };
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first-1", &room),
                vec![warmed(cast, 1, "first-1", &room)],
                all((1..=3).map(further)),
                vec![Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/neighbours",
        title: "A channel does not hear those whose names begin like its own, nor those above and below it.",
        covers: &[R::EvtData006],
        steps: |cast| {
            let room = cast.channel("room");
            let shorter = room.get(..room.len() - 1).unwrap_or_default().to_owned();
            let joined = format!("/{}/{}", cast.namespace(), cast.nonce("room").replace('-', ""));
            let others = [format!("{room}s"), format!("{room}-2"), format!("{room}/below"), shorter, joined];
            all([connected(cast, 1), taken(cast, 1, "first", &room, R::EvtSub007), untold(cast, &room, &others)])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/neighbours-of-a-deep-one",
        title: "A channel of five segments does not hear those that differ in a slash, in the last segment or in depth.",
        covers: &[R::EvtData006],
        steps: |cast| {
            let room = cast.channel("room");
            let others =
                ["ab/c/d", "a/b/cd", "a/bcd", "a/bc/e", "a/bc/d-2", "a/bc"].map(|path| format!("{room}/{path}"));
            let own = format!("{room}/a/bc/d");
            all([connected(cast, 1), taken(cast, 1, "first", &own, R::EvtSub007), untold(cast, &own, &others)])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/neighbours-of-a-long-one",
        title: "A channel does not hear those that differ in the last of fifty characters, or in a zero before a digit.",
        covers: &[R::EvtData006],
        steps: |cast| {
            let long = format!("/{}/{:x<49}", cast.namespace(), cast.nonce("room"));
            let others = [format!("{long}b/7"), format!("{long}a/07"), format!("{long}a/70")];
            let own = format!("{long}a/7");
            all([connected(cast, 1), taken(cast, 1, "first", &own, R::EvtSub007), untold(cast, &own, &others)])
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/empty-events-arrive",
        title: "Events that mean nothing, zero, false or an empty text reach their subscribers like any other.",
        covers: &[R::EvtData001],
        steps: |cast| {
            let channel = cast.channel("room");
            let each = [Json::Null, json!(0), json!(false), json!(""), json!([])].into_iter().map(|value| {
                let arrived = Pattern::with_id("data", "first").has("event", Shape::Present);
                let sent = cast.http_publish(&channel, &[value]);
                vec![called(sent, vec![Answer::status(200)], R::EvtHttp004), expect(1, arrived, R::EvtData001)]
            });
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![warmed(cast, 1, "first", &channel), Step::Quiet { conn: 1 }],
                all(each),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/each-of-a-batch",
        title: "Each event of a publish over a connection reaches its subscribers, on that connection and on another.",
        covers: &[R::EvtData003],
        steps: |cast| {
            let channel = cast.channel("room");
            let nonces = [1, 2, 3, 4, 5].map(|n| cast.nonce(&format!("event-{n}")));
            let events = nonces.each_ref().map(|nonce| json!(nonce));
            let all_heard = |conn, id: &str| nonces.iter().map(|n| heard(conn, id, n, R::EvtData003)).collect();
            all([
                connected(cast, 1),
                connected(cast, 2),
                subscribed(cast, 1, "own", &channel),
                subscribed(cast, 2, "other", &channel),
                vec![
                    warmed(cast, 1, "own", &channel),
                    warmed(cast, 2, "other", &channel),
                    say(1, cast.publish("batch", &channel, &events)),
                    expect(1, receipt("batch", 5), R::EvtPub003),
                ],
                all_heard(1, "own"),
                all_heard(2, "other"),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/unsubscribe/ids-alike",
        title: "An unsubscribe ends the subscription of its id and none whose id begins alike.",
        covers: &[R::EvtSub021],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let ids = ["5f0c2a9e-0001-4000-8000-1", "5f0c2a9e-0001-4000-8000-2", "5f0c2a9e-0001-4000-8000-10"];
            let [first, second, third] = ids;
            all([
                connected(cast, 1),
                all(ids.map(|id| subscribed(cast, 1, id, &channel))),
                ids.iter().map(|id| warmed(cast, 1, id, &channel)).collect(),
                ended(1, first, R::EvtSub021),
                vec![
                    published(cast, &channel, &nonce),
                    heard(1, second, &nonce, R::EvtSub021),
                    heard(1, third, &nonce, R::EvtSub021),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/fifty-in-a-row",
        title: "A subscription hears each of fifty events.",
        covers: &[R::EvtData001],
        steps: |cast| {
            let channel = cast.channel("room");
            let batch = |n: usize| {
                let nonces = [1, 2, 3, 4, 5].map(|k| cast.nonce(&format!("event-{n}-{k}")));
                let events = nonces.each_ref().map(|nonce| json!(nonce));
                let sent = called(cast.http_publish(&channel, &events), vec![Answer::status(200)], R::EvtHttp004);
                let each = nonces.iter().map(|nonce| heard(1, "first", nonce, R::EvtData001));
                std::iter::once(sent).chain(each).collect::<Vec<_>>()
            };
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![warmed(cast, 1, "first", &channel)],
                all((0..10).map(batch)),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/neighbours-of-a-wildcard",
        title: "A wildcard does not hear channels below one whose name begins like its prefix.",
        covers: &[R::EvtData006],
        steps: |cast| {
            let room = cast.channel("room");
            let others = [format!("{room}s/below"), format!("{room}-2/below/that"), format!("{room}s")];
            all([
                connected(cast, 1),
                taken(cast, 1, "first", &format!("{room}/*"), R::EvtChannel010),
                untold(cast, &format!("{room}/below"), &others),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/http/each-index-once",
        title: "The answer to a publish of five events over HTTP names each position once.",
        covers: &[R::EvtPub008],
        steps: |cast| {
            let events: Vec<_> = (1..=5).map(|n| json!(cast.nonce(&format!("event-{n}")))).collect();
            let answer = Answer::status(200).has("successful", Shape::Indices(5)).has("failed", Shape::Length(0));
            vec![called(cast.http_publish(&cast.channel("room"), &events), vec![answer], R::EvtPub008)]
        },
        ..QUICK
    },
    Scenario {
        id: "events/delivery/text-keeps-its-characters",
        title: "Text arrives with every character it was published with, however unusual.",
        covers: &[R::EvtPub027],
        steps: |cast| kept(cast, &texts(&cast.nonce("event"))),
        ..QUICK
    },
    Scenario {
        id: "events/delivery/values-keep-their-kind",
        title: "Numbers, truths and lists arrive as what they were published as.",
        covers: &[R::EvtPub027],
        steps: |cast| kept(cast, &values()),
        ..QUICK
    },
];

/// Publishes to each of the other channels, which the subscription `first` does not hear, and to its own.
fn untold(cast: &Cast, own: &str, others: &[String]) -> Vec<Step> {
    let mut steps = vec![warmed_by(cast, 1, "first", own, R::EvtData001)];
    for (n, other) in others.iter().enumerate() {
        let nonce = cast.nonce(&format!("event-{n}"));
        steps.push(forbidden(1, "first", &nonce, R::EvtData006));
        steps.push(published(cast, other, &nonce));
    }
    steps.extend(marked(cast, 1, "first", own, R::EvtData001));
    steps
}

/// Publishes each value, and waits for it.
fn kept(cast: &Cast, values: &[Json]) -> Vec<Step> {
    let channel = cast.channel("room");
    let each = values.iter().enumerate().map(|(n, value)| {
        let id = format!("p{n}");
        vec![
            say(1, cast.publish(&id, &channel, std::slice::from_ref(value))),
            expect(1, receipt(&id, 1), R::EvtPub003),
            heard_value(1, "first", value.clone(), R::EvtPub027),
        ]
    });
    all([
        connected(cast, 1),
        subscribed(cast, 1, "first", &channel),
        vec![warmed(cast, 1, "first", &channel)],
        all(each),
    ])
}

/// Text that tends to suffer on the way.
fn texts(nonce: &str) -> Vec<Json> {
    let odd = [
        "  blanks around  ",
        "e\u{301} is not \u{e9}",
        "\u{feff}mark\u{200b}",
        "line\r\nbreak\rs\n",
        "<b>&amp;</b> %41%20+",
        "\u{1f511}\u{10ffff}",
        "\u{b}\u{1f}",
        "007",
        "null",
        "true",
    ];
    let mut all: Vec<_> = odd.into_iter().map(|text| json_text(&format!("{text}{nonce}{text}"))).collect();
    all.push(json!({ "": nonce, "A b": "", "a B": "  ", "$ref": "007", "n": "null", "__proto__": "true" }));
    all.push(json_text(&format!("{nonce} {}", "long ".repeat(1_000))));
    all
}

/// Values whose kind is easily mistaken.
fn values() -> Vec<Json> {
    vec![
        json!(0),
        json!(-1),
        json!(0.1),
        json!(1e300),
        json!(-9_007_199_254_740_991_i64),
        json!(false),
        json!([null]),
        json!([[]]),
        json!([{}]),
        json!([0]),
        json!(["b", "a", "b", null, "null", ""]),
        json!({ "list": [], "one": ["x"], "map": {}, "none": null, "no": false, "zero": 0, "empty": "" }),
    ]
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-second-unsubscribe-unanswered",
        about: "answers the first unsubscribe of a connection only",
        breaks: R::EvtSub016,
        caught_by: "events/unsubscribe/each-of-three",
        how: edit("unsubscribe_success", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-second-unsubscribe-answered-twice",
        about: "answers the second unsubscribe of a connection twice",
        breaks: R::EvtSub016,
        caught_by: "events/unsubscribe/each-of-three",
        how: edit("unsubscribe_success", Nth::Only(2), Change::Duplicate),
    },
    Fault {
        name: "events-second-unknown-unsubscribe-unanswered",
        about: "answers the first unsubscribe of an unknown id only",
        breaks: R::EvtSub017,
        caught_by: "events/unsubscribe/unknown-ids-in-a-row",
        how: edit("unsubscribe_error", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-error-under-the-id-of-a-bystander",
        about: "sends the error for a message that is no operation under the id of a subscription",
        breaks: R::EvtErr005,
        caught_by: "events/errors/leave-the-bystander-alone",
        how: edit("error", Nth::Every, Change::OtherId),
    },
    Fault {
        name: "events-mangles-unusual-ids-of-refusals",
        about: "gives unusual ids of publishes that it refuses back as others",
        breaks: R::EvtErr005,
        caught_by: "events/errors/bear-unusual-ids",
        how: edit("publish_error", Nth::Every, Change::MangleUnusualId),
    },
    Fault {
        name: "events-another-subscription-interrupts",
        about: "loses the first event after another subscription of the connection was granted",
        breaks: R::EvtData001,
        caught_by: "events/delivery/another-subscription-interrupts-nothing",
        how: edit("data", Nth::Every, Change::DropAfterGrant),
    },
    Fault {
        name: "events-twice-where-subscriptions-share",
        about: "delivers twice where two subscriptions share a connection",
        breaks: R::EvtData004,
        caught_by: "events/delivery/another-subscription-interrupts-nothing",
        how: edit("data", Nth::Every, Change::DuplicateShared),
    },
    Fault {
        name: "events-leak-to-longer-names",
        about: "delivers to a channel what is published to one whose name begins like its own",
        breaks: R::EvtData006,
        caught_by: "events/channel/neighbours",
        how: How::Skip(Check::ChannelEnd),
    },
    Fault {
        name: "events-deep-channels-by-their-beginning",
        about: "takes a channel of five segments for every channel that begins like it",
        breaks: R::EvtData006,
        caught_by: "events/channel/neighbours-of-a-deep-one",
        how: How::Skip(Check::ChannelEnd),
    },
    Fault {
        name: "events-long-channels-by-their-beginning",
        about: "takes a long channel for every channel that begins like it",
        breaks: R::EvtData006,
        caught_by: "events/channel/neighbours-of-a-long-one",
        how: How::Skip(Check::ChannelEnd),
    },
    Fault {
        name: "events-zero-is-no-event",
        about: "does not deliver the event that is zero",
        breaks: R::EvtData001,
        caught_by: "events/delivery/empty-events-arrive",
        how: edit("data", Nth::Only(3), Change::Drop),
    },
    Fault {
        name: "events-batch-short-of-one",
        about: "delivers four of the five events of a publish",
        breaks: R::EvtData003,
        caught_by: "events/delivery/each-of-a-batch",
        how: edit("data", Nth::Only(5), Change::Drop),
    },
    Fault {
        name: "events-unsubscribe-of-ids-alike",
        about: "delivers nothing more to a connection once one of its subscriptions has ended",
        breaks: R::EvtSub021,
        caught_by: "events/unsubscribe/ids-alike",
        how: edit("data", Nth::From(10), Change::Drop),
    },
    Fault {
        name: "events-deaf-after-thirty",
        about: "delivers thirty events to a connection and no more",
        breaks: R::EvtData001,
        caught_by: "events/delivery/fifty-in-a-row",
        how: edit("data", Nth::From(31), Change::Drop),
    },
    Fault {
        name: "events-wildcard-of-parts-of-segments",
        about: "takes a wildcard for everything that begins like its prefix",
        breaks: R::EvtData006,
        caught_by: "events/channel/neighbours-of-a-wildcard",
        how: How::Skip(Check::WildcardSegment),
    },
    Fault {
        name: "events-http-index-told-twice",
        about: "names one position twice and another never in an HTTP answer",
        breaks: R::EvtPub008,
        caught_by: "events/http/each-index-once",
        how: edit_http(200, HttpChange::Set("successful.3.index", "2")),
    },
    Fault {
        name: "events-text-composed",
        about: "composes letters and their accents",
        breaks: R::EvtPub027,
        caught_by: "events/delivery/text-keeps-its-characters",
        how: edit("data", Nth::Every, Change::Rewrite(rewrites::composed)),
    },
    Fault {
        name: "events-empty-lists-become-null",
        about: "sends null in place of empty lists",
        breaks: R::EvtPub027,
        caught_by: "events/delivery/values-keep-their-kind",
        how: edit("data", Nth::Every, Change::Rewrite(rewrites::empty_lists_are_null)),
    },
];
