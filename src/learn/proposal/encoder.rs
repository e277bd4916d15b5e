//! Tier `encoder`: another encoder, with all vectors rebuilt.

use super::attempt::{Attempt, Incumbent, Materials, Proposal, Proposed};
use super::train::{Plan, precision, train_on};
use crate::encoder::TrainableEncoder;
use crate::error::Result;
use crate::fusion::Fusion;
use crate::generation::Building;
use crate::learn::gate::{PoolBase, Verdict};
use crate::learn::input::RoundInput;
use crate::learn::mine::TrainingSet;
use crate::learn::progress::Tracker;
use crate::learn::report::Decision;
use crate::learn::stage::{LearnProgress, LearnStage};
use crate::learn::training_report::TrainingStart;
use crate::search::Snapshot;
use crate::train::Documents;

/// Trains the model that the index was created with, and indexes the corpus with it, unless it fails on a pool of the
/// corpus. `share` is the part of the attempt's alpha that may be spent.
///
/// A round reads the whole log. If it trained the serving encoder further, older queries would be trained on again with
/// each round, and the encoder would get worse with the log (docs/benchmarks.md). Only where the first model is gone,
/// the serving one is trained further.
pub(super) fn attempt(
    materials: Materials<'_>,
    set: &TrainingSet,
    incumbent: Incumbent<'_>,
    share: f64,
    tracker: &mut Tracker<'_>,
) -> Result<Attempt> {
    let input = materials.input;
    let serving = &input.snapshot.pinned.generation;
    let (start, folder) = match serving.first_model_folder() {
        Some(first) => (TrainingStart::FirstModel, first.to_path_buf()),
        None => (TrainingStart::Serving, serving.model_folder()),
    };
    let mut model = TrainableEncoder::load_beside(serving.encoder()?, &folder, precision(input)?)?;
    let plan = Plan {
        options: &input.options.train,
        start,
        documents: Documents::Move,
        checkpoints: Some(input.checkpoints),
    };
    let training = train_on(&mut model, set, plan, input, tracker)?;
    let base = PoolBase { serving: input.snapshot, best: incumbent.snapshot, fusion: incumbent.fusion };
    let verdict = tracker
        .during(LearnStage::Gate, |tracker| materials.gate.rule_on_pool(&mut model, base, share, tracker))?;
    let passes = |verdict: &Verdict| {
        verdict.ruling.decision == Decision::Published
            || verdict.ruling.not_worse.is_some_and(|one| one.passes())
    };
    if let Some(verdict) = verdict.filter(|verdict| !passes(verdict)) {
        return Ok(Attempt::Rejected { verdict: Box::new(verdict), training });
    }
    let mut building = Building::next(input.root, serving, input.dense, |folder| model.save(folder))?;
    // Its parameters and gradients take as much memory as indexing.
    drop(model);
    tracker.during(LearnStage::Reindex, |tracker| {
        let Snapshot { lexical, pinned } = input.snapshot;
        let mut told = |done, total| tracker.flow(LearnProgress::of(LearnStage::Reindex, done, total));
        if let Some(helpers) = input.helpers {
            helpers.encode(&mut building, input.snapshot, &mut told)?;
        }
        building.catch_up(lexical, &pinned.dense, &mut told)
    })?;
    let proposal = Box::new(EncoderProposal(building));
    Ok(Attempt::Proposed(Proposed { proposal, fusion: None, training: Some(training) }))
}

/// A generation of its own.
struct EncoderProposal(Building);

impl Proposal for EncoderProposal {
    fn snapshot(&self, serving: &Snapshot) -> Result<Snapshot> {
        let lexical = serving.lexical.clone();
        Ok(Snapshot { pinned: self.0.pin(&lexical)?, lexical })
    }

    fn build(self: Box<Self>, _: &RoundInput<'_>, fusion: Fusion) -> Result<Building> {
        Ok(self.0.with_fusion(fusion))
    }
}
