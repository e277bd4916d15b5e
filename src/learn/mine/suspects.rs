//! Candidates that may be unjudged answers, by a limit from the corpus's own scores.

use crate::error::Result;
use crate::ids::ChunkId;
use crate::learn::progress::Tracker;
use crate::learn::report::SuspectReport;
use crate::learn::stage::LearnStage;
use crate::negatives::{JudgedQuery, PassedOver, SuspectLimit};
use crate::search::Snapshot;

/// How many nearest passages of a query to measure.
const NEAREST: usize = 20;

impl From<SuspectLimit> for SuspectReport {
    fn from(limit: SuspectLimit) -> SuspectReport {
        SuspectReport { limit: limit.difference, candidates: limit.candidates }
    }
}

/// The quantile, over all queries, of how far candidates are above their query's farthest positive.
pub(super) fn limit(
    queries: &[JudgedQuery],
    quantile: f32,
    snapshot: &Snapshot,
    tracker: &mut Tracker<'_>,
) -> Result<Option<SuspectLimit>> {
    let mut found = Vec::new();
    for query in queries {
        tracker.report(LearnStage::Collect, 0, queries.len())?;
        found.extend(differences(query, snapshot)?);
    }
    Ok(SuspectLimit::of(found, quantile))
}

/// The cosines of a query's passed-over and nearest passages, minus the cosine of its farthest positive.
fn differences(query: &JudgedQuery, snapshot: &Snapshot) -> Result<Vec<f32>> {
    let dense = &snapshot.pinned.dense;
    let near = dense.search(&query.vector, NEAREST, None)?;
    let mut ids: Vec<ChunkId> = near.into_iter().map(|(chunk, _)| chunk).collect();
    ids.extend(query.passed_over.iter().map(|one| one.passage.chunk));
    ids.sort_unstable();
    ids.dedup();
    let mut differences = Vec::with_capacity(ids.len());
    for (chunk, cosine) in ids.iter().zip(dense.score(&query.vector, &ids)?) {
        let (Some(cosine), Some(record)) = (cosine, snapshot.lexical.get(*chunk)?) else { continue };
        if !query.positives.iter().any(|positive| positive.document == record.document) {
            differences.push(cosine - query.farthest);
        }
    }
    Ok(differences)
}

/// The query without passages that are suspected answers. Passages that a user called not relevant stay.
pub(super) fn without_suspects(
    query: &JudgedQuery,
    limit: SuspectLimit,
    snapshot: &Snapshot,
) -> Result<JudgedQuery> {
    let ids: Vec<ChunkId> = query.passed_over.iter().map(|one| one.passage.chunk).collect();
    let scores = snapshot.pinned.dense.score(&query.vector, &ids)?;
    let is_suspect = |score: Option<f32>| score.is_some_and(|score| limit.suspects(score, query.farthest));
    let kept = query.passed_over.iter().zip(scores);
    let kept = kept.filter(|(one, score)| one.judged_not_relevant || !is_suspect(*score));
    let passed_over: Vec<PassedOver> = kept.map(|(one, _)| one.clone()).collect();
    Ok(JudgedQuery { passed_over, ..query.clone() })
}
