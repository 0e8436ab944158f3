//! What is listened to and published on: few enough places that most events have several listeners.

use std::collections::BTreeMap;

use appsync_protocol::channel::{Channel, ChannelPattern};
use appsync_protocol::delivery::{Interest, Subject};
use appsync_protocol::dialect::Dialect;
use appsync_protocol::json::Json;
use serde_json::json;

/// Something to subscribe to.
#[derive(Clone, Debug)]
pub(crate) struct Topic {
    /// What `Session::subscribe` takes: a channel, or the text of a GraphQL request.
    pub(crate) ask: String,
    /// The same for the model.
    pub(crate) interest: Interest,
}

/// A mutation and what it means to subscribers.
#[derive(Clone, Debug)]
pub(crate) struct Mutation {
    /// Body of the HTTP request.
    pub(crate) body: Json,
    /// The same for the model.
    pub(crate) subject: Subject,
}

/// The namespaces of the endpoint that are listened to.
const NAMESPACES: [&str; 2] = ["default", "other"];
/// Segments at each level below a namespace, names of channels, boards.
const WIDTH: u8 = 4;

/// Draws a subscription.
pub(crate) fn topic(rng: &mut fastrand::Rng, dialect: Dialect) -> Topic {
    match dialect {
        Dialect::Events => {
            let (namespace, room, seat) = place(rng);
            let pattern = match rng.u8(..100) {
                0..60 => format!("/{namespace}/room-{room}/{seat}"),
                60..90 => format!("/{namespace}/room-{room}/*"),
                90..97 => format!("/{namespace}/*"),
                _ => format!("/{namespace}/room-{room}/{seat}/*"),
            };
            listen(&pattern)
        }
        Dialect::Graphql if rng.bool() => {
            let name = json!(name(rng));
            ask("subscribe2channel", "name data", &[("name", "String!", name)])
        }
        Dialect::Graphql => {
            let board = ("board", "ID", json!(board(rng)));
            let stars = ("stars", "Int", json!(rng.u8(..WIDTH)));
            let arguments = match rng.u8(..10) {
                0..4 => vec![board],
                4..7 => vec![board, stars],
                7 => vec![board, ("stars", "Int", Json::Null)],
                8 => vec![stars],
                _ => vec![],
            };
            ask("onNote", "id board text stars", &arguments)
        }
    }
}

/// Draws a channel to publish on.
pub(crate) fn channel(rng: &mut fastrand::Rng) -> String {
    let (namespace, room, seat) = place(rng);
    format!("/{namespace}/room-{room}/{seat}")
}

/// What a channel means to subscribers.
///
/// # Panics
/// If it is none, which [`channel`] never draws.
pub(crate) fn on_channel(channel: &str) -> Subject {
    Subject::Channel(Channel::parse(channel).expect("a channel of this module"))
}

/// Draws a mutation that carries `text`.
pub(crate) fn mutation(rng: &mut fastrand::Rng, text: &str) -> Mutation {
    if rng.bool() {
        let data = Json::from(text).to_string();
        let query = "mutation M($name: String!, $data: AWSJSON!) \
                     { publish2channel(name: $name, data: $data) { name data } }";
        let variables = json!({"name": name(rng), "data": data});
        return Mutation {
            body: json!({"query": query, "variables": variables}),
            subject: Subject::Field { field: "subscribe2channel".into(), object: without(variables, "data") },
        };
    }
    let query = "mutation M($board: ID!, $text: String, $stars: Int) \
                 { addNote(board: $board, text: $text, stars: $stars) { id board text stars } }";
    let stars = if rng.u8(..4) == 0 { Json::Null } else { json!(rng.u8(..WIDTH)) };
    let variables = json!({"board": board(rng), "text": text, "stars": stars});
    Mutation {
        body: json!({"query": query, "variables": variables}),
        subject: Subject::Field { field: "onNote".into(), object: without(variables, "text") },
    }
}

/// The body of a mutation that is stored, and that nobody listens to.
pub(crate) fn filling(number: u64) -> Json {
    let query = "mutation M($board: ID!, $text: String) { addNote(board: $board, text: $text) { id board text } }";
    let text = if number.is_multiple_of(2) { "x".repeat(64 * 1024) } else { String::new() };
    json!({"query": query, "variables": {"board": "filling", "text": text}})
}

fn place(rng: &mut fastrand::Rng) -> (&'static str, u8, u8) {
    (NAMESPACES[rng.usize(..NAMESPACES.len())], rng.u8(..WIDTH), rng.u8(..WIDTH))
}

fn name(rng: &mut fastrand::Rng) -> String {
    format!("name-{}", rng.u8(..WIDTH * WIDTH))
}

fn board(rng: &mut fastrand::Rng) -> String {
    format!("board-{}", rng.u8(..WIDTH))
}

fn listen(pattern: &str) -> Topic {
    let parsed = ChannelPattern::parse(pattern).expect("a pattern of this module");
    Topic { ask: pattern.into(), interest: Interest::Channel(parsed) }
}

fn ask(field: &str, selection: &str, arguments: &[(&str, &str, Json)]) -> Topic {
    let join = |parts: Vec<String>| if parts.is_empty() { String::new() } else { format!("({})", parts.join(", ")) };
    let declared = join(arguments.iter().map(|(name, kind, _)| format!("${name}: {kind}")).collect());
    let passed = join(arguments.iter().map(|(name, ..)| format!("{name}: ${name}")).collect());
    let values: BTreeMap<String, Json> =
        arguments.iter().map(|(name, _, value)| ((*name).to_owned(), value.clone())).collect();
    let query = format!("subscription S{declared} {{ {field}{passed} {{ {selection} }} }}");
    Topic {
        ask: json!({"query": query, "variables": values}).to_string(),
        interest: Interest::Field { field: field.into(), arguments: values },
    }
}

/// The model needs no bodies, only what is filtered by.
fn without(mut object: Json, member: &str) -> Json {
    if let Some(members) = object.as_object_mut() {
        members.remove(member);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_declares_just_the_arguments_that_it_passes() {
        let topic = ask("onNote", "text", &[("board", "ID", json!("b")), ("stars", "Int", Json::Null)]);
        let bare = ask("onNote", "text", &[]);

        let query = "subscription S($board: ID, $stars: Int) { onNote(board: $board, stars: $stars) { text } }";
        assert_eq!(topic.ask, json!({"query": query, "variables": {"board": "b", "stars": null}}).to_string());
        assert_eq!(bare.ask, json!({"query": "subscription S { onNote { text } }", "variables": {}}).to_string());
    }

    #[test]
    fn a_mutation_carries_the_payload_once_and_the_model_is_told_no_bodies() {
        let mut rng = fastrand::Rng::with_seed(3);

        for _ in 0..100 {
            let drawn = mutation(&mut rng, "~1.2~xx!");

            assert_eq!(drawn.body.to_string().matches("~1.2~xx!").count(), 1);
            let Subject::Field { field, object } = drawn.subject else { panic!("a channel") };
            assert_eq!((object.get("text"), object.get("data")), (None, None));
            assert_eq!(object.get("board").is_some(), field == "onNote");
        }
    }

    #[test]
    fn every_kind_of_subscription_is_drawn_and_nobody_listens_to_the_noise() {
        let mut rng = fastrand::Rng::with_seed(5);

        let drawn: Vec<_> = (0..20_000).map(|_| topic(&mut rng, Dialect::Events).ask).collect();

        for kind in ["/default/*", "/other/room-0/*", "/other/room-1/2", "/default/room-3/1/*"] {
            assert!(drawn.iter().any(|ask| ask == kind), "{kind}");
        }
        assert!(!drawn.iter().any(|ask| ask.starts_with("/noise")));
    }
}
