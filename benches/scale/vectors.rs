//! The vectors of the passages: encoded ones, and others sampled around them.

use std::path::Path;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use retune::Encoder;

use crate::build::record;
use crate::dense::{DenseIndex, DenseOptions};
use crate::ids::{ChunkId, Digest};
use crate::texts::Texts;

/// Passages per encoding call.
const BLOCK: usize = 256;
/// Encoded vectors whose neighbours are examined, and how many neighbours of each.
const SAMPLE: usize = 200;
const NEIGHBOURS: usize = 10;
/// Number of differences of two encoded vectors in a sampled vector's noise.
const DIFFERENCES: usize = 4;

pub(crate) struct Vectors {
    /// Digest of the encoder's weights.
    pub(crate) weights: Digest,
    encoded: Vec<Vec<f32>>,
    /// Cosines of encoded vectors to their nearest neighbours, ascending.
    near: Vec<f32>,
}

impl Vectors {
    /// Encodes the first passages, or reads their vectors from `folder`.
    pub(crate) fn of(encoder: &Encoder, texts: &Texts, folder: &Path) -> Vectors {
        let weights = Digest(encoder.weights().0);
        let options = DenseOptions { exact_below: usize::MAX, ..DenseOptions::default() };
        let kept = DenseIndex::open(folder, weights);
        let created = || DenseIndex::create(folder, encoder.dimensions(), weights, options);
        let mut kept = kept.or_else(|_| created()).expect("a folder for vectors");
        let numbers = |range: std::ops::Range<usize>| range.map(|number| ChunkId(number as u64));
        let rows = |kept: &DenseIndex| kept.highest_chunk().map_or(0, |last| last.0 as usize + 1);
        while rows(&kept) < texts.encoded {
            let range = rows(&kept)..texts.encoded.min(rows(&kept) + BLOCK);
            let block: Vec<String> =
                range.clone().map(|number| record(texts, number).encoder_text()).collect();
            let vectors = encoder.encode(&block).expect("vectors");
            let encoded: Vec<_> = numbers(range).zip(vectors.iter().map(Vec::as_slice)).collect();
            kept.append(&encoded).expect("room for vectors");
            eprintln!("{} of {} passages encoded", rows(&kept), texts.encoded);
        }
        let all: Vec<ChunkId> = numbers(0..texts.encoded).collect();
        let view = kept.view(&all).expect("a view");
        let encoded: Vec<Vec<f32>> = all.iter().filter_map(|&number| view.vector(number)).collect();
        let mut near = Vec::new();
        for vector in encoded.iter().step_by((encoded.len() / SAMPLE).max(1)) {
            // The first is the vector itself.
            let found = view.search(vector, NEIGHBOURS + 1, None).expect("neighbours");
            near.extend(found.into_iter().skip(1).map(|(_, cosine)| cosine));
        }
        near.sort_by(f32::total_cmp);
        Vectors { weights, encoded, near }
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.encoded[0].len()
    }

    /// The vector of passage `number`: encoded, or sampled around an encoded one.
    ///
    /// The cosine of a sampled vector to its base is drawn from those of encoded vectors to their ten nearest
    /// neighbours. The component orthogonal to the base is a sum of differences of encoded vectors, so that it varies
    /// where they vary.
    pub(crate) fn vector(&self, texts: &Texts, number: usize) -> Vec<f32> {
        if let Some(own) = self.encoded.get(number) {
            return own.clone();
        }
        let (base, mut random) = texts.base(number);
        let base = &self.encoded[base];
        let cosine = *self.near.choose(&mut random).expect("a neighbour");
        let mut noise = vec![0.0; base.len()];
        for _ in 0..DIFFERENCES {
            let mut any = || self.encoded.choose(&mut random).expect("a vector");
            let (a, b) = (any(), any());
            noise.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a - b);
        }
        let along = dot(&noise, base);
        noise.iter_mut().zip(base).for_each(|(noise, base)| *noise -= along * base);
        let length = dot(&noise, &noise).sqrt().max(f32::MIN_POSITIVE);
        let share = (1.0 - cosine * cosine).max(0.0).sqrt() / length;
        base.iter().zip(noise).map(|(base, noise)| cosine * base + share * noise).collect()
    }

    /// Describes the sampled vectors.
    pub(crate) fn describe(&self) {
        let at = |share: f64| self.near[((self.near.len() - 1) as f64 * share) as usize];
        println!(
            "{} passages encoded, {} dimensions; cosines to their ten nearest neighbours: {:.2} (5 %), {:.2} (median), \
             {:.2} (95 %)",
            self.encoded.len(),
            self.dimensions(),
            at(0.05),
            at(0.5),
            at(0.95),
        );
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
