//! What a round tries, the cheapest first. Each must beat the best so far, and the best of all is built whole.

use std::collections::VecDeque;

use super::adapter_tier::fit_to_queries;
use super::nudge_tier::nudge;
use super::query_tier::train_query_side;
use super::report::{Decision, Gate, RoundReport, Tier, TierReport, TrainingReport};
use super::round::{Compared, Course, Progress, Scores, skipped, timed};
use crate::error::Result;
use crate::fusion::Fusion;
use crate::generation::{Building, Candidate};
use crate::search::Snapshot;

/// The best way to answer that a round knows: at first what serves.
pub(super) struct Best {
    /// What a search sees of it.
    pub(super) snapshot: Snapshot,
    pub(super) fusion: Fusion,
    /// Once they were needed.
    pub(super) scores: Option<Scores>,
    found: Option<Found>,
}

/// What the gate let through.
struct Found {
    tier: Tier,
    what: What,
}

enum What {
    /// The serving generation with the best fusion.
    Fusion,
    /// The same with another way to encode queries.
    Queries(Box<Candidate>),
    /// Vectors of its own, by another encoder or moved.
    Built(Box<Building>),
}

/// What a round came to.
pub(super) struct Outcome {
    pub(super) gate: Gate,
    pub(super) tried: Vec<TierReport>,
    pub(super) training: Option<TrainingReport>,
    pub(super) accepted: Option<(Tier, Building)>,
}

impl Outcome {
    pub(super) fn skipped(reason: String) -> Outcome {
        Outcome { gate: skipped(reason), tried: Vec::new(), training: None, accepted: None }
    }

    /// Puts what a round came to into its report.
    pub(super) fn tell(self, report: &mut RoundReport) -> Option<Building> {
        let Outcome { gate, tried, training, accepted } = self;
        report.loss = training.iter().flat_map(|training| &training.steps).map(|step| step.loss).collect();
        (report.gate, report.tried, report.training) = (gate, tried, training);
        let (tier, building) = accepted?;
        (report.tier, report.fusion) = (Some(tier), building.fusion());
        Some(building)
    }
}

/// What the gate said of each tier.
#[derive(Default)]
struct Tried {
    tiers: Vec<TierReport>,
    /// Of the tier that was accepted last, or else of the one that was trained last.
    training: Option<TrainingReport>,
    /// What the tiers say that came to nothing that could be judged.
    nothing: Vec<&'static str>,
}

impl Tried {
    /// Keeps how something was trained, unless something better that was trained is to be published.
    fn tell(&mut self, report: TrainingReport, gate: &Gate, best: &Best) {
        let accepted = gate.decision == Decision::Published;
        if accepted || best.found.as_ref().is_none_or(|found| found.tier == Tier::Fusion) {
            self.training = Some(report);
        }
    }
}

/// What luck is allowed in an attempt, divided among the tiers that are still to be tried: those that are rejected spend
/// it, so that no more than the whole is spent. One that is let through leaves its part to those after it (the fallback
/// procedure: Wiens and Dmitrienko, J. Biopharm. Stat. 15, 2005): up to the first that is let through wrongly, only rejected ones
/// were luck's chances. One that has found nothing to be tested leaves its part too: it has not looked at the held-out queries, or
/// ranks them as before, which luck can't let through.
struct Allowance {
    left: f64,
    /// Of the next tier first.
    weights: VecDeque<f64>,
}

impl Allowance {
    fn of(tiers: &[Tier]) -> Allowance {
        Allowance { left: 1.0, weights: tiers.iter().map(|&tier| weight(tier)).collect() }
    }

    /// The part of the next tier.
    fn share(&self) -> f64 {
        self.weights.front().map_or(0.0, |next| self.left * next / self.weights.iter().sum::<f64>())
    }

    /// Goes on to the tier after it.
    fn leave(&mut self, rejected: bool) {
        if rejected {
            self.left -= self.share();
        }
        self.weights.pop_front();
    }
}

/// What a tier may spend beside others. An encoder gains several times what another fusion weight
/// does (docs/learning.md), so that its chance is worth more.
fn weight(tier: Tier) -> f64 {
    if tier == Tier::Encoder { 3.0 } else { 1.0 }
}

impl Course<'_> {
    /// Tries the tiers that the options ask for, and builds the generation that is to be published.
    pub(super) fn go(&mut self, progress: &mut Progress<'_>) -> Result<Outcome> {
        let serving = self.input.snapshot;
        let fusion = serving.pinned.generation.meta.fusion;
        let mut best = Best { snapshot: serving.clone(), fusion, scores: None, found: None };
        let mut tried = Tried::default();
        let planned = self.planned();
        let mut allowance = Allowance::of(&planned);
        for tier in planned {
            self.share = allowance.share();
            let before = tried.tiers.len();
            match tier {
                Tier::Fusion => self.try_fusion(&mut best, &mut tried, progress)?,
                Tier::Adapter => self.try_adapter(&mut best, &mut tried, progress)?,
                Tier::Nudge => self.try_nudge(&mut best, &mut tried, progress)?,
                Tier::QuerySide => self.try_query_side(&mut best, &mut tried, progress)?,
                Tier::Encoder => self.try_encoder(&mut best, &mut tried, progress)?,
            }
            let accepted = best.found.as_ref().is_some_and(|found| found.tier == tier);
            allowance.leave(tried.tiers.len() > before && !accepted);
        }
        let Tried { tiers, training, nothing } = tried;
        let Some(last) = tiers.last() else { return Ok(Outcome::skipped(self.nothing_tried(nothing))) };
        let Some(Found { tier, what }) = best.found else {
            return Ok(Outcome { gate: last.gate.clone(), tried: tiers, training, accepted: None });
        };
        let accepted = tiers.iter().rfind(|one| one.tier == tier).unwrap_or(last).gate.clone();
        let Course { input, seconds, .. } = self;
        let sibling = |candidate| {
            Building::sibling(input.root, &input.snapshot.pinned, best.fusion, candidate, input.dense)
        };
        let building = timed(&mut seconds.reindex, || match what {
            What::Fusion => sibling(None),
            What::Queries(candidate) => sibling(Some(*candidate)),
            What::Built(building) => Ok((*building).with_fusion(best.fusion)),
        })?;
        Ok(Outcome { gate: accepted, tried: tiers, training, accepted: Some((tier, building)) })
    }

    /// What the options ask for and there are queries enough for, in its order. Where the held-out queries alone can choose a
    /// fusion, an encoder is judged with the one that they choose: to ask them twice would cost it a part of its allowance.
    fn planned(&self) -> Vec<Tier> {
        let options = self.input.options;
        let serving = &self.input.snapshot.pinned.generation.meta;
        let enough = self.collected.trained.len() >= options.min_queries;
        let with_encoder = enough && options.learns(Tier::Encoder);
        let fusion_alone =
            matches!(serving.fusion, Fusion::Rrf { .. }) || !serving.has_learnt() || !with_encoder;
        Tier::ALL
            .into_iter()
            .filter(|&tier| options.learns(tier) && if tier == Tier::Fusion { fusion_alone } else { enough })
            .collect()
    }

    /// Why there was nothing for the gate to judge.
    fn nothing_tried(&self, mut reasons: Vec<&'static str>) -> String {
        let (train, needed) = (self.collected.trained.len(), self.input.options.min_queries);
        if self.input.options.trains() && train < needed {
            let reasons = reasons.join(", ");
            return format!(
                "{train} judged queries to train on, {needed} are needed, and {reasons}: search and judge more"
            );
        }
        if reasons.is_empty() {
            reasons.push("the options ask for no tier");
        }
        reasons.join(", ")
    }

    fn try_fusion(&mut self, best: &mut Best, tried: &mut Tried, progress: &mut Progress<'_>) -> Result<()> {
        const NO_OTHER: &str = "no other fusion weight is better";
        if matches!(best.fusion, Fusion::Rrf { .. }) {
            tried.nothing.push("the fusion has no weight");
            return Ok(());
        }
        if self.input.snapshot.pinned.generation.meta.has_learnt() {
            // It was trained on the queries that would tell, and ranks them too well: the held-out ones have to.
            let serving = best.snapshot.clone();
            let mut compared = self.compare(&serving, best, progress)?;
            if compared.fusion == best.fusion {
                let gate = &mut compared.gate;
                (gate.decision, gate.reason) = (Decision::Rejected, NO_OTHER.into());
                (gate.p_value, gate.allowed) = (None, None);
            }
            best.take(Tier::Fusion, compared, None, tried, || What::Fusion);
            return Ok(());
        }
        let learnt = self.learn_fusion(progress)?;
        if learnt == best.fusion {
            tried.nothing.push(NO_OTHER);
            return Ok(());
        }
        let before = self.score(&best.snapshot, best.fusion, progress)?;
        let after = self.score(&best.snapshot, learnt, progress)?;
        let gate = self.rule(&before, &after)?;
        let alike = before.held_out == after.held_out;
        best.scores = Some(before);
        if alike && self.input.options.gate.significance.is_some() {
            tried.nothing.push("another fusion weight ranks the held-out queries alike");
            return Ok(());
        }
        let compared = Compared { gate, fusion: learnt, scores: after };
        best.take(Tier::Fusion, compared, None, tried, || What::Fusion);
        Ok(())
    }

    fn try_adapter(&mut self, best: &mut Best, tried: &mut Tried, progress: &mut Progress<'_>) -> Result<()> {
        match fit_to_queries(self, progress)? {
            Some(fitted) => self.try_queries(Tier::Adapter, fitted, best, tried, progress),
            None => {
                tried.nothing.push("no adapter answers queries better that it was not fitted to");
                Ok(())
            }
        }
    }

    fn try_nudge(&mut self, best: &mut Best, tried: &mut Tried, progress: &mut Progress<'_>) -> Result<()> {
        let Some((building, report)) = nudge(self, progress)? else {
            tried
                .nothing
                .push("no passages whose vectors move answer queries better that they were not moved by");
            return Ok(());
        };
        self.nudge = Some(report);
        let lexical = &self.input.snapshot.lexical;
        let after = Snapshot { lexical: lexical.clone(), pinned: building.pin(lexical)? };
        let compared = self.compare(&after, best, progress)?;
        best.take(Tier::Nudge, compared, Some(after), tried, || What::Built(Box::new(building)));
        Ok(())
    }

    fn try_query_side(
        &mut self,
        best: &mut Best,
        tried: &mut Tried,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let trained = train_query_side(self, progress)?;
        self.try_queries(Tier::QuerySide, trained, best, tried, progress)
    }

    /// Judges another way to encode queries.
    fn try_queries(
        &mut self,
        tier: Tier,
        (candidate, report): (Candidate, TrainingReport),
        best: &mut Best,
        tried: &mut Tried,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let serving = self.input.snapshot;
        let after = Snapshot { lexical: serving.lexical.clone(), pinned: candidate.pin(&serving.pinned) };
        let compared = self.compare(&after, best, progress)?;
        tried.tell(report, &compared.gate, best);
        best.take(tier, compared, Some(after), tried, || What::Queries(Box::new(candidate)));
        Ok(())
    }

    fn try_encoder(&mut self, best: &mut Best, tried: &mut Tried, progress: &mut Progress<'_>) -> Result<()> {
        let (report, judged) = self.encoder(best, progress)?;
        match judged {
            Err(gate) => {
                tried.tell(report, &gate, best);
                tried.tiers.push(TierReport { tier: Tier::Encoder, gate });
            }
            Ok((building, compared)) => {
                tried.tell(report, &compared.gate, best);
                best.take(Tier::Encoder, compared, None, tried, || What::Built(Box::new(building)));
            }
        }
        Ok(())
    }
}

impl Best {
    /// Notes what the gate said, and takes what it let through.
    fn take(
        &mut self,
        tier: Tier,
        compared: Compared,
        snapshot: Option<Snapshot>,
        tried: &mut Tried,
        what: impl FnOnce() -> What,
    ) {
        let Compared { gate, fusion, scores } = compared;
        if gate.decision == Decision::Published {
            self.found = Some(Found { tier, what: what() });
            self.snapshot = snapshot.unwrap_or_else(|| self.snapshot.clone());
            (self.fusion, self.scores) = (fusion, Some(scores));
        }
        tried.tiers.push(TierReport { tier, gate });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_encoder_has_the_largest_share_and_what_is_not_rejected_leaves_its_part() {
        let shares = |tried: &[(Tier, bool)]| -> Vec<f64> {
            let tiers: Vec<Tier> = tried.iter().map(|&(tier, _)| tier).collect();
            let mut allowance = Allowance::of(&tiers);
            let share = |&(_, rejected): &(Tier, bool)| {
                let share = allowance.share();
                allowance.leave(rejected);
                share
            };
            tried.iter().map(share).collect()
        };
        let check = |tried: &[(Tier, bool)], expected: &[f64]| {
            let found = shares(tried);
            let alike = found.iter().zip(expected).all(|(found, share)| (found - share).abs() < 1e-12);
            assert!(alike && found.len() == expected.len(), "{found:?} and not {expected:?}");
        };
        let (fusion, adapter, encoder) = (Tier::Fusion, Tier::Adapter, Tier::Encoder);
        check(&[(encoder, true)], &[1.0]);
        check(&[(fusion, true), (encoder, true)], &[0.25, 0.75]);
        check(&[(fusion, false), (encoder, true)], &[0.25, 1.0]);
        check(&[(fusion, true), (adapter, false), (encoder, true)], &[0.2, 0.2, 0.8]);
    }

    proptest! {
        #[test]
        fn no_more_than_the_whole_is_spent(
            rejected in proptest::collection::vec(any::<bool>(), 0..8),
            first in 0..Tier::ALL.len(),
        ) {
            let tiers: Vec<Tier> = Tier::ALL.into_iter().cycle().skip(first).take(rejected.len()).collect();
            let (mut allowance, mut spent) = (Allowance::of(&tiers), 0.0);
            for rejected in rejected {
                // What is wrongly let through here adds its own part to what was spent.
                prop_assert!(spent + allowance.share() <= 1.0 + 1e-12, "{spent}");
                if rejected {
                    spent += allowance.share();
                }
                allowance.leave(rejected);
            }
        }
    }
}
