//! One id on one connection: what the client has asked and what the server has answered.
//!
//! Both are counted, because asks and answers cross: an id may have several unanswered `start`s (a
//! client that lost patience sends the same one again) and several unanswered `stop`s. A *generation*
//! is one life between a grant and an end; late data belongs to the last one until the next grant.
//!
//! Not every answer says what it answers. A GraphQL `complete` for a live id may answer the `stop`, or
//! be the server's own end that crossed it (GQL-SUB-035), with the answer to the `stop` yet to come
//! (GQL-A-08). An `error` with an id may refuse a `start`, do what a `complete` does, or answer a
//! message without meaning. Where this leaves a choice, nothing is struck off. So:
//!
//! - `starts`, `stops` and `live` are *upper bounds* of what waits and lives. A server is blamed for an
//!   answer only where they leave nothing that it could answer, and then nobody doubts that;
//! - where something has to be live for certain ([`Subscription::doubtful`]), nobody is blamed after an
//!   `error` that left a choice, until the next grant;
//! - a client knows less than the observer. It is bound by its own words alone: an id that it has not
//!   let go is its own until it *may* have heard of an end, and each end frees it once.

/// Where one id stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// `start`s that wait for their answer, at most.
    pub(super) starts: u32,
    /// `stop`s that wait for their answer, at most.
    pub(super) stops: u32,
    /// The client's own last word on it was `start`; what the server says does not change it.
    pub(super) wanted: bool,
    /// The server has granted it and not ended it, as far as can be told.
    pub(super) live: bool,
    /// Lives so far, the current one included.
    pub(super) generation: u32,
    /// Mark of the last request, to tell the same one sent again from another one.
    pub(super) request: u64,
    /// Ends and refusals that the client may have heard and not yet used to ask for something else.
    pub(super) ends: u32,
    /// Since the last grant a refusal has come that may answer several things; the end of it may be one of them.
    pub(super) doubtful: bool,
    /// The client may have heard of a grant that its last `stop` did not concern: one of what it did not want,
    /// or behind an end that it may take for the answer to that `stop`.
    pub(super) may_stop_again: bool,
}

/// The state of a subscription in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Asked for and not answered.
    Asked,
    /// Granted; events flow.
    Live,
    /// Granted, and the client has asked to end it.
    Leaving,
    /// Refused or ended.
    Over,
}

impl Subscription {
    /// The state in one word.
    pub const fn standing(&self) -> Standing {
        // A stop of an earlier life may look unanswered for good; it does not concern what was asked for since.
        match (self.live, self.starts > 0, self.stops > 0 && !self.wanted) {
            (true, _, true) => Standing::Leaving,
            (true, _, false) => Standing::Live,
            (false, true, _) => Standing::Asked,
            (false, false, _) => Standing::Over,
        }
    }

    /// Lives so far, the current one included.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Granted and not ended, as far as can be told.
    pub const fn is_live(&self) -> bool {
        self.live
    }

    /// The client's last word was that it wants it, and the server has not certainly refused or ended it since.
    pub const fn is_wanted(&self) -> bool {
        self.wanted && !self.is_over()
    }

    /// A `start` waits for its answer, as far as can be told.
    pub const fn awaits_answer(&self) -> bool {
        self.starts > 0
    }

    /// The id certainly cannot be used for another subscription now.
    pub const fn is_taken(&self) -> bool {
        !self.is_over() && !self.doubtful
    }

    /// Nothing is asked for and nothing is live: only memory. The answer to a `stop` may come, or never.
    pub(super) const fn is_over(&self) -> bool {
        self.starts == 0 && !self.live
    }
}

/// A mark of a request's text (FNV-1a, 64 bits): equal texts have equal marks.
pub(super) fn mark(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |mark, byte| (mark ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
