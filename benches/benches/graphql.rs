//! The document of a `start`: validated for the first time, and found among those that were validated; and a mutation.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;

use appsync_protocol::server::Identity;
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use syncspec::reference::Config;
use syncspec::reference::graphql::Engine;

fn validating(c: &mut Criterion) {
    let Ok(engine) = Engine::configured(&Config::default().graphql) else { return };
    let document = |number: u64| {
        let query =
            format!("subscription S{number}($name: String!) {{ subscribe2channel(name: $name) {{ name data }} }}");
        json!({"query": query, "variables": {"name": "robots"}}).to_string()
    };
    let who = Identity::default();
    let known = document(0);
    c.bench_function("graphql/hit", |b| b.iter(|| engine.subscribe(black_box(&known), &who).is_ok()));
    let mut number = 0;
    c.bench_function("graphql/miss", |b| {
        b.iter_batched(
            || {
                number += 1;
                document(number)
            },
            |text| engine.subscribe(black_box(&text), &who).is_ok(),
            criterion::BatchSize::SmallInput,
        );
    });
    // The floor of a miss: the text once through memory.
    let mut copy = String::with_capacity(2 * known.len());
    c.bench_function("graphql/copy", |b| {
        b.iter(|| {
            copy.clear();
            copy.push_str(black_box(&known));
        });
    });
}

/// A mutation whose document is known: read, executed, answered, and made an event.
fn executing(c: &mut Criterion) {
    let Ok(mut engine) = Engine::configured(&Config::default().graphql) else { return };
    let query =
        "mutation P($name: String!, $data: AWSJSON!) { publish2channel(name: $name, data: $data) { name data } }";
    let data = json!({"sequence": 17, "text": "x".repeat(150)}).to_string();
    let body = json!({"query": query, "variables": {"name": "robots", "data": data}}).to_string();
    let who = Identity::default();
    c.bench_function("graphql/execute", |b| b.iter(|| engine.execute(black_box(body.as_bytes()), &who)));
}

criterion_group!(benches, validating, executing);
criterion_main!(benches);
