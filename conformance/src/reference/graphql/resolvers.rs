//! What the fields of the API do: a table of local resolvers over one small store.
//!
//! A resolver takes coerced arguments and gives the whole object, keyed by field name; cutting it to
//! what was selected is not its business. What the settings declare comes first, then, for the embedded
//! schema only, the table. Mutations that neither knows echo their arguments, other fields are null. Ids
//! are counted, so that a run can be repeated.

use std::collections::BTreeMap;

use apollo_compiler::ast::{FieldDefinition, OperationType};
use apollo_compiler::schema::{ExtendedType, Schema};
use appsync_protocol::json::{Json, JsonMap, json_array, json_text};

use super::declared::Gives;
use super::errors::FieldFailure;
use super::template::Given;

/// Notes kept; the oldest is forgotten for one more.
const NOTES_KEPT: usize = 10_000;
/// Bytes of JSON in all notes kept; the oldest are forgotten for more, but never the newest.
const NOTES_KEPT_BYTES: usize = 4 * 1024 * 1024;

type Resolver = fn(&mut Store, JsonMap) -> Json;

const RESOLVERS: [(OperationType, &str, Resolver); 7] = [
    (OperationType::Query, "getChannel", |store, _| store.published.clone()),
    (OperationType::Query, "dummy", |_, mut arguments| arguments.remove("param").unwrap_or_default()),
    (OperationType::Query, "note", |store, arguments| {
        note_number(&arguments).and_then(|number| store.notes.get(&number)).cloned().unwrap_or_default()
    }),
    (OperationType::Mutation, "publish2channel", |store, arguments| {
        store.published = Json::Object(arguments);
        store.published.clone()
    }),
    (OperationType::Mutation, "sendMessage", |_, mut arguments| {
        Json::Object(JsonMap::from_iter([("message".into(), arguments.remove("msg").unwrap_or_default())]))
    }),
    (OperationType::Mutation, "addNote", |store, arguments| store.add_note(arguments)),
    (OperationType::Mutation, "dropNote", |store, arguments| {
        note_number(&arguments).and_then(|number| store.forget_note(number)).unwrap_or_default()
    }),
];

/// All that the API remembers.
#[derive(Debug, Default)]
pub(super) struct Store {
    ids_given: u64,
    notes: BTreeMap<u64, Json>,
    /// Bytes of JSON in all of them.
    notes_bytes: usize,
    published: Json,
    /// What mutations that a query answers from returned last.
    last: BTreeMap<String, Json>,
    /// Whether the schema is the embedded one, so that the table is for it.
    has_table: bool,
}

/// A root field to be resolved.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) schema: &'a Schema,
    pub(super) kind: OperationType,
    pub(super) field: &'a FieldDefinition,
}

impl Store {
    /// Nothing stored; `has_table` says that the embedded schema is served.
    pub(super) fn new(has_table: bool) -> Self {
        Self { has_table, ..Self::default() }
    }

    /// Nothing stored behind the same schema.
    pub(super) fn fresh(&self) -> Self {
        Self::new(self.has_table)
    }

    /// Runs the resolver of a root field as it is declared.
    pub(super) fn run(&mut self, call: Call<'_>, gives: &Gives, given: &Given<'_>) -> Result<Json, FieldFailure> {
        let result = match gives {
            Gives::Failure(failure) => return Err(failure.clone()),
            Gives::Usual => self.resolve(call, given.arguments.clone()),
            Gives::Arguments => self.echo(call, given.arguments.clone()),
            Gives::Argument(name) => match given.arguments.get(name) {
                Some(Json::Object(members)) => self.echo(call, members.clone()),
                Some(other) => other.clone(),
                None => Json::Null,
            },
            Gives::Template(template) => template.fill(given, &mut || self.fresh_id()),
            Gives::Last(mutation) => self.last.get(mutation).cloned().unwrap_or_default(),
        };
        Ok(result)
    }

    /// Keeps what a mutation returned, for queries that answer from it.
    pub(super) fn keep(&mut self, mutation: &str, result: &Json) {
        self.last.insert(mutation.into(), result.clone());
    }

    /// Runs the resolver of a root field of which nothing is declared.
    pub(super) fn resolve(&mut self, call: Call<'_>, arguments: JsonMap) -> Json {
        let Call { kind, field, .. } = call;
        let row = RESOLVERS.iter().find(|(of, name, _)| self.has_table && *of == kind && field.name == *name);
        match (row, kind) {
            (Some((_, _, resolver)), _) => resolver(self, arguments),
            (None, OperationType::Mutation) => self.echo(call, arguments),
            (None, OperationType::Query | OperationType::Subscription) => Json::Null,
        }
    }

    fn add_note(&mut self, mut note: JsonMap) -> Json {
        note.insert("id".into(), self.fresh_id());
        let note = Json::Object(note);
        self.notes.insert(self.ids_given, note.clone());
        self.notes_bytes += bytes(&note);
        while self.notes.len() > NOTES_KEPT || (self.notes_bytes > NOTES_KEPT_BYTES && self.notes.len() > 1) {
            let Some((oldest, _)) = self.notes.first_key_value() else { break };
            self.forget_note(*oldest);
        }
        note
    }

    fn forget_note(&mut self, number: u64) -> Option<Json> {
        let note = self.notes.remove(&number)?;
        self.notes_bytes -= bytes(&note);
        Some(note)
    }

    /// Makes the arguments the result: input objects are opened, an object without its `id` gets one, a
    /// scalar is the first argument.
    fn echo(&mut self, call: Call<'_>, arguments: JsonMap) -> Json {
        let Call { schema, field, .. } = call;
        let result = match schema.types.get(field.ty.inner_named_type()) {
            Some(ExtendedType::Object(of)) => {
                let mut object = opened(arguments);
                if of.fields.contains_key("id") && !object.contains_key("id") {
                    object.insert("id".into(), self.fresh_id());
                }
                Json::Object(object)
            }
            Some(ExtendedType::Interface(_) | ExtendedType::Union(_)) => Json::Object(opened(arguments)),
            Some(ExtendedType::Scalar(_) | ExtendedType::Enum(_) | ExtendedType::InputObject(_)) | None => {
                field.arguments.iter().find_map(|first| arguments.get(first.name.as_str())).cloned().unwrap_or_default()
            }
        };
        if field.ty.is_list() && !result.is_array() { json_array(vec![result]) } else { result }
    }

    fn fresh_id(&mut self) -> Json {
        self.ids_given += 1;
        json_text(&format!("n{}", self.ids_given))
    }
}

fn opened(arguments: JsonMap) -> JsonMap {
    let mut object = JsonMap::new();
    for (name, value) in arguments {
        if let Json::Object(members) = value {
            object.extend(members);
        } else {
            object.insert(name, value);
        }
    }
    object
}

fn bytes(note: &Json) -> usize {
    note.to_string().len()
}

fn note_number(arguments: &JsonMap) -> Option<u64> {
    arguments.get("id")?.as_str()?.strip_prefix('n')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = "type Note { id: ID! text: String } input NoteInput { text: String } type Query { f: Int } \
        type Mutation { addNote(text: String): Note dropNote(id: ID!): Note createNote(input: NoteInput): Note \
        putNote(id: ID!, text: String): Note shout(words: String, times: Int): String many(text: String): [Note] }";

    fn run(store: &mut Store, name: &str, arguments: &str) -> String {
        let schema = Schema::parse(SDL, "test.graphql").unwrap();
        let field = schema.type_field("Mutation", name).unwrap();
        let Some(Json::Object(arguments)) = appsync_protocol::json::parse_json(arguments) else { panic!() };
        let call = Call { schema: &schema, kind: OperationType::Mutation, field };
        store.resolve(call, arguments).to_string()
    }

    #[test]
    fn ids_are_counted() {
        let mut store = Store::new(true);

        run(&mut store, "addNote", "{}");

        assert_eq!(run(&mut store, "addNote", "{}"), r#"{"id":"n2"}"#);
    }

    #[test]
    fn a_note_can_be_dropped_once() {
        let mut store = Store::new(true);
        run(&mut store, "addNote", "{}");

        assert_eq!(run(&mut store, "dropNote", r#"{"id":"n1"}"#), r#"{"id":"n1"}"#);
        assert_eq!(run(&mut store, "dropNote", r#"{"id":"n1"}"#), "null");
    }

    #[test]
    fn the_table_is_for_the_embedded_schema_only() {
        assert_eq!(run(&mut Store::new(false), "dropNote", r#"{"id":"n1"}"#), r#"{"id":"n1"}"#);
    }

    #[test]
    fn the_oldest_note_is_forgotten() {
        let mut store = Store::new(true);

        for _ in 0..=NOTES_KEPT {
            store.add_note(JsonMap::new());
        }

        assert_eq!(store.notes.len(), NOTES_KEPT);
        assert_eq!(store.notes.first_key_value().map(|(number, _)| *number), Some(2));
    }

    #[test]
    fn large_notes_make_room_for_new_ones() {
        let mut store = Store::new(true);
        let note = |length| JsonMap::from_iter([("text".into(), json_text(&"x".repeat(length)))]);

        for _ in 0..100 {
            store.add_note(note(200 * 1024));
        }
        let many = (store.notes.len(), store.notes_bytes);
        store.add_note(note(NOTES_KEPT_BYTES));
        let alone = store.notes.len();
        run(&mut store, "dropNote", r#"{"id":"n101"}"#);

        assert_eq!((many.0, many.1 <= NOTES_KEPT_BYTES), (20, true));
        assert_eq!((alone, store.notes_bytes), (1, 0));
    }

    #[test]
    fn an_unknown_mutation_echoes_its_arguments() {
        let mut store = Store::new(true);

        let result = run(&mut store, "putNote", r#"{"id":"x","text":"hello"}"#);

        assert_eq!(result, r#"{"id":"x","text":"hello"}"#);
    }

    #[test]
    fn an_echoed_input_object_is_opened_and_gets_an_id() {
        let mut store = Store::new(true);

        let result = run(&mut store, "createNote", r#"{"input":{"text":"hello"}}"#);

        let result = appsync_protocol::json::parse_json(&result).unwrap();
        assert_eq!((&result["id"], &result["text"]), (&json_text("n1"), &json_text("hello")));
    }

    #[test]
    fn an_echoed_scalar_is_the_first_argument() {
        assert_eq!(run(&mut Store::new(true), "shout", r#"{"times":2,"words":"hello"}"#), r#""hello""#);
    }

    #[test]
    fn an_echoed_list_has_one_item() {
        assert_eq!(run(&mut Store::new(true), "many", "{}"), r#"[{"id":"n1"}]"#);
    }
}
