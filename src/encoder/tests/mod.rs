//! The encoder against sentence-transformers, one behaviour a file.

pub(super) mod activations;
mod candle;
mod damaged_folders;
mod displaced;
mod embeddings;
mod gradients;
mod int8;
mod positions;
mod saving;
mod unusual_texts;

use serde::de::DeserializeOwned;

use super::test_model::reference;

/// A file of golden values.
pub(super) fn golden<T: DeserializeOwned>(name: &str) -> T {
    let text = std::fs::read(reference().join(name)).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

pub(super) fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
