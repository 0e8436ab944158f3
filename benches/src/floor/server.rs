//! The floor server: fan-out and answers for both dialects, in one thread.
//!
//! ```text
//!   publisher ──read──> publishes of this read ──> one template of all frames
//!                                                      │ for each subscriber: its id over the last one, one write
//!                                                      v
//!                                                  subscribers
//! ```
//!
//! It is held back as the measured server is: while a subscriber takes no more, nothing is read from who publishes.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use appsync_protocol::dialect::Dialect;
use memchr::{memchr, memmem};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use tungstenite::handshake::derive_accept_key;

use super::Failure;
use super::wire::{frame, server_head, unmask};

/// Most bytes that are read at a time.
const READ: usize = 64 * 1024;

const LISTENER: Token = Token(usize::MAX);

/// One connection.
struct Client {
    stream: TcpStream,
    dialect: Dialect,
    is_upgraded: bool,
    /// What was read of a frame or request that is not whole.
    rest: Vec<u8>,
    /// What is to be written.
    out: Vec<u8>,
    /// The socket has not taken all of it.
    is_blocked: bool,
    /// Waits for its turn to be read.
    is_paused: bool,
}

/// Who hears what is published.
struct Subscriber {
    client: usize,
    dialect: Dialect,
    id: Vec<u8>,
}

struct Server {
    poll: Poll,
    listener: TcpListener,
    /// By token. Who is gone leaves a gap.
    clients: Vec<Option<Client>>,
    subscribers: Vec<Subscriber>,
    /// Clients to which something is still to be written.
    blocked: usize,
    paused: Vec<usize>,
    buffer: Vec<u8>,
    /// The events of one read, each a JSON string with its quotes.
    events: Vec<Vec<u8>>,
}

/// Serves for ever. `ready` hears where.
///
/// # Errors
/// Where the system gives no socket.
pub fn serve(ready: impl FnOnce(SocketAddr)) -> Result<(), Failure> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener);
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    ready(listener.local_addr()?);
    let mut server = Server {
        poll,
        listener,
        clients: Vec::new(),
        subscribers: Vec::new(),
        blocked: 0,
        paused: Vec::new(),
        buffer: vec![0; READ],
        events: Vec::new(),
    };
    let mut events = Events::with_capacity(1024);
    loop {
        match server.poll.poll(&mut events, None) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        for event in &events {
            match event.token() {
                LISTENER => server.accept()?,
                Token(client) => {
                    if event.is_writable() {
                        server.resume(client);
                    }
                    if event.is_readable() {
                        server.read(client);
                    }
                }
            }
        }
    }
}

impl Server {
    fn accept(&mut self) -> Result<(), Failure> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            stream.set_nodelay(true)?;
            let token = Token(self.clients.len());
            self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            self.clients.push(Some(Client {
                stream,
                dialect: Dialect::Events,
                is_upgraded: false,
                rest: Vec::new(),
                out: Vec::new(),
                is_blocked: false,
                is_paused: false,
            }));
        }
    }

    /// Reads all that there is, or until a subscriber holds it back.
    fn read(&mut self, number: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some(Some(client)) = self.clients.get_mut(number) {
            if client.is_paused {
                break;
            }
            let kept = client.rest.len();
            if buffer.len() < kept + READ {
                buffer.resize(kept + READ, 0);
            }
            buffer[..kept].copy_from_slice(&client.rest);
            client.rest.clear();
            let room = buffer.len() - kept;
            let got = match client.stream.read(&mut buffer[kept..]) {
                Ok(0) => {
                    self.leave(number);
                    break;
                }
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    client.rest.extend_from_slice(&buffer[..kept]);
                    break;
                }
                Err(_) => {
                    self.leave(number);
                    break;
                }
            };
            let used = self.take(number, &mut buffer[..kept + got]);
            if let Some(Some(client)) = self.clients.get_mut(number) {
                client.rest.extend_from_slice(&buffer[used..kept + got]);
            }
            self.flush(number);
            self.tell();
            if self.blocked > 0
                && let Some(Some(client)) = self.clients.get_mut(number)
            {
                client.is_paused = true;
                self.paused.push(number);
            }
            if got < room {
                // Nothing is left, or the poll will tell again.
                break;
            }
        }
        self.buffer = buffer;
    }

    /// Takes what is whole; gives how many bytes that were.
    fn take(&mut self, number: usize, bytes: &mut [u8]) -> usize {
        let mut used = 0;
        loop {
            let Some(Some(client)) = self.clients.get_mut(number) else { return used };
            let rest = &mut bytes[used..];
            if client.is_upgraded {
                let Some((start, end, mask)) = frame(rest) else { return used };
                let is_close = rest[0] & 15 == 8;
                unmask(&mut rest[start..end], mask);
                if is_close {
                    client.out.extend_from_slice(&[0x88, 0]);
                } else if let Some(subscriber) = hear(number, client, &rest[start..end], &mut self.events) {
                    self.subscribers.push(subscriber);
                }
                used += end;
            } else {
                let Some(end) = request(client, rest, &mut self.events) else { return used };
                used += end;
            }
        }
    }

    /// Writes the events of this read to everybody: one template, one write each.
    fn tell(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let mut template = Vec::new();
        let mut ids = Vec::new();
        let mut made_for: Option<(Dialect, usize)> = None;
        for subscriber in &self.subscribers {
            let kind = (subscriber.dialect, subscriber.id.len());
            if made_for != Some(kind) {
                (template, ids) = frames(subscriber, &self.events);
                made_for = Some(kind);
            }
            for at in &ids {
                template[*at..*at + subscriber.id.len()].copy_from_slice(&subscriber.id);
            }
            let Some(Some(client)) = self.clients.get_mut(subscriber.client) else { continue };
            if client.out.is_empty() {
                let written = write(&mut client.stream, &template);
                if written < template.len() {
                    client.out.extend_from_slice(&template[written..]);
                    client.is_blocked = true;
                    self.blocked += 1;
                }
            } else {
                client.out.extend_from_slice(&template);
            }
        }
        self.events.clear();
    }

    /// Writes what waits for a client that takes more, and reads on from those who were held back by it.
    fn resume(&mut self, number: usize) {
        self.flush(number);
        self.go_on();
    }

    fn go_on(&mut self) {
        if self.blocked > 0 {
            return;
        }
        for paused in std::mem::take(&mut self.paused) {
            if let Some(Some(client)) = self.clients.get_mut(paused) {
                client.is_paused = false;
            }
            self.read(paused);
        }
    }

    fn flush(&mut self, number: usize) {
        let Some(Some(client)) = self.clients.get_mut(number) else { return };
        let written = write(&mut client.stream, &client.out);
        client.out.drain(..written);
        let was_blocked = std::mem::replace(&mut client.is_blocked, !client.out.is_empty());
        self.blocked = self.blocked + usize::from(client.is_blocked) - usize::from(was_blocked);
    }

    fn leave(&mut self, number: usize) {
        self.subscribers.retain(|subscriber| subscriber.client != number);
        if let Some(gone) = self.clients[number].take() {
            self.blocked -= usize::from(gone.is_blocked);
            self.go_on();
        }
    }
}

/// As much as the socket takes.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> usize {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(0) => return bytes.len(),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // It is gone, which shows when it is read.
            Err(_) => return bytes.len(),
        }
    }
    written
}

/// The frames of all events for one subscriber, and where its id stands in them.
fn frames(subscriber: &Subscriber, events: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let (mut out, mut ids) = (Vec::new(), Vec::new());
    let (middle, end): (&[u8], &[u8]) = match subscriber.dialect {
        Dialect::Events => (br#"","event":"#, b"}"),
        Dialect::Graphql => (br#"","payload":{"data":{"subscribe2channel":{"name":"floor","data":"#, b"}}}}"),
    };
    let start = br#"{"type":"data","id":""#;
    for event in events {
        server_head(start.len() + subscriber.id.len() + middle.len() + event.len() + end.len(), &mut out);
        out.extend_from_slice(start);
        ids.push(out.len());
        for part in [&subscriber.id, middle, event, end] {
            out.extend_from_slice(part);
        }
    }
    (out, ids)
}

/// Takes one message; gives who has subscribed.
fn hear(number: usize, client: &mut Client, text: &[u8], events: &mut Vec<Vec<u8>>) -> Option<Subscriber> {
    let id = || member(text, br#""id":"#).unwrap_or_default();
    let mut say = |text: &[u8]| {
        server_head(text.len(), &mut client.out);
        client.out.extend_from_slice(text);
    };
    let kind = text.strip_prefix(br#"{"type":""#.as_slice()).unwrap_or_default();
    if kind.starts_with(b"publish") {
        let id = id();
        let at = memmem::find(text, br#""events":["#).map_or(text.len(), |at| at + 10);
        let mut rest = &text[at..];
        let mut count = 0;
        while let Some(event) = quoted(rest) {
            events.push(event.to_vec());
            rest = rest[event.len()..].strip_prefix(b",").unwrap_or_default();
            count += 1;
        }
        let head = br#"{"type":"publish_success","id":"#;
        let mut answer = Vec::with_capacity(160);
        answer.extend_from_slice(head);
        answer.extend_from_slice(id);
        answer.extend_from_slice(br#","successful":["#);
        for index in 0..count {
            let comma = if index > 0 { "," } else { "" };
            let _ =
                write!(answer, r#"{comma}{{"identifier":"00000001-0000-4000-8000-0000{index:08}","index":{index}}}"#);
        }
        answer.extend_from_slice(br#"],"failed":[]}"#);
        say(&answer);
    } else if kind.starts_with(b"connection_init") {
        match client.dialect {
            Dialect::Events => say(br#"{"type":"connection_ack","connectionTimeoutMs":300000}"#),
            Dialect::Graphql => {
                say(br#"{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}"#);
                say(br#"{"type":"ka"}"#);
            }
        }
    } else if kind.starts_with(b"start") || kind.starts_with(b"subscribe") {
        let word = if kind.starts_with(b"start") { "start_ack" } else { "subscribe_success" };
        let id = id();
        let mut answer = format!(r#"{{"type":"{word}","id":"#).into_bytes();
        answer.extend_from_slice(id);
        answer.push(b'}');
        say(&answer);
        return Some(Subscriber { client: number, dialect: client.dialect, id: id[1..id.len() - 1].to_vec() });
    }
    None
}

/// Takes one HTTP request: an upgrade, or a mutation. Gives its length once it is whole.
fn request(client: &mut Client, bytes: &[u8], events: &mut Vec<Vec<u8>>) -> Option<usize> {
    let head = memmem::find(bytes, b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let header = |wanted: &str| {
        text.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    if let Some((_, key)) = header("sec-websocket-key") {
        client.is_upgraded = true;
        client.dialect = if text.contains("graphql") { Dialect::Graphql } else { Dialect::Events };
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-accept: {}\r\nsec-websocket-protocol: {}\r\n\r\n",
            derive_accept_key(key.trim().as_bytes()),
            client.dialect.subprotocol()
        );
        client.out.extend_from_slice(answer.as_bytes());
        return Some(head);
    }
    let length = header("content-length").and_then(|(_, length)| length.trim().parse().ok()).unwrap_or(0);
    let body = bytes.get(head..head + length)?;
    let event = member(body, br#""data":"#).unwrap_or(br#""""#);
    events.push(event.to_vec());
    let name = br#"{"data":{"publish2channel":{"name":"floor","data":"#;
    let head_out = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        name.len() + event.len() + 3
    );
    for part in [head_out.as_bytes(), name, event, b"}}}"] {
        client.out.extend_from_slice(part);
    }
    Some(head + length)
}

/// The string after a name, with its quotes.
fn member<'a>(text: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    quoted(&text[memmem::find(text, name)? + name.len()..])
}

/// The JSON string at the beginning, with its quotes.
fn quoted(text: &[u8]) -> Option<&[u8]> {
    let mut end = 1;
    if text.first() != Some(&b'"') {
        return None;
    }
    loop {
        end += memchr(b'"', text.get(end..)?)? + 1;
        let slashes = text[..end - 1].iter().rev().take_while(|byte| **byte == b'\\').count();
        if slashes % 2 == 0 {
            return Some(&text[..end]);
        }
    }
}
