//! What comes from the server: which due it meets, which rule it breaks, and what lives after it.

use appsync_protocol::conversation::Phase;
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::moment::Moment;
use appsync_protocol::requirement::{Requirement as R, Severity};
use appsync_protocol::transcript::What;
use appsync_protocol::wire::{OwnedFrame, Request, Response, Side};

use super::ask::{Claim, IdState, Welcome};
use super::driver::{Driver, Due, LinePhase, Owed, PROBE, SubPhase, Wants};
use super::situations::Situation;
use crate::scenario::{Conn, Pattern, Then, cut};

impl Driver<'_> {
    pub(super) fn on_upgraded(&mut self, conn: Conn, answer: Result<Response, String>) {
        let Some((greetings, rule, request)) = self.greetings.remove(&conn) else { return };
        let response = match answer {
            Ok(response) => response,
            Err(why) => return self.no_connection(conn, &why),
        };
        self.note(u32::from(conn), || What::open(&request, &response));
        let status = response.status.to_string();
        let now = self.now;
        let Some(line) = self.lines.get_mut(&conn) else { return };
        line.phase = if response.is_upgrade() { LinePhase::Open } else { LinePhase::Over };
        line.beat = now;
        if response.is_upgrade() {
            self.referee.opened(conn);
        }
        self.cover(Some(conn), &status);
        match greetings.iter().find(|greeting| greeting.fits(&response)) {
            None if self.hazard && response.status >= 500 => {
                let detail = format!("a new connection is not served any more: status {status}");
                self.blame(R::SynAlive002, detail, &status);
            }
            None => {
                let expected: Vec<_> = greetings.iter().map(ToString::to_string).collect();
                let selected = response.subprotocol().unwrap_or("no subprotocol");
                self.blame(rule, format!("expected {}; got {status} with {selected}", expected.join(" or ")), &status);
            }
            Some(greeting) if greeting.then == Then::End && response.is_upgrade() => {
                self.hang_up(conn);
            }
            Some(_) => {
                let nothing = self.lines.get(&conn).is_some_and(|line| matches!(line.welcome, Welcome::Nothing));
                if nothing && response.is_upgrade() {
                    self.hang_up(conn);
                }
            }
        }
    }

    /// No answer to an upgrade. A server that took connections before and takes none any more has broken a rule.
    fn no_connection(&mut self, conn: Conn, why: &str) {
        self.lines.entry(conn).and_modify(|line| line.phase = LinePhase::Over);
        let served = self.lines.values().any(|line| line.phase != LinePhase::Over || line.inited);
        if served || self.hazard {
            self.blame(R::SynAlive002, format!("a new connection is not served any more: {why}"), "nothing");
        } else {
            self.trouble(why);
        }
    }

    pub(super) fn on_answered(&mut self, call: u32, answer: Result<Response, String>) {
        let Some(calling) = self.calls.remove(&call) else { return };
        if let Err(why) = &answer {
            let Request { method, target, body, .. } = &calling.request;
            self.note(0, || What::Note(format!("{method} {target} {}: {why}", cut(&body.text(), 300))));
        }
        let response = match answer {
            Ok(response) => response,
            Err(why) if self.lines.is_empty() && !self.hazard => return self.trouble(why),
            Err(why) => {
                let detail = format!("an HTTP request is not answered any more: {why}");
                return self.blame(R::SynAlive002, detail, "nothing");
            }
        };
        self.note(0, || What::Http { request: calling.request.clone(), response: response.clone() });
        let status = response.status.to_string();
        self.cover(None, &status);
        let findings = self.referee.answered(self.now, call, &response);
        self.blame_all(findings, &status);
        for (any_of, rule) in &calling.claims {
            if !any_of.iter().any(|answer| answer.fits(&response)) {
                let expected: Vec<_> = any_of.iter().map(ToString::to_string).collect();
                let body = cut(&response.body.text(), 200);
                let detail = format!("expected HTTP {}; got {status} {body}", cut(&expected.join(" or "), 300));
                self.blame(*rule, detail, &status);
            }
        }
        let (until, of) = (Some(self.step()), (0, call.to_string()));
        self.owed.retain(|owed| owed.of != of || response.status == 200);
        self.owed.iter_mut().filter(|owed| owed.of == of).for_each(|owed| owed.until = until);
    }

    pub(super) fn on_frame(&mut self, conn: Conn, frame: &OwnedFrame) {
        self.note(u32::from(conn), || What::Frame { from: Side::Server, frame: frame.clone() });
        let before = self.referee.conversation(conn).map(|conversation| conversation.phase());
        let hearing = self.referee.heard(self.now, conn, frame);
        let message = match frame {
            OwnedFrame::Text { text, .. } => parse_json(text).filter(Json::is_object),
            OwnedFrame::Binary(_)
            | OwnedFrame::Ping(_)
            | OwnedFrame::Pong(_)
            | OwnedFrame::Close { .. }
            | OwnedFrame::Lost => None,
        };
        let word = word(frame, message.as_ref());
        self.cover(Some(conn), &word);
        let blamed = hearing.findings.iter().any(|finding| finding.requirement.severity() > Severity::Info);
        self.blame_all(hearing.findings, &word);
        if self.is_over() {
            return;
        }
        if let (Some(message), Some((id, nonces))) = (&message, &hearing.event)
            && !blamed
        {
            self.on_event(conn, id, nonces, message);
        }
        if matches!(word.as_str(), "connection_error" | "error") {
            self.on_early_refusal(conn, frame, message.as_ref(), &word);
        }
        self.follow(conn, frame, message.as_ref(), before);
        self.route(conn, frame, message.as_ref(), &word);
    }

    /// EVT-A-09: a refusal may come before it is asked for. It is judged as one that was asked for would be.
    fn on_early_refusal(&mut self, conn: Conn, frame: &OwnedFrame, message: Option<&Json>, word: &str) {
        let Some(line) = self.lines.get(&conn).filter(|_| !self.dues.iter().any(|due| due.conn == conn)) else {
            return;
        };
        let untouched = !line.inited && !line.loose && !line.muddled;
        match line.welcome.clone() {
            Welcome::Refused(claims) => {
                for claim in claims.iter().filter(|claim| !claim.fits(frame, message)) {
                    self.misfit(claim, &shown(frame), word);
                }
            }
            Welcome::Acknowledged(rule) if untouched && word == "connection_error" => {
                let detail = format!("the credentials are good, and yet refused: {}", shown(frame));
                self.blame(rule, detail, word);
            }
            Welcome::Acknowledged(_) | Welcome::Nothing => {}
        }
    }

    /// What lives after a message.
    fn follow(&mut self, conn: Conn, frame: &OwnedFrame, message: Option<&Json>, before: Option<Phase>) {
        let now = self.now;
        let id = message.and_then(|m| m.get("id")).and_then(Json::as_str).unwrap_or_default().to_owned();
        let word = word(frame, message);
        if matches!(word.as_str(), "complete" | "error") {
            self.on_shelf_ended(conn, &id, &word);
        }
        let Some(line) = self.lines.get_mut(&conn) else { return };
        let mut reached = None;
        match word.as_str() {
            "connection_ack" => line.acked = true,
            "connection_error" => line.refused = true,
            // GQL-A-04: both messages tell of a refused connection.
            "error" if matches!(line.welcome, Welcome::Refused(_)) && !line.acked => line.refused = true,
            "ka" => {
                if let Some(Phase::Open { silence_limit: Some(limit), heard }) = before
                    && now.since(heard) * 10 >= limit * 9
                {
                    reached = Some(Situation::KeepAliveAtTheLimit);
                }
                line.beat = now;
            }
            "start_ack" | "subscribe_success" => {
                if line.ids.get(&id) != Some(&IdState::Unclear) {
                    line.ids.insert(id.clone(), IdState::Live);
                }
                let asked = line.subs.iter_mut().find(|sub| sub.id == id && sub.phase == SubPhase::Asked);
                if let Some(sub) = asked {
                    sub.phase = SubPhase::Live;
                    let refused = line.ids.values().any(|state| *state == IdState::Refused);
                    reached = match (sub.again, refused) {
                        (true, _) => Some(Situation::IdUsedAgain),
                        (false, true) => Some(Situation::AcceptedAfterARefusal),
                        (false, false) => None,
                    };
                }
            }
            "complete" | "unsubscribe_success" => {
                line.subs.retain(|sub| sub.id != id || sub.phase == SubPhase::Asked);
                if line.ids.get(&id) != Some(&IdState::Unclear) {
                    line.ids.insert(id.clone(), IdState::Ended);
                }
            }
            "error" | "subscribe_error" => {
                if line.subs.iter().any(|sub| sub.id == id && sub.phase == SubPhase::Live) {
                    reached = Some(Situation::DuplicateRefusedWhileLive);
                }
                line.subs.retain(|sub| sub.id != id || sub.phase != SubPhase::Asked);
            }
            "data" if line.subs.iter().any(|sub| sub.id == id && sub.phase == SubPhase::Leaving) => {
                reached = Some(Situation::StopCrossedData);
            }
            _ => {}
        }
        if self.hazard && word == "connection_ack" && self.lines.keys().next_back() == Some(&conn) {
            self.reach(Situation::SurvivedAHazard);
        }
        if let Some(situation) = reached {
            self.reach(situation);
        }
    }

    /// Finds the due that a frame meets or breaks.
    fn route(&mut self, conn: Conn, frame: &OwnedFrame, message: Option<&Json>, word: &str) {
        if matches!(frame, OwnedFrame::Close { .. } | OwnedFrame::Lost) {
            return self.on_end(conn, frame, word);
        }
        if let OwnedFrame::Pong(payload) = frame
            && payload == PROBE
        {
            return self.silent(conn, |due| due.wants != Wants::Pong);
        }
        if word == "connection_ack" && self.dues.iter().any(|due| due.conn == conn && due.probing) {
            return self.silent(conn, |due| due.wants == Wants::Pong);
        }
        let id = message.and_then(|m| m.get("id")).and_then(Json::as_str);
        // An answer under an id that something else was asked under is not about this. And where something was sent for
        // which an error may come at any time, an error without an id may be that one: it is held to nothing more.
        let line = self.lines.get(&conn);
        // GQL-ERR-005, EVT-A-17: an empty id of an error may stand for none.
        let names = |id: &str| !id.is_empty() || word != "error";
        let foreign = id.is_some_and(|id| names(id) && line.is_some_and(|line| line.ids.contains_key(id)));
        let free = line.is_some_and(|line| line.loose || line.muddled);
        let vague = free && word == "error" && id.is_none_or(str::is_empty);
        let concerns = |due: &Due| match (&due.id, due.wants) {
            (Some(own), Wants::Answer) => !foreign || Some(own.as_str()) == id,
            (None, Wants::Answer) => !foreign,
            (Some(_) | None, Wants::Itself | Wants::Pong) => true,
        };
        let mine = |due: &Due| due.conn == conn && concerns(due);
        let fits = |due: &Due| due.claims.first().is_some_and(|claim| claim.fits(frame, message));
        // Of several that would do, the one whose id it bears.
        let same_id = |due: &Due| due.id.as_deref() == id && id.is_some_and(names);
        let named = self.dues.iter().position(|due| mine(due) && fits(due) && same_id(due));
        if let Some(at) = named {
            return self.met(at, frame, message, (word, vague));
        }
        let could: Vec<_> = (0..self.dues.len()).filter(|at| mine(&self.dues[*at]) && fits(&self.dues[*at])).collect();
        if let Some((at, others)) = could.split_first() {
            // Of several answers that are due, one that names nothing may be any.
            let others = others.iter().filter(|other| self.dues[**other].wants == Wants::Answer);
            let others: Vec<_> = others.copied().collect();
            others.iter().for_each(|other| self.dues[*other].excused = true);
            let vague = vague || (free && word == "error") || !others.is_empty() || self.dues[*at].excused;
            return self.met(*at, frame, message, (word, vague));
        }
        // Where it is disputed that an upgrade is taken (EVT-A-18), its refusal answers whatever was sent on it.
        let is_disputed = |welcome: &Welcome| match welcome {
            Welcome::Acknowledged(rule) => rule.severity() == Severity::Info,
            Welcome::Refused(_) | Welcome::Nothing => false,
        };
        if word == "connection_error" && line.is_some_and(|line| is_disputed(&line.welcome)) {
            return self.dues.retain(|due| due.conn != conn || due.wants != Wants::Answer);
        }
        // EVT-A-07: an acknowledgement may come unasked, and late. It is wrong only where there must be none.
        let unasked = word == "connection_ack" && line.is_some_and(|line| !matches!(line.welcome, Welcome::Refused(_)));
        if !is_answer(word) || unasked {
            return;
        }
        let answers = |due: &&Due| mine(due) && due.wants == Wants::Answer;
        let about: Vec<_> = self.dues.iter().enumerate().filter(|(_, due)| answers(due)).collect();
        let same: Vec<_> = about.iter().filter(|(_, due)| due.id.is_some() && due.id.as_deref() == id).collect();
        let broken = match (same.as_slice(), about.as_slice()) {
            ([(at, _)], _) => Some(*at),
            // Without an id, or with one that nothing was asked under, it can only be about the one thing that waits.
            ([], [(at, due)]) if !free && !due.excused && (id.is_none_or(str::is_empty) || due.id.is_none()) => {
                Some(*at)
            }
            _ => None,
        };
        if let Some(at) = broken {
            let due = self.dues.remove(at);
            self.unmet(&due, &shown(frame), word);
        }
    }

    /// The first claim of a due is met: the others are to be, too.
    fn met(&mut self, at: usize, frame: &OwnedFrame, message: Option<&Json>, (word, vague): (&str, bool)) {
        let due = self.dues.remove(at);
        for claim in due.claims.iter().skip(1).filter(|_| !vague) {
            let known = self.setting.passed_over.contains(&claim.rule);
            if !known && !claim.fits(frame, message) {
                self.misfit(claim, &shown(frame), word);
            }
        }
        let until = Some(self.step());
        let own = |owed: &Owed| owed.of.0 == due.conn && Some(&owed.of.1) == due.id.as_ref();
        if word == "publish_success" {
            self.owed.iter_mut().filter(|owed| own(owed)).for_each(|owed| owed.until = until);
        }
        // The next event that is the same is none of what was refused.
        if matches!(word, "publish_error" | "error") {
            self.owed.retain(|owed| !own(owed));
        }
        let rejected = self.by_dialect(R::GqlErr024, R::EvtClose008);
        let told = due.aftermath == rejected && due.wants == Wants::Answer;
        if let Some(line) = self.lines.get_mut(&due.conn) {
            line.refused |= told;
            line.aftermath = due.aftermath;
            // Its own answer may yet come, and would be taken for that of the next use of the id.
            line.ids.extend(due.id.filter(|_| vague).map(|id| (id, IdState::Unclear)));
        }
        if told {
            let within = self.setting.limits.step * 3;
            self.due(due.conn, Claim::one(Pattern::closed(), rejected), Wants::Itself, within);
        }
    }

    fn misfit(&mut self, claim: &Claim, got: &str, word: &str) {
        let expected: Vec<_> = claim.any_of.iter().map(ToString::to_string).collect();
        self.blame(claim.rule, format!("expected {}; got {got}", cut(&expected.join(" or "), 300)), word);
    }

    fn unmet(&mut self, due: &Due, got: &str, word: &str) {
        if let Some(claim) = due.claims.first() {
            // Where the first claim is disputed, the others speak of an answer that may be another.
            self.misfit(claim, got, word);
        }
    }

    /// The server has ended a connection.
    fn on_end(&mut self, conn: Conn, frame: &OwnedFrame, word: &str) {
        let speaker = self.speaker;
        let Some(line) = self.lines.get_mut(&conn) else { return };
        let phase = std::mem::replace(&mut line.phase, LinePhase::Over);
        line.subs.clear();
        let (free, aftermath, opened) = (line.muddled || line.refused, line.aftermath, line.opened);
        let unwelcome = line.unwelcome();
        self.owed.retain(|owed| owed.conn != conn);
        let warming = self.warm.take_if(|warm| warm.conn == conn).is_some();
        let (own, others) = std::mem::take(&mut self.dues).into_iter().partition(|due| due.conn == conn);
        let own: Vec<Due> = own;
        self.dues = others;
        self.hazard = true;
        let accepts = |due: &Due| due.claims.first().is_some_and(|claim| claim.fits(frame, None));
        if let Some(due) = own.iter().find(|due| accepts(due)) {
            let unmet = due.claims.iter().skip(1).find(|claim| due.wants == Wants::Itself && !claim.fits(frame, None));
            return unmet.map_or((), |claim| self.misfit(claim, &shown(frame), word));
        }
        if phase == LinePhase::Over {
            return;
        }
        if phase == LinePhase::Closing {
            return own.first().map_or((), |due| self.unmet(due, &shown(frame), word));
        }
        let a_day = std::time::Duration::from_secs(86_000);
        if free || self.now.since(opened) >= a_day {
            return;
        }
        if let Some(due) = own.iter().find(|due| due.wants == Wants::Answer).or(own.first()) {
            return self.unmet(due, &shown(frame), word);
        }
        if let Some(rule) = unwelcome {
            return self.blame(rule, format!("the server ended connection #{conn}: {}", shown(frame)), word);
        }
        // Whoever speaks on one connection does not end another (SYN-ALIVE-001).
        let elsewhere = speaker.is_some_and(|speaker| speaker != conn) && !warming && self.hazard_elsewhere(conn);
        let rule = if elsewhere { R::SynAlive001 } else { aftermath };
        self.blame(rule, format!("the server ended connection #{conn}: {}", shown(frame)), word);
    }

    fn hazard_elsewhere(&self, conn: Conn) -> bool {
        self.lines.iter().any(|(other, line)| *other != conn && (line.muddled || line.phase == LinePhase::Over))
            || self.speaker.is_some_and(|speaker| speaker != conn)
    }

    /// A connection that answers the probe has left something unanswered.
    fn silent(&mut self, conn: Conn, concerned: impl Fn(&Due) -> bool) {
        let waiting = |due: &Due| due.conn == conn && due.probing && concerned(due);
        if let Some(warm) = self.warm.take_if(|warm| warm.conn == conn && warm.probing) {
            let rule = self.lost_for(conn, &warm.id);
            let detail = format!("no event reached {:?}, while the connection answered a ping", warm.id);
            return self.blame(rule, detail, "silence");
        }
        let (silent, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.dues).into_iter().partition(waiting);
        self.dues = rest;
        for due in silent.iter().filter(|due| !due.excused) {
            let Some(claim) = due.claims.first() else { continue };
            if due.wants == Wants::Itself && self.setting.passed_over.contains(&claim.rule) {
                continue;
            }
            let expected: Vec<_> = claim.any_of.iter().map(ToString::to_string).collect();
            let detail = format!("expected {}; nothing came, while the connection was alive", expected.join(" or "));
            // SYN-BOUND-001 says no more than the rule itself where that one counts.
            let owed = due.wants == Wants::Answer && due.id.is_some();
            let info = claim.rule.severity() == Severity::Info;
            let muddled = self.lines.get(&conn).is_some_and(|line| line.muddled);
            let rule = if info && owed && !muddled { R::SynBound001 } else { claim.rule };
            self.blame(rule, detail, "silence");
        }
    }

    /// Deadlines of this moment.
    pub(super) fn on_time(&mut self) {
        let now = self.now;
        self.until.take_if(|until| *until <= now);
        if self.warm.as_ref().is_some_and(|warm| warm.until <= now) {
            match &self.warm {
                // Neither an event nor a pong: there is no saying.
                Some(warm) if warm.probing => self.warm = None,
                Some(_) | None => self.warm_on(),
            }
        }
        let late = |line: &super::driver::Line| matches!(line.phase, LinePhase::Opening { until } if until <= now);
        if self.lines.values().any(late) {
            return self.trouble("no answer to the upgrade");
        }
        if self.calls.values().any(|calling| calling.until <= now) {
            return self.trouble("no answer to the HTTP request");
        }
        if let Some(at) = self.owed.iter().position(|owed| owed.until.is_some_and(|until| until <= now)) {
            let owed = self.owed.remove(at);
            let detail = format!("{} did not reach {:?}", cut(&owed.value.to_string(), 60), owed.id);
            return self.blame(owed.rule, detail, "silence");
        }
        self.probe(now);
    }

    fn probe(&mut self, now: Moment) {
        let step = self.setting.limits.step;
        self.dues.retain(|due| !(due.probing && due.until <= now));
        let mut asked: Vec<(Conn, bool)> = Vec::new();
        for due in self.dues.iter_mut().filter(|due| due.until <= now) {
            due.probing = true;
            due.until = now + step;
            asked.push((due.conn, due.wants == Wants::Pong));
        }
        asked.sort_unstable();
        asked.dedup();
        for (conn, by_init) in asked {
            let frame = if by_init {
                OwnedFrame::text(r#"{"type":"connection_init"}"#)
            } else {
                OwnedFrame::Ping(PROBE.to_vec())
            };
            self.transmit(conn, frame);
        }
    }
}

/// Words with which a server answers.
fn is_answer(word: &str) -> bool {
    const ANSWERS: [&str; 11] = [
        "connection_error",
        "start_ack",
        "complete",
        "error",
        "subscribe_success",
        "subscribe_error",
        "unsubscribe_success",
        "unsubscribe_error",
        "publish_success",
        "publish_error",
        "connection_ack",
    ];
    ANSWERS.contains(&word)
}

/// The kind of a frame, for cells and buckets.
fn word(frame: &OwnedFrame, message: Option<&Json>) -> String {
    match frame {
        OwnedFrame::Text { .. } => {
            let word = message.and_then(|message| message.get("type")).and_then(Json::as_str);
            word.map_or_else(|| "no message".into(), |word| cut(word, 30))
        }
        OwnedFrame::Binary(_) => "binary".into(),
        OwnedFrame::Ping(_) => "ping".into(),
        OwnedFrame::Pong(_) => "pong".into(),
        OwnedFrame::Close { .. } => "close".into(),
        OwnedFrame::Lost => "lost".into(),
    }
}

/// A frame in few words.
fn shown(frame: &OwnedFrame) -> String {
    match frame {
        OwnedFrame::Text { text, .. } => cut(text, 300),
        OwnedFrame::Binary(bytes) => format!("a binary message of {} bytes", bytes.len()),
        OwnedFrame::Ping(_) => "a ping".into(),
        OwnedFrame::Pong(_) => "a pong".into(),
        OwnedFrame::Close { code, .. } => format!("a close frame with code {code:?}"),
        OwnedFrame::Lost => "the end of the connection without a close frame".into(),
    }
}
