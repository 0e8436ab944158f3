//! Subscriptions: subscribe, unsubscribe, their answers and the life of an id.

macro_rules! evt_sub {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtSub001 "EVT-SUB-001" Must Client Documented NotYetJudged
            "A subscribe has the members type, id, channel and authorization."
            from "WSP";
        EvtSub002 "EVT-SUB-002" Must Both Documented Outside
            "An operation id consists of 1 to 128 characters, each an ASCII letter, a digit, an underscore, a plus sign or a hyphen."
            from "WSP"
            note "The refusal of other ids is EVT-ERR-011. MiniStack accepts anything that is not empty. The printed character class is EVT-A-22.";
        EvtSub003 "EVT-SUB-003" Must Client Documented NotYetJudged
            "A client gives each of its simultaneous subscriptions on a connection an id of its own."
            from "WSP";
        EvtSub004 "EVT-SUB-004" Must Server Documented Outside
            "A subscribe whose id already names a subscription of the connection is answered with an error."
            from "WSP"
            note "The type is DuplicatedOperationError in LS-GAP and TPC, and BadRequestException in MiniStack; the mock server of tokio-appsync-events stays silent. That the first subscription survives is implied only.";
        EvtSub005 "EVT-SUB-005" Must Server Observed Outside
            "The same id on two connections names two subscriptions that know nothing of each other."
            from "LS-GAP (states what AWS does); WSP"
            note "LocalStack once demanded ids that were unique everywhere; this has been corrected.";
        EvtSub006 "EVT-SUB-006" Must Server Implied Outside
            "Once unsubscribe_success has come, the id can be used for another subscribe."
            from "suite reasoning from the message catalogue";
        EvtSub007 "EVT-SUB-007" Must Server Documented Outside
            "A subscribe that succeeds is answered with subscribe_success and its id."
            from "WSP";
        EvtSub008 "EVT-SUB-008" Must Server Documented Outside
            "A subscribe that fails is answered with subscribe_error, its id and an errors array."
            from "WSP"
            note "tokio-appsync-events listens only for error, as amplify-js did before PR-14491.";
        EvtSub009 "EVT-SUB-009" Must Server Observed Outside
            "One connection can hold several subscriptions to the same channel."
            from "SW-IT (200 times the same channel)"
            note "The permission of the client is a duty of the server. brokgo/appsync-event-client-go keys its table by channel and cannot express it.";
        EvtSub010 "EVT-SUB-010" Must Server Observed Outside
            "With 200 subscriptions active, a further subscribe on the connection fails with subscribe_error of the type MaxSubscriptionsReachedError."
            from "SW-IT (200 succeed, 5 fail); AND (type)"
            note "The ocel gateway stops at 200 too.";
        EvtSub011 "EVT-SUB-011" Must Server Documented Needs("an onSubscribe handler whose run can be observed")
            "The handler onSubscribe runs when the subscribe has been authorized, and subscribe_success comes only after it."
            from "HND; WEH; EHO";
        EvtSub012 "EVT-SUB-012" Must Server Documented Needs("an onSubscribe handler that rejects")
            "A subscribe that its handler rejects is answered with subscribe_error."
            from "HND; WEH"
            note "lambda-event-router sees subscribe_error for a Lambda function that throws as well. The error type is softened by EVT-A-16.";
        EvtSub013 "EVT-SUB-013" May Server Observed Outside
            "For some seconds after subscribe_success, events that are published may fail to reach the new subscription."
            from "AND-IT (sleeps 2 s and says why); SW-IT (5 s); I-405 (analogous)";
        EvtSub014 "EVT-SUB-014" Should Server Implied Outside
            "No data for an id is sent before the subscribe_success of that id."
            from "suite reasoning from the message catalogue"
            note "ob-appsync-events-client drops data for an id that is not ready.";
        EvtSub015 "EVT-SUB-015" Must Client Documented NotYetJudged
            "An unsubscribe has the members type and id and no others."
            from "WSP";
        EvtSub016 "EVT-SUB-016" Must Server Documented Outside
            "An unsubscribe of an active subscription is answered with unsubscribe_success and its id."
            from "WSP"
            note "tokio-appsync-events ignores the answer.";
        EvtSub017 "EVT-SUB-017" Must Server Documented Outside
            "An unsubscribe of an id that is unknown or already removed is answered with unsubscribe_error of the type UnknownOperationError, with the text Unknown operation id and the id."
            from "WSP"
            note "Type and id are judged, the text is not.";
        EvtSub018 "EVT-SUB-018" Must Server Documented Outside
            "After unsubscribe_success no further data comes for that id."
            from "WSP"
            note "Entailed: the subscription has ended, so nothing is left for which data could be sent. Frames that are already on their way before the acknowledgement are no breach.";
        EvtSub019 "EVT-SUB-019" Should Client Observed NotYetJudged
            "A client waits for subscribe_success before it unsubscribes, because an earlier unsubscribe may be lost without an answer."
            from "TSL (source comment); JS";
        EvtSub020 "EVT-SUB-020" Must Both Observed Outside
            "Subscriptions end with their connection, and after a reconnect the client subscribes again."
            from "TSL; RS; JS";
        EvtSub021 "EVT-SUB-021" Must Server Documented Outside
            "Ending one subscription leaves all others as they are, also those on the same channel."
            from "WSP"
            note "Entailed: an unsubscribe names one subscription by its id, so it concerns no other.";
        EvtSub022 "EVT-SUB-022" Must Server Implied Outside
            "After a subscribe that failed, the connection and its other subscriptions remain usable."
            from "TSL (design)";
        EvtSub023 "EVT-SUB-023" Must Server Implied Outside
            "A subscribe with members of the wrong type, such as a number as id or an array as channel, is answered with an error message."
            from "suite reasoning from the message catalogue"
            note "Neither silence nor a crash will do.";
        EvtSub024 "EVT-SUB-024" Must Server Observed Outside
            "Members of a subscribe that the server does not know are ignored."
            from "JS (sends a redundant payload to the service)";
        EvtSub025 "EVT-SUB-025" Must Server Implied Outside
            "An unsubscribe with the id of a publish is answered as one with an unknown id."
            from "suite reasoning from the message catalogue";
        EvtSub026 "EVT-SUB-026" Should Client Observed NotYetJudged
            "A client waits only a limited time for subscribe_success."
            from "JS (15 s)"
            note "auvred/aws-appsync-events and the amplify-android events client have no bound.";
        EvtSub027 "EVT-SUB-027" Must Server Observed Needs("an onSubscribe handler that records the channel")
            "The handler onSubscribe is given the channel as it was subscribed to, with its wildcard."
            from "LER (route matched on /ticket/*)";
    } };
}
