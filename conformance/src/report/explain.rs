//! The full story of one thing that has a name: a requirement, an ambiguity, a scenario or a saboteur.

use appsync_protocol::requirement::{Ambiguity, Grade, Level, Party, Reach, Requirement, Severity};

use super::text::{Sheet, Style, source_fields, standing_words};
use crate::catalogue::{faults, probes, scenarios};
use crate::fault::{Fault, How};
use crate::scenario::{Scenario, render};

/// How many near names are suggested.
const SUGGESTIONS: usize = 5;

/// Explains a name, in any case: `gql-sub-026`, `A-05` (one in each dialect), `EVT-A-05`,
/// `graphql/control/...`, `monitor/GQL-KA-002`, or the name of a saboteur. `None` if there is no such thing.
pub fn explain(id: &str) -> Option<String> {
    let id = id.trim();
    let rule =
        id.split_at_checked(8).filter(|(head, _)| head.eq_ignore_ascii_case("monitor/")).map_or(id, |(_, rest)| rest);
    if let Some(rule) = Requirement::parse(rule) {
        return Some(requirement(rule));
    }
    let ambiguities: Vec<_> = Ambiguity::find(id).map(ambiguity).collect();
    if !ambiguities.is_empty() {
        return Some(ambiguities.join("\n"));
    }
    if let Some(found) = scenarios().find(|scenario| scenario.id.eq_ignore_ascii_case(id)) {
        return Some(scenario(found));
    }
    faults().find(|fault| fault.name.eq_ignore_ascii_case(id)).map(saboteur)
}

/// Names near to one that there is not, the nearest first.
pub fn suggest(id: &str) -> Vec<String> {
    let wanted = id.trim().to_lowercase();
    let names = Requirement::ALL.iter().map(|rule| rule.id());
    let names =
        names.chain(Ambiguity::all().map(|a| a.id)).chain(scenarios().map(|s| s.id)).chain(faults().map(|f| f.name));
    // A third of the letters may be wrong; more is another name.
    let most = 1 + wanted.chars().count() / 3;
    let mut near: Vec<_> = names
        .filter_map(|name| {
            let candidate = name.to_lowercase();
            let inside = wanted.len() > 2 && candidate.contains(&wanted);
            let distance = if inside { Some(1) } else { distance_within(most, &wanted, &candidate) };
            distance.map(|distance| (distance, name))
        })
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(SUGGESTIONS).map(|(_, name)| name.to_owned()).collect()
}

/// Ids of scenarios near to a text that stands in none, the nearest first.
pub fn scenarios_near(text: &str) -> Vec<&'static str> {
    let wanted = text.trim().trim_start_matches('=').to_lowercase();
    let most = 1 + wanted.chars().count() / 3;
    let apart = |id: &'static str| {
        // The whole id, and what is left of it without its dialect and its area.
        let ends = id.match_indices('/').map(|(at, _)| &id[at + 1..]).chain([id]);
        let parts = ends.chain(id.split('/'));
        parts.filter_map(|part| distance_within(most, &wanted, part)).min()
    };
    let mut near: Vec<_> = scenarios().filter_map(|s| Some((apart(s.id)?, s.id))).collect();
    near.sort_unstable();
    near.into_iter().take(SUGGESTIONS).map(|(_, id)| id).collect()
}

// Requirements

fn requirement(rule: Requirement) -> String {
    let row = rule.row();
    let mut sheet = Sheet::new(Style::default().width);
    sheet.line(&format!("{rule}   {} - binds {}", standing_words(rule), party(row.party)));
    sheet.line("");
    sheet.prose(row.text);
    sheet.line("");
    source_fields(&mut sheet, rule);
    if !row.note.is_empty() {
        sheet.field("note", row.note);
    }
    sheet.field("breach", &breach_means(rule));
    sheet.field("seen", &seen(row.reach));
    for ambiguity in rule.disputed_by() {
        let how = if ambiguity.softens.contains(&rule) { "" } else { " (in part)" };
        sheet.field("disputed", &format!("{}{how}: {}", ambiguity.id, ambiguity.question));
        sheet.more(&format!("readings: {}", ambiguity.readings));
        sheet.more(&format!("our treatment: {}", ambiguity.treatment));
    }
    covered_by(&mut sheet, rule);
    let broken: Vec<_> =
        faults().filter(|fault| fault.breaks == rule).map(|f| format!("{}: {}", f.name, f.about)).collect();
    sheet.list("broken by", &or_none(broken, "no saboteur yet"));
    sheet.out
}

fn covered_by(sheet: &mut Sheet, rule: Requirement) {
    let covering: Vec<_> = scenarios().filter(|scenario| scenario.covers.contains(&rule)).collect();
    let lines = covering.iter().map(|scenario| format!("{}: {}", scenario.id, scenario.title)).collect();
    sheet.list("covered by", &or_none(lines, "no scenario yet; the listening monitor may still report it"));
}

const fn party(party: Party) -> &'static str {
    match party {
        Party::Client => "the client",
        Party::Server => "the server",
        Party::Both => "both sides",
    }
}

fn seen(reach: Reach) -> String {
    match reach {
        Reach::Outside => "from outside, over the endpoint's own interfaces".into(),
        Reach::NotYetJudged => "not yet: it binds clients, and this version judges servers".into(),
        Reach::Needs(what) => format!("only on a target that offers {what}"),
        Reach::Hidden(why) => format!("not from outside: {why}"),
    }
}

/// What a breach means for the verdict, and why.
fn breach_means(rule: Requirement) -> String {
    if rule.row().party == Party::Client {
        return "not judged yet, because it binds clients only".into();
    }
    let kind = match rule.severity() {
        Severity::Fail => "a failure",
        Severity::Warn => "a warning (a failure with --strict)",
        Severity::Info => "information",
    };
    match rule.softened_by().next() {
        Some(ambiguity) => format!("{kind}, because {} leaves open what is right", ambiguity.id),
        None => format!("{kind}, because {}", because(rule)),
    }
}

fn because(rule: Requirement) -> &'static str {
    match (rule.row().level, rule.row().grade) {
        (Level::May, _) => "it is allowed, not demanded",
        (Level::Fact, _) => "it is a statement about the service that binds nobody",
        (Level::Should, _) => "it is a SHOULD: peers work together without it, but badly",
        (Level::Must, Grade::Documented) => "it is a MUST that the vendor's documentation states",
        (Level::Must, Grade::Observed) => "it is a MUST that a recording or a live test shows",
        (Level::Must, Grade::Standard) => "it is a MUST of a standard that binds every such peer",
        (Level::Must, Grade::Implied) => "only the source of a client or an emulator implies this MUST",
    }
}

// Ambiguities

fn ambiguity(ambiguity: &'static Ambiguity) -> String {
    let mut sheet = Sheet::new(Style::default().width);
    sheet.line(&format!("{}   an ambiguity: sources disagree or are silent", ambiguity.id));
    sheet.line("");
    sheet.prose(ambiguity.question);
    sheet.line("");
    sheet.field("readings", ambiguity.readings);
    sheet.field("treatment", ambiguity.treatment);
    let softened = |rules: &'static [Requirement], how: &'static str| {
        rules.iter().map(move |rule| format!("{rule}{how}: {}", rule.row().text))
    };
    let rows = softened(ambiguity.softens, "").chain(softened(ambiguity.softens_partly, " (in part)"));
    sheet.list("softens", &or_none(rows.collect(), "no requirement"));
    let unmeasured = probes::UNMEASURED.iter().find(|(id, _)| *id == ambiguity.id).map(|(_, reason)| *reason);
    sheet.list("measured", &or_none(measured_by(ambiguity), unmeasured.unwrap_or("no scenario")));
    sheet.out
}

/// Each scenario that reads an ambiguity, with the readings that it can tell apart.
fn measured_by(ambiguity: &Ambiguity) -> Vec<String> {
    scenarios()
        .filter_map(|scenario| {
            let mut told: Vec<_> = Vec::new();
            for (id, reading) in probes::readings(scenario) {
                if id == ambiguity.id && !told.contains(&reading) {
                    told.push(reading);
                }
            }
            (!told.is_empty()).then(|| format!("{}: {}", scenario.id, told.join(", ")))
        })
        .collect()
}

// Scenarios and saboteurs

fn scenario(scenario: &Scenario) -> String {
    let mut sheet = Sheet::new(Style::default().width);
    sheet.out = render(scenario);
    for rule in scenario.covers {
        sheet.line("");
        sheet.line(&format!("{rule}   {}", standing_words(*rule)));
        sheet.field("required", rule.row().text);
        source_fields(&mut sheet, *rule);
        sheet.field("breach", &breach_means(*rule));
    }
    sheet.line("");
    for need in scenario.needs {
        sheet.field("n/a if", need.lacks());
    }
    if scenario.hazard {
        sheet.field("hazard", "a target may not survive it, so it runs alone, after the others");
    }
    let caught: Vec<_> = faults()
        .filter(|fault| fault.caught_by == scenario.id)
        .map(|fault| format!("{} [{}]: {}", fault.name, fault.breaks, fault.about))
        .collect();
    sheet.list("catches", &or_none(caught, "no saboteur yet"));
    sheet.out
}

fn saboteur(fault: &Fault) -> String {
    let mut sheet = Sheet::new(Style::default().width);
    sheet.line(&format!("{}   a saboteur: a server that breaks one requirement on purpose", fault.name));
    sheet.line("");
    sheet.field("does", fault.about);
    sheet.field("bent by", bent_by(fault.how));
    sheet.field("breaks", &format!("{} ({}): {}", fault.breaks, standing_words(fault.breaks), fault.breaks.row().text));
    let title = scenarios().find(|scenario| scenario.id == fault.caught_by).map_or("", |scenario| scenario.title);
    sheet.field("caught by", &format!("{}: {title}", fault.caught_by));
    sheet.whole("try it", &format!("syncspec serve --fault {}", fault.name));
    sheet.out
}

const fn bent_by(how: How) -> &'static str {
    match how {
        How::Skip(_) => "a check of the server is left out",
        How::Door(_) => "a check of the handshake or of an HTTP endpoint is left out",
        How::Auth(_) => "a check of credentials is left out",
        How::Filter(_) | How::Invalidation(_) => "filters are read wrongly",
        How::Unhandled(_) => "a namespace is without its handlers",
        How::Modes(_) => "other authorization modes are enabled",
        How::Set(_) => "a limit is moved",
        How::Edit(_) => "an outgoing message is changed",
        How::Http(_) => "an HTTP answer is changed",
        How::Mishear(_) => "a message of a client is taken for another",
        How::Trap(_, _) => "something a client sends has an effect that it should not have",
    }
}

fn or_none(lines: Vec<String>, none: &str) -> Vec<String> {
    if lines.is_empty() { vec![none.into()] } else { lines }
}

/// How many letters have to be changed, added or taken out, where it is at most so many.
fn distance_within(most: usize, one: &str, other: &str) -> Option<usize> {
    // What differs in length by more is not compared: a text may be longer than all names together.
    if one.chars().count().abs_diff(other.chars().count()) > most {
        return None;
    }
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (n, a) in one.chars().enumerate() {
        let mut left = n + 1;
        let mut diagonal = n;
        for (b, cell) in other.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            let best = (diagonal + usize::from(a != *b)).min(above + 1).min(left + 1);
            diagonal = above;
            left = best;
            *cell = best;
        }
        if let Some(first) = row.first_mut() {
            *first = n + 1;
        }
    }
    row.last().copied().filter(|distance| *distance <= most)
}
