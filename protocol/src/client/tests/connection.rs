//! The connection: greeting, losses, pauses, refusals, the way out.

use super::*;

#[test]
fn a_whole_course_from_the_first_subscribe_to_the_close() {
    let mut play = Play::new(Graphql);

    play.client.subscribe(play.at, "a", "{}").unwrap();
    assert_eq!(play.seen(), ["Needs(connect, 2 bytes to sign)"]);
    play.supply(&Purpose::Connect);
    assert_eq!(play.seen(), ["dial"]);
    play.client.handle_input(Input::Connected(play.at), 0);
    assert_eq!(play.seen(), ["> connection_init"]);
    assert_eq!(play.hear("connection_ack"), ["Connected(60s)", r#"Needs(subscribe "a", 2 bytes to sign)"#]);
    play.supply(&subscribe("a"));
    assert_eq!(play.seen(), ["> start a"]);
    assert_eq!(play.hear("start_ack a"), [r#"Subscribed("a")"#]);
    assert_eq!(play.hear("data a"), [r#"Data("a", 16 bytes)"#]);
    play.client.close(play.at).unwrap();
    assert_eq!(play.seen(), ["> stop a"]);
    assert_eq!(play.hear("complete a"), [r#"Ended("a", asked)"#, "> close 1000"]);
    assert_eq!(play.frame(CLOSE), ["Closed(clean: true)"]);
    assert_eq!(play.state(), "idle");
}

#[test]
fn a_missing_ack_ends_the_attempt_and_pauses() {
    let mut play = Play::greeting(Graphql);

    let (why, seen) = play.sleep();

    assert_eq!(why, Timer::Ack);
    assert_eq!(play.at, Moment::from_millis(15_000));
    assert_eq!(seen, ["> close 1000", "> lost", "Lost(no connection_ack in time, retry at Some(Moment(15012500)))"]);
    assert_eq!(play.sleep(), (Timer::Backoff, [String::from("Needs(connect, 2 bytes to sign)")].into()));
}

#[test]
fn silence_ends_the_connection_and_keep_alives_postpone_it() {
    let mut play = Play::live(Events, &["a"]);
    play.at = Moment::from_millis(59_000);
    play.hear("ka");

    let (why, seen) = play.sleep();

    assert_eq!((why, play.at), (Timer::Silence, Moment::from_millis(119_000)));
    assert!(seen[0].contains("EVT-KA-001"), "{seen:?}");
    assert_eq!(seen[1..4], ["> close 1000", "> lost", r#"Interrupted("a", Subscribe)"#]);
    assert!(seen[4].starts_with("Lost(no keep-alive in time"), "{seen:?}");
}

#[test]
fn the_silence_limit_falls_back_where_the_ack_names_none() {
    for (ack, limit) in [(r#"{"type":"connection_ack"}"#, 300), ("connection_ack", 60)] {
        let mut play = Play::greeting(Graphql);
        play.hear(ack);

        assert_eq!(play.client.deadline().unwrap().at, Moment::START + Duration::from_secs(limit));
    }
}

#[test]
fn a_loss_in_each_state_pauses_and_keeps_what_is_wanted() {
    for (mut play, seen) in [
        (Play::greeting(Graphql), &[][..]),
        (Play::connected(Graphql), &[]),
        (Play::asked(Graphql, &["a"]), &[r#"Interrupted("a", Subscribe)"#]),
        (Play::live(Graphql, &["a"]), &[r#"Interrupted("a", Subscribe)"#]),
    ] {
        let mut got = play.frame(Frame::Lost);
        assert!(got.pop().unwrap().starts_with("Lost(transport ended without a close frame, retry at Some"));
        assert_eq!(got, seen);
        assert!(play.state().starts_with("pausing"));
    }

    let mut play = Play::dialling(Graphql);
    play.client.handle_input(Input::ConnectFailed(play.at, DialFailure::Network), 0);
    assert!(play.seen()[0].starts_with("Lost(no connection to the server, retry at Some"));
}

#[test]
fn after_a_loss_everything_wanted_is_asked_for_again_with_fresh_credentials() {
    let mut play = Play::live(Graphql, &["a", "b"]);
    play.client.unsubscribe(play.at, "b").unwrap();
    play.seen();

    assert_eq!(reconnect(&mut play)[1..], [r#"Needs(subscribe "a", 10 bytes to sign)"#]);
    play.supply(&subscribe("a"));
    assert_eq!(play.seen(), ["> start a"]);
}

#[test]
fn fresh_ids_are_announced_and_only_given_to_what_had_been_asked_for() {
    let mut play = Play::live(Graphql, &["a", "n1"]);
    play.client.config.ids = ResubscribeIds::Fresh { prefix: "n".into() };
    play.client.subscribe(play.at, "new", "{}").unwrap();
    play.seen();

    let seen = reconnect(&mut play);

    let renamed: Vec<_> = seen.iter().filter(|line| line.starts_with("Renamed")).collect();
    assert_eq!(renamed, [r#"Renamed("a" to "n2")"#, r#"Renamed("n1" to "n3")"#]);
    let ids: Vec<_> = play.client.snapshot().subscriptions.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["n2", "n3", "new"]);
}

#[test]
fn pauses_grow_until_an_ack_and_attempts_end() {
    let mut play = Play::dialling(Graphql);
    let mut pauses = Vec::new();
    loop {
        play.client.handle_input(Input::ConnectFailed(play.at, DialFailure::Network), 0);
        let seen = play.seen();
        let Some(deadline) = play.client.deadline() else {
            assert_eq!(seen[1], "Failed(no attempt left)");
            break;
        };
        pauses.push((deadline.at - play.at).as_micros());
        play.sleep();
        play.supply(&Purpose::Connect);
        play.seen();
    }

    assert_eq!(pauses, [12_500, 25_000, 50_000, 100_000, 200_000, 400_000, 800_000, 1_600_000]);
}

#[test]
fn pauses_grow_while_a_server_acknowledges_and_drops_and_start_over_after_a_connection_that_lasted() {
    let mut play = Play::connected(Events);
    let mut pauses = Vec::new();
    let lose = |play: &mut Play, pauses: &mut Vec<u64>| {
        play.frame(Frame::Lost);
        pauses.push((play.client.deadline().unwrap().at - play.at).as_micros() as u64);
        play.sleep();
        play.supply(&Purpose::Connect);
        play.client.handle_input(Input::Connected(play.at), 0);
        play.seen();
        play.hear("connection_ack");
    };

    for _ in 0..3 {
        lose(&mut play, &mut pauses);
    }
    play.at = play.at + BackoffPolicy::default().cap;
    lose(&mut play, &mut pauses);

    assert_eq!(pauses, [12_500, 25_000, 50_000, 12_500]);
}

#[test]
fn a_refusal_that_another_attempt_cannot_change_is_not_repeated() {
    for error in [
        r#"{"errorCode":400,"message":"m"}"#,
        r#"{"errorCode":401,"message":"m"}"#,
        r#"{"errorCode":403,"message":"m"}"#,
        r#"{"errorType":"UnauthorizedException"}"#,
        r#"{"errorType":"com.amazonaws.deepdish.graphql.auth#BadRequestException"}"#,
    ] {
        let mut play = Play::greeting(Graphql);
        play.client.subscribe(play.at, "a", "{}").unwrap();

        let seen = play.hear(&format!(r#"{{"type":"connection_error","payload":{{"errors":[{error}]}}}}"#));

        assert_eq!(seen[..2], ["> close 1000", "> lost"], "{error}");
        assert!(seen[2].ends_with("retry at None)"), "{seen:?}");
        assert_eq!(seen[3], r#"Ended("a", no connection)"#);
        assert!(seen[4].starts_with("Failed(connection_error"));
        assert_eq!(play.client.deadline(), None);
    }
}

#[test]
fn another_refusal_is_tried_again() {
    let mut play = Play::greeting(Events);
    play.hear("connection_error");
    assert!(play.state().starts_with("pausing"));

    let mut play = Play::greeting(Graphql);
    play.hear("error");
    assert!(play.state().starts_with("pausing"), "GraphQL also refuses by an error without id");
}

#[test]
fn an_upgrade_that_is_refused_for_good_fails() {
    for (failure, failed) in [
        (DialFailure::Refused { status: 401 }, true),
        (DialFailure::NoSubprotocol, true),
        (DialFailure::Refused { status: 503 }, false),
    ] {
        let mut play = Play::dialling(Events);
        play.client.handle_input(Input::ConnectFailed(play.at, failure), 0);
        assert_eq!(play.state().starts_with("failed"), failed, "{failure}");
    }
}

#[test]
fn asking_again_after_a_failure_starts_over() {
    let mut play = Play::dialling(Events);
    play.client.handle_input(Input::ConnectFailed(play.at, DialFailure::NoSubprotocol), 0);
    play.seen();

    play.client.subscribe(play.at, "a", "/a").unwrap();

    assert_eq!(play.seen(), ["Needs(connect, 2 bytes to sign)"]);
}

#[test]
fn an_error_without_id_ends_nothing_once_connected() {
    let mut play = Play::live(Graphql, &["a"]);

    assert_eq!(play.hear("error"), ["Reported(None E)"]);
    assert_eq!(play.hear("data a"), [r#"Data("a", 16 bytes)"#]);
}

#[test]
fn draining_waits_for_the_grant_the_end_and_the_publish() {
    let mut play = Play::asked(Events, &["a"]);
    play.client.publish(play.at, "p", "/a", &["1"]).unwrap();
    play.client.publish(play.at, "unsent", "/a", &["1"]).unwrap();
    play.supply(&publish("p"));
    play.seen();

    play.client.close(play.at).unwrap();

    assert_eq!(play.seen(), [r#"Interrupted("unsent", Publish)"#]);
    assert_eq!(play.hear("subscribe_success a"), ["> unsubscribe a"]);
    assert_eq!(play.hear("unsubscribe_success a"), [r#"Ended("a", asked)"#]);
    assert_eq!(play.hear("publish_success p"), [r#"Published("p")"#, "> close 1000"]);
}

#[test]
fn the_drain_bound_ends_what_is_not_answered() {
    let mut play = Play::live(Graphql, &["a"]);
    play.client.close(play.at).unwrap();
    play.seen();

    let (why, seen) = play.sleep();

    assert_eq!((why, play.at), (Timer::Drain, Moment::from_millis(5_000)));
    assert_eq!(seen, ["> close 1000", "> lost", r#"TimedOut("a", Unsubscribe)"#, "Closed(clean: false)"]);
    assert_eq!(play.state(), "idle");
}

#[test]
fn a_peer_that_never_answers_the_close_frame_is_left_at_the_drain_bound() {
    let mut play = Play::connected(Graphql);
    play.client.close(play.at).unwrap();
    assert_eq!(play.seen(), ["> close 1000"]);

    assert_eq!(play.sleep().1, ["> lost", "Closed(clean: false)"]);
}

#[test]
fn a_loss_while_draining_is_the_end_and_no_reason_to_dial() {
    let mut play = Play::live(Graphql, &["a"]);
    play.client.close(play.at).unwrap();
    play.seen();

    assert_eq!(play.frame(Frame::Lost), [r#"Ended("a", asked)"#, "Closed(clean: false)"]);
    assert_eq!(play.client.deadline(), None);
}

#[test]
fn closing_without_a_transport_takes_no_time() {
    let mut pausing = Play::live(Graphql, &["a"]);
    pausing.frame(Frame::Lost);
    let mut awaiting = Play::new(Graphql);
    awaiting.client.subscribe(awaiting.at, "a", "{}").unwrap();
    awaiting.seen();
    let mut dialling = Play::dialling(Graphql);

    for play in [&mut pausing, &mut awaiting] {
        play.client.close(play.at).unwrap();
        assert_eq!(play.seen(), [r#"Ended("a", asked)"#, "Closed(clean: true)"]);
    }
    dialling.client.close(dialling.at).unwrap();
    assert_eq!(dialling.seen(), ["> lost", "Closed(clean: true)"]);
}
