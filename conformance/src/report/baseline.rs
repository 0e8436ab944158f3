//! The verdicts that a known target is expected to get, each with its reason.
//!
//! ```toml
//! target = "an-emulator"
//!
//! [[case]]
//! id = "graphql/init/ack-tells-the-timeout"
//! verdict = "fail"
//! reason = "the property is named connectionTimeout"
//! ```
//!
//! A baseline lets a run fail on what is new. It has to stay exact, so a listed case that does better is
//! *stale* and an id that no longer exists is *unknown*: both are told, and apart from regressions.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Requirement;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::explain::suggest;
use super::model::{Case, Run};
use super::text::printable;
use crate::catalogue::scenarios;
use crate::scenario::{Tier, cut};
use crate::verdict::Verdict;

/// Expected verdicts of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// Name of the target.
    pub target: String,
    /// What is expected, in the order of the file.
    pub entries: Vec<Entry>,
}

/// What is expected of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Identifier of the case.
    pub id: String,
    /// The dialect, where cases of both have this id.
    pub dialect: Option<Dialect>,
    /// The expected verdict.
    pub verdict: Verdict,
    /// Why; never empty.
    pub reason: String,
    /// Line of the file, counted from 1.
    pub line: usize,
}

/// What is wrong with a baseline file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineError {
    /// The file.
    pub path: PathBuf,
    /// Line, counted from 1.
    pub line: usize,
    /// The key; empty where the text is no TOML.
    pub key: String,
    /// What was expected.
    pub expected: String,
    /// What stands there.
    pub got: String,
}

impl fmt::Display for BaselineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.path.display(), self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "expected {}; got {}", self.expected, self.got)
    }
}

impl std::error::Error for BaselineError {}

/// How a run compares with a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Cases that are as listed.
    pub matched: Vec<Matched>,
    /// Failures that are not listed, and cases that do worse than listed.
    pub regressions: Vec<Difference>,
    /// Listed cases that do better now.
    pub stale: Vec<Difference>,
    /// Listed ids that name no case.
    pub unknown: Vec<Unknown>,
    /// Listed cases about which this run says nothing: not run, blocked, not applicable or inconclusive.
    pub open: Vec<Difference>,
    /// Warnings that are not listed: regressions under `--strict` only.
    pub unlisted_warnings: Vec<Difference>,
}

/// A case that is as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Identifier of the case.
    pub id: String,
    /// Its verdict.
    pub verdict: Verdict,
}

/// A case that is not as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Identifier of the case.
    pub id: String,
    /// What the baseline says; `None` where it says nothing.
    pub listed: Option<Verdict>,
    /// What the run says; `None` where it says nothing.
    pub got: Option<Verdict>,
    /// Reason in the run, and where there is none, in the baseline.
    pub reason: String,
}

/// A listed id that names no case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The id.
    pub id: String,
    /// Line of the file, counted from 1.
    pub line: usize,
    /// The id that may have been meant.
    pub near: Option<String>,
}

impl Baseline {
    /// Reads a baseline. `path` is for errors only.
    ///
    /// # Errors
    /// When the text is no TOML, a key is missing, unknown or of a wrong kind, a verdict is no verdict, a
    /// reason is empty, or a case is listed twice.
    pub fn parse(text: &str, path: impl AsRef<Path>) -> Result<Self, BaselineError> {
        Reader { text, path: path.as_ref() }.baseline()
    }

    /// Compares a run with it. `is_known` tells whether a case of this id exists, run or not.
    pub fn compare(&self, run: &Run, is_known: impl Fn(&str) -> bool) -> Comparison {
        let mut comparison = Comparison::default();
        for case in &run.cases {
            match self.entries.iter().find(|entry| entry.names(case)) {
                Some(entry) => comparison.listed(entry, case),
                None => comparison.unlisted(case),
            }
        }
        for entry in self.entries.iter().filter(|entry| !run.cases.iter().any(|case| entry.names(case))) {
            if !is_known(&entry.id) && !is_monitored(&entry.id) {
                let near = suggest(&entry.id).into_iter().find(|id| is_known(id));
                comparison.unknown.push(Unknown { id: entry.id.clone(), line: entry.line, near });
            } else if entry.is_silent_now(run) {
                comparison.stale.push(entry.difference(None));
            } else {
                comparison.open.push(entry.difference(None));
            }
        }
        comparison
    }
}

/// A baseline that a run matches: its failures and warnings, with their reasons.
pub fn write(run: &Run) -> String {
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    for case in &run.cases {
        *ids.entry(&case.id).or_default() += 1;
    }
    let mut out = format!("target = {}\n", quoted(&target_name(run)));
    for case in run.cases.iter().filter(|case| matches!(case.verdict, Verdict::Fail | Verdict::Warn)) {
        out.push_str(&format!("\n[[case]]\nid = {}\n", quoted(&case.id)));
        if ids.get(case.id.as_str()).is_some_and(|count| *count > 1) {
            out.push_str(&format!("dialect = {}\n", quoted(case.dialect.word())));
        }
        out.push_str(&format!("verdict = {}\n", quoted(case.verdict.word())));
        out.push_str(&format!("reason = {}\n", quoted(&reason_of(case))));
    }
    out
}

// Reading

const TOP_KEYS: &str = "one of target, case";
const CASE_KEYS: &str = "one of id, dialect, verdict, reason";

struct Reader<'t> {
    text: &'t str,
    path: &'t Path,
}

impl Reader<'_> {
    fn baseline(&self) -> Result<Baseline, BaselineError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.error(at, "", "TOML", error.message().trim())
        })?;
        let table = table.get_ref();
        self.no_other_keys(table, &["target", "case"], TOP_KEYS)?;
        let target = self.text_of(table, "target", 0, "the name of the target")?;
        let mut entries: Vec<Entry> = Vec::new();
        let cases = match table.get("case") {
            None => &[][..],
            Some(cases) => match cases.get_ref().as_array() {
                Some(cases) => cases,
                None => {
                    return Err(self.error(cases.span().start, "case", "[[case]] tables", &kind(cases.get_ref())));
                }
            },
        };
        for case in cases {
            let at = case.span().start;
            let Some(table) = case.get_ref().as_table() else {
                return Err(self.error(at, "case", "[[case]] tables", &kind(case.get_ref())));
            };
            let entry = self.entry(table, at)?;
            if let Some(first) = entries.iter().find(|first| first.overlaps(&entry)) {
                let got = format!("{:?} again, which line {} lists", entry.id, first.line);
                return Err(BaselineError { line: entry.line, ..self.error(at, "id", "each case once", &got) });
            }
            entries.push(entry);
        }
        Ok(Baseline { target, entries })
    }

    fn entry(&self, table: &DeTable<'_>, at: usize) -> Result<Entry, BaselineError> {
        self.no_other_keys(table, &["id", "dialect", "verdict", "reason"], CASE_KEYS)?;
        let id = self.text_of(table, "id", at, "the id of a case")?;
        let words: Vec<_> = Verdict::ALL.iter().map(|verdict| verdict.word()).collect();
        let expected = format!("one of {}", words.join(", "));
        let word = self.text_of(table, "verdict", at, &expected)?;
        let verdict = Verdict::parse(&word)
            .ok_or_else(|| self.error(place(table, "verdict", at), "verdict", &expected, &format!("{word:?}")))?;
        let dialect = match table.get("dialect") {
            None => None,
            Some(_) => {
                let expected = "graphql or events";
                let word = self.text_of(table, "dialect", at, expected)?;
                let found = Dialect::ALL.into_iter().find(|dialect| dialect.word() == word);
                let wrong = || self.error(place(table, "dialect", at), "dialect", expected, &format!("{word:?}"));
                Some(found.ok_or_else(wrong)?)
            }
        };
        let reason = self.text_of(table, "reason", at, "a text that says why the case gets this verdict")?;
        Ok(Entry { id, dialect, verdict, reason, line: self.line(place(table, "id", at)) })
    }

    /// The text of a key that has to be there and to say something.
    fn text_of(&self, table: &DeTable<'_>, key: &str, at: usize, expected: &str) -> Result<String, BaselineError> {
        let Some(value) = table.get(key) else { return Err(self.error(at, key, expected, "no such key")) };
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
            Some(_) => Err(self.error(value.span().start, key, expected, "an empty text")),
            None => Err(self.error(value.span().start, key, expected, &kind(value.get_ref()))),
        }
    }

    fn no_other_keys(&self, table: &DeTable<'_>, known: &[&str], expected: &str) -> Result<(), BaselineError> {
        // The table is sorted by name, people read from the top.
        let other =
            table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).min_by_key(|key| key.span().start);
        match other {
            None => Ok(()),
            Some(key) => Err(self.error(key.span().start, key.get_ref(), expected, "an unknown key")),
        }
    }

    fn error(&self, at: usize, key: &str, expected: &str, got: &str) -> BaselineError {
        BaselineError {
            path: self.path.into(),
            line: self.line(at),
            key: printable(key),
            expected: expected.into(),
            got: printable(got),
        }
    }

    fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }
}

fn place(table: &DeTable<'_>, key: &str, at: usize) -> usize {
    table.get(key).map_or(at, |value: &Spanned<DeValue<'_>>| value.span().start)
}

fn kind(value: &DeValue<'_>) -> String {
    format!("a value of type {}", value.type_str())
}

// Comparing

impl Entry {
    fn names(&self, case: &Case) -> bool {
        self.id == case.id && self.dialect.is_none_or(|dialect| dialect == case.dialect)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.id == other.id && (self.dialect.is_none() || other.dialect.is_none() || self.dialect == other.dialect)
    }

    fn difference(&self, case: Option<&Case>) -> Difference {
        let reason = case.map(|case| case.reason.as_str()).filter(|reason| !reason.is_empty());
        Difference {
            id: self.id.clone(),
            listed: Some(self.verdict),
            got: case.map(|case| case.verdict),
            reason: reason.unwrap_or(&self.reason).into(),
        }
    }

    /// Whether the monitor, which has a case only for what it finds, has listened to a whole run and found
    /// nothing.
    fn is_silent_now(&self, run: &Run) -> bool {
        let Some(rule) = monitored(&self.id) else { return false };
        let told = run.cases.iter().any(|case| case.breaches.iter().any(|breach| breach.requirement == rule));
        let concerns = |dialect| self.dialect.or(rule.dialect()).is_none_or(|own| own == dialect);
        let whole = scenarios()
            .filter(|scenario| concerns(scenario.dialect) && scenario.tier == Tier::Quick)
            .all(|scenario| run.cases.iter().any(|case| case.id == scenario.id));
        !told && whole && !run.interrupted
    }
}

fn monitored(id: &str) -> Option<Requirement> {
    id.strip_prefix("monitor/").and_then(Requirement::parse)
}

fn is_monitored(id: &str) -> bool {
    monitored(id).is_some()
}

/// How bad a verdict is; `None` where it says nothing about the target.
const fn badness(verdict: Verdict) -> Option<u8> {
    match verdict {
        Verdict::Pass => Some(0),
        Verdict::Info => Some(1),
        Verdict::Warn => Some(2),
        Verdict::Fail => Some(3),
        Verdict::NotApplicable | Verdict::Blocked | Verdict::Inconclusive => None,
    }
}

impl Comparison {
    /// Whether the run is as the baseline says, warnings under `--strict` aside.
    pub const fn is_clean(&self) -> bool {
        self.regressions.is_empty() && self.stale.is_empty() && self.unknown.is_empty()
    }

    fn listed(&mut self, entry: &Entry, case: &Case) {
        if entry.verdict == case.verdict {
            self.matched.push(Matched { id: case.id.clone(), verdict: case.verdict });
            return;
        }
        let difference = entry.difference(Some(case));
        match (badness(entry.verdict), badness(case.verdict)) {
            (_, None) => self.open.push(difference),
            (Some(listed), Some(got)) if got > listed => self.regressions.push(difference),
            // Nothing could be said, and now there is something bad to say.
            (None, Some(got)) if got >= 2 => self.regressions.push(difference),
            (Some(_) | None, Some(_)) => self.stale.push(difference),
        }
    }

    fn unlisted(&mut self, case: &Case) {
        let difference =
            || Difference { id: case.id.clone(), listed: None, got: Some(case.verdict), reason: case.reason.clone() };
        match case.verdict {
            Verdict::Fail => self.regressions.push(difference()),
            Verdict::Warn => self.unlisted_warnings.push(difference()),
            Verdict::Pass | Verdict::Info | Verdict::NotApplicable | Verdict::Blocked | Verdict::Inconclusive => {}
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "baseline {} as listed - {} regressions - {} stale - {} unknown",
            self.matched.len(),
            self.regressions.len(),
            self.stale.len(),
            self.unknown.len()
        )?;
        section(f, "regressions: not listed, or worse than listed", &self.regressions)?;
        section(f, "stale: listed, but better now; correct the baseline", &self.stale)?;
        if !self.unknown.is_empty() {
            write!(f, "\n\nunknown: listed, but there is no such case")?;
            for unknown in &self.unknown {
                write!(f, "\n  {} (line {})", printable(&unknown.id), unknown.line)?;
                if let Some(near) = &unknown.near {
                    write!(f, "; did you mean {near}?")?;
                }
            }
        }
        section(f, "open: listed, but this run says nothing about it", &self.open)?;
        section(f, "warnings that are not listed (failures with --strict)", &self.unlisted_warnings)
    }
}

fn section(f: &mut fmt::Formatter<'_>, head: &str, all: &[Difference]) -> fmt::Result {
    if all.is_empty() {
        return Ok(());
    }
    write!(f, "\n\n{head}")?;
    for Difference { id, listed, got, reason } in all {
        let was = listed.map_or_else(|| "not listed".into(), |verdict| format!("listed {verdict}"));
        let is = match got {
            Some(verdict) => format!("now {verdict}"),
            None if id.starts_with("monitor/") => "nothing found".into(),
            None => "not run".into(),
        };
        write!(f, "\n  {}   {was}, {is}\n      {}", printable(id), printable(reason))?;
    }
    Ok(())
}

// Writing

/// The name of a target: its first host, without the port, which differs from run to run.
fn target_name(run: &Run) -> String {
    if run.target.embedded {
        return "reference".into();
    }
    let url = run.target.endpoints.values().next().map_or("unknown", String::as_str);
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let port = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    port.map_or(authority, |(host, _)| host).to_owned()
}

fn reason_of(case: &Case) -> String {
    let told = case.breaches.first().map(|breach| format!("{}: got {}", breach.requirement, cut(&breach.got, 200)));
    let told = told.unwrap_or_else(|| cut(&case.reason, 200));
    if told.trim().is_empty() { "not explained".into() } else { told }
}

fn quoted(text: &str) -> String {
    toml::Value::String(printable(text)).to_string()
}
