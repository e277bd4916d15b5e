//! Publishing: rename the finished folder, then replace `CURRENT`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::build::Building;
use super::manifest::{Manifest, folder_of};
use super::open::Generation;
use crate::error::{Error, Result};
use crate::ids::GenerationId;
use crate::storage::{publish_folder, remove_folder};

/// A generation that has been published.
pub(crate) struct Published<T> {
    pub(crate) generation: Arc<Generation>,
    /// The result of `prepare`.
    pub(crate) prepared: T,
    /// Generations that are no longer kept. Their folders still exist.
    pub(crate) dropped: Vec<GenerationId>,
}

/// Publishes `building` as the current generation of `root` and keeps the `keep` most recent earlier ones. `prepare`
/// opens what readers need before the switch: if it fails, the previous generation stays current.
pub(crate) fn publish<T>(
    root: &Path,
    building: Building,
    keep: usize,
    prepare: impl FnOnce(&Generation) -> Result<T>,
) -> Result<Published<T>> {
    let Building { meta, encoder, queries, dense, folder: scratch } = building;
    dense.sync()?;
    drop(dense);
    meta.write(&scratch.0)?;
    let folder = folder_of(root, meta.id);
    let before = Manifest::read(root)?;
    // A publish that failed before its last step left this folder. Nothing names it.
    remove_folder(&folder)?;
    publish_folder(&scratch.0, &folder)?;
    let id = meta.id;
    let generation = Generation::new(meta, encoder, queries, folder);
    let prepared = prepare(&generation)?;
    let (mut kept, next) = (Vec::new(), GenerationId(id.0 + 1));
    if let Some(before) = before {
        kept.push(before.current);
        kept.extend(before.kept);
    }
    let dropped = kept.split_off(keep.min(kept.len()));
    Manifest { current: id, kept, next }.write(root)?;
    Ok(Published { generation: Arc::new(generation), prepared, dropped })
}

/// Makes the kept generation `to` of `root` the current one. Returns the generations published after it: nothing names
/// them any more, but their folders still exist.
pub(crate) fn roll_back(root: &Path, manifest: &Manifest, to: GenerationId) -> Result<Vec<GenerationId>> {
    let later = manifest.kept.iter().take_while(|&&id| id != to).count();
    let kept = manifest.kept.iter().skip(later + 1).copied().collect();
    Manifest { current: to, kept, next: manifest.next }.write(root)?;
    let left = std::iter::once(manifest.current).chain(manifest.kept.iter().copied().take(later));
    Ok(left.collect())
}

/// Removes the folders in `root` that the manifest does not name: abandoned builds and replaced generations. The caller
/// holds the writer's lock.
pub(crate) fn collect_garbage(root: &Path, manifest: &Manifest) -> Result<()> {
    let named: Vec<_> =
        std::iter::once(&manifest.current).chain(&manifest.kept).map(|&id| folder_of(root, id)).collect();
    for entry in fs::read_dir(root).map_err(Error::io("list", root))? {
        let entry = entry.map_err(Error::io("list", root))?;
        let path = entry.path();
        if path.is_dir() && !named.contains(&path) {
            tracing::info!(path = %path.display(), "removing an unused generation");
            remove_folder(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense::DenseOptions;
    use crate::encoder::Encoder;
    use crate::encoder::test_model::tiny_model;
    use crate::fusion::Fusion;

    #[test]
    fn what_fails_before_the_pointer_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let building = || {
            let encoder = Arc::new(Encoder::load(&tiny_model()).unwrap());
            Building::first(root, encoder, Fusion::default(), &DenseOptions::default()).unwrap()
        };
        let fails = |_: &Generation| -> Result<()> {
            assert_eq!(Manifest::read(root).unwrap(), None, "nobody has seen it yet");
            Err(Error::Cancelled { doing: "preparing" })
        };
        assert!(publish(root, building(), 1, fails).is_err());
        assert_eq!(Manifest::read(root).unwrap(), None);
        let published = publish(root, building(), 1, |generation| Ok(generation.meta.id)).unwrap();
        assert_eq!(published.prepared, GenerationId(1));
        assert_eq!(Manifest::read(root).unwrap().map(|manifest| manifest.current), Some(GenerationId(1)));
    }
}
