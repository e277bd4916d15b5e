//! What the last run has made of each file.

use std::path::{Component, Path};

use serde::Serialize;

use super::Reader;
use super::catalogue::{Catalogue, Entry};
use super::source::{Folder, path_in};
use crate::corpus::Skipped;
use crate::error::Result;
use crate::search::Coverage;

/// A file of a followed folder as the last run over it has seen it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileStatus {
    /// The id of the document that it has, or would have if it could be read.
    pub id: String,
    /// Its length.
    pub bytes: u64,
    /// When it was changed, in milliseconds since 1970.
    pub modified_ms: i64,
    /// The ids of its documents, one for each document in a container.
    pub documents: Vec<String>,
    /// What of it was skipped, or all of it, and why.
    pub skipped: Vec<Skipped>,
    /// The passages of its documents, and how many of them have vectors.
    pub coverage: Coverage,
}

impl Reader {
    /// All files that the last run over each followed folder has looked at, in the order of their ids, with those that
    /// it skipped.
    ///
    /// # Errors
    /// [`Error::Damaged`](crate::Error::Damaged) if the record of the folders is.
    pub fn files(&self) -> Result<Vec<FileStatus>> {
        let catalogue = Catalogue::read(&self.inner.layout);
        let mut files = Vec::new();
        for folder in self.folders()? {
            let Some(known) = catalogue.folders.get(&folder.name) else { continue };
            for (path, entry) in &known.files {
                files.push(self.file_status(&folder, path, entry)?);
            }
        }
        files.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(files)
    }

    /// What the last run has made of the file with this id, or of the file in which a document with this id lies.
    /// `None` for one that it has not looked into: then [`passed_over`](Reader::passed_over) may name the folder that
    /// it lies in, or the file itself.
    ///
    /// # Errors
    /// As [`files`](Reader::files).
    pub fn file(&self, id: &str) -> Result<Option<FileStatus>> {
        let catalogue = Catalogue::read(&self.inner.layout);
        for folder in self.folders()? {
            let known = catalogue.folders.get(&folder.name);
            let (Some(known), Some(path)) = (known, path_in(&folder, id)) else { continue };
            // Itself, else what holds it.
            let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
            let mut paths: Vec<&str> = ends.map(|end| &path[..end]).collect();
            paths.reverse();
            if let Some((path, entry)) = paths.iter().find_map(|path| known.files.get_key_value(*path)) {
                return self.file_status(&folder, path, entry).map(Some);
            }
        }
        Ok(None)
    }

    /// What the last run has skipped without looking into it: links, folders that are left out or could not be listed,
    /// files that are left out by their names. In the order of their ids.
    ///
    /// # Errors
    /// As [`files`](Reader::files).
    pub fn passed_over(&self) -> Result<Vec<Skipped>> {
        let mut catalogue = Catalogue::read(&self.inner.layout);
        let mut all: Vec<Skipped> = Vec::new();
        for folder in self.folders()? {
            let known = catalogue.folders.remove(&folder.name).unwrap_or_default();
            all.extend(known.passed_over.into_iter().map(|one| in_folder(&folder, one)));
        }
        all.sort_by(|a, b| a.document.cmp(&b.document));
        Ok(all)
    }

    /// The id that the file at `path` has or would have as a document. `None` if it is in no followed folder.
    ///
    /// # Errors
    /// As [`files`](Reader::files).
    pub fn id_of_file(&self, path: &Path) -> Result<Option<String>> {
        // What is not there any more is looked for under the name that it had.
        let full =
            path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_path_buf());
        let below = self.folders()?.into_iter().find_map(|folder| {
            let parts: Vec<_> =
                full.strip_prefix(&folder.path).ok()?.iter().map(|part| part.to_string_lossy()).collect();
            Some(folder.id(&parts.join("/")))
        });
        Ok(below)
    }

    /// Where the file of a document lies, if it came from a followed folder: for one in a container, the path with
    /// what follows the container's own. The file need not be there any more.
    ///
    /// # Errors
    /// As [`files`](Reader::files).
    pub fn path_of(&self, document: &str) -> Result<Option<std::path::PathBuf>> {
        let folders = self.folders()?;
        let Some(folder) = super::source::folder_of(&folders, document) else { return Ok(None) };
        let below = path_in(folder, document).map(Path::new);
        // What an application has named leads out of no folder.
        let below = below.filter(|path| path.components().all(|part| matches!(part, Component::Normal(_))));
        Ok(below.map(|below| folder.path.join(below)))
    }

    /// How many passages a document has, and how many of them have vectors.
    pub fn coverage_of(&self, document: &str) -> Result<Coverage> {
        let snapshot = self.inner.snapshot.load();
        let chunks = snapshot.lexical.chunk_ids_of(document)?;
        let missing = snapshot.pinned.dense.missing();
        let pending = chunks.iter().filter(|chunk| missing.binary_search(chunk).is_ok()).count();
        Ok(Coverage { chunks: chunks.len(), encoded: chunks.len() - pending })
    }

    fn file_status(&self, folder: &Folder, path: &str, entry: &Entry) -> Result<FileStatus> {
        let documents: Vec<String> = entry.documents(path).map(|document| folder.id(document)).collect();
        let mut coverage = Coverage::default();
        for document in &documents {
            let Coverage { chunks, encoded } = self.coverage_of(document)?;
            coverage.chunks += chunks;
            coverage.encoded += encoded;
        }
        let modified_ms = entry.stamp.modified_ms();
        let skipped = entry.skipped.iter().map(|one| in_folder(folder, one.clone())).collect();
        Ok(FileStatus {
            id: folder.id(path),
            bytes: entry.stamp.bytes,
            modified_ms,
            documents,
            skipped,
            coverage,
        })
    }
}

/// What was skipped, by its id in the index instead of its path below the folder.
pub(super) fn in_folder(folder: &Folder, skipped: Skipped) -> Skipped {
    Skipped { document: folder.id(&skipped.document), ..skipped }
}
