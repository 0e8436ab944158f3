//! Where the events come from: arguments, or lines of standard input as they come.

use std::collections::VecDeque;
use std::io::BufRead as _;

use appsync_protocol::json::push_json_string;
use tokio::sync::mpsc;

use crate::cli::voice::is_json;

/// Most events of one publish. Source: EVT-PUB-004.
pub(super) const BATCH_MAX: usize = 5;

/// Lines that may wait.
const LINES: usize = 64;

/// One event to publish.
pub(super) struct Entry {
    /// Which argument or line it was, from 1.
    pub(super) number: u64,
    /// JSON text.
    pub(super) json: String,
}

/// Where they come from.
pub(super) enum Source {
    /// All of them are known.
    Arguments(VecDeque<Entry>),
    /// Lines of standard input.
    Lines {
        /// They are plain text.
        text: bool,
    },
}

impl Source {
    /// Reads `EVENT…`; fails on what is not JSON, before anything is sent.
    pub(super) fn from_arguments(events: &[String], text: bool) -> Result<Self, String> {
        match events {
            [] => Err("no EVENT; give one or more JSON texts, or - for one per line from standard input".into()),
            [only] if only == "-" => Ok(Self::Lines { text }),
            several if several.iter().any(|event| event == "-") => {
                Err("EVENT -: standard input cannot be mixed with events as arguments".into())
            }
            several => {
                let entries = (1..)
                    .zip(several)
                    .map(|(number, event)| Ok(Entry { number, json: json_of(event, text, "EVENT", number)? }));
                Ok(Self::Arguments(entries.collect::<Result<_, String>>()?))
            }
        }
    }
}

/// The queue of events that wait for their batch.
pub(super) struct Intake {
    waiting: VecDeque<Entry>,
    /// `None` once there is no more to come.
    lines: Option<mpsc::Receiver<Result<Entry, String>>>,
    /// The line that ended the input because it cannot be sent.
    fault: Option<String>,
}

impl Intake {
    /// Standard input is read in a thread, which ends with it.
    pub(super) fn open(source: Source) -> Self {
        match source {
            Source::Arguments(waiting) => Self { waiting, lines: None, fault: None },
            Source::Lines { text } => {
                let (send, lines) = mpsc::channel(LINES);
                std::thread::spawn(move || read_lines(text, &send));
                Self { waiting: VecDeque::new(), lines: Some(lines), fault: None }
            }
        }
    }

    /// Whether there is no more, now and later.
    pub(super) fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.lines.is_none()
    }

    /// Waits for one more event, or for the end of the input: its last line, or one that cannot be sent. Waits for ever
    /// where there is no more to come. Cancel-safe.
    pub(super) async fn more(&mut self) {
        let Some(lines) = &mut self.lines else { return std::future::pending().await };
        match lines.recv().await {
            Some(Ok(entry)) => self.waiting.push_back(entry),
            Some(Err(fault)) => (self.fault, self.lines) = (Some(fault), None),
            None => self.lines = None,
        }
    }

    /// The line that ended the input because it cannot be sent. What came before it is still sent.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Whether a batch is full, so that nothing more need be read for now.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= BATCH_MAX
    }

    /// The next batch: what waits, at most five.
    pub(super) fn batch(&mut self) -> Vec<Entry> {
        let most = self.waiting.len().min(BATCH_MAX);
        self.waiting.drain(..most).collect()
    }

    /// Takes back a batch that was not sent.
    pub(super) fn put_back(&mut self, batch: Vec<Entry>) {
        for entry in batch.into_iter().rev() {
            self.waiting.push_front(entry);
        }
    }
}

fn read_lines(text: bool, send: &mpsc::Sender<Result<Entry, String>>) {
    for (number, line) in (1..).zip(std::io::stdin().lock().lines()) {
        let entry = match line {
            Ok(line) if line.trim().is_empty() && !text => continue,
            Ok(line) => json_of(&line, text, "line", number).map(|json| Entry { number, json }),
            Err(error) => Err(format!("line {number}: standard input cannot be read: {error}")),
        };
        if send.blocking_send(entry).is_err() {
            return;
        }
    }
}

fn json_of(event: &str, text: bool, what: &str, number: u64) -> Result<String, String> {
    if text {
        let mut quoted = String::new();
        push_json_string(&mut quoted, event);
        return Ok(quoted);
    }
    match is_json(event) {
        Ok(()) => Ok(event.into()),
        Err(error) => Err(format!(
            "{what} {number} is not JSON: {error}; expected a JSON text, quoted for the shell, such as '{{\"a\":1}}' or \
             '\"hello\"', or --text to send it as a JSON string"
        )),
    }
}
