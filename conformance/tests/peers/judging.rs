//! A run of the suite against one peer, in bounded time.

use std::net::SocketAddr;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::Url;
use syncspec::auth::Keyring;
use syncspec::link::{DialOptions, Dialer};
use syncspec::report::Exit;
use syncspec::report::exit::decide;
use syncspec::run::{Endpoint, Finished, Options, run};
use syncspec::scenario::Tier;
use syncspec::verdict::Verdict;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Step limit of a run against a peer that may say nothing.
pub(crate) const STEP: Duration = Duration::from_millis(200);

/// After this a run has gone wrong: its own limit is far below.
const TOO_LONG: Duration = Duration::from_secs(120);

/// The key that a run uses.
pub(crate) const KEY: &str = "da2-thekeyofatestwithpeers0001";

/// How a peer is judged.
pub(crate) fn options(dialect: Dialect, address: SocketAddr) -> Options {
    let (http, realtime) = match dialect {
        Dialect::Graphql => ("/graphql", "/graphql/realtime"),
        Dialect::Events => ("/event", "/event/realtime"),
    };
    let url = |path: &str| Url { secure: false, host: address.to_string(), path: path.into() };
    Options {
        endpoints: vec![Endpoint {
            dialect,
            http: url(http),
            realtime: url(realtime),
            auth_host: address.to_string(),
            api_key: KEY.into(),
            keyring: Keyring::default(),
            denied: None,
            namespaces: vec!["default".into()],
            channel_prefix: String::new(),
            own: None,
            declared: std::collections::BTreeMap::new(),
            probed: std::collections::BTreeMap::new(),
            capabilities: syncspec::scenario::Capabilities::default(),
        }],
        embedded: false,
        comes_back: false,
        filters: Vec::new(),
        tier: Tier::Quick,
        limits: true,
        jobs: 64,
        seed: 7,
        step_timeout: STEP,
        case_timeout: STEP * 10,
        run_timeout: Duration::from_secs(20),
        max_connections: 5_000,
        max_messages: 50_000,
        rate: None,
        restart_cmd: None,
        restart_wait: STEP,
        panic_in: None,
    }
}

/// Judges a peer, in bounded time.
pub(crate) async fn judge(options: Options) -> Judged {
    let dialer = Dialer::new(DialOptions {
        connect_timeout: STEP * 10,
        answer_timeout: options.step_timeout * 2,
        ..DialOptions::default()
    })
    .expect("no certificates are asked for");
    let (progress, _news) = mpsc::unbounded_channel();
    let (_interrupt, interrupted) = watch::channel(false);
    let finished =
        timeout(TOO_LONG, run(options, dialer, progress, interrupted)).await.expect("a run ends within its own limits");
    let exit = decide(&finished.facts(None));
    Judged { finished, exit }
}

/// What a run found of a peer.
pub(crate) struct Judged {
    pub(crate) finished: Finished,
    pub(crate) exit: Exit,
}

impl Judged {
    /// Identifiers of the cases with a verdict.
    pub(crate) fn with(&self, verdict: Verdict) -> Vec<&str> {
        self.finished.run.cases.iter().filter(|case| case.verdict == verdict).map(|case| case.id.as_str()).collect()
    }

    /// Every case in one line each, for a test that fails.
    pub(crate) fn lines(&self) -> String {
        let lines = self.finished.run.cases.iter().filter(|case| case.verdict != Verdict::Blocked);
        let lines: Vec<_> = lines.map(|case| format!("{} {}: {}", case.verdict, case.id, case.reason)).collect();
        format!("exit {}: {}\n{}", self.exit.code, self.exit.reason, lines.join("\n"))
    }
}
