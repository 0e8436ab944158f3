//! Filtering by arguments.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::steps::{
    CHANNEL, NOTES, QUICK, SUBSCRIBE_TO_MESSAGES, TOPIC, add_note, all, connected, edit, expect, forbidden,
    heard_message, heard_note, marked, mutated, noted, published, send_message, subscribed, subscribed_to, warmed,
    warmed_with,
};
use crate::fault::{Change, Fault, How, Nth};
use crate::scenario::cast::channel_data;
use crate::scenario::{Cast, Need, Pattern, Scenario, Shape, Step};

/// Publishes what no subscription may hear and waits for a note of this board that one does.
fn sifted(cast: &Cast, board: &str, stars: Option<i64>, foreign: &[(&str, Option<i64>)], rule: R) -> Vec<Step> {
    let mut steps = vec![warmed_with(cast, 1, "first", R::GqlSub012, |nonce| add_note(cast, board, nonce, stars))];
    for (n, (board, stars)) in foreign.iter().enumerate() {
        let nonce = cast.nonce(&format!("event-{n}"));
        steps.push(forbidden(1, "first", &nonce, rule));
        steps.push(noted(cast, board, &nonce, *stars));
    }
    let marker = cast.nonce("marker");
    steps.push(noted(cast, board, &marker, stars));
    steps.push(heard_note(1, "first", (board, &marker), &stars.map_or(Json::Null, Json::from), rule));
    steps.push(Step::Quiet { conn: 1 });
    steps
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/filter/argument",
        title: "A subscription with an argument hears only results whose field of that name is equal.",
        covers: &[R::GqlFilter002],
        needs: TOPIC,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    forbidden(1, "first", &nonce, R::GqlFilter002),
                    published(cast, &cast.nonce("elsewhere"), &nonce),
                ],
                marked(cast, 1, "first", &room, R::GqlFilter002),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/filter/equal-and-not-alike",
        title: "An argument matches neither the same text in another case nor a longer one.",
        covers: &[R::GqlFilter002],
        needs: CHANNEL,
        steps: |cast| {
            let room = cast.nonce("room");
            let (loud, long) = (cast.nonce("loud"), cast.nonce("long"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed(cast, 1, "first", &room),
                    forbidden(1, "first", &loud, R::GqlFilter002),
                    forbidden(1, "first", &long, R::GqlFilter002),
                    published(cast, &room.to_uppercase(), &loud),
                    published(cast, &format!("{room}x"), &long),
                ],
                marked(cast, 1, "first", &room, R::GqlFilter002),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/filter/every-argument",
        title: "A subscription with two arguments hears only results that equal both.",
        covers: &[R::GqlFilter002],
        needs: NOTES,
        steps: |cast| {
            let (board, other) = (cast.nonce("board"), cast.nonce("other"));
            let document = "subscription S($b: ID, $s: Int) { onNote(board: $b, stars: $s) { id board text stars } }";
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", document, &json!({ "b": board, "s": 3 })),
                sifted(cast, &board, Some(3), &[(&board, Some(4)), (&other, Some(3))], R::GqlFilter002),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/filter/null-argument",
        title: "An argument that is null hears only results whose field is null.",
        covers: &[R::GqlFilter003],
        needs: NOTES,
        steps: |cast| {
            let board = cast.nonce("board");
            let document = "subscription S($b: ID) { onNote(board: $b, stars: null) { id board text stars } }";
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", document, &json!({ "b": board })),
                sifted(cast, &board, None, &[(&board, Some(3))], R::GqlFilter003),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/filter/omitted-argument",
        title: "An argument that is left out restricts nothing.",
        covers: &[R::GqlFilter002],
        needs: NOTES,
        steps: |cast| {
            let (board, three, none) = (cast.nonce("board"), cast.nonce("three"), cast.nonce("none"));
            let document = "subscription S($b: ID) { onNote(board: $b) { id board text stars } }";
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", document, &json!({ "b": board })),
                vec![
                    warmed_with(cast, 1, "first", R::GqlFilter002, |nonce| add_note(cast, &board, nonce, Some(1))),
                    noted(cast, &board, &three, Some(3)),
                    noted(cast, &board, &none, None),
                    heard_note(1, "first", (&board, &three), &json!(3), R::GqlFilter002),
                    heard_note(1, "first", (&board, &none), &Json::Null, R::GqlFilter002),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/filter/no-arguments",
        title: "A subscription without arguments hears every result of its mutation.",
        covers: &[R::GqlFilter001],
        needs: &[Need::MessageSchema],
        steps: |cast| {
            let nonces = [cast.nonce("one"), cast.nonce("two")];
            let sent = nonces.iter().map(|nonce| Step::Call {
                request: send_message(cast, nonce),
                any_of: vec![crate::scenario::Answer::status(200).has("data.sendMessage", Shape::Object)],
                rule: R::GqlHttp002,
            });
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", SUBSCRIBE_TO_MESSAGES, &Json::Null),
                vec![warmed_with(cast, 1, "first", R::GqlFilter001, |nonce| send_message(cast, nonce))],
                sent.collect(),
                nonces.iter().map(|nonce| heard_message(1, "first", nonce, R::GqlFilter001)).collect(),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/filter/argument-not-selected",
        title: "An argument never matches when the mutation did not select the field of its name.",
        covers: &[R::GqlFilter005],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce, marker) = (cast.nonce("room"), cast.nonce("event"), cast.nonce("marker"));
            let document = "subscription S($n: String!) { subscribe2channel(name: $n) { data } }";
            let sparse = "mutation M($n: String!, $d: AWSJSON!) { publish2channel(name: $n, data: $d) { data } }";
            let seen = Pattern::with_id("data", "first")
                .has("payload.data.subscribe2channel.data", Shape::Is(channel_data(&marker).into()));
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", document, &json!({ "n": room })),
                vec![
                    warmed(cast, 1, "first", &room),
                    forbidden(1, "first", &nonce, R::GqlFilter005),
                    mutated(cast, sparse, &json!({ "n": room, "d": channel_data(&nonce) })),
                    published(cast, &room, &marker),
                    expect(1, seen, R::GqlFilter005),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-one-argument-is-enough",
        about: "delivers when one of several arguments matches",
        breaks: R::GqlFilter002,
        caught_by: "graphql/filter/every-argument",
        how: How::Skip(Check::EveryArgument),
    },
    Fault {
        name: "graphql-null-argument-matches-all",
        about: "takes an argument of null for an omitted one",
        breaks: R::GqlFilter003,
        caught_by: "graphql/filter/null-argument",
        how: How::Skip(Check::NullArgument),
    },
    Fault {
        name: "graphql-unselected-argument-matches",
        about: "delivers although the mutation did not select the field of the argument",
        breaks: R::GqlFilter005,
        caught_by: "graphql/filter/argument-not-selected",
        how: How::Skip(Check::ArgumentsMatch),
    },
    Fault {
        name: "graphql-arguments-ignored",
        about: "delivers whatever the arguments",
        breaks: R::GqlFilter002,
        caught_by: "graphql/filter/argument",
        how: How::Skip(Check::ArgumentsMatch),
    },
    Fault {
        name: "graphql-arguments-matched-loosely",
        about: "takes texts for equal that are only alike",
        breaks: R::GqlFilter002,
        caught_by: "graphql/filter/equal-and-not-alike",
        how: How::Skip(Check::ArgumentsMatch),
    },
    Fault {
        name: "graphql-omitted-argument-matches-once",
        about: "does not deliver to a subscription that left an argument out when the field is null",
        breaks: R::GqlFilter002,
        caught_by: "graphql/filter/omitted-argument",
        how: edit("data", Nth::Only(3), Change::Drop),
    },
    Fault {
        name: "graphql-no-arguments-second-event-lost",
        about: "keeps the second event from a subscription without arguments",
        breaks: R::GqlFilter001,
        caught_by: "graphql/filter/no-arguments",
        how: edit("data", Nth::Only(2), Change::Drop),
    },
];
