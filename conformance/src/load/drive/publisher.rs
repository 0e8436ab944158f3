//! Publishers of Events: one connection each, any number of publishes under way.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use appsync_protocol::dialect::{Dialect, decode};
use appsync_protocol::envelope::elements;
use appsync_protocol::message::Message;
use tokio::time::timeout;

use super::connect::{Open, connect};
use super::flow::{FIRST_ROUND, Fate, Flow, LAST_ROUND, Next, Underway};
use super::line::End;
use super::time::Alarm;
use super::world::{Phase, Signer, World, add};
use crate::load::plan::Pace;
use crate::load::topic::{Publish, Topics};

/// Publishes under way on one connection. More wait, and what they wait counts.
const UNDERWAY_MAX: usize = 10_000;

/// One publisher, from its beginning to the end of the run.
pub(crate) async fn publish(world: Rc<World>, publisher: u64, probes: bool) {
    // Numbers of connections of subscribers are small.
    let line = connect(&world, (1 << 40) + publisher).await;
    add(&world.gauges().settled, 1);
    let (Some(mut line), Ok(mut alarm)) = (line, Alarm::new(world.shared.clock)) else {
        add(&world.gauges().finished, 1);
        return;
    };
    let mut desk = Desk::new(&world, publisher);
    let mut ended = None;
    world.reached(Phase::Probe).await;
    if probes {
        ended = desk.probe(&mut line, &mut alarm).await.err();
    }
    if let (None, Some(start)) = (ended, world.started().await) {
        ended = desk.run(&mut line, &mut alarm, start).await.err();
    }
    add(&world.gauges().finished, 1);
    if ended.is_none() {
        ended = desk.answers(&mut line).await.err();
    }
    if let Some(end) = ended {
        world.measured.borrow_mut().counts.disconnects += 1;
        world.shared.complain(&format!("a publisher: {end}"));
    }
    desk.close();
    if ended.is_none() {
        line.close(1000);
        let _ = timeout(std::time::Duration::from_secs(1), line.flush()).await;
    }
}

/// What one publisher has under way.
struct Desk {
    world: Rc<World>,
    flow: Flow,
    signer: Signer,
    /// Publishes in parts, by channel; empty where each is signed anew.
    parts: Vec<Publish>,
    /// By the number in their id.
    underway: BTreeMap<u64, Underway>,
    last_id: u64,
    /// Text of the last id.
    id: String,
    out: String,
}

/// The number in the answer to a publish whose events were all accepted, if it is spelled in the usual way. That is what
/// nearly every answer is; whatever differs is read in full.
fn plain_success(bytes: &[u8]) -> Option<u64> {
    let rest = bytes.strip_prefix(br#"{"type":"publish_success","id":"p"#)?;
    let end = rest.iter().take(17).position(|byte| *byte == b'"')?;
    let (digits, rest) = rest.split_at(end);
    let events = rest.strip_prefix(br#"","successful":[{"#)?.strip_suffix(br#"}],"failed":[]}"#)?;
    // All of it in one go, and not to the first: that can be done for many bytes at a time.
    let is_one = !events.iter().fold(false, |is, byte| is | matches!(byte, b'{' | b'[' | b'\\'));
    // A sign is no digit, but would be read as one.
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    (is_one && is_number).then(|| u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())?
}

impl Desk {
    fn new(world: &Rc<World>, publisher: u64) -> Self {
        let reach = &world.shared.reach;
        let signer = Signer::new(&reach.source);
        let parts = match signer.constant() {
            None => Vec::new(),
            Some(who) => (0..world.plan().channels)
                .map(|channel| Publish::new(&reach.topics.channel(world.plan().seed, channel), who))
                .collect(),
        };
        Self {
            flow: Flow::new(world, publisher),
            signer,
            parts,
            underway: BTreeMap::new(),
            last_id: 0,
            id: String::new(),
            out: String::new(),
            world: Rc::clone(world),
        }
    }

    /// Publishes on every channel at growing distances, until the phase is over.
    async fn probe(&mut self, line: &mut Open, alarm: &mut Alarm) -> Result<(), End> {
        let world = Rc::clone(&self.world);
        let started = world.started();
        tokio::pin!(started);
        let (mut before, mut distance, mut due) = (0, FIRST_ROUND, 0);
        for round in 0.. {
            loop {
                tokio::select! {
                    biased;
                    _ = &mut started => return Ok(()),
                    () = alarm.until(due) => break,
                    turn = self.turn(line) => turn?,
                }
            }
            let now = world.now();
            for channel in 0..world.plan().channels {
                if let Some(event) = self.flow.probe(channel, round, before) {
                    self.send(line, event);
                }
            }
            (before, due, distance) = (now, now + distance, (distance * 2).min(LAST_ROUND));
        }
        Ok(())
    }

    /// Publishes by the schedule, or as fast as answers come.
    async fn run(&mut self, line: &mut Open, alarm: &mut Alarm, start: u64) -> Result<(), End> {
        let room = match self.world.plan().pace {
            Pace::Open => UNDERWAY_MAX,
            Pace::Closed { window } => usize::try_from(window).unwrap_or(UNDERWAY_MAX),
        };
        alarm.until(start).await;
        let world = Rc::clone(&self.world);
        let draining = world.reached(Phase::Drain);
        tokio::pin!(draining);
        loop {
            let now = world.now();
            let due = match self.flow.next(start, now) {
                Next::Never => return Ok(()),
                Next::At(due) => due,
            };
            if self.underway.len() < room && due <= now {
                match self.flow.take(due, now) {
                    Some(event) => self.send(line, event),
                    None => return Ok(()),
                }
                // What is due goes out together.
                continue;
            }
            let is_full = self.underway.len() >= room;
            tokio::select! {
                biased;
                () = &mut draining => return Ok(()),
                () = alarm.until(due), if !is_full => {}
                turn = self.turn(line) => turn?,
            }
        }
    }

    /// Waits for what is under way, until the run is closed.
    async fn answers(&mut self, line: &mut Open) -> Result<(), End> {
        let world = Rc::clone(&self.world);
        let closing = world.reached(Phase::Close);
        tokio::pin!(closing);
        loop {
            tokio::select! {
                biased;
                turn = self.turn(line) => turn?,
                () = &mut closing => return Ok(()),
            }
        }
    }

    fn send(&mut self, line: &mut Open, event: Underway) {
        self.last_id += 1;
        self.id.clear();
        // Writing to a string does not fail.
        let _ = write!(self.id, "p{:x}", self.last_id);
        let id = self.id.as_str();
        let text = self.flow.text(&event);
        self.out.clear();
        match usize::try_from(event.channel).ok().and_then(|channel| self.parts.get(channel)) {
            Some(parts) => parts.write(id, &text, &mut self.out),
            None => match self.signed(&event, &text) {
                Ok(parts) => parts.write(id, &text, &mut self.out),
                Err(why) => {
                    self.world.shared.complain(&why);
                    return self.flow.settle(&event, Fate::Refused);
                }
            },
        }
        line.send(&self.out);
        self.underway.insert(self.last_id, event);
    }

    fn signed(&self, event: &Underway, text: &str) -> Result<Publish, String> {
        let topics: &Topics = &self.world.shared.reach.topics;
        let channel = topics.channel(self.world.plan().seed, event.channel);
        let who = self.signer.credentials(&topics.publish_body(&channel, text))?;
        Ok(Publish::new(&channel, &who))
    }

    async fn turn(&mut self, line: &mut Open) -> Result<(), End> {
        line.turn(|bytes| self.hear(bytes)).await
    }

    fn hear(&mut self, bytes: &[u8]) {
        if let Some(event) = plain_success(bytes).and_then(|number| self.underway.remove(&number)) {
            return self.flow.settle(&event, Fate::Accepted);
        }
        let decoded = std::str::from_utf8(bytes).ok().and_then(|text| decode(Dialect::Events, text).ok());
        let Some(decoded) = decoded else {
            self.world.measured.borrow_mut().counts.unread += 1;
            return;
        };
        let number = |id: &str| u64::from_str_radix(id.strip_prefix('p')?, 16).ok();
        let (id, fate) = match &decoded.message {
            // EVT-PUB-010: an event that was not accepted stands in the list of failures.
            Message::Published { id, failed, .. } => {
                let is_good = failed.is_none_or(|failed| elements(failed).is_empty());
                (Some(id), if is_good { Fate::Accepted } else { Fate::Refused })
            }
            Message::Refused { id, .. } => (id.as_ref(), Fate::Refused),
            Message::Init
            | Message::Ack { .. }
            | Message::Rejected { .. }
            | Message::KeepAlive
            | Message::Subscribe { .. }
            | Message::Granted { .. }
            | Message::Data { .. }
            | Message::BroadcastFailed { .. }
            | Message::Unsubscribe { .. }
            | Message::Ended { .. }
            | Message::Publish { .. }
            | Message::Unknown { .. } => return,
        };
        if let Some(event) = id.and_then(|id| number(id)).and_then(|number| self.underway.remove(&number)) {
            if fate == Fate::Refused {
                self.world.shared.complain("a publish was refused");
            }
            self.flow.settle(&event, fate);
        }
    }

    fn close(&mut self) {
        for event in std::mem::take(&mut self.underway).into_values() {
            self.flow.settle(&event, Fate::Unanswered);
        }
        self.flow.deposit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_in_the_usual_spelling_is_what_the_decoder_reads() {
        let usual = r#"{"type":"publish_success","id":"p1f","successful":[{"identifier":"a","index":0}],"failed":[]}"#;
        let decoded = decode(Dialect::Events, usual).unwrap();

        assert!(matches!(decoded.message, Message::Published { id, failed: Some(failed), .. }
            if id == "p1f" && elements(failed).is_empty()));
        assert_eq!(plain_success(usual.as_bytes()), Some(0x1f));
        for (part, other) in [
            ("p1f", "p+1"),
            ("p1f", "p"),
            ("p1f", "p11111111111111111"),
            ("p1f", "q1f"),
            ("\"failed\":[]", "\"failed\":[{}]"),
            (r#"[{"identifier":"a","index":0}]"#, "[]"),
            (r#""index":0}]"#, r#""index":0}],"failed":[{"index":0}]"#),
            ("publish_success", "publish_error"),
        ] {
            assert_eq!(plain_success(usual.replace(part, other).as_bytes()), None, "{other}");
        }
    }
}
