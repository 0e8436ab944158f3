//! What is alike and not the same: equal mutations, values that mean nothing, ids that differ in a letter, messages in
//! another spelling.

mod faults;

pub(super) use faults::FAULTS;

use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::Request;
use serde_json::json;

use super::enhanced::{FILTERED, one, put};
use super::steps::{
    CHANNEL, NOTES, QUICK, SUBSCRIBE_TO_MESSAGES, add_note, all, connected, expect, forbidden, heard, heard_message,
    heard_note, marked, noted, published, say, stop, subscribed, subscribed_by, subscribed_to, warmed, warmed_by,
    warmed_with,
};
use crate::scenario::cast::{channel_data, quoted, request_body};
use crate::scenario::{Answer, Cast, Need, Pattern, Scenario, Shape, Step};

/// Ids that differ in case, in what parts their words and in a zero alone.
const IDS: [&str; 4] = ["Ab_1-2", "aB_1-2", "Ab-1_2", "Ab_01-2"];
/// The subscription to items that a filter leaves, with values of every kind.
const SUBSCRIBE_TO_ITEMS: &str = "subscription S($f: AWSJSON) { onItem(filter: $f) { shelf text count ratio done \
    counts place { name within { name within { name } } } } }";
/// The subscription to the notes of one board, with their tags.
const SUBSCRIBE_TO_TAGS: &str = "subscription S($b: ID) { onNote(board: $b) { board text tags } }";
/// The subscription to the notes of one board.
const SUBSCRIBE_TO_BOARD: &str = "subscription S($b: ID) { onNote(board: $b) { id board text stars } }";
/// The subscription to the notes of one board and of some stars.
const SUBSCRIBE_TO_STARS: &str = "subscription S($b: ID, $s: Int) { onNote(board: $b, stars: $s) \
    { id board text stars } }";

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/delivery/equal-mutations",
        title: "What a mutation returns arrives again when another one returns the same, also after a different one.",
        covers: &[R::GqlSub012],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce, other) = (cast.nonce("room"), cast.nonce("event"), cast.nonce("other"));
            let each = [&nonce, &nonce, &other, &nonce].into_iter().map(|event| {
                vec![published(cast, &room, event), heard(cast, 1, "first", (&room, event), R::GqlSub012)]
            });
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![warmed(cast, 1, "first", &room)],
                all(each),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/lists-keep-their-form",
        title: "A list arrives with its elements, their order, its repetitions and its nulls, empty lists included.",
        covers: &[R::GqlSub012],
        needs: NOTES,
        steps: |cast| {
            let lists =
                [json!(["b", "a", "c"]), json!(["b", "a", "b"]), json!(["", null, "null"]), json!([]), json!([null])];
            kept_tags(cast, &lists)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/texts-that-mean-nothing",
        title: "An empty text and texts that read like other values arrive as the texts that they are.",
        covers: &[R::GqlSub012],
        needs: NOTES,
        steps: |cast| {
            let board = cast.nonce("board");
            let texts = ["", " ", "null", "false", "0", "-1", "[]", "\"\"", "undefined"];
            let each = (0_i64..).zip(texts).map(|(n, text)| {
                let heard = heard_note(1, "first", (&board, text), &json!(n), R::GqlSub012);
                vec![noted(cast, &board, text, Some(n)), heard]
            });
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", SUBSCRIBE_TO_BOARD, &json!({ "b": board })),
                vec![warmed_with(cast, 1, "first", R::GqlSub012, |nonce| add_note(cast, &board, nonce, None))],
                all(each),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/truths-fractions-and-objects",
        title: "Truths, fractions, zeros and nested objects arrive as what the mutation returned, nulls inside included.",
        covers: &[R::GqlSub012],
        needs: FILTERED,
        steps: |cast| {
            let kind = cast.nonce("kind");
            let items = [
                json!({ "count": 0, "ratio": 0.5, "done": false, "counts": [0, -1, 0],
                    "place": { "name": "", "within": { "name": null, "within": { "name": "inner" } } } }),
                json!({ "count": -2_147_483_648_i64, "ratio": -1.25, "done": true, "counts": [],
                    "place": { "name": "false", "within": null } }),
                json!({ "count": null, "ratio": null, "done": null, "counts": null, "place": null }),
            ];
            kept_items(cast, &kind, &items)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/two-mutations",
        title: "A request over HTTP with two mutations triggers the subscribers of each.",
        covers: &[R::GqlHttp015],
        needs: &[Need::ChannelSchema, Need::MessageSchema],
        steps: |cast| {
            let (room, nonce, message) = (cast.nonce("room"), cast.nonce("event"), cast.nonce("message"));
            let answer = Answer::status(200)
                .has("data.publish2channel", Shape::Object)
                .has("data.sendMessage.message", Shape::Is(message.as_str().into()));
            let both = Step::Call {
                request: two_mutations(cast, (&room, &nonce), &message),
                any_of: vec![answer],
                rule: R::GqlHttp002,
            };
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                subscribed_to(cast, 1, "second", SUBSCRIBE_TO_MESSAGES, &Json::Null),
                vec![
                    warmed(cast, 1, "first", &room),
                    warmed_with(cast, 1, "second", R::GqlSub012, |nonce| super::steps::send_message(cast, nonce)),
                    both,
                    heard(cast, 1, "first", (&room, &nonce), R::GqlHttp015),
                    heard_message(1, "second", &message, R::GqlHttp015),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/filter/argument-of-zero",
        title: "An argument that is zero hears zero alone: neither other numbers nor null.",
        covers: &[R::GqlFilter002],
        needs: NOTES,
        steps: |cast| {
            let (board, marker) = (cast.nonce("board"), cast.nonce("marker"));
            let arguments = json!({ "b": board, "s": 0 });
            let others = [Some(3), Some(-1), None].into_iter().enumerate().map(|(n, stars)| {
                let nonce = cast.nonce(&format!("event-{n}"));
                vec![forbidden(1, "first", &nonce, R::GqlFilter002), noted(cast, &board, &nonce, stars)]
            });
            all([
                connected(cast, 1),
                subscribed_to(cast, 1, "first", SUBSCRIBE_TO_STARS, &arguments),
                vec![warmed_with(cast, 1, "first", R::GqlFilter002, |nonce| add_note(cast, &board, nonce, Some(0)))],
                all(others),
                vec![
                    noted(cast, &board, &marker, Some(0)),
                    heard_note(1, "first", (&board, &marker), &json!(0), R::GqlFilter002),
                    Step::Quiet { conn: 1 },
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/filter/argument-of-no-text",
        title: "An argument that is an empty text hears results whose field is empty, and no others.",
        covers: &[R::GqlFilter002],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", ""),
                vec![
                    warmed_by(cast, 1, "first", "", R::GqlFilter002),
                    forbidden(1, "first", &nonce, R::GqlFilter002),
                    published(cast, &room, &nonce),
                ],
                marked(cast, 1, "first", "", R::GqlFilter002),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/white-space-in-a-start",
        title: "White space between the parts of a start is of no importance, nor is it inside of payload.data.",
        covers: &[R::GqlFrame001],
        needs: CHANNEL,
        steps: |cast| {
            let room = cast.nonce("room");
            let request = spaced(&cast.subscription_request(&room));
            let authorization = cast.authorization_of(&request);
            let start = format!(
                " {{\r\n\t\"id\" : \"first\",\n \"type\" : \"start\" , \"payload\" : {{ \"data\" : {},\n\t\"extensions\":\
                 {{ \"authorization\" : {authorization} }} }}\n}}\n",
                quoted(&request)
            );
            all([
                connected(cast, 1),
                vec![
                    say(1, start),
                    expect(1, Pattern::with_id("start_ack", "first"), R::GqlFrame001),
                    warmed_by(cast, 1, "first", &room, R::GqlFrame001),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/framing/escaped-names-and-types",
        title: "Escaped characters mean what they stand for, in the names of members, in types and in ids.",
        covers: &[R::GqlFrame001],
        needs: CHANNEL,
        steps: |cast| {
            let room = cast.nonce("room");
            let request = cast.subscription_request(&room);
            let (authorization, data) = (cast.authorization_of(&request), quoted(&request));
            let start = format!(
                r#"{{"\u0069d":"first\u002d1","typ\u0065":"\u0073tart","payl\u006fad":{{"d\u0061ta":{data},"extension\u0073":{{"\u0061uthorization":{authorization}}}}}}}"#
            );
            all([
                connected(cast, 1),
                vec![
                    say(1, start),
                    expect(1, Pattern::with_id("start_ack", "first-1"), R::GqlFrame001),
                    warmed_by(cast, 1, "first-1", &room, R::GqlFrame001),
                    say(1, r#"{"t\u0079pe":"sto\u0070","\u0069d":"first\u002d1"}"#),
                    expect(1, Pattern::with_id("complete", "first-1"), R::GqlFrame001),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/subscribe/ids-nearly-the-same",
        title: "Ids that differ in case, in a zero or in what parts their words name different subscriptions.",
        covers: &[R::GqlSub006],
        needs: CHANNEL,
        steps: |cast| {
            let each = IDS.iter().enumerate().map(|(n, id)| {
                let (room, nonce) = (cast.nonce(&format!("room-{n}")), cast.nonce(&format!("event-{n}")));
                let last = vec![
                    warmed(cast, 1, id, &room),
                    published(cast, &room, &nonce),
                    heard(cast, 1, id, (&room, &nonce), R::GqlSub012),
                ];
                all([subscribed_by(cast, 1, id, &room, R::GqlSub006), last])
            });
            all([connected(cast, 1), all(each)])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/unsubscribe/ids-nearly-the-same",
        title: "A stop of an id that differs from one in use in case, in a zero or in what parts its words ends nothing.",
        covers: &[R::GqlSub028],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let (own, others) = (IDS[0], &IDS[1..]);
            all([
                connected(cast, 1),
                subscribed(cast, 1, own, &room),
                vec![warmed(cast, 1, own, &room)],
                // What answers the stop of an id that is not in use is an open question (GQL-A-08).
                others.iter().map(|id| say(1, stop(id))).collect(),
                vec![
                    Step::Quiet { conn: 1 },
                    published(cast, &room, &nonce),
                    heard(cast, 1, own, (&room, &nonce), R::GqlSub028),
                ],
            ])
        },
        ..QUICK
    },
];

/// Adds a note with each of these tags, and waits for it.
fn kept_tags(cast: &Cast, lists: &[Json]) -> Vec<Step> {
    let board = cast.nonce("board");
    let tagged = |nonce: &str, tags: &Json| {
        let document = "mutation M($b: ID!, $t: String, $l: [String]) { addNote(board: $b, text: $t, tags: $l) \
            { board text tags } }";
        cast.post(&request_body(document, &json!({ "b": board, "t": nonce, "l": tags })))
    };
    let each = lists.iter().enumerate().map(|(n, tags)| {
        let nonce = cast.nonce(&format!("event-{n}"));
        let note = json!({ "board": board, "text": nonce, "tags": tags });
        let called = Step::Call {
            request: tagged(&nonce, tags),
            any_of: vec![Answer::status(200).has("data.addNote", Shape::Object)],
            rule: R::GqlHttp002,
        };
        let event = Pattern::with_id("data", "first").has("payload.data.onNote", Shape::Is(note));
        vec![called, expect(1, event, R::GqlSub012)]
    });
    all([
        connected(cast, 1),
        subscribed_to(cast, 1, "first", SUBSCRIBE_TO_TAGS, &json!({ "b": board })),
        vec![warmed_with(cast, 1, "first", R::GqlSub012, |nonce| tagged(nonce, &Json::Null))],
        all(each),
    ])
}

/// Puts items of this kind with these values, and waits for each.
fn kept_items(cast: &Cast, kind: &str, items: &[Json]) -> Vec<Step> {
    let of_kind = |item: &Json| {
        let mut item = item.clone();
        item["text"] = kind.into();
        item
    };
    let each = items.iter().enumerate().map(|(n, item)| {
        let (nonce, item) = (cast.nonce(&format!("event-{n}")), of_kind(item));
        let request = put(cast, &nonce, &item);
        let taken = vec![Answer::status(200).has("data.putItem", Shape::Object)];
        let mut expected = item;
        expected["shelf"] = nonce.into();
        let event = Pattern::with_id("data", "first").has("payload.data.onItem", Shape::Is(expected));
        vec![Step::Call { request, any_of: taken, rule: R::GqlHttp002 }, expect(1, event, R::GqlSub012)]
    });
    let filter = one("text", "eq", kind).to_string();
    all([
        connected(cast, 1),
        subscribed_to(cast, 1, "first", SUBSCRIBE_TO_ITEMS, &json!({ "f": filter })),
        vec![warmed_with(cast, 1, "first", R::GqlSub012, |nonce| put(cast, nonce, &of_kind(&json!({}))))],
        all(each),
    ])
}

/// One request with two mutations of different fields.
fn two_mutations(cast: &Cast, (room, nonce): (&str, &str), message: &str) -> Request {
    let document = "mutation M($n: String!, $d: AWSJSON!, $m: String) \
        { publish2channel(name: $n, data: $d) { name data } sendMessage(msg: $m) { message } }";
    cast.post(&request_body(document, &json!({ "n": room, "d": channel_data(nonce), "m": message })))
}

/// JSON text with white space around and between its parts, and none inside of its strings.
fn spaced(json: &str) -> String {
    let spaced = parse_json(json).and_then(|value| serde_json::to_string_pretty(&value).ok());
    format!("\r\n\t{} \n", spaced.unwrap_or_else(|| json.to_owned()))
}
