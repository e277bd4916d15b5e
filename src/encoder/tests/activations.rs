use std::path::Path;

use candle_core::Tensor;

use super::{distance, golden};
use crate::encoder::batch::Batch;
use crate::encoder::config::ModelConfig;
use crate::encoder::mpnet::Mpnet;
use crate::encoder::ops::relative_position_bucket;
use crate::encoder::test_model::{real_model, tiny_model};
use crate::encoder::weights::WeightFile;

#[derive(serde::Deserialize)]
struct Golden {
    token_ids: Vec<u32>,
    hidden: Vec<Hidden>,
    attention_row0: Vec<Vec<f32>>,
    position_bias_head0: Vec<Vec<f32>>,
    mean_pooled_before_norm: Vec<f32>,
    mean_pooled_l2: f32,
}

#[derive(serde::Deserialize)]
struct Hidden {
    l2: f32,
    first8: Vec<Vec<f32>>,
}

fn l2(x: &[f32]) -> f32 {
    x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt() as f32
}

fn check_hidden(layer: usize, hidden: &Tensor, golden: &Hidden) {
    let rows: Vec<Vec<f32>> = hidden.to_vec2().unwrap();
    let all = l2(&rows.concat());
    assert!((all - golden.l2).abs() < 2e-6 * golden.l2, "hidden state {layer}: length {all}, {}", golden.l2);
    for (token, (row, golden)) in rows.iter().zip(&golden.first8).enumerate() {
        let apart = distance(&row[..8], golden);
        assert!(apart < 2e-5, "hidden state {layer}, token {token}: {apart} apart");
    }
}

fn check(folder: &Path, golden_file: &str) {
    let golden: Golden = golden(golden_file);
    let config = ModelConfig::read(folder).unwrap();
    let file = WeightFile::open(folder).unwrap();
    let weights = file.tensors().unwrap();
    let model = Mpnet::build(&config, &mut |name, shape| weights.get_for_search(name, shape)).unwrap();
    let batch = Batch::new(std::iter::once(golden.token_ids.as_slice())).unwrap();
    assert_eq!(golden.hidden.len(), config.layers + 1);

    let mut hidden = model.input(&batch, 1).unwrap();
    check_hidden(0, &hidden, &golden.hidden[0]);
    for (i, layer) in model.layers.iter().enumerate() {
        let (qk, small) = layer.attention_input(&hidden, model.table(), 1).unwrap();
        let row = layer.attention(&batch, 1).weights(&qk, &hidden, &small, 0).unwrap();
        let row = &row[..golden.token_ids.len()];
        assert!(distance(row, &golden.attention_row0[i]) < 2e-6, "attention in layer {i}");
        hidden = layer.forward(&hidden, model.table(), &batch, 1).unwrap();
        check_hidden(i + 1, &hidden, &golden.hidden[i + 1]);
    }
    let pooled = model.pool(&hidden, &batch).unwrap().to_vec2::<f32>().unwrap().concat();
    let some = &pooled[..golden.mean_pooled_before_norm.len()];
    assert!(distance(some, &golden.mean_pooled_before_norm) < 1e-5);
    assert!((l2(&pooled) - golden.mean_pooled_l2).abs() < 1e-5);

    let table: Vec<Vec<f32>> = model.table().to_vec2().unwrap();
    for (query, row) in golden.position_bias_head0.iter().enumerate() {
        for (key, golden) in row.iter().enumerate() {
            let bucket = relative_position_bucket(key as isize - query as isize);
            assert!((table[bucket][0] - golden).abs() < 1e-7, "bias of key {key} for query {query}");
        }
    }
}

#[test]
fn every_layer_of_the_tiny_model_agrees_with_the_reference() {
    check(&tiny_model(), "tiny_activations.json");
}

#[test]
fn every_layer_of_the_real_model_agrees_with_the_reference() {
    if let Some(folder) = real_model() {
        check(&folder, "real_activations.json");
    }
}
