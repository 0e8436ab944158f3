//! What a person is told before a run starts.

use std::net::IpAddr;

use syncspec::link::Dialer;
use syncspec::run::{Cost, Endpoint, Options};
use syncspec::scenario::{Need, Tier};
use syncspec::target::urls;

use super::say;

/// Says what is judged, and where that is another machine, what it costs.
pub(super) fn introduce(options: &Options, name: Option<&str>, remote: bool) {
    say(format_args!(
        "syncspec {}   seed {:#x}   tier {}",
        env!("CARGO_PKG_VERSION"),
        options.seed,
        options.tier.word()
    ));
    if options.embedded {
        say(format_args!("no ENDPOINT given: judging the built-in reference endpoint"));
    }
    if let Some(name) = name {
        say(format_args!("target   {name} of syncspec.toml"));
    }
    for endpoint in &options.endpoints {
        say(format_args!("{:<8} {}", endpoint.dialect.word(), urls(endpoint)));
    }
    for line in left_out(options) {
        say(line);
    }
    if remote {
        let Cost { scenarios, connections, messages } = options.cost();
        say(format_args!(
            "cost     {scenarios} scenarios: about {connections} connections and requests, {messages} messages"
        ));
        let rate = options.rate.map(|rate| format!(", {rate} publishes a second")).unwrap_or_default();
        say(format_args!(
            "guards   at most {} connections, {} messages, {} min; {} at a time{rate}",
            options.max_connections,
            options.max_messages,
            options.run_timeout.as_secs().div_ceil(60),
            options.jobs
        ));
    }
    say("");
}

/// What is not run for the time that it takes, and the option that runs it.
fn left_out(options: &Options) -> Vec<String> {
    let beyond = options.beyond_the_tier();
    let line = |tier: Tier| {
        let of_tier = || beyond.iter().filter(|scenario| scenario.tier == tier);
        let count = of_tier().count();
        let limits = of_tier().filter(|scenario| scenario.needs.contains(&Need::Limits)).count();
        let also = if limits > 0 { format!(", {limits} of them with --limits") } else { String::new() };
        (count > 0).then(|| format!("left out {count}: --tier {}{also}", tier.word()))
    };
    [Tier::Standard, Tier::Long].into_iter().filter_map(line).collect()
}

/// Whether any connection to it goes to another machine.
pub(super) fn is_remote(dialer: &Dialer, endpoint: &Endpoint) -> bool {
    [&endpoint.realtime, &endpoint.http].into_iter().any(|url| !is_loopback(&dialer.address(url)))
}

/// Whether a `host:port` is on this machine.
fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        let here = ["localhost:80", "127.0.0.1:1", "127.8.9.1:1", "[::1]:443"];
        let elsewhere =
            ["127.example.com:80", "10.0.0.1:80", "example.com:443", "[2001:db8::1]:443", "localhost.evil:1"];

        assert!(here.iter().all(|address| is_loopback(address)));
        assert!(!elsewhere.iter().any(|address| is_loopback(address)));
    }
}
