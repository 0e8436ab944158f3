//! The command `syncspec`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to the terminal")]

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
