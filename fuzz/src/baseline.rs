//! Baselines: read, compared with a run, brought up to it.
//!
//! The invariant: any text is a baseline or says where it is not one, in one line that a terminal does not obey; comparing
//! is total and tells each difference apart; an update that succeeds gives a baseline that is read again, excuses nothing
//! without a reason, and to which the run then compares without a regression.

use std::sync::LazyLock;

use chrono::NaiveDate;
use syncspec::report::baseline::{Baseline, Fresh, update, write};
use syncspec::report::text::obeyed;
use syncspec::report::{Run, is_known_case, read, restore};

use crate::reach::Point;

static READ: Point = Point::new("baseline/read");
static REFUSED: Point = Point::new("baseline/refused");
static COMPARED: Point = Point::new("baseline/compared");
static UPDATED: Point = Point::new("baseline/updated");
static NOT_UPDATED: Point = Point::new("baseline/not-updated");
/// Where the oracle speaks.
pub static POINTS: [&Point; 5] = [&READ, &REFUSED, &COMPARED, &UPDATED, &NOT_UPDATED];

/// A run with passes, failures and warnings of both dialects.
static RUN: LazyLock<Run> = LazyLock::new(|| {
    let document = read::from_text(include_str!("run.json")).unwrap_or_else(|error| panic!("{error}"));
    restore::run(&document).unwrap_or_else(|error| panic!("{error}"))
});

/// One input.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let today = NaiveDate::from_ymd_opt(2026, 1, 1);
    let baseline = match Baseline::parse(text, "b.toml") {
        Ok(baseline) => baseline.as_of(today),
        Err(error) => {
            REFUSED.reached();
            let told = error.to_string();
            assert!(!told.contains(obeyed), "{told:?}");
            assert!(error.line <= text.split('\n').count(), "{told}");
            return;
        }
    };
    READ.reached();
    assert!(baseline.entries.iter().all(|entry| !entry.terms.reason.trim().is_empty()), "{baseline:?}");
    let comparison = baseline.compare(&RUN, is_known_case);
    COMPARED.reached();
    let listed = |id: &str| baseline.entries.iter().any(|entry| entry.id == id);
    for stale in comparison.stale.iter().filter(|stale| RUN.cases.iter().any(|case| case.id == stale.id)) {
        assert!(listed(&stale.id) || baseline.entries.iter().any(|entry| entry.id.contains('*')), "{stale:?}");
    }
    let fresh =
        Fresh { reason: Some("seen in May".into()), expires: NaiveDate::from_ymd_opt(2027, 1, 1), ..Fresh::default() };
    for fresh in [Fresh::default(), fresh] {
        match update(text, "b.toml".as_ref(), &RUN, today, &fresh) {
            Ok(updated) => {
                UPDATED.reached();
                let again =
                    Baseline::parse(&updated.text, "b.toml").unwrap_or_else(|e| panic!("{e}: {}", updated.text));
                let left = again.as_of(today).compare(&RUN, is_known_case);
                assert!(left.regressions.is_empty(), "{:?}\n{}", left.regressions, updated.text);
                assert!(left.stale.is_empty() && left.unknown.is_empty(), "{left:?}\n{}", updated.text);
            }
            Err(error) => {
                NOT_UPDATED.reached();
                assert!(!error.to_string().replace('\n', "").contains(obeyed), "{error:?}");
            }
        }
    }
    let written = write(&RUN);
    assert!(Baseline::parse(&written, "b.toml").is_ok(), "{written}");
}
