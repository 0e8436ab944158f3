//! One JSON object a line, written as cases finish: what a run has found survives its end, however it ends.
//!
//! The objects are those of the JSON report. Each line goes out in one write and is flushed, so that a
//! reader of an interrupted run finds whole lines.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::json::{CaseRecord, ExitRecord, RunRecord, SuiteRecord, Summary, TargetRecord, seed_text};
use super::model::{Case, Run, SCHEMA_VERSION};

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Line {
    /// The first line.
    RunStarted(Started),
    /// A case is over.
    Case(CaseRecord),
    /// The last line; without it the run did not come to its end.
    RunFinished(Finished),
}

/// What is known before the first case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Version of this form.
    pub schema_version: u32,
    /// Who writes it.
    pub suite: SuiteRecord,
    /// Seed as `--seed` takes it.
    pub seed: String,
    /// Start in seconds since 1970.
    pub started_unix_s: u64,
    /// What is judged.
    pub target: TargetRecord,
    /// How many scenarios are going to be run. What the monitor finds comes on top.
    pub planned: usize,
}

/// What is known after the last case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// A count for each verdict.
    pub summary: Summary,
    /// Facts about the run as a whole.
    pub run: RunRecord,
    /// Exit code and reason.
    pub exit: ExitRecord,
}

/// Writes a run line by line.
#[derive(Debug)]
pub struct Writer<W: Write> {
    to: W,
}

impl<W: Write> Writer<W> {
    /// A writer that has written nothing.
    pub const fn new(to: W) -> Self {
        Self { to }
    }

    /// The run begins: its seed, its target and its start are taken, and nothing else.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn started(&mut self, run: &Run, planned: usize) -> io::Result<()> {
        self.line(&Line::RunStarted(Started {
            schema_version: SCHEMA_VERSION,
            suite: SuiteRecord::this(),
            seed: seed_text(run.seed),
            started_unix_s: run.started_unix_s,
            target: TargetRecord::of(&run.target),
            planned,
        }))
    }

    /// A case is over.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn case(&mut self, case: &Case) -> io::Result<()> {
        self.line(&Line::Case(CaseRecord::of(case)))
    }

    /// The run is over.
    ///
    /// # Errors
    /// When the line cannot be written.
    pub fn finished(&mut self, run: &Run) -> io::Result<()> {
        self.line(&Line::RunFinished(Finished {
            summary: Summary::of(run),
            run: RunRecord::of(run),
            exit: ExitRecord::of(&run.exit),
        }))
    }

    /// Where it was written to.
    pub fn into_inner(self) -> W {
        self.to
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line).map_err(io::Error::other)?;
        text.push(b'\n');
        self.to.write_all(&text)?;
        self.to.flush()
    }
}
