//! What waits to be sent on one connection: bounded, and next to nothing while the connection is idle.
//!
//! ```text
//!   Hub ── push ──> parcels ── take ──> task of the connection
//!                   cut, by the hub       close, by the task
//! ```
//!
//! Texts are what nearly everything is: they wait as the bytes that go out, one after the other, so that any number of
//! them costs the task one move and one write. Events that many hear wait as runs, which all of them share, and become
//! bytes when they are taken. While the task of a plain connection sleeps, they are written without waking it: that is
//! what a flush of the hub does, once for all that a client's messages led to. What TCP does not take then is left to the
//! task, which takes it before it does anything else. An idle connection is the usual one, and there may be ten thousand: a
//! queue that is empty holds no more memory than one parcel needs. The invariants: frames leave in the order in which they
//! came; there are never more than the limit, in number or in size; a change that the task has not seen yet wakes it at
//! once; what [`Pressure`] counts are the queues that are more than half full.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use appsync_protocol::wire::OwnedFrame;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::frames::{PARCEL, Run, Shared, Template, write_text};

/// The way from the hub to the task of one connection.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    limit: usize,
    pressure: Arc<Pressure>,
}

/// The end at which the task takes what it is to send. Dropping it closes the queue.
pub(super) struct Inlet(Arc<Queue>);

/// How many queues of a port are more than half full.
#[derive(Default)]
pub(super) struct Pressure {
    queues: AtomicUsize,
    eased: Notify,
}

#[derive(Default)]
struct Waiting {
    parcels: VecDeque<Parcel>,
    /// Frames in all of them.
    frames: usize,
    /// Their size.
    bytes: usize,
    is_pressed: bool,
    state: State,
    /// The task, and what it is to be woken for. None while it works.
    sleeper: Option<(Waker, For)>,
    /// Where a flush may write while the task sleeps and has nothing unsent.
    wire: Option<Arc<TcpStream>>,
    /// A flush is due.
    is_dirty: bool,
}

/// What a task waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// Something to send, or the end.
    Anything,
    /// The end: it has not sent what it took.
    Cut,
}

/// What is sent at a time.
#[derive(Debug)]
pub(super) enum Parcel {
    /// Texts, as the frames that go out, and how many.
    Texts(Vec<u8>, usize),
    /// Events that others hear too.
    Told(Shared),
    /// Anything else.
    Frame(OwnedFrame),
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// The consumer was too slow: drop the connection.
    Cut,
    /// Nobody takes frames any more.
    Closed,
}

/// A frame was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Queued {
    /// There is room for many more.
    Freely,
    /// The queue is more than half full.
    Pressed,
}

/// Whether somebody has to call [`Queue::flush`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// The task sends it, or somebody has been told before.
    NotDue,
    Due,
}

/// Why a frame was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// As many frames wait as may.
    Full,
    /// The task is on its way to tell the end.
    Closed,
}

/// Bytes that wait for one connection; one more frame is refused once there are as many.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// Parcels for which an empty queue keeps room.
const KEPT: usize = 1;

fn size(frame: &OwnedFrame) -> usize {
    match frame {
        OwnedFrame::Text { text, .. } => text.len(),
        OwnedFrame::Binary(bytes) | OwnedFrame::Ping(bytes) | OwnedFrame::Pong(bytes) => bytes.len(),
        OwnedFrame::Close { reason, .. } => reason.len(),
        OwnedFrame::Lost => 0,
    }
}

impl Pressure {
    /// Whether a queue is more than half full.
    pub(super) fn is_felt(&self) -> bool {
        self.queues.load(Ordering::Relaxed) > 0
    }

    /// Waits until none is. Cancel-safe.
    pub(super) async fn eased(&self) {
        loop {
            // Listening before looking: what changes in between is not missed.
            let eased = self.eased.notified();
            if !self.is_felt() {
                return;
            }
            eased.await;
        }
    }

    fn note(&self, is_pressed: bool) {
        if is_pressed {
            self.queues.fetch_add(1, Ordering::Relaxed);
        } else if self.queues.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.eased.notify_waiters();
        }
    }
}

impl Queue {
    /// An empty queue for `limit` frames, and its other end.
    pub(super) fn new(limit: usize, pressure: &Arc<Pressure>) -> (Arc<Self>, Inlet) {
        let waiting = Mutex::new(Waiting::default());
        let queue = Arc::new(Self { waiting, limit, pressure: Arc::clone(pressure) });
        (Arc::clone(&queue), Inlet(queue))
    }

    /// Queues a frame.
    pub(super) fn push(&self, frame: OwnedFrame) -> Result<Queued, Refused> {
        let mut waiting = self.lock();
        let queued = self.admit(&mut waiting, |waiting| waiting.add(frame))?;
        let sleeper = waiting.rouse();
        drop(waiting);
        wake(sleeper);
        Ok(queued)
    }

    /// Queues events that others hear too. They may need a flush.
    pub(super) fn push_run(&self, head: &Arc<str>, run: &Arc<Run>) -> Result<(Queued, Flush), Refused> {
        let mut waiting = self.lock();
        let queued = self.admit(&mut waiting, |waiting| waiting.add_run(head, run))?;
        if waiting.wire.is_some() && matches!(waiting.sleeper, Some((_, For::Anything))) {
            let was_dirty = std::mem::replace(&mut waiting.is_dirty, true);
            return Ok((queued, if was_dirty { Flush::NotDue } else { Flush::Due }));
        }
        let sleeper = waiting.rouse();
        drop(waiting);
        wake(sleeper);
        Ok((queued, Flush::NotDue))
    }

    fn admit(&self, waiting: &mut Waiting, add: impl FnOnce(&mut Waiting)) -> Result<Queued, Refused> {
        match waiting.state {
            State::Cut | State::Closed => return Err(Refused::Closed),
            State::Open if waiting.frames >= self.limit || waiting.bytes >= BYTES_MAX => return Err(Refused::Full),
            State::Open => {}
        }
        add(waiting);
        let is_pressed = waiting.frames > self.limit / 2 || waiting.bytes > BYTES_MAX / 2;
        self.press(waiting, is_pressed);
        Ok(if is_pressed { Queued::Pressed } else { Queued::Freely })
    }

    /// Writes what waits, if the task sleeps; wakes it if something is left. `template` is that of the queue before.
    pub(super) fn flush(&self, template: &mut Template) {
        let mut waiting = self.lock();
        waiting.is_dirty = false;
        if !matches!(waiting.sleeper, Some((_, For::Anything))) {
            return;
        }
        let Some(wire) = waiting.wire.take() else { return };
        while let Some(parcel) = waiting.parcels.pop_front() {
            let (frames, size) = parcel.measure();
            let bytes = match &parcel {
                Parcel::Texts(bytes, _) => bytes.as_slice(),
                Parcel::Told(shared) => template.fill(shared),
                Parcel::Frame(_) => {
                    waiting.parcels.push_front(parcel);
                    break;
                }
            };
            // That it failed shows when the task writes.
            let written = wire.try_write(bytes).unwrap_or(0);
            waiting.frames -= frames;
            waiting.bytes -= size;
            if written < bytes.len() {
                let rest = bytes[written..].to_vec();
                waiting.frames += frames;
                waiting.bytes += rest.len();
                waiting.parcels.push_front(Parcel::Texts(rest, frames));
                break;
            }
        }
        waiting.wire = Some(wire);
        self.ease(&mut waiting);
        let sleeper = if waiting.parcels.is_empty() { None } else { waiting.rouse() };
        drop(waiting);
        wake(sleeper);
    }

    /// After something was taken.
    fn ease(&self, waiting: &mut Waiting) {
        if waiting.parcels.is_empty() && waiting.parcels.capacity() > KEPT {
            waiting.parcels = VecDeque::new();
        }
        if waiting.is_pressed && waiting.frames <= self.limit / 2 && waiting.bytes <= BYTES_MAX / 2 {
            self.press(waiting, false);
        }
    }

    /// Throws away what waits and tells the task to drop the connection.
    pub(super) fn cut(&self) {
        wake(self.end(State::Cut).map(|(waker, _)| waker));
    }

    fn end(&self, state: State) -> Option<(Waker, For)> {
        let mut waiting = self.lock();
        self.press(&mut waiting, false);
        std::mem::replace(&mut *waiting, Waiting { state, ..Waiting::default() }).sleeper
    }

    fn press(&self, waiting: &mut Waiting, is_pressed: bool) {
        if std::mem::replace(&mut waiting.is_pressed, is_pressed) != is_pressed {
            self.pressure.note(is_pressed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here panics half-way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, frame: OwnedFrame) {
        self.frames += 1;
        let OwnedFrame::Text { text, fragments: 0 | 1 } = frame else {
            self.bytes += size(&frame);
            self.parcels.push_back(Parcel::Frame(frame));
            return;
        };
        match self.parcels.back_mut() {
            Some(Parcel::Texts(bytes, frames)) if bytes.len() + text.len() <= PARCEL => {
                *frames += 1;
                self.bytes += write_text(&text, bytes);
            }
            Some(Parcel::Texts(..) | Parcel::Told(_) | Parcel::Frame(_)) | None => {
                let mut bytes = Vec::new();
                self.bytes += write_text(&text, &mut bytes);
                self.begin(Parcel::Texts(bytes, 1));
            }
        }
    }

    fn add_run(&mut self, head: &Arc<str>, run: &Arc<Run>) {
        let (frames, bytes) = (run.frames, run.size(head));
        self.frames += frames;
        self.bytes += bytes;
        match self.parcels.back_mut() {
            Some(Parcel::Told(shared)) if shared.bytes + bytes <= PARCEL => shared.add(head, run),
            Some(Parcel::Texts(..) | Parcel::Told(_) | Parcel::Frame(_)) | None => {
                self.begin(Parcel::Told(Shared::of(head, run)));
            }
        }
    }

    fn begin(&mut self, parcel: Parcel) {
        if self.parcels.capacity() == 0 {
            self.parcels.reserve_exact(KEPT);
        }
        self.parcels.push_back(parcel);
    }
}

fn wake(sleeper: Option<Waker>) {
    if let Some(waker) = sleeper {
        waker.wake();
    }
}

impl Parcel {
    /// Frames, and their size.
    fn measure(&self) -> (usize, usize) {
        match self {
            Self::Texts(bytes, frames) => (*frames, bytes.len()),
            Self::Told(shared) => (shared.frames, shared.bytes),
            Self::Frame(frame) => (1, size(frame)),
        }
    }
}

impl Inlet {
    /// Lets a flush write here while the task sleeps.
    pub(super) fn open(&self, wire: Arc<TcpStream>) {
        self.0.lock().wire = Some(wire);
    }

    /// What is to be sent next; an error if the connection is to be dropped. The task is awake from now on.
    pub(super) fn take(&self) -> Result<Option<Parcel>, Cut> {
        let mut waiting = self.0.lock();
        waiting.sleeper = None;
        if waiting.state == State::Cut {
            return Err(Cut);
        }
        let Some(parcel) = waiting.parcels.pop_front() else { return Ok(None) };
        let (frames, bytes) = parcel.measure();
        waiting.frames -= frames;
        waiting.bytes -= bytes;
        self.0.ease(&mut waiting);
        Ok(Some(parcel))
    }

    /// The same, as the last thing that the task does before it sleeps.
    pub(super) fn poll_take(&self, cx: &mut Context<'_>) -> Poll<Result<Parcel, Cut>> {
        match self.take() {
            Ok(Some(parcel)) => return Poll::Ready(Ok(parcel)),
            Err(Cut) => return Poll::Ready(Err(Cut)),
            Ok(None) => {}
        }
        let mut waiting = self.0.lock();
        if waiting.parcels.is_empty() && waiting.state != State::Cut {
            waiting.sleep(cx, For::Anything);
            return Poll::Pending;
        }
        drop(waiting);
        // Something came in between.
        self.poll_take(cx)
    }

    /// Ready if the connection is to be dropped.
    pub(super) fn poll_cut(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiting = self.0.lock();
        if waiting.state == State::Cut {
            return Poll::Ready(());
        }
        waiting.sleep(cx, For::Cut);
        Poll::Pending
    }
}

impl Waiting {
    fn sleep(&mut self, cx: &Context<'_>, what: For) {
        match &mut self.sleeper {
            Some((waker, known)) if waker.will_wake(cx.waker()) => *known = what,
            sleeper => *sleeper = Some((cx.waker().clone(), what)),
        }
    }

    /// Whom to wake now that there is something to send.
    fn rouse(&mut self) -> Option<Waker> {
        self.sleeper.take_if(|(_, what)| *what == For::Anything).map(|(waker, _)| waker)
    }
}

/// The connection is to be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut;

impl Drop for Inlet {
    fn drop(&mut self) {
        drop(self.0.end(State::Closed));
    }
}

#[cfg(test)]
mod tests;
