//! The whole catalogue in virtual time against the reference endpoint. Goal: at most 0.15 s.
#![allow(missing_docs, reason = "criterion's macros make undocumented functions")]

use criterion::{Criterion, criterion_group, criterion_main};
use syncspec_benches::play_catalogue;

fn catalogue(c: &mut Criterion) {
    let mut group = c.benchmark_group("catalogue");
    group.sample_size(10);
    group.bench_function("virtual-time", |b| b.iter(play_catalogue));
    group.finish();
}

criterion_group!(benches, catalogue);
criterion_main!(benches);
