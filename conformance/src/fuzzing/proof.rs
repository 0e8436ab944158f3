//! Credentials of every mode, good ones and such as are off: how they are made, and whether they are to be taken.
//!
//! Each is one that a scenario of the catalogue shows too, in the places where it does.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::server::Mode;
use appsync_protocol::wire::Request;

use super::op::Proof;
use crate::auth::sign::Secret;
use crate::auth::{near_keys, unsigned, with_another_signature, with_another_subject, wrong};
use crate::catalogue::modes::{Off, connect_signed, jwts, operation_signed};
use crate::scenario::{Capabilities, Capability, Cast};

/// What [`Capability::ExpiredApiKey`] promises.
const EXPIRED_KEY: &str = "da2-syncspecexpiredapikey00000";

/// Where credentials are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In an upgrade.
    Connect,
    /// In a `start` or `subscribe`.
    Subscribe,
    /// In a `publish` over a connection (Events).
    Publish,
    /// In an HTTP request.
    Http,
}

/// What is to become of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// They are taken.
    Good,
    /// They are refused.
    Refused,
    /// They are good ones of something else, and refused as a bad request.
    Changed,
}

/// What there is to say of credentials wherever they are shown.
struct Nature {
    /// The mode that they are of; none for the main one.
    mode: Option<Mode>,
    /// In what their signature differs from the usual one.
    off: Option<Off>,
    /// What the target has to declare for them.
    capability: Option<Capability>,
}

impl Nature {
    const MAIN: Self = Self { mode: None, off: None, capability: None };

    const fn of(mode: Mode) -> Self {
        Self { mode: Some(mode), ..Self::MAIN }
    }

    const fn signed(off: Off) -> Self {
        Self { off: Some(off), ..Self::of(Mode::Iam) }
    }

    const fn declared(mode: Mode, capability: Capability) -> Self {
        Self { capability: Some(capability), ..Self::of(mode) }
    }
}

const fn nature(proof: Proof) -> Nature {
    match proof {
        Proof::Main | Proof::Wrong => Nature::MAIN,
        Proof::Iam | Proof::OtherBody | Proof::WholeMessage | Proof::OfConnection => Nature::of(Mode::Iam),
        Proof::FewHeaders => Nature::signed(Off::Minimal),
        Proof::OldSignature => Nature::signed(Off::Old),
        Proof::ForeignRegion => Nature::signed(Off::Region),
        Proof::ForeignService => Nature::signed(Off::Service),
        Proof::WrongDigit => Nature::signed(Off::Digit),
        Proof::HostUnsigned => Nature::signed(Off::LeavesOut("host")),
        Proof::DateUnsigned => Nature::signed(Off::LeavesOut("x-amz-date")),
        Proof::Oidc | Proof::Bearer | Proof::Forged | Proof::OtherSubject | Proof::Unsigned | Proof::EmptyToken => {
            Nature::of(Mode::Oidc)
        }
        Proof::Cognito => Nature::of(Mode::Cognito),
        Proof::Lambda
        | Proof::UnknownToken
        | Proof::LongerToken
        | Proof::ShorterToken
        | Proof::TurnedToken
        | Proof::HeadlessToken
        | Proof::PrefixedToken => Nature::of(Mode::Lambda),
        Proof::KeyAndToken | Proof::LongerKey | Proof::ShorterKey | Proof::TurnedKey => Nature::of(Mode::ApiKey),
        Proof::Once | Proof::Kept => Nature::declared(Mode::Lambda, Capability::AuthorizerCaches),
        Proof::Failing => Nature::declared(Mode::Lambda, Capability::AuthorizerFails),
        Proof::ExpiredKey => Nature::declared(Mode::ApiKey, Capability::ExpiredApiKey),
    }
}

/// What a target has to declare for them.
pub(super) const fn capability(proof: Proof) -> Option<Capability> {
    nature(proof).capability
}

/// The mode that these credentials are of.
pub(super) fn mode(cast: &Cast, proof: Proof) -> Mode {
    nature(proof).mode.unwrap_or(cast.keyring.main)
}

/// Whether their signature is one that no row of the registers refuses, for its age or its scope (SYN-SIGN-001).
pub(super) const fn is_stale(proof: Proof) -> bool {
    matches!(nature(proof).off, Some(Off::Old | Off::Region | Off::Service))
}

/// Whether the target has what it takes to show these credentials at all.
pub(super) fn is_known(cast: &Cast, has: &Capabilities, proof: Proof) -> bool {
    let knows = |mode| cast.secret(mode).is_some();
    if let Some(capability) = capability(proof) {
        has.has(capability)
    } else if let Some(at) = nearness(proof) {
        near(cast, proof, at).is_some()
    } else if matches!(proof, Proof::Bearer | Proof::Forged | Proof::OtherSubject | Proof::Unsigned) {
        !jwts(cast).is_empty()
    } else if proof == Proof::KeyAndToken {
        knows(Mode::ApiKey) && knows(Mode::Lambda)
    } else if proof == Proof::EmptyToken {
        knows(Mode::Oidc) || knows(Mode::Cognito) || knows(Mode::Lambda)
    } else {
        nature(proof).mode.is_none_or(knows)
    }
}

/// What is to become of these credentials in this place. `None` where nothing is known of it, or where they make no
/// sense. Those that are good once are good here.
pub(super) const fn standing(dialect: Dialect, place: Place, proof: Proof) -> Option<Standing> {
    use Place::{Connect, Http, Publish, Subscribe};
    use Standing::{Changed, Good, Refused};
    match (proof, place, dialect) {
        (Proof::Main | Proof::Iam | Proof::Oidc | Proof::Cognito | Proof::Lambda, ..) => Some(Good),
        (Proof::FewHeaders, Connect | Subscribe, _) => Some(Good),
        (Proof::Bearer, Connect | Subscribe, Dialect::Graphql) => Some(Good),
        (Proof::KeyAndToken, Subscribe, Dialect::Events) => Some(Good),
        (Proof::Once, Subscribe, _) | (Proof::Kept, Subscribe | Publish, _) => Some(Good),
        (Proof::OldSignature | Proof::ForeignRegion | Proof::ForeignService, Connect | Subscribe, _) => Some(Refused),
        (Proof::WrongDigit, Connect, _) => Some(Refused),
        (Proof::OtherBody, Subscribe | Publish | Http, _) => Some(Changed),
        (Proof::WholeMessage, Subscribe, Dialect::Events) | (Proof::OfConnection, Subscribe, _) => Some(Refused),
        (
            Proof::Forged | Proof::OtherSubject | Proof::Unsigned | Proof::UnknownToken,
            Connect | Subscribe | Http,
            _,
        ) => Some(Refused),
        (Proof::EmptyToken | Proof::ExpiredKey, Connect, Dialect::Graphql) => Some(Refused),
        (Proof::Failing, Subscribe | Http, Dialect::Events) => Some(Refused),
        (Proof::HostUnsigned | Proof::DateUnsigned, Connect | Subscribe, Dialect::Events) => Some(Refused),
        (
            Proof::LongerKey
            | Proof::ShorterKey
            | Proof::TurnedKey
            | Proof::LongerToken
            | Proof::ShorterToken
            | Proof::TurnedToken
            | Proof::HeadlessToken
            | Proof::PrefixedToken,
            Connect | Subscribe,
            _,
        ) => Some(Refused),
        (Proof::Wrong, Subscribe | Publish, Dialect::Events) | (Proof::Wrong, Subscribe, Dialect::Graphql) => {
            Some(Refused)
        }
        (
            Proof::FewHeaders
            | Proof::Bearer
            | Proof::KeyAndToken
            | Proof::Once
            | Proof::Kept
            | Proof::Wrong
            | Proof::OldSignature
            | Proof::ForeignRegion
            | Proof::ForeignService
            | Proof::WrongDigit
            | Proof::OtherBody
            | Proof::WholeMessage
            | Proof::OfConnection
            | Proof::Forged
            | Proof::OtherSubject
            | Proof::Unsigned
            | Proof::UnknownToken
            | Proof::EmptyToken
            | Proof::ExpiredKey
            | Proof::Failing
            | Proof::HostUnsigned
            | Proof::DateUnsigned
            | Proof::LongerKey
            | Proof::ShorterKey
            | Proof::TurnedKey
            | Proof::LongerToken
            | Proof::ShorterToken
            | Proof::TurnedToken
            | Proof::HeadlessToken
            | Proof::PrefixedToken,
            ..,
        ) => None,
    }
}

/// Credentials of a connection.
pub(super) fn at_connect(cast: &Cast, proof: Proof) -> Credentials {
    match (nature(proof).off, secret(cast, proof)) {
        (Some(off), _) => connect_signed(cast, off),
        (None, Some(secret)) => cast.connect_by(&secret),
        (None, None) => cast.credentials(),
    }
}

/// Credentials of an operation with this body. `other`: a body that it has not; `whole`: the message with its id.
pub(super) fn of_operation(cast: &Cast, proof: Proof, body: &str, (other, whole): (&str, &str)) -> Credentials {
    let signed = |body: &str| cast.operation_by(&secret(cast, proof).unwrap_or_else(nothing), body);
    match (proof, nature(proof).off) {
        (_, Some(off)) => operation_signed(cast, body, off),
        (Proof::Wrong, None) => cast.wrong_credentials(),
        (Proof::OtherBody, None) => signed(other),
        (Proof::WholeMessage, None) => signed(whole),
        (Proof::OfConnection, None) => cast.connect_by(&secret(cast, proof).unwrap_or_else(nothing)),
        (Proof::KeyAndToken, None) => signed(body).with("Authorization", "nobody-knows-this-token"),
        (_, None) => signed(body),
    }
}

/// An HTTP request with this body. `signed`: the body that a signature covers.
pub(super) fn over_http(cast: &Cast, proof: Proof, body: &str, signed: &str) -> Request {
    let secret = secret(cast, proof).unwrap_or_else(nothing);
    let mut request = cast.post_by(&secret, signed);
    request.body = body.into();
    request
}

const fn nothing() -> Secret {
    Secret::Token(String::new())
}

/// What they are made with.
fn secret(cast: &Cast, proof: Proof) -> Option<Secret> {
    let jwt = |change: fn(&str) -> String| jwts(cast).first().map(|jwt| Secret::Token(change(jwt)));
    match proof {
        Proof::Main
        | Proof::Wrong
        | Proof::Iam
        | Proof::FewHeaders
        | Proof::OldSignature
        | Proof::ForeignRegion
        | Proof::ForeignService
        | Proof::WrongDigit
        | Proof::HostUnsigned
        | Proof::DateUnsigned
        | Proof::OtherBody
        | Proof::WholeMessage
        | Proof::OfConnection
        | Proof::Oidc
        | Proof::Cognito
        | Proof::Lambda
        | Proof::KeyAndToken => cast.secret(mode(cast, proof)),
        Proof::Bearer => jwt(|jwt| format!("Bearer {jwt}")),
        Proof::Forged => jwt(with_another_signature),
        Proof::OtherSubject => jwt(with_another_subject),
        Proof::Unsigned => jwt(unsigned),
        Proof::UnknownToken => cast.secret(Mode::Lambda).map(|secret| wrong(&secret)),
        Proof::EmptyToken => Some(nothing()),
        Proof::Once => Some(Secret::Token(format!("syncspec-once-{}", cast.prefix))),
        Proof::Kept => Some(Secret::Token(format!("syncspec-once-kept-{}", cast.prefix))),
        Proof::ExpiredKey => Some(Secret::ApiKey(EXPIRED_KEY.into())),
        Proof::Failing => Some(Secret::Token("syncspec-authorizer-fails".into())),
        Proof::LongerKey
        | Proof::ShorterKey
        | Proof::TurnedKey
        | Proof::LongerToken
        | Proof::ShorterToken
        | Proof::TurnedToken
        | Proof::HeadlessToken
        | Proof::PrefixedToken => near(cast, proof, nearness(proof)?),
    }
}

/// Which of those that are next to a key or token it is.
const fn nearness(proof: Proof) -> Option<usize> {
    match proof {
        Proof::LongerKey | Proof::LongerToken => Some(0),
        Proof::ShorterKey | Proof::ShorterToken => Some(1),
        Proof::TurnedKey | Proof::TurnedToken => Some(2),
        Proof::HeadlessToken => Some(3),
        Proof::PrefixedToken => Some(4),
        Proof::Main
        | Proof::Iam
        | Proof::Oidc
        | Proof::Cognito
        | Proof::Lambda
        | Proof::FewHeaders
        | Proof::Bearer
        | Proof::KeyAndToken
        | Proof::Once
        | Proof::Kept
        | Proof::Wrong
        | Proof::OldSignature
        | Proof::ForeignRegion
        | Proof::ForeignService
        | Proof::WrongDigit
        | Proof::OtherBody
        | Proof::WholeMessage
        | Proof::OfConnection
        | Proof::Forged
        | Proof::OtherSubject
        | Proof::Unsigned
        | Proof::UnknownToken
        | Proof::EmptyToken
        | Proof::ExpiredKey
        | Proof::Failing
        | Proof::HostUnsigned
        | Proof::DateUnsigned => None,
    }
}

/// A key or token next to the one that was given; none where that is a mere word, which has too few neighbours.
fn near(cast: &Cast, proof: Proof, at: usize) -> Option<Secret> {
    match cast.secret(mode(cast, proof))? {
        Secret::ApiKey(key) => near_keys(&key).get(..5)?.get(at).cloned().map(Secret::ApiKey),
        Secret::Token(token) => near_keys(&token).get(..5)?.get(at).cloned().map(Secret::Token),
        Secret::Iam(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_target_lacks_cannot_be_shown() {
        let mut cast = Cast::example(Dialect::Events);
        cast.keyring.more.clear();

        let known: Vec<_> =
            Proof::ALL.iter().filter(|proof| is_known(&cast, &Capabilities::default(), **proof)).collect();

        let near = [&Proof::LongerKey, &Proof::ShorterKey, &Proof::TurnedKey];
        assert_eq!(known, [[&Proof::Main, &Proof::Wrong].as_slice(), &near].concat());
    }

    #[test]
    fn a_signature_of_another_body_is_not_that_of_this_one() {
        let cast = Cast::example(Dialect::Events);
        let of = |proof| of_operation(&cast, proof, "one", ("other", "whole")).to_json();

        assert_ne!(of(Proof::Iam), of(Proof::OtherBody));
        assert_ne!(of(Proof::Iam), of(Proof::WholeMessage));
        assert_ne!(of(Proof::Iam), of(Proof::OfConnection));
        assert_eq!(of(Proof::Once), of(Proof::Once));
    }

    #[test]
    fn what_is_next_to_a_key_is_neither_the_key_nor_each_other() {
        let cast = Cast::example(Dialect::Graphql);
        let near: Vec<_> = Proof::ALL.iter().filter(|proof| nearness(**proof).is_some()).collect();
        let texts: std::collections::BTreeSet<_> =
            near.iter().map(|proof| of_operation(&cast, **proof, "", ("", "")).to_json()).collect();

        assert_eq!((near.len(), texts.len()), (8, 8));
        let good = [Proof::Main, Proof::Lambda].map(|proof| of_operation(&cast, proof, "", ("", "")).to_json());
        assert!(good.iter().all(|good| !texts.contains(good)));
        assert!(near.iter().all(|proof| is_known(&cast, &Capabilities::default(), **proof)));
    }

    #[test]
    fn a_key_that_is_a_mere_word_has_no_neighbours() {
        let mut cast = Cast::example(Dialect::Graphql);
        cast.api_key = "test".into();

        assert!(!is_known(&cast, &Capabilities::default(), Proof::ShorterKey));
    }
}
