//! What a fuzzer may do next: one operation, meant relative to the state in which it is carried out.
//!
//! `on` names one of the connections that are open at that moment, counted round; `which` one of the subscriptions that
//! live. So every list of operations means something, and still does when some of it is taken away: what has nothing to
//! act on is skipped. Choices that one dialect lacks stand for a neighbour of the other (`Topic::of`).

use serde::{Deserialize, Serialize};

/// An enumeration of which every value can be drawn.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$about])* $variant),* }

        impl $name {
            /// Every one, the plainest first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }
    };
}

mod kinds;

pub use kinds::{Carriage, Proof, Setup, Sieve};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Op {
    /// Opens a connection.
    Open {
        /// With which upgrade.
        door: Door,
    },
    /// `connection_init`.
    Init {
        /// The connection.
        on: u8,
        /// How it is written.
        form: Form,
    },
    /// `start` or `subscribe`.
    Subscribe {
        /// The connection.
        on: u8,
        /// Its id.
        id: Id,
        /// To what.
        topic: Topic,
        /// One of three rooms.
        room: u8,
        /// With whose credentials.
        who: Who,
        /// How it is written.
        form: Form,
    },
    /// `stop` or `unsubscribe`.
    Unsubscribe {
        /// The connection.
        on: u8,
        /// Its id.
        id: Id,
    },
    /// Publishes to a live subscription until it hears the first event.
    Warm {
        /// Which of the live subscriptions.
        which: u8,
    },
    /// Publishes: over HTTP (a mutation for GraphQL), or over a connection (Events).
    Publish {
        /// The connection; HTTP if none, and for GraphQL.
        on: Option<u8>,
        /// Its id, on a connection.
        id: Id,
        /// Where to.
        topic: Topic,
        /// One of three rooms.
        room: u8,
        /// What.
        batch: Batch,
        /// With whose credentials.
        who: Who,
        /// How it is written.
        form: Form,
    },
    /// Another request of the HTTP endpoint.
    Call {
        /// Which.
        call: Call,
    },
    /// A message that is none of the above.
    Say {
        /// The connection.
        on: u8,
        /// What.
        what: Oddity,
    },
    /// A message that would be legal, with one thing changed in its structure. Nothing is due.
    Garble {
        /// The connection.
        on: u8,
        /// Which message.
        base: u8,
        /// What is changed.
        how: Garbling,
        /// Where.
        at: u8,
    },
    /// Subscribes until the connection holds as many subscriptions as it may.
    Fill {
        /// The connection.
        on: u8,
    },
    /// A ping.
    Ping {
        /// The connection.
        on: u8,
        /// Bytes of its payload, up to 125.
        length: u8,
    },
    /// A close frame.
    Close {
        /// The connection.
        on: u8,
    },
    /// Drops the transport.
    Drop {
        /// The connection.
        on: u8,
    },
    /// Lets time pass.
    Wait {
        /// How much.
        pause: Pause,
    },
    /// The next operations follow each other without waiting for answers.
    Together {
        /// How many, up to 7.
        next: u8,
    },
    /// Opens a connection with credentials of another kind than the usual.
    Enter {
        /// Which.
        proof: Proof,
        /// Where they travel.
        by: Carriage,
    },
    /// `start` or `subscribe` where set-up of the API or a mode of authorization decides.
    Listen {
        /// The connection.
        on: u8,
        /// To what.
        setup: Setup,
        /// One of three rooms.
        room: u8,
        /// With which credentials.
        proof: Proof,
    },
    /// Publishes where set-up of the API or a mode of authorization decides.
    Tell {
        /// The connection; HTTP if none, and for GraphQL.
        on: Option<u8>,
        /// Where to.
        setup: Setup,
        /// One of three rooms.
        room: u8,
        /// With which credentials.
        proof: Proof,
    },
    /// `start` with an enhanced filter (GraphQL).
    Sift {
        /// The connection.
        on: u8,
        /// Which kind of filter.
        sieve: Sieve,
        /// Which values.
        value: u8,
    },
    /// A mutation of an item, for whoever filters items (GraphQL).
    Put {
        /// Which item.
        item: u8,
        /// Its mutation selects nothing that is filtered by.
        sparse: bool,
    },
}

choices!(
    /// An upgrade.
    Door {
        /// As plain clients do it.
        Usual,
        /// Credentials in a token behind the subprotocol.
        Subprotocol,
        /// Credentials in a token before it.
        TokenFirst,
        /// Credentials in header fields.
        Headers,
        /// Credentials in the query (GraphQL).
        Query,
        /// A query parameter that nobody knows.
        UnknownParameter,
        /// An authorization object over several lines (GraphQL).
        Pretty,
        /// Base64 with plus signs as they are (GraphQL).
        RawBase64,
        /// A member of the authorization object that nobody knows.
        ExtraMember,
        /// Members of the authorization object in another case.
        MemberCase,
        /// From a page.
        Origin,
        /// Offers compression.
        Extension,
        /// A key of unusual characters.
        PlusKey,
        /// A wrong API key.
        WrongKey,
        /// No credentials.
        Anonymous,
        /// Credentials that are no base64.
        NotBase64,
        /// Credentials that are no JSON.
        NotJson,
        /// Credentials that are no object.
        NotObject,
        /// Credentials for the host of no API (GraphQL).
        ForeignHost,
        /// No subprotocol.
        NoSubprotocol,
        /// A foreign subprotocol beside good credentials.
        ForeignSubprotocol,
        /// Nothing but a foreign subprotocol.
        ForeignOnly,
        /// A path below that of the real-time endpoint.
        PathBelow,
        /// The path of the HTTP endpoint.
        HttpPath,
    }
);

choices!(
    /// Whose credentials an operation carries.
    Who {
        /// Good ones.
        Good,
        /// A wrong key.
        Wrong,
        /// None.
        Absent,
        /// `null` (Events).
        Null,
        /// An empty object (Events).
        Empty,
        /// Nothing but the host (Events).
        HostOnly,
        /// Text in place of the object (Events).
        Text,
        /// A member that is no string (Events).
        Number,
        /// Good ones with a member that nobody knows (Events).
        More,
        /// Good ones without the host (Events).
        Bare,
        /// Good ones in another case (Events).
        Loud,
    }
);

choices!(
    /// How a message is written.
    Form {
        /// Compact, in one frame.
        Plain,
        /// In several fragments.
        Fragments,
        /// With white space and its members in another order.
        Spaced,
        /// With members that nobody knows.
        Extras,
        /// With every character escaped that may be.
        Escaped,
    }
);

choices!(
    /// An id.
    Id {
        /// One that was not used on the connection.
        Fresh,
        /// That of a live subscription of the connection.
        Live,
        /// One that was used and is not any more.
        Used,
        /// A short one with unusual characters that are permitted.
        Odd,
        /// The longest that is permitted.
        Longest,
        /// Of other scripts and signs: good for GraphQL only.
        Foreign,
        /// No characters.
        Empty,
        /// One character too many.
        TooLong,
        /// That of an earlier publish.
        Publish,
        /// One that differs in little from that of a live subscription.
        Near,
    }
);

choices!(
    /// What is subscribed to, or published to.
    Topic {
        /// A room.
        Room,
        /// A second spelling: without leading slash (Events); the value in the document (GraphQL).
        Bare,
        /// Another one: with a trailing slash (Events); less is selected (GraphQL).
        Trailing,
        /// One below the room (Events); a field without arguments (GraphQL).
        Below,
        /// Two below (Events); a board (GraphQL).
        Deep,
        /// Three below: the longest (Events); a board and stars (GraphQL).
        Longest,
        /// All below the room (Events); a board and null for stars (GraphQL).
        Wild,
        /// The room in capitals.
        Loud,
        /// The whole namespace alone (Events); one of two named operations (GraphQL).
        Namespace,
        /// One level too deep (Events); an unknown field (GraphQL).
        SixSegments,
        /// A segment too long (Events); a missing argument (GraphQL).
        LongSegment,
        /// A hyphen at the edge (Events); an unknown argument (GraphQL).
        Hyphen,
        /// Another character (Events); a mistyped argument (GraphQL).
        OtherCharacter,
        /// No text (Events); a missing variable (GraphQL).
        Empty,
        /// An empty segment (Events); null for a variable (GraphQL).
        EmptySegment,
        /// A namespace that does not exist (Events); a document that does not parse (GraphQL).
        Nowhere,
        /// A `*` before the last segment (Events); a query (GraphQL).
        WildInside,
        /// A `*` in a segment (Events); a mutation (GraphQL).
        WildSegment,
        /// `**` (Events); `data` as an object (GraphQL).
        DoubleWild,
        /// `/*` (Events); text that is no request (GraphQL).
        WildAll,
        /// A `*` as the sixth segment (Events); a syntax error of another kind (GraphQL).
        WildSixth,
        /// A number (Events and GraphQL: as `data`).
        Number,
        /// `null` (Events and GraphQL: as `data`).
        Null,
    }
);

choices!(
    /// What is published.
    Batch {
        /// One event.
        One,
        /// Three events, or one with stars (GraphQL).
        Three,
        /// Five events, or one whose mutation selects less (GraphQL).
        Five,
        /// Six events, or a mutation without a result (GraphQL).
        Six,
        /// No event.
        None,
        /// Text of every kind of character.
        Unicode,
        /// Something deep.
        Nested,
        /// A great number.
        BigNumber,
        /// A number.
        Fraction,
        /// `true`.
        True,
        /// `null`.
        Null,
        /// The empty text.
        EmptyText,
        /// An empty object, twice (Events); the same as the last time (GraphQL).
        EmptyObject,
        /// One good event and one that is no JSON.
        NoJson,
        /// An object in place of the text.
        NoText,
        /// A number in place of the text.
        ANumber,
        /// Two hundred thousand characters.
        Large,
        /// Three hundred thousand characters between two others.
        TooLarge,
        /// A million characters in five events.
        Million,
        /// A million and a half.
        TooMany,
    }
);

choices!(
    /// Another request of the HTTP endpoint.
    Call {
        /// A query for a type name under an alias (GraphQL); a publish over white space (Events).
        Plain,
        /// One of two named operations (GraphQL); a publish without leading slash (Events).
        Named,
        /// Without a key.
        NoKey,
        /// With a wrong key.
        WrongKey,
        /// An empty body.
        Empty,
        /// A body that is no JSON.
        NoJson,
        /// A body that lacks the query (GraphQL), whose channel is a number (Events).
        Incomplete,
        /// A document that does not parse (GraphQL); events that are no list (Events).
        Syntax,
        /// An unknown field (GraphQL); an undefined namespace (Events).
        Unknown,
        /// A missing variable (GraphQL); a channel with a wildcard (Events).
        Missing,
        /// A subscription (GraphQL); the method PUT (Events).
        Subscription,
        /// What a browser asks before it publishes.
        Preflight,
        /// The method GET (Events); the alias query again (GraphQL).
        Get,
    }
);

choices!(
    /// A message of no operation.
    Oddity {
        /// A word of no dialect.
        UnknownWord,
        /// The same with an id.
        UnknownWithId,
        /// A word of the other dialect.
        OtherStart,
        /// Another word of the other dialect.
        OtherStop,
        /// No `type`.
        NoType,
        /// A `type` that is a number.
        NumberType,
        /// A keep-alive.
        KeepAlive,
        /// Broken JSON.
        Malformed,
        /// Text that is nothing like JSON.
        NoJson,
        /// A list.
        List,
        /// `null`.
        Null,
        /// A text.
        Text,
        /// Two documents.
        Two,
        /// No bytes.
        Empty,
        /// A binary message.
        Binary,
        /// The same member twice.
        Twice,
        /// Ten thousand levels.
        Deep,
        /// Two million characters.
        Huge,
        /// A `start` whose id is no string.
        NumberId,
    }
);

choices!(
    /// A change of the structure of a message.
    Garbling {
        /// A member is left out.
        Remove,
        /// A member stands twice, with another value.
        Repeat,
        /// A member is called otherwise.
        Rename,
        /// A member has a value of another kind.
        Retype,
        /// A member is `null`.
        Null,
        /// A member is the text of its value.
        Stringify,
        /// A member is in a list.
        Nest,
        /// The text is cut.
        Cut,
        /// A byte is another.
        Byte,
    }
);

choices!(
    /// A while.
    Pause {
        /// A tenth of a second.
        Moment,
        /// Longer than an answer may take.
        Answer,
        /// Longer than a period of keep-alives.
        Period,
        /// Until just before silence would count.
        BeforeLimit,
        /// Until just after.
        AfterLimit,
        /// Seven minutes.
        Minutes,
    }
);

impl Op {
    /// What kind of operation it is, with what matters about it: part of a cell of the coverage.
    pub fn label(&self) -> String {
        match self {
            Self::Open { door } => format!("open {}", word(door)),
            Self::Init { form, .. } => format!("init {}", word(form)),
            Self::Subscribe { id, topic, who, form, .. } => {
                format!("subscribe {}", odd_parts(&[plain(id), plain(topic), plain(who), plain(form)]))
            }
            Self::Unsubscribe { id, .. } => format!("unsubscribe {}", word(id)),
            Self::Warm { .. } => "warm".into(),
            Self::Publish { on, id, topic, batch, who, form, .. } => {
                let over = if on.is_some() { "connection" } else { "HTTP" };
                let parts = [plain(id), plain(topic), plain(batch), plain(who), plain(form)];
                format!("publish over {over} {}", odd_parts(&parts))
            }
            Self::Call { call } => format!("call {}", word(call)),
            Self::Say { what, .. } => format!("say {}", word(what)),
            Self::Garble { how, .. } => format!("garble {}", word(how)),
            Self::Fill { .. } => "fill".into(),
            Self::Ping { .. } => "ping".into(),
            Self::Close { .. } => "close".into(),
            Self::Drop { .. } => "drop".into(),
            Self::Wait { pause } => format!("wait {}", word(pause)),
            Self::Together { .. } => "together".into(),
            Self::Enter { proof, by } => format!("enter {}", odd_parts(&[plain(proof), plain(by)])),
            Self::Listen { setup, proof, .. } => format!("listen {}", odd_parts(&[plain(setup), plain(proof)])),
            Self::Tell { on, setup, proof, .. } => {
                let over = if on.is_some() { "connection" } else { "HTTP" };
                format!("tell over {over} {}", odd_parts(&[plain(setup), plain(proof)]))
            }
            Self::Sift { sieve, .. } => format!("sift {}", word(sieve)),
            Self::Put { sparse, .. } => if *sparse { "put sparse" } else { "put" }.into(),
        }
    }

    /// The connection it names, where it names one.
    pub const fn on(&self) -> Option<u8> {
        match self {
            Self::Init { on, .. }
            | Self::Subscribe { on, .. }
            | Self::Unsubscribe { on, .. }
            | Self::Say { on, .. }
            | Self::Garble { on, .. }
            | Self::Fill { on }
            | Self::Ping { on, .. }
            | Self::Close { on }
            | Self::Drop { on }
            | Self::Listen { on, .. }
            | Self::Sift { on, .. } => Some(*on),
            Self::Publish { on, .. } | Self::Tell { on, .. } => *on,
            Self::Open { .. }
            | Self::Warm { .. }
            | Self::Call { .. }
            | Self::Wait { .. }
            | Self::Together { .. }
            | Self::Enter { .. }
            | Self::Put { .. } => None,
        }
    }

    /// Whether it makes hundreds of subscriptions or sends hundreds of kilobytes.
    pub const fn is_large(&self) -> bool {
        match self {
            Self::Fill { .. } | Self::Say { what: Oddity::Huge | Oddity::Deep, .. } => true,
            Self::Publish { batch, .. } => {
                matches!(batch, Batch::Large | Batch::TooLarge | Batch::Million | Batch::TooMany)
            }
            Self::Open { .. }
            | Self::Init { .. }
            | Self::Subscribe { .. }
            | Self::Unsubscribe { .. }
            | Self::Warm { .. }
            | Self::Call { .. }
            | Self::Say { .. }
            | Self::Garble { .. }
            | Self::Ping { .. }
            | Self::Close { .. }
            | Self::Drop { .. }
            | Self::Wait { .. }
            | Self::Together { .. }
            | Self::Enter { .. }
            | Self::Listen { .. }
            | Self::Tell { .. }
            | Self::Sift { .. }
            | Self::Put { .. } => false,
        }
    }
}

/// The word of a choice in files and labels.
pub fn word(choice: &impl Serialize) -> String {
    serde_json::to_value(choice).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn plain<T: Serialize + PartialEq + Copy + First>(choice: &T) -> String {
    if *choice == T::FIRST { String::new() } else { word(choice) }
}

/// The plainest of a choice.
pub(super) trait First {
    /// It.
    const FIRST: Self;
}

macro_rules! first {
    ($($name:ident),*) => { $(impl First for $name { const FIRST: Self = Self::ALL[0]; })* };
}

first!(Door, Who, Form, Id, Topic, Batch, Call, Oddity, Garbling, Pause, Proof, Carriage, Setup, Sieve);

fn odd_parts(parts: &[String]) -> String {
    let odd: Vec<_> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
    if odd.is_empty() { "plain".into() } else { odd.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_written_and_read_by_words() {
        let op =
            Op::Subscribe { on: 1, id: Id::Live, topic: Topic::Wild, room: 2, who: Who::Good, form: Form::Fragments };

        let text = serde_json::to_string(&op).unwrap();

        assert_eq!(serde_json::from_str::<Op>(&text).unwrap(), op);
        assert!(text.contains(r#""do":"subscribe""#) && text.contains(r#""topic":"wild""#), "{text}");
        assert_eq!(op.label(), "subscribe live wild fragments");
    }
}
