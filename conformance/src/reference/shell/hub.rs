//! The lock around the service, and the way from it to the queues of the connections.
//!
//! A connection is in `outlets` from the moment the service accepted it until the service was told its end: presence
//! there is what makes the end be told exactly once. Frames for anybody else are dropped. Events for one audience are
//! collected until there is something else for somebody in it, or until a flush: a thousand queues are then given many
//! events at a time, and not each of them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use appsync_protocol::hub::{Audience, ConnectionId, Listener, Told};
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{Frame, OwnedFrame, Request, Response};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::frames::{Run, Template};
use super::liveness::{Due, Liveness, ping};
use super::queue::{Flush, Inlet, Pressure, Queue, Queued, Refused};
use super::{Answer, Notice, Options, Service, Summary, WhenFull};

/// The service as the tasks see it.
pub(super) struct Hub<S> {
    state: Mutex<State<S>>,
    /// The start of the trace.
    started: Instant,
    /// Wakes the timer when there is a deadline before the one it sleeps for.
    sooner: Notify,
    queue: usize,
    /// Who causes more than subscribers take has to wait.
    holds_back: bool,
    pressure: Arc<Pressure>,
}

struct State<S> {
    service: S,
    outlets: Outlets,
    /// Frames that can wait for one connection.
    limit: usize,
    /// What all of an audience hear and nobody was given yet.
    pending: Option<(Audience, Run)>,
    /// What waits should go before there is more.
    is_due: bool,
    /// A queue was filled more than half since the last flush.
    presses: bool,
    /// Queues that are to be flushed.
    dirty: Vec<Arc<Queue>>,
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
    pub(super) fn new(mut service: S, options: &Options) -> Self {
        service.share();
        let state = State {
            service,
            outlets: Outlets::default(),
            limit: options.queue.max(1),
            pending: None,
            is_due: false,
            presses: false,
            dirty: Vec::new(),
            awaited: None,
            is_stopping: false,
            upgrades: 0,
            requests: 0,
            slow_consumers: 0,
            silent: 0,
        };
        Self {
            state: Mutex::new(state),
            started: Instant::now(),
            sooner: Notify::new(),
            queue: options.queue.max(1),
            holds_back: options.when_full == WhenFull::HoldBack,
            pressure: Arc::default(),
        }
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
            let (queue, inlet) = Queue::new(self.queue, &self.pressure);
            // Under the same lock as the upgrade: frames for the connection may be waiting in the service already.
            state.outlets.insert(id, Outlet { queue, is_ending: false, liveness: Liveness::at(at) });
            state.upgrades += 1;
            (response, Some((id, inlet)))
        })
    }

    /// Answers a request, and tells whether a flush is due before the next one.
    pub(super) fn http(&self, request: &Request) -> (Answer, bool) {
        self.cause(|state, at| {
            state.requests += 1;
            state.service.http(at, request)
        })
    }

    /// Writes what calls have led to, and tells whether whoever caused it has to wait until subscribers have taken more.
    /// Only after [`http`](Self::http) and [`frame`](Self::frame) somebody has to ask for it.
    pub(super) fn flush(&self) -> bool {
        let (dirty, presses) = {
            let mut state = self.lock();
            state.hand_out(Moment::from(self.started.elapsed()));
            (std::mem::take(&mut state.dirty), std::mem::take(&mut state.presses))
        };
        let mut template = Template::default();
        for queue in dirty {
            queue.flush(&mut template);
        }
        presses && self.holds_back
    }

    /// Tells what a client sent, unless its end is on the way; and whether a flush is due before the next.
    pub(super) fn frame(&self, id: ConnectionId, frame: Frame<'_>) -> bool {
        let ((), is_due) = self.cause(|state, at| {
            if let Some(outlet) = state.outlets.get_mut(&id).filter(|outlet| !outlet.is_ending) {
                outlet.liveness.hear(at);
                state.service.frame(at, id, frame);
            }
        });
        is_due
    }

    /// How much waits for all connections.
    pub(super) fn pressure(&self) -> &Pressure {
        &self.pressure
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
            for id in state.ids() {
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
            for id in state.ids() {
                let outlet = state.outlets.get_mut(&id).filter(|outlet| !outlet.is_ending);
                let due = outlet.map_or(Due::Nothing, |outlet| outlet.liveness.look(at, after));
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

    /// A call of somebody who asks for a flush.
    fn cause<T>(&self, act: impl FnOnce(&mut State<S>, Moment) -> T) -> (T, bool) {
        self.call_and(
            |state, at| {
                state.is_due = false;
                act(state, at)
            },
            |state, result| (result, state.is_due),
        )
    }

    fn call<T>(&self, act: impl FnOnce(&mut State<S>, Moment) -> T) -> T {
        let result = self.call_and(act, |_, result| result);
        // Nobody is held back who only comes or goes.
        let _ = self.flush();
        result
    }

    /// `then` sees what has come of the call.
    fn call_and<T, U>(&self, act: impl FnOnce(&mut State<S>, Moment) -> T, then: impl FnOnce(&State<S>, T) -> U) -> U {
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
        then(&state, result)
    }

    /// A panic in the service ends the connection that caused it; the others go on as well as they can.
    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By the number of the connection, which counts up: no two of them are far apart, so little is needed to spread them.
type Outlets = HashMap<ConnectionId, Outlet, BuildHasherDefault<Spread>>;

#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

impl<S: Service> State<S> {
    /// The connections, in the order of their numbers.
    fn ids(&self) -> Vec<ConnectionId> {
        let mut ids: Vec<_> = self.outlets.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    fn drain(&mut self, at: Moment) {
        let mut all = Vec::new();
        self.service.told(&mut |told| all.push(told));
        for told in all {
            self.collect(at, told);
        }
        while let Some((id, frame)) = self.service.poll() {
            self.deliver(at, id, frame);
        }
    }

    fn collect(&mut self, at: Moment, Told { to, tails }: Told) {
        let limit = self.limit;
        if !matches!(&self.pending, Some((known, run)) if Arc::ptr_eq(known, &to) && !run.is_long(limit)) {
            self.hand_out(at);
        }
        let (_, run) = self.pending.get_or_insert_with(|| (to, Run::default()));
        run.add(tails);
        self.is_due |= run.is_long(limit);
    }

    /// Gives what was collected to the queues.
    fn hand_out(&mut self, at: Moment) {
        let Some((to, run)) = self.pending.take() else { return };
        let Self { outlets, presses, is_due, dirty, .. } = self;
        let (run, mut full) = (Arc::new(run), Vec::new());
        for Listener { connection, head } in to.iter() {
            let Some(outlet) = outlets.get(connection).filter(|outlet| !outlet.is_ending) else { continue };
            match outlet.queue.push_run(head, &run) {
                Ok((queued, flush)) => {
                    *presses |= queued == Queued::Pressed;
                    if flush == Flush::Due {
                        dirty.push(Arc::clone(&outlet.queue));
                    }
                }
                Err(Refused::Full) => full.push(*connection),
                Err(Refused::Closed) => {}
            }
        }
        *is_due |= *presses;
        if full.is_empty() {
            return;
        }
        for id in full {
            self.drop_slow(at, id);
        }
        self.drain(at);
    }

    /// The queue of a connection is full.
    fn drop_slow(&mut self, at: Moment, id: ConnectionId) {
        let Some(outlet) = self.outlets.remove(&id) else { return };
        outlet.queue.cut();
        self.slow_consumers += 1;
        self.service.notice(at, Notice::SlowConsumer(id));
        self.service.frame(at, id, Frame::Lost);
    }

    fn deliver(&mut self, at: Moment, id: ConnectionId, frame: OwnedFrame) {
        let hears = |(to, _): &(Audience, Run)| to.binary_search_by_key(&id, |listener| listener.connection).is_ok();
        if self.pending.as_ref().is_some_and(hears) {
            self.hand_out(at);
        }
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
            Ok(queued) => {
                outlet.is_ending = is_end;
                self.presses |= queued == Queued::Pressed;
                self.is_due |= self.presses;
            }
            Err(Refused::Full) => self.drop_slow(at, id),
            Err(Refused::Closed) => {}
        }
    }

    fn is_due(&self, at: Moment) -> bool {
        self.service.deadline().is_some_and(|deadline| deadline.at <= at)
    }
}
