//! Saboteurs: servers that break one requirement on purpose.
//!
//! Each names the requirement, the scenario that has to catch it for that reason, and how the reference
//! endpoint has to be bent. There are few ways to bend it: a check left out, a limit moved, an outgoing
//! message or answer edited, a reaction to a trigger. None costs anything while it is absent.

pub mod rewrites;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::server::{Check, Policy};

use crate::auth::AllowedModes;

/// One documented deviation of a server.
#[derive(Clone, Copy)]
pub struct Fault {
    /// Stable name in kebab-case, such as `graphql-data-after-complete`.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// The requirement it breaks.
    pub breaks: Requirement,
    /// The scenario that has to report that requirement.
    pub caught_by: &'static str,
    /// How the reference endpoint is bent.
    pub how: How,
}

/// How the reference endpoint is bent.
#[derive(Clone, Copy)]
pub enum How {
    /// A check of the pure server is left out.
    Skip(Check),
    /// A check of the handshake or of the HTTP endpoints is left out.
    Door(DoorCheck),
    /// A check of credentials is left out.
    Auth(AuthCheck),
    /// Enhanced filters are read wrongly (GraphQL); null is none.
    Filter(fn(&mut Json)),
    /// Invalidation filters are read wrongly (GraphQL); null is none.
    Invalidation(fn(&mut Json)),
    /// The namespace of this name has no handlers (Events).
    Unhandled(&'static str),
    /// Other authorization modes are enabled.
    Modes(fn(&mut AllowedModes)),
    /// A limit is moved.
    Set(fn(&mut Policy)),
    /// An outgoing message is changed.
    Edit(Edit),
    /// An HTTP answer is changed.
    Http(HttpEdit),
    /// Something a client sends has an effect that it should not have.
    Trap(Trigger, Reaction),
    /// A text message of a client is taken for another; `None` for those that are taken for what they are.
    Mishear(fn(&str) -> Option<String>),
}

/// One thing that the handshake or an HTTP endpoint does, or does not let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum DoorCheck {
    /// Upgrades are taken on the real-time path.
    ServesRealtime,
    /// Upgrades are taken on the real-time path only.
    RealtimePath,
    /// The accept value of the answer belongs to the key of the request, also where the key has a plus.
    AcceptValue,
    /// Upgrades without `Origin` are taken.
    WithoutOrigin,
    /// Upgrades with an `Origin` are taken.
    WithOrigin,
    /// Upgrades that offer an extension are taken.
    ExtensionOffered,
    /// No extension is selected that was not offered.
    ExtensionUnasked,
    /// The subprotocol has to be offered.
    OffersSubprotocol,
    /// The subprotocol is selected in the answer.
    SelectsSubprotocol,
    /// The subprotocol itself is selected, never the token with the credentials.
    SelectsNoToken,
    /// A subprotocol is selected only if it was offered.
    SelectsOffered,
    /// Credentials have to be there.
    CredentialsPresent,
    /// Credentials have to be readable.
    CredentialsReadable,
    /// The key has to be known.
    ConnectKey,
    /// `host` has to name this API.
    ConnectHost,
    /// Credentials in the query are read (GraphQL).
    CarrierQuery,
    /// Credentials in the subprotocol token are read.
    CarrierSubprotocol,
    /// Credentials in header fields are read.
    CarrierHeaders,
    /// The token may stand before the subprotocol.
    EitherOrder,
    /// Unknown query parameters are ignored.
    UnknownParameters,
    /// White space in the authorization object is ignored.
    PrettyCredentials,
    /// Unknown members of the authorization object are ignored.
    ExtraMembers,
    /// Names of the authorization object compare without case.
    MemberCase,
    /// Refusals are told in-band.
    RefusesInBand,
    /// HTTP requests need a key.
    HttpKeyPresent,
    /// The key of an HTTP request has to be known.
    HttpKey,
    /// Only the documented method is taken.
    HttpMethod,
    /// Bodies that are not understood are refused.
    HttpBody,
    /// White space in the body of an HTTP publish is ignored.
    HttpPrettyBody,
    /// A GraphQL subscription over HTTP is refused.
    HttpSubscription,
    /// What is published over HTTP reaches subscribers.
    HttpReaches,
    /// A failed event does not make the whole HTTP publish fail.
    HttpPartial,
    /// Each mutation of a request reaches its subscribers, not just the first.
    HttpEveryMutation,
}

/// One thing that is looked at before credentials are called good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum AuthCheck {
    /// The signature of a connection fits.
    SignatureAtConnect,
    /// The signature of an operation fits its body.
    SignatureOfOperation,
    /// The signature of an HTTP request fits the request.
    SignatureOverHttp,
    /// A signature is of these minutes.
    SignatureDate,
    /// A signature is for this region and service.
    SignatureScope,
    /// A signature may cover whichever header fields the client chose.
    SignedHeadersOfClient,
    /// The signature of a JWT is its issuer's.
    TokenSignature,
    /// A JWT has a signature at all.
    TokenAlgorithm,
    /// `Bearer ` may stand before a token.
    TokenScheme,
    /// What the Lambda authorizer says counts.
    LambdaAnswer,
    /// An answer of the Lambda authorizer is kept no longer than it says.
    LambdaAsked,
    /// An answer of the Lambda authorizer is kept as long as it says.
    LambdaKept,
    /// A kept answer counts for its operation and channel only (Events).
    LambdaKeptApart,
    /// A Lambda authorizer that fails lets nobody in.
    LambdaFailure,
    /// An API key has a date.
    KeyDate,
    /// An API key is looked at before a token.
    KeyFirst,
    /// An API key is looked at as a whole.
    KeyWhole,
    /// An API key is looked at with its case.
    KeyCase,
    /// A token for a Lambda authorizer is looked at to its end.
    TokenEnd,
    /// A token for a Lambda authorizer is looked at from its beginning.
    TokenBeginning,
    /// A token for a Lambda authorizer is looked at with its case.
    TokenCase,
    /// The signature of a JWT is looked at to its end.
    TokenSignatureEnd,
    /// A signature covers `host`.
    HostSigned,
    /// A signature covers `x-amz-date`.
    DateSigned,
    /// A signature covers what is presented in the header fields, and not what the documentation puts there.
    SignedValues,
}

impl DoorCheck {
    /// Every check, in the order of the type.
    pub const ALL: [Self; 33] = [
        Self::ServesRealtime,
        Self::RealtimePath,
        Self::AcceptValue,
        Self::WithoutOrigin,
        Self::WithOrigin,
        Self::ExtensionOffered,
        Self::ExtensionUnasked,
        Self::OffersSubprotocol,
        Self::SelectsSubprotocol,
        Self::SelectsNoToken,
        Self::SelectsOffered,
        Self::CredentialsPresent,
        Self::CredentialsReadable,
        Self::ConnectKey,
        Self::ConnectHost,
        Self::CarrierQuery,
        Self::CarrierSubprotocol,
        Self::CarrierHeaders,
        Self::EitherOrder,
        Self::UnknownParameters,
        Self::PrettyCredentials,
        Self::ExtraMembers,
        Self::MemberCase,
        Self::RefusesInBand,
        Self::HttpKeyPresent,
        Self::HttpKey,
        Self::HttpMethod,
        Self::HttpBody,
        Self::HttpPrettyBody,
        Self::HttpSubscription,
        Self::HttpReaches,
        Self::HttpPartial,
        Self::HttpEveryMutation,
    ];
}

/// A change of an outgoing message.
#[derive(Clone, Copy)]
pub struct Edit {
    /// The dialect it concerns.
    pub dialect: Dialect,
    /// The wire word of the message.
    pub word: &'static str,
    /// Which of these messages on a connection, counted from 1.
    pub nth: Nth,
    /// The change.
    pub change: Change,
}

/// Which messages of a kind.
#[derive(Clone, Copy)]
pub enum Nth {
    /// All of them.
    Every,
    /// Just this one.
    Only(u32),
    /// This one and all later ones.
    From(u32),
}

/// What happens to a message.
#[derive(Clone, Copy)]
pub enum Change {
    /// It is not sent.
    Drop,
    /// It is sent twice.
    Duplicate,
    /// It is sent after the next message of the connection.
    HoldBack,
    /// A member is taken out, by dotted path.
    Remove(&'static str),
    /// A member is set to this JSON text, by dotted path.
    Set(&'static str, &'static str),
    /// A member gets another value of its kind, by dotted path: a text is longer, a number one more, a truth its
    /// opposite, a list without its last entry, and what is null or an object becomes a text.
    Alter(&'static str),
    /// A member becomes a string that holds its own JSON text.
    Stringify(&'static str),
    /// The `type` is another.
    Rename(&'static str),
    /// The id gets a character more.
    MangleId,
    /// The id gets a character more if it has other characters than letters and digits.
    MangleUnusualId,
    /// The id is that of another subscription of the connection, where there is one.
    OtherId,
    /// It is sent once more, with this id.
    Readdressed(&'static str),
    /// It is sent in a binary frame.
    AsBinary,
    /// The text is cut in half.
    Truncate,
    /// The connection is closed with this code instead.
    CloseInstead(u16),
    /// The connection is closed with this code afterwards.
    CloseAfter(u16),
    /// The transport is dropped instead.
    LoseInstead,
    /// It is sent twice where the connection holds several subscriptions.
    DuplicateShared,
    /// It is not sent if it is the first of its kind since the connection was granted another subscription.
    DropAfterGrant,
    /// It is not sent if the last of its kind on the connection was the same.
    DropRepeated,
    /// It is not sent if the connection was sent the same before.
    DropSeen,
    /// It is sent with the next of its kind, each under the id of the other.
    SwapIds,
    /// The value of the event is another: what `payload.data` holds, or what the text in `event` means.
    Rewrite(fn(&mut Json)),
    /// This message is sent before it.
    Before(&'static str),
    /// This message is sent after it.
    After(&'static str),
}

/// A change of an HTTP answer.
#[derive(Clone, Copy)]
pub struct HttpEdit {
    /// The dialect whose endpoint it concerns.
    pub dialect: Dialect,
    /// Only answers with this status.
    pub status: u16,
    /// The change.
    pub change: HttpChange,
}

/// What happens to an HTTP answer.
#[derive(Clone, Copy)]
pub enum HttpChange {
    /// Another status.
    Status(u16),
    /// Without the header fields of this name.
    Unlabelled(&'static str),
    /// Another body.
    Body(&'static str),
    /// A member of the JSON body is taken out, by dotted path.
    Remove(&'static str),
    /// A member of the JSON body gets another value of its kind, by dotted path.
    Alter(&'static str),
    /// A member of the JSON body is set to this JSON text, by dotted path.
    Set(&'static str, &'static str),
}

/// What a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// Text that is no JSON.
    MalformedJson,
    /// JSON that is no object.
    NotAnObject,
    /// A text message of no bytes.
    EmptyText,
    /// A binary message.
    Binary,
    /// A message in several fragments.
    Fragmented,
    /// A message with this wire word.
    Word(&'static str),
    /// A word of no message.
    UnknownWord,
    /// A `start` whose document does not parse.
    SyntaxError,
    /// A `start` with a query or a mutation.
    NotASubscription,
    /// An operation with a key that is not known.
    WrongKey,
    /// A message with members that are not known.
    UnknownMember,
    /// A message with an escaped character (`\u`).
    Escapes,
    /// A message whose first member is not `type`.
    TypeNotFirst,
    /// A message longer than this many bytes.
    LongerThan(usize),
    /// A ping.
    Ping,
    /// A close frame.
    Close,
}

/// What the server does about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Nothing: as if it had not been sent.
    Ignore,
    /// It closes this connection.
    Close(u16),
    /// It drops the transport of this connection.
    Lose,
    /// The process dies: every connection is lost and no new one is taken.
    Die,
    /// Every connection is lost, but the process lives on.
    LoseAll,
    /// This connection is never answered again, pings included.
    Stall,
}

impl Fault {
    /// The dialect it concerns; both where the suite's own rules are broken by either.
    pub fn dialect(&self) -> Option<Dialect> {
        if self.caught_by.starts_with("graphql/") {
            Some(Dialect::Graphql)
        } else if self.caught_by.starts_with("events/") {
            Some(Dialect::Events)
        } else {
            None
        }
    }
}
