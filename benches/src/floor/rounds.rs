//! The raw client of the closed loop: each connection keeps a window of publishes under way.
//!
//! Every publish is one prebuilt frame. What one read brings is counted frame by frame, and as many publishes leave with
//! one write.

use std::io::{self, Read, Write};
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::Failure;
use super::wire::{Place, Speech, frame, now, own_cpu};

const READ: usize = 64 * 1024;
/// How often it looks at the clock.
const TICK: Duration = Duration::from_millis(20);

/// What a client of the closed loop did.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// Publishes that were answered.
    pub trips: u64,
    /// For so long, in nanoseconds.
    pub wall: u64,
    /// Processor time of the process while it did so, in nanoseconds.
    pub cpu: u64,
}

struct Connection {
    stream: TcpStream,
    rest: Vec<u8>,
}

/// Publishes events of `size` bytes for a while.
///
/// # Errors
/// If a connection cannot be made or is lost.
pub fn run(
    place: &Place,
    connections: usize,
    window: usize,
    size: usize,
    duration: Duration,
) -> Result<Rounds, Failure> {
    let mut publish = Vec::new();
    place.publish(1, size).write(0, 0, &mut publish);
    let all = publish.repeat(window);
    let mut poll = Poll::new()?;
    let mut open = Vec::new();
    for number in 0..connections {
        let stream = place.connect()?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        open.push(Connection { stream, rest: Vec::new() });
    }
    let (started, cpu) = (now(), own_cpu());
    let end = started + duration.as_nanos() as u64;
    for connection in &mut open {
        // A window is far shorter than what a socket takes.
        connection.stream.write_all(&all)?;
    }
    let (mut events, mut buffer, mut trips) = (Events::with_capacity(1024), vec![0; READ], 0);
    while now() < end {
        match poll.poll(&mut events, Some(TICK)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        for event in &events {
            let Some(connection) = open.get_mut(event.token().0) else { continue };
            let answered = connection.answers(&mut buffer)?;
            trips += answered as u64;
            if answered > 0 {
                connection.stream.write_all(&all[..answered * publish.len()])?;
            }
        }
    }
    Ok(Rounds { trips, wall: now() - started, cpu: own_cpu() - cpu })
}

impl Connection {
    fn answers(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let kept = self.rest.len();
        buffer[..kept].copy_from_slice(&self.rest);
        let got = match self.stream.read(&mut buffer[kept..]) {
            Ok(0) => return Err("the server ended a connection".into()),
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        let (mut used, mut answered) = (0, 0);
        while let Some((_, end, _)) = frame(&buffer[used..kept + got]) {
            used += end;
            answered += 1;
        }
        self.rest.clear();
        self.rest.extend_from_slice(&buffer[used..kept + got]);
        Ok(answered)
    }
}
