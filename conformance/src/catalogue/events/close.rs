//! The end of a connection: who closes, when, and what it leaves behind.

use std::time::Duration;

use appsync_protocol::handshake::Carrier;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::publish_steps::{QUICK, edit, marked, pinged, warmed_by};
use super::session_steps::open_in_vain;
use super::steps::{all, any_of, connected, expect, heard, published, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Pattern, Scenario, Step, Tier, Wait};

/// A day and some time for the server to notice.
const A_DAY: u32 = 86_500;

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/close/closing-handshake",
        title: "A close frame of the client is answered with a close frame.",
        covers: &[R::EvtClose007],
        steps: |cast| {
            all([
                connected(cast, 1),
                vec![Step::Hangup { conn: 1, code: Some(1000) }, expect(1, Pattern::close_frame(), R::EvtClose007)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/close/ids-after-a-loss",
        title: "After a connection was lost without a close, another one can use the same ids at once.",
        covers: &[R::EvtClose010],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            let taken = |id: &str| {
                let success = Pattern::with_id("subscribe_success", id);
                vec![say(2, cast.subscribe(id, &channel)), expect(2, success, R::EvtClose010)]
            };
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &channel),
                vec![warmed(cast, 1, "first", &channel), Step::Hangup { conn: 1, code: None }],
                connected(cast, 2),
                taken("other"),
                taken("first"),
                vec![
                    warmed_by(cast, 2, "first", &channel, R::EvtClose010),
                    published(cast, &channel, &nonce),
                    heard(2, "first", &nonce, R::EvtClose010),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/close/open-without-subscriptions",
        title: "A connection without any subscription stays open for as long as it is kept alive.",
        covers: &[R::EvtClose009],
        tier: Tier::Long,
        steps: |cast| {
            let kept = || Step::Expect {
                conn: 1,
                any_of: vec![Pattern::word("ka")],
                rule: R::EvtClose009,
                within: Wait::KeepAlive,
            };
            all([connected(cast, 1), (0..6).map(|_| kept()).collect(), pinged(1, R::EvtClose009)])
        },
        ..QUICK
    },
    Scenario {
        id: "events/close/end-after-a-day",
        title: "The server ends a connection that is 24 hours old.",
        covers: &[R::EvtLimit011, R::EvtClose003],
        tier: Tier::Long,
        steps: |cast| {
            let ended = Step::Expect {
                conn: 1,
                any_of: vec![Pattern::closed()],
                rule: R::EvtLimit011,
                within: Wait::Seconds(A_DAY),
            };
            all([connected(cast, 1), vec![ended]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/close/after-a-refusal",
        title: "The server closes a connection that it has refused with connection_error.",
        covers: &[R::EvtClose008],
        steps: |cast| {
            let request = cast.upgrade(Carrier::Subprotocol, &cast.wrong_credentials());
            let told = vec![Pattern::word("connection_error"), Pattern::closed().ends()];
            let closed = Step::Expect {
                conn: 1,
                any_of: vec![Pattern::closed()],
                rule: R::EvtClose008,
                within: Wait::Seconds(15),
            };
            vec![
                open_in_vain(1, request, R::EvtAuth027),
                say(1, r#"{"type":"connection_init"}"#),
                any_of(1, told, R::EvtAuth027),
                closed,
            ]
        },
        ..QUICK
    },
    Scenario {
        id: "events/close/subscriptions-end",
        title: "A new connection hears nothing of what the lost one had subscribed to.",
        covers: &[R::EvtSub020],
        steps: |cast| {
            let (gone, other, nonce) = (cast.channel("gone"), cast.channel("other"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &gone),
                vec![warmed(cast, 1, "first", &gone), Step::Hangup { conn: 1, code: None }],
                connected(cast, 2),
                subscribed(cast, 2, "second", &other),
                vec![
                    warmed(cast, 2, "second", &other),
                    Step::Forbid { conn: 2, id: None, nonce: nonce.clone(), rule: R::EvtSub020 },
                    published(cast, &gone, &nonce),
                ],
                marked(cast, 2, "second", &other, R::EvtSub020),
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-close-without-answer",
        about: "drops the transport when the client closes",
        breaks: R::EvtClose007,
        caught_by: "events/close/closing-handshake",
        how: How::Trap(Trigger::Close, Reaction::Lose),
    },
    Fault {
        name: "events-ids-outlive-a-loss",
        about: "refuses an id that a lost connection had used",
        breaks: R::EvtClose010,
        caught_by: "events/close/ids-after-a-loss",
        how: edit("subscribe_success", Nth::Only(2), Change::Rename("subscribe_error")),
    },
    Fault {
        name: "events-idle-connections-closed",
        about: "closes a connection after three keep-alives",
        breaks: R::EvtClose009,
        caught_by: "events/close/open-without-subscriptions",
        how: edit("ka", Nth::Only(3), Change::CloseInstead(1001)),
    },
    Fault {
        name: "events-idle-connections-dropped",
        about: "drops a connection after five keep-alives",
        breaks: R::EvtClose009,
        caught_by: "events/close/open-without-subscriptions",
        how: edit("ka", Nth::Only(6), Change::LoseInstead),
    },
    Fault {
        name: "events-endless-connections",
        about: "keeps connections for ever",
        breaks: R::EvtLimit011,
        caught_by: "events/close/end-after-a-day",
        how: How::Set(|policy| policy.lifetime = Duration::from_secs(7 * 86_400)),
    },
    Fault {
        name: "events-connections-of-25-hours",
        about: "keeps connections for 25 hours",
        breaks: R::EvtLimit011,
        caught_by: "events/close/end-after-a-day",
        how: How::Set(|policy| policy.lifetime = Duration::from_secs(25 * 3600)),
    },
    Fault {
        name: "events-open-after-a-refusal",
        about: "leaves a refused connection open",
        breaks: R::EvtClose008,
        caught_by: "events/close/after-a-refusal",
        how: How::Skip(Check::CloseAfterRefusal),
    },
    Fault {
        name: "events-new-connection-inherits",
        about: "sends a new connection what the lost one had subscribed to",
        breaks: R::EvtSub020,
        caught_by: "events/close/subscriptions-end",
        how: How::Skip(Check::ChannelMatch),
    },
];
