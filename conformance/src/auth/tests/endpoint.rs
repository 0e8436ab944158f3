//! The reference endpoint with every mode: connect, start, subscribe, publish and HTTP, with good and bad credentials.

use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Credentials, Url, build};
use appsync_protocol::moment::Moment;
use appsync_protocol::server::Mode;
use appsync_protocol::wire::{Frame, Headers, OwnedFrame, Request, Response};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::{EVERY_MODE, NOW, example_keys, settings};
use crate::auth::sign::{Secret, publish_body, subscribe_body};
use crate::auth::{AllowedModes, AwsKeys, NamespaceModes};
use crate::fault::{DoorCheck, How};
use crate::reference::{Config, ConnectionId, Endpoint};

const HOST: &str = "api.example.com";
const DATA: &str = r#"{"query":"subscription { subscribeToMessages { message } }"}"#;
const QUERY: &str = r#"{"query":"{ dummy(param: \"x\") }"}"#;
const EVENT: &str = r#"{"n":1}"#;

#[test]
fn good_credentials_open_a_connection_on_every_carrier() {
    for mode in EVERY_MODE {
        for (dialect, carrier) in carriers() {
            let mut world = World::new(&EVERY_MODE);

            let (response, id) = world.connect(dialect, carrier, &good(mode));

            assert_eq!((response.status, response.subprotocol()), (101, Some(dialect.subprotocol())));
            assert_eq!(world.say(id, json!({ "type": "connection_init" }))["type"], "connection_ack", "{mode:?}");
        }
    }
}

#[test]
fn bad_credentials_are_told_in_band_on_every_carrier() {
    // GQL-AUTH-016, GQL-AUTH-017, EVT-AUTH-027
    for mode in EVERY_MODE {
        for (dialect, carrier) in carriers() {
            for (secret, message) in bad(mode) {
                let mut world = World::new(&EVERY_MODE);

                let (response, id) = world.connect(dialect, carrier, &secret);
                let said = world.say(id, json!({ "type": "connection_init" }));

                assert_eq!(response.status, 101);
                assert_eq!(said["type"], "connection_error", "{mode:?} {carrier}");
                let errors = if dialect == Dialect::Graphql { &said["payload"]["errors"] } else { &said["errors"] };
                assert_eq!(
                    (&errors[0]["errorType"], &errors[0]["errorCode"]),
                    (&json!("UnauthorizedException"), &json!(401))
                );
                assert!(errors[0]["message"].as_str().unwrap().starts_with(message), "{mode:?}: {errors}");
            }
        }
    }
}

#[test]
fn each_start_is_judged_by_its_own_credentials_and_a_refusal_leaves_the_connection_open() {
    // GQL-AUTH-012, GQL-AUTH-013, GQL-AUTH-018: connected with one mode, started with all of them.
    let mut world = World::new(&EVERY_MODE);
    let id = world.connected(Dialect::Graphql, &good(Mode::ApiKey));

    for mode in EVERY_MODE {
        for (n, (secret, message)) in bad(mode).into_iter().enumerate() {
            let name = format!("bad-{mode:?}-{n}");
            let said = world.start(id, &name, &secret);
            let expected = if mode == Mode::Iam && n == 0 { "BadRequestException" } else { "UnauthorizedException" };

            assert_eq!((&said["type"], &said["id"]), (&json!("error"), &json!(name)));
            let error = &said["payload"]["errors"][0];
            assert_eq!(error["errorType"], expected, "{mode:?}: {said}");
            assert!(error["message"].as_str().unwrap().starts_with(message), "{error}");
        }
        assert_eq!(world.start(id, &format!("{mode:?}"), &good(mode))["type"], "start_ack", "{mode:?}");
    }
}

#[test]
fn each_subscribe_and_publish_is_judged_by_its_own_credentials() {
    // EVT-AUTH-013, EVT-AUTH-016, EVT-AUTH-027
    for connected_by in EVERY_MODE {
        let mut world = World::new(&EVERY_MODE);
        let id = world.connected(Dialect::Events, &good(connected_by));

        for mode in EVERY_MODE {
            for (n, (secret, _)) in bad(mode).into_iter().enumerate() {
                let expected =
                    if mode == Mode::Iam && n == 0 { "BadRequestException" } else { "UnauthorizedException" };
                let subscribed = world.subscribe(id, "bad", "/default/a", &secret);
                let published = world.publish(id, "bad", "/default/a", &secret);

                assert_eq!(
                    (&subscribed["type"], &subscribed["errors"][0]["errorType"]),
                    (&json!("subscribe_error"), &json!(expected))
                );
                assert_eq!(
                    (&published["type"], &published["errors"][0]["errorType"]),
                    (&json!("publish_error"), &json!(expected))
                );
            }
            let name = format!("{mode:?}");
            assert_eq!(world.subscribe(id, &name, &format!("/other/{name}"), &good(mode))["type"], "subscribe_success");
            assert_eq!(world.publish(id, &name, "/default/a", &good(mode))["type"], "publish_success", "{mode:?}");
        }
    }
}

#[test]
fn http_requests_are_judged_in_each_mode() {
    for mode in EVERY_MODE {
        let mut world = World::new(&EVERY_MODE);

        assert_eq!(world.query(&good(mode)).0, 200, "{mode:?}");
        assert_eq!(world.post("/event", &publish_body("default/a", [EVENT]), Some(&good(mode))).0, 200, "{mode:?}");
        for (n, (secret, message)) in bad(mode).into_iter().enumerate() {
            let (status, error_type) =
                if mode == Mode::Iam && n == 0 { (400, "BadRequestException") } else { (401, "UnauthorizedException") };
            for (got, body) in
                [world.query(&secret), world.post("/event", &publish_body("default/a", [EVENT]), Some(&secret))]
            {
                assert_eq!((got, &body["errors"][0]["errorType"]), (status, &json!(error_type)), "{mode:?}");
                assert!(body["errors"][0]["message"].as_str().unwrap().starts_with(message), "{body}");
            }
        }
    }
}

#[test]
fn an_http_request_without_credentials_or_of_a_mode_that_is_not_enabled_is_told_so() {
    let mut world = World::new(&[Mode::Cognito]);
    let none = world.post("/graphql", QUERY, None);
    let other = world.query(&good(Mode::ApiKey));

    for (status, body) in [none, other] {
        assert_eq!(status, 401);
        assert_eq!(body["errors"][0]["message"], "Valid authorization header not provided.");
    }
}

#[test]
fn a_mode_that_is_not_enabled_is_refused_everywhere() {
    // EVT-AUTH-019
    for mode in EVERY_MODE {
        let others: Vec<Mode> = EVERY_MODE.into_iter().filter(|other| *other != mode).collect();
        let by = good(others[0]);
        for dialect in Dialect::ALL {
            let (_, id) = World::new(&others).connect(dialect, Carrier::Subprotocol, &good(mode));
            let mut world = World::new(&others);
            let refused = world.connect(dialect, Carrier::Subprotocol, &good(mode)).1;
            assert_eq!(id, refused);
            assert_eq!(
                world.say(refused, json!({ "type": "connection_init" }))["type"],
                "connection_error",
                "{mode:?}"
            );
        }
        let mut world = World::new(&others);
        let graphql = world.connected(Dialect::Graphql, &by);
        let events = world.connected(Dialect::Events, &by);

        assert_eq!(world.start(graphql, "s", &good(mode))["type"], "error");
        assert_eq!(world.subscribe(events, "s", "/default/a", &good(mode))["type"], "subscribe_error");
        assert_eq!(world.publish(events, "p", "/default/a", &good(mode))["type"], "publish_error");
        assert_eq!(world.query(&good(mode)).0, 401);
        assert_eq!(world.post("/event", &publish_body("default/a", [EVENT]), Some(&good(mode))).0, 401);
    }
}

#[test]
fn a_namespace_replaces_the_modes_of_its_operations_and_not_those_of_the_connection() {
    // EVT-AUTH-017
    let mut modes = AllowedModes::everywhere(&[Mode::ApiKey]);
    let own = NamespaceModes { publish: Some(vec![Mode::Iam]), subscribe: Some(vec![Mode::Lambda]) };
    modes.namespaces.insert("other".into(), own);
    let mut world = World::with_modes(modes);
    let id = world.connected(Dialect::Events, &good(Mode::ApiKey));

    for (mode, publishes, subscribes) in
        [(Mode::ApiKey, false, false), (Mode::Iam, true, false), (Mode::Lambda, false, true)]
    {
        let published = world.publish(id, "p", "/other/a", &good(mode));
        let subscribed = world.subscribe(id, &format!("{mode:?}"), "/other/*", &good(mode));
        let (status, _) = world.post("/event", &publish_body("/other/a", [EVENT]), Some(&good(mode)));

        assert_eq!(published["type"] == "publish_success", publishes, "{mode:?}");
        assert_eq!(subscribed["type"] == "subscribe_success", subscribes, "{mode:?}");
        assert_eq!(status == 200, publishes, "{mode:?}");
    }
    assert_eq!(world.publish(id, "p", "/default/a", &good(Mode::ApiKey))["type"], "publish_success");
    let (_, refused) = world.connect(Dialect::Events, Carrier::Subprotocol, &good(Mode::Iam));
    assert_eq!(world.say(refused, json!({ "type": "connection_init" }))["type"], "connection_error");
}

#[test]
fn an_operation_without_usable_credentials_is_refused_and_does_not_inherit_any() {
    // EVT-AUTH-021, EVT-AUTH-035, GQL-AUTH-011
    let mut world = World::new(&EVERY_MODE);
    let id = world.connected(Dialect::Events, &good(Mode::ApiKey));

    for authorization in [Value::Null, json!({}), json!([]), json!("da2"), json!({ "x-api-key": 1 })] {
        let said = world.say(
            id,
            json!({ "type": "subscribe", "id": "s", "channel": "/default/a", "authorization": authorization }),
        );
        assert_eq!(said["type"], "subscribe_error", "{authorization}");
    }
    let said = world.say(id, json!({ "type": "subscribe", "id": "s", "channel": "/default/a" }));
    assert_eq!(said["type"], "subscribe_error");
    assert_eq!(world.subscribe(id, "s", "/default/a", &good(Mode::ApiKey))["type"], "subscribe_success");
}

#[test]
fn names_of_members_compare_without_case_and_strangers_are_ignored() {
    // GQL-AUTH-025, GQL-AUTH-026, EVT-AUTH-015, EVT-AUTH-034
    let mut world = World::new(&EVERY_MODE);
    let id = world.connected(Dialect::Events, &good(Mode::ApiKey));
    let iam = good(Mode::Iam).operation(Dialect::Events, HOST, &subscribe_body("/default/a"), NOW).unwrap();
    let key = good(Mode::ApiKey).operation(Dialect::Events, HOST, "", NOW).unwrap();

    for (n, credentials) in [iam, key].into_iter().enumerate() {
        let loud = credentials.iter().fold(Credentials::new(), |object, (n, v)| object.with(n.to_uppercase(), v));
        let more = loud.with("x-amz-user-agent", "aws-amplify/6").with("x-extra", "1").with("Host", "other");
        let authorization: Value = serde_json::from_str(&more.to_json()).unwrap();
        let said = world.say(
            id,
            json!({ "type": "subscribe", "id": format!("{n}"), "channel": "/default/a", "authorization": authorization }),
        );
        assert_eq!(said["type"], "subscribe_success", "{said}");
    }
}

#[test]
fn a_signature_of_another_operation_is_refused_and_the_connection_lives() {
    // GQL-AUTH-014, GQL-AUTH-028, EVT-AUTH-013
    let mut world = World::new(&EVERY_MODE);
    let graphql = world.connected(Dialect::Graphql, &good(Mode::Iam));
    let events = world.connected(Dialect::Events, &good(Mode::Iam));
    let reused = good(Mode::Iam).connect(Dialect::Graphql, HOST, NOW).unwrap();
    let elsewhere = good(Mode::Iam).operation(Dialect::Events, HOST, &subscribe_body("/default/b"), NOW).unwrap();

    let start = world.say(graphql, start("s", &reused));
    let subscribe = world.say(events, subscribe("s", "/default/a", &elsewhere));

    let error = &start["payload"]["errors"][0];
    assert_eq!(
        (&start["type"], &start["id"], &error["errorType"]),
        (&json!("error"), &json!("s"), &json!("BadRequestException"))
    );
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("The Canonical String for this request should have been\n'POST\n/graphql\n")
    );
    assert_eq!(
        (&subscribe["type"], &subscribe["errors"][0]["errorType"]),
        (&json!("subscribe_error"), &json!("BadRequestException"))
    );
    assert_eq!(world.start(graphql, "s", &good(Mode::Iam))["type"], "start_ack");
    assert_eq!(world.subscribe(events, "s", "/default/a", &good(Mode::Iam))["type"], "subscribe_success");
}

#[test]
fn a_malformed_signature_is_a_bad_request_in_the_words_of_each_place() {
    let mut world = World::new(&EVERY_MODE);
    let malformed = Secret::Token("AWS4-HMAC-SHA256 nothing".into());
    let id = world.connected(Dialect::Graphql, &good(Mode::ApiKey));

    let started = world.start(id, "s", &malformed);
    let (status, posted) = world.query(&malformed);
    let (_, refused) = world.connect(Dialect::Graphql, Carrier::Query, &malformed);
    let connected = world.say(refused, json!({ "type": "connection_init" }));

    assert_eq!(started["payload"]["errors"][0]["errorType"], "BadRequestException");
    assert_eq!((status, &posted["errors"][0]["errorType"]), (400, &json!("IncompleteSignatureException")));
    let error = &connected["payload"]["errors"][0];
    assert_eq!((&error["errorType"], &error["errorCode"]), (&json!("BadRequestException"), &json!(400)));
}

#[test]
fn an_authorizer_that_fails_refuses_with_its_own_error() {
    // EVT-AUTH-028, EVT-HTTP-013
    let mut world = World::new(&EVERY_MODE);
    let fails = Secret::Token("fails".into());
    let id = world.connected(Dialect::Events, &good(Mode::ApiKey));

    let subscribed = world.subscribe(id, "s", "/default/a", &fails);
    let (status, body) = world.post("/event", &publish_body("default/a", [EVENT]), Some(&fails));

    assert_eq!(
        (&subscribed["type"], &subscribed["errors"][0]["errorType"]),
        (&json!("subscribe_error"), &json!("AuthorizerFailureException"))
    );
    assert_eq!((status, &body["errors"][0]["errorType"]), (500, &json!("AuthorizerFailureException")));
}

#[test]
fn what_runs_out_is_refused_from_then_on_and_ends_no_connection() {
    // GQL-AUTH-024, EVT-AUTH-032: key, token and signature, all made at the start.
    let mut world = World::new(&EVERY_MODE);
    let token = Secret::Token(jwt("https://id.example.com", NOW + 60));
    let key = Secret::ApiKey("da2-short".into());
    let id = world.connected(Dialect::Graphql, &key);
    let signed = good(Mode::Iam).operation(Dialect::Graphql, HOST, DATA, NOW).unwrap();

    for secret in [&key, &token] {
        assert_eq!(world.start(id, &format!("{secret:?}"), secret)["type"], "start_ack");
    }
    world.at = Moment::START + Duration::from_secs(61);
    for (secret, message) in [(&key, "You are not authorized"), (&token, "Token has expired.")] {
        let said = world.start(id, "late", secret);
        assert!(said["payload"]["errors"][0]["message"].as_str().unwrap().starts_with(message), "{said}");
    }
    assert_eq!(world.say(id, start("signed", &signed))["type"], "start_ack");
    world.at = Moment::START + Duration::from_secs(301);
    world.drain();
    let said = world.say(id, start("stale", &signed));
    assert!(said["payload"]["errors"][0]["message"].as_str().unwrap().starts_with("Signature expired"), "{said}");
    assert_eq!(world.start(id, "fresh", &good(Mode::ApiKey))["type"], "start_ack");
    let (_, refused) = world.connect(Dialect::Graphql, Carrier::Subprotocol, &key);
    assert_eq!(world.say(refused, json!({ "type": "connection_init" }))["type"], "connection_error");
}

#[test]
fn the_authorizer_is_asked_for_the_connection_and_for_each_operation() {
    // GQL-AUTH-020
    let mut world = World::new(&EVERY_MODE);
    let id = world.connected(Dialect::Graphql, &good(Mode::Lambda));

    for name in ["a", "b"] {
        assert_eq!(world.start(id, name, &good(Mode::Lambda))["type"], "start_ack");
    }
    assert_eq!(world.query(&good(Mode::Lambda)).0, 200);

    assert_eq!(world.endpoint.authorizer_calls(), 4);
}

#[test]
fn a_door_that_checks_no_key_takes_any_credentials() {
    for mode in EVERY_MODE {
        let bent = [How::Door(DoorCheck::ConnectKey), How::Door(DoorCheck::HttpKey)];
        let mut world =
            World { endpoint: Endpoint::new(config(AllowedModes::default()), &bent).unwrap(), ..World::new(&[]) };

        let (_, id) = world.connect(Dialect::Events, Carrier::Subprotocol, &bad(mode).remove(0).0);

        assert_eq!(world.say(id, json!({ "type": "connection_init" }))["type"], "connection_ack");
        assert_eq!(world.query(&bad(mode).remove(0).0).0, 200);
    }
}

// Credentials

fn good(mode: Mode) -> Secret {
    match mode {
        Mode::ApiKey => Secret::ApiKey("da2-good".into()),
        Mode::Iam => Secret::Iam(example_keys()),
        Mode::Oidc => Secret::Token(jwt("https://id.example.com", NOW + 86_400)),
        Mode::Cognito => Secret::Token(format!("Bearer {}", jwt("https://pool.example.com", NOW + 86_400))),
        Mode::Lambda => Secret::Token("opaque".into()),
    }
}

/// Bad credentials, and how what is said of them begins.
fn bad(mode: Mode) -> Vec<(Secret, &'static str)> {
    let denied = "You are not authorized to make this call.";
    let token = |token: String| Secret::Token(token);
    match mode {
        Mode::ApiKey => vec![(Secret::ApiKey("da2-bad".into()), denied), (Secret::ApiKey("da2-over".into()), denied)],
        Mode::Iam => vec![
            (
                Secret::Iam(AwsKeys { secret_access_key: "guessed".into(), ..example_keys() }),
                "The request signature we calculated does not match the signature you provided.",
            ),
            (Secret::Iam(AwsKeys { access_key_id: "AKIDNOBODY".into(), ..example_keys() }), denied),
        ],
        Mode::Oidc => vec![
            (token(jwt("https://id.example.com", NOW)), "Token has expired."),
            (token(format!("{}A", jwt("https://id.example.com", NOW + 60))), denied),
        ],
        Mode::Cognito => vec![
            (token(jwt("https://pool.example.com", NOW - 1)), "Token has expired."),
            (token(jwt("https://nobody.example.com", NOW + 60)), denied),
        ],
        Mode::Lambda => vec![(token("denied".into()), denied), (token("stranger".into()), denied)],
    }
}

fn jwt(issuer: &str, end: u64) -> String {
    let claims = json!({ "iss": issuer, "sub": "ann", "exp": end });
    encode(&Header::default(), &claims, &EncodingKey::from_secret(b"shared")).unwrap()
}

fn config(modes: AllowedModes) -> Config {
    let keys = example_keys();
    let text = format!(
        "api-keys = [{{ key = \"da2-good\" }}, {{ key = \"da2-short\", expires = \"2025-01-02T03:05:05Z\" }}, \
         {{ key = \"da2-over\", expires = \"2025-01-02T03:04:05Z\" }}]\n\
         oidc = {{ issuer = \"https://id.example.com\", secret = \"shared\" }}\n\
         cognito = {{ issuer = \"https://pool.example.com\", secret = \"shared\" }}\n\
         lambda = {{ tokens = [{{ token = \"opaque\" }}, {{ token = \"denied\", allow = false }}, \
         {{ token = \"fails\", allow = \"fail\" }}] }}\n\
         [iam]\nregion = \"eu-west-1\"\nkeys = [{{ access-key-id = {:?}, secret-access-key = {:?} }}]\n",
        keys.access_key_id, keys.secret_access_key
    );
    Config { auth: settings(&text), modes, epoch_unix_s: NOW, ..Config::default() }
}

// The world

fn carriers() -> Vec<(Dialect, Carrier)> {
    vec![
        (Dialect::Graphql, Carrier::Query),
        (Dialect::Graphql, Carrier::Subprotocol),
        (Dialect::Graphql, Carrier::Headers),
        (Dialect::Events, Carrier::Subprotocol),
        (Dialect::Events, Carrier::Headers),
    ]
}

struct World {
    endpoint: Endpoint,
    at: Moment,
}

impl World {
    fn new(modes: &[Mode]) -> Self {
        Self::with_modes(AllowedModes::everywhere(modes))
    }

    fn with_modes(modes: AllowedModes) -> Self {
        Self { endpoint: Endpoint::new(config(modes), &[]).unwrap(), at: Moment::START }
    }

    fn connect(&mut self, dialect: Dialect, carrier: Carrier, secret: &Secret) -> (Response, ConnectionId) {
        let path = match dialect {
            Dialect::Graphql => "/graphql/realtime",
            Dialect::Events => "/event/realtime",
        };
        let url = Url { secure: false, host: HOST.into(), path: path.into() };
        let credentials = secret.connect(dialect, HOST, NOW).unwrap();
        let request = build(dialect, carrier, &credentials, &url, "a2V5");
        let (response, id) = self.endpoint.upgrade(self.at, &request);
        (response, id.expect("a connection"))
    }

    fn connected(&mut self, dialect: Dialect, secret: &Secret) -> ConnectionId {
        let (_, id) = self.connect(dialect, Carrier::Subprotocol, secret);
        assert_eq!(self.say(id, json!({ "type": "connection_init" }))["type"], "connection_ack");
        self.drain();
        id
    }

    /// Says something, and returns the first message that comes back.
    fn say(&mut self, id: ConnectionId, message: Value) -> Value {
        self.endpoint.frame(self.at, id, Frame::text(&message.to_string()));
        let mut first = None;
        while let Some((to, frame)) = self.endpoint.poll() {
            if let (true, OwnedFrame::Text { text, .. }) = (to == id, frame) {
                first = first.or(serde_json::from_str(&text).ok());
            }
        }
        first.expect("an answer")
    }

    fn drain(&mut self) {
        self.endpoint.elapse(self.at);
        while self.endpoint.poll().is_some() {}
    }

    fn start(&mut self, id: ConnectionId, name: &str, secret: &Secret) -> Value {
        let credentials = secret.operation(Dialect::Graphql, HOST, DATA, NOW).unwrap();
        self.say(id, start(name, &credentials))
    }

    fn subscribe(&mut self, id: ConnectionId, name: &str, channel: &str, secret: &Secret) -> Value {
        let credentials = secret.operation(Dialect::Events, HOST, &subscribe_body(channel), NOW).unwrap();
        self.say(id, subscribe(name, channel, &credentials))
    }

    fn publish(&mut self, id: ConnectionId, name: &str, channel: &str, secret: &Secret) -> Value {
        let body = publish_body(channel, [EVENT]);
        let credentials = secret.operation(Dialect::Events, HOST, &body, NOW).unwrap();
        self.say(
            id,
            json!({
                "type": "publish", "id": name, "channel": channel, "events": [EVENT],
                "authorization": object(&credentials),
            }),
        )
    }

    fn query(&mut self, secret: &Secret) -> (u16, Value) {
        self.post("/graphql", QUERY, Some(secret))
    }

    fn post(&mut self, path: &str, body: &str, secret: Option<&Secret>) -> (u16, Value) {
        let headers = Headers::new().with("Host", HOST).with("content-type", "application/json");
        let mut request = Request { method: "POST".into(), target: path.into(), headers, body: body.into() };
        if let Some(secret) = secret {
            secret.http(&mut request, NOW).unwrap();
        }
        let response = self.endpoint.http(self.at, &request).response;
        (response.status, serde_json::from_slice(&response.body.0).unwrap())
    }
}

fn start(id: &str, credentials: &Credentials) -> Value {
    let extensions = json!({ "authorization": object(credentials) });
    json!({ "type": "start", "id": id, "payload": { "data": DATA, "extensions": extensions } })
}

fn subscribe(id: &str, channel: &str, credentials: &Credentials) -> Value {
    json!({ "type": "subscribe", "id": id, "channel": channel, "authorization": object(credentials) })
}

fn object(credentials: &Credentials) -> Value {
    serde_json::from_str(&credentials.to_json()).unwrap()
}
