//! A client with any number of subscribers, in one thread: it searches what comes for the marks of events.
//!
//! It knows nothing of frames, so it costs every server the same. Each subscriber has to get each number once and in order;
//! whatever else comes is counted as wrong.

use std::io::{self, Read};
use std::net::TcpStream as Blocking;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use hdrhistogram::Histogram;
use memchr::memmem::Finder;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustix::net::{RecvFlags, recv};

use super::Failure;
use super::wire::{MARK, Speech, now, read_mark};

/// Most bytes that are read at a time.
const READ: usize = 256 * 1024;
/// So long after the last event that is missing came another, it is lost.
const PATIENCE: u64 = 5_000_000_000;
/// How often it looks whether all is over.
const TICK: Duration = Duration::from_millis(20);
/// The longest time that is told apart, in nanoseconds.
const LONGEST: u64 = 600_000_000_000;

/// Subscribers, all connected.
pub struct Audience {
    poll: Poll,
    ears: Vec<Ear>,
    /// The connection of the publisher, of which only the answers are read.
    publisher: Option<TcpStream>,
}

struct Ear {
    stream: TcpStream,
    /// The beginning of a mark that is not whole.
    tail: Vec<u8>,
    next: u32,
}

/// What was heard.
pub struct Heard {
    /// Events that came, of all subscribers together.
    pub deliveries: u64,
    /// Events that did not come in the order of their numbers: lost, or more than once.
    pub wrong: u64,
    /// Connections that were lost.
    pub lost: u64,
    /// When the last event came.
    pub last: u64,
    /// From the intended moment to the moment of reading, in nanoseconds.
    pub latency: Histogram<u64>,
}

impl Audience {
    /// Connects and subscribes.
    ///
    /// # Errors
    /// If a connection cannot be made.
    pub fn gather(speech: &dyn Speech, count: usize) -> Result<Self, Failure> {
        let poll = Poll::new()?;
        let mut ears = Vec::with_capacity(count);
        for number in 0..count {
            let stream = speech.subscriber(number)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            ears.push(Ear { stream, tail: Vec::new(), next: 0 });
        }
        Ok(Self { poll, ears, publisher: None })
    }

    /// Reads and forgets what this connection gets.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn ignore(&mut self, publisher: &Blocking) -> Result<(), Failure> {
        let mut stream = TcpStream::from_std(publisher.try_clone()?);
        self.poll.registry().register(&mut stream, Token(self.ears.len()), Interest::READABLE)?;
        self.publisher = Some(stream);
        Ok(())
    }

    /// Forgets which number comes next: the publisher counts from the beginning again.
    pub fn rewind(&mut self) {
        for ear in &mut self.ears {
            ear.next = 0;
        }
    }

    /// Listens until every subscriber has every event, of which `published` tells the number once it is known.
    ///
    /// Ends in bounded time: some seconds after the last event.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn listen(&mut self, published: &Receiver<u32>) -> Result<Heard, Failure> {
        let mut heard = Heard {
            deliveries: 0,
            wrong: 0,
            lost: 0,
            last: now(),
            latency: Histogram::new_with_bounds(1, LONGEST, 3)?,
        };
        let finder = Finder::new(b"@@");
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; READ];
        let mut owed = None;
        loop {
            match self.poll.poll(&mut events, Some(TICK)) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
            for event in &events {
                match self.ears.get_mut(event.token().0) {
                    Some(ear) => ear.listen(&finder, &mut buffer, &mut heard),
                    None => self.publisher.iter().for_each(|stream| drain(stream, &mut buffer)),
                }
            }
            owed = owed.or_else(|| published.try_recv().ok());
            let is_complete = owed.is_some_and(|owed| heard.deliveries >= u64::from(owed) * self.ears.len() as u64);
            if is_complete || (owed.is_some() && now() > heard.last + PATIENCE) {
                return Ok(heard);
            }
        }
    }
}

impl Ear {
    fn listen(&mut self, finder: &Finder<'_>, buffer: &mut [u8], heard: &mut Heard) {
        loop {
            let kept = self.tail.len();
            buffer[..kept].copy_from_slice(&self.tail);
            let got = match self.stream.read(&mut buffer[kept..]) {
                Ok(0) => {
                    heard.lost += 1;
                    return;
                }
                Ok(got) => got,
                Err(_) => return,
            };
            self.tail.clear();
            let at = now();
            let bytes = &buffer[..kept + got];
            let mut from = 0;
            while let Some(found) = finder.find(&bytes[from..]) {
                let start = from + found;
                let Some(mark) = bytes.get(start + 2..start + MARK) else {
                    from = start;
                    break;
                };
                let (intended, number) = read_mark(mark);
                heard.deliveries += 1;
                heard.wrong += u64::from(number != self.next);
                self.next = number.wrapping_add(1);
                heard.latency.saturating_record(at.saturating_sub(intended).max(1));
                from = start + MARK;
            }
            if let Some(rest) = bytes.get(from..) {
                // Shorter than a mark, or the first half of its beginning.
                let tail = if rest.starts_with(b"@@") { rest } else { &rest[rest.len().saturating_sub(1)..] };
                self.tail.extend_from_slice(tail);
            }
            heard.last = at;
            if got < buffer.len() - kept {
                return;
            }
        }
    }
}

/// The publisher writes to the same socket and waits there; reading must not.
fn drain(stream: &TcpStream, buffer: &mut [u8]) {
    while recv(stream, &mut *buffer, RecvFlags::DONTWAIT).is_ok_and(|(_, read)| read == READ) {}
}
