//! Hard negatives that are made harder by a step along a gradient: adversarial training in the space of word embeddings
//! (FGM: Miyato, Dai and Goodfellow, "Adversarial Training Methods for Semi-Supervised Text Classification", ICLR 2017).
//!
//! Of a negative n that its anchor a sees, X is what the layers that learn take: a row for each token, the sum of word and
//! position vectors, or what frozen layers give. It is moved by `r = ε ‖X‖ g / ‖g‖`, where g is the gradient of `cos(a, n)`
//! by X and both norms are Frobenius norms over the whole text, and each row is then brought back to the length that it
//! had. As in the paper a text has one norm, not each of its tokens: what hardly matters to the cosine hardly moves. Other
//! than there, ε is relative to X, so that it means the same for every encoder and length of text.
//!
//! What comes out, n′, adds `weight · ln(1 + exp(scale · (cos(a, n′) − cos(a, p))))` to the loss, p being the positive: the
//! ranking loss with this one negative, averaged over a row's negatives and over rows by their weights. The displacement
//! is a constant to its gradient. Pairs are independent of each other, so that they are worked off part by part: memory
//! does not grow with the batch, and no displaced text is embedded twice.

use serde::{Deserialize, Serialize};

use super::loss::Layout;
use super::mixing::dot;
use super::parts::parts;
use crate::encoder::{InputGradient, TrainableEncoder};
use crate::error::{Error, Result};

/// A further term of the loss, over each row's own hard negatives moved towards its anchor. A negative that is hidden
/// from its anchor takes no part. It costs two more passes of the hard negatives through the encoder, forward and back. None of
/// it has been measured here.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GradientNegatives {
    /// How far a text moves, as a share of the length of its embeddings: above 0, at most 1. Default 0.02.
    pub epsilon: f32,
    /// What the term counts beside the ranking loss: above 0. Default 1, as in the paper.
    pub weight: f32,
}

impl Default for GradientNegatives {
    fn default() -> Self {
        GradientNegatives { epsilon: 0.02, weight: 1.0 }
    }
}

/// Hard negatives that were moved towards their anchors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Displaced {
    /// How many, each counted once for its anchor and step.
    pub negatives: u64,
    /// How much the cosine to the anchor rose by it, on average.
    pub rise: f64,
}

impl Displaced {
    /// These and others.
    pub(super) fn with(self, others: Displaced) -> Displaced {
        let negatives = self.negatives + others.negatives;
        let sum = self.negatives as f64 * self.rise + others.negatives as f64 * others.rise;
        Displaced { negatives, rise: sum / negatives.max(1) as f64 }
    }
}

/// A batch that has been embedded as it is.
#[derive(Clone, Copy)]
pub(super) struct Embedded<'a> {
    pub(super) ids: &'a [Vec<u32>],
    pub(super) layout: &'a Layout,
    /// L2-normalised, in the order of the ids.
    pub(super) vectors: &'a [f32],
    /// As [`scale`](super::TrainOptions::scale).
    pub(super) scale: f64,
}

/// A hard negative with the row that it belongs to, as places of vectors.
struct Pair {
    anchor: usize,
    positive: usize,
    negative: usize,
    /// Of all terms; those of a batch sum to 1, or to less where rows have none.
    share: f64,
}

impl Embedded<'_> {
    fn vector(&self, place: usize, width: usize) -> &[f32] {
        &self.vectors[place * width..][..width]
    }

    /// The hard negatives that their own anchors see.
    fn pairs(&self) -> Vec<Pair> {
        let Layout { anchors, positives, negatives, weights, hidden, .. } = self.layout;
        let columns = positives.len() + negatives.len();
        let seen = negatives.iter().enumerate().filter(|(at, (_, row))| {
            let column = positives.len() + at;
            !hidden[row * columns + column]
        });
        let seen: Vec<(usize, usize)> = seen.map(|(_, &(text, row))| (text as usize, row)).collect();
        let mut counts = vec![0.0; anchors.len()];
        seen.iter().for_each(|&(_, row)| counts[row] += 1.0);
        let total: f64 = weights.iter().map(|&weight| f64::from(weight)).sum();
        let of_row = |row: usize| match total > 0.0 {
            true => f64::from(weights[row]) / total,
            false => 1.0 / weights.len() as f64,
        };
        let pair = |&(negative, row): &(usize, usize)| Pair {
            anchor: anchors[row] as usize,
            positive: positives[row] as usize,
            negative,
            share: of_row(row) / counts[row],
        };
        seen.iter().map(pair).collect()
    }
}

impl GradientNegatives {
    /// Sets [`epsilon`](GradientNegatives::epsilon).
    pub fn with_epsilon(mut self, share: f32) -> Self {
        self.epsilon = share;
        self
    }

    /// Sets [`weight`](GradientNegatives::weight).
    pub fn with_weight(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }

    /// # Errors
    /// [`Error::Invalid`] naming the first option that can't be used.
    pub fn validate(&self) -> Result<()> {
        if !(self.epsilon > 0.0 && self.epsilon <= 1.0) {
            let what = "the share by which negatives are displaced";
            return Err(Error::invalid(what, self.epsilon, "above 0, at most 1"));
        }
        if !(self.weight > 0.0 && self.weight.is_finite()) {
            let what = "the weight of displaced negatives";
            return Err(Error::invalid(what, self.weight, "a positive number"));
        }
        Ok(())
    }

    /// The term of a batch. Adds its gradient by the vectors of anchors and positives to `d_vectors`, and that of every
    /// parameter by way of the displaced negatives to the model's gradients.
    pub(super) fn add(
        self,
        model: &mut TrainableEncoder,
        batch: Embedded<'_>,
        part_tokens: usize,
        d_vectors: &mut [f32],
    ) -> Result<(f32, Displaced)> {
        let width = model.dimensions();
        let pairs = batch.pairs();
        let texts: Vec<&[u32]> = pairs.iter().map(|pair| &batch.ids[pair.negative][..]).collect();
        let (mut loss, mut rise) = (0.0, 0.0);
        for part in parts(&texts, part_tokens) {
            let texts: Vec<&[u32]> = part.iter().map(|&at| texts[at]).collect();
            let anchors = part.iter().flat_map(|&at| batch.vector(pairs[at].anchor, width));
            let displacement = self.displacement(model, &texts, anchors.copied().collect())?;
            let vectors = model.embed_displaced(&texts, &displacement)?.to_vec();
            let mut d_displaced = vec![0.0; vectors.len()];
            let moved = vectors.chunks_exact(width).zip(d_displaced.chunks_exact_mut(width));
            for (&at, (vector, d_vector)) in part.iter().zip(moved) {
                let pair = &pairs[at];
                loss += self.compare(batch, pair, vector, d_vector, d_vectors);
                let anchor = batch.vector(pair.anchor, width);
                rise += f64::from(dot(anchor, vector) - dot(anchor, batch.vector(pair.negative, width)));
            }
            model.backward(d_displaced)?;
        }
        let negatives = pairs.len() as u64;
        Ok((loss as f32, Displaced { negatives, rise: rise / negatives.max(1) as f64 }))
    }

    /// What moves texts towards anchors, whose vectors are given in the order of the texts: `(tokens, dimensions)`.
    pub(super) fn displacement(
        self,
        model: &mut TrainableEncoder,
        texts: &[&[u32]],
        anchors: Vec<f32>,
    ) -> Result<Vec<f32>> {
        model.embed(texts, true)?;
        // The vectors are of length 1: an anchor's is the gradient of the cosine to it.
        let InputGradient { input, mut gradient } = model.input_gradient(anchors)?;
        let width = model.dimensions();
        let (mut inputs, mut rest) = (&input[..], &mut gradient[..]);
        for text in texts {
            let (input, others) = inputs.split_at(text.len() * width);
            let (gradient, following) = rest.split_at_mut(text.len() * width);
            displace(input, self.epsilon, width, gradient);
            (inputs, rest) = (others, following);
        }
        Ok(gradient)
    }

    /// The term of a pair, and its gradients: by the displaced negative's vector, which is put in `d_vector`, and by those
    /// of anchor and positive, which is added.
    fn compare(
        self,
        batch: Embedded<'_>,
        pair: &Pair,
        vector: &[f32],
        d_vector: &mut [f32],
        d_vectors: &mut [f32],
    ) -> f64 {
        let width = vector.len();
        let (anchor, positive) = (batch.vector(pair.anchor, width), batch.vector(pair.positive, width));
        let above = batch.scale * f64::from(dot(anchor, vector) - dot(anchor, positive));
        let share = f64::from(self.weight) * pair.share;
        let slope = (share * batch.scale / (1.0 + (-above).exp())) as f32;
        for at in 0..width {
            d_vector[at] = slope * anchor[at];
            d_vectors[pair.anchor * width + at] += slope * (vector[at] - positive[at]);
            d_vectors[pair.positive * width + at] -= slope * anchor[at];
        }
        share * (above.max(0.0) + (-above.abs()).exp().ln_1p())
    }
}

/// Turns the gradient by a text's rows into their displacement.
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
