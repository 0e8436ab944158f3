//! Events: that they arrive, for whom, and what is in them.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::steps::{
    ANY, CHANNEL, NOTES, QUICK, SUBSCRIBE_TO_MESSAGES, add_note, all, any_of, connected, edit, expect, forbidden,
    heard, heard_note, marked_by_message, mutated, noted, published, refusal, send_message, subscribed, subscribed_to,
    warmed, warmed_by, warmed_with,
};
use crate::fault::{Change, Fault, How, Nth};
use crate::scenario::cast::{channel_data, request_body};
use crate::scenario::{Answer, Need, Pattern, Scenario, Shape, Step};

/// The subscription to the notes of one board.
const SUBSCRIBE_TO_BOARD: &str = "subscription S($b: ID) { onNote(board: $b) { id board text stars } }";

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/delivery/reaches-the-subscriber",
        title: "The result of a mutation reaches the subscription in payload.data.",
        covers: &[R::GqlSub012],
        needs: ANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                subscribed(cast, 1, "second", &cast.nonce("elsewhere")),
                vec![
                    warmed(cast, 1, "first", &room),
                    published(cast, &room, &nonce),
                    heard(cast, 1, "first", (&room, &nonce), R::GqlSub012),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/data-is-an-object",
        title: "In an event payload.data is an object keyed by the root field.",
        covers: &[R::GqlSub013],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let keyed = Pattern::with_id("data", "first")
                .has("payload.data", Shape::Object)
                .has("payload.data.subscribe2channel.name", Shape::Is(room.as_str().into()))
                .has("payload.data.subscribe2channel.data", Shape::Is(channel_data(&nonce).into()));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![warmed(cast, 1, "first", &room), published(cast, &room, &nonce), expect(1, keyed, R::GqlSub013)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/values-keep-their-types",
        title: "A number in the result of a mutation is a number in the event.",
        covers: &[R::GqlSub012],
        needs: NOTES,
        steps: |cast| {
            let (board, nonce) = (cast.nonce("board"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", SUBSCRIBE_TO_BOARD, &json!({ "b": board })),
                vec![
                    warmed_with(cast, 1, "first", R::GqlSub012, |nonce| add_note(cast, &board, nonce, Some(3))),
                    noted(cast, &board, &nonce, Some(5)),
                    heard_note(1, "first", (&board, &nonce), &json!(5), R::GqlSub012),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/only-what-was-selected",
        title: "An event holds no field that the subscriber has not selected.",
        covers: &[R::GqlSub014],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let document = "subscription S($n: String!) { subscribe2channel(name: $n) { data } }";
            let only = json!({ "data": channel_data(&nonce) });
            let cut = Pattern::with_id("data", "first").has("payload.data.subscribe2channel", Shape::Is(only));
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", document, &json!({ "n": room })),
                vec![warmed(cast, 1, "first", &room), published(cast, &room, &nonce), expect(1, cut, R::GqlSub014)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/each-subscription-once",
        title: "Each of two subscriptions that match gets the event once, under its own id.",
        covers: &[R::GqlSub017],
        needs: ANY,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                subscribed(cast, 1, "second", &room),
                vec![
                    warmed_by(cast, 1, "first", &room, R::GqlSub017),
                    warmed_by(cast, 1, "second", &room, R::GqlSub017),
                    published(cast, &room, &nonce),
                    heard(cast, 1, "first", (&room, &nonce), R::GqlSub017),
                    heard(cast, 1, "second", (&room, &nonce), R::GqlSub017),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/each-connection",
        title: "Two connections that use the same id each get the events of their own subscription.",
        covers: &[R::GqlSub012],
        needs: &[Need::ChannelSchema, Need::MessageSchema],
        steps: |cast| {
            // One is told of messages: whether arguments are looked at is another question.
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                connected(cast, 2),
                subscribed_to(cast, 1, "same", SUBSCRIBE_TO_MESSAGES, &Json::Null),
                subscribed(cast, 2, "same", &room),
                vec![
                    warmed_with(cast, 1, "same", R::GqlSub012, |nonce| send_message(cast, nonce)),
                    warmed(cast, 2, "same", &room),
                    forbidden(1, "same", &nonce, R::GqlSub012),
                    published(cast, &room, &nonce),
                    heard(cast, 2, "same", (&room, &nonce), R::GqlSub012),
                ],
                marked_by_message(cast, 1, "same", R::GqlSub012),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/not-returned-is-null",
        title: "A field that the subscriber selected and the mutation did not is null in the event.",
        covers: &[R::GqlSub015],
        needs: NOTES,
        steps: |cast| {
            let (board, nonce) = (cast.nonce("board"), cast.nonce("event"));
            let sparse = "mutation M($b: ID!, $t: String) { addNote(board: $b, text: $t, stars: 4) { id board text } }";
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", SUBSCRIBE_TO_BOARD, &json!({ "b": board })),
                vec![
                    warmed_with(cast, 1, "first", R::GqlSub012, |nonce| add_note(cast, &board, nonce, Some(3))),
                    mutated(cast, sparse, &json!({ "b": board, "t": nonce })),
                    heard_note(1, "first", (&board, &nonce), &Json::Null, R::GqlSub015),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/forbidden-null",
        title: "When the mutation left out a field that may not be null, the event has null data and errors.",
        covers: &[R::GqlSub016],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let sparse = "mutation M($n: String!, $d: AWSJSON!) { publish2channel(name: $n, data: $d) { name } }";
            let readings = vec![
                Pattern::with_id("data", "first")
                    .has("payload.data.subscribe2channel", Shape::Nothing)
                    .has("payload.errors", Shape::Errors)
                    .reads("GQL-A-14", "null data with errors comes as data"),
                refusal("first").reads("GQL-A-14", "null data with errors comes as error"),
            ];
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    mutated(cast, sparse, &json!({ "n": room, "d": channel_data(&nonce) })),
                    any_of(1, readings, R::GqlSub016),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/null-result-is-no-event",
        title: "A mutation whose field returns null triggers no event.",
        covers: &[R::GqlSub018],
        needs: NOTES,
        steps: |cast| {
            let (board, marker) = (cast.nonce("board"), cast.nonce("marker"));
            let drop = "mutation M($i: ID!) { dropNote(id: $i) { id board text stars } }";
            let dropped = Step::Call {
                request: cast.post(&request_body(drop, &json!({ "i": cast.nonce("nobody") }))),
                any_of: vec![Answer::status(200).has("data.dropNote", Shape::Nothing)],
                rule: R::GqlHttp002,
            };
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", SUBSCRIBE_TO_BOARD, &json!({ "b": board })),
                vec![
                    warmed_with(cast, 1, "first", R::GqlSub012, |nonce| add_note(cast, &board, nonce, None)),
                    dropped,
                    noted(cast, &board, &marker, Some(1)),
                    heard_note(1, "first", (&board, &marker), &json!(1), R::GqlSub018),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/text-comes-through-intact",
        title: "Quotes, line breaks, backslashes and characters of any plane come through unchanged.",
        covers: &[R::GqlSub012],
        needs: NOTES,
        steps: |cast| {
            let (board, nonce) = (cast.nonce("board"), cast.nonce("event"));
            let text = format!("{nonce} \"q\" \\ / \n\t ü 鍵 \u{1f511} \u{2028} </script>");
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", SUBSCRIBE_TO_BOARD, &json!({ "b": board })),
                vec![
                    warmed_with(cast, 1, "first", R::GqlSub012, |nonce| add_note(cast, &board, nonce, None)),
                    noted(cast, &board, &text, None),
                    heard_note(1, "first", (&board, &text), &Json::Null, R::GqlSub012),
                ],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-event-under-another-id",
        about: "sends an event under the id of another subscription",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/reaches-the-subscriber",
        how: edit("data", Nth::From(2), Change::OtherId),
    },
    Fault {
        name: "graphql-numbers-become-text",
        about: "sends numbers of an event as strings",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/values-keep-their-types",
        how: edit("data", Nth::Every, Change::Stringify("payload.data.onNote.stars")),
    },
    Fault {
        name: "graphql-omits-unselected-fields",
        about: "leaves out of the event what the mutation did not select, in place of null",
        breaks: R::GqlSub015,
        caught_by: "graphql/delivery/not-returned-is-null",
        how: edit("data", Nth::From(2), Change::Remove("payload.data.onNote.stars")),
    },
    Fault {
        name: "graphql-resolves-unselected-fields",
        about: "fills in what the mutation did not select",
        breaks: R::GqlSub015,
        caught_by: "graphql/delivery/not-returned-is-null",
        how: edit("data", Nth::From(2), Change::Set("payload.data.onNote.stars", "4")),
    },
    Fault {
        name: "graphql-forbidden-null-without-errors",
        about: "sends null data without saying why",
        breaks: R::GqlSub016,
        caught_by: "graphql/delivery/forbidden-null",
        how: edit("data", Nth::From(2), Change::Remove("payload.errors")),
    },
    Fault {
        name: "graphql-forbidden-null-dropped",
        about: "drops an event whose data would be null",
        breaks: R::GqlSub016,
        caught_by: "graphql/delivery/forbidden-null",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "graphql-event-for-a-null-result",
        about: "tells subscribers of a mutation that returned null",
        breaks: R::GqlSub018,
        caught_by: "graphql/delivery/null-result-is-no-event",
        how: edit(
            "data",
            Nth::Only(2),
            Change::Before(r#"{"type":"data","id":"first","payload":{"data":{"onNote":null}}}"#),
        ),
    },
    Fault {
        name: "graphql-data-as-text",
        about: "sends payload.data as a string of JSON text",
        breaks: R::GqlSub013,
        caught_by: "graphql/delivery/data-is-an-object",
        how: edit("data", Nth::From(2), Change::Stringify("payload.data")),
    },
    Fault {
        name: "graphql-data-not-keyed",
        about: "sends the event without the name of the root field around it",
        breaks: R::GqlSub013,
        caught_by: "graphql/delivery/data-is-an-object",
        how: edit("data", Nth::From(2), Change::Set("payload.data", r#"{"name":"room","data":"{}"}"#)),
    },
    Fault {
        name: "graphql-event-twice",
        about: "sends an event twice to each subscription",
        breaks: R::GqlSub017,
        caught_by: "graphql/delivery/each-subscription-once",
        how: How::Skip(Check::DeliveredOnce),
    },
    Fault {
        name: "graphql-one-event-twice",
        about: "sends the sixth event of a connection twice",
        breaks: R::GqlSub017,
        caught_by: "graphql/delivery/each-subscription-once",
        how: edit("data", Nth::Only(6), Change::Duplicate),
    },
    Fault {
        name: "graphql-one-subscription-of-a-connection",
        about: "delivers an event to one subscription of each connection",
        breaks: R::GqlSub017,
        caught_by: "graphql/delivery/each-subscription-once",
        how: How::Skip(Check::EverySubscription),
    },
    Fault {
        name: "graphql-loses-every-later-event",
        about: "delivers the first event of a connection only",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/each-connection",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "graphql-leaks-between-connections",
        about: "delivers to every connection whatever field it asked for",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/each-connection",
        how: How::Skip(Check::FieldMatch),
    },
    Fault {
        name: "graphql-whole-result-to-everyone",
        about: "sends the whole result of the mutation",
        breaks: R::GqlSub014,
        caught_by: "graphql/delivery/only-what-was-selected",
        how: How::Skip(Check::SelectionCut),
    },
    Fault {
        name: "graphql-adds-a-field",
        about: "adds the type name to events",
        breaks: R::GqlSub014,
        caught_by: "graphql/delivery/only-what-was-selected",
        how: edit("data", Nth::Every, Change::Set("payload.data.subscribe2channel.__typename", r#""Channel""#)),
    },
    Fault {
        name: "graphql-escapes-text-twice",
        about: "writes the texts of an event as JSON inside JSON",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/text-comes-through-intact",
        how: edit("data", Nth::Only(2), Change::Stringify("payload.data.onNote.text")),
    },
    Fault {
        name: "graphql-event-under-a-mangled-id",
        about: "sends events under an id that nobody used",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/reaches-the-subscriber",
        how: edit("data", Nth::From(2), Change::MangleId),
    },
    Fault {
        name: "graphql-event-without-data",
        about: "sends events with an empty payload",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/reaches-the-subscriber",
        how: edit("data", Nth::From(2), Change::Set("payload", "{}")),
    },
    Fault {
        name: "graphql-event-by-another-word",
        about: "says next in place of data",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/reaches-the-subscriber",
        how: edit("data", Nth::Every, Change::Rename("next")),
    },
];
