//! Limits of a target, found by trying: for targets of one's own only.
//!
//! Each is looked for between two bounds in a bounded number of tries. What is refused at the lower bound, and what is
//! taken at the upper one, is told as such: a limit that is not within the bounds is not made up.

use appsync_protocol::dialect::Dialect;
use serde_json::json;

use super::dialogue::{Answer, Dialogue};
use crate::profile::{Measured, Profile};

/// Most subscriptions that are tried on one connection.
const SUBSCRIPTIONS_MAX: u64 = 256;
/// Least and most bytes of a message that are tried.
const MESSAGE_BYTES: (u64, u64) = (1_024, 4 * 1_024 * 1_024);
/// Least and most bytes of an event that are tried.
const EVENT_BYTES: (u64, u64) = (1_024, 1_024 * 1_024);
/// Most events that are tried in one publish.
const EVENTS_MAX: u64 = 16;
/// A limit is known well enough when the bounds are this close.
const CLOSE_ENOUGH: u64 = 1_024;

/// Looks for every limit that the dialect has.
pub(crate) async fn measure(dialogue: &Dialogue<'_>, dialect: Dialect, profile: &mut Profile) {
    if let Some(found) = subscriptions(dialogue).await {
        profile.limits.insert("subscriptions-per-connection".into(), found);
    }
    let message = bisect(MESSAGE_BYTES, CLOSE_ENOUGH, async |bytes| takes_message(dialogue, bytes).await).await;
    profile.limits.insert("message".into(), measured(message, "bytes"));
    match dialect {
        Dialect::Graphql => {}
        Dialect::Events => {
            let takes = async |bytes| publishes(dialogue, 1, bytes).await;
            let event = bisect(EVENT_BYTES, CLOSE_ENOUGH, takes).await;
            profile.limits.insert("event".into(), measured(event, "bytes"));
            let takes = async |count| publishes(dialogue, count, 16).await;
            let events = bisect((1, EVENTS_MAX), 1, takes).await;
            profile.limits.insert("events-per-publish".into(), measured(events, "events"));
        }
    }
}

fn measured((taken, refused): (u64, Option<u64>), unit: &str) -> Measured {
    Measured { taken, refused, unit: unit.into() }
}

/// The largest value that is taken and the smallest that is refused, as close as wanted, in at most
/// log2(high - low) + 2 tries.
async fn bisect((low, high): (u64, u64), close: u64, mut takes: impl AsyncFnMut(u64) -> bool) -> (u64, Option<u64>) {
    if !takes(low).await {
        return (0, Some(low));
    }
    if takes(high).await {
        return (high, None);
    }
    let (mut taken, mut refused) = (low, high);
    while refused - taken > close {
        let middle = taken + (refused - taken) / 2;
        if takes(middle).await {
            taken = middle;
        } else {
            refused = middle;
        }
    }
    (taken, Some(refused))
}

/// Starts subscriptions on one connection until one is refused.
async fn subscriptions(dialogue: &Dialogue<'_>) -> Option<Measured> {
    let mut socket = dialogue.open().await.ok()?.socket?;
    let Answer::Yes(_) = dialogue.init(&mut socket).await else { return None };
    let mut found = Measured { taken: 0, refused: None, unit: "subscriptions".into() };
    for n in 1..=SUBSCRIPTIONS_MAX {
        let (id, topic) = (format!("syncspec-{n}"), dialogue.topic(&format!("limit-{n}")));
        let start = dialogue.start(&id, &topic);
        match dialogue.ask_as(&mut socket, &start, &id).await {
            Answer::Yes(_) => found.taken = n,
            Answer::No(_) => {
                found.refused = Some(n);
                break;
            }
            Answer::End(_) | Answer::Silence => break,
        }
    }
    dialogue.close(&mut socket).await;
    Some(found)
}

/// Whether an acknowledgement is given for a message of this length.
async fn takes_message(dialogue: &Dialogue<'_>, bytes: u64) -> bool {
    let Ok(opened) = dialogue.open().await else { return false };
    let Some(mut socket) = opened.socket else { return false };
    let filler = "x".repeat(usize::try_from(bytes).unwrap_or(usize::MAX).saturating_sub(60));
    let message = json!({ "type": "connection_init", "payload": { "filler": filler } }).to_string();
    let taken = matches!(dialogue.init_with(&mut socket, &message).await, Answer::Yes(_));
    dialogue.close(&mut socket).await;
    taken
}

/// Whether a publish of so many events of this length is taken.
async fn publishes(dialogue: &Dialogue<'_>, count: u64, bytes: u64) -> bool {
    let filler = json!("x".repeat(usize::try_from(bytes).unwrap_or(usize::MAX)));
    let events = vec![filler; usize::try_from(count).unwrap_or(usize::MAX)];
    let request = dialogue.cast().http_publish(&dialogue.topic("limit"), &events);
    dialogue.http(&request).await.is_ok_and(|answer| answer.status == 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_limit_is_closed_in_from_both_sides_in_few_tries() {
        let mut tries = 0;
        let found = bisect((1_024, 4 * 1_024 * 1_024), 1_024, async |bytes| {
            tries += 1;
            bytes <= 245_760
        })
        .await;

        let (taken, Some(refused)) = found else { panic!("{found:?}") };
        assert!(taken <= 245_760 && 245_760 < refused && refused - taken <= 1_024, "{found:?}");
        assert!(tries <= 15, "{tries}");
    }

    #[tokio::test]
    async fn a_limit_outside_the_bounds_is_not_made_up() {
        assert_eq!(bisect((1, 16), 1, async |_| true).await, (16, None));
        assert_eq!(bisect((1, 16), 1, async |_| false).await, (0, Some(1)));
        assert_eq!(bisect((1, 16), 1, async |n| n <= 5).await, (5, Some(6)));
    }
}
