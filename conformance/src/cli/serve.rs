//! `syncspec serve`: the reference endpoint in the foreground.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit, setrlimit};
use syncspec::fault::How;
use syncspec::reference::page::Page;
use syncspec::reference::settings::{Ca, Overrides, Prepared, Settings, SettingsError, TEMPLATE};
use syncspec::reference::shell::{Summary, Watched, serve};
use syncspec::reference::{Config, Endpoint};
use syncspec::report::list as listing;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::args::{ServeOptions, TlsChoice};
use super::{log, say, usage};

pub(super) fn run(options: &ServeOptions) -> u8 {
    if options.list_faults {
        say(listing::faults(&[]).trim_end());
        return 0;
    }
    if options.print_config {
        say(TEMPLATE.trim_end());
        return 0;
    }
    let mut prepared = match prepare(options) {
        Ok(prepared) => prepared,
        Err(error) => return usage(error),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    prepared.config.epoch_unix_s = now.map_or(0, |since| since.as_secs());
    let bent: Vec<How> = prepared.faults.iter().map(|fault| fault.how).collect();
    log::start(options.verbose, options.log);
    let page = (!options.no_page).then(|| Page::new(prepared.config.hosts.clone(), options.page_payloads));
    let endpoint = match Endpoint::new(prepared.config.clone(), &bent) {
        Ok(endpoint) => Watched::new(endpoint, page),
        Err(error) => return usage(error),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return usage(format_args!("no runtime: {error}")),
    };
    runtime.block_on(listen(prepared, endpoint))
}

fn prepare(options: &ServeOptions) -> Result<Prepared, SettingsError> {
    let settings = options.config.as_deref().map(Settings::read).transpose()?.unwrap_or_default();
    settings.prepare(Overrides {
        listen: options.listen.clone(),
        profile: options.profile.clone(),
        ka: options.ka,
        timeout_ms: options.timeout_ms,
        api_key: options.api_key.clone(),
        faults: options.fault.clone(),
        self_signed: options.tls.is_some_and(|TlsChoice::SelfSigned| true),
        tls_names: options.tls_name.clone(),
        tls_ca_out: options.tls_ca_out.clone(),
        tls_files: options.tls_cert.clone().zip(options.tls_key.clone()),
    })
}

async fn listen(prepared: Prepared, endpoint: Watched) -> u8 {
    let room = raise_file_limit(prepared.shell.max_connections);
    let listener = match TcpListener::bind(&prepared.listen).await {
        Ok(listener) => listener,
        Err(error) => return usage(format_args!("{} {:?}: {error}", prepared.listen_place, prepared.listen)),
    };
    let Ok(address) = listener.local_addr() else { return usage("the port has no address") };
    let ca = match prepared.ca.as_ref().map(|ca| write_ca(ca, address)).transpose() {
        Ok(ca) => ca,
        Err(what) => return usage(what),
    };
    // Before the line that says READY: whoever reads it may stop this at once.
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return usage("signals cannot be heard");
    };
    announce(address, &prepared, ca.as_deref(), room);
    let stopped = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let summary = serve(listener, endpoint, prepared.shell, stopped).await;
    say(farewell(&summary));
    0
}

fn announce(address: SocketAddr, prepared: &Prepared, ca: Option<&Path>, room: Option<u64>) {
    let s = if prepared.shell.tls.is_some() { "s" } else { "" };
    say(format_args!("GraphQL  http{s}://{address}/graphql  ws{s}://{address}/graphql/realtime"));
    say(format_args!("Events   http{s}://{address}/event  ws{s}://{address}/event/realtime"));
    say(format_args!("API key  {}", known_key(prepared)));
    for fault in &prepared.faults {
        say(format_args!("fault    {}: {}, which breaks {}", fault.name, fault.about, fault.breaks));
    }
    if let Some(ca) = ca {
        let ca = ca.display();
        say(format_args!("CA       {ca}"));
        say(format_args!("         NODE_EXTRA_CA_CERTS={ca} for Node, SSL_CERT_FILE={ca} for Python and OpenSSL,"));
        say(format_args!("         --ca {ca} for syncspec server"));
    }
    if let Some(room) = room {
        say(format_args!("note     the system allows {room} open files, fewer than connections.max needs"));
    }
    say(format_args!("READY http{s}://{address}/graphql"));
}

/// The key for tests may be shown; one that somebody chose may not.
fn known_key(prepared: &Prepared) -> String {
    let (key, known) = (prepared.config.api_key(), Config::default());
    match key {
        "" => "none".into(),
        key if key == known.api_key() => key.into(),
        _ => "as given".into(),
    }
}

/// What happened; what never happened is left out.
fn farewell(summary: &Summary) -> String {
    let mut text = format!("stopped after {} connections and {} HTTP requests", summary.upgrades, summary.requests);
    for (count, what) in [
        (summary.slow_consumers, "too slow"),
        (summary.silent, "silent"),
        (summary.refused, "refused as too many"),
        (summary.aborted, "not closed in time"),
        (summary.panicked, "ended by a defect of syncspec"),
    ] {
        if count > 0 {
            text.push_str(&format!("; {count} {what}"));
        }
    }
    text
}

/// Writes the certificate of the authority and tells where.
///
/// Under another name first: whoever reads the file finds all of it, and nothing that somebody linked there is written.
fn write_ca(ca: &Ca, address: SocketAddr) -> Result<PathBuf, String> {
    let path = ca
        .out
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("syncspec-serve-ca-{}.pem", address.port())));
    let mut beside = path.clone().into_os_string();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = write_new(&beside, &ca.pem).and_then(|()| fs::rename(&beside, &path));
    written.map_err(|error| {
        // It is ours, and of no use any more.
        let _ = fs::remove_file(&beside);
        format!("--tls-ca-out {}: {error}", path.display())
    })?;
    Ok(path)
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

/// Files besides connections: listener, runtime, standard streams.
const OTHER_FILES: u64 = 64;

/// Lets this process open as many files as it may. Tells how many, if that is fewer than the connections need.
fn raise_file_limit(connections: usize) -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let mut raised = limit;
    raised.current = limit.maximum;
    // Failing leaves the limit as it is.
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limit };
    limit.current.filter(|allowed| *allowed < connections as u64 + OTHER_FILES)
}
