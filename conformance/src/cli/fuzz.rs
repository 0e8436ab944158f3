//! `syncspec fuzz`: campaigns against a server, and the trial of the fuzzer itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use indicatif::ProgressBar;
use serde_json::json;
use syncspec::fuzzing::file::FindingFile;
use syncspec::fuzzing::generate::Bounds;
use syncspec::link::Dialer;
use syncspec::reference::Config;
use syncspec::report::text::printable;
use syncspec::run::Endpoint;
use syncspec::run::fuzz::{self, Figures, Fuzzed, News};
use syncspec::target::Embedded;

use super::chosen::{Chosen, Guards, Whom};
use super::fuzz_args::FuzzOptions;
use super::fuzz_diff as diff;
use super::fuzz_trial as trial;
use super::{plan, random_seed, say, usage};

pub(super) fn run(options: &FuzzOptions) -> u8 {
    if options.saboteurs || options.benign || options.in_virtual_time {
        return trial::run(options);
    }
    match &options.diff {
        Some(other) => diff::run(options, other),
        None => live(options),
    }
}

/// Everything there is to know before anything is dialled.
pub(super) struct Prepared {
    pub(super) targets: Vec<(fuzz::FuzzOptions, Dialer)>,
    pub(super) embedded: Option<Embedded>,
}

/// The target of the arguments, or of `syncspec.toml`; for a finding that of its file, where the arguments name none.
pub(super) fn prepare(options: &FuzzOptions, file: Option<&FindingFile>) -> Result<Prepared, String> {
    let own = options.whom.endpoint.is_some() || options.whom.config.is_some() || options.whom.target_name.is_some();
    let chosen = match file.filter(|_| !own) {
        Some(file) if file.is_built_in() => None,
        Some(file) => chosen_by(file, &options.whom)?,
        None => options.whom.choose()?,
    };
    let dialect = file.and_then(FindingFile::dialect).or(options.whom.target.dialect());
    let (endpoints, embedded) = match &chosen {
        None => {
            let embedded = Embedded::start(Config::default()).map_err(|error| error.to_string())?;
            (embedded.endpoints(), Some(embedded))
        }
        Some(chosen) => (vec![chosen.spec.resolve().map_err(|error| error.to_string())?], None),
    };
    let mut targets = Vec::new();
    for endpoint in endpoints.into_iter().filter(|endpoint| dialect.is_none_or(|own| own == endpoint.dialect)) {
        let hosts = Some((&endpoint.http, &endpoint.realtime));
        let dialer = match &chosen {
            Some(chosen) => chosen.dialer(&options.whom.target, &endpoint, options.step_timeout)?,
            None => options.whom.target.dialer(hosts, options.step_timeout)?,
        };
        let remote = allowed(options, &dialer, &endpoint)?;
        let guards = chosen.as_ref().map(|chosen| chosen.guards).unwrap_or_default();
        targets.push((fuzz_options(options, endpoint, (guards, remote, embedded.is_some())), dialer));
    }
    Ok(Prepared { targets, embedded })
}

/// Whether it is on another machine. That has to be the user's own.
pub(super) fn allowed(options: &FuzzOptions, dialer: &Dialer, endpoint: &Endpoint) -> Result<bool, String> {
    let remote = plan::is_remote(dialer, endpoint);
    if remote && !options.i_own_this_endpoint {
        return Err(format!(
            "{} is not on this machine; fuzzing may stop or fill a server, so give --i-own-this-endpoint if it is yours",
            endpoint.http.authority()
        ));
    }
    Ok(remote)
}

/// The target that a finding was made of, with the credentials of the arguments, of `syncspec.toml` where it has this
/// endpoint, and of the environment.
fn chosen_by(file: &FindingFile, whom: &Whom) -> Result<Option<Chosen>, String> {
    let mut whom = Whom { endpoint: Some(file.endpoint.clone()), ..whom.clone() };
    whom.target.realtime = whom.target.realtime.or_else(|| Some(file.realtime.clone()));
    if whom.namespace.is_empty() {
        whom.namespace.clone_from(&file.namespaces);
    }
    let mut chosen = whom.choose()?;
    if let Some(chosen) = &mut chosen {
        chosen.spec.dialect = chosen.spec.dialect.or(file.dialect());
        if chosen.spec.channel_prefix.is_empty() {
            chosen.spec.channel_prefix.clone_from(&file.channel_prefix);
        }
    }
    Ok(chosen)
}

fn fuzz_options(
    options: &FuzzOptions,
    endpoint: Endpoint,
    (guards, remote, embedded): (Guards, bool, bool),
) -> fuzz::FuzzOptions {
    let bounds = Bounds {
        ops_max: 40,
        connections_max: usize::from(options.connections),
        large: options.limits || embedded,
        patient: false,
    };
    let minutes = guards.minutes.map(|minutes| Duration::from_secs(minutes * 60));
    fuzz::FuzzOptions {
        endpoint,
        embedded,
        seed: options.seed.unwrap_or_else(random_seed),
        time: minutes.map_or(options.time, |minutes| minutes.min(options.time)),
        ops_max: options.max_ops,
        bounds,
        until_first: options.until_first,
        rate: options.rate.or(guards.rate).or_else(|| remote.then_some(POLITE_RATE)),
        shrink_time: fuzz::SHRINK_TIME,
        step_timeout: options.step_timeout,
        connections_max: options.max_connections.or(guards.connections).unwrap_or(200_000),
        messages_max: options.max_messages.or(guards.messages).unwrap_or(2_000_000),
        restart_cmd: options.restart_cmd.clone(),
        restart_wait: options.restart_wait,
    }
}

/// Operations in a second against another machine.
const POLITE_RATE: u32 = 20;

pub(super) fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|error| format!("no runtime: {error}"))
}

fn live(options: &FuzzOptions) -> u8 {
    if let Some(dir) = &options.findings
        && let Err(error) = std::fs::create_dir_all(dir)
    {
        return usage(format_args!("--findings {}: {error}", dir.display()));
    }
    let (prepared, runtime) = match prepare(options, None).and_then(|prepared| Ok((prepared, runtime()?))) {
        Ok(ready) => ready,
        Err(why) => return usage(why),
    };
    let count = u32::try_from(prepared.targets.len()).unwrap_or(1).max(1);
    let mut codes = Vec::new();
    let mut all = Vec::new();
    for (mut fuzz_options, dialer) in prepared.targets {
        // The time is for all of them together.
        fuzz_options.time /= count;
        let dialect = fuzz_options.endpoint.dialect;
        if !options.json {
            let (at, seed) = (fuzz_options.endpoint.http.authority(), fuzz_options.seed);
            say(format_args!("{dialect} at {at}, seed {seed:#x}, {} s", fuzz_options.time.as_secs()));
        }
        let done = runtime.block_on(watched(fuzz_options, dialer, options));
        codes.push(done.exit());
        if !options.json {
            conclude(&done);
        }
        let stop = done.interrupted || (options.until_first && !done.caught.is_empty());
        all.push((dialect, done));
        if stop {
            break;
        }
    }
    drop(prepared.embedded);
    if options.json {
        say(in_json(&all));
    }
    [130, 3, 1, 5, 4].into_iter().find(|code| codes.contains(code)).unwrap_or(0)
}

/// Runs one campaign, shows how far it is and writes what is found.
async fn watched(fuzz_options: fuzz::FuzzOptions, dialer: Dialer, options: &FuzzOptions) -> Fuzzed {
    let (interrupt, interrupted) = tokio::sync::watch::channel(false);
    // Kept until the end: a channel that is closed asks for nothing.
    let keep = interrupt.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = interrupt.send(true);
        }
    });
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(500));
    let mut tell = |news: News| match news {
        News::Progress(figures) => bar.set_message(shown(figures)),
        News::Note(note) => bar.suspend(|| eprintln!("{}", printable(&note))),
        News::Caught(file) => bar.suspend(|| caught(&file, options)),
    };
    let done = fuzz::fuzz(fuzz_options, dialer, interrupted, &mut tell).await;
    bar.finish_and_clear();
    drop(keep);
    done
}

fn shown(figures: Figures) -> String {
    let Figures { dialogues, operations, cells, findings } = figures;
    format!("{dialogues} dialogues, {operations} operations, {cells} cells, {findings} findings")
}

fn caught(file: &FindingFile, options: &FuzzOptions) {
    let solid = if file.shown == file.tries { "reproducible" } else { "flaky" };
    let (rule, detail) = (printable(&file.rule), printable(&file.detail));
    if !options.json {
        say(format_args!(
            "{rule} {solid} ({} of {}), {} operations, {}: {detail}",
            file.shown,
            file.tries,
            file.operations.len(),
            printable(&file.bucket.operation)
        ));
    }
    if let Some(dir) = &options.findings {
        let path = free_name(dir, &file.name());
        match std::fs::write(&path, file.to_text()) {
            Ok(()) => eprintln!("written to {}", path.display()),
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    }
}

/// The path, with a number where there is a file of that name already.
fn free_name(dir: &Path, name: &str) -> PathBuf {
    let stem = name.trim_end_matches(".jsonl");
    let numbered = (2..1000).map(|n| dir.join(format!("{stem}-{n}.jsonl")));
    std::iter::once(dir.join(name)).chain(numbered).find(|path| !path.exists()).unwrap_or_else(|| dir.join(name))
}

fn conclude(done: &Fuzzed) {
    if let Some(why) = &done.unreachable {
        return say(format_args!("nothing can be said of the target: {}", printable(why)));
    }
    say(shown(done.figures));
    for (file, met) in done.caught.iter().filter(|(_, met)| *met > 1) {
        say(format_args!("{} ({}): met {met} times", printable(&file.rule), printable(&file.bucket.operation)));
    }
    if let Some(why) = &done.ended {
        say(format_args!("ended before its time: {}", printable(why)));
    }
}

fn in_json(all: &[(Dialect, Fuzzed)]) -> String {
    let each: Vec<_> = all
        .iter()
        .map(|(dialect, done)| {
            let Figures { dialogues, operations, cells, .. } = done.figures;
            let findings: Vec<_> =
                done.caught.iter().map(|(file, met)| json!({ "finding": file, "met": met })).collect();
            json!({
                "dialect": dialect.word(), "dialogues": dialogues, "operations": operations, "cells": cells,
                "findings": findings, "unreachable": done.unreachable, "ended": done.ended,
            })
        })
        .collect();
    json!({ "campaigns": each }).to_string()
}
