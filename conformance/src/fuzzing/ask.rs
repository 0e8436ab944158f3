//! What is due for what was asked: the answers that a correct server may give, each with the rule that another breaks.
//!
//! One answer may be held to several rules: the first claim says which message decides, the others what is to be in it.
//! Every alternative is one that the catalogue accepts too, so no reading of a disputed question is a finding.

use std::time::Duration;

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::wire::{OwnedFrame, Request};

use super::graphql::SUBSCRIPTIONS_MAX;
use crate::scenario::{Answer, Cast, Conn, Greeting, Pattern, Shape};

/// Acceptable messages, and the rule that any other breaks.
#[derive(Clone)]
pub(super) struct Claim {
    pub(super) any_of: Vec<Pattern>,
    pub(super) rule: Requirement,
}

/// A frame to send and what is due for it.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) frame: OwnedFrame,
    /// The id it bears.
    pub(super) id: Option<String>,
    /// Nothing is due if there are none.
    pub(super) claims: Vec<Claim>,
    /// Broken if the server ends the connection after the answer.
    pub(super) aftermath: Requirement,
    /// The server is free to end the connection, now or later, and to answer with an error.
    pub(super) muddles: bool,
    /// How much longer than any other answer this one may take.
    pub(super) patience: Duration,
}

/// An upgrade and what is due for it.
#[derive(Clone)]
pub(super) struct Entrance {
    pub(super) request: Request,
    pub(super) greetings: Vec<Greeting>,
    pub(super) rule: Requirement,
    pub(super) welcome: Welcome,
}

/// What is due for `connection_init` after an upgrade.
#[derive(Clone)]
pub(super) enum Welcome {
    /// `connection_ack`, or this rule is broken.
    Acknowledged(Requirement),
    /// A refusal.
    Refused(Vec<Claim>),
    /// There is no connection to be had.
    Nothing,
}

/// An HTTP request and what is due for it.
#[derive(Clone)]
pub(super) struct Errand {
    pub(super) request: Request,
    pub(super) claims: Vec<(Vec<Answer>, Requirement)>,
}

/// What is known of the connection that an operation is for.
pub(super) struct Scene<'a> {
    pub(super) cast: &'a Cast,
    /// It is acknowledged.
    pub(super) acked: bool,
    /// Live subscriptions on it.
    pub(super) live: usize,
    /// Ids on it under which a subscription may live or not.
    pub(super) unclear: usize,
    /// A number that no other operation has.
    pub(super) serial: u32,
}

impl Scene<'_> {
    /// Whether the connection may be full, and may not be: nobody can say what another subscription is answered.
    pub(super) const fn may_be_full(&self) -> bool {
        self.live < SUBSCRIPTIONS_MAX && self.live + self.unclear >= SUBSCRIPTIONS_MAX
    }
}

/// What is known of an id on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdState {
    Fresh,
    Live,
    Ended,
    Refused,
    /// Too much happened under it to tell.
    Unclear,
}

/// What a subscription hears, as far as it is needed to judge its events.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hears {
    /// Channel or pattern (Events), field (GraphQL).
    pub(super) place: String,
    /// Fields that were selected (GraphQL).
    pub(super) selected: Vec<&'static str>,
    /// Room, for a publication that it hears.
    pub(super) room: String,
    /// Value of the argument `stars`; `None` if it was left out.
    pub(super) stars: Option<Option<i64>>,
    /// The enhanced filter, and the rule that it is there for (GraphQL).
    pub(super) filter: Option<(Json, Requirement)>,
    /// Whether an invalidation of its shelf ends it (GraphQL).
    pub(super) guarded: bool,
    /// Nothing that it is sure to hear can be published with the usual credentials.
    pub(super) mute: bool,
}

/// Something published: what its subscribers are to hear.
#[derive(Clone, Default)]
pub(super) struct Posted {
    /// Channel (Events) or field of the subscription (GraphQL).
    pub(super) place: String,
    /// It carries this nonce.
    pub(super) nonce: Option<String>,
    /// The event (Events), or what the mutation selected (GraphQL).
    pub(super) value: Json,
    /// A subscriber gets null data and errors: a field that may not be null was not selected.
    pub(super) forbidden_null: bool,
    /// No subscriber with an argument may hear it.
    pub(super) matches_no_argument: bool,
    /// The delivery model does not know its field: who has to hear it is worked out here.
    pub(super) unmodelled: bool,
    /// What the mutation selected, for enhanced filters.
    pub(super) item: Option<Json>,
    /// Who must not hear it, and for which rule.
    pub(super) not_for: Vec<(Conn, String, Requirement)>,
    /// A handler makes something of it that is not known.
    pub(super) loose: bool,
    /// What the handler has to tell in it.
    pub(super) told: Vec<Claim>,
}

/// Whether a subscription is to hear something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Concern {
    /// It has to.
    Must,
    /// It must not, by this rule.
    MustNot(Requirement),
    /// Nobody can say.
    Open,
}

impl Claim {
    pub(super) const fn new(any_of: Vec<Pattern>, rule: Requirement) -> Self {
        Self { any_of, rule }
    }

    pub(super) fn one(pattern: Pattern, rule: Requirement) -> Self {
        Self { any_of: vec![pattern], rule }
    }

    pub(super) fn fits(&self, frame: &OwnedFrame, message: Option<&Json>) -> bool {
        self.any_of.iter().any(|pattern| pattern.fits(frame, message))
    }
}

impl Ask {
    /// A text for which nothing is due.
    pub(super) fn plain(text: impl Into<String>, aftermath: Requirement) -> Self {
        Self {
            frame: OwnedFrame::text(text),
            id: None,
            claims: Vec::new(),
            aftermath,
            muddles: false,
            patience: Duration::ZERO,
        }
    }

    pub(super) fn due(mut self, claims: Vec<Claim>) -> Self {
        self.claims = claims;
        self
    }

    pub(super) fn under(mut self, id: &str) -> Self {
        self.id = Some(id.into());
        self
    }

    pub(super) fn muddling(mut self) -> Self {
        self.muddles = true;
        self
    }

    pub(super) fn in_fragments(mut self, count: u32) -> Self {
        if let OwnedFrame::Text { fragments, .. } = &mut self.frame {
            *fragments = count;
        }
        self
    }
}

/// The rule that a connection which is not acknowledged breaks: where the upgrade was unusual, the form of
/// `connection_init` is hardly the reason.
pub(super) const fn by_door(rule: Requirement, welcome: Requirement) -> Requirement {
    let usual = matches!(welcome, Requirement::GqlInit002 | Requirement::EvtInit002);
    if usual { rule } else { welcome }
}

/// Any error, with or without an id.
pub(super) fn any_error() -> Pattern {
    Pattern::word("error")
}

/// Holds whatever entries a list of errors has to the rules about them (Events).
pub(super) fn error_list(word: &'static str, path: [&'static str; 2], rules: [Requirement; 2]) -> Vec<Claim> {
    let shaped = |shape: &Shape, member| Pattern::word(word).has(member, shape.clone());
    let [message, code] = path;
    let [message_rule, code_rule] = rules;
    vec![
        Claim::one(shaped(&Shape::TextOrNothing, message), message_rule),
        Claim::one(shaped(&Shape::NumberOrNothing, code), code_rule),
    ]
}

/// Escapes every character of a JSON string that is no letter or digit.
pub(super) fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::from("\"");
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out.push('"');
    out
}
