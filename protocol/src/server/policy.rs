//! What a server checks, allows and waits for, as data.
//!
//! The default is the service as it is known. Every check can be left out by name and every limit
//! moved, which is how a host plays a faulty server: none of it costs anything while it is unused.

use alloc::string::String;
use core::time::Duration;

use super::eventual::Eventual;
use super::readings::Readings;
use crate::filter::Readings as FilterReadings;

/// One thing that a correct server does, or does not let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Check {
    /// `connection_init` is answered.
    InitAnswered,
    /// The acknowledgement names its timeout.
    AckNamesTimeout,
    /// A keep-alive follows the acknowledgement at once (GraphQL).
    FirstKeepAlive,
    /// Keep-alives go on.
    KeepAlives,
    /// The connection is closed after `connection_error`.
    CloseAfterRefusal,
    /// A refused operation leaves the connection open.
    ErrorKeepsConnection,
    /// A refused operation is answered.
    RefusalAnswered,
    /// An operation needs credentials of its own.
    OperationCarriesCredentials,
    /// The credentials of an operation are looked at.
    OperationCredentials,
    /// An id in use is refused.
    DuplicateId,
    /// An accepted subscription is acknowledged.
    SubscribeAnswered,
    /// An unsubscribe is answered.
    UnsubscribeAnswered,
    /// An unsubscribe ends the subscription.
    UnsubscribeEnds,
    /// An unsubscribe ends no other subscription.
    UnsubscribeSparesOthers,
    /// An unsubscribe of an unknown id is refused (Events).
    UnknownUnsubscribe,
    /// More subscriptions than allowed are refused.
    SubscriptionLimit,
    /// A word of no message is answered.
    UnknownWordAnswered,
    /// Text that is no message is answered.
    UnreadableAnswered,
    /// Only arguments that equal the result's fields match (GraphQL).
    ArgumentsMatch,
    /// An argument of null matches only null (GraphQL).
    NullArgument,
    /// Every argument has to match, not just one (GraphQL).
    EveryArgument,
    /// The subscriber sees only what it selected (GraphQL).
    SelectionCut,
    /// A subscription field hears only its own mutations (GraphQL).
    FieldMatch,
    /// A document is validated before it is acknowledged (GraphQL).
    DocumentChecked,
    /// Operations that are no subscription are refused (GraphQL).
    SubscriptionsOnly,
    /// Channels are compared whole (Events).
    ChannelMatch,
    /// Channels are compared with their case (Events).
    ChannelCase,
    /// A wildcard covers every depth (Events).
    WildcardDepth,
    /// A wildcard does not cover its own prefix (Events).
    WildcardSparesPrefix,
    /// Channel syntax is checked (Events).
    ChannelSyntax,
    /// The namespace has to exist (Events).
    NamespaceExists,
    /// Publishing to a wildcard is refused (Events).
    WildcardPublish,
    /// More events than allowed in a publish are refused (Events).
    EventCount,
    /// An empty list of events is refused (Events).
    EventsPresent,
    /// Events have to be strings (Events).
    EventsAreStrings,
    /// Events have to be JSON text (Events).
    EventsAreJson,
    /// Events beyond the size limit are refused or dropped.
    EventSize,
    /// A publish beyond the size limit is refused (Events).
    PublishSize,
    /// A publish is answered (Events).
    PublishAnswered,
    /// Ids of operations have to match the pattern (Events).
    OperationIdSyntax,
    /// The publisher gets its own events if it is subscribed (Events).
    EchoToPublisher,
    /// Every matching subscription gets an event, not just the first of its connection.
    EverySubscription,
    /// An event is sent once.
    DeliveredOnce,
    /// The end of a connection ends its subscriptions.
    CloseFreesIds,
    /// Subscribing needs no init (Events).
    InitOptional,
    /// A channel that begins with the name of another is another (Events).
    ChannelEnd,
    /// What a wildcard covers begins with whole segments of its prefix (Events).
    WildcardSegment,
    /// A text that begins with that of an argument does not match (GraphQL).
    ArgumentEnd,
    /// An argument of zero, false or an empty text has to match like any other (GraphQL).
    ArgumentOfNothing,
    /// A subscribe compares its id with those in use as they are written.
    SubscribeIdExact,
    /// An unsubscribe compares its id with those in use as they are written.
    UnsubscribeIdExact,
    /// Namespaces are compared whole (Events).
    NamespaceEnd,
}

impl Check {
    /// Every check.
    pub const ALL: [Self; 52] = [
        Self::InitAnswered,
        Self::AckNamesTimeout,
        Self::FirstKeepAlive,
        Self::KeepAlives,
        Self::CloseAfterRefusal,
        Self::ErrorKeepsConnection,
        Self::RefusalAnswered,
        Self::OperationCarriesCredentials,
        Self::OperationCredentials,
        Self::DuplicateId,
        Self::SubscribeAnswered,
        Self::UnsubscribeAnswered,
        Self::UnsubscribeEnds,
        Self::UnsubscribeSparesOthers,
        Self::UnknownUnsubscribe,
        Self::SubscriptionLimit,
        Self::UnknownWordAnswered,
        Self::UnreadableAnswered,
        Self::ArgumentsMatch,
        Self::NullArgument,
        Self::EveryArgument,
        Self::SelectionCut,
        Self::FieldMatch,
        Self::DocumentChecked,
        Self::SubscriptionsOnly,
        Self::ChannelMatch,
        Self::ChannelCase,
        Self::WildcardDepth,
        Self::WildcardSparesPrefix,
        Self::ChannelSyntax,
        Self::NamespaceExists,
        Self::WildcardPublish,
        Self::EventCount,
        Self::EventsPresent,
        Self::EventsAreStrings,
        Self::EventsAreJson,
        Self::EventSize,
        Self::PublishSize,
        Self::PublishAnswered,
        Self::OperationIdSyntax,
        Self::EchoToPublisher,
        Self::EverySubscription,
        Self::DeliveredOnce,
        Self::CloseFreesIds,
        Self::InitOptional,
        Self::ChannelEnd,
        Self::WildcardSegment,
        Self::ArgumentEnd,
        Self::ArgumentOfNothing,
        Self::SubscribeIdExact,
        Self::UnsubscribeIdExact,
        Self::NamespaceEnd,
    ];
}

/// Checks that are left out; none by default. Made by [`Policy::without`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skipped(u64);

/// How the end of an invalidated subscription is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GqlA07 {
    /// `complete`, then the connection is closed.
    #[default]
    Complete,
    /// `error` with the text “Subscription complete.”, then the connection is closed.
    Error,
    /// `complete`, and the connection stays open.
    CompleteOnly,
}

/// Limits and times of a server. Sizes in bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Checks left out.
    pub skipped: Skipped,
    /// `connectionTimeoutMs` of the acknowledgement. Source: GQL-INIT-004, EVT-INIT-002.
    pub silence_limit_ms: u64,
    /// Time between keep-alives. Source: GQL-KA-003, EVT-KA-001.
    pub keep_alive: Duration,
    /// Longest life of a connection. Source: GQL-LIMIT-001, EVT-LIMIT-011.
    pub lifetime: Duration,
    /// Subscriptions on one connection. Source: GQL-LIMIT-002, EVT-LIMIT-004.
    pub subscriptions_max: usize,
    /// Size of one event. Source: GQL-LIMIT-005, EVT-LIMIT-002.
    pub event_bytes_max: usize,
    /// Size of all events of one publish. Source: EVT-LIMIT-003.
    pub publish_bytes_max: usize,
    /// Events in one publish. Source: EVT-LIMIT-001.
    pub events_max: usize,
    /// Channel namespaces that exist. Source: EVT-CHANNEL-007.
    pub namespaces: alloc::vec::Vec<String>,
    /// Longest time that a handler may take. Source: EVT-LIMIT-014.
    pub request_max: Duration,
    /// How it reads what sources disagree about.
    pub readings: Readings,
    /// How much later than at once things happen; `None` for at once.
    pub eventual: Option<Eventual>,
    /// How the end of an invalidated subscription is told. Source: GQL-FILTER-026.
    pub gql_a_07: GqlA07,
    /// Which reading of enhanced filters it has. Source: GQL-FILTER-013, GQL-FILTER-014, GQL-FILTER-016.
    pub filters: FilterReadings,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            skipped: Skipped::default(),
            silence_limit_ms: 300_000,
            keep_alive: Duration::from_secs(60),
            lifetime: Duration::from_secs(24 * 60 * 60),
            subscriptions_max: 200,
            event_bytes_max: 240 * 1024,
            publish_bytes_max: 1_200_000,
            events_max: 5,
            namespaces: alloc::vec!["default".into(), "other".into()],
            request_max: Duration::from_secs(30),
            readings: Readings::default(),
            eventual: None,
            gql_a_07: GqlA07::default(),
            filters: FilterReadings::default(),
        }
    }
}

impl Policy {
    /// The same without one check.
    #[must_use]
    pub const fn without(mut self, check: Check) -> Self {
        self.skipped.0 |= 1 << check as u8;
        self
    }

    /// Whether the check is made.
    pub const fn makes(&self, check: Check) -> bool {
        self.skipped.0 & (1 << check as u8) == 0
    }
}
