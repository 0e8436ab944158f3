//! The endpoint as it is tried: what `syncspec serve` runs, in a process that counts every byte it allocates.
//!
//! `soak` starts itself a second time for this, as `soak endpoint`. What is resident says little about leaks: an
//! allocator keeps what it once needed, in pieces that nobody can use at the moment. The bytes that live do: they are
//! asked for at [`LIVE_PATH`], which `syncspec serve` does not have.

use std::alloc::System;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use appsync_protocol::hub::ConnectionId;
use appsync_protocol::moment::{Deadline, Moment};
use appsync_protocol::wire::{Frame, OwnedFrame, Request, Response};
use cap::Cap;
use clap::Parser;
use syncspec::fault::How;
use syncspec::reference::page::Page;
use syncspec::reference::settings::{Overrides, Prepared, Settings};
use syncspec::reference::shell::{Notice, Service, Watched, serve};
use syncspec::reference::{Answer, Endpoint};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::Failure;

/// Counts what lives. It has no limit.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// The first argument by which this program is the endpoint.
pub(crate) const WORD: &str = "endpoint";
/// Where the endpoint tells what it has allocated: `{"live":BYTES,"peak":BYTES}`.
pub(crate) const LIVE_PATH: &str = "/live-bytes";

/// The options of `syncspec serve` that a soak needs, and one of its own.
#[derive(Parser)]
#[command(name = "soak endpoint")]
struct Options {
    #[arg(long)]
    config: Option<PathBuf>,
    #[arg(long)]
    listen: Option<String>,
    #[arg(long)]
    profile: Option<String>,
    #[arg(long)]
    fault: Vec<String>,
    #[arg(long, env = "SYNCSPEC_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Keeps so many bytes of each frame of a client for ever, which a soak has to notice.
    #[arg(long, default_value_t = 0)]
    leak: usize,
}

/// Serves until it is told to stop.
pub(crate) fn run() -> ExitCode {
    let arguments = std::env::args().enumerate().filter(|(place, _)| *place != 1).map(|(_, argument)| argument);
    let ended = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| runtime.block_on(listen(Options::parse_from(arguments))));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => crate::fail(&failure),
    }
}

async fn listen(options: Options) -> Result<(), Failure> {
    let leak = options.leak;
    let Prepared { listen, mut config, faults, shell, .. } = prepare(options)?;
    config.epoch_unix_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let bent: Vec<How> = faults.iter().map(|fault| fault.how).collect();
    let page = Page::new(config.hosts.clone(), false);
    let endpoint = Endpoint::new(config, &bent).map_err(|error| error.to_string())?;
    let counted = Counted { endpoint: Watched::new(endpoint, Some(page)), leak, leaked: Vec::new() };

    let listener = TcpListener::bind(&listen).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("READY http://{}/graphql", listener.local_addr()?);
    let stopped = async {
        terminate.recv().await;
    };
    let summary = serve(listener, counted, shell, stopped).await;
    let text = format!("stopped after {} connections and {} HTTP requests", summary.upgrades, summary.requests);
    let (slow, silent, panicked) = (summary.slow_consumers, summary.silent, summary.panicked);
    if panicked > 0 {
        return Err(format!("{text}; {panicked} ended by a defect of syncspec").into());
    }
    println!("{text}; {slow} too slow; {silent} silent");
    Ok(())
}

fn prepare(options: Options) -> Result<Prepared, Failure> {
    let settings = options.config.as_deref().map(Settings::read).transpose().map_err(|error| error.to_string())?;
    let overrides = Overrides {
        listen: options.listen,
        profile: options.profile,
        faults: options.fault,
        api_key: options.api_key,
        ..Overrides::default()
    };
    Ok(settings.unwrap_or_default().prepare(overrides).map_err(|error| error.to_string())?)
}

/// Passes everything on, but tells of itself what it has allocated.
struct Counted {
    endpoint: Watched,
    leak: usize,
    leaked: Vec<Vec<u8>>,
}

impl Service for Counted {
    fn upgrade(&mut self, at: Moment, request: &Request) -> (Response, Option<ConnectionId>) {
        self.endpoint.upgrade(at, request)
    }

    fn http(&mut self, at: Moment, request: &Request) -> Answer {
        if request.path() == LIVE_PATH {
            let (live, peak) = (ALLOCATOR.allocated(), ALLOCATOR.max_allocated());
            return Response::new(200, format!(r#"{{"live":{live},"peak":{peak}}}"#)).into();
        }
        self.endpoint.http(at, request)
    }

    fn frame(&mut self, at: Moment, connection: ConnectionId, frame: Frame<'_>) {
        if self.leak > 0 {
            self.leaked.push(vec![1; self.leak]);
        }
        self.endpoint.frame(at, connection, frame);
    }

    fn elapse(&mut self, at: Moment) {
        self.endpoint.elapse(at);
    }

    fn poll(&mut self) -> Option<(ConnectionId, OwnedFrame)> {
        self.endpoint.poll()
    }

    fn deadline(&self) -> Option<Deadline> {
        self.endpoint.deadline()
    }

    fn notice(&mut self, at: Moment, notice: Notice) {
        self.endpoint.notice(at, notice);
    }
}
