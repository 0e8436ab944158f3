//! How far the clock of a target is ahead of ours, from the `Date` fields of its answers.
//!
//! `Date` counts in seconds. An answer that was asked for at `t0` and came at `t1` was dated between them, so the target's
//! clock is ahead by at least `date - t1` and by less than `date + 1 s - t0`. Each answer narrows that, and most if it is
//! asked for when the target's second is believed to turn: the interval is halved, down to the round trip.

use std::time::{Duration, UNIX_EPOCH};

use appsync_protocol::handshake::Url;
use appsync_protocol::wire::{Bytes, Headers, Request};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::time::{Alarm, Clock};
use crate::link::http::{Intake, write_request};
use crate::link::{Dialer, HEAD_LIMIT};
use crate::load::record;

const SECOND: i128 = 1_000_000_000;

/// Answers that are asked for, one a second.
const ANSWERS: usize = 7;

/// What is possible, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interval {
    low: i128,
    high: i128,
}

impl Interval {
    const fn of(asked: u64, came: u64, date_s: u64) -> Self {
        let date = date_s as i128 * SECOND;
        Self { low: date - came as i128, high: date + SECOND - asked as i128 }
    }

    /// What both allow; the newer one where they contradict, because one of the clocks was set.
    fn narrowed(self, newer: Self) -> Self {
        let both = Self { low: self.low.max(newer.low), high: self.high.min(newer.high) };
        if both.low <= both.high { both } else { newer }
    }

    const fn middle(self) -> i128 {
        i128::midpoint(self.low, self.high)
    }

    /// The next moment of ours at which the target's second turns if its clock is ahead by the middle.
    fn next_turn(self, now: u64) -> u64 {
        let theirs = i128::from(now) + self.middle();
        let turn = (theirs.div_euclid(SECOND) + 1) * SECOND - self.middle();
        u64::try_from(turn).unwrap_or(now)
    }
}

/// Measures it; tells why not if it cannot.
pub(crate) async fn measure(dialer: &Dialer, url: &Url, clock: Clock, shard: u64) -> Result<record::Clock, String> {
    let mut alarm = Alarm::new(clock).map_err(|error| error.to_string())?;
    let mut known: Option<Interval> = None;
    let mut round_trip = u64::MAX;
    for _ in 0..ANSWERS {
        if let Some(known) = known {
            // Asked for half a round trip before, so that it is dated when the second turns.
            alarm.until(known.next_turn(clock.now()).saturating_sub(round_trip / 2)).await;
        }
        let (asked, came, date) = ask(dialer, url, clock).await?;
        round_trip = round_trip.min(came - asked);
        let newer = Interval::of(asked, came, date);
        known = Some(known.map_or(newer, |known| known.narrowed(newer)));
    }
    let known = known.ok_or("no answer was asked for")?;
    Ok(record::Clock {
        shard,
        ahead_ns: i64::try_from(known.middle()).unwrap_or(i64::MAX),
        uncertainty_ns: u64::try_from((known.high - known.low) / 2).unwrap_or(u64::MAX),
        round_trip_ns: round_trip,
    })
}

async fn ask(dialer: &Dialer, url: &Url, clock: Clock) -> Result<(u64, u64, u64), String> {
    let headers = Headers::new().with("host", url.authority()).with("connection", "close");
    let request = Request { method: "GET".into(), target: url.path.clone(), headers, body: Bytes::default() };
    let bytes = write_request(&request)?;
    let asking = async {
        let mut stream = dialer.stream(url).await.map_err(|error| error.to_string())?;
        let asked = clock.now();
        stream.write_all(&bytes).await.map_err(|error| error.to_string())?;
        stream.flush().await.map_err(|error| error.to_string())?;
        let response =
            Intake::new(stream).response(HEAD_LIMIT).await.map_err(|_| "expected an HTTP answer".to_owned())?;
        let came = clock.now();
        let date = response.headers.first("date").ok_or("the endpoint sends no Date")?;
        let date = httpdate::parse_http_date(date).map_err(|_| "the Date of the endpoint cannot be read")?;
        Ok((asked, came, date.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()))
    };
    match timeout(Duration::from_secs(20), asking).await {
        Ok(answer) => answer,
        Err(_) => Err("no answer within 20 s".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_asked_for_as_the_second_turns_halve_what_is_possible_and_never_lose_the_truth() {
        let round_trip = 10_000_000_i128;
        for truth in [0, 1, -3_700_000_000, 86_400_123_456_789, 499_999_999] {
            let mut now = 1_700_000_000_123_456_789_u64;
            let mut known: Option<Interval> = None;
            let mut widths = Vec::new();
            for _ in 0..8 {
                if let Some(known) = known {
                    now = known.next_turn(now) - (round_trip / 2) as u64;
                }
                let dated = i128::from(now) + round_trip / 2 + truth;
                let came = now + round_trip as u64;
                let newer = Interval::of(now, came, dated.div_euclid(SECOND) as u64);
                let narrowed = known.map_or(newer, |known| known.narrowed(newer));
                assert!((narrowed.low..=narrowed.high).contains(&truth), "{truth}: {narrowed:?}");
                widths.push(narrowed.high - narrowed.low);
                known = Some(narrowed);
                now = came;
            }
            assert!(widths.windows(2).all(|pair| pair[1] <= pair[0]), "{widths:?}");
            assert!(widths[7] <= 2 * round_trip, "{truth}: {widths:?}");
        }
    }

    #[test]
    fn a_clock_that_was_set_meanwhile_counts_as_it_is_now() {
        let before = Interval { low: 0, high: 10 };
        let after = Interval { low: 1000, high: 1010 };

        assert_eq!(before.narrowed(after), after);
    }
}
