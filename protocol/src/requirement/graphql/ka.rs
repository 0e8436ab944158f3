//! Keep-alive: the ka message, its rhythm, and the timer a client runs on it.

macro_rules! gql_ka {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        GqlKa001 "GQL-KA-001" Must Server Documented Outside
            "The service sends a ka message again and again for as long as the connection is open."
            from "D-RTC"
            note "No interval is documented, so one ka within connectionTimeoutMs is enough. The Amplify simulator sends one every 4 minutes.";
        GqlKa002 "GQL-KA-002" Should Server Observed Outside
            "The first ka follows connection_ack at once."
            from "FRAMES; D-PRV transcript"
            note "FRAMES shows it after about 1 ms. The Amplify simulator sends none at once, the overcast emulator sends its first after 30 s.";
        GqlKa003 "GQL-KA-003" Should Server Observed Outside
            "Two ka messages are about 60 seconds apart."
            from "FRAMES; LIVE26; sdk-android#368; amplify-swift#3632"
            note "Softened by GQL-A-17. The Amplify simulator uses 240 s, the overcast emulator 30 s.";
        GqlKa004 "GQL-KA-004" Must Server Documented Outside
            "The time between two ka messages is shorter than connectionTimeoutMs."
            from "D-RTC"
            note "Entailed: otherwise a client that follows the page closes a healthy connection.";
        GqlKa005 "GQL-KA-005" Should Client Documented NotYetJudged
            "The client closes the connection when connectionTimeoutMs has passed without a ka."
            from "D-RTC"
            note "In amplify-js data counts as well as ka.";
        GqlKa006 "GQL-KA-006" Must Client Documented NotYetJudged
            "Every ka starts the client's timer anew."
            from "D-RTC"
            note "SDKJS (aws-mobile-appsync-sdk-js) arms its timer only at the first ka; amplify-js looks every 5 s (JS-C L139).";
        GqlKa007 "GQL-KA-007" Must Client Documented NotYetJudged
            "The client sends no answer to a ka."
            from "D-RTC"
            note "APOLLO (apollo-kotlin, SubscribableWebSocket L222) answers with a pong message.";
        GqlKa008 "GQL-KA-008" Must Server Documented Outside
            "A connection on which no ka is ever answered stays open."
            from "D-RTC"
            note "Entailed: the page tells clients not to acknowledge the message.";
        GqlKa009 "GQL-KA-009" Must Server Observed Outside
            "A ka has neither id nor payload."
            from "FRAMES";
        GqlKa010 "GQL-KA-010" Must Server Observed Outside
            "The ka messages go on while the connection has no subscription."
            from "community#195; D-MON";
        GqlKa011 "GQL-KA-011" May Client Implied NotYetJudged
            "The client is free to take other frames than ka for signs of life."
            from "JS-WS L600-630; IOSRTC; GQLPY"
            note "amplify-js counts data; the legacy iOS client (IOSRTC) and gql for Python (GQLPY) count any message; SWIFT (amplify-swift), ANDROID (amplify-android), SONY (appsync-client-go) and SDKJS (aws-mobile-appsync-sdk-js) count ka only.";
        GqlKa012 "GQL-KA-012" Must Client Observed NotYetJudged
            "The client accepts a ka at any moment, also before connection_ack and between start and start_ack."
            from "community#195";
    } };
}
