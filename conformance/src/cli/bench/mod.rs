//! `syncspec bench`: loads an endpoint and says how it bore it.

mod args;
#[cfg_attr(not(feature = "endpoint"), allow(dead_code, reason = "there is nothing to serve"))]
mod child;
mod guard;

use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::thread::available_parallelism;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use syncspec::load::drive::{self, Failure, Reach, Snapshot};
use syncspec::load::report::{self, html, json, log, whole};
use syncspec::load::topic::{Documents, Topics};
use syncspec::load::verdict::{self, Exit};
use syncspec::load::{Mode, Pace, Plan, Record, Shard, record};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub(super) use args::BenchOptions;
use args::{BenchCommand, Form, LoopChoice, MergeOptions, OutputOptions, RunOptions};
use guard::Allowance;

use super::{random_seed, say, usage};

const UNREACHABLE: u8 = 3;
const INCONCLUSIVE: u8 = 5;
const DEFECT: u8 = 70;
const INTERRUPTED: u8 = 130;

pub(super) fn run(options: &BenchOptions) -> u8 {
    match &options.command {
        Some(BenchCommand::Merge(options)) => merge(options),
        None => {
            let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return usage(format_args!("no runtime: {error}")),
            };
            runtime.block_on(bench(&options.run))
        }
    }
}

async fn bench(options: &RunOptions) -> u8 {
    let served = match &options.endpoint {
        Some(_) => None,
        None => match child(options).await {
            Ok(served) => Some(served),
            Err(why) => return usage(why),
        },
    };
    let (plan, reach) = match prepare(options, served.as_ref()).await {
        Ok(prepared) => prepared,
        Err(why) => return usage(why),
    };
    // Before anything is told: whoever reads it may stop this at once.
    let stop = match interrupts() {
        Ok(stop) => stop,
        Err(why) => return usage(why),
    };
    let quiet = options.output.quiet;
    let tell = |what: &str| {
        if !quiet {
            eprintln!("syncspec: {what}");
        }
    };
    if let Some(served) = &served {
        tell(&format!("no ENDPOINT was given; started syncspec serve as a process of its own: {}", served.endpoint));
    }
    if options.i_own_this_endpoint {
        tell(&guard::forecast(&plan));
        if let Some(what) = guard::beyond_quota(&plan) {
            tell(&what);
        }
    }
    tell(&format!("seed {}", plan.seed));
    let mut progress =
        Progress { quiet, is_terminal: std::io::stderr().is_terminal(), told: 0, duration: plan.duration };
    let result = drive::run(plan, reach, stop, &mut |snapshot| progress.tell(snapshot)).await;
    progress.end();
    drop(served);
    match result {
        Ok(record) => conclude(&record, &options.output, options.histogram.as_deref()),
        Err(failure) => {
            eprintln!("syncspec: {failure}");
            match failure {
                Failure::Defect(_) => DEFECT,
                Failure::TooLate(_) => INCONCLUSIVE,
                Failure::System(_) => UNREACHABLE,
            }
        }
    }
}

/// Becomes true with the first interrupt. The second ends the process at once.
fn interrupts() -> Result<watch::Receiver<bool>, String> {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return Err("signals cannot be heard".into());
    };
    let (sender, stop) = watch::channel(false);
    tokio::spawn(async move {
        for is_second in [false, true] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if is_second {
                std::process::exit(i32::from(INTERRUPTED));
            }
            sender.send_replace(true);
        }
    });
    Ok(stop)
}

#[cfg(feature = "endpoint")]
async fn child(options: &RunOptions) -> Result<child::Served, String> {
    child::serve(options.target.dialect().unwrap_or(Dialect::Events)).await
}

#[cfg(not(feature = "endpoint"))]
async fn child(_options: &RunOptions) -> Result<child::Served, String> {
    Err(super::WITHOUT_ENDPOINT.into())
}

async fn prepare(options: &RunOptions, served: Option<&child::Served>) -> Result<(Plan, Reach), String> {
    let endpoint = match (&options.endpoint, served) {
        (Some(endpoint), _) => endpoint.clone(),
        (None, Some(served)) => served.endpoint.clone(),
        (None, None) => return Err("no endpoint".into()),
    };
    let place = options.target.place(&endpoint)?;
    let mut plan = plan(options, place.dialect);
    plan.check().map_err(|error| error.to_string())?;

    let dialled = options.target.connect_to.iter().map(String::as_str);
    let of_url = |url: &appsync_protocol::handshake::Url| format!("{}:{}", url.host_name(), url.port());
    let (http, realtime) = (of_url(&place.http), of_url(&place.realtime));
    let addresses: Vec<&str> = match options.target.connect_to.is_empty() {
        true => vec![http.as_str(), realtime.as_str()],
        false => dialled.collect(),
    };
    let mut is_here = true;
    for address in addresses {
        is_here &= guard::is_loopback(address).await;
    }
    if !is_here && !options.i_own_this_endpoint {
        return Err(format!(
            "{endpoint} is not on this machine; load costs its owner money and may hurt others: give \
             --i-own-this-endpoint if it is yours"
        ));
    }
    let allowance = Allowance::of(options, is_here);
    allowance.check(&plan)?;
    plan.max_messages = allowance.messages;
    guard::raise_file_limit(&plan)?;

    let mut credentials = options.credentials.clone();
    if let Some(served) = served {
        credentials.api_key = Some(served.key.clone());
    }
    let speaker = credentials.speaker(&place)?;
    let dialer = options.target.dialer(Some((&place.http, &place.realtime)), options.answer_timeout)?;
    let topics = topics(options, place.dialect)?;
    let carrier = credentials.carrier(place.dialect);
    let (source, redactor) = (speaker.source, speaker.redactor);
    Ok((plan, Reach { dialer, http: place.http, realtime: place.realtime, carrier, source, redactor, topics }))
}

fn plan(options: &RunOptions, dialect: Dialect) -> Plan {
    let mode = options.mode.mode();
    let of_mode = |soak: u64, others: u64| if mode == Mode::Soak { soak } else { others };
    let is_closed = match options.pace {
        Some(LoopChoice::Closed) => true,
        Some(LoopChoice::Open) => false,
        // A window means a closed loop, a rate an open one.
        None => options.window.is_some() || (mode == Mode::Throughput && options.rate.is_none()),
    };
    let cores = available_parallelism().map_or(1, usize::from);
    Plan {
        mode,
        dialect,
        subscribers: options.subscribers.unwrap_or(if mode == Mode::Throughput { 0 } else { 100 }),
        per_connection: options.per_connection,
        channels: options.channels,
        publishers: options.publishers,
        rate: options.rate.unwrap_or(of_mode(10, 100) as f64),
        pace: if is_closed { Pace::Closed { window: options.window.unwrap_or(4) } } else { Pace::Open },
        sizes: options.payload.clone(),
        duration: options.duration.unwrap_or(Duration::from_secs(of_mode(3600, 10))),
        ramp: options.ramp,
        seed: options.seed.unwrap_or_else(random_seed),
        shard: options.shard.unwrap_or(Shard::WHOLE),
        start_at: options.start_at,
        late_after: options.late_after,
        patience: options.answer_timeout,
        setup: options.setup_timeout,
        drain: options.drain,
        at_once: options.at_once.max(1),
        threads: options.threads.unwrap_or((cores / 2).max(1)).max(1),
        lanes: options.lanes.max(1),
        max_messages: u64::MAX,
    }
}

fn topics(options: &RunOptions, dialect: Dialect) -> Result<Topics, String> {
    let documents = match (&options.subscribe_document, &options.publish_document) {
        (Some(subscribe), Some(publish)) => Some((subscribe, publish)),
        (Some(_) | None, None) | (None, Some(_)) => None,
    };
    match (dialect, documents) {
        (Dialect::Events, Some(_)) => Err("--subscribe-document is for GraphQL; the endpoint is one of Events".into()),
        (Dialect::Events, None) => Ok(Topics::Events { namespace: options.namespace.clone() }),
        (Dialect::Graphql, documents) => {
            let known = Documents::default();
            Ok(Topics::Graphql(Documents {
                subscribe: documents.map_or(known.subscribe, |(subscribe, _)| subscribe.clone()),
                publish: documents.map_or(known.publish, |(_, publish)| publish.clone()),
                channel_variable: options.channel_variable.clone(),
                data_variable: options.data_variable.clone(),
            }))
        }
    }
}

/// How far a run is: a line that changes on a terminal, a line every few seconds elsewhere.
struct Progress {
    quiet: bool,
    is_terminal: bool,
    told: u64,
    duration: Duration,
}

/// Of the lines that do not go to a terminal the first is told, and then every how-manieth.
const SELDOM: u64 = 5;

impl Progress {
    fn tell(&mut self, now: &Snapshot) {
        self.told += 1;
        if self.quiet || (!self.is_terminal && self.told % SELDOM != 1) {
            return;
        }
        let of = if now.doing == "measuring" { format!(" of {}", self.duration.as_secs()) } else { String::new() };
        let line = format!(
            "{} {}{of} s: {} connected, {} failed, {} subscribed, {} begun, {} published, {} delivered",
            now.doing,
            now.since_ns / 1_000_000_000,
            whole(now.connected),
            whole(now.failed),
            whole(now.subscribed),
            whole(now.begun),
            whole(now.published),
            whole(now.delivered)
        );
        let mut out = std::io::stderr();
        let _ = if self.is_terminal {
            write!(out, "\r\u{1b}[K{line}").and_then(|()| out.flush())
        } else {
            writeln!(out, "syncspec: {line}")
        };
    }

    fn end(&self) {
        if self.is_terminal && !self.quiet && self.told > 0 {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

fn merge(options: &MergeOptions) -> u8 {
    let read = |path: &std::path::PathBuf| {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        log::read(&text).map(|record| (name.clone(), record)).map_err(|error| format!("{name}: {error}"))
    };
    let records = options.files.iter().map(read).collect::<Result<Vec<_>, _>>();
    match records.and_then(|records| record::merge(records).map_err(|error| error.to_string())) {
        Ok(record) => conclude(&record, &options.output, None),
        Err(why) => usage(why),
    }
}

/// Judges, prints and writes. What could not be written makes an otherwise good run exit with 2.
fn conclude(record: &Record, output: &OutputOptions, histogram: Option<&Path>) -> u8 {
    let exit = verdict::decide(record, &output.fail_if);
    let in_form = |form| match form {
        Form::Html => html::html(record, &output.fail_if, &exit),
        Form::Json => json::json(record, &output.fail_if, &exit),
        Form::Text => report::text(record, &output.fail_if, &exit),
    };
    let goes_out = output.report.iter().any(|report| report.path.as_os_str() == "-");
    if !goes_out {
        say(in_form(if output.json { Form::Json } else { Form::Text }).trim_end());
    }
    let mut written = Ok(());
    for report in &output.report {
        let text = in_form(report.form);
        if report.path.as_os_str() == "-" {
            say(text.trim_end());
        } else {
            let put = File::create(&report.path).and_then(|mut file| file.write_all(text.as_bytes()));
            written = written.and(put.map_err(|error| format!("--report {}: {error}", report.path.display())));
        }
    }
    if let Some(path) = histogram {
        written =
            written.and(write_log(record, path).map_err(|error| format!("--histogram {}: {error}", path.display())));
    }
    code(&exit, written)
}

fn code(exit: &Exit, written: Result<(), String>) -> u8 {
    match written {
        Ok(()) => exit.code,
        Err(why) => {
            eprintln!("syncspec: {why}");
            if exit.code == INTERRUPTED { INTERRUPTED } else { super::USAGE }
        }
    }
}

/// Under another name first: whoever waits for the file finds all of it.
fn write_log(record: &Record, path: &Path) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let mut file = std::io::BufWriter::new(File::create(&beside)?);
    log::write(record, &mut file)?;
    file.flush()?;
    drop(file);
    std::fs::rename(&beside, path)
}
