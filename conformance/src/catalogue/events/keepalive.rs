//! Keep-alive: how often `ka` comes, what it looks like, and pings of the WebSocket layer.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use appsync_protocol::wire::OwnedFrame;

use super::session_steps::{QUICK, edit, ended, pinged, taken};
use super::steps::{all, any_of, connected, expect, say, subscribed};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Cast, Conn, Pattern, Scenario, Shape, Step, Tier, Wait};

/// Waits for one more keep-alive.
fn beat(conn: Conn, rule: R) -> Step {
    Step::Expect { conn, any_of: vec![Pattern::word("ka")], rule, within: Wait::KeepAlive }
}

/// Waits for one more keep-alive, however rare they are.
fn late_beat(conn: Conn, rule: R) -> Step {
    Step::Expect { conn, any_of: vec![Pattern::word("ka")], rule, within: Wait::Seconds(310) }
}

/// Connection 1 has no subscription, and connection 2 has none any more.
fn idle(cast: &Cast) -> Vec<Step> {
    all([
        connected(cast, 1),
        connected(cast, 2),
        subscribed(cast, 2, "first", &cast.channel("room")),
        ended(2, "first", R::EvtSub016),
    ])
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/keepalive/form",
        title: "A keep-alive has no id.",
        covers: &[R::EvtKa004],
        tier: Tier::Standard,
        steps: |cast| {
            let bare = Pattern::word("ka").has("id", Shape::Absent);
            let step = Step::Expect { conn: 1, any_of: vec![bare], rule: R::EvtKa004, within: Wait::KeepAlive };
            all([connected(cast, 1), vec![step]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/keepalive/period",
        title: "A connection with a subscription gets a keep-alive in time.",
        covers: &[R::EvtKa001],
        tier: Tier::Standard,
        steps: |cast| {
            all([connected(cast, 1), subscribed(cast, 1, "first", &cast.channel("room")), vec![beat(1, R::EvtKa001)]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/keepalive/without-subscriptions",
        title: "A connection without subscriptions, and one whose last has ended, get a keep-alive in time.",
        covers: &[R::EvtKa006],
        tier: Tier::Standard,
        steps: |cast| all([idle(cast), vec![beat(1, R::EvtKa006), beat(2, R::EvtKa006)]]),
        ..QUICK
    },
    Scenario {
        id: "events/keepalive/goes-on-without-subscriptions",
        title: "A connection without subscriptions, and one whose last has ended, get keep-alives again and again.",
        covers: &[R::EvtKa006],
        tier: Tier::Long,
        steps: |cast| {
            all([
                idle(cast),
                vec![beat(1, R::EvtKa006), beat(2, R::EvtKa006)],
                vec![beat(1, R::EvtKa006), beat(2, R::EvtKa006)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/keepalive/unanswered",
        title: "A connection on which the client never answers a keep-alive stays open and usable.",
        covers: &[R::EvtKa002, R::EvtKa007],
        tier: Tier::Long,
        steps: |cast| {
            all([
                connected(cast, 1),
                vec![late_beat(1, R::EvtKa002), late_beat(1, R::EvtKa002), late_beat(1, R::EvtKa002)],
                pinged(1, R::EvtKa002),
                taken(cast, 1, "late", &cast.channel("room"), R::EvtKa007),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/keepalive/ping",
        title: "Pings are answered by pongs with the same application data, with none and with the longest.",
        covers: &[R::EvtKa008],
        steps: |cast| {
            let long = [b'p'; 125];
            let payloads: [&[u8]; 3] = [b"short", b"", &long];
            let pinged = payloads.into_iter().flat_map(|payload| {
                let frame = OwnedFrame::Ping(payload.to_vec());
                [Step::Send { conn: 1, frame }, expect(1, Pattern::pong(payload), R::EvtKa008)]
            });
            all([connected(cast, 1), pinged.collect()])
        },
        ..QUICK
    },
    Scenario {
        id: "events/keepalive/from-the-client",
        title: "A keep-alive that a client sends is ignored or answered with an error, and the connection goes on.",
        covers: &[R::EvtKa010],
        steps: |cast| {
            let granted = || Pattern::with_id("subscribe_success", "after");
            let first = vec![Pattern::without_id("error"), granted().ends()];
            all([
                connected(cast, 1),
                vec![
                    say(1, r#"{"type":"ka"}"#),
                    say(1, cast.subscribe("after", &cast.channel("room"))),
                    any_of(1, first, R::EvtKa010),
                    expect(1, granted(), R::EvtKa010),
                ],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-ka-stops-when-idle",
        about: "sends a connection without subscriptions one keep-alive and no more",
        breaks: R::EvtKa006,
        caught_by: "events/keepalive/goes-on-without-subscriptions",
        how: edit("ka", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-idle-connection-is-closed",
        about: "closes a connection in place of its first keep-alive",
        breaks: R::EvtKa006,
        caught_by: "events/keepalive/without-subscriptions",
        how: edit("ka", Nth::Only(1), Change::CloseInstead(1000)),
    },
    Fault {
        name: "events-ka-slower-than-promised",
        about: "sends keep-alives more rarely than the acknowledgement says",
        breaks: R::EvtKa001,
        caught_by: "events/keepalive/period",
        how: How::Set(|policy| policy.keep_alive = std::time::Duration::from_secs(400)),
    },
    Fault {
        name: "events-ka-with-null-id",
        about: "gives keep-alives an id of null",
        breaks: R::EvtKa004,
        caught_by: "events/keepalive/form",
        how: edit("ka", Nth::Every, Change::Set("id", "null")),
    },
    Fault {
        name: "events-ka-with-id",
        about: "gives keep-alives an id",
        breaks: R::EvtKa004,
        caught_by: "events/keepalive/form",
        how: edit("ka", Nth::Every, Change::Set("id", r#""1""#)),
    },
    Fault {
        name: "events-ka-wants-an-answer",
        about: "closes the connection when keep-alives are not answered",
        breaks: R::EvtKa002,
        caught_by: "events/keepalive/unanswered",
        how: edit("ka", Nth::Only(3), Change::CloseInstead(1000)),
    },
    Fault {
        name: "events-listeners-lose-their-place",
        about: "answers no subscribe on a connection that was idle for long",
        breaks: R::EvtKa007,
        caught_by: "events/keepalive/unanswered",
        how: How::Skip(Check::SubscribeAnswered),
    },
    Fault {
        name: "events-ka-by-another-word",
        about: "says ping in place of ka",
        breaks: R::EvtKa001,
        caught_by: "events/keepalive/period",
        how: edit("ka", Nth::Every, Change::Rename("ping")),
    },
    Fault {
        name: "events-ka-under-an-empty-name",
        about: "sends keep-alives whose type stands under another name",
        breaks: R::EvtKa001,
        caught_by: "events/keepalive/period",
        how: edit("ka", Nth::Every, Change::Remove("type")),
    },
    Fault {
        name: "events-no-ka",
        about: "sends no keep-alive",
        breaks: R::EvtKa001,
        caught_by: "events/keepalive/period",
        how: How::Skip(Check::KeepAlives),
    },
    Fault {
        name: "events-deaf-to-pings",
        about: "does not answer pings",
        breaks: R::EvtKa008,
        caught_by: "events/keepalive/ping",
        how: How::Trap(Trigger::Ping, Reaction::Ignore),
    },
    Fault {
        name: "events-ping-is-unwelcome",
        about: "closes the connection on a ping",
        breaks: R::EvtKa008,
        caught_by: "events/keepalive/ping",
        how: How::Trap(Trigger::Ping, Reaction::Close(1003)),
    },
    Fault {
        name: "events-ka-of-a-client-closes",
        about: "closes the connection when the client sends a keep-alive",
        breaks: R::EvtKa010,
        caught_by: "events/keepalive/from-the-client",
        how: How::Trap(Trigger::Word("ka"), Reaction::Close(1002)),
    },
    Fault {
        name: "events-ka-of-a-client-refuses-the-connection",
        about: "answers the keep-alive of a client with connection_error",
        breaks: R::EvtKa010,
        caught_by: "events/keepalive/from-the-client",
        how: edit("error", Nth::Every, Change::Rename("connection_error")),
    },
];
