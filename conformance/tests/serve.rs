//! `syncspec serve` from outside: its settings, TLS that the suite judges, limits, and its end.
#![allow(clippy::unwrap_used, reason = "tests")]

mod peers;

use std::fs;
use std::io::Read as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use peers::command::{Ended, Running, fresh, start, start_with, syncspec};
use peers::targets::{KEY, get};
use rustix::process::Signal;
use syncspec::catalogue::faults;

/// A served endpoint and where it listens.
fn serve(arguments: &[&str]) -> (Running, String, Vec<String>) {
    let mut running =
        start_with(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat(), &[("SYNCSPEC_API_KEY", KEY)]);
    let mut lines = Vec::new();
    loop {
        let line = running.until("");
        if let Some(url) = line.strip_prefix("READY ") {
            let authority = url.split('/').nth(2).unwrap().to_owned();
            return (running, authority, lines);
        }
        lines.push(line);
    }
}

fn stop(running: Running) -> Ended {
    running.signal(Signal::TERM);
    running.end()
}

/// A file of this test with this text, as an argument.
fn file(name: &str, text: &str) -> String {
    let path = fresh(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

// The settings file

#[test]
fn the_printed_settings_can_be_served() {
    let printed = syncspec(&["serve", "--print-config"]);
    let path = file("printed.toml", &printed.out);

    let (running, authority, _) = serve(&["--config", &path]);
    let answer = get(&authority, "/ping");

    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""), "{printed}");
    assert!(answer.ends_with("healthy"), "{answer}");
    assert_eq!(stop(running).code, Some(0));
}

#[test]
fn wrong_settings_exit_2_with_the_place_before_anything_is_served() {
    for (text, error) in [
        ("hosts = 5\n", "bad-serve.toml:1:9: hosts: expected a list; got integer 5"),
        ("[connections]\nmaximum = 5\n", "bad-serve.toml:2:1: connections.maximum: unknown key; expected one of max,"),
        ("\nfaults = [\"no-such-fault\"]\n", "bad-serve.toml:2:11: faults: no saboteur of this name"),
        ("[tls]\ncert = \"no-such.pem\"\nkey = \"no-such.key\"\n", "bad-serve.toml:2:8: tls.cert: "),
    ] {
        let path = file("bad-serve.toml", text);

        syncspec(&["serve", "--config", &path]).refuses(error);
    }
    syncspec(&["serve", "--config", "no/such.toml"]).refuses("no/such.toml: No such file");
}

#[test]
fn wrong_options_exit_2_and_are_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listener = std::net::TcpListener::bind(taken).unwrap();
    let taken = taken.to_string();
    for (arguments, error) in [
        (vec!["--profile", "prod"], "--profile: no profile \"prod\"; expected one of live"),
        (vec!["--listen", "8700"], "--listen: expected HOST:PORT"),
        (vec!["--listen", &taken], "--listen \"127.0.0.1:"),
        (vec!["--api-key", ""], "--api-key: expected a key; got an empty text"),
        (vec!["--tls-cert", "a.pem"], "--tls-key"),
        (vec!["--tls", "self-signed", "--tls-cert", "a.pem", "--tls-key", "a.key"], "cannot be used with"),
        (vec!["--tls-name", "a"], "--tls-name: expected together with --tls self-signed"),
        (
            vec!["--listen", "127.0.0.1:0", "--tls", "self-signed", "--tls-ca-out", "no/such/ca.pem"],
            "--tls-ca-out no/such/ca.pem",
        ),
        (vec!["--ka", "soon"], "--ka"),
    ] {
        syncspec(&[&["serve"], arguments.as_slice()].concat()).refuses(error);
    }
    drop(listener);
}

#[test]
fn saboteurs_are_listed_as_in_list_and_announced_when_played() {
    let name = "graphql-data-after-complete";
    let fault = faults().find(|fault| fault.name == name).unwrap();

    let (listed, known) = (syncspec(&["serve", "--list-faults"]), syncspec(&["list", "--faults"]));
    let (running, _, lines) = serve(&["--fault", name]);

    assert_eq!(listed.out, known.out);
    assert!(faults().all(|fault| listed.out.contains(fault.about) && listed.out.contains(fault.breaks.id())));
    assert!(
        lines.iter().any(|line| *line == format!("fault    {name}: {}, which breaks {}", fault.about, fault.breaks))
    );
    stop(running);
}

// TLS

#[test]
fn a_made_certificate_is_trusted_by_the_suite_through_its_written_authority() {
    let ca = fresh("made-ca.pem");
    let path = ca.to_str().unwrap();
    let (running, authority, lines) = serve(&["--tls", "self-signed", "--tls-name", "api.local", "--tls-ca-out", path]);
    let port = authority.rsplit(':').next().unwrap();

    for host in ["127.0.0.1", "localhost", "api.local"] {
        for (endpoint, filter) in [("graphql", "graphql/control"), ("event", "events/control")] {
            let url = format!("https://{host}:{port}/{endpoint}");
            let judged = start_with(
                &["server", &url, "--ca", path, "--connect-to", &authority, "--filter", filter],
                &[("SYNCSPEC_API_KEY", KEY)],
            );

            judged.end().exits(0, "no failure in 2 cases");
        }
    }
    let other = format!("https://other.local:{port}/event");
    let untrusted = syncspec(&["server", &format!("https://{authority}/event"), "--api-key", KEY]);
    let misnamed = syncspec(&["server", &other, "--api-key", KEY, "--ca", path, "--connect-to", &authority]);

    untrusted.exits(3, "name its CA with --ca");
    misnamed.exits(3, "the certificate is for another host");
    assert!(lines.iter().any(|line| line.contains(&format!("https://{authority}/graphql  wss://{authority}/"))));
    for hint in ["CA       ", "NODE_EXTRA_CA_CERTS=", "SSL_CERT_FILE=", "--ca "] {
        assert!(lines.iter().any(|line| line.contains(&format!("{hint}{path}"))), "{hint}: {lines:?}");
    }
    let written = fs::read_to_string(&ca).unwrap();
    assert!(written.starts_with("-----BEGIN CERTIFICATE-----") && !written.contains("PRIVATE"), "{written}");
    // As any file is made, so that clients of other users can read it where the umask lets them.
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&ca), mode(Path::new(&file("any-file", ""))));
    assert_eq!(stop(running).code, Some(0));
}

#[test]
fn an_authority_of_an_earlier_run_is_replaced_and_a_link_is_not_followed() {
    let (ca, linked) = (fresh("replaced-ca.pem"), file("linked-file", "untouched"));
    std::os::unix::fs::symlink(&linked, &ca).unwrap();

    let (running, ..) = serve(&["--tls", "self-signed", "--tls-ca-out", ca.to_str().unwrap()]);

    assert!(fs::read_to_string(&ca).unwrap().contains("BEGIN CERTIFICATE"));
    assert_eq!(fs::read_to_string(&linked).unwrap(), "untouched");
    stop(running);
}

#[test]
fn without_a_path_the_authority_is_in_the_temporary_directory() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let mut running = start_with(&["serve", "--listen", "127.0.0.1:0", "--tls", "self-signed"], &[("TMPDIR", folder)]);

    let line = running.until("CA       ");
    let port = running.until("READY ").rsplit(':').next().unwrap().trim_end_matches("/graphql").to_owned();

    let path = line.trim_start_matches("CA       ").to_owned();
    assert_eq!(path, format!("{folder}/syncspec-serve-ca-{port}.pem"));
    assert!(fs::metadata(&path).is_ok());
    fs::remove_file(&path).unwrap();
    stop(running);
}

#[test]
fn a_certificate_from_files_is_used_and_a_plain_request_gets_one_readable_line() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let cert = file("own.pem", &made.cert.pem());
    file("own.key", &made.signing_key.serialize_pem());
    let config = file("own.toml", "[tls]\ncert = \"own.pem\"\nkey = \"own.key\"\n");

    let (running, authority, lines) = serve(&["--config", &config]);
    let plain = get(&authority, "/graphql");
    let url = format!("https://{authority}/event");
    let judged = syncspec(&["server", &url, "--api-key", KEY, "--ca", &cert, "--filter", "events/control"]);

    judged.exits(0, "no failure in 2 cases");
    assert!(plain.ends_with("\r\n\r\nthis port speaks TLS only; use https: or wss:\n"), "{plain}");
    // Nothing was made, so there is nothing to trust.
    assert!(!lines.iter().any(|line| line.starts_with("CA")), "{lines:?}");
    stop(running);
}

#[test]
fn a_key_that_does_not_fit_is_refused_by_name() {
    let pair = || rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let cert = file("one.pem", &pair().cert.pem());
    let key = file("another.key", &pair().signing_key.serialize_pem());

    let ended = syncspec(&["serve", "--tls-cert", &cert, "--tls-key", &key]);

    ended.refuses(&format!("--tls-key: {key}: the key does not fit the certificate in {cert}"));
}

// Limits

#[test]
fn the_last_line_counts_what_was_refused() {
    let config = file("one-connection.toml", "[connections]\nmax = 1\n");
    let (running, authority, _) = serve(&["--config", &config]);
    let held = TcpStream::connect(&authority).unwrap();

    let refused = get(&authority, "/ping");
    drop(held);
    let ended = stop(running);

    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.ends_with("too many connections\n"), "{refused}");
    let last = ended.out.lines().last().unwrap_or_default();
    assert!(last.starts_with("stopped after 0 connections and 0 HTTP requests; 1 refused as too many"), "{last}");
}

#[test]
fn many_idle_connections_do_not_keep_others_out_and_end_with_the_command() {
    let (running, authority, _) = serve(&[]);
    let mut idle: Vec<_> = (0..500).map(|_| TcpStream::connect(&authority).unwrap()).collect();

    let answer = get(&authority, "/ping");
    let ended = stop(running);

    assert!(answer.ends_with("healthy"), "{answer}");
    assert_eq!(ended.code, Some(0), "{ended}");
    for tcp in &mut idle {
        tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        // The end, or a reset: either way it is over.
        assert!(!matches!(tcp.read(&mut [0; 16]), Ok(1..)));
    }
}

#[test]
fn the_key_that_was_given_is_never_printed() {
    let (running, _, lines) = serve(&[]);
    let ended = stop(running);

    assert!(lines.iter().any(|line| line == "API key  as given"), "{lines:?}");
    assert!(!ended.out.contains(KEY) && !ended.err.contains(KEY), "{ended}");
}

#[test]
fn the_key_for_tests_is_printed() {
    let mut running = start(&["serve", "--listen", "127.0.0.1:0"]);

    let line = running.until("API key");

    assert_eq!(line, "API key  da2-syncspecreferenceendpoint1");
    stop(running);
}
