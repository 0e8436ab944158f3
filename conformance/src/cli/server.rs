//! `syncspec server`: judge a target and say what is wrong.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use syncspec::catalogue::scenarios;
use syncspec::link::Dialer;
use syncspec::report::baseline::{self, Baseline, BaselineRecord, Comparison};
use syncspec::report::exit::{ExitFacts, decide};
use syncspec::report::explain::scenarios_near;
use syncspec::report::format::{Format, render};
use syncspec::report::text::{self, Style};
use syncspec::report::{Case, Run, is_known_case, json, junit, ndjson};
use syncspec::run::{Endpoint, Finished, Options, POLITE_RATE, Progress, is_named, run as run_suite};
use syncspec::scenario::Tier;
use syncspec::verdict::Verdict;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::args::{ColorChoice, ServerOptions, TierChoice};
use super::chosen::{Chosen, Guards};
use super::{again, plan, random_seed, say, usage};

/// Where reports go.
#[derive(Default)]
struct Reports {
    json: Vec<PathBuf>,
    junit: Vec<PathBuf>,
    ndjson: Vec<ndjson::Writer<BufWriter<File>>>,
    /// Forms that are made from the JSON records.
    derived: Vec<(Format, PathBuf)>,
}

pub(super) fn run(options: &ServerOptions) -> u8 {
    match prepare(options) {
        Ok(prepared) => judge(options, prepared),
        Err(what) => usage(what),
    }
}

/// Everything that can be wrong before anything is run.
struct Prepared {
    endpoints: Vec<Endpoint>,
    embedded: Option<Embedded>,
    dialer: Dialer,
    baseline: Option<Baseline>,
    reports: Reports,
    guards: Guards,
    /// The name of the target in syncspec.toml.
    name: Option<String>,
}

fn prepare(options: &ServerOptions) -> Result<Prepared, String> {
    options.filter.iter().try_for_each(|filter| matches_something(filter))?;
    let chosen = options.whom.choose()?;
    let expected = options.baseline.as_deref().or(chosen.as_ref().and_then(|chosen| chosen.baseline.as_deref()));
    let baseline = expected.map(read_baseline).transpose()?;
    let reports = open_reports(&options.report)?;
    options.write_baseline.as_deref().map(try_to_write).transpose()?;
    let (endpoints, embedded) = find_target(options, chosen.as_ref())?;
    let first = endpoints.first();
    let dialer = match (&chosen, first) {
        (Some(chosen), Some(first)) => chosen.dialer(&options.whom.target, first, options.step_timeout * 2)?,
        (Some(_) | None, _) => {
            let hosts = first.map(|endpoint| (&endpoint.http, &endpoint.realtime));
            options.whom.target.dialer(hosts, options.step_timeout * 2)?
        }
    };
    let guards = chosen.as_ref().map(|chosen| chosen.guards).unwrap_or_default();
    let name = chosen.and_then(|chosen| chosen.name);
    Ok(Prepared { endpoints, embedded, dialer, baseline, reports, guards, name })
}

/// A filter that is misspelled would leave out what somebody meant to run.
fn matches_something(filter: &str) -> Result<(), String> {
    if filter.is_empty() || scenarios().any(|scenario| is_named(scenario, filter)) {
        return Ok(());
    }
    let near = scenarios_near(filter);
    Err(match near.as_slice() {
        [] => format!("--filter {filter:?}: no scenario has this in its id; `syncspec list` shows them all"),
        near => format!("--filter {filter:?}: no scenario has this in its id; near to it are {}", near.join(", ")),
    })
}

fn find_target(options: &ServerOptions, chosen: Option<&Chosen>) -> Result<(Vec<Endpoint>, Option<Embedded>), String> {
    let dialect = options.whom.target.dialect();
    let Some(chosen) = chosen else {
        let (mut endpoints, embedded) = start_embedded(options)?;
        endpoints.retain(|endpoint| dialect.is_none_or(|d| d == endpoint.dialect));
        return Ok((endpoints, Some(embedded)));
    };
    if options.ka.is_some() {
        return Err("--ka is for the built-in endpoint; a target keeps its own interval".into());
    }
    Ok((vec![chosen.spec.resolve().map_err(|error| error.to_string())?], None))
}

#[cfg(feature = "endpoint")]
type Embedded = syncspec::target::Embedded;

#[cfg(feature = "endpoint")]
fn start_embedded(options: &ServerOptions) -> Result<(Vec<Endpoint>, Embedded), String> {
    let mut config = syncspec::reference::Config::default();
    if let Some(ka) = options.ka {
        config.policy.keep_alive = ka;
    }
    let embedded = Embedded::start(config).map_err(|error| error.to_string())?;
    Ok((embedded.endpoints(), embedded))
}

/// There is none.
#[cfg(not(feature = "endpoint"))]
type Embedded = Box<std::convert::Infallible>;

#[cfg(not(feature = "endpoint"))]
fn start_embedded(_: &ServerOptions) -> Result<(Vec<Endpoint>, Embedded), String> {
    Err(super::WITHOUT_ENDPOINT.into())
}

fn read_baseline(path: &Path) -> Result<Baseline, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("--baseline {}: {error}", path.display()))?;
    Ok(Baseline::parse(&text, path).map_err(|error| error.to_string())?.as_of(super::today()))
}

fn open_reports(wanted: &[String]) -> Result<Reports, String> {
    let mut reports = Reports::default();
    for report in wanted {
        let Some((format, path)) = report.split_once('=') else {
            return Err(format!("--report {report:?}: expected FORMAT=PATH, such as junit=report.xml"));
        };
        let derived = Format::parse(format);
        if derived.is_none() && format != "ndjson" {
            let known = Format::ALL.map(Format::word).join(", ");
            return Err(format!("--report {report:?}: expected ndjson or one of {known}"));
        }
        if path == "-" {
            let derived = derived.ok_or_else(|| format!("--report {report:?}: expected a file for ndjson"))?;
            reports.derived.push((derived, path.into()));
            continue;
        }
        // The file is opened before the run, so that a bad path costs nothing.
        let file = File::create(path).map_err(|error| format!("--report {report:?}: {error}"))?;
        match format {
            "json" => reports.json.push(path.into()),
            "junit" => reports.junit.push(path.into()),
            _ if derived.is_some() => reports.derived.extend(derived.map(|derived| (derived, path.into()))),
            _ => reports.ndjson.push(ndjson::Writer::new(BufWriter::new(file))),
        }
    }
    Ok(reports)
}

/// Whether a file can be written, without touching what is in it; a file that was not there is not left behind.
fn try_to_write(path: &Path) -> Result<(), String> {
    let new = !path.exists();
    let opened = File::options().append(true).create(true).open(path);
    opened.map_err(|error| format!("--write-baseline {}: {error}", path.display()))?;
    if new {
        // That it stays is no harm: the run is going to fill it.
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

fn judge(options: &ServerOptions, prepared: Prepared) -> u8 {
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return usage(format_args!("no runtime: {error}")),
    };
    let Prepared { endpoints, embedded, dialer, baseline, mut reports, guards, name } = prepared;
    let style = style(options.color);
    let remote = endpoints.iter().any(|endpoint| plan::is_remote(&dialer, endpoint));
    let run_options = run_options(options, endpoints, embedded.is_some(), (guards, remote));
    if !options.quiet {
        plan::introduce(&run_options, name.as_deref(), remote);
    }
    let arguments = again::arguments(options, name.as_deref());
    let mut shell = run_options.blank_run();
    shell.target.arguments.clone_from(&arguments);
    let finished = runtime.block_on(watch_run(options, (run_options, &shell), dialer, &mut reports, &style));
    drop(embedded);

    let comparison = baseline.as_ref().map(|baseline| baseline.compare(&finished.run, is_known_case));
    let mut facts =
        ExitFacts { strict: options.strict, min_cases: options.min_cases, ..finished.facts(comparison.as_ref()) };
    let mut run = finished.run;
    run.target.arguments = arguments;
    run.exit = decide(&facts);
    write_reports(options, &mut reports, &mut run, &mut facts);
    if let Some(comparison) = &comparison {
        say(comparison);
    }
    if options.quiet {
        say(format_args!("exit {}: {}", run.exit.code, run.exit.reason));
    } else {
        say(text::summary(&run, &style));
    }
    run.exit.code
}

fn run_options(
    options: &ServerOptions,
    endpoints: Vec<Endpoint>,
    embedded: bool,
    (guards, remote): (Guards, bool),
) -> Options {
    let tier = match options.tier {
        TierChoice::Quick => Tier::Quick,
        TierChoice::Standard => Tier::Standard,
        TierChoice::Long => Tier::Long,
    };
    let (case, run) = match tier {
        Tier::Quick => (60, 15 * 60),
        Tier::Standard => (180, 15 * 60),
        Tier::Long => (25 * 3600, 26 * 3600),
    };
    let minutes = options.max_minutes.or(guards.minutes).map(|minutes| Duration::from_secs(minutes * 60));
    let run_timeout = options.run_timeout.unwrap_or(Duration::from_secs(run));
    let rate = options.rate.or(guards.rate).or_else(|| remote.then_some(POLITE_RATE));
    Options {
        endpoints,
        embedded,
        comes_back: embedded || options.restart_cmd.is_some(),
        filters: options.filter.iter().filter(|f| !f.is_empty()).cloned().collect(),
        tier,
        limits: options.limits || embedded,
        jobs: options.jobs,
        seed: options.seed.unwrap_or_else(random_seed),
        step_timeout: options.step_timeout,
        case_timeout: options.case_timeout.unwrap_or(Duration::from_secs(case)),
        run_timeout: minutes.map_or(run_timeout, |minutes| minutes.min(run_timeout)),
        max_connections: options.max_connections.or(guards.connections).unwrap_or(5_000),
        max_messages: options.max_messages.or(guards.messages).unwrap_or(50_000),
        rate,
        restart_cmd: options.restart_cmd.clone(),
        restart_wait: options.restart_wait,
        panic_in: options.panic_in.clone(),
    }
}

/// Runs the suite, shows how far it is, prints failures as they come and streams reports.
async fn watch_run(
    options: &ServerOptions,
    (run_options, shell): (Options, &Run),
    dialer: Dialer,
    reports: &mut Reports,
    style: &Style,
) -> Finished {
    let (progress, mut news) = mpsc::unbounded_channel();
    let (interrupt, interrupted) = watch::channel(false);
    // Before anything is dialled: there is no moment at which an interrupt leaves no reports.
    if let Ok(mut asked) = signal(SignalKind::interrupt()) {
        tokio::spawn(async move {
            asked.recv().await;
            let _ = interrupt.send(true);
            // Whoever asks twice does not want to wait for a clean end.
            asked.recv().await;
            std::process::exit(130);
        });
    }
    let bar = bar();
    let mut handle = |item: Progress| match item {
        Progress::Planned(cases) => {
            bar.set_length(cases as u64);
            for writer in &mut reports.ndjson {
                complain(writer.started(shell, cases));
            }
        }
        Progress::Note(note) => bar.suspend(|| eprintln!("note: {note}")),
        Progress::Case(case) => {
            for writer in &mut reports.ndjson {
                complain(writer.case(&case));
            }
            bar.suspend(|| show(options, &case, shell, style));
            bar.inc(1);
            bar.set_message(case.id.clone());
        }
    };
    let running = run_suite(run_options, dialer, progress, interrupted);
    tokio::pin!(running);
    let finished = loop {
        tokio::select! {
            finished = &mut running => break finished,
            Some(item) = news.recv() => handle(item),
        }
    };
    while let Ok(item) = news.try_recv() {
        handle(item);
    }
    bar.finish_and_clear();
    finished
}

fn bar() -> ProgressBar {
    let target =
        if std::env::var_os("CI").is_some() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    if let Ok(style) = ProgressStyle::with_template("{pos:>4}/{len} {elapsed:>4}  {wide_msg}") {
        bar.set_style(style);
    }
    bar
}

fn show(options: &ServerOptions, case: &Case, run: &Run, style: &Style) {
    match case.verdict {
        Verdict::Fail => say(text::failure(case, run, style)),
        Verdict::Warn if !options.quiet => say(text::failure(case, run, style)),
        Verdict::Pass
        | Verdict::Warn
        | Verdict::Info
        | Verdict::NotApplicable
        | Verdict::Blocked
        | Verdict::Inconclusive => {
            if options.verbose {
                say(format_args!("{:<12} {}  {}", case.verdict, case.id, case.reason));
                for evidence in &case.evidence {
                    say(format_args!("             {evidence}"));
                }
            }
        }
    }
}

fn complain(written: std::io::Result<()>) {
    if let Err(error) = written {
        eprintln!("syncspec: --report ndjson: {error}");
    }
}

/// Writes every report. One that cannot be written changes the exit code, so those that tell it come last, and
/// again where the last of all fails.
fn write_reports(options: &ServerOptions, reports: &mut Reports, run: &mut Run, facts: &mut ExitFacts<'_>) {
    let comparison = facts.baseline;
    let mut note = |run: &mut Run, written: Result<(), String>| {
        let Err(what) = written else { return false };
        eprintln!("syncspec: {what}");
        facts.usage.get_or_insert(what);
        run.exit = decide(facts);
        true
    };
    note(run, write_what_tells_no_exit(options, reports, run));
    if note(run, write_json(reports, run, comparison)) {
        note(run, write_json(reports, run, comparison));
    }
    let lines = reports.ndjson.iter_mut().try_for_each(|writer| writer.finished(run));
    if note(run, lines.map_err(|error| format!("--report ndjson: {error}"))) {
        note(run, write_json(reports, run, comparison));
    }
}

fn write_what_tells_no_exit(options: &ServerOptions, reports: &Reports, run: &Run) -> Result<(), String> {
    for path in &reports.junit {
        let text = junit::to_junit(run, options.strict).map_err(|error| format!("--report junit: {error}"))?;
        put(path, &text)?;
    }
    options.write_baseline.as_deref().map_or(Ok(()), |path| put(path, &baseline::write(run)))
}

/// Writes as many as it can.
fn write_json(reports: &Reports, run: &Run, comparison: Option<&Comparison>) -> Result<(), String> {
    if reports.json.is_empty() && reports.derived.is_empty() {
        return Ok(());
    }
    let baseline = comparison.map(BaselineRecord::of);
    let document = &json::Document { baseline, ..json::Document::of(run) };
    let text = json::to_text(document);
    let written = reports.json.iter().map(|path| put(path, &text));
    let derived = reports.derived.iter().map(move |(format, path)| {
        let text = render(document, *format).map_err(|error| format!("--report {}: {error}", format.word()))?;
        super::report::put(Some(path), &text).map(drop)
    });
    written.chain(derived).collect::<Vec<_>>().into_iter().collect()
}

fn put(path: &Path, text: &str) -> Result<(), String> {
    let written = File::create(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("{}: {error}", path.display()))
}

fn style(choice: ColorChoice) -> Style {
    let plain = std::env::var_os("NO_COLOR").is_some() || std::env::var_os("CI").is_some();
    let color = match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => !plain && std::io::stdout().is_terminal(),
    };
    Style { color, width: 100 }
}
