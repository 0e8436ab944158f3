//! Brings a baseline up to a run, and keeps what people have written in it: reasons, links, comments, order.
//!
//! What does better is taken out, or gets its new verdict; an id that names nothing is taken out. A failure that is new,
//! or worse or other than listed, is taken in only with a reason; an expired entry stays only with another day. Without
//! those nothing is written at all. Patterns and `[[check]]` entries are never widened: a case that does worse than a
//! pattern says gets an entry of its own.

use std::fmt;
use std::path::Path;

use appsync_protocol::dialect::Dialect;
use chrono::NaiveDate;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::pattern::{is_pattern, matches};
use super::write::target_name;
use super::{Baseline, BaselineError, Comparison, Difference, badness};
use crate::report::model::{Case, Run};
use crate::report::text::printable;
use crate::verdict::Verdict;

/// What new entries get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// Why; without it no new entry is made.
    pub reason: Option<String>,
    /// Where more is said.
    pub link: Option<String>,
    /// The last day on which they hold; also for entries that have expired.
    pub expires: Option<NaiveDate>,
    /// Only cases whose id contains one of these, or fits it as a pattern; all where there is none.
    pub only: Vec<String>,
}

/// A baseline brought up to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The text of the file.
    pub text: String,
    /// What was changed, a line each.
    pub changes: Vec<String>,
    /// How the run compares with the baseline as it is now.
    pub comparison: Comparison,
}

/// Why a baseline was not brought up to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateError {
    /// The baseline cannot be read, before or after.
    Baseline(BaselineError),
    /// Cases that are not listed, or do worse, and nobody says why.
    WithoutReason(Vec<Difference>),
    /// Entries that have expired, and no other day is given.
    Expired(Vec<super::Expired>),
}

impl fmt::Display for UpdateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Baseline(error) => write!(f, "{error}"),
            Self::WithoutReason(all) => {
                write!(f, "expected a reason for what the baseline is to excuse, with --reason TEXT; got none for")?;
                for Difference { id, listed, got, reason } in all {
                    let was = listed.map_or("not listed", Verdict::word);
                    let is = got.map_or("nothing", Verdict::word);
                    write!(f, "\n  {}   {was}, now {is}\n      {}", printable(id), printable(reason))?;
                }
                Ok(())
            }
            Self::Expired(all) => {
                write!(
                    f,
                    "expected another day for entries that have expired, with --expires YYYY-MM-DD; got none for"
                )?;
                for expired in all {
                    write!(f, "\n  {} (line {})   held until {}", printable(&expired.id), expired.line, expired.last)?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for UpdateError {}

/// A new baseline that a run matches.
///
/// # Errors
/// When there is something to list and no reason for it.
pub fn init(run: &Run, name: Option<&str>, fresh: &Fresh) -> Result<Updated, UpdateError> {
    let mut document = DocumentMut::new();
    document["target"] = value(printable(&name.map_or_else(|| target_name(run), str::to_owned)));
    update(&document.to_string(), Path::new("the new baseline"), run, None, fresh)
}

/// A baseline brought up to a run, on a day. `path` is for errors only.
///
/// # Errors
/// When it cannot be read, and when it is to excuse something new or expired without a reason or another day.
pub fn update(
    text: &str,
    path: &Path,
    run: &Run,
    today: Option<NaiveDate>,
    fresh: &Fresh,
) -> Result<Updated, UpdateError> {
    let baseline = Baseline::parse(text, path).map_err(UpdateError::Baseline)?.as_of(today);
    let before = baseline.compare(run, crate::report::is_known_case);
    if !before.expired.is_empty() && fresh.expires.is_none() {
        return Err(UpdateError::Expired(before.expired));
    }
    let wanted: Vec<_> = before.regressions.iter().filter(|difference| fresh.wants(&difference.id)).cloned().collect();
    if fresh.reason.is_none() && !wanted.is_empty() {
        return Err(UpdateError::WithoutReason(wanted));
    }
    let document = text.parse::<DocumentMut>().map_err(|error| {
        let expected = "TOML".into();
        UpdateError::Baseline(BaselineError {
            path: path.into(),
            line: 1,
            key: "".into(),
            expected,
            got: error.to_string(),
        })
    })?;
    let mut editor = Editor { document, changes: Vec::new(), baseline: &baseline, before: &before, run, fresh };
    editor.renew();
    editor.correct();
    editor.remove();
    editor.add();
    let Editor { document, changes, .. } = editor;
    let text = document.to_string();
    let after = Baseline::parse(&text, path).map_err(UpdateError::Baseline)?.as_of(today);
    Ok(Updated { comparison: after.compare(run, crate::report::is_known_case), text, changes })
}

impl Fresh {
    fn wants(&self, id: &str) -> bool {
        let fits = |text: &String| if is_pattern(text) { matches(text, id) } else { id.contains(text.as_str()) };
        self.only.is_empty() || self.only.iter().any(fits)
    }
}

struct Editor<'b> {
    document: DocumentMut,
    changes: Vec<String>,
    baseline: &'b Baseline,
    before: &'b Comparison,
    run: &'b Run,
    fresh: &'b Fresh,
}

impl Editor<'_> {
    /// Gives expired entries another day.
    fn renew(&mut self) {
        let Some(expires) = self.fresh.expires else { return };
        let lines: Vec<_> = self.before.expired.iter().map(|expired| expired.line).collect();
        let cases =
            self.baseline.entries.iter().map(|entry| &entry.terms).enumerate().map(|(n, terms)| ("case", n, terms));
        let checks =
            self.baseline.checks.iter().map(|check| &check.terms).enumerate().map(|(n, terms)| ("check", n, terms));
        for (kind, n, terms) in cases.chain(checks) {
            if lines.contains(&terms.line)
                && let Some(table) = tables(&mut self.document, kind).get_mut(n)
            {
                table["expires"] = date(expires);
                self.changes.push(format!("renewed   line {} until {expires}", terms.line));
            }
        }
    }

    /// Gives listed cases the verdict that they have now.
    fn correct(&mut self) {
        for (n, entry) in self.baseline.entries.iter().enumerate().filter(|(_, entry)| !is_pattern(&entry.id)) {
            let Some(case) = self.run.cases.iter().find(|case| entry.names(case)) else { continue };
            let worse = badness(case.verdict) > badness(entry.verdict) || !entry.says(case);
            let is_bad = matches!(case.verdict, Verdict::Fail | Verdict::Warn);
            let differs = case.verdict != entry.verdict || !entry.says(case);
            if !differs || !is_bad || (worse && !self.fresh.wants(&case.id)) {
                continue;
            }
            let Some(table) = tables(&mut self.document, "case").get_mut(n) else { continue };
            table["verdict"] = value(case.verdict.word());
            if worse {
                // What was written of the lesser failure does not explain this one.
                self.fresh.fill(table);
                table.remove("message");
            }
            self.changes.push(format!("corrected {}   {} to {}", printable(&case.id), entry.verdict, case.verdict));
        }
    }

    /// Takes out what is not bad any more, and what does not exist.
    fn remove(&mut self) {
        let unknown = |line: usize| self.before.unknown.iter().any(|unknown| unknown.line == line);
        let better = |id: &str, of: Option<Dialect>| {
            let case = self.run.cases.iter().find(|case| case.id == id && of.is_none_or(|own| own == case.dialect));
            case.is_none_or(|case| badness(case.verdict) < badness(Verdict::Warn))
        };
        let stale = |id: &str| self.before.stale.iter().any(|stale| stale.id == id);
        let mut gone: Vec<(&str, usize, &str)> = Vec::new();
        for (n, entry) in self.baseline.entries.iter().enumerate() {
            let is_stale = if is_pattern(&entry.id) {
                // A pattern is told under its own id, or under that of its worst case.
                let told = |stale: &Difference| stale.id == entry.id || matches(&entry.id, &stale.id);
                self.before.stale.iter().any(told)
                    && !self
                        .run
                        .cases
                        .iter()
                        .any(|case| entry.names(case) && badness(case.verdict) >= badness(entry.verdict))
            } else {
                stale(&entry.id) && better(&entry.id, entry.dialect)
            };
            if is_stale || unknown(entry.terms.line) {
                gone.push(("case", n, &entry.id));
            }
        }
        for (n, check) in self.baseline.checks.iter().enumerate() {
            if stale(&check.requirement) || unknown(check.terms.line) {
                gone.push(("check", n, &check.requirement));
            }
        }
        // From the end, so that the numbers of the others stay.
        for (kind, n, id) in gone.into_iter().rev() {
            tables(&mut self.document, kind).remove(n);
            self.changes.push(format!("removed   {}", printable(id)));
        }
    }

    /// Takes in what is bad and not listed, or worse than a pattern says.
    fn add(&mut self) {
        if self.fresh.reason.is_none() {
            return;
        }
        let news = self.before.regressions.iter().chain(&self.before.unlisted_warnings);
        for difference in news.filter(|difference| self.fresh.wants(&difference.id)) {
            for case in
                self.run.cases.iter().filter(|case| case.id == difference.id && difference.got == Some(case.verdict))
            {
                let of_its_own = |entry: &super::Entry| !is_pattern(&entry.id) && entry.names(case);
                if self.baseline.entries.iter().any(of_its_own) {
                    continue;
                }
                let both = self.run.cases.iter().filter(|other| other.id == case.id).count() > 1;
                tables(&mut self.document, "case").push(self.fresh.table(case, both));
                self.changes.push(format!("added     {}   {}", printable(&case.id), case.verdict));
            }
        }
    }
}

impl Fresh {
    fn table(&self, case: &Case, both_dialects: bool) -> Table {
        let mut table = Table::new();
        table.decor_mut().set_prefix("\n");
        table["id"] = value(printable(&case.id));
        if both_dialects {
            table["dialect"] = value(case.dialect.word());
        }
        table["verdict"] = value(case.verdict.word());
        self.fill(&mut table);
        table
    }

    fn fill(&self, table: &mut Table) {
        if let Some(reason) = &self.reason {
            table["reason"] = value(printable(reason));
        }
        if let Some(link) = &self.link {
            table["link"] = value(printable(link));
        }
        if let Some(expires) = self.expires {
            table["expires"] = date(expires);
        }
    }
}

fn date(day: NaiveDate) -> Item {
    let text = day.to_string();
    text.parse::<toml_edit::Datetime>().map_or_else(|_| value(text), value)
}

/// The `[[case]]` or `[[check]]` tables, made where there are none, and out of inline ones.
fn tables<'d>(document: &'d mut DocumentMut, kind: &str) -> &'d mut ArrayOfTables {
    let item = document.entry(kind).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    if !item.is_array_of_tables() {
        let inline = std::mem::take(item);
        *item = Item::ArrayOfTables(inline.into_array_of_tables().unwrap_or_default());
    }
    match item {
        Item::ArrayOfTables(tables) => tables,
        Item::None | Item::Value(_) | Item::Table(_) => unreachable!("the item was made an array of tables"),
    }
}
