//! tantivy's memory-mapped folder, with durable commits and verified files.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tantivy::Directory;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    DirectoryLock, FileHandle, Lock, MmapDirectory, WatchCallback, WatchHandle, WritePtr,
};

use super::sums::{seal, unseal, verify};
use crate::error::Error;
use crate::storage::{self, WriterLock};

/// The list of the files that the writer may remove once no segment needs them.
const MANAGED: &str = ".managed.json";

/// Delegates to tantivy's folder, writes `meta.json` as our own files, and verifies every file when it is first opened.
/// A segment's file is never changed once it is written.
///
/// tantivy syncs the folder only before it renames `meta.json` into place. So a commit could be lost after it was
/// acknowledged, and a merge could delete the old segments' files before the `meta.json` without them is durable. Nor
/// can other users read what it writes so.
#[derive(Clone, Debug)]
pub(super) struct DurableDirectory {
    inner: MmapDirectory,
    path: PathBuf,
    /// Whether the JSON files have a checksum; those of indexes of version 1 don't.
    sealed: bool,
    opened: Arc<Mutex<Opened>>,
}

/// The files that were opened, by their names.
#[derive(Debug, Default)]
struct Opened {
    /// Those that are sound.
    verified: HashSet<PathBuf>,
    /// The others, and what is wrong with them.
    refused: HashMap<PathBuf, OpenReadError>,
}

impl DurableDirectory {
    pub(super) fn open(path: &Path, sealed: bool) -> tantivy::Result<DurableDirectory> {
        let inner = MmapDirectory::open(path)?;
        Ok(DurableDirectory { inner, path: path.to_path_buf(), sealed, opened: Arc::default() })
    }

    /// An error for a file of the segment `uuid` that could not be opened. tantivy goes on without positions.
    pub(super) fn refusal(&self, uuid: &str) -> tantivy::Result<()> {
        let opened = self.opened();
        let of_segment = |path: &Path| path.to_str().is_some_and(|name| name.starts_with(uuid));
        match opened.refused.iter().find(|(path, _)| of_segment(path)) {
            Some((_, error)) => Err(error.clone().into()),
            None => Ok(()),
        }
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_verified(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let file = self.inner.get_file_handle(path)?;
        // Not under the lock: a large file takes a while. That two threads verify one does no harm.
        let known = self.opened().verified.contains(path);
        if !known {
            verify(&self.path.join(path), Arc::clone(&file))
                .map_err(|error| OpenReadError::wrap_io_error(error, path.to_path_buf()))?;
            self.opened().verified.insert(path.to_path_buf());
        }
        Ok(file)
    }

    /// What a lost or damaged list of managed files can have named: every file of a segment.
    fn list_anew(&self) -> io::Result<Vec<u8>> {
        let mut names = vec!["meta.json".to_owned()];
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let segment = name.split('.').next().unwrap_or_default();
            if segment.len() == 32 && segment.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                names.push(name);
            }
        }
        Ok(serde_json::to_vec(&names)?)
    }
}

impl Directory for DurableDirectory {
    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        storage::write_atomic(&self.path.join(path), &seal(data)).map_err(|error| match error {
            Error::Io { source, .. } => source,
            other => io::Error::other(other.to_string()),
        })
    }

    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let opened = self.open_verified(path);
        match &opened {
            Ok(_) => self.opened().refused.remove(path),
            Err(error) => self.opened().refused.insert(path.to_path_buf(), error.clone()),
        };
        opened
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.opened().verified.remove(path);
        self.inner.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.inner.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.inner.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let content = self.inner.atomic_read(path)?;
        if !self.sealed {
            return Ok(content);
        }
        let mut unsealed = unseal(content);
        if let Err(error) = &unsealed
            && path == Path::new(MANAGED)
        {
            tracing::warn!(folder = %self.path.display(), %error, "{MANAGED} is made anew");
            unsealed = self.list_anew();
        }
        unsealed.map_err(|error| OpenReadError::wrap_io_error(error, path.to_path_buf()))
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
