//! What a server does with each operation: the checks in the order of the lifecycle tables.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{
    Asked, Broadcast, Check, Host, Identity, Interest, PlanChecks, Policy, Refusal, Server, State, errors_json,
};
use crate::channel::{Channel, ChannelPattern};
use crate::conversation::is_operation_id;
use crate::dialect::{Dialect, graphql};
use crate::encode::ObjectWriter;
use crate::envelope::{Raw, elements, is_array, is_object, scan, string};
use crate::json::{parse_json, push_json_string};

impl Server {
    pub(super) fn on_subscribe(
        &mut self,
        id: &str,
        request: Raw<'_>,
        authorization: Option<Raw<'_>>,
        policy: &Policy,
        host: &mut dyn Host,
    ) {
        let judged = match self.dialect {
            Dialect::Graphql => self.judge_start(id, request, policy, host),
            Dialect::Events => {
                self.judge_subscribe(id, request, authorization, policy, host).map_err(|r| (true, alloc::vec![r]))
            }
        };
        match judged {
            Ok(interest) => {
                self.subscriptions.insert(id.into(), interest);
                if policy.makes(Check::SubscribeAnswered) {
                    let word = match self.dialect {
                        Dialect::Graphql => "start_ack",
                        Dialect::Events => "subscribe_success",
                    };
                    self.say_with_id(word, id);
                }
            }
            Err((named, refusals)) => {
                let word = match self.dialect {
                    Dialect::Graphql => "error",
                    Dialect::Events => "subscribe_error",
                };
                self.refuse_operation(word, named.then_some(id), &refusals, policy);
            }
        }
    }

    /// `Err` with whether the answer bears the id, and the errors.
    fn judge_start(
        &self,
        id: &str,
        payload: Raw<'_>,
        policy: &Policy,
        host: &mut dyn Host,
    ) -> Result<Interest, (bool, Vec<Refusal>)> {
        let one = |refusal| (true, alloc::vec![refusal]);
        let Some(request) = graphql::request_text(payload) else {
            // GQL-ERR-006: an unusable start is answered like an unknown message.
            return Err((false, alloc::vec![unsupported("unknown")]));
        };
        let presented = graphql::authorization(payload);
        let who = self.authorize(Asked::Start { data: &request }, presented, policy, host).map_err(one)?;
        if policy.makes(Check::DuplicateId) && self.subscriptions.contains_key(id) {
            return Err(one(duplicated(id)));
        }
        let checks = PlanChecks {
            document: policy.makes(Check::DocumentChecked),
            subscriptions_only: policy.makes(Check::SubscriptionsOnly),
        };
        let plan = host.plan(&request, &who, checks).map_err(|refusals| (true, refusals))?;
        self.check_limit(policy).map_err(one)?;
        Ok(Interest::Field(plan))
    }

    fn judge_subscribe(
        &self,
        id: &str,
        channel: Raw<'_>,
        authorization: Option<Raw<'_>>,
        policy: &Policy,
        host: &mut dyn Host,
    ) -> Result<Interest, Refusal> {
        check_operation_id(id, policy)?;
        let text = string(channel).ok_or_else(bad_channel)?;
        let pattern = parse_pattern(&text, policy).ok_or_else(bad_channel)?;
        let asked = Asked::Subscribe { channel: &text, namespace: pattern.namespace() };
        self.authorize(asked, authorization, policy, host)?;
        check_namespace(pattern.namespace(), policy)?;
        if policy.makes(Check::DuplicateId) && self.subscriptions.contains_key(id) {
            return Err(duplicated(id));
        }
        self.check_limit(policy)?;
        Ok(Interest::Channel(pattern))
    }

    fn check_limit(&self, policy: &Policy) -> Result<(), Refusal> {
        if policy.makes(Check::SubscriptionLimit) && self.subscriptions.len() >= policy.subscriptions_max {
            let message = format!("Max number of {} subscriptions reached", policy.subscriptions_max);
            return Err(Refusal::new("MaxSubscriptionsReachedError", message));
        }
        Ok(())
    }

    fn authorize(
        &self,
        asked: Asked<'_>,
        presented: Option<Raw<'_>>,
        policy: &Policy,
        host: &mut dyn Host,
    ) -> Result<Identity, Refusal> {
        let carried = presented.is_some_and(is_object);
        if !carried && !policy.makes(Check::OperationCarriesCredentials) {
            return Ok(Identity::default());
        }
        if carried && !policy.makes(Check::OperationCredentials) {
            return Ok(Identity::default());
        }
        host.authorize(asked, presented)
    }

    pub(super) fn on_unsubscribe(&mut self, id: &str, policy: &Policy) {
        let known = self.subscriptions.contains_key(id);
        if policy.makes(Check::UnsubscribeEnds) {
            self.subscriptions.remove(id);
        }
        if !policy.makes(Check::UnsubscribeSparesOthers) {
            self.subscriptions.clear();
        }
        if !policy.makes(Check::UnsubscribeAnswered) {
            return;
        }
        // GQL-A-08: for an unknown id a refusal, `complete` and silence are all known.
        let refuse = !known && (self.dialect == Dialect::Graphql || policy.makes(Check::UnknownUnsubscribe));
        let unknown = || Refusal::new("UnknownOperationError", format!("Unknown operation id {id}"));
        match (self.dialect, refuse) {
            (Dialect::Graphql, true) => self.refuse_operation("error", Some(id), &[unknown()], policy),
            (Dialect::Events, true) => self.refuse_operation("unsubscribe_error", Some(id), &[unknown()], policy),
            (Dialect::Graphql, false) => self.say_with_id("complete", id),
            (Dialect::Events, false) => self.say_with_id("unsubscribe_success", id),
        }
    }

    pub(super) fn on_publish(
        &mut self,
        id: &str,
        channel: Raw<'_>,
        events: Raw<'_>,
        authorization: Option<Raw<'_>>,
        policy: &Policy,
        host: &mut dyn Host,
    ) -> Option<Broadcast> {
        let judged = check_operation_id(id, policy)
            .and_then(|()| read_publish(channel, events, policy, "InvalidInputError", "input exceeded 5 event limit"))
            .and_then(|batch| {
                let written = string(channel).unwrap_or_default();
                let asked = Asked::Publish { channel: &written, namespace: batch.channel.namespace(), events };
                self.authorize(asked, authorization, policy, host).map(|_who| batch)
            })
            .and_then(|batch| check_namespace(batch.channel.namespace(), policy).map(|()| batch));
        match judged {
            Ok(batch) => {
                self.publishes += 1;
                if policy.makes(Check::PublishAnswered) {
                    let mut text = String::new();
                    let receipt = ObjectWriter::message(&mut text, "publish_success").string("id", id);
                    batch.receipt(receipt, self.mint, self.publishes).close();
                    self.say(text);
                }
                Some(batch.into_broadcast())
            }
            Err(refusal) => {
                self.refuse_operation("publish_error", Some(id), &[refusal], policy);
                None
            }
        }
    }

    /// GQL-ERR-005, EVT-ERR-007: a word of no message.
    pub(super) fn on_unknown(&mut self, _id: Option<&str>, policy: &Policy) {
        if policy.makes(Check::UnknownWordAnswered) {
            let refusal = match self.dialect {
                Dialect::Graphql => unsupported("unknown"),
                Dialect::Events => {
                    Refusal::new("UnsupportedOperation", "Operation not supported through the realtime channel")
                }
            };
            self.refuse_operation("error", None, &[refusal], policy);
        }
    }

    /// A text that is no message, or a message that lacks what it needs.
    pub(super) fn misshapen(&mut self, text: &str, policy: &Policy) {
        let Ok(envelope) = scan(text) else { return self.unreadable(policy) };
        let word = envelope.kind.and_then(string).unwrap_or_default();
        let id = envelope.id.and_then(string);
        let answer = match (self.dialect, &*word) {
            (Dialect::Events, "subscribe") => "subscribe_error",
            (Dialect::Events, "unsubscribe") => "unsubscribe_error",
            (Dialect::Events, "publish") => "publish_error",
            (Dialect::Graphql | Dialect::Events, _) => return self.on_unknown(id.as_deref(), policy),
        };
        if id.is_none() && !policy.makes(Check::UnreadableAnswered) {
            return;
        }
        let refusal = Refusal::new("BadRequestException", format!("Invalid {word} message"));
        let word = if id.is_some() { answer } else { "error" };
        self.refuse_operation(word, id.as_deref(), &[refusal], policy);
    }

    pub(super) fn unreadable(&mut self, policy: &Policy) {
        if policy.makes(Check::UnreadableAnswered) {
            let refusal = match self.dialect {
                Dialect::Graphql => unsupported("unknown"),
                Dialect::Events => Refusal::new("BadRequestException", "Message is not a JSON object"),
            };
            self.refuse_operation("error", None, &[refusal], policy);
        }
    }

    fn refuse_operation(&mut self, word: &str, id: Option<&str>, refusals: &[Refusal], policy: &Policy) {
        if policy.makes(Check::RefusalAnswered) {
            self.say_errors(word, id, &errors_json(refusals));
        }
        if !policy.makes(Check::ErrorKeepsConnection) && self.state != State::Gone {
            self.close(1011, "");
        }
    }

    fn say_with_id(&mut self, word: &str, id: &str) {
        let mut text = String::new();
        ObjectWriter::message(&mut text, word).string("id", id).close();
        self.say(text);
    }
}

/// A publish that passed its checks: which events are accepted and which are not.
#[derive(Clone, Debug)]
pub struct Batch {
    channel: Channel,
    /// Accepted events as JSON strings with their quotes, by index.
    accepted: Vec<(usize, Arc<str>)>,
    /// Indexes of events beyond the size limit.
    too_large: Vec<usize>,
}

impl Batch {
    /// Appends `successful` and `failed`. Source: EVT-PUB-007 to EVT-PUB-010.
    ///
    /// `mint` and `number` make the identifiers unlike any others: the connection and its publish.
    #[must_use]
    pub fn receipt<'o>(&self, receipt: ObjectWriter<'o>, mint: u64, number: u64) -> ObjectWriter<'o> {
        let entry = |index: usize, failure: Option<(&str, &str)>| {
            let mut text = String::new();
            let mut writer = ObjectWriter::open(&mut text)
                .string("identifier", &identifier(mint, number, index))
                .number("index", index as u64);
            if let Some((code, message)) = failure {
                writer = writer.string("code", code).string("message", message);
            }
            writer.close();
            text
        };
        let too_large = Some(("EventTooLargeException", "Transformed event is larger than 240KB"));
        let successful: Vec<_> = self.accepted.iter().map(|(index, _)| entry(*index, None)).collect();
        let failed: Vec<_> = self.too_large.iter().map(|index| entry(*index, too_large)).collect();
        receipt
            .text("successful", &format!("[{}]", successful.join(",")))
            .text("failed", &format!("[{}]", failed.join(",")))
    }

    /// What is to be sent to subscribers.
    pub fn into_broadcast(self) -> Broadcast {
        Broadcast { channel: self.channel, events: self.accepted.into_iter().map(|(_, event)| event).collect() }
    }

    /// The namespace of the channel.
    pub fn namespace(&self) -> &str {
        self.channel.namespace()
    }
}

/// An identifier in the form of a UUID, minted without randomness: connection, publish, index.
fn identifier(mint: u64, number: u64, index: usize) -> String {
    let (mint, number) = (mint & 0xffff_ffff, number & 0xffff_ffff);
    format!("{mint:08x}-{:04x}-4000-8000-{:04x}{index:08x}", number >> 16, number & 0xffff)
}

/// Reads and checks the channel and the events of a publish, over either transport.
///
/// # Errors
/// The refusal of the whole request; `count_type` and `count_text` are its words for too many events,
/// which differ by transport (EVT-A-04).
pub fn read_publish(
    channel: Raw<'_>,
    events: Raw<'_>,
    policy: &Policy,
    count_type: &str,
    count_text: &str,
) -> Result<Batch, Refusal> {
    let channel = string(channel).and_then(|text| parse_channel(&text, policy)).ok_or_else(bad_channel)?;
    let all = elements(events);
    if !is_array(events) || (all.is_empty() && policy.makes(Check::EventsPresent)) {
        return Err(Refusal::new("BadRequestException", "events has to be a list of 1 to 5 strings"));
    }
    if all.len() > policy.events_max && policy.makes(Check::EventCount) {
        return Err(Refusal::new(count_type, count_text));
    }
    let mut batch = Batch { channel, accepted: Vec::new(), too_large: Vec::new() };
    let mut total = 0;
    for (index, event) in all.into_iter().enumerate() {
        let text = read_event(event, policy)?;
        total += text.len();
        if text.len() > policy.event_bytes_max && policy.makes(Check::EventSize) {
            batch.too_large.push(index);
            continue;
        }
        let mut quoted = String::with_capacity(text.len() + 16);
        push_json_string(&mut quoted, &text);
        batch.accepted.push((index, quoted.into()));
    }
    if total > policy.publish_bytes_max && policy.makes(Check::PublishSize) {
        return Err(Refusal::new("BadRequestException", "Request payload is larger than 1.2MB"));
    }
    Ok(batch)
}

fn read_event<'a>(event: Raw<'a>, policy: &Policy) -> Result<Cow<'a, str>, Refusal> {
    let text = match string(event) {
        Some(text) => text,
        None if policy.makes(Check::EventsAreStrings) => {
            return Err(Refusal::new("BadRequestException", "events has to be a list of 1 to 5 strings"));
        }
        None => Cow::Borrowed(event.get()),
    };
    if policy.makes(Check::EventsAreJson) && parse_json(&text).is_none() {
        return Err(Refusal::new("InvalidEventException", "Event should be a valid JSON string"));
    }
    Ok(text)
}

fn parse_channel(text: &str, policy: &Policy) -> Option<Channel> {
    match Channel::parse(text) {
        Ok(channel) => Some(channel),
        Err(_) if !policy.makes(Check::WildcardPublish) && text.ends_with("/*") => {
            Channel::parse(text.trim_end_matches("/*")).ok()
        }
        Err(_) if !policy.makes(Check::ChannelSyntax) => Channel::parse(&mended(text)).ok(),
        Err(_) => None,
    }
}

fn parse_pattern(text: &str, policy: &Policy) -> Option<ChannelPattern> {
    match ChannelPattern::parse(text) {
        Ok(pattern) => Some(pattern),
        Err(_) if !policy.makes(Check::ChannelSyntax) => ChannelPattern::parse(&mended(text)).ok(),
        Err(_) => None,
    }
}

/// What a server that does not check channels might make of a bad one.
fn mended(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '/' { c } else { 'x' }).collect();
    let segments: Vec<_> = clean.split('/').filter(|s| !s.is_empty()).take(5).map(|s| &s[..s.len().min(50)]).collect();
    if segments.is_empty() { "/default/x".into() } else { segments.join("/") }
}

fn check_operation_id(id: &str, policy: &Policy) -> Result<(), Refusal> {
    if policy.makes(Check::OperationIdSyntax) && !is_operation_id(id) {
        return Err(Refusal::new("BadRequestException", "Invalid operation id"));
    }
    Ok(())
}

/// EVT-CHANNEL-008: a missing namespace looks like missing permission.
pub fn check_namespace(namespace: &str, policy: &Policy) -> Result<(), Refusal> {
    let exists = policy.namespaces.iter().any(|known| known == namespace);
    if exists || !policy.makes(Check::NamespaceExists) { Ok(()) } else { Err(Refusal::unknown_namespace()) }
}

fn bad_channel() -> Refusal {
    Refusal::new("BadRequestException", "Invalid Channel Format")
}

fn duplicated(id: &str) -> Refusal {
    Refusal::new("DuplicatedOperationError", format!("Duplicated operation with id {id}"))
}

fn unsupported(what: &str) -> Refusal {
    Refusal::new("UnsupportedOperation", format!("{what} not supported through the realtime channel"))
}
