//! Limits: subscriptions on a connection, the size of an event, the life of a connection.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::steps::{
    LARGE, MANY, QUICK, all, any_of, connected, edit, expect, forbidden, heard, marked, published, refusal, say,
    subscribed, subscribed_by, warmed,
};
use crate::fault::{Change, Fault, How, Nth};
use crate::scenario::cast::{PUBLISH_TO_CHANNEL, request_body};
use crate::scenario::{Answer, Capability, Cast, Conn, Need, Pattern, Scenario, Shape, Step, Tier, Wait};

/// Subscriptions that one connection holds. Source: GQL-LIMIT-002.
const SUBSCRIPTIONS_MAX: usize = 200;

/// Filler of an event just below the limit of 240 times 1024 bytes, and of one above it.
const BELOW: usize = 235_000;
const ABOVE: usize = 260_000;

/// A day and an hour, in seconds.
const DAY_AND_HOUR: u32 = 25 * 60 * 60;

/// As many subscriptions as one connection holds, `s1` to `s200`, each to a room of its own.
pub(super) fn filled(cast: &Cast, conn: Conn) -> Vec<Step> {
    all((1..=SUBSCRIPTIONS_MAX)
        .map(|n| format!("s{n}"))
        .map(|id| subscribed_by(cast, conn, &id, &cast.nonce(&id), R::GqlLimit002)))
}

/// The value of `data` with so many bytes beside the nonce.
fn bulky(nonce: &str, bytes: usize) -> String {
    json!({ "nonce": nonce, "filler": "x".repeat(bytes) }).to_string()
}

/// Publishes a large event.
fn published_bulky(cast: &Cast, room: &str, nonce: &str, bytes: usize, rule: R) -> Step {
    let variables = json!({ "n": room, "d": bulky(nonce, bytes) });
    Step::Call {
        request: cast.post(&request_body(PUBLISH_TO_CHANNEL, &variables)),
        any_of: vec![Answer::status(200).has("data.publish2channel", Shape::Object).has("errors", Shape::Nothing)],
        rule,
    }
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/limits/two-hundred-subscriptions",
        title: "One connection holds 200 subscriptions.",
        covers: &[R::GqlLimit002],
        needs: MANY,
        steps: |cast| all([connected(cast, 1), filled(cast, 1)]),
        ..QUICK
    },
    Scenario {
        id: "graphql/limits/one-subscription-too-many",
        title: "The 201st subscription of a connection is refused with a MaxSubscriptionsReachedError.",
        covers: &[R::GqlLimit003],
        needs: &[Need::Subscription, Need::Limits, Need::Capability(Capability::DefaultQuotas)],
        steps: |cast| {
            let types = &["MaxSubscriptionsReachedError", "MaxSubscriptionsReachedException"];
            let typed = Pattern::with_id("error", "surplus").has("payload.errors", Shape::ErrorType(types));
            let start = cast.start_channel("surplus", &cast.nonce("surplus"));
            all([connected(cast, 1), filled(cast, 1), vec![say(1, start), expect(1, typed, R::GqlLimit003)]])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/limits/subscriptions-survive-the-limit",
        title: "Reaching the limit of subscriptions does no harm to those that exist.",
        covers: &[R::GqlLimit004],
        needs: MANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("s1"), cast.nonce("event"));
            let start = cast.start_channel("surplus", &cast.nonce("surplus"));
            let answered = vec![refusal("surplus"), Pattern::with_id("start_ack", "surplus")];
            all([
                connected(cast, 1),
                filled(cast, 1),
                vec![
                    warmed(cast, 1, "s1", &room),
                    say(1, start),
                    any_of(1, answered, R::GqlLimit003),
                    published(cast, &room, &nonce),
                    heard(cast, 1, "s1", (&room, &nonce), R::GqlLimit004),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/limits/large-event",
        title: "An event of just below 240 KB is delivered.",
        covers: &[R::GqlSub012],
        needs: LARGE,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let whole = Pattern::with_id("data", "first")
                .has("payload.data.subscribe2channel.data", Shape::Is(Json::from(bulky(&nonce, BELOW))));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    published_bulky(cast, &room, &nonce, BELOW, R::GqlHttp002),
                    expect(1, whole, R::GqlSub012),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/limits/event-too-large",
        title: "An event of more than 240 KB is not delivered, and the mutation succeeds all the same.",
        covers: &[R::GqlLimit005, R::GqlLimit006],
        needs: LARGE,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    forbidden(1, "first", &nonce, R::GqlLimit005),
                    published_bulky(cast, &room, &nonce, ABOVE, R::GqlLimit006),
                ],
                marked(cast, 1, "first", &room, R::GqlLimit006),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/limits/life-of-a-day",
        title: "A connection is ended by the service 24 hours after it was opened.",
        covers: &[R::GqlLimit001],
        tier: Tier::Long,
        steps: |cast| {
            let ended = Step::Expect {
                conn: 1,
                any_of: vec![Pattern::closed()],
                rule: R::GqlLimit001,
                within: Wait::Seconds(DAY_AND_HOUR),
            };
            all([connected(cast, 1), vec![ended]])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-199-subscriptions",
        about: "holds 199 subscriptions on a connection",
        breaks: R::GqlLimit002,
        caught_by: "graphql/limits/two-hundred-subscriptions",
        how: How::Set(|policy| policy.subscriptions_max = 199),
    },
    Fault {
        name: "graphql-201-subscriptions",
        about: "holds 201 subscriptions on a connection",
        breaks: R::GqlLimit003,
        caught_by: "graphql/limits/one-subscription-too-many",
        how: How::Set(|policy| policy.subscriptions_max = 201),
    },
    Fault {
        name: "graphql-subscription-limit-ends-the-connection",
        about: "closes the connection when the limit of subscriptions is reached",
        breaks: R::GqlLimit004,
        caught_by: "graphql/limits/subscriptions-survive-the-limit",
        how: edit("error", Nth::Only(1), Change::CloseAfter(4429)),
    },
    Fault {
        name: "graphql-subscription-limit-of-another-type",
        about: "calls the limit of subscriptions LimitExceededError",
        breaks: R::GqlLimit003,
        caught_by: "graphql/limits/one-subscription-too-many",
        how: edit("error", Nth::Every, Change::Set("payload.errors.0.errorType", r#""LimitExceededError""#)),
    },
    Fault {
        name: "graphql-no-subscription-limit",
        about: "holds any number of subscriptions on a connection",
        breaks: R::GqlLimit003,
        caught_by: "graphql/limits/one-subscription-too-many",
        how: How::Skip(Check::SubscriptionLimit),
    },
    Fault {
        name: "graphql-small-events-only",
        about: "drops events of more than 128 KB",
        breaks: R::GqlSub012,
        caught_by: "graphql/limits/large-event",
        how: How::Set(|policy| policy.event_bytes_max = 128 * 1024),
    },
    Fault {
        name: "graphql-events-of-any-size",
        about: "delivers events of any size",
        breaks: R::GqlLimit005,
        caught_by: "graphql/limits/event-too-large",
        how: How::Skip(Check::EventSize),
    },
    Fault {
        name: "graphql-tells-of-dropped-events",
        about: "sends an error in place of an event that is too large",
        breaks: R::GqlLimit006,
        caught_by: "graphql/limits/event-too-large",
        how: edit(
            "data",
            Nth::Only(2),
            Change::Before(r#"{"type":"error","id":"first","payload":{"errors":[{"message":"too large"}]}}"#),
        ),
    },
    Fault {
        name: "graphql-lives-for-two-days",
        about: "keeps a connection for two days",
        breaks: R::GqlLimit001,
        caught_by: "graphql/limits/life-of-a-day",
        how: How::Set(|policy| policy.lifetime = std::time::Duration::from_secs(2 * 24 * 60 * 60)),
    },
];
