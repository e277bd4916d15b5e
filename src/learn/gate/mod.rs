//! The gate: does something new answer better than the serving generation?
//!
//! Both rank the held-out queries over the whole corpus, and the guard: queries that the engine already answers well.
//! When in doubt the serving generation stays, because fine-tuning often makes things worse.

mod alpha;
mod clusters;
mod cross_fit;
mod decide;
mod guard;
mod not_worse;
mod pool;
mod rank;
mod reach;
mod resample;
mod score;

use std::collections::HashSet;

pub(super) use alpha::{AlphaBudget, of_trial};
pub(super) use rank::{Ranked, rank_topics};
pub(super) use score::{QueryScores, figures};

use super::options::LearnOptions;
use super::progress::Tracker;
use super::queries::{QueryChange, QueryChanges};
use super::report::{GuardScores, Ruling};
use super::stage::LearnStage;
use super::tier::Tier;
use super::topic::Topic;
use crate::encoder::TrainableEncoder;
use crate::error::Result;
use crate::fusion::Fusion;
use crate::lexical::LexicalSnapshot;
use crate::search::Snapshot;
use clusters::groups_by_answer;
use cross_fit::{CrossFit, halves};
use decide::{Evidence, GuardPart, decide, largest_loss};
use guard::{Guarded, guard};
use not_worse::{LEAST_CLUSTERS, not_worse};
use pool::{Pool, score_ranked};
use reach::{Prospect, out_of_reach};
use resample::intervals;
use score::{ScoredQuery, mean, score};

/// The gate of a round, which judges its proposals.
pub(super) struct Gate<'a> {
    options: &'a LearnOptions,
    /// Rounds that were rejected since the last publication.
    attempts: usize,
    /// Whether what is rejected may go on trial.
    trial: bool,
    held_out: Vec<Topic>,
    /// The cluster of each held-out query. Queries that share an answer are in one cluster and count as one in the
    /// test: a gain for one of them is a gain for the others.
    clusters: Vec<usize>,
    /// The half of each held-out query, for cross-fitting. Clusters are not split.
    halves: Vec<usize>,
    guard: Guarded<Topic>,
}

/// The scores of each query.
#[derive(Clone)]
pub(super) struct Scores {
    pub(super) held_out: Vec<ScoredQuery>,
    pub(super) guard: Guarded<QueryScores>,
}

/// The gate's ruling, and its effect on the held-out queries.
pub(super) struct Verdict {
    pub(super) ruling: Ruling,
    pub(super) queries: QueryChanges,
}

/// The baseline that a trained encoder has to beat on a pool.
#[derive(Clone, Copy)]
pub(super) struct PoolBase<'a> {
    pub(super) serving: &'a Snapshot,
    /// The best so far, and its fusion.
    pub(super) best: &'a Snapshot,
    pub(super) fusion: Fusion,
}

/// A fusion, and its scores.
pub(super) struct Compared {
    pub(super) fusion: Fusion,
    pub(super) scores: Scores,
}

impl<'a> Gate<'a> {
    pub(super) fn new(
        held_out: Vec<Topic>,
        lexical: &LexicalSnapshot,
        options: &'a LearnOptions,
        attempts: usize,
        trial: bool,
    ) -> Result<Gate<'a>> {
        let clusters = groups_by_answer(held_out.iter().map(|topic| topic.relevant.keys()));
        let (halves, guard) = (halves(&clusters), guard(lexical, &options.golden)?);
        Ok(Gate { options, attempts, trial, held_out, clusters, halves, guard })
    }

    /// The queries that it judges by: held out, golden, titles. Nothing may be trained on them.
    pub(super) fn queries(&self) -> impl Iterator<Item = &str> {
        self.held_out.iter().chain(self.guard.iter()).map(|topic| topic.text.as_str())
    }

    /// Why nothing could pass against these scores, and what is needed. `None` if something could, if the options
    /// require no significance, and if users may decide. `share` is the part of the attempt's alpha that the test may
    /// spend.
    pub(super) fn out_of_reach(&self, before: &Scores, share: f64) -> Result<Option<String>> {
        let groups: HashSet<usize> = self.clusters.iter().copied().collect();
        let may_be_tried = self.trial && groups.len() >= LEAST_CLUSTERS;
        let Some(budget) = self.options.significance.filter(|_| !may_be_tried) else { return Ok(None) };
        let prospect = Prospect {
            held_out: &self.held_out,
            before: &figures(&before.held_out),
            clusters: &self.clusters,
            attempts: self.attempts,
            share,
        };
        out_of_reach(&prospect, budget)
    }

    /// The scores of the held-out queries and of the guard.
    pub(super) fn score(
        &self,
        snapshot: &Snapshot,
        fusion: Fusion,
        stage: LearnStage,
        tracker: &mut Tracker<'_>,
    ) -> Result<Scores> {
        Ok(Scores {
            held_out: score(snapshot, fusion, &self.held_out, stage, tracker)?,
            guard: self.score_guard(snapshot, fusion, stage, tracker)?,
        })
    }

    fn score_guard(
        &self,
        snapshot: &Snapshot,
        fusion: Fusion,
        stage: LearnStage,
        tracker: &mut Tracker<'_>,
    ) -> Result<Guarded<QueryScores>> {
        Ok(Guarded {
            golden: figures(&score(snapshot, fusion, &self.guard.golden, stage, tracker)?),
            titles: figures(&score(snapshot, fusion, &self.guard.titles, stage, tracker)?),
        })
    }

    /// Scores a snapshot whose fusion the held-out queries choose themselves, or `base` if they have no preference.
    /// Each half of them is scored with the choice of the other half, so that the choice does not flatter the score.
    pub(super) fn cross_fit(
        &self,
        after: &Snapshot,
        base: Fusion,
        tracker: &mut Tracker<'_>,
    ) -> Result<Compared> {
        let ranked = rank_topics(after, &self.held_out, LearnStage::Gate, tracker)?;
        let fit = self.fit(&ranked, base);
        let mut held_out = score(after, fit.of_half(0), &self.held_out, LearnStage::Gate, tracker)?;
        if fit.of_half(0) != fit.of_half(1) {
            let second = score(after, fit.of_half(1), &self.held_out, LearnStage::Gate, tracker)?;
            for (query, scores) in second.into_iter().enumerate() {
                if self.halves[query] == 1 {
                    held_out[query] = scores;
                }
            }
        }
        let guard = self.score_guard(after, fit.all, LearnStage::Gate, tracker)?;
        Ok(Compared { fusion: fit.all, scores: Scores { held_out, guard } })
    }

    fn fit(&self, ranked: &Ranked, base: Fusion) -> CrossFit {
        match self.options.tries(Tier::Fusion) {
            true => CrossFit::of(ranked, &self.halves, base),
            false => CrossFit::fixed(base),
        }
    }

    /// The verdict on a trained encoder over a pool of the corpus: a bad round ends here, before the reindex. `None` if
    /// the corpus is too small for a pool to save much.
    pub(super) fn rule_on_pool(
        &self,
        trained: &mut TrainableEncoder,
        before: PoolBase<'_>,
        share: f64,
        tracker: &mut Tracker<'_>,
    ) -> Result<Option<Verdict>> {
        let PoolBase { serving, best, fusion } = before;
        let seed = self.options.train.seed;
        let Some(pool) = Pool::gather(serving, &self.held_out, &self.guard, seed, tracker)? else {
            return Ok(None);
        };
        let topics: Vec<Topic> = self.held_out.iter().chain(self.guard.iter()).cloned().collect();
        let old = pool.serving(best, &topics, tracker)?;
        let new = pool.trained(serving, &topics, trained, tracker)?;
        let fit = self.fit(&new, fusion);
        let score = |ranked: &Ranked, place: usize, fusion| {
            score_ranked(ranked, &ranked.queries[place], &topics[place], fusion)
        };
        let held_out = self.held_out.len();
        let guard = |ranked| self.guard.map(|place, _| score(ranked, held_out + place, fusion).scores);
        let before = Scores {
            held_out: (0..held_out).map(|place| score(&old, place, fusion)).collect(),
            guard: guard(&old),
        };
        let after = (0..held_out).map(|place| score(&new, place, fit.of_half(self.halves[place])));
        let after = Scores { held_out: after.collect(), guard: guard(&new) };
        let mut verdict = self.rule(&before, &after, share)?;
        verdict.ruling.reason = format!("on a pool of {} chunks, {}", pool.len(), verdict.ruling.reason);
        Ok(Some(verdict))
    }

    /// The verdict on two sets of scores. `share` is the part of the attempt's alpha that this test may spend.
    pub(super) fn rule(&self, before: &Scores, after: &Scores, share: f64) -> Result<Verdict> {
        let means = |before: &[QueryScores], after: &[QueryScores]| {
            (!before.is_empty()).then(|| GuardScores {
                queries: before.len(),
                before: mean(before).hybrid.ndcg_10,
                after: mean(after).hybrid.ndcg_10,
                intervals: Some(intervals(before, after).hybrid.ndcg_10),
            })
        };
        let golden = means(&before.guard.golden, &after.guard.golden);
        let titles = means(&before.guard.titles, &after.guard.titles);
        let forgiven = largest_loss(&before.guard.titles, &after.guard.titles);
        let golden_part =
            golden.map(|scores| GuardPart { name: "the golden queries'", scores, forgiven: 0.0 });
        let titles_part = titles.map(|scores| GuardPart { name: "the titles'", scores, forgiven });
        let guard: Vec<GuardPart> = golden_part.into_iter().chain(titles_part).collect();
        let evidence = Evidence {
            before: &figures(&before.held_out),
            after: &figures(&after.held_out),
            clusters: &self.clusters,
            guard: &guard,
            attempts: self.attempts,
            trial: self.trial,
            share,
        };
        let ruling = decide(&evidence, self.options.significance)?;
        let may_be_tried = self.trial && guard.iter().all(GuardPart::holds);
        let not_worse = may_be_tried
            .then(|| not_worse(&self.held_out, evidence.before, evidence.after, &self.clusters))
            .transpose()?
            .flatten();
        let ruling = Ruling { golden, guard: titles, not_worse, ..ruling };
        Ok(Verdict { ruling, queries: self.changes(before, after) })
    }

    fn changes(&self, before: &Scores, after: &Scores) -> QueryChanges {
        let both = before.held_out.iter().zip(&after.held_out);
        QueryChanges::of(self.held_out.iter().zip(both).map(|(topic, (before, after))| QueryChange {
            query: topic.text.clone(),
            before: before.ranking.clone(),
            after: after.ranking.clone(),
        }))
    }
}
