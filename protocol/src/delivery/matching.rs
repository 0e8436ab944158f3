//! Whether a subscription wants an event, and against which rule it would be if it came all the same.

use alloc::collections::BTreeMap;
use alloc::string::String;

use super::{Interest, Subject};
use crate::channel::{Channel, ChannelPattern};
use crate::json::{Json, same_meaning};
use crate::requirement::Requirement as R;

/// How well an event fits an interest; better ones are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// Nothing in common: the rule against its coming.
    Foreign(R),
    /// The same place but other particulars: the rule against its coming.
    Near(R),
    /// The sources do not say.
    Open,
    /// It is wanted.
    Whole,
}

/// The best fit of several subjects of one event; none is as foreign as it gets.
pub(super) fn fit(interest: &Interest, subjects: &[Subject]) -> Fit {
    let foreign = Fit::Foreign(match interest {
        Interest::Channel(_) => R::EvtData006,
        Interest::Field { .. } => R::GqlSub012,
    });
    subjects.iter().map(|subject| fit_one(interest, subject).unwrap_or(foreign)).max().unwrap_or(foreign)
}

/// `None` where the two have nothing in common.
fn fit_one(interest: &Interest, subject: &Subject) -> Option<Fit> {
    match (interest, subject) {
        (Interest::Channel(pattern), Subject::Channel(channel)) => fit_channel(pattern, channel),
        (Interest::Field { field, arguments }, Subject::Field { field: told, object }) => {
            (field == told).then(|| fit_arguments(arguments, object))
        }
        (Interest::Channel(_), Subject::Field { .. }) | (Interest::Field { .. }, Subject::Channel(_)) => None,
    }
}

fn fit_channel(pattern: &ChannelPattern, channel: &Channel) -> Option<Fit> {
    if pattern.matches(channel) {
        return Some(Fit::Whole);
    }
    let same_but_case = match pattern {
        // EVT-A-11: some cover the prefix too; the rule is softened, so its breach is information.
        ChannelPattern::Below(prefix) if prefix == channel => return Some(Fit::Near(R::EvtChannel012)),
        ChannelPattern::Below(prefix) => {
            let (prefix, channel) = (prefix.as_str(), channel.as_str());
            let head = channel.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
            head && channel.get(prefix.len()..).is_some_and(|below| below.starts_with('/'))
        }
        ChannelPattern::Exact(exact) => exact.as_str().eq_ignore_ascii_case(channel.as_str()),
    };
    same_but_case.then_some(Fit::Near(R::EvtChannel006))
}

fn fit_arguments(arguments: &BTreeMap<String, Json>, object: &Json) -> Fit {
    let members = match object {
        Json::Null => return Fit::Near(R::GqlSub018),
        Json::Object(members) => members,
        // GQL-FILTER-024: what filters mean for a list is not said.
        Json::Array(_) | Json::Bool(_) | Json::Number(_) | Json::String(_) if !arguments.is_empty() => {
            return Fit::Open;
        }
        Json::Array(_) | Json::Bool(_) | Json::Number(_) | Json::String(_) => return Fit::Whole,
    };
    let mut fit = Fit::Whole;
    for (name, wanted) in arguments {
        let one = match members.get(name) {
            // GQL-FILTER-007: input objects are of no use for filtering.
            _ if wanted.is_object() => Fit::Open,
            None => Fit::Near(R::GqlFilter005),
            Some(actual) if same_meaning(wanted, actual) => Fit::Whole,
            Some(_) if wanted.is_null() => Fit::Near(R::GqlFilter003),
            Some(_) => Fit::Near(R::GqlFilter002),
        };
        fit = fit.min(one);
    }
    fit
}
