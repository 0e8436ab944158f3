//! Keeps a target alive: starts it again with a command that prints a `READY` line, or just waits.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// Time between two looks at a target that is expected back.
const LOOK: Duration = Duration::from_millis(200);

/// The command, and the process it has started.
pub(super) struct Keeper {
    command: Option<String>,
    wait: Duration,
    child: Option<Child>,
}

impl Keeper {
    pub(super) const fn new(command: Option<String>, wait: Duration) -> Self {
        Self { command, wait, child: None }
    }

    /// Brings the target back; `false` if it does not come.
    pub(super) async fn bring_back(&mut self, is_alive: impl AsyncFn() -> bool) -> bool {
        if let Some(command) = self.command.clone() {
            self.stop().await;
            match start(&command, self.wait.max(Duration::from_secs(60))).await {
                Some(child) => self.child = Some(child),
                None => return false,
            }
        }
        let deadline = Instant::now() + self.wait;
        loop {
            if is_alive().await {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            sleep(LOOK).await;
        }
    }

    /// Ends the process that was started here, and only that.
    pub(super) async fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        if timeout(Duration::from_secs(3), child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
    }
}

async fn start(command: &str, patience: Duration) -> Option<Child> {
    // `exec` makes the command the process that is ended later.
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(format!("exec {command}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .ok()?;
    let mut lines = BufReader::new(child.stdout.take()?).lines();
    let ready = async {
        while let Ok(Some(line)) = lines.next_line().await {
            if line.starts_with("READY") {
                return true;
            }
        }
        false
    };
    if timeout(patience, ready).await != Ok(true) {
        let _ = child.kill().await;
        return None;
    }
    // What it prints later must not fill the pipe.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Some(child)
}
