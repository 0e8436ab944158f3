//! `syncspec selftest`: the suite on trial.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use syncspec::catalogue::faults;
use syncspec::report::figures::{Figures, published};
use syncspec::selftest::results::matrix_csv;
use syncspec::selftest::{Options, Phase, Results, run as try_all, saboteurs};

use super::args::SelftestOptions;
use super::{say, usage};

/// Where the figures stand below the root of the workspace: what is compiled in, and what people read.
const FILE: &str = "conformance/src/report/figures.json";
const README: &str = "README.md";

pub(super) fn run(options: &SelftestOptions) -> u8 {
    let prepared = match Prepared::of(options) {
        Ok(prepared) => prepared,
        Err(what) => return usage(what),
    };
    let bar = bar();
    let begun = |phase: Phase, all: usize| begin(&bar, phase.words(), all);
    let results = try_all(&prepared.options, &begun, &|| bar.inc(1));
    let mut complaints = Vec::new();
    if let Some(mut file) = prepared.matrix {
        begin(&bar, "kill matrix", faults().count());
        let rows = saboteurs::matrix(prepared.options.jobs, &|| bar.inc(1));
        complaints.extend(file.write_all(matrix_csv(&rows).as_bytes()).err().map(|error| format!("--matrix: {error}")));
    }
    bar.finish_and_clear();
    say(if options.json { results.json() } else { results.text().trim_end().to_owned() });
    complaints.extend(prepared.root.and_then(|root| write_figures(&root, &results).err()));
    if options.check_figures && published() != Some(&results.figures()) {
        complaints.push("the figures that are compiled in are stale: run syncspec selftest --write-figures .".into());
    }
    for complaint in &complaints {
        eprintln!("syncspec: {complaint}");
    }
    u8::from(!results.defects().is_empty() || !complaints.is_empty())
}

/// Everything that can be wrong before anything long.
struct Prepared {
    options: Options,
    matrix: Option<File>,
    root: Option<PathBuf>,
}

impl Prepared {
    fn of(options: &SelftestOptions) -> Result<Self, String> {
        if options.repetitions == 0 {
            return Err("--repetitions: expected at least 1".into());
        }
        let cannot =
            |what: &str, path: &Path, error: &dyn std::fmt::Display| format!("{what} {}: {error}", path.display());
        let matrix = options.matrix.as_deref();
        let matrix = matrix.map(|path| File::create(path).map_err(|error| cannot("--matrix", path, &error)));
        if let Some(root) = &options.write_figures {
            let readme = root.join(README);
            let text = fs::read_to_string(&readme).map_err(|error| cannot("--write-figures", &readme, &error))?;
            Figures::default().written_into(&text).map_err(|error| cannot("--write-figures", &readme, &error))?;
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            options: Options {
                repetitions: options.repetitions,
                sockets: options.sockets,
                seed: options.seed,
                jobs: options.jobs.unwrap_or(cores).max(1),
                parts: options.part.iter().map(|word| part(word)).collect::<Result<_, _>>()?,
                only: options.only.clone(),
            },
            matrix: matrix.transpose()?,
            root: options.write_figures.clone(),
        })
    }
}

fn part(word: &str) -> Result<Phase, String> {
    Phase::ALL.into_iter().find(|phase| phase.word() == word).ok_or_else(|| {
        let known = Phase::ALL.map(Phase::word).join(", ");
        format!("--part {word:?}: expected one of {known}")
    })
}

fn write_figures(root: &Path, results: &Results) -> Result<(), String> {
    let figures = results.figures();
    let write = |path: &Path, text: String| {
        fs::write(path, text).map_err(|error| format!("--write-figures {}: {error}", path.display()))
    };
    let readme = root.join(README);
    let text = fs::read_to_string(&readme).map_err(|error| format!("--write-figures {}: {error}", readme.display()))?;
    write(&readme, figures.written_into(&text)?)?;
    write(&root.join(FILE), figures.file())
}

/// Drawn on a terminal only.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{msg} {pos}/{len} [{elapsed}]") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

fn begin(bar: &ProgressBar, what: &'static str, all: usize) {
    bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
    bar.set_position(0);
    bar.set_message(what);
    if bar.is_hidden() {
        eprintln!("{what}: {all}");
    }
}
