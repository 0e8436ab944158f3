//! `syncspec serve` as a process of its own, for a run without an endpoint.

use std::process::Stdio;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// For the endpoint to take connections.
const PATIENCE: Duration = Duration::from_secs(30);

/// A served endpoint. Dropping it ends the process.
pub(super) struct Served {
    _child: Child,
    _out: BufReader<ChildStdout>,
    pub(super) endpoint: String,
    pub(super) key: String,
}

/// Starts it on a free port.
pub(super) async fn serve(dialect: Dialect) -> Result<Served, String> {
    let wrong = |error: std::io::Error| format!("syncspec serve cannot be started: {error}");
    let key = format!("da2-bench{:x}", crate::cli::random_seed());
    let mut command = Command::new(std::env::current_exe().map_err(wrong)?);
    command.args(["serve", "--listen", "127.0.0.1:0", "--no-page"]).env("SYNCSPEC_API_KEY", &key);
    // An interrupt of the terminal is for this process, which ends the other one when it has its figures.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(wrong)?;
    let Some(out) = child.stdout.take() else { return Err("syncspec serve says nothing".into()) };
    let mut out = BufReader::new(out);
    let ready = async {
        let mut line = String::new();
        loop {
            line.clear();
            if out.read_line(&mut line).await.map_err(wrong)? == 0 {
                return Err("syncspec serve ended before it took connections".to_owned());
            }
            if let Some(url) = line.trim_end().strip_prefix("READY ") {
                return Ok(url.to_owned());
            }
        }
    };
    let url = match timeout(PATIENCE, ready).await {
        Ok(url) => url?,
        Err(_) => return Err(format!("syncspec serve took no connections within {} s", PATIENCE.as_secs())),
    };
    let endpoint = match dialect {
        Dialect::Graphql => url,
        Dialect::Events => url.replace("/graphql", "/event"),
    };
    Ok(Served { _child: child, _out: out, endpoint, key })
}
