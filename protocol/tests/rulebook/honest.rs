//! Two peers, first-in-first-out links with random delay, and an observer at a random point between them.
//!
//! A peer knows only what it has said and what has arrived. An honest one breaks no rule by its own
//! knowledge; a wild one says anything that its side can say. What the observer sees of an honest peer
//! must therefore be free of findings, whatever the other one does and wherever the observer stands.
//!
//! Where an answer may mean several things to the client that hears it, dice decide what it makes of it:
//! an honest client may be mistaken. A server may take a start up later than the stop behind it. One thing
//! no honest client does: after its stop it does not stop the same life again.

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

/// What a client makes of one of its ids.
#[derive(Clone, Copy, Default)]
struct Wish {
    starts: u32,
    stops: u32,
    /// The last word was to start it.
    wanted: bool,
    live: bool,
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
            self.hear(*say, dice);
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
        let over = !wish.live && wish.starts == 0;
        if wish.wanted && !over {
            let stops = dice.one_in(if wish.live { 3 } else { 6 });
            // The same start once more is impatience.
            let again = wish.starts > 0 && wish.starts < 3 && dice.one_in(4);
            return if stops {
                Some(wish.stop(id))
            } else if again {
                Some(wish.start(id))
            } else {
                None
            };
        }
        // Granted after all, though the stop has been answered.
        if wish.live && wish.stops == 0 && dice.one_in(2) {
            return Some(wish.stop(id));
        }
        if wish.starts > 2 || (!over && !dice.one_in(4)) {
            return None;
        }
        wish.request = dice.below(2) as u8;
        Some(wish.start(id))
    }

    fn hear(&mut self, say: Say, dice: &mut Dice) {
        match say {
            Say::Ack { .. } => self.acknowledged = true,
            Say::Granted(id) => {
                let wish = &mut self.wishes[usize::from(id)];
                wish.starts = wish.starts.saturating_sub(1);
                wish.live = true;
            }
            Say::Ended(id) => self.wishes[usize::from(id)].end(self.dialect, dice),
            Say::Refused { id: Some(id), of } => self.hear_refusal(id, of, dice),
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

    fn hear_refusal(&mut self, id: Id, of: Option<Operation>, dice: &mut Dice) {
        let wish = &mut self.wishes[usize::from(id)];
        let may_be_an_end = wish.live || wish.stops > 0;
        match (self.dialect, of) {
            (Dialect::Graphql, _) if wish.starts > 0 && (!may_be_an_end || dice.one_in(2)) => wish.starts -= 1,
            (Dialect::Graphql, _) => wish.end(Dialect::Graphql, dice),
            (Dialect::Events, None | Some(Operation::Subscribe)) => wish.starts = wish.starts.saturating_sub(1),
            (Dialect::Events, Some(Operation::Unsubscribe)) => wish.stops = wish.stops.saturating_sub(1),
            (Dialect::Events, Some(Operation::Publish)) => {}
        }
    }
}

impl Wish {
    fn start(&mut self, id: Id) -> Say {
        self.starts += 1;
        self.wanted = true;
        Say::Subscribe { id, request: self.request }
    }

    fn stop(&mut self, id: Id) -> Say {
        self.stops += 1;
        self.wanted = false;
        Say::Unsubscribe(id)
    }

    /// The server's own end may have crossed the stop, or it is the answer.
    fn end(&mut self, dialect: Dialect, dice: &mut Dice) {
        if !self.live || dialect == Dialect::Events || dice.one_in(2) {
            self.stops = self.stops.saturating_sub(1);
        }
        self.live = false;
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
            said.push(if dice.one_in(2) { Say::Ended(id) } else { Say::Refused { id: Some(id), of: None } });
        }
        let overtaken = matches!(self.heard.make_contiguous(), [Say::Subscribe { .. }, Say::Unsubscribe(_), ..]);
        if overtaken && dice.one_in(4) {
            self.heard.swap(0, 1);
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
            Say::Unsubscribe(id) => self.answer_stop(id, dice),
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
            | Say::Unheard(None)
            | Say::Unreadable(_)
            | Say::Binary => vec![Say::Refused { id: None, of: None }],
            Say::Unheard(id) => vec![Say::Refused { id: id.filter(|_| dice.one_in(2)), of: None }],
        }
    }

    fn answer_stop(&mut self, id: Id, dice: &mut Dice) -> Vec<Say> {
        let was_live = core::mem::take(&mut self.live[usize::from(id)]);
        match (was_live, self.dialect) {
            (true, Dialect::Graphql | Dialect::Events) => vec![Say::Ended(id)],
            (false, Dialect::Events) => vec![Say::Refused { id: Some(id), of: Some(Operation::Unsubscribe) }],
            // GQL-A-08: an error, complete and silence are all fine.
            (false, Dialect::Graphql) => {
                let said = [Some(Say::Refused { id: Some(id), of: None }), Some(Say::Ended(id)), None];
                said[dice.below(3) as usize].into_iter().collect()
            }
        }
    }
}
