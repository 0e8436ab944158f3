//! Targets for the command, and the files that go with it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use syncspec::catalogue::faults;
use syncspec::reference::shell::{Options, Running};
use syncspec::reference::{Config, Endpoint};
use tokio_rustls::rustls::{self, ServerConfig};

use super::command::fresh;

/// The key of [`reference`].
pub(crate) const KEY: &str = "da2-averysecretkeyoftests00001";

/// The whole answer to an HTTP request.
pub(crate) fn get(address: &str, path: &str) -> String {
    let mut tcp = TcpStream::connect(address).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(tcp, "GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).unwrap();
    answer
}

/// The reference endpoint with these saboteurs and the secret key, and where it listens.
pub(crate) fn reference(bent: &[&str], options: Options) -> (Running, String) {
    let how: Vec<_> = bent.iter().map(|name| faults().find(|fault| fault.name == *name).unwrap().how).collect();
    let config = Config::default().with_api_key(KEY);
    let running = Running::start(Endpoint::new(config, &how).unwrap(), "127.0.0.1:0", options).unwrap();
    let address = running.address().to_string();
    (running, address)
}

/// A certificate that nobody trusts.
pub(crate) fn tls() -> Arc<ServerConfig> {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(builder.with_single_cert(vec![made.cert.der().clone()], key).unwrap())
}

/// A baseline with one case.
pub(crate) fn baseline(name: &str, id: &str, verdict: &str) -> String {
    let path = fresh(name);
    let case = format!("[[case]]\nid = \"{id}\"\nverdict = \"{verdict}\"\nreason = \"for a test\"\n");
    fs::write(&path, format!("target = \"a-test\"\n\n{case}")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A JSON report.
pub(crate) fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
