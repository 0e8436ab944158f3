//! The command `syncspec`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command speaks to the terminal")]

mod cli;

use std::process::ExitCode;

/// A mutation makes a hundred small things and lets go of them: with the allocator of the C library that took a fifth
/// of the endpoint's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
