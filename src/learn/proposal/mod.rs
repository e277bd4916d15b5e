//! The tiers of a round, from the cheapest. Each proposal has to beat the best so far, and the best of all is built.

mod attempt;
mod budget;
mod encoder;
mod fusion;
mod plan;
mod query_side;
mod train;

use super::gate::{AlphaBudget, Compared, Scores, Verdict, figures, of_trial};
use super::progress::Tracker;
use super::queries::QueryChanges;
use super::report::{Decision, RoundReport, Ruling, TierReport};
use super::stage::LearnStage;
use super::tier::Tier;
use super::training_report::TrainingReport;
use crate::error::Result;
use crate::fusion::Fusion;
use crate::generation::Building;
use crate::search::Snapshot;
pub(super) use attempt::Materials;
use attempt::{Attempt, Incumbent, Proposal, Proposed};
use fusion::NO_OTHER_WEIGHT;
pub(super) use plan::plan;

/// The best way to answer that is known so far. At first, the serving generation.
struct Best {
    /// The snapshot that a search would see.
    snapshot: Snapshot,
    fusion: Fusion,
    scores: Scores,
    accepted: Option<Accepted>,
    /// The last trained proposal that is not proved better, but not worse either.
    not_worse: Option<NotProved>,
}

/// A proposal that passed the gate.
struct Accepted {
    tier: Tier,
    verdict: Verdict,
    proposal: Box<dyn Proposal>,
}

/// A proposal for users to decide on.
struct NotProved {
    tier: Tier,
    fusion: Fusion,
    p_value: f64,
    proposal: Box<dyn Proposal>,
}

/// A built generation for users to decide on.
pub(crate) struct OnTrial {
    pub(crate) tier: Tier,
    pub(crate) building: Building,
    /// The significance level of its trial.
    pub(crate) alpha: f64,
    /// Of its nDCG@10 on the held-out queries.
    pub(crate) p_value: f64,
}

/// The outcome of each tier.
#[derive(Default)]
struct Record {
    tried: Vec<TierReport>,
    /// The effect of the last judged tier on the held-out queries.
    queries: Option<QueryChanges>,
    /// The training of the tier accepted last, or else of the one trained last.
    training: Option<TrainingReport>,
    /// Why tiers had nothing to judge.
    nothing: Vec<&'static str>,
}

/// The result of a round.
pub(super) struct Outcome {
    ruling: Ruling,
    queries: Option<QueryChanges>,
    tried: Vec<TierReport>,
    training: Option<TrainingReport>,
    accepted: Option<(Tier, Building)>,
    on_trial: Option<OnTrial>,
}

impl Outcome {
    pub(super) fn skipped(reason: String) -> Outcome {
        let ruling = Ruling::skipped(reason);
        Outcome { ruling, queries: None, tried: Vec::new(), training: None, accepted: None, on_trial: None }
    }

    /// Fills in a report, and returns the generation to publish and the one for a trial.
    pub(super) fn publish_in(self, report: &mut RoundReport) -> (Option<Building>, Option<OnTrial>) {
        let steps = self.training.iter().flat_map(|training| &training.steps);
        report.loss = steps.map(|step| step.loss).collect();
        (report.gate, report.queries) = (self.ruling, self.queries);
        (report.tried, report.training) = (self.tried, self.training);
        let accepted = self.accepted.map(|(tier, building)| {
            (report.tier, report.fusion) = (Some(tier), building.fusion());
            building
        });
        (accepted, self.on_trial)
    }
}

/// Tries the tiers in order, with the query encoder in place of the encoder where a reindex is above its budget, and
/// builds the generation to publish. `before` are the figures of the serving generation.
pub(super) fn try_tiers(
    materials: Materials<'_>,
    tiers: &[Tier],
    before: Scores,
    tracker: &mut Tracker<'_>,
) -> Result<Outcome> {
    let budget::Affordable { tiers, left_out } =
        tracker.during(LearnStage::Collect, |_| budget::affordable(materials.input, tiers))?;
    let serving = materials.input.snapshot;
    let fusion = serving.pinned.generation.meta.fusion;
    let mut best =
        Best { snapshot: serving.clone(), fusion, scores: before, accepted: None, not_worse: None };
    let (mut record, mut alpha) = (Record::default(), AlphaBudget::of(&tiers));
    for tier in tiers {
        let share = alpha.share();
        if tier.is_trained()
            && let Some(reason) = materials.gate.out_of_reach(&best.scores, share)?
        {
            record.tried.push(TierReport { tier, gate: Ruling::skipped(reason) });
            // The check looks at the held-out queries, so the share is spent.
            alpha.advance(true);
            continue;
        }
        let attempt = match (tier, materials.mined) {
            (Tier::Fusion, _) => fusion::attempt(materials, tracker)?,
            (Tier::QuerySide, Some(set)) => query_side::attempt(materials, set, tracker)?,
            (Tier::Encoder, Some(set)) => {
                let incumbent = Incumbent { snapshot: &best.snapshot, fusion: best.fusion };
                encoder::attempt(materials, set, incumbent, share, tracker)?
            }
            (_, None) => Attempt::Nothing("there is nothing to train on"),
        };
        let rejected = match attempt {
            Attempt::Nothing(reason) => {
                record.nothing.push(reason);
                false
            }
            Attempt::Rejected { verdict, training } => {
                let Verdict { ruling, queries } = *verdict;
                record.keep(training, &best, false);
                record.tried.push(TierReport { tier, gate: ruling });
                record.queries = Some(queries);
                true
            }
            Attempt::Proposed(proposed) => tracker.during(LearnStage::Gate, |tracker| {
                best.challenge(materials, tier, proposed, share, &mut record, tracker)
            })?,
        };
        alpha.advance(rejected);
    }
    let mut outcome = finish(materials, best, record, tracker)?;
    outcome.tried.splice(..0, left_out);
    Ok(outcome)
}

/// Builds what was accepted.
fn finish(
    materials: Materials<'_>,
    best: Best,
    record: Record,
    tracker: &mut Tracker<'_>,
) -> Result<Outcome> {
    let Record { tried, queries, training, nothing } = record;
    // A tier that was not run does not decide, unless no tier was run.
    let decided = tried.iter().rev().find(|tier| tier.gate.decision != Decision::Skipped);
    let Some(last) = decided.or(tried.last()) else {
        let reason = plan::nothing_tried(materials.input.options, materials.topics.len(), nothing);
        return Ok(Outcome::skipped(reason));
    };
    let on_trial = best.not_worse.map(|one| one.build(materials, tracker)).transpose()?;
    let Some(Accepted { tier, verdict, proposal }) = best.accepted else {
        let ruling = last.gate.clone();
        let ruling = if on_trial.is_some() { ruling.on_trial() } else { ruling };
        return Ok(Outcome { ruling, queries, tried, training, accepted: None, on_trial });
    };
    let building = tracker.during(LearnStage::Reindex, |_| proposal.build(materials.input, best.fusion))?;
    let Verdict { ruling, queries } = verdict;
    let (queries, accepted) = (Some(queries), Some((tier, building)));
    Ok(Outcome { ruling, queries, tried, training, accepted, on_trial })
}

impl NotProved {
    fn build(self, materials: Materials<'_>, tracker: &mut Tracker<'_>) -> Result<OnTrial> {
        let NotProved { tier, fusion, p_value, proposal } = self;
        let input = materials.input;
        let building = tracker.during(LearnStage::Reindex, |_| proposal.build(input, fusion))?;
        // Without a budget, what is not worse is published at once.
        let alpha = of_trial(input.options.significance.unwrap_or(1.0), input.attempts);
        Ok(OnTrial { tier, building, alpha, p_value })
    }
}

impl Best {
    /// Has the gate judge a proposal against the best so far, and replaces that if the proposal passes. Returns whether
    /// the tier was rejected. A proposal that ranks all held-out queries as before is not rejected: chance can't let it
    /// pass.
    fn challenge(
        &mut self,
        materials: Materials<'_>,
        tier: Tier,
        proposed: Proposed,
        share: f64,
        record: &mut Record,
        tracker: &mut Tracker<'_>,
    ) -> Result<bool> {
        let Proposed { proposal, fusion, training } = proposed;
        let gate = materials.gate;
        let after = proposal.snapshot(materials.input.snapshot)?;
        let compared = match fusion {
            Some(fusion) => {
                Compared { fusion, scores: gate.score(&after, fusion, LearnStage::Gate, tracker)? }
            }
            None => gate.cross_fit(&after, self.fusion, tracker)?,
        };
        let alike = figures(&self.scores.held_out) == figures(&compared.scores.held_out);
        if fusion.is_some() && alike && materials.input.options.significance.is_some() {
            record.nothing.push("another fusion weight ranks the held-out queries alike");
            return Ok(false);
        }
        let mut verdict = gate.rule(&self.scores, &compared.scores, share)?;
        if tier == Tier::Fusion && compared.fusion == self.fusion {
            verdict.ruling = verdict.ruling.rejected(NO_OTHER_WEIGHT);
        }
        let accepted = verdict.ruling.decision == Decision::Published;
        if let Some(training) = training {
            record.keep(training, self, accepted);
        }
        record.tried.push(TierReport { tier, gate: verdict.ruling.clone() });
        record.queries = Some(verdict.queries.clone());
        if accepted {
            (self.snapshot, self.fusion, self.scores) = (after, compared.fusion, compared.scores);
            self.accepted = Some(Accepted { tier, verdict, proposal });
            self.not_worse = None;
        } else if let Some(not_worse) =
            verdict.ruling.not_worse.filter(|one| tier.is_trained() && one.passes())
        {
            let p_value = not_worse.p_value;
            self.not_worse = Some(NotProved { tier, fusion: compared.fusion, p_value, proposal });
        }
        Ok(!accepted)
    }
}

impl Record {
    /// Keeps the report of a training, unless another trained proposal was accepted before.
    fn keep(&mut self, report: TrainingReport, best: &Best, accepted: bool) {
        if accepted || best.accepted.as_ref().is_none_or(|accepted| accepted.tier == Tier::Fusion) {
            self.training = Some(report);
        }
    }
}
