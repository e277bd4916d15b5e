//! Loss, gradients and optimiser against sentence-transformers and torch.

mod checkpoint;
mod equivalence;
mod golden;
mod gradient_negatives;
mod monitor;
mod real_model;

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::mask::{Known, Mask};
use super::optimizer::{Optimizer, global_norm, gradient_norm};
use super::options::TrainOptions;
use super::row::{Answers, Documents, TrainingRow};
use super::scope::NegativeScope;
use super::step::{Batch, add_gradients, clip};
use super::trainer::train;
use super::training::{TrainReport, Training};
use crate::encoder::test_model::{reference, tiny_model};
use crate::encoder::{Device, EncoderPrecision, Kernel, TrainableEncoder};
use crate::error::Result;
use crate::negatives::NegativeKind;

fn read<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&std::fs::read(reference().join(name)).unwrap()).unwrap()
}

fn close(found: f64, golden: f64, relative: f64, what: &str) {
    assert!((found - golden).abs() <= relative * golden.abs().max(1e-3), "{what}: {found}, not {golden}");
}

/// The six reference rows with this many of their hard negatives.
fn reference_rows(which: &str, negatives: usize) -> Vec<TrainingRow> {
    #[derive(serde::Deserialize)]
    struct File {
        texts: BTreeMap<String, Vec<String>>,
    }
    let file: File = read(&format!("{which}_mnrl_losses.json"));
    (0..6)
        .map(|row| TrainingRow {
            anchor: file.texts["anchor"][row].clone(),
            positive: file.texts["positive"][row].clone(),
            other_answers: Vec::new(),
            weight: 1.0,
            kinds: vec![NegativeKind::Semantic; negatives],
            negatives: (1..=negatives).map(|n| file.texts[&format!("negative_{n}")][row].clone()).collect(),
        })
        .collect()
}

/// Computes loss and gradients of rows as one batch.
fn batch(
    model: &mut TrainableEncoder,
    rows: &[TrainingRow],
    scope: NegativeScope,
    part_tokens: usize,
) -> (f32, Vec<Vec<f32>>) {
    batch_with(model, rows, scope, None, part_tokens)
}

fn batch_with(
    model: &mut TrainableEncoder,
    rows: &[TrainingRow],
    scope: NegativeScope,
    gradient_negatives: Option<f32>,
    part_tokens: usize,
) -> (f32, Vec<Vec<f32>>) {
    let answers = Answers::of(rows);
    let rows: Vec<&TrainingRow> = rows.iter().collect();
    let hidden = Mask::of(&rows, scope, Known { answers: &answers, guide: None }).hidden;
    model.zero_gradients();
    let batch = Batch { rows: &rows, documents: Documents::Move, hidden: &hidden, gradient_negatives };
    let loss = add_gradients(model, batch, part_tokens).unwrap().loss;
    (loss, model.gradients().unwrap().into_owned())
}

/// Trains to the end, without a guide.
fn run(model: &mut TrainableEncoder, rows: &[TrainingRow], options: &TrainOptions) -> Result<TrainReport> {
    let training = Training {
        rows,
        options,
        chunks: 100,
        guide: None,
        documents: Documents::Move,
        monitor: true,
        checkpoints: None,
    };
    train(model, training, &mut |_| std::ops::ControlFlow::Continue(()))
}

fn losses(report: &TrainReport) -> Vec<f32> {
    report.steps.iter().map(|step| step.loss).collect()
}

/// Six rows that share no text.
fn options() -> TrainOptions {
    TrainOptions::default().with_batch_size(6).with_epochs(3).with_frozen_layers(0)
}

/// A model in f32.
fn load_on(device: Device, folder: &Path) -> TrainableEncoder {
    let kernel = Kernel::best().unwrap();
    TrainableEncoder::load(device, folder, EncoderPrecision::F32, kernel).unwrap()
}

fn load(folder: &Path) -> TrainableEncoder {
    load_on(Device::Cpu, folder)
}

fn tiny() -> TrainableEncoder {
    load(&tiny_model())
}

/// Losses of a model on its reference rows.
fn check_losses(folder: &Path, which: &str, relative: f64) {
    #[derive(serde::Deserialize)]
    struct Golden {
        loss: f64,
    }
    #[derive(serde::Deserialize)]
    struct File {
        losses: BTreeMap<String, Golden>,
    }
    let file: File = read(&format!("{which}_mnrl_losses.json"));
    let mut model = load(folder);
    for (name, negatives, scope) in [
        ("pairs", 0, NegativeScope::Batch),
        ("triplets_shared", 1, NegativeScope::Batch),
        ("two_negatives_shared", 2, NegativeScope::Batch),
        ("triplets_own_negative_only", 1, NegativeScope::OwnAnchor),
        ("two_negatives_own_only", 2, NegativeScope::OwnAnchor),
    ] {
        let (loss, _) = batch(&mut model, &reference_rows(which, negatives), scope, usize::MAX);
        close(loss.into(), file.losses[name].loss, relative, name);
    }
    let mut repeated = reference_rows(which, 1);
    repeated[5].positive = repeated[0].positive.clone();
    if let Some(golden) = file.losses.get("triplets_shared_duplicate_positive_masked") {
        let (loss, _) = batch(&mut model, &repeated, NegativeScope::Batch, usize::MAX);
        close(loss.into(), golden.loss, relative, "a duplicate positive, masked");
    }
}

/// The f32 rounding error in a gradient of norm 3 where a number should be almost zero.
const ROUNDING: f64 = 1e-7;

/// Checks the gradients of a model on its reference rows: the norms, in total and by parameter, and sample numbers.
/// Each may be off by a share of its own size and of the largest next to it.
fn check_gradients(device: Device, folder: &Path, which: &str, norms: f64, numbers: f64) {
    #[derive(serde::Deserialize)]
    struct File {
        total_grad_l2: f64,
        grad_l2: BTreeMap<String, Option<f64>>,
        grad_first8: BTreeMap<String, Vec<f64>>,
        /// For the tiny model alone.
        #[serde(default)]
        full_gradients: BTreeMap<String, Vec<f64>>,
    }
    let file: File = read(&format!("{which}_mnrl_gradients.json"));
    let mut model = load_on(device, folder);
    let (_, gradients) = batch(&mut model, &reference_rows(which, 1), NegativeScope::Batch, usize::MAX);
    close(global_norm(&gradients), file.total_grad_l2, norms, "all gradients");
    let names = model.names().iter().map(String::as_str);
    let gradients: BTreeMap<&str, &Vec<f32>> = names.zip(&gradients).collect();
    for (&name, &gradient) in &gradients {
        // Zero in theory: softmax ignores a constant added to a whole row.
        if name.ends_with("attn.k.bias") {
            continue;
        }
        let found = global_norm(std::slice::from_ref(gradient));
        close(found, file.grad_l2[name].unwrap(), norms, name);
    }
    for (name, golden) in &file.full_gradients {
        assert_eq!(gradients[name.as_str()].len(), golden.len(), "{name}");
    }
    assert!(!file.grad_first8.is_empty());
    for (place, golden) in file.grad_first8.iter().chain(&file.full_gradients) {
        let largest = golden.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        check_numbers(
            &gradients,
            place,
            golden,
            |golden| numbers * (golden.abs() + largest) + ROUNDING,
            "gradient",
        );
    }
}

#[derive(serde::Deserialize)]
struct AdamWRun {
    lr: f64,
    weight_decay: f64,
    #[serde(rename = "grouped_no_decay_for_bias_and_LayerNorm")]
    grouped: bool,
    max_grad_norm: Option<f64>,
    losses_before_step_0_to_5: Vec<f64>,
    grad_norm_before_clip: Vec<f64>,
    /// By the number of steps done.
    #[serde(rename = "params_first8_after_step")]
    params_first8_after_steps: BTreeMap<usize, BTreeMap<String, Vec<f64>>>,
}

/// Five steps of torch's AdamW: losses, gradient norms and weights of every step.
fn check_adamw(device: Device, folder: &Path, which: &str, loss_tolerance: f64, weight_tolerance: f64) {
    #[derive(serde::Deserialize)]
    struct File {
        runs: BTreeMap<String, AdamWRun>,
    }
    let file: File = read(&format!("{which}_adamw.json"));
    assert!(!file.runs.is_empty());
    for (name, run) in &file.runs {
        let mut model = load_on(device, folder);
        let rows = reference_rows(which, if name.ends_with("two_negatives") { 2 } else { 1 });
        let mut optimizer = Optimizer::new(&model, run.weight_decay, run.grouped).unwrap();
        for (step, golden) in run.losses_before_step_0_to_5.iter().enumerate() {
            if let Some(parameters) = run.params_first8_after_steps.get(&step) {
                check_parameters(
                    &model,
                    parameters,
                    weight_tolerance * run.lr,
                    &format!("{name}, {step} steps"),
                );
            }
            let (loss, gradients) = batch(&mut model, &rows, NegativeScope::Batch, usize::MAX);
            close(loss.into(), *golden, loss_tolerance, &format!("{name}, loss before step {step}"));
            let Some(golden) = run.grad_norm_before_clip.get(step) else { continue };
            close(gradient_norm(&model).unwrap(), global_norm(&gradients), 1e-6, "the norm of gradients");
            let norm = global_norm(&gradients);
            close(norm, *golden, loss_tolerance * 10.0, &format!("{name}, gradient of step {step}"));
            let factor = run.max_grad_norm.map_or(1.0, |limit| clip(norm, limit));
            optimizer.step(&mut model, factor, run.lr).unwrap();
        }
    }
}

/// Checks the first numbers of some variables or rows, each within `tolerance`.
fn check_parameters(
    model: &TrainableEncoder,
    golden: &BTreeMap<String, Vec<f64>>,
    tolerance: f64,
    what: &str,
) {
    let parameters = model.parameters().unwrap();
    let parameters = model.names().iter().map(String::as_str).zip(parameters.iter()).collect();
    for (place, golden) in golden {
        check_numbers(&parameters, place, golden, |_| tolerance, what);
    }
}

/// Returns the first numbers at a place: "name", or "name[row 7 (comment)]" or "name[bucket 7]" for one row.
fn check_numbers(
    arrays: &BTreeMap<&str, &Vec<f32>>,
    place: &str,
    golden: &[f64],
    tolerance: impl Fn(f64) -> f64,
    what: &str,
) {
    let (name, row) = place.split_once('[').unwrap_or((place, ""));
    // Noise in theory, and parameters that no embedding depends on.
    if name.ends_with("attn.k.bias") || name.starts_with("pooler.") {
        return;
    }
    let row: usize = row.split(' ').nth(1).map_or(0, |row| row.trim_end_matches(']').parse().unwrap());
    let found = arrays[name];
    let width = match arrays.get(name.replace(".weight", ".bias").as_str()) {
        _ if name.ends_with("relative_attention_bias.weight") => found.len() / 32,
        Some(bias) => found.len() / bias.len(),
        None => arrays["embeddings.LayerNorm.bias"].len(),
    };
    for (i, &golden) in golden.iter().enumerate() {
        let found = f64::from(found[row * width + i]);
        assert!((found - golden).abs() <= tolerance(golden), "{what}, {place}[{i}]: {found}, not {golden}");
    }
}
