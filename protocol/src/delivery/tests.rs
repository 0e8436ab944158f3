//! Every window and every kind as a sentence, then the model against its oracle: the whole history,
//! read again from its start for each question.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::json::parse_json;
use crate::requirement::{Requirement as R, Severity};

const PATIENCE: Duration = Duration::from_millis(100);

fn key(connection: u32, id: &str, generation: u32) -> SubscriptionKey {
    SubscriptionKey { connection, id: id.into(), generation }
}

/// A channel pattern, or a field with arguments: `/default/a`, `onNote author="ann"`.
fn interest(text: &str) -> Interest {
    if text.starts_with('/') {
        return Interest::Channel(ChannelPattern::parse(text).unwrap());
    }
    let mut words = text.split(' ');
    let field = words.next().unwrap().into();
    let argument = |word: &str| {
        let (name, value) = word.split_once('=').unwrap();
        (name.to_string(), parse_json(value).unwrap())
    };
    Interest::Field { field, arguments: words.map(argument).collect() }
}

/// A channel, or a field with the JSON text of its object: `/default/a`, `onNote {"author":"ann"}`.
fn subject(text: &str) -> Subject {
    match text.split_once(' ') {
        None => Subject::Channel(Channel::parse(text).unwrap()),
        Some((field, object)) => Subject::Field { field: field.into(), object: parse_json(object).unwrap() },
    }
}

/// A model with a clock that ticks once a call.
#[derive(Default)]
struct Play {
    model: DeliveryModel,
    now: u64,
}

impl Play {
    fn at(&mut self) -> Moment {
        self.now += 1;
        Moment::from_millis(self.now)
    }

    /// A subscription `a` on connection 1 that is asked for, granted and settled.
    fn settled(wanted: &str) -> (Self, SubscriptionKey) {
        let mut play = Self::default();
        let key = play.warm(1, "a", wanted);
        (play, key)
    }

    fn warm(&mut self, connection: u32, id: &str, wanted: &str) -> SubscriptionKey {
        let key = self.ask(connection, id, wanted);
        let (granted, settled) = (self.at(), self.at());
        self.model.granted(granted, &key);
        self.model.settled(settled, &key);
        key
    }

    fn ask(&mut self, connection: u32, id: &str, wanted: &str) -> SubscriptionKey {
        let key = key(connection, id, 1);
        let at = self.at();
        self.model.asked(at, key.clone(), interest(wanted));
        key
    }

    fn publish(&mut self, nonce: &str, on: &str) {
        let at = self.at();
        self.model.published(at, nonce, None, subject(on));
    }

    fn answer(&mut self, nonce: &str, accepted: bool) -> String {
        let at = self.at();
        ids(&self.model.publish_answered(at, nonce, accepted))
    }

    fn accepted(&mut self, nonce: &str, on: &str) {
        self.publish(nonce, on);
        self.answer(nonce, true);
    }

    fn leave(&mut self, key: &SubscriptionKey) {
        let at = self.at();
        self.model.leaving(at, key);
    }

    fn end(&mut self, key: &SubscriptionKey) {
        let at = self.at();
        self.model.ended(at, key);
    }

    /// Kind and rule of what is wrong with an arrival; empty if nothing is.
    fn arrives(&mut self, key: &SubscriptionKey, nonce: &str) -> String {
        let at = self.at();
        self.model.delivered(at, key, nonce).map(|m| format!("{:?} {}", m.kind, m.requirement)).unwrap_or_default()
    }

    /// Rules of what is missing when patience is over.
    fn missing(&mut self) -> String {
        let now = self.at() + PATIENCE;
        ids(&self.model.overdue(now, PATIENCE))
    }
}

fn ids(wrong: &[Misdelivery]) -> String {
    wrong.iter().map(|m| m.requirement.id()).collect::<Vec<_>>().join(" ")
}

/// The rule against an arrival of an event on a settled subscription.
fn forbidden(wanted: &str, told: &str) -> String {
    let (mut play, key) = Play::settled(wanted);
    play.accepted("n", told);
    let must_not = play.model.duty(&key, "n") == Duty::MustNot;

    let wrong = play.arrives(&key, "n");

    assert_eq!(must_not, !wrong.is_empty());
    wrong
}

#[test]
fn an_accepted_event_must_reach_a_settled_subscription_once() {
    let (mut play, key) = Play::settled("/default/a");
    play.accepted("n", "/default/a");

    assert_eq!(play.model.duty(&key, "n"), Duty::Must);
    assert_eq!(play.arrives(&key, "n"), "");
    assert_eq!(play.missing(), "");
}

#[test]
fn an_event_that_never_comes_is_missing_once_patience_is_over() {
    let (mut play, _) = Play::settled("/default/a");
    play.accepted("n", "/default/a");
    let answered = Moment::from_millis(play.now);

    assert!(play.model.overdue(answered, PATIENCE).is_empty());
    assert_eq!(ids(&play.model.overdue(answered + PATIENCE, PATIENCE)), "EVT-DATA-004");
    assert_eq!(play.missing(), "", "reported once");
}

#[test]
fn an_event_that_comes_before_its_answer_is_not_missing() {
    let (mut play, key) = Play::settled("/default/a");
    play.publish("n", "/default/a");
    play.arrives(&key, "n");
    play.answer("n", true);

    assert_eq!(play.missing(), "");
}

#[test]
fn the_rule_of_a_missing_event_depends_on_what_was_asked() {
    let lost = |wanted: &str, told: &str| {
        let (mut play, _) = Play::settled(wanted);
        play.accepted("n", told);
        play.missing()
    };

    assert_eq!(lost("/default/*", "/default/a/b"), "EVT-CHANNEL-011");
    assert_eq!(lost("/default/*", "/default/a"), "EVT-CHANNEL-011");
    assert_eq!(lost("onNote", "onNote {}"), "GQL-FILTER-001");
    assert_eq!(lost("onNote author=null", r#"onNote {"author":null}"#), "GQL-FILTER-003");
    assert_eq!(lost("onNote author=1", r#"onNote {"author":1.0}"#), "GQL-SUB-017");
}

#[test]
fn a_publisher_has_to_hear_itself() {
    for (wanted, told, rule) in [
        ("/default/a", "/default/a", "EVT-DATA-005"),
        ("/default/*", "/default/a", "EVT-DATA-005"),
        ("/default/*", "/default/a/b", "EVT-CHANNEL-011"),
    ] {
        let (mut play, _) = Play::settled(wanted);
        play.model.published(Moment::START, "n", Some(1), subject(told));
        play.answer("n", true);

        assert_eq!(play.missing(), rule, "{wanted} {told}");
    }
}

#[test]
fn every_subscription_of_one_connection_gets_its_own_copy() {
    for (connection, rule) in [(1, "GQL-SUB-017"), (2, "GQL-FILTER-001")] {
        let (mut play, first) = Play::settled("onNote");
        play.warm(connection, "b", "onNote");
        play.accepted("n", "onNote {}");
        play.arrives(&first, "n");

        assert_eq!(play.missing(), rule, "the sibling is on connection {connection}");
    }
}

#[test]
fn a_second_arrival_is_a_duplicate() {
    for (wanted, told, rule) in [("/default/a", "/default/a", "EVT-DATA-004"), ("onNote", "onNote {}", "GQL-SUB-017")] {
        let (mut play, key) = Play::settled(wanted);
        play.accepted("n", told);

        assert_eq!(play.arrives(&key, "n"), "");
        assert_eq!(play.arrives(&key, "n"), format!("Duplicate {rule}"));
    }
}

#[test]
fn another_channel_is_forbidden() {
    assert_eq!(forbidden("/default/a", "/default/b"), "Forbidden EVT-DATA-006");
    assert_eq!(forbidden("/default/a", "/default/a/b"), "Forbidden EVT-DATA-006");
    assert_eq!(forbidden("/default/a/*", "/default/ab"), "Forbidden EVT-DATA-006");
    assert_eq!(forbidden("/default/a", "/default/A"), "Forbidden EVT-CHANNEL-006");
    assert_eq!(forbidden("/default/a/*", "/default/A/b"), "Forbidden EVT-CHANNEL-006");
    assert_eq!(forbidden("/default/*", "/default/a/b/c"), "");
}

#[test]
fn a_wildcard_that_covers_its_own_prefix_is_information() {
    let (mut play, key) = Play::settled("/default/a/*");
    play.accepted("n", "/default/a");

    let wrong = play.model.delivered(Moment::START, &key, "n").unwrap();

    assert_eq!((wrong.requirement, wrong.severity()), (R::EvtChannel012, Severity::Info));
}

#[test]
fn another_field_or_other_arguments_are_forbidden() {
    let note = |object: &str| format!("onNote {object}");

    assert_eq!(forbidden("onNote", "onOther {}"), "Forbidden GQL-SUB-012");
    assert_eq!(forbidden("onNote author=1", &note(r#"{"author":2}"#)), "Forbidden GQL-FILTER-002");
    assert_eq!(forbidden("onNote author=1 id=2", &note(r#"{"author":1,"id":3}"#)), "Forbidden GQL-FILTER-002");
    assert_eq!(forbidden("onNote author=null", &note(r#"{"author":2}"#)), "Forbidden GQL-FILTER-003");
    assert_eq!(forbidden("onNote author=null", &note("{}")), "Forbidden GQL-FILTER-005");
    assert_eq!(forbidden("onNote", &note("null")), "Forbidden GQL-SUB-018");
    assert_eq!(forbidden("onNote author=1", &note(r#"{"author":1.0,"more":true}"#)), "");
}

#[test]
fn the_dialects_do_not_hear_each_other() {
    assert_eq!(forbidden("onNote", "/default/a"), "Forbidden GQL-SUB-012");
    assert_eq!(forbidden("/default/a", "onNote {}"), "Forbidden EVT-DATA-006");
}

#[test]
fn filters_that_the_sources_leave_open_bind_nobody() {
    for (wanted, told) in
        [(r#"onNote at={"x":1}"#, r#"onNote {"at":{"x":2}}"#), ("onNote author=1", r#"onNote [{"author":2}]"#)]
    {
        let (mut play, key) = Play::settled(wanted);
        play.accepted("n", told);

        assert_eq!(play.model.duty(&key, "n"), Duty::May, "{wanted}");
        assert_eq!(play.missing(), "");
    }
}

#[test]
fn an_event_may_have_several_subjects() {
    let (mut play, key) = Play::settled("onNote");
    play.publish("n", "onOther {}");
    assert_eq!(play.model.duty(&key, "n"), Duty::MustNot);

    play.publish("n", "onNote {}");
    play.answer("n", true);
    play.publish("n", "onLate {}");

    assert_eq!(play.model.duty(&key, "n"), Duty::Must);
}

#[test]
fn an_event_with_several_subjects_is_told_by_all_of_them() {
    let (mut play, key) = Play::settled("onNote");
    play.publish("n", "onOther {}");
    play.publish("n", "onLate {}");

    let wrong = play.model.delivered(Moment::START, &key, "n").unwrap();

    assert!(wrong.detail.ends_with("which wants onNote, not onOther and onLate"), "{}", wrong.detail);
}

#[test]
fn a_list_is_due_to_whoever_asks_for_nothing_in_particular() {
    let (mut play, key) = Play::settled("onNote");
    play.accepted("n", "onNote [{}]");

    assert_eq!(play.model.duty(&key, "n"), Duty::Must);
}

#[test]
fn a_loss_in_the_silent_window_after_the_grant_is_no_fault() {
    let mut play = Play::default();
    let key = play.ask(1, "a", "/default/a");
    play.model.granted(Moment::START, &key);
    play.accepted("n", "/default/a");
    play.model.settled(Moment::START, &key);

    assert_eq!(play.model.duty(&key, "n"), Duty::May);
    assert_eq!(play.missing(), "");
    assert_eq!(play.arrives(&key, "n"), "");
}

#[test]
fn a_publish_that_was_not_answered_binds_nobody() {
    let (mut play, key) = Play::settled("/default/a");
    play.publish("n", "/default/a");

    assert_eq!(play.model.duty(&key, "n"), Duty::May);
    assert_eq!(play.missing(), "");
}

#[test]
fn an_event_published_before_the_subscription_was_asked_for_is_forbidden() {
    for (wanted, told, rule) in [("/default/a", "/default/a", "EVT-DATA-008"), ("onNote", "onNote {}", "GQL-SUB-020")] {
        let mut play = Play::default();
        play.accepted("past", told);
        play.publish("crossing", told);
        let key = play.warm(1, "a", wanted);
        play.answer("crossing", true);

        assert_eq!(play.arrives(&key, "past"), format!("Forbidden {rule}"));
        assert_eq!(play.model.duty(&key, "crossing"), Duty::May);
        assert_eq!(play.arrives(&key, "crossing"), "");
    }
}

#[test]
fn an_event_that_crosses_the_unsubscribe_may_come_or_not() {
    let (mut play, key) = Play::settled("/default/a");
    play.publish("crossing", "/default/a");
    play.leave(&key);
    play.answer("crossing", true);
    play.accepted("after", "/default/a");

    assert_eq!(play.model.duty(&key, "crossing"), Duty::May);
    assert_eq!(play.model.duty(&key, "after"), Duty::May, "the server may not know yet");
    assert_eq!(play.arrives(&key, "after"), "");
    assert_eq!(play.missing(), "");
}

#[test]
fn nothing_comes_after_the_end() {
    for (wanted, told, rule) in [("/default/a", "/default/a", "EVT-SUB-018"), ("onNote", "onNote {}", "GQL-SUB-026")] {
        let (mut play, key) = Play::settled(wanted);
        play.accepted("early", told);
        play.accepted("twice", told);
        play.arrives(&key, "twice");
        play.leave(&key);
        play.end(&key);

        assert_eq!(play.model.duty(&key, "early"), Duty::MustNot);
        assert_eq!(play.arrives(&key, "early"), format!("Forbidden {rule}"));
        assert_eq!(play.arrives(&key, "twice"), format!("Forbidden {rule}"));
    }
}

#[test]
fn a_subscription_that_is_left_within_patience_is_let_go_and_one_that_is_left_later_is_not() {
    let (mut play, key) = Play::settled("/default/a");
    play.accepted("n", "/default/a");
    play.leave(&key);
    play.model.ended(Moment::from_millis(play.now) + PATIENCE, &key);
    assert_eq!(play.missing(), "");

    let (mut play, key) = Play::settled("/default/a");
    play.accepted("n", "/default/a");
    play.model.ended(Moment::from_millis(play.now) + PATIENCE, &key);
    assert_eq!(play.missing(), "EVT-DATA-004");
}

#[test]
fn ending_one_subscription_leaves_the_duty_to_its_sibling() {
    let (mut play, first) = Play::settled("/default/a");
    let second = play.warm(1, "b", "/default/a");
    play.leave(&first);
    play.end(&first);
    play.accepted("n", "/default/a");

    assert_eq!(play.model.duty(&second, "n"), Duty::Must);
    assert_eq!(play.missing(), "EVT-DATA-004");
}

#[test]
fn a_refused_publish_must_not_arrive_before_or_after_its_refusal() {
    for (wanted, told, rule) in [("/default/a", "/default/a", "EVT-PUB-011"), ("onNote", "onNote {}", "GQL-SUB-018")] {
        let (mut play, first) = Play::settled(wanted);
        let second = play.warm(2, "a", wanted);
        play.publish("n", told);

        assert_eq!(play.arrives(&first, "n"), "", "nobody knows yet");
        assert_eq!(play.answer("n", false), rule);
        assert_eq!(play.arrives(&second, "n"), format!("Forbidden {rule}"));
        assert_eq!(play.answer("n", false), "", "told once");
    }
}

#[test]
fn a_refusal_does_not_report_an_arrival_twice() {
    let (mut play, key) = Play::settled("/default/a");
    play.publish("n", "/default/b");
    assert_eq!(play.arrives(&key, "n"), "Forbidden EVT-DATA-006");

    assert_eq!(play.answer("n", false), "");
}

#[test]
fn an_event_for_a_subscription_that_nobody_asked_for_is_forbidden() {
    let mut play = Play::default();
    play.accepted("n", "onNote {}");
    play.accepted("m", "/default/a");

    assert_eq!(play.arrives(&key(1, "x", 1), "n"), "Forbidden GQL-SUB-012");
    assert_eq!(play.arrives(&key(1, "x", 1), "m"), "Forbidden EVT-DATA-001");
}

#[test]
fn strangers_are_reported_once_for_all_and_are_nobodys_fault() {
    let (mut play, known) = Play::settled("onNote");

    let first = play.model.delivered(Moment::START, &key(1, "x", 1), "foreign").unwrap();

    assert_eq!((first.kind, first.requirement, first.severity()), (Kind::Unknown, R::GqlSub012, Severity::Info));
    assert_eq!(play.arrives(&known, "foreign"), "");
    assert_eq!(play.model.strangers(), 2);
    let elsewhere = Play::settled("onNote").0.model.delivered(Moment::START, &key(0, "x", 1), "foreign").unwrap();
    assert_eq!(elsewhere.requirement, R::EvtData001, "nothing tells the dialect");
    assert_eq!(play.model.duty(&known, "foreign"), Duty::MustNot);
}

#[test]
fn order_is_never_judged() {
    let (mut play, key) = Play::settled("/default/a");
    for nonce in ["1", "2", "3"] {
        play.accepted(nonce, "/default/a");
    }

    assert_eq!(["3", "1", "2"].map(|nonce| play.arrives(&key, nonce)).concat(), "");
}

#[test]
fn a_frame_belongs_to_the_last_life_that_was_granted() {
    let mut model = DeliveryModel::new();
    let lives = [1, 2, 3].map(|generation| key(1, "a", generation));
    let heir = |model: &DeliveryModel| model.addressee(1, "a").map(|key| key.generation);

    model.asked(Moment::START, lives[0].clone(), interest("onNote"));
    assert_eq!(heir(&model), Some(1), "nothing better");
    model.granted(Moment::START, &lives[0]);
    model.ended(Moment::START, &lives[0]);
    model.asked(Moment::START, lives[1].clone(), interest("onNote"));
    assert_eq!(heir(&model), Some(1), "late data");
    model.granted(Moment::START, &lives[1]);
    assert_eq!(heir(&model), Some(2));
    assert_eq!(model.addressee(1, "b"), None);
    assert_eq!(model.addressee(2, "a"), None);
}

#[test]
fn a_later_life_owes_nothing_to_an_earlier_one() {
    let (mut play, first) = Play::settled("/default/a");
    play.accepted("n", "/default/a");
    play.end(&first);
    let second = key(1, "a", 2);
    play.model.asked(Moment::START, second.clone(), interest("/default/a"));

    assert_eq!(play.arrives(&second, "n"), "Forbidden EVT-DATA-008");
}

#[test]
fn the_memory_of_events_is_bounded() {
    let (mut play, key) = Play::settled("/default/a");
    for n in 0..=EVENTS_REMEMBERED_MAX {
        play.accepted(&n.to_string(), "/default/a");
    }

    assert_eq!(play.model.events.len(), EVENTS_REMEMBERED_MAX);
    assert_eq!(play.arrives(&key, "0"), "Unknown EVT-DATA-001", "the oldest is forgotten");
    assert_eq!(play.arrives(&key, "1"), "");
    assert_eq!(play.model.overdue(Moment::from_micros(u64::MAX), PATIENCE).len(), EVENTS_REMEMBERED_MAX - 1);
}

#[test]
fn the_memory_of_ended_subscriptions_is_bounded_and_live_ones_stay() {
    let (mut play, live) = Play::settled("/default/a");
    for generation in 0..=u32::try_from(ENDED_REMEMBERED_MAX).unwrap() {
        let key = key(2, "a", generation);
        play.model.asked(Moment::START, key.clone(), interest("/default/a"));
        play.model.ended(Moment::START, &key);
        if generation % 2 == 0 {
            play.model.ended(Moment::START, &key);
        }
    }
    play.accepted("n", "/default/a");

    assert_eq!(play.model.subscriptions.len(), ENDED_REMEMBERED_MAX + 1);
    assert_eq!(play.model.places.len(), ENDED_REMEMBERED_MAX + 1);
    assert_eq!(play.arrives(&key(2, "a", 0), "n"), "Forbidden EVT-DATA-001");
    assert_eq!(play.arrives(&key(2, "a", 1), "n"), "Forbidden EVT-SUB-018");
    assert_eq!(play.model.duty(&live, "n"), Duty::Must);
}

#[test]
fn a_misdelivery_says_who_what_when_and_against_which_rule() {
    let (mut play, key) = Play::settled(r#"onNote author="ann" id=1"#);
    play.accepted("n", r#"onNote {"author":"bob","text":"long"}"#);
    let wrong = play.model.delivered(Moment::from_millis(7), &key, "n").unwrap();
    assert_eq!(
        wrong.to_string(),
        "server sent \"n\" to \"a\" (connection 1, generation 1) which wants onNote author=\"ann\" id=1, \
         not onNote author=\"bob\" without id at 0.007s (GQL-FILTER-002, MUST)"
    );

    let (mut play, _) = Play::settled("/default/a");
    play.accepted("n", "/default/a");
    let missing = play.model.overdue(Moment::from_millis(200), PATIENCE).remove(0);
    assert_eq!(
        missing.to_string(),
        "server did not send \"n\" to \"a\" (connection 1, generation 1) within 100 ms of accepting it at 0.200s \
         (EVT-DATA-004, MUST)"
    );
}

#[test]
fn what_was_never_asked_or_published_can_be_told_without_harm() {
    let mut play = Play::default();
    let nobody = key(9, "x", 9);
    play.model.granted(Moment::START, &nobody);
    play.model.settled(Moment::START, &nobody);
    play.leave(&nobody);
    play.end(&nobody);

    assert_eq!(play.answer("n", true), "");
    assert_eq!(play.missing(), "");
}

/// One thing told to the model.
#[derive(Clone, Debug)]
enum Told {
    Asked(usize, usize),
    Granted(usize),
    Settled(usize),
    Leaving(usize),
    Ended(usize),
    Published(usize, usize),
    Answered(usize, bool),
    Delivered(usize, usize),
    Overdue,
}

const INTERESTS: [&str; 6] = ["/d/a", "/d/*", "/d/a/*", "onNote", "onNote author=1", "onNote author=null"];
const SUBJECTS: [&str; 6] =
    ["/d/a", "/d/a/b", "/d/b", r#"onNote {"author":1}"#, r#"onNote {"author":null}"#, "onNote {}"];
const KEYS: usize = 4;
const NONCES: usize = 3;

/// Written out by hand: which subject each interest wants.
fn fits(wanted: &str, told: &str) -> bool {
    match wanted {
        "/d/a" => told == "/d/a",
        "/d/*" => ["/d/a", "/d/a/b", "/d/b"].contains(&told),
        "/d/a/*" => told == "/d/a/b",
        "onNote" => told.starts_with("onNote"),
        "onNote author=1" => told == r#"onNote {"author":1}"#,
        "onNote author=null" => told == r#"onNote {"author":null}"#,
        other => panic!("{other}"),
    }
}

/// The whole history, read again from its start for each question. Times are in milliseconds.
#[derive(Default)]
struct Oracle(Vec<(u64, Told)>);

impl Oracle {
    fn first(&self, is: impl Fn(&Told) -> bool) -> Option<usize> {
        self.0.iter().position(|(_, told)| is(told))
    }

    fn asked(&self, k: usize) -> Option<(usize, &str)> {
        self.0.iter().enumerate().find_map(|(n, (_, told))| {
            if let Told::Asked(key, wanted) = told { (*key == k).then(|| (n, INTERESTS[*wanted])) } else { None }
        })
    }

    /// Where it was said of a subscription that had been asked for.
    fn after_asking(&self, k: usize, is: impl Fn(&Told) -> bool) -> Option<usize> {
        let (asked, _) = self.asked(k)?;
        let found = self.0.iter().enumerate().skip(asked).find(|(_, (_, told))| is(told));
        found.map(|(n, _)| n)
    }

    fn published(&self, e: usize) -> Option<usize> {
        self.first(|told| matches!(told, Told::Published(nonce, _) if *nonce == e))
    }

    fn answered(&self, e: usize) -> Option<(usize, bool)> {
        let published = self.published(e)?;
        self.0.iter().enumerate().skip(published).find_map(|(n, (_, told))| {
            if let Told::Answered(nonce, accepted) = told { (*nonce == e).then_some((n, *accepted)) } else { None }
        })
    }

    fn wanted(&self, k: usize, e: usize) -> bool {
        let until = self.answered(e).map_or(self.0.len(), |(n, _)| n);
        let (_, wanted) = self.asked(k).unwrap();
        self.0[..until]
            .iter()
            .any(|(_, told)| matches!(told, Told::Published(nonce, on) if *nonce == e && fits(wanted, SUBJECTS[*on])))
    }

    fn left(&self, k: usize) -> Option<usize> {
        self.after_asking(k, |told| matches!(told, Told::Leaving(key) | Told::Ended(key) if *key == k))
    }

    fn ended(&self, k: usize) -> Option<usize> {
        self.after_asking(k, |told| matches!(told, Told::Ended(key) if *key == k))
    }

    /// Arrivals of a known event on a known subscription, by place in the history.
    fn arrivals(&self, k: usize, e: usize) -> Vec<usize> {
        let (Some((asked, _)), Some(published)) = (self.asked(k), self.published(e)) else { return vec![] };
        let is = |told: &Told| matches!(told, Told::Delivered(key, nonce) if (*key, *nonce) == (k, e));
        (asked.max(published)..self.0.len()).filter(|n| is(&self.0[*n].1)).collect()
    }

    fn duty(&self, k: usize, e: usize) -> Duty {
        let (Some((asked, _)), Some(published)) = (self.asked(k), self.published(e)) else { return Duty::MustNot };
        let settled = self.after_asking(k, |told| matches!(told, Told::Settled(key) if *key == k));
        if self.ended(k).is_some() || !self.wanted(k, e) {
            return Duty::MustNot;
        }
        match self.answered(e) {
            None => Duty::May,
            Some((_, false)) => Duty::MustNot,
            Some((answered, true)) if answered < asked => Duty::MustNot,
            Some((answered, true)) => {
                let inside = settled.is_some_and(|n| n < published) && self.left(k).is_none_or(|n| answered < n);
                if inside { Duty::Must } else { Duty::May }
            }
        }
    }

    /// Kinds for the last entry, a delivery.
    fn arrival(&self, k: usize, e: usize) -> Option<Kind> {
        if self.published(e).is_none() {
            let strangers = (0..self.0.len()).filter(|n| {
                let Told::Delivered(_, nonce) = self.0[*n].1 else { return false };
                Self(self.0[..*n].to_vec()).published(nonce).is_none()
            });
            return (strangers.count() == 1).then_some(Kind::Unknown);
        }
        if self.asked(k).is_none() || self.ended(k).is_some() {
            return Some(Kind::Forbidden);
        }
        if self.arrivals(k, e).len() > 1 {
            return Some(Kind::Duplicate);
        }
        (self.duty(k, e) == Duty::MustNot).then_some(Kind::Forbidden)
    }

    /// Subscriptions for the last entry, a refusal: those that had got the event without blame.
    fn betrayed(&self, e: usize) -> Vec<usize> {
        let here = self.0.len() - 1;
        let refused_here = self.answered(e) == Some((here, false));
        let blameless = |k: usize, n: usize| Self(self.0[..=n].to_vec()).arrival(k, e).is_none();
        let keys = (0..KEYS).filter(|k| {
            let arrivals = self.arrivals(*k, e);
            refused_here && !arrivals.is_empty() && arrivals.iter().all(|n| blameless(*k, *n))
        });
        keys.collect()
    }

    /// Pairs for the last entry, a look at the clock.
    fn missing(&self) -> Vec<(usize, usize)> {
        let patience = u64::try_from(PATIENCE.as_millis()).unwrap();
        let here = self.0.len() - 1;
        let pairs = (0..NONCES).flat_map(|e| (0..KEYS).map(move |k| (k, e)));
        let missing = pairs.filter(|(k, e)| {
            let Some((answered, true)) = self.answered(*e) else { return false };
            let due = self.0[answered].0 + patience;
            let owed = Self(self.0[..=answered].to_vec()).duty(*k, *e) == Duty::Must;
            let came = !self.arrivals(*k, *e).is_empty();
            let stayed = self.left(*k).is_none_or(|n| self.0[n].0 >= due);
            let looked = self.0[answered..here].iter().any(|(at, told)| matches!(told, Told::Overdue) && *at >= due);
            owed && !came && stayed && !looked && self.0[here].0 >= due
        });
        missing.collect()
    }
}

fn named(k: usize) -> SubscriptionKey {
    key(u32::try_from(k / 3).unwrap(), ["a", "b"][k % 2], u32::try_from(k).unwrap())
}

/// Tells both and compares what they say.
fn agree(history: &[(u64, Told)]) -> Result<(), TestCaseError> {
    let (mut model, mut oracle) = (DeliveryModel::new(), Oracle::default());
    let mut now = 0;
    for (pause, told) in history {
        now += pause;
        let at = Moment::from_millis(now);
        oracle.0.push((now, told.clone()));
        match *told {
            Told::Asked(k, wanted) => model.asked(at, named(k), interest(INTERESTS[wanted])),
            Told::Granted(k) => model.granted(at, &named(k)),
            Told::Settled(k) => model.settled(at, &named(k)),
            Told::Leaving(k) => model.leaving(at, &named(k)),
            Told::Ended(k) => model.ended(at, &named(k)),
            Told::Published(e, on) => model.published(at, &e.to_string(), None, subject(SUBJECTS[on])),
            Told::Answered(e, accepted) => {
                let wrong = model.publish_answered(at, &e.to_string(), accepted);
                let mut keys: Vec<_> = wrong.into_iter().map(|m| m.key).collect();
                keys.sort();
                let mut expected: Vec<_> = oracle.betrayed(e).into_iter().map(named).collect();
                expected.sort();
                prop_assert_eq!(keys, expected);
            }
            Told::Delivered(k, e) => {
                let wrong = model.delivered(at, &named(k), &e.to_string());
                prop_assert_eq!(wrong.map(|m| m.kind), oracle.arrival(k, e));
            }
            Told::Overdue => {
                let wrong = model.overdue(at, PATIENCE);
                let mut pairs: Vec<_> = wrong.into_iter().map(|m| (m.nonce, m.key)).collect();
                pairs.sort();
                let mut expected: Vec<_> =
                    oracle.missing().into_iter().map(|(k, e)| (e.to_string(), named(k))).collect();
                expected.sort();
                prop_assert_eq!(pairs, expected);
            }
        }
        for (k, e) in (0..KEYS).flat_map(|k| (0..NONCES).map(move |e| (k, e))) {
            prop_assert_eq!(model.duty(&named(k), &e.to_string()), oracle.duty(k, e));
        }
    }
    Ok(())
}

fn told() -> impl Strategy<Value = Told> {
    let (key, nonce) = (0..KEYS, 0..NONCES);
    prop_oneof![
        3 => (key.clone(), 0..INTERESTS.len()).prop_map(|(k, i)| Told::Asked(k, i)),
        1 => key.clone().prop_map(Told::Granted),
        3 => key.clone().prop_map(Told::Settled),
        1 => key.clone().prop_map(Told::Leaving),
        1 => key.clone().prop_map(Told::Ended),
        4 => (nonce.clone(), 0..SUBJECTS.len()).prop_map(|(e, s)| Told::Published(e, s)),
        4 => (nonce.clone(), prop::bool::weighted(0.8)).prop_map(|(e, accepted)| Told::Answered(e, accepted)),
        5 => (key, nonce).prop_map(|(k, e)| Told::Delivered(k, e)),
        2 => Just(Told::Overdue),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_model_says_what_the_whole_history_says(history in prop::collection::vec((0_u64..80, told()), 0..80)) {
        agree(&history)?;
    }
}
