//! Publishing: a finished folder gets its name, then `CURRENT` is replaced.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::build::Building;
use super::manifest::{Manifest, folder_of};
use super::open::Generation;
use crate::error::{Error, Result};
use crate::ids::GenerationId;
use crate::storage::{publish_folder, remove_folder};

/// Publishes `building` as the current generation of `root` and keeps the `keep` most recent earlier ones.
/// Returns it with the generations that are no longer kept; their folders still exist.
pub(crate) fn publish(
    root: &Path,
    building: Building,
    keep: usize,
) -> Result<(Arc<Generation>, Vec<GenerationId>)> {
    let Building { meta, encoder, dense, folder: scratch } = building;
    dense.sync()?;
    drop(dense);
    meta.write(&scratch.0)?;
    let folder = folder_of(root, meta.id);
    publish_folder(&scratch.0, &folder)?;
    let (mut kept, next) = (Vec::new(), GenerationId(meta.id.0 + 1));
    if let Some(before) = Manifest::read(root)? {
        kept.push(before.current);
        kept.extend(before.kept);
    }
    let dropped = kept.split_off(keep.min(kept.len()));
    Manifest { current: meta.id, kept, next }.write(root)?;
    Ok((Arc::new(Generation::new(meta, encoder, folder)), dropped))
}

/// Makes the most recent kept generation of `root` the current one again. Returns the generation that was current;
/// its folder still exists, but nothing names it any more.
///
/// # Errors
/// [`Error::NotFound`] when none is kept.
pub(crate) fn roll_back(root: &Path, manifest: &Manifest) -> Result<(Manifest, GenerationId)> {
    let Some((&current, kept)) = manifest.kept.split_first() else {
        return Err(Error::NotFound {
            what: "earlier generation to roll back to than",
            id: manifest.current.to_string(),
            remedy: "only as many as the option keep_generations says are kept, and each can be returned to once",
        });
    };
    let after = Manifest { current, kept: kept.to_vec(), next: manifest.next };
    after.write(root)?;
    Ok((after, manifest.current))
}

/// Removes the folders in `root` that the manifest does not name: abandoned builds and replaced generations.
/// The caller holds the writer's lock.
pub(crate) fn collect_garbage(root: &Path, manifest: &Manifest) -> Result<()> {
    let named: Vec<_> =
        std::iter::once(&manifest.current).chain(&manifest.kept).map(|&id| folder_of(root, id)).collect();
    for entry in fs::read_dir(root).map_err(Error::io("list", root))? {
        let entry = entry.map_err(Error::io("list", root))?;
        let path = entry.path();
        if path.is_dir() && !named.contains(&path) {
            tracing::info!(path = %path.display(), "collecting a generation that is not in use");
            remove_folder(&path)?;
        }
    }
    Ok(())
}
