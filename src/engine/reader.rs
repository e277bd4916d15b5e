//! Opening for reading, searching, refreshing, closing.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use super::feedback::open_if_writable;
use super::impression::{impression, is_logged};
use super::layout::Layout;
use super::open::{assemble, read_manifest, read_snapshot};
use super::options::Options;
use super::trial::answer::Shown;
use super::worker::Worker;
use super::{Access, Inner, Reader};
use crate::dense::DenseIndex;
use crate::error::{Error, Result};
use crate::feedback::FeedbackLog;
use crate::generation::Pinned;
use crate::ids::QueryId;
use crate::lexical::LexicalIndex;
use crate::search::{Answer, Query, Snapshot};

impl Reader {
    /// Opens the index in the folder `path` for searching only, beside a writer in this or another process. It sees
    /// the state of this moment until [`refresh`](Reader::refresh). Its searches are logged and can be judged, unless
    /// this process may not write to the folder.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no index; else as [`Engine::open`](super::Engine::open), but never
    /// [`Error::Locked`].
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Reader> {
        options.validate()?;
        let layout = Layout::new(path.as_ref());
        let settings = layout.existing_settings()?;
        let lexical = LexicalIndex::open(&layout.lexical())?;
        let (snapshot, reader) = read_snapshot(&layout, &lexical, &options)?;
        let access = Access::Reading(Box::new(Mutex::new(reader)));
        let feedback = open_if_writable(&layout, &options.feedback).unwrap_or_else(|error| {
            tracing::warn!(%error, "answers are not logged and can't be judged");
            None
        });
        Ok(assemble(layout, options, settings, lexical, snapshot, access, feedback))
    }

    /// The ids of all documents that a search can find, in order.
    pub fn documents(&self) -> Result<Vec<String>> {
        self.check_open("list the documents")?;
        Ok(self.inner.snapshot.load().lexical.documents()?.into_keys().collect())
    }

    /// Answers a query from the current snapshot. Never waits for a writer, for learning or for the log.
    ///
    /// The answer is logged as one impression, unless it is a later page or the query has no word.
    ///
    /// # Errors
    /// [`Error::Invalid`] for unusable options of the query, and for a filter that names a field which no document has:
    /// see [`Filter`](crate::Filter).
    pub fn search(&self, query: &Query) -> Result<Answer> {
        self.check_open("search")?;
        self.inner.last_search.now();
        let snapshot = self.inner.snapshot.load_full();
        let Shown { ranked, trial, standings } = self.rank(&snapshot, query)?;
        let coverage = snapshot.coverage();
        if !coverage.is_complete() && matches!(self.inner.access, Access::Writing(_)) {
            self.inner.encoding.want(&ranked.hits);
        }
        let query_id = query.page_of.unwrap_or_else(QueryId::random);
        let logged = is_logged(query, &ranked);
        let generation = snapshot.pinned.generation.meta.id;
        let log = self.inner.feedback.as_ref().filter(|_| logged);
        if logged && log.is_none() {
            self.note_unlogged();
        }
        if let Some(log) = log {
            log.log_impression(impression(query, query_id, &ranked, generation, trial, standings));
        }
        Ok(Answer {
            query_id,
            logged: log.is_some() || query.page_of.is_some(),
            generation,
            mode: query.mode,
            took_ms: ranked.took,
            coverage,
            hits: ranked.hits,
            total: ranked.counts.total,
            facets: ranked.counts.facets,
        })
    }

    /// The folder of the index.
    pub fn path(&self) -> &Path {
        &self.inner.layout.path
    }

    /// Sees what other handles have committed or published since this one was opened or refreshed. An
    /// [`Engine`](super::Engine) sees its own changes at once, and is the only one to make any.
    pub fn refresh(&self) -> Result<()> {
        self.check_open("refresh")?;
        match &self.inner.access {
            Access::Writing(_) => Ok(()),
            Access::Reading(reader) => self.reread(reader),
        }
    }

    pub(super) fn check_open(&self, doing: &'static str) -> Result<()> {
        match self.inner.closed.load(Ordering::Acquire) {
            true => Err(Error::Closed { doing }),
            false => Ok(()),
        }
    }

    fn reread(&self, reader: &Mutex<DenseIndex>) -> Result<()> {
        let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
        let manifest = read_manifest(&self.inner.layout)?;
        let current = Arc::clone(&self.inner.snapshot.load().pinned.generation);
        let snapshot = if current.meta.id == manifest.current {
            let lexical = self.inner.lexical.snapshot()?;
            // After the lexical commit, which comes last: every vector that it needs is there by now.
            reader.refresh()?;
            let dense = reader.view(&lexical.live_chunks())?;
            Snapshot { lexical, pinned: Pinned { dense, generation: current } }
        } else {
            let Inner { layout, lexical, options, .. } = &*self.inner;
            let (snapshot, other) = read_snapshot(layout, lexical, options)?;
            *reader = other;
            snapshot
        };
        self.inner.snapshot.store(Arc::new(snapshot));
        Ok(())
    }

    /// Stops the background worker, writes out the log and releases the index. Searches on clones of this handle fail
    /// from now on with [`Error::Closed`]. Closing twice is fine.
    ///
    /// # Errors
    /// The first thing that a background thread could not finish; everything is released all the same.
    pub fn close(&self) -> Result<()> {
        if self.inner.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let worker = self.inner.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        let stopped = worker.map_or(Ok(()), Worker::stop);
        let stopped = stopped.and(self.inner.upkeep.stop()).and(self.inner.trials.stop());
        let logged = self.inner.feedback.as_ref().map_or(Ok(()), FeedbackLog::close);
        let released = match &self.inner.access {
            Access::Reading(_) => Ok(()),
            Access::Writing(mutex) => {
                let writer = mutex.lock().unwrap_or_else(PoisonError::into_inner).take();
                writer.map_or(Ok(()), |writer| writer.close())
            }
        };
        stopped.and(logged).and(released)
    }
}
