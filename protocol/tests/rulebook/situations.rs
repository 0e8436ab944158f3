//! Situations that a campaign has to reach if it is to mean anything.

use std::collections::BTreeSet;

use super::rules::{every_grant_has_its_start, no_data_after_the_end};
use super::trace::{DATA, END, REFUSED, SUBSCRIBE, Trace};

/// A situation and whether it stands at an index.
type Situation = (&'static str, fn(&Trace<'_>, usize) -> bool);

/// All of them.
pub(crate) const SITUATIONS: [Situation; 6] = [
    ("data crosses a stop", data_crosses_a_stop),
    ("data comes after the end", data_comes_after_the_end),
    ("the same start is sent again", the_same_start_is_sent_again),
    ("a duplicate of a live id is refused", a_duplicate_of_a_live_id_is_refused),
    ("a grant answers nothing", a_grant_answers_nothing),
    ("an end comes unasked", an_end_comes_unasked),
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
    t.named(i, REFUSED).is_some_and(|id| t.refuses_start(i, id) && t.live(id, i))
}

fn a_grant_answers_nothing(t: &Trace<'_>, i: usize) -> bool {
    every_grant_has_its_start(t, i).is_some()
}

fn an_end_comes_unasked(t: &Trace<'_>, i: usize) -> bool {
    let unasked = |id| t.live(id, i) && t.stops(id, i) == 0;
    t.named(i, END).is_some_and(unasked) || t.named(i, REFUSED).is_some_and(|id| t.ends_by_error(i, id))
}
