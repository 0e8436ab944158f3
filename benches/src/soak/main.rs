//! A soak of the reference endpoint: mixed load and injected faults for a while, and then nothing may be lost or leak.
//!
//! ```text
//!   this process                                              child process
//!   client   honest sessions ───────────────┐
//!                └── wire: breaks, stalls ──┤
//!   http     publishes, mutations ──────────┼── loopback ──> endpoint
//!   hostile  floods, slow readers, junk ────┘                     │
//!     │                                                           │
//!     └──> ledger: the delivery model       memory, files, connections, bytes that live
//! ```
//!
//! The load runs twice: briefly to warm up, then for the whole time. After each time nobody acts any more, subscribers
//! listen until nothing is owed to them, and everybody leaves. What the endpoint remembers by design, up to a limit, is
//! filled up to it. What the child holds then is compared: bytes that live with those after the warm-up, resident memory
//! with what the most bytes that ever lived can account for, open files with the start, live connections with none. Ends with 1 where an event that was
//! promised did not arrive, arrived twice or where it must not, where something leaked, or where the endpoint did
//! what it must not; with 2 where nothing could be measured. Linux only.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to the terminal")]

mod child;
mod client;
mod endpoint;
mod hostile;
mod http;
mod ledger;
mod payload;
mod summary;
mod topics;
mod wire;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use clap::Parser;
use syncspec::link::{DialOptions, Dialer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::child::{Look, Serve};
use crate::client::Client;
use crate::hostile::Hostile;
use crate::summary::{Summary, leaks};
use crate::world::{Phase, World};

/// Puts mixed load and faults on `syncspec serve`; nothing may be lost, misdelivered or leak.
#[derive(Parser)]
struct Options {
    /// How long the load lasts.
    #[arg(long, default_value = "10m", value_parser = humantime::parse_duration)]
    time: Duration,
    /// How long it lasts once before. [default: a tenth, 20 s to a minute]
    #[arg(long, value_parser = humantime::parse_duration)]
    warm_up: Option<Duration>,
    /// Draws everything that is drawn. What the sockets make of it differs from run to run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Honest clients. A third of them is on wires that break.
    #[arg(long, default_value_t = 200)]
    connections: u32,
    /// Clients that mean no good.
    #[arg(long, default_value_t = 12)]
    hostile: u32,
    /// Publishes over HTTP in a second. Clients of Events publish besides.
    #[arg(long, default_value_t = 15)]
    rate: u32,
    /// After this an event that was promised is lost.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration)]
    patience: Duration,
    /// Ends with the first complaint.
    #[arg(long)]
    first: bool,
    /// Prints the summary as JSON.
    #[arg(long)]
    json: bool,
    /// A `syncspec` to try instead of the endpoint within; it does not count its bytes, so leaks of memory are not seen.
    #[arg(long)]
    syncspec: Option<PathBuf>,
    /// Further arguments of the endpoint, such as --fault NAME or --leak BYTES, which has to be caught.
    #[arg(last = true)]
    serve: Vec<String>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Time between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(10);
/// Time between two looks at the endpoint.
const LOOK: Duration = Duration::from_secs(1);
/// Until everybody has left, and until the endpoint has noticed.
const LEAVING_MAX: Duration = Duration::from_secs(60);
/// Until the last buffers are given back, when everybody has left.
const SETTLING: Duration = Duration::from_secs(10);
/// Mutations that fill what the endpoint remembers: more than enough for its 4 MB, and for its last operations.
const FILLING: u64 = 250;
/// The shortest and the longest warm-up.
const WARM: [Duration; 2] = [Duration::from_secs(20), Duration::from_secs(60)];
/// File descriptors for each client: its own, and two of the relay.
const FILES_EACH: u64 = 3;
/// And for everything else.
const FILES_SPARE: u64 = 512;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(endpoint::WORD) {
        return endpoint::run();
    }
    let options = Options::parse();
    let wanted = u64::from(options.connections + options.hostile) * FILES_EACH + FILES_SPARE;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(files) if files < wanted => return fail(&format!("{wanted} open files needed; {files} allowed").into()),
        Ok(_) => {}
        Err(error) => return fail(&error.into()),
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    match runtime.block_on(soak(&options)) {
        Ok(summary) => {
            if options.json {
                println!("{}", summary.json());
            } else {
                print!("{summary}");
            }
            ExitCode::from(u8::from(!summary.holds()))
        }
        Err(failure) => fail(&failure),
    }
}

fn fail(failure: &Failure) -> ExitCode {
    eprintln!("soak: {failure}");
    ExitCode::from(2)
}

async fn soak(options: &Options) -> Result<Summary, Failure> {
    let mut serve = Serve::start(options.syncspec.clone(), &options.serve).await?;
    let relay = TcpListener::bind("127.0.0.1:0").await?;
    let detour = (serve.url.host.clone(), relay.local_addr()?.to_string());
    drop(relay);
    let patient = DialOptions {
        connect_timeout: Duration::from_secs(30),
        answer_timeout: Duration::from_secs(30),
        ..DialOptions::default()
    };
    let straight = Dialer::new(patient.clone())?;
    let broken = Dialer::new(DialOptions { connect_to: vec![detour.clone()], ..patient })?;
    let world = Arc::new(World::new(serve.url.clone(), straight, broken));
    let mut run = Run { options, world, relay: detour.1, peak_kb: 0, rng: fastrand::Rng::with_seed(options.seed) };

    let start = serve.look(&run.world.straight).await?;
    let warm_up = options.warm_up.unwrap_or_else(|| (options.time / 10).clamp(WARM[0], WARM[1]));
    let warm = run.load(&mut serve, "warm-up", warm_up, start, None).await;
    let end = if run.stops() { warm } else { run.load(&mut serve, "load", options.time, start, Some(warm)).await };
    let stops = run.stops();
    let world = run.world;
    if !stops {
        leaks(start, warm, end).into_iter().for_each(|leak| world.complain(leak));
    }
    for line in serve.errors() {
        eprintln!("endpoint: {line}");
    }
    let farewell = match serve.stop().await {
        Ok(farewell) => farewell,
        Err(failure) => {
            world.complain(failure.to_string());
            String::from("did not end as it should")
        }
    };
    let (counts, complaints) = world.ledger(|ledger, _| (ledger.counts(), ledger.shown().to_vec()));
    Ok(Summary {
        seed: options.seed,
        time: options.time,
        connections: options.connections,
        counts,
        faults: world.faults(),
        start,
        warm,
        peak_kb: run.peak_kb,
        end,
        farewell,
        complaints,
    })
}

struct Run<'o> {
    options: &'o Options,
    world: Arc<World>,
    relay: String,
    peak_kb: u64,
    rng: fastrand::Rng,
}

impl Run<'_> {
    /// Load for a while, then silence, then the end of everybody. Returns how the endpoint looks after that.
    async fn load(&mut self, serve: &mut Serve, name: &str, time: Duration, start: Look, warm: Option<Look>) -> Look {
        let (phase, watched) = watch::channel(Phase::Load);
        let mut crowd = match self.crowd(&watched).await {
            Ok(crowd) => crowd,
            Err(failure) => {
                self.world.complain(format!("{name}: {failure}"));
                return start;
            }
        };
        let begun = Instant::now();
        let mut told = begun;
        let mut is_alive = true;
        while is_alive && begun.elapsed() < time && !self.stops() {
            sleep(LOOK.min(time.saturating_sub(begun.elapsed()))).await;
            is_alive = self.look(serve).await;
            if told.elapsed() >= PROGRESS {
                told = Instant::now();
                self.progress(serve, name, begun.elapsed(), time).await;
            }
        }
        phase.send_replace(Phase::Drain);
        if is_alive && !self.stops() {
            self.drain().await;
        }
        if self.stops() {
            crowd.shutdown().await;
            return start;
        }
        phase.send_replace(Phase::Close);
        let left = timeout(LEAVING_MAX, async { while crowd.join_next().await.is_some() {} }).await;
        if left.is_err() {
            self.world.complain(format!("{name}: {} of the clients could not leave", crowd.len()));
            crowd.shutdown().await;
        }
        self.fill().await;
        self.after(serve, start, warm).await
    }

    /// Whether it is over because something was found.
    fn stops(&self) -> bool {
        self.options.first && self.world.ledger(|ledger, _| ledger.counts().wrong() > 0)
    }

    /// Fills what the endpoint remembers by design, so that it holds the same after each load.
    async fn fill(&self) {
        for number in 0..FILLING {
            let body = topics::filling(number).to_string();
            // What a dead or faulty endpoint makes of it shows elsewhere.
            let _ = http::post(&self.world, "/graphql", child::KEY, body).await;
        }
    }

    /// Everybody, on their way.
    async fn crowd(&mut self, phase: &watch::Receiver<Phase>) -> Result<JoinSet<()>, Failure> {
        let mut crowd = JoinSet::new();
        let listener = TcpListener::bind(&self.relay).await?;
        crowd.spawn(wire::relay(listener, Arc::clone(&self.world), self.rng.fork(), phase.clone()));
        for number in 0..self.options.connections {
            let client = Client {
                world: Arc::clone(&self.world),
                rng: self.rng.fork(),
                dialect: Dialect::ALL[number as usize % Dialect::ALL.len()],
                is_straight: number % 3 != 0,
            };
            crowd.spawn(client.run(phase.clone()));
        }
        for _ in 0..self.options.hostile {
            let hostile = Hostile { world: Arc::clone(&self.world), rng: self.rng.fork(), phase: phase.clone() };
            crowd.spawn(hostile.run());
        }
        crowd.spawn(http::publish(Arc::clone(&self.world), self.rng.fork(), self.options.rate, phase.clone()));
        Ok(crowd)
    }

    /// Whether the endpoint lives. Also looks for what is overdue.
    async fn look(&mut self, serve: &mut Serve) -> bool {
        self.world.ledger(|ledger, at| ledger.look(at, self.options.patience));
        if let Some(death) = serve.death() {
            self.world.complain(death);
            return false;
        }
        if let Ok(look) = serve.look(&self.world.straight).await {
            self.peak_kb = self.peak_kb.max(look.resident_kb);
        }
        true
    }

    async fn progress(&self, serve: &Serve, name: &str, gone: Duration, time: Duration) {
        let counts = self.world.ledger(|ledger, _| ledger.counts());
        let (gone, time) = (gone.as_secs(), time.as_secs());
        let look = match serve.look(&self.world.straight).await {
            Ok(look) => format!("{} live, {} files, {} KB", look.open, look.files, look.resident_kb),
            Err(failure) => failure.to_string(),
        };
        let (published, delivered, wrong) = (counts.published, counts.delivered, counts.wrong());
        eprintln!("{name} {gone}/{time} s: {look}; {published} published, {delivered} arrived, {wrong} wrong");
    }

    /// Until nothing is owed, or nobody waits any longer.
    async fn drain(&self) {
        let patience = self.options.patience + LOOK;
        let begun = Instant::now();
        while begun.elapsed() < patience && self.world.ledger(|ledger, at| ledger.owes(at)) {
            sleep(LOOK / 2).await;
        }
        // What comes late comes now: a second copy, or one that must not come.
        sleep(LOOK).await;
        self.world.ledger(|ledger, at| ledger.look(at, self.options.patience));
    }

    /// How the endpoint looks when it has noticed that everybody has left.
    async fn after(&self, serve: &mut Serve, start: Look, warm: Option<Look>) -> Look {
        let begun = Instant::now();
        loop {
            let last = match serve.look(&self.world.straight).await {
                Ok(look) => look,
                Err(failure) => {
                    self.world.complain(serve.death().unwrap_or_else(|| failure.to_string()));
                    return start;
                }
            };
            let is_calm = leaks(start, warm.unwrap_or(last), last).is_empty();
            let have_left = last.open == 0 && last.files <= start.files;
            let patience = if have_left { SETTLING } else { LEAVING_MAX };
            if is_calm || begun.elapsed() > patience {
                return last;
            }
            sleep(LOOK / 2).await;
        }
    }
}
