//! Enhanced filters: every operator and every limit, with filters that the subscriber chooses.
//!
//! The nonce of an item travels in `shelf`, so that every other field is free to be filtered by.

mod faults;
mod limits;

pub(super) use faults::FAULTS;
pub(super) use limits::SCENARIOS as LIMITS;

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::Request;
use serde_json::json;

use super::steps::{QUICK, all, any_of, connected, expect, forbidden, refusal, say, warmed_with};
use crate::scenario::cast::request_body;
use crate::scenario::{Answer, Capability, Cast, Need, Pattern, Scenario, Shape, Step};

/// A field whose enhanced filter the subscriber chooses.
pub(super) const FILTERED: &[Need] = &[Need::Capability(Capability::EnhancedFilters)];

const SUBSCRIBE: &str = "subscription S($f: AWSJSON) { onItem(filter: $f) { id shelf } }";
/// The mutation of an item, with everything that it has.
pub(crate) const PUT: &str = "mutation P($shelf: ID, $text: String, $count: Int, $ratio: Float, $done: Boolean, \
    $tags: [String], $counts: [Int], $place: PlaceInput) { putItem(shelf: $shelf, text: $text, count: $count, \
    ratio: $ratio, done: $done, tags: $tags, counts: $counts, place: $place) { id shelf text count ratio done tags \
    counts place { name within { name within { name within { name within { name } } } } } } }";

/// One condition.
pub(crate) fn condition(field: &str, operator: &str, value: impl Into<Json>) -> Json {
    json!({ "fieldName": field, "operator": operator, "value": value.into() })
}

/// A filter of conditions that all have to hold.
pub(crate) fn every(conditions: &[Json]) -> Json {
    json!({ "filterGroup": [{ "filters": conditions }] })
}

/// A filter of one condition.
pub(crate) fn one(field: &str, operator: &str, value: impl Into<Json>) -> Json {
    every(&[condition(field, operator, value)])
}

/// The mutation of an item with these fields; the nonce travels in `shelf`.
pub(super) fn put(cast: &Cast, nonce: &str, fields: &Json) -> Request {
    let mut variables = fields.clone();
    if let Some(members) = variables.as_object_mut() {
        members.insert("shelf".into(), nonce.into());
    }
    cast.post(&request_body(PUT, &variables))
}

/// Puts an item.
fn placed(cast: &Cast, nonce: &str, fields: &Json) -> Step {
    Step::Call {
        request: put(cast, nonce, fields),
        any_of: vec![Answer::status(200).has("data.putItem", Shape::Object)],
        rule: R::GqlHttp002,
    }
}

fn heard_item(id: &str, nonce: &str) -> Pattern {
    Pattern::with_id("data", id).has("payload.data.onItem.shelf", Shape::Is(nonce.into()))
}

/// `start` with this filter.
pub(super) fn start_filtered(cast: &Cast, id: &str, filter: &Json) -> Step {
    say(1, cast.start(id, SUBSCRIBE, &json!({ "f": filter.to_string() })))
}

/// A filter, an item that fits and items that do not.
struct Case {
    filter: Json,
    fits: Json,
    misses: Vec<Json>,
}

fn case(filter: Json, fits: Json, misses: impl Into<Vec<Json>>) -> Case {
    Case { filter, fits, misses: misses.into() }
}

/// Each case on a subscription of its own: it hears what fits and nothing else.
fn sifted(cast: &Cast, rule: R, cases: Vec<Case>) -> Vec<Step> {
    let each = cases.into_iter().enumerate().map(|(number, case)| {
        let id = format!("s{number}");
        let marker = cast.nonce(&format!("{id}-marker"));
        let mut steps = vec![
            start_filtered(cast, &id, &case.filter),
            expect(1, Pattern::with_id("start_ack", &id), rule),
            warmed_with(cast, 1, &id, rule, |nonce| put(cast, nonce, &case.fits)),
        ];
        for (n, miss) in case.misses.iter().enumerate() {
            let nonce = cast.nonce(&format!("{id}-miss-{n}"));
            steps.push(forbidden(1, &id, &nonce, rule));
            steps.push(placed(cast, &nonce, miss));
        }
        steps.push(placed(cast, &marker, &case.fits));
        steps.push(expect(1, heard_item(&id, &marker), rule));
        steps
    });
    all([connected(cast, 1), all(each), vec![Step::Quiet { conn: 1 }]])
}

fn text(text: &str) -> Json {
    json!({ "text": text })
}

fn count(count: i64) -> Json {
    json!({ "count": count })
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/enhanced/eq-and-ne",
        title: "Filters with eq and ne compare texts, whole numbers, fractions and truths.",
        covers: &[R::GqlFilter011],
        needs: FILTERED,
        steps: |cast| {
            let (yes, no) = (json!({ "done": true }), json!({ "done": false }));
            let (half, quarter) = (json!({ "ratio": 2.5 }), json!({ "ratio": 2.25 }));
            let cases = vec![
                case(one("text", "eq", "apple"), text("apple"), [text("apples"), text("pear")]),
                case(one("count", "eq", 3), count(3), [count(4)]),
                case(one("ratio", "eq", 2.5), half.clone(), [quarter.clone()]),
                case(one("done", "eq", true), yes.clone(), [no.clone()]),
                case(one("text", "ne", "apple"), text("pear"), [text("apple")]),
                case(one("count", "ne", 3), count(4), [count(3)]),
                case(one("ratio", "ne", 2.5), quarter, [half]),
                case(one("done", "ne", true), no, [yes]),
            ];
            sifted(cast, R::GqlFilter011, cases)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/order",
        title: "Filters with lt, le, gt and ge compare whole numbers, fractions and texts by their order.",
        covers: &[R::GqlFilter012],
        needs: FILTERED,
        steps: |cast| {
            let ratio = |ratio: f64| json!({ "ratio": ratio });
            let cases = vec![
                case(one("count", "lt", 3), count(2), [count(3), count(4)]),
                case(one("count", "le", 3), count(3), [count(4)]),
                case(one("count", "gt", 3), count(4), [count(3), count(2)]),
                case(one("count", "ge", 3), count(3), [count(2)]),
                case(one("ratio", "lt", 2.5), ratio(2.25), [ratio(2.5)]),
                case(one("ratio", "ge", 2.5), ratio(2.5), [ratio(2.25)]),
                case(one("text", "gt", "banana"), text("cherry"), [text("banana"), text("apple")]),
                case(one("text", "le", "banana"), text("banana"), [text("cherry")]),
            ];
            sifted(cast, R::GqlFilter012, cases)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/contains",
        title: "Filters with contains and notContains look for a part of a text or a member of a list.",
        covers: &[R::GqlFilter013],
        needs: FILTERED,
        steps: |cast| {
            let tags = |tags: &[&str]| json!({ "tags": tags });
            let cases = vec![
                case(one("text", "contains", "ppl"), text("apple"), [text("pear")]),
                case(one("text", "notContains", "ppl"), text("pear"), [text("apple")]),
                case(one("tags", "contains", "red"), tags(&["blue", "red"]), [tags(&["blue"]), tags(&["redder"])]),
            ];
            sifted(cast, R::GqlFilter013, cases)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/not-contains-in-a-list",
        title: "What notContains makes of a list is recorded.",
        covers: &[R::GqlFilter013],
        needs: FILTERED,
        steps: |cast| {
            let filter = one("tags", "notContains", "red");
            edge(
                cast,
                (&filter, &json!({ "tags": ["blue"] }), &json!({ "tags": ["red"] })),
                "GQL-A-25",
                ["notContains lets every list through", "notContains sifts lists"],
                R::GqlFilter013,
            )
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/begins-with",
        title: "A filter with beginsWith looks at the beginning of a text only.",
        covers: &[R::GqlFilter014],
        needs: FILTERED,
        steps: |cast| {
            let cases = vec![case(one("text", "beginsWith", "ap"), text("apple"), [text("grape"), text("pear")])];
            sifted(cast, R::GqlFilter014, cases)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/in-and-not-in",
        title: "Filters with in and notIn hold the field against up to five values.",
        covers: &[R::GqlFilter015],
        needs: FILTERED,
        steps: |cast| {
            let cases = vec![
                case(one("text", "in", json!(["a", "b", "c", "d", "e"])), text("e"), [text("f"), text("ab")]),
                case(one("count", "notIn", json!([1, 2, 3, 4, 5])), count(6), [count(5), count(1)]),
            ];
            sifted(cast, R::GqlFilter015, cases)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/between",
        title: "A filter with between takes what lies within its range.",
        covers: &[R::GqlFilter016],
        needs: FILTERED,
        steps: |cast| {
            let words = one("text", "between", json!(["banana", "melon"]));
            let cases = vec![
                case(one("count", "between", json!([2, 5])), count(3), [count(1), count(6)]),
                case(words, text("cherry"), [text("apple"), text("pear")]),
            ];
            sifted(cast, R::GqlFilter016, cases)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/ends-of-between",
        title: "Whether the ends of between belong to the range is recorded.",
        covers: &[R::GqlFilter016],
        needs: FILTERED,
        steps: |cast| {
            let filter = one("count", "between", json!([2, 5]));
            let readings = ["the ends belong to the range", "the ends do not belong to the range"];
            edge(cast, (&filter, &count(3), &count(2)), "GQL-A-15", readings, R::GqlFilter016)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/contains-any",
        title: "A filter with containsAny takes a list that has one of its values.",
        covers: &[R::GqlFilter017],
        needs: FILTERED,
        steps: |cast| {
            let filter = one("tags", "containsAny", json!(["red", "green"]));
            let tags = |tags: &[&str]| json!({ "tags": tags });
            sifted(cast, R::GqlFilter017, vec![case(filter, tags(&["blue", "green"]), [tags(&["blue"]), tags(&[])])])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/case-of-texts",
        title: "Filters tell upper case from lower case in texts.",
        covers: &[R::GqlFilter019],
        needs: FILTERED,
        steps: |cast| {
            let cases = vec![
                case(one("text", "eq", "apple"), text("apple"), [text("Apple"), text("APPLE")]),
                case(one("text", "contains", "PP"), text("aPPle"), [text("apple")]),
                case(one("text", "beginsWith", "Ap"), text("Apple"), [text("apple")]),
            ];
            sifted(cast, R::GqlFilter019, cases)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/all-conditions",
        title: "Of conditions that stand together every one has to hold.",
        covers: &[R::GqlFilter009],
        needs: FILTERED,
        steps: |cast| {
            let filter = every(&[condition("text", "eq", "apple"), condition("count", "ge", 3)]);
            let item = |text: &str, count: i64| json!({ "text": text, "count": count });
            let misses = [item("apple", 2), item("pear", 3)];
            sifted(cast, R::GqlFilter009, vec![case(filter, item("apple", 3), misses)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/any-group",
        title: "An event that satisfies one entry of the filter group is delivered.",
        covers: &[R::GqlFilter010],
        needs: FILTERED,
        steps: |cast| {
            let filter = json!({ "filterGroup": [
                { "filters": [condition("text", "eq", "apple")] },
                { "filters": [condition("count", "eq", 7)] },
            ] });
            let cases = vec![case(filter.clone(), text("apple"), [text("pear")]), case(filter, count(7), [count(8)])];
            sifted(cast, R::GqlFilter010, cases)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/nested-fields",
        title: "A filter reaches a nested field by its dotted name, down to the fifth level.",
        covers: &[R::GqlFilter023],
        needs: FILTERED,
        steps: |cast| {
            let near = |name: &str| json!({ "place": { "name": name } });
            let far = |name: &str| json!({ "place": { "within": { "within": { "within": { "name": name } } } } });
            let cases = vec![
                case(one("place.name", "eq", "Ulm"), near("Ulm"), [near("Bonn")]),
                case(one("place.within.within.within.name", "eq", "Ulm"), far("Ulm"), [far("Bonn"), near("Ulm")]),
            ];
            sifted(cast, R::GqlFilter023, cases)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/begins-with-in-a-nested-field",
        title: "What beginsWith makes of a nested field is recorded.",
        covers: &[R::GqlFilter014],
        needs: FILTERED,
        steps: |cast| {
            let filter = json!({ "filterGroup": [
                { "filters": [condition("text", "eq", "marker")] },
                { "filters": [condition("place.name", "beginsWith", "Ul")] },
            ] });
            edge(
                cast,
                (&filter, &text("marker"), &json!({ "place": { "name": "Ulm" } })),
                "GQL-A-25",
                ["beginsWith reads nested fields", "beginsWith never holds for nested fields"],
                R::GqlFilter014,
            )
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/in-place-of-arguments",
        title: "Where a subscription sets a filter its arguments do not filter.",
        covers: &[R::GqlFilter008],
        needs: FILTERED,
        steps: |cast| {
            let document = "subscription S($s: ID, $f: AWSJSON) { onItem(shelf: $s, filter: $f) { id shelf } }";
            let filter = one("text", "eq", "apple").to_string();
            let start = cast.start("both", document, &json!({ "s": "no-such-shelf", "f": filter }));
            let (miss, marker) = (cast.nonce("miss"), cast.nonce("marker"));
            all([
                connected(cast, 1),
                vec![
                    say(1, start),
                    expect(1, Pattern::with_id("start_ack", "both"), R::GqlFilter008),
                    warmed_with(cast, 1, "both", R::GqlFilter008, |nonce| put(cast, nonce, &text("apple"))),
                    forbidden(1, "both", &miss, R::GqlFilter008),
                    placed(cast, &miss, &text("pear")),
                    placed(cast, &marker, &text("apple")),
                    expect(1, heard_item("both", &marker), R::GqlFilter008),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/field-not-selected",
        title: "A filter never holds when the mutation did not select the field that it reads.",
        covers: &[R::GqlFilter025],
        needs: FILTERED,
        steps: |cast| {
            let sparse = "mutation P($shelf: ID, $text: String) { putItem(shelf: $shelf, text: $text) { id shelf } }";
            let (miss, marker) = (cast.nonce("miss"), cast.nonce("marker"));
            let body = request_body(sparse, &json!({ "shelf": miss, "text": "apple" }));
            all([
                connected(cast, 1),
                vec![
                    start_filtered(cast, "first", &one("text", "eq", "apple")),
                    expect(1, Pattern::with_id("start_ack", "first"), R::GqlSub006),
                    warmed_with(cast, 1, "first", R::GqlSub012, |nonce| put(cast, nonce, &text("apple"))),
                    forbidden(1, "first", &miss, R::GqlFilter025),
                    Step::Call {
                        request: cast.post(&body),
                        any_of: vec![Answer::status(200).has("data.putItem", Shape::Object)],
                        rule: R::GqlHttp002,
                    },
                    placed(cast, &marker, &text("apple")),
                    expect(1, heard_item("first", &marker), R::GqlFilter025),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/enhanced/case-of-operators",
        title: "The name of an operator in another case is no operator.",
        covers: &[R::GqlFilter018],
        needs: FILTERED,
        steps: |cast| {
            let nonce = cast.nonce("event");
            all([
                connected(cast, 1),
                vec![
                    start_filtered(cast, "good", &one("text", "eq", "apple")),
                    expect(1, Pattern::with_id("start_ack", "good"), R::GqlSub006),
                    warmed_with(cast, 1, "good", R::GqlSub012, |nonce| put(cast, nonce, &text("apple"))),
                    start_filtered(cast, "loud", &one("text", "EQ", "apple")),
                    any_of(1, vec![refusal("loud").ends(), Pattern::with_id("start_ack", "loud")], R::GqlFilter018),
                    forbidden(1, "loud", &nonce, R::GqlFilter018),
                    placed(cast, &nonce, &text("apple")),
                    expect(1, heard_item("good", &nonce), R::GqlFilter018),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
];

/// Puts what is disputed and then what fits: which comes first is the reading.
fn edge(
    cast: &Cast,
    (filter, fits, disputed): (&Json, &Json, &Json),
    ambiguity: &'static str,
    [heard, passed_over]: [&'static str; 2],
    rule: R,
) -> Vec<Step> {
    let (asked, marker) = (cast.nonce("disputed"), cast.nonce("marker"));
    let readings = vec![
        heard_item("edge", &asked).reads(ambiguity, heard),
        heard_item("edge", &marker).reads(ambiguity, passed_over),
    ];
    all([
        connected(cast, 1),
        vec![
            start_filtered(cast, "edge", filter),
            expect(1, Pattern::with_id("start_ack", "edge"), rule),
            warmed_with(cast, 1, "edge", rule, |nonce| put(cast, nonce, fits)),
            placed(cast, &asked, disputed),
            placed(cast, &marker, fits),
            any_of(1, readings, rule),
        ],
    ])
}
