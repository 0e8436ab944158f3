//! The fuzzer on trial in virtual time: it finds what is wrong, and accuses nobody of anything else.

use std::collections::BTreeSet;
use std::time::Duration;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::requirement::Requirement;
use appsync_protocol::wire::OwnedFrame;
use syncspec::catalogue::faults;
use syncspec::fault::Fault;
use syncspec::fuzzing::campaign::{Budget, Hunt, hunt_bent, shrink_bent};
use syncspec::fuzzing::driver::Setting;
use syncspec::fuzzing::generate::Script;
use syncspec::fuzzing::op::{Batch, Door, Form, Garbling, Id, Oddity, Op, Pause, Topic, Who};
use syncspec::fuzzing::situations::Situation;
use syncspec::fuzzing::world::{play, setting};
use syncspec::fuzzing::{Found, Played};
use syncspec::reference::{Config, Profile};
use syncspec::selftest::benign::{Quirk, variants};
use syncspec::selftest::costume::{Costume, Guise};
use syncspec::selftest::stage::endpoint;
use syncspec::sim::Weather;

fn dialogues(count: u32) -> Budget {
    Budget { dialogues: count, simulated: Duration::MAX, ..Budget::default() }
}

/// No time passes for whoever counts dialogues.
fn no_clock() -> Duration {
    Duration::ZERO
}

fn fault(name: &str) -> &'static Fault {
    faults().find(|fault| fault.name == name).unwrap_or_else(|| panic!("there is no saboteur {name}"))
}

fn hunted(name: &str) -> Hunt {
    let fault = fault(name);
    let dialect = fault.dialect().unwrap_or(Dialect::Graphql);
    hunt_bent(dialect, &[fault.how], 1, dialogues(400), &no_clock)
}

fn played(dialect: Dialect, ops: &[Op], saboteur: Option<&str>) -> Played {
    let bent: Vec<_> = saboteur.map(|name| fault(name).how).into_iter().collect();
    let setting: Setting = setting(dialect, true);
    play(setting, &mut Script::new(ops), &mut endpoint(Config::default(), &bent), Weather::default())
}

const OPEN: Op = Op::Open { door: Door::Usual };
const INIT: Op = Op::Init { on: 0, form: Form::Plain };
const SUBSCRIBE: Op =
    Op::Subscribe { on: 0, id: Id::Fresh, topic: Topic::Room, room: 0, who: Who::Good, form: Form::Plain };
const PUBLISH: Op = Op::Publish {
    on: None,
    id: Id::Fresh,
    topic: Topic::Room,
    room: 0,
    batch: Batch::One,
    who: Who::Good,
    form: Form::Plain,
};
const WARM: Op = Op::Warm { which: 0 };

#[test]
fn the_reference_endpoint_is_not_accused_and_the_campaigns_reach_every_situation() {
    let mut reached = BTreeSet::new();
    for dialect in Dialect::ALL {
        let hunt = hunt_bent(dialect, &[], 1, dialogues(400), &no_clock);

        assert!(hunt.found.is_none(), "{dialect}: {:?}", hunt.found);
        assert_eq!(hunt.troubles.0, 0, "{dialect}: {:?}", hunt.troubles);
        assert!(hunt.coverage.len() > 200, "{dialect}: {} cells", hunt.coverage.len());
        reached.extend(hunt.situations);
    }
    assert_eq!(reached, BTreeSet::from(Situation::ALL));
}

#[test]
fn a_campaign_repeats_itself_by_its_seed() {
    let [one, other] = [(), ()].map(|()| hunt_bent(Dialect::Events, &[], 7, dialogues(10), &no_clock));

    assert_eq!(one.coverage.cells(), other.coverage.cells());
    assert_eq!((one.operations, one.simulated), (other.operations, other.simulated));
}

/// One saboteur of each kind of oracle: claims, conversation, delivery model, content, silence, HTTP, upgrade, crash.
#[test]
fn a_saboteur_of_every_kind_is_found_and_its_dialogue_is_small() {
    let names = [
        "graphql-start-ack-with-payload",
        "graphql-duplicate-id-untyped-error",
        "graphql-data-after-complete",
        "graphql-arguments-ignored",
        "graphql-adds-a-field",
        "graphql-stop-unanswered",
        "graphql-http-alias-ignored",
        "graphql-deaf-to-header-fields",
        "graphql-malformed-json-is-fatal",
        "events-leak-to-another-channel",
        "events-delivered-twice",
        "events-null-becomes-an-object",
        "events-index-from-one",
        "events-no-ka",
    ];
    let mut sizes = Vec::new();
    for name in names {
        let hunt = hunted(name);
        let Some(found) = &hunt.found else { panic!("{name} is not found in {} dialogues", hunt.dialogues) };

        let shrunk = shrink_bent(fault(name).dialect().unwrap_or(Dialect::Graphql), &[fault(name).how], found);

        sizes.push(shrunk.ops.len());
    }
    sizes.sort_unstable();
    assert!(sizes[names.len() / 2] <= 6, "{sizes:?}");
}

#[test]
fn what_is_nearly_right_is_told_from_what_is_right() {
    let names = [
        "graphql-lists-sorted",
        "graphql-empty-text-becomes-null",
        "graphql-text-composed",
        "graphql-numbers-unfiltered",
        "graphql-end-of-a-token-is-good",
        "graphql-key-in-any-case",
        "events-text-composed",
        "events-equal-events-of-a-batch-once",
        "events-unsubscribes-an-id-nearly-the-same",
        "events-host-may-be-unsigned",
        "events-part-of-a-key-is-good",
    ];
    for name in names {
        let fault = fault(name);

        let hunt = hunt_bent(fault.dialect().unwrap(), &[fault.how], 1, dialogues(3_000), &no_clock);

        assert!(hunt.found.is_some(), "{name} is not found in {} dialogues", hunt.dialogues);
    }
}

#[test]
fn a_dialogue_that_a_saboteur_fails_is_fine_without_it() {
    let ops = [OPEN, INIT, SUBSCRIBE, Op::Unsubscribe { on: 0, id: Id::Live }];

    let bent = played(Dialect::Graphql, &ops, Some("graphql-stop-unanswered"));
    let sane = played(Dialect::Graphql, &ops, None);

    let found: Option<Found> = bent.found;
    assert_eq!(found.map(|f| (f.requirement.id(), f.answer)), Some(("GQL-SUB-024", "silence".into())));
    assert_eq!((sane.found, sane.trouble), (None, None));
}

#[test]
fn what_is_published_once_more_has_to_be_heard_once_more() {
    let again = Op::Publish {
        on: None,
        id: Id::Fresh,
        topic: Topic::Room,
        room: 0,
        batch: Batch::EmptyObject,
        who: Who::Good,
        form: Form::Plain,
    };
    let ops = [OPEN, INIT, SUBSCRIBE, WARM, again.clone(), again];

    for (dialect, saboteur, rule) in [
        (Dialect::Graphql, "graphql-equal-mutations-once", "GQL-SUB-012"),
        (Dialect::Events, "events-equal-events-once", "EVT-DATA-001"),
    ] {
        let bent = played(dialect, &ops, Some(saboteur));
        let sane = played(dialect, &ops, None);

        assert_eq!(bent.found.map(|found| found.requirement.id()), Some(rule), "{saboteur}");
        assert_eq!((sane.found, sane.trouble), (None, None), "{dialect}");
    }
}

/// The second publish under an id is refused and reaches nobody, which a server may do (EVT-A-10).
fn refuses_the_second(_: Dialect, number: u64, frame: OwnedFrame) -> Vec<OwnedFrame> {
    let OwnedFrame::Text { text, .. } = &frame else { return vec![frame] };
    if ![5, 6].contains(&number) {
        return vec![frame];
    }
    let refused = r#""publish_error","errors":[{"errorType":"BadRequestException","message":"in use"}]"#;
    let told = text.contains("publish_success").then(|| {
        let id = text.split(r#""id":""#).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        OwnedFrame::text(format!(r#"{{"id":"{id}","type":{refused}}}"#))
    });
    told.into_iter().collect()
}

#[test]
fn what_a_refused_publish_held_is_not_awaited_from_the_next() {
    let publish = |id| Op::Publish {
        on: Some(0),
        id,
        topic: Topic::Room,
        room: 0,
        batch: Batch::True,
        who: Who::Good,
        form: Form::Plain,
    };
    let ops = [OPEN, INIT, SUBSCRIBE, WARM, publish(Id::Fresh), publish(Id::Publish), publish(Id::Fresh)];
    let mut peer = Costume::new(endpoint(Config::default(), &[]), Guise::Frames(refuses_the_second));

    let played = play(setting(Dialect::Events, false), &mut Script::new(&ops), &mut peer, Weather::default());

    let refused = played.cells.iter().any(|cell| cell.answer == "publish_error");
    assert_eq!((played.found, played.trouble, refused), (None, None, true));
}

/// Refuses at `connection_init` what was upgraded.
fn refuses_late(_: Dialect, _: u64, frame: OwnedFrame) -> Vec<OwnedFrame> {
    if !matches!(&frame, OwnedFrame::Text { text, .. } if text.contains("connection_ack")) {
        return vec![frame];
    }
    let errors = r#"[{"errorType":"UnauthorizedException","message":"no key"}]"#;
    let told = format!(r#"{{"type":"connection_error","errors":{errors},"payload":{{"errors":{errors}}}}}"#);
    vec![OwnedFrame::text(told)]
}

#[test]
fn an_upgrade_that_is_refused_late_is_not_blamed_on_the_form_of_what_follows() {
    let init = Op::Init { on: 0, form: Form::Fragments };
    for (dialect, door, rule) in [
        (Dialect::Graphql, Door::MemberCase, "GQL-AUTH-025"),
        (Dialect::Graphql, Door::Usual, "GQL-FRAME-008"),
        (Dialect::Events, Door::MemberCase, "EVT-AUTH-015"),
        (Dialect::Events, Door::Usual, "EVT-FRAME-003"),
    ] {
        let ops = [Op::Open { door }, init.clone()];
        let mut peer = Costume::new(endpoint(Config::default(), &[]), Guise::Frames(refuses_late));

        let played = play(setting(dialect, false), &mut Script::new(&ops), &mut peer, Weather::default());

        assert_eq!(played.found.map(|found| found.requirement.id()), Some(rule), "{door:?}");
    }
}

#[test]
fn silence_that_is_known_ends_no_dialogue() {
    let without_ka: fn(Dialect, u64, OwnedFrame) -> Vec<OwnedFrame> = |_, _, frame| {
        let beats = matches!(&frame, OwnedFrame::Text { text, .. } if text.contains(r#""ka""#));
        if beats { Vec::new() } else { vec![frame] }
    };
    let ops = [OPEN, INIT, SUBSCRIBE];
    let with = |known: &[Requirement]| {
        let passed_over = known.iter().copied().collect();
        let setting = Setting { passed_over, ..setting(Dialect::Graphql, false) };
        let mut peer = Costume::new(endpoint(Config::default(), &[]), Guise::Frames(without_ka));
        let played = play(setting, &mut Script::new(&ops), &mut peer, Weather::default());
        (played.found.map(|found| found.requirement.id()), played.ops.len())
    };

    assert_eq!(with(&[]), (Some("GQL-KA-002"), 2));
    assert_eq!(with(&[Requirement::GqlKa002]), (None, 3));
}

#[test]
fn an_error_with_an_empty_id_is_not_taken_for_that_of_a_subscription_without_a_name() {
    let ops = [
        OPEN,
        INIT,
        Op::Together { next: 2 },
        Op::Subscribe { on: 0, id: Id::Fresh, topic: Topic::DoubleWild, room: 0, who: Who::Good, form: Form::Plain },
        Op::Subscribe { on: 0, id: Id::Empty, topic: Topic::Room, room: 0, who: Who::Good, form: Form::Plain },
        PUBLISH,
    ];
    let variant = variants().into_iter().find(|variant| variant.name == "errors-with-empty-ids").unwrap();
    let Quirk::Guise(guise) = variant.quirk else { panic!("{} is no guise", variant.name) };
    let mut peer = Costume::new(endpoint(Config::default(), &[]), guise);

    let played = play(setting(Dialect::Graphql, false), &mut Script::new(&ops), &mut peer, Weather::default());

    let events = played.cells.iter().filter(|cell| cell.answer == "data").count();
    assert_eq!((played.found, played.trouble, events), (None, None, 1));
}

#[test]
fn what_has_nothing_to_act_on_is_skipped() {
    let ops = [INIT, SUBSCRIBE, WARM, Op::Ping { on: 3, length: 1 }, OPEN, INIT];

    let played = played(Dialect::Events, &ops, None);

    let carried: Vec<_> = played.ops.iter().map(|(_, carried)| *carried).collect();
    assert_eq!(carried, [false, false, false, false, true, true]);
    assert_eq!(played.found, None);
}

#[test]
fn a_crash_is_a_finding_that_names_the_rule() {
    let ops = [OPEN, INIT, Op::Say { on: 0, what: Oddity::Malformed }, OPEN];

    let found = played(Dialect::Graphql, &ops, Some("graphql-malformed-json-is-fatal")).found;

    assert_eq!(found.map(|found| found.requirement.id()), Some("SYN-ALIVE-002"));
}

#[test]
fn a_day_of_keep_alives_and_a_storm_of_connections_accuse_nobody() {
    for dialect in Dialect::ALL {
        let mut day = vec![OPEN, INIT, SUBSCRIBE, WARM];
        day.extend((0..200).map(|_| Op::Wait { pause: Pause::Minutes }));
        day.push(PUBLISH);
        let storm: Vec<_> = (0..20)
            .flat_map(|_| [OPEN, INIT, SUBSCRIBE, Op::Together { next: 1 }, PUBLISH, Op::Drop { on: 0 }])
            .collect();

        for ops in [day, storm] {
            let played = played(dialect, &ops, None);

            assert_eq!((played.found, played.trouble), (None, None), "{dialect}");
            assert!(played.ops.iter().all(|(_, carried)| *carried), "{dialect}");
        }
    }
}

/// Plays a dialogue against endpoints that answer late and in any order, in many ways.
fn nobody_is_accused_of(dialect: Dialect, ops: &[Op]) {
    for seed in 1..=60 {
        let config = Config { profile: Profile::live_eventual(seed), ..Config::default() };
        let setting = setting(dialect, true);

        let played = play(setting, &mut Script::new(ops), &mut endpoint(config, &[]), Weather::default());

        assert_eq!((played.found, played.trouble), (None, None), "{dialect}, seed {seed}");
        assert!(played.ops.iter().all(|(_, carried)| *carried), "{dialect}, seed {seed}");
    }
}

const fn subscribe(id: Id, topic: Topic, who: Who) -> Op {
    Op::Subscribe { on: 0, id, topic, room: 0, who, form: Form::Plain }
}

const BOTH: Op = Op::Together { next: 2 };
const STOP: Op = Op::Unsubscribe { on: 0, id: Id::Live };

#[test]
fn two_subscribes_of_one_id_under_way_may_be_answered_in_any_order() {
    for dialect in Dialect::ALL {
        for second in [subscribe(Id::Odd, Topic::Room, Who::Good), subscribe(Id::Odd, Topic::Nowhere, Who::Good)] {
            let first = subscribe(Id::Odd, Topic::Room, Who::Good);

            nobody_is_accused_of(dialect, &[OPEN, INIT, BOTH, first, second, PUBLISH]);
        }
    }
}

#[test]
fn a_subscribe_of_a_live_id_and_its_unsubscribe_under_way_may_be_answered_in_any_order() {
    let again = subscribe(Id::Live, Topic::Room, Who::Good);
    for dialect in Dialect::ALL {
        nobody_is_accused_of(dialect, &[OPEN, INIT, SUBSCRIBE, BOTH, again.clone(), STOP, SUBSCRIBE]);
        nobody_is_accused_of(dialect, &[OPEN, INIT, SUBSCRIBE, BOTH, STOP, subscribe(Id::Odd, Topic::Room, Who::Good)]);
    }
}

#[test]
fn what_cannot_be_read_may_be_answered_before_or_after_what_is_under_way() {
    let refused = subscribe(Id::Fresh, Topic::Nowhere, Who::Good);
    for what in [Oddity::Malformed, Oddity::NoType, Oddity::OtherStart, Oddity::NumberId, Oddity::Binary] {
        let odd = Op::Say { on: 0, what };
        for dialect in Dialect::ALL {
            nobody_is_accused_of(dialect, &[OPEN, INIT, BOTH, refused.clone(), odd.clone()]);
            nobody_is_accused_of(dialect, &[OPEN, INIT, BOTH, odd.clone(), refused.clone()]);
        }
    }
}

#[test]
fn an_answer_that_names_nothing_may_be_that_of_any_operation_under_way() {
    let wrong = subscribe(Id::Fresh, Topic::Room, Who::Wrong);
    for what in [Oddity::UnknownWord, Oddity::UnknownWithId] {
        let odd = Op::Say { on: 0, what };
        for dialect in Dialect::ALL {
            nobody_is_accused_of(dialect, &[OPEN, INIT, BOTH, wrong.clone(), odd.clone()]);
            nobody_is_accused_of(dialect, &[OPEN, INIT, BOTH, odd.clone(), odd.clone()]);
        }
    }
}

/// An `error` does not say whether it is about the `stop` or the `start` of its id.
#[test]
fn an_error_for_an_id_that_was_stopped_before_its_start_may_be_that_of_the_stop() {
    let stop = Op::Unsubscribe { on: 0, id: Id::Odd };
    let start = subscribe(Id::Odd, Topic::Room, Who::Good);
    for dialect in Dialect::ALL {
        for [one, other] in [[&stop, &start], [&start, &stop]] {
            for pause in [Pause::Moment, Pause::Answer] {
                let both = [OPEN, INIT, BOTH, one.clone(), other.clone(), PUBLISH, Op::Wait { pause }, PUBLISH];

                nobody_is_accused_of(dialect, &both);
            }
        }
    }
}

/// Plays a dialogue against a server with this legal peculiarity.
fn nobody_is_accused_as(variant: &str, dialect: Dialect, ops: &[Op]) {
    let variants = variants();
    let quirk = &variants.iter().find(|own| own.name == variant).expect("a variant of this name").quirk;
    let Quirk::Guise(guise) = quirk else { panic!("{variant} is no guise") };
    let mut peer = Costume::new(endpoint(Config::default(), &[]), *guise);

    let played = play(setting(dialect, true), &mut Script::new(ops), &mut peer, Weather::default());

    assert_eq!((played.found, played.trouble), (None, None), "{variant}, {dialect}");
}

/// EVT-A-18: whether credentials are read from header fields is disputed, in whatever form `connection_init` is.
#[test]
fn a_disputed_upgrade_is_no_finding_in_any_form_of_init() {
    for dialect in Dialect::ALL {
        for form in Form::ALL {
            let init = Op::Init { on: 0, form: *form };
            let mut ops = vec![Op::Open { door: Door::Headers }, init.clone()];
            if *form == Form::Plain {
                ops = vec![Op::Together { next: 2 }, Op::Open { door: Door::Headers }, SUBSCRIBE, init];
            }
            let config = Config { profile: Profile::docs_literal(), ..Config::default() };

            let played =
                play(setting(dialect, true), &mut Script::new(&ops), &mut endpoint(config, &[]), Weather::default());

            assert_eq!((played.found, played.trouble), (None, None), "{dialect}, {form:?}");
        }
    }
}

/// EVT-A-07: an acknowledgement may come unasked; with delay, after an operation was sent.
#[test]
fn an_acknowledgement_that_nobody_asked_for_answers_no_operation() {
    let variants = variants();
    let variant = variants.iter().find(|own| own.name == "EVT-A-07-acknowledged").expect("a variant of this name");
    let Quirk::Profile(profile) = &variant.quirk else { panic!("{} is no profile", variant.name) };
    for ops in [vec![OPEN, SUBSCRIBE], vec![OPEN, INIT, SUBSCRIBE]] {
        for seed in 1..=20 {
            let config = Config { profile: profile.clone(), ..Config::default() };
            let weather = Weather { seed, jitter: Duration::from_millis(40) };

            let played =
                play(setting(Dialect::Events, true), &mut Script::new(&ops), &mut endpoint(config, &[]), weather);

            assert_eq!((played.found, played.trouble), (None, None), "seed {seed}");
        }
    }
}

#[test]
fn an_answer_that_comes_after_one_that_named_nothing_is_not_that_of_the_next_use_of_its_id() {
    let keep_alive = Op::Say { on: 0, what: Oddity::KeepAlive };
    let refused = subscribe(Id::Fresh, Topic::WildAll, Who::Good);
    let stop = Op::Unsubscribe { on: 0, id: Id::Used };
    for variant in ["out-of-order-across-ids", "uneven-across-ids"] {
        for next in [subscribe(Id::Used, Topic::Room, Who::Good), stop.clone()] {
            let ops = [OPEN, INIT, keep_alive.clone(), refused.clone(), next];

            nobody_is_accused_as(variant, Dialect::Events, &ops);
        }
    }
}

#[test]
fn an_error_for_an_id_that_was_garbled_is_not_that_of_the_next_operation() {
    let garbled = Op::Garble { on: 0, base: 1, how: Garbling::Stringify, at: 0 };
    let refused = subscribe(Id::Fresh, Topic::LongSegment, Who::Good);

    nobody_is_accused_of(Dialect::Graphql, &[OPEN, INIT, SUBSCRIBE, garbled, refused]);
}

#[test]
fn an_empty_id_of_an_error_stands_for_none_where_an_empty_id_was_used_too() {
    let [graphql, events] = [subscribe(Id::Empty, Topic::Room, Who::Good), Op::Unsubscribe { on: 0, id: Id::Empty }];
    let unknown = Op::Say { on: 0, what: Oddity::UnknownWord };
    let null = subscribe(Id::Fresh, Topic::Null, Who::Good);

    let variant = "errors-with-empty-ids";
    nobody_is_accused_as(variant, Dialect::Graphql, &[OPEN, INIT, graphql, null.clone()]);
    nobody_is_accused_as(variant, Dialect::Graphql, &[OPEN, INIT, events.clone(), null]);
    nobody_is_accused_as(variant, Dialect::Events, &[OPEN, INIT, events.clone(), unknown]);
    // That of a subscribe_error is one.
    let refused = subscribe(Id::Fresh, Topic::OtherCharacter, Who::Good);
    let empty = subscribe(Id::Empty, Topic::Room, Who::Good);
    nobody_is_accused_of(Dialect::Events, &[OPEN, INIT, events, SUBSCRIBE, empty, refused]);
}

#[test]
fn no_key_is_in_what_a_finding_shows() {
    let ops = [OPEN, INIT, SUBSCRIBE, Op::Unsubscribe { on: 0, id: Id::Live }];
    let played = played(Dialect::Events, &ops, Some("events-unsubscribe-unanswered"));
    let cast = setting(Dialect::Events, true).cast;

    let said = syncspec::fuzzing::file::transcript(&played.record, &cast.keyring.redactor(&cast.api_key));

    let text = serde_json::to_string(&said).unwrap();
    assert!(text.contains("unsubscribe") && text.contains("subscribe_success"), "{text}");
    assert!(!text.contains(&cast.api_key), "{text}");
}
