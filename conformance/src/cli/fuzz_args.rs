//! What can be said to `syncspec fuzz`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::chosen::Whom;

#[derive(Args)]
pub(super) struct FuzzOptions {
    #[command(flatten)]
    pub(super) whom: Whom,
    /// The endpoint may be fuzzed although it is not on this machine: it is yours.
    #[arg(long, help_heading = "Target")]
    pub(super) i_own_this_endpoint: bool,
    /// Command that brings the target back and prints a line that begins with READY.
    #[arg(long, value_name = "COMMAND", help_heading = "Target")]
    pub(super) restart_cmd: Option<String>,
    /// How long to wait for a target that is gone.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration, help_heading = "Target")]
    pub(super) restart_wait: Duration,

    /// How long to go on.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration, help_heading = "Campaign")]
    pub(super) time: Duration,
    /// Most operations to carry out.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, help_heading = "Campaign")]
    pub(super) max_ops: u64,
    /// Most connections of one dialogue at the same time.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16), help_heading = "Campaign")]
    pub(super) connections: u8,
    /// Seed of the dialogues, to repeat a campaign.
    #[arg(long, value_name = "N", help_heading = "Campaign")]
    pub(super) seed: Option<u64>,
    /// End with the first finding, or the first difference.
    #[arg(long, help_heading = "Campaign")]
    pub(super) until_first: bool,
    /// Operations in a second, at most. [default: the guard of syncspec.toml; else as fast as it goes on this machine,
    /// and 20 elsewhere]
    #[arg(long, value_name = "N", help_heading = "Campaign")]
    pub(super) rate: Option<u32>,
    /// Most connections and HTTP requests to make. [default: 200000, or the guard of syncspec.toml]
    #[arg(long, value_name = "N", help_heading = "Campaign")]
    pub(super) max_connections: Option<u64>,
    /// Most messages to send. [default: 2000000, or the guard of syncspec.toml]
    #[arg(long, value_name = "N", help_heading = "Campaign")]
    pub(super) max_messages: Option<u64>,
    /// Also create hundreds of subscriptions and send megabytes.
    #[arg(long, help_heading = "Campaign")]
    pub(super) limits: bool,
    /// Limit for one answer.
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = humantime::parse_duration, help_heading = "Campaign")]
    pub(super) step_timeout: Duration,

    /// Play the same dialogues to this endpoint too, judge nobody, and tell after which operations the two differ. Its
    /// credentials are those of syncspec.toml where it has this endpoint, else those of the arguments and the
    /// environment.
    #[arg(long, value_name = "URL", conflicts_with_all = ["findings", "saboteurs", "benign"], help_heading = "Campaign")]
    pub(super) diff: Option<String>,

    /// Write each finding as a file into this directory: JSON Lines, first what was found and the operations that show
    /// it, then what was said. "syncspec replay FILE" plays it again.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(super) findings: Option<PathBuf>,
    /// Print what was found as JSON.
    #[arg(long, help_heading = "Output")]
    pub(super) json: bool,

    /// Fuzz the saboteurs of the suite in virtual time instead, and print which of them are found.
    #[arg(long, conflicts_with_all = ["endpoint", "config", "target_name"], help_heading = "Trial of the fuzzer")]
    pub(super) saboteurs: bool,
    /// Fuzz what must not be accused in virtual time instead: the endpoint, its profiles, every benign variant.
    #[arg(long, conflicts_with_all = ["endpoint", "config", "target_name", "saboteurs"], help_heading = "Trial of the fuzzer")]
    pub(super) benign: bool,
    /// Fuzz the built-in endpoint in virtual time instead, until --steps are carried out in each dialect.
    #[arg(long = "virtual", conflicts_with_all = ["endpoint", "config", "target_name", "saboteurs", "benign"], help_heading = "Trial of the fuzzer")]
    pub(super) in_virtual_time: bool,
    /// With --virtual: operations to carry out in each dialect.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 500_000,
        requires = "in_virtual_time",
        help_heading = "Trial of the fuzzer"
    )]
    pub(super) steps: u64,
    /// With --saboteurs or --benign: over sockets, not in virtual time. --time is that for each saboteur, and that for
    /// everything benign together.
    #[arg(long, help_heading = "Trial of the fuzzer")]
    pub(super) over_sockets: bool,
    /// With --saboteurs --over-sockets: how many of them, drawn by the seed.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        requires = "over_sockets",
        help_heading = "Trial of the fuzzer"
    )]
    pub(super) sample: usize,
    /// Only those of which the name contains this.
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        help_heading = "Trial of the fuzzer"
    )]
    pub(super) only: String,
    /// Only every n-th, beginning with the i-th: "2/8".
    #[arg(long, value_name = "I/N", default_value = "1/1", value_parser = share, help_heading = "Trial of the fuzzer")]
    pub(super) share: (usize, usize),
    /// Time of the processor for each.
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = humantime::parse_duration, help_heading = "Trial of the fuzzer")]
    pub(super) cpu: Duration,
    /// Virtual time for each.
    #[arg(long, value_name = "TIME", default_value = "60min", value_parser = humantime::parse_duration, help_heading = "Trial of the fuzzer")]
    pub(super) simulated: Duration,
    /// At the same time. [default: one for each core]
    #[arg(long, short, value_name = "N", help_heading = "Trial of the fuzzer")]
    pub(super) jobs: Option<usize>,
}

#[derive(Args)]
pub(super) struct ShrinkOptions {
    /// The file of a finding, as syncspec fuzz writes it. Without an endpoint, the one in it.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Where to write it. [default: the same file]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) fuzz: FuzzOptions,
}

/// "2/8": the second of eight, counted from 0 inside.
fn share(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('/').and_then(|(i, n)| Some((i.parse::<usize>().ok()?, n.parse::<usize>().ok()?)));
    match parts {
        Some((i, n)) if (1..=n).contains(&i) => Ok((i - 1, n)),
        Some(_) | None => Err(format!("expected I/N with I from 1 to N; got {text:?}")),
    }
}
