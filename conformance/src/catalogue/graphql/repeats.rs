//! The second time as the first, and neighbours that are alike: what goes wrong only where there is more than one.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::steps::{
    CHANNEL, NOTES, QUICK, add_note, all, any_of, bad_start, connected, edit, edit_http, expect, forbidden, heard,
    heard_note, marked, noted, published, refusal, say, stopped, subscribed, subscribed_to, warmed, warmed_with,
};
use crate::fault::{Change, Fault, How, HttpChange, Nth, rewrites};
use crate::scenario::{Answer, Cast, Pattern, Scenario, Shape, Step};

/// The subscription to the notes of one board and of some stars.
const SUBSCRIBE_TO_NOTES: &str = "subscription S($b: ID, $s: Int) { onNote(board: $b, stars: $s) \
    { id board text stars } }";
/// The subscription to the notes of one board.
const SUBSCRIBE_TO_BOARD: &str = "subscription S($b: ID) { onNote(board: $b) { id board text stars } }";

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "graphql/unsubscribe/each-of-three",
        title: "Each of three subscriptions of a connection that end is told of with one complete, and frees its id.",
        covers: &[R::GqlSub024, R::GqlSub006],
        needs: CHANNEL,
        steps: |cast| {
            let ids = ["first-1", "second-2", "third-3"];
            let again = |id: &str| {
                let answered = vec![Pattern::with_id("start_ack", id), Pattern::with_id("error", id).ends()];
                let start = cast.start_channel(id, &cast.nonce("another"));
                all([stopped(1, id), vec![say(1, start), any_of(1, answered, R::GqlSub006)]])
            };
            all([
                connected(cast, 1),
                all(ids.map(|id| subscribed(cast, 1, id, &cast.nonce(id)))),
                all(ids.map(again)),
                vec![Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/unsubscribe/ids-alike",
        title: "A stop ends the subscription of its id and none whose id begins alike.",
        covers: &[R::GqlSub028],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let ids = ["5f0c2a9e-0001-4000-8000-1", "5f0c2a9e-0001-4000-8000-2", "5f0c2a9e-0001-4000-8000-10"];
            let [first, second, third] = ids;
            all([
                connected(cast, 1),
                all(ids.map(|id| subscribed(cast, 1, id, &room))),
                ids.iter().map(|id| warmed(cast, 1, id, &room)).collect(),
                stopped(1, first),
                vec![
                    published(cast, &room, &nonce),
                    heard(cast, 1, second, (&room, &nonce), R::GqlSub028),
                    heard(cast, 1, third, (&room, &nonce), R::GqlSub028),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/forty-in-a-row",
        title: "A subscription hears each of forty events.",
        covers: &[R::GqlSub012],
        needs: CHANNEL,
        steps: |cast| {
            let room = cast.nonce("room");
            let each = (0..40).map(|n| {
                let nonce = cast.nonce(&format!("event-{n}"));
                vec![published(cast, &room, &nonce), heard(cast, 1, "first", (&room, &nonce), R::GqlSub012)]
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
        id: "graphql/errors/each-under-its-own-id",
        title: "Each of three refused starts is told of under its own id, beside a subscription that lives on.",
        covers: &[R::GqlErr002, R::GqlErr014],
        needs: CHANNEL,
        steps: |cast| {
            let (room, nonce) = (cast.nonce("room"), cast.nonce("event"));
            let told = |id: &str| vec![say(1, bad_start(cast, id)), expect(1, refusal(id), R::GqlErr002)];
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first-1", &room),
                vec![warmed(cast, 1, "first-1", &room)],
                all(["bad-1", "bad-2", "bad-3"].map(told)),
                vec![published(cast, &room, &nonce), heard(cast, 1, "first-1", (&room, &nonce), R::GqlErr014)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/another-subscription-interrupts-nothing",
        title: "A subscription misses no event while others are granted on its connection, and hears each once.",
        covers: &[R::GqlSub012, R::GqlSub017],
        needs: CHANNEL,
        steps: |cast| {
            let room = cast.nonce("room");
            let further = |n: u32| {
                let nonce = cast.nonce(&format!("event-{n}"));
                all([
                    subscribed(cast, 1, &format!("other-{n}"), &cast.nonce(&format!("other-{n}"))),
                    vec![published(cast, &room, &nonce), heard(cast, 1, "first-1", (&room, &nonce), R::GqlSub012)],
                ])
            };
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first-1", &room),
                vec![warmed(cast, 1, "first-1", &room)],
                all((1..=3).map(further)),
                vec![Step::Quiet { conn: 1 }],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/filter/neighbours",
        title: "An argument does not match texts that begin or end like it.",
        covers: &[R::GqlFilter002],
        needs: CHANNEL,
        steps: |cast| {
            let room = cast.nonce("room");
            let shorter = room.get(..room.len() - 1).unwrap_or_default().to_owned();
            let others = [format!("{room}s"), format!("{room} "), format!(" {room}"), format!("x{room}"), shorter];
            let mut steps = all([connected(cast, 1), subscribed(cast, 1, "first-1", &room)]);
            steps.push(warmed(cast, 1, "first-1", &room));
            for (n, other) in others.iter().enumerate() {
                let nonce = cast.nonce(&format!("event-{n}"));
                steps.push(forbidden(1, "first-1", &nonce, R::GqlFilter002));
                steps.push(published(cast, other, &nonce));
            }
            steps.extend(marked(cast, 1, "first-1", &room, R::GqlFilter002));
            steps
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/filter/numbers-that-are-alike",
        title: "An argument that is a number matches that number alone: neither zero, nor its negative, nor null.",
        covers: &[R::GqlFilter002],
        needs: NOTES,
        steps: |cast| {
            let (board, marker) = (cast.nonce("board"), cast.nonce("marker"));
            let arguments = json!({ "b": board, "s": 3 });
            let mut steps =
                all([connected(cast, 1), subscribed_to(cast, 1, "first-1", SUBSCRIBE_TO_NOTES, &arguments)]);
            steps.push(warmed_with(cast, 1, "first-1", R::GqlSub012, |nonce| add_note(cast, &board, nonce, Some(3))));
            for (n, stars) in [Some(0), Some(-3), Some(4), Some(30), Some(13), None].into_iter().enumerate() {
                let nonce = cast.nonce(&format!("event-{n}"));
                steps.push(forbidden(1, "first-1", &nonce, R::GqlFilter002));
                steps.push(noted(cast, &board, &nonce, stars));
            }
            steps.push(noted(cast, &board, &marker, Some(3)));
            steps.push(heard_note(1, "first-1", (&board, &marker), &json!(3), R::GqlFilter002));
            steps.push(Step::Quiet { conn: 1 });
            steps
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/text-keeps-its-characters",
        title: "Text arrives with every character the mutation returned, however unusual.",
        covers: &[R::GqlSub012],
        needs: NOTES,
        steps: |cast| {
            let notes: Vec<_> = texts(&cast.nonce("event")).into_iter().map(|text| (text, Some(1))).collect();
            kept(cast, &notes)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/delivery/values-keep-their-kind",
        title: "Zero, negative numbers, the largest ones and null arrive as what the mutation returned.",
        covers: &[R::GqlSub012],
        needs: NOTES,
        steps: |cast| {
            let numbers = [Some(0), Some(-1), Some(2_147_483_647), Some(-2_147_483_648), None];
            let notes: Vec<_> =
                numbers.into_iter().enumerate().map(|(n, stars)| (cast.nonce(&format!("event-{n}")), stars)).collect();
            kept(cast, &notes)
        },
        ..QUICK
    },
    Scenario {
        id: "graphql/http/refusals-of-bad-requests",
        title: "The refusal of a body that is no request has an array of errors with errorType and message.",
        covers: &[R::GqlHttp013],
        steps: |cast| {
            let answer = || {
                Answer::between(400, 499)
                    .has("errors", Shape::Array)
                    .has("errors.0.errorType", Shape::Text)
                    .has("errors.0.message", Shape::Text)
            };
            let call =
                |body: &str| Step::Call { request: cast.post(body), any_of: vec![answer()], rule: R::GqlHttp013 };
            ["{}", r#"{"query":"mutation {"}"#].map(call).to_vec()
        },
        ..QUICK
    },
];

/// Adds notes with these texts and stars, and waits for each.
fn kept(cast: &Cast, notes: &[(String, Option<i64>)]) -> Vec<Step> {
    let board = cast.nonce("board");
    let each = notes.iter().map(|(text, stars)| {
        let stars_of_it = stars.map_or(Json::Null, Json::from);
        vec![noted(cast, &board, text, *stars), heard_note(1, "first-1", (&board, text), &stars_of_it, R::GqlSub012)]
    });
    all([
        connected(cast, 1),
        subscribed_to(cast, 1, "first-1", SUBSCRIBE_TO_BOARD, &json!({ "b": board })),
        vec![warmed_with(cast, 1, "first-1", R::GqlSub012, |nonce| add_note(cast, &board, nonce, None))],
        all(each),
    ])
}

/// Text that tends to suffer on the way.
fn texts(nonce: &str) -> Vec<String> {
    let odd = [
        "  blanks around  ",
        "e\u{301} is not \u{e9}",
        "\u{feff}mark\u{200b}",
        "line\r\nbreak\rs\n",
        "<b>&amp;</b> %41%20+",
        "\u{1f511}\u{10ffff}",
        "007",
        "null",
    ];
    let mut all: Vec<_> = odd.into_iter().map(|text| format!("{text}{nonce}{text}")).collect();
    all.push(format!("{nonce} {}", "long ".repeat(1_000)));
    all
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "graphql-stop-of-ids-alike",
        about: "delivers nothing more to a connection once one of its subscriptions has ended",
        breaks: R::GqlSub028,
        caught_by: "graphql/unsubscribe/ids-alike",
        how: edit("data", Nth::From(10), Change::Drop),
    },
    Fault {
        name: "graphql-deaf-after-thirty",
        about: "delivers thirty events to a connection and no more",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/forty-in-a-row",
        how: edit("data", Nth::From(31), Change::Drop),
    },
    Fault {
        name: "graphql-second-stop-unanswered",
        about: "answers the first stop of a connection only",
        breaks: R::GqlSub024,
        caught_by: "graphql/unsubscribe/each-of-three",
        how: edit("complete", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "graphql-second-stop-answered-twice",
        about: "answers the second stop of a connection twice, so that the end of the old meets the new",
        breaks: R::GqlSub006,
        caught_by: "graphql/unsubscribe/each-of-three",
        how: edit("complete", Nth::Only(2), Change::Duplicate),
    },
    Fault {
        name: "graphql-second-error-under-the-id-of-a-bystander",
        about: "tells of the second refusal under the id of a subscription",
        breaks: R::GqlErr002,
        caught_by: "graphql/errors/each-under-its-own-id",
        how: edit("error", Nth::Only(2), Change::OtherId),
    },
    Fault {
        name: "graphql-another-subscription-interrupts",
        about: "loses the first event after another subscription of the connection was granted",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/another-subscription-interrupts-nothing",
        how: edit("data", Nth::Every, Change::DropAfterGrant),
    },
    Fault {
        name: "graphql-twice-where-subscriptions-share",
        about: "delivers twice where two subscriptions share a connection",
        breaks: R::GqlSub017,
        caught_by: "graphql/delivery/another-subscription-interrupts-nothing",
        how: edit("data", Nth::Every, Change::DuplicateShared),
    },
    Fault {
        name: "graphql-argument-by-its-beginning",
        about: "matches an argument with every text that begins like it",
        breaks: R::GqlFilter002,
        caught_by: "graphql/filter/neighbours",
        how: How::Skip(Check::ArgumentEnd),
    },
    Fault {
        name: "graphql-numbers-unfiltered",
        about: "does not look at the second argument",
        breaks: R::GqlFilter002,
        caught_by: "graphql/filter/numbers-that-are-alike",
        how: How::Skip(Check::EveryArgument),
    },
    Fault {
        name: "graphql-text-composed",
        about: "composes letters and their accents",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/text-keeps-its-characters",
        how: edit("data", Nth::Every, Change::Rewrite(rewrites::composed)),
    },
    Fault {
        name: "graphql-zero-becomes-null",
        about: "sends null in place of zero",
        breaks: R::GqlSub012,
        caught_by: "graphql/delivery/values-keep-their-kind",
        how: edit("data", Nth::Every, Change::Rewrite(rewrites::zero_is_null)),
    },
    Fault {
        name: "graphql-http-bad-request-without-message",
        about: "does not say over HTTP what was wrong with a body",
        breaks: R::GqlHttp013,
        caught_by: "graphql/http/refusals-of-bad-requests",
        how: edit_http(400, HttpChange::Remove("errors.0.message")),
    },
];
