//! What an event has to hold: the value that was published, as much of it as the subscriber selected.
//!
//! The delivery model knows who must, may and must not hear a nonce. Here the rest is judged: that the event is the one
//! which bears that nonce, unchanged, and that values without a nonce arrive too. A subscription on a place that nobody
//! else knows hears nothing but what was published in this dialogue.

use std::collections::BTreeSet;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::json::{Json, parse_json, same_meaning};
use appsync_protocol::requirement::Requirement as R;

use super::ask::{Claim, Hears, Posted};
use super::driver::{Driver, SubPhase};
use super::handlers::frame_of;
use crate::scenario::{Conn, Pattern, Shape, cut, is_same};

/// The event of a mutation that left out what may not be null (GQL-A-14: as data, or as an error).
pub(super) fn null_event(id: &str) -> Claim {
    let data = Pattern::with_id("data", id)
        .has("payload.data.subscribe2channel", Shape::Nothing)
        .has("payload.errors", Shape::Errors);
    let error = Pattern::with_id("error", id).has("payload.errors", Shape::Errors);
    Claim::new(vec![data, error], R::GqlSub016)
}

impl Driver<'_> {
    /// An event has come that breaks no rule so far.
    pub(super) fn on_event(&mut self, conn: Conn, id: &str, nonces: &BTreeSet<String>, message: &Json) {
        let warmed = self
            .warm
            .take_if(|warm| warm.conn == conn && warm.id == id && nonces.iter().any(|nonce| warm.told.contains(nonce)));
        if warmed.is_some() {
            self.referee.settled(self.now, conn, id);
        }
        let Some(line) = self.lines.get_mut(&conn) else { return };
        let Some(sub) = line.subs.iter_mut().find(|sub| sub.id == id) else { return };
        sub.settled |= warmed.is_some() && sub.phase == SubPhase::Live;
        let (hears, phase) = (sub.hears.clone(), sub.phase);
        if line.muddled || phase != SubPhase::Live {
            return;
        }
        let wrong = match self.dialect() {
            Dialect::Events => self.event_of_events(conn, id, &hears, message),
            Dialect::Graphql => self.event_of_graphql((conn, id), &hears, nonces, message),
        };
        if let Some((rule, detail)) = wrong {
            self.blame(rule, detail, "data");
        }
    }

    fn event_of_events(&mut self, conn: Conn, id: &str, hears: &Hears, message: &Json) -> Option<(R, String)> {
        let event = message.get("event")?;
        let text = event.as_str().or_else(|| match event.as_array().map(Vec::as_slice) {
            Some([only]) => only.as_str(),
            Some(_) | None => None,
        })?;
        let Some(value) = parse_json(text) else {
            return Some((R::EvtData002, format!("sent an event that is no JSON text: {}", cut(text, 100))));
        };
        let paid = |owed: &super::driver::Owed| owed.conn == conn && owed.id == id && same_meaning(&owed.value, &value);
        if let Some(at) = self.owed.iter().position(paid) {
            self.owed.remove(at);
            return None;
        }
        let own = hears.place.contains(self.setting.cast.prefix.as_str());
        let plain = Plain::of(&value);
        let told = self.posted.iter().filter(|posted| posted.loose && plain.is_of(posted));
        let untold = told.flat_map(|posted| &posted.told).find(|claim| !claim.fits(&frame_of(message), Some(message)));
        if let Some(Claim { any_of, rule }) = untold {
            let expected: Vec<_> = any_of.iter().map(ToString::to_string).collect();
            return Some((*rule, format!("expected {}; got {}", expected.join(" or "), cut(text, 200))));
        }
        let same = |posted: &Posted| same_meaning(&posted.value, &value) || (posted.loose && plain.is_of(posted));
        let published = self.posted.iter().any(same);
        (own && !published).then(|| {
            let shown = cut(text, 100);
            (R::EvtPub027, format!("sent {id:?} an event that nobody published like that: {shown}"))
        })
    }

    fn event_of_graphql(
        &mut self,
        (conn, id): (Conn, &str),
        hears: &Hears,
        nonces: &BTreeSet<String>,
        message: &Json,
    ) -> Option<(R, String)> {
        let payload = message.get("payload")?;
        let data = payload.get("data").filter(|data| !data.is_null());
        let has_errors = payload.get("errors").is_some();
        let object = data.and_then(|data| data.get(&hears.place)).filter(|object| !object.is_null());
        let Some(object) = object else {
            let keyed = data.is_none_or(|data| data.get(&hears.place).is_some());
            return match (keyed, has_errors) {
                (_, true) => None,
                (true, false) => Some((R::GqlSub018, "sent an event for a result that is null".into())),
                (false, false) => Some((R::GqlSub013, format!("sent data that is not keyed by {:?}", hears.place))),
            };
        };
        let shown = cut(&object.to_string(), 200);
        let posted = self.posted.iter().find(|posted| {
            posted.place == hears.place && posted.nonce.as_ref().is_some_and(|nonce| nonces.contains(nonce))
        });
        let Some(posted) = posted else {
            let stray = self.posted.iter().any(|posted| posted.forbidden_null) && !has_errors;
            if stray && hears.selected.contains(&"data") {
                return Some((R::GqlSub016, format!("sent null where none may be, without errors: {shown}")));
            }
            // Where an argument names a place of ours, nobody else publishes.
            let own = matches!(hears.place.as_str(), "subscribe2channel" | "onNote");
            return own.then(|| (R::GqlSub012, format!("sent an event that nobody published like that: {shown}")));
        };
        let paid = |owed: &super::driver::Owed| owed.conn == conn && owed.id == id && owed.value == posted.value;
        if let Some(at) = self.owed.iter().position(paid) {
            self.owed.remove(at);
        }
        if let Some((_, _, rule)) = posted.not_for.iter().find(|(own, name, _)| *own == conn && name == id) {
            return Some((*rule, format!("sent {id:?} an event that is not for it: {shown}")));
        }
        if posted.matches_no_argument && hears.place == "subscribe2channel" {
            let detail = format!("sent an event whose mutation did not select the argument's field: {shown}");
            return Some((R::GqlFilter005, detail));
        }
        unlike(hears, posted, object).map(|rule| {
            (
                rule,
                format!(
                    "expected {} of {}; got {shown}",
                    hears.selected.join(", "),
                    cut(&posted.value.to_string(), 200)
                ),
            )
        })
    }
}

/// An event without needless escapes, however it was written.
struct Plain(String);

impl Plain {
    fn of(event: &Json) -> Self {
        Self(event.to_string())
    }

    /// Whether it was made of what was published.
    fn is_of(&self, posted: &Posted) -> bool {
        posted.nonce.as_ref().is_some_and(|nonce| self.0.contains(nonce.as_str()))
    }
}

/// The rule that an event breaks which is not what was published, cut to what was selected.
fn unlike(hears: &Hears, posted: &Posted, object: &Json) -> Option<R> {
    let members = object.as_object()?;
    if members.keys().any(|name| !hears.selected.contains(&name.as_str())) {
        return Some(R::GqlSub014);
    }
    for name in &hears.selected {
        let (got, wanted) = (members.get(*name), posted.value.get(name));
        // The id of a note is the server's own.
        if *name == "id" && wanted.is_none() && got.is_some() {
            continue;
        }
        match (got, wanted) {
            (None, _) => return Some(R::GqlSub015),
            (Some(got), None) if !got.is_null() => return Some(R::GqlSub015),
            (Some(got), Some(wanted)) if !is_same(wanted, got) => return Some(R::GqlSub012),
            (Some(_), Some(_) | None) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(object: Json) -> Option<R> {
        let hears = Hears { place: "onNote".into(), selected: vec!["id", "text", "stars"], ..Hears::default() };
        let value = json!({ "text": "n", "board": "b" });
        let posted = Posted { place: "onNote".into(), nonce: Some("n".into()), value, ..Posted::default() };
        unlike(&hears, &posted, &object)
    }

    #[test]
    fn an_event_is_what_was_published_cut_to_what_was_selected() {
        assert_eq!(judged(json!({ "id": "7", "text": "n", "stars": null })), None);
        assert_eq!(judged(json!({ "id": "7", "text": "n", "stars": null, "board": "b" })), Some(R::GqlSub014));
        assert_eq!(judged(json!({ "id": "7", "text": "n" })), Some(R::GqlSub015));
        assert_eq!(judged(json!({ "id": "7", "text": "n", "stars": 4 })), Some(R::GqlSub015));
        assert_eq!(judged(json!({ "id": "7", "text": "m", "stars": null })), Some(R::GqlSub012));
    }

    #[test]
    fn the_json_that_a_member_holds_may_be_written_otherwise() {
        let hears = Hears { place: "subscribe2channel".into(), selected: vec!["data"], ..Hears::default() };
        let value = json!({ "data": r#"{"nonce":"n"}"# });
        let posted = Posted { place: "subscribe2channel".into(), nonce: Some("n".into()), value, ..Posted::default() };
        let judged = |data: &str| unlike(&hears, &posted, &json!({ "data": data }));
        assert_eq!(judged("{ \"nonce\": \"\\u006e\" }"), None);
        assert_eq!(judged(r#"{"nonce":"m"}"#), Some(R::GqlSub012));
    }

    #[test]
    fn a_nonce_is_found_in_an_event_whose_letters_are_escaped() {
        let posted = Posted { nonce: Some("s1-event".into()), ..Posted::default() };
        let is_of = |text: &str| Plain::of(&parse_json(text).unwrap()).is_of(&posted);
        assert!(is_of(r#"{"was":"\u0073\u0031-event"}"#));
        assert!(!is_of(r#"{"was":"\u0073\u0032-event"}"#));
    }
}
