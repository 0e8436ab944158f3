//! The load generator: a plan, the processes that carry it out, and what was measured.
//!
//! ```text
//!   Plan ──> drive: sockets, threads, clocks ──> Record ──┬──> threshold: what decides the exit code
//!            schedule: who does what when        counts    ├──> text, JSON, HTML
//!            mark: what an event carries         histograms└──> HdrHistogram log <──> merge: several shards, one Record
//!            receipt: what of it arrived
//! ```
//!
//! Three ideas hold it together.
//!
//! **The schedule is fixed in advance.** In the open loop the n-th operation has an intended moment that nothing can
//! move. If the target or this process falls behind, the operations that are due go out at once, and what they waited
//! counts: *response time* runs from the intended moment, *service time* from the moment of sending. Only the former
//! says what somebody who came at that moment would have waited. In the closed loop there is no intended moment, so the
//! two are the same, and a target that stalls is asked less often just then.
//!
//! **Deliveries are counted one by one.** Each event carries its flow (publisher and channel) and its number in it; each
//! subscriber keeps what it got as ranges. An event counts as lost if the target accepted it and a subscriber with an
//! acknowledged subscription did not get it. What the target refused or did not answer is never lost.
//!
//! **A run that measured itself says so.** The schedule lag and the processor time of each thread are measured too.
//! Where they were the limit, the run is void: its latencies and rates are shown, but nothing is judged by them.
//!
//! Only [`drive`] knows sockets, threads and clocks.

pub mod drive;
pub mod mark;
pub mod measure;
pub mod payload;
pub mod plan;
pub mod receipt;
pub mod record;
pub mod report;
pub mod schedule;
pub mod threshold;
pub mod topic;
pub mod verdict;

pub use plan::{Mode, Pace, Plan, PlanError, Shard};
pub use record::Record;
