//! Values of variables and arguments, coerced to the types the schema gives them.
//!
//! A document has been validated before it comes here, so what may still be wrong is what a client
//! sends beside it, and the service's scalars, of which validation knows only the names. A coerced
//! value is final: an ID is a string, a list type has a list. Integers of a Float stay as they are.

use apollo_compiler::ast::{Type, Value};
use apollo_compiler::executable::{Field, Operation};
use apollo_compiler::schema::{ExtendedType, InputObjectType, Schema};
use appsync_protocol::json::{Json, JsonMap, json_array, json_text, parse_json};

use super::errors::{GraphqlError, RequestError};
use super::scalars;

/// Longest part of a refused value that is repeated in an error, in characters.
const QUOTED: usize = 80;

/// What an argument is whose variable was declared and not supplied.
#[derive(Clone, Copy)]
pub(super) enum Unsupplied {
    /// Null, as the service takes it when it filters (GQL-FILTER-004).
    IsNull,
    /// Left out, as GraphQL has it.
    IsAbsent,
}

/// A value that does not fit its type.
#[derive(Debug)]
pub(super) struct Misfit {
    /// Name of the variable or argument, with the members below it.
    place: String,
    why: Why,
}

#[derive(Debug)]
enum Why {
    ForbiddenNull { of: String },
    WrongKind { of: String, got: &'static str },
    Unreadable { of: String, got: String },
    UnknownMember { of: String, member: String },
}

impl Misfit {
    fn new(place: &str, why: Why) -> Self {
        Self { place: place.into(), why }
    }

    /// The service's words; `what` is `Variable` or `Argument`.
    pub(super) fn message(&self, what: &str) -> String {
        let Self { place, why } = self;
        match why {
            Why::ForbiddenNull { of } => format!("{what} '{place}' has coerced Null value for NonNull type '{of}'"),
            Why::WrongKind { of, got } => {
                format!("{what} '{place}' has an invalid value: Expected type '{of}' but was '{got}'.")
            }
            Why::Unreadable { of, got } => {
                format!("{what} '{place}' has an invalid value: Unable to parse `{got}` as a valid {of}.")
            }
            Why::UnknownMember { of, member } => format!(
                "{what} '{place}' has an invalid value: The variables input contains a field name '{member}' \
                 that is not defined for input object type '{of}'"
            ),
        }
    }
}

/// Coerces the variables of `operation`; those not supplied and without default are left out, and what
/// the operation does not declare is ignored. Fails with one error for each misfit (GQL-ERR-012).
pub(super) fn variables(
    schema: &Schema,
    operation: &Operation,
    mut supplied: JsonMap,
) -> Result<JsonMap, RequestError> {
    let mut coerced = JsonMap::new();
    let mut errors = Vec::new();
    for variable in &operation.variables {
        let name = variable.name.as_str();
        let value = match (supplied.remove(name), &variable.default_value) {
            (Some(value), _) => value,
            (None, Some(default)) => literal(default, &JsonMap::new()).unwrap_or_default(),
            (None, None) if variable.ty.is_non_null() => Json::Null,
            (None, None) => continue,
        };
        match coerce(schema, name, &variable.ty, value) {
            Ok(value) => {
                coerced.insert(name.into(), value);
            }
            Err(misfit) => errors.push(GraphqlError::new(misfit.message("Variable"))),
        }
    }
    if errors.is_empty() { Ok(coerced) } else { Err(RequestError::Variables(errors)) }
}

/// Coerces the arguments of `field` that were supplied, with the defaults of the schema where
/// `unsupplied` says that arguments run a resolver.
pub(super) fn arguments(
    schema: &Schema,
    field: &Field,
    variables: &JsonMap,
    unsupplied: Unsupplied,
) -> Result<JsonMap, Misfit> {
    let mut coerced = JsonMap::new();
    for argument in &field.definition.arguments {
        let name = argument.name.as_str();
        let default = || argument.default_value.as_ref().and_then(|value| literal(value, variables));
        let value = match (field.specified_argument_by_name(name), unsupplied) {
            (Some(given), Unsupplied::IsNull) => literal(given, variables).or_else(default).or(Some(Json::Null)),
            (Some(given), Unsupplied::IsAbsent) => literal(given, variables).or_else(default),
            (None, Unsupplied::IsNull) => None,
            (None, Unsupplied::IsAbsent) => default(),
        };
        let of_variable = field.specified_argument_by_name(name).is_some_and(|given| given.as_variable().is_some());
        match value {
            Some(value) if of_variable && !value.is_null() => {
                // Coerced with the variable, whose type fits.
                coerced.insert(name.into(), value);
            }
            Some(value) => {
                coerced.insert(name.into(), coerce(schema, name, &argument.ty, value)?);
            }
            None if argument.ty.is_non_null() && of_variable => {
                return Err(Misfit::new(name, Why::ForbiddenNull { of: argument.ty.to_string() }));
            }
            None => {}
        }
    }
    Ok(coerced)
}

/// Coerces one value to `ty`; `place` names it in a refusal.
pub(super) fn coerce(schema: &Schema, place: &str, ty: &Type, value: Json) -> Result<Json, Misfit> {
    if value.is_null() {
        if ty.is_non_null() {
            return Err(Misfit::new(place, Why::ForbiddenNull { of: ty.to_string() }));
        }
        return Ok(Json::Null);
    }
    match (ty, value) {
        (Type::List(item) | Type::NonNullList(item), Json::Array(items)) => {
            items.into_iter().map(|value| coerce(schema, place, item, value)).collect::<Result<_, _>>().map(json_array)
        }
        (Type::List(item) | Type::NonNullList(item), one) => {
            coerce(schema, place, item, one).map(|item| json_array(vec![item]))
        }
        (Type::Named(name) | Type::NonNullNamed(name), value) => coerce_named(schema, place, name, value),
    }
}

fn coerce_named(schema: &Schema, place: &str, name: &str, value: Json) -> Result<Json, Misfit> {
    let refused = match (schema.types.get(name), value) {
        (Some(ExtendedType::InputObject(of)), Json::Object(members)) => {
            return coerce_members(schema, place, of, members);
        }
        // An ID is a string whatever it came as.
        (_, Json::Number(id)) if name == "ID" && !id.is_f64() => return Ok(json_text(&id.to_string())),
        (Some(ExtendedType::Enum(of)), Json::String(value)) if of.values.contains_key(value.as_str()) => {
            return Ok(Json::String(value));
        }
        (Some(ExtendedType::Scalar(_)), value) if scalars::admits(name, &value) => return Ok(value),
        (_, value) => value,
    };
    let of = name.to_owned();
    let why = match refused.as_str() {
        Some(text) if name.starts_with("AWS") => Why::Unreadable { of, got: text.chars().take(QUOTED).collect() },
        Some(_) | None => Why::WrongKind { of, got: kind(&refused) },
    };
    Err(Misfit::new(place, why))
}

fn coerce_members(schema: &Schema, place: &str, of: &InputObjectType, mut members: JsonMap) -> Result<Json, Misfit> {
    if let Some(member) = members.keys().find(|key| !of.fields.contains_key(key.as_str())) {
        let why = Why::UnknownMember { of: of.name.to_string(), member: member.clone() };
        return Err(Misfit::new(place, why));
    }
    let mut coerced = JsonMap::new();
    for (name, field) in &of.fields {
        let default = || field.default_value.as_ref().and_then(|value| literal(value, &JsonMap::new()));
        let value = match members.remove(name.as_str()).or_else(default) {
            Some(value) => value,
            None if field.ty.is_non_null() => Json::Null,
            None => continue,
        };
        coerced.insert(name.to_string(), coerce(schema, &format!("{place}.{name}"), &field.ty, value)?);
    }
    Ok(Json::Object(coerced))
}

/// The JSON of a value in a document; `None` for a variable that was not supplied.
pub(super) fn literal(value: &Value, variables: &JsonMap) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Enum(name) => json_text(name),
        Value::Variable(name) => return variables.get(name.as_str()).cloned(),
        Value::String(text) => json_text(text),
        Value::Float(number) => parse_json(number.as_str()).unwrap_or_default(),
        Value::Int(number) => parse_json(number.as_str()).unwrap_or_default(),
        Value::Boolean(truth) => Json::Bool(*truth),
        Value::List(items) => {
            json_array(items.iter().map(|item| literal(item, variables).unwrap_or_default()).collect())
        }
        Value::Object(members) => Json::Object(
            members.iter().filter_map(|(name, value)| Some((name.to_string(), literal(value, variables)?))).collect(),
        ),
    })
}

const fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "Null",
        Json::Bool(_) => "Boolean",
        Json::Number(_) => "Number",
        Json::String(_) => "String",
        Json::Array(_) => "List",
        Json::Object(_) => "Object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = "enum Colour { RED } \
        input Point { x: Int! y: Int = 7 colour: Colour } \
        type Query { f(point: Point, ids: [ID!], colour: Colour): Int }";

    #[track_caller]
    fn coerced(ty: &str, value: &str) -> Result<Json, String> {
        let schema = Schema::parse(SDL, "test.graphql").unwrap();
        let ty = apollo_compiler::parser::Parser::new().parse_type(ty, "type.graphql").unwrap();
        coerce(&schema, "v", &ty, parse_json(value).unwrap()).map_err(|misfit| misfit.message("Variable"))
    }

    #[test]
    fn an_id_given_as_a_number_becomes_a_string() {
        assert_eq!(coerced("ID!", "7"), Ok(json_text("7")));
    }

    #[test]
    fn a_single_value_becomes_a_list_of_one() {
        assert_eq!(coerced("[ID!]", "7"), Ok(json_array(vec![json_text("7")])));
    }

    #[test]
    fn a_null_is_refused_where_the_type_forbids_it() {
        let refused = coerced("ID!", "null");

        assert_eq!(refused, Err("Variable 'v' has coerced Null value for NonNull type 'ID!'".into()));
    }

    #[test]
    fn a_null_inside_a_list_is_refused_where_the_items_forbid_it() {
        let refused = coerced("[ID!]", "[null]");

        assert_eq!(refused, Err("Variable 'v' has coerced Null value for NonNull type 'ID!'".into()));
    }

    #[test]
    fn a_value_of_another_kind_is_refused_with_both_kinds() {
        let refused = coerced("Int", "\"5\"");

        assert_eq!(refused, Err("Variable 'v' has an invalid value: Expected type 'Int' but was 'String'.".into()));
    }

    #[test]
    fn an_unknown_enum_value_is_refused() {
        assert_eq!(coerced("Colour", "\"RED\""), Ok(json_text("RED")));
        assert!(coerced("Colour", "\"BLUE\"").is_err());
    }

    #[test]
    fn an_input_object_gets_its_defaults() {
        assert_eq!(coerced("Point", r#"{"x":1}"#), Ok(parse_json(r#"{"x":1,"y":7}"#).unwrap()));
    }

    #[test]
    fn an_input_object_is_refused_for_a_missing_member() {
        let refused = coerced("Point", "{}");

        assert_eq!(refused, Err("Variable 'v.x' has coerced Null value for NonNull type 'Int!'".into()));
    }

    #[test]
    fn an_input_object_is_refused_for_a_member_it_does_not_have() {
        let refused = coerced("Point", r#"{"x":1,"z":2}"#).unwrap_err();

        assert!(refused.contains("'z'") && refused.contains("'Point'"), "{refused}");
    }
}
