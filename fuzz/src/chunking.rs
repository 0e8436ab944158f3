//! However bytes are cut, the same frames come of them.
//!
//! The invariant: any bytes, cut anywhere, bring the same frames and the same fault; messages that are split into
//! fragments, with control frames in between, bring the same texts and the same findings as whole ones; and the framing of
//! the load generator reads what that of the link reads.

use appsync_protocol::conversation::Conversation;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{OwnedFrame, Side};
use syncspec::link::pieces::{Brought, frames, messages};

use crate::draw::Draw;
use crate::reach::Point;

static CUT: Point = Point::new("chunking/cut");
static WHOLE: Point = Point::new("chunking/whole-message");
static FRAGMENTED: Point = Point::new("chunking/fragmented");
static BOTH: Point = Point::new("chunking/both-framings");
static FAULT: Point = Point::new("chunking/fault");
/// Where the oracle speaks.
pub static POINTS: [&Point; 5] = [&CUT, &WHOLE, &FRAGMENTED, &BOTH, &FAULT];

const MESSAGE_MAX: usize = 4096;

/// One input: any bytes of a peer, or messages to be fragmented.
pub fn run(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else { return };
    let mut draw = Draw::new(rest);
    if how & 1 == 0 {
        let by_server = how & 2 == 0;
        let cuts: Vec<usize> = (0..4).map(|_| 1 + draw.below(16)).collect();
        bytes(draw.rest(), by_server, &cuts);
    } else {
        fragments(&mut draw);
    }
}

/// Pieces of the lengths that `cuts` say, over and over.
fn cut(bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let (mut rest, mut pieces) = (bytes, Vec::new());
    for length in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}

fn bytes(bytes: &[u8], by_server: bool, cuts: &[usize]) -> Brought<OwnedFrame> {
    let whole = frames(vec![bytes.to_vec()], by_server, MESSAGE_MAX);
    CUT.reached();
    for cuts in [cuts, &[1]] {
        let pieces = frames(cut(bytes, cuts), by_server, MESSAGE_MAX);
        assert!(same(&whole, &pieces), "{:?} {:?}: {:?} {:?}", whole.all, whole.fault, pieces.all, pieces.fault);
    }
    if whole.fault.is_some() {
        FAULT.reached();
    }
    if !whole.all.is_empty() {
        WHOLE.reached();
    }
    if by_server {
        both_framings(bytes, cuts, &whole);
    }
    whole
}

fn same(one: &Brought<OwnedFrame>, other: &Brought<OwnedFrame>) -> bool {
    one.all == other.all && one.fault == other.fault
}

/// The load generator reads one message after the other, as it must; that a text is UTF-8 it leaves to its reader.
fn both_framings(bytes: &[u8], cuts: &[usize], link: &Brought<OwnedFrame>) {
    let load = messages(vec![bytes.to_vec()]);
    assert_eq!(messages(cut(bytes, cuts)), load);
    let is_plain = link.all.iter().all(|frame| !matches!(frame, OwnedFrame::Binary(_)));
    if link.fault.is_some() || !is_plain {
        return;
    }
    BOTH.reached();
    let texts = link.all.iter().filter_map(|frame| match frame {
        OwnedFrame::Text { text, .. } => Some(text.as_bytes()),
        OwnedFrame::Binary(_)
        | OwnedFrame::Ping(_)
        | OwnedFrame::Pong(_)
        | OwnedFrame::Close { .. }
        | OwnedFrame::Lost => None,
    });
    assert!(texts.eq(load.all.iter().map(Vec::as_slice)), "{:?}: {load:?}", link.all);
    // It refuses what is no text when that begins, and the link shows it when it ends.
    let refuses_binary = load.fault.as_deref() == Some("a message that is no text");
    assert!(load.fault.is_none() || refuses_binary, "{load:?}");
}

fn fragments(draw: &mut Draw<'_>) {
    let dialect = draw.pick(&Dialect::ALL);
    let (mut split, mut whole) = (Vec::new(), Vec::new());
    let cuts: Vec<usize> = (0..4).map(|_| 1 + draw.below(16)).collect();
    for _ in 0..8 {
        if draw.is_over() {
            break;
        }
        let text = message(draw);
        whole.extend(frame(0x81, text.as_bytes()));
        let count = 1 + draw.below(4);
        let length = text.len().div_ceil(count).max(1);
        for at in 0..count {
            let from = (at * length).min(text.len());
            let to = if at + 1 == count { text.len() } else { (from + length).min(text.len()) };
            let head = if at == 0 { 0x01 } else { 0x00 } | if at + 1 == count { 0x80 } else { 0x00 };
            split.extend(frame(head, &text.as_bytes()[from..to]));
            match draw.byte() % 8 {
                0 => split.extend(frame(0x89, draw.bytes(4))),
                1 => split.extend(frame(0x8a, b"")),
                _ => {}
            }
        }
    }
    let (one, other) = (bytes(&whole, true, &cuts), bytes(&split, true, &cuts));
    assert_eq!((&one.fault, &other.fault), (&None, &None));
    FRAGMENTED.reached();
    assert_eq!(judged(dialect, &one.all), judged(dialect, &other.all));
}

fn message(draw: &mut Draw<'_>) -> String {
    let id = draw.pick(&["a", "b", "é\u{1f600}"]);
    match draw.byte() % 6 {
        0 => {
            r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":300000},"connectionTimeoutMs":300000}"#.into()
        }
        1 => r#"{"type":"ka"}"#.into(),
        2 => format!(r#"{{"type":"data","id":"{id}","payload":{{"data":{{}}}},"event":"1"}}"#),
        3 => format!(r#"{{"type":"complete","id":"{id}"}}"#),
        4 => draw.text(),
        _ => draw.json(),
    }
}

/// A frame of a server.
fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![head];
    match u8::try_from(payload.len()) {
        Ok(short @ 0..=125) => bytes.push(short),
        Ok(_) | Err(_) => {
            bytes.push(126);
            bytes.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}

/// Texts, and what the model finds wrong with them.
fn judged(dialect: Dialect, frames: &[OwnedFrame]) -> (Vec<String>, Vec<String>) {
    let mut conversation = Conversation::new(dialect);
    let (mut texts, mut findings) = (Vec::new(), Vec::new());
    for frame in frames {
        if let OwnedFrame::Text { text, .. } = frame {
            texts.push(text.clone());
            let whole = OwnedFrame::text(text.clone());
            let one = conversation.clone().observe(Moment::START, Side::Server, whole.borrow()).findings;
            let other = conversation.observe(Moment::START, Side::Server, frame.borrow()).findings;
            assert_eq!(one, other, "{text}");
            findings.extend(other.iter().map(ToString::to_string));
        }
    }
    (texts, findings)
}
