//! Scenarios as data: typed steps that a player runs, a reader reads and a snapshot keeps.
//!
//! No step can say "the next message is" or "sleep". An expectation names its alternatives and *consumes*:
//! the first message that neither may come at any time (a keep-alive) nor belongs to something else the
//! scenario has asked for decides it. That something does not come is shown by a marker that does, and a
//! measured quiet window. Every expectation names the requirement that is broken if it is not met.

pub mod capability;
pub mod cast;
pub mod own;
pub mod pattern;
mod render;

pub use capability::{Capabilities, Capability};
pub use cast::Cast;
pub use own::{Firing, Own};
pub(crate) use pattern::is_same;
pub use pattern::{Answer, Field, Greeting, IdIs, Pattern, Shape, Then, What};
pub use render::{cut, cut_hidden, render, step_lines};

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::server::Mode;
use appsync_protocol::wire::{OwnedFrame, Request};

/// One test of a peer.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// Stable public identifier: `dialect/area/what-is-tested`.
    pub id: &'static str,
    /// One sentence that could stand in the documentation.
    pub title: &'static str,
    /// Which protocol it speaks.
    pub dialect: Dialect,
    /// Requirements that it judges; the first is the one it exists for.
    pub covers: &'static [Requirement],
    /// What the target has to offer; without it the scenario does not apply.
    pub needs: &'static [Need],
    /// How long it may take.
    pub tier: Tier,
    /// Whether the peer may not survive it, so that it runs alone, beside a bystander.
    pub hazard: bool,
    /// The steps, for given names, keys and nonces.
    pub steps: fn(&Cast) -> Vec<Step>,
}

/// Something a target may lack without being wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The `Channel` schema: `publish2channel`, `subscribe2channel(name)`.
    ChannelSchema,
    /// The `Message` schema: `sendMessage`, `subscribeToMessages`.
    MessageSchema,
    /// The `Note` schema: `addNote`, `dropNote`, `onNote(board, stars)`.
    NoteSchema,
    /// A subscription and what triggers it: of the channel schema, or declared.
    Subscription,
    /// The same, with an argument that tells events apart.
    Topic,
    /// A second subscription, which the events of the first are not for: of the message schema, or declared.
    Contrast,
    /// A second channel namespace.
    SecondNamespace,
    /// Permission to create hundreds of subscriptions or send megabytes (`--limits`).
    Limits,
    /// Bytes below the WebSocket layer: a socket, not the virtual world.
    Socket,
    /// Credentials of this mode.
    Mode(Mode),
    /// Credentials of two modes.
    SecondMode,
    /// A JWT.
    Jwt,
    /// A token, of whatever mode.
    Token,
    /// A subscription that credentials may not start (`--denied`).
    DeniedField,
    /// Set-up that the target declares.
    Capability(Capability),
}

impl Need {
    /// Whether it is a need for credentials that are not there.
    pub fn is_without_credentials(self, has: impl Fn(Mode) -> bool) -> bool {
        match self {
            Self::Mode(mode) => !has(mode),
            Self::SecondMode => Mode::ALL.into_iter().filter(|mode| has(*mode)).count() < 2,
            Self::Jwt => !has(Mode::Oidc) && !has(Mode::Cognito),
            Self::Token => !has(Mode::Oidc) && !has(Mode::Cognito) && !has(Mode::Lambda),
            Self::ChannelSchema
            | Self::MessageSchema
            | Self::NoteSchema
            | Self::Subscription
            | Self::Topic
            | Self::Contrast
            | Self::SecondNamespace
            | Self::Limits
            | Self::Socket
            | Self::DeniedField
            | Self::Capability(_) => false,
        }
    }

    /// What the target lacks, for a report.
    pub const fn lacks(self) -> &'static str {
        match self {
            Self::ChannelSchema => "the schema lacks publish2channel and subscribe2channel",
            Self::MessageSchema => "the schema lacks sendMessage and subscribeToMessages",
            Self::NoteSchema => "the schema lacks addNote and onNote",
            Self::Subscription => {
                "the schema lacks publish2channel and subscribe2channel, and no subscription is declared (syncspec.toml)"
            }
            Self::Topic => {
                "the schema lacks publish2channel and subscribe2channel, and no subscription with a topic is declared"
            }
            Self::Contrast => {
                "the schema lacks sendMessage and subscribeToMessages, and no subscription is declared (syncspec.toml)"
            }
            Self::SecondNamespace => "only one --namespace is known",
            Self::Limits => "it needs --limits",
            Self::Socket => "it needs a socket",
            Self::Mode(Mode::ApiKey) => "no API key was given",
            Self::Mode(Mode::Iam) => "no credentials of this mode were given (--iam)",
            Self::Mode(Mode::Oidc) => "no credentials of this mode were given (a JWT of an OpenID Connect provider)",
            Self::Mode(Mode::Cognito) => "no credentials of this mode were given (a JWT of a Cognito user pool)",
            Self::Mode(Mode::Lambda) => "no credentials of this mode were given (a token for a Lambda authorizer)",
            Self::SecondMode => "credentials of one mode only were given",
            Self::Jwt => "no JWT was given (--token)",
            Self::Token => "no token was given (--token)",
            Self::DeniedField => "no subscription was named that the credentials may not start (--denied)",
            Self::Capability(capability) => capability.undeclared(),
        }
    }
}

/// How long a scenario may take against a real target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Seconds.
    Quick,
    /// Up to two minutes, overlapped.
    Standard,
    /// As long as the target advertises.
    Long,
}

impl Tier {
    /// The word used on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Long => "long",
        }
    }
}

/// Names one connection of a scenario.
pub type Conn = u8;

/// The idle connection beside a hazard: it must not suffer (SYN-ALIVE-001).
pub const BYSTANDER: Conn = 8;

/// One step.
#[derive(Clone)]
pub enum Step {
    /// Sends an upgrade request and looks at the answer.
    Open {
        /// The connection.
        conn: Conn,
        /// The upgrade request.
        request: Request,
        /// Acceptable answers.
        any_of: Vec<Greeting>,
        /// Broken by any other answer.
        rule: Requirement,
    },
    /// Sends one frame.
    Send {
        /// The connection.
        conn: Conn,
        /// The frame.
        frame: OwnedFrame,
    },
    /// Writes bytes below the WebSocket layer. Over sockets only.
    Raw {
        /// The connection.
        conn: Conn,
        /// The bytes.
        bytes: Vec<u8>,
        /// What they are, for a reader.
        what: &'static str,
    },
    /// Waits for a message.
    Expect {
        /// The connection.
        conn: Conn,
        /// Acceptable messages.
        any_of: Vec<Pattern>,
        /// Broken by any other message and by confirmed silence.
        rule: Requirement,
        /// How long to wait.
        within: Wait,
    },
    /// Makes an HTTP request and looks at the answer.
    Call {
        /// The request.
        request: Request,
        /// Acceptable answers.
        any_of: Vec<Answer>,
        /// Broken by any other answer.
        rule: Requirement,
    },
    /// Publishes numbered events with growing pauses until the first arrives: a grant does not promise
    /// delivery at once (GQL-SUB-022, EVT-SUB-013). How long that took is an observation.
    Warm {
        /// The subscriber's connection.
        conn: Conn,
        /// The subscription.
        id: String,
        /// Nonce and publication of each attempt.
        attempts: Vec<(String, Publication)>,
        /// Broken if none arrives.
        rule: Requirement,
    },
    /// From here on, an event with this nonce must not reach the connection.
    Forbid {
        /// The connection.
        conn: Conn,
        /// The subscription, or every one.
        id: Option<String>,
        /// The nonce.
        nonce: String,
        /// Broken if it arrives.
        rule: Requirement,
    },
    /// Uses the declared trigger of the target. That it cannot be used is trouble and not a fault of the target.
    Fire {
        /// How.
        firing: Firing,
        /// What it is for.
        rule: Requirement,
    },
    /// Listens for the quiet window: max(100 ms, 3 times the slowest delivery of the run).
    Quiet {
        /// The connection.
        conn: Conn,
    },
    /// Ends the connection.
    Hangup {
        /// The connection.
        conn: Conn,
        /// With a close frame and this code, or just by dropping the transport.
        code: Option<u16>,
    },
}

/// How to publish one event.
#[derive(Clone)]
pub enum Publication {
    /// Over HTTP.
    Http(Request),
    /// Over a connection.
    Frame(Conn, OwnedFrame),
    /// By the declared trigger.
    Fire(Firing),
}

/// How long an expectation waits. Not wall-clock figures: the player's limits say what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The step limit.
    Answer,
    /// Until the next keep-alive is due: 70 s, or the timeout that the target advertises in the long tier.
    KeepAlive,
    /// A number of seconds longer than any reasonable answer, in virtual time mostly.
    Seconds(u32),
}

impl Scenario {
    /// The area in the identifier: `subscribe` of `graphql/subscribe/ack`.
    pub fn area(&self) -> &'static str {
        self.id.split('/').nth(1).unwrap_or_default()
    }

    /// Whether it can be played with the subscription that a target declares.
    pub fn takes_declared(&self) -> bool {
        self.needs.iter().any(|need| matches!(need, Need::Subscription | Need::Topic))
    }

    /// Whether it asks an open question, so that no answer counts against the target.
    pub fn is_probe(&self) -> bool {
        self.area() == "probe"
    }

    /// Whether it is the discrimination control of its dialect.
    pub fn is_control(&self) -> bool {
        self.area() == "control"
    }
}
