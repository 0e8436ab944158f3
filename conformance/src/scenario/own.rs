//! A subscription of the target's own schema, and what triggers it.
//!
//! Scenarios that need no more than "a subscription and a trigger" are played with this one where a target declares
//! it ([`Need::Subscription`](super::Need), [`Need::Topic`](super::Need)). The nonce of an event goes into the trigger
//! and has to come back in the data of the subscription. A topic is an argument that tells events apart; without one
//! every subscription of the target hears every event, those of strangers included.

use appsync_protocol::handshake::Url;
use appsync_protocol::json::Json;
use appsync_protocol::wire::{Headers, Request};

use super::cast::request_body;

/// What a target declares of its own schema.
#[derive(Clone, PartialEq)]
pub struct Own {
    /// The subscription.
    pub document: String,
    /// Its variables: an object, or null.
    pub variables: Json,
    /// Dotted path of the variable that holds the topic.
    pub topic: Option<String>,
    /// Dotted path of the value in `payload.data` that holds the nonce.
    pub data: String,
    /// What triggers it.
    pub trigger: Trigger,
}

/// What triggers a declared subscription.
#[derive(Clone, PartialEq)]
pub enum Trigger {
    /// A mutation at the HTTP endpoint, with the credentials of the run.
    Mutation {
        /// The mutation.
        document: String,
        /// Its variables: an object, or null.
        variables: Json,
        /// Dotted path of the variable that takes the nonce.
        nonce: String,
        /// Dotted path of the variable that takes the topic.
        topic: Option<String>,
    },
    /// Any HTTP request; [`NONCE`] and [`TOPIC`] are replaced in URL path, header values and body.
    Http {
        /// The method.
        method: String,
        /// Where it goes.
        url: Url,
        /// Header fields.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// A command of the shell, which finds both in `SYNCSPEC_NONCE` and `SYNCSPEC_TOPIC`.
    Command(String),
}

/// Stands for the nonce in the HTTP request of a trigger.
pub const NONCE: &str = "${nonce}";
/// Stands for the topic in the HTTP request of a trigger.
pub const TOPIC: &str = "${topic}";

/// One use of a trigger that is no mutation.
#[derive(Clone, Debug, PartialEq)]
pub enum Firing {
    /// An HTTP request to this place.
    Http(Url, Request),
    /// A command, with the nonce and the topic.
    Command {
        /// For the shell.
        line: String,
        /// The nonce.
        nonce: String,
        /// The topic.
        topic: String,
    },
}

impl std::fmt::Debug for Own {
    /// Without header values: credentials may stand there.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Own").field("document", &self.document).field("data", &self.data).finish_non_exhaustive()
    }
}

impl Own {
    /// The variables of the subscription to this topic.
    pub fn variables_for(&self, topic: &str) -> Json {
        match &self.topic {
            Some(path) => with_value(&self.variables, path, topic),
            None => self.variables.clone(),
        }
    }

    /// JSON text of the request of the subscription to this topic.
    pub fn request(&self, topic: &str) -> String {
        request_body(&self.document, &self.variables_for(topic))
    }

    /// Whether events of different topics reach different subscriptions.
    pub const fn has_topics(&self) -> bool {
        self.topic.is_some()
    }
}

impl Trigger {
    /// JSON text of the mutation for an event with this nonce, if it is one.
    pub fn mutation(&self, topic: &str, nonce: &str) -> Option<String> {
        match self {
            Self::Mutation { document, variables, nonce: place, topic: topics } => {
                let mut filled = with_value(variables, place, nonce);
                if let Some(path) = topics {
                    filled = with_value(&filled, path, topic);
                }
                Some(request_body(document, &filled))
            }
            Self::Http { .. } | Self::Command(_) => None,
        }
    }

    /// The use of it for an event with this nonce, if it is no mutation.
    pub fn firing(&self, topic: &str, nonce: &str) -> Option<Firing> {
        let filled = |text: &str| text.replace(NONCE, nonce).replace(TOPIC, topic);
        match self {
            Self::Mutation { .. } => None,
            Self::Http { method, url, headers, body } => {
                let mut fields = Headers::new().with("host", url.authority());
                for (name, value) in headers {
                    fields.push(name, filled(value));
                }
                let (method, target) = (method.clone(), filled(&url.path));
                let request = Request { method, target, headers: fields, body: filled(body).as_str().into() };
                Some(Firing::Http(url.clone(), request))
            }
            Self::Command(line) => {
                Some(Firing::Command { line: line.clone(), nonce: nonce.into(), topic: topic.into() })
            }
        }
    }

    /// What it is, in few words.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Mutation { .. } => "mutation",
            Self::Http { .. } => "HTTP request",
            Self::Command(_) => "command",
        }
    }
}

/// The same JSON with this text at a dotted path; objects on the way are made where there are none.
fn with_value(json: &Json, path: &str, text: &str) -> Json {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let filled = |value: &Json| rest.map_or_else(|| text.into(), |rest| with_value(value, rest, text));
    match json {
        Json::Array(items) => {
            let place = first.parse::<usize>().ok();
            Json::Array(
                items.iter().enumerate().map(|(n, v)| if Some(n) == place { filled(v) } else { v.clone() }).collect(),
            )
        }
        Json::Object(members) => {
            let mut members = members.clone();
            let value = filled(members.get(first).unwrap_or(&Json::Null));
            members.insert(first.to_owned(), value);
            Json::Object(members)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            Json::Object([(first.to_owned(), filled(&Json::Null))].into_iter().collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_put_where_the_path_leads_and_nothing_else_changes() {
        let variables = json!({ "input": { "text": "", "tags": ["a", { "b": 1 }] }, "n": 7 });

        assert_eq!(with_value(&variables, "n", "x")["n"], "x");
        assert_eq!(
            with_value(&variables, "input.tags.1.b", "x"),
            json!({ "input": { "text": "", "tags": ["a", { "b": "x" }] }, "n": 7 })
        );
        assert_eq!(with_value(&Json::Null, "input.text", "x"), json!({ "input": { "text": "x" } }));
    }

    #[test]
    fn a_mutation_carries_nonce_and_topic_where_they_are_declared() {
        let trigger = Trigger::Mutation {
            document: "mutation M($i: In!) { place(input: $i) { id } }".into(),
            variables: json!({ "i": { "kind": "test" } }),
            nonce: "i.note".into(),
            topic: Some("i.shop".into()),
        };

        let body = trigger.mutation("berlin", "n-1").unwrap();

        assert!(body.ends_with(r#""variables":{"i":{"kind":"test","note":"n-1","shop":"berlin"}}}"#), "{body}");
        assert_eq!(trigger.firing("berlin", "n-1"), None);
    }

    #[test]
    fn a_request_carries_nonce_and_topic_wherever_they_are_named() {
        let trigger = Trigger::Http {
            method: "PUT".into(),
            url: Url { secure: false, host: "127.0.0.1:9".into(), path: "/t/${topic}".into() },
            headers: vec![("x-mark".into(), "${nonce}".into())],
            body: r#"{"n":"${nonce}"}"#.into(),
        };

        let Some(Firing::Http(_, request)) = trigger.firing("a", "n-1") else { panic!("no request") };

        assert_eq!((request.target.as_str(), request.body.text().as_ref()), ("/t/a", r#"{"n":"n-1"}"#));
        assert_eq!(
            (request.headers.first("x-mark"), request.headers.first("host")),
            (Some("n-1"), Some("127.0.0.1:9"))
        );
    }
}
