//! Ranking metrics, as trec_eval defines them (measures `ndcg_cut`, `recip_rank`, `map`, `recall`, `P`, `success`,
//! `Rprec`, `bpref`, `gm_map`, `num_ret`, `num_rel`, `num_rel_ret`; version 9). ERR is gdeval's and RBP is cwl_eval's,
//! as in ir-measures.

use std::collections::BTreeMap;

/// A metric of one ranking, from 0 to 1, or a count. In text it is `ndcg@10`, `map`, `recall@100` and so on; the names
/// of trec_eval, ir-measures and MTEB are read too.
///
/// A document is relevant if its judgement is above 0. The number of relevant documents counts all judged documents of
/// the query, returned or not. A query without relevant documents scores 0, except for [`Metric::JudgedAt`],
/// [`Metric::Returned`], and [`Metric::Gmap`], whose least is 0.00001.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Metric {
    /// Normalised discounted cumulative gain of the first k. The gain is the judgement itself (not `2^judgement − 1`),
    /// the discount is `log2(rank + 1)` (Järvelin and Kekäläinen, 2002).
    NdcgAt(usize),
    /// [`Metric::NdcgAt`] over the whole ranking.
    Ndcg,
    /// Reciprocal rank: 1 / the rank of the first relevant document, 0 if there is none in the first k.
    MrrAt(usize),
    /// [`Metric::MrrAt`] over the whole ranking: trec_eval's `recip_rank`.
    Mrr,
    /// Average precision over the whole ranking: the mean of the precision at the ranks of *all* relevant documents, 0
    /// for those not returned.
    Map,
    /// Average precision of the first k, divided by the number of all relevant documents: trec_eval's `map_cut`.
    MapAt(usize),
    /// The share of the relevant documents that is in the first k.
    RecallAt(usize),
    /// The number of relevant documents in the first k, divided by k, even if fewer were returned.
    PrecisionAt(usize),
    /// 1 if a relevant document is in the first k, else 0.
    SuccessAt(usize),
    /// Precision at rank R, where R is the number of relevant documents.
    RPrecision,
    /// How rarely documents judged not relevant rank above relevant ones. Ignores documents without a judgement
    /// (Buckley and Voorhees, 2004).
    Bpref,
    /// The share of the first k documents, or of all if fewer were returned, that has a judgement. Low if a system
    /// finds documents that the judges never saw. 0 if nothing was returned.
    JudgedAt(usize),
    /// Expected reciprocal rank of the first k: readers stop at a document with a probability of `(2^judgement − 1) /
    /// 2^4` (Chapelle and others, 2009). As in gdeval, 4 is the highest judgement; higher ones count as 4.
    ErrAt(usize),
    /// [`Metric::ErrAt`] over the whole ranking.
    Err,
    /// Rank-biased precision: readers continue to the next document with this probability in percent, 1 to 99, and
    /// the value is the share of relevant documents among those read (Moffat and Zobel, 2008).
    Rbp(u8),
    /// [`Metric::Rbp`] of the first k: readers stop there.
    RbpAt(u8, usize),
    /// [`Metric::Map`], 0.00001 at least, with a geometric mean: trec_eval's `gm_map` (Robertson, 2006).
    Gmap,
    /// The number of documents returned. Summed, not averaged: trec_eval's `num_ret`.
    Returned,
    /// The number of relevant documents. Summed: trec_eval's `num_rel`.
    Relevant,
    /// The number of relevant documents returned. Summed: trec_eval's `num_rel_ret`.
    RelevantReturned,
}

/// What a metric's values for all queries come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Total {
    Mean,
    GeometricMean,
    Sum,
}

/// The least average precision of a query in a geometric mean: trec_eval's.
const LEAST: f64 = 0.00001;

impl Metric {
    /// The metrics that reports have unless told otherwise.
    pub const USUAL: [Metric; 12] = [
        Metric::NdcgAt(5),
        Metric::NdcgAt(10),
        Metric::NdcgAt(20),
        Metric::NdcgAt(100),
        Metric::MrrAt(10),
        Metric::MrrAt(100),
        Metric::Map,
        Metric::PrecisionAt(10),
        Metric::RecallAt(10),
        Metric::RecallAt(100),
        Metric::RecallAt(1000),
        Metric::JudgedAt(10),
    ];

    /// The value for one query, given its documents, best first, and its judgements.
    pub fn of<'a>(
        &self,
        ranking: impl IntoIterator<Item = &'a str>,
        judgements: &BTreeMap<String, i32>,
    ) -> f64 {
        let judged: Vec<Option<i32>> =
            ranking.into_iter().map(|document| judgements.get(document).copied()).collect();
        self.of_judged(&judged, judgements)
    }

    /// The number of documents of a ranking that the metric uses; `None` for all.
    pub fn depth(&self) -> Option<usize> {
        match *self {
            Metric::NdcgAt(k)
            | Metric::MrrAt(k)
            | Metric::MapAt(k)
            | Metric::RecallAt(k)
            | Metric::PrecisionAt(k)
            | Metric::SuccessAt(k)
            | Metric::JudgedAt(k)
            | Metric::ErrAt(k)
            | Metric::RbpAt(_, k) => Some(k),
            Metric::Ndcg
            | Metric::Mrr
            | Metric::Map
            | Metric::RPrecision
            | Metric::Bpref
            | Metric::Err
            | Metric::Rbp(_)
            | Metric::Gmap
            | Metric::Returned
            | Metric::Relevant
            | Metric::RelevantReturned => None,
        }
    }

    /// Whether the values are counts, which are summed over the queries.
    pub fn is_count(&self) -> bool {
        self.total() == Total::Sum
    }

    pub(super) fn total(&self) -> Total {
        match self {
            Metric::Gmap => Total::GeometricMean,
            Metric::Returned | Metric::Relevant | Metric::RelevantReturned => Total::Sum,
            _ => Total::Mean,
        }
    }

    /// As [`of`](Self::of), given the judgement at each rank. It may be lower than the document's own judgement, for
    /// example if another passage of the document is relevant.
    pub(super) fn of_judged(&self, judged: &[Option<i32>], judgements: &BTreeMap<String, i32>) -> f64 {
        let gains: Vec<i32> = judged.iter().map(|judgement| judgement.unwrap_or(0).max(0)).collect();
        let relevant = judgements.values().filter(|&&judgement| judgement > 0).count();
        if relevant == 0 && !matches!(self, Metric::JudgedAt(_) | Metric::Returned | Metric::Gmap) {
            return 0.0;
        }
        let found = |k: usize| gains.iter().take(k).filter(|&&gain| gain > 0).count() as f64;
        let value = match *self {
            Metric::NdcgAt(k) => ndcg(&gains, judgements, k),
            Metric::Ndcg => ndcg(&gains, judgements, usize::MAX),
            Metric::MrrAt(k) => reciprocal_rank(&gains, k),
            Metric::Mrr => reciprocal_rank(&gains, usize::MAX),
            Metric::Map => average_precision(&gains, relevant, usize::MAX),
            Metric::MapAt(k) => average_precision(&gains, relevant, k),
            Metric::RecallAt(k) => found(k) / relevant as f64,
            Metric::PrecisionAt(k) => found(k) / k as f64,
            Metric::SuccessAt(k) => f64::from(found(k) > 0.0),
            Metric::RPrecision => found(relevant) / relevant as f64,
            Metric::Bpref => bpref(judged, judgements, relevant),
            Metric::JudgedAt(k) => judged_share(&judged[..judged.len().min(k)]),
            Metric::ErrAt(k) => expected_reciprocal_rank(&gains, k),
            Metric::Err => expected_reciprocal_rank(&gains, usize::MAX),
            Metric::Rbp(percent) => rank_biased_precision(&gains, f64::from(percent) / 100.0),
            Metric::RbpAt(percent, k) => {
                rank_biased_precision(&gains[..gains.len().min(k)], f64::from(percent) / 100.0)
            }
            Metric::Gmap => average_precision(&gains, relevant.max(1), usize::MAX).max(LEAST),
            Metric::Returned => judged.len() as f64,
            Metric::Relevant => relevant as f64,
            Metric::RelevantReturned => found(usize::MAX),
        };
        // An empty sum is −0.
        value + 0.0
    }
}

fn dcg(gains: impl Iterator<Item = i32>) -> f64 {
    gains.enumerate().map(|(index, gain)| f64::from(gain) / (index as f64 + 2.0).log2()).sum()
}

fn ndcg(gains: &[i32], judgements: &BTreeMap<String, i32>, k: usize) -> f64 {
    let mut ideal: Vec<i32> = judgements.values().copied().filter(|&judgement| judgement > 0).collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    dcg(gains.iter().copied().take(k)) / dcg(ideal.into_iter().take(k))
}

fn reciprocal_rank(gains: &[i32], k: usize) -> f64 {
    gains.iter().take(k).position(|&gain| gain > 0).map_or(0.0, |index| 1.0 / (index as f64 + 1.0))
}

fn average_precision(gains: &[i32], relevant: usize, k: usize) -> f64 {
    let ranks = gains.iter().take(k).enumerate().filter(|(_, gain)| **gain > 0).map(|(index, _)| index);
    let precisions = ranks.enumerate().map(|(found, index)| (found as f64 + 1.0) / (index as f64 + 1.0));
    precisions.sum::<f64>() / relevant as f64
}

fn judged_share(judged: &[Option<i32>]) -> f64 {
    judged.iter().flatten().count() as f64 / judged.len().max(1) as f64
}

fn bpref(judged: &[Option<i32>], judgements: &BTreeMap<String, i32>, relevant: usize) -> f64 {
    let bound = relevant.min(judgements.len() - relevant) as f64;
    let (mut above, mut sum) = (0, 0.0);
    for judgement in judged.iter().flatten() {
        if *judgement <= 0 {
            above += 1;
        } else if above == 0 {
            sum += 1.0;
        } else {
            sum += 1.0 - above.min(relevant) as f64 / bound;
        }
    }
    sum / relevant as f64
}

fn expected_reciprocal_rank(gains: &[i32], k: usize) -> f64 {
    const HIGHEST: i32 = 4;
    let (mut value, mut reached) = (0.0, 1.0);
    for (index, &gain) in gains.iter().take(k).enumerate() {
        let stops = (f64::from(gain.min(HIGHEST)).exp2() - 1.0) / f64::from(HIGHEST).exp2();
        value += reached * stops / (index as f64 + 1.0);
        reached *= 1.0 - stops;
    }
    value
}

fn rank_biased_precision(gains: &[i32], persistence: f64) -> f64 {
    let (mut value, mut reached) = (0.0, 1.0 - persistence);
    for &gain in gains {
        value += if gain > 0 { reached } else { 0.0 };
        reached *= persistence;
    }
    value
}
