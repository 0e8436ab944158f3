//! What the tasks of a run share: within a thread what is measured, between threads how far the run is.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use appsync_protocol::handshake::{Carrier, Credentials, Url};
use appsync_protocol::transcript::Redactor;
use tokio::sync::watch;

use super::time::Clock;
use crate::link::Dialer;
use crate::load::mark::Marks;
use crate::load::measure::Measured;
use crate::load::plan::Plan;
use crate::load::receipt::Coverage;
use crate::load::topic::Topics;
use crate::session::CredentialSource;

/// Where the target is, and who speaks.
#[derive(Clone)]
pub struct Reach {
    /// Opens connections.
    pub dialer: Dialer,
    /// The HTTP endpoint.
    pub http: Url,
    /// The real-time endpoint.
    pub realtime: Url,
    /// How the upgrade carries credentials.
    pub carrier: Carrier,
    /// Who speaks.
    pub source: Arc<dyn CredentialSource>,
    /// What must not be told.
    pub redactor: Redactor,
    /// What is subscribed to and published.
    pub topics: Topics,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Connections are made and subscriptions asked for.
    Setup,
    /// Every subscription is to hear something once.
    Probe,
    /// From this moment on it is measured.
    Measure {
        /// In nanoseconds since 1970.
        start: u64,
    },
    /// Nothing new begins.
    Drain,
    /// Everybody goes.
    Close,
}

/// Counts between threads. They steer the run and are shown while it lasts; what is reported is counted apart.
#[derive(Default)]
pub(crate) struct Gauges {
    /// Connections that are done with their part of the set-up, well or not.
    pub(crate) settled: AtomicU64,
    pub(crate) connected: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) subscribed: AtomicU64,
    /// Subscriptions that have heard a probe.
    pub(crate) heard: AtomicU64,
    /// Operations begun.
    pub(crate) begun: AtomicU64,
    /// Publishes accepted.
    pub(crate) published: AtomicU64,
    /// Operations that wait for an answer.
    pub(crate) open: AtomicU64,
    /// Deliveries that accepted publishes of this process owe to subscribers of this process.
    pub(crate) owed: AtomicU64,
    /// Different events delivered.
    pub(crate) delivered: AtomicU64,
    /// Everything delivered.
    pub(crate) messages_in: AtomicU64,
    /// Publishes and subscriptions sent.
    pub(crate) messages_out: AtomicU64,
    /// Publishers whose schedule is over.
    pub(crate) finished: AtomicU64,
    /// `--max-messages` has been reached.
    pub(crate) exhausted: AtomicBool,
}

impl Gauges {
    pub(crate) fn exhausted(&self) -> bool {
        self.exhausted.load(Ordering::Relaxed)
    }
}

/// Shared by all threads.
pub(crate) struct Shared {
    pub(crate) plan: Plan,
    pub(crate) reach: Reach,
    pub(crate) marks: Marks,
    pub(crate) clock: Clock,
    pub(crate) gauges: Gauges,
    pub(crate) phase: watch::Sender<Phase>,
    /// Acknowledged subscribers of this process, by channel.
    pub(crate) subscribers: Vec<AtomicU64>,
    /// How long after the start nothing more was to begin, in nanoseconds.
    pub(crate) ended: AtomicU64,
    reasons: Mutex<BTreeMap<String, u64>>,
}

/// Most different reasons that are kept.
const REASONS: usize = 20;
/// Most characters of one.
const REASON_LENGTH: usize = 200;

impl Shared {
    pub(crate) fn new(plan: Plan, reach: Reach) -> Self {
        let subscribers = (0..plan.channels).map(|_| AtomicU64::new(0)).collect();
        Self {
            marks: Marks::new(plan.seed),
            clock: Clock::new(),
            gauges: Gauges::default(),
            ended: AtomicU64::new(u64::MAX),
            phase: watch::Sender::new(Phase::Setup),
            subscribers,
            reasons: Mutex::default(),
            plan,
            reach,
        }
    }

    /// Keeps why something went wrong, without secrets.
    pub(crate) fn complain(&self, why: &str) {
        let why = self.reach.redactor.text(why);
        let why: String = why.chars().take(REASON_LENGTH).collect();
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        if reasons.len() < REASONS || reasons.contains_key(&why) {
            *reasons.entry(why).or_default() += 1;
        } else {
            *reasons.entry("other reasons".into()).or_default() += 1;
        }
    }

    pub(crate) fn reasons(&self) -> BTreeMap<String, u64> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether one more message may be sent.
    pub(crate) fn may_send(&self) -> bool {
        let sent = self.gauges.messages_out.fetch_add(1, Ordering::Relaxed);
        let may = sent < self.plan.max_messages;
        if !may {
            self.gauges.exhausted.store(true, Ordering::Relaxed);
        }
        may
    }
}

/// What the tasks of one thread share.
pub(crate) struct World {
    pub(crate) shared: Arc<Shared>,
    pub(crate) measured: RefCell<Measured>,
    pub(crate) start: Cell<Option<u64>>,
    /// By channel and publisher: what came, what was accepted.
    pub(crate) came: RefCell<BTreeMap<(u64, u64), Coverage>>,
    pub(crate) accepted: RefCell<BTreeMap<(u64, u64), Coverage>>,
}

impl World {
    pub(crate) fn new(shared: Arc<Shared>) -> Rc<Self> {
        let duration = u64::try_from(shared.plan.duration.as_nanos()).unwrap_or(u64::MAX);
        Rc::new(Self {
            shared,
            measured: RefCell::new(Measured::new(duration)),
            start: Cell::new(None),
            came: RefCell::default(),
            accepted: RefCell::default(),
        })
    }

    pub(crate) fn now(&self) -> u64 {
        self.shared.clock.now()
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.shared.plan
    }

    pub(crate) fn gauges(&self) -> &Gauges {
        &self.shared.gauges
    }

    /// How long after the start a moment is.
    pub(crate) fn since_start(&self, at: u64) -> u64 {
        at.saturating_sub(self.start.get().unwrap_or(at))
    }

    /// Up to when operations were to begin, from the start: less than the duration if the run was stopped.
    pub(crate) fn due_ns(&self) -> u64 {
        self.shared.ended.load(Ordering::Relaxed)
    }

    /// Waits until the measurement starts, and tells when that is; `None` if it never will.
    pub(crate) async fn started(&self) -> Option<u64> {
        let mut phase = self.shared.phase.subscribe();
        let phase = *phase.wait_for(|phase| *phase > Phase::Probe).await.ok()?;
        match phase {
            Phase::Measure { start } => {
                self.start.set(Some(start));
                Some(start)
            }
            Phase::Setup | Phase::Probe | Phase::Drain | Phase::Close => None,
        }
    }

    /// Waits for a phase or a later one.
    pub(crate) async fn reached(&self, wanted: Phase) {
        let mut phase = self.shared.phase.subscribe();
        // The sender lives as long as what is shared.
        let _ = phase.wait_for(|phase| *phase >= wanted).await;
    }
}

pub(crate) fn add(gauge: &AtomicU64, by: u64) {
    gauge.fetch_add(by, Ordering::Relaxed);
}

pub(crate) fn read(gauge: &AtomicU64) -> u64 {
    gauge.load(Ordering::Relaxed)
}

/// Credentials of operations, made once where they do not depend on what they cover.
pub(crate) struct Signer {
    source: Arc<dyn CredentialSource>,
    constant: Option<Credentials>,
}

impl Signer {
    pub(crate) fn new(source: &Arc<dyn CredentialSource>) -> Self {
        use appsync_protocol::client::Purpose;
        let of = |body| source.credentials(&Purpose::Publish { id: "1".into() }, body).ok();
        let (one, other) = (of("{}"), of("{\"a\":1}"));
        // A signature differs with what it covers, a key or a token does not.
        let constant = one.filter(|one| other.is_some_and(|other| other.to_json() == one.to_json()));
        Self { source: Arc::clone(source), constant }
    }

    pub(crate) const fn constant(&self) -> Option<&Credentials> {
        self.constant.as_ref()
    }

    pub(crate) fn credentials(&self, body: &str) -> Result<Credentials, String> {
        use appsync_protocol::client::Purpose;
        match &self.constant {
            Some(constant) => Ok(constant.clone()),
            None => self.source.credentials(&Purpose::Publish { id: "1".into() }, body),
        }
    }
}
