//! Ids of subscriptions: which are taken, and what they name.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::super::session_steps::{
    QUICK, beside_a_bystander, edit, forbidden, marked, pinged, taken, turned_down, warmed_by,
};
use super::super::steps::{all, any_of, connected, heard, published, subscribed, warmed};
use super::subscribe_with;
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Pattern, Scenario};

/// An id of 128 characters of every kind that is allowed.
fn longest_id() -> String {
    format!("aZ09_+-{}", "i".repeat(121))
}

pub(in super::super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/subscribe/shortest-and-longest-ids",
        title: "Ids of 1 and of 128 characters, with underscore, plus and hyphen, come back as they were sent.",
        covers: &[R::EvtSub002],
        steps: |cast| {
            let room = cast.channel("room");
            let ids = ["7".to_owned(), "_+-".to_owned(), longest_id()];
            let granted = ids.iter().flat_map(|id| taken(cast, 1, id, &room, R::EvtSub002)).collect();
            let warm = ids.iter().map(|id| warmed_by(cast, 1, id, &room, R::EvtSub002)).collect();
            all([connected(cast, 1), granted, warm])
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/bad-ids",
        title: "A subscribe whose id is empty, has 129 characters or other characters is refused.",
        covers: &[R::EvtErr011],
        steps: |cast| {
            let ids = ["i".repeat(129), String::new(), "a b".into(), "a.b".into(), "\u{e9}".into()];
            let refused = ids.iter().flat_map(|id| turned_down(cast, 1, id, &cast.channel("room"), R::EvtErr011));
            all([connected(cast, 1), refused.collect()])
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/id-in-use",
        title: "A subscribe whose id is in use is refused, and the subscription that has it goes on.",
        covers: &[R::EvtSub004, R::EvtSub022],
        steps: |cast| {
            let (room, nonce) = (cast.channel("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![warmed(cast, 1, "first", &room)],
                turned_down(cast, 1, "first", &cast.channel("other"), R::EvtSub004),
                vec![published(cast, &room, &nonce), heard(1, "first", &nonce, R::EvtSub022)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/id-and-channel-in-use",
        title: "A subscribe that repeats one that was granted, channel included, is refused.",
        covers: &[R::EvtSub004],
        steps: |cast| {
            let room = cast.channel("room");
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                turned_down(cast, 1, "first", &room, R::EvtSub004),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/same-id-on-two-connections",
        title: "The same id on two connections names two subscriptions, of which each hears its own channel.",
        covers: &[R::EvtSub005],
        steps: |cast| {
            let (one, two) = (cast.channel("one"), cast.channel("two"));
            let nonce = cast.nonce("event");
            all([
                connected(cast, 1),
                connected(cast, 2),
                taken(cast, 1, "same", &one, R::EvtSub005),
                taken(cast, 2, "same", &two, R::EvtSub005),
                vec![
                    warmed_by(cast, 1, "same", &one, R::EvtSub005),
                    warmed_by(cast, 2, "same", &two, R::EvtSub005),
                    forbidden(2, "same", &nonce, R::EvtSub005),
                    published(cast, &one, &nonce),
                    heard(1, "same", &nonce, R::EvtSub005),
                ],
                marked(cast, 2, "same", &two, R::EvtSub005),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/subscribe/id-of-another-type",
        title: "A subscribe whose id is a number, an object or an array is answered with an error and harms nobody.",
        covers: &[R::EvtSub023, R::SynAlive001, R::SynAlive002],
        hazard: true,
        steps: |cast| {
            let room = json!(cast.channel("room"));
            let odd = [json!(5), json!({}), json!([1]), json!(true)];
            let asked = odd.iter().map(|id| subscribe_with(cast, id, &room)).collect();
            let refused = || vec![Pattern::word("subscribe_error"), Pattern::word("error")];
            let told = odd.iter().map(|_| any_of(1, refused(), R::EvtSub023)).collect();
            let provoked = all([connected(cast, 1), asked]);
            beside_a_bystander(cast, provoked, all([told, pinged(1, R::EvtSub023)]))
        },
        ..QUICK
    },
];

pub(in super::super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-mangles-unusual-ids",
        about: "changes ids that have other characters than letters and digits",
        breaks: R::EvtSub002,
        caught_by: "events/subscribe/shortest-and-longest-ids",
        how: edit("subscribe_success", Nth::Every, Change::MangleUnusualId),
    },
    Fault {
        name: "events-mangles-unusual-ids-of-data",
        about: "delivers to ids that have other characters than letters and digits under another id",
        breaks: R::EvtSub002,
        caught_by: "events/subscribe/shortest-and-longest-ids",
        how: edit("data", Nth::Every, Change::MangleUnusualId),
    },
    Fault {
        name: "events-ids-of-all-connections-are-one",
        about: "delivers the events of one connection to the same id of another",
        breaks: R::EvtSub005,
        caught_by: "events/subscribe/same-id-on-two-connections",
        how: How::Skip(Check::ChannelMatch),
    },
    Fault {
        name: "events-duplicate-id-replaces",
        about: "replaces a subscription by a second one of the same id",
        breaks: R::EvtSub004,
        caught_by: "events/subscribe/id-in-use",
        how: How::Skip(Check::DuplicateId),
    },
    Fault {
        name: "events-duplicate-subscribe-is-granted-again",
        about: "grants a subscribe that repeats another",
        breaks: R::EvtSub004,
        caught_by: "events/subscribe/id-and-channel-in-use",
        how: How::Skip(Check::DuplicateId),
    },
    Fault {
        name: "events-duplicate-id-ends-the-first",
        about: "ends the subscription whose id a second one wants",
        breaks: R::EvtSub022,
        caught_by: "events/subscribe/id-in-use",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-any-id",
        about: "takes ids of any length and characters",
        breaks: R::EvtErr011,
        caught_by: "events/subscribe/bad-ids",
        how: How::Skip(Check::OperationIdSyntax),
    },
    Fault {
        name: "events-id-of-another-type-unanswered",
        about: "leaves a subscribe whose id is no string without an answer",
        breaks: R::EvtSub023,
        caught_by: "events/subscribe/id-of-another-type",
        how: How::Skip(Check::UnreadableAnswered),
    },
    Fault {
        name: "events-id-of-another-type-is-fatal",
        about: "ends its process on a subscribe whose id is no string",
        breaks: R::SynAlive001,
        caught_by: "events/subscribe/id-of-another-type",
        how: How::Trap(Trigger::Word("subscribe"), Reaction::Die),
    },
];
