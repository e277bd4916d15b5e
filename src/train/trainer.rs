//! The training loop.
//!
//! Memory is bounded by gradient caching (Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory
//! Limited Setup", 2021): a batch is embedded part by part without keeping graphs, the loss gives the gradient of
//! every embedding, and each part is then embedded again with its graph, through which that gradient flows back. The
//! result is the batch's own gradient. A batch that fits into one part is not embedded twice.

use std::ops::ControlFlow;
use std::time::Instant;

use candle_core::{Device, Tensor, Var};

use super::loss::{Layout, ranking_loss};
use super::optimizer::{AdamW, global_norm};
use super::options::{NegativeScope, TrainOptions};
use super::sampler::batches;
use super::schedule::Schedule;
use crate::encoder::TrainableEncoder;
use crate::error::{Error, Result};

/// Tokens whose graph is held at a time: about 2 GB on all-mpnet-base-v2.
const PART_TOKENS: usize = 2048;

/// One training row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Example {
    pub(crate) anchor: String,
    pub(crate) positive: String,
    pub(crate) negatives: Vec<String>,
}

impl Example {
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        [&self.anchor, &self.positive].into_iter().chain(&self.negatives).map(String::as_str)
    }
}

/// One step, as it is told while training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct StepReport {
    /// From 1.
    pub(crate) step: usize,
    pub(crate) steps: usize,
    pub(crate) loss: f32,
    /// L2 norm of the gradient before clipping.
    pub(crate) grad_norm: f64,
    pub(crate) learning_rate: f64,
}

/// What training did.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TrainReport {
    /// The steps in their order.
    pub(crate) losses: Vec<f32>,
    pub(crate) seconds: f64,
}

/// Fine-tunes `model` in place. `chunks` is the size of the corpus, which decides [`NegativeScope::Auto`].
///
/// # Errors
/// [`Error::Invalid`] without examples or with options that can't be used, by themselves or with this model;
/// [`Error::Cancelled`] when `progress` breaks; [`Error::Encoder`] when a loss or a gradient is no finite number, which a
/// lower learning rate prevents. The model is then of no use.
pub(crate) fn train(
    model: &TrainableEncoder,
    examples: &[Example],
    options: &TrainOptions,
    chunks: usize,
    progress: &mut dyn FnMut(&StepReport) -> ControlFlow<()>,
) -> Result<TrainReport> {
    options.validate()?;
    if examples.is_empty() {
        return Err(Error::invalid("the training examples", "none", "at least one"));
    }
    let started = Instant::now();
    let scope = options.scope.resolve(chunks);
    let epochs: Vec<Vec<Vec<usize>>> =
        (0..options.epochs).map(|epoch| batches(examples, options.batch_size, options.seed, epoch)).collect();
    let steps = epochs.iter().map(Vec::len).sum();
    let schedule = Schedule::new(steps, options.warmup_ratio);
    let mut optimizer = AdamW::new(model.variables(), options.weight_decay, true);
    let mut report = TrainReport::default();
    for batch in epochs.into_iter().flatten() {
        let rows: Vec<&Example> = batch.into_iter().map(|index| &examples[index]).collect();
        let (loss, gradients) = gradients(model, &rows, options, scope, PART_TOKENS)?;
        let grad_norm = global_norm(&gradients)?;
        if !loss.is_finite() || !grad_norm.is_finite() {
            return Err(Error::Encoder {
                doing: "train",
                message: format!("the loss is {loss}, its gradient {grad_norm}; use a lower learning rate"),
            });
        }
        let learning_rate = options.learning_rate * schedule.factor(report.losses.len());
        optimizer.step(
            model.variables(),
            &gradients,
            clip(grad_norm, options.max_grad_norm),
            learning_rate,
        )?;
        report.losses.push(loss);
        let step = report.losses.len();
        if progress(&StepReport { step, steps, loss, grad_norm, learning_rate }).is_break() {
            return Err(Error::Cancelled { doing: "training" });
        }
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

/// The factor that brings a gradient of this norm down to the limit: torch's `clip_grad_norm_`.
pub(super) fn clip(norm: f64, limit: f64) -> f64 {
    (limit / (norm + 1e-6)).min(1.0)
}

/// The loss of a batch and the gradient of every variable, in the variables' order.
pub(super) fn gradients(
    model: &TrainableEncoder,
    rows: &[&Example],
    options: &TrainOptions,
    scope: NegativeScope,
    part_tokens: usize,
) -> Result<(f32, Vec<Tensor>)> {
    let (texts, layout) = lay_out(rows);
    let limit = options.max_tokens.unwrap_or(model.max_tokens());
    let parts = parts(model, &texts, limit, part_tokens)?;
    let embed = |part: &[usize]| {
        let texts: Vec<&str> = part.iter().map(|&index| texts[index]).collect();
        model.embed_up_to(&texts, limit)
    };
    let order: Vec<usize> = parts.concat();
    if let [only] = &parts[..] {
        let embeddings = in_text_order(&embed(only)?, &order)?;
        let loss = ranking_loss(&embeddings, &layout, options.scale, scope).map_err(failed)?;
        let store = loss.backward().map_err(failed)?;
        let gradients = model.variables().iter().map(|(_, variable)| take(&store, variable));
        return Ok((loss.to_scalar().map_err(failed)?, gradients.collect::<Result<_>>()?));
    }
    let mut embedded = Vec::with_capacity(parts.len());
    for part in &parts {
        embedded.push(embed(part)?.detach());
    }
    let cached = Tensor::cat(&embedded, 0).and_then(|all| Var::from_tensor(&all)).map_err(failed)?;
    let loss = in_text_order(cached.as_tensor(), &order)
        .and_then(|embeddings| ranking_loss(&embeddings, &layout, options.scale, scope).map_err(failed))?;
    let of_embeddings = take(&loss.backward().map_err(failed)?, &cached)?;
    let mut sums: Vec<Option<Tensor>> = vec![None; model.variables().len()];
    let mut start = 0;
    for part in &parts {
        let wanted = of_embeddings.narrow(0, start, part.len()).map_err(failed)?;
        start += part.len();
        let store =
            (embed(part)? * wanted).and_then(|product| product.sum_all()?.backward()).map_err(failed)?;
        for (sum, (_, variable)) in sums.iter_mut().zip(model.variables()) {
            let gradient = take(&store, variable)?;
            *sum = Some(match sum.take() {
                Some(sum) => (sum + gradient).map_err(failed)?,
                None => gradient,
            });
        }
    }
    let gradients = sums.into_iter().zip(model.variables()).map(|(sum, (_, variable))| match sum {
        Some(sum) => Ok(sum),
        None => variable.zeros_like().map_err(failed),
    });
    Ok((loss.to_scalar().map_err(failed)?, gradients.collect::<Result<_>>()?))
}

/// The texts of a batch and the part that each plays in the loss.
fn lay_out<'a>(rows: &[&'a Example]) -> (Vec<&'a str>, Layout) {
    let mut texts = Vec::new();
    let mut add = |text: &'a str| {
        texts.push(text);
        texts.len() as u32 - 1
    };
    let mut layout = Layout { anchors: Vec::new(), positives: Vec::new(), negatives: Vec::new() };
    for (row, example) in rows.iter().enumerate() {
        layout.anchors.push(add(&example.anchor));
        layout.positives.push(add(&example.positive));
        layout.negatives.extend(example.negatives.iter().map(|negative| (add(negative), row)));
    }
    (texts, layout)
}

/// The texts cut into parts of at most so many tokens, or of one text; longest first.
fn parts(
    model: &TrainableEncoder,
    texts: &[&str],
    limit: usize,
    part_tokens: usize,
) -> Result<Vec<Vec<usize>>> {
    let mut lengths = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        lengths.push((model.count_tokens(text, limit)?, index));
    }
    lengths.sort_unstable_by_key(|&(tokens, index)| (std::cmp::Reverse(tokens), index));
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut room = 0;
    for (tokens, index) in lengths {
        if tokens > room || parts.is_empty() {
            parts.push(Vec::new());
            room = part_tokens;
        }
        room = room.saturating_sub(tokens);
        parts.last_mut().into_iter().for_each(|part| part.push(index));
    }
    Ok(parts)
}

/// Rows of embeddings from the order in which they were embedded to that of the texts.
fn in_text_order(embeddings: &Tensor, order: &[usize]) -> Result<Tensor> {
    let mut places = vec![0u32; order.len()];
    for (place, &text) in order.iter().enumerate() {
        places[text] = place as u32;
    }
    let count = places.len();
    let places = Tensor::from_vec(places, count, &Device::Cpu).map_err(failed)?;
    embeddings.index_select(&places, 0).map_err(failed)
}

/// A variable's gradient. Without one the graph is broken somewhere: it must not pass for a gradient of zero.
fn take(store: &candle_core::backprop::GradStore, variable: &Var) -> Result<Tensor> {
    let gradient = store.get(variable.as_tensor()).ok_or_else(|| Error::Encoder {
        doing: "train",
        message: format!("a variable of shape {:?} got no gradient", variable.dims()),
    })?;
    gradient.contiguous().map_err(failed)
}

fn failed(error: candle_core::Error) -> Error {
    Error::Encoder { doing: "train", message: error.to_string() }
}
