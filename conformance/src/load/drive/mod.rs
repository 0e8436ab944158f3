//! Carries a plan out: threads with subscribers, a thread with publishers, and who tells them how far the run is.
//!
//! ```text
//!   Setup ──> Probe ──> Measure ──> Drain ──> Close        told by the coordinator, in bounded time each
//!   connect   publish    by the      answers,  close
//!   and       until all  schedule    late      frames
//!   subscribe have heard             events
//! ```
//!
//! Each thread has a runtime of its own, what it measures stays in it until the end. Publishers have a thread for
//! themselves, so that what arrives does not delay what is to be sent.

mod churn;
mod connect;
mod flow;
pub(crate) mod line;
mod offset;
mod poster;
mod publisher;
mod storm;
mod subscriber;
mod time;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::Scheme;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use self::world::{Phase, Shared, World, read};
use super::measure::Measured;
use super::plan::{Mode, Pace, Plan};
use super::receipt::Coverage;
use super::record::{Facts, Flow, Record, Thread, count_lost, shared as shared_numbers};

pub use self::world::Reach;

/// How far a run is, for people.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot {
    /// What is being done.
    pub doing: &'static str,
    /// Since the beginning of that, in nanoseconds; of the measurement, since its start.
    pub since_ns: u64,
    /// Connections acknowledged so far.
    pub connected: u64,
    /// Connections that failed so far.
    pub failed: u64,
    /// Subscriptions acknowledged so far.
    pub subscribed: u64,
    /// Operations begun so far.
    pub begun: u64,
    /// Publishes accepted so far.
    pub published: u64,
    /// Events delivered so far.
    pub delivered: u64,
}

/// Why there is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A task panicked: a defect of syncspec.
    Defect(String),
    /// The moment of `--start-at` had passed before all was ready.
    TooLate(String),
    /// The system gave no thread or timer.
    System(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defect(what) | Self::TooLate(what) | Self::System(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Failure {}

/// How often the coordinator looks.
const TICK: Duration = Duration::from_millis(10);
/// How often progress is told.
const TOLD_EVERY: u64 = 1_000_000_000;
/// From the moment at which all is ready to the start.
const RUN_UP: u64 = 50_000_000;
/// Without a message for so long, and with nothing missing, a run is over.
const QUIET: u64 = 250_000_000;
/// What is under way has this long once somebody stopped the run.
const HURRY: u64 = 2_000_000_000;
/// For everybody to close.
const CLOSING: Duration = Duration::from_secs(5);

/// Runs a plan. `stop` becomes true if somebody wants it to end; `tell` hears of the progress once a second.
///
/// Ends in bounded time whatever the target does: within the set-up time twice, the duration, the drain twice, and a few
/// seconds; a plan with a start waits for that too.
///
/// # Errors
/// If there is nothing to report. A target that cannot be reached is no error but a record without connections.
pub async fn run(
    plan: Plan,
    reach: Reach,
    stop: watch::Receiver<bool>,
    tell: &mut (dyn FnMut(&Snapshot) + Send),
) -> Result<Record, Failure> {
    let shared = Arc::new(Shared::new(plan, reach));
    let mut notes = Vec::new();
    let clock = match shared.plan.shard.count {
        1 => None,
        _ => match offset::measure(&shared.reach.dialer, &shared.reach.http, shared.clock, shared.plan.shard.index)
            .await
        {
            Ok(clock) => Some(clock),
            Err(why) => {
                notes.push(format!("the clock of the target against ours is unknown: {why}"));
                None
            }
        },
    };
    let threads = start(&shared)?;
    let mut coordinator = Coordinator { shared: &shared, stop, tell, told: 0, interrupted: false };
    let course = coordinator.course().await;
    let interrupted = coordinator.interrupted;
    shared.phase.send_replace(Phase::Close);
    let mut parts = Vec::new();
    for thread in threads {
        match timeout(CLOSING * 2, thread.part).await {
            Ok(Ok(Ok(part))) => parts.push(part),
            Ok(Ok(Err(failure))) => return Err(failure),
            Ok(Err(_)) => return Err(Failure::Defect(format!("the {} panicked", thread.name))),
            Err(_) => return Err(Failure::Defect(format!("the {} did not end", thread.name))),
        }
    }
    let course = course?;
    if shared.gauges.exhausted() {
        notes.push(format!("stopped at --max-messages {}", shared.plan.max_messages));
    }
    let mut record = assemble(&shared, parts, course, notes);
    record.facts.interrupted = interrupted;
    record.facts.clocks = clock.into_iter().collect();
    count_lost(&mut record);
    Ok(record)
}

/// When it began, and how long it was.
#[derive(Clone, Copy, Debug, Default)]
struct Course {
    started_ns: u64,
    measured_ns: u64,
}

struct Coordinator<'r> {
    shared: &'r Arc<Shared>,
    stop: watch::Receiver<bool>,
    tell: &'r mut (dyn FnMut(&Snapshot) + Send),
    told: u64,
    interrupted: bool,
}

impl Coordinator<'_> {
    async fn course(&mut self) -> Result<Course, Failure> {
        let shared = self.shared;
        let (plan, gauges) = (&shared.plan, &shared.gauges);
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let (setup, duration, drain) = (nanoseconds(plan.setup), nanoseconds(plan.duration), nanoseconds(plan.drain));

        let expected = settling(plan);
        let few = (plan.at_once as u64).min(expected);
        self.wait("connecting", setup, |_| {
            let hopeless = read(&gauges.connected) == 0 && read(&gauges.failed) >= few && few > 0;
            read(&gauges.settled) >= expected || hopeless
        })
        .await;
        if self.interrupted || (expected > 0 && read(&gauges.connected) == 0) {
            return Ok(Course::default());
        }
        shared.phase.send_replace(Phase::Probe);
        if plan.probes() {
            self.wait("probing", setup, |_| read(&gauges.heard) >= read(&gauges.subscribed)).await;
        }
        let ready = shared.clock.now();
        let start = plan.start_at.unwrap_or(ready + RUN_UP);
        if start < ready {
            let late = super::report::time((ready - start) as f64);
            return Err(Failure::TooLate(format!(
                "--start-at passed {late} before all connections and subscriptions were ready; give more time"
            )));
        }
        shared.phase.send_replace(Phase::Measure { start });
        let finishers = finishing(plan);
        let finished = || finishers > 0 && read(&gauges.finished) >= finishers;
        let at_end = (start - ready).saturating_add(duration);
        let ends_early = plan.mode == Mode::Connect;
        self.wait("measuring", at_end, |_| finished() && (ends_early || gauges.exhausted())).await;
        let planned_end = shared.clock.now().saturating_sub(start).min(duration);
        let is_cut = self.interrupted || gauges.exhausted();
        shared.ended.store(if is_cut { planned_end } else { u64::MAX }, Ordering::Relaxed);

        // What was due is still begun: leaving it out would flatter a target that fell behind.
        self.wait("catching up", drain, |_| finished() || finishers == 0).await;
        let course = Course {
            started_ns: start,
            measured_ns: match planned_end < duration {
                true => planned_end,
                false => shared.clock.now().saturating_sub(start).max(duration),
            },
        };
        // Within a tick of the planned end nothing was caught up.
        let tick = nanoseconds(TICK) * 3;
        let course = match course.measured_ns {
            measured if measured < duration + tick => Course { measured_ns: measured.min(duration), ..course },
            _ => course,
        };
        shared.phase.send_replace(Phase::Drain);
        self.drain(if self.interrupted { HURRY } else { drain }).await;
        Ok(course)
    }

    /// Waits for answers and deliveries that are still due, and for quiet after them.
    async fn drain(&mut self, limit: u64) {
        let gauges = &self.shared.gauges;
        let whole = self.shared.plan.shard.count == 1;
        let (mut seen, mut since) = (read(&gauges.messages_in), 0);
        self.wait_on("draining", limit, |elapsed| {
            let now = read(&gauges.messages_in);
            if now != seen {
                (seen, since) = (now, elapsed);
            }
            let complete = read(&gauges.open) == 0 && read(&gauges.delivered) >= read(&gauges.owed);
            whole && complete && elapsed >= since + QUIET
        })
        .await;
    }

    /// Waits until `done`, the limit in nanoseconds, or until somebody wants to stop.
    async fn wait(&mut self, doing: &'static str, limit: u64, done: impl FnMut(u64) -> bool) {
        if !self.interrupted {
            let stop = self.stop.clone();
            self.wait_until(doing, limit, done, Some(stop)).await;
        }
    }

    /// The same for what is waited for even then.
    async fn wait_on(&mut self, doing: &'static str, limit: u64, done: impl FnMut(u64) -> bool) {
        self.wait_until(doing, limit, done, None).await;
    }

    async fn wait_until(
        &mut self,
        doing: &'static str,
        limit: u64,
        mut done: impl FnMut(u64) -> bool,
        stop: Option<watch::Receiver<bool>>,
    ) {
        let from = self.shared.clock.now();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = self.shared.clock.now();
            let elapsed = now.saturating_sub(from);
            if stop.as_ref().is_some_and(|stop| *stop.borrow()) {
                self.interrupted = true;
                return;
            }
            if done(elapsed) || elapsed >= limit {
                return;
            }
            if now >= self.told + TOLD_EVERY {
                self.told = now;
                (self.tell)(&snapshot(self.shared, doing, elapsed));
            }
        }
    }
}

fn snapshot(shared: &Shared, doing: &'static str, elapsed: u64) -> Snapshot {
    let gauges = &shared.gauges;
    let since_ns = match *shared.phase.borrow() {
        Phase::Measure { start } => shared.clock.now().saturating_sub(start),
        Phase::Setup | Phase::Probe | Phase::Drain | Phase::Close => elapsed,
    };
    Snapshot {
        doing,
        since_ns,
        connected: read(&gauges.connected),
        failed: read(&gauges.failed),
        subscribed: read(&gauges.subscribed),
        begun: read(&gauges.begun),
        published: read(&gauges.published),
        delivered: read(&gauges.delivered),
    }
}

/// Who is done with the set-up at some time.
fn settling(plan: &Plan) -> u64 {
    match plan.mode {
        Mode::Connect => 0,
        Mode::Churn => plan.subscriber_connections().count() as u64,
        Mode::Fanout | Mode::Throughput | Mode::Soak => {
            (plan.subscriber_connections().count() + plan.shard.part(plan.publishers).count()) as u64
        }
    }
}

/// Who has begun everything at some time.
fn finishing(plan: &Plan) -> u64 {
    match plan.mode {
        Mode::Connect => plan.threads as u64,
        Mode::Churn => plan.subscriber_connections().count() as u64,
        Mode::Fanout | Mode::Throughput | Mode::Soak => plan.shard.part(plan.publishers).count() as u64,
    }
}

/// What one thread measured.
struct Part {
    thread: Thread,
    measured: Measured,
    came: BTreeMap<(u64, u64), Coverage>,
    accepted: BTreeMap<(u64, u64), Coverage>,
}

struct Started {
    name: String,
    part: oneshot::Receiver<Result<Part, Failure>>,
}

fn start(shared: &Arc<Shared>) -> Result<Vec<Started>, Failure> {
    let plan = &shared.plan;
    let threads = plan.threads.max(1);
    let all: Vec<u64> = plan.subscriber_connections().collect();
    let gate = (plan.at_once / threads).max(1);
    let of_shard = if plan.shard.count == 1 { String::new() } else { format!(" of shard {}", plan.shard) };
    let mut started = Vec::new();
    for index in 0..threads {
        let connections: Vec<u64> = all.iter().skip(index).step_by(threads).copied().collect();
        if connections.is_empty() && plan.mode != Mode::Connect {
            continue;
        }
        let name = match threads {
            1 => format!("receiving thread{of_shard}"),
            _ => format!("receiving thread {}{of_shard}", index + 1),
        };
        started.push(spawn(shared, name, move |world, tasks| receive(&world, tasks, connections, gate))?);
    }
    if plan.mode.publishes() {
        let publishers: Vec<u64> = plan.shard.part(plan.publishers).collect();
        let name = format!("publishing thread{of_shard}");
        started.push(spawn(shared, name, move |world, tasks| publish(&world, tasks, &publishers))?);
    }
    Ok(started)
}

fn receive(world: &Rc<World>, tasks: &mut JoinSet<()>, connections: Vec<u64>, gate: usize) {
    let gate = Rc::new(Semaphore::new(gate));
    match world.plan().mode {
        Mode::Connect => drop(tasks.spawn_local(storm::storm(Rc::clone(world), connections))),
        Mode::Churn => {
            let plan = world.plan();
            let all = plan.subscribers.div_ceil(plan.per_connection);
            for connection in connections {
                tasks.spawn_local(churn::churn(Rc::clone(world), connection, all, Rc::clone(&gate)));
            }
        }
        Mode::Fanout | Mode::Throughput | Mode::Soak => {
            for connection in connections {
                tasks.spawn_local(subscriber::subscribe(Rc::clone(world), connection, Rc::clone(&gate)));
            }
        }
    }
}

fn publish(world: &Rc<World>, tasks: &mut JoinSet<()>, publishers: &[u64]) {
    for (place, publisher) in publishers.iter().enumerate() {
        // One of them is enough to see whether subscriptions hear anything.
        let probes = place == 0 && world.plan().probes();
        match world.plan().dialect {
            Dialect::Events => drop(tasks.spawn_local(publisher::publish(Rc::clone(world), *publisher, probes))),
            Dialect::Graphql => drop(tasks.spawn_local(poster::post(Rc::clone(world), *publisher, probes))),
        }
    }
}

fn spawn(
    shared: &Arc<Shared>,
    name: String,
    work: impl FnOnce(Rc<World>, &mut JoinSet<()>) + Send + 'static,
) -> Result<Started, Failure> {
    let (sender, part) = oneshot::channel();
    let (shared, own_name) = (Arc::clone(shared), name.clone());
    let body = move || {
        // Nobody waits for it any more if the run has failed.
        let _ = sender.send(carry_out(&shared, own_name, work));
    };
    thread::Builder::new()
        .name("load".into())
        .spawn(body)
        .map_err(|error| Failure::System(format!("no thread for the {name}: {error}")))?;
    Ok(Started { name, part })
}

fn carry_out(
    shared: &Arc<Shared>,
    name: String,
    work: impl FnOnce(Rc<World>, &mut JoinSet<()>),
) -> Result<Part, Failure> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::System(format!("no runtime for the {name}: {error}")))?;
    let world = World::new(Arc::clone(shared));
    let cpu_percent = LocalSet::new().block_on(&runtime, async {
        let mut tasks = JoinSet::new();
        work(Rc::clone(&world), &mut tasks);
        let busy = tokio::task::spawn_local(meter(Rc::clone(&world)));
        let all = async {
            while let Some(ended) = tasks.join_next().await {
                if ended.is_err_and(|error| error.is_panic()) {
                    return Err(Failure::Defect(format!("a task of the {name} panicked")));
                }
            }
            Ok(())
        };
        let bounded = async {
            world.reached(Phase::Close).await;
            tokio::time::sleep(CLOSING).await;
        };
        tokio::select! {
            ended = all => ended?,
            () = bounded => world.shared.complain("a connection did not close in time"),
        }
        tasks.shutdown().await;
        Ok(timeout(CLOSING, busy).await.ok().and_then(Result::ok).flatten().unwrap_or(0.0))
    })?;
    Ok(Part {
        thread: Thread { name, cpu_percent },
        measured: world.measured.borrow().clone(),
        came: world.came.take(),
        accepted: world.accepted.take(),
    })
}

/// Processor time of this thread while it is measured, in percent of a core.
async fn meter(world: Rc<World>) -> Option<f64> {
    let start = world.started().await?;
    let mut alarm = time::Alarm::new(world.shared.clock).ok()?;
    tokio::select! {
        () = alarm.until(start) => {}
        () = world.reached(Phase::Drain) => return None,
    }
    let (wall, cpu) = (world.now(), time::thread_cpu());
    world.reached(Phase::Drain).await;
    let wall = world.now().saturating_sub(wall).max(1);
    Some(time::thread_cpu().saturating_sub(cpu) as f64 * 100.0 / wall as f64)
}

fn assemble(shared: &Shared, parts: Vec<Part>, course: Course, notes: Vec<String>) -> Record {
    let plan = &shared.plan;
    let mut measured = Measured::new(u64::try_from(plan.duration.as_nanos()).unwrap_or(u64::MAX));
    let (mut came, mut accepted) = (BTreeMap::new(), BTreeMap::new());
    let mut threads = Vec::new();
    for part in parts {
        measured.add(&part.measured);
        threads.push(part.thread);
        for (all, own) in [(&mut came, part.came), (&mut accepted, part.accepted)] {
            for (flow, coverage) in own {
                all.entry(flow).or_insert_with(Coverage::default).merge(&coverage);
            }
        }
    }
    let keys: std::collections::BTreeSet<_> = came.keys().chain(accepted.keys()).copied().collect();
    let ranges = |of: &BTreeMap<_, Coverage>, flow| of.get(&flow).map(Coverage::ranges).unwrap_or_default();
    let flows = keys.into_iter().map(|(channel, publisher)| Flow {
        channel,
        publisher,
        accepted: ranges(&accepted, (channel, publisher)),
        came: ranges(&came, (channel, publisher)),
    });
    let subscribers =
        shared.subscribers.iter().enumerate().map(|(channel, count)| (channel as u64, read(count))).collect();
    Record {
        facts: Facts {
            version: env!("CARGO_PKG_VERSION").into(),
            mode: plan.mode.word().into(),
            operation: plan.mode.operation().into(),
            dialect: plan.dialect.word().into(),
            endpoint: shared.reach.http.to_text(Scheme::Http),
            seed: plan.seed,
            plan: shared_numbers(plan),
            shard: (plan.shard.index, plan.shard.count),
            started_ns: course.started_ns,
            measured_ns: course.measured_ns,
            interrupted: false,
            closed_loop: plan.pace != Pace::Open,
            subscribers,
            flows: flows.collect(),
            reasons: shared.reasons(),
            threads,
            clocks: Vec::new(),
            notes,
        },
        measured,
    }
}
