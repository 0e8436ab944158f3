//! What people and programs read of a run.
//!
//! [`model`] is the only source; every form below derives from it and adds nothing but the register's own
//! words. The forms that are made from the JSON records ([`mod@format`]) can be made later too, from a report that
//! was read back ([`read`]). What a target said reaches a terminal or a file only through [`text::printable`]: control and
//! direction characters become visible escapes.

pub mod badge;
pub mod baseline;
pub mod cause;
pub mod diff;
pub mod emit;
pub mod exit;
pub mod explain;
pub mod figures;
pub mod format;
pub mod github;
pub mod har;
pub mod html;
pub mod json;
pub mod junit;
pub mod list;
pub mod markdown;
pub mod matrix;
pub mod merge;
pub mod model;
pub mod ndjson;
pub mod read;
pub mod restore;
pub mod roll_up;
pub mod sarif;
pub mod text;

pub use model::{Case, Exit, Run, Target};

/// Whether a case of this id exists, run or not: a scenario, or what the monitor may find.
pub fn is_known_case(id: &str) -> bool {
    let is_rule = |rule: &str| appsync_protocol::requirement::Requirement::parse(rule).is_some();
    crate::catalogue::scenarios().any(|scenario| scenario.id == id)
        || id.strip_prefix("monitor/").is_some_and(is_rule)
        || id.strip_prefix(crate::run::CONFLICT_PREFIX).is_some_and(|name| crate::profile::Fact::named(name).is_some())
}
