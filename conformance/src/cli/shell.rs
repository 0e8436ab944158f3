//! `syncspec completions` and `syncspec man`: what is made from the command line itself.

use std::fs;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use super::args::Options;
use super::{say, usage};

#[derive(Args)]
pub(super) struct CompletionsOptions {
    /// The shell that is to complete.
    #[arg(value_enum)]
    pub(super) shell: clap_complete::Shell,
}

#[derive(Args)]
pub(super) struct ManOptions {
    /// Write a page for each command to this folder, instead of the first page to standard output.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

pub(super) fn completions(options: &CompletionsOptions) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Options::command(), "syncspec", &mut script);
    say(String::from_utf8_lossy(&script).trim_end());
    0
}

pub(super) fn man(options: &ManOptions) -> u8 {
    let command = Options::command();
    let Some(folder) = &options.dir else {
        let mut page = Vec::new();
        return match clap_mangen::Man::new(command).render(&mut page) {
            Ok(()) => {
                say(String::from_utf8_lossy(&page).trim_end());
                0
            }
            Err(error) => usage(format_args!("man: {error}")),
        };
    };
    let written = fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
    match written {
        Ok(()) => 0,
        Err(error) => usage(format_args!("--dir {}: {error}", folder.display())),
    }
}
