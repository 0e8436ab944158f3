//! The trust a client has, and what a failed handshake means.
//!
//! The built-in roots are those of Mozilla; a CA that the user names is trusted in addition. The configuration is built
//! once. Certificates are verified for the host of the URL, wherever the connection really goes.

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio_rustls::rustls;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, InvalidMessage, RootCertStore, SignatureScheme};

use super::LinkError;

/// Why the CA certificates that were given cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCa {
    detail: String,
}

impl fmt::Display for BadCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unusable CA certificates: {}; expected PEM with one or more CERTIFICATE blocks", self.detail)
    }
}

impl std::error::Error for BadCa {}

/// The configuration for all connections of a dialer. `ca` is PEM; `insecure` accepts any certificate.
pub(super) fn client_config(ca: Option<&[u8]>, insecure: bool) -> Result<Arc<ClientConfig>, BadCa> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| BadCa { detail: error.to_string() })?;

    // The CA is read even where nothing is verified: a bad file is an error of the user all the same.
    let roots = roots(ca)?;
    let config = if insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(TrustsAll { provider })).with_no_client_auth()
    } else {
        builder.with_root_certificates(roots).with_no_client_auth()
    };
    Ok(Arc::new(config))
}

/// The name that the certificate must be for, and that is sent as SNI.
pub(super) fn server_name(at: &str, host: &str) -> Result<ServerName<'static>, LinkError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    ServerName::try_from(bare).map_err(|_| LinkError::Tls {
        at: at.to_owned(),
        detail: "the host is neither a DNS name nor an address".into(),
        hint: "",
    })
}

/// What a failed handshake, or a failure of the TLS layer later on, means.
pub(super) fn explain(at: &str, error: &io::Error) -> LinkError {
    let at = at.to_owned();
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        let hint = "usually a port that does not speak TLS, or a server that wants another TLS version";
        return LinkError::Tls { at, detail: ended(error), hint };
    };

    // Bytes that are no TLS record come from a peer that does not speak TLS. Other bad messages come from one that does.
    if let rustls::Error::InvalidMessage(message) = error {
        let no_record = matches!(
            message,
            InvalidMessage::InvalidContentType
                | InvalidMessage::UnknownProtocolVersion
                | InvalidMessage::MessageTooLarge
                | InvalidMessage::InvalidEmptyPayload
        );
        if no_record {
            return LinkError::TlsWherePlain { at };
        }
    }
    LinkError::Tls { at, detail: error.to_string(), hint: hint(error) }
}

fn ended(error: &io::Error) -> String {
    let closed = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    );
    if closed { "the connection was closed during the handshake".into() } else { error.to_string() }
}

fn hint(error: &rustls::Error) -> &'static str {
    if matches!(error, rustls::Error::AlertReceived(_)) {
        return "the server ended the handshake; usually it wants another host name or TLS version";
    }
    let rustls::Error::InvalidCertificate(certificate) = error else {
        return "";
    };
    let name =
        matches!(certificate, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. });
    let time = matches!(
        certificate,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    );
    if name {
        "the certificate is for another host than that of the URL"
    } else if time {
        "the certificate is out of date, or the clock of this machine is wrong"
    } else if matches!(certificate, CertificateError::UnknownIssuer) {
        "nobody trusted here issued the certificate; name its CA with --ca"
    } else if matches!(certificate, CertificateError::Other(_)) {
        "usually a CA certificate is used as the server's own; make a leaf certificate"
    } else {
        ""
    }
}

fn roots(ca: Option<&[u8]>) -> Result<RootCertStore, BadCa> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let Some(pem) = ca else {
        return Ok(roots);
    };

    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| BadCa { detail: error.to_string() })?;
        roots.add(certificate).map_err(|error| BadCa { detail: error.to_string() })?;
        found += 1;
    }
    if found == 0 {
        return Err(BadCa { detail: "no certificate found".into() });
    }
    Ok(roots)
}

/// Accepts every certificate, yet checks that the peer holds its key.
#[derive(Debug)]
struct TrustsAll {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for TrustsAll {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_without_a_certificate_is_an_error() {
        let garbage = client_config(Some(b"not pem at all"), false).unwrap_err();
        let broken = client_config(Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), true);

        assert_eq!(
            garbage.to_string(),
            "unusable CA certificates: no certificate found; expected PEM with one or more CERTIFICATE blocks"
        );
        assert!(broken.is_err());
    }
}
