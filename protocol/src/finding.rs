//! What the model says of a peer that broke a rule: data, never an error.

use alloc::string::String;
use core::fmt;

use crate::moment::Moment;
use crate::requirement::Requirement;
use crate::wire::Side;

/// One breach of one requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub requirement: Requirement,
    /// Who broke it.
    pub by: Side,
    /// When it showed.
    pub at: Moment,
    /// What was expected and what was seen, without the rule and the time.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requirement, by, at, detail } = self;
        write!(f, "{by} {detail} at {at} ({requirement}, {})", requirement.row().level)
    }
}

/// A call that the caller should not have made. The state is as before the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageError {
    /// Nothing can be said on this connection (yet, or any more).
    NotOpen,
    /// This side does not say such a thing.
    NotThisSide,
    /// The id names a live subscription or one that waits for its answer.
    IdInUse,
    /// The id names no live subscription.
    UnknownId,
    /// The dialect has no such message.
    NotInDialect,
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpen => "the connection is not open for this message",
            Self::NotThisSide => "the other side says this",
            Self::IdInUse => "the id is in use on this connection",
            Self::UnknownId => "the id names no live subscription",
            Self::NotInDialect => "the dialect has no such message",
        })
    }
}

impl core::error::Error for UsageError {}
