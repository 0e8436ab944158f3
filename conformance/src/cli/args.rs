//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::baseline::BaselineOptions;
use super::bench::BenchOptions;
use super::check::{CheckOptions, ConvertRecordingOptions};
use super::chosen::Whom;
use super::doctor::DoctorOptions;
use super::fuzz_args::{FuzzOptions, ShrinkOptions};
use super::init::InitOptions;
use super::probe::ProbeOptions;
use super::publish::PublishOptions;
use super::report_args::{ReplayOptions, ReportOptions};
use super::shell::{CompletionsOptions, ManOptions};
use super::subscribe::SubscribeOptions;

/// Conformance suite for AWS AppSync's real-time WebSocket protocols.
#[derive(Parser)]
#[command(name = "syncspec", version, about, max_term_width = 100, after_help = AFTER)]
pub(super) struct Options {
    #[command(subcommand)]
    pub(super) command: Command,
}

const AFTER: &str = "\
Exit codes (subscribe, publish and bench have their own, see their --help):
  0    everything selected passes, or fails exactly as the baseline says
  1    at least one unexpected failure
  2    wrong arguments or files, nothing was run; or the baseline names what does not exist
  3    the target cannot be reached or refuses the credentials: no statement about it
  4    nothing was selected, or fewer cases were run than --min-cases
  5    only inconclusive results where a verdict was required
  6    the baseline is stale: something listed now passes, or an entry is beyond its last day
  70   a defect of syncspec itself
  130  interrupted; reports hold what there was

Examples:
  syncspec server                                    judge the built-in reference endpoint
  syncspec server http://127.0.0.1:20002/graphql     judge an emulator (key in SYNCSPEC_API_KEY)
  syncspec explain GQL-SUB-026                       the rule, its source and what tests it";

#[derive(Subcommand)]
pub(super) enum Command {
    /// Judge a server: run every scenario against an endpoint and say what is wrong. Without ENDPOINT and without a
    /// syncspec.toml the built-in reference endpoint is started and judged.
    Server(Box<ServerOptions>),
    /// Run the reference endpoint in the foreground.
    Serve(Box<ServeOptions>),
    /// Put the suite itself on trial: what it catches, what it wrongly complains of, whether it says the same twice.
    Selftest(SelftestOptions),
    /// Look for what no scenario looks for: dialogues that nobody wrote, against a server, judged by the same rules.
    #[command(after_help = FUZZ)]
    Fuzz(Box<FuzzOptions>),
    /// Make the dialogue of a finding smaller.
    Shrink(Box<ShrinkOptions>),
    /// Subscribe to channels (Events) or with subscriptions (GraphQL), and print each event.
    Subscribe(Box<SubscribeOptions>),
    /// Publish events to a channel (Events), or run a mutation (GraphQL).
    Publish(Box<PublishOptions>),
    /// Say what a target is: dialects, carriers, authorization modes, timers, schema, namespaces, limits on request.
    Probe(Box<ProbeOptions>),
    /// Write syncspec.toml, which describes targets, from a few questions and a probe.
    #[command(after_help = INIT)]
    Init(Box<InitOptions>),
    /// Climb from the name of the host to the first event, and stop at what is broken, with the cure.
    #[command(after_help = DOCTOR)]
    Doctor(Box<DoctorOptions>),
    /// Load an endpoint: fan-out, throughput, connections, subscriptions, for as long as you like.
    Bench(Box<BenchOptions>),
    /// List scenarios or requirements.
    List(ListOptions),
    /// Explain a requirement, an ambiguity, a scenario or a saboteur.
    Explain(ExplainOptions),
    /// Convert, merge and compare reports, and draw matrices and badges from them.
    Report(ReportOptions),
    /// Run one case of a report again, or write it as a script.
    Replay(ReplayOptions),
    /// Make, mend and check a baseline of expected verdicts, from the report of a run.
    Baseline(BaselineOptions),
    /// Judge recordings: run the model over what was said on a connection, in files. No network.
    Check(CheckOptions),
    /// Make a recording out of one of another form, without its secrets.
    ConvertRecording(ConvertRecordingOptions),
    /// Print completions for a shell.
    Completions(CompletionsOptions),
    /// Print the manual page, or write one for each command.
    Man(ManOptions),
}

const INIT: &str = "\
The file describes targets by name, and holds no secrets. A GraphQL API that lacks the schema of the built-in scenarios
says in [targets.NAME.subscription] and [targets.NAME.trigger] which subscription to use and what makes it fire; then
every scenario that needs no more than that is run with it.

  syncspec init http://127.0.0.1:8700/graphql --yes
  syncspec doctor
  syncspec server";

const FUZZ: &str = "\
Without ENDPOINT the target of syncspec.toml is fuzzed, and where there is no such file the built-in reference endpoint.
What is found is played again three times and made smaller before it is told.

Exit codes:
  0    nothing was found that fails
  1    something that fails was found, each time that it was played again
  2    wrong arguments or files; nothing was tried
  3    nothing can be said of the target
  4    no dialogue was played
  5    something was found, but not each time
  130  interrupted

  syncspec fuzz http://127.0.0.1:8700/event --time 5m --findings findings
  syncspec replay findings/evt-sub-016-unsubscribe-live-silence.jsonl
  syncspec fuzz --saboteurs --cpu 2s";

const DOCTOR: &str = "\
Rungs: name, tcp, tls, upgrade, subprotocol, credentials, clock, subscription, trigger.

Exit codes:
  0    every rung holds
  2    wrong arguments or files; nothing was tried
  3    a rung is broken";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TierChoice {
    /// Seconds.
    Quick,
    /// Up to two minutes: one keep-alive period.
    Standard,
    /// As long as the target advertises: hours, for a scenario of each dialect waits for the end of a connection, 24
    /// hours after its beginning.
    Long,
}

#[derive(Args)]
pub(super) struct ServerOptions {
    #[command(flatten)]
    pub(super) whom: Whom,
    /// Keep-alive interval of the built-in reference endpoint, such as 1s.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Target")]
    pub(super) ka: Option<Duration>,

    /// Run only scenarios whose id contains this, or is this after "="; several are separated by commas.
    #[arg(long, short = 'k', value_name = "TEXT", value_delimiter = ',', help_heading = "Selection")]
    pub(super) filter: Vec<String>,
    /// Run scenarios up to this length.
    #[arg(long, value_enum, default_value = "quick", help_heading = "Selection")]
    pub(super) tier: TierChoice,
    /// Also run scenarios that create hundreds of subscriptions or send megabytes.
    #[arg(long, help_heading = "Selection")]
    pub(super) limits: bool,
    /// Fewer executed cases than this are an error.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Selection")]
    pub(super) min_cases: usize,

    /// Scenarios at the same time.
    #[arg(long, short, value_name = "N", default_value_t = 16, help_heading = "Running")]
    pub(super) jobs: usize,
    /// Seed of names and nonces, to repeat a run.
    #[arg(long, value_name = "N", value_parser = seed, help_heading = "Running")]
    pub(super) seed: Option<u64>,
    /// Limit for one answer.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration, help_heading = "Running")]
    pub(super) step_timeout: Duration,
    /// Limit for one scenario. [default: 60s, in the standard tier 180s, in the long tier 25h]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Running")]
    pub(super) case_timeout: Option<Duration>,
    /// Limit for the whole run. [default: 15min, in the long tier 26h]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Running")]
    pub(super) run_timeout: Option<Duration>,
    /// Guard: most connections and HTTP requests. A run that reaches a guard is inconclusive. [default: 5000]
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub(super) max_connections: Option<u64>,
    /// Guard: most messages to send. [default: 50000]
    #[arg(long, value_name = "N", help_heading = "Running")]
    pub(super) max_messages: Option<u64>,
    /// Guard: longest run in minutes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Running")]
    pub(super) max_minutes: Option<u64>,
    /// Most publishes a second on one connection. [default: 20 where the target is on another machine]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Running")]
    pub(super) rate: Option<u32>,
    /// Command that starts the target again after it died and prints a line that begins with READY.
    #[arg(long, value_name = "CMD", help_heading = "Running")]
    pub(super) restart_cmd: Option<String>,
    /// How long to wait for a target that died.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration, help_heading = "Running")]
    pub(super) restart_wait: Duration,
    /// Panic in the named case (tests the exit code of defects).
    #[arg(long, value_name = "ID", hide = true)]
    pub(super) panic_in: Option<String>,

    /// Count warnings as failures.
    #[arg(long, help_heading = "Judging")]
    pub(super) strict: bool,
    /// Compare with the verdicts listed in this file.
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub(super) baseline: Option<PathBuf>,
    /// Write the verdicts of this run as a baseline to this file.
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub(super) write_baseline: Option<PathBuf>,
    /// Write a report: json=PATH, ndjson=PATH (line by line as cases finish), junit=PATH, sarif=PATH, github=PATH,
    /// markdown=PATH, har=PATH, html=PATH or text=PATH. Repeatable; PATH may be - for standard output.
    #[arg(long, value_name = "FORMAT=PATH", help_heading = "Reporting")]
    pub(super) report: Vec<String>,
    /// When to use colours.
    #[arg(long, value_enum, default_value = "auto", help_heading = "Reporting")]
    pub(super) color: ColorChoice,
    /// Print every case, not just failures.
    #[arg(long, short, help_heading = "Reporting")]
    pub(super) verbose: bool,
    /// Print failures and the last line only.
    #[arg(long, short, help_heading = "Reporting")]
    pub(super) quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless NO_COLOR or CI is set.
    Auto,
    Always,
    Never,
}

#[derive(Args)]
pub(super) struct SelftestOptions {
    /// How often the catalogue is played under injected delay and jitter, in virtual time. 1000 take some minutes.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) repetitions: u32,
    /// How often the quick tier is played over sockets, with delay and jitter; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(super) sockets: u32,
    /// Seed of the weather, to repeat a trial.
    #[arg(long, value_name = "N", default_value = "0", value_parser = seed)]
    pub(super) seed: u64,
    /// Threads. [default: one for each core]
    #[arg(long, short, value_name = "N")]
    pub(super) jobs: Option<usize>,
    /// Only these parts: saboteurs, derived, benign, null, repetitions, below, links, sockets.
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    pub(super) part: Vec<String>,
    /// Only derived saboteurs and benign variants whose name contains this; several are separated by commas.
    #[arg(long, value_name = "TEXT", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Also play every saboteur against every scenario, and write as CSV who catches whom.
    #[arg(long, value_name = "FILE")]
    pub(super) matrix: Option<PathBuf>,
    /// Write the figures into the sources below DIR: the file that is compiled in, and the table of the README.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["part", "only"])]
    pub(super) write_figures: Option<PathBuf>,
    /// Fail if the figures that are compiled in are not borne out. They may come from more repetitions.
    #[arg(long, conflicts_with_all = ["part", "only"])]
    pub(super) check_figures: bool,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args)]
pub(super) struct ServeOptions {
    /// Read settings from this file; options below override it. See --print-config.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Address to listen on. [default: 127.0.0.1:8700]
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) listen: Option<String>,
    /// How questions are settled on which the sources pull apart. [default: live]
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// Time between keep-alives. [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(super) ka: Option<Duration>,
    /// connectionTimeoutMs of the acknowledgement, in milliseconds. [default: 300000]
    #[arg(long, value_name = "MS")]
    pub(super) timeout_ms: Option<u64>,
    /// API key to accept. [default: one for tests, which is printed]
    #[arg(long, value_name = "KEY", env = "SYNCSPEC_API_KEY", hide_env_values = true)]
    pub(super) api_key: Option<String>,

    /// Speak TLS only, with a certificate for 127.0.0.1, ::1 and localhost that is made for this run.
    #[arg(long, value_enum, help_heading = "TLS", conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(super) tls: Option<TlsChoice>,
    /// A further name in the made certificate, to which the endpoint answers too. Repeatable.
    #[arg(long, value_name = "NAME", help_heading = "TLS")]
    pub(super) tls_name: Vec<String>,
    /// Where the certificate of the made authority is written. [default: a file in the temporary directory]
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub(super) tls_ca_out: Option<PathBuf>,
    /// Speak TLS only, with the certificate chain of this PEM file.
    #[arg(long, value_name = "FILE", help_heading = "TLS", requires = "tls_key")]
    pub(super) tls_cert: Option<PathBuf>,
    /// PEM file with the key of --tls-cert.
    #[arg(long, value_name = "FILE", help_heading = "TLS", requires = "tls_cert")]
    pub(super) tls_key: Option<PathBuf>,

    /// Play this saboteur. Repeatable.
    #[arg(long, value_name = "NAME", help_heading = "Saboteurs")]
    pub(super) fault: Vec<String>,
    /// List the saboteurs, what each does and which requirement it breaks.
    #[arg(long, help_heading = "Saboteurs")]
    pub(super) list_faults: bool,

    /// Print a commented settings file with the defaults.
    #[arg(long)]
    pub(super) print_config: bool,

    /// Log each operation to standard error; twice: with its body, shortened. Never with credentials.
    #[arg(long, short, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
    /// Form of the log.
    #[arg(long, value_enum, default_value = "text")]
    pub(super) log: LogForm,
    /// Serve no page at `/`.
    #[arg(long)]
    pub(super) no_page: bool,
    /// Show bodies of recent messages on the page, shortened, to anybody who can reach it.
    #[arg(long, conflicts_with = "no_page")]
    pub(super) page_payloads: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogForm {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TlsChoice {
    /// Make an authority and a certificate, and write the authority's certificate to a file for clients.
    SelfSigned,
}

#[derive(Args)]
pub(super) struct ListOptions {
    /// Only entries whose id contains this; several are separated by commas.
    #[arg(long, short = 'k', value_name = "TEXT", value_delimiter = ',')]
    pub(super) filter: Vec<String>,
    /// Requirements instead of scenarios.
    #[arg(long, conflicts_with = "faults")]
    pub(super) requirements: bool,
    /// Saboteurs instead of scenarios.
    #[arg(long)]
    pub(super) faults: bool,
    /// As JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args)]
pub(super) struct ExplainOptions {
    /// GQL-SUB-026, A-05, graphql/subscribe/..., or the name of a saboteur.
    pub(super) id: String,
}

pub(super) fn seed(text: &str) -> Result<u64, String> {
    let parsed = text.strip_prefix("0x").map_or_else(|| text.parse(), |hex| u64::from_str_radix(hex, 16));
    parsed.map_err(|_| format!("expected a whole number, decimal or 0x..., got {text:?}"))
}
