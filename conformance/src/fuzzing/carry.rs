//! Carries one operation out: what it means in the state of the moment, what is sent, what is due.

use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::OwnedFrame;

use super::ask::{Ask, Claim, Concern, Entrance, Hears, IdState, Posted, Welcome};
use super::doors::entrance;
use super::driver::{CONNECTIONS_MAX, Driver, Line, LinePhase, Owed, Sub, SubPhase, Wants, Warm};
use super::op::{Batch, Door, Form, Garbling, Id, Oddity, Op, Pause, Topic, Who};
use super::situations::Situation;
use super::{events, graphql, resolvers};
use crate::player::Action;
use crate::scenario::{Conn, Pattern};

/// Attempts to warm a subscription.
const ATTEMPTS: usize = 8;

impl Driver<'_> {
    /// Whether there was anything to act on.
    pub(super) fn carry(&mut self, op: &Op) -> bool {
        self.serial += 1;
        self.set_clock();
        match op {
            Op::Open { door } => self.lines.len() < CONNECTIONS_MAX && self.open(*door),
            Op::Init { on, form } => self.on_line(*on).is_some_and(|conn| self.init(conn, *form)),
            Op::Subscribe { on, id, topic, room, who, form } => {
                self.usable(*on).is_some_and(|conn| self.subscribe(conn, *id, (*topic, *room), *who, *form))
            }
            Op::Unsubscribe { on, id } => self.usable(*on).is_some_and(|conn| self.unsubscribe(conn, *id)),
            Op::Warm { which } => self.warm(*which),
            Op::Publish { on, id, topic, room, batch, who, form } => match (self.dialect(), on) {
                (Dialect::Events, Some(on)) => {
                    self.usable(*on).is_some_and(|conn| self.publish(conn, *id, (*topic, *room), *batch, (*who, *form)))
                }
                (Dialect::Events, None) | (Dialect::Graphql, _) => {
                    self.publish_over_http((*topic, *room), *batch, *who)
                }
            },
            Op::Call { call } => {
                let errand = match self.dialect() {
                    Dialect::Graphql => graphql::call(&self.setting.cast, *call),
                    Dialect::Events => events::call(&self.scene(0), *call),
                };
                self.call(errand, Vec::new());
                true
            }
            Op::Say { on, what } => self.usable(*on).is_some_and(|conn| self.say(conn, *what)),
            Op::Garble { on, base, how, at } => {
                self.usable(*on).is_some_and(|conn| self.garble(conn, *base, *how, *at))
            }
            Op::Fill { on } => {
                self.fill = self.usable(*on).filter(|conn| self.lines.get(conn).is_some_and(|line| line.acked));
                self.fill.is_some()
            }
            Op::Ping { on, length } => self.on_line(*on).is_some_and(|conn| {
                self.ping(conn, &vec![b'p'; usize::from(*length).min(125)]);
                true
            }),
            Op::Close { on } => self.on_line(*on).is_some_and(|conn| self.close(conn)),
            Op::Drop { on } => self.on_line(*on).is_some_and(|conn| self.hang_up(conn)),
            Op::Wait { pause } => {
                self.until = Some(self.now + length(*pause).min(self.setting.pause_max));
                true
            }
            Op::Together { next } => {
                self.together = (*next).min(7) + 1;
                true
            }
            Op::Enter { proof, by } => self.lines.len() < CONNECTIONS_MAX && self.enter(*proof, *by),
            Op::Listen { on, setup, room, proof } => {
                self.usable(*on).is_some_and(|conn| self.listen(conn, (*setup, *room), *proof))
            }
            Op::Tell { on, setup, room, proof } => match (self.dialect(), on) {
                (Dialect::Events, Some(on)) => {
                    self.usable(*on).is_some_and(|conn| self.tell(conn, (*setup, *room), *proof))
                }
                (Dialect::Events, None) | (Dialect::Graphql, _) => self.tell_over_http((*setup, *room), *proof),
            },
            Op::Sift { on, sieve, value } => self.usable(*on).is_some_and(|conn| self.sift(conn, *sieve, *value)),
            Op::Put { item, sparse } => self.put(*item, *sparse),
        }
    }

    /// The open connection of this number, counted round.
    fn on_line(&self, on: u8) -> Option<Conn> {
        let open = self.open_lines();
        open.get(usize::from(on).checked_rem(open.len())?).copied()
    }

    /// The same among those that were not refused.
    fn usable(&self, on: u8) -> Option<Conn> {
        let open = self.open_lines();
        let admitted = |conn: &&Conn| {
            let line = self.lines.get(conn);
            line.is_some_and(|line| matches!(line.welcome, Welcome::Acknowledged(_)) && !line.refused)
        };
        let admitted: Vec<_> = open.iter().filter(admitted).collect();
        admitted.get(usize::from(on).checked_rem(admitted.len())?).map(|conn| **conn)
    }

    pub(super) fn open(&mut self, door: Door) -> bool {
        self.open_by(entrance(&self.setting.cast, door))
    }

    pub(super) fn open_by(&mut self, entrance: Entrance) -> bool {
        let Ok(conn) = Conn::try_from(self.lines.len() + 1) else { return false };
        let until = self.step() + self.setting.limits.step;
        let line = Line {
            phase: LinePhase::Opening { until },
            welcome: entrance.welcome,
            inited: false,
            acked: false,
            refused: false,
            muddled: false,
            loose: false,
            aftermath: self.by_dialect(R::GqlKa008, R::EvtClose009),
            subs: Vec::new(),
            ids: std::collections::BTreeMap::new(),
            publishes: std::collections::BTreeSet::new(),
            opened: self.now,
            beat: self.now,
        };
        self.lines.insert(conn, line);
        self.greetings.insert(conn, (entrance.greetings, entrance.rule, entrance.request.clone()));
        self.out.push_back(Action::Open(conn, entrance.request));
        true
    }

    pub(super) fn init(&mut self, conn: Conn, form: Form) -> bool {
        let Some(line) = self.lines.get_mut(&conn).filter(|line| line.phase == LinePhase::Open) else { return false };
        if line.refused || (line.inited && !line.acked) {
            return false;
        }
        line.inited = true;
        let acked = line.acked;
        match line.welcome.clone() {
            Welcome::Acknowledged(rule) => {
                let ask = match self.dialect() {
                    Dialect::Graphql => graphql::init(form, acked, rule),
                    Dialect::Events => events::init(form, acked, rule),
                };
                self.ask(conn, ask);
                if self.dialect() == Dialect::Graphql && !acked {
                    let beat = Claim::one(Pattern::word("ka"), R::GqlKa002);
                    self.due(conn, beat, Wants::Itself, self.setting.limits.step);
                }
            }
            Welcome::Refused(claims) => {
                let aftermath = self.by_dialect(R::GqlErr024, R::EvtClose008);
                self.ask(conn, Ask::plain(r#"{"type":"connection_init"}"#, aftermath).due(claims));
            }
            Welcome::Nothing => return false,
        }
        true
    }

    /// An id of this kind, and what is known of it.
    fn choose(&self, conn: Conn, id: Id) -> (String, IdState) {
        let fresh = (format!("s{}", self.serial), IdState::Fresh);
        let Some(line) = self.lines.get(&conn) else { return fresh };
        let nth = |all: Vec<&String>| {
            let at = usize::try_from(self.serial).unwrap_or_default().checked_rem(all.len())?;
            all.get(at).map(|id| (*id).clone())
        };
        let ended = |state: &IdState| matches!(state, IdState::Ended | IdState::Refused);
        let chosen = match (id, self.dialect()) {
            (Id::Fresh, _) => None,
            (Id::Live, _) => {
                nth(line.subs.iter().filter(|sub| sub.phase == SubPhase::Live).map(|sub| &sub.id).collect())
            }
            (Id::Used, _) => nth(line.ids.iter().filter(|(_, state)| ended(state)).map(|(id, _)| id).collect()),
            (Id::Publish, _) => nth(line.publishes.iter().collect()),
            (Id::Near, _) => {
                nth(line.subs.iter().filter(|sub| sub.phase == SubPhase::Live).map(|sub| &sub.id).collect())
                    .and_then(|id| near(&id, self.serial))
            }
            (Id::Odd, Dialect::Graphql) => Some("7".into()),
            (Id::Odd, Dialect::Events) => Some("_+-".into()),
            (Id::Longest, _) => Some("i".repeat(128)),
            (Id::Foreign, Dialect::Graphql) => Some("\u{43a}\u{43b}\u{44e}\u{447}/(a)-\u{1f511}".into()),
            (Id::Foreign, Dialect::Events) => Some("a.b \u{e9}".into()),
            (Id::Empty, _) => Some(String::new()),
            (Id::TooLong, _) => Some("i".repeat(129)),
        };
        let Some(chosen) = chosen else { return fresh };
        let unclear = self.dialect() == Dialect::Graphql && matches!(id, Id::Empty | Id::TooLong);
        let state = if unclear { IdState::Unclear } else { self.id_state(conn, &chosen) };
        (chosen, state)
    }

    fn id_state(&self, conn: Conn, id: &str) -> IdState {
        let Some(line) = self.lines.get(&conn) else { return IdState::Unclear };
        if line.muddled && line.ids.contains_key(id) {
            return IdState::Unclear;
        }
        let sub = line.subs.iter().find(|sub| sub.id == id);
        let waiting = self.dues.iter().any(|due| due.conn == conn && due.id.as_deref() == Some(id));
        match (line.ids.get(id), sub.map(|sub| sub.phase)) {
            (Some(IdState::Unclear), _) | (_, Some(SubPhase::Asked | SubPhase::Leaving)) => IdState::Unclear,
            _ if waiting => IdState::Unclear,
            (_, Some(SubPhase::Live)) => IdState::Live,
            (Some(state @ (IdState::Ended | IdState::Refused)), None) => *state,
            (Some(IdState::Fresh | IdState::Live) | None, None) => IdState::Fresh,
        }
    }

    /// The topic, or a room where the target lacks what it takes.
    fn known(&self, (topic, room): (Topic, u8)) -> (Topic, u8) {
        (if self.setting.without.contains(&topic) { Topic::Room } else { topic }, room)
    }

    fn subscribe(&mut self, conn: Conn, id: Id, place: (Topic, u8), who: Who, form: Form) -> bool {
        let place = self.known(place);
        let (id, state) = self.choose(conn, id);
        let scene = self.scene(conn);
        let (ask, hears) = match self.dialect() {
            Dialect::Graphql => graphql::subscribe(&scene, (&id, state), place, who, form),
            Dialect::Events => events::subscribe(&scene, (&id, state), place, who, form),
        };
        self.start(conn, id, (state, hears), ask);
        true
    }

    pub(super) fn start(&mut self, conn: Conn, id: String, (state, hears): (IdState, Option<Hears>), ask: Ask) {
        if let Some(line) = self.lines.get_mut(&conn) {
            // Under a live id, an answer that breaks no rule leaves open what lives; nothing more is said of it.
            let unclear = ask.claims.is_empty() || state == IdState::Unclear;
            if unclear || state == IdState::Live {
                line.subs.iter_mut().filter(|sub| sub.id == id).for_each(|sub| sub.settled = false);
            }
            if unclear {
                line.subs.retain(|sub| sub.id != id);
                line.ids.insert(id.clone(), IdState::Unclear);
            } else if state != IdState::Live {
                line.ids.insert(id.clone(), IdState::Refused);
            }
            if let Some(hears) = hears {
                line.subs.push(Sub {
                    id,
                    hears,
                    phase: SubPhase::Asked,
                    settled: false,
                    again: state == IdState::Ended,
                });
            }
        }
        self.ask(conn, ask);
    }

    /// The next subscription of a connection that is to be full; one more when it is.
    pub(super) fn fill_on(&mut self, conn: Conn) {
        let scene = self.scene(conn);
        let (live, full) = (scene.live, scene.may_be_full());
        let open = self.lines.get(&conn).is_some_and(|line| line.phase == LinePhase::Open);
        if !open || full || live >= graphql::SUBSCRIPTIONS_MAX {
            self.fill = None;
        }
        if open {
            self.serial += 1;
            let room = u8::try_from(live % 3).unwrap_or_default();
            self.subscribe(conn, Id::Fresh, (Topic::Room, room), Who::Good, Form::Plain);
        }
    }

    fn unsubscribe(&mut self, conn: Conn, id: Id) -> bool {
        let (id, state) = self.choose(conn, id);
        let published = self.lines.get(&conn).is_some_and(|line| line.publishes.contains(&id));
        let ask = match self.dialect() {
            Dialect::Graphql => graphql::unsubscribe(&id, state),
            Dialect::Events => events::unsubscribe(&self.scene(conn), &id, state, published),
        };
        if let Some(line) = self.lines.get_mut(&conn) {
            for sub in line.subs.iter_mut().filter(|sub| sub.id == id) {
                sub.phase = SubPhase::Leaving;
            }
            if state != IdState::Live {
                // GQL-A-08: whether a stop of nothing is answered is disputed.
                line.ids.insert(id.clone(), IdState::Unclear);
            }
        }
        self.owed.retain(|owed| owed.conn != conn || owed.id != id);
        self.ask(conn, ask);
        true
    }

    fn warm(&mut self, which: u8) -> bool {
        let live = self.lines.iter().filter(|(_, line)| line.phase == LinePhase::Open && !line.muddled);
        let live: Vec<_> = live
            .flat_map(|(conn, line)| line.subs.iter().map(move |sub| (*conn, sub)))
            .filter(|(_, sub)| sub.phase == SubPhase::Live)
            .collect();
        let cold: Vec<_> = live.iter().filter(|(_, sub)| !sub.settled && !sub.hears.mute).collect();
        let chosen = usize::from(which).checked_rem(cold.len()).and_then(|at| cold.get(at).copied());
        let Some((conn, sub)) = chosen else { return false };
        self.warm = Some(Warm {
            conn: *conn,
            id: sub.id.clone(),
            hears: sub.hears.clone(),
            told: std::collections::BTreeSet::new(),
            pause: Duration::from_millis(50),
            until: self.now,
            probing: false,
        });
        self.warm_on();
        true
    }

    /// The next attempt to warm, or, after the last, the question whether the connection lives.
    pub(super) fn warm_on(&mut self) {
        let step = self.setting.limits.step;
        let cast = self.setting.cast.clone();
        let Some(mut warm) = self.warm.take() else { return };
        self.set_clock();
        let (conn, now) = (warm.conn, self.now);
        if warm.told.len() < ATTEMPTS {
            self.serial += 1;
            let nonce = cast.nonce(&format!("w{}", self.serial));
            warm.told.insert(nonce.clone());
            let (errand, posted) = match self.dialect() {
                Dialect::Graphql => graphql::warming(&cast, &warm.hears, &nonce),
                Dialect::Events => events::warming(&cast, &warm.hears, &nonce),
            };
            self.posted.extend(self.addressed(posted));
            warm.until = now + warm.pause;
            warm.pause *= 2;
            self.warm = Some(warm);
            self.call(errand, Vec::new());
        } else if !warm.probing {
            warm.probing = true;
            warm.until = now + step * 2;
            self.warm = Some(warm);
            self.transmit(conn, OwnedFrame::Ping(super::driver::PROBE.to_vec()));
        }
    }

    fn publish(&mut self, conn: Conn, id: Id, place: (Topic, u8), batch: Batch, how: (Who, Form)) -> bool {
        let (id, state) = match id {
            Id::Fresh | Id::Used => (format!("p{}", self.serial), IdState::Fresh),
            Id::Live | Id::Odd | Id::Longest | Id::Foreign | Id::Empty | Id::TooLong | Id::Publish | Id::Near => {
                self.choose(conn, id)
            }
        };
        let again = self.lines.get(&conn).is_some_and(|line| line.publishes.contains(&id));
        let (ask, posted) = events::publish(&self.scene(conn), (&id, state, again), place, batch, how);
        let owes = if ask.claims.is_empty() { Vec::new() } else { self.owes(&posted, (conn, id.clone())) };
        if let Some(line) = self.lines.get_mut(&conn) {
            if ask.claims.is_empty() {
                line.ids.insert(id.clone(), IdState::Unclear);
            }
            line.publishes.insert(id);
        }
        self.owed.extend(owes);
        self.post(posted);
        self.ask(conn, ask);
        true
    }

    fn publish_over_http(&mut self, place: (Topic, u8), batch: Batch, who: Who) -> bool {
        let place = self.known(place);
        let (errand, posted) = match self.dialect() {
            Dialect::Graphql => graphql::publish(&self.scene(0), place, batch, who),
            Dialect::Events => events::http_publish(&self.scene(0), place, batch, who),
        };
        self.owe_null(&posted);
        self.publish_by(errand, posted);
        true
    }

    pub(super) fn post(&mut self, posted: Vec<Posted>) {
        let heard_by = posted.first().map_or(0, |posted| self.hearers(posted).len());
        if heard_by > 1 {
            self.reach(Situation::HeardBySeveral);
        }
        self.posted.extend(posted);
    }

    /// Subscriptions that have to hear it.
    fn hearers(&self, posted: &Posted) -> Vec<(Conn, String)> {
        let settled = self.lines.iter().filter(|(_, line)| line.phase == LinePhase::Open && !line.muddled);
        settled
            .flat_map(|(conn, line)| line.subs.iter().map(move |sub| (*conn, sub)))
            .filter(|(_, sub)| sub.settled && sub.phase == SubPhase::Live)
            .filter(|(_, sub)| match self.setting.cast.dialect {
                Dialect::Events => events::matches(&sub.hears, &posted.place),
                Dialect::Graphql => {
                    sub.hears.place == posted.place && resolvers::concern(&sub.hears, posted) == Concern::Must
                }
            })
            .map(|(conn, sub)| (conn, sub.id.clone()))
            .collect()
    }

    /// Events that the delivery model cannot tell apart, since they carry no nonce.
    pub(super) fn owes(&self, posted: &[Posted], of: (Conn, String)) -> Vec<Owed> {
        let anonymous = posted.iter().filter(|posted| posted.nonce.is_none() || posted.unmodelled);
        let rule = |conn: Conn, id: &str| self.lost_for(conn, id);
        let each = anonymous.flat_map(|posted| self.hearers(posted).into_iter().map(move |hearer| (posted, hearer)));
        each.map(|(posted, (conn, id))| {
            let (value, of) = (posted.value.clone(), of.clone());
            Owed { rule: rule(conn, &id), conn, id, value, until: None, of }
        })
        .collect()
    }

    /// The rule that is broken where a subscription does not hear what it has to.
    pub(super) fn lost_for(&self, conn: Conn, id: &str) -> R {
        let line = self.lines.get(&conn);
        let filter = line.and_then(|line| line.subs.iter().find(|sub| sub.id == id)?.hears.filter.as_ref());
        filter.map_or_else(|| self.by_dialect(R::GqlSub012, R::EvtData001), |(_, rule)| *rule)
    }

    /// What subscribers hear as null, since the mutation left it out.
    fn owe_null(&mut self, posted: &[Posted]) {
        for posted in posted {
            if posted.forbidden_null {
                for (conn, id) in self.hearers(posted) {
                    let wants_data = self.lines.get(&conn).is_some_and(|line| {
                        line.subs.iter().any(|sub| sub.id == id && sub.hears.selected.contains(&"data"))
                    });
                    if wants_data {
                        self.due(conn, super::content::null_event(&id), Wants::Itself, self.setting.limits.step);
                    }
                }
            }
        }
    }

    fn say(&mut self, conn: Conn, what: Oddity) -> bool {
        let acked = self.lines.get(&conn).is_some_and(|line| line.acked);
        let mut ask = match self.dialect() {
            Dialect::Graphql => graphql::say(what),
            Dialect::Events => events::say(what),
        };
        if !acked {
            ask.claims.clear();
            ask.muddles = true;
        }
        if let (Some(id), Some(line)) = (&ask.id, self.lines.get_mut(&conn)) {
            line.ids.insert(id.clone(), IdState::Unclear);
        }
        self.ask(conn, ask);
        true
    }

    fn garble(&mut self, conn: Conn, base: u8, how: Garbling, at: u8) -> bool {
        let id = format!("g{}", self.serial);
        let legal = match (base % 4, self.dialect()) {
            (0, _) => r#"{"type":"connection_init","payload":{}}"#.to_owned(),
            (1, Dialect::Graphql) => format!(r#"{{"type":"stop","id":"{id}"}}"#),
            (1, Dialect::Events) => format!(r#"{{"type":"unsubscribe","id":"{id}"}}"#),
            (2, Dialect::Events) => self.setting.cast.publish(&id, &self.setting.cast.channel("garbled"), &[1.into()]),
            (_, Dialect::Graphql) => self.setting.cast.start_channel(&id, &self.setting.cast.nonce("garbled")),
            (_, Dialect::Events) => self.setting.cast.subscribe(&id, &self.setting.cast.channel("garbled")),
        };
        let text = garbled(&legal, how, at);
        if let Some(line) = self.lines.get_mut(&conn) {
            line.ids.insert(id, IdState::Unclear);
        }
        self.ask(conn, Ask::plain(text, self.by_dialect(R::GqlErr014, R::EvtErr015)).muddling());
        true
    }

    pub(super) fn ping(&mut self, conn: Conn, payload: &[u8]) {
        let rule = self.by_dialect(R::GqlFrame006, R::EvtKa008);
        if let Some(line) = self.lines.get_mut(&conn)
            && line.aftermath != R::GqlSub030
        {
            line.aftermath = rule;
        }
        self.due(conn, Claim::one(Pattern::pong(payload), rule), Wants::Pong, self.setting.limits.step);
        self.transmit(conn, OwnedFrame::Ping(payload.to_vec()));
    }

    fn close(&mut self, conn: Conn) -> bool {
        let Some(line) = self.lines.get_mut(&conn) else { return false };
        line.phase = LinePhase::Closing;
        line.subs.clear();
        let (refused, greeting) = (line.refused || line.muddled, line.inited && !line.acked);
        self.dues.retain(|due| due.conn != conn);
        self.owed.retain(|owed| owed.conn != conn);
        if greeting {
            self.reach(Situation::CloseDuringAcknowledgement);
        }
        let rule = self.by_dialect(R::GqlClose008, R::EvtClose007);
        if !refused {
            self.due(conn, Claim::one(Pattern::close_frame(), rule), Wants::Itself, self.setting.limits.step);
        }
        self.transmit(conn, OwnedFrame::Close { code: Some(1000), reason: String::new() });
        true
    }

    pub(super) fn hang_up(&mut self, conn: Conn) -> bool {
        let Some(line) = self.lines.get_mut(&conn) else { return false };
        line.phase = LinePhase::Over;
        line.subs.clear();
        self.dues.retain(|due| due.conn != conn);
        self.owed.retain(|owed| owed.conn != conn);
        self.hazard = true;
        self.transmit(conn, OwnedFrame::Lost);
        true
    }
}

fn length(pause: Pause) -> Duration {
    match pause {
        Pause::Moment => Duration::from_millis(100),
        Pause::Answer => Duration::from_secs(6),
        Pause::Period => Duration::from_secs(61),
        Pause::BeforeLimit => Duration::from_millis(299_900),
        Pause::AfterLimit => Duration::from_secs(306),
        Pause::Minutes => Duration::from_secs(420),
    }
}

/// An id that differs in the case of a letter or in a zero alone.
fn near(id: &str, serial: u32) -> Option<String> {
    let at = |of: fn(char) -> bool| id.char_indices().find(|(_, c)| of(*c));
    let turned = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let letter = at(|c| c.is_ascii_alphabetic()).map(|(at, c)| format!("{}{}{}", &id[..at], turned(c), &id[at + 1..]));
    let digit = at(|c| c.is_ascii_digit()).map(|(at, _)| format!("{}0{}", &id[..at], &id[at..]));
    if serial.is_multiple_of(2) { letter.or(digit) } else { digit.or(letter) }
}

/// A legal message with one thing changed in its structure.
pub(super) fn garbled(legal: &str, how: Garbling, at: u8) -> String {
    let Some(Json::Object(mut members)) = parse_json(legal) else { return legal.into() };
    let names: Vec<_> = members.keys().cloned().collect();
    let place = usize::from(at);
    let Some(name) = place.checked_rem(names.len()).and_then(|at| names.get(at)).cloned() else { return legal.into() };
    let value = members.get(&name).cloned().unwrap_or_default();
    match how {
        Garbling::Remove => {
            members.remove(&name);
        }
        Garbling::Repeat => return legal.replacen('{', &format!(r#"{{"{name}":7,"#), 1),
        Garbling::Rename => {
            members.remove(&name);
            members.insert(name.to_uppercase(), value);
        }
        Garbling::Retype => {
            members.insert(name, if value.is_number() { "7".into() } else { 7.into() });
        }
        Garbling::Null => {
            members.insert(name, Json::Null);
        }
        Garbling::Stringify => {
            members.insert(name, value.to_string().into());
        }
        Garbling::Nest => {
            members.insert(name, vec![value].into());
        }
        Garbling::Cut => {
            let end = legal.len() * (place % 16) / 16;
            return legal.chars().take(end).collect();
        }
        Garbling::Byte => {
            let end = legal.len() * (place % 16) / 16;
            return legal.char_indices().map(|(index, c)| if index == end { '\u{1}' } else { c }).collect();
        }
    }
    Json::Object(members).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_near_is_another_one() {
        assert_eq!([near("s12", 2), near("s12", 3)].map(Option::unwrap), ["S12", "s012"]);
        assert_eq!([near("7", 2), near("_+-", 2)], [Some("07".into()), None]);
        assert_eq!(near("\u{43a}/(a)", 3).unwrap(), "\u{43a}/(A)");
    }
}
