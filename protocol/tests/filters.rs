//! Enhanced filters and invalidation as the hub applies them, on connections of their own.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::Raw;
use appsync_protocol::filter::Filter;
use appsync_protocol::hub::{ConnectionId, Hub, Occurrence};
use appsync_protocol::json::parse_json;
use appsync_protocol::moment::Moment;
use appsync_protocol::selection::{Field, Selection};
use appsync_protocol::server::{Asked, GqlA07, Host, Identity, Plan, PlanChecks, Policy, Refusal};
use appsync_protocol::wire::{Frame, OwnedFrame};

/// Takes everybody; each document gets the plan prepared for all.
struct Planned(Plan);

impl Host for Planned {
    fn authorize(&mut self, _: Asked<'_>, _: Option<Raw<'_>>) -> Result<Identity, Refusal> {
        Ok(Identity::default())
    }

    fn plan(&mut self, _: &str, _: &Identity, _: PlanChecks) -> Result<Plan, Vec<Refusal>> {
        Ok(self.0.clone())
    }
}

fn plan(filter: Option<&str>, invalidation: Option<&str>) -> Plan {
    let parsed = |text: &str| Filter::parse(&parse_json(text).unwrap()).unwrap();
    let field = Field { key: "id".into(), name: "id".into(), of: "ID".into(), required: false, inner: None };
    Plan {
        field: "onNote".into(),
        key: "onNote".into(),
        arguments: BTreeMap::from([("board".into(), parse_json("\"b1\"").unwrap())]),
        selection: Selection { on: "Note".into(), fields: vec![field] },
        required: false,
        filter: filter.map(parsed),
        invalidation: invalidation.map(parsed),
    }
}

/// A hub where connection after connection has one subscription `s`, each with its plan.
fn hub(policy: Policy, plans: Vec<Plan>) -> (Hub, Vec<ConnectionId>) {
    let mut hub = Hub::new(policy);
    let ids = plans.into_iter().map(|plan| {
        let id = hub.accept(Moment::START, Dialect::Graphql, Ok(()));
        let authorization = r#"{"authorization":{"host":"h"}}"#;
        let start = format!(r#"{{"id":"s","type":"start","payload":{{"data":"{{}}","extensions":{authorization}}}}}"#);
        for text in [r#"{"type":"connection_init"}"#, &start] {
            hub.receive(Moment::START, id, Frame::Text { text, fragments: 1 }, &mut Planned(plan.clone()));
        }
        id
    });
    let ids = ids.collect();
    while hub.poll().is_some() {}
    (hub, ids)
}

/// What the hub says next: connection by number, and the word or the close.
fn said(hub: &mut Hub, ids: &[ConnectionId]) -> Vec<String> {
    std::iter::from_fn(|| hub.poll())
        .map(|(id, frame)| {
            let number = ids.iter().position(|known| *known == id).unwrap() + 1;
            match frame {
                OwnedFrame::Text { text, .. } => {
                    let word = parse_json(&text).unwrap()["type"].as_str().unwrap().to_owned();
                    format!("{number}< {word}")
                }
                OwnedFrame::Close { code, .. } => format!("{number}< close {}", code.unwrap()),
                OwnedFrame::Binary(_) | OwnedFrame::Ping(_) | OwnedFrame::Pong(_) | OwnedFrame::Lost => {
                    panic!("unexpected {frame:?}")
                }
            }
        })
        .collect()
}

fn occurrence(object: &str) -> Occurrence {
    Occurrence { field: "onNote".into(), object: parse_json(object).unwrap() }
}

const MANY_STARS: &str = r#"{"stars":{"ge":3}}"#;
const OF_BOARD: &str = r#"{"board":{"eq":"b1"}}"#;

#[test]
fn a_filter_decides_in_place_of_the_arguments() {
    let (mut hub, ids) = hub(Policy::default(), vec![plan(Some(MANY_STARS), None), plan(None, None)]);

    hub.announce(&occurrence(r#"{"id":"n1","board":"b2","stars":4}"#));
    assert_eq!(said(&mut hub, &ids), ["1< data"]);
    hub.announce(&occurrence(r#"{"id":"n1","board":"b1","stars":2}"#));
    assert_eq!(said(&mut hub, &ids), ["2< data"]);
}

#[test]
fn a_field_that_the_mutation_did_not_select_satisfies_no_filter() {
    let (mut hub, ids) = hub(Policy::default(), vec![plan(Some(MANY_STARS), None)]);

    hub.announce(&occurrence(r#"{"id":"n1"}"#));

    assert!(said(&mut hub, &ids).is_empty());
}

#[test]
fn an_invalidation_ends_what_its_payload_matches_and_nothing_else() {
    let plans = vec![plan(None, Some(OF_BOARD)), plan(None, Some(MANY_STARS)), plan(None, None)];
    let (mut hub, ids) = hub(Policy::default(), plans);

    hub.invalidate("onNote", &parse_json(r#"{"board":"b1"}"#).unwrap());
    assert_eq!(said(&mut hub, &ids), ["1< complete", "1< close 1000"]);

    hub.invalidate("onOther", &parse_json(r#"{"stars":9}"#).unwrap());
    assert!(said(&mut hub, &ids).is_empty());
    hub.announce(&occurrence(r#"{"id":"n1","board":"b1"}"#));
    assert_eq!(said(&mut hub, &ids), ["2< data", "3< data"]);
}

#[test]
fn an_invalidation_is_told_as_the_policy_says() {
    for (form, expected) in
        [(GqlA07::Error, vec!["1< error", "1< close 1000"]), (GqlA07::CompleteOnly, vec!["1< complete"])]
    {
        let policy = Policy { gql_a_07: form, ..Policy::default() };
        let (mut hub, ids) = hub(policy, vec![plan(None, Some(OF_BOARD))]);

        hub.invalidate("onNote", &parse_json(r#"{"board":"b1"}"#).unwrap());

        assert_eq!(said(&mut hub, &ids), expected);
        hub.invalidate("onNote", &parse_json(r#"{"board":"b1"}"#).unwrap());
        assert!(said(&mut hub, &ids).is_empty());
    }
}
