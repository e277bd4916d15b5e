//! Operating system locks, which end with their process: one writer per index, within a process and across processes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// How often to retry a held lock.
const LOOK: Duration = Duration::from_millis(20);

/// The lock of an open writer. Released when dropped, and by the operating system when the process dies.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
}

impl WriterLock {
    /// Takes the lock of `folder`, on its file `LOCK`, which names the holder. Waits for at most `wait`.
    /// # Errors
    /// [`Error::Locked`] if another process, or another handle in this process, holds the lock all that time.
    pub(crate) fn acquire(folder: &Path, wait: Duration) -> Result<WriterLock> {
        let path = folder.join("LOCK");
        let started = Instant::now();
        loop {
            if let Some(lock) = WriterLock::of_file(&path)? {
                lock.name_holder();
                return Ok(lock);
            }
            let left = wait.saturating_sub(started.elapsed());
            if left.is_zero() {
                // Not on Windows, where nobody else can read a locked file.
                let holder = fs::read_to_string(&path).ok().filter(|text| !text.is_empty());
                return Err(Error::Locked { path: folder.to_path_buf(), holder });
            }
            std::thread::sleep(LOOK.min(left));
        }
    }

    /// Takes the lock of this file without waiting. `None` if it is held.
    pub(crate) fn of_file(path: &Path) -> Result<Option<WriterLock>> {
        let mut options = OpenOptions::new();
        let file = match options.create(true).truncate(false).write(true).open(path) {
            // The file belongs to another user, in a folder that this user may write to. Most systems can lock it
            // anyway.
            Err(e) if e.kind() == ErrorKind::PermissionDenied => File::open(path).map_err(|_| e),
            opened => opened,
        };
        let file = file.map_err(Error::io("open the lock file", path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(WriterLock { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(Error::io("lock", path)(e)),
        }
    }

    /// Writes the holder's name to the file, for the error message of others.
    fn name_holder(&self) {
        let program = std::env::current_exe().ok();
        let name = program.as_deref().and_then(Path::file_stem).unwrap_or_default();
        let text = format!("process {} ({})", std::process::id(), name.display());
        // If this fails, the message names nobody.
        let _ = self.file.set_len(0).and_then(|()| (&self.file).write_all(text.as_bytes()));
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

    const AT_ONCE: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_second_writer_is_refused_until_the_first_is_gone_and_told_who_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = WriterLock::acquire(dir.path(), AT_ONCE).unwrap();
        let refused = WriterLock::acquire(dir.path(), AT_ONCE).unwrap_err();
        assert!(matches!(refused, Error::Locked { .. }));
        assert!(refused.to_string().contains(&format!("process {} (", std::process::id())), "{refused}");
        drop(first);
        WriterLock::acquire(dir.path(), AT_ONCE).unwrap();
    }

    #[test]
    fn a_writer_waits_for_another_to_end() {
        let dir = tempfile::tempdir().unwrap();
        let first = WriterLock::acquire(dir.path(), AT_ONCE).unwrap();
        crossbeam_utils::thread::scope(|scope| {
            let (done, ended) = crossbeam_channel::bounded(1);
            let path = dir.path();
            let second = scope.spawn(move |_| {
                let acquired = WriterLock::acquire(path, LONG).map(drop);
                drop(done);
                acquired
            });
            let waits: Result<(), _> = ended.recv_timeout(3 * LOOK);
            assert_eq!(waits, Err(crossbeam_channel::RecvTimeoutError::Timeout));
            drop(first);
            second.join().unwrap().unwrap();
        })
        .unwrap();
    }

    #[test]
    fn a_copy_of_the_handle_does_not_hold_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let first = WriterLock::acquire(dir.path(), AT_ONCE).unwrap();
        let copy = first.file.try_clone().unwrap();
        drop(first);
        WriterLock::acquire(dir.path(), AT_ONCE).unwrap();
        drop(copy);
    }
}
