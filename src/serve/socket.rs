//! The socket in the index folder, for the programs of its owner, and the record that says where the service is.
//!
//! Only who holds the index for writing makes them, so what is there already was left by a service that was killed.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::net::UnixListener;

use crate::access::ServiceRecord;
use crate::error::{Error, Result};
use crate::storage::{remove_file, rename_file};

const NAME: &str = "serve.sock";
/// The longest path that a socket can have on every system.
const LONGEST: usize = 100;

/// What is to be removed when the service stops.
pub(super) struct Socket {
    path: PathBuf,
    index: PathBuf,
    /// Holds the socket where the path of the index is too long for one.
    _elsewhere: Option<TempDir>,
}

impl Socket {
    /// Makes the socket, for its owner alone, and the record.
    pub(super) fn open(index: &Path, url: &str) -> Result<(Socket, UnixListener)> {
        let index = index.canonicalize().map_err(Error::io("resolve", index))?;
        // A folder of its owner alone: nobody connects before the mode of the socket is set.
        let private = |within: &Path| {
            let made = tempfile::Builder::new().prefix(".serve-").tempdir_in(within);
            made.map_err(Error::io("create a folder in", within))
        };
        let path = index.join(NAME);
        let (path, listener, elsewhere) = if path.as_os_str().len() + LONGEST / 5 <= LONGEST {
            let folder = private(&index)?;
            let listener = bind(&folder.path().join("s"))?;
            // In one step, and over what a service that was killed has left.
            rename_file(&folder.path().join("s"), &path)?;
            (path, listener, None)
        } else {
            let folder = private(&std::env::temp_dir())?;
            let path = folder.path().join(NAME);
            let listener = bind(&path)?;
            (path, listener, Some(folder))
        };
        ServiceRecord::new(url, &path).write(&index)?;
        Ok((Socket { path, index, _elsewhere: elsewhere }, listener))
    }

    pub(super) fn remove(self) -> Result<()> {
        let record = ServiceRecord::remove(&self.index);
        remove_file(&self.path).and(record)
    }
}

fn bind(path: &Path) -> Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    let listener = UnixListener::bind(path).map_err(Error::io("create the socket", path))?;
    let owner = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, owner).map_err(Error::io("close to others", path))?;
    Ok(listener)
}
