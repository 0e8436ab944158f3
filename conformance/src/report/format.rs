//! The forms of a report that are made from its JSON records, under the names that `--report` and
//! `report convert --to` take.

use super::json::{Document, pretty};
use super::read::ReadError;
use super::text::{Style, failure, summary};
use super::{github, har, html, junit, markdown, restore, sarif};
use crate::verdict::Verdict;

/// A form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Everything, for programs.
    Json,
    /// What every CI shows.
    Junit,
    /// What code scanners write.
    Sarif,
    /// Commands that GitHub turns into annotations.
    Github,
    /// A summary for a pull request or a job page.
    Markdown,
    /// The dialogues for network tools.
    Har,
    /// One page for people, with everything.
    Html,
    /// What the terminal showed.
    Text,
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 8] =
        [Self::Json, Self::Junit, Self::Sarif, Self::Github, Self::Markdown, Self::Har, Self::Html, Self::Text];

    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Markdown => "markdown",
            Self::Har => "har",
            Self::Html => "html",
            Self::Text => "text",
        }
    }

    /// The form of a name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.word() == word)
    }
}

/// The report in this form.
///
/// # Errors
/// When it names requirements that this version does not know, and the form needs their rows (JUnit, text).
pub fn render(document: &Document, format: Format) -> Result<String, ReadError> {
    Ok(match format {
        Format::Json => pretty(document),
        Format::Junit => {
            let xml = junit::to_junit(&restore::run(document)?, false);
            xml.map_err(|error| super::read::wrong("", format!("expected XML; the writer failed: {error}")))?
        }
        Format::Sarif => sarif::to_sarif(document),
        Format::Github => github::to_github(document),
        Format::Markdown => markdown::to_markdown(document),
        Format::Har => har::to_har(document),
        Format::Html => html::to_html(document),
        Format::Text => text(document)?,
    })
}

fn text(document: &Document) -> Result<String, ReadError> {
    let (run, style) = (restore::run(document)?, Style::default());
    let mut out = String::new();
    for case in run.cases.iter().filter(|case| matches!(case.verdict, Verdict::Fail | Verdict::Warn)) {
        out.push_str(&failure(case, &run, &style));
    }
    out.push_str(&summary(&run, &style));
    out.push('\n');
    Ok(out)
}
