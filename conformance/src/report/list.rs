//! What there is: scenarios, requirements and saboteurs, for a person and for a program.
//!
//! A filter is a list of texts, of which an id has to contain one, in any case; an empty list takes all.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::{Reach, Requirement};
use serde::Serialize;

use super::json::{SuiteRecord, pretty, reach};
use super::model::SCHEMA_VERSION;
use crate::catalogue::{faults as all_faults, scenarios as all_scenarios};
use crate::fault::Fault;
use crate::scenario::Scenario;

/// Scenarios, one a line under their dialect, with what they judge.
pub fn scenarios(filter: &[String]) -> String {
    let mut out = String::new();
    let mut dialect = None;
    let mut count = 0;
    for scenario in chosen_scenarios(filter) {
        if dialect != Some(scenario.dialect) {
            dialect = Some(scenario.dialect);
            out.push_str(&format!("{}\n", scenario.dialect));
        }
        let rules: Vec<_> = scenario.covers.iter().map(|rule| rule.id()).collect();
        let hazard = if scenario.hazard { "  hazard" } else { "" };
        out.push_str(&format!("  {}   {}{hazard}\n", scenario.id, scenario.tier.word()));
        out.push_str(&format!("      {}  [{}]\n", scenario.title, rules.join(", ")));
        count += 1;
    }
    out.push_str(&format!("{count} scenarios\n"));
    out
}

/// Scenarios as JSON.
pub fn scenarios_json(filter: &[String]) -> String {
    pretty(&List { scenarios: Some(chosen_scenarios(filter).map(ScenarioRecord::of).collect()), ..List::default() })
}

/// Requirements, one a line: id, level, grade, bound party, and what the suite does about it.
pub fn requirements(filter: &[String]) -> String {
    let rules: Vec<_> = chosen_requirements(filter).collect();
    let mut out = String::new();
    let mut before = None;
    for rule in &rules {
        let area = (rule.dialect(), rule.area());
        if before.is_some_and(|before| before != area) {
            out.push('\n');
        }
        before = Some(area);
        let row = rule.row();
        let line = format!(
            "{:<18} {:<6} {:<10} {:<6}  {}",
            row.id,
            row.level.word(),
            row.grade.word(),
            row.party.word(),
            status(*rule)
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let exercised = rules.iter().filter(|rule| covering(**rule).next().is_some()).count();
    let own = rules.iter().filter(|rule| rule.dialect().is_none()).count();
    out.push_str(&format!(
        "\n{} requirements and {own} rules of the suite; {exercised} exercised by scenarios\n",
        rules.len() - own
    ));
    out
}

/// Requirements as JSON: those of the two protocols under `requirements`, the suite's own under
/// `suite_rules`.
pub fn requirements_json(filter: &[String]) -> String {
    let (own, protocol): (Vec<_>, Vec<_>) = chosen_requirements(filter).partition(|rule| rule.dialect().is_none());
    let records = |rules: Vec<Requirement>| Some(rules.into_iter().map(RequirementRecord::of).collect());
    pretty(&List { requirements: records(protocol), suite_rules: records(own), ..List::default() })
}

/// Saboteurs, with what they break and what catches them.
pub fn faults(filter: &[String]) -> String {
    let mut out = String::new();
    let mut count = 0;
    for fault in chosen_faults(filter) {
        out.push_str(&format!("{}   {}\n", fault.name, fault.about));
        out.push_str(&format!("    breaks {}, caught by {}\n", fault.breaks, fault.caught_by));
        count += 1;
    }
    out.push_str(&format!("{count} saboteurs\n"));
    out
}

/// Saboteurs as JSON.
pub fn faults_json(filter: &[String]) -> String {
    pretty(&List { faults: Some(chosen_faults(filter).map(FaultRecord::of).collect()), ..List::default() })
}

/// What the suite does about a requirement, in words.
pub fn status(rule: Requirement) -> String {
    let softened: Vec<_> = rule.softened_by().map(|ambiguity| ambiguity.id).collect();
    let softened = if softened.is_empty() { None } else { Some(format!("softened by {}", softened.join(", "))) };
    let state = match (covering(rule).count(), rule.row().reach) {
        (1, _) => "exercised by 1 scenario".into(),
        (2.., _) => format!("exercised by {} scenarios", covering(rule).count()),
        (0, Reach::NotYetJudged) => "not yet judged (client)".into(),
        (0, Reach::Needs(what)) => format!("needs {what}"),
        (0, Reach::Hidden(why)) => format!("hidden because {why}"),
        (0, Reach::Outside) => match softened {
            Some(softened) => return softened,
            None => "not exercised yet".into(),
        },
    };
    match softened {
        Some(softened) => format!("{state}; {softened}"),
        None => state,
    }
}

fn covering(rule: Requirement) -> impl Iterator<Item = &'static Scenario> {
    all_scenarios().filter(move |scenario| scenario.covers.contains(&rule))
}

fn chosen_scenarios(filter: &[String]) -> impl Iterator<Item = &'static Scenario> {
    all_scenarios().filter(|scenario| is_chosen(scenario.id, filter))
}

fn chosen_requirements(filter: &[String]) -> impl Iterator<Item = Requirement> {
    Requirement::ALL.iter().copied().filter(|rule| is_chosen(rule.id(), filter))
}

fn chosen_faults(filter: &[String]) -> impl Iterator<Item = &'static Fault> {
    all_faults().filter(|fault| is_chosen(fault.name, filter))
}

fn is_chosen(id: &str, filter: &[String]) -> bool {
    let id = id.to_lowercase();
    filter.is_empty() || filter.iter().any(|text| id.contains(&text.to_lowercase()))
}

// Records

#[derive(Serialize)]
struct List {
    schema_version: u32,
    suite: SuiteRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenarios: Option<Vec<ScenarioRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requirements: Option<Vec<RequirementRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suite_rules: Option<Vec<RequirementRecord>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    faults: Option<Vec<FaultRecord>>,
}

impl Default for List {
    fn default() -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            suite: SuiteRecord::this(),
            scenarios: None,
            requirements: None,
            suite_rules: None,
            faults: None,
        }
    }
}

#[derive(Serialize)]
struct ScenarioRecord {
    id: &'static str,
    title: &'static str,
    dialect: &'static str,
    tier: &'static str,
    hazard: bool,
    needs: Vec<&'static str>,
    requirements: Vec<&'static str>,
    caught_saboteurs: Vec<&'static str>,
}

impl ScenarioRecord {
    fn of(scenario: &'static Scenario) -> Self {
        Self {
            id: scenario.id,
            title: scenario.title,
            dialect: scenario.dialect.word(),
            tier: scenario.tier.word(),
            hazard: scenario.hazard,
            needs: scenario.needs.iter().map(|need| need.lacks()).collect(),
            requirements: scenario.covers.iter().map(|rule| rule.id()).collect(),
            caught_saboteurs: all_faults().filter(|f| f.caught_by == scenario.id).map(|f| f.name).collect(),
        }
    }
}

#[derive(Serialize)]
struct RequirementRecord {
    id: &'static str,
    level: &'static str,
    grade: &'static str,
    party: &'static str,
    severity: &'static str,
    text: &'static str,
    source: &'static str,
    note: &'static str,
    reach: &'static str,
    reach_reason: &'static str,
    status: String,
    softened_by: Vec<&'static str>,
    disputed_by: Vec<&'static str>,
    exercised_by: Vec<&'static str>,
    broken_by: Vec<&'static str>,
}

impl RequirementRecord {
    fn of(rule: Requirement) -> Self {
        let row = rule.row();
        let (reach, reach_reason) = reach(row.reach);
        Self {
            id: row.id,
            level: row.level.word(),
            grade: row.grade.word(),
            party: row.party.word(),
            severity: rule.severity().word(),
            text: row.text,
            source: row.source,
            note: row.note,
            reach,
            reach_reason,
            status: status(rule),
            softened_by: rule.softened_by().map(|ambiguity| ambiguity.id).collect(),
            disputed_by: rule.disputed_by().map(|ambiguity| ambiguity.id).collect(),
            exercised_by: covering(rule).map(|scenario| scenario.id).collect(),
            broken_by: all_faults().filter(|fault| fault.breaks == rule).map(|fault| fault.name).collect(),
        }
    }
}

#[derive(Serialize)]
struct FaultRecord {
    name: &'static str,
    about: &'static str,
    dialect: Option<&'static str>,
    breaks: &'static str,
    caught_by: &'static str,
}

impl FaultRecord {
    fn of(fault: &'static Fault) -> Self {
        Self {
            name: fault.name,
            about: fault.about,
            dialect: fault.dialect().map(Dialect::word),
            breaks: fault.breaks.id(),
            caught_by: fault.caught_by,
        }
    }
}
