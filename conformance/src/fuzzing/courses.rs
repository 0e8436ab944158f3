//! What each namespace with set-up makes of a publish (Events): what is said, what is heard of it, how it is answered.

use std::time::Duration;

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Mode;
use serde_json::json;

use super::ask::{Claim, Posted, Scene};
use super::op::{Proof, Setup};
use super::proof::mode;
use crate::scenario::{Answer, Cast, Pattern, Shape};

/// A publish and what becomes of it.
pub(super) struct Course {
    /// The events.
    pub(super) events: Vec<Json>,
    /// What is to be heard of them.
    pub(super) heard: Vec<Posted>,
    /// The answers on a connection.
    pub(super) told: Vec<Claim>,
    /// The answers over HTTP.
    pub(super) answers: Vec<(Vec<Answer>, R)>,
    /// How much longer than any other answer this one may take.
    pub(super) patience: Duration,
}

/// EVT-A-13: both are read.
pub(super) fn unauthorized() -> Vec<Answer> {
    [401, 403].map(|status| Answer::status(status).has("errors", Shape::ErrorType(&["UnauthorizedException"]))).to_vec()
}

/// One publish in the making.
struct Draft<'a> {
    cast: &'a Cast,
    serial: u32,
    id: &'a str,
    channel: &'a str,
}

/// What a namespace makes of a publish with these credentials. `None` where nobody can say.
pub(super) fn course(scene: &Scene<'_>, (id, channel): (&str, &str), setup: Setup, proof: Proof) -> Option<Course> {
    let draft = Draft { cast: scene.cast, serial: scene.serial, id, channel };
    let mode = mode(scene.cast, proof);
    Some(match setup {
        Setup::Transform | Setup::DropSome | Setup::EventError | Setup::Grow | Setup::Delay | Setup::Context => {
            draft.handled(setup, mode)
        }
        Setup::Reject | Setup::Unauthorized | Setup::Stall | Setup::Fail | Setup::LambdaThrows | Setup::LambdaError => {
            draft.refused_by_handler(setup)
        }
        Setup::PublishIam => match mode {
            Mode::Iam => draft.taken(R::EvtAuth017, R::EvtAuth017),
            Mode::ApiKey => {
                let kind = || Shape::ErrorType(&["UnauthorizedException"]);
                let answers = vec![Answer::between(401, 403).has("errors", kind())];
                draft.refused(draft.refusal().has("errors", kind()), answers, R::EvtAuth019)
            }
            Mode::Oidc | Mode::Cognito | Mode::Lambda => return None,
        },
        Setup::SubscribeIam => draft.taken(R::EvtAuth017, R::EvtHttp004),
        Setup::Room
        | Setup::SubscribeReject
        | Setup::SubscribeUnauthorized
        | Setup::SubscribeFail
        | Setup::SubscribeDelay
        | Setup::SubscribeContext => match mode {
            Mode::Iam => draft.taken(R::EvtAuth008, R::EvtAuth009),
            Mode::ApiKey | Mode::Oidc | Mode::Cognito | Mode::Lambda => draft.taken(R::EvtAuth016, R::EvtHttp004),
        },
    })
}

impl Draft<'_> {
    fn nonce(&self, label: &str) -> String {
        self.cast.nonce(&format!("h{}-{label}", self.serial))
    }

    fn refusal(&self) -> Pattern {
        Pattern::with_id("publish_error", self.id).has("errors", Shape::Errors)
    }

    fn lists(&self, successful: usize, failed: usize) -> (Pattern, Answer) {
        let told = Pattern::with_id("publish_success", self.id)
            .has("successful", Shape::Length(successful))
            .has("failed", Shape::Length(failed));
        let answer =
            Answer::status(200).has("successful", Shape::Length(successful)).has("failed", Shape::Length(failed));
        (told, answer)
    }

    /// What is heard of the event with the plain nonce.
    fn heard(&self, value: Json) -> Vec<Posted> {
        vec![Posted { place: self.channel.into(), nonce: Some(self.nonce("a")), value, ..Posted::default() }]
    }

    /// An event that reaches nobody. It has two nonces, so that the delivery model, which knows no handlers, is told of
    /// neither.
    fn hidden(&self, member: &str) -> Json {
        json!({ "nonce": self.nonce("b"), "also": self.nonce("c"), member: true })
    }

    /// A publish of one event that is refused.
    fn refused(&self, told: Pattern, answers: Vec<Answer>, rule: R) -> Course {
        Course {
            events: vec![json!(self.nonce("a"))],
            heard: Vec::new(),
            told: vec![Claim::one(told, rule)],
            answers: vec![(answers, rule)],
            patience: Duration::ZERO,
        }
    }

    /// A publish of one event that is taken and heard as it is.
    fn taken(&self, rule: R, http: R) -> Course {
        let (told, answer) = self.lists(1, 0);
        Course {
            heard: self.heard(json!(self.nonce("a"))),
            told: vec![Claim::one(told, rule)],
            answers: vec![(vec![answer], http)],
            ..self.refused(self.refusal(), Vec::new(), rule)
        }
    }

    fn handled(&self, setup: Setup, mode: Mode) -> Course {
        let plain = || json!({ "nonce": self.nonce("a") });
        if setup == Setup::Transform {
            let changed = json!({ "nonce": self.nonce("a"), "changed": true });
            return Course {
                events: vec![plain()],
                heard: self.heard(changed),
                ..self.taken(R::EvtPub007, R::EvtHttp004)
            };
        }
        if setup == Setup::DropSome {
            let (told, answer) = self.lists(2, 0);
            return Course {
                events: vec![self.hidden("drop"), plain()],
                heard: self.heard(plain()),
                ..self.refused(told, vec![answer], R::EvtPub022)
            };
        }
        if setup == Setup::EventError {
            let (told, answer) = self.lists(1, 1);
            let told = told
                .has("failed.0.index", Shape::Is(json!(0)))
                .has("failed.0.code", Shape::Is("CustomError".into()))
                .has("failed.0.message", Shape::Is("not this one".into()))
                .has("successful.0.index", Shape::Is(json!(1)));
            return Course {
                events: vec![self.hidden("fail"), plain()],
                heard: self.heard(plain()),
                ..self.refused(told, vec![answer], R::EvtPub021)
            };
        }
        if setup == Setup::Grow {
            // EVT-A-12: all of these are read.
            let ((none, nothing), (one, all)) = (self.lists(0, 1), self.lists(1, 0));
            let answers = vec![nothing, all, Answer::between(400, 499)];
            return Course {
                events: vec![self.hidden("grows")],
                told: vec![Claim::new(vec![none, one, self.refusal()], R::EvtLimit015)],
                ..self.refused(self.refusal(), answers, R::EvtLimit015)
            };
        }
        if setup == Setup::Context {
            let told = context(self.cast, self.channel, mode);
            let heard =
                self.heard(plain()).into_iter().map(|heard| Posted { loose: true, told: told.clone(), ..heard });
            return Course { events: vec![plain()], heard: heard.collect(), ..self.taken(R::EvtPub007, R::EvtHttp004) };
        }
        Course { patience: Duration::from_secs(8), ..self.taken(R::EvtPub023, R::EvtHttp004) }
    }

    fn refused_by_handler(&self, setup: Setup) -> Course {
        let refusal = |shape| self.refusal().has("errors", shape);
        let both = |told: R, http: R, shape: Shape, answers: Vec<Answer>| Course {
            answers: vec![(answers, http)],
            ..self.refused(refusal(shape), Vec::new(), told)
        };
        if setup == Setup::Reject {
            let text = || Shape::ErrorMessage("not today".into());
            return both(R::EvtPub019, R::EvtHttp009, text(), vec![Answer::status(403).has("errors", text())]);
        }
        if setup == Setup::Unauthorized {
            let kind = Shape::ErrorType(&["UnauthorizedException"]);
            return both(R::EvtPub020, R::EvtHttp010, kind, unauthorized());
        }
        if setup == Setup::Fail {
            let inside = || Shape::Without("db-7");
            let answers = vec![Answer::between(400, 599).has("errors", inside())];
            return both(R::EvtErr014, R::EvtErr014, inside(), answers);
        }
        if setup == Setup::LambdaThrows {
            let kind = || Shape::ErrorType(&["DependencyFailedException"]);
            return both(R::EvtHttp012, R::EvtHttp012, kind(), vec![Answer::status(502).has("errors", kind())]);
        }
        if setup == Setup::LambdaError {
            // EVT-A-14: all of these are read.
            let answers = vec![Answer::between(400, 599), Answer::status(200)];
            return Course { told: Vec::new(), ..self.refused(self.refusal(), answers, R::EvtHttp011) };
        }
        let given_up = self.refused(self.refusal(), vec![Answer::between(400, 599)], R::EvtLimit014);
        Course { patience: Duration::from_secs(38), ..given_up }
    }
}

/// What a handler has to tell of the context of a request over HTTP.
fn context(cast: &Cast, channel: &str, mode: Mode) -> Vec<Claim> {
    let segments: Vec<_> = channel.split('/').skip(1).map(|part| json!(part)).collect();
    let host = cast.auth_host.split(':').next().unwrap_or_default().to_owned();
    let mut members = vec![
        ("context.info.channel.path", Shape::Is(channel.into()), R::EvtChannel023),
        ("context.info.channel.segments", Shape::Is(Json::Array(segments)), R::EvtChannel023),
        ("context.request.headers.x-syncspec", Shape::Is("one".into()), R::EvtHttp019),
        ("context.request.headers.x-syncspec-two", Shape::Is(json!(["a", "b"])), R::EvtHttp019),
        ("context.request.headers.cookie", Shape::Absent, R::EvtHttp019),
        ("context.request.domainName", Shape::OneOf(vec![Json::Null, host.into()]), R::EvtHttp020),
    ];
    if mode == Mode::ApiKey {
        members.push(("context.identity", Shape::Nothing, R::EvtAuth033));
    }
    let claim =
        |(path, shape, rule)| Claim::one(Pattern::word("data").has("event", Shape::Members(vec![(path, shape)])), rule);
    members.into_iter().map(claim).collect()
}
