//! The files that a model folder must hold, and the check of their digests.

use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::options::FetchOptions;
use super::progress::{Attempt, Caller, Progress, Stage};
use crate::error::{Error, Result};
use crate::ids::Digest;
use crate::storage::{read_envelope, write_envelope};

/// Files that a model folder must have.
pub(super) const REQUIRED: [&str; 5] = [
    "config.json",
    "tokenizer.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
    "model.safetensors",
];

/// Optional files of sentence-transformers, copied if a source has them.
#[cfg(feature = "download")]
pub(super) const OPTIONAL: [&str; 5] = [
    "modules.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "config_sentence_transformers.json",
];

/// The required files that are missing in `folder`.
pub(super) fn missing(folder: &Path) -> Vec<&'static str> {
    REQUIRED.into_iter().filter(|name| !folder.join(name).is_file()).collect()
}

/// Refuses a folder given explicitly if a required file is missing.
pub(super) fn require(folder: &Path) -> Result<()> {
    let missing = missing(folder);
    if missing.is_empty() {
        return Ok(());
    }
    let problem = if folder.is_dir() {
        format!("{} {} missing", missing.join(", "), if missing.len() == 1 { "is" } else { "are" })
    } else {
        "the folder does not exist".into()
    };
    let remedy = "give a complete sentence-transformers folder with --model DIR or RETUNE_MODEL";
    Err(Error::Model { path: folder.to_path_buf(), problem, remedy })
}

/// Whether `folder` is complete and holds the expected bytes.
pub(super) fn check(folder: &Path, expected: &[(String, Digest)], caller: &mut Caller<'_>) -> Attempt<()> {
    let missing = missing(folder);
    if !missing.is_empty() {
        return Err(format!("it lacks {}", missing.join(", ")));
    }
    for (name, expected) in expected {
        let path = folder.join(name);
        let found = digest(&path, caller)?;
        if found != *expected {
            return Err(format!("{name} has SHA-256 {found}, expected {expected}"));
        }
    }
    Ok(())
}

/// SHA-256 of a file, in bounded memory.
fn digest(path: &Path, caller: &mut Caller<'_>) -> Attempt<Digest> {
    let failed = |e: io::Error| format!("could not read {}: {e}", path.display());
    let mut file = File::open(path).map_err(failed)?;
    let total = Some(file.metadata().map_err(failed)?.len());
    let (mut hasher, mut buffer, mut done) = (Sha256::new(), vec![0; 1 << 20], 0);
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            return Ok(Digest(hasher.finalize().into()));
        }
        hasher.update(&buffer[..read]);
        done += read as u64;
        caller.tell(Progress { stage: Stage::Checking, done, total })?;
    }
}

/// The size and time of change of each file when its digest was last checked. Others may write to the folder.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    files: Vec<(PathBuf, u64, u128, Digest)>,
}

const STAMP_KIND: &str = "checked-model";

/// [`check`] for a folder that is not ours. Later calls are fast: retune's cache remembers the size and time of change
/// of files that passed. If that note can't be written, the next call checks again.
pub(super) fn is_known(folder: &Path, options: &FetchOptions) -> bool {
    let stamp = stamp(folder, &options.expected);
    if let (Some(path), Some(now)) = (options.stamp(), &stamp)
        && matches!(read_envelope::<Stamp>(&path, STAMP_KIND, 1), Ok(Some(noted)) if noted == *now)
    {
        return true;
    }
    if let Err(reason) =
        check(folder, &options.expected, &mut Caller::new(&mut |_| ControlFlow::Continue(())))
    {
        tracing::warn!(folder = %folder.display(), reason, "not using the model in the Hugging Face cache");
        return false;
    }
    if let (Some(path), Some(stamp)) = (options.stamp(), stamp) {
        let noted = path
            .parent()
            .map(fs::create_dir_all)
            .transpose()
            .map_err(Error::io("create the folder of", &path));
        if let Err(error) = noted.and_then(|_| write_envelope(&path, STAMP_KIND, 1, &stamp)) {
            tracing::debug!(%error, "could not record that the model was checked");
        }
    }
    true
}

fn stamp(folder: &Path, expected: &[(String, Digest)]) -> Option<Stamp> {
    let state = |(name, digest): &(String, Digest)| {
        let path = folder.join(name).canonicalize().ok()?;
        let data = path.metadata().ok()?;
        let changed = data.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
        Some((path, data.len(), changed, *digest))
    };
    Some(Stamp { files: expected.iter().map(state).collect::<Option<_>>()? })
}
