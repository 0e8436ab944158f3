//! Makes a dialogue smaller that shows a finding, in the order that pays over a network.
//!
//! First what was never carried out, then the tail, then whole connections, then whole subscriptions, then single
//! operations by delta debugging, then values, then waits. Every candidate is played anew by whoever calls; the same
//! candidate is never played twice, and there is a limit to how many are.

use std::collections::HashSet;

use super::op::{Batch, Carriage, Door, Form, Id, Op, Pause, Proof, Setup, Topic, Who};

/// Candidates that one shrinking may play.
pub const TRIES_MAX: u32 = 400;

/// A dialogue made smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// What is left.
    pub ops: Vec<Op>,
    /// Candidates that were played.
    pub tries: u32,
}

/// Makes `ops` smaller as long as `shows` says that a candidate still shows the finding. `carried`: which of them had
/// anything to act on. What comes out shows it too, or is `ops`.
pub fn shrink(ops: &[Op], carried: &[bool], tries_max: u32, shows: &mut dyn FnMut(&[Op]) -> bool) -> Shrunk {
    let mut shrinker = Shrinker { best: ops.to_vec(), tries: 0, tries_max, known: HashSet::new(), shows };
    let executed: Vec<_> = ops.iter().zip(carried).filter(|(_, carried)| **carried).map(|(op, _)| op.clone()).collect();
    shrinker.attempt(executed);
    shrinker.cut_tail();
    loop {
        let before = shrinker.best.clone();
        shrinker.drop_connections();
        shrinker.drop_subscriptions();
        shrinker.drop_chunks();
        shrinker.drop_pairs();
        shrinker.simplify();
        if shrinker.best == before || shrinker.is_spent() {
            break;
        }
    }
    Shrunk { ops: shrinker.best, tries: shrinker.tries }
}

struct Shrinker<'s> {
    best: Vec<Op>,
    tries: u32,
    tries_max: u32,
    /// What was played. One that showed it was the best then, so that going back to it is no progress.
    known: HashSet<String>,
    shows: &'s mut dyn FnMut(&[Op]) -> bool,
}

impl Shrinker<'_> {
    fn is_spent(&self) -> bool {
        self.tries >= self.tries_max
    }

    /// Takes a candidate if it shows the finding too.
    fn attempt(&mut self, candidate: Vec<Op>) -> bool {
        if candidate.is_empty() || candidate == self.best || self.is_spent() {
            return false;
        }
        let trace = serde_json::to_string(&candidate).unwrap_or_default();
        if !self.known.insert(trace) {
            return false;
        }
        self.tries += 1;
        let shows = (self.shows)(&candidate);
        if shows {
            self.best = candidate;
        }
        shows
    }

    /// Halves, then quarters, and so on, taken from the end.
    fn cut_tail(&mut self) {
        let mut size = self.best.len() / 2;
        while size > 0 {
            let keep = self.best.len().saturating_sub(size);
            if !self.attempt(self.best[..keep].to_vec()) {
                size /= 2;
            }
        }
    }

    fn drop_connections(&mut self) {
        let mut nth = 0;
        loop {
            let opens: Vec<_> = positions(&self.best, |op| matches!(op, Op::Open { .. } | Op::Enter { .. }));
            let Some(open) = opens.get(nth).copied() else { return };
            let number = u8::try_from(nth).unwrap_or(u8::MAX);
            let lone = opens.len() as u64;
            let candidate = self.best.iter().enumerate().filter(|(at, _)| *at != open);
            let own = |op: &Op| op.on().is_some_and(|on| u64::from(on) % lone.max(1) == u64::from(number));
            let candidate = candidate.filter(|(_, op)| !own(op)).map(|(_, op)| turned(op, number)).collect();
            if !self.attempt(candidate) {
                nth += 1;
            }
        }
    }

    fn drop_subscriptions(&mut self) {
        let mut nth = 0;
        let subscribes = |op: &Op| matches!(op, Op::Subscribe { .. } | Op::Listen { .. } | Op::Sift { .. });
        while let Some(at) = positions(&self.best, subscribes).get(nth).copied() {
            let follows = |op: &Op| matches!(op, Op::Warm { .. } | Op::Unsubscribe { .. });
            let next = self.best.iter().enumerate().skip(at + 1).find(|(_, op)| follows(op)).map(|(at, _)| at);
            let candidate = self.best.iter().enumerate().filter(|(i, _)| *i != at && Some(*i) != next);
            let candidate = candidate.map(|(_, op)| op.clone()).collect();
            if !self.attempt(candidate) {
                nth += 1;
            }
        }
    }

    /// Delta debugging: chunks of half the length, of a quarter, down to one.
    fn drop_chunks(&mut self) {
        let mut size = (self.best.len() / 2).max(1);
        loop {
            let mut at = 0;
            while at < self.best.len() {
                let end = (at + size).min(self.best.len());
                let candidate = [&self.best[..at], &self.best[end..]].concat();
                if !self.attempt(candidate) {
                    at += size;
                }
            }
            if size == 1 || self.is_spent() {
                return;
            }
            size /= 2;
        }
    }

    /// Two operations that are of use only together, where the dialogue is short already.
    fn drop_pairs(&mut self) {
        if self.best.len() > 12 {
            return;
        }
        let mut first = 0;
        while first < self.best.len() {
            let gone = (first + 1..self.best.len()).any(|second| {
                let candidate = self.best.iter().enumerate().filter(|(at, _)| *at != first && *at != second);
                let candidate = candidate.map(|(_, op)| op.clone()).collect();
                self.attempt(candidate)
            });
            first += usize::from(!gone);
        }
    }

    fn simplify(&mut self) {
        for at in 0..self.best.len() {
            let Some(op) = self.best.get(at).cloned() else { return };
            for plainer in plainer(&op) {
                let mut candidate = self.best.clone();
                if let Some(place) = candidate.get_mut(at) {
                    *place = plainer;
                }
                if self.attempt(candidate) {
                    break;
                }
            }
        }
    }
}

fn positions(ops: &[Op], is: impl Fn(&Op) -> bool) -> Vec<usize> {
    ops.iter().enumerate().filter(|(_, op)| is(op)).map(|(at, _)| at).collect()
}

/// The operation when connection `gone` is not there any more.
fn turned(op: &Op, gone: u8) -> Op {
    let mut op = op.clone();
    let on = match &mut op {
        Op::Init { on, .. }
        | Op::Subscribe { on, .. }
        | Op::Unsubscribe { on, .. }
        | Op::Say { on, .. }
        | Op::Garble { on, .. }
        | Op::Fill { on }
        | Op::Ping { on, .. }
        | Op::Close { on }
        | Op::Drop { on }
        | Op::Listen { on, .. }
        | Op::Sift { on, .. }
        | Op::Tell { on: Some(on), .. }
        | Op::Publish { on: Some(on), .. } => on,
        Op::Open { .. }
        | Op::Enter { .. }
        | Op::Put { .. }
        | Op::Tell { on: None, .. }
        | Op::Publish { on: None, .. }
        | Op::Warm { .. }
        | Op::Call { .. }
        | Op::Wait { .. }
        | Op::Together { .. } => return op,
    };
    *on -= u8::from(*on > gone);
    op
}

/// The operation with all its values at their plainest, and with one of them so.
fn plainer(op: &Op) -> Vec<Op> {
    let all = match op.clone() {
        Op::Open { .. } => vec![Op::Open { door: Door::Usual }],
        Op::Init { on, form } => {
            vec![Op::Init { on: 0, form: Form::Plain }, Op::Init { on: 0, form }, Op::Init { on, form: Form::Plain }]
        }
        Op::Subscribe { on, id, topic, room, who, form } => {
            let plain =
                Op::Subscribe { on: 0, id: Id::Fresh, topic: Topic::Room, room: 0, who: Who::Good, form: Form::Plain };
            vec![
                plain,
                Op::Subscribe { on, id, topic: Topic::Room, room: 0, who, form },
                Op::Subscribe { on, id, topic, room, who: Who::Good, form },
                Op::Subscribe { on, id, topic, room, who, form: Form::Plain },
                Op::Subscribe { on, id: Id::Fresh, topic, room, who, form },
                Op::Subscribe { on: 0, id, topic, room: 0, who, form },
            ]
        }
        Op::Unsubscribe { id, .. } => vec![Op::Unsubscribe { on: 0, id }],
        Op::Warm { .. } => vec![Op::Warm { which: 0 }],
        Op::Publish { on, id, topic, room, batch, who, form } => vec![
            Op::Publish {
                on: None,
                id: Id::Fresh,
                topic: Topic::Room,
                room: 0,
                batch: Batch::One,
                who: Who::Good,
                form: Form::Plain,
            },
            Op::Publish { on, id, topic, room, batch: Batch::One, who, form },
            Op::Publish { on, id, topic: Topic::Room, room: 0, batch, who, form },
            Op::Publish { on, id, topic, room, batch, who: Who::Good, form },
            Op::Publish { on, id: Id::Fresh, topic, room, batch, who, form: Form::Plain },
            Op::Publish { on: None, id, topic, room, batch, who, form },
        ],
        Op::Say { what, .. } => vec![Op::Say { on: 0, what }],
        Op::Garble { base, how, at, .. } => vec![Op::Garble { on: 0, base, how, at }],
        Op::Fill { .. } => vec![Op::Fill { on: 0 }],
        Op::Ping { on, length } => {
            vec![Op::Ping { on: 0, length: 0 }, Op::Ping { on: 0, length }, Op::Ping { on, length: 0 }]
        }
        Op::Close { .. } => vec![Op::Close { on: 0 }],
        Op::Drop { .. } => vec![Op::Drop { on: 0 }],
        Op::Wait { .. } => vec![Op::Wait { pause: Pause::Moment }, Op::Wait { pause: Pause::Answer }],
        Op::Together { .. } => vec![Op::Together { next: 1 }, Op::Together { next: 2 }],
        Op::Call { .. } => Vec::new(),
        Op::Enter { proof, .. } => {
            vec![Op::Open { door: Door::Usual }, Op::Enter { proof, by: Carriage::Usual }]
        }
        Op::Listen { on, setup, room, proof } => vec![
            Op::Listen { on: 0, setup, room: 0, proof: Proof::Main },
            Op::Listen { on: 0, setup: Setup::Room, room: 0, proof },
            Op::Listen { on: 0, setup, room: 0, proof },
            Op::Listen { on, setup, room, proof: Proof::Main },
            Op::Listen { on, setup: Setup::Room, room, proof },
        ],
        Op::Tell { on, setup, proof, .. } => vec![
            Op::Tell { on: None, setup, room: 0, proof: Proof::Main },
            Op::Tell { on: None, setup: Setup::Room, room: 0, proof },
            Op::Tell { on: None, setup, room: 0, proof },
            Op::Tell { on, setup, room: 0, proof },
        ],
        Op::Sift { sieve, value, .. } => vec![Op::Sift { on: 0, sieve, value: 0 }, Op::Sift { on: 0, sieve, value }],
        Op::Put { item, .. } => vec![Op::Put { item: 0, sparse: false }, Op::Put { item, sparse: false }],
    };
    all.into_iter().filter(|plainer| plainer != op).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzzing::op::Oddity;

    fn noise() -> Vec<Op> {
        let mut ops = Vec::new();
        for on in 0..4 {
            ops.push(Op::Open { door: Door::Headers });
            ops.push(Op::Init { on, form: Form::Extras });
            ops.push(Op::Ping { on, length: 5 });
            ops.push(Op::Wait { pause: Pause::Period });
        }
        ops.insert(9, Op::Say { on: 1, what: Oddity::Malformed });
        ops
    }

    /// Needs a connection and, after it, something malformed.
    fn shows(ops: &[Op]) -> bool {
        let open = ops.iter().position(|op| matches!(op, Op::Open { .. }));
        let said = ops.iter().position(|op| matches!(op, Op::Say { what: Oddity::Malformed, .. }));
        open.zip(said).is_some_and(|(open, said)| open < said)
    }

    #[test]
    fn what_is_left_shows_the_finding_and_nothing_else() {
        let ops = noise();

        let shrunk = shrink(&ops, &vec![true; ops.len()], TRIES_MAX, &mut shows);

        assert_eq!(shrunk.ops, [Op::Open { door: Door::Usual }, Op::Say { on: 0, what: Oddity::Malformed }]);
    }

    #[test]
    fn a_finding_that_does_not_show_again_is_left_as_it_is() {
        let ops = noise();

        let shrunk = shrink(&ops, &vec![true; ops.len()], TRIES_MAX, &mut |_| false);

        assert_eq!(shrunk.ops, ops);
    }

    #[test]
    fn no_candidate_is_played_twice_and_there_is_a_limit() {
        let ops = noise();
        let mut seen = std::collections::BTreeSet::new();
        let mut count = 0;

        let shrunk = shrink(&ops, &vec![true; ops.len()], 25, &mut |candidate| {
            count += 1;
            assert!(seen.insert(serde_json::to_string(candidate).unwrap()), "{candidate:?}");
            shows(candidate)
        });

        assert!(count <= 25 && shrunk.tries == count);
        assert!(shows(&shrunk.ops));
    }

    #[test]
    fn what_was_never_carried_out_goes_first() {
        let ops = noise();
        let carried: Vec<_> = ops.iter().map(|op| !matches!(op, Op::Wait { .. })).collect();
        let mut first = None;

        shrink(&ops, &carried, TRIES_MAX, &mut |candidate| {
            first.get_or_insert(candidate.to_vec());
            false
        });

        assert!(first.is_some_and(|first| first.len() == ops.len() - 4));
    }
}
