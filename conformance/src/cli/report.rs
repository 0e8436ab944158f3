//! `syncspec report` and `syncspec replay`: what can be done with a report after its run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use appsync_protocol::dialect::Dialect;
use syncspec::catalogue::scenarios;
use syncspec::report::emit::{self, Language};
use syncspec::report::explain::suggest;
use syncspec::report::format::{Format, render};
use syncspec::report::json::{CaseRecord, Document, TargetRecord, to_text};
use syncspec::report::merge::{Named, merge, split};
use syncspec::report::text::printable;
use syncspec::report::{badge, diff, matrix, read};
use syncspec::scenario::Tier;

use super::report_args::{
    BadgeOptions, ConvertOptions, DiffOptions, EmitChoice, FormatChoice, MatrixFormat, MatrixOptions, MergeOptions,
    ReplayOptions, ReportCommand, ReportOptions,
};
use super::{say, usage};

pub(super) fn run(options: &ReportOptions) -> u8 {
    let done = match &options.command {
        ReportCommand::Convert(options) => convert(options),
        ReportCommand::Merge(options) => merged(options),
        ReportCommand::Diff(options) => compare(options),
        ReportCommand::Matrix(options) => side_by_side(options),
        ReportCommand::Badge(options) => badged(options),
    };
    done.unwrap_or_else(usage)
}

fn convert(options: &ConvertOptions) -> Result<u8, String> {
    let document = open(&options.input)?;
    let format = match options.to {
        FormatChoice::Json => Format::Json,
        FormatChoice::Junit => Format::Junit,
        FormatChoice::Sarif => Format::Sarif,
        FormatChoice::Github => Format::Github,
        FormatChoice::Markdown => Format::Markdown,
        FormatChoice::Har => Format::Har,
        FormatChoice::Html => Format::Html,
        FormatChoice::Text => Format::Text,
    };
    let text = render(&document, format)
        .map_err(|error| read::ReadError { path: Some(options.input.clone()), ..error }.to_string())?;
    put(options.output.as_deref(), &text)
}

fn merged(options: &MergeOptions) -> Result<u8, String> {
    let parts = named(&options.inputs, &options.name)?;
    match merge(&parts) {
        Some(document) => put(options.output.as_deref(), &to_text(&document)),
        None => Err("expected a report at least; got none".into()),
    }
}

fn compare(options: &DiffOptions) -> Result<u8, String> {
    let (before, after) = (open(&options.before)?, open(&options.after)?);
    let found = diff::diff(&before, &after);
    say(&found);
    Ok(u8::from(found.is_worse(options.strict)))
}

fn side_by_side(options: &MatrixOptions) -> Result<u8, String> {
    let columns = named(&options.inputs, &options.name)?;
    let text = match options.format {
        MatrixFormat::Markdown => matrix::to_markdown(&columns),
        MatrixFormat::Html => matrix::to_html(&columns),
    };
    put(options.output.as_deref(), &text)
}

fn badged(options: &BadgeOptions) -> Result<u8, String> {
    put(options.output.as_deref(), &badge::to_badge(&open(&options.input)?, &options.label))
}

fn open(path: &Path) -> Result<Document, String> {
    read::from_file(path).map_err(|error| error.to_string())
}

/// The reports under their names; a merged one is taken apart into its targets.
fn named(inputs: &[PathBuf], names: &[String]) -> Result<Vec<Named>, String> {
    if names.len() > inputs.len() {
        return Err(format!(
            "--name: expected at most one for each of the {} reports; got {}",
            inputs.len(),
            names.len()
        ));
    }
    let mut all = Vec::new();
    for (n, path) in inputs.iter().enumerate() {
        let (document, name) = (open(path)?, names.get(n).map(String::as_str));
        if let (Some(name), [_, ..]) = (name, document.targets.as_slice()) {
            return Err(format!("--name {name:?}: {} holds several targets, which have names", path.display()));
        }
        all.extend(split(&document, name));
    }
    Ok(all)
}

pub(super) fn put(path: Option<&Path>, text: &str) -> Result<u8, String> {
    use std::io::Write as _;
    match path {
        None => {
            // A reader that has gone away (`| head`) is no defect of ours.
            let _ = std::io::stdout().write_all(text.as_bytes());
            Ok(0)
        }
        Some(path) if path == Path::new("-") => put(None, text),
        Some(path) => match std::fs::write(path, text) {
            Ok(()) => Ok(0),
            Err(error) => Err(format!("{}: {error}", path.display())),
        },
    }
}

// Replay

/// Runs a case again, or writes it as a script. What is to be run is told as arguments of `syncspec server`.
pub(super) fn replay(options: &ReplayOptions, serve: impl FnOnce(Vec<OsString>) -> u8) -> u8 {
    let document = match open(&options.report) {
        Ok(document) => document,
        Err(what) => return usage(what),
    };
    let case = match find(&document, options) {
        Ok(case) => case,
        Err(what) => return usage(what),
    };
    if let Some(choice) = options.emit {
        let program = |language| emit::emit(&document, case, language).map_err(|error| error.to_string());
        let text = match choice {
            EmitChoice::Python => program(Language::Python),
            EmitChoice::Websocat => program(Language::Websocat),
            EmitChoice::Dialogue => Ok(case.dialogue.lines().map(|line| printable(line) + "\n").collect()),
            EmitChoice::Operations => Err("only the file of a finding has operations".into()),
        };
        let written = text
            .map_err(|error| format!("{}: {}: {error}", options.report.display(), printable(&case.id)))
            .and_then(|text| put(options.output.as_deref(), &text));
        return written.unwrap_or_else(usage);
    }
    match arguments(&document, case, options) {
        Ok(arguments) => serve(arguments),
        Err(what) => usage(what),
    }
}

fn find<'d>(document: &'d Document, options: &ReplayOptions) -> Result<&'d CaseRecord, String> {
    let report = options.report.display();
    let Some(id) = options.id.as_deref() else {
        return Err(format!("{report}: expected the ID of a case; only the file of a finding goes without"));
    };
    let wanted = |case: &&CaseRecord| case.id.eq_ignore_ascii_case(id.trim());
    let all: Vec<_> = document.cases.iter().filter(wanted).collect();
    let own: Vec<_> = match &options.target {
        None => all.clone(),
        Some(name) => all.iter().copied().filter(|case| case.target == *name).collect(),
    };
    match (own.as_slice(), all.as_slice()) {
        ([case], _) => Ok(case),
        ([], []) => {
            let near: Vec<_> =
                suggest(id).into_iter().filter(|id| document.cases.iter().any(|case| case.id == *id)).collect();
            let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
            Err(format!("{id:?} names no case of {report}{hint}"))
        }
        ([], all) | (all, _) => {
            let targets: Vec<_> = all.iter().map(|case| printable(&case.target)).collect();
            if targets.iter().all(String::is_empty) {
                // The same rule of the suite in both dialects.
                return all.first().copied().ok_or_else(|| format!("no case of {report}"));
            }
            Err(format!("{id:?} is a case of several targets; expected --target, one of {}", targets.join(", ")))
        }
    }
}

/// `syncspec server` with the options of the report. Each text of the report stands behind an equals sign or after
/// `--`, so none can become an option.
fn arguments(document: &Document, case: &CaseRecord, options: &ReplayOptions) -> Result<Vec<OsString>, String> {
    let id = if case.replay.is_empty() { &case.id } else { &case.replay };
    let Some(scenario) = scenarios().find(|scenario| scenario.id == id) else {
        return Err(format!("{:?} is no scenario of this version; see syncspec list", printable(id)));
    };
    let target = document.targets.iter().find(|target| target.name == case.target).unwrap_or(&document.target);
    let mut all: Vec<OsString> = vec!["syncspec".into(), "server".into()];
    let mut flag = |name: &str, value: &str| all.push(format!("--{name}={value}").into());
    flag("filter", &format!("={}", scenario.id));
    flag("seed", &document.run.seed);
    flag("dialect", scenario.dialect.word());
    let tier = match scenario.tier {
        Tier::Quick | Tier::Standard => "standard",
        Tier::Long => "long",
    };
    flag("tier", tier);
    let url = endpoint(target, scenario.dialect, options)?;
    if let (Some(_), None) = (&url, &options.endpoint)
        && let Some(realtime) = target.realtime.get(scenario.dialect.word())
    {
        flag("realtime", realtime);
    }
    if url.is_some() {
        for namespace in &target.namespaces {
            flag("namespace", namespace);
        }
    }
    for address in &options.connect_to {
        flag("connect-to", address);
    }
    if let Some(ca) = &options.ca {
        let mut argument = OsString::from("--ca=");
        argument.push(ca);
        all.push(argument);
    }
    if options.insecure {
        all.push("--insecure".into());
    }
    all.push("--limits".into());
    all.push("--verbose".into());
    if let Some(url) = url {
        all.push("--".into());
        all.push(url.into());
    }
    Ok(all)
}

/// The endpoint to judge; `None` is the built-in one.
fn endpoint(target: &TargetRecord, dialect: Dialect, options: &ReplayOptions) -> Result<Option<String>, String> {
    if let Some(url) = &options.endpoint {
        return Ok(Some(url.clone()));
    }
    if target.embedded {
        return Ok(None);
    }
    match target.endpoints.get(dialect.word()) {
        Some(url) => Ok(Some(url.clone())),
        None => Err(format!("the report names no endpoint for {dialect}; expected --endpoint")),
    }
}
