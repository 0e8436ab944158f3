//! Declared handlers: what `onPublish` and `onSubscribe` do, as data, so that every row of the table of handlers can
//! be produced on purpose.
//!
//! Handlers of a namespace work one after the other, each on what the one before it left. They look at nothing but the
//! events, so that the same publish always ends the same way.

use std::collections::BTreeMap;
use std::time::Duration;

use appsync_protocol::json::{Json, json_array, json_text, parse_json, same_meaning};
use appsync_protocol::server::{Handled, Outcome, Rejection};
use serde::Deserialize;

/// One thing that `onPublish` does.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handler {
    /// Changes the string values of every event, at any depth.
    Transform(Transform),
    /// Sets or overwrites members of events that are objects.
    Set(BTreeMap<String, Json>),
    /// Drops events, of which the publisher is not told (EVT-PUB-022).
    Drop(When),
    /// Lets events fail with a text (EVT-PUB-021).
    Error(EventError),
    /// `util.error()` with this text (EVT-PUB-019).
    Reject(String),
    /// `util.unauthorized()` (EVT-PUB-020).
    Unauthorized,
    /// Adds so many bytes to every event (EVT-PUB-016).
    Grow(usize),
    /// Takes so many milliseconds.
    DelayMs(u64),
    /// Throws (EVT-HTTP-012).
    Fail,
    /// Code returns something else than the list it was given.
    Return(Returned),
    /// Sets the member `context` of events that are objects to the context (EVT-CHANNEL-023).
    Context,
    /// A direct Lambda integration.
    Lambda(Lambda),
}

/// One thing that `onSubscribe` does.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubscribeHandler {
    /// `util.error()` with this text (EVT-SUB-012).
    Reject(String),
    /// `util.unauthorized()` (EVT-SUB-012).
    Unauthorized,
    /// Takes so many milliseconds.
    DelayMs(u64),
    /// Throws (EVT-SUB-012).
    Fail,
    /// `util.error()` with the path of the channel (EVT-SUB-027).
    Context,
    /// A direct Lambda integration.
    Lambda(Lambda),
}

/// A change of strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// To upper case.
    Uppercase,
    /// To lower case.
    Lowercase,
}

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct When {
    /// Member of an event that is an object. Without it, every event.
    pub member: Option<String>,
    /// The value that it has to have. Without it, any.
    pub equals: Option<Json>,
    /// The member has to be missing instead.
    #[serde(default)]
    pub missing: bool,
}

/// Which events fail, and why.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EventError {
    /// As for [`When`].
    pub member: Option<String>,
    /// As for [`When`].
    pub equals: Option<Json>,
    /// As for [`When`].
    #[serde(default)]
    pub missing: bool,
    /// What the publisher reads.
    pub message: String,
}

/// What code returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Returned {
    /// `null`: everything is dropped.
    Nothing,
    /// `[]`: everything is dropped.
    EmptyList,
    /// A list of `null`: everything is dropped.
    NullEntries,
    /// An entry with an id that was not given.
    UnknownId,
    /// Two entries with one id.
    DuplicateIds,
}

/// A Lambda function that a namespace calls without code in between.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Lambda {
    /// How it is called.
    #[serde(default)]
    pub invoke: Invoke,
    /// What it returns.
    pub result: LambdaResult,
}

/// How a function is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Invoke {
    /// Its result counts.
    #[default]
    RequestResponse,
    /// Nobody waits for it, and its result counts for nothing.
    Event,
}

/// What a function returns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LambdaResult {
    /// `{ events }` with what it was given.
    Events,
    /// `null`, which is right for a subscribe only.
    Nothing,
    /// The list without the object around it.
    BareList,
    /// `{}`
    EmptyObject,
    /// Entries with nothing but an id.
    OnlyIds,
    /// Members that nobody knows.
    UnknownMembers,
    /// An entry with an id that was not given.
    UnknownId,
    /// Two entries with one id.
    DuplicateIds,
    /// `{ error }` with this text.
    Error(String),
    /// `{ events, error }` with this text.
    EventsAndError(String),
    /// It throws.
    Throws,
}

/// Most bytes that an event may grow by: far beyond every limit.
const GROW_MAX: usize = 4 * 1024 * 1024;

impl Handler {
    /// Says what is asked for and cannot be.
    pub(super) fn check(&self) -> Result<(), String> {
        let condition = |member: &Option<String>, equals: &Option<Json>, missing: bool| match (member, equals) {
            (_, Some(_)) if missing => Err("expected \"equals\" or \"missing\"; got both".to_owned()),
            (None, Some(_)) => Err("expected \"member\" beside \"equals\"; it is missing".to_owned()),
            (None, None) if missing => Err("expected \"member\" beside \"missing\"; it is missing".to_owned()),
            (None | Some(_), None) | (Some(_), Some(_)) => Ok(()),
        };
        match self {
            Self::Drop(When { member, equals, missing }) => condition(member, equals, *missing),
            Self::Error(EventError { member, equals, missing, .. }) => condition(member, equals, *missing),
            Self::Grow(bytes) if *bytes > GROW_MAX => {
                Err(format!("expected \"grow\" of at most {GROW_MAX} bytes; got {bytes}"))
            }
            Self::Grow(_)
            | Self::Transform(_)
            | Self::Set(_)
            | Self::Reject(_)
            | Self::Unauthorized
            | Self::DelayMs(_)
            | Self::Fail
            | Self::Return(_)
            | Self::Context
            | Self::Lambda(_) => Ok(()),
        }
    }
}

/// What the handlers make of these events.
pub(super) fn publish(handlers: &[Handler], events: &[&str], context: &dyn Fn() -> Json) -> Handled<Vec<Outcome>> {
    let mut after = Duration::ZERO;
    let mut outcomes = vec![Outcome::Unchanged; events.len()];
    for handler in handlers {
        if let Handler::DelayMs(ms) = handler {
            after = after.saturating_add(Duration::from_millis(*ms));
        }
        if let Err(rejection) = judge(handler) {
            return Handled { result: Err(rejection), after };
        }
        for (event, outcome) in events.iter().zip(&mut outcomes) {
            let next = match outcome {
                Outcome::Unchanged => step(handler, event, context),
                Outcome::Changed(text) => step(handler, text, context),
                Outcome::Dropped | Outcome::Failed(_) => None,
            };
            if let Some(next) = next {
                *outcome = next;
            }
        }
    }
    Handled { result: Ok(outcomes), after }
}

/// What the handlers make of a subscribe.
pub(super) fn subscribe(handlers: &[SubscribeHandler], path: &dyn Fn() -> String) -> Handled<()> {
    let mut after = Duration::ZERO;
    for handler in handlers {
        let result = match handler {
            SubscribeHandler::DelayMs(ms) => {
                after = after.saturating_add(Duration::from_millis(*ms));
                Ok(())
            }
            SubscribeHandler::Reject(message) => Err(Rejection::Error(message.clone())),
            SubscribeHandler::Unauthorized => Err(Rejection::Unauthorized),
            SubscribeHandler::Fail => Err(Rejection::Broken),
            SubscribeHandler::Context => Err(Rejection::Error(path())),
            SubscribeHandler::Lambda(Lambda { result: LambdaResult::Nothing, .. }) => Ok(()),
            SubscribeHandler::Lambda(lambda) => judge_lambda(lambda),
        };
        if let Err(rejection) = result {
            return Handled { result: Err(rejection), after };
        }
    }
    Handled { result: Ok(()), after }
}

/// Whether the handler lets the request live.
fn judge(handler: &Handler) -> Result<(), Rejection> {
    match handler {
        Handler::Reject(message) => Err(Rejection::Error(message.clone())),
        Handler::Unauthorized => Err(Rejection::Unauthorized),
        Handler::Fail | Handler::Return(Returned::UnknownId | Returned::DuplicateIds) => Err(Rejection::Broken),
        Handler::Lambda(lambda) => judge_lambda(lambda),
        Handler::Return(Returned::Nothing | Returned::EmptyList | Returned::NullEntries)
        | Handler::Transform(_)
        | Handler::Set(_)
        | Handler::Drop(_)
        | Handler::Error(_)
        | Handler::Grow(_)
        | Handler::Context
        | Handler::DelayMs(_) => Ok(()),
    }
}

fn judge_lambda(lambda: &Lambda) -> Result<(), Rejection> {
    match (lambda.invoke, &lambda.result) {
        (Invoke::Event, _) | (Invoke::RequestResponse, LambdaResult::Events) => Ok(()),
        (Invoke::RequestResponse, LambdaResult::Error(message) | LambdaResult::EventsAndError(message)) => {
            Err(Rejection::Returned(message.clone()))
        }
        (
            Invoke::RequestResponse,
            LambdaResult::Nothing
            | LambdaResult::BareList
            | LambdaResult::EmptyObject
            | LambdaResult::OnlyIds
            | LambdaResult::UnknownMembers
            | LambdaResult::UnknownId
            | LambdaResult::DuplicateIds
            | LambdaResult::Throws,
        ) => Err(Rejection::Broken),
    }
}

/// What the handler makes of one event; `None` leaves it as it is.
fn step(handler: &Handler, event: &str, context: &dyn Fn() -> Json) -> Option<Outcome> {
    let changed = |change: &dyn Fn(&mut Json)| {
        let mut value = parse_json(event)?;
        change(&mut value);
        Some(Outcome::Changed(value.to_string()))
    };
    match handler {
        Handler::Transform(transform) => changed(&|value| transform_strings(value, *transform)),
        Handler::Set(members) => changed(&|value| {
            if let Json::Object(object) = value {
                object.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
        }),
        Handler::Context => changed(&|value| {
            if let Json::Object(object) = value {
                object.insert("context".into(), context());
            }
        }),
        Handler::Drop(when) => when.concerns(event).then_some(Outcome::Dropped),
        Handler::Error(EventError { member, equals, missing, message }) => {
            let when = When { member: member.clone(), equals: equals.clone(), missing: *missing };
            when.concerns(event).then(|| Outcome::Failed(message.clone()))
        }
        Handler::Grow(bytes) => changed(&|value| grow(value, *bytes)),
        Handler::Return(Returned::Nothing | Returned::EmptyList | Returned::NullEntries) => Some(Outcome::Dropped),
        Handler::Return(Returned::UnknownId | Returned::DuplicateIds)
        | Handler::Reject(_)
        | Handler::Unauthorized
        | Handler::DelayMs(_)
        | Handler::Fail
        | Handler::Lambda(_) => None,
    }
}

impl When {
    fn concerns(&self, event: &str) -> bool {
        let Some(name) = &self.member else { return true };
        let Some(value) = parse_json(event) else { return false };
        match (value.get(name), &self.equals) {
            (None, _) => self.missing,
            (Some(_), _) if self.missing => false,
            (Some(_), None) => true,
            (Some(actual), Some(wanted)) => same_meaning(actual, wanted),
        }
    }
}

fn transform_strings(value: &mut Json, transform: Transform) {
    match value {
        Json::String(text) => {
            *text = match transform {
                Transform::Uppercase => text.to_uppercase(),
                Transform::Lowercase => text.to_lowercase(),
            };
        }
        Json::Array(items) => items.iter_mut().for_each(|item| transform_strings(item, transform)),
        Json::Object(members) => members.values_mut().for_each(|member| transform_strings(member, transform)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// Adds a member to an object; anything else becomes the first element of an array.
fn grow(value: &mut Json, bytes: usize) {
    let padding = json_text(&"x".repeat(bytes));
    match value {
        Json::Object(members) => {
            members.insert("padding".into(), padding);
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            *value = json_array(vec![value.take(), padding]);
        }
    }
}
