//! The carrier that is two query parameters, `header` and `payload`.

use alloc::format;
use alloc::string::String;

use super::{Credentials, HandshakeError, unpack};
use crate::handshake::base64;
use crate::wire::Request;

/// The target: the path, continued with both parameters.
pub(super) fn write(path: &str, credentials: &Credentials) -> String {
    let header = base64::percent_encode(&base64::encode_standard(credentials.to_json().as_bytes()));
    let payload = base64::percent_encode(&base64::encode_standard(b"{}"));
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}header={header}&payload={payload}")
}

/// What the parameters say. `None` if there is no `header`.
pub(super) fn read(request: &Request) -> Option<Result<Credentials, HandshakeError>> {
    let header = query_value(request, "header")?;
    Some(match query_value(request, "payload") {
        Some(_) => unpack(&header),
        None => Err(HandshakeError::PayloadMissing),
    })
}

/// The first query parameter of that name, percent-decoded, with `+` kept as `+` (GQL-HANDSHAKE-019).
///
/// A parameter without `=` has the empty value.
pub fn query_value(request: &Request, name: &str) -> Option<String> {
    let mut parameters = request.query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    parameters.find(|(n, _)| *n == name).map(|(_, value)| base64::percent_decode(value))
}
