//! Peers that send what nobody should send: a run ends in bounded time, with a reason, and takes only so much.
//!
//! Each peer is met twice: by a run that sees nothing else, and behind an endpoint that holds the controls
//! and turns bad for every other scenario, so that all of the player sees it and not the preflight alone.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use std::net::SocketAddr;

use appsync_protocol::dialect::Dialect;
use peers::judging::{Judged, KEY, judge, options};
use peers::{Asked, Caller, Peer, Said, acknowledgement, frame, plausible};
use syncspec::reference::shell::{Options as ShellOptions, Running};
use syncspec::reference::{Config, Endpoint};
use syncspec::run::Stop;
use syncspec::verdict::Verdict;

const MEGABYTE: u64 = 1024 * 1024;

/// What a peer tries to send where it sends without measure.
const TOO_MUCH: u64 = 1024 * MEGABYTE;

/// What it can get rid of: the longest message, what may wait, and what two sockets hold.
const TAKEN_MAX: u64 = 160 * MEGABYTE;

// Answers that are no 101: no statement

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_no_101_is_a_reason_to_stop() {
    for (answer, reason) in [
        ("HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\n\r\n<html><h1>Not here</h1>", "404: <html><h1>Not here"),
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n", "got status 302"),
        ("HTTP/1.1 101 Switching\r\nupgrade: h2c\r\n\r\n", "expected 101"),
        ("HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nsec-websocket-accept: bm8=\r\n\r\n", "sec-websocket-accept"),
        ("HTTP/1.1 999999 What\r\n\r\n", "cannot be read"),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "cannot be read"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP/1"),
        ("\0\u{1}\u{2}\u{3}", "does not speak HTTP/1"),
        ("HTTP/1.1 200 OK\r\n", "closed the connection"),
        ("", "closed the connection"),
    ] {
        let peer = Peer::start(move |mut caller| async move {
            caller.asked().await?;
            caller.write(answer.as_bytes()).await
        })
        .await;

        let judged = judge(options(Dialect::Graphql, peer.address())).await;

        assert_eq!(judged.exit.code, 3, "{}", judged.lines());
        assert!(judged.exit.reason.contains(reason), "{answer:?}: {}", judged.lines());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_end_is_a_reason_to_stop_and_not_taken() {
    for (head, more, reason) in [
        ("HTTP/1.1 200 OK\r\n\r\n", "<html>", "got status 200"),
        ("HTTP/1.1 200 OK\r\nx: ", "y", "the head of the answer"),
        ("HTTP/1.1 200 OK\r\n", "x: y\r\n", "the head of the answer"),
        ("", "HTTP/1.1 100 Continue\r\n\r\n", "the head of the answer"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n", "got status 200"),
    ] {
        let peer = Peer::start(move |mut caller| async move {
            caller.asked().await?;
            caller.write(head.as_bytes()).await?;
            caller.pour(more.repeat(10_000).as_bytes(), TOO_MUCH).await
        })
        .await;

        let judged = judge(options(Dialect::Events, peer.address())).await;

        assert_eq!(judged.exit.code, 3, "{}", judged.lines());
        assert!(judged.exit.reason.contains(reason), "{head:?}: {}", judged.lines());
        assert!(peer.most_written() < TAKEN_MAX, "{head:?}: {} bytes", peer.most_written());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_comes_byte_by_byte_and_never_ends_is_a_reason_to_stop() {
    let peer = Peer::start(|mut caller: Caller| async move {
        caller.asked().await?;
        caller.trickle(b"HTTP/1.1 200 OK\r\nx: ").await?;
        caller.listen().await
    })
    .await;

    let judged = judge(options(Dialect::Graphql, peer.address())).await;

    assert_eq!(judged.exit.code, 3, "{}", judged.lines());
    assert!(judged.exit.reason.contains("no whole answer"), "{}", judged.lines());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_endpoint_that_sends_byte_by_byte_passes() {
    for dialect in Dialect::ALL {
        let reference = reference();
        let to = reference.address();
        let peer = Peer::start(move |mut caller: Caller| async move {
            let asked = caller.asked().await?;
            caller.forward_slowly(&asked, to).await
        })
        .await;

        let mut options = options(dialect, peer.address());
        options.filters = vec!["/control/".into(), "/init/".into()];
        options.step_timeout *= 10;
        options.case_timeout *= 10;
        let judged = judge(options).await;

        assert_eq!(judged.exit.code, 0, "{}", judged.lines());
        assert!(judged.with(Verdict::Pass).len() > 3, "{}", judged.lines());
    }
}

// After the 101: verdicts

/// Two tests for each peer, one a dialect.
macro_rules! are_survived {
    ($($peer:ident),+ $(,)?) => {
        $(mod $peer {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn is_survived_by_graphql() {
                super::survives(super::Dialect::Graphql, super::behaviour::$peer).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn is_survived_by_events() {
                super::survives(super::Dialect::Events, super::behaviour::$peer).await;
            }
        })+
    };
}

are_survived! {
    a_frame_without_end,
    a_frame_that_claims_more_than_there_is,
    a_message_of_fragments_without_end,
    an_http_body_without_end,
    an_end_within_a_frame,
    a_flood_of_keep_alives,
    a_flood_of_long_keep_alives,
    a_flood_of_pings,
    text_that_is_not_utf8,
    json_of_100_000_levels,
    members_that_occur_twice,
    bytes_that_are_no_frames,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_look_that_may_wait_for_long_takes_only_so_much() {
    for dialect in Dialect::ALL {
        let peer = Peer::start(move |caller| asked_first(caller, behaviour::a_flood_of_long_keep_alives, None)).await;

        let mut options = options(dialect, peer.address());
        options.filters = vec!["/subscribe/acknowledged".into()];
        options.step_timeout *= 100;
        options.case_timeout *= 100;
        let judged = judge(options).await;

        assert_bounded(&judged, &peer);
    }
}

async fn survives<F>(dialect: Dialect, serve: impl Fn(Caller, Asked) -> F + Clone + Send + 'static)
where
    F: Future<Output = Option<()>> + Send + 'static,
{
    let bad = serve.clone();
    let peer = Peer::start(move |caller| asked_first(caller, bad.clone(), None)).await;

    let judged = judge(options(dialect, peer.address())).await;

    assert_bounded(&judged, &peer);
    assert_eq!(judged.with(Verdict::Pass), Vec::<&str>::new(), "{}", judged.lines());

    let reference = reference();
    let to = reference.address();
    let peer = Peer::start(move |caller| asked_first(caller, serve.clone(), Some(to))).await;

    let mut options = options(dialect, peer.address());
    options.filters = vec!["/subscribe/acknowledged".into(), "/framing/ping".into()];
    let judged = judge(options).await;

    assert_bounded(&judged, &peer);
    let controls = judged.with(Verdict::Pass).into_iter().filter(|id| id.contains("/control/")).count();
    assert_eq!((controls, judged.finished.run.cases.len() >= 4), (2, true), "{}", judged.lines());
}

/// Reads the request; controls and what is no upgrade go to the good endpoint, where there is one.
async fn asked_first<F>(
    mut caller: Caller,
    serve: impl Fn(Caller, Asked) -> F + Send,
    good: Option<SocketAddr>,
) -> Option<()>
where
    F: Future<Output = Option<()>> + Send,
{
    let asked = caller.asked().await?;
    let is_control = asked.scenario().is_none_or(|id| id.contains("/control/"));
    match good {
        Some(good) if is_control => caller.forward(&asked, good).await,
        Some(_) | None => serve(caller, asked).await,
    }
}

#[track_caller]
fn assert_bounded(judged: &Judged, peer: &Peer) {
    assert!(!matches!(judged.finished.stop, Some(Stop::Harness(_))), "{}", judged.lines());
    assert_ne!(judged.exit.code, 0, "{}", judged.lines());
    assert!(peer.most_written() < TAKEN_MAX, "{} bytes", peer.most_written());
    for case in &judged.finished.run.cases {
        assert!(case.verdict == Verdict::Pass || !case.reason.is_empty(), "{} has no reason", case.id);
        assert!(case.reason.len() < 10_000 && case.dialogue.len() < 1_000_000, "{} is long", case.id);
    }
}

fn reference() -> Running {
    let config = Config::default().with_api_key(KEY);
    Running::start(Endpoint::new(config, &[]).unwrap(), "127.0.0.1:0", ShellOptions::default()).unwrap()
}

mod behaviour {
    use super::{Asked, Caller, MEGABYTE, Said, TOO_MUCH, acknowledgement, frame, plausible};

    pub(super) async fn a_frame_without_end(caller: Caller, asked: Asked) -> Option<()> {
        on_message(caller, asked, async |caller, _| {
            caller.write(&header(0x81, TOO_MUCH)).await?;
            caller.pour(&[b'x'; 65536], TOO_MUCH).await
        })
        .await
    }

    pub(super) async fn a_frame_that_claims_more_than_there_is(caller: Caller, asked: Asked) -> Option<()> {
        on_message(caller, asked, async |caller, _| {
            caller.write(&header(0x81, u64::MAX)).await?;
            caller.listen().await
        })
        .await
    }

    pub(super) async fn a_message_of_fragments_without_end(caller: Caller, asked: Asked) -> Option<()> {
        on_message(caller, asked, async |caller, _| {
            let part = vec![b'x'; usize::try_from(MEGABYTE).unwrap_or_default()];
            caller.write(&frame(0x01, &part)).await?;
            caller.pour(&frame(0x00, &part), TOO_MUCH).await
        })
        .await
    }

    pub(super) async fn an_http_body_without_end(mut caller: Caller, asked: Asked) -> Option<()> {
        if asked.key.is_some() {
            return on_message(caller, asked, async |_, _| Some(())).await;
        }
        caller.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {TOO_MUCH}\r\n\r\n").as_bytes()).await?;
        caller.pour(&[b' '; 65536], TOO_MUCH).await
    }

    pub(super) async fn an_end_within_a_frame(caller: Caller, asked: Asked) -> Option<()> {
        on_message(caller, asked, async |caller, _| {
            caller.write(&frame(0x81, br#"{"type":"connection_ack"}"#)[..9]).await?;
            None
        })
        .await
    }

    pub(super) async fn a_flood_of_keep_alives(caller: Caller, asked: Asked) -> Option<()> {
        on_message(caller, asked, async |caller, _| {
            caller.pour(&frame(0x81, br#"{"type":"ka"}"#).repeat(1000), TOO_MUCH).await
        })
        .await
    }

    pub(super) async fn a_flood_of_long_keep_alives(caller: Caller, asked: Asked) -> Option<()> {
        on_message(caller, asked, async |caller, _| {
            let text = format!(r#"{{"type":"ka","more":"{}"}}"#, "x".repeat(1_000_000));
            caller.pour(&frame(0x81, text.as_bytes()), TOO_MUCH).await
        })
        .await
    }

    pub(super) async fn a_flood_of_pings(caller: Caller, asked: Asked) -> Option<()> {
        on_message(caller, asked, async |caller, _| caller.pour(&frame(0x89, &[b'p'; 125]).repeat(100), TOO_MUCH).await)
            .await
    }

    pub(super) async fn text_that_is_not_utf8(caller: Caller, asked: Asked) -> Option<()> {
        on_message(caller, asked, async |caller, _| {
            caller.write(&frame(0x81, b"{\"type\":\"connection_ack\",\"x\":\"\xc3\x28\xff\"}")).await
        })
        .await
    }

    pub(super) async fn json_of_100_000_levels(caller: Caller, asked: Asked) -> Option<()> {
        on_message(caller, asked, async |caller, _| {
            let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
            caller.say(&format!(r#"{{"type":"connection_ack","payload":{open}{close}}}"#)).await?;
            caller.say(&format!("{}1{}", r#"{"type":"#.repeat(100_000), "}".repeat(100_000))).await
        })
        .await
    }

    pub(super) async fn members_that_occur_twice(caller: Caller, asked: Asked) -> Option<()> {
        on_message(caller, asked, async |caller, answer| {
            let Some(answer) = answer else { return Some(()) };
            let members = answer.trim_start_matches('{').trim_end_matches('}');
            caller.say(&format!(r#"{{{members},"type":"data","id":"other",{members}}}"#)).await
        })
        .await
    }

    pub(super) async fn bytes_that_are_no_frames(caller: Caller, asked: Asked) -> Option<()> {
        on_message(caller, asked, async |caller, _| caller.write(&[0xff; 1000]).await).await
    }

    /// Agrees to the upgrade and reacts to each message, knowing what the answer might be; answers HTTP
    /// requests in a plausible way.
    async fn on_message(
        mut caller: Caller,
        asked: Asked,
        react: impl AsyncFn(&mut Caller, Option<String>) -> Option<()>,
    ) -> Option<()> {
        if asked.key.is_none() {
            return caller.answer(&plausible(&asked.body)).await;
        }
        caller.agree(&asked).await?;
        loop {
            match caller.said().await? {
                Said::Message { payload, .. } => {
                    let answer = acknowledgement(&asked, &payload).map(|answer| answer.to_string());
                    react(&mut caller, answer).await?;
                }
                Said::Ping(payload) => caller.write(&frame(0x8a, &payload)).await?,
                Said::Close(payload) => return caller.write(&frame(0x88, &payload)).await,
            }
        }
    }

    fn header(first: u8, length: u64) -> Vec<u8> {
        [[first, 127].as_slice(), &length.to_be_bytes()].concat()
    }
}
