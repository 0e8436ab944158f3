//! What waits to be sent on one connection: bounded, and nothing at all while the connection is idle.
//!
//! ```text
//!   Hub ── push ──> frames ── take ──> task of the connection
//!                   cut, by the hub       close, by the task
//! ```
//!
//! An idle connection is the usual one, and there may be ten thousand: a queue that is empty holds no memory besides
//! its own fields. The invariants: frames leave in the order in which they came; there are never more than the limit, in number or in size;
//! a change that the task has not seen yet wakes it at once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use appsync_protocol::wire::OwnedFrame;
use tokio::sync::Notify;

/// The way from the hub to the task of one connection.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Notify,
    limit: usize,
}

/// The end at which the task takes what it is to send. Dropping it closes the queue.
pub(super) struct Inlet(Arc<Queue>);

#[derive(Default)]
struct Waiting {
    frames: VecDeque<OwnedFrame>,
    /// Size of the payloads that wait.
    bytes: usize,
    state: State,
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

/// Why a frame was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// As many frames wait as may.
    Full,
    /// The task is on its way to tell the end.
    Closed,
}

/// Payloads that wait for one connection, in bytes; one more frame is refused once there are as many.
const BYTES_MAX: usize = 32 * 1024 * 1024;

fn size(frame: &OwnedFrame) -> usize {
    match frame {
        OwnedFrame::Text { text, .. } => text.len(),
        OwnedFrame::Binary(bytes) | OwnedFrame::Ping(bytes) | OwnedFrame::Pong(bytes) => bytes.len(),
        OwnedFrame::Close { reason, .. } => reason.len(),
        OwnedFrame::Lost => 0,
    }
}

impl Queue {
    /// An empty queue for `limit` frames, and its other end.
    pub(super) fn new(limit: usize) -> (Arc<Self>, Inlet) {
        let waiting = Mutex::new(Waiting::default());
        let queue = Arc::new(Self { waiting, changed: Notify::new(), limit });
        (Arc::clone(&queue), Inlet(queue))
    }

    /// Queues a frame.
    pub(super) fn push(&self, frame: OwnedFrame) -> Result<(), Refused> {
        let mut waiting = self.lock();
        match waiting.state {
            State::Cut | State::Closed => return Err(Refused::Closed),
            State::Open if waiting.frames.len() >= self.limit || waiting.bytes >= BYTES_MAX => {
                return Err(Refused::Full);
            }
            State::Open => {
                waiting.bytes += size(&frame);
                waiting.frames.push_back(frame);
            }
        }
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// Throws away what waits and tells the task to drop the connection.
    pub(super) fn cut(&self) {
        *self.lock() = Waiting { state: State::Cut, ..Waiting::default() };
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here panics half-way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inlet {
    /// Waits until there may be something new. Cancel-safe.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Up to `most` frames in order, perhaps none; `None` if the connection is to be dropped.
    pub(super) fn take(&self, most: usize) -> Option<VecDeque<OwnedFrame>> {
        let mut waiting = self.0.lock();
        if waiting.state == State::Cut {
            return None;
        }
        if waiting.frames.len() <= most {
            return Some(std::mem::take(&mut *waiting).frames);
        }
        let taken: VecDeque<_> = waiting.frames.drain(..most).collect();
        waiting.bytes -= taken.iter().map(size).sum::<usize>();
        Some(taken)
    }

    /// Whether the connection is to be dropped.
    pub(super) fn is_cut(&self) -> bool {
        self.0.lock().state == State::Cut
    }
}

impl Drop for Inlet {
    fn drop(&mut self) {
        *self.0.lock() = Waiting { state: State::Closed, ..Waiting::default() };
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn frames_leave_in_order_and_an_empty_queue_holds_no_memory() {
        let (queue, inlet) = Queue::new(8);
        for text in ["a", "b", "c"] {
            queue.push(OwnedFrame::text(text)).unwrap();
        }

        let (first, rest) = (inlet.take(2).unwrap(), inlet.take(2).unwrap());

        assert!(first == [OwnedFrame::text("a"), OwnedFrame::text("b")] && rest == [OwnedFrame::text("c")]);
        assert_eq!(queue.lock().frames.capacity(), 0);
    }

    #[test]
    fn a_full_queue_refuses_until_something_was_taken() {
        let (queue, inlet) = Queue::new(1);

        let pushed = [queue.push(OwnedFrame::text("a")), queue.push(OwnedFrame::text("b"))];
        inlet.take(1).unwrap();

        assert_eq!(pushed, [Ok(()), Err(Refused::Full)]);
        assert_eq!(queue.push(OwnedFrame::text("c")), Ok(()));
    }

    #[test]
    fn a_queue_of_large_frames_is_full_by_their_size() {
        let (queue, inlet) = Queue::new(1024);
        let half = || OwnedFrame::Binary(vec![0; BYTES_MAX / 2]);

        let pushed = [queue.push(half()), queue.push(half()), queue.push(OwnedFrame::text("a"))];
        inlet.take(1).unwrap();

        assert_eq!(pushed, [Ok(()), Ok(()), Err(Refused::Full)]);
        assert_eq!(queue.push(OwnedFrame::text("a")), Ok(()));
    }

    #[test]
    fn a_cut_throws_away_what_waits_and_is_seen() {
        let (queue, inlet) = Queue::new(8);
        queue.push(OwnedFrame::text("a")).unwrap();

        queue.cut();

        assert!(inlet.is_cut() && inlet.take(8).is_none());
        assert_eq!(queue.push(OwnedFrame::text("b")), Err(Refused::Closed));
    }

    #[test]
    fn a_queue_that_nobody_takes_from_refuses_without_being_full() {
        let (queue, inlet) = Queue::new(1);

        drop(inlet);

        assert_eq!([(); 3].map(|()| queue.push(OwnedFrame::text("a"))), [Err(Refused::Closed); 3]);
    }

    #[test]
    fn a_change_before_the_wait_ends_it() {
        let (queue, inlet) = Queue::new(8);
        let mut context = Context::from_waker(Waker::noop());
        let is_over = |context: &mut Context<'_>| pin!(inlet.changed()).poll(context) == Poll::Ready(());

        let before = is_over(&mut context);
        queue.push(OwnedFrame::text("a")).unwrap();
        let after = (is_over(&mut context), is_over(&mut context));

        assert_eq!((before, after), (false, (true, false)));
    }
}
