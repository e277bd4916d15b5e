//! Tier `fusion`: another fusion weight over the serving generation.

use super::attempt::{Attempt, Materials, Proposal, Proposed};
use crate::error::Result;
use crate::fusion::Fusion;
use crate::generation::Building;
use crate::learn::gate::rank_topics;
use crate::learn::input::RoundInput;
use crate::learn::progress::Tracker;
use crate::learn::stage::LearnStage;
use crate::search::Snapshot;

pub(super) const NO_OTHER_WEIGHT: &str = "no other fusion weight is better";

/// Fits the weight to the training queries. A trained encoder ranks its training queries too well, so then the held-out
/// queries choose the weight.
pub(super) fn attempt(materials: Materials<'_>, tracker: &mut Tracker<'_>) -> Result<Attempt> {
    let snapshot = materials.input.snapshot;
    let serving = &snapshot.pinned.generation.meta;
    if matches!(serving.fusion, Fusion::Rrf { .. }) {
        return Ok(Attempt::Nothing("the fusion has no weight"));
    }
    let fusion = match serving.has_learnt() {
        true => None,
        false => {
            let ranked = tracker.during(LearnStage::Collect, |tracker| {
                rank_topics(snapshot, materials.topics, LearnStage::Collect, tracker)
            })?;
            let learnt = ranked.best_fusion(|_| true, serving.fusion);
            if learnt == serving.fusion {
                return Ok(Attempt::Nothing(NO_OTHER_WEIGHT));
            }
            Some(learnt)
        }
    };
    Ok(Attempt::Proposed(Proposed { proposal: Box::new(FusionProposal), fusion, training: None }))
}

/// The serving generation with another fusion.
struct FusionProposal;

impl Proposal for FusionProposal {
    fn snapshot(&self, serving: &Snapshot) -> Result<Snapshot> {
        Ok(serving.clone())
    }

    fn build(self: Box<Self>, input: &RoundInput<'_>, fusion: Fusion) -> Result<Building> {
        Building::sibling(input.root, &input.snapshot.pinned, fusion, None, input.dense)
    }
}
