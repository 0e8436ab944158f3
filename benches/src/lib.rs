//! Frames that the benchmarks share, and what a user would write first: the enum to compare with.

pub mod figures;
pub mod floor;

use appsync_protocol::dialect::Dialect;
use serde::Deserialize;
use serde_json::{Value, json};

/// A `data` message of about 150 bytes, as the GraphQL dialect sends it.
pub const GRAPHQL_DATA: &str = r#"{"id":"0b9c1d34-5f0e-4c57-9a3e-2d1f6f0f9a11","type":"data","payload":{"data":{"subscribe2channel":{"name":"robots","data":"{\"x\":31,\"y\":7}"}}}}"#;

/// A `data` message of about 150 bytes, as the Events dialect sends it.
pub const EVENTS_DATA: &str = r#"{"type":"data","id":"0b9c1d34-5f0e-4c57-9a3e-2d1f6f0f9a11","event":"{\"kind\":\"move\",\"x\":31,\"y\":7,\"label\":\"robots in the yard, level 2\"}"}"#;

/// A `data` message of about so many bytes, whose body is JSON in a string: an escape about every four bytes, as AWSJSON
/// and Events have.
pub fn escape_dense(dialect: Dialect, size: usize) -> String {
    let message = |members: usize| {
        let held = json!(format!("{{{}\"end\":0}}", r#""key":"value","#.repeat(members)));
        match dialect {
            Dialect::Graphql => format!(
                r#"{{"id":"{ID}","type":"data","payload":{{"data":{{"subscribe2channel":{{"name":"robots","data":{held}}}}}}}}}"#
            ),
            Dialect::Events => format!(r#"{{"type":"data","id":"{ID}","event":{held}}}"#),
        }
    };
    let (none, one) = (message(0).len(), message(1).len());
    message(size.saturating_sub(none) / (one - none))
}

const ID: &str = "0b9c1d34-5f0e-4c57-9a3e-2d1f6f0f9a11";

/// A `data` message of about so many bytes, as each dialect sends it: below a kilobyte the usual one.
pub fn data_of(dialect: Dialect, size: usize) -> String {
    match dialect {
        Dialect::Graphql if size < 1_000 => GRAPHQL_DATA.into(),
        Dialect::Events if size < 1_000 => EVENTS_DATA.into(),
        Dialect::Graphql | Dialect::Events => escape_dense(dialect, size),
    }
}

/// The internally tagged enum that a user writes first.
#[derive(Deserialize, Debug)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs, reason = "a foil, not an API")]
pub enum Tagged {
    ConnectionAck { payload: Option<Value> },
    Ka,
    StartAck { id: String },
    Data { id: String, payload: Option<Value>, event: Option<Value> },
    Complete { id: String },
    Error { id: Option<String>, payload: Value },
}

/// Plays every scenario that needs no socket against a fresh reference endpoint each; returns how many.
pub fn play_catalogue() -> usize {
    use std::time::Duration;
    use syncspec::player::{Ending, Limits};
    use syncspec::reference::graphql::Engine;
    use syncspec::reference::{Config, Endpoint};
    use syncspec::scenario::{Cast, Need};

    let Ok(engine) = Engine::configured(&Config::default().graphql) else { return 0 };
    let limits = Limits { scenario: Duration::from_secs(2 * 24 * 3600), keep_alive: None, ..Limits::default() };
    let playable = syncspec::catalogue::scenarios().filter(|s| !s.needs.contains(&Need::Socket));
    playable
        .filter(|scenario| {
            let config = Config::default();
            let cast = Cast {
                prefix: "b1-c001".into(),
                api_key: config.api_key().to_owned(),
                ..Cast::example(scenario.dialect)
            };
            let mut endpoint = Endpoint::with_engine(config, &[], engine.fresh());
            syncspec::sim::play(scenario, cast, limits, &mut endpoint).ending == Ending::Met
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_dense_with_escapes_is_a_message_of_that_size() {
        for (dialect, size) in Dialect::ALL.into_iter().flat_map(|dialect| [150, 1_000, 16_000].map(|s| (dialect, s))) {
            let text = escape_dense(dialect, size);
            let escapes = text.matches('\\').count();
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
            assert!(text.len().abs_diff(size) <= 20, "{} of {size}", text.len());
            assert!(size < 1_000 || escapes > text.len() / 8, "{escapes} of {}", text.len());
        }
    }
}
