//! What unmodified clients need of an endpoint, each need as a test of `syncspec serve`.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod peers;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::base64::encode_standard;
use appsync_protocol::handshake::{Carrier, Credentials, Url};
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::server::Mode;
use appsync_protocol::wire::{OwnedFrame, Request};
use peers::command::{Running, fresh, start_with};
use peers::targets::KEY;
use serde_json::json;
use syncspec::auth::sign::{Secret, publish_body, subscribe_body};
use syncspec::auth::{AwsKeys, Keyring};
use syncspec::link::{DialOptions, Dialer, Opened, Socket};
use syncspec::scenario::Cast;
use syncspec::scenario::cast::{SUBSCRIBE_TO_CHANNEL, request_body};
use tokio::time::timeout;

/// After this nothing comes any more.
const TOO_LONG: Duration = Duration::from_secs(30);

/// A served endpoint, and what is needed to speak to it.
struct Served {
    _running: Running,
    authority: String,
    secure: bool,
    dialer: Dialer,
    keyring: Keyring,
}

fn serve(arguments: &[&str], ca: Option<&str>) -> Served {
    let whole = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
    let mut running = start_with(&whole, &[("SYNCSPEC_API_KEY", KEY)]);
    let url = loop {
        let line = running.until("");
        if let Some(url) = line.strip_prefix("READY ") {
            break url.to_owned();
        }
    };
    let ca = ca.map(|path| fs::read(path).unwrap());
    Served {
        _running: running,
        authority: url.split('/').nth(2).unwrap().to_owned(),
        secure: ca.is_some(),
        dialer: Dialer::new(DialOptions { ca, ..DialOptions::default() }).unwrap(),
        keyring: Keyring::default(),
    }
}

fn configured(name: &str, text: &str) -> Served {
    let path = fresh(name);
    fs::write(&path, text).unwrap();
    serve(&["--config", path.to_str().unwrap()], None)
}

impl Served {
    fn url(&self, path: &str) -> Url {
        Url { secure: self.secure, host: self.authority.clone(), path: path.into() }
    }

    fn cast(&self, dialect: Dialect) -> Cast {
        let (http_path, path) = match dialect {
            Dialect::Graphql => ("/graphql", "/graphql/realtime"),
            Dialect::Events => ("/event", "/event/realtime"),
        };
        Cast {
            prefix: "client".into(),
            api_key: KEY.into(),
            keyring: self.keyring.clone(),
            now_unix_s: std::time::UNIX_EPOCH.elapsed().unwrap().as_secs(),
            auth_host: self.authority.clone(),
            http_path: http_path.into(),
            realtime: self.url(path),
            ..Cast::example(dialect)
        }
    }

    async fn open(&self, request: &Request) -> Opened {
        let path = request.target.split('?').next().unwrap();
        self.dialer.open(&self.url(path), request).await.unwrap()
    }

    /// A connection that was acknowledged.
    async fn connected(&self, request: &Request) -> Client {
        let mut client = Client(self.open(request).await.socket.expect("101"));
        client.say(r#"{"type":"connection_init"}"#).await;
        client.until("connection_ack").await;
        client
    }

    async fn client(&self, dialect: Dialect) -> Client {
        self.connected(&self.cast(dialect).usual_upgrade()).await
    }

    async fn post(&self, request: &Request) -> (u16, Json) {
        let response = self.dialer.http(&self.url(&request.target), request).await.unwrap();
        (response.status, parse_json(&response.body.text()).unwrap_or_default())
    }
}

/// One connection.
struct Client(Socket);

impl Client {
    async fn say(&mut self, text: &str) {
        self.0.send(&OwnedFrame::text(text)).await.unwrap();
    }

    /// The next message; `None` at the end of the connection.
    async fn next(&mut self) -> Option<Json> {
        loop {
            match timeout(TOO_LONG, self.0.next()).await.expect("something comes") {
                OwnedFrame::Text { text, .. } => return Some(parse_json(&text).expect("JSON")),
                OwnedFrame::Close { .. } | OwnedFrame::Lost => return None,
                OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) => {}
            }
        }
    }

    /// The next message of this type; others are passed over.
    async fn until(&mut self, word: &str) -> Json {
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("the end instead of {word}"));
            if message["type"] == word {
                return message;
            }
        }
    }
}

#[tokio::test]
async fn one_port_serves_upgrades_and_requests_of_both_protocols() {
    let served = serve(&[], None);
    let (graphql, events) = (served.cast(Dialect::Graphql), served.cast(Dialect::Events));

    for (cast, path) in [(&graphql, "/graphql/realtime"), (&graphql, "/graphql"), (&events, "/event/realtime")] {
        let cast = Cast { realtime: served.url(path), ..cast.clone() };
        assert_eq!(served.open(&cast.usual_upgrade()).await.response.status, 101, "{path}");
    }
    assert_eq!(served.post(&graphql.publish_to_channel("room", "n")).await.0, 200);
    assert_eq!(served.post(&events.http_publish("/default/room", &[json!("n")])).await.0, 200);
}

#[tokio::test]
async fn tls_is_valid_for_the_loopback_address_and_for_localhost() {
    let path = fresh("needs-ca.pem");
    let path = path.to_str().unwrap();
    let mut served = serve(&["--tls", "self-signed", "--tls-ca-out", path], None);
    served.secure = true;
    let ca = Some(fs::read(path).unwrap());
    served.dialer = Dialer::new(DialOptions { ca, ..DialOptions::default() }).unwrap();
    let port = served.authority.rsplit(':').next().unwrap().to_owned();

    for host in ["127.0.0.1", "localhost"] {
        served.authority = format!("{host}:{port}");
        served.client(Dialect::Events).await;
    }
}

#[tokio::test]
async fn credentials_are_read_from_the_subprotocol_the_query_and_header_fields() {
    let served = serve(&[], None);
    for dialect in [Dialect::Graphql, Dialect::Events] {
        let cast = served.cast(dialect);
        for carrier in [Carrier::Subprotocol, Carrier::Headers, Carrier::Query] {
            if dialect == Dialect::Graphql || carrier != Carrier::Query {
                served.connected(&cast.upgrade(carrier, &cast.credentials())).await;
            }
        }
    }
}

#[tokio::test]
async fn a_plus_in_base64_that_was_not_percent_encoded_is_no_space() {
    let served = serve(&[], None);
    let cast = served.cast(Dialect::Graphql);
    let with = |padding: usize| cast.credentials().with("x-padding", "~".repeat(padding)).to_json();
    let header = (1..9).map(|n| encode_standard(with(n).as_bytes())).find(|text| text.contains('+')).unwrap();
    let mut request = cast.usual_upgrade();
    request.target = format!("/graphql/realtime?header={header}&payload=e30=");

    served.connected(&request).await;
}

#[tokio::test]
async fn exactly_the_protocol_is_echoed_and_compression_is_declined() {
    let served = serve(&[], None);
    for (dialect, name) in [(Dialect::Graphql, "graphql-ws"), (Dialect::Events, "aws-appsync-event-ws")] {
        let cast = served.cast(dialect);
        let mut request = cast.upgrade(Carrier::Subprotocol, &cast.credentials());
        request.headers.push("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");

        let response = served.open(&request).await.response;

        assert_eq!((response.status, response.subprotocol()), (101, Some(name)));
        assert_eq!(response.headers.first("sec-websocket-extensions"), None);
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_after_the_upgrade_with_type_and_code() {
    let served = serve(&[], None);
    for dialect in [Dialect::Graphql, Dialect::Events] {
        let cast = served.cast(dialect);
        let request = cast.upgrade(Carrier::Subprotocol, &cast.wrong_credentials());
        let mut client = Client(served.open(&request).await.socket.expect("101"));
        client.say(r#"{"type":"connection_init"}"#).await;

        let refusal = client.until("connection_error").await;

        let error = refusal.pointer("/payload/errors/0").or_else(|| refusal.pointer("/errors/0")).unwrap();
        assert_eq!((&error["errorType"], &error["errorCode"]), (&json!("UnauthorizedException"), &json!(401)));
    }
}

#[tokio::test]
async fn names_of_credentials_are_read_without_case_and_others_are_ignored() {
    let served = serve(&[], None);
    let cast = served.cast(Dialect::Graphql);
    let host = &cast.auth_host;
    for credentials in [
        Credentials::new().with("X-API-KEY", KEY).with("HOST", host).with("x-amz-user-agent", "some-client/1"),
        Credentials::new().with("x-api-key", KEY).with("X-Api-Key", KEY).with("host", host),
    ] {
        served.connected(&cast.upgrade(Carrier::Subprotocol, &credentials)).await;
    }
}

#[tokio::test]
async fn the_host_of_credentials_may_be_bare_with_a_port_chosen_or_a_url() {
    let served = configured("needs-hosts.toml", "hosts = [\"api.chosen.example\"]\n");
    let cast = served.cast(Dialect::Graphql);
    let url = format!("http://{}/graphql", served.authority);
    for host in [&served.authority, "127.0.0.1", "api.chosen.example", url.as_str()] {
        let credentials = Credentials::new().with("x-api-key", KEY).with("host", host);
        served.connected(&cast.upgrade(Carrier::Subprotocol, &credentials)).await;
    }
}

#[tokio::test]
async fn signatures_of_connections_starts_subscribes_and_publishes_are_verified() {
    let mut served = configured(
        "needs-iam.toml",
        r#"
        auth.iam = { region = "us-east-1", keys = [{ access-key-id = "AKIDEXAMPLE", secret-access-key = "of-tests" }] }
        graphql.modes = ["iam"]
        [events]
        connect-modes = ["iam"]
        publish-modes = ["iam"]
        subscribe-modes = ["iam"]
        "#,
    );
    let keys = AwsKeys {
        access_key_id: "AKIDEXAMPLE".into(),
        secret_access_key: "of-tests".into(),
        session_token: None,
        region: "us-east-1".into(),
    };
    served.keyring = Keyring { main: Mode::Iam, ..Keyring::default().with(Mode::Iam, Secret::Iam(keys)) };
    let (graphql, events) = (served.cast(Dialect::Graphql), served.cast(Dialect::Events));

    let mut client = served.client(Dialect::Graphql).await;
    client.say(&graphql.start_channel("s", "room")).await;
    client.until("start_ack").await;
    let mut client = served.client(Dialect::Events).await;
    client.say(&events.subscribe("s", "/default/room")).await;
    client.until("subscribe_success").await;
    client.say(&events.publish("p", "/default/room", &[json!(1)])).await;
    client.until("publish_success").await;
    // Another body than the one that was signed.
    let other = events.authorization_of(&subscribe_body("/default/other"));
    client.say(&events.subscribe_as("t", "/default/room", &other)).await;
    client.until("subscribe_error").await;
    let other = events.authorization_of(&publish_body("/default/room", ["2"]));
    client.say(&events.publish_as("q", "/default/room", &[json!(3)], &other)).await;
    client.until("publish_error").await;
}

#[tokio::test]
async fn an_init_with_or_without_payload_is_acknowledged_with_the_timeout_in_its_place() {
    let served = serve(&[], None);
    for (dialect, place) in
        [(Dialect::Graphql, "/payload/connectionTimeoutMs"), (Dialect::Events, "/connectionTimeoutMs")]
    {
        for init in [r#"{"type":"connection_init"}"#, r#"{"type":"connection_init","payload":{}}"#] {
            let cast = served.cast(dialect);
            let mut client = Client(served.open(&cast.usual_upgrade()).await.socket.unwrap());
            client.say(init).await;

            let ack = client.until("connection_ack").await;

            assert_eq!(ack.pointer(place), Some(&json!(300_000)));
        }
    }
}

#[tokio::test]
async fn keep_alives_follow_the_acknowledgement_and_go_on_and_pings_are_answered() {
    let served = serve(&["--ka", "200ms"], None);
    for dialect in [Dialect::Graphql, Dialect::Events] {
        let mut client = served.client(dialect).await;
        assert_eq!(client.next().await.unwrap()["type"], "ka");
        client.until("ka").await;
        client.0.send(&OwnedFrame::Ping(b"there?".to_vec())).await.unwrap();
        let pong = async { while client.0.next().await != OwnedFrame::Pong(b"there?".to_vec()) {} };
        timeout(TOO_LONG, pong).await.expect("a pong comes");
    }
}

#[tokio::test]
async fn ids_come_back_as_they_were_and_may_be_used_on_each_connection() {
    let served = serve(&[], None);
    let cast = served.cast(Dialect::Graphql);
    for id in ["1", "weiß + \u{1f980}/\\\"", "0b5ad1cd-b6c3-4fbe-a1e2-1a2b3c4d5e6f"] {
        for _ in 0..2 {
            let mut client = served.client(Dialect::Graphql).await;
            client.say(&cast.start_channel(id, "room")).await;
            assert_eq!(client.until("start_ack").await["id"], id);
        }
    }
}

#[tokio::test]
async fn a_start_that_is_sent_twice_leaves_a_subscription_that_works() {
    let served = serve(&[], None);
    let cast = served.cast(Dialect::Graphql);
    let mut client = served.client(Dialect::Graphql).await;
    let start = cast.start_channel("s", "room");
    client.say(&start).await;
    client.say(&start).await;
    client.until("start_ack").await;

    served.post(&cast.publish_to_channel("room", "client-event")).await;

    assert_eq!(client.until("data").await["id"], "s");
}

#[tokio::test]
async fn nothing_but_documented_messages_comes_and_every_payload_is_an_object() {
    let served = serve(&["--ka", "200ms"], None);
    let cast = served.cast(Dialect::Graphql);
    let mut client = Client(served.open(&cast.usual_upgrade()).await.socket.unwrap());
    client.say(r#"{"type":"connection_init"}"#).await;
    client.say(&cast.start_channel("s", "room")).await;
    client.say(&cast.start("bad", "subscription { noSuchField }", &Json::Null)).await;
    let mut seen = BTreeSet::new();
    while !seen.contains("complete") {
        let message = client.next().await.unwrap();
        let word = message["type"].as_str().unwrap().to_owned();
        assert!(message.get("payload").is_none_or(Json::is_object), "{message}");
        assert!(word != "error" || message["id"].is_string(), "{message}");
        match word.as_str() {
            "start_ack" => assert_eq!(served.post(&cast.publish_to_channel("room", "client-event")).await.0, 200),
            "data" => client.say(r#"{"type":"stop","id":"s"}"#).await,
            _ => {}
        }
        seen.insert(word);
    }

    let known = ["connection_ack", "ka", "start_ack", "data", "error", "complete"];
    assert!(seen.iter().all(|word| known.contains(&word.as_str())), "{seen:?}");
    assert!(seen.contains("data") && seen.contains("error"), "{seen:?}");
}

#[tokio::test]
async fn typename_is_answered_and_arguments_filter() {
    let served = serve(&[], None);
    let cast = served.cast(Dialect::Graphql);
    let mut client = served.client(Dialect::Graphql).await;
    let document = SUBSCRIBE_TO_CHANNEL.replace("{ name", "{ __typename name");
    client.say(&cast.start("s", &document, &json!({ "n": "room" }))).await;
    client.until("start_ack").await;

    served.post(&cast.publish_to_channel("elsewhere", "client-other")).await;
    let variables = json!({ "n": "room", "d": "{}" });
    let mutation =
        "mutation M($n: String!, $d: AWSJSON!) { publish2channel(name: $n, data: $d) { __typename name data } }";
    let (status, answer) = served.post(&cast.post(&request_body(mutation, &variables))).await;
    let event = client.until("data").await;

    assert_eq!((status, &answer["data"]["publish2channel"]["__typename"]), (200, &json!("Channel")));
    let event = &event["payload"]["data"]["subscribe2channel"];
    assert_eq!((&event["__typename"], &event["name"]), (&json!("Channel"), &json!("room")));
}

#[tokio::test]
async fn stop_is_answered_by_complete_and_unsubscribe_by_its_success() {
    let served = serve(&[], None);
    let mut graphql = served.client(Dialect::Graphql).await;
    graphql.say(&served.cast(Dialect::Graphql).start_channel("s", "room")).await;
    graphql.until("start_ack").await;
    graphql.say(r#"{"type":"stop","id":"s"}"#).await;
    let mut events = served.client(Dialect::Events).await;
    events.say(&served.cast(Dialect::Events).subscribe("s", "/default/room")).await;
    events.until("subscribe_success").await;
    events.say(r#"{"type":"unsubscribe","id":"s"}"#).await;

    assert_eq!(graphql.until("complete").await["id"], "s");
    assert_eq!(events.until("unsubscribe_success").await["id"], "s");
}

#[tokio::test]
async fn a_socket_that_stays_silent_is_dropped_and_nobody_else() {
    let served = configured("needs-ping.toml", "[connections]\nping-after = \"100ms\"\n");
    let request = served.cast(Dialect::Events).usual_upgrade();
    let mut silent = TcpStream::connect(&served.authority).unwrap();
    silent.set_read_timeout(Some(TOO_LONG)).unwrap();
    let fields: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let (target, host) = (&request.target, &served.authority);
    let head = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n{fields}\r\n");
    silent.write_all(head.as_bytes()).unwrap();
    let mut other = served.client(Dialect::Events).await;

    let ended = tokio::task::spawn_blocking(move || {
        let mut all = Vec::new();
        silent.read_to_end(&mut all).map(|_| all)
    });
    let mut ended = ended;
    let all = loop {
        // A client that reads answers pings.
        tokio::select! {
            all = &mut ended => break all.unwrap().expect("the end comes"),
            frame = other.0.next() => assert!(!matches!(frame, OwnedFrame::Lost | OwnedFrame::Close { .. })),
        }
    };

    assert!(all.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&all));
    other.say(&served.cast(Dialect::Events).subscribe("s", "/default/room")).await;
    other.until("subscribe_success").await;
}

#[tokio::test]
async fn an_event_is_one_string_in_a_message_of_its_own_and_channels_need_no_leading_slash() {
    let served = serve(&[], None);
    let cast = served.cast(Dialect::Events);
    let mut client = served.client(Dialect::Events).await;
    let doubled = cast.subscribe("s", "default/room").replacen('{', r#"{"payload":{"data":"again"},"#, 1);
    client.say(&doubled).await;
    client.until("subscribe_success").await;

    let (status, answer) = served.post(&cast.http_publish("/default/room", &[json!({ "n": 1 }), json!("two")])).await;
    let (first, second) = (client.until("data").await, client.until("data").await);

    assert_eq!((status, &answer["failed"]), (200, &json!([])));
    assert_eq!(answer["successful"].as_array().unwrap().len(), 2);
    assert_eq!((&first["event"], &second["event"]), (&json!(r#"{"n":1}"#), &json!(r#""two""#)));
}

#[tokio::test]
async fn any_way_to_leave_and_any_origin_is_taken() {
    let served = serve(&[], None);
    for dialect in [Dialect::Graphql, Dialect::Events] {
        let mut request = served.cast(dialect).usual_upgrade();
        request.headers.push("Origin", "https://somewhere.else.example");
        let mut stays = served.connected(&request).await;
        for code in [1000, 3001] {
            let mut leaves = served.connected(&request).await;
            leaves.0.send(&OwnedFrame::Close { code: Some(code), reason: String::new() }).await.unwrap();
            while leaves.next().await.is_some() {}
        }
        drop(served.connected(&request).await);

        stays.0.send(&OwnedFrame::Ping(b"x".to_vec())).await.unwrap();
        let pong = async { while stays.0.next().await != OwnedFrame::Pong(b"x".to_vec()) {} };
        timeout(TOO_LONG, pong).await.expect("a pong comes");
    }
}
