//! Channel paths, their syntax, namespaces and wildcards.

macro_rules! evt_channel {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtChannel001 "EVT-CHANNEL-001" Must Server Documented Outside
            "A channel path consists of one to five segments with a slash between them."
            from "WSP; NS";
        EvtChannel002 "EVT-CHANNEL-002" Must Server Documented Outside
            "A segment has 1 to 50 characters, each of them an ASCII letter, a digit or a hyphen."
            from "WSP";
        EvtChannel003 "EVT-CHANNEL-003" Must Server Documented Outside
            "The first and the last character of a segment are letters or digits, so that a hyphen stands only inside."
            from "WSP (pattern)"
            note "The prose of the page leaves this out.";
        EvtChannel004 "EVT-CHANNEL-004" Must Server Documented Outside
            "One slash before the first segment may be written or left out."
            from "WSP (pattern); PHTTP (example)"
            note "The HTTP post of amplify-js adds it, its WebSocket path does not.";
        EvtChannel005 "EVT-CHANNEL-005" Must Server Documented Outside
            "One slash after the last segment may be written or left out."
            from "WSP (pattern)"
            note "The clone of daisuke-awaji trims it. Softened by EVT-A-31.";
        EvtChannel006 "EVT-CHANNEL-006" Must Server Documented Outside
            "Two channels whose paths differ in letter case only are two channels."
            from "WSP";
        EvtChannel007 "EVT-CHANNEL-007" Must Server Documented Outside
            "The first segment of a channel is the name of a namespace that exists in the API."
            from "NS";
        EvtChannel008 "EVT-CHANNEL-008" Must Server Observed Outside
            "The use of a namespace that does not exist is refused with UnauthorizedException and no message, not as something that was not found."
            from "AND-IT (publish over HTTP and WebSocket); SW-IT (subscribe)"
            note "The amplify-android events client maps ResourceNotFound to this case too. That the operation is refused is judged; the error type is softened by EVT-A-06.";
        EvtChannel009 "EVT-CHANNEL-009" Must Server Documented Outside
            "A channel exists by being used: the first publish to a fresh path succeeds, with or without subscribers."
            from "NS; CONC";
        EvtChannel010 "EVT-CHANNEL-010" Must Server Documented Outside
            "A subscribe is accepted whose channel ends in the segment *."
            from "TUT"
            note "The permission of the client is a duty of the server.";
        EvtChannel011 "EVT-CHANNEL-011" Must Server Documented Outside
            "A final * in a subscription covers all channels below its prefix, however deep."
            from "TUT (/default/* receives /default/greetings/tutorial); LS"
            note "MiniStack covers exactly one segment, and the clone of daisuke-awaji needs a double asterisk.";
        EvtChannel012 "EVT-CHANNEL-012" Must Server Implied Outside
            "A final * does not cover the prefix itself, so a subscription to /ns/* gets nothing that is published to /ns."
            from "LS"
            note "Softened by EVT-A-11.";
        EvtChannel013 "EVT-CHANNEL-013" Must Server Documented Outside
            "A publish to a channel with a wildcard is refused."
            from "WSP (pattern); TUT; CLONE; OB"
            note "Entailed: a wildcard is documented as a way to subscribe to several channels, and the pattern of a channel has no asterisk. The signing example of WSP nevertheless publishes to /your/channel/*, and the README of auvred/aws-appsync-events to test/*.";
        EvtChannel014 "EVT-CHANNEL-014" Must Server Implied Outside
            "A subscribe with a * before the last segment is refused."
            from "TUT (the wildcard stands at the end)"
            note "The clone of daisuke-awaji accepts it. Softened by EVT-A-11.";
        EvtChannel015 "EVT-CHANNEL-015" Must Server Implied Outside
            "A subscribe with a * as part of a longer segment is refused."
            from "WSP (pattern); PT"
            note "Softened by EVT-A-11.";
        EvtChannel016 "EVT-CHANNEL-016" Must Server Implied Outside
            "A double asterisk is no wildcard, and a subscribe that uses one is refused."
            from "WSP (pattern)"
            note "The clone of daisuke-awaji supports it and refers to a launch blog post. Softened by EVT-A-11.";
        EvtChannel017 "EVT-CHANNEL-017" Should Server Implied Outside
            "A subscribe to /*, which would cover all namespaces, is refused like an undefined namespace."
            from "NS"
            note "Powertools for AWS Lambda accepts /* as a route of a handler, which is something else. Softened by EVT-A-11.";
        EvtChannel018 "EVT-CHANNEL-018" Must Server Observed Outside
            "A channel of more than five segments is answered with an operation error, in subscribe and in publish."
            from "SW-IT (default/1/2/3/4/5)";
        EvtChannel019 "EVT-CHANNEL-019" Must Server Observed Outside
            "A channel with a segment of more than 50 characters is answered with an operation error, in subscribe and in publish."
            from "SW-IT";
        EvtChannel020 "EVT-CHANNEL-020" Should Server Implied Outside
            "The error type for a malformed channel is BadRequestException, with the text Invalid Channel Format."
            from "TSL (fixture)"
            note "MiniStack uses the type with a text of its own.";
        EvtChannel021 "EVT-CHANNEL-021" Must Server Documented Outside
            "The empty string, a lone slash and paths with an empty segment, such as // or /a//b, are not channels."
            from "WSP (pattern)"
            note "MiniStack collapses a double slash.";
        EvtChannel022 "EVT-CHANNEL-022" Must Server Documented Outside
            "A path with any other character, such as an underscore, a dot, a colon, a space, %2F or one outside ASCII, is not a channel."
            from "WSP"
            note "One third-party client turns underscores into hyphens before it uses an id as a segment.";
        EvtChannel023 "EVT-CHANNEL-023" Must Server Documented Needs("a handler that reports the context it is given")
            "A handler finds the channel in info.channel.path, with a leading slash, and split up in info.channel.segments."
            from "CTX"
            note "See EVT-A-21.";
        EvtChannel024 "EVT-CHANNEL-024" Must Server Implied Outside
            "The spellings ns/x, /ns/x and /ns/x/ stand for one and the same channel."
            from "WSP (pattern); CTX (one canonical form)"
            note "Softened by EVT-A-31.";
        EvtChannel025 "EVT-CHANNEL-025" Must Server Documented Hidden("it is a rule for configuring an API, checked when a namespace is created and not by any message")
            "The name of a namespace has 1 to 50 characters of the segment pattern and occurs once in its API."
            from "APIREF";
        EvtChannel026 "EVT-CHANNEL-026" Must Server Implied Outside
            "The wildcard is one of the five segments: /a/b/c/d/* is accepted and /a/b/c/d/e/* is not."
            from "WSP";
    } };
}
