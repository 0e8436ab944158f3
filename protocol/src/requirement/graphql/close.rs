//! Closing: what ends with a connection, close codes, and coming back.

macro_rules! gql_close {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        GqlClose001 "GQL-CLOSE-001" Must Server Implied Outside
            "The end of a connection is the end of every subscription on it, and no complete is owed for them."
            from "all clients";
        GqlClose002 "GQL-CLOSE-002" Must Client Observed NotYetJudged
            "The client copes with a close of any code, and with the loss of the connection without a close frame (1006)."
            from "community#350; graphql-dotnet/graphql-client#361; graphql-dotnet/graphql-client#620";
        GqlClose003 "GQL-CLOSE-003" Should Client Implied NotYetJudged
            "A client that is done closes with code 1000."
            from "JS-WS L577; ANDROID"
            note "ANDROID (amplify-android) gives the reason No active subscriptions.";
        GqlClose004 "GQL-CLOSE-004" May Client Implied NotYetJudged
            "The client is free to close with an application code such as 3001 after a failed handshake."
            from "JS-WS L881";
        GqlClose005 "GQL-CLOSE-005" Should Client Documented NotYetJudged
            "After a close that it did not expect the client connects again with a backoff."
            from "D-RTC"
            note "SWIFT (amplify-swift) tries again only after 1006, 1008, 1011 and an invalid code; GQLPY (gql for Python) and SONY (appsync-client-go) do not.";
        GqlClose006 "GQL-CLOSE-006" Must Client Implied NotYetJudged
            "On a new connection the client sends connection_init and each start again, all with fresh authorization."
            from "JS-WS; SWIFT";
        GqlClose007 "GQL-CLOSE-007" Must Server Observed Outside
            "Ids that were used on an earlier connection are accepted on a new one."
            from "JS-WS"
            note "This is how amplify-js behaves in the field.";
        GqlClose008 "GQL-CLOSE-008" Must Server Standard Outside
            "A close frame is answered with a close frame."
            from "RFC 6455 section 5.5.1"
            note "Dropping TCP is legal after a failure; refusals were seen without a close frame.";
        GqlClose009 "GQL-CLOSE-009" Fact Server Implied Outside
            "The codes with which the service closes are not documented, so none of them can be required."
            from "D-RTC (says nothing on codes)"
            note "The Amplify simulator refuses with 1002 and closes with 1011 after internal errors (L127, L160, L171).";
        GqlClose010 "GQL-CLOSE-010" Should Client Implied NotYetJudged
            "The client lets stop messages that are still waiting go out before it closes."
            from "JS-WS L547"
            note "amplify-js waits 1 s.";
        GqlClose011 "GQL-CLOSE-011" Should Client Implied NotYetJudged
            "While a connection to an endpoint is usable the client opens no second one with the same credentials."
            from "JS-WS; SWIFT; ANDROID";
    } };
}
