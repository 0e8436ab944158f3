//! Two peers, first-in-first-out links with random delay, and an observer at a random point between them.
//!
//! A peer knows only what it has said and what has arrived. An honest one breaks no rule by its own
//! knowledge; a wild one says anything that its side can say. What the observer sees of an honest peer
//! must therefore be free of findings, whatever the other one does and wherever the observer stands.
//!
//! Three courses are left out, because their answers cannot be attributed; tests of their own hold
//! them: an honest GraphQL server is silent to a stop of an unknown id (GQL-A-08 allows it), says
//! `complete` when it ends a subscription by itself, and an honest client lets an id rest until its
//! stop is answered.

use std::collections::VecDeque;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::message::Operation;
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{OwnedFrame, Side};

use super::say::{IDS, Id, Say};

/// How a peer behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conduct {
    Honest,
    Wild,
}

/// One connection to be played.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) dialect: Dialect,
    pub(crate) client: Conduct,
    pub(crate) server: Conduct,
    /// Longest delay of a message from the client to the observer, and from there to the server, in seconds.
    pub(crate) delays_s: (u64, u64),
    pub(crate) length_s: u64,
    pub(crate) seed: u64,
}

/// What the observer sees, second by second.
pub(crate) fn observed(course: Course) -> Vec<(Moment, Side, OwnedFrame)> {
    let mut dice = Dice(course.seed);
    let mut client = Client::new(course.dialect, &mut dice);
    let mut server = Server::new(course.dialect, &mut dice);
    let (near, far) = course.delays_s;
    let [mut up, mut up_on, mut down, mut down_on] = [near, far, far, near].map(Link::new);
    let mut seen = Vec::new();
    for now in 0..course.length_s {
        let arrived = down_on.arrivals(now);
        let said = match course.client {
            Conduct::Honest => client.turn(&arrived, &mut dice),
            Conduct::Wild => wild(Side::Client, &mut dice),
        };
        up.send(now, said, &mut dice);
        let passing = up.arrivals(now);
        see(&mut seen, course.dialect, now, Side::Client, &passing);
        up_on.send(now, passing, &mut dice);

        let arrived = up_on.arrivals(now);
        let said = match course.server {
            Conduct::Honest => server.turn(now, &arrived, &mut dice),
            Conduct::Wild => wild(Side::Server, &mut dice),
        };
        down.send(now, said, &mut dice);
        let passing = down.arrivals(now);
        see(&mut seen, course.dialect, now, Side::Server, &passing);
        down_on.send(now, passing, &mut dice);
    }
    seen
}

fn see(seen: &mut Vec<(Moment, Side, OwnedFrame)>, dialect: Dialect, now: u64, by: Side, passing: &[Say]) {
    seen.extend(passing.iter().map(|say| (Moment::from_millis(now * 1000), by, say.frame(dialect, by))));
}

/// A link that delays but never reorders.
struct Link {
    longest_s: u64,
    on_its_way: VecDeque<(u64, Say)>,
}

impl Link {
    const fn new(longest_s: u64) -> Self {
        Self { longest_s, on_its_way: VecDeque::new() }
    }

    fn send(&mut self, now: u64, said: Vec<Say>, dice: &mut Dice) {
        for say in said {
            let before = self.on_its_way.back().map_or(0, |(due, _)| *due);
            self.on_its_way.push_back((before.max(now + dice.below(self.longest_s + 1)), say));
        }
    }

    fn arrivals(&mut self, now: u64) -> Vec<Say> {
        let count = self.on_its_way.iter().take_while(|(due, _)| *due <= now).count();
        self.on_its_way.drain(..count).map(|(_, say)| say).collect()
    }
}

/// A reproducible stream of numbers (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    fn id(&mut self) -> Id {
        self.below(u64::from(IDS)) as Id
    }
}

/// What a peer without any sense says in one turn; it never closes, so that the honest one goes on.
fn wild(side: Side, dice: &mut Dice) -> Vec<Say> {
    if !dice.one_in(3) {
        return Vec::new();
    }
    let id = dice.id();
    let of = [None, Some(Operation::Subscribe), Some(Operation::Unsubscribe), Some(Operation::Publish)];
    let said = match side {
        Side::Client => {
            let request = u8::from(dice.one_in(2));
            [
                Say::Init,
                Say::Subscribe { id, request },
                Say::Subscribe { id, request },
                Say::Unsubscribe(id),
                Say::Publish(id),
                Say::Unheard(Some(id)),
                Say::Unreadable(2),
                Say::Data(id),
            ][dice.below(8) as usize]
        }
        Side::Server => {
            let of = of[dice.below(4) as usize];
            [
                Say::Ack { limit_ms: Some(300_000) },
                Say::Granted(id),
                Say::Granted(id),
                Say::Refused { id: Some(id), of },
                Say::Data(id),
                Say::Ended(id),
                Say::Published(id),
                Say::Unheard(Some(id)),
            ][dice.below(8) as usize]
        }
    };
    vec![said]
}

/// What a client knows of one of its ids.
#[derive(Clone, Copy, Default)]
struct Wish {
    starts: u32,
    /// The last word was to start it.
    wanted: bool,
    live: bool,
    stopping: bool,
    request: u8,
}

struct Client {
    dialect: Dialect,
    /// Events only: `connection_init` is optional there (EVT-INIT-001).
    skips_init: bool,
    said_init: bool,
    acknowledged: bool,
    closed: bool,
    wishes: [Wish; IDS as usize],
}

impl Client {
    fn new(dialect: Dialect, dice: &mut Dice) -> Self {
        let skips_init = dialect == Dialect::Events && dice.one_in(3);
        Self { dialect, skips_init, said_init: false, acknowledged: false, closed: false, wishes: Default::default() }
    }

    fn turn(&mut self, arrived: &[Say], dice: &mut Dice) -> Vec<Say> {
        for say in arrived {
            self.hear(*say);
        }
        if self.closed || !dice.one_in(2) {
            return Vec::new();
        }
        if !self.said_init && !self.skips_init {
            self.said_init = true;
            return vec![Say::Init];
        }
        if !self.acknowledged && !self.skips_init {
            return Vec::new();
        }
        if dice.one_in(400) {
            self.closed = true;
            return vec![Say::Close];
        }
        if self.dialect == Dialect::Events && dice.one_in(5) {
            return vec![Say::Publish(dice.id())];
        }
        self.wish(dice).into_iter().collect()
    }

    fn wish(&mut self, dice: &mut Dice) -> Option<Say> {
        let id = dice.id();
        let wish = &mut self.wishes[usize::from(id)];
        let waits = wish.starts > 0 && !wish.live;
        if wish.stopping || wish.starts > 2 || (waits && !wish.wanted) {
            return None;
        }
        if wish.live || (waits && dice.one_in(6)) {
            wish.stopping = dice.one_in(3);
            wish.wanted = !wish.stopping;
            return wish.stopping.then_some(Say::Unsubscribe(id));
        }
        if !waits {
            wish.request = dice.below(2) as u8;
        } else if !dice.one_in(4) {
            return None;
        }
        wish.starts += 1;
        wish.wanted = true;
        Some(Say::Subscribe { id, request: wish.request })
    }

    fn hear(&mut self, say: Say) {
        match say {
            Say::Ack { .. } => self.acknowledged = true,
            Say::Granted(id) => {
                let wish = &mut self.wishes[usize::from(id)];
                wish.starts = wish.starts.saturating_sub(1);
                // A stop that is on its way ends this life too.
                wish.live = wish.wanted;
            }
            Say::Ended(id) => {
                let wish = &mut self.wishes[usize::from(id)];
                wish.live = false;
                wish.stopping = false;
            }
            Say::Refused { id: Some(id), of } => self.hear_refusal(id, of),
            Say::Close | Say::Lost | Say::Rejected => self.closed = true,
            Say::Init
            | Say::KeepAlive
            | Say::Subscribe { .. }
            | Say::Refused { id: None, .. }
            | Say::Data(_)
            | Say::BroadcastFailed(_)
            | Say::Unsubscribe(_)
            | Say::Publish(_)
            | Say::Published(_)
            | Say::Unheard(_)
            | Say::Unreadable(_)
            | Say::Binary
            | Say::Ping => {}
        }
    }

    fn hear_refusal(&mut self, id: Id, of: Option<Operation>) {
        let wish = &mut self.wishes[usize::from(id)];
        match (self.dialect, of) {
            (Dialect::Graphql, _) | (Dialect::Events, None | Some(Operation::Subscribe)) if wish.starts > 0 => {
                wish.starts -= 1;
            }
            (Dialect::Graphql, _) => *wish = Wish::default(),
            (Dialect::Events, Some(Operation::Unsubscribe)) if wish.stopping => {
                wish.live = false;
                wish.stopping = false;
            }
            (Dialect::Events, _) => {}
        }
    }
}

struct Server {
    dialect: Dialect,
    limit_ms: u64,
    acknowledged: bool,
    closed: bool,
    heard: VecDeque<Say>,
    live: [bool; IDS as usize],
}

impl Server {
    fn new(dialect: Dialect, dice: &mut Dice) -> Self {
        let limit_ms = [120_000, 300_000][dice.below(2) as usize];
        Self {
            dialect,
            limit_ms,
            acknowledged: false,
            closed: false,
            heard: VecDeque::new(),
            live: [false; IDS as usize],
        }
    }

    fn turn(&mut self, now: u64, arrived: &[Say], dice: &mut Dice) -> Vec<Say> {
        self.heard.extend(arrived);
        let mut said = Vec::new();
        if self.closed {
            return said;
        }
        if now % 60 == 59 {
            said.push(Say::KeepAlive);
        }
        let id = dice.id();
        if self.live[usize::from(id)] && dice.one_in(2) {
            said.push(Say::Data(id));
        }
        if self.live[usize::from(id)] && self.dialect == Dialect::Graphql && dice.one_in(12) {
            self.live[usize::from(id)] = false;
            said.push(Say::Ended(id));
        }
        if dice.one_in(2) {
            let next = self.heard.pop_front();
            said.extend(next.into_iter().flat_map(|say| self.answer(say, dice)));
        }
        said
    }

    fn answer(&mut self, say: Say, dice: &mut Dice) -> Vec<Say> {
        match say {
            Say::Init if self.acknowledged && dice.one_in(2) => Vec::new(),
            Say::Init if !self.acknowledged && dice.one_in(20) => {
                self.closed = true;
                vec![Say::Rejected, Say::Close]
            }
            Say::Init => {
                self.acknowledged = true;
                vec![Say::Ack { limit_ms: Some(self.limit_ms) }]
            }
            Say::Subscribe { id, .. } => {
                let live = &mut self.live[usize::from(id)];
                if *live || dice.one_in(5) {
                    return vec![Say::Refused { id: Some(id), of: Some(Operation::Subscribe) }];
                }
                *live = true;
                vec![Say::Granted(id)]
            }
            Say::Unsubscribe(id) => self.answer_stop(id),
            Say::Publish(id) if self.dialect == Dialect::Events && dice.one_in(4) => {
                vec![Say::Refused { id: Some(id), of: Some(Operation::Publish) }]
            }
            Say::Publish(id) if self.dialect == Dialect::Events => vec![Say::Published(id)],
            Say::Close | Say::Lost => {
                self.closed = true;
                vec![Say::Close]
            }
            Say::Ping => Vec::new(),
            Say::Publish(_)
            | Say::Ack { .. }
            | Say::Rejected
            | Say::KeepAlive
            | Say::Granted(_)
            | Say::Refused { .. }
            | Say::Data(_)
            | Say::BroadcastFailed(_)
            | Say::Ended(_)
            | Say::Published(_)
            | Say::Unheard(_)
            | Say::Unreadable(_)
            | Say::Binary => vec![Say::Refused { id: None, of: None }],
        }
    }

    fn answer_stop(&mut self, id: Id) -> Vec<Say> {
        let was_live = core::mem::take(&mut self.live[usize::from(id)]);
        match (was_live, self.dialect) {
            (true, Dialect::Graphql | Dialect::Events) => vec![Say::Ended(id)],
            (false, Dialect::Events) => vec![Say::Refused { id: Some(id), of: Some(Operation::Unsubscribe) }],
            (false, Dialect::Graphql) => Vec::new(),
        }
    }
}
