//! The saboteurs of these scenarios.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Mode;

use super::super::steps::edit;
use crate::fault::{AuthCheck, Change, Fault, How, Nth};

pub(in super::super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-one-mode-too-few",
        about: "knows a mode that it is configured for in no place",
        breaks: R::GqlAuth013,
        caught_by: "graphql/modes/mixed",
        how: How::Modes(|modes| modes.graphql.retain(|mode| *mode != Mode::Iam)),
    },
    Fault {
        name: "graphql-start-signature-is-not-looked-at",
        about: "takes whatever signature a start carries",
        breaks: R::GqlAuth014,
        caught_by: "graphql/modes/iam-changed-data",
        how: How::Auth(AuthCheck::SignatureOfOperation),
    },
    Fault {
        name: "graphql-wrong-signature-is-unauthorized",
        about: "calls a signature of another body unauthorized",
        breaks: R::GqlAuth014,
        caught_by: "graphql/modes/iam-changed-data",
        how: edit("error", Nth::Every, Change::Set("payload.errors.0.errorType", r#""UnauthorizedException""#)),
    },
    Fault {
        name: "graphql-wrong-signature-ends-the-connection",
        about: "closes the connection after a start with a signature of another body",
        breaks: R::GqlAuth014,
        caught_by: "graphql/modes/iam-changed-data",
        how: edit("error", Nth::Every, Change::CloseAfter(1008)),
    },
    Fault {
        name: "graphql-signed-headers-fixed",
        about: "wants signatures over the header fields that it has in mind",
        breaks: R::GqlAuth015,
        caught_by: "graphql/modes/iam-few-signed-headers",
        how: How::Auth(AuthCheck::SignedHeadersOfClient),
    },
    Fault {
        name: "graphql-signatures-last-for-ever",
        about: "does not look at the date of a signature",
        breaks: R::SynSign001,
        caught_by: "graphql/modes/iam-old-signature",
        how: How::Auth(AuthCheck::SignatureDate),
    },
    Fault {
        name: "graphql-signatures-go-anywhere",
        about: "takes signatures for other regions and services",
        breaks: R::SynSign001,
        caught_by: "graphql/modes/iam-foreign-scope",
        how: How::Auth(AuthCheck::SignatureScope),
    },
    Fault {
        name: "graphql-connect-signature-is-not-looked-at",
        about: "takes whatever signature a connection carries",
        breaks: R::GqlAuth016,
        caught_by: "graphql/modes/iam-wrong-signature-at-connect",
        how: How::Auth(AuthCheck::SignatureAtConnect),
    },
    Fault {
        name: "graphql-connect-signature-starts",
        about: "takes the signature of the connection for a start",
        breaks: R::GqlAuth018,
        caught_by: "graphql/modes/iam-signature-of-the-connection",
        how: How::Auth(AuthCheck::SignatureOfOperation),
    },
    Fault {
        name: "graphql-http-signature-is-not-looked-at",
        about: "takes whatever signature a request over HTTP carries",
        breaks: R::GqlHttp006,
        caught_by: "graphql/modes/iam-changed-http-body",
        how: How::Auth(AuthCheck::SignatureOverHttp),
    },
    Fault {
        name: "graphql-no-bearer",
        about: "takes JWTs without a scheme only",
        breaks: R::GqlAuth021,
        caught_by: "graphql/modes/jwt-with-scheme",
        how: How::Auth(AuthCheck::TokenScheme),
    },
    Fault {
        name: "graphql-jwt-signature-is-not-looked-at",
        about: "does not look at the signature of a JWT",
        breaks: R::GqlAuth018,
        caught_by: "graphql/modes/jwt-wrong-signature",
        how: How::Auth(AuthCheck::TokenSignature),
    },
    Fault {
        name: "graphql-jwt-claims-are-believed",
        about: "believes the claims of a JWT that it has not checked",
        breaks: R::GqlAuth018,
        caught_by: "graphql/modes/jwt-changed-claims",
        how: How::Auth(AuthCheck::TokenSignature),
    },
    Fault {
        name: "graphql-jwt-algorithm-none",
        about: "takes JWTs that have no signature and say so",
        breaks: R::GqlAuth018,
        caught_by: "graphql/modes/jwt-unsigned",
        how: How::Auth(AuthCheck::TokenAlgorithm),
    },
    Fault {
        name: "graphql-lambda-is-not-asked",
        about: "takes tokens without asking the Lambda authorizer",
        breaks: R::GqlAuth018,
        caught_by: "graphql/modes/lambda-denied",
        how: How::Auth(AuthCheck::LambdaAnswer),
    },
    Fault {
        name: "graphql-empty-token-is-a-bad-request",
        about: "calls an empty token a bad request",
        breaks: R::GqlAuth023,
        caught_by: "graphql/modes/empty-token",
        how: edit(
            "connection_error",
            Nth::Every,
            Change::Set("payload.errors.0.errorType", r#""BadRequestException""#),
        ),
    },
    Fault {
        name: "graphql-denied-field-is-a-bad-mode",
        about: "calls a field that is denied a refusal of the mode",
        breaks: R::GqlAuth019,
        caught_by: "graphql/modes/denied-field",
        how: edit("error", Nth::Every, Change::Set("payload.errors.0.errorType", r#""UnauthorizedException""#)),
    },
    Fault {
        name: "graphql-signed-values-fixed",
        about: "holds a signature against the header fields that it has in mind",
        breaks: R::GqlAuth015,
        caught_by: "graphql/modes/iam-changed-header-field",
        how: How::Auth(AuthCheck::SignedValues),
    },
    Fault {
        name: "graphql-jwt-signature-to-its-middle",
        about: "takes a JWT whose signature was cut short",
        breaks: R::GqlAuth018,
        caught_by: "graphql/modes/jwt-part-of-a-signature",
        how: How::Auth(AuthCheck::TokenSignatureEnd),
    },
    Fault {
        name: "graphql-beginning-of-a-token-is-good",
        about: "takes a token for the one that it begins like",
        breaks: R::GqlAuth018,
        caught_by: "graphql/modes/lambda-near-token",
        how: How::Auth(AuthCheck::TokenEnd),
    },
    Fault {
        name: "graphql-end-of-a-token-is-good",
        about: "takes a token for the one that it ends like",
        breaks: R::GqlAuth018,
        caught_by: "graphql/modes/lambda-near-token",
        how: How::Auth(AuthCheck::TokenBeginning),
    },
    Fault {
        name: "graphql-token-in-any-case",
        about: "compares tokens without their case",
        breaks: R::GqlAuth018,
        caught_by: "graphql/modes/lambda-near-token",
        how: How::Auth(AuthCheck::TokenCase),
    },
];
