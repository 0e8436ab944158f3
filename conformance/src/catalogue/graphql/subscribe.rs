//! Beginning subscriptions: `start`, `start_ack`, and which ids and documents are taken.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::steps::{
    ANY, CHANNEL, QUICK, all, any_of, bad_start, beside_a_bystander, connected, edit, expect, forbidden, heard, marked,
    published, say, start_with_data, subscribed, subscribed_by, subscribed_to, warmed, warmed_by,
};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Cast, Pattern, Scenario, Shape, Step};

/// `start` that names the second of two operations.
fn start_named(cast: &Cast, id: &str, (first, second): (&str, &str)) -> String {
    let query = "subscription A($a: String!) { subscribe2channel(name: $a) { name data } } \
        subscription B($b: String!) { subscribe2channel(name: $b) { name data } }";
    let request = json!({ "query": query, "variables": { "a": first, "b": second }, "operationName": "B" });
    start_with_data(cast, id, &Json::from(request.to_string()))
}

/// `start` whose values stand in the document and which has no `variables`.
fn start_literal(cast: &Cast, id: &str, room: &str) -> String {
    let document = format!(r#"subscription {{ subscribe2channel(name: "{room}") {{ name data }} }}"#);
    cast.start(id, &document, &Json::Null)
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/subscribe/acknowledged",
        title: "A start is answered with one start_ack of the same id.",
        covers: &[R::GqlSub006],
        needs: ANY,
        steps: |cast| {
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &cast.nonce("one")),
                subscribed(cast, 1, "second", &cast.nonce("two")),
                vec![Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/subscribe/acknowledgement-has-no-payload",
        title: "A start_ack has no payload.",
        covers: &[R::GqlSub008],
        needs: ANY,
        steps: |cast| {
            let bare = Pattern::with_id("start_ack", "first").has("payload", Shape::Absent);
            all([
                connected(cast, 1),
                vec![say(1, cast.start_channel("first", &cast.nonce("room"))), expect(1, bare, R::GqlSub008)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/subscribe/unusual-ids",
        title: "Ids that are no UUID are accepted and come back as they were sent.",
        covers: &[R::GqlSub005],
        needs: ANY,
        steps: |cast| {
            let (room, long) = (cast.nonce("room"), "i".repeat(128));
            let ids = ["7", "room/1 (a)", "ключ-\u{1f511}", &long];
            all([connected(cast, 1)]
                .into_iter()
                .chain(ids.into_iter().map(|id| subscribed_by(cast, 1, id, &room, R::GqlSub005))))
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/subscribe/ten-at-once",
        title: "One connection carries ten subscriptions at the same time.",
        covers: &[R::GqlSub011],
        needs: ANY,
        steps: |cast| {
            let ids: Vec<_> = (1..=10).map(|n| format!("s{n}")).collect();
            let starts = ids.iter().map(|id| say(1, cast.start_channel(id, &cast.nonce(id)))).collect();
            let acks = ids.iter().map(|id| expect(1, Pattern::with_id("start_ack", id), R::GqlSub011)).collect();
            all([connected(cast, 1), starts, acks])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/subscribe/last-of-ten-hears",
        title: "The tenth subscription of a connection hears its events as the first does.",
        covers: &[R::GqlSub011],
        needs: ANY,
        steps: |cast| {
            let ids: Vec<_> = (1..=10).map(|n| format!("s{n}")).collect();
            let starts = ids.iter().map(|id| subscribed_by(cast, 1, id, &cast.nonce(id), R::GqlSub011));
            let warm = ["s1", "s10"].map(|id| warmed_by(cast, 1, id, &cast.nonce(id), R::GqlSub011));
            all([connected(cast, 1)].into_iter().chain(starts).chain([warm.to_vec()]))
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/subscribe/values-in-the-document",
        title: "A start without variables, whose values stand in the document, is accepted and hears its events.",
        covers: &[R::GqlSub006],
        needs: CHANNEL,
        steps: |cast| {
            let room = cast.nonce("room");
            let start = start_literal(cast, "first", &room);
            all([
                connected(cast, 1),
                vec![say(1, start), expect(1, Pattern::with_id("start_ack", "first"), R::GqlSub006)],
                vec![warmed_by(cast, 1, "first", &room, R::GqlSub006)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/subscribe/operation-name",
        title: "An operationName selects one of several subscriptions of a document.",
        covers: &[R::GqlSub032, R::SynAlive001, R::SynAlive002],
        needs: CHANNEL,
        hazard: true,
        steps: |cast| {
            let (other, room, nonce) = (cast.nonce("other"), cast.nonce("room"), cast.nonce("event"));
            let start = start_named(cast, "named", (&other, &room));
            beside_a_bystander(
                cast,
                all([connected(cast, 1), vec![say(1, start)]]),
                all([
                    vec![
                        expect(1, Pattern::with_id("start_ack", "named"), R::GqlSub032),
                        warmed_by(cast, 1, "named", &room, R::GqlSub032),
                        forbidden(1, "named", &nonce, R::GqlSub032),
                        published(cast, &other, &nonce),
                    ],
                    marked(cast, 1, "named", &room, R::GqlSub032),
                ]),
            )
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/subscribe/refused-and-not-acknowledged",
        title: "A start that is refused gets no start_ack.",
        covers: &[R::GqlSub007, R::GqlSub006],
        steps: |cast| {
            let refused = vec![Pattern::with_id("error", "bad"), Pattern::without_id("error")];
            all([
                connected(cast, 1),
                vec![say(1, bad_start(cast, "bad")), any_of(1, refused, R::GqlSub007), Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/subscribe/no-data-before-the-acknowledgement",
        title: "No event arrives ahead of the start_ack of its subscription.",
        covers: &[R::GqlSub009],
        needs: ANY,
        steps: |cast| {
            let room = cast.nonce("room");
            let early: Vec<_> = (1..=3).map(|n| published(cast, &room, &cast.nonce(&format!("early-{n}")))).collect();
            all([
                connected(cast, 1),
                vec![say(1, cast.start_channel("first", &room))],
                early,
                vec![expect(1, Pattern::with_id("start_ack", "first"), R::GqlSub006), warmed(cast, 1, "first", &room)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/subscribe/same-document-twice",
        title: "The same subscription can be started twice under two ids.",
        covers: &[R::GqlSub011],
        needs: ANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let (document, variables) = cast.subscription(&room);
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", &document, &variables),
                subscribed_by(cast, 1, "second", &room, R::GqlSub011),
                vec![
                    warmed(cast, 1, "first", &room),
                    warmed_by(cast, 1, "second", &room, R::GqlSub011),
                    published(cast, &room, &nonce),
                    heard(cast, 1, "second", (&room, &nonce), R::GqlSub011),
                ],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-mangles-unusual-ids",
        about: "changes ids that have other characters than letters and digits",
        breaks: R::GqlSub005,
        caught_by: "graphql/subscribe/unusual-ids",
        how: edit("start_ack", Nth::Every, Change::MangleUnusualId),
    },
    Fault {
        name: "graphql-data-before-ack",
        about: "sends the first event ahead of start_ack",
        breaks: R::GqlSub009,
        caught_by: "graphql/subscribe/no-data-before-the-acknowledgement",
        how: edit("start_ack", Nth::Only(1), Change::HoldBack),
    },
    Fault {
        name: "graphql-acks-the-other-id",
        about: "acknowledges the id of another subscription",
        breaks: R::GqlSub006,
        caught_by: "graphql/subscribe/acknowledged",
        how: edit("start_ack", Nth::Only(2), Change::OtherId),
    },
    Fault {
        name: "graphql-acks-a-start-twice",
        about: "acknowledges each start twice",
        breaks: R::GqlSub006,
        caught_by: "graphql/subscribe/acknowledged",
        how: edit("start_ack", Nth::Only(2), Change::Duplicate),
    },
    Fault {
        name: "graphql-second-start-unanswered",
        about: "answers the first start of a connection only",
        breaks: R::GqlSub006,
        caught_by: "graphql/subscribe/acknowledged",
        how: edit("start_ack", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "graphql-ack-then-refusal",
        about: "acknowledges what it then refuses",
        breaks: R::GqlSub007,
        caught_by: "graphql/subscribe/refused-and-not-acknowledged",
        how: edit("error", Nth::Every, Change::Before(r#"{"type":"start_ack","id":"bad"}"#)),
    },
    Fault {
        name: "graphql-refusal-then-ack",
        about: "refuses what it then acknowledges",
        breaks: R::GqlSub006,
        caught_by: "graphql/subscribe/refused-and-not-acknowledged",
        how: edit("error", Nth::Every, Change::After(r#"{"type":"start_ack","id":"bad"}"#)),
    },
    Fault {
        name: "graphql-subscribes-unchecked",
        about: "acknowledges documents that it does not understand",
        breaks: R::GqlSub007,
        caught_by: "graphql/subscribe/refused-and-not-acknowledged",
        how: How::Skip(Check::DocumentChecked),
    },
    Fault {
        name: "graphql-start-ack-with-payload",
        about: "gives start_ack a payload",
        breaks: R::GqlSub008,
        caught_by: "graphql/subscribe/acknowledgement-has-no-payload",
        how: edit("start_ack", Nth::Every, Change::Set("payload", "{}")),
    },
    Fault {
        name: "graphql-nine-subscriptions",
        about: "holds nine subscriptions on a connection",
        breaks: R::GqlSub011,
        caught_by: "graphql/subscribe/ten-at-once",
        how: How::Set(|policy| policy.subscriptions_max = 9),
    },
    Fault {
        name: "graphql-late-subscriptions-are-deaf",
        about: "delivers to one subscription of a connection only",
        breaks: R::GqlSub011,
        caught_by: "graphql/subscribe/last-of-ten-hears",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "graphql-one-subscription-for-one-document",
        about: "delivers an event to one subscription of a connection only",
        breaks: R::GqlSub011,
        caught_by: "graphql/subscribe/same-document-twice",
        how: How::Skip(Check::EverySubscription),
    },
    Fault {
        name: "graphql-start-ack-without-id",
        about: "leaves the id out of start_ack",
        breaks: R::GqlSub006,
        caught_by: "graphql/subscribe/values-in-the-document",
        how: edit("start_ack", Nth::Every, Change::Remove("id")),
    },
    Fault {
        name: "graphql-operation-name-refused",
        about: "answers a document of two operations with an error",
        breaks: R::GqlSub032,
        caught_by: "graphql/subscribe/operation-name",
        how: edit("start_ack", Nth::Every, Change::Rename("error")),
    },
    Fault {
        name: "graphql-operation-name-is-fatal",
        about: "ends its process on a document of two operations",
        breaks: R::SynAlive001,
        caught_by: "graphql/subscribe/operation-name",
        how: How::Trap(Trigger::LongerThan(400), Reaction::Die),
    },
    Fault {
        name: "graphql-start-unanswered",
        about: "does not answer a start",
        breaks: R::GqlSub006,
        caught_by: "graphql/subscribe/acknowledged",
        how: How::Skip(Check::SubscribeAnswered),
    },
];
