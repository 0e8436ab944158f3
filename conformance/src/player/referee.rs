//! Judges whatever a client says and hears on several connections, whoever that client is.
//!
//! What the player does beside its steps: a [`Conversation`] for each connection, and one delivery model for all of
//! them that is told only what is certain. It knows no scenario and expects nothing; what is due is the business of
//! whoever speaks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use appsync_protocol::conversation::{Conversation, Heard};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::finding::Finding;
use appsync_protocol::moment::{Deadline, Moment};
use appsync_protocol::wire::{OwnedFrame, Request, Response, Side};

use super::delivery::{Deliveries, Wrong};
use super::inbox::Inbox;
use super::watch::Watch;
use super::{Limits, Line, UNASKED};
use crate::scenario::Conn;

/// How much longer than promised a server may be silent before that counts.
const SLACK: Duration = Duration::from_secs(5);

/// The judge of all connections of one client.
pub struct Referee {
    dialect: Dialect,
    prefix: String,
    limits: Limits,
    lines: BTreeMap<Conn, Line>,
    deliveries: Deliveries,
}

/// What a frame of the peer was found to be.
#[derive(Debug, Default)]
pub struct Hearing {
    /// Rules that it breaks, or that it shows to have been broken.
    pub findings: Vec<Finding>,
    /// The event, if it is one: its id, and the nonces in it.
    pub event: Option<(String, BTreeSet<String>)>,
}

impl Referee {
    /// A judge of no connection yet; nonces begin with `prefix`.
    pub fn new(dialect: Dialect, prefix: &str, limits: Limits) -> Self {
        let deliveries = Deliveries::new(dialect, prefix);
        Self { dialect, prefix: prefix.into(), limits, lines: BTreeMap::new(), deliveries }
    }

    /// A connection has been upgraded.
    pub fn opened(&mut self, conn: Conn) {
        let conversation = Conversation::new(self.dialect).with_slack(SLACK);
        let line = Line { conversation, inbox: Inbox::default(), over: false, watch: Watch::default(), murky: false };
        self.lines.insert(conn, line);
    }

    /// The conversation on a connection.
    pub fn conversation(&self, conn: Conn) -> Option<&Conversation> {
        self.lines.get(&conn).map(|line| &line.conversation)
    }

    /// The client says something. What it does wrong is no finding against the peer.
    pub fn said(&mut self, at: Moment, conn: Conn, frame: &OwnedFrame) -> Vec<Finding> {
        let Some(line) = self.lines.get_mut(&conn) else { return Vec::new() };
        let seen = line.conversation.observe(at, Side::Client, frame.borrow());
        line.murky |= match &seen.heard {
            Heard::Unreadable(_) | Heard::Binary => true,
            Heard::Message(_) | Heard::Control | Heard::Closed | Heard::Lost => false,
        };
        line.over |= matches!(frame, OwnedFrame::Lost);
        self.deliveries.said(at, conn, &seen.heard);
        line.inbox.sent(&self.prefix, frame, &seen.heard);
        seen.findings.into_iter().filter(|finding| finding.by == Side::Server).collect()
    }

    /// The peer says something.
    pub fn heard(&mut self, at: Moment, conn: Conn, frame: &OwnedFrame) -> Hearing {
        let Some(line) = self.lines.get_mut(&conn) else { return Hearing::default() };
        let seen = line.conversation.observe(at, Side::Server, frame.borrow());
        let (murky, blamed) = (line.murky, !seen.findings.is_empty());
        let excused = |finding: &Finding| murky && UNASKED.contains(&finding.requirement);
        let mut findings: Vec<_> = seen.findings.into_iter().filter(|f| !excused(f)).collect();
        findings.extend(self.deliveries.heard(at, conn, &seen.heard));
        line.over |= matches!(frame, OwnedFrame::Close { .. } | OwnedFrame::Lost);
        let event = line.inbox.take(&self.prefix, 0, frame.clone());
        line.inbox.clear();
        let wrong = event.as_ref().and_then(|e| self.deliveries.arrived(at, conn, e, blamed, self.limits.quiet));
        findings.extend(wrong.map(|wrong| match wrong {
            Wrong::Found(finding) => finding,
            Wrong::Forbidden { rule, got, .. } => {
                Finding { requirement: rule, by: Side::Server, at, detail: format!("sent {got}") }
            }
        }));
        findings.extend(self.deliveries.spoke(at, conn, self.limits.step));
        Hearing { findings, event: event.map(|event| (event.id, event.nonces)) }
    }

    /// The client makes an HTTP request.
    pub fn called(&mut self, at: Moment, call: u32, request: &Request) {
        self.deliveries.called(at, call, request);
    }

    /// An HTTP request is answered.
    pub fn answered(&mut self, at: Moment, call: u32, response: &Response) -> Vec<Finding> {
        self.deliveries.answered(at, call, response)
    }

    /// A first event has arrived on a subscription: from here on loss counts.
    pub fn settled(&mut self, at: Moment, conn: Conn, id: &str) {
        self.deliveries.settled(at, conn, id);
    }

    /// Time passed.
    pub fn elapse(&mut self, at: Moment) -> Vec<Finding> {
        let open = self.lines.values_mut().filter(|line| !line.over);
        open.flat_map(|line| line.conversation.elapse(at)).collect()
    }

    /// When silence itself becomes a finding.
    pub fn deadline(&self) -> Option<Deadline> {
        self.lines.values().filter(|line| !line.over).filter_map(|line| line.conversation.deadline()).min()
    }
}
