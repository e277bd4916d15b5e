//! What users say of answers.

use super::Engine;
use crate::error::{Error, Result};
use crate::feedback::{FeedbackLog, Judgement, Verdict};
use crate::ids::QueryId;

impl Engine {
    /// Records what was said of a document in the answer `query_id`. Returns when it is durable.
    ///
    /// The document need not have been among the hits: a user may know the right one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a query that is not in the log or a document that is not in the index;
    /// [`Error::ReadOnly`] on a read-only handle.
    pub fn judge(&self, query_id: QueryId, document: &str, verdict: Verdict) -> Result<()> {
        let log = self.log("judge")?;
        if log.find_impression(query_id)?.is_none() {
            return Err(Error::NotFound {
                what: "query in the feedback log with the id",
                id: query_id.to_string(),
                remedy: "use the query_id that the search returned; forgotten and unlogged queries can't be judged",
            });
        }
        if self.inner.snapshot.load().lexical.document_digest(document)?.is_none() {
            return Err(Error::NotFound {
                what: "document",
                id: format!("{document:?}"),
                remedy: "use a document id as the search returned it",
            });
        }
        let judgement =
            Judgement { query_id, time_ms: crate::clock::now_ms(), document: document.to_string(), verdict };
        log.append_judgement(judgement)?;
        self.count_judgement();
        Ok(())
    }

    /// Removes a query from the log for good: every impression of the same normalised text, and what was said of them.
    /// Returns how many records of the log went.
    pub fn forget_query(&self, text: &str) -> Result<usize> {
        self.log("forget a query")?.forget_query(text)
    }

    /// Removes one answered query from the log for good. Returns how many records went.
    pub fn forget_query_id(&self, query_id: QueryId) -> Result<usize> {
        self.log("forget a query")?.forget_query_id(query_id)
    }

    /// Removes a document from the log for good: from the hits of every impression, and what was said of it. The
    /// document itself stays in the index: see [`remove`](Engine::remove). Returns how many records of the log changed.
    pub fn forget_document(&self, document: &str) -> Result<usize> {
        self.log("forget a document")?.forget_document(document)
    }

    pub(super) fn log(&self, doing: &'static str) -> Result<&FeedbackLog> {
        self.check_open(doing)?;
        self.inner
            .feedback
            .as_ref()
            .ok_or_else(|| Error::ReadOnly { doing, path: self.inner.layout.path.clone() })
    }
}
