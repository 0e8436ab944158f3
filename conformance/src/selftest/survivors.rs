//! Derived saboteurs that survive, by class: nobody outside can see the difference, or the protocol allows it.
//!
//! A name that no derived saboteur has, one that is listed twice, and one whose saboteur is killed after all are
//! defects of the list and fail the selftest.

/// Derived saboteurs that survive for one reason.
pub struct Class {
    /// Why nothing counts against them: what nobody can see, or what allows it.
    pub why: &'static str,
    /// Requirements and ambiguities that the reason rests on.
    pub cites: &'static [&'static str],
    /// Names of the saboteurs.
    pub names: &'static [&'static str],
}

/// Every class.
pub const REASONS: &[Class] = &[];

/// Why this one survives.
pub fn reason(name: &str) -> Option<&'static str> {
    REASONS.iter().find(|class| class.names.contains(&name)).map(|class| class.why)
}

/// Every name that is listed.
pub fn names() -> impl Iterator<Item = &'static str> {
    REASONS.iter().flat_map(|class| class.names.iter().copied())
}

/// Whether only scenarios that last a day can see it.
pub fn may_need_a_day(name: &str) -> bool {
    name.contains("lifetime") || name.contains("KeepAlive") || name.contains("/ka/") || name.contains("keep-alive")
}
