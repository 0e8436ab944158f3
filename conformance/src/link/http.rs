//! HTTP/1.1 as far as both sides need it: one head, one body, then the connection ends or becomes a WebSocket.
//!
//! Writing refuses what would let a value break out of its line. Reading goes through an [`Intake`], which keeps what
//! came after the part that was asked for. Every reading function has a limit and none has a clock: the caller bounds
//! the time of the whole.

use std::io;

use appsync_protocol::wire::{Bytes, Headers, Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Why a head or a body could not be read.
#[derive(Debug)]
pub(crate) enum ReadFailure {
    /// The head does not end within the limit, or has too many fields.
    HeadTooLarge,
    /// The body does not end within the limit.
    BodyTooLarge,
    /// What comes is not HTTP/1; these are the first bytes.
    NotHttp(Vec<u8>),
    /// It is HTTP with an error in it.
    Malformed(&'static str),
    /// The peer closed the connection while this was being read.
    Closed(&'static str),
    /// The transport failed while this was being read.
    Io(&'static str, io::Error),
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// This many bytes.
    Exact(u64),
    /// As its chunks say.
    Chunked,
    /// Up to the end of the connection.
    UntilClose,
}

/// The value of `Sec-WebSocket-Accept` that belongs to a key (RFC 6455 section 4.2.2).
pub(crate) fn accept_value(key: &str) -> String {
    let digest = Sha1::new().chain_update(key.trim()).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    STANDARD.encode(digest)
}

/// A key for `Sec-WebSocket-Key` from sixteen random bytes.
pub(crate) fn key_from(random: [u8; 16]) -> String {
    STANDARD.encode(random)
}

/// Whether this is a key that RFC 6455 allows: sixteen bytes in Base64.
pub(crate) fn is_key(key: &str) -> bool {
    STANDARD.decode(key.trim()).is_ok_and(|bytes| bytes.len() == 16)
}

/// Whether a field that is a list of words, over all its lines, has this one.
pub(crate) fn has_word(headers: &Headers, name: &str, word: &str) -> bool {
    headers.all(name).flat_map(|value| value.split(',')).any(|found| found.trim().eq_ignore_ascii_case(word))
}

/// The request as it goes over the wire. Fails with the name of the part that HTTP cannot carry, never with its value.
pub(crate) fn write_request(request: &Request) -> Result<Vec<u8>, String> {
    if !is_token(&request.method) {
        return Err("the method is not a word".into());
    }
    if request.target.is_empty() || request.target.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Err("the path or the query is empty, or holds a space or a control character".into());
    }

    let mut out = format!("{} {} HTTP/1.1\r\n", request.method, request.target).into_bytes();
    for (name, value) in request.headers.iter() {
        if !is_token(name) {
            return Err("the name of a header field is not a word".into());
        }
        if !is_field_value(value) {
            return Err(format!("the value of header field {name} holds a line break or a control character"));
        }
        write_field(&mut out, name, value);
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(&request.body.0);
    Ok(out)
}

/// The answer as it goes over the wire; without a body for 101 and where `omits_body` says so.
///
/// Fields that HTTP cannot carry are left out: an endpoint that echoes what it got must not be split in two by it.
pub(crate) fn write_response(response: &Response, omits_body: bool, then: Then) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {} {}\r\n", response.status, reason(response.status)).into_bytes();
    for (name, value) in response.headers.iter() {
        if is_token(name) && is_field_value(value) && !is_framing(name) {
            write_field(&mut out, name, value);
        }
    }
    if response.is_upgrade() {
        out.extend_from_slice(b"\r\n");
        return out;
    }

    write_field(&mut out, "content-length", &response.body.0.len().to_string());
    write_field(&mut out, "connection", then.word());
    out.extend_from_slice(b"\r\n");
    if !omits_body {
        out.extend_from_slice(&response.body.0);
    }
    out
}

/// What happens to a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// It ends.
    Close,
    /// Another request may come.
    Keep,
}

impl Then {
    const fn word(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Keep => "keep-alive",
        }
    }
}

/// Reads from a stream in steps and keeps what has not been asked for yet.
pub(crate) struct Intake<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Everything before this was handed out.
    start: usize,
    /// How much is read at a time, in bytes.
    step: usize,
    /// A head that was looked at, but not asked for: its length, what it says, and the minor version of HTTP.
    ahead: Option<(usize, Request, u8)>,
}

/// How much is read at a time, in bytes.
const STEP: usize = 4096;

/// The same where one request after the other comes.
const KEPT_STEP: usize = 64 * 1024;

/// Most fields in a head.
const MAX_FIELDS: usize = 128;

/// Longest line before a chunk, in bytes.
const CHUNK_LINE_LIMIT: usize = 1024;

/// Longest part after the last chunk, in bytes.
const TRAILER_LIMIT: usize = 16 * 1024;

const HEAD: &str = "the head";
const BODY: &str = "the body";

impl<R: AsyncRead + Unpin> Intake<R> {
    pub(crate) const fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), start: 0, step: STEP, ahead: None }
    }

    /// From now on more is read at a time: the connection is kept for other requests.
    pub(crate) const fn keep(&mut self) {
        self.step = KEPT_STEP;
    }

    /// Whether all that was read was asked for.
    pub(crate) const fn is_empty(&self) -> bool {
        self.start == self.buffer.len()
    }

    /// Whether a whole request has come that was not asked for yet. It may say no where one has.
    pub(crate) fn holds_request(&mut self) -> bool {
        let Some(len) = head_end(self.rest(), 0) else { return false };
        let Ok((request, version)) = parse_request(&self.rest()[..len]) else { return false };
        let holds = match request_length(&request.headers) {
            Ok(BodyLength::Exact(body)) => body <= (self.rest().len() - len) as u64,
            Ok(BodyLength::Chunked | BodyLength::UntilClose) | Err(_) => false,
        };
        self.ahead = Some((len, request, version));
        holds
    }

    /// What was read, but not asked for; in an allocation of its own size, because it becomes a read buffer.
    pub(crate) fn into_rest(self) -> (R, Vec<u8>) {
        let rest = self.rest().to_vec();
        (self.reader, rest)
    }

    pub(crate) const fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The head of an answer. Interim answers (1xx except 101) are skipped.
    pub(crate) async fn response(&mut self, limit: usize) -> Result<Response, ReadFailure> {
        let mut left = limit;
        loop {
            let len = self.head(left, starts_response).await?;
            let response = parse_response(&self.rest()[..len])?;
            self.start += len;
            if !(100..200).contains(&response.status) || response.is_upgrade() {
                return Ok(response);
            }
            left = left.saturating_sub(len);
        }
    }

    /// The head of a request, with the minor version of HTTP.
    pub(crate) async fn request(&mut self, limit: usize) -> Result<(Request, u8), ReadFailure> {
        if let Some((len, request, version)) = self.ahead.take_if(|(len, ..)| *len <= limit) {
            self.start += len;
            return Ok((request, version));
        }
        let len = self.head(limit, starts_request).await?;
        let request = parse_request(&self.rest()[..len])?;
        self.start += len;
        Ok(request)
    }

    /// Reads a body into `body`, which keeps what came if this fails or is cancelled.
    pub(crate) async fn body(
        &mut self,
        length: BodyLength,
        limit: usize,
        body: &mut Vec<u8>,
    ) -> Result<(), ReadFailure> {
        match length {
            BodyLength::Exact(len) => {
                let fits = usize::try_from(len).ok().filter(|len| *len <= limit);
                self.take(fits.unwrap_or(limit), body).await?;
                if fits.is_some() { Ok(()) } else { Err(ReadFailure::BodyTooLarge) }
            }
            BodyLength::Chunked => self.chunks(limit, body).await,
            BodyLength::UntilClose => loop {
                let room = limit - body.len();
                self.move_to(body, room);
                if !self.rest().is_empty() {
                    return Err(ReadFailure::BodyTooLarge);
                }
                if self.fill(BODY).await? == 0 {
                    return Ok(());
                }
            },
        }
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Reads some more; 0 at the end of the stream.
    async fn fill(&mut self, reading: &'static str) -> Result<usize, ReadFailure> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.reserve(self.step);
        let mut limited = (&mut self.reader).take(self.step as u64);
        match limited.read_buf(&mut self.buffer).await {
            Ok(read) => Ok(read),
            // A TLS peer that ends TCP without closing TLS first.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            Err(error) => Err(ReadFailure::Io(reading, error)),
        }
    }

    async fn fill_or_closed(&mut self, reading: &'static str) -> Result<(), ReadFailure> {
        match self.fill(reading).await? {
            0 => Err(ReadFailure::Closed(reading)),
            _ => Ok(()),
        }
    }

    /// The length of the head that comes next. It is given up with the first byte that cannot start one.
    async fn head(&mut self, limit: usize, starts_head: fn(&[u8]) -> bool) -> Result<usize, ReadFailure> {
        let mut searched: usize = 0;
        loop {
            let rest = self.rest();
            if !starts_head(rest) {
                return Err(ReadFailure::NotHttp(rest.to_vec()));
            }
            let end = head_end(rest, searched.saturating_sub(2));
            if end.unwrap_or(rest.len()) > limit {
                return Err(ReadFailure::HeadTooLarge);
            }
            if let Some(end) = end {
                return Ok(end);
            }
            searched = rest.len();
            self.fill_or_closed(HEAD).await?;
        }
    }

    /// Moves up to `len` bytes that are there already.
    fn move_to(&mut self, body: &mut Vec<u8>, len: usize) -> usize {
        let len = len.min(self.rest().len());
        body.extend_from_slice(&self.buffer[self.start..self.start + len]);
        self.start += len;
        len
    }

    async fn take(&mut self, mut len: usize, body: &mut Vec<u8>) -> Result<(), ReadFailure> {
        loop {
            len -= self.move_to(body, len);
            if len == 0 {
                return Ok(());
            }
            self.fill_or_closed(BODY).await?;
        }
    }

    async fn chunks(&mut self, limit: usize, body: &mut Vec<u8>) -> Result<(), ReadFailure> {
        loop {
            let size = self.chunk_size().await?;
            if size == 0 {
                return self.trailers().await;
            }
            let room = limit - body.len();
            let fits = usize::try_from(size).ok().filter(|size| *size <= room);
            self.take(fits.unwrap_or(room), body).await?;
            if fits.is_none() {
                return Err(ReadFailure::BodyTooLarge);
            }
            while self.rest().len() < 2 {
                self.fill_or_closed(BODY).await?;
            }
            if !self.rest().starts_with(b"\r\n") {
                return Err(ReadFailure::Malformed("a chunk is longer than its length says"));
            }
            self.start += 2;
        }
    }

    async fn chunk_size(&mut self) -> Result<u64, ReadFailure> {
        loop {
            match httparse::parse_chunk_size(self.rest()) {
                Ok(httparse::Status::Complete((len, size))) => {
                    self.start += len;
                    return Ok(size);
                }
                Ok(httparse::Status::Partial) if self.rest().len() <= CHUNK_LINE_LIMIT => {
                    self.fill_or_closed(BODY).await?;
                }
                Ok(httparse::Status::Partial) | Err(_) => {
                    return Err(ReadFailure::Malformed("the length of a chunk is not a number"));
                }
            }
        }
    }

    /// Skips the fields after the last chunk, up to the empty line.
    async fn trailers(&mut self) -> Result<(), ReadFailure> {
        let mut skipped = 0;
        loop {
            let Some(line) = self.rest().iter().position(|byte| *byte == b'\n') else {
                if skipped + self.rest().len() > TRAILER_LIMIT {
                    return Err(ReadFailure::BodyTooLarge);
                }
                self.fill_or_closed(BODY).await?;
                continue;
            };
            let is_empty = matches!(&self.rest()[..line], b"" | b"\r");
            self.start += line + 1;
            skipped += line + 1;
            if is_empty {
                return Ok(());
            }
            if skipped > TRAILER_LIMIT {
                return Err(ReadFailure::BodyTooLarge);
            }
        }
    }
}

/// How long the body of an answer is (RFC 9112 section 6.3).
pub(crate) fn response_length(method: &str, response: &Response) -> Result<BodyLength, ReadFailure> {
    let has_none = method == "HEAD" || matches!(response.status, 100..=199 | 204 | 304);
    if has_none {
        return Ok(BodyLength::Exact(0));
    }
    Ok(declared_length(&response.headers)?.unwrap_or(BodyLength::UntilClose))
}

/// How long the body of a request is (RFC 9112 section 6.3).
pub(crate) fn request_length(headers: &Headers) -> Result<BodyLength, ReadFailure> {
    if headers.first("transfer-encoding").is_some() && headers.first("content-length").is_some() {
        return Err(ReadFailure::Malformed("both transfer-encoding and content-length"));
    }
    Ok(declared_length(headers)?.unwrap_or(BodyLength::Exact(0)))
}

fn declared_length(headers: &Headers) -> Result<Option<BodyLength>, ReadFailure> {
    if let Some(encoding) = headers.first("transfer-encoding") {
        let is_chunked = encoding.trim().eq_ignore_ascii_case("chunked");
        return if is_chunked {
            Ok(Some(BodyLength::Chunked))
        } else {
            Err(ReadFailure::Malformed("a transfer-encoding other than chunked"))
        };
    }

    let mut length = None;
    for value in headers.all("content-length").flat_map(|value| value.split(',')).map(str::trim) {
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let parsed = value.parse().ok().filter(|_| is_number);
        let Some(parsed) = parsed.filter(|parsed| length.is_none_or(|length| length == *parsed)) else {
            return Err(ReadFailure::Malformed("a content-length that is no number, or several"));
        };
        length = Some(parsed);
    }
    Ok(length.map(BodyLength::Exact))
}

fn starts_response(bytes: &[u8]) -> bool {
    let version = b"HTTP/1.";
    let seen = bytes.len().min(version.len());
    bytes[..seen] == version[..seen]
}

/// A method, or the empty lines that are allowed before it. A TLS handshake is neither.
fn starts_request(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|first| first.is_ascii_graphic() || b"\r\n".contains(first))
}

/// Where the head ends: after the first empty line that ends at or behind `from`.
fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = bytes.get(at..)?.iter().position(|byte| *byte == b'\n') {
        let after = at + found + 1;
        if bytes[after..].starts_with(b"\n") {
            return Some(after + 1);
        }
        if bytes[after..].starts_with(b"\r\n") {
            return Some(after + 2);
        }
        at = after;
    }
    None
}

fn parse_response(head: &[u8]) -> Result<Response, ReadFailure> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Response::new(&mut fields);
    parsed.parse(head).map_err(|error| parse_failure(error, head))?;
    let status = parsed.code.ok_or(ReadFailure::Malformed("no status"))?;
    Ok(Response { status, headers: headers(parsed.headers), body: Bytes::default() })
}

fn parse_request(head: &[u8]) -> Result<(Request, u8), ReadFailure> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    parsed.parse(head).map_err(|error| parse_failure(error, head))?;
    let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
        return Err(ReadFailure::Malformed("no request line"));
    };
    let (method, target) = (method.to_owned(), target.to_owned());
    Ok((Request { method, target, headers: headers(parsed.headers), body: Bytes::default() }, version))
}

fn parse_failure(error: httparse::Error, head: &[u8]) -> ReadFailure {
    match error {
        httparse::Error::TooManyHeaders => ReadFailure::HeadTooLarge,
        httparse::Error::HeaderName | httparse::Error::HeaderValue => ReadFailure::Malformed("a bad header field"),
        httparse::Error::Status => ReadFailure::Malformed("a bad status line"),
        httparse::Error::NewLine => ReadFailure::Malformed("a bad line ending"),
        httparse::Error::Token | httparse::Error::Version => ReadFailure::NotHttp(head.to_vec()),
    }
}

fn headers(fields: &[httparse::Header<'_>]) -> Headers {
    let bytes = fields.iter().map(|field| field.name.len() + field.value.len()).sum();
    fields.iter().fold(Headers::with_capacity(fields.len(), bytes), |headers, field| {
        headers.with(field.name, String::from_utf8_lossy(field.value))
    })
}

fn write_field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Fields that [`write_response`] sets itself; `connection` and `upgrade` are allowed for a 101.
fn is_framing(name: &str) -> bool {
    ["content-length", "transfer-encoding"].iter().any(|framing| name.eq_ignore_ascii_case(framing))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn is_field_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

const fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Unnamed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_value_is_that_of_the_rfc() {
        assert_eq!(accept_value("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(is_key("dGhlIHNhbXBsZSBub25jZQ==") && !is_key("short") && is_key(&key_from([7; 16])));
    }

    #[test]
    fn a_value_with_a_line_break_is_not_sent_and_not_shown() {
        let request = Request {
            method: "GET".into(),
            target: "/".into(),
            headers: Headers::new().with("x-api-key", "da2-secret\r\nevil: 1"),
            body: Bytes::default(),
        };

        let refusal = write_request(&request).unwrap_err();

        assert!(refusal.contains("x-api-key") && !refusal.contains("secret"), "{refusal}");
    }

    #[test]
    fn an_answer_that_echoes_a_line_break_is_not_split() {
        let mut answer = Response::new(400, "no");
        answer.headers = Headers::new().with("x-echo", "a\r\nset-cookie: b").with("Content-Length", "99");

        let text = String::from_utf8(write_response(&answer, false, Then::Close)).unwrap();

        assert_eq!(text, "HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
    }

    #[tokio::test]
    async fn chunks_are_joined_whatever_pieces_they_come_in() {
        let text = b"5;x=y\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\ntrailer: 1\r\n\r\nnext";

        for size in [1, 2, 3, text.len()] {
            let pieces = text.chunks(size).fold(tokio_test_reader(), |pieces, piece| pieces.with(piece));
            let mut intake = Intake::new(pieces);
            let mut body = Vec::new();
            intake.body(BodyLength::Chunked, 16, &mut body).await.unwrap();

            assert_eq!(body, b"hello 0123456789");
        }
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_cut_and_reported() {
        for (length, text) in [
            (BodyLength::Exact(11), &b"hello world"[..]),
            (BodyLength::UntilClose, b"hello world"),
            (BodyLength::Chunked, b"3\r\nhel\r\n3\r\nlo \r\n5\r\nworld\r\n0\r\n\r\n"),
            (BodyLength::Chunked, b"ffffffffffffffff\r\nhello world"),
        ] {
            let mut body = Vec::new();

            let result = Intake::new(text).body(length, 7, &mut body).await;

            assert!(matches!(result, Err(ReadFailure::BodyTooLarge)), "{length:?}");
            assert_eq!(body, b"hello w");
        }
    }

    #[tokio::test]
    async fn what_follows_a_head_is_kept() {
        let text = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 101 Yes\r\nA: b\r\n\r\n\x81\x00";
        let mut intake = Intake::new(&text[..]);

        let response = intake.response(1000).await.unwrap();

        assert_eq!((response.status, response.headers.first("a")), (101, Some("b")));
        assert_eq!(intake.into_rest().1, b"\x81\x00");
    }

    #[tokio::test]
    async fn a_request_is_held_when_its_last_byte_has_come() {
        let (first, next) = ("GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc");
        for (len, is_whole) in [(0, false), (next.len() - 4, false), (next.len() - 1, false), (next.len(), true)] {
            let text = format!("{first}{}", &next[..len]);
            let mut intake = Intake::new(text.as_bytes());
            intake.request(1000).await.unwrap();

            assert_eq!(intake.holds_request(), is_whole, "{len}");
        }
    }

    #[tokio::test]
    async fn a_head_without_end_is_too_large() {
        let text = vec![b'a'; 2000];

        let result = Intake::new(&text[..]).request(1000).await;

        assert!(matches!(result, Err(ReadFailure::HeadTooLarge)));
    }

    #[tokio::test]
    async fn several_lengths_must_agree() {
        let agree = Headers::new().with("Content-Length", "5, 5").with("content-length", "5");
        let differ = Headers::new().with("Content-Length", "5").with("content-length", "6");
        let both = Headers::new().with("Content-Length", "5").with("transfer-encoding", "chunked");

        assert_eq!(request_length(&agree).unwrap(), BodyLength::Exact(5));
        assert!(request_length(&differ).is_err() && request_length(&both).is_err());
        assert!(request_length(&Headers::new().with("content-length", "+5")).is_err());
    }

    /// A reader that gives one piece at a time.
    fn tokio_test_reader() -> Pieces {
        Pieces(std::collections::VecDeque::new())
    }

    struct Pieces(std::collections::VecDeque<Vec<u8>>);

    impl Pieces {
        fn with(mut self, piece: &[u8]) -> Self {
            self.0.push_back(piece.to_vec());
            self
        }
    }

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buf: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            if let Some(piece) = self.0.pop_front() {
                buf.put_slice(&piece);
            }
            std::task::Poll::Ready(Ok(()))
        }
    }
}
