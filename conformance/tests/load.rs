//! The load generator against endpoints that do what is known: its counts have to say just that.
//!
//! No test looks at how long anything took. Each endpoint is in this process, with limits that a slow machine keeps.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::handshake::{Carrier, Url};
use appsync_protocol::transcript::Redactor;
use syncspec::auth::sign::Secret;
use syncspec::fault::{Change, Edit, How, Nth, Reaction, Trigger};
use syncspec::link::{DialOptions, Dialer};
use syncspec::load::drive::{self, Failure, Reach};
use syncspec::load::measure::{Counts, Metric};
use syncspec::load::payload::Sizes;
use syncspec::load::threshold::Threshold;
use syncspec::load::topic::{Documents, Topics};
use syncspec::load::verdict;
use syncspec::load::{Mode, Pace, Plan, Record, Shard};
use syncspec::reference::shell::{Options, Running};
use syncspec::reference::{Config, Endpoint};
use syncspec::session::Holder;
use tokio::sync::watch;
use tokio::time::timeout;

const SUBSCRIBERS: u64 = 6;

/// Half a second at 200 a second.
const EVENTS: u64 = 100;

/// The place, among what one subscriber hears, of an event that a fault concerns: after all probes, before the last.
const NTH: Nth = Nth::Only(60);

/// After this a run that has to end by itself has gone wrong.
const TOO_LONG: Duration = Duration::from_secs(90);

fn plan(mode: Mode, dialect: Dialect) -> Plan {
    Plan {
        mode,
        dialect,
        subscribers: SUBSCRIBERS,
        per_connection: 1,
        channels: 1,
        publishers: 1,
        rate: 200.0,
        pace: Pace::Open,
        sizes: Sizes::parse("150").unwrap(),
        duration: Duration::from_millis(500),
        ramp: Duration::ZERO,
        seed: 42,
        shard: Shard::WHOLE,
        start_at: None,
        late_after: Duration::from_secs(60),
        patience: Duration::from_secs(30),
        setup: Duration::from_secs(30),
        drain: Duration::from_secs(20),
        at_once: 8,
        threads: 2,
        lanes: 4,
        max_messages: u64::MAX,
    }
}

/// One in which something is lost, so that the drain lasts to its end.
fn lossy(dialect: Dialect) -> Plan {
    Plan { drain: Duration::from_secs(4), ..plan(Mode::Fanout, dialect) }
}

fn reach(address: &str, dialect: Dialect) -> Reach {
    let (path, carrier, topics) = match dialect {
        Dialect::Events => ("event", Carrier::Subprotocol, Topics::Events { namespace: "default".into() }),
        Dialect::Graphql => ("graphql", Carrier::Query, Topics::Graphql(Documents::default())),
    };
    let url = |path: String| Url { secure: false, host: address.to_owned(), path };
    let short = Duration::from_secs(5);
    let secret = Secret::ApiKey(Config::default().api_key().to_owned());
    Reach {
        dialer: Dialer::new(DialOptions { answer_timeout: short, ..DialOptions::default() }).unwrap(),
        http: url(format!("/{path}")),
        realtime: url(format!("/{path}/realtime")),
        carrier,
        source: Arc::new(Holder { secret, dialect, host: address.to_owned() }),
        redactor: Redactor::default(),
        topics,
    }
}

fn serve(bent: &[How]) -> (Running, String) {
    let endpoint = Endpoint::new(Config::default(), bent).unwrap();
    let running = Running::start(endpoint, "127.0.0.1:0", Options::default()).unwrap();
    let address = running.address().to_string();
    (running, address)
}

fn load(plan: Plan, address: &str) -> Result<Record, Failure> {
    let reach = reach(address, plan.dialect);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (_keep, stop) = watch::channel(false);
    runtime.block_on(async { timeout(TOO_LONG, drive::run(plan, reach, stop, &mut |_| {})).await }).expect("it ends")
}

/// Runs a plan on an endpoint that is bent like this.
fn on(bent: &[How], plan: Plan) -> Record {
    let (_running, address) = serve(bent);
    load(plan, &address).unwrap()
}

fn edit(dialect: Dialect, change: Change) -> How {
    How::Edit(Edit { dialect, word: "data", nth: NTH, change })
}

/// Everything that can be wrong with deliveries.
fn faults(counts: &Counts) -> Vec<(&'static str, u64)> {
    [
        "lost",
        "duplicate",
        "reordered",
        "late",
        "misrouted",
        "foreign",
        "damaged",
        "refused",
        "unanswered",
        "disconnects",
    ]
    .into_iter()
    .filter_map(|name| counts.get(name).filter(|count| *count > 0).map(|count| (name, count)))
    .collect()
}

#[test]
fn an_honest_endpoint_delivers_every_event_to_everybody_once_in_both_dialects() {
    for dialect in Dialect::ALL {
        let record = on(&[], plan(Mode::Fanout, dialect));
        let counts = &record.measured.counts;

        assert!(faults(counts).is_empty(), "{dialect}: {:?} {:?}", faults(counts), record.facts.reasons);
        assert_eq!((counts.published, counts.deliveries), (EVENTS, EVENTS * SUBSCRIBERS), "{dialect}");
        assert_eq!((counts.subscribed, counts.deaf, counts.unbegun), (SUBSCRIBERS, 0, 0), "{dialect}");
        assert_eq!(record.measured.times(Metric::Response).count(), EVENTS * SUBSCRIBERS);
        assert_eq!(record.measured.times(Metric::Ack).count(), EVENTS);
        assert_eq!(record.measured.times(Metric::Silent).count(), SUBSCRIBERS);
        let mut spread = record.measured.times(Metric::Response).histogram().iter_recorded();
        assert!(spread.next().is_some() && spread.next().is_some(), "{dialect}: every event took equally long");
        let series: u64 = record.measured.series.iter().map(|bucket| bucket.done).sum();
        assert_eq!(series, EVENTS * SUBSCRIBERS);
    }
}

#[test]
fn what_an_endpoint_does_to_one_event_of_each_subscriber_is_counted_as_that_and_nothing_else() {
    for (change, expected) in [
        (Change::Drop, vec![("lost", SUBSCRIBERS)]),
        (Change::Duplicate, vec![("duplicate", SUBSCRIBERS)]),
        (Change::HoldBack, vec![("reordered", SUBSCRIBERS)]),
        (Change::Alter("event"), vec![("damaged", SUBSCRIBERS)]),
        (Change::MangleId, vec![("lost", SUBSCRIBERS), ("misrouted", SUBSCRIBERS)]),
        (Change::Set("event", "\"\\\"else\\\"\""), vec![("lost", SUBSCRIBERS), ("foreign", SUBSCRIBERS)]),
    ] {
        let record = on(&[edit(Dialect::Events, change)], lossy(Dialect::Events));

        assert_eq!(faults(&record.measured.counts), expected);
    }
    for (change, expected) in
        [(Change::Drop, vec![("lost", SUBSCRIBERS)]), (Change::Duplicate, vec![("duplicate", SUBSCRIBERS)])]
    {
        let record = on(&[edit(Dialect::Graphql, change)], lossy(Dialect::Graphql));

        assert_eq!(faults(&record.measured.counts), expected);
    }
}

#[test]
fn an_event_under_the_id_of_a_neighbour_on_another_channel_is_misrouted_and_lost() {
    let mut plan = lossy(Dialect::Events);
    (plan.per_connection, plan.channels) = (2, 2);

    let record = on(&[edit(Dialect::Events, Change::OtherId)], plan);

    assert_eq!(faults(&record.measured.counts), [("lost", SUBSCRIBERS / 2), ("misrouted", SUBSCRIBERS / 2)]);
}

#[test]
fn several_publishers_on_several_channels_are_counted_apart() {
    let mut plan = plan(Mode::Fanout, Dialect::Events);
    (plan.publishers, plan.channels, plan.per_connection) = (3, 2, 3);
    plan.sizes = Sizes::parse("100-2k").unwrap();

    let record = on(&[], plan);

    assert!(faults(&record.measured.counts).is_empty(), "{:?}", record.measured.counts);
    assert_eq!(record.measured.counts.deliveries, EVENTS * SUBSCRIBERS / 2);
    let flows: BTreeSet<_> = record.facts.flows.iter().map(|flow| (flow.channel, flow.publisher)).collect();
    assert_eq!(flows.len(), 6);
}

#[test]
fn a_lost_event_decides_the_exit_code() {
    let record = on(&[edit(Dialect::Events, Change::Drop)], lossy(Dialect::Events));
    let decided = |text: &str| verdict::decide(&record, &[Threshold::parse(text).unwrap()]);

    let exit = decided("lost>0");
    assert_eq!((exit.code, exit.reason.as_str()), (1, "lost>0 holds with 6"));
    assert_ne!(decided("lost>6").code, 1);
}

#[test]
fn subscriptions_that_are_never_answered_are_told_and_the_run_ends() {
    let mut plan = plan(Mode::Fanout, Dialect::Events);
    plan.patience = Duration::from_secs(2);

    let record = on(&[How::Trap(Trigger::Word("subscribe"), Reaction::Stall)], plan);

    let counts = &record.measured.counts;
    assert_eq!((counts.subscribed, counts.unanswered, counts.deliveries), (0, SUBSCRIBERS, 0));
    assert_eq!(verdict::decide(&record, &[]).code, 5);
}

#[test]
fn publishes_that_are_never_answered_are_told_and_lose_nothing() {
    let mut plan = plan(Mode::Fanout, Dialect::Events);
    plan.setup = Duration::from_secs(3);
    plan.drain = Duration::from_millis(300);

    let record = on(&[How::Trap(Trigger::Word("publish"), Reaction::Stall)], plan);

    let counts = &record.measured.counts;
    assert_eq!((counts.published, counts.lost, counts.deaf), (0, 0, SUBSCRIBERS));
    assert!(counts.unanswered >= EVENTS, "{}", counts.unanswered);
}

#[test]
fn an_endpoint_that_answers_nothing_gets_no_statement() {
    // A socket that listens and is never accepted: TCP connects, nothing else happens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut reach = reach(&address, Dialect::Events);
    reach.dialer =
        Dialer::new(DialOptions { answer_timeout: Duration::from_millis(200), ..DialOptions::default() }).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (_keep, stop) = watch::channel(false);
    let mut nobody = |_: &drive::Snapshot| {};
    let running = drive::run(plan(Mode::Fanout, Dialect::Events), reach, stop, &mut nobody);

    let record = runtime.block_on(async { timeout(TOO_LONG, running).await }).expect("it ends").unwrap();

    let exit = verdict::decide(&record, &[]);
    assert_eq!(exit.code, 3, "{exit:?}");
    assert!(exit.reason.contains("none of its connections was acknowledged: "), "{exit:?}");
    assert!(record.measured.counts.failed > 0);
}

#[test]
fn connections_that_an_endpoint_drops_are_counted_and_what_they_miss_is_lost() {
    let record = on(&[edit(Dialect::Events, Change::LoseInstead)], lossy(Dialect::Events));
    let counts = &record.measured.counts;

    assert_eq!(counts.disconnects, SUBSCRIBERS);
    assert_eq!(counts.lost + counts.deliveries, EVENTS * SUBSCRIBERS);
    assert!(counts.lost >= SUBSCRIBERS);
}

#[test]
fn a_storm_opens_each_connection_once_and_holds_it() {
    for pace in [Pace::Open, Pace::Closed { window: 3 }] {
        let mut plan = plan(Mode::Connect, Dialect::Graphql);
        (plan.subscribers, plan.pace) = (40, pace);

        let record = on(&[], plan);

        let counts = &record.measured.counts;
        assert_eq!((counts.connected, counts.failed, counts.disconnects, counts.unbegun), (40, 0, 0, 0), "{pace:?}");
        assert_eq!(record.measured.times(Metric::Response).count(), 40);
    }
}

#[test]
fn churn_ends_every_subscription_that_it_makes_in_both_dialects() {
    for dialect in Dialect::ALL {
        let mut plan = plan(Mode::Churn, dialect);
        plan.per_connection = 3;

        let record = on(&[], plan);

        let counts = &record.measured.counts;
        assert!(faults(counts).is_empty(), "{dialect}: {:?} {:?}", faults(counts), record.facts.reasons);
        assert_eq!((counts.subscribed, counts.cycles, counts.unbegun), (EVENTS, EVENTS, 0), "{dialect}");
        assert_eq!(record.measured.times(Metric::Unsubscribe).count(), EVENTS);
    }
}

#[test]
fn a_closed_loop_measures_every_answer_and_stops_at_the_most_messages_allowed() {
    for dialect in Dialect::ALL {
        let mut plan = plan(Mode::Throughput, dialect);
        (plan.subscribers, plan.publishers, plan.pace) = (0, 3, Pace::Closed { window: 4 });
        plan.duration = Duration::from_secs(30);
        plan.max_messages = 50;

        let record = on(&[], plan);

        let counts = &record.measured.counts;
        assert_eq!((counts.published, counts.unanswered, counts.refused), (50, 0, 0), "{dialect}");
        assert_eq!(record.measured.times(Metric::Service).count(), 50);
        assert!(record.facts.notes.iter().any(|note| note.contains("--max-messages 50")), "{:?}", record.facts.notes);
    }
}

#[test]
fn a_run_that_is_stopped_tells_what_it_has() {
    let (_running, address) = serve(&[]);
    let mut plan = plan(Mode::Fanout, Dialect::Events);
    plan.duration = Duration::from_secs(3600);
    let reach = reach(&address, Dialect::Events);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (stopper, stop) = watch::channel(false);
    let mut tell = move |now: &drive::Snapshot| {
        if now.delivered > 0 {
            stopper.send_replace(true);
        }
    };

    let record = runtime.block_on(async { timeout(TOO_LONG, drive::run(plan, reach, stop, &mut tell)).await });

    let record = record.expect("it ends").unwrap();
    assert_eq!(verdict::decide(&record, &[]).code, 130);
    assert!(faults(&record.measured.counts).is_empty(), "{:?}", record.measured.counts);
    assert_eq!(record.measured.counts.deliveries, record.measured.counts.published * SUBSCRIBERS);
}

#[test]
fn a_start_that_has_passed_is_refused_rather_than_caught_up_with() {
    let (_running, address) = serve(&[]);
    let mut plan = plan(Mode::Fanout, Dialect::Events);
    plan.start_at = Some(1);

    let failure = load(plan, &address).map(drop).unwrap_err();

    assert!(matches!(&failure, Failure::TooLate(why) if why.contains("--start-at passed")), "{failure}");
}
