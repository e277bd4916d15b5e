//! Hard negatives that are made of others (MoCHi: Kalantidis et al., "Hard Negative Mixing for Contrastive Learning",
//! NeurIPS 2020).
//!
//! They are points between embeddings, not texts, and cost no pass through the encoder. As in the paper no gradient flows
//! through them into what they were made of, only into the anchor that sees them.

use rand::seq::index::sample;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::loss::Layout;
use crate::error::{Error, Result};

/// Negatives made of each anchor's hardest candidates, which that anchor alone sees in addition. A candidate that is
/// hidden from it, or is its positive, takes no part. The defaults suit a batch of 16; none of it has been measured here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Mixing {
    /// So many candidates of the greatest cosine to the anchor are mixed: 1 or more, and 2 or more for pairs. Default 8.
    pub hardest: usize,
    /// Mixtures of two of them, `α·n + (1−α)·m` with α uniform in 0 to 1. An anchor that sees but one candidate has
    /// none. Default 4.
    pub pairs: usize,
    /// Mixtures of one of them with the anchor itself, `β·anchor + (1−β)·n` with β uniform in 0 to 0.5, so that the
    /// candidate has the greater share. Default 2.
    pub anchored: usize,
}

impl Default for Mixing {
    fn default() -> Self {
        Mixing { hardest: 8, pairs: 4, anchored: 2 }
    }
}

impl Mixing {
    /// Sets [`hardest`](Mixing::hardest).
    pub fn with_hardest(mut self, candidates: usize) -> Self {
        self.hardest = candidates;
        self
    }

    /// Sets [`pairs`](Mixing::pairs).
    pub fn with_pairs(mut self, mixtures: usize) -> Self {
        self.pairs = mixtures;
        self
    }

    /// Sets [`anchored`](Mixing::anchored).
    pub fn with_anchored(mut self, mixtures: usize) -> Self {
        self.anchored = mixtures;
        self
    }

    /// # Errors
    /// [`Error::Invalid`] naming the first option that can't be used.
    pub fn validate(&self) -> Result<()> {
        if self.pairs + self.anchored == 0 {
            return Err(Error::invalid("the number of mixtures", 0, "1 or more, or no mixing"));
        }
        let least = if self.pairs > 0 { 2 } else { 1 };
        if self.hardest < least {
            return Err(Error::invalid(
                "the number of candidates to mix",
                self.hardest,
                format!("{least} or more"),
            ));
        }
        Ok(())
    }

    /// Mixtures for every anchor of a batch. Equal seed, step and vectors give equal mixtures.
    pub(super) fn mix(
        self,
        vectors: &[f32],
        width: usize,
        layout: &Layout,
        seed: u64,
        step: usize,
    ) -> Mixtures {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // The order of the examples counts its streams, one an epoch, from the other end.
        random.set_stream(u64::MAX - step as u64);
        let unit = |row: u32| {
            let mut vector = vectors[row as usize * width..][..width].to_vec();
            normalise(&mut vector);
            vector
        };
        let anchors: Vec<Vec<f32>> = layout.anchors.iter().map(|&row| unit(row)).collect();
        let candidates: Vec<Vec<f32>> = layout.candidates().map(unit).collect();
        let mut mixtures = Mixtures { each: self.pairs + self.anchored, ..Mixtures::default() };
        for (row, anchor) in anchors.iter().enumerate() {
            let hidden = &layout.hidden[row * candidates.len()..][..candidates.len()];
            let hardest = self.nearest(anchor, &candidates, |column| column != row && !hidden[column]);
            for _ in 0..self.pairs {
                mixtures.push(
                    width,
                    (hardest.len() > 1).then(|| {
                        let two = sample(&mut random, hardest.len(), 2);
                        between(hardest[two.index(0)], hardest[two.index(1)], random.random_range(0.0..1.0))
                    }),
                );
            }
            for _ in 0..self.anchored {
                mixtures.push(
                    width,
                    (!hardest.is_empty()).then(|| {
                        let one = hardest[random.random_range(0..hardest.len())];
                        between(anchor, one, random.random_range(0.0..0.5))
                    }),
                );
            }
        }
        mixtures
    }

    /// The candidates of the greatest cosine among those that are seen.
    fn nearest<'a>(
        self,
        anchor: &[f32],
        candidates: &'a [Vec<f32>],
        seen: impl Fn(usize) -> bool,
    ) -> Vec<&'a [f32]> {
        let seen = candidates.iter().enumerate().filter(|(column, _)| seen(*column));
        let mut found: Vec<(f32, &[f32])> =
            seen.map(|(_, candidate)| (dot(anchor, candidate), &candidate[..])).collect();
        found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        found.into_iter().take(self.hardest).map(|(_, candidate)| candidate).collect()
    }
}

/// Mixtures of a batch, equally many for each anchor.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Mixtures {
    /// Of an anchor.
    pub(super) each: usize,
    /// `(anchors, each, width)`, of length 1; zeros where there is none.
    pub(super) vectors: Vec<f32>,
    /// Where there is none, since the anchor sees too few candidates: `(anchors, each)`.
    pub(super) absent: Vec<bool>,
}

impl Mixtures {
    fn push(&mut self, width: usize, mixture: Option<Vec<f32>>) {
        self.absent.push(mixture.is_none());
        self.vectors.extend(mixture.unwrap_or_else(|| vec![0.0; width]));
    }
}

/// `share` of `a` and the rest of `b`, at length 1.
fn between(a: &[f32], b: &[f32], share: f32) -> Vec<f32> {
    let mut mixture: Vec<f32> = a.iter().zip(b).map(|(a, b)| share * a + (1.0 - share) * b).collect();
    normalise(&mut mixture);
    mixture
}

fn normalise(vector: &mut [f32]) {
    let length = dot(vector, vector).sqrt().max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|number| *number /= length);
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
