//! Whether an event concerns a subscription: its channel, or its field, arguments and filter.

use alloc::string::String;

use super::Occurrence;
use crate::channel::{Channel, ChannelPattern};
use crate::json::{Json, same_meaning};
use crate::server::readings::BarePrefix;
use crate::server::{Broadcast, Check, Interest, Plan, Policy};

/// Source: EVT-CHANNEL-006, EVT-CHANNEL-011, EVT-CHANNEL-012.
pub(super) fn is_about(interest: &Interest, broadcast: &Broadcast, policy: &Policy) -> bool {
    match interest {
        Interest::Channel(pattern) => covers(pattern, &broadcast.channel, policy),
        Interest::Field(_) => false,
    }
}

fn covers(pattern: &ChannelPattern, channel: &Channel, policy: &Policy) -> bool {
    match pattern {
        ChannelPattern::Below(prefix) if !policy.makes(Check::WildcardDepth) => {
            pattern.matches(channel) && channel.segments().count() == prefix.segments().count() + 1
        }
        ChannelPattern::Below(prefix)
            if !policy.makes(Check::WildcardSparesPrefix) || policy.readings.bare_prefix == BarePrefix::Covered =>
        {
            pattern.matches(channel) || prefix == channel
        }
        ChannelPattern::Exact(exact) if !policy.makes(Check::ChannelCase) => {
            exact.as_str().eq_ignore_ascii_case(channel.as_str())
        }
        ChannelPattern::Exact(exact) if !policy.makes(Check::ChannelMatch) => exact.namespace() == channel.namespace(),
        ChannelPattern::Exact(exact) if !policy.makes(Check::ChannelEnd) => {
            channel.as_str().starts_with(exact.as_str())
        }
        ChannelPattern::Below(prefix) if !policy.makes(Check::WildcardSegment) => {
            channel.as_str().len() > prefix.as_str().len() && channel.as_str().starts_with(prefix.as_str())
        }
        ChannelPattern::Below(prefix) if !policy.makes(Check::NamespaceEnd) && prefix.segments().count() == 1 => {
            channel.namespace().starts_with(prefix.namespace()) && channel.segments().count() > 1
        }
        ChannelPattern::Exact(_) | ChannelPattern::Below(_) => pattern.matches(channel),
    }
}

/// Source: GQL-FILTER-001 to GQL-FILTER-008.
pub(super) fn concerns(plan: &Plan, occurrence: &Occurrence, policy: &Policy) -> bool {
    let same_field = plan.field == occurrence.field || !policy.makes(Check::FieldMatch);
    if let Some(filter) = &plan.filter {
        // GQL-FILTER-008: the arguments count no more. GQL-FILTER-024: a list as such is not filtered.
        return same_field && (occurrence.object.is_array() || filter.matches(&occurrence.object, policy.filters));
    }
    let argument = |(name, wanted): (&String, &Json)| {
        if wanted.is_null() && !policy.makes(Check::NullArgument) {
            return true;
        }
        if is_nothing(wanted) && !policy.makes(Check::ArgumentOfNothing) {
            return true;
        }
        // GQL-FILTER-005: a field that the mutation did not select never matches, null included.
        occurrence.object.get(name).is_some_and(|actual| {
            same_meaning(wanted, actual) || !policy.makes(Check::ArgumentEnd) && begins_with(actual, wanted)
        })
    };
    let arguments = if !policy.makes(Check::ArgumentsMatch) {
        true
    } else if policy.makes(Check::EveryArgument) {
        plan.arguments.iter().all(argument)
    } else {
        plan.arguments.is_empty() || plan.arguments.iter().any(argument)
    };
    same_field && arguments
}

/// Zero, false and an empty text; null is another matter.
fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Bool(truth) => !truth,
        Json::Number(number) => number.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Null | Json::Array(_) | Json::Object(_) => false,
    }
}

fn begins_with(text: &Json, start: &Json) -> bool {
    text.as_str().zip(start.as_str()).is_some_and(|(text, start)| text.starts_with(start))
}
