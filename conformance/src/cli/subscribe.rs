//! `syncspec subscribe`: prints what a subscription hears until it is told to stop.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::{Duration, SystemTime};

use appsync_protocol::client::{BackoffPolicy, ClientConfig, ClientEvent, DialFailure, Ending, Loss};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::encode::ObjectWriter;
use appsync_protocol::handshake::Scheme;
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::message::Operation;
use appsync_protocol::moment::Moment;
use clap::Args;
use serde::Deserialize;
use serde_json::value::RawValue;
use syncspec::session::{News, Session, SessionOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use super::operation::OperationOptions;
use super::reach::{CredentialOptions, Speaker, TargetOptions};
use super::voice::{Voice, counted, in_words, json_line};
use super::{random_seed, usage};

const REFUSED: u8 = 1;
const UNREACHABLE: u8 = 3;
const INTERRUPTED: u8 = 130;

/// For one HTTP answer and for the answer to an upgrade.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

const AFTER: &str = "\
Exit codes: 0 done or interrupted; 1 refused, ended by an error, or --timeout before --count; 2 wrong arguments;
3 unreachable.

Examples:
  syncspec subscribe http://127.0.0.1:8700/event /default/news '/default/room/*'
  syncspec subscribe http://127.0.0.1:8700/graphql 'subscription { onNote(board: \"b\") { id text } }'";

#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct SubscribeOptions {
    /// URL of the HTTP endpoint (".../graphql" or ".../event").
    pub(super) endpoint: String,
    /// Events: a channel or a pattern, such as /default/news or '/default/*'. GraphQL: a subscription, as text or @FILE.
    #[arg(required = true, value_name = "TOPIC")]
    pub(super) topics: Vec<String>,
    #[command(flatten)]
    pub(super) operation: OperationOptions,
    /// End after this many events.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// End after this time.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) timeout: Option<Duration>,
    /// Give up after so many failed attempts in a row to connect again; the default is good for about two minutes.
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(super) retries: u32,
    /// Print each event as a JSON object with topic, id, at and event.
    #[arg(long)]
    pub(super) json: bool,
    /// Say on standard error what happens to the connection.
    #[arg(long, short)]
    pub(super) verbose: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
    #[command(flatten)]
    pub(super) credentials: CredentialOptions,
}

pub(super) fn run(options: &SubscribeOptions) -> u8 {
    let prepared = match prepare(options) {
        Ok(prepared) => prepared,
        Err(what) => return usage(what),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return usage(format_args!("no runtime: {error}")),
    };
    runtime.block_on(async {
        // Before anything is dialled: there is no moment at which an interrupt leaves a subscription behind.
        let (Ok(interrupt), Ok(terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            return usage("signals cannot be heard");
        };
        Subscriber::new(options, prepared).run(interrupt, terminate).await
    })
}

/// Everything that can be wrong before anything is dialled.
struct Prepared {
    session: SessionOptions,
    /// What each subscription asks for, in the words of the protocol.
    requests: Vec<String>,
    url: String,
    voice: Voice,
}

fn prepare(options: &SubscribeOptions) -> Result<Prepared, String> {
    let place = options.target.place(&options.endpoint)?;
    let requests = match place.dialect {
        Dialect::Graphql => {
            options.topics.iter().map(|topic| options.operation.request(topic)).collect::<Result<_, _>>()?
        }
        Dialect::Events => {
            options.operation.refuse()?;
            options.topics.clone()
        }
    };
    let Speaker { source, redactor } = options.credentials.speaker(&place)?;
    let dialer = options.target.dialer(Some((&place.http, &place.realtime)), ANSWER_TIMEOUT)?;
    let mut config = ClientConfig::new(place.dialect);
    config.backoff = BackoffPolicy { attempts_max: Some(options.retries), ..config.backoff };
    Ok(Prepared {
        requests,
        url: place.realtime.to_text(Scheme::WebSocket),
        voice: Voice { redactor, verbose: options.verbose },
        session: SessionOptions {
            config,
            dialer,
            carrier: options.credentials.carrier(place.dialect),
            realtime: place.realtime,
            source,
            seed: random_seed(),
        },
    })
}

/// One subscription.
struct Topic {
    /// As it was given.
    shown: String,
    /// It has been granted before.
    granted: bool,
}

struct Subscriber<'o> {
    options: &'o SubscribeOptions,
    dialect: Dialect,
    session: Session,
    voice: Voice,
    url: String,
    /// By id; those that are not over.
    topics: BTreeMap<String, Topic>,
    heard: u64,
    acknowledged: u64,
    /// Why the last attempt to connect failed.
    undialled: Option<String>,
    /// The exit code, once it is known; from then on nothing is printed any more.
    ending: Option<u8>,
    over: bool,
}

impl<'o> Subscriber<'o> {
    fn new(options: &'o SubscribeOptions, prepared: Prepared) -> Self {
        let Prepared { session, requests, url, voice } = prepared;
        let dialect = session.config.dialect;
        let mut session = Session::new(session);
        let mut topics = BTreeMap::new();
        for (number, (shown, request)) in options.topics.iter().zip(&requests).enumerate() {
            let id = format!("sub-{}", number + 1);
            // A new session takes any id once.
            let taken = session.subscribe(&id, request);
            debug_assert!(taken.is_ok());
            topics.insert(id, Topic { shown: shown.clone(), granted: false });
        }
        Self {
            options,
            dialect,
            session,
            voice,
            url,
            topics,
            heard: 0,
            acknowledged: 0,
            undialled: None,
            ending: None,
            over: false,
        }
    }

    async fn run(mut self, mut interrupt: Signal, mut terminate: Signal) -> u8 {
        let start = Instant::now();
        let until = self.options.timeout.map(|timeout| start + timeout);
        while !self.over {
            let time = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                news = self.session.next() => self.take(news),
                // Whoever asks twice does not want to wait for a clean end.
                _ = interrupt.recv() => if self.is_ending() { return INTERRUPTED } else { self.end(0) },
                _ = terminate.recv() => if self.is_ending() { return INTERRUPTED } else { self.end(0) },
                () = time, if self.ending.is_none() => self.time_is_up(),
            }
        }
        let again = match self.acknowledged.saturating_sub(1) {
            0 => String::new(),
            n => format!("; connected again {}", counted(n, "time")),
        };
        self.voice.tell(format_args!(
            "{} in {:.1} s{again}",
            counted(self.heard, "event"),
            start.elapsed().as_secs_f64()
        ));
        self.ending.unwrap_or(0)
    }

    const fn is_ending(&self) -> bool {
        self.ending.is_some()
    }

    /// The first reason to end decides the exit code. Subscriptions are ended and the connection is closed.
    fn end(&mut self, code: u8) {
        if self.ending.is_none() {
            self.ending = Some(code);
            // Without anything to close there is nothing to wait for.
            self.over = self.session.close().is_err();
        }
    }

    fn time_is_up(&mut self) {
        let within = humantime::format_duration(self.options.timeout.unwrap_or_default());
        let waiting = self.topics.values().find(|topic| !topic.granted).map(|topic| topic.shown.clone());
        match (self.options.count, waiting) {
            _ if self.acknowledged == 0 => {
                self.voice.tell(format_args!("no connection within {within}"));
                self.end(UNREACHABLE);
            }
            (_, Some(topic)) => {
                self.voice.tell(format_args!("no answer to {topic} within {within}"));
                self.end(REFUSED);
            }
            (Some(count), None) => {
                let heard = counted(self.heard, "event");
                self.voice.tell(format_args!("expected {} within {within}; got {heard}", counted(count, "event")));
                self.end(REFUSED);
            }
            (None, None) => self.end(0),
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Dialling => self.voice.murmur(format_args!("connecting to {}", self.url)),
            News::Undialled(undialled) => self.undialled = Some(undialled.to_string()),
            News::NoCredentials { purpose, why } => {
                self.voice.tell(format_args!("no credentials to {purpose}: {why}"));
                self.end(REFUSED);
            }
            News::Told(event) => self.told(event),
        }
    }

    fn told(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Connected { silence_limit } => {
                self.acknowledged += 1;
                self.undialled = None;
                let limit = humantime::format_duration(silence_limit);
                self.voice.murmur(format_args!("acknowledged; the longest silence is {limit}"));
            }
            ClientEvent::Subscribed { id } => self.granted(&id),
            ClientEvent::Refused { id, errors } => {
                let topic = self.shown(&id);
                self.voice.tell(format_args!("the server refuses {topic}: {}", in_words(&errors)));
                self.end(REFUSED);
            }
            ClientEvent::Data { id, body } => self.deliver(&id, &body),
            ClientEvent::BroadcastFailed { id, errors } => {
                let topic = self.shown(&id);
                self.voice.tell(format_args!("an event for {topic} was not delivered: {}", in_words(&errors)));
            }
            ClientEvent::Ended { id, ending } => self.ended(&id, ending),
            ClientEvent::TimedOut { id, operation: Operation::Subscribe } => {
                let topic = self.shown(&id);
                self.voice.tell(format_args!("no answer to {topic} in time"));
                self.end(REFUSED);
            }
            ClientEvent::TimedOut { id, operation: Operation::Unsubscribe | Operation::Publish } => {
                let topic = self.shown(&id);
                self.voice.murmur(format_args!("the end of {topic} was not answered in time"));
            }
            ClientEvent::Renamed { from, to } => {
                if let Some(topic) = self.topics.remove(&from) {
                    self.topics.insert(to, topic);
                }
            }
            ClientEvent::Reported { id: _, errors } => {
                self.voice.tell(format_args!("the server reports an error: {}", in_words(&errors)));
            }
            ClientEvent::Lost { loss, retry_at } => self.lost(&loss, retry_at),
            // What was lost has been told.
            ClientEvent::Failed { .. } => self.over = true,
            ClientEvent::Closed { clean } => {
                self.voice.murmur(if clean { "closed" } else { "closed without an answer to the close frame" });
                self.over = true;
            }
            ClientEvent::Finding(finding) => self.voice.murmur(format_args!("finding: {finding}")),
            // A subscriber publishes nothing; the session answers requests for credentials; `Lost` tells the rest.
            ClientEvent::Needs(_)
            | ClientEvent::Interrupted { .. }
            | ClientEvent::Published { .. }
            | ClientEvent::PublishRefused { .. } => {}
        }
    }

    fn shown(&self, id: &str) -> String {
        self.topics.get(id).map_or_else(|| id.into(), |topic| topic.shown.clone())
    }

    fn granted(&mut self, id: &str) {
        let Some(topic) = self.topics.get_mut(id) else { return };
        let word = if topic.granted { "subscribed again" } else { "subscribed" };
        topic.granted = true;
        self.voice.murmur(format_args!("{word}: {} ({id})", topic.shown));
    }

    fn ended(&mut self, id: &str, ending: Ending) {
        let topic = self.shown(id);
        self.topics.remove(id);
        match ending {
            Ending::Asked => self.voice.murmur(format_args!("unsubscribed: {topic}")),
            Ending::ByServer { errors } if errors.is_empty() => {
                self.voice.tell(format_args!("the server ended {topic}"));
                if self.topics.is_empty() {
                    self.end(if self.options.count.is_some() { REFUSED } else { 0 });
                }
            }
            Ending::ByServer { errors } => {
                self.voice.tell(format_args!("the server ended {topic}: {}", in_words(&errors)));
                self.end(REFUSED);
            }
            // The loss has been told.
            Ending::ConnectionFailed => {}
            Ending::NotSendable(error) => {
                self.voice.tell(format_args!("{topic} cannot be asked for: {error}"));
                self.end(REFUSED);
            }
        }
    }

    /// Before the first acknowledgement a loss is the end: what was never there need not be waited for.
    fn lost(&mut self, loss: &Loss, retry_at: Option<Moment>) {
        let what = describe(loss, self.undialled.take(), self.acknowledged > 0);
        match (self.ending, retry_at) {
            (Some(_), _) => {}
            (None, Some(at)) if self.acknowledged > 0 => {
                let pause = self.session.until(at).as_secs_f64();
                self.voice.murmur(format_args!("lost: {what}; connecting again in {pause:.2} s"));
            }
            (None, Some(_) | None) => {
                self.voice.tell(what);
                self.end(exit_code(loss, self.acknowledged > 0));
            }
        }
    }

    fn deliver(&mut self, id: &str, body: &str) {
        if self.is_ending() {
            return;
        }
        let topic = self.shown(id);
        let events = match self.dialect {
            Dialect::Events => events_of(body),
            Dialect::Graphql => vec![self.data_of(&topic, body)],
        };
        for event in events {
            let line = if self.options.json { record(&topic, id, &event) } else { event };
            self.heard += 1;
            let is_read = self.voice.line(&line);
            if !is_read || self.options.count.is_some_and(|count| self.heard >= count) {
                return self.end(0);
            }
        }
    }

    /// `data` of a payload. Its `errors` are told apart from it.
    fn data_of(&self, topic: &str, payload: &str) -> String {
        #[derive(Deserialize)]
        struct Payload<'a> {
            #[serde(borrow)]
            data: Option<&'a RawValue>,
            #[serde(borrow)]
            errors: Option<&'a RawValue>,
        }
        let Ok(Payload { data, errors }) = serde_json::from_str(payload) else {
            return json_line(payload);
        };
        if let Some(errors) = errors {
            self.voice.tell(format_args!("an event for {topic} has errors: {}", json_line(errors.get())));
        }
        data.map_or_else(|| "null".into(), |data| json_line(data.get()))
    }
}

/// The events of one message: a text, or an array of texts (EVT-DATA-001, EVT-A-05), each a line of JSON.
fn events_of(body: &str) -> Vec<String> {
    let one = |event: Json| match event {
        Json::String(text) => json_line(&text),
        other @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
            json_line(&other.to_string())
        }
    };
    match parse_json(body) {
        Some(Json::Array(events)) => events.into_iter().map(one).collect(),
        Some(event) => vec![one(event)],
        None => vec![json_line(body)],
    }
}

fn record(topic: &str, id: &str, event: &str) -> String {
    let at = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let mut record = String::new();
    ObjectWriter::open(&mut record)
        .string("topic", topic)
        .string("id", id)
        .string("at", &at)
        .text("event", event)
        .close();
    json_line(&record)
}

/// A loss in a sentence; `undialled` is what is known of a failed attempt to connect, `greeted` whether the server has
/// ever acknowledged.
pub(super) fn describe(loss: &Loss, undialled: Option<String>, greeted: bool) -> String {
    match loss {
        Loss::Rejected { errors } => format!("the endpoint refuses the connection: {}", in_words(errors)),
        Loss::Closed { .. } if !greeted => {
            format!("{loss} before connection_ack; some servers refuse credentials in this way")
        }
        Loss::Dial(failure) => undialled.unwrap_or_else(|| failure.to_string()),
        Loss::AckTimeout | Loss::Silence | Loss::Closed { .. } | Loss::Transport => loss.to_string(),
    }
}

/// Refused, or not reached.
pub(super) const fn exit_code(loss: &Loss, greeted: bool) -> u8 {
    match loss {
        Loss::Rejected { .. } | Loss::Dial(DialFailure::Refused { status: 401 | 403 }) => REFUSED,
        Loss::Closed { .. } if !greeted => REFUSED,
        Loss::Dial(_) | Loss::AckTimeout | Loss::Silence | Loss::Closed { .. } | Loss::Transport => UNREACHABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_text_or_the_texts_of_an_array() {
        assert_eq!(events_of(r#""{\"a\": 1}""#), [r#"{"a":1}"#]);
        assert_eq!(events_of(r#"["{\"a\":1}","2"]"#), [r#"{"a":1}"#, "2"]);
        assert_eq!(events_of(r#""no json""#), [r#""no json""#]);
        assert_eq!(events_of(r#"{"a":1}"#), [r#"{"a":1}"#]);
    }

    #[test]
    fn refused_and_not_reached_have_codes_of_their_own() {
        assert_eq!(exit_code(&Loss::Rejected { errors: Vec::new() }, true), 1);
        assert_eq!(exit_code(&Loss::Dial(DialFailure::Refused { status: 401 }), false), 1);
        assert_eq!(exit_code(&Loss::Closed { code: Some(1002) }, false), 1);
        assert_eq!(exit_code(&Loss::Closed { code: Some(1002) }, true), 3);
        assert_eq!(exit_code(&Loss::Dial(DialFailure::Refused { status: 404 }), false), 3);
        assert_eq!(exit_code(&Loss::Dial(DialFailure::Network), false), 3);
        assert_eq!(exit_code(&Loss::Transport, false), 3);
    }
}
