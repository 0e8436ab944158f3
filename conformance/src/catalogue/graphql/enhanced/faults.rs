//! Saboteurs of enhanced filters: each reads what the subscriber chose as something else.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use serde_json::json;

use super::super::steps::edit;
use super::condition;
use crate::fault::{Change, Fault, How, Nth};

/// Does something to every condition.
fn each(filter: &mut Json, change: impl Fn(&mut Json)) {
    let groups = filter.get_mut("filterGroup").and_then(Json::as_array_mut);
    for group in groups.into_iter().flatten() {
        if let Some(conditions) = group.get_mut("filters").and_then(Json::as_array_mut) {
            conditions.iter_mut().for_each(&change);
        }
    }
}

fn operator(condition: &Json) -> &str {
    condition.get("operator").and_then(Json::as_str).unwrap_or_default()
}

/// Takes one operator for another.
fn rename(filter: &mut Json, from: &str, to: &str) {
    each(filter, |condition| {
        if operator(condition) == from {
            condition["operator"] = to.into();
        }
    });
}

/// Looks at no more than so many values of an operator.
fn shorten(filter: &mut Json, of: &str, most: usize) {
    each(filter, |condition| {
        if operator(condition) == of
            && let Some(values) = condition.get_mut("value").and_then(Json::as_array_mut)
        {
            values.truncate(most);
        }
    });
}

/// What holds for every item that has a shelf.
fn always() -> Json {
    condition("shelf", "ne", "")
}

const fn fault(name: &'static str, about: &'static str, breaks: R, caught_by: &'static str, how: How) -> Fault {
    Fault { name, about, breaks, caught_by, how }
}

pub(in crate::catalogue::graphql) static FAULTS: &[Fault] = &[
    fault(
        "graphql-filter-eq-is-ge",
        "takes what is greater for equal",
        R::GqlFilter011,
        "graphql/enhanced/eq-and-ne",
        How::Filter(|filter| rename(filter, "eq", "ge")),
    ),
    fault(
        "graphql-filter-lt-is-le",
        "takes what is equal for less",
        R::GqlFilter012,
        "graphql/enhanced/order",
        How::Filter(|filter| rename(filter, "lt", "le")),
    ),
    fault(
        "graphql-filter-not-contains-is-ne",
        "takes a text that has the part and more for one that has it not",
        R::GqlFilter013,
        "graphql/enhanced/contains",
        How::Filter(|filter| rename(filter, "notContains", "ne")),
    ),
    fault(
        "graphql-filter-lists-refused",
        "refuses notContains",
        R::GqlFilter013,
        "graphql/enhanced/not-contains-in-a-list",
        How::Filter(|filter| rename(filter, "notContains", "lacks")),
    ),
    fault(
        "graphql-filter-begins-anywhere",
        "finds the beginning of a text in its middle",
        R::GqlFilter014,
        "graphql/enhanced/begins-with",
        How::Filter(|filter| rename(filter, "beginsWith", "contains")),
    ),
    fault(
        "graphql-filter-nested-beginning-refused",
        "refuses beginsWith",
        R::GqlFilter014,
        "graphql/enhanced/begins-with-in-a-nested-field",
        How::Filter(|filter| rename(filter, "beginsWith", "startsWith")),
    ),
    fault(
        "graphql-filter-in-forgets-the-fifth",
        "looks at four values of in",
        R::GqlFilter015,
        "graphql/enhanced/in-and-not-in",
        How::Filter(|filter| shorten(filter, "in", 4)),
    ),
    fault(
        "graphql-filter-in-takes-six",
        "takes more than five values of in",
        R::GqlFilter015,
        "graphql/enhanced/five-values-of-in",
        How::Filter(|filter| shorten(filter, "in", 5)),
    ),
    fault(
        "graphql-filter-between-has-no-top",
        "looks at the lower end of between only",
        R::GqlFilter016,
        "graphql/enhanced/between",
        How::Filter(|filter| {
            each(filter, |condition| {
                if operator(condition) == "between" {
                    condition["operator"] = "ge".into();
                    condition["value"] = condition["value"][0].take();
                }
            });
        }),
    ),
    fault(
        "graphql-filter-between-refused",
        "refuses between",
        R::GqlFilter016,
        "graphql/enhanced/ends-of-between",
        How::Filter(|filter| rename(filter, "between", "within")),
    ),
    fault(
        "graphql-filter-contains-first",
        "looks at the first value of containsAny only",
        R::GqlFilter017,
        "graphql/enhanced/contains-any",
        How::Filter(|filter| shorten(filter, "containsAny", 1)),
    ),
    fault(
        "graphql-filter-contains-any-of-more",
        "takes more than twenty values of containsAny",
        R::GqlFilter017,
        "graphql/enhanced/twenty-values-of-contains-any",
        How::Filter(|filter| shorten(filter, "containsAny", 20)),
    ),
    fault(
        "graphql-filter-case-of-texts-ignored",
        "takes texts for equal that differ in case",
        R::GqlFilter019,
        "graphql/enhanced/case-of-texts",
        How::Filter(|filter| {
            each(filter, |condition| {
                if let ("eq", Some(text)) = (operator(condition), condition["value"].as_str()) {
                    condition["value"] = json!([text, text.to_uppercase(), text.to_lowercase()]);
                    condition["operator"] = "in".into();
                }
            });
        }),
    ),
    fault(
        "graphql-filter-case-of-operators-ignored",
        "takes the name of an operator in any case",
        R::GqlFilter018,
        "graphql/enhanced/case-of-operators",
        How::Filter(|filter| {
            each(filter, |condition| {
                if operator(condition) == "EQ" {
                    condition["operator"] = "eq".into();
                }
            });
        }),
    ),
    fault(
        "graphql-filter-first-condition",
        "looks at the first condition of a filter only",
        R::GqlFilter009,
        "graphql/enhanced/all-conditions",
        How::Filter(|filter| {
            let groups = filter.get_mut("filterGroup").and_then(Json::as_array_mut);
            for group in groups.into_iter().flatten() {
                if let Some(conditions) = group.get_mut("filters").and_then(Json::as_array_mut) {
                    conditions.truncate(1);
                }
            }
        }),
    ),
    fault(
        "graphql-filter-first-group",
        "looks at the first entry of a filter group only",
        R::GqlFilter010,
        "graphql/enhanced/any-group",
        How::Filter(|filter| {
            if let Some(groups) = filter.get_mut("filterGroup").and_then(Json::as_array_mut) {
                groups.truncate(1);
            }
        }),
    ),
    fault(
        "graphql-filter-nested-ignored",
        "does not look at conditions on nested fields",
        R::GqlFilter023,
        "graphql/enhanced/nested-fields",
        How::Filter(|filter| {
            each(filter, |condition| {
                if condition["fieldName"].as_str().is_some_and(|name| name.contains('.')) {
                    *condition = always();
                }
            });
        }),
    ),
    fault(
        "graphql-filter-beside-arguments",
        "lets the arguments filter although there is a filter",
        R::GqlFilter008,
        "graphql/enhanced/in-place-of-arguments",
        How::Filter(|filter| *filter = Json::Null),
    ),
    fault(
        "graphql-filter-reads-what-was-not-selected",
        "takes a filter for satisfied whose field the mutation did not select",
        R::GqlFilter025,
        "graphql/enhanced/field-not-selected",
        How::Filter(|filter| each(filter, |condition| *condition = always())),
    ),
    fault(
        "graphql-filter-of-six-fields",
        "takes a filter over more than five fields",
        R::GqlFilter020,
        "graphql/enhanced/five-fields",
        How::Filter(|filter| {
            let groups = filter.get_mut("filterGroup").and_then(Json::as_array_mut);
            for group in groups.into_iter().flatten() {
                if let Some(conditions) = group.get_mut("filters").and_then(Json::as_array_mut) {
                    conditions.truncate(5);
                }
            }
        }),
    ),
    fault(
        "graphql-filter-of-eleven",
        "takes a filter group of more than ten filters",
        R::GqlFilter021,
        "graphql/enhanced/ten-filters",
        How::Filter(|filter| {
            if let Some(groups) = filter.get_mut("filterGroup").and_then(Json::as_array_mut) {
                groups.truncate(10);
            }
        }),
    ),
    fault(
        "graphql-filter-of-long-texts",
        "compares with texts of more than 256 characters",
        R::GqlFilter022,
        "graphql/enhanced/length-of-texts",
        How::Filter(|filter| {
            each(filter, |condition| {
                if let Some(text) = condition["value"].as_str() {
                    condition["value"] = text.chars().take(256).collect::<String>().into();
                }
            });
        }),
    ),
    fault(
        "graphql-filter-refused-without-id",
        "does not say which start is refused for its filter",
        R::GqlErr013,
        "graphql/enhanced/refused-alone",
        edit("error", Nth::Every, Change::Remove("id")),
    ),
];
