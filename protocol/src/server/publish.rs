//! A publish from its parts to its answer and its broadcast, the same over either transport.
//!
//! ```text
//!   read_publish        Batch::handle                              Settled
//!   form, counts ──┬──> JSON text? handler, size after it  ──┬──> receipt: successful, failed
//!                  └ authorization, namespace, rate           └──> broadcast
//! ```
//!
//! What stands between the two belongs to the caller, who knows who asks.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::handler::NOT_JSON;
use super::readings::{BadEvent, NoEvents, TrailingSlash};
use super::{Broadcast, Check, Handled, Host, Identity, Outcome, Policy, Refusal, Rejection};
use crate::channel::Channel;
use crate::encode::ObjectWriter;
use crate::envelope::{Raw, elements, is_array, string};
use crate::json::{parse_json, push_json_string};

/// A publish whose form is right: where to, and the events as texts.
#[derive(Clone)]
pub struct Batch<'a> {
    channel: Channel,
    events: Vec<Cow<'a, str>>,
}

/// Reads the channel and the events of a publish, and checks their form, number and size.
///
/// # Errors
/// The refusal of the whole request; `count_type` and `count_text` are its words for too many events,
/// which differ by transport (EVT-A-04).
pub fn read_publish<'a>(
    channel: Raw<'_>,
    events: Raw<'a>,
    policy: &Policy,
    count_type: &str,
    count_text: &str,
) -> Result<Batch<'a>, Refusal> {
    let channel = string(channel).and_then(|text| parse_channel(&text, policy)).ok_or_else(bad_channel)?;
    let all = elements(events);
    let refuses_none = policy.makes(Check::EventsPresent) && policy.readings.no_events == NoEvents::Refused;
    if !is_array(events) || (all.is_empty() && refuses_none) {
        return Err(Refusal::new("BadRequestException", "events has to be a list of 1 to 5 strings"));
    }
    if all.len() > policy.events_max && policy.makes(Check::EventCount) {
        return Err(Refusal::new(count_type, count_text));
    }
    let events = all.into_iter().map(|event| read_event(event, policy)).collect::<Result<Vec<_>, _>>()?;
    let total: usize = events.iter().map(|event| event.len()).sum();
    if total > policy.publish_bytes_max && policy.makes(Check::PublishSize) {
        return Err(Refusal::new("BadRequestException", "Request payload is larger than 1.2MB"));
    }
    Ok(Batch { channel, events })
}

fn read_event<'a>(event: Raw<'a>, policy: &Policy) -> Result<Cow<'a, str>, Refusal> {
    match string(event) {
        Some(text) => Ok(text),
        None if policy.makes(Check::EventsAreStrings) => {
            Err(Refusal::new("BadRequestException", "events has to be a list of 1 to 5 strings"))
        }
        None => Ok(Cow::Borrowed(event.get())),
    }
}

impl Batch<'_> {
    /// The namespace of the channel.
    pub fn namespace(&self) -> &str {
        self.channel.namespace()
    }

    /// How many events there are.
    pub const fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are none, which a faulty server may let pass.
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Lets the handler of the namespace work, and measures what it made (EVT-LIMIT-002).
    ///
    /// Events that are no JSON text never reach it (EVT-PUB-006, EVT-A-24). It gets 30 s (EVT-LIMIT-014).
    pub fn handle(self, who: &Identity, policy: &Policy, host: &mut dyn Host) -> Handled<Settled> {
        let is_json = |event: &str| !policy.makes(Check::EventsAreJson) || parse_json(event).is_some();
        let good: Vec<bool> = self.events.iter().map(|event| is_json(event)).collect();
        if policy.readings.bad_event == BadEvent::Request && good.contains(&false) {
            return Handled::at_once(Err(Rejection::NotJson));
        }
        let readable: Vec<&str> = self.events.iter().zip(&good).filter(|(_, good)| **good).map(|(e, _)| &**e).collect();
        let handled = in_time(host.publishing(who, &self.channel, &readable), policy);
        let result = handled.result.map(|outcomes| {
            // What a handler does not return is dropped (EVT-PUB-022).
            let mut outcomes = outcomes.into_iter();
            let verdict = |(event, good): (&Cow<'_, str>, &bool)| {
                if !*good {
                    return failed("InvalidEventException", NOT_JSON);
                }
                outcomes.next().map_or(Verdict::Dropped, |outcome| settle(event, outcome, policy))
            };
            Settled { channel: self.channel.clone(), verdicts: self.events.iter().zip(&good).map(verdict).collect() }
        });
        Handled { result, after: handled.after }
    }
}

/// EVT-LIMIT-014: who takes longer than a request may run has failed by then.
pub(super) fn in_time<T>(handled: Handled<T>, policy: &Policy) -> Handled<T> {
    if handled.after <= policy.request_max {
        return handled;
    }
    Handled { result: Err(Rejection::Broken), after: policy.request_max }
}

fn settle(event: &str, outcome: Outcome, policy: &Policy) -> Verdict {
    let sized = |text: &str| {
        if text.len() > policy.event_bytes_max && policy.makes(Check::EventSize) {
            return failed("EventTooLargeException", "Transformed event is larger than 240KB");
        }
        let mut quoted = String::with_capacity(text.len() + 16);
        push_json_string(&mut quoted, text);
        Verdict::Sent(quoted.into())
    };
    match outcome {
        Outcome::Unchanged => sized(event),
        Outcome::Changed(text) => sized(&text),
        Outcome::Dropped => Verdict::Dropped,
        Outcome::Failed(message) => Verdict::Failed { code: "CustomError", message: message.into() },
    }
}

fn failed(code: &'static str, message: &'static str) -> Verdict {
    Verdict::Failed { code, message: message.into() }
}

/// A publish that is done but for its answer and its broadcast.
#[derive(Clone)]
pub struct Settled {
    channel: Channel,
    /// One for each event, in order.
    verdicts: Vec<Verdict>,
}

#[derive(Clone)]
enum Verdict {
    /// A JSON string with its quotes.
    Sent(Arc<str>),
    /// Told to nobody, and not to the publisher either.
    Dropped,
    Failed {
        code: &'static str,
        message: Cow<'static, str>,
    },
}

impl Settled {
    /// Appends `successful` and `failed`. Source: EVT-PUB-007 to EVT-PUB-010.
    ///
    /// `mint` and `number` make the identifiers unlike any others: the connection and its publish.
    #[must_use]
    pub fn receipt<'o>(&self, receipt: ObjectWriter<'o>, mint: u64, number: u64) -> ObjectWriter<'o> {
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for (index, verdict) in self.verdicts.iter().enumerate() {
            let mut text = String::new();
            let entry = ObjectWriter::open(&mut text)
                .string("identifier", &identifier(mint, number, index))
                .number("index", index as u64);
            match verdict {
                Verdict::Sent(_) | Verdict::Dropped => {
                    entry.close();
                    successful.push(text);
                }
                Verdict::Failed { code, message } => {
                    entry.string("code", code).string("message", message).close();
                    failed.push(text);
                }
            }
        }
        receipt
            .text("successful", &format!("[{}]", successful.join(",")))
            .text("failed", &format!("[{}]", failed.join(",")))
    }

    /// What is to be sent to subscribers, after this time.
    pub fn into_broadcast(self, after: Duration) -> Broadcast {
        let sent = |verdict| match verdict {
            Verdict::Sent(event) => Some(event),
            Verdict::Dropped | Verdict::Failed { .. } => None,
        };
        Broadcast { channel: self.channel, events: self.verdicts.into_iter().filter_map(sent).collect(), after }
    }

    /// Whether an event failed.
    pub fn has_failures(&self) -> bool {
        self.verdicts.iter().any(|verdict| matches!(verdict, Verdict::Failed { .. }))
    }
}

/// An identifier in the form of a UUID, minted without randomness: connection, publish, index.
fn identifier(mint: u64, number: u64, index: usize) -> String {
    let (mint, number) = (mint & 0xffff_ffff, number & 0xffff_ffff);
    format!("{mint:08x}-{:04x}-4000-8000-{:04x}{index:08x}", number >> 16, number & 0xffff)
}

fn parse_channel(text: &str, policy: &Policy) -> Option<Channel> {
    if has_refused_slash(text, policy) {
        return None;
    }
    match Channel::parse(text) {
        Ok(channel) => Some(channel),
        Err(_) if !policy.makes(Check::WildcardPublish) && text.ends_with("/*") => {
            Channel::parse(text.trim_end_matches("/*")).ok()
        }
        Err(_) if !policy.makes(Check::ChannelSyntax) => Channel::parse(&mended(text)).ok(),
        Err(_) => None,
    }
}

/// EVT-A-31: whether a channel ends with a slash where that is not accepted.
pub(super) fn has_refused_slash(text: &str, policy: &Policy) -> bool {
    policy.readings.trailing_slash == TrailingSlash::Refused && text.ends_with('/')
}

/// What a server that does not check channels might make of a bad one.
pub(super) fn mended(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '/' { c } else { 'x' }).collect();
    let segments: Vec<_> = clean.split('/').filter(|s| !s.is_empty()).take(5).map(|s| &s[..s.len().min(50)]).collect();
    if segments.is_empty() { "/default/x".into() } else { segments.join("/") }
}

/// Source: EVT-CHANNEL-020.
pub(super) fn bad_channel() -> Refusal {
    Refusal::new("BadRequestException", "Invalid Channel Format")
}
