//! What a server does with each operation: the checks in the order of the lifecycle tables.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::handler::Hook;
use super::pending::Effect;
use super::publish::{bad_channel, has_refused_slash, in_time, mended, read_publish};
use super::readings::{IdScope, UndefinedNamespace, UnknownStop};
use super::{Asked, Broadcast, Check, Host, Identity, Interest, PlanChecks, Policy, Refusal, Server, State};
use crate::channel::ChannelPattern;
use crate::conversation::is_operation_id;
use crate::dialect::{Dialect, graphql};
use crate::encode::ObjectWriter;
use crate::envelope::{Raw, is_object, scan, string};

/// Why a subscribe is refused.
struct Refused {
    /// Whether the answer bears the id.
    named: bool,
    refusals: Vec<Refusal>,
    after: Duration,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self { named: true, refusals: alloc::vec![refusal], after: Duration::ZERO }
    }
}

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
            Dialect::Graphql => self.judge_start(id, request, policy, host).map(|interest| (interest, Duration::ZERO)),
            Dialect::Events => self.judge_subscribe(id, request, authorization, policy, host),
        };
        match judged {
            Ok((interest, after)) => self.bring_about(after, Effect::Subscribe { id: id.into(), interest }, policy),
            Err(Refused { named, refusals, after }) => {
                let word = self.dialect.refusal_of_subscribe();
                let effect = Effect::Refuse { word, id: named.then(|| id.into()), refusals };
                self.bring_about(after, effect, policy);
            }
        }
    }

    fn judge_start(
        &self,
        id: &str,
        payload: Raw<'_>,
        policy: &Policy,
        host: &mut dyn Host,
    ) -> Result<Interest, Refused> {
        let Some(request) = graphql::request_text(payload) else {
            // GQL-ERR-006: an unusable start is answered like an unknown message.
            return Err(Refused { named: false, ..unsupported("unknown").into() });
        };
        let presented = graphql::authorization(payload);
        let who = self.authorize(Asked::Start { data: &request }, presented, policy, host)?;
        if policy.makes(Check::DuplicateId) && self.is_taken(id, policy) {
            return Err(duplicated(id).into());
        }
        let checks = PlanChecks {
            document: policy.makes(Check::DocumentChecked),
            subscriptions_only: policy.makes(Check::SubscriptionsOnly),
        };
        let refused = |refusals| Refused { named: true, refusals, after: Duration::ZERO };
        let plan = host.plan(&request, &who, checks).map_err(refused)?;
        self.check_limit(policy)?;
        Ok(Interest::Field(plan.into()))
    }

    fn judge_subscribe(
        &self,
        id: &str,
        channel: Raw<'_>,
        authorization: Option<Raw<'_>>,
        policy: &Policy,
        host: &mut dyn Host,
    ) -> Result<(Interest, Duration), Refused> {
        check_operation_id(id, policy)?;
        let text = string(channel).ok_or_else(bad_channel)?;
        let pattern = parse_pattern(&text, policy).ok_or_else(bad_channel)?;
        let asked = Asked::Subscribe { channel: &text, namespace: pattern.namespace() };
        let who = self.authorize(asked, authorization, policy, host)?;
        check_namespace(pattern.namespace(), policy)?;
        host.admits(asked)?;
        if policy.makes(Check::DuplicateId) && self.is_taken(id, policy) {
            return Err(duplicated(id).into());
        }
        self.check_limit(policy)?;
        // EVT-SUB-011: the handler comes last, and its answer is the answer.
        let handled = in_time(host.subscribing(&who, &pattern), policy);
        match handled.result {
            Ok(()) => Ok((Interest::Channel(pattern), handled.after)),
            Err(rejection) => {
                let refusal = rejection.refusal(Hook::Subscribe, &policy.readings);
                Err(Refused { after: handled.after, ..refusal.into() })
            }
        }
    }

    /// The id in use that a faulty server takes this one for: the same but for case, zeros and what parts its words.
    fn alike(&self, id: &str) -> Option<String> {
        let plain = |id: &str| id.to_ascii_lowercase().replace(['_', '+', '0'], "-").replace("--", "-");
        let wanted = plain(id);
        self.subscriptions.iter().map(|(own, _)| own).find(|own| plain(own) == wanted).cloned()
    }

    /// Whether a subscription has this id, or one under way claims it.
    fn is_taken(&self, id: &str, policy: &Policy) -> bool {
        !policy.makes(Check::SubscribeIdExact) && self.alike(id).is_some()
            || self.subscriptions.contains_key(id)
            || self.subscribes_at(id).is_some()
    }

    fn check_limit(&self, policy: &Policy) -> Result<(), Refusal> {
        if policy.makes(Check::SubscriptionLimit) && self.subscriptions_claimed() >= policy.subscriptions_max {
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
        match (self.subscribes_at(id), self.dialect) {
            // EVT-SUB-019: one that overtakes its own subscribe may be lost.
            (Some(_), Dialect::Events) if policy.eventual.is_some() => {}
            (Some(due), Dialect::Events | Dialect::Graphql) => {
                self.postpone(due, Effect::Unsubscribe { id: id.into() });
            }
            (None, Dialect::Events | Dialect::Graphql) => self.unsubscribe(id, policy),
        }
    }

    pub(super) fn unsubscribe(&mut self, id: &str, policy: &Policy) {
        let alike = if policy.makes(Check::UnsubscribeIdExact) { None } else { self.alike(id) };
        let meant = alike.as_deref().unwrap_or(id);
        let known = self.subscriptions.contains_key(meant);
        if policy.makes(Check::UnsubscribeEnds) {
            self.drop_one(meant);
        }
        if !policy.makes(Check::UnsubscribeSparesOthers) {
            self.drop_all();
        }
        if !policy.makes(Check::UnsubscribeAnswered) {
            return;
        }
        let unknown = || Refusal::new("UnknownOperationError", format!("Unknown operation id {id}"));
        match (self.dialect, known) {
            (Dialect::Graphql, true) => self.say_with_id("complete", id),
            (Dialect::Graphql, false) => match policy.readings.unknown_stop {
                UnknownStop::Refused => self.refuse_operation("error", Some(id), &[unknown()], policy),
                UnknownStop::Completed => self.say_with_id("complete", id),
                UnknownStop::Ignored => {}
            },
            (Dialect::Events, false) if policy.makes(Check::UnknownUnsubscribe) => {
                self.refuse_operation("unsubscribe_error", Some(id), &[unknown()], policy);
            }
            (Dialect::Events, true | false) => self.say_with_id("unsubscribe_success", id),
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
            .and_then(|()| self.check_scope(id, policy))
            .and_then(|()| read_publish(channel, events, policy, "InvalidInputError", "input exceeded 5 event limit"))
            .and_then(|batch| {
                let written = string(channel).unwrap_or_default();
                let asked = Asked::Publish { channel: &written, namespace: batch.namespace(), events };
                let who = self.authorize(asked, authorization, policy, host)?;
                check_namespace(batch.namespace(), policy)?;
                host.admits(asked)?;
                Ok((batch, who))
            });
        let refuse =
            |refusal| Effect::Refuse { word: "publish_error", id: Some(id.into()), refusals: alloc::vec![refusal] };
        let (batch, who) = match judged {
            Ok(admitted) => admitted,
            Err(refusal) => {
                self.bring_about(Duration::ZERO, refuse(refusal), policy);
                return None;
            }
        };
        let handled = batch.handle(&who, policy, host);
        let settled = match handled.result {
            Ok(settled) => settled,
            Err(rejection) => {
                let refusal = rejection.refusal(Hook::Publish, &policy.readings);
                self.bring_about(handled.after, refuse(refusal), policy);
                return None;
            }
        };
        self.publishes += 1;
        if policy.makes(Check::PublishAnswered) {
            let mut text = String::new();
            let receipt = ObjectWriter::message(&mut text, "publish_success").string("id", id);
            settled.receipt(receipt, self.mint, self.publishes).close();
            self.bring_about(handled.after, Effect::Say(text), policy);
        }
        Some(settled.into_broadcast(handled.after))
    }

    /// EVT-A-10: a publish under the id of a subscription.
    fn check_scope(&self, id: &str, policy: &Policy) -> Result<(), Refusal> {
        match policy.readings.id_scope {
            IdScope::AllOperations if self.is_taken(id, policy) => Err(duplicated(id)),
            IdScope::AllOperations | IdScope::Subscriptions => Ok(()),
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

    pub(super) fn refuse_operation(&mut self, word: &str, id: Option<&str>, refusals: &[Refusal], policy: &Policy) {
        if policy.makes(Check::RefusalAnswered) {
            self.say_errors(word, id, refusals, &policy.readings);
        }
        if !policy.makes(Check::ErrorKeepsConnection) && self.state != State::Gone {
            self.close(1011, "");
        }
    }

    pub(super) fn say_with_id(&mut self, word: &str, id: &str) {
        let mut text = String::new();
        ObjectWriter::message(&mut text, word).string("id", id).close();
        self.say(text);
    }
}

fn parse_pattern(text: &str, policy: &Policy) -> Option<ChannelPattern> {
    if has_refused_slash(text, policy) {
        return None;
    }
    match ChannelPattern::parse(text) {
        Ok(pattern) => Some(pattern),
        Err(_) if !policy.makes(Check::ChannelSyntax) => ChannelPattern::parse(&mended(text)).ok(),
        Err(_) => None,
    }
}

fn check_operation_id(id: &str, policy: &Policy) -> Result<(), Refusal> {
    if policy.makes(Check::OperationIdSyntax) && !is_operation_id(id) {
        return Err(Refusal::new("BadRequestException", "Invalid operation id"));
    }
    Ok(())
}

/// EVT-CHANNEL-008: a missing namespace looks like missing permission, unless EVT-A-06 is read otherwise.
///
/// # Errors
/// When there is no such namespace.
pub fn check_namespace(namespace: &str, policy: &Policy) -> Result<(), Refusal> {
    let is_it = |known: &&String| {
        *known == namespace || !policy.makes(Check::NamespaceEnd) && namespace.starts_with(known.as_str())
    };
    let exists = policy.namespaces.iter().any(|known| is_it(&known));
    if exists || !policy.makes(Check::NamespaceExists) {
        return Ok(());
    }
    Err(match policy.readings.undefined_namespace {
        UndefinedNamespace::Unauthorized => Refusal::unknown_namespace(),
        UndefinedNamespace::NotFound => Refusal::new("ResourceNotFound", "The namespace does not exist"),
    })
}

fn duplicated(id: &str) -> Refusal {
    Refusal::new("DuplicatedOperationError", format!("Duplicated operation with id {id}"))
}

fn unsupported(what: &str) -> Refusal {
    Refusal::new("UnsupportedOperation", format!("{what} not supported through the realtime channel"))
}
