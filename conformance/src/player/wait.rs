//! What the player waits for, and what it means when it comes, or does not.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use appsync_protocol::conversation::Phase;
use appsync_protocol::moment::Moment;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::transcript::Redactor;
use appsync_protocol::wire::{OwnedFrame, Side};

use super::inbox::Found;
use super::{Ending, Player, Unmet};
use crate::scenario::{Answer, BYSTANDER, Conn, Greeting, Pattern, Publication, Wait, What, cut, cut_hidden};

/// What the player waits for.
pub(super) enum Waiting {
    Nothing,
    Upgrade {
        conn: Conn,
        any_of: Vec<Greeting>,
        rule: Requirement,
        until: Moment,
    },
    Message {
        conn: Conn,
        any_of: Vec<Pattern>,
        rule: Requirement,
        until: Moment,
        silence: Silence,
    },
    Call {
        call: u32,
        any_of: Vec<Answer>,
        rule: Requirement,
        until: Moment,
    },
    Warm {
        conn: Conn,
        id: String,
        left: VecDeque<(String, Publication)>,
        told: BTreeSet<String>,
        rule: Requirement,
        since: Moment,
        until: Moment,
        pause: Duration,
    },
    Quiet {
        until: Moment,
    },
}

/// What is known of a silence.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// The time is not up yet.
    NotYet,
    /// The time is up; a probe is out that a living connection answers.
    Probing,
    /// When the time is up there is no saying whether it is too long.
    Undecidable,
}

/// Payload of the ping that tells a silent server from a dead connection.
const PROBE: &[u8] = b"syncspec-alive?";

impl Waiting {
    pub(super) const fn until(&self) -> Option<Moment> {
        match self {
            Self::Nothing => None,
            Self::Upgrade { until, .. }
            | Self::Message { until, .. }
            | Self::Call { until, .. }
            | Self::Warm { until, .. }
            | Self::Quiet { until } => Some(*until),
        }
    }
}

impl Player<'_> {
    pub(super) fn expect(&mut self, conn: Conn, any_of: Vec<Pattern>, rule: Requirement, within: Wait) {
        let (wait, silence) = match within {
            Wait::Answer => (self.limits.step, Silence::NotYet),
            Wait::Seconds(seconds) => (Duration::from_secs(u64::from(seconds)), Silence::NotYet),
            Wait::KeepAlive => match self.limits.keep_alive {
                Some(period) => (period, Silence::Undecidable),
                None => (self.advertised(conn) + self.limits.step, Silence::NotYet),
            },
        };
        if let Some(line) = self.lines.get_mut(&conn) {
            line.inbox.turn_to_another();
        }
        self.waiting = Waiting::Message { conn, any_of, rule, until: self.now + wait, silence };
        self.decide();
    }

    /// No connection after a hazard: either the target has died, which the bystander shows, or it is trouble of
    /// another kind.
    pub(super) fn ask_the_bystander(&mut self, trouble: String) {
        self.doubt = Some(trouble);
        self.send(BYSTANDER, OwnedFrame::Ping(PROBE.to_vec()));
        self.expect(BYSTANDER, vec![Pattern::pong(PROBE)], Requirement::SynAlive001, Wait::Answer);
    }

    /// The silence that the acknowledgement of this connection allows; 300 s where it says nothing.
    fn advertised(&self, conn: Conn) -> Duration {
        let limit = self.lines.get(&conn).and_then(|line| match line.conversation.phase() {
            Phase::Open { silence_limit, .. } => silence_limit,
            Phase::Fresh | Phase::Greeting { .. } | Phase::Refused | Phase::Closing { .. } | Phase::Closed => None,
        });
        limit.unwrap_or(Duration::from_secs(300))
    }

    pub(super) fn warm(&mut self, conn: Conn, id: String, left: VecDeque<(String, Publication)>, rule: Requirement) {
        let (since, until) = (self.now, self.now);
        let pause = Duration::from_millis(50);
        self.waiting = Waiting::Warm { conn, id, left, told: BTreeSet::new(), rule, since, until, pause };
        self.time_is_up();
    }

    /// Something came: does it decide what the player waits for?
    pub(super) fn decide(&mut self) {
        // Taken out and put back where nothing is decided yet: a frame costs no copy of what is expected.
        match std::mem::replace(&mut self.waiting, Waiting::Nothing) {
            Waiting::Message { conn, any_of, rule, until, silence } => {
                if !self.decide_message(conn, &any_of, rule, silence) {
                    self.waiting = Waiting::Message { conn, any_of, rule, until, silence };
                }
            }
            Waiting::Warm { conn, id, left, told, rule, since, until, pause } => {
                if !self.decide_warm(conn, &id, &told, rule, since) {
                    self.waiting = Waiting::Warm { conn, id, left, told, rule, since, until, pause };
                }
            }
            other @ (Waiting::Nothing | Waiting::Upgrade { .. } | Waiting::Call { .. } | Waiting::Quiet { .. }) => {
                self.waiting = other;
            }
        }
    }

    /// Whether a message has come that decides the expectation, or the connection is over.
    fn decide_message(&mut self, conn: Conn, any_of: &[Pattern], rule: Requirement, silence: Silence) -> bool {
        let Some(line) = self.lines.get_mut(&conn) else {
            self.end(Ending::Trouble(format!("there is no connection #{conn}")));
            return true;
        };
        let (got, entry, silent) = match line.inbox.find(&self.cast.prefix, any_of) {
            Found::Fits(alternative, heard) => {
                self.decided(conn, any_of.get(alternative), heard.entry);
                return true;
            }
            Found::Misfit(heard) => {
                (describe(&heard.frame, &self.secrets()), Some(heard.entry), matches!(heard.frame, OwnedFrame::Lost))
            }
            Found::Nothing if line.over => ("the end of the connection".into(), None, true),
            Found::Nothing if silence == Silence::Probing && self.answered_probe() => {
                ("nothing, while the connection answered a ping".into(), None, true)
            }
            Found::Nothing => return false,
        };
        let expected = any_of.iter().map(|p| cut(&p.to_string(), 400)).collect();
        self.end(Ending::Unmet(Unmet { rule, expected, got, entry, silent }));
        true
    }

    /// An alternative of an expectation has come.
    fn decided(&mut self, conn: Conn, alternative: Option<&Pattern>, entry: usize) {
        if let Some(trouble) = self.doubt.take() {
            // The bystander lives, so the trouble is its own.
            return self.end(Ending::Trouble(trouble));
        }
        let Some(pattern) = alternative else { return };
        let at = self.now.since(self.started).as_millis();
        self.evidence.push(format!("#{conn} {} at {at} ms (entry {entry})", cut(&pattern.to_string(), 120)));
        self.read(pattern.reading);
        self.then(pattern.then);
    }

    /// Whether the last thing that came is an answer to the probe.
    fn answered_probe(&self) -> bool {
        self.record.last().is_some_and(|entry| match &entry.event {
            super::Event::Frame { from: Side::Server, frame } => match frame {
                OwnedFrame::Pong(payload) => payload == PROBE,
                OwnedFrame::Text { text, .. } => text.contains("connection_ack"),
                OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Close { .. } | OwnedFrame::Lost => false,
            },
            super::Event::Frame { .. }
            | super::Event::Upgrade { .. }
            | super::Event::Upgraded { .. }
            | super::Event::Failed { .. }
            | super::Event::Bytes { .. }
            | super::Event::Call { .. }
            | super::Event::Answer { .. } => false,
        })
    }

    /// Whether the first event has come, or the connection is over.
    fn decide_warm(&mut self, conn: Conn, id: &str, told: &BTreeSet<String>, rule: Requirement, since: Moment) -> bool {
        let Some(line) = self.lines.get_mut(&conn) else {
            self.end(Ending::Trouble(format!("there is no connection #{conn}")));
            return true;
        };
        if line.inbox.find_event(id, told) {
            let took = self.now.since(since);
            self.evidence.push(format!("#{conn} warm: data id={id:?} after {} ms", took.as_millis()));
            self.measures.push(("silent-window", u64::try_from(took.as_millis()).unwrap_or(u64::MAX)));
            self.deliveries.settled(self.now, conn, id);
            return true;
        }
        let over = line.over;
        if over {
            let expected = vec![format!("data id={id:?}")];
            let got = "the end of the connection".into();
            self.end(Ending::Unmet(Unmet { rule, expected, got, entry: None, silent: true }));
        }
        over
    }

    /// The deadline of what the player waits for has come.
    pub(super) fn time_is_up(&mut self) {
        if self.now >= self.started + self.limits.scenario {
            return self.end(Ending::Trouble("the time for the scenario is up".into()));
        }
        if self.waiting.until().is_none_or(|until| self.now < until) {
            return;
        }
        match std::mem::replace(&mut self.waiting, Waiting::Nothing) {
            Waiting::Nothing => {}
            Waiting::Upgrade { .. } => self.end(Ending::Trouble("no answer to the upgrade".into())),
            Waiting::Call { .. } => self.end(Ending::Trouble("no answer to the HTTP request".into())),
            Waiting::Quiet { .. } => {
                let marked = if self.deliveries.forbids_anything() { "marker + " } else { "" };
                self.evidence.push(format!("{marked}quiet {} ms", self.limits.quiet.as_millis()));
            }
            Waiting::Message { conn, any_of, rule, silence, .. } => self.silent(conn, any_of, rule, silence),
            Waiting::Warm { conn, id, left, told, rule, since, pause, .. } => {
                self.warm_again(conn, id, left, told, rule, since, pause);
            }
        }
    }

    fn silent(&mut self, conn: Conn, any_of: Vec<Pattern>, rule: Requirement, silence: Silence) {
        match silence {
            Silence::Undecidable => {
                self.end(Ending::Trouble("no keep-alive within one period; it needs --tier long".into()));
            }
            Silence::Probing => {
                self.end(Ending::Trouble("no answer, and the connection does not answer a ping either".into()));
            }
            // After a close frame of this side nothing but the other's is due, pongs included (RFC 6455 section 5.5.1).
            Silence::NotYet if self.is_closing(conn) => {
                let expected = any_of.iter().map(|p| cut(&p.to_string(), 400)).collect();
                let got = "nothing, although a close frame was sent".into();
                self.end(Ending::Unmet(Unmet { rule, expected, got, entry: None, silent: true }));
            }
            Silence::NotYet => {
                let wants_pong = any_of.iter().any(|p| matches!(p.what, What::Pong(_)));
                let until = self.now + self.limits.step;
                self.waiting = Waiting::Message { conn, any_of, rule, until, silence: Silence::Probing };
                if wants_pong {
                    self.send(conn, OwnedFrame::text(r#"{"type":"connection_init"}"#));
                } else {
                    self.send(conn, OwnedFrame::Ping(PROBE.to_vec()));
                }
            }
        }
    }

    /// Whether this side has said goodbye, and the other has not.
    fn is_closing(&self, conn: Conn) -> bool {
        self.lines.get(&conn).is_some_and(|line| match line.conversation.phase() {
            Phase::Closing { by } => by == Side::Client && !line.over,
            Phase::Fresh | Phase::Greeting { .. } | Phase::Open { .. } | Phase::Refused | Phase::Closed => false,
        })
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one waiting state")]
    fn warm_again(
        &mut self,
        conn: Conn,
        id: String,
        mut left: VecDeque<(String, Publication)>,
        mut told: BTreeSet<String>,
        rule: Requirement,
        since: Moment,
        pause: Duration,
    ) {
        match left.pop_front() {
            Some((nonce, publication)) => {
                told.insert(nonce);
                let until = self.now + pause;
                self.waiting = Waiting::Warm { conn, id, left, told, rule, since, until, pause: pause * 2 };
                self.publish(publication);
            }
            // All that is left is to see whether the connection is alive.
            None => self.silent(conn, vec![Pattern::with_id("data", &id)], rule, Silence::NotYet),
        }
    }
}

/// A frame in few words, for a failure.
fn describe(frame: &OwnedFrame, secrets: &Redactor) -> String {
    match frame {
        OwnedFrame::Text { text, .. } => cut_hidden(text, 300, secrets),
        OwnedFrame::Binary(bytes) => format!("a binary message of {} bytes", bytes.len()),
        OwnedFrame::Ping(_) => "a ping".into(),
        OwnedFrame::Pong(_) => "a pong".into(),
        OwnedFrame::Close { code, reason } => match code {
            Some(code) => format!("a close frame with code {code} {reason}"),
            None => "a close frame without a code".into(),
        },
        OwnedFrame::Lost => "the end of the connection without a close frame".into(),
    }
}
