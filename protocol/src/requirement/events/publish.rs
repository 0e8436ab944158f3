//! Publishing over the WebSocket connection: the request, its answers and per-event results.

macro_rules! evt_pub {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtPub001 "EVT-PUB-001" Must Client Documented NotYetJudged
            "A publish over WebSocket has the members type, id, channel, events and authorization."
            from "WSP; PWS";
        EvtPub002 "EVT-PUB-002" Must Both Documented Outside
            "The member events is an array of one to five strings."
            from "WSP; PWS"
            note "The signing example of WSP shows objects; see EVT-A-02.";
        EvtPub003 "EVT-PUB-003" Must Both Documented Outside
            "Each event is the JSON text of one value of any kind: object, array, string, number, boolean or null."
            from "WSP; AND-IT; SW-IT (primitive values)";
        EvtPub004 "EVT-PUB-004" Must Server Observed Outside
            "A WebSocket publish of more than five events is answered with publish_error of the type InvalidInputError and the text input exceeded 5 event limit."
            from "AND-IT"
            note "HTTP has another type, see EVT-A-04. MiniStack says BadRequestException.";
        EvtPub005 "EVT-PUB-005" Should Server Implied Outside
            "A publish without any event is refused."
            from "suite reasoning from the message catalogue"
            note "auvred/aws-appsync-events and ob-appsync-events-client never send one; MiniStack reports success. Softened by EVT-A-25.";
        EvtPub006 "EVT-PUB-006" Must Server Observed Outside
            "An event that is not JSON text is refused with InvalidEventException and the text Event should be a valid JSON string."
            from "LER (HTTP)"
            note "Whether the whole request or only that event is refused is softened by EVT-A-24. The Swift integration tests prove only that their own client refuses.";
        EvtPub007 "EVT-PUB-007" Must Server Documented Outside
            "A publish that is carried out is answered with publish_success, its id and the arrays successful and failed."
            from "WSP"
            note "The mock server of tokio-appsync-events leaves both arrays out.";
        EvtPub008 "EVT-PUB-008" Must Server Implied Outside
            "The arrays successful and failed together name every position of the request exactly once."
            from "AND-IT; LER";
        EvtPub009 "EVT-PUB-009" Must Server Observed Outside
            "In a result entry index is the position of the event counted from zero, and identifier is an id that the server made."
            from "AND-IT; TUT; LER"
            note "The ids look like UUIDs. See EVT-A-32.";
        EvtPub010 "EVT-PUB-010" Must Server Observed Outside
            "An entry of failed has the members identifier, index, code and message, where code and message are strings."
            from "TSL-E2E; LER"
            note "The amplify-android events client decodes code as an integer, so that a string leaves the publish without an end; the Swift events client expects errorCode and errorMessage; both Go clients drop or rename them; MiniStack sends an integer code and errorMessage. Softened in part by EVT-A-03.";
        EvtPub011 "EVT-PUB-011" Must Server Documented Outside
            "A publish that fails as a whole is answered with publish_error, its id and an errors array."
            from "WSP"
            note "amplify-js rejects every publish under way when any message with errors arrives, whatever its id.";
        EvtPub012 "EVT-PUB-012" Must Server Documented Outside
            "A client can publish to a channel without being subscribed to it."
            from "WSP; PWS";
        EvtPub013 "EVT-PUB-013" Must Server Documented Outside
            "A publish is accepted at any moment while the connection is open."
            from "WSP";
        EvtPub014 "EVT-PUB-014" Should Server Implied Outside
            "The id of a publish obeys the id syntax and serves only to match the answer, so a later publish may use it again."
            from "WSP (unique for all subscriptions)"
            note "Reuse is softened by EVT-A-10.";
        EvtPub015 "EVT-PUB-015" Must Client Implied NotYetJudged
            "A client relies on no order between publish_success and the data of its own event."
            from "LS (transcript shows the answer first)"
            note "See EVT-A-29.";
        EvtPub016 "EVT-PUB-016" Must Server Observed Outside
            "An event of more than 240 KB after its transformation is listed in failed with EventTooLargeException, and the other events of the batch go on."
            from "TSL-E2E (HTTP, one event; the batch is implied)"
            note "MiniStack does not check sizes. The unit of KB is softened by EVT-A-12.";
        EvtPub017 "EVT-PUB-017" Must Server Observed Outside
            "A WebSocket publish to a namespace that does not exist is answered with publish_error of the type UnauthorizedException."
            from "AND-IT"
            note "That it is refused is judged; the error type is softened by EVT-A-06.";
        EvtPub018 "EVT-PUB-018" Must Server Observed Outside
            "A publish with a wrong API key is answered, even on an authorized connection, with publish_error of the type UnauthorizedException and the text You are not authorized to make this call."
            from "AND-IT";
        EvtPub019 "EVT-PUB-019" Must Server Documented Needs("an onPublish handler that calls util.error")
            "When onPublish calls util.error, the answer is publish_error with the text of the handler and no event is broadcast."
            from "HND; WEH";
        EvtPub020 "EVT-PUB-020" Must Server Documented Needs("an onPublish handler that calls util.unauthorized")
            "When onPublish calls util.unauthorized, the answer is publish_error of the type UnauthorizedException."
            from "WEH";
        EvtPub021 "EVT-PUB-021" Must Server Observed Needs("an onPublish handler that sets an error on single events")
            "An event on which the handler sets an error is listed in failed with the code CustomError and the text of the handler and is not broadcast, while the others go on."
            from "HND (not broadcast); WSP (listed in failed); LER (code and message)";
        EvtPub022 "EVT-PUB-022" Must Server Observed Needs("an onPublish handler that drops events")
            "Events that the handler drops are listed in successful all the same."
            from "LER; CWM (DroppedEvents metric)"
            note "A simple server reports them as failed or leaves them out.";
        EvtPub023 "EVT-PUB-023" Must Both Observed Outside
            "Several publishes can be under way on one connection, with answers matched by id and in any order."
            from "SW-IT (25 concurrent)"
            note "The permission of the client is a duty of the server.";
        EvtPub024 "EVT-PUB-024" May Server Documented Outside
            "A connection that sends more than 25 publish requests in a second may get a rate error, named LimitExceededError."
            from "QUOTA; AND (error name)"
            note "Whether and how the limit is enforced is open; the form of the error is softened by EVT-A-26.";
        EvtPub025 "EVT-PUB-025" Must Server Implied Outside
            "After a publish that was refused, the connection remains usable."
            from "suite reasoning from the message catalogue";
        EvtPub026 "EVT-PUB-026" Must Server Implied Outside
            "A publish whose events member is not an array, or has elements other than strings, is refused."
            from "WSP"
            note "MiniStack reports each element as failed.";
        EvtPub027 "EVT-PUB-027" Must Server Implied Outside
            "Subscribers get a JSON value equal to the one that was published or that the handler made of it, though not always the same text."
            from "AND-IT (compares values); LS (identical text)"
            note "The tests of brokgo/appsync-event-client-go compare text and pass for simple objects.";
        EvtPub028 "EVT-PUB-028" Must Server Observed Outside
            "Members of a publish that the server does not know are ignored."
            from "JS";
    } };
}
