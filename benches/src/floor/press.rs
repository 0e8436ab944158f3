//! A publisher: a schedule that nothing moves, and one write for all that is due.
//!
//! A server that holds it back makes it late, which the marks tell: they carry the intended moment. What is answered to
//! it is read elsewhere.

use std::io::Write;
use std::net::TcpStream;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use super::Failure;
use super::wire::{Publish, now};

/// When and how much is published.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The first intended moment.
    pub start: u64,
    /// Publishes a second; as fast as they are taken without one.
    pub rate: Option<f64>,
    /// Nothing begins later than so long after the start, in nanoseconds.
    pub duration: u64,
}

/// Bytes that are written at a time while it is behind.
const WRITE: usize = 64 * 1024;

/// Publishes by the schedule; gives how many events.
///
/// # Errors
/// If the connection is lost.
pub fn publish(mut stream: TcpStream, publish: &Publish, schedule: Schedule) -> Result<u32, Failure> {
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    let (mut out, mut sent) = (Vec::with_capacity(2 * WRITE), 0_u32);
    let events = u32::try_from(publish.events())?;
    let mut count = 0_u64;
    loop {
        let at = now();
        let elapsed = at.saturating_sub(schedule.start);
        let due = match schedule.rate {
            Some(rate) => (elapsed.min(schedule.duration) as f64 * rate / 1e9) as u64,
            None if elapsed < schedule.duration => u64::MAX,
            None => count,
        };
        while count < due && out.len() < WRITE {
            let intended = schedule.rate.map_or(at, |rate| schedule.start + ((count + 1) as f64 * 1e9 / rate) as u64);
            publish.write(intended, sent, &mut out);
            count += 1;
            sent += events;
        }
        if !out.is_empty() {
            stream.write_all(&out)?;
            out.clear();
            continue;
        }
        let Some(rate) = schedule.rate.filter(|_| elapsed < schedule.duration) else { return Ok(sent) };
        // A timer of the system: sleeping has a slack that would be a good part of what is measured.
        let next = schedule.start + ((count + 1) as f64 * 1e9 / rate) as u64 + 1;
        let time = |ns: u64| Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as i64 };
        let once = Itimerspec { it_interval: time(0), it_value: time(next) };
        timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME, &once)?;
        rustix::io::read(&timer, &mut [0; 8])?;
    }
}
