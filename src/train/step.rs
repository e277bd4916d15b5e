//! One training step.
//!
//! Gradient caching bounds memory (Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited
//! Setup", 2021). A batch is embedded part by part without a tape, the loss gives the gradient of every vector, and
//! each part is embedded again with a tape, through which its gradient flows back. The result equals the gradient of
//! the whole batch. The last part already has its tape, so a batch of one part is embedded once, unless displaced
//! negatives have used the tape meanwhile. Documents with fixed vectors are not embedded.

use serde::{Deserialize, Serialize};

use super::gradient_negatives::{Displaced, Embedded, add_term};
use super::loss::{Layout, loss_and_gradient};
use super::optimizer::{Optimizer, gradient_norm};
use super::options::TrainOptions;
use super::parts::parts;
use super::row::{Documents, TrainingRow};
use super::schedule::Schedule;
use crate::encoder::TrainableEncoder;
use crate::error::{Error, Result};

/// Gradients are clipped to this L2 norm, over all parameters together.
const MAX_GRAD_NORM: f64 = 1.0;

/// The report of one training step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StepReport {
    /// The number of the step, from 1.
    pub step: usize,
    /// Total number of steps.
    pub steps: usize,
    /// The mean over the batch's rows, including the term of displaced negatives.
    pub loss: f32,
    /// L2 norm of the gradient before clipping.
    pub grad_norm: f64,
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// Displaced hard negatives; absent unless requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub displaced: Option<Displaced>,
}

/// The rows of a step.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) rows: &'a [&'a TrainingRow],
    pub(super) documents: Documents<'a>,
    /// As [`Layout::hidden`].
    pub(super) hidden: &'a [bool],
    /// See [`TrainOptions::gradient_negatives`].
    pub(super) gradient_negatives: Option<f32>,
}

/// The position of a step in the training.
#[derive(Clone, Copy)]
pub(super) struct Position {
    /// Number of earlier steps.
    pub(super) done: usize,
    pub(super) steps: usize,
}

/// Updates the model with the gradient of a batch.
pub(super) fn make_step(
    model: &mut TrainableEncoder,
    batch: Batch<'_>,
    at: Position,
    options: &TrainOptions,
    optimizer: &mut Optimizer,
) -> Result<StepReport> {
    model.zero_gradients();
    let BatchLoss { loss, displaced } = add_gradients(model, batch, model.part_tokens())?;
    let grad_norm = gradient_norm(model)?;
    if !loss.is_finite() || !grad_norm.is_finite() {
        return Err(Error::Encoder {
            doing: "train",
            message: format!("the loss is {loss}, its gradient {grad_norm}; use a lower learning rate"),
        });
    }
    let learning_rate = options.learning_rate * Schedule::new(at.steps).factor(at.done);
    let factor = clip(grad_norm, MAX_GRAD_NORM);
    optimizer.step(model, factor, learning_rate)?;
    Ok(StepReport { step: at.done + 1, steps: at.steps, loss, grad_norm, learning_rate, displaced })
}

/// The factor that scales a gradient of this norm down to the limit: torch's `clip_grad_norm_`.
pub(super) fn clip(norm: f64, limit: f64) -> f64 {
    (limit / (norm + 1e-6)).min(1.0)
}

/// The loss of a batch.
pub(super) struct BatchLoss {
    pub(super) loss: f32,
    pub(super) displaced: Option<Displaced>,
}

/// Computes the loss of a batch in parts of at most `part_tokens` tokens. Adds to the model's gradients.
pub(super) fn add_gradients(
    model: &mut TrainableEncoder,
    batch: Batch<'_>,
    part_tokens: usize,
) -> Result<BatchLoss> {
    let width = model.dimensions();
    // Fixed vectors are not displaced.
    let epsilon = batch.gradient_negatives.filter(|_| matches!(batch.documents, Documents::Move));
    let LaidOut { texts, embedded, standing, layout } = lay_out(batch, width)?;
    let limit = model.max_tokens();
    let ids = texts.iter().map(|text| model.token_ids(text, limit)).collect::<Result<Vec<_>>>()?;
    let parts = parts(&ids, part_tokens);
    let embed = |model: &mut TrainableEncoder, part: &[usize], record: bool, into: &mut [f32]| {
        let ids: Vec<&[u32]> = part.iter().map(|&text| &ids[text][..]).collect();
        let vectors = model.embed(&ids, record)?.chunks_exact(width);
        for (vector, &text) in vectors.zip(part) {
            into[embedded[text] * width..][..width].copy_from_slice(vector);
        }
        Ok(())
    };
    let recorded = parts.len() - usize::from(epsilon.is_none());
    let mut vectors = standing;
    for (at, part) in parts.iter().enumerate() {
        embed(model, part, at == recorded, &mut vectors)?;
    }
    let (mut loss, mut d_vectors) = loss_and_gradient(&vectors, width, &layout)
        .map_err(|error| Error::Encoder { doing: "train", message: error.to_string() })?;
    let mut displaced = None;
    if let Some(epsilon) = epsilon {
        let batch = Embedded { ids: &ids, layout: &layout, vectors: &vectors };
        let term = add_term(epsilon, model, batch, part_tokens, &mut d_vectors)?;
        loss += term.loss;
        displaced = Some(term.displaced);
    }
    for (at, part) in parts.iter().enumerate().rev() {
        if at != recorded {
            embed(model, part, true, &mut vectors)?;
        }
        let of_part = part.iter().flat_map(|&text| &d_vectors[embedded[text] * width..][..width]);
        model.backward(of_part.copied().collect())?;
    }
    Ok(BatchLoss { loss, displaced })
}

/// A batch in the layout of the loss: one vector for each text of each row.
struct LaidOut<'a> {
    /// The texts to embed.
    texts: Vec<&'a str>,
    /// The index of each one's vector.
    embedded: Vec<usize>,
    /// The vectors: the fixed ones, and zeros for the others.
    standing: Vec<f32>,
    layout: Layout,
}

/// Lists the texts of a batch with their roles in the loss.
fn lay_out(batch: Batch<'_>, width: usize) -> Result<LaidOut<'_>> {
    let (mut texts, mut embedded, mut standing) = (Vec::new(), Vec::new(), Vec::new());
    let mut embed = |text, standing: &mut Vec<f32>| {
        let place = standing.len() / width;
        texts.push(text);
        embedded.push(place);
        standing.resize(standing.len() + width, 0.0);
        place as u32
    };
    let (mut anchors, mut positives, mut negatives) = (Vec::new(), Vec::new(), Vec::new());
    for (at, row) in batch.rows.iter().enumerate() {
        anchors.push(embed(row.anchor.as_str(), &mut standing));
        let mut document = |text| match batch.documents {
            Documents::Move => Ok(embed(text, &mut standing)),
            Documents::Stand(vectors) => {
                let place = standing.len() / width;
                standing.extend(vectors.stored(text, width)?);
                Ok(place as u32)
            }
        };
        positives.push(document(row.positive.as_str())?);
        for negative in &row.negatives {
            negatives.push((document(negative.as_str())?, at));
        }
    }
    let weights = batch.rows.iter().map(|row| row.weight).collect();
    let layout = Layout { anchors, positives, negatives, hidden: batch.hidden.to_vec(), weights };
    Ok(LaidOut { texts, embedded, standing, layout })
}
