//! What the settings declare: results, errors, denials, filters, and what of it does not fit.

use std::time::Duration;

use super::*;

const SDL: &str = r#"
type Note { id: ID! board: ID! text: String stars: Int due: AWSDateTime at: AWSTimestamp colour: Colour next: Note }
enum Colour { RED BLUE }
input NoteInput { board: ID! text: String stars: Int }
input Other { board: Int }
type Query { lastNote: Note secret: String @aws_iam fixed: [Int!] }
type Mutation {
    addNote(board: ID!, text: String, filter: AWSJSON): Note
    putNote(input: NoteInput!, other: Other): Note
    count: Int
}
type Subscription {
    onNote(board: ID, stars: Int, filter: AWSJSON): Note @aws_subscribe(mutations: ["addNote", "putNote"])
}
"#;

fn settings(text: &str) -> Settings {
    Settings { sdl: Some(SDL.into()), ..toml::from_str(text).unwrap() }
}

fn declared(text: &str) -> Engine {
    Engine::configured(&settings(text)).unwrap()
}

#[track_caller]
fn wrong(text: &str) -> String {
    Engine::configured(&settings(text)).unwrap_err().to_string()
}

/// One resolver of the settings.
fn resolver(name: &str, lines: &str) -> String {
    format!("[resolvers.\"{name}\"]\n{lines}")
}

fn run(text: &str, query: &str) -> Executed {
    post(&mut declared(text), query)
}

const ADD: &str = r#"mutation { addNote(board: "b1", text: "hello") { id board text due at } }"#;

#[test]
fn a_template_is_filled_with_arguments_counted_ids_and_the_time() {
    let lines = r#"result = { id = "$id", board = "$arguments.board", text = "$$5", due = "$now", at = "$now" }"#;

    let executed = run(&resolver("Mutation.addNote", lines), ADD);

    let body = r#"{"data":{"addNote":{"id":"n1","board":"b1","text":"$5","due":"2026-01-01T00:00:00.000Z",
        "at":1767225600}}}"#;
    check_answer(&executed, 200, body);
    assert_eq!(executed.events.len(), 1);
}

#[test]
fn time_passes_for_templates() {
    let mut engine = declared(&resolver("Mutation.addNote", r#"result = { due = "$now" }"#));

    engine.set_time(Moment::from_millis(61_500));

    let executed = post(&mut engine, r#"mutation { addNote(board: "b") { due } }"#);
    check_answer(&executed, 200, r#"{"data":{"addNote":{"due":"2026-01-01T00:01:01.500Z"}}}"#);
}

#[test]
fn an_argument_can_be_the_result() {
    let query = r#"mutation { putNote(input: { board: "b", stars: 2 }) { id board stars text } }"#;

    for lines in [r#"result = "input""#, r#"result = "arguments""#] {
        let executed = run(&resolver("Mutation.putNote", lines), query);
        check_answer(&executed, 200, r#"{"data":{"putNote":{"id":"n1","board":"b","stars":2,"text":null}}}"#);
    }
    let executed =
        run(&resolver("Mutation.putNote", r#"result = { text = "$arguments.input.text", stars = 1 }"#), query);
    assert!(executed.body.contains("'ID' within parent 'Note'"), "{}", executed.body);
}

#[test]
fn a_fixed_value_is_not_filled() {
    let text = resolver("Mutation.addNote", r#"value = { id = "$id", board = "b", colour = "RED" }"#);

    let executed = run(&text, r#"mutation { addNote(board: "x") { id board colour } }"#);

    check_answer(&executed, 200, r#"{"data":{"addNote":{"id":"$id","board":"b","colour":"RED"}}}"#);
}

#[test]
fn a_declared_error_has_type_and_info() {
    let text = resolver("Mutation.addNote", r#"error = { message = "no", type = "Mine", info = { hint = 1 } }"#);

    let executed = run(&text, r#"mutation { addNote(board: "x") { id } }"#);

    let body = r#"{"data":{"addNote":null},"errors":[{"path":["addNote"],"data":null,"errorType":"Mine",
        "errorInfo":{"hint":1},"locations":[{"line":1,"column":12,"sourceName":null}],"message":"no"}]}"#;
    check_answer(&executed, 200, body);
    assert!(executed.events.is_empty());
}

#[test]
fn an_error_can_be_declared_below_the_root() {
    let text = resolver("Note.text", r#"error = { message = "no" }"#);

    let executed = run(&text, r#"mutation { addNote(board: "x", text: "t") { board words: text } }"#);

    let answer = parse_json(&executed.body).unwrap();
    assert_eq!(answer["data"]["addNote"].to_string(), r#"{"board":"x","words":null}"#);
    assert_eq!(answer["errors"][0]["path"].to_string(), r#"["addNote","words"]"#);
    assert_eq!(executed.events[0].object["text"], Json::Null);
}

#[test]
fn a_denied_field_is_null_and_unauthorized() {
    let text = resolver("Note.text", "deny = true") + "\n" + &resolver("Mutation.count", "deny = true");

    let nested = run(&text, r#"mutation { addNote(board: "x", text: "t") { board text } }"#);
    let root = run(&text, "mutation { count }");

    let body = r#"{"data":{"addNote":{"board":"x","text":null}},"errors":[{"path":["addNote","text"],"data":null,
        "errorType":"Unauthorized","errorInfo":null,"locations":[{"line":1,"column":51,"sourceName":null}],
        "message":"Not Authorized to access text on type Note"}]}"#;
    check_answer(&nested, 200, body);
    assert!(root.body.contains("Not Authorized to access count on type Mutation"), "{}", root.body);
}

#[test]
fn a_denied_field_that_may_not_be_null_is_reported_once() {
    let executed = run(&resolver("Note.id", "deny = true"), r#"mutation { addNote(board: "x") { id } }"#);

    let answer = parse_json(&executed.body).unwrap();
    assert_eq!(answer["data"]["addNote"], Json::Null);
    assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
    assert!(executed.events.is_empty());
}

#[test]
fn a_query_answers_from_what_was_published_last() {
    let mut engine = declared(&resolver("Query.lastNote", r#"from = "last:Mutation.addNote""#));

    check_answer(&post(&mut engine, "{ lastNote { board } }"), 200, r#"{"data":{"lastNote":null}}"#);
    post(&mut engine, ADD);

    check_answer(
        &post(&mut engine, "{ lastNote { board text } }"),
        200,
        r#"{"data":{"lastNote":{"board":"b1","text":"hello"}}}"#,
    );
    check_answer(&post(&mut engine.fresh(), "{ lastNote { board } }"), 200, r#"{"data":{"lastNote":null}}"#);
}

#[test]
fn delays_of_fields_add_up_to_thirty_seconds_at_most() {
    let text = resolver("Mutation.count", "delay-ms = 20000\nvalue = 7");

    assert_eq!(run(&text, "mutation { count }").after, Duration::from_secs(20));
    let twice = run(&text, "mutation { count again: count }");
    check_answer(&twice, 200, r#"{"data":{"count":7,"again":7}}"#);
    assert_eq!(twice.after, Duration::from_secs(30));
}

#[test]
fn a_sixth_invalidation_in_a_request_is_an_error() {
    let text = resolver("Mutation.count", "value = 7\ninvalidates = [{ field = \"onNote\", payload = { a = 1 } }]");
    let query = |count: usize| {
        let fields: Vec<_> = (0..count).map(|n| format!("f{n}: count")).collect();
        format!("mutation {{ {} }}", fields.join(" "))
    };

    let five = run(&text, &query(5));
    let six = run(&text, &query(6));

    assert_eq!((five.invalidations.len(), five.body.contains("errors")), (5, false));
    assert_eq!(five.invalidations[0].payload, parse_json(r#"{"a":1}"#).unwrap());
    assert_eq!(six.invalidations.len(), 5);
    assert!(six.body.contains(r#""f5":null"#) && six.body.contains("5 times in a request"), "{}", six.body);
}

#[test]
fn a_mode_without_directive_may_not_use_what_is_for_the_default_mode() {
    let mut engine = declared("modes = [\"api-key\", \"iam\"]");
    let iam = Identity { mode: Mode::Iam, ..Identity::default() };
    let asked = request("{ secret fixed }", "{}");

    let by_key = engine.execute(asked.as_bytes(), &anyone());
    let by_iam = engine.execute(asked.as_bytes(), &iam);

    assert!(by_key.body.contains("access secret on type Query") && !by_key.body.contains("access fixed"));
    assert!(by_iam.body.contains("access fixed on type Query") && !by_iam.body.contains("access secret"));
}

#[test]
fn introspection_works_for_who_may_use_nothing() {
    let mut engine = declared("modes = [\"oidc\"]");

    let executed =
        engine.execute(request("{ __typename __schema { queryType { name } } }", "{}").as_bytes(), &anyone());

    check_answer(&executed, 200, r#"{"data":{"__typename":"Query","__schema":{"queryType":{"name":"Query"}}}}"#);
}

#[test]
fn a_subscription_to_what_is_denied_is_unauthorized() {
    let engine = declared(&resolver("Note.text", "deny = true"));

    let refusal = engine.subscribe(&request("subscription { onNote { id text } }", "{}"), &anyone()).unwrap_err();

    let errors = refusal.errors();
    assert_eq!(errors[0].error_type.as_deref(), Some("Unauthorized"));
    assert_eq!(errors[0].message, "Not Authorized to access text on type Note");
    assert!(engine.subscribe(&request("subscription { onNote { id } }", "{}"), &anyone()).is_ok());
    let who = Identity { denied_fields: vec!["Subscription.onNote".into()], ..Identity::default() };
    let refusal = engine.subscribe(&request("subscription { onNote { id } }", "{}"), &who).unwrap_err();
    assert_eq!(refusal.errors()[0].message, "Not Authorized to access onNote on type Subscription");
}

#[test]
fn a_filter_is_made_of_the_arguments() {
    let engine = declared(r#"subscriptions.onNote.filter = { stars = { ge = "$arguments.stars" } }"#);
    let start = |query: &str| engine.subscribe(&request(query, "{}"), &anyone());

    let filter = start("subscription { onNote(stars: 3) { id } }").unwrap().filter.unwrap();

    let matches =
        |stars: u8| filter.matches(&parse_json(&format!(r#"{{"stars":{stars}}}"#)).unwrap(), Default::default());
    assert!(matches(3) && !matches(2));
    let refusal = start("subscription { onNote { id } }").unwrap_err();
    assert_eq!(refusal.errors()[0].code, Some(400));
    assert!(refusal.errors()[0].message.contains("`ge` on `stars`"), "{refusal}");
}

#[test]
fn an_argument_can_be_the_filter_and_none_leaves_the_other_arguments() {
    let engine =
        declared("[subscriptions.onNote]\nfilter = \"$arguments.filter\"\ninvalidation = \"$arguments.filter\"");
    let start = |query: &str| engine.subscribe(&request(query, "{}"), &anyone());

    let filtered = start(r#"subscription { onNote(filter: "{\"stars\":{\"eq\":1}}") { id } }"#).unwrap();
    let unfiltered = start(r#"subscription { onNote(board: "b", filter: null) { id } }"#).unwrap();

    assert!(filtered.filter.is_some() && filtered.filter == filtered.invalidation);
    assert_eq!(unfiltered.filter, None);
    assert_eq!(unfiltered.arguments.keys().collect::<Vec<_>>(), ["board"]);
    let beyond = start(r#"subscription { onNote(filter: "{\"stars\":{\"in\":[1,2,3,4,5,6]}}") { id } }"#).unwrap_err();
    assert_eq!(beyond.errors()[0].message, "subscription exceeds maximum value limit 5 for operator `in`.");
}

#[test]
fn a_subscription_field_can_fail_at_its_start() {
    let engine = declared(&resolver("Subscription.onNote", r#"error = { message = "not today", type = "Mine" }"#));

    let refusal = engine.subscribe(&request("subscription { onNote { id } }", "{}"), &anyone()).unwrap_err();

    assert_eq!(refusal.errors()[0].message, "not today");
    assert_eq!(refusal.errors()[0].error_type.as_deref(), Some("Mine"));
}

#[test]
fn what_does_not_fit_the_schema_is_refused_with_its_place() {
    for (name, lines, why) in [
        ("addNote", "deny = true", "expected Type.field"),
        ("Nope.f", "deny = true", "the schema has no type Nope"),
        ("Mutation.nope", "deny = true", "type Mutation has no field nope"),
        ("Mutation.addNote", "value = { nope = 1 }", ".value.nope: type Note has no field nope"),
        ("Mutation.addNote", "value = { stars = \"five\" }", ".value.stars: expected Int; got \"five\""),
        ("Mutation.addNote", "value = { colour = \"GREEN\" }", ".value.colour: expected Colour; got \"GREEN\""),
        ("Mutation.addNote", "value = { due = \"soon\" }", ".value.due: expected AWSDateTime; got \"soon\""),
        ("Mutation.addNote", "value = [1]", ".value: expected Note; got a list"),
        ("Query.fixed", "value = [1, \"x\"]", ".value[1]: expected Int; got \"x\""),
        ("Query.fixed", "value = 1", ".value: expected [Int!]; got 1"),
        ("Mutation.addNote", "result = \"input\"", ".result: field addNote has no argument input"),
        ("Mutation.putNote", "result = \"other\"", ".result: expected Note; got an argument of type Other"),
        ("Mutation.addNote", "result = { text = \"$nope\" }", "got \"$nope\""),
        (
            "Mutation.addNote",
            "result = { stars = \"$arguments.text\" }",
            "expected Int; got an argument of type String",
        ),
        ("Mutation.putNote", "result = { text = \"$arguments.input.nope\" }", "NoteInput! has no member nope"),
        ("Mutation.addNote", "result = { stars = \"$now\" }", "expected Int; got a time"),
        ("Mutation.addNote", "result = { id = \"$null\" }", ".result.id: expected ID!; got null"),
        ("Mutation.addNote", "value = {}\nresult = \"arguments\"", "expected at most one of result, value"),
        ("Mutation.addNote", "delay-ms = 30001", ".delay-ms: expected at most 30000; got 30001"),
        ("Note.text", "value = \"x\"", ".value: only fields of Query, Mutation and Subscription"),
        ("Query.lastNote", "from = \"Mutation.addNote\"", "expected \"last:Mutation.field\""),
        ("Query.lastNote", "from = \"last:Mutation.nope\"", "type Mutation has no field nope"),
        (
            "Query.lastNote",
            "from = \"last:Mutation.count\"",
            "expected a mutation that returns Note; count returns Int",
        ),
        ("Query.lastNote", "invalidates = [{ field = \"onNote\", payload = {} }]", "only fields of Mutation"),
        ("Mutation.count", "invalidates = [{ field = \"nope\", payload = {} }]", "type Subscription has no field nope"),
        ("Mutation.count", "invalidates = [{ field = \"onNote\", payload = \"$arguments.x\" }]", "no argument x"),
    ] {
        let error = wrong(&resolver(name, lines));
        let at = format!("graphql.resolvers.{name:?}");
        assert!(error.starts_with(&at) && error.contains(why), "expected {why}; got {error}");
    }
}

#[test]
fn a_subscription_setting_that_does_not_fit_is_refused_with_its_place() {
    for (lines, why) in [
        ("subscriptions.nope.filter = {}", "subscriptions.nope: type Subscription has no field nope"),
        (
            "subscriptions.onNote.filter = { a = { EQ = 1 } }",
            "onNote.filter: subscription filter: there is no operator `EQ`",
        ),
        (
            "subscriptions.onNote.invalidation = \"$arguments.nope\"",
            "onNote.invalidation: field onNote has no argument nope",
        ),
    ] {
        assert!(wrong(lines).contains(why), "expected {why}; got {}", wrong(lines));
    }
}

#[test]
fn a_setting_that_does_not_exist_is_refused() {
    for text in ["nope = 1", "[resolvers.x]\nnope = 1", "modes = [\"api_key\"]", "[subscriptions.x]\nnope = 1"] {
        assert!(toml::from_str::<Settings>(text).is_err(), "{text}");
    }
}

#[test]
fn a_schema_file_is_read_once_and_named_when_it_is_wrong() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reference");
    let mut own: Settings = toml::from_str("schema = \"schema.graphql\"").unwrap();
    assert!(Engine::configured(&own).unwrap_err().to_string().contains("has not been read"));

    own.read_schema(&directory).unwrap();

    assert_eq!(Engine::configured(&own).unwrap().subscription_fields().count(), 3);
    let mut missing: Settings = toml::from_str("schema = \"nope.graphql\"").unwrap();
    assert!(missing.read_schema(&directory).unwrap_err().to_string().contains("nope.graphql"));
    let wrong = Settings { sdl: Some("type Query {".into()), ..Settings::default() };
    assert!(Engine::configured(&wrong).unwrap_err().to_string().starts_with("graphql.sdl: schema is not valid"));
}

#[test]
fn the_settings_by_default_serve_the_embedded_schema() {
    let mut engine = Engine::configured(&Settings::default()).unwrap();

    let executed = post(&mut engine, r#"mutation { addNote(board: "b") { id } }"#);

    check_answer(&executed, 200, r#"{"data":{"addNote":{"id":"n1"}}}"#);
    let iam = Identity { mode: Mode::Iam, ..Identity::default() };
    assert!(engine.subscribe(&request("subscription { onNote { id } }", "{}"), &iam).is_ok());
}
