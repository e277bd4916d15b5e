//! Appending to a live segment.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::segment::{Edition, Segment, header};
use crate::error::{Error, Result};
use crate::storage::{share_with_writers, sync_folder, sync_open_file};

/// A live segment that this handle appends to. A trait, so that tests can simulate a failing disk.
pub(super) trait SegmentFile: Send {
    /// Bytes in the segment.
    fn len(&self) -> u64;
    /// Appends `bytes`. Returns false, and appends nothing, if the segment was replaced or is being replaced: then the
    /// next one must be begun. After an error the end of the segment is unknown.
    fn append(&mut self, bytes: &[u8]) -> Result<bool>;
    /// Makes everything appended durable.
    fn sync(&mut self) -> Result<()>;
}

/// Creates a segment in a folder.
pub(super) type CreateSegment = Box<dyn Fn(&Path) -> Result<Box<dyn SegmentFile>> + Send>;

struct DiskSegment {
    file: File,
    path: PathBuf,
    folder: PathBuf,
    len: u64,
    /// Whether the segment's name is durable.
    named: bool,
}

impl DiskSegment {
    fn locked(&mut self, append: impl FnOnce(&mut DiskSegment) -> Result<bool>) -> Result<bool> {
        match self.file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(e)) => return Err(Error::io("lock", &self.path)(e)),
        }
        let appended = match self.path.try_exists() {
            Ok(true) => append(self),
            Ok(false) => Ok(false),
            Err(e) => Err(Error::io("inspect", &self.path)(e)),
        };
        self.file.unlock().map_err(Error::io("unlock", &self.path))?;
        appended
    }
}

impl SegmentFile for DiskSegment {
    fn len(&self) -> u64 {
        self.len
    }

    fn append(&mut self, bytes: &[u8]) -> Result<bool> {
        self.locked(|this| {
            this.len += bytes.len() as u64;
            this.file.write_all(bytes).map_err(Error::io("append to", &this.path))?;
            Ok(true)
        })
    }

    fn sync(&mut self) -> Result<()> {
        sync_open_file(&self.file, &self.path)?;
        if !self.named {
            sync_folder(&self.folder)?;
            self.named = true;
        }
        Ok(())
    }
}

/// Creates a live segment with its header.
pub(super) fn create_on_disk(folder: &Path) -> Result<Box<dyn SegmentFile>> {
    loop {
        let Segment { path, .. } = Segment::new_live(folder);
        // Opened for reading too, which some systems require for locks.
        let mut options = OpenOptions::new();
        // What people have asked is nobody else's business.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.read(true).append(true).create_new(true).open(&path);
        let file = file.map_err(Error::io("create", &path))?;
        share_with_writers(&file, folder).map_err(Error::io("set the permissions of", &path))?;
        let folder = folder.to_path_buf();
        let mut segment = DiskSegment { file, path, folder, len: 0, named: false };
        match segment.append(&header(Edition::default())) {
            Ok(true) => return Ok(Box::new(segment)),
            // A process that merges segments has removed the empty file.
            Ok(false) => {}
            Err(error) => {
                // A full disk must not leave an empty file with every attempt.
                let _ = fs::remove_file(&segment.path);
                return Err(error);
            }
        }
    }
}
