//! Peers that are no AppSync endpoints, and what runs against them.
//!
//! A peer listens on a free port of the loopback interface and does one thing with every connection, as
//! bytes: it uses nothing of the suite, so that an error there cannot hide itself here. It counts what it
//! could write, and ends with its owner.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, reason = "tests")]

pub(crate) mod command;
pub(crate) mod judging;
pub(crate) mod targets;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use syncspec::catalogue::scenarios;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A listening peer. Dropping it ends it.
pub(crate) struct Peer {
    address: SocketAddr,
    most: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Peer {
    /// Serves every connection in the same way.
    pub(crate) async fn start<F>(serve: impl Fn(Caller) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Option<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound port has an address");
        let most = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&most);
        let task = tokio::spawn(async move {
            let mut callers = JoinSet::new();
            for number in 0.. {
                let Ok((tcp, _)) = listener.accept().await else { return };
                let _ = tcp.set_nodelay(true);
                callers.spawn(serve(Caller { tcp, number, read: Vec::new(), wrote: 0, most: Arc::clone(&counter) }));
            }
        });
        Self { address, most, task }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The most bytes that it could write on one connection.
    pub(crate) fn most_written(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One connection, the peer's side. Every method gives `None` when the other side is gone.
pub(crate) struct Caller {
    tcp: TcpStream,
    /// How many connections there were before.
    pub(crate) number: u64,
    read: Vec<u8>,
    wrote: u64,
    most: Arc<AtomicU64>,
}

/// An HTTP request.
pub(crate) struct Asked {
    /// `Sec-WebSocket-Key`, where it asks for an upgrade.
    pub(crate) key: Option<String>,
    /// Whether `Sec-WebSocket-Protocol` offers the protocol of a dialect.
    pub(crate) protocol: Option<&'static str>,
    /// The body.
    pub(crate) body: String,
    /// All of it, as it came.
    pub(crate) raw: Vec<u8>,
}

impl Asked {
    /// The place in the catalogue of the scenario that asks for an upgrade: it stands in the key.
    pub(crate) fn scenario(&self) -> Option<&'static str> {
        let key = STANDARD.decode(self.key.as_ref()?).ok()?;
        let number = u64::from_le_bytes(key.get(8..16)?.try_into().ok()?);
        scenarios().nth(usize::try_from(number).ok()?).map(|scenario| scenario.id)
    }
}

/// What a client sends over a WebSocket.
pub(crate) enum Said {
    /// A text or binary message, whole or a fragment.
    Message {
        /// First byte of the frame.
        head: u8,
        /// Unmasked.
        payload: Vec<u8>,
    },
    /// A ping.
    Ping(Vec<u8>),
    /// A close frame.
    Close(Vec<u8>),
}

impl Caller {
    /// Reads and forgets until the other side ends.
    pub(crate) async fn listen(&mut self) -> Option<()> {
        loop {
            self.fill().await?;
            self.read.clear();
        }
    }

    /// Writes bytes, counted.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = self.tcp.write(rest).await.ok().filter(|written| *written > 0)?;
            self.wrote += written as u64;
            self.most.fetch_max(self.wrote, Ordering::Relaxed);
            rest = &rest[written..];
        }
        Some(())
    }

    /// Writes byte by byte.
    pub(crate) async fn trickle(&mut self, bytes: &[u8]) -> Option<()> {
        for byte in bytes {
            self.write(std::slice::from_ref(byte)).await?;
            tokio::task::yield_now().await;
        }
        Some(())
    }

    /// Writes the same bytes until so many have gone out.
    pub(crate) async fn pour(&mut self, bytes: &[u8], total: u64) -> Option<()> {
        let until = self.wrote.saturating_add(total);
        while self.wrote < until {
            self.write(bytes).await?;
        }
        Some(())
    }

    /// The next HTTP request.
    pub(crate) async fn asked(&mut self) -> Option<Asked> {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill().await?;
        };
        let head = String::from_utf8_lossy(&self.read[..end]).into_owned();
        let mut raw: Vec<u8> = self.read.drain(..end).collect();
        let field = |name: &str| {
            let named = |line: &&str| line.split(':').next().is_some_and(|found| found.eq_ignore_ascii_case(name));
            head.lines().skip(1).find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
        };
        let length = field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        while self.read.len() < length {
            self.fill().await?;
        }
        let body = String::from_utf8_lossy(&self.read[..length]).into_owned();
        raw.extend(self.read.drain(..length));
        let offered = field("sec-websocket-protocol").unwrap_or_default();
        Some(Asked {
            key: field("sec-websocket-key").map(Into::into),
            protocol: ["graphql-ws", "aws-appsync-event-ws"].into_iter().find(|name| offered.contains(name)),
            body,
            raw,
        })
    }

    /// Lets another endpoint answer, from this request on.
    pub(crate) async fn forward(&mut self, asked: &Asked, to: SocketAddr) -> Option<()> {
        let mut other = TcpStream::connect(to).await.ok()?;
        let _ = other.set_nodelay(true);
        other.write_all(&asked.raw).await.ok()?;
        other.write_all(&self.read).await.ok()?;
        tokio::io::copy_bidirectional(&mut self.tcp, &mut other).await.ok().map(|_| ())
    }

    /// Lets another endpoint answer, but passes its answers on byte by byte.
    pub(crate) async fn forward_slowly(&mut self, asked: &Asked, to: SocketAddr) -> Option<()> {
        let mut other = TcpStream::connect(to).await.ok()?;
        other.write_all(&asked.raw).await.ok()?;
        let (mut said, mut answered) = ([0; 4096], [0; 4096]);
        loop {
            tokio::select! {
                read = self.tcp.read(&mut said) => {
                    let read = read.ok().filter(|read| *read > 0)?;
                    other.write_all(&said[..read]).await.ok()?;
                }
                read = other.read(&mut answered) => {
                    let read = read.ok().filter(|read| *read > 0)?;
                    self.trickle(&answered[..read]).await?;
                }
            }
        }
    }

    /// Agrees to an upgrade.
    pub(crate) async fn agree(&mut self, asked: &Asked) -> Option<()> {
        self.write(agreement(asked)?.as_bytes()).await
    }

    /// Answers an HTTP request with 200 and ends.
    pub(crate) async fn answer(&mut self, body: &str) -> Option<()> {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        self.write(head.as_bytes()).await?;
        self.write(body.as_bytes()).await
    }

    /// Sends a text message.
    pub(crate) async fn say(&mut self, text: &str) -> Option<()> {
        self.write(&frame(0x81, text.as_bytes())).await
    }

    /// The next frame.
    pub(crate) async fn said(&mut self) -> Option<Said> {
        loop {
            if let Some((head, payload)) = self.take_frame() {
                return Some(match head & 0x0f {
                    8 => Said::Close(payload),
                    9 => Said::Ping(payload),
                    10 => continue,
                    _ => Said::Message { head, payload },
                });
            }
            self.fill().await?;
        }
    }

    fn take_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let [head, length, rest @ ..] = self.read.as_slice() else { return None };
        let (head, is_masked) = (*head, length & 0x80 != 0);
        let extended = match length & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let length = match extended {
            0 => usize::from(length & 0x7f),
            _ => rest.get(..extended)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
        };
        let mask = if is_masked { rest.get(extended..extended + 4)? } else { &[0; 4] };
        let from = extended + if is_masked { 4 } else { 0 };
        let masked = rest.get(from..from.checked_add(length)?)?;
        let payload = masked.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        self.read.drain(..2 + from + length);
        Some((head, payload))
    }

    async fn fill(&mut self) -> Option<()> {
        let read = self.tcp.read_buf(&mut self.read).await.ok()?;
        (read > 0).then_some(())
    }
}

/// The 101 that belongs to a request.
pub(crate) fn agreement(asked: &Asked) -> Option<String> {
    let digest = Sha1::new().chain_update(asked.key.as_ref()?).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let selected = asked.protocol.map(|name| format!("sec-websocket-protocol: {name}\r\n")).unwrap_or_default();
    Some(format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n{selected}\
         sec-websocket-accept: {}\r\n\r\n",
        STANDARD.encode(digest.finalize())
    ))
}

/// A frame of a server, which masks nothing.
pub(crate) fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![head];
    match payload.len() {
        short @ 0..126 => out.push(u8::try_from(short).unwrap_or_default()),
        long => {
            out.push(127);
            out.extend((long as u64).to_be_bytes());
        }
    }
    out.extend(payload);
    out
}

/// What a server would say that agrees to everything and does nothing: one answer to a message, if any.
pub(crate) fn acknowledgement(asked: &Asked, message: &[u8]) -> Option<Value> {
    let message: Value = serde_json::from_slice(message).ok()?;
    let id = message.get("id").cloned().unwrap_or_default();
    Some(match message.get("type")?.as_str()? {
        "connection_init" if asked.protocol == Some("graphql-ws") => {
            json!({ "type": "connection_ack", "payload": { "connectionTimeoutMs": 300_000 } })
        }
        "connection_init" => json!({ "type": "connection_ack", "connectionTimeoutMs": 300_000 }),
        "start" => json!({ "type": "start_ack", "id": id }),
        "stop" => json!({ "type": "complete", "id": id }),
        "subscribe" => json!({ "type": "subscribe_success", "id": id }),
        "unsubscribe" => json!({ "type": "unsubscribe_success", "id": id }),
        "publish" => {
            let count = message.get("events").and_then(Value::as_array).map_or(0, Vec::len);
            json!({ "type": "publish_success", "id": id, "successful": successes(count), "failed": [] })
        }
        _ => return None,
    })
}

/// An HTTP answer that looks right for whatever was asked.
pub(crate) fn plausible(body: &str) -> String {
    let asked: Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(events) = asked.get("events").and_then(Value::as_array) {
        return json!({ "successful": successes(events.len()), "failed": [] }).to_string();
    }
    if body.contains("__schema") {
        let fields = |names: [&str; 4]| json!({ "fields": names.map(|name| json!({ "name": name })) });
        let mutations = fields(["publish2channel", "sendMessage", "addNote", "dropNote"]);
        let subscriptions = fields(["subscribe2channel", "subscribeToMessages", "onNote", "onDrop"]);
        return json!({ "data": { "__schema": { "mutationType": mutations, "subscriptionType": subscriptions } } })
            .to_string();
    }
    let variables = asked.get("variables").cloned().unwrap_or_else(|| json!({}));
    json!({ "data": { "publish2channel": variables, "sendMessage": variables, "addNote": variables, "dropNote": variables } })
        .to_string()
}

fn successes(count: usize) -> Value {
    (0..count).map(|index| json!({ "identifier": format!("e-{index}"), "index": index })).collect()
}
