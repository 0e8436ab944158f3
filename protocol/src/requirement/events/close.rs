//! The end of a connection: who closes, when, and what it leaves behind.

macro_rules! evt_close {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtClose001 "EVT-CLOSE-001" Should Client Documented NotYetJudged
            "Before it disconnects, a client unsubscribes everything and lets its operations finish."
            from "WSP"
            note "The amplify-android events client offers to flush or to cancel at once.";
        EvtClose002 "EVT-CLOSE-002" Should Client Observed NotYetJudged
            "A client closes with the code 1000."
            from "JS; AND; GO1; GO2"
            note "The Swift events client uses 1001 when it does not flush; amplify-js uses 3001 after a failed handshake.";
        EvtClose003 "EVT-CLOSE-003" Must Server Documented Needs("24 hours of time or a clock that can be moved")
            "A connection that reaches the age of 24 hours is ended by the server."
            from "WSP"
            note "Only the close code is softened, by EVT-A-08.";
        EvtClose004 "EVT-CLOSE-004" Must Client Observed NotYetJudged
            "A client does not take the close code 1000 for a sign of success, because servers send it after failures too."
            from "AND (source comment)"
            note "At least one third-party client does not reconnect after 1000.";
        EvtClose005 "EVT-CLOSE-005" Should Client Documented NotYetJudged
            "After a network error a client reconnects with exponential backoff and jitter."
            from "WSP"
            note "ob-appsync-events-client has no jitter; amplify-js keeps to fixed times of 5 s and 60 s after a first retry with jitter.";
        EvtClose006 "EVT-CLOSE-006" Must Client Observed NotYetJudged
            "Since a close ends all subscriptions and pending operations, a client reports or repeats them."
            from "TSL; AND; JS";
        EvtClose007 "EVT-CLOSE-007" Must Server Standard Outside
            "A closing handshake that the client starts is completed by the server."
            from "RFC 6455 section 5.5.1";
        EvtClose008 "EVT-CLOSE-008" Should Server Implied Outside
            "After connection_error the server closes the connection."
            from "OCEL (1008); MS (4401)"
            note "Only the close code is softened, by EVT-A-08.";
        EvtClose009 "EVT-CLOSE-009" Must Server Documented Outside
            "A connection without any subscription stays open."
            from "WSP (open while the client stays, up to 24 hours); CWM (counts such connections)";
        EvtClose010 "EVT-CLOSE-010" Must Server Implied Outside
            "When a connection is lost without a close, its subscriptions are freed, so that a new connection can use the same ids at once."
            from "EVT-SUB-005";
        EvtClose011 "EVT-CLOSE-011" Must Client Documented NotYetJudged
            "A client whose keep-alive timeout has passed closes the connection and opens another."
            from "WSP"
            note "See EVT-KA-003 for the timeout itself.";
    } };
}
