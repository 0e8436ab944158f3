//! Carries out what takes more of a target than the protocol: further credentials, filters, handlers, resolvers.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Requirement as R;

use super::ask::{Claim, Concern, IdState, Posted};
use super::driver::{Driver, LinePhase, SubPhase, Wants};
use super::op::{Carriage, Op, Proof, Setup, Sieve};
use super::proof::is_known;
use super::{handlers, resolvers, sieve};
use crate::scenario::{Capabilities, Capability, Cast, Conn, Pattern};

/// What a target has beyond the protocol, as far as it can be tried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Credentials besides the usual ones.
    pub proofs: Vec<Proof>,
    /// Set-up besides rooms.
    pub setups: Vec<Setup>,
    /// Whether it has a field with enhanced filters.
    pub sieves: bool,
}

/// What of a target's declarations an operation takes.
pub fn capability(dialect: Dialect, op: &Op) -> Option<Capability> {
    let (setup, proof) = match op {
        Op::Listen { setup, proof, .. } | Op::Tell { setup, proof, .. } => (*setup, *proof),
        Op::Enter { proof, .. } => (Setup::Room, *proof),
        Op::Sift { .. } | Op::Put { .. } => return Some(Capability::EnhancedFilters),
        Op::Open { .. }
        | Op::Init { .. }
        | Op::Subscribe { .. }
        | Op::Unsubscribe { .. }
        | Op::Warm { .. }
        | Op::Publish { .. }
        | Op::Call { .. }
        | Op::Say { .. }
        | Op::Garble { .. }
        | Op::Fill { .. }
        | Op::Ping { .. }
        | Op::Close { .. }
        | Op::Drop { .. }
        | Op::Wait { .. }
        | Op::Together { .. } => return None,
    };
    let of_setup = match dialect {
        Dialect::Graphql => resolvers::needs(setup),
        Dialect::Events => handlers::needs(setup),
    };
    of_setup.or_else(|| super::proof::capability(proof))
}

/// What a target lacks without which these operations cannot be carried out.
pub fn lacking(cast: &Cast, has: &Capabilities, ops: &[Op]) -> Option<String> {
    ops.iter().find_map(|op| {
        let undeclared = capability(cast.dialect, op).filter(|capability| !has.has(*capability));
        let (Op::Listen { proof, .. } | Op::Tell { proof, .. } | Op::Enter { proof, .. }) = op else {
            return undeclared.map(|capability| capability.undeclared().to_owned());
        };
        let unknown = (!is_known(cast, has, *proof))
            .then(|| format!("{:?} takes credentials that were not given: {}", op.label(), super::op::word(proof)));
        undeclared.map(|capability| capability.undeclared().to_owned()).or(unknown)
    })
}

/// How long an answer of the authorizer is surely kept, in microseconds (five minutes are promised).
const KEPT_US: u64 = 250_000_000;

/// When a token for one time was shown, under which id and for what.
#[derive(Clone, Debug)]
pub(super) struct Spent {
    at: appsync_protocol::moment::Moment,
    conn: Conn,
    id: String,
    place: (Setup, u8),
}

impl Driver<'_> {
    /// What can be tried on the target.
    pub(super) fn offered(&self) -> Offer {
        let has = |capability: Option<Capability>| capability.is_some_and(|c| self.setting.capabilities.has(c));
        let dialect = self.setting.cast.dialect;
        let needs = |setup: Setup| match dialect {
            Dialect::Graphql => resolvers::needs(setup),
            Dialect::Events => handlers::needs(setup),
        };
        let known = |proof: &Proof| is_known(&self.setting.cast, &self.setting.capabilities, *proof);
        let extra = |proof: &&Proof| !matches!(proof, Proof::Main | Proof::Wrong);
        Offer {
            proofs: Proof::ALL.iter().filter(extra).copied().filter(known).collect(),
            setups: Setup::ALL.iter().copied().filter(|setup| has(needs(*setup))).collect(),
            sieves: dialect == Dialect::Graphql && has(Some(Capability::EnhancedFilters)),
        }
    }

    pub(super) fn enter(&mut self, proof: Proof, by: Carriage) -> bool {
        let cast = &self.setting.cast;
        if !is_known(cast, &self.setting.capabilities, proof) {
            return false;
        }
        let entrance = match cast.dialect {
            Dialect::Graphql => resolvers::enter(cast, proof, by),
            Dialect::Events => handlers::enter(cast, proof, by),
        };
        entrance.is_some_and(|entrance| self.open_by(entrance))
    }

    /// Whether the target can be asked for this with these credentials, as far as anybody can say what is due then.
    fn can_try(&self, setup: Setup, proof: Proof, subscribes: bool) -> bool {
        let offer = &self.offer;
        let wrong = proof == Proof::Wrong && subscribes;
        let known = proof == Proof::Main || wrong || offer.proofs.contains(&proof);
        let set_up = setup == Setup::Room || offer.setups.contains(&setup);
        let denied = self.dialect() == Dialect::Graphql && setup == Setup::Grow && self.setting.cast.denied.is_some();
        let goes = match (self.dialect(), setup) {
            (_, Setup::Room) => true,
            (Dialect::Graphql, Setup::Grow) => proof == Proof::Lambda && subscribes,
            (Dialect::Graphql, _) => proof == Proof::Main,
            (Dialect::Events, Setup::SubscribeReject) => proof == Proof::Main || wrong,
            (Dialect::Events, Setup::PublishIam | Setup::SubscribeIam) => {
                matches!(proof, Proof::Main | Proof::Iam)
            }
            (Dialect::Events, _) => proof == Proof::Main,
        };
        known && (set_up || denied) && goes
    }

    /// Whether a connection is acknowledged, clear and not about to be full.
    fn is_steady(&self, conn: Conn) -> bool {
        let clear = self.lines.get(&conn).is_some_and(|line| line.acked && !line.muddled);
        let scene = self.scene(conn);
        clear && scene.live + scene.unclear + 1 < super::graphql::SUBSCRIPTIONS_MAX
    }

    pub(super) fn listen(&mut self, conn: Conn, place: (Setup, u8), proof: Proof) -> bool {
        if !self.is_steady(conn) || !self.can_try(place.0, proof, true) {
            return false;
        }
        let place = (place.0, place.1 % 3);
        let Some(counts) = self.counts(proof, Some(place)) else { return false };
        let id = format!("s{}", self.serial);
        let scene = self.scene(conn);
        let asked = match self.dialect() {
            Dialect::Graphql => resolvers::listen(&scene, &id, place, (proof, counts)),
            Dialect::Events => handlers::listen(&scene, &id, place, (proof, counts)),
        };
        let Some((ask, hears)) = asked else { return false };
        if matches!(proof, Proof::Once | Proof::Kept) && !self.spent.contains_key(&proof) {
            self.spent.insert(proof, Spent { at: self.now, conn, id: id.clone(), place });
        }
        self.start(conn, id, (IdState::Fresh, hears), ask);
        true
    }

    /// Whether a token for one time is good for this; `None` where nobody can say. Anything else is.
    fn counts(&self, proof: Proof, place: Option<(Setup, u8)>) -> Option<bool> {
        if !matches!(proof, Proof::Once | Proof::Kept) {
            return Some(true);
        }
        let Some(spent) = self.spent.get(&proof) else { return place.map(|_| true) };
        let state = self.lines.get(&spent.conn).and_then(|line| line.ids.get(&spent.id));
        matches!(state, Some(IdState::Live | IdState::Ended)).then_some(())?;
        let kept = self.now.as_micros().saturating_sub(spent.at.as_micros()) < KEPT_US;
        match (proof, self.dialect()) {
            (Proof::Kept, _) if !kept => None,
            (Proof::Kept, _) if place == Some(spent.place) => Some(true),
            (Proof::Kept, Dialect::Graphql) => None,
            (_, _) => Some(false),
        }
    }

    pub(super) fn tell(&mut self, conn: Conn, (setup, room): (Setup, u8), proof: Proof) -> bool {
        let patient = setup != Setup::Stall || self.setting.pause_max.as_secs() > 60;
        if !self.is_steady(conn) || !patient || !self.can_try(setup, proof, false) || setup == Setup::LambdaError {
            return false;
        }
        let Some(counts) = self.counts(proof, None) else { return false };
        let id = format!("p{}", self.serial);
        let told = handlers::tell(&self.scene(conn), &id, (setup, room), (proof, counts));
        let Some((ask, posted)) = told else { return false };
        let posted = self.addressed(posted);
        let owes = self.owes(&posted, (conn, id.clone()));
        if let Some(line) = self.lines.get_mut(&conn) {
            line.publishes.insert(id);
        }
        self.owed.extend(owes);
        self.post(posted);
        self.ask(conn, ask);
        true
    }

    pub(super) fn tell_over_http(&mut self, (setup, room): (Setup, u8), proof: Proof) -> bool {
        let stalls = self.dialect() == Dialect::Events && setup == Setup::Stall;
        if stalls || !self.can_try(setup, proof, false) {
            return false;
        }
        let told = match self.dialect() {
            Dialect::Graphql => resolvers::tell(&self.scene(0), (setup, room), proof),
            Dialect::Events => handlers::post(&self.scene(0), (setup, room), proof),
        };
        let Some((errand, posted)) = told else { return false };
        if self.dialect() == Dialect::Graphql && setup == Setup::Delay {
            self.end_shelf(&super::graphql::room(&self.setting.cast, room));
        }
        self.publish_by(errand, posted);
        true
    }

    /// Calls, and notes who has to hear what is posted, and who must not.
    pub(super) fn publish_by(&mut self, errand: super::ask::Errand, posted: Vec<Posted>) {
        let posted = self.addressed(posted);
        let owes = self.owes(&posted, (0, String::new()));
        self.post(posted);
        self.call(errand, owes);
    }

    /// A shelf is invalidated: subscriptions to it with an invalidation filter end, and their connections may.
    fn end_shelf(&mut self, room: &str) {
        self.ended_shelves.insert(room.to_owned());
        let mut ended = Vec::new();
        for (conn, line) in &mut self.lines {
            let clear = line.phase == LinePhase::Open && !line.muddled;
            let own = line.subs.iter_mut().filter(|sub| sub.hears.guarded && sub.hears.room == room);
            for sub in own {
                if sub.settled && sub.phase == SubPhase::Live && clear {
                    ended.push((*conn, sub.id.clone()));
                }
                sub.settled = false;
                line.ids.insert(sub.id.clone(), IdState::Unclear);
                // Whether it ends or not: with it the connection may.
                line.muddled = true;
            }
        }
        for (conn, id) in ended {
            // GQL-A-07: the end is told by either message, and the connection may end then.
            let told = || vec![Pattern::with_id("complete", &id), Pattern::with_id("error", &id)];
            let ends = [told(), vec![Pattern::closed()]].concat();
            let within = self.setting.limits.step;
            self.due(conn, Claim::new(ends, R::GqlFilter026), Wants::Itself, within);
            if let Some(due) = self.dues.last_mut() {
                due.claims.push(Claim::new(told(), R::GqlSub035));
            }
        }
        let muddled: Vec<_> = self.lines.iter().filter(|(_, line)| line.muddled).map(|(conn, _)| *conn).collect();
        self.owed.retain(|owed| !muddled.contains(&owed.conn));
    }

    /// A subscription to a shelf is ended by the server, or gets an error: whether it may be ended.
    pub(super) fn on_shelf_ended(&mut self, conn: Conn, id: &str, word: &str) {
        let ended = &self.ended_shelves;
        let Some(line) = self.lines.get_mut(&conn).filter(|line| !line.muddled && !ended.is_empty()) else { return };
        let Some(sub) = line.subs.iter().find(|sub| sub.id == id && sub.hears.place == "onShelf") else { return };
        let hears = &sub.hears;
        if hears.guarded && ended.contains(&hears.room) {
            // It was granted while that was under way.
            line.muddled = true;
            return;
        }
        if word != "complete" || !sub.settled || sub.phase != SubPhase::Live {
            return;
        }
        let rule = if hears.guarded { R::GqlFilter027 } else { R::GqlFilter028 };
        self.blame(rule, format!("ended {id:?}, which no invalidation concerns"), "complete");
    }

    pub(super) fn sift(&mut self, conn: Conn, kind: Sieve, value: u8) -> bool {
        if !self.offer.sieves || !self.is_steady(conn) {
            return false;
        }
        let id = format!("s{}", self.serial);
        let (ask, hears) = resolvers::sift(&self.scene(conn), &id, kind, value);
        self.start(conn, id, (IdState::Fresh, hears), ask);
        true
    }

    pub(super) fn put(&mut self, item: u8, sparse: bool) -> bool {
        if !self.offer.sieves {
            return false;
        }
        let cast = &self.setting.cast;
        let nonce = cast.nonce(&format!("i{}", self.serial));
        let (errand, posted) = resolvers::put(cast, &nonce, sieve::item(item), sparse);
        self.publish_by(errand, posted);
        true
    }

    /// Who must not hear what is posted.
    pub(super) fn addressed(&self, mut posted: Vec<Posted>) -> Vec<Posted> {
        if self.dialect() == Dialect::Events {
            return posted;
        }
        for posted in &mut posted {
            let lines = self.lines.iter().filter(|(_, line)| line.phase == LinePhase::Open && !line.muddled);
            let subs = lines.flat_map(|(conn, line)| line.subs.iter().map(move |sub| (*conn, sub)));
            let own = subs.filter(|(_, sub)| sub.hears.place == posted.place && sub.phase == SubPhase::Live);
            let not_for: Vec<_> = own
                .filter_map(|(conn, sub)| match resolvers::concern(&sub.hears, posted) {
                    Concern::MustNot(rule) => Some((conn, sub.id.clone(), rule)),
                    Concern::Must | Concern::Open => None,
                })
                .collect();
            posted.not_for = not_for;
        }
        posted
    }
}
