//! The training loop.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::checkpoint::Done;
use super::gradient_negatives::Displaced;
use super::keeper::Keeper;
use super::mask::{Known, Mask, suspected_share};
use super::monitor::Monitor;
use super::optimizer::Optimizer;
use super::options::TrainOptions;
use super::row::{Answers, TrainingRow};
use super::sampler::batches;
use super::schedule::affordable;
use super::step::{Batch, Position, make_step};
use super::training::{Progress, TrainReport, Training};
use crate::encoder::TrainableEncoder;
use crate::error::{Error, Result};

/// Decoupled weight decay (Loshchilov and Hutter, 2019), not applied to biases and layer norms.
const WEIGHT_DECAY: f64 = 0.01;

/// Fine-tunes `model` in place.
///
/// # Errors
/// [`Error::Invalid`] without training rows or with invalid options, or options that do not fit this model;
/// [`Error::Cancelled`] when `progress` breaks; [`Error::Encoder`] if a loss or a gradient is not finite, which a lower
/// learning rate prevents. The model is then unusable.
pub(crate) fn train(
    model: &mut TrainableEncoder,
    training: Training<'_>,
    progress: &mut Progress<'_>,
) -> Result<TrainReport> {
    let Training { rows, options, guide, documents, .. } = training;
    options.validate()?;
    if rows.is_empty() {
        return Err(Error::invalid("the training rows", "none", "at least one"));
    }
    model.freeze(options.frozen_layers.unwrap_or(model.layers() / 2))?;
    let answers = Answers::of(rows);
    let known = Known { answers: &answers, guide };
    let chosen = options.scope.resolve(training.chunks, suspected_share(rows, known));
    let epochs: Vec<Vec<Vec<usize>>> =
        (0..options.epochs.0).map(|epoch| batches(rows, options, known, epoch)).collect();
    let ends = ends(&epochs);
    let steps = ends.last().copied().unwrap_or_default();
    let monitor = if training.monitor { Monitor::of(rows, options.seed, known) } else { None };
    let mut optimizer = Optimizer::new(model, WEIGHT_DECAY, true)?;
    let mut keeper = training.checkpoints.map(|place| Keeper::new(place, model, &training, chosen.scope));
    let resumed = match &mut keeper {
        Some(keeper) => keeper.resume(model, &mut optimizer)?,
        None => None,
    };
    let resumed_at = resumed.as_ref().map(|done| done.steps.len());
    let mut done = resumed.unwrap_or_default();
    if done.steps.is_empty() {
        measure(&mut done, monitor.as_ref(), model, progress)?;
    }
    let mut stopped_by_time = false;
    for batch in epochs.into_iter().flatten().skip(done.steps.len()) {
        let started = Instant::now();
        let at = Position {
            done: done.steps.len(),
            steps: affordable(steps, done.steps.len(), done.spent, limit_of_steps(&done, options)),
        };
        stopped_by_time = at.done >= at.steps;
        if stopped_by_time {
            break;
        }
        let rows: Vec<&TrainingRow> = batch.into_iter().map(|index| &rows[index]).collect();
        let Mask { hidden, counts } = Mask::of(&rows, chosen.scope, known);
        done.masked.add(counts);
        let gradient_negatives = options.gradient_negatives;
        let batch = Batch { rows: &rows, documents, hidden: &hidden, gradient_negatives };
        let step = make_step(model, batch, at, options, &mut optimizer)?;
        done.steps.push(step);
        done.spent += started.elapsed();
        if ends.binary_search(&done.steps.len()).is_ok() {
            measure(&mut done, monitor.as_ref(), model, progress)?;
        }
        if let Some(keeper) = &mut keeper {
            keeper.keep(model, &optimizer, &done, false);
        }
        if progress(Some(&step)).is_break() {
            return Err(Error::Cancelled { doing: "training" });
        }
    }
    // The time limit ended training within an epoch.
    measure(&mut done, monitor.as_ref(), model, progress)?;
    if let Some(keeper) = &mut keeper {
        // Reindexing may take as long again.
        keeper.keep(model, &optimizer, &done, true);
    }
    let Done { steps, masked, measured, .. } = done;
    let displaced = steps.iter().filter_map(|step| step.displaced).reduce(Displaced::with);
    let monitor = monitor.map(|monitor| monitor.report(measured));
    Ok(TrainReport { steps, scope: chosen, masked, displaced, resumed_at, stopped_by_time, monitor })
}

/// The number of finished steps at the end of each epoch.
fn ends(epochs: &[Vec<Vec<usize>>]) -> Vec<usize> {
    let mut done = 0;
    let end = |batches: &Vec<Vec<usize>>| {
        done += batches.len();
        done
    };
    epochs.iter().map(end).collect()
}

/// Measures the hard negatives after the finished steps, unless already done.
fn measure(
    done: &mut Done,
    monitor: Option<&Monitor<'_>>,
    model: &mut TrainableEncoder,
    progress: &mut Progress<'_>,
) -> Result<()> {
    let step = done.steps.len();
    let Some(monitor) = monitor.filter(|_| done.measured.last_step() != Some(step)) else {
        return Ok(());
    };
    let started = Instant::now();
    monitor.measure(model, step, &mut done.measured, &mut || match progress(None) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled { doing: "training" }),
    })?;
    done.measuring += started.elapsed();
    Ok(())
}

/// The time limit for steps alone: the measurement after each epoch takes its share.
fn limit_of_steps(done: &Done, options: &TrainOptions) -> Option<Duration> {
    let measuring = match done.measured.count() {
        0 => 0.0,
        count => done.measuring.as_secs_f64() * (options.epochs.0 + 1) as f64 / count as f64,
    };
    let limit = options.time_limit?.as_secs_f64() - measuring;
    Some(Duration::try_from_secs_f64(limit).unwrap_or_default())
}
