//! `syncspec serve`: the reference endpoint in the foreground.

use syncspec::catalogue::faults;
use syncspec::fault::How;
use syncspec::reference::page::Page;
use syncspec::reference::shell::{Options, Watched, serve};
use syncspec::reference::{Config, Endpoint};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::args::ServeOptions;
use super::{log, say, usage};

pub(super) fn run(options: &ServeOptions) -> u8 {
    let mut bent: Vec<How> = Vec::new();
    for name in &options.fault {
        match faults().find(|fault| fault.name == name) {
            Some(fault) => bent.push(fault.how),
            None => {
                return usage(format_args!("--fault {name:?}: no saboteur of this name; see syncspec list --faults"));
            }
        }
    }
    let mut config = Config::default();
    let own_key = options.api_key.clone();
    if let Some(key) = own_key.clone() {
        config.api_key = key;
    }
    config.policy.keep_alive = options.ka;
    config.policy.silence_limit_ms = options.timeout_ms;
    if let Some((host, _)) = options.listen.rsplit_once(':') {
        config.hosts.push(host.to_ascii_lowercase());
    }
    log::start(options.verbose, options.log);
    let page = (!options.no_page).then(|| Page::new(config.hosts.clone(), options.page_payloads));
    let endpoint = match Endpoint::new(config.clone(), &bent) {
        Ok(endpoint) => Watched::new(endpoint, page),
        Err(error) => return usage(error),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return usage(format_args!("no runtime: {error}")),
    };
    runtime.block_on(async {
        let listener = match TcpListener::bind(&options.listen).await {
            Ok(listener) => listener,
            Err(error) => return usage(format_args!("--listen {}: {error}", options.listen)),
        };
        let Ok(address) = listener.local_addr() else { return usage("the port has no address") };
        // Before the line that says READY: whoever reads it may stop this at once.
        let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return usage("signals cannot be heard");
        };
        announce(&address.to_string(), own_key.is_none().then_some(config.api_key.as_str()), &options.fault);
        tracing::info!(address = %address, "started");
        let stopped = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        let summary = serve(listener, endpoint, Options::default(), stopped).await;
        tracing::info!(connections = summary.upgrades, requests = summary.requests, "stopped");
        say(format_args!("stopped after {} connections and {} HTTP requests", summary.upgrades, summary.requests));
        0
    })
}

fn announce(address: &str, key: Option<&str>, faults: &[String]) {
    say(format_args!("GraphQL  http://{address}/graphql  ws://{address}/graphql/realtime"));
    say(format_args!("Events   http://{address}/event  ws://{address}/event/realtime"));
    say(format_args!("API key  {}", key.unwrap_or("as given")));
    for fault in faults {
        say(format_args!("fault    {fault}"));
    }
    say(format_args!("READY http://{address}/graphql"));
}
