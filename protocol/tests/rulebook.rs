//! The requirements of state, restated by a second route: `Conversation` carries a state machine along,
//! the rule book asks the whole trace. Both have to find the same.

#[path = "rulebook/honest.rs"]
mod honest;
#[path = "rulebook/rules.rs"]
mod rules;
#[path = "rulebook/say.rs"]
mod say;
#[path = "rulebook/situations.rs"]
mod situations;
#[path = "rulebook/trace.rs"]
mod trace;

use core::time::Duration;
use std::collections::BTreeSet;

use appsync_protocol::conversation::Conversation;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::moment::Moment;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::{OwnedFrame, Side};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use honest::{Conduct, Course, observed};
use rules::{Breach, breaches};
use say::{IDS, Say, any_say, name};
use trace::{Frames, Trace};

/// Findings about the form of one message, which the rule book leaves alone.
const FORM: [R; 2] = [R::GqlInit003, R::EvtInit002];

/// A dialect, the slack of the observer, and what it saw.
#[derive(Clone, Debug)]
struct Seen {
    dialect: Dialect,
    slack: Duration,
    said: Vec<(Moment, Side, Say)>,
}

impl Seen {
    fn frames(&self) -> Vec<(Moment, Side, OwnedFrame)> {
        self.said.iter().map(|(at, by, say)| (*at, *by, say.frame(self.dialect, *by))).collect()
    }
}

/// One step: the gap since the one before in milliseconds, what is said, and whether the wrong side says it.
type Step = (i64, Say, bool);

/// A gap and a limit that meet to the millisecond.
const LIMIT_MS: i64 = 100_000;

fn any_step() -> impl Strategy<Value = Step> {
    let gap_ms = prop_oneof![8 => 0..5_000_i64, 2 => 0..400_000_i64, 1 => Just(LIMIT_MS), 1 => -5_000..0_i64];
    (gap_ms, any_say(), proptest::bool::weighted(0.04))
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let dialect = prop_oneof![Just(Dialect::Graphql), Just(Dialect::Events)];
    let slack = prop_oneof![Just(Duration::ZERO), Just(Duration::from_secs(5))];
    let opened = proptest::bool::weighted(0.7);
    (dialect, slack, opened, proptest::collection::vec(any_step(), 0..40)).prop_map(
        |(dialect, slack, opened, steps)| {
            let opening = [(0, Say::Init, false), (20, Say::Ack { limit_ms: Some(300_000) }, false)];
            let all = opening.into_iter().filter(|_| opened).chain(steps);
            Seen { dialect, slack, said: timed(all) }
        },
    )
}

fn timed(steps: impl Iterator<Item = Step>) -> Vec<(Moment, Side, Say)> {
    let placed = steps.scan(0_i64, |now_ms, (gap_ms, say, swapped)| {
        *now_ms = (*now_ms + gap_ms).max(0);
        let side = match (say.speaker(), gap_ms % 2 == 0) {
            (Some(speaker), _) => speaker,
            (None, true) => Side::Client,
            (None, false) => Side::Server,
        };
        let by = if swapped { side.other() } else { side };
        Some((Moment::from_millis(now_ms.unsigned_abs()), by, say))
    });
    placed.collect()
}

/// What the system under test finds, with the index of the frame.
fn found(dialect: Dialect, slack: Duration, frames: &Frames) -> (Conversation, Vec<Breach>) {
    let mut conversation = Conversation::new(dialect).with_slack(slack);
    let mut all = Vec::new();
    for (i, (at, by, frame)) in frames.iter().enumerate() {
        let findings = conversation.observe(*at, *by, frame.borrow()).findings;
        all.extend(findings.into_iter().map(|f| (f.requirement, f.by, i)));
    }
    all.retain(|(rule, ..)| !FORM.contains(rule));
    all.sort_unstable();
    (conversation, all)
}

fn expected(dialect: Dialect, slack: Duration, frames: &Frames) -> Vec<Breach> {
    let mut all = breaches(&Trace::new(dialect, slack, frames));
    all.sort_unstable();
    all
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn the_conversation_and_the_rule_book_find_the_same(seen in any_seen()) {
        let frames = seen.frames();

        let (_, found) = found(seen.dialect, seen.slack, &frames);

        prop_assert_eq!(found, expected(seen.dialect, seen.slack, &frames));
    }

    #[test]
    fn the_conversation_and_the_rule_book_agree_on_what_is_live_and_what_waits(seen in any_seen()) {
        let frames = seen.frames();

        let (conversation, _) = found(seen.dialect, seen.slack, &frames);

        let trace = Trace::new(seen.dialect, seen.slack, &frames);
        for id in (0..IDS).map(name) {
            let known = conversation.subscription(id);
            let held = known.is_some_and(|s| s.is_live());
            let waiting = known.is_some_and(|s| s.awaits_answer());
            prop_assert_eq!((held, waiting), (trace.live(id, frames.len()), trace.starts(id, frames.len()) > 0));
        }
    }

    #[test]
    fn findings_never_go_back_in_time_and_a_deadline_is_never_past(seen in any_seen()) {
        let mut conversation = Conversation::new(seen.dialect).with_slack(seen.slack);
        let mut now = Moment::START;
        let mut last = Moment::START;

        for (at, by, frame) in seen.frames() {
            now = now.max(at);
            let mut findings = conversation.observe(at, by, frame.borrow()).findings;
            findings.extend(conversation.elapse(at));

            for finding in findings {
                prop_assert!(finding.at >= last && finding.at == now, "{finding} after {last}");
                last = finding.at;
            }
            prop_assert!(conversation.deadline().is_none_or(|deadline| deadline.at > now));
        }
    }
}

fn any_course(client: Conduct, server: Conduct) -> impl Strategy<Value = Course> {
    let dialect = prop_oneof![Just(Dialect::Graphql), Just(Dialect::Events)];
    (dialect, (0..12_u64, 0..12_u64), any::<u64>()).prop_map(move |(dialect, delays_s, seed)| Course {
        dialect,
        client,
        server,
        delays_s,
        length_s: 400,
        seed,
    })
}

fn findings_of(course: Course) -> (Vec<(Moment, Side, OwnedFrame)>, Vec<Breach>) {
    let frames = observed(course);
    let found = found(course.dialect, Duration::ZERO, &frames).1;
    (frames, found)
}

proptest! {
    #![proptest_config(config(512))]

    #[test]
    fn honest_peers_give_no_finding_wherever_the_observer_stands(
        course in any_course(Conduct::Honest, Conduct::Honest),
    ) {
        prop_assert_eq!(findings_of(course).1, []);
    }

    #[test]
    fn an_honest_server_is_blamed_for_nothing_that_a_wild_client_does(
        course in any_course(Conduct::Wild, Conduct::Honest),
    ) {
        let blamed: Vec<_> = findings_of(course).1.into_iter().filter(|(_, by, _)| *by == Side::Server).collect();

        prop_assert_eq!(blamed, []);
    }

    #[test]
    fn an_honest_client_is_blamed_for_nothing_that_a_wild_server_does(
        course in any_course(Conduct::Honest, Conduct::Wild),
    ) {
        let blamed: Vec<_> = findings_of(course).1.into_iter().filter(|(_, by, _)| *by == Side::Client).collect();

        prop_assert_eq!(blamed, []);
    }
}

/// Requirements whose breach a trace of well-formed messages can show.
const STATE: &[R] = &[
    R::GqlAuth016,
    R::GqlErr002,
    R::GqlErr009,
    R::GqlFrame012,
    R::GqlInit006,
    R::GqlInit013,
    R::GqlKa001,
    R::GqlSub003,
    R::GqlSub006,
    R::GqlSub009,
    R::GqlSub012,
    R::GqlSub023,
    R::GqlSub024,
    R::GqlSub026,
    R::EvtAuth027,
    R::EvtData001,
    R::EvtData012,
    R::EvtErr005,
    R::EvtInit005,
    R::EvtInit007,
    R::EvtKa001,
    R::EvtPub007,
    R::EvtSub003,
    R::EvtSub004,
    R::EvtSub007,
    R::EvtSub014,
    R::EvtSub016,
    R::EvtSub018,
];

fn situations(dialect: Dialect, frames: &Frames) -> BTreeSet<&'static str> {
    situations::reached(&Trace::new(dialect, Duration::ZERO, frames), frames.len())
}

fn campaign<S: Strategy>(cases: usize, strategy: S) -> impl Iterator<Item = S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..cases).map(move |_| strategy.new_tree(&mut runner).expect("a strategy that rejects nothing").current())
}

#[test]
fn generated_traces_reach_every_situation_and_break_every_rule_of_state() {
    let mut reached = BTreeSet::new();
    let mut broken = BTreeSet::new();

    for seen in campaign(512, any_seen()) {
        let frames = seen.frames();
        reached.extend(situations(seen.dialect, &frames));
        broken.extend(expected(seen.dialect, seen.slack, &frames).into_iter().map(|(rule, ..)| rule));
    }

    assert_eq!(reached.len(), situations::SITUATIONS.len(), "{reached:?}");
    let missing: Vec<_> = STATE.iter().filter(|rule| !broken.contains(rule)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn honest_courses_reach_every_situation_that_breaks_no_rule() {
    let honest = any_course(Conduct::Honest, Conduct::Honest);

    let reached: BTreeSet<_> =
        campaign(64, honest).flat_map(|course| situations(course.dialect, &observed(course))).collect();

    let clean = [
        "a duplicate of a live id is refused",
        "a stop that crossed an end is answered",
        "an end comes unasked",
        "an error may mean several things",
        "data crosses a stop",
        "the same start is sent again",
    ];
    assert_eq!(reached, clean.into());
}

const START: Say = Say::Subscribe { id: 0, request: 0 };
const OTHER_START: Say = Say::Subscribe { id: 0, request: 1 };
const ACK: Say = Say::Granted(0);
const STOP: Say = Say::Unsubscribe(0);
const COMPLETE: Say = Say::Ended(0);
const ERROR: Say = Say::Refused { id: Some(0), of: None };
const DATA: Say = Say::Data(0);
const UNHEARD: Say = Say::Unheard(Some(0));

/// Courses in which an answer may belong to another ask than it seems to, after the opening, and what is right.
const CROSSED: &[(&str, &[Say], &[R])] = &[
    (
        "the server's own complete crosses the stop, which it then answers (GQL-A-08)",
        &[START, ACK, STOP, COMPLETE, COMPLETE],
        &[],
    ),
    (
        "an error for a stop leaves nothing live: the server has ended it, or never knew it",
        &[START, ACK, STOP, ERROR, START, ACK],
        &[],
    ),
    (
        "the error answers the stop, which is older than the second start",
        &[START, ACK, COMPLETE, STOP, START, ERROR, ACK],
        &[],
    ),
    (
        "the second error answers the stop, which is older than the second start",
        &[START, STOP, ERROR, START, ERROR, ACK],
        &[],
    ),
    (
        "the error ends the live subscription (GQL-SUB-035) and has crossed the start sent again",
        &[START, ACK, START, ERROR, ACK],
        &[],
    ),
    ("after all that the life is certain again", &[START, ACK, START, START, ERROR, ACK, ACK], &[R::GqlErr009]),
    (
        "a client that was refused does not know of the grant that crosses its next start",
        &[START, ERROR, ACK, OTHER_START],
        &[R::GqlSub006],
    ),
    (
        "a client hears an error that is none of its business after its start",
        &[ERROR, START, OTHER_START],
        &[R::GqlErr002],
    ),
    ("one error frees the id once", &[START, ERROR, OTHER_START, START], &[R::GqlSub003]),
    ("a stop of what the server granted unasked names a live subscription", &[ACK, STOP], &[R::GqlSub006]),
    ("a stop of it crosses its end", &[ACK, COMPLETE, STOP], &[R::GqlSub006]),
    (
        "the start was slower than the stop, which has to be said again",
        &[START, STOP, COMPLETE, ACK, STOP, COMPLETE],
        &[],
    ),
    (
        "the error answers the word that nobody knows, and the subscription lives on",
        &[START, ACK, UNHEARD, ERROR, DATA],
        &[R::GqlFrame012],
    ),
];

#[test]
fn in_these_courses_nobody_is_blamed_in_doubt_and_the_guilty_are_found() {
    for (why, course, right) in CROSSED {
        let opening = [Say::Init, Say::Ack { limit_ms: Some(300_000) }];
        let all = opening.iter().chain(*course).map(|say| (Moment::START, say.speaker().unwrap_or(Side::Client), *say));
        let seen = Seen { dialect: Dialect::Graphql, slack: Duration::ZERO, said: all.collect() };

        let (_, found) = found(seen.dialect, seen.slack, &seen.frames());

        let rules: Vec<_> = found.into_iter().map(|(rule, ..)| rule).collect();
        assert_eq!(rules, *right, "{why}");
    }
}
