//! Errors: the shape of error and connection_error, which id they carry, and what survives them.

macro_rules! gql_err {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        GqlErr001 "GQL-ERR-001" Must Server Documented Outside
            "An error message has payload.errors, whose elements have a message and usually an errorType."
            from "D-RTC"
            note "Validation errors have no errorType. That errors is an array is information only (GQL-A-05): the limit errors were seen with a single object.";
        GqlErr002 "GQL-ERR-002" Must Server Documented Outside
            "An error that concerns one operation carries the id of this operation."
            from "D-RTC"
            note "GQL-ERR-005 and GQL-ERR-006 are exceptions.";
        GqlErr003 "GQL-ERR-003" Must Client Observed NotYetJudged
            "The client reads payload.errors as an array and as a single object."
            from "amplify-cli#3547; amplify-js#8370; IOSRTC L104-120; FLUTTER L155"
            note "Parsers typed for an array alone break (GQL-A-05).";
        GqlErr004 "GQL-ERR-004" Must Client Observed NotYetJudged
            "The client accepts an error that has no id."
            from "IOSRTC L83; artillery#1567; APOLLO L95"
            note "GQLPY (gql for Python) raises, ANDROID (amplify-android) tells all subscriptions, amplify-js finds no subscriber for it.";
        GqlErr005 "GQL-ERR-005" Must Server Observed Outside
            "A message of unknown type is answered by an error of type UnsupportedOperation without an id, and the connection survives."
            from "artillery#1567; graphql-ws#602"
            note "Live logs have no id, one secondary transcript has an empty string. The Amplify simulator sends the id as an empty string and the text Invalid message (L195); the overcast emulator stays silent.";
        GqlErr006 "GQL-ERR-006" Should Server Observed Outside
            "A start whose payload.data is no string is answered by an error of type UnsupportedOperation."
            from "artillery#1567; ChilliCream/graphql-platform#6468; sdk-ios#372; amplify-cli#4118"
            note "The message says that unknown is not supported; sometimes the name of the operation at its beginning is empty.";
        GqlErr007 "GQL-ERR-007" Must Server Observed Outside
            "A start that holds a query operation is answered by an error of type UnsupportedOperation."
            from "amplify-swift#3885"
            note "The overcast emulator answers with start_ack.";
        GqlErr008 "GQL-ERR-008" Must Server Implied Outside
            "A start that holds a mutation operation is answered by an error of type UnsupportedOperation, and the mutation is not executed."
            from "by analogy with GQL-ERR-007 (amplify-swift#3885)"
            note "The answer is a SHOULD, not executing the mutation is the MUST.";
        GqlErr009 "GQL-ERR-009" Must Server Documented Outside
            "A start with the id of a live subscription is answered by an error."
            from "D-RTC"
            note "What becomes of the first subscription is GQL-A-11. The Amplify simulator replaces it silently (L251), the overcast emulator keeps both.";
        GqlErr010 "GQL-ERR-010" Should Server Observed Outside
            "The error for an id that is already live is of type DuplicatedOperationError and carries this id."
            from "amplify-js#12818";
        GqlErr011 "GQL-ERR-011" Must Server Observed Outside
            "A document that does not validate is answered by an error with the id and the messages of the GraphQL validation."
            from "amplify-js#7070; amplify-js#9338"
            note "The overcast emulator answers with start_ack.";
        GqlErr012 "GQL-ERR-012" Must Server Observed Outside
            "A non-null variable that is missing or null is answered by an error with the id."
            from "amplify-js#8370; amplify-js#4534";
        GqlErr013 "GQL-ERR-013" Must Server Observed Needs("an enhanced filter whose limits a subscriber can exceed")
            "An enhanced filter that is refused is answered by an error with the id."
            from "category-api#740; amplify-swift#3134"
            note "An errorCode of 400 was seen with it.";
        GqlErr014 "GQL-ERR-014" Must Server Observed Outside
            "An error of one operation leaves the connection and its other subscriptions working."
            from "SWIFT functional tests; artillery#1567";
        GqlErr015 "GQL-ERR-015" Must Client Implied NotYetJudged
            "The client takes an error with the id of a subscription as the end of this subscription."
            from "JS-WS; SWIFT; ANDROID; GQLPY";
        GqlErr016 "GQL-ERR-016" Should Client Documented NotYetJudged
            "The client repeats failed connections with an exponential backoff that has jitter."
            from "D-RTC"
            note "amplify-js waits at most 5 s (JS-C L5); amplify-swift starts at 25 ms, stops growing at 6400 ms and tries 8 times.";
        GqlErr017 "GQL-ERR-017" Should Client Implied NotYetJudged
            "After a connection_error with code 400, 401 or 403 or of type BadRequestException or UnauthorizedException the client does not try again with the same credentials."
            from "JS-C L7-8";
        GqlErr018 "GQL-ERR-018" Should Client Observed NotYetJudged
            "The client compares an errorType without the namespace that ends in a number sign."
            from "amplify-android#1392; amplify-js#7089";
        GqlErr019 "GQL-ERR-019" Must Client Observed NotYetJudged
            "The client depends on the presence of neither errorCode nor errorType."
            from "community#195 (no type); D-RTC sample (no code)";
        GqlErr020 "GQL-ERR-020" Should Client Implied NotYetJudged
            "The client looks for errorType in extensions as well."
            from "amplify-android PR #3419; amplify-android PR #3425"
            note "See GQL-A-06. Only ANDROID (amplify-android) does so.";
        GqlErr021 "GQL-ERR-021" Should Client Implied NotYetJudged
            "The client survives an error, data, start_ack or complete with an id that it does not know."
            from "ANDROID L211, L235, L256"
            note "ANDROID (amplify-android) raises an error to the application.";
        GqlErr022 "GQL-ERR-022" Should Client Implied NotYetJudged
            "The client ignores messages of a type that it does not know."
            from "SONY; JS-WS"
            note "FLUTTER (amplify-flutter, L51) throws, ANDROID (amplify-android) raises an illegal argument, APOLLO (apollo-kotlin) has a parse error.";
        GqlErr023 "GQL-ERR-023" Must Server Observed Outside
            "A connection_error has payload.errors, an array whose elements have a message or an errorType."
            from "community#195; amplify-android#1392; GQLPY tests";
        GqlErr024 "GQL-ERR-024" Must Server Documented Outside
            "After a connection_error the service ends the connection."
            from "D-RTC; community#350"
            note "D-RTC names the message error; only the message type is information (GQL-A-04).";
        GqlErr025 "GQL-ERR-025" Fact Client Implied NotYetJudged
            "The exact texts of error messages are not part of the protocol, so nothing depends on them."
            from "amplify-cli#3547; amplify-js#8370; amplify-android#1392"
            note "The texts have changed over the years: limits of 50, 100 and 200, types with and without the deepdish namespace.";
    } };
}
