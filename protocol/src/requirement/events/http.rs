//! Publishing over HTTP: request, statuses, bodies and what handlers make of them.

macro_rules! evt_http {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtHttp001 "EVT-HTTP-001" Must Both Documented Outside
            "Publishing over HTTP is a POST to the path /event of the HTTP host."
            from "PHTTP";
        EvtHttp002 "EVT-HTTP-002" Must Server Documented Outside
            "The endpoint knows no action but the POST that publishes, so that other methods fail."
            from "PHTTP"
            note "That other paths fail is implied only. MiniStack answers 400.";
        EvtHttp003 "EVT-HTTP-003" Must Both Documented Outside
            "The request body is application/json with a string channel and an array events."
            from "PHTTP"
            note "The fetch example of the page passes an object that was never serialised.";
        EvtHttp004 "EVT-HTTP-004" Must Server Observed Outside
            "A publish that is carried out is answered with 200 and the arrays failed and successful."
            from "LER; AND-IT; TUT";
        EvtHttp005 "EVT-HTTP-005" Must Server Observed Outside
            "The status is 200 also when single events have failed."
            from "LER"
            note "auvred/aws-appsync-events treats a failed array with entries as an exception.";
        EvtHttp006 "EVT-HTTP-006" Must Server Observed Outside
            "More than five events are refused with BadRequestException and the text Input exceeded 5 event limit."
            from "AND-IT"
            note "The status 400 is implied only. The WebSocket form differs, see EVT-A-04.";
        EvtHttp007 "EVT-HTTP-007" Must Server Observed Outside
            "The body of an error answer is JSON with an errors array, whose entries have errorType and possibly message."
            from "AND; AND-IT"
            note "The Swift events client drops the body and reports the status only.";
        EvtHttp008 "EVT-HTTP-008" Must Server Observed Outside
            "A request that is not authorized is answered with 401 and UnauthorizedException."
            from "LER (authorizer denial)"
            note "TSL-E2E and Powertools for AWS Lambda speak of 403. Softened in part by EVT-A-13: 401 or 403.";
        EvtHttp009 "EVT-HTTP-009" Must Server Documented Needs("an onPublish handler that calls util.error")
            "When onPublish calls util.error, the status is 403."
            from "HND; WEH";
        EvtHttp010 "EVT-HTTP-010" Must Server Documented Needs("an onPublish handler that calls util.unauthorized")
            "When onPublish calls util.unauthorized, the status is 401."
            from "WEH"
            note "Powertools for AWS Lambda says 403. Softened in part by EVT-A-13: 401 or 403.";
        EvtHttp011 "EVT-HTTP-011" May Server Observed Needs("a direct Lambda integration that returns a top-level error")
            "A top-level error of a direct Lambda integration may be answered with 403, CustomErrorException and the text of the function."
            from "LER"
            note "Recorded once; DLI and WEH say that the text is only logged. Softened by EVT-A-14.";
        EvtHttp012 "EVT-HTTP-012" Must Server Observed Needs("a direct Lambda integration that throws or returns a malformed result")
            "A direct Lambda integration that throws, or whose result is malformed, leads to 502 with DependencyFailedException and the text Unable to process request."
            from "LER";
        EvtHttp013 "EVT-HTTP-013" May Server Implied Needs("a Lambda authorizer that can fail")
            "The failure of an authorizer may be answered with 500 and AuthorizerFailureException."
            from "LER (text; seen live for GraphQL only); AUTHZ (contradicts)"
            note "See EVT-A-33.";
        EvtHttp014 "EVT-HTTP-014" Must Server Observed Outside
            "A publish to a namespace that does not exist is refused with UnauthorizedException and no message."
            from "AND-IT"
            note "That it is refused is judged; the error type is softened by EVT-A-06.";
        EvtHttp015 "EVT-HTTP-015" Must Server Observed Outside
            "An API key that does not exist is refused with UnauthorizedException and the text You are not authorized to make this call."
            from "AND-IT";
        EvtHttp016 "EVT-HTTP-016" Must Server Observed Outside
            "An event that is too large gives 200 and an entry of failed with EventTooLargeException and the text Transformed event is larger than 240KB."
            from "TSL-E2E (the status is implied)";
        EvtHttp017 "EVT-HTTP-017" Must Server Documented Outside
            "A request whose payload exceeds 1.2 MB in total is refused."
            from "QUOTA"
            note "The status is not known. A size well below is accepted; well above, the request or each of its events fails.";
        EvtHttp018 "EVT-HTTP-018" Should Server Documented Outside
            "Answers carry the headers x-amzn-RequestId and x-amzn-appsync-TokensConsumed."
            from "CWL"
            note "They serve logging and metering; peers work together without them.";
        EvtHttp019 "EVT-HTTP-019" Must Server Documented Needs("a handler that reports the context it is given")
            "A handler sees the headers of the request, those with several values as arrays, and never cookie."
            from "CTX";
        EvtHttp020 "EVT-HTTP-020" Must Server Documented Needs("a handler that reports the context it is given")
            "The member request.domainName holds the custom domain, and null on the default endpoint."
            from "CTX";
        EvtHttp021 "EVT-HTTP-021" Must Server Observed Outside
            "Events published over HTTP reach WebSocket subscribers just as those published over WebSocket do."
            from "AND-IT; SW-IT; TSL-E2E";
        EvtHttp022 "EVT-HTTP-022" Must Server Documented Outside
            "A body that is not well-formed JSON is answered with a status of the 4xx class."
            from "CWM (definition of 4XXError)";
        EvtHttp023 "EVT-HTTP-023" Must Server Implied Outside
            "A request with events that are not strings is refused."
            from "PHTTP";
        EvtHttp024 "EVT-HTTP-024" Should Server Implied Outside
            "The endpoint answers CORS preflight requests, because publishing with fetch from a browser is documented."
            from "PHTTP";
        EvtHttp025 "EVT-HTTP-025" Must Server Documented Outside
            "A channel without a leading slash is accepted."
            from "PHTTP"
            note "A comment in amplify-js claims that the slash is required.";
        EvtHttp026 "EVT-HTTP-026" Must Server Observed Outside
            "An event string that is not JSON is refused with the text Event should be a valid JSON string."
            from "LER"
            note "Whether the whole request or only that event is refused is softened by EVT-A-24.";
        EvtHttp027 "EVT-HTTP-027" Must Client Observed NotYetJudged
            "A client that signs its HTTP requests for IAM uses the service name appsync."
            from "JS; AND-IT";
    } };
}
