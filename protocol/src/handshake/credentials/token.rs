//! The carrier that is a subprotocol token: `header-` and base64url without padding.

use alloc::format;
use alloc::string::String;

use super::{Credentials, HandshakeError, unpack};
use crate::handshake::base64;
use crate::wire::Request;

/// What a subprotocol token with credentials starts with.
const PREFIX: &str = "header-";

/// The value of `Sec-WebSocket-Protocol`: the word of the dialect, then the token.
pub(super) fn write(word: &str, credentials: &Credentials) -> String {
    let token = base64::encode_url(credentials.to_json().as_bytes());
    format!("{word}, {PREFIX}{token}")
}

/// What the first token says. `None` if none is offered.
pub(super) fn read(request: &Request) -> Option<Result<Credentials, HandshakeError>> {
    let token = request.subprotocols().find_map(|offered| offered.strip_prefix(PREFIX))?;
    Some(unpack(token))
}
