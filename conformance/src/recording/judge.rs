//! What the model says of a recording: a conversation for each connection, and what it found, merged.
//!
//! Both sides are judged. A connection whose beginning was not recorded is not: nobody knows what had been said before.
//! One with a message that its recorder has shortened is judged up to there, as reports of syncspec shorten long ones.
//! Limits on silence get [`SLACK`], because a recorder stands between the two and has a clock of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use appsync_protocol::conversation::Conversation;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::finding::Finding;
use appsync_protocol::moment::Moment;
use appsync_protocol::requirement::{Requirement, Severity};
use appsync_protocol::transcript::{Transcript, What};
use appsync_protocol::wire::{OwnedFrame, Side};

/// What a limit on silence is stretched by.
pub const SLACK: Duration = Duration::from_secs(1);

/// What was found in one recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Connections that were judged, by dialect.
    pub connections: BTreeMap<Dialect, usize>,
    /// Connections whose beginning was not recorded, by number.
    pub headless: Vec<u32>,
    /// Connections that were judged up to a message which was shortened, by number.
    pub shortened: Vec<u32>,
    /// Frames that were judged.
    pub frames: usize,
    /// Broken requirements, the worst first, then in the order in which they showed.
    pub checks: Vec<Check>,
}

/// One requirement that one side broke, once or several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The rule.
    pub requirement: Requirement,
    /// Who broke it.
    pub by: Side,
    /// How much it counts.
    pub severity: Severity,
    /// How often.
    pub count: u64,
    /// The connection on which it showed first.
    pub connection: u32,
    /// When it showed first.
    pub at: Moment,
    /// Index of the entry with which it showed first.
    pub entry: usize,
    /// What was expected and what was seen there.
    pub detail: String,
}

/// Nothing in a recording tells which dialect a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownDialect {
    /// The connection.
    pub connection: u32,
    /// Index of the entry that opens it.
    pub entry: usize,
}

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connection, .. } = self;
        write!(f, "expected a path or a subprotocol that tells the dialect of connection {connection}; got neither")?;
        f.write_str(", say it with --dialect")
    }
}

impl std::error::Error for UnknownDialect {}

/// Judges every connection. A given dialect counts for all of them; without one, path and subprotocols tell it.
///
/// # Errors
/// When a connection on which something was said does not tell its dialect.
pub fn judge(transcript: &Transcript, dialect: Option<Dialect>) -> Result<Judgement, UnknownDialect> {
    let mut judge = Judge { given: dialect, ..Judge::default() };
    for (n, entry) in transcript.entries().iter().enumerate() {
        match &entry.what {
            What::Open { target, subprotocols, selected, .. } => {
                judge.close(entry.connection, entry.at, n);
                let dialect = told_by(target, subprotocols, selected.as_deref());
                judge.open.insert(entry.connection, Open::At { entry: n, dialect });
            }
            What::Frame { from, frame } => {
                if is_shortened(frame) {
                    judge.break_off(entry.connection);
                }
                let Some(conversation) = judge.conversation(entry.connection)? else { continue };
                let findings = conversation.observe(entry.at, *from, frame.borrow()).findings;
                judge.frames += 1;
                judge.keep(entry.connection, n, findings);
            }
            // Neither is part of a conversation.
            What::Http { .. } | What::Note(_) => {}
        }
    }
    if let Some((n, last)) = transcript.entries().iter().enumerate().next_back() {
        for connection in judge.open.keys().copied().collect::<Vec<_>>() {
            judge.close(connection, last.at, n);
        }
    }
    Ok(judge.finish())
}

/// The dialect of an upgrade: what the server selected tells it best, then the path, then what the client offered.
fn told_by(target: &str, offered: &[String], selected: Option<&str>) -> Option<Dialect> {
    let of = |name: &str| Dialect::ALL.into_iter().find(|dialect| dialect.subprotocol() == name);
    let path = target.split('?').next().unwrap_or_default().trim_end_matches('/');
    let by_path = if path.ends_with("/event/realtime") {
        Some(Dialect::Events)
    } else if path.ends_with("/graphql") || path.ends_with("/graphql/realtime") {
        Some(Dialect::Graphql)
    } else {
        None
    };
    selected.and_then(of).or(by_path).or_else(|| offered.iter().find_map(|name| of(name)))
}

/// Whether a message ends as those do that reports shorten: `... (4096 bytes)`. No message of either dialect does.
fn is_shortened(frame: &OwnedFrame) -> bool {
    let OwnedFrame::Text { text, fragments: _ } = frame else { return false };
    let count = text.strip_suffix(" bytes)").and_then(|head| head.rsplit_once("... ("));
    count.is_some_and(|(_, count)| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()))
}

#[derive(Default)]
struct Judge {
    given: Option<Dialect>,
    open: BTreeMap<u32, Open>,
    headless: Vec<u32>,
    shortened: Vec<u32>,
    connections: BTreeMap<Dialect, usize>,
    frames: usize,
    checks: BTreeMap<(Requirement, Side), Check>,
}

/// A connection that is open.
enum Open {
    /// Nothing was said on it yet.
    At { entry: usize, dialect: Option<Dialect> },
    /// Both sides are heard.
    Heard(Box<Conversation>),
}

impl Judge {
    /// The conversation on a connection; `None` where its beginning is missing.
    fn conversation(&mut self, connection: u32) -> Result<Option<&mut Conversation>, UnknownDialect> {
        let Some(open) = self.open.get_mut(&connection) else {
            if !self.headless.contains(&connection) && !self.shortened.contains(&connection) {
                self.headless.push(connection);
            }
            return Ok(None);
        };
        if let Open::At { entry, dialect } = *open {
            let dialect = self.given.or(dialect).ok_or(UnknownDialect { connection, entry })?;
            *self.connections.entry(dialect).or_default() += 1;
            *open = Open::Heard(Box::new(Conversation::new(dialect).with_slack(SLACK)));
        }
        match open {
            Open::Heard(conversation) => Ok(Some(conversation)),
            Open::At { .. } => Ok(None),
        }
    }

    /// What comes later on a connection is not judged.
    fn break_off(&mut self, connection: u32) {
        if self.open.remove(&connection).is_some() && !self.shortened.contains(&connection) {
            self.shortened.push(connection);
        }
    }

    /// Nothing more is heard of a connection: what its silence up to now says.
    fn close(&mut self, connection: u32, at: Moment, entry: usize) {
        if let Some(Open::Heard(mut conversation)) = self.open.remove(&connection) {
            let findings = conversation.elapse(at);
            self.keep(connection, entry, findings);
        }
    }

    fn keep(&mut self, connection: u32, entry: usize, findings: Vec<Finding>) {
        for Finding { requirement, by, at, detail } in findings {
            let severity = requirement.severity();
            let first = || Check { requirement, by, severity, count: 0, connection, at, entry, detail };
            self.checks.entry((requirement, by)).or_insert_with(first).count += 1;
        }
    }

    fn finish(self) -> Judgement {
        let mut checks: Vec<_> = self.checks.values().cloned().collect();
        checks.sort_by_key(|check| (std::cmp::Reverse(check.severity), check.entry));
        let Self { connections, headless, shortened, frames, .. } = self;
        Judgement { connections, headless, shortened, frames, checks }
    }
}
