//! Who waits for whom: publishers for subscribers, answers for their flush, connections for the next request.

use super::*;

#[tokio::test]
async fn a_publisher_is_held_back_while_a_subscriber_takes_nothing_and_nobody_is_dropped() {
    let port = Port::open(Options { queue: 16, when_full: WhenFull::HoldBack, ..Options::default() }).await;
    let (mut first, mut publisher) = (port.socket().await, port.socket().await);

    // More than TCP takes for somebody who does not read.
    for _ in 0..100 {
        bounded(publisher.send(&OwnedFrame::text("tell the first"))).await.unwrap();
    }
    let mut came = 0;
    while came < 100 * TOLD {
        assert!(matches!(bounded(first.next()).await, OwnedFrame::Text { text, .. } if text.len() == TOLD_BYTES));
        came += 1;
    }
    drop((first, publisher));

    assert_eq!(port.stop().await.slow_consumers, 0);
}

#[tokio::test]
async fn a_request_is_answered_once_subscribers_have_taken_what_it_led_to() {
    let mut port = Port::open(Options { queue: 16, when_full: WhenFull::HoldBack, ..Options::default() }).await;
    let mut first = port.socket().await;
    let mut asking = TcpStream::connect(port.url.authority()).await.unwrap();

    let request = kept("tell the first");
    for _ in 0..100 {
        asking.write_all(request.as_bytes()).await.unwrap();
    }
    for _ in 0..100 * TOLD {
        assert!(matches!(bounded(first.next()).await, OwnedFrame::Text { .. }));
    }
    let answers = answers(&mut asking, 100, "tell the first").await;
    drop(first);

    assert_eq!(answers.matches("HTTP/1.1 200").count(), 100);
    assert!(port.told().await == OwnedFrame::Lost);
    assert_eq!(port.stop().await.slow_consumers, 0);
}

#[tokio::test]
async fn a_client_that_asks_for_it_keeps_its_connection_until_it_does_not_ask() {
    let port = Port::open(Options::default()).await;
    let mut stream = TcpStream::connect(port.url.authority()).await.unwrap();

    stream.write_all(format!("{}{}", kept("one"), kept("two")).as_bytes()).await.unwrap();
    let kept_open = answers(&mut stream, 2, "two").await;
    stream.write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nthree").await.unwrap();
    let mut last = String::new();
    bounded(stream.read_to_string(&mut last)).await.unwrap();

    assert_eq!(kept_open.matches("connection: keep-alive").count(), 2);
    assert!(kept_open.contains("one") && kept_open.ends_with("two"), "{kept_open}");
    assert!(last.contains("connection: close") && last.ends_with("three"), "{last}");
}

#[tokio::test]
async fn answers_that_waited_for_the_next_request_come_before_its_refusal() {
    let port = Port::open(Options::default()).await;
    let mut stream = TcpStream::connect(port.url.authority()).await.unwrap();
    let odd = "POST / HTTP/1.1\r\nhost: localhost\r\nexpect: a-miracle\r\ncontent-length: 0\r\n\r\n";

    stream.write_all(format!("{}{}{odd}", kept("one"), kept("two")).as_bytes()).await.unwrap();
    let mut all = String::new();
    bounded(stream.read_to_string(&mut all)).await.unwrap();

    let places = ["\r\n\r\none", "\r\n\r\ntwo", "HTTP/1.1 417"].map(|part| all.find(part));
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{all}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_kept_and_stays_silent_ends_without_a_word() {
    let port = Port::open(Options::default()).await;
    let mut stream = TcpStream::connect(port.url.authority()).await.unwrap();

    stream.write_all(kept("one").as_bytes()).await.unwrap();
    let mut all = String::new();
    bounded_long(stream.read_to_string(&mut all)).await.unwrap();

    assert!(all.contains("HTTP/1.1 200") && all.ends_with("one"), "{all}");
}

#[tokio::test]
async fn answers_come_before_those_to_a_ping_and_a_close_frame_that_came_together_with_the_message() {
    let port = Port::open(Options::default()).await;
    // Masked with zeros: the texts "one" and "two", a ping, and a close frame.
    let one = b"\x81\x83\0\0\0\0one\x89\x80\0\0\0\0\x81\x83\0\0\0\0two\x88\x80\0\0\0\0";
    let mut socket = port.socket().await;

    bounded(socket.send_raw(one)).await.unwrap();
    let mut came = Vec::new();
    for _ in 0..4 {
        came.push(bounded(socket.next()).await);
    }

    let close = OwnedFrame::Close { code: None, reason: String::new() };
    assert!(came == [OwnedFrame::text("one"), OwnedFrame::Pong(vec![]), OwnedFrame::text("two"), close], "{came:?}");
}

fn kept(body: &str) -> String {
    let fields = "host: localhost\r\nconnection: keep-alive";
    format!("POST / HTTP/1.1\r\n{fields}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Reads so many answers, the last with this body.
async fn answers(stream: &mut TcpStream, count: usize, last: &str) -> String {
    let mut all = Vec::new();
    let is_whole = |all: &[u8]| {
        let text = String::from_utf8_lossy(all);
        text.matches("\r\n\r\n").count() == count && text.ends_with(last)
    };
    while !is_whole(&all) {
        let mut some = [0; 4096];
        let read = bounded(stream.read(&mut some)).await.unwrap();
        assert!(read > 0, "the connection ended");
        all.extend_from_slice(&some[..read]);
    }
    String::from_utf8(all).unwrap()
}
