//! The dialogue as a POSIX shell script, with `websocat` for each connection and `curl` beside them.
//!
//! A pipe cannot wait for an answer, so the script keeps the pauses of the recording instead, none too short for an
//! answer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use appsync_protocol::wire::{OwnedFrame, Request};

use super::{Script, Step, remark, step};
use crate::report::text::obeyed;

/// Shortest pause between two messages, in milliseconds: a program has to start, and an answer to come.
const PAUSE_MIN_MS: u64 = 200;

/// Longest pause between two messages, in milliseconds.
const PAUSE_MAX_MS: u64 = 5_000;

/// What every script begins with, after its own variables.
const HELPERS: &str = r#"
host=${SYNCSPEC_ENDPOINT#*://}
token=$(printf '{"host":"%s","x-api-key":"%s"}' "$host" "$SYNCSPEC_API_KEY" | base64 | tr -d '\n')
in_query=$(printf '%s' "$token" | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')
in_token=$(printf '%s' "$token" | tr '+/' '-_' | tr -d '=')
"#;

/// One connection: how it is opened, and its lines.
struct Connection {
    url: String,
    offered: String,
    body: String,
    /// When it is opened, and when it said its last message, in milliseconds of the script.
    opened_ms: u64,
    at_ms: u64,
}

/// The whole script.
pub(super) fn program(script: &Script<'_>) -> String {
    let mut out = String::from("#!/bin/sh\n");
    for line in script.about() {
        out.push_str(remark(&line).replace("# \n", "#\n").as_str());
    }
    out.push_str(
        "#\n# Needs websocat and curl, and the key in SYNCSPEC_API_KEY. Another server: SYNCSPEC_REALTIME=ws://HOST:PORT\n\
         # and SYNCSPEC_ENDPOINT=http://HOST:PORT. Pauses are those of the recording, of 0.2 s to 5 s each.\nset -eu\n: \
         \"${SYNCSPEC_API_KEY:?the report does not hold it}\"\n",
    );
    for label in labels(script) {
        let _ = writeln!(out, ": \"${{{label}:?the report does not hold it}}\"");
    }
    let _ = writeln!(out, "SYNCSPEC_REALTIME=${{SYNCSPEC_REALTIME:-{}}}", quoted(&script.realtime()));
    let _ = writeln!(out, "SYNCSPEC_ENDPOINT=${{SYNCSPEC_ENDPOINT:-{}}}", quoted(&script.endpoint()));
    out.push_str(HELPERS);
    let host = script.host();
    let mut connections: BTreeMap<u32, Connection> = BTreeMap::new();
    let mut calls = String::new();
    let (mut clock_ms, mut before_ms) = (0, 0);
    for entry in script.entries {
        let at_ms = entry.at.as_millis();
        let step = step(entry);
        // What came takes no time here; whatever the client does waits for it.
        if !matches!(step, Step::Hear(_) | Step::Remark(_)) {
            clock_ms += at_ms.saturating_sub(before_ms).clamp(PAUSE_MIN_MS, PAUSE_MAX_MS);
            before_ms = at_ms;
        }
        match step {
            Step::Open { path, offered, answer } => {
                if let Some(before) = connections.remove(&entry.connection) {
                    flush(&mut out, entry.connection, &before);
                }
                let connection = Connection {
                    url: format!("\"$SYNCSPEC_REALTIME\"{}", filled(path, &host, "$in_query")),
                    offered: filled(&offered.join(","), &host, "$in_token"),
                    opened_ms: clock_ms,
                    body: format!("    {}", remark(&format!("recorded: {answer}"))),
                    at_ms: clock_ms,
                };
                connections.insert(entry.connection, connection);
            }
            Step::Say(frame) => {
                if let Some(connection) = connections.get_mut(&entry.connection) {
                    connection.pause(clock_ms);
                    connection.body.push_str(&format!("    {}", said(frame, &host)));
                }
            }
            Step::Hear(frame) => {
                if let Some(connection) = connections.get_mut(&entry.connection) {
                    connection.body.push_str(&format!("    {}", heard(frame)));
                }
            }
            Step::Ask { request, status } => calls.push_str(&asked(request, status, clock_ms, &host)),
            Step::Remark(text) => out.push_str(&remark(&format!("at {at_ms} ms: {text}"))),
        }
    }
    for (number, connection) in connections {
        flush(&mut out, number, &connection);
    }
    out.push_str(&calls);
    out.push_str("wait\n");
    out
}

impl Connection {
    fn pause(&mut self, at_ms: u64) {
        let pause = at_ms.saturating_sub(self.at_ms);
        if pause > 0 {
            let _ = writeln!(self.body, "    {}", sleep(pause));
        }
        self.at_ms = at_ms;
    }
}

fn flush(out: &mut String, number: u32, connection: &Connection) {
    let offered =
        if connection.offered == "''" { String::new() } else { format!(" --protocol {}", connection.offered) };
    let _ = write!(
        out,
        "(\n{}\n{{\n{}    sleep 5\n}} | websocat --text{offered} {} 2>&1 | sed 's/^/#{number} got: /'\n) &\n",
        sleep(connection.opened_ms),
        connection.body,
        connection.url
    );
}

fn sleep(ms: u64) -> String {
    format!("sleep {}.{:03}", ms / 1000, ms % 1000)
}

fn said(frame: &OwnedFrame, host: &str) -> String {
    match frame {
        OwnedFrame::Text { text, fragments } => {
            let mut line = String::new();
            if *fragments > 1 {
                line.push_str(
                    &remark(&format!("in {fragments} fragments, which websocat cannot do")).replace('\n', "\n    "),
                );
            }
            if text.contains(['\n', '\r']) {
                line.push_str("# line breaks of this message became spaces\n    ");
            }
            let text = harmless(&text.replace(['\n', '\r'], " "));
            line.push_str(&format!("printf '%s\\n' {}\n", filled(&text, host, "$in_token")));
            line
        }
        OwnedFrame::Close { .. } | OwnedFrame::Lost => remark("the client ended the connection here"),
        OwnedFrame::Binary(bytes) => {
            remark(&format!("binary ({} bytes), which websocat --text cannot do", bytes.len()))
        }
        OwnedFrame::Ping(bytes) | OwnedFrame::Pong(bytes) => {
            remark(&format!("a control frame ({} bytes), which websocat cannot do", bytes.len()))
        }
    }
}

/// With escapes of JSON in the place of what a terminal obeys: within a JSON text they mean the same.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if obeyed(c) {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

fn heard(frame: &OwnedFrame) -> String {
    match frame {
        OwnedFrame::Text { text, fragments: _ } => remark(&format!("recorded: {text}")),
        OwnedFrame::Binary(bytes) => remark(&format!("recorded: binary ({} bytes)", bytes.len())),
        OwnedFrame::Close { code, reason } => {
            let code = code.map_or_else(|| "without code".into(), |code| code.to_string());
            remark(&format!("recorded: close {code} {reason}"))
        }
        OwnedFrame::Lost => remark("recorded: the end of the transport"),
        OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => remark("recorded: a control frame"),
    }
}

fn asked(request: &Request, status: u16, at_ms: u64, host: &str) -> String {
    let mut out = format!("(\n    {}\n    curl -sS -X {}", sleep(at_ms), quoted(&request.method));
    for (name, value) in request
        .headers
        .iter()
        .filter(|(name, _)| !["host", "content-length"].contains(&name.to_ascii_lowercase().as_str()))
    {
        let _ = write!(out, " -H {}", filled(&format!("{name}: {value}"), host, "$in_token"));
    }
    if !request.body.0.is_empty() {
        let _ = write!(out, " --data-raw {}", filled(&request.body.text(), host, "$in_token"));
    }
    let _ = write!(
        out,
        " \"$SYNCSPEC_ENDPOINT\"{}\n    echo\n    {}) &\n",
        filled(&request.target, host, "$in_query"),
        remark(&format!("recorded: {status}"))
    );
    out
}

/// Names of the variables that secrets other than the key come from.
fn labels(script: &Script<'_>) -> Vec<String> {
    let mut labels: Vec<String> = script
        .case
        .trace
        .iter()
        .flat_map(|entry| placeholders(&entry.to_string()).into_iter().map(|(_, name)| name).collect::<Vec<_>>())
        .filter(|name| name != "SYNCSPEC_API_KEY")
        .collect();
    labels.sort();
    labels.dedup();
    labels
}

/// Each `${label:1}` of a text, and the variable it stands for.
fn placeholders(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for part in text.split("${").skip(1) {
        let Some((inside, _)) = part.split_once('}') else { continue };
        let Some((label, number)) = inside.split_once(':') else { continue };
        let is_label = !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        if is_label && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
            let name = if label == "key" { "API_KEY".into() } else { label.to_uppercase().replace('-', "_") };
            found.push((format!("${{{inside}}}"), format!("SYNCSPEC_{name}")));
        }
    }
    found
}

/// A word of the shell with placeholders as variables; nothing else in it is expanded.
fn filled(text: &str, host: &str, credentials: &str) -> String {
    let mut variables: Vec<(String, String)> = placeholders(text);
    variables.push(("payload=${credentials}".into(), "payload=e30%3D".into()));
    variables.push(("${credentials}".into(), credentials.into()));
    if !host.is_empty() {
        variables.push((host.into(), "$host".into()));
    }
    // Pieces of the word, and whether a variable stands in them already.
    let mut out: Vec<(bool, String)> = vec![(false, text.replace('\0', " "))];
    for (from, to) in variables {
        let to = if to.starts_with("SYNCSPEC_") { format!("${to}") } else { to };
        out = out
            .into_iter()
            .flat_map(|(done, text)| {
                if done {
                    return vec![(true, text)];
                }
                let mut pieces = Vec::new();
                for (n, piece) in text.split(from.as_str()).enumerate() {
                    if n > 0 {
                        pieces.push((true, to.clone()));
                    }
                    pieces.push((false, piece.to_owned()));
                }
                pieces
            })
            .collect();
    }
    let word: String = out
        .into_iter()
        .filter(|(done, text)| *done || !text.is_empty())
        .map(|(done, text)| if done { format!("\"{text}\"") } else { quoted(&text) })
        .collect();
    if word.is_empty() { "''".into() } else { word }
}

/// A word of the shell in which nothing is expanded. What a terminal would obey is spelled out, for `printf` to make.
fn quoted(text: &str) -> String {
    let (text, single) = (text.replace('\0', " "), |text: &str| format!("'{}'", text.replace('\'', r"'\''")));
    if !text.contains(obeyed) {
        return single(&text);
    }
    // Of what a command prints, the shell drops the line ends at the end.
    let body = text.trim_end_matches('\n');
    let mut octal = String::new();
    for c in body.chars() {
        if obeyed(c) || c == '\\' {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|byte| octal.push_str(&format!("\\0{byte:03o}")));
        } else {
            octal.push(c);
        }
    }
    let ends = &text[body.len()..];
    let ends = if ends.is_empty() { String::new() } else { single(ends) };
    format!("\"$(printf '%b' {})\"{ends}", single(&octal))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_word_is_what_the_shell_reads_and_nothing_in_it_is_obeyed() {
        for text in ["it's", r"a\b $HOME `x`", "\u{9b}31m", "a\nb\r\n\n", "\u{1b}[2J\\033 it's", "\u{202e}x", ""] {
            let word = quoted(text);

            let read = Command::new("sh").arg("-c").arg(format!("printf '%s.' {word}")).output().unwrap().stdout;

            assert_eq!(String::from_utf8(read).unwrap(), format!("{text}."), "{word}");
            assert!(!word.chars().any(|c| obeyed(c) && c != '\n'), "{word:?}");
        }
    }
}
