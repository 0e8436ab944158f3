//! Error objects, unattributed errors and how far one bad message reaches.

macro_rules! evt_err {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtErr001 "EVT-ERR-001" Must Server Documented Outside
            "Every entry of an errors array is an object with a string errorType."
            from "WSP"
            note "Only the further content of the entries is softened, by EVT-A-05.";
        EvtErr002 "EVT-ERR-002" Must Server Observed Outside
            "An error entry may do without message; where it has one, it is a string."
            from "AND-IT (undefined namespace)"
            note "auvred/aws-appsync-events prints undefined safely; amplify-js builds a text with the word undefined in it. Whether there is one is softened by EVT-A-05.";
        EvtErr003 "EVT-ERR-003" Must Server Observed Outside
            "An error entry may do without errorCode; where it has one, it is a number."
            from "TSL-E2E (401 on connect)"
            note "A comment in amplify-js says that Events never sends it. Whether there is one is softened by EVT-A-05.";
        EvtErr004 "EVT-ERR-004" Should Client Implied NotYetJudged
            "A client expects any number of entries in errors, not just one."
            from "TSL (fixtures)"
            note "tokio-appsync-events decodes the errors of publish_error as an array of exactly one.";
        EvtErr005 "EVT-ERR-005" Must Server Documented Outside
            "An error that answers an operation carries the id of the operation."
            from "WSP";
        EvtErr006 "EVT-ERR-006" Must Server Implied Outside
            "A message that belongs to no operation is answered with a message of the type error."
            from "AND; SW; TSL; GO1; OB"
            note "The Swift events client needs an id to decode it and so loses errors without one. See EVT-A-17.";
        EvtErr007 "EVT-ERR-007" Should Server Implied Outside
            "The error for a type that the server does not know is UnsupportedOperation."
            from "AND; TSL"
            note "MiniStack says BadRequestException.";
        EvtErr008 "EVT-ERR-008" Must Server Implied Outside
            "Text that is not JSON is met with an error message or with the end of the connection, never with silent acceptance."
            from "suite reasoning from the message catalogue"
            note "MiniStack answers error with BadRequestException; the mock server of tokio-appsync-events ignores it.";
        EvtErr009 "EVT-ERR-009" Must Server Implied Outside
            "A JSON value that is not an object is treated like text that is not JSON."
            from "suite reasoning from the message catalogue"
            note "See EVT-ERR-008.";
        EvtErr010 "EVT-ERR-010" Must Server Implied Outside
            "A message without type, or with a type that is not a string, is treated like one of an unknown type."
            from "suite reasoning from the message catalogue"
            note "See EVT-ERR-007.";
        EvtErr011 "EVT-ERR-011" Must Server Implied Outside
            "An operation whose id breaks the id syntax is refused."
            from "WSP (pattern; the consequence is not stated)"
            note "The answer may be of the type error, since there is no valid id to name.";
        EvtErr012 "EVT-ERR-012" Must Client Implied NotYetJudged
            "A client lets the error of one id concern that operation alone."
            from "WSP (correlation)"
            note "The publish listener of amplify-js breaks this.";
        EvtErr013 "EVT-ERR-013" Should Client Observed NotYetJudged
            "A client does not try again when a connect was refused with UnauthorizedException or BadRequestException."
            from "JS; TSL";
        EvtErr014 "EVT-ERR-014" Must Server Observed Needs("a data source that fails with a text of its own")
            "The failure of a data source shows the publisher nothing of what went wrong inside."
            from "LER (fixed text)";
        EvtErr015 "EVT-ERR-015" Must Server Implied Outside
            "A message that is in error does not end the connection as long as the WebSocket framing is intact."
            from "suite reasoning from the message catalogue";
        EvtErr016 "EVT-ERR-016" Must Server Implied Outside
            "The message types start and stop of the GraphQL protocol are unknown types here."
            from "WSP"
            note "The plan of floci and the clone of daisuke-awaji tell messages apart by an invented action member.";
    } };
}
