//! Why credentials are refused, and how the refusal is told in each place.
//!
//! | Denial                | connect                      | start, subscribe, publish   | HTTP |
//! |-----------------------|------------------------------|-----------------------------|------|
//! | missing, not enabled  | `UnauthorizedException`, 401 | `UnauthorizedException`     | 401  |
//! | not known, expired    | `UnauthorizedException`, 401 | `UnauthorizedException`     | 401  |
//! | broken token          | `UnauthorizedException`, 401 | `UnauthorizedException`     | 401  |
//! | signature incomplete  | `BadRequestException`, 400   | `BadRequestException`       | 400, `IncompleteSignatureException` |
//! | signature wrong       | `UnauthorizedException`, 401 | `BadRequestException`       | 400, `BadRequestException` |
//! | authorizer failed     | `UnauthorizedException`, 401 | `AuthorizerFailureException` | 500 |
//!
//! Source: GQL-AUTH-014, GQL-AUTH-016 to GQL-AUTH-018, EVT-AUTH-013, EVT-AUTH-027, EVT-AUTH-028.

use appsync_protocol::server::Refusal;

/// Why credentials are refused. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denial {
    /// There are none.
    Missing,
    /// Their mode is not enabled for the purpose (EVT-AUTH-019).
    NotEnabled,
    /// They are not known, not valid any more, or not for this.
    Unauthorized,
    /// A token that is not a JWT, where only a JWT will do.
    TokenUnreadable,
    /// A JWT whose time is over.
    TokenExpired,
    /// A signature that lacks something; with what it lacks.
    SignatureIncomplete(&'static str),
    /// A signature of something else; with what should have been signed.
    SignatureMismatch {
        /// Canonical request, without the session token.
        canonical: String,
        /// String to sign.
        to_sign: String,
    },
    /// A signature whose date or scope does not fit; with the reason.
    SignatureOutOfPlace(String),
    /// The Lambda authorizer failed (EVT-AUTH-028).
    AuthorizerFailed,
}

impl Denial {
    /// The error of a `connection_error`.
    pub fn at_connect(&self) -> Refusal {
        match self {
            Self::SignatureIncomplete(_) => self.refusal("BadRequestException").with_code(400),
            Self::Missing
            | Self::NotEnabled
            | Self::Unauthorized
            | Self::TokenUnreadable
            | Self::TokenExpired
            | Self::SignatureMismatch { .. }
            | Self::SignatureOutOfPlace(_)
            | Self::AuthorizerFailed => self.refusal("UnauthorizedException").with_code(401),
        }
    }

    /// The error of an operation.
    pub fn of_operation(&self) -> Refusal {
        match self {
            Self::SignatureIncomplete(_) | Self::SignatureMismatch { .. } | Self::SignatureOutOfPlace(_) => {
                self.refusal("BadRequestException")
            }
            Self::AuthorizerFailed => self.refusal("AuthorizerFailureException"),
            Self::Missing | Self::NotEnabled | Self::Unauthorized | Self::TokenUnreadable | Self::TokenExpired => {
                self.refusal("UnauthorizedException")
            }
        }
    }

    /// Status and error of an HTTP answer.
    pub fn over_http(&self) -> (u16, Refusal) {
        match self {
            Self::Missing | Self::NotEnabled => {
                (401, Refusal::new("UnauthorizedException", "Valid authorization header not provided."))
            }
            Self::SignatureIncomplete(_) => (400, self.refusal("IncompleteSignatureException")),
            Self::SignatureMismatch { .. } | Self::SignatureOutOfPlace(_) => (400, self.of_operation()),
            Self::AuthorizerFailed => (500, self.of_operation()),
            Self::Unauthorized | Self::TokenUnreadable | Self::TokenExpired => (401, self.of_operation()),
        }
    }

    fn refusal(&self, error_type: &str) -> Refusal {
        let message = match self {
            Self::Missing | Self::NotEnabled | Self::Unauthorized => return Refusal::unauthorized(),
            Self::TokenUnreadable => "Unable to parse JWT token.".into(),
            Self::TokenExpired => "Token has expired.".into(),
            Self::SignatureIncomplete(what) => format!("Authorization header requires {what}."),
            Self::SignatureMismatch { canonical, to_sign } => format!(
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                 Access Key and signing method. Consult the service documentation for details.\n\n\
                 The Canonical String for this request should have been\n'{canonical}'\n\n\
                 The String-to-Sign should have been\n'{to_sign}'\n"
            ),
            Self::SignatureOutOfPlace(why) => why.clone(),
            Self::AuthorizerFailed => "The authorizer failed".into(),
        };
        Refusal::new(error_type, message)
    }
}
