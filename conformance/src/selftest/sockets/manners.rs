//! Legal ways to bring the same over a socket: pieces, bodies, header fields and frames of another form.
//!
//! What the endpoint says is read to the end of each answer or frame, and written anew. Pure: bytes in, bytes out.

use super::super::benign::Listed;

/// How what a server says is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// As it is.
    Plain,
    /// In the smallest pieces.
    Pieces,
    /// Bodies in chunks, with extensions and a trailer.
    Chunked,
    /// Bodies end with the connection.
    UntilClose,
    /// Connections stay open after an answer.
    KeepAlive,
    /// Header fields in other spellings, and other reasons.
    Fields,
    /// Something else is said before each answer.
    Interim,
    /// Messages in fragments, with pings and pongs in between.
    Frames,
}

/// Each manner but the plain one: name, what it does, what makes it legal.
pub(super) const MANNERS: &[Listed<Manner>] = &[
    (
        "link-pieces",
        "Bytes come one or a few at a time.",
        "RFC 9293: TCP is a stream without boundaries",
        Manner::Pieces,
    ),
    ("link-chunked", "HTTP bodies come in chunks.", "RFC 9112 section 7.1", Manner::Chunked),
    ("link-until-close", "HTTP bodies end with the connection.", "RFC 9112 section 6.3, rule 8", Manner::UntilClose),
    ("link-keep-alive", "HTTP connections stay open after the answer.", "RFC 9112 section 9.3", Manner::KeepAlive),
    (
        "link-fields",
        "Header fields in upper case and with other white space, other reasons.",
        "RFC 9112 sections 4 and 5, RFC 6455 section 4.1: names and tokens have no case",
        Manner::Fields,
    ),
    ("link-interim", "103 comes before each HTTP answer.", "RFC 9110 section 15.2", Manner::Interim),
    (
        "link-frames",
        "Messages come in fragments, with pings and pongs in between.",
        "RFC 6455 sections 5.4 and 5.5",
        Manner::Frames,
    ),
];

/// Where it is in what the server says.
enum Stage {
    /// In the head of an answer.
    Head,
    /// In the body of an answer with this head; so many bytes are left, if that is known.
    Body { head: String, length: Option<usize> },
    /// In frames.
    Frames,
    /// There is nothing more to change.
    Through,
}

/// What a server says on one connection, in another manner.
pub(super) struct Rewriter {
    manner: Manner,
    stage: Stage,
    buffer: Vec<u8>,
    upgraded: bool,
}

impl Rewriter {
    pub(super) const fn new(manner: Manner) -> Self {
        Self { manner, stage: Stage::Head, buffer: Vec::new(), upgraded: false }
    }

    /// What is to be sent for this.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        if matches!(self.manner, Manner::Plain | Manner::Pieces) {
            return bytes.to_vec();
        }
        self.buffer.extend_from_slice(bytes);
        let mut out = Vec::new();
        while self.step(&mut out) {}
        out
    }

    /// What is still to be sent at the end of the connection.
    pub(super) fn end(&mut self) -> Vec<u8> {
        let rest = std::mem::take(&mut self.buffer);
        match std::mem::replace(&mut self.stage, Stage::Through) {
            Stage::Body { head, .. } => self.answer(&head, &rest),
            Stage::Head | Stage::Frames | Stage::Through => rest,
        }
    }

    /// Whether the end of the server's side is told to the client at once.
    pub(super) fn tells_the_end(&self) -> bool {
        self.manner != Manner::KeepAlive || self.upgraded
    }

    fn step(&mut self, out: &mut Vec<u8>) -> bool {
        match &self.stage {
            Stage::Head => {
                let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
                let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 4);
                if head.split(' ').nth(1) == Some("101") {
                    out.extend(fields(&head, self.manner).bytes());
                    self.upgraded = true;
                    self.stage = if self.manner == Manner::Frames { Stage::Frames } else { Stage::Through };
                } else {
                    let length = field(&head, "content-length").and_then(|length| length.parse().ok());
                    self.stage = Stage::Body { head, length };
                }
                true
            }
            Stage::Body { head, length: Some(length) } if self.buffer.len() >= *length => {
                let (head, length) = (head.clone(), *length);
                let body: Vec<u8> = self.buffer.drain(..length).collect();
                out.extend(self.answer(&head, &body));
                self.stage = Stage::Through;
                true
            }
            Stage::Body { .. } => false,
            Stage::Frames => match frame(&self.buffer) {
                Some((length, text)) => {
                    let whole: Vec<u8> = self.buffer.drain(..length).collect();
                    match text {
                        Some(text) => out.extend(fragments(&text)),
                        None => out.extend(whole),
                    }
                    true
                }
                None => false,
            },
            Stage::Through => {
                out.append(&mut self.buffer);
                false
            }
        }
    }

    fn answer(&self, head: &str, body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        if self.manner == Manner::Interim {
            out.extend(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n");
        }
        out.extend(fields(head, self.manner).bytes());
        if self.manner == Manner::Chunked {
            for chunk in body.chunks(7) {
                out.extend(format!("{:X};more=\"or less\"\r\n", chunk.len()).bytes());
                out.extend(chunk);
                out.extend(b"\r\n");
            }
            out.extend(b"0\r\nx-trailer: there\r\n\r\n");
        } else {
            out.extend(body);
        }
        out
    }
}

/// The value of a field.
fn field<'h>(head: &'h str, wanted: &str) -> Option<&'h str> {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .find_map(|(name, value)| name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim()))
}

/// The head with its end, in this manner.
fn fields(head: &str, manner: Manner) -> String {
    let is_upgrade = head.split(' ').nth(1) == Some("101");
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let mut out = match manner {
        Manner::Fields => first.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ") + " ",
        Manner::Plain
        | Manner::Pieces
        | Manner::Chunked
        | Manner::UntilClose
        | Manner::KeepAlive
        | Manner::Interim
        | Manner::Frames => first.to_owned(),
    };
    out.push_str("\r\n");
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let (lower, value) = (name.to_ascii_lowercase(), value.trim());
        let is_framing = matches!(lower.as_str(), "content-length" | "connection") && !is_upgrade;
        match manner {
            Manner::Chunked | Manner::UntilClose if is_framing => {}
            Manner::KeepAlive if is_framing && lower == "connection" => {}
            Manner::Fields if is_upgrade && lower == "connection" => out.push_str("CONNECTION:keep-alive, UPGRADE\r\n"),
            Manner::Fields if is_upgrade && lower == "upgrade" => out.push_str("UpGrAdE:\tWebSocket \t\r\n"),
            Manner::Fields => out.push_str(&format!("{}:{value} \t\r\n", name.to_ascii_uppercase())),
            Manner::Plain
            | Manner::Pieces
            | Manner::Chunked
            | Manner::UntilClose
            | Manner::KeepAlive
            | Manner::Interim
            | Manner::Frames => out.push_str(&format!("{name}: {value}\r\n")),
        }
    }
    out.push_str(match manner {
        Manner::Chunked if !is_upgrade => "transfer-encoding: chunked\r\nconnection: close\r\n",
        Manner::UntilClose if !is_upgrade => "connection: close\r\n",
        Manner::KeepAlive if !is_upgrade => "connection: keep-alive\r\nkeep-alive: timeout=60\r\n",
        Manner::Fields => "X-EMPTY:\r\nset-cookie: a=b\r\nset-cookie: c=d\r\n",
        Manner::Plain
        | Manner::Pieces
        | Manner::Chunked
        | Manner::UntilClose
        | Manner::KeepAlive
        | Manner::Interim
        | Manner::Frames => "",
    });
    out.push_str("\r\n");
    out
}

/// The length of the frame at the beginning, and its payload where it is a whole text message.
fn frame(bytes: &[u8]) -> Option<(usize, Option<Vec<u8>>)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (start, length) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let payload = bytes.get(start..start + length)?;
    let is_text = first == 0x81 && second & 0x80 == 0;
    Some((start + length, is_text.then(|| payload.to_vec())))
}

/// A text message in up to five fragments with an empty one among them, and control frames between all of them.
fn fragments(text: &[u8]) -> Vec<u8> {
    let pieces: Vec<&[u8]> = text.chunks(text.len().div_ceil(4).max(1)).chain([&[][..]]).collect();
    let mut out = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let last = at + 1 == pieces.len();
        let opcode = u8::from(at == 0) | if last { 0x80 } else { 0 };
        out.push(opcode);
        match u16::try_from(piece.len()) {
            Ok(short @ 0..126) => out.push(u8::try_from(short).unwrap_or_default()),
            Ok(length) => {
                out.push(126);
                out.extend(length.to_be_bytes());
            }
            Err(_) => {
                out.push(127);
                out.extend(u64::try_from(piece.len()).unwrap_or_default().to_be_bytes());
            }
        }
        out.extend(*piece);
        if !last {
            // A ping with a payload, and a pong that nobody asked for.
            out.extend([0x89, 2, b'h', b'i', 0x8a, 0]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\
        connection: close\r\n\r\n0123456789";

    fn written(manner: Manner, text: &str) -> String {
        let mut rewriter = Rewriter::new(manner);
        let mut out: Vec<u8> = text.bytes().flat_map(|byte| rewriter.take(&[byte])).collect();
        out.extend(rewriter.end());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_body_in_chunks_has_no_length_and_an_end() {
        let text = written(Manner::Chunked, ANSWER);

        assert!(!text.contains("content-length"), "{text}");
        assert!(text.contains("\r\n7;more=\"or less\"\r\n0123456\r\n3;more=\"or less\"\r\n789\r\n0\r\n"), "{text}");
    }

    #[test]
    fn a_body_until_the_close_has_no_length() {
        let text = written(Manner::UntilClose, ANSWER);

        assert!(!text.contains("content-length") && text.ends_with("\r\n\r\n0123456789"), "{text}");
    }

    #[test]
    fn fields_are_spelled_otherwise_and_keep_their_values() {
        let text = written(Manner::Fields, ANSWER);

        assert!(text.starts_with("HTTP/1.1 200 \r\nCONTENT-TYPE:application/json \t\r\n"), "{text}");
        assert!(text.contains("CONTENT-LENGTH:10") && text.ends_with("0123456789"), "{text}");
    }

    #[test]
    fn a_text_message_comes_in_fragments_and_other_frames_as_they_are() {
        let mut rewriter = Rewriter::new(Manner::Frames);
        let head = rewriter.take(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n");
        assert!(head.ends_with(b"\r\n\r\n"));

        assert_eq!(rewriter.take(&[0x89, 0]), [0x89, 0]);
        assert!(rewriter.take(&[0x81, 2, b'a']).is_empty());
        let between = [0x89, 2, b'h', b'i', 0x8a, 0];
        let wanted = [&[0x01, 1, b'a'][..], &between, &[0x00, 1, b'b'], &between, &[0x80, 0]].concat();
        assert_eq!(rewriter.take(b"b"), wanted);
    }

    #[test]
    fn every_other_manner_has_a_name() {
        for manner in MANNERS {
            assert!(manner.0.starts_with("link-") && manner.1.ends_with('.') && !manner.2.is_empty());
        }
    }
}
