//! The log of `syncspec serve`: to standard error, as lines for people or as JSON lines.
//!
//! Without `-v` only warnings are told; with it each operation, with `-vv` its body too. Start and stop stand on
//! standard output anyway, and in the log from `-v` on or where it is JSON.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, filter, fmt};

use super::args::LogForm;

/// Starts the log of this process. A second start changes nothing.
pub(super) fn start(verbose: u8, form: LogForm) {
    let operations = match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2.. => LevelFilter::DEBUG,
    };
    let own = if verbose > 0 || form == LogForm::Json { LevelFilter::INFO } else { LevelFilter::WARN };
    let wanted = filter::Targets::new()
        .with_target(syncspec::reference::shell::LOG_TARGET, operations)
        .with_target("syncspec", own);
    let lines = match form {
        LogForm::Text => fmt::layer().with_target(false).with_ansi(false).with_writer(io::stderr).boxed(),
        LogForm::Json => fmt::layer().json().flatten_event(true).with_writer(io::stderr).boxed(),
    };
    let _ = tracing_subscriber::registry().with(lines.with_filter(wanted)).try_init();
}
