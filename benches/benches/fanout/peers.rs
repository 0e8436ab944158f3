//! Other programs that hand one message to many, where they are installed: a ratio to them says what a user would have
//! instead. They speak protocols of their own, but for `ws`, which speaks Events.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use appsync_protocol::dialect::Dialect;
use syncspec_benches::floor::Failure;
use syncspec_benches::floor::wire::{Place, Publish, Speech, dial, event, until};

use crate::child::Server;

/// A program to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// `ws` of Node.
    Ws,
    Redis,
    Nats,
    Mosquitto,
}

impl Peer {
    pub(crate) const ALL: [Self; 4] = [Self::Ws, Self::Redis, Self::Nats, Self::Mosquitto];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ws => "Node ws",
            Self::Redis => "Redis",
            Self::Nats => "NATS",
            Self::Mosquitto => "Mosquitto",
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Ws => "node",
            Self::Redis => "redis-server",
            Self::Nats => "nats-server",
            Self::Mosquitto => "mosquitto",
        }
    }

    /// Why it cannot be compared with, if it cannot.
    pub(crate) fn missing(self) -> Option<String> {
        let found = Command::new(self.program()).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if found.is_err() && !sbin(self.program()).exists() {
            return Some(format!("{}: no {} is installed", self.name(), self.program()));
        }
        if self == Self::Ws && !scripts().join("node_modules/ws").exists() {
            return Some(format!("{}: npm install in {} has not been run", self.name(), scripts().display()));
        }
        None
    }

    /// Starts it on a free port.
    pub(crate) fn start(self) -> Result<Server, Failure> {
        // Free now; nobody else is likely to take it before the program does.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let known = sbin(self.program());
        let mut command = Command::new(if known.exists() { known } else { self.program().into() });
        let text = port.to_string();
        match self {
            Self::Ws => command.arg(scripts().join("ws.mjs")).arg(&text),
            Self::Redis => command
                .args(["--port", &text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
                .args(["--client-output-buffer-limit", "pubsub", "0", "0", "0", "--maxclients", "11000"]),
            Self::Nats => command.args(["-a", "127.0.0.1", "-p", &text]),
            Self::Mosquitto => command.args(["-p", &text]),
        };
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let server = Server::of(child, ([127, 0, 0, 1], port).into());
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(server.address).is_err() {
            if Instant::now() > end {
                return Err(format!("{} takes no connections", self.name()).into());
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(server)
    }

    pub(crate) fn speech(self, address: SocketAddr) -> Box<dyn Speech> {
        match self {
            Self::Ws => Box::new(Place { dialect: Dialect::Events, address }),
            Self::Redis => Box::new(Redis(address)),
            Self::Nats => Box::new(Nats(address)),
            Self::Mosquitto => Box::new(Mqtt(address)),
        }
    }
}

fn sbin(program: &str) -> PathBuf {
    PathBuf::from("/usr/sbin").join(program)
}

/// Where the scripts of others are.
pub(crate) fn scripts() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/benches")
}

struct Redis(SocketAddr);

impl Speech for Redis {
    fn publisher(&self) -> Result<TcpStream, Failure> {
        dial(self.0)
    }

    fn subscriber(&self, _: usize) -> Result<TcpStream, Failure> {
        let mut stream = dial(self.0)?;
        stream.write_all(b"*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\nc\r\n")?;
        until(&mut stream, b":1\r\n")?;
        Ok(stream)
    }

    fn publish(&self, events: usize, size: usize) -> Publish {
        let one = format!("*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n${size}\r\n{}\r\n", event(size));
        Publish::new(one.repeat(events).into_bytes(), None)
    }
}

struct Nats(SocketAddr);

impl Nats {
    fn open(&self) -> Result<TcpStream, Failure> {
        let mut stream = dial(self.0)?;
        stream.write_all(b"CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n")?;
        until(&mut stream, b"PONG\r\n")?;
        Ok(stream)
    }
}

impl Speech for Nats {
    fn publisher(&self) -> Result<TcpStream, Failure> {
        self.open()
    }

    fn subscriber(&self, _: usize) -> Result<TcpStream, Failure> {
        let mut stream = self.open()?;
        stream.write_all(b"SUB c 1\r\nPING\r\n")?;
        until(&mut stream, b"PONG\r\n")?;
        Ok(stream)
    }

    fn publish(&self, events: usize, size: usize) -> Publish {
        let one = format!("PUB c {size}\r\n{}\r\n", event(size));
        Publish::new(one.repeat(events).into_bytes(), None)
    }
}

struct Mqtt(SocketAddr);

impl Mqtt {
    fn open(&self, name: &str) -> Result<TcpStream, Failure> {
        let mut stream = dial(self.0)?;
        // MQTT 3.1.1, clean session, no keep-alive.
        let mut body = b"\x00\x04MQTT\x04\x02\x00\x00\x00".to_vec();
        body.push(name.len() as u8);
        body.extend_from_slice(name.as_bytes());
        stream.write_all(&packet(0x10, &body))?;
        until(&mut stream, b"\x20\x02\x00\x00")?;
        Ok(stream)
    }
}

impl Speech for Mqtt {
    fn publisher(&self) -> Result<TcpStream, Failure> {
        self.open("p")
    }

    fn subscriber(&self, number: usize) -> Result<TcpStream, Failure> {
        let mut stream = self.open(&format!("s{number}"))?;
        stream.write_all(&packet(0x82, b"\x00\x01\x00\x01c\x00"))?;
        until(&mut stream, b"\x90\x03\x00\x01\x00")?;
        Ok(stream)
    }

    fn publish(&self, events: usize, size: usize) -> Publish {
        let mut body = b"\x00\x01c".to_vec();
        body.extend_from_slice(event(size).as_bytes());
        Publish::new(packet(0x30, &body).repeat(events), None)
    }
}

/// A packet of MQTT, shorter than 16 KB.
fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    if body.len() < 128 {
        out.push(body.len() as u8);
    } else {
        out.extend_from_slice(&[(body.len() % 128) as u8 | 0x80, (body.len() / 128) as u8]);
    }
    out.extend_from_slice(body);
    out
}
