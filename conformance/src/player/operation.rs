//! What a GraphQL operation asks for, read from documents of the simplest form only.
//!
//! One operation, one field, arguments that are variables, plain strings, whole numbers or null, and a flat
//! selection. An alias, a directive, a fragment, a default value, a list or an escape makes it unknown: whoever
//! judges by what an operation asks for must not guess.

use std::collections::BTreeMap;

use appsync_protocol::json::{Json, parse_json};

/// An operation of the simplest form.
#[derive(Debug, PartialEq)]
pub(super) struct Operation {
    /// Whether it is a subscription; otherwise it is a mutation.
    pub(super) subscribes: bool,
    /// Its one field.
    pub(super) field: String,
    /// Arguments that were supplied; a variable that was not supplied leaves its argument out.
    pub(super) arguments: BTreeMap<String, Json>,
    /// Fields of the result that were selected.
    pub(super) selected: Vec<String>,
}

impl Operation {
    /// Reads the JSON text of a GraphQL request; `None` where it has any other form.
    pub(super) fn read(request: &str) -> Option<Self> {
        let request = parse_json(request)?;
        let document = request.get("query").and_then(Json::as_str)?;
        let nothing = Json::Null;
        Self::parse(document, request.get("variables").unwrap_or(&nothing))
    }

    fn parse(document: &str, variables: &Json) -> Option<Self> {
        let mut rest = Tokens(document);
        let subscribes = match rest.next()? {
            "subscription" => true,
            "mutation" => false,
            _ => return None,
        };
        let mut token = rest.next()?;
        if is_name(token) {
            token = rest.next()?;
        }
        if token == "(" {
            // Types say nothing here, but a default value would.
            while token != ")" {
                token = rest.next().filter(|token| *token != "=")?;
            }
            token = rest.next()?;
        }
        let field = rest.next().filter(|field| token == "{" && is_name(field))?.to_owned();
        let mut arguments = BTreeMap::new();
        token = rest.next()?;
        if token == "(" {
            token = rest.next()?;
            while token != ")" {
                let name = token.to_owned();
                if !is_name(&name) || rest.next()? != ":" {
                    return None;
                }
                if let Some(value) = rest.value(variables)? {
                    arguments.insert(name, value);
                }
                token = rest.next()?;
            }
            token = rest.next()?;
        }
        if token != "{" {
            return None;
        }
        let mut selected = Vec::new();
        token = rest.next()?;
        while token != "}" {
            selected.push(is_name(token).then(|| token.to_owned())?);
            token = rest.next()?;
        }
        (rest.next() == Some("}") && rest.next().is_none()).then_some(Self { subscribes, field, arguments, selected })
    }
}

/// What is left of a document.
struct Tokens<'d>(&'d str);

impl<'d> Tokens<'d> {
    /// A value; `Some(None)` is a variable that was not supplied.
    fn value(&mut self, variables: &Json) -> Option<Option<Json>> {
        match self.next()? {
            "$" => Some(variables.get(self.next()?).cloned()),
            "null" => Some(Some(Json::Null)),
            text if text.starts_with('"') => {
                let plain = text.len() > 1 && text.ends_with('"') && !text.contains('\\');
                plain.then(|| Some(text.trim_matches('"').into()))
            }
            number => number.parse::<i64>().ok().map(|number| Some(number.into())),
        }
    }
}

impl<'d> Iterator for Tokens<'d> {
    type Item = &'d str;

    /// The next name, number, string with its quotes, or sign.
    fn next(&mut self) -> Option<&'d str> {
        let text = self.0.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let first = text.chars().next()?;
        let length = if first == '"' {
            text[1..].find('"').map_or(text.len(), |end| end + 2)
        } else if first.is_alphanumeric() || first == '_' || first == '-' {
            text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(text.len())
        } else {
            first.len_utf8()
        };
        let (token, rest) = text.split_at(length);
        self.0 = rest;
        Some(token)
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: &str) -> Option<Operation> {
        Operation::read(&json!({ "query": document, "variables": { "b": "x", "n": null } }).to_string())
    }

    #[test]
    fn an_operation_of_one_field_is_read_with_what_was_supplied() {
        let document = r#"subscription S($b: ID!, $n: [Int!]) { onNote(board: $b, stars: $n, id: $absent, text: "t", k: -4) { id text } }"#;
        let arguments = [("board", json!("x")), ("stars", json!(null)), ("text", json!("t")), ("k", json!(-4))];
        let expected = Operation {
            subscribes: true,
            field: "onNote".into(),
            arguments: arguments.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            selected: vec!["id".into(), "text".into()],
        };

        assert_eq!(read(document), Some(expected));
        assert!(read("mutation { sendMessage { message } }").is_some_and(|o| !o.subscribes && o.arguments.is_empty()));
    }

    #[test]
    fn a_document_of_any_other_form_is_unknown() {
        let others = [
            "",
            "{ a { b } }",
            "query { a { b } }",
            "subscription { a }",
            "subscription { a { b }",
            "subscription { other: a { b } }",
            "subscription { a { other: b } }",
            "subscription { a { b { c } } }",
            "subscription { a { b } c { d } }",
            "subscription { a @skip(if: true) { b } }",
            "subscription { ...f }",
            "subscription S($b: ID = 5) { a(b: $b) { c } }",
            "subscription { a(b: [1]) { c } }",
            "subscription { a(b: {c: 1}) { c } }",
            "subscription { a(b: YES) { c } }",
            r#"subscription { a(b: "\u0061") { c } }"#,
            r#"subscription { a(b: ") { c } }"#,
            r#"subscription { a(b: """x""") { c } }"#,
            "subscription { a { b } } subscription { a { b } }",
        ];

        assert_eq!(others.map(|document| read(document).is_some()), [false; 19]);
    }
}
