//! Credentials: what an authorization object holds in each mode, what a signature covers,
//! and what happens to a connection or a start that is not authorized.

macro_rules! gql_auth {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        GqlAuth001 "GQL-AUTH-001" Must Client Documented NotYetJudged
            "Every authorization object names the GraphQL host or the custom domain in host, and never the real-time host."
            from "D-RTC";
        GqlAuth002 "GQL-AUTH-002" Must Client Documented NotYetJudged
            "With an API key the authorization object consists of host and x-api-key."
            from "D-RTC"
            note "Contradiction (GQL-A-12): the encoded sample of D-RTC and the Amplify clients add x-amz-date.";
        GqlAuth003 "GQL-AUTH-003" Must Client Documented NotYetJudged
            "With Cognito user pools the authorization object consists of host and a JWT in Authorization."
            from "D-RTC"
            note "Contradiction (GQL-A-16): D-RTC speaks of the ID token, the Amplify clients send the access token.";
        GqlAuth004 "GQL-AUTH-004" Must Client Documented NotYetJudged
            "With OpenID Connect the authorization object consists of host and a JWT in Authorization."
            from "D-RTC";
        GqlAuth005 "GQL-AUTH-005" Must Client Documented NotYetJudged
            "With a Lambda authorizer the authorization object consists of host and an opaque token in Authorization."
            from "D-RTC";
        GqlAuth006 "GQL-AUTH-006" Must Client Documented NotYetJudged
            "With IAM the authorization object consists of accept, content-encoding, content-type, host, x-amz-date and a SigV4 Authorization, and of X-Amz-Security-Token where the credentials are temporary."
            from "D-RTC; JS-AUTH L80"
            note "ANDROID (amplify-android) leaves out content-encoding; SWIFT (amplify-swift) sends an empty security token when it has none.";
        GqlAuth007 "GQL-AUTH-007" Must Client Documented NotYetJudged
            "The signature of a connection is made over POST to /graphql/connect on the authorization host with the two-byte body {}."
            from "D-RTC; GQLPY appsync_auth L186-193"
            note "The signed path stays the same on a custom domain, whatever path is dialled.";
        GqlAuth008 "GQL-AUTH-008" Must Client Documented NotYetJudged
            "The signature of a start is made over POST to /graphql on the authorization host with the unchanged text of payload.data as body."
            from "D-RTC; GQLPY appsync_auth L186-193";
        GqlAuth009 "GQL-AUTH-009" Must Client Documented NotYetJudged
            "The credential scope of a signature names the service appsync and the region of the API."
            from "D-RTC"
            note "The URL of a custom domain does not show the region, so it has to be configured.";
        GqlAuth010 "GQL-AUTH-010" Must Client Documented NotYetJudged
            "The x-amz-date value is UTC in the basic ISO 8601 form YYYYMMDDThhmmssZ without fractions of a second."
            from "D-RTC";
        GqlAuth011 "GQL-AUTH-011" Must Client Documented NotYetJudged
            "Each start brings an extensions.authorization of its own."
            from "D-RTC"
            note "Emulators often accept a start without it.";
        GqlAuth012 "GQL-AUTH-012" Must Server Observed Outside
            "Each start is authorized by what it carries itself, whatever the connection was authorized by."
            from "amplify-cli#4137; GQLPY tests L75; aws-appsync-realtime-client-ios#108"
            note "The overcast emulator checks nothing at a start.";
        GqlAuth013 "GQL-AUTH-013" Should Server Documented Needs("two authorization modes, one for the connection and another one for a start")
            "The connection and the starts on it are each free to use any of the modes the API is configured for."
            from "D-RTC; JS-WS"
            note "Entailed: D-RTC lets subscriptions of one connection be in different authorization modes.";
        GqlAuth014 "GQL-AUTH-014" Must Server Observed Needs("IAM authorization")
            "A start whose signature does not fit the payload.data that arrived is refused by an error of type BadRequestException."
            from "sdk-js#619; sdk-js#750"
            note "On the HTTP endpoint a malformed signature gives types such as IncompleteSignatureException (sdk-js#702).";
        GqlAuth015 "GQL-AUTH-015" Must Server Observed Needs("IAM authorization")
            "A signature is verified over just those headers that the client lists in SignedHeaders."
            from "sdk-js#619; sdk-js#750"
            note "The canonical string that the service echoes shows it. ANDROID (amplify-android) and FLUTTER (amplify-flutter) sign differing sets and are accepted.";
        GqlAuth016 "GQL-AUTH-016" Must Server Observed Outside
            "Credentials that do not authorize the connection lead to connection_error and to no connection_ack."
            from "amplify-android#1392; amplify-flutter#2763"
            note "D-RTC calls the message error. The Amplify simulator closes with 1002, the overcast emulator answers with an HTTP status. The message type and a refusal by HTTP status are information only (GQL-A-04, GQL-A-21).";
        GqlAuth017 "GQL-AUTH-017" Should Server Observed Outside
            "The connection_error of an unauthorized connection has an errorType that ends in UnauthorizedException and errorCode 400 or 401."
            from "amplify-android#1392; amplify-flutter#2763; GQLPY tests L105"
            note "Softened by GQL-A-03: the older form is namespaced with 400, the newer one plain with 401.";
        GqlAuth018 "GQL-AUTH-018" Must Server Observed Outside
            "A start that is not authorized gets an error with its id and no start_ack, and the connection stays open."
            from "amplify-cli#4137; amplify-js#12679; aws-appsync-realtime-client-ios#108";
        GqlAuth019 "GQL-AUTH-019" Should Server Observed Needs("a subscription field that the given credentials may not access")
            "A start that is denied by a rule of its field gets the errorType Unauthorized."
            from "amplify-js#12679; amplify-android#901"
            note "A refusal by the mode as a whole is of type UnauthorizedException.";
        GqlAuth020 "GQL-AUTH-020" Must Server Observed Needs("a Lambda authorizer whose invocations can be counted")
            "A Lambda authorizer is asked for the connection and again for every start, unless an earlier answer of it is cached."
            from "D-AUTHZ; sdk-js#755; category-api#2843"
            note "Caching is off by default. The page covers the connection and the caching, the issues cover the starts.";
        GqlAuth021 "GQL-AUTH-021" Must Server Documented Needs("an authorization mode that takes a JWT")
            "A JWT is accepted both bare and with the prefix Bearer and a space."
            from "D-RTC";
        GqlAuth022 "GQL-AUTH-022" Must Server Observed Outside
            "An authorization object whose host belongs to no API is refused by connection_error."
            from "D-RTC; public article (form of the refusal: HttpNotFoundException, 400)"
            note "D-RTC says that host is used to validate the connection. The Amplify simulator and the overcast emulator ignore host. The message type and a refusal by HTTP status are information only (GQL-A-04, GQL-A-21).";
        GqlAuth023 "GQL-AUTH-023" Should Server Implied Needs("an authorization mode that takes a token in Authorization")
            "An empty token is refused as unauthorized and not as a bad request."
            from "SWIFT AuthTokenInterceptor L31-34";
        GqlAuth024 "GQL-AUTH-024" Must Server Observed Needs("an expired API key")
            "A connection with an API key that has expired is refused by connection_error."
            from "amplify-flutter#584"
            note "The message type and a refusal by HTTP status are information only (GQL-A-04, GQL-A-21).";
        GqlAuth025 "GQL-AUTH-025" Should Server Implied Outside
            "Property names of the authorization object are recognised in any case."
            from "ANDROID SubscriptionAuthorizer"
            note "ANDROID (amplify-android) writes them in lower case and is accepted.";
        GqlAuth026 "GQL-AUTH-026" Should Server Implied Outside
            "Properties of the authorization object that the service does not know are ignored."
            from "JS-RT L104"
            note "amplify-js merges x-amz-user-agent and custom headers into the object.";
        GqlAuth027 "GQL-AUTH-027" Should Client Implied NotYetJudged
            "After an authorization error on an open connection the client gets fresh credentials and connects again."
            from "JS-WS L706-745; amplify-js PR #14569"
            note "Only amplify-js does so. What the service does with credentials that expire is GQL-A-19.";
        GqlAuth028 "GQL-AUTH-028" Must Client Documented NotYetJudged
            "With IAM every start carries a signature made for it, and never the one of the connection."
            from "D-RTC"
            note "Entailed: the two signatures cover different paths and bodies.";
    } };
}
