//! The folder in which a generation is built.

use std::path::{Path, PathBuf};

use super::manifest::{Manifest, folder_of};
use super::open::Generation;
use crate::error::{Error, Result};
use crate::ids::GenerationId;
use crate::storage::remove_folder;

/// A folder that is removed on drop. After publishing it has another name, and there is nothing left to remove.
#[derive(Debug)]
pub(super) struct Scratch(pub(super) PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = remove_folder(&self.0) {
            tracing::warn!(%error, "could not delete an abandoned build");
        }
    }
}

/// The number of the generation after `parent`.
pub(super) fn next_id(root: &Path, parent: &Generation) -> Result<GenerationId> {
    Ok(Manifest::read(root)?.map_or(GenerationId(parent.meta.id.0 + 1), |manifest| manifest.next))
}

/// Creates a folder for a build after `parent`. `suffix` distinguishes builds of one round.
pub(super) fn scratch(root: &Path, parent: &Generation, suffix: &str) -> Result<Scratch> {
    scratch_for(root, next_id(root, parent)?, suffix)
}

pub(super) fn scratch_for(root: &Path, id: GenerationId, suffix: &str) -> Result<Scratch> {
    let mut name = std::ffi::OsString::from(".building-");
    name.push(folder_of(root, id).file_name().unwrap_or_default());
    name.push(suffix);
    let folder = root.join(name);
    remove_folder(&folder)?;
    std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
    Ok(Scratch(folder))
}
