//! A temporary folder for what is not kept.

use std::path::{Path, PathBuf};

use retune::{Error, Result};
use tempfile::TempDir;

/// A temporary folder; it goes when this is dropped.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Result<Scratch> {
        tempfile::tempdir().map(Scratch).map_err(failed)
    }

    /// The path of a file or folder in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Creates a folder in it and fills it.
    pub(crate) fn folder(
        &self,
        name: &str,
        fill: impl FnOnce(&Path) -> std::io::Result<()>,
    ) -> Result<PathBuf> {
        let folder = self.join(name);
        std::fs::create_dir(&folder).and_then(|()| fill(&folder)).map_err(failed)?;
        Ok(folder)
    }
}

fn failed(source: std::io::Error) -> Error {
    Error::Io { doing: "create a folder in", path: std::env::temp_dir(), source }
}
