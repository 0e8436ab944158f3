//! Looks at a target without judging it: what it is (`probe`), and whether it can be worked with at all (`doctor`).
//!
//! ```text
//!   Dialogue: upgrade, acknowledgement, subscription, trigger, event; each step with what was seen
//!      ├── probe   many short dialogues ──> Profile: facts, timers, namespaces, limits on request
//!      └── doctor  one ladder ──> rungs; the first that breaks ends it, with the cure
//! ```
//!
//! A shell: it speaks to sockets. It is polite: a probe makes a dozen connections, and looks for limits only when asked.

pub(crate) mod dialogue;
pub mod doctor;
pub mod limits;
pub mod probe;
