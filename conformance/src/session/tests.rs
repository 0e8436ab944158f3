//! The session against the embedded reference endpoint.

use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::client::{ClientConfig, ClientEvent, Purpose};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Credentials};
use appsync_protocol::wire::Request;
use tokio::time::timeout;

use super::*;
use crate::auth::sign::Secret;
use crate::link::DialOptions;
use crate::reference::Config;
use crate::run::Endpoint;
use crate::target::Embedded;

/// After this a session has gone wrong.
const TOO_LONG: Duration = Duration::from_secs(30);

struct Nobody;

impl CredentialSource for Nobody {
    fn credentials(&self, _purpose: &Purpose, _body: &str) -> Result<Credentials, String> {
        Err("the purse is empty".into())
    }

    fn authorise(&self, _request: &mut Request) -> Result<(), String> {
        Err("the purse is empty".into())
    }
}

fn endpoint(embedded: &Embedded, dialect: Dialect) -> Endpoint {
    embedded.endpoints().into_iter().find(|endpoint| endpoint.dialect == dialect).unwrap()
}

fn session(endpoint: &Endpoint, source: Arc<dyn CredentialSource>) -> Session {
    Session::new(SessionOptions {
        config: ClientConfig::new(endpoint.dialect),
        dialer: Dialer::new(DialOptions::default()).unwrap(),
        realtime: endpoint.realtime.clone(),
        carrier: Carrier::Subprotocol,
        source,
        seed: 1,
    })
}

fn holder(endpoint: &Endpoint, key: &str) -> Arc<dyn CredentialSource> {
    let secret = Secret::ApiKey(key.into());
    Arc::new(Holder { secret, dialect: endpoint.dialect, host: endpoint.auth_host.clone() })
}

/// The next event of the client, in the words of its `Debug`, up to one that begins with this.
async fn until(session: &mut Session, text: &str) -> ClientEvent {
    let mut seen = Vec::new();
    loop {
        let news = timeout(TOO_LONG, session.next()).await;
        let Ok(news) = news else { panic!("no {text} after {seen:?}") };
        if let News::Told(event) = news {
            if format!("{event:?}").starts_with(text) {
                return event;
            }
            seen.push(event);
        }
    }
}

#[tokio::test]
async fn a_session_subscribes_hears_what_it_publishes_and_closes() {
    let embedded = Embedded::start(Config::default()).unwrap();
    let endpoint = endpoint(&embedded, Dialect::Events);
    let mut session = session(&endpoint, holder(&endpoint, &endpoint.api_key));

    session.subscribe("a", "/default/a").unwrap();
    until(&mut session, "Subscribed(\"a\")").await;
    session.publish("p", "/default/a", &["[1]"]).unwrap();
    let data = until(&mut session, "Data(\"a\"").await;
    session.close().unwrap();

    assert_eq!(data, ClientEvent::Data { id: "a".into(), body: "\"[1]\"".into() });
    assert_eq!(until(&mut session, "Closed").await, ClientEvent::Closed { clean: true });
}

#[tokio::test]
async fn a_session_whose_waiting_is_cancelled_again_and_again_loses_nothing() {
    let embedded = Embedded::start(Config::default()).unwrap();
    let endpoint = endpoint(&embedded, Dialect::Graphql);
    let mut session = session(&endpoint, holder(&endpoint, &endpoint.api_key));
    session.subscribe("a", r#"{"query":"subscription { onNote { id } }","variables":{}}"#).unwrap();

    let course = async {
        loop {
            tokio::select! {
                biased;
                news = session.next() => if let News::Told(ClientEvent::Subscribed { id }) = news {
                    return id;
                },
                () = tokio::task::yield_now() => {}
            }
        }
    };

    assert_eq!(timeout(TOO_LONG, course).await.ok().as_deref(), Some("a"));
}

#[tokio::test]
async fn a_refused_key_ends_the_session_for_good() {
    let embedded = Embedded::start(Config::default()).unwrap();
    for dialect in Dialect::ALL {
        let endpoint = endpoint(&embedded, dialect);
        let mut session = session(&endpoint, holder(&endpoint, "da2-wrong"));
        session.connect().unwrap();

        let failed = until(&mut session, "Failed").await;

        assert!(format!("{failed:?}").contains("UnauthorizedException"), "{failed:?}");
    }
}

#[tokio::test]
async fn a_source_without_credentials_is_told_and_can_be_closed() {
    let embedded = Embedded::start(Config::default()).unwrap();
    let mut session = session(&endpoint(&embedded, Dialect::Events), Arc::new(Nobody));
    session.connect().unwrap();

    let news = timeout(TOO_LONG, session.next()).await.unwrap();

    assert!(
        matches!(&news, News::NoCredentials { purpose: Purpose::Connect, why } if why.contains("purse")),
        "{news:?}"
    );
    session.close().unwrap();
    assert_eq!(until(&mut session, "Closed").await, ClientEvent::Closed { clean: true });
}
