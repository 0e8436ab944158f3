//! What a subscription is about, so far as it can be looked up.
//!
//! A topic never decides who hears something: it may stand for more than the subscription wants, and never for less.
//! Two different topics may even be written alike, where a host invents names that GraphQL does not know.

use alloc::boxed::Box;

use super::{Interest, Plan};
use crate::channel::{Channel, ChannelPattern};
use crate::json::Json;

/// A channel, everything below one, a field, or a field with one of its arguments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Topic(Box<str>);

/// Bytes of an argument beyond which it is not looked up: they would be kept twice.
const VALUE_MAX: usize = 128;

/// What has become of a subscription since the last time somebody asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// The subscription that came has this life.
    Came {
        topic: Topic,
        life: u64,
    },
    Left(Topic),
}

impl Topic {
    /// The one topic of a subscription.
    ///
    /// An argument narrows it only where equality of values is equality of texts, and where no filter stands in the
    /// place of the arguments (GQL-FILTER-008).
    pub(crate) fn of(interest: &Interest) -> Self {
        match interest {
            Interest::Channel(ChannelPattern::Exact(channel)) => Self::at(channel),
            Interest::Channel(ChannelPattern::Below(prefix)) => Self::below(prefix.as_str()),
            Interest::Field(plan) => Self::narrowed(plan).unwrap_or_else(|| Self::field(&plan.field)),
        }
    }

    /// Whether what is about the topic of this plan concerns it in any case.
    pub(crate) fn says_all_of(plan: &Plan) -> bool {
        plan.filter.is_none()
            && match plan.arguments.len() {
                0 => true,
                1 => Self::narrowed(plan).is_some(),
                _ => false,
            }
    }

    fn narrowed(plan: &Plan) -> Option<Self> {
        let arguments = plan.filter.is_none().then_some(&plan.arguments)?;
        arguments.iter().find_map(|(name, value)| Self::argument(&plan.field, name, value))
    }

    /// Subscriptions to this channel.
    pub(crate) fn at(channel: &Channel) -> Self {
        Self(["=", channel.as_str()].concat().into())
    }

    /// Subscriptions to everything below this prefix.
    pub(crate) fn below(prefix: &str) -> Self {
        Self(["*", prefix].concat().into())
    }

    /// Subscriptions to this field that no argument narrows.
    pub(crate) fn field(field: &str) -> Self {
        Self([".", field].concat().into())
    }

    /// Whether it is that of a field with one of its arguments.
    pub(crate) fn is_narrowed(&self) -> bool {
        self.0.starts_with(':')
    }

    /// Subscriptions to this field that this argument narrows; `None` if no value like it is looked up.
    pub(crate) fn argument(field: &str, name: &str, value: &Json) -> Option<Self> {
        let text = value.as_str().filter(|text| text.len() <= VALUE_MAX)?;
        Some(Self([":", field, "\0", name, "\0", text].concat().into()))
    }
}
