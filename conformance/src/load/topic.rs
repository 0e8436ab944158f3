//! What is said to a target: channels, subscriptions and publishes of a run, in either dialect.
//!
//! Events have channels by nature. For GraphQL a channel is the value of a variable, by which one subscription is told
//! from another; the documents are those of the schema that AppSync proposes for a new API, unless others are given.
//! What is sent thousands of times is put together from parts; a test holds it against the encoder of the model.

use std::borrow::Cow;

use appsync_protocol::dialect::{Dialect, encode};
use appsync_protocol::encode::ObjectWriter;
use appsync_protocol::envelope::{Raw, RawBuf};
use appsync_protocol::handshake::Credentials;
use appsync_protocol::json::push_json_string;
use appsync_protocol::message::Message;

use super::mark::nonce;

/// What a run subscribes to and publishes.
#[derive(Clone, Debug)]
pub enum Topics {
    /// Channels `/NAMESPACE/bench-RUN/NUMBER`.
    Events {
        /// First segment.
        namespace: String,
    },
    /// Documents with a variable for the channel.
    Graphql(Documents),
}

/// The operations of a GraphQL run.
#[derive(Clone, Debug)]
pub struct Documents {
    /// A subscription.
    pub subscribe: String,
    /// A mutation that it hears of.
    pub publish: String,
    /// The variable that tells channels apart, in both.
    pub channel_variable: String,
    /// The variable of the mutation that carries the event, as a text.
    pub data_variable: String,
}

impl Default for Documents {
    fn default() -> Self {
        Self {
            subscribe: "subscription($name: String!) { subscribe2channel(name: $name) { name data } }".into(),
            publish:
                "mutation($name: String!, $data: AWSJSON!) { publish2channel(name: $name, data: $data) { name data } }"
                    .into(),
            channel_variable: "name".into(),
            data_variable: "data".into(),
        }
    }
}

impl Topics {
    /// What is spoken.
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Events { .. } => Dialect::Events,
            Self::Graphql(_) => Dialect::Graphql,
        }
    }

    /// The name of channel `number` of the run with this seed.
    pub fn channel(&self, seed: u64, number: u64) -> String {
        match self {
            Self::Events { namespace } => format!("/{namespace}/bench-{}/{number}", nonce(seed)),
            Self::Graphql(_) => format!("bench-{}-{number}", nonce(seed)),
        }
    }

    /// What the credentials of a subscription cover.
    pub fn subscribe_body(&self, channel: &str) -> String {
        match self {
            Self::Events { .. } => object(|writer| writer.string("channel", channel)),
            Self::Graphql(documents) => {
                let variables = object(|writer| writer.string(&documents.channel_variable, channel));
                object(|writer| writer.string("query", &documents.subscribe).text("variables", &variables))
            }
        }
    }

    /// The message that subscribes.
    pub fn subscribe(&self, id: &str, channel: &str, who: &Credentials) -> String {
        let authorization = who.to_json();
        let (request, authorization) = match self {
            Self::Events { .. } => (quoted(channel), RawBuf::read(authorization)),
            Self::Graphql(_) => {
                let extensions = object(|writer| writer.text("authorization", &authorization));
                let body = self.subscribe_body(channel);
                (object(|writer| writer.string("data", &body).text("extensions", &extensions)), None)
            }
        };
        let mut out = String::new();
        if let Ok(request) = Raw::read(&request) {
            let authorization = authorization.as_ref().map(RawBuf::as_raw);
            encode(self.dialect(), &Message::Subscribe { id: Cow::Borrowed(id), request, authorization }, &mut out);
        }
        out
    }

    /// The message that ends a subscription.
    pub fn unsubscribe(&self, id: &str) -> String {
        let mut out = String::new();
        encode(self.dialect(), &Message::Unsubscribe { id: Cow::Borrowed(id) }, &mut out);
        out
    }

    /// What the credentials of a publish cover, and the body of one over HTTP.
    pub fn publish_body(&self, channel: &str, event: &str) -> String {
        match self {
            Self::Events { .. } => {
                let events = format!("[{}]", quoted(event));
                object(|writer| writer.string("channel", channel).text("events", &events))
            }
            Self::Graphql(documents) => {
                let Documents { channel_variable, data_variable, .. } = documents;
                let variables = object(|writer| writer.string(channel_variable, channel).string(data_variable, event));
                object(|writer| writer.string("query", &documents.publish).text("variables", &variables))
            }
        }
    }
}

/// `publish` messages of Events on one channel, in parts.
pub struct Publish {
    after_id: String,
    end: String,
}

impl Publish {
    /// With these credentials.
    pub fn new(channel: &str, who: &Credentials) -> Self {
        Self {
            after_id: format!("\",\"channel\":{},\"events\":[", quoted(channel)),
            end: format!("],\"authorization\":{}}}", who.to_json()),
        }
    }

    /// Appends a message; `id` needs no escapes.
    pub fn write(&self, id: &str, event: &str, out: &mut String) {
        out.push_str("{\"type\":\"publish\",\"id\":\"");
        out.push_str(id);
        out.push_str(&self.after_id);
        push_json_string(out, event);
        out.push_str(&self.end);
    }
}

fn object(members: impl FnOnce(ObjectWriter<'_>) -> ObjectWriter<'_>) -> String {
    let mut out = String::new();
    members(ObjectWriter::open(&mut out)).close();
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    push_json_string(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use appsync_protocol::dialect::decode;

    use super::*;

    #[test]
    fn a_publish_in_parts_is_what_the_encoder_writes() {
        let who = Credentials::api_key("h", "k\"1");
        let event = r#"{"m":"x","y":"\\"}"#;
        let mut written = String::new();
        Publish::new("/default/a", &who).write("p1", event, &mut written);

        let (channel, events, authorization) = (quoted("/default/a"), format!("[{}]", quoted(event)), who.to_json());
        let raw = |text| Raw::read(text).unwrap();
        let message = Message::Publish {
            id: "p1".into(),
            channel: raw(&channel),
            events: raw(&events),
            authorization: Some(raw(&authorization)),
        };
        let mut encoded = String::new();
        encode(Dialect::Events, &message, &mut encoded);

        assert_eq!(written, encoded);
    }

    #[test]
    fn both_dialects_subscribe_to_a_channel_of_the_run() {
        let who = Credentials::api_key("h", "k");
        for topics in [Topics::Events { namespace: "default".into() }, Topics::Graphql(Documents::default())] {
            let channel = topics.channel(7, 3);
            let text = topics.subscribe("s1", &channel, &who);
            let decoded = decode(topics.dialect(), &text).unwrap();

            assert!(matches!(decoded.message, Message::Subscribe { .. }), "{text}");
            assert!(text.contains(&channel) && text.contains("x-api-key") && channel.contains(&nonce(7)), "{text}");
        }
    }
}
