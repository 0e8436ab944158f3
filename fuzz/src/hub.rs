//! The hub against a look at every subscription, and against the rules.
//!
//! The invariant: whatever connections do, each event arrives at exactly the subscriptions that a plain list of all of
//! them names, once, in order; every request is answered; and the conversations beside them find nothing against the
//! server.

use std::collections::BTreeMap;
use std::time::Duration;

use appsync_protocol::conversation::Conversation;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::Raw;
use appsync_protocol::filter::Filter;
use appsync_protocol::hub::{ConnectionId, Hub, Occurrence};
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::moment::Moment;
use appsync_protocol::selection::{Field, Selection};
use appsync_protocol::server::{Asked, Host, Identity, Plan, PlanChecks, Policy, Refusal};
use appsync_protocol::wire::{Frame, OwnedFrame, Side};
use serde_json::{Value, json};

use crate::draw::Draw;
use crate::reach::Point;

static ARRIVED: Point = Point::new("hub/arrived");
static NOBODY: Point = Point::new("hub/nobody");
static ANSWERED: Point = Point::new("hub/answered");
static ENDED: Point = Point::new("hub/ended");
/// Where the oracle speaks.
pub static POINTS: [&Point; 4] = [&ARRIVED, &NOBODY, &ANSWERED, &ENDED];

const SEATS: usize = 5;
const PATTERNS: [&str; 8] =
    ["/default/a", "/default/A", "/default/a/b", "/default/*", "/default/a/*", "/other/a", "/other/*", "default/a/"];
const CHANNELS: [&str; 7] =
    ["/default", "/default/a", "/default/A", "/default/a/b", "/default/a/b/c", "/default/ab", "/other/a"];
const FIELDS: [&str; 2] = ["onNote", "onOther"];
const ARGUMENTS: [&str; 7] =
    ["{}", r#"{"a":"x"}"#, r#"{"a":"y"}"#, r#"{"a":"x","b":"x"}"#, r#"{"a":null}"#, r#"{"a":1}"#, r#"{"b":true}"#];
const OBJECTS: [&str; 7] = [
    "{}",
    r#"{"a":"x","b":"x"}"#,
    r#"{"a":"x","b":"y"}"#,
    r#"{"a":"y","b":null}"#,
    r#"{"a":null,"b":"y"}"#,
    r#"{"a":1.0,"b":"x"}"#,
    r#"{"a":"xx","b":true}"#,
];

/// What a subscription wants.
#[derive(Clone, Debug)]
enum Wanted {
    Below(String),
    Exact(String),
    Field { field: &'static str, arguments: Json },
    Filtered { field: &'static str },
}

impl Wanted {
    fn of_channel(text: &str) -> Self {
        let bare = text.trim_matches('/');
        match bare.strip_suffix("/*") {
            Some(prefix) => Self::Below(prefix.into()),
            None => Self::Exact(bare.into()),
        }
    }

    /// Segments of the channel, one by one.
    fn hears_channel(&self, channel: &str) -> bool {
        let given: Vec<&str> = channel.trim_matches('/').split('/').collect();
        match self {
            Self::Exact(own) => own.split('/').eq(given),
            Self::Below(prefix) => {
                let wanted: Vec<&str> = prefix.split('/').collect();
                given.len() > wanted.len() && given[..wanted.len()] == wanted[..]
            }
            Self::Field { .. } | Self::Filtered { .. } => false,
        }
    }

    fn hears_field(&self, name: &str, object: &Value) -> bool {
        match self {
            Self::Filtered { field } => *field == name && object["a"] == "x",
            Self::Field { field, arguments } => {
                let mut each = arguments.as_object().into_iter().flatten();
                *field == name
                    && each.all(|(argument, value)| {
                        object
                            .get(argument)
                            .is_some_and(|own| own == value || value.is_number() && own.as_f64() == value.as_f64())
                    })
            }
            Self::Exact(_) | Self::Below(_) => false,
        }
    }
}

struct Seat {
    id: ConnectionId,
    talk: Conversation,
    wants: BTreeMap<String, Wanted>,
}

struct World {
    hub: Hub,
    now: Moment,
    seats: Vec<Seat>,
    events: u32,
}

/// One input: what happens, one thing after the other.
pub fn run(input: &[u8]) {
    let mut draw = Draw::new(input);
    let mut world = World { hub: Hub::new(Policy::default()), now: Moment::START, seats: Vec::new(), events: 0 };
    for seat in 0..SEATS {
        let seat = world.accept(seat);
        world.seats.push(seat);
    }
    for _ in 0..64 {
        if draw.is_over() {
            break;
        }
        let seat = draw.below(SEATS);
        match draw.byte() % 8 {
            0 | 1 => world.subscribe(&mut draw, seat),
            2 => world.unsubscribe(&mut draw, seat),
            3 => {
                world.frame(seat, Frame::Lost);
                world.seats[seat] = world.accept(seat);
            }
            4 | 5 => world.publish(&mut draw, seat),
            6 => world.announce(&mut draw),
            _ => {
                world.pass(Duration::from_secs(u64::from(draw.byte())));
            }
        }
    }
}

impl World {
    fn accept(&mut self, seat: usize) -> Seat {
        let id = self.hub.accept(self.now, dialect(seat), Ok(()));
        let mut talk = Conversation::new(dialect(seat));
        let init = Frame::text(r#"{"type":"connection_init"}"#);
        talk.observe(self.now, Side::Client, init);
        self.hub.receive(self.now, id, init, &mut Anybody);
        while let Some((_, frame)) = self.hub.poll() {
            let findings = talk.observe(self.now, Side::Server, frame.borrow()).findings;
            assert!(findings.is_empty(), "{findings:?}");
        }
        Seat { id, talk, wants: BTreeMap::new() }
    }

    /// Wakes the hub whenever it asked for it.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(due) = self.hub.deadline().filter(|due| due.at <= end) {
            self.now = self.now.max(due.at);
            self.hub.elapse(self.now);
            self.said();
        }
        self.now = end;
    }

    fn frame(&mut self, seat: usize, frame: Frame<'_>) {
        self.seats[seat].talk.observe(self.now, Side::Client, frame);
        self.hub.receive(self.now, self.seats[seat].id, frame, &mut Anybody);
    }

    /// What the hub says now: seat and message.
    fn said(&mut self) -> Vec<(usize, Value)> {
        let mut all = Vec::new();
        while let Some((id, frame)) = self.hub.poll() {
            let Some(seat) = self.seats.iter().position(|seat| seat.id == id) else { continue };
            let findings = self.seats[seat].talk.observe(self.now, Side::Server, frame.borrow()).findings;
            assert!(findings.is_empty(), "{findings:?}");
            if let OwnedFrame::Text { text, .. } = frame {
                let message = parse_json(&text).unwrap_or_else(|| panic!("no JSON: {text}"));
                if message["type"] != "ka" {
                    all.push((seat, message));
                }
            }
        }
        all
    }

    /// The one message that answers a request.
    fn answer(&mut self, seat: usize) -> String {
        let said = self.said();
        ANSWERED.reached();
        let words = said.iter().map(|(at, message)| (*at, message["type"].as_str().unwrap_or_default()));
        let [(at, word)] = words.collect::<Vec<_>>()[..] else { panic!("one answer expected: {said:?}") };
        assert_eq!(at, seat, "{said:?}");
        word.to_owned()
    }

    fn subscribe(&mut self, draw: &mut Draw<'_>, seat: usize) {
        let id = draw.pick(&["a", "b", "c"]);
        let (text, wanted) = match dialect(seat) {
            Dialect::Events => {
                let pattern = draw.pick(&PATTERNS);
                let text = json!({"type": "subscribe", "id": id, "channel": pattern, "authorization": {}});
                (text, Wanted::of_channel(pattern))
            }
            Dialect::Graphql => {
                let (field, arguments, is_filtered) = (draw.pick(&FIELDS), draw.pick(&ARGUMENTS), draw.once_in(4));
                let data = format!("{field} {is_filtered} {arguments}");
                let text = json!({"type": "start", "id": id,
                    "payload": {"data": data, "extensions": {"authorization": {}}}});
                let arguments = parse_json(arguments).unwrap_or_default();
                let wanted = if is_filtered { Wanted::Filtered { field } } else { Wanted::Field { field, arguments } };
                (text, wanted)
            }
        };
        self.frame(seat, Frame::text(&text.to_string()));
        let word = self.answer(seat);
        let is_new = !self.seats[seat].wants.contains_key(id);
        let granted = matches!(word.as_str(), "start_ack" | "subscribe_success");
        assert_eq!(granted, is_new, "{word} to {text}");
        if is_new {
            self.seats[seat].wants.insert(id.into(), wanted);
        }
    }

    fn unsubscribe(&mut self, draw: &mut Draw<'_>, seat: usize) {
        let id = draw.pick(&["a", "b", "c"]);
        let was = self.seats[seat].wants.contains_key(id);
        // A client that stops what is not there is answered in ways that sources do not agree on.
        if !was {
            return;
        }
        self.seats[seat].wants.remove(id);
        let word = if dialect(seat) == Dialect::Events { "unsubscribe" } else { "stop" };
        self.frame(seat, Frame::text(&json!({"type": word, "id": id}).to_string()));
        let told = self.answer(seat);
        ENDED.reached();
        assert!(matches!(told.as_str(), "complete" | "unsubscribe_success"), "{told}");
    }

    fn publish(&mut self, draw: &mut Draw<'_>, seat: usize) {
        if dialect(seat) != Dialect::Events {
            return;
        }
        let channel = draw.pick(&CHANNELS);
        let events: Vec<String> = (0..1 + draw.below(3)).map(|_| self.fresh()).collect();
        let text = json!({"type": "publish", "id": "p", "channel": channel, "events": events, "authorization": {}});
        self.frame(seat, Frame::text(&text.to_string()));
        let mut said = self.said();
        let answers = said.extract_if(.., |(_, message)| message["id"] == "p").collect::<Vec<_>>();
        assert!(
            matches!(&answers[..], [(at, answer)] if *at == seat && answer["type"] == "publish_success"),
            "{answers:?}"
        );
        let heard = said.iter().map(|(seat, message)| (*seat, id_of(message), text_of(&message["event"]))).collect();
        self.compare(heard, &events, |wanted| wanted.hears_channel(channel));
    }

    fn announce(&mut self, draw: &mut Draw<'_>) {
        let (field, mut object) = (draw.pick(&FIELDS), parse_json(draw.pick(&OBJECTS)).unwrap_or_default());
        let nonce = self.fresh();
        object["n"] = json!(nonce);
        self.hub.announce(&Occurrence { field: field.into(), object: object.clone() });
        let said = self.said();
        let heard = said
            .iter()
            .map(|(seat, message)| (*seat, id_of(message), text_of(&message["payload"]["data"][field]["n"])));
        self.compare(heard.collect(), &[nonce], |wanted| wanted.hears_field(field, &object));
    }

    fn compare(&self, heard: Vec<(usize, String, String)>, events: &[String], wants: impl Fn(&Wanted) -> bool) {
        let mut heard = heard;
        for (at, seat) in self.seats.iter().enumerate() {
            for (id, _) in seat.wants.iter().filter(|(_, wanted)| wants(wanted)) {
                let own = heard.extract_if(.., |(to, told, _)| *to == at && told == id);
                let own: Vec<String> = own.map(|(_, _, event)| event).collect();
                ARRIVED.reached();
                assert_eq!(own, events, "seat {at}, {id}");
            }
        }
        NOBODY.reached();
        assert!(heard.is_empty(), "nobody asked for {heard:?}");
    }

    /// A JSON text that no other event is.
    fn fresh(&mut self) -> String {
        self.events += 1;
        self.events.to_string()
    }
}

fn id_of(message: &Value) -> String {
    text_of(&message["id"])
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn dialect(seat: usize) -> Dialect {
    if seat.is_multiple_of(2) { Dialect::Events } else { Dialect::Graphql }
}

/// Lets everybody in, and reads `field is_filtered arguments` for a document.
struct Anybody;

impl Host for Anybody {
    fn authorize(&mut self, _: Asked<'_>, _: Option<Raw<'_>>) -> Result<Identity, Refusal> {
        Ok(Identity::default())
    }

    fn plan(&mut self, request: &str, _: &Identity, _: PlanChecks) -> Result<Plan, Vec<Refusal>> {
        let mut parts = request.splitn(3, ' ');
        let (field, filtered) = (parts.next().unwrap_or_default(), parts.next() == Some("true"));
        let arguments = parts.next().and_then(parse_json).unwrap_or_default();
        let selected = Field { key: "n".into(), name: "n".into(), of: "String".into(), required: false, inner: None };
        let filter = Filter::parse(&json!({"a": {"eq": "x"}})).ok().filter(|_| filtered);
        Ok(Plan {
            key: field.into(),
            field: field.into(),
            arguments: arguments.as_object().cloned().unwrap_or_default().into_iter().collect(),
            selection: Selection { on: "Note".into(), fields: vec![selected] },
            required: false,
            filter,
            invalidation: None,
        })
    }
}
