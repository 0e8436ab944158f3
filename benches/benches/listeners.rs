//! One event through the hub: to one of 10,000 idle subscribers that listen to something else each, and to 1,000.
//!
//! `scanned` is a hub that compares loosely, as a faulty server does, and so has to look at every connection.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use appsync_protocol::channel::Channel;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::envelope::Raw;
use appsync_protocol::hub::{Hub, Occurrence};
use appsync_protocol::json::Json;
use appsync_protocol::moment::Moment;
use appsync_protocol::selection::Selection;
use appsync_protocol::server::{Asked, Broadcast, Check, Host, Identity, Plan, PlanChecks, Policy, Refusal};
use appsync_protocol::wire::Frame;
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;

/// Lets everybody in; a document is the value of the one argument.
struct Anybody;

impl Host for Anybody {
    fn authorize(&mut self, _: Asked<'_>, _: Option<Raw<'_>>) -> Result<Identity, Refusal> {
        Ok(Identity::default())
    }

    fn plan(&mut self, request: &str, _: &Identity, _: PlanChecks) -> Result<Plan, Vec<Refusal>> {
        Ok(Plan {
            field: "onNote".into(),
            key: "onNote".into(),
            arguments: BTreeMap::from([("board".into(), Json::from(request))]),
            selection: Selection::default(),
            required: false,
            filter: None,
            invalidation: None,
        })
    }
}

/// A hub whose subscribers listen to boards or channels 0, 1 and so on, `each` of them to the same one.
fn hub(policy: Policy, dialect: Dialect, subscribers: usize, each: usize) -> Hub {
    let mut hub = Hub::new(policy);
    for number in 0..subscribers {
        let id = hub.accept(Moment::START, dialect, Ok(()));
        hub.receive(Moment::START, id, Frame::text(r#"{"type":"connection_init"}"#), &mut Anybody);
        let board = number / each;
        let text = match dialect {
            Dialect::Graphql => format!(r#"{{"type":"start","id":"s","payload":{{"data":"{board}"}}}}"#),
            Dialect::Events => {
                format!(r#"{{"type":"subscribe","id":"s","channel":"/default/{board}","authorization":{{}}}}"#)
            }
        };
        hub.receive(Moment::START, id, Frame::text(&text), &mut Anybody);
    }
    while hub.poll().is_some() {}
    hub
}

/// Sends one event to board or channel 0; gives how many frames it made.
fn tell(hub: &mut Hub, dialect: Dialect) -> usize {
    match dialect {
        Dialect::Graphql => {
            hub.announce(&Occurrence { field: "onNote".into(), object: json!({"board": "0", "text": "hello"}) });
        }
        Dialect::Events => {
            let Ok(channel) = Channel::parse("/default/0") else { return 0 };
            hub.broadcast(None, Broadcast { channel, events: vec![r#""hello""#.into()], after: Duration::ZERO });
        }
    }
    std::iter::from_fn(|| hub.poll()).count()
}

fn telling(c: &mut Criterion) {
    for dialect in Dialect::ALL {
        let loose = match dialect {
            // No argument more or less: the same subscribers, found by looking at all.
            Dialect::Graphql => Policy::default().without(Check::EveryArgument),
            Dialect::Events => Policy::default().without(Check::ChannelCase),
        };
        for (way, policy) in [("indexed", Policy::default()), ("scanned", loose)] {
            for (name, subscribers, each) in [("one-of-10000", 10_000, 1), ("all-of-1000", 1_000, 1_000)] {
                let mut hub = hub(policy.clone(), dialect, subscribers, each);
                assert_eq!(tell(&mut hub, dialect), each);
                c.bench_function(&format!("{dialect}/{name}/{way}"), |b| b.iter(|| tell(black_box(&mut hub), dialect)));
            }
        }
    }
}

criterion_group!(benches, telling);
criterion_main!(benches);
