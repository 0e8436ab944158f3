//! What the player finds of deliveries that no step looks at.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::json::json_text;
use appsync_protocol::moment::Moment;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;
use appsync_protocol::wire::{Headers, OwnedFrame, Response};
use syncspec::fault::{Change, Edit, How, Nth};
use syncspec::player::{Ending, Listener, Outcome, Output, Player};
use syncspec::reference::Config;
use syncspec::scenario::{
    Answer, Cast, Greeting, Need, Pattern, Publication, Scenario, Shape, Step, Tier, Wait, cast::channel_data,
};
use syncspec::selftest::stage::{cast, limits, outcome, playable};

/// Two subscriptions, an event for each of which only the first is waited for, and a keep-alive.
const TWO_ROOMS: Scenario = Scenario {
    id: "events/deliveries/two-rooms",
    title: "Nothing is forbidden.",
    dialect: Dialect::Events,
    covers: &[R::EvtData001],
    needs: &[] as &[Need],
    tier: Tier::Quick,
    hazard: false,
    steps: |cast| {
        let mut steps = connected(cast);
        for (id, room) in [("a", "one"), ("b", "two")] {
            steps.push(say(cast.subscribe(id, &cast.channel(room))));
            steps.push(expect(Pattern::with_id("subscribe_success", id), Wait::Answer));
            let nonce = cast.nonce(&format!("warm-{id}"));
            let publication = Publication::Http(cast.http_publish(&cast.channel(room), &[json_text(&nonce)]));
            steps.push(Step::Warm {
                conn: 1,
                id: id.into(),
                attempts: vec![(nonce, publication)],
                rule: R::EvtData001,
            });
        }
        for (label, room) in [("second", "two"), ("first", "one")] {
            let request = cast.http_publish(&cast.channel(room), &[json_text(&cast.nonce(label))]);
            steps.push(Step::Call { request, any_of: vec![Answer::status(200)], rule: R::EvtHttp004 });
        }
        let first = Pattern::with_id("data", "a").has("event", Shape::JsonText(json_text(&cast.nonce("first"))));
        steps.push(expect(first, Wait::Answer));
        steps.push(expect(Pattern::word("ka"), Wait::KeepAlive));
        steps
    },
};

/// A GraphQL subscription to one room while something is published to another.
const OTHER_ROOM: Scenario = Scenario {
    id: "graphql/deliveries/other-room",
    dialect: Dialect::Graphql,
    steps: |cast| {
        let mut steps = connected(cast);
        steps.push(say(cast.start_channel("a", &cast.nonce("room"))));
        steps.push(expect(Pattern::with_id("start_ack", "a"), Wait::Answer));
        for (room, nonce) in [("elsewhere", "stray"), ("room", "own")] {
            let request = cast.publish_to_channel(&cast.nonce(room), &cast.nonce(nonce));
            steps.push(Step::Call { request, any_of: vec![Answer::status(200)], rule: R::GqlHttp002 });
        }
        let own = channel_data(&cast.nonce("own")).into();
        let heard = Pattern::with_id("data", "a").has("payload.data.subscribe2channel.data", Shape::Is(own));
        let stray = Pattern::with_id("data", "a").has("payload.data.subscribe2channel", Shape::Object);
        steps.push(Step::Expect { conn: 1, any_of: vec![heard, stray], rule: R::GqlSub012, within: Wait::Answer });
        steps
    },
    ..TWO_ROOMS
};

/// An id is stopped that is not in use, and asked for before any answer to that.
const STOPPED_BEFORE: Scenario = Scenario {
    id: "graphql/deliveries/stopped-before",
    dialect: Dialect::Graphql,
    steps: |cast| {
        let mut steps = connected(cast);
        steps.push(say(r#"{"type":"stop","id":"a"}"#));
        steps.push(say(cast.start_channel("a", &cast.nonce("room"))));
        steps.push(expect(Pattern::with_id("complete", "a"), Wait::Answer));
        steps.push(expect(Pattern::with_id("start_ack", "a"), Wait::Answer));
        let request = cast.publish_to_channel(&cast.nonce("room"), &cast.nonce("own"));
        steps.push(Step::Call { request, any_of: vec![Answer::status(200)], rule: R::GqlHttp002 });
        steps.push(expect(Pattern::with_id("data", "a"), Wait::Answer));
        steps
    },
    ..TWO_ROOMS
};

/// Something is forbidden to a subscription, and then the scenario is over.
const FORBIDS: Scenario = Scenario {
    id: "events/deliveries/forbids",
    steps: |cast| {
        let mut steps = connected(cast);
        steps.push(say(cast.subscribe("a", &cast.channel("room"))));
        steps.push(expect(Pattern::with_id("subscribe_success", "a"), Wait::Answer));
        steps.push(Step::Forbid { conn: 1, id: Some("a".into()), nonce: cast.nonce("late"), rule: R::EvtPub011 });
        steps
    },
    ..TWO_ROOMS
};

fn connected(cast: &Cast) -> Vec<Step> {
    let request = cast.usual_upgrade();
    vec![
        Step::Open { conn: 1, request, any_of: vec![Greeting::accepted()], rule: R::EvtHandshake001 },
        say(r#"{"type":"connection_init"}"#),
        expect(Pattern::word("connection_ack"), Wait::Answer),
    ]
}

fn say(text: impl Into<String>) -> Step {
    Step::Send { conn: 1, frame: OwnedFrame::text(text) }
}

fn expect(pattern: Pattern, within: Wait) -> Step {
    Step::Expect { conn: 1, any_of: vec![pattern], rule: R::EvtData001, within }
}

fn event(nth: u32, change: Change) -> How {
    How::Edit(Edit { dialect: Dialect::Events, word: "data", nth: Nth::Only(nth), change })
}

fn found(outcome: &Outcome) -> (Vec<R>, Vec<R>) {
    assert_eq!(outcome.ending, Ending::Met);
    let rules = |findings: &[appsync_protocol::finding::Finding]| findings.iter().map(|f| f.requirement).collect();
    (rules(&outcome.findings), rules(&outcome.losses))
}

#[test]
fn an_honest_endpoint_is_not_blamed_for_any_delivery() {
    assert!(playable(&TWO_ROOMS));
    assert_eq!(found(&outcome(&TWO_ROOMS, Config::default(), &[])), (vec![], vec![]));
    assert_eq!(found(&outcome(&OTHER_ROOM, Config::default(), &[])), (vec![], vec![]));
}

#[test]
fn a_complete_that_answers_a_stop_from_before_ends_nothing() {
    let mut config = Config::default();
    config.profile.choose("GQL-A-08", "complete").unwrap();

    let outcome = outcome(&STOPPED_BEFORE, config, &[]);

    assert_eq!(found(&outcome), (vec![], vec![]));
}

#[test]
fn a_leak_to_another_channel_is_found_although_no_step_forbids_it() {
    let (findings, _) = found(&outcome(&TWO_ROOMS, Config::default(), &[How::Skip(Check::ChannelMatch)]));

    assert!(findings.contains(&R::EvtData006), "{findings:?}");
}

#[test]
fn a_leak_to_other_arguments_is_found_although_no_step_forbids_it() {
    let (findings, _) = found(&outcome(&OTHER_ROOM, Config::default(), &[How::Skip(Check::ArgumentsMatch)]));

    assert_eq!(findings, [R::GqlFilter002]);
}

#[test]
fn a_repeated_event_is_found_although_nobody_waited_for_it() {
    // The events of the warm-ups are the first and the second.
    let (findings, losses) = found(&outcome(&TWO_ROOMS, Config::default(), &[event(3, Change::Duplicate)]));

    assert_eq!((findings, losses), (vec![R::EvtData004], vec![]));
}

#[test]
fn a_lost_event_is_found_although_nobody_waited_for_it() {
    let (findings, losses) = found(&outcome(&TWO_ROOMS, Config::default(), &[event(3, Change::Drop)]));

    assert_eq!((findings, losses), (vec![], vec![R::EvtData004]));
}

#[test]
fn what_came_under_a_wrong_id_is_one_fault_and_no_loss_besides() {
    let (findings, losses) = found(&outcome(&TWO_ROOMS, Config::default(), &[event(3, Change::MangleId)]));

    assert_eq!((findings.len(), losses), (1, vec![]));
}

fn listener() -> Listener {
    let cast = cast(Dialect::Events, &Config::default());
    let mut player = Player::new(&FORBIDS, cast, limits(), Moment::START);
    let say_all = |player: &mut Player<'_>| while matches!(player.poll(), Output::Do(_)) {};
    say_all(&mut player);
    let headers = Headers::new().with("upgrade", "websocket");
    player.upgraded(Moment::START, 1, Ok(Response { status: 101, headers, body: "".into() }));
    for text in
        [r#"{"type":"connection_ack","connectionTimeoutMs":300000}"#, r#"{"type":"subscribe_success","id":"a"}"#]
    {
        say_all(&mut player);
        player.frame(Moment::START, 1, OwnedFrame::text(text));
    }
    say_all(&mut player);
    player.finish().expect("there is nothing left to do").1
}

fn late(listener: &mut Listener, text: &str) -> Vec<R> {
    let findings = listener.frame(Moment::from_millis(5), 1, OwnedFrame::text(text));
    findings.into_iter().map(|finding| finding.requirement).collect()
}

#[test]
fn a_forbidden_event_that_comes_after_the_scenario_is_found() {
    let mut listener = listener();

    assert_eq!(late(&mut listener, r#"{"type":"data","id":"a","event":"\"r1-c001-late\""}"#), [R::EvtPub011]);
}

#[test]
fn after_the_scenario_an_event_of_anybody_else_is_nobodys_fault() {
    let mut listener = listener();

    assert_eq!(late(&mut listener, r#"{"type":"data","id":"a","event":"\"something\""}"#), []);
}

#[test]
fn after_the_scenario_an_event_of_another_one_is_found() {
    let mut listener = listener();

    assert_eq!(late(&mut listener, r#"{"type":"data","id":"a","event":"\"r1-c002-late\""}"#), [R::EvtData006]);
}

#[test]
fn after_the_scenario_an_event_on_a_subscription_that_has_ended_is_found() {
    let mut listener = listener();

    assert_eq!(late(&mut listener, r#"{"type":"unsubscribe_success","id":"a"}"#), []);
    assert_eq!(late(&mut listener, r#"{"type":"data","id":"a","event":"\"something\""}"#).len(), 1);
}

#[test]
fn there_is_nothing_to_listen_for_on_a_connection_that_is_over() {
    let mut listener = listener();
    assert!((listener.is_of_use(), listener.open()) == (true, 1));

    let _ = listener.frame(Moment::from_millis(5), 1, OwnedFrame::Lost);

    assert!((listener.is_of_use(), listener.open()) == (false, 0));
}
