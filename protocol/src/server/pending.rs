//! What a connection does later: answers that take time, and what they bring about.
//!
//! Each operation is judged when it comes, and has its effect when its time is over; those of no time have it at once.
//! Effects of one moment keep their order. A connection has at most [`PENDING_MAX`] of them: who asks for more is told
//! so at once, so that slow handlers cost a bounded amount of memory.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Check, Draw, Interest, Policy, Refusal, Server, State, Subscription};
use crate::dialect::Dialect;
use crate::moment::Moment;

/// Operations of one connection that may be under way.
pub const PENDING_MAX: usize = 256;

/// What an operation brings about.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    Say(String),
    Subscribe { id: String, interest: Interest },
    Unsubscribe { id: String },
    Refuse { word: &'static str, id: Option<String>, refusals: Vec<Refusal> },
    Close(u16),
}

impl Server {
    /// Has the effect after this time, and not before the answer is allowed to be late.
    pub(super) fn bring_about(&mut self, after: Duration, effect: Effect, policy: &Policy) {
        let after = after + self.lateness(policy);
        if after.is_zero() {
            return self.apply(effect, policy);
        }
        if self.pending.len() < PENDING_MAX {
            return self.postpone(self.now + after, effect);
        }
        let too_many = Refusal::new("LimitExceededError", "Too many operations under way");
        match effect {
            Effect::Subscribe { id, .. } => {
                let word = self.dialect.refusal_of_subscribe();
                self.apply(Effect::Refuse { word, id: Some(id), refusals: alloc::vec![too_many] }, policy);
            }
            Effect::Say(_) | Effect::Unsubscribe { .. } | Effect::Refuse { .. } | Effect::Close(_) => {
                self.apply(effect, policy);
            }
        }
    }

    pub(super) fn postpone(&mut self, due: Moment, effect: Effect) {
        let place = self.pending.partition_point(|(at, _)| *at <= due);
        self.pending.insert(place, (due, effect));
    }

    /// Has every effect that is due.
    pub(super) fn catch_up(&mut self, policy: &Policy) {
        while self.pending.front().is_some_and(|(due, _)| *due <= self.now) {
            let Some((_, effect)) = self.pending.pop_front() else { return };
            self.apply(effect, policy);
        }
    }

    /// Has every effect now, in order.
    pub(super) fn hurry(&mut self, policy: &Policy) {
        while let Some((_, effect)) = self.pending.pop_front() {
            self.apply(effect, policy);
        }
    }

    /// When the subscribe of this id will be answered, if it is still under way.
    pub(super) fn subscribes_at(&self, id: &str) -> Option<Moment> {
        let is_it = |effect: &Effect| matches!(effect, Effect::Subscribe { id: own, .. } if own == id);
        self.pending.iter().find(|(_, effect)| is_it(effect)).map(|(due, _)| *due)
    }

    /// Subscriptions that are there or will be.
    pub(super) fn subscriptions_claimed(&self) -> usize {
        let coming = self.pending.iter().filter(|(_, effect)| matches!(effect, Effect::Subscribe { .. })).count();
        self.subscriptions.len() + coming
    }

    fn apply(&mut self, effect: Effect, policy: &Policy) {
        match effect {
            Effect::Say(text) => self.say(text),
            Effect::Subscribe { id, interest } => {
                let settles_at = self.settles_at(policy);
                self.lives += 1;
                let word = self.dialect.grant_of_subscribe();
                if policy.makes(Check::SubscribeAnswered) {
                    self.say_with_id(word, &id);
                }
                let head = super::data_head(&id).into();
                self.keep(id, Subscription { interest, head, settles_at, life: self.lives });
            }
            Effect::Unsubscribe { id } => self.unsubscribe(&id, policy),
            Effect::Refuse { word, id, refusals } => self.refuse_operation(word, id.as_deref(), &refusals, policy),
            Effect::Close(code) => self.close(code, ""),
        }
    }

    /// How late the next answer is. Source: EVT-A-29, GQL-A-24.
    fn lateness(&mut self, policy: &Policy) -> Duration {
        let Some(eventual) = policy.eventual.filter(|_| self.state != State::Refused) else { return Duration::ZERO };
        self.draws += 1;
        eventual.time(eventual.late_max, Draw::Answer, self.now, self.salt())
    }

    /// When a subscription of now hears everything. Source: EVT-SUB-013, GQL-A-24.
    fn settles_at(&mut self, policy: &Policy) -> Moment {
        let Some(eventual) = policy.eventual else { return Moment::START };
        self.draws += 1;
        self.now + eventual.time(eventual.settling_max, Draw::Settling, self.now, self.salt())
    }

    /// Tells apart what one connection draws from what others do, and one draw from the next.
    const fn salt(&self) -> u64 {
        self.mint.rotate_left(32) ^ self.draws
    }
}

impl Dialect {
    const fn grant_of_subscribe(self) -> &'static str {
        match self {
            Self::Graphql => "start_ack",
            Self::Events => "subscribe_success",
        }
    }

    pub(super) const fn refusal_of_subscribe(self) -> &'static str {
        match self {
            Self::Graphql => "error",
            Self::Events => "subscribe_error",
        }
    }
}
