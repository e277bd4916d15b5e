//! Each operation against a plain implementation: values and gradients, on every kernel.

mod layers;
mod products;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(-1.5..1.5)).collect()
}

/// The largest difference, as a share of the largest number.
fn apart(found: &[f32], golden: &[f32]) -> f32 {
    assert_eq!(found.len(), golden.len());
    let largest = golden.iter().fold(1e-3f32, |max, x| max.max(x.abs()));
    found.iter().zip(golden).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest
}
