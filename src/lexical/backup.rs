//! Copying an index while it is open.

use std::fs;
use std::path::Path;

use super::failure::damaged;
use super::index::LexicalIndex;
use crate::error::{Error, Result};
use crate::storage::{copy_folder, remove_folder};

/// Names the files of the commit. A merge replaces it, and then removes files.
const META: &str = "meta.json";

impl LexicalIndex {
    /// Copies the latest commit to a new folder. The caller sees to it that nothing is committed meanwhile; merges may
    /// go on.
    pub(crate) fn copy_to(&self, to: &Path) -> Result<()> {
        const TRIES: usize = 100;
        let meta = self.path().join(META);
        let read = || fs::read(&meta).map_err(Error::io("read", &meta));
        for _ in 0..TRIES {
            remove_folder(to)?;
            let before = read()?;
            match copy_folder(self.path(), to, &|name| name.ends_with(".lock")) {
                // A merge has removed it.
                Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => continue,
                copied => copied?,
            }
            if read()? == before {
                return Ok(());
            }
        }
        Err(damaged("copy the index", self.path(), "its files kept changing"))
    }
}
