//! GraphQL subscriptions: what is said and published, and what is due for it.

use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::wire::OwnedFrame;
use serde_json::json;

use super::ask::{Ask, Claim, Errand, Hears, IdState, Posted, Scene, any_error, by_door, escaped};
use super::notes;
use super::op::{Batch, Call, Form, Oddity, Topic, Who};
use crate::scenario::cast::{PUBLISH_TO_CHANNEL, SUBSCRIBE_TO_CHANNEL, WRONG_KEY, channel_data, quoted, request_body};
use crate::scenario::{Answer, Cast, Pattern, Shape};

/// Most subscriptions of a connection (GQL-LIMIT-002).
pub(super) const SUBSCRIPTIONS_MAX: usize = 200;

/// The name of a room.
pub(super) fn room(cast: &Cast, number: u8) -> String {
    cast.nonce(&format!("room-{}", number % 3))
}

/// `connection_init`.
pub(super) fn init(form: Form, acked: bool, welcome: R) -> Ask {
    let (text, rule) = match form {
        Form::Plain | Form::Escaped => (r#"{"type":"connection_init"}"#.to_owned(), welcome),
        Form::Fragments => (r#"{"type":"connection_init"}"#.to_owned(), R::GqlFrame008),
        Form::Spaced => ("\r\n{\n\t\"type\" : \"connection_init\"\n}\n ".to_owned(), R::GqlFrame001),
        Form::Extras => (r#"{"type":"connection_init","payload":{}}"#.to_owned(), welcome),
    };
    let rule = by_door(rule, welcome);
    let ack = || Pattern::word("connection_ack");
    let timeout = |shape| ack().has("payload.connectionTimeoutMs", shape);
    let claims = if acked {
        Vec::new()
    } else {
        vec![
            Claim::one(ack(), rule),
            Claim::one(timeout(Shape::PositiveInteger), R::GqlInit003),
            Claim::new(vec![timeout(Shape::AtLeast(1_000)), timeout(Shape::Absent)], R::GqlInit004),
            Claim::one(Pattern::without_id("connection_ack"), R::GqlInit012),
        ]
    };
    let ask = Ask::plain(text, R::GqlInit013).due(claims);
    // What becomes of a second one is an open question, GQL-P-02.
    let ask = if acked { ask.muddling() } else { ask };
    if form == Form::Fragments { ask.in_fragments(3) } else { ask }
}

/// A document, its variables, the operation's name and what it hears; or the rules that it breaks.
struct Request {
    body: Json,
    hears: Option<Hears>,
    /// Claims on the refusal.
    refusal: Vec<(Pattern, R)>,
}

const WHOLE: &[&str] = &["name", "data"];

fn good(document: &str, variables: Json, hears: Hears) -> Request {
    let body = request_body(document, &variables);
    Request { body: body.into(), hears: Some(hears), refusal: Vec::new() }
}

fn bad(document: &str, variables: Json, rule: R) -> Request {
    let body = request_body(document, &variables);
    Request { body: body.into(), hears: None, refusal: vec![(any_error(), rule)] }
}

fn hears(field: &str, selected: &[&'static str], room: &str) -> Hears {
    Hears { place: field.into(), selected: selected.to_vec(), room: room.into(), ..Hears::default() }
}

fn request(cast: &Cast, topic: Topic, number: u8, id: &str) -> Request {
    let room = room(cast, number);
    let channel = |selected| hears("subscribe2channel", selected, &room);
    let note = |stars| Hears { stars, ..hears("onNote", notes::NOTE, &room) };
    match topic {
        Topic::Room | Topic::Loud => good(SUBSCRIBE_TO_CHANNEL, json!({ "n": room }), channel(WHOLE)),
        Topic::Bare => {
            let document = format!(r#"subscription {{ subscribe2channel(name: "{room}") {{ name data }} }}"#);
            good(&document, Json::Null, channel(WHOLE))
        }
        Topic::Trailing => {
            let document = "subscription S($n: String!) { subscribe2channel(name: $n) { data } }";
            good(document, json!({ "n": room }), channel(&["data"]))
        }
        Topic::Below => {
            let document = "subscription { subscribeToMessages { message } }";
            good(document, Json::Null, hears("subscribeToMessages", &["message"], &room))
        }
        Topic::Deep => {
            let document = "subscription S($b: ID) { onNote(board: $b) { id board text stars tags } }";
            good(document, json!({ "b": room }), note(None))
        }
        Topic::Longest => {
            let document =
                "subscription S($b: ID, $s: Int) { onNote(board: $b, stars: $s) { id board text stars tags } }";
            let stars = notes::stars_of(number);
            good(document, json!({ "b": room, "s": stars }), note(Some(Some(stars))))
        }
        Topic::Wild => {
            let document = "subscription S($b: ID) { onNote(board: $b, stars: null) { id board text stars tags } }";
            good(document, json!({ "b": room }), note(Some(None)))
        }
        Topic::Namespace => {
            let query = "subscription A($a: String!) { subscribe2channel(name: $a) { name data } } \
                         subscription B($b: String!) { subscribe2channel(name: $b) { name data } }";
            let variables = json!({ "a": format!("{room}-other"), "b": room });
            let body = json!({ "query": query, "variables": variables, "operationName": "B" });
            Request { body: body.to_string().into(), hears: Some(channel(WHOLE)), refusal: Vec::new() }
        }
        Topic::SixSegments
        | Topic::LongSegment
        | Topic::Hyphen
        | Topic::OtherCharacter
        | Topic::Empty
        | Topic::EmptySegment
        | Topic::Nowhere
        | Topic::WildInside
        | Topic::WildSegment
        | Topic::DoubleWild
        | Topic::WildAll
        | Topic::WildSixth
        | Topic::Number
        | Topic::Null => refused_request(cast, topic, &room, id),
    }
}

fn refused_request(cast: &Cast, topic: Topic, room: &str, id: &str) -> Request {
    let refusal = || Pattern::with_id("error", id).has("payload.errors", Shape::Errors);
    let typed = || any_error().has("payload.errors", Shape::ErrorType(&["UnsupportedOperation"]));
    let raw = |body: Json, claims| Request { body, hears: None, refusal: claims };
    match topic {
        Topic::LongSegment => bad("subscription { subscribe2channel { name } }", Json::Null, R::GqlErr011),
        Topic::Hyphen => {
            let document = r#"subscription { subscribe2channel(name: "a", nothing: 1) { name } }"#;
            bad(document, Json::Null, R::GqlErr011)
        }
        Topic::OtherCharacter => bad("subscription { subscribe2channel(name: 5) { name } }", Json::Null, R::GqlErr011),
        Topic::Empty => bad(SUBSCRIBE_TO_CHANNEL, Json::Null, R::GqlErr012),
        Topic::EmptySegment => bad(SUBSCRIBE_TO_CHANNEL, json!({ "n": null }), R::GqlErr012),
        Topic::Nowhere | Topic::WildSixth => bad("subscription {", Json::Null, R::GqlErr011),
        Topic::WildInside => {
            let query = Json::from(request_body("query { __typename }", &Json::Null));
            raw(query, vec![(any_error(), R::GqlSub034), (typed(), R::GqlErr007)])
        }
        Topic::WildSegment => {
            let variables = json!({ "n": room, "d": channel_data(&cast.nonce(&format!("started-{id}"))) });
            raw(Json::from(request_body(PUBLISH_TO_CHANNEL, &variables)), vec![(any_error(), R::GqlErr008)])
        }
        Topic::DoubleWild => {
            let data = json!({ "query": SUBSCRIBE_TO_CHANNEL, "variables": { "n": room } });
            raw(data, vec![(typed(), R::GqlErr006)])
        }
        Topic::WildAll => raw("subscription".into(), vec![(any_error(), R::GqlErr011)]),
        Topic::Number => raw(7.into(), vec![(any_error(), R::GqlErr006)]),
        Topic::Null => raw(Json::Null, vec![(any_error(), R::GqlErr006)]),
        Topic::SixSegments
        | Topic::Room
        | Topic::Bare
        | Topic::Trailing
        | Topic::Below
        | Topic::Deep
        | Topic::Longest
        | Topic::Wild
        | Topic::Loud
        | Topic::Namespace => {
            let document = "subscription { nothingLikeThis { message } }";
            let body = Json::from(request_body(document, &Json::Null));
            raw(body, vec![(refusal(), R::GqlErr011)])
        }
    }
}

/// `start`, and what the subscription hears if it is granted.
pub(super) fn subscribe(
    scene: &Scene<'_>,
    (id, state): (&str, IdState),
    (topic, room): (Topic, u8),
    who: Who,
    form: Form,
) -> (Ask, Option<Hears>) {
    let cast = scene.cast;
    let Request { body, hears, refusal } = request(cast, topic, room, id);
    let text = start(cast, id, &body, who, form);
    let mut ask = Ask::plain(text, R::GqlErr014).under(id);
    if form == Form::Fragments {
        ask = ask.in_fragments(3);
    }
    if !scene.acked || state == IdState::Unclear || scene.may_be_full() || matches!(who, Who::Null) {
        // GQL-A-02: whether a start before the acknowledgement counts is disputed.
        ask.aftermath = R::GqlInit005;
        return (ask, None);
    }
    let told = || Pattern::with_id("error", id).has("payload.errors", Shape::Errors);
    let (claims, hears) = match who {
        Who::Wrong => (vec![Claim::one(any_error(), R::GqlAuth012), Claim::one(told(), R::GqlAuth018)], None),
        Who::Absent | Who::Empty => (vec![Claim::one(told(), R::GqlAuth018)], None),
        Who::Good | Who::Null | Who::HostOnly | Who::Text | Who::Number | Who::More | Who::Bare | Who::Loud => {
            (Vec::new(), hears)
        }
    };
    if !claims.is_empty() {
        ask.aftermath = R::GqlAuth018;
        return (ask.due(claims), None);
    }
    if hears.is_none() {
        let (claims, aftermath) = refusals(scene, id, state, refusal);
        ask.aftermath = aftermath;
        return (ask.due(claims), None);
    }
    let (claims, granted) = grants(scene, id, state, (topic, form));
    ask.aftermath = if state == IdState::Live { R::GqlErr009 } else { R::GqlKa008 };
    (ask.due(claims), hears.filter(|_| granted))
}

/// What is due for a start that has to be refused for its request.
fn refusals(scene: &Scene<'_>, id: &str, state: IdState, refusal: Vec<(Pattern, R)>) -> (Vec<Claim>, R) {
    if state == IdState::Live {
        let rule = refusal.first().map_or(R::GqlErr011, |(_, rule)| *rule);
        return (vec![Claim::one(any_error(), rule)], R::GqlErr009);
    }
    let listed =
        Pattern::word("error").has("payload.errors", Shape::Array).has("payload.errors.0.message", Shape::Text);
    let single = Pattern::word("error").has("payload.errors.message", Shape::Text);
    let mut claims: Vec<_> = refusal.into_iter().map(|(pattern, rule)| Claim::one(pattern, rule)).collect();
    let plain = claims.first().is_some_and(|claim| matches!(claim.rule, R::GqlErr011 | R::GqlErr012));
    if plain {
        claims.push(Claim::new(vec![listed, single], R::GqlErr001));
        if scene.live > 0 {
            claims.push(Claim::one(Pattern::with_id("error", id), R::GqlErr002));
        }
    }
    let aftermath = if claims.first().is_some_and(|claim| claim.rule == R::GqlSub034) {
        R::GqlErr014
    } else {
        claims.first().map_or(R::GqlErr014, |claim| if plain { R::GqlErr014 } else { claim.rule })
    };
    (claims, aftermath)
}

/// What is due for a start of which nothing is wrong but, possibly, its id. And whether it will live.
fn grants(scene: &Scene<'_>, id: &str, state: IdState, (topic, form): (Topic, Form)) -> (Vec<Claim>, bool) {
    let ack = || Pattern::with_id("start_ack", id);
    let told = || Pattern::with_id("error", id).has("payload.errors", Shape::Errors);
    if state == IdState::Live {
        let typed = told().has("payload.errors", Shape::ErrorType(&["DuplicatedOperationError"]));
        let answered = vec![Pattern::with_id("error", id), Pattern::without_id("error")];
        return (vec![Claim::new(answered, R::GqlErr009), Claim::new(vec![typed, ack()], R::GqlErr010)], false);
    }
    if scene.live >= SUBSCRIPTIONS_MAX {
        let types = &["MaxSubscriptionsReachedError", "MaxSubscriptionsReachedException"];
        let typed = Pattern::with_id("error", id).has("payload.errors", Shape::ErrorType(types));
        return (vec![Claim::one(typed, R::GqlLimit003)], false);
    }
    let rule = match (form, state, topic) {
        (Form::Fragments, ..) => R::GqlFrame008,
        (Form::Escaped, ..) => R::GqlFrame009,
        (Form::Spaced, ..) => R::GqlFrame004,
        (Form::Extras, ..) => R::GqlFrame005,
        (Form::Plain, IdState::Refused, _) => R::GqlErr014,
        (Form::Plain, _, Topic::Namespace) => R::GqlSub032,
        (Form::Plain, ..) if id.len() < 2 || id.len() > 60 || !id.is_ascii() => R::GqlSub005,
        (Form::Plain, ..) if scene.live >= 100 => R::GqlLimit002,
        (Form::Plain, ..) if scene.live >= 1 => R::GqlSub011,
        (Form::Plain, ..) => R::GqlSub006,
    };
    let mut answers = vec![ack()];
    if state == IdState::Ended {
        answers.push(Pattern::with_id("error", id));
        return (vec![Claim::new(answers, rule)], true);
    }
    (vec![Claim::new(answers, rule), Claim::one(ack().has("payload", Shape::Absent), R::GqlSub008)], true)
}

fn start(cast: &Cast, id: &str, body: &Json, who: Who, form: Form) -> String {
    let authorization = match who {
        Who::Wrong => cast.wrong_credentials().to_json(),
        Who::Good
        | Who::Absent
        | Who::Null
        | Who::Empty
        | Who::HostOnly
        | Who::Text
        | Who::Number
        | Who::More
        | Who::Bare
        | Who::Loud => cast.authorization_of(body.as_str().unwrap_or_default()),
    };
    let extensions = match who {
        Who::Absent | Who::Empty => String::new(),
        Who::Good
        | Who::Wrong
        | Who::Null
        | Who::HostOnly
        | Who::Text
        | Who::Number
        | Who::More
        | Who::Bare
        | Who::Loud => {
            format!(r#","extensions":{{"authorization":{authorization}}}"#)
        }
    };
    let id = quoted(id);
    let data = match (form, body.as_str()) {
        (Form::Escaped, Some(text)) => escaped(text),
        (Form::Plain | Form::Fragments | Form::Spaced | Form::Extras | Form::Escaped, _) => body.to_string(),
    };
    match form {
        Form::Plain | Form::Fragments | Form::Escaped => {
            format!(r#"{{"id":{id},"type":"start","payload":{{"data":{data}{extensions}}}}}"#)
        }
        Form::Spaced => {
            format!(" {{ \"payload\" : {{\"data\" :{data}{extensions} }},\n\"type\":\"start\",\t\"id\":{id}}}")
        }
        Form::Extras => format!(
            r#"{{"type":"start","id":{id},"trace":{{"a":[1]}},"payload":{{"data":{data}{extensions},"trace":null}}}}"#
        ),
    }
}

/// `stop`
pub(super) fn unsubscribe(id: &str, state: IdState) -> Ask {
    let ask = Ask::plain(json!({ "type": "stop", "id": id }).to_string(), R::GqlErr014).under(id);
    if state != IdState::Live {
        return ask;
    }
    let complete = || Pattern::with_id("complete", id);
    let mut ask = ask.due(vec![
        Claim::one(complete(), R::GqlSub024),
        Claim::one(complete().has("payload", Shape::Absent), R::GqlSub025),
    ]);
    ask.aftermath = R::GqlSub030;
    ask
}

/// Something that is no operation.
pub(super) fn say(what: Oddity) -> Ask {
    let unknown = |text: &str, id: Option<&str>| {
        let typed = Pattern::without_id("error").has("payload.errors", Shape::ErrorType(&["UnsupportedOperation"]));
        let ask = Ask::plain(text, R::GqlErr005)
            .due(vec![Claim::one(any_error(), R::GqlErr005), Claim::one(typed, R::GqlErr005)]);
        match id {
            Some(id) => ask.under(id),
            None => ask,
        }
    };
    let muddle = |text: String| Ask::plain(text, R::GqlErr005).muddling();
    match what {
        Oddity::UnknownWord => unknown(r#"{"type":"connection_terminate"}"#, None),
        Oddity::UnknownWithId => unknown(r#"{"type":"connection_terminate","id":"odd"}"#, Some("odd")),
        Oddity::Binary => Ask { frame: OwnedFrame::Binary(vec![0xff, 0x00, 0xfe, 0x01]), ..muddle(String::new()) },
        Oddity::OtherStart
        | Oddity::OtherStop
        | Oddity::NoType
        | Oddity::NumberType
        | Oddity::KeepAlive
        | Oddity::Malformed
        | Oddity::NoJson
        | Oddity::List
        | Oddity::Null
        | Oddity::Text
        | Oddity::Two
        | Oddity::Empty
        | Oddity::Twice
        | Oddity::Deep
        | Oddity::Huge
        | Oddity::NumberId => muddle(odd_text(what)),
    }
}

/// The text of what is no message of either dialect, or of the other one only.
pub(super) fn odd_text(what: Oddity) -> String {
    match what {
        Oddity::UnknownWord | Oddity::Binary => r#"{"type":"nothing_like_this"}"#.into(),
        Oddity::UnknownWithId => r#"{"type":"nothing_like_this","id":"odd"}"#.into(),
        Oddity::OtherStart => r#"{"type":"subscribe","id":"g1","channel":"/default/a"}"#.into(),
        Oddity::OtherStop => r#"{"type":"unsubscribe","id":"g1"}"#.into(),
        Oddity::NoType => "{}".into(),
        Oddity::NumberType => r#"{"type":7}"#.into(),
        Oddity::KeepAlive => r#"{"type":"ka"}"#.into(),
        Oddity::Malformed => r#"{"type":"start","id":"#.into(),
        Oddity::NoJson => "nothing like this".into(),
        Oddity::List => "[]".into(),
        Oddity::Null => "null".into(),
        Oddity::Text => r#""connection_init""#.into(),
        Oddity::Two => r#"{"type":"connection_init"}{"type":"connection_init"}"#.into(),
        Oddity::Empty => String::new(),
        Oddity::Twice => r#"{"type":"nothing_once","type":"nothing_twice","id":"a","id":"b"}"#.into(),
        Oddity::Deep => {
            let (opened, closed) = ("[".repeat(10_000), "]".repeat(10_000));
            format!(r#"{{"type":"nothing_nested","id":"deep","nothing":{opened}{closed}}}"#)
        }
        Oddity::Huge => format!(r#"{{"type":"filler","filler":"{}"}}"#, "x".repeat(2_000_000)),
        Oddity::NumberId => r#"{"type":"start","id":5,"payload":{"data":"{}"}}"#.into(),
    }
}

/// A mutation, and what its subscribers are to hear.
pub(super) fn publish(
    scene: &Scene<'_>,
    (topic, number): (Topic, u8),
    batch: Batch,
    who: Who,
) -> (Errand, Vec<Posted>) {
    let cast = scene.cast;
    let again = batch == Batch::EmptyObject;
    let nonce = if again { format!("same-{}-{}", topic as u8, number % 3) } else { format!("e{}", scene.serial) };
    let (nonce, room) = (cast.nonce(&nonce), room(cast, number));
    match who {
        Who::Wrong => return (refused(cast.post_with_key(TYPE_NAME, Some(WRONG_KEY)), R::GqlHttp004), Vec::new()),
        Who::Absent => return (refused(cast.post_with_key(TYPE_NAME, None), R::GqlHttp003), Vec::new()),
        Who::Good
        | Who::Null
        | Who::Empty
        | Who::HostOnly
        | Who::Text
        | Who::Number
        | Who::More
        | Who::Bare
        | Who::Loud => {}
    }
    let (errand, mut posted) = match topic {
        Topic::Below => send_message(cast, &nonce, batch),
        Topic::Deep | Topic::Longest | Topic::Wild => {
            notes::add_note(cast, &room, &nonce, (notes::stars(topic, number, batch), batch))
        }
        Topic::Loud => to_channel(cast, &room.to_uppercase(), &nonce, batch),
        Topic::Bare => to_channel(cast, &format!("{room}x"), &nonce, batch),
        Topic::Room
        | Topic::Trailing
        | Topic::Namespace
        | Topic::SixSegments
        | Topic::LongSegment
        | Topic::Hyphen
        | Topic::OtherCharacter
        | Topic::Empty
        | Topic::EmptySegment
        | Topic::Nowhere
        | Topic::WildInside
        | Topic::WildSegment
        | Topic::DoubleWild
        | Topic::WildAll
        | Topic::WildSixth
        | Topic::Number
        | Topic::Null => to_channel(cast, &room, &nonce, batch),
    };
    // The delivery model tells no equal ones apart.
    posted.iter_mut().for_each(|posted| posted.unmodelled |= again);
    (errand, posted)
}

pub(super) fn posted(place: &str, nonce: &str, value: Json) -> Posted {
    Posted { place: place.into(), nonce: Some(nonce.into()), value, ..Posted::default() }
}

pub(super) fn done(cast: &Cast, body: &str, answer: Answer, posted: Posted) -> (Errand, Vec<Posted>) {
    (Errand { request: cast.post(body), claims: vec![(vec![answer], R::GqlHttp002)] }, vec![posted])
}

/// The text that a mutation carries.
pub(super) fn text_of(nonce: &str, batch: Batch) -> String {
    match batch {
        Batch::Unicode => format!("{nonce} \"q\" \\ / \n\t \u{fc} \u{9375} \u{1f511} \u{2028} </script>"),
        Batch::Nested => format!("{nonce} e\u{301} \u{200d} \u{a0} \u{1100}\u{1161}"),
        Batch::One
        | Batch::Three
        | Batch::Five
        | Batch::Six
        | Batch::None
        | Batch::BigNumber
        | Batch::Fraction
        | Batch::True
        | Batch::Null
        | Batch::EmptyText
        | Batch::EmptyObject
        | Batch::NoJson
        | Batch::NoText
        | Batch::ANumber
        | Batch::Large
        | Batch::TooLarge
        | Batch::Million
        | Batch::TooMany => nonce.to_owned(),
    }
}

fn send_message(cast: &Cast, nonce: &str, batch: Batch) -> (Errand, Vec<Posted>) {
    let text = text_of(nonce, batch);
    let document = "mutation M($m: String) { sendMessage(msg: $m) { message } }";
    let body = request_body(document, &json!({ "m": text }));
    let answer = Answer::status(200).has("data.sendMessage", Shape::Object);
    done(cast, &body, answer, posted("subscribeToMessages", nonce, json!({ "message": text })))
}

fn to_channel(cast: &Cast, room: &str, nonce: &str, batch: Batch) -> (Errand, Vec<Posted>) {
    let data = match batch {
        Batch::Large => json!({ "nonce": nonce, "filler": "x".repeat(235_000) }).to_string(),
        Batch::TooLarge => json!({ "nonce": nonce, "filler": "x".repeat(260_000) }).to_string(),
        Batch::Unicode | Batch::Nested => json!({ "nonce": text_of(nonce, batch) }).to_string(),
        Batch::One
        | Batch::Three
        | Batch::Five
        | Batch::Six
        | Batch::None
        | Batch::BigNumber
        | Batch::Fraction
        | Batch::True
        | Batch::Null
        | Batch::EmptyText
        | Batch::EmptyObject
        | Batch::NoJson
        | Batch::NoText
        | Batch::ANumber
        | Batch::Million
        | Batch::TooMany => channel_data(nonce),
    };
    let variables = json!({ "n": room, "d": data });
    let whole = json!({ "name": room, "data": data });
    let place = "subscribe2channel";
    match batch {
        Batch::Five => {
            let sparse = "mutation M($n: String!, $d: AWSJSON!) { publish2channel(name: $n, data: $d) { data } }";
            let told = Posted { matches_no_argument: true, ..posted(place, nonce, json!({ "data": data })) };
            let answer = Answer::status(200).has("data", Shape::Object);
            done(cast, &request_body(sparse, &variables), answer, told)
        }
        Batch::Six => {
            let sparse = "mutation M($n: String!, $d: AWSJSON!) { publish2channel(name: $n, data: $d) { name } }";
            let told = Posted { forbidden_null: true, ..posted(place, nonce, json!({ "name": room })) };
            let answer = Answer::status(200).has("data", Shape::Object);
            done(cast, &request_body(sparse, &variables), answer, told)
        }
        Batch::One
        | Batch::Three
        | Batch::None
        | Batch::Unicode
        | Batch::Nested
        | Batch::BigNumber
        | Batch::Fraction
        | Batch::True
        | Batch::Null
        | Batch::EmptyText
        | Batch::EmptyObject
        | Batch::NoJson
        | Batch::NoText
        | Batch::ANumber
        | Batch::Large
        | Batch::TooLarge
        | Batch::Million
        | Batch::TooMany => {
            let answer =
                Answer::status(200).has("data.publish2channel", Shape::Is(whole.clone())).has("errors", Shape::Nothing);
            let told = posted(place, nonce, whole);
            done(cast, &request_body(PUBLISH_TO_CHANNEL, &variables), answer, told)
        }
    }
}

/// A publication that this subscription hears, with this nonce.
pub(super) fn warming(cast: &Cast, hears: &Hears, nonce: &str) -> (Errand, Vec<Posted>) {
    if let Some(declared) = super::resolvers::warming(cast, hears, nonce) {
        return declared;
    }
    match hears.place.as_str() {
        "subscribeToMessages" => send_message(cast, nonce, Batch::One),
        "onNote" => notes::add_note(cast, &hears.room, nonce, (hears.stars.flatten(), Batch::One)),
        _ => to_channel(cast, &hears.room, nonce, Batch::One),
    }
}

const TYPE_NAME: &str = r#"{"query":"query { __typename }"}"#;

fn refused(request: appsync_protocol::wire::Request, rule: R) -> Errand {
    let typed = Answer::status(401).has("errors", Shape::ErrorType(&["UnauthorizedException"]));
    let formed = Answer::between(400, 499)
        .has("errors", Shape::Array)
        .has("errors.0.errorType", Shape::Text)
        .has("errors.0.message", Shape::Text);
    Errand { request, claims: vec![(vec![typed], rule), (vec![formed], R::GqlHttp013)] }
}

/// Another request.
pub(super) fn call(cast: &Cast, call: Call) -> Errand {
    let malformed = |body: &str, rule| {
        let answer = Answer::status(400).has("errors", Shape::ErrorType(&["MalformedHttpRequestException"]));
        Errand { request: cast.post(body), claims: vec![(vec![answer], rule)] }
    };
    match call {
        Call::Plain | Call::Get => {
            let answer = Answer::status(200).has("data.kind", Shape::Text).has("data.__typename", Shape::Absent);
            let request = cast.post(r#"{"query":"query { kind: __typename }"}"#);
            Errand { request, claims: vec![(vec![answer], R::GqlHttp002)] }
        }
        Call::Named => {
            let query = "query A { a: __typename } query B { b: __typename }";
            let body = json!({ "query": query, "operationName": "B" });
            let answer = Answer::status(200).has("data.b", Shape::Text).has("data.a", Shape::Absent);
            Errand { request: cast.post(&body.to_string()), claims: vec![(vec![answer], R::GqlHttp001)] }
        }
        Call::NoKey => refused(cast.post_with_key(TYPE_NAME, None), R::GqlHttp003),
        Call::WrongKey => refused(cast.post_with_key(TYPE_NAME, Some(WRONG_KEY)), R::GqlHttp004),
        Call::Empty => malformed("", R::GqlHttp007),
        Call::NoJson => malformed("{oops", R::GqlHttp008),
        Call::Incomplete => malformed(r#"{"variables":{}}"#, R::GqlHttp008),
        Call::Syntax => malformed(r#"{"query":"query {"}"#, R::GqlHttp008),
        Call::Unknown => {
            let told = Answer::status(200)
                .has("errors", Shape::Errors)
                .has("errors.0.message", Shape::Text)
                .has("data", Shape::Nothing);
            let placed =
                Answer::status(200).has("errors.0.path", Shape::Present).has("errors.0.locations", Shape::Present);
            let request = cast.post(r#"{"query":"query { nothingLikeThis }"}"#);
            Errand { request, claims: vec![(vec![told], R::GqlHttp009), (vec![placed], R::GqlHttp016)] }
        }
        Call::Missing => {
            let request = cast.post(&request_body(PUBLISH_TO_CHANNEL, &json!({ "n": "nobody" })));
            let answer = Answer::status(200).has("errors", Shape::Errors);
            Errand { request, claims: vec![(vec![answer], R::GqlHttp010)] }
        }
        Call::Subscription => {
            let document = r#"subscription { subscribe2channel(name: "a") { name } }"#;
            let without = Answer::status(200).has("data.subscribe2channel", Shape::Nothing);
            let request = cast.post(&request_body(document, &Json::Null));
            Errand { request, claims: vec![(vec![Answer::between(400, 499), without], R::GqlHttp014)] }
        }
        Call::Preflight => {
            Errand { request: preflight(cast), claims: vec![(vec![Answer::between(200, 299)], R::GqlHttp017)] }
        }
    }
}

/// What a browser asks before it lets a page publish.
pub(super) fn preflight(cast: &Cast) -> appsync_protocol::wire::Request {
    let mut request = cast.post_with_key("", None);
    request.method = "OPTIONS".into();
    request.headers.push("origin", "https://app.example.com");
    request.headers.push("access-control-request-method", "POST");
    request.headers.push("access-control-request-headers", "content-type,x-api-key");
    request
}
