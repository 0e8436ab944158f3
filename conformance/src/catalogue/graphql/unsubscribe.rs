//! Ending subscriptions: `stop`, `complete`, and what has to stay as it is.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::limits::filled;
use super::steps::{
    ANY, MANY, QUICK, all, any_of, connected, edit, expect, forbidden, heard, marked, pinged, published, say, stop,
    stopped, subscribed, subscribed_by, warmed, warmed_by,
};
use crate::fault::{Change, Fault, How, Nth};
use crate::scenario::{Pattern, Scenario, Shape, Step};

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/unsubscribe/completed",
        title: "A stop is answered with one complete of the same id.",
        covers: &[R::GqlSub024],
        needs: ANY,
        steps: |cast| {
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &cast.nonce("one")),
                subscribed(cast, 1, "second", &cast.nonce("two")),
                stopped(1, "first"),
                vec![Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/unsubscribe/complete-has-no-payload",
        title: "A complete has no payload.",
        covers: &[R::GqlSub025],
        needs: ANY,
        steps: |cast| {
            let bare = Pattern::with_id("complete", "first").has("payload", Shape::Absent);
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &cast.nonce("room")),
                vec![say(1, stop("first")), expect(1, bare, R::GqlSub025)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/unsubscribe/nothing-after-complete",
        title: "After complete no event follows for that id.",
        covers: &[R::GqlSub026],
        needs: ANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                subscribed(cast, 1, "second", &room),
                vec![warmed(cast, 1, "first", &room), warmed(cast, 1, "second", &room)],
                stopped(1, "first"),
                vec![
                    forbidden(1, "first", &nonce, R::GqlSub026),
                    published(cast, &room, &nonce),
                    heard(cast, 1, "second", (&room, &nonce), R::GqlSub012),
                ],
                marked(cast, 1, "second", &room, R::GqlSub012),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/unsubscribe/spares-the-others",
        title: "Ending one subscription leaves another one with the same arguments working.",
        covers: &[R::GqlSub028],
        needs: ANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                subscribed(cast, 1, "second", &room),
                vec![warmed(cast, 1, "second", &room)],
                stopped(1, "first"),
                vec![published(cast, &room, &nonce), heard(cast, 1, "second", (&room, &nonce), R::GqlSub028)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/unsubscribe/spares-other-connections",
        title: "Ending a subscription leaves one with the same id on another connection working.",
        covers: &[R::GqlSub028],
        needs: ANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                connected(cast, 2),
                subscribed(cast, 1, "same", &room),
                subscribed(cast, 2, "same", &room),
                vec![warmed(cast, 2, "same", &room)],
                stopped(1, "same"),
                vec![published(cast, &room, &nonce), heard(cast, 2, "same", (&room, &nonce), R::GqlSub028)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/unsubscribe/id-used-again",
        title: "An id whose subscription has ended can be given to a new one, which hears its events.",
        covers: &[R::GqlSub006],
        needs: ANY,
        steps: |cast| {
            let (old, new) = (cast.nonce("old"), cast.nonce("new"));
            let answered = vec![Pattern::with_id("start_ack", "again"), Pattern::with_id("error", "again").ends()];
            all([
                connected(cast, 1),
                subscribed(cast, 1, "again", &old),
                stopped(1, "again"),
                vec![
                    say(1, cast.start_channel("again", &new)),
                    any_of(1, answered, R::GqlSub006),
                    warmed_by(cast, 1, "again", &new, R::GqlSub006),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/unsubscribe/connection-stays-open",
        title: "A connection stays open and usable after its last subscription has ended.",
        covers: &[R::GqlSub030],
        needs: ANY,
        steps: |cast| {
            let room = cast.nonce("room");
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                stopped(1, "first"),
                vec![Step::Quiet { conn: 1 }],
                pinged(1, R::GqlSub030),
                subscribed_by(cast, 1, "second", &room, R::GqlSub030),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/unsubscribe/unknown-id",
        title: "A stop of an id that was never used leaves the connection and its subscription working.",
        covers: &[R::GqlErr014],
        needs: ANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    say(1, stop("never")),
                    Step::Quiet { conn: 1 },
                    published(cast, &room, &nonce),
                    heard(cast, 1, "first", (&room, &nonce), R::GqlErr014),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/unsubscribe/frees-its-place",
        title: "Ending a subscription makes room for another one on a connection that was full.",
        covers: &[R::GqlSub029],
        needs: MANY,
        steps: |cast| {
            let room = cast.nonce("room");
            all([
                connected(cast, 1),
                filled(cast, 1),
                stopped(1, "s7"),
                subscribed_by(cast, 1, "last", &room, R::GqlSub029),
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-data-after-complete",
        about: "answers a stop and goes on delivering",
        breaks: R::GqlSub026,
        caught_by: "graphql/unsubscribe/nothing-after-complete",
        how: How::Skip(Check::UnsubscribeEnds),
    },
    Fault {
        name: "graphql-stop-ends-all",
        about: "ends all subscriptions of a connection on the stop of one",
        breaks: R::GqlSub028,
        caught_by: "graphql/unsubscribe/spares-the-others",
        how: How::Skip(Check::UnsubscribeSparesOthers),
    },
    Fault {
        name: "graphql-stop-keeps-its-place",
        about: "counts ended subscriptions towards the limit",
        breaks: R::GqlSub029,
        caught_by: "graphql/unsubscribe/frees-its-place",
        how: How::Skip(Check::UnsubscribeEnds),
    },
    Fault {
        name: "graphql-closes-when-idle",
        about: "closes a connection whose last subscription has ended",
        breaks: R::GqlSub030,
        caught_by: "graphql/unsubscribe/connection-stays-open",
        how: edit("complete", Nth::Every, Change::CloseAfter(1000)),
    },
    Fault {
        name: "graphql-id-burnt",
        about: "never answers the start of an id that was used before",
        breaks: R::GqlSub006,
        caught_by: "graphql/unsubscribe/id-used-again",
        how: edit("start_ack", Nth::Only(2), Change::Drop),
    },
    Fault {
        name: "graphql-id-used-again-is-deaf",
        about: "delivers nothing to an id that was used before",
        breaks: R::GqlSub006,
        caught_by: "graphql/unsubscribe/id-used-again",
        how: edit("data", Nth::Every, Change::Drop),
    },
    Fault {
        name: "graphql-completes-a-stranger",
        about: "sends complete for an id that nobody has used, too",
        breaks: R::GqlSub024,
        caught_by: "graphql/unsubscribe/completed",
        how: edit("complete", Nth::Every, Change::Before(r#"{"type":"complete","id":"stranger"}"#)),
    },
    Fault {
        name: "graphql-completes-the-other-id",
        about: "answers a stop with complete for another subscription",
        breaks: R::GqlSub024,
        caught_by: "graphql/unsubscribe/completed",
        how: edit("complete", Nth::Every, Change::OtherId),
    },
    Fault {
        name: "graphql-complete-without-id",
        about: "leaves the id out of complete",
        breaks: R::GqlSub024,
        caught_by: "graphql/unsubscribe/completed",
        how: edit("complete", Nth::Every, Change::Remove("id")),
    },
    Fault {
        name: "graphql-complete-with-payload",
        about: "gives complete a payload",
        breaks: R::GqlSub025,
        caught_by: "graphql/unsubscribe/complete-has-no-payload",
        how: edit("complete", Nth::Every, Change::Set("payload", "{}")),
    },
    Fault {
        name: "graphql-stop-everywhere",
        about: "delivers nothing more to a connection once another has sent a stop",
        breaks: R::GqlSub028,
        caught_by: "graphql/unsubscribe/spares-other-connections",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "graphql-unknown-stop-ends-the-connection",
        about: "closes the connection on the stop of an unknown id",
        breaks: R::GqlErr014,
        caught_by: "graphql/unsubscribe/unknown-id",
        how: How::Skip(Check::ErrorKeepsConnection),
    },
    Fault {
        name: "graphql-stop-by-another-word",
        about: "says stop_ack in place of complete",
        breaks: R::GqlSub024,
        caught_by: "graphql/unsubscribe/completed",
        how: edit("complete", Nth::Every, Change::Rename("stop_ack")),
    },
    Fault {
        name: "graphql-stop-unanswered",
        about: "does not answer a stop",
        breaks: R::GqlSub024,
        caught_by: "graphql/unsubscribe/completed",
        how: How::Skip(Check::UnsubscribeAnswered),
    },
];
