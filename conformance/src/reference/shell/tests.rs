//! The shell before a service that echoes, driven through the dialer.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use appsync_protocol::handshake::Url;
use appsync_protocol::moment::Timer;
use appsync_protocol::wire::{Bytes, Headers};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

mod flow;

use super::*;
use crate::link::{DialOptions, Dialer, LinkError, Socket};

#[tokio::test]
async fn frames_go_through_the_service_with_their_fragments() {
    let port = Port::open(Options::default()).await;
    let mut socket = port.socket().await;

    for frame in [
        OwnedFrame::text("hello"),
        OwnedFrame::Text { text: "ab".into(), fragments: 4 },
        OwnedFrame::Binary(vec![0; 200_000]),
        OwnedFrame::text(""),
    ] {
        bounded(socket.send(&frame)).await.unwrap();

        let echo = bounded(socket.next()).await;

        assert!(echo == frame, "{echo:?}");
    }
}

#[tokio::test]
async fn a_ping_is_answered_once_and_told() {
    let mut port = Port::open(Options::default()).await;
    let mut socket = port.socket().await;

    bounded(socket.send(&OwnedFrame::Ping(vec![1]))).await.unwrap();
    bounded(socket.send(&OwnedFrame::text("after"))).await.unwrap();
    let answers = (bounded(socket.next()).await, bounded(socket.next()).await);

    // The service echoes the ping as a pong of its own, which must not leave.
    assert!(answers == (OwnedFrame::Pong(vec![1]), OwnedFrame::text("after")), "{answers:?}");
    assert!(port.told().await == OwnedFrame::Ping(vec![1]));
}

#[tokio::test]
async fn a_close_from_the_service_is_a_handshake_and_told_once() {
    let mut port = Port::open(Options::default()).await;
    let mut socket = port.socket().await;

    bounded(socket.send(&OwnedFrame::text("close me"))).await.unwrap();
    let ended = [bounded(socket.next()).await, bounded(socket.next()).await, bounded(socket.next()).await];

    let close = OwnedFrame::Close { code: Some(4001), reason: "as asked".into() };
    assert!(ended == [OwnedFrame::text("last words"), close.clone(), OwnedFrame::Lost], "{ended:?}");
    assert!(port.told().await == OwnedFrame::text("close me"));
    assert!(port.told().await == close);
    port.stop().await;
    assert!(port.events.try_recv().is_err());
}

#[tokio::test]
async fn a_close_from_the_client_is_answered_and_told_once() {
    let mut port = Port::open(Options::default()).await;
    let mut socket = port.socket().await;
    let close = OwnedFrame::Close { code: Some(1000), reason: "done".into() };

    bounded(socket.send(&close)).await.unwrap();
    let ended = [bounded(socket.next()).await, bounded(socket.next()).await];

    assert!(ended == [close.clone(), OwnedFrame::Lost], "{ended:?}");
    assert!(port.told().await == close);
    port.stop().await;
    assert!(port.events.try_recv().is_err());
}

#[tokio::test]
async fn either_side_can_drop_tcp() {
    let mut port = Port::open(Options::default()).await;
    let (mut dropped, mut dropping) = (port.socket().await, port.socket().await);

    bounded(dropped.send(&OwnedFrame::text("drop me"))).await.unwrap();
    let ended = [bounded(dropped.next()).await, bounded(dropped.next()).await];
    let first = [port.told().await, port.told().await];
    bounded(dropping.send(&OwnedFrame::Lost)).await.unwrap();
    let second = port.told().await;

    assert!(ended == [OwnedFrame::text("last words"), OwnedFrame::Lost] && dropped.fault().is_none(), "{ended:?}");
    assert!(first == [OwnedFrame::text("drop me"), OwnedFrame::Lost], "{first:?}");
    assert!(second == OwnedFrame::Lost);
}

#[tokio::test]
async fn a_client_that_breaks_the_framing_is_told_why_and_lost() {
    let mut port = Port::open(Options { max_message: 1000, ..Options::default() }).await;

    for (bytes, code) in [
        (&b"\x81\x02hi"[..], 1002),
        (b"\xc1\x80\0\0\0\0", 1002),
        (b"\x81\x82\0\0\0\0\xff\xff", 1007),
        (b"\x82\xfe\x03\xe9\0\0\0\0", 1009),
    ] {
        let mut socket = port.socket().await;
        bounded(socket.send_raw(bytes)).await.unwrap();

        let ended = [bounded(socket.next()).await, bounded(socket.next()).await];

        let close = OwnedFrame::Close { code: Some(code), reason: String::new() };
        assert!(ended == [close, OwnedFrame::Lost], "{ended:?}");
        assert!(port.told().await == OwnedFrame::Lost);
    }
}

#[tokio::test]
async fn a_bad_upgrade_is_refused_before_the_service_is_asked() {
    let port = Port::open(Options::default()).await;

    for (name, value, status) in [
        ("sec-websocket-version", "12", 426),
        ("sec-websocket-key", "short", 400),
        ("connection", "close", 400),
        ("x-none", "none", 101),
    ] {
        let mut request = upgrade("/echo");
        request.headers.push(name, value);

        let opened = bounded(dialer(None).open(&port.url, &request)).await.unwrap();

        assert_eq!(opened.response.status, status, "{name}");
    }
    let refused = bounded(dialer(None).open(&port.url, &upgrade("/other"))).await.unwrap();
    assert_eq!((refused.response.status, &*refused.response.body.text()), (404, "not here"));
    assert_eq!(port.stop().await.upgrades, 1);
}

#[tokio::test]
async fn requests_are_answered_with_their_body() {
    let port = Port::open(Options::default()).await;
    let chunked = Headers::new().with("transfer-encoding", "chunked");

    let plain = bounded(dialer(None).http(&port.url, &post(Headers::new(), &[b'x'; 300_000]))).await.unwrap();
    let joined =
        bounded(dialer(None).http(&port.url, &post(chunked, b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"))).await.unwrap();
    let head = Request { method: "HEAD".into(), ..post(Headers::new(), b"abc") };
    let head = bounded(dialer(None).http(&port.url, &head)).await.unwrap();

    assert_eq!((plain.status, plain.body.0.len()), (200, 300_000));
    assert_eq!(&*joined.body.text(), "hello");
    assert_eq!((head.headers.first("content-length"), head.body.0.len()), (Some("3"), 0));
    assert_eq!(port.stop().await.requests, 3);
}

#[tokio::test]
async fn an_answer_that_is_due_later_is_given_and_does_not_hold_up_the_stop() {
    let mut port = Port::open(Options::default()).await;
    let url = port.url.clone();

    let soon = bounded(dialer(None).http(&port.url, &post(Headers::new(), b"soon"))).await.unwrap();
    let waiting = tokio::spawn(async move { dialer(None).http(&url, &post(Headers::new(), b"later")).await.is_err() });
    assert!(port.told().await == OwnedFrame::text("later"));
    let summary = port.stop().await;

    assert!(bounded(waiting).await.unwrap());
    assert_eq!((&*soon.body.text(), summary.aborted), ("soon", 0));
}

#[tokio::test]
async fn what_is_no_request_is_refused_with_a_status() {
    let port = Port::open(Options::default()).await;

    for (text, status) in [
        (String::from("hello\r\n\r\n"), "400"),
        ("GET / HTTP/1.1\r\nbad header\r\n\r\n".into(), "400"),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".into(), "400"),
        (format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(70_000)), "431"),
        ("POST / HTTP/1.1\r\ncontent-length: 12582913\r\nexpect: 100-continue\r\n\r\n".into(), "413"),
        ("POST / HTTP/1.1\r\nexpect: the unexpected\r\n\r\n".into(), "417"),
        ("POST / HTTP/1.1\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\nok".into(), "100"),
    ] {
        let mut tcp = TcpStream::connect(port.url.authority()).await.unwrap();
        tcp.write_all(text.as_bytes()).await.unwrap();
        tcp.shutdown().await.unwrap();
        let mut answer = String::new();
        bounded(tcp.read_to_string(&mut answer)).await.unwrap();

        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
    }
}

#[tokio::test]
async fn the_stop_closes_every_connection_with_1001() {
    let mut port = Port::open(Options::default()).await;
    let mut socket = port.socket().await;
    let _idle = TcpStream::connect(port.url.authority()).await.unwrap();
    // Proves that the upgrade is over on both sides.
    bounded(socket.send(&OwnedFrame::text("x"))).await.unwrap();
    bounded(socket.next()).await;

    let (summary, close) = tokio::join!(port.stop(), bounded(socket.next()));

    let going_away = OwnedFrame::Close { code: Some(1001), reason: "going away".into() };
    assert!(close == going_away, "{close:?}");
    assert_eq!((summary.upgrades, summary.aborted, summary.panicked), (1, 0, 0));
    assert!(port.told().await == OwnedFrame::text("x") && port.told().await == going_away);
}

#[tokio::test]
async fn a_client_that_never_answers_a_close_does_not_hold_up_the_stop() {
    let mut port = Port::open(Options::default()).await;
    let _silent = port.socket().await;

    let summary = port.stop().await;

    assert_eq!(summary.aborted, 1);
    assert!(port.told().await == OwnedFrame::Lost);
}

#[tokio::test]
async fn a_consumer_that_is_too_slow_is_disconnected_and_others_go_on() {
    let mut port = Port::open(Options { queue: 16, ..Options::default() }).await;
    let (mut slow, mut other) = (port.socket().await, port.socket().await);

    bounded(slow.send(&OwnedFrame::text("flood me"))).await.unwrap();
    let told = [port.told().await, port.told().await];
    bounded(other.send(&OwnedFrame::text("still here"))).await.unwrap();
    let echo = bounded(other.next()).await;
    while bounded(slow.next()).await != OwnedFrame::Lost {}

    drop((slow, other));

    assert!(told == [OwnedFrame::text("flood me"), OwnedFrame::Lost], "{told:?}");
    assert!(echo == OwnedFrame::text("still here"));
    assert_eq!(port.stop().await.slow_consumers, 1);
}

#[tokio::test]
async fn the_service_is_told_the_time_at_its_deadline() {
    let port = Port::open(Options::default()).await;
    let mut socket = port.socket().await;

    bounded(socket.send(&OwnedFrame::text("wake me"))).await.unwrap();
    let woken = bounded(socket.next()).await;

    assert!(woken == OwnedFrame::text("awake"), "{woken:?}");
}

#[tokio::test]
async fn a_panic_in_the_service_ends_one_connection() {
    let port = Port::open(Options::default()).await;
    let (mut bad, mut good) = (port.socket().await, port.socket().await);

    bounded(bad.send(&OwnedFrame::text("panic"))).await.unwrap();
    let lost = bounded(bad.next()).await;
    bounded(good.send(&OwnedFrame::text("good"))).await.unwrap();
    let echo = bounded(good.next()).await;
    drop((bad, good));

    assert!(lost == OwnedFrame::Lost && echo == OwnedFrame::text("good"));
    assert_eq!(port.stop().await.panicked, 1);
}

/// Time that jumps to the next timer as soon as nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn a_client_that_answers_no_ping_is_dropped_and_counted() {
    let mut port = Port::open(Options::default()).await;
    let mut mute = TcpStream::connect(port.url.authority()).await.unwrap();
    mute.write_all(&raw_upgrade()).await.unwrap();

    let mut sent = Vec::new();
    bounded_long(mute.read_to_end(&mut sent)).await.unwrap();

    let pings = sent.windows(2).filter(|pair| *pair == b"\x89\0").count();
    assert!(sent.starts_with(b"HTTP/1.1 101") && sent.ends_with(&b"\x89\0".repeat(3)), "{sent:?}");
    assert_eq!(pings, 3);
    assert!(port.told().await == OwnedFrame::Lost);
    let summary = port.stop().await;
    assert_eq!((summary.silent, summary.slow_consumers), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_idle_subscriber_that_answers_pings_stays() {
    let port = Port::open(Options::default()).await;
    let mut idle = port.socket().await;
    let mut pings = 0;

    while pings < 100 {
        let frame = bounded_long(idle.next()).await;
        assert!(matches!(frame, OwnedFrame::Ping(_)), "{frame:?}");
        pings += 1;
    }
    idle.send(&OwnedFrame::text("still here")).await.unwrap();

    assert!(bounded_long(idle.next()).await == OwnedFrame::text("still here"));
    assert_eq!(port.stop().await.silent, 0);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_never_ends_is_given_up() {
    let port = Port::open(Options::default()).await;

    for begun in ["", "GET /echo HTTP/1.1\r\nupgrade: websock"] {
        let mut tcp = TcpStream::connect(port.url.authority()).await.unwrap();
        tcp.write_all(begun.as_bytes()).await.unwrap();
        let mut answer = String::new();
        bounded_long(tcp.read_to_string(&mut answer)).await.unwrap();

        assert!(answer.starts_with("HTTP/1.1 408 "), "{begun:?}: {answer}");
    }
}

#[tokio::test]
async fn one_connection_too_many_gets_503_until_another_ends() {
    let port = Port::open(Options { max_connections: 2, ..Options::default() }).await;
    let (first, mut second) = (port.socket().await, port.socket().await);

    let refused = bounded(dialer(None).open(&port.url, &upgrade("/echo"))).await.unwrap();
    let unasked = bounded(dialer(None).http(&port.url, &post(Headers::new(), b"x"))).await.unwrap();
    drop(first);
    let admitted = loop {
        let opened = bounded(dialer(None).open(&port.url, &upgrade("/echo"))).await.unwrap();
        if opened.response.status == 101 {
            break opened;
        }
        assert_eq!(opened.response.status, 503);
    };
    bounded(second.send(&OwnedFrame::text("unharmed"))).await.unwrap();

    assert_eq!((refused.response.status, &*refused.response.body.text()), (503, "too many connections\n"));
    assert_eq!(unasked.status, 503);
    assert!(bounded(second.next()).await == OwnedFrame::text("unharmed"));
    drop((admitted, second));
    let summary = port.stop().await;
    assert!(summary.refused >= 2 && summary.upgrades == 3 && summary.requests == 0, "{summary:?}");
}

#[tokio::test]
async fn a_flood_of_connections_beyond_the_limit_leaves_the_others_served() {
    let port = Port::open(Options { max_connections: 1, ..Options::default() }).await;
    let mut served = port.socket().await;

    let mut flood = Vec::new();
    for _ in 0..300 {
        flood.push(TcpStream::connect(port.url.authority()).await.unwrap());
    }
    bounded(served.send(&OwnedFrame::text("alive"))).await.unwrap();
    let echo = bounded(served.next()).await;

    assert!(echo == OwnedFrame::text("alive"));
    // Most were dropped without a task of their own: their end comes at once, not after the time for a handshake.
    let mut dropped = 0;
    for tcp in &mut flood {
        let mut end = [0];
        dropped += usize::from(tcp.try_read(&mut end).is_ok());
    }
    drop((served, flood));
    let summary = port.stop().await;
    assert_eq!((summary.upgrades, summary.refused), (1, 300));
    assert!(dropped >= 200, "{dropped}");
}

#[tokio::test]
async fn with_tls_it_speaks_tls_only_and_says_so() {
    let made = tls::self_signed(&["localhost".into(), "api.example.com".into()]).unwrap();
    let port = Port::open(Options { tls: Some(made.config), ..Options::default() }).await;
    let dialer = dialer(Some((made.ca, port.url.authority().into())));
    let secure = Url { secure: true, host: "localhost".into(), path: "/".into() };
    let close = OwnedFrame::Close { code: Some(1000), reason: String::new() };

    let plain = bounded(dialer.open(&Url { secure: false, ..secure.clone() }, &upgrade("/echo"))).await.unwrap();
    let mut socket = bounded(dialer.open(&secure, &upgrade("/echo"))).await.unwrap().socket.unwrap();
    bounded(socket.send(&OwnedFrame::text("hidden"))).await.unwrap();
    let echo = bounded(socket.next()).await;
    bounded(socket.send(&close)).await.unwrap();
    let ended = [bounded(socket.next()).await, bounded(socket.next()).await];

    let named = Url { host: "api.example.com".into(), ..secure.clone() };
    let named = bounded(dialer.open(&named, &upgrade("/echo"))).await.unwrap();
    let other = Url { host: "other.example.com".into(), ..secure };
    let other = bounded(dialer.open(&other, &upgrade("/echo"))).await;

    assert_eq!(&*plain.response.body.text(), "this port speaks TLS only; use https: or wss:\n");
    assert_eq!(named.response.status, 101);
    assert!(matches!(other, Err(LinkError::Tls { .. })));
    assert!(echo == OwnedFrame::text("hidden") && ended == [close, OwnedFrame::Lost], "{ended:?}");
}

#[tokio::test]
async fn a_tls_client_learns_that_the_port_is_plain() {
    let port = Port::open(Options::default()).await;
    let secure = Url { secure: true, ..port.url.clone() };

    let result = bounded(dialer(None).open(&secure, &upgrade("/echo"))).await;

    assert!(matches!(result, Err(LinkError::TlsWherePlain { .. })));
}

#[test]
fn a_running_port_ends_with_its_owner() {
    let (service, _events) = Echo::new();
    let running = Running::start(service, "127.0.0.1:0", Options::default()).unwrap();
    let address = running.address();
    let client = std::net::TcpStream::connect(address).unwrap();

    let summary = running.stop().unwrap();

    assert_eq!((summary.aborted, summary.panicked), (0, 0));
    drop(client);
    assert!(std::net::TcpStream::connect(address).is_err());
}

/// Echoes what it gets, and does what a few words ask for.
struct Echo {
    events: UnboundedSender<OwnedFrame>,
    out: VecDeque<(ConnectionId, OwnedFrame)>,
    wakes: BTreeMap<Moment, ConnectionId>,
    next: u64,
}

impl Echo {
    fn new() -> (Self, UnboundedReceiver<OwnedFrame>) {
        let (events, told) = unbounded_channel();
        (Self { events, out: VecDeque::new(), wakes: BTreeMap::new(), next: 0 }, told)
    }

    fn text(&mut self, at: Moment, id: ConnectionId, text: &str, fragments: u32) {
        let close = OwnedFrame::Close { code: Some(4001), reason: "as asked".into() };
        match text {
            "close me" => self.out.extend([(id, OwnedFrame::text("last words")), (id, close)]),
            "drop me" => self.out.extend([(id, OwnedFrame::text("last words")), (id, OwnedFrame::Lost)]),
            "flood me" => self.out.extend((0..1000).map(|_| (id, OwnedFrame::text("x".repeat(10_000))))),
            "wake me" => drop(self.wakes.insert(at + Duration::from_millis(20), id)),
            "tell the first" => self.tell_the_first(),
            "panic" => panic!("as asked"),
            _ => self.out.push_back((id, OwnedFrame::Text { text: text.into(), fragments })),
        }
    }
}

/// How many messages of which size the first connection is told at once.
const TOLD: usize = 8;
const TOLD_BYTES: usize = 30_000;

impl Echo {
    fn tell_the_first(&mut self) {
        let text = || OwnedFrame::text("x".repeat(TOLD_BYTES));
        self.out.extend((0..TOLD).map(|_| (ConnectionId(1), text())));
    }
}

impl Service for Echo {
    fn upgrade(&mut self, _: Moment, request: &Request) -> (Response, Option<ConnectionId>) {
        if request.path() != "/echo" {
            return (Response::new(404, "not here"), None);
        }
        self.next += 1;
        (Response::new(101, ""), Some(ConnectionId(self.next)))
    }

    fn http(&mut self, _: Moment, request: &Request) -> Answer {
        let response = Response::new(200, request.body.clone());
        let after = match &*request.body.text() {
            "soon" => Duration::from_millis(20),
            "tell the first" => {
                self.tell_the_first();
                Duration::ZERO
            }
            "later" => {
                self.events.send(OwnedFrame::text("later")).unwrap();
                Duration::from_secs(3600)
            }
            _ => Duration::ZERO,
        };
        Answer { response, after }
    }

    fn frame(&mut self, at: Moment, id: ConnectionId, frame: Frame<'_>) {
        self.events.send(frame.to_owned()).unwrap();
        match frame {
            Frame::Text { text, fragments } => self.text(at, id, text, fragments),
            Frame::Binary(_) => self.out.push_back((id, frame.to_owned())),
            Frame::Ping(bytes) => self.out.push_back((id, OwnedFrame::Pong(bytes.into()))),
            Frame::Pong(_) | Frame::Close { .. } | Frame::Lost => {}
        }
    }

    fn elapse(&mut self, at: Moment) {
        while let Some(due) = self.wakes.first_entry().filter(|due| *due.key() <= at) {
            self.out.push_back((due.remove(), OwnedFrame::text("awake")));
        }
    }

    fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)> {
        self.out.pop_front()
    }

    fn deadline(&self) -> Option<Deadline> {
        self.wakes.keys().next().map(|at| Deadline { at: *at, why: Timer::Delivery })
    }
}

/// A served port and what the service was told about its connections.
struct Port {
    url: Url,
    stop: std::cell::Cell<Option<oneshot::Sender<()>>>,
    served: tokio::sync::Mutex<JoinHandle<Summary>>,
    events: UnboundedReceiver<OwnedFrame>,
}

impl Port {
    async fn open(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (service, events) = Echo::new();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(serve(listener, service, options, async {
            let _ = stopped.await;
        }));
        Self {
            url: Url { secure: false, host, path: "/".into() },
            stop: std::cell::Cell::new(Some(stop)),
            served: tokio::sync::Mutex::new(served),
            events,
        }
    }

    async fn socket(&self) -> Socket {
        bounded(dialer(None).open(&self.url, &upgrade("/echo"))).await.unwrap().socket.unwrap()
    }

    async fn told(&mut self) -> OwnedFrame {
        bounded(self.events.recv()).await.unwrap()
    }

    async fn stop(&self) -> Summary {
        drop(self.stop.take());
        bounded(&mut *self.served.lock().await).await.unwrap()
    }
}

/// With a certificate to trust and a place to dial, if given.
fn dialer(tls: Option<(String, String)>) -> Dialer {
    let (ca, dial) = tls.map_or((None, None), |(ca, dial)| (Some(ca.into_bytes()), Some(dial)));
    let connect_to = dial.map(|dial| (String::new(), dial)).into_iter().collect();
    Dialer::new(DialOptions { connect_to, ca, ..DialOptions::default() }).unwrap()
}

fn upgrade(target: &str) -> Request {
    Request { method: "GET".into(), target: target.into(), headers: Headers::new(), body: Bytes::default() }
}

fn post(headers: Headers, body: &[u8]) -> Request {
    Request { method: "POST".into(), target: "/".into(), headers, body: body.to_vec().into() }
}

/// A whole upgrade, for a client that does not know how to answer a ping.
fn raw_upgrade() -> Vec<u8> {
    let headers = ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"].join("\r\n");
    let key = "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==";
    format!("GET /echo HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n{key}\r\n\r\n").into_bytes()
}

/// With paused time: longer than anything the port waits for.
async fn bounded_long<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(24 * 60 * 60), future).await.expect("this must not hang")
}

async fn bounded<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.expect("this must not hang")
}
