//! The folder that an index follows.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Engine;
use super::layout::Layout;
use crate::error::{Error, Result};
use crate::storage::{read_envelope, write_envelope};

const FILE: &str = "folder.json";
const KIND: &str = "folder";
const VERSION: u32 = 1;

const REMEDY: &str = "remove it and index the folder again: nothing is lost";

/// Marks the metadata of a document that came from the folder: no application can set a field of this name.
pub(super) const MARK: &str = "retune.folder";

/// `folder.json`. An index follows one folder: of another one's files it would take its own to be gone.
#[derive(Serialize, Deserialize)]
struct Source {
    /// From the index folder if it lies inside, so that both can be moved together; else absolute.
    folder: PathBuf,
}

/// Makes the index follow `folder`, unless it follows another.
///
/// # Errors
/// [`Error::Invalid`] naming both folders.
pub(super) fn follow(layout: &Layout, folder: &Path) -> Result<()> {
    let resolve = |path: &Path| path.canonicalize().map_err(Error::io("resolve", path));
    let (index, folder) = (resolve(&layout.path)?, resolve(folder)?);
    let path = layout.path.join(FILE);
    if let Some(followed) = stored(layout)? {
        let followed = index.join(followed);
        return match followed.canonicalize().is_ok_and(|followed| followed == folder) {
            true => Ok(()),
            false => Err(Error::Invalid {
                what: "the folder to index",
                found: folder.display().to_string(),
                expected: format!(
                    "{}, which this index follows: give another folder an index of its own (or, if the folder has \
                     moved, remove {})",
                    followed.display(),
                    path.display()
                ),
            }),
        };
    }
    let up = index.ancestors().position(|ancestor| ancestor == folder);
    let stored = match up {
        Some(levels @ 1..) => PathBuf::from_iter(std::iter::repeat_n("..", levels)),
        _ => folder,
    };
    write_envelope(&path, KIND, VERSION, &Source { folder: stored })
}

/// The folder that the index follows, from the index folder or absolute.
fn stored(layout: &Layout) -> Result<Option<PathBuf>> {
    let source: Option<Source> =
        read_envelope(&layout.path.join(FILE), KIND, VERSION).map_err(|error| error.with_remedy(REMEDY))?;
    Ok(source.map(|source| source.folder))
}

impl Engine {
    /// The folder that [`index_folder`](Engine::index_folder) keeps this index in step with; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the record of it is.
    pub fn folder(&self) -> Result<Option<PathBuf>> {
        Ok(stored(&self.inner.layout)?.map(|folder| self.path().join(folder)))
    }
}

/// What can be filtered by: the path below the folder, the extension in lower case, and the mark.
pub(super) fn metadata(id: &str) -> serde_json::Map<String, serde_json::Value> {
    let extension = Path::new(id).extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let mut fields = serde_json::Map::new();
    fields.insert("path".into(), id.into());
    fields.insert("extension".into(), extension.unwrap_or_default().into());
    fields.insert(MARK.into(), true.into());
    fields
}
