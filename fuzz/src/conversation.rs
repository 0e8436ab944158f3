//! Any frames, from either side, at any time.
//!
//! The invariant: nothing panics; time never goes back and no deadline is past; a finding has a reason, is of the
//! dialect, and blames the side that spoke or, for a silence, the server; what `admits` says no to is never taken without
//! a finding where a client says it; a monitor finds the same; and keep-alives put between the frames change nothing but
//! what silence means.
//!
//! The first byte is the dialect. Lines are frames: the first byte picks side, kind and pause, the rest is the text.

use std::time::Duration;

use appsync_protocol::conversation::{Conversation, Heard, Phase};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::finding::Finding;
use appsync_protocol::moment::Moment;
use appsync_protocol::monitor::Monitor;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::wire::{Frame, Side};

use crate::reach::Point;

static MESSAGE: Point = Point::new("conversation/message");
static FINDING: Point = Point::new("conversation/finding");
static CLEAN: Point = Point::new("conversation/clean-message");
static OPEN: Point = Point::new("conversation/open");
static SILENCE: Point = Point::new("conversation/silence");
static KEPT_ALIVE: Point = Point::new("conversation/kept-alive");
/// Where the oracle speaks.
pub static POINTS: [&Point; 6] = [&MESSAGE, &FINDING, &CLEAN, &OPEN, &SILENCE, &KEPT_ALIVE];

/// Rules that a keep-alive can keep.
const OF_SILENCE: [Requirement; 2] = [Requirement::GqlKa001, Requirement::EvtKa001];

/// One input.
pub fn run(input: &[u8]) {
    let Some((head, rest)) = input.split_first() else { return };
    let dialect = if head & 1 == 0 { Dialect::Graphql } else { Dialect::Events };
    let (mut plain, mut alive) = (Conversation::new(dialect), Conversation::new(dialect));
    let mut monitor = Monitor::new(dialect, 1);
    let (mut found, mut found_alive) = (Vec::new(), Vec::new());
    let mut now = Moment::START;
    for line in rest.split(|byte| *byte == b'\n') {
        let Some((how, body)) = line.split_first() else { continue };
        let side = if how & 1 == 0 { Side::Client } else { Side::Server };
        now = now + Duration::from_millis(u64::from(how >> 4) * 30_000);
        let text = String::from_utf8_lossy(body);
        let frame = match (how >> 1) & 7 {
            4 => Frame::Text { text: &text, fragments: 3 },
            5 => Frame::Binary(body),
            6 if body.is_empty() => Frame::Lost,
            6 => Frame::Close { code: Some(u16::from(body[0]) * 20), reason: &text },
            7 => Frame::Ping(body),
            _ => Frame::text(&text),
        };
        let silences = plain.elapse(now);
        for finding in &silences {
            SILENCE.reached();
            assert!(finding.by == Side::Server && OF_SILENCE.contains(&finding.requirement), "{finding}");
        }
        assert!(plain.deadline().is_none_or(|deadline| deadline.at > now), "a deadline in the past");
        found_alive.extend(alive.elapse(now));
        let told = step(&mut plain, now, side, frame);
        found_alive.extend(alive.observe(now, side, frame).findings);
        monitor.elapse(now);
        monitor.observe(now, side, frame);
        found.extend(silences);
        found.extend(told);
        if matches!(plain.phase(), Phase::Open { .. }) {
            OPEN.reached();
            let extra = alive.observe(now, Side::Server, Frame::text(r#"{"type":"ka"}"#)).findings;
            assert!(extra.is_empty(), "{extra:?}");
        }
    }
    let counted = usize::try_from(monitor.findings_dropped()).unwrap_or_default() + monitor.findings().len();
    assert_eq!(counted, found.len(), "{:?}, {found:?}", monitor.findings());
    KEPT_ALIVE.reached();
    let spoken =
        |all: Vec<Finding>| all.into_iter().filter(|f| !OF_SILENCE.contains(&f.requirement)).collect::<Vec<_>>();
    assert_eq!(spoken(found), spoken(found_alive));
}

fn step(conversation: &mut Conversation, now: Moment, side: Side, frame: Frame<'_>) -> Vec<Finding> {
    let before = conversation.clone();
    let observed = conversation.observe(now, side, frame);
    for finding in &observed.findings {
        FINDING.reached();
        assert!(finding.at <= now && !finding.detail.is_empty() && finding.by == side, "{finding}");
        assert!(!finding.detail.contains(char::is_control), "{finding:?}");
        let of = if conversation.dialect() == Dialect::Graphql { "EVT-" } else { "GQL-" };
        assert!(!finding.requirement.to_string().starts_with(of), "{finding}");
    }
    if let Heard::Message(decoded) = &observed.heard {
        MESSAGE.reached();
        if observed.findings.is_empty() {
            CLEAN.reached();
        }
        let no_business = decoded.message.speaker().is_some_and(|speaker| speaker != side);
        assert!(!no_business || before.admits(side, &decoded.message).is_err(), "{:?}", decoded.message);
        // After the end nothing is said any more; whoever does so is told.
        let over = matches!(before.phase(), Phase::Closed);
        assert!(!over || before.admits(side, &decoded.message).is_err(), "{:?}", decoded.message);
    }
    observed.findings
}
