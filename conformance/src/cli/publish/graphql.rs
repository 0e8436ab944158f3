//! A GraphQL operation over HTTP, and its answer.

use appsync_protocol::message::ErrorEntry;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Context, REFUSED, UNREACHABLE};
use crate::cli::voice::{in_words, json_line};

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    errors: Vec<Failure>,
}

/// One error of an answer. Other members are not for people.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failure {
    error_type: Option<String>,
    message: Option<String>,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    error_type: Option<String>,
}

impl From<Failure> for ErrorEntry {
    fn from(failure: Failure) -> Self {
        let error_type = failure.error_type.or(failure.extensions.error_type);
        Self { error_type, message: failure.message, code: None }
    }
}

/// Sends the request object; prints `data`, tells the errors.
pub(super) async fn run(context: &Context<'_>, request: String) -> u8 {
    let voice = &context.voice;
    let request = match context.post(request) {
        Ok(request) => request,
        Err(why) => {
            voice.tell(format_args!("no credentials for the request: {why}"));
            return REFUSED;
        }
    };
    let response = match context.dialer.http(&context.place.http, &request).await {
        Ok(response) => response,
        Err(error) => {
            voice.tell(error);
            return UNREACHABLE;
        }
    };
    let body = response.body.text();
    let Ok(Answer { data, errors }) = serde_json::from_str(&body) else {
        voice.tell(format_args!("expected a GraphQL answer; got status {}: {body}", response.status));
        return if matches!(response.status, 401 | 403) { REFUSED } else { UNREACHABLE };
    };
    match (context.options.json, data) {
        (true, _) => drop(voice.line(&json_line(&body))),
        (false, Some(data)) => drop(voice.line(&json_line(data.get()))),
        (false, None) => {}
    }
    let is_good = errors.is_empty() && response.status == 200 && data.is_some();
    if errors.is_empty() && !is_good {
        voice.tell(format_args!("expected data; got status {} without errors", response.status));
    }
    for error in errors {
        voice.tell(in_words(&[error.into()]));
    }
    if is_good { 0 } else { REFUSED }
}
