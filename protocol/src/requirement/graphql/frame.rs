//! Framing: JSON in text frames, control frames, and tolerance for what is not expected.

macro_rules! gql_frame {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        GqlFrame001 "GQL-FRAME-001" Must Both Documented Outside
            "Every message is one JSON object with a type that is a string."
            from "D-RTC";
        GqlFrame002 "GQL-FRAME-002" Must Both Standard Outside
            "Messages travel in text frames whose content is UTF-8."
            from "RFC 6455 section 5.6; JS-WS L624"
            note "The standard gives the encoding; that frames are of the text kind is what all peers do.";
        GqlFrame003 "GQL-FRAME-003" Should Client Implied NotYetJudged
            "The client ignores binary frames."
            from "JS-WS L624, L948";
        GqlFrame004 "GQL-FRAME-004" Must Both Observed Outside
            "The order of the properties of a message is of no importance."
            from "FRAMES; GQLPY tests";
        GqlFrame005 "GQL-FRAME-005" Should Both Implied Outside
            "Properties that are not known are ignored."
            from "SIM"
            note "Clients accept the additional payloads of the Amplify simulator.";
        GqlFrame006 "GQL-FRAME-006" Must Server Standard Outside
            "The service answers a WebSocket ping with a pong."
            from "RFC 6455 section 5.5.2";
        GqlFrame007 "GQL-FRAME-007" Must Client Standard NotYetJudged
            "The client answers a WebSocket ping with a pong."
            from "RFC 6455 section 5.5.2";
        GqlFrame008 "GQL-FRAME-008" Must Server Standard Outside
            "A text message that comes in several fragments is accepted."
            from "RFC 6455 section 5.4";
        GqlFrame009 "GQL-FRAME-009" Must Server Standard Outside
            "Any legal JSON escape in payload.data is understood, Unicode escapes and an escaped slash included."
            from "RFC 8259 section 7";
        GqlFrame010 "GQL-FRAME-010" Must Server Implied Outside
            "Malformed JSON does not crash the service, which then either serves later messages or closes cleanly."
            from "no source (robustness)"
            note "The Amplify simulator parses outside its try block and ends its process; the overcast emulator ignores the message.";
        GqlFrame011 "GQL-FRAME-011" Must Both Standard Outside
            "Frames of the client are masked and frames of the service are not."
            from "RFC 6455 section 5.1";
        GqlFrame012 "GQL-FRAME-012" Must Client Implied NotYetJudged
            "The client sends no message of another subprotocol, such as subscribe, connection_terminate, ping or pong."
            from "D-RTC (its list of messages)"
            note "APOLLO (apollo-kotlin) sends pong; ANDROID (amplify-android) has connection_terminate in an enumeration only.";
    } };
}
