//! How much a peer has said to somebody who waits for one answer.

use appsync_protocol::wire::OwnedFrame;

/// What a frame costs besides its payload.
const FRAME_COST: usize = 256;

/// Bytes of payload heard, and [`FRAME_COST`] for each frame, against a limit.
pub(crate) struct Heard {
    bytes: usize,
    max: usize,
}

impl Heard {
    /// Nothing heard; up to `max` is not too much.
    pub(crate) const fn up_to(max: usize) -> Self {
        Self { bytes: 0, max }
    }

    /// Counts a frame.
    pub(crate) fn add(&mut self, frame: &OwnedFrame) {
        self.bytes = self.bytes.saturating_add(cost(frame));
    }

    /// Whether it is more than the limit.
    pub(crate) const fn is_too_much(&self) -> bool {
        self.bytes > self.max
    }
}

fn cost(frame: &OwnedFrame) -> usize {
    FRAME_COST
        + match frame {
            OwnedFrame::Text { text, .. } => text.len(),
            OwnedFrame::Binary(bytes) | OwnedFrame::Ping(bytes) | OwnedFrame::Pong(bytes) => bytes.len(),
            OwnedFrame::Close { reason, .. } => reason.len(),
            OwnedFrame::Lost => 0,
        }
}
