use std::path::Path;

use super::{distance, golden};
use crate::encoder::config::ModelConfig;
use crate::encoder::mpnet::{LayerRecord, Mpnet, Record, Tables, Workspace};
use crate::encoder::ops::{EncoderPrecision, Kernel, Run, relative_position_bucket};
use crate::encoder::parameters::Parameters;
use crate::encoder::test_model::{real_model, tiny_model};
use crate::encoder::weights::WeightFile;

#[derive(serde::Deserialize)]
pub(in crate::encoder) struct Golden {
    pub(in crate::encoder) token_ids: Vec<u32>,
    pub(in crate::encoder) hidden: Vec<Hidden>,
    pub(in crate::encoder) attention_row0: Vec<Vec<f32>>,
    position_bias_head0: Vec<Vec<f32>>,
    mean_pooled_before_norm: Vec<f32>,
    mean_pooled_l2: f32,
}

#[derive(serde::Deserialize)]
pub(in crate::encoder) struct Hidden {
    l2: f32,
    first8: Vec<Vec<f32>>,
}

fn l2(x: &[f32]) -> f32 {
    x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt() as f32
}

pub(in crate::encoder) fn check_hidden(layer: usize, hidden: &[f32], golden: &Hidden) {
    let rows = hidden.chunks_exact(hidden.len() / golden.first8.len());
    let all = l2(hidden);
    assert!((all - golden.l2).abs() < 2e-6 * golden.l2, "hidden state {layer}: length {all}, {}", golden.l2);
    for (token, (row, golden)) in rows.zip(&golden.first8).enumerate() {
        let apart = distance(&row[..8], golden);
        assert!(apart < 2e-5, "hidden state {layer}, token {token}: {apart} apart");
    }
}

/// The mean over the tokens.
pub(in crate::encoder) fn check_pooled(pooled: &[f32], golden: &Golden) {
    let some = &pooled[..golden.mean_pooled_before_norm.len()];
    assert!(distance(some, &golden.mean_pooled_before_norm) < 1e-5);
    assert!((l2(pooled) - golden.mean_pooled_l2).abs() < 1e-5);
}

fn check(folder: &Path, golden_file: &str) {
    let golden: Golden = golden(golden_file);
    let config = ModelConfig::read(folder).unwrap();
    let file = WeightFile::open(folder).unwrap();
    let weights = file.tensors().unwrap();
    let parameters = Parameters::build(&config, &mut |name, shape| weights.get(name, shape)).unwrap();
    let run = Run { kernel: Kernel::best().unwrap(), threads: 1 };
    let model = Mpnet::new(run, EncoderPrecision::F32, &config, &parameters, &|numbers| numbers, None);
    let tables = Tables { words: &parameters.words, positions: &parameters.positions };
    let mut space = Workspace::default();
    let tokens = golden.token_ids.len();
    let narrow = tokens * config.hidden;
    space.batch.set(std::iter::once(golden.token_ids.as_slice()));
    assert_eq!(golden.hidden.len(), config.layers + 1);

    model.input(run, tables, &mut space, &mut Record::Nothing);
    check_hidden(0, &space.x[..narrow], &golden.hidden[0]);
    for (i, layer) in model.layers.iter().enumerate() {
        layer.forward(run, &model, &mut space, LayerRecord::Nothing);
        let weights = model.attention(&space.batch, &space.bias).weights(run, &space.qkv[..3 * narrow], 0);
        assert!(distance(&weights[..tokens], &golden.attention_row0[i]) < 2e-6, "attention in layer {i}");
        check_hidden(i + 1, &space.x[..narrow], &golden.hidden[i + 1]);
    }
    model.pool(&mut space);
    check_pooled(&space.pooled[..config.hidden], &golden);

    let table: Vec<&[f32]> = parameters.table.chunks_exact(config.heads).collect();
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
