//! What a target is, as far as a few short dialogues show.

use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Credentials, Scheme, Url};
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::server::Mode;
use appsync_protocol::wire::Response;

use super::dialogue::{Answer, Dialogue};
use super::limits;
use crate::auth::sign::Secret;
use crate::auth::wrong;
use crate::link::Dialer;
use crate::profile::{Fact, Profile};
use crate::run::Endpoint;
use crate::scenario::cast::WRONG_KEY;

/// What to look for.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Limit for one answer.
    pub patience: Duration,
    /// Also look for limits, with hundreds of subscriptions and megabytes.
    pub limits: bool,
    /// Makes the names of this probe different from those of others.
    pub seed: u64,
}

/// Looks at an endpoint and at what else is spoken beside it.
///
/// # Errors
/// When nothing can be reached at its real-time URL, for a person.
pub async fn probe(dialer: &Dialer, endpoint: &Endpoint, options: Options) -> Result<Profile, String> {
    let mut profile = Profile {
        syncspec: env!("CARGO_PKG_VERSION").into(),
        endpoint: endpoint.http.to_text(Scheme::Http),
        realtime: endpoint.realtime.to_text(Scheme::WebSocket),
        dialect: endpoint.dialect.word().into(),
        ..Profile::default()
    };
    dialer.reach(&endpoint.realtime).await.map_err(|error| error.to_string())?;
    let probe = Probe { dialer, endpoint, options };
    probe.dialects(&mut profile).await;
    if probe.carriers(&mut profile).await {
        probe.modes(&mut profile).await;
        match endpoint.dialect {
            Dialect::Graphql => probe.schema(&mut profile).await,
            Dialect::Events => probe.namespaces(&mut profile).await,
        }
        if options.limits {
            limits::measure(&probe.dialogue(endpoint), endpoint.dialect, &mut profile).await;
        }
    }
    Ok(profile)
}

struct Probe<'t> {
    dialer: &'t Dialer,
    endpoint: &'t Endpoint,
    options: Options,
}

/// What came of a connection with credentials.
enum Met {
    /// The silence limit that is advertised, as text.
    Acked(String),
    Refused(String),
    /// It says nothing about the credentials.
    Nothing(String),
}

impl Probe<'_> {
    fn dialogue<'t>(&self, endpoint: &'t Endpoint) -> Dialogue<'t>
    where
        Self: 't,
    {
        let prefix = format!("p{:06x}-probe", self.options.seed & 0xff_ffff);
        // The dialer lives as long as the probe.
        Dialogue::new(self.dialer, endpoint, &prefix, self.options.patience)
    }

    /// The dialect of the endpoint, and the other one at the place where it would be.
    async fn dialects(&self, profile: &mut Profile) {
        for dialect in Dialect::ALL {
            let beside = self.beside(dialect);
            let dialogue = self.dialogue(&beside);
            let (has, because) = match dialogue.open().await {
                Err(error) => (None, error.to_string()),
                Ok(opened) => match opened.socket {
                    None => (not_there(&opened.response), format!("status {}", opened.response.status)),
                    Some(mut socket) => {
                        let selected = opened.response.subprotocol() == Some(dialect.subprotocol());
                        if dialect == self.endpoint.dialect {
                            let what = opened.response.subprotocol().unwrap_or("none");
                            profile.note(Fact::SubprotocolEcho, Some(selected), format!("selected: {what}"));
                        }
                        let answer = dialogue.init(&mut socket).await;
                        dialogue.close(&mut socket).await;
                        match answer {
                            Answer::Yes(_) | Answer::No(_) if selected || dialect == self.endpoint.dialect => {
                                (Some(true), "101, and connection_init is answered".into())
                            }
                            Answer::Yes(_) | Answer::No(_) => (None, "101 without its subprotocol".into()),
                            Answer::End(_) | Answer::Silence => (None, format!("101, then {}", answer.text())),
                        }
                    }
                },
            };
            let fact = match dialect {
                Dialect::Graphql => Fact::DialectGraphql,
                Dialect::Events => Fact::DialectEvents,
            };
            profile.note(fact, has, because);
        }
    }

    /// The same place with the paths of this dialect.
    fn beside(&self, dialect: Dialect) -> Endpoint {
        if dialect == self.endpoint.dialect {
            return self.endpoint.clone();
        }
        let (own, other) = match dialect {
            Dialect::Graphql => ("/event", "/graphql"),
            Dialect::Events => ("/graphql", "/event"),
        };
        let there = |url: &Url| Url { path: url.path.replacen(own, other, 1), ..url.clone() };
        Endpoint {
            dialect,
            http: there(&self.endpoint.http),
            realtime: there(&self.endpoint.realtime),
            ..self.endpoint.clone()
        }
    }

    async fn meet(&self, carrier: Carrier, credentials: &Credentials) -> Met {
        let dialogue = self.dialogue(self.endpoint);
        let opened = match dialogue.open_by(carrier, credentials).await {
            Ok(opened) => opened,
            Err(error) => return Met::Nothing(error.to_string()),
        };
        let Some(mut socket) = opened.socket else {
            let what = format!("status {}", opened.response.status);
            return if matches!(opened.response.status, 400 | 401 | 403) {
                Met::Refused(what)
            } else {
                Met::Nothing(what)
            };
        };
        let answer = dialogue.init(&mut socket).await;
        dialogue.close(&mut socket).await;
        match answer {
            Answer::Yes(limit) => Met::Acked(limit),
            Answer::No(why) => Met::Refused(why),
            Answer::End(what) => Met::Refused(what),
            Answer::Silence => Met::Nothing(Answer::Silence.text()),
        }
    }

    /// Which carriers are read, by good credentials in each. Whether any dialogue was taken.
    async fn carriers(&self, profile: &mut Profile) -> bool {
        let dialogue = self.dialogue(self.endpoint);
        let facts = [
            (Carrier::Query, Fact::CarrierQuery),
            (Carrier::Subprotocol, Fact::CarrierSubprotocol),
            (Carrier::Headers, Fact::CarrierHeaders),
        ];
        let given = self.endpoint.secret(self.endpoint.keyring.main).is_some();
        if !given {
            for (_, fact) in facts {
                profile.note(fact, None, "not tried: no credentials were given");
            }
            let bare = self.meet(dialogue.cast().usual_carrier(), &Credentials::default()).await;
            let what = match bare {
                Met::Acked(_) => "accepted".into(),
                Met::Refused(why) => format!("refused: {why}"),
                Met::Nothing(what) => what,
            };
            profile.because.insert("without-credentials".into(), what);
            return false;
        }
        // A server that lets everybody in reads nothing.
        let wrong = self.meet(dialogue.cast().usual_carrier(), &dialogue.cast().wrong_credentials()).await;
        let discriminates = !matches!(wrong, Met::Acked(_));
        let mut any = false;
        for (carrier, fact) in facts {
            match self.meet(carrier, &dialogue.cast().credentials()).await {
                Met::Acked(limit) => {
                    any = true;
                    if let Ok(ms) = limit.parse() {
                        profile.timers.insert("connectionTimeoutMs".into(), ms);
                    }
                    let because = if discriminates {
                        "good credentials are accepted there, wrong ones are not"
                    } else {
                        "everybody is let in, so that it cannot be told"
                    };
                    profile.note(fact, discriminates.then_some(true), because);
                }
                Met::Refused(why) => profile.note(fact, Some(false), format!("good credentials are refused: {why}")),
                Met::Nothing(what) => profile.note(fact, None, what),
            }
        }
        any
    }

    /// Which modes there are: by the credentials that were given, and by what is said of made-up ones.
    async fn modes(&self, profile: &mut Profile) {
        let dialogue = self.dialogue(self.endpoint);
        let carrier = dialogue.cast().usual_carrier();
        for mode in Mode::ALL {
            let fact = match mode {
                Mode::ApiKey => Fact::ModeApiKey,
                Mode::Iam => Fact::ModeIam,
                Mode::Oidc => Fact::ModeOidc,
                Mode::Cognito => Fact::ModeCognito,
                Mode::Lambda => Fact::ModeLambda,
            };
            let Some(secret) = self.endpoint.secret(mode) else {
                let because = match mode {
                    Mode::ApiKey => self.of_made_up(carrier, &Secret::ApiKey(WRONG_KEY.into())).await,
                    Mode::Lambda => self.of_made_up(carrier, &wrong(&Secret::Token(String::new()))).await,
                    Mode::Iam | Mode::Oidc | Mode::Cognito => "no credentials of this mode were given".into(),
                };
                profile.note(fact, None, because);
                continue;
            };
            match self.meet(carrier, &dialogue.cast().connect_by(&secret)).await {
                Met::Acked(_) => profile.note(fact, Some(true), "the credentials of this mode are accepted"),
                Met::Refused(why) => {
                    profile.note(fact, Some(false), format!("the credentials of this mode are refused: {why}"));
                }
                Met::Nothing(what) => profile.note(fact, None, what),
            }
        }
    }

    async fn of_made_up(&self, carrier: Carrier, secret: &Secret) -> String {
        let credentials = self.dialogue(self.endpoint).cast().connect_by(secret);
        let said = match self.meet(carrier, &credentials).await {
            Met::Acked(_) => "accepted".into(),
            Met::Refused(why) => format!("refused: {why}"),
            Met::Nothing(what) => what,
        };
        format!("no credentials of this mode were given; made-up ones are {said}")
    }

    async fn schema(&self, profile: &mut Profile) {
        let dialogue = self.dialogue(self.endpoint);
        let asked = dialogue.http(&dialogue.cast().post(INTROSPECTION)).await;
        let body = asked.as_ref().ok().and_then(|answer| parse_json(&answer.body.text()));
        let Some(schema) = body.as_ref().and_then(|body| body.pointer("/data/__schema")) else {
            let why = match asked {
                Ok(answer) => format!("status {}: {}", answer.status, dialogue.shown(&answer.body.text(), 120)),
                Err(error) => error,
            };
            profile.note(Fact::Introspection, Some(false), why);
            return;
        };
        profile.note(Fact::Introspection, Some(true), "the schema was told");
        for (fact, mutation, subscription) in SCHEMAS {
            let has =
                has_field(schema, "mutationType", mutation) && has_field(schema, "subscriptionType", subscription);
            profile.note(fact, Some(has), format!("{mutation} and {subscription} were looked for in the schema"));
        }
        profile.subscriptions = fields(schema, "subscriptionType").take(100).map(Into::into).collect();
    }

    async fn namespaces(&self, profile: &mut Profile) {
        for namespace in &self.endpoint.namespaces {
            let only = Endpoint { namespaces: vec![namespace.clone()], ..self.endpoint.clone() };
            let dialogue = self.dialogue(&only);
            let Ok(opened) = dialogue.open().await else { continue };
            let Some(mut socket) = opened.socket else { continue };
            if let Answer::Yes(_) = dialogue.init(&mut socket).await {
                let answer = dialogue.subscribe(&mut socket, &dialogue.topic("probe")).await;
                match answer {
                    Answer::Yes(_) => drop(profile.namespaces.insert(namespace.clone(), true)),
                    Answer::No(why) => {
                        profile.namespaces.insert(namespace.clone(), false);
                        profile.because.insert(format!("namespace {namespace}"), why);
                    }
                    Answer::End(_) | Answer::Silence => {
                        profile.because.insert(format!("namespace {namespace}"), answer.text());
                    }
                }
            }
            dialogue.close(&mut socket).await;
        }
    }
}

/// Whether a status says that nothing of the kind is there.
fn not_there(response: &Response) -> Option<bool> {
    matches!(response.status, 404 | 405 | 410 | 426 | 501).then_some(false)
}

/// Asks for the root fields.
pub(crate) const INTROSPECTION: &str =
    r#"{"query":"{ __schema { mutationType { fields { name } } subscriptionType { fields { name } } } }"}"#;

/// The schemas that scenarios know.
pub(crate) const SCHEMAS: [(Fact, &str, &str); 3] = [
    (Fact::ChannelSchema, "publish2channel", "subscribe2channel"),
    (Fact::MessageSchema, "sendMessage", "subscribeToMessages"),
    (Fact::NoteSchema, "addNote", "onNote"),
];

/// Names of the fields of a root type.
fn fields<'s>(schema: &'s Json, kind: &str) -> impl Iterator<Item = &'s str> {
    let fields = schema.pointer(&format!("/{kind}/fields")).and_then(Json::as_array);
    fields.into_iter().flatten().filter_map(|field| field.get("name").and_then(Json::as_str))
}

/// Whether a root type has a field.
pub(crate) fn has_field(schema: &Json, kind: &str, name: &str) -> bool {
    fields(schema, kind).any(|field| field == name)
}
