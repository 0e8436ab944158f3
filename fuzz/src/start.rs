//! What a `start` carries: GraphQL requests, on the built-in API.
//!
//! The invariant: any text is planned or refused, and asking twice gives the same; a request that is planned is a JSON
//! object whose `query` is a text and whose plan names a field of the subscription type; the hub that is told to start
//! it answers with `start_ack` or `error` and nothing else, and a conversation beside it finds nothing against the server;
//! over HTTP the same body is answered with JSON and an honest status.

use std::sync::LazyLock;

use appsync_protocol::conversation::Conversation;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::build;
use appsync_protocol::handshake::{Carrier, Credentials, Url};
use appsync_protocol::json::parse_json;
use appsync_protocol::moment::Moment;
use appsync_protocol::server::Identity;
use appsync_protocol::wire::{Frame, OwnedFrame, Side};
use serde_json::{Value, json};
use syncspec::reference::Config;
use syncspec::reference::graphql::Engine;
use syncspec::selftest::stage;

use crate::reach::Point;

static PLANNED: Point = Point::new("start/planned");
static REFUSED: Point = Point::new("start/refused");
static GRANTED: Point = Point::new("start/granted");
static EXECUTED: Point = Point::new("start/executed");
/// Where the oracle speaks.
pub static POINTS: [&Point; 4] = [&PLANNED, &REFUSED, &GRANTED, &EXECUTED];

static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::configured(&Config::default().graphql).unwrap_or_else(|error| panic!("{error}")));

/// One input: the text of the request.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let who = Identity::default();
    let planned = ENGINE.subscribe(text, &who);
    assert_eq!(format!("{planned:?}"), format!("{:?}", ENGINE.subscribe(text, &who)));
    match &planned {
        Ok(plan) => {
            PLANNED.reached();
            let request = parse_json(text).unwrap_or_default();
            assert!(request["query"].is_string(), "{text}");
            assert!(ENGINE.subscription_fields().any(|field| field == plan.field), "{plan:?}");
        }
        Err(_) => REFUSED.reached(),
    }
    let granted = over_the_socket(text);
    assert_eq!(granted, planned.is_ok(), "{text}: {planned:?}");
    let mut engine = ENGINE.fresh();
    let executed = engine.execute(input, &who);
    EXECUTED.reached();
    let answer: Value =
        serde_json::from_str(&executed.body).unwrap_or_else(|error| panic!("{error}: {}", executed.body));
    assert!(executed.status == 200 || executed.status == 400 && executed.events.is_empty(), "{}", executed.status);
    assert!(answer.get("data").is_some() || answer["errors"].is_array(), "{answer}");
}

/// Starts it on the endpoint; whether it was granted.
fn over_the_socket(data: &str) -> bool {
    let config = Config::default();
    let key = config.api_key().to_owned();
    let mut endpoint = stage::endpoint(config, &[]);
    let url = Url { secure: false, host: "localhost".into(), path: "/graphql/realtime".into() };
    let credentials = Credentials::api_key("localhost", key);
    let request = build(Dialect::Graphql, Carrier::Subprotocol, &credentials, &url, "c3luY3NwZWMtZXhhbXBsZQ==");
    let (response, connection) = endpoint.upgrade(Moment::START, &request);
    let connection = connection.unwrap_or_else(|| panic!("the upgrade was answered with {}", response.status));
    let mut conversation = Conversation::new(Dialect::Graphql);
    let authorization = parse_json(&credentials.to_json()).unwrap_or_default();
    let start = json!({
        "type": "start", "id": "s", "payload": { "data": data, "extensions": { "authorization": authorization } },
    });
    let mut last = String::new();
    for said in [r#"{"type":"connection_init"}"#.to_owned(), start.to_string()] {
        conversation.observe(Moment::START, Side::Client, Frame::text(&said));
        endpoint.frame(Moment::START, connection, Frame::text(&said));
        // Grants settle and answers may take their time.
        endpoint.elapse(Moment::from_millis(1));
        while let Some((_, frame)) = endpoint.poll() {
            let findings = conversation.observe(Moment::from_millis(1), Side::Server, frame.borrow()).findings;
            assert!(findings.is_empty(), "{data}: {findings:?}");
            if let OwnedFrame::Text { text, .. } = frame {
                last = text;
            }
        }
    }
    let message = parse_json(&last).unwrap_or_default();
    let granted = message["type"] == "start_ack";
    if granted {
        GRANTED.reached();
    }
    assert!(message["id"] == "s" && (granted || message["type"] == "error"), "{data}: {last}");
    granted
}
