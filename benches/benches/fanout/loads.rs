//! Load generators that somebody would use instead, where they are installed: the closed loop by scripts of theirs, which
//! are in `fixtures/benches`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use syncspec_benches::floor::Failure;
use syncspec_benches::floor::wire::KEY;

use crate::peers::scripts;

/// A load generator to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    K6,
    Artillery,
}

impl Load {
    pub(crate) const ALL: [Self; 2] = [Self::K6, Self::Artillery];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::K6 => "k6",
            Self::Artillery => "Artillery",
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::K6 => "k6",
            Self::Artillery => "artillery",
        }
    }

    /// Why it cannot be compared with, if it cannot.
    pub(crate) fn missing(self) -> Option<String> {
        let mut command = Command::new(self.program());
        let found = command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        found.is_err().then(|| format!("{}: no {} is installed", self.name(), self.program()))
    }

    /// Round trips a second that it makes with the floor server.
    pub(crate) fn trips(self, address: SocketAddr, seconds: f64) -> Result<f64, Failure> {
        let out = std::env::temp_dir().join(format!("syncspec-{}-{}.json", self.program(), std::process::id()));
        let output = self.command(address, seconds, &out).stdin(Stdio::null()).output()?;
        let text = std::fs::read_to_string(&out);
        // It is nobody's any more.
        let _ = std::fs::remove_file(&out);
        let told = || format!("{} told nothing: {}", self.name(), String::from_utf8_lossy(&output.stderr));
        let results: Value = serde_json::from_str(&text.map_err(|_| told())?)?;
        let place = match self {
            Self::K6 => "/metrics/round_trips/count",
            Self::Artillery => "/aggregate/counters/round_trips",
        };
        let count = results.pointer(place).and_then(Value::as_f64).ok_or_else(told)?;
        Ok(count / seconds)
    }

    fn command(self, address: SocketAddr, seconds: f64, out: &PathBuf) -> Command {
        let target = format!("ws://{address}/event/realtime");
        let mut command = Command::new(self.program());
        match self {
            Self::K6 => command
                .args(["run", "--quiet", "--no-usage-report", "--summary-export"])
                .arg(out)
                .arg(scripts().join("k6.js"))
                .args(["-e", &format!("TARGET={target}"), "-e", &format!("KEY={KEY}")])
                .args(["-e", &format!("SECONDS={seconds}")]),
            Self::Artillery => command
                .args(["run", "--quiet", "--target", &target, "--output"])
                .arg(out)
                .arg(scripts().join("artillery.yml"))
                .envs([("KEY", KEY), ("SECONDS", &seconds.to_string()), ("ARTILLERY_DISABLE_TELEMETRY", "true")]),
        };
        command
    }
}
