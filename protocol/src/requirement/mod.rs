//! The requirement register: what a peer has to do, how firmly, and who says so.
//!
//! One table an area, in the folders beside this file, each row one requirement: its identifier as
//! a variant, level, bound party, source grade, reach, one sentence, its source and, where there is
//! one, a note (a contradiction, an entailment, a known deviation). The tables are chained into one
//! enum, so a requirement that does not exist cannot be named. Nothing here knows a message or a
//! scenario; who exercises a requirement is computed by the suite.
//!
//! Identifiers are public: they are never used again for another rule, only retired.

use core::fmt;

use crate::dialect::Dialect;

#[macro_use]
mod graphql;
#[macro_use]
mod events;
#[macro_use]
mod suite;

/// How firmly an interoperable peer needs the behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Without it peers do not work together.
    Must,
    /// Peers work together without it, but badly.
    Should,
    /// Allowed; its absence is never held against a peer.
    May,
    /// A statement about the service that binds nobody (metering, quotas, "not guaranteed").
    Fact,
}

/// Who is bound by a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// The side that opens the connection.
    Client,
    /// The service or an emulator of it.
    Server,
    /// Either side, for what it sends itself.
    Both,
}

/// What the requirement rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// A page of the vendor's documentation states it, or it follows from such a statement.
    Documented,
    /// A recorded frame or a live test shows it.
    Observed,
    /// An RFC or the GraphQL specification binds every such peer.
    Standard,
    /// Only the source of a client or an emulator implies it.
    Implied,
}

/// What it takes to see from outside whether a server keeps the requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Messages, answers and time over the endpoint's own interfaces show it.
    Outside,
    /// It binds clients only, and clients are not judged by this version.
    NotYetJudged,
    /// It can be seen only on a target that offers what the text names.
    Needs(&'static str),
    /// It cannot be seen from outside; the text says why.
    Hidden(&'static str),
}

/// What a breach of a requirement means for the verdict on a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The measured reading is reported and nothing is held against the target.
    Info,
    /// Reported as a warning; a failure only under `--strict`.
    Warn,
    /// The target is wrong.
    Fail,
}

/// One row of the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Stable public identifier, such as `GQL-SUB-026`.
    pub id: &'static str,
    /// How firmly the behaviour is needed.
    pub level: Level,
    /// Who is bound.
    pub party: Party,
    /// What it rests on.
    pub grade: Grade,
    /// What it takes to see it.
    pub reach: Reach,
    /// The rule in one sentence.
    pub text: &'static str,
    /// Page, recording, issue or standard that says so.
    pub source: &'static str,
    /// Contradictions, entailments and known deviations; empty where there are none.
    pub note: &'static str,
}

/// A question on which the sources pull apart, with what the suite makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguity {
    /// Stable public identifier, such as `EVT-A-01`.
    pub id: &'static str,
    /// What is disputed.
    pub question: &'static str,
    /// The readings, and who holds which.
    pub readings: &'static str,
    /// How the suite treats it.
    pub treatment: &'static str,
    /// Requirements that are information only because of it.
    pub softens: &'static [Requirement],
    /// Requirements of which only a disputed part is information: what all readings share still judges.
    pub softens_partly: &'static [Requirement],
}

/// A short name used in [`Row::source`] and what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The short name, such as `D-RTC`.
    pub key: &'static str,
    /// Title of the page, or repository with commit and path.
    pub title: &'static str,
}

/// Ends the chain of tables: makes the enum and its rows.
macro_rules! register {
    ([] $(
        $variant:ident $id:literal $level:ident $party:ident $grade:ident
        $reach:ident $(($why:literal))?
        $text:literal from $source:literal $(note $note:literal)?;
    )*) => {
        /// A rule that a peer can break. Its [`Row`] says everything else.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum Requirement { $(#[doc = $text] $variant),* }

        impl Requirement {
            /// Every requirement, by area and number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }

        static ROWS: &[Row] = &[$(Row {
            id: $id,
            level: Level::$level,
            party: Party::$party,
            grade: Grade::$grade,
            reach: Reach::$reach $(($why))?,
            text: $text,
            source: $source,
            note: concat!($($note)?),
        }),*];
    };
}

gql_handshake! { [
    gql_auth gql_init gql_ka gql_sub gql_err gql_limit gql_filter gql_close gql_frame gql_http
    evt_handshake evt_auth evt_init evt_ka evt_channel evt_sub evt_pub evt_data evt_http evt_err
    evt_limit evt_close evt_frame
    syn_rules
    register
] }

impl Requirement {
    /// The row that says everything about it.
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// Stable public identifier, such as `GQL-SUB-026`.
    pub fn id(self) -> &'static str {
        self.row().id
    }

    /// Finds a requirement by its identifier, in any case.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.id().eq_ignore_ascii_case(id))
    }

    /// The dialect it belongs to; `None` for the suite's own rules, which bind both.
    pub fn dialect(self) -> Option<Dialect> {
        match self.id().split('-').next() {
            Some("GQL") => Some(Dialect::Graphql),
            Some("EVT") => Some(Dialect::Events),
            _ => None,
        }
    }

    /// The area in the identifier, such as `SUB`.
    pub fn area(self) -> &'static str {
        self.id().split('-').nth(1).unwrap_or_default()
    }

    /// Ambiguities that turn the whole requirement into information.
    pub fn softened_by(self) -> impl Iterator<Item = &'static Ambiguity> {
        Ambiguity::all().filter(move |a| a.softens.contains(&self))
    }

    /// Ambiguities that concern it, wholly or in part.
    pub fn disputed_by(self) -> impl Iterator<Item = &'static Ambiguity> {
        Ambiguity::all().filter(move |a| a.softens.contains(&self) || a.softens_partly.contains(&self))
    }

    /// The sources named by the row, spelled out, in the order of the dialect's legend.
    pub fn sources(self) -> impl Iterator<Item = &'static Source> {
        let legend: &'static [Source] = match self.dialect() {
            Some(Dialect::Graphql) => graphql::SOURCES,
            Some(Dialect::Events) => events::SOURCES,
            None => &[],
        };
        legend.iter().filter(move |source| names_source(self.row().source, source.key))
    }

    /// What a breach means: level, grade and ambiguities decide, nothing else.
    pub fn severity(self) -> Severity {
        let row = self.row();
        if self.softened_by().next().is_some() {
            return Severity::Info;
        }
        match (row.level, row.grade) {
            (Level::May | Level::Fact, _) => Severity::Info,
            (Level::Should, _) | (Level::Must, Grade::Implied) => Severity::Warn,
            (Level::Must, Grade::Documented | Grade::Observed | Grade::Standard) => Severity::Fail,
        }
    }
}

impl Ambiguity {
    /// Every ambiguity of both dialects, by number.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        graphql::AMBIGUITIES.iter().chain(events::AMBIGUITIES)
    }

    /// Ambiguities named by `id`: `A-01` names one in each dialect, `GQL-A-01` just one.
    pub fn find(id: &str) -> impl Iterator<Item = &'static Self> {
        Self::all().filter(move |a| {
            a.id.eq_ignore_ascii_case(id) || a.id.get(4..).is_some_and(|short| short.eq_ignore_ascii_case(id))
        })
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Whether `text` holds `key` as a word of its own (`AND-IT` does not name `AND`).
fn names_source(text: &str, key: &str) -> bool {
    let inside_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.match_indices(key).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + key.len()..].chars().next();
        !before.is_some_and(inside_word) && !after.is_some_and(inside_word)
    })
}

macro_rules! word {
    ($name:ident { $($variant:ident => $text:literal),* $(,)? }) => {
        impl $name {
            /// The lower-case word used in reports and filters.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

word!(Level { Must => "MUST", Should => "SHOULD", May => "MAY", Fact => "fact" });
word!(Party { Client => "client", Server => "server", Both => "both" });
word!(Grade { Documented => "documented", Observed => "observed", Standard => "standard", Implied => "implied" });
word!(Severity { Info => "info", Warn => "warn", Fail => "fail" });

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::format;
    use alloc::string::String;

    use super::*;

    #[test]
    fn both_specifications_are_in_the_register_whole() {
        let count = |prefix: &str| Requirement::ALL.iter().filter(|r| r.id().starts_with(prefix)).count();

        assert_eq!(count("GQL-"), 229);
        assert_eq!(count("EVT-"), 260);
        assert_eq!(count("SYN-"), 4);
    }

    #[test]
    fn every_identifier_is_used_once_and_counts_up_within_its_area() {
        let mut seen = BTreeSet::new();
        let mut before: (&str, u32) = ("", 0);

        for requirement in Requirement::ALL {
            let (area, number) = requirement.id().rsplit_once('-').unwrap();
            let number: u32 = number.parse().unwrap();
            assert!(seen.insert(requirement.id()), "{requirement} twice");
            let expected = if area == before.0 { before.1 + 1 } else { 1 };
            assert_eq!(number, expected, "gap before {requirement}");
            before = (area, number);
        }
    }

    #[test]
    fn a_row_that_binds_only_clients_is_marked_not_yet_judged() {
        for requirement in Requirement::ALL {
            let row = requirement.row();
            let client_only = row.party == Party::Client;
            assert_eq!(client_only, row.reach == Reach::NotYetJudged, "{requirement}");
        }
    }

    #[test]
    fn every_row_is_a_sentence_with_a_source() {
        for requirement in Requirement::ALL {
            let row = requirement.row();
            assert!(row.text.len() > 20 && row.text.ends_with('.'), "{requirement}: {}", row.text);
            assert!(!row.source.is_empty(), "{requirement} has no source");
        }
    }

    #[test]
    fn a_variant_is_named_after_its_identifier() {
        let ids: String = Requirement::ALL.iter().map(|r| r.id()).collect();

        assert!(ids.starts_with("GQL-HANDSHAKE-001"));
        assert_eq!(Requirement::GqlSub026.id(), "GQL-SUB-026");
        assert_eq!(Requirement::EvtChannel011.id(), "EVT-CHANNEL-011");
        assert_eq!(Requirement::SynAlive001.id(), "SYN-ALIVE-001");
    }

    #[test]
    fn ambiguities_are_numbered_without_gaps() {
        for (prefix, count) in [("GQL-A-", 25), ("EVT-A-", 33)] {
            let ids: alloc::vec::Vec<_> = Ambiguity::all().map(|a| a.id).filter(|id| id.starts_with(prefix)).collect();
            let expected: alloc::vec::Vec<_> = (1..=count).map(|n| format!("{prefix}{n:02}")).collect();
            assert_eq!(ids, expected);
        }
    }

    #[test]
    fn level_and_grade_decide_the_severity() {
        assert_eq!(Requirement::GqlSub026.severity(), Severity::Fail);
        assert_eq!(Requirement::GqlKa002.severity(), Severity::Warn, "a SHOULD");
        assert_eq!(Requirement::GqlKa003.severity(), Severity::Info, "softened by GQL-A-17");
        assert_eq!(Requirement::GqlSub019.severity(), Severity::Info, "a fact");
        assert_eq!(Requirement::EvtInit006.severity(), Severity::Warn, "implied");
    }
}
