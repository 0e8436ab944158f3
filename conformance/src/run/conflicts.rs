//! Where what a target is declared to be and what was detected part: cases of their own, never silently one of both.

use std::collections::BTreeMap;

use appsync_protocol::transcript::Transcript;

use super::Endpoint;
use crate::profile::{Fact, Standing};
use crate::report::Case;
use crate::verdict::Verdict;

/// What the ids of these cases begin with.
pub const PREFIX: &str = "target/";

/// One case for each fact on which declaration and detection differ. What was just seen beats what a profile says.
///
/// A declaration that does not hold is a warning: what it promises is not judged. A denial of what is there is
/// information: it is left out on purpose.
pub(super) fn find(endpoint: &Endpoint, detected: &BTreeMap<Fact, bool>) -> Vec<Case> {
    let case = |(fact, declared): (&Fact, &bool)| {
        let seen = detected.get(fact).or_else(|| endpoint.probed.get(fact)).copied();
        let standing = Standing { declared: Some(*declared), detected: seen };
        let reason = format!("{fact}: {}", standing.conflict()?);
        Some(Case {
            id: format!("{PREFIX}{fact}"),
            title: format!("What is declared of the target and what was detected agree: {}", fact.meaning()),
            dialect: endpoint.dialect,
            verdict: if *declared { Verdict::Warn } else { Verdict::Info },
            reason,
            requirements: Vec::new(),
            breaches: Vec::new(),
            evidence: Vec::new(),
            observations: Vec::new(),
            dialogue: String::new(),
            trace: Transcript::new(),
            mark: None,
            took_ms: 0,
            attempts: 0,
            replay: format!("{}/control", endpoint.dialect.word()),
        })
    };
    endpoint.declared.iter().filter_map(case).collect()
}
