//! The HTTP endpoint for queries and mutations, as far as subscriptions depend on it.

macro_rules! gql_http {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        GqlHttp001 "GQL-HTTP-001" Must Server Observed Outside
            "The service accepts a POST to /graphql whose application/json body has query and, optionally, variables and operationName."
            from "D-AUTHZ; graphql-over-http#81; all clients"
            note "The samples of the page label the same body application/graphql; all clients send application/json.";
        GqlHttp002 "GQL-HTTP-002" Must Server Observed Outside
            "An operation that succeeds is answered with 200 and with data keyed by response key."
            from "graphql-over-http#81; GraphQL specification section 7.1";
        GqlHttp003 "GQL-HTTP-003" Must Server Observed Outside
            "A request without credentials is answered with 401 and an errorType of UnauthorizedException in errors."
            from "sdk-js issues; SIM"
            note "The overcast emulator answers with a body of its own.";
        GqlHttp004 "GQL-HTTP-004" Must Server Observed Outside
            "A request with an unknown API key or a refused token is answered with 401 and UnauthorizedException."
            from "amplify-android#1392";
        GqlHttp005 "GQL-HTTP-005" Must Server Observed Needs("no authorization mode other than those that take a JWT")
            "A token that is no JWT is answered with 401 and UnauthorizedException where all modes take a JWT."
            from "sdk-js issues (message: Unable to parse JWT token)";
        GqlHttp006 "GQL-HTTP-006" Must Server Observed Needs("IAM authorization")
            "A SigV4 signature that does not match is answered with a 4xx status and an errors array."
            from "sdk-js#702; aws-cdk#19239";
        GqlHttp007 "GQL-HTTP-007" Must Server Observed Outside
            "An empty body is answered with 400 and MalformedHttpRequestException."
            from "graphql-over-http#81";
        GqlHttp008 "GQL-HTTP-008" Must Server Observed Outside
            "A body that is no JSON, no object or without a query that parses is answered with 400 and MalformedHttpRequestException."
            from "graphql-over-http#81"
            note "The Amplify simulator answers with other shapes.";
        GqlHttp009 "GQL-HTTP-009" Must Server Observed Outside
            "A document that does not validate is answered with 200, a message in errors and no usable data."
            from "graphql-over-http#81";
        GqlHttp010 "GQL-HTTP-010" Must Server Observed Outside
            "A required variable that is missing is answered with 200 and errors."
            from "graphql-over-http#81; amplify-js#4534";
        GqlHttp011 "GQL-HTTP-011" Must Server Documented Needs("a failing resolver")
            "A resolver that fails is answered with 200, null for its field and an error whose errorType stands at the top of the element."
            from "D-TRB; sdk-js#124"
            note "The page gives the shape, the status is observed. An errorInfo appears too when the resolver sets it.";
        GqlHttp012 "GQL-HTTP-012" Must Server Observed Needs("a field that the given credentials may not access")
            "A field that is denied is answered with 200, null data and an errorType of Unauthorized."
            from "amplify-js#12679";
        GqlHttp013 "GQL-HTTP-013" Must Server Observed Outside
            "The body of a 4xx answer is a JSON object with an errors array whose elements have errorType and message."
            from "graphql-over-http#81; amplify-android#1392";
        GqlHttp014 "GQL-HTTP-014" Must Server Observed Outside
            "A subscription operation sent over HTTP opens no subscription and is refused or answered without data."
            from "artillery#1125"
            note "The floci emulator answers with 200 and OperationNotSupported; the service was seen with 400 and a message on MQTT.";
        GqlHttp015 "GQL-HTTP-015" Must Server Documented Outside
            "A mutation over HTTP triggers the subscriptions that list it in aws_subscribe, with what its selection set returned."
            from "D-SUB"
            note "The overcast emulator goes by names and delivers only to on followed by the name of the mutation.";
        GqlHttp016 "GQL-HTTP-016" Should Server Observed Outside
            "Errors have path and locations."
            from "graphql-over-http#81; D-TRB";
        GqlHttp017 "GQL-HTTP-017" Should Server Implied Outside
            "A CORS preflight request is answered."
            from "JS-RT"
            note "Clients in browsers depend on it.";
    } };
}
