//! A run for readers and machines.
//!
//! [`text`](text()) for a terminal, [`json`] for programs, [`html`] as one page with plots, and the log of HdrHistogram, which
//! also holds everything that [`merge`](super::record::merge) needs.

pub mod html;
pub mod json;
pub mod log;
mod plot;
mod text;

pub use text::{text, time, whole};
