//! Tests of the model's internals. `encoder/tests` and `train/tests` run on every device.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use super::batch::Batch;
use super::build::Build;
use super::forms::Forms;
use super::model::{Mpnet, mean};
use crate::encoder::config::ModelConfig;
use crate::encoder::parameters::Parameters;
use crate::encoder::test_model::{real_model, tiny_model};
use crate::encoder::tests::activations::{Golden, check_hidden, check_pooled};
use crate::encoder::tests::{distance, golden};
use crate::encoder::weights::WeightFile;

fn model(folder: &Path, forms: Forms) -> (ModelConfig, Mpnet) {
    let config = ModelConfig::read(folder).unwrap();
    let file = WeightFile::open(folder).unwrap();
    let (weights, device) = (file.tensors().unwrap(), Device::Cpu);
    let mut tensors = HashMap::new();
    Parameters::build(&config, &mut |name, shape| {
        let numbers = weights.get(name, shape)?;
        tensors.insert(name.to_string(), Tensor::from_slice(&numbers, shape, &device).unwrap());
        Ok(())
    })
    .unwrap();
    let build = Build { config: &config, device: &device, product: DType::F32, forms, fixed: true };
    let model = Mpnet::new(&build, tensors).unwrap();
    (config, model)
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Each text alone, and padded next to a longer one.
fn check(folder: &Path, golden_file: &str, forms: Forms) {
    let golden: Golden = golden(golden_file);
    let (config, model) = model(folder, forms);
    let tokens = golden.token_ids.len();
    let longer = [&golden.token_ids[..], &[5, 6, 7]].concat();
    for texts in [vec![&golden.token_ids[..]], vec![&golden.token_ids[..], &longer]] {
        let batch = Batch::new(&texts, &Device::Cpu).unwrap();
        let first = |x: &Tensor| numbers(&x.narrow(0, 0, tokens).unwrap());
        let mut x = model.normalise(&model.sum(&batch).unwrap()).unwrap();
        check_hidden(0, &first(&x), &golden.hidden[0]);
        for layer in 0..config.layers {
            let weights = numbers(&model.attention_weights(layer, &x, &batch).unwrap());
            let apart = distance(&weights[..tokens], &golden.attention_row0[layer]);
            assert!(apart < 2e-6, "attention in layer {layer}: {apart} apart");
            assert!(weights[tokens..batch.longest].iter().all(|weight| *weight == 0.0), "padding is seen");
            x = model.pass(layer..layer + 1, &x, &batch).unwrap();
            check_hidden(layer + 1, &first(&x), &golden.hidden[layer + 1]);
        }
        let pooled = numbers(&mean(&x, &batch).unwrap());
        check_pooled(&pooled[..config.hidden], &golden);
    }
}

#[test]
fn every_layer_of_the_tiny_model_agrees_with_the_reference() {
    for forms in [Forms::Fused, Forms::Composed] {
        check(&tiny_model(), "tiny_activations.json", forms);
    }
}

#[test]
fn every_layer_of_the_real_model_agrees_with_the_reference() {
    if let Some(folder) = real_model() {
        check(&folder, "real_activations.json", Forms::Fused);
    }
}

#[test]
fn rows_of_tokens_are_padded_and_come_back() {
    let batch = Batch::new(&[&[0, 5, 2], &[0, 2]], &Device::Cpu).unwrap();
    let rows: Vec<f32> = (1..11).map(|x| x as f32).collect();
    let padded = batch.padded(&rows, 2, &Device::Cpu).unwrap();
    assert_eq!(numbers(&padded), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 0.0, 0.0]);
    assert_eq!(batch.unpadded(&padded).unwrap(), rows);
}
