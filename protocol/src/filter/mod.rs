//! Enhanced subscription filters: what a subscriber wants to hear, beyond the equality of arguments.
//!
//! ```text
//!   {"filterGroup": [ {"filters": [a, b]}, {"filters": [c]} ]}      a and b, or c
//!   {"or": [ {"board": {"eq": "b1"}, "stars": {"ge": 3}}, … ]}      the friendlier form of the same
//! ```
//!
//! A filter is parsed once, where a subscription starts, and every limit is checked there; matching cannot
//! fail. It knows JSON objects keyed by field name, as a mutation selected them: a field that was not
//! selected is absent (GQL-FILTER-025). The same filters serve invalidation, where the object is a payload
//! (GQL-FILTER-026).
//!
//! **An absent or null field satisfies no operator**, the negations included. No source says what the service
//! does; this choice is reported as information.
//!
//! Source: GQL-FILTER-008 to GQL-FILTER-025.

mod parse;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::json::Json;

pub use parse::FilterError;

/// Distinct field names in one filter. Source: GQL-FILTER-020.
pub const FIELDS_MAX: usize = 5;
/// Entries of a `filterGroup`, and conditions of one entry, where each value of `in` and `notIn` counts.
/// Source: GQL-FILTER-021.
pub const COMBINATIONS_MAX: usize = 10;
/// Values of `in` and `notIn`. Source: GQL-FILTER-015.
pub const IN_MAX: usize = 5;
/// Values of `containsAny`. Source: GQL-FILTER-017.
pub const CONTAINS_ANY_MAX: usize = 20;
/// Characters of a string to compare with. Source: GQL-FILTER-022.
pub const STRING_MAX: usize = 256;
/// Levels of a nested field name; a condition on a deeper one is ignored. Source: GQL-FILTER-023.
pub const LEVELS_MAX: usize = 5;

/// A filter within its limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    /// One of them has to hold (GQL-FILTER-010).
    groups: Vec<Group>,
}

/// Conditions that all have to hold (GQL-FILTER-009).
type Group = Vec<Condition>;

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    /// Names from the outermost field to the innermost.
    path: Vec<String>,
    test: Test,
}

/// What a field is compared with, and how.
#[derive(Clone, Debug, PartialEq)]
enum Test {
    Equal(Json),
    Unequal(Json),
    Less(Json),
    AtMost(Json),
    Greater(Json),
    AtLeast(Json),
    Contains(Json),
    Lacks(Json),
    BeginsWith(String),
    In(Vec<Json>),
    NotIn(Vec<Json>),
    Between(Json, Json),
    ContainsAny(Vec<Json>),
}

/// The name of an operator; names are case-sensitive (GQL-FILTER-018).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `eq`: equal.
    Eq,
    /// `ne`: not equal.
    Ne,
    /// `lt`: less.
    Lt,
    /// `le`: less or equal.
    Le,
    /// `gt`: greater.
    Gt,
    /// `ge`: greater or equal.
    Ge,
    /// `contains`: a substring, or a member of a list.
    Contains,
    /// `notContains`: no substring, or no member.
    NotContains,
    /// `beginsWith`: a prefix.
    BeginsWith,
    /// `in`: one of some values.
    In,
    /// `notIn`: none of some values.
    NotIn,
    /// `between`: in a range given by two values.
    Between,
    /// `containsAny`: a list that has one of some values.
    ContainsAny,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 13] = [
        Self::Eq,
        Self::Ne,
        Self::Lt,
        Self::Le,
        Self::Gt,
        Self::Ge,
        Self::Contains,
        Self::NotContains,
        Self::BeginsWith,
        Self::In,
        Self::NotIn,
        Self::Between,
        Self::ContainsAny,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Contains => "contains",
            Self::NotContains => "notContains",
            Self::BeginsWith => "beginsWith",
            Self::In => "in",
            Self::NotIn => "notIn",
            Self::Between => "between",
            Self::ContainsAny => "containsAny",
        }
    }

    /// The operator of this very name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.name() == name)
    }
}

/// Whether the ends of `between` belong to the range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GqlA15 {
    /// They do: the usual reading of the operator.
    #[default]
    EndsIncluded,
    /// They do not: the values that the documentation names.
    EndsExcluded,
}

/// How operators act on lists and nested fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GqlA25 {
    /// As documented.
    #[default]
    Documented,
    /// As observed in 2026: `beginsWith` on a nested field never holds, `notContains` on a list always does.
    Observed,
}

/// Which reading of what sources leave open or contradict each other about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// The ends of `between`.
    pub gql_a_15: GqlA15,
    /// Lists and nested fields.
    pub gql_a_25: GqlA25,
}

impl Filter {
    /// Reads a filter in either form.
    ///
    /// # Errors
    /// The first thing that is no filter or beyond a limit; the text names the limit.
    pub fn parse(filter: &Json) -> Result<Self, FilterError> {
        parse::filter(filter).map(|groups| Self { groups })
    }

    /// Whether `object`, keyed by field name, satisfies the filter.
    pub fn matches(&self, object: &Json, readings: Readings) -> bool {
        self.groups.iter().any(|group| group.iter().all(|condition| condition.holds(object, readings)))
    }
}

impl Condition {
    fn holds(&self, object: &Json, readings: Readings) -> bool {
        let found = self.path.iter().try_fold(object, |at, name| at.get(name));
        let Some(field) = found.filter(|field| !field.is_null()) else { return false };
        let observed = readings.gql_a_25 == GqlA25::Observed;
        if observed && self.path.len() > 1 && matches!(self.test, Test::BeginsWith(_)) {
            return false;
        }
        if observed && field.is_array() && matches!(self.test, Test::Lacks(_)) {
            return true;
        }
        self.test.holds(field, readings)
    }
}

impl Test {
    fn holds(&self, field: &Json, readings: Readings) -> bool {
        let ordered =
            |value: &Json, wanted: &[Ordering]| order(field, value).is_some_and(|order| wanted.contains(&order));
        match self {
            Self::Equal(value) => same(field, value),
            Self::Unequal(value) => !same(field, value),
            Self::Less(value) => ordered(value, &[Ordering::Less]),
            Self::AtMost(value) => ordered(value, &[Ordering::Less, Ordering::Equal]),
            Self::Greater(value) => ordered(value, &[Ordering::Greater]),
            Self::AtLeast(value) => ordered(value, &[Ordering::Greater, Ordering::Equal]),
            Self::Contains(value) => contains(field, value),
            Self::Lacks(value) => !contains(field, value),
            Self::BeginsWith(prefix) => field.as_str().is_some_and(|text| text.starts_with(prefix.as_str())),
            Self::In(values) => values.iter().any(|value| same(field, value)),
            Self::NotIn(values) => !values.iter().any(|value| same(field, value)),
            // GQL-A-15: the sources do not say whether the ends count.
            Self::Between(low, high) => match readings.gql_a_15 {
                GqlA15::EndsIncluded => {
                    ordered(low, &[Ordering::Greater, Ordering::Equal])
                        && ordered(high, &[Ordering::Less, Ordering::Equal])
                }
                GqlA15::EndsExcluded => ordered(low, &[Ordering::Greater]) && ordered(high, &[Ordering::Less]),
            },
            Self::ContainsAny(values) => field
                .as_array()
                .is_some_and(|items| values.iter().any(|value| items.iter().any(|item| same(item, value)))),
        }
    }
}

/// A substring of a string, or a member of a list (GQL-FILTER-013).
fn contains(field: &Json, value: &Json) -> bool {
    match (field, value) {
        (Json::String(text), Json::String(part)) => text.contains(part.as_str()),
        (Json::Array(items), value) => items.iter().any(|item| same(item, value)),
        (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_), _) => false,
    }
}

/// Whether two scalars are of one kind and equal: `1` is `1.0`, and no number is a string.
fn same(one: &Json, other: &Json) -> bool {
    match (one.as_bool(), other.as_bool()) {
        (Some(one), Some(other)) => one == other,
        (Some(_) | None, Some(_) | None) => order(one, other) == Some(Ordering::Equal),
    }
}

/// The order of two numbers or of two strings, these by code points with their case (GQL-FILTER-019).
fn order(one: &Json, other: &Json) -> Option<Ordering> {
    if let (Some(one), Some(other)) = (one.as_str(), other.as_str()) {
        return Some(one.cmp(other));
    }
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        (Some(_) | None, Some(_) | None) => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}
