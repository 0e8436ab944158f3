//! JSON to filter: both forms, and every limit.
//!
//! The friendlier form is brought into the other one first (a disjunction of conjunctions), so that there is
//! one place where limits are checked. It is cut off while it grows: nesting must not cost more than a limit
//! allows.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::{
    COMBINATIONS_MAX, CONTAINS_ANY_MAX, Condition, FIELDS_MAX, Group, IN_MAX, LEVELS_MAX, Operator, STRING_MAX, Test,
};
use crate::json::{Json, JsonMap};

/// Why a filter is refused. Texts begin as the service's do where those are known; amplify-js looks for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// Something that has to be an object or a list is not, or is empty.
    Shape {
        /// Where.
        at: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// A member that no filter has.
    UnknownMember(String),
    /// An operator that does not exist; names are case-sensitive (GQL-FILTER-018).
    UnknownOperator(String),
    /// A value that the operator does not take.
    Value {
        /// The field.
        field: String,
        /// The operator.
        operator: Operator,
        /// What it takes.
        expected: &'static str,
    },
    /// More values than the operator takes (GQL-FILTER-015, GQL-FILTER-017).
    TooManyValues {
        /// The operator.
        operator: Operator,
        /// Most values.
        limit: usize,
    },
    /// More than five distinct names (GQL-FILTER-020).
    TooManyFields,
    /// A name twice among conditions that all have to hold (GQL-FILTER-020).
    RepeatedField(String),
    /// More than ten combinations (GQL-FILTER-021).
    TooManyCombinations,
    /// A string of more than 256 characters (GQL-FILTER-022).
    LongString(String),
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { at, expected } => write!(f, "subscription filter: {at} has to be {expected}"),
            Self::UnknownMember(name) => {
                write!(f, "subscription filter: a condition has fieldName, operator and value, not `{name}`")
            }
            Self::UnknownOperator(name) => {
                write!(f, "subscription filter: there is no operator `{name}`; names are case-sensitive:")?;
                for operator in Operator::ALL {
                    write!(f, " {}", operator.name())?;
                }
                Ok(())
            }
            Self::Value { field, operator, expected } => {
                write!(f, "subscription filter: operator `{}` on `{field}` takes {expected}", operator.name())
            }
            Self::TooManyValues { operator, limit } => {
                write!(f, "subscription exceeds maximum value limit {limit} for operator `{}`.", operator.name())
            }
            Self::TooManyFields => write!(f, "Filters exceed maximum attributes limit {FIELDS_MAX}"),
            Self::RepeatedField(name) => write!(f, "filter uses same fieldName multiple time: {name}"),
            Self::TooManyCombinations => write!(f, "Filters combination exceed maximum limit {COMBINATIONS_MAX}"),
            Self::LongString(field) => {
                write!(f, "subscription filter: the value for `{field}` exceeds maximum length {STRING_MAX}")
            }
        }
    }
}

impl core::error::Error for FilterError {}

/// A condition before its limits are checked.
struct Entry<'j> {
    field: String,
    operator: Operator,
    value: &'j Json,
}

/// Conditions that all have to hold.
type Conjunction<'j> = Vec<Entry<'j>>;

pub(super) fn filter(filter: &Json) -> Result<Vec<Group>, FilterError> {
    let members = object(filter, "the filter")?;
    let alternatives = match members.get("filterGroup") {
        Some(groups) => {
            if let Some(other) = members.keys().find(|name| *name != "filterGroup") {
                return Err(FilterError::UnknownMember(other.clone()));
            }
            list(groups, "filterGroup")?
                .iter()
                .enumerate()
                .map(|(at, group)| entries(group, at))
                .collect::<Result<_, _>>()?
        }
        None => alternatives(members, "")?,
    };
    check(&alternatives)?;
    alternatives.iter().map(|all| all.iter().filter_map(condition).collect()).collect()
}

fn check(alternatives: &[Conjunction<'_>]) -> Result<(), FilterError> {
    if alternatives.len() > COMBINATIONS_MAX {
        return Err(FilterError::TooManyCombinations);
    }
    for all in alternatives {
        let mut seen = BTreeSet::new();
        if let Some(twice) = all.iter().find(|entry| !seen.insert(&entry.field)) {
            return Err(FilterError::RepeatedField(twice.field.clone()));
        }
        let counted = all.iter().map(|entry| match entry.operator {
            Operator::In | Operator::NotIn => entry.value.as_array().map_or(1, Vec::len),
            Operator::Eq
            | Operator::Ne
            | Operator::Lt
            | Operator::Le
            | Operator::Gt
            | Operator::Ge
            | Operator::Contains
            | Operator::NotContains
            | Operator::BeginsWith
            | Operator::Between
            | Operator::ContainsAny => 1,
        });
        if counted.sum::<usize>() > COMBINATIONS_MAX {
            return Err(FilterError::TooManyCombinations);
        }
    }
    let names: BTreeSet<_> = alternatives.iter().flatten().map(|entry| &entry.field).collect();
    if names.len() > FIELDS_MAX { Err(FilterError::TooManyFields) } else { Ok(()) }
}

/// The conditions of one entry of `filterGroup`.
fn entries(group: &Json, at: usize) -> Result<Conjunction<'_>, FilterError> {
    let place = format!("filterGroup[{at}]");
    let members = object(group, &place)?;
    if let Some(other) = members.keys().find(|name| *name != "filters") {
        return Err(FilterError::UnknownMember(other.clone()));
    }
    let filters = list(members.get("filters").unwrap_or(&Json::Null), &format!("{place}.filters"))?;
    filters.iter().enumerate().map(|(at, filter)| entry(filter, &format!("{place}.filters[{at}]"))).collect()
}

fn entry<'j>(filter: &'j Json, place: &str) -> Result<Entry<'j>, FilterError> {
    let members = object(filter, place)?;
    if let Some(other) = members.keys().find(|name| !["fieldName", "operator", "value"].contains(&name.as_str())) {
        return Err(FilterError::UnknownMember(other.clone()));
    }
    let text = |name: &str| {
        let found = members.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        found.ok_or_else(|| FilterError::Shape { at: format!("{place}.{name}"), expected: "a string" })
    };
    let (field, operator) = (text("fieldName")?, text("operator")?);
    let operator = Operator::of_name(operator).ok_or_else(|| FilterError::UnknownOperator(operator.into()))?;
    Ok(Entry { field: field.into(), operator, value: members.get("value").unwrap_or(&Json::Null) })
}

/// The friendlier form as alternatives. `prefix` is the path of the object that `members` describe.
fn alternatives<'j>(members: &'j JsonMap, prefix: &str) -> Result<Vec<Conjunction<'j>>, FilterError> {
    let mut product: Vec<Conjunction<'j>> = vec![Vec::new()];
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            "or" => {
                let mut any = Vec::new();
                for one in list(value, "or")? {
                    any.extend(alternatives(object(one, "an entry of or")?, prefix)?);
                    if any.len() > COMBINATIONS_MAX {
                        return Err(FilterError::TooManyCombinations);
                    }
                }
                product = multiply(product, &any)?;
            }
            "and" => {
                for one in list(value, "and")? {
                    product = multiply(product, &alternatives(object(one, "an entry of and")?, prefix)?)?;
                }
            }
            field => {
                let field = if prefix.is_empty() { field.to_string() } else { format!("{prefix}.{field}") };
                product = multiply(product, &of_field(field, value)?)?;
            }
        }
    }
    Ok(product)
}

fn of_field<'j>(field: String, value: &'j Json) -> Result<Vec<Conjunction<'j>>, FilterError> {
    let members = object(value, &field)?;
    if !members.keys().any(|name| Operator::of_name(name).is_some()) {
        // Without an operator it is a nested object; a scalar in it was meant for an operator.
        if let Some((name, _)) = members.iter().find(|(_, inner)| !inner.is_object()) {
            return Err(FilterError::UnknownOperator(name.clone()));
        }
        return alternatives(members, &field);
    }
    let one = |(name, value): (&String, &'j Json)| {
        let operator = Operator::of_name(name).ok_or_else(|| FilterError::UnknownOperator(name.clone()))?;
        Ok(Entry { field: field.clone(), operator, value })
    };
    Ok(vec![members.iter().map(one).collect::<Result<_, _>>()?])
}

/// Each of `these` with each of `those`.
fn multiply<'j>(these: Vec<Conjunction<'j>>, those: &[Conjunction<'j>]) -> Result<Vec<Conjunction<'j>>, FilterError> {
    if these.len() * those.len() > COMBINATIONS_MAX {
        return Err(FilterError::TooManyCombinations);
    }
    let copied = |entry: &Entry<'j>| Entry { field: entry.field.clone(), ..*entry };
    let joined = |this: &Conjunction<'j>| {
        let that = |that: &Conjunction<'j>| this.iter().chain(that).map(copied).collect();
        those.iter().map(that).collect::<Vec<Conjunction<'j>>>()
    };
    Ok(these.iter().flat_map(joined).collect())
}

/// The condition of an entry; `None` for one that is ignored because its name goes too deep (GQL-FILTER-023).
fn condition(entry: &Entry<'_>) -> Option<Result<Condition, FilterError>> {
    let path: Vec<String> = entry.field.split('.').map(ToString::to_string).collect();
    if path.len() > LEVELS_MAX {
        return None;
    }
    if path.iter().any(String::is_empty) {
        let at = format!("fieldName `{}`", entry.field);
        return Some(Err(FilterError::Shape { at, expected: "names parted by single dots" }));
    }
    Some(test(entry).map(|test| Condition { path, test }))
}

fn test(entry: &Entry<'_>) -> Result<Test, FilterError> {
    let value = || entry.value.clone();
    Ok(match entry.operator {
        Operator::Eq => Test::Equal(entry.scalar(value())?),
        Operator::Ne => Test::Unequal(entry.scalar(value())?),
        Operator::Lt => Test::Less(entry.ordered(value())?),
        Operator::Le => Test::AtMost(entry.ordered(value())?),
        Operator::Gt => Test::Greater(entry.ordered(value())?),
        Operator::Ge => Test::AtLeast(entry.ordered(value())?),
        Operator::Contains => Test::Contains(entry.scalar(value())?),
        Operator::NotContains => Test::Lacks(entry.scalar(value())?),
        Operator::BeginsWith => match entry.scalar(value())? {
            Json::String(prefix) => Test::BeginsWith(prefix),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                return Err(entry.refused("a string"));
            }
        },
        Operator::In => Test::In(entry.values(IN_MAX, Entry::ordered)?),
        Operator::NotIn => Test::NotIn(entry.values(IN_MAX, Entry::ordered)?),
        Operator::ContainsAny => Test::ContainsAny(entry.values(CONTAINS_ANY_MAX, Entry::scalar)?),
        Operator::Between => match entry.value.as_array().map(Vec::as_slice) {
            Some([low, high]) if low.is_string() == high.is_string() => {
                Test::Between(entry.ordered(low.clone())?, entry.ordered(high.clone())?)
            }
            Some(_) | None => return Err(entry.refused("two numbers or two strings")),
        },
    })
}

impl Entry<'_> {
    fn refused(&self, expected: &'static str) -> FilterError {
        FilterError::Value { field: self.field.clone(), operator: self.operator, expected }
    }

    /// An integer, float, string or boolean (GQL-FILTER-011).
    fn scalar(&self, value: Json) -> Result<Json, FilterError> {
        match &value {
            Json::String(text) if text.chars().count() > STRING_MAX => Err(FilterError::LongString(self.field.clone())),
            Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(value),
            Json::Null | Json::Array(_) | Json::Object(_) => Err(self.refused("a number, a string or a boolean")),
        }
    }

    /// An integer, float or string (GQL-FILTER-012).
    fn ordered(&self, value: Json) -> Result<Json, FilterError> {
        if value.is_number() || value.is_string() {
            self.scalar(value)
        } else {
            Err(self.refused("numbers or strings"))
        }
    }

    fn values(
        &self,
        limit: usize,
        admit: fn(&Self, Json) -> Result<Json, FilterError>,
    ) -> Result<Vec<Json>, FilterError> {
        let Some(values) = self.value.as_array().filter(|values| !values.is_empty()) else {
            return Err(self.refused("a list of at least one value"));
        };
        if values.len() > limit {
            return Err(FilterError::TooManyValues { operator: self.operator, limit });
        }
        values.iter().map(|value| admit(self, value.clone())).collect()
    }
}

fn object<'j>(value: &'j Json, at: &str) -> Result<&'j JsonMap, FilterError> {
    value.as_object().ok_or_else(|| FilterError::Shape { at: at.into(), expected: "an object" })
}

fn list<'j>(value: &'j Json, at: &str) -> Result<&'j [Json], FilterError> {
    match value.as_array().map(Vec::as_slice) {
        Some([]) | None => Err(FilterError::Shape { at: at.into(), expected: "a list of at least one entry" }),
        Some(items) => Ok(items),
    }
}
