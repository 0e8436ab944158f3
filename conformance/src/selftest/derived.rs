//! Saboteurs made mechanically: every check left out, every limit moved by one, every kind of message dropped,
//! repeated, sent under another id, or with one member missing, changed or of another type, and every value of an
//! event rewritten in the ways in which values suffer.
//!
//! Nobody says which requirement such a server breaks, if any. It counts as killed if any scenario, or the monitor
//! that listens to it, fails or warns. What survives has to have a reason in [`super::survivors`].

use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::server::Check;

use super::saboteurs::first_complaint;
use super::stage::{Judged, all_playable, in_parallel, outcome};
use super::survivors;
use crate::fault::{Change, DoorCheck, Edit, How, HttpChange, HttpEdit, Nth, rewrites};
use crate::reference::Config;
use crate::scenario::{Need, Scenario, Tier};

/// A saboteur that nobody wrote.
#[derive(Clone)]
pub struct Derived {
    /// What it does, as a path: `graphql/data/remove/payload.data`.
    pub name: String,
    /// The dialect it concerns; both if none.
    pub dialect: Option<Dialect>,
    /// How the reference endpoint is bent.
    pub how: How,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Something counted against it.
    Killed {
        /// The scenario that was played.
        by: &'static str,
        /// The first requirement that it broke.
        breaks: Requirement,
        /// Virtual time that the scenario took.
        after: Duration,
    },
    /// Nothing did, and there is a reason for that.
    Explained(&'static str),
    /// Nothing did, and nobody knows why.
    Unexplained,
}

/// A derived saboteur and its fate.
#[derive(Clone)]
pub struct Trial {
    /// The saboteur.
    pub derived: Derived,
    /// What became of it.
    pub fate: Fate,
}

/// One kind of message that a server sends.
pub struct Kind {
    /// The dialect.
    pub dialect: Dialect,
    /// The wire word.
    pub word: &'static str,
    /// Its members below `type`, by dotted path.
    pub members: &'static [&'static str],
}

const fn kind(dialect: Dialect, word: &'static str, members: &'static [&'static str]) -> Kind {
    Kind { dialect, word, members }
}

/// Every kind of message of the reference endpoint, with every member that is always there or often.
pub const KINDS: &[Kind] = &[
    kind(Dialect::Graphql, "connection_ack", &["payload", "payload.connectionTimeoutMs"]),
    kind(Dialect::Graphql, "connection_error", REFUSED_GRAPHQL),
    kind(Dialect::Graphql, "ka", &[]),
    kind(Dialect::Graphql, "start_ack", &["id"]),
    kind(Dialect::Graphql, "data", &["id", "payload", "payload.data"]),
    kind(Dialect::Graphql, "complete", &["id"]),
    kind(Dialect::Graphql, "error", ERROR_GRAPHQL),
    kind(Dialect::Events, "connection_ack", &["connectionTimeoutMs"]),
    kind(Dialect::Events, "connection_error", ERROR_EVENTS),
    kind(Dialect::Events, "ka", &[]),
    kind(Dialect::Events, "subscribe_success", &["id"]),
    kind(Dialect::Events, "subscribe_error", ERROR_EVENTS),
    kind(Dialect::Events, "unsubscribe_success", &["id"]),
    kind(Dialect::Events, "unsubscribe_error", ERROR_EVENTS),
    kind(Dialect::Events, "publish_success", RECEIPT),
    kind(Dialect::Events, "publish_error", ERROR_EVENTS),
    kind(Dialect::Events, "data", &["id", "event"]),
    kind(Dialect::Events, "error", ERROR_EVENTS),
];

const REFUSED_GRAPHQL: &[&str] = &[
    "payload",
    "payload.errors",
    "payload.errors.0",
    "payload.errors.0.errorType",
    "payload.errors.0.message",
    "payload.errors.0.errorCode",
];
const ERROR_GRAPHQL: &[&str] = &[
    "id",
    "payload",
    "payload.errors",
    "payload.errors.0",
    "payload.errors.0.errorType",
    "payload.errors.0.message",
    "payload.errors.0.errorCode",
];
const ERROR_EVENTS: &[&str] =
    &["id", "errors", "errors.0", "errors.0.errorType", "errors.0.message", "errors.0.errorCode"];
const RECEIPT: &[&str] = &[
    "id",
    "successful",
    "successful.0",
    "successful.0.identifier",
    "successful.0.index",
    "successful.1.index",
    "failed",
    "failed.0",
    "failed.0.identifier",
    "failed.0.index",
    "failed.0.code",
    "failed.0.message",
];

/// Members of the answers of the HTTP endpoints.
const BODIES: &[(Dialect, u16, &[&str])] = &[
    (Dialect::Graphql, 200, &["data", "errors", "errors.0", "errors.0.errorType", "errors.0.message"]),
    (Dialect::Graphql, 400, &["errors", "errors.0", "errors.0.errorType", "errors.0.message"]),
    (Dialect::Graphql, 401, &["errors", "errors.0", "errors.0.errorType", "errors.0.message"]),
    (Dialect::Events, 200, RECEIPT),
    (Dialect::Events, 400, &["errors", "errors.0", "errors.0.errorType", "errors.0.message"]),
    (Dialect::Events, 401, &["errors", "errors.0", "errors.0.errorType", "errors.0.message"]),
];

/// Every limit of a policy, one more and one less.
const LIMITS: &[(&str, How)] = &[
    ("silence-limit-ms+1", How::Set(|policy| policy.silence_limit_ms += 1)),
    ("silence-limit-ms-1", How::Set(|policy| policy.silence_limit_ms -= 1)),
    ("keep-alive+1s", How::Set(|policy| policy.keep_alive += SECOND)),
    ("keep-alive-1s", How::Set(|policy| policy.keep_alive -= SECOND)),
    ("lifetime+1s", How::Set(|policy| policy.lifetime += SECOND)),
    ("lifetime-1s", How::Set(|policy| policy.lifetime -= SECOND)),
    ("subscriptions-max+1", How::Set(|policy| policy.subscriptions_max += 1)),
    ("subscriptions-max-1", How::Set(|policy| policy.subscriptions_max -= 1)),
    ("event-bytes-max+1", How::Set(|policy| policy.event_bytes_max += 1)),
    ("event-bytes-max-1", How::Set(|policy| policy.event_bytes_max -= 1)),
    ("publish-bytes-max+1", How::Set(|policy| policy.publish_bytes_max += 1)),
    ("publish-bytes-max-1", How::Set(|policy| policy.publish_bytes_max -= 1)),
    ("events-max+1", How::Set(|policy| policy.events_max += 1)),
    ("events-max-1", How::Set(|policy| policy.events_max -= 1)),
    ("request-max+1s", How::Set(|policy| policy.request_max += SECOND)),
    ("request-max-1s", How::Set(|policy| policy.request_max -= SECOND)),
];

/// A value that no member of a message may have: none is a list of a truth.
const RETYPED: &str = "[true]";

const SECOND: Duration = Duration::from_secs(1);

/// Every derived saboteur.
pub fn derived() -> Vec<Derived> {
    let checks = Check::ALL.iter().map(|check| both(format!("skip/{check:?}"), How::Skip(*check)));
    let doors = DoorCheck::ALL.iter().map(|check| both(format!("door/{check:?}"), How::Door(*check)));
    let limits = LIMITS.iter().map(|(name, how)| both(format!("limit/{name}"), *how));
    let messages = KINDS.iter().flat_map(of_kind);
    let answers = BODIES.iter().flat_map(|(dialect, status, members)| of_answer(*dialect, *status, members));
    let events = Dialect::ALL.into_iter().flat_map(of_event);
    checks.chain(doors).chain(limits).chain(messages).chain(answers).chain(events).collect()
}

fn both(name: String, how: How) -> Derived {
    Derived { name, dialect: None, how }
}

/// Every way to rewrite the value of an event, and to lose or repeat it beside other subscriptions.
fn of_event(dialect: Dialect) -> Vec<Derived> {
    let named = |what: &str, nth, change| Derived {
        name: format!("{dialect}/data/{what}"),
        dialect: Some(dialect),
        how: How::Edit(Edit { dialect, word: "data", nth, change }),
    };
    // An event of the GraphQL schemas has text, whole numbers and null; one of Events is any JSON.
    let of_values = rewrites::OF_VALUES.iter().filter(|_| dialect == Dialect::Events);
    let rewritten = rewrites::OF_TEXT.iter().chain(of_values);
    let mut all: Vec<_> = rewritten
        .map(|(what, rewrite)| named(&format!("rewrite/{what}"), Nth::Every, Change::Rewrite(*rewrite)))
        .collect();
    all.push(named("duplicate-shared", Nth::Every, Change::DuplicateShared));
    all.push(named("drop-after-grant", Nth::Every, Change::DropAfterGrant));
    for nth in [3, 4] {
        all.push(named(&format!("drop-{nth}"), Nth::Only(nth), Change::Drop));
        all.push(named(&format!("duplicate-{nth}"), Nth::Only(nth), Change::Duplicate));
        all.push(named(&format!("other-id-{nth}"), Nth::Only(nth), Change::OtherId));
    }
    all.push(named("drop-from-4", Nth::From(4), Change::Drop));
    all
}

fn of_kind(kind: &Kind) -> Vec<Derived> {
    let named = |nth, what: String, change| Derived {
        name: format!("{}/{}/{what}", kind.dialect, kind.word),
        dialect: Some(kind.dialect),
        how: How::Edit(Edit { dialect: kind.dialect, word: kind.word, nth, change }),
    };
    let mut all = Vec::new();
    for (when, nth) in
        [("every", Nth::Every), ("first", Nth::Only(1)), ("second", Nth::Only(2)), ("later", Nth::From(2))]
    {
        for (what, change) in [("drop", Change::Drop), ("duplicate", Change::Duplicate)] {
            all.push(named(nth, format!("{what}-{when}"), change));
        }
    }
    all.push(named(Nth::Every, "truncate".into(), Change::Truncate));
    all.push(named(Nth::Every, "binary".into(), Change::AsBinary));
    all.push(named(Nth::Every, "remove/type".into(), Change::Remove("type")));
    all.push(named(Nth::Every, "alter/type".into(), Change::Alter("type")));
    if kind.members.contains(&"id") {
        all.push(named(Nth::Every, "other-id".into(), Change::OtherId));
        all.push(named(Nth::Only(2), "other-id-second".into(), Change::OtherId));
        all.push(named(Nth::Every, "mangle-id".into(), Change::MangleId));
        all.push(named(Nth::Every, "mangle-unusual-id".into(), Change::MangleUnusualId));
    }
    for member in kind.members {
        all.push(named(Nth::Every, format!("remove/{member}"), Change::Remove(member)));
        all.push(named(Nth::Every, format!("alter/{member}"), Change::Alter(member)));
        all.push(named(Nth::Every, format!("null/{member}"), Change::Set(member, "null")));
        all.push(named(Nth::Every, format!("retype/{member}"), Change::Set(member, RETYPED)));
    }
    all
}

fn of_answer(dialect: Dialect, status: u16, members: &'static [&'static str]) -> Vec<Derived> {
    let named = |what: String, change| Derived {
        name: format!("{dialect}/http-{status}/{what}"),
        dialect: Some(dialect),
        how: How::Http(HttpEdit { dialect, status, change }),
    };
    let mut all = vec![
        named("status-500".into(), HttpChange::Status(500)),
        named("status-204".into(), HttpChange::Status(204)),
        named("empty".into(), HttpChange::Body("")),
    ];
    for member in members {
        all.push(named(format!("remove/{member}"), HttpChange::Remove(member)));
        all.push(named(format!("retype/{member}"), HttpChange::Set(member, RETYPED)));
        all.push(named(format!("null/{member}"), HttpChange::Set(member, "null")));
    }
    all
}

/// Plays each derived saboteur until something counts against it; the cheap scenarios come first.
pub fn try_all(derived: &[Derived], jobs: usize, done: &(dyn Fn() + Sync)) -> Vec<Trial> {
    let mut order = all_playable();
    order.sort_by_key(|scenario| (scenario.tier, scenario.needs.contains(&Need::Limits)));
    in_parallel(derived, jobs, done, |derived| Trial { derived: derived.clone(), fate: fate(derived, &order) })
}

fn fate(derived: &Derived, order: &[&'static Scenario]) -> Fate {
    let own: Vec<_> = order
        .iter()
        .copied()
        .filter(|scenario| derived.dialect.is_none_or(|dialect| dialect == scenario.dialect))
        .filter(|scenario| scenario.tier < Tier::Long || survivors::may_need_a_day(&derived.name))
        .collect();
    let bent = [derived.how];
    let found = first_complaint(&own, |scenario| Judged::of(scenario, &outcome(scenario, Config::default(), &bent)));
    let killed = found.and_then(|(scenario, judged)| {
        judged.broken.first().map(|(breaks, _)| Fate::Killed { by: scenario.id, breaks: *breaks, after: judged.took })
    });
    killed.unwrap_or_else(|| survivors::reason(&derived.name).map_or(Fate::Unexplained, Fate::Explained))
}
