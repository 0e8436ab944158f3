//! One id on one connection: what the client has asked and what the server has answered.
//!
//! Both are counted, because asks and answers cross: an id may have several unanswered `start`s (a
//! client that lost patience sends the same one again) and several unanswered `stop`s. A *generation*
//! is one life between a grant and an end; late data belongs to the last one until the next grant.

/// Where one id stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// `start`s that wait for their answer.
    pub(super) starts: u32,
    /// `stop`s that wait for their answer.
    pub(super) stops: u32,
    /// The client's own last word on it was `start`; what the server says does not change it.
    pub(super) wanted: bool,
    /// The server has granted it and not ended it.
    pub(super) live: bool,
    /// Lives so far, the current one included.
    pub(super) generation: u32,
    /// Mark of the last request, to tell the same one sent again from another one.
    pub(super) request: u64,
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
        match (self.live, self.starts > 0, self.stops > 0) {
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

    /// Granted and not ended.
    pub const fn is_live(&self) -> bool {
        self.live
    }

    /// The client's last word was that it wants it, and the server has not refused or ended it since.
    pub const fn is_wanted(&self) -> bool {
        self.wanted && self.is_taken()
    }

    /// A `start` waits for its answer.
    pub const fn awaits_answer(&self) -> bool {
        self.starts > 0
    }

    /// The id cannot be used for another subscription now.
    pub const fn is_taken(&self) -> bool {
        self.starts > 0 || self.live
    }

    /// Nothing is pending and nothing is live: only memory.
    pub(super) const fn is_over(&self) -> bool {
        self.starts == 0 && self.stops == 0 && !self.live
    }
}

/// A mark of a request's text (FNV-1a, 64 bits): equal texts have equal marks.
pub(super) fn mark(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |mark, byte| (mark ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
