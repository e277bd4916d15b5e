//! Whether the index folder is still there. One that is removed or moved under a service can't be served on: answers
//! would come from files that nobody finds, and what is said of them would be lost.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;

/// How often it is looked.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// The index folder that a service holds.
#[derive(Debug, Clone)]
pub(super) struct Held {
    path: PathBuf,
    /// Tells it from another folder at the same place.
    identity: Option<Identity>,
}

/// The number of a folder, and that of its file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    file_system: u64,
    folder: u64,
}

impl Held {
    pub(super) fn of(index: &Path) -> Held {
        Held { path: index.to_path_buf(), identity: identity(index).ok().flatten() }
    }

    /// Whether it was removed, moved or replaced. Not where that can't be told.
    pub(super) fn is_gone(&self) -> bool {
        match identity(&self.path) {
            Ok(now) => now != self.identity,
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }

    /// What a service says that has lost it.
    pub(super) fn lost(&self) -> Error {
        Error::NotFound {
            what: "index folder",
            id: self.path.display().to_string(),
            remedy: "it was removed, moved or replaced while it was served: start the service again",
        }
    }
}

#[cfg(unix)]
fn identity(folder: &Path) -> std::io::Result<Option<Identity>> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(folder).map(|of| Some(Identity { file_system: of.dev(), folder: of.ino() }))
}

#[cfg(not(unix))]
fn identity(folder: &Path) -> std::io::Result<Option<Identity>> {
    std::fs::metadata(folder).map(|_| None)
}
