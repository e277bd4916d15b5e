//! The files of a trained model besides its weights. With another tokeniser, texts would get other vectors.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use crate::encoder::{Backend, Encoder, WEIGHTS};
use crate::error::{Error, Result};
use crate::ids::Digest;
use crate::storage::copy_folder;

/// Digests by path below the model's folder, with `/` between folders. The weights have a separate digest.
pub(super) type Files = BTreeMap<String, Digest>;

/// The digests of the files in a folder.
pub(super) fn digests(model: &Path) -> Result<Files> {
    let mut files = Files::new();
    add(model, "", &mut files)?;
    Ok(files)
}

fn add(folder: &Path, prefix: &str, files: &mut Files) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let name = format!("{prefix}{name}");
        if path.is_dir() {
            add(&path, &format!("{name}/"), files)?;
        } else if name != WEIGHTS {
            let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
            files.insert(name, Digest::of(&bytes));
        }
    }
    Ok(())
}

/// SHA-256 of the weights in a folder. `None` if they can't be read.
pub(super) fn weights_in(folder: &Path) -> Option<Digest> {
    File::open(folder.join(WEIGHTS)).and_then(|mut file| Digest::of_reader(&mut file)).ok()
}

/// Copies a whole model folder.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    copy_folder(from, to, &|_| false)
}

/// Loads a model and checks that its weights and other files are as published.
///
/// # Errors
/// [`Error::Damaged`], with `remedy`, names the file that is missing or differs.
pub(super) fn load(
    model: &Path,
    weights: Digest,
    published: &Files,
    backend: Backend,
    remedy: &'static str,
) -> Result<Encoder> {
    let damaged = |path, found| Error::Damaged {
        path,
        found,
        expected: format!("the model with weights {weights}"),
        remedy,
    };
    check(model, published, remedy)?;
    match Encoder::load_with(model, backend.options()) {
        Ok(encoder) if encoder.weights() == weights => Ok(encoder),
        Ok(encoder) => {
            let found = format!("weights with SHA-256 {}", encoder.weights());
            Err(damaged(model.join(WEIGHTS), found))
        }
        Err(Error::Model { path, problem, .. }) => Err(damaged(path, problem)),
        Err(error) => Err(error),
    }
}

/// Compares a model's weights and other files with what was published.
///
/// # Errors
/// [`Error::Damaged`] naming the first file that is missing or another, with `remedy`.
pub(super) fn verify(model: &Path, weights: Digest, published: &Files, remedy: &'static str) -> Result<()> {
    check(model, published, remedy)?;
    check(model, &Files::from([(WEIGHTS.to_string(), weights)]), remedy)
}

/// Compares the files in a folder with what was published.
///
/// # Errors
/// [`Error::Damaged`], with `remedy`, names the first file that is missing or differs.
fn check(model: &Path, published: &Files, remedy: &'static str) -> Result<()> {
    for (name, digest) in published {
        let path = model.join(name);
        let found = match fs::read(&path) {
            Ok(bytes) if Digest::of(&bytes) == *digest => continue,
            Ok(bytes) => format!("SHA-256 {}", Digest::of(&bytes)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => "no such file".into(),
            Err(e) => return Err(Error::io("read", &path)(e)),
        };
        return Err(Error::Damaged { path, found, expected: format!("SHA-256 {digest}"), remedy });
    }
    Ok(())
}
