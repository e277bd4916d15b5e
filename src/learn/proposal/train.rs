//! Training on the rows of a round.

use crate::encoder::{EncoderPrecision, TrainableEncoder};
use crate::error::Result;
use crate::learn::input::RoundInput;
use crate::learn::mine::TrainingSet;
use crate::learn::progress::Tracker;
use crate::learn::stage::{LearnProgress, LearnStage};
use crate::learn::training_report::{TrainingReport, TrainingStart};
use crate::train::{Checkpoints, Documents, TrainOptions, Training, train};

/// How to train a model of this round, apart from the rows.
pub(super) struct Plan<'a> {
    pub(super) options: &'a TrainOptions,
    /// Where the model's weights are from.
    pub(super) start: TrainingStart,
    pub(super) documents: Documents<'a>,
    pub(super) checkpoints: Option<Checkpoints<'a>>,
}

/// The precision of training: that of the serving encoder's documents, as far as training supports it.
pub(super) fn precision(input: &RoundInput<'_>) -> Result<EncoderPrecision> {
    Ok(input.snapshot.pinned.generation.encoder()?.computes_in().documents.of_training())
}

/// Trains `model` in place.
pub(super) fn train_on(
    model: &mut TrainableEncoder,
    set: &TrainingSet,
    plan: Plan<'_>,
    input: &RoundInput<'_>,
    tracker: &mut Tracker<'_>,
) -> Result<TrainingReport> {
    let Plan { options, start, documents, checkpoints } = plan;
    let training = Training {
        rows: &set.rows,
        options,
        chunks: input.snapshot.lexical.chunk_count() as usize,
        guide: Some(&set.guide),
        documents,
        // A query encoder says nothing about documents.
        monitor: matches!(documents, Documents::Move),
        checkpoints,
    };
    let mut told = LearnProgress::of(LearnStage::Train, 0, 0);
    let trained = tracker.during(LearnStage::Train, |tracker| {
        train(model, training, &mut |step| {
            if let Some(step) = step {
                (told.done, told.total, told.loss) = (step.step, step.steps, Some(step.loss));
            }
            tracker.flow(told)
        })
    })?;
    Ok(TrainingReport::of(trained, options, start))
}
