//! Why a connection or an exchange did not come about, where, and what usually causes it.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio_rustls::rustls;

/// Why the other side could not be reached, or did not answer in a way that can be worked with.
///
/// `at` is the `host:port` of the URL, followed by the dialled address where that is another one. The text never shows
/// header values or bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// The host name has no address.
    Resolve {
        /// Where.
        at: String,
        /// What the resolver said.
        detail: String,
    },
    /// Nothing listens there.
    Refused {
        /// Where.
        at: String,
    },
    /// There is no route to the host.
    Unreachable {
        /// Where.
        at: String,
        /// What the system said.
        detail: String,
    },
    /// TCP or TLS was not established in time.
    ConnectTimeout {
        /// Where.
        at: String,
        /// `TCP connection` or `TLS handshake`.
        waiting_for: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// The TLS handshake failed.
    Tls {
        /// Where.
        at: String,
        /// What went wrong.
        detail: String,
        /// What usually causes it; empty if there is nothing to say.
        hint: &'static str,
    },
    /// TLS was spoken to a port that answers with something else.
    TlsWherePlain {
        /// Where.
        at: String,
    },
    /// Plain HTTP was spoken to a port that answers with a TLS alert.
    PlainWhereTls {
        /// Where.
        at: String,
    },
    /// The answer is not HTTP/1.
    NotHttp {
        /// Where.
        at: String,
        /// The first few bytes, unprintable ones replaced.
        saw: String,
    },
    /// The answer is HTTP, but cannot be read.
    Malformed {
        /// Where.
        at: String,
        /// What is wrong with it.
        detail: &'static str,
    },
    /// The answer did not come, or not all of it, in time.
    AnswerTimeout {
        /// Where.
        at: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The head of the answer does not end within the limit.
    HeadTooLarge {
        /// Where.
        at: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// The body of the answer does not end within the limit.
    BodyTooLarge {
        /// Where.
        at: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// `Sec-WebSocket-Accept` is absent or does not belong to the key.
    BadAccept {
        /// Where.
        at: String,
    },
    /// The peer closed the connection.
    Closed {
        /// Where.
        at: String,
        /// What was being read or written.
        during: &'static str,
    },
    /// The peer takes no bytes.
    SendTimeout {
        /// Where.
        at: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The message to send is longer than this side can buffer.
    MessageTooLarge {
        /// Where.
        at: String,
    },
    /// The request to send cannot be written as HTTP.
    BadRequest {
        /// Which part, and why; never its value.
        detail: String,
    },
    /// Any other failure of the system.
    Io {
        /// Where.
        at: String,
        /// What was being done.
        during: &'static str,
        /// What the system said.
        detail: String,
    },
}

impl LinkError {
    /// What a failure on an established connection means.
    pub(super) fn from_io(at: &str, during: &'static str, error: &io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
            return super::tls::explain(at, error);
        }
        let at = at.to_owned();
        let is_closed = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
        );
        if is_closed { Self::Closed { at, during } } else { Self::Io { at, during, detail: error.to_string() } }
    }
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve { at, detail } => {
                write!(f, "no address for {at}: {detail}; usually a typing error in the host, or no network")
            }
            Self::Refused { at } => {
                write!(f, "{at} refused the connection; usually nothing listens there, or the port is wrong")
            }
            Self::Unreachable { at, detail } => {
                write!(f, "{at} is unreachable: {detail}; usually no network, a wrong address, or a firewall")
            }
            Self::ConnectTimeout { at, waiting_for, after } => {
                write!(f, "no {waiting_for} with {at} within {}; usually a firewall or a wrong port", Seconds(*after))
            }
            Self::Tls { at, detail, hint } => {
                write!(f, "TLS with {at} failed: {detail}")?;
                if hint.is_empty() { Ok(()) } else { write!(f, "; {hint}") }
            }
            Self::TlsWherePlain { at } => {
                write!(f, "{at} does not speak TLS; usually https: or wss: was given for an http: or ws: port")
            }
            Self::PlainWhereTls { at } => {
                write!(f, "{at} speaks TLS only; usually http: or ws: was given for an https: or wss: port")
            }
            Self::NotHttp { at, saw } => {
                write!(f, "{at} does not speak HTTP/1, its answer starts {saw:?}; usually the port of another service")
            }
            Self::Malformed { at, detail } => {
                write!(f, "{at} sent an HTTP answer that cannot be read: {detail}")
            }
            Self::AnswerTimeout { at, after } => {
                write!(
                    f,
                    "no whole answer from {at} within {}; usually another service, or one that hangs",
                    Seconds(*after)
                )
            }
            Self::HeadTooLarge { at, limit } => {
                write!(f, "the head of the answer from {at} is over {limit} bytes or has too many fields")
            }
            Self::BodyTooLarge { at, limit } => {
                write!(f, "the body of the answer from {at} is over {limit} bytes; usually not an AppSync endpoint")
            }
            Self::BadAccept { at } => write!(
                f,
                "{at} agreed to the upgrade with a wrong sec-websocket-accept; usually a proxy or cache in between"
            ),
            Self::Closed { at, during } => {
                write!(
                    f,
                    "{at} closed the connection during {during}; usually a restart, a proxy, or TLS on one side only"
                )
            }
            Self::SendTimeout { at, after } => {
                write!(f, "{at} took no bytes for {}; usually it does not read", Seconds(*after))
            }
            Self::MessageTooLarge { at } => write!(f, "the message for {at} is longer than can be buffered"),
            Self::BadRequest { detail } => write!(f, "the request cannot be sent: {detail}"),
            Self::Io { at, during, detail } => write!(f, "{during} with {at} failed: {detail}"),
        }
    }
}

impl std::error::Error for LinkError {}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_what_where_and_the_usual_cause() {
        let refused = LinkError::Refused { at: "localhost:1".into() };
        let silent = LinkError::AnswerTimeout { at: "localhost:1".into(), after: Duration::from_millis(1500) };

        assert_eq!(
            refused.to_string(),
            "localhost:1 refused the connection; usually nothing listens there, or the port is wrong"
        );
        assert_eq!(
            silent.to_string(),
            "no whole answer from localhost:1 within 1.5s; usually another service, or one that hangs"
        );
    }
}
