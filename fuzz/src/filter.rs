//! Enhanced filters against a plain reading of the documented form.
//!
//! The invariant: of any JSON value, parsing says yes or why not; a filter in the documented form within its limits is
//! taken, and holds for an object exactly if one of its groups has no condition that fails, each operator in its plainest
//! formulation over decimal numbers and texts; the friendlier form of the same gives the same answers.

use appsync_protocol::filter::{Filter, Readings};
use appsync_protocol::json::parse_json;
use serde_json::{Map, Value, json};

use crate::draw::Draw;
use crate::reach::Point;

static REFUSED: Point = Point::new("filter/refused");
static TAKEN: Point = Point::new("filter/taken");
static HELD: Point = Point::new("filter/held");
static FAILED: Point = Point::new("filter/failed");
/// Where the oracle speaks.
pub static POINTS: [&Point; 4] = [&REFUSED, &TAKEN, &HELD, &FAILED];

const FIELDS: [&str; 5] = ["a", "b", "c.d", "c.e", "l"];
const OPERATORS: [&str; 13] = [
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "contains",
    "notContains",
    "beginsWith",
    "in",
    "notIn",
    "between",
    "containsAny",
];

/// A condition: field, operator, value.
type Condition = (&'static str, &'static str, Value);

/// One input: a line of JSON for the filter and one for the object, or bytes to draw both from.
pub fn run(input: &[u8]) {
    match input.split_first() {
        Some((b'#', rest)) => drawn(&mut Draw::new(rest)),
        Some(_) => from_text(input),
        None => {}
    }
}

fn from_text(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (filter, object) = text.split_once('\n').unwrap_or((text, "{}"));
    let Some(filter) = parse_json(filter) else { return };
    let object = parse_json(object).unwrap_or_default();
    match Filter::parse(&filter) {
        Ok(filter) => {
            TAKEN.reached();
            let _ = filter.matches(&object, Readings::default());
        }
        Err(error) => {
            REFUSED.reached();
            assert!(!error.to_string().is_empty());
        }
    }
}

fn drawn(draw: &mut Draw<'_>) {
    let mut object = Map::new();
    for field in ["a", "b", "l"] {
        object.insert(field.into(), field_value(draw));
    }
    object.insert("c".into(), json!({ "d": field_value(draw), "e": field_value(draw) }));
    let object = Value::Object(object);
    let groups: Vec<Vec<Condition>> = (0..1 + draw.below(3)).map(|_| group(draw)).collect();
    let documented = json!({ "filterGroup": groups.iter().map(|group| json!({
        "filters": group.iter().map(|(field, operator, value)| {
            json!({ "fieldName": field, "operator": operator, "value": value })
        }).collect::<Vec<_>>()
    })).collect::<Vec<_>>() });
    let friendly = json!({ "or": groups.iter().map(|group| {
        json!({ "and": group.iter().map(|(field, operator, value)| {
            field.rsplit('.').fold(json!({ *operator: value }), |inner, name| json!({ name: inner }))
        }).collect::<Vec<_>>() })
    }).collect::<Vec<_>>() });
    let expected = groups.iter().any(|group| group.iter().all(|condition| holds(condition, &object)));
    for form in [&documented, &friendly] {
        let filter = Filter::parse(form).unwrap_or_else(|error| panic!("{form}: {error}"));
        TAKEN.reached();
        assert_eq!(filter.matches(&object, Readings::default()), expected, "{form} {object}");
        if expected { HELD.reached() } else { FAILED.reached() }
    }
}

/// Two or three conditions on different fields, within every limit.
fn group(draw: &mut Draw<'_>) -> Vec<Condition> {
    let start = draw.below(FIELDS.len());
    (0..1 + draw.below(2))
        .map(|at| {
            let (field, operator) = (FIELDS[(start + at) % FIELDS.len()], draw.pick(&OPERATORS));
            let value = match operator {
                "lt" | "le" | "gt" | "ge" => ordered(draw),
                "beginsWith" => json!(text(draw)),
                "in" | "notIn" => (0..1 + draw.below(3)).map(|_| ordered(draw)).collect(),
                "containsAny" => (0..1 + draw.below(3)).map(|_| scalar(draw)).collect(),
                "between" if draw.once_in(2) => json!([number(draw), number(draw)]),
                "between" => json!([text(draw), text(draw)]),
                _ => scalar(draw),
            };
            (field, operator, value)
        })
        .collect()
}

/// Near each other, and all of them exact in every reading.
fn number(draw: &mut Draw<'_>) -> Value {
    let near = i64::from(draw.byte() % 7) - 3;
    match draw.byte() % 4 {
        0 => json!(near),
        1 => json!(i32::try_from(near).map_or(0.0, f64::from) / 2.0),
        2 => json!((1_i64 << 53) + near),
        _ => json!(near * 1_000_000_007),
    }
}

fn text(draw: &mut Draw<'_>) -> String {
    if draw.once_in(4) {
        draw.text()
    } else {
        draw.pick(&["", "a", "ab", "abc", "b", "A", "1", "true", "é", "e\u{301}"]).into()
    }
}

fn ordered(draw: &mut Draw<'_>) -> Value {
    if draw.once_in(2) { number(draw) } else { json!(text(draw)) }
}

fn scalar(draw: &mut Draw<'_>) -> Value {
    if draw.once_in(4) { json!(draw.byte() & 1 == 1) } else { ordered(draw) }
}

fn field_value(draw: &mut Draw<'_>) -> Value {
    match draw.byte() % 6 {
        0 => Value::Null,
        1 => (0..draw.below(4)).map(|_| scalar(draw)).collect(),
        2 => json!({ "d": 1 }),
        _ => scalar(draw),
    }
}

/// The documented meaning of one condition.
fn holds((field, operator, value): &Condition, object: &Value) -> bool {
    let found = &object[&format!("/{}", field.replace('.', "/"))[1..].split('/').next().unwrap_or_default()];
    let found = if let Some((_, inner)) = field.split_once('.') { &found[inner] } else { found };
    if found.is_null() {
        return false;
    }
    let all = |values: &Value| values.as_array().cloned().unwrap_or_default();
    let less = |one: &Value, other: &Value| comparable(one, other) && below(one, other);
    let at_most = |one: &Value, other: &Value| comparable(one, other) && !below(other, one);
    let has = |value: &Value| match (found, value) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::Array(items), value) => items.iter().any(|item| equal(item, value)),
        _ => false,
    };
    match *operator {
        "eq" => equal(found, value),
        "ne" => !equal(found, value),
        "lt" => less(found, value),
        "le" => at_most(found, value),
        "gt" => less(value, found),
        "ge" => at_most(value, found),
        "contains" => has(value),
        "notContains" => !has(value),
        "beginsWith" => found.as_str().zip(value.as_str()).is_some_and(|(text, start)| text.starts_with(start)),
        "in" => all(value).iter().any(|value| equal(found, value)),
        "notIn" => !all(value).iter().any(|value| equal(found, value)),
        "between" => at_most(&value[0], found) && at_most(found, &value[1]),
        "containsAny" => found.is_array() && all(value).iter().any(has),
        other => panic!("{other} is no operator"),
    }
}

fn comparable(one: &Value, other: &Value) -> bool {
    one.is_number() && other.is_number() || one.is_string() && other.is_string()
}

fn equal(one: &Value, other: &Value) -> bool {
    one.is_boolean() && one == other || comparable(one, other) && !below(one, other) && !below(other, one)
}

/// Numbers by twice their value, which is whole; texts by their characters.
fn below(one: &Value, other: &Value) -> bool {
    match (one.as_str(), other.as_str()) {
        (Some(one), Some(other)) => one.chars().lt(other.chars()),
        _ => doubled(one) < doubled(other),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "halves near zero")]
fn doubled(number: &Value) -> i128 {
    match number.as_i64() {
        Some(whole) => i128::from(whole) * 2,
        None => (number.as_f64().unwrap_or_default() * 2.0) as i128,
    }
}
