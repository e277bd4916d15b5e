//! What users say of answers, with and without an open engine.

use std::path::Path;
use std::time::Duration;

use super::layout::Layout;
use super::options::Options;
use super::{Access, Reader};
use crate::error::{Error, Result};
use crate::feedback::{FeedbackLog, FeedbackOptions, Impression, Judgement, Role, Verdict};
use crate::ids::QueryId;
use crate::learn::{Forgotten, History};
use crate::lexical::{LexicalIndex, LexicalSnapshot};
use crate::storage::is_writable;

impl Reader {
    /// Records what was said of a document in the answer `query_id` of any process. Returns when it is durable.
    ///
    /// The document need not have been among the hits: a user may know the right one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a query that is not in the log or a document that is not in the index;
    /// [`Error::ReadOnly`] if the folder can't be written.
    pub fn judge(&self, query_id: QueryId, document: &str, verdict: Verdict) -> Result<()> {
        let log = self.log("judge")?;
        record(log, &self.inner.lexical.snapshot()?, query_id, document, verdict)?;
        self.count_judgements();
        Ok(())
    }

    /// As [`Feedback::last_query`].
    ///
    /// # Errors
    /// [`Error::ReadOnly`] if the folder can't be written.
    pub fn last_query(&self) -> Result<Option<Impression>> {
        self.log("look up the last query")?.latest_impression()
    }

    /// As [`Feedback::find_query`].
    ///
    /// # Errors
    /// As `Feedback::find_query`; [`Error::ReadOnly`] if the folder can't be written.
    pub fn find_query(&self, beginning: &str) -> Result<Impression> {
        find_query(self.log("look up a query")?, beginning)
    }

    /// Permanently removes a query: every impression with the same normalised text, its judgements, and the text in
    /// the reports of rounds. Returns how many records of the log were removed. What other handles have not written
    /// yet when it is called stays.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process forgets or merges the log for longer than [`Options::lock_wait`].
    pub fn forget_query(&self, text: &str) -> Result<usize> {
        forget_query(self.log("forget a query")?, &self.inner.history, text, self.inner.options.lock_wait)
    }

    /// Permanently removes one answered query and its judgements from the log, and its text from the reports of
    /// rounds. Returns how many records of the log were removed. As [`forget_query`](Reader::forget_query) otherwise.
    pub fn forget_query_id(&self, query_id: QueryId) -> Result<usize> {
        let log = self.log("forget a query")?;
        forget_query_id(log, &self.inner.history, query_id, self.inner.options.lock_wait)
    }

    /// Permanently removes a document from the hits of every impression, with its judgements, and the queries whose
    /// first documents include it from the reports of rounds. The document itself stays in the index: see
    /// [`Engine::remove`](super::Engine::remove). Returns how many records of the log changed. As
    /// [`forget_query`](Reader::forget_query) otherwise.
    pub fn forget_document(&self, document: &str) -> Result<usize> {
        let log = self.log("forget a document")?;
        forget_document(log, &self.inner.history, document, self.inner.options.lock_wait)
    }

    /// Permanently removes all queries and judgements from the log, and all queries from the reports of rounds. What
    /// was published because of them stays; a trial ends, a moment later. Returns how many records of the log were
    /// removed. As [`forget_query`](Reader::forget_query) otherwise.
    pub fn forget_everything(&self) -> Result<usize> {
        let (log, wait) = (self.log("forget everything")?, self.inner.options.lock_wait);
        self.inner.history.forget(Forgotten::Everything, || log.forget_everything(wait))
    }

    pub(super) fn log(&self, doing: &'static str) -> Result<&FeedbackLog> {
        self.check_open(doing)?;
        self.inner
            .feedback
            .as_ref()
            .ok_or_else(|| Error::ReadOnly { doing, path: self.inner.layout.path.clone() })
    }

    /// The log of a handle that may also change the index.
    pub(super) fn log_to_learn(&self, doing: &'static str) -> Result<&FeedbackLog> {
        match self.inner.access {
            Access::Writing(_) => self.log(doing),
            Access::Reading(_) => Err(Error::ReadOnly { doing, path: self.inner.layout.path.clone() }),
        }
    }

    /// Says that answers are not logged, the first time.
    pub(super) fn note_unlogged(&self) {
        self.inner.unlogged.call_once(|| {
            tracing::info!(
                index = %self.inner.layout.path.display(),
                "the index can't be written: its answers are not logged and can't be judged"
            );
        });
    }

    /// Whether searches are logged and can be judged. Not if this process may not write to the folder of the index.
    pub fn is_logging(&self) -> bool {
        self.inner.feedback.is_some()
    }
}

/// The feedback log of an index, beside any number of other handles: to judge and to forget without loading a model.
///
/// ```no_run
/// use retune::{Feedback, Options, Verdict};
///
/// # fn main() -> retune::Result<()> {
/// let feedback = Feedback::open("notes.retune", &Options::default())?;
/// if let Some(asked) = feedback.last_query()? {
///     feedback.judge(asked.query_id, &asked.hits[0].document, Verdict::Chosen)?;
/// }
/// feedback.close()
/// # }
/// ```
#[derive(Debug)]
pub struct Feedback {
    pub(super) log: FeedbackLog,
    pub(super) lexical: LexicalIndex,
    history: History,
    wait: Duration,
}

impl Feedback {
    /// Opens the feedback log of the index in the folder `path`. Of the options it uses `feedback` and `lock_wait`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no index; [`Error::ReadOnly`] if the folder can't be written;
    /// [`Error::Damaged`] and [`Error::Version`] when files of the index can't be used.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Feedback> {
        options.validate()?;
        let layout = Layout::new(path.as_ref());
        layout.existing_settings()?;
        let lexical = LexicalIndex::open(&layout.lexical())?;
        match open_if_writable(&layout, &options.feedback)? {
            Some(log) => {
                let history = History::new(layout.rounds());
                Ok(Feedback { log, lexical, history, wait: options.lock_wait })
            }
            None => Err(Error::ReadOnly { doing: "judge or forget", path: layout.path }),
        }
    }

    /// The query that was answered last, by any process, as the log has it.
    pub fn last_query(&self) -> Result<Option<Impression>> {
        self.log.latest_impression()
    }

    /// The answered query whose id begins with these hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything but 1 to 16 hexadecimal digits, and if several ids begin with them;
    /// [`Error::NotFound`] if none does.
    pub fn find_query(&self, beginning: &str) -> Result<Impression> {
        find_query(&self.log, beginning)
    }

    /// As [`Reader::judge`].
    ///
    /// # Errors
    /// As `Reader::judge`.
    pub fn judge(&self, query_id: QueryId, document: &str, verdict: Verdict) -> Result<()> {
        record(&self.log, &self.lexical.snapshot()?, query_id, document, verdict)
    }

    /// As [`Reader::forget_query`].
    ///
    /// # Errors
    /// As `Reader::forget_query`.
    pub fn forget_query(&self, text: &str) -> Result<usize> {
        forget_query(&self.log, &self.history, text, self.wait)
    }

    /// As [`Reader::forget_query_id`].
    ///
    /// # Errors
    /// As `Reader::forget_query`.
    pub fn forget_query_id(&self, query_id: QueryId) -> Result<usize> {
        forget_query_id(&self.log, &self.history, query_id, self.wait)
    }

    /// As [`Reader::forget_document`].
    ///
    /// # Errors
    /// As `Reader::forget_query`.
    pub fn forget_document(&self, document: &str) -> Result<usize> {
        forget_document(&self.log, &self.history, document, self.wait)
    }

    /// Writes out the log. Dropping does the same, but can't tell an error.
    pub fn close(self) -> Result<()> {
        self.log.close()
    }
}

/// The log beside an index's writer. `None` if this process may not write to the folder.
pub(super) fn open_if_writable(layout: &Layout, options: &FeedbackOptions) -> Result<Option<FeedbackLog>> {
    let folder = layout.feedback();
    let writable = is_writable(if folder.is_dir() { &folder } else { &layout.path });
    writable.then(|| FeedbackLog::open(&folder, options.clone(), Role::Appending)).transpose()
}

fn find_query(log: &FeedbackLog, beginning: &str) -> Result<Impression> {
    let ids = QueryId::beginning_with(beginning)?;
    let found = log.ids_within(&ids, 3)?;
    if found.len() > 1 {
        return Err(ambiguous(beginning, &found));
    }
    let impression = found.first().map(|id| log.find_impression(*id)).transpose()?.flatten();
    impression.ok_or_else(|| unknown_query("query in the feedback log whose id begins with", beginning))
}

fn record(
    log: &FeedbackLog,
    lexical: &LexicalSnapshot,
    query_id: QueryId,
    document: &str,
    verdict: Verdict,
) -> Result<()> {
    if log.find_impression(query_id)?.is_none() {
        return Err(unknown_query("query in the feedback log with the id", query_id));
    }
    if lexical.document_digest(document)?.is_none() {
        return Err(unknown_document(document));
    }
    let time_ms = crate::clock::now_ms();
    log.append_judgement(Judgement { query_id, time_ms, document: document.to_string(), verdict })
}

fn forget_query(log: &FeedbackLog, history: &History, text: &str, wait: Duration) -> Result<usize> {
    history.forget(Forgotten::Query(text.into()), || log.forget_query(text, wait))
}

fn forget_query_id(log: &FeedbackLog, history: &History, id: QueryId, wait: Duration) -> Result<usize> {
    match log.find_impression(id)? {
        None => log.forget_query_id(id, wait),
        Some(impression) => {
            history.forget(Forgotten::Query(impression.searched().into()), || log.forget_query_id(id, wait))
        }
    }
}

fn forget_document(log: &FeedbackLog, history: &History, document: &str, wait: Duration) -> Result<usize> {
    history.forget(Forgotten::Document(document.into()), || log.forget_document(document, wait))
}

pub(super) fn unknown_query(what: &'static str, id: impl ToString) -> Error {
    Error::NotFound {
        what,
        id: id.to_string(),
        remedy: "use the query_id that the search returned; forgotten and unlogged queries can't be judged",
    }
}

pub(super) fn unknown_document(document: &str) -> Error {
    Error::NotFound {
        what: "document",
        id: format!("{document:?}"),
        remedy: "use a document id as the search returned it",
    }
}

pub(super) fn ambiguous<'a>(beginning: &str, ids: impl IntoIterator<Item = &'a QueryId>) -> Error {
    let shown: Vec<String> = ids.into_iter().map(ToString::to_string).collect();
    let found = format!("{beginning}, which several ids begin with: {}", shown.join(", "));
    Error::invalid("the query id", found, "more of its digits")
}
