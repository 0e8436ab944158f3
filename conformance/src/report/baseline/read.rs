//! Reads baselines. Whatever is wrong is told with line, key and what was expected there.

use std::fmt;
use std::path::{Path, PathBuf};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Severity;
use chrono::NaiveDate;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Baseline, CheckEntry, Entry, Terms};
use crate::report::text::printable;
use crate::verdict::Verdict;

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

const TOP_KEYS: [&str; 3] = ["target", "case", "check"];
const CASE_KEYS: [&str; 7] = ["id", "dialect", "verdict", "message", "reason", "link", "expires"];
const CHECK_KEYS: [&str; 8] = ["requirement", "case", "dialect", "verdict", "message", "reason", "link", "expires"];

pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) path: &'t Path,
}

impl Reader<'_> {
    pub(super) fn baseline(&self) -> Result<Baseline, BaselineError> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.error(at, "", "TOML", error.message().trim())
        })?;
        let table = table.get_ref();
        self.no_other_keys(table, &TOP_KEYS)?;
        let target = self.text_of(table, "target", 0, "the name of the target")?;
        let mut entries: Vec<Entry> = Vec::new();
        for (table, at) in self.tables(table, "case")? {
            let entry = self.entry(table, at)?;
            if let Some(first) = entries.iter().find(|first| first.overlaps(&entry)) {
                let got = format!("{:?} again, which line {} lists", entry.id, first.terms.line);
                let line = entry.terms.line;
                return Err(BaselineError { line, ..self.error(at, "id", "each case once", &got) });
            }
            entries.push(entry);
        }
        let checks = self.tables(table, "check")?.into_iter().map(|(table, at)| self.check(table, at));
        Ok(Baseline { target, entries, checks: checks.collect::<Result<_, _>>()?, today: None })
    }

    /// The tables of an array, each with its place.
    fn tables<'d>(&self, top: &'d DeTable<'_>, name: &str) -> Result<Vec<(&'d DeTable<'d>, usize)>, BaselineError> {
        let expected = format!("[[{name}]] tables");
        let Some(value) = top.get(name) else { return Ok(Vec::new()) };
        let wrong = |at: usize, value: &DeValue<'_>| self.error(at, name, &expected, &kind(value));
        let all = value.get_ref().as_array().ok_or_else(|| wrong(value.span().start, value.get_ref()))?;
        let table = |item: &'d Spanned<DeValue<'d>>| {
            let at = item.span().start;
            Ok((item.get_ref().as_table().ok_or_else(|| wrong(at, item.get_ref()))?, at))
        };
        all.iter().map(table).collect()
    }

    fn entry(&self, table: &DeTable<'_>, at: usize) -> Result<Entry, BaselineError> {
        self.no_other_keys(table, &CASE_KEYS)?;
        let id = self.text_of(table, "id", at, "the id of a case, or a pattern with *")?;
        let words = Verdict::ALL.map(|verdict| verdict.word()).join(", ");
        let verdict = self.word(table, "verdict", at, &format!("one of {words}"), Verdict::parse)?;
        Ok(Entry { id, dialect: self.dialect(table, at)?, verdict, terms: self.terms(table, at, "id")? })
    }

    fn check(&self, table: &DeTable<'_>, at: usize) -> Result<CheckEntry, BaselineError> {
        self.no_other_keys(table, &CHECK_KEYS)?;
        let requirement = self.text_of(table, "requirement", at, "the id of a requirement, or a pattern with *")?;
        let case = self.optional(table, "case", at, "the id of a case, or a pattern with *")?;
        let parse = |word: &str| {
            [Severity::Fail, Severity::Warn, Severity::Info].into_iter().find(|severity| severity.word() == word)
        };
        let severity = self.word(table, "verdict", at, "one of fail, warn, info", parse)?;
        let dialect = self.dialect(table, at)?;
        Ok(CheckEntry { requirement, case, dialect, severity, terms: self.terms(table, at, "requirement")? })
    }

    /// What both kinds of entries have.
    fn terms(&self, table: &DeTable<'_>, at: usize, name: &str) -> Result<Terms, BaselineError> {
        Ok(Terms {
            reason: self.text_of(table, "reason", at, "a text that says why the case gets this verdict")?,
            message: self.optional(table, "message", at, "a text of the finding, or a pattern with *")?,
            link: self.link(table, at)?,
            expires: self.date(table)?,
            line: self.line(place(table, name, at)),
        })
    }

    fn dialect(&self, table: &DeTable<'_>, at: usize) -> Result<Option<Dialect>, BaselineError> {
        let parse = |word: &str| Dialect::ALL.into_iter().find(|dialect| dialect.word() == word);
        if table.get("dialect").is_none() {
            return Ok(None);
        }
        self.word(table, "dialect", at, "graphql or events", parse).map(Some)
    }

    fn link(&self, table: &DeTable<'_>, at: usize) -> Result<Option<String>, BaselineError> {
        let expected = "a URL that begins with http:// or https://";
        let link = self.optional(table, "link", at, expected)?;
        match &link {
            Some(text) if !text.starts_with("https://") && !text.starts_with("http://") => {
                Err(self.error(place(table, "link", at), "link", expected, &format!("{text:?}")))
            }
            Some(_) | None => Ok(link),
        }
    }

    fn date(&self, table: &DeTable<'_>) -> Result<Option<NaiveDate>, BaselineError> {
        let Some(value) = table.get("expires") else { return Ok(None) };
        let wrong = |got: &str| self.error(value.span().start, "expires", "a date such as 2027-01-31", got);
        let Some(moment) = value.get_ref().as_datetime() else { return Err(wrong(&kind(value.get_ref()))) };
        match (moment.date, moment.time) {
            (Some(date), None) => {
                let found = NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into());
                found.map(Some).ok_or_else(|| wrong(&moment.to_string()))
            }
            (Some(_), Some(_)) | (None, _) => Err(wrong(&moment.to_string())),
        }
    }

    fn word<T>(
        &self,
        table: &DeTable<'_>,
        key: &str,
        at: usize,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, BaselineError> {
        let word = self.text_of(table, key, at, expected)?;
        parse(&word).ok_or_else(|| self.error(place(table, key, at), key, expected, &format!("{word:?}")))
    }

    fn optional(
        &self,
        table: &DeTable<'_>,
        key: &str,
        at: usize,
        expected: &str,
    ) -> Result<Option<String>, BaselineError> {
        if table.get(key).is_none() {
            return Ok(None);
        }
        self.text_of(table, key, at, expected).map(Some)
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

    fn no_other_keys(&self, table: &DeTable<'_>, known: &[&str]) -> Result<(), BaselineError> {
        // The table is sorted by name, people read from the top.
        let other =
            table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).min_by_key(|key| key.span().start);
        match other {
            None => Ok(()),
            Some(key) => {
                let expected = format!("one of {}", known.join(", "));
                Err(self.error(key.span().start, key.get_ref(), &expected, "an unknown key"))
            }
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
