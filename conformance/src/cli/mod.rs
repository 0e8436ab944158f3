//! Sub-commands: arguments in, exit code out.

mod again;
mod args;
mod baseline;
mod bench;
mod check;
mod chosen;
mod credentials;
mod doctor;
#[cfg(feature = "endpoint")]
mod finding;
#[cfg(feature = "endpoint")]
mod fuzz;
mod fuzz_args;
#[cfg(feature = "endpoint")]
mod fuzz_diff;
mod fuzz_trial;
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
        #[cfg(feature = "endpoint")]
        Command::Fuzz(options) => fuzz::run(&options),
        #[cfg(feature = "endpoint")]
        Command::Shrink(options) => finding::shrink(&options),
        #[cfg(not(feature = "endpoint"))]
        Command::Fuzz(_) | Command::Shrink(_) => usage(WITHOUT_ENDPOINT),
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
        Command::Replay(options) => replay(&options),
        Command::Baseline(options) => baseline::run(&options),
        Command::Check(options) => check::run(&options),
        Command::ConvertRecording(options) => check::convert_recording(&options),
    })
}

/// Plays a case of a report again, or the finding of a fuzzer.
fn replay(options: &report_args::ReplayOptions) -> u8 {
    #[cfg(feature = "endpoint")]
    if let Ok(text) = std::fs::read_to_string(&options.report)
        && syncspec::fuzzing::file::is_finding(&text)
    {
        return match options.emit {
            Some(choice) => finding::emitted(&text, choice)
                .map_err(|error| format!("{}: {error}", options.report.display()))
                .and_then(|text| report::put(options.output.as_deref(), &text))
                .unwrap_or_else(usage),
            None => again_fuzzed(options, &text),
        };
    }
    report::replay(options, again)
}

/// The options of `syncspec fuzz` that a replay has.
#[cfg(feature = "endpoint")]
fn again_fuzzed(options: &report_args::ReplayOptions, text: &str) -> u8 {
    let mut arguments: Vec<std::ffi::OsString> = vec!["syncspec".into(), "fuzz".into()];
    for address in &options.connect_to {
        arguments.push(format!("--connect-to={address}").into());
    }
    if let Some(ca) = &options.ca {
        arguments.push("--ca".into());
        arguments.push(ca.into());
    }
    if options.insecure {
        arguments.push("--insecure".into());
    }
    if options.i_own_this_endpoint {
        arguments.push("--i-own-this-endpoint".into());
    }
    if let Some(name) = &options.target {
        arguments.push(format!("--target={name}").into());
    }
    if let Some(endpoint) = &options.endpoint {
        arguments.extend(["--".into(), endpoint.into()]);
    }
    match Options::try_parse_from(arguments) {
        Ok(Options { command: Command::Fuzz(fuzz_options) }) => finding::replay(&options.report, text, &fuzz_options),
        Ok(_) => usage("this is no command that can be run again"),
        Err(error) => usage(error.render()),
    }
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
