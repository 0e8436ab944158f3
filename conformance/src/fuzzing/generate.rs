//! Makes dialogues up: operations drawn by weights, which shift to what has seldom been answered.
//!
//! A few candidates are drawn from the weights of the moment; the one whose operation has been seen least is taken. So
//! a campaign goes on to what is rare without losing the ground that it stands on: nothing is rarer than depth, and a
//! dialogue that begins with a refused connection has none.

use appsync_protocol::dialect::Dialect;

use super::cells::Coverage;
use super::driver::{LineView, Source, View};
use super::op::{Batch, Call, Carriage, Door, Form, Garbling, Id, Oddity, Op, Pause, Proof, Setup, Sieve, Topic, Who};

/// A reproducible stream of numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The stream of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, 0 where that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or_default()
    }

    fn small(&mut self, end: u8) -> u8 {
        u8::try_from(self.below(u64::from(end))).unwrap_or_default()
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// Any one of these.
    fn any<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let at = usize::try_from(self.below(all.len() as u64)).ok()?;
        all.get(at).copied()
    }

    /// The plainest one but for one time in `count`.
    fn mostly<T: Copy>(&mut self, plain: T, all: &[T], count: u64) -> T {
        if self.one_in(count) { self.any(all).unwrap_or(plain) } else { plain }
    }
}

/// What a generator may draw.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Operations of one dialogue, at most.
    pub ops_max: usize,
    /// Connections that are open at the same time.
    pub connections_max: usize,
    /// Whether to create hundreds of subscriptions and to send megabytes.
    pub large: bool,
    /// Whether minutes may pass.
    pub patient: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { ops_max: 40, connections_max: 3, large: true, patient: true }
    }
}

/// The source of one dialogue.
pub struct Generator<'c> {
    dialect: Dialect,
    dice: Dice,
    bounds: Bounds,
    coverage: &'c Coverage,
    length: usize,
    hazards: bool,
    /// What this dialogue has a taste for: see [`Generator::liked`].
    taste: u64,
    last: Option<Op>,
}

impl<'c> Generator<'c> {
    /// The dialogue of this seed.
    pub fn new(dialect: Dialect, seed: u64, bounds: Bounds, coverage: &'c Coverage) -> Self {
        let mut dice = Dice::new(seed);
        let most = bounds.ops_max.max(6) as u64;
        let length = usize::try_from(6 + dice.below(most - 5)).unwrap_or(6);
        // A muddled connection tells little of what comes later, so most dialogues keep them for the end.
        let hazards = dice.one_in(3);
        // Minutes that pass tell ever less, and the time of a campaign is bounded.
        let long = [Pause::Period, Pause::BeforeLimit, Pause::AfterLimit, Pause::Minutes];
        let waits: u32 = long.map(|pause| coverage.visits(&Op::Wait { pause }.label())).into_iter().sum();
        let patient = bounds.patient && dice.one_in(u64::from(6 + 6 * waits.min(9)));
        let taste = dice.next();
        Self { dialect, dice, bounds: Bounds { patient, ..bounds }, coverage, length, hazards, taste, last: None }
    }
}

impl Source for Generator<'_> {
    fn next(&mut self, view: &View) -> Option<Op> {
        if view.carried >= self.length {
            return None;
        }
        // The same once more may be taken for what was done already.
        let again = matches!(self.last, Some(Op::Publish { .. } | Op::Tell { .. } | Op::Put { .. } | Op::Call { .. }));
        if again && self.dice.one_in(12) {
            return self.last.clone();
        }
        // What a dialogue stands on is as it is mostly: what is rare there ends it.
        let count = if view.lines.iter().any(|line| line.acked) { 3 } else { 1 };
        let candidates: Vec<_> = (0..count).map(|_| self.draw(view)).collect();
        self.last = candidates.into_iter().min_by_key(|op| self.coverage.visits(&op.label()));
        self.last.clone()
    }
}

/// Kinds of operations that can be drawn.
#[derive(Clone, Copy)]
enum Kind {
    Open,
    Init,
    Subscribe,
    Unsubscribe,
    Warm,
    Publish,
    Call,
    Say,
    Garble,
    Fill,
    Ping,
    Close,
    Drop,
    Wait,
    Together,
    Enter,
    Listen,
    Tell,
    Sift,
    Put,
}

/// Kinds of choices for which a dialogue has tastes of their own.
#[derive(Clone, Copy)]
enum Taste {
    Proof,
    Setup,
    Sieve,
    Subscribed,
    Published,
    Batch,
}

/// What is published and taken whole, of a few bytes.
const TAKEN: &[Batch] = &[
    Batch::One,
    Batch::Three,
    Batch::Five,
    Batch::Unicode,
    Batch::Nested,
    Batch::BigNumber,
    Batch::Fraction,
    Batch::True,
    Batch::Null,
    Batch::EmptyText,
    Batch::EmptyObject,
];

impl Generator<'_> {
    /// One of these. Every other time it is the one that this dialogue has a taste for: what is rare among many meets
    /// itself again, as what is published in a namespace meets who subscribes to it.
    fn liked<T: Copy>(&mut self, taste: Taste, all: &[T]) -> Option<T> {
        if self.dice.one_in(2) {
            return self.dice.any(all);
        }
        Dice::new(self.taste.wrapping_add(taste as u64)).any(all)
    }

    /// A room, mostly that of the dialogue.
    fn room(&mut self) -> u8 {
        let usual = Dice::new(self.taste).small(3);
        self.dice.mostly(usual, &[0, 1, 2], 3)
    }

    fn draw(&mut self, view: &View) -> Op {
        let good: Vec<&LineView> = view.lines.iter().filter(|line| line.acked && !line.muddled).collect();
        let uninited = view.lines.iter().any(|line| !line.inited && !line.muddled);
        let live: usize = good.iter().map(|line| line.live).sum();
        let settled: usize = good.iter().map(|line| line.settled).sum();
        let open = view.lines.len();
        let room = open < self.bounds.connections_max;
        let sifted: usize = good.iter().map(|line| line.sifted).sum();
        let offer = &view.offer;
        // A key alone has three neighbours, and nothing else is on offer.
        let (proofs, sieves) = (offer.proofs.len() as u64, offer.sieves);
        let all = proofs + offer.setups.len() as u64;
        let weight = |yes: bool, weight: u64| if yes { weight } else { 0 };
        // An end that crosses what was published just before.
        let crossing = view.together && settled > 0;
        let late = self.hazards || view.carried * 3 > self.length * 2;
        let weights = [
            (Kind::Open, if open == 0 { 60 } else { weight(room, 4) }),
            (Kind::Init, weight(uninited, 60) + weight(late && open > 0, 1)),
            (Kind::Subscribe, weight(!good.is_empty(), if live < 3 { 20 } else { 10 }) + weight(open > 0, 1)),
            (Kind::Unsubscribe, weight(!good.is_empty(), 2) + weight(live > 1, 3) + weight(crossing, 40)),
            (Kind::Warm, weight(live > settled, 16)),
            (Kind::Publish, 3 + weight(settled > 0, 14)),
            (Kind::Call, 4),
            (Kind::Say, weight(!good.is_empty(), if late { 6 } else { 1 })),
            (Kind::Garble, weight(late && !good.is_empty(), 2)),
            (Kind::Fill, weight(self.bounds.large && live > 0 && settled == 0 && self.dice.one_in(40), 1)),
            (Kind::Ping, weight(open > 0, 2)),
            (Kind::Close, weight(open > 1 || late, 1)),
            (Kind::Drop, weight(open > 1 || late, 1)),
            (Kind::Wait, weight(self.bounds.patient && !good.is_empty(), 2)),
            (Kind::Together, weight(!good.is_empty(), 4) + weight(uninited, 4)),
            (Kind::Enter, if open == 0 { proofs.min(10) } else { weight(room, proofs.min(3)) }),
            (Kind::Listen, weight(!good.is_empty(), all.min(8))),
            (Kind::Tell, all.min(if settled > 0 { 8 } else { 2 })),
            (Kind::Sift, weight(sieves && !good.is_empty(), if sifted == 0 { 3 } else { 1 })),
            (Kind::Put, weight(sieves && sifted > 0, 14)),
        ];
        let total = weights.iter().map(|(_, weight)| weight).sum();
        let mut at = self.dice.below(total);
        let mut drawn = Kind::Open;
        for (kind, weight) in weights {
            if at < weight {
                drawn = kind;
                break;
            }
            at -= weight;
        }
        self.make(drawn, view)
    }

    fn make(&mut self, kind: Kind, view: &View) -> Op {
        let on = self.dice.small(4);
        match kind {
            Kind::Open => Op::Open { door: self.dice.mostly(Door::Usual, Door::ALL, 3) },
            Kind::Init => Op::Init { on, form: self.dice.mostly(Form::Plain, Form::ALL, 4) },
            Kind::Subscribe => self.subscribe(on),
            Kind::Unsubscribe => {
                let id = if view.together || self.dice.one_in(2) {
                    Id::Live
                } else {
                    self.dice.mostly(Id::Used, Id::ALL, 2)
                };
                Op::Unsubscribe { on, id }
            }
            Kind::Warm => Op::Warm { which: self.dice.small(4) },
            Kind::Publish => self.publish(on),
            Kind::Call => Op::Call { call: self.dice.any(Call::ALL).unwrap_or(Call::Plain) },
            Kind::Say => self.say(on),
            Kind::Garble => Op::Garble {
                on,
                base: self.dice.small(4),
                how: self.dice.any(Garbling::ALL).unwrap_or(Garbling::Cut),
                at: self.dice.small(16),
            },
            Kind::Fill => Op::Fill { on },
            Kind::Ping => Op::Ping { on, length: [0, 5, 125][usize::from(self.dice.small(3))] },
            Kind::Close => Op::Close { on },
            Kind::Drop => Op::Drop { on },
            Kind::Wait => Op::Wait { pause: self.dice.mostly(Pause::Moment, Pause::ALL, 2) },
            Kind::Together => Op::Together { next: 2 + self.dice.small(3) },
            Kind::Enter => {
                let proof = self.liked(Taste::Proof, &view.offer.proofs).unwrap_or(Proof::Main);
                Op::Enter { proof, by: self.dice.any(Carriage::ALL).unwrap_or(Carriage::Usual) }
            }
            Kind::Listen => {
                let (setup, proof) = self.declared(view);
                Op::Listen { on, setup, room: self.room(), proof }
            }
            Kind::Tell => {
                let (setup, proof) = self.declared(view);
                let on = (self.dialect == Dialect::Events && self.dice.one_in(2)).then_some(on);
                Op::Tell { on, setup, room: self.room(), proof }
            }
            Kind::Sift => {
                let sieve = self.liked(Taste::Sieve, Sieve::ALL).unwrap_or(Sieve::EqText);
                Op::Sift { on, sieve, value: self.dice.small(12) }
            }
            Kind::Put => Op::Put { item: self.dice.small(u8::MAX), sparse: self.dice.one_in(8) },
        }
    }

    /// Set-up with the usual credentials, or a room with others; where modes of namespaces decide, both.
    fn declared(&mut self, view: &View) -> (Setup, Proof) {
        let offer = &view.offer;
        let proof = self.liked(Taste::Proof, &offer.proofs).unwrap_or(Proof::Main);
        let Some(setup) = self.liked(Taste::Setup, &offer.setups).filter(|_| !self.dice.one_in(3)) else {
            let denied = proof == Proof::Lambda && self.dice.one_in(2);
            return (if denied && self.dialect == Dialect::Graphql { Setup::Grow } else { Setup::Room }, proof);
        };
        let signed = matches!(setup, Setup::PublishIam | Setup::SubscribeIam) && self.dice.one_in(2);
        let refused = setup == Setup::SubscribeReject && self.dice.one_in(2);
        match (signed, refused) {
            (true, _) => (setup, Proof::Iam),
            (false, true) => (setup, Proof::Wrong),
            (false, false) => (setup, Proof::Main),
        }
    }

    fn say(&mut self, on: u8) -> Op {
        let what = self.dice.any(Oddity::ALL).unwrap_or(Oddity::UnknownWord);
        let op = Op::Say { on, what };
        if op.is_large() && !self.bounds.large { Op::Say { on, what: Oddity::UnknownWord } } else { op }
    }

    fn subscribe(&mut self, on: u8) -> Op {
        // One thing is unusual at a time, or none.
        let (mut id, mut topic, mut who, mut form) = (Id::Fresh, Topic::Room, Who::Good, Form::Plain);
        match self.dice.below(10) {
            0 | 1 => id = self.dice.mostly(Id::Live, Id::ALL, 2),
            2 => id = Id::Used,
            3 | 4 => topic = self.dice.any(Topic::ALL).unwrap_or(topic),
            5 | 6 => {
                let good = [Topic::Below, Topic::Deep, Topic::Wild, Topic::Longest];
                topic = self.liked(Taste::Subscribed, &good).unwrap_or(topic);
            }
            7 => who = self.dice.any(Who::ALL).unwrap_or(who),
            8 => form = self.dice.any(Form::ALL).unwrap_or(form),
            _ => {}
        }
        Op::Subscribe { on, id, topic, room: self.room(), who, form }
    }

    fn publish(&mut self, on: u8) -> Op {
        let over_connection = self.dialect == Dialect::Events && self.dice.one_in(2);
        let (mut id, mut topic, mut who, mut form) = (Id::Fresh, Topic::Room, Who::Good, Form::Plain);
        let mut batch = Batch::One;
        match self.dice.below(12) {
            0 => id = self.dice.any(&[Id::Live, Id::Publish, Id::Longest, Id::Odd, Id::Near]).unwrap_or(id),
            1 => topic = self.dice.any(Topic::ALL).unwrap_or(topic),
            2 => who = self.dice.any(Who::ALL).unwrap_or(who),
            3 => form = self.dice.any(Form::ALL).unwrap_or(form),
            4..=6 => batch = self.liked(Taste::Batch, Batch::ALL).unwrap_or(batch),
            7..=9 => {
                let elsewhere = [Topic::Below, Topic::Deep, Topic::Longest, Topic::Wild, Topic::Loud, Topic::Bare];
                topic = self.liked(Taste::Published, &elsewhere).unwrap_or(topic);
                // What is refused for two reasons may be refused for either.
                batch = self.liked(Taste::Batch, TAKEN).unwrap_or(batch);
            }
            _ => {}
        }
        let on = over_connection.then_some(on);
        let room = self.room();
        let op = Op::Publish { on, id, topic, room, batch, who, form };
        if !op.is_large() || (self.bounds.large && self.dice.one_in(6)) {
            return op;
        }
        Op::Publish { on, id, topic, room: 0, batch: Batch::One, who, form }
    }
}

/// A dialogue that is known: a finding played again, or a candidate of the shrinker.
pub struct Script<'o> {
    ops: std::slice::Iter<'o, Op>,
}

impl<'o> Script<'o> {
    /// These operations, one after the other.
    pub fn new(ops: &'o [Op]) -> Self {
        Self { ops: ops.iter() }
    }
}

impl Source for Script<'_> {
    fn next(&mut self, _: &View) -> Option<Op> {
        self.ops.next().cloned()
    }
}
