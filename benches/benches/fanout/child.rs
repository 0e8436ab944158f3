//! The other processes: the servers that are measured, and the clients of the closed loop.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Url};
use appsync_protocol::transcript::Redactor;
use serde::{Deserialize, Serialize};
use syncspec::auth::sign::Secret;
use syncspec::link::{DialOptions, Dialer};
use syncspec::load::drive::{self, Reach};
use syncspec::load::payload::Sizes;
use syncspec::load::topic::{Documents, Topics};
use syncspec::load::{Mode, Pace, Plan, Shard};
use syncspec::reference::Endpoint;
use syncspec::reference::settings::{Overrides, Settings};
use syncspec::reference::shell::{Watched, WhenFull, serve};
use syncspec_benches::floor::wire::{KEY, Place, own_cpu};
use syncspec_benches::floor::{Failure, rounds, server};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::{Role, SIZE};

/// A server in a process of its own. Dropping it ends the process.
pub(crate) struct Server {
    child: Child,
    /// Open for as long as it may say something.
    _out: Option<BufReader<ChildStdout>>,
    pub(crate) address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// A process that listens there.
    pub(crate) const fn of(child: Child, address: SocketAddr) -> Self {
        Self { child, _out: None, address }
    }

    /// This program as a server.
    pub(crate) fn start(role: &[&str]) -> Result<Self, Failure> {
        let mut command = own(role)?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        Self::ready(child)
    }

    /// Waits for the line that says where it listens.
    fn ready(mut child: Child) -> Result<Self, Failure> {
        let mut out = BufReader::new(child.stdout.take().ok_or("no output to read")?);
        let mut line = String::new();
        out.read_line(&mut line)?;
        let address = line.trim().strip_prefix("READY ").ok_or("a server ended before it was ready")?.parse()?;
        Ok(Self { child, _out: Some(out), address })
    }

    /// Processor time so far, in nanoseconds.
    pub(crate) fn cpu(&self) -> Result<u64, Failure> {
        let mut sum = 0;
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
            sum += text.split(' ').next().ok_or("no time in schedstat")?.parse::<u64>()?;
        }
        Ok(sum)
    }

    /// `VmRSS`, in KB.
    pub(crate) fn resident_kb(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
    }
}

/// This program in another role.
fn own(role: &[&str]) -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(role);
    Ok(command)
}

/// What a client of the closed loop found.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Trips {
    /// Round trips a second.
    pub(crate) rate: f64,
    /// Microseconds of processor time for each.
    pub(crate) cpu_us: f64,
}

/// Runs a client of the closed loop against this server.
pub(crate) fn trips(role: &[&str], address: SocketAddr, seconds: f64) -> Result<Trips, Failure> {
    let output = own(role)?.arg(address.to_string()).arg(seconds.to_string()).stderr(Stdio::inherit()).output()?;
    Ok(serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{} said no figures: {error}", role.join(" ")))?)
}

/// Plays the role of another process.
pub(crate) fn play(role: &Role) -> Result<(), Failure> {
    let told = |trips: Trips| println!("{}", serde_json::json!(trips));
    match role {
        Role::Floor => server::serve(|address| println!("READY {address}")),
        Role::Reference => reference(),
        Role::RawClient { address, seconds } => raw_client(*address, *seconds).map(told),
        Role::BenchClient { dialect, address, seconds } => {
            let spoken = Dialect::ALL.into_iter().find(|known| known.word() == dialect);
            bench_client(spoken.ok_or("no such dialect")?, *address, *seconds).map(told)
        }
    }
}

/// The reference endpoint as `syncspec serve --no-page` serves it, but that publishers are held back.
fn reference() -> Result<(), Failure> {
    let overrides = Overrides { api_key: Some(KEY.into()), ..Overrides::default() };
    let mut prepared = Settings::default().prepare(overrides).map_err(|error| error.to_string())?;
    prepared.config.epoch_unix_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    prepared.shell.when_full = WhenFull::HoldBack;
    let endpoint = Endpoint::new(prepared.config, &[]).map_err(|error| error.to_string())?;
    rlimit::increase_nofile_limit(u64::MAX)?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("READY {}", listener.local_addr()?);
        // It ends with the process.
        serve(listener, Watched::new(endpoint, None), prepared.shell, std::future::pending()).await;
        Ok(())
    })
}

/// Connections of the closed loop.
const CONNECTIONS: usize = 50;
/// Publishes under way on each of them.
const WINDOW: u32 = 4;

fn raw_client(address: SocketAddr, seconds: f64) -> Result<Trips, Failure> {
    let place = Place { dialect: Dialect::Events, address };
    let done = rounds::run(&place, CONNECTIONS, WINDOW as usize, SIZE, Duration::from_secs_f64(seconds))?;
    Ok(Trips {
        rate: done.trips as f64 * 1e9 / done.wall as f64,
        cpu_us: done.cpu as f64 / 1e3 / done.trips.max(1) as f64,
    })
}

/// The engine of `syncspec bench --mode throughput --publishers 50 --window 4`; in GraphQL a round trip is a mutation over
/// HTTP. Its processor time is that of the whole
/// process, the set-up included.
fn bench_client(dialect: Dialect, address: SocketAddr, seconds: f64) -> Result<Trips, Failure> {
    let url = |path: &str| Url { secure: false, host: address.to_string(), path: path.into() };
    let secret = Secret::ApiKey(KEY.into());
    let (http, realtime, carrier, topics) = match dialect {
        Dialect::Events => {
            let topics = Topics::Events { namespace: "default".into() };
            ("/event", "/event/realtime", Carrier::Subprotocol, topics)
        }
        Dialect::Graphql => ("/graphql", "/graphql/realtime", Carrier::Query, Topics::Graphql(Documents::default())),
    };
    let reach = Reach {
        dialer: Dialer::new(DialOptions::default())?,
        http: url(http),
        realtime: url(realtime),
        carrier,
        source: Arc::new(syncspec::session::Holder { secret, dialect, host: address.to_string() }),
        redactor: Redactor::new(&[]),
        topics,
    };
    let plan = Plan {
        mode: Mode::Throughput,
        dialect,
        subscribers: 0,
        per_connection: 1,
        channels: 1,
        publishers: CONNECTIONS as u64,
        rate: 100.0,
        pace: Pace::Closed { window: WINDOW },
        sizes: Sizes::parse(&SIZE.to_string())?,
        duration: Duration::from_secs_f64(seconds),
        ramp: Duration::ZERO,
        seed: 7,
        shard: Shard::WHOLE,
        start_at: None,
        late_after: Duration::from_secs(5),
        patience: Duration::from_secs(10),
        setup: Duration::from_secs(60),
        drain: Duration::from_secs(5),
        at_once: 64,
        threads: 1,
        lanes: 8,
        max_messages: u64::MAX,
    };
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (_stop, stopped) = watch::channel(false);
    let cpu = own_cpu();
    let record = runtime.block_on(drive::run(plan, reach, stopped, &mut |_| {}))?;
    let cpu = own_cpu() - cpu;
    if !record.facts.reasons.is_empty() {
        return Err(format!("the engine complains: {:?}", record.facts.reasons).into());
    }
    let done = record.measured.counts.published;
    Ok(Trips {
        rate: done as f64 * 1e9 / record.facts.measured_ns.max(1) as f64,
        cpu_us: cpu as f64 / 1e3 / done.max(1) as f64,
    })
}
