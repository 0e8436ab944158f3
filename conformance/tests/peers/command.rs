//! The command `syncspec` as a child process, whose end is waited for in bounded time.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// After this a child has gone wrong.
const TOO_LONG: Duration = Duration::from_secs(60);

/// A running command.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
    seen: Vec<String>,
    seen_errors: Vec<String>,
}

/// A command that has ended.
pub(crate) struct Ended {
    /// Exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

/// Starts the command with an environment in which nothing speaks to it.
pub(crate) fn start(arguments: &[&str]) -> Running {
    start_with(arguments, &[])
}

/// Starts the command with these variables and no others that speak to it.
pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Running {
    spawn(arguments, variables, None)
}

/// Runs the command to its end with this text as its standard input.
pub(crate) fn fed(arguments: &[&str], input: &str) -> Ended {
    spawn(arguments, &[], Some(input)).end()
}

fn spawn(arguments: &[&str], variables: &[(&str, &str)], input: Option<&str>) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_syncspec"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("SYNCSPEC_") || name.starts_with("AWS_") || name == "CI" || name == "NO_COLOR" {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(variables.iter().copied());
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command was built with the tests");
    if let (Some(input), Some(mut stdin)) = (input.map(str::to_owned), child.stdin.take()) {
        // A child that does not read to the end is not to be waited for.
        thread::spawn(move || stdin.write_all(input.as_bytes()));
    }
    let lines = lines_of(child.stdout.take().expect("it is piped"));
    let errors = lines_of(child.stderr.take().expect("it is piped"));
    Running { child, lines, errors, seen: Vec::new(), seen_errors: Vec::new() }
}

/// Runs the command to its end.
pub(crate) fn syncspec(arguments: &[&str]) -> Ended {
    start(arguments).end()
}

/// A path for a file of this test; the file is not there.
pub(crate) fn fresh(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&path);
    path
}

fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (send, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let _ = send.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    lines
}

impl Running {
    /// Reads the output up to a line that contains this text.
    pub(crate) fn until(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(TOO_LONG) else {
                let _ = self.child.kill();
                panic!("no line with {text:?} in\n{}", self.seen.join("\n"));
            };
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Reads standard error up to a line that contains this text.
    pub(crate) fn until_told(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.errors.recv_timeout(TOO_LONG) else {
                let _ = self.child.kill();
                panic!("no line with {text:?} on standard error in\n{}", self.seen_errors.join("\n"));
            };
            self.seen_errors.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Sends a signal to this process.
    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a child has an id");
        kill_process(id, signal).expect("the child has not been waited for");
    }

    /// Waits for its end, which its closed output announces.
    pub(crate) fn end(mut self) -> Ended {
        loop {
            match self.lines.recv_timeout(TOO_LONG) {
                Ok(line) => self.seen.push(line),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    let _ = self.child.kill();
                    panic!("it does not end; so far\n{}", self.seen.join("\n"));
                }
            }
        }
        while let Ok(line) = self.errors.recv_timeout(TOO_LONG) {
            self.seen_errors.push(line);
        }
        let err = self.seen_errors.join("\n");
        let code = self.child.wait().expect("a child can be waited for").code();
        Ended { code, out: self.seen.join("\n"), err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Checks the code, and that the last line says it with a reason that contains this text.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32, reason: &str) {
        let last = self.out.lines().last().unwrap_or_default();
        let said = format!("exit {code}: ");
        assert_eq!(self.code, Some(code), "{self}");
        assert!(last.starts_with(&said) && last.contains(reason), "expected {said}...{reason}...; got {last}\n{self}");
    }

    /// Checks that it refused its arguments before it did anything, for a reason that contains this text.
    #[track_caller]
    pub(crate) fn refuses(&self, reason: &str) {
        assert_eq!(self.code, Some(2), "{self}");
        assert_eq!(self.out, "", "{self}");
        assert!(self.err.contains(reason), "expected {reason}\n{self}");
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "code {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.out, self.err)
    }
}
