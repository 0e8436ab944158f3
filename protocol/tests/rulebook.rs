//! The requirements of state, restated by a second route: `Conversation` carries a state machine along,
//! the rule book asks the whole trace. Both have to find the same.

#[path = "rulebook/honest.rs"]
mod honest;
#[path = "rulebook/rules.rs"]
mod rules;
#[path = "rulebook/say.rs"]
mod say;

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
use rules::{Breach, Trace};
use say::{IDS, Say, any_say, name};

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

fn any_step() -> impl Strategy<Value = Step> {
    let gap_ms = prop_oneof![8 => 0..5_000_i64, 2 => 0..400_000_i64, 1 => -5_000..0_i64];
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
        Some((Moment::from_millis(u64::try_from(*now_ms).unwrap()), by, say))
    });
    placed.collect()
}

/// What the system under test finds, with the index of the frame.
fn found(dialect: Dialect, slack: Duration, frames: &rules::Frames) -> (Conversation, Vec<Breach>) {
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

fn expected(dialect: Dialect, slack: Duration, frames: &rules::Frames) -> Vec<Breach> {
    let mut all = Trace::new(dialect, slack, frames).breaches();
    all.sort_unstable();
    all
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(1024))]

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
        let (frames, found) = findings_of(course);
        let trace = Trace::new(course.dialect, Duration::ZERO, &frames);
        let known = |i| trace.subscribes_what_was_granted_unasked(i);
        let blamed: Vec<_> = found.into_iter().filter(|(_, by, i)| *by == Side::Client && !known(*i)).collect();

        if !blamed.is_empty() {
            let id = match &frames[blamed[0].2].2 { OwnedFrame::Text{text,..} => text.split("\"id\":").nth(1).unwrap_or("zzzz")[..3].to_string(), _ => String::new()};
            for (i,(_, by, f)) in frames.iter().enumerate() { if i > blamed[0].2 {break;} if let OwnedFrame::Text{text,..} = f { if text.contains(&id) {println!("{i} {} {text}", if *by==Side::Client {">"} else {"<"});} } }
        }
        prop_assert_eq!(blamed, []);
    }
}
