//! How a server reads the questions on which sources pull apart.
//!
//! The default is the service as it is known. Each type names the ambiguity that it settles.

use alloc::vec::Vec;

/// A switch between readings of one ambiguity; the first is that of the service as it is known.
pub trait Reading: Copy + PartialEq + 'static {
    /// Id of the ambiguity, such as `EVT-A-01`.
    const AMBIGUITY: &'static str;
    /// Every reading.
    const ALL: &'static [Self];

    /// The reading in a word, as configurations write it.
    fn word(self) -> &'static str;
}

macro_rules! readings {
    ($($(#[$about:meta])* $name:ident($field:ident) settles $id:literal {
        $(#[$first_about:meta])* $first:ident = $first_word:literal,
        $($(#[$other_about:meta])* $other:ident = $other_word:literal,)+
    })+) => {
        $(
            $(#[$about])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub enum $name {
                $(#[$first_about])*
                #[default]
                $first,
                $($(#[$other_about])* $other,)+
            }

            impl Reading for $name {
                const AMBIGUITY: &'static str = $id;
                const ALL: &'static [Self] = &[Self::$first, $(Self::$other,)+];

                fn word(self) -> &'static str {
                    match self {
                        Self::$first => $first_word,
                        $(Self::$other => $other_word,)+
                    }
                }
            }
        )+

        /// One reading of each ambiguity that a server can settle.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Readings {
            $($(#[$about])* pub $field: $name,)+
        }

        impl Readings {
            /// Every switch with its ambiguity.
            pub fn switches(&mut self) -> [&mut dyn Switch; [$($id,)+].len()] {
                [$(&mut self.$field,)+]
            }
        }
    };
}

/// A reading that can be looked at and changed without knowing which it is.
pub trait Switch {
    /// Id of the ambiguity.
    fn ambiguity(&self) -> &'static str;

    /// The reading in a word.
    fn word(&self) -> &'static str;

    /// Every reading in a word.
    fn words(&self) -> Vec<&'static str>;

    /// Chooses a reading by its word; `false` if there is no such reading.
    fn choose(&mut self, word: &str) -> bool;
}

impl<R: Reading> Switch for R {
    fn ambiguity(&self) -> &'static str {
        R::AMBIGUITY
    }

    fn word(&self) -> &'static str {
        Reading::word(*self)
    }

    fn words(&self) -> Vec<&'static str> {
        R::ALL.iter().map(|reading| Reading::word(*reading)).collect()
    }

    fn choose(&mut self, word: &str) -> bool {
        match R::ALL.iter().find(|reading| Reading::word(**reading) == word) {
            Some(reading) => {
                *self = *reading;
                true
            }
            None => false,
        }
    }
}

readings! {
    /// Settles EVT-A-01: the form of `event`.
    EventForm(event_form) settles "EVT-A-01" {
        /// A string, as every client reads it.
        String = "string",
        /// An array of one string, as the page shows it.
        Array = "array",
    }
    /// Settles EVT-A-05: what a `connection_error` of Events holds.
    ConnectError(connect_error) settles "EVT-A-05" {
        /// Type, message and code.
        Full = "full",
        /// Type and message.
        WithoutCode = "without-code",
        /// The type alone.
        TypeAlone = "type-alone",
    }
    /// Settles EVT-A-06: what an undefined namespace looks like.
    UndefinedNamespace(undefined_namespace) settles "EVT-A-06" {
        /// `UnauthorizedException` without a message.
        Unauthorized = "unauthorized",
        /// `ResourceNotFound`.
        NotFound = "not-found",
    }
    /// Settles EVT-A-07: what comes without `connection_init` (Events).
    WithoutInit(without_init) settles "EVT-A-07" {
        /// Keep-alives, but no acknowledgement.
        KeepAlives = "keep-alives",
        /// Nothing.
        Nothing = "nothing",
        /// Keep-alives and an acknowledgement.
        Acknowledged = "acknowledged",
    }
    /// Settles EVT-A-08: the code that closes a refused connection.
    RefusalClose(refusal_close) settles "EVT-A-08" {
        /// 1000.
        Normal = "1000",
        /// 1008.
        PolicyViolation = "1008",
        /// 4401.
        Private = "4401",
    }
    /// Settles EVT-A-09: when a refusal is told (Events).
    RefusalTime(refusal_time) settles "EVT-A-09" {
        /// Right after the upgrade.
        AtOnce = "at-once",
        /// In answer to the first message, or when the time of a request is over.
        OnFirstMessage = "on-first-message",
    }
    /// Settles EVT-A-10: whether publishes and subscriptions share their ids.
    IdScope(id_scope) settles "EVT-A-10" {
        /// They do not.
        Subscriptions = "subscriptions",
        /// A publish under the id of a live subscription is refused.
        AllOperations = "all-operations",
    }
    /// Settles EVT-A-11: whether a wildcard covers the channel before it.
    BarePrefix(bare_prefix) settles "EVT-A-11" {
        /// It does not.
        Spared = "spared",
        /// It does.
        Covered = "covered",
    }
    /// Settles EVT-A-12: what a KB is; limits of both dialects in bytes.
    Kilobyte(kilobyte) settles "EVT-A-12" {
        /// 1024 bytes, as was measured for GraphQL.
        Binary = "1024",
        /// 1000 bytes.
        Decimal = "1000",
    }
    /// Settles EVT-A-13: the HTTP status of missing permission (Events).
    HttpDenial(http_denial) settles "EVT-A-13" {
        /// 401.
        Unauthorized = "401",
        /// 403.
        Forbidden = "403",
    }
    /// Settles EVT-A-14: what a top-level `error` of a Lambda function looks like.
    LambdaError(lambda_error) settles "EVT-A-14" {
        /// Its text is told.
        Told = "told",
        /// Its text is not told.
        Hidden = "hidden",
    }
    /// Settles EVT-A-16: what a denial of `onSubscribe` is called.
    SubscribeDenial(subscribe_denial) settles "EVT-A-16" {
        /// As any other.
        UnauthorizedException = "unauthorized-exception",
        /// As the page spells it.
        Unauthorized = "unauthorized",
    }
    /// Settles EVT-A-18: where credentials of a connection are read (Events).
    ConnectCarriers(connect_carriers) settles "EVT-A-18" {
        /// In the subprotocol and in header fields.
        Both = "both",
        /// In the subprotocol alone, as the page says.
        SubprotocolAlone = "subprotocol-alone",
    }
    /// Settles EVT-A-24: what an event that is no JSON text makes fail.
    BadEvent(bad_event) settles "EVT-A-24" {
        /// The whole publish.
        Request = "request",
        /// That event alone.
        Event = "event",
    }
    /// Settles EVT-A-25: what becomes of a publish without events.
    NoEvents(no_events) settles "EVT-A-25" {
        /// It is refused.
        Refused = "refused",
        /// It succeeds.
        Accepted = "accepted",
    }
    /// Settles EVT-A-31: whether a channel may end with a slash.
    TrailingSlash(trailing_slash) settles "EVT-A-31" {
        /// It may.
        Accepted = "accepted",
        /// It may not.
        Refused = "refused",
    }
    /// Settles GQL-A-02: what becomes of operations before the acknowledgement.
    EarlyOperations(early_operations) settles "GQL-A-02" {
        /// They are ignored.
        Ignored = "ignored",
        /// They are processed.
        Processed = "processed",
    }
    /// Settles GQL-A-03: what an unauthorized connection is told.
    ConnectDenial(connect_denial) settles "GQL-A-03" {
        /// The plain type and 401.
        Plain = "plain",
        /// The type with its name space and 400.
        Namespaced = "namespaced",
    }
    /// Settles GQL-A-04: the word that refuses a connection.
    ConnectWord(connect_word) settles "GQL-A-04" {
        /// `connection_error`
        ConnectionError = "connection-error",
        /// `error`
        Error = "error",
    }
    /// Settles GQL-A-05: the form of `payload.errors` for a limit.
    LimitErrors(limit_errors) settles "GQL-A-05" {
        /// An array, as everywhere.
        Array = "array",
        /// One object.
        Object = "object",
    }
    /// Settles GQL-A-06: where `errorType` stands.
    ErrorTypePlace(error_type_place) settles "GQL-A-06" {
        /// In the element.
        Element = "element",
        /// Under `extensions` of the element.
        Extensions = "extensions",
    }
    /// Settles GQL-A-08: what answers a `stop` of an unknown id.
    UnknownStop(unknown_stop) settles "GQL-A-08" {
        /// `error`
        Refused = "error",
        /// `complete`
        Completed = "complete",
        /// Nothing.
        Ignored = "nothing",
    }
    /// Settles GQL-A-21: how a refused connection is told (GraphQL).
    RefusalChannel(refusal_channel) settles "GQL-A-21" {
        /// In-band, after 101.
        InBand = "in-band",
        /// By an HTTP status.
        Status = "status",
    }
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

impl HttpDenial {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
        }
    }
}

impl Kilobyte {
    /// Bytes in a KB.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Binary => 1024,
            Self::Decimal => 1000,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_switch_takes_each_of_its_words_and_no_other() {
        let mut readings = Readings::default();

        for switch in readings.switches() {
            assert!(!switch.choose("no such reading"), "{}", switch.ambiguity());
            for word in switch.words() {
                assert!(switch.choose(word));
                assert_eq!(switch.word(), word, "{}", switch.ambiguity());
            }
        }
        assert_eq!(readings.event_form, EventForm::Array);
    }

    #[test]
    fn every_switch_is_named_after_an_ambiguity_of_the_register_once() {
        let known: BTreeSet<_> = crate::requirement::Ambiguity::all().map(|ambiguity| ambiguity.id).collect();
        let named: Vec<_> = Readings::default().switches().map(|switch| switch.ambiguity()).into();
        let distinct: BTreeSet<_> = named.iter().copied().collect();

        assert_eq!(distinct.len(), named.len());
        assert!(distinct.is_subset(&known), "{:?}", distinct.difference(&known));
    }
}
