//! What people and programs read of a run.

pub mod model;

pub use model::{Case, Exit, Run, Target};
