//! The endpoint as a child process: started, looked at from outside, stopped.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use appsync_protocol::handshake::Url;
use appsync_protocol::wire::{Headers, Request, Response};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use syncspec::link::Dialer;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Failure;
use crate::endpoint::{LIVE_PATH, WORD};

/// The key that is right.
pub(crate) const KEY: &str = "da2-soak";
/// A message beyond this is too large for the endpoint, in bytes.
pub(crate) const MESSAGE_MAX: usize = 1024 * 1024;
/// Silence after which the endpoint asks with a ping; it drops a client after four of them.
pub(crate) const PING_AFTER: Duration = Duration::from_secs(2);

/// For the start, the end and one answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of its standard error that are kept.
const LINES_MAX: usize = 20;

/// A running endpoint. It is killed with this handle.
pub(crate) struct Serve {
    /// Where it listens; the path is to be replaced.
    pub(crate) url: Url,
    child: Child,
    pid: u32,
    stdout: tokio::io::Lines<BufReader<ChildStdout>>,
    errors: Arc<Mutex<VecDeque<String>>>,
    _listening: JoinHandle<()>,
    _settings: tempfile::NamedTempFile,
}

/// How the process looks from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// `VmRSS`.
    pub(crate) resident_kb: u64,
    /// Open file descriptors.
    pub(crate) files: usize,
    /// WebSocket connections, by its own count.
    pub(crate) open: u64,
    /// Clients that it has dropped because they did not read.
    pub(crate) slow: u64,
    /// What it has allocated; `None` where the command does not count it.
    pub(crate) heap: Option<Heap>,
}

/// Bytes by the count of the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heap {
    /// Allocated and not given back.
    pub(crate) live: u64,
    /// The most that ever were.
    pub(crate) peak: u64,
}

fn settings() -> String {
    let ping = humantime::format_duration(PING_AFTER);
    let namespaces: String =
        ["default", "other", "noise"].map(|name| format!("[[events.namespaces]]\nname = \"{name}\"\n")).concat();
    format!("ka = \"5s\"\n[connections]\nmax-message-bytes = {MESSAGE_MAX}\nping-after = \"{ping}\"\n{namespaces}")
}

impl Serve {
    /// Starts it on a free port.
    pub(crate) async fn start(command: Option<PathBuf>, further: &[String]) -> Result<Self, Failure> {
        let word = if command.is_some() { "serve" } else { WORD };
        let command = command.map_or_else(std::env::current_exe, Ok)?;
        let mut file = tempfile::NamedTempFile::with_suffix(".toml")?;
        file.write_all(settings().as_bytes())?;
        let mut child = Command::new(&command)
            .args([word, "--listen", "127.0.0.1:0", "--config"])
            .arg(file.path())
            .args(further)
            .env("SYNCSPEC_API_KEY", KEY)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", command.display()))?;
        let pid = child.id().ok_or("the endpoint has ended")?;
        let errors = Arc::new(Mutex::new(VecDeque::new()));
        let stderr = child.stderr.take().ok_or("no output to read")?;
        let listening = tokio::spawn(keep_last(stderr, Arc::clone(&errors)));
        let mut stdout = BufReader::new(child.stdout.take().ok_or("no output to read")?).lines();
        while let Some(line) = timeout(PATIENCE, stdout.next_line()).await?? {
            if let Some(host) = line.strip_prefix("READY http://").and_then(|rest| rest.split('/').next()) {
                let url = Url { secure: false, host: host.into(), path: "/".into() };
                return Ok(Self { url, child, pid, stdout, errors, _listening: listening, _settings: file });
            }
        }
        Err("the endpoint ended before it was ready".into())
    }

    /// How it ended, if it has.
    pub(crate) fn death(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok()??;
        Some(format!("the endpoint died: {status}"))
    }

    /// The last lines of its standard error.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Looks at the process, and asks it for its own counts.
    pub(crate) async fn look(&self, dialer: &Dialer) -> Result<Look, Failure> {
        // What was noted is of no interest: nothing is newer than this.
        let response = self.ask(dialer, "/status.json", &format!("?since={}", u64::MAX)).await?;
        let status: Value = serde_json::from_str(&response.body.text())?;
        let count = |name: &str| {
            let count = status.pointer(&format!("/counts/{name}")).and_then(Value::as_u64);
            count.ok_or_else(|| format!("no count {name:?} in /status.json, status {}", response.status))
        };
        let (open, slow) = (count("open")?, count("slow")?);
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.pid))?.count();
        let heap = self.ask(dialer, LIVE_PATH, "").await?;
        let heap = serde_json::from_str::<Value>(&heap.body.text()).ok();
        let bytes = |name: &str| heap.as_ref()?.get(name)?.as_u64();
        let heap = bytes("live").zip(bytes("peak")).map(|(live, peak)| Heap { live, peak });
        Ok(Look { resident_kb: resident_kb(self.pid)?, files, open, slow, heap })
    }

    async fn ask(&self, dialer: &Dialer, path: &str, query: &str) -> Result<Response, Failure> {
        let url = Url { path: path.into(), ..self.url.clone() };
        let request = Request {
            method: "GET".into(),
            target: format!("{path}{query}"),
            headers: Headers::new().with("host", self.url.host.as_str()),
            body: String::new().into(),
        };
        Ok(dialer.http(&url, &request).await?)
    }

    /// Asks it to stop. Returns its last line, or what went wrong.
    pub(crate) async fn stop(mut self) -> Result<String, Failure> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).ok_or("no such process")?;
        kill_process(pid, Signal::TERM)?;
        let mut last = String::new();
        while let Some(line) = timeout(PATIENCE, self.stdout.next_line()).await?? {
            last = line;
        }
        let status = timeout(PATIENCE, self.child.wait()).await??;
        if !status.success() {
            return Err(format!("the endpoint ended with {status}").into());
        }
        if last.contains("defect") {
            return Err(format!("the endpoint says: {last}").into());
        }
        Ok(last)
    }
}

async fn keep_last(stderr: impl AsyncRead + Unpin, lines: Arc<Mutex<VecDeque<String>>>) {
    let mut reader = BufReader::new(stderr).lines();
    while let Ok(Some(mut line)) = reader.next_line().await {
        let end = line.char_indices().nth(400).map_or(line.len(), |(end, _)| end);
        line.truncate(end);
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES_MAX {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// `VmRSS` of a process.
fn resident_kb(pid: u32) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
}
