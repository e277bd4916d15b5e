//! The own kernels against candle, on texts of all shapes.

use proptest::prelude::*;

use super::distance;
use crate::encoder::test_model::tiny_model;
use crate::encoder::{Device, EncoderPrecision, Kernel, TrainableEncoder};

fn load(device: Device, kernel: Kernel) -> TrainableEncoder {
    TrainableEncoder::load(device, &tiny_model(), EncoderPrecision::F32, kernel).unwrap()
}

/// Vectors and gradients of texts, given the gradient of the vectors.
fn computed(model: &mut TrainableEncoder, texts: &[&[u32]], d_vectors: &[f32]) -> (Vec<f32>, Vec<Vec<f32>>) {
    let vectors = model.embed(texts, true).unwrap().to_vec();
    model.zero_gradients();
    model.backward(d_vectors.to_vec()).unwrap();
    (vectors, model.gradients().unwrap().into_owned())
}

fn check(texts: &[Vec<u32>], frozen: usize, seed: f32) {
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let mut reference = load(Device::CandleCpu, Kernel::Portable);
    reference.freeze(frozen).unwrap();
    let d_vectors: Vec<f32> =
        (0..texts.len() * reference.dimensions()).map(|at| (seed + at as f32).sin()).collect();
    let (golden, gradients) = computed(&mut reference, &texts, &d_vectors);
    assert!(distance(reference.embed(&texts, false).unwrap(), &golden) < 2e-6, "fused operations");
    for kernel in Kernel::available() {
        let mut model = load(Device::Cpu, kernel);
        model.freeze(frozen).unwrap();
        let (vectors, found) = computed(&mut model, &texts, &d_vectors);
        assert!(distance(&vectors, &golden) < 1e-5, "{kernel}: {}", distance(&vectors, &golden));
        for ((name, found), golden) in model.names().iter().zip(&found).zip(&gradients) {
            let largest = golden.iter().fold(0.0, |largest: f32, x| largest.max(x.abs()));
            // Zero in theory: softmax ignores a constant added to a whole row.
            let scale = if name.ends_with("attn.k.bias") { 1.0 } else { largest.max(1e-2) };
            let apart = distance(found, golden);
            assert!(apart < 1e-4 * scale, "{kernel}, {name}: {apart} apart, of {largest}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_kernel_gives_candles_vectors_and_gradients(
        // The ids include the padding token, as a text may.
        texts in prop::collection::vec(prop::collection::vec(0u32..311, 1..40), 1..6),
        frozen in 0usize..2,
        seed in 0f32..6.0,
    ) {
        check(&texts, frozen, seed);
    }
}

#[test]
fn a_long_text_beside_a_short_one_gives_candles_vectors_and_gradients() {
    let long = (0..384).map(|at| at * 7 % 311).collect();
    check(&[long, vec![0, 2]], 0, 1.0);
}
