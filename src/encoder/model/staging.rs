//! The folder in which a model is assembled before it is published, and its lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::progress::{Caller, Progress, Stage};
use crate::error::{Error, Result};

const PREFIX: &str = ".fetch-";
/// How often a process that waits for the lock checks again, and may be cancelled.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The folder of published models. Only one process at a time builds in it.
///
/// An operating system lock: it ends with its process.
pub(super) struct Area {
    folder: PathBuf,
    _lock: File,
}

impl Area {
    /// Takes the lock of the folder around `target`. Waits while another process has it.
    pub(super) fn enter(target: &Path, caller: &mut Caller<'_>) -> Result<Area> {
        let folder = target.parent().unwrap_or(target).to_path_buf();
        fs::create_dir_all(&folder).map_err(Error::io("create the cache folder", &folder))?;
        let path = folder.join("LOCK");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(Error::io("open the lock file", &path))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Area { folder, _lock: file }),
                Err(TryLockError::WouldBlock) => {
                    let told = caller.tell(Progress { stage: Stage::Waiting, done: 0, total: None });
                    told.or_else(|_| caller.check())?;
                    thread::sleep(LOOK_AGAIN);
                }
                Err(TryLockError::Error(e)) => return Err(Error::io("lock", &path)(e)),
            }
        }
    }

    /// A temporary folder on the file system of the published models. Removed on drop.
    pub(super) fn folder(&self) -> Result<TempDir> {
        tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(&self.folder)
            .map_err(Error::io("create a temporary folder in", &self.folder))
    }

    /// Removes leftovers of killed fetches. We hold the lock, so nobody is building here.
    pub(super) fn clean(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX)
                && let Err(error) = fs::remove_dir_all(entry.path())
            {
                tracing::warn!(path = %entry.path().display(), %error, "could not remove an unfinished download");
            }
        }
    }
}
