//! The Lambda authorizer: how often it is asked, and what it may say.

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::server::{Asked, Mode};

use super::{NOW, settings};
use crate::auth::{Authorizer, Denial, Purpose};

const START: Purpose<'_> = Purpose::Operation(Asked::Start { data: "{}" });

#[test]
fn without_a_time_to_live_every_operation_asks_again() {
    // GQL-AUTH-020
    let mut authorizer = authorizer("tokens = [{ token = \"t\" }]");

    for purpose in [Purpose::Connect(Dialect::Graphql), START, START, subscribe("/default/a")] {
        assert!(judge(&mut authorizer, NOW, purpose, "t").is_ok());
    }

    assert_eq!(authorizer.authorizer_calls(), 4);
}

#[test]
fn a_cached_answer_is_good_until_its_time_is_over() {
    let mut authorizer = authorizer("ttl-s = 60\ntokens = [{ token = \"t\" }]");

    let calls = [NOW, NOW + 59, NOW + 60, NOW + 61].map(|now| {
        assert!(judge(&mut authorizer, now, START, "t").is_ok());
        authorizer.authorizer_calls()
    });

    assert_eq!(calls, [1, 1, 2, 2]);
}

#[test]
fn an_answer_may_set_its_own_time_and_zero_turns_the_cache_off() {
    // EVT-AUTH-029: the override
    let mut authorizer =
        authorizer("ttl-s = 60\ntokens = [{ token = \"never\", ttl-s = 0 }, { token = \"long\", ttl-s = 600 }]");

    for now in [NOW, NOW + 1, NOW + 599] {
        assert!(judge(&mut authorizer, now, START, "never").is_ok());
        assert!(judge(&mut authorizer, now, START, "long").is_ok());
    }

    assert_eq!(authorizer.authorizer_calls(), 3 + 1);
}

#[test]
fn events_caches_by_operation_and_channel_and_graphql_by_token() {
    let mut authorizer = authorizer("ttl-s = 60\ntokens = [{ token = \"t\" }, { token = \"u\" }]");
    let mut asks = |purpose, token| {
        let before = authorizer.authorizer_calls();
        assert!(judge(&mut authorizer, NOW, purpose, token).is_ok());
        authorizer.authorizer_calls() - before
    };

    assert_eq!(asks(subscribe("/default/a"), "t"), 1);
    assert_eq!(asks(subscribe("/default/*"), "t"), 1);
    assert_eq!(asks(subscribe("/default/a"), "t"), 0);
    assert_eq!(asks(subscribe("/default/a"), "u"), 1);
    assert_eq!(asks(Purpose::Connect(Dialect::Events), "t"), 1);
    assert_eq!(asks(Purpose::Connect(Dialect::Events), "t"), 0);
    assert_eq!(asks(Purpose::Connect(Dialect::Graphql), "t"), 1);
    assert_eq!(asks(START, "t"), 0);
}

#[test]
fn denials_are_cached_and_failures_and_strangers_are_not() {
    let mut authorizer =
        authorizer("ttl-s = 60\ntokens = [{ token = \"no\", allow = false }, { token = \"boom\", allow = \"fail\" }]");
    let mut asks = |token, denial: Denial| {
        let before = authorizer.authorizer_calls();
        for _ in 0..2 {
            assert_eq!(judge(&mut authorizer, NOW, START, token), Err(denial.clone()));
        }
        authorizer.authorizer_calls() - before
    };

    assert_eq!(asks("no", Denial::Unauthorized), 1);
    assert_eq!(asks("boom", Denial::AuthorizerFailed), 2);
    assert_eq!(asks("stranger", Denial::Unauthorized), 2);
}

#[test]
fn a_key_beside_the_token_and_a_token_of_the_wrong_form_do_not_reach_the_authorizer() {
    // EVT-AUTH-020
    let mut authorizer = authorizer("token-pattern = \"^t-\"\ntokens = [{ token = \"t-1\" }, { token = \"x\" }]");
    let both = Credentials::token("h", "t-1").with("x-api-key", "da2-unknown");

    assert_eq!(authorizer.judge(NOW, &START, &both, &[Mode::ApiKey, Mode::Lambda]), Err(Denial::Unauthorized));
    assert_eq!(judge(&mut authorizer, NOW, START, "x"), Err(Denial::Unauthorized));
    assert_eq!(authorizer.authorizer_calls(), 0);
    assert!(judge(&mut authorizer, NOW, START, "t-1").is_ok());
    assert_eq!(authorizer.authorizer_calls(), 1);
}

#[test]
fn the_identity_is_what_the_authorizer_says() {
    let mut authorizer =
        authorizer("tokens = [{ token = \"t\", identity = \"ann\", denied-fields = [\"Mutation.addNote\"] }]");

    let presented = Credentials::token("h", "t");
    let who = authorizer.judge(NOW, &START, &presented, &[Mode::Lambda]).unwrap();

    assert_eq!((who.mode, who.name.as_str()), (Mode::Lambda, "ann"));
    assert_eq!(who.denied_fields, ["Mutation.addNote"]);
}

#[test]
fn many_channels_do_not_fill_the_memory() {
    let mut authorizer = authorizer("ttl-s = 60\ntokens = [{ token = \"t\" }]");

    for channel in 0..10_000 {
        assert!(judge(&mut authorizer, NOW, subscribe(&format!("/default/{channel}")), "t").is_ok());
    }
    let early = judge(&mut authorizer, NOW, subscribe("/default/0"), "t");
    let late = judge(&mut authorizer, NOW + 60, subscribe("/default/9999"), "t");

    assert!(early.is_ok() && late.is_ok());
    assert_eq!(authorizer.authorizer_calls(), 10_000 + 1);
}

fn authorizer(lambda: &str) -> Authorizer {
    Authorizer::new(&settings(&format!("[lambda]\n{lambda}")))
}

const fn subscribe(channel: &str) -> Purpose<'_> {
    Purpose::Operation(Asked::Subscribe { channel, namespace: "default" })
}

fn judge(authorizer: &mut Authorizer, now: u64, purpose: Purpose<'_>, token: &str) -> Result<(), Denial> {
    authorizer.judge(now, &purpose, &Credentials::token("h", token), &[Mode::Lambda]).map(|_| ())
}
