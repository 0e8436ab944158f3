//! Enhanced filters and the items that they are held against (GraphQL).
//!
//! Whether an item has to pass is worked out here, independently of the model's own reading, and only where the sources
//! agree: ends of ranges (GQL-A-15), negated lists and beginnings of nested fields (GQL-A-25), texts of different case
//! in an order and absent fields are left open.

use std::cmp::Ordering;

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use serde_json::json;

use super::generate::Dice;
use super::op::Sieve;
use crate::catalogue::graphql::enhanced::{condition, every, one};

const TEXTS: [&str; 12] =
    ["apple", "apples", "Apple", "pear", "grape", "banana", "cherry", "melon", "aPPle", "kiwi", "fig", "ap"];
const LOWER: [&str; 6] = ["apple", "banana", "cherry", "grape", "melon", "pear"];
const RATIOS: [f64; 3] = [2.25, 2.5, 2.75];
const TAGS: [&[&str]; 5] = [&["blue", "red"], &["blue"], &["redder"], &["green", "blue"], &[]];
const TOWNS: [&str; 2] = ["Ulm", "Bonn"];
/// What nothing filters by: it is only to arrive as it is.
const COUNTS: [&[Option<i64>]; 5] =
    [&[Some(2), Some(1), Some(2)], &[], &[None, Some(0), Some(-1)], &[Some(3), None], &[Some(0)]];
const NAMES: [Option<&str>; 6] = [None, Some(""), Some("null"), Some("e\u{301}"), Some("\"q\" \\ \n"), Some("0")];

/// What is to become of a start with a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is taken, and every item that fits is heard.
    Taken(R),
    /// It is refused, for this rule.
    Refused(R),
    /// It is refused, or taken and hears nothing.
    Vain(R),
}

fn pick<T: Copy>(all: &[T], value: u8) -> T {
    all[usize::from(value) % all.len()]
}

/// The filter of a kind with these values.
pub(super) fn filter(sieve: Sieve, value: u8) -> Json {
    let (text, lower, ratio) = (pick(&TEXTS, value), pick(&LOWER, value), pick(&RATIOS, value));
    let (count, town) = (i64::from(value % 7) + 1, pick(&TOWNS, value));
    let five = |n: usize| -> Vec<&str> { (0..n).map(|at| TEXTS[(usize::from(value) + at) % TEXTS.len()]).collect() };
    let many = |n: usize| -> Vec<String> { (0..n).map(|at| format!("v{at}")).collect() };
    let groups =
        |n: i64| -> Vec<Json> { (0..n).map(|at| json!({ "filters": [condition("count", "eq", at)] })).collect() };
    let fields = [
        condition("text", "ne", text),
        condition("count", "ge", count),
        condition("ratio", "ge", ratio),
        condition("done", "eq", true),
        condition("tags", "contains", "blue"),
        condition("shelf", "ne", "s"),
    ];
    match sieve {
        Sieve::EqText => one("text", "eq", text),
        Sieve::EqCount => one("count", "eq", count),
        Sieve::EqRatio => one("ratio", "eq", ratio),
        Sieve::EqDone => one("done", "eq", value.is_multiple_of(2)),
        Sieve::NeText => one("text", "ne", text),
        Sieve::NeCount => one("count", "ne", count),
        Sieve::NeRatio => one("ratio", "ne", ratio),
        Sieve::LtCount => one("count", "lt", count),
        Sieve::LeCount => one("count", "le", count),
        Sieve::GtCount => one("count", "gt", count),
        Sieve::GeCount => one("count", "ge", count),
        Sieve::LtRatio => one("ratio", "lt", 2.5),
        Sieve::GtText => one("text", "gt", pick(&LOWER[..5], value)),
        Sieve::ContainsText => one("text", "contains", pick(&["ppl", "PP", "an", "e"], value)),
        Sieve::NotContainsText => one("text", "notContains", pick(&["ppl", "an", "e"], value)),
        Sieve::ContainsTag => one("tags", "contains", pick(&["red", "blue"], value)),
        Sieve::BeginsWith => one("text", "beginsWith", pick(&["ap", "Ap", "ba", "me"], value)),
        Sieve::InText => one("text", "in", five(5)),
        Sieve::NotInCount => one("count", "notIn", (0..5).map(|at| count + at).collect::<Vec<_>>()),
        Sieve::BetweenCount => one("count", "between", vec![count, count + 2]),
        Sieve::BetweenText => one("text", "between", vec!["banana", "melon"]),
        Sieve::ContainsAny => one("tags", "containsAny", vec!["red", "green"]),
        Sieve::Both => every(&[condition("text", "eq", lower), condition("count", "ge", count)]),
        Sieve::Either => json!({ "filterGroup": [
            { "filters": [condition("text", "eq", lower)] },
            { "filters": [condition("count", "eq", count)] },
        ] }),
        Sieve::Near => one("place.name", "eq", town),
        Sieve::Far => one("place.within.within.within.name", "eq", town),
        Sieve::BesideArguments => one("text", "eq", text),
        Sieve::FiveFields => every(&fields[..5]),
        Sieve::TenGroups => json!({ "filterGroup": groups(10) }),
        Sieve::LongestText => one("text", "ne", "x".repeat(256)),
        Sieve::TwentyOfAny => one("tags", "containsAny", [many(19), vec!["blue".into()]].concat()),
        Sieve::SixOfIn => one("text", "in", five(6)),
        Sieve::SixOfNotIn => one("text", "notIn", five(6)),
        Sieve::ManyOfAny => one("tags", "containsAny", many(21)),
        Sieve::SixFields => every(&fields),
        Sieve::ElevenGroups => json!({ "filterGroup": groups(11) }),
        Sieve::ElevenValues => every(&[
            condition("text", "in", many(4)),
            condition("shelf", "in", many(4)),
            condition("count", "in", vec![1, 2, 3]),
        ]),
        Sieve::TooLongText => one("text", "eq", "x".repeat(257)),
        Sieve::LoudOperator => one("text", "EQ", text),
    }
}

/// What is to become of a start with it.
pub(super) const fn fate(sieve: Sieve) -> Fate {
    match sieve {
        Sieve::EqText
        | Sieve::EqCount
        | Sieve::EqRatio
        | Sieve::EqDone
        | Sieve::NeText
        | Sieve::NeCount
        | Sieve::NeRatio => Fate::Taken(R::GqlFilter011),
        Sieve::LtCount | Sieve::LeCount | Sieve::GtCount | Sieve::GeCount | Sieve::LtRatio | Sieve::GtText => {
            Fate::Taken(R::GqlFilter012)
        }
        Sieve::ContainsText | Sieve::NotContainsText | Sieve::ContainsTag => Fate::Taken(R::GqlFilter013),
        Sieve::BeginsWith => Fate::Taken(R::GqlFilter014),
        Sieve::InText | Sieve::NotInCount => Fate::Taken(R::GqlFilter015),
        Sieve::BetweenCount | Sieve::BetweenText => Fate::Taken(R::GqlFilter016),
        Sieve::ContainsAny | Sieve::TwentyOfAny => Fate::Taken(R::GqlFilter017),
        Sieve::Both => Fate::Taken(R::GqlFilter009),
        Sieve::Either => Fate::Taken(R::GqlFilter010),
        Sieve::Near | Sieve::Far => Fate::Taken(R::GqlFilter023),
        Sieve::BesideArguments => Fate::Taken(R::GqlFilter008),
        Sieve::FiveFields => Fate::Taken(R::GqlFilter020),
        Sieve::TenGroups => Fate::Taken(R::GqlFilter021),
        Sieve::LongestText => Fate::Taken(R::GqlFilter022),
        Sieve::SixOfIn | Sieve::SixOfNotIn => Fate::Refused(R::GqlFilter015),
        Sieve::ManyOfAny => Fate::Refused(R::GqlFilter017),
        Sieve::SixFields => Fate::Refused(R::GqlFilter020),
        Sieve::ElevenGroups | Sieve::ElevenValues => Fate::Refused(R::GqlFilter021),
        Sieve::TooLongText => Fate::Refused(R::GqlFilter022),
        Sieve::LoudOperator => Fate::Vain(R::GqlFilter018),
    }
}

/// An item of this number: every field that can be filtered by.
pub(super) fn item(number: u8) -> Json {
    let mut dice = Dice::new(u64::from(number));
    let mut draw = || u8::try_from(dice.below(240)).unwrap_or_default();
    json!({
        "text": pick(&TEXTS, draw()),
        "count": draw() % 9,
        "ratio": pick(&RATIOS, draw()),
        "done": draw().is_multiple_of(2),
        "tags": pick(&TAGS, draw()),
        "place": {
            "name": pick(&TOWNS, draw()),
            "within": {
                "name": pick(&NAMES, draw()),
                "within": {
                    "name": pick(&NAMES, draw()),
                    "within": { "name": pick(&TOWNS, draw()), "within": null },
                },
            },
        },
        "counts": pick(&COUNTS, draw()),
    })
}

/// The first item that a filter lets through.
pub(super) fn fitting(filter: &Json) -> Option<Json> {
    (0..=u8::MAX).map(item).find(|item| passes(filter, item) == Some(true))
}

/// Whether a filter lets an item through; `None` where that is open.
pub(super) fn passes(filter: &Json, item: &Json) -> Option<bool> {
    let groups = filter.get("filterGroup")?.as_array()?;
    let whole = |group: &Json| {
        let conditions = group.get("filters").and_then(Json::as_array)?;
        all(conditions.iter().map(|condition| holds(condition, item)))
    };
    // One of them: none of them is not.
    all(groups.iter().map(|group| whole(group).map(|whole| !whole))).map(|none| !none)
}

/// Whether all are so: one that is not decides, else one that is open leaves it open.
fn all(each: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    for one in each {
        match one {
            Some(false) => return Some(false),
            Some(true) => {}
            None => all = None,
        }
    }
    all
}

fn holds(condition: &Json, item: &Json) -> Option<bool> {
    let name = condition.get("fieldName")?.as_str()?;
    let field = name.split('.').try_fold(item, |at, part| at.get(part)).filter(|field| !field.is_null())?;
    let value = condition.get("value")?;
    let among = |field: &Json| value.as_array().map(|values| values.iter().any(|value| same(field, value)));
    match condition.get("operator")?.as_str()? {
        "eq" => Some(same(field, value)),
        "ne" => Some(!same(field, value)),
        "lt" => order(field, value).map(Ordering::is_lt),
        "le" => order(field, value).map(Ordering::is_le),
        "gt" => order(field, value).map(Ordering::is_gt),
        "ge" => order(field, value).map(Ordering::is_ge),
        "contains" => has(field, value),
        "notContains" => field.as_str().and_then(|_| has(field, value)).map(|has| !has),
        "beginsWith" => Some(field.as_str()?.starts_with(value.as_str()?)),
        "in" => among(field),
        "notIn" => among(field).map(|among| !among),
        "containsAny" => {
            let any = |members: &Vec<Json>| members.iter().any(|member| among(member) == Some(true));
            field.as_array().map(any)
        }
        "between" => {
            let ends = value.as_array()?;
            let (low, high) = (order(field, ends.first()?)?, order(field, ends.get(1)?)?);
            match low.is_eq() || high.is_eq() {
                true => None,
                false => Some(low.is_gt() && high.is_lt()),
            }
        }
        _ => None,
    }
}

fn has(field: &Json, value: &Json) -> Option<bool> {
    match field.as_array() {
        Some(members) => Some(members.iter().any(|member| same(member, value))),
        None => Some(field.as_str()?.contains(value.as_str()?)),
    }
}

fn same(one: &Json, other: &Json) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one.total_cmp(&other).is_eq(),
        _ => one == other,
    }
}

fn order(one: &Json, other: &Json) -> Option<Ordering> {
    if let (Some(one), Some(other)) = (one.as_f64(), other.as_f64()) {
        return Some(one.total_cmp(&other));
    }
    let (one, other) = (one.as_str()?, other.as_str()?);
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_lowercase());
    (plain(one) && plain(other)).then(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_that_is_taken_lets_some_items_through_and_others_not() {
        for sieve in Sieve::ALL.iter().filter(|sieve| matches!(fate(**sieve), Fate::Taken(_))) {
            for value in 0..12 {
                let filter = filter(*sieve, value);
                let seen: Vec<_> = (0..=u8::MAX).map(|number| passes(&filter, &item(number))).collect();

                assert!(seen.contains(&Some(true)), "{sieve:?} {value}");
                // Every count is one of the ten.
                let takes_all = matches!(sieve, Sieve::LongestText | Sieve::TenGroups);
                assert!(seen.contains(&Some(false)) || takes_all, "{sieve:?} {value}");
            }
        }
    }

    #[test]
    fn what_is_disputed_is_left_open() {
        let item = json!({ "count": 2, "text": "Apple", "tags": ["red"] });

        assert_eq!(passes(&one("count", "between", vec![2, 5]), &item), None);
        assert_eq!(passes(&one("count", "between", vec![1, 5]), &item), Some(true));
        assert_eq!(passes(&one("tags", "notContains", "red"), &item), None);
        assert_eq!(passes(&one("text", "lt", "banana"), &item), None);
        assert_eq!(passes(&one("place.name", "eq", "Ulm"), &item), None);
        assert_eq!(passes(&every(&[condition("count", "eq", 3), condition("shelf", "eq", "s")]), &item), Some(false));
    }
}
