//! How an engine ranks documents for a query.

use std::ops::ControlFlow;

use super::progress::{Progress, tell};
use super::searches::Searches;
use crate::error::Result;
use crate::eval::{Query as Topic, Run};
use crate::{Fusion, Mode, Query};

/// Search settings for a ranking.
#[derive(Clone, Copy)]
pub(super) struct Ranking {
    pub(super) mode: Mode,
    /// The hybrid's fusion. Default: the generation's own.
    pub(super) fusion: Option<Fusion>,
    /// Number of candidates from each side.
    pub(super) depth: usize,
    /// Number of documents to return, if fewer.
    pub(super) limit: Option<usize>,
    /// Whether to drop the document whose id equals the query's.
    pub(super) without_own: bool,
}

impl Ranking {
    pub(super) fn new(mode: Mode, depth: usize) -> Ranking {
        Ranking { mode, fusion: None, depth, limit: None, without_own: false }
    }

    /// Ranks the documents for a query, with their scores, without those that the query excludes.
    pub(super) fn of(&self, index: &impl Searches, topic: &Topic) -> Result<Vec<(String, f32)>> {
        let more = usize::from(self.without_own) + topic.excluded.len();
        let limit = self.limit.unwrap_or(self.depth).min(self.depth);
        let mut query =
            Query::new(topic.text.as_str()).with_limit(limit + more).with_candidates(self.depth + more);
        query.fusion = self.fusion;
        let query =
            query.with_mode(self.mode).without_logging().without_trial().without_highlights().with_copies();
        let hits = index.search(&query)?.hits.into_iter();
        let counts = |document: &String| {
            (!self.without_own || *document != topic.id) && !topic.excluded.contains(document)
        };
        let hits = hits.filter(|hit| counts(&hit.document)).take(limit);
        Ok(hits.map(|hit| (hit.document, hit.score)).collect())
    }

    /// Makes the run over all queries.
    pub(super) fn run(
        &self,
        index: &impl Searches,
        topics: &[Topic],
        progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Run> {
        let mut run = Run::new();
        for (done, topic) in topics.iter().enumerate() {
            tell(progress, Progress::Ranking { mode: self.mode, done, total: topics.len() })?;
            run.insert(&topic.id, self.of(index, topic)?)?;
        }
        Ok(run)
    }
}
