//! Operators and limits in tables, and laws that hold for all values.

use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::json::parse_json;

const NOTE: &str = r#"{"board":"b1","stars":3,"price":2.5,"done":true,"tags":["red","blue"],"counts":[1,2],"due":null,
    "place":{"city":{"name":"Ulm"}}}"#;

fn json(text: &str) -> Json {
    parse_json(text).unwrap()
}

fn one(field: &str, operator: &str, value: &str) -> Result<Filter, FilterError> {
    let condition = format!(r#"{{"fieldName":"{field}","operator":"{operator}","value":{value}}}"#);
    Filter::parse(&json(&format!(r#"{{"filterGroup":[{{"filters":[{condition}]}}]}}"#)))
}

fn of(filter: &str) -> Result<Filter, FilterError> {
    Filter::parse(&json(filter))
}

fn is_heard(filter: &Filter) -> bool {
    filter.matches(&json(NOTE), Readings::default())
}

#[track_caller]
fn check(operator: &str, rows: &[(&str, &str, bool)]) {
    for (field, value, expected) in rows {
        assert_eq!(is_heard(&one(field, operator, value).unwrap()), *expected, "{field} {operator} {value}");
    }
}

#[track_caller]
fn refused(result: Result<Filter, FilterError>) -> String {
    format!("{}", result.unwrap_err())
}

#[test]
fn equality_is_of_kind_and_value() {
    check(
        "eq",
        &[("board", "\"b1\"", true), ("board", "\"B1\"", false), ("stars", "3.0", true), ("stars", "\"3\"", false)],
    );
    check(
        "eq",
        &[("price", "2.5", true), ("done", "true", true), ("done", "false", false), ("tags", "\"red\"", false)],
    );
    check(
        "ne",
        &[("board", "\"b1\"", false), ("board", "\"b2\"", true), ("stars", "\"3\"", true), ("done", "false", true)],
    );
}

#[test]
fn order_is_of_numbers_and_of_strings() {
    check("lt", &[("stars", "4", true), ("stars", "3", false), ("board", "\"b2\"", true), ("stars", "\"4\"", false)]);
    check("le", &[("stars", "3", true), ("stars", "2.9", false), ("board", "\"b1\"", true)]);
    check("gt", &[("price", "2", true), ("price", "2.5", false), ("board", "\"B2\"", true)]);
    check("ge", &[("price", "2.5", true), ("stars", "4", false), ("done", "0", false)]);
}

#[test]
fn containing_is_of_substrings_and_members() {
    check(
        "contains",
        &[("board", "\"1\"", true), ("tags", "\"red\"", true), ("tags", "\"re\"", false), ("counts", "2", true)],
    );
    check("notContains", &[("board", "\"2\"", true), ("tags", "\"red\"", false), ("tags", "\"green\"", true)]);
    check(
        "containsAny",
        &[("tags", r#"["x","blue"]"#, true), ("tags", r#"["x"]"#, false), ("board", r#"["b1"]"#, false)],
    );
    check("beginsWith", &[("board", "\"b\"", true), ("board", "\"B\"", false), ("stars", "\"3\"", false)]);
}

#[test]
fn membership_is_among_the_values_given() {
    check("in", &[("stars", "[1,3]", true), ("board", r#"["b2"]"#, false)]);
    check("notIn", &[("stars", "[1,3]", false), ("board", r#"["b2"]"#, true)]);
    check("between", &[("stars", "[1,5]", true), ("stars", "[4,5]", false), ("board", r#"["a","c"]"#, true)]);
}

#[test]
fn an_absent_or_null_field_satisfies_no_operator() {
    for operator in Operator::ALL {
        let value = match operator {
            Operator::In | Operator::NotIn | Operator::ContainsAny => "[\"x\"]",
            Operator::Between => "[\"a\",\"z\"]",
            Operator::Eq
            | Operator::Ne
            | Operator::Lt
            | Operator::Le
            | Operator::Gt
            | Operator::Ge
            | Operator::Contains
            | Operator::NotContains
            | Operator::BeginsWith => "\"x\"",
        };
        for field in ["nope", "due", "place.nope", "board.inner"] {
            assert!(!is_heard(&one(field, operator.name(), value).unwrap()), "{field} {operator:?}");
        }
    }
}

#[test]
fn the_ends_of_a_range_belong_to_it_or_not() {
    let excluded = Readings { gql_a_15: GqlA15::EndsExcluded, ..Readings::default() };

    for ends in ["[3,5]", "[1,3]"] {
        let filter = one("stars", "between", ends).unwrap();
        assert!(filter.matches(&json(NOTE), Readings::default()));
        assert!(!filter.matches(&json(NOTE), excluded));
    }
}

#[test]
fn lists_and_nested_fields_can_act_as_observed() {
    let observed = Readings { gql_a_25: GqlA25::Observed, ..Readings::default() };
    let prefix = one("place.city.name", "beginsWith", "\"U\"").unwrap();
    let lacks = one("tags", "notContains", "\"red\"").unwrap();

    assert!(is_heard(&prefix) && !prefix.matches(&json(NOTE), observed));
    assert!(!is_heard(&lacks) && lacks.matches(&json(NOTE), observed));
}

#[test]
fn conditions_are_joined_by_and_groups_by_or() {
    let filter = |board: &str, stars: u8, tag: &str| {
        let and = format!(
            r#"{{"fieldName":"board","operator":"eq","value":"{board}"}},{{"fieldName":"stars","operator":"ge","value":{stars}}}"#
        );
        let or = format!(r#"{{"fieldName":"tags","operator":"contains","value":"{tag}"}}"#);
        is_heard(&of(&format!(r#"{{"filterGroup":[{{"filters":[{and}]}},{{"filters":[{or}]}}]}}"#)).unwrap())
    };

    assert!(filter("b1", 3, "none") && filter("b2", 9, "red"));
    assert!(!filter("b1", 4, "none") && !filter("b2", 3, "none"));
}

#[test]
fn the_friendlier_form_means_the_same() {
    let same = |friendly: &str, plain: &str| assert_eq!(of(friendly), of(plain), "{friendly}");

    let first = r#"{"fieldName":"board","operator":"eq","value":"b1"}"#;
    let second = r#"{"fieldName":"place.city.name","operator":"beginsWith","value":"U"}"#;
    let nested = r#"{"place":{"city":{"name":{"beginsWith":"U"}}}}"#;
    same(
        &format!(r#"{{"or":[{{"board":{{"eq":"b1"}}}},{nested}]}}"#),
        &format!(r#"{{"filterGroup":[{{"filters":[{first}]}},{{"filters":[{second}]}}]}}"#),
    );
    same(
        &format!(r#"{{"and":[{{"board":{{"eq":"b1"}}}},{nested}]}}"#),
        &format!(r#"{{"filterGroup":[{{"filters":[{first},{second}]}}]}}"#),
    );
    same(r#"{"board":{"eq":"b1"},"or":null}"#, &format!(r#"{{"filterGroup":[{{"filters":[{first}]}}]}}"#));
}

#[test]
fn an_empty_friendlier_form_lets_everything_through() {
    assert!(is_heard(&of("{}").unwrap()));
}

#[test]
fn an_operator_in_another_case_is_refused() {
    assert!(refused(one("board", "EQ", "\"b1\"")).contains("no operator `EQ`; names are case-sensitive"));
    assert!(refused(of(r#"{"board":{"EQ":"b1"}}"#)).contains("no operator `EQ`"));
}

#[test]
fn more_values_than_the_limit_are_refused_by_operator_and_limit() {
    for (operator, limit) in [("in", 5), ("notIn", 5), ("containsAny", 20)] {
        let values = |count: usize| format!("{:?}", (0..count).collect::<Vec<_>>());

        assert!(one("stars", operator, &values(limit)).is_ok(), "{operator}");
        let words = format!("subscription exceeds maximum value limit {limit} for operator `{operator}`.");
        assert_eq!(refused(one("stars", operator, &values(limit + 1))), words);
    }
}

#[test]
fn more_than_five_fields_are_refused_wherever_they_stand() {
    let filter = |count: usize| {
        let groups: Vec<_> = (0..count)
            .map(|n| format!(r#"{{"filters":[{{"fieldName":"f{n}","operator":"eq","value":1}}]}}"#))
            .collect();
        of(&format!(r#"{{"filterGroup":[{}]}}"#, groups.join(",")))
    };

    assert!(filter(5).is_ok());
    assert_eq!(refused(filter(6)), "Filters exceed maximum attributes limit 5");
}

#[test]
fn a_field_twice_in_one_filter_is_refused_and_in_two_is_not() {
    let condition = r#"{"fieldName":"board","operator":"ne","value":"b2"}"#;

    let twice = of(&format!(r#"{{"filterGroup":[{{"filters":[{condition},{condition}]}}]}}"#));
    assert_eq!(refused(twice), "filter uses same fieldName multiple time: board");
    assert!(of(&format!(r#"{{"filterGroup":[{{"filters":[{condition}]}},{{"filters":[{condition}]}}]}}"#)).is_ok());
}

#[test]
fn more_than_ten_combinations_are_refused() {
    let groups = |count: usize| {
        let group = r#"{"filters":[{"fieldName":"board","operator":"eq","value":"b1"}]}"#;
        of(&format!(r#"{{"filterGroup":[{}]}}"#, vec![group; count].join(",")))
    };
    let values = |extra: &str| {
        let of_in = |name: &str| format!(r#"{{"fieldName":"{name}","operator":"in","value":[1,2,3,4,5]}}"#);
        of(&format!(r#"{{"filterGroup":[{{"filters":[{},{}{extra}]}}]}}"#, of_in("a"), of_in("b")))
    };

    assert!(groups(10).is_ok() && values("").is_ok());
    assert_eq!(refused(groups(11)), "Filters combination exceed maximum limit 10");
    let eleventh = r#",{"fieldName":"c","operator":"eq","value":1}"#;
    assert_eq!(refused(values(eleventh)), "Filters combination exceed maximum limit 10");
}

#[test]
fn nesting_cannot_multiply_beyond_the_limit() {
    let or = r#"{"or":[{"a":{"eq":1}},{"a":{"eq":2}}]}"#;
    let ands = vec![or; 60].join(",");

    assert_eq!(of(&format!(r#"{{"and":[{ands}]}}"#)), Err(FilterError::TooManyCombinations));
}

#[test]
fn a_string_has_at_most_256_characters() {
    let value = |count: usize| format!("\"{}\"", "ä".repeat(count));

    assert!(one("board", "eq", &value(256)).is_ok());
    assert!(refused(one("board", "eq", &value(257))).contains("maximum length 256"));
    assert!(refused(one("board", "in", &format!("[{}]", value(257)))).contains("maximum length 256"));
}

#[test]
fn a_name_of_five_levels_counts_and_one_of_six_is_ignored() {
    let deep = json(r#"{"a":{"b":{"c":{"d":{"e":1,"f":{"g":1}}}}}}"#);
    let heard = |field: &str| one(field, "eq", "2").unwrap().matches(&deep, Readings::default());

    assert!(!heard("a.b.c.d.e"));
    assert!(heard("a.b.c.d.f.g"));
}

#[test]
fn a_value_that_the_operator_does_not_take_is_refused_with_what_it_takes() {
    for (operator, value, takes) in [
        ("eq", "null", "a number, a string or a boolean"),
        ("eq", "[1]", "a number, a string or a boolean"),
        ("lt", "true", "numbers or strings"),
        ("beginsWith", "1", "a string"),
        ("in", "1", "a list of at least one value"),
        ("notIn", "[]", "a list of at least one value"),
        ("in", "[true]", "numbers or strings"),
        ("between", "[1]", "two numbers or two strings"),
        ("between", "[1,\"2\"]", "two numbers or two strings"),
        ("containsAny", "[{}]", "a number, a string or a boolean"),
    ] {
        let words = format!("subscription filter: operator `{operator}` on `stars` takes {takes}");
        assert_eq!(refused(one("stars", operator, value)), words, "{value}");
    }
}

#[test]
fn what_is_no_filter_is_refused_with_its_place() {
    for (text, words) in [
        ("[]", "the filter has to be an object"),
        (r#"{"filterGroup":[]}"#, "filterGroup has to be a list of at least one entry"),
        (r#"{"filterGroup":[{"filters":[]}]}"#, "filterGroup[0].filters has to be a list of at least one entry"),
        (r#"{"filterGroup":[{"filters":[{}]}]}"#, "filterGroup[0].filters[0].fieldName has to be a string"),
        (r#"{"filterGroup":[{"filter":[]}]}"#, "not `filter`"),
        (r#"{"filterGroup":[{"filters":[1]}]}"#, "filterGroup[0].filters[0] has to be an object"),
        (r#"{"filterGroup":[{"filters":[1]}],"or":[]}"#, "not `or`"),
        (r#"{"board":"b1"}"#, "board has to be an object"),
        (r#"{"or":{}}"#, "or has to be a list of at least one entry"),
    ] {
        assert!(refused(of(text)).contains(words), "{text}: {}", refused(of(text)));
    }
    assert!(refused(one("a..b", "eq", "1")).contains("names parted by single dots"));
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        (-3_i64..3).prop_map(Json::from),
        (-2.0_f64..2.0).prop_map(|number| Json::from((number * 2.0).round() / 2.0)),
        "[abAB]{0,3}".prop_map(Json::from),
    ]
}

fn tree() -> impl Strategy<Value = Json> {
    let name = prop_oneof![
        Just("filterGroup"),
        Just("filters"),
        Just("fieldName"),
        Just("operator"),
        Just("value"),
        Just("or"),
        Just("and"),
        Just("eq"),
        Just("in"),
        Just("between"),
        Just("a"),
        Just("b.c"),
    ];
    let leaf = prop_oneof![scalar(), Just(Json::Null), Just(Json::Bool(true)), Just(Json::from("eq"))];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((name.clone(), inner), 0..4)
                .prop_map(|members| Json::Object(members.into_iter().map(|(k, v)| (k.into(), v)).collect())),
        ]
    })
}

fn holds(operator: &str, field: &Json, value: &Json) -> Option<bool> {
    let filter = one("f", operator, &format!("{value}")).ok()?;
    let object = json(&format!(r#"{{"f":{field}}}"#));
    Some(filter.matches(&object, Readings::default()))
}

proptest! {
    #[test]
    fn whatever_comes_is_parsed_or_refused_and_matches_anything_the_same_way_twice(filter in tree(), object in tree()) {
        if let Ok(filter) = Filter::parse(&filter) {
            let first = filter.matches(&object, Readings::default());
            prop_assert_eq!(first, filter.matches(&object, Readings::default()));
        }
    }

    #[test]
    fn a_negation_is_the_opposite_on_a_field_that_is_there(field in scalar(), value in scalar()) {
        prop_assert_eq!(holds("eq", &field, &value), holds("ne", &field, &value).map(|holds| !holds));
        prop_assert_eq!(holds("contains", &field, &value), holds("notContains", &field, &value).map(|holds| !holds));
    }

    #[test]
    fn membership_is_equality_with_some_value(field in scalar(), values in prop::collection::vec(scalar(), 1..=5)) {
        let list = Json::from(values.clone());
        let any = values.iter().any(|value| holds("eq", &field, value) == Some(true));
        prop_assert_eq!(holds("in", &field, &list), Some(any));
        prop_assert_eq!(holds("notIn", &field, &list), Some(!any));
    }

    #[test]
    fn a_range_is_its_two_ends(field in scalar(), low in -3_i64..3, high in -3_i64..3) {
        let (from, to) = (Json::from(low), Json::from(high));
        let both = holds("ge", &field, &from) == Some(true) && holds("le", &field, &to) == Some(true);
        prop_assert_eq!(holds("between", &field, &Json::from(vec![from, to])), Some(both));
    }

    #[test]
    fn of_two_values_of_one_kind_exactly_one_order_holds(field in scalar(), value in scalar()) {
        let orders = ["lt", "eq", "gt"].map(|operator| holds(operator, &field, &value) == Some(true));
        let expected = usize::from(field.is_string() == value.is_string());
        prop_assert_eq!(orders.into_iter().filter(|holds| *holds).count(), expected);
    }
}
