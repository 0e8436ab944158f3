//! What is looked at before a target is loaded: whose it is, how much it would be, and whether this process can do it.

use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use rustix::process::{Resource, getrlimit, setrlimit};
use syncspec::load::report::whole;
use syncspec::load::{Mode, Pace, Plan};
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::args::RunOptions;

/// Files besides connections: runtimes, timers, standard streams, reports.
const OTHER_FILES: u64 = 64;
/// Each publisher and lane has a timer.
const TIMERS: u64 = 2;

/// How much may be asked of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    connections: u64,
    pub(super) messages: u64,
    minutes: u64,
}

impl Allowance {
    /// As the options say, else by whether the target is on this machine.
    pub(super) fn of(options: &RunOptions, is_loopback: bool) -> Self {
        let (connections, messages, minutes) =
            if is_loopback { (100_000, u64::MAX, u64::MAX) } else { (1_000, 100_000, 10) };
        Self {
            connections: options.max_connections.unwrap_or(connections),
            messages: options.max_messages.unwrap_or(messages),
            minutes: options.max_minutes.unwrap_or(minutes),
        }
    }

    /// Whether the plan stays within it.
    pub(super) fn check(&self, plan: &Plan) -> Result<(), String> {
        let connections = plan.connections();
        if connections > self.connections {
            return Err(format!(
                "this opens {} connections, more than the {} of --max-connections",
                whole(connections),
                whole(self.connections)
            ));
        }
        if let Some((messages, _)) = plan.forecast().filter(|(messages, _)| *messages > self.messages) {
            return Err(format!(
                "this sends about {} messages, more than the {} of --max-messages",
                whole(messages),
                whole(self.messages)
            ));
        }
        if plan.duration.as_secs() > self.minutes.saturating_mul(60) {
            return Err(format!(
                "--duration {} is longer than the {} minutes of --max-minutes",
                humantime::format_duration(plan.duration),
                self.minutes
            ));
        }
        Ok(())
    }
}

/// Whether every address of a host is one of this machine.
pub(super) async fn is_loopback(address: &str) -> bool {
    match timeout(Duration::from_secs(10), lookup_host(address)).await {
        Ok(Ok(addresses)) => {
            let all: Vec<_> = addresses.collect();
            !all.is_empty() && all.iter().all(|address| address.ip().is_loopback())
        }
        // Whoever cannot be found is not known to be here.
        Ok(Err(_)) | Err(_) => false,
    }
}

/// Publishes that one connection may send a second. Source: EVT-LIMIT-005.
const PUBLISHES_A_SECOND: f64 = 25.0;

/// What the default quotas would refuse, which would not be a finding about the target.
pub(super) fn beyond_quota(plan: &Plan) -> Option<String> {
    let each = plan.rate / plan.publishers.max(1) as f64;
    let is_events = plan.dialect == Dialect::Events && plan.mode.publishes() && plan.pace == Pace::Open;
    (is_events && each > PUBLISHES_A_SECOND).then(|| {
        format!(
            "each publisher sends {each:.0} a second; AppSync may refuse more than {PUBLISHES_A_SECOND:.0} on one \
             connection (EVT-LIMIT-005): --publishers {} would stay below",
            (plan.rate / PUBLISHES_A_SECOND).ceil()
        )
    })
}

/// What a run beyond this machine costs its owner, in words.
pub(super) fn forecast(plan: &Plan) -> String {
    match plan.forecast() {
        Some((messages, deliveries)) => format!(
            "this sends about {} messages and asks for about {} deliveries over {} connections; the owner of the \
             endpoint pays for each",
            whole(messages),
            whole(deliveries),
            whole(plan.connections())
        ),
        None => format!(
            "a closed loop sends as much as the endpoint takes over {} connections, at most --max-messages; the owner \
             of the endpoint pays for each",
            whole(plan.connections())
        ),
    }
}

/// Lets this process open as many files as the plan needs, or says that it cannot.
pub(super) fn raise_file_limit(plan: &Plan) -> Result<(), String> {
    let needed = needed_files(plan);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let mut raised = limit;
    raised.current = limit.maximum;
    let raised = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limit };
    match raised.current {
        Some(allowed) if allowed < needed => Err(format!(
            "this needs {} open files ({} connections and {} others); the system allows {}: raise it (ulimit -n {needed}), \
             or carry the run out in shards (--shard), or lower --subscribers",
            whole(needed),
            whole(plan.connections()),
            whole(needed - plan.connections()),
            whole(allowed)
        )),
        Some(_) | None => Ok(()),
    }
}

fn needed_files(plan: &Plan) -> u64 {
    let timers = match plan.mode {
        Mode::Churn => plan.connections(),
        Mode::Fanout | Mode::Throughput | Mode::Soak => {
            plan.shard.part(plan.publishers).count() as u64 * (TIMERS + plan.lanes as u64)
        }
        Mode::Connect => TIMERS,
    };
    plan.connections() + timers + OTHER_FILES
}
