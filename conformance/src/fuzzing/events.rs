//! Events: what is said and published, and what is due for it.

use appsync_protocol::channel::Channel;
use appsync_protocol::handshake::Credentials;
use appsync_protocol::json::{Json, json_text};
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::{OwnedFrame, Request};
use serde_json::json;

use super::ask::{Ask, Claim, Errand, Hears, IdState, Posted, Scene, by_door, error_list, escaped};
use super::doors::loud;
use super::graphql::{SUBSCRIPTIONS_MAX, odd_text, preflight};
use super::op::{Batch, Call, Form, Oddity, Topic, Who};
use crate::auth::sign::subscribe_body;
use crate::catalogue::events::session_steps::refusals;
use crate::scenario::cast::{WRONG_KEY, publish_body, quoted};
use crate::scenario::{Answer, Cast, Field, Pattern, Shape};

const DETAILS: [&str; 2] = ["errors.0.message", "errors.0.errorCode"];
const DETAIL_RULES: [R; 2] = [R::EvtErr002, R::EvtErr003];

/// The channel of a room.
pub(super) fn room(cast: &Cast, number: u8) -> String {
    cast.channel(&format!("room-{}", number % 3))
}

/// `connection_init`.
pub(super) fn init(form: Form, acked: bool, welcome: R) -> Ask {
    let plain = r#"{"type":"connection_init"}"#;
    let (text, rule) = match form {
        Form::Plain | Form::Escaped => (plain, welcome),
        Form::Fragments => (plain, R::EvtFrame003),
        Form::Spaced => ("\r\n{\n\t\"type\" : \"connection_init\"\n}\n ", R::EvtFrame008),
        Form::Extras => {
            (r#"{"type":"connection_init","payload":{"client":"syncspec"},"sticker":"blue"}"#, R::EvtInit012)
        }
    };
    let rule = by_door(rule, welcome);
    let ack = || Pattern::word("connection_ack");
    let flat = ack().has("connectionTimeoutMs", Shape::Present).has("payload", Shape::Absent);
    let claims = if acked {
        Vec::new()
    } else {
        vec![
            Claim::one(ack(), rule),
            Claim::one(ack().has("connectionTimeoutMs", Shape::PositiveInteger), R::EvtInit002),
            Claim::one(flat, R::EvtInit003),
        ]
    };
    let ask = Ask::plain(text, if acked { R::EvtInit006 } else { R::EvtInit012 }).due(claims);
    if form == Form::Fragments { ask.in_fragments(3) } else { ask }
}

/// A channel as JSON, and the rule that it falls under.
fn channel(cast: &Cast, topic: Topic, number: u8) -> (Json, Verdict) {
    let room = room(cast, number);
    let good = |channel: String, rule| (Json::from(channel), Verdict::Good(rule));
    let bad = |channel: String, rule| (Json::from(channel), Verdict::Bad(rule));
    let segment = "s".repeat(50);
    match topic {
        Topic::Room => good(room, R::EvtSub007),
        Topic::Bare => good(room.trim_start_matches('/').into(), R::EvtChannel004),
        Topic::Trailing => good(format!("{room}/"), R::EvtChannel005),
        Topic::Below => good(format!("{room}/a"), R::EvtSub007),
        Topic::Deep => good(format!("{room}/a/b"), R::EvtChannel001),
        Topic::Longest => good(format!("{room}/{segment}/7/{segment}"), R::EvtLimit009),
        Topic::Wild => good(format!("{room}/*"), R::EvtChannel010),
        Topic::Loud => good(format!("{room}/A"), R::EvtSub007),
        Topic::Namespace => good(format!("/{}", cast.namespace()), R::EvtChannel001),
        Topic::SixSegments => bad(format!("{room}/c/d/e/f"), R::EvtChannel018),
        Topic::LongSegment => bad(format!("{room}/{segment}s"), R::EvtChannel019),
        Topic::Hyphen => bad(format!("{room}/a-"), R::EvtChannel003),
        Topic::OtherCharacter => bad(format!("{room}/a_b"), R::EvtChannel022),
        Topic::Empty => bad(String::new(), R::EvtChannel021),
        Topic::EmptySegment => bad(format!("{room}//b"), R::EvtChannel021),
        Topic::Nowhere => bad(format!("/{}/room", cast.nonce("nowhere")), R::EvtChannel008),
        Topic::WildInside => bad(format!("{room}/*/x"), R::EvtChannel014),
        Topic::WildSegment => bad(format!("{room}/foo*"), R::EvtChannel015),
        Topic::DoubleWild => bad(format!("{room}/**"), R::EvtChannel016),
        Topic::WildAll => bad("/*".into(), R::EvtChannel017),
        Topic::WildSixth => bad(format!("{room}/c/d/e/*"), R::EvtChannel026),
        Topic::Number => (5.into(), Verdict::Bad(R::EvtSub023)),
        Topic::Null => (Json::Null, Verdict::Bad(R::EvtSub023)),
    }
}

/// Whether something is to be accepted, and by which rule.
#[derive(Clone, Copy)]
enum Verdict {
    Good(R),
    Bad(R),
}

/// An authorization object and whether it authorizes.
fn authorization(cast: &Cast, who: Who, body: &str) -> (Option<String>, Verdict) {
    let own = || Credentials::from_json(&cast.authorization_of(body)).unwrap_or_default();
    let text = |text: &str| Some(text.to_owned());
    match who {
        Who::Good => (Some(own().to_json()), Verdict::Good(R::EvtSub007)),
        Who::More => (Some(own().with("x-amz-user-agent", "syncspec").to_json()), Verdict::Good(R::EvtAuth034)),
        Who::Loud => (Some(loud(&own()).to_json()), Verdict::Good(R::EvtAuth015)),
        Who::Bare => {
            let all = own();
            let bare = all.iter().filter(|(name, _)| *name != "host");
            let bare = bare.fold(Credentials::new(), |bare, (name, value)| bare.with(name, value));
            (Some(bare.to_json()), Verdict::Good(R::EvtAuth016))
        }
        Who::Wrong => (Some(cast.wrong_credentials().to_json()), Verdict::Bad(R::EvtAuth016)),
        Who::Absent => (None, Verdict::Bad(R::EvtAuth021)),
        Who::Null => (text("null"), Verdict::Bad(R::EvtAuth021)),
        Who::Empty => (text("{}"), Verdict::Bad(R::EvtAuth021)),
        Who::HostOnly => (Some(json!({ "host": cast.auth_host }).to_string()), Verdict::Bad(R::EvtAuth021)),
        Who::Text => (text(r#""text""#), Verdict::Bad(R::EvtAuth035)),
        Who::Number => (text(r#"{"x-api-key":7}"#), Verdict::Bad(R::EvtAuth035)),
    }
}

/// Members of a message as a text of this form.
fn written(form: Form, members: &[(&str, String)]) -> String {
    let mut members: Vec<(String, String)> =
        members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    match form {
        Form::Plain | Form::Fragments => {}
        Form::Extras => members.insert(0, ("nothingLikeThis".into(), r#"{"deep":[null]}"#.into())),
        Form::Spaced => members.reverse(),
        Form::Escaped => {
            for (name, value) in &mut members {
                if let Some(Json::String(text)) = (name != "authorization").then(|| value.parse().ok()).flatten() {
                    *value = escaped(&text);
                }
            }
        }
    }
    let gap = if form == Form::Spaced { " \n" } else { "" };
    let all: Vec<_> = members.iter().map(|(name, value)| format!("{gap}\"{name}\"{gap}:{value}")).collect();
    format!("{gap}{{{}{gap}}}{gap}", all.join(","))
}

/// `subscribe`, and what the subscription hears if it is granted.
pub(super) fn subscribe(
    scene: &Scene<'_>,
    (id, state): (&str, IdState),
    (topic, number): (Topic, u8),
    who: Who,
    form: Form,
) -> (Ask, Option<Hears>) {
    let cast = scene.cast;
    let (channel, place) = channel(cast, topic, number);
    let body = channel.as_str().map_or_else(|| format!(r#"{{"channel":{channel}}}"#), subscribe_body);
    let (authorization, authorized) = authorization(cast, who, &body);
    let mut members = vec![("type", "\"subscribe\"".to_owned()), ("id", quoted(id)), ("channel", channel.to_string())];
    members.extend(authorization.map(|authorization| ("authorization", authorization)));
    let mut ask = Ask::plain(written(form, &members), R::EvtSub022).under(id);
    if form == Form::Fragments {
        ask = ask.in_fragments(3);
    }
    if state == IdState::Unclear || scene.may_be_full() {
        return (ask, None);
    }
    let success = || Pattern::with_id("subscribe_success", id);
    let well_formed = appsync_protocol::conversation::is_operation_id(id);
    let rule = match (authorized, place, form) {
        _ if !well_formed => Verdict::Bad(R::EvtErr011),
        (Verdict::Bad(rule), ..) | (Verdict::Good(_), Verdict::Bad(rule), _) => Verdict::Bad(rule),
        _ if state == IdState::Live => Verdict::Bad(R::EvtSub004),
        _ if scene.live >= SUBSCRIPTIONS_MAX => Verdict::Bad(R::EvtSub010),
        // EVT-A-31: whether the slash is taken is disputed, however the message is written.
        (_, Verdict::Good(R::EvtChannel005), _) => Verdict::Good(R::EvtChannel005),
        (_, _, Form::Fragments) => Verdict::Good(R::EvtFrame003),
        (_, _, Form::Spaced) => Verdict::Good(R::EvtFrame008),
        (_, _, Form::Extras) => Verdict::Good(R::EvtSub024),
        (_, _, Form::Escaped) => Verdict::Good(R::EvtPub003),
        (Verdict::Good(rule), ..) if who != Who::Good => Verdict::Good(rule),
        (_, Verdict::Good(R::EvtSub007), _) => Verdict::Good(match state {
            IdState::Ended => R::EvtSub006,
            IdState::Refused => R::EvtSub022,
            IdState::Fresh | IdState::Live | IdState::Unclear if id.len() >= 100 => R::EvtLimit010,
            IdState::Fresh | IdState::Live | IdState::Unclear if id.len() < 4 => R::EvtSub002,
            IdState::Fresh | IdState::Live | IdState::Unclear if scene.live >= 100 => R::EvtLimit004,
            IdState::Fresh | IdState::Live | IdState::Unclear if scene.live > 0 => R::EvtSub009,
            IdState::Fresh | IdState::Live | IdState::Unclear => R::EvtSub007,
        }),
        (_, Verdict::Good(rule), _) => Verdict::Good(rule),
    };
    match rule {
        Verdict::Bad(rule) => {
            let claims = refused(scene, id, (rule, topic), well_formed && channel.is_string());
            ask.aftermath = if rule == R::EvtErr011 { R::EvtErr015 } else { R::EvtSub022 };
            (ask.due(claims), None)
        }
        Verdict::Good(rule) => {
            let mut answers = vec![success()];
            if !scene.acked {
                // EVT-A-07: whether operations need an init is disputed.
                answers.extend(refusals(id));
            }
            let rule = if scene.acked { rule } else { R::EvtInit004 };
            let place = channel.as_str().unwrap_or_default().trim_end_matches('/').to_owned();
            let hears = Hears { room: place.clone(), place, ..Hears::default() };
            ask.aftermath = R::EvtKa002;
            (ask.due(vec![Claim::new(answers, rule)]), Some(hears))
        }
    }
}

/// What is due for a subscribe that has to be refused.
fn refused(scene: &Scene<'_>, id: &str, (rule, topic): (R, Topic), plain: bool) -> Vec<Claim> {
    if rule == R::EvtSub010 {
        let typed =
            Pattern::with_id("subscribe_error", id).has("errors", Shape::ErrorType(&["MaxSubscriptionsReachedError"]));
        return vec![Claim::one(typed, rule)];
    }
    let mut claims = vec![Claim::new(refusals(id), rule)];
    let formed = |word| Pattern::with_id(word, id).has("errors", Shape::Array).has("errors.0.errorType", Shape::Text);
    if plain && scene.acked {
        if matches!(topic, Topic::OtherCharacter) && rule == R::EvtChannel022 {
            let told = Pattern::with_id("subscribe_error", id)
                .has("errors", Shape::Array)
                .has("errors", Shape::Errors)
                .has("errors.0.errorType", Shape::Text);
            let typed = told.clone().has("errors", Shape::ErrorType(&["BadRequestException"]));
            claims.push(Claim::one(told, R::EvtSub008));
            claims.push(Claim::one(typed, R::EvtChannel020));
        }
        if rule == R::EvtAuth016 {
            claims.push(Claim::new(vec![formed("subscribe_error"), formed("error")], R::EvtErr001));
            let named = ["subscribe_error", "error"].map(|word| Pattern::with_id(word, id)).to_vec();
            claims.push(Claim::new(named, R::EvtErr005));
            claims.extend(details("subscribe_error"));
        }
    }
    claims
}

/// What entries of an error list hold beside the type, in this message or a general error.
fn details(word: &'static str) -> Vec<Claim> {
    let (own, general) = (error_list(word, DETAILS, DETAIL_RULES), error_list("error", DETAILS, DETAIL_RULES));
    let both = own.into_iter().zip(general);
    both.map(|(mut own, general)| {
        own.any_of.extend(general.any_of);
        own
    })
    .collect()
}

/// `unsubscribe`; `published`: the id is that of a publish.
pub(super) fn unsubscribe(scene: &Scene<'_>, id: &str, state: IdState, published: bool) -> Ask {
    let mut ask = Ask::plain(json!({ "type": "unsubscribe", "id": id }).to_string(), R::EvtErr015).under(id);
    let success = Pattern::with_id("unsubscribe_success", id);
    match state {
        // EVT-A-07: whether operations need an init is disputed.
        IdState::Live if !scene.acked => ask,
        IdState::Live => {
            ask.aftermath = R::EvtSub021;
            ask.due(vec![Claim::one(success, R::EvtSub016)])
        }
        IdState::Unclear => ask,
        IdState::Fresh | IdState::Ended | IdState::Refused => {
            if !scene.acked || !appsync_protocol::conversation::is_operation_id(id) {
                return ask;
            }
            let told =
                Pattern::with_id("unsubscribe_error", id).has("errors", Shape::ErrorType(&["UnknownOperationError"]));
            let rule = if published { R::EvtSub025 } else { R::EvtSub017 };
            let formed =
                |word| Pattern::with_id(word, id).has("errors", Shape::Array).has("errors.0.errorType", Shape::Text);
            let mut claims = vec![
                Claim::one(told, rule),
                Claim::new(vec![formed("unsubscribe_error"), formed("error")], R::EvtErr001),
            ];
            claims.extend(details("unsubscribe_error"));
            ask.due(claims)
        }
    }
}

/// Something that is no operation.
pub(super) fn say(what: Oddity) -> Ask {
    let general = || Pattern::word("error").has("errors", Shape::Errors);
    let formed = || Pattern::word("error").has("errors", Shape::Array).has("errors.0.errorType", Shape::Text);
    let refused = |rule, typed: bool| {
        let mut claims = vec![Claim::one(general(), rule)];
        if typed {
            let named = Pattern::word("error").has("errors", Shape::ErrorType(&["UnsupportedOperation"]));
            claims.push(Claim::one(named, R::EvtErr007));
            claims.push(Claim::one(formed(), R::EvtErr001));
            claims.extend(details("error"));
        }
        Ask::plain(odd_text(what), R::EvtErr015).due(claims)
    };
    let objected = |rule| {
        let claims = vec![Claim::new(vec![general(), Pattern::closed()], rule)];
        Ask::plain(odd_text(what), R::EvtErr015).due(claims).muddling()
    };
    match what {
        Oddity::UnknownWord => refused(R::EvtErr006, true),
        Oddity::UnknownWithId => refused(R::EvtErr006, false).under("odd"),
        Oddity::OtherStart => {
            let text = r#"{"type":"start","id":"g1","payload":{"data":"{\"query\":\"subscription { a }\"}"}}"#;
            Ask { frame: OwnedFrame::text(text), ..refused(R::EvtErr016, false) }.under("g1")
        }
        Oddity::OtherStop => {
            Ask { frame: OwnedFrame::text(r#"{"type":"stop","id":"g1"}"#), ..refused(R::EvtErr016, false) }.under("g1")
        }
        Oddity::NoType | Oddity::NumberType => refused(R::EvtErr010, false),
        Oddity::KeepAlive => Ask::plain(odd_text(what), R::EvtKa010),
        Oddity::Malformed | Oddity::NoJson | Oddity::Empty => objected(R::EvtErr008),
        Oddity::List | Oddity::Null | Oddity::Text => objected(R::EvtErr009),
        Oddity::Two => objected(R::EvtFrame012),
        Oddity::Binary => Ask { frame: OwnedFrame::Binary(vec![0x00, 0xff, 0xfe, 0x7b]), ..objected(R::EvtFrame002) },
        Oddity::Twice | Oddity::Deep | Oddity::Huge | Oddity::NumberId => {
            Ask::plain(odd_text(what), R::EvtErr015).muddling()
        }
    }
}

/// What a publish holds: texts of `events` as they are, whether they are to be taken, and the values that count.
struct Load {
    events: String,
    values: Vec<Json>,
    verdict: Taken,
}

enum Taken {
    All,
    None(Vec<Pattern>, R),
    /// This many, with the others failing.
    Some(Vec<usize>, R),
}

fn load(cast: &Cast, batch: Batch, serial: u32, id: &str) -> Load {
    let nonce = |n: usize| cast.nonce(&format!("e{serial}-{n}"));
    let texts = |values: &[Json]| {
        let all: Vec<_> = values.iter().map(|value| quoted(&value.to_string())).collect();
        format!("[{}]", all.join(","))
    };
    let all = |values: Vec<Json>| Load { events: texts(&values), values, verdict: Taken::All };
    let many = |count| (0..count).map(|n| json_text(&nonce(n))).collect::<Vec<_>>();
    let refusal = || Pattern::with_id("publish_error", id).has("errors", Shape::Errors);
    let general = || Pattern::word("error").has("errors", Shape::Errors);
    let large = |n: usize, bytes: usize| json_text(&format!("{} {}", nonce(n), "x".repeat(bytes)));
    match batch {
        Batch::One => all(many(1)),
        Batch::Three => all(many(3)),
        Batch::Five => all(many(5)),
        Batch::Six => {
            let typed = Pattern::with_id("publish_error", id).has("errors", Shape::ErrorType(&["InvalidInputError"]));
            Load { verdict: Taken::None(vec![typed], R::EvtPub004), ..all(many(6)) }
        }
        Batch::None => Load {
            events: "[]".into(),
            values: Vec::new(),
            verdict: Taken::None(vec![refusal(), receipt(id, 0)], R::EvtPub005),
        },
        Batch::Unicode => all(vec![json!(format!(
            "{} gr\u{fc}\u{df}e e\u{301} \u{65e5}\u{672c} \u{1f600} \u{2028} \"q\" \\ / \n\t \u{1}",
            nonce(0)
        ))]),
        Batch::Nested => {
            all(vec![json!({ "nonce": nonce(0), "list": [1, [2, { "deep": null }]], "empty": {}, "none": [] })])
        }
        Batch::BigNumber => all(vec![json!(9_007_199_254_740_993_i64)]),
        Batch::Fraction => all(vec![json!(-0.125)]),
        Batch::True => all(vec![json!(true)]),
        Batch::Null => all(vec![Json::Null]),
        Batch::EmptyText => all(vec![json!("")]),
        Batch::EmptyObject => all(vec![json!({}), json!({})]),
        Batch::NoJson => {
            let events = format!(r#"["\"{}\"","{{nothing"]"#, nonce(0));
            Load { events, values: vec![json_text(&nonce(0))], verdict: Taken::Some(vec![1], R::EvtPub006) }
        }
        Batch::NoText => {
            let events = format!(r#"[{{"nonce":"{}"}}]"#, nonce(0));
            Load { events, values: Vec::new(), verdict: Taken::None(vec![refusal(), general()], R::EvtPub026) }
        }
        Batch::ANumber => Load {
            events: "[7]".into(),
            values: Vec::new(),
            verdict: Taken::None(vec![refusal(), general()], R::EvtPub026),
        },
        Batch::Large => all(vec![large(0, 200_000)]),
        Batch::TooLarge => {
            let values = vec![json_text(&nonce(0)), large(1, 300_000), json_text(&nonce(2))];
            Load { verdict: Taken::Some(vec![1], R::EvtPub016), ..all(values) }
        }
        Batch::Million => all((0..5).map(|n| large(n, 199_900)).collect()),
        Batch::TooMany => {
            let nothing = Pattern::with_id("publish_success", id).has("successful", Shape::Length(0));
            let refused = vec![refusal(), nothing, Pattern::word("error"), Pattern::closed()];
            Load { verdict: Taken::None(refused, R::EvtLimit003), ..all((0..5).map(|n| large(n, 300_000)).collect()) }
        }
    }
}

/// The answer to a publish of which every event was taken.
fn receipt(id: &str, events: usize) -> Pattern {
    Pattern::with_id("publish_success", id).has("successful", Shape::Length(events)).has("failed", Shape::Length(0))
}

fn posted(cast: &Cast, place: &str, value: &Json) -> Posted {
    let text = value.to_string();
    let nonce = text.find(cast.prefix.as_str()).map(|at| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
        rest[..end].to_owned()
    });
    Posted { place: place.into(), nonce, value: value.clone(), ..Posted::default() }
}

/// The channel as a publish names it: a pattern is for subscribing.
fn published_to(cast: &Cast, topic: Topic, number: u8) -> (String, Verdict) {
    let (channel, verdict) = channel(cast, topic, number);
    let text = channel.as_str().map_or_else(|| room(cast, number), str::to_owned);
    let verdict = match (topic, verdict) {
        (Topic::Wild, _) => Verdict::Bad(R::EvtChannel013),
        (Topic::Nowhere, _) => Verdict::Bad(R::EvtPub017),
        (Topic::Number | Topic::Null, _) => Verdict::Good(R::EvtPub007),
        (_, verdict) => verdict,
    };
    (text, verdict)
}

/// `publish` over a connection, and what its subscribers are to hear.
pub(super) fn publish(
    scene: &Scene<'_>,
    (id, state, again): (&str, IdState, bool),
    (topic, number): (Topic, u8),
    batch: Batch,
    (who, form): (Who, Form),
) -> (Ask, Vec<Posted>) {
    let cast = scene.cast;
    let (channel, place) = published_to(cast, topic, number);
    let load = load(cast, batch, scene.serial, id);
    let body = format!(r#"{{"channel":{},"events":{}}}"#, quoted(&channel), load.events);
    let (authorization, authorized) = authorization(cast, who, &body);
    let mut members = vec![
        ("type", "\"publish\"".to_owned()),
        ("id", quoted(id)),
        ("channel", quoted(&channel)),
        ("events", load.events),
    ];
    members.extend(authorization.map(|authorization| ("authorization", authorization)));
    let mut ask = Ask::plain(written(form, &members), R::EvtPub025).under(id);
    if form == Form::Fragments {
        ask = ask.in_fragments(7);
    }
    let posts: Vec<_> = load.values.iter().map(|value| posted(cast, &channel, value)).collect();
    if !scene.acked || state == IdState::Unclear || !appsync_protocol::conversation::is_operation_id(id) {
        return (ask, posts);
    }
    let refusal = || Pattern::with_id("publish_error", id).has("errors", Shape::Errors);
    let refused = |rule| (vec![Claim::one(Pattern::with_id("publish_error", id), rule)], Vec::new());
    let (claims, posts) = match (authorized, place, load.verdict) {
        (Verdict::Bad(_), ..) if who == Who::Wrong => {
            let typed =
                Pattern::with_id("publish_error", id).has("errors", Shape::ErrorType(&["UnauthorizedException"]));
            (vec![Claim::one(typed, R::EvtPub018)], Vec::new())
        }
        // Which types these give is not known.
        (Verdict::Bad(_), ..) => (Vec::new(), Vec::new()),
        (_, Verdict::Bad(rule), _) if matches!(rule, R::EvtChannel013 | R::EvtPub017) => refused(rule),
        (_, Verdict::Bad(_), _) => (Vec::new(), Vec::new()),
        (_, _, Taken::None(answers, rule)) => {
            let mut claims = vec![Claim::new(answers, rule)];
            if rule == R::EvtPub004 {
                let named = [refusal(), Pattern::with_id("error", id)]
                    .map(|answer| answer.has("errors", Shape::Array).has("errors.0.errorType", Shape::Text));
                claims.push(Claim::new(named.to_vec(), R::EvtErr001));
                claims.extend(details("publish_error"));
            }
            (claims, Vec::new())
        }
        (_, _, Taken::Some(failed, rule)) => (vec![partly(id, &failed, load.values.len(), rule)], posts),
        (_, Verdict::Good(place), Taken::All) => {
            let mut answers = vec![receipt(id, load.values.len())];
            if again || state == IdState::Live {
                answers.push(refusal());
            }
            let rule = publish_rule(scene, (place, batch, form), again || state == IdState::Live);
            (vec![Claim::new(answers, rule)], posts)
        }
    };
    (ask.due(claims), posts)
}

fn publish_rule(scene: &Scene<'_>, (place, batch, form): (R, Batch, Form), again: bool) -> R {
    if place == R::EvtChannel005 {
        return place;
    }
    match form {
        Form::Fragments => return R::EvtFrame003,
        Form::Spaced => return R::EvtFrame008,
        Form::Extras => return R::EvtPub028,
        Form::Escaped => return R::EvtPub003,
        Form::Plain => {}
    }
    if again {
        return R::EvtPub014;
    }
    match batch {
        Batch::Five => R::EvtLimit001,
        Batch::Large => R::EvtLimit002,
        Batch::Million => R::EvtLimit003,
        Batch::One | Batch::Three if matches!(place, R::EvtChannel004 | R::EvtLimit009) => place,
        Batch::One | Batch::Three if scene.live == 0 => R::EvtPub012,
        Batch::One | Batch::Three => R::EvtPub007,
        Batch::Unicode
        | Batch::Nested
        | Batch::BigNumber
        | Batch::Fraction
        | Batch::True
        | Batch::Null
        | Batch::EmptyText
        | Batch::EmptyObject
        | Batch::Six
        | Batch::None
        | Batch::NoJson
        | Batch::NoText
        | Batch::ANumber
        | Batch::TooLarge
        | Batch::TooMany => R::EvtPub003,
    }
}

/// Some events fail. EVT-A-24: for what is no JSON the whole request may be refused instead.
fn partly(id: &str, failed: &[usize], values: usize, rule: R) -> Claim {
    let index = failed.first().copied().unwrap_or_default();
    let successful = if rule == R::EvtPub016 { values - failed.len() } else { values };
    let entry = Pattern::with_id("publish_success", id)
        .has("successful", Shape::Length(successful))
        .has("failed", Shape::Length(failed.len()))
        .has("failed.0.index", Shape::Is(json!(index)));
    if rule == R::EvtPub016 {
        let named = entry.clone().has("failed.0.code", Shape::Is(json!("EventTooLargeException")));
        return Claim::new(vec![named, entry.has("failed.0.code", Shape::PositiveInteger)], rule);
    }
    Claim::new(vec![entry, Pattern::with_id("publish_error", id).has("errors", Shape::Errors)], rule)
}

/// A publish over HTTP, and what its subscribers are to hear.
pub(super) fn http_publish(
    scene: &Scene<'_>,
    (topic, number): (Topic, u8),
    batch: Batch,
    who: Who,
) -> (Errand, Vec<Posted>) {
    let cast = scene.cast;
    let (channel, place) = published_to(cast, topic, number);
    let load = load(cast, batch, scene.serial, "");
    let body = format!(r#"{{"channel":{},"events":{}}}"#, quoted(&channel), load.events);
    let posts: Vec<_> = load.values.iter().map(|value| posted(cast, &channel, value)).collect();
    let request = match who {
        Who::Wrong => cast.post_with_key(&body, Some(WRONG_KEY)),
        Who::Absent => cast.post_with_key(&body, None),
        Who::Good
        | Who::Null
        | Who::Empty
        | Who::HostOnly
        | Who::Text
        | Who::Number
        | Who::More
        | Who::Bare
        | Who::Loud => cast.post(&body),
    };
    let listed = || Answer::between(400, 599).has("errors", Shape::Array).has("errors.0.errorType", Shape::Text);
    let client_error = || Answer::between(400, 499);
    let count = load.values.len();
    let (claims, posts) = match (who, place, load.verdict) {
        (Who::Wrong, ..) => (vec![(unauthorized(), R::EvtHttp015), (vec![listed()], R::EvtHttp007)], Vec::new()),
        (Who::Absent, ..) => (vec![(unauthorized(), R::EvtHttp008), (vec![listed()], R::EvtHttp007)], Vec::new()),
        (_, Verdict::Bad(R::EvtChannel013), _) => (vec![(vec![client_error()], R::EvtChannel013)], Vec::new()),
        (_, Verdict::Bad(R::EvtPub017), _) => {
            (vec![(vec![client_error().has("errors", Shape::Errors)], R::EvtHttp014)], Vec::new())
        }
        (_, Verdict::Bad(_), _) => (Vec::new(), Vec::new()),
        (_, _, Taken::None(_, R::EvtPub004)) => {
            let typed = client_error().has("errors", Shape::ErrorType(&["BadRequestException"]));
            (vec![(vec![typed], R::EvtHttp006), (vec![listed(), Answer::status(200)], R::EvtHttp007)], Vec::new())
        }
        (_, _, Taken::None(_, R::EvtPub026)) => (vec![(vec![client_error()], R::EvtHttp023)], Vec::new()),
        (_, _, Taken::None(_, R::EvtLimit003)) => {
            let none = Answer::status(200).has("successful", Shape::Length(0)).has("failed", Shape::Length(5));
            (vec![(vec![client_error(), none], R::EvtHttp017)], Vec::new())
        }
        (_, _, Taken::None(..)) => (Vec::new(), Vec::new()),
        (_, _, Taken::Some(_, R::EvtPub016)) => {
            let partly = Answer::status(200)
                .has("successful", Shape::Length(2))
                .has("failed", Shape::Length(1))
                .has("failed.0.index", Shape::Is(json!(1)));
            let named = partly.clone().has("failed.0.code", Shape::Is(json!("EventTooLargeException")));
            let numbered = partly.has("failed.0.code", Shape::PositiveInteger);
            (vec![(vec![named, numbered], R::EvtHttp016)], posts)
        }
        (_, _, Taken::Some(..)) => {
            let partly = Answer::status(200)
                .has("successful", Shape::Length(1))
                .has("failed", Shape::Length(1))
                .has("failed.0.index", Shape::Is(json!(1)));
            (vec![(vec![client_error().has("errors", Shape::Errors), partly], R::EvtHttp026)], posts)
        }
        (_, Verdict::Good(place), Taken::All) => (taken(count, place, batch), posts),
    };
    (Errand { request, claims }, posts)
}

fn unauthorized() -> Vec<Answer> {
    [401, 403].map(|status| Answer::status(status).has("errors", Shape::ErrorType(&["UnauthorizedException"]))).to_vec()
}

/// What is due for a publish over HTTP of which every event is taken.
fn taken(count: usize, place: R, batch: Batch) -> Vec<(Vec<Answer>, R)> {
    let mut whole = Answer::status(200).has("successful", Shape::Length(count)).has("failed", Shape::Length(0));
    if count == 3 {
        whole = whole.has("successful.2.identifier", Shape::Text);
    }
    let rule = match (batch, place) {
        (_, R::EvtChannel005) => R::EvtChannel005,
        (Batch::Large, _) => R::EvtHttp017,
        (Batch::Million, _) => R::EvtHttp017,
        (_, R::EvtChannel004) => R::EvtHttp025,
        (_, _) => R::EvtHttp004,
    };
    let first = Answer::status(200).has("successful.0.identifier", Shape::Text);
    let indexed = Answer::status(200).has("successful.0.index", Shape::Is(json!(0)));
    let labelled = Answer::status(200)
        .bears("x-amzn-requestid", Field::Present)
        .bears("x-amzn-appsync-tokensconsumed", Field::Present);
    let mut claims = vec![(vec![whole], rule)];
    if place == R::EvtChannel005 {
        return claims;
    }
    claims.push((vec![first], R::EvtHttp004));
    if count == 1 {
        claims.push((vec![indexed], R::EvtPub009));
        claims.push((vec![labelled], R::EvtHttp018));
    }
    claims
}

/// A publication that a subscription to this channel or pattern hears.
pub(super) fn warming(cast: &Cast, hears: &Hears, nonce: &str) -> (Errand, Vec<Posted>) {
    let channel = hears.place.replace('*', "a");
    let event = json_text(nonce);
    let posted = Posted { loose: channel.starts_with("/context/"), ..posted(cast, &channel, &event) };
    let request = cast.http_publish(&channel, &[event]);
    (Errand { request, claims: taken(1, R::EvtSub007, Batch::One) }, vec![posted])
}

/// Another request.
pub(super) fn call(scene: &Scene<'_>, call: Call) -> Errand {
    let cast = scene.cast;
    // Nobody subscribes to it.
    let channel = cast.channel("call");
    let nonce = cast.nonce(&format!("c{}", scene.serial));
    let event = quoted(&json!(nonce).to_string());
    let body = publish_body(&channel, &[json!(nonce)]);
    let errand = |request: Request, any_of: Vec<Answer>, rule| Errand { request, claims: vec![(any_of, rule)] };
    let refused = || vec![Answer::between(400, 499)];
    let one = || vec![Answer::status(200).has("successful", Shape::Length(1)).has("failed", Shape::Length(0))];
    let method = |method: &str, body: &str| {
        let mut request = cast.post(body);
        request.method = method.into();
        errand(request, vec![Answer::between(400, 499), Answer::status(501)], R::EvtHttp002)
    };
    let keyless = |key: Option<&str>, rule| {
        let listed = Answer::between(400, 599).has("errors", Shape::Array).has("errors.0.errorType", Shape::Text);
        let claims = vec![(unauthorized(), rule), (vec![listed], R::EvtHttp007)];
        Errand { request: cast.post_with_key(&body, key), claims }
    };
    match call {
        Call::Plain => {
            let pretty = format!("{{\r\n\t\"events\" : [ {event} ] ,\n  \"channel\":{}\n}}\n", quoted(&channel));
            errand(cast.post(&pretty), one(), R::EvtHttp003)
        }
        Call::Named => {
            let bare = channel.trim_start_matches('/');
            errand(cast.http_publish(bare, &[json!(nonce)]), one(), R::EvtHttp025)
        }
        Call::NoKey => keyless(None, R::EvtHttp008),
        Call::WrongKey => keyless(Some(WRONG_KEY), R::EvtHttp015),
        Call::Empty => errand(cast.post(""), refused(), R::EvtHttp022),
        Call::NoJson => errand(cast.post(r#"{"channel":"#), refused(), R::EvtHttp022),
        Call::Incomplete => {
            errand(cast.post(&format!(r#"{{"channel":7,"events":[{event}]}}"#)), refused(), R::EvtHttp003)
        }
        Call::Syntax => {
            let body = format!(r#"{{"channel":{},"events":{event}}}"#, quoted(&channel));
            errand(cast.post(&body), refused(), R::EvtHttp003)
        }
        Call::Unknown => {
            let nowhere = format!("/{}/room", cast.nonce("nowhere"));
            let refused = vec![Answer::between(400, 499).has("errors", Shape::Errors)];
            errand(cast.http_publish(&nowhere, &[json!(nonce)]), refused, R::EvtHttp014)
        }
        Call::Missing => {
            errand(cast.http_publish(&format!("{channel}/*"), &[json!(nonce)]), refused(), R::EvtChannel013)
        }
        Call::Subscription => method("PUT", &body),
        Call::Get => method("GET", ""),
        Call::Preflight => {
            let allowed = Answer::between(200, 299)
                .bears("access-control-allow-origin", Field::Grants("https://app.example.com"))
                .bears("access-control-allow-headers", Field::Grants("x-api-key"))
                .bears("access-control-allow-headers", Field::Grants("content-type"));
            errand(preflight(cast), vec![allowed], R::EvtHttp024)
        }
    }
}

/// Whether an event on this channel is for this subscription.
pub(super) fn matches(hears: &Hears, place: &str) -> bool {
    let pattern = appsync_protocol::channel::ChannelPattern::parse(&hears.place);
    pattern.is_ok_and(|pattern| Channel::parse(place).is_ok_and(|channel| pattern.matches(&channel)))
}
