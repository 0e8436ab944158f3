//! What the hub and its connections do, as short scripts: what is sent, and what comes back.
//!
//! | line | meaning |
//! | --- | --- |
//! | `1 graphql`, `1 events open`, `1 events refused` | connection 1 is accepted, with its init done, or refused |
//! | `1> subscribe a /default/a` | a client message in short; `1> {...}` as it stands; `1> (close)` |
//! | `! onNote {"text":"hi"}` | a mutation's result is announced |
//! | `+60s` | time passes |
//!
//! Lines are parted by `; `. What comes back is what the *last* line caused, as `1< word id more`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "hub/rows.rs"]
mod rows;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use appsync_protocol::channel::{Channel, ChannelPattern};
use appsync_protocol::dialect::{Dialect, decode};
use appsync_protocol::envelope::{Raw, elements, member, string, whole_number};
use appsync_protocol::hub::{ConnectionId, Hub, Occurrence};
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::message::{Message, SilenceLimit, error_entries};
use appsync_protocol::moment::{Moment, Timer};
use appsync_protocol::selection::{Field, Selection};
use appsync_protocol::server::{Asked, Check, Host, Identity, Interest, Plan, PlanChecks, Policy, Refusal, Server};
use appsync_protocol::wire::{Frame, OwnedFrame};
use proptest::prelude::*;

/// Takes one key, and reads `field arg=value +nullable +!required` for a document.
struct KeyHost;

impl Host for KeyHost {
    fn authorize(&mut self, _: Asked<'_>, presented: Option<Raw<'_>>) -> Result<Identity, Refusal> {
        let key = presented.and_then(|object| member(object, "x-api-key")).and_then(string);
        if key.as_deref() == Some("good") { Ok(Identity::default()) } else { Err(Refusal::unauthorized()) }
    }

    fn plan(&mut self, request: &str, _who: &Identity, checks: PlanChecks) -> Result<Plan, Vec<Refusal>> {
        let mut words: Vec<_> = request.split(' ').collect();
        if words[0] == "query" {
            if checks.subscriptions_only {
                return Err(vec![Refusal::new("UnsupportedOperation", "query not supported")]);
            }
            words.remove(0);
        }
        if checks.document && !words[0].starts_with("on") {
            return Err(vec![Refusal::message("FieldUndefined")]);
        }
        let arguments = words.iter().filter_map(|word| {
            let (name, value) = word.split_once('=')?;
            Some((name.to_string(), parse_json(value).unwrap()))
        });
        let fields = words.iter().filter_map(|word| {
            let name = word.strip_prefix('+')?;
            let required = name.starts_with('!');
            let name = name.trim_start_matches('!').to_string();
            Some(Field { key: name.clone(), name, of: "String".into(), required, inner: None })
        });
        Ok(Plan {
            field: words[0].into(),
            key: words[0].into(),
            arguments: arguments.collect(),
            selection: Selection { on: "Note".into(), fields: fields.collect() },
            required: false,
            filter: None,
            invalidation: None,
        })
    }
}

/// A hub with numbered connections and a clock.
struct Stage {
    hub: Hub,
    now: Moment,
    connections: Vec<(ConnectionId, Dialect)>,
}

impl Stage {
    fn new(policy: Policy) -> Self {
        Self { hub: Hub::new(policy), now: Moment::START, connections: Vec::new() }
    }

    /// Plays a script; gives what its last line caused.
    fn play(&mut self, script: &str) -> String {
        let mut heard = String::new();
        for line in script.split("; ") {
            heard = self.line(line);
        }
        heard
    }

    fn line(&mut self, line: &str) -> String {
        if let Some(seconds) = line.strip_prefix('+') {
            self.now = self.now + Duration::from_secs(seconds.trim_end_matches('s').parse().unwrap());
            self.hub.elapse(self.now);
        } else if let Some(told) = line.strip_prefix("! ") {
            let (field, object) = told.split_once(' ').unwrap();
            self.hub.announce(&Occurrence { field: field.into(), object: parse_json(object).unwrap() });
        } else if let Some((number, said)) = line.split_once("> ") {
            let (id, dialect) = self.connections[number.parse::<usize>().unwrap() - 1];
            self.say(id, dialect, said);
        } else {
            self.accept(line);
        }
        self.drain()
    }

    fn accept(&mut self, line: &str) {
        let dialect = if line.contains("graphql") { Dialect::Graphql } else { Dialect::Events };
        let admitted = if line.ends_with("refused") { Err(Refusal::unauthorized()) } else { Ok(()) };
        let id = self.hub.accept(self.now, dialect, admitted);
        self.connections.push((id, dialect));
        if line.ends_with("open") {
            self.say(id, dialect, "connection_init");
            self.drain();
        }
    }

    fn say(&mut self, id: ConnectionId, dialect: Dialect, said: &str) {
        let text = full_text(dialect, said);
        let frame = match said {
            "(close)" => Frame::Close { code: Some(1000), reason: "" },
            "(lost)" => Frame::Lost,
            "(binary)" => Frame::Binary(b"x"),
            "(ping)" => Frame::Ping(b"x"),
            _ => Frame::text(&text),
        };
        self.hub.receive(self.now, id, frame, &mut KeyHost);
    }

    fn drain(&mut self) -> String {
        let mut heard = Vec::new();
        while let Some((to, frame)) = self.hub.poll() {
            let number = self.connections.iter().position(|(id, _)| *id == to).unwrap_or_default();
            let dialect = self.connections.get(number).map_or(Dialect::Events, |(_, dialect)| *dialect);
            heard.push(format!("{}< {}", number + 1, in_short(dialect, &frame)));
        }
        heard.join(", ")
    }
}

fn play(policy: Policy, script: &str) -> String {
    Stage::new(policy).play(script)
}

fn heard(script: &str) -> String {
    play(Policy::default(), script)
}

/// `word id more` as a message. `subscribe(wrong)` has a wrong key, `subscribe(bare)` none.
fn full_text(dialect: Dialect, said: &str) -> String {
    if said.starts_with(['{', '[', '"']) {
        return said.into();
    }
    let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
    let (id, more) = rest.split_once(' ').unwrap_or((rest, ""));
    let (word, key) = match word.split_once('(') {
        Some((word, "wrong)")) => (word, r#""x-api-key":"bad""#),
        Some((word, _)) => (word, ""),
        None => (word, r#""x-api-key":"good""#),
    };
    let authorization = if key.is_empty() { String::new() } else { format!(r#""authorization":{{{key}}}"#) };
    let comma = if key.is_empty() { "" } else { "," };
    let id = if id.is_empty() { String::new() } else { format!(r#","id":"{id}""#) };
    let more = match (dialect, word) {
        (Dialect::Graphql, "start") => {
            format!(r#","payload":{{"data":{},"extensions":{{{authorization}}}}}"#, Json::from(more))
        }
        (Dialect::Events, "subscribe") => format!(r#","channel":"{more}"{comma}{authorization}"#),
        (Dialect::Events, "publish") => {
            let mut words = more.split(' ');
            let channel = words.next().unwrap();
            let events: Vec<_> = words.map(event_text).collect();
            format!(r#","channel":"{channel}","events":[{}]{comma}{authorization}"#, events.join(","))
        }
        (Dialect::Graphql | Dialect::Events, _) => String::new(),
    };
    format!(r#"{{"type":"{word}"{id}{more}}}"#)
}

/// `big:N` is a JSON text of N bytes, `=7` a number in the place of a string, everything else a text.
fn event_text(event: &str) -> String {
    let text = match (event.strip_prefix("big:"), event.strip_prefix('=')) {
        (Some(bytes), _) => format!("\"{}\"", "x".repeat(bytes.parse::<usize>().unwrap() - 2)),
        (None, Some(number)) => return number.into(),
        (None, None) => event.into(),
    };
    Json::from(text).to_string()
}

fn in_short(dialect: Dialect, frame: &OwnedFrame) -> String {
    let text = match frame {
        OwnedFrame::Text { text, .. } => text,
        OwnedFrame::Close { code, .. } => return format!("(close {})", code.unwrap()),
        OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) | OwnedFrame::Lost => {
            return format!("{frame:?}");
        }
    };
    let decoded = decode(dialect, text).unwrap();
    let mut short = string(decoded.envelope.kind.unwrap()).unwrap().into_owned();
    if let Some(id) = decoded.message.id() {
        write!(short, " {id}").unwrap();
    }
    let more = more_of(dialect, &decoded.message);
    if !more.is_empty() {
        write!(short, " {more}").unwrap();
    }
    short
}

fn more_of(dialect: Dialect, message: &Message<'_>) -> String {
    if let Message::Ack { silence: SilenceLimit::Millis(millis) } = message {
        millis.to_string()
    } else if let Message::Data { body, .. } = message {
        body_in_short(dialect, *body)
    } else if let Message::Published { successful: Some(successful), failed: Some(failed), .. } = message {
        format!("ok {} failed {}", indexes(*successful), indexes(*failed))
    } else {
        let entries = message.errors().map(|errors| error_entries(Some(errors)).1).unwrap_or_default();
        entries.into_iter().filter_map(|e| e.error_type.or(e.message)).collect::<Vec<_>>().join(" ")
    }
}

fn body_in_short(dialect: Dialect, body: Raw<'_>) -> String {
    let text = match dialect {
        Dialect::Events => string(body).unwrap().into_owned(),
        Dialect::Graphql => {
            let data = member(body, "data").unwrap().get();
            let errors = member(body, "errors").map(|errors| format!(" errors {}", errors.get()));
            format!("{data}{}", errors.unwrap_or_default())
        }
    };
    if text.len() > 300 { format!("({} bytes)", text.len()) } else { text }
}

fn indexes(entries: Raw<'_>) -> String {
    let index = |entry: Raw<'_>| member(entry, "index").and_then(whole_number).unwrap().to_string();
    let all: Vec<_> = elements(entries).into_iter().map(index).collect();
    if all.is_empty() { "none".into() } else { all.join("+") }
}

#[test]
fn every_check_shows_in_what_a_client_hears() {
    for check in Check::ALL {
        assert!(rows::rows().any(|row| row.check == check), "{check:?} has no row");
    }
    for row in rows::rows() {
        let mut policy = Policy { subscriptions_max: 2, ..Policy::default() };
        let script = match row.script.strip_prefix("2; ") {
            Some(rest) => {
                policy = policy.without(Check::PublishAnswered);
                format!("1 events; 2 events; {rest}")
            }
            None => row.script.into(),
        };

        assert_eq!(play(policy.clone(), &script), row.with, "with {:?}: {script}", row.check);
        assert_eq!(play(policy.without(row.check), &script), row.without, "without {:?}: {script}", row.check);
    }
}

#[test]
fn keep_alives_come_every_minute_on_idle_and_busy_connections() {
    let mut stage = Stage::new(Policy::default());
    stage.play("1 graphql open; 2 events open; 1> start a onNote");

    assert_eq!(stage.play("+59s"), "");
    assert_eq!(stage.hub.deadline().map(|d| (d.at, d.why)), Some((Moment::from_millis(60_000), Timer::KeepAlive)));
    assert_eq!(stage.play("+1s"), "1< ka, 2< ka");
    assert_eq!(stage.play("1> stop a; +60s"), "1< ka, 2< ka");
}

#[test]
fn the_first_keep_alive_of_graphql_starts_the_minute_anew() {
    assert_eq!(heard("1 graphql; +30s; 1> connection_init; +59s"), "");
    assert_eq!(heard("1 graphql; +30s; 1> connection_init; +59s; +1s"), "1< ka");
    assert_eq!(heard("1 graphql; +60s"), "1< ka", "a keep-alive may come before the acknowledgement");
}

#[test]
fn a_connection_ends_after_a_day() {
    let policy = || Policy::default().without(Check::KeepAlives);
    let mut stage = Stage::new(policy());
    stage.play("1 events open; 1> subscribe a /default/a");

    assert_eq!(stage.play("+86399s"), "");
    assert_eq!(stage.hub.deadline().map(|d| d.why), Some(Timer::Lifetime));
    assert_eq!(stage.play("+1s"), "1< (close 1000)");
    assert_eq!((stage.hub.connections(), stage.hub.deadline()), (0, None));
    assert_eq!(stage.play("1> subscribe b /default/a"), "");
    assert_eq!(play(policy(), "1 graphql open; +86400s"), "1< (close 1000)");
}

#[test]
fn subscribers_who_ask_for_the_same_share_one_plan() {
    let mut stage = Stage::new(Policy::default());
    stage.play("1 graphql open; 2 graphql open; 3 graphql open; 4 graphql open");
    stage.play(
        "1> start a onNote text=\"x\" +text; 2> start b onNote text=\"x\" +text; 3> start c onNote text=\"y\" +text",
    );
    stage.play("4> start d onNote text=\"x\" +id");

    let plans = stage.connections.iter().map(|(id, _)| stage.hub.server(*id).and_then(plan_of));
    let plans: Vec<_> = plans.collect();

    assert!(plans.iter().all(Option::is_some));
    let shared = |one: usize, other: usize| Arc::ptr_eq(plans[one].as_ref().unwrap(), plans[other].as_ref().unwrap());
    assert_eq!([shared(0, 1), shared(0, 2), shared(0, 3)], [true, false, false]);
    let heard = stage.play("! onNote {\"text\":\"x\",\"id\":\"n1\"}");
    let (text, id) = (r#"{"onNote":{"text":"x"}}"#, r#"{"onNote":{"id":"n1"}}"#);
    assert_eq!(heard, format!("1< data a {text}, 2< data b {text}, 4< data d {id}"));
}

fn plan_of(server: &Server) -> Option<Arc<Plan>> {
    server.subscriptions().find_map(|(_, interest)| match interest {
        Interest::Field(plan) => Some(Arc::clone(plan)),
        Interest::Channel(_) => None,
    })
}

#[test]
fn a_connection_holds_two_hundred_subscriptions_and_a_stop_gives_its_place_back() {
    for (dialect, ask, leave, granted, refused) in [
        ("events", "1> subscribe ID /default/a", "1> unsubscribe s0", "subscribe_success", "subscribe_error"),
        ("graphql", "1> start ID onNote", "1> stop s0", "start_ack", "error"),
    ] {
        let mut stage = Stage::new(Policy::default());
        stage.play(&format!("1 {dialect} open"));

        for n in 0..200 {
            let id = format!("s{n}");
            assert_eq!(stage.play(&ask.replace("ID", &id)), format!("1< {granted} {id}"));
        }
        let over = ask.replace("ID", "over");
        assert_eq!(stage.play(&over), format!("1< {refused} over MaxSubscriptionsReachedError"));
        assert_eq!(stage.play(&format!("{leave}; {over}")), format!("1< {granted} over"));
    }
}

#[test]
fn an_event_of_240_kb_passes_and_one_byte_more_fails_alone() {
    let publish = |bytes: usize| heard(&format!("1 events; 1> publish p /default/a 1 big:{bytes} 2"));

    assert_eq!(publish(240 * 1024 - 1), "1< publish_success p ok 0+1+2 failed none");
    assert_eq!(publish(240 * 1024), "1< publish_success p ok 0+1+2 failed none");
    assert_eq!(publish(240 * 1024 + 1), "1< publish_success p ok 0+2 failed 1");
    let delivered = heard("1 events; 1> subscribe a /default/a; 1> publish p /default/a big:245761 2");
    assert_eq!(delivered, "1< publish_success p ok 1 failed 0, 1< data a 2");
}

#[test]
fn a_publish_of_1200000_bytes_passes_and_one_byte_more_is_refused() {
    let publish =
        |last: usize| heard(&format!("1 events; 1> publish p /default/a {}big:{last}", "big:245760 ".repeat(4)));

    assert_eq!(publish(1_200_000 - 4 * 245_760), "1< publish_success p ok 0+1+2+3+4 failed none");
    assert_eq!(publish(1_200_001 - 4 * 245_760), "1< publish_error p BadRequestException");
}

#[test]
fn a_payload_of_240_kb_is_delivered_and_one_byte_more_is_dropped_without_a_word() {
    let around = r#"{"data":{"onNote":{"text":""}}}"#.len();
    let announce = |bytes: usize| {
        let text = "x".repeat(bytes - around);
        heard(&format!("1 graphql open; 1> start a onNote +text; ! onNote {{\"text\":\"{text}\"}}"))
    };

    assert!(announce(240 * 1024 - 1).starts_with("1< data a ("));
    assert!(announce(240 * 1024).starts_with("1< data a ("));
    assert_eq!(announce(240 * 1024 + 1), "");
}

#[test]
fn five_events_come_in_five_messages_and_six_are_refused() {
    let publish =
        |events: &str| heard(&format!("1 events; 1> subscribe a /default/a; 1> publish p /default/a {events}"));

    assert_eq!(
        publish("1 2 3 4 5"),
        "1< publish_success p ok 0+1+2+3+4 failed none, \
         1< data a 1, 1< data a 2, 1< data a 3, 1< data a 4, 1< data a 5"
    );
    assert_eq!(publish("1 2 3 4 5 6"), "1< publish_error p InvalidInputError");
}

#[test]
fn wildcards_cover_what_is_below_them_and_nothing_else() {
    for (pattern, channel) in [
        ("/default/*", "/default/a"),
        ("/default/*", "/default/a/b/c/d"),
        ("/default/*", "/default"),
        ("/default/a/*", "/default/ab"),
        ("/default/a/*", "/default/a/b"),
        ("/default/a/*", "/default/A/b"),
        ("/default/*", "/other/a"),
        ("default/a/", "/default/a"),
    ] {
        let wanted = ChannelPattern::parse(pattern).unwrap().matches(&Channel::parse(channel).unwrap());

        let heard = heard(&format!("1 events; 2 events; 1> subscribe a {pattern}; 2> publish p {channel} 1"));

        assert_eq!(heard.contains("1< data a 1"), wanted, "{pattern} {channel}");
    }
}

#[test]
fn overlapping_subscriptions_get_one_message_each_over_all_connections() {
    let script = "1 events; 2 events; 3 events; 1> subscribe a /default/a; 1> subscribe b /default/*; \
                  2> subscribe a /default/a; 3> subscribe a /default/b; 3> publish p /default/a 1";

    let mut heard: Vec<_> = heard(script).split(", ").map(str::to_string).collect();
    heard.sort();

    assert_eq!(heard, ["1< data a 1", "1< data b 1", "2< data a 1", "3< publish_success p ok 0 failed none"]);
}

#[test]
fn every_matching_subscription_of_a_mutation_gets_its_own_cut() {
    let script = "1 graphql open; 2 graphql open; 1> start a onNote +text; 1> start b onNote author=1 +author; \
                  2> start a onNote author=2 +text; ! onNote {\"text\":\"hi\",\"author\":1}";

    assert_eq!(heard(script), r#"1< data a {"onNote":{"text":"hi"}}, 1< data b {"onNote":{"author":1}}"#);
}

#[test]
fn an_argument_that_the_mutation_did_not_select_never_matches() {
    assert_eq!(heard("1 graphql open; 1> start a onNote author=null +text; ! onNote {\"text\":\"hi\"}"), "");
    assert_eq!(
        heard("1 graphql open; 1> start a onNote author=null +text; ! onNote {\"author\":null}"),
        r#"1< data a {"onNote":{"text":null}}"#
    );
}

#[test]
fn a_forbidden_null_makes_the_payload_null_beside_errors() {
    let heard = heard("1 graphql open; 1> start a onNote +!id +text; ! onNote {\"text\":\"hi\"}");

    assert!(heard.starts_with(r#"1< data a {"onNote":null} errors [{"message":"Cannot return null for "#), "{heard}");
    assert!(heard.contains(r#""path":["onNote","id"]"#), "{heard}");
}

#[test]
fn a_refused_connection_hears_why_and_is_closed() {
    for dialect in ["graphql", "events"] {
        let mut stage = Stage::new(Policy::default());

        let told = stage.play(&format!("1 {dialect} refused"));

        assert_eq!(told, "1< connection_error UnauthorizedException, 1< (close 1000)");
        assert_eq!((stage.hub.connections(), stage.hub.deadline()), (0, None));
        assert_eq!(stage.play("1> connection_init"), "");
    }
}

#[test]
fn a_refused_connection_that_is_not_closed_does_nothing_more() {
    let policy = Policy::default().without(Check::CloseAfterRefusal);

    assert_eq!(play(policy, "1 events refused; 1> connection_init; 1> subscribe a /default/a; +60s"), "");
}

#[test]
fn what_is_no_message_is_answered_and_leaves_the_connection_usable() {
    for (said, answer) in [
        ("nope", "1< error UnsupportedOperation"),
        ("ka", "1< error UnsupportedOperation"),
        ("start a onNote", "1< error UnsupportedOperation"),
        ("{", "1< error BadRequestException"),
        ("[1]", "1< error BadRequestException"),
        ("{} {}", "1< error BadRequestException"),
        ("(binary)", "1< error BadRequestException"),
        ("{}", "1< error UnsupportedOperation"),
        (r#"{"type":5}"#, "1< error UnsupportedOperation"),
        (r#"{"type":"subscribe","id":5,"channel":"/default/a"}"#, "1< error BadRequestException"),
        (r#"{"type":"subscribe","id":"a"}"#, "1< subscribe_error a BadRequestException"),
        (r#"{"type":"subscribe","id":"a","channel":["/default/a"]}"#, "1< subscribe_error a BadRequestException"),
        (r#"{"type":"publish","id":"p","channel":"/default/a"}"#, "1< publish_error p BadRequestException"),
        (
            r#"{"type":"publish","id":"p","channel":"/default/a","events":"1"}"#,
            "1< publish_error p BadRequestException",
        ),
        (r#"{"type":"unsubscribe"}"#, "1< error BadRequestException"),
        ("(ping)", ""),
    ] {
        let mut stage = Stage::new(Policy::default());
        stage.play("1 events open; 1> subscribe s /default/a");

        assert_eq!(stage.play(&format!("1> {said}")), answer, "{said}");
        assert_eq!(stage.play("1> unsubscribe s"), "1< unsubscribe_success s", "{said}");
    }
}

#[test]
fn what_is_no_graphql_message_is_answered_without_an_id() {
    for said in [
        "nope",
        "subscribe a",
        "publish p",
        "{",
        "(binary)",
        r#"{"type":"start","id":"a"}"#,
        r#"{"type":"start","id":"a","payload":{"data":5}}"#,
        r#"{"type":"start","id":5,"payload":{"data":"onNote"}}"#,
        r#"{"type":"stop"}"#,
    ] {
        let mut stage = Stage::new(Policy::default());
        stage.play("1 graphql open; 1> start s onNote");

        assert_eq!(stage.play(&format!("1> {said}")), "1< error UnsupportedOperation", "{said}");
        assert_eq!(stage.play("1> stop s"), "1< complete s", "{said}");
    }
}

#[test]
fn a_start_before_the_init_is_ignored() {
    assert_eq!(heard("1 graphql; 1> start a onNote"), "");
    assert_eq!(
        heard("1 graphql; 1> start a onNote; 1> connection_init; 1> stop a"),
        "1< error a UnknownOperationError"
    );
}

#[test]
fn a_second_init_is_acknowledged_and_harms_no_subscription() {
    let mut stage = Stage::new(Policy::default());
    stage.play("1 events open; 1> subscribe a /default/a");

    assert_eq!(stage.play("1> connection_init"), "1< connection_ack 300000");
    assert_eq!(stage.play("1> unsubscribe a"), "1< unsubscribe_success a");
}

#[test]
fn a_refused_duplicate_leaves_the_first_subscription_as_it_was() {
    let script = "1 events; 1> subscribe a /default/a; 1> subscribe a /default/b; 1> publish p /default/a 1";

    assert_eq!(heard(script), "1< publish_success p ok 0 failed none, 1< data a 1");
}

#[test]
fn an_id_can_be_used_again_after_its_end_and_on_a_new_connection() {
    assert_eq!(
        heard("1 events; 1> subscribe a /default/a; 1> unsubscribe a; 1> subscribe a /default/b"),
        "1< subscribe_success a"
    );
    for end in ["(close)", "(lost)"] {
        let mut stage = Stage::new(Policy::default());
        stage.play(&format!("1 graphql open; 1> start a onNote +text; 1> {end}; 2 graphql open"));

        assert_eq!(stage.hub.connections(), 1);
        assert_eq!(stage.play("2> start a onNote +text"), "2< start_ack a");
        assert_eq!(stage.play("! onNote {\"text\":\"hi\"}"), r#"2< data a {"onNote":{"text":"hi"}}"#);
    }
}

#[test]
fn frames_come_out_once() {
    let mut stage = Stage::new(Policy::default());
    stage.play("1 events open; 2 events open; 1> subscribe a /default/a");
    stage.say(stage.connections[1].0, Dialect::Events, "publish p /default/a 1 2");

    assert_eq!(stage.drain().split(", ").count(), 3);
    assert_eq!(stage.drain(), "");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_deadline_is_past_after_time_has_passed(
        steps in prop::collection::vec((0_u64..200_000, prop::sample::select(vec![
            "+0s", "+80000s", "1> connection_init", "2> connection_init", "1> start a onNote", "1> (close)",
            "2> subscribe a /default/a", "2> publish p /default/a 1", "2> (lost)", "1 graphql", "3 events refused",
        ])), 0..30),
    ) {
        let mut stage = Stage::new(Policy::default());
        stage.play("1 graphql; 2 events");
        for (millis, line) in steps {
            stage.now = stage.now + Duration::from_millis(millis);
            stage.line(line);

            stage.hub.elapse(stage.now);

            prop_assert!(stage.hub.deadline().is_none_or(|deadline| deadline.at > stage.now));
            stage.drain();
            prop_assert!(stage.hub.poll().is_none());
        }
    }
}
