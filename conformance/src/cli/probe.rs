//! `syncspec probe`: what a target is.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use syncspec::profile::{Fact, Profile, Standing};
use syncspec::scenario::cut;
use syncspec::survey::probe::{Options, probe};

use super::chosen::Whom;
use super::plan::is_remote;
use super::{random_seed, say, usage};

/// The target cannot be reached, as in the exit code table.
const UNREACHABLE: u8 = 3;

#[derive(Args)]
pub(super) struct ProbeOptions {
    #[command(flatten)]
    pub(super) whom: Whom,
    /// Also look for limits: hundreds of subscriptions, messages of megabytes. For endpoints of your own.
    #[arg(long)]
    pub(super) limits: bool,
    /// Yes, this endpoint is mine: look for limits although it is not on this machine.
    #[arg(long)]
    pub(super) i_own_this_endpoint: bool,
    /// Limit for one answer.
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = humantime::parse_duration)]
    pub(super) step_timeout: Duration,
    /// Print JSON.
    #[arg(long, conflicts_with = "toml")]
    pub(super) json: bool,
    /// Print TOML that syncspec.toml can name as profile.
    #[arg(long)]
    pub(super) toml: bool,
}

pub(super) fn run(options: &ProbeOptions) -> u8 {
    let looked = match look(options) {
        Ok(looked) => looked,
        Err(what) => return usage(what),
    };
    let (profile, declared) = match looked {
        Ok(found) => found,
        Err(what) => {
            eprintln!("syncspec: {what}");
            return UNREACHABLE;
        }
    };
    if options.json {
        say(serde_json::to_string_pretty(&profile).unwrap_or_default());
    } else if options.toml {
        say(profile.to_toml().trim_end());
    } else {
        say(text(&profile, &declared).trim_end());
    }
    0
}

type Found = Result<(Profile, BTreeMap<Fact, bool>), String>;

/// The outer error is of the arguments, the inner one of the target.
fn look(options: &ProbeOptions) -> Result<Found, String> {
    let chosen = options.whom.choose()?.ok_or("no endpoint: give ENDPOINT, or name a target in syncspec.toml")?;
    let endpoint = chosen.spec.without_credentials().map_err(|error| error.to_string())?;
    let dialer = chosen.dialer(&options.whom.target, &endpoint, options.step_timeout)?;
    if options.limits && is_remote(&dialer, &endpoint) && !options.i_own_this_endpoint {
        return Err(
            "--limits creates hundreds of subscriptions and sends megabytes: for an endpoint that is not on this \
                    machine it needs --i-own-this-endpoint"
                .into(),
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let wanted = Options { patience: options.step_timeout, limits: options.limits, seed: random_seed() };
    let found = runtime.block_on(probe(&dialer, &endpoint, wanted));
    // A name service that does not answer is not waited for.
    runtime.shutdown_background();
    Ok(found.map(|profile| (profile, endpoint.declared)))
}

/// The profile for a person.
pub(super) fn text(profile: &Profile, declared: &BTreeMap<Fact, bool>) -> String {
    let mut lines = vec![
        format!("endpoint   {}", profile.endpoint),
        format!("real time  {}", profile.realtime),
        format!("dialect    {}", profile.dialect),
        String::new(),
    ];
    for fact in Fact::ALL {
        let standing = Standing { declared: declared.get(fact).copied(), detected: profile.detected(*fact) };
        let because = profile.because.get(fact.name()).map(String::as_str).unwrap_or_default();
        if because.is_empty() && standing == Standing::default() {
            continue;
        }
        lines.push(format!("{:<20} {:<9} {}", fact.name(), standing.state().word(), cut(because, 140)));
        lines.extend(standing.conflict().map(|conflict| format!("{:<20} conflict  {conflict}", "")));
    }
    for (name, ms) in &profile.timers {
        lines.push(format!("{name:<20} {ms} ms"));
    }
    for (name, is_there) in &profile.namespaces {
        let word = if *is_there { "there" } else { "not there, or not for these credentials" };
        lines.push(format!("namespace {name:<10} {word}"));
    }
    for (name, limit) in &profile.limits {
        let refused = limit.refused.map(|n| format!(", {n} refused")).unwrap_or_else(|| ", no limit found".into());
        lines.push(format!("limit {name:<30} {} {} taken{refused}", limit.taken, limit.unit));
    }
    if let Some(said) = profile.because.get("without-credentials") {
        lines.push(format!("without credentials  {}", cut(said, 140)));
        lines.push("give credentials (SYNCSPEC_API_KEY, SYNCSPEC_TOKEN, --iam) to see more".into());
    }
    if !profile.subscriptions.is_empty() {
        lines.push(format!("subscription fields  {}", cut(&profile.subscriptions.join(", "), 200)));
    }
    lines.join("\n")
}
