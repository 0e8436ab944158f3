//! Channels and patterns against a regular expression.
//!
//! The invariant: a text is a channel or a pattern exactly if the expression of the documentation says so; two spellings
//! of one channel are equal; what is printed is read again as itself; and a pattern reaches the channels that the
//! expression made of it matches.
//!
//! Lines of an input are texts; each that is a pattern is held against each that is a channel.

use std::sync::LazyLock;

use appsync_protocol::channel::{Channel, ChannelPattern};
use regex::{Regex, RegexBuilder};

use crate::reach::Point;

static CHANNEL: Point = Point::new("channel/channel");
static NO_CHANNEL: Point = Point::new("channel/no-channel");
static WILDCARD: Point = Point::new("channel/wildcard");
static MATCHED: Point = Point::new("channel/matched");
static MISSED: Point = Point::new("channel/missed");
/// Where the oracle speaks.
pub static POINTS: [&Point; 5] = [&CHANNEL, &NO_CHANNEL, &WILDCARD, &MATCHED, &MISSED];

/// EVT-CHANNEL-001 to EVT-CHANNEL-005: a segment is 1 to 50 letters, digits and hyphens, no hyphen at its ends.
const SEGMENT: &str = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,48}[A-Za-z0-9])?";

static PLAIN: LazyLock<Regex> = LazyLock::new(|| compiled(&format!("^/?{SEGMENT}(?:/{SEGMENT}){{0,4}}/?$")));
/// EVT-CHANNEL-010: the wildcard is the last segment and counts as one.
static BELOW: LazyLock<Regex> = LazyLock::new(|| compiled(&format!("^/?{SEGMENT}(?:/{SEGMENT}){{0,3}}/\\*/?$")));

fn compiled(pattern: &str) -> Regex {
    // Without the tables of Unicode an expression is made many times faster.
    RegexBuilder::new(pattern).unicode(false).build().unwrap_or_else(|error| panic!("{error}"))
}

/// Lines that are looked at.
const LINES_MAX: usize = 8;

/// One input.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let lines: Vec<&str> = text.split('\n').take(LINES_MAX).collect();
    let (mut channels, mut patterns) = (Vec::new(), Vec::new());
    for line in lines {
        let (channel, pattern) = (Channel::parse(line), ChannelPattern::parse(line));
        let (plain, below) = (PLAIN.is_match(line), BELOW.is_match(line));
        assert_eq!(channel.is_ok(), plain, "{line:?}: {channel:?}");
        assert_eq!(pattern.is_ok(), plain || below, "{line:?}: {pattern:?}");
        if below {
            WILDCARD.reached();
        }
        match channel {
            Ok(channel) => {
                CHANNEL.reached();
                let bare = line.trim_matches('/');
                assert_eq!(channel.as_str(), format!("/{bare}"));
                assert_eq!(Channel::parse(&format!("{bare}/")).as_ref(), Ok(&channel));
                assert_eq!(channel.segments().collect::<Vec<_>>(), bare.split('/').collect::<Vec<_>>());
                channels.push(channel);
            }
            Err(error) => {
                NO_CHANNEL.reached();
                assert!(!error.to_string().contains(char::is_control), "{error:?}");
            }
        }
        if let Ok(pattern) = pattern {
            assert_eq!(ChannelPattern::parse(&pattern.to_string()).as_ref(), Ok(&pattern));
            patterns.push(pattern);
        }
    }
    for pattern in &patterns {
        let written = regex::escape(&pattern.to_string());
        let expression = compiled(&match written.strip_suffix("\\*") {
            Some(prefix) => format!("^{prefix}[A-Za-z0-9/-]+$"),
            None => format!("^{written}$"),
        });
        for channel in &channels {
            let expected = expression.is_match(channel.as_str());
            assert_eq!(pattern.matches(channel), expected, "{pattern} {channel}");
            if expected { MATCHED.reached() } else { MISSED.reached() }
        }
    }
}
