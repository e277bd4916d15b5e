//! One run over the followed folders: look, read, commit, encode.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;

use super::Engine;
use super::catalogue::{Catalogue, Entry, Files};
use super::files::in_folder;
use super::look::{CANCELLED, Look, Looked, Rest, is_indexed};
use super::pipeline::{Read, Reading, read_all};
use super::prepared::Prepared;
use super::report::{IndexProgress, IndexReport};
use super::source::{self, Folder, Followed, folder_of, path_in};
use super::touched::Touched;
use super::writer::Vectors;
use crate::corpus::{ChangedFile, ChunkedDocument, CorpusOptions, SkipReason, Skipped};
use crate::error::{Error, Result};
use crate::ids::Digest;
use crate::lexical::Language;

/// Files are committed together until they have so many chunks: the first few, so that the first words are found at
/// once.
const FIRST_CHUNKS: usize = 512;
/// Each commit may have twice as many as the one before, up to so many.
const MOST_CHUNKS: usize = 8192;

/// A run over folders.
pub(super) struct Run<'a> {
    engine: &'a Engine,
    pub(super) report: IndexReport,
    at: IndexProgress,
    progress: &'a mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    /// When it began.
    look: SystemTime,
    /// What the last run has seen.
    before: Catalogue,
    /// What was indexed when it began.
    digests: BTreeMap<String, Digest>,
    /// One of the documents with each of these digests.
    by_digest: HashMap<Digest, String>,
    rest: Rest,
    /// Whether files were left.
    resting: bool,
    pending: Vec<Prepared>,
    touched: Touched,
    /// How many chunks wait to be committed.
    chunks: usize,
    commit_at: usize,
}

impl<'a> Run<'a> {
    pub(super) fn begin(
        engine: &'a Engine,
        rest: Rest,
        progress: &'a mut dyn FnMut(IndexProgress) -> ControlFlow<()>,
    ) -> Result<Run<'a>> {
        let digests = engine.inner.snapshot.load().lexical.documents()?;
        let by_digest = digests.iter().map(|(id, &digest)| (digest, id.clone())).collect();
        Ok(Run {
            engine,
            report: IndexReport::default(),
            at: IndexProgress::default(),
            progress,
            look: SystemTime::now(),
            before: Catalogue::read(&engine.inner.layout),
            digests,
            by_digest,
            rest,
            resting: false,
            pending: Vec::new(),
            touched: Touched::default(),
            chunks: 0,
            commit_at: FIRST_CHUNKS,
        })
    }

    /// Whether files were left for a later run.
    pub(super) fn resting(&self) -> bool {
        self.resting
    }

    pub(super) fn into_report(self) -> IndexReport {
        self.report
    }

    /// Commits what is new in the folders and removes what is gone.
    pub(super) fn read(&mut self, followed: Vec<Followed>) -> Result<()> {
        let mut now = self.before.clone();
        let (alone, mut looked) = (followed.len() == 1, Vec::new());
        for Followed { folder, options } in followed {
            match self.look(folder.clone(), options) {
                Ok(one) => looked.push(one),
                Err(error @ Error::Io { .. }) if !alone => {
                    let reason = SkipReason::Unreadable { message: error.to_string() };
                    self.report.skipped.push(Skipped::of(folder.path.display().to_string(), reason));
                }
                Err(error) => return Err(error),
            }
        }
        self.warn(&looked);
        self.at.total_bytes = looked.iter().flat_map(|one| &one.changed).map(|file| file.stamp.bytes).sum();
        // The first file may take long.
        self.tell()?;
        for mut one in looked {
            self.read_changed(&mut one)?;
            self.commit()?;
            self.remove_vanished(&one)?;
            let Looked { folder, files, .. } = one;
            self.report_skipped(&folder, &files);
            now.folders.insert(folder.name, files);
        }
        self.tell()?;
        if now != self.before
            && let Err(error) = now.write(&self.engine.inner.layout)
        {
            tracing::warn!(%error, "the next run reads all files");
        }
        self.report.skipped.sort_by(|a, b| a.document.cmp(&b.document));
        self.before = now;
        self.set_order()
    }

    /// Reports the rules that nothing in any folder fits for which they are.
    fn warn(&mut self, looked: &[Looked]) {
        let mut missing: BTreeSet<&String> = looked.iter().flat_map(|one| &one.fits.missing).collect();
        for found in looked.iter().flat_map(|one| &one.fits.found) {
            missing.remove(found);
        }
        self.report.warnings = missing.into_iter().cloned().collect();
    }

    /// Has those of the files that were changed last encoded first.
    fn set_order(&self) -> Result<()> {
        let mut order: Vec<(Reverse<i64>, String)> = Vec::new();
        if !self.engine.inner.snapshot.load().pinned.dense.missing().is_empty() {
            for folder in self.engine.folders()? {
                let files = self.before.folders.get(&folder.name).map(|files| &files.files);
                for (path, entry) in files.into_iter().flatten() {
                    let modified = Reverse(entry.stamp.modified_ms());
                    order.extend(entry.documents(path).map(|document| (modified, folder.id(document))));
                }
            }
        }
        order.sort_unstable();
        self.engine.inner.encoding.set_order(order.into_iter().map(|(_, document)| document).collect());
        Ok(())
    }

    /// Gives their vectors to all chunks that have none.
    pub(super) fn encode(&mut self) -> Result<()> {
        let Run { at, progress, .. } = self;
        let encoded = self.engine.encode_pending(&mut |done, total| {
            (at.chunks, at.total_chunks) = (done, at.total_chunks.max(total));
            progress(*at)
        });
        self.report.chunks_encoded = encoded.map_err(|error| match error {
            Error::Cancelled { .. } => CANCELLED,
            error => error,
        })?;
        Ok(())
    }

    /// Looks at a folder as a whole.
    fn look(&mut self, folder: Folder, options: CorpusOptions) -> Result<Looked> {
        let nothing = Files::default();
        let look = Look {
            engine: self.engine,
            before: self.before.folders.get(&folder.name).unwrap_or(&nothing),
            digests: &self.digests,
            rest: self.rest,
        };
        let (at, progress) = (&mut self.at, &mut *self.progress);
        let looked = look.at(folder, options, &mut || {
            at.files += 1;
            progress(*at)
        })?;
        self.report.unchanged += looked.unchanged;
        self.resting |= looked.resting;
        Ok(looked)
    }

    /// Reads the files that may have changed, and commits most of them.
    fn read_changed(&mut self, looked: &mut Looked) -> Result<()> {
        if looked.changed.is_empty() {
            return Ok(());
        }
        let encoder = Arc::clone(self.engine.inner.snapshot.load().pinned.generation.encoder()?);
        let Looked { folder, options, rules, changed, seen, files, .. } = looked;
        let extractor = self.engine.inner.options.extractor.as_ref();
        let reading = Reading { options, lengths: rules.lengths, encoder: &encoder, extractor };
        let known = |file: &ChangedFile| self.known_digest(folder, &file.id, files.reading);
        let known: HashMap<&str, Digest> =
            changed.iter().filter_map(|file| Some((file.id.as_str(), known(file)?))).collect();
        let known = |path: &str| known.get(path).copied();
        let mut current = None;
        read_all(changed, reading, &known, &mut |file, read| {
            let Current { entry, unchanged } = current.get_or_insert_with(|| Current {
                entry: Entry::new(file.stamp, self.look),
                unchanged: false,
            });
            match read {
                Some(Read::Document(document)) => {
                    seen.read(&document.id);
                    entry.add(&file.id, document.id.clone(), document.digest);
                    self.add(folder, document, rules.language)?;
                }
                Some(Read::Skipped(skipped)) => {
                    seen.turned_out(&skipped);
                    // It may be readable the next time, with the same stamp.
                    entry.sure &= !matches!(skipped.reason, SkipReason::Unreadable { .. });
                    entry.skipped.push(skipped);
                }
                Some(Read::Unchanged) => {
                    *unchanged = true;
                    seen.unchanged(&file.id);
                    self.take_over(folder, &file.id, entry);
                    self.keep_time(folder, file, entry)?;
                }
                Some(Read::Whole(digest)) => {
                    let failed = |one: &Skipped| matches!(one.reason, SkipReason::ExtractionFailed { .. });
                    // What has failed may not fail the next time.
                    let failed = entry.skipped.iter().any(failed);
                    entry.digest = entry.digest.or((!failed).then_some(digest));
                }
                None => {
                    self.report.unchanged += usize::from(*unchanged && entry.has_documents());
                    self.report.read += usize::from(!*unchanged && entry.has_documents());
                    files.files.extend(current.take().map(|read| (file.id.clone(), read.entry)));
                    self.at.bytes += file.stamp.bytes;
                    self.tell()?;
                }
            }
            Ok(())
        })
    }

    /// The digest with which a file gives what is indexed of it and nothing else, if it is read as `reading` says.
    fn known_digest(&self, folder: &Folder, path: &str, reading: Option<Digest>) -> Option<Digest> {
        let before = self.before.folders.get(&folder.name);
        let entry = before.and_then(|files| files.files.get(path));
        match entry.filter(|entry| is_indexed(entry, path, folder, &self.digests)) {
            // Read in another way, what was left out may not be.
            Some(entry) if !entry.is_document() && before.and_then(|files| files.reading) != reading => None,
            Some(entry) => entry.digest,
            // Not catalogued, or not as it is indexed: a file that is no container has its own document.
            None => self.digests.get(&folder.id(path)).copied(),
        }
    }

    /// Notes in the catalogue that a file that was read has the content that is indexed.
    fn take_over(&self, folder: &Folder, path: &str, entry: &mut Entry) {
        let before = self.before.folders.get(&folder.name).and_then(|files| files.files.get(path));
        match before.filter(|before| is_indexed(before, path, folder, &self.digests)) {
            Some(before) => entry.take_over(before),
            None => {
                if let Some(&digest) = self.digests.get(&folder.id(path)) {
                    entry.add(path, path.to_string(), digest);
                }
            }
        }
    }

    /// Notes when a file was changed whose content is the one that is indexed.
    fn keep_time(&mut self, folder: &Folder, file: &ChangedFile, entry: &Entry) -> Result<()> {
        let snapshot = self.engine.inner.snapshot.load_full();
        for path in entry.documents(&file.id) {
            let id = folder.id(path);
            self.chunks += self.touched.add(&snapshot.lexical, &id, file.stamp.modified())?;
        }
        if self.chunks >= self.commit_at { self.commit() } else { Ok(()) }
    }

    fn add(&mut self, folder: &Folder, document: ChunkedDocument, language: Option<Language>) -> Result<()> {
        let document = ChunkedDocument { id: folder.id(&document.id), ..document };
        let metadata = source::metadata(&document, language);
        let ChunkedDocument { id, digest, chunks, .. } = document;
        self.chunks += chunks.len();
        let same_file = self.by_digest.get(&digest).filter(|other| **other != id).cloned();
        self.pending.push(Prepared { id, digest, chunks, metadata, same_file });
        if self.chunks >= self.commit_at { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<()> {
        let documents = std::mem::take(&mut self.pending);
        self.chunks = 0;
        self.commit_at = (2 * self.commit_at).min(MOST_CHUNKS);
        let mut writer = self.engine.lock_writer("index a folder")?;
        let snapshot = self.engine.inner.snapshot.load_full();
        let nothing = &mut |_| ControlFlow::Continue(());
        let added = self.engine.replace(&mut writer, &snapshot, documents, Vectors::Later, nothing)?;
        self.report.chunks_kept += added.chunks_kept;
        let snapshot = self.engine.inner.snapshot.load_full();
        if self.touched.commit(&snapshot.lexical, writer.get()?)? {
            self.engine.refresh_from(&mut writer)?;
        }
        Ok(())
    }

    fn remove_vanished(&mut self, looked: &Looked) -> Result<()> {
        let folders = self.engine.folders()?;
        let gone = self.digests.keys().filter(|id| {
            folder_of(&folders, id) == Some(&looked.folder)
                && path_in(&looked.folder, id).is_some_and(|path| looked.seen.has_vanished(path))
        });
        self.report.removed += self.engine.remove_files(gone.cloned().collect())?;
        Ok(())
    }

    /// Reports what was skipped, and whether the last run skipped it for the same reason.
    fn report_skipped(&mut self, folder: &Folder, files: &Files) {
        let before = self.before.folders.get(&folder.name);
        let before: HashMap<&str, &SkipReason> = before
            .into_iter()
            .flat_map(Files::skipped)
            .map(|one| (one.document.as_str(), &one.reason))
            .collect();
        let skipped = files.skipped().map(|one| {
            let new = before.get(one.document.as_str()) != Some(&&one.reason);
            in_folder(folder, Skipped { new, ..one.clone() })
        });
        self.report.skipped.extend(skipped);
    }

    fn tell(&mut self) -> Result<()> {
        match (self.progress)(self.at) {
            ControlFlow::Break(()) => Err(CANCELLED),
            ControlFlow::Continue(()) => Ok(()),
        }
    }
}

/// A file that is being read.
struct Current {
    entry: Entry,
    unchanged: bool,
}
