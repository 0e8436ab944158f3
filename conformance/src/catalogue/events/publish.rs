//! Publishing over the connection: what is taken, and how it is answered.

use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use serde_json::json;

use super::publish_steps::{
    QUICK, edit, general_error, marked, publish_one, publish_refusal, receipt, said_and_taken, six,
};
use super::steps::{all, any_of, connected, expect, heard, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, Nth, Reaction, Trigger};
use crate::scenario::{Cast, Pattern, Scenario, Step};

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/publish/answered-with-both-lists",
        title: "The answer to a publish names each event once, by index and identifier, in successful or failed.",
        covers: &[R::EvtPub007, R::EvtPub008, R::EvtPub009],
        steps: |cast| {
            let events: Vec<_> = (1..=3).map(|n| json!(cast.nonce(&format!("event-{n}")))).collect();
            let three = cast.publish("three", &cast.channel("room"), &events);
            all([
                connected(cast, 1),
                vec![say(1, three), expect(1, receipt("three", 3), R::EvtPub007)],
                said_and_taken(cast, 1, "one", (&cast.channel("room"), &cast.nonce("event-4")), R::EvtPub007),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/five-events-are-taken",
        title: "A publish of five events is carried out.",
        covers: &[R::EvtLimit001, R::EvtPub002],
        steps: |cast| {
            let events: Vec<_> = six(cast).into_iter().take(5).collect();
            let publish = cast.publish("five", &cast.channel("room"), &events);
            all([connected(cast, 1), vec![say(1, publish), expect(1, receipt("five", 5), R::EvtLimit001)]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/without-a-subscription",
        title: "A connection that holds no subscription can publish.",
        covers: &[R::EvtPub012],
        steps: |cast| {
            let (channel, nonce) = (cast.channel("room"), cast.nonce("event"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "listener", &channel),
                vec![warmed(cast, 1, "listener", &channel)],
                connected(cast, 2),
                said_and_taken(cast, 2, "first", (&channel, &nonce), R::EvtPub012),
                vec![heard(1, "listener", &nonce, R::EvtPub012)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/several-under-way",
        title: "Of several publishes under way at once each is answered under its own id.",
        covers: &[R::EvtPub023],
        steps: |cast| {
            let channel = cast.channel("room");
            let id = |n: u32| format!("p{n}");
            let sent = (1..=5).map(|n| say(1, publish_one(cast, &id(n), &channel, &cast.nonce(&id(n)))));
            all([
                connected(cast, 1),
                sent.collect(),
                (1..=5).map(|n| expect(1, receipt(&id(n), 1), R::EvtPub023)).collect(),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/ids-used-again",
        title: "A publish may bear the id of an earlier publish; whether that of a subscription is recorded.",
        covers: &[R::EvtPub014],
        steps: id_reuse,
        ..QUICK
    },
    Scenario {
        id: "events/publish/unknown-members",
        title: "Members of a publish that the server does not know are ignored.",
        covers: &[R::EvtPub028],
        steps: |cast| {
            let publish = publish_one(cast, "more", &cast.channel("room"), &cast.nonce("event"));
            let more = publish.replacen('{', r#"{"nothingLikeThis":{"deep":[null]},"#, 1);
            all([connected(cast, 1), vec![say(1, more), expect(1, receipt("more", 1), R::EvtPub028)]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/publish/at-any-moment",
        title: "A publish is taken right after the acknowledgement, behind a subscribe that is not answered yet, and after \
                an error and an unsubscribe.",
        covers: &[R::EvtPub013],
        steps: |cast| {
            let channel = cast.channel("room");
            let taken = |id: &str| said_and_taken(cast, 1, id, (&channel, &cast.nonce(id)), R::EvtPub013);
            all([
                connected(cast, 1),
                taken("at-once"),
                vec![say(1, cast.subscribe("listener", &channel))],
                taken("behind"),
                vec![
                    expect(1, Pattern::with_id("subscribe_success", "listener"), R::EvtSub007),
                    say(1, r#"{"type":"nothing_like_this"}"#),
                    expect(1, general_error(), R::EvtErr006),
                ],
                taken("after-an-error"),
                vec![
                    say(1, json!({ "type": "unsubscribe", "id": "listener" }).to_string()),
                    expect(1, Pattern::with_id("unsubscribe_success", "listener"), R::EvtSub016),
                ],
                taken("after-the-end"),
            ])
        },
        ..QUICK
    },
];

fn id_reuse(cast: &Cast) -> Vec<Step> {
    let channel = cast.channel("room");
    let nonces: Vec<_> = (1..=3).map(|n| cast.nonce(&format!("event-{n}"))).collect();
    let [first, second, third] = nonces.as_slice() else { return Vec::new() };
    let again = vec![
        receipt("used", 1).reads("EVT-A-10", "the id of an earlier publish is taken"),
        publish_refusal("used").reads("EVT-A-10", "the id of an earlier publish is refused"),
    ];
    let clash = vec![
        receipt("listener", 1).reads("EVT-A-10", "the id of a subscription is taken"),
        publish_refusal("listener").reads("EVT-A-10", "the id of a subscription is refused"),
    ];
    all([
        connected(cast, 1),
        subscribed(cast, 1, "listener", &channel),
        vec![warmed(cast, 1, "listener", &channel)],
        said_and_taken(cast, 1, "used", (&channel, first), R::EvtPub007),
        vec![say(1, publish_one(cast, "used", &channel, second)), any_of(1, again, R::EvtPub014)],
        vec![say(1, publish_one(cast, "listener", &channel, third)), any_of(1, clash, R::EvtPub014)],
        marked(cast, 1, "listener", &channel, R::EvtPub014),
    ])
}

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-index-counts-wrong",
        about: "gives the first event of a publish the index 1",
        breaks: R::EvtPub008,
        caught_by: "events/publish/answered-with-both-lists",
        how: edit("publish_success", Nth::Every, Change::Set("successful.0.index", "1")),
    },
    Fault {
        name: "events-index-from-one",
        about: "counts the events of a publish from one",
        breaks: R::EvtPub008,
        caught_by: "events/publish/answered-with-both-lists",
        how: edit("publish_success", Nth::Only(2), Change::Set("successful.0.index", "1")),
    },
    Fault {
        name: "events-index-as-text",
        about: "writes the index of an event as a string",
        breaks: R::EvtPub009,
        caught_by: "events/publish/answered-with-both-lists",
        how: edit("publish_success", Nth::Every, Change::Set("successful.2.index", r#""2""#)),
    },
    Fault {
        name: "events-identifier-missing",
        about: "leaves the identifier out of a result entry",
        breaks: R::EvtPub009,
        caught_by: "events/publish/answered-with-both-lists",
        how: edit("publish_success", Nth::Every, Change::Remove("successful.1.identifier")),
    },
    Fault {
        name: "events-failed-missing",
        about: "leaves failed out when nothing has failed",
        breaks: R::EvtPub007,
        caught_by: "events/publish/answered-with-both-lists",
        how: edit("publish_success", Nth::Every, Change::Remove("failed")),
    },
    Fault {
        name: "events-successful-as-count",
        about: "puts the number of events into successful",
        breaks: R::EvtPub007,
        caught_by: "events/publish/answered-with-both-lists",
        how: edit("publish_success", Nth::Every, Change::Set("successful", "3")),
    },
    Fault {
        name: "events-one-entry-for-every-publish",
        about: "lists one successful event whatever was published",
        breaks: R::EvtPub007,
        caught_by: "events/publish/answered-with-both-lists",
        how: edit("publish_success", Nth::Every, Change::Set("successful", r#"[{"identifier":"a","index":0}]"#)),
    },
    Fault {
        name: "events-publish-answer-with-another-id",
        about: "mangles the id in the answer to a publish",
        breaks: R::EvtPub007,
        caught_by: "events/publish/answered-with-both-lists",
        how: edit("publish_success", Nth::Every, Change::MangleId),
    },
    Fault {
        name: "events-publish-unanswered",
        about: "carries a publish out without an answer",
        breaks: R::EvtPub007,
        caught_by: "events/publish/answered-with-both-lists",
        how: How::Skip(Check::PublishAnswered),
    },
    Fault {
        name: "events-four-events",
        about: "takes at most four events in a publish",
        breaks: R::EvtLimit001,
        caught_by: "events/publish/five-events-are-taken",
        how: How::Set(|policy| policy.events_max = 4),
    },
    Fault {
        name: "events-publish-refused-without-subscription",
        about: "answers a publish as refused though it delivers",
        breaks: R::EvtPub012,
        caught_by: "events/publish/without-a-subscription",
        how: edit("publish_success", Nth::Every, Change::Rename("publish_error")),
    },
    Fault {
        name: "events-publish-ignored",
        about: "ignores every publish over the connection",
        breaks: R::EvtPub012,
        caught_by: "events/publish/without-a-subscription",
        how: How::Trap(Trigger::Word("publish"), Reaction::Ignore),
    },
    Fault {
        name: "events-third-publish-unanswered",
        about: "loses the answer to the third publish under way",
        breaks: R::EvtPub023,
        caught_by: "events/publish/several-under-way",
        how: edit("publish_success", Nth::Only(3), Change::Drop),
    },
    Fault {
        name: "events-answers-an-earlier-publish",
        about: "gives the answer to the second publish the id of the first",
        breaks: R::EvtPub023,
        caught_by: "events/publish/several-under-way",
        how: edit("publish_success", Nth::Only(2), Change::Set("id", r#""p1""#)),
    },
    Fault {
        name: "events-publish-id-once-only",
        about: "is silent when a publish bears the id of an earlier one",
        breaks: R::EvtPub014,
        caught_by: "events/publish/ids-used-again",
        how: edit("publish_success", Nth::Only(2), Change::Drop),
    },
    Fault {
        name: "events-publish-strips-the-subscription",
        about: "answers a publish with the id of a subscription as a subscribe",
        breaks: R::EvtPub014,
        caught_by: "events/publish/ids-used-again",
        how: edit("publish_success", Nth::Only(3), Change::Rename("subscribe_success")),
    },
    Fault {
        name: "events-unknown-members-ignored-whole",
        about: "ignores a publish with a member that it does not know",
        breaks: R::EvtPub028,
        caught_by: "events/publish/unknown-members",
        how: How::Trap(Trigger::UnknownMember, Reaction::Ignore),
    },
    Fault {
        name: "events-unknown-members-close",
        about: "closes the connection on a member that it does not know",
        breaks: R::EvtPub028,
        caught_by: "events/publish/unknown-members",
        how: How::Trap(Trigger::UnknownMember, Reaction::Close(1003)),
    },
    Fault {
        name: "events-publish-not-at-once",
        about: "refuses the first publish of a connection",
        breaks: R::EvtPub013,
        caught_by: "events/publish/at-any-moment",
        how: edit("publish_success", Nth::Only(1), Change::Rename("publish_error")),
    },
    Fault {
        name: "events-publish-not-after-an-error",
        about: "leaves publishes unanswered after an error",
        breaks: R::EvtPub013,
        caught_by: "events/publish/at-any-moment",
        how: edit("publish_success", Nth::From(3), Change::Drop),
    },
];
