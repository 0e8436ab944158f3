//! `syncspec fuzz --diff`: where two servers make different things of the same dialogue.

use serde_json::json;
use syncspec::link::Dialer;
use syncspec::report::text::printable;
use syncspec::run::Endpoint;
use syncspec::run::fuzz::FuzzOptions as Campaign;
use syncspec::run::fuzz::diff::{Compared, Differing, compare};
use tokio::sync::watch;

use super::chosen::Whom;
use super::fuzz::{allowed, prepare, runtime};
use super::fuzz_args::FuzzOptions;
use super::{say, usage};

/// 0 if there is no difference, 1 if there is one, 3 if one of the two cannot be reached.
pub(super) fn run(options: &FuzzOptions, other: &str) -> u8 {
    let ready = the_other(options, other).and_then(|(other, dialer)| {
        let prepared = prepare(options, None)?;
        let same = |(own, _): &&(Campaign, Dialer)| own.endpoint.dialect == other.dialect;
        let one = prepared.targets.iter().find(same).cloned();
        let one = one.ok_or_else(|| {
            format!(
                "--diff: expected an endpoint of the other dialect; {} is {}",
                other.http.authority(),
                other.dialect
            )
        })?;
        Ok((prepared, one, (other, dialer), runtime()?))
    });
    let (prepared, (campaign, dialer), other, runtime) = match ready {
        Ok(ready) => ready,
        Err(why) => return usage(why),
    };
    let names = [&campaign.endpoint, &other.0].map(|endpoint| endpoint.http.authority().to_owned());
    let done = runtime.block_on(async {
        let (interrupt, interrupted) = watch::channel(false);
        let keep = interrupt.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                let _ = interrupt.send(true);
            }
        });
        let done = compare(campaign, dialer, other, interrupted).await;
        drop(keep);
        done
    });
    drop(prepared);
    match done {
        Ok(done) => {
            say(if options.json { in_json(&done) } else { in_words(&done, &names) });
            match (done.interrupted, done.differences.is_empty()) {
                (true, _) => 130,
                (false, true) => 0,
                (false, false) => 1,
            }
        }
        Err(why) => {
            eprintln!("syncspec: {}", printable(&why));
            3
        }
    }
}

/// Where the other endpoint is, and who speaks to it.
fn the_other(options: &FuzzOptions, other: &str) -> Result<(Endpoint, Dialer), String> {
    let mut whom = Whom { endpoint: Some(other.into()), config: None, target_name: None, ..options.whom.clone() };
    whom.target.realtime = None;
    let chosen = whom.choose()?.ok_or("--diff: expected the URL of an endpoint")?;
    let endpoint = chosen.spec.resolve().map_err(|error| format!("--diff: {error}"))?;
    let dialer = chosen.dialer(&whom.target, &endpoint, options.step_timeout)?;
    allowed(options, &dialer, &endpoint)?;
    Ok((endpoint, dialer))
}

fn in_words(done: &Compared, [one, other]: &[String; 2]) -> String {
    let said = |answers: &[String]| {
        let answers: Vec<_> = answers.iter().map(|answer| printable(answer)).collect();
        if answers.is_empty() { "nothing more".into() } else { answers.join("; ") }
    };
    let each = done.differences.iter().map(|Differing { operation, one: own, other: others, met, .. }| {
        format!("after {operation}, {met} times:\n  {one}: {}\n  {other}: {}\n", said(own), said(others))
    });
    let ended = done.ended.iter().map(|why| format!("ended before its time: {}\n", printable(why)));
    let sum = format!(
        "{} dialogues, {} differences; {} dialogues differed once and not again",
        done.dialogues,
        done.differences.len(),
        done.unsteady
    );
    each.chain(ended).chain([sum]).collect()
}

fn in_json(done: &Compared) -> String {
    let Compared { dialogues, unsteady, differences, ended, .. } = done;
    json!({ "dialogues": dialogues, "unsteady": unsteady, "differences": differences, "ended": ended }).to_string()
}
