//! The carrier that is header fields of the upgrade.

use super::Credentials;
use crate::wire::{Headers, Request};

/// Adds the members that travel as fields. `Host` names the dialled authority and is there already.
pub(super) fn write(headers: &mut Headers, credentials: &Credentials) {
    credentials
        .iter()
        .filter(|(name, _)| travels_as_field(name) && !name.eq_ignore_ascii_case("host"))
        .for_each(|(name, value)| headers.push(name, value));
}

/// What the fields say. `None` if neither a key nor a token is among them.
pub(super) fn read(request: &Request) -> Option<Credentials> {
    let fields = request.headers.iter().filter(|(name, _)| travels_as_field(name));
    let credentials = fields.fold(Credentials::new(), |read, (name, value)| read.with(name, value));
    let proves = credentials.get("x-api-key").or(credentials.get("authorization")).is_some();
    proves.then_some(credentials)
}

/// Fields of an upgrade that belong to the authorization object: the credentials, and what a signature covers
/// (GQL-AUTH-006, GQL-AUTH-015, EVT-AUTH-010).
fn travels_as_field(name: &str) -> bool {
    const WHOLE: [&str; 6] = ["host", "x-api-key", "authorization", "accept", "content-encoding", "content-type"];
    const PREFIX: &[u8] = b"x-amz-";

    let begins = name.as_bytes().get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
    begins || WHOLE.iter().any(|whole| name.eq_ignore_ascii_case(whole))
}
