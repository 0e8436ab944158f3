//! The dialer and the socket against peers made of bytes.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::handshake::Url;
use appsync_protocol::wire::{Bytes, Headers, OwnedFrame, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig};

use super::*;

const SHORT: Duration = Duration::from_millis(50);

#[tokio::test]
async fn a_port_without_a_listener_refuses() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();

    let error = open_error(&dialer(), &url(address.port(), false)).await;

    assert_eq!(error, LinkError::Refused { at: format!("127.0.0.1:{}", address.port()) });
}

#[tokio::test]
async fn an_address_that_is_none_is_not_resolved() {
    let connect_to = vec![(String::new(), "nowhere".into())];
    let dialer = Dialer::new(DialOptions { connect_to, ..DialOptions::default() }).unwrap();

    let error = open_error(&dialer, &url(1, false)).await;

    assert!(matches!(&error, LinkError::Resolve { at, .. } if at == "127.0.0.1:1 (dialled at nowhere)"), "{error}");
}

#[tokio::test]
async fn a_refused_upgrade_is_an_answer_with_its_body() {
    for (answer, status, body) in [
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone and more", 404, "gone"),
        ("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>hello</html>", 200, "<html>hello</html>"),
        ("HTTP/1.1 401 No\r\ntransfer-encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", 401, "no"),
        ("HTTP/1.1 500 Cut\r\ncontent-length: 400\r\n\r\nas far as it came", 500, "as far as it came"),
        ("HTTP/1.1 101 Other\r\nupgrade: h2c\r\n\r\n", 101, ""),
    ] {
        let (url, _peer) = peer(async move |mut tcp| {
            read_head(&mut tcp).await;
            tcp.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;

        let opened = bounded(dialer().open(&url, &upgrade())).await.unwrap();

        assert_eq!((opened.response.status, &*opened.response.body.text()), (status, body));
        assert!(opened.socket.is_none());
    }
}

#[tokio::test]
async fn the_body_of_a_refusal_is_cut_at_its_limit() {
    let (url, _peer) = peer(async |mut tcp| {
        read_head(&mut tcp).await;
        tcp.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        pour(&mut tcp, &[b'x'; 65536], 100_000_000).await;
    })
    .await;

    let opened = bounded(dialer().open(&url, &upgrade())).await.unwrap();

    assert_eq!(opened.response.body.0.len(), REFUSAL_LIMIT);
}

#[tokio::test]
async fn a_peer_that_is_no_http_server_is_named_by_its_first_bytes() {
    let (url, _peer) = peer(async |mut tcp| tcp.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap()).await;

    let error = open_error(&dialer(), &url).await;

    assert!(matches!(&error, LinkError::NotHttp { saw, .. } if saw == "SSH-2.0-Open"), "{error}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_says_why() {
    let (url, _peer) = peer(async |mut tcp| {
        read_head(&mut tcp).await;
        tcp.write_all(b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n").await.unwrap();
    })
    .await;

    let error = open_error(&dialer(), &url).await;

    assert!(matches!(error, LinkError::Malformed { detail: "a bad header field", .. }), "{error}");
}

#[tokio::test]
async fn a_peer_that_closes_or_goes_silent_is_told_apart() {
    let (closes, _peer) = peer(async |mut tcp| read_head(&mut tcp).await).await;
    let (silent, _peer) = peer(async |mut tcp| {
        read_head(&mut tcp).await;
        tcp.write_all(b"HTTP/1.1 2").await.unwrap();
        until_closed(&mut tcp).await;
    })
    .await;
    let hasty = Dialer::new(DialOptions { answer_timeout: SHORT, ..DialOptions::default() }).unwrap();

    let closed = open_error(&dialer(), &closes).await;
    let late = open_error(&hasty, &silent).await;

    assert!(matches!(closed, LinkError::Closed { during: "the head", .. }), "{closed}");
    assert!(matches!(late, LinkError::AnswerTimeout { after: SHORT, .. }), "{late}");
}

#[tokio::test]
async fn a_head_without_end_is_too_large() {
    let (url, _peer) = peer(async |mut tcp| {
        read_head(&mut tcp).await;
        tcp.write_all(b"HTTP/1.1 200 OK\r\nx: ").await.unwrap();
        pour(&mut tcp, &[b'x'; 65536], 100_000_000).await;
    })
    .await;

    let error = open_error(&dialer(), &url).await;

    assert!(matches!(error, LinkError::HeadTooLarge { limit: HEAD_LIMIT, .. }), "{error}");
}

#[tokio::test]
async fn tls_to_a_plain_port_is_recognised() {
    let (answers, _peer) = peer(async |mut tcp| {
        let _ = tcp.read(&mut [0; 1024]).await;
        tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        until_closed(&mut tcp).await;
    })
    .await;
    let (silent, _peer) = peer(async |mut tcp| until_closed(&mut tcp).await).await;
    let hasty = Dialer::new(DialOptions { connect_timeout: SHORT * 5, ..DialOptions::default() }).unwrap();

    let answered = open_error(&dialer(), &Url { secure: true, ..answers }).await;
    let late = open_error(&hasty, &Url { secure: true, ..silent }).await;

    assert!(matches!(answered, LinkError::TlsWherePlain { .. }), "{answered}");
    assert!(matches!(late, LinkError::ConnectTimeout { waiting_for: "TLS handshake", .. }), "{late}");
}

#[tokio::test]
async fn plain_http_to_a_tls_port_is_recognised() {
    let (acceptor, _) = tls_for("localhost");
    let (url, _peer) = peer(async move |tcp| {
        let (_, mut tcp) = acceptor.accept(tcp).into_fallible().await.unwrap_err();
        until_closed(&mut tcp).await;
    })
    .await;

    let error = open_error(&dialer(), &url).await;

    assert!(matches!(error, LinkError::PlainWhereTls { .. }), "{error}");
}

#[tokio::test]
async fn a_certificate_is_verified_for_the_host_of_the_url_wherever_it_is_dialled() {
    let (acceptor, ca) = tls_for("api.example.com");
    let (address, _peer) = tls_peers(acceptor).await;
    let dialer = |ca: Option<&str>, insecure| {
        let connect_to =
            vec![("api.example.com:443".into(), address.clone()), ("other.example.com".into(), address.clone())];
        let ca = ca.map(|ca| ca.as_bytes().to_vec());
        Dialer::new(DialOptions { connect_to, ca, insecure, ..DialOptions::default() }).unwrap()
    };
    let url = Url { secure: true, host: "api.example.com".into(), path: "/".into() };
    let other = Url { host: "other.example.com".into(), ..url.clone() };

    let trusted = bounded(dialer(Some(&ca), false).http(&url, &get())).await.unwrap();
    let insecure = bounded(dialer(None, true).http(&other, &get())).await.unwrap();
    let unknown = bounded(dialer(None, false).http(&url, &get())).await.unwrap_err();
    let misnamed = bounded(dialer(Some(&ca), false).http(&other, &get())).await.unwrap_err();

    assert_eq!((trusted.status, insecure.status), (204, 204));
    assert!(unknown.to_string().contains("name its CA with --ca"), "{unknown}");
    assert!(misnamed.to_string().contains("for another host"), "{misnamed}");
}

#[tokio::test]
async fn an_upgrade_sends_what_is_missing_and_nothing_twice() {
    let (url, peer) = peer(async |mut tcp| read_head(&mut tcp).await).await;
    let mut request = upgrade();
    request.headers = request.headers.with("Host", "wrong.example.com").with("sec-websocket-version", "12");

    let _ = open_error_of(bounded(dialer().open(&url, &request)).await);
    let head = bounded(peer).await.unwrap().to_ascii_lowercase();

    for line in ["get /x?y=1 http/1.1", "host: wrong.example.com", "sec-websocket-version: 12", "upgrade: websocket"] {
        assert_eq!(head.matches(&format!("{line}\r\n")).count(), 1, "{line} in {head}");
    }
    assert_eq!((head.matches("host:").count(), head.matches("sec-websocket-key:").count()), (1, 1));
}

#[tokio::test]
async fn a_wrong_accept_value_is_an_error_and_a_missing_subprotocol_is_not() {
    let (wrong, _peer) = peer(async |mut tcp| {
        read_head(&mut tcp).await;
        let answer =
            b"HTTP/1.1 101 Yes\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        tcp.write_all(answer).await.unwrap();
    })
    .await;
    let (right, _peer) = websocket(async |_| {}).await;

    let error = open_error(&dialer(), &wrong).await;
    let opened = bounded(dialer().open(&right, &upgrade())).await.unwrap();

    assert!(matches!(error, LinkError::BadAccept { .. }), "{error}");
    assert!(opened.socket.is_some() && opened.response.subprotocol().is_none());
}

#[tokio::test]
async fn frames_that_come_with_the_answer_are_not_lost() {
    let (url, _peer) = websocket(async |mut tcp| {
        tcp.write_all(b"\x81\x02hi\x01\x01a\x89\x01!\x00\x00\x80\x01b\x82\x01\x00\x88\x06\x0f\xa0late").await.unwrap();
        until_closed(&mut tcp).await;
    })
    .await;
    let mut socket = socket(&url).await;

    let mut frames = Vec::new();
    for _ in 0..5 {
        frames.push(bounded(socket.next()).await);
    }

    let close = OwnedFrame::Close { code: Some(4000), reason: "late".into() };
    let fragmented = OwnedFrame::Text { text: "ab".into(), fragments: 3 };
    assert!(
        frames
            == [
                OwnedFrame::text("hi"),
                OwnedFrame::Ping(b"!".to_vec()),
                fragmented,
                OwnedFrame::Binary(vec![0]),
                close
            ],
        "{frames:?}"
    );
    assert_eq!(socket.fault(), None);
}

#[tokio::test]
async fn a_server_that_breaks_the_framing_is_lost_with_a_fault() {
    for (bytes, fault) in [
        (&b"\x81\x04\xff\xfe\xfd\xfc"[..], "peer sent text that is not UTF-8 (RFC 6455 8.1)"),
        (b"\x81\x81\x01\x02\x03\x04x", "peer broke RFC 6455: received a masked frame from server"),
        (b"\xc1\x01x", "peer broke RFC 6455: reserved bits are non-zero"),
        (
            b"\x82\x7f\x00\x00\x00\x00\x05\xf5\xe1\x00",
            "peer sent more than can be taken: message too long: 100000000 > 16777216",
        ),
        (b"\x81\x05cut", "the connection ended within a frame"),
    ] {
        let (url, _peer) = websocket(async move |mut tcp| {
            tcp.write_all(bytes).await.unwrap();
        })
        .await;
        let mut socket = socket(&url).await;

        let ended = (bounded(socket.next()).await, bounded(socket.next()).await);

        assert!(ended == (OwnedFrame::Lost, OwnedFrame::Lost), "{ended:?}");
        assert_eq!(socket.fault().as_deref(), Some(fault));
    }
}

#[tokio::test]
async fn a_close_code_that_must_not_be_sent_is_reported_as_sent() {
    let (url, _peer) = websocket(async |mut tcp| {
        tcp.write_all(b"\x88\x02\x03\xed").await.unwrap();
    })
    .await;
    let mut socket = socket(&url).await;

    let close = bounded(socket.next()).await;

    assert!(close == OwnedFrame::Close { code: Some(1005), reason: String::new() }, "{close:?}");
    assert!(socket.fault().is_some_and(|fault| fault.contains("1005")));
}

#[tokio::test]
async fn frames_and_raw_bytes_leave_in_order() {
    let (url, peer) = websocket(async |mut tcp| {
        let mut frames = Vec::new();
        for _ in 0..4 {
            frames.push(read_frame(&mut tcp).await);
        }
        let mut raw = [0; 3];
        tcp.read_exact(&mut raw).await.unwrap();
        frames.push((raw[0], raw[1..].to_vec()));
        frames.push(read_frame(&mut tcp).await);
        frames
    })
    .await;
    let mut socket = socket(&url).await;

    bounded(socket.send(&OwnedFrame::Text { text: "aé".into(), fragments: 3 })).await.unwrap();
    bounded(socket.send(&OwnedFrame::Ping(vec![7]))).await.unwrap();
    bounded(socket.send_raw(b"\x81\x01x")).await.unwrap();
    bounded(socket.send(&OwnedFrame::Close { code: Some(1000), reason: "bye".into() })).await.unwrap();
    let frames = bounded(peer).await.unwrap();

    let expected: [(u8, &[u8]); 6] =
        [(0x01, b"a"), (0x00, b"\xc3"), (0x80, b"\xa9"), (0x89, b"\x07"), (0x81, b"\x01x"), (0x88, b"\x03\xe8bye")];
    assert_eq!(frames, expected.map(|(head, payload)| (head, payload.to_vec())));
}

#[tokio::test]
async fn sending_after_close_fails_and_lost_ends_the_connection() {
    let (url, peer) = websocket(async |mut tcp| until_closed(&mut tcp).await).await;
    let mut socket = socket(&url).await;

    bounded(socket.send(&OwnedFrame::Close { code: None, reason: String::new() })).await.unwrap();
    let after_close = bounded(socket.send(&OwnedFrame::text("x"))).await;
    bounded(socket.send(&OwnedFrame::Lost)).await.unwrap();
    bounded(peer).await.unwrap();

    assert!(matches!(after_close, Err(LinkError::Closed { .. })));
    assert!(bounded(socket.next()).await == OwnedFrame::Lost);
}

#[tokio::test]
async fn a_server_that_does_not_read_cannot_hold_a_send_for_ever() {
    let (url, _peer) = websocket(async |tcp| {
        std::future::pending::<()>().await;
        drop(tcp);
    })
    .await;
    let patience = Duration::from_millis(500);
    let dialer = Dialer::new(DialOptions { answer_timeout: patience, ..DialOptions::default() }).unwrap();
    let mut socket = bounded(dialer.open(&url, &upgrade())).await.unwrap().socket.unwrap();

    let error = bounded(socket.send(&OwnedFrame::Binary(vec![0; 30_000_000]))).await.unwrap_err();

    assert!(matches!(error, LinkError::SendTimeout { .. }), "{error}");
}

#[tokio::test]
async fn many_connections_share_one_inbox() {
    let (inbox, mut frames) = mpsc::channel(1);
    let (url_a, _a) = websocket(async |mut tcp| echo_frames(&mut tcp).await).await;
    let (url_b, _b) = websocket(async |mut tcp| echo_frames(&mut tcp).await).await;
    let a = socket(&url_a).await.spawn('a', inbox.clone());
    let b = socket(&url_b).await.spawn('b', inbox);

    a.send(OwnedFrame::text("to a")).await.unwrap();
    b.send(OwnedFrame::text("to b")).await.unwrap();
    b.send(OwnedFrame::Lost).await.unwrap();
    let mut got = Vec::new();
    for _ in 0..2 {
        got.push(bounded(frames.recv()).await.unwrap());
    }
    drop(a);
    while let Some(last) = bounded(frames.recv()).await {
        got.push(last);
    }

    assert!(got.contains(&('a', OwnedFrame::text("to a"))), "{got:?}");
    assert_eq!(got.iter().filter(|(id, frame)| *id == 'b' && *frame == OwnedFrame::Lost).count(), 1);
    assert!(bounded(b.send(OwnedFrame::text("x"))).await.is_err());
}

#[tokio::test]
async fn a_flood_that_nobody_reads_is_held_back_by_tcp() {
    const FLOOD: usize = 100_000_000;
    let (url, peer) =
        websocket(async |mut tcp| pour(&mut tcp, &b"\x81\x0d{\"type\":\"ka\"}".repeat(4096), FLOOD).await).await;
    let (inbox, frames) = mpsc::channel(4);
    let handle = socket(&url).await.spawn((), inbox.clone());

    bounded(async {
        while inbox.capacity() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(handle);
    let poured = bounded(peer).await.unwrap();

    assert!(poured < FLOOD, "{poured} bytes were taken");
    assert_eq!(frames.len(), 4);
}

#[tokio::test]
async fn a_broken_connection_in_a_task_leaves_its_fault_with_the_handle() {
    let (url, _peer) = websocket(async |mut tcp| {
        tcp.write_all(b"\x83\x00").await.unwrap();
        until_closed(&mut tcp).await;
    })
    .await;
    let (inbox, mut frames) = mpsc::channel(4);
    let handle = socket(&url).await.spawn(1, inbox);

    let last = bounded(frames.recv()).await;

    assert!(last == Some((1, OwnedFrame::Lost)), "{last:?}");
    assert_eq!(handle.fault().as_deref(), Some("peer broke RFC 6455: encountered invalid opcode: 3"));
}

#[tokio::test]
async fn an_http_exchange_reads_the_whole_body_and_no_more_than_its_limit() {
    for (answer, expected) in [
        (
            &b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"[..],
            Ok((200, "abcd")),
        ),
        (b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok", Ok((201, "ok"))),
        (b"HTTP/1.1 304 Same\r\ncontent-length: 9\r\n\r\n", Ok((304, ""))),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ncut", Err("closed the connection during the body")),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 8388609\r\n\r\n", Err("the body of the answer")),
        (b"HTTP/1.1 200 OK\r\n\r\n", Err("the body of the answer")),
    ] {
        let is_unbounded = answer.ends_with(b"OK\r\n\r\n") || answer.ends_with(b"8388609\r\n\r\n");
        let (url, _peer) = peer(async move |mut tcp| {
            read_head(&mut tcp).await;
            tcp.write_all(answer).await.unwrap();
            if is_unbounded {
                pour(&mut tcp, &[b'x'; 65536], 100_000_000).await;
            }
        })
        .await;

        let result = bounded(dialer().http(&url, &get())).await;

        match (result, expected) {
            (Ok(response), Ok(expected)) => assert_eq!((response.status, &*response.body.text()), expected),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (result, expected) => panic!("expected {expected:?}, got {result:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_before_the_end_of_a_long_body_counts() {
    let (url, _peer) = peer(async |mut tcp| {
        read_head(&mut tcp).await;
        tcp.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        // Held open and unread: the client must not insist on sending the rest.
        std::future::pending::<()>().await;
    })
    .await;
    let request = Request { method: "POST".into(), body: Bytes(vec![b'x'; 30_000_000]), ..get() };

    let response = bounded(dialer().http(&url, &request)).await.unwrap();

    assert_eq!(response.status, 413);
}

#[tokio::test]
async fn a_key_with_a_line_break_is_an_error_that_does_not_show_it() {
    let mut request = get();
    request.headers.push("x-api-key", "da2-secret\n");

    let error = bounded(dialer().http(&url(1, false), &request)).await.unwrap_err();

    assert_eq!(
        error.to_string(),
        "the request cannot be sent: the value of header field x-api-key holds a line break or a control character"
    );
}

#[test]
fn the_futures_of_a_dialer_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    let (dialer, url, request) = (dialer(), url(1, false), get());

    is_send(&dialer.open(&url, &request));
    is_send(&dialer.http(&url, &request));
}

fn dialer() -> Dialer {
    Dialer::new(DialOptions::default()).unwrap()
}

fn url(port: u16, secure: bool) -> Url {
    Url { secure, host: format!("127.0.0.1:{port}"), path: "/x".into() }
}

fn upgrade() -> Request {
    let headers = Headers::new().with("sec-websocket-protocol", "graphql-ws");
    Request { method: "GET".into(), target: "/x?y=1".into(), headers, body: Bytes::default() }
}

fn get() -> Request {
    Request { method: "GET".into(), target: "/".into(), headers: Headers::new(), body: Bytes::default() }
}

async fn open_error(dialer: &Dialer, url: &Url) -> LinkError {
    open_error_of(bounded(dialer.open(url, &upgrade())).await)
}

fn open_error_of(result: Result<Opened, LinkError>) -> LinkError {
    match result {
        Ok(opened) => panic!("expected an error, got {:?}", opened.response),
        Err(error) => error,
    }
}

async fn socket(url: &Url) -> Socket {
    bounded(dialer().open(url, &upgrade())).await.unwrap().socket.unwrap()
}

async fn bounded<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), future).await.expect("this must not hang")
}

/// A server for one connection.
async fn peer<T, F>(act: impl FnOnce(TcpStream) -> F + Send + 'static) -> (Url, JoinHandle<T>)
where
    T: Send + 'static,
    F: Future<Output = T> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url(listener.local_addr().unwrap().port(), false);
    let task = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        act(tcp).await
    });
    (url, task)
}

/// A server that has agreed to the upgrade, without a subprotocol.
async fn websocket<T, F>(act: impl FnOnce(TcpStream) -> F + Send + 'static) -> (Url, JoinHandle<T>)
where
    T: Send + 'static,
    F: Future<Output = T> + Send,
{
    peer(async move |mut tcp: TcpStream| {
        let head = read_head(&mut tcp).await;
        let key = head.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
        let accept = http::accept_value(key);
        let answer = format!("HTTP/1.1 101 Yes\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n");
        tcp.write_all(answer.as_bytes()).await.unwrap();
        act(tcp).await
    })
    .await
}

async fn read_head(tcp: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// First byte and unmasked payload of a short frame from a client.
async fn read_frame(tcp: &mut TcpStream) -> (u8, Vec<u8>) {
    let first = tcp.read_u8().await.unwrap();
    let len = tcp.read_u8().await.unwrap();
    assert!((0x80..0xfe).contains(&len), "masked and short: {len}");
    let mut mask = [0; 4];
    tcp.read_exact(&mut mask).await.unwrap();
    let mut payload = vec![0; usize::from(len & 0x7f)];
    tcp.read_exact(&mut payload).await.unwrap();
    payload.iter_mut().enumerate().for_each(|(at, byte)| *byte ^= mask[at % 4]);
    (first, payload)
}

async fn echo_frames(tcp: &mut TcpStream) {
    while tcp.readable().await.is_ok() && tcp.peek(&mut [0]).await.is_ok_and(|len| len > 0) {
        let (first, payload) = read_frame(tcp).await;
        let frame = [&[first, u8::try_from(payload.len()).unwrap()], payload.as_slice()].concat();
        tcp.write_all(&frame).await.unwrap();
    }
}

/// Writes up to `total` bytes; how many were taken before the client was gone.
async fn pour(tcp: &mut TcpStream, piece: &[u8], total: usize) -> usize {
    let mut poured = 0;
    while poured < total && tcp.write_all(piece).await.is_ok() {
        poured += piece.len();
    }
    poured
}

async fn until_closed(tcp: &mut TcpStream) {
    let mut sink = [0; 4096];
    while matches!(tcp.read(&mut sink).await, Ok(read) if read > 0) {}
}

/// A TLS server for one name, and its certificate in PEM.
fn tls_for(name: &str) -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

/// Answers every request with 204, whatever it is.
async fn tls_peers(acceptor: TlsAcceptor) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            if let Ok(mut tls) = acceptor.accept(tcp).await {
                let _ = tls.read(&mut [0; 4096]).await;
                tls.write_all(b"HTTP/1.1 204 Yes\r\n\r\n").await.unwrap();
                tls.shutdown().await.unwrap();
            }
        }
    });
    (address, task)
}
