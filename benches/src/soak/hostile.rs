//! Clients that mean no good. Nothing is promised to them, so the ledger does not know them; what they must not get, and
//! that the endpoint ends what it has to end, is looked at here.

use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Credentials, build};
use appsync_protocol::wire::OwnedFrame;
use serde_json::{Value, json};
use syncspec::link::Socket;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::Failure;
use crate::child::{KEY, MESSAGE_MAX, PING_AFTER};
use crate::http::post;
use crate::world::{Phase, World, rest};

/// For an answer that has to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages of a flood.
const FLOOD: usize = 300;
/// Subscriptions of a slow reader, to all there is.
const GREEDY: usize = 24;
/// Frames that may have been under way before an end shows.
const BEFORE_END_MAX: usize = 20_000;
/// How long a half-open socket is left alone. The endpoint drops it after four silences.
const HALF_OPEN: Duration = Duration::from_secs(PING_AFTER.as_secs() * 7);

#[derive(Clone, Copy)]
enum Deed {
    WrongKey,
    Malformed,
    BadFraming,
    Oversize,
    Flood,
    SlowReader,
    HalfOpen,
    HalfHead,
    Reset,
    BadHttp,
}

const DEEDS: [Deed; 10] = [
    Deed::WrongKey,
    Deed::Malformed,
    Deed::BadFraming,
    Deed::Oversize,
    Deed::Flood,
    Deed::SlowReader,
    Deed::HalfOpen,
    Deed::HalfHead,
    Deed::Reset,
    Deed::BadHttp,
];

impl Deed {
    const fn name(self) -> &'static str {
        match self {
            Self::WrongKey => "wrong key",
            Self::Malformed => "malformed messages",
            Self::BadFraming => "broken framing",
            Self::Oversize => "oversize message",
            Self::Flood => "flood",
            Self::SlowReader => "slow reader",
            Self::HalfOpen => "half-open socket",
            Self::HalfHead => "half a request",
            Self::Reset => "reset under a subscribe",
            Self::BadHttp => "bad HTTP request",
        }
    }
}

/// One troublemaker.
pub(crate) struct Hostile {
    /// Shared by all.
    pub(crate) world: Arc<World>,
    /// Of what it does.
    pub(crate) rng: fastrand::Rng,
    /// Turns to `Drain` when it has to stop.
    pub(crate) phase: watch::Receiver<Phase>,
}

impl Hostile {
    /// One deed after the other until the load is over.
    pub(crate) async fn run(mut self) {
        loop {
            let pause = Duration::from_millis(self.rng.u64(200..3_000));
            if !rest(&mut self.phase, pause).await {
                return;
            }
            let deed = DEEDS[self.rng.usize(..DEEDS.len())];
            self.world.count(deed.name());
            if let Err(error) = self.do_it(deed).await {
                self.world.complain(format!("{}: {error}", deed.name()));
            }
        }
    }

    /// Fails where the endpoint did what it must not.
    async fn do_it(&mut self, deed: Deed) -> Result<(), Failure> {
        let dialect = Dialect::ALL[self.rng.usize(..Dialect::ALL.len())];
        match deed {
            Deed::WrongKey => self.wrong_key(dialect).await,
            Deed::Malformed => self.malformed(dialect).await,
            Deed::BadFraming => self.bad_framing(dialect).await,
            Deed::Oversize => self.oversize(dialect).await,
            Deed::Flood => self.flood(dialect).await,
            Deed::SlowReader => self.slow_reader().await,
            Deed::HalfOpen => self.half_open(dialect).await,
            Deed::HalfHead => self.half_head().await,
            Deed::Reset => self.reset(dialect).await,
            Deed::BadHttp => self.bad_http().await,
        }
    }

    async fn wrong_key(&mut self, dialect: Dialect) -> Result<(), Failure> {
        let mut socket = self.open(dialect, "da2-wrong").await?;
        socket.send(&init()).await?;
        match timeout(PATIENCE, socket.next()).await? {
            OwnedFrame::Text { text, .. } if !text.contains("connection_error") => {
                Err("expected connection_error; got another message".into())
            }
            OwnedFrame::Text { .. } | OwnedFrame::Close { .. } | OwnedFrame::Lost => Ok(()),
            OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => {
                Err("expected connection_error".into())
            }
        }
    }

    /// Whatever the endpoint says to it, it has to go on serving others; that shows with them.
    async fn malformed(&mut self, dialect: Dialect) -> Result<(), Failure> {
        let mut socket = self.greeted(dialect).await?;
        for text in [
            "",
            "{",
            "null",
            "[]",
            r#"{"type":7}"#,
            r#"{"type":"subscribe"}"#,
            r#"{"type":"start","id":"a","payload":"no"}"#,
            r#"{"type":"subscribe","id":"a","channel":"//*/*","authorization":[]}"#,
            r#"{"type":"publish","id":"b","channel":"/noise/a","events":["{"],"authorization":{}}"#,
            r#"{"type":"stop","id":"nobody"}"#,
        ] {
            if socket.send(&OwnedFrame::text(text)).await.is_err() {
                return Ok(());
            }
        }
        let _ = socket.send(&OwnedFrame::Binary(vec![0xff; 64])).await;
        let _ = timeout(Duration::from_secs(1), socket.next()).await;
        Ok(())
    }

    async fn bad_framing(&mut self, dialect: Dialect) -> Result<(), Failure> {
        let mut socket = self.greeted(dialect).await?;
        let bytes: &[u8] = match self.rng.u8(..4) {
            // A text frame without a mask.
            0 => &[0x81, 0x02, b'{', b'}'],
            // An opcode that is reserved.
            1 => &[0x83, 0x80, 1, 2, 3, 4],
            // A reserved bit.
            2 => &[0xc1, 0x80, 1, 2, 3, 4],
            // Text that is no UTF-8.
            _ => &[0x81, 0x81, 0, 0, 0, 0, 0xff],
        };
        socket.send_raw(bytes).await?;
        until_end(&mut socket).await
    }

    async fn oversize(&mut self, dialect: Dialect) -> Result<(), Failure> {
        let mut socket = self.greeted(dialect).await?;
        // The endpoint may end the connection before it has taken all.
        let _ = socket.send(&OwnedFrame::text("x".repeat(MESSAGE_MAX + 1))).await;
        until_end(&mut socket).await
    }

    /// Many operations at once, whose answers are not read.
    async fn flood(&mut self, dialect: Dialect) -> Result<(), Failure> {
        let mut socket = self.greeted(dialect).await?;
        let authorization = json!({"host": self.world.url.host, "x-api-key": KEY});
        for number in 0..FLOOD {
            let message = match dialect {
                Dialect::Graphql => json!({"type": "start", "id": format!("{number}"), "payload": {"data": "{}"}}),
                Dialect::Events => json!({
                    "type": "publish", "id": format!("{number}"), "channel": "/noise/flood",
                    "events": ["\"noise\""], "authorization": authorization,
                }),
            };
            if socket.send(&OwnedFrame::text(message.to_string())).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Listens to all there is, and reads nothing of it.
    async fn slow_reader(&mut self) -> Result<(), Failure> {
        let mut socket = self.greeted(Dialect::Events).await?;
        for number in 0..GREEDY {
            let channel = ["/default/*", "/other/*"][number % 2];
            socket.send(&OwnedFrame::text(self.subscribe(number, channel).to_string())).await?;
        }
        let pause = Duration::from_secs(self.rng.u64(5..20));
        rest(&mut self.phase, pause).await;
        Ok(())
    }

    /// A client whose machine has gone to sleep.
    async fn half_open(&mut self, dialect: Dialect) -> Result<(), Failure> {
        let mut socket = self.greeted(dialect).await?;
        if !rest(&mut self.phase, HALF_OPEN).await {
            return Ok(());
        }
        until_end(&mut socket).await
    }

    async fn half_head(&mut self) -> Result<(), Failure> {
        let mut tcp = TcpStream::connect(self.world.url.host.as_str()).await?;
        let whole = b"GET /event/realtime HTTP/1.1\r\nhost: ";
        tcp.write_all(&whole[..self.rng.usize(1..whole.len())]).await?;
        let pause = Duration::from_secs(self.rng.u64(1..10));
        rest(&mut self.phase, pause).await;
        Ok(())
    }

    async fn reset(&mut self, dialect: Dialect) -> Result<(), Failure> {
        let mut socket = self.greeted(dialect).await?;
        let message = self.subscribe(0, "/default/*");
        socket.send(&OwnedFrame::text(message.to_string())).await?;
        socket.send(&OwnedFrame::Lost).await?;
        Ok(())
    }

    async fn bad_http(&mut self) -> Result<(), Failure> {
        let bodies = ["", "{", "[]", r#"{"query":"{"}"#, r#"{"channel":"no","events":[]}"#, "\u{0}"];
        let (path, body) = (["/graphql", "/event"][self.rng.usize(..2)], bodies[self.rng.usize(..bodies.len())]);
        let response = post(&self.world, path, KEY, body.to_owned()).await?;
        let has_errors = response.body.text().contains("errors");
        match response.status {
            400..500 => Ok(()),
            200 if has_errors => Ok(()),
            status => Err(format!("POST {path} with {body:?} got {status}").into()),
        }
    }

    async fn open(&self, dialect: Dialect, key: &str) -> Result<Socket, Failure> {
        let credentials = Credentials::api_key(self.world.url.host.as_str(), key);
        let url = self.world.realtime(dialect);
        let request = build(dialect, Carrier::Subprotocol, &credentials, &url, "AAAAAAAAAAAAAAAAAAAAAA==");
        let opened = self.world.straight.open(&url, &request).await?;
        opened.socket.ok_or_else(|| format!("the upgrade got {}", opened.response.status).into())
    }

    async fn greeted(&self, dialect: Dialect) -> Result<Socket, Failure> {
        let mut socket = self.open(dialect, KEY).await?;
        socket.send(&init()).await?;
        match timeout(PATIENCE, socket.next()).await? {
            OwnedFrame::Text { text, .. } if text.contains("connection_ack") => Ok(socket),
            OwnedFrame::Text { .. } => Err("expected connection_ack; got another message".into()),
            OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => Err("expected connection_ack".into()),
            OwnedFrame::Close { .. } | OwnedFrame::Lost => Err("lost before connection_ack".into()),
        }
    }

    fn subscribe(&self, number: usize, channel: &str) -> Value {
        let authorization = json!({"host": self.world.url.host, "x-api-key": KEY});
        json!({"type": "subscribe", "id": format!("greedy-{number}"), "channel": channel, "authorization": authorization})
    }
}

fn init() -> OwnedFrame {
    OwnedFrame::text(r#"{"type":"connection_init"}"#)
}

/// The endpoint has to end the connection.
async fn until_end(socket: &mut Socket) -> Result<(), Failure> {
    let ending = async {
        for _ in 0..BEFORE_END_MAX {
            match socket.next().await {
                OwnedFrame::Close { .. } | OwnedFrame::Lost => return Ok(()),
                OwnedFrame::Text { .. } | OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => {}
            }
        }
        Err("expected the end of the connection; got messages without an end".into())
    };
    timeout(PATIENCE, ending).await.map_err(|_| "expected the end of the connection; it stays open")?
}
