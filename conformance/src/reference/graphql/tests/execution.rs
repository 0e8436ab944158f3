use super::*;

const ADD: &str = r#"mutation { addNote(board: "b1", text: "hello", stars: 3) { id board } }"#;

fn failure() -> FieldFailure {
    let message = "template could not be evaluated".into();
    FieldFailure { error_type: Some("MappingTemplate".into()), error_info: Json::Null, message }
}

fn fields(executed: &Executed) -> Vec<&str> {
    executed.events.iter().map(|event| event.field.as_str()).collect()
}

#[test]
fn a_note_is_added_read_and_dropped() {
    let mut engine = engine();

    check_answer(&post(&mut engine, ADD), 200, r#"{"data":{"addNote":{"id":"n1","board":"b1"}}}"#);
    let note = post(&mut engine, r#"{ note(id: "n1") { text stars tags due __typename } }"#);
    let body = r#"{"data":{"note":{"text":"hello","stars":3,"tags":null,"due":null,"__typename":"Note"}}}"#;
    check_answer(&note, 200, body);
    let dropped = post(&mut engine, r#"mutation { dropNote(id: "n1") { id } }"#);
    check_answer(&dropped, 200, r#"{"data":{"dropNote":{"id":"n1"}}}"#);
    check_answer(&post(&mut engine, r#"{ note(id: "n1") { id } }"#), 200, r#"{"data":{"note":null}}"#);
}

#[test]
fn a_channel_keeps_what_was_published_last() {
    let mut engine = engine();

    check_answer(&post(&mut engine, "{ getChannel { name } }"), 200, r#"{"data":{"getChannel":null}}"#);
    post(&mut engine, r#"mutation { publish2channel(name: "c", data: "{\"a\":1}") { name } }"#);
    let kept = post(&mut engine, "{ getChannel { name data } }");

    check_answer(&kept, 200, r#"{"data":{"getChannel":{"name":"c","data":"{\"a\":1}"}}}"#);
}

#[test]
fn a_query_without_arguments_may_be_null() {
    check_answer(&post(&mut engine(), "{ dummy }"), 200, r#"{"data":{"dummy":null}}"#);
    check_answer(&post(&mut engine(), r#"{ dummy(param: "x") }"#), 200, r#"{"data":{"dummy":"x"}}"#);
}

#[test]
fn an_answer_is_keyed_by_alias_and_an_event_by_name() {
    let query = r#"mutation { added: addNote(board: "b1", tags: "t") { key: id same: id tags __typename } }"#;

    let executed = post(&mut engine(), query);

    let body = r#"{"data":{"added":{"key":"n1","same":"n1","tags":["t"],"__typename":"Note"}}}"#;
    check_answer(&executed, 200, body);
    assert_eq!(fields(&executed), ["onNote"]);
    assert!(same_meaning(&executed.events[0].object, &parse_json(r#"{"id":"n1","tags":["t"]}"#).unwrap()));
}

#[test]
fn root_fields_run_in_order_and_each_is_told() {
    let query = r#"mutation { b: addNote(board: "1") { id } a: addNote(board: "2") { id }
        sendMessage(msg: "m") { message } __typename }"#;

    let executed = post(&mut engine(), query);

    let body = r#"{"data":{"b":{"id":"n1"},"a":{"id":"n2"},"sendMessage":{"message":"m"},"__typename":"Mutation"}}"#;
    check_answer(&executed, 200, body);
    assert_eq!(fields(&executed), ["onNote", "onNote", "subscribeToMessages"]);
    assert_eq!(executed.events[1].object["id"], json_text("n2"));
}

#[test]
fn a_skipped_mutation_is_not_run() {
    let query = r#"mutation($no: Boolean!) { addNote(board: "1") @include(if: $no) { id } __typename }"#;

    let executed = engine().execute(request(query, r#"{"no":false}"#).as_bytes(), &anyone());

    check_answer(&executed, 200, r#"{"data":{"__typename":"Mutation"}}"#);
    assert!(executed.events.is_empty());
}

#[test]
fn a_mutation_that_returns_null_is_told_to_nobody() {
    let executed = post(&mut engine(), r#"mutation { dropNote(id: "n9") { id } }"#);

    check_answer(&executed, 200, r#"{"data":{"dropNote":null}}"#);
    assert!(executed.events.is_empty());
}

#[test]
fn a_query_is_told_to_nobody() {
    assert!(post(&mut engine(), r#"{ dummy(param: "x") }"#).events.is_empty());
}

#[test]
fn a_failing_resolver_has_its_error_at_the_top_and_is_told_to_nobody() {
    let mut engine = engine();
    engine.fail_field("addNote", Some(failure()));

    let failed = post(&mut engine, r#"mutation { x: addNote(board: "b") { id } }"#);

    let body = r#"{"data":{"x":null},"errors":[{"path":["x"],"data":null,"errorType":"MappingTemplate",
        "errorInfo":null,"locations":[{"line":1,"column":12,"sourceName":null}],
        "message":"template could not be evaluated"}]}"#;
    check_answer(&failed, 200, body);
    assert!(failed.events.is_empty());
    engine.fail_field("addNote", None);
    assert_eq!(post(&mut engine, ADD).events.len(), 1);
}

#[test]
fn a_failing_field_that_may_not_be_null_takes_the_data_with_it() {
    let mut engine = engine();
    engine.fail_field("sendMessage", Some(failure()));

    let executed = post(&mut engine, r#"mutation { sendMessage(msg: "x") { message } }"#);

    let answer = parse_json(&executed.body).unwrap();
    assert_eq!(answer["data"], Json::Null);
    assert_eq!(answer["errors"][0]["path"], json_array(vec![json_text("sendMessage")]));
}

#[test]
fn a_null_in_place_of_a_default_fails_the_field() {
    let query = r#"mutation($b: ID = "x") { addNote(board: $b) { id } }"#;

    let executed = engine().execute(request(query, r#"{"b":null}"#).as_bytes(), &anyone());

    assert!(executed.body.contains("Argument 'board' has coerced Null value for NonNull type 'ID!'"));
    assert!(executed.events.is_empty());
}

#[test]
fn a_forbidden_null_goes_up_to_the_nearest_field_that_may_be_null() {
    let sdl = r#"type Note { id: ID! board: ID! } type Query { f: Int! } type Mutation { put(id: ID!): Note }
        type Subscription { onNote: Note @aws_subscribe(mutations: ["put"]) }"#;
    let mut engine = Engine::new(sdl).unwrap();

    let inner = post(&mut engine, r#"mutation { put(id: "x") { id board } }"#);
    let root = post(&mut engine, "{ f }");

    let message = "Cannot return null for non-nullable type: 'ID' within parent 'Note' (/put/board)";
    let body = format!(
        r#"{{"data":{{"put":null}},"errors":[{{"path":["put","board"],"locations":null,"message":"{message}"}}]}}"#
    );
    check_answer(&inner, 200, &body);
    assert!(inner.events.is_empty());
    let message = "Cannot return null for non-nullable type: 'Int' within parent 'Query' (/f)";
    let body = format!(r#"{{"data":null,"errors":[{{"path":["f"],"locations":null,"message":"{message}"}}]}}"#);
    check_answer(&root, 200, &body);
}

#[test]
fn an_unknown_schema_echoes_and_tells_every_field_that_lists_the_mutation() {
    let sdl = r#"type Todo { id: ID! name: String } input TodoInput { name: String } type Query { todo: Todo }
        type Mutation { createTodo(input: TodoInput!): Todo }
        type Subscription {
            onCreate: Todo @aws_subscribe(mutations: ["createTodo"])
            onAny: Todo @aws_subscribe(mutations: ["createTodo"])
        }"#;
    let mut engine = Engine::new(sdl).unwrap();

    let executed = post(&mut engine, r#"mutation { createTodo(input: {name: "x"}) { id name } }"#);

    check_answer(&executed, 200, r#"{"data":{"createTodo":{"id":"n1","name":"x"}}}"#);
    assert_eq!(fields(&executed), ["onCreate", "onAny"]);
    assert_eq!(engine.notified_by("createTodo"), ["onCreate", "onAny"]);
    assert_eq!(engine.subscription_fields().collect::<Vec<_>>(), ["onCreate", "onAny"]);
}

#[test]
fn introspection_is_answered_beside_other_fields() {
    let query = r#"{ t: __type(name: "Note") { name kind } __schema { mutationType { name } } dummy(param: "x") }"#;

    let executed = post(&mut engine(), query);

    let body = r#"{"data":{"t":{"name":"Note","kind":"OBJECT"},"__schema":{"mutationType":{"name":"Mutation"}},
        "dummy":"x"}}"#;
    check_answer(&executed, 200, body);
}

#[test]
fn introspection_takes_variables() {
    let query = "query($n: String!) { __type(name: $n) { name } }";

    let executed = engine().execute(request(query, r#"{"n":"Channel"}"#).as_bytes(), &anyone());

    check_answer(&executed, 200, r#"{"data":{"__type":{"name":"Channel"}}}"#);
}

#[test]
fn introspection_that_nests_without_end_is_refused() {
    let fields = "fields { type { ".repeat(6) + "name" + &" } }".repeat(6);

    let executed = post(&mut engine(), &format!("{{ __schema {{ types {{ {fields} }} }} }}"));

    let answer = parse_json(&executed.body).unwrap();
    assert_eq!(answer["data"], Json::Null);
    assert!(answer["errors"][0]["message"].is_string());
}
