//! Keep-alive: the first `ka`, those after it, and what they look like.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::steps::{ANY, QUICK, all, connected, edit, expect, pinged, stopped, subscribed, subscribed_by};
use crate::fault::{Change, Fault, How, Nth};
use crate::scenario::{Conn, Pattern, Scenario, Shape, Step, Tier, Wait};

/// Waits for one more keep-alive.
fn beat(conn: Conn, rule: R) -> Step {
    Step::Expect { conn, any_of: vec![Pattern::word("ka")], rule, within: Wait::KeepAlive }
}

/// Waits for one more keep-alive, however rare they are.
fn late_beat(conn: Conn, rule: R) -> Step {
    Step::Expect { conn, any_of: vec![Pattern::word("ka")], rule, within: Wait::Seconds(310) }
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/keepalive/first",
        title: "The first keep-alive follows the acknowledgement at once.",
        covers: &[R::GqlKa002],
        steps: |cast| all([connected(cast, 1), vec![expect(1, Pattern::word("ka"), R::GqlKa002)]]),
        ..QUICK
    },
    Scenario {
        id: "graphql/keepalive/form",
        title: "A keep-alive has neither id nor payload.",
        covers: &[R::GqlKa009],
        tier: Tier::Standard,
        steps: |cast| {
            let bare = Pattern::word("ka").has("id", Shape::Absent).has("payload", Shape::Absent);
            let step = Step::Expect { conn: 1, any_of: vec![bare], rule: R::GqlKa009, within: Wait::KeepAlive };
            all([connected(cast, 1), vec![step]])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/keepalive/goes-on",
        title: "A connection with a subscription gets keep-alives again and again.",
        covers: &[R::GqlKa001],
        needs: ANY,
        tier: Tier::Standard,
        steps: |cast| {
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &cast.nonce("room")),
                vec![beat(1, R::GqlKa001), beat(1, R::GqlKa001)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/keepalive/in-time",
        title: "The time between two keep-alives is shorter than the timeout that the acknowledgement names.",
        covers: &[R::GqlKa004],
        tier: Tier::Standard,
        steps: |cast| all([connected(cast, 1), vec![beat(1, R::GqlKa004), beat(1, R::GqlKa004)]]),
        ..QUICK
    },
    Scenario {
        id: "graphql/keepalive/goes-on-without-subscription",
        title: "A connection whose last subscription has ended still gets keep-alives.",
        covers: &[R::GqlKa010],
        needs: ANY,
        tier: Tier::Standard,
        steps: |cast| {
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &cast.nonce("room")),
                stopped(1, "first"),
                vec![beat(1, R::GqlKa010), beat(1, R::GqlKa010)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/keepalive/unanswered",
        title: "A connection on which the client never answers a keep-alive stays open and usable.",
        covers: &[R::GqlKa008],
        needs: ANY,
        tier: Tier::Long,
        steps: |cast| {
            all([
                connected(cast, 1),
                vec![late_beat(1, R::GqlKa008), late_beat(1, R::GqlKa008), late_beat(1, R::GqlKa008)],
                pinged(1, R::GqlKa008),
                subscribed_by(cast, 1, "late", &cast.nonce("room"), R::GqlKa008),
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-ka-stops-after-two",
        about: "sends two keep-alives and no more",
        breaks: R::GqlKa001,
        caught_by: "graphql/keepalive/goes-on",
        how: edit("ka", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "graphql-ka-slower-than-promised",
        about: "sends keep-alives more rarely than the acknowledgement says",
        breaks: R::GqlKa004,
        caught_by: "graphql/keepalive/in-time",
        how: How::Set(|policy| policy.keep_alive = std::time::Duration::from_secs(400)),
    },
    Fault {
        name: "graphql-ka-with-payload",
        about: "gives keep-alives a payload",
        breaks: R::GqlKa009,
        caught_by: "graphql/keepalive/form",
        how: edit("ka", Nth::Every, Change::Set("payload", "{}")),
    },
    Fault {
        name: "graphql-ka-with-id",
        about: "gives keep-alives an id",
        breaks: R::GqlKa009,
        caught_by: "graphql/keepalive/form",
        how: edit("ka", Nth::Every, Change::Set("id", r#""1""#)),
    },
    Fault {
        name: "graphql-ka-wants-an-answer",
        about: "closes the connection when a keep-alive is not answered",
        breaks: R::GqlKa008,
        caught_by: "graphql/keepalive/unanswered",
        how: edit("ka", Nth::Only(3), Change::CloseInstead(1000)),
    },
    Fault {
        name: "graphql-first-ka-held-back",
        about: "sends the first keep-alive with the next message only",
        breaks: R::GqlKa002,
        caught_by: "graphql/keepalive/first",
        how: edit("ka", Nth::Only(1), Change::HoldBack),
    },
    Fault {
        name: "graphql-ka-by-another-word",
        about: "says ping in place of ka",
        breaks: R::GqlKa010,
        caught_by: "graphql/keepalive/goes-on-without-subscription",
        how: edit("ka", Nth::From(2), Change::Rename("ping")),
    },
    Fault {
        name: "graphql-no-ka",
        about: "sends no keep-alive after the first",
        breaks: R::GqlKa001,
        caught_by: "graphql/keepalive/goes-on",
        how: How::Skip(Check::KeepAlives),
    },
    Fault {
        name: "graphql-no-first-ka",
        about: "sends the first keep-alive a minute after the acknowledgement",
        breaks: R::GqlKa002,
        caught_by: "graphql/keepalive/first",
        how: How::Skip(Check::FirstKeepAlive),
    },
];
