//! Who connects, and how the upgrade says so.
//!
//! The authorization object is a flat JSON object of strings. It travels with the upgrade on one of three carriers:
//!
//! | Carrier       | Where                                        | GraphQL | Events                         |
//! |---------------|----------------------------------------------|---------|--------------------------------|
//! | `Query`       | `?header=<base64>&payload=e30%3D`            | read    | not read (EVT-HANDSHAKE-013)   |
//! | `Subprotocol` | `Sec-WebSocket-Protocol: <word>, header-<base64url>` | read | read                      |
//! | `Headers`     | fields of the upgrade itself                 | read    | read (EVT-HANDSHAKE-008)       |
//!
//! With several carriers at once the token counts before the query and the query before the fields. The sources are
//! silent on that (GQL-P-08), so nobody is judged by it. A carrier that is present but unreadable is an error: the next one
//! is not tried.
//!
//! The invariant: `parse(dialect, &build(dialect, carrier, &credentials, ...))` gives back the credentials and the
//! carrier, with the two exceptions that [`Carrier::Headers`] names. Not known here: which members a mode needs and
//! whether they are true. Values are secrets, so `Debug` shows names only.

mod error;
mod fields;
mod object;
mod query;
mod token;

use alloc::string::String;
use core::fmt;

use crate::dialect::Dialect;
use crate::handshake::base64;
use crate::handshake::url::Url;
use crate::wire::{Bytes, Headers, Request};

pub use error::HandshakeError;
pub use object::{Credentials, CredentialsError};
pub use query::query_value;

/// The carriers of connect credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// Query parameters `header` and `payload`, standard base64. GraphQL only; an Events endpoint ignores them.
    ///
    /// Source: GQL-HANDSHAKE-009, GQL-HANDSHAKE-010, EVT-HANDSHAKE-013.
    Query,
    /// Subprotocol token `header-` + base64url without padding, offered after the dialect's own word.
    ///
    /// Source: GQL-HANDSHAKE-011, GQL-HANDSHAKE-012, GQL-HANDSHAKE-026, EVT-HANDSHAKE-005, EVT-HANDSHAKE-006.
    Subprotocol,
    /// Ordinary header fields of the upgrade.
    ///
    /// Two things can get lost. Fields other than credentials and the inputs of a signature do not travel, because they
    /// would mean something else to HTTP. And `host` is the `Host` field of the request, which has to name the dialled
    /// authority (emulators and proxies route by it): an authorization host that differs is not sent, so the server
    /// sees the dialled one in its place.
    ///
    /// Source: GQL-HANDSHAKE-013, EVT-HANDSHAKE-008.
    Headers,
}

impl Carrier {
    /// All, in the order in which [`parse`] looks for them.
    pub const ALL: [Self; 3] = [Self::Subprotocol, Self::Query, Self::Headers];

    /// `query`, `subprotocol` or `headers`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Subprotocol => "subprotocol",
            Self::Headers => "headers",
        }
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The whole upgrade request that a correct client sends to `url`.
///
/// `key` is the value of `Sec-WebSocket-Key`; it is random, so it comes from outside. The values of the credentials are
/// not checked: a line break in one is for the shell to refuse when it writes the header. [`Carrier::Query`] is built for
/// Events too, as some third-party clients do.
/// Source: GQL-HANDSHAKE-005, EVT-HANDSHAKE-003, EVT-HANDSHAKE-019.
pub fn build(dialect: Dialect, carrier: Carrier, credentials: &Credentials, url: &Url, key: &str) -> Request {
    let word = dialect.subprotocol();
    let (target, offered) = match carrier {
        Carrier::Query => (query::write(&url.path, credentials), word.into()),
        Carrier::Subprotocol => (url.path.clone(), token::write(word, credentials)),
        Carrier::Headers => (url.path.clone(), word.into()),
    };

    let mut headers = Headers::new()
        .with("Host", url.authority())
        .with("Upgrade", "websocket")
        .with("Connection", "Upgrade")
        .with("Sec-WebSocket-Version", "13")
        .with("Sec-WebSocket-Key", key)
        .with("Sec-WebSocket-Protocol", offered);
    match carrier {
        Carrier::Query | Carrier::Subprotocol => {}
        Carrier::Headers => fields::write(&mut headers, credentials),
    }
    Request { method: "GET".into(), target, headers, body: Bytes::default() }
}

/// What an upgrade request presents, read as tolerantly as a server should.
///
/// The first `header-` token counts, then the first query parameter `header`, then header fields; of the query carrier
/// `payload` has to be there, whatever it says (GQL-P-09). Header fields count as credentials if `x-api-key` or
/// `authorization` is among them, since every request has a `host`.
/// Source: GQL-HANDSHAKE-009 to GQL-HANDSHAKE-021, EVT-HANDSHAKE-005 to EVT-HANDSHAKE-013.
pub fn parse(dialect: Dialect, request: &Request) -> Result<Presented, HandshakeError> {
    if let Some(credentials) = token::read(request) {
        return Ok(Presented { credentials: credentials?, carrier: Carrier::Subprotocol });
    }
    let in_query = match dialect {
        Dialect::Graphql => query::read(request),
        Dialect::Events => None,
    };
    if let Some(credentials) = in_query {
        return Ok(Presented { credentials: credentials?, carrier: Carrier::Query });
    }
    let credentials = fields::read(request).ok_or(HandshakeError::Missing)?;
    Ok(Presented { credentials, carrier: Carrier::Headers })
}

/// What [`parse`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The authorization object.
    pub credentials: Credentials,
    /// Where it was.
    pub carrier: Carrier,
}

/// Reads an authorization object that is packed in base64 of either alphabet.
fn unpack(text: &str) -> Result<Credentials, HandshakeError> {
    let bytes = base64::decode(text).map_err(|error| HandshakeError::NotBase64 { at: error.at })?;
    let json = String::from_utf8(bytes).map_err(|_| HandshakeError::NotUtf8)?;
    Ok(Credentials::from_json(&json)?)
}

#[cfg(test)]
mod tests;
