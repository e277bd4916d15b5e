//! Fits the fusion weight to past queries.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::method::Fusion;
use super::score::{Candidate, fuse};
use crate::ids::ChunkId;

/// A past query: its candidates, and which of them are relevant.
#[derive(Debug, Clone)]
pub(crate) struct Judged {
    pub(crate) candidates: Vec<Candidate>,
    /// Document ids.
    pub(crate) relevant: BTreeSet<String>,
    /// The attainable lexical maximum: see [`fuse`].
    pub(crate) ceiling: f32,
}

/// The prior counts as much as this many queries.
const PRIOR_QUERIES: f64 = 20.0;

/// The grid of weights.
fn grid() -> impl Iterator<Item = f32> {
    (0..=20).map(|step| step as f32 / 20.0)
}

/// The past queries that prefer some weights to others.
struct Past<'a> {
    documents: &'a HashMap<ChunkId, String>,
    telling: Vec<Telling<'a>>,
}

/// A query with its quality under each weight of the grid.
struct Telling<'a> {
    query: &'a Judged,
    scores: Vec<f64>,
}

/// Returns the dense weight that ranks the judged queries best, or `None` if they have no preference. `documents` maps
/// candidates to documents.
///
/// The rule: every weight in steps of 0.05 is scored by the mean binary nDCG@10 over the queries, of documents ranked
/// by their best chunks, as users and the gate see them. Queries that score the same with all weights are ignored; `n`
/// is the number of the rest. Of the best weights, the one nearest to the default is shrunk towards the default as if
/// 20 more queries had asked for that: `default + (best − default) · n / (n + 20)`. If that scores no better than the
/// default, the default is the result.
pub(crate) fn learn_dense_weight(queries: &[&Judged], documents: &HashMap<ChunkId, String>) -> Option<f32> {
    let past = Past::of(queries, documents);
    (!past.telling.is_empty()).then(|| past.fit(&past.all(), Fusion::DEFAULT_DENSE_WEIGHT))
}

impl<'a> Past<'a> {
    fn of(queries: &[&'a Judged], documents: &'a HashMap<ChunkId, String>) -> Past<'a> {
        let scored = queries.iter().map(|&query| Telling {
            query,
            scores: grid().map(|weight| quality(query, documents, weight)).collect(),
        });
        let telling = scored.filter(|one| one.scores.iter().any(|score| *score != one.scores[0])).collect();
        Past { documents, telling }
    }

    fn all(&self) -> Vec<&Telling<'a>> {
        self.telling.iter().collect()
    }

    fn quality(&self, one: &Telling<'_>, weight: f32) -> f64 {
        quality(one.query, self.documents, weight)
    }

    /// The best weight for some of the queries, shrunk towards a prior; the prior itself if there are none.
    fn fit(&self, some: &[&Telling<'_>], prior: f32) -> f32 {
        let totals: Vec<f64> =
            (0..grid().count()).map(|column| some.iter().map(|one| one.scores[column]).sum()).collect();
        let top = totals.iter().copied().fold(f64::MIN, f64::max);
        let best = grid()
            .zip(&totals)
            .filter(|(_, total)| top - **total < 1e-9)
            .map(|(weight, _)| weight)
            .min_by(|a, b| (a - prior).abs().total_cmp(&(b - prior).abs()))
            .unwrap_or(prior);
        let count = some.len() as f64;
        let learned = prior + (best - prior) * (count / (count + PRIOR_QUERIES)) as f32;
        let score = |weight: f32| some.iter().map(|one| self.quality(one, weight)).sum::<f64>();
        if score(learned) > score(prior) { learned } else { prior }
    }
}

/// nDCG@10 of one query, with binary relevance.
fn quality(query: &Judged, documents: &HashMap<ChunkId, String>, dense_weight: f32) -> f64 {
    let discount = |index: usize| 1.0 / (index as f64 + 2.0).log2();
    let ranked = fuse(&Fusion::Convex { dense_weight }, query.ceiling, &query.candidates);
    let mut seen = HashSet::new();
    let gain: f64 = ranked
        .iter()
        .filter_map(|hit| documents.get(&hit.id))
        .filter(|document| seen.insert(*document))
        .take(10)
        .enumerate()
        .filter(|(_, document)| query.relevant.contains(*document))
        .map(|(index, _)| discount(index))
        .sum();
    // A query without an answer is no evidence.
    let ideal: f64 = (0..query.relevant.len().clamp(1, 10)).map(discount).sum();
    gain / ideal
}

#[cfg(test)]
mod tests;
