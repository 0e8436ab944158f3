//! The saboteurs of these scenarios.

use appsync_protocol::requirement::Requirement as R;

use super::super::session_steps::edit;
use crate::fault::{AuthCheck, Change, Fault, How, Nth, Reaction, Trigger};

pub(in super::super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-one-mode-too-few",
        about: "knows a mode that it is configured for at the connection only",
        breaks: R::EvtAuth016,
        caught_by: "events/modes/mixed",
        how: How::Modes(|modes| modes.events_subscribe.truncate(4)),
    },
    Fault {
        name: "events-operation-signature-is-not-looked-at",
        about: "takes whatever signature an operation carries",
        breaks: R::EvtAuth013,
        caught_by: "events/modes/iam-changed-body",
        how: How::Auth(AuthCheck::SignatureOfOperation),
    },
    Fault {
        name: "events-wrong-signature-is-unauthorized",
        about: "calls a signature of another body unauthorized",
        breaks: R::EvtAuth013,
        caught_by: "events/modes/iam-changed-body",
        how: edit("publish_error", Nth::Every, Change::Set("errors.0.errorType", r#""UnauthorizedException""#)),
    },
    Fault {
        name: "events-wrong-signature-ends-the-connection",
        about: "closes the connection after an operation with a signature of another body",
        breaks: R::EvtAuth013,
        caught_by: "events/modes/iam-changed-body",
        how: edit("publish_error", Nth::Every, Change::CloseAfter(1008)),
    },
    Fault {
        name: "events-signs-the-whole-message",
        about: "does not mind what else a signature covers",
        breaks: R::EvtAuth011,
        caught_by: "events/modes/iam-id-in-signed-body",
        how: How::Auth(AuthCheck::SignatureOfOperation),
    },
    Fault {
        name: "events-signed-headers-fixed",
        about: "wants signatures over the header fields that it has in mind",
        breaks: R::EvtAuth010,
        caught_by: "events/modes/iam-few-signed-headers",
        how: How::Auth(AuthCheck::SignedHeadersOfClient),
    },
    Fault {
        name: "events-signature-of-the-frame",
        about: "closes the connection on a message in another spelling than its own",
        breaks: R::EvtAuth012,
        caught_by: "events/modes/iam-spelling",
        how: How::Trap(Trigger::TypeNotFirst, Reaction::Close(1008)),
    },
    Fault {
        name: "events-signatures-last-for-ever",
        about: "does not look at the date of a signature",
        breaks: R::SynSign001,
        caught_by: "events/modes/iam-old-signature",
        how: How::Auth(AuthCheck::SignatureDate),
    },
    Fault {
        name: "events-signatures-go-anywhere",
        about: "takes signatures for other regions and services",
        breaks: R::SynSign001,
        caught_by: "events/modes/iam-foreign-scope",
        how: How::Auth(AuthCheck::SignatureScope),
    },
    Fault {
        name: "events-connect-signature-is-not-looked-at",
        about: "takes whatever signature a connection carries",
        breaks: R::EvtAuth006,
        caught_by: "events/modes/iam-wrong-signature-at-connect",
        how: How::Auth(AuthCheck::SignatureAtConnect),
    },
    Fault {
        name: "events-connect-signature-subscribes",
        about: "takes the signature of the connection for a subscribe",
        breaks: R::EvtAuth007,
        caught_by: "events/modes/iam-signature-of-the-connection",
        how: How::Auth(AuthCheck::SignatureOfOperation),
    },
    Fault {
        name: "events-http-signature-is-not-looked-at",
        about: "takes whatever signature a publish over HTTP carries",
        breaks: R::EvtAuth009,
        caught_by: "events/modes/iam-changed-http-body",
        how: How::Auth(AuthCheck::SignatureOverHttp),
    },
    Fault {
        name: "events-jwt-signature-is-not-looked-at",
        about: "does not look at the signature of a JWT",
        breaks: R::EvtAuth016,
        caught_by: "events/modes/jwt-wrong-signature",
        how: How::Auth(AuthCheck::TokenSignature),
    },
    Fault {
        name: "events-jwt-claims-are-believed",
        about: "believes the claims of a JWT that it has not checked",
        breaks: R::EvtAuth016,
        caught_by: "events/modes/jwt-changed-claims",
        how: How::Auth(AuthCheck::TokenSignature),
    },
    Fault {
        name: "events-jwt-algorithm-none",
        about: "takes JWTs that have no signature and say so",
        breaks: R::EvtAuth016,
        caught_by: "events/modes/jwt-unsigned",
        how: How::Auth(AuthCheck::TokenAlgorithm),
    },
    Fault {
        name: "events-lambda-is-not-asked",
        about: "takes tokens without asking the Lambda authorizer",
        breaks: R::EvtAuth027,
        caught_by: "events/modes/lambda-denied",
        how: How::Auth(AuthCheck::LambdaAnswer),
    },
];
