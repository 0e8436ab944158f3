//! Writes the baseline that a run matches, with what was seen as the reasons.

use std::collections::BTreeMap;

use crate::report::model::{Case, Run};
use crate::report::text::printable;
use crate::scenario::cut;
use crate::verdict::Verdict;

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

/// The name of a target: its first host, without the port, which differs from run to run.
pub(super) fn target_name(run: &Run) -> String {
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

pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(printable(text)).to_string()
}
