//! The folder that an index follows.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Reader;
use super::layout::Layout;
use crate::corpus::{ChunkedDocument, CorpusOptions, Skipped};
use crate::error::{Error, Result};
use crate::lexical::{Date, FieldValue, stored_fields};
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
    /// As the last run asked for.
    #[serde(default)]
    reading: Reading,
}

/// What a run reads unless it is told otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Reading {
    max_file_bytes: Option<u64>,
    include: Option<Vec<String>>,
}

/// Makes the index follow `folder`, unless it follows another. Returns the options with what the last run asked for,
/// where these ask for nothing; the next run asks for the same.
///
/// # Errors
/// [`Error::Invalid`] naming both folders.
pub(super) fn follow(layout: &Layout, folder: &Path, options: &CorpusOptions) -> Result<CorpusOptions> {
    let resolve = |path: &Path| path.canonicalize().map_err(Error::io("resolve", path));
    let (index, folder) = (resolve(&layout.path)?, resolve(folder)?);
    let path = layout.path.join(FILE);
    let stored = stored(layout)?;
    if let Some(Source { folder: followed, .. }) = &stored {
        let followed = index.join(followed);
        if followed.canonicalize().map_or(true, |followed| followed != folder) {
            return Err(Error::Invalid {
                what: "the folder to index",
                found: folder.display().to_string(),
                expected: format!(
                    "{}, which this index follows: give another folder an index of its own (or, if the folder has \
                     moved, remove {})",
                    followed.display(),
                    path.display()
                ),
            });
        }
    }
    let before = stored.as_ref().map(|stored| stored.reading.clone()).unwrap_or_default();
    let reading = Reading {
        max_file_bytes: options.max_file_bytes.or(before.max_file_bytes),
        include: options.include.clone().or(before.include),
    };
    if stored.is_none_or(|stored| stored.reading != reading) {
        write(&path, &index, folder, reading.clone())?;
    }
    let Reading { max_file_bytes, include } = reading;
    Ok(CorpusOptions { max_file_bytes, include, ..options.clone() })
}

fn write(path: &Path, index: &Path, folder: PathBuf, reading: Reading) -> Result<()> {
    let up = index.ancestors().position(|ancestor| ancestor == folder);
    let stored = match up {
        Some(levels @ 1..) => PathBuf::from_iter(std::iter::repeat_n("..", levels)),
        _ => folder,
    };
    write_envelope(path, KIND, VERSION, &Source { folder: stored, reading })
}

const SKIPPED: &str = "skipped.json";
const SKIPPED_KIND: &str = "skipped";

/// Marks what the last run skipped for the same reasons, and keeps this run's for the next. What can't be read or
/// written is reported again.
pub(super) fn compare_skipped(layout: &Layout, skipped: &mut [Skipped]) {
    let path = layout.path.join(SKIPPED);
    let before: Vec<Skipped> = read_envelope(&path, SKIPPED_KIND, VERSION).ok().flatten().unwrap_or_default();
    let before: HashMap<&str, &Skipped> = before.iter().map(|one| (one.document.as_str(), one)).collect();
    for one in &mut *skipped {
        one.new = before.get(one.document.as_str()).is_none_or(|known| known.reason != one.reason);
    }
    if before.len() == skipped.len() && !skipped.iter().any(|one| one.new) {
        return;
    }
    if let Err(error) = write_envelope(&path, SKIPPED_KIND, VERSION, &skipped) {
        tracing::warn!(%error, "what was skipped is reported again by the next run");
    }
}

fn stored(layout: &Layout) -> Result<Option<Source>> {
    read_envelope(&layout.path.join(FILE), KIND, VERSION).map_err(|error| error.with_remedy(REMEDY))
}

impl Reader {
    /// The folder that [`Engine::index_folder`](super::Engine::index_folder) keeps this index in step with, if there
    /// is one.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the record of it is.
    pub fn folder(&self) -> Result<Option<PathBuf>> {
        Ok(stored(&self.inner.layout)?.map(|source| self.path().join(source.folder)))
    }
}

/// What can be filtered by: the path below the folder, the extension in lower case, when the file was changed, what the
/// document says of itself, and the mark.
pub(super) fn metadata(document: &ChunkedDocument) -> serde_json::Map<String, serde_json::Value> {
    let extension = Path::new(&document.id).extension().map(|one| one.to_string_lossy().to_lowercase());
    let mut fields = BTreeMap::new();
    for (name, values) in &document.fields {
        let values: Vec<&str> =
            values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()).collect();
        let value = match (name.as_str(), values.as_slice()) {
            (_, []) => continue,
            // What is no date is left out: no field has values of two kinds.
            ("date", [first, ..]) => first.parse::<Date>().ok().map(FieldValue::from),
            (_, [one]) => Some(FieldValue::from(*one)),
            (_, several) => Some(FieldValue::from(several.to_vec())),
        };
        fields.extend(value.map(|value| (name.clone(), value)));
    }
    fields.insert("path".into(), FieldValue::from(document.id.as_str()));
    fields.insert("extension".into(), FieldValue::from(extension.unwrap_or_default()));
    fields.extend(
        document.modified.map(|modified| ("modified".into(), FieldValue::from(Date::from(modified)))),
    );
    let mut stored = stored_fields(&fields);
    stored.insert(MARK.into(), true.into());
    stored
}
