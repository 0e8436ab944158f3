//! What of an endpoint can be seen by those who watch it, and what must not be.

use appsync_protocol::handshake::{Carrier, Credentials, Url, build};
use appsync_protocol::wire::Headers;
use serde_json::{Value, json};

use super::*;
use crate::reference::Config;
use crate::reference::journal::LENGTH;

const HOSTILE: &str = "<img src=x onerror=alert(1)>";

#[test]
fn the_page_and_its_files_are_served_with_headers_that_keep_others_out() {
    let mut world = World::new(Some(page(false)));

    for (path, kind) in [
        ("/", "text/html"),
        ("/page.js", "text/javascript"),
        ("/page.css", "text/css"),
        ("/page.svg", "image/svg+xml"),
        ("/status.json", "application/json"),
    ] {
        let answer = world.get(path);

        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.headers.first("content-type").unwrap().starts_with(kind), "{path}");
        let policy = answer.headers.first("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("inline"), "{policy}");
        assert_eq!(answer.headers.first("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.headers.first("access-control-allow-origin"), None, "{path}");
    }
}

#[test]
fn the_page_runs_no_inline_script_and_loads_nothing_from_elsewhere() {
    let mut world = World::new(Some(page(false)));

    let html = world.get("/").body.text().into_owned();
    let script = world.get("/page.js").body.text().into_owned();
    let style = world.get("/page.css").body.text().into_owned();

    assert_eq!(html.matches("<script").count(), html.matches("<script src=\"/page.js\"").count());
    assert!(!html.contains("style=") && !html.contains("onclick"));
    assert!([&html, &script, &style].iter().all(|text| !text.contains("//") || !text.contains("https://")));
    assert!(!script.contains("innerHTML") && !script.contains("insertAdjacentHTML") && !style.contains("@import"));
}

#[test]
fn without_a_page_nothing_is_there() {
    let mut world = World::new(None);

    assert_eq!(["/", "/page.js", "/status.json"].map(|path| world.get(path).status), [404; 3]);
}

#[test]
fn only_a_browser_that_asks_for_a_document_is_led_from_graphql_to_the_page() {
    let mut world = World::new(Some(page(false)));
    let with_accept = |target: &str| {
        let mut request = request("GET", target, "");
        request.headers.push("accept", "text/html,*/*");
        request
    };

    let led = world.http(&with_accept("/graphql"));
    let others = [world.http(&with_accept("/graphql?query=x")), world.get("/graphql")];

    assert_eq!((led.status, led.headers.first("location")), (303, Some("/")));
    assert_eq!(others.map(|answer| answer.status), [401; 2]);
}

#[test]
fn a_name_that_is_not_the_endpoints_own_gets_nothing() {
    let mut world = World::new(Some(page(false)));

    for (host, status) in [
        ("evil.example:8700", 421),
        ("localhost.evil.example", 421),
        ("LOCALHOST:8700", 200),
        ("127.0.0.1:8700", 200),
        ("[::1]:8700", 200),
        ("192.168.1.5", 200),
    ] {
        let mut request = request("GET", "/status.json", "");
        request.headers = Headers::new().with("host", host);

        assert_eq!(world.http(&request).status, status, "{host}");
    }
}

#[test]
fn an_operation_is_one_entry_with_its_answer_and_what_it_delivered() {
    let mut world = World::new(Some(page(false)));
    let subscriber = world.connect(KEY);
    world.say(subscriber, &subscribe("s1", "/default/a", KEY));
    world.publish("/default/a", KEY);

    let operations = world.operations();

    let of = |what: &str| operations.iter().find(|entry| entry["what"] == what).unwrap_or_else(|| panic!("no {what}"));
    assert_eq!(of("subscribe")["outcome"], "subscribe_success");
    assert_eq!((&of("subscribe")["name"], &of("subscribe")["id"]), (&json!("/default/a"), &json!("s1")));
    assert_eq!((&of("POST /event")["outcome"], &of("POST /event")["delivered"]), (&json!("200"), &json!(1)));
    assert_eq!(operations.len(), 3, "{operations:#?}");
}

#[test]
fn a_refusal_is_told_with_its_type() {
    let mut world = World::new(Some(page(false)));
    world.connect("wrong");
    let subscriber = world.connect(KEY);
    world.say(subscriber, &subscribe("s1", "/default/a", "wrong"));
    world.publish("/default/a", "wrong");

    let operations = world.operations();

    let refused: Vec<_> = operations.iter().filter(|entry| entry["refused"] == true).collect();
    let outcomes: Vec<_> = refused.iter().map(|entry| entry["outcome"].as_str().unwrap()).collect();
    assert_eq!(
        outcomes,
        [
            "connection_error UnauthorizedException",
            "subscribe_error UnauthorizedException",
            "401 UnauthorizedException"
        ]
    );
}

#[test]
fn live_connections_are_listed_with_their_subscriptions_until_they_end() {
    let mut world = World::new(Some(page(false)));
    let subscriber = world.connect(KEY);
    world.say(subscriber, &subscribe("s1", "/default/a/*", KEY));

    let during = world.status(0);
    world.service.frame(Moment::from_millis(9000), subscriber, Frame::Lost);
    world.drain();
    let after = world.status(0);

    assert_eq!(during["connections"][0]["subscriptions"], json!([{"id": "s1", "name": "/default/a/*"}]));
    assert_eq!((&during["counts"]["open"], &after["counts"]["open"]), (&json!(1), &json!(0)));
    assert_eq!(after["connections"], json!([]));
}

#[test]
fn no_key_and_no_body_is_in_the_status_unless_bodies_are_asked_for() {
    for shows_bodies in [false, true] {
        let mut world = World::new(Some(page(shows_bodies)));
        let subscriber = world.connect(KEY);
        world.say(subscriber, &subscribe("s1", "/default/a", KEY));
        world.publish("/default/a", KEY);
        world.publish("/default/a", "a-wrong-key");

        let shown = world.status(0).to_string();

        assert!(!shown.contains(KEY) && !shown.contains("a-wrong-key"), "{shown}");
        assert_eq!(shown.contains("the body"), shows_bodies, "{shown}");
    }
}

#[test]
fn names_that_clients_made_up_stay_json_text() {
    let mut world = World::new(Some(page(false)));
    let subscriber = world.connect(KEY);

    world.say(subscriber, &subscribe("s1", HOSTILE, KEY));

    let operations = world.operations();
    assert_eq!(operations.last().unwrap()["name"], HOSTILE);
    assert_eq!(world.get("/status.json").headers.first("content-type"), Some("application/json"));
}

#[test]
fn the_status_tells_only_what_came_after_a_number() {
    let mut world = World::new(Some(page(false)));
    for _ in 0..LENGTH + 10 {
        world.publish("/default/a", KEY);
    }
    let next = world.status(0)["next"].as_u64().unwrap();
    world.publish("/default/a", KEY);

    let (all, new) = (world.status(0), world.status(next));

    assert_eq!(all["operations"].as_array().unwrap().len(), LENGTH);
    assert_eq!(new["operations"].as_array().unwrap().len(), 1);
    assert_eq!(new["counts"]["requests"], LENGTH as u64 + 11);
}

#[test]
fn a_slow_consumer_is_counted_and_named() {
    let mut world = World::new(Some(page(false)));
    let slow = world.connect(KEY);

    world.service.notice(Moment::from_millis(1), Notice::SlowConsumer(slow));

    let status = world.status(0);
    assert_eq!(status["counts"]["slow"], 1);
    let last = status["operations"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["what"], &last["connection"]), (&json!("dropped"), &json!(slow.0)));
}

#[test]
fn without_page_and_log_nothing_is_kept() {
    let mut world = World::new(None);
    let subscriber = world.connect(KEY);
    world.say(subscriber, &subscribe("s1", "/default/a", KEY));

    assert!(world.service.connections.is_empty());
    assert_eq!(world.service.journal.last(), 0);
}

const KEY: &str = "da2-the-key-of-this-test";

fn page(shows_bodies: bool) -> Page {
    Page::new(vec!["localhost".into()], shows_bodies)
}

fn request(method: &str, target: &str, body: &str) -> Request {
    let headers = Headers::new().with("host", "127.0.0.1:8700");
    Request { method: method.into(), target: target.into(), headers, body: body.into() }
}

fn subscribe(id: &str, channel: &str, key: &str) -> String {
    let authorization = json!({"host": "localhost", "x-api-key": key});
    json!({"type": "subscribe", "id": id, "channel": channel, "authorization": authorization}).to_string()
}

/// A watched endpoint without a socket.
struct World {
    service: Watched,
}

impl World {
    fn new(page: Option<Page>) -> Self {
        let config = Config::default().with_api_key(KEY);
        Self { service: Watched::new(Endpoint::new(config, &[]).unwrap(), page) }
    }

    fn connect(&mut self, key: &str) -> ConnectionId {
        let url = Url { secure: false, host: "localhost".into(), path: "/event/realtime".into() };
        let credentials = Credentials::api_key("localhost", key);
        let request = build(Dialect::Events, Carrier::Subprotocol, &credentials, &url, "AAAAAAAAAAAAAAAAAAAAAA==");
        let (_, id) = self.service.upgrade(Moment::START, &request);
        self.drain();
        id.unwrap()
    }

    fn say(&mut self, id: ConnectionId, text: &str) {
        self.service.frame(Moment::from_millis(10), id, Frame::text(text));
        self.drain();
    }

    fn publish(&mut self, channel: &str, key: &str) {
        let body = json!({"channel": channel, "events": [r#"{"text":"the body"}"#]}).to_string();
        let mut request = request("POST", "/event", &body);
        request.headers.push("x-api-key", key);
        self.http(&request);
    }

    fn http(&mut self, request: &Request) -> Response {
        let answer = self.service.http(Moment::from_millis(20), request).response;
        self.drain();
        answer
    }

    fn get(&mut self, target: &str) -> Response {
        self.http(&request("GET", target, ""))
    }

    fn status(&mut self, since: u64) -> Value {
        let answer = self.get(&format!("/status.json?since={since}"));
        serde_json::from_slice(&answer.body.0).unwrap()
    }

    fn operations(&mut self) -> Vec<Value> {
        self.status(0)["operations"].as_array().unwrap().clone()
    }

    fn drain(&mut self) {
        while self.service.poll().is_some() {}
    }
}
