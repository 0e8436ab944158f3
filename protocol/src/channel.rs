//! Channels of the Events dialect: the names that events are published to, and the patterns that subscribe to them.
//!
//! ```text
//! channel = ["/"] segment *4("/" segment) ["/"]          segment = alnum [*48(alnum / "-") alnum]
//! pattern = channel / ["/"] segment *3("/" segment) "/*" ["/"]
//! ```
//!
//! Text becomes a [`Channel`] or a [`ChannelPattern`] once, at the edge, and stays in one spelling from there on: with a
//! leading slash and without a trailing one. That is the invariant: two spellings of one channel are equal as values
//! (EVT-CHANNEL-024), and comparing them is comparing text, case included (EVT-CHANNEL-006).
//!
//! Deliberately unknown: whether a namespace exists, and who may use it.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// Most segments in a channel; a wildcard counts as one. Source: EVT-CHANNEL-001, EVT-CHANNEL-018, EVT-CHANNEL-026.
pub const SEGMENTS_MAX: usize = 5;

/// Most characters in a segment. Source: EVT-CHANNEL-002, EVT-CHANNEL-019.
pub const SEGMENT_CHARS_MAX: usize = 50;

/// One channel, in its one spelling: `/namespace/segment`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(String);

impl Channel {
    /// Reads a channel: one to five segments, with or without a slash before and after.
    ///
    /// Fails on a wildcard too, since no event can be published to one (EVT-CHANNEL-013). Of several faults it reports the
    /// number of segments first, then the first segment with a fault.
    /// Source: EVT-CHANNEL-001 to EVT-CHANNEL-005, EVT-CHANNEL-018 to EVT-CHANNEL-022.
    pub fn parse(text: &str) -> Result<Self, ChannelError> {
        let bare = without_outer_slashes(text);
        check_count(bare)?;
        check_segments(bare)?;
        Ok(Self(format!("/{bare}")))
    }

    /// The first segment, which names the namespace. Source: EVT-CHANNEL-007.
    pub fn namespace(&self) -> &str {
        self.segments().next().unwrap_or_default()
    }

    /// The segments in order; at least one.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        without_outer_slashes(&self.0).split('/')
    }

    /// The text with a leading slash and without a trailing one, as handlers see it (EVT-CHANNEL-023).
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a subscription names: one channel, or everything below one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChannelPattern {
    /// That channel alone.
    Exact(Channel),
    /// Every channel below the prefix at any depth, written with a final `*`.
    Below(Channel),
}

impl ChannelPattern {
    /// Reads a channel, or a channel followed by `/*`.
    ///
    /// Fails on every other wildcard: `/*` alone, `**`, `foo*`, and `*` before the last segment. Faults are reported in the
    /// order of [`Channel::parse`].
    /// Source: EVT-CHANNEL-010, EVT-CHANNEL-014 to EVT-CHANNEL-017, EVT-CHANNEL-026.
    pub fn parse(text: &str) -> Result<Self, ChannelError> {
        let bare = without_outer_slashes(text);
        check_count(bare)?;
        match bare.strip_suffix("/*") {
            Some(prefix) => {
                check_segments(prefix)?;
                Ok(Self::Below(Channel(format!("/{prefix}"))))
            }
            None => {
                check_segments(bare)?;
                Ok(Self::Exact(Channel(format!("/{bare}"))))
            }
        }
    }

    /// Whether an event on `channel` reaches a subscription to this.
    ///
    /// Below a prefix at any depth (EVT-CHANNEL-011), but not on the prefix itself (EVT-CHANNEL-012).
    pub fn matches(&self, channel: &Channel) -> bool {
        match self {
            Self::Exact(exact) => exact == channel,
            Self::Below(prefix) => channel.0.strip_prefix(prefix.as_str()).is_some_and(|below| below.starts_with('/')),
        }
    }

    /// The first segment, which names the namespace. Source: EVT-CHANNEL-007.
    pub fn namespace(&self) -> &str {
        match self {
            Self::Exact(channel) | Self::Below(channel) => channel.namespace(),
        }
    }
}

impl fmt::Display for ChannelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(channel) => write!(f, "{channel}"),
            Self::Below(prefix) => write!(f, "{prefix}/*"),
        }
    }
}

/// Why a text is not a channel or a pattern. Segments count from 0 here and from 1 in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelError {
    /// There is no segment at all.
    Empty,
    /// A segment between slashes is empty.
    EmptySegment {
        /// Which one.
        index: usize,
    },
    /// There are more than [`SEGMENTS_MAX`] segments.
    TooManySegments {
        /// How many there are.
        count: usize,
    },
    /// A segment has more than [`SEGMENT_CHARS_MAX`] characters.
    SegmentTooLong {
        /// Which one.
        index: usize,
        /// How many characters it has.
        length: usize,
    },
    /// A segment has a character other than an ASCII letter, a digit or a hyphen.
    BadCharacter {
        /// Which segment.
        index: usize,
        /// The first such character.
        character: char,
    },
    /// A segment starts or ends with a hyphen.
    BadEdge {
        /// Which one.
        index: usize,
    },
    /// A wildcard where none is allowed.
    Wildcard {
        /// Which segment.
        index: usize,
    },
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("channel has no segment; expected 1 to 5 (EVT-CHANNEL-021)"),
            Self::EmptySegment { index } => {
                write!(f, "channel segment {} is empty (EVT-CHANNEL-021)", from_one(index))
            }
            Self::TooManySegments { count } => {
                write!(f, "channel has {count} segments; expected at most {SEGMENTS_MAX} (EVT-CHANNEL-018)")
            }
            Self::SegmentTooLong { index, length } => write!(
                f,
                "channel segment {} has {length} characters; expected at most {SEGMENT_CHARS_MAX} (EVT-CHANNEL-019)",
                from_one(index)
            ),
            Self::BadCharacter { index, character } => write!(
                f,
                "channel segment {} has {character:?}; expected letters, digits and hyphens (EVT-CHANNEL-022)",
                from_one(index)
            ),
            Self::BadEdge { index } => write!(
                f,
                "channel segment {} starts or ends with a hyphen; expected a letter or digit (EVT-CHANNEL-003)",
                from_one(index)
            ),
            Self::Wildcard { index } => write!(
                f,
                "channel segment {} has a wildcard; expected one only in a subscription, alone, last and not first \
                 (EVT-CHANNEL-013 to EVT-CHANNEL-017)",
                from_one(index)
            ),
        }
    }
}

impl core::error::Error for ChannelError {}

/// EVT-CHANNEL-004, EVT-CHANNEL-005: one slash before and one after may be there. EVT-CHANNEL-021: a second may not.
fn without_outer_slashes(text: &str) -> &str {
    let text = text.strip_prefix('/').unwrap_or(text);
    text.strip_suffix('/').unwrap_or(text)
}

fn check_count(bare: &str) -> Result<(), ChannelError> {
    if bare.is_empty() {
        return Err(ChannelError::Empty);
    }
    match bare.split('/').count() {
        0..=SEGMENTS_MAX => Ok(()),
        count => Err(ChannelError::TooManySegments { count }),
    }
}

fn check_segments(bare: &str) -> Result<(), ChannelError> {
    bare.split('/').enumerate().try_for_each(|(index, segment)| check_segment(index, segment))
}

fn check_segment(index: usize, segment: &str) -> Result<(), ChannelError> {
    if segment.is_empty() {
        return Err(ChannelError::EmptySegment { index });
    }
    if segment.contains('*') {
        return Err(ChannelError::Wildcard { index });
    }
    if let Some(character) = segment.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
        return Err(ChannelError::BadCharacter { index, character });
    }
    // Only ASCII is left, so bytes are characters.
    if segment.len() > SEGMENT_CHARS_MAX {
        return Err(ChannelError::SegmentTooLong { index, length: segment.len() });
    }
    if segment.starts_with('-') || segment.ends_with('-') {
        return Err(ChannelError::BadEdge { index });
    }
    Ok(())
}

const fn from_one(index: usize) -> usize {
    index.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_outer_slashes_make_no_difference() {
        for text in ["ns/x", "/ns/x", "ns/x/", "/ns/x/"] {
            let channel = Channel::parse(text).unwrap();

            assert_eq!((channel.as_str(), channel.namespace()), ("/ns/x", "ns"), "{text}");
            assert_eq!(channel.segments().collect::<Vec<_>>(), ["ns", "x"]);
        }
    }

    #[test]
    fn channels_differ_by_case() {
        assert_ne!(Channel::parse("/ns/A"), Channel::parse("/ns/a"));
    }

    #[test]
    fn the_largest_channel_is_five_segments_of_fifty_characters() {
        let segment = "a".repeat(SEGMENT_CHARS_MAX);
        let largest = [segment.as_str(); SEGMENTS_MAX].join("/");

        assert_eq!(Channel::parse(&largest).unwrap().as_str().len(), 5 * 51);
    }

    #[test]
    fn each_fault_of_a_channel_is_named_with_its_place() {
        let long = format!("/ns/{}", "a".repeat(51));
        for (text, error) in [
            ("", ChannelError::Empty),
            ("/", ChannelError::Empty),
            ("//", ChannelError::Empty),
            ("/a//b", ChannelError::EmptySegment { index: 1 }),
            ("//a", ChannelError::EmptySegment { index: 0 }),
            ("a//", ChannelError::EmptySegment { index: 1 }),
            ("1/2/3/4/5/6", ChannelError::TooManySegments { count: 6 }),
            (long.as_str(), ChannelError::SegmentTooLong { index: 1, length: 51 }),
            ("/ns/a_b", ChannelError::BadCharacter { index: 1, character: '_' }),
            ("/ns/a.b", ChannelError::BadCharacter { index: 1, character: '.' }),
            ("n s", ChannelError::BadCharacter { index: 0, character: ' ' }),
            ("/ns/a%2Fb", ChannelError::BadCharacter { index: 1, character: '%' }),
            ("/ns/x/é", ChannelError::BadCharacter { index: 2, character: 'é' }),
            ("/-a", ChannelError::BadEdge { index: 0 }),
            ("/ns/a-", ChannelError::BadEdge { index: 1 }),
            ("/ns/-", ChannelError::BadEdge { index: 1 }),
            ("/ns/*", ChannelError::Wildcard { index: 1 }),
        ] {
            assert_eq!(Channel::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_wildcard_stands_alone_at_the_end_below_a_namespace() {
        for (text, index) in [
            ("*", 0),
            ("/*", 0),
            ("/ns/**", 1),
            ("/**", 0),
            ("/ns/*/x", 1),
            ("/ns/foo*", 1),
            ("/*/*", 0),
            ("/a/*/*", 1),
        ] {
            assert_eq!(ChannelPattern::parse(text), Err(ChannelError::Wildcard { index }), "{text}");
        }
        assert_eq!(ChannelPattern::parse("ns/*/").unwrap().to_string(), "/ns/*");
    }

    #[test]
    fn a_wildcard_counts_as_a_segment() {
        assert!(ChannelPattern::parse("/a/b/c/d/*").is_ok());
        assert_eq!(ChannelPattern::parse("/a/b/c/d/e/*"), Err(ChannelError::TooManySegments { count: 6 }));
    }

    #[test]
    fn a_wildcard_reaches_every_depth_below_its_prefix_and_nothing_else() {
        let below = ChannelPattern::parse("/ns/a/*").unwrap();
        let reached = |text| below.matches(&Channel::parse(text).unwrap());

        assert!(reached("/ns/a/b") && reached("/ns/a/b/c") && reached("/ns/a/b/c/d"));
        assert!(!reached("/ns/a") && !reached("/ns/ab/c") && !reached("/ns/A/b") && !reached("/ns"));
        assert_eq!(below.namespace(), "ns");
    }

    #[test]
    fn an_exact_pattern_reaches_its_channel_alone() {
        let exact = ChannelPattern::parse("ns/a").unwrap();

        assert!(exact.matches(&Channel::parse("/ns/a/").unwrap()));
        assert!(!exact.matches(&Channel::parse("/ns/a/b").unwrap()));
        assert!(!exact.matches(&Channel::parse("/ns").unwrap()));
    }

    #[test]
    fn an_error_says_what_where_and_against_which_rule() {
        let error = ChannelError::SegmentTooLong { index: 1, length: 51 };

        assert_eq!(error.to_string(), "channel segment 2 has 51 characters; expected at most 50 (EVT-CHANNEL-019)");
        assert!(ChannelError::BadEdge { index: usize::MAX }.to_string().contains("EVT-CHANNEL-003"));
    }

    proptest! {
        #[test]
        fn a_channel_is_accepted_exactly_if_the_automaton_accepts_it(text in near_channel()) {
            prop_assert_eq!(Channel::parse(&text).is_ok(), automaton_accepts(&text), "{}", text);
        }

        #[test]
        fn a_pattern_is_accepted_exactly_if_the_automaton_accepts_it_with_its_star_spelled_out(text in near_channel()) {
            let ended = text.strip_suffix('/').unwrap_or(&text);
            // One letter in the place of a final star that has a segment before it.
            let plain = match ended.strip_suffix("/*") {
                Some(prefix) if !prefix.is_empty() => format!("{prefix}/s"),
                _ => text.clone(),
            };

            prop_assert_eq!(ChannelPattern::parse(&text).is_ok(), automaton_accepts(&plain), "{}", text);
        }

        #[test]
        fn a_printed_channel_reads_back_as_itself(text in near_channel()) {
            if let Ok(channel) = Channel::parse(&text) {
                prop_assert_eq!(channel.as_str().trim_matches('/'), text.trim_matches('/'));
                prop_assert_eq!(Channel::parse(&channel.to_string()), Ok(channel));
            }
            if let Ok(pattern) = ChannelPattern::parse(&text) {
                prop_assert_eq!(ChannelPattern::parse(&pattern.to_string()), Ok(pattern));
            }
        }

        #[test]
        fn a_pattern_matches_exactly_if_the_segments_say_so(
            pattern in "[ab](/[ab]{1,2}){0,3}(/\\*)?",
            channel in "[ab](/[ab]{1,2}){0,4}",
        ) {
            let wanted: Vec<_> = pattern.split('/').collect();
            let given: Vec<_> = channel.split('/').collect();
            let naive = match wanted.split_last() {
                Some((&"*", prefix)) => given.len() > prefix.len() && given.starts_with(prefix),
                _ => given == wanted,
            };

            let matches = ChannelPattern::parse(&pattern).unwrap().matches(&Channel::parse(&channel).unwrap());

            prop_assert_eq!(matches, naive, "{} {}", pattern, channel);
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            prop_assert_eq!(Channel::parse(&text).is_ok(), automaton_accepts(&text));
            let _ = ChannelPattern::parse(&text);
        }
    }

    /// Text that is a channel about as often as not, with every kind of fault nearby.
    fn near_channel() -> impl Strategy<Value = String> {
        let segment = prop_oneof![
            8 => "[A-Za-z0-9]([A-Za-z0-9-]{0,4}[A-Za-z0-9])?",
            2 => "[a-z0-9-]{48,52}",
            1 => "[a-z*_é-]{0,3}",
            1 => Just("*".into()),
        ];
        let segments = proptest::collection::vec(segment, 0..7);
        ("/{0,2}", segments, "(/\\*)?", "/{0,2}")
            .prop_map(|(before, segments, star, after)| format!("{before}{}{star}{after}", segments.join("/")))
    }

    /// The documented pattern as a hand-written automaton over characters, sharing nothing with the code above.
    fn automaton_accepts(text: &str) -> bool {
        #[derive(PartialEq)]
        enum At {
            Start,
            SegmentStart,
            Inside,
            AfterHyphen,
        }

        let (mut at, mut segments, mut length) = (At::Start, 0, 0);
        for character in text.chars() {
            at = match (at, character) {
                (At::Start, '/') => At::SegmentStart,
                (At::Start | At::SegmentStart, 'a'..='z' | 'A'..='Z' | '0'..='9') => {
                    (segments, length) = (segments + 1, 1);
                    At::Inside
                }
                (At::Inside, '/') => At::SegmentStart,
                (At::Inside | At::AfterHyphen, 'a'..='z' | 'A'..='Z' | '0'..='9') => {
                    length += 1;
                    At::Inside
                }
                (At::Inside | At::AfterHyphen, '-') => {
                    length += 1;
                    At::AfterHyphen
                }
                _ => return false,
            };
            if segments > 5 || length > 50 {
                return false;
            }
        }
        // A trailing slash leaves the automaton before a segment that never comes.
        (at == At::Inside || at == At::SegmentStart) && segments > 0
    }
}
