//! Who hears what, told by a model that knows every subscription and looks at all of them each time.
//!
//! The hub looks subscriptions up by what they are about. What it delivers, to whom and in which order, has to be what
//! a look at all of them gives, whatever came and left before, and whichever check a faulty server leaves out.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::time::Duration;

use appsync_protocol::channel::Channel;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::Raw;
use appsync_protocol::filter::Filter;
use appsync_protocol::hub::{ConnectionId, Hub, Occurrence, Told};
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::moment::Moment;
use appsync_protocol::selection::{Field, Selection};
use appsync_protocol::server::readings::BarePrefix;
use appsync_protocol::server::{Asked, Broadcast, Check, Host, Identity, Plan, PlanChecks, Policy, Refusal};
use appsync_protocol::wire::{Frame, OwnedFrame};
use proptest::prelude::*;

/// An event of which each subscription sees what it selected.
const SELECTED: &str = "selected";
/// Connections that are open at the same time; the even ones speak Events.
const SEATS: usize = 6;

#[derive(Clone, Debug)]
enum Step {
    Subscribe {
        seat: usize,
        id: u8,
        channel: &'static str,
        field: Wanted,
    },
    Unsubscribe {
        seat: usize,
        id: u8,
    },
    /// The connection is lost, and another one takes its seat.
    Lose {
        seat: usize,
    },
    /// Two events by nobody, or by one who may listen too.
    Publish {
        by: Option<usize>,
        channel: &'static str,
    },
    Announce {
        field: &'static str,
        object: &'static str,
    },
}

#[derive(Clone, Debug)]
struct Wanted {
    field: &'static str,
    arguments: &'static str,
    /// Takes `a = "x"` in the place of the arguments.
    is_filtered: bool,
    /// The one member that it wants to see.
    selects: &'static str,
}

const PATTERNS: [&str; 9] = [
    "/default/a",
    "/default/A",
    "/default/a/b",
    "/default/a/b/c",
    "/default/*",
    "/default/a/*",
    "/default/a/b/*",
    "/other/a",
    "/other/*",
];
const CHANNELS: [&str; 7] =
    ["/default", "/default/a", "/default/A", "/default/a/b", "/default/a/b/c", "/default/ab", "/other/a"];
const FIELDS: [&str; 2] = ["onNote", "onOther"];
const ARGUMENTS: [&str; 10] = [
    "{}",
    r#"{"a":"x"}"#,
    r#"{"a":"y"}"#,
    r#"{"a":"x","b":"x"}"#,
    r#"{"a":null,"b":"y"}"#,
    r#"{"a":null}"#,
    r#"{"a":1}"#,
    r#"{"a":1,"b":"x"}"#,
    r#"{"b":true}"#,
    LONG,
];
const OBJECTS: [&str; 10] = [
    "null",
    "[]",
    "{}",
    r#"{"a":"x","b":"x"}"#,
    r#"{"a":"x","b":"y"}"#,
    r#"{"a":"y","b":null}"#,
    r#"{"a":null,"b":"y"}"#,
    r#"{"a":1.0,"b":"x"}"#,
    r#"{"a":"xx","b":true}"#,
    LONG,
];
/// A value that is too long to be looked up.
const LONG: &str = concat!(
    r#"{"a":"0123456789012345678901234567890123456789012345678901234567890123456789"#,
    r#"0123456789012345678901234567890123456789012345678901234567890123456789"}"#
);
/// What decides who hears something, and what ends subscriptions.
const CHECKS: [Check; 17] = [
    Check::ArgumentsMatch,
    Check::NullArgument,
    Check::EveryArgument,
    Check::FieldMatch,
    Check::ChannelMatch,
    Check::ChannelCase,
    Check::WildcardDepth,
    Check::WildcardSparesPrefix,
    Check::EverySubscription,
    Check::DeliveredOnce,
    Check::EchoToPublisher,
    Check::DuplicateId,
    Check::UnsubscribeEnds,
    Check::UnsubscribeSparesOthers,
    Check::ChannelEnd,
    Check::WildcardSegment,
    Check::ArgumentEnd,
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let wanted = (
        prop::sample::select(&FIELDS),
        prop::sample::select(&ARGUMENTS),
        prop::bool::weighted(0.2),
        prop::sample::select(&["a", "b"]),
    )
        .prop_map(|(field, arguments, is_filtered, selects)| Wanted { field, arguments, is_filtered, selects });
    let step = prop_oneof![
        5 => (0..SEATS, 0..4u8, prop::sample::select(&PATTERNS), wanted)
            .prop_map(|(seat, id, channel, field)| Step::Subscribe { seat, id, channel, field }),
        1 => (0..SEATS, 0..4u8).prop_map(|(seat, id)| Step::Unsubscribe { seat, id }),
        1 => (0..SEATS).prop_map(|seat| Step::Lose { seat }),
        2 => (prop::option::of(0..SEATS / 2), prop::sample::select(&CHANNELS))
            .prop_map(|(by, channel)| Step::Publish { by: by.map(|by| by * 2), channel }),
        2 => (prop::sample::select(&FIELDS), prop::sample::select(&OBJECTS))
            .prop_map(|(field, object)| Step::Announce { field, object }),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #[test]
    fn the_hub_delivers_what_a_look_at_every_subscription_gives(
        steps in steps(),
        left_out in prop::option::of(prop::sample::select(&CHECKS)),
        covers_prefix: bool,
    ) {
        let mut policy = left_out.map_or_else(Policy::default, |check| Policy::default().without(check));
        if covers_prefix {
            policy.readings.bare_prefix = BarePrefix::Covered;
        }
        let mut world = World::new(policy, Way::Apart);

        for step in steps {
            let expected = world.expected(&step);
            let heard = world.play(&step);
            prop_assert_eq!(heard, expected, "{:?}", step);
        }
    }
}

proptest! {
    // What stays known from one event to the next goes wrong only where several things come together.
    #![proptest_config(ProptestConfig::with_cases(2048))]

    /// In which order connections are told is nobody's business; what each of them hears has an order.
    #[test]
    fn what_the_hub_shares_is_what_a_look_at_every_subscription_gives(
        steps in steps(),
        arguments in prop_oneof![Just(vec!["{}"]), prop::sample::subsequence(ARGUMENTS.to_vec(), 1..=3)],
        filters in prop::option::of(any::<bool>()),
        left_out in prop::option::of(prop::sample::select(&CHECKS)),
        repeats in 1..4_usize,
    ) {
        let policy = left_out.map_or_else(Policy::default, |check| Policy::default().without(check));
        let mut world = World::new(policy, Way::Shared);

        for step in steps {
            let step = step.with_arguments_of(&arguments, filters);
            for _ in 0..repeats {
                let mut expected = world.expected(&step);
                let mut heard = world.play(&step);
                expected.sort_by_key(|(connection, ..)| *connection);
                heard.sort_by_key(|(connection, ..)| *connection);
                prop_assert_eq!(heard, expected, "{:?}", step);
            }
        }
    }
}

#[test]
fn a_connection_that_has_lived_its_day_hears_no_more_of_what_is_shared() {
    let mut world = World::new(Policy::default(), Way::Shared);
    let field = Wanted { field: FIELDS[0], arguments: "{}", is_filtered: false, selects: "a" };
    let told =
        [Step::Publish { by: None, channel: CHANNELS[1] }, Step::Announce { field: FIELDS[0], object: OBJECTS[3] }];
    for seat in [0, 1] {
        world.play(&Step::Subscribe { seat, id: 0, channel: PATTERNS[0], field: field.clone() });
    }

    let before = told.each_ref().map(|step| world.play(step).len());
    world.hub.elapse(Moment::START + Duration::from_secs(24 * 60 * 60));
    world.drain();
    let after = told.each_ref().map(|step| world.play(step).len());

    assert_eq!((before, after), ([2, 1], [0, 0]));
}

#[test]
fn who_is_told_something_else_first_hears_the_next_event_too() {
    let mut world = World::new(Policy::default(), Way::Shared);
    let field = Wanted { field: FIELDS[0], arguments: "{}", is_filtered: false, selects: "a" };
    for seat in 0..4 {
        world.act(&Step::Subscribe { seat, id: 0, channel: PATTERNS[0], field: field.clone() });
        if seat < 2 {
            world.drain();
        }
    }
    let told =
        [Step::Publish { by: None, channel: CHANNELS[1] }, Step::Announce { field: FIELDS[0], object: OBJECTS[3] }];

    told.iter().for_each(|step| world.act(step));
    let first = world.drain().len();
    let next = told.each_ref().map(|step| world.play(step).len());

    assert_eq!((first, next), (6, [4, 2]));
}

impl Step {
    /// The same with fewer kinds of arguments, so that many want the same; all of them filtered or none, if that is said.
    fn with_arguments_of(self, few: &[&'static str], filters: Option<bool>) -> Self {
        match self {
            Self::Subscribe { seat, id, channel, field } => {
                let place = ARGUMENTS.iter().position(|known| *known == field.arguments).unwrap();
                let arguments = few[place % few.len()];
                let field = Wanted { arguments, is_filtered: filters.unwrap_or(field.is_filtered), ..field };
                Self::Subscribe { seat, id, channel, field }
            }
            other @ (Self::Unsubscribe { .. } | Self::Lose { .. } | Self::Publish { .. } | Self::Announce { .. }) => {
                other
            }
        }
    }
}

/// How events leave the hub.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Apart,
    Shared,
}

/// Connection, subscription, and the event or the members that are seen of it.
type Arrival = (ConnectionId, String, String);

struct World {
    hub: Hub,
    policy: Policy,
    /// Each with its subscriptions by id, as the model knows them.
    seats: Vec<(ConnectionId, BTreeMap<String, Step>)>,
}

impl World {
    fn new(policy: Policy, way: Way) -> Self {
        let mut world = Self { hub: Hub::new(policy.clone()), policy, seats: Vec::new() };
        if way == Way::Shared {
            world.hub.share();
        }
        for seat in 0..SEATS {
            let id = world.accept(seat);
            world.seats.push((id, BTreeMap::new()));
        }
        world
    }

    fn accept(&mut self, seat: usize) -> ConnectionId {
        let id = self.hub.accept(Moment::START, dialect(seat), Ok(()));
        self.say(id, r#"{"type":"connection_init"}"#);
        self.drain();
        id
    }

    fn say(&mut self, id: ConnectionId, text: &str) {
        self.hub.receive(Moment::START, id, Frame::text(text), &mut Anybody);
    }

    /// Does it, and tells what arrived of events.
    fn play(&mut self, step: &Step) -> Vec<Arrival> {
        self.act(step);
        self.drain()
    }

    fn act(&mut self, step: &Step) {
        match step {
            Step::Subscribe { seat, id, channel, field } => self.say(self.seats[*seat].0, &match dialect(*seat) {
                Dialect::Events => format!(
                    r#"{{"type":"subscribe","id":"{id}","channel":"{channel}","authorization":{{}}}}"#
                ),
                Dialect::Graphql => {
                    let request = format!("{} {} {} {}", field.field, field.is_filtered, field.selects, field.arguments);
                    format!(r#"{{"type":"start","id":"{id}","payload":{{"data":{},"extensions":{{"authorization":{{}}}}}}}}"#, Json::from(request))
                }
            }),
            Step::Unsubscribe { seat, id } => {
                let word = if dialect(*seat) == Dialect::Events { "unsubscribe" } else { "stop" };
                self.say(self.seats[*seat].0, &format!(r#"{{"type":"{word}","id":"{id}"}}"#));
            }
            Step::Lose { seat } => {
                self.hub.receive(Moment::START, self.seats[*seat].0, Frame::Lost, &mut Anybody);
                self.seats[*seat].0 = self.accept(*seat);
            }
            Step::Publish { by: Some(seat), channel } => self.say(
                self.seats[*seat].0,
                &format!(r#"{{"type":"publish","id":"p","channel":"{channel}","events":["0","1"],"authorization":{{}}}}"#),
            ),
            Step::Publish { by: None, channel } => {
                let events = ["\"0\"", "\"1\""].map(Into::into).to_vec();
                let channel = Channel::parse(channel).unwrap();
                self.hub.broadcast(None, Broadcast { channel, events, after: Duration::ZERO });
            }
            Step::Announce { field, object } => {
                let object = parse_json(object).unwrap();
                self.hub.announce(&Occurrence { field: (*field).into(), object });
            }
        }
    }

    fn drain(&mut self) -> Vec<Arrival> {
        let (mut heard, mut texts) = (Vec::new(), Vec::new());
        self.hub.take_told(|Told { to, tails }| {
            for (listener, tail) in to.iter().flat_map(|listener| tails.iter().map(move |tail| (listener, tail))) {
                texts.push((listener.connection, format!("{}{tail}", listener.head)));
            }
        });
        while let Some((id, frame)) = self.hub.poll() {
            if let OwnedFrame::Text { text, .. } = frame {
                texts.push((id, text));
            }
        }
        for (id, text) in texts {
            let message = parse_json(&text).unwrap();
            if message["type"] == "data" {
                let members = message["payload"]["data"].as_object().into_iter().flatten();
                let members =
                    members.filter_map(|(_, object)| object.as_object()).flatten().map(|(name, _)| name.as_str());
                let event = message["event"].as_str().map_or_else(|| members.collect(), str::to_owned);
                heard.push((id, message["id"].as_str().unwrap().into(), event));
            } else {
                // A publisher that listens too has its answer before the events.
                assert!(heard.iter().all(|(heard, ..)| *heard != id), "{text}");
            }
        }
        heard
    }

    /// What has to arrive; the model follows.
    fn expected(&mut self, step: &Step) -> Vec<Arrival> {
        match step {
            Step::Subscribe { seat, id, .. } => {
                let own = &mut self.seats[*seat].1;
                if !own.contains_key(&id.to_string()) || !self.policy.makes(Check::DuplicateId) {
                    own.insert(id.to_string(), step.clone());
                }
                Vec::new()
            }
            Step::Unsubscribe { seat, id } => {
                let own = &mut self.seats[*seat].1;
                if self.policy.makes(Check::UnsubscribeEnds) {
                    own.remove(&id.to_string());
                }
                if !self.policy.makes(Check::UnsubscribeSparesOthers) {
                    own.clear();
                }
                Vec::new()
            }
            Step::Lose { seat } => {
                self.seats[*seat].1.clear();
                Vec::new()
            }
            Step::Publish { by, channel } => {
                let by = by.map(|seat| self.seats[seat].0);
                self.arrivals(&["0", "1"], by, |policy, dialect, wanted| match (dialect, wanted) {
                    (Dialect::Events, Step::Subscribe { channel: pattern, .. }) => covers(policy, pattern, channel),
                    _ => false,
                })
            }
            Step::Announce { field, object } => {
                let object = parse_json(object).unwrap();
                self.arrivals(
                    &[if object.is_object() { SELECTED } else { "" }],
                    None,
                    |policy, dialect, wanted| match (dialect, wanted) {
                        (Dialect::Graphql, Step::Subscribe { field: wanted, .. }) => {
                            concerns(policy, wanted, field, &object)
                        }
                        _ => false,
                    },
                )
            }
        }
    }

    /// Every subscription is looked at: the publisher's first, then by connection, event and id.
    fn arrivals(
        &self,
        events: &[&str],
        by: Option<ConnectionId>,
        wants: impl Fn(&Policy, Dialect, &Step) -> bool,
    ) -> Vec<Arrival> {
        let mut all = Vec::new();
        for (seat, (connection, own)) in self.seats.iter().enumerate() {
            if by == Some(*connection) && !self.policy.makes(Check::EchoToPublisher) {
                continue;
            }
            let mut told: Vec<&String> =
                own.iter().filter(|(_, wanted)| wants(&self.policy, dialect(seat), wanted)).map(|(id, _)| id).collect();
            if !self.policy.makes(Check::EverySubscription) {
                told.truncate(1);
            }
            let copies = if self.policy.makes(Check::DeliveredOnce) { 1 } else { 2 };
            for event in events {
                for id in &told {
                    let Step::Subscribe { field: Wanted { selects, .. }, .. } = &own[*id] else { continue };
                    let seen = if *event == SELECTED { *selects } else { *event };
                    all.extend(std::iter::repeat_n((*connection, (*id).clone(), seen.to_owned()), copies));
                }
            }
        }
        // The order of events and ids within a connection stays.
        all.sort_by_key(|(connection, ..)| (by != Some(*connection), *connection));
        all
    }
}

fn dialect(seat: usize) -> Dialect {
    Dialect::ALL.into_iter().find(|dialect| (*dialect == Dialect::Events) == seat.is_multiple_of(2)).unwrap()
}

fn covers(policy: &Policy, pattern: &str, channel: &str) -> bool {
    let given: Vec<&str> = channel.split('/').skip(1).collect();
    let mut wanted: Vec<&str> = pattern.split('/').skip(1).collect();
    if wanted.last() == Some(&"*") {
        wanted.pop();
        let covers_prefix = !policy.makes(Check::WildcardSparesPrefix)
            || (policy.readings.bare_prefix == BarePrefix::Covered && policy.makes(Check::WildcardDepth));
        let deepest = if policy.makes(Check::WildcardDepth) { usize::MAX } else { wanted.len() + 1 };
        let is_deep_enough = given.len() > wanted.len() || (covers_prefix && given.len() == wanted.len());
        let begins = format!("/{}", wanted.join("/"));
        let is_cut_short = !policy.makes(Check::WildcardSegment)
            && policy.readings.bare_prefix != BarePrefix::Covered
            && channel.len() > begins.len()
            && channel.starts_with(&begins);
        return is_cut_short || (is_deep_enough && given.len() <= deepest && given.starts_with(&wanted));
    }
    if !policy.makes(Check::ChannelMatch) {
        return given[0] == wanted[0];
    }
    let is_cut_short = !policy.makes(Check::ChannelEnd) && channel.starts_with(pattern);
    is_cut_short || given == wanted || (!policy.makes(Check::ChannelCase) && pattern.eq_ignore_ascii_case(channel))
}

fn concerns(policy: &Policy, wanted: &Wanted, field: &str, object: &Json) -> bool {
    if wanted.field != field && policy.makes(Check::FieldMatch) {
        return false;
    }
    if wanted.is_filtered {
        return object.is_array() || object["a"] == "x";
    }
    let arguments = parse_json(wanted.arguments).unwrap();
    let arguments = arguments.as_object().unwrap();
    let mut met = arguments.iter().map(|(name, value)| {
        let is_same = |actual: &Json| actual == value || (value.is_number() && actual.as_f64() == value.as_f64());
        let begins =
            |actual: &Json| actual.as_str().zip(value.as_str()).is_some_and(|(text, start)| text.starts_with(start));
        object.get(name).is_some_and(|actual| is_same(actual) || (!policy.makes(Check::ArgumentEnd) && begins(actual)))
            || (value.is_null() && !policy.makes(Check::NullArgument))
    });
    match () {
        () if !policy.makes(Check::ArgumentsMatch) => true,
        () if !policy.makes(Check::EveryArgument) => arguments.is_empty() || met.any(|is_met| is_met),
        () => met.all(|is_met| is_met),
    }
}

/// Lets everybody in, and reads `field is_filtered arguments` for a document.
struct Anybody;

impl Host for Anybody {
    fn authorize(&mut self, _: Asked<'_>, _: Option<Raw<'_>>) -> Result<Identity, Refusal> {
        Ok(Identity::default())
    }

    fn plan(&mut self, request: &str, _: &Identity, _: PlanChecks) -> Result<Plan, Vec<Refusal>> {
        let mut parts = request.splitn(4, ' ');
        let field = parts.next().unwrap().to_owned();
        let filter = Filter::parse(&parse_json(r#"{"a":{"eq":"x"}}"#).unwrap()).unwrap();
        let filter = (parts.next() == Some("true")).then_some(filter);
        let name = parts.next().unwrap().to_owned();
        let selected = Field { key: name.clone(), name, of: "String".into(), required: false, inner: None };
        let arguments = parse_json(parts.next().unwrap()).unwrap();
        Ok(Plan {
            key: field.clone(),
            field,
            arguments: arguments.as_object().unwrap().clone().into_iter().collect(),
            selection: Selection { on: "Note".into(), fields: vec![selected] },
            required: false,
            filter,
            invalidation: None,
        })
    }
}
