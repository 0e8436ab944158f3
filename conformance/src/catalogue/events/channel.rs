//! Channels: which paths are taken, which are not, and which are the same.

pub(super) mod wildcard;

use appsync_protocol::json::json_text;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Check;

use super::session_steps::{
    QUICK, edit, edit_http, forbidden, marked, refusal, refusals, taken, turned_down, warmed_by,
};
use super::steps::{all, any_of, connected, expect, heard, published, say, subscribed, warmed};
use crate::fault::{Change, Fault, How, HttpChange, Nth};
use crate::scenario::{Answer, Cast, Pattern, Scenario, Shape, Step};

/// Connects and subscribes to each of these, which is to succeed.
fn each_taken(cast: &Cast, channels: &[String], rule: R) -> Vec<Step> {
    let each = channels.iter().zip(1..).flat_map(|(channel, n)| taken(cast, 1, &format!("s{n}"), channel, rule));
    all([connected(cast, 1), each.collect()])
}

/// Connects and subscribes to each of these, which is to be refused.
fn each_turned_down(cast: &Cast, channels: &[String], rule: R) -> Vec<Step> {
    let each = channels.iter().zip(1..).flat_map(|(channel, n)| turned_down(cast, 1, &format!("s{n}"), channel, rule));
    all([connected(cast, 1), each.collect()])
}

/// A segment of this many characters that begins with letters of both cases and has digits and hyphens.
fn segment(length: usize) -> String {
    format!("aZ-0--9{}", "x".repeat(length.saturating_sub(7)))
}

pub(super) static SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "events/channel/one-to-five-segments",
        title: "Channels of one segment and of five are accepted.",
        covers: &[R::EvtChannel001],
        steps: |cast| {
            let deep = format!("{}/c/d/e", cast.channel("b"));
            each_taken(cast, &[format!("/{}", cast.namespace()), deep], R::EvtChannel001)
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/six-segments",
        title: "A channel of six segments is answered with an error.",
        covers: &[R::EvtChannel018],
        steps: |cast| each_turned_down(cast, &[format!("{}/c/d/e/f", cast.channel("b"))], R::EvtChannel018),
        ..QUICK
    },
    Scenario {
        id: "events/channel/fifty-characters",
        title: "A segment of fifty letters, digits and hyphens is accepted, and one of a single character.",
        covers: &[R::EvtChannel002],
        steps: |cast| {
            let room = cast.channel("room");
            each_taken(cast, &[format!("{room}/{}", segment(50)), format!("{room}/7")], R::EvtChannel002)
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/fifty-one-characters",
        title: "A segment of fifty-one characters is answered with an error.",
        covers: &[R::EvtChannel019],
        steps: |cast| each_turned_down(cast, &[format!("{}/{}", cast.channel("room"), segment(51))], R::EvtChannel019),
        ..QUICK
    },
    Scenario {
        id: "events/channel/hyphen-at-the-edge",
        title: "A segment that begins or ends with a hyphen is refused.",
        covers: &[R::EvtChannel003],
        steps: |cast| {
            let room = cast.channel("room");
            each_turned_down(cast, &["/-a", "/a-", "/-", "-"].map(|edge| format!("{room}{edge}")), R::EvtChannel003)
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/other-characters",
        title: "A channel with a character other than letters, digits and hyphens is refused.",
        covers: &[R::EvtChannel022],
        steps: |cast| {
            let room = cast.channel("room");
            let odd = ["_", ".", ":", " ", "%2F", "é", "+", "\\"];
            each_turned_down(cast, &odd.map(|odd| format!("{room}/a{odd}b")), R::EvtChannel022)
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/empty-segments",
        title: "The empty text, a lone slash and paths with an empty segment are refused.",
        covers: &[R::EvtChannel021],
        steps: |cast| {
            let (room, own) = (cast.channel("room"), cast.nonce("room"));
            let channels = [
                String::new(),
                "/".into(),
                "//".into(),
                format!("{room}//b"),
                format!("/{room}"),
                format!("/{}//{own}", cast.namespace()),
            ];
            each_turned_down(cast, &channels, R::EvtChannel021)
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/malformed-type",
        title: "The error for a malformed channel is of type BadRequestException.",
        covers: &[R::EvtChannel020],
        steps: |cast| {
            let typed = refusal("bad").has("errors", Shape::ErrorType(&["BadRequestException"]));
            let bad = format!("{}/a_b", cast.channel("room"));
            all([connected(cast, 1), vec![say(1, cast.subscribe("bad", &bad)), expect(1, typed, R::EvtChannel020)]])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/letter-case",
        title: "Two channels whose names differ in letter case only are two channels.",
        covers: &[R::EvtChannel006],
        steps: |cast| {
            let (room, nonce) = (cast.channel("room"), cast.nonce("event"));
            let (upper, lower) = (format!("{room}/ROOM"), format!("{room}/room"));
            all([
                connected(cast, 1),
                subscribed(cast, 1, "upper", &upper),
                subscribed(cast, 1, "lower", &lower),
                vec![
                    warmed(cast, 1, "upper", &upper),
                    warmed(cast, 1, "lower", &lower),
                    forbidden(1, "lower", &nonce, R::EvtChannel006),
                    published(cast, &upper, &nonce),
                    heard(1, "upper", &nonce, R::EvtChannel006),
                ],
                marked(cast, 1, "lower", &lower, R::EvtChannel006),
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/leading-slash",
        title: "A slash before the first segment may be left out, in a subscribe and in a publish.",
        covers: &[R::EvtChannel004],
        steps: |cast| {
            let bare = format!("{}/{}", cast.namespace(), cast.nonce("room"));
            let publish = cast.publish("bare", &bare, &[json_text(&cast.nonce("event"))]);
            all([
                each_taken(cast, std::slice::from_ref(&bare), R::EvtChannel004),
                vec![say(1, publish), expect(1, Pattern::with_id("publish_success", "bare"), R::EvtChannel004)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/trailing-slash",
        title: "A slash behind the last segment may be written.",
        covers: &[R::EvtChannel005],
        steps: |cast| each_taken(cast, &[format!("{}/", cast.channel("room"))], R::EvtChannel005),
        ..QUICK
    },
    Scenario {
        id: "events/channel/spellings",
        title: "A channel is the same with and without the slashes around it.",
        covers: &[R::EvtChannel024],
        steps: |cast| {
            let room = cast.channel("room");
            let bare = room.trim_start_matches('/').to_owned();
            all([
                connected(cast, 1),
                subscribed(cast, 1, "first", &room),
                vec![
                    warmed_by(cast, 1, "first", &bare, R::EvtChannel024),
                    say(1, cast.publish("slash", &format!("{room}/"), &[json_text(&cast.nonce("event"))])),
                    heard(1, "first", &cast.nonce("event"), R::EvtChannel024),
                ],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/undefined-namespace",
        title: "A subscribe to a channel of a namespace that does not exist is refused.",
        covers: &[R::EvtChannel008, R::EvtChannel007],
        steps: |cast| {
            let told = |reading| Pattern::with_id("subscribe_error", "lost").reads("EVT-A-06", reading);
            let mut readings = vec![
                told("an undefined namespace is named by UnauthorizedException")
                    .has("errors", Shape::ErrorType(&["UnauthorizedException"])),
                told("an undefined namespace is named by another type"),
            ];
            readings.extend(refusals("lost"));
            let channel = format!("/{}/room", cast.nonce("nowhere"));
            all([
                connected(cast, 1),
                vec![say(1, cast.subscribe("lost", &channel)), any_of(1, readings, R::EvtChannel008)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/namespace-letter-case",
        title: "A namespace in another letter case is another namespace, and does not exist.",
        covers: &[R::EvtChannel006, R::EvtChannel007],
        steps: |cast| {
            let turned = cast
                .namespace()
                .chars()
                .map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
            let channel = format!("/{}/{}", turned.collect::<String>(), cast.nonce("room"));
            all([
                connected(cast, 1),
                vec![say(1, cast.subscribe("turned", &channel)), any_of(1, refusals("turned"), R::EvtChannel007)],
            ])
        },
        ..QUICK
    },
    Scenario {
        id: "events/channel/comes-with-its-use",
        title: "The first publish to a fresh channel succeeds without subscribers.",
        covers: &[R::EvtChannel009],
        steps: |cast| {
            let publish = |label| cast.http_publish(&cast.channel(label), &[json_text(&cast.nonce("event"))]);
            let published = Answer::status(200).has("successful", Shape::Length(1)).has("failed", Shape::Length(0));
            all([
                vec![Step::Call { request: publish("one"), any_of: vec![published], rule: R::EvtChannel009 }],
                connected(cast, 1),
                vec![
                    say(1, cast.publish("fresh", &cast.channel("two"), &[json_text(&cast.nonce("event"))])),
                    expect(1, Pattern::with_id("publish_success", "fresh"), R::EvtChannel009),
                ],
            ])
        },
        ..QUICK
    },
];

pub(super) static FAULTS: &[Fault] = &[
    Fault {
        name: "events-channel-case-ignored",
        about: "compares channels without their case",
        breaks: R::EvtChannel006,
        caught_by: "events/channel/letter-case",
        how: How::Skip(Check::ChannelCase),
    },
    Fault {
        name: "events-channel-case-confused",
        about: "loses events once two channels differ in letter case only",
        breaks: R::EvtChannel006,
        caught_by: "events/channel/letter-case",
        how: edit("data", Nth::Only(3), Change::Drop),
    },
    Fault {
        name: "events-hyphen-anywhere",
        about: "takes segments that begin or end with a hyphen",
        breaks: R::EvtChannel003,
        caught_by: "events/channel/hyphen-at-the-edge",
        how: How::Skip(Check::ChannelSyntax),
    },
    Fault {
        name: "events-double-slash-collapsed",
        about: "takes two slashes for one",
        breaks: R::EvtChannel021,
        caught_by: "events/channel/empty-segments",
        how: How::Skip(Check::ChannelSyntax),
    },
    Fault {
        name: "events-long-segment-cut",
        about: "cuts segments to fifty characters",
        breaks: R::EvtChannel019,
        caught_by: "events/channel/fifty-one-characters",
        how: How::Skip(Check::ChannelSyntax),
    },
    Fault {
        name: "events-deep-channel-cut",
        about: "cuts channels to five segments",
        breaks: R::EvtChannel018,
        caught_by: "events/channel/six-segments",
        how: How::Skip(Check::ChannelSyntax),
    },
    Fault {
        name: "events-any-character",
        about: "takes channels of any characters",
        breaks: R::EvtChannel022,
        caught_by: "events/channel/other-characters",
        how: How::Skip(Check::ChannelSyntax),
    },
    Fault {
        name: "events-bad-channel-unanswered",
        about: "leaves a subscribe to a bad channel without an answer",
        breaks: R::EvtChannel022,
        caught_by: "events/channel/other-characters",
        how: How::Skip(Check::RefusalAnswered),
    },
    Fault {
        name: "events-four-segments",
        about: "refuses channels of five segments",
        breaks: R::EvtChannel001,
        caught_by: "events/channel/one-to-five-segments",
        how: edit("subscribe_success", Nth::Only(2), Change::Rename("subscribe_error")),
    },
    Fault {
        name: "events-forty-nine-characters",
        about: "refuses segments of fifty characters",
        breaks: R::EvtChannel002,
        caught_by: "events/channel/fifty-characters",
        how: edit("subscribe_success", Nth::Only(1), Change::Rename("subscribe_error")),
    },
    Fault {
        name: "events-malformed-channel-by-another-type",
        about: "calls the error for a malformed channel InvalidChannel",
        breaks: R::EvtChannel020,
        caught_by: "events/channel/malformed-type",
        how: edit("subscribe_error", Nth::Every, Change::Set("errors.0.errorType", r#""InvalidChannel""#)),
    },
    Fault {
        name: "events-leading-slash-required",
        about: "refuses channels without a slash before them",
        breaks: R::EvtChannel004,
        caught_by: "events/channel/leading-slash",
        how: edit("publish_success", Nth::Every, Change::Rename("publish_error")),
    },
    Fault {
        name: "events-trailing-slash-refused",
        about: "refuses channels with a slash behind them",
        breaks: R::EvtChannel005,
        caught_by: "events/channel/trailing-slash",
        how: edit("subscribe_success", Nth::Every, Change::Rename("subscribe_error")),
    },
    Fault {
        name: "events-each-spelling-a-channel",
        about: "takes two spellings of a channel for two channels",
        breaks: R::EvtChannel024,
        caught_by: "events/channel/spellings",
        how: edit("data", Nth::From(2), Change::Drop),
    },
    Fault {
        name: "events-subscribe-to-any-namespace",
        about: "takes channels of namespaces that do not exist",
        breaks: R::EvtChannel008,
        caught_by: "events/channel/undefined-namespace",
        how: How::Skip(Check::NamespaceExists),
    },
    Fault {
        name: "events-namespace-in-any-case",
        about: "takes a namespace in another letter case for one that exists",
        breaks: R::EvtChannel007,
        caught_by: "events/channel/namespace-letter-case",
        how: How::Skip(Check::NamespaceExists),
    },
    Fault {
        name: "events-fresh-channel-not-found",
        about: "answers a publish to a channel without subscribers with 404",
        breaks: R::EvtChannel009,
        caught_by: "events/channel/comes-with-its-use",
        how: edit_http(200, HttpChange::Status(404)),
    },
];
