//! Opening the session: connection_init, connection_ack and what stands between them.

macro_rules! gql_init {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        GqlInit001 "GQL-INIT-001" May Client Documented NotYetJudged
            "The client is free to send connection_init after the socket has opened."
            from "D-RTC"
            note "Softened by GQL-A-01. All known clients send it.";
        GqlInit002 "GQL-INIT-002" Must Server Documented Outside
            "A valid connection_init is answered with connection_ack."
            from "D-RTC; FRAMES";
        GqlInit003 "GQL-INIT-003" Must Server Documented Outside
            "The connection_ack tells the client how long to wait for a ka in payload.connectionTimeoutMs, a positive integer of milliseconds."
            from "D-RTC; FRAMES"
            note "The Amplify simulator names the property connectionTimeout (GQL-A-18).";
        GqlInit004 "GQL-INIT-004" Should Server Observed Outside
            "The value of connectionTimeoutMs is 300000."
            from "D-RTC sample; FRAMES; D-PRV transcript";
        GqlInit005 "GQL-INIT-005" Must Server Documented Outside
            "What a client sends after connection_init and before connection_ack is ignored."
            from "D-RTC"
            note "Softened by GQL-A-02: one live log shows such a start being processed. The Amplify simulator and the overcast emulator accept a start without any connection_init.";
        GqlInit006 "GQL-INIT-006" Must Client Documented NotYetJudged
            "A client that has sent connection_init holds back every start until connection_ack."
            from "D-RTC";
        GqlInit007 "GQL-INIT-007" Must Server Documented Outside
            "A connection_init without payload is valid."
            from "D-RTC";
        GqlInit008 "GQL-INIT-008" Must Server Documented Outside
            "After a failed initialization the service sends an error message and closes the connection."
            from "D-RTC"
            note "The close is often abnormal (1006).";
        GqlInit009 "GQL-INIT-009" Should Client Implied NotYetJudged
            "The client gives up when no connection_ack arrives within a bounded time."
            from "JS-C L124; SWIFT L24; ANDROID L66; GQLPY; APOLLO"
            note "Known bounds: amplify-js 15 s, amplify-swift 5 s, amplify-android 30 s, gql for Python 10 s, apollo-kotlin 10 s.";
        GqlInit010 "GQL-INIT-010" Should Client Implied NotYetJudged
            "When connectionTimeoutMs is missing the client assumes a default of 300000."
            from "JS-RT L169; SONY L187"
            note "SWIFT (amplify-swift) takes 0, FLUTTER (amplify-flutter) throws, SDKJS (aws-mobile-appsync-sdk-js) raises any value to at least 60 s.";
        GqlInit011 "GQL-INIT-011" Must Client Documented NotYetJudged
            "The client obeys a connectionTimeoutMs that differs from 300000."
            from "D-RTC"
            note "Entailed: the value is taken from the connection_ack. SDKJS (aws-mobile-appsync-sdk-js, L659) raises it to at least 60000.";
        GqlInit012 "GQL-INIT-012" Must Server Observed Outside
            "The connection_ack has no id."
            from "FRAMES; D-PRV";
        GqlInit013 "GQL-INIT-013" Should Server Implied Outside
            "Each connection_init gets one connection_ack and not more."
            from "all clients";
        GqlInit014 "GQL-INIT-014" Should Client Implied NotYetJudged
            "The client takes a connection_error before connection_ack for a failed connection and tells every waiting subscriber."
            from "JS-WS; ANDROID L631; SWIFT"
            note "SONY (appsync-client-go) ignores the message.";
    } };
}
