//! Situations that a campaign has to reach if it is to mean anything.

use std::collections::BTreeSet;

use super::rules::{every_grant_has_its_start, no_data_after_the_end};
use super::trace::{DATA, END, Reading, START_REFUSED, SUBSCRIBE, Trace, UNATTRIBUTED};

/// A situation and whether it stands at an index.
type Situation = (&'static str, fn(&Trace<'_>, usize) -> bool);

/// All of them.
pub(crate) const SITUATIONS: [Situation; 8] = [
    ("data crosses a stop", data_crosses_a_stop),
    ("data comes after the end", data_comes_after_the_end),
    ("the same start is sent again", the_same_start_is_sent_again),
    ("a duplicate of a live id is refused", a_duplicate_of_a_live_id_is_refused),
    ("a grant answers nothing", a_grant_answers_nothing),
    ("an end comes unasked", an_end_comes_unasked),
    ("a stop that crossed an end is answered", a_stop_that_crossed_an_end_is_answered),
    ("an error may mean several things", an_error_may_mean_several_things),
];

/// The names of those that a trace of so many frames reaches.
pub(crate) fn reached(trace: &Trace<'_>, frames: usize) -> BTreeSet<&'static str> {
    let stands = |holds: fn(&Trace<'_>, usize) -> bool| (0..frames).any(|i| holds(trace, i));
    SITUATIONS.into_iter().filter(|(_, holds)| stands(*holds)).map(|(name, _)| name).collect()
}

fn data_crosses_a_stop(t: &Trace<'_>, i: usize) -> bool {
    t.named(i, DATA).is_some_and(|id| t.live(id, i) && t.stops(id, i) > 0)
}

fn data_comes_after_the_end(t: &Trace<'_>, i: usize) -> bool {
    no_data_after_the_end(t, i).is_some()
}

fn the_same_start_is_sent_again(t: &Trace<'_>, i: usize) -> bool {
    let Some(id) = t.named(i, SUBSCRIBE) else { return false };
    let before = t.last_before(i, SUBSCRIBE, id);
    t.starts(id, i) > 0 && t.wanted(id, i) && before.is_some_and(|j| t.request(j) == t.request(i))
}

fn a_duplicate_of_a_live_id_is_refused(t: &Trace<'_>, i: usize) -> bool {
    t.named(i, START_REFUSED).is_some_and(|id| t.starts(id, i) > 0 && t.live(id, i))
}

fn a_grant_answers_nothing(t: &Trace<'_>, i: usize) -> bool {
    every_grant_has_its_start(t, i).is_some()
}

fn an_end_comes_unasked(t: &Trace<'_>, i: usize) -> bool {
    ended(t, i).is_some_and(|id| t.live(id, i) && t.stops(id, i) == 0)
}

fn a_stop_that_crossed_an_end_is_answered(t: &Trace<'_>, i: usize) -> bool {
    ended(t, i).is_some_and(|id| t.stops(id, i) > 0 && !t.live(id, i) && t.granted(id, i))
}

fn an_error_may_mean_several_things(t: &Trace<'_>, i: usize) -> bool {
    t.named(i, UNATTRIBUTED).is_some_and(|id| t.reads(i, id, Reading::Several))
}

fn ended<'t>(t: &'t Trace<'_>, i: usize) -> Option<&'t str> {
    t.named(i, END).or_else(|| t.named(i, UNATTRIBUTED).filter(|id| t.reads(i, id, Reading::End)))
}
