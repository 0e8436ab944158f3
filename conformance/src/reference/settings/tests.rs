//! Files that are right, files that are wrong, and what the command line makes of either.

use super::*;
use crate::reference::shell::WhenFull;

fn parse(text: &str) -> Result<Settings, SettingsError> {
    Settings::parse(text, "conf/serve.toml")
}

fn prepare(text: &str) -> Result<Prepared, SettingsError> {
    parse(text)?.prepare(Overrides::default())
}

#[track_caller]
fn refused(text: &str) -> String {
    match prepare(text) {
        Ok(_) => panic!("taken: {text}"),
        Err(error) => error.to_string(),
    }
}

// The printed file

/// The file with the examples taken in.
fn with_examples() -> String {
    let uncommented = |line: &'static str| match line.strip_prefix('#') {
        Some(example) if !example.starts_with(' ') => example,
        Some(_) | None => line,
    };
    TEMPLATE.lines().map(uncommented).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_printed_file_reads_back_to_the_defaults() {
    let (read, default) = (parse(TEMPLATE).unwrap(), ServeFile::default());

    let ServeFile { listen, profile, switches, hosts, faults, ka, timeout_ms, connections, tls, auth, graphql, events } =
        read.file();
    let Connections { max, queue, when_full, max_message_bytes, ping_after } = connections;
    assert_eq!((listen, profile), (&default.listen, &default.profile));
    assert_eq!((hosts, faults), (&default.hosts, &default.faults));
    assert_eq!((ka, timeout_ms), (&default.ka, &default.timeout_ms));
    assert_eq!((max, queue), (&default.connections.max, &default.connections.queue));
    assert_eq!(when_full, &default.connections.when_full);
    assert_eq!(max_message_bytes, &default.connections.max_message_bytes);
    assert_eq!(ping_after, &default.connections.ping_after);
    assert!(tls.is_none() && switches.is_empty());
    assert_eq!(
        format!("{auth:?} {graphql:?} {events:?}"),
        format!("{:?} {:?} {:?}", default.auth, default.graphql, default.events)
    );
}

#[test]
fn every_key_and_every_section_is_in_the_printed_file() {
    let text = with_examples();
    let mut keys = 0;
    for section in ["", "connections", "tls", "auth", "graphql", "events"] {
        let header = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
        assert!(text.contains(header.trim_end()), "{section}");
        // serde lists what it knows between backticks, after the key that it does not.
        let unknown = toml::from_str::<ServeFile>(&format!("{header}no-such-key = 1\n")).unwrap_err();
        for key in unknown.message().split('`').skip(3).step_by(2) {
            keys += 1;
            let is_there = text.lines().any(|line| line.starts_with(&format!("{key} = ")))
                || text.lines().any(|line| line.starts_with(&format!("[{key}]")))
                || text.contains(&format!("[{section}.{key}"))
                || text.contains(&format!("\n#     {key} = "));
            assert!(is_there, "{section}.{key}");
        }
    }

    assert!(keys >= 20, "{keys}");
}

#[test]
fn the_examples_of_the_printed_file_can_be_used() {
    let prepared = prepare(&with_examples()).unwrap();

    assert!(prepared.shell.tls.is_some());
    assert!(prepared.config.hosts.contains(&"api.local".into()));
    assert_eq!(prepared.ca.unwrap().out, Some("conf/ca.pem".into()));
}

#[test]
fn an_empty_file_is_the_default() {
    let prepared = prepare("").unwrap();

    assert_eq!(prepared.listen, "127.0.0.1:8700");
    assert_eq!(prepared.config.policy.keep_alive, Config::default().policy.keep_alive);
    assert!(prepared.shell.tls.is_none() && prepared.ca.is_none() && prepared.faults.is_empty());
}

// What a file can say

#[test]
fn what_the_file_says_is_what_is_served() {
    let prepared = prepare(
        "listen = \"[::1]:9000\"\nhosts = [\"API.local\", \"::2\"]\nka = \"1m 30s\"\ntimeout-ms = 1000\n\
         faults = [\"graphql-data-after-complete\"]\n\
         [connections]\nmax = 7\nqueue = 8\nwhen-full = \"hold-back\"\nmax-message-bytes = 9\nping-after = \"0s\"\n",
    )
    .unwrap();

    let (config, shell) = (prepared.config, prepared.shell);
    assert_eq!(prepared.listen, "[::1]:9000");
    assert!(["api.local", "[::2]", "[::1]"].iter().all(|host| config.hosts.iter().any(|own| own == host)));
    assert_eq!((config.policy.keep_alive, config.policy.silence_limit_ms), (Duration::from_secs(90), 1000));
    assert_eq!(prepared.faults.iter().map(|fault| fault.name).collect::<Vec<_>>(), ["graphql-data-after-complete"]);
    assert_eq!((shell.max_connections, shell.queue, shell.max_message), (7, 8, 9));
    assert_eq!((shell.ping_after, shell.when_full), (Duration::ZERO, WhenFull::HoldBack));
}

#[test]
fn an_option_replaces_the_key_of_its_name() {
    let text = "listen = \"127.0.0.1:1\"\nprofile = \"no-such\"\nka = \"1s\"\ntimeout-ms = 1\nfaults = [\"no-such\"]\n\
                [tls]\ncert = \"no/such.pem\"\nkey = \"no/such.key\"\n";
    let options = Overrides {
        listen: Some("127.0.0.1:2".into()),
        profile: Some("live".into()),
        ka: Some(Duration::from_secs(2)),
        timeout_ms: Some(2),
        api_key: Some("da2-own".into()),
        faults: vec!["graphql-data-after-complete".into()],
        self_signed: true,
        tls_names: vec!["api.local".into()],
        tls_ca_out: Some("ca.pem".into()),
        ..Overrides::default()
    };

    let prepared = parse(text).unwrap().prepare(options).unwrap();

    assert_eq!((prepared.listen.as_str(), prepared.config.api_key()), ("127.0.0.1:2", "da2-own"));
    assert_eq!(prepared.config.policy.keep_alive, Duration::from_secs(2));
    assert_eq!(prepared.config.policy.silence_limit_ms, 2);
    assert_eq!(prepared.faults.len(), 1);
    assert!(prepared.config.hosts.contains(&"api.local".into()));
    // Beside the command, not beside the file.
    assert_eq!(prepared.ca.unwrap().out, Some("ca.pem".into()));
}

// Wrong files

#[test]
fn a_file_that_cannot_be_read_so_names_line_column_key_and_what_was_expected() {
    for (text, error) in [
        ("listen = 8700\n", ":1:10: listen: expected a string; got integer 8700"),
        (
            "\n  ka = 60\n",
            ":2:8: ka: expected a time with its unit, such as \"60s\", \"250ms\" or \"1m 30s\"; got integer 60",
        ),
        (
            "ka = \"soon\"\n",
            ":1:6: ka: expected a time with its unit, such as \"60s\", \"250ms\" or \"1m 30s\"; got string \"soon\"",
        ),
        ("timeout-ms = -1\n", ":1:14: timeout-ms: expected a whole number, 0 or more; got integer -1"),
        ("hosts = \"a\"\n", ":1:9: hosts: expected a list; got string \"a\""),
        ("hosts = [\n  \"a\",\n  7,\n]\n", ":3:3: hosts: expected a string; got integer 7"),
        ("connections = 5\n", ":1:15: connections: expected a section; got integer 5"),
        (
            "[connections]\nmax = \"many\"\n",
            ":2:7: connections.max: expected a whole number, 0 or more; got string \"many\"",
        ),
        ("[tls]\nself-signed = \"yes\"\n", ":2:15: tls.self-signed: expected a boolean; got string \"yes\""),
        ("tls = { cert = 1 }\n", ":1:16: tls.cert: expected a path; got integer 1"),
        ("listn = \"x\"\n", ":1:1: listn: unknown key; expected one of listen, profile, switches, hosts, faults, ka, "),
        ("[connections]\nmax = 1\nmin = 1\n", ":3:1: connections.min: unknown key; expected one of max, queue, "),
        ("[tsl]\n", ":1:2: tsl: unknown key; expected one of "),
        ("listen\n", ":1:"),
        ("ka = \"1s\"\nka = \"2s\"\n", ":2:1: duplicate key"),
        ("listen = \"\u{1b}[31m\"", ":1:"),
    ] {
        let told = refused(text);

        let expected = format!("conf/serve.toml{error}");
        assert!(told.starts_with(&expected), "expected {expected}\n     got {told}");
        assert!(!told.contains(['\n', '\u{1b}']), "{told}");
    }
}

#[test]
fn a_file_that_makes_no_sense_names_line_column_key_and_what_was_expected() {
    for (text, error) in [
        (
            "profile = \"prod\"\n",
            ":1:11: profile: no profile \"prod\"; expected one of live, live-eventual, docs-literal",
        ),
        ("faults = [\"a\"]\n", ":1:11: faults: no saboteur of this name: \"a\"; see syncspec list --faults"),
        ("listen = \"8700\"\n", ":1:10: listen: expected HOST:PORT, such as 127.0.0.1:8700"),
        ("listen = \"localhost:http\"\n", ":1:10: listen: expected HOST:PORT"),
        ("ka = \"0s\"\n", ":1:6: ka: expected more than 0s"),
        ("timeout-ms = 0\n", ":1:14: timeout-ms: expected more than 0"),
        ("hosts = [\"https://a\"]\n", ":1:10: hosts: expected a host name or an address, without scheme"),
        ("[connections]\nqueue = 0\n", ":2:9: connections.queue: expected more than 0"),
        ("[tls]\n", ":1:1: tls: expected self-signed = true, or cert and key; got neither"),
        ("[tls]\ncert = \"a\"\n", ":2:8: tls.cert: a certificate needs its key; give tls.key too"),
        ("[tls]\nkey = \"a\"\n", ":2:7: tls.key: a key needs its certificate; give tls.cert too"),
        (
            "[tls]\nself-signed = true\ncert = \"a\"\n",
            ":3:8: tls.cert: expected either self-signed = true, or cert and key",
        ),
        ("[tls]\nself-signed = true\nnames = [\"*.a\"]\n", ":3:10: tls.names: expected a host name or an address"),
        ("[tls]\ncert = \"a\"\nkey = \"b\"\n", ":2:8: tls.cert: conf/a: No such file"),
    ] {
        let told = refused(text);

        let expected = format!("conf/serve.toml{error}");
        assert!(told.starts_with(&expected), "expected {expected}\n     got {told}");
    }
}

#[test]
fn a_wrong_option_is_named_and_not_the_file() {
    let of = |options: Overrides| match Settings::default().prepare(options) {
        Ok(_) => panic!("taken"),
        Err(error) => error.to_string(),
    };
    let own = Overrides::default;

    for (options, error) in [
        (Overrides { profile: Some("prod".into()), ..own() }, "--profile: no profile \"prod\""),
        (Overrides { faults: vec!["a".into()], ..own() }, "--fault: no saboteur of this name: \"a\""),
        (Overrides { listen: Some("here".into()), ..own() }, "--listen: expected HOST:PORT"),
        (Overrides { ka: Some(Duration::ZERO), ..own() }, "--ka: expected more than 0s"),
        (Overrides { timeout_ms: Some(0), ..own() }, "--timeout-ms: expected more than 0"),
        (Overrides { api_key: Some(String::new()), ..own() }, "--api-key: expected a key; got an empty text"),
        (Overrides { tls_names: vec!["a".into()], ..own() }, "--tls-name: expected together with --tls self-signed"),
        (Overrides { tls_ca_out: Some("a".into()), ..own() }, "--tls-ca-out: expected together with --tls self-signed"),
        (Overrides { self_signed: true, tls_names: vec!["a b".into()], ..own() }, "--tls-name: expected a host name"),
        (Overrides { tls_files: Some(("a".into(), "b".into())), ..own() }, "--tls-cert: a: No such file"),
    ] {
        let told = of(options);

        assert!(told.starts_with(error), "expected {error}\n     got {told}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Settings::read(Path::new("no/such.toml")).map(|_| ()).unwrap_err();

    assert!(error.to_string().starts_with("no/such.toml: No such file"), "{error}");
}

#[test]
fn an_error_found_later_is_placed_at_its_key_or_around_it() {
    let settings = parse("ka = \"1s\"\n[tls]\nnames = []\n[tls.\"a.b\"]\nc = 1\n");
    // The key is unknown, but places are found in any TOML.
    let source = Source { path: "s.toml".into(), text: "x = 1\n[tls]\n[tls.\"a.b\"]\n  c = 1\n".into() };
    let at = |key: &str| source.place_of(key).to_string();

    assert!(settings.is_err());
    assert_eq!(at("tls.\"a.b\".c"), "s.toml:4:3: tls.\"a.b\".c");
    assert_eq!(at("tls.\"a.b\".d.e"), "s.toml:3:6: tls.\"a.b\".d.e");
    assert_eq!(at("tls.z"), "s.toml:2:2: tls.z");
    assert_eq!(at("tlsx"), "s.toml");
    assert_eq!(parse("").unwrap().error_at("tls.z", "bad").to_string(), "conf/serve.toml: tls.z: bad");
}

#[test]
fn a_secret_of_the_wrong_kind_is_not_quoted() {
    let source = Source { path: "s.toml".into(), text: "auth = \"da2-secret\"\n".into() };

    let error = source.error(&toml::from_str::<ServeFile>(&source.text).unwrap_err());

    assert_eq!(error.to_string(), "s.toml:1:8: auth: expected a section; got a string");
}
