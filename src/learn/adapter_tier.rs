//! The adapter of a round: a low-rank map of the queries' vectors, fitted to the documents' vectors that serve.

use std::collections::HashMap;

use super::examples::Collected;
use super::gate::clusters;
use super::report::{LearnProgress, LearnStage, TrainingReport};
use super::round::{Course, Progress, timed};
use crate::error::Result;
use crate::generation::Candidate;
use crate::train::{Fitting, Guide, fit_adapter};

/// One group of queries that share answers in so many is kept apart to tell when to stop.
const APART: usize = 5;

/// Fits an adapter to the vectors that the serving encoder of queries gives, in place of any adapter that serves. `None` where
/// nothing came of it.
pub(super) fn fit_to_queries(
    course: &mut Course<'_>,
    progress: &mut Progress<'_>,
) -> Result<Option<(Candidate, TrainingReport)>> {
    let Course { input, collected, seconds, .. } = course;
    let serving = &input.snapshot.pinned.generation;
    let options = input.options.adapter.training(&input.options.train);
    let width = serving.encoder.dimensions();
    let fitted = timed(&mut seconds.train, || {
        let (mut anchors, mut guide) = (Guide::default(), collected.guide.clone());
        for example in &collected.examples {
            if !anchors.has(&example.anchor) {
                let plain = serving.encode_query_plain(&example.anchor)?.to_vec();
                anchors.add(&example.anchor, plain.clone());
                // Nor has an adapter that serves a say in which rows share a batch.
                guide.add(&example.anchor, plain);
            }
        }
        let fitting = Fitting {
            examples: &collected.examples,
            apart: &apart(collected),
            options: &options,
            rank: input.options.adapter.rank.min(width),
            steps: input.options.adapter.steps,
            chunks: input.snapshot.lexical.chunk_count() as usize,
            guide: &guide,
            width,
            anchors: &anchors,
        };
        fit_adapter(fitting, &mut |step| {
            let loss = Some(step.loss);
            progress(LearnProgress { stage: LearnStage::Train, done: step.step, total: step.steps, loss })
        })
    })?;
    let Some((adapter, trained)) = fitted else { return Ok(None) };
    let report = TrainingReport::of(trained, &options, 1.0);
    Ok(Some((Candidate::with_adapter(input.root, serving, adapter)?, report)))
}

/// Which of the rows are kept apart: those of every fifth group of queries.
fn apart(collected: &Collected) -> Vec<bool> {
    let mut places: HashMap<usize, usize> = HashMap::new();
    let mut kept: HashMap<&str, bool> = HashMap::new();
    for (query, group) in collected.trained.iter().zip(clusters(&collected.trained)) {
        let next = places.len();
        let place = *places.entry(group).or_insert(next);
        kept.insert(&query.text, place % APART == APART - 1);
    }
    let of = |anchor: &str| kept.get(anchor).copied().unwrap_or(false);
    collected.examples.iter().map(|example| of(&example.anchor)).collect()
}
