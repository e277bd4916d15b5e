//! Keeping an index in step with folders of files.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Engine;
use super::look::Rest;
use super::report::{IndexProgress, IndexReport};
use super::run::Run;
use super::source::{self, Sources, folder_of};
use crate::corpus::CorpusOptions;
use crate::error::{Error, Result};

impl Engine {
    /// Makes the index hold what the folder holds: new and changed files are read, unchanged ones are not, documents
    /// whose file is gone are removed. Documents are named by their path below the folder, and can be filtered by
    /// `path`, `extension`, `modified` and what they say of themselves, such as `author` and `date`. What an
    /// application has added under other ids stays.
    ///
    /// An index can follow several folders. Then the ids of all but one that was followed first and alone begin with
    /// the folder's [name](crate::folders::Folder::name). The others are left as they are.
    ///
    /// Words come first: all texts are committed, so that searches find them by their words, before any is encoded by
    /// [`encode_pending`](Engine::encode_pending), those of the files that were changed last before others.
    ///
    /// A file that can't be used is passed over and stands in the report; nothing but an unreadable folder stops the
    /// run. A run that is cut short, even by a kill, goes on where it stopped.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the folder holds another one that the index follows, or lies in one; [`Error::Cancelled`]
    /// when `progress` breaks; what was committed stays.
    pub fn index_folder(
        &self,
        folder: &Path,
        progress: &mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<IndexReport> {
        self.index_folders(&[folder.to_path_buf()], progress)
    }

    /// As [`index_folder`](Engine::index_folder), for several folders, or for all that the index follows if none is
    /// named. One of several that can't be read stands in the report, and its documents stay.
    ///
    /// # Errors
    /// As `index_folder`; [`Error::NotFound`] if no folder is named and none is followed.
    pub fn index_folders(
        &self,
        folders: &[PathBuf],
        progress: &mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<IndexReport> {
        self.index_folders_with(folders, &self.inner.options.corpus, progress)
    }

    /// As `index_folders`, with other options than the engine was opened with: which files are read. How long a passage
    /// may be was fixed when the index was made.
    ///
    /// # Errors
    /// As `index_folders`.
    pub fn index_folders_with(
        &self,
        folders: &[PathBuf],
        options: &CorpusOptions,
        progress: &mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<IndexReport> {
        let started = Instant::now();
        let mut run = self.read_folders_with(folders, options, Rest::None, progress)?;
        run.report.words_seconds = started.elapsed().as_secs_f64();
        run.encode()?;
        run.report.seconds = started.elapsed().as_secs_f64();
        Ok(run.report)
    }

    /// As `index_folders`, without encoding: what is new is found by its words when this returns.
    /// [`watch`](Engine::watch) and [`encode_pending`](Engine::encode_pending) do the rest.
    ///
    /// # Errors
    /// As `index_folders`.
    pub fn read_words(
        &self,
        folders: &[PathBuf],
        progress: &mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<IndexReport> {
        let started = Instant::now();
        let mut report = self.read_folders(folders, Rest::None, progress)?.into_report();
        report.words_seconds = started.elapsed().as_secs_f64();
        report.seconds = report.words_seconds;
        Ok(report)
    }

    /// Commits what is new in the folders, without encoding it.
    pub(super) fn read_folders<'a>(
        &'a self,
        folders: &[PathBuf],
        rest: Rest,
        progress: &'a mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<Run<'a>> {
        self.read_folders_with(folders, &self.inner.options.corpus, rest, progress)
    }

    fn read_folders_with<'a>(
        &'a self,
        folders: &[PathBuf],
        options: &CorpusOptions,
        rest: Rest,
        progress: &'a mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<Run<'a>> {
        drop(self.lock_writer("index a folder")?);
        let followed = Sources::read(&self.inner.layout)?.follow(folders, options)?;
        let mut run = Run::begin(self, rest, progress)?;
        run.read(followed)?;
        Ok(run)
    }

    /// Follows a folder no more, and removes its documents in one commit. Returns how many there were.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the index does not follow the folder.
    pub fn forget_folder(&self, folder: &Path) -> Result<usize> {
        drop(self.lock_writer("forget a folder")?);
        let mut sources = Sources::read(&self.inner.layout)?;
        let folders = sources.folders();
        let Some(forgotten) = sources.forget(folder)? else {
            return Err(Error::NotFound {
                what: "followed folder",
                id: folder.display().to_string(),
                remedy: "name one of those that `retune status` lists",
            });
        };
        let snapshot = self.inner.snapshot.load_full();
        let ids = snapshot.lexical.documents()?.into_keys();
        let own = ids.filter(|id| folder_of(&folders, id) == Some(&forgotten));
        self.remove_files(own.collect())
    }

    /// Removes those documents that came from a folder.
    pub(super) fn remove_files(&self, documents: Vec<String>) -> Result<usize> {
        let snapshot = self.inner.snapshot.load_full();
        let mut files = Vec::new();
        for id in documents {
            if snapshot
                .lexical
                .first_chunk_of(&id)?
                .is_some_and(|chunk| chunk.metadata.contains_key(source::MARK))
            {
                files.push(id);
            }
        }
        self.remove(&files)
    }
}
