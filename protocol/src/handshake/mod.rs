//! The upgrade request: where it goes, what it offers, and whom it speaks for.
//!
//! A client of either dialect opens its connection with one HTTP request. Three questions are settled by that request
//! alone, and each has a module:
//!
//! ```text
//! HTTP endpoint --realtime--> URL to dial                    url          which host and path
//! credentials  --build-----> Request --parse--> credentials  credentials  who connects, and by which carrier
//! JSON text    --encode----> token or query value            base64       how the credentials are packed
//! ```
//!
//! Both directions are here, because the suite plays both sides: `build` is what a correct client sends, `parse` is what
//! a tolerant server reads. The one invariant is that `parse` gives back what `build` was given.
//!
//! Deliberately unknown: whether credentials are *valid* (no key, token or signature is judged here), sockets and TLS,
//! and the `Sec-WebSocket-Accept` digest, which belongs to the shell that speaks HTTP.

pub mod base64;
pub mod credentials;
pub mod url;

pub use credentials::{Carrier, Credentials, CredentialsError, HandshakeError, Presented, build, parse, query_value};
pub use url::{Endpoint, Scheme, Url, UrlError, realtime_url};

use crate::dialect::Dialect;
use crate::wire::Request;

/// Whether the upgrade offers the subprotocol of the dialect, at any place of the list.
///
/// The comparison is exact: no source says that another case of the word is accepted (GQL-P-20).
/// Source: GQL-HANDSHAKE-005, EVT-HANDSHAKE-003; any order by EVT-HANDSHAKE-007.
pub fn offers(request: &Request, dialect: Dialect) -> bool {
    request.subprotocols().any(|offered| offered == dialect.subprotocol())
}

/// The subprotocol that a correct server selects: the dialect's own word if it was offered, else none.
///
/// Never a `header-...` token and never a word that was not offered.
/// Source: GQL-HANDSHAKE-006, GQL-HANDSHAKE-008, EVT-HANDSHAKE-004, EVT-HANDSHAKE-020.
pub fn select(request: &Request, dialect: Dialect) -> Option<&'static str> {
    offers(request, dialect).then(|| dialect.subprotocol())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Bytes, Headers};

    #[test]
    fn the_dialects_own_word_is_selected_on_either_side_of_the_token() {
        for dialect in Dialect::ALL {
            let word = dialect.subprotocol();
            let before = upgrade(&alloc::format!("{word}, header-e30"));
            let after = upgrade(&alloc::format!("header-e30,{word}"));

            assert_eq!(select(&before, dialect), Some(word));
            assert_eq!(select(&after, dialect), Some(word));
        }
    }

    #[test]
    fn nothing_is_selected_when_the_dialects_word_is_not_offered() {
        for offered in ["", "graphql-transport-ws", "header-e30", "Graphql-ws", "graphql-ws2, header-graphql-ws"] {
            let request = upgrade(offered);

            assert_eq!(select(&request, Dialect::Graphql), None, "{offered}");
            assert!(!offers(&request, Dialect::Events), "{offered}");
        }
    }

    #[test]
    fn one_dialect_never_selects_the_word_of_the_other() {
        assert_eq!(select(&upgrade("graphql-ws"), Dialect::Events), None);
        assert_eq!(select(&upgrade("aws-appsync-event-ws"), Dialect::Graphql), None);
    }

    fn upgrade(offered: &str) -> Request {
        Request {
            method: "GET".into(),
            target: "/".into(),
            headers: Headers::new().with("Sec-WebSocket-Protocol", offered),
            body: Bytes::default(),
        }
    }
}
