//! The upgrade: which address is dialled, which subprotocol is offered, how credentials travel,
//! and how a refusal looks.

macro_rules! gql_handshake {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        GqlHandshake001 "GQL-HANDSHAKE-001" Must Client Documented NotYetJudged
            "On the default domain the client dials the host whose label appsync-api is replaced by appsync-realtime-api, and keeps the path /graphql."
            from "D-RTC"
            note "The Amplify simulator answers only on /graphql/realtime.";
        GqlHandshake002 "GQL-HANDSHAKE-002" Must Client Documented NotYetJudged
            "On a custom domain the client keeps the host of the GraphQL endpoint and dials the path /graphql/realtime."
            from "D-RTC; D-DOM"
            note "Contradiction (GQL-A-10): an IAM sample of D-RTC shows a custom domain without /realtime. SDKJS (the older aws-mobile-appsync-sdk-js link) drops /graphql and dials /realtime; GQLPY (gql for Python) has no rule for custom domains.";
        GqlHandshake003 "GQL-HANDSHAKE-003" Should Client Implied NotYetJudged
            "In the China partition the client exchanges the same host label and keeps the suffix amazonaws.com.cn."
            from "JS-URL L12-50; SWIFT AppSyncRealTimeClientFactory L65"
            note "FLUTTER (amplify-flutter) and SDKJS (aws-mobile-appsync-sdk-js) take such a host for a custom domain.";
        GqlHandshake004 "GQL-HANDSHAKE-004" Must Server Documented Outside
            "An upgrade with valid credentials on the API's real-time URL is answered with status 101."
            from "D-RTC"
            note "The overcast emulator serves /_appsync/{apiId}/realtime instead of a derivable URL.";
        GqlHandshake005 "GQL-HANDSHAKE-005" Must Client Documented NotYetJudged
            "The client's offer of subprotocols contains graphql-ws."
            from "D-RTC";
        GqlHandshake006 "GQL-HANDSHAKE-006" Must Server Implied Outside
            "The 101 response selects graphql-ws and never a header- token, even though both were offered."
            from "RFC 6455 section 4.2.2; JS-WS; FRAMES"
            note "Not graded standard: the RFC lets a server select none, and a token that was offered could legally be echoed. Browsers and strict clients abort when an offer is left without a selection. The overcast emulator selects none.";
        GqlHandshake007 "GQL-HANDSHAKE-007" Must Server Observed Outside
            "An upgrade that offers no subprotocol is refused by connection_error with the message NoProtocolError and errorCode 400."
            from "community#195; Textalk/websocket-php#92"
            note "The Amplify simulator closes with 1002, the overcast emulator accepts. The message type and a refusal by HTTP status are information only (GQL-A-04, GQL-A-21).";
        GqlHandshake008 "GQL-HANDSHAKE-008" Must Server Observed Outside
            "An upgrade that offers only subprotocols the service does not speak is refused by connection_error with the message SubProtocolNotSupportedError and errorCode 400, and no subprotocol is selected."
            from "graphql-dotnet/graphql-client#591; spring-graphql#862; LIVE26"
            note "Strict client stacks fail the handshake before they read the message (LIVE26: 1006). The Amplify simulator closes with 1002, the overcast emulator accepts. The message type and a refusal by HTTP status are information only (GQL-A-04, GQL-A-21).";
        GqlHandshake009 "GQL-HANDSHAKE-009" Must Server Documented Outside
            "Credentials in the query string are accepted: header holds the authorization object and payload an empty object, both as base64 of JSON."
            from "D-RTC; amplify-js PR #13726";
        GqlHandshake010 "GQL-HANDSHAKE-010" Must Client Documented NotYetJudged
            "A client that authorizes through the query string also sends payload, which decodes to an empty JSON object."
            from "D-RTC";
        GqlHandshake011 "GQL-HANDSHAKE-011" Must Server Documented Outside
            "Credentials in a subprotocol token are accepted: header- followed by the base64url form of the authorization object, offered beside graphql-ws."
            from "D-RTC"
            note "The Amplify simulator reads the query string only.";
        GqlHandshake012 "GQL-HANDSHAKE-012" Must Client Documented NotYetJudged
            "A client that authorizes through a subprotocol token encodes it with the URL-safe alphabet and leaves out the padding."
            from "D-RTC; JS-WS L846-849; amplify-js PR #13726"
            note "The characters / and = are not legal in a subprotocol token.";
        GqlHandshake013 "GQL-HANDSHAKE-013" Must Server Documented Outside
            "Credentials sent as plain HTTP headers of the upgrade request are accepted."
            from "D-RTC"
            note "The Amplify simulator does not read them. SWIFT (amplify-swift), ANDROID (amplify-android), SDKAND (aws-mobile-appsync-sdk-android) and the AppSync interceptor of apollo rely on it.";
        GqlHandshake014 "GQL-HANDSHAKE-014" May Client Documented NotYetJudged
            "A client that authorizes through a subprotocol token or HTTP headers is free to omit payload."
            from "D-RTC"
            note "FLUTTER (amplify-flutter) sends it anyway.";
        GqlHandshake015 "GQL-HANDSHAKE-015" Must Client Documented NotYetJudged
            "Towards a private API the client does not authorize through plain HTTP headers."
            from "D-PRV"
            note "SWIFT (amplify-swift) and ANDROID (amplify-android) always use headers.";
        GqlHandshake016 "GQL-HANDSHAKE-016" Must Client Documented NotYetJudged
            "Towards a private API dialled by the name of its VPC endpoint the client names the API in Host or x-appsync-domain, since otherwise the answer is HTTP 404."
            from "D-PRV; amplify-js#12517"
            note "Browsers can set neither of the two headers.";
        GqlHandshake017 "GQL-HANDSHAKE-017" Must Server Observed Outside
            "Query parameters the service does not know leave the handshake unaffected."
            from "amplify-js PR #13735"
            note "amplify-js turns headers the user defined into query parameters.";
        GqlHandshake018 "GQL-HANDSHAKE-018" Must Server Documented Outside
            "An authorization object that is written with insignificant white space and line breaks is accepted."
            from "D-RTC (its encoded samples)"
            note "Entailed: the samples of the page decode to JSON that spans several lines.";
        GqlHandshake019 "GQL-HANDSHAKE-019" Should Server Implied Outside
            "The base64 values of the query string are understood percent-encoded as well as raw, where a raw plus sign stays a plus sign."
            from "GQLPY appsync_auth L31-39 and SONY L262 (raw); APOLLO L125 (encoded)"
            note "GQLPY (gql for Python) and SONY (appsync-client-go) send raw base64, APOLLO (apollo-kotlin) encodes it.";
        GqlHandshake020 "GQL-HANDSHAKE-020" Must Server Observed Outside
            "An upgrade that carries no credentials in any of the three places is refused by connection_error with errorCode 400."
            from "public article; SWIFT AuthTokenInterceptor L31-34"
            note "The Amplify simulator closes with 1002. The message type and a refusal by HTTP status are information only (GQL-A-04, GQL-A-21).";
        GqlHandshake021 "GQL-HANDSHAKE-021" Must Server Implied Outside
            "A header parameter that is no base64, or that does not decode to JSON, is refused by a connection_error of the bad-request kind."
            from "SWIFT AuthTokenInterceptor L31-34; amplify-js#7089"
            note "The Amplify simulator closes with 1002.";
        GqlHandshake022 "GQL-HANDSHAKE-022" Should Server Observed Outside
            "Once the upgrade has reached the real-time host, a refusal is told by 101 and then connection_error rather than by an HTTP status."
            from "community#195; community#350; graphql-dotnet/graphql-client#361"
            note "Softened by GQL-A-21. The Amplify simulator closes with 1002, the overcast emulator answers with an HTTP status.";
        GqlHandshake023 "GQL-HANDSHAKE-023" Must Client Observed NotYetJudged
            "The client copes with a connection_error that arrives before it has sent any message of its own."
            from "community#195; graphql-dotnet/graphql-client#620"
            note "The service is allowed to send it that early. SONY (appsync-client-go) has no handler for the message.";
        GqlHandshake024 "GQL-HANDSHAKE-024" Must Server Observed Needs("a GraphQL host that is separate from its real-time host")
            "An upgrade sent to the GraphQL host instead of the real-time host fails with an HTTP error status."
            from "apollo-kotlin#1992; graphql-dotnet/graphql-client#221; sdk-android#243"
            note "Both 400 and 401 were seen. Emulators share one host for both.";
        GqlHandshake025 "GQL-HANDSHAKE-025" Must Server Documented Needs("a custom domain served over TLS")
            "A custom domain speaks TLS 1.2 or 1.3."
            from "D-DOM";
        GqlHandshake026 "GQL-HANDSHAKE-026" Should Client Implied NotYetJudged
            "In the offer of subprotocols graphql-ws stands before the header- token."
            from "JS-WS L846-849; FLUTTER web_socket_service L108-109";
    } };
}
