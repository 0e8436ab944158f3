//! What can travel between two peers, as plain data.
//!
//! A [`Frame`] is what one WebSocket read can produce, control frames and the end of the connection
//! included; a [`Request`] and a [`Response`] are the HTTP side, upgrades included. Nothing here knows a socket, and
//! nothing prints the text it carries: that text may hold credentials, so `Debug` shows sizes only.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that opened it.
    Client,
    /// The one that accepted it.
    Server,
}

impl Side {
    /// The peer of this side.
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// `client` or `server`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What one WebSocket read can produce.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole text message that arrived in `fragments` frames (1 if it was not split).
    Text {
        /// The message; valid UTF-8 by construction.
        text: &'a str,
        /// Number of frames that carried it.
        fragments: u32,
    },
    /// A whole binary message.
    Binary(&'a [u8]),
    /// A ping with its payload.
    Ping(&'a [u8]),
    /// A pong with its payload.
    Pong(&'a [u8]),
    /// A close frame.
    Close {
        /// Status code; `None` for a close frame without one.
        code: Option<u16>,
        /// Reason text, possibly empty.
        reason: &'a str,
    },
    /// The transport ended without a close frame.
    Lost,
}

impl<'a> Frame<'a> {
    /// A text message in one frame.
    pub const fn text(text: &'a str) -> Self {
        Self::Text { text, fragments: 1 }
    }

    /// A copy that owns its bytes.
    pub fn to_owned(self) -> OwnedFrame {
        match self {
            Self::Text { text, fragments } => OwnedFrame::Text { text: text.into(), fragments },
            Self::Binary(bytes) => OwnedFrame::Binary(bytes.into()),
            Self::Ping(bytes) => OwnedFrame::Ping(bytes.into()),
            Self::Pong(bytes) => OwnedFrame::Pong(bytes.into()),
            Self::Close { code, reason } => OwnedFrame::Close { code, reason: reason.into() },
            Self::Lost => OwnedFrame::Lost,
        }
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { text, fragments: 1 } => write!(f, "Text({} bytes)", text.len()),
            Self::Text { text, fragments } => write!(f, "Text({} bytes in {fragments} fragments)", text.len()),
            Self::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
            Self::Ping(bytes) => write!(f, "Ping({} bytes)", bytes.len()),
            Self::Pong(bytes) => write!(f, "Pong({} bytes)", bytes.len()),
            Self::Close { code, reason } => write!(f, "Close({code:?}, {} bytes)", reason.len()),
            Self::Lost => f.write_str("Lost"),
        }
    }
}

/// A [`Frame`] that owns its bytes, for queues and recordings.
#[derive(Clone, PartialEq, Eq)]
pub enum OwnedFrame {
    /// A whole text message.
    Text {
        /// The message.
        text: String,
        /// Number of frames to send it in, or that carried it.
        fragments: u32,
    },
    /// A whole binary message.
    Binary(Vec<u8>),
    /// A ping.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// A close frame.
    Close {
        /// Status code; `None` for a close frame without one.
        code: Option<u16>,
        /// Reason text.
        reason: String,
    },
    /// The transport ended, or is to be ended, without a close frame.
    Lost,
}

impl OwnedFrame {
    /// A text message in one frame.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), fragments: 1 }
    }

    /// The same frame, borrowed.
    pub fn borrow(&self) -> Frame<'_> {
        match self {
            Self::Text { text, fragments } => Frame::Text { text, fragments: *fragments },
            Self::Binary(bytes) => Frame::Binary(bytes),
            Self::Ping(bytes) => Frame::Ping(bytes),
            Self::Pong(bytes) => Frame::Pong(bytes),
            Self::Close { code, reason } => Frame::Close { code: *code, reason },
            Self::Lost => Frame::Lost,
        }
    }
}

impl fmt::Debug for OwnedFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrow().fmt(f)
    }
}

/// Header fields in the order sent; names compare without regard to case.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Names and values, one behind the other: a request has many fields, and they are read together.
    text: String,
    /// Where each name and each value ends in it.
    ends: Vec<(usize, usize)>,
}

impl Headers {
    /// No fields.
    pub const fn new() -> Self {
        Self { text: String::new(), ends: Vec::new() }
    }

    /// No fields, and room for some of that many bytes in all.
    pub fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Vec::with_capacity(fields) }
    }

    /// The same with one more field.
    #[must_use]
    pub fn with(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.push(name, value);
        self
    }

    /// Appends a field.
    pub fn push(&mut self, name: impl AsRef<str>, value: impl AsRef<str>) {
        self.text.push_str(name.as_ref());
        let name_end = self.text.len();
        self.text.push_str(value.as_ref());
        self.ends.push((name_end, self.text.len()));
    }

    /// The first field of that name.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every field of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let starts = core::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        starts.zip(&self.ends).map(|(start, (name, end))| (&self.text[start..*name], &self.text[*name..*end]))
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// An HTTP request, whole. A WebSocket upgrade is one too (without a body).
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Path with the query, as it stands in the request line.
    pub target: String,
    /// Header fields, `host` included.
    pub headers: Headers,
    /// Body, possibly empty.
    pub body: Bytes,
}

impl Request {
    /// Path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Query without the question mark, if there is one.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// Subprotocols offered by an upgrade, in order, over all header fields of that name.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.headers.all("sec-websocket-protocol").flat_map(|v| v.split(',')).map(str::trim).filter(|v| !v.is_empty())
    }
}

impl fmt::Debug for Request {
    /// Without the query, which may carry credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, headers, body, .. } = self;
        write!(f, "{method} {} {headers:?} {body:?}", self.path())
    }
}

/// An HTTP answer, whole. The answer to an upgrade is one too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Header fields.
    pub headers: Headers,
    /// Body, possibly empty.
    pub body: Bytes,
}

impl Response {
    /// An answer without fields.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Headers::new(), body: body.into() }
    }

    /// Whether the server agreed to speak WebSocket.
    pub const fn is_upgrade(&self) -> bool {
        self.status == 101
    }

    /// The subprotocol that the server selected.
    pub fn subprotocol(&self) -> Option<&str> {
        self.headers.first("sec-websocket-protocol").map(str::trim)
    }
}

/// Bytes of a body. `Debug` shows their number only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// The bytes as text, with unreadable parts replaced.
    pub fn text(&self) -> alloc::borrow::Cow<'_, str> {
        // Text that is in order is by far the most frequent, and is found to be so faster.
        match core::str::from_utf8(&self.0) {
            Ok(text) => text.into(),
            Err(_) => String::from_utf8_lossy(&self.0),
        }
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn debug_output_never_shows_what_a_frame_carries() {
        let frame = Frame::text("{\"x-api-key\":\"da2-secret\"}");
        let headers = Headers::new().with("x-api-key", "da2-secret");

        let shown = format!("{frame:?} {:?} {headers:?} {:?}", frame.to_owned(), Bytes::from("da2-secret"));

        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn subprotocols_are_read_over_several_header_fields() {
        let request = Request {
            method: "GET".into(),
            target: "/graphql?header=e30=".into(),
            headers: Headers::new()
                .with("Sec-WebSocket-Protocol", "graphql-ws, header-abc")
                .with("sec-websocket-protocol", "other"),
            body: Bytes::default(),
        };

        let offered: Vec<_> = request.subprotocols().collect();

        assert_eq!(offered, ["graphql-ws", "header-abc", "other"]);
        assert_eq!((request.path(), request.query()), ("/graphql", Some("header=e30=")));
    }

    #[test]
    fn a_frame_survives_owning_and_borrowing() {
        for frame in
            [Frame::text("a"), Frame::Binary(b"b"), Frame::Close { code: Some(1000), reason: "x" }, Frame::Lost]
        {
            assert!(frame.to_owned().borrow() == frame);
        }
    }
}
