//! The floor: the least that a server and a client can do and still speak the dialogue. What is measured is put in
//! relation to it, in the same minute on the same machine.
//!
//! ```text
//!   server.rs   one thread, one poll loop; frames are made once for each read and copied with another id
//!   audience.rs a client that subscribes N times, and searches what comes for the marks of events
//!   press.rs    a publisher with a schedule of its own; it writes all that is due at once
//!   rounds.rs   a client of the closed loop: publish, wait for the answer, publish
//!   wire.rs     the bytes: frames, templates, marks
//! ```
//!
//! It trusts its peers, keeps no limits and answers nothing that it is not asked by them: nobody is to use it for anything
//! else. Sockets do not block, and all system calls go through `mio`, which needs no `unsafe` here.

pub mod audience;
pub mod press;
pub mod rounds;
pub mod server;
pub mod wire;

/// Why nothing could be measured.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
