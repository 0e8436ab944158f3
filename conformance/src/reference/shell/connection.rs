//! One accepted connection, from its first byte to its end.
//!
//! ```text
//!   tls? ─> head ─┬─> body ─> answer ──────────────────────────> gentle end
//!                 └─> upgrade ─┬─ refused ─> answer ───────────> gentle end
//!                              └─ 101 ─> frames ─┬─ violation ─> gentle end
//!                                                ├─ close ─────> end
//!                                                └─ lost, cut ─> dropped
//! ```
//!
//! Each phase has a limit of time, save the frames. A gentle end reads what the client still sends, so that TCP does
//! not throw away the last words.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use appsync_protocol::hub::ConnectionId;
use appsync_protocol::wire::{Frame, Headers, OwnedFrame, Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::hub::Hub;
use super::queue::Inlet;
use super::{Answer, Notice, Service};
use crate::link::HEAD_LIMIT;
use crate::link::framed::{Framed, Progress};
use crate::link::http::{self, BodyLength, Intake, ReadFailure};

/// What the task of a connection needs.
pub(super) struct Connection<S> {
    pub(super) hub: Arc<Hub<S>>,
    /// Turns true when the port closes.
    pub(super) stopped: watch::Receiver<bool>,
    pub(super) max_message: usize,
    /// There are too many: whatever it asks for, the answer is 503.
    pub(super) is_refused: bool,
}

/// Longest body of a request, in bytes. A longer one gets 413.
const BODY_LIMIT: usize = 12 * 1024 * 1024;

/// For the TLS handshake, for the head of a request, and for writing an answer, each.
const STEP_LIMIT: Duration = Duration::from_secs(10);

/// For the body of a request.
const BODY_TIME: Duration = Duration::from_secs(30);

/// For everything between a close frame and the end of TCP.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Frames that are taken from the queue at a time.
const BATCH: usize = 64;

/// First byte of a TLS handshake record.
const TLS_HANDSHAKE: u8 = 22;

impl<S: Service> Connection<S> {
    pub(super) async fn run(self, tcp: TcpStream, tls: Option<TlsAcceptor>) {
        // Failing leaves small messages late, not wrong.
        let _ = tcp.set_nodelay(true);
        // In boxes, here and below: everything but plain frames. An idle connection should cost little more than its
        // buffers.
        match tls {
            Some(acceptor) => Box::pin(self.unwrap_tls(tcp, acceptor)).await,
            None => self.talk(tcp).await,
        }
    }

    async fn unwrap_tls(self, mut tcp: TcpStream, acceptor: TlsAcceptor) {
        let mut first = [0];
        match timeout(STEP_LIMIT, tcp.peek(&mut first)).await {
            Ok(Ok(1)) if first == [TLS_HANDSHAKE] => {
                if let Ok(Ok(stream)) = timeout(STEP_LIMIT, acceptor.accept(tcp)).await {
                    self.talk(stream).await;
                }
            }
            Ok(Ok(1)) => {
                let refusal = Response::new(400, "this port speaks TLS only; use https: or wss:\n");
                answer(&mut tcp, &refusal, false).await;
            }
            // Nothing came.
            Ok(Ok(_) | Err(_)) | Err(_) => {}
        }
    }

    async fn talk<T: AsyncRead + AsyncWrite + Unpin>(mut self, mut stream: T) {
        let Some(Upgraded { guard, inlet, rest }) = Box::pin(self.shake_hands(&mut stream)).await else {
            return;
        };
        let mut framed = Box::pin(Framed::new(stream, rest, Role::Server, self.max_message)).await;
        converse(&guard, &mut framed, inlet).await;
    }

    /// Reads the request and answers it. There is more to do only after an upgrade.
    async fn shake_hands<T>(&mut self, stream: &mut T) -> Option<Upgraded<S>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let request = tokio::select! {
            biased;
            // An idle connection has nothing to wait for when the port closes.
            _ = self.stopped.wait_for(|stopped| *stopped) => return None,
            request = read_request(stream) => request,
        };
        let request = if self.is_refused { request.and(Err(Some(too_many()))) } else { request };
        let (response, omits_body) = match request {
            Ok(Incoming::Plain(request)) => {
                let Answer { response, after } = self.hub.http(&request);
                // An answer that is due later is not waited for when the port closes.
                if !after.is_zero() && timeout(after, self.stopped.wait_for(|stopped| *stopped)).await.is_ok() {
                    return None;
                }
                (response, request.method == "HEAD")
            }
            Ok(Incoming::Upgrade { request, key, rest }) => match self.hub.upgrade(&request) {
                (response, Some((id, inlet))) if response.is_upgrade() => {
                    let guard = EndsOnDrop { hub: Arc::clone(&self.hub), id };
                    let switched = http::write_response(&switching(response, &key), true);
                    let is_written = matches!(timeout(STEP_LIMIT, write(stream, &switched)).await, Ok(true));
                    return is_written.then_some(Upgraded { guard, inlet, rest });
                }
                (response, Some((id, _))) => {
                    self.hub.end(id, Frame::Lost);
                    (response, false)
                }
                (response, None) if response.is_upgrade() => (Response::new(500, "no connection\n"), false),
                (response, None) => (response, false),
            },
            Err(Some(refusal)) => {
                self.hub.notice(Notice::Refused(refusal.status));
                (refusal, false)
            }
            Err(None) => return None,
        };
        answer(stream, &response, omits_body).await;
        None
    }
}

/// A connection after the 101.
struct Upgraded<S: Service> {
    guard: EndsOnDrop<S>,
    inlet: Inlet,
    /// What came after the request.
    rest: Vec<u8>,
}

/// Tells the end of a connection however its task ends, an abort included.
struct EndsOnDrop<S: Service> {
    hub: Arc<Hub<S>>,
    id: ConnectionId,
}

impl<S: Service> Drop for EndsOnDrop<S> {
    fn drop(&mut self) {
        if thread::panicking() {
            // Asking a service that has just panicked could panic again, which would end the process.
            self.hub.forget(self.id);
        } else {
            self.hub.end(self.id, Frame::Lost);
        }
    }
}

enum Incoming {
    /// A whole request, to be answered.
    Plain(Request),
    /// A valid upgrade request, its key, and what came after it.
    Upgrade { request: Request, key: String, rest: Vec<u8> },
}

/// Reads a whole request. Fails with the answer to give, if there is anybody to give it to.
async fn read_request<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut T) -> Result<Incoming, Option<Response>> {
    let mut intake = Intake::new(stream);
    let (mut request, version) = match timeout(STEP_LIMIT, intake.request(HEAD_LIMIT)).await {
        Ok(head) => head.map_err(refusal)?,
        Err(_) => return Err(Some(Response::new(408, "no whole request in time\n"))),
    };
    if http::has_word(&request.headers, "upgrade", "websocket") {
        let key = upgrade_key(&request, version).map_err(Some)?;
        return Ok(Incoming::Upgrade { request, key, rest: intake.into_rest() });
    }

    let length = http::request_length(&request.headers).map_err(refusal)?;
    if let Some(expectation) = request.headers.first("expect") {
        if !expectation.trim().eq_ignore_ascii_case("100-continue") {
            return Err(Some(Response::new(417, "unknown expectation\n")));
        }
        if is_over_limit(length) {
            return Err(refusal(ReadFailure::BodyTooLarge));
        }
        if version > 0 && !write(intake.reader(), b"HTTP/1.1 100 Continue\r\n\r\n").await {
            return Err(None);
        }
    }
    match timeout(BODY_TIME, intake.body(length, BODY_LIMIT, &mut request.body.0)).await {
        Ok(body) => body.map_err(refusal)?,
        Err(_) => return Err(Some(Response::new(408, "no whole body in time\n"))),
    }
    Ok(Incoming::Plain(request))
}

fn is_over_limit(length: BodyLength) -> bool {
    match length {
        BodyLength::Exact(length) => length > BODY_LIMIT as u64,
        BodyLength::Chunked | BodyLength::UntilClose => false,
    }
}

/// The key of an upgrade request that follows RFC 6455 section 4.2.1, or the refusal of one that does not.
fn upgrade_key(request: &Request, version: u8) -> Result<String, Response> {
    let bad = |text: &str| Response::new(400, text);
    if request.method != "GET" || version == 0 {
        return Err(bad("an upgrade is a GET of HTTP/1.1\n"));
    }
    if !http::has_word(&request.headers, "connection", "upgrade") {
        return Err(bad("an upgrade has the header connection: upgrade\n"));
    }
    if request.headers.first("sec-websocket-version").map(str::trim) != Some("13") {
        let mut refusal = Response::new(426, "sec-websocket-version must be 13\n");
        refusal.headers = Headers::new().with("sec-websocket-version", "13");
        return Err(refusal);
    }
    match request.headers.first("sec-websocket-key").filter(|key| http::is_key(key)) {
        Some(key) => Ok(key.to_owned()),
        None => Err(bad("sec-websocket-key must be 16 bytes in Base64\n")),
    }
}

fn too_many() -> Response {
    let mut response = Response::new(503, "too many connections\n");
    response.headers = Headers::new().with("retry-after", "1");
    response
}

fn refusal(failure: ReadFailure) -> Option<Response> {
    match failure {
        ReadFailure::HeadTooLarge => Some(Response::new(431, "the head is too large\n")),
        ReadFailure::BodyTooLarge => Some(Response::new(413, "the body is too large\n")),
        ReadFailure::NotHttp(_) => Some(Response::new(400, "this is not HTTP/1.1\n")),
        ReadFailure::Malformed(detail) => Some(Response::new(400, format!("{detail}\n"))),
        ReadFailure::Closed(_) | ReadFailure::Io(..) => None,
    }
}

/// The header field that proves that the answer belongs to the key.
const ACCEPT: &str = "sec-websocket-accept";

fn switching(response: Response, key: &str) -> Response {
    let added = ["connection", "upgrade", ACCEPT];
    let proof = response.headers.first(ACCEPT).map_or_else(|| http::accept_value(key), str::to_owned);
    let headers = Headers::new().with("connection", "Upgrade").with("upgrade", "websocket").with(ACCEPT, proof);
    let kept = response.headers.iter().filter(|(name, _)| !added.iter().any(|added| name.eq_ignore_ascii_case(added)));
    let headers = kept.fold(headers, |headers, (name, value)| headers.with(name, value));
    Response { headers, ..response }
}

/// Carries frames both ways until one side ends it.
async fn converse<S, T>(connection: &EndsOnDrop<S>, framed: &mut Framed<T>, inlet: Inlet)
where
    S: Service,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let (hub, id) = (&*connection.hub, connection.id);
    loop {
        // The queue bounds what waits: nothing is taken from it while something is still to be written.
        if !framed.has_unsent() {
            let Some(batch) = inlet.take(BATCH) else { return };
            match queue_batch(framed, batch) {
                Ending::None => {}
                Ending::Close => return Box::pin(close(hub, id, framed)).await,
                Ending::Lost => {
                    // What was queued before still leaves, if the client takes it.
                    let _ = Box::pin(timeout(CLOSE_LIMIT, framed.send_all())).await;
                    return;
                }
            }
        }
        tokio::select! {
            () = inlet.changed() => {
                if inlet.is_cut() {
                    return;
                }
            }
            progress = framed.progress() => match progress {
                Progress::Sent => {}
                Progress::Received(OwnedFrame::Lost) => {
                    hub.end(id, Frame::Lost);
                    return Box::pin(fail(framed)).await;
                }
                Progress::Received(frame @ OwnedFrame::Close { .. }) => {
                    hub.end(id, frame.borrow());
                    return Box::pin(finish(framed, Manner::AtOnce)).await;
                }
                Progress::Received(
                    frame @ (OwnedFrame::Text { .. } | OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_)),
                ) => hub.frame(id, frame.borrow()),
                Progress::Failed(_) => return,
            },
        }
    }
}

/// How a batch ends the connection.
enum Ending {
    None,
    Close,
    Lost,
}

fn queue_batch<T: AsyncRead + AsyncWrite + Unpin>(framed: &mut Framed<T>, batch: VecDeque<OwnedFrame>) -> Ending {
    let mut ending = Ending::None;
    for frame in batch {
        match frame {
            OwnedFrame::Lost => ending = Ending::Lost,
            OwnedFrame::Close { .. } => {
                framed.queue(frame);
                ending = Ending::Close;
            }
            OwnedFrame::Text { .. } | OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => {
                framed.queue(frame);
            }
        }
    }
    ending
}

/// Sends the close frame that is queued and waits for that of the client, then ends.
async fn close<S, T>(hub: &Hub<S>, id: ConnectionId, framed: &mut Framed<T>)
where
    S: Service,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let closing = async {
        loop {
            match framed.progress().await {
                Progress::Received(frame @ OwnedFrame::Close { .. }) => {
                    hub.end(id, frame.borrow());
                    // Both have said everything: TCP can end at once.
                    let _ = framed.stream_mut().shutdown().await;
                    return;
                }
                Progress::Received(OwnedFrame::Lost) | Progress::Failed(_) => return,
                // The service has said its last word; what the client sent before it knew is of no use.
                Progress::Received(
                    OwnedFrame::Text { .. } | OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_),
                )
                | Progress::Sent => {}
            }
        }
    };
    let _ = timeout(CLOSE_LIMIT, closing).await;
}

/// Says what the client did wrong, if it did, and ends (RFC 6455 section 7.1.7).
async fn fail<T: AsyncRead + AsyncWrite + Unpin>(framed: &mut Framed<T>) {
    let Some(code) = framed.fault().and_then(|fault| fault.code) else {
        return;
    };
    framed.queue(OwnedFrame::Close { code: Some(code), reason: String::new() });
    finish(framed, Manner::Gently).await;
}

/// How TCP ends.
enum Manner {
    /// With the last byte written: the client has sent its close frame, so nothing is left unread.
    AtOnce,
    /// When the client has ended it too, whatever it still sends.
    Gently,
}

async fn finish<T: AsyncRead + AsyncWrite + Unpin>(framed: &mut Framed<T>, manner: Manner) {
    let ending = async {
        // The answer to a close frame may be half written; a failure means that there is nobody to read it.
        let _ = framed.send_all().await;
        match manner {
            Manner::AtOnce => drop(framed.stream_mut().shutdown().await),
            Manner::Gently => close_gently(framed.stream_mut()).await,
        }
    };
    let _ = timeout(CLOSE_LIMIT, ending).await;
}

async fn answer<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut T, response: &Response, omits_body: bool) {
    let text = http::write_response(response, omits_body);
    if matches!(timeout(STEP_LIMIT, write(stream, &text)).await, Ok(true)) {
        let _ = timeout(CLOSE_LIMIT, close_gently(stream)).await;
    }
}

async fn write<T: AsyncWrite + Unpin>(stream: &mut T, text: &[u8]) -> bool {
    stream.write_all(text).await.is_ok() && stream.flush().await.is_ok()
}

/// Ends a connection so that what was written last arrives: the peer is read until it closes too.
///
/// Closing with unread bytes would make TCP throw away what the peer has not read yet. The caller bounds the time.
async fn close_gently<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut T) {
    let mut sink = [0; 1024];
    if stream.shutdown().await.is_ok() {
        while matches!(stream.read(&mut sink).await, Ok(read) if read > 0) {}
    }
}
