//! What an idle subscriber costs the reference endpoint: resident memory of the server process.
//!
//! ```text
//!   this process                                     child process
//!   N sockets, one subscription each ── loopback ──> syncspec serve        VmRSS from /proc before and after
//! ```
//!
//! A fresh child for each dialect. It is warmed with a few connections first, so that code and pools that are paid for
//! once do not count. After the hold every subscriber has to have got a keep-alive, and then one publish: connections
//! that are cheap because they are dead do not pass. Ends with 1 where a dialect costs more than `--max-kb`, or where a
//! subscriber was not reached; with 2 where nothing could be measured. Linux only.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to the terminal")]

use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Credentials, Url, build};
use appsync_protocol::wire::{Headers, OwnedFrame, Request};
use clap::Parser;
use syncspec::link::{DialOptions, Dialer, Socket};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// Resident memory of the endpoint for each idle subscriber.
#[derive(Parser)]
struct Options {
    /// Subscribers, one subscription each.
    #[arg(long, default_value_t = 10_000)]
    connections: u64,
    /// How long they stay idle before the second look.
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration)]
    hold: Duration,
    /// More KB for each than this is a failure.
    #[arg(long, default_value_t = 6.0)]
    max_kb: f64,
    /// Time between keep-alives of the endpoint.
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration)]
    ka: Duration,
    /// Over TLS, with a certificate that the endpoint makes. The goal is for plain connections.
    #[arg(long)]
    tls: bool,
    /// The command to measure. [default: syncspec beside this one]
    #[arg(long)]
    syncspec: Option<PathBuf>,
    /// Further arguments of `syncspec serve`, such as --no-page.
    #[arg(last = true)]
    serve: Vec<String>,
}

const KEY: &str = "da2-idle";
/// Connections that are made and ended before the first look.
const WARM: u64 = 64;
/// Handshakes at the same time.
const AT_ONCE: usize = 64;
/// File descriptors besides those of the connections.
const SPARE_FILES: u64 = 256;
/// For one answer, and for everything that has to reach all subscribers.
const PATIENCE: Duration = Duration::from_secs(60);

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let mut options = Options::parse();
    let wanted = options.connections + SPARE_FILES;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(files) if files < wanted => {
            options.connections = files.saturating_sub(SPARE_FILES);
            println!("the limit of open files is {files}: {} connections instead", options.connections);
        }
        Ok(_) => {}
        Err(error) => eprintln!("the limit of open files cannot be raised: {error}"),
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let mut missed = false;
    for dialect in Dialect::ALL {
        match runtime.block_on(measure(dialect, &options)) {
            Ok(cost) => {
                missed |= cost.kb_each > options.max_kb || !cost.reached_all;
                println!("{}", cost.text(dialect, &options));
            }
            Err(failure) => return fail(&failure),
        }
    }
    ExitCode::from(u8::from(missed))
}

fn fail(failure: &Failure) -> ExitCode {
    eprintln!("idle: {failure}");
    ExitCode::from(2)
}

/// What a run found.
struct Cost {
    before_kb: u64,
    after_kb: u64,
    kb_each: f64,
    /// Subscribers that a keep-alive has reached since the start of the hold.
    alive: u64,
    /// Subscribers that the publish reached.
    told: u64,
    took: Duration,
    reached_all: bool,
}

impl Cost {
    fn text(&self, dialect: Dialect, options: &Options) -> String {
        let word = if self.kb_each <= options.max_kb { "holds" } else { "not met" };
        format!(
            "idle/{dialect}{}: {:.2} KB each (goal {}) {word}; {} KB before, {} KB after {} subscribers and {}; \
             keep-alives reached {}, one publish reached {} in {:.2?}",
            if options.tls { "/tls" } else { "" },
            self.kb_each,
            options.max_kb,
            self.before_kb,
            self.after_kb,
            options.connections,
            humantime::format_duration(options.hold),
            self.alive,
            self.told,
            self.took,
        )
    }
}

/// What subscribers have heard, all of them together.
#[derive(Default)]
struct Heard {
    keep_alives: AtomicU64,
    events: AtomicU64,
}

async fn measure(dialect: Dialect, options: &Options) -> Result<Cost, Failure> {
    let Started { child, url, dialing } = start(options).await?;
    let pid = child.id().ok_or("the endpoint has ended")?;
    let heard = Arc::new(Heard::default());
    let (hold, held) = watch::channel(false);
    let dialer = Arc::new(Dialer::new(dialing)?);
    let crowd = Crowd { dialect, url: url.clone(), dialer: Arc::clone(&dialer), heard: Arc::clone(&heard), held };

    drop(crowd.gather(WARM).await?);
    sleep(Duration::from_millis(500)).await;
    let before_kb = resident_kb(pid)?;
    let _subscribers = crowd.gather(options.connections).await?;
    hold.send_replace(true);
    sleep(options.hold).await;
    let after_kb = resident_kb(pid)?;

    let alive = until(&heard.keep_alives, options.connections, options.ka + PATIENCE).await;
    let published = Instant::now();
    publish(dialect, &dialer, &url).await?;
    let told = until(&heard.events, options.connections, PATIENCE).await;
    #[allow(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
    let kb_each = after_kb.saturating_sub(before_kb) as f64 / options.connections as f64;
    let reached_all = alive >= options.connections && told >= options.connections;
    Ok(Cost { before_kb, after_kb, kb_each, alive, told, took: published.elapsed(), reached_all })
}

/// An endpoint, which ends with the handle of its process, and how to reach it.
struct Started {
    child: Child,
    url: Url,
    dialing: DialOptions,
}

/// Starts the endpoint on a free port.
async fn start(options: &Options) -> Result<Started, Failure> {
    let beside = || std::env::current_exe().map(|own| own.with_file_name("syncspec"));
    let command = options.syncspec.clone().map_or_else(beside, Ok)?;
    let folder = tempfile::tempdir()?;
    let authority = folder.path().join("ca.pem");
    let mut serve = Command::new(&command);
    serve.args(["serve", "--listen", "127.0.0.1:0", "--ka", &humantime::format_duration(options.ka).to_string()]);
    if options.tls {
        serve.args(["--tls", "self-signed", "--tls-ca-out"]).arg(&authority);
    }
    let mut child = serve
        .args(&options.serve)
        .env("SYNCSPEC_API_KEY", KEY)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{}: {error}; cargo build --release -p syncspec makes it", command.display()))?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output to read")?).lines();
    let ready = if options.tls { "READY https://" } else { "READY http://" };
    while let Some(line) = timeout(PATIENCE, lines.next_line()).await?? {
        if let Some(host) = line.strip_prefix(ready).and_then(|rest| rest.split('/').next()) {
            let url = Url { secure: options.tls, host: host.into(), path: "/".into() };
            let ca = if options.tls { Some(std::fs::read(&authority)?) } else { None };
            return Ok(Started { child, url, dialing: DialOptions { ca, ..DialOptions::default() } });
        }
    }
    Err("the endpoint ended before it was ready".into())
}

/// Subscribers to be.
#[derive(Clone)]
struct Crowd {
    dialect: Dialect,
    url: Url,
    dialer: Arc<Dialer>,
    heard: Arc<Heard>,
    /// Turns true when all are there: from then on it counts what they hear.
    held: watch::Receiver<bool>,
}

impl Crowd {
    /// Connects and subscribes `count` of them. They listen until the set is dropped.
    async fn gather(&self, count: u64) -> Result<JoinSet<()>, Failure> {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let mut joining = JoinSet::new();
        for number in 0..count {
            let (crowd, turns) = (self.clone(), Arc::clone(&turns));
            joining.spawn(async move {
                let _turn = turns.acquire().await;
                timeout(PATIENCE, crowd.subscribe(number)).await?
            });
        }
        let mut listening = JoinSet::new();
        while let Some(joined) = joining.join_next().await {
            listening.spawn(self.clone().listen(joined??));
        }
        Ok(listening)
    }

    async fn subscribe(&self, number: u64) -> Result<Socket, Failure> {
        let credentials = Credentials::api_key(self.url.host.as_str(), KEY);
        let (path, carrier) = match self.dialect {
            Dialect::Graphql => ("/graphql/realtime", Carrier::Query),
            Dialect::Events => ("/event/realtime", Carrier::Subprotocol),
        };
        let url = Url { path: path.into(), ..self.url.clone() };
        let request = build(self.dialect, carrier, &credentials, &url, "AAAAAAAAAAAAAAAAAAAAAA==");
        let opened = self.dialer.open(&url, &request).await?;
        let mut socket = opened.socket.ok_or_else(|| format!("the upgrade got {}", opened.response.status))?;
        exchange(&mut socket, r#"{"type":"connection_init"}"#.into(), "connection_ack").await?;
        let (ask, answer) = match self.dialect {
            Dialect::Graphql => (start(number, &credentials), "start_ack"),
            Dialect::Events => (subscribe(number, &credentials), "subscribe_success"),
        };
        exchange(&mut socket, ask, answer).await?;
        return Ok(socket);

        fn start(number: u64, credentials: &Credentials) -> String {
            let query = r#"subscription S($name: String!) { subscribe2channel(name: $name) { name data } }"#;
            let data = serde_json::json!({"query": query, "variables": {"name": "idle"}}).to_string();
            let extensions = format!(r#"{{"authorization":{}}}"#, credentials.to_json());
            let data = serde_json::Value::from(data);
            format!(
                r#"{{"type":"start","id":"0b9c1d34-5f0e-4c57-9a3e-{number:012}","payload":{{"data":{data},"extensions":{extensions}}}}}"#
            )
        }

        fn subscribe(number: u64, credentials: &Credentials) -> String {
            let authorization = credentials.to_json();
            format!(
                r#"{{"type":"subscribe","id":"0b9c1d34-5f0e-4c57-9a3e-{number:012}","channel":"/default/idle","authorization":{authorization}}}"#
            )
        }
    }

    /// Counts the first keep-alive and the first event of this subscriber.
    async fn listen(self, mut socket: Socket) {
        let (mut is_alive, mut is_told) = (false, false);
        loop {
            let OwnedFrame::Text { text, .. } = socket.next().await else { return };
            if text.contains(r#""type":"ka""#) && *self.held.borrow() && !std::mem::replace(&mut is_alive, true) {
                self.heard.keep_alives.fetch_add(1, Ordering::Relaxed);
            }
            if text.contains(r#""type":"data""#) && !std::mem::replace(&mut is_told, true) {
                self.heard.events.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Sends a message and reads on until the answer.
async fn exchange(socket: &mut Socket, message: String, answer: &str) -> Result<(), Failure> {
    socket.send(&OwnedFrame::text(message)).await?;
    let wanted = format!(r#""type":"{answer}""#);
    loop {
        match socket.next().await {
            OwnedFrame::Text { text, .. } if text.contains(&wanted) => return Ok(()),
            OwnedFrame::Text { text, .. } if text.contains("error") => return Err(text.into()),
            OwnedFrame::Text { .. } | OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => {}
            OwnedFrame::Close { .. } | OwnedFrame::Lost => return Err(format!("lost before {answer}").into()),
        }
    }
}

async fn publish(dialect: Dialect, dialer: &Dialer, url: &Url) -> Result<(), Failure> {
    let (path, body) = match dialect {
        Dialect::Graphql => {
            let query = r#"mutation { publish2channel(name: "idle", data: "{}") { name data } }"#;
            ("/graphql", serde_json::json!({ "query": query }))
        }
        Dialect::Events => ("/event", serde_json::json!({"channel": "/default/idle", "events": ["{}"]})),
    };
    let url = Url { path: path.into(), ..url.clone() };
    let headers =
        Headers::new().with("host", url.host.as_str()).with("x-api-key", KEY).with("content-type", "application/json");
    let request = Request { method: "POST".into(), target: path.into(), headers, body: body.to_string().into() };
    let response = dialer.http(&url, &request).await?;
    if response.status == 200 { Ok(()) } else { Err(format!("the publish got {}", response.status).into()) }
}

/// Waits until the count is reached, for a while; returns how far it came.
async fn until(count: &AtomicU64, goal: u64, patience: Duration) -> u64 {
    let end = Instant::now() + patience;
    while count.load(Ordering::Relaxed) < goal && Instant::now() < end {
        sleep(Duration::from_millis(10)).await;
    }
    count.load(Ordering::Relaxed)
}

/// `VmRSS` of a process.
fn resident_kb(pid: u32) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
