//! The Hugging Face cache of this machine.

use std::path::{Path, PathBuf};

use hf_hub::{Cache, Repo};

use super::folder::REQUIRED;
use super::options::{FetchOptions, NAME};

/// The model on the hub.
pub(super) fn repository() -> Repo {
    Repo::model(format!("sentence-transformers/{NAME}"))
}

/// The folder of the model in the Hugging Face cache, if all its files are there.
pub(super) fn find(options: &FetchOptions) -> Option<PathBuf> {
    let cache = Cache::new(options.hugging_face_cache.clone()?).repo(repository());
    let config = cache.get("config.json")?;
    REQUIRED.iter().all(|name| cache.get(name).is_some()).then(|| config.parent().map(Path::to_path_buf))?
}
