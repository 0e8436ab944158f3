//! The scalars of the service, as the built-in GraphQL API admits them.
//!
//! The invariant: a value is admitted exactly if a second formulation says so: a regular expression with a calendar of
//! another library for dates and times, another parser for addresses, a regular expression for the shapes of the rest.
//!
//! The first byte is the scalar, the rest is the JSON text of the value.

use std::sync::LazyLock;

use appsync_protocol::json::parse_json;
use appsync_protocol::server::Identity;
use chrono::{NaiveDate, NaiveTime};
use regex::Regex;
use serde_json::{Value, json};
use syncspec::reference::graphql::{Engine, RequestError};

use crate::reach::Point;

static ADMITTED: Point = Point::new("scalars/admitted");
static REFUSED: Point = Point::new("scalars/refused");
/// Where the oracle speaks.
pub static POINTS: [&Point; 2] = [&ADMITTED, &REFUSED];

const SCALARS: [&str; 9] =
    ["AWSDate", "AWSTime", "AWSDateTime", "AWSTimestamp", "AWSEmail", "AWSURL", "AWSPhone", "AWSIPAddress", "AWSJSON"];

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let arguments: String = SCALARS.iter().map(|scalar| format!("  on{scalar}(v: {scalar}): String\n")).collect();
    let sdl = format!(
        "type Query {{ a: String }}\ntype Mutation {{ m: String }}\ntype Subscription {{\n{arguments}}}\n\
         schema {{ query: Query mutation: Mutation subscription: Subscription }}"
    );
    Engine::new(&sdl).unwrap_or_else(|error| panic!("{error}"))
});

/// One input.
pub fn run(input: &[u8]) {
    let Some((which, rest)) = input.split_first() else { return };
    let Ok(value) = serde_json::from_slice::<Value>(rest) else { return };
    // GraphQL makes a list of one out of a value and knows null by itself.
    if value.is_null() || value.is_array() {
        return;
    }
    let scalar = SCALARS[usize::from(*which) % SCALARS.len()];
    let request = json!({
        "query": format!("subscription S($v: {scalar}) {{ on{scalar}(v: $v) }}"),
        "variables": { "v": value },
    });
    let planned = ENGINE.subscribe(&request.to_string(), &Identity::default());
    assert!(matches!(planned, Ok(_) | Err(RequestError::Variables(_))), "{scalar} {value}: {planned:?}");
    let expected = admits(scalar, &value);
    assert_eq!(planned.is_ok(), expected, "{scalar} {value}");
    if expected { ADMITTED.reached() } else { REFUSED.reached() }
}

fn compiled(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| panic!("{error}"))
}

const DATE: &str = "-?([0-9]{4})-([0-9]{2})-([0-9]{2})";
const TIME: &str = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?";
const OFFSET: &str = "(?:Z|[+-]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?)";

static DATES: LazyLock<Regex> = LazyLock::new(|| compiled(&format!("^{DATE}{OFFSET}?$")));
static TIMES: LazyLock<Regex> = LazyLock::new(|| compiled(&format!("^{TIME}{OFFSET}?$")));
static DATE_TIMES: LazyLock<Regex> = LazyLock::new(|| compiled(&format!("^{DATE}T{TIME}{OFFSET}$")));
static PHONES: LazyLock<Regex> =
    LazyLock::new(|| compiled(r"^(?:\+(?:[ -]*[0-9]){7,15}[ -]*|[ -]*1?(?:[ -]*[0-9]){10}[ -]*)$"));
static URLS: LazyLock<Regex> = LazyLock::new(|| compiled(r"^[A-Za-z][A-Za-z0-9+.-]*:(?://)?([^?#]+)(?:[?#].*)?$"));
static EMAILS: LazyLock<Regex> = LazyLock::new(|| {
    let atom = r#"[^\s@<>(),;:\[\]\\".\x00-\x1f\x7f-\u{9f}]+"#;
    compiled(&format!("^(?:{atom}(?:\\.{atom})*|\"[^\"\\\\\\r\\n]+\")@(?:{atom}(?:\\.{atom})*|\\[([0-9.]+)\\])$"))
});

fn admits(scalar: &str, value: &Value) -> bool {
    if scalar == "AWSTimestamp" {
        return value.as_i64().is_some_and(|at| (-31_557_014_167_219_200..=31_556_889_864_403_199).contains(&at));
    }
    let Some(text) = value.as_str() else { return false };
    match scalar {
        "AWSDate" => DATES.captures(text).is_some_and(|parts| is_day(&parts, 1) && is_offset(&parts, 4)),
        "AWSTime" => TIMES.captures(text).is_some_and(|parts| is_clock(&parts, 1) && is_offset(&parts, 4)),
        "AWSDateTime" => {
            let parts = DATE_TIMES.captures(text);
            parts.is_some_and(|parts| is_day(&parts, 1) && is_clock(&parts, 4) && is_offset(&parts, 7))
        }
        "AWSEmail" => EMAILS.captures(text).is_some_and(|parts| {
            parts.get(1).is_none_or(|address| address.as_str().parse::<std::net::Ipv4Addr>().is_ok())
        }),
        "AWSURL" => {
            let path = URLS.captures(text).map(|parts| parts[1].to_owned());
            path.is_some_and(|path| !path.contains("//")) && !text.contains(char::is_whitespace)
        }
        "AWSPhone" => PHONES.is_match(text),
        "AWSIPAddress" => is_address(text),
        "AWSJSON" => parse_json(text).is_some(),
        other => panic!("{other} is no scalar"),
    }
}

fn part(parts: &regex::Captures<'_>, at: usize) -> Option<u32> {
    parts.get(at)?.as_str().parse().ok()
}

fn is_day(parts: &regex::Captures<'_>, at: usize) -> bool {
    let day = |year| NaiveDate::from_ymd_opt(year, part(parts, at + 1)?, part(parts, at + 2)?);
    part(parts, at).and_then(|year| day(i32::try_from(year).ok()?)).is_some()
}

fn is_clock(parts: &regex::Captures<'_>, at: usize) -> bool {
    let second = part(parts, at + 2).unwrap_or_default();
    let time = || NaiveTime::from_hms_opt(part(parts, at)?, part(parts, at + 1)?, second);
    time().is_some()
}

fn is_offset(parts: &regex::Captures<'_>, at: usize) -> bool {
    parts.get(at).is_none() || is_clock(parts, at)
}

fn is_address(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<std::net::IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    // A number of up to three digits with or without leading zeros, as the parser of the library reads it.
    let is_number = |bits: &str| !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    bits.is_none_or(|bits| {
        is_number(bits)
            && bits.trim_start_matches('0').parse().unwrap_or(0_u64) <= most
            && bits.trim_start_matches('0').len() <= 3
    })
}
