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

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
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
use super::queue::{Cut, Inlet, Parcel, Pressure};
use super::wire::Wire;
use super::{Answer, Notice, Service};
use crate::link::HEAD_LIMIT;
use crate::link::framed::{Framed, Progress};
use crate::link::http::{self, BodyLength, Intake, ReadFailure, Then};

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

/// Messages of one client that are taken before others get their turn.
const BURST: usize = 64;

/// What is taken from the queue for each of them: their answer, and what was there before.
const PARCELS_MAX: usize = 4;

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
            None => {
                let tcp = Arc::new(tcp);
                self.talk(Wire(Arc::clone(&tcp)), Some(tcp)).await;
            }
        }
    }

    async fn unwrap_tls(self, mut tcp: TcpStream, acceptor: TlsAcceptor) {
        let mut first = [0];
        match timeout(STEP_LIMIT, tcp.peek(&mut first)).await {
            Ok(Ok(1)) if first == [TLS_HANDSHAKE] => {
                if let Ok(Ok(stream)) = timeout(STEP_LIMIT, acceptor.accept(tcp)).await {
                    self.talk(stream, None).await;
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

    /// `wire` is where frames may go past the task.
    async fn talk<T: AsyncRead + AsyncWrite + Unpin>(mut self, stream: T, wire: Option<Arc<TcpStream>>) {
        let mut door = Box::new(Door { intake: Intake::new(stream), is_kept: false, unsent: Vec::new() });
        let (guard, inlet) = loop {
            match Box::pin(self.shake_hands(&mut door)).await {
                Shaken::Upgraded(guard, inlet) => break (guard, inlet),
                Shaken::Kept => door.keep(),
                Shaken::Over => return,
            }
        };
        let (stream, rest) = door.intake.into_rest();
        let mut framed = Box::pin(Framed::new(stream, rest, Role::Server, self.max_message)).await;
        if let Some(wire) = wire {
            inlet.open(wire);
        }
        converse(&guard, &mut framed, inlet).await;
    }

    /// Reads a request and answers it.
    async fn shake_hands<T: AsyncRead + AsyncWrite + Unpin>(&mut self, door: &mut Door<T>) -> Shaken<S> {
        let request = tokio::select! {
            biased;
            // An idle connection has nothing to wait for when the port closes.
            _ = self.stopped.wait_for(|stopped| *stopped) => Err(None),
            request = door.read_request() => request,
        };
        let request = if self.is_refused { request.and(Err(Some(too_many()))) } else { request };
        if !matches!(request, Ok(Incoming::Plain { .. })) {
            // Who caused it is held back by its next request.
            let _ = self.hub.flush();
            if !door.send().await {
                return Shaken::Over;
            }
        }
        let (response, omits_body) = match request {
            Ok(Incoming::Plain { request, keeps }) => return self.serve(door, &request, keeps).await,
            Ok(Incoming::Upgrade { request, key }) => match self.hub.upgrade(&request) {
                (response, Some((id, inlet))) if response.is_upgrade() => {
                    let guard = EndsOnDrop { hub: Arc::clone(&self.hub), id };
                    let switched = http::write_response(&switching(response, &key), true, Then::Keep);
                    let is_written = door.write(&switched).await;
                    return if is_written { Shaken::Upgraded(guard, inlet) } else { Shaken::Over };
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
            Err(None) => return Shaken::Over,
        };
        answer(door.intake.reader(), &response, omits_body).await;
        Shaken::Over
    }

    /// Answers a plain request. Where the next one is there already, what both lead to is sent together.
    async fn serve<T: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        door: &mut Door<T>,
        request: &Request,
        keeps: bool,
    ) -> Shaken<S> {
        let (Answer { response, after }, is_due) = self.hub.http(request);
        let omits_body = request.method == "HEAD";
        let then = if keeps { Then::Keep } else { Then::Close };
        let text = http::write_response(&response, omits_body, then);
        let is_prompt = !is_due && after.is_zero();
        if keeps && is_prompt && door.unsent.len() < UNSENT_MAX && door.intake.holds_request() {
            door.unsent.extend_from_slice(&text);
            return Shaken::Kept;
        }

        let is_pressing = self.hub.flush();
        if (is_pressing || !after.is_zero()) && !door.send().await {
            return Shaken::Over;
        }
        if is_pressing {
            tokio::select! {
                () = self.hub.pressure().eased() => {}
                _ = self.stopped.wait_for(|stopped| *stopped) => return Shaken::Over,
            }
        }
        // An answer that is due later is not waited for when the port closes.
        if !after.is_zero() && timeout(after, self.stopped.wait_for(|stopped| *stopped)).await.is_ok() {
            return Shaken::Over;
        }
        door.unsent.extend_from_slice(&text);
        let is_written = door.send().await;
        if keeps && is_written {
            return Shaken::Kept;
        }
        if is_written {
            let _ = timeout(CLOSE_LIMIT, close_gently(door.intake.reader())).await;
        }
        Shaken::Over
    }
}

/// Answers that wait until the requests behind them are answered, in bytes.
const UNSENT_MAX: usize = 64 * 1024;

/// A connection before the 101.
struct Door<T> {
    intake: Intake<T>,
    /// A request was answered, and the client asked to keep the connection.
    is_kept: bool,
    /// Answers that are not sent yet.
    unsent: Vec<u8>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Door<T> {
    fn keep(&mut self) {
        self.is_kept = true;
        self.intake.keep();
    }

    /// Sends the answers that wait; whether that went well.
    async fn send(&mut self) -> bool {
        let unsent = std::mem::take(&mut self.unsent);
        unsent.is_empty() || self.write(&unsent).await
    }

    async fn write(&mut self, bytes: &[u8]) -> bool {
        matches!(timeout(STEP_LIMIT, write(self.intake.reader(), bytes)).await, Ok(true))
    }
}

/// What a connection is after a request.
enum Shaken<S: Service> {
    Upgraded(EndsOnDrop<S>, Inlet),
    /// The client asked to keep it.
    Kept,
    Over,
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
    /// A whole request, to be answered; whether another one may follow.
    Plain { request: Request, keeps: bool },
    /// A valid upgrade request and its key.
    Upgrade { request: Request, key: String },
}

impl<T: AsyncRead + AsyncWrite + Unpin> Door<T> {
    /// Reads a whole request. Fails with the answer to give, if there is anybody to give it to.
    ///
    /// On a connection that was kept silence is no fault.
    async fn read_request(&mut self) -> Result<Incoming, Option<Response>> {
        let intake = &mut self.intake;
        let (mut request, version) = match timeout(STEP_LIMIT, intake.request(HEAD_LIMIT)).await {
            Ok(head) => head.map_err(refusal)?,
            Err(_) if self.is_kept && intake.is_empty() => return Err(None),
            Err(_) => return Err(Some(Response::new(408, "no whole request in time\n"))),
        };
        if http::has_word(&request.headers, "upgrade", "websocket") {
            let key = upgrade_key(&request, version).map_err(Some)?;
            return Ok(Incoming::Upgrade { request, key });
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
        // A client of HTTP/1.1 that does not ask for it may read until the end.
        let keeps = version > 0 && http::has_word(&request.headers, "connection", "keep-alive");
        Ok(Incoming::Plain { request, keeps })
    }
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
    let mut flow = Flow { framed, inlet, is_pressing: false, reads_first: false };
    loop {
        flow.is_pressing &= hub.pressure().is_felt();
        match flow.turn(hub.pressure()).await {
            Turn::Send(parcel) => {
                if let Some(end) = queue_parcel(flow.framed, parcel) {
                    return leave(hub, id, flow.framed, end).await;
                }
            }
            Turn::Sent => flow.reads_first = true,
            Turn::Eased => {}
            Turn::Received(frame) => match receive(hub, id, &mut flow, frame).await {
                Received::Messages | Received::Burst => {}
                Received::End => return Box::pin(fail(flow.framed)).await,
                Received::Close => return Box::pin(finish(flow.framed, Manner::AtOnce)).await,
                Received::Left(end) => return leave(hub, id, flow.framed, end).await,
            },
            Turn::Failed | Turn::Cut => return,
        }
    }
}

/// Both directions of a connection.
struct Flow<'f, T> {
    framed: &'f mut Framed<T>,
    inlet: Inlet,
    /// It published more than subscribers take: nothing is read from it.
    is_pressing: bool,
    /// Something was sent: what the client sends must not wait for the next.
    reads_first: bool,
}

/// What happened next.
enum Turn {
    Send(Parcel),
    Sent,
    Received(OwnedFrame),
    /// Subscribers have taken what it published.
    Eased,
    /// The hub drops the connection.
    Cut,
    /// Nothing can be sent any more.
    Failed,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Flow<'_, T> {
    async fn turn(&mut self, pressure: &Pressure) -> Turn {
        let is_pressing = self.is_pressing;
        let mut eased = pin!(pressure.eased());
        poll_fn(|cx| {
            // Not after a sleep: a flush may have written half a frame meanwhile, and nothing may get into it.
            if std::mem::take(&mut self.reads_first)
                && !is_pressing
                && let Poll::Ready(frame) = self.framed.poll_next(cx)
            {
                return Poll::Ready(Turn::Received(frame));
            }
            if let Poll::Ready(turn) = self.poll_outgoing(cx) {
                return Poll::Ready(turn);
            }
            let incoming = match is_pressing {
                true => eased.as_mut().poll(cx).map(|()| Turn::Eased),
                false => self.framed.poll_next(cx).map(Turn::Received),
            };
            if incoming.is_ready() || self.framed.has_unsent() {
                return incoming;
            }
            self.inlet.poll_take(cx).map(sending)
        })
        .await
    }

    /// The queue bounds what waits: nothing is taken from it while something is still to be written.
    fn poll_outgoing(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        if !self.framed.has_unsent() {
            return match self.inlet.take().transpose() {
                Some(taken) => Poll::Ready(sending(taken)),
                None => Poll::Pending,
            };
        }
        if self.inlet.poll_cut(cx).is_ready() {
            return Poll::Ready(Turn::Cut);
        }
        self.framed.poll_send(cx).map(|sent| sent.map_or(Turn::Failed, |()| Turn::Sent))
    }
}

fn sending(taken: Result<Parcel, Cut>) -> Turn {
    taken.map_or(Turn::Cut, Turn::Send)
}

/// What a client sent.
enum Received {
    Messages,
    /// As many messages as it may send at a time.
    Burst,
    Close,
    End,
    /// What they led to ends the connection.
    Left(Ending),
}

/// Takes a frame, and those that are there already: what they lead to leaves together.
async fn receive<S, T>(hub: &Hub<S>, id: ConnectionId, flow: &mut Flow<'_, T>, first: OwnedFrame) -> Received
where
    S: Service,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let received = receive_burst(hub, id, flow, first).await;
    flow.is_pressing = hub.flush();
    if matches!(received, Received::Burst) {
        // A client that never pauses must not keep the others from theirs.
        tokio::task::yield_now().await;
    }
    received
}

async fn receive_burst<S, T>(hub: &Hub<S>, id: ConnectionId, flow: &mut Flow<'_, T>, first: OwnedFrame) -> Received
where
    S: Service,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut frame = first;
    for taken in 1.. {
        match &frame {
            OwnedFrame::Lost => {
                hub.end(id, Frame::Lost);
                return Received::End;
            }
            OwnedFrame::Close { .. } => {
                hub.end(id, frame.borrow());
                return Received::Close;
            }
            OwnedFrame::Text { .. } | OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => {
                if hub.frame(id, frame.borrow()) {
                    return Received::Messages;
                }
                // An answer must not come after that to a ping or a close frame behind it.
                for _ in 0..PARCELS_MAX {
                    let Ok(Some(parcel)) = flow.inlet.take() else { break };
                    if let Some(end) = queue_parcel(flow.framed, parcel) {
                        return Received::Left(end);
                    }
                }
            }
        }
        if taken == BURST {
            return Received::Burst;
        }
        match flow.framed.next_now().await {
            Some(next) => frame = next,
            None => break,
        }
    }
    Received::Messages
}

/// How a parcel ends the connection.
enum Ending {
    Close,
    Lost,
}

fn queue_parcel<T: AsyncRead + AsyncWrite + Unpin>(framed: &mut Framed<T>, parcel: Parcel) -> Option<Ending> {
    match parcel {
        Parcel::Texts(frames, _) => {
            framed.queue_wire(frames);
            None
        }
        Parcel::Told(shared) => {
            framed.queue_wire(shared.to_bytes());
            None
        }
        Parcel::Frame(OwnedFrame::Lost) => Some(Ending::Lost),
        Parcel::Frame(frame @ OwnedFrame::Close { .. }) => {
            framed.queue(frame);
            Some(Ending::Close)
        }
        Parcel::Frame(
            frame @ (OwnedFrame::Text { .. } | OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_)),
        ) => {
            framed.queue(frame);
            None
        }
    }
}

/// Ends a connection as the service wants it.
async fn leave<S, T>(hub: &Hub<S>, id: ConnectionId, framed: &mut Framed<T>, end: Ending)
where
    S: Service,
    T: AsyncRead + AsyncWrite + Unpin,
{
    match end {
        Ending::Close => Box::pin(close(hub, id, framed)).await,
        Ending::Lost => {
            // What was queued before still leaves, if the client takes it.
            let _ = Box::pin(timeout(CLOSE_LIMIT, framed.send_all())).await;
        }
    }
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
    let text = http::write_response(response, omits_body, Then::Close);
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
