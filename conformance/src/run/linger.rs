//! Scenarios that are over and listened to: a late leak fails until the phase ends.
//!
//! Few connections are kept, and not for long: a target may allow few, and nobody should pay for what is most
//! probably silence. The oldest goes first. Before anything is tried again, and before any hazard, all of them
//! are closed.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};

use super::drive::{Late, Lingering};

/// Connections that are kept open at once.
const CONNECTIONS_MAX: usize = 8;

/// How long one is kept open.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Everybody who still listens.
#[derive(Default)]
pub(super) struct Lingerers {
    tasks: JoinSet<Late>,
    /// Connections of each, oldest first, and how it is told to stop.
    stops: VecDeque<(usize, oneshot::Sender<()>)>,
}

impl Lingerers {
    /// Keeps listening on these connections, and on fewer others if there are too many.
    pub(super) async fn keep(&mut self, lingering: Lingering) {
        let wanted = lingering.open();
        if wanted > CONNECTIONS_MAX {
            return lingering.close().await;
        }
        // Whoever has ended by itself lets go of its end.
        self.stops.retain(|(_, stop)| !stop.is_closed());
        while wanted + self.stops.iter().map(|(open, _)| open).sum::<usize>() > CONNECTIONS_MAX {
            self.stops.pop_front();
        }
        let (stop, stopped) = oneshot::channel();
        self.stops.push_back((wanted, stop));
        self.tasks.spawn(lingering.listen(stopped, TIME_MAX));
    }

    /// Tells everybody to stop, and gives what each has heard.
    pub(super) async fn finish(&mut self) -> Result<Vec<Late>, JoinError> {
        self.stops.clear();
        let mut all = Vec::new();
        while let Some(late) = self.tasks.join_next().await {
            all.push(late?);
        }
        Ok(all)
    }
}
