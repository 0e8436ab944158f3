//! Everything that was said while a scenario ran, in order.

use std::collections::BTreeSet;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Credentials, Presented, parse};
use appsync_protocol::json::parse_json;
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

/// Every `Authorization` that we have sent, and the signatures in them: whoever sees one could send it again.
pub fn presented(record: &[Entry]) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for entry in record {
        let authorization = match &entry.event {
            Event::Upgrade { request } => of_upgrade(request),
            Event::Call { request, .. } => request.headers.first("authorization").map(str::to_owned),
            Event::Frame { from: Side::Client, frame: OwnedFrame::Text { text, .. } } => of_message(text),
            Event::Frame { .. }
            | Event::Upgraded { .. }
            | Event::Failed { .. }
            | Event::Bytes { .. }
            | Event::Answer { .. } => None,
        };
        let Some(authorization) = authorization.filter(|text| text.len() >= SECRET_MIN) else { continue };
        texts.extend(authorization.rsplit_once("Signature=").map(|(_, signature)| signature.trim().to_owned()));
        texts.insert(authorization);
    }
    texts.retain(|text| text.len() >= SECRET_MIN);
    texts
}

/// Shorter texts are no secrets, and would be found everywhere.
const SECRET_MIN: usize = 8;

fn of_upgrade(request: &Request) -> Option<String> {
    let Presented { credentials, .. } = parse(Dialect::Graphql, request).ok()?;
    credentials.get("authorization").map(str::to_owned)
}

fn of_message(text: &str) -> Option<String> {
    // Most messages hold an API key, which is known.
    if !text.as_bytes().windows(13).any(|name| name.eq_ignore_ascii_case(b"authorization")) {
        return None;
    }
    let message = parse_json(text)?;
    let object = message.get("authorization").or(message.pointer("/payload/extensions/authorization"))?;
    Credentials::from_json(&object.to_string()).ok()?.get("authorization").map(str::to_owned)
}
