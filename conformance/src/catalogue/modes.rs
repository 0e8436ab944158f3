//! What scenarios of authorization modes share in both dialects: who meets whom, and credentials that are off.

use std::collections::BTreeSet;

use appsync_protocol::handshake::{Carrier, Credentials};
use appsync_protocol::server::Mode;

use crate::auth::AwsKeys;
use crate::auth::sign::{Form, Secret, sign_connect_as, sign_operation_as};
use crate::scenario::{Cast, Conn, Step};

/// A day, in seconds: further than any clock is off.
const DAY_S: u64 = 86_400;

/// One connection: what opens it, and what authorizes an operation on it and a request over HTTP beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meeting {
    pub(super) connect: Mode,
    pub(super) carrier: Carrier,
    pub(super) operation: Mode,
    pub(super) http: Mode,
}

impl Meeting {
    /// Each two of its choices: the places that they are for, and what they are.
    fn pairs(self) -> [(usize, usize, usize, usize); 6] {
        let [a, b, c, d] = [self.connect as usize, self.carrier as usize, self.operation as usize, self.http as usize];
        [(0, 1, a, b), (0, 2, a, c), (0, 3, a, d), (1, 2, b, c), (1, 3, b, d), (2, 3, c, d)]
    }
}

/// As few meetings as a greedy choice finds in which every two choices meet that can.
pub(super) fn meetings(cast: &Cast, carriers: &[Carrier]) -> Vec<Meeting> {
    let modes = cast.modes();
    let mut all = Vec::new();
    for connect in &modes {
        for carrier in carriers.iter().filter(|carrier| can_travel(cast, *connect, **carrier)) {
            for operation in &modes {
                all.extend(modes.iter().map(|http| Meeting {
                    connect: *connect,
                    carrier: *carrier,
                    operation: *operation,
                    http: *http,
                }));
            }
        }
    }
    let mut apart: BTreeSet<_> = all.iter().flat_map(|meeting| meeting.pairs()).collect();
    let mut chosen = Vec::new();
    while !apart.is_empty() {
        let joins = |meeting: &Meeting| meeting.pairs().iter().filter(|pair| apart.contains(pair)).count();
        // Of equals the first, so that a run can be repeated.
        let Some(best) = all.iter().rev().max_by_key(|meeting| joins(meeting)).copied() else { break };
        for pair in best.pairs() {
            apart.remove(&pair);
        }
        chosen.push(best);
    }
    chosen
}

/// Whether credentials of this mode can travel there: a signature covers the host, and in header fields that is the
/// host that is dialled.
pub(crate) fn can_travel(cast: &Cast, mode: Mode, carrier: Carrier) -> bool {
    let same_host = cast.auth_host == cast.realtime.authority();
    match carrier {
        Carrier::Query | Carrier::Subprotocol => true,
        Carrier::Headers => mode != Mode::Iam || same_host,
    }
}

/// The credentials of a mode; a scenario that is played has them.
pub(super) fn secret(cast: &Cast, mode: Mode) -> Secret {
    cast.secret(mode).unwrap_or_else(|| Secret::Token(String::new()))
}

/// API keys that are none, each next to the one that was given: longer and shorter at either end, and in another case.
pub(super) fn near_keys(cast: &Cast) -> Vec<Secret> {
    let Some(Secret::ApiKey(key)) = cast.secret(Mode::ApiKey) else { return Vec::new() };
    crate::auth::near_keys(&key).into_iter().map(Secret::ApiKey).collect()
}

/// Tokens that are none, each next to the one that was given for the Lambda authorizer.
pub(super) fn near_tokens(cast: &Cast) -> Vec<Secret> {
    let Some(Secret::Token(token)) = cast.secret(Mode::Lambda) else { return Vec::new() };
    crate::auth::near_keys(&token).into_iter().map(Secret::Token).collect()
}

/// A mode that is not this one, if there is any.
pub(super) fn another(cast: &Cast, mode: Mode) -> Mode {
    cast.modes().into_iter().find(|own| *own != mode).unwrap_or(mode)
}

/// The JWTs that were given.
pub(crate) fn jwts(cast: &Cast) -> Vec<String> {
    let secrets = [Mode::Oidc, Mode::Cognito].into_iter().filter_map(|mode| cast.secret(mode));
    secrets
        .filter_map(|secret| match secret {
            Secret::Token(token) => Some(token.strip_prefix("Bearer ").unwrap_or(&token).to_owned()),
            Secret::ApiKey(_) | Secret::Iam(_) => None,
        })
        .collect()
}

/// Says goodbye on a connection.
pub(super) fn hung_up(conn: Conn) -> Step {
    Step::Hangup { conn, code: Some(1000) }
}

/// A signature that differs from a good one in something.
#[derive(Clone, Copy)]
pub(crate) enum Off {
    /// Nothing but the header fields that it covers.
    Minimal,
    /// It is a day old.
    Old,
    /// It is for another region.
    Region,
    /// It is for another service.
    Service,
    /// Its last digit is another.
    Digit,
    /// It does not cover this header field.
    LeavesOut(&'static str),
    /// This header field has another value than the one that was signed.
    Field(&'static str, &'static str),
}

/// Signed credentials of a connection.
pub(crate) fn connect_signed(cast: &Cast, off: Off) -> Credentials {
    let (keys, form, at) = signed_as(cast, off);
    finished(sign_connect_as(&keys, cast.dialect, &cast.auth_host, at, form).unwrap_or_default(), off)
}

/// Signed credentials of an operation with this body.
pub(crate) fn operation_signed(cast: &Cast, body: &str, off: Off) -> Credentials {
    let (keys, form, at) = signed_as(cast, off);
    finished(sign_operation_as(&keys, cast.dialect, &cast.auth_host, body, at, form).unwrap_or_default(), off)
}

fn signed_as(cast: &Cast, off: Off) -> (AwsKeys, Form<'static>, u64) {
    let keys = match cast.secret(Mode::Iam) {
        Some(Secret::Iam(keys)) => keys,
        Some(Secret::ApiKey(_) | Secret::Token(_)) | None => AwsKeys {
            access_key_id: String::new(),
            secret_access_key: String::new(),
            session_token: None,
            region: String::new(),
        },
    };
    let now = cast.now_unix_s;
    match off {
        Off::Minimal => (keys, Form::MINIMAL, now),
        Off::Old => (keys, Form::DOCUMENTED, now.saturating_sub(DAY_S)),
        Off::Region => (AwsKeys { region: "nowhere-1".into(), ..keys }, Form::DOCUMENTED, now),
        Off::Service => (keys, Form { service: "execute-api", ..Form::DOCUMENTED }, now),
        Off::Digit | Off::Field(..) => (keys, Form::DOCUMENTED, now),
        Off::LeavesOut(name) => (keys, Form { left_out: Some(name), ..Form::DOCUMENTED }, now),
    }
}

fn finished(credentials: Credentials, off: Off) -> Credentials {
    let changed = |value: &str| {
        let last = if value.ends_with('0') { '1' } else { '0' };
        format!("{}{last}", &value[..value.len().saturating_sub(1)])
    };
    match off {
        Off::Minimal | Off::Old | Off::Region | Off::Service | Off::LeavesOut(_) => credentials,
        Off::Field(changed, other) => credentials.iter().fold(Credentials::new(), |all, (name, value)| {
            all.with(name, if name.eq_ignore_ascii_case(changed) { other } else { value })
        }),
        Off::Digit => credentials.iter().fold(Credentials::new(), |all, (name, value)| {
            let is_signature = name.eq_ignore_ascii_case("authorization");
            all.with(name, if is_signature { changed(value) } else { value.to_owned() })
        }),
    }
}

#[cfg(test)]
mod tests {
    use appsync_protocol::dialect::Dialect;

    use super::*;

    #[test]
    fn every_two_choices_meet_in_few_meetings() {
        let cast = Cast::example(Dialect::Graphql);
        let carriers = Carrier::ALL;

        let chosen = meetings(&cast, &carriers);

        let met: BTreeSet<_> = chosen.iter().flat_map(|meeting| meeting.pairs()).collect();
        // Three places with five modes and one with three carriers.
        assert_eq!(met.len(), 3 * 25 + 3 * 15);
        assert!(chosen.len() < 40, "{}", chosen.len());
    }

    #[test]
    fn a_signature_in_header_fields_needs_the_host_that_is_dialled() {
        let mut cast = Cast::example(Dialect::Events);
        cast.auth_host = "other.example.com".into();

        let chosen = meetings(&cast, &[Carrier::Headers, Carrier::Subprotocol]);

        assert!(chosen.iter().any(|meeting| meeting.connect == Mode::Iam));
        assert!(!chosen.iter().any(|m| m.connect == Mode::Iam && m.carrier == Carrier::Headers));
    }
}
