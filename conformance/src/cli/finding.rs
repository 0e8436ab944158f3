//! `syncspec replay` and `syncspec shrink` for the file of a finding: played again, made smaller, or written as
//! something that people and other programs can read.

use std::path::Path;

use appsync_protocol::transcript::draw;
use syncspec::fuzzing::file::{self, FindingFile};
use syncspec::report::emit::{self, Language};
use syncspec::report::text::printable;
use syncspec::run::fuzz::{self, Again};

use super::fuzz::{prepare, runtime};
use super::fuzz_args::{FuzzOptions, ShrinkOptions};
use super::report_args::EmitChoice;
use super::{say, usage};

/// What cannot be reached or played, as in the exit code table.
const CANNOT_RUN: u8 = 3;

/// A finding in another form.
pub(super) fn emitted(text: &str, choice: EmitChoice) -> Result<String, String> {
    let file = file::read(text).map_err(|error| error.to_string())?;
    let program = |language| {
        let (target, case) = file.as_case();
        emit::emit_case(&target, &case, language).map_err(|error| error.to_string())
    };
    match choice {
        EmitChoice::Python => program(Language::Python),
        EmitChoice::Websocat => program(Language::Websocat),
        EmitChoice::Operations => {
            serde_json::to_string_pretty(&file.operations).map(|text| text + "\n").map_err(|error| error.to_string())
        }
        EmitChoice::Dialogue => Ok(dialogue(&file)),
    }
}

/// What was found, and what was said, drawn; the deciding line is marked.
fn dialogue(file: &FindingFile) -> String {
    let mut lines = vec![format!("{} {} times of {}: {}", file.rule, file.shown, file.tries, file.detail)];
    lines.extend(file.operations.iter().map(|op| format!("  {}", op.label())));
    let said = file.said();
    lines.push(String::new());
    lines.push(draw(&said, said.entries().len().checked_sub(1)));
    lines.iter().flat_map(|lines| lines.split('\n')).map(|line| printable(line) + "\n").collect()
}

/// The replay of a finding, by its file: 0 if it is fixed, 1 if it still fails, 3 if it cannot be played.
pub(super) fn replay(path: &Path, text: &str, options: &FuzzOptions) -> u8 {
    let file = match file::read(text) {
        Ok(file) => file,
        Err(error) => return usage(format_args!("{}: {error}", path.display())),
    };
    let prepared = match prepare(options, Some(&file)) {
        Ok(prepared) => prepared,
        Err(why) => return usage(why),
    };
    let Some((fuzz_options, dialer)) = prepared.targets.into_iter().next() else {
        return usage(format_args!("{}: the endpoint is of another dialect", path.display()));
    };
    let done = match runtime() {
        Ok(runtime) => runtime.block_on(fuzz::replay(fuzz_options, dialer, &file)),
        Err(why) => return usage(why),
    };
    drop(prepared.embedded);
    match done {
        Ok(Again::Fixed) => {
            say(format_args!("fixed: {} does not show any more", printable(&file.rule)));
            0
        }
        Ok(Again::Fails { shown, tries }) => {
            let (rule, detail) = (printable(&file.rule), printable(&file.detail));
            say(format_args!("still failing: {rule}, {shown} of {tries} times: {detail}"));
            1
        }
        Err(why) => {
            say(format_args!("cannot run: {}", printable(&why)));
            CANNOT_RUN
        }
    }
}

/// `syncspec shrink`
pub(super) fn shrink(options: &ShrinkOptions) -> u8 {
    let shown = options.file.display();
    let read = std::fs::read_to_string(&options.file).map_err(|error| format!("{shown}: {error}"));
    let file = match read.and_then(|text| file::read(&text).map_err(|error| format!("{shown}: {error}"))) {
        Ok(file) => file,
        Err(why) => return usage(why),
    };
    let prepared = match prepare(&options.fuzz, Some(&file)) {
        Ok(prepared) => prepared,
        Err(why) => return usage(why),
    };
    let Some((fuzz_options, dialer)) = prepared.targets.into_iter().next() else {
        return usage(format_args!("{shown}: the endpoint is of another dialect"));
    };
    let done = match runtime() {
        Ok(runtime) => runtime.block_on(fuzz::shrink_file(fuzz_options, dialer, &file)),
        Err(why) => return usage(why),
    };
    drop(prepared.embedded);
    match done {
        Ok(smaller) => {
            let path = options.output.as_ref().unwrap_or(&options.file);
            if let Err(error) = std::fs::write(path, smaller.to_text()) {
                return usage(format_args!("{}: {error}", path.display()));
            }
            let (before, after) = (file.operations.len(), smaller.operations.len());
            say(format_args!("{before} operations made {after}: {}", path.display()));
            0
        }
        Err(why) => {
            say(format_args!("cannot run: {}", printable(&why)));
            CANNOT_RUN
        }
    }
}
