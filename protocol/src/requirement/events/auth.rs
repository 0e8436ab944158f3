//! Authorization objects, SigV4 input, the choice of a mode and the Lambda authorizer.

macro_rules! evt_auth {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtAuth001 "EVT-AUTH-001" Must Client Documented NotYetJudged
            "The connect object for an API key has the members host and x-api-key."
            from "WSP";
        EvtAuth002 "EVT-AUTH-002" Must Client Documented NotYetJudged
            "The object of a single message for an API key has x-api-key, while host is optional in it."
            from "WSP"
            note "brokgo/appsync-event-client-go and ob-appsync-events-client leave host out, and the former passes against the service.";
        EvtAuth003 "EVT-AUTH-003" Must Client Documented NotYetJudged
            "Objects for Cognito and OpenID Connect hold the JWT in Authorization, with or without the scheme word Bearer."
            from "WSP"
            note "amplify-js sends the access token where the page speaks of the ID token.";
        EvtAuth004 "EVT-AUTH-004" Must Client Documented NotYetJudged
            "Objects for a Lambda authorizer hold the opaque token in Authorization."
            from "WSP"
            note "tokio-appsync-events leaves host out of the connect object in this mode.";
        EvtAuth005 "EVT-AUTH-005" Must Client Documented NotYetJudged
            "Objects for IAM hold the SigV4 value in Authorization, the members x-amz-date and host, and the session token when the credentials are temporary."
            from "WSP";
        EvtAuth006 "EVT-AUTH-006" Must Both Documented Needs("IAM authorization and credentials to sign with")
            "The signature of a connect covers a POST to /event on the HTTP host for the service appsync, with the two bytes {} as its body."
            from "WSP; WSC";
        EvtAuth007 "EVT-AUTH-007" Must Both Documented Needs("IAM authorization and credentials to sign with")
            "The signature of a subscribe covers a compact JSON body whose only member is the channel."
            from "WSP; WSC";
        EvtAuth008 "EVT-AUTH-008" Must Both Documented Needs("IAM authorization and credentials to sign with")
            "The signature of a WebSocket publish covers a compact JSON body of channel and then events, with the events as strings."
            from "WSP (key order); WSC (events as strings)"
            note "The signing example of the page shows events as objects; see EVT-A-02.";
        EvtAuth009 "EVT-AUTH-009" Must Both Observed Needs("IAM authorization and credentials to sign with")
            "The signature of an HTTP publish covers the request as it is sent, for the service appsync."
            from "JS; AND-IT";
        EvtAuth010 "EVT-AUTH-010" Must Server Observed Needs("IAM authorization and credentials to sign with")
            "The server checks a signature against the list of signed headers that came with it, not against a fixed set, and insists on at least host and the date being signed."
            from "AND-IT (host and content hash); JS (documented set)";
        EvtAuth011 "EVT-AUTH-011" Must Both Observed Needs("IAM authorization and credentials to sign with")
            "The body that is signed for a message leaves out type, id and authorization."
            from "AND; WSC";
        EvtAuth012 "EVT-AUTH-012" Must Server Implied Needs("IAM authorization and credentials to sign with")
            "The server checks a signature against a body that it builds anew from the parsed message, so that whitespace, member order and an escaped slash in the frame make no difference."
            from "SW; SW-IT"
            note "Characters with several JSON spellings are softened by EVT-A-23; see EVT-AUTH-013.";
        EvtAuth013 "EVT-AUTH-013" Must Server Observed Needs("IAM authorization and credentials to sign with")
            "A wrong signature on a message is answered for that operation alone, with BadRequestException in subscribe_error or publish_error, and the connection goes on."
            from "I-400 (error text; that the connection survives is implied)"
            note "Publishes whose events contain an angle bracket fail like this over WebSocket only. Softened in part by EVT-A-23.";
        EvtAuth014 "EVT-AUTH-014" Must Client Documented NotYetJudged
            "The member x-amz-date has the form YYYYMMDDTHHMMSSZ in UTC, without fractions of a second."
            from "WSP";
        EvtAuth015 "EVT-AUTH-015" Must Server Implied Outside
            "Letter case in the member names of an authorization object has no meaning to the server."
            from "WSP (mixes cases)"
            note "Clients send authorization as well as Authorization.";
        EvtAuth016 "EVT-AUTH-016" Must Server Documented Outside
            "Each subscribe and each publish is authorized by what it carries itself, and one connection may mix authorization modes."
            from "WSP"
            note "auvred/aws-appsync-events mixes modes against the service. Mixing can be tried only where a second mode is configured.";
        EvtAuth017 "EVT-AUTH-017" Must Server Documented Needs("authorization modes that differ between the API and one of its namespaces")
            "The modes for connecting are those of the API alone, and those for publishing and subscribing are the defaults of the API unless the namespace names its own."
            from "NS; APIREF"
            note "MiniStack takes both namespace defaults from the publish list of the API.";
        EvtAuth018 "EVT-AUTH-018" Must Server Implied Hidden("it is a rule for configuring an API, checked when a namespace is created and not by any message")
            "A namespace can name only such authorization modes as its API provides."
            from "CDK (refuses to synthesise anything else)";
        EvtAuth019 "EVT-AUTH-019" Must Server Observed Needs("an authorization mode that the API provides and a namespace does not allow")
            "A mode that the API knows but that is not enabled for the operation is refused with UnauthorizedException."
            from "TSL-E2E (HTTP publish)";
        EvtAuth020 "EVT-AUTH-020" Must Server Observed Needs("a Lambda authorizer beside API keys")
            "A request with x-api-key is judged as an API key without a call of the Lambda authorizer, and Authorization leads to the token modes."
            from "LER"
            note "Which one wins when both are present is not recorded.";
        EvtAuth021 "EVT-AUTH-021" Must Server Documented Outside
            "A subscribe or publish without usable authorization of its own is refused, since the credentials of the connection do not stand in for it."
            from "WSP"
            note "Entailed: each message carries what is necessary to authorize its operation, so without it the operation is not authorized. MiniStack falls back to the credentials of the connection.";
        EvtAuth022 "EVT-AUTH-022" Must Server Documented Outside
            "Neither unsubscribe nor connection_init needs an authorization member."
            from "WSP (examples)";
        EvtAuth023 "EVT-AUTH-023" Must Server Documented Needs("a Lambda authorizer whose calls the tester can read")
            "A Lambda authorizer is called with authorizationToken, requestHeaders and a requestContext of apiId, accountId, requestId, operation, channelNamespaceName and channel, where operation is EVENT_CONNECT, EVENT_SUBSCRIBE or EVENT_PUBLISH."
            from "AUTHZ; LER; MS";
        EvtAuth024 "EVT-AUTH-024" Must Server Documented Needs("a Lambda authorizer whose calls the tester can read")
            "In the authorizer call for EVENT_CONNECT neither channel nor channelNamespaceName has a value."
            from "AUTHZ; LER"
            note "The page shows null, lambda-event-router saw the keys absent, MiniStack sends null; both are fine, see EVT-A-19.";
        EvtAuth025 "EVT-AUTH-025" Must Server Observed Needs("a Lambda authorizer whose calls the tester can read")
            "In the authorizer call for EVENT_SUBSCRIBE the channel is exactly the one of the message, with its wildcard."
            from "LER";
        EvtAuth026 "EVT-AUTH-026" Must Server Documented Needs("a Lambda authorizer whose answer the tester can set")
            "The server reads from an authorizer answer the required boolean isAuthorized and the optional handlerContext and ttlOverride, and ignores the GraphQL members resolverContext and deniedFields."
            from "AUTHZ; CTX; LER (the ignored members)";
        EvtAuth027 "EVT-AUTH-027" Must Server Observed Needs("a Lambda authorizer that can deny")
            "A denial by the authorizer appears as 401 with UnauthorizedException over HTTP, as connection_error on a connect and as subscribe_error on a subscribe."
            from "LER; AUTHZ"
            note "Whether the HTTP status is 401 or 403 is softened by EVT-A-13.";
        EvtAuth028 "EVT-AUTH-028" Must Server Observed Needs("a Lambda authorizer that can fail")
            "When the authorizer itself fails, the operation is refused: by subscribe_error, or over HTTP by a 500 with AuthorizerFailureException or by the answer that a denial gets."
            from "LER; AUTHZ"
            note "Both HTTP forms are accepted, see EVT-A-33. MiniStack turns a failure into a plain denial.";
        EvtAuth029 "EVT-AUTH-029" Must Server Documented Needs("a Lambda authorizer with caching of its answers")
            "Cached authorizer answers are kept by API, operation, literal channel and token, those for a connect without the channel, for the time that ttlOverride sets, where 0 means not at all."
            from "AUTHZ; APIREF (LambdaAuthorizerConfig); LER"
            note "The sources differ on the default time: 0 seconds in APIREF, five minutes in LER.";
        EvtAuth030 "EVT-AUTH-030" Must Server Documented Needs("IAM authorization and principals with different policies")
            "The IAM permissions are appsync:EventConnect on the API and appsync:EventSubscribe and appsync:EventPublish on its channelNamespace resources."
            from "WSC; CDK (resource names)"
            note "The README of the boundlessdigital Go client lists actions that do not exist.";
        EvtAuth031 "EVT-AUTH-031" Fact Server Observed Hidden("what the policy language cannot express does not appear in any message")
            "IAM policies distinguish namespaces and nothing below them, so finer rules need a handler or a Lambda authorizer."
            from "I-398";
        EvtAuth032 "EVT-AUTH-032" Must Server Implied Needs("a token that expires while its connection is open")
            "An established connection outlives the credential it was opened with, and each later operation is judged by its own."
            from "WSP (24 hours regardless of the token); JS (handles an expired token per operation)"
            note "amplify-js closes with 1000 and reconnects when a subscribe fails for such a reason. See EVT-A-28.";
        EvtAuth033 "EVT-AUTH-033" Must Server Documented Needs("a handler that reports the context it is given")
            "For requests with an API key the identity that a handler sees is null or absent."
            from "CTX";
        EvtAuth034 "EVT-AUTH-034" Must Server Observed Outside
            "Additional string members in an authorization object do not lead to a refusal."
            from "JS (x-amz-user-agent, x-amz-date); SW";
        EvtAuth035 "EVT-AUTH-035" Must Server Implied Outside
            "An authorization that is not an object, or that has members other than strings, leads to the refusal of that one operation."
            from "WSP (types)";
    } };
}
