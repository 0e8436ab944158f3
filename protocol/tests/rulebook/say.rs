//! What peers say in these tests, by meaning, and the well-formed text of each dialect for it.

use appsync_protocol::dialect::Dialect::{self, Events, Graphql};
use appsync_protocol::message::Operation;
use appsync_protocol::wire::{OwnedFrame, Side};
use proptest::prelude::*;

/// One of the three ids of a connection.
pub(crate) type Id = u8;

/// How many ids a connection has.
pub(crate) const IDS: Id = 3;

/// One thing that can come over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    Init,
    Ack { limit_ms: Option<u64> },
    Rejected,
    KeepAlive,
    Subscribe { id: Id, request: u8 },
    Granted(Id),
    Refused { id: Option<Id>, of: Option<Operation> },
    Data(Id),
    BroadcastFailed(Id),
    Unsubscribe(Id),
    Ended(Id),
    Publish(Id),
    Published(Id),
    Unheard(Option<Id>),
    Unreadable(u8),
    Binary,
    Ping,
    Close,
    Lost,
}

impl Say {
    /// Who says this; `None` if both may.
    pub(crate) const fn speaker(self) -> Option<Side> {
        match self {
            Self::Init | Self::Subscribe { .. } | Self::Unsubscribe(_) | Self::Publish(_) => Some(Side::Client),
            Self::Ack { .. }
            | Self::Rejected
            | Self::KeepAlive
            | Self::Granted(_)
            | Self::Refused { .. }
            | Self::Data(_)
            | Self::BroadcastFailed(_)
            | Self::Ended(_)
            | Self::Published(_) => Some(Side::Server),
            Self::Unheard(_) | Self::Unreadable(_) | Self::Binary | Self::Ping | Self::Close | Self::Lost => None,
        }
    }

    /// The frame that carries it.
    pub(crate) fn frame(self, dialect: Dialect, by: Side) -> OwnedFrame {
        match self {
            Self::Binary => OwnedFrame::Binary(vec![0]),
            Self::Ping => OwnedFrame::Ping(Vec::new()),
            Self::Close => OwnedFrame::Close { code: Some(1000), reason: String::new() },
            Self::Lost => OwnedFrame::Lost,
            Self::Unreadable(which) => OwnedFrame::text(unreadable(dialect, by, which)),
            Self::Init
            | Self::Ack { .. }
            | Self::Rejected
            | Self::KeepAlive
            | Self::Subscribe { .. }
            | Self::Granted(_)
            | Self::Refused { .. }
            | Self::Data(_)
            | Self::BroadcastFailed(_)
            | Self::Unsubscribe(_)
            | Self::Ended(_)
            | Self::Publish(_)
            | Self::Published(_)
            | Self::Unheard(_) => OwnedFrame::text(self.text(dialect)),
        }
    }

    fn text(self, dialect: Dialect) -> String {
        let (word, id, rest) = self.parts(dialect);
        let id = id.map(|id| format!(r#","id":"{}""#, name(id))).unwrap_or_default();
        format!(r#"{{"type":"{word}"{id}{rest}}}"#)
    }

    fn parts(self, dialect: Dialect) -> (&'static str, Option<Id>, String) {
        let errors = match dialect {
            Graphql => r#","payload":{"errors":[{"message":"m"}]}"#,
            Events => r#","errors":[{"errorType":"E"}]"#,
        };
        let word = |graphql, events| match dialect {
            Graphql => graphql,
            Events => events,
        };
        let no_rest = String::new;
        match self {
            Self::Init => ("connection_init", None, no_rest()),
            Self::Ack { limit_ms: None } => ("connection_ack", None, no_rest()),
            Self::Ack { limit_ms: Some(limit) } => ("connection_ack", None, timeout(dialect, limit)),
            Self::Rejected => ("connection_error", None, errors.into()),
            Self::KeepAlive => ("ka", None, no_rest()),
            Self::Subscribe { id, request } => (word("start", "subscribe"), Some(id), asking(dialect, request)),
            Self::Granted(id) => (word("start_ack", "subscribe_success"), Some(id), no_rest()),
            Self::Refused { id, of } => (refusal(dialect, of), id, errors.into()),
            Self::Data(id) => {
                ("data", Some(id), word(r#","payload":{"data":{"f":1}}"#, r#","event":"{\"f\":1}""#).into())
            }
            Self::BroadcastFailed(id) => ("broadcast_error", Some(id), errors.into()),
            Self::Unsubscribe(id) => (word("stop", "unsubscribe"), Some(id), no_rest()),
            Self::Ended(id) => (word("complete", "unsubscribe_success"), Some(id), no_rest()),
            Self::Publish(id) => ("publish", Some(id), r#","channel":"/default/a","events":["1"]"#.into()),
            Self::Published(id) => {
                ("publish_success", Some(id), r#","successful":[{"identifier":"i","index":0}],"failed":[]"#.into())
            }
            Self::Unheard(id) => ("unheard", id, no_rest()),
            Self::Unreadable(_) | Self::Binary | Self::Ping | Self::Close | Self::Lost => ("", None, no_rest()),
        }
    }
}

/// The id on the wire.
pub(crate) fn name(id: Id) -> &'static str {
    ["a", "b", "c"][usize::from(id % IDS)]
}

fn timeout(dialect: Dialect, limit_ms: u64) -> String {
    match dialect {
        Graphql => format!(r#","payload":{{"connectionTimeoutMs":{limit_ms}}}"#),
        Events => format!(r#","connectionTimeoutMs":{limit_ms}"#),
    }
}

fn asking(dialect: Dialect, request: u8) -> String {
    match dialect {
        Graphql => format!(r#","payload":{{"data":"{{\"query\":\"{request}\"}}"}}"#),
        Events => format!(r#","channel":"/default/{request}","authorization":{{}}"#),
    }
}

const fn refusal(dialect: Dialect, of: Option<Operation>) -> &'static str {
    match (dialect, of) {
        (Graphql, _) | (Events, None) => "error",
        (Events, Some(Operation::Subscribe)) => "subscribe_error",
        (Events, Some(Operation::Unsubscribe)) => "unsubscribe_error",
        (Events, Some(Operation::Publish)) => "publish_error",
    }
}

/// A text that is no message: no JSON, no object, no type, or a word of either side without what it needs.
fn unreadable(dialect: Dialect, by: Side, which: u8) -> String {
    let words = |side| -> &[&str] {
        match (dialect, side) {
            (Graphql, Side::Client) => &["start", "stop"],
            (Graphql, Side::Server) => &["start_ack", "data", "complete"],
            (Events, Side::Client) => &["subscribe", "unsubscribe", "publish"],
            (Events, Side::Server) => &["subscribe_success", "unsubscribe_success", "publish_success", "data"],
        }
    };
    let words = [words(by), words(by.other())].concat();
    match usize::from(which).checked_sub(5) {
        Some(more) => format!(r#"{{"type":"{}"}}"#, words[more % words.len()]),
        None => ["{", "[1]", r#"{"id":"a"}"#, r#"{"type":1}"#, ""][usize::from(which)].into(),
    }
}

/// Anything at all, the things that matter most often.
pub(crate) fn any_say() -> impl Strategy<Value = Say> {
    let id = || 0..IDS;
    let of = prop_oneof![
        Just(None),
        Just(Some(Operation::Subscribe)),
        Just(Some(Operation::Unsubscribe)),
        Just(Some(Operation::Publish)),
    ];
    prop_oneof![
        3 => Just(Say::Init),
        3 => prop_oneof![Just(None), Just(Some(100_000)), (1_000..400_000_u64).prop_map(Some)]
            .prop_map(|limit_ms| Say::Ack { limit_ms }),
        1 => Just(Say::Rejected),
        4 => Just(Say::KeepAlive),
        16 => (id(), 0..2_u8).prop_map(|(id, request)| Say::Subscribe { id, request }),
        14 => id().prop_map(Say::Granted),
        8 => (proptest::option::weighted(0.85, id()), of).prop_map(|(id, of)| Say::Refused { id, of }),
        14 => id().prop_map(Say::Data),
        2 => id().prop_map(Say::BroadcastFailed),
        10 => id().prop_map(Say::Unsubscribe),
        10 => id().prop_map(Say::Ended),
        5 => id().prop_map(Say::Publish),
        5 => id().prop_map(Say::Published),
        2 => proptest::option::of(id()).prop_map(Say::Unheard),
        2 => (0..12_u8).prop_map(Say::Unreadable),
        1 => prop_oneof![Just(Say::Binary), Just(Say::Ping)],
        1 => prop_oneof![3 => Just(Say::Ping), 2 => Just(Say::Close), 1 => Just(Say::Lost)],
    ]
}
