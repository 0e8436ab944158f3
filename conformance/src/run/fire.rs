//! Uses the declared trigger of a target: an HTTP request to any place, or a command.

use std::process::Stdio;
use std::time::Duration;

use appsync_protocol::wire::{Headers, Response};
use tokio::process::Command;
use tokio::time::timeout;

use crate::link::Dialer;
use crate::scenario::{Firing, cut};

/// Uses it once. A command that succeeds is an answer with status 200.
///
/// # Errors
/// What the system, the link or the command says, for a person.
pub(crate) async fn fire(dialer: &Dialer, firing: Firing, limit: Duration) -> Result<Response, String> {
    match firing {
        Firing::Http(url, request) => {
            dialer.http(&url, &request).await.map_err(|error| format!("the declared trigger: {error}"))
        }
        Firing::Command { line, nonce, topic } => {
            command(&line, [("SYNCSPEC_NONCE", &nonce), ("SYNCSPEC_TOPIC", &topic)], limit).await
        }
    }
}

async fn command(line: &str, variables: [(&str, &String); 2], limit: Duration) -> Result<Response, String> {
    let mut command = Command::new("sh");
    command.args(["-c", line]).envs(variables).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let ended = match timeout(limit, command.kill_on_drop(true).output()).await {
        Ok(ended) => ended.map_err(|error| format!("the command of the trigger cannot be run: {error}"))?,
        Err(_) => return Err(format!("the command of the trigger did not end within {} s", limit.as_secs_f64())),
    };
    if ended.status.success() {
        return Ok(Response { status: 200, headers: Headers::new(), body: "".into() });
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let said = said.lines().next().unwrap_or_default();
    Err(format!("the command of the trigger ended with {}: {}", ended.status, cut(said, 160)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::DialOptions;

    async fn run(line: &str, limit: Duration) -> Result<u16, String> {
        let dialer = Dialer::new(DialOptions::default()).unwrap();
        let firing = Firing::Command { line: line.into(), nonce: "n-1".into(), topic: "t".into() };
        fire(&dialer, firing, limit).await.map(|response| response.status)
    }

    #[tokio::test]
    async fn a_command_finds_nonce_and_topic_in_its_environment() {
        let line = r#"test "$SYNCSPEC_NONCE/$SYNCSPEC_TOPIC" = n-1/t"#;

        assert_eq!(run(line, Duration::from_secs(60)).await, Ok(200));
    }

    #[tokio::test]
    async fn a_command_that_fails_is_told_with_what_it_said() {
        let error = run("echo not today >&2; exit 3", Duration::from_secs(60)).await.unwrap_err();

        assert!(error.contains("exit status: 3") && error.ends_with("not today"), "{error}");
    }

    #[tokio::test]
    async fn a_command_that_hangs_is_ended() {
        let error = run("read -r line < /dev/zero", Duration::from_millis(50)).await.unwrap_err();

        assert!(error.contains("did not end within 0.05 s"), "{error}");
    }
}
