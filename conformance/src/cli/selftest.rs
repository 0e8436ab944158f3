//! `syncspec selftest`: the suite on trial.

use std::fs::File;
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use syncspec::catalogue::faults;
use syncspec::selftest::results::matrix_csv;
use syncspec::selftest::{Options, Phase, run as try_all, saboteurs};

use super::args::SelftestOptions;
use super::{say, usage};

pub(super) fn run(options: &SelftestOptions) -> u8 {
    if options.repetitions == 0 {
        return usage("--repetitions: expected at least 1");
    }
    // Before anything long: a file that cannot be written is told at once.
    let matrix = match options.matrix.as_ref().map(File::create).transpose() {
        Ok(matrix) => matrix,
        Err(error) => {
            let path = options.matrix.as_deref().unwrap_or_else(|| "".as_ref());
            return usage(format_args!("--matrix {}: {error}", path.display()));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = options.jobs.unwrap_or(cores).max(1);
    let bar = bar();
    let phase = Mutex::new(None);
    let done = |now: Phase, all: usize| {
        if let Ok(mut phase) = phase.lock() {
            if *phase != Some(now) {
                *phase = Some(now);
                begin(&bar, now.words(), all);
            }
            bar.inc(1);
        }
    };
    let results = try_all(&Options { repetitions: options.repetitions, seed: options.seed, jobs }, &done);
    if let Some(mut file) = matrix {
        begin(&bar, "kill matrix", faults().count());
        let rows = saboteurs::matrix(jobs, &|| bar.inc(1));
        if let Err(error) = file.write_all(matrix_csv(&rows).as_bytes()) {
            return usage(format_args!("--matrix: {error}"));
        }
    }
    bar.finish_and_clear();
    say(if options.json { results.json() } else { results.text().trim_end().to_owned() });
    u8::from(!results.defects().is_empty())
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
