//! What the corpus shows of its negatives before any is taken.

use crate::error::Result;
use crate::ids::ChunkId;
use crate::lexical::ChunkRecord;
use crate::negatives::SuspectLimit;
use crate::search::Snapshot;

/// Nearest passages of a query that are looked at.
const NEAREST: usize = 20;

/// What is known of a query when its negatives are weighed against its answers.
pub(super) struct Asked<'a> {
    pub(super) vector: &'a [f32],
    pub(super) positives: &'a [ChunkRecord],
    /// The lowest cosine of a positive.
    pub(super) worst: f32,
    pub(super) passed_over: &'a [ChunkId],
}

/// The cosines of a query's passed-over and nearest passages, less that of its worst positive.
pub(super) fn differences(asked: &Asked<'_>, snapshot: &Snapshot) -> Result<Vec<f32>> {
    let dense = &snapshot.pinned.dense;
    let near = dense.search(asked.vector, NEAREST, None)?;
    let mut ids: Vec<ChunkId> = near.into_iter().map(|(chunk, _)| chunk).collect();
    ids.extend(asked.passed_over);
    ids.sort_unstable();
    ids.dedup();
    let mut differences = Vec::with_capacity(ids.len());
    for (chunk, cosine) in ids.iter().zip(dense.score(asked.vector, &ids)?) {
        let (Some(cosine), Some(record)) = (cosine, snapshot.lexical.get(*chunk)?) else { continue };
        if !asked.positives.iter().any(|positive| positive.document == record.document) {
            differences.push(cosine - asked.worst);
        }
    }
    Ok(differences)
}

/// The passages that may be negatives, and how many are suspected to be answers. What a user called not relevant is
/// no suspect.
pub(super) fn without_suspects(
    passages: Vec<(ChunkRecord, bool)>,
    (vector, worst): (&[f32], f32),
    limit: Option<SuspectLimit>,
    snapshot: &Snapshot,
) -> Result<(Vec<ChunkRecord>, usize)> {
    let before = passages.len();
    let ids: Vec<ChunkId> = passages.iter().map(|(passage, _)| passage.chunk).collect();
    let scores = match limit {
        Some(_) => snapshot.pinned.dense.score(vector, &ids)?,
        None => vec![None; before],
    };
    let suspect = |score: Option<f32>| match (limit, score) {
        (Some(limit), Some(score)) => limit.suspects(score, worst),
        _ => false,
    };
    let kept = passages.into_iter().zip(scores).filter(|((_, said), score)| *said || !suspect(*score));
    let kept: Vec<ChunkRecord> = kept.map(|((passage, _), _)| passage).collect();
    let suspects = before - kept.len();
    Ok((kept, suspects))
}
