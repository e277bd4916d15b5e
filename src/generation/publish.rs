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
    let before = Manifest::read(root)?;
    let generation = move_into_place(root, building)?;
    let id = generation.meta.id;
    let prepared = prepare(&generation)?;
    let next = GenerationId(id.0 + 1);
    let dropped = match before {
        Some(before) => replace_current(root, Manifest { next, ..before }, id, keep)?,
        None => {
            Manifest { current: id, kept: Vec::new(), next, candidate: None }.write(root)?;
            Vec::new()
        }
    };
    Ok(Published { generation: Arc::new(generation), prepared, dropped })
}

/// Syncs what was built and gives it the name of its number. Nothing names it yet.
fn move_into_place(root: &Path, building: Building) -> Result<Generation> {
    let Building { meta, encoder, queries, dense, folder: scratch, .. } = building;
    dense.sync()?;
    drop(dense);
    meta.write(&scratch.0)?;
    let folder = folder_of(root, meta.id);
    // An attempt that failed before its last step left this folder.
    remove_folder(&folder)?;
    publish_folder(&scratch.0, &folder)?;
    Ok(Generation::new(meta, encoder, queries, folder))
}

/// Makes `id` the current generation and ends any trial. Returns the generations that are no longer named.
fn replace_current(
    root: &Path,
    before: Manifest,
    id: GenerationId,
    keep: usize,
) -> Result<Vec<GenerationId>> {
    let mut kept = vec![before.current];
    kept.extend(before.kept);
    let mut dropped = kept.split_off(keep.min(kept.len()));
    dropped.extend(before.candidate.filter(|candidate| *candidate != id));
    Manifest { current: id, kept, next: before.next, candidate: None }.write(root)?;
    Ok(dropped)
}

/// Puts `building` on trial beside the current generation of `root`. Its number and parent are set here. Returns it,
/// and the candidate that it takes the place of.
pub(crate) fn set_aside(root: &Path, building: Building) -> Result<(Generation, Option<GenerationId>)> {
    let before = Manifest::read(root)?.ok_or_else(|| Error::NotFound {
        what: "current generation in",
        id: root.display().to_string(),
        remedy: "a trial needs a generation that serves",
    })?;
    let generation = move_into_place(root, building.with_number(before.next, before.current))?;
    let id = generation.meta.id;
    Manifest { next: GenerationId(id.0 + 1), candidate: Some(id), ..before.clone() }.write(root)?;
    Ok((generation, before.candidate))
}

/// Makes the generation on trial the current one of `root`, and keeps the `keep` most recent earlier ones. Returns
/// those that are no longer kept, or `None` if nothing is on trial.
pub(crate) fn promote(root: &Path, keep: usize) -> Result<Option<Vec<GenerationId>>> {
    let Some(before) = Manifest::read(root)? else { return Ok(None) };
    let Some(id) = before.candidate else { return Ok(None) };
    replace_current(root, before, id, keep).map(Some)
}

/// Ends the trial in `root`. Returns the generation that was on it: nothing names it any more, but its folder still
/// exists.
pub(crate) fn end_trial(root: &Path) -> Result<Option<GenerationId>> {
    let Some(before) = Manifest::read(root)? else { return Ok(None) };
    let candidate = before.candidate;
    if candidate.is_some() {
        Manifest { candidate: None, ..before }.write(root)?;
    }
    Ok(candidate)
}

/// Makes the kept generation `to` of `root` the current one, and ends any trial. Returns the generations made after it:
/// nothing names them any more, but their folders still exist.
pub(crate) fn roll_back(root: &Path, manifest: &Manifest, to: GenerationId) -> Result<Vec<GenerationId>> {
    let later = manifest.kept.iter().take_while(|&&id| id != to).count();
    let kept = manifest.kept.iter().skip(later + 1).copied().collect();
    Manifest { current: to, kept, next: manifest.next, candidate: None }.write(root)?;
    let left = std::iter::once(manifest.current).chain(manifest.kept.iter().copied().take(later));
    let left = left.chain(manifest.candidate);
    Ok(left.collect())
}

/// Removes the folders in `root` that the manifest does not name: abandoned builds and replaced generations. The caller
/// holds the writer's lock.
pub(crate) fn collect_garbage(root: &Path, manifest: &Manifest) -> Result<()> {
    let named: Vec<_> = manifest.named().map(|id| folder_of(root, id)).collect();
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
    use crate::generation::GenerationMeta;

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

    #[test]
    fn a_trial_keeps_its_folder_until_it_ends_and_numbers_are_not_used_twice() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let encoder = Arc::new(Encoder::load(&tiny_model()).unwrap());
        let building = || {
            Building::first(root, Arc::clone(&encoder), Fusion::default(), &DenseOptions::default()).unwrap()
        };
        let manifest = || Manifest::read(root).unwrap().unwrap();
        let exists = |id| folder_of(root, GenerationId(id)).is_dir();
        publish(root, building(), 1, |_| Ok(())).unwrap();
        let (candidate, before) = set_aside(root, building()).unwrap();
        let GenerationMeta { id, parent, .. } = candidate.meta;
        assert_eq!((id, parent, before), (GenerationId(2), Some(GenerationId(1)), None));
        collect_garbage(root, &manifest()).unwrap();
        assert!(exists(1) && exists(2));
        // Another one takes its place.
        assert_eq!(set_aside(root, building()).unwrap().1, Some(GenerationId(2)));
        collect_garbage(root, &manifest()).unwrap();
        assert!(!exists(2) && exists(3));
        assert_eq!(promote(root, 1).unwrap(), Some(Vec::new()));
        let now = manifest();
        assert_eq!((now.current, now.kept, now.candidate), (GenerationId(3), vec![GenerationId(1)], None));
        assert_eq!((promote(root, 1).unwrap(), end_trial(root).unwrap()), (None, None));
        set_aside(root, building()).unwrap();
        assert_eq!(end_trial(root).unwrap(), Some(GenerationId(4)));
        collect_garbage(root, &manifest()).unwrap();
        assert!(!exists(4) && exists(3) && exists(1));
        // A rollback ends a trial too.
        set_aside(root, building()).unwrap();
        let left = roll_back(root, &manifest(), GenerationId(1)).unwrap();
        assert_eq!((left, manifest().candidate), (vec![GenerationId(3), GenerationId(5)], None));
    }
}
