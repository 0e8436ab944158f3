//! How a connection is opened: host, path, subprotocol values and the upgrade itself.

macro_rules! evt_handshake {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtHandshake001 "EVT-HANDSHAKE-001" Must Both Documented Outside
            "A real-time connection is a WebSocket upgrade of the path /event/realtime on the real-time host, and the server answers it there with 101."
            from "WSP; DOM";
        EvtHandshake002 "EVT-HANDSHAKE-002" Should Server Implied Outside
            "An upgrade of any other path, such as /event, /graphql or one below /event/realtime, is not answered with 101."
            from "WSP (only one path is named)"
            note "The Swift events client normalises /events/realtime before it dials, so that spelling never reaches a server.";
        EvtHandshake003 "EVT-HANDSHAKE-003" Must Client Documented NotYetJudged
            "The client names aws-appsync-event-ws among the subprotocols it offers."
            from "WSP";
        EvtHandshake004 "EVT-HANDSHAKE-004" Must Server Implied Outside
            "The 101 answer selects aws-appsync-event-ws and never repeats the subprotocol value that carries the credentials."
            from "RFC 6455 section 4.2.2; PWS (browser clients)"
            note "Only implied, since RFC 6455 lets a server select none; a browser drops the connection then. Selecting something that was not offered is EVT-HANDSHAKE-020. MiniStack selects the first offered value that starts with the literal.";
        EvtHandshake005 "EVT-HANDSHAKE-005" Must Client Documented NotYetJudged
            "Connect credentials travel as a second subprotocol value, the word header- followed by base64url JSON, or as ordinary request headers of the upgrade."
            from "WSP"
            note "The events clients of amplify-android and for Swift use request headers only; see EVT-HANDSHAKE-008.";
        EvtHandshake006 "EVT-HANDSHAKE-006" Must Client Documented NotYetJudged
            "The credential value is base64url without padding, so none of the characters =, + and / occurs in it."
            from "WSP"
            note "The characters = and / are not legal in a subprotocol token anyway.";
        EvtHandshake007 "EVT-HANDSHAKE-007" Must Server Documented Outside
            "The credential value may stand before or after aws-appsync-event-ws in the offer, and the server accepts both orders."
            from "WSP (shell example: credentials first); PWS (credentials second)";
        EvtHandshake008 "EVT-HANDSHAKE-008" Should Server Observed Outside
            "When aws-appsync-event-ws is the only offered value, the server takes the credentials from the ordinary headers of the upgrade request."
            from "AND-IT; SW-IT"
            note "The documentation is silent. MiniStack ignores such headers and treats the connection as unauthenticated. Softened by EVT-A-18.";
        EvtHandshake009 "EVT-HANDSHAKE-009" Must Client Documented NotYetJudged
            "The host member of an authorization object names the HTTP host or the custom domain, never the real-time host."
            from "WSP"
            note "One snippet of the page mixes two regions.";
        EvtHandshake010 "EVT-HANDSHAKE-010" Must Server Implied Outside
            "An upgrade that does not offer aws-appsync-event-ws ends in a refusal, either of the upgrade or by connection_error."
            from "WSP (the subprotocol must be specified)"
            note "MiniStack accepts it and goes on without a subprotocol.";
        EvtHandshake011 "EVT-HANDSHAKE-011" Must Server Implied Outside
            "A credential value that is not base64url, not UTF-8, not JSON or not a JSON object is refused within a bounded time, without a crash."
            from "WSP"
            note "MiniStack sends connection_error and then closes with 4400.";
        EvtHandshake012 "EVT-HANDSHAKE-012" Must Server Observed Outside
            "Credentials that are well formed but not authorized do not fail the upgrade: the server answers 101 and then reports connection_error as a message."
            from "TSL-E2E; LER"
            note "Otherwise a browser client could not read the reason. The ocel gateway and MiniStack do the same. The moment of the message is softened by EVT-A-09.";
        EvtHandshake013 "EVT-HANDSHAKE-013" Should Server Implied Outside
            "Query parameters that the server does not know do not change the outcome of the upgrade."
            from "JS (appends custom headers as query parameters)"
            note "Some third-party clients add the header and payload parameters of the GraphQL protocol.";
        EvtHandshake014 "EVT-HANDSHAKE-014" Must Client Observed NotYetJudged
            "For a host of the standard pattern the client gets the real-time host by putting appsync-realtime-api in place of appsync-api."
            from "AND; SW; JS; TSL";
        EvtHandshake015 "EVT-HANDSHAKE-015" Must Client Documented NotYetJudged
            "With a custom domain the client dials one and the same host for HTTP and for WebSocket."
            from "WSP; DOM"
            note "The Swift events client has a check for AWS hosts that is always true, but its replacement changes nothing in a custom host.";
        EvtHandshake016 "EVT-HANDSHAKE-016" Should Client Documented NotYetJudged
            "The client treats hosts with the suffix .amazonaws.com.cn as hosts of the standard pattern too."
            from "WSC (URL pattern); JS; AND; TSL";
        EvtHandshake017 "EVT-HANDSHAKE-017" Must Client Observed NotYetJudged
            "The client does not take the first label of the host for the API id."
            from "LS; CDK (dns attributes)"
            note "MiniStack uses one value for both.";
        EvtHandshake018 "EVT-HANDSHAKE-018" Must Server Documented Needs("a custom domain reached over TLS")
            "On a custom domain the server negotiates TLS 1.2 or TLS 1.3 and nothing older."
            from "DOM";
        EvtHandshake019 "EVT-HANDSHAKE-019" Must Both Standard Outside
            "The upgrade keeps the opening handshake of RFC 6455: version 13, a key answered with the matching accept value, and the Connection and Upgrade headers."
            from "RFC 6455 section 4.2; WSP (wscat -p 13)"
            note "A malformed upgrade has to be refused; which HTTP status says so is open, 400 and 426 are usual.";
        EvtHandshake020 "EVT-HANDSHAKE-020" Must Server Standard Outside
            "The server selects no subprotocol and no extension that the client did not offer."
            from "RFC 6455 section 4.2.2";
        EvtHandshake021 "EVT-HANDSHAKE-021" Should Both Implied Outside
            "Origin plays no part in the protocol, so a connection is accepted without the header and a test client sends none by default."
            from "PWS (browser use from any page)"
            note "No restriction is documented. LocalStack answers 403 to origins it does not list; the ocel gateway has an allow-list.";
    } };
}
