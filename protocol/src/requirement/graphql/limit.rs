//! Limits: lifetime of a connection, subscriptions, sizes and rates.

macro_rules! gql_limit {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        GqlLimit001 "GQL-LIMIT-001" Must Server Documented Needs("24 hours for one connection")
            "A connection is ended by the service 24 hours after it was opened."
            from "D-RTC"
            note "Emulators do not end it.";
        GqlLimit002 "GQL-LIMIT-002" Should Server Documented Outside
            "One connection holds 200 subscriptions."
            from "D-QUO (L-AA33EB36, default 200, adjustable); SWIFT AppSyncRealTimeClientTests L127"
            note "Softened by GQL-A-09: older copies of the table say 100, issues of 2020 say 50, and the quota is adjustable.";
        GqlLimit003 "GQL-LIMIT-003" Must Server Observed Outside
            "One start beyond the subscription limit is answered by an error of type MaxSubscriptionsReachedError with its id."
            from "SWIFT AppSyncRealTimeClientTests L127; amplify-cli#3547; amplify-js#8370"
            note "The legacy name of the type is MaxSubscriptionsReachedException. The Amplify simulator has no limit.";
        GqlLimit004 "GQL-LIMIT-004" Must Server Observed Outside
            "Reaching the subscription limit does no harm to the subscriptions that exist."
            from "SWIFT AppSyncRealTimeClientTests L127";
        GqlLimit005 "GQL-LIMIT-005" Must Server Documented Outside
            "No event with a payload of more than 240 KB is delivered."
            from "D-QUO; D-MON; D-SUB"
            note "LIVE26: 244440 bytes were delivered, 247040 were not, so the limit is 240 times 1024.";
        GqlLimit006 "GQL-LIMIT-006" Must Server Observed Outside
            "An event that is too large is dropped, and neither subscribers nor the mutator get a message about it."
            from "community#33; community#175; LIVE26; D-MON (InboundMessageError)";
        GqlLimit007 "GQL-LIMIT-007" Fact Server Documented Hidden("only a load beyond the quota of a whole API would show it")
            "Above the rate of inbound messages events are sometimes delayed or dropped."
            from "D-MON";
        GqlLimit008 "GQL-LIMIT-008" Fact Server Documented Hidden("only a load beyond the quota of a whole API would show it")
            "The rate of new connections of an API is limited."
            from "D-QUO (2000 a second)";
        GqlLimit009 "GQL-LIMIT-009" Fact Server Documented Hidden("only a load beyond the quota of a whole API would show it")
            "The rate of outbound messages of an API is limited."
            from "D-QUO (1000000 a second)";
        GqlLimit010 "GQL-LIMIT-010" Should Server Observed Needs("a message rate limit that one connection can exceed")
            "Exceeding a rate on an open connection gives an error of type LimitExceededError without id."
            from "IOSRTC PR #67";
        GqlLimit011 "GQL-LIMIT-011" Should Client Implied NotYetJudged
            "The client backs off after LimitExceededError and after MaxSubscriptionsReachedError."
            from "SWIFT AppSyncRealTimeRequest L101-117"
            note "SWIFT (amplify-swift) tries again with jitter after the latter; amplify-js does not try again.";
        GqlLimit012 "GQL-LIMIT-012" Should Client Implied NotYetJudged
            "A client that asks for more subscriptions than the limit lets the surplus fail visibly."
            from "SWIFT; IOSRTC";
        GqlLimit013 "GQL-LIMIT-013" Must Server Documented Needs("a mutation that invalidates more than five times")
            "One mutation request invalidates at most five times, and a sixth time gives a GraphQL error."
            from "D-EXT"
            note "Softened by GQL-A-20: an issue reports that only the last call takes effect. The page speaks of five unique calls.";
        GqlLimit014 "GQL-LIMIT-014" Fact Server Documented Hidden("the quota is counted over an account and a region")
            "Invalidation requests are limited to 100 a second."
            from "D-QUO";
        GqlLimit015 "GQL-LIMIT-015" Must Server Documented Needs("a resolver that runs for more than 30 seconds")
            "A GraphQL request ends after 30 seconds of execution."
            from "D-QUO";
        GqlLimit016 "GQL-LIMIT-016" Fact Server Documented Hidden("metering appears on the bill and not in messages")
            "Outbound messages are metered in units of 5 kB."
            from "D-MON";
    } };
}
