//! What became of one attempt to ask a node.

use std::io;

use rustls::CertificateError;
use serde_json::{Value as Json, json};
use ureq::http::Response;

const LARGEST_ANSWER: u64 = 1 << 30;
/// The longest body of an error that is repeated although it is no JSON.
const LONGEST_WORD: usize = 200;

pub(super) enum Attempt {
    Answered(u16, Json),
    /// Nothing was sent.
    Unreached(String),
    /// Nothing was sent, since the connection can't be trusted. The same node would not do better. With a remedy.
    Untrusted(String, &'static str),
    /// It may have been carried out.
    Unknown(String),
}

impl Attempt {
    pub(super) fn of(sent: Result<Response<ureq::Body>, ureq::Error>) -> Attempt {
        match sent.map(read) {
            Ok(Ok((status, body))) => Attempt::Answered(status, body),
            Ok(Err(why)) => Attempt::Unknown(why),
            Err(error) => match trust(&error) {
                Some((why, remedy)) => Attempt::Untrusted(why, remedy),
                None if was_unreached(&error) => Attempt::Unreached(error.to_string()),
                None => Attempt::Unknown(error.to_string()),
            },
        }
    }
}

fn read(mut response: Response<ureq::Body>) -> Result<(u16, Json), String> {
    let status = response.status().as_u16();
    let bytes = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec();
    let bytes = bytes.map_err(|error| error.to_string())?;
    match serde_json::from_slice(&bytes) {
        Ok(body) => Ok((status, body)),
        Err(_) if status >= 300 => Ok((status, word(&bytes))),
        Err(_) if bytes.is_empty() => Ok((status, Json::Null)),
        Err(error) => Err(format!("HTTP {status} with a body that is no JSON: {error}")),
    }
}

/// What an error says that is no JSON, unless it is the page of a proxy.
fn word(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes).map(str::trim) {
        Ok(word) if (1..=LONGEST_WORD).contains(&word.len()) && !word.contains('<') => {
            json!({ "error": word })
        }
        _ => Json::Null,
    }
}

/// Why there is no secure connection, and what to do, if that is what failed.
fn trust(error: &ureq::Error) -> Option<(String, &'static str)> {
    let ureq::Error::Io(error) = error else { return None };
    let failed = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let remedy = match failed {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "name a file with the certificate (PEM) that has signed the cluster's in RETUNE_STORE_CA"
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "use an address with a name that the node's certificate has",
        rustls::Error::InvalidCertificate(_) => "see to the node's certificate",
        rustls::Error::InvalidMessage(_) => {
            "see whether the cluster has TLS at this address: without it addresses begin with http://"
        }
        _ => "see to the TLS of the node: it must have version 1.2 or later",
    };
    Some((failed.to_string(), remedy))
}

/// Whether nothing can have been sent.
fn was_unreached(error: &ureq::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    match error {
        ureq::Error::Io(error) => {
            matches!(
                error.kind(),
                ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable
            )
        }
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => true,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        _ => false,
    }
}
