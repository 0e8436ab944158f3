//! The smallest course that shows each duty. Outputs are read as lines: `> word id` is sent, the rest are events.

mod connection;
mod misuse;
mod operations;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::*;
use crate::dialect::Dialect::{Events, Graphql};
use crate::moment::Timer;

struct Play {
    client: Client,
    at: Moment,
}

impl Play {
    fn new(dialect: Dialect) -> Self {
        Self { client: Client::new(ClientConfig::new(dialect)), at: Moment::START }
    }

    fn dialling(dialect: Dialect) -> Self {
        let mut play = Self::new(dialect);
        play.client.connect(play.at).unwrap();
        play.supply(&Purpose::Connect);
        play.seen();
        play
    }

    fn greeting(dialect: Dialect) -> Self {
        let mut play = Self::dialling(dialect);
        play.client.handle_input(Input::Connected(play.at), 0);
        play.seen();
        play
    }

    fn connected(dialect: Dialect) -> Self {
        let mut play = Self::greeting(dialect);
        play.hear("connection_ack");
        play
    }

    /// Connected, and each id asked for.
    fn asked(dialect: Dialect, ids: &[&str]) -> Self {
        let mut play = Self::connected(dialect);
        for id in ids {
            play.client.subscribe(play.at, id, "/default/a").unwrap();
            play.supply(&subscribe(id));
        }
        play.seen();
        play
    }

    fn live(dialect: Dialect, ids: &[&str]) -> Self {
        let mut play = Self::asked(dialect, ids);
        let word = if dialect == Graphql { "start_ack" } else { "subscribe_success" };
        for id in ids {
            play.hear(&format!("{word} {id}"));
        }
        play
    }

    fn supply(&mut self, purpose: &Purpose) {
        self.client.supply(self.at, purpose, &Credentials::api_key("h", "k")).unwrap();
    }

    fn hear(&mut self, line: &str) -> Vec<String> {
        let text = full_text(self.client.config.dialect, line);
        self.frame(Frame::text(&text))
    }

    fn frame(&mut self, frame: Frame<'_>) -> Vec<String> {
        self.client.handle_input(Input::Frame(self.at, frame), 0);
        self.seen()
    }

    /// Sleeps until the deadline.
    fn sleep(&mut self) -> (Timer, Vec<String>) {
        let deadline = self.client.deadline().unwrap();
        self.at = deadline.at;
        self.client.handle_input(Input::Timeout(self.at), 0);
        (deadline.why, self.seen())
    }

    fn seen(&mut self) -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            match self.client.poll_output() {
                Output::Idle(_) => return seen,
                Output::Dial { .. } => seen.push("dial".into()),
                Output::Transmit(frame) => seen.push(shown(self.client.config.dialect, frame.borrow())),
                Output::Event(event) => seen.push(format!("{event:?}")),
            }
        }
    }

    fn state(&self) -> String {
        self.client.snapshot().connection.to_string()
    }
}

fn full_text(dialect: Dialect, line: &str) -> String {
    if line.starts_with('{') {
        return line.into();
    }
    let (word, id) = line.split_once(' ').unwrap_or((line, ""));
    let more = match (dialect, word) {
        (Graphql, "connection_ack") => r#","payload":{"connectionTimeoutMs":60000}"#,
        (Events, "connection_ack") => r#","connectionTimeoutMs":60000"#,
        (Graphql, "data") => r#","payload":{"data":{"f":1}}"#,
        (Events, "data") => r#","event":"1""#,
        (Graphql, w) if w.ends_with("error") => r#","payload":{"errors":[{"errorType":"E"}]}"#,
        (Events, w) if w.ends_with("error") => r#","errors":[{"errorType":"E"}]"#,
        (Events, "publish_success") => r#","successful":[{"identifier":"i","index":0}],"failed":[]"#,
        _ => "",
    };
    let id = if id.is_empty() { String::new() } else { format!(r#","id":"{id}""#) };
    format!(r#"{{"type":"{word}"{id}{more}}}"#)
}

fn shown(dialect: Dialect, frame: Frame<'_>) -> String {
    match frame {
        Frame::Text { text, .. } => match crate::dialect::decode(dialect, text) {
            Ok(decoded) => {
                let word = crate::dialect::word_of(dialect, &decoded.message).unwrap_or_default();
                format!("> {word} {}", decoded.message.id().unwrap_or_default()).trim_end().into()
            }
            Err(_) => "> (raw)".into(),
        },
        Frame::Close { code, .. } => format!("> close {}", code.unwrap_or_default()),
        Frame::Lost => "> lost".into(),
        Frame::Binary(_) | Frame::Ping(_) | Frame::Pong(_) => "> (control)".into(),
    }
}

fn subscribe(id: &str) -> Purpose {
    Purpose::Subscribe { id: id.into() }
}

fn publish(id: &str) -> Purpose {
    Purpose::Publish { id: id.into() }
}

const CLOSE: Frame<'static> = Frame::Close { code: Some(1000), reason: "" };

fn reconnect(play: &mut Play) -> Vec<String> {
    play.frame(Frame::Lost);
    play.sleep();
    play.supply(&Purpose::Connect);
    play.client.handle_input(Input::Connected(play.at), 0);
    play.seen();
    play.hear("connection_ack")
}
