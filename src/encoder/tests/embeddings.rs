use std::path::Path;

use super::{cosine, distance, golden};
use crate::encoder::test_model::{devices, real_model, reference, tiny_model};
use crate::encoder::{Device, Encoder, EncoderOptions, EncoderPrecision, Kernel};

#[derive(serde::Deserialize)]
struct Golden {
    texts: Vec<Text>,
}

#[derive(serde::Deserialize)]
struct Text {
    name: String,
    text: String,
    token_ids: Vec<u32>,
    embedding: Vec<f32>,
}

/// An encoder in one precision, and how close to the reference it must be: the mean cosine and the worst.
struct Held {
    precision: EncoderPrecision,
    mean: f64,
    worst: f64,
}

const F32: Held = Held { precision: EncoderPrecision::F32, mean: 0.999999, worst: 0.99999 };
const BF16: Held = Held { precision: EncoderPrecision::Bf16, mean: 0.9999, worst: 0.999 };
const INT16: Held = Held { precision: EncoderPrecision::Int16, mean: 0.9999, worst: 0.999 };

/// Tokens must be equal and vectors as close as stated, for each text alone and for all in one call.
fn check(folder: &Path, golden_file: &str, kernel: Option<Kernel>, held: &Held) {
    let options = EncoderOptions { kernel, ..EncoderOptions::of(held.precision) };
    check_with(folder, golden_file, options, held);
}

fn check_with(folder: &Path, golden_file: &str, options: EncoderOptions, held: &Held) {
    let encoder = Encoder::load_with(folder, options).unwrap();
    let golden: Golden = golden(golden_file);
    assert_eq!(golden.texts.len(), 24);
    let texts: Vec<&str> = golden.texts.iter().map(|text| text.text.as_str()).collect();
    let together = encoder.encode(&texts).unwrap();
    let mut sum = 0.0;
    for (text, together) in golden.texts.iter().zip(&together) {
        assert_eq!(encoder.token_ids(&text.text).unwrap(), text.token_ids, "{}", text.name);
        let alone = encoder.encode_one(&text.text).unwrap();
        assert_eq!(alone.len(), encoder.dimensions());
        let similarity = cosine(&alone, &text.embedding);
        sum += similarity;
        let what =
            format!("{} on {}, {} in {}", text.name, encoder.device(), encoder.kernel(), held.precision);
        assert!(similarity >= held.worst, "{what}: cosine {similarity}");
        let apart = distance(&alone, &text.embedding);
        assert!(held.precision != EncoderPrecision::F32 || apart < 2e-5, "{what}: {apart} apart");
        assert!(distance(&alone, together) < 2e-6, "{what}: alone {} apart", distance(&alone, together));
    }
    let mean = sum / golden.texts.len() as f64;
    assert!(mean >= held.mean, "{} in {}: mean cosine {mean}", encoder.kernel(), held.precision);
}

#[test]
fn the_tiny_model_agrees_with_the_reference_on_every_kernel() {
    for kernel in Kernel::available() {
        check(&tiny_model(), "tiny_tokenize_embed.json", Some(kernel), &F32);
    }
}

#[test]
fn both_models_agree_with_the_reference_on_every_device() {
    let files =
        [(Some(tiny_model()), "tiny_tokenize_embed.json"), (real_model(), "real_tokenize_embed.json")];
    for (folder, golden_file) in files {
        let Some(folder) = folder else { continue };
        for device in devices().into_iter().filter(|&device| device != Device::Cpu) {
            let options = EncoderOptions::of(EncoderPrecision::F32).with_device(device);
            check_with(&folder, golden_file, options, &F32);
        }
    }
}

#[test]
fn the_tiny_model_in_the_layout_of_version_6_agrees_with_the_reference() {
    check(&reference().join("tiny-mpnet-saved-by-st6"), "tiny_tokenize_embed.json", None, &F32);
}

#[test]
fn the_real_model_agrees_with_the_reference() {
    if let Some(folder) = real_model() {
        for held in [F32, BF16] {
            check(&folder, "real_tokenize_embed.json", None, &held);
        }
        if Kernel::Avx2.is_available() {
            check(&folder, "real_tokenize_embed.json", Some(Kernel::Avx2), &INT16);
        }
    }
}
