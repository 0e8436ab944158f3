//! The page of a running endpoint: files that are built in, and what they show, as JSON.
//!
//! Who may read it: anybody who reaches the port, without credentials, and therefore it holds none: no keys, no
//! configuration; of operations names, ids, sizes and outcomes, and bodies only if whoever runs the endpoint says so.
//! Nothing here can be read by the scripts of other sites: the answers bear no CORS header, and a host name that is not
//! the endpoint's own gets nothing, since it may have been pointed here by somebody else's name server.
//!
//! The page itself loads nothing from elsewhere, runs no inline script, and shows what clients named as text.

use std::collections::BTreeMap;
use std::net::IpAddr;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::query_value;
use appsync_protocol::hub::{ConnectionId, Hub};
use appsync_protocol::moment::Moment;
use appsync_protocol::server::{Interest, Server};
use appsync_protocol::wire::{Headers, Request, Response};
use serde_json::{Value, json};

use super::journal::{Entry, Journal};

/// The page of an endpoint.
#[derive(Clone, Debug)]
pub struct Page {
    hosts: Vec<String>,
    shows_bodies: bool,
}

/// One open connection.
#[derive(Clone, Copy, Debug)]
pub struct Live {
    /// What it speaks.
    pub dialect: Dialect,
    /// When it was accepted.
    pub since: Moment,
    /// Frames from the client.
    pub received: u64,
    /// Frames to the client.
    pub sent: u64,
}

/// What has happened since the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Upgrades that were answered with 101.
    pub connections: u64,
    /// HTTP requests, without those of the page.
    pub requests: u64,
    /// Frames from clients.
    pub received: u64,
    /// Frames to clients.
    pub sent: u64,
    /// Of these, events.
    pub delivered: u64,
    /// Connections dropped because they did not read.
    pub slow_consumers: u64,
}

/// What there is to show.
pub struct View<'a> {
    /// Now.
    pub at: Moment,
    /// Totals.
    pub counts: &'a Counts,
    /// Open connections.
    pub connections: &'a BTreeMap<ConnectionId, Live>,
    /// Knows the subscriptions.
    pub hub: &'a Hub,
    /// The last operations.
    pub journal: &'a Journal,
}

/// Connections that are listed; the others are counted.
const CONNECTIONS_MAX: usize = 100;
/// Subscriptions that are listed for each of them.
const SUBSCRIPTIONS_MAX: usize = 20;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

impl Page {
    /// A page that answers to these host names and to addresses; bodies are shown only if asked for.
    pub fn new(hosts: Vec<String>, shows_bodies: bool) -> Self {
        Self { hosts, shows_bodies }
    }

    /// Whether operations are shown with their bodies.
    pub const fn shows_bodies(&self) -> bool {
        self.shows_bodies
    }

    /// Answers a request for the page; `None` if it is for something else.
    pub fn answer(&self, request: &Request, view: &View<'_>) -> Option<Response> {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return None;
        }
        let (kind, body) = match request.path() {
            "/" => ("text/html; charset=utf-8", include_str!("page.html").to_owned()),
            "/page.css" => ("text/css; charset=utf-8", include_str!("page.css").to_owned()),
            "/page.js" => ("text/javascript; charset=utf-8", include_str!("page.js").to_owned()),
            "/page.svg" => ("image/svg+xml", include_str!("page.svg").to_owned()),
            "/status.json" => ("application/json", self.status(request, view).to_string()),
            "/graphql" if request.query().is_none() && wants_html(request) => {
                let mut response = guarded(303, "text/plain; charset=utf-8", String::new());
                response.headers.push("location", "/");
                return Some(response);
            }
            _ => return None,
        };
        if !self.is_own(request.headers.first("host")) {
            let text = "this page answers to the endpoint's own host names and addresses only\n";
            return Some(guarded(421, "text/plain; charset=utf-8", text.into()));
        }
        Some(guarded(200, kind, body))
    }

    /// Whether the name in a `host` field is an address or a name of the endpoint.
    fn is_own(&self, host: Option<&str>) -> bool {
        let Some(host) = host else { return true };
        let host = host.trim().to_ascii_lowercase();
        let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host.as_str(), |(name, _)| name);
        let is_address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
        is_address || self.hosts.iter().any(|own| own == name)
    }

    fn status(&self, request: &Request, view: &View<'_>) -> Value {
        let since = query_value(request, "since").and_then(|text| text.parse().ok()).unwrap_or(0);
        let listed: Vec<_> = view.connections.iter().rev().take(CONNECTIONS_MAX).collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "now": view.at.as_millis(),
            "counts": {
                "open": view.connections.len(),
                "connections": view.counts.connections,
                "requests": view.counts.requests,
                "received": view.counts.received,
                "sent": view.counts.sent,
                "delivered": view.counts.delivered,
                "slow": view.counts.slow_consumers,
            },
            "connections": listed.iter().map(|(id, live)| self.connection(**id, live, view)).collect::<Vec<_>>(),
            "unlisted": view.connections.len() - listed.len(),
            "operations": view.journal.since(since).map(|entry| self.operation(entry)).collect::<Vec<_>>(),
            "next": view.journal.last(),
        })
    }

    fn connection(&self, id: ConnectionId, live: &Live, view: &View<'_>) -> Value {
        let server = view.hub.server(id);
        let all = server.map_or(0, |server| server.subscriptions().count());
        let listed = server.into_iter().flat_map(Server::subscriptions).take(SUBSCRIPTIONS_MAX);
        let subscriptions: Vec<_> = listed.map(|(id, interest)| json!({"id": id, "name": name(interest)})).collect();
        json!({
            "number": id.0,
            "dialect": live.dialect.word(),
            "age": view.at.since(live.since).as_secs(),
            "received": live.received,
            "sent": live.sent,
            "unlisted": all - subscriptions.len(),
            "subscriptions": subscriptions,
        })
    }

    fn operation(&self, entry: &Entry) -> Value {
        json!({
            "number": entry.number,
            "at": entry.at.as_millis(),
            "connection": entry.connection.map(|id| id.0),
            "dialect": entry.dialect.map(Dialect::word),
            "what": entry.what,
            "name": entry.name,
            "id": entry.id,
            "bytes": entry.bytes,
            "outcome": entry.outcome,
            "delivered": entry.delivered,
            "refused": entry.is_warning,
            "body": entry.body.as_ref().filter(|_| self.shows_bodies),
        })
    }
}

fn name(interest: &Interest) -> String {
    match interest {
        Interest::Field(plan) => plan.field.clone(),
        Interest::Channel(pattern) => pattern.to_string(),
    }
}

fn wants_html(request: &Request) -> bool {
    request.headers.all("accept").any(|accept| accept.contains("text/html"))
}

fn guarded(status: u16, kind: &str, body: String) -> Response {
    let mut response = Response::new(status, body);
    response.headers = Headers::new()
        .with("content-type", kind)
        .with("cache-control", "no-store")
        .with("content-security-policy", POLICY)
        .with("cross-origin-opener-policy", "same-origin")
        .with("cross-origin-resource-policy", "same-origin")
        .with("referrer-policy", "no-referrer")
        .with("x-content-type-options", "nosniff")
        .with("x-frame-options", "DENY");
    response
}
