//! Mutation of JSON as trees.
//!
//! Bytes that are flipped in JSON mostly stop being JSON. Where an input holds a JSON value, one of its nodes is changed:
//! another type, a member dropped, repeated, renamed or reordered, a text made JSON or JSON made a text, nesting, a value
//! from another place. What is no JSON, and every third input, is left to the mutator of bytes.
//!
//! A tree keeps members in order and repeated ones too, which `serde_json::Value` does not.

use std::fmt::Write as _;
use std::sync::LazyLock;

use appsync_protocol::envelope::{Raw, elements, is_array, is_object, members};

/// The mutator of bytes that libFuzzer has: data, size, and the size that is allowed; gives the new size.
pub type OfBytes = fn(&mut [u8], usize, usize) -> usize;

/// With this set, bytes alone are mutated: the speed of a target is measured so.
static BYTES_ONLY: LazyLock<bool> = LazyLock::new(|| std::env::var_os("SYNCSPEC_FUZZ_BYTES_ONLY").is_some());

/// The words of both dialects, and those of their neighbours.
const WORDS: [&str; 40] = [
    "type",
    "id",
    "payload",
    "data",
    "errors",
    "errorType",
    "errorCode",
    "message",
    "extensions",
    "authorization",
    "host",
    "x-api-key",
    "Authorization",
    "connectionTimeoutMs",
    "channel",
    "event",
    "events",
    "successful",
    "failed",
    "index",
    "identifier",
    "connection_init",
    "connection_ack",
    "ka",
    "start",
    "start_ack",
    "stop",
    "complete",
    "error",
    "subscribe",
    "subscribe_success",
    "unsubscribe",
    "publish",
    "publish_success",
    "broadcast_error",
    "next",
    "ping",
    "pong",
    "query",
    "variables",
];

const VALUES: [&str; 20] = [
    "null",
    "true",
    "0",
    "-0",
    "1",
    "1e400",
    "300000",
    "3e5",
    "18446744073709551616",
    "0.1",
    "\"\"",
    "\"a\"",
    "{}",
    "[]",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "[[]]",
    "{\"\":0}",
    "\"{}\"",
    "9007199254740993",
];

/// Changes the JSON in `data`, whole or line by line; gives the new size.
pub fn json(data: &mut [u8], size: usize, max_size: usize, seed: u32, of_bytes: OfBytes) -> usize {
    let mut chance = Chance(u64::from(seed) << 1 | 1);
    if *BYTES_ONLY || chance.below(3) == 0 {
        return of_bytes(data, size, max_size);
    }
    let changed = std::str::from_utf8(&data[..size]).ok().and_then(|text| mutated(text, &mut chance));
    match changed.filter(|changed| changed.len() <= max_size.min(data.len())) {
        Some(changed) => {
            data[..changed.len()].copy_from_slice(changed.as_bytes());
            changed.len()
        }
        None => of_bytes(data, size, max_size),
    }
}

/// The text with the JSON of one of its lines changed; `None` where there is none. What stands before the first brace of a
/// line stays.
pub fn mutated(text: &str, chance: &mut Chance) -> Option<String> {
    let whole = text.find(['{', '[']).filter(|start| Raw::read(&text[*start..]).is_ok());
    let (start, end) = match whole {
        Some(start) => (start, text.len()),
        None => {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let line = *lines.get(chance.below(lines.len().max(1)))?;
            let from = line.as_ptr() as usize - text.as_ptr() as usize;
            let start = from + line.find(['{', '['])?;
            (start, from + line.trim_end_matches('\n').len())
        }
    };
    let raw = Raw::read(text.get(start..end)?).ok()?;
    let mut tree = Tree::of(raw, 0)?;
    for _ in 0..=chance.below(3) {
        let at = chance.below(tree.count());
        let other = tree.at(&mut chance.below(tree.count())).cloned()?;
        change(tree.at(&mut { at })?, other, chance);
    }
    let mut out = text[..start].to_owned();
    tree.write(&mut out);
    out.push_str(&text[end..]);
    Some(out)
}

/// Draws from a seed: xorshift.
pub struct Chance(pub u64);

impl Chance {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or_default() % count.max(1)
    }

    fn pick(&mut self, all: &[&str]) -> String {
        all[self.below(all.len())].to_owned()
    }
}

/// A JSON value with its spelling.
#[derive(Clone)]
enum Tree {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    /// Text of a value without inner values.
    Leaf(String),
}

/// Deeper values stay text.
const DEPTH_MAX: usize = 40;

impl Tree {
    fn of(raw: Raw<'_>, depth: usize) -> Option<Self> {
        if depth > DEPTH_MAX {
            return Some(Self::Leaf(raw.get().into()));
        }
        if is_object(raw) {
            let all = members(raw).into_iter().map(|(name, value)| Some((quoted(&name), Self::of(value, depth + 1)?)));
            return all.collect::<Option<_>>().map(Self::Object);
        }
        if is_array(raw) {
            return elements(raw)
                .into_iter()
                .map(|item| Self::of(item, depth + 1))
                .collect::<Option<_>>()
                .map(Self::Array);
        }
        Some(Self::Leaf(raw.get().into()))
    }

    fn count(&self) -> usize {
        1 + match self {
            Self::Object(all) => all.iter().map(|(_, value)| value.count()).sum(),
            Self::Array(all) => all.iter().map(Self::count).sum(),
            Self::Leaf(_) => 0,
        }
    }

    /// The node of this number, from the root on.
    fn at(&mut self, number: &mut usize) -> Option<&mut Self> {
        if *number == 0 {
            return Some(self);
        }
        *number -= 1;
        match self {
            Self::Object(all) => all.iter_mut().find_map(|(_, value)| value.at(number)),
            Self::Array(all) => all.iter_mut().find_map(|value| value.at(number)),
            Self::Leaf(_) => None,
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Leaf(text) => out.push_str(text),
            Self::Array(all) => {
                for (at, value) in all.iter().enumerate() {
                    out.push(if at == 0 { '[' } else { ',' });
                    value.write(out);
                }
                out.push_str(if all.is_empty() { "[]" } else { "]" });
            }
            Self::Object(all) => {
                for (at, (name, value)) in all.iter().enumerate() {
                    out.push(if at == 0 { '{' } else { ',' });
                    let _ = write!(out, "{name}:");
                    value.write(out);
                }
                out.push_str(if all.is_empty() { "{}" } else { "}" });
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn change(node: &mut Tree, other: Tree, chance: &mut Chance) {
    let value = Tree::Leaf(chance.pick(&VALUES));
    let word = quoted(&chance.pick(&WORDS));
    let kind = chance.below(12);
    match (kind, &mut *node) {
        (0, _) => *node = value,
        (1, _) => *node = other,
        (2, _) => *node = Tree::Leaf(word),
        (3, _) => *node = Tree::Array(vec![node.clone()]),
        (4, _) => *node = Tree::Object(vec![(word, node.clone())]),
        (5, Tree::Leaf(text)) => {
            // A text that holds JSON becomes it.
            let inner = serde_json::from_str::<String>(text).ok();
            let inner = inner.and_then(|inner| Tree::of(Raw::read(&inner).ok()?, 0));
            *node = inner.unwrap_or(value);
        }
        (5 | 6, _) => {
            let mut text = String::new();
            node.write(&mut text);
            *node = Tree::Leaf(quoted(&text));
        }
        (7, Tree::Leaf(text)) => *text = escaped(text),
        (_, Tree::Object(all)) => of_object(all, (word, other, value), chance),
        (8, Tree::Array(all)) => drop(all.pop()),
        (_, Tree::Array(all)) => all.push(other),
        (_, Tree::Leaf(_)) => *node = value,
    }
}

fn of_object(all: &mut Vec<(String, Tree)>, (word, other, value): (String, Tree, Tree), chance: &mut Chance) {
    if all.is_empty() {
        return all.push((word, other));
    }
    let (at, to) = (chance.below(all.len()), chance.below(all.len()));
    match chance.below(6) {
        0 => drop(all.remove(at)),
        1 => {
            // The same name again, with another value.
            let name = all[at].0.clone();
            all.insert(to, (name, value));
        }
        2 => all[at].0 = word,
        3 => all.swap(at, to),
        4 => all[at].0 = escaped(&all[at].0),
        _ => all.push((word, other)),
    }
}

/// The first letter of a text as an escape.
fn escaped(text: &str) -> String {
    let Some(letter) = text.strip_prefix('"').and_then(|rest| rest.chars().next()).filter(char::is_ascii_alphanumeric)
    else {
        return text.to_owned();
    };
    format!("\"\\u{:04x}{}", u32::from(letter), &text[2..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"{"type":"start","id":"a","payload":{"data":"{\"query\":\"x\"}","extensions":{}}}"#;

    #[test]
    fn a_mutation_of_json_is_json_and_mostly_something_else() {
        let mut changed = 0;
        for seed in 1..2000 {
            let mutant = mutated(MESSAGE, &mut Chance(seed)).unwrap_or_default();
            assert!(Raw::read(&mutant).is_ok(), "{mutant}");
            changed += usize::from(mutant != MESSAGE);
        }
        assert!(changed > 1500, "{changed}");
    }

    #[test]
    fn names_are_repeated_and_what_stands_before_the_json_stays() {
        let text = format!("0\n0{MESSAGE}\n");
        let mutants: Vec<_> = (1..2000).filter_map(|seed| mutated(&text, &mut Chance(seed))).collect();

        assert!(mutants.iter().any(|mutant| mutant.matches("\"id\":").count() > 1));
        assert!(!mutants.is_empty() && mutants.iter().all(|mutant| mutant.starts_with("0\n0")));
    }

    #[test]
    fn a_mutation_that_does_not_fit_is_left_to_the_bytes() {
        let mut data = MESSAGE.as_bytes().to_vec();
        let size = data.len();
        let by_bytes: OfBytes = |data, _, _| {
            data[0] = b'#';
            1
        };
        let sizes: Vec<_> = (0..200).map(|seed| json(&mut data, size, size, seed, by_bytes)).collect();

        assert!(sizes.contains(&1) && sizes.iter().all(|new| *new <= size));
    }
}
