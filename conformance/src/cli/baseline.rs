//! `syncspec baseline`: makes, mends and checks a baseline from the JSON report of a run.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use syncspec::report::baseline::{Baseline, BaselineRecord, Comparison, Fresh, UpdateError, Updated, init, update};
use syncspec::report::exit::{ExitFacts, decide};
use syncspec::report::json::{ExitRecord, pretty};
use syncspec::report::read::file_text;
use syncspec::report::{Exit, Run, is_known_case, read, restore};
use syncspec::verdict::Verdict;

use super::report::put;
use super::{say, today, usage};

const BASELINE_HELP: &str = "\
A baseline lists the verdicts that are expected of a target, each with its reason; with --baseline FILE a run of
syncspec server fails on what is new, on what has become better (stale), on ids that do not exist, and on entries
beyond their last day. Everything here works on the JSON report of a run; no target is contacted.

Examples:
  syncspec baseline init run.json -o target.toml --reason 'as found on the first run, see issue 12'
  syncspec baseline check run.json target.toml
  syncspec baseline update run.json target.toml -k graphql/init --reason 'the ack changed' --link https://...
  syncspec baseline update run.json target.toml --expires 2027-01-31

Exit codes: 0 the run is as the baseline says; 1 regressions; 2 wrong arguments or files, an id that does not exist, or
a new entry without a reason (nothing is written); 6 stale or expired entries.";

#[derive(Args)]
#[command(after_help = BASELINE_HELP)]
pub(super) struct BaselineOptions {
    #[command(subcommand)]
    command: BaselineCommand,
}

#[derive(Subcommand)]
enum BaselineCommand {
    /// Write a baseline that a run matches: its failures and warnings, each with the given reason.
    Init(InitOptions),
    /// Bring a baseline up to a run. Reasons, links and comments stay; what is new needs a reason.
    Update(UpdateOptions),
    /// Compare a run with a baseline.
    Check(CheckOptions),
}

#[derive(Args)]
struct FreshOptions {
    /// Why new failures are expected. Without it there are no new entries.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Where more is said of new entries.
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// The last day of new entries, and the new one of entries that have expired.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    expires: Option<NaiveDate>,
    /// Take in only new cases whose id contains this, or is like this pattern with *; several are separated by commas.
    #[arg(long, short = 'k', value_name = "TEXT", value_delimiter = ',')]
    filter: Vec<String>,
}

#[derive(Args)]
struct InitOptions {
    /// The report of the run: JSON or NDJSON; "-" is standard input.
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// Name of the target. [default: the host of its URL]
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    #[command(flatten)]
    fresh: FreshOptions,
    /// Where to write; a file that is there stays. [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Args)]
struct UpdateOptions {
    /// The report of the run: JSON or NDJSON; "-" is standard input.
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// The baseline.
    #[arg(value_name = "BASELINE")]
    baseline: PathBuf,
    #[command(flatten)]
    fresh: FreshOptions,
    /// Where to write. [default: over the baseline]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Args)]
struct CheckOptions {
    /// The report of the run: JSON or NDJSON; "-" is standard input.
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    /// The baseline.
    #[arg(value_name = "BASELINE")]
    baseline: PathBuf,
    /// Count warnings that are not listed as regressions.
    #[arg(long)]
    strict: bool,
    /// Write the comparison as JSON.
    #[arg(long)]
    json: bool,
}

fn date(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| format!("expected a date such as 2027-01-31; got {text:?}"))
}

pub(super) fn run(options: &BaselineOptions) -> u8 {
    let done = match &options.command {
        BaselineCommand::Init(options) => first(options),
        BaselineCommand::Update(options) => mend(options),
        BaselineCommand::Check(options) => check(options),
    };
    done.unwrap_or_else(usage)
}

fn first(options: &InitOptions) -> Result<u8, String> {
    let run = judged(&options.report)?;
    if let Some(path) = options.output.as_deref().filter(|path| path.exists() && *path != Path::new("-")) {
        return Err(format!("{}: expected no such file; it is there, see syncspec baseline update", path.display()));
    }
    let updated = init(&run, options.target.as_deref(), &options.fresh.fresh()).map_err(|error| error.to_string())?;
    put(options.output.as_deref(), &updated.text)?;
    if options.output.is_some() {
        tell(&updated);
    }
    Ok(0)
}

fn mend(options: &UpdateOptions) -> Result<u8, String> {
    let run = judged(&options.report)?;
    let text = file_text(&options.baseline, "a baseline").map_err(|error| error.to_string())?;
    let updated = update(&text, &options.baseline, &run, today(), &options.fresh.fresh());
    let updated = updated.map_err(|error| match error {
        UpdateError::Baseline(error) => error.to_string(),
        error @ (UpdateError::WithoutReason(_) | UpdateError::Expired(_)) => {
            format!("{}: {error}", options.baseline.display())
        }
    })?;
    put(Some(options.output.as_deref().unwrap_or(&options.baseline)), &updated.text)?;
    tell(&updated);
    Ok(ending(&run, &updated.comparison, false).code)
}

fn check(options: &CheckOptions) -> Result<u8, String> {
    let run = judged(&options.report)?;
    let text = file_text(&options.baseline, "a baseline").map_err(|error| error.to_string())?;
    let baseline = Baseline::parse(&text, &options.baseline).map_err(|error| error.to_string())?.as_of(today());
    let comparison = baseline.compare(&run, is_known_case);
    let exit = ending(&run, &comparison, options.strict);
    if options.json {
        #[derive(serde::Serialize)]
        struct Checked {
            target: String,
            baseline: BaselineRecord,
            exit: ExitRecord,
        }
        let exit = ExitRecord { code: exit.code, reason: exit.reason.clone() };
        say(pretty(&Checked { target: baseline.target, baseline: BaselineRecord::of(&comparison), exit }).trim_end());
    } else {
        say(&comparison);
        say(format_args!("\nexit {}: {}", exit.code, exit.reason));
    }
    Ok(exit.code)
}

/// The exit code of a comparison alone: what else went wrong in the run was told there.
fn ending(run: &Run, comparison: &Comparison, strict: bool) -> Exit {
    let says = |verdict| matches!(verdict, Verdict::Pass | Verdict::Fail | Verdict::Warn | Verdict::Info);
    let executed = run.cases.iter().filter(|case| says(case.verdict)).count();
    decide(&ExitFacts { strict, baseline: Some(comparison), executed, ..ExitFacts::default() })
}

/// The run of a report that has one target.
fn judged(path: &Path) -> Result<Run, String> {
    let document = read::from_file(path).map_err(|error| error.to_string())?;
    if !document.targets.is_empty() {
        return Err(format!("{}: expected the report of one target; got a merged one", path.display()));
    }
    restore::run(&document).map_err(|error| read::ReadError { path: Some(path.into()), ..error }.to_string())
}

fn tell(updated: &Updated) {
    for change in &updated.changes {
        say(change);
    }
    if updated.changes.is_empty() {
        say("nothing to change");
    }
    if !updated.comparison.is_clean() {
        say(format_args!("left as it was: {}", updated.comparison));
    }
}

impl FreshOptions {
    fn fresh(&self) -> Fresh {
        Fresh {
            reason: self.reason.clone().filter(|reason| !reason.trim().is_empty()),
            link: self.link.clone(),
            expires: self.expires,
            only: self.filter.iter().filter(|text| !text.is_empty()).cloned().collect(),
        }
    }
}
