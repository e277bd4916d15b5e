//! What users say of answers.

use super::Engine;
use crate::error::{Error, Result};
use crate::feedback::{FeedbackLog, Judgement, Verdict};
use crate::ids::QueryId;
use crate::learn::Forgotten;

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

    /// Permanently removes a query: every impression with the same normalised text, its judgements, and the text in
    /// the reports of rounds. Returns how many records of the log were removed.
    pub fn forget_query(&self, text: &str) -> Result<usize> {
        let log = self.log("forget a query")?;
        self.inner.history.forget(Forgotten::Query(text.into()), || log.forget_query(text))
    }

    /// Permanently removes one answered query and its judgements from the log, and its text from the reports of
    /// rounds. Returns how many records of the log were removed.
    pub fn forget_query_id(&self, query_id: QueryId) -> Result<usize> {
        let log = self.log("forget a query")?;
        match log.find_impression(query_id)? {
            None => log.forget_query_id(query_id),
            Some(impression) => {
                let query = Forgotten::Query(impression.query);
                self.inner.history.forget(query, || log.forget_query_id(query_id))
            }
        }
    }

    /// Permanently removes a document from the hits of every impression, with its judgements, and the queries whose
    /// first documents include it from the reports of rounds. The document itself stays in the index: see
    /// [`remove`](Engine::remove). Returns how many records of the log changed.
    pub fn forget_document(&self, document: &str) -> Result<usize> {
        let log = self.log("forget a document")?;
        self.inner.history.forget(Forgotten::Document(document.into()), || log.forget_document(document))
    }

    pub(super) fn log(&self, doing: &'static str) -> Result<&FeedbackLog> {
        self.check_open(doing)?;
        self.inner
            .feedback
            .as_ref()
            .ok_or_else(|| Error::ReadOnly { doing, path: self.inner.layout.path.clone() })
    }
}
