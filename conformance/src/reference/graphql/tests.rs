use appsync_protocol::json::{json_array, json_text, parse_json, same_meaning};

use super::*;

mod declared;
mod execution;

fn anyone() -> Identity {
    Identity::default()
}

fn engine() -> Engine {
    Engine::default_schema().unwrap()
}

/// The JSON text of a request.
fn request(query: &str, variables: &str) -> String {
    format!(r#"{{"query":{},"variables":{variables}}}"#, json_text(query))
}

fn plan(query: &str, variables: &str) -> Plan {
    engine().subscribe(&request(query, variables), &anyone()).unwrap()
}

fn refusal(data: &str) -> RequestError {
    engine().subscribe(data, &anyone()).unwrap_err()
}

fn post(engine: &mut Engine, query: &str) -> Executed {
    engine.execute(request(query, "{}").as_bytes(), &anyone())
}

#[track_caller]
fn check_answer(executed: &Executed, status: u16, body: &str) {
    let got = parse_json(&executed.body).unwrap();
    assert!(same_meaning(&got, &parse_json(body).unwrap()), "expected {body}; got {got}");
    assert_eq!(executed.status, status);
}

mod subscriptions {
    use super::*;

    #[test]
    fn a_plan_has_field_key_arguments_and_selection() {
        let plan = plan(r#"subscription { mine: onNote(board: "b1", stars: 5) { id words: text __typename } }"#, "{}");

        assert_eq!((plan.field.as_str(), plan.key.as_str(), plan.required), ("onNote", "mine", false));
        assert_eq!(plan.arguments["board"], json_text("b1"));
        assert_eq!(plan.arguments["stars"], Json::from(5));
        assert_eq!(plan.selection.on, "Note");
        let fields: Vec<_> = plan.selection.fields.iter().map(|f| (f.key.as_str(), f.required)).collect();
        assert_eq!(fields, [("id", true), ("words", false), ("__typename", true)]);
    }

    #[test]
    fn an_omitted_argument_is_not_in_the_plan() {
        assert!(plan("subscription { onNote { id } }", "{}").arguments.is_empty());
    }

    #[test]
    fn a_null_argument_is_null_in_the_plan() {
        let literal = plan("subscription { onNote(board: null) { id } }", "{}");
        let variable = plan("subscription($b: ID) { onNote(board: $b) { id } }", r#"{"b":null}"#);

        assert_eq!(literal.arguments["board"], Json::Null);
        assert_eq!(variable.arguments["board"], Json::Null);
    }

    #[test]
    fn a_variable_that_is_not_supplied_is_null_in_the_plan() {
        let plan = plan("subscription($b: ID) { onNote(board: $b) { id } }", "{}");

        assert_eq!(plan.arguments["board"], Json::Null);
    }

    #[test]
    fn a_variable_with_a_default_uses_it() {
        let query = r#"subscription($b: ID = "b1") { onNote(board: $b) { id } }"#;

        assert_eq!(plan(query, "{}").arguments["board"], json_text("b1"));
        assert_eq!(plan(query, r#"{"b":"b2"}"#).arguments["board"], json_text("b2"));
    }

    #[test]
    fn an_id_given_as_a_number_is_compared_as_a_string() {
        assert_eq!(plan("subscription { onNote(board: 7) { id } }", "{}").arguments["board"], json_text("7"));
    }

    #[test]
    fn a_named_operation_is_chosen_among_several() {
        let data = r#"{"query":"subscription A { onNote { id } } subscription B { subscribeToMessages { message } }",
            "operationName":"B"}"#;

        assert_eq!(engine().subscribe(data, &anyone()).unwrap().field, "subscribeToMessages");
    }

    #[test]
    fn a_choice_without_name_is_refused() {
        let data = r#"{"query":"subscription A { onNote { id } } subscription B { onNote { id } }"}"#;

        assert_eq!(refusal(data), RequestError::MissingOperationName);
    }

    #[test]
    fn a_name_of_no_operation_is_refused() {
        let data = r#"{"query":"subscription A { onNote { id } }","operationName":"B"}"#;

        assert_eq!(refusal(data), RequestError::UnknownOperation("B".into()));
    }

    #[test]
    fn a_query_or_mutation_is_refused_whatever_it_asks() {
        assert_eq!(refusal(&request("{ dummy }", "{}")), RequestError::NotASubscription("query"));
        assert_eq!(refusal(&request("query { nope }", "{}")), RequestError::NotASubscription("query"));
        let mutation = r#"mutation { sendMessage(msg: "x") { message } }"#;
        assert_eq!(refusal(&request(mutation, "{}")), RequestError::NotASubscription("mutation"));
    }

    #[test]
    fn a_text_that_is_no_request_is_refused() {
        assert_eq!(refusal("{"), RequestError::NotJson);
        assert_eq!(refusal("{}"), RequestError::NoQuery);
        assert!(matches!(refusal(&request("subscription {", "{}")), RequestError::Syntax(_)));
    }

    #[test]
    fn a_missing_or_null_variable_is_refused_where_the_type_forbids_it() {
        let query = "subscription($n: String!) { subscribe2channel(name: $n) { name } }";

        for variables in ["{}", r#"{"n":null}"#, "null"] {
            let RequestError::Variables(errors) = refusal(&request(query, variables)) else { panic!("{variables}") };
            assert_eq!(errors[0].message, "Variable 'n' has coerced Null value for NonNull type 'String!'");
        }
    }

    #[test]
    fn every_variable_of_the_wrong_type_is_reported() {
        let query = "subscription($b: ID, $s: Int) { onNote(board: $b, stars: $s) { id } }";

        let RequestError::Variables(errors) = refusal(&request(query, r#"{"b":{},"s":"5"}"#)) else { panic!() };

        assert_eq!(errors.len(), 2);
        assert_eq!(errors[1].message, "Variable 's' has an invalid value: Expected type 'Int' but was 'String'.");
    }

    #[test]
    fn a_null_variable_in_place_of_its_default_is_refused_where_the_argument_forbids_it() {
        let query = r#"subscription($n: String = "x") { subscribe2channel(name: $n) { name } }"#;

        assert!(matches!(refusal(&request(query, r#"{"n":null}"#)), RequestError::Variables(_)));
    }

    #[test]
    fn a_subscription_is_the_same_the_second_time() {
        let engine = engine();
        let data = request("subscription($b: ID) { onNote(board: $b) { id } }", r#"{"b":"b1"}"#);
        let other = request("subscription($b: ID) { onNote(board: $b) { id } }", r#"{"b":"b2"}"#);

        let first = engine.subscribe(&data, &anyone());

        assert_eq!(engine.subscribe(&data, &anyone()), first);
        assert_ne!(engine.subscribe(&other, &anyone()), first);
    }
}

mod refusals_over_http {
    use super::*;

    #[test]
    fn an_empty_body_is_malformed() {
        let executed = engine().execute(b"", &anyone());

        let body = r#"{"errors":[{"errorType":"MalformedHttpRequestException","message":"Request body is empty."}]}"#;
        check_answer(&executed, 400, body);
        assert_eq!(executed.error_type, Some("MalformedHttpRequestException"));
    }

    #[test]
    fn a_body_without_readable_query_is_malformed() {
        let body =
            r#"{"errors":[{"errorType":"MalformedHttpRequestException","message":"Unable to parse GraphQL query."}]}"#;

        for text in [&b"{"[..], b"[]", b"{}", b" ", b"\xff", br#"{"query":7}"#, br#"{"query":"mutation {"}"#] {
            check_answer(&engine().execute(text, &anyone()), 400, body);
        }
    }

    #[test]
    fn a_document_that_does_not_fit_the_schema_is_answered_with_its_place() {
        let executed = post(&mut engine(), "{ nope }");

        let body = r#"{"data":null,"errors":[{"path":null,"locations":[{"line":1,"column":3,"sourceName":null}],
            "message":"Validation error of type FieldUndefined: Field 'nope' in type 'Query' is undefined @ 'nope'"}]}"#;
        check_answer(&executed, 200, body);
    }

    #[test]
    fn a_missing_variable_is_answered_without_data() {
        let executed = post(&mut engine(), "query($id: ID!) { note(id: $id) { id } }");

        let body = r#"{"data":null,"errors":[{"path":null,"locations":null,
            "message":"Variable 'id' has coerced Null value for NonNull type 'ID!'"}]}"#;
        check_answer(&executed, 200, body);
    }

    #[test]
    fn a_missing_operation_name_is_a_bad_request() {
        let executed = post(&mut engine(), "query A { dummy } query B { dummy }");

        let body = r#"{"errors":[{"errorType":"BadRequestException","message":"Missing operation name."}]}"#;
        check_answer(&executed, 400, body);
    }

    #[test]
    fn a_subscription_is_a_bad_request() {
        let executed = post(&mut engine(), "subscription { onNote { id } }");

        let message = "Subscriptions over MQTT is not supported.";
        let body = format!(r#"{{"errors":[{{"errorType":"BadRequestException","message":"{message}"}}]}}"#);
        check_answer(&executed, 400, &body);
    }

    #[test]
    fn a_date_that_is_none_is_refused_as_literal_and_as_variable() {
        let literal = post(&mut engine(), r#"mutation { addNote(board: "b", due: "tomorrow") { id } }"#);
        let query = r#"mutation($d: AWSDateTime) { addNote(board: "b", due: $d) { id } }"#;
        let variable = engine().execute(request(query, r#"{"d":"tomorrow"}"#).as_bytes(), &anyone());

        let words = r#"WrongType: argument 'due' with value '\"tomorrow\"' is not a valid 'AWSDateTime' @ 'addNote'"#;
        assert!(literal.body.contains(words), "{}", literal.body);
        assert!(variable.body.contains("Unable to parse `tomorrow` as a valid AWSDateTime."), "{}", variable.body);
        assert!(literal.events.is_empty() && variable.events.is_empty());
    }

    #[test]
    fn a_text_that_is_no_json_is_refused_for_a_json_argument() {
        let executed = post(&mut engine(), r#"mutation { publish2channel(name: "c", data: "{a:1}") { name } }"#);

        assert!(executed.body.contains("is not a valid 'AWSJSON!'"), "{}", executed.body);
    }

    #[test]
    fn a_default_that_its_type_forbids_is_refused() {
        let query = r#"mutation($d: AWSDateTime = "x") { addNote(board: "b", due: $d) { id } }"#;

        assert!(post(&mut engine(), query).body.contains("of type BadValueForDefaultArg: "));
    }
}
