//! Who speaks: where the credentials of an upgrade, an operation and an HTTP request come from.
//!
//! A source is asked anew each time (GQL-CLOSE-006), with the text that a signature has to cover. Keys and tokens do
//! not depend on it, signatures also depend on the time.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use appsync_protocol::client::Purpose;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::wire::Request;

use crate::auth::sign::Secret;

/// Gives credentials for one API.
pub trait CredentialSource: Send + Sync {
    /// The authorization object of an upgrade or an operation; `body` is the text to be signed.
    ///
    /// # Errors
    /// When there are none to be had: what is missing, without any secret.
    fn credentials(&self, purpose: &Purpose, body: &str) -> Result<Credentials, String>;

    /// Adds the header fields that authorise an HTTP request, which is whole but for them.
    ///
    /// # Errors
    /// When there are none to be had: what is missing, without any secret.
    fn authorise(&self, request: &mut Request) -> Result<(), String>;
}

/// A key, a token or AWS keys, by the clock of the system.
pub struct Holder {
    /// What it holds.
    pub secret: Secret,
    /// What is spoken.
    pub dialect: Dialect,
    /// Value of `host` in authorization objects: the HTTP host, never the real-time host.
    pub host: String,
}

impl CredentialSource for Holder {
    fn credentials(&self, purpose: &Purpose, body: &str) -> Result<Credentials, String> {
        let made = match purpose {
            Purpose::Connect => self.secret.connect(self.dialect, &self.host, now_unix_s()),
            Purpose::Subscribe { .. } | Purpose::Publish { .. } => {
                self.secret.operation(self.dialect, &self.host, body, now_unix_s())
            }
        };
        made.map_err(|error| error.to_string())
    }

    fn authorise(&self, request: &mut Request) -> Result<(), String> {
        self.secret.http(request, now_unix_s()).map_err(|error| error.to_string())
    }
}

impl fmt::Debug for Holder {
    /// Without what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holder").field("dialect", &self.dialect).field("host", &self.host).finish_non_exhaustive()
    }
}

fn now_unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use appsync_protocol::wire::Headers;

    use super::*;

    #[test]
    fn key_and_token_stand_in_the_members_and_fields_of_their_mode() {
        let holder = |secret| Holder { secret, dialect: Dialect::Events, host: "api.example.com".into() };
        let (key, token) = (holder(Secret::ApiKey("da2-k".into())), holder(Secret::Token("t".into())));
        let (headers, target) = (Headers::new(), "/event".into());
        let mut request = Request { method: "POST".into(), target, headers, body: "{}".into() };

        let objects = [
            key.credentials(&Purpose::Connect, "{}").unwrap().to_json(),
            token.credentials(&Purpose::Subscribe { id: "1".into() }, "{}").unwrap().to_json(),
        ];
        key.authorise(&mut request).unwrap();
        token.authorise(&mut request).unwrap();

        assert_eq!(objects[0], r#"{"host":"api.example.com","x-api-key":"da2-k"}"#);
        assert_eq!(objects[1], r#"{"host":"api.example.com","Authorization":"t"}"#);
        assert_eq!(request.headers.first("x-api-key"), Some("da2-k"));
        assert_eq!(request.headers.first("authorization"), Some("t"));
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let holder = Holder { secret: Secret::Token("secret".into()), dialect: Dialect::Graphql, host: "h".into() };

        let shown = format!("{holder:?}");

        assert!(!shown.contains("secret"), "{shown}");
    }
}
