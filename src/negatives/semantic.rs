//! Semantic negatives: passages near a query that do not answer it.
//!
//! Candidates are chosen as in `mine_hard_negatives` of sentence-transformers 6.2. Its margins avoid false negatives by
//! comparing with the positive's own score (positive-aware mining: de Souza P. Moreira et al., "NV-Retriever", 2024).

use super::judged::JudgedQuery;
use super::proposal::Proposal;
use crate::dense::DenseView;
use crate::error::Result;
use crate::ids::ChunkId;
use crate::lexical::{ChunkRecord, LexicalSnapshot};

/// Candidates requested from each index per negative wanted.
const CANDIDATES: usize = 10;

/// How far a negative's cosine must be below that of the query's farthest positive: nearer passages are too often
/// unjudged answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Margin {
    /// A share of the positive's cosine.
    Relative(f32),
    /// An absolute difference.
    Absolute(f32),
}

impl Default for Margin {
    fn default() -> Self {
        Margin::Relative(0.05)
    }
}

impl Margin {
    fn allows(self, score: f32, farthest: f32) -> bool {
        match self {
            Margin::Relative(share) => score <= farthest - farthest.abs() * share,
            Margin::Absolute(margin) => score + margin <= farthest,
        }
    }
}

/// Returns up to `most` passages for a query, nearest first: the candidates of both indexes, ranked by the serving
/// encoder.
pub(super) fn propose(
    lexical: &LexicalSnapshot,
    dense: &DenseView,
    margin: Margin,
    query: &JudgedQuery,
    most: usize,
) -> Result<Vec<Proposal>> {
    // Extra candidates, because passages of positives are removed.
    let depth = CANDIDATES * most + 10 * query.positives.len();
    let found = lexical.search(&query.text, depth, None)?;
    let near = dense.search(&query.vector, depth, None)?;
    let mut ids: Vec<ChunkId> = found.into_iter().chain(near).map(|(chunk, _)| chunk).collect();
    ids.sort_unstable();
    ids.dedup();
    let scores = dense.score(&query.vector, &ids)?;
    let mut ranked: Vec<(ChunkId, f32)> =
        ids.into_iter().zip(scores).filter_map(|(chunk, score)| Some((chunk, score?))).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut candidates: Vec<(ChunkRecord, f32)> = Vec::new();
    for (chunk, score) in ranked {
        if let Some(record) = lexical.get(chunk)?.filter(|record| !query.may_be_answered_by(record)) {
            candidates.push((record, score));
        }
    }
    let scores: Vec<f32> = candidates.iter().map(|(_, score)| *score).collect();
    let places = pick(&scores, query.farthest, most, margin);
    Ok(places.into_iter().map(|place| Proposal::passage(&candidates[place].0)).collect())
}

/// Picks up to `most` candidates, given by their scores, best first, without the query's positives. Returns their
/// indices, best first.
pub(super) fn pick(scores: &[f32], farthest: f32, most: usize, margin: Margin) -> Vec<usize> {
    (0..scores.len()).filter(|&place| margin.allows(scores[place], farthest)).take(most).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        similarity_matrix: Vec<Vec<f32>>,
        pairs: Vec<Pair>,
        cases: BTreeMap<String, Case>,
    }

    #[derive(Deserialize)]
    struct Pair {
        anchor: usize,
        positive: usize,
    }

    #[derive(Deserialize)]
    struct Case {
        args: Args,
        /// Absent where it is an error.
        #[serde(default)]
        rows: Vec<BTreeMap<String, serde_json::Value>>,
    }

    type Args = BTreeMap<String, String>;

    /// The picks for an anchor of the golden file.
    fn picked(golden: &Golden, anchor: usize, most: usize, margin: Margin) -> BTreeSet<usize> {
        let of = |anchor: usize| {
            golden.pairs.iter().filter(move |pair| pair.anchor == anchor).map(|pair| pair.positive)
        };
        let positives: BTreeSet<usize> = of(anchor).collect();
        let most_positives = (0..6).map(|anchor| of(anchor).count()).max().unwrap();
        let row = &golden.similarity_matrix[anchor];
        let mut ranked: Vec<usize> = (0..row.len()).collect();
        ranked.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        // It retrieves this many, positives included, before filtering.
        ranked.truncate(CANDIDATES * most + 2 * most_positives);
        let candidates: Vec<usize> = ranked.into_iter().filter(|text| !positives.contains(text)).collect();
        let scores: Vec<f32> = candidates.iter().map(|&text| row[text]).collect();
        let farthest = positives.iter().map(|&text| row[text]).fold(f32::INFINITY, f32::min);
        pick(&scores, farthest, most, margin).into_iter().map(|place| candidates[place]).collect()
    }

    #[test]
    fn the_choice_is_that_of_mine_hard_negatives() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/mine_hard_negatives.json");
        let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for (name, margin) in [
            ("relative_margin_0.05", Margin::Relative(0.05)),
            ("absolute_margin_0.03", Margin::Absolute(0.03)),
            ("absolute_margin_0", Margin::Absolute(0.0)),
            ("default_top3", Margin::Absolute(-2.0)),
        ] {
            let case = &golden.cases[name];
            let most = case.args.get("num_negatives").map_or(3, |number| number.parse().unwrap());
            for anchor in 0..6 {
                let number =
                    |row: &BTreeMap<String, serde_json::Value>, of: &str| row[of].as_u64().unwrap() as usize;
                let rows = case.rows.iter().filter(|row| number(row, "anchor") == anchor);
                let expected: BTreeSet<usize> = rows.map(|row| number(row, "negative")).collect();
                assert_eq!(picked(&golden, anchor, most, margin), expected, "{name}, anchor {anchor}");
            }
        }
    }
}
