//! Clocks and alarms: nanoseconds since 1970 that never go back, and a timer that is finer than a millisecond.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// The time of the system as it was once, carried on by a clock that nobody sets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    unix_ns: u64,
    monotonic_ns: u64,
}

impl Clock {
    /// Looks at the time of the system.
    pub(crate) fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            unix_ns: u64::try_from(since.as_nanos()).unwrap_or(0),
            monotonic_ns: nanoseconds(clock_gettime(ClockId::Monotonic)),
        }
    }

    /// Nanoseconds since 1970.
    pub(crate) fn now(self) -> u64 {
        self.unix_ns + (nanoseconds(clock_gettime(ClockId::Monotonic)) - self.monotonic_ns)
    }

    const fn monotonic(self, at: u64) -> u64 {
        self.monotonic_ns + at.saturating_sub(self.unix_ns)
    }
}

/// Processor time of this thread, in nanoseconds.
pub(crate) fn thread_cpu() -> u64 {
    nanoseconds(clock_gettime(ClockId::ThreadCPUTime))
}

fn nanoseconds(time: Timespec) -> u64 {
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0)
}

/// A timer of the system. The runtime's own counts in milliseconds, which would be most of the lag.
pub(crate) struct Alarm {
    timer: AsyncFd<OwnedFd>,
    clock: Clock,
    /// What it is set to.
    at: u64,
}

impl Alarm {
    /// Needs a runtime.
    pub(crate) fn new(clock: Clock) -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[allow(
            deprecated,
            reason = "unsound for types that give away a descriptor which they do not own; this one owns it"
        )]
        let timer = AsyncFd::new(timer)?;
        Ok(Self { timer, clock, at: 0 })
    }

    /// Waits until a moment in nanoseconds since 1970. Cancel-safe.
    pub(crate) async fn until(&mut self, at: u64) {
        while self.clock.now() < at {
            if self.set(at).is_err() {
                return;
            }
            let Ok(mut ready) = self.timer.readable().await else { return };
            let _ = rustix::io::read(ready.get_inner(), &mut [0_u8; 8]);
            ready.clear_ready();
            self.at = 0;
        }
    }

    fn set(&mut self, at: u64) -> io::Result<()> {
        if self.at == at {
            return Ok(());
        }
        let due = self.clock.monotonic(at).max(1);
        let spec = |ns: u64| Timespec {
            tv_sec: i64::try_from(ns / 1_000_000_000).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(ns % 1_000_000_000).unwrap_or(0),
        };
        let once = Itimerspec { it_interval: spec(0), it_value: spec(due) };
        timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::ABSTIME, &once)?;
        self.at = at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_never_rings_early_and_rings_at_once_for_what_is_past() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let clock = Clock::new();
            let mut alarm = Alarm::new(clock).unwrap();
            for ahead in [300_000, 0, 2_000_000] {
                let at = clock.now() + ahead;
                alarm.until(at).await;
                assert!(clock.now() >= at, "{ahead}");
            }
            alarm.until(0).await;
        });
    }
}
