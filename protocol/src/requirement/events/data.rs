//! Delivery: data messages, who gets them, and failed broadcasts.

macro_rules! evt_data {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtData001 "EVT-DATA-001" Must Server Documented Outside
            "An event reaches a subscriber in a data message with the id of the subscription and the member event."
            from "WSP";
        EvtData002 "EVT-DATA-002" Must Server Observed Outside
            "The member event is one string with the JSON text of one event."
            from "AND-IT; SW-IT; GO1; TSL-E2E; WSC; TPC (browser capture)"
            note "The example of WSP shows an array of one string. MiniStack documents an array but sends a string; amplify-js survives the array only through implicit conversion. A string and a one-element array are both accepted and recorded, anything else fails: softened in part by EVT-A-01.";
        EvtData003 "EVT-DATA-003" Must Server Documented Outside
            "Each event of a batch comes in a data message of its own, and none are merged."
            from "TUT; AND-IT; TSL-E2E";
        EvtData004 "EVT-DATA-004" Must Server Documented Outside
            "Every subscription that matches gets the event in one message with its own id, also when one connection holds several of them."
            from "WSP; SW-IT (permits duplicates)"
            note "Entailed: the id in data names the subscription, so each matching subscription needs a message of its own.";
        EvtData005 "EVT-DATA-005" Must Server Observed Outside
            "A publisher that is subscribed to the channel gets its own events."
            from "AND-IT; LS";
        EvtData006 "EVT-DATA-006" Must Server Observed Outside
            "A subscription gets no event of a channel that it does not match."
            from "AND-IT";
        EvtData007 "EVT-DATA-007" Fact Server Observed Outside
            "Delivery follows no promised order, neither among publishes nor among the events of one batch."
            from "AND-IT; TSL-E2E; GO1 (compare as sets); PT; TPC (an AWS sample restores the order itself)"
            note "See EVT-A-30.";
        EvtData008 "EVT-DATA-008" Must Server Implied Outside
            "Events published before a subscription began, or while its client was away, are not delivered later."
            from "CONC (channels are ephemeral)";
        EvtData009 "EVT-DATA-009" Should Client Implied NotYetJudged
            "A client tolerates events that come twice and events that never come."
            from "suite reasoning from the message catalogue";
        EvtData010 "EVT-DATA-010" Must Server Documented Needs("an onPublish handler that changes payloads")
            "What subscribers get is the payload that onPublish returned."
            from "HND; WEH";
        EvtData011 "EVT-DATA-011" Must Server Documented Outside
            "A data message does not name the channel of its event."
            from "WSP (example)"
            note "An additional member is reported but not held against a server.";
        EvtData012 "EVT-DATA-012" May Server Documented Needs("a way to make a broadcast fail")
            "A broadcast that fails may be reported by broadcast_error with the id of the subscription and an errors array."
            from "WSP"
            note "amplify-js, the amplify-android events client and tokio-appsync-events do not handle it; auvred/aws-appsync-events throws because of an unknown message.";
        EvtData013 "EVT-DATA-013" Must Both Implied Needs("a way to make a broadcast fail")
            "A broadcast_error does not end the subscription it names."
            from "WSP (wording); SW (goes on)"
            note "brokgo/appsync-event-client-go hands it on as an item.";
        EvtData014 "EVT-DATA-014" Must Client Implied NotYetJudged
            "A client ignores data whose id it does not know."
            from "JS; TSL";
        EvtData015 "EVT-DATA-015" Should Client Implied NotYetJudged
            "A client accepts event as a string and as an array of strings."
            from "EVT-DATA-002 (its sources contradict each other)"
            note "The amplify-android and Swift events clients, tokio-appsync-events, brokgo/appsync-event-client-go and auvred/aws-appsync-events reject arrays.";
        EvtData016 "EVT-DATA-016" Must Client Implied NotYetJudged
            "A client tolerates members and message types that it does not know."
            from "AND (ignoreUnknownKeys)"
            note "The amplify-android events client logs and drops unknown types; auvred/aws-appsync-events throws asynchronously.";
    } };
}
