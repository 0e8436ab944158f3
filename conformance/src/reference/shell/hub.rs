//! The lock around the service, and the way from it to the queues of the connections.
//!
//! A connection is in `outlets` from the moment the service accepted it until the service was told its end: presence
//! there is what makes the end be told exactly once. Frames for anybody else are dropped.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use appsync_protocol::hub::ConnectionId;
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{Frame, OwnedFrame, Request, Response};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::liveness::{Due, Liveness, ping};
use super::queue::{Inlet, Queue, Refused};
use super::{Answer, Notice, Service, Summary};

/// The service as the tasks see it.
pub(super) struct Hub<S> {
    state: Mutex<State<S>>,
    /// The start of the trace.
    started: Instant,
    /// Wakes the timer when there is a deadline before the one it sleeps for.
    sooner: Notify,
    queue: usize,
}

struct State<S> {
    service: S,
    outlets: BTreeMap<ConnectionId, Outlet>,
    /// What the timer sleeps for.
    awaited: Option<Moment>,
    is_stopping: bool,
    upgrades: u64,
    requests: u64,
    slow_consumers: u64,
    silent: u64,
}

struct Outlet {
    queue: Arc<Queue>,
    /// The end is queued; nothing may follow it.
    is_ending: bool,
    liveness: Liveness,
}

/// The pause if the service wants to be woken in the past, which would keep the timer busy for ever.
const TIMER_PAUSE: Duration = Duration::from_millis(1);

impl<S: Service> Hub<S> {
    pub(super) fn new(service: S, queue: usize) -> Self {
        let state = State {
            service,
            outlets: BTreeMap::new(),
            awaited: None,
            is_stopping: false,
            upgrades: 0,
            requests: 0,
            slow_consumers: 0,
            silent: 0,
        };
        Self { state: Mutex::new(state), started: Instant::now(), sooner: Notify::new(), queue: queue.max(1) }
    }

    /// Asks for an upgrade. A refusal comes without an inlet.
    pub(super) fn upgrade(&self, request: &Request) -> (Response, Option<(ConnectionId, Inlet)>) {
        self.call(|state, at| {
            if state.is_stopping {
                return (Response::new(503, "stopping"), None);
            }
            let (response, id) = state.service.upgrade(at, request);
            let Some(id) = id else {
                return (response, None);
            };
            let (queue, inlet) = Queue::new(self.queue);
            // Under the same lock as the upgrade: frames for the connection may be waiting in the service already.
            state.outlets.insert(id, Outlet { queue, is_ending: false, liveness: Liveness::at(at) });
            state.upgrades += 1;
            (response, Some((id, inlet)))
        })
    }

    pub(super) fn http(&self, request: &Request) -> Answer {
        self.call(|state, at| {
            state.requests += 1;
            state.service.http(at, request)
        })
    }

    /// Tells what a client sent, unless its end is on the way.
    pub(super) fn frame(&self, id: ConnectionId, frame: Frame<'_>) {
        self.call(|state, at| {
            if let Some(outlet) = state.outlets.get_mut(&id).filter(|outlet| !outlet.is_ending) {
                outlet.liveness.hear(at);
                state.service.frame(at, id, frame);
            }
        });
    }

    /// Tells how a connection ended, unless that was told before.
    pub(super) fn end(&self, id: ConnectionId, how: Frame<'_>) {
        self.call(|state, at| {
            if state.outlets.remove(&id).is_some() {
                state.service.frame(at, id, how);
            }
        });
    }

    /// Tells of a request that the service did not get to see.
    pub(super) fn notice(&self, notice: Notice) {
        self.call(|state, at| state.service.notice(at, notice));
    }

    /// Drops what is known about a connection without a word to the service.
    pub(super) fn forget(&self, id: ConnectionId) {
        self.lock().outlets.remove(&id);
    }

    /// Lets every connection close with 1001, and refuses new ones.
    pub(super) fn close_all(&self) {
        self.call(|state, at| {
            state.is_stopping = true;
            let ids: Vec<_> = state.outlets.keys().copied().collect();
            for id in ids {
                state.deliver(at, id, OwnedFrame::Close { code: Some(1001), reason: "going away".into() });
            }
        });
    }

    /// Tells the service the time whenever it wants to know. Never ends.
    pub(super) async fn keep_time(self: Arc<Self>) {
        loop {
            let awaited = {
                let mut state = self.lock();
                state.awaited = state.service.deadline().map(|deadline| deadline.at);
                state.awaited
            };
            let Some(due) = awaited else {
                self.sooner.notified().await;
                continue;
            };
            let due = self.started + due.since(Moment::START);
            tokio::select! {
                () = self.sooner.notified() => {}
                () = sleep_until(due) => self.elapse().await,
            }
        }
    }

    /// Asks clients that are silent for this long, and drops those that answered no ping.
    pub(super) fn ask_silent(&self, after: Duration) {
        self.call(|state, at| {
            let due = state.outlets.iter_mut().filter(|(_, outlet)| !outlet.is_ending);
            let due = due.map(|(id, outlet)| (*id, outlet.liveness.look(at, after)));
            for (id, due) in due.filter(|(_, due)| *due != Due::Nothing).collect::<Vec<_>>() {
                match due {
                    Due::Nothing => {}
                    Due::Ping => state.deliver(at, id, ping()),
                    Due::Drop => {
                        if let Some(outlet) = state.outlets.remove(&id) {
                            outlet.queue.cut();
                            state.silent += 1;
                            state.service.frame(at, id, Frame::Lost);
                        }
                    }
                }
            }
        });
    }

    pub(super) fn count_into(&self, summary: &mut Summary) {
        let state = self.lock();
        summary.upgrades = state.upgrades;
        summary.requests = state.requests;
        summary.slow_consumers = state.slow_consumers;
        summary.silent = state.silent;
    }

    async fn elapse(&self) {
        let is_due_again = self.call(|state, at| {
            // The deadline may have moved while the timer slept.
            if state.is_due(at) {
                state.service.elapse(at);
            }
            state.is_due(at)
        });
        if is_due_again {
            sleep(TIMER_PAUSE).await;
        }
    }

    fn call<T>(&self, act: impl FnOnce(&mut State<S>, Moment) -> T) -> T {
        let mut state = self.lock();
        // Read under the lock: the service must not see time run backwards.
        let at = Moment::from(self.started.elapsed());
        let result = act(&mut state, at);
        state.drain(at);
        let due = state.service.deadline().map(|deadline| deadline.at);
        if due.is_some_and(|due| state.awaited.is_none_or(|awaited| due < awaited)) {
            state.awaited = due;
            self.sooner.notify_one();
        }
        result
    }

    /// A panic in the service ends the connection that caused it; the others go on as well as they can.
    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Service> State<S> {
    fn drain(&mut self, at: Moment) {
        while let Some((id, frame)) = self.service.poll() {
            self.deliver(at, id, frame);
        }
    }

    fn deliver(&mut self, at: Moment, id: ConnectionId, frame: OwnedFrame) {
        let Some(outlet) = self.outlets.get_mut(&id).filter(|outlet| !outlet.is_ending) else {
            return;
        };
        let is_end = match frame {
            OwnedFrame::Close { .. } | OwnedFrame::Lost => true,
            OwnedFrame::Text { .. } | OwnedFrame::Binary(_) | OwnedFrame::Ping(_) => false,
            // tungstenite has answered the ping; a second answer would only confuse.
            OwnedFrame::Pong(_) => return,
        };
        match outlet.queue.push(frame) {
            Ok(()) => outlet.is_ending = is_end,
            Err(Refused::Full) => {
                outlet.queue.cut();
                self.slow_consumers += 1;
                self.outlets.remove(&id);
                self.service.notice(at, Notice::SlowConsumer(id));
                self.service.frame(at, id, Frame::Lost);
            }
            Err(Refused::Closed) => {}
        }
    }

    fn is_due(&self, at: Moment) -> bool {
        self.service.deadline().is_some_and(|deadline| deadline.at <= at)
    }
}
