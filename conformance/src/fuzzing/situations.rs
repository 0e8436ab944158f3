//! Situations that a campaign has to get into; one that does not has shown nothing.

use super::op::word;
use serde::Serialize;

/// Something that a dialogue can run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Situation {
    /// An event arrived after the client had asked to end its subscription, and before that was confirmed.
    StopCrossedData,
    /// A keep-alive came in the last tenth of the silence that is allowed.
    KeepAliveAtTheLimit,
    /// A second subscription was refused for its id while the first one was live.
    DuplicateRefusedWhileLive,
    /// The client closed while the acknowledgement was under way.
    CloseDuringAcknowledgement,
    /// Several subscriptions heard the same publish.
    HeardBySeveral,
    /// An id that had ended was granted again.
    IdUsedAgain,
    /// Something illegible was sent, and a new connection was served afterwards.
    SurvivedAHazard,
    /// An operation was refused, and a later one on the same connection accepted.
    AcceptedAfterARefusal,
}

impl Situation {
    /// Every one.
    pub const ALL: [Self; 8] = [
        Self::StopCrossedData,
        Self::KeepAliveAtTheLimit,
        Self::DuplicateRefusedWhileLive,
        Self::CloseDuringAcknowledgement,
        Self::HeardBySeveral,
        Self::IdUsedAgain,
        Self::SurvivedAHazard,
        Self::AcceptedAfterARefusal,
    ];

    /// Its name.
    pub fn word(self) -> String {
        word(&self)
    }
}
