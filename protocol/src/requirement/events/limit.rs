//! Quotas: what a peer can run into, and statements about the service at large.

macro_rules! evt_limit {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtLimit001 "EVT-LIMIT-001" Must Server Documented Outside
            "One publish request carries at most five events."
            from "WSP; PWS; PHTTP; QUOTA";
        EvtLimit002 "EVT-LIMIT-002" Must Server Documented Outside
            "One event has at most 240 KB, measured after its transformation."
            from "CONC; TSL-E2E (transformed)"
            note "The unit of KB is softened by EVT-A-12.";
        EvtLimit003 "EVT-LIMIT-003" Must Server Documented Outside
            "One publish request has at most 1.2 MB."
            from "QUOTA"
            note "The unit of MB is softened by EVT-A-12.";
        EvtLimit004 "EVT-LIMIT-004" Must Server Documented Outside
            "One connection holds at most 200 subscriptions at a time, unless the quota was raised."
            from "QUOTA; SW-IT";
        EvtLimit005 "EVT-LIMIT-005" Must Server Documented Outside
            "One connection can send 25 publish requests in a second without being refused for its rate."
            from "QUOTA; SW-IT (lower bound)"
            note "What happens above is EVT-PUB-024.";
        EvtLimit006 "EVT-LIMIT-006" Fact Server Documented Hidden("the quota counts the load of a whole API or account, which no test client should produce")
            "An API takes 2,000 new connections in a second, unless the quota was raised."
            from "QUOTA"
            note "One public load test speaks of 200; see EVT-A-27.";
        EvtLimit007 "EVT-LIMIT-007" Fact Server Documented Hidden("the quota counts the load of a whole API or account, which no test client should produce")
            "An API takes 10,000 inbound events in a second, unless the quota was raised."
            from "QUOTA";
        EvtLimit008 "EVT-LIMIT-008" Fact Server Documented Hidden("the quota counts the load of a whole API or account, which no test client should produce")
            "An API sends 1,000,000 outbound messages in a second, unless the quota was raised."
            from "QUOTA";
        EvtLimit009 "EVT-LIMIT-009" Must Server Documented Outside
            "A channel has at most five segments, and a segment at most 50 characters."
            from "QUOTA; WSP";
        EvtLimit010 "EVT-LIMIT-010" Must Server Documented Outside
            "An operation id of 128 characters is accepted, and none is longer."
            from "WSP"
            note "The refusal of longer ids is EVT-ERR-011.";
        EvtLimit011 "EVT-LIMIT-011" Must Server Documented Needs("24 hours of time or a clock that can be moved")
            "No connection lasts longer than 24 hours."
            from "WSP";
        EvtLimit012 "EVT-LIMIT-012" Fact Server Documented Hidden("it is a rule for configuring an API, checked when something is created and not by any message")
            "A region holds 50 Event APIs and an API 50 namespaces, unless the quotas were raised."
            from "QUOTA";
        EvtLimit013 "EVT-LIMIT-013" Fact Server Documented Hidden("it is a rule for configuring an API, checked when something is created and not by any message")
            "The code of a handler has at most 32 KB, that is 32768 characters."
            from "APIREF; QUOTA";
        EvtLimit014 "EVT-LIMIT-014" Must Server Documented Needs("an event handler that runs for more than 30 seconds")
            "A request is given up after 30 seconds of execution."
            from "QUOTA";
        EvtLimit015 "EVT-LIMIT-015" Must Server Documented Needs("an onPublish handler that makes events grow")
            "A payload that is delivered to a subscription has at most 240 KB."
            from "QUOTA"
            note "The unit of KB is softened by EVT-A-12.";
        EvtLimit016 "EVT-LIMIT-016" Fact Server Documented Hidden("metering shows in the bill and the metrics only, not in any message")
            "Inbound and outbound traffic is metered in units of 5 kB."
            from "CWM";
        EvtLimit017 "EVT-LIMIT-017" Fact Server Documented Hidden("the quota counts the load of a whole API or account, which no test client should produce")
            "Inbound messages may be delayed or dropped while an inbound or outbound rate quota is exceeded."
            from "CWM (InboundMessageDelayed, InboundMessageDropped)";
        EvtLimit018 "EVT-LIMIT-018" Fact Server Documented Hidden("the quota counts the load of a whole API or account, which no test client should produce")
            "The request tokens that an API may use in a second are limited."
            from "QUOTA; CWL"
            note "The default is 2,000 in QUOTA, and 5,000 or 10,000 by region in CWL.";
    } };
}
