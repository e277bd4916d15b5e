//! The folders that an index follows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Reader;
use super::layout::Layout;
use crate::corpus::{ChunkedDocument, CorpusOptions};
use crate::error::{Error, Result};
use crate::lexical::{Date, FieldValue, LANGUAGE, Language, stored_fields};
use crate::storage::{read_envelope, write_envelope};

const FILE: &str = "folder.json";
const KIND: &str = "folder";
/// Of one folder without a name, as earlier versions read it.
const ONE: u32 = 1;
const SEVERAL: u32 = 2;

const REMEDY: &str = "remove it and index the folders again: nothing is lost";

/// Marks the metadata of a document that came from a folder: no application can set a field of this name.
pub(super) const MARK: &str = "retune.folder";

/// Between a folder's name and the path below it. No path has an empty part, so it is in no id of a folder without a
/// name.
const AFTER_NAME: &str = "://";

/// A folder that an index is kept in step with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Folder {
    /// Where it is.
    pub path: PathBuf,
    /// What the ids of its documents begin with, before `://` and the path below the folder. Empty for the folder that
    /// an index followed first and alone: there the path is the id.
    pub name: String,
}

impl Folder {
    /// The id of the document with this path below the folder.
    pub(super) fn id(&self, path: &str) -> String {
        if self.name.is_empty() { path.to_string() } else { format!("{}{AFTER_NAME}{path}", self.name) }
    }
}

/// A followed folder as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Source {
    /// From the index folder if it lies inside, so that both can be moved together; else absolute.
    folder: PathBuf,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
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

/// A followed folder with the options that it is read with.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    pub(super) folder: Folder,
    pub(super) options: CorpusOptions,
}

/// The followed folders and where they are recorded.
pub(super) struct Sources<'a> {
    layout: &'a Layout,
    index: PathBuf,
    all: Vec<Source>,
}

impl<'a> Sources<'a> {
    pub(super) fn read(layout: &'a Layout) -> Result<Sources<'a>> {
        let index = layout.path.canonicalize().map_err(Error::io("resolve", &layout.path))?;
        Ok(Sources { layout, index, all: stored(layout)? })
    }

    /// All folders, in the order in which they were added.
    pub(super) fn folders(&self) -> Vec<Folder> {
        self.all.iter().map(|one| one.folder(&self.index)).collect()
    }

    /// The folders to read: those at `paths`, which are followed from now on, or all if none is named. Each with what
    /// the last run asked for where `options` ask for nothing; the next run asks for the same.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a folder that holds a followed one or lies in it; [`Error::NotFound`] if there is none.
    pub(super) fn follow(&mut self, paths: &[PathBuf], options: &CorpusOptions) -> Result<Vec<Followed>> {
        let before = self.all.clone();
        let resolved = paths.iter().map(|path| path.canonicalize().map_err(Error::io("resolve", path)));
        let resolved = resolved.collect::<Result<Vec<PathBuf>>>()?;
        let several = self.all.len() + resolved.len() > 1;
        for path in &resolved {
            self.add(path, several)?;
        }
        let (mut followed, mut changed) = (Vec::new(), self.all.len() != before.len());
        for source in &mut self.all {
            let folder = source.folder(&self.index);
            if !resolved.is_empty() && !resolved.contains(&folder.path) {
                continue;
            }
            let reading = Reading {
                max_file_bytes: options.max_file_bytes.or(source.reading.max_file_bytes),
                include: options.include.clone().or(source.reading.include.take()),
            };
            changed |= reading != source.reading;
            source.reading = reading.clone();
            let Reading { max_file_bytes, include } = reading;
            followed.push(Followed {
                folder,
                options: CorpusOptions { max_file_bytes, include, ..options.clone() },
            });
        }
        if followed.is_empty() {
            return Err(Error::NotFound {
                what: "folder that is followed by",
                id: self.layout.path.display().to_string(),
                remedy: "name the folder whose documents are to be indexed",
            });
        }
        if changed {
            self.write()?;
        }
        Ok(followed)
    }

    /// Follows the folder at `path` no more. `None` if it is not followed.
    pub(super) fn forget(&mut self, path: &Path) -> Result<Option<Folder>> {
        // It may be gone.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let Some(at) = self.all.iter().position(|one| one.folder(&self.index).path == path) else {
            return Ok(None);
        };
        let folder = self.all.remove(at).folder(&self.index);
        self.write()?;
        Ok(Some(folder))
    }

    fn add(&mut self, path: &Path, several: bool) -> Result<()> {
        let mut others = self.folders();
        if others.iter().any(|other| other.path == path) {
            return Ok(());
        }
        let nested = |other: &&mut Folder| path.starts_with(&other.path) || other.path.starts_with(path);
        if let Some(other) = others.iter_mut().find(nested) {
            return Err(Error::Invalid {
                what: "the folder to index",
                found: path.display().to_string(),
                expected: format!(
                    "one apart from {}, which this index follows: every file has one document",
                    other.path.display()
                ),
            });
        }
        let own = path.file_name().map_or_else(|| "root".into(), |name| name.to_string_lossy().into_owned());
        let taken = |name: &String| others.iter().any(|other| other.name == *name);
        let names = std::iter::once(own.clone()).chain((2..).map(|number| format!("{own}-{number}")));
        let name =
            if several { names.into_iter().find(|name| !taken(name)).unwrap_or(own) } else { String::new() };
        let up = self.index.ancestors().position(|ancestor| ancestor == path);
        let folder = match up {
            Some(levels @ 1..) => PathBuf::from_iter(std::iter::repeat_n("..", levels)),
            _ => path.to_path_buf(),
        };
        self.all.push(Source { folder, name, reading: Reading::default() });
        Ok(())
    }

    fn write(&self) -> Result<()> {
        let path = self.layout.path.join(FILE);
        match self.all.as_slice() {
            [one] if one.name.is_empty() => write_envelope(&path, KIND, ONE, one),
            several => write_envelope(&path, KIND, SEVERAL, &several),
        }
    }
}

impl Source {
    fn folder(&self, index: &Path) -> Folder {
        let path = index.join(&self.folder);
        Folder { path: path.canonicalize().unwrap_or(path), name: self.name.clone() }
    }
}

fn stored(layout: &Layout) -> Result<Vec<Source>> {
    let path = layout.path.join(FILE);
    let one = match read_envelope::<Source>(&path, KIND, ONE) {
        Err(Error::Version { found: SEVERAL, .. }) => {
            read_envelope::<Vec<Source>>(&path, KIND, SEVERAL).map(Option::unwrap_or_default)
        }
        one => one.map(|one| one.into_iter().collect()),
    };
    one.map_err(|error| error.with_remedy(REMEDY))
}

impl Reader {
    /// The folders that [`Engine::index_folder`](super::Engine::index_folder) keeps this index in step with, in the
    /// order in which they were added.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the record of them is.
    pub fn folders(&self) -> Result<Vec<Folder>> {
        Ok(Sources::read(&self.inner.layout)?.folders())
    }

    /// The folder of the index, if it follows one whose paths are the ids of its documents.
    ///
    /// # Errors
    /// As [`folders`](Reader::folders).
    pub fn folder(&self) -> Result<Option<PathBuf>> {
        Ok(self.folders()?.into_iter().find(|folder| folder.name.is_empty()).map(|folder| folder.path))
    }
}

/// The folder that a document of this id would be of, if it came from one.
pub(super) fn folder_of<'f>(folders: &'f [Folder], id: &str) -> Option<&'f Folder> {
    let named = |folder: &&Folder| !folder.name.is_empty() && path_in(folder, id).is_some();
    folders.iter().find(named).or_else(|| folders.iter().find(|folder| folder.name.is_empty()))
}

/// The path below the folder of a document of this id.
pub(super) fn path_in<'i>(folder: &Folder, id: &'i str) -> Option<&'i str> {
    match folder.name.is_empty() {
        true => Some(id),
        false => id.strip_prefix(&folder.name)?.strip_prefix(AFTER_NAME),
    }
}

/// What can be filtered by: the path, which is the id, the extension in lower case, when the file was changed, what the
/// document says of itself, and the mark. Beside it the language, if it is not the index's own.
pub(super) fn metadata(
    document: &ChunkedDocument,
    language: Option<Language>,
) -> serde_json::Map<String, serde_json::Value> {
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
    if let Some(modified) = document.modified {
        let modified = FieldValue::from(Date::from(modified));
        // A document that says no date of its own is as old as its file.
        fields.entry("date".into()).or_insert_with(|| modified.clone());
        fields.insert("modified".into(), modified);
    }
    let mut stored = stored_fields(&fields);
    stored.insert(MARK.into(), true.into());
    stored.extend(language.map(|language| (LANGUAGE.to_string(), language.name().into())));
    stored
}
