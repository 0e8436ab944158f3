//! How a server reads the questions on which sources pull apart, and how eventual it is.
//!
//! The default is the service as it is known. Each type names the ambiguity that it settles. What is eventual is drawn
//! from a seed and the time: the same course gives the same delays, so that a failure can be played again.

use core::time::Duration;

use crate::moment::Moment;

/// One reading of each ambiguity that a server can settle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// `event` of `data`.
    pub event_form: EventForm,
    /// What a `connection_error` of Events holds.
    pub connect_error: ConnectError,
    /// What an undefined namespace looks like.
    pub undefined_namespace: UndefinedNamespace,
    /// What comes without `connection_init` (Events).
    pub without_init: WithoutInit,
    /// The code that closes a refused connection.
    pub refusal_close: RefusalClose,
    /// When a refusal is told.
    pub refusal_time: RefusalTime,
    /// Whether publishes and subscriptions share their ids.
    pub id_scope: IdScope,
    /// What a top-level `error` of a Lambda function looks like.
    pub lambda_error: LambdaError,
    /// What a denial of `onSubscribe` is called.
    pub subscribe_denial: SubscribeDenial,
    /// What an event that is no JSON text makes fail.
    pub bad_event: BadEvent,
    /// Whether a channel may end with a slash.
    pub trailing_slash: TrailingSlash,
    /// What becomes of operations before the acknowledgement (GraphQL).
    pub early_operations: EarlyOperations,
    /// What an unauthorized connection is told (GraphQL).
    pub connect_denial: ConnectDenial,
    /// The word that refuses a connection (GraphQL).
    pub connect_word: ConnectWord,
    /// The form of `payload.errors` for a limit (GraphQL).
    pub limit_errors: LimitErrors,
    /// Where `errorType` stands (GraphQL).
    pub error_type_place: ErrorTypePlace,
    /// What answers a `stop` of an unknown id (GraphQL).
    pub unknown_stop: UnknownStop,
}

/// Settles EVT-A-01: the form of `event`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventForm {
    /// A string, as every client reads it.
    #[default]
    String,
    /// An array of one string, as the page shows it.
    Array,
}

/// Settles EVT-A-05: what a `connection_error` of Events holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectError {
    /// Type, message and code.
    #[default]
    Full,
    /// Type and message.
    WithoutCode,
    /// The type alone.
    TypeAlone,
}

/// Settles EVT-A-06: what an undefined namespace looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UndefinedNamespace {
    /// `UnauthorizedException` without a message.
    #[default]
    Unauthorized,
    /// `ResourceNotFound`.
    NotFound,
}

/// Settles EVT-A-07: what comes without `connection_init` (Events).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithoutInit {
    /// Keep-alives, but no acknowledgement.
    #[default]
    KeepAlives,
    /// Nothing.
    Nothing,
    /// Keep-alives and an acknowledgement.
    Acknowledged,
}

/// Settles EVT-A-08: the code that closes a refused connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefusalClose {
    /// 1000.
    #[default]
    Normal,
    /// 1008.
    PolicyViolation,
    /// 4401.
    Private,
}

impl RefusalClose {
    /// The close code.
    pub const fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::PolicyViolation => 1008,
            Self::Private => 4401,
        }
    }
}

/// Settles EVT-A-09: when a refusal is told (Events).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefusalTime {
    /// Right after the upgrade.
    #[default]
    AtOnce,
    /// In answer to the first message, or when the time of a request is over.
    OnFirstMessage,
}

/// Settles EVT-A-10: whether publishes and subscriptions share their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdScope {
    /// They do not.
    #[default]
    Subscriptions,
    /// A publish under the id of a live subscription is refused.
    AllOperations,
}

/// Settles EVT-A-14: what a top-level `error` of a Lambda function looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LambdaError {
    /// Its text is told.
    #[default]
    Told,
    /// Its text is not told.
    Hidden,
}

/// Settles EVT-A-16: what a denial of `onSubscribe` is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubscribeDenial {
    /// As any other.
    #[default]
    UnauthorizedException,
    /// As the page spells it.
    Unauthorized,
}

/// Settles EVT-A-24: what an event that is no JSON text makes fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BadEvent {
    /// The whole publish.
    #[default]
    Request,
    /// That event alone.
    Event,
}

/// Settles EVT-A-31: whether a channel may end with a slash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrailingSlash {
    /// It may.
    #[default]
    Accepted,
    /// It may not.
    Refused,
}

/// Settles GQL-A-02: what becomes of operations before the acknowledgement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyOperations {
    /// They are ignored.
    #[default]
    Ignored,
    /// They are processed.
    Processed,
}

/// Settles GQL-A-03: what an unauthorized connection is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectDenial {
    /// The plain type and 401.
    #[default]
    Plain,
    /// The type with its name space and 400.
    Namespaced,
}

/// Settles GQL-A-04: the word that refuses a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectWord {
    /// `connection_error`
    #[default]
    ConnectionError,
    /// `error`
    Error,
}

/// Settles GQL-A-05: the form of `payload.errors` for a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitErrors {
    /// An array, as everywhere.
    #[default]
    Array,
    /// One object.
    Object,
}

/// Settles GQL-A-06: where `errorType` stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ErrorTypePlace {
    /// In the element.
    #[default]
    Element,
    /// Under `extensions` of the element.
    Extensions,
}

/// Settles GQL-A-08: what answers a `stop` of an unknown id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownStop {
    /// `error`
    #[default]
    Refused,
    /// `complete`
    Completed,
    /// Nothing.
    Ignored,
}

/// How much later than at once things happen, and from which seed that is drawn.
///
/// Source: EVT-SUB-013, EVT-SUB-019, EVT-DATA-007, EVT-A-29, GQL-A-24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eventual {
    /// Where the draws begin.
    pub seed: u64,
    /// Longest time from an acknowledgement of a subscription to the first event that has to arrive.
    pub settling_max: Duration,
    /// Longest time that an answer or an event of Events is held back.
    pub late_max: Duration,
}

/// One thing that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Draw {
    Answer,
    Settling,
    MissedOrLate,
    Delivery,
}

impl Eventual {
    /// A number for one thing at one time; `salt` tells apart what happens at the same time.
    pub(crate) const fn draw(&self, what: Draw, at: Moment, salt: u64) -> u64 {
        let mut state = self.seed ^ at.as_micros().rotate_left(17) ^ salt.rotate_left(43) ^ (what as u64 + 1) << 59;
        state |= 1;
        let mut round = 0;
        while round < 4 {
            // xorshift64*
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            state = state.wrapping_mul(0x2545_f491_4f6c_dd1d);
            round += 1;
        }
        state >> 16
    }

    /// A time from zero to `most`, both possible; in whole milliseconds.
    pub(crate) fn time(&self, most: Duration, what: Draw, at: Moment, salt: u64) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.draw(what, at, salt) % most.saturating_add(1).max(1))
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    const EVENTUAL: Eventual =
        Eventual { seed: 1, settling_max: Duration::from_secs(5), late_max: Duration::from_millis(50) };

    #[test]
    fn a_draw_depends_on_the_seed_the_thing_the_time_and_the_salt() {
        let other = Eventual { seed: 2, ..EVENTUAL };
        let at = Moment::from_millis(7);
        let draws = BTreeSet::from([
            EVENTUAL.draw(Draw::Answer, at, 1),
            other.draw(Draw::Answer, at, 1),
            EVENTUAL.draw(Draw::Delivery, at, 1),
            EVENTUAL.draw(Draw::Answer, Moment::START, 1),
            EVENTUAL.draw(Draw::Answer, at, 2),
        ]);

        assert_eq!(draws.len(), 5);
        assert!(draws.contains(&EVENTUAL.draw(Draw::Answer, at, 1)));
    }

    #[test]
    fn drawn_times_fill_their_range_and_stay_in_it() {
        let times: BTreeSet<_> = (0..2000)
            .map(|salt| EVENTUAL.time(Duration::from_millis(9), Draw::Delivery, Moment::START, salt).as_millis())
            .collect();

        assert_eq!(times, (0..=9).collect());
    }

    #[test]
    fn no_time_at_all_can_be_drawn() {
        assert_eq!(EVENTUAL.time(Duration::ZERO, Draw::Settling, Moment::START, 5), Duration::ZERO);
    }
}
