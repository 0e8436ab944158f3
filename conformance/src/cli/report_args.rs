//! What can be said after `syncspec report` and `syncspec replay`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

const REPORT_HELP: &str = "\
Everything here works on files: JSON reports (--report json=PATH of syncspec server) or the line by line form
(ndjson), also of a run that was cut short. No target is contacted. \"-\" is standard input or output.

Examples:
  syncspec report convert run.json --to html -o run.html
  syncspec report diff before.json after.json            exit 1 if something fails that did not
  syncspec report matrix a.json b.json --name one --name other --format markdown

The form of the JSON report is published as fixtures/report.schema.json.";

#[derive(Args)]
#[command(after_help = REPORT_HELP)]
pub(super) struct ReportOptions {
    #[command(subcommand)]
    pub(super) command: ReportCommand,
}

#[derive(Subcommand)]
pub(super) enum ReportCommand {
    /// Write a report in another form.
    ///
    /// html is one self-contained page with a drawing of every dialogue; markdown a summary for a pull request;
    /// github workflow commands that become annotations; sarif for code scanning; har for network tools; junit
    /// for CI; text what the terminal showed; json the report itself, read and written again.
    Convert(ConvertOptions),
    /// Several reports as one: parts of a run, repetitions, or several targets.
    ///
    /// Reports of one target (the same URL, or the same --name) become one; where they disagree about a case, what
    /// is bad is kept. Different targets stand side by side in the result, and every case names its own.
    Merge(MergeOptions),
    /// What changed between two reports. Exit code 1 if something fails that did not.
    ///
    /// A case that is new and fails is a new failure. A case that could not be judged in one of the reports is told
    /// apart: it is neither fixed nor broken.
    Diff(DiffOptions),
    /// Several servers side by side, by area and case by case.
    Matrix(MatrixOptions),
    /// A badge with the counts, as SVG.
    Badge(BadgeOptions),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatChoice {
    Json,
    Junit,
    Sarif,
    Github,
    Markdown,
    Har,
    Html,
    Text,
}

#[derive(Args)]
pub(super) struct ConvertOptions {
    /// The report: JSON or NDJSON; "-" is standard input.
    #[arg(value_name = "IN")]
    pub(super) input: PathBuf,
    /// The form to write.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(super) to: FormatChoice,
    /// Where to write. [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct MergeOptions {
    /// The reports.
    #[arg(value_name = "IN", required = true)]
    pub(super) inputs: Vec<PathBuf>,
    /// Names of the targets, in the order of the reports. [default: the URL of each]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Vec<String>,
    /// Where to write. [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct DiffOptions {
    /// The older report.
    #[arg(value_name = "BEFORE")]
    pub(super) before: PathBuf,
    /// The newer report.
    #[arg(value_name = "AFTER")]
    pub(super) after: PathBuf,
    /// Count new warnings as failures.
    #[arg(long)]
    pub(super) strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MatrixFormat {
    Markdown,
    Html,
}

#[derive(Args)]
pub(super) struct MatrixOptions {
    /// The reports, one a column; of a merged report each target is one.
    #[arg(value_name = "IN", required = true)]
    pub(super) inputs: Vec<PathBuf>,
    /// Names of the columns, in the order of the reports. [default: the URL of each]
    #[arg(long, value_name = "NAME")]
    pub(super) name: Vec<String>,
    /// The form to write.
    #[arg(long, value_enum, default_value = "markdown")]
    pub(super) format: MatrixFormat,
    /// Where to write. [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct BadgeOptions {
    /// The report.
    #[arg(value_name = "IN")]
    pub(super) input: PathBuf,
    /// What stands on the left.
    #[arg(long, value_name = "TEXT", default_value = "syncspec")]
    pub(super) label: String,
    /// Where to write. [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

const REPLAY_HELP: &str = "\
The target, the dialect, the namespaces and the seed are those of the report; the credentials are not in it and
come from the environment, as for syncspec server. They are sent to the target that the report names, so look at
it first if the report is not yours. The control cases of the dialect are run too: without them nothing can be
said. Exit codes are those of syncspec server.

With --emit nothing is run: a script that says the same dialogue without syncspec is written, or the dialogue itself.

The file of a finding of syncspec fuzz needs nothing else: it names the endpoint and the operations. It is played three
times on fresh connections. Exit codes:
  0    fixed: it does not show any more
  1    still failing
  2    wrong arguments, or no file of a finding; nothing was tried
  3    cannot run: no endpoint there, or trouble on the way

Examples:
  syncspec replay run.json graphql/init/acknowledges
  syncspec replay run.json monitor/GQL-KA-002            the case in which it was found first
  syncspec replay run.json graphql/init/acknowledges --emit python -o again.py
  syncspec replay findings/gql-sub-024-unsubscribe-live-silence.jsonl
  syncspec replay findings/gql-sub-024-unsubscribe-live-silence.jsonl --emit dialogue";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum EmitChoice {
    /// Python 3 with the package websockets.
    Python,
    /// A shell script with websocat and curl.
    Websocat,
    /// What was said, drawn.
    Dialogue,
    /// The operations of a finding as JSON.
    Operations,
}

#[derive(Args)]
#[command(after_help = REPLAY_HELP)]
pub(super) struct ReplayOptions {
    /// The report (JSON or NDJSON; "-" is standard input), or the file of a finding of syncspec fuzz.
    #[arg(value_name = "REPORT")]
    pub(super) report: PathBuf,
    /// The case of the report, by its id.
    #[arg(value_name = "ID")]
    pub(super) id: Option<String>,
    /// The target, where a merged report has several.
    #[arg(long, value_name = "NAME")]
    pub(super) target: Option<String>,
    /// Judge this endpoint instead of the one in the report.
    #[arg(long, value_name = "URL")]
    pub(super) endpoint: Option<String>,
    /// Dial HOST:PORT, but keep the host of the URLs, as for syncspec server.
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) connect_to: Vec<String>,
    /// Trust the certificates of this PEM file besides the built-in roots.
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Accept any certificate.
    #[arg(long)]
    pub(super) insecure: bool,
    /// The endpoint may be fuzzed although it is not on this machine: it is yours (files of findings).
    #[arg(long)]
    pub(super) i_own_this_endpoint: bool,
    /// Write this dialogue in another form instead of running it.
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    pub(super) emit: Option<EmitChoice>,
    /// Where to write it. [default: standard output]
    #[arg(long, short, value_name = "FILE", requires = "emit")]
    pub(super) output: Option<PathBuf>,
}
