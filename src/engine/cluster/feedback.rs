//! What users say of answers of an index on a cluster.

use super::Cluster;
use super::queue::FeedbackCounts;
use crate::engine::feedback::{ambiguous, unknown_document, unknown_query};
use crate::error::{Error, Result};
use crate::exchange::read_answer;
use crate::feedback::{Impression, Verdict};
use crate::ids::QueryId;
use crate::store::opensearch::Ubi;

impl Cluster {
    /// Records what was said of a document in the answer `query_id` of any process. Returns when it is durable: when
    /// the cluster has acknowledged it, on all copies that are there.
    ///
    /// The document need not have been among the hits: a user may know the right one.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a query that was not logged, or a document that is not in the index; [`Error::Cluster`]
    /// if the cluster can't be asked or refuses it.
    pub fn judge(&self, query_id: QueryId, document: &str, verdict: Verdict) -> Result<()> {
        let answer = self.logged(query_id)?;
        if !self.following.state().has_document(document)? {
            return Err(unknown_document(document));
        }
        self.feedback.judge(&answer, document, verdict)
    }

    /// The answered query, of any process, whose id begins with these hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Invalid`] for anything but 1 to 16 hexadecimal digits, and if several ids begin with them;
    /// [`Error::NotFound`] if none does.
    pub fn find_query(&self, beginning: &str) -> Result<Impression> {
        QueryId::beginning_with(beginning)?;
        if let Ok(id) = beginning.parse() {
            return self.logged(id);
        }
        self.feedback.flush();
        let found = self.feedback.records.beginning(beginning)?;
        let mut found: Vec<Impression> = found.iter().filter_map(read_answer).collect();
        match found.len() {
            0 => Err(unknown_query("query on the cluster whose id begins with", beginning)),
            1 => Ok(found.remove(0)),
            _ => Err(ambiguous(beginning, found.iter().take(3).map(|one| &one.query_id))),
        }
    }

    /// What became of the answers that this handle has logged.
    pub fn feedback_counts(&self) -> FeedbackCounts {
        self.feedback.counts()
    }

    /// Writes out the answers that are queued, for 15 s at most. Dropping does the same, but can't tell an error. From
    /// then on no answer is logged.
    ///
    /// # Errors
    /// [`Error::Cluster`] if an answer was lost since the index was opened: it can't be judged.
    pub fn close(&self) -> Result<()> {
        let counts = self.feedback.close();
        match counts.dropped + counts.waiting {
            0 => Ok(()),
            lost => Err(Error::Cluster {
                doing: "log answers at",
                at: self.feedback.records.at(Ubi::Queries),
                found: format!("{lost} lost: {}", counts.last_error.unwrap_or_else(|| "a full queue".into())),
                remedy: "these can't be judged; see docs/scale.md on what is lost, and who may write feedback",
            }),
        }
    }

    /// The answer with this id. It may be in this process's queue.
    fn logged(&self, query_id: QueryId) -> Result<Impression> {
        let id = query_id.to_string();
        let records = &self.feedback.records;
        let mut found = records.find(&id)?;
        if found.is_none() {
            self.feedback.flush();
            found = records.find(&id)?;
        }
        let answer = found.as_ref().and_then(read_answer);
        answer.ok_or_else(|| unknown_query("query on the cluster with the id", query_id))
    }
}
