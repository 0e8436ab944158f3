//! Keep-alive: the ka message, the liveness timer of clients and WebSocket pings.

macro_rules! evt_ka {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtKa001 "EVT-KA-001" Must Server Documented Outside
            "The server sends a message whose type is ka about every 60 seconds."
            from "WSP"
            note "The mock server of tokio-appsync-events sends {'':'ka'} every 30 seconds, a typing error.";
        EvtKa002 "EVT-KA-002" Must Both Documented Outside
            "A connection stays alive although the client never answers a ka."
            from "WSP";
        EvtKa003 "EVT-KA-003" Should Client Documented NotYetJudged
            "A client closes the connection when no keep-alive has come for connectionTimeoutMs."
            from "WSP"
            note "amplify-js looks every 5 s and warns at 65 s, tokio-appsync-events looks every 15 s, the Swift events client never starts the timer (EVT-INIT-003), ob-appsync-events-client has none.";
        EvtKa004 "EVT-KA-004" Must Server Documented Outside
            "The ka message has no id member."
            from "WSP";
        EvtKa005 "EVT-KA-005" Should Client Implied NotYetJudged
            "A client starts its liveness timer with connection_ack and restarts it with each ka; other traffic may restart it too."
            from "TSL (ka only); AND (any message); JS; RS (ka and data)"
            note "Clients differ, see EVT-A-15.";
        EvtKa006 "EVT-KA-006" Must Server Implied Outside
            "Keep-alives come on idle and on busy connections, with and without subscriptions."
            from "WSP"
            note "Softened by EVT-A-07.";
        EvtKa007 "EVT-KA-007" Must Server Documented Outside
            "A client that only listens is not disconnected for being idle."
            from "WSP (up to 24 hours while the client stays connected)";
        EvtKa008 "EVT-KA-008" Must Server Standard Outside
            "Each WebSocket Ping is answered with a Pong that carries the same application data."
            from "RFC 6455 section 5.5.2"
            note "At least one client sends library pings every 20 s to the service.";
        EvtKa009 "EVT-KA-009" Should Client Observed NotYetJudged
            "A client that finds no timeout in connection_ack goes on with 300000 milliseconds."
            from "JS; SW; RS; AND"
            note "auvred/aws-appsync-events fails instead.";
        EvtKa010 "EVT-KA-010" Should Server Implied Outside
            "A ka that a client sends has no meaning, and the server ignores it or answers with error."
            from "suite reasoning from the message catalogue"
            note "MiniStack ignores it.";
    } };
}
