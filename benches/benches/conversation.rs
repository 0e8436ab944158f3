//! One `data` message through a conversation with 1, 100 and 10,000 live subscriptions.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;

use appsync_protocol::conversation::Conversation;
use appsync_protocol::dialect::Dialect;
use appsync_protocol::moment::Moment;
use appsync_protocol::wire::{Frame, Side};
use criterion::{Criterion, criterion_group, criterion_main};

fn subscribed(count: usize) -> Conversation {
    let mut conversation = Conversation::new(Dialect::Graphql);
    let mut say = |side, text: &str| {
        conversation.observe(Moment::START, side, Frame::text(text));
    };
    say(Side::Client, r#"{"type":"connection_init"}"#);
    say(Side::Server, r#"{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}"#);
    for n in 0..count {
        say(Side::Client, &format!(r#"{{"type":"start","id":"s{n}","payload":{{"data":"{{}}"}}}}"#));
        say(Side::Server, &format!(r#"{{"type":"start_ack","id":"s{n}"}}"#));
    }
    conversation
}

fn observing(c: &mut Criterion) {
    for count in [1, 100, 10_000] {
        let mut conversation = subscribed(count);
        let text = format!(r#"{{"type":"data","id":"s{}","payload":{{"data":{{"f":1}}}}}}"#, count / 2);
        c.bench_function(&format!("observe/{count}"), |b| {
            b.iter(|| conversation.observe(Moment::START, Side::Server, Frame::text(black_box(&text))).findings.len());
        });
    }
}

criterion_group!(benches, observing);
criterion_main!(benches);
