//! What the last run has seen of each file: the next one reads only files that have changed since.
//!
//! A file is taken for unchanged if it has the stamp of the last look, if files are read as they were, and if what the
//! look gave is in the index. The catalogue is a cache: where it is missing or damaged, files are read again, and those
//! whose content is the one that is indexed are left alone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::layout::Layout;
use crate::corpus::{Skipped, Stamp};
use crate::error::Result;
use crate::ids::Digest;
use crate::storage::{open_envelope, read_envelope, write_compact_envelope};

const FILE: &str = "files.json";
const KIND: &str = "files";
const VERSION: u32 = 1;

/// The files of all folders that an index follows, by the names of the folders.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Catalogue {
    pub(super) folders: BTreeMap<String, Files>,
}

/// The files of a folder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Files {
    /// Of all that decides what becomes of a file beside its content. Of another one nothing is taken over.
    pub(super) reading: Option<Digest>,
    /// By the path below the folder.
    pub(super) files: BTreeMap<String, Entry>,
    /// What was skipped without being looked into, such as links and folders that are left out.
    pub(super) passed_over: Vec<Skipped>,
}

/// A file at the last look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    #[serde(flatten)]
    pub(super) stamp: Stamp,
    /// Whether a later change would have given it another stamp.
    pub(super) sure: bool,
    /// Of its content and of how it is read: with it its documents are indexed. None if it could not be read to its
    /// end, or should be read again when it is touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<Digest>,
    /// The paths of its documents; none if there is one that has the file's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    documents: Option<Vec<String>>,
    /// What of it was skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) skipped: Vec<Skipped>,
}

impl Catalogue {
    /// The catalogue of an index; an empty one if there is none that can be used.
    pub(super) fn read(layout: &Layout) -> Catalogue {
        read_envelope(&layout.path.join(FILE), KIND, VERSION)
            .unwrap_or_else(|error| {
                let error = error.with_remedy("all files are read again, and it is made anew");
                tracing::warn!(%error, "the catalogue of files can't be used");
                None
            })
            .unwrap_or_default()
    }

    /// Where the catalogue of an index is, to be read in part, with its JSON. `None` if there is none that can be used.
    pub(super) fn open(layout: &Layout) -> Option<(PathBuf, impl std::io::Read + use<>)> {
        let path = layout.path.join(FILE);
        let json = open_envelope(&path, KIND, VERSION).ok()??;
        Some((path, json))
    }

    /// Replaces the catalogue of an index.
    pub(super) fn write(&self, layout: &Layout) -> Result<()> {
        write_compact_envelope(&layout.path.join(FILE), KIND, VERSION, self)
    }
}

impl Files {
    /// All that was skipped.
    pub(super) fn skipped(&self) -> impl Iterator<Item = &Skipped> {
        self.files.values().flat_map(|file| &file.skipped).chain(&self.passed_over)
    }
}

impl Entry {
    /// A file that was looked at in a run that began at `look`.
    pub(super) fn new(stamp: Stamp, look: SystemTime) -> Entry {
        Entry {
            stamp,
            sure: stamp.is_sure(look),
            digest: None,
            documents: Some(Vec::new()),
            skipped: Vec::new(),
        }
    }

    /// Adds a document that the file `path` gave.
    pub(super) fn add(&mut self, path: &str, document: String, digest: Digest) {
        self.digest = Some(digest);
        match &mut self.documents {
            Some(documents) if documents.is_empty() && document == path => self.documents = None,
            Some(documents) => documents.push(document),
            None => self.documents = Some(vec![path.to_string(), document]),
        }
    }

    /// Takes over what an earlier look at the same content has given.
    pub(super) fn take_over(&mut self, before: &Entry) {
        *self = Entry { stamp: self.stamp, sure: self.sure, ..before.clone() };
    }

    /// Whether it has any document.
    pub(super) fn has_documents(&self) -> bool {
        self.documents.as_ref().is_none_or(|documents| !documents.is_empty())
    }

    /// Whether it gave its own document and nothing else, as a file that is no container does.
    pub(super) fn is_document(&self) -> bool {
        self.documents.is_none() && self.skipped.is_empty()
    }

    /// The paths of the documents of the file `path`.
    pub(super) fn documents<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a str> {
        let one = self.documents.is_none().then_some(path);
        one.into_iter().chain(self.documents.iter().flatten().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_own_document_or_any_number() {
        let stamp = Stamp::default();
        let mut entry = Entry::new(stamp, SystemTime::now());
        assert!(entry.sure && entry.documents("a").next().is_none());
        entry.add("a", "a".into(), Digest([1; 32]));
        assert_eq!((entry.documents("a").collect::<Vec<_>>(), &entry.documents), (vec!["a"], &None));
        entry.add("a", "a/b".into(), Digest([1; 32]));
        assert_eq!(entry.documents("a").collect::<Vec<_>>(), ["a", "a/b"]);
        let mut other = Entry::new(stamp, SystemTime::now());
        other.add("z", "z/a".into(), Digest([1; 32]));
        assert_eq!(other.documents("z").collect::<Vec<_>>(), ["z/a"]);
    }

    #[test]
    fn a_catalogue_reads_back_and_a_damaged_one_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        assert_eq!(Catalogue::read(&layout), Catalogue::default());
        let mut catalogue = Catalogue::default();
        let mut entry = Entry::new(Stamp::default(), SystemTime::now());
        entry.add("a.txt", "a.txt".into(), Digest([1; 32]));
        catalogue.folders.entry(String::new()).or_default().files.insert("a.txt".into(), entry);
        catalogue.write(&layout).unwrap();
        assert_eq!(Catalogue::read(&layout), catalogue);
        let path = folder.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[60] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Catalogue::read(&layout), Catalogue::default());
    }
}
