//! What people and programs read of a run.
//!
//! [`model`] is the only source; every form below derives from it and adds nothing but the register's own
//! words. What a target said reaches a terminal or a file only through [`text::printable`]: control and
//! direction characters become visible escapes.

pub mod baseline;
pub mod exit;
pub mod explain;
pub mod json;
pub mod junit;
pub mod list;
pub mod model;
pub mod ndjson;
pub mod text;

pub use model::{Case, Exit, Run, Target};
