//! Encoders that were downloaded from a cluster, on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::assemble::assemble;
use super::stored::{Part, StoredEncoder};
use crate::error::{Error, Result};
use crate::storage::{WriterLock, publish_folder, remove_folder};

/// How many encoders stay, the latest ones: those that serve now and those before, of an index or two.
const KEPT: usize = 4;

/// How long a process waits for others that download. Then it downloads for itself.
const WAIT: Duration = Duration::from_secs(600);

const UNFINISHED: &str = ".unfinished-";

/// A folder with a folder for each encoder, named by what it is. `LOCK` is held by the process that fills one; a name
/// is given to what is complete and checked, so what was cut short is never taken for an encoder.
#[derive(Debug)]
pub(in crate::store::opensearch) struct Cache(Option<PathBuf>);

impl Cache {
    /// The cache in a folder, which need not exist. Without one every encoder goes to a temporary folder.
    pub(in crate::store::opensearch) fn new(folder: Option<PathBuf>) -> Cache {
        Cache(folder)
    }

    /// What `load` makes of the folder of an encoder, which is downloaded first if it is not there, or no longer what
    /// it should be. If the cache can't be written, it lies in a temporary folder while it is loaded.
    ///
    /// # Errors
    /// Those of `fetch`; [`Error::Io`] if a temporary folder can't be written either.
    pub(super) fn open<T>(
        &self,
        encoder: &StoredEncoder,
        load: &dyn Fn(&Path) -> Result<T>,
        fetch: &mut dyn FnMut(&Part<'_>) -> Result<Vec<u8>>,
    ) -> Result<T> {
        if let Some(cache) = &self.0 {
            let target = cache.join(encoder.id().to_string());
            if let Some(loaded) = loaded(&target, load)? {
                return Ok(loaded);
            }
            match fill(cache, &target, encoder, load, fetch) {
                Err(error @ (Error::Io { .. } | Error::Locked { .. })) => {
                    tracing::warn!(%error, "the cache can't be used; downloading to a temporary folder");
                }
                filled => return filled,
            }
        }
        let temporary = std::env::temp_dir();
        let made = tempfile::tempdir_in(&temporary);
        let folder = made.map_err(Error::io("create a temporary folder in", &temporary))?;
        assemble(encoder, folder.path(), fetch)?;
        load(folder.path())
    }
}

/// What is there already, if it can be used.
fn loaded<T>(target: &Path, load: &dyn Fn(&Path) -> Result<T>) -> Result<Option<T>> {
    if !target.is_dir() {
        return Ok(None);
    }
    match load(target) {
        Ok(loaded) => Ok(Some(loaded)),
        Err(error @ (Error::Damaged { .. } | Error::Io { .. })) => {
            tracing::warn!(%error, "a downloaded encoder is unusable; downloading it again");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Downloads an encoder into the cache.
fn fill<T>(
    cache: &Path,
    target: &Path,
    encoder: &StoredEncoder,
    load: &dyn Fn(&Path) -> Result<T>,
    fetch: &mut dyn FnMut(&Part<'_>) -> Result<Vec<u8>>,
) -> Result<T> {
    fs::create_dir_all(cache).map_err(Error::io("create the cache folder", cache))?;
    let _lock = WriterLock::acquire(cache, WAIT)?;
    // Another process may have filled it meanwhile.
    if let Some(loaded) = loaded(target, load)? {
        return Ok(loaded);
    }
    remove_folder(target)?;
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let building = cache.join(format!("{UNFINISHED}{name}"));
    for other in folders(cache)? {
        let is_other = other.file_name() != building.file_name();
        if is_other && other.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED)) {
            remove_folder(&other)?;
        }
    }
    if let Err(error) = assemble(encoder, &building, fetch) {
        // What the parts make is not what it should be, so it is nothing to go on with.
        if matches!(error, Error::Damaged { .. }) {
            remove_folder(&building)?;
        }
        return Err(error);
    }
    publish_folder(&building, target)?;
    let loaded = load(target)?;
    if let Err(error) = forget(cache) {
        tracing::warn!(%error, "encoders of earlier generations stay in the cache");
    }
    Ok(loaded)
}

/// Removes all but the latest encoders. Who has one open has read it whole.
fn forget(cache: &Path) -> Result<()> {
    let mut complete: Vec<(SystemTime, PathBuf)> = Vec::new();
    for folder in folders(cache)? {
        let changed = folder.metadata().and_then(|data| data.modified());
        complete.push((changed.map_err(Error::io("inspect", &folder))?, folder));
    }
    complete.sort();
    let earlier = complete.len().saturating_sub(KEPT);
    complete.iter().take(earlier).try_for_each(|(_, folder)| remove_folder(folder))
}

fn folders(cache: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(cache).map_err(Error::io("list", cache))? {
        let path = entry.map_err(Error::io("list", cache))?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeMap;

    use super::super::stored::tests::encoder;
    use super::*;
    use crate::encoder::WEIGHTS;

    /// An encoder, a cache for it, and what became of its parts.
    struct Download {
        from: tempfile::TempDir,
        cache: tempfile::TempDir,
        stored: StoredEncoder,
        fetched: Cell<usize>,
    }

    impl Download {
        fn new() -> Download {
            let (from, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let stored = encoder(from.path());
            Download { from, cache, stored, fetched: Cell::new(0) }
        }

        /// Opens it; the fetch with this number fails, from 0.
        fn open(&self, cache: &Path, fails: Option<usize>) -> Result<BTreeMap<String, Vec<u8>>> {
            self.fetched.set(0);
            let load = |folder: &Path| {
                let read = |name: &String| {
                    let path = folder.join(name);
                    Ok((name.clone(), fs::read(&path).map_err(Error::io("read", &path))?))
                };
                let files = self.stored.files.keys().map(read).collect::<Result<BTreeMap<_, _>>>()?;
                match crate::ids::Digest::of(&files[WEIGHTS]) == self.stored.weights {
                    true => Ok(files),
                    false => Err(Error::Damaged {
                        path: folder.join(WEIGHTS),
                        found: "others".into(),
                        expected: "these".into(),
                        remedy: "",
                    }),
                }
            };
            Cache::new(Some(cache.to_path_buf())).open(&self.stored, &load, &mut |part| {
                if fails == Some(self.fetched.replace(self.fetched.get() + 1)) {
                    return Err(Error::Cancelled { doing: "the test" });
                }
                let bytes = fs::read(self.from.path().join(part.file)).unwrap();
                Ok(bytes[10 * part.number..][..part.bytes].to_vec())
            })
        }

        fn target(&self) -> PathBuf {
            self.cache.path().join(self.stored.id().to_string())
        }
    }

    #[test]
    fn it_is_downloaded_once_and_again_when_it_was_damaged() {
        let download = Download::new();
        let files = download.open(download.cache.path(), None).unwrap();
        assert_eq!((files[WEIGHTS].len(), download.fetched.get()), (23, 4));
        assert_eq!(download.open(download.cache.path(), None).unwrap(), files);
        assert_eq!(download.fetched.get(), 0);
        fs::write(download.target().join(WEIGHTS), "others").unwrap();
        assert_eq!(download.open(download.cache.path(), None).unwrap(), files);
        assert_eq!(download.fetched.get(), 4);
    }

    #[test]
    fn what_was_cut_short_is_no_encoder_and_is_taken_up() {
        let download = Download::new();
        assert!(download.open(download.cache.path(), Some(3)).is_err());
        assert!(!download.target().exists());
        download.open(download.cache.path(), None).unwrap();
        assert_eq!(download.fetched.get(), 1);
        let left: Vec<PathBuf> = folders(download.cache.path()).unwrap();
        assert_eq!(left, [download.target()]);
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_done_without() {
        let download = Download::new();
        let file = download.cache.path().join("file");
        fs::write(&file, "").unwrap();
        for _ in 0..2 {
            assert_eq!(download.open(&file.join("below"), None).unwrap()[WEIGHTS].len(), 23);
            assert_eq!(download.fetched.get(), 4);
        }
    }

    #[test]
    fn the_latest_stay() {
        let download = Download::new();
        let (cache, now) = (download.cache.path(), SystemTime::now());
        for age in 0..6 {
            let folder = cache.join(age.to_string());
            fs::create_dir(&folder).unwrap();
            let then = now - Duration::from_secs(3600 * (age + 1));
            fs::File::open(&folder).unwrap().set_modified(then).unwrap();
        }
        fs::create_dir(cache.join(".unfinished-other")).unwrap();
        download.open(cache, None).unwrap();
        let mut left = folders(cache).unwrap();
        left.sort();
        let mut expected: Vec<PathBuf> = ["0", "1", "2"].iter().map(|name| cache.join(name)).collect();
        expected.push(download.target());
        expected.sort();
        assert_eq!(left, expected);
    }
}
