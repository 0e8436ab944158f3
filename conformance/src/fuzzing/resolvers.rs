//! GraphQL where resolvers, filters, invalidation and rules of fields decide: what is said and published, and what is
//! due for it.

use appsync_protocol::handshake::Carrier;
use appsync_protocol::json::Json;
use appsync_protocol::requirement::Requirement as R;
use appsync_protocol::server::Mode;
use serde_json::json;

use super::ask::{Ask, Claim, Concern, Entrance, Errand, Hears, Posted, Scene, Welcome};
use super::graphql::room;
use super::notes;
use super::op::{Carriage, Proof, Setup, Sieve};
use super::proof::{Place, Standing, at_connect, is_stale, mode, of_operation, over_http, standing};
use super::sieve::{self, Fate};
use crate::auth::example::DENIED_DOCUMENT;
use crate::catalogue::graphql::enhanced::{PUT, one};
use crate::catalogue::modes::can_travel;
use crate::scenario::cast::{PUBLISH_TO_CHANNEL, SUBSCRIBE_TO_CHANNEL, channel_data, request_body};
use crate::scenario::{Answer, Capability, Cast, Greeting, Pattern, Shape};

const PUT_SPARSE: &str = "mutation P($shelf: ID, $text: String) { putItem(shelf: $shelf, text: $text) { id shelf } }";
const PUT_ON_SHELF: &str = "mutation P($s: ID, $t: String) { putItem(shelf: $s, text: $t) { id shelf text } }";
const MOVE: &str = "mutation M($s: ID, $t: String) { moveItem(shelf: $s, text: $t) { id shelf text } }";
const GREET: &str = "mutation G($t: String) { greet(text: $t) { text } }";

/// Where the resolver of `moveItem` puts every item.
const ELSEWHERE: &str = "elsewhere";

/// What a target has to declare for this.
pub(super) const fn needs(setup: Setup) -> Option<Capability> {
    match setup {
        Setup::Transform | Setup::DropSome => Some(Capability::ChangingResolver),
        Setup::EventError => Some(Capability::SubscriptionResolver),
        Setup::Reject | Setup::Unauthorized | Setup::Delay | Setup::Stall => Some(Capability::Invalidation),
        Setup::Fail => Some(Capability::FailingResolver),
        Setup::LambdaThrows => Some(Capability::DeniedQuery),
        Setup::Room
        | Setup::Grow
        | Setup::LambdaError
        | Setup::Context
        | Setup::SubscribeReject
        | Setup::SubscribeUnauthorized
        | Setup::SubscribeFail
        | Setup::SubscribeDelay
        | Setup::SubscribeContext
        | Setup::PublishIam
        | Setup::SubscribeIam => None,
    }
}

/// An upgrade with these credentials. `None` where they cannot travel so.
pub(super) fn enter(cast: &Cast, proof: Proof, by: Carriage) -> Option<Entrance> {
    let carrier = match by {
        Carriage::Usual | Carriage::Query => Carrier::Query,
        Carriage::Subprotocol => Carrier::Subprotocol,
        Carriage::Headers => Carrier::Headers,
    };
    if !can_travel(cast, mode(cast, proof), carrier) {
        return None;
    }
    let request = cast.upgrade(carrier, &at_connect(cast, proof));
    match standing(cast.dialect, Place::Connect, proof)? {
        Standing::Good => {
            let rule = good(proof);
            let greetings = vec![Greeting::accepted()];
            Some(Entrance { request, greetings, rule, welcome: Welcome::Acknowledged(rule) })
        }
        Standing::Refused | Standing::Changed => {
            // GQL-A-04: both messages tell of a refused connection; GQL-A-21: so may a status.
            let typed =
                Pattern::word("connection_error").has("payload.errors", Shape::ErrorType(&["UnauthorizedException"]));
            let either = vec![Pattern::word("connection_error"), Pattern::word("error")];
            let (told, rule) = if proof == Proof::EmptyToken {
                (vec![typed, Pattern::word("error"), Pattern::closed()], R::GqlAuth023)
            } else if proof == Proof::ExpiredKey {
                (either, R::GqlAuth024)
            } else {
                (either, if is_stale(proof) { R::SynSign001 } else { R::GqlAuth016 })
            };
            let greetings = vec![Greeting::accepted(), Greeting::client_error()];
            Some(Entrance { request, greetings, rule, welcome: Welcome::Refused(vec![Claim::new(told, rule)]) })
        }
    }
}

/// The rule that is broken where these are refused.
fn good(proof: Proof) -> R {
    if proof == Proof::FewHeaders {
        R::GqlAuth015
    } else if proof == Proof::Bearer {
        R::GqlAuth021
    } else if matches!(proof, Proof::Once | Proof::Kept) {
        R::GqlAuth020
    } else {
        R::GqlAuth013
    }
}

/// Document and variables of a subscription, and what it hears.
fn subscription(cast: &Cast, setup: Setup, number: u8) -> (&'static str, Json, Hears) {
    let room = room(cast, number);
    let hears = |place: &str, selected: &[&'static str]| Hears {
        place: place.into(),
        selected: selected.to_vec(),
        room: room.clone(),
        ..Hears::default()
    };
    const ITEM: &[&str] = &["id", "shelf", "text"];
    const MOVED: &str = "subscription S($s: ID) { onMoved(shelf: $s) { id shelf text } }";
    const SHELF: &str = "subscription S($s: ID, $g: AWSJSON) { onShelf(shelf: $s, guard: $g) { id shelf text } }";
    match setup {
        Setup::Transform => {
            (MOVED, json!({ "s": ELSEWHERE }), Hears { room: ELSEWHERE.into(), ..hears("onMoved", ITEM) })
        }
        Setup::DropSome => (MOVED, json!({ "s": room }), Hears { mute: true, ..hears("onMoved", ITEM) }),
        Setup::EventError => ("subscription { onGreeted { text } }", Json::Null, hears("onGreeted", &["text"])),
        Setup::Reject => {
            let guard = one("shelf", "eq", room.as_str()).to_string();
            (SHELF, json!({ "s": room, "g": guard }), Hears { guarded: true, ..hears("onShelf", ITEM) })
        }
        Setup::Unauthorized => (SHELF, json!({ "s": room, "g": null }), hears("onShelf", ITEM)),
        Setup::Grow => (DENIED_DOCUMENT, Json::Null, hears("subscribeToMessages", &["message"])),
        Setup::Room
        | Setup::Delay
        | Setup::Stall
        | Setup::Fail
        | Setup::LambdaThrows
        | Setup::LambdaError
        | Setup::Context
        | Setup::SubscribeReject
        | Setup::SubscribeUnauthorized
        | Setup::SubscribeFail
        | Setup::SubscribeDelay
        | Setup::SubscribeContext
        | Setup::PublishIam
        | Setup::SubscribeIam => {
            (SUBSCRIBE_TO_CHANNEL, json!({ "n": room }), hears("subscribe2channel", &["name", "data"]))
        }
    }
}

fn refusal(id: &str) -> Pattern {
    Pattern::with_id("error", id).has("payload.errors", Shape::Errors)
}

/// `start`, and what it hears if it is granted. `counts`: a token for one time is shown for the first time.
pub(super) fn listen(
    scene: &Scene<'_>,
    id: &str,
    (setup, number): (Setup, u8),
    (proof, counts): (Proof, bool),
) -> Option<(Ask, Option<Hears>)> {
    let cast = scene.cast;
    let (document, variables, hears) = subscription(cast, setup, number);
    let standing = standing(cast.dialect, Place::Subscribe, proof)?;
    let standing = if counts { standing } else { Standing::Refused };
    let body = request_body(document, &variables);
    let other = request_body(SUBSCRIBE_TO_CHANNEL, &json!({ "n": format!("{}2", hears.room) }));
    let credentials = of_operation(cast, proof, &body, (&other, "")).to_json();
    let mut ask = Ask::plain(cast.start_as(id, document, &variables, &credentials), R::GqlErr014).under(id);
    let denied = setup == Setup::Grow && mode(cast, proof) == Mode::Lambda;
    let refused = match standing {
        Standing::Good if denied => {
            let own = (Mode::Lambda, DENIED_DOCUMENT);
            cast.denied.as_ref().filter(|(mode, document)| (*mode, document.as_str()) == own)?;
            Some((refusal(id).has("payload.errors", Shape::ErrorType(&["Unauthorized"])), R::GqlAuth019))
        }
        Standing::Good => None,
        Standing::Changed => {
            Some((refusal(id).has("payload.errors", Shape::ErrorType(&["BadRequestException"])), R::GqlAuth014))
        }
        Standing::Refused if is_stale(proof) => Some((refusal(id), R::SynSign001)),
        Standing::Refused if counts => Some((refusal(id), R::GqlAuth018)),
        Standing::Refused => Some((refusal(id), R::GqlAuth020)),
    };
    if let Some((told, rule)) = refused {
        ask.aftermath = rule;
        return Some((ask.due(vec![Claim::one(told, rule)]), None));
    }
    ask.aftermath = R::GqlKa008;
    Some((ask.due(vec![Claim::one(Pattern::with_id("start_ack", id), good(proof))]), Some(hears)))
}

/// `start` with an enhanced filter, and what it hears if it is granted.
pub(super) fn sift(scene: &Scene<'_>, id: &str, kind: Sieve, value: u8) -> (Ask, Option<Hears>) {
    const PLAIN: &str = "subscription S($f: AWSJSON) { onItem(filter: $f) { id shelf } }";
    const WHOLE: &str = "subscription S($f: AWSJSON) { onItem(filter: $f) { id shelf text count ratio done tags counts \
        place { name within { name within { name within { name within { name } } } } } } }";
    const FIELDS: &[&str] = &["id", "shelf", "text", "count", "ratio", "done", "tags", "counts", "place"];
    const BESIDE: &str = "subscription S($s: ID, $f: AWSJSON) { onItem(shelf: $s, filter: $f) { id shelf } }";
    let filter = sieve::filter(kind, value);
    let plain = json!({ "f": filter.to_string() });
    let (document, variables, selected) = match (kind, value.is_multiple_of(2)) {
        (Sieve::BesideArguments, _) => (BESIDE, json!({ "s": "no-such-shelf", "f": filter.to_string() }), &FIELDS[..2]),
        (_, true) => (PLAIN, plain, &FIELDS[..2]),
        (_, false) => (WHOLE, plain, FIELDS),
    };
    let mut ask = Ask::plain(scene.cast.start(id, document, &variables), R::GqlErr013).under(id);
    let granted = || Pattern::with_id("start_ack", id);
    let hears = |rule| Hears {
        place: "onItem".into(),
        selected: selected.to_vec(),
        filter: Some((filter.clone(), rule)),
        mute: sieve::fitting(&filter).is_none(),
        ..Hears::default()
    };
    match sieve::fate(kind) {
        Fate::Taken(rule) => {
            ask.aftermath = R::GqlKa008;
            (ask.due(vec![Claim::one(granted(), rule)]), Some(hears(rule)))
        }
        Fate::Refused(rule) => {
            let told = vec![Claim::one(Pattern::word("error"), rule), Claim::one(refusal(id), R::GqlErr013)];
            (ask.due(told), None)
        }
        Fate::Vain(rule) => (ask.due(vec![Claim::new(vec![refusal(id), granted()], rule)]), Some(hears(rule))),
    }
}

fn posted(place: &str, nonce: &str, value: Json) -> Posted {
    Posted { place: place.into(), nonce: Some(nonce.into()), value, unmodelled: true, ..Posted::default() }
}

fn done(cast: &Cast, field: &'static str, body: &str) -> Errand {
    let answer = Answer::status(200).has(field, Shape::Object);
    Errand { request: cast.post(body), claims: vec![(vec![answer], R::GqlHttp002)] }
}

/// The mutation of this item; the nonce travels in `shelf`.
pub(super) fn put(cast: &Cast, nonce: &str, mut item: Json, sparse: bool) -> (Errand, Vec<Posted>) {
    item["shelf"] = nonce.into();
    let (document, variables, selected) = if sparse {
        (PUT_SPARSE, json!({ "shelf": nonce, "text": item["text"] }), json!({ "shelf": nonce }))
    } else {
        (PUT, item.clone(), item)
    };
    let body = request_body(document, &variables);
    let told = Posted { item: Some(selected.clone()), ..posted("onItem", nonce, selected) };
    (done(cast, "data.putItem", &body), vec![told])
}

/// The mutation of an item on a shelf.
fn put_on(cast: &Cast, shelf: &str, nonce: &str) -> (Errand, Vec<Posted>) {
    let body = request_body(PUT_ON_SHELF, &json!({ "s": shelf, "t": nonce }));
    let told = posted("onShelf", nonce, json!({ "shelf": shelf, "text": nonce }));
    (done(cast, "data.putItem", &body), vec![told])
}

fn moved(cast: &Cast, shelf: &str, nonce: &str) -> (Errand, Vec<Posted>) {
    let body = request_body(MOVE, &json!({ "s": shelf, "t": nonce }));
    let told = posted("onMoved", nonce, json!({ "shelf": ELSEWHERE, "text": nonce }));
    (done(cast, "data.moveItem", &body), vec![told])
}

fn greeted(cast: &Cast, nonce: &str) -> (Errand, Vec<Posted>) {
    let body = request_body(GREET, &json!({ "t": nonce }));
    (done(cast, "data.greet", &body), vec![posted("onGreeted", nonce, json!({ "text": nonce }))])
}

/// A publication that this subscription hears, with this nonce, where its field is one of these.
pub(super) fn warming(cast: &Cast, hears: &Hears, nonce: &str) -> Option<(Errand, Vec<Posted>)> {
    match hears.place.as_str() {
        "onItem" => {
            let (filter, _) = hears.filter.as_ref()?;
            Some(put(cast, nonce, sieve::fitting(filter)?, false))
        }
        "onShelf" => Some(put_on(cast, &hears.room, nonce)),
        "onMoved" => Some(moved(cast, "from", nonce)),
        "onGreeted" => Some(greeted(cast, nonce)),
        _ => None,
    }
}

/// A request over HTTP, and what subscribers are to hear of it.
pub(super) fn tell(scene: &Scene<'_>, (setup, number): (Setup, u8), proof: Proof) -> Option<(Errand, Vec<Posted>)> {
    let cast = scene.cast;
    let nonce = cast.nonce(&format!("t{}", scene.serial));
    let room = room(cast, number);
    let call = |body: &str, answer: Answer, rule| {
        let request = cast.post(body);
        (Errand { request, claims: vec![(vec![answer], rule)] }, Vec::new())
    };
    Some(match setup {
        Setup::Transform | Setup::DropSome => moved(cast, &room, &nonce),
        Setup::EventError => greeted(cast, &nonce),
        Setup::Reject | Setup::Unauthorized => put_on(cast, &room, &nonce),
        Setup::Delay => {
            let body = request_body("mutation E($s: ID) { endShelf(shelf: $s) { id shelf } }", &json!({ "s": room }));
            (done(cast, "data.endShelf", &body), Vec::new())
        }
        Setup::Stall => {
            let document = "mutation E($s: ID) { endShelfOften(shelf: $s) { id } }";
            let body = request_body(document, &json!({ "s": nonce }));
            call(&body, Answer::status(200).has("errors", Shape::Errors), R::GqlLimit013)
        }
        Setup::Fail => {
            let failed = Answer::status(200)
                .has("data.breakItem", Shape::Nothing)
                .has("errors.0.errorType", Shape::Is("Broken".into()))
                .has("errors.0.errorInfo", Shape::Is(json!({ "code": 1 })));
            let body = request_body("mutation B($t: String) { breakItem(text: $t) { id } }", &json!({ "t": nonce }));
            call(&body, failed, R::GqlHttp011)
        }
        Setup::LambdaThrows => {
            let denied = Answer::status(200)
                .has("data.dummy", Shape::Nothing)
                .has("errors", Shape::ErrorType(&["Unauthorized", "UnauthorizedException"]));
            let body = request_body("query { dummy(param: \"x\") }", &Json::Null);
            let request = cast.post_by(&cast.secret(Mode::Lambda)?, &body);
            (Errand { request, claims: vec![(vec![denied], R::GqlHttp012)] }, Vec::new())
        }
        Setup::Room
        | Setup::Grow
        | Setup::LambdaError
        | Setup::Context
        | Setup::SubscribeReject
        | Setup::SubscribeUnauthorized
        | Setup::SubscribeFail
        | Setup::SubscribeDelay
        | Setup::SubscribeContext
        | Setup::PublishIam
        | Setup::SubscribeIam => return published(cast, &room, &nonce, proof),
    })
}

/// The mutation of the channel schema with these credentials, or a query that is refused for them.
fn published(cast: &Cast, room: &str, nonce: &str, proof: Proof) -> Option<(Errand, Vec<Posted>)> {
    const QUERY: &str = r#"{"query":"{ __typename }"}"#;
    const OTHER: &str = r#"{"query":"{ __typename  }"}"#;
    let refused = |request, answer, rule| (Errand { request, claims: vec![(vec![answer], rule)] }, Vec::new());
    Some(match standing(cast.dialect, Place::Http, proof)? {
        Standing::Good => {
            let value = json!({ "name": room, "data": channel_data(nonce) });
            let body = request_body(PUBLISH_TO_CHANNEL, &json!({ "n": room, "d": channel_data(nonce) }));
            let answer = Answer::status(200).has("data.publish2channel", Shape::Object);
            let request = over_http(cast, proof, &body, &body);
            let told = Posted { unmodelled: false, ..posted("subscribe2channel", nonce, value) };
            (Errand { request, claims: vec![(vec![answer], R::GqlHttp002)] }, vec![told])
        }
        Standing::Refused => {
            let answer = Answer::status(401).has("errors", Shape::ErrorType(&["UnauthorizedException"]));
            refused(over_http(cast, proof, QUERY, QUERY), answer, R::GqlHttp004)
        }
        Standing::Changed => {
            let answer = Answer::between(400, 499).has("errors", Shape::Errors);
            refused(over_http(cast, proof, OTHER, QUERY), answer, R::GqlHttp006)
        }
    })
}

/// Whether a subscription is to hear what was published to its field.
pub(super) fn concern(hears: &Hears, posted: &Posted) -> Concern {
    match hears.place.as_str() {
        "onItem" => {
            let (Some((filter, rule)), Some(item)) = (&hears.filter, &posted.item) else { return Concern::Open };
            let rule = if *rule == R::GqlFilter011 && by_case(filter, item) { R::GqlFilter019 } else { *rule };
            let unselected = item.get("text").is_none();
            match sieve::passes(filter, item) {
                _ if rule == R::GqlFilter018 => Concern::MustNot(rule),
                Some(true) => Concern::Must,
                Some(false) => Concern::MustNot(rule),
                None if unselected && rule == R::GqlFilter011 => Concern::MustNot(R::GqlFilter025),
                None => Concern::Open,
            }
        }
        "onMoved" if hears.room == ELSEWHERE => Concern::Must,
        "onMoved" => Concern::MustNot(R::GqlFilter006),
        "onGreeted" => Concern::Must,
        "onNote" => notes::concern(hears, &posted.value),
        "onShelf" => match posted.value.get("shelf").and_then(Json::as_str) == Some(hears.room.as_str()) {
            true => Concern::Must,
            false => Concern::MustNot(R::GqlFilter002),
        },
        _ => match posted.value.get("name").and_then(Json::as_str).is_none_or(|name| name == hears.room) {
            true => Concern::Must,
            false => Concern::Open,
        },
    }
}

/// Whether the text of an item differs from that of its filter in case alone.
fn by_case(filter: &Json, item: &Json) -> bool {
    let wanted = filter.pointer("/filterGroup/0/filters/0/value").and_then(Json::as_str);
    let got = item.get("text").and_then(Json::as_str);
    wanted.zip(got).is_some_and(|(wanted, got)| wanted != got && wanted.eq_ignore_ascii_case(got))
}
