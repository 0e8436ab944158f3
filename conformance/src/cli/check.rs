//! `syncspec check` and `syncspec convert-recording`: what can be said of recordings.

use std::path::{Path, PathBuf};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::wire::Side;
use clap::{Args, ValueEnum};
use syncspec::recording::expected::{Differences, Expected};
use syncspec::recording::judge::judge;
use syncspec::recording::table::{Row, Table};
use syncspec::recording::{convert, from_file, to_text};
use syncspec::report::read::{ReadError, file_text};

use super::{report, say, usage};

const CHECK_HELP: &str = "\
A recording is JSON Lines as syncspec writes them; HAR files with WebSocket messages are read too. Other forms are made
into recordings by syncspec convert-recording. Both sides are judged by the model; what only a scenario can show is not
looked for. No target is contacted. \"-\" is standard input.

Exit codes: 0 nothing that counts is broken, or everything is as expected; 1 a rule is broken, or not as expected; 2 a file
cannot be read; 4 no message was judged; 6 an expected finding is gone.

Examples:
  syncspec check session.har --side server
  syncspec check recordings/*.jsonl --expect recordings/expected.toml
  syncspec check session.jsonl --json";

#[derive(Args)]
#[command(after_help = CHECK_HELP)]
pub(super) struct CheckOptions {
    /// The recordings; "-" is standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What every connection speaks. [default: what path and subprotocols tell]
    #[arg(long, value_enum)]
    dialect: Option<DialectChoice>,
    /// Let only this side decide about the exit code.
    #[arg(long, value_enum)]
    side: Option<SideChoice>,
    /// Findings that are expected, with their reasons; anything else is an error.
    #[arg(long, value_name = "FILE", conflicts_with = "strict")]
    expect: Option<PathBuf>,
    /// Count warnings as failures.
    #[arg(long)]
    strict: bool,
    /// Write the table as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DialectChoice {
    Graphql,
    Events,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SideChoice {
    Client,
    Server,
}

const CONVERT_HELP: &str = "\
Two forms are read, JSON Lines with \"t_ms\" and \"dir\": one with \"url\" and header fields as a map, one with \"path\",
\"query\" and header fields as pairs. Keys, tokens and signatures become placeholders such as ${key:1}. A frame that its
recorder has shortened is refused, because nobody could judge what follows.

Example:
  syncspec convert-recording foreign.jsonl -o recording.jsonl";

#[derive(Args)]
#[command(after_help = CONVERT_HELP)]
pub(super) struct ConvertRecordingOptions {
    /// The recording of another form; "-" is standard input.
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// Where to write. [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(options: &CheckOptions) -> u8 {
    match judged(options) {
        Ok(table) => {
            if options.json {
                say(table.to_json().trim_end());
            } else {
                say(&table);
            }
            table.exit().code
        }
        Err(what) => usage(what),
    }
}

fn judged(options: &CheckOptions) -> Result<Table, String> {
    let expected = options.expect.as_deref().map(read_expected).transpose()?;
    let dialect = options.dialect.map(|choice| match choice {
        DialectChoice::Graphql => Dialect::Graphql,
        DialectChoice::Events => Dialect::Events,
    });
    let side = options.side.map(|choice| match choice {
        SideChoice::Client => Side::Client,
        SideChoice::Server => Side::Server,
    });
    let mut table = Table { strict: options.strict, with_expected: expected.is_some(), side, ..Table::default() };
    for path in &options.files {
        match row(path, dialect, expected.as_ref()) {
            Ok(row) => table.rows.push(row),
            Err(why) => table.unread.push(why),
        }
    }
    Ok(table)
}

fn row(path: &Path, dialect: Option<Dialect>, expected: Option<&Expected>) -> Result<Row, String> {
    let recording = from_file(path).map_err(|error| error.to_string())?;
    let judgement = judge(&recording.transcript, dialect)
        .map_err(|error| format!("{}: {}: {error}", path.display(), recording.place(error.entry)))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let differences = expected.map_or_else(Differences::default, |expected| expected.compare(&name, &judgement));
    Ok(Row { recording, judgement, differences })
}

fn read_expected(path: &Path) -> Result<Expected, String> {
    let text = file_text(path, "a file of expected findings").map_err(|error| error.to_string())?;
    Expected::parse(&text, path).map_err(|error| error.to_string())
}

/// Writes a recording of another form as one of ours.
pub(super) fn convert_recording(options: &ConvertRecordingOptions) -> u8 {
    let told = |error: ReadError| ReadError { path: Some(options.input.clone()), ..error }.to_string();
    let converted = file_text(&options.input, "a recording")
        .map_err(|error| error.to_string())
        .and_then(|text| convert::convert(&text).map_err(told))
        .and_then(|transcript| report::put(options.output.as_deref(), &to_text(&transcript)));
    converted.unwrap_or_else(usage)
}
