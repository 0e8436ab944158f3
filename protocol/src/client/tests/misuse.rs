//! What does no harm: misused verbs, unfit inputs, late wakings, looking on.

use super::*;

#[test]
fn frames_without_a_connection_are_ignored() {
    for mut play in [Play::new(Graphql), Play::dialling(Graphql)] {
        let before = play.client.snapshot();

        assert!(play.hear("connection_ack").is_empty());
        assert!(play.frame(Frame::Lost).is_empty());
        assert_eq!(play.client.snapshot(), before);
    }
}

#[test]
fn an_unexpected_upgrade_is_ignored() {
    let mut play = Play::connected(Graphql);
    let before = play.client.snapshot();

    play.client.handle_input(Input::Connected(play.at), 0);

    assert_eq!((play.seen(), play.client.snapshot()), (Vec::new(), before));
}

#[test]
fn a_misused_verb_leaves_the_state_untouched() {
    let mut play = Play::live(Graphql, &["a"]);
    play.client.unsubscribe(play.at, "a").unwrap();
    play.client.subscribe(play.at, "b", "{}").unwrap();
    play.seen();
    let before = play.client.snapshot();
    let client = &mut play.client;
    let late = Moment::from_millis(999_999_999);

    assert_eq!(client.subscribe(late, "b", "{}"), Err(UsageError::IdInUse));
    assert_eq!(client.unsubscribe(late, "a"), Err(UsageError::UnknownId));
    assert_eq!(client.unsubscribe(late, "x"), Err(UsageError::UnknownId));
    assert_eq!(client.publish(late, "p", "/a", &[]), Err(UsageError::NotInDialect));
    assert_eq!(client.supply(late, &subscribe("a"), &Credentials::new()), Err(UsageError::UnknownId));
    assert_eq!(client.supply(late, &Purpose::Connect, &Credentials::new()), Err(UsageError::NotOpen));

    assert_eq!(play.client.snapshot(), before);
    assert!(play.seen().is_empty());
    assert!(play.client.deadline().unwrap().at < late);
}

#[test]
fn verbs_that_need_a_connection_fail_without_one() {
    let mut play = Play::new(Events);

    assert_eq!(play.client.publish(play.at, "p", "/a", &[]), Err(UsageError::NotOpen));
    assert_eq!(play.client.send_raw(play.at, "x"), Err(UsageError::NotOpen));
    assert_eq!(play.client.close(play.at), Err(UsageError::NotOpen));
    let mut play = Play::connected(Events);
    play.client.close(play.at).unwrap();
    assert_eq!(play.client.send_raw(play.at, "x"), Err(UsageError::NotOpen), "the close frame is out");
    assert_eq!(play.client.subscribe(play.at, "a", "/a"), Err(UsageError::NotOpen));
    assert_eq!(play.client.connect(play.at), Err(UsageError::NotOpen));
}

#[test]
fn a_second_connect_makes_no_second_connection() {
    for mut play in [Play::dialling(Graphql), Play::greeting(Graphql), Play::connected(Graphql)] {
        play.client.connect(play.at).unwrap();
        assert!(play.seen().is_empty());
    }
}

#[test]
fn raw_text_goes_out_as_it_stands_and_is_judged() {
    let mut play = Play::connected(Graphql);

    play.client.send_raw(play.at, "[").unwrap();

    let seen = play.seen();
    assert_eq!(seen[0], "> (raw)");
    assert!(seen[1].starts_with("Finding(client"), "{seen:?}");
}

#[test]
fn a_deadline_that_nobody_served_is_due_now_and_not_in_the_past() {
    let mut play = Play::greeting(Graphql);
    let late = Moment::from_millis(20_000);

    play.client.subscribe(late, "a", "{}").unwrap();

    assert_eq!(play.client.deadline().unwrap().at, late);
}

#[test]
fn a_frame_counts_before_the_deadline_of_the_same_moment() {
    let mut play = Play::greeting(Graphql);
    play.at = Moment::from_millis(15_000);

    assert_eq!(play.hear("connection_ack"), ["Connected(60s)"]);
}

#[test]
fn debug_output_shows_no_body_and_no_credentials() {
    let mut play = Play::live(Events, &["a"]);
    play.client.publish(play.at, "p", "/secret", &["secret"]).unwrap();
    play.client.handle_input(Input::Frame(play.at, Frame::text(r#"{"type":"data","id":"a","event":"secret"}"#)), 0);
    play.client.handle_input(
        Input::Frame(play.at, Frame::text(r#"{"type":"error","errors":[{"errorType":"E","message":"secret"}]}"#)),
        0,
    );
    let client = format!("{:?}", play.client);

    assert!(!client.contains("secret") && !play.seen().concat().contains("secret"), "{client}");
}

#[test]
fn a_snapshot_reads_as_one_line_each() {
    let mut play = Play::live(Graphql, &["a"]);
    play.client.subscribe(play.at, "b", "{}").unwrap();

    assert_eq!(
        play.client.snapshot().to_string(),
        "connected, heard at 0.000s, silence limit 60000 ms\n\"a\" live\n\"b\" waiting for credentials"
    );
}
