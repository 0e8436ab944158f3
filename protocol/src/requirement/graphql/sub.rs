//! Subscriptions: start, start_ack, data, stop and complete.

macro_rules! gql_sub {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        GqlSub001 "GQL-SUB-001" Must Client Documented NotYetJudged
            "A start consists of type, an id that is a string, and payload."
            from "D-RTC";
        GqlSub002 "GQL-SUB-002" Must Client Documented NotYetJudged
            "In a start payload.data is a string, and this string is the JSON of a GraphQL request with query and, where needed, variables."
            from "D-RTC";
        GqlSub003 "GQL-SUB-003" Must Client Documented NotYetJudged
            "An id names at most one live subscription of a connection at a time."
            from "D-RTC";
        GqlSub004 "GQL-SUB-004" Should Client Documented NotYetJudged
            "The client takes UUIDs as ids."
            from "D-RTC"
            note "GQLPY (gql for Python) counts.";
        GqlSub005 "GQL-SUB-005" Must Server Implied Outside
            "An id that is no UUID is accepted."
            from "GQLPY appsync_websockets.py"
            note "GQLPY (gql for Python) uses counters as ids and works.";
        GqlSub006 "GQL-SUB-006" Must Server Documented Outside
            "A start that is accepted is answered with a start_ack of the same id."
            from "D-RTC; FRAMES";
        GqlSub007 "GQL-SUB-007" Must Server Documented Outside
            "A start that is refused gets no start_ack."
            from "D-RTC"
            note "The overcast emulator acknowledges every start.";
        GqlSub008 "GQL-SUB-008" Should Server Observed Outside
            "A start_ack has no payload."
            from "FRAMES"
            note "Clients have to accept one. The Amplify simulator adds an empty object.";
        GqlSub009 "GQL-SUB-009" Should Server Implied Outside
            "No data for an id arrives ahead of the start_ack of this id."
            from "FRAMES; JS-WS";
        GqlSub010 "GQL-SUB-010" Should Client Implied NotYetJudged
            "When a start gets neither start_ack nor error within a bounded time, the client reports a failure."
            from "JS-C L129; JS-WS L786; ANDROID L352; SWIFT"
            note "Known bounds: amplify-js 15 s, amplify-android 10 s, amplify-swift 5 s.";
        GqlSub011 "GQL-SUB-011" Must Server Documented Outside
            "One connection carries several subscriptions at the same time."
            from "D-RTC; D-SUB";
        GqlSub012 "GQL-SUB-012" Must Server Documented Outside
            "An event reaches the client as a data message with the id of the subscription and the event in payload.data."
            from "D-RTC; FRAMES";
        GqlSub013 "GQL-SUB-013" Must Server Observed Outside
            "In a data message payload.data is a JSON object keyed by the root field, or null beside errors, and no string."
            from "FRAMES; D-RTC sample";
        GqlSub014 "GQL-SUB-014" Must Server Documented Outside
            "An event contains no field that the subscriber has not selected."
            from "D-SUB"
            note "The overcast emulator sends the whole result of the mutation.";
        GqlSub015 "GQL-SUB-015" Must Server Documented Needs("a nullable field in the type that its mutation returns")
            "A field that the subscriber selected and the mutation did not is null in the event."
            from "D-SUB"
            note "Emulators sometimes resolve such a field on their own.";
        GqlSub016 "GQL-SUB-016" Must Server Observed Needs("a non-null field that a mutation can leave out of its selection set")
            "When a selected field that the mutation left out is non-null, the event has null data and GraphQL errors."
            from "category-api#1338; amplify-js#6529"
            note "Softened by GQL-A-14: the type of the message is disputed.";
        GqlSub017 "GQL-SUB-017" Must Server Documented Outside
            "Every subscription that matches a mutation gets a data message of its own, also when several of one client match."
            from "D-RTC"
            note "Entailed: a data message goes to each interested subscriber with its own id, and an id names one subscription.";
        GqlSub018 "GQL-SUB-018" Should Server Implied Needs("a mutation that fails or returns null on demand")
            "A mutation that fails, or whose field returns null, triggers no event."
            from "D-SUB";
        GqlSub019 "GQL-SUB-019" Fact Server Observed Outside
            "The order in which events arrive is not guaranteed."
            from "community#374; sdk-ios#114";
        GqlSub020 "GQL-SUB-020" Must Server Observed Outside
            "Events that happen while a client is away are not delivered to it later."
            from "sdk-android#370; sdk-android#58";
        GqlSub021 "GQL-SUB-021" Must Server Observed Needs("a subscription resolver that returns data")
            "The resolver of a subscription runs once, when the subscription starts, and what it returns is not sent as an event."
            from "D-SUB; D-EXT";
        GqlSub022 "GQL-SUB-022" Fact Server Observed Outside
            "A start_ack is no guarantee that a mutation made right after it is delivered."
            from "community#405"
            note "Softened by GQL-A-24: D-RTC says that the subscription is registered by then.";
        GqlSub023 "GQL-SUB-023" Must Client Documented NotYetJudged
            "A stop consists of type and the id of a live subscription."
            from "D-RTC"
            note "What answers the stop of an unknown id is GQL-A-08.";
        GqlSub024 "GQL-SUB-024" Must Server Documented Outside
            "A stop is answered with complete of the same id."
            from "D-RTC; FRAMES";
        GqlSub025 "GQL-SUB-025" Should Server Observed Outside
            "A complete has no payload."
            from "FRAMES"
            note "Clients have to accept one. The Amplify simulator adds an empty object.";
        GqlSub026 "GQL-SUB-026" Must Server Documented Outside
            "After complete no more data follows for that id."
            from "D-RTC"
            note "Entailed: after the confirmation the client gets no more messages for that subscription.";
        GqlSub027 "GQL-SUB-027" Must Client Implied NotYetJudged
            "The client tolerates data that arrives between its stop and the complete."
            from "ANDROID L211"
            note "Both sides send without waiting, so the crossing cannot be avoided. ANDROID (amplify-android) logs an error for the id.";
        GqlSub028 "GQL-SUB-028" Must Server Documented Outside
            "Ending one subscription leaves the others of the connection working."
            from "D-RTC"
            note "Entailed: an id names one subscription, and registered subscriptions are served until the connection is shut down.";
        GqlSub029 "GQL-SUB-029" Must Server Observed Outside
            "A stop gives its place in the subscription limit back."
            from "SWIFT AppSyncRealTimeClientTests L127";
        GqlSub030 "GQL-SUB-030" Must Server Documented Outside
            "The connection stays open after its last subscription has ended."
            from "D-RTC; D-MON"
            note "Entailed: ka goes on until the shutdown after 24 h, closing an empty connection is the client's choice, and connections without subscriptions are metered. amplify-js closes 1 s after the last one (JS-WS L547).";
        GqlSub031 "GQL-SUB-031" Should Client Implied NotYetJudged
            "The client sends no stop for an id before the start_ack of this id."
            from "JS-WS"
            note "Other clients send it at once.";
        GqlSub032 "GQL-SUB-032" Must Server Implied Outside
            "An operationName in payload.data is accepted, and names the operation among several of one document."
            from "GQLPY; APOLLO"
            note "Sending it is optional. GQLPY (gql for Python) and APOLLO (apollo-kotlin) do so when it is set; the Amplify simulator ends its process.";
        GqlSub033 "GQL-SUB-033" May Client Implied NotYetJudged
            "The client is free to leave variables out."
            from "D-RTC; GQLPY";
        GqlSub034 "GQL-SUB-034" Must Server Observed Outside
            "No operation other than a subscription is accepted by a start."
            from "amplify-swift#3885"
            note "The overcast emulator acknowledges queries and mutations, the Amplify simulator ends its process.";
        GqlSub035 "GQL-SUB-035" Must Server Documented Needs("a subscription that the server ends by itself, as by invalidation")
            "When the server ends a subscription by itself, it says so in a message with the id of that subscription."
            from "D-RTC; D-INV; amplify-js PR #9898"
            note "Contradiction (GQL-A-07): D-RTC has error, clients have complete, and D-INV shows only the text Subscription complete and adds a close of the connection. Only the message type is information; a close alone is reported.";
        GqlSub036 "GQL-SUB-036" Must Client Observed NotYetJudged
            "The client takes a complete that it did not ask for as the end of the subscription."
            from "amplify-js PR #9898";
        GqlSub037 "GQL-SUB-037" Must Client Implied NotYetJudged
            "The client hands the payload.errors of a data message to the application."
            from "FLUTTER web_socket_types L155; GQLPY"
            note "amplify-js drops messages whose payload.data is falsy (JS-RT L144).";
        GqlSub038 "GQL-SUB-038" Must Client Documented NotYetJudged
            "The client delivers data to the subscription with its id and to no other."
            from "D-RTC";
        GqlSub039 "GQL-SUB-039" May Client Implied NotYetJudged
            "The client is free to use an id again on a new connection."
            from "JS-WS"
            note "amplify-js does so when it reconnects.";
        GqlSub040 "GQL-SUB-040" Must Server Implied Outside
            "The values of a subscription's arguments are settled at its start and change only by a stop and a new start."
            from "D-SUB"
            note "The page evaluates arguments when subscribing.";
    } };
}
