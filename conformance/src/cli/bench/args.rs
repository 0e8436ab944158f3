//! What can be said to `syncspec bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use syncspec::load::payload::Sizes;
use syncspec::load::threshold::Threshold;
use syncspec::load::{Mode, Shard};

use crate::cli::reach::{CredentialOptions, TargetOptions};

const AFTER: &str = "\
Exit codes: 0 measured, and no --fail-if holds; 1 a --fail-if holds; 2 wrong arguments or
files, nothing was run; 3 the target cannot be reached or refuses the credentials; 5 void (the
generator was the limit) or inconclusive (a --fail-if speaks of what was not measured); 70 a
defect of syncspec; 130 interrupted, what was measured is shown.

A --fail-if is FIGURE OPERATOR VALUE, such as p99>50ms, ack.p99.9>=1s, lost>0, cpu>80%.
  operators  >  >=  <  <=  ==  !=
  stats      p50 p75 p90 p95 p99 p99.9 max mean min; alone of response, else as in service.p99
  times      response service ack delivery connect subscribe unsubscribe silent lag (us, ms, s)
  rates      publish_rate delivery_rate operation_rate (/s)
  cpu        the busiest thread of the generator (%)
  counts     connected failed disconnects subscribed refused unanswered ended published
             deliveries lost duplicate reordered late misrouted foreign damaged
             undeliverable deaf unread unbegun cycles probes

Examples:
  syncspec bench                       fan-out on a reference endpoint that is started for it
  syncspec bench http://127.0.0.1:8700/event --subscribers 1000 --fail-if 'p99>50ms'
  syncspec bench --mode throughput --publishers 50 --window 4 --subscribers 0
  syncspec bench merge shard-1.hlog shard-2.hlog --report html=all.html";

#[derive(Args)]
#[command(after_help = AFTER, args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct BenchOptions {
    #[command(subcommand)]
    pub(super) command: Option<BenchCommand>,
    #[command(flatten)]
    pub(super) run: RunOptions,
}

#[derive(Subcommand)]
pub(super) enum BenchCommand {
    /// Add up the files that shards wrote with --histogram.
    Merge(MergeOptions),
}

#[derive(Args)]
pub(super) struct MergeOptions {
    /// One file for each shard of one run, in any order.
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) output: OutputOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeChoice {
    /// Publishers to subscribers: how long events take, and whether all come.
    Fanout,
    /// As many publishes as the target answers.
    Throughput,
    /// Many connections at once, each up to connection_ack.
    Connect,
    /// Subscriptions that come and go.
    Churn,
    /// Fan-out for an hour, at a low rate.
    Soak,
}

impl ModeChoice {
    pub(super) const fn mode(self) -> Mode {
        match self {
            Self::Fanout => Mode::Fanout,
            Self::Throughput => Mode::Throughput,
            Self::Connect => Mode::Connect,
            Self::Churn => Mode::Churn,
            Self::Soak => Mode::Soak,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LoopChoice {
    /// Operations begin by a schedule that is fixed in advance, whatever the target does.
    Open,
    /// An operation begins when one before it is answered.
    Closed,
}

#[derive(Args)]
pub(super) struct RunOptions {
    /// URL of the HTTP endpoint (".../graphql" or ".../event"). Without it `syncspec serve` is started as a process of
    /// its own.
    pub(super) endpoint: Option<String>,

    /// What is measured.
    #[arg(long, value_enum, default_value = "fanout", help_heading = "Load")]
    pub(super) mode: ModeChoice,
    /// Subscriptions; in connect the connections. [default: 100, in throughput 0]
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub(super) subscribers: Option<u64>,
    /// Subscriptions on one connection.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Load")]
    pub(super) per_connection: u64,
    /// Channels over which events and subscribers are spread.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Load")]
    pub(super) channels: u64,
    /// Publishers, each with a connection of its own.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Load")]
    pub(super) publishers: u64,
    /// Operations a second, of all publishers or connections together. [default: 100, in soak 10]
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub(super) rate: Option<f64>,
    /// Open or closed loop. [default: open, in throughput closed]
    #[arg(long = "loop", value_enum, value_name = "LOOP", help_heading = "Load")]
    pub(super) pace: Option<LoopChoice>,
    /// Closed loop: operations under way for each publisher or connection, in connect for all. [default: 4]
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub(super) window: Option<u32>,
    /// Bytes of an event: fixed (1k), uniform (100-4k), or one of a list (150,1k,16k).
    #[arg(long, value_name = "SIZES", default_value = "150", value_parser = Sizes::parse, help_heading = "Load")]
    pub(super) payload: Sizes,
    /// How long is measured. [default: 10s, in soak 1h]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Load")]
    pub(super) duration: Option<Duration>,
    /// How long the rate rises from 0, as a part of the duration.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = humantime::parse_duration, help_heading = "Load")]
    pub(super) ramp: Duration,
    /// Seed of names and sizes, to repeat a run; all shards need the same. [default: drawn, and shown]
    #[arg(long, value_name = "N", value_parser = crate::cli::args::seed, help_heading = "Load")]
    pub(super) seed: Option<u64>,
    /// Channel namespace (Events).
    #[arg(long, value_name = "NAME", default_value = "default", help_heading = "Load")]
    pub(super) namespace: String,
    /// The subscription, with a variable for the channel (GraphQL). [default: subscribe2channel]
    #[arg(long, value_name = "DOC", requires = "publish_document", help_heading = "Load")]
    pub(super) subscribe_document: Option<String>,
    /// The mutation that it hears of, with a variable for the channel and one for the event. [default: publish2channel]
    #[arg(long, value_name = "DOC", requires = "subscribe_document", help_heading = "Load")]
    pub(super) publish_document: Option<String>,
    /// Name of the variable for the channel.
    #[arg(long, value_name = "NAME", default_value = "name", help_heading = "Load")]
    pub(super) channel_variable: String,
    /// Name of the variable for the event, which is a text.
    #[arg(long, value_name = "NAME", default_value = "data", help_heading = "Load")]
    pub(super) data_variable: String,

    /// A delivery that takes longer counts as late.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration, help_heading = "Limits")]
    pub(super) late_after: Duration,
    /// Limit for one answer.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration, help_heading = "Limits")]
    pub(super) answer_timeout: Duration,
    /// Limit for all connections and subscriptions, and again for each of them to hear a first event.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration, help_heading = "Limits")]
    pub(super) setup_timeout: Duration,
    /// How long is waited for what is late when the time is over, and again for what is under way then.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration, help_heading = "Limits")]
    pub(super) drain: Duration,
    /// Handshakes at the same time while a run is set up.
    #[arg(long, value_name = "N", default_value_t = 64, help_heading = "Limits")]
    pub(super) at_once: usize,
    /// Threads that receive; one more publishes. [default: half of the cores]
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(super) threads: Option<usize>,
    /// HTTP requests of one publisher at the same time (GraphQL).
    #[arg(long, value_name = "N", default_value_t = 8, help_heading = "Limits")]
    pub(super) lanes: usize,

    /// Load an endpoint beyond loopback: it is yours, or its owner agrees and knows of the costs.
    #[arg(long, help_heading = "Guard")]
    pub(super) i_own_this_endpoint: bool,
    /// Most connections. [default: 100,000 on loopback, else 1,000]
    #[arg(long, value_name = "N", help_heading = "Guard")]
    pub(super) max_connections: Option<u64>,
    /// Most messages to send. [default: none on loopback, else 100,000]
    #[arg(long, value_name = "N", help_heading = "Guard")]
    pub(super) max_messages: Option<u64>,
    /// Longest duration, in minutes. [default: none on loopback, else 10]
    #[arg(long, value_name = "N", help_heading = "Guard")]
    pub(super) max_minutes: Option<u64>,

    /// Carry out part I of N only; the others are other processes or machines.
    #[arg(long, value_name = "I/N", value_parser = Shard::parse, requires_all = ["start_at", "histogram", "seed", "endpoint"], help_heading = "Beyond one machine")]
    pub(super) shard: Option<Shard>,
    /// When measuring starts: RFC 3339, or seconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = moment, help_heading = "Beyond one machine")]
    pub(super) start_at: Option<u64>,
    /// Write all distributions and counts as a log of HdrHistogram, for `bench merge` and other tools.
    #[arg(long, value_name = "FILE", help_heading = "Beyond one machine")]
    pub(super) histogram: Option<PathBuf>,

    #[command(flatten)]
    pub(super) output: OutputOptions,
    #[command(flatten)]
    pub(super) target: TargetOptions,
    #[command(flatten)]
    pub(super) credentials: CredentialOptions,
}

#[derive(Args)]
pub(super) struct OutputOptions {
    /// Fail if this holds, such as 'p99>50ms' or 'lost>0'. Repeatable; see below.
    #[arg(long, value_name = "THRESHOLD", value_parser = Threshold::parse, help_heading = "Judging")]
    pub(super) fail_if: Vec<Threshold>,
    /// Print JSON.
    #[arg(long, help_heading = "Reporting")]
    pub(super) json: bool,
    /// Write a report: html=PATH, json=PATH or text=PATH. Repeatable; PATH may be - for standard output.
    #[arg(long, value_name = "FORMAT=PATH", value_parser = ReportFile::parse, help_heading = "Reporting")]
    pub(super) report: Vec<ReportFile>,
    /// Print the result only.
    #[arg(long, short, help_heading = "Reporting")]
    pub(super) quiet: bool,
}

/// A form of a report and where it goes.
#[derive(Clone, Debug)]
pub(super) struct ReportFile {
    pub(super) form: Form,
    pub(super) path: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Html,
    Json,
    Text,
}

impl ReportFile {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected html=PATH, json=PATH or text=PATH; got {text:?}");
        let (form, path) = text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or_else(wrong)?;
        let form = match form {
            "html" => Form::Html,
            "json" => Form::Json,
            "text" => Form::Text,
            _ => return Err(wrong()),
        };
        Ok(Self { form, path: path.into() })
    }
}

/// Nanoseconds since 1970.
fn moment(text: &str) -> Result<u64, String> {
    let wrong = || format!("expected a time such as 2030-01-31T12:00:00Z, or seconds since 1970; got {text:?}");
    if let Ok(seconds) = text.parse::<u64>() {
        return seconds.checked_mul(1_000_000_000).ok_or_else(wrong);
    }
    let time = humantime::parse_rfc3339(text).map_err(|_| wrong())?;
    let since = time.duration_since(std::time::UNIX_EPOCH).map_err(|_| wrong())?;
    u64::try_from(since.as_nanos()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use syncspec::load::measure::{Counts, Metric, Stat};
    use syncspec::load::threshold::Rate;

    use super::*;

    #[test]
    fn the_help_of_bench_names_every_figure() {
        let words: Vec<&str> = AFTER.split_whitespace().map(|word| word.trim_end_matches(';')).collect();
        let figures = Counts::NAMED.iter().map(|(name, _)| *name);
        let figures = figures.chain(Metric::ALL.iter().map(|metric| metric.word()));
        let figures = figures.chain(Stat::NAMED.iter().map(|(name, _)| *name));
        let figures = figures.chain(Rate::NAMED.iter().map(|(name, _, _)| *name));

        for figure in figures {
            assert!(words.contains(&figure), "{figure}");
        }
    }

    #[test]
    fn a_start_is_read_in_both_forms() {
        assert_eq!(moment("1700000000"), Ok(1_700_000_000_000_000_000));
        assert_eq!(moment("2023-11-14T22:13:20.5Z"), Ok(1_700_000_000_500_000_000));
        assert!(moment("tomorrow").is_err_and(|error| error.contains("tomorrow")));
        assert!(moment("99999999999999").is_err());
    }
}
