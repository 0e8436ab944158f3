//! The fuzzer where a target has more than the protocol: modes of authorization, filters, handlers, resolvers.

use appsync_protocol::dialect::Dialect;
use syncspec::catalogue::faults;
use syncspec::fuzzing::Played;
use syncspec::fuzzing::declared::lacking;
use syncspec::fuzzing::generate::Script;
use syncspec::fuzzing::op::{Carriage, Door, Form, Op, Pause, Proof, Setup, Sieve};
use syncspec::fuzzing::world::{play, setting};
use syncspec::reference::{Config, Profile};
use syncspec::scenario::{Capabilities, Cast};
use syncspec::selftest::stage::endpoint;
use syncspec::sim::Weather;

const OPEN: Op = Op::Open { door: Door::Usual };
const INIT: Op = Op::Init { on: 0, form: Form::Plain };
const WARM: Op = Op::Warm { which: 0 };
const REST: Op = Op::Wait { pause: Pause::Answer };

const fn listen(setup: Setup, proof: Proof) -> Op {
    Op::Listen { on: 0, setup, room: 0, proof }
}

const fn tell(on: Option<u8>, setup: Setup, proof: Proof) -> Op {
    Op::Tell { on, setup, room: 0, proof }
}

fn played(dialect: Dialect, ops: &[Op], config: Config, saboteur: Option<&str>) -> Played {
    let bent: Vec<_> = faults().filter(|fault| Some(fault.name) == saboteur).map(|fault| fault.how).collect();
    assert_eq!(bent.len(), usize::from(saboteur.is_some()), "{saboteur:?}");
    play(setting(dialect, false), &mut Script::new(ops), &mut endpoint(config, &bent), Weather::default())
}

/// Nothing is held against the endpoint, whichever reading it follows; gives how many operations had anything to act on.
fn nobody_is_accused_of(dialect: Dialect, ops: &[Op]) -> usize {
    let mut carried = 0;
    for profile in [Profile::live(), Profile::docs_literal(), Profile::live_eventual(7)] {
        let played = played(dialect, ops, Config { profile, ..Config::default() }, None);

        assert_eq!((played.found, played.trouble), (None, None), "{dialect} {ops:?}");
        carried = played.ops.iter().filter(|(_, carried)| *carried).count();
    }
    carried
}

/// By which rule a saboteur is found by these operations.
fn found_by(dialect: Dialect, ops: &[Op], saboteur: &str) -> Option<&'static str> {
    played(dialect, ops, Config::default(), Some(saboteur)).found.map(|found| found.requirement.id())
}

#[test]
fn no_credentials_in_any_place_accuse_the_endpoint() {
    for dialect in Dialect::ALL {
        let mut tried = 0;
        for proof in Proof::ALL {
            for by in Carriage::ALL {
                tried += nobody_is_accused_of(dialect, &[Op::Enter { proof: *proof, by: *by }, INIT]);
            }
            let (over, http) = (tell(Some(0), Setup::Room, *proof), tell(None, Setup::Room, *proof));
            let twice = [OPEN, INIT, listen(Setup::Room, *proof), WARM, listen(Setup::Room, *proof), over, http];
            tried += nobody_is_accused_of(dialect, &twice);
        }
        assert!(tried > 150, "{dialect}: {tried}");
    }
}

#[test]
fn no_set_up_accuses_the_endpoint() {
    for dialect in Dialect::ALL {
        let mut tried = 0;
        for setup in Setup::ALL {
            for proof in [Proof::Main, Proof::Iam, Proof::Lambda, Proof::Wrong] {
                let (over, http) = (tell(Some(0), *setup, proof), tell(None, *setup, proof));
                let ops = [OPEN, INIT, listen(*setup, proof), WARM, over, http.clone(), REST, http, REST];
                tried += nobody_is_accused_of(dialect, &ops);
            }
        }
        assert!(tried > 200, "{dialect}: {tried}");
    }
}

#[test]
fn no_filter_accuses_the_endpoint() {
    for sieve in Sieve::ALL {
        for value in 0..4 {
            let mut ops = vec![OPEN, INIT, Op::Sift { on: 0, sieve: *sieve, value }, WARM];
            ops.extend((0..30).map(|item| Op::Put { item, sparse: item % 7 == 0 }));
            ops.push(REST);

            assert!(nobody_is_accused_of(Dialect::Graphql, &ops) >= ops.len() - 1, "{sieve:?}");
        }
    }
}

#[test]
fn a_shelf_ends_only_whom_it_has_to() {
    let ops = [
        OPEN,
        OPEN,
        INIT,
        Op::Init { on: 1, form: Form::Plain },
        listen(Setup::Reject, Proof::Main),
        Op::Listen { on: 1, setup: Setup::Unauthorized, room: 0, proof: Proof::Main },
        WARM,
        WARM,
        tell(None, Setup::Delay, Proof::Main),
        tell(None, Setup::Reject, Proof::Main),
        REST,
    ];

    assert!(nobody_is_accused_of(Dialect::Graphql, &ops) >= ops.len() - 1);
    assert_eq!(found_by(Dialect::Graphql, &ops, "graphql-invalidation-ignored"), Some("GQL-FILTER-026"));
    assert_eq!(found_by(Dialect::Graphql, &ops, "graphql-invalidation-not-told"), Some("GQL-SUB-035"));
    assert_eq!(found_by(Dialect::Graphql, &ops, "graphql-invalidation-without-a-filter"), Some("GQL-FILTER-028"));
}

/// With a subscription that an invalidation ends, the connection may end: before it has heard anything, too.
#[test]
fn whoever_subscribes_to_a_shelf_around_its_end_may_lose_the_connection() {
    let (guarded, end) = (listen(Setup::Reject, Proof::Main), tell(None, Setup::Delay, Proof::Main));
    let both = Op::Together { next: 2 };
    let next = listen(Setup::Room, Proof::Oidc);
    let before = vec![OPEN, INIT, guarded.clone(), end.clone(), next.clone(), REST];
    let after = vec![OPEN, INIT, both, end, guarded, next, REST];
    for ops in [before, after] {
        for seed in 1..=40 {
            let config = Config { profile: Profile::live_eventual(seed), ..Config::default() };

            let played = played(Dialect::Graphql, &ops, config, None);

            assert_eq!((played.found, played.trouble), (None, None), "seed {seed}, {ops:?}");
        }
    }
}

/// One of each kind, with the rule that it breaks.
#[test]
fn whoever_breaks_what_is_declared_is_found_by_its_rule() {
    let entered = |proof| vec![Op::Enter { proof, by: Carriage::Usual }, INIT];
    let heard = |proof| vec![OPEN, INIT, listen(Setup::Room, proof)];
    let handled = |setup| vec![OPEN, INIT, listen(setup, Proof::Main), tell(Some(0), setup, Proof::Main)];
    let cases = [
        (Dialect::Graphql, entered(Proof::Oidc), "graphql-oidc-connects-nobody", "GQL-AUTH-013"),
        (Dialect::Graphql, heard(Proof::OtherBody), "graphql-start-signature-is-not-looked-at", "GQL-AUTH-014"),
        (Dialect::Graphql, heard(Proof::Unsigned), "graphql-jwt-algorithm-none", "GQL-AUTH-018"),
        (Dialect::Events, heard(Proof::OldSignature), "events-signatures-last-for-ever", "SYN-SIGN-001"),
        (Dialect::Events, heard(Proof::KeyAndToken), "events-token-before-key", "EVT-AUTH-020"),
        (Dialect::Events, entered(Proof::UnknownToken), "events-lambda-is-not-asked", "EVT-AUTH-027"),
        (Dialect::Events, handled(Setup::Reject), "events-rejection-without-text", "EVT-PUB-019"),
        (Dialect::Events, handled(Setup::EventError), "events-event-error-without-text", "EVT-PUB-021"),
        (Dialect::Events, handled(Setup::Stall), "events-handler-without-end", "EVT-LIMIT-014"),
        (Dialect::Events, handled(Setup::SubscribeContext), "events-subscribe-handler-without-wildcard", "EVT-SUB-027"),
    ];
    for (dialect, ops, saboteur, rule) in cases {
        assert_eq!(found_by(dialect, &ops, saboteur), Some(rule), "{saboteur}");
    }
}

#[test]
fn an_item_that_a_filter_should_have_kept_back_is_found() {
    let mut ops = vec![OPEN, INIT, Op::Sift { on: 0, sieve: Sieve::EqCount, value: 2 }, WARM];
    ops.extend((0..20).map(|item| Op::Put { item, sparse: false }));

    assert_eq!(found_by(Dialect::Graphql, &ops, "graphql-filter-eq-is-ge"), Some("GQL-FILTER-011"));
}

#[test]
fn what_the_target_does_not_declare_is_skipped_and_a_finding_of_it_cannot_be_played() {
    let ops = [Op::Enter { proof: Proof::Iam, by: Carriage::Usual }, OPEN, INIT, listen(Setup::Reject, Proof::Main)];
    let mut poor = setting(Dialect::Events, false);
    poor.capabilities = Capabilities::default();
    poor.cast.keyring.more.clear();
    let (cast, has): (Cast, _) = (poor.cast.clone(), poor.capabilities.clone());

    let played = play(poor, &mut Script::new(&ops), &mut endpoint(Config::default(), &[]), Weather::default());

    let carried: Vec<_> = played.ops.iter().map(|(_, carried)| *carried).collect();
    assert_eq!(carried, [false, true, true, false]);
    let why = lacking(&cast, &has, &ops).expect("it lacks something");
    assert!(why.contains("credentials") && why.contains("iam"), "{why}");
    assert_eq!(lacking(&cast, &has, &ops[3..]).as_deref(), Some("the target does not declare handler-reject"));
    assert_eq!(lacking(&cast, &Capabilities::all(), &ops[1..]), None);
}
