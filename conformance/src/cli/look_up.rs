//! `syncspec list` and `syncspec explain`.

use syncspec::report::{explain as explaining, list as listing};

use super::args::{ExplainOptions, ListOptions};
use super::{say, usage};

pub(super) fn list(options: &ListOptions) -> u8 {
    let text = match (options.requirements, options.faults, options.json) {
        (true, _, true) => listing::requirements_json(&options.filter),
        (true, _, false) => listing::requirements(&options.filter),
        (false, true, true) => listing::faults_json(&options.filter),
        (false, true, false) => listing::faults(&options.filter),
        (false, false, true) => listing::scenarios_json(&options.filter),
        (false, false, false) => listing::scenarios(&options.filter),
    };
    say(text.trim_end());
    0
}

pub(super) fn explain(options: &ExplainOptions) -> u8 {
    match explaining::explain(&options.id) {
        Some(text) => {
            say(text.trim_end());
            0
        }
        None => {
            let near = explaining::suggest(&options.id);
            let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
            usage(format_args!("{:?} names no requirement, ambiguity, scenario or saboteur{hint}", options.id))
        }
    }
}
