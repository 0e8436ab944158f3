//! Decoding and encoding one `data` message, beside what a user would write first and what no program can do without.
//!
//! `copy` and `utf8` are the floor: the bytes once through memory, and once through the check that they are text.
//! `splice` is what one more subscriber costs: the parts of a frame that are the same for all, and an id between them.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use std::hint::black_box;

use appsync_protocol::dialect::{Dialect, decode, encode};
use appsync_protocol::moment::Moment;
use appsync_protocol::server::readings::EventForm;
use appsync_protocol::server::{Policy, Server};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Value;
use syncspec_benches::{Tagged, data_of};

fn messages() -> Vec<(Dialect, String, String)> {
    let sizes = |dialect| [150, 1_000, 16_000].map(|size| (dialect, size.to_string(), data_of(dialect, size)));
    Dialect::ALL.into_iter().flat_map(sizes).collect()
}

fn decoding(c: &mut Criterion) {
    for (dialect, size, text) in messages() {
        let text = text.as_str();
        let mut group = c.benchmark_group(format!("decode/{dialect}/{size}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        let mut copy = vec![0; text.len()];
        group.bench_function("copy", |b| b.iter(|| copy.copy_from_slice(black_box(text.as_bytes()))));
        group.bench_function("utf8", |b| b.iter(|| std::str::from_utf8(black_box(text.as_bytes())).is_ok()));
        group.bench_function("envelope", |b| b.iter(|| decode(dialect, black_box(text)).is_ok()));
        group.bench_function("tagged-enum", |b| b.iter(|| serde_json::from_str::<Tagged>(black_box(text)).is_ok()));
        group.bench_function("value", |b| b.iter(|| serde_json::from_str::<Value>(black_box(text)).is_ok()));
        group.finish();
    }
}

fn encoding(c: &mut Criterion) {
    for (dialect, size, text) in messages() {
        let Ok(decoded) = decode(dialect, &text) else { continue };
        let mut group = c.benchmark_group(format!("encode/{dialect}/{size}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        let mut out = String::with_capacity(2 * text.len());
        group.bench_function("copy", |b| {
            b.iter(|| {
                out.clear();
                out.push_str(black_box(&text));
            });
        });
        group.bench_function("message", |b| {
            b.iter(|| {
                out.clear();
                encode(dialect, black_box(&decoded.message), &mut out);
            });
        });
        let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
        group.bench_function("value", |b| b.iter(|| black_box(&value).to_string()));
        group.finish();
    }
}

fn splicing(c: &mut Criterion) {
    for (dialect, size, text) in messages() {
        let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
        let member = if dialect == Dialect::Graphql { "payload" } else { "event" };
        let (id, body) = (value["id"].as_str().unwrap_or_default(), value[member].to_string());
        let mut group = c.benchmark_group(format!("splice/{dialect}/{size}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("copy", |b| b.iter(|| black_box(&text).clone()));
        let mut server = Server::accept(Moment::START, dialect, &Policy::default(), 1);
        while server.poll().is_some() {}
        group.bench_function("deliver", |b| {
            b.iter(|| {
                server.deliver(black_box(id), black_box(&body), EventForm::String);
                server.poll()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, decoding, encoding, splicing);
criterion_main!(benches);
