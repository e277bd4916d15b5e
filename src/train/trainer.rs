//! The training loop.
//!
//! Memory is bounded by gradient caching (Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory
//! Limited Setup", 2021): a batch is embedded part by part without a tape, the loss gives the gradient of every vector,
//! and each part is then embedded again with a tape, by which that gradient flows back. The result is the batch's own
//! gradient. The part that was embedded last has its tape already, so that a batch of one part is embedded once, unless
//! displaced negatives have taken the tape meanwhile. Documents that stand still are embedded in no part.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::checkpoint::{Checkpoints, Done, plan};
use super::example::{Answers, Documents, Example, Guide};
use super::gradient_negatives::{Displaced, Embedded};
use super::loss::{Layout, loss_and_gradient};
use super::mask::{Knowledge, Mask, Masked, suspected_share};
use super::monitor::{Monitor, MonitorReport};
use super::optimizer::{Optimizer, gradient_norm};
use super::options::{NegativeScope, TrainOptions};
use super::parts::parts;
use super::sampler::batches;
use super::schedule::{Schedule, affordable};
use crate::encoder::TrainableEncoder;
use crate::error::{Error, Result};
use crate::ids::Digest;

/// One step, as it is told while training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepReport {
    /// From 1.
    pub step: usize,
    /// Of so many.
    pub steps: usize,
    /// The mean over the batch's rows, with what displaced negatives add.
    pub loss: f32,
    /// L2 norm of the gradient before clipping.
    pub grad_norm: f64,
    /// That of this step.
    pub learning_rate: f64,
    /// Hard negatives that were displaced, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub displaced: Option<Displaced>,
}

/// What training did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainReport {
    /// The steps in their order.
    pub(crate) steps: Vec<StepReport>,
    /// The scope that was taken, and why.
    pub(crate) scope: NegativeScope,
    pub(crate) scope_reason: String,
    pub(crate) masked: Masked,
    /// Over all steps; `None` where no negatives are displaced.
    pub(crate) displaced: Option<Displaced>,
    /// The steps that a checkpoint had done already.
    pub(crate) resumed_at: Option<usize>,
    /// Whether the time limit left some steps out.
    pub(crate) stopped_by_time: bool,
    /// The hard negatives before and after.
    pub(crate) monitor: Option<MonitorReport>,
}

/// Is told of each step, and with nothing at every batch of texts that is measured beside them.
pub(crate) type Progress<'a> = dyn FnMut(Option<&StepReport>) -> ControlFlow<()> + 'a;

/// What training goes by, beside its options.
#[derive(Clone, Copy)]
pub(crate) struct Training<'a> {
    pub(crate) examples: &'a [Example],
    pub(crate) options: &'a TrainOptions,
    /// The size of the corpus, which has a say in [`NegativeScope::Auto`].
    pub(crate) chunks: usize,
    /// The serving encoder's view of the texts, to tell false negatives by.
    pub(crate) guide: Option<&'a Guide>,
    /// Whether documents are encoded, too.
    pub(crate) documents: Documents<'a>,
    /// Where it is kept against a crash.
    pub(crate) checkpoints: Option<Checkpoints<'a>>,
}

/// Fine-tunes `model` in place.
///
/// # Errors
/// [`Error::Invalid`] without examples or with options that can't be used, by themselves or with this model;
/// [`Error::Cancelled`] when `progress` breaks; [`Error::Encoder`] when a loss or a gradient is no finite number, which a
/// lower learning rate prevents. The model is then of no use.
pub(crate) fn train(
    model: &mut TrainableEncoder,
    training: Training<'_>,
    progress: &mut Progress<'_>,
) -> Result<TrainReport> {
    let Training { examples, options, chunks, guide, documents, checkpoints } = training;
    options.validate()?;
    if examples.is_empty() {
        return Err(Error::invalid("the training examples", "none", "at least one"));
    }
    model.freeze(options.frozen_layers.unwrap_or(model.layers() / 2))?;
    let answers = Answers::of(examples);
    let known = Knowledge { answers: &answers, guide };
    let (scope, scope_reason) = options.scope.resolve(chunks, suspected_share(examples, options, known));
    let epochs: Vec<Vec<Vec<usize>>> =
        (0..options.epochs).map(|epoch| batches(examples, options, known, epoch)).collect();
    let ends = ends(&epochs);
    let steps = ends.last().copied().unwrap_or_default();
    let monitor = Monitor::of(examples, options, known);
    let mut optimizer = Optimizer::new(model, options.weight_decay, true)?;
    let mut keeper = checkpoints
        .map(|place| Keeper::new(place, plan(model, examples, guide, (options, scope, documents))));
    let resumed = match &mut keeper {
        Some(keeper) => keeper.resume(model, &mut optimizer)?,
        None => None,
    };
    let resumed_at = resumed.as_ref().map(|done| done.steps.len());
    let mut done = resumed.unwrap_or_default();
    if done.steps.is_empty() {
        done.measure(monitor.as_ref(), model, progress)?;
    }
    let mut stopped_by_time = false;
    for batch in epochs.into_iter().flatten().skip(done.steps.len()) {
        let started = Instant::now();
        let steps = affordable(steps, done.steps.len(), done.spent, done.limit(options));
        stopped_by_time = done.steps.len() >= steps;
        if stopped_by_time {
            break;
        }
        let rows: Vec<&Example> = batch.into_iter().map(|index| &examples[index]).collect();
        let mask = Mask::of(&rows, scope, options, known);
        done.masked.add(mask.counts);
        let update = Update { at: done.steps.len(), steps, options, documents };
        let step = update.make(model, &rows, mask, &mut optimizer)?;
        done.steps.push(step);
        done.spent += started.elapsed();
        if ends.binary_search(&done.steps.len()).is_ok() {
            done.measure(monitor.as_ref(), model, progress)?;
        }
        if let Some(keeper) = &mut keeper {
            keeper.keep(model, &optimizer, &done, false);
        }
        if progress(Some(&step)).is_break() {
            return Err(Error::Cancelled { doing: "training" });
        }
    }
    // Where the time limit fell into an epoch.
    done.measure(monitor.as_ref(), model, progress)?;
    if let Some(keeper) = &mut keeper {
        // What follows may take as long again.
        keeper.keep(model, &optimizer, &done, true);
    }
    let Done { steps, masked, measured, .. } = done;
    let displaced = steps.iter().filter_map(|step| step.displaced).reduce(Displaced::with);
    let monitor = monitor.map(|monitor| monitor.report(measured));
    Ok(TrainReport { steps, scope, scope_reason, masked, displaced, resumed_at, stopped_by_time, monitor })
}

/// The steps that are done at the end of each epoch.
fn ends(epochs: &[Vec<Vec<usize>>]) -> Vec<usize> {
    let mut done = 0;
    let end = |batches: &Vec<Vec<usize>>| {
        done += batches.len();
        done
    };
    epochs.iter().map(end).collect()
}

impl Done {
    /// Measures the hard negatives as they are after the steps that are done, unless that has been done.
    fn measure(
        &mut self,
        monitor: Option<&Monitor<'_>>,
        model: &mut TrainableEncoder,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let step = self.steps.len();
        let Some(monitor) = monitor.filter(|_| self.measured.last_step() != Some(step)) else {
            return Ok(());
        };
        let started = Instant::now();
        monitor.measure(model, step, &mut self.measured, &mut || match progress(None) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled { doing: "training" }),
        })?;
        self.measuring += started.elapsed();
        Ok(())
    }

    /// The time limit of the steps alone: measuring once more after each epoch takes its part.
    fn limit(&self, options: &TrainOptions) -> Option<Duration> {
        let measuring = match self.measured.count() {
            0 => 0.0,
            count => self.measuring.as_secs_f64() * (options.epochs + 1) as f64 / count as f64,
        };
        let limit = options.time_limit?.as_secs_f64() - measuring;
        Some(Duration::try_from_secs_f64(limit).unwrap_or_default())
    }
}

/// Writes checkpoints when it is time to.
struct Keeper<'a> {
    place: Checkpoints<'a>,
    plan: Digest,
    /// How far the last one got, in steps.
    kept: Option<(usize, Duration)>,
}

impl<'a> Keeper<'a> {
    fn new(place: Checkpoints<'a>, plan: Digest) -> Keeper<'a> {
        Keeper { place, plan, kept: None }
    }

    fn resume(&mut self, model: &mut TrainableEncoder, optimizer: &mut Optimizer) -> Result<Option<Done>> {
        let Optimizer::Host(optimizer) = optimizer else { return Ok(None) };
        let done = self.place.resume(self.plan, model, optimizer)?;
        self.kept = done.as_ref().map(|done| (done.steps.len(), done.spent));
        Ok(done)
    }

    /// Writes a checkpoint if the last one is old enough; at the end of a training that was long enough for one, in any
    /// case. That one can't be written costs no round: it is said in the log. Training on a device keeps none: candle's
    /// optimiser does not give its moments away, and what a GPU has done is soon done again.
    fn keep(&mut self, model: &TrainableEncoder, optimizer: &Optimizer, done: &Done, ended: bool) {
        let (Some(interval), Optimizer::Host(optimizer)) = (self.place.interval, optimizer) else { return };
        let (steps, at) = self.kept.unwrap_or_default();
        let new = done.steps.len() > steps;
        let due = done.spent.saturating_sub(at) >= interval;
        if new && (due || ended && self.kept.is_some()) {
            match self.place.write(self.plan, model, optimizer, done) {
                Ok(()) => tracing::debug!(step = done.steps.len(), "wrote a checkpoint"),
                Err(error) => tracing::warn!(%error, "training goes on without a checkpoint"),
            }
            self.kept = Some((done.steps.len(), done.spent));
        }
    }
}

/// One step of the optimiser.
struct Update<'a> {
    /// From 0.
    at: usize,
    steps: usize,
    options: &'a TrainOptions,
    documents: Documents<'a>,
}

impl Update<'_> {
    fn make(
        &self,
        model: &mut TrainableEncoder,
        rows: &[&Example],
        mask: Mask,
        optimizer: &mut Optimizer,
    ) -> Result<StepReport> {
        let options = self.options;
        model.zero_gradients();
        let place = Place { step: self.at, part_tokens: model.part_tokens() };
        let batch = Batch { rows, documents: self.documents, hidden: mask.hidden };
        let (loss, displaced) = add_gradients(model, batch, options, place)?;
        let grad_norm = gradient_norm(model)?;
        if !loss.is_finite() || !grad_norm.is_finite() {
            return Err(Error::Encoder {
                doing: "train",
                message: format!("the loss is {loss}, its gradient {grad_norm}; use a lower learning rate"),
            });
        }
        let schedule = Schedule::new(self.steps, options.warmup_ratio);
        let learning_rate = options.learning_rate * schedule.factor(self.at);
        let factor = clip(grad_norm, options.max_grad_norm);
        optimizer.step(model, factor, learning_rate)?;
        Ok(StepReport { step: self.at + 1, steps: self.steps, loss, grad_norm, learning_rate, displaced })
    }
}

/// The factor that brings a gradient of this norm down to the limit: torch's `clip_grad_norm_`.
pub(super) fn clip(norm: f64, limit: f64) -> f64 {
    (limit / (norm + 1e-6)).min(1.0)
}

/// Where a batch stands in training, and how it is cut.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Steps done before it.
    pub(super) step: usize,
    /// Tokens of a part at most.
    pub(super) part_tokens: usize,
}

/// The rows of a step.
pub(super) struct Batch<'a> {
    pub(super) rows: &'a [&'a Example],
    pub(super) documents: Documents<'a>,
    /// As [`Layout::hidden`].
    pub(super) hidden: Vec<bool>,
}

/// The loss of a batch, and what was displaced for it. Adds to the model's gradients.
pub(super) fn add_gradients(
    model: &mut TrainableEncoder,
    batch: Batch<'_>,
    options: &TrainOptions,
    place: Place,
) -> Result<(f32, Option<Displaced>)> {
    let width = model.dimensions();
    // What stands still is not displaced.
    let to_displace = options.gradient_negatives.filter(|_| matches!(batch.documents, Documents::Move));
    let LaidOut { texts, embedded, standing, mut layout } = lay_out(batch, width)?;
    let limit = options.max_tokens.unwrap_or(model.max_tokens());
    let ids = texts.iter().map(|text| model.token_ids(text, limit)).collect::<Result<Vec<_>>>()?;
    let parts = parts(&ids, place.part_tokens);
    let embed = |model: &mut TrainableEncoder, part: &[usize], record: bool, into: &mut [f32]| {
        let ids: Vec<&[u32]> = part.iter().map(|&text| &ids[text][..]).collect();
        let vectors = model.embed(&ids, record)?.chunks_exact(width);
        for (vector, &text) in vectors.zip(part) {
            into[embedded[text] * width..][..width].copy_from_slice(vector);
        }
        Ok(())
    };
    let recorded = parts.len() - usize::from(to_displace.is_none());
    let mut vectors = standing;
    for (at, part) in parts.iter().enumerate() {
        embed(model, part, at == recorded, &mut vectors)?;
    }
    layout.mixtures =
        options.mixing.map(|mixing| mixing.mix(&vectors, width, &layout, options.seed, place.step));
    let (mut loss, mut d_vectors) = loss_and_gradient(&vectors, width, &layout, options)
        .map_err(|error| Error::Encoder { doing: "train", message: error.to_string() })?;
    let mut displaced = None;
    if let Some(negatives) = to_displace {
        let batch = Embedded { ids: &ids, layout: &layout, vectors: &vectors, scale: options.scale };
        let (term, moved) = negatives.add(model, batch, place.part_tokens, &mut d_vectors)?;
        loss += term;
        displaced = Some(moved);
    }
    for (at, part) in parts.iter().enumerate().rev() {
        if at != recorded {
            embed(model, part, true, &mut vectors)?;
        }
        let of_part = part.iter().flat_map(|&text| &d_vectors[embedded[text] * width..][..width]);
        model.backward(of_part.copied().collect())?;
    }
    Ok((loss, displaced))
}

/// A batch as the loss sees it: one vector for each text of each row.
pub(super) struct LaidOut<'a> {
    /// What is embedded, and the place of each one's vector.
    pub(super) texts: Vec<&'a str>,
    pub(super) embedded: Vec<usize>,
    /// The vectors: those that stand still, and zeros for the others.
    pub(super) standing: Vec<f32>,
    pub(super) layout: Layout,
}

/// The texts of a batch and the part that each plays in the loss.
pub(super) fn lay_out<'a>(batch: Batch<'a>, width: usize) -> Result<LaidOut<'a>> {
    let Batch { rows, documents, hidden } = batch;
    let (mut texts, mut embedded, mut standing) = (Vec::new(), Vec::new(), Vec::new());
    let mut add = |text: &'a str, is_document: bool| -> Result<u32> {
        let place = standing.len() / width;
        match documents {
            Documents::Stand(vectors) if is_document => standing.extend(vectors.stored(text, width)?),
            _ => {
                texts.push(text);
                embedded.push(place);
                standing.resize(standing.len() + width, 0.0);
            }
        }
        Ok(place as u32)
    };
    let (anchors, positives, negatives) = (Vec::new(), Vec::new(), Vec::new());
    let weights = rows.iter().map(|example| example.weight).collect();
    let mut layout = Layout { anchors, positives, negatives, weights, hidden, mixtures: None };
    for (row, example) in rows.iter().enumerate() {
        layout.anchors.push(add(&example.anchor, false)?);
        layout.positives.push(add(&example.positive, true)?);
        for negative in &example.negatives {
            layout.negatives.push((add(negative, true)?, row));
        }
    }
    Ok(LaidOut { texts, embedded, standing, layout })
}
