//! What is told to the delivery model, and what it and others complain of.
//!
//! One ledger for all clients of the run. Whoever asks, publishes or hears tells it before it sends and after it has
//! received; the order of these calls is the order in which the model sees them. `live`, the profile of the endpoint,
//! promises delivery from the acknowledgement on, so a subscription is settled as soon as it is granted.

use std::time::Duration;

use appsync_protocol::delivery::{DeliveryModel, Interest, Kind, Misdelivery, Subject, SubscriptionKey};
use appsync_protocol::moment::Moment;

use crate::payload::{Found, find};

/// Complaints that are kept in full; the others are counted.
const SHOWN_MAX: usize = 20;
/// Bytes of one complaint.
const LINE_MAX: usize = 400;

/// Totals of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Subscriptions that were asked for, again after a loss too.
    pub(crate) asked: u64,
    /// Of these, granted.
    pub(crate) granted: u64,
    /// Events that were about to be sent.
    pub(crate) published: u64,
    /// Of these, accepted.
    pub(crate) accepted: u64,
    /// Of these, refused, as they had to be.
    pub(crate) refused: u64,
    /// Arrivals.
    pub(crate) delivered: u64,
    /// Bytes of the bodies that arrived.
    pub(crate) bytes: u64,
    /// Promised events that never came.
    pub(crate) missing: u64,
    /// Arrivals where they must not be.
    pub(crate) forbidden: u64,
    /// Arrivals of what had arrived.
    pub(crate) duplicate: u64,
    /// Arrivals of what nobody published.
    pub(crate) unknown: u64,
    /// Arrivals of which a part is missing or changed.
    pub(crate) damaged: u64,
    /// Everything else that is wrong.
    pub(crate) other: u64,
}

impl Counts {
    /// How much went wrong.
    pub(crate) const fn wrong(&self) -> u64 {
        self.missing + self.forbidden + self.duplicate + self.unknown + self.damaged + self.other
    }
}

/// The model, and what was found.
#[derive(Default)]
pub(crate) struct Ledger {
    model: DeliveryModel,
    counts: Counts,
    shown: Vec<String>,
}

impl Ledger {
    /// Totals until now.
    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    /// The first complaints.
    pub(crate) fn shown(&self) -> &[String] {
        &self.shown
    }

    /// A subscribe is about to be sent.
    pub(crate) fn asked(&mut self, at: Moment, key: SubscriptionKey, interest: Interest) {
        self.counts.asked += 1;
        self.model.asked(at, key, interest);
    }

    /// The endpoint has granted it.
    pub(crate) fn granted(&mut self, at: Moment, key: &SubscriptionKey) {
        self.counts.granted += 1;
        self.model.granted(at, key);
        self.model.settled(at, key);
    }

    /// An unsubscribe is about to be sent, or the connection about to be closed.
    pub(crate) fn leaving(&mut self, at: Moment, key: &SubscriptionKey) {
        self.model.leaving(at, key);
    }

    /// The end is confirmed, or the connection is over.
    pub(crate) fn ended(&mut self, at: Moment, key: &SubscriptionKey) {
        self.model.ended(at, key);
    }

    /// An event is about to be sent.
    pub(crate) fn published(&mut self, at: Moment, nonce: &str, by: Option<u32>, subject: Subject) {
        self.counts.published += 1;
        self.model.published(at, nonce, by, subject);
    }

    /// The answer to a publish. One that is not `as_expected` is a complaint.
    pub(crate) fn answered(&mut self, at: Moment, nonce: &str, accepted: bool, as_expected: bool) {
        if accepted {
            self.counts.accepted += 1;
        } else {
            self.counts.refused += 1;
        }
        if !as_expected {
            let word = if accepted { "accepted" } else { "refused" };
            self.complain(format!("the endpoint {word} the publish of {nonce:?}, which it must not"));
        }
        for wrong in self.model.publish_answered(at, nonce, accepted) {
            self.misdelivered(&wrong);
        }
    }

    /// A body has arrived on a subscription.
    pub(crate) fn delivered(&mut self, at: Moment, key: &SubscriptionKey, body: &str) {
        self.counts.delivered += 1;
        self.counts.bytes += body.len() as u64;
        match find(body) {
            Found::Whole(nonce) => self.arrived(at, key, nonce),
            Found::Damaged(nonce) => {
                self.counts.damaged += 1;
                self.note(format!("{nonce:?} arrived damaged on {key}: {} bytes", body.len()));
                self.arrived(at, key, nonce);
            }
            Found::Nothing => {
                self.counts.unknown += 1;
                self.note(format!("{} bytes arrived on {key} that carry no nonce", body.len()));
            }
        }
    }

    /// Looks for events that are owed for longer than `patience`.
    pub(crate) fn look(&mut self, at: Moment, patience: Duration) {
        for wrong in self.model.overdue(at, patience) {
            self.misdelivered(&wrong);
        }
    }

    /// Whether anything is still owed, however young.
    pub(crate) fn owes(&self, at: Moment) -> bool {
        !self.model.clone().overdue(at, Duration::ZERO).is_empty()
    }

    /// Anything else that must not be. The text holds no secret.
    pub(crate) fn complain(&mut self, text: String) {
        self.counts.other += 1;
        self.note(text);
    }

    fn arrived(&mut self, at: Moment, key: &SubscriptionKey, nonce: &str) {
        let strangers = self.model.strangers();
        match self.model.delivered(at, key, nonce) {
            Some(wrong) => self.misdelivered(&wrong),
            // The model tells of the first stranger only; here every one is wrong, for nobody else is there.
            None => self.counts.unknown += self.model.strangers() - strangers,
        }
    }

    fn misdelivered(&mut self, wrong: &Misdelivery) {
        match wrong.kind {
            Kind::Missing => self.counts.missing += 1,
            Kind::Forbidden => self.counts.forbidden += 1,
            Kind::Duplicate => self.counts.duplicate += 1,
            Kind::Unknown => self.counts.unknown += 1,
        }
        self.note(wrong.to_string());
    }

    fn note(&mut self, mut text: String) {
        if self.shown.len() < SHOWN_MAX {
            let end = text.char_indices().nth(LINE_MAX).map_or(text.len(), |(end, _)| end);
            text.truncate(end);
            self.shown.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::Payload;
    use crate::topics::on_channel;
    use appsync_protocol::channel::ChannelPattern;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Moment {
        Moment::START + Duration::from_secs(seconds)
    }

    fn key(connection: u32) -> SubscriptionKey {
        SubscriptionKey { connection, id: "s".into(), generation: 0 }
    }

    /// A ledger with a settled subscription to `/default/a` on connection 1, and a payload that was published there.
    fn published() -> (Ledger, Payload) {
        let (mut ledger, payload) = (Ledger::default(), Payload::new(1, 50));
        ledger.asked(at(0), key(1), Interest::Channel(ChannelPattern::parse("/default/a").unwrap()));
        ledger.granted(at(0), &key(1));
        ledger.published(at(1), &payload.nonce, None, on_channel("/default/a"));
        (ledger, payload)
    }

    #[test]
    fn an_event_that_arrives_once_is_no_complaint() {
        let (mut ledger, payload) = published();

        ledger.answered(at(1), &payload.nonce, true, true);
        assert!(ledger.owes(at(1)));
        ledger.delivered(at(2), &key(1), &format!("\"{}\"", payload.text));
        ledger.look(at(60), PATIENCE);

        assert!(!ledger.owes(at(60)));
        assert_eq!(ledger.counts().wrong(), 0, "{:?}", ledger.shown());
        assert_eq!((ledger.counts().delivered, ledger.counts().accepted), (1, 1));
    }

    #[test]
    fn an_event_that_never_arrives_is_missing_once_patience_is_over() {
        let (mut ledger, payload) = published();

        ledger.answered(at(1), &payload.nonce, true, true);
        ledger.look(at(10), PATIENCE);
        assert_eq!(ledger.counts().missing, 0);
        ledger.look(at(11), PATIENCE);
        ledger.look(at(12), PATIENCE);

        assert_eq!(ledger.counts().missing, 1);
        assert_eq!(ledger.shown().len(), 1);
    }

    #[test]
    fn a_subscriber_that_was_cut_is_excused() {
        let (mut ledger, payload) = published();

        ledger.answered(at(1), &payload.nonce, true, true);
        ledger.ended(at(2), &key(1));
        ledger.look(at(60), PATIENCE);

        assert_eq!(ledger.counts().wrong(), 0, "{:?}", ledger.shown());
    }

    #[test]
    fn each_wrong_arrival_is_counted_under_its_name() {
        let (mut ledger, payload) = published();
        ledger.answered(at(1), &payload.nonce, true, true);

        ledger.delivered(at(2), &key(1), &payload.text);
        ledger.delivered(at(2), &key(1), &payload.text);
        ledger.delivered(at(2), &key(1), &Payload::new(99, 50).text);
        ledger.delivered(at(2), &key(1), &Payload::new(98, 50).text);
        ledger.delivered(at(2), &key(1), "\"hello\"");
        ledger.ended(at(3), &key(1));
        ledger.delivered(at(4), &key(1), &payload.text[..20]);

        let counts = ledger.counts();
        assert_eq!((counts.duplicate, counts.unknown, counts.forbidden, counts.damaged), (1, 3, 1, 1));
    }

    #[test]
    fn a_refused_event_that_arrives_is_forbidden_and_an_unexpected_answer_a_complaint() {
        let (mut ledger, payload) = published();

        ledger.delivered(at(1), &key(1), &payload.text);
        ledger.answered(at(2), &payload.nonce, false, false);

        assert_eq!((ledger.counts().forbidden, ledger.counts().other), (1, 1));
    }

    #[test]
    fn only_the_first_complaints_are_kept_and_all_are_counted() {
        let mut ledger = Ledger::default();

        for _ in 0..1_000 {
            ledger.complain("ä".repeat(10_000));
        }

        assert_eq!((ledger.shown().len(), ledger.counts().other), (SHOWN_MAX, 1_000));
        assert_eq!(ledger.shown()[0].chars().count(), LINE_MAX);
    }
}
