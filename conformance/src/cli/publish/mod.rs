//! `syncspec publish`: events over a WebSocket or HTTP, or a GraphQL operation over HTTP.
//!
//! ```text
//!   arguments, or lines of standard input ── queue ──> batches of up to five, one at a time ──> one line per event
//! ```
//!
//! A batch is sent once. Whether one whose answer got lost was carried out nobody knows, so it is reported and not
//! repeated (EVT-CLOSE-006).

mod events;
mod graphql;
mod intake;

use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::wire::{Headers, Request};
use clap::Args;
use syncspec::link::Dialer;
use syncspec::target::Place;

use super::operation::OperationOptions;
use super::reach::{CredentialOptions, Speaker, TargetOptions};
use super::usage;
use super::voice::Voice;

const REFUSED: u8 = 1;
const UNREACHABLE: u8 = 3;
const INTERRUPTED: u8 = 130;

/// For one HTTP answer and for the answer to an upgrade.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

const AFTER: &str = "\
Exit codes: 0 everything accepted; 1 something refused or unknown; 2 wrong arguments; 3 unreachable; 130 interrupted.

Examples:
  syncspec publish http://127.0.0.1:8700/event /default/news '{\"a\":1}' '\"text\"' 7
  tail -f log | syncspec publish http://127.0.0.1:8700/event /default/log - --text
  syncspec publish http://127.0.0.1:8700/graphql 'mutation { addNote(board: \"b\", text: \"x\") { id board text } }'";

#[derive(Args)]
#[command(after_help = AFTER)]
pub(super) struct PublishOptions {
    /// URL of the HTTP endpoint (".../graphql" or ".../event").
    pub(super) endpoint: String,
    /// Events: the channel. GraphQL: the operation, as text or @FILE.
    #[arg(value_name = "CHANNEL")]
    pub(super) topic: String,
    /// Events, each a JSON text; or - for one per line from standard input.
    #[arg(value_name = "EVENT")]
    pub(super) events: Vec<String>,
    #[command(flatten)]
    pub(super) operation: OperationOptions,
    /// Take the events as plain text and send them as JSON strings.
    #[arg(long)]
    pub(super) text: bool,
    /// Publish over HTTP instead of a WebSocket. GraphQL operations always go over HTTP.
    #[arg(long)]
    pub(super) http: bool,
    /// Print each result as a JSON object; for GraphQL the whole answer.
    #[arg(long)]
    pub(super) json: bool,
    /// Say on standard error what happens to the connection.
    #[arg(long, short)]
    pub(super) verbose: bool,
    #[command(flatten)]
    pub(super) target: TargetOptions,
    #[command(flatten)]
    pub(super) credentials: CredentialOptions,
}

pub(super) fn run(options: &PublishOptions) -> u8 {
    match prepare(options) {
        Ok((context, Work::Graphql(request))) => start(graphql::run(&context, request)),
        Ok((context, Work::Events(source))) if options.http => start(events::over_http(context, source)),
        Ok((context, Work::Events(source))) => start(events::over_websocket(context, source)),
        Err(what) => usage(what),
    }
}

/// What every way of publishing needs.
struct Context<'o> {
    options: &'o PublishOptions,
    place: Place,
    dialer: Dialer,
    speaker: Speaker,
    voice: Voice,
}

enum Work {
    Graphql(String),
    Events(intake::Source),
}

fn prepare(options: &PublishOptions) -> Result<(Context<'_>, Work), String> {
    let place = options.target.place(&options.endpoint)?;
    let work = match place.dialect {
        Dialect::Graphql if !options.events.is_empty() => {
            return Err("EVENT is for Events; a GraphQL operation takes its values from --variables".into());
        }
        Dialect::Graphql => Work::Graphql(options.operation.request(&options.topic)?),
        Dialect::Events => {
            options.operation.refuse()?;
            Work::Events(intake::Source::from_arguments(&options.events, options.text)?)
        }
    };
    let speaker = options.credentials.speaker(&place)?;
    let dialer = options.target.dialer(Some((&place.http, &place.realtime)), ANSWER_TIMEOUT)?;
    let voice = Voice { redactor: speaker.redactor.clone(), verbose: options.verbose };
    Ok((Context { options, place, dialer, speaker, voice }, work))
}

fn start(work: impl Future<Output = u8>) -> u8 {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(work);
            // A thread may still be waiting for a line of standard input.
            runtime.shutdown_background();
            code
        }
        Err(error) => usage(format_args!("no runtime: {error}")),
    }
}

impl Context<'_> {
    /// An authorised POST to the HTTP endpoint. Source: GQL-HTTP-001, EVT-HTTP-001.
    fn post(&self, body: String) -> Result<Request, String> {
        let headers = Headers::new()
            .with("host", self.place.http.authority())
            .with("content-type", "application/json")
            .with("accept", "application/json");
        let target = self.place.http.path.clone();
        let mut request = Request { method: "POST".into(), target, headers, body: body.into() };
        self.speaker.source.authorise(&mut request)?;
        Ok(request)
    }
}
