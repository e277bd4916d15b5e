//! The writer's lock: one writer per index, within a process and across processes.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::{Error, Result};

/// The lock of an open writer. Released when dropped, and by the operating system when the process dies.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
}

impl WriterLock {
    /// Takes the lock of the index in `folder` without waiting.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process, or another handle in this process, holds the lock.
    pub(crate) fn acquire(folder: &Path) -> Result<WriterLock> {
        let lock = WriterLock::of_file(&folder.join("LOCK"))?;
        lock.ok_or_else(|| Error::Locked { path: folder.to_path_buf() })
    }

    /// Takes the lock of this file without waiting. `None` if it is held.
    pub(crate) fn of_file(path: &Path) -> Result<Option<WriterLock>> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(Error::io("open the lock file", path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(WriterLock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(Error::io("lock", path)(e)),
        }
    }
}

impl Drop for WriterLock {
    /// Closing the file is not enough: a child process that is being started at this moment has a copy of the handle,
    /// and would hold the lock until it runs its program.
    fn drop(&mut self) {
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "a lock is released only when its file is closed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_writer_is_refused_until_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let first = WriterLock::acquire(dir.path()).unwrap();
        assert!(matches!(WriterLock::acquire(dir.path()), Err(Error::Locked { .. })));
        drop(first);
        WriterLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn a_copy_of_the_handle_does_not_hold_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let first = WriterLock::acquire(dir.path()).unwrap();
        let copy = first.file.try_clone().unwrap();
        drop(first);
        WriterLock::acquire(dir.path()).unwrap();
        drop(copy);
    }
}
