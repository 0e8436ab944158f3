//! A ladder from the name of a host to the first event. The first rung that breaks ends it, with the cure.
//!
//! ```text
//!   name --> TCP --> TLS --> upgrade --> subprotocol --> credentials --> clock --> subscription --> trigger
//! ```
//!
//! It judges nothing: a rung breaks when nobody could work with the target, not when a rule is broken.

use std::time::{Duration, SystemTime};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::Url;
use appsync_protocol::server::Mode;
use appsync_protocol::wire::{Headers, Request, Response};
use serde::Serialize;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::dialogue::{Answer, Dialogue};
use crate::link::{Dialer, LinkError, Opened, Socket};
use crate::run::{Endpoint, SCHEMA_HINT};

/// The rungs in their order.
pub const RUNGS: [&str; 9] =
    ["name", "tcp", "tls", "upgrade", "subprotocol", "credentials", "clock", "subscription", "trigger"];

/// How a rung is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It holds.
    Holds,
    /// It holds, and there is something to know.
    Noted,
    /// There is nothing to try.
    Skipped,
    /// It breaks.
    Broken,
}

/// One rung.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rung {
    /// One of [`RUNGS`].
    pub name: &'static str,
    /// How it is.
    pub state: State,
    /// What was tried.
    pub tried: String,
    /// What was seen.
    pub seen: String,
    /// What to do; empty unless it breaks or is noted.
    pub cure: String,
}

/// How far the clocks may be apart: signatures are good for five minutes.
const SKEW_MAX: Duration = Duration::from_secs(300);

/// How often the trigger is used before the silence counts: a grant does not promise delivery at once.
const TRIGGERS: u32 = 4;

/// Climbs until a rung breaks.
pub async fn climb(dialer: &Dialer, endpoint: &Endpoint, patience: Duration, seed: u64) -> Vec<Rung> {
    let mut ladder = Ladder { dialer, endpoint, patience, rungs: Vec::new() };
    let prefix = format!("d{:06x}-doctor", seed & 0xff_ffff);
    let dialogue = Dialogue::new(dialer, endpoint, &prefix, patience);
    ladder.all(&dialogue).await;
    ladder.rungs
}

struct Ladder<'t> {
    dialer: &'t Dialer,
    endpoint: &'t Endpoint,
    patience: Duration,
    rungs: Vec<Rung>,
}

impl Ladder<'_> {
    /// `None` as soon as a rung breaks.
    async fn all(&mut self, dialogue: &Dialogue<'_>) -> Option<()> {
        self.name().await?;
        self.tcp().await?;
        self.tls().await?;
        let (response, mut socket) = self.upgrade(dialogue).await?;
        self.subprotocol(&response)?;
        self.credentials(dialogue, socket.as_mut(), &response).await?;
        self.clock(dialogue).await?;
        let mut socket = socket?;
        let topic = dialogue.topic("doctor");
        self.subscription(dialogue, &mut socket, &topic).await?;
        self.trigger(dialogue, &mut socket, &topic).await?;
        dialogue.close(&mut socket).await;
        Some(())
    }

    /// The places that are spoken to, each once.
    fn places(&self) -> Vec<Url> {
        let (realtime, http) = (&self.endpoint.realtime, &self.endpoint.http);
        let apart = self.dialer.address(realtime) != self.dialer.address(http);
        [Some(realtime), Some(http).filter(|_| apart)].into_iter().flatten().cloned().collect()
    }

    async fn name(&mut self) -> Option<()> {
        let mut seen = Vec::new();
        for place in self.places() {
            let address = self.dialer.address(&place);
            let found = match timeout(self.patience, lookup_host(&address)).await {
                Ok(Ok(mut found)) => found.next().ok_or_else(|| "no address".to_owned()),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err("no answer of the name service".into()),
            };
            match found {
                Ok(found) => seen.push(format!("{address} is {}", found.ip())),
                Err(why) => {
                    let cure = "look for a typing error in the host; is there a network, or a VPN to be on? An emulator \
                                that routes by host name is dialled with --connect-to HOST:PORT";
                    return self.broken("name", format!("looked up {address}"), why, cure);
                }
            }
        }
        self.holds("name", "looked the hosts up".into(), seen.join("; "))
    }

    async fn tcp(&mut self) -> Option<()> {
        let mut seen = Vec::new();
        for place in self.places() {
            let address = self.dialer.address(&place);
            let tried = format!("connected to {address}");
            match timeout(self.patience, TcpStream::connect(&address)).await {
                Ok(Ok(_)) => seen.push(format!("{address} listens")),
                Ok(Err(error)) => {
                    let cure = "is the server running, and is this its port? On another machine a firewall may refuse";
                    return self.broken("tcp", tried, error.to_string(), cure);
                }
                Err(_) => {
                    let cure = "usually a firewall or a wrong port: packets are dropped without an answer";
                    return self.broken("tcp", tried, "no answer".into(), cure);
                }
            }
        }
        self.holds("tcp", "connected".into(), seen.join("; "))
    }

    async fn tls(&mut self) -> Option<()> {
        let places: Vec<_> = self.places().into_iter().filter(|place| place.secure).collect();
        if places.is_empty() {
            return self.rung(
                "tls",
                State::Skipped,
                "looked at the URLs".into(),
                "the URLs are http: and ws:".into(),
                "",
            );
        }
        for place in &places {
            if let Err(error) = self.dialer.reach(place).await {
                let cure = if matches!(error, LinkError::TlsWherePlain { .. }) {
                    "give the URL as http: or ws:"
                } else {
                    "for a certificate of an authority of your own give --ca FILE; for a made one --insecure; the host \
                     of the URL has to stand in the certificate"
                };
                return self.broken("tls", format!("TLS with {}", place.authority()), error.to_string(), cure);
            }
        }
        self.holds("tls", "shook hands".into(), "the certificate is trusted and names the host".into())
    }

    async fn upgrade(&mut self, dialogue: &Dialogue<'_>) -> Option<(Response, Option<Socket>)> {
        let realtime = &self.endpoint.realtime;
        let tried = format!("asked {}{} for an upgrade", realtime.authority(), realtime.path);
        let opened = match dialogue.open().await {
            Ok(opened) => opened,
            Err(error) => {
                let cure = if matches!(error, LinkError::PlainWhereTls { .. }) {
                    "give the URL as https: or wss:"
                } else if matches!(error, LinkError::BadAccept { .. }) {
                    "a proxy or cache in between answers; go around it"
                } else {
                    "is this the port of the real-time endpoint? Give its URL with --realtime"
                };
                self.broken("upgrade", tried, error.to_string(), cure);
                return None;
            }
        };
        let Opened { response, socket } = opened;
        let status = response.status;
        // Whether it is the credentials is the business of their rung.
        if socket.is_some() || matches!(status, 401 | 403) {
            self.holds("upgrade", tried, format!("status {status}"))?;
            return Some((response, socket));
        }
        let body = dialogue.shown(&response.body.text(), 120);
        let cure = match status {
            300..400 => "it redirects, which WebSocket clients do not follow: give the URL that it leads to",
            404 | 405 => "no real-time endpoint at this path: give its whole URL with --realtime wss://...",
            400 => "it did not like the request: is the host of the URL the one that it knows, and --dialect right?",
            429 | 503 => "it has too much to do, or is starting: try again later",
            _ => "is this an AppSync endpoint, and not the page of something else? Give its URL with --realtime",
        };
        self.broken("upgrade", tried, format!("expected status 101; got {status} {body}"), cure);
        None
    }

    fn subprotocol(&mut self, response: &Response) -> Option<()> {
        let wanted = self.endpoint.dialect.subprotocol();
        let tried = format!("offered {wanted}");
        match response.subprotocol() {
            _ if response.status != 101 => {
                self.rung("subprotocol", State::Skipped, tried, "there was no upgrade".into(), "")
            }
            Some(selected) if selected == wanted => {
                self.holds("subprotocol", tried, format!("{selected} was selected"))
            }
            Some(other) => {
                let cure = "the endpoint speaks another protocol: choose with --dialect graphql or --dialect events";
                self.broken("subprotocol", tried, format!("{other:?} was selected"), cure)
            }
            None => {
                let cure = "browsers end a connection whose offer was not taken up; others go on";
                self.rung("subprotocol", State::Noted, tried, "none was selected".into(), cure)
            }
        }
    }

    async fn credentials(
        &mut self,
        dialogue: &Dialogue<'_>,
        socket: Option<&mut Socket>,
        response: &Response,
    ) -> Option<()> {
        let main = self.endpoint.keyring.main;
        let word = crate::auth::mode_word(main);
        if self.endpoint.secret(main).is_none() {
            let cure = "give an API key in SYNCSPEC_API_KEY, a token in SYNCSPEC_TOKEN, or --iam; or name them in \
                        syncspec.toml";
            return self.broken("credentials", "looked for credentials".into(), "none were given".into(), cure);
        }
        let tried = format!("connected with credentials of mode {word}");
        let answer = match socket {
            Some(socket) => dialogue.init(socket).await,
            None => Answer::No(format!("status {} {}", response.status, dialogue.shown(&response.body.text(), 120))),
        };
        let skewed = self.skew(dialogue).await.is_some_and(|skew| skew.apart > SKEW_MAX);
        let cure = match (&answer, main) {
            (Answer::Yes(_), _) => "",
            (Answer::Silence, _) => {
                "it took the connection and says nothing: is it an AppSync endpoint of this --dialect?"
            }
            (Answer::No(_) | Answer::End(_), _) if skewed => {
                "the clocks are more than five minutes apart, which breaks signatures and tokens: set the clock"
            }
            (Answer::No(_) | Answer::End(_), Mode::ApiKey) => {
                "is the key of this API, and not expired? Is API_KEY among its authorization modes? Another mode: --mode"
            }
            (Answer::No(_) | Answer::End(_), Mode::Iam) => {
                "are the keys allowed to use this API (appsync:GraphQL, appsync:EventConnect), and is --region its own?"
            }
            (Answer::No(_) | Answer::End(_), Mode::Oidc | Mode::Cognito) => {
                "is the token of an issuer that this API knows, for its client, and not expired? Fetch a new one"
            }
            (Answer::No(_) | Answer::End(_), Mode::Lambda) => "does the authorizer of this API let this token in?",
        };
        match answer {
            Answer::Yes(limit) => {
                self.holds("credentials", tried, format!("acknowledged; connectionTimeoutMs {limit}"))
            }
            Answer::No(_) | Answer::End(_) | Answer::Silence => self.broken("credentials", tried, answer.text(), cure),
        }
    }

    async fn clock(&mut self, dialogue: &Dialogue<'_>) -> Option<()> {
        let tried = "compared this clock with the Date of an HTTP answer".to_owned();
        let Some(Skew { apart, ahead }) = self.skew(dialogue).await else {
            return self.rung("clock", State::Skipped, tried, "the answer has no Date".into(), "");
        };
        let way = if ahead { "ahead" } else { "behind" };
        let seen = format!("this clock is {} s {way}", apart.as_secs());
        if apart <= SKEW_MAX {
            return self.holds("clock", tried, seen);
        }
        let cure = "set the clock (NTP): signatures and tokens are good for minutes only";
        match self.endpoint.keyring.main {
            Mode::Iam | Mode::Oidc | Mode::Cognito => self.broken("clock", tried, seen, cure),
            Mode::ApiKey | Mode::Lambda => self.rung("clock", State::Noted, tried, seen, cure),
        }
    }

    async fn skew(&self, dialogue: &Dialogue<'_>) -> Option<Skew> {
        let headers = Headers::new().with("host", self.endpoint.http.authority());
        let target = self.endpoint.http.path.clone();
        let request = Request { method: "GET".into(), target, headers, body: "".into() };
        let answer = dialogue.http(&request).await.ok()?;
        let there = httpdate::parse_http_date(answer.headers.first("date")?).ok()?;
        let here = SystemTime::now();
        Some(match here.duration_since(there) {
            Ok(apart) => Skew { apart, ahead: true },
            Err(error) => Skew { apart: error.duration(), ahead: false },
        })
    }

    async fn subscription(&mut self, dialogue: &Dialogue<'_>, socket: &mut Socket, topic: &str) -> Option<()> {
        let tried = match (self.endpoint.dialect, &self.endpoint.own) {
            (Dialect::Events, _) => format!("subscribed to {topic}"),
            (Dialect::Graphql, Some(_)) => "started the declared subscription".into(),
            (Dialect::Graphql, None) => "started subscribe2channel(name)".into(),
        };
        let answer = dialogue.subscribe(socket, topic).await;
        let cure = match (self.endpoint.dialect, &self.endpoint.own) {
            (Dialect::Events, _) => {
                "is there a channel namespace of this name (--namespace), and may these credentials subscribe to it?"
            }
            (Dialect::Graphql, Some(_)) => "look at document and variables of [targets.NAME.subscription]",
            (Dialect::Graphql, None) => SCHEMA_HINT,
        };
        match answer {
            Answer::Yes(seen) => self.holds("subscription", tried, seen),
            Answer::No(_) | Answer::End(_) | Answer::Silence => self.broken("subscription", tried, answer.text(), cure),
        }
    }

    async fn trigger(&mut self, dialogue: &Dialogue<'_>, socket: &mut Socket, topic: &str) -> Option<()> {
        let tried = match (self.endpoint.dialect, &self.endpoint.own) {
            (Dialect::Events, _) => format!("published to {topic} over HTTP"),
            (Dialect::Graphql, Some(own)) => format!("used the declared {}", own.trigger.word()),
            (Dialect::Graphql, None) => "ran the mutation publish2channel".into(),
        };
        let mut last = Answer::Silence;
        for n in 1..=TRIGGERS {
            let nonce = dialogue.cast().nonce(&format!("event-{n}"));
            match dialogue.trigger(topic, &nonce).await {
                Answer::Yes(_) => {}
                refused @ (Answer::No(_) | Answer::End(_) | Answer::Silence) => {
                    let cure = match self.endpoint.own {
                        Some(_) => "look at [targets.NAME.trigger]: it has to succeed with the credentials of the run",
                        None => "may these credentials publish?",
                    };
                    return self.broken("trigger", tried, refused.text(), cure);
                }
            }
            last = dialogue.event(socket, &nonce).await;
            if let Answer::Yes(seen) = last {
                return self.holds("trigger", tried, seen);
            }
            if !matches!(last, Answer::Silence) {
                break;
            }
        }
        let cure = match (&last, &self.endpoint.own) {
            (Answer::No(_), _) => {
                "name the place of the nonce as data in [targets.NAME.subscription], and select it in \
                                   the document; does the mutation return it?"
            }
            (_, Some(_)) => {
                "does this trigger fire this subscription? The mutation has to select the fields that the \
                             subscription selects, and the topics of both have to be the same"
            }
            (_, None) => "it is taken and never delivered: look at the log of the server",
        };
        self.broken("trigger", tried, last.text(), cure)
    }

    fn holds(&mut self, name: &'static str, tried: String, seen: String) -> Option<()> {
        self.rung(name, State::Holds, tried, seen, "")
    }

    fn broken(&mut self, name: &'static str, tried: String, seen: String, cure: &str) -> Option<()> {
        self.rung(name, State::Broken, tried, seen, cure)
    }

    fn rung(&mut self, name: &'static str, state: State, tried: String, seen: String, cure: &str) -> Option<()> {
        self.rungs.push(Rung { name, state, tried, seen, cure: cure.into() });
        (state != State::Broken).then_some(())
    }
}

/// How far the clocks are apart, and whether ours is ahead.
struct Skew {
    apart: Duration,
    ahead: bool,
}
