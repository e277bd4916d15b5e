//! The report of a round.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::evidence::LogEvidence;
use super::intervals::{ChangeIntervals, GateIntervals};
use super::old_reports::{all_known, known};
use super::queries::{Forgotten, QueryChanges};
use super::seconds::RoundSeconds;
use super::tier::Tier;
use super::training_report::TrainingReport;
use super::trial_report::TrialReport;
use crate::fusion::Fusion;
use crate::generation::GenerationMeta;
use crate::ids::GenerationId;
use crate::trial::Outcome;

/// The report of one round. Stored in `rounds/`, printed by `retune learn --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RoundReport {
    /// Number of the round in this index, from 1.
    pub round: u64,
    /// Whether it was a [dry run](crate::Engine::dry_run): nothing was changed, whatever
    /// [`decision`](Ruling::decision) says, and the generation that answered before answers after it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// When it read the log, in milliseconds since the Unix epoch. Later judgements belong to the next round. 0 in
    /// reports of older versions.
    #[serde(default)]
    pub started_ms: u64,
    /// Training rows, one for each pair of query and answer.
    pub examples: usize,
    /// Judged queries that were held out.
    pub held_out: usize,
    /// Hard negatives by source (`confusable`, `semantic`, `adversarial`), each text counted once for its query, and
    /// what was left out: `queries`, `pairs_without_negative`, `dropped_…`.
    pub sources: BTreeMap<String, u64>,
    /// The limit above which candidates were suspected answers. Absent if the fixed margin was used.
    #[serde(default)]
    pub suspects: Option<SuspectReport>,
    /// Loss of each step.
    pub loss: Vec<f32>,
    /// The training of what was published, else the last one. Absent if nothing was trained.
    #[serde(default)]
    pub training: Option<TrainingReport>,
    /// The tier that was published. After a trial, the one that users published.
    #[serde(default, deserialize_with = "known")]
    pub tier: Option<Tier>,
    /// The tiers that were tried, in order, each against the best before it. Empty in reports of older versions.
    #[serde(default, deserialize_with = "all_known")]
    pub tried: Vec<TierReport>,
    /// The fusion that answers after the round.
    #[serde(default)]
    pub fusion: Fusion,
    /// The comparison of the new generation with the old one, or with a cheaper tier that had passed. If several tiers
    /// failed, that of the last.
    pub gate: Ruling,
    /// The held-out queries won and lost in [`gate`](RoundReport::gate)'s comparison. `None` if nothing was
    /// compared, and in reports of older versions.
    #[serde(default, deserialize_with = "known")]
    pub queries: Option<QueryChanges>,
    /// What the log gave the round to learn from. Only dry runs have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<LogEvidence>,
    /// What users say of a generation that the round put on trial. Absent if it put none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<TrialReport>,
    /// The generation that answers after the round, or after its trial.
    pub generation: GenerationId,
    /// Seconds of each stage.
    pub seconds: RoundSeconds,
}

impl RoundReport {
    /// Whether picks decided what became of it, or still decide. While one thing was on trial, it may have published
    /// another one by the gate.
    pub fn is_by_picks(&self) -> bool {
        let is_published = self.gate.decision == Decision::Published;
        self.trial.as_ref().is_some_and(|trial| !is_published || trial.outcome == Some(Outcome::Better))
    }

    /// The report of a round that has just begun, while `serving` answers.
    pub(super) fn begin(round: u64, started_ms: u64, serving: &GenerationMeta) -> RoundReport {
        RoundReport {
            round,
            dry_run: false,
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
            evidence: None,
            trial: None,
            generation: serving.id,
            seconds: RoundSeconds::default(),
        }
    }

    /// The report of a round that tried nothing.
    pub(crate) fn skipped(
        round: u64,
        started_ms: u64,
        serving: &GenerationMeta,
        reason: String,
    ) -> RoundReport {
        RoundReport { gate: Ruling::skipped(reason), ..RoundReport::begin(round, started_ms, serving) }
    }

    /// Nothing that the round has made is used: users prefer the generation that was on trial already.
    pub(crate) fn give_way(&mut self, serving: &GenerationMeta) {
        let gate = &mut self.gate;
        if matches!(gate.decision, Decision::Published | Decision::OnTrial) {
            gate.decision = Decision::Rejected;
            gate.reason = format!("users prefer the generation that is on trial already; {}", gate.reason);
            (self.tier, self.fusion) = (None, serving.fusion);
        }
    }

    /// Removes what names something that is forgotten. Returns whether [`queries`](RoundReport::queries) did.
    pub(super) fn forget(&mut self, what: &Forgotten) -> bool {
        if let Some(evidence) = &mut self.evidence {
            evidence.forget(what);
        }
        self.queries.as_mut().is_some_and(|queries| queries.forget(what))
    }
}

/// The limit of suspected answers, from the corpus's own scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SuspectReport {
    /// Candidates were left out if their cosine, minus that of the query's farthest positive, was above this.
    pub limit: f32,
    /// The number of differences that it is a quantile of.
    pub candidates: usize,
}

/// The gate's ruling on one tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TierReport {
    /// The tier.
    pub tier: Tier,
    /// Its comparison with the best before it. `published` means that it became the best, though a later tier may have
    /// been better still. `skipped` means that it was not run: it could not
    /// have passed, or would have cost more than [`reindex_budget`](super::LearnOptions::reindex_budget).
    pub gate: Ruling,
}

/// The gate's figures and decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Ruling {
    /// The serving generation on the held-out queries. Absent if the round was skipped.
    pub before: Option<GateScores>,
    /// The new generation on the same queries. Absent if the round was skipped.
    pub after: Option<GateScores>,
    /// The intervals of [`before`](Ruling::before) and [`after`](Ruling::after). Absent in reports of older versions.
    #[serde(default)]
    pub intervals: Option<GateIntervals>,
    /// The decision.
    pub decision: Decision,
    /// The reason for it.
    pub reason: String,
    /// One-sided p-value of the paired test. Absent if there was none. It tests the logarithm of the hybrid's
    /// [`gmap_20`](RankingScores::gmap_20), and nDCG@10 in rounds from before that was measured.
    #[serde(default)]
    pub p_value: Option<f64>,
    /// The significance level for [`p_value`](Ruling::p_value).
    #[serde(default)]
    pub allowed: Option<f64>,
    /// The golden queries. Absent if there are none.
    #[serde(default)]
    pub golden: Option<GuardScores>,
    /// The titles of the guard. Absent if there are none.
    #[serde(default)]
    pub guard: Option<GuardScores>,
    /// Whether it may go on trial if it is rejected. Absent if trials are off, or the guard lost too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_worse: Option<NotWorse>,
}

impl Ruling {
    /// The same figures, rejected without a test.
    pub(super) fn rejected(self, reason: &str) -> Ruling {
        let decision = Decision::Rejected;
        Ruling { decision, reason: reason.into(), p_value: None, allowed: None, ..self }
    }

    /// A round or tier that was not judged.
    pub(super) fn skipped(reason: String) -> Ruling {
        Ruling {
            before: None,
            after: None,
            intervals: None,
            decision: Decision::Skipped,
            reason,
            p_value: None,
            allowed: None,
            golden: None,
            guard: None,
            not_worse: None,
        }
    }

    /// The same figures: users decide.
    pub(super) fn on_trial(self) -> Ruling {
        Ruling { decision: Decision::OnTrial, ..self }
    }
}

/// A test of non-inferiority in the hybrid's nDCG@10, over held-out queries that are weighted against position bias.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NotWorse {
    /// The mean change.
    pub change: f64,
    /// Its lower bound, one-sided at the level 0.05.
    pub least: f64,
    /// The least that the bound may be.
    pub allowed: f64,
    /// One-sided p-value of the change, which a trial begins with.
    pub p_value: f64,
}

impl NotWorse {
    /// Whether the generation may go on trial.
    pub fn passes(&self) -> bool {
        self.least > self.allowed
    }
}

/// nDCG@10 of the hybrid on a part of the guard.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuardScores {
    /// The number of queries.
    pub queries: usize,
    /// The serving generation.
    pub before: f64,
    /// The new generation.
    pub after: f64,
    /// Their 95 % confidence intervals. Absent in reports of older versions.
    #[serde(default)]
    pub intervals: Option<ChangeIntervals>,
}

/// Scores on the held-out queries, in both modes that use the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GateScores {
    /// The hybrid, which users get. It decides.
    pub hybrid: RankingScores,
    /// The vectors alone.
    pub dense: RankingScores,
}

/// Scores of one query, or means over several: 0 to 1, higher is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RankingScores {
    /// Mean reciprocal rank of the first relevant document among the first 10.
    #[serde(rename = "mrr@10")]
    pub mrr_10: f64,
    /// Normalised discounted cumulative gain of the first 10.
    #[serde(rename = "ndcg@10")]
    pub ndcg_10: f64,
    /// Average precision of the first 20. Its mean is geometric (GMAP: Robertson, "On GMAP – and other
    /// transformations", CIKM 2006). Without an answer among the first 20, it counts as if one were the last. Only
    /// reports from before it was measured have 0.
    #[serde(rename = "gmap@20", default)]
    pub gmap_20: f64,
}

/// The gate's decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decision {
    /// The new generation answers now.
    Published,
    /// It was not significantly better on the held-out queries. Nothing changed.
    Rejected,
    /// There was too little to learn from, or no proposal could have passed the gate. Nothing was trained.
    Skipped,
    /// It was not worse on the held-out queries, and users decide: see [`RoundReport::trial`].
    OnTrial,
}

impl Decision {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Decision::Published => "published",
            Decision::Rejected => "rejected",
            Decision::Skipped => "skipped",
            Decision::OnTrial => "on_trial",
        }
    }
}
