//! The credentials that somebody has, by mode, and those that the built-in endpoint knows.

use std::collections::BTreeMap;

use appsync_protocol::server::Mode;
use appsync_protocol::transcript::Redactor;

use super::sign::Secret;
use super::{AwsKeys, token};

/// What a client can prove itself with besides an API key, which has a place of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring {
    /// The mode that is used where no other is asked for.
    pub main: Mode,
    /// A secret for each further mode.
    pub more: BTreeMap<Mode, Secret>,
    /// What else must not be shown: secrets of a declared trigger.
    pub hidden: Vec<String>,
}

/// Shortest key that is taken for one, and not for a word that may stand in any text.
const KEY_MIN: usize = 8;
/// Something else than the truth, which no API knows.
const WRONG: &str = "wrongwrongwrongwrongwrongwrongwrongwrong";

impl Keyring {
    /// The same with one more secret; the first of a mode counts.
    #[must_use]
    pub fn with(mut self, mode: Mode, secret: Secret) -> Self {
        self.more.entry(mode).or_insert(secret);
        self
    }

    /// What was given, sorted by mode. Unless one is named the API key is the main one, then a token, then AWS keys.
    ///
    /// A single token is for the mode that is named, where that takes tokens; else each tells its mode by its form.
    ///
    /// # Errors
    /// When two tokens are for one mode, or the mode that is named has nothing.
    pub fn gathered(
        api_key: Option<&str>,
        tokens: &[String],
        iam: Option<AwsKeys>,
        main: Option<Mode>,
    ) -> Result<Self, String> {
        let of_main = main.filter(|mode| tokens.len() == 1 && takes_token(*mode));
        let mut keyring = Self::default();
        for token in tokens {
            let mode = of_main.unwrap_or_else(|| mode_of(token));
            if keyring.more.insert(mode, Secret::Token(token.clone())).is_some() {
                return Err(format!("--token: two tokens are for one mode ({}); give one for each", mode_word(mode)));
            }
        }
        let first_token = keyring.more.keys().next().copied();
        let signs = iam.is_some().then_some(Mode::Iam);
        keyring.more.extend(iam.map(|keys| (Mode::Iam, Secret::Iam(keys))));
        let by_key = api_key.map(|_| Mode::ApiKey);
        keyring.main = main.or(by_key).or(first_token).or(signs).unwrap_or_default();
        match main {
            Some(mode) if keyring.secret(mode, api_key.unwrap_or_default()).is_none() => {
                Err(format!("--mode {}: no credentials of this mode were given", mode_word(mode)))
            }
            Some(_) | None => Ok(keyring),
        }
    }

    /// The secret of a mode, if there is one; an empty API key is none.
    pub fn secret(&self, mode: Mode, api_key: &str) -> Option<Secret> {
        match mode {
            Mode::ApiKey => (!api_key.is_empty()).then(|| Secret::ApiKey(api_key.into())),
            Mode::Iam | Mode::Oidc | Mode::Cognito | Mode::Lambda => self.more.get(&mode).cloned(),
        }
    }

    /// Everything that must not be shown: what is secret, and the parts of a token that others are made of.
    pub fn texts(&self, api_key: &str) -> Vec<(&'static str, String)> {
        let mut texts = vec![("key", api_key.to_owned())];
        for secret in self.more.values() {
            match secret {
                Secret::ApiKey(key) => texts.push(("key", key.clone())),
                Secret::Token(token) => {
                    texts.push(("token", token.clone()));
                    let parts = token.rsplit_once('.').filter(|_| is_jwt(token));
                    texts.extend(parts.into_iter().flat_map(|(signed, signature)| {
                        let half = first_half(signature).to_owned();
                        [("token", signed.to_owned()), ("signature", signature.to_owned()), ("signature", half)]
                    }));
                    if !is_jwt(token) {
                        texts.extend(near_keys(token).into_iter().map(|near| ("near token", near)));
                    }
                }
                Secret::Iam(keys) => {
                    texts.push(("access key id", keys.access_key_id.clone()));
                    texts.push(("secret access key", keys.secret_access_key.clone()));
                    texts.extend(keys.session_token.iter().map(|token| ("session token", token.clone())));
                }
            }
        }
        texts.extend(self.hidden.iter().map(|text| ("secret", text.clone())));
        // What is presented in place of a key tells the key.
        let keys: Vec<_> = texts.iter().filter(|(label, _)| *label == "key").map(|(_, key)| key.clone()).collect();
        texts.extend(keys.iter().flat_map(|key| near_keys(key)).map(|near| ("near key", near)));
        texts.retain(|(_, text)| !text.is_empty());
        texts
    }

    /// Takes all of that out of texts.
    pub fn redactor(&self, api_key: &str) -> Redactor {
        let texts = self.texts(api_key);
        Redactor::new(&texts.iter().map(|(label, text)| (*label, text.as_str())).collect::<Vec<_>>())
    }
}

const fn takes_token(mode: Mode) -> bool {
    match mode {
        Mode::Oidc | Mode::Cognito | Mode::Lambda => true,
        Mode::ApiKey | Mode::Iam => false,
    }
}

/// A mode as options write it.
pub const fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::ApiKey => "api-key",
        Mode::Iam => "iam",
        Mode::Oidc => "oidc",
        Mode::Cognito => "cognito",
        Mode::Lambda => "lambda",
    }
}

/// A secret of the same kind that no API knows.
pub fn wrong(secret: &Secret) -> Secret {
    match secret {
        Secret::ApiKey(_) => Secret::ApiKey(crate::scenario::cast::WRONG_KEY.into()),
        Secret::Token(token) if is_jwt(token) => Secret::Token(with_another_signature(token)),
        Secret::Token(_) => Secret::Token(WRONG.into()),
        Secret::Iam(keys) => Secret::Iam(AwsKeys {
            access_key_id: "AKIAWRONGWRONGWRONG0".into(),
            secret_access_key: WRONG.into(),
            session_token: None,
            region: keys.region.clone(),
        }),
    }
}

/// Keys or tokens that are next to this one: with one character more at the end; and where it is no mere word, with
/// one less, in another case, and the same two at the beginning.
pub fn near_keys(key: &str) -> Vec<String> {
    let mut near = vec![format!("{key}x")];
    if key.len() >= KEY_MIN {
        let kept = key.char_indices().next_back().map_or(0, |(last, _)| last);
        near.push(key[..kept].to_owned());
        let turn = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        near.extend(Some(key.chars().map(turn).collect()).filter(|other: &String| other != key));
        near.extend([key.chars().skip(1).collect(), format!("x{key}")]);
    }
    near
}

/// Whether a token has the form of a JWT.
pub fn is_jwt(token: &str) -> bool {
    token::claims(token::without_scheme(token)).is_some()
}

/// The mode that a token is for, as far as it tells: JWTs of user pools name one as their issuer, and what is no JWT
/// is for a Lambda authorizer.
pub fn mode_of(token: &str) -> Mode {
    let claims = token::claims(token::without_scheme(token));
    match claims.as_ref().map(|claims| token::issuer(claims).unwrap_or_default()) {
        None => Mode::Lambda,
        Some(issuer) if issuer.contains("://cognito-idp.") => Mode::Cognito,
        Some(_) => Mode::Oidc,
    }
}

/// A JWT with a signature of the same length that is not its own.
pub fn with_another_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    let other = if signature.starts_with('A') { "B" } else { "A" };
    format!("{signed}.{}", other.repeat(signature.len().max(1)))
}

/// A JWT whose signature ends in its middle.
pub fn with_half_a_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    format!("{signed}.{}", first_half(signature))
}

/// A JWT without anything behind its last dot, whatever its header says of an algorithm.
pub fn without_signature(token: &str) -> String {
    let (signed, _) = token.rsplit_once('.').unwrap_or((token, ""));
    format!("{signed}.")
}

fn first_half(signature: &str) -> &str {
    signature.get(..signature.len() / 2).unwrap_or_default()
}

/// A JWT that claims to be somebody else, under the signature that it had.
pub fn with_another_subject(token: &str) -> String {
    let Some(mut claims) = token::claims(token) else { return token.into() };
    claims.insert("sub".into(), "somebody-else".into());
    let text = serde_json::Value::Object(claims).to_string();
    let claims = appsync_protocol::handshake::base64::encode_url(text.as_bytes());
    let mut parts = token.split('.');
    format!("{}.{claims}.{}", parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default())
}

/// A JWT with the same claims, the algorithm `none` and no signature (RFC 8725, 3.2).
pub fn unsigned(token: &str) -> String {
    let header = appsync_protocol::handshake::base64::encode_url(br#"{"alg":"none","typ":"JWT"}"#);
    format!("{header}.{}.", token.split('.').nth(1).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn a_token_tells_its_mode() {
        for mode in [Mode::Oidc, Mode::Cognito, Mode::Lambda] {
            let Some(Secret::Token(token)) = example::keyring().secret(mode, "") else { panic!("{mode:?}") };
            assert_eq!(mode_of(&token), mode);
            assert_eq!(mode_of(&format!("Bearer {token}")), mode);
        }
    }

    #[test]
    fn the_key_is_the_main_one_unless_another_mode_is_named() {
        let gathered = |key, main| Keyring::gathered(key, &["opaque".to_owned()], None, main);

        assert_eq!(gathered(Some("k"), None).unwrap().main, Mode::ApiKey);
        assert_eq!(gathered(None, None).unwrap().main, Mode::Lambda);
        assert_eq!(gathered(Some("k"), Some(Mode::Oidc)).unwrap().main, Mode::Oidc);
        let error = gathered(Some("k"), Some(Mode::Iam)).unwrap_err();
        assert_eq!(error, "--mode iam: no credentials of this mode were given");
    }

    #[test]
    fn two_tokens_of_one_mode_are_told() {
        let error = Keyring::gathered(None, &["one".into(), "two".into()], None, None).unwrap_err();

        assert_eq!(error, "--token: two tokens are for one mode (lambda); give one for each");
    }

    #[test]
    fn what_is_wrong_with_a_token_on_purpose_leaves_its_form() {
        let Some(Secret::Token(token)) = example::keyring().secret(Mode::Oidc, "") else { panic!("no token") };

        let ways = [with_another_signature, with_half_a_signature, without_signature, with_another_subject, unsigned];
        for changed in ways.map(|way| way(&token)) {
            assert!(is_jwt(&changed) && changed != token, "{changed}");
        }
    }

    #[test]
    fn a_key_next_to_the_right_one_does_not_get_through_the_redactor() {
        let redactor = example::keyring().redactor("da2-secretkey");

        for near in near_keys("da2-secretkey") {
            let shown = redactor.text(&format!(r#"{{"x-api-key":"{near}"}}"#));
            assert!(!shown.to_lowercase().contains("secretke"), "{near}: {shown}");
        }
        assert_eq!(near_keys("da2-secretkey").len(), 5);
        assert_eq!(near_keys("test"), ["testx"]);
    }

    #[test]
    fn a_token_next_to_the_right_one_does_not_get_through_the_redactor() {
        let redactor = example::keyring().redactor("da2-key");
        let Some(Secret::Token(token)) = example::keyring().secret(Mode::Lambda, "") else { panic!("no token") };

        for near in near_keys(&token) {
            let shown = redactor.text(&format!(r#"{{"Authorization":"{near}"}}"#));
            assert!(!shown.to_lowercase().contains("lambda-toke"), "{near}: {shown}");
        }
    }

    #[test]
    fn nothing_of_a_token_gets_through_the_redactor() {
        let Some(Secret::Token(token)) = example::keyring().secret(Mode::Oidc, "") else { panic!("no token") };
        let redactor = example::keyring().redactor("da2-key");

        let more = [with_another_signature, with_half_a_signature, without_signature].map(|way| way(&token)).join(" ");
        let shown = redactor.text(&format!("{token} {more} da2-key"));

        let parts: Vec<_> = token.split('.').filter(|part| shown.contains(part)).collect();
        assert!(parts.is_empty() && !shown.contains("da2-key"), "{shown}");
        let half = token.rsplit('.').next().map(first_half).unwrap_or_default();
        assert!(!half.is_empty() && !shown.contains(half), "{shown}");
    }
}
