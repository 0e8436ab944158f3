//! Honest clients: sessions that subscribe, unsubscribe, publish, leave and come again, and tell the ledger all of it.
//!
//! Those on straight wires may lose nothing and must never be dropped. Those on broken ones lose connections and come
//! back by themselves; what the model owes them ends with each connection and begins anew with each grant.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::client::{ClientConfig, ClientEvent, ClientTimers, Ending};
use appsync_protocol::delivery::{Interest, SubscriptionKey};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::Carrier;
use appsync_protocol::message::Operation;
use serde_json::Value;
use syncspec::auth::sign::Secret;
use syncspec::session::{Holder, News, Session, SessionOptions};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::child::KEY;
use crate::payload::{SIZE_REFUSED, size};
use crate::topics::{channel, on_channel, topic};
use crate::world::{Phase, World, rest};

/// Subscriptions of one client at the same time.
const SUBSCRIPTIONS_MAX: usize = 4;
/// For one answer. Longer than any wire stalls; a machine may be busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);

/// One honest client.
pub(crate) struct Client {
    /// Shared by all.
    pub(crate) world: Arc<World>,
    /// Of what it does.
    pub(crate) rng: fastrand::Rng,
    /// What it speaks.
    pub(crate) dialect: Dialect,
    /// Whether its wires hold.
    pub(crate) is_straight: bool,
}

impl Client {
    /// Lives until the end of the run, one session after the other.
    pub(crate) async fn run(mut self, mut phase: watch::Receiver<Phase>) {
        // They do not come all at once.
        let late = Duration::from_millis(self.rng.u64(..2_000));
        let mut goes_on = rest(&mut phase, late).await;
        while goes_on {
            Life::new(&mut self).run(&mut phase).await;
            let pause = Duration::from_millis(self.rng.u64(..500));
            goes_on = rest(&mut phase, pause).await;
        }
    }

    fn session(&mut self) -> Session {
        let config = ClientConfig {
            timers: ClientTimers { ack: PATIENCE, answer: PATIENCE, drain: PATIENCE, ..ClientTimers::default() },
            ..ClientConfig::new(self.dialect)
        };
        let dialer = if self.is_straight { &self.world.straight } else { &self.world.broken };
        // Events knows one carrier only.
        let carrier = match self.dialect {
            Dialect::Graphql => [Carrier::Subprotocol, Carrier::Query][self.rng.usize(..2)],
            Dialect::Events => Carrier::Subprotocol,
        };
        let holder =
            Holder { secret: Secret::ApiKey(KEY.into()), dialect: self.dialect, host: self.world.url.host.clone() };
        Session::new(SessionOptions {
            config,
            dialer: dialer.clone(),
            realtime: self.world.realtime(self.dialect),
            carrier,
            source: Arc::new(holder),
            seed: self.rng.u64(..),
        })
    }
}

/// One session.
struct Life<'c> {
    client: &'c mut Client,
    session: Session,
    connection: u32,
    subscriptions: BTreeMap<String, Subscription>,
    /// Nonces by the id of their publish, and whether they are to be accepted.
    publishes: BTreeMap<String, (Vec<String>, bool)>,
    next_act: Instant,
    ids: u64,
    is_closing: bool,
}

struct Subscription {
    key: SubscriptionKey,
    interest: Interest,
    is_live: bool,
}

impl<'c> Life<'c> {
    fn new(client: &'c mut Client) -> Self {
        Self {
            session: client.session(),
            connection: client.world.connection(),
            client,
            subscriptions: BTreeMap::new(),
            publishes: BTreeMap::new(),
            next_act: Instant::now(),
            ids: 0,
            is_closing: false,
        }
    }

    async fn run(mut self, phase: &mut watch::Receiver<Phase>) {
        self.subscribe();
        loop {
            let now = *phase.borrow_and_update();
            if now == Phase::Close && !self.is_closing && self.close().is_break() {
                break;
            }
            let acts = now == Phase::Load && !self.is_closing;
            tokio::select! {
                news = self.session.next() => if self.hear(news).is_break() { break },
                () = sleep_until(self.next_act), if acts => if self.act().is_break() { break },
                changed = phase.changed() => if changed.is_err() { break },
            }
        }
        for subscription in self.subscriptions.values() {
            self.client.world.ledger(|ledger, at| ledger.ended(at, &subscription.key));
        }
    }

    fn act(&mut self) -> ControlFlow<()> {
        self.next_act = Instant::now() + Duration::from_millis(self.client.rng.u64(300..3_000));
        match self.client.rng.u8(..100) {
            0..35 if self.subscriptions.len() < SUBSCRIPTIONS_MAX => self.subscribe(),
            0..50 => self.unsubscribe(),
            50..54 => return self.close(),
            _ if self.client.dialect == Dialect::Events => self.publish(),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn subscribe(&mut self) {
        let topic = topic(&mut self.client.rng, self.client.dialect);
        let id = self.id();
        let key = SubscriptionKey { connection: self.connection, id: id.clone(), generation: 0 };
        self.client.world.ledger(|ledger, at| ledger.asked(at, key.clone(), topic.interest.clone()));
        // Nothing is sent before the session is polled.
        match self.session.subscribe(&id, &topic.ask) {
            Ok(()) => {
                let subscription = Subscription { key, interest: topic.interest, is_live: false };
                self.subscriptions.insert(id, subscription);
            }
            Err(error) => {
                self.client.world.ledger(|ledger, at| ledger.ended(at, &key));
                self.client.world.complain(format!("a session cannot subscribe: {error}"));
            }
        }
    }

    fn unsubscribe(&mut self) {
        let live: Vec<&String> = self.subscriptions.iter().filter(|(_, s)| s.is_live).map(|(id, _)| id).collect();
        let Some(id) = live.get(self.client.rng.usize(..live.len().max(1))).map(|id| (*id).clone()) else { return };
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        subscription.is_live = false;
        self.client.world.ledger(|ledger, at| ledger.leaving(at, &subscription.key));
        if let Err(error) = self.session.unsubscribe(&id) {
            self.client.world.complain(format!("a session cannot unsubscribe: {error}"));
        }
    }

    fn publish(&mut self) {
        let rng = &mut self.client.rng;
        let channel = channel(rng);
        let sizes: Vec<usize> = match rng.u8(..100) {
            0..2 => vec![SIZE_REFUSED],
            2..20 => (0..rng.usize(2..=5)).map(|_| rng.usize(10..2_000)).collect(),
            _ => vec![size(rng)],
        };
        let is_right = sizes != [SIZE_REFUSED];
        let payloads: Vec<_> = sizes.into_iter().map(|size| self.client.world.payload(size)).collect();
        let texts: Vec<String> = payloads.iter().map(|payload| format!("\"{}\"", payload.text)).collect();
        let id = self.id();
        let events: Vec<&str> = texts.iter().map(String::as_str).collect();
        // Without a connection there is nothing to publish on. Nothing is sent before the session is polled.
        if self.session.publish(&id, &channel, &events).is_err() {
            return;
        }
        let by = Some(self.connection);
        self.client.world.ledger(|ledger, at| {
            payloads.iter().for_each(|payload| ledger.published(at, &payload.nonce, by, on_channel(&channel)));
        });
        self.publishes.insert(id, (payloads.into_iter().map(|payload| payload.nonce).collect(), is_right));
    }

    /// Leaves politely. Breaks where there is nothing to leave.
    fn close(&mut self) -> ControlFlow<()> {
        self.is_closing = true;
        self.client.world.ledger(|ledger, at| {
            self.subscriptions.values().for_each(|subscription| ledger.leaving(at, &subscription.key));
        });
        match self.session.close() {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    fn hear(&mut self, news: News) -> ControlFlow<()> {
        match news {
            News::Dialling => {}
            News::Undialled(why) if self.client.is_straight => self.complain(&format!("could not connect: {why:?}")),
            News::Undialled(_) => self.client.world.count("dial failed on a broken wire"),
            News::NoCredentials { why, .. } => self.complain(&format!("has no credentials: {why}")),
            News::Told(event) => return self.told(event),
        }
        ControlFlow::Continue(())
    }

    fn told(&mut self, event: ClientEvent) -> ControlFlow<()> {
        match event {
            ClientEvent::Connected { .. } | ClientEvent::Needs(_) => {}
            ClientEvent::Subscribed { id } => self.granted(&id),
            ClientEvent::Data { id, body } => self.data(&id, &body),
            ClientEvent::Ended { id, ending } => self.ended(&id, &ending),
            ClientEvent::Interrupted { id, operation } => self.interrupted(&id, operation),
            ClientEvent::Published { id, failed, .. } => {
                let none_failed = failed.as_deref().and_then(|text| serde_json::from_str::<Vec<Value>>(text).ok());
                self.answered(&id, none_failed.is_none_or(|failed| failed.is_empty()));
            }
            ClientEvent::PublishRefused { id, .. } => self.answered(&id, false),
            ClientEvent::Refused { id, errors } => {
                self.complain(&format!("was refused a subscription: {:?}", kinds(&errors)));
                self.over(&id);
            }
            ClientEvent::Lost { loss, .. } if self.client.is_straight => self.complain(&format!("was lost: {loss:?}")),
            ClientEvent::Lost { .. } => self.client.world.count("session lost and resumed"),
            ClientEvent::TimedOut { operation, .. } => self.complain(&format!("got no answer to {operation:?}")),
            ClientEvent::Reported { errors, .. } | ClientEvent::BroadcastFailed { errors, .. } => {
                self.complain(&format!("was told of errors: {:?}", kinds(&errors)));
            }
            ClientEvent::Renamed { from, to } => self.complain(&format!("renamed {from:?} to {to:?}")),
            ClientEvent::Finding(finding) if self.client.is_straight => self.complain(&format!("found: {finding}")),
            ClientEvent::Finding(_) => self.client.world.count("finding on a broken wire"),
            ClientEvent::Failed { reason } => {
                self.complain(&format!("gave up: {reason:?}"));
                return ControlFlow::Break(());
            }
            ClientEvent::Closed { clean } => {
                if !clean && self.client.is_straight {
                    self.complain("could not close cleanly");
                }
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    fn granted(&mut self, id: &str) {
        let Some(subscription) = self.subscriptions.get_mut(id) else { return };
        subscription.is_live = !self.is_closing;
        self.client.world.ledger(|ledger, at| ledger.granted(at, &subscription.key));
    }

    fn data(&self, id: &str, body: &str) {
        let gone = || SubscriptionKey { connection: self.connection, id: id.into(), generation: 0 };
        let key = self.subscriptions.get(id).map_or_else(gone, |subscription| subscription.key.clone());
        self.client.world.ledger(|ledger, at| ledger.delivered(at, &key, body));
    }

    fn ended(&mut self, id: &str, ending: &Ending) {
        match ending {
            Ending::Asked | Ending::ConnectionFailed => {}
            Ending::ByServer { errors } => self.complain(&format!("lost a subscription: {:?}", kinds(errors))),
            Ending::NotSendable(error) => self.complain(&format!("could not ask for a subscription: {error}")),
        }
        self.over(id);
    }

    fn over(&mut self, id: &str) {
        if let Some(subscription) = self.subscriptions.remove(id) {
            self.client.world.ledger(|ledger, at| ledger.ended(at, &subscription.key));
        }
    }

    /// The connection is gone. A subscription is asked for again on the next one; a publish stays without an answer.
    fn interrupted(&mut self, id: &str, operation: Operation) {
        match operation {
            Operation::Publish => drop(self.publishes.remove(id)),
            Operation::Unsubscribe => self.over(id),
            Operation::Subscribe => {
                let Some(subscription) = self.subscriptions.get_mut(id) else { return };
                subscription.is_live = false;
                self.client.world.ledger(|ledger, at| {
                    ledger.ended(at, &subscription.key);
                    subscription.key.generation += 1;
                    ledger.asked(at, subscription.key.clone(), subscription.interest.clone());
                });
            }
        }
    }

    fn answered(&mut self, id: &str, is_accepted: bool) {
        let Some((nonces, is_right)) = self.publishes.remove(id) else { return };
        self.client.world.ledger(|ledger, at| {
            nonces.iter().for_each(|nonce| ledger.answered(at, nonce, is_accepted, is_accepted == is_right));
        });
    }

    fn complain(&self, what: &str) {
        let wire = if self.client.is_straight { "straight" } else { "broken" };
        let Self { connection, client, .. } = self;
        client.world.complain(format!("{} session {connection} on a {wire} wire {what}", client.dialect));
    }

    fn id(&mut self) -> String {
        self.ids += 1;
        format!("0b9c1d34-5f0e-4c57-9a3e-{:012}", self.ids)
    }
}

/// Types of errors. Their messages may quote what was sent.
fn kinds(errors: &[appsync_protocol::message::ErrorEntry]) -> Vec<&str> {
    errors.iter().map(|error| error.short_type().unwrap_or("no type")).collect()
}
