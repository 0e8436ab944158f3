//! Derived saboteurs that survive, each with the reason: nobody can see the difference, or the protocol allows it.
//!
//! An entry whose saboteur is killed after all is stale and fails the selftest.

/// Name of a derived saboteur, and why nothing counts against it.
pub const REASONS: &[(&str, &str)] = &[];

/// Why this one survives.
pub fn reason(name: &str) -> Option<&'static str> {
    REASONS.iter().find(|(of, _)| *of == name).map(|(_, why)| *why)
}

/// Whether only scenarios that last a day can see it.
pub fn may_need_a_day(name: &str) -> bool {
    name.contains("lifetime") || name.contains("KeepAlive") || name.contains("/ka/") || name.contains("keep-alive")
}
