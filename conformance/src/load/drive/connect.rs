//! From nothing to `connection_ack`: dial, upgrade, init; with the credentials of the run.

use std::time::Duration;

use appsync_protocol::client::Purpose;
use appsync_protocol::dialect::decode;
use appsync_protocol::handshake::build;
use appsync_protocol::message::{Message, error_entries};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::line::Line;
use super::world::World;
use crate::link::Transport;
use crate::load::measure::Metric;
use crate::load::payload::scrambled;

/// A connection that was acknowledged.
pub(crate) type Open = Line<Transport>;

/// Opens connection `number` of a kind; notes how long it took, or counts and complains.
///
/// `intended` is when it should have begun, where that is what is measured.
pub(crate) async fn connect(world: &World, number: u64) -> Option<Open> {
    let from = world.now();
    let plan = world.plan();
    // The dialer has limits of its own for TCP, TLS and the upgrade.
    match open(world, number, plan.patience).await {
        Ok(line) => {
            let took = world.now().saturating_sub(from);
            let mut measured = world.measured.borrow_mut();
            measured.note(Metric::Connect, took);
            measured.counts.connected += 1;
            super::world::add(&world.gauges().connected, 1);
            Some(line)
        }
        Err(why) => {
            world.measured.borrow_mut().counts.failed += 1;
            super::world::add(&world.gauges().failed, 1);
            world.shared.complain(&why);
            None
        }
    }
}

async fn open(world: &World, number: u64, patience: Duration) -> Result<Open, String> {
    let reach = &world.shared.reach;
    let dialect = world.plan().dialect;
    let seed = scrambled(world.plan().seed ^ scrambled(number));
    let credentials = reach.source.credentials(&Purpose::Connect, "{}")?;
    let key = upgrade_key(seed);
    let request = build(dialect, reach.carrier, &credentials, &reach.realtime, &key);
    let upgraded = reach.dialer.upgrade(&reach.realtime, &request).await.map_err(|error| error.to_string())?;
    let response = upgraded.response;
    let Some((stream, rest)) = upgraded.stream else {
        return Err(format!("expected 101 for the upgrade; got status {}", response.status));
    };
    if response.subprotocol() != Some(dialect.subprotocol()) {
        return Err("expected the offered subprotocol; got 101 without it".into());
    }
    let mut line = Line::new(stream, rest, seed);
    line.send(r#"{"type":"connection_init"}"#);
    answer(&mut line, patience, "connection_ack", |text| match decode(dialect, text).ok()?.message {
        Message::Ack { .. } => Some(Ok(())),
        Message::Rejected { errors } => {
            let kinds: Vec<_> =
                error_entries(errors).1.iter().filter_map(|entry| entry.short_type().map(ToOwned::to_owned)).collect();
            Some(Err(format!("the endpoint refuses the connection: {}", kinds.join(", "))))
        }
        Message::Init
        | Message::KeepAlive
        | Message::Subscribe { .. }
        | Message::Granted { .. }
        | Message::Refused { .. }
        | Message::Data { .. }
        | Message::BroadcastFailed { .. }
        | Message::Unsubscribe { .. }
        | Message::Ended { .. }
        | Message::Publish { .. }
        | Message::Published { .. }
        | Message::Unknown { .. } => None,
    })
    .await?;
    Ok(line)
}

/// Waits for the message that `wanted` takes.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    line: &mut Line<S>,
    patience: Duration,
    what: &str,
    mut wanted: impl FnMut(&str) -> Option<Result<(), String>>,
) -> Result<(), String> {
    let mut found = None;
    let waiting = async {
        while found.is_none() {
            let turn = line
                .turn(|bytes| {
                    if let (None, Ok(text)) = (&found, std::str::from_utf8(bytes)) {
                        found = wanted(text);
                    }
                })
                .await;
            if let (None, Err(end)) = (&found, turn) {
                return Err(format!("{end}, before {what}"));
            }
        }
        found.unwrap_or(Ok(()))
    };
    match timeout(patience, waiting).await {
        Ok(result) => result,
        Err(_) => Err(format!("no {what} within {}", humantime::format_duration(patience))),
    }
}

/// Sixteen bytes of the seed: nobody has to be unable to guess them.
fn upgrade_key(seed: u64) -> String {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&scrambled(seed).to_le_bytes());
    bytes[8..].copy_from_slice(&scrambled(seed ^ 1).to_le_bytes());
    crate::link::http::key_from(bytes)
}
