//! `syncspec fuzz --saboteurs | --benign | --virtual`: the fuzzer on trial, in virtual time or over sockets.

use std::time::Duration;

use syncspec::fuzzing::campaign::{Budget, Row, hunt_all, hunt_benign, simulate};
use syncspec::fuzzing::{Op, table};
use syncspec::report::text::printable;
use syncspec::run::fuzz::trial::{sample, seek_all, spare_all};

use super::fuzz_args::FuzzOptions;
use super::{random_seed, say};

/// 0 if the fuzzer does what it has to, 1 if not.
pub(super) fn run(options: &FuzzOptions) -> u8 {
    match (options.in_virtual_time, options.saboteurs, options.over_sockets) {
        (true, _, _) => steps(options),
        (false, true, true) => saboteurs_over_sockets(options),
        (false, true, false) => saboteurs(options),
        (false, false, true) => benign_over_sockets(options),
        (false, false, false) => benign(options),
    }
}

/// Time of the processor that this thread has used.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn jobs(options: &FuzzOptions) -> usize {
    options.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1)
}

fn budget(options: &FuzzOptions) -> Budget {
    Budget { cpu: options.cpu, simulated: options.simulated, dialogues: u32::MAX, operations: options.max_ops }
}

fn saboteurs(options: &FuzzOptions) -> u8 {
    let seed = options.seed.unwrap_or(1);
    let done = |row: &Row| {
        if !options.json {
            say(table::line(row));
        }
    };
    let how = (seed, budget(options), jobs(options));
    let rows = hunt_all(options.share, how, &options.only, &cpu, &done);
    say(if options.json { table::json(&rows) } else { table::summary(&rows) });
    u8::from(!table::is_enough(&rows))
}

fn benign(options: &FuzzOptions) -> u8 {
    let seed = options.seed.unwrap_or_else(random_seed);
    let how = (seed, budget(options), jobs(options));
    let done = hunt_benign(options.share, how, &options.only, &cpu, &|line| say(line));
    say(format_args!(
        "{} accused in {:.1} minutes of the processor, {:.0} minutes simulated, {} dialogues (seed {seed})",
        done.accused,
        done.cpu.as_secs_f64() / 60.0,
        done.simulated.as_secs_f64() / 60.0,
        done.dialogues,
    ));
    u8::from(done.accused > 0)
}

fn steps(options: &FuzzOptions) -> u8 {
    let seed = options.seed.unwrap_or_else(random_seed);
    let mut alarms = 0;
    for (dialect, hunt) in simulate(options.steps, seed, &cpu) {
        let seconds = hunt.cpu.as_secs_f64().max(0.001);
        say(format_args!(
            "{dialect}: {} steps in {} dialogues, {:.1} days simulated, {} cells, {} of {} situations, {seconds:.0} s \
             of the processor, {:.0} steps and {:.0} dialogues a second",
            hunt.operations,
            hunt.dialogues,
            hunt.simulated.as_secs_f64() / 86_400.0,
            hunt.coverage.len(),
            hunt.situations.len(),
            hunt.situations.len() + hunt.missing().len(),
            hunt.operations as f64 / seconds,
            f64::from(hunt.dialogues) / seconds,
        ));
        if let Some((found, ops, _)) = &hunt.found {
            let ops = serde_json::to_string(ops).unwrap_or_default();
            say(format_args!("{dialect}: {} {} {ops}", found.requirement.id(), printable(&found.detail)));
        }
        if let (count @ 1.., Some(why)) = &hunt.troubles {
            say(format_args!("{dialect}: {count} dialogues ended in trouble, the last: {}", printable(why)));
        }
        alarms += usize::from(hunt.found.is_some() || hunt.troubles.0 > 0);
    }
    say(format_args!("seed {seed}"));
    u8::from(alarms > 0)
}

fn saboteurs_over_sockets(options: &FuzzOptions) -> u8 {
    let seed = options.seed.unwrap_or(1);
    let faults = sample(options.sample, seed, &options.only);
    let sought = seek_all(&faults, (seed, options.time, jobs(options)), &|sought| {
        let ((dialogues, operations), seconds) = (sought.done, sought.took.as_secs_f64());
        let (name, breaks) = (sought.fault.name, sought.fault.breaks.id());
        let effort = format!("after {seconds:.1} s, {dialogues} dialogues, {operations} operations");
        let trouble = sought.trouble.as_ref().map_or_else(String::new, |why| format!("; {}", printable(why)));
        match &sought.found {
            Some((rule, ops)) => {
                let labels: Vec<_> = ops.iter().map(Op::label).collect();
                let by = format!("{} operations ({})", ops.len(), labels.join(", "));
                say(format_args!("found   {name} [{breaks}] as {rule} by {by} {effort}"));
            }
            None => say(format_args!("missed  {name} [{breaks}] {effort}{trouble}")),
        }
    });
    let found = sought.iter().filter(|sought| sought.found.is_some()).count();
    let share = (found * 100).checked_div(sought.len()).unwrap_or_default();
    say(format_args!(
        "{found} of {} saboteurs found over sockets ({share} %, {} % expected), seed {seed}",
        sought.len(),
        table::ENOUGH_OVER_SOCKETS
    ));
    u8::from(share < table::ENOUGH_OVER_SOCKETS)
}

fn benign_over_sockets(options: &FuzzOptions) -> u8 {
    let seed = options.seed.unwrap_or_else(random_seed);
    let spared = spare_all((seed, options.time, jobs(options)), &options.only, &|spared| {
        let ((dialogues, operations), seconds) = (spared.done, spared.took.as_secs_f64());
        let trouble = spared.trouble.as_ref().map_or_else(String::new, |why| format!("; {}", printable(why)));
        let word = if spared.accused.is_empty() { "fine   " } else { "ACCUSED" };
        let name = &spared.name;
        say(format_args!("{word} {name}: {seconds:.0} s, {dialogues} dialogues, {operations} operations{trouble}"));
        spared.accused.iter().for_each(|accused| say(format_args!("  {}", printable(accused))));
    });
    let minutes: f64 = spared.iter().map(|spared| spared.took.as_secs_f64() / 60.0).sum();
    let dialogues: u64 = spared.iter().map(|spared| spared.done.0).sum();
    let accused = spared.iter().filter(|spared| !spared.accused.is_empty()).count();
    let idle = spared.iter().filter(|spared| spared.done.0 == 0).count();
    say(format_args!(
        "{accused} of {} accused in {minutes:.1} minutes over sockets, {dialogues} dialogues; {idle} could not be \
         fuzzed (seed {seed})",
        spared.len()
    ));
    u8::from(accused > 0 || idle > 0)
}
