//! One scenario over sockets: does what the player says, tells it what comes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::finding::Finding;
use appsync_protocol::handshake::base64::encode_standard;
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{OwnedFrame, Response};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::budget::{Budget, Pace};
use super::{Endpoint, fire};
use crate::link::{Dialer, Heard, LinkError, Opened, SocketHandle};
use crate::player::{Action, Actor, Ending, Limits, Listener, Outcome, Output, Player};
use crate::scenario::{Cast, Conn, Scenario};

/// Frames that may wait for the player on all connections of a scenario together. A frame may be megabytes.
const INBOX: usize = 16;

/// Most bytes that a target may send in one scenario, all of which are kept.
const HEARD_MAX: usize = 32 * 1024 * 1024;

/// `Sec-WebSocket-Key` of a scenario: 16 bytes, different for each.
pub(super) fn upgrade_key(seed: u64, number: usize) -> String {
    let mut bytes = seed.to_le_bytes().to_vec();
    bytes.extend((number as u64).to_le_bytes());
    encode_standard(&bytes)
}

/// Everything one scenario needs.
pub(super) struct Driver {
    pub(super) dialer: Dialer,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) limits: Limits,
    pub(super) budget: Arc<Budget>,
    pub(super) prefix: String,
    pub(super) upgrade_key: String,
    pub(super) panics: bool,
}

/// Connections and requests under way.
struct Traffic {
    handles: BTreeMap<Conn, SocketHandle>,
    opens: JoinSet<(Conn, Result<Opened, LinkError>)>,
    calls: JoinSet<(u32, Result<Response, String>)>,
    paces: BTreeMap<Conn, Pace>,
    sender: mpsc::Sender<(Conn, OwnedFrame)>,
    inbox: mpsc::Receiver<(Conn, OwnedFrame)>,
    heard: Heard,
    start: Instant,
}

impl Driver {
    /// Plays the scenario to its end, within its limits. Gives its connections too where there is anything left to
    /// listen for on them; dropping them closes them.
    pub(super) async fn play(self, scenario: &'static Scenario) -> (Outcome, Option<Lingering>) {
        assert!(!self.panics, "asked to panic in {}", scenario.id);
        let Some(endpoint) = self.endpoint.clone() else {
            return (trouble("there is no endpoint of this dialect"), None);
        };
        let mut player = Player::new(scenario, self.cast(scenario, &endpoint), self.limits, Moment::START);
        let mut traffic = Traffic::new();
        let line = Wire { dialer: &self.dialer, endpoint: &endpoint, budget: &self.budget, step: self.limits.step };
        line.drive(&mut traffic, &mut player, self.limits.scenario).await;
        let Some((outcome, listener)) = player.finish() else {
            traffic.close().await;
            return (trouble("the player ended without an outcome"), None);
        };
        self.budget.note_deliveries(&outcome);
        if outcome.ending == Ending::Met && !scenario.hazard && !scenario.is_probe() && listener.is_of_use() {
            return (outcome, Some(Lingering { scenario, listener, traffic }));
        }
        traffic.close().await;
        (outcome, None)
    }

    fn cast(&self, scenario: &Scenario, endpoint: &Endpoint) -> Cast {
        let cast = endpoint.cast(&self.prefix, &self.upgrade_key);
        Cast { own: cast.own.filter(|_| scenario.takes_declared()), ..cast }
    }
}

/// Where a client speaks, and what it may use.
#[derive(Clone, Copy)]
pub(super) struct Wire<'w> {
    pub(super) dialer: &'w Dialer,
    pub(super) endpoint: &'w Endpoint,
    pub(super) budget: &'w Budget,
    /// Limit for one answer.
    pub(super) step: Duration,
}

/// Lets any client speak to an endpoint until it is done, and says goodbye.
pub(super) async fn converse<A: Actor>(wire: Wire<'_>, limit: Duration, client: &mut A) {
    let mut traffic = Traffic::new();
    wire.drive(&mut traffic, client, limit).await;
    traffic.close().await;
}

impl Wire<'_> {
    /// Does what the client says and tells it what comes, until it is done.
    async fn drive<A: Actor>(&self, traffic: &mut Traffic, client: &mut A, limit: Duration) {
        loop {
            match client.poll() {
                Output::Do(action) => {
                    if let Err(why) = self.act(traffic, action).await {
                        client.abandon(traffic.now(), why);
                    }
                }
                Output::Idle(deadline) => {
                    let until = deadline.map_or(limit, |d| d.at.since(Moment::START));
                    traffic.wait(client, until).await;
                }
                Output::Done => break,
            }
        }
    }

    async fn act(&self, traffic: &mut Traffic, action: Action) -> Result<(), String> {
        match action {
            Action::Open(conn, request) => {
                self.budget.connects()?;
                let (dialer, url) = (self.dialer.clone(), self.endpoint.realtime.clone());
                traffic.opens.spawn(async move { (conn, dialer.open(&url, &request).await) });
            }
            Action::Call(call, request) => {
                self.budget.connects()?;
                self.budget.http_pace.turn().await;
                let (dialer, url) = (self.dialer.clone(), self.endpoint.http.clone());
                traffic
                    .calls
                    .spawn(async move { (call, dialer.http(&url, &request).await.map_err(|error| error.to_string())) });
            }
            Action::Fire(call, firing) => {
                self.budget.connects()?;
                self.budget.http_pace.turn().await;
                let (dialer, limit) = (self.dialer.clone(), self.step * 2);
                traffic.calls.spawn(async move { (call, fire::fire(&dialer, firing, limit).await) });
            }
            Action::Transmit(conn, frame) => {
                self.budget.sends()?;
                if is_publish(&frame) {
                    traffic.paces.entry(conn).or_insert_with(|| self.budget.pace()).turn().await;
                }
                if let Some(handle) = traffic.handles.get(&conn) {
                    // That it could not be sent shows as the end of the connection.
                    let _ = handle.send(frame).await;
                }
            }
            Action::Raw(conn, bytes) => {
                self.budget.sends()?;
                if let Some(handle) = traffic.handles.get(&conn) {
                    let _ = handle.send_raw(bytes).await;
                }
            }
        }
        Ok(())
    }
}

/// The connections of a scenario that is over, on which a late leak could still show.
pub(super) struct Lingering {
    scenario: &'static Scenario,
    listener: Listener,
    traffic: Traffic,
}

impl Lingering {
    /// Connections that are open.
    pub(super) fn open(&self) -> usize {
        self.listener.open()
    }

    /// Listens until it is told to stop, the time is up or the target has said too much; then closes.
    pub(super) async fn listen(mut self, stop: oneshot::Receiver<()>, limit: Duration) -> Late {
        let mut findings = Vec::new();
        let end = Instant::now() + limit;
        tokio::pin!(stop);
        while self.listener.is_of_use() && !self.traffic.heard.is_too_much() {
            tokio::select! {
                biased;
                Some((conn, frame)) = self.traffic.inbox.recv() => {
                    self.traffic.heard.add(&frame);
                    findings.extend(self.listener.frame(self.traffic.now(), conn, frame));
                }
                _ = &mut stop => break,
                () = sleep_until(end) => break,
            }
        }
        self.traffic.close().await;
        Late { scenario: self.scenario, findings }
    }

    /// Listens no longer.
    pub(super) async fn close(self) {
        self.traffic.close().await;
    }
}

/// What came wrongly after a scenario was over.
pub(super) struct Late {
    pub(super) scenario: &'static Scenario,
    pub(super) findings: Vec<Finding>,
}

impl Traffic {
    fn new() -> Self {
        let (sender, inbox) = mpsc::channel(INBOX);
        Self {
            handles: BTreeMap::new(),
            opens: JoinSet::new(),
            calls: JoinSet::new(),
            paces: BTreeMap::new(),
            sender,
            inbox,
            heard: Heard::up_to(HEARD_MAX),
            start: Instant::now(),
        }
    }

    fn now(&self) -> Moment {
        Moment::from(self.start.elapsed())
    }

    /// Says goodbye on every connection.
    async fn close(&self) {
        for handle in self.handles.values() {
            let _ = handle.send(OwnedFrame::Close { code: Some(1000), reason: String::new() }).await;
        }
    }

    /// Waits for whatever comes first, and tells the client.
    async fn wait<A: Actor>(&mut self, player: &mut A, until: Duration) {
        tokio::select! {
            Some((conn, frame)) = self.inbox.recv() => {
                self.heard.add(&frame);
                if self.heard.is_too_much() {
                    player.abandon(self.now(), format!("the target sent over {HEARD_MAX} bytes in one scenario"));
                } else {
                    player.frame(self.now(), conn, frame);
                }
            }
            Some(Ok((conn, opened))) = self.opens.join_next() => {
                let at = self.now();
                match opened {
                    Ok(Opened { response, socket }) => {
                        let usable = socket.is_some() || !response.is_upgrade();
                        if let Some(socket) = socket {
                            self.handles.insert(conn, socket.spawn(conn, self.sender.clone()));
                        }
                        let answer = if usable { Ok(response) } else { Err("101 without upgrade: websocket".into()) };
                        player.upgraded(at, conn, answer);
                    }
                    Err(error @ LinkError::BadAccept { .. }) => player.unproven(at, conn, error.to_string()),
                    Err(LinkError::Closed { at: peer, .. }) => {
                        player.hung_up(at, conn, format!("{peer} closed the connection without an answer"));
                    }
                    Err(error) => player.upgraded(at, conn, Err(error.to_string())),
                }
            }
            Some(Ok((call, answer))) = self.calls.join_next() => {
                player.answered(self.now(), call, answer);
            }
            () = sleep_until(self.start + until) => player.elapse(self.now()),
        }
    }
}

/// Whether a frame publishes, as far as a pace has to know.
fn is_publish(frame: &OwnedFrame) -> bool {
    match frame {
        OwnedFrame::Text { text, .. } => text.contains(r#""type":"publish""#),
        OwnedFrame::Binary(_)
        | OwnedFrame::Ping(_)
        | OwnedFrame::Pong(_)
        | OwnedFrame::Close { .. }
        | OwnedFrame::Lost => false,
    }
}

fn trouble(why: &str) -> Outcome {
    Outcome {
        ending: Ending::Trouble(why.into()),
        findings: Vec::new(),
        losses: Vec::new(),
        evidence: Vec::new(),
        observations: Vec::new(),
        measures: Vec::new(),
        record: Vec::new(),
        deliveries: Vec::new(),
        took: Duration::ZERO,
    }
}
