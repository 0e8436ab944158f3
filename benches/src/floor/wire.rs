//! The bytes of the dialogue: frames, templates, marks, and the clock that the marks are of.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Credentials, Url, build};
use memchr::memmem;
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;

use super::Failure;

/// Everybody's key.
pub const KEY: &str = "da2-floor";
/// The channel of Events, on which all listen.
pub const CHANNEL: &str = "/default/floor";
/// The argument of the GraphQL subscription.
pub const NAME: &str = "floor";
/// For one answer while a connection is made.
const PATIENCE: Duration = Duration::from_secs(30);

/// Nanoseconds of a clock that nobody sets; the same in all processes.
pub fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Processor time of this process so far, in nanoseconds.
pub fn own_cpu() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// What an event carries: `@@`, its intended moment, its number; hexadecimal.
pub const MARK: usize = 2 + 16 + 8;

/// The text of an event of `size` bytes, a JSON object with a mark of nothing.
pub fn event(size: usize) -> String {
    let head = format!("{{\"m\":\"@@{:016x}{:08x}\",\"x\":\"", 0, 0);
    let pad = size.saturating_sub(head.len() + 2);
    format!("{head}{}\"}}", "0".repeat(pad))
}

/// Writes a mark over another.
pub fn stamp(at: &mut [u8], intended: u64, number: u32) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (place, digit) in at[2..18].iter_mut().enumerate() {
        *digit = DIGITS[(intended >> (60 - 4 * place) & 15) as usize];
    }
    for (place, digit) in at[18..26].iter_mut().enumerate() {
        *digit = DIGITS[(number >> (28 - 4 * place) & 15) as usize];
    }
}

/// Intended moment and number of a mark, without its `@@`.
pub fn read_mark(digits: &[u8]) -> (u64, u32) {
    let number = |digits: &[u8]| {
        digits.iter().fold(0_u64, |sum, digit| {
            let value = if *digit <= b'9' { digit - b'0' } else { digit - b'a' + 10 };
            sum << 4 | u64::from(value & 15)
        })
    };
    (number(&digits[..16]), number(&digits[16..24]) as u32)
}

/// A masked text frame of a client.
pub fn client_frame(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 14);
    out.push(0x81);
    match text.len() {
        len @ 0..=125 => out.push(0x80 | len as u8),
        len @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(text.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    out
}

/// The mask of every frame of the raw clients: what does not change is masked once.
pub const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Appends the head of a text frame of a server.
pub fn server_head(len: usize, out: &mut Vec<u8>) {
    out.push(0x81);
    match len {
        0..=125 => out.push(len as u8),
        126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// Where the payload of the first frame begins and ends, and its mask; `None` until it is whole.
pub fn frame(bytes: &[u8]) -> Option<(usize, usize, [u8; 4])> {
    let second = *bytes.get(1)?;
    let (len, head) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(*bytes.get(2..4)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes.get(2..10)?.first_chunk()?), 10),
        short => (u64::from(short), 2),
    };
    let (mask, start) = match second & 0x80 {
        0 => ([0; 4], head),
        _ => (*bytes.get(head..head + 4)?.first_chunk()?, head + 4),
    };
    let end = start + usize::try_from(len).ok()?;
    (bytes.len() >= end).then_some((start, end, mask))
}

/// Takes the mask off.
pub fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let wide = u64::from_le_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let (chunks, rest) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_le_bytes(*chunk) ^ wide).to_le_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// How a server is spoken to: the little that an audience and a publisher need.
pub trait Speech: Sync {
    /// A connection that can publish. It blocks.
    ///
    /// # Errors
    /// If the server does not answer as it should.
    fn publisher(&self) -> Result<TcpStream, Failure>;

    /// A connection that hears all that is published. It blocks.
    ///
    /// # Errors
    /// If the server does not answer as it should.
    fn subscriber(&self, number: usize) -> Result<TcpStream, Failure>;

    /// A publish of `events` events of `size` bytes each, ready to be sent.
    fn publish(&self, events: usize, size: usize) -> Publish;
}

/// A server of one of the dialects.
#[derive(Clone, Debug)]
pub struct Place {
    /// What is spoken.
    pub dialect: Dialect,
    /// Where the server listens.
    pub address: SocketAddr,
}

impl Place {
    fn credentials(&self) -> Credentials {
        Credentials::api_key(self.address.to_string().as_str(), KEY)
    }

    /// A connection that has got its `connection_ack`. It blocks.
    ///
    /// # Errors
    /// If the server does not answer as it should.
    pub fn connect(&self) -> Result<TcpStream, Failure> {
        let (path, carrier) = match self.dialect {
            Dialect::Graphql => ("/graphql/realtime", Carrier::Query),
            Dialect::Events => ("/event/realtime", Carrier::Subprotocol),
        };
        let url = Url { secure: false, host: self.address.to_string(), path: path.into() };
        let request = build(self.dialect, carrier, &self.credentials(), &url, "AAAAAAAAAAAAAAAAAAAAAA==");
        let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
        for (name, value) in request.headers.iter() {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        let mut stream = dial(self.address)?;
        stream.write_all(text.as_bytes())?;
        let head = until(&mut stream, b"\r\n\r\n")?;
        if !head.starts_with(b"HTTP/1.1 101") {
            return Err(format!("the upgrade got {}", String::from_utf8_lossy(&head[..head.len().min(60)])).into());
        }
        stream.write_all(&client_frame(br#"{"type":"connection_init"}"#))?;
        let last = match self.dialect {
            // The first keep-alive follows at once.
            Dialect::Graphql => br#""ka"}"#.as_slice(),
            Dialect::Events => br#""connection_ack""#.as_slice(),
        };
        until(&mut stream, last)?;
        Ok(stream)
    }
}

impl Speech for Place {
    fn publisher(&self) -> Result<TcpStream, Failure> {
        match self.dialect {
            Dialect::Events => self.connect(),
            // Mutations are HTTP requests, one after the other on one connection.
            Dialect::Graphql => dial(self.address),
        }
    }

    /// One subscription, whose id is [`id`] of `number`.
    fn subscriber(&self, number: usize) -> Result<TcpStream, Failure> {
        let mut stream = self.connect()?;
        let (id, credentials) = (id(number), self.credentials().to_json());
        let (text, answer) = match self.dialect {
            Dialect::Graphql => {
                let query = "subscription S($name: String!) { subscribe2channel(name: $name) { name data } }";
                let data = json!(json!({"query": query, "variables": {"name": NAME}}).to_string());
                let extensions = format!(r#"{{"authorization":{credentials}}}"#);
                let payload = format!(r#"{{"data":{data},"extensions":{extensions}}}"#);
                (format!(r#"{{"type":"start","id":"{id}","payload":{payload}}}"#), r#""start_ack""#)
            }
            Dialect::Events => (
                format!(r#"{{"type":"subscribe","id":"{id}","channel":"{CHANNEL}","authorization":{credentials}}}"#),
                r#""subscribe_success""#,
            ),
        };
        stream.write_all(&client_frame(text.as_bytes()))?;
        until(&mut stream, answer.as_bytes())?;
        Ok(stream)
    }

    fn publish(&self, events: usize, size: usize) -> Publish {
        let bytes = match self.dialect {
            Dialect::Events => {
                let events = json!(vec![event(size); events]);
                let credentials = self.credentials().to_json();
                client_frame(
                    format!(
                        r#"{{"type":"publish","id":"p1","channel":"{CHANNEL}","events":{events},"authorization":{credentials}}}"#
                    )
                    .as_bytes(),
                )
            }
            Dialect::Graphql => {
                let query = "mutation($name: String!, $data: AWSJSON!) { publish2channel(name: $name, data: $data) { name data } }";
                let body = json!({"query": query, "variables": {"name": NAME, "data": event(size)}}).to_string();
                let host = self.address;
                format!(
                    "POST /graphql HTTP/1.1\r\nhost: {host}\r\nx-api-key: {KEY}\r\ncontent-type: application/json\r\n\
                     connection: keep-alive\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                )
                .into_bytes()
            }
        };
        let masked = (self.dialect == Dialect::Events).then(|| frame(&bytes)).flatten();
        Publish::new(bytes, masked)
    }
}

/// A connection without delays, which waits for answers in bounded time.
///
/// # Errors
/// If nobody listens.
pub fn dial(address: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// The id of a subscription: in the form of a UUID.
pub fn id(number: usize) -> String {
    format!("0b9c1d34-5f0e-4c57-9a3e-{number:012}")
}

/// Reads until these bytes came, and gives all that was read.
///
/// # Errors
/// If the connection ends before, or nothing comes for long.
pub fn until(stream: &mut TcpStream, wanted: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while memmem::find(&all, wanted).is_none() {
        match stream.read(&mut buffer)? {
            0 => return Err(format!("lost before {}", String::from_utf8_lossy(wanted)).into()),
            read => all.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(all)
}

/// A publish that needs its marks only.
#[derive(Clone, Debug)]
pub struct Publish {
    bytes: Vec<u8>,
    marks: Vec<usize>,
    /// Where the masked part begins, and its mask.
    mask: Option<(usize, [u8; 4])>,
}

impl Publish {
    /// All marks in these bytes, of which a part may be masked: from, to, mask.
    pub fn new(bytes: Vec<u8>, masked: Option<(usize, usize, [u8; 4])>) -> Self {
        let mut clear = bytes.clone();
        if let Some((start, end, mask)) = masked {
            unmask(&mut clear[start..end], mask);
        }
        let marks = memmem::find_iter(&clear, b"@@").collect();
        Self { bytes, marks, mask: masked.map(|(start, _, mask)| (start, mask)) }
    }

    /// Events in one publish.
    pub const fn events(&self) -> usize {
        self.marks.len()
    }

    /// Appends it, as the publish of this moment whose first event has this number.
    pub fn write(&self, intended: u64, first: u32, out: &mut Vec<u8>) {
        let from = out.len();
        out.extend_from_slice(&self.bytes);
        for (number, at) in (first..).zip(&self.marks) {
            let mark = &mut out[from + at..from + at + MARK];
            stamp(mark, intended, number);
            if let Some((start, mask)) = self.mask {
                for (place, byte) in mark.iter_mut().enumerate().skip(2) {
                    *byte ^= mask[(at + place - start) % 4];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamped_publish_is_read_back_with_its_marks() {
        for dialect in Dialect::ALL {
            let place = Place { dialect, address: ([127, 0, 0, 1], 80).into() };
            let events = if dialect == Dialect::Events { 3 } else { 1 };
            let publish = place.publish(events, 150);
            let mut out = Vec::new();

            publish.write(0x1234_5678_9abc_def0, 0xfffe, &mut out);
            if let Some((start, end, mask)) = frame(&out).filter(|_| dialect == Dialect::Events) {
                assert_eq!(end, out.len());
                unmask(&mut out[start..end], mask);
            }

            let marks: Vec<_> = memmem::find_iter(&out, b"@@").map(|at| read_mark(&out[at + 2..at + MARK])).collect();
            let wanted: Vec<_> = (0xfffe..).take(events).map(|number| (0x1234_5678_9abc_def0, number)).collect();
            assert_eq!(marks, wanted, "{dialect}");
        }
    }

    #[test]
    fn an_event_is_as_long_as_asked_for_and_is_json() {
        let text = event(150);

        assert_eq!(text.len(), 150);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    }

    #[test]
    fn a_frame_is_whole_or_not_there() {
        for len in [0, 125, 126, 0xffff, 0x1_0000] {
            let bytes = client_frame(&vec![b'x'; len]);
            let (start, end, mask) = frame(&bytes).unwrap();

            assert_eq!((end - start, end, mask), (len, bytes.len(), MASK));
            assert!(frame(&bytes[..bytes.len() - 1]).is_none());
        }
    }
}
