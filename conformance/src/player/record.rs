//! Everything that was said while a scenario ran, in order.

use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{OwnedFrame, Request, Response, Side};

use crate::scenario::Conn;

/// One event of the record.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When.
    pub at: Moment,
    /// On which connection; 0 for HTTP requests.
    pub conn: Conn,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// We asked for an upgrade.
    Upgrade {
        /// The request.
        request: Request,
    },
    /// The upgrade was answered.
    Upgraded {
        /// The answer.
        response: Response,
    },
    /// There was no connection.
    Failed {
        /// Why.
        what: String,
    },
    /// A frame.
    Frame {
        /// Who sent it.
        from: Side,
        /// The frame.
        frame: OwnedFrame,
    },
    /// We wrote bytes below the WebSocket layer.
    Bytes {
        /// What they are.
        what: &'static str,
    },
    /// We made an HTTP request.
    Call {
        /// Its number, which the answer bears too.
        call: u32,
        /// The request.
        request: Request,
    },
    /// It was answered.
    Answer {
        /// Number of the request.
        call: u32,
        /// The answer.
        response: Response,
    },
}
