//! One subscription against one event: the windows, and the words for what is wrong.

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

use super::matching::{Fit, fit};
use super::{Duty, Event, Interest, Subject, Subscription, SubscriptionKey};
use crate::channel::{Channel, ChannelPattern};
use crate::json::Json;
use crate::moment::Moment;
use crate::requirement::{Requirement as R, Severity};

/// In which way a delivery is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It had to arrive and did not.
    Missing,
    /// It arrived where it must not.
    Forbidden,
    /// It arrived again.
    Duplicate,
    /// What arrived was published by nobody the observer knows, or was forgotten.
    Unknown,
}

/// One event that went wrong for one subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misdelivery {
    /// The rule.
    pub requirement: R,
    /// The subscription.
    pub key: SubscriptionKey,
    /// The event.
    pub nonce: String,
    /// In which way it is wrong.
    pub kind: Kind,
    /// When it showed.
    pub at: Moment,
    /// What the server did, without the rule and the time.
    pub detail: String,
}

impl Misdelivery {
    /// What it means for the verdict: that of its rule, but an event of a stranger is nobody's fault.
    pub fn severity(&self) -> Severity {
        match self.kind {
            Kind::Unknown => Severity::Info,
            Kind::Missing | Kind::Forbidden | Kind::Duplicate => self.requirement.severity(),
        }
    }
}

impl fmt::Display for Misdelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requirement, at, detail, .. } = self;
        write!(f, "server {detail} at {at} ({requirement}, {})", requirement.row().level)
    }
}

/// What the spans of the two and their match say, the end of the subscription aside.
pub(super) fn duty(subscription: &Subscription, event: &Event) -> Duty {
    match judge(subscription, event) {
        Ok(duty) => duty,
        Err(_) => Duty::MustNot,
    }
}

/// What is wrong with an arrival of the event now.
///
/// The end of the subscription comes first: it forbids every frame, a second copy included.
pub(super) fn arrival(subscription: &Subscription, event: &Event, again: bool, at: Moment) -> Option<Misdelivery> {
    let (kind, requirement, why) = if subscription.ended {
        let rule = by_dialect(subscription, R::GqlSub026, R::EvtSub018);
        (Kind::Forbidden, rule, "after the end of that subscription".into())
    } else if again {
        let rule = by_dialect(subscription, R::GqlSub017, R::EvtData004);
        (Kind::Duplicate, rule, "again".into())
    } else {
        let bar = judge(subscription, event).err()?;
        (Kind::Forbidden, bar.rule(subscription), bar.reason(subscription, event))
    };
    let detail = format!("sent {:?} to {} {why}", event.nonce, subscription.key);
    Some(wrong(requirement, &subscription.key, event, kind, at, detail))
}

/// An event that had arrived before its refusal was known.
pub(super) fn refused(subscription: &Subscription, event: &Event, at: Moment) -> Misdelivery {
    let requirement = by_dialect(subscription, R::GqlSub018, R::EvtPub011);
    let detail = format!("refused {:?} after it had sent it to {}", event.nonce, subscription.key);
    wrong(requirement, &subscription.key, event, Kind::Forbidden, at, detail)
}

/// An event that was owed for longer than anybody waits. `beside`: another subscription of that
/// connection has got it.
pub(super) fn missing(s: &Subscription, event: &Event, beside: bool, at: Moment, patience: Duration) -> Misdelivery {
    let own = !beside && event.by == Some(s.key.connection);
    let requirement = match &s.interest {
        // A publisher may miss its own deep event because of either; the depth is what is known to fail.
        Interest::Channel(ChannelPattern::Below(prefix)) if !own || is_deep(prefix, event) => R::EvtChannel011,
        Interest::Channel(ChannelPattern::Below(_) | ChannelPattern::Exact(_)) if own => R::EvtData005,
        Interest::Channel(ChannelPattern::Below(_) | ChannelPattern::Exact(_)) => R::EvtData004,
        Interest::Field { arguments, .. } if !beside && arguments.is_empty() => R::GqlFilter001,
        Interest::Field { arguments, .. } if !beside && arguments.values().any(Json::is_null) => R::GqlFilter003,
        Interest::Field { .. } => R::GqlSub017,
    };
    let waited = patience.as_millis();
    let detail = format!("did not send {:?} to {} within {waited} ms of accepting it", event.nonce, s.key);
    wrong(requirement, &s.key, event, Kind::Missing, at, detail)
}

/// Whether the event was published more than one level below `prefix`.
fn is_deep(prefix: &Channel, event: &Event) -> bool {
    event.subjects.iter().any(|subject| match subject {
        Subject::Channel(channel) => channel.segments().count() > prefix.segments().count() + 1,
        Subject::Field { .. } => false,
    })
}

/// An event on a subscription that was never asked for.
pub(super) fn unasked(event: &Event, key: &SubscriptionKey, at: Moment) -> Misdelivery {
    let requirement = match event.subjects.first() {
        Some(Subject::Field { .. }) => R::GqlSub012,
        Some(Subject::Channel(_)) | None => R::EvtData001,
    };
    let detail = format!("sent {:?} to {key}, which nobody asked for", event.nonce);
    wrong(requirement, key, event, Kind::Forbidden, at, detail)
}

/// An event that nobody published. `neighbour` tells the dialect of the connection.
pub(super) fn stranger(
    neighbour: Option<&Subscription>,
    key: &SubscriptionKey,
    nonce: &str,
    at: Moment,
) -> Misdelivery {
    let requirement = neighbour.map_or(R::EvtData001, |s| by_dialect(s, R::GqlSub012, R::EvtData001));
    let detail = format!("sent {nonce:?} to {key}, which was published by somebody else");
    Misdelivery { requirement, key: key.clone(), nonce: nonce.into(), kind: Kind::Unknown, at, detail }
}

/// Why an event must not arrive at all.
enum Bar {
    /// It is not what was asked for.
    Mismatch(R),
    /// Its publish was refused.
    Refused,
    /// Its publish was over before the subscription was asked for.
    Past,
}

fn judge(subscription: &Subscription, event: &Event) -> Result<Duty, Bar> {
    let certain = match fit(&subscription.interest, &event.subjects) {
        Fit::Foreign(rule) | Fit::Near(rule) => return Err(Bar::Mismatch(rule)),
        Fit::Open => false,
        Fit::Whole => true,
    };
    let Some(answer) = &event.answer else { return Ok(Duty::May) };
    if !answer.accepted {
        return Err(Bar::Refused);
    }
    if answer.step < subscription.asked {
        return Err(Bar::Past);
    }
    let settled = subscription.settled.is_some_and(|settled| settled < event.published);
    let stayed = subscription.left.is_none_or(|(left, _)| answer.step < left);
    Ok(if certain && settled && stayed { Duty::Must } else { Duty::May })
}

impl Bar {
    const fn rule(&self, subscription: &Subscription) -> R {
        match self {
            Self::Mismatch(rule) => *rule,
            Self::Refused => by_dialect(subscription, R::GqlSub018, R::EvtPub011),
            Self::Past => by_dialect(subscription, R::GqlSub020, R::EvtData008),
        }
    }

    fn reason(&self, subscription: &Subscription, event: &Event) -> String {
        let interest = &subscription.interest;
        match self {
            Self::Mismatch(_) => format!("which wants {interest}, not {}", Subjects(event, interest)),
            Self::Refused => "although it had refused the publish".into(),
            Self::Past => "which was asked for only after the publish had been answered".into(),
        }
    }
}

fn wrong(requirement: R, key: &SubscriptionKey, event: &Event, kind: Kind, at: Moment, detail: String) -> Misdelivery {
    Misdelivery { requirement, key: key.clone(), nonce: event.nonce.clone(), kind, at, detail }
}

const fn by_dialect(subscription: &Subscription, graphql: R, events: R) -> R {
    match subscription.interest {
        Interest::Field { .. } => graphql,
        Interest::Channel(_) => events,
    }
}

impl fmt::Display for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(pattern) => write!(f, "{pattern}"),
            Self::Field { field, arguments } => {
                f.write_str(field)?;
                arguments.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
            }
        }
    }
}

/// What an event was published on, as far as it concerns an interest.
struct Subjects<'e>(&'e Event, &'e Interest);

impl fmt::Display for Subjects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, subject) in self.0.subjects.iter().enumerate() {
            if n > 0 {
                f.write_str(" and ")?;
            }
            match (subject, self.1) {
                (Subject::Channel(channel), _) => write!(f, "{channel}")?,
                (Subject::Field { field, .. }, Interest::Channel(_)) => f.write_str(field)?,
                (Subject::Field { field, object }, Interest::Field { arguments, .. }) => {
                    f.write_str(field)?;
                    for name in arguments.keys() {
                        match object.get(name) {
                            Some(value) => write!(f, " {name}={value}")?,
                            None => write!(f, " without {name}")?,
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
