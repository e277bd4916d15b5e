//! What a round did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::old_reports::{all_known, known};
use super::queries::QueryChanges;
use super::tier::Tier;
use crate::fusion::Fusion;
use crate::generation::GenerationMeta;
use crate::ids::GenerationId;
use crate::train::{Displaced, Masked, MonitorReport, NegativeScope, StepReport, TrainOptions, TrainReport};

/// The figures of one round; kept in `rounds/`, printed by `retune learn --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoundReport {
    /// Number of the round in this index, from 1.
    pub round: u64,
    /// When it read the log, in milliseconds since the Unix epoch: later judgements are the next round's. 0 in reports
    /// of older versions.
    #[serde(default)]
    pub started_ms: u64,
    /// Training rows: one for each (query, positive document).
    pub examples: usize,
    /// Judged queries that were held out.
    pub held_out: usize,
    /// Where negatives came from (`confusable`, `semantic`, `adversarial`: texts, before each stands in the rows of its
    /// query) and what was left out: `queries`, `pairs_without_negative`, `dropped_…`.
    pub sources: BTreeMap<String, u64>,
    /// The limit above which candidates were suspected of being answers; absent where the fixed margin counted.
    #[serde(default)]
    pub suspects: Option<SuspectReport>,
    /// Loss of each step.
    pub loss: Vec<f32>,
    /// How it was trained: of several, what was published, else the last. Absent where nothing was.
    #[serde(default)]
    pub training: Option<TrainingReport>,
    /// What was published.
    #[serde(default, deserialize_with = "known")]
    pub tier: Option<Tier>,
    /// What was tried, in that order, each against the best before it. Empty in reports of older versions.
    #[serde(default, deserialize_with = "all_known")]
    pub tried: Vec<TierReport>,
    /// The fusion that answers after the round.
    #[serde(default)]
    pub fusion: Fusion,
    /// How the new generation compared with the old, or with a cheaper tier that was better already; of several that
    /// failed, the last.
    pub gate: Ruling,
    /// Which held-out queries were won and lost by [`gate`](RoundReport::gate)'s comparison. `None` if nothing was
    /// compared, and in reports of older versions.
    #[serde(default, deserialize_with = "known")]
    pub queries: Option<QueryChanges>,
    /// The generation that answers after the round.
    pub generation: GenerationId,
    /// Where the time went.
    pub seconds: RoundSeconds,
}

impl RoundReport {
    /// Of a round that has just begun, while `serving` answers.
    pub(super) fn begin(round: u64, started_ms: u64, serving: &GenerationMeta) -> RoundReport {
        RoundReport {
            round,
            started_ms,
            examples: 0,
            held_out: 0,
            sources: BTreeMap::new(),
            suspects: None,
            loss: Vec::new(),
            training: None,
            tier: None,
            tried: Vec::new(),
            fusion: serving.fusion,
            gate: Ruling::skipped(String::new()),
            queries: None,
            generation: serving.id,
            seconds: RoundSeconds::default(),
        }
    }
}

/// What the corpus's own scores say of candidates that nobody has judged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SuspectReport {
    /// Candidates whose cosine, less that of the query's farthest positive, is above this were left out.
    pub limit: f32,
    /// How many such differences it is a quantile of.
    pub candidates: usize,
}

/// How the encoder of a round was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainingReport {
    /// Whom hard negatives were shown to.
    pub scope: NegativeScope,
    /// Why.
    pub scope_reason: String,
    /// Candidates that were hidden from anchors.
    pub masked: Masked,
    /// The steps with their gradient norms and learning rates.
    pub steps: Vec<StepReport>,
    /// The number of steps that a checkpoint had done already; absent where the round was not interrupted.
    #[serde(default)]
    pub resumed_at: Option<usize>,
    /// Whether the time limit left steps out.
    #[serde(default)]
    pub stopped_by_time: bool,
    /// How far hard negatives were moved towards their anchors; absent where they were not.
    #[serde(default, deserialize_with = "known")]
    pub gradient_negatives: Option<f32>,
    /// What became of them; absent where none were displaced.
    #[serde(default)]
    pub displaced: Option<Displaced>,
    /// The hard negatives before training and after each epoch; absent where they were not measured, or there were
    /// none.
    #[serde(default)]
    pub monitor: Option<MonitorReport>,
}

impl TrainingReport {
    pub(super) fn of(trained: TrainReport, options: &TrainOptions) -> TrainingReport {
        TrainingReport {
            scope: trained.scope.scope,
            scope_reason: trained.scope.reason,
            masked: trained.masked,
            steps: trained.steps,
            resumed_at: trained.resumed_at,
            stopped_by_time: trained.stopped_by_time,
            gradient_negatives: options.gradient_negatives,
            displaced: trained.displaced,
            monitor: trained.monitor,
        }
    }
}

/// What the gate said of one tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TierReport {
    /// What was tried.
    pub tier: Tier,
    /// How it compared with the best before it. `published` means that it became the best; a later tier may have been
    /// better still. `skipped` means that it could not have passed, so it was not run.
    pub gate: Ruling,
}

/// What the gate found, and its decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ruling {
    /// The serving generation on the held-out queries; absent when the round was skipped.
    pub before: Option<GateScores>,
    /// The new generation on the same queries; absent when the round was skipped.
    pub after: Option<GateScores>,
    /// What became of the new generation.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// One-sided p-value of the paired test; absent where there was none. The test is of the
    /// logarithm of [`gmap_20`](RankingScores::gmap_20) in the hybrid; of nDCG@10 in rounds before that was measured.
    #[serde(default)]
    pub p_value: Option<f64>,
    /// The significance level that [`p_value`](Ruling::p_value) was held to.
    #[serde(default)]
    pub allowed: Option<f64>,
    /// Of the golden queries; absent without any.
    #[serde(default)]
    pub golden: Option<GuardScores>,
    /// Of the guard's titles; absent without any.
    #[serde(default)]
    pub guard: Option<GuardScores>,
}

impl Ruling {
    /// The same figures, rejected without a test.
    pub(super) fn rejected(self, reason: &str) -> Ruling {
        let decision = Decision::Rejected;
        Ruling { decision, reason: reason.into(), p_value: None, allowed: None, ..self }
    }

    /// Of a round that had too little to judge.
    pub(super) fn skipped(reason: String) -> Ruling {
        Ruling {
            before: None,
            after: None,
            decision: Decision::Skipped,
            reason,
            p_value: None,
            allowed: None,
            golden: None,
            guard: None,
        }
    }
}

/// nDCG@10 of the hybrid on a part of the guard.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuardScores {
    /// How many there are.
    pub queries: usize,
    /// Of the serving generation.
    pub before: f64,
    /// Of the new one.
    pub after: f64,
}

/// Held-out scores in both modes that use the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GateScores {
    /// What users get; decides.
    pub hybrid: RankingScores,
    /// The encoder alone.
    pub dense: RankingScores,
}

/// Of one query, or means over several: 0 to 1, higher is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RankingScores {
    /// Mean reciprocal rank of the first relevant document among the first 10.
    #[serde(rename = "mrr@10")]
    pub mrr_10: f64,
    /// Normalised discounted cumulative gain of the first 10.
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: f64,
    /// Average precision of the first 20, of which the mean is geometric (GMAP: Robertson, "On GMAP – and other
    /// transformations", CIKM 2006). Where no answer is among them, it counts as if one were the last. 0 in reports of
    /// rounds before it was measured, and never else.
    #[serde(rename = "gmap@20", default)]
    pub gmap_20: f64,
}

/// What became of the new generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It answers now.
    Published,
    /// It was not significantly better on the held-out queries; everything is as it was.
    Rejected,
    /// There was too little to learn from, or no proposal could have passed the gate. Nothing was trained.
    Skipped,
}

impl Decision {
    /// The name as it stands in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Decision::Published => "published",
            Decision::Rejected => "rejected",
            Decision::Skipped => "skipped",
        }
    }
}

/// Seconds that each stage took, pauses included. Of a round that went on from a checkpoint, since then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoundSeconds {
    /// Reading the log, making examples, learning the fusion weight.
    pub collect: f64,
    /// Training.
    pub train: f64,
    /// Encoding all chunks with the new encoder.
    pub reindex: f64,
    /// Comparing old and new.
    pub gate: f64,
    /// Encoding what was added meanwhile and swapping.
    pub publish: f64,
    /// The whole round.
    pub total: f64,
}

impl RoundSeconds {
    pub(super) fn of(&mut self, stage: LearnStage) -> &mut f64 {
        match stage {
            LearnStage::Collect => &mut self.collect,
            LearnStage::Train => &mut self.train,
            LearnStage::Reindex => &mut self.reindex,
            LearnStage::Gate => &mut self.gate,
            LearnStage::Publish => &mut self.publish,
        }
    }
}

/// The stages of a round, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LearnStage {
    /// Reading the log, making examples, then learning the fusion weight; each counted in judged queries.
    Collect,
    /// Training; counted in batches. What is measured beside it is not counted.
    Train,
    /// Encoding all chunks with the new encoder; counted in chunks.
    Reindex,
    /// Comparing old and new, first on a pool and then on the whole corpus; counted in searches.
    Gate,
    /// Encoding what was added meanwhile and swapping; counted in chunks.
    Publish,
}

/// How far a round is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct LearnProgress {
    /// The stage it is in.
    pub stage: LearnStage,
    /// Units of the stage that are done.
    pub done: usize,
    /// Units of the stage in all.
    pub total: usize,
    /// The last batch's loss, while training.
    pub loss: Option<f32>,
}
