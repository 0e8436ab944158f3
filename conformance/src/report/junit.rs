//! JUnit XML: what every CI shows.
//!
//! A suite for each dialect and area. *fail* is a failure with the text a person would read, and so is *warn*
//! where warnings count; otherwise *warn*, like *info*, is a success that says so. *n/a* and *blocked* are skipped with their reason, *inconclusive* is
//! an error: there is no saying. What a target said cannot break the document: what XML 1.0 cannot hold
//! becomes a visible escape, and the rest is escaped by the writer.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::model::{Case, Run};
use super::text::{Style, area_of, failure, printable};
use crate::verdict::Verdict;

/// The report as JUnit XML. `strict`: a warning is a failure.
///
/// # Errors
/// When the XML writer fails; that would be a defect.
pub fn to_junit(run: &Run, strict: bool) -> Result<String, SerializeError> {
    let mut report = Report::new("syncspec");
    report.set_time(Duration::from_millis(run.took_ms));
    let mut suites: Vec<TestSuite> = Vec::new();
    for case in &run.cases {
        let name = suite_of(case);
        let at = suites.iter().position(|suite| suite.name.as_str() == name).unwrap_or_else(|| {
            suites.push(new_suite(&name, case, run));
            suites.len() - 1
        });
        if let Some(suite) = suites.get_mut(at) {
            suite.add_test_case(test_case(case, run, strict));
            let took = suite.time.unwrap_or_default() + Duration::from_millis(case.took_ms);
            suite.set_time(took);
        }
    }
    report.add_test_suites(suites);
    report.to_string()
}

fn suite_of(case: &Case) -> String {
    printable(&format!("{}/{}", case.dialect, area_of(&case.id)))
}

fn new_suite(name: &str, case: &Case, run: &Run) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.add_property(Property::new("seed", format!("{:#x}", run.seed)));
    let target = match run.target.endpoints.get(&case.dialect) {
        _ if run.target.embedded => "built-in reference endpoint",
        Some(url) => url,
        None => "unknown",
    };
    suite.add_property(Property::new("target", printable(target)));
    suite
}

fn test_case(case: &Case, run: &Run, strict: bool) -> TestCase {
    let reason = printable(&case.reason);
    let told = || lines(&failure(case, run, &Style { color: false, width: 100 }));
    let mut status = match case.verdict {
        Verdict::Warn if strict => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Pass | Verdict::Warn | Verdict::Info => TestCaseStatus::success(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Inconclusive => TestCaseStatus::non_success(NonSuccessKind::Error),
        Verdict::NotApplicable | Verdict::Blocked => TestCaseStatus::skipped(),
    };
    match case.verdict {
        Verdict::Warn if !strict => {}
        Verdict::Pass | Verdict::Info => {}
        Verdict::Warn | Verdict::Fail | Verdict::Inconclusive => {
            let kind = case.breaches.first().map_or(case.verdict.word(), |breach| breach.requirement.id());
            status.set_type(kind).set_message(reason).set_description(told());
        }
        Verdict::NotApplicable | Verdict::Blocked => {
            status.set_type(case.verdict.word()).set_message(reason);
        }
    }
    let mut test = TestCase::new(printable(&case.id), status);
    test.set_classname(suite_of(case).replace('/', "."));
    test.set_time(Duration::from_millis(case.took_ms));
    match case.verdict {
        Verdict::Warn if strict => {}
        Verdict::Warn | Verdict::Info => {
            test.set_system_out(told());
        }
        Verdict::Pass if !case.evidence.is_empty() => {
            let evidence: Vec<_> = case.evidence.iter().map(|line| printable(line)).collect();
            test.set_system_out(evidence.join("\n"));
        }
        Verdict::Pass | Verdict::Fail | Verdict::NotApplicable | Verdict::Blocked | Verdict::Inconclusive => {}
    }
    test
}

/// Line breaks stay, everything else is made printable.
fn lines(text: &str) -> String {
    let all: Vec<_> = text.trim_end().lines().map(printable).collect();
    all.join("\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use appsync_protocol::dialect::Dialect;

    use super::*;
    use crate::report::{Exit, Target};

    fn warned() -> Run {
        let case = Case {
            id: "monitor/GQL-SUB-018".into(),
            title: String::new(),
            dialect: Dialect::Graphql,
            verdict: Verdict::Warn,
            reason: "it is odd".into(),
            requirements: Vec::new(),
            breaches: Vec::new(),
            evidence: Vec::new(),
            observations: Vec::new(),
            dialogue: String::new(),
            trace: appsync_protocol::transcript::Transcript::new(),
            mark: None,
            took_ms: 0,
            attempts: 1,
            replay: String::new(),
        };
        Run {
            target: Target::default(),
            seed: 1,
            started_unix_s: 0,
            took_ms: 0,
            cases: vec![case],
            observations: Vec::new(),
            connections: 0,
            messages: 0,
            interrupted: false,
            exit: Exit::default(),
        }
    }

    #[test]
    fn a_warning_is_a_failure_where_warnings_count() {
        let strict = to_junit(&warned(), true).unwrap();

        assert!(strict.contains(r#"failures="1""#) && strict.contains(r#"<failure message="it is odd""#), "{strict}");
    }

    #[test]
    fn a_warning_is_a_success_that_says_so_where_warnings_do_not_count() {
        let lenient = to_junit(&warned(), false).unwrap();

        assert!(lenient.contains(r#"failures="0""#) && lenient.contains("<system-out>WARN"), "{lenient}");
    }
}
