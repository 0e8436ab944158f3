//! The trial of the fuzzer as a table: which saboteurs it finds, after how long, by how small a dialogue.

use serde_json::json;

use super::campaign::Row;

/// The share of saboteurs that has to be found, in percent.
pub const ENOUGH: usize = 85;

/// The same over sockets, of a sample.
pub const ENOUGH_OVER_SOCKETS: usize = 70;

/// One saboteur in a line.
pub fn line(row: &Row) -> String {
    let hunt = &row.hunt;
    let (name, breaks) = (row.name, row.breaks);
    let effort = format!("{} dialogues, {} s", hunt.dialogues, hunt.simulated.as_secs());
    match (&hunt.found, row.hidden) {
        (_, true) => format!("hidden    {name} [{breaks}] needs a socket, or its rule does not count"),
        (Some((found, ..)), _) => {
            let size = row.shrunk.as_ref().map_or(0, |shrunk| shrunk.ops.len());
            let rule = found.requirement.id();
            let how = if row.is_exact() { String::new() } else { format!(" as {rule}") };
            format!("found     {name} [{breaks}]{how} by {size} operations ({}) after {effort}", found.op)
        }
        (None, _) => {
            let trouble = hunt.troubles.1.as_deref().unwrap_or("no trouble");
            format!("missed    {name} [{breaks}] after {effort}, {} cells; {trouble}", hunt.coverage.len())
        }
    }
}

/// Whether as many are found as have to be.
pub fn is_enough(rows: &[Row]) -> bool {
    let (found, visible) = figures(rows);
    found * 100 >= visible * ENOUGH
}

fn figures(rows: &[Row]) -> (usize, usize) {
    let visible = rows.iter().filter(|row| !row.hidden);
    (visible.clone().filter(|row| row.hunt.found.is_some()).count(), visible.count())
}

/// The middle of the sizes of shrunk dialogues.
pub fn median_size(rows: &[Row]) -> Option<usize> {
    let mut sizes: Vec<_> = rows.iter().filter_map(|row| row.shrunk.as_ref()).map(|shrunk| shrunk.ops.len()).collect();
    sizes.sort_unstable();
    sizes.get(sizes.len() / 2).copied()
}

/// What the table comes to.
pub fn summary(rows: &[Row]) -> String {
    let (found, visible) = figures(rows);
    let exact = rows.iter().filter(|row| row.is_exact()).count();
    let median = median_size(rows).map_or_else(|| "none".into(), |size| size.to_string());
    let dialogues: u64 = rows.iter().map(|row| u64::from(row.hunt.dialogues)).sum();
    let cpu: f64 = rows.iter().map(|row| row.hunt.cpu.as_secs_f64()).sum();
    let speed = if cpu > 0.0 { format!("{:.0}", dialogues as f64 / cpu) } else { "?".into() };
    let share = (found * 100).checked_div(visible).unwrap_or_default();
    let hidden = rows.len() - visible;
    format!(
        "{found} of {visible} saboteurs found ({share} %, {ENOUGH} % expected), {exact} by the rule that they break; \
         {hidden} need a socket or do not count; median of {median} operations; {dialogues} dialogues, {speed} in a second of the processor"
    )
}

/// The table as JSON.
pub fn json(rows: &[Row]) -> String {
    let (found, visible) = figures(rows);
    let each: Vec<_> = rows
        .iter()
        .map(|row| {
            let hunt = &row.hunt;
            let as_found = hunt.found.as_ref().map(|(found, ..)| {
                json!({ "rule": found.requirement.id(), "state": found.state, "operation": found.op, "answer": found.answer })
            });
            json!({
                "name": row.name, "breaks": row.breaks, "hidden": row.hidden, "found": as_found,
                "dialogues": hunt.dialogues, "simulated_s": hunt.simulated.as_secs(), "cpu_ms": hunt.cpu.as_millis(),
                "cells": hunt.coverage.len(),
                "operations": row.shrunk.as_ref().map(|shrunk| json!(shrunk.ops)),
                "void": hunt.found.is_none() && !row.hidden && !hunt.missing().is_empty(),
            })
        })
        .collect();
    let all = json!({ "found": found, "visible": visible, "median_operations": median_size(rows), "saboteurs": each });
    all.to_string()
}
