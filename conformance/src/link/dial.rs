//! From a URL to an open socket, or to the answer of one HTTP exchange.
//!
//! Name resolution, TCP and TLS share one time limit; writing the request and reading the whole answer share another.
//! Addresses are tried one after the other, each with its part of what is left of the time.
//!
//! The request is sent as it is given. Fields that the exchange cannot do without are added only where they are absent,
//! so that a scenario can send wrong ones.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::handshake::Url;
use appsync_protocol::wire::{Request, Response};
use tokio::io::{AsyncWrite, AsyncWriteExt, ReadHalf, split};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::ClientConfig;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::framed::Framed;
use super::http::{self, Intake, ReadFailure};
use super::tls::{self, BadCa};
use super::transport::Transport;
use super::{BODY_LIMIT, HEAD_LIMIT, LinkError, MESSAGE_LIMIT, REFUSAL_LIMIT, Socket};

/// How to reach the endpoints.
#[derive(Clone, Debug)]
pub struct DialOptions {
    /// Where to connect instead: pairs of the URL's `host:port` (the port may be left out; empty means every host) and
    /// the `host:port` to dial. The first match counts. SNI, certificate and `host` stay those of the URL.
    pub connect_to: Vec<(String, String)>,
    /// Certificates in PEM that are trusted besides the built-in roots.
    pub ca: Option<Vec<u8>>,
    /// Accepts any certificate.
    pub insecure: bool,
    /// For name resolution, TCP and TLS together.
    pub connect_timeout: Duration,
    /// For sending a request and receiving the whole answer, and for sending one frame.
    pub answer_timeout: Duration,
}

impl Default for DialOptions {
    fn default() -> Self {
        Self {
            connect_to: Vec::new(),
            ca: None,
            insecure: false,
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(10),
        }
    }
}

/// Opens connections. Cheap to clone.
#[derive(Clone)]
pub struct Dialer {
    connect_to: Arc<[(String, String)]>,
    tls: Arc<ClientConfig>,
    connect_timeout: Duration,
    answer_timeout: Duration,
}

/// The answer to an upgrade.
pub struct Opened {
    /// The answer; the body of a refusal is cut after [`REFUSAL_LIMIT`] bytes, and where the time was over.
    pub response: Response,
    /// Present if the status is 101 and `upgrade` is `websocket`.
    pub socket: Option<Socket>,
}

/// The answer to an upgrade, before anybody speaks WebSocket.
pub(crate) struct Upgraded {
    pub(crate) response: Response,
    /// Present if the status is 101 and `upgrade` is `websocket`; with what was read after the answer.
    pub(crate) stream: Option<(Transport, Vec<u8>)>,
    /// Where it leads, for error texts.
    pub(crate) at: String,
}

impl Dialer {
    /// Fails if the CA certificates cannot be used.
    pub fn new(options: DialOptions) -> Result<Self, BadCa> {
        let DialOptions { connect_to, ca, insecure, connect_timeout, answer_timeout } = options;
        let tls = tls::client_config(ca.as_deref(), insecure)?;
        Ok(Self { connect_to: connect_to.into(), tls, connect_timeout, answer_timeout })
    }

    /// Connects to the host of `url` and asks for an upgrade with `request`.
    ///
    /// Adds `host`, `connection`, `upgrade`, `sec-websocket-version` and `sec-websocket-key` where they are absent. A
    /// refusal is not an error. That the server selects no subprotocol, or another one, is not looked at. Fails if no
    /// answer can be had, or if a 101 does not prove that it belongs to the key.
    pub async fn open(&self, url: &Url, request: &Request) -> Result<Opened, LinkError> {
        let Upgraded { response, stream, at } = self.upgrade(url, request).await?;
        let socket = match stream {
            None => None,
            Some((stream, rest)) => {
                let framed = Framed::new(stream, rest, Role::Client, MESSAGE_LIMIT).await;
                Some(Socket::new(framed, at, self.answer_timeout))
            }
        };
        Ok(Opened { response, socket })
    }

    /// As [`Self::open`], with the bytes after a 101 instead of a WebSocket.
    pub(crate) async fn upgrade(&self, url: &Url, request: &Request) -> Result<Upgraded, LinkError> {
        let route = self.route(url);
        let key = match request.headers.first("sec-websocket-key") {
            Some(key) => key.to_owned(),
            None => self.random_key(&route)?,
        };
        let request = with_fields(
            request,
            &[
                ("host", url.authority()),
                ("connection", "Upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", &key),
            ],
        );
        let text = http::write_request(&request).map_err(|detail| LinkError::BadRequest { detail })?;

        let mut stream = self.connect(url, &route).await?;
        let deadline = Instant::now() + self.answer_timeout;
        let (response, rest) = exchange(&mut stream, &text, async |mut intake| {
            let mut response = self.by(deadline, &route, intake.response(HEAD_LIMIT)).await?;
            if !response.is_upgrade() {
                // What came of the body is worth more than the reason why it did not all come.
                let length = http::response_length(&request.method, &response).unwrap_or(http::BodyLength::UntilClose);
                let _ = timeout_at(deadline, intake.body(length, REFUSAL_LIMIT, &mut response.body.0)).await;
            }
            Ok((response, intake.into_rest().1))
        })
        .await?;

        let upgraded = response.is_upgrade() && http::has_word(&response.headers, "upgrade", "websocket");
        if !upgraded {
            return Ok(Upgraded { response, stream: None, at: route.at });
        }
        let accept = response.headers.first("sec-websocket-accept").map(str::trim);
        if accept != Some(http::accept_value(&key).as_str()) {
            return Err(LinkError::BadAccept { at: route.at });
        }
        Ok(Upgraded { response, stream: Some((stream, rest)), at: route.at })
    }

    /// An open stream to the host of `url`, for whoever speaks HTTP on it several times.
    pub(crate) async fn stream(&self, url: &Url) -> Result<Transport, LinkError> {
        self.connect(url, &self.route(url)).await
    }

    /// One request and its answer on a connection of their own.
    ///
    /// Adds `host`, `connection` and, with a body, `content-length` where they are absent. Every status is an answer.
    pub async fn http(&self, url: &Url, request: &Request) -> Result<Response, LinkError> {
        let route = self.route(url);
        let length = request.body.0.len().to_string();
        let fields = [("host", url.authority()), ("connection", "close"), ("content-length", &length)];
        let has_body = !request.body.0.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
        let is_framed = !has_body || request.headers.first("transfer-encoding").is_some();
        let request = with_fields(request, &fields[..if is_framed { 2 } else { 3 }]);
        let text = http::write_request(&request).map_err(|detail| LinkError::BadRequest { detail })?;

        let mut stream = self.connect(url, &route).await?;
        let deadline = Instant::now() + self.answer_timeout;
        exchange(&mut stream, &text, async |mut intake| {
            self.by(deadline, &route, async {
                let mut response = intake.response(HEAD_LIMIT).await?;
                let length = http::response_length(&request.method, &response)?;
                intake.body(length, BODY_LIMIT, &mut response.body.0).await?;
                Ok(response)
            })
            .await
        })
        .await
    }

    /// Connects and hangs up: name, TCP and TLS.
    ///
    /// # Errors
    /// As [`open`](Self::open), as far as it goes.
    pub async fn reach(&self, url: &Url) -> Result<(), LinkError> {
        let route = self.route(url);
        self.connect(url, &route).await.map(drop)
    }

    /// The `host:port` to which connections for this URL go.
    pub fn address(&self, url: &Url) -> String {
        self.route(url).dial
    }

    async fn by<T>(
        &self,
        deadline: Instant,
        route: &Route,
        reading: impl Future<Output = Result<T, ReadFailure>>,
    ) -> Result<T, LinkError> {
        match timeout_at(deadline, reading).await {
            Ok(read) => read.map_err(|failure| read_error(&route.at, failure)),
            Err(_) => Err(LinkError::AnswerTimeout { at: route.at.clone(), after: self.answer_timeout }),
        }
    }

    fn route(&self, url: &Url) -> Route {
        let host = url.host_name();
        let place = format!("{host}:{}", url.port());
        let is_meant =
            |from: &str| from.is_empty() || from.eq_ignore_ascii_case(&place) || from.eq_ignore_ascii_case(host);
        match self.connect_to.iter().find(|(from, _)| is_meant(from)) {
            Some((_, dial)) => Route { at: format!("{place} (dialled at {dial})"), dial: dial.clone() },
            None => Route { at: place.clone(), dial: place },
        }
    }

    async fn connect(&self, url: &Url, route: &Route) -> Result<Transport, LinkError> {
        let deadline = Instant::now() + self.connect_timeout;
        let late =
            |waiting_for| LinkError::ConnectTimeout { at: route.at.clone(), waiting_for, after: self.connect_timeout };

        let addresses: Vec<_> = match timeout_at(deadline, lookup_host(&route.dial)).await {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(error)) => return Err(LinkError::Resolve { at: route.at.clone(), detail: error.to_string() }),
            Err(_) => return Err(late("answer from the name service")),
        };
        let tcp = match connect_first(&addresses, deadline).await {
            Ok(tcp) => tcp,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(late("TCP connection")),
            Err(error) => return Err(connect_error(&route.at, &error)),
        };
        // Failing leaves small messages late, not wrong.
        let _ = tcp.set_nodelay(true);
        if !url.secure {
            return Ok(Transport::Plain(tcp));
        }

        let name = tls::server_name(&route.at, url.host_name())?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        match timeout_at(deadline, connector.connect(name, tcp)).await {
            Ok(Ok(stream)) => Ok(Transport::Tls(Box::new(stream))),
            Ok(Err(error)) => Err(tls::explain(&route.at, &error)),
            Err(_) => Err(late("TLS handshake")),
        }
    }

    fn random_key(&self, route: &Route) -> Result<String, LinkError> {
        let mut random = [0; 16];
        match self.tls.crypto_provider().secure_random.fill(&mut random) {
            Ok(()) => Ok(http::key_from(random)),
            Err(rustls::crypto::GetRandomFailed) => Err(LinkError::Io {
                at: route.at.clone(),
                during: "preparing the upgrade",
                detail: "the system gives no random bytes".into(),
            }),
        }
    }
}

/// Where a URL leads.
struct Route {
    /// For error texts.
    at: String,
    /// `host:port` to connect to.
    dial: String,
}

fn with_fields(request: &Request, fields: &[(&str, &str)]) -> Request {
    let mut request = request.clone();
    for (name, value) in fields {
        if request.headers.first(name).is_none() {
            request.headers.push(*name, *value);
        }
    }
    request
}

async fn connect_first(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        last = match timeout(left / others, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => error,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
    }
    Err(last)
}

/// Writes `text` while `read` reads, so that neither side waits for the other to take its bytes.
///
/// An answer that comes before the request was taken counts; a server may refuse a long body early.
async fn exchange<T>(
    stream: &mut Transport,
    text: &[u8],
    read: impl AsyncFnOnce(Intake<ReadHalf<&mut Transport>>) -> Result<T, LinkError>,
) -> Result<T, LinkError> {
    let (reader, mut writer) = split(stream);
    let reading = read(Intake::new(reader));
    let writing = write_all(&mut writer, text);
    tokio::pin!(reading, writing);
    tokio::select! {
        biased;
        result = &mut reading => result,
        // A failure to write shows in the reading, after what the peer still had to say.
        _ = &mut writing => reading.await,
    }
}

async fn write_all<W: AsyncWrite + Unpin>(writer: &mut W, text: &[u8]) -> io::Result<()> {
    writer.write_all(text).await?;
    writer.flush().await
}

fn connect_error(at: &str, error: &io::Error) -> LinkError {
    let (at, detail) = (at.to_owned(), error.to_string());
    let is_unreachable = matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
    );
    if error.kind() == io::ErrorKind::ConnectionRefused {
        LinkError::Refused { at }
    } else if is_unreachable {
        LinkError::Unreachable { at, detail }
    } else {
        LinkError::Io { at, during: "connecting", detail }
    }
}

fn read_error(at: &str, failure: ReadFailure) -> LinkError {
    let at = at.to_owned();
    match failure {
        ReadFailure::HeadTooLarge => LinkError::HeadTooLarge { at, limit: HEAD_LIMIT },
        ReadFailure::BodyTooLarge => LinkError::BodyTooLarge { at, limit: BODY_LIMIT },
        // A TLS alert: record type 21, version 3.x.
        ReadFailure::NotHttp(bytes) if bytes.starts_with(&[21, 3]) => LinkError::PlainWhereTls { at },
        ReadFailure::NotHttp(bytes) => LinkError::NotHttp { at, saw: printable(&bytes) },
        ReadFailure::Malformed(detail) => LinkError::Malformed { at, detail },
        ReadFailure::Closed(during) => LinkError::Closed { at, during },
        ReadFailure::Io(during, error) => LinkError::from_io(&at, during, &error),
    }
}

/// The first few bytes for people: too few for a credential, enough to know a protocol by.
fn printable(bytes: &[u8]) -> String {
    let shown = bytes.iter().take(12).map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' });
    shown.collect()
}
