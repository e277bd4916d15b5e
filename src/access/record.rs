//! Where a running service is: a file in the index folder, for its owner alone.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

#[cfg(all(unix, feature = "serve"))]
use crate::error::Result;
#[cfg(all(unix, feature = "serve"))]
use crate::storage::{remove_file, write_private};

const NAME: &str = "serve.json";

/// A service that holds an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ServiceRecord {
    /// Its process.
    pub pid: u32,
    /// Where its page is.
    pub url: String,
    /// The socket that it listens on.
    pub socket: PathBuf,
    /// Its version of retune.
    pub version: String,
}

impl ServiceRecord {
    #[cfg(all(unix, feature = "serve"))]
    /// This process, serving at `url` and `socket`.
    pub(crate) fn new(url: &str, socket: &Path) -> ServiceRecord {
        ServiceRecord {
            pid: std::process::id(),
            url: url.to_string(),
            socket: socket.to_path_buf(),
            version: env!("CARGO_PKG_VERSION").to_string(),
        }
    }

    /// The record in an index folder. A service that was killed leaves one, too: only who answers at the socket is
    /// running.
    pub fn read(index: &Path) -> Option<ServiceRecord> {
        serde_json::from_slice(&std::fs::read(index.join(NAME)).ok()?).ok()
    }

    #[cfg(all(unix, feature = "serve"))]
    pub(crate) fn write(&self, index: &Path) -> Result<()> {
        write_private(&index.join(NAME), &serde_json::to_vec(self).unwrap_or_default())
    }

    #[cfg(all(unix, feature = "serve"))]
    pub(crate) fn remove(index: &Path) -> Result<()> {
        remove_file(&index.join(NAME))
    }
}
