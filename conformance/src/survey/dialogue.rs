//! One connection to a target, step by step, for those who want to know whether it works and not whether it is right.
//!
//! Every step ends in bounded time, and says what it saw or what broke. What a target says is cut and redacted.

use std::time::Duration;

use appsync_protocol::dialect::{Dialect, decode};
use appsync_protocol::handshake::{Carrier, Credentials};
use appsync_protocol::json::parse_json;
use appsync_protocol::message::{Message, SilenceLimit, error_entries};
use appsync_protocol::transcript::Redactor;
use appsync_protocol::wire::{OwnedFrame, Request, Response};
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};

use crate::link::{Dialer, Heard, LinkError, Opened, Socket};
use crate::run::Endpoint;
use crate::run::fire::fire;
use crate::scenario::{Cast, Publication, cut};

/// The id of the one subscription of a dialogue.
const ID: &str = "syncspec";

/// Most bytes that are listened to for one answer. An event has at most 240 KB.
pub(crate) const HEARD_MAX: usize = 8 * 1024 * 1024;

/// One dialogue.
pub(crate) struct Dialogue<'t> {
    dialer: &'t Dialer,
    endpoint: &'t Endpoint,
    cast: Cast,
    patience: Duration,
    secrets: Redactor,
}

/// What a target answered, as far as a dialogue has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// What was asked for, with what stands in it.
    Yes(String),
    /// A refusal: type and message.
    No(String),
    /// The end of the connection.
    End(String),
    /// Nothing in time.
    Silence,
}

impl Answer {
    /// What it is, for a person.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Yes(what) => what.clone(),
            Self::No(what) => format!("refused: {what}"),
            Self::End(what) => what.clone(),
            Self::Silence => "nothing within the time for an answer".into(),
        }
    }
}

impl<'t> Dialogue<'t> {
    /// A dialogue of which nothing is said. `prefix` stands in everything that it publishes.
    pub(crate) fn new(dialer: &'t Dialer, endpoint: &'t Endpoint, prefix: &str, patience: Duration) -> Self {
        let cast = endpoint.cast(prefix, "c3luY3NwZWMtcHJlZmxpZw==");
        let secrets = endpoint.keyring.redactor(&endpoint.api_key);
        Self { dialer, endpoint, cast, patience, secrets }
    }

    /// What this target said, for a person: without secrets, cut.
    pub(crate) fn shown(&self, text: &str, most: usize) -> String {
        cut(&self.secrets.text(text), most)
    }

    /// Asks for an upgrade as clients of the dialect do.
    pub(crate) async fn open(&self) -> Result<Opened, LinkError> {
        self.open_by(self.cast.usual_carrier(), &self.cast.credentials()).await
    }

    /// Asks for an upgrade with these credentials in this carrier.
    pub(crate) async fn open_by(&self, carrier: Carrier, credentials: &Credentials) -> Result<Opened, LinkError> {
        let request = self.cast.upgrade(carrier, credentials);
        self.dialer.open(&self.endpoint.realtime, &request).await
    }

    /// Asks for the acknowledgement.
    pub(crate) async fn init(&self, socket: &mut Socket) -> Answer {
        self.init_with(socket, r#"{"type":"connection_init"}"#).await
    }

    /// The same, with a message of one's own.
    pub(crate) async fn init_with(&self, socket: &mut Socket, message: &str) -> Answer {
        let _ = socket.send(&OwnedFrame::text(message)).await;
        self.hear(socket, |message| {
            if let Message::Ack { silence } = message {
                let limit = if let SilenceLimit::Millis(ms) = silence { ms.to_string() } else { String::new() };
                return Some(Answer::Yes(limit));
            }
            if let Message::Rejected { errors } | Message::Refused { errors, .. } = message {
                return Some(Answer::No(told(*errors)));
            }
            None
        })
        .await
    }

    /// Subscribes to the topic, which is a channel for Events.
    pub(crate) async fn subscribe(&self, socket: &mut Socket, topic: &str) -> Answer {
        self.ask_as(socket, &self.start(ID, topic), ID).await
    }

    /// The message that subscribes to a topic under this id.
    pub(crate) fn start(&self, id: &str, topic: &str) -> String {
        match self.endpoint.dialect {
            Dialect::Graphql => self.cast.start_channel(id, topic),
            Dialect::Events => self.cast.subscribe(id, topic),
        }
    }

    /// Sends the start of a subscription, and waits for its answer.
    pub(crate) async fn ask_as(&self, socket: &mut Socket, start: &str, own: &str) -> Answer {
        let _ = socket.send(&OwnedFrame::text(start)).await;
        self.hear(socket, |message| {
            if let Message::Granted { id } = message {
                return (id.as_ref() == own).then(|| Answer::Yes(format!("id {id:?} granted")));
            }
            if let Message::Refused { id, errors, .. } = message {
                let is_it = id.as_deref().is_none_or(|id| id == own);
                return is_it.then(|| Answer::No(told(*errors)));
            }
            None
        })
        .await
    }

    /// Publishes one event with this nonce to the topic.
    pub(crate) async fn trigger(&self, topic: &str, nonce: &str) -> Answer {
        let publication = match self.endpoint.dialect {
            Dialect::Graphql => self.cast.publication(topic, nonce),
            Dialect::Events => Publication::Http(self.cast.http_publish(topic, &[json!({ "nonce": nonce })])),
        };
        let answer = match publication {
            Publication::Http(request) => return self.published(self.http(&request).await),
            Publication::Fire(firing) => fire(self.dialer, firing, self.patience).await,
            Publication::Frame(..) => Err("events are published over HTTP".into()),
        };
        match answer {
            Ok(response) if (200..300).contains(&response.status) => {
                Answer::Yes(format!("it answers with status {}", response.status))
            }
            Ok(response) => Answer::No(self.refused(&response)),
            Err(why) => Answer::No(self.shown(&why, 200)),
        }
    }

    /// A request to the HTTP endpoint.
    pub(crate) async fn http(&self, request: &Request) -> Result<Response, String> {
        self.dialer.http(&self.endpoint.http, request).await.map_err(|error| error.to_string())
    }

    fn published(&self, answer: Result<Response, String>) -> Answer {
        let response = match answer {
            Ok(response) => response,
            Err(why) => return Answer::No(why),
        };
        let body = parse_json(&response.body.text());
        let body = body.as_ref();
        let holds = |name: &str| body.and_then(|body| body.get(name)).is_some_and(|value| !value.is_null());
        let taken = match self.endpoint.dialect {
            Dialect::Graphql => holds("data") && !holds("errors"),
            Dialect::Events => body.and_then(|body| body.pointer("/successful/0")).is_some(),
        };
        if response.status == 200 && taken {
            Answer::Yes("it is taken with status 200".into())
        } else {
            Answer::No(self.refused(&response))
        }
    }

    fn refused(&self, response: &Response) -> String {
        format!("status {} {}", response.status, self.shown(&response.body.text(), 160))
    }

    /// Waits for an event with this nonce. An event without it is told, for it may be the one.
    pub(crate) async fn event(&self, socket: &mut Socket, nonce: &str) -> Answer {
        let path = self.endpoint.own.as_ref().map(|own| format!("/data/{}", own.data.replace('.', "/")));
        let mut without = None;
        let heard = self
            .hear(socket, |message| {
                let Message::Data { body, .. } = message else { return None };
                let at_place = path.as_ref().is_none_or(|path| {
                    let value = parse_json(body.get()).and_then(|body| body.pointer(path).cloned());
                    value.is_some_and(|value| value.as_str().is_some_and(|text| text.contains(nonce)))
                });
                if body.get().contains(nonce) && at_place {
                    return Some(Answer::Yes("an event with the nonce".into()));
                }
                without = Some(body.get().to_owned());
                None
            })
            .await;
        match (heard, without) {
            (Answer::Silence, Some(body)) => {
                let place = path.map(|path| format!(" at payload{}", path.replace('/', "."))).unwrap_or_default();
                Answer::No(format!("an event came without the nonce{place}: {}", self.shown(&body, 160)))
            }
            (other, _) => other,
        }
    }

    /// Hears messages until one of them decides.
    async fn hear(&self, socket: &mut Socket, mut decides: impl FnMut(&Message<'_>) -> Option<Answer>) -> Answer {
        let until = Instant::now() + self.patience;
        let mut heard = Heard::up_to(HEARD_MAX);
        while !heard.is_too_much() {
            let Ok(frame) = timeout_at(until, socket.next()).await else { return Answer::Silence };
            heard.add(&frame);
            match frame {
                OwnedFrame::Text { text, .. } => {
                    let answer = decode(self.endpoint.dialect, &text).ok().and_then(|heard| decides(&heard.message));
                    match answer {
                        Some(Answer::No(what)) => return Answer::No(self.shown(&what, 160)),
                        Some(answer) => return answer,
                        None => {}
                    }
                }
                OwnedFrame::Close { code: Some(code), reason } => {
                    return Answer::End(format!("it closes with code {code} {}", self.shown(&reason, 80)));
                }
                OwnedFrame::Close { code: None, .. } => return Answer::End("it closes without a code".into()),
                OwnedFrame::Lost => return Answer::End("it drops the connection".into()),
                OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => {}
            }
        }
        Answer::End(format!("it says over {HEARD_MAX} bytes, but not the answer"))
    }

    /// Says goodbye.
    pub(crate) async fn close(&self, socket: &mut Socket) {
        let frame = OwnedFrame::Close { code: Some(1000), reason: String::new() };
        let _ = timeout(self.patience, socket.send(&frame)).await;
    }

    /// Names and credentials of this dialogue.
    pub(crate) const fn cast(&self) -> &Cast {
        &self.cast
    }

    /// A topic that nobody else uses: a channel for Events.
    pub(crate) fn topic(&self, label: &str) -> String {
        match self.endpoint.dialect {
            Dialect::Graphql => self.cast.nonce(label),
            Dialect::Events => self.cast.channel(label),
        }
    }
}

fn told(errors: Option<appsync_protocol::envelope::Raw<'_>>) -> String {
    let first = error_entries(errors).1.into_iter().next().unwrap_or_default();
    let what = [first.error_type, first.message].into_iter().flatten().collect::<Vec<_>>().join(": ");
    if what.is_empty() { "without a type or a message".into() } else { what }
}
