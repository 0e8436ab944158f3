//! WebSocket frames and JSON text: fragments, UTF-8, sizes and what is not a message.

macro_rules! evt_frame {
    ([$next:ident $($more:ident)*] $($rows:tt)*) => { $next! { [$($more)*] $($rows)*
        EvtFrame001 "EVT-FRAME-001" Must Both Documented Outside
            "Each message of the protocol is one JSON object in one text message."
            from "WSP"
            note "On other messages brokgo/appsync-event-client-go reports an error, amplify-js ignores them, auvred/aws-appsync-events throws.";
        EvtFrame002 "EVT-FRAME-002" Should Server Implied Outside
            "A binary message is met with error or a close, such as 1003, and does no harm."
            from "suite reasoning from the message catalogue"
            note "MiniStack decodes it as text.";
        EvtFrame003 "EVT-FRAME-003" Must Server Standard Outside
            "A text message that comes in fragments is put together and treated as a whole."
            from "RFC 6455 section 5.4";
        EvtFrame004 "EVT-FRAME-004" Must Server Standard Outside
            "A text message that is not valid UTF-8 makes the server fail the connection."
            from "RFC 6455 section 8.1"
            note "Failing the connection is required; the close code 1007 is usual, but no particular code is demanded.";
        EvtFrame005 "EVT-FRAME-005" Must Server Standard Outside
            "A client frame without a mask makes the server close the connection."
            from "RFC 6455 section 5.1"
            note "The close code 1002 is usual, but no particular code is demanded.";
        EvtFrame006 "EVT-FRAME-006" Must Server Standard Outside
            "Reserved bits, reserved opcodes and control frames that are fragmented or longer than 125 bytes make the server fail the connection."
            from "RFC 6455 sections 5.2 and 5.5"
            note "The close code 1002 is usual, but no particular code is demanded.";
        EvtFrame007 "EVT-FRAME-007" Must Server Implied Outside
            "The server takes messages that are large enough for the largest publish, some 1.2 MB of events, and refuses larger ones in an orderly way."
            from "QUOTA"
            note "An error message or the close code 1009 is orderly.";
        EvtFrame008 "EVT-FRAME-008" Must Both Standard Outside
            "The order of members and whitespace between tokens carry no meaning."
            from "RFC 8259 sections 1 and 2; LS (id first); WSP (type first)";
        EvtFrame009 "EVT-FRAME-009" Must Both Standard Outside
            "Compression by permessage-deflate is negotiated or left out freely, and neither side makes it a condition."
            from "RFC 7692 section 5";
        EvtFrame010 "EVT-FRAME-010" Must Server Standard Outside
            "Control frames between the fragments of a message are handled, and the message is not harmed."
            from "RFC 6455 section 5.4";
        EvtFrame011 "EVT-FRAME-011" Must Both Implied Outside
            "JSON with repeated members or deep nesting crashes neither side, whatever else it leads to."
            from "suite reasoning from the message catalogue";
        EvtFrame012 "EVT-FRAME-012" Must Server Implied Outside
            "Two JSON documents in one text message are treated as invalid JSON."
            from "EVT-FRAME-001";
    } };
}
