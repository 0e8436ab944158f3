//! How often memory is asked for to decode a `data` message, beside how often it may be, as JSON: a program of its own,
//! because counting costs time.
#![allow(clippy::print_stdout, reason = "a command speaks to the terminal")]

use std::hint::black_box;

use appsync_protocol::dialect::{Dialect, decode};
use syncspec_benches::data_of;

fn main() {
    let mut counted = Vec::new();
    for (dialect, most) in [(Dialect::Graphql, 1_u64), (Dialect::Events, 0)] {
        for text in [150, 1_000].map(|size| data_of(dialect, size)) {
            let mut is_decoded = false;
            let asked = allocation_counter::measure(|| is_decoded = decode(dialect, black_box(&text)).is_ok());
            assert!(is_decoded, "{dialect}: {text} is not decoded");
            counted.push((format!("decode {dialect}, {} bytes: allocations", text.len()), asked.count_total, most));
        }
    }
    println!("{}", serde_json::json!(counted));
}
