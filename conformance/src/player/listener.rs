//! Listens on after a scenario is over: a leak does not become right by coming late.
//!
//! It says nothing to the peer and waits for nothing, so it finds no losses. Whoever holds the connections decides how long they stay
//! open; every frame that comes on them until then is told.

use std::collections::BTreeMap;
use std::time::Duration;

use appsync_protocol::conversation::Heard;
use appsync_protocol::finding::Finding;
use appsync_protocol::message::Message;
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{OwnedFrame, Side};

use super::Line;
use super::delivery::{Deliveries, Wrong};
use crate::scenario::Conn;

/// What is still listened for on the connections of a scenario that is over.
pub struct Listener {
    deliveries: Deliveries,
    lines: BTreeMap<Conn, Line>,
    prefix: String,
    quiet: Duration,
}

impl Listener {
    pub(super) const fn new(
        deliveries: Deliveries,
        lines: BTreeMap<Conn, Line>,
        prefix: String,
        quiet: Duration,
    ) -> Self {
        Self { deliveries, lines, prefix, quiet }
    }

    /// Whether there is anything to listen for: something forbidden or subscribed, on a connection that is open.
    pub fn is_of_use(&self) -> bool {
        self.deliveries.has_any() && self.lines.values().any(|line| !line.over)
    }

    /// Connections that were open when the scenario ended and have not ended since.
    pub fn open(&self) -> usize {
        self.lines.values().filter(|line| !line.over).count()
    }

    /// One frame from the peer: what it delivers wrongly. Other rules are not judged any more.
    pub fn frame(&mut self, at: Moment, conn: Conn, frame: OwnedFrame) -> Vec<Finding> {
        let Some(line) = self.lines.get_mut(&conn).filter(|line| !line.over) else { return Vec::new() };
        let seen = line.conversation.observe(at, Side::Server, frame.borrow());
        let blamed = !seen.findings.is_empty();
        let mut found = self.deliveries.heard(at, conn, &seen.heard);
        let is_event =
            matches!(&seen.heard, Heard::Message(decoded) if matches!(decoded.message, Message::Data { .. }));
        if is_event && !line.murky {
            found.extend(seen.findings);
        }
        line.over |= matches!(frame, OwnedFrame::Close { .. } | OwnedFrame::Lost);
        // Others publish too by now: an event that cannot be told may be one of theirs.
        let event = line.inbox.take(&self.prefix, 0, frame).filter(|event| !event.anonymous);
        line.inbox.clear();
        let wrong = event.and_then(|event| self.deliveries.arrived(at, conn, &event, blamed, self.quiet));
        found.extend(wrong.map(|wrong| match wrong {
            Wrong::Forbidden { rule, got, .. } => {
                let detail = format!("sent {got} after the scenario was over");
                Finding { requirement: rule, by: Side::Server, at, detail }
            }
            Wrong::Found(finding) => finding,
        }));
        found
    }
}
