//! What a port that speaks TLS shows its clients: a certificate of its own making, or one from files.
//!
//! The made one has an authority of its own, because most clients take no certificate that vouches for itself. Both
//! keys stay in memory; what a client has to trust is the certificate of the authority, which [`Made::ca`] holds as PEM.
//! Texts of errors say what is wrong with a file and never quote it: it may be a key.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{Error, ServerConfig};

/// What [`Options::tls`](super::Options::tls) takes.
pub type Secure = Arc<ServerConfig>;

/// A certificate that was made for this run.
pub struct Made {
    /// For [`Options::tls`](super::Options::tls).
    pub config: Secure,
    /// The certificate of the authority, as PEM; no secret.
    pub ca: String,
}

/// Why there is no TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError {
    /// The file that is to blame, where one is.
    pub file: Option<PathBuf>,
    /// Which of the two files it is.
    pub part: Part,
    /// What is wrong.
    pub what: String,
}

/// Half of what a server needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The certificate, with those between it and its authority.
    Certificate,
    /// The private key.
    Key,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "{}: {}", file.display(), self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for TlsError {}

/// Makes an authority and a certificate for these names: DNS names and addresses, IPv6 with or without brackets.
///
/// Valid from yesterday for a year, for clients whose clock is a little off or which refuse long-lived certificates.
///
/// # Errors
/// When a name is none; see [`is_host_name`].
pub fn self_signed(names: &[String]) -> Result<Made, TlsError> {
    let wrong = |error: &dyn fmt::Display| TlsError {
        file: None,
        part: Part::Certificate,
        what: format!("no certificate for {}: {error}", names.join(", ")),
    };
    let made = make(names).map_err(|error| wrong(&error))?;
    let config = config(vec![made.leaf], made.key).map_err(|error| wrong(&error))?;
    Ok(Made { config, ca: made.ca })
}

/// Reads a certificate chain and its key from PEM files.
///
/// # Errors
/// When a file cannot be read or holds no certificate or key, or the key belongs to another certificate.
pub fn from_files(certificate: &Path, key: &Path) -> Result<Secure, TlsError> {
    let chain = read_chain(certificate)?;
    let pem = read(key, Part::Key)?;
    let private = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        let what = if matches!(error, pem::Error::NoItemsFound) {
            "no private key found; expected PEM with a block PRIVATE KEY".into()
        } else {
            format!("no PEM: {error}")
        };
        TlsError { file: Some(key.into()), part: Part::Key, what }
    })?;
    config(chain, private).map_err(|error| {
        let (file, part, what) = if matches!(error, Error::InconsistentKeys(_)) {
            (key, Part::Key, format!("the key does not fit the certificate in {}", certificate.display()))
        } else if let Error::InvalidCertificate(why) = error {
            (certificate, Part::Certificate, format!("unusable certificate: {why}"))
        } else {
            (key, Part::Key, format!("unusable key: {error}"))
        };
        TlsError { file: Some(file.into()), part, what }
    })
}

/// Whether the text is a DNS name or an address, without a port. An IPv6 address may stand in brackets.
pub fn is_host_name(text: &str) -> bool {
    ServerName::try_from(bare(text)).is_ok()
}

fn bare(name: &str) -> &str {
    name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name)
}

fn config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Secure, Error> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    Ok(Arc::new(builder.with_single_cert(chain, key)?))
}

// Making

struct Parts {
    leaf: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    ca: String,
}

fn make(names: &[String]) -> Result<Parts, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "syncspec serve, authority of one run");
    expire(&mut params);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let names: Vec<String> = names.iter().map(|name| bare(name).to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.distinguished_name.push(DnType::CommonName, "syncspec serve");
    expire(&mut params);
    let key = KeyPair::generate()?;
    let leaf = params.signed_by(&key, &authority)?;

    let ca = authority.as_ref().pem();
    Ok(Parts { leaf: leaf.der().clone(), key: PrivateKeyDer::Pkcs8(key.serialize_der().into()), ca })
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn expire(params: &mut CertificateParams) {
    let now = SystemTime::now();
    for (date, at) in [(&mut params.not_before, now - DAY), (&mut params.not_after, now + 365 * DAY)] {
        if let Some((year, month, day)) = date_of(at) {
            *date = rcgen::date_time_ymd(year, month, day);
        }
    }
}

/// Year, month and day in UTC.
fn date_of(at: SystemTime) -> Option<(i32, u8, u8)> {
    let text = humantime::format_rfc3339_seconds(at).to_string();
    let mut parts = text.get(..10)?.split('-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

// Reading

fn read(path: &Path, part: Part) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError { file: Some(path.into()), part, what: error.to_string() })
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path, Part::Certificate)?;
    let wrong = |what| TlsError { file: Some(path.into()), part: Part::Certificate, what };
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(format!("no PEM: {error}")))?;
    if chain.is_empty() {
        return Err(wrong("no certificate found; expected PEM with one or more CERTIFICATE blocks".into()));
    }
    Ok(chain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("syncspec-test-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        path
    }

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn a_certificate_and_its_key_are_taken() {
        let (certificate, key) = pair();

        let read = from_files(&file("good.pem", &certificate), &file("good.key", &key));

        assert!(read.is_ok());
    }

    #[test]
    fn a_bad_file_is_named_with_what_is_wrong_and_never_quoted() {
        let (certificate, key) = pair();
        let (_, another) = pair();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let unclosed = key.replace("-----END", "");
        let secret = key.lines().nth(1).unwrap();

        for (certificate, key, part, what) in [
            ("", key.as_str(), Part::Certificate, "no certificate found"),
            (key.as_str(), key.as_str(), Part::Certificate, "no certificate found"),
            (broken, &key, Part::Certificate, "unusable certificate"),
            (&certificate, "", Part::Key, "no private key found"),
            (&certificate, &certificate, Part::Key, "no private key found"),
            (&certificate, &unclosed, Part::Key, "no PEM"),
            (&certificate, &another, Part::Key, "the key does not fit the certificate in"),
        ] {
            let error = from_files(&file("bad.pem", certificate), &file("bad.key", key)).unwrap_err();

            assert_eq!(error.part, part, "{error}");
            assert!(error.to_string().contains(what), "expected {what}; got {error}");
            assert!(!error.to_string().contains(secret), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let (certificate, _) = pair();

        let error = from_files(&file("there.pem", &certificate), Path::new("no/such.key")).unwrap_err();

        assert!(error.to_string().starts_with("no/such.key: No such file"), "{error}");
    }

    #[test]
    fn a_made_certificate_is_for_addresses_in_brackets_too() {
        let made = self_signed(&["[::1]".into(), "127.0.0.1".into(), "api.example.com".into()]).unwrap();

        assert!(made.ca.starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(!made.ca.contains("PRIVATE KEY"));
    }

    #[test]
    fn a_host_name_has_no_port_no_scheme_and_no_wildcard() {
        let names = ["localhost", "api.example.com", "127.0.0.1", "::1", "[::1]"];
        let others = ["", "a b", "localhost:80", "https://localhost", "*.example.com", "[::1]:80"];

        assert!(names.iter().all(|name| is_host_name(name)));
        assert!(!others.iter().any(|name| is_host_name(name)));
    }
}
