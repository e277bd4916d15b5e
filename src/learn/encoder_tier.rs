//! The encoder of a round: trained, judged on a pool of the corpus, and on its way to a generation.

use super::choose::{Fit, choose};
use super::examples::JudgedQuery;
use super::pool::{Pool, Scored};
use super::report::{Decision, Gate, LearnProgress, LearnStage, TrainingReport};
use super::round::{Course, Progress, Scores, tell, timed};
use super::tiers::Best;
use crate::encoder::TrainableEncoder;
use crate::error::Result;
use crate::generation::Building;
use crate::train::{Documents, Training, train};

/// Below this many times the pool's size, the pool would cost nearly as much as reindexing.
const LARGER: usize = 4;
/// The same of the pool that many held-out queries have made larger.
const SPARED: usize = 2;

/// A trained encoder in a generation without vectors.
pub(super) struct Trained {
    pub(super) building: Building,
    pub(super) report: TrainingReport,
}

/// What the pool has rejected.
pub(super) type Rejected = (Gate, TrainingReport);

/// Trains the serving encoder further, and starts a generation over it unless a pool of the corpus speaks against it.
pub(super) fn train_next(
    course: &mut Course<'_>,
    best: &Best,
    progress: &mut Progress<'_>,
) -> Result<Result<Trained, Rejected>> {
    let input = course.input;
    let Course { collected, seconds, .. } = course;
    let serving = &input.snapshot.pinned.generation;
    let options = &input.options.train;
    let chunks = input.snapshot.lexical.chunk_count() as usize;
    let mut model =
        TrainableEncoder::load_beside(&serving.encoder, &serving.model_folder(), options.precision)?;
    let shares = input.options.interpolation.as_slice();
    let before = if shares == [1.0] { Vec::new() } else { model.parameters()?.into_owned() };
    let trained = timed(&mut seconds.train, || {
        let examples = &collected.examples;
        let (guide, checkpoints) = (Some(&collected.guide), Some(input.checkpoints));
        let documents = Documents::Move;
        let training = Training { examples, options, chunks, guide, documents, checkpoints };
        let mut told = LearnProgress { stage: LearnStage::Train, done: 0, total: 0, loss: None };
        train(&mut model, training, &mut |step| {
            if let Some(step) = step {
                (told.done, told.total, told.loss) = (step.step, step.steps, Some(step.loss));
            }
            progress(told)
        })
    })?;
    let interpolation = shares.last().copied().unwrap_or(1.0);
    let mut report = TrainingReport::of(trained, options, interpolation);
    let after = if before.is_empty() { Vec::new() } else { model.parameters()?.into_owned() };
    if shares.len() > 1 || chunks >= LARGER * input.options.gate.pool_chunks {
        let started = std::time::Instant::now();
        let pool = gather(course, progress)?;
        let judged = match shares.len() > 1 || chunks >= SPARED * pool.len() {
            true => Some(judge_on_pool(course, best, &pool, &mut model, (&before, &after), progress)?),
            false => None,
        };
        course.seconds.gate += started.elapsed().as_secs_f64();
        if let Some((gate, share)) = judged {
            report.interpolation = share;
            if gate.decision != Decision::Published {
                return Ok(Err((gate, report)));
            }
        }
    }
    if !before.is_empty() {
        interpolate(&mut model, &before, &after, report.interpolation)?;
    }
    let building = Building::next(input.root, serving, input.dense, |folder| model.save(folder))?;
    Ok(Ok(Trained { building, report }))
}

fn gather(course: &Course<'_>, progress: &mut Progress<'_>) -> Result<Pool> {
    let Course { input, collected, guard, .. } = course;
    let size = (input.options.gate.pool_chunks, input.options.train.seed);
    Pool::gather(input.snapshot, &collected.held_out, guard, size, &mut || {
        tell(progress, LearnStage::Gate, 0, 1, None)
    })
}

/// The gate over a pool, and the share of the trained weights that does best there.
fn judge_on_pool(
    course: &Course<'_>,
    best: &Best,
    pool: &Pool,
    model: &mut TrainableEncoder,
    (before, after): (&[Vec<f32>], &[Vec<f32>]),
    progress: &mut Progress<'_>,
) -> Result<(Gate, f32)> {
    let (input, held_out, base) = (course.input, &course.collected.held_out, best.fusion);
    let options = input.options;
    let queries: Vec<JudgedQuery> = held_out.iter().chain(course.guard.iter()).cloned().collect();
    let old = pool.serving(&best.snapshot, &queries, &mut || tell(progress, LearnStage::Gate, 0, 1, None))?;
    let mut tried = Vec::new();
    for (done, &share) in options.interpolation.iter().enumerate() {
        if !before.is_empty() {
            interpolate(model, before, after, share)?;
        }
        let mut going_on = || tell(progress, LearnStage::Gate, done, options.interpolation.len(), None);
        tried.push(pool.trained(input.snapshot, &queries, model, &mut going_on)?);
    }
    let choice = choose(&tried, held_out, &course.clusters, base, Fit::of(options));
    let chosen = &tried[choice.place];
    let guard = |scored: &Scored<'_>| {
        course.guard.map(|place, query| scored.score(held_out.len() + place, query, base))
    };
    let of_old = held_out.iter().enumerate().map(|(place, query)| old.score(place, query, base));
    let before = Scores { held_out: of_old.collect(), guard: guard(&old) };
    let after = Scores { held_out: choice.scores, guard: guard(chosen) };
    let mut gate = course.rule(&before, &after)?;
    gate.reason = format!("on a pool of {} chunks, {}", pool.len(), gate.reason);
    Ok((gate, options.interpolation[choice.place]))
}

/// Puts the model a share of the way from some parameters to others.
fn interpolate(model: &mut TrainableEncoder, from: &[Vec<f32>], to: &[Vec<f32>], share: f32) -> Result<()> {
    model.update(|parameters, _| {
        for (numbers, (from, to)) in parameters.iter_mut().zip(from.iter().zip(to)) {
            for (number, (from, to)) in numbers.iter_mut().zip(from.iter().zip(to)) {
                *number = from + share * (to - from);
            }
        }
    })
}
