//! Fitting an [`Adapter`] of query vectors to document vectors that stand still.
//!
//! The loss, its masks and its batches are those of the encoder's training; only U and V move, so that no text is encoded and
//! a step takes milliseconds. How many steps to make is told by queries that are kept apart.

use std::collections::HashSet;
use std::ops::ControlFlow;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::example::{Answers, Documents, Example, Guide};
use super::loss::{Layout, loss_and_gradient};
use super::mask::{Knowledge, Mask, Masked, suspected_share};
use super::optimizer::{AdamW, global_norm};
use super::options::{NegativeScope, TrainOptions};
use super::sampler::batches;
use super::trainer::{Batch, LaidOut, StepReport, TrainReport, clip, lay_out};
use crate::encoder::Adapter;
use crate::error::{Error, Result};

/// Steps between two looks at the rows that are kept apart.
const LOOK: usize = 5;
/// Rows that are looked at, and documents that each is held against beside its own, at most: spread over all.
const JUDGES: usize = 500;
const DOCUMENTS: usize = 300;

/// What an adapter is fitted to, and how.
#[derive(Clone, Copy)]
pub(crate) struct Fitting<'a> {
    pub(crate) examples: &'a [Example],
    /// Which of the examples tell when to stop. Answers should not stand on both sides.
    pub(crate) apart: &'a [bool],
    /// Batches, loss and optimiser; `learning_rate` is that of every step, so that a fit that is stopped sooner is the
    /// beginning of one that is not.
    pub(crate) options: &'a TrainOptions,
    /// Columns of U and V.
    pub(crate) rank: usize,
    /// Steps at most.
    pub(crate) steps: usize,
    /// The size of the corpus, which has a say in [`NegativeScope::Auto`].
    pub(crate) chunks: usize,
    /// The documents' vectors, and the serving view of all texts, to tell false negatives by.
    pub(crate) guide: &'a Guide,
    /// Numbers of a vector.
    pub(crate) width: usize,
    /// The anchors' vectors without any adapter.
    pub(crate) anchors: &'a Guide,
}

/// Fits an adapter: first without the rows that are kept apart, to find after how many steps the reciprocal ranks of their
/// answers are highest, then to all rows for as many. Not by their loss: that falls too where an adapter only makes the encoder less
/// sure. `None` where no step helps them, or there is nothing on one of the sides.
///
/// # Errors
/// [`Error::Cancelled`] when `progress` breaks; [`Error::Invalid`] for options that can't be used and texts without a vector;
/// [`Error::Encoder`] when a loss is no finite number.
pub(crate) fn fit_adapter(
    fitting: Fitting<'_>,
    progress: &mut dyn FnMut(&StepReport) -> ControlFlow<()>,
) -> Result<Option<(Adapter, TrainReport)>> {
    let Fitting { examples, options, .. } = fitting;
    options.validate()?;
    let side = |kept: bool| -> Vec<Example> {
        let rows = examples.iter().zip(fitting.apart).filter(|(_, apart)| **apart == kept);
        rows.map(|(example, _)| example.clone()).collect()
    };
    let (apart, rest) = (side(true), side(false));
    if apart.is_empty() || rest.is_empty() {
        return Ok(None);
    }
    let answers = Answers::of(examples);
    let known = Knowledge { answers: &answers, guide: Some(fitting.guide) };
    let (scope, scope_reason) =
        options.scope.resolve(fitting.chunks, suspected_share(examples, options, known));
    let prepare = |rows: &[Example]| Prepared::of(rows, scope, fitting, known);
    let judges = judges(&apart, fitting, known)?;
    let (_, taught) = prepare(&rest)?;
    let mut fit = Fit::new(fitting);
    let (mut best, mut steps) = (reciprocal_rank(&judges, &fit.adapter()?), 0);
    for at in 0..fitting.steps {
        let told = fit.step(&taught[at % taught.len()], fitting.steps)?;
        if progress(&told).is_break() {
            return Err(Error::Cancelled { doing: "fitting an adapter" });
        }
        if (at + 1) % LOOK == 0 {
            let found = reciprocal_rank(&judges, &fit.adapter()?);
            if found > best {
                (best, steps) = (found, at + 1);
            }
        }
    }
    if steps == 0 {
        return Ok(None);
    }
    let (masked, all) = prepare(examples)?;
    let mut fit = Fit::new(fitting);
    let mut told = Vec::with_capacity(steps);
    for at in 0..steps {
        let step = fit.step(&all[at % all.len()], steps)?;
        told.push(step);
        if progress(&step).is_break() {
            return Err(Error::Cancelled { doing: "fitting an adapter" });
        }
    }
    let report = TrainReport {
        steps: told,
        scope,
        scope_reason,
        masked,
        displaced: None,
        resumed_at: None,
        stopped_by_time: false,
        monitor: None,
    };
    Ok(Some((fit.adapter()?, report)))
}

/// A batch with all that does not move.
struct Prepared {
    width: usize,
    rows: usize,
    /// The anchors' own vectors, `(rows, width)`, and where each one's image stands in `vectors`.
    anchors: Vec<f32>,
    places: Vec<usize>,
    vectors: Vec<f32>,
    layout: Layout,
}

impl Prepared {
    /// Batches of all examples, with what their masks hide.
    fn of(
        examples: &[Example],
        scope: NegativeScope,
        fitting: Fitting<'_>,
        known: Knowledge<'_>,
    ) -> Result<(Masked, Vec<Prepared>)> {
        let Fitting { options, guide, width, .. } = fitting;
        let (mut masked, mut prepared) = (Masked::default(), Vec::new());
        for batch in batches(examples, options, known, 0) {
            let rows: Vec<&Example> = batch.into_iter().map(|index| &examples[index]).collect();
            let mask = Mask::of(&rows, scope, options, known);
            masked.add(mask.counts);
            let batch = Batch { rows: &rows, documents: Documents::Stand(guide), hidden: mask.hidden };
            let LaidOut { texts, embedded, standing, layout } = lay_out(batch, width)?;
            let anchors =
                texts.iter().map(|text| fitting.anchors.stored(text, width)).collect::<Result<Vec<_>>>()?;
            let anchors = anchors.concat();
            let (rows, places, vectors) = (rows.len(), embedded, standing);
            prepared.push(Prepared { width, rows, anchors, places, vectors, layout });
        }
        Ok((masked, prepared))
    }

    fn anchor(&self, row: usize) -> &[f32] {
        &self.anchors[row * self.width..][..self.width]
    }
}

/// U and V on their way.
struct Fit<'a> {
    width: usize,
    /// U and V, as [`Adapter`] lays them out.
    factors: [Vec<f32>; 2],
    optimizer: AdamW,
    options: &'a TrainOptions,
    steps: usize,
}

impl<'a> Fit<'a> {
    /// U is zero, so that the map begins as the identity; V is such that each of its columns finds about as much in a vector
    /// as one of the vector's own numbers is.
    fn new(fitting: Fitting<'a>) -> Fit<'a> {
        let width = fitting.width;
        let mut random = ChaCha8Rng::seed_from_u64(fitting.options.seed);
        let (numbers, spread) = (width * fitting.rank, (3.0 / width as f32).sqrt());
        let v = (0..numbers).map(|_| random.random_range(-spread..spread)).collect();
        let optimizer = AdamW::over(&[numbers, numbers], fitting.options.weight_decay);
        let factors = [vec![0.0; numbers], v];
        Fit { width, factors, optimizer, options: fitting.options, steps: 0 }
    }

    fn adapter(&self) -> Result<Adapter> {
        let [u, v] = &self.factors;
        Adapter::new(self.width, u.clone(), v.clone())
    }

    /// The loss of a batch and its gradient by U and V.
    fn gradients(&self, batch: &Prepared) -> Result<(f32, [Vec<f32>; 2])> {
        let (adapter, width) = (self.adapter()?, self.width);
        let mut vectors = batch.vectors.clone();
        let mut inner = Vec::with_capacity(batch.rows);
        for (row, place) in batch.places.iter().enumerate() {
            let (moved, found) = adapter.moved(batch.anchor(row));
            vectors[place * width..][..width].copy_from_slice(&moved);
            inner.push(found);
        }
        let (loss, d_vectors) = loss_and_gradient(&vectors, width, &batch.layout, self.options)
            .map_err(|error| Error::Encoder { doing: "fit an adapter", message: error.to_string() })?;
        let (mut d_u, mut d_v) = (vec![0.0; adapter.u.len()], vec![0.0; adapter.v.len()]);
        for (row, place) in batch.places.iter().enumerate() {
            let (anchor, d_moved) = (batch.anchor(row), &d_vectors[place * width..][..width]);
            for (column, found) in inner[row].iter().enumerate() {
                let of_column = column * width..(column + 1) * width;
                let along: f32 = adapter.u[of_column.clone()].iter().zip(d_moved).map(|(u, d)| u * d).sum();
                add(&mut d_u[of_column.clone()], *found, d_moved);
                add(&mut d_v[of_column], along, anchor);
            }
        }
        Ok((loss, [d_u, d_v]))
    }

    fn step(&mut self, batch: &Prepared, steps: usize) -> Result<StepReport> {
        let (loss, gradients) = self.gradients(batch)?;
        let grad_norm = global_norm(&gradients);
        if !loss.is_finite() || !grad_norm.is_finite() {
            return Err(Error::Encoder {
                doing: "fit an adapter",
                message: format!("the loss is {loss}, its gradient {grad_norm}; use a lower learning rate"),
            });
        }
        let (factor, learning_rate) =
            (clip(grad_norm, self.options.max_grad_norm), self.options.learning_rate);
        self.optimizer.step(&mut self.factors, &gradients, factor, learning_rate);
        self.steps += 1;
        Ok(StepReport { step: self.steps, steps, loss, grad_norm, learning_rate, displaced: None })
    }
}

/// A row that is kept apart: a query, what answers it, and what does not as far as is known.
struct Judge<'a> {
    anchor: &'a [f32],
    positive: &'a [f32],
    others: Vec<&'a [f32]>,
}

/// Rows that are kept apart, each before documents of all rows: its own batch would be too small to tell anything.
fn judges<'a>(apart: &[Example], fitting: Fitting<'a>, known: Knowledge<'_>) -> Result<Vec<Judge<'a>>> {
    let Fitting { examples, options, guide, anchors, width, .. } = fitting;
    let mut seen = HashSet::new();
    let documents =
        examples.iter().flat_map(|example| [&example.positive].into_iter().chain(&example.negatives));
    let documents: Vec<&str> = documents.map(String::as_str).filter(|text| seen.insert(*text)).collect();
    let documents = documents.iter().step_by(documents.len().div_ceil(DOCUMENTS).max(1));
    let judge = |example: &Example| {
        let mut mask = Mask { hidden: Vec::new(), counts: Masked::default() };
        let own = |text: &str| example.negatives.iter().any(|negative| negative == text);
        let drawn = documents.clone().copied().filter(|text| !own(text));
        let negatives = example.negatives.iter().map(String::as_str).map(|text| (text, true));
        let others = drawn.map(|text| (text, false)).chain(negatives);
        let others = others.filter(|(text, own)| !mask.hides(example, text, *own, options, known));
        let others: Vec<&str> = others.map(|(text, _)| text).collect();
        Ok(Judge {
            anchor: anchors.stored(&example.anchor, width)?,
            positive: guide.stored(&example.positive, width)?,
            others: others.into_iter().map(|text| guide.stored(text, width)).collect::<Result<_>>()?,
        })
    };
    apart.iter().step_by(apart.len().div_ceil(JUDGES).max(1)).map(judge).collect()
}

/// The mean of one over the rank that the answer to a query's image has among its documents.
fn reciprocal_rank(judges: &[Judge<'_>], adapter: &Adapter) -> f64 {
    let ranks = judges.par_iter().map(|judge| {
        let image = adapter.apply(judge.anchor);
        let cosine = |vector: &[f32]| image.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
        let positive = cosine(judge.positive);
        1.0 / (1 + judge.others.iter().filter(|other| cosine(other) > positive).count()) as f64
    });
    // Summed in their order, whatever the threads do.
    ranks.collect::<Vec<f64>>().into_iter().sum::<f64>() / judges.len() as f64
}

fn add(sums: &mut [f32], factor: f32, numbers: &[f32]) {
    sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += factor * number);
}

#[cfg(test)]
mod tests;
