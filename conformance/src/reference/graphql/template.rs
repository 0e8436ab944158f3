//! JSON with places to be filled: results of resolvers, filters, payloads of invalidations.
//!
//! A string that begins with `$` stands for something and keeps its type: `$arguments`, `$arguments.a.b`,
//! `$identity.name`, `$id` (counted), `$now`, `$null`. `$$` begins a string with one `$`. Everything else stands
//! for itself. A template for a field is checked against the schema when it is read, so that running it cannot
//! give what the field may not be.

use std::time::{Duration, UNIX_EPOCH};

use apollo_compiler::ast::{FieldDefinition, Type};
use apollo_compiler::schema::{ExtendedType, Schema};
use appsync_protocol::json::{Json, JsonMap, json_array, json_text};

use super::scalars;
use super::settings::SettingsError;

/// JSON with places to be filled.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Template {
    Literal(Json),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
    /// The arguments, or what is below them.
    Arguments(Vec<String>),
    IdentityName,
    Id,
    Now(Clock),
}

/// How a point in time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    DateTime,
    Date,
    Time,
    Timestamp,
}

/// What templates are filled with.
pub(super) struct Given<'a> {
    pub(super) arguments: &'a JsonMap,
    /// Who asks.
    pub(super) name: &'a str,
    /// Since 1970.
    pub(super) now: Duration,
}

/// Deepest nesting of types that are compared; types may be recursive.
const DEPTH: u8 = 8;

impl Template {
    /// Reads a template that may stand for anything; `at` names its place.
    pub(super) fn read(json: &Json, at: &str) -> Result<Self, SettingsError> {
        Ok(match json {
            Json::String(text) => return Self::read_text(text, at),
            Json::Array(items) => Self::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(n, item)| Self::read(item, &format!("{at}[{n}]")))
                    .collect::<Result<_, _>>()?,
            ),
            Json::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), Self::read(value, &format!("{at}.{name}"))?)))
                    .collect::<Result<_, SettingsError>>()?,
            ),
            Json::Null | Json::Bool(_) | Json::Number(_) => Self::Literal(json.clone()),
        })
    }

    fn read_text(text: &str, at: &str) -> Result<Self, SettingsError> {
        let Some(name) = text.strip_prefix('$') else { return Ok(Self::Literal(json_text(text))) };
        if name.starts_with('$') {
            return Ok(Self::Literal(json_text(name)));
        }
        let mut parts = name.split('.');
        Ok(match (parts.next(), name) {
            (_, "id") => Self::Id,
            (_, "now") => Self::Now(Clock::DateTime),
            (_, "null") => Self::Literal(Json::Null),
            (_, "identity.name") => Self::IdentityName,
            (Some("arguments"), _) => Self::Arguments(parts.map(str::to_owned).collect()),
            (Some(_) | None, _) => {
                let known = "$arguments, $arguments.name, $identity.name, $id, $now, $null, or $$ for a plain $";
                return Err(SettingsError::new(at, format!("expected one of {known}; got {text:?}")));
            }
        })
    }

    /// Checks that each argument it mentions is one of `field`.
    pub(super) fn check_arguments(
        &self,
        schema: &Schema,
        field: &FieldDefinition,
        at: &str,
    ) -> Result<(), SettingsError> {
        match self {
            Self::Arguments(path) if path.is_empty() => Ok(()),
            Self::Arguments(path) => argument_type(schema, field, path, at).map(|_| ()),
            Self::List(items) => items.iter().try_for_each(|item| item.check_arguments(schema, field, at)),
            Self::Object(members) => members
                .iter()
                .try_for_each(|(name, value)| value.check_arguments(schema, field, &format!("{at}.{name}"))),
            Self::Literal(_) | Self::IdentityName | Self::Id | Self::Now(_) => Ok(()),
        }
    }

    /// Checks that it fits `ty`, and decides how times in it are written. `field` is the field it resolves.
    pub(super) fn fitted(
        self,
        schema: &Schema,
        field: &FieldDefinition,
        ty: &Type,
        at: &str,
    ) -> Result<Self, SettingsError> {
        let misfit = |got: &str| SettingsError::new(at, format!("expected {ty}; got {got}"));
        if let Self::Literal(Json::Null) = self {
            return if ty.is_non_null() { Err(misfit("null")) } else { Ok(self) };
        }
        if let Self::Arguments(path) = &self {
            if path.is_empty() {
                return Ok(self);
            }
            let from = argument_type(schema, field, path, at)?;
            return if fits(schema, &from, ty, DEPTH) {
                Ok(self)
            } else {
                Err(misfit(&format!("an argument of type {from}")))
            };
        }
        match (ty, self) {
            (Type::List(item) | Type::NonNullList(item), Self::List(items)) => items
                .into_iter()
                .enumerate()
                .map(|(n, one)| one.fitted(schema, field, item, &format!("{at}[{n}]")))
                .collect::<Result<_, _>>()
                .map(Self::List),
            (Type::List(_) | Type::NonNullList(_), other) => Err(misfit(&other.kind())),
            (Type::Named(name) | Type::NonNullNamed(name), template) => template.fitted_named(schema, field, name, at),
        }
    }

    fn fitted_named(
        self,
        schema: &Schema,
        field: &FieldDefinition,
        name: &str,
        at: &str,
    ) -> Result<Self, SettingsError> {
        let misfit = |got: &str| Err(SettingsError::new(at, format!("expected {name}; got {got}")));
        match (schema.types.get(name), self) {
            (Some(ExtendedType::Object(_) | ExtendedType::Interface(_)), Self::Object(members)) => members
                .into_iter()
                .map(|(member, value)| {
                    let at = format!("{at}.{member}");
                    let Ok(of) = schema.type_field(name, &member) else {
                        return Err(SettingsError::new(at, format!("type {name} has no field {member}")));
                    };
                    let value = value.fitted(schema, field, &of.ty, &at)?;
                    Ok((member, value))
                })
                .collect::<Result<_, _>>()
                .map(Self::Object),
            (Some(ExtendedType::Union(_)), whole @ Self::Object(_)) => Ok(whole),
            (Some(ExtendedType::Enum(of)), Self::Literal(Json::String(value))) => {
                if of.values.contains_key(value.as_str()) {
                    Ok(Self::Literal(Json::String(value)))
                } else {
                    misfit(&format!("{value:?}"))
                }
            }
            (Some(ExtendedType::Scalar(_)), template) => match (template, name) {
                (Self::Id | Self::IdentityName, other) if !matches!(other, "ID" | "String") => misfit("a string"),
                (Self::Now(_), "AWSDateTime" | "String") => Ok(Self::Now(Clock::DateTime)),
                (Self::Now(_), "AWSDate") => Ok(Self::Now(Clock::Date)),
                (Self::Now(_), "AWSTime") => Ok(Self::Now(Clock::Time)),
                (Self::Now(_), "AWSTimestamp") => Ok(Self::Now(Clock::Timestamp)),
                (Self::Now(_), _) => misfit("a time"),
                (Self::Literal(value), _) if !scalars::admits(name, &value) => misfit(&value.to_string()),
                (Self::Literal(Json::Number(id)), "ID") => Ok(Self::Literal(json_text(&id.to_string()))),
                (template, _) if is_described(name) && matches!(template, Self::List(_) | Self::Object(_)) => {
                    misfit(&template.kind())
                }
                (template, _) => Ok(template),
            },
            (
                Some(
                    ExtendedType::Object(_)
                    | ExtendedType::Interface(_)
                    | ExtendedType::Union(_)
                    | ExtendedType::Enum(_)
                    | ExtendedType::InputObject(_),
                )
                | None,
                other,
            ) => misfit(&other.kind()),
        }
    }

    fn kind(&self) -> String {
        match self {
            Self::Literal(value) => value.to_string(),
            Self::List(_) => "a list".into(),
            Self::Object(_) => "an object".into(),
            Self::Arguments(_) => "arguments".into(),
            Self::Id | Self::IdentityName => "a string".into(),
            Self::Now(_) => "a time".into(),
        }
    }

    /// Fills the template. What an argument does not have is null. `fresh_id` counts.
    pub(super) fn fill(&self, given: &Given<'_>, fresh_id: &mut dyn FnMut() -> Json) -> Json {
        match self {
            Self::Literal(value) => value.clone(),
            Self::List(items) => json_array(items.iter().map(|item| item.fill(given, fresh_id)).collect()),
            Self::Object(members) => {
                Json::Object(members.iter().map(|(name, value)| (name.clone(), value.fill(given, fresh_id))).collect())
            }
            Self::Arguments(path) => given.argument(path),
            Self::IdentityName => json_text(given.name),
            Self::Id => fresh_id(),
            Self::Now(clock) => clock.write(given.now),
        }
    }

    /// The arguments that it mentions.
    pub(super) fn arguments<'t>(&'t self, names: &mut Vec<&'t str>) {
        match self {
            Self::Arguments(path) => names.extend(path.first().map(String::as_str)),
            Self::List(items) => items.iter().for_each(|item| item.arguments(names)),
            Self::Object(members) => members.iter().for_each(|(_, value)| value.arguments(names)),
            Self::Literal(_) | Self::IdentityName | Self::Id | Self::Now(_) => {}
        }
    }
}

impl Given<'_> {
    fn argument(&self, path: &[String]) -> Json {
        let Some((first, rest)) = path.split_first() else { return Json::Object(self.arguments.clone()) };
        let found = self.arguments.get(first);
        rest.iter().fold(found, |at, name| at?.get(name)).cloned().unwrap_or_default()
    }
}

impl Clock {
    fn write(self, now: Duration) -> Json {
        let text = humantime::format_rfc3339_millis(UNIX_EPOCH + now).to_string();
        let (date, time) = text.split_once('T').unwrap_or((&text, ""));
        match self {
            Self::DateTime => json_text(&text),
            Self::Date => json_text(date),
            Self::Time => json_text(time),
            Self::Timestamp => Json::from(now.as_secs()),
        }
    }
}

/// Whether it is known which values a scalar admits; others admit everything.
fn is_described(name: &str) -> bool {
    matches!(name, "Int" | "Float" | "String" | "Boolean" | "ID") || name.starts_with("AWS")
}

/// The type of what `path` names below the arguments of `field`.
fn argument_type(schema: &Schema, field: &FieldDefinition, path: &[String], at: &str) -> Result<Type, SettingsError> {
    let unknown = |what: String| Err(SettingsError::new(at, what));
    let Some((first, rest)) = path.split_first() else { return unknown("expected an argument".into()) };
    let Some(argument) = field.argument_by_name(first) else {
        return unknown(format!("field {} has no argument {first}", field.name));
    };
    let mut ty = (*argument.ty).clone();
    for name in rest {
        let of = ty.inner_named_type();
        let member = match schema.types.get(of) {
            Some(ExtendedType::InputObject(input)) if !ty.is_list() => input.fields.get(name.as_str()),
            Some(_) | None => None,
        };
        let Some(member) = member else { return unknown(format!("{ty} has no member {name}")) };
        ty = (*member.ty).clone();
    }
    Ok(ty)
}

/// Whether a value of an input type can stand where an output type is expected; null is found out at run time.
fn fits(schema: &Schema, from: &Type, to: &Type, depth: u8) -> bool {
    if depth == 0 {
        return true;
    }
    match (from, to) {
        (Type::List(from) | Type::NonNullList(from), Type::List(to) | Type::NonNullList(to)) => {
            fits(schema, from, to, depth - 1)
        }
        (Type::Named(from) | Type::NonNullNamed(from), Type::Named(to) | Type::NonNullNamed(to)) => {
            match (schema.types.get(from), schema.types.get(to)) {
                (Some(ExtendedType::InputObject(from)), Some(ExtendedType::Object(of))) => {
                    from.fields.iter().all(|(name, member)| {
                        of.fields.get(name).is_none_or(|field| fits(schema, &member.ty, &field.ty, depth - 1))
                    })
                }
                (Some(ExtendedType::InputObject(_)), Some(ExtendedType::Interface(_) | ExtendedType::Union(_))) => true,
                (Some(_) | None, Some(_) | None) => {
                    let pair = (from.as_str(), to.as_str());
                    from == to
                        || matches!(pair, ("ID", "String") | ("String", "ID") | ("Int", "Float"))
                        || to == "String" && matches!(schema.types.get(from), Some(ExtendedType::Enum(_)))
                }
            }
        }
        (
            Type::List(_) | Type::NonNullList(_) | Type::Named(_) | Type::NonNullNamed(_),
            Type::List(_) | Type::NonNullList(_) | Type::Named(_) | Type::NonNullNamed(_),
        ) => false,
    }
}
