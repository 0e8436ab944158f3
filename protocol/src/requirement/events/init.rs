//! The optional session start: connection_init, connection_ack and connection_error.

macro_rules! evt_init {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtInit001 "EVT-INIT-001" May Client Documented NotYetJudged
            "After the upgrade a client is free to send connection_init or to leave it out."
            from "WSP"
            note "amplify-js, the amplify-android events client, auvred/aws-appsync-events, tokio-appsync-events and brokgo/appsync-event-client-go always send it; ob-appsync-events-client and the AWS wscat tutorial never do.";
        EvtInit002 "EVT-INIT-002" Must Server Documented Outside
            "The answer to connection_init is connection_ack with the integer connectionTimeoutMs, which the service sets to 300000."
            from "WSP"
            note "tokio-appsync-events treats the member as optional, auvred/aws-appsync-events fails without a positive one, and the ocel gateway sends five times its keep-alive period.";
        EvtInit003 "EVT-INIT-003" Must Server Documented Outside
            "The members of connection_ack stand at the top level of the message, without a payload around them."
            from "WSP"
            note "The Swift events client looks for payload.connectionTimeoutMs, so its keep-alive monitor never starts.";
        EvtInit004 "EVT-INIT-004" Must Server Documented Outside
            "On an open connection subscribe, publish and unsubscribe are carried out although connection_init was never sent."
            from "WSP (init is optional); PWS; WSC"
            note "The mock server of tokio-appsync-events refuses them. Softened in part by EVT-A-07.";
        EvtInit005 "EVT-INIT-005" Should Server Implied Outside
            "The server sends no connection_ack to a client that did not send connection_init."
            from "LS (transcript)"
            note "Softened by EVT-A-07.";
        EvtInit006 "EVT-INIT-006" Must Server Implied Outside
            "A repeated connection_init is acknowledged again or ignored, and the subscriptions of the connection go on unharmed."
            from "suite reasoning from the message catalogue"
            note "MiniStack acknowledges every one.";
        EvtInit007 "EVT-INIT-007" Should Client Documented NotYetJudged
            "A client that sends connection_init waits for connection_ack before its first subscribe."
            from "WSP"
            note "ob-appsync-events-client and the AWS wscat tutorial do not wait. See EVT-A-20.";
        EvtInit008 "EVT-INIT-008" Must Server Implied Outside
            "Messages that follow connection_init without a pause are handled in the order in which they were sent."
            from "TPC (demo clients send init and subscribe back to back)";
        EvtInit009 "EVT-INIT-009" Should Client Observed NotYetJudged
            "A client waits only a limited time for connection_ack."
            from "JS (15 s); TSL (15 s); RS (10 s)"
            note "The amplify-android events client knows no bound but that of the socket.";
        EvtInit010 "EVT-INIT-010" Must Server Observed Outside
            "A refused connection is told so by connection_error, whose errors array is not empty and has an errorType in every entry."
            from "TSL-E2E; LER"
            note "Only the further content of the entries is softened, by EVT-A-05.";
        EvtInit011 "EVT-INIT-011" Must Client Observed NotYetJudged
            "For the client connection_error ends the attempt, and no subscribe follows it."
            from "JS; AND; TSL"
            note "The Swift events client does not know the message, and its pending operations wait for the socket to close.";
        EvtInit012 "EVT-INIT-012" Should Server Implied Outside
            "Members of connection_init that the server does not know, such as a payload in GraphQL style, do not prevent the acknowledgement."
            from "suite reasoning from the message catalogue";
        EvtInit013 "EVT-INIT-013" Must Client Implied NotYetJudged
            "A client copes with a connection_error right after the upgrade as well as with one that answers connection_init."
            from "JS; AND; TSL (each sends init first)"
            note "Nothing says which it is. MiniStack sends it at once, and the tests of the ocel gateway read it without an init. The moment is softened by EVT-A-09.";
    } };
}
