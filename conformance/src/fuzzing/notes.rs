//! Notes (GraphQL): values of every kind, and arguments that say which of them are heard.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use serde_json::json;

use super::ask::{Concern, Errand, Hears, Posted};
use super::graphql::{done, posted, text_of};
use super::op::{Batch, Topic};
use crate::scenario::cast::request_body;
use crate::scenario::{Answer, Cast, Shape};

/// Fields of a note that subscriptions select.
pub(super) const NOTE: &[&str] = &["id", "board", "text", "stars", "tags"];

/// The stars that a subscription to the notes of a board wants.
pub(super) fn stars_of(number: u8) -> i64 {
    if number % 3 == 1 { 0 } else { 3 }
}

/// The stars of a note.
pub(super) fn stars(topic: Topic, number: u8, batch: Batch) -> Option<i64> {
    match (topic, batch) {
        (_, Batch::Fraction) => Some(4),
        (_, Batch::ANumber) => Some(0),
        (_, Batch::BigNumber) => Some(i64::from(i32::MAX)),
        (Topic::Longest, _) => Some(stars_of(number)),
        (_, Batch::Three) => Some(3),
        (_, _) => None,
    }
}

/// Text and tags of a note; one of them holds the nonce.
fn text_and_tags(nonce: &str, batch: Batch) -> (String, Json) {
    match batch {
        Batch::EmptyText => (String::new(), json!([nonce, "b", "a"])),
        Batch::Null => ("null".into(), json!(["b", null, nonce])),
        Batch::True => ("true".into(), json!([nonce, "", nonce])),
        Batch::None => (text_of(nonce, batch), json!([])),
        Batch::One
        | Batch::Three
        | Batch::Five
        | Batch::Six
        | Batch::Unicode
        | Batch::Nested
        | Batch::BigNumber
        | Batch::Fraction
        | Batch::EmptyObject
        | Batch::NoJson
        | Batch::NoText
        | Batch::ANumber
        | Batch::Large
        | Batch::TooLarge
        | Batch::Million
        | Batch::TooMany => (text_of(nonce, batch), Json::Null),
    }
}

/// A mutation of a note.
pub(super) fn add_note(
    cast: &Cast,
    board: &str,
    nonce: &str,
    (stars, batch): (Option<i64>, Batch),
) -> (Errand, Vec<Posted>) {
    let (text, tags) = text_and_tags(nonce, batch);
    let answer = Answer::status(200).has("data.addNote", Shape::Object);
    match batch {
        Batch::Six => {
            let drop = "mutation M($i: ID!) { dropNote(id: $i) { id board text stars tags } }";
            let body = request_body(drop, &json!({ "i": nonce }));
            let answer = Answer::status(200).has("data.dropNote", Shape::Nothing);
            let (errand, _) = done(cast, &body, answer, posted("onNote", nonce, Json::Null));
            (errand, Vec::new())
        }
        Batch::Five => {
            let sparse = "mutation M($b: ID!, $t: String) { addNote(board: $b, text: $t, stars: 4) { id board text } }";
            let value = json!({ "board": board, "text": text });
            done(cast, &request_body(sparse, &json!({ "b": board, "t": text })), answer, posted("onNote", nonce, value))
        }
        Batch::One
        | Batch::Three
        | Batch::None
        | Batch::Unicode
        | Batch::Nested
        | Batch::BigNumber
        | Batch::Fraction
        | Batch::True
        | Batch::Null
        | Batch::EmptyText
        | Batch::EmptyObject
        | Batch::NoJson
        | Batch::NoText
        | Batch::ANumber
        | Batch::Large
        | Batch::TooLarge
        | Batch::Million
        | Batch::TooMany => {
            const TAGGED: &str = "mutation M($b: ID!, $t: String, $s: Int, $g: [String]) \
                { addNote(board: $b, text: $t, stars: $s, tags: $g) { id board text stars tags } }";
            const PLAIN: &str = "mutation M($b: ID!, $t: String, $s: Int) \
                { addNote(board: $b, text: $t, stars: $s) { id board text stars tags } }";
            let mut variables = json!({ "b": board, "t": text, "s": stars });
            if !tags.is_null() {
                variables["g"] = tags.clone();
            }
            let document = if tags.is_null() { PLAIN } else { TAGGED };
            let unmodelled = !tags.is_null();
            let value = json!({ "board": board, "text": text, "stars": stars, "tags": tags });
            let told = Posted { unmodelled, ..posted("onNote", nonce, value) };
            done(cast, &request_body(document, &variables), answer, told)
        }
    }
}

/// Whether a note has the board and the stars that a subscription wants; where a mutation left them out nobody can say.
pub(super) fn concern(hears: &Hears, note: &Json) -> Concern {
    let stars = match (hears.stars, note.get("stars")) {
        (Some(Some(wanted)), Some(stars)) => Some(stars.as_i64() == Some(wanted)),
        (Some(None), Some(Json::Null)) | (None, _) => Some(true),
        (Some(_), _) => None,
    };
    let board = note.get("board").map(|board| board.as_str() == Some(hears.room.as_str()));
    match (board, stars) {
        (Some(false), _) | (_, Some(false)) => Concern::MustNot(R::GqlFilter002),
        (Some(true), Some(true)) => Concern::Must,
        (_, _) => Concern::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(stars: Option<Option<i64>>) -> Hears {
        Hears { place: "onNote".into(), room: "b".into(), stars, ..Hears::default() }
    }

    #[test]
    fn a_note_is_for_whoever_wants_its_board_and_its_stars() {
        let zero = json!({ "board": "b", "stars": 0 });

        assert_eq!(concern(&wants(None), &zero), Concern::Must);
        assert_eq!(concern(&wants(Some(Some(0))), &zero), Concern::Must);
        assert_eq!(concern(&wants(Some(Some(3))), &zero), Concern::MustNot(R::GqlFilter002));
        assert_eq!(concern(&wants(None), &json!({ "board": "c" })), Concern::MustNot(R::GqlFilter002));
    }

    #[test]
    fn nobody_can_say_for_whom_a_note_is_whose_stars_were_left_out() {
        assert_eq!(concern(&wants(Some(Some(3))), &json!({ "board": "b" })), Concern::Open);
        assert_eq!(concern(&wants(Some(None)), &json!({ "board": "b", "stars": 3 })), Concern::Open);
    }

    #[test]
    fn every_note_carries_its_nonce_in_what_is_selected() {
        let cast = Cast::example(appsync_protocol::dialect::Dialect::Graphql);
        for batch in Batch::ALL.iter().filter(|batch| **batch != Batch::Six) {
            let (_, told) = add_note(&cast, "board", "the-nonce", (None, *batch));

            let value = told[0].value.to_string();
            assert!(value.contains("the-nonce"), "{batch:?}: {value}");
        }
    }
}
