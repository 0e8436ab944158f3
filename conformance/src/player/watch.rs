//! Measures that ride on every connection: acknowledgement, keep-alives, close codes.

use appsync_protocol::conversation::Heard;
use appsync_protocol::message::{Message, SilenceLimit};
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::OwnedFrame;

/// What has been seen of one connection's times.
#[derive(Default)]
pub(super) struct Watch {
    asked: Option<Moment>,
    alive: Option<Moment>,
}

impl Watch {
    /// Notes when the acknowledgement was asked for.
    pub(super) fn say(&mut self, at: Moment, frame: &OwnedFrame) {
        if matches!(frame, OwnedFrame::Text { text, .. } if text.contains("connection_init")) && self.asked.is_none() {
            self.asked = Some(at);
        }
    }

    /// What a frame of the server lets one measure: milliseconds, or a close code.
    pub(super) fn hear(&mut self, at: Moment, heard: &Heard<'_>, frame: &OwnedFrame) -> Vec<(&'static str, u64)> {
        let mut measures = Vec::new();
        if let OwnedFrame::Close { code: Some(code), .. } = frame {
            measures.push(("close-code", u64::from(*code)));
        }
        let Heard::Message(decoded) = heard else { return measures };
        if let Message::Ack { silence } = &decoded.message {
            if let Some(asked) = self.asked.take() {
                measures.push(("ack-latency", millis(at, asked)));
            }
            if let SilenceLimit::Millis(limit) = silence {
                measures.push(("advertised-timeout", *limit));
            }
        }
        if let Message::KeepAlive = &decoded.message
            && let Some(before) = self.alive.replace(at)
        {
            measures.push(("keep-alive-interval", millis(at, before)));
        }
        measures
    }
}

fn millis(later: Moment, earlier: Moment) -> u64 {
    later.as_millis().saturating_sub(earlier.as_millis())
}
