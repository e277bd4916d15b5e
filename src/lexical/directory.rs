//! tantivy's memory-mapped folder, with durable commits.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::Directory;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    DirectoryLock, FileHandle, Lock, MmapDirectory, WatchCallback, WatchHandle, WritePtr,
};

use crate::error::Error;
use crate::storage::{self, WriterLock};

/// Delegates everything to tantivy's folder, and syncs it after `meta.json` is renamed into place.
///
/// tantivy syncs the folder only before the rename. Without this, a commit could be lost after it was acknowledged, and
/// a merge could delete the old segments' files before the `meta.json` without them is durable.
#[derive(Clone, Debug)]
pub(super) struct DurableDirectory {
    inner: MmapDirectory,
    path: PathBuf,
}

impl DurableDirectory {
    pub(super) fn open(path: &Path) -> tantivy::Result<DurableDirectory> {
        Ok(DurableDirectory { inner: MmapDirectory::open(path)?, path: path.to_path_buf() })
    }
}

impl Directory for DurableDirectory {
    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.inner.atomic_write(path, data)?;
        if path == Path::new("meta.json") {
            storage::sync_folder(&self.path).map_err(|error| match error {
                Error::Io { source, .. } => source,
                other => io::Error::other(other.to_string()),
            })?;
        }
        Ok(())
    }

    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.inner.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.inner.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.inner.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.inner.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.inner.atomic_read(path)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.inner.sync_directory()
    }

    /// The writer's lock is ours: tantivy's outlives its holder while a child process is being started.
    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        if lock.is_blocking {
            return match self.inner.acquire_lock(lock) {
                // Readers lock out the removal of what they are opening. Who may not create the file may lock it.
                Err(LockError::IoError(error)) if is_read_only(&error) => {
                    lock_read_only(&self.path.join(&lock.filepath))
                }
                locked => locked,
            };
        }
        match WriterLock::of_file(&self.path.join(&lock.filepath)) {
            Ok(Some(lock)) => Ok(DirectoryLock::from(Box::new(lock))),
            Ok(None) => Err(LockError::LockBusy),
            Err(error) => Err(LockError::wrap_io_error(io::Error::other(error.to_string()))),
        }
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.inner.watch(callback)
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn lock_read_only(path: &Path) -> Result<DirectoryLock, LockError> {
    match File::open(path) {
        Ok(file) => {
            file.lock().map_err(LockError::wrap_io_error)?;
            Ok(DirectoryLock::from(Box::new(file)))
        }
        // No writer has ever removed anything.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(DirectoryLock::from(Box::new(()))),
        Err(error) => Err(LockError::wrap_io_error(error)),
    }
}
