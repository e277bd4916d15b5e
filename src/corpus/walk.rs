//! Which files a folder holds.
//!
//! Files come in the order of their relative paths, compared component by component, whatever the file system's
//! order. Hidden files and folders are passed over, so the index in `.retune` is, too. What `.gitignore` and
//! `.ignore` files in the folder name is passed over, in a git repository or not; inside a repository also what the
//! repository's files above the folder name. The user's global git settings don't count: the same folder gives the
//! same documents on every machine.

use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

use crate::error::{Error, Result};

use super::options::CorpusOptions;
use super::skip::{SkipReason, Skipped};

/// What the walk comes across.
#[derive(Debug)]
pub(super) enum Found {
    /// A regular file: its document id and where it lies.
    File { document: String, path: PathBuf },
    /// Something else.
    Skipped(Skipped),
    /// A folder that can't be listed, or not to the end: what it holds is not known.
    UnreadableFolder(Skipped),
}

/// An iterator over what a folder holds.
pub(super) struct FolderWalk {
    root: PathBuf,
    walk: ignore::Walk,
}

/// Starts a walk. `excluded` paths and what lies in them are passed over.
///
/// # Errors
/// If the root can't be listed or is not a folder.
pub(super) fn walk_folder(root: &Path, excluded: &[PathBuf], options: &CorpusOptions) -> Result<FolderWalk> {
    let root = std::fs::canonicalize(root).map_err(Error::io("open the folder", root))?;
    if !root.is_dir() {
        return Err(Error::invalid("the folder to index", root.display(), "a folder"));
    }
    std::fs::read_dir(&root).map_err(Error::io("list the folder", &root))?;
    let in_repository = root.ancestors().any(|folder| folder.join(".git").exists());
    let mut builder = WalkBuilder::new(&root);
    builder
        .follow_links(options.follow_links)
        .git_global(false)
        // Without a repository, `.gitignore` files of folders above (a home folder's `*`, say) are none of ours.
        .require_git(in_repository)
        .parents(in_repository)
        .sort_by_file_name(|a, b| a.cmp(b));
    let excluded: Vec<PathBuf> =
        excluded.iter().map(|path| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone())).collect();
    if !excluded.is_empty() {
        builder.filter_entry(move |entry| !excluded.iter().any(|path| path == entry.path()));
    }
    Ok(FolderWalk { root, walk: builder.build() })
}

impl Iterator for FolderWalk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let found = match self.walk.next()? {
                Ok(entry) => self.entry(entry),
                Err(error) => Some(self.failure(&error)),
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

impl FolderWalk {
    /// `None` for folders, which the walk enters by itself.
    fn entry(&self, entry: DirEntry) -> Option<Found> {
        let skipped = |reason| Some(Found::Skipped(Skipped { document: self.shown(entry.path()), reason }));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            return None;
        }
        if kind.is_symlink() {
            return skipped(SkipReason::SymbolicLink);
        }
        if !kind.is_file() {
            return skipped(SkipReason::NotAFile);
        }
        match document_id(&self.root, entry.path()) {
            Some(document) => Some(Found::File { document, path: entry.into_path() }),
            None => skipped(SkipReason::PathNotUtf8),
        }
    }

    fn failure(&self, error: &ignore::Error) -> Found {
        let told = tell(error);
        let path = told.path.unwrap_or(&self.root);
        let document = self.shown(path);
        if told.in_a_loop {
            return Found::Skipped(Skipped { document, reason: SkipReason::LinkLoop });
        }
        let skipped = Skipped { document, reason: SkipReason::Unreadable { message: told.message } };
        // Without a path nobody knows what was missed. A path that is no file may have been a folder.
        if told.path.is_none() || !path.is_file() {
            Found::UnreadableFolder(skipped)
        } else {
            Found::Skipped(skipped)
        }
    }

    fn shown(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }
}

fn document_id(root: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.strip_prefix(root).ok()?.iter().map(|part| part.to_str()).collect();
    Some(parts?.join("/"))
}

struct Told<'e> {
    path: Option<&'e Path>,
    message: String,
    in_a_loop: bool,
}

fn tell(error: &ignore::Error) -> Told<'_> {
    match error {
        ignore::Error::WithPath { path, err } => {
            let told = tell(err);
            Told { path: told.path.or(Some(path)), ..told }
        }
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => tell(err),
        ignore::Error::Loop { child, .. } => {
            Told { path: Some(child), message: error.to_string(), in_a_loop: true }
        }
        ignore::Error::Io(io) => Told { path: None, message: io.to_string(), in_a_loop: false },
        other => Told { path: None, message: other.to_string(), in_a_loop: false },
    }
}
