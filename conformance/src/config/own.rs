//! From the sections of a file to the subscription that a target declares.

use appsync_protocol::handshake::Endpoint as ParsedUrl;
use serde_json::Value as Json;
use toml::Spanned;

use super::Targets;
use super::file::{HttpTable, Subscription, TargetTable, TriggerTable};
use super::secret::placeholders;
use crate::scenario::Own;
use crate::scenario::own::{NONCE, TOPIC, Trigger};
use crate::settings::SettingsError;

/// Header fields that hold credentials.
const SECRET_FIELDS: [&str; 5] =
    ["authorization", "proxy-authorization", "x-api-key", "cookie", "x-amz-security-token"];

/// Stand for the marks while a URL is read.
const NONCE_MARK: &str = "syncspec-nonce-mark";
const TOPIC_MARK: &str = "syncspec-topic-mark";

/// What the sections `subscription` and `trigger` say together.
pub(super) fn read(file: &Targets, table: &TargetTable) -> Result<Option<Own>, SettingsError> {
    let (subscription, trigger) = match (&table.subscription, &table.trigger) {
        (None, None) => return Ok(None),
        (Some(subscription), Some(trigger)) => (subscription, trigger),
        (Some(alone), None) => {
            return Err(file.wrong(alone, "expected a section trigger beside it: what makes this subscription fire"));
        }
        (None, Some(alone)) => {
            return Err(file.wrong(alone, "expected a section subscription beside it: what this trigger fires"));
        }
    };
    let Subscription { document, variables, topic, data } = subscription.get_ref();
    let topic = topic.as_ref().map(|path| checked_path(file, path)).transpose()?;
    if !document.get_ref().contains("subscription") {
        return Err(file.wrong(document, "expected a GraphQL document with a subscription"));
    }
    Ok(Some(Own {
        document: document.get_ref().clone(),
        variables: object(file, &subscription.span(), variables)?,
        data: checked_path(file, data)?,
        trigger: trigger_of(file, trigger, topic.is_some())?,
        topic,
    }))
}

fn trigger_of(file: &Targets, table: &Spanned<TriggerTable>, has_topic: bool) -> Result<Trigger, SettingsError> {
    let TriggerTable { mutation, variables, nonce, topic, http, command } = table.get_ref();
    match (mutation, http, command) {
        (Some(document), None, None) => {
            let Some(nonce) = nonce else {
                return Err(file.wrong(document, "expected nonce beside it: the path of the variable that takes it"));
            };
            match (has_topic, topic) {
                (true, None) => {
                    let what = "expected topic beside it, as the subscription has one: the path of its variable";
                    return Err(file.wrong(document, what));
                }
                (false, Some(topic)) => {
                    return Err(file.wrong(topic, "expected a topic of the subscription too; it has none"));
                }
                (true, Some(_)) | (false, None) => {}
            }
            Ok(Trigger::Mutation {
                document: document.get_ref().clone(),
                variables: object(file, &table.span(), variables)?,
                nonce: checked_path(file, nonce)?,
                topic: topic.as_ref().map(|path| checked_path(file, path)).transpose()?,
            })
        }
        (None, Some(request), None) => http_of(file, request, has_topic),
        (None, None, Some(line)) if line.get_ref().trim().is_empty() => {
            Err(file.wrong(line, "expected a command; got an empty text"))
        }
        (None, None, Some(line)) => Ok(Trigger::Command(line.get_ref().clone())),
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (None, Some(_), Some(_)) | (None, None, None) => {
            Err(file.wrong(table, "expected one of mutation, http and command"))
        }
    }
}

fn http_of(file: &Targets, request: &Spanned<HttpTable>, has_topic: bool) -> Result<Trigger, SettingsError> {
    let HttpTable { method, url, headers, body } = request.get_ref();
    // The marks and a query are no parts of an endpoint.
    let (place, query) = url.get_ref().split_once('?').map_or((url.get_ref().as_str(), None), |(p, q)| (p, Some(q)));
    let parsed = ParsedUrl::parse(&place.replace(NONCE, NONCE_MARK).replace(TOPIC, TOPIC_MARK));
    let mut parsed = parsed.map_err(|error| file.wrong(url, format!("{:?}: {error}", url.get_ref())))?.url;
    parsed.path = parsed.path.replace(NONCE_MARK, NONCE).replace(TOPIC_MARK, TOPIC);
    if let Some(query) = query {
        parsed.path = format!("{}?{query}", parsed.path);
    }
    for (name, value) in headers {
        let is_secret = SECRET_FIELDS.contains(&name.to_ascii_lowercase().as_str());
        if is_secret && placeholders(value.get_ref()).is_empty() {
            return Err(file.wrong(value, "a secret does not stand in this file; expected ${env:NAME}"));
        }
    }
    let texts = || headers.values().chain([url]).chain(body).map(Spanned::get_ref);
    for (mark, wanted) in [(NONCE, true), (TOPIC, has_topic)] {
        if wanted && !texts().any(|text| text.contains(mark)) {
            return Err(file.wrong(request, format!("expected {mark} in its url, headers or body")));
        }
    }
    let headers = headers.iter().map(|(name, value)| (name.clone(), value.get_ref().clone())).collect();
    Ok(Trigger::Http {
        method: method.clone(),
        url: parsed,
        headers,
        body: body.as_ref().map(|body| body.get_ref().clone()).unwrap_or_default(),
    })
}

/// A dotted path that leads somewhere.
fn checked_path(file: &Targets, path: &Spanned<String>) -> Result<String, SettingsError> {
    let text = path.get_ref();
    if text.is_empty() || text.split('.').any(str::is_empty) {
        return Err(
            file.wrong(path, format!("expected a path of names between dots, such as input.text; got {text:?}"))
        );
    }
    Ok(text.clone())
}

fn object(file: &Targets, near: &std::ops::Range<usize>, json: &Json) -> Result<Json, SettingsError> {
    match json {
        Json::Null | Json::Object(_) => Ok(json.clone()),
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            Err(file.wrong(&Spanned::new(near.clone(), ()), "variables: expected a section"))
        }
    }
}
