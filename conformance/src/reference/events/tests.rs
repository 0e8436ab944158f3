//! Settings that are in order and settings that are not; what each handler makes of a publish over both transports.

use std::time::Duration;

use appsync_protocol::hub::ConnectionId;
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::moment::Moment;
use appsync_protocol::server::Mode;
use appsync_protocol::wire::{Bytes, Frame, Headers, OwnedFrame, Request};

use super::{Events, Operation, Settings};
use crate::reference::{Answer, Config, Endpoint, Profile};

const KEY: &str = "da2-syncspecreferenceendpoint1";

/// An endpoint with one namespace `n` that is configured like this.
struct World {
    endpoint: Endpoint,
    connection: ConnectionId,
    now: Moment,
}

impl World {
    fn new(namespace: &str) -> Self {
        Self::with(&format!("[[namespaces]]\nname = \"n\"\n{namespace}"), Profile::live())
    }

    fn with(settings: &str, profile: Profile) -> Self {
        let events = compile(settings).unwrap();
        let config = Config { profile, ..Config::default() }.with_events(events);
        let mut endpoint = Endpoint::new(config, &[]).unwrap();
        let headers = Headers::new()
            .with("host", "localhost")
            .with("x-api-key", KEY)
            .with("sec-websocket-protocol", "aws-appsync-event-ws");
        let request =
            Request { method: "GET".into(), target: "/event/realtime".into(), headers, body: Bytes::default() };
        let (_, connection) = endpoint.upgrade(Moment::START, &request);
        Self { endpoint, connection: connection.unwrap(), now: Moment::START }
    }

    fn say(&mut self, text: &str) -> Vec<String> {
        self.endpoint.frame(self.now, self.connection, Frame::text(text));
        self.heard()
    }

    fn heard(&mut self) -> Vec<String> {
        let mut heard = Vec::new();
        while let Some((_, frame)) = self.endpoint.poll() {
            if let OwnedFrame::Text { text, .. } = frame {
                heard.push(text);
            }
        }
        heard
    }

    fn wait(&mut self, ms: u64) -> Vec<String> {
        self.now = self.now + Duration::from_millis(ms);
        self.endpoint.elapse(self.now);
        self.heard()
    }

    fn subscribe(&mut self, channel: &str) -> Vec<String> {
        let authorization = format!(r#"{{"x-api-key":"{KEY}"}}"#);
        self.say(&format!(
            r#"{{"type":"subscribe","id":"s","channel":"{channel}","authorization":{authorization},"payload":"{{}}"}}"#
        ))
    }

    fn publish(&mut self, events: &[&str]) -> Vec<String> {
        let events = Json::from(events.to_vec());
        let authorization = format!(r#"{{"x-api-key":"{KEY}"}}"#);
        self.say(&format!(
            r#"{{"type":"publish","id":"p","channel":"n/x","events":{events},"authorization":{authorization}}}"#
        ))
    }

    fn post(&mut self, body: &str) -> Answer {
        let headers = Headers::new().with("x-api-key", KEY);
        let request = Request { method: "POST".into(), target: "/event".into(), headers, body: body.into() };
        self.endpoint.http(self.now, &request)
    }

    fn post_events(&mut self, events: &[&str]) -> (u16, Json) {
        let answer = self.post(&format!(r#"{{"channel":"/n/x","events":{}}}"#, Json::from(events.to_vec())));
        (answer.response.status, parse_json(&answer.response.body.text()).unwrap())
    }
}

fn compile(settings: &str) -> Result<Events, String> {
    let settings: Settings = toml::from_str(settings).map_err(|error| error.to_string())?;
    settings.compile(&[Mode::ApiKey, Mode::Oidc]).map_err(|error| error.to_string())
}

fn error_of(answer: &(u16, Json)) -> (u16, Option<&str>, Option<&str>) {
    let error = &answer.1["errors"][0];
    (answer.0, error["errorType"].as_str(), error["message"].as_str())
}

#[test]
fn without_settings_there_are_two_namespaces_with_api_keys() {
    let events = Events::default();

    assert_eq!(events.names().collect::<Vec<_>>(), ["default", "other"]);
    for operation in [Operation::Connect, Operation::Publish, Operation::Subscribe] {
        assert_eq!(events.modes_for(operation, "default"), [Mode::ApiKey]);
    }
}

#[test]
fn a_list_of_a_namespace_replaces_that_of_the_api() {
    let events = compile(
        "publish-modes = ['api-key', 'oidc']\n[[namespaces]]\nname = 'own'\npublish-modes = ['oidc']\n[[namespaces]]\nname = 'plain'",
    )
    .unwrap();

    assert_eq!(events.modes_for(Operation::Publish, "own"), [Mode::Oidc]);
    assert_eq!(events.modes_for(Operation::Subscribe, "own"), [Mode::ApiKey]);
    assert_eq!(events.modes_for(Operation::Publish, "plain"), [Mode::ApiKey, Mode::Oidc]);
    assert_eq!(events.modes_for(Operation::Publish, "absent"), [Mode::ApiKey, Mode::Oidc]);
}

#[test]
fn settings_that_are_not_in_order_are_refused_with_what_was_expected() {
    let namespace = |line: &str| format!("[[namespaces]]\nname = 'n'\n{line}");
    let many = (0..51).map(|n| format!("[[namespaces]]\nname = 'n{n}'\n")).collect::<String>();
    for (settings, complaint) in [
        (namespace("publish-modes = ['iam']"), "got Iam (EVT-AUTH-018)"),
        ("connect-modes = ['lambda']".into(), "events.connect-modes"),
        (namespace("subscribe-modes = []"), "expected at least one mode"),
        (namespace("publish-modes = ['key']"), "unknown variant `key`"),
        ("namespaces = []".into(), "expected 1 to 50 namespaces; got 0"),
        (many, "got 51"),
        ("[[namespaces]]\nname = 'a'\n[[namespaces]]\nname = 'a'".into(), "\"a\" twice"),
        ("[[namespaces]]\nname = 'a/b'".into(), "one segment"),
        ("[[namespaces]]\nname = '/a'".into(), "one segment"),
        ("[[namespaces]]\nname = 'a_b'".into(), "EVT-CHANNEL-022"),
        ("[[namespaces]]\nnames = 'a'".into(), "unknown field `names`"),
        (namespace("on-publish = { shout = true }"), "unknown variant `shout`"),
        (namespace("on-publish = 3"), "a handler, or a list of handlers"),
        (namespace("on-subscribe = { transform = 'uppercase' }"), "unknown variant `transform`"),
        (namespace("on-publish = { drop = { equals = 1 } }"), "expected \"member\" beside \"equals\""),
        (namespace("on-publish = { drop = { member = 'a', equals = 1, missing = true } }"), "got both"),
        (namespace("on-publish = { grow = 9999999 }"), "at most 4194304 bytes"),
    ] {
        let error = compile(&settings).unwrap_err();

        assert!(error.contains(complaint), "{settings}\n{error}");
    }
}

#[test]
fn a_mode_that_is_not_enabled_is_missing_permission_over_both_transports() {
    let mut world = World::new("publish-modes = ['oidc']\nsubscribe-modes = ['oidc']");

    let over_http = world.post_events(&["1"]);
    let published = world.publish(&["1"]);
    let subscribed = world.subscribe("n/x");

    assert_eq!(error_of(&over_http).0, 401);
    assert_eq!(error_of(&over_http).1, Some("UnauthorizedException"));
    assert!(published[0].contains("publish_error") && published[0].contains("UnauthorizedException"));
    assert!(subscribed[0].contains("subscribe_error") && subscribed[0].contains("UnauthorizedException"));
}

#[test]
fn a_transform_reaches_the_subscribers_and_numbers_stay_as_they_are() {
    let mut world = World::new("on-publish = [{ transform = 'uppercase' }, { set = { seen = true } }]");
    world.subscribe("/n/*");

    let heard = world.publish(&[r#"{"a":"ß b","n":1}"#, "17"]);

    assert!(heard[0].contains("publish_success"), "{heard:?}");
    assert_eq!(parse_json(&heard[1]).unwrap()["event"], r#"{"a":"SS B","n":1,"seen":true}"#);
    assert_eq!(parse_json(&heard[2]).unwrap()["event"], "17");
}

#[test]
fn a_dropped_event_is_told_to_nobody_and_counts_as_successful() {
    let mut world = World::new("on-publish = { drop = { member = 'kind', equals = 'noise' } }");
    world.subscribe("n/x");

    let heard = world.publish(&[r#"{"kind":"noise"}"#, r#"{"kind":"news"}"#]);

    let answer = parse_json(&heard[0]).unwrap();
    assert_eq!(answer["successful"].as_array().unwrap().len(), 2);
    assert_eq!(answer["failed"], Json::Array(vec![]));
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert!(heard[1].contains("news"));
}

#[test]
fn an_event_in_error_fails_alone() {
    let mut world =
        World::new("on-publish = { error = { member = 'score', missing = true, message = 'score is required' } }");

    let (status, body) = world.post_events(&[r#"{"score":1}"#, "{}"]);

    assert_eq!(status, 200);
    assert_eq!(body["successful"][0]["index"], 0);
    let failed = &body["failed"][0];
    assert_eq!((&failed["index"], &failed["code"]), (&Json::from(1), &Json::from("CustomError")));
    assert_eq!(failed["message"], "score is required");
}

#[test]
fn an_event_that_grows_beyond_the_limit_fails_and_the_others_do_not() {
    let mut world = World::new("on-publish = [{ drop = { member = 'no' } }, { grow = 200000 }]");
    let big = format!("\"{}\"", "y".repeat(100_000));

    let (status, body) = world.post_events(&[&big, "1"]);

    assert_eq!(status, 200);
    assert_eq!(body["failed"][0]["code"], "EventTooLargeException");
    assert_eq!(body["successful"][0]["index"], 1);
}

#[test]
fn each_rejection_has_its_status_over_http_and_its_error_over_websocket() {
    let lambda = |result: &str| format!("on-publish = {{ lambda = {{ result = {result} }} }}");
    let broken = Some("Unable to process request");
    let cases: Vec<(String, u16, &str, Option<&str>)> = vec![
        ("on-publish = { reject = 'no' }".into(), 403, "CustomErrorException", Some("no")),
        (
            "on-publish = 'unauthorized'".into(),
            401,
            "UnauthorizedException",
            Some("You are not authorized to make this call."),
        ),
        ("on-publish = 'fail'".into(), 502, "DependencyFailedException", broken),
        ("on-publish = { return = 'unknown-id' }".into(), 502, "DependencyFailedException", broken),
        (lambda("'bare-list'"), 502, "DependencyFailedException", broken),
        (lambda("'unknown-members'"), 502, "DependencyFailedException", broken),
        (lambda("'nothing'"), 502, "DependencyFailedException", broken),
        (lambda("'throws'"), 502, "DependencyFailedException", broken),
        (lambda("{ error = 'closed' }"), 403, "CustomErrorException", Some("closed")),
        (lambda("{ events-and-error = 'closed' }"), 403, "CustomErrorException", Some("closed")),
    ];
    for (settings, status, error_type, message) in cases {
        let mut world = World::new(&settings);
        world.subscribe("n/x");

        let over_http = world.post_events(&["1"]);
        let after_http = world.heard();
        let over_socket = world.publish(&["1"]);

        assert_eq!(error_of(&over_http), (status, Some(error_type), message), "{settings}");
        assert!(after_http.is_empty(), "{settings}: {after_http:?}");
        assert_eq!(over_socket.len(), 1, "{settings}: {over_socket:?}");
        let told = parse_json(&over_socket[0]).unwrap();
        assert_eq!((&told["type"], &told["id"]), (&Json::from("publish_error"), &Json::from("p")));
        assert_eq!(told["errors"][0]["errorType"], error_type, "{settings}");
    }
}

#[test]
fn a_function_that_nobody_waits_for_changes_nothing() {
    let mut world = World::new("on-publish = { lambda = { invoke = 'event', result = 'throws' } }");

    let (status, body) = world.post_events(&["1", "2"]);

    assert_eq!((status, body["successful"].as_array().unwrap().len()), (200, 2));
}

#[test]
fn a_subscribe_is_refused_by_its_handler_and_the_id_stays_free() {
    for (handler, error_type) in [
        ("{ reject = 'closed' }", "CustomErrorException"),
        ("'unauthorized'", "UnauthorizedException"),
        ("'fail'", "DependencyFailedException"),
        ("{ lambda = { result = { error = 'closed' } } }", "CustomErrorException"),
    ] {
        let mut world = World::new(&format!("on-subscribe = {handler}"));

        let first = world.subscribe("n/x");
        let second = world.subscribe("n/x");

        for heard in [first, second] {
            assert!(heard[0].contains("subscribe_error") && heard[0].contains(error_type), "{handler}: {heard:?}");
        }
    }
}

#[test]
fn a_denied_subscribe_is_spelled_as_the_page_spells_it_where_that_is_chosen() {
    let mut profile = Profile::live();
    profile.choose("EVT-A-16", "unauthorized").unwrap();
    let mut world = World::with("[[namespaces]]\nname = 'n'\non-subscribe = 'unauthorized'", profile);

    assert!(world.subscribe("n/x")[0].contains(r#""errorType":"Unauthorized""#));
}

#[test]
fn a_slow_publish_answers_and_broadcasts_later_and_others_are_served_meanwhile() {
    let mut world = World::with(
        "[[namespaces]]\nname = 'n'\non-publish = { delay-ms = 100 }\n[[namespaces]]\nname = 'quick'",
        Profile::live(),
    );
    world.subscribe("n/x");

    let at_once = world.publish(&["1"]);
    let over_http = world.post(r#"{"channel":"n/x","events":["2"]}"#);
    let other = world.post(r#"{"channel":"quick/x","events":["3"]}"#);
    let early = world.wait(99);
    let due = world.wait(1);

    assert_eq!((at_once.len(), early.len()), (0, 0), "{at_once:?} {early:?}");
    assert_eq!((over_http.after, other.after), (Duration::from_millis(100), Duration::ZERO));
    let words: Vec<_> = due.iter().map(|text| parse_json(text).unwrap()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(words, ["publish_success", "data", "data"]);
}

#[test]
fn a_handler_that_takes_longer_than_a_request_may_run_has_failed() {
    let mut world = World::new("on-publish = { delay-ms = 31000 }");

    let answer = world.post(r#"{"channel":"n/x","events":["1"]}"#);

    assert_eq!((answer.response.status, answer.after), (502, Duration::from_secs(30)));
}

#[test]
fn while_a_slow_subscribe_is_under_way_its_id_is_taken_and_an_unsubscribe_follows_it() {
    let mut world = World::new("on-subscribe = { delay-ms = 100 }");
    world.subscribe("n/x");

    let twice = world.subscribe("n/x");
    let unsubscribed = world.say(r#"{"type":"unsubscribe","id":"s"}"#);
    let due = world.wait(100);

    assert!(twice[0].contains("DuplicatedOperationError"), "{twice:?}");
    assert!(unsubscribed.is_empty(), "{unsubscribed:?}");
    assert_eq!(due.len(), 2, "{due:?}");
    assert!(due[0].contains(r#""subscribe_success""#), "{due:?}");
    assert!(due[1].contains(r#""unsubscribe_success""#), "{due:?}");
}

#[test]
fn malformed_publishes_over_http_are_refused_in_the_order_of_the_checks() {
    let mut world = World::new("");
    for (body, status, error_type) in [
        ("{", 400, "BadRequestException"),
        ("[]", 400, "BadRequestException"),
        (r#"{"channel":"n/x"}"#, 400, "BadRequestException"),
        (r#"{"channel":"n/*","events":["1"]}"#, 400, "BadRequestException"),
        (r#"{"channel":"n/x","events":[]}"#, 400, "BadRequestException"),
        (r#"{"channel":"n/x","events":[1]}"#, 400, "BadRequestException"),
        (r#"{"channel":"n/x","events":["1","1","1","1","1","1"]}"#, 400, "BadRequestException"),
        (r#"{"channel":"absent/x","events":["no json"]}"#, 401, "UnauthorizedException"),
        (r#"{"channel":"n/x","events":["1","no json"]}"#, 400, "InvalidEventException"),
    ] {
        let answer = world.post(body);
        let told = (answer.response.status, parse_json(&answer.response.body.text()).unwrap());

        assert_eq!((told.0, error_of(&told).1), (status, Some(error_type)), "{body}");
        assert!(answer.response.headers.first("x-amzn-requestid").is_some());
    }
}

#[test]
fn rates_are_limited_only_where_that_is_asked_for() {
    let mut free = World::new("");
    let mut limited =
        World::with("[rates]\npublishes-per-connection = 2\nrequests = 5\n[[namespaces]]\nname = 'n'", Profile::live());

    let all: Vec<_> = (0..100).flat_map(|_| free.publish(&["1"])).collect();
    let some: Vec<_> = (0..4).flat_map(|_| limited.publish(&["1"])).collect();
    let over_http = limited.post_events(&["1"]);
    limited.now = limited.now + Duration::from_secs(1);
    let later = limited.publish(&["1"]);

    assert!(all.iter().all(|text| text.contains("publish_success")));
    let refused: Vec<_> = some.iter().map(|text| text.contains("LimitExceededError")).collect();
    assert_eq!(refused, [false, false, true, true]);
    assert_eq!(error_of(&over_http).0, 200, "requests that were refused for their connection count too");
    assert!(later[0].contains("publish_success"));
}
