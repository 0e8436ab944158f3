//! What a subscriber of the GraphQL dialect asked to see, and how an event is cut to it.
//!
//! A host parses and validates documents and hands over trees; this file knows no GraphQL text. The
//! event is the mutation's result as its own selection set returned it, keyed by field name: what a
//! subscriber selects beyond that is null, and what only the mutation selected is not sent
//! (GQL-SUB-014, GQL-SUB-015).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::json::{Json, JsonMap, json_array, json_text};

/// The fields selected on one object, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Name of the object type.
    pub on: String,
    /// Selected fields.
    pub fields: Vec<Field>,
}

/// One selected field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Key in the answer: the alias, or the name.
    pub key: String,
    /// Name in the schema; `__typename` is answered with the type's name.
    pub name: String,
    /// Named type of the field without list and non-null marks.
    pub of: String,
    /// Whether the schema forbids null here.
    pub required: bool,
    /// Selection on the object(s) of this field; `None` for scalars and enums.
    pub inner: Option<Selection>,
}

/// An event cut to a selection.
#[derive(Clone, Debug, PartialEq)]
pub struct Projected {
    /// The object for the subscriber; null where a forbidden null went up to it.
    pub value: Json,
    /// GraphQL errors for forbidden nulls, in the service's wording.
    pub errors: Vec<Json>,
}

impl Selection {
    /// Cuts `object` (keyed by field name) to this selection. `path` names where it stands in the answer.
    pub fn project(&self, object: &Json, path: &[Json]) -> Projected {
        self.project_after(Vec::new(), object, path)
    }

    /// The same where fields of `object` failed before and are null in it: a forbidden null at the place of one of
    /// these `errors` is not reported again.
    pub fn project_after(&self, mut errors: Vec<Json>, object: &Json, path: &[Json]) -> Projected {
        let value = self.cut(object, Place::Start(path), &mut errors);
        Projected { value, errors }
    }

    fn cut(&self, object: &Json, place: Place<'_>, errors: &mut Vec<Json>) -> Json {
        let Some(members) = object.as_object() else {
            return Json::Null;
        };
        let mut cut = JsonMap::new();
        for field in &self.fields {
            let here = Place::Member(&place, &field.key);
            let value = if field.name == "__typename" {
                json_text(&self.on)
            } else {
                field.cut(members.get(&field.name).unwrap_or(&Json::Null), here, errors)
            };
            if value.is_null() && field.required {
                let here = here.path();
                if !errors.iter().any(|e| e.get("path").is_some_and(|p| starts_with(p, &here))) {
                    errors.push(self.forbidden_null(field, here));
                }
                return Json::Null;
            }
            cut.insert(field.key.clone(), value);
        }
        Json::Object(cut)
    }

    fn forbidden_null(&self, field: &Field, path: Vec<Json>) -> Json {
        let place: String =
            path.iter().map(|p| format!("/{}", p.as_str().map_or_else(|| p.to_string(), Into::into))).collect();
        let message =
            format!("Cannot return null for non-nullable type: '{}' within parent '{}' ({place})", field.of, self.on);
        let mut error = JsonMap::new();
        error.insert("message".into(), json_text(&message));
        error.insert("path".into(), json_array(path));
        Json::Object(error)
    }
}

impl Field {
    fn cut(&self, value: &Json, place: Place<'_>, errors: &mut Vec<Json>) -> Json {
        match (&self.inner, value) {
            (_, Json::Null) => Json::Null,
            (None, scalar) => scalar.clone(),
            (Some(inner), Json::Array(items)) => json_array(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| inner.cut(item, Place::Item(&place, index), errors))
                    .collect(),
            ),
            (Some(inner), one) => inner.cut(one, place, errors),
        }
    }
}

/// Where a value stands in the answer. Written out for an error only: nearly always there is none.
#[derive(Clone, Copy)]
enum Place<'p> {
    Start(&'p [Json]),
    Member(&'p Self, &'p str),
    Item(&'p Self, usize),
}

impl Place<'_> {
    fn path(&self) -> Vec<Json> {
        let (above, last) = match self {
            Self::Start(path) => return path.to_vec(),
            Self::Member(above, key) => (above, json_text(key)),
            Self::Item(above, index) => (above, Json::from(*index)),
        };
        let mut path = above.path();
        path.push(last);
        path
    }
}

fn starts_with(path: &Json, prefix: &[Json]) -> bool {
    path.as_array().is_some_and(|path| path.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::json::parse_json;

    fn field(name: &str, required: bool) -> Field {
        Field { key: name.into(), name: name.into(), of: "String".into(), required, inner: None }
    }

    fn note(fields: Vec<Field>) -> Selection {
        Selection { on: "Note".into(), fields }
    }

    #[test]
    fn a_field_only_the_mutation_selected_is_not_sent() {
        let event = parse_json(r#"{"id":"n1","text":"hello"}"#).unwrap();

        let seen = note(vec![field("id", true)]).project(&event, &[]);

        assert_eq!(seen.value.to_string(), r#"{"id":"n1"}"#);
    }

    #[test]
    fn a_field_only_the_subscriber_selected_is_null() {
        let event = parse_json(r#"{"id":"n1"}"#).unwrap();

        let seen = note(vec![field("id", true), field("text", false)]).project(&event, &[]);

        assert_eq!(seen.value.to_string(), r#"{"id":"n1","text":null}"#);
        assert!(seen.errors.is_empty());
    }

    #[test]
    fn a_forbidden_null_goes_up_and_is_reported_once_with_its_path() {
        let event = parse_json(r#"{"text":"hello"}"#).unwrap();

        let seen = note(vec![field("text", false), field("id", true)]).project(&event, &[json_text("onNote")]);

        assert_eq!(seen.value, Json::Null);
        assert_eq!(seen.errors.len(), 1);
        assert_eq!(seen.errors[0]["path"].to_string(), r#"["onNote","id"]"#);
        assert!(seen.errors[0]["message"].as_str().unwrap().contains("(/onNote/id)"));
    }

    #[test]
    fn an_alias_names_the_key_and_typename_the_type() {
        let event = parse_json(r#"{"text":"hello"}"#).unwrap();
        let alias = Field { key: "words".into(), ..field("text", false) };
        let kind = Field { key: "__typename".into(), ..field("__typename", true) };

        let seen = note(vec![alias, kind]).project(&event, &[]);

        assert_eq!(seen.value.to_string(), r#"{"__typename":"Note","words":"hello"}"#);
    }
}
