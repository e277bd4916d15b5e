//! Semantic negatives: what the indexes find near to a query that does not answer it.
//!
//! The choice among candidates is that of `mine_hard_negatives` of sentence-transformers 6.2. Its margins keep away from
//! false negatives by the positive's own score (de Souza P. Moreira et al., "NV-Retriever", 2024: positive-aware mining).

use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::source::{NegativeKind, NegativeSource, Proposal, Sought};
use crate::dense::DenseView;
use crate::error::{Error, Result};
use crate::ids::ChunkId;
use crate::lexical::{ChunkRecord, LexicalSnapshot};

/// The indexes as a source: what either proposes for a query, ranked by the serving encoder.
pub(crate) struct Semantic<'a> {
    pub(crate) lexical: &'a LexicalSnapshot,
    pub(crate) dense: &'a DenseView,
    pub(crate) options: &'a SemanticOptions,
    pub(crate) random: ChaCha8Rng,
}

impl NegativeSource for Semantic<'_> {
    fn kind(&self) -> NegativeKind {
        NegativeKind::Semantic
    }

    fn propose(&mut self, sought: &Sought<'_>, most: usize) -> Result<Vec<Proposal>> {
        // Room for the passages of the positives, which are taken out again.
        let depth = self.options.depth(most) + 10 * sought.positives.len();
        let found = self.lexical.search(sought.query, depth, None)?;
        let near = self.dense.search(sought.vector, depth, None)?;
        let mut ids: Vec<ChunkId> = found.into_iter().chain(near).map(|(chunk, _)| chunk).collect();
        ids.sort_unstable();
        ids.dedup();
        let scores = self.dense.score(sought.vector, &ids)?;
        let mut ranked: Vec<(ChunkId, f32)> =
            ids.into_iter().zip(scores).filter_map(|(chunk, score)| Some((chunk, score?))).collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut candidates: Vec<(ChunkRecord, f32)> = Vec::new();
        for (chunk, score) in ranked {
            if let Some(record) = self.lexical.get(chunk)?.filter(|record| !sought.answers(record)) {
                candidates.push((record, score));
            }
        }
        let scores: Vec<f32> = candidates.iter().map(|(_, score)| *score).collect();
        let places = pick(&scores, sought.worst, most, self.options, &mut self.random);
        Ok(places.into_iter().map(|place| Proposal::passage(&candidates[place].0)).collect())
    }
}

/// Which candidates become semantic negatives. Scores are cosines of the serving encoder; ranks count what passes the
/// scores' limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SemanticOptions {
    /// The best so many are left out. Default 0.
    pub range_min: usize,
    /// Only the best so many are looked at. Default: 10 for each negative that is wanted, beyond `range_min`.
    pub range_max: Option<usize>,
    /// None scores higher. Default: no limit.
    pub max_score: Option<f32>,
    /// None scores lower. Default: no limit.
    pub min_score: Option<f32>,
    /// Each scores so much less than the query's worst positive at least. Default: no limit.
    pub absolute_margin: Option<f32>,
    /// Each scores less than the query's worst positive by this share of that score at least. Default 0.05.
    pub relative_margin: Option<f32>,
    /// Which of those are taken. Default the best.
    pub sampling: Sampling,
}

/// How negatives are taken from among those that would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// The best.
    #[default]
    Top,
    /// Any, each as likely as another.
    Random,
}

impl Default for SemanticOptions {
    fn default() -> Self {
        SemanticOptions {
            range_min: 0,
            range_max: None,
            max_score: None,
            min_score: None,
            absolute_margin: None,
            relative_margin: Some(0.05),
            sampling: Sampling::Top,
        }
    }
}

impl SemanticOptions {
    /// Sets [`range_min`](SemanticOptions::range_min) and [`range_max`](SemanticOptions::range_max).
    pub fn with_range(mut self, min: usize, max: Option<usize>) -> Self {
        (self.range_min, self.range_max) = (min, max);
        self
    }

    /// Sets [`min_score`](SemanticOptions::min_score) and [`max_score`](SemanticOptions::max_score).
    pub fn with_scores(mut self, min: Option<f32>, max: Option<f32>) -> Self {
        (self.min_score, self.max_score) = (min, max);
        self
    }

    /// Sets [`absolute_margin`](SemanticOptions::absolute_margin).
    pub fn with_absolute_margin(mut self, margin: Option<f32>) -> Self {
        self.absolute_margin = margin;
        self
    }

    /// Sets [`relative_margin`](SemanticOptions::relative_margin).
    pub fn with_relative_margin(mut self, margin: Option<f32>) -> Self {
        self.relative_margin = margin;
        self
    }

    /// Sets [`sampling`](SemanticOptions::sampling).
    pub fn with_sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// # Errors
    /// [`Error::Invalid`] for an empty range of ranks and for limits that are no numbers.
    pub fn validate(&self) -> Result<()> {
        if let Some(max) = self.range_max.filter(|max| *max <= self.range_min) {
            let range = format!("{} to {max}", self.range_min);
            return Err(Error::invalid(
                "the ranks of semantic negatives",
                range,
                "a range that is not empty",
            ));
        }
        let limits = [self.max_score, self.min_score, self.absolute_margin, self.relative_margin];
        match limits.into_iter().flatten().find(|limit| !limit.is_finite()) {
            Some(limit) => Err(Error::invalid("a limit of semantic negatives", limit, "a finite number")),
            None => Ok(()),
        }
    }

    /// How many candidates are looked at for so many negatives.
    pub(super) fn depth(&self, negatives: usize) -> usize {
        self.range_max.unwrap_or(self.range_min + 10 * negatives)
    }
}

/// Picks up to `most` of the candidates, given by their scores, best first, without the query's positives; `worst` is the
/// lowest score of a positive. Returns their places, best first, or in random order where they are drawn: of fewer that are wanted
/// each is as likely as another.
pub(super) fn pick(
    scores: &[f32],
    worst: f32,
    most: usize,
    options: &SemanticOptions,
    random: &mut ChaCha8Rng,
) -> Vec<usize> {
    let passes = |score: f32| {
        options.max_score.is_none_or(|max| score <= max)
            && options.min_score.is_none_or(|min| score >= min)
            && options.absolute_margin.is_none_or(|margin| score + margin <= worst)
            && options.relative_margin.is_none_or(|margin| score <= worst - worst.abs() * margin)
    };
    let ranked: Vec<usize> = (0..scores.len())
        .filter(|&place| passes(scores[place]))
        .take(options.depth(most))
        .skip(options.range_min)
        .collect();
    match options.sampling {
        Sampling::Top => ranked.into_iter().take(most).collect(),
        Sampling::Random => {
            sample(random, ranked.len(), most.min(ranked.len())).into_iter().map(|at| ranked[at]).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use rand::SeedableRng;

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
        columns: Vec<String>,
        #[serde(default)]
        rows: Vec<BTreeMap<String, serde_json::Value>>,
    }

    type Args = BTreeMap<String, String>;

    /// What is picked for an anchor of the golden file.
    fn picked(golden: &Golden, anchor: usize, args: &Args, random: &mut ChaCha8Rng) -> Vec<usize> {
        let number = |name: &str| args.get(name).map(|number| number.parse::<f32>().unwrap());
        let count = |name: &str| number(name).map(|number| number as usize);
        let of = |anchor: usize| {
            golden.pairs.iter().filter(move |pair| pair.anchor == anchor).map(|pair| pair.positive)
        };
        let positives: BTreeSet<usize> = of(anchor).collect();
        let most_positives = (0..6).map(|anchor| of(anchor).count()).max().unwrap();
        let (most, range_min) = (count("num_negatives").unwrap_or(3), count("range_min").unwrap_or(0));
        let limited =
            ["absolute_margin", "relative_margin", "max_score"].iter().any(|name| args.contains_key(*name));
        // Its default counts the positives too, and is narrower without limits.
        let range_max =
            count("range_max").unwrap_or(range_min + if limited { 10 } else { 1 } * most + most_positives);
        let options = SemanticOptions::default()
            .with_range(range_min, Some(range_max))
            .with_scores(number("min_score"), number("max_score"))
            .with_absolute_margin(number("absolute_margin"))
            .with_relative_margin(number("relative_margin"));
        let row = &golden.similarity_matrix[anchor];
        let mut candidates: Vec<usize> = (0..row.len()).filter(|text| !positives.contains(text)).collect();
        candidates.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        // It retrieves so many, positives included, before anything is filtered.
        let all = row.len().min(range_max + most_positives);
        let mut ranked: Vec<usize> = (0..row.len()).collect();
        ranked.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        candidates.retain(|text| ranked[..all].contains(text));
        let scores: Vec<f32> = candidates.iter().map(|&text| row[text]).collect();
        let worst = positives.iter().map(|&text| row[text]).fold(f32::INFINITY, f32::min);
        pick(&scores, worst, most, &options, random).into_iter().map(|place| candidates[place]).collect()
    }

    #[test]
    fn the_choice_is_that_of_mine_hard_negatives() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/mine_hard_negatives.json");
        let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let mut checked = 0;
        for (name, case) in &golden.cases {
            let triplets = case.columns.iter().any(|column| column == "negative")
                && case.args.get("output_format").is_none_or(|format| format == "triplet");
            if !triplets {
                continue;
            }
            checked += 1;
            for anchor in 0..6 {
                let number =
                    |row: &BTreeMap<String, serde_json::Value>, of: &str| row[of].as_u64().unwrap() as usize;
                let expected: BTreeSet<usize> = case
                    .rows
                    .iter()
                    .filter(|row| number(row, "anchor") == anchor)
                    .map(|row| number(row, "negative"))
                    .collect();
                let mut random = ChaCha8Rng::seed_from_u64(7);
                let found: BTreeSet<usize> =
                    picked(&golden, anchor, &case.args, &mut random).into_iter().collect();
                assert_eq!(found, expected, "{name}, anchor {anchor}");
            }
        }
        assert!(checked >= 8, "{checked} cases were checked");
    }

    #[test]
    fn a_random_choice_is_of_the_same_candidates_and_its_seeds_differ() {
        let scores: Vec<f32> = (0..50).map(|place| 0.9 - 0.01 * place as f32).collect();
        let options = SemanticOptions::default().with_sampling(Sampling::Random).with_range(2, Some(30));
        let choose = |seed| pick(&scores, 0.85, 5, &options, &mut ChaCha8Rng::seed_from_u64(seed));
        // Of those at most 0.8075, the first is place 10; two are left out, and 30 are looked at.
        let picked: BTreeSet<usize> = (0..200).flat_map(choose).collect();
        assert_eq!(picked, (12..40).collect());
        assert_eq!(choose(1).len(), 5);
        assert_ne!(choose(1), choose(2));
        // A row with room for one takes any of them.
        let first: BTreeSet<usize> = (0..300).map(|seed| choose(seed)[0]).collect();
        assert_eq!(first, (12..40).collect());
    }

    #[test]
    fn unusable_options_are_refused() {
        assert!(SemanticOptions::default().validate().is_ok());
        assert!(SemanticOptions::default().with_range(3, Some(3)).validate().is_err());
        assert!(SemanticOptions::default().with_relative_margin(Some(f32::NAN)).validate().is_err());
    }
}
