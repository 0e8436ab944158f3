//! Subscriptions and publishes: asked, granted, refused, ended, unanswered.

use super::*;

#[test]
fn the_text_to_sign_is_the_text_that_travels() {
    let request = r#"{"query":"subscription { f }"}"#;
    let mut graphql = Play::connected(Graphql);
    let mut events = Play::connected(Events);

    graphql.client.subscribe(graphql.at, "a", request).unwrap();
    events.client.subscribe(events.at, "a", "/default/a").unwrap();
    events.client.publish(events.at, "p", "/default/a", &[r#""x""#, "1"]).unwrap();

    let bodies = |play: &mut Play| -> Vec<String> {
        core::iter::from_fn(|| match play.client.poll_output() {
            Output::Event(ClientEvent::Needs(request)) => Some(request.body),
            Output::Event(_) | Output::Dial { .. } | Output::Transmit(_) | Output::Idle(_) => None,
        })
        .collect()
    };
    assert_eq!(bodies(&mut graphql), [request]);
    assert_eq!(
        bodies(&mut events),
        [r#"{"channel":"/default/a"}"#, r#"{"channel":"/default/a","events":["\"x\"","1"]}"#]
    );
}

#[test]
fn authorization_travels_where_each_dialect_wants_it() {
    let sent = |dialect, topic: &str| {
        let mut play = Play::connected(dialect);
        play.client.subscribe(play.at, "a", topic).unwrap();
        play.seen();
        play.supply(&subscribe("a"));
        let Output::Transmit(OwnedFrame::Text { text, .. }) = play.client.poll_output() else { panic!("no text") };
        text
    };

    assert_eq!(
        sent(Graphql, "{}"),
        r#"{"type":"start","id":"a","payload":{"data":"{}","extensions":{"authorization":{"host":"h","x-api-key":"k"}}}}"#
    );
    assert_eq!(
        sent(Events, "/a"),
        r#"{"type":"subscribe","id":"a","channel":"/a","authorization":{"host":"h","x-api-key":"k"}}"#
    );
}

#[test]
fn an_unanswered_subscribe_is_told_and_asked_back() {
    let mut play = Play::asked(Graphql, &["a"]);

    assert_eq!(play.sleep(), (Timer::Answer, [r#"TimedOut("a", Subscribe)"#.into(), "> stop a".into()].into()));
    assert!(play.hear("start_ack a").is_empty(), "a late grant is ignored");
    assert!(play.hear("data a").is_empty());
    assert_eq!(play.hear("complete a"), [r#"Ended("a", asked)"#]);
}

#[test]
fn an_unanswered_stop_is_told_and_its_id_stays_taken_on_this_connection() {
    let mut play = Play::live(Graphql, &["a"]);
    play.client.unsubscribe(play.at, "a").unwrap();
    play.seen();

    assert_eq!(play.sleep(), (Timer::Answer, [r#"TimedOut("a", Unsubscribe)"#.into()].into()));
    assert_eq!(play.client.subscribe(play.at, "a", "{}"), Err(UsageError::IdInUse));
}

#[test]
fn an_unanswered_publish_is_told() {
    let mut play = Play::connected(Events);
    play.client.publish(play.at, "p", "/a", &["1"]).unwrap();
    play.supply(&publish("p"));
    assert!(play.seen().contains(&"> publish p".into()));

    assert_eq!(play.sleep(), (Timer::Answer, [r#"TimedOut("p", Publish)"#.into()].into()));
    assert!(play.hear("publish_success p").is_empty());
}

#[test]
fn a_publish_is_answered_by_success_or_refusal() {
    for (line, event) in [
        ("publish_success p", r#"Published("p")"#),
        ("publish_error p", r#"PublishRefused("p" E)"#),
        ("error p", r#"PublishRefused("p" E)"#),
    ] {
        let mut play = Play::connected(Events);
        play.client.publish(play.at, "p", "/a", &["1"]).unwrap();
        play.supply(&publish("p"));
        play.seen();

        assert_eq!(play.hear(line), [event]);
    }
}

#[test]
fn a_refused_subscription_is_over_and_the_others_go_on() {
    for (dialect, word) in [(Graphql, "error"), (Events, "subscribe_error"), (Events, "error")] {
        let mut play = Play::asked(dialect, &["a", "b"]);

        assert_eq!(play.hear(&format!("{word} a")), [r#"Refused("a" E)"#]);
        assert_eq!(play.client.snapshot().subscriptions, [("b".into(), SubscriptionState::Asked)]);
    }
}

#[test]
fn a_graphql_subscription_may_be_ended_by_error_or_complete_and_an_events_one_survives_an_error() {
    assert_eq!(Play::live(Graphql, &["a"]).hear("error a"), [r#"Ended("a", by the server E)"#]);
    assert_eq!(Play::live(Graphql, &["a"]).hear("complete a"), [r#"Ended("a", by the server)"#]);
    let mut play = Play::live(Events, &["a"]);
    play.hear("error a");
    assert_eq!(play.hear("data a"), [r#"Data("a", 3 bytes)"#]);
    assert_eq!(play.hear("broadcast_error a"), [r#"BroadcastFailed("a" E)"#]);
}

#[test]
fn data_after_the_stop_is_dropped() {
    let mut play = Play::live(Graphql, &["a"]);
    play.client.unsubscribe(play.at, "a").unwrap();
    play.seen();

    assert!(play.hear("data a").is_empty());
}

#[test]
fn a_subscription_that_waits_for_its_grant_is_ended_after_it() {
    let mut play = Play::asked(Events, &["a"]);
    play.client.unsubscribe(play.at, "a").unwrap();
    assert!(play.seen().is_empty());

    assert_eq!(play.hear("subscribe_success a"), ["> unsubscribe a"]);
    assert_eq!(play.hear("unsubscribe_success a"), [r#"Ended("a", asked)"#]);
}

#[test]
fn a_subscription_nobody_has_asked_for_yet_ends_without_a_word() {
    let mut play = Play::connected(Graphql);
    play.client.subscribe(play.at, "a", "{}").unwrap();
    play.seen();

    play.client.unsubscribe(play.at, "a").unwrap();

    assert_eq!(play.seen(), [r#"Ended("a", asked)"#]);
    assert_eq!(play.client.supply(play.at, &subscribe("a"), &Credentials::new()), Err(UsageError::UnknownId));
}

#[test]
fn what_a_server_says_of_unknown_ids_and_in_unknown_words_is_only_judged() {
    let mut play = Play::live(Graphql, &["a"]);
    let before = play.client.snapshot();

    for line in ["start_ack x", "data x", "complete x", r#"{"type":"future"}"#, r#"{"type":"stop","id":"a"}"#, "{"] {
        assert!(play.hear(line).iter().all(|seen| seen.starts_with("Finding(server")), "{line}");
    }
    play.frame(Frame::Binary(b"x"));
    assert!(play.frame(Frame::Ping(b"x")).is_empty());
    assert_eq!(play.client.snapshot(), before);
}
