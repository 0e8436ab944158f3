//! The frames of events that many hear, as the bytes that go out.
//!
//! A frame for one subscriber is its head, with the id that it chose, and a tail that everybody hears. Events in a row for
//! the same audience are a [`Run`], which all queues share; a [`Template`] makes the frames of one subscriber out of those
//! of the one before, which costs a copy of the head where heads are of one length, as they are of those who name their
//! subscriptions with UUIDs.

use std::sync::Arc;

use appsync_protocol::hub::Tails;

/// Bytes up to which frames are collected; a longer one is one parcel.
pub(super) const PARCEL: usize = 64 * 1024;

/// Events in a row that others hear too, each with its own head.
#[derive(Debug, Default)]
pub struct Run {
    tails: Vec<Tails>,
    pub(super) frames: usize,
    /// Of all tails.
    bytes: usize,
}

/// Runs for one connection; how many frames, and their size.
#[derive(Debug)]
pub struct Shared {
    /// Usually the only one.
    first: Headed,
    more: Vec<Headed>,
    pub(super) frames: usize,
    pub(super) bytes: usize,
}

/// A run, and what begins each of its frames for one subscription.
#[derive(Clone, Debug)]
struct Headed {
    head: Arc<str>,
    run: Arc<Run>,
}

/// The frames of a run for somebody, which are those for the next one as well but for their heads.
#[derive(Default)]
pub struct Template {
    /// None where they are of several runs.
    of: Option<Arc<Run>>,
    bytes: Vec<u8>,
    /// Bytes of each head; where there is one frame, the room before its tail.
    head: usize,
    /// Where the heads are. Not told of a single frame.
    heads: Vec<usize>,
}

/// Room before the tail of a single frame: most heads are shorter.
const ROOM: usize = 128;

impl Run {
    /// Adds the events of one publish: what ends each message.
    pub fn add(&mut self, tails: Tails) {
        self.frames += tails.len();
        self.bytes += tails.iter().map(|tail| tail.len()).sum::<usize>();
        self.tails.push(tails);
    }

    /// Whether it should go before there is one event more: a queue for `limit` frames must not be full of it.
    pub(super) const fn is_long(&self, limit: usize) -> bool {
        self.frames * 4 >= limit || self.bytes >= PARCEL
    }

    /// As frames with this head, at most.
    pub(super) fn size(&self, head: &str) -> usize {
        self.frames * (HEAD_MAX + head.len()) + self.bytes
    }

    /// What ends its only frame.
    fn only(&self) -> Option<&str> {
        match self.tails.as_slice() {
            [tails] if tails.len() == 1 => tails.first().map(|tail| &**tail),
            _ => None,
        }
    }

    /// Appends its frames, and notes where the heads are.
    fn write(&self, head: &str, out: &mut Vec<u8>, heads: &mut Vec<usize>) {
        out.reserve(self.size(head));
        for tail in self.tails.iter().flat_map(|tails| tails.iter()) {
            write_head(head.len() + tail.len(), out);
            heads.push(out.len());
            out.extend_from_slice(head.as_bytes());
            out.extend_from_slice(tail.as_bytes());
        }
    }
}

impl Template {
    /// The frames that go out, one after the other; valid until it is filled for the next.
    pub fn fill(&mut self, shared: &Shared) -> &[u8] {
        let Headed { head, run } = &shared.first;
        if !shared.more.is_empty() {
            self.of = None;
            return self.write(shared);
        }
        let is_known = self.of.as_ref().is_some_and(|known| Arc::ptr_eq(known, run));
        if !is_known {
            self.of = Some(Arc::clone(run));
        }
        match run.only() {
            Some(tail) => self.fill_one(head, tail, is_known),
            None if is_known && self.head == head.len() => {
                for at in &self.heads {
                    self.bytes[*at..*at + head.len()].copy_from_slice(head.as_bytes());
                }
                &self.bytes
            }
            None => self.write(shared),
        }
    }

    /// A single frame: its tail stays where it is, and the head is put before it, however long.
    fn fill_one(&mut self, head: &str, tail: &str, is_known: bool) -> &[u8] {
        if !is_known || self.head < HEAD_MAX + head.len() {
            self.head = ROOM.max(HEAD_MAX + head.len());
            self.bytes.clear();
            self.bytes.resize(self.head, 0);
            self.bytes.extend_from_slice(tail.as_bytes());
        }
        let (start, length) = head_of(head.len() + tail.len());
        let at = self.head - head.len();
        self.bytes[at..self.head].copy_from_slice(head.as_bytes());
        self.bytes[at - length..at].copy_from_slice(&start[..length]);
        &self.bytes[at - length..]
    }

    fn write(&mut self, shared: &Shared) -> &[u8] {
        self.bytes.clear();
        self.heads.clear();
        self.head = shared.first.head.len();
        for Headed { head, run } in std::iter::once(&shared.first).chain(&shared.more) {
            run.write(head, &mut self.bytes, &mut self.heads);
        }
        &self.bytes
    }
}

impl Shared {
    /// A run for whoever has this head.
    pub fn of(head: &Arc<str>, run: &Arc<Run>) -> Self {
        let first = Headed { head: Arc::clone(head), run: Arc::clone(run) };
        Self { first, more: Vec::new(), frames: run.frames, bytes: run.size(head) }
    }

    pub(super) fn add(&mut self, head: &Arc<str>, run: &Arc<Run>) {
        self.more.push(Headed { head: Arc::clone(head), run: Arc::clone(run) });
        self.frames += run.frames;
        self.bytes += run.size(head);
    }

    /// The frames that go out.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut template = Template::default();
        template.write(self);
        template.bytes
    }
}

/// Appends a text as the frame of a server, and tells its length (RFC 6455 section 5.2).
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) -> usize {
    let from = out.len();
    out.reserve(text.len() + HEAD_MAX);
    write_head(text.len(), out);
    out.extend_from_slice(text.as_bytes());
    out.len() - from
}

/// Longest head of a frame of a server.
const HEAD_MAX: usize = 10;

fn write_head(len: usize, out: &mut Vec<u8>) {
    let (head, length) = head_of(len);
    out.extend_from_slice(&head[..length]);
}

/// The head of a text frame for so many bytes, and its length.
fn head_of(len: usize) -> ([u8; HEAD_MAX], usize) {
    const FINAL_TEXT: u8 = 0x81;
    let mut head = [0; HEAD_MAX];
    head[0] = FINAL_TEXT;
    match len {
        len @ 0..=125 => {
            head[1] = len as u8;
            (head, 2)
        }
        len @ 126..=0xffff => {
            head[1] = 126;
            head[2..4].copy_from_slice(&(len as u16).to_be_bytes());
            (head, 4)
        }
        len => {
            head[1] = 127;
            head[2..].copy_from_slice(&(len as u64).to_be_bytes());
            (head, HEAD_MAX)
        }
    }
}

#[cfg(test)]
impl Run {
    /// The events of publishes with these tails.
    pub(super) fn of(publishes: &[&[&str]]) -> Arc<Self> {
        let mut run = Self::default();
        for tails in publishes {
            run.add(tails.iter().map(|tail| Arc::from(*tail)).collect());
        }
        Arc::new(run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_has_the_head_of_the_one_it_is_filled_for() {
        let mut template = Template::default();
        let (long, short) = (Run::of(&[&["a", "bb"], &["c"]]), Run::of(&[&["d"]]));
        let (large, wide) = (Run::of(&[&[&"e".repeat(70_000)]]), "<".repeat(200));
        let wide = wide.as_str();
        let told = |runs: &[(&str, &Arc<Run>)]| {
            let [(head, run), more @ ..] = runs else { panic!("no run") };
            let mut shared = Shared::of(&Arc::from(*head), run);
            more.iter().for_each(|(head, run)| shared.add(&Arc::from(*head), run));
            (template.fill(&shared).to_vec(), shared.to_bytes())
        };

        let filled = [
            &[("<1>", &long)][..],
            &[("<2>", &long)],
            &[("<10>", &long)],
            &[("<11>", &short)],
            &[("<3>", &short), ("<4>", &long)],
            &[("<5>", &short)],
            &[("<6>", &short)],
            &[(wide, &short)],
            &[("<7>", &short)],
            &[("<8>", &large)],
            &[("<900>", &large)],
        ]
        .map(told);

        assert!(filled.iter().all(|(template, alone)| template == alone), "{filled:?}");
        assert_eq!(filled[1].0, b"\x81\x04<2>a\x81\x05<2>bb\x81\x04<2>c");
        assert_eq!(filled[6].0, b"\x81\x04<6>d");
    }

    #[test]
    fn a_run_is_long_before_a_queue_is_full_of_it() {
        let long = |frames: usize, limit| Run::of(&[&vec!["x"; frames]]).is_long(limit);

        assert_eq!([long(3, 16), long(4, 16), long(1, 1), long(0, 1)], [false, true, true, false]);
        assert!(Run::of(&[&[&"x".repeat(PARCEL)]]).is_long(1_000));
    }
}
