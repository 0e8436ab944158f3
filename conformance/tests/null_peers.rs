//! Peers that do nothing, or the same to everybody, pass nothing: that there is no error is no evidence.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use appsync_protocol::dialect::Dialect;
use peers::judging::{Judged, judge, options};
use peers::{Caller, Peer, Said, acknowledgement, plausible};
use syncspec::run::Stop;
use syncspec::verdict::Verdict;

/// Two tests for each peer, one a dialect: no case passes, and the run does not succeed.
macro_rules! score_nothing {
    ($($peer:ident),+ $(,)?) => {
        $(mod $peer {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn passes_nothing_of_graphql() {
                super::passes_nothing(super::Dialect::Graphql, super::behaviour::$peer).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn passes_nothing_of_events() {
                super::passes_nothing(super::Dialect::Events, super::behaviour::$peer).await;
            }
        })+
    };
}

score_nothing! {
    a_peer_that_is_silent,
    a_peer_that_closes_at_once,
    a_peer_that_upgrades_and_is_silent,
    a_peer_that_upgrades_and_closes,
    a_peer_that_upgrades_and_closes_on_the_first_message,
    a_peer_that_closes_on_the_first_message_and_has_no_schema,
    a_peer_that_echoes,
    a_peer_that_acknowledges_everything,
    a_peer_that_refuses_subscriptions_only,
    a_peer_that_acknowledges_every_other_connection,
}

async fn passes_nothing<F>(dialect: Dialect, serve: impl Fn(Caller) -> F + Send + 'static)
where
    F: Future<Output = Option<()>> + Send + 'static,
{
    let peer = Peer::start(serve).await;

    let judged = judge(options(dialect, peer.address())).await;

    assert_eq!(judged.with(Verdict::Pass), Vec::<&str>::new(), "{}", judged.lines());
    assert_ne!(judged.exit.code, 0, "{}", judged.lines());
    assert!(!matches!(judged.finished.stop, Some(Stop::Harness(_))), "{}", judged.lines());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_without_a_101_gets_no_statement_at_all() {
    let silent = Peer::start(behaviour::a_peer_that_is_silent).await;
    let closes = Peer::start(behaviour::a_peer_that_closes_at_once).await;

    for (peer, reason) in [(silent, "no whole answer"), (closes, "closed the connection")] {
        let judged = judge(options(Dialect::Graphql, peer.address())).await;

        assert_eq!(judged.exit.code, 3, "{}", judged.lines());
        assert!(judged.exit.reason.contains(reason), "{}", judged.lines());
        assert!(judged.finished.run.cases.is_empty(), "{}", judged.lines());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_acknowledges_a_wrong_key_fails_the_control_and_blocks_the_rest() {
    let peer = Peer::start(behaviour::a_peer_that_acknowledges_everything).await;

    let judged: Judged = judge(options(Dialect::Events, peer.address())).await;

    assert_eq!(judged.exit.code, 1, "{}", judged.lines());
    assert_eq!(judged.with(Verdict::Fail), ["events/control/refuses-a-wrong-key"], "{}", judged.lines());
    assert!(judged.with(Verdict::Blocked).len() > 50, "{}", judged.lines());
}

mod behaviour {
    use serde_json::json;

    use super::{Caller, Said, acknowledgement, peers, plausible};

    pub(super) async fn a_peer_that_is_silent(mut caller: Caller) -> Option<()> {
        caller.listen().await
    }

    pub(super) async fn a_peer_that_closes_at_once(_caller: Caller) -> Option<()> {
        None
    }

    pub(super) async fn a_peer_that_upgrades_and_is_silent(mut caller: Caller) -> Option<()> {
        upgraded(&mut caller, "{}").await?;
        caller.listen().await
    }

    pub(super) async fn a_peer_that_upgrades_and_closes(mut caller: Caller) -> Option<()> {
        upgraded(&mut caller, "{}").await?;
        caller.write(&[0x88, 0]).await
    }

    pub(super) async fn a_peer_that_upgrades_and_closes_on_the_first_message(mut caller: Caller) -> Option<()> {
        upgraded(&mut caller, "{}").await?;
        caller.said().await?;
        caller.write(&[0x88, 0]).await
    }

    pub(super) async fn a_peer_that_closes_on_the_first_message_and_has_no_schema(mut caller: Caller) -> Option<()> {
        let schema = json!({ "data": { "__schema": { "mutationType": null, "subscriptionType": null } } });
        upgraded(&mut caller, &schema.to_string()).await?;
        caller.said().await?;
        caller.write(&[0x88, 0]).await
    }

    pub(super) async fn a_peer_that_echoes(mut caller: Caller) -> Option<()> {
        upgraded(&mut caller, r#"{"data":{}}"#).await?;
        loop {
            match caller.said().await? {
                Said::Message { head, payload } => caller.write(&peers::frame(head, &payload)).await?,
                Said::Ping(payload) => caller.write(&peers::frame(0x8a, &payload)).await?,
                Said::Close(payload) => return caller.write(&peers::frame(0x88, &payload)).await,
            }
        }
    }

    pub(super) async fn a_peer_that_acknowledges_everything(caller: Caller) -> Option<()> {
        acknowledges(caller, |_| false).await
    }

    /// As if it had looked at the keys, which it has not.
    pub(super) async fn a_peer_that_refuses_subscriptions_only(caller: Caller) -> Option<()> {
        acknowledges(caller, |word| word == "start" || word == "subscribe").await
    }

    /// It refuses the second connection, which is the one with the wrong key.
    pub(super) async fn a_peer_that_acknowledges_every_other_connection(caller: Caller) -> Option<()> {
        let refuses = caller.number % 2 == 1;
        acknowledges(caller, move |word| refuses && word == "connection_init").await
    }

    async fn acknowledges(mut caller: Caller, refuses: impl Fn(&str) -> bool + Send) -> Option<()> {
        let asked = caller.asked().await?;
        if asked.key.is_none() {
            return caller.answer(&plausible(&asked.body)).await;
        }
        caller.agree(&asked).await?;
        loop {
            match caller.said().await? {
                Said::Message { payload, .. } => {
                    let text = String::from_utf8_lossy(&payload);
                    let refused = ["connection_init", "start", "subscribe"]
                        .into_iter()
                        .find(|word| text.contains(&format!("\"type\":\"{word}\"")) && refuses(word));
                    let answer = match refused {
                        Some("connection_init") => Some(json!({ "type": "connection_error", "errors": [] })),
                        Some(_) => Some(json!({ "type": "error", "errors": [] })),
                        None => acknowledgement(&asked, &payload),
                    };
                    if let Some(answer) = answer {
                        caller.say(&answer.to_string()).await?;
                    }
                }
                Said::Ping(payload) => caller.write(&peers::frame(0x8a, &payload)).await?,
                Said::Close(payload) => return caller.write(&peers::frame(0x88, &payload)).await,
            }
        }
    }

    /// Agrees to an upgrade; answers anything else with this body and ends.
    async fn upgraded(caller: &mut Caller, body: &str) -> Option<()> {
        let asked = caller.asked().await?;
        if asked.key.is_none() {
            caller.answer(body).await?;
            return None;
        }
        caller.agree(&asked).await
    }
}
