//! Who asks a cluster, and which certificates it may show: from the environment, so that no command line has them.

use std::env;
use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::error::{Error, Result};

/// The header `Authorization`, if a key or a user is given.
pub(super) fn authorization() -> Result<Option<String>> {
    let of = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let key = of("RETUNE_STORE_API_KEY");
    match (key, of("RETUNE_STORE_USER"), of("RETUNE_STORE_PASSWORD")) {
        (Some(key), None, None) => match key.bytes().all(|byte| byte.is_ascii_graphic()) {
            true => Ok(Some(format!("ApiKey {key}"))),
            false => Err(Error::invalid(
                "RETUNE_STORE_API_KEY",
                "characters that no key has, or spaces",
                "the key as the cluster has shown it",
            )),
        },
        (None, Some(user), Some(password)) => {
            Ok(Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))))
        }
        (None, None, None) => Ok(None),
        _ => Err(Error::invalid(
            "what the environment says of who asks the cluster",
            "a part of it, or two ways at once",
            "RETUNE_STORE_API_KEY, or both RETUNE_STORE_USER and RETUNE_STORE_PASSWORD",
        )),
    }
}

/// Certificates that a cluster's are held to: those of the PEM file that RETUNE_STORE_CA names, else the public ones.
pub(super) fn tls() -> Result<TlsConfig> {
    let Some(path) = env::var_os("RETUNE_STORE_CA").filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(TlsConfig::default());
    };
    let pem = fs::read(&path).map_err(Error::io("read the certificates in", &path))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let Ok(PemItem::Certificate(certificate)) = item {
            found.push(certificate);
        }
    }
    match found.is_empty() {
        false => Ok(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&found)).build()),
        true => Err(Error::invalid(
            "the file that RETUNE_STORE_CA names",
            format!("no certificate in {}", path.display()),
            "the certificate, in PEM, of the authority that has signed the cluster's",
        )),
    }
}
