//! Why an upgrade request presents nothing that can be read.

use alloc::string::String;
use core::fmt;

use super::CredentialsError;

/// Why an upgrade request presents nothing that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandshakeError {
    /// No carrier at all. Source: GQL-HANDSHAKE-020.
    Missing,
    /// The query has `header` but not `payload`. Source: GQL-HANDSHAKE-010.
    PayloadMissing,
    /// The token or query value is not base64. Source: GQL-HANDSHAKE-021, EVT-HANDSHAKE-011.
    NotBase64 {
        /// Byte offset in the token without `header-`, or in the query value after percent-decoding.
        at: usize,
    },
    /// The base64 stands for bytes that are not UTF-8. Source: EVT-HANDSHAKE-011.
    NotUtf8,
    /// The text is not JSON. Source: GQL-HANDSHAKE-021, EVT-HANDSHAKE-011.
    NotJson,
    /// The JSON is not an object. Source: EVT-HANDSHAKE-011.
    NotAnObject,
    /// A member of the object is not a string. Source: EVT-AUTH-035.
    MemberNotAString {
        /// Name of the first such member.
        name: String,
    },
}

impl From<CredentialsError> for HandshakeError {
    fn from(error: CredentialsError) -> Self {
        match error {
            CredentialsError::NotJson => Self::NotJson,
            CredentialsError::NotAnObject => Self::NotAnObject,
            CredentialsError::MemberNotAString { name } => Self::MemberNotAString { name },
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("upgrade carries no authorization (GQL-HANDSHAKE-020, EVT-HANDSHAKE-005)"),
            Self::PayloadMissing => {
                f.write_str("upgrade has query parameter header without payload (GQL-HANDSHAKE-010)")
            }
            Self::NotBase64 { at } => write!(
                f,
                "upgrade carries authorization that is not base64 at offset {at} (GQL-HANDSHAKE-021, EVT-HANDSHAKE-011)"
            ),
            Self::NotUtf8 => f.write_str("upgrade carries authorization that is not UTF-8 (EVT-HANDSHAKE-011)"),
            Self::NotJson => {
                f.write_str("upgrade carries authorization that is not JSON (GQL-HANDSHAKE-021, EVT-HANDSHAKE-011)")
            }
            Self::NotAnObject => {
                f.write_str("upgrade carries authorization that is not a JSON object (EVT-HANDSHAKE-011)")
            }
            Self::MemberNotAString { name } => {
                write!(f, "upgrade carries authorization whose member {name:?} is not a string (EVT-AUTH-035)")
            }
        }
    }
}

impl core::error::Error for HandshakeError {}
