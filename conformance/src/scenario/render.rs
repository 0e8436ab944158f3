//! A scenario as the dialogue a reader would draw; what snapshots keep and failures print.

use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::requirement::Requirement;
use appsync_protocol::transcript::Redactor;
use appsync_protocol::wire::{OwnedFrame, Request};

use super::{Answer, Cast, Firing, Greeting, Need, Publication, Scenario, Step, Wait};

/// Column where the server's half begins.
const SERVER_COLUMN: usize = 46;

/// The dialogue, with its head: id, title, requirements, needs.
pub fn render(scenario: &Scenario) -> String {
    let cast = Cast::example(scenario.dialect);
    let rules: Vec<_> = scenario.covers.iter().map(|rule| format!("{} {rule}", rule.row().level)).collect();
    let mut lines = vec![
        scenario.id.to_owned(),
        format!("  {}", scenario.title),
        format!("  {}", rules.join(", ")),
        format!("  tier {}{}{}", scenario.tier.word(), needs(scenario.needs), hazard(scenario.hazard)),
        String::new(),
        format!("  {:<w$}server", "client", w = SERVER_COLUMN - 2),
    ];
    for step in (scenario.steps)(&cast) {
        lines.extend(step_lines(&step).into_iter().map(|line| format!("  {line}")));
    }
    lines.join("\n") + "\n"
}

fn needs(needs: &[Need]) -> String {
    let all: Vec<_> = needs.iter().map(|need| format!("{need:?}")).collect();
    if all.is_empty() { String::new() } else { format!("   needs {}", all.join(", ")) }
}

const fn hazard(hazard: bool) -> &'static str {
    if hazard { "   hazard" } else { "" }
}

/// The lines of one step.
pub fn step_lines(step: &Step) -> Vec<String> {
    match step {
        Step::Open { conn, request, any_of, rule } => {
            let offered: Vec<_> = request.subprotocols().map(shorten_token).collect();
            let mut what = format!("upgrade {} {}", request.path(), offered.join(", "));
            for name in ["origin", "sec-websocket-extensions"] {
                what.extend(request.headers.first(name).map(|value| format!(" {value}")));
            }
            let mut lines = vec![sent(*conn, &what)];
            lines.extend(received(*conn, any_of.iter().map(Greeting::to_string), *rule, ""));
            lines
        }
        Step::Send { conn, frame } => vec![sent(*conn, &frame_text(frame))],
        Step::Raw { conn, what, .. } => vec![sent(*conn, &format!("bytes: {what}"))],
        Step::Expect { conn, any_of, rule, within } => {
            received(*conn, any_of.iter().map(|p| cut(&p.to_string(), 200)), *rule, wait_text(*within))
        }
        Step::Call { request, any_of, rule } => {
            let mut lines = vec![format!("{} {}", request.method, http_text(request))];
            lines.extend(received(0, any_of.iter().map(Answer::to_string), *rule, ""));
            lines
        }
        Step::Warm { conn, id, attempts, rule } => {
            let how = match attempts.first() {
                Some((_, Publication::Http(request))) => http_text(request),
                Some((_, Publication::Frame(_, frame))) => frame_text(frame),
                Some((_, Publication::Fire(firing))) => firing_text(firing),
                None => String::new(),
            };
            let mut lines =
                vec![format!("warm: publish until the first arrives, at most {} times: {how}", attempts.len())];
            lines.extend(received(*conn, [format!("data id={id:?}")].into_iter(), *rule, ""));
            lines
        }
        Step::Forbid { conn, id, nonce, rule } => {
            let who = id.as_ref().map_or_else(|| "any subscription".into(), |id| format!("{id:?}"));
            vec![format!("from here on, {nonce} must not reach {who} on #{conn} ({rule})")]
        }
        Step::Fire { firing, .. } => vec![format!("use the declared trigger: {}", firing_text(firing))],
        Step::Quiet { conn } => vec![format!("listen on #{conn} for the quiet window")],
        Step::Hangup { conn, code: Some(code) } => vec![sent(*conn, &format!("close {code}"))],
        Step::Hangup { conn, code: None } => vec![sent(*conn, "drop the transport")],
    }
}

fn sent(conn: u8, what: &str) -> String {
    format!("#{conn} {:<w$}-->", cut(what, 2 * SERVER_COLUMN), w = SERVER_COLUMN - 8)
}

fn received(conn: u8, alternatives: impl Iterator<Item = String>, rule: Requirement, wait: &str) -> Vec<String> {
    alternatives
        .enumerate()
        .map(|(n, alternative)| {
            let head = match (n, conn) {
                (0, 0) => String::new(),
                (0, conn) => format!("#{conn}"),
                (_, _) => "or".into(),
            };
            let tail = if n == 0 { format!("   [{rule}{wait}]") } else { String::new() };
            format!("{head:<w$}<-- {alternative}{tail}", w = SERVER_COLUMN - 6)
        })
        .collect()
}

const fn wait_text(wait: Wait) -> &'static str {
    match wait {
        Wait::Answer => "",
        Wait::KeepAlive => ", within a keep-alive period",
        Wait::Seconds(_) => ", within a long while",
    }
}

fn frame_text(frame: &OwnedFrame) -> String {
    match frame {
        OwnedFrame::Text { text, fragments: 1 } => message_text(text),
        OwnedFrame::Text { text, fragments } => format!("{} (in {fragments} fragments)", message_text(text)),
        OwnedFrame::Binary(bytes) => format!("binary message of {} bytes", bytes.len()),
        OwnedFrame::Ping(bytes) => format!("ping {}", String::from_utf8_lossy(bytes)),
        OwnedFrame::Pong(bytes) => format!("pong {}", String::from_utf8_lossy(bytes)),
        OwnedFrame::Close { code, .. } => format!("close {}", code.unwrap_or_default()),
        OwnedFrame::Lost => "drop the transport".into(),
    }
}

/// A message in few words: its type, its id, and what tells it from others.
fn message_text(text: &str) -> String {
    let Some(Json::Object(members)) = parse_json(text) else { return format!("text {}", cut(text, 60)) };
    let mut out = members.get("type").and_then(Json::as_str).unwrap_or("(no type)").to_owned();
    for (name, value) in &members {
        match (name.as_str(), value) {
            ("type" | "authorization", _) => {}
            ("id", Json::String(id)) => out.push_str(&format!(" id={:?}", cut(id, 40))),
            ("payload", Json::Object(payload)) => {
                let data = payload.get("data").map_or_else(|| Json::Object(payload.clone()), Json::clone);
                out.push_str(&format!(" {}", data.as_str().map_or_else(|| data.to_string(), Into::into)));
            }
            (name, value) => out.push_str(&format!(" {name}={value}")),
        }
    }
    out
}

fn http_text(request: &Request) -> String {
    format!("{} {}", request.path(), cut(&request.body.text(), 160))
}

fn firing_text(firing: &Firing) -> String {
    match firing {
        Firing::Http(url, request) => format!("{} {} at {}", request.method, http_text(request), url.authority()),
        Firing::Command { line, nonce, .. } => format!("{} with {nonce}", cut(line, 100)),
    }
}

fn shorten_token(token: &str) -> String {
    if token.starts_with("header-") { "header-(credentials)".into() } else { token.into() }
}

/// A text cut to at most so many characters, with an ellipsis and the length of the whole in bytes. Control
/// characters are escaped, and an escape is never cut. It costs what is kept, not what the text is long.
pub fn cut(text: &str, max: usize) -> String {
    let (head, whole) = head(text, max);
    if whole { head } else { format!("{head}... ({} bytes)", text.len()) }
}

/// The same for what a target said. Secrets are hidden before anything is cut, so that no part of one can stand at
/// the cut in any spelling.
pub fn cut_hidden(text: &str, max: usize, redactor: &Redactor) -> String {
    let end = text.char_indices().nth(max + 2 * SPELLING_MAX).map(|(end, _)| end);
    let Some(end) = end else {
        let (head, whole) = head(&redactor.text(text), max);
        return if whole { head } else { format!("{head}... ({} bytes)", text.len()) };
    };
    // At the end of the window a secret may be cut, and stand there as it is.
    let mut hidden = redactor.text(&text[..end]);
    let last = hidden.char_indices().rev().nth(SPELLING_MAX - 1).map_or(0, |(at, _)| at);
    hidden.truncate(last);
    format!("{}... ({} bytes)", head(&hidden, max).0, text.len())
}

/// Longest spelling of a secret, in characters.
const SPELLING_MAX: usize = 1_024;

/// As much of a text as `max` characters show, and whether that is the whole.
fn head(text: &str, max: usize) -> (String, bool) {
    let (mut shown, mut left) = (String::new(), max);
    for c in text.chars() {
        let width = if c.is_control() { c.escape_default().len() } else { 1 };
        if width > left {
            return (shown, false);
        }
        left -= width;
        if c.is_control() {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    (shown, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "da2-abcdefghijklmnopqrstuvwxyz";

    #[test]
    fn a_text_is_cut_at_a_character_and_says_how_long_it_was() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("ab\u{e9}d", 3), "ab\u{e9}... (5 bytes)");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn an_escape_is_shown_whole_or_not_at_all() {
        assert_eq!(cut("a\u{1b}b", 8), "a\\u{1b}b");
        assert_eq!(cut("a\u{1b}b", 5), "a... (3 bytes)");
    }

    #[test]
    fn no_part_of_a_secret_stands_at_a_cut_wherever_it_is() {
        let redactor = Redactor::new(&[("key", KEY)]);
        let encoded = appsync_protocol::handshake::base64::encode_standard(format!("{{\"k\":\"{KEY}\"}}").as_bytes());
        for secret in [KEY, encoded.as_str()] {
            for before in (0..=60).chain(2_000..=2_120) {
                let text = format!("{}{secret}{}", "x".repeat(before), "y".repeat(3_000));
                let shown = cut_hidden(&text, 50, &redactor);
                assert!(!shown.contains(&secret[..8]), "{before}: {shown}");
            }
            let many = secret.repeat(500);
            assert!(!cut_hidden(&many, 5_000, &redactor).contains(&secret[..12]), "{secret}");
        }
    }

    #[test]
    fn a_short_text_is_hidden_and_not_cut() {
        let redactor = Redactor::new(&[("key", KEY)]);

        assert_eq!(cut_hidden(&format!("it is {KEY}!"), 30, &redactor), "it is ${key:1}!");
        assert_eq!(cut_hidden("abcdef", 3, &redactor), "abc... (6 bytes)");
    }
}
