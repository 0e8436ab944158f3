//! One test per scenario against a target: `SYNCSPEC_ENDPOINT=... cargo test -p syncspec --test target`.
//!
//! The suite runs once; its cases are mapped to tests. Runners that start a process per test (nextest) share
//! one result through a locked file, keyed by the run, the target and the options. Without a target the
//! embedded reference endpoint is judged, and the first line says so; `SYNCSPEC_REQUIRE_TARGET=1` makes that
//! an error, so that nobody tests our endpoint in place of their own without noticing.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a test harness speaks to the terminal")]

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::server::Mode;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use syncspec::auth::{AwsKeys, Keyring, mode_word, region_of};
use syncspec::catalogue::scenarios;
use syncspec::link::{DialOptions, Dialer};
use syncspec::reference::Config;
use syncspec::run::{Options, Stop, run};
use syncspec::scenario::Tier;
use syncspec::target::{Embedded, Spec};
use tokio::sync::{mpsc, watch};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let setup = match Setup::from_env() {
        Ok(setup) => setup,
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::from(2);
        }
    };
    if !arguments.list {
        println!("{}", setup.introduction());
    }
    let results = if arguments.list { Ok(BTreeMap::new()) } else { setup.results() };
    let results = match results {
        Ok(results) => results,
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::from(3);
        }
    };
    let trials = scenarios()
        .filter(|scenario| setup.speaks(scenario.dialect) && scenario.tier <= setup.tier)
        .map(|scenario| {
            let result = results.get(scenario.id).cloned();
            let ignored = result.as_ref().is_some_and(|(verdict, _)| matches!(verdict.as_str(), "n/a" | "blocked"));
            let name = scenario.id.replace('/', "::");
            if ignored && let Some((verdict, reason)) = &result {
                println!("ignored {name}: {verdict}: {reason}");
            }
            Trial::test(name, move || report(result)).with_ignored_flag(ignored)
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Pass and info pass, a warning passes with its text, a failure and an inconclusive case fail.
fn report(result: Option<(String, String)>) -> Result<(), Failed> {
    let (verdict, reason) = result.ok_or("the case was not run")?;
    match verdict.as_str() {
        "pass" | "info" => Ok(()),
        "warn" => {
            println!("warning: {reason}");
            Ok(())
        }
        _ => Err(format!("{verdict}: {reason}").into()),
    }
}

/// What the environment asks for.
struct Setup {
    spec: Spec,
    tier: Tier,
    limits: bool,
}

type Results = BTreeMap<String, (String, String)>;

impl Setup {
    fn from_env() -> Result<Self, String> {
        let text = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let dialect = match text("SYNCSPEC_DIALECT").as_deref() {
            None | Some("auto") => None,
            Some("graphql") => Some(Dialect::Graphql),
            Some("events") => Some(Dialect::Events),
            Some(other) => return Err(format!("SYNCSPEC_DIALECT={other}: expected auto, graphql or events")),
        };
        let tier = match text("SYNCSPEC_TIER").as_deref() {
            None | Some("quick") => Tier::Quick,
            Some("standard") => Tier::Standard,
            Some("long") => Tier::Long,
            Some(other) => return Err(format!("SYNCSPEC_TIER={other}: expected quick, standard or long")),
        };
        let spec = Spec {
            endpoint: text("SYNCSPEC_ENDPOINT"),
            realtime: text("SYNCSPEC_REALTIME"),
            dialect,
            namespaces: text("SYNCSPEC_NAMESPACES")
                .map(|all| all.split(',').map(Into::into).collect())
                .unwrap_or_default(),
            ..Spec::default()
        };
        let spec = if spec.endpoint.is_some() { with_credentials(spec)? } else { spec };
        if spec.endpoint.is_none() && text("SYNCSPEC_REQUIRE_TARGET").is_some_and(|value| value != "0") {
            return Err("SYNCSPEC_REQUIRE_TARGET is set, but SYNCSPEC_ENDPOINT is not".into());
        }
        if spec.endpoint.is_some() {
            spec.resolve().map_err(|error| error.to_string())?;
        }
        let limits = spec.endpoint.is_none() || text("SYNCSPEC_LIMITS").is_some_and(|value| value != "0");
        Ok(Self { spec, tier, limits })
    }

    fn introduction(&self) -> String {
        match &self.spec.endpoint {
            Some(endpoint) => format!("target: {endpoint} (SYNCSPEC_ENDPOINT)"),
            None => "target: the embedded reference endpoint (set SYNCSPEC_ENDPOINT to judge yours)".into(),
        }
    }

    fn speaks(&self, dialect: Dialect) -> bool {
        match &self.spec.endpoint {
            None => self.spec.dialect.is_none_or(|own| own == dialect),
            Some(_) => self.spec.resolve().is_ok_and(|endpoint| endpoint.dialect == dialect),
        }
    }

    /// The results of the suite, run by whoever comes first.
    fn results(&self) -> Result<Results, String> {
        let Some(run_id) = std::env::var_os("NEXTEST_RUN_ID") else { return self.play() };
        let mut key = DefaultHasher::new();
        (run_id, &self.spec.endpoint, &self.spec.realtime, &self.spec.namespaces, self.tier.word(), self.limits)
            .hash(&mut key);
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("target-{:016x}.json", key.finish()));
        let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
        let mut file: File =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(wrong)?;
        file.lock().map_err(wrong)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(wrong)?;
        if let Some(results) = read(&text) {
            return Ok(results);
        }
        let results = self.play()?;
        file.set_len(0).and_then(|()| file.rewind()).map_err(wrong)?;
        file.write_all(json!(results).to_string().as_bytes()).map_err(wrong)?;
        Ok(results)
    }

    fn play(&self) -> Result<Results, String> {
        let embedded = match &self.spec.endpoint {
            Some(_) => None,
            None => Some(Embedded::start(Config::default()).map_err(|error| error.to_string())?),
        };
        let endpoints = match &embedded {
            Some(embedded) => embedded.endpoints(),
            None => vec![self.spec.resolve().map_err(|error| error.to_string())?],
        };
        let dialer = Dialer::new(DialOptions::default()).map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let (progress, _news) = mpsc::unbounded_channel();
        let (_interrupt, interrupted) = watch::channel(false);
        let finished =
            runtime.block_on(run(self.options(endpoints, embedded.is_some()), dialer, progress, interrupted));
        match finished.stop {
            Some(Stop::Unreachable(why) | Stop::Harness(why)) => Err(why),
            None => {
                let cases = finished.run.cases.into_iter();
                Ok(cases.map(|case| (case.id, (case.verdict.word().into(), case.reason))).collect())
            }
        }
    }

    fn options(&self, endpoints: Vec<syncspec::run::Endpoint>, embedded: bool) -> Options {
        Options {
            endpoints,
            embedded,
            comes_back: embedded,
            filters: Vec::new(),
            tier: self.tier,
            limits: self.limits,
            jobs: 16,
            seed: u64::from(std::process::id()),
            step_timeout: Duration::from_secs(5),
            case_timeout: Duration::from_secs(180),
            run_timeout: Duration::from_secs(15 * 60),
            max_connections: 5_000,
            max_messages: 50_000,
            rate: None,
            restart_cmd: std::env::var("SYNCSPEC_RESTART_CMD").ok(),
            restart_wait: Duration::from_secs(10),
            panic_in: None,
        }
    }
}

/// The credentials of the environment, as `syncspec server` reads them; `SYNCSPEC_IAM=1` stands for `--iam`.
fn with_credentials(spec: Spec) -> Result<Spec, String> {
    let text = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let place = spec.place().map_err(|error| error.to_string())?;
    let api_key = text("SYNCSPEC_API_KEY");
    let tokens: Vec<String> = text("SYNCSPEC_TOKEN").into_iter().collect();
    let signs = text("SYNCSPEC_IAM").is_some_and(|value| value != "0");
    let iam = signs.then(|| AwsKeys::from_environment(None, region_of(&place.auth_host)));
    let iam = iam.transpose().map_err(|error| format!("SYNCSPEC_IAM: {error}"))?;
    let main = match text("SYNCSPEC_MODE") {
        None => None,
        Some(word) => {
            let known = Mode::ALL.into_iter().find(|mode| mode_word(*mode) == word);
            Some(known.ok_or(format!("SYNCSPEC_MODE={word}: expected api-key, iam, oidc, cognito or lambda"))?)
        }
    };
    let keyring = Keyring::gathered(api_key.as_deref(), &tokens, iam, main)?;
    Ok(Spec { api_key, keyring, denied: text("SYNCSPEC_DENIED"), ..spec })
}

fn read(text: &str) -> Option<Results> {
    let Value::Object(members) = serde_json::from_str(text).ok()? else { return None };
    members
        .into_iter()
        .map(|(id, pair)| Some((id, (pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.as_str()?.to_owned()))))
        .collect()
}
