//! What everybody in a run shares.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::Url;
use appsync_protocol::moment::Moment;
use syncspec::link::Dialer;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::ledger::Ledger;
use crate::payload::Payload;

/// Where a run stands. It only goes on, never back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Everybody acts.
    Load,
    /// Nobody acts, subscribers listen on.
    Drain,
    /// Everybody leaves.
    Close,
}

/// Everything that is shared.
pub(crate) struct World {
    /// The endpoint; the path is to be replaced.
    pub(crate) url: Url,
    /// The straight way to it.
    pub(crate) straight: Dialer,
    /// The way over wires that break.
    pub(crate) broken: Dialer,
    start: Instant,
    ledger: Mutex<Ledger>,
    faults: Mutex<BTreeMap<&'static str, u64>>,
    payloads: AtomicU64,
    connections: AtomicU32,
}

impl World {
    /// Nothing has happened yet.
    pub(crate) fn new(url: Url, straight: Dialer, broken: Dialer) -> Self {
        Self {
            url,
            straight,
            broken,
            start: Instant::now(),
            ledger: Mutex::default(),
            faults: Mutex::default(),
            payloads: AtomicU64::new(1),
            connections: AtomicU32::new(1),
        }
    }

    /// Tells the ledger, or asks it. What is told later counts as later.
    pub(crate) fn ledger<T>(&self, tell: impl FnOnce(&mut Ledger, Moment) -> T) -> T {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Moment::from(self.start.elapsed());
        tell(&mut ledger, now)
    }

    /// Something that must not be. The text holds no secret.
    pub(crate) fn complain(&self, text: String) {
        self.ledger(|ledger, _| ledger.complain(text));
    }

    /// Counts a fault that was injected, or its effect.
    pub(crate) fn count(&self, fault: &'static str) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner).entry(fault).or_default() += 1;
    }

    /// Faults by name.
    pub(crate) fn faults(&self) -> BTreeMap<&'static str, u64> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A payload with a new nonce.
    pub(crate) fn payload(&self, size: usize) -> Payload {
        Payload::new(self.payloads.fetch_add(1, Ordering::Relaxed), size)
    }

    /// The number of a new connection.
    pub(crate) fn connection(&self) -> u32 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Where connections of a dialect are made.
    pub(crate) fn realtime(&self, dialect: Dialect) -> Url {
        let path = match dialect {
            Dialect::Graphql => "/graphql/realtime",
            Dialect::Events => "/event/realtime",
        };
        Url { path: path.into(), ..self.url.clone() }
    }
}

/// Sleeps while the phase is `Load`; tells whether it still is.
pub(crate) async fn rest(phase: &mut watch::Receiver<Phase>, pause: Duration) -> bool {
    tokio::select! {
        () = sleep(pause) => true,
        () = reach(phase, Phase::Drain) => false,
    }
}

/// Waits until the phase is this one or a later one.
pub(crate) async fn reach(phase: &mut watch::Receiver<Phase>, wanted: Phase) {
    // Nobody who could tell is left: then it is over as well.
    let _ = phase.wait_for(|phase| *phase >= wanted).await;
}
