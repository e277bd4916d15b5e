//! The bytes of a document's own file.

use std::fs::File;
use std::path::PathBuf;

use super::Own;
use crate::error::{Error, Result};

/// The file of a document, opened.
#[derive(Debug)]
pub struct ServedFile {
    /// Where it lies, without links.
    pub path: PathBuf,
    /// The open file.
    pub file: File,
    /// Its length in bytes.
    pub bytes: u64,
}

impl Own {
    /// The file of a document of the index: a regular file that lies in its followed folder once all links are
    /// resolved. `None` for what has none, such as a document in an archive, and for what is not in the index.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be opened.
    pub fn file(&self, document: &str) -> Result<Option<ServedFile>> {
        let reader = self.reader()?;
        if reader.coverage_of(document)?.chunks == 0 {
            return Ok(None);
        }
        let Some(path) = reader.path_of(document)? else { return Ok(None) };
        let Ok(path) = path.canonicalize() else { return Ok(None) };
        let inside = reader.folders()?.iter().any(|folder| {
            // As the followed folder is now, whatever it was when it was recorded.
            folder.path.canonicalize().is_ok_and(|folder| path.starts_with(folder))
        });
        if !inside || !path.is_file() {
            return Ok(None);
        }
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        let length = file.metadata().map_err(Error::io("read the length of", &path))?;
        Ok(length.is_file().then_some(ServedFile { path, file, bytes: length.len() }))
    }
}
