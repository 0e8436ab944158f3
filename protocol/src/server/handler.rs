//! What the handler of a namespace made of a request, and how the asker is told.
//!
//! A handler itself belongs to the program around the server: it is asked through [`super::Host`] once a request is
//! authorized and its namespace exists (EVT-SUB-011), and answers with this. It may take time; the server then holds
//! the answer back and serves everybody else.

use alloc::string::String;
use core::time::Duration;

use super::readings::{LambdaError, Readings, SubscribeDenial};
use super::refusal::Refusal;

/// What a handler returned, and after which time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled<T> {
    /// What became of the request.
    pub result: Result<T, Rejection>,
    /// Time from the request to the answer, and to the broadcast.
    pub after: Duration,
}

impl<T> Handled<T> {
    /// A result that took no time.
    pub const fn at_once(result: Result<T, Rejection>) -> Self {
        Self { result, after: Duration::ZERO }
    }
}

/// What a handler made of one event. Source: EVT-PUB-021, EVT-PUB-022, EVT-DATA-010.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on as it came.
    Unchanged,
    /// This JSON text goes on instead.
    Changed(String),
    /// Nobody hears of it, and the publisher is told that all is well.
    Dropped,
    /// It fails with this text; the others go on.
    Failed(String),
}

/// Which handler of a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// `onPublish`
    Publish,
    /// `onSubscribe`
    Subscribe,
}

/// Why a request ends without effect after it was authorized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// `util.error()`. Source: EVT-PUB-019, EVT-HTTP-009, EVT-SUB-012.
    Error(String),
    /// `util.unauthorized()`. Source: EVT-PUB-020, EVT-HTTP-010, EVT-A-16.
    Unauthorized,
    /// A direct Lambda function returned a top-level `error`. Source: EVT-HTTP-011, EVT-A-14.
    Returned(String),
    /// It threw, took too long, or returned what cannot be used. Source: EVT-HTTP-012, EVT-LIMIT-014.
    Broken,
    /// No handler ran: an event is no JSON text. Source: EVT-PUB-006, EVT-HTTP-026.
    NotJson,
}

impl Rejection {
    /// The entry of the error list. What broke inside is not told (EVT-ERR-014).
    pub fn refusal(&self, hook: Hook, readings: &Readings) -> Refusal {
        match self {
            Self::Error(message) => Refusal::new("CustomErrorException", message.as_str()),
            Self::Unauthorized => match (hook, readings.subscribe_denial) {
                (Hook::Subscribe, SubscribeDenial::Unauthorized) => {
                    Refusal::new("Unauthorized", "You are not authorized to make this call.")
                }
                (Hook::Publish, _) | (Hook::Subscribe, SubscribeDenial::UnauthorizedException) => {
                    Refusal::unauthorized()
                }
            },
            Self::Returned(message) => match readings.lambda_error {
                LambdaError::Told => Refusal::new("CustomErrorException", message.as_str()),
                LambdaError::Hidden => {
                    Refusal { error_type: Some("CustomErrorException".into()), message: None, code: None }
                }
            },
            Self::Broken => Refusal::new("DependencyFailedException", "Unable to process request"),
            Self::NotJson => Refusal::new("InvalidEventException", NOT_JSON),
        }
    }

    /// The HTTP status. Source: EVT-HTTP-009 to EVT-HTTP-012; that of an event that is no JSON text is not known.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Error(_) | Self::Returned(_) => 403,
            Self::Unauthorized => 401,
            Self::Broken => 502,
            Self::NotJson => 400,
        }
    }
}

/// Source: EVT-PUB-006.
pub(super) const NOT_JSON: &str = "Event should be a valid JSON string";
