//! Events over a WebSocket or over HTTP, and what becomes of each.

use appsync_protocol::client::{BackoffPolicy, ClientConfig, ClientEvent, Loss};
use appsync_protocol::encode::ObjectWriter;
use appsync_protocol::finding::UsageError;
use appsync_protocol::handshake::Scheme;
use appsync_protocol::json::{Json, parse_json, push_json_string};
use appsync_protocol::message::{ErrorEntry, Operation};
use appsync_protocol::moment::Moment;
use serde::Deserialize;
use serde_json::value::RawValue;
use syncspec::session::{News, Session, SessionOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::graphql::Failure;
use super::intake::{Entry, Intake, Source};
use super::{Context, INTERRUPTED, REFUSED, UNREACHABLE};
use crate::cli::subscribe::{describe, exit_code};
use crate::cli::voice::{Voice, counted, in_words, json_line};
use crate::cli::{random_seed, usage};

/// The one publish under way.
const ID: &str = "pub";

/// Failed attempts in a row to connect again.
const RETRIES: u32 = 8;

/// What became of the events so far.
struct Tally<'v> {
    voice: &'v Voice,
    json: bool,
    accepted: u64,
    others: u64,
}

/// What became of one event.
enum Fate {
    Accepted { identifier: Option<String> },
    Refused { why: String },
    Unknown { why: String },
}

impl Tally<'_> {
    fn note(&mut self, number: u64, fate: &Fate) {
        match fate {
            Fate::Accepted { .. } => self.accepted += 1,
            Fate::Refused { .. } | Fate::Unknown { .. } => self.others += 1,
        }
        let line = if self.json { fate.record(number) } else { fate.line(number) };
        let line = self.voice.redactor.text(&line);
        self.voice.line(&if self.json { json_line(&line) } else { syncspec::report::text::printable(&line) });
    }

    fn note_all(&mut self, batch: &[Entry], fate: &Fate) {
        for entry in batch {
            self.note(entry.number, fate);
        }
    }

    /// Source: EVT-PUB-010 to EVT-PUB-012: entries name events by their place in the batch.
    fn note_receipt(&mut self, batch: &[Entry], successful: Option<&str>, failed: Option<&str>) {
        let [accepted, refused] = [successful, failed].map(|list| list.and_then(parse_json).unwrap_or_default());
        let at = |list: &Json, index: usize| {
            let all = list.as_array()?;
            let named = |entry: &&Json| entry.get("index").and_then(Json::as_u64) == Some(index as u64);
            all.iter().find(named).cloned()
        };
        for (index, entry) in batch.iter().enumerate() {
            let fate = match (at(&accepted, index), at(&refused, index)) {
                (_, Some(refused)) => Fate::Refused { why: reason(&refused) },
                (Some(accepted), None) => {
                    Fate::Accepted { identifier: accepted.get("identifier").and_then(Json::as_str).map(Into::into) }
                }
                (None, None) => Fate::Unknown { why: "the answer does not mention it".into() },
            };
            self.note(entry.number, &fate);
        }
    }

    /// `fault` is the line that ended the input, if one did.
    fn code(&self, fault: Option<&str>) -> u8 {
        match fault {
            Some(fault) => usage(fault),
            None if self.others == 0 => 0,
            None => REFUSED,
        }
    }

    fn summary(&self) -> String {
        let all = self.accepted + self.others;
        format!("{} of {} accepted", self.accepted, counted(all, "event"))
    }
}

fn reason(refused: &Json) -> String {
    let member = |name: &str| match refused.get(name) {
        Some(Json::String(text)) => Some(text.clone()),
        Some(Json::Number(number)) => Some(number.to_string()),
        Some(Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_)) | None => None,
    };
    let words = ["errorType", "code", "message", "errorMessage"].into_iter().filter_map(member).collect::<Vec<_>>();
    if words.is_empty() { "the server does not say why".into() } else { words.join(": ") }
}

impl Fate {
    fn line(&self, number: u64) -> String {
        match self {
            Self::Accepted { identifier: Some(identifier) } => format!("event {number} accepted as {identifier}"),
            Self::Accepted { identifier: None } => format!("event {number} accepted"),
            Self::Refused { why } => format!("event {number} refused: {why}"),
            Self::Unknown { why } => format!("event {number} unknown: {why}"),
        }
    }

    fn record(&self, number: u64) -> String {
        let mut record = String::new();
        let writer = ObjectWriter::open(&mut record).text("event", &number.to_string());
        match self {
            Self::Accepted { identifier: Some(id) } => writer.text("accepted", "true").string("identifier", id).close(),
            Self::Accepted { identifier: None } => writer.text("accepted", "true").close(),
            Self::Refused { why } => writer.text("accepted", "false").string("why", why).close(),
            Self::Unknown { why } => writer.text("accepted", "null").string("why", why).close(),
        };
        record
    }
}

/// `{"channel":…,"events":[…]}`. Source: EVT-HTTP-002.
fn body(channel: &str, batch: &[Entry]) -> String {
    let mut events = String::from("[");
    for (place, entry) in batch.iter().enumerate() {
        if place > 0 {
            events.push(',');
        }
        push_json_string(&mut events, &entry.json);
    }
    events.push(']');
    let mut body = String::new();
    ObjectWriter::open(&mut body).string("channel", channel).text("events", &events).close();
    body
}

/// One POST for each batch.
pub(super) async fn over_http(context: Context<'_>, source: Source) -> u8 {
    let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return usage("signals cannot be heard") };
    let mut tally = Tally { voice: &context.voice, json: context.options.json, accepted: 0, others: 0 };
    let mut intake = Intake::open(source);
    let stopped = loop {
        let batch = intake.batch();
        if !batch.is_empty() {
            if let Err(code) = post(&context, &mut tally, &batch).await {
                break Some(code);
            }
            continue;
        }
        if intake.is_over() {
            break None;
        }
        tokio::select! {
            () = intake.more() => {}
            _ = interrupt.recv() => break Some(INTERRUPTED),
        }
    };
    context.voice.tell(tally.summary());
    stopped.unwrap_or_else(|| tally.code(intake.fault()))
}

/// Fails with an exit code if there is no answer to be had.
async fn post(context: &Context<'_>, tally: &mut Tally<'_>, batch: &[Entry]) -> Result<(), u8> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Answer<'a> {
        #[serde(borrow)]
        successful: Option<&'a RawValue>,
        #[serde(borrow)]
        failed: Option<&'a RawValue>,
        errors: Vec<Failure>,
    }
    let request = context.post(body(&context.options.topic, batch)).map_err(|why| {
        context.voice.tell(format_args!("no credentials for the request: {why}"));
        REFUSED
    })?;
    let response = context.dialer.http(&context.place.http, &request).await.map_err(|error| {
        tally.note_all(batch, &Fate::Unknown { why: "no answer".into() });
        context.voice.tell(error);
        UNREACHABLE
    })?;
    let text = response.body.text();
    let answer: Option<Answer<'_>> = serde_json::from_str(&text).ok();
    match answer {
        Some(Answer { successful, failed, .. }) if successful.is_some() || failed.is_some() => {
            tally.note_receipt(batch, successful.map(RawValue::get), failed.map(RawValue::get));
        }
        Some(Answer { errors, .. }) if !errors.is_empty() => {
            let errors: Vec<ErrorEntry> = errors.into_iter().map(Into::into).collect();
            tally.note_all(batch, &Fate::Refused { why: in_words(&errors) });
        }
        Some(_) | None => {
            tally.note_all(batch, &Fate::Refused { why: format!("status {}", response.status) });
            context
                .voice
                .tell(format_args!("expected the result of a publish; got status {}: {text}", response.status));
        }
    }
    Ok(())
}

/// One connection, one publish at a time.
pub(super) async fn over_websocket(context: Context<'_>, source: Source) -> u8 {
    let Ok(interrupt) = signal(SignalKind::interrupt()) else { return usage("signals cannot be heard") };
    let Context { options, place, dialer, speaker, voice } = context;
    let mut config = ClientConfig::new(place.dialect);
    config.backoff = BackoffPolicy { attempts_max: Some(RETRIES), ..config.backoff };
    let url = place.realtime.to_text(Scheme::WebSocket);
    let session = Session::new(SessionOptions {
        config,
        dialer,
        carrier: options.credentials.carrier(place.dialect),
        realtime: place.realtime,
        source: speaker.source,
        seed: random_seed(),
    });
    let tally = Tally { voice: &voice, json: options.json, accepted: 0, others: 0 };
    let publisher = Publisher {
        channel: &options.topic,
        voice: &voice,
        url,
        session,
        tally,
        intake: Intake::open(source),
        under_way: None,
        connected: false,
        was_connected: false,
        undialled: None,
        ending: None,
        over: false,
    };
    publisher.run(interrupt).await
}

struct Publisher<'v> {
    channel: &'v str,
    voice: &'v Voice,
    url: String,
    session: Session,
    tally: Tally<'v>,
    intake: Intake,
    /// The batch whose answer is awaited.
    under_way: Option<Vec<Entry>>,
    connected: bool,
    was_connected: bool,
    /// Why the last attempt to connect failed.
    undialled: Option<String>,
    /// The exit code, if it is not for the tally to say.
    ending: Option<u8>,
    over: bool,
}

impl Publisher<'_> {
    async fn run(mut self, mut interrupt: Signal) -> u8 {
        // A new session can always be connected.
        let begun = self.session.connect();
        debug_assert!(begun.is_ok());
        let mut closing = false;
        while !self.over {
            if !closing {
                closing = self.work();
                if self.over {
                    break;
                }
            }
            tokio::select! {
                news = self.session.next() => self.take(news),
                () = self.intake.more(), if !closing && !self.intake.is_full() => {}
                _ = interrupt.recv() => {
                    if closing {
                        return INTERRUPTED;
                    }
                    self.stop(INTERRUPTED);
                }
            }
        }
        self.voice.tell(self.tally.summary());
        self.ending.unwrap_or_else(|| self.tally.code(self.intake.fault()))
    }

    /// Sends the next batch if there is one and nothing is under way. Whether everything is done and the way out begun.
    fn work(&mut self) -> bool {
        let is_done = self.ending.is_some() || self.intake.is_over();
        if is_done && (self.under_way.is_none() || self.ending.is_some()) {
            // Without anything to close there is nothing to wait for.
            self.over = self.session.close().is_err();
            return true;
        }
        if self.under_way.is_none() && self.connected {
            let batch = self.intake.batch();
            if !batch.is_empty() {
                let texts: Vec<&str> = batch.iter().map(|entry| entry.json.as_str()).collect();
                match self.session.publish(ID, self.channel, &texts) {
                    Ok(()) => self.under_way = Some(batch),
                    // The connection has just gone; the news of it is on its way.
                    Err(UsageError::NotOpen) => {
                        self.connected = false;
                        self.intake.put_back(batch);
                    }
                    Err(error) => self.tally.note_all(&batch, &Fate::Refused { why: error.to_string() }),
                }
            }
        }
        false
    }

    fn stop(&mut self, code: u8) {
        self.ending = self.ending.or(Some(code));
    }

    fn settle(&mut self, fate: &Fate) {
        if let Some(batch) = self.under_way.take() {
            self.tally.note_all(&batch, fate);
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Dialling => self.voice.murmur(format_args!("connecting to {}", self.url)),
            News::Undialled(undialled) => self.undialled = Some(undialled.to_string()),
            News::NoCredentials { purpose, why } => {
                self.voice.tell(format_args!("no credentials to {purpose}: {why}"));
                self.stop(REFUSED);
            }
            News::Told(event) => self.told(event),
        }
    }

    fn told(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::Connected { .. } => {
                (self.connected, self.was_connected) = (true, true);
                self.voice.murmur("acknowledged");
            }
            ClientEvent::Published { id: _, successful, failed } => {
                if let Some(batch) = self.under_way.take() {
                    self.tally.note_receipt(&batch, successful.as_deref(), failed.as_deref());
                }
            }
            ClientEvent::PublishRefused { id: _, errors } => self.settle(&Fate::Refused { why: in_words(&errors) }),
            ClientEvent::Interrupted { operation: Operation::Publish, .. } => {
                self.settle(&Fate::Unknown { why: "the connection was lost before the answer".into() });
            }
            ClientEvent::TimedOut { operation: Operation::Publish, .. } => {
                self.settle(&Fate::Unknown { why: "no answer in time".into() });
            }
            ClientEvent::Reported { id: _, errors } => {
                self.voice.tell(format_args!("the server reports an error: {}", in_words(&errors)));
            }
            ClientEvent::Lost { loss, retry_at } => self.lost(&loss, retry_at),
            ClientEvent::Failed { .. } | ClientEvent::Closed { .. } => self.over = true,
            ClientEvent::Finding(finding) => self.voice.murmur(format_args!("finding: {finding}")),
            // A publisher subscribes to nothing, and the session answers requests for credentials.
            ClientEvent::Needs(_)
            | ClientEvent::Subscribed { .. }
            | ClientEvent::Refused { .. }
            | ClientEvent::Data { .. }
            | ClientEvent::BroadcastFailed { .. }
            | ClientEvent::Ended { .. }
            | ClientEvent::Interrupted { operation: Operation::Subscribe | Operation::Unsubscribe, .. }
            | ClientEvent::TimedOut { operation: Operation::Subscribe | Operation::Unsubscribe, .. }
            | ClientEvent::Renamed { .. } => {}
        }
    }

    /// Before the first acknowledgement a loss is the end.
    fn lost(&mut self, loss: &Loss, retry_at: Option<Moment>) {
        self.connected = false;
        let what = describe(loss, self.undialled.take(), self.was_connected);
        match retry_at {
            Some(at) if self.was_connected => {
                let pause = self.session.until(at).as_secs_f64();
                self.voice.murmur(format_args!("lost: {what}; connecting again in {pause:.2} s"));
            }
            Some(_) | None => {
                self.voice.tell(what);
                self.stop(exit_code(loss, self.was_connected));
            }
        }
    }
}
