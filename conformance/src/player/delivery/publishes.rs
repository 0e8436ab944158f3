//! What a scenario publishes, and what the answer says about it: taken, refused, or not clear.

use appsync_protocol::channel::Channel;
use appsync_protocol::delivery::Subject;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::finding::Finding;
use appsync_protocol::json::{Json, parse_json};
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{Request, Response};

use super::super::inbox::nonces;
use super::super::operation::Operation;
use super::{Asked, Deliveries, Told, finding};

/// Longest publish that the model is told of, in bytes.
pub(super) const LARGE: usize = 32 * 1024;

/// A mutation of the suite's schemas and the subscription that hears it.
pub(super) struct Field {
    mutation: &'static str,
    pub(super) subscription: &'static str,
    /// Argument of the mutation and member of its result that carry the nonce.
    carrier: (&'static str, &'static str),
    /// Arguments of both that are members of the result too.
    pub(super) matched: &'static [&'static str],
}

pub(super) const FIELDS: [Field; 3] = [
    Field {
        mutation: "publish2channel",
        subscription: "subscribe2channel",
        carrier: ("data", "data"),
        matched: &["name"],
    },
    Field { mutation: "sendMessage", subscription: "subscribeToMessages", carrier: ("msg", "message"), matched: &[] },
    Field { mutation: "addNote", subscription: "onNote", carrier: ("text", "text"), matched: &["board", "stars"] },
];

impl Deliveries {
    /// The scenario makes an HTTP request; it may be a publish.
    pub(in crate::player) fn called(&mut self, at: Moment, call: u32, request: &Request) {
        if request.method != "POST" || request.body.0.len() > LARGE {
            return;
        }
        let text = request.body.text();
        let told = match self.dialect {
            Dialect::Graphql => vec![self.mutated(at, &text)],
            Dialect::Events => {
                let Some(body) = parse_json(&text) else { return };
                let (Some(channel), Some(events)) = (body.get("channel"), body.get("events")) else { return };
                self.published_on(at, None, channel, events)
            }
        };
        self.pending.insert(Asked::Call(call), told);
    }

    /// An HTTP request is answered. Gives events that had arrived although they are refused.
    pub(in crate::player) fn answered(&mut self, at: Moment, call: u32, response: &Response) -> Vec<Finding> {
        let Some(told) = self.pending.remove(&Asked::Call(call)) else { return Vec::new() };
        if (400..500).contains(&response.status) {
            return self.settle_all(at, &told, false);
        }
        let Some(body) = parse_json(&response.body.text()).filter(|_| response.status == 200) else {
            return Vec::new();
        };
        match self.dialect {
            Dialect::Events => self.settle_events(at, &told, body.get("successful"), body.get("failed")),
            Dialect::Graphql => self.settle_mutation(at, &told, &body),
        }
    }

    /// Tells of each event of a list.
    pub(super) fn published_on(
        &mut self,
        at: Moment,
        by: Option<u32>,
        channel: &Json,
        events: &Json,
    ) -> Vec<Option<String>> {
        let (Some(channel), Some(events)) = (channel.as_str(), events.as_array()) else { return Vec::new() };
        self.places.extend(nonces(channel, &self.prefix));
        let Ok(channel) = Channel::parse(channel) else { return Vec::new() };
        let tell = |event: &Json| {
            let text = event.as_str().filter(|text| text.len() <= LARGE)?;
            self.told(at, by, text, Subject::Channel(channel.clone()), Json::Null)
        };
        events.iter().map(tell).collect()
    }

    /// Tells of the event of a mutation.
    fn mutated(&mut self, at: Moment, request: &str) -> Option<String> {
        let Operation { subscribes, field, arguments, selected } = Operation::read(request)?;
        let known = FIELDS.iter().find(|known| !subscribes && known.mutation == field)?;
        let (carrier, carried) = known.carrier;
        let is_selected = |name: &&str| selected.iter().any(|selected| selected == name);
        let whole = is_selected(&carried) && known.matched.iter().all(is_selected);
        let simple = arguments.keys().all(|name| name == carrier || known.matched.contains(&name.as_str()));
        let text = arguments.get(carrier).and_then(Json::as_str).filter(|_| whole && simple)?;
        let value = |name: &&str| ((*name).to_owned(), arguments.get(*name).cloned().unwrap_or(Json::Null));
        let object: Json = known.matched.iter().map(value).collect();
        self.places.extend(nonces(&object.to_string(), &self.prefix));
        let subject = Subject::Field { field: known.subscription.into(), object: object.clone() };
        self.told(at, None, text, subject, object)
    }

    /// Tells of an event that carries just one nonce.
    fn told(&mut self, at: Moment, by: Option<u32>, text: &str, subject: Subject, object: Json) -> Option<String> {
        if self.is_blind {
            return None;
        }
        let mut carried = nonces(text, &self.prefix).into_iter();
        let nonce = carried.next().filter(|_| carried.next().is_none())?;
        if let Some(before) = self.events.get_mut(&nonce) {
            before.tainted = true;
            before.repeated = true;
            return None;
        }
        self.events.insert(nonce.clone(), Told { answered: None, tainted: false, repeated: false, object });
        self.model.published(at, &nonce, by, subject);
        Some(nonce)
    }

    pub(super) fn settle_all(&mut self, at: Moment, told: &[Option<String>], accepted: bool) -> Vec<Finding> {
        told.iter().flatten().flat_map(|nonce| self.settle_one(at, nonce, accepted)).collect()
    }

    /// Reads both lists of an answer: an event that stands in neither, or in both, is left open.
    pub(super) fn settle_events(
        &mut self,
        at: Moment,
        told: &[Option<String>],
        successful: Option<&Json>,
        failed: Option<&Json>,
    ) -> Vec<Finding> {
        let listed = |list: Option<&Json>, index: usize| {
            let entries = list.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            entries.iter().any(|entry| entry.get("index").and_then(Json::as_u64) == u64::try_from(index).ok())
        };
        let mut found = Vec::new();
        for (index, nonce) in told.iter().enumerate() {
            let Some(nonce) = nonce else { continue };
            match (listed(successful, index), listed(failed, index)) {
                (true, false) => found.extend(self.settle_one(at, nonce, true)),
                (false, true) => found.extend(self.settle_one(at, nonce, false)),
                (true, true) | (false, false) => self.taint(&[Some(nonce.clone())]),
            }
        }
        found
    }

    fn settle_mutation(&mut self, at: Moment, told: &[Option<String>], body: &Json) -> Vec<Finding> {
        let result = body.get("data").and_then(Json::as_object).and_then(|data| data.values().next());
        let failed = body.get("errors").and_then(Json::as_array).is_some_and(|errors| !errors.is_empty());
        let as_told = |nonce: &String| {
            self.events.get(nonce).zip(result).is_some_and(|(told, result)| {
                told.object.as_object().is_some_and(|o| o.iter().all(|(name, v)| result.get(name) == Some(v)))
            })
        };
        if !failed && told.iter().flatten().all(as_told) {
            return self.settle_all(at, told, true);
        }
        if failed && result.is_none_or(Json::is_null) {
            return self.settle_all(at, told, false);
        }
        // A result that is not what was asked for: who wants it cannot be told from the request.
        self.taint(told);
        Vec::new()
    }

    fn settle_one(&mut self, at: Moment, nonce: &str, accepted: bool) -> Vec<Finding> {
        let Some(told) = self.events.get_mut(nonce) else { return Vec::new() };
        told.answered = Some(at);
        let tainted = told.tainted || self.places.contains(nonce);
        let wrong = self.model.publish_answered(at, nonce, accepted);
        if tainted { Vec::new() } else { wrong.into_iter().map(finding).collect() }
    }

    pub(super) fn taint(&mut self, told: &[Option<String>]) {
        for nonce in told.iter().flatten() {
            if let Some(told) = self.events.get_mut(nonce) {
                told.tainted = true;
            }
        }
    }
}
