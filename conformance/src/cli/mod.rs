//! Sub-commands: arguments in, exit code out.

mod args;
mod look_up;
mod report;
mod report_args;
mod serve;
mod server;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Command, Options};

/// Bad arguments, as in the exit code table.
const USAGE: u8 = 2;

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
        Command::Serve(options) => serve::run(&options),
        Command::List(options) => look_up::list(&options),
        Command::Explain(options) => look_up::explain(&options),
        Command::Report(options) => report::run(&options),
        Command::Replay(options) => report::replay(&options, again),
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
