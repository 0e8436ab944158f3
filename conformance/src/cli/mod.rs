//! Sub-commands: arguments in, exit code out.

mod args;
mod baseline;
mod bench;
mod check;
mod chosen;
mod credentials;
mod doctor;
mod init;
#[cfg(feature = "endpoint")]
mod log;
mod look_up;
mod operation;
mod plan;
mod probe;
mod publish;
mod reach;
mod report;
mod report_args;
#[cfg(feature = "endpoint")]
mod selftest;
#[cfg(feature = "endpoint")]
mod serve;
mod server;
mod shell;
mod subscribe;
mod voice;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Command, Options};

/// Bad arguments, as in the exit code table.
const USAGE: u8 = 2;

/// What cannot be done without the reference endpoint.
#[cfg(not(feature = "endpoint"))]
const WITHOUT_ENDPOINT: &str =
    "this syncspec was built without the reference endpoint (cargo feature \"endpoint\"); name an ENDPOINT to judge";

/// Parses the arguments and runs the command.
pub(crate) fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    ExitCode::from(match options.command {
        Command::Server(options) => server::run(&options),
        #[cfg(feature = "endpoint")]
        Command::Serve(options) => serve::run(&options),
        #[cfg(not(feature = "endpoint"))]
        Command::Serve(_) => usage(WITHOUT_ENDPOINT),
        #[cfg(feature = "endpoint")]
        Command::Selftest(options) => selftest::run(&options),
        #[cfg(not(feature = "endpoint"))]
        Command::Selftest(_) => usage(WITHOUT_ENDPOINT),
        Command::Subscribe(options) => subscribe::run(&options),
        Command::Publish(options) => publish::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::List(options) => look_up::list(&options),
        Command::Explain(options) => look_up::explain(&options),
        Command::Probe(options) => probe::run(&options),
        Command::Init(options) => init::run(&options),
        Command::Doctor(options) => doctor::run(&options),
        Command::Completions(options) => shell::completions(&options),
        Command::Man(options) => shell::man(&options),
        Command::Report(options) => report::run(&options),
        Command::Replay(options) => report::replay(&options, again),
        Command::Baseline(options) => baseline::run(&options),
        Command::Check(options) => check::run(&options),
        Command::ConvertRecording(options) => check::convert_recording(&options),
    })
}

/// Runs a command whose arguments we have written ourselves.
fn again(arguments: Vec<std::ffi::OsString>) -> u8 {
    match Options::try_parse_from(arguments) {
        Ok(Options { command: Command::Server(options) }) => server::run(&options),
        Ok(_) => usage("this is no command that can be run again"),
        Err(error) => usage(format_args!("the report does not fit this version: {}", error.render())),
    }
}

/// Prints a line. A reader that has gone away (`| head`) is no defect of ours.
fn say(what: impl std::fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{what}");
}

/// Says what is wrong with the arguments.
fn usage(what: impl std::fmt::Display) -> u8 {
    eprintln!("syncspec: {what}");
    USAGE
}

/// The day on which entries of a baseline expire or not, in UTC.
fn today() -> Option<chrono::NaiveDate> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    syncspec::report::baseline::day(now.as_secs())
}

/// A seed nobody chose: from the system's random numbers and the process.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id()) & 0xffff_ffff
}
