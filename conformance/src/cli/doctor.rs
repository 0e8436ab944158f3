//! `syncspec doctor`: climbs to the first event, and stops at the rung that breaks.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use syncspec::survey::doctor::{Rung, State, climb};

use super::chosen::Whom;
use super::{random_seed, say, usage};

/// A rung is broken, as in the exit code table: no statement about the target.
const BROKEN: u8 = 3;

#[derive(Args)]
pub(super) struct DoctorOptions {
    #[command(flatten)]
    pub(super) whom: Whom,
    /// Limit for one answer.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub(super) step_timeout: Duration,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(options: &DoctorOptions) -> u8 {
    match examine(options) {
        Ok(rungs) => tell(&rungs, options.json),
        Err(what) => usage(what),
    }
}

fn examine(options: &DoctorOptions) -> Result<Vec<Rung>, String> {
    let chosen = options.whom.choose()?.ok_or("no endpoint: give ENDPOINT, or name a target in syncspec.toml")?;
    let endpoint = chosen.spec.without_credentials().map_err(|error| error.to_string())?;
    let dialer = chosen.dialer(&options.whom.target, &endpoint, options.step_timeout)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let rungs = runtime.block_on(climb(&dialer, &endpoint, options.step_timeout, random_seed()));
    // A name service that does not answer is not waited for.
    runtime.shutdown_background();
    Ok(rungs)
}

fn tell(rungs: &[Rung], as_json: bool) -> u8 {
    let broken = rungs.iter().find(|rung| rung.state == State::Broken);
    let code = if broken.is_some() { BROKEN } else { 0 };
    if as_json {
        let told = json!({ "rungs": rungs, "broken": broken.map(|rung| rung.name), "exit": code });
        say(serde_json::to_string_pretty(&told).unwrap_or_default());
        return code;
    }
    for rung in rungs {
        let word = match rung.state {
            State::Holds => "ok",
            State::Noted => "note",
            State::Skipped => "skip",
            State::Broken => "BROKEN",
        };
        say(format_args!("{:<13} {word:<7} {}", rung.name, [&rung.tried, &rung.seen].map(String::as_str).join(": ")));
        if !rung.cure.is_empty() {
            say(format_args!("{:<13} cure    {}", "", rung.cure));
        }
    }
    match broken {
        Some(rung) => say(format_args!("exit {code}: the rung {} is broken", rung.name)),
        None => say(format_args!("exit 0: every rung holds; syncspec server can judge this target")),
    }
    code
}
