//! Limits of enhanced filters, and how a filter beyond one is refused.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use serde_json::json;

use super::super::steps::{QUICK, all, connected, expect, refusal};
use super::{FILTERED, condition, every, one, start_filtered};
use crate::scenario::{Cast, Pattern, Scenario, Step};

/// A filter at the limit is taken, and each beyond it is refused.
fn limited(cast: &Cast, rule: R, taken: &Json, refused: &[Json]) -> Vec<Step> {
    let beyond = refused.iter().enumerate().map(|(n, filter)| {
        let id = format!("beyond-{n}");
        vec![start_filtered(cast, &id, filter), expect(1, refusal(&id), rule)]
    });
    let at = vec![start_filtered(cast, "at", taken), expect(1, Pattern::with_id("start_ack", "at"), rule)];
    all([connected(cast, 1), at, all(beyond)])
}

/// So many entries of a filter group, each with one condition.
fn groups(count: usize) -> Json {
    let groups: Vec<_> = (0..count).map(|n| json!({ "filters": [condition("text", "eq", format!("t{n}"))] })).collect();
    json!({ "filterGroup": groups })
}

/// So many different fields in one filter.
fn fields(count: usize) -> Json {
    let names = [("text", json!("a")), ("count", json!(1)), ("ratio", json!(1.5)), ("done", json!(true))];
    let more = [("tags", json!("a")), ("shelf", json!("s"))];
    let all: Vec<_> = names.into_iter().chain(more).take(count).collect();
    let operator = |name: &str| if name == "tags" { "contains" } else { "eq" };
    every(&all.into_iter().map(|(name, value)| condition(name, operator(name), value)).collect::<Vec<_>>())
}

fn values(count: i64) -> Json {
    (1..=count).map(|n| json!(format!("v{n}"))).collect()
}

pub(in crate::catalogue::graphql) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/enhanced/five-values-of-in",
        title: "A filter with in takes five values, and not six.",
        covers: &[R::GqlFilter015],
        needs: FILTERED,
        steps: |cast| {
            let refused = [one("text", "in", values(6)), one("text", "notIn", values(6))];
            limited(cast, R::GqlFilter015, &one("text", "in", values(5)), &refused)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/twenty-values-of-contains-any",
        title: "A filter with containsAny takes twenty values, and not twenty-one.",
        covers: &[R::GqlFilter017],
        needs: FILTERED,
        steps: |cast| {
            let refused = [one("tags", "containsAny", values(21))];
            limited(cast, R::GqlFilter017, &one("tags", "containsAny", values(20)), &refused)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/five-fields",
        title: "A filter names five different fields, and not six.",
        covers: &[R::GqlFilter020],
        needs: FILTERED,
        steps: |cast| limited(cast, R::GqlFilter020, &fields(5), &[fields(6)]),
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/ten-filters",
        title: "A filter group has ten filters, and not eleven, where each value of in counts as one.",
        covers: &[R::GqlFilter021],
        needs: FILTERED,
        steps: |cast| {
            let lists = every(&[
                condition("text", "in", values(4)),
                condition("shelf", "in", values(4)),
                condition("count", "in", json!([1, 2, 3])),
            ]);
            limited(cast, R::GqlFilter021, &groups(10), &[groups(11), lists])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/length-of-texts",
        title: "A filter compares with a text of 256 characters, and not of 257.",
        covers: &[R::GqlFilter022],
        needs: FILTERED,
        steps: |cast| {
            let long = |length: usize| one("text", "eq", "x".repeat(length));
            limited(cast, R::GqlFilter022, &long(256), &[long(257)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/refused-alone",
        title: "A filter beyond a limit is refused by an error with its id, and the connection goes on.",
        covers: &[R::GqlErr013],
        needs: FILTERED,
        steps: |cast| {
            all([
                connected(cast, 1),
                vec![
                    start_filtered(cast, "beyond", &one("text", "in", values(6))),
                    expect(1, refusal("beyond"), R::GqlErr013),
                    start_filtered(cast, "within", &one("text", "in", values(2))),
                    expect(1, Pattern::with_id("start_ack", "within"), R::GqlErr013),
                ],
            ])
        },
        ..QUICK
    },
];
