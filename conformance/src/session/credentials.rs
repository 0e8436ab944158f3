//! Who speaks: where the credentials of an upgrade, an operation and an HTTP request come from.
//!
//! A source is asked anew each time (GQL-CLOSE-006), with the text that a signature has to cover. API keys and tokens
//! do not depend on it. Values are secrets: nothing here prints them.

use std::fmt;

use appsync_protocol::client::Purpose;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::wire::Request;

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

/// API key mode. Source: GQL-AUTH-002, EVT-AUTH-001, EVT-AUTH-002.
pub struct ApiKey {
    /// Value of `host` in authorization objects: the HTTP host, never the real-time host.
    pub host: String,
    /// The key.
    pub key: String,
}

/// Cognito, OIDC and Lambda modes. Source: GQL-AUTH-003 to GQL-AUTH-005, EVT-AUTH-003, EVT-AUTH-004.
pub struct Token {
    /// Value of `host` in authorization objects: the HTTP host, never the real-time host.
    pub host: String,
    /// The token as it stands, without `Bearer`.
    pub token: String,
}

impl CredentialSource for ApiKey {
    fn credentials(&self, _purpose: &Purpose, _body: &str) -> Result<Credentials, String> {
        Ok(Credentials::api_key(&self.host, &self.key))
    }

    fn authorise(&self, request: &mut Request) -> Result<(), String> {
        request.headers.push("x-api-key", &self.key);
        Ok(())
    }
}

impl CredentialSource for Token {
    fn credentials(&self, _purpose: &Purpose, _body: &str) -> Result<Credentials, String> {
        Ok(Credentials::token(&self.host, &self.token))
    }

    fn authorise(&self, request: &mut Request) -> Result<(), String> {
        request.headers.push("authorization", &self.token);
        Ok(())
    }
}

impl fmt::Debug for ApiKey {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("host", &self.host).finish_non_exhaustive()
    }
}

impl fmt::Debug for Token {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("host", &self.host).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use appsync_protocol::wire::Headers;

    use super::*;

    #[test]
    fn key_and_token_stand_in_the_members_and_fields_of_their_mode() {
        let key = ApiKey { host: "api.example.com".into(), key: "da2-k".into() };
        let token = Token { host: "api.example.com".into(), token: "t".into() };

        let objects = [
            key.credentials(&Purpose::Connect, "{}").unwrap().to_json(),
            token.credentials(&Purpose::Subscribe { id: "1".into() }, "{}").unwrap().to_json(),
        ];

        assert_eq!(
            objects,
            [r#"{"host":"api.example.com","x-api-key":"da2-k"}"#, r#"{"host":"api.example.com","Authorization":"t"}"#]
        );
        let mut request =
            Request { method: "POST".into(), target: "/event".into(), headers: Headers::new(), body: "{}".into() };
        key.authorise(&mut request).unwrap();
        token.authorise(&mut request).unwrap();
        assert_eq!(request.headers.first("x-api-key"), Some("da2-k"));
        assert_eq!(request.headers.first("authorization"), Some("t"));
    }

    #[test]
    fn debug_output_shows_neither_key_nor_token() {
        let key = ApiKey { host: "h".into(), key: "da2-secret".into() };
        let token = Token { host: "h".into(), token: "secret".into() };

        let shown = format!("{key:?} {token:?}");

        assert!(!shown.contains("secret"), "{shown}");
    }
}
