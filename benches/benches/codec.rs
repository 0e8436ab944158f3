//! Decoding and encoding one `data` message, beside what a user would write first.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;

use appsync_protocol::dialect::{Dialect, decode, encode};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use syncspec_benches::{EVENTS_DATA, GRAPHQL_DATA, Tagged};

fn decoding(c: &mut Criterion) {
    for (dialect, text) in [(Dialect::Graphql, GRAPHQL_DATA), (Dialect::Events, EVENTS_DATA)] {
        let mut group = c.benchmark_group(format!("decode/{dialect}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("envelope", |b| b.iter(|| decode(dialect, black_box(text))));
        group.bench_function("tagged-enum", |b| b.iter(|| serde_json::from_str::<Tagged>(black_box(text))));
        group.finish();
    }
}

fn encoding(c: &mut Criterion) {
    for (dialect, text) in [(Dialect::Graphql, GRAPHQL_DATA), (Dialect::Events, EVENTS_DATA)] {
        let Ok(decoded) = decode(dialect, text) else { continue };
        let mut out = String::with_capacity(1024);
        c.bench_function(&format!("encode/{dialect}"), |b| {
            b.iter(|| {
                out.clear();
                encode(dialect, black_box(&decoded.message), &mut out);
            });
        });
    }
}

criterion_group!(benches, decoding, encoding);
criterion_main!(benches);
