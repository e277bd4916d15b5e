//! The encoder of queries of a round: trained against the vectors that serve, so that none need be made anew.

use super::report::{LearnProgress, LearnStage, TrainingReport};
use super::round::{Course, Progress, timed};
use crate::encoder::TrainableEncoder;
use crate::error::Result;
use crate::generation::Candidate;
use crate::train::{Documents, Training, train};

/// Trains the serving encoder of queries further.
pub(super) fn train_query_side(
    course: &mut Course<'_>,
    progress: &mut Progress<'_>,
) -> Result<(Candidate, TrainingReport)> {
    let Course { input, collected, seconds, .. } = course;
    let serving = &input.snapshot.pinned.generation;
    let options = input.options.query_side.training(&input.options.train);
    let trained = timed(&mut seconds.train, || {
        let folder = serving.query_model_folder();
        let mut model = TrainableEncoder::load_beside(&serving.encoder, &folder, options.precision)?;
        let training = Training {
            examples: &collected.examples,
            options: &options,
            chunks: input.snapshot.lexical.chunk_count() as usize,
            guide: Some(&collected.guide),
            documents: Documents::Stand(&collected.guide),
            // Begun anew it takes a minute.
            checkpoints: None,
        };
        let mut told = LearnProgress { stage: LearnStage::Train, done: 0, total: 0, loss: None };
        let trained = train(&mut model, training, &mut |step| {
            if let Some(step) = step {
                (told.done, told.total, told.loss) = (step.step, step.steps, Some(step.loss));
            }
            progress(told)
        })?;
        Ok((model, trained))
    });
    let (model, trained) = trained?;
    let report = TrainingReport::of(trained, &options, 1.0);
    let candidate = Candidate::with_encoder(input.root, serving, |folder| model.save(folder))?;
    Ok((candidate, report))
}
