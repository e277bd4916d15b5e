//! Gradient negatives: hard negatives made harder by a step along a gradient. This is adversarial training in the space
//! of word embeddings (FGM: Miyato, Dai and Goodfellow, "Adversarial Training Methods for Semi-Supervised Text
//! Classification", ICLR 2017).
//!
//! For a negative n that its anchor a sees, X is the input of the trainable layers. It has a row per token: the sum of
//! word and position vectors, or the output of the frozen layers. X is displaced by `r = ε ‖X‖ g / ‖g‖`, where g is the
//! gradient of `cos(a, n)` with respect to X and both norms are Frobenius norms over the whole text. Each row is then
//! rescaled to its original length. Unlike in the paper, ε is relative to X, so it means the same for every encoder and
//! text length.
//!
//! The displaced negative n′ adds `ln(1 + exp(SCALE · (cos(a, n′) − cos(a, p))))` to the loss, where p is the positive:
//! the ranking loss with this one negative, averaged over a row's negatives and then over rows. The gradient treats the
//! displacement as a constant. Pairs are independent and processed in parts, so memory does not grow with the batch.

use serde::{Deserialize, Serialize};

use super::loss::{Layout, SCALE};
use super::parts::parts;
use crate::encoder::{InputGradient, TrainableEncoder};
use crate::error::{Error, Result};

/// Statistics of hard negatives that were displaced towards their anchors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Displaced {
    /// Number of displaced negatives, each counted once per anchor and step.
    pub negatives: u64,
    /// The mean increase of the cosine to the anchor.
    pub rise: f64,
}

impl Displaced {
    /// Merges two statistics.
    pub(super) fn with(self, others: Displaced) -> Displaced {
        let negatives = self.negatives + others.negatives;
        let sum = self.negatives as f64 * self.rise + others.negatives as f64 * others.rise;
        Displaced { negatives, rise: sum / negatives.max(1) as f64 }
    }
}

/// A batch with its embeddings before displacement.
#[derive(Clone, Copy)]
pub(super) struct Embedded<'a> {
    pub(super) ids: &'a [Vec<u32>],
    pub(super) layout: &'a Layout,
    /// L2-normalised, in the order of the ids.
    pub(super) vectors: &'a [f32],
}

/// The contribution of a batch's displaced negatives to the loss.
pub(super) struct Term {
    pub(super) loss: f32,
    pub(super) displaced: Displaced,
}

/// A hard negative with its row, as indices of vectors.
struct Pair {
    anchor: usize,
    positive: usize,
    negative: usize,
    /// Weight of the pair in the term. The weights of a batch sum to 1, or less if some rows have no negatives.
    share: f64,
}

impl Embedded<'_> {
    fn vector(&self, place: usize, width: usize) -> &[f32] {
        &self.vectors[place * width..][..width]
    }

    /// The hard negatives that are visible to their own anchors.
    fn pairs(&self) -> Vec<Pair> {
        let Layout { anchors, positives, negatives, hidden, weights } = self.layout;
        let all: f64 = weights.iter().copied().map(f64::from).sum();
        let (rows, columns) = (anchors.len(), positives.len() + negatives.len());
        let is_seen = |at: usize, row: usize| !hidden[row * columns + rows + at];
        let mut counts = vec![0usize; rows];
        for (at, &(_, row)) in negatives.iter().enumerate() {
            counts[row] += usize::from(is_seen(at, row));
        }
        let seen = negatives.iter().enumerate().filter(|&(at, &(_, row))| is_seen(at, row));
        let pair = |(_, &(negative, row)): (usize, &(u32, usize))| Pair {
            anchor: anchors[row] as usize,
            positive: positives[row] as usize,
            negative: negative as usize,
            share: f64::from(weights[row]) / (all * counts[row] as f64),
        };
        seen.map(pair).collect()
    }
}

/// # Errors
/// [`Error::Invalid`] for a share outside of 0 to 1.
pub(super) fn validate(epsilon: f32) -> Result<()> {
    match epsilon > 0.0 && epsilon <= 1.0 {
        true => Ok(()),
        false => Err(Error::invalid("the step of gradient negatives", epsilon, "above 0, at most 1")),
    }
}

/// Computes the term of a batch. Adds its gradient with respect to anchors and positives to `d_vectors`, and the
/// gradient through the displaced negatives to the model's parameter gradients.
pub(super) fn add_term(
    epsilon: f32,
    model: &mut TrainableEncoder,
    batch: Embedded<'_>,
    part_tokens: usize,
    d_vectors: &mut [f32],
) -> Result<Term> {
    let width = model.dimensions();
    let pairs = batch.pairs();
    let texts: Vec<&[u32]> = pairs.iter().map(|pair| &batch.ids[pair.negative][..]).collect();
    let (mut loss, mut rise) = (0.0, 0.0);
    for part in parts(&texts, part_tokens) {
        let texts: Vec<&[u32]> = part.iter().map(|&at| texts[at]).collect();
        let anchors = part.iter().flat_map(|&at| batch.vector(pairs[at].anchor, width));
        let displacement = displacement(epsilon, model, &texts, anchors.copied().collect())?;
        let vectors = model.embed_displaced(&texts, &displacement)?.to_vec();
        let mut d_displaced = vec![0.0; vectors.len()];
        let moved = vectors.chunks_exact(width).zip(d_displaced.chunks_exact_mut(width));
        for (&at, (vector, d_vector)) in part.iter().zip(moved) {
            let pair = &pairs[at];
            loss += pair.compare(batch, vector, d_vector, d_vectors);
            let anchor = batch.vector(pair.anchor, width);
            rise += f64::from(dot(anchor, vector) - dot(anchor, batch.vector(pair.negative, width)));
        }
        model.backward(d_displaced)?;
    }
    let negatives = pairs.len() as u64;
    let displaced = Displaced { negatives, rise: rise / negatives.max(1) as f64 };
    Ok(Term { loss: loss as f32, displaced })
}

/// Computes the displacement of texts towards anchors, whose vectors are in the order of the texts: `(tokens,
/// dimensions)`.
pub(super) fn displacement(
    epsilon: f32,
    model: &mut TrainableEncoder,
    texts: &[&[u32]],
    anchors: Vec<f32>,
) -> Result<Vec<f32>> {
    model.embed(texts, true)?;
    // The vectors have length 1, so the gradient of the cosine to an anchor is the anchor's vector.
    let InputGradient { input, mut gradient } = model.input_gradient(anchors)?;
    let width = model.dimensions();
    let (mut inputs, mut rest) = (&input[..], &mut gradient[..]);
    for text in texts {
        let (input, others) = inputs.split_at(text.len() * width);
        let (gradient, following) = rest.split_at_mut(text.len() * width);
        displace(input, epsilon, width, gradient);
        (inputs, rest) = (others, following);
    }
    Ok(gradient)
}

impl Pair {
    /// Computes the pair's part of the term and its gradients: with respect to the displaced negative's vector in
    /// `d_vector`, and with respect to anchor and positive added to `d_vectors`.
    fn compare(
        &self,
        batch: Embedded<'_>,
        vector: &[f32],
        d_vector: &mut [f32],
        d_vectors: &mut [f32],
    ) -> f64 {
        let width = vector.len();
        let (anchor, positive) = (batch.vector(self.anchor, width), batch.vector(self.positive, width));
        let above = SCALE * f64::from(dot(anchor, vector) - dot(anchor, positive));
        let slope = (self.share * SCALE / (1.0 + (-above).exp())) as f32;
        for at in 0..width {
            d_vector[at] = slope * anchor[at];
            d_vectors[self.anchor * width + at] += slope * (vector[at] - positive[at]);
            d_vectors[self.positive * width + at] -= slope * anchor[at];
        }
        self.share * (above.max(0.0) + (-above.abs()).exp().ln_1p())
    }
}

/// Turns the gradient with respect to a text's rows into their displacement.
fn displace(input: &[f32], epsilon: f32, width: usize, gradient: &mut [f32]) {
    let length = |x: &[f32]| dot(x, x).sqrt();
    let step = epsilon * length(input) / length(gradient).max(f32::MIN_POSITIVE);
    for (row, gradient) in input.chunks_exact(width).zip(gradient.chunks_exact_mut(width)) {
        let mut moved: Vec<f32> = row.iter().zip(&*gradient).map(|(x, g)| x + step * g).collect();
        let back = length(row) / length(&moved).max(f32::MIN_POSITIVE);
        moved.iter_mut().for_each(|x| *x *= back);
        gradient.iter_mut().zip(moved.iter().zip(row)).for_each(|(into, (moved, x))| *into = moved - x);
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
