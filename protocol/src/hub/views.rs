//! A mutation's result as each subscriber sees it.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::Occurrence;
use super::concern::concerns;
use crate::json::{Json, JsonMap, json_text, json_to_text};
use crate::selection::Projected;
use crate::server::{Check, Interest, Plan, Policy};

/// A mutation's result as subscribers see it. What was found for one holds for the next, who often has the same plan
/// or at least wants to see the same.
pub(super) struct Views<'o> {
    occurrence: &'o Occurrence,
    policy: &'o Policy,
    /// The plan that was looked at last, and whether the result concerns it.
    last: Option<(Arc<Plan>, bool)>,
    /// The payload that was made last, and for whom; none where it is beyond the size limit.
    made: Option<(Arc<Plan>, Option<Arc<str>>)>,
}

impl<'o> Views<'o> {
    pub(super) const fn of(occurrence: &'o Occurrence, policy: &'o Policy) -> Self {
        Self { occurrence, policy, last: None, made: None }
    }

    pub(super) fn concerns(&mut self, interest: &Interest) -> bool {
        let Interest::Field(plan) = interest else { return false };
        if let Some((last, found)) = &self.last
            && Arc::ptr_eq(last, plan)
        {
            return *found;
        }
        let found = concerns(plan, self.occurrence, self.policy);
        self.last = Some((Arc::clone(plan), found));
        found
    }

    /// The payload for one subscriber, if there is anything to tell.
    pub(super) fn body(&mut self, interest: &Interest) -> Option<Arc<str>> {
        let Interest::Field(plan) = interest else { return None };
        if !self.concerns(interest) {
            return None;
        }
        if let Some((made, body)) = &self.made
            && (Arc::ptr_eq(made, plan) || sees_the_same(made, plan))
        {
            return body.clone();
        }
        let body = cut(plan, self.occurrence, self.policy).map(Arc::from);
        self.made = Some((Arc::clone(plan), body.clone()));
        body
    }
}

fn sees_the_same(one: &Plan, other: &Plan) -> bool {
    one.key == other.key && one.required == other.required && one.selection == other.selection
}

/// The payload for whoever has this plan.
pub(super) fn cut(plan: &Plan, occurrence: &Occurrence, policy: &Policy) -> Option<String> {
    let seen = if policy.makes(Check::SelectionCut) {
        plan.selection.project(&occurrence.object, &[json_text(&plan.key)])
    } else {
        Projected { value: occurrence.object.clone(), errors: Vec::new() }
    };
    let mut body = JsonMap::new();
    let data = if seen.value.is_null() && plan.required {
        Json::Null
    } else {
        Json::Object(JsonMap::from_iter([(plan.key.clone(), seen.value)]))
    };
    body.insert("data".into(), data);
    if !seen.errors.is_empty() {
        body.insert("errors".into(), Json::Array(seen.errors));
    }
    let text = json_to_text(&Json::Object(body));
    (text.len() <= policy.event_bytes_max || !policy.makes(Check::EventSize)).then_some(text)
}
