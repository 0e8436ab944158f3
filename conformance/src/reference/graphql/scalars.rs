//! Which JSON values the service's scalars admit.
//!
//! The rules are those of the service's own descriptions of its types; a value is admitted or not and
//! never changed. Calendar and clock are checked by shape and range, addresses and numbers by shape.

use std::net::{Ipv4Addr, Ipv6Addr};

use appsync_protocol::json::{Json, parse_json};

/// A test of one value.
type Admits = fn(&Json) -> bool;

/// The service's scalars, which a schema uses without declaring them.
pub(super) const AWS_SCALARS: [(&str, Admits); 9] = [
    ("AWSJSON", |value| text(value, |text| parse_json(text).is_some())),
    ("AWSDateTime", |value| text(value, is_date_time)),
    ("AWSDate", |value| text(value, is_date)),
    ("AWSTime", |value| text(value, is_time)),
    ("AWSTimestamp", |value| value.as_i64().is_some_and(|at| EPOCH_SECONDS.contains(&at))),
    ("AWSEmail", |value| text(value, is_email)),
    ("AWSURL", |value| text(value, is_url)),
    ("AWSPhone", |value| text(value, is_phone)),
    ("AWSIPAddress", |value| text(value, is_ip_address)),
];

const EPOCH_SECONDS: std::ops::RangeInclusive<i64> = -31_557_014_167_219_200..=31_556_889_864_403_199;

/// Whether scalar `name` admits `value`, which is not null. Scalars nobody described admit everything.
pub(super) fn admits(name: &str, value: &Json) -> bool {
    match name {
        "Int" => value.as_i64().is_some_and(|int| i32::try_from(int).is_ok()),
        "Float" => value.is_number(),
        "String" => value.is_string(),
        "Boolean" => value.is_boolean(),
        "ID" => value.is_string() || value.is_i64() || value.is_u64(),
        other => AWS_SCALARS.iter().find(|(name, _)| *name == other).is_none_or(|(_, admits)| admits(value)),
    }
}

fn text(value: &Json, admits: fn(&str) -> bool) -> bool {
    value.as_str().is_some_and(admits)
}

fn is_date_time(text: &str) -> bool {
    after_date(text).and_then(|rest| rest.strip_prefix('T')).and_then(after_time).is_some_and(is_offset)
}

fn is_date(text: &str) -> bool {
    after_date(text).is_some_and(|rest| rest.is_empty() || is_offset(rest))
}

fn is_time(text: &str) -> bool {
    after_time(text).is_some_and(|rest| rest.is_empty() || is_offset(rest))
}

/// What follows a `YYYY-MM-DD` that is in the calendar; the year may be negative.
fn after_date(text: &str) -> Option<&str> {
    let (year, rest) = digits(text.strip_prefix('-').unwrap_or(text), 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    (1..=days).contains(&day).then_some(rest)
}

/// What follows a `hh:mm[:ss[.fraction]]`.
fn after_time(text: &str) -> Option<&str> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    if hour > 23 || minute > 59 {
        return None;
    }
    let Some(rest) = rest.strip_prefix(':') else {
        return Some(rest);
    };
    let (second, rest) = digits(rest, 2)?;
    if second > 59 {
        return None;
    }
    let Some(fraction) = rest.strip_prefix('.') else {
        return Some(rest);
    };
    let rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    (1..=9).contains(&(fraction.len() - rest.len())).then_some(rest)
}

/// `Z` or `±hh:mm[:ss]`, and nothing after it.
fn is_offset(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    let Some(time) = text.strip_prefix(['+', '-']) else {
        return false;
    };
    !time.contains('.') && after_time(time).is_some_and(str::is_empty)
}

fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let head = text.get(..count).filter(|head| head.bytes().all(|b| b.is_ascii_digit()))?;
    Some((head.parse().ok()?, text.get(count..)?))
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>(),;:[]\\\"".contains(c);
    let dotted = |part: &str| !part.is_empty() && part.split('.').all(|piece| !piece.is_empty());
    // RFC 822: a local part may be quoted, and a domain may be an address in brackets.
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let quoted = quoted.is_some_and(|text| !text.is_empty() && !text.contains(['"', '\\', '\r', '\n']));
    let address = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = address.is_some_and(|text| text.parse::<Ipv4Addr>().is_ok());
    let is_local = quoted || (dotted(local) && !local.contains(odd) && !local.contains('@'));
    is_local && (address || (dotted(domain) && !domain.contains(odd)))
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let schemed = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let path = rest.strip_prefix("//").unwrap_or(rest).split(['?', '#']).next().unwrap_or_default();
    schemed && !path.is_empty() && !path.contains("//") && !text.contains(char::is_whitespace)
}

fn is_phone(text: &str) -> bool {
    let (abroad, number) = text.strip_prefix('+').map_or((false, text), |number| (true, number));
    if !number.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-') {
        return false;
    }
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    match (abroad, digits.len()) {
        (true, count) => (7..=15).contains(&count),
        (false, 11) => digits.first() == Some(&'1'),
        (false, count) => count == 10,
    }
}

fn is_ip_address(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let most: u8 = if address.parse::<Ipv4Addr>().is_ok() {
        32
    } else if address.parse::<Ipv6Addr>().is_ok() {
        128
    } else {
        return false;
    };
    bits.is_none_or(|bits| !bits.starts_with('+') && bits.parse::<u8>().is_ok_and(|bits| bits <= most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, good: &[&str], bad: &[&str]) {
        for (values, expected) in [(good, true), (bad, false)] {
            for value in values {
                let value = parse_json(value).unwrap();
                assert_eq!(admits(name, &value), expected, "{name} {value}");
            }
        }
    }

    #[test]
    fn a_built_in_scalar_admits_its_own_json_type() {
        check("Int", &["5", "-2147483648"], &["2147483648", "1.5", "\"5\"", "true"]);
        check("Float", &["5", "1.5"], &["\"1.5\""]);
        check("String", &["\"x\""], &["1", "{}"]);
        check("Boolean", &["true"], &["\"true\"", "1"]);
        check("ID", &["\"x\"", "7"], &["1.5", "false"]);
    }

    #[test]
    fn a_date_is_in_the_calendar() {
        check(
            "AWSDate",
            &[r#""2024-02-29""#, r#""1970-01-01Z""#, r#""1970-01-01-07:00""#],
            &[r#""2024-2-9""#, r#""2023-02-29""#, r#""1900-02-29""#, r#""2024-13-01""#, r#""2024-04-31""#, "20240229"],
        );
    }

    #[test]
    fn a_time_is_on_the_clock() {
        check(
            "AWSTime",
            &[r#""12:30""#, r#""12:30:24.5-07:00""#, r#""00:00:00Z""#],
            &[
                r#""25:00""#,
                r#""1230""#,
                r#""12:60""#,
                r#""12:30:61""#,
                r#""12:30:24.""#,
                r#""12:30+24:00""#,
                r#""12:30:24.1234567890""#,
            ],
        );
    }

    #[test]
    fn a_date_time_has_an_offset() {
        check(
            "AWSDateTime",
            &[
                r#""1970-01-01T12:30Z""#,
                r#""2024-01-01T00:00:00.123456789+01:00""#,
                r#""-0044-03-15T12:00:00+00:49:56""#,
            ],
            &[r#""2024-01-01T00:00:00""#, r#""2024-01-01""#, r#""2024-01-01 00:00Z""#, r#""2024-01-01T00:00+1""#, "0"],
        );
    }

    #[test]
    fn a_timestamp_is_a_whole_number_in_range() {
        check(
            "AWSTimestamp",
            &["0", "-1", "1704067200", "-31557014167219200", "31556889864403199"],
            &["\"0\"", "1.5", "31556889864403200", "-31557014167219201"],
        );
    }

    #[test]
    fn a_json_text_is_a_string_of_one_json_value() {
        check(
            "AWSJSON",
            &[r#""{\"a\":1}""#, r#""[1]""#, r#""\"x\"""#, r#""null""#],
            &[r#""{a:1}""#, r#""""#, r#"{"a":1}"#, r#""{} {}""#, "1"],
        );
    }

    #[test]
    fn an_address_has_its_shape() {
        check(
            "AWSEmail",
            &[r#""a.b@example.com""#, r#""a+tag@example.com""#, r#""\"a b\"@example.com""#, r#""a@[127.0.0.1]""#],
            &[r#""a.b""#, r#""@example.com""#, r#""a@b@c""#, r#""a b@c""#, r#""a@""#, r#""a@[x]""#, r#""\"\"@c""#, "1"],
        );
        check(
            "AWSURL",
            &[r#""https://example.com/x""#, r#""mailto:a@example.com""#, r#""http://localhost:8080""#],
            &[
                r#""example.com""#,
                r#""https://example.com//x""#,
                r#""https://""#,
                r#""//example.com""#,
                r#""http://a b""#,
            ],
        );
        check(
            "AWSPhone",
            &[r#""+44 20 7946 0000""#, r#""555-123-4567""#],
            &[r#""abc""#, r#""12""#, r#""2555-123-4567""#, r#""+""#, r#""+44 (20) 7946 0000""#, "5551234567"],
        );
        check(
            "AWSIPAddress",
            &[r#""127.0.0.1""#, r#""127.0.0.0/8""#, r#""1a2b:3c4b::1234:4567""#],
            &[r#""256.1.1.1""#, r#""127.0.0""#, r#""::1/129""#, r#""127.0.0.1/""#, r#""127.0.0.1/33""#, r#""::1/+8""#],
        );
    }

    #[test]
    fn a_scalar_nobody_described_admits_everything() {
        check("Colour", &["1", "\"red\"", "{}"], &[]);
    }
}
