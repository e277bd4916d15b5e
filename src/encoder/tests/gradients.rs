use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor, Var};

use super::{distance, golden};
use crate::encoder::test_model::{devices, real_model, tiny_model};
use crate::encoder::{Device as Place, EncoderPrecision, Kernel, TrainableEncoder};

const COLUMNS: [&str; 3] = ["anchor", "positive", "negative_1"];

#[derive(serde::Deserialize)]
struct Losses {
    texts: BTreeMap<String, Vec<String>>,
}

#[derive(serde::Deserialize)]
struct Gradients {
    loss_value: f32,
    grad_l2: BTreeMap<String, Option<f64>>,
    #[serde(default)]
    full_gradients: BTreeMap<String, Vec<f32>>,
}

/// The loss of the golden gradients: cross-entropy of cosines scaled by 20. Each anchor's positive competes with all
/// positives and hard negatives of the batch.
fn loss(embeddings: &Tensor) -> candle_core::Result<Tensor> {
    let rows = embeddings.dim(0)? / COLUMNS.len();
    let anchors = embeddings.narrow(0, 0, rows)?;
    let candidates = embeddings.narrow(0, rows, embeddings.dim(0)? - rows)?;
    let scores = (anchors.matmul(&candidates.t()?)? * 20.0)?;
    let labels = Tensor::arange(0, rows as u32, &Device::Cpu)?;
    candle_nn::loss::cross_entropy(&scores, &labels)
}

/// The results for the reference's texts.
struct Computed {
    encoder: TrainableEncoder,
    vectors: Vec<f32>,
    loss: f32,
    gradients: Vec<Vec<f32>>,
}

impl Computed {
    fn new(
        place: Place,
        folder: &Path,
        which: &str,
        precision: EncoderPrecision,
        kernel: Kernel,
    ) -> Computed {
        let losses: Losses = golden(&format!("{which}_mnrl_losses.json"));
        let mut encoder = TrainableEncoder::load(place, folder, precision, kernel).unwrap();
        let texts = COLUMNS.iter().flat_map(|c| losses.texts[*c].iter());
        let ids: Vec<Vec<u32>> =
            texts.map(|text| encoder.token_ids(text, encoder.max_tokens()).unwrap()).collect();
        let ids: Vec<&[u32]> = ids.iter().map(Vec::as_slice).collect();
        let vectors = encoder.embed(&ids, true).unwrap().to_vec();
        let shape = (ids.len(), encoder.dimensions());
        let variable = Var::from_vec(vectors.clone(), shape, &Device::Cpu).unwrap();
        let loss = loss(variable.as_tensor()).unwrap();
        let d_vectors = loss.backward().unwrap().remove(variable.as_tensor()).unwrap();
        encoder.backward(d_vectors.flatten_all().unwrap().to_vec1().unwrap()).unwrap();
        let gradients = encoder.gradients().unwrap().into_owned();
        Computed { encoder, vectors, loss: loss.to_scalar().unwrap(), gradients }
    }
}

/// The gradient of every variable must match the reference.
fn check(place: Place, folder: &Path, which: &str, tolerance: f64) {
    let rows: BTreeMap<String, serde_json::Value> = golden(&format!("{which}_mnrl_embeddings.json"));
    let rows = |name: &str| -> Vec<Vec<f32>> { serde_json::from_value(rows[name].clone()).unwrap() };
    let expected: Gradients = golden(&format!("{which}_mnrl_gradients.json"));

    let Computed { encoder, vectors, loss, gradients } =
        Computed::new(place, folder, which, EncoderPrecision::F32, Kernel::best().unwrap());
    let golden_rows: Vec<Vec<f32>> = COLUMNS.iter().flat_map(|column| rows(column)).collect();
    assert!(distance(&vectors, &golden_rows.concat()) < 2e-5);
    let golden = expected.loss_value;
    assert!((loss - golden).abs() < tolerance as f32 * golden, "loss {loss}, not {golden}");
    assert!(encoder.names().is_sorted());
    assert_eq!(encoder.names().len(), expected.grad_l2.values().flatten().count());
    for (name, gradient) in encoder.names().iter().zip(gradients) {
        let length = gradient.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        if name.ends_with("attn.k.bias") {
            assert!(length < 1e-5, "{name} has gradient {length}, in theory zero");
            continue;
        }
        let golden = expected.grad_l2[name].unwrap();
        assert!(
            length > 0.0 && (length - golden).abs() < tolerance * golden,
            "{name}: {length}, not {golden}"
        );
        if let Some(golden) = expected.full_gradients.get(name) {
            assert!(distance(&gradient, golden) < 1e-5, "{name}");
        }
    }
}

#[test]
fn every_variable_of_the_tiny_model_gets_the_gradient_of_the_reference() {
    for device in devices() {
        check(device, &tiny_model(), "tiny", 2e-5);
    }
}

#[test]
fn every_variable_of_the_real_model_gets_the_gradient_of_the_reference() {
    if let Some(folder) = real_model() {
        for device in devices() {
            check(device, &folder, "real", 1e-4);
        }
    }
}

/// Training in bf16, or int16 with a bf16 tape, must end up where f32 does.
fn check_by_default(folder: &Path, which: &str, kernel: Kernel) {
    let length = |x: &[f32]| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let reference = Computed::new(Place::Cpu, folder, which, EncoderPrecision::F32, kernel);
    let found = Computed::new(Place::Cpu, folder, which, EncoderPrecision::Bf16, kernel);
    let pairs = reference.gradients.iter().zip(&found.gradients);
    for (name, (reference, found)) in found.encoder.names().iter().zip(pairs) {
        let difference: Vec<f32> = reference.iter().zip(found).map(|(a, b)| a - b).collect();
        let off = length(&difference) / length(reference);
        assert!(off < 0.05 || name.ends_with("attn.k.bias"), "{kernel}, {name}: off by {off}");
    }
}

#[test]
fn every_kernels_default_gradients_follow_the_reference() {
    for kernel in Kernel::available() {
        check_by_default(&tiny_model(), "tiny", kernel);
    }
    if let Some(folder) = real_model() {
        check_by_default(&folder, "real", Kernel::best().unwrap());
    }
}
