//! Ending subscriptions: `unsubscribe`, its answers, and what has to stay as it is.

use appsync_protocol::json::json_text;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::session_steps::{QUICK, edit, ended, forbidden, marked, taken, unsubscribe, warmed_by};
use super::steps::{all, connected, expect, heard, published, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Pattern, Scenario, Shape, Step};

/// Unsubscribes an id that names no subscription.
fn unknown(id: &str, rule: R) -> Vec<Step> {
    let told = Pattern::with_id("unsubscribe_error", id).has("errors", Shape::ErrorType(&["UnknownOperationError"]));
    vec![say(1, unsubscribe(id)), expect(1, told, rule)]
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/unsubscribe/acknowledged",
        title: "An unsubscribe is answered with one unsubscribe_success of the same id.",
        covers: &[R::EvtSub016],
        steps: |cast| {
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &cast.channel("one")),
                subscribed(cast, 1, "second", &cast.channel("two")),
                ended(1, "first", R::EvtSub016),
                vec![Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/unsubscribe/unknown-id",
        title: "An unsubscribe of an id that was never used is answered with unsubscribe_error.",
        covers: &[R::EvtSub017],
        steps: |cast| {
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &cast.channel("room")),
                unknown("never", R::EvtSub017),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/unsubscribe/twice",
        title: "A second unsubscribe of the same id is answered with unsubscribe_error.",
        covers: &[R::EvtSub017],
        steps: |cast| {
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &cast.channel("room")),
                ended(1, "first", R::EvtSub016),
                unknown("first", R::EvtSub017),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/unsubscribe/id-of-a-publish",
        title: "An unsubscribe with the id of a publish is answered with unsubscribe_error.",
        covers: &[R::EvtSub025],
        steps: |cast| {
            let publish = cast.publish("publish", &cast.channel("room"), &[json_text(&cast.nonce("event"))]);
            all([
                connected(cast, 1),
                vec![say(1, publish), expect(1, Pattern::with_id("publish_success", "publish"), R::EvtPub007)],
                unknown("publish", R::EvtSub025),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/unsubscribe/nothing-after-it",
        title: "After unsubscribe_success no event follows for that id.",
        covers: &[R::EvtSub018],
        steps: |cast| {
            let (room, nonce) = (cast.channel("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                subscribed(cast, 1, "second", &room),
                vec![warmed(cast, 1, "first", &room), warmed(cast, 1, "second", &room)],
                ended(1, "first", R::EvtSub016),
                vec![
                    forbidden(1, "first", &nonce, R::EvtSub018),
                    published(cast, &room, &nonce),
                    heard(1, "second", &nonce, R::EvtSub021),
                ],
                marked(cast, 1, "second", &room, R::EvtSub021),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/unsubscribe/spares-the-others",
        title: "Ending one subscription leaves the others of the connection as they are, also on the same channel.",
        covers: &[R::EvtSub021],
        steps: |cast| {
            let (room, other) = (cast.channel("room"), cast.channel("other"));
            let (nonce, last) = (cast.nonce("event"), cast.nonce("last"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                subscribed(cast, 1, "same", &room),
                subscribed(cast, 1, "other", &other),
                vec![warmed(cast, 1, "same", &room), warmed(cast, 1, "other", &other)],
                ended(1, "first", R::EvtSub016),
                vec![
                    published(cast, &room, &nonce),
                    heard(1, "same", &nonce, R::EvtSub021),
                    published(cast, &other, &last),
                    heard(1, "other", &last, R::EvtSub021),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/unsubscribe/spares-other-connections",
        title: "Ending a subscription leaves the one with the same id and channel on another connection as it is.",
        covers: &[R::EvtSub021],
        steps: |cast| {
            let (room, nonce) = (cast.channel("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                connected(cast, 2),
                subscribed(cast, 1, "same", &room),
                subscribed(cast, 2, "same", &room),
                vec![warmed(cast, 2, "same", &room)],
                ended(1, "same", R::EvtSub016),
                vec![published(cast, &room, &nonce), heard(2, "same", &nonce, R::EvtSub021)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/unsubscribe/id-used-again",
        title: "An id whose subscription has ended can be given to a new one, which hears its own channel alone.",
        covers: &[R::EvtSub006],
        steps: |cast| {
            let (old, new, nonce) = (cast.channel("old"), cast.channel("new"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "again", &old),
                ended(1, "again", R::EvtSub016),
                taken(cast, 1, "again", &new, R::EvtSub006),
                vec![
                    warmed_by(cast, 1, "again", &new, R::EvtSub006),
                    forbidden(1, "again", &nonce, R::EvtSub006),
                    published(cast, &old, &nonce),
                ],
                marked(cast, 1, "again", &new, R::EvtSub006),
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-data-after-unsubscribe",
        about: "answers an unsubscribe and goes on delivering",
        breaks: R::EvtSub018,
        caught_by: "events/unsubscribe/nothing-after-it",
        how: How::Skip(Check::UnsubscribeEnds),
    },
    Fault {
        name: "events-unsubscribe-never-ends",
        about: "grants an unsubscribe again and again",
        breaks: R::EvtSub017,
        caught_by: "events/unsubscribe/twice",
        how: How::Skip(Check::UnsubscribeEnds),
    },
    Fault {
        name: "events-unsubscribe-ends-all",
        about: "ends all subscriptions of a connection on the unsubscribe of one",
        breaks: R::EvtSub021,
        caught_by: "events/unsubscribe/spares-the-others",
        how: How::Skip(Check::UnsubscribeSparesOthers),
    },
    Fault {
        name: "events-unsubscribe-ends-other-channels",
        about: "ends the last subscription of a connection too when another one ends",
        breaks: R::EvtSub021,
        caught_by: "events/unsubscribe/spares-the-others",
        how: edit("data", Nth::From(5), Change::Drop),
    },
    Fault {
        name: "events-unsubscribe-everywhere",
        about: "ends a subscription on every connection that has the id",
        breaks: R::EvtSub021,
        caught_by: "events/unsubscribe/spares-other-connections",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-unsubscribe-closes",
        about: "closes the other connections of a channel when a subscription ends",
        breaks: R::EvtSub021,
        caught_by: "events/unsubscribe/spares-other-connections",
        how: edit("data", Nth::Only(2), Change::LoseInstead),
    },
    Fault {
        name: "events-id-burnt",
        about: "refuses an id that was used before",
        breaks: R::EvtSub006,
        caught_by: "events/unsubscribe/id-used-again",
        how: edit("subscribe_success", Nth::From(2), Change::Rename("subscribe_error")),
    },
    Fault {
        name: "events-id-never-free",
        about: "keeps the id of a subscription that has ended",
        breaks: R::EvtSub006,
        caught_by: "events/unsubscribe/id-used-again",
        how: How::Skip(Check::UnsubscribeEnds),
    },
    Fault {
        name: "events-id-used-again-hears-the-old-channel",
        about: "delivers the old channel, too, to an id that was used before",
        breaks: R::EvtSub006,
        caught_by: "events/unsubscribe/id-used-again",
        how: How::Skip(Check::ChannelMatch),
    },
    Fault {
        name: "events-id-used-again-is-deaf",
        about: "delivers nothing to an id that was used before",
        breaks: R::EvtSub006,
        caught_by: "events/unsubscribe/id-used-again",
        how: edit("data", Nth::Every, Change::Drop),
    },
    Fault {
        name: "events-publish-can-be-unsubscribed",
        about: "grants the unsubscribe of a publish",
        breaks: R::EvtSub025,
        caught_by: "events/unsubscribe/id-of-a-publish",
        how: How::Skip(Check::UnknownUnsubscribe),
    },
    Fault {
        name: "events-unknown-unsubscribe-by-another-type",
        about: "answers an unsubscribe of an unknown id with BadRequestException",
        breaks: R::EvtSub017,
        caught_by: "events/unsubscribe/unknown-id",
        how: edit("unsubscribe_error", Nth::Every, Change::Set("errors.0.errorType", r#""BadRequestException""#)),
    },
    Fault {
        name: "events-unknown-unsubscribe-without-id",
        about: "leaves the id out of unsubscribe_error",
        breaks: R::EvtSub017,
        caught_by: "events/unsubscribe/unknown-id",
        how: edit("unsubscribe_error", Nth::Every, Change::Remove("id")),
    },
    Fault {
        name: "events-unknown-unsubscribe-granted",
        about: "answers an unsubscribe of an unknown id with success",
        breaks: R::EvtSub017,
        caught_by: "events/unsubscribe/unknown-id",
        how: How::Skip(Check::UnknownUnsubscribe),
    },
    Fault {
        name: "events-unsubscribe-acknowledged-twice",
        about: "answers an unsubscribe with success twice",
        breaks: R::EvtSub016,
        caught_by: "events/unsubscribe/acknowledged",
        how: edit("unsubscribe_success", Nth::Every, Change::Duplicate),
    },
    Fault {
        name: "events-unsubscribes-the-other-id",
        about: "answers an unsubscribe with success for another subscription",
        breaks: R::EvtSub016,
        caught_by: "events/unsubscribe/acknowledged",
        how: edit("unsubscribe_success", Nth::Every, Change::OtherId),
    },
    Fault {
        name: "events-unsubscribe-success-without-id",
        about: "leaves the id out of unsubscribe_success",
        breaks: R::EvtSub016,
        caught_by: "events/unsubscribe/acknowledged",
        how: edit("unsubscribe_success", Nth::Every, Change::Remove("id")),
    },
    Fault {
        name: "events-unsubscribe-by-another-word",
        about: "says unsubscribed in place of unsubscribe_success",
        breaks: R::EvtSub016,
        caught_by: "events/unsubscribe/acknowledged",
        how: edit("unsubscribe_success", Nth::Every, Change::Rename("unsubscribed")),
    },
    Fault {
        name: "events-unsubscribe-ends-the-connection",
        about: "closes the connection on an unsubscribe",
        breaks: R::EvtSub016,
        caught_by: "events/unsubscribe/acknowledged",
        how: How::Trap(Trigger::Word("unsubscribe"), Reaction::Close(1000)),
    },
    Fault {
        name: "events-unsubscribe-unanswered",
        about: "does not answer an unsubscribe",
        breaks: R::EvtSub016,
        caught_by: "events/unsubscribe/acknowledged",
        how: How::Skip(Check::UnsubscribeAnswered),
    },
];
