//! Lists the files of a folder.
//!
//! Files come in the order of their relative paths, compared component by component, whatever the file system's order.
//! Hidden files and folders are passed over, and with them the index in `.retune`. Dependencies, build folders and
//! generated files are skipped unless they are asked for (see `left_out`). `.gitignore`, `.ignore` and `.retuneignore`
//! files in the folder apply, even outside a git repository. Inside a repository, its ignore files above the folder
//! apply too. The user's global git settings don't: the same folder gives the same documents on every machine.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder};

use crate::error::{Error, Result};

use super::config::Patterns;
use super::fits::{Fits, Fitting};
use super::left_out::{self, Group};
use super::options::CorpusOptions;
use super::skip::{SkipReason, Skipped};

/// As `.gitignore`, for retune alone.
const IGNORE: &str = ".retuneignore";

/// An entry of a folder.
#[derive(Debug)]
pub(super) enum Found {
    /// A regular file, with its document id.
    File { document: String, path: PathBuf },
    /// Anything else.
    Skipped(Skipped),
    /// A folder that can't be listed completely. Its content is unknown.
    UnreadableFolder(Skipped),
}

/// An iterator over the entries of a folder and its subfolders.
pub(super) struct FolderWalk {
    root: PathBuf,
    walk: ignore::Walk,
    included: Vec<String>,
    /// Not yet reported.
    left_out: Arc<Mutex<Vec<LeftOut>>>,
    fitting: Arc<Mutex<Option<Fitting>>>,
}

/// A folder that the walk did not enter.
struct LeftOut {
    path: PathBuf,
    group: Group,
}

/// Starts a walk. Skips `excluded` paths and everything below them.
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
        // Outside a repository, `.gitignore` files above the folder don't apply: a home folder may have one with `*`.
        .require_git(in_repository)
        .parents(in_repository)
        .sort_by_file_name(|a, b| a.cmp(b));
    let excluded: Vec<PathBuf> =
        excluded.iter().map(|path| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone())).collect();
    let included = options.include.clone().unwrap_or_default();
    builder.add_custom_ignore_filename(IGNORE);
    let patterns = options.configs.iter().map(|config| config.patterns(&root)).collect::<Result<Vec<_>, _>>();
    let patterns = patterns
        .map_err(|error| Error::invalid("a pattern of retune.toml", error, "patterns as in .gitignore"))?;
    let left_out = Arc::new(Mutex::new(Vec::new()));
    let (asked_for, reported) = (included.clone(), Arc::clone(&left_out));
    let fitting = Arc::new(Mutex::new(Some(Fitting::of(options, &root))));
    let seen = Arc::clone(&fitting);
    builder.filter_entry(move |entry| {
        if excluded.iter().any(|path| path == entry.path()) {
            return false;
        }
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        if let Some(fitting) = &mut *seen.lock().unwrap_or_else(PoisonError::into_inner) {
            fitting.see(entry.path(), is_folder);
        }
        let chosen = |rules: &Patterns| match is_folder {
            true => entry.depth() == 0 || rules.enters(entry.path()),
            false => rules.reads(entry.path()),
        };
        if !patterns.iter().all(chosen) {
            return false;
        }
        let group = is_folder.then(|| left_out::folder(entry.path(), &asked_for)).flatten();
        if let Some(group) = group {
            let mut reported = reported.lock().unwrap_or_else(PoisonError::into_inner);
            reported.push(LeftOut { path: entry.path().to_path_buf(), group });
        }
        group.is_none()
    });
    Ok(FolderWalk { root, walk: builder.build(), included, left_out, fitting })
}

impl Iterator for FolderWalk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let found = match self.walk.next() {
                Some(Ok(entry)) => self.entry(entry),
                Some(Err(error)) => Some(self.failure(&error)),
                None => return self.folder_left_out(),
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

impl FolderWalk {
    /// What was asked for, and whether anything so far fits it.
    pub(super) fn fits(&self) -> Fits {
        let fitting = self.fitting.lock().unwrap_or_else(PoisonError::into_inner).take();
        fitting.map(Fitting::end).unwrap_or_default()
    }

    /// `None` for folders: the walk enters them by itself.
    fn entry(&self, entry: DirEntry) -> Option<Found> {
        let skipped = |reason| Some(Found::Skipped(Skipped::of(self.shown(entry.path()), reason)));
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
        if let Some(group) = left_out::file(&entry.file_name().to_string_lossy(), &self.included) {
            return skipped(SkipReason::LeftOut { group: group.name().into() });
        }
        match document_id(&self.root, entry.path()) {
            Some(document) => Some(Found::File { document, path: entry.into_path() }),
            None => skipped(SkipReason::PathNotUtf8),
        }
    }

    /// Reported last: the walk is over.
    fn folder_left_out(&self) -> Option<Found> {
        let LeftOut { path, group } = self.left_out.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        let reason = SkipReason::LeftOut { group: group.name().into() };
        Some(Found::Skipped(Skipped::of(self.shown(&path), reason)))
    }

    fn failure(&self, error: &ignore::Error) -> Found {
        let failure = Failure::of(error);
        let path = failure.path.unwrap_or(&self.root);
        let document = self.shown(path);
        if failure.in_a_loop {
            return Found::Skipped(Skipped::of(document, SkipReason::LinkLoop));
        }
        let skipped = Skipped::of(document, SkipReason::Unreadable { message: failure.message });
        // An error without a path may have hidden anything. A path that is not a file may have been a folder.
        if failure.path.is_none() || !path.is_file() {
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

/// An error of the walk, with the path that its layers mention.
struct Failure<'e> {
    path: Option<&'e Path>,
    message: String,
    in_a_loop: bool,
}

impl Failure<'_> {
    fn of(error: &ignore::Error) -> Failure<'_> {
        match error {
            ignore::Error::WithPath { path, err } => {
                let inner = Failure::of(err);
                Failure { path: inner.path.or(Some(path)), ..inner }
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
                Failure::of(err)
            }
            ignore::Error::Loop { child, .. } => {
                Failure { path: Some(child), message: error.to_string(), in_a_loop: true }
            }
            ignore::Error::Io(io) => Failure { path: None, message: io.to_string(), in_a_loop: false },
            other => Failure { path: None, message: other.to_string(), in_a_loop: false },
        }
    }
}
