//! Wildcards: where they may stand and what they cover.
//!
//! None stands right below the namespace: it would hear the events of every other scenario of the run.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::super::publish_steps::said_and_taken;
use super::super::session_steps::{QUICK, edit, forbidden, marked, taken, turned_down, warmed_by};
use super::super::steps::{all, connected, heard, published};
use crate::fault::{Change, Fault, How, Nth};
use crate::scenario::{Cast, Scenario, Step};

/// Connects and subscribes to this pattern, which is to be refused.
fn refused(cast: &Cast, pattern: &str, rule: R) -> Vec<Step> {
    all([connected(cast, 1), turned_down(cast, 1, "wild", pattern, rule)])
}

pub(in super::super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/channel/wildcard-of-any-depth",
        title: "A subscription to a channel that ends in * hears all channels below it, however deep.",
        covers: &[R::EvtChannel011, R::EvtChannel010],
        steps: |cast| {
            let (room, one, two) = (cast.channel("room"), cast.nonce("two-below"), cast.nonce("three-below"));
            all([
                connected(cast, 1),
                taken(cast, 1, "wild", &format!("{room}/*"), R::EvtChannel010),
                vec![
                    warmed_by(cast, 1, "wild", &format!("{room}/a"), R::EvtChannel011),
                    published(cast, &format!("{room}/a/b"), &one),
                    heard(1, "wild", &one, R::EvtChannel011),
                    published(cast, &format!("{room}/a/b/c"), &two),
                    heard(1, "wild", &two, R::EvtChannel011),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/wildcard-hears-both-transports",
        title: "A subscription to a channel that ends in * hears what is published over HTTP and over a connection.",
        covers: &[R::EvtChannel011, R::EvtHttp021],
        steps: |cast| {
            let (room, posted, said) = (cast.channel("room"), cast.nonce("posted"), cast.nonce("said"));
            let below = format!("{room}/a/b");
            all([
                connected(cast, 1),
                taken(cast, 1, "wild", &format!("{room}/*"), R::EvtChannel010),
                vec![
                    warmed_by(cast, 1, "wild", &below, R::EvtChannel011),
                    published(cast, &below, &posted),
                    heard(1, "wild", &posted, R::EvtHttp021),
                ],
                said_and_taken(cast, 1, "said", (&below, &said), R::EvtChannel011),
                vec![heard(1, "wild", &said, R::EvtChannel011)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/wildcard-spares-its-prefix",
        title: "A subscription to a channel that ends in * does not hear the channel before it.",
        covers: &[R::EvtChannel012],
        steps: |cast| {
            let (room, nonce) = (cast.channel("room"), cast.nonce("event"));
            let below = format!("{room}/a");
            all([
                connected(cast, 1),
                taken(cast, 1, "wild", &format!("{room}/*"), R::EvtChannel010),
                vec![
                    warmed_by(cast, 1, "wild", &below, R::EvtChannel011),
                    forbidden(1, "wild", &nonce, R::EvtChannel012),
                    published(cast, &room, &nonce),
                ],
                marked(cast, 1, "wild", &below, R::EvtChannel011),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/wildcard-inside-a-path",
        title: "A subscribe with a * before the last segment is refused.",
        covers: &[R::EvtChannel014],
        steps: |cast| refused(cast, &format!("{}/*/x", cast.channel("room")), R::EvtChannel014),
        ..QUICK
    },
    Scenario {
        id: "events/channel/wildcard-inside-a-segment",
        title: "A subscribe with a * as part of a longer segment is refused.",
        covers: &[R::EvtChannel015],
        steps: |cast| refused(cast, &format!("{}/foo*", cast.channel("room")), R::EvtChannel015),
        ..QUICK
    },
    Scenario {
        id: "events/channel/double-asterisk",
        title: "A subscribe to a channel that ends in a double asterisk is refused.",
        covers: &[R::EvtChannel016],
        steps: |cast| refused(cast, &format!("{}/**", cast.channel("room")), R::EvtChannel016),
        ..QUICK
    },
    Scenario {
        id: "events/channel/wildcard-of-all-namespaces",
        title: "A subscribe to * alone is refused.",
        covers: &[R::EvtChannel017],
        steps: |cast| refused(cast, "/*", R::EvtChannel017),
        ..QUICK
    },
    Scenario {
        id: "events/channel/wildcard-counts",
        title: "A * is one of the five segments: it is accepted as the fifth and refused as the sixth.",
        covers: &[R::EvtChannel026],
        steps: |cast| {
            let room = cast.channel("room");
            all([
                connected(cast, 1),
                taken(cast, 1, "fifth", &format!("{room}/c/d/*"), R::EvtChannel026),
                turned_down(cast, 1, "sixth", &format!("{room}/c/d/e/*"), R::EvtChannel026),
            ])
        },
        ..QUICK
    },
];

pub(in super::super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-wildcard-of-one-level",
        about: "takes a wildcard for just one segment",
        breaks: R::EvtChannel011,
        caught_by: "events/channel/wildcard-of-any-depth",
        how: How::Skip(Check::WildcardDepth),
    },
    Fault {
        name: "events-wildcard-of-two-levels",
        about: "delivers to a wildcard what is one or two segments below it and no more",
        breaks: R::EvtChannel011,
        caught_by: "events/channel/wildcard-of-any-depth",
        how: edit("data", Nth::From(3), Change::Drop),
    },
    Fault {
        name: "events-wildcard-deaf-to-connections",
        about: "delivers to a wildcard what came over HTTP and nothing else",
        breaks: R::EvtChannel011,
        caught_by: "events/channel/wildcard-hears-both-transports",
        how: edit("data", Nth::Only(3), Change::Drop),
    },
    Fault {
        name: "events-wildcard-with-its-prefix",
        about: "delivers to a wildcard what is published to the channel before it",
        breaks: R::EvtChannel012,
        caught_by: "events/channel/wildcard-spares-its-prefix",
        how: How::Skip(Check::WildcardSparesPrefix),
    },
    Fault {
        name: "events-sixth-wildcard",
        about: "does not count the wildcard as a segment",
        breaks: R::EvtChannel026,
        caught_by: "events/channel/wildcard-counts",
        how: How::Skip(Check::ChannelSyntax),
    },
    Fault {
        name: "events-wildcard-inside-a-path",
        about: "takes a wildcard before the last segment",
        breaks: R::EvtChannel014,
        caught_by: "events/channel/wildcard-inside-a-path",
        how: How::Skip(Check::ChannelSyntax),
    },
    Fault {
        name: "events-wildcard-inside-a-segment",
        about: "takes a wildcard as part of a segment",
        breaks: R::EvtChannel015,
        caught_by: "events/channel/wildcard-inside-a-segment",
        how: How::Skip(Check::ChannelSyntax),
    },
    Fault {
        name: "events-double-asterisk",
        about: "takes a double asterisk",
        breaks: R::EvtChannel016,
        caught_by: "events/channel/double-asterisk",
        how: How::Skip(Check::ChannelSyntax),
    },
    Fault {
        name: "events-wildcard-of-all-namespaces",
        about: "takes a subscription to every namespace",
        breaks: R::EvtChannel017,
        caught_by: "events/channel/wildcard-of-all-namespaces",
        how: edit("subscribe_error", Nth::Every, Change::Rename("subscribe_success")),
    },
    Fault {
        name: "events-no-wildcards",
        about: "refuses every wildcard",
        breaks: R::EvtChannel010,
        caught_by: "events/channel/wildcard-of-any-depth",
        how: edit("subscribe_success", Nth::Every, Change::Rename("subscribe_error")),
    },
];
