//! Watches one connection from anywhere between its ends: judges both sides, records, measures.
//!
//! A monitor is a [`Conversation`] with a memory: the [`Transcript`] of what was said, the [`Finding`]s so far, and the
//! [`Cadence`] of what the server does by itself. It speaks for nobody, changes nothing and fails never. Since it sees
//! frames through a path that delays them unevenly, limits on silence get a slack on top ([`Monitor::with_slack`]).
//!
//! The invariant: findings are those of the conversation, in its order; the transcript holds every frame it was shown,
//! up to its bounds, and no secret that its [`Redactor`] knows.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::conversation::{Conversation, Heard};
use crate::dialect::Dialect;
use crate::finding::Finding;
use crate::message::{Message, SilenceLimit};
use crate::moment::{Deadline, Moment};
use crate::transcript::{Entry, Redactor, Transcript, What};
use crate::wire::{Frame, Request, Response, Side};

/// Findings that one monitor keeps. Own bound; later ones are counted.
pub const FINDINGS_MAX: usize = 10_000;

/// Intervals between keep-alives that one monitor keeps: 24 hours of one a minute (EVT-LIMIT-011, EVT-KA-001).
pub const INTERVALS_MAX: usize = 1_440;

/// The observer of one connection.
#[derive(Clone)]
pub struct Monitor {
    connection: u32,
    conversation: Conversation,
    transcript: Transcript,
    redactor: Redactor,
    findings: Vec<Finding>,
    findings_dropped: u64,
    cadence: Cadence,
    init_at: Option<Moment>,
    ack_at: Option<Moment>,
    keep_alive_at: Option<Moment>,
}

impl Monitor {
    /// An observer of connection `connection`, a number for the transcript.
    pub fn new(dialect: Dialect, connection: u32) -> Self {
        Self {
            connection,
            conversation: Conversation::new(dialect),
            transcript: Transcript::new(),
            redactor: Redactor::default(),
            findings: Vec::new(),
            findings_dropped: 0,
            cadence: Cadence::default(),
            init_at: None,
            ack_at: None,
            keep_alive_at: None,
        }
    }

    /// The same with a slack on every limit on silence.
    #[must_use]
    pub fn with_slack(mut self, slack: Duration) -> Self {
        self.conversation = self.conversation.with_slack(slack);
        self
    }

    /// The same that scrubs each entry before it is recorded. Judging sees the frames as they are.
    #[must_use]
    pub fn with_redactor(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// Records the upgrade. It is not judged here.
    pub fn opened(&mut self, at: Moment, request: &Request, response: &Response) {
        self.record(at, What::open(request, response));
    }

    /// Records a remark.
    pub fn note(&mut self, at: Moment, note: impl Into<String>) {
        self.record(at, What::Note(note.into()));
    }

    /// Takes one frame and gives the findings it brought. Total, like [`Conversation::observe`].
    pub fn observe(&mut self, at: Moment, from: Side, frame: Frame<'_>) -> Vec<Finding> {
        self.record(at, What::Frame { from, frame: frame.to_owned() });
        let observed = self.conversation.observe(at, from, frame);
        match &observed.heard {
            Heard::Message(decoded) => self.measure(at, from, &decoded.message),
            Heard::Closed | Heard::Lost => self.cadence.note_end(from, frame),
            // Neither tells the time.
            Heard::Unreadable(_) | Heard::Binary | Heard::Control => {}
        }
        self.keep(&observed.findings);
        observed.findings
    }

    /// Time passed and nobody spoke; gives the findings that brought.
    pub fn elapse(&mut self, at: Moment) -> Vec<Finding> {
        let findings = self.conversation.elapse(at);
        self.keep(&findings);
        findings
    }

    /// When silence itself becomes a finding.
    pub fn deadline(&self) -> Option<Deadline> {
        self.conversation.deadline()
    }

    /// What was wrong so far, in the order it showed; at most [`FINDINGS_MAX`].
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Findings beyond those.
    pub const fn findings_dropped(&self) -> u64 {
        self.findings_dropped
    }

    /// What was seen.
    pub const fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// What the server does by itself, measured.
    pub const fn cadence(&self) -> &Cadence {
        &self.cadence
    }

    /// Where the connection stands.
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The recording alone.
    pub fn into_transcript(self) -> Transcript {
        self.transcript
    }

    fn record(&mut self, at: Moment, what: What) {
        let entry = Entry { at, connection: self.connection, what };
        self.transcript.push(self.redactor.entry(&entry));
    }

    fn keep(&mut self, findings: &[Finding]) {
        let room = FINDINGS_MAX.saturating_sub(self.findings.len()).min(findings.len());
        self.findings.extend(findings.iter().take(room).cloned());
        self.findings_dropped = self.findings_dropped.saturating_add((findings.len() - room) as u64);
    }

    fn measure(&mut self, at: Moment, from: Side, message: &Message<'_>) {
        if message.speaker() != Some(from) {
            return;
        }
        match message {
            Message::Init => {
                self.init_at.get_or_insert(at);
            }
            Message::Ack { silence } => {
                self.cadence.advertised.get_or_insert(*silence);
                self.cadence.ack_latency = self.cadence.ack_latency.or(self.init_at.map(|init| at.since(init)));
                self.ack_at.get_or_insert(at);
            }
            Message::KeepAlive => {
                if let Some(before) = self.keep_alive_at.replace(at) {
                    self.cadence.note_interval(at.since(before));
                }
                self.cadence.keep_alives += 1;
                let first = self.ack_at.map(|ack| at.since(ack));
                self.cadence.first_keep_alive = self.cadence.first_keep_alive.or(first);
            }
            // Nothing of these comes by the clock.
            Message::Rejected { .. }
            | Message::Subscribe { .. }
            | Message::Granted { .. }
            | Message::Refused { .. }
            | Message::Data { .. }
            | Message::BroadcastFailed { .. }
            | Message::Unsubscribe { .. }
            | Message::Ended { .. }
            | Message::Publish { .. }
            | Message::Published { .. }
            | Message::Unknown { .. } => {}
        }
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("connection", &self.connection)
            .field("conversation", &self.conversation)
            .field("transcript", &self.transcript)
            .field("findings", &self.findings)
            .finish_non_exhaustive()
    }
}

/// What one connection showed of a server's habits: plain data for reports, no judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cadence {
    /// From the first `connection_init` to the first `connection_ack`.
    pub ack_latency: Option<Duration>,
    /// What the first `connection_ack` said of the timeout (GQL-INIT-004, EVT-INIT-002).
    pub advertised: Option<SilenceLimit>,
    /// From the first `connection_ack` to the first keep-alive after it (GQL-KA-002).
    pub first_keep_alive: Option<Duration>,
    /// Keep-alives in all.
    pub keep_alives: u64,
    /// Between one keep-alive and the next, the first [`INTERVALS_MAX`] (GQL-KA-003, EVT-KA-001).
    pub intervals: Vec<Duration>,
    /// The first close frame: who sent it, with which code (GQL-CLOSE-009).
    pub close: Option<(Side, Option<u16>)>,
    /// Whose end of the transport was lost first, if it was.
    pub lost: Option<Side>,
}

impl Cadence {
    /// The shortest interval.
    pub fn shortest(&self) -> Option<Duration> {
        self.intervals.iter().min().copied()
    }

    /// The longest interval.
    pub fn longest(&self) -> Option<Duration> {
        self.intervals.iter().max().copied()
    }

    /// The mean of the intervals.
    pub fn mean(&self) -> Option<Duration> {
        let count = u32::try_from(self.intervals.len()).ok()?;
        let sum = self.intervals.iter().fold(Duration::ZERO, |sum, interval| sum.saturating_add(*interval));
        sum.checked_div(count)
    }

    fn note_interval(&mut self, interval: Duration) {
        if self.intervals.len() < INTERVALS_MAX {
            self.intervals.push(interval);
        }
    }

    fn note_end(&mut self, from: Side, frame: Frame<'_>) {
        match frame {
            Frame::Close { code, .. } => {
                self.close.get_or_insert((from, code));
            }
            Frame::Lost => {
                self.lost.get_or_insert(from);
            }
            // No ends.
            Frame::Text { .. } | Frame::Binary(_) | Frame::Ping(_) | Frame::Pong(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use proptest::prelude::*;

    use super::*;
    use crate::requirement::Requirement;

    const INIT: &str = r#"{"type":"connection_init"}"#;
    const ACK: &str = r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}"#;
    const KA: &str = r#"{"type":"ka"}"#;

    fn watch(lines: &[(u64, Side, &str)]) -> Monitor {
        let mut monitor = Monitor::new(Dialect::Graphql, 1);
        for (at, from, text) in lines {
            monitor.observe(Moment::from_millis(*at), *from, Frame::text(text));
        }
        monitor
    }

    #[test]
    fn the_habits_of_a_server_are_measured() {
        let (client, server) = (Side::Client, Side::Server);
        let mut monitor = watch(&[
            (10, client, INIT),
            (35, server, ACK),
            (36, server, KA),
            (60_036, server, KA),
            (120_000, server, KA),
        ]);
        monitor.observe(Moment::from_millis(120_001), server, Frame::Close { code: Some(1001), reason: "" });
        monitor.observe(Moment::from_millis(120_002), client, Frame::Lost);

        let cadence = monitor.cadence();
        assert_eq!(cadence.ack_latency, Some(Duration::from_millis(25)));
        assert_eq!(cadence.advertised, Some(SilenceLimit::Millis(300_000)));
        assert_eq!(cadence.first_keep_alive, Some(Duration::from_millis(1)));
        assert_eq!((cadence.keep_alives, cadence.intervals.len()), (3, 2));
        assert_eq!(cadence.shortest(), Some(Duration::from_millis(59_964)));
        assert_eq!(cadence.mean(), Some(Duration::from_millis(59_982)));
        assert_eq!(cadence.longest(), Some(Duration::from_secs(60)));
        assert_eq!((cadence.close, cadence.lost), (Some((server, Some(1001))), Some(client)));
    }

    #[test]
    fn a_connection_without_keep_alives_has_no_intervals() {
        let cadence = watch(&[(0, Side::Client, INIT)]).cadence().clone();

        assert_eq!(cadence, Cadence::default());
        assert_eq!((cadence.shortest(), cadence.mean(), cadence.longest()), (None, None, None));
    }

    #[test]
    fn what_the_wrong_side_says_is_not_measured() {
        let monitor = watch(&[(0, Side::Client, KA), (0, Side::Server, INIT)]);

        assert_eq!(monitor.cadence().keep_alives, 0);
        assert_eq!(monitor.findings().len(), 2);
    }

    #[test]
    fn a_finding_is_given_once_and_kept() {
        let mut monitor = watch(&[(0, Side::Client, INIT), (1, Side::Server, ACK)]);
        let at = monitor.deadline().unwrap().at;

        assert_eq!(monitor.elapse(at)[0].requirement, Requirement::GqlKa001);
        assert!(monitor.elapse(at).is_empty());
        assert_eq!(monitor.findings().len(), 1);
    }

    #[test]
    fn slack_is_granted_to_the_silent() {
        let mut monitor = Monitor::new(Dialect::Graphql, 1).with_slack(Duration::from_secs(2));
        monitor.observe(Moment::START, Side::Client, Frame::text(INIT));
        monitor.observe(Moment::START, Side::Server, Frame::text(ACK));

        assert_eq!(monitor.deadline().unwrap().at, Moment::from_millis(302_000));
    }

    #[test]
    fn findings_beyond_the_bound_are_counted() {
        let mut monitor = Monitor::new(Dialect::Graphql, 1);
        for _ in 0..FINDINGS_MAX + 3 {
            monitor.observe(Moment::START, Side::Server, Frame::Binary(b""));
        }

        assert_eq!((monitor.findings().len(), monitor.findings_dropped()), (FINDINGS_MAX, 3));
    }

    #[test]
    fn frames_are_recorded_without_secrets_and_judged_with_them() {
        let mut monitor = Monitor::new(Dialect::Graphql, 7).with_redactor(Redactor::new(&[("id", "secret-id")]));
        let text = r#"{"type":"data","id":"secret-id","payload":{"data":{}}}"#;

        let findings = monitor.observe(Moment::START, Side::Server, Frame::text(text));

        assert!(findings[0].detail.contains("secret-id"));
        let recorded = monitor.transcript().to_json_lines();
        assert!(recorded.contains("${id:1}") && recorded.contains(r#""connection":7"#), "{recorded}");
        assert!(!recorded.contains("secret-id"));
        assert!(!format!("{monitor:?}").contains("payload"));
    }

    #[test]
    fn an_upgrade_and_a_remark_are_recorded() {
        let mut monitor = Monitor::new(Dialect::Graphql, 1);
        let request =
            Request { method: "GET".into(), target: "/".into(), headers: Default::default(), body: "".into() };

        monitor.opened(Moment::START, &request, &Response::new(101, ""));
        monitor.note(Moment::START, "x");

        assert_eq!(monitor.transcript().entries().len(), 2);
        assert_eq!(monitor.into_transcript().entries()[1].what, What::Note("x".into()));
    }

    proptest! {
        #[test]
        fn a_monitor_finds_what_its_conversation_finds(frames in prop::collection::vec((any::<u16>(), any::<bool>(), 0..4usize, ".{0,6}"), 0..40)) {
            let mut monitor = Monitor::new(Dialect::Events, 1);
            let mut conversation = Conversation::new(Dialect::Events);
            let mut findings = Vec::new();
            for (at, client, kind, raw) in &frames {
                let from = if *client { Side::Client } else { Side::Server };
                let frame = Frame::text([INIT, ACK, KA, raw.as_str()][*kind]);
                monitor.observe(Moment::from_millis(u64::from(*at)), from, frame);
                findings.extend(conversation.observe(Moment::from_millis(u64::from(*at)), from, frame).findings);
            }

            prop_assert_eq!(monitor.findings(), &findings[..]);
            prop_assert_eq!(monitor.transcript().entries().len(), frames.len());
        }
    }
}
