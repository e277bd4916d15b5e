use std::ops::ControlFlow;

use super::*;
use crate::error::Error;

fn distance(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    let apart = |(a, b): (&Vec<f32>, &Vec<f32>)| a.iter().zip(b).map(|(a, b)| a - b).collect();
    let differences: Vec<Vec<f32>> = a.iter().zip(b).map(apart).collect();
    global_norm(&differences) / global_norm(b)
}

#[test]
fn gradient_caching_changes_neither_loss_nor_gradient() {
    let mut model = tiny();
    let rows = reference_rows("tiny", 2);
    for scope in [NegativeScope::Batch, NegativeScope::OwnAnchor] {
        let (loss, whole) = batch(&mut model, &rows, scope, usize::MAX);
        for part_tokens in [1, 64, 200] {
            let (cached_loss, cached) = batch(&mut model, &rows, scope, part_tokens);
            close(cached_loss.into(), loss.into(), 1e-6, "loss");
            assert!(
                distance(&cached, &whole) < 1e-5,
                "parts of {part_tokens} tokens: {}",
                distance(&cached, &whole)
            );
        }
    }
}

#[test]
fn rows_may_have_different_numbers_of_negatives() {
    let mut model = tiny();
    let mut rows = reference_rows("tiny", 2);
    rows[0].negatives.clear();
    rows[3].negatives.truncate(1);
    let (shared, _) = batch(&mut model, &rows, NegativeScope::Batch, usize::MAX);
    let (own, _) = batch(&mut model, &rows, NegativeScope::OwnAnchor, usize::MAX);
    let (pairs, _) = batch(&mut model, &reference_rows("tiny", 0), NegativeScope::Batch, usize::MAX);
    assert!(pairs < own && own < shared, "{pairs} {own} {shared}");
}

#[test]
fn every_variable_gets_a_gradient_and_moves() {
    let mut model = tiny();
    let before = model.parameters().to_vec();
    let (_, gradients) = batch(&mut model, &reference_rows("tiny", 1), NegativeScope::OwnAnchor, usize::MAX);
    train(&mut model, &reference_rows("tiny", 1), &options(), 100, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    let after = model.parameters().to_vec();
    for (i, name) in model.names().iter().enumerate() {
        // Its gradient is zero in theory: softmax does not see what is added to all of a row.
        if !name.ends_with("attn.k.bias") {
            assert!(global_norm(&gradients[i..=i]) > 1e-6, "{name} got no gradient");
            assert_ne!(before[i], after[i], "{name} did not move");
        }
    }
}

#[test]
fn above_frozen_layers_the_gradient_is_the_same_and_below_there_is_none() {
    let rows = reference_rows("tiny", 2);
    let (loss, all) = batch(&mut tiny(), &rows, NegativeScope::OwnAnchor, usize::MAX);
    let mut model = tiny();
    model.freeze(1).unwrap();
    // Parts: every text is embedded twice, the second time from what was kept.
    for part_tokens in [usize::MAX, 64] {
        let (frozen_loss, frozen) = batch(&mut model, &rows, NegativeScope::OwnAnchor, part_tokens);
        close(frozen_loss.into(), loss.into(), 1e-6, "loss");
        for ((name, frozen), all) in model.names().iter().zip(&frozen).zip(&all) {
            if !name.starts_with("encoder.layer.1.") {
                assert!(frozen.is_empty(), "{name} has a gradient");
            } else if !name.ends_with("attn.k.bias") {
                assert!(distance(std::slice::from_ref(frozen), std::slice::from_ref(all)) < 1e-5, "{name}");
            }
        }
    }
}

#[test]
fn frozen_layers_stay_and_those_above_learn() {
    for precision in [EncoderPrecision::F32, EncoderPrecision::Bf16] {
        let mut model = TrainableEncoder::load(&tiny_model(), precision, Kernel::best().unwrap()).unwrap();
        let before = model.parameters().to_vec();
        let options = options().with_epochs(6).with_learning_rate(1e-3).with_frozen_layers(1);
        let mut go_on = |_: &_| ControlFlow::Continue(());
        let report = train(&mut model, &reference_rows("tiny", 1), &options, 100, &mut go_on).unwrap();
        assert!(report.losses[5] < 0.9 * report.losses[0], "{:?}", report.losses);
        for (i, name) in model.names().iter().enumerate() {
            let moved = before[i] != model.parameters()[i];
            assert_eq!(moved, name.starts_with("encoder.layer.1."), "{name}");
        }
    }
    let all = options().with_frozen_layers(2);
    let refused =
        train(&mut tiny(), &reference_rows("tiny", 1), &all, 100, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(refused, Err(Error::Invalid { .. })));
}

#[test]
fn training_lowers_the_loss_and_the_same_seed_gives_the_same_weights() {
    let run = |seed| {
        let mut model = tiny();
        let options = options().with_epochs(8).with_learning_rate(1e-3).with_batch_size(3).with_seed(seed);
        let report =
            train(&mut model, &reference_rows("tiny", 1), &options, 100, &mut |_| ControlFlow::Continue(()))
                .unwrap();
        (report.losses, model.parameters().to_vec())
    };
    let (losses, first) = run(1);
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    assert_eq!(losses.len(), 16);
    assert!(mean(&losses[12..]) < 0.8 * mean(&losses[..4]), "{losses:?}");
    assert_eq!(run(1), (losses, first.clone()));
    assert_ne!(run(2).1, first);
}

#[test]
fn progress_is_told_every_step_and_can_stop() {
    let mut told = Vec::new();
    let rows = reference_rows("tiny", 1);
    let result = train(&mut tiny(), &rows, &options(), 100, &mut |step| {
        told.push((step.step, step.steps));
        assert!(step.loss > 0.0 && step.grad_norm > 0.0 && step.learning_rate > 0.0);
        if step.step == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(result, Err(Error::Cancelled { .. })));
    assert_eq!(told, [(1, 3), (2, 3)]);
}

#[test]
fn numbers_that_are_not_finite_stop_the_run_with_a_word() {
    let mut model = tiny();
    model.update(|parameters| parameters[0].fill(f32::NAN));
    let result =
        train(&mut model, &reference_rows("tiny", 1), &options(), 100, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(result, Err(Error::Encoder { .. })), "{result:?}");
}

#[test]
fn unusable_options_are_refused() {
    for options in [
        TrainOptions::default().with_epochs(0),
        TrainOptions::default().with_batch_size(1),
        TrainOptions::default().with_learning_rate(f64::NAN),
        TrainOptions::default().with_warmup_ratio(1.0),
        TrainOptions::default().with_weight_decay(-0.1),
        TrainOptions::default().with_scale(0.0),
        TrainOptions::default().with_max_tokens(0),
        TrainOptions::default().with_max_tokens(2),
    ] {
        assert!(matches!(options.validate(), Err(Error::Invalid { .. })), "{options:?}");
    }
    assert!(TrainOptions::default().validate().is_ok());
    assert!(TrainOptions::default().with_max_tokens(3).validate().is_ok());
}

#[test]
fn training_needs_examples_and_a_cut_that_the_model_knows() {
    let run = |rows: &[Example], options: &TrainOptions| {
        train(&mut tiny(), rows, options, 100, &mut |_| panic!("a step was done"))
    };
    let result = run(&[], &options());
    assert!(matches!(result, Err(Error::Invalid { what: "the training examples", .. })), "{result:?}");
    let result = run(&reference_rows("tiny", 1), &options().with_max_tokens(100_000));
    assert!(matches!(result, Err(Error::Invalid { what: "max_tokens", .. })), "{result:?}");
}

#[test]
fn what_is_beyond_max_tokens_takes_no_part() {
    let losses = |rows: &[Example], options: TrainOptions| {
        let mut model = tiny();
        train(&mut model, rows, &options, 100, &mut |_| ControlFlow::Continue(())).unwrap().losses
    };
    let rows = reference_rows("tiny", 1);
    let mut longer = rows.clone();
    for row in &mut longer {
        row.positive.push_str(" and so on");
    }
    let cut = || options().with_max_tokens(4);
    assert_ne!(losses(&rows, cut()), losses(&rows, options()));
    assert_ne!(losses(&longer, options()), losses(&rows, options()));
    assert_eq!(losses(&longer, cut()), losses(&rows, cut()));
    let limit = tiny().max_tokens();
    assert_eq!(losses(&rows, options().with_max_tokens(limit)), losses(&rows, options()));
}

#[test]
fn options_survive_json_and_absent_ones_are_the_defaults() {
    let options = TrainOptions {
        epochs: 2,
        batch_size: 3,
        learning_rate: 4e-5,
        warmup_ratio: 0.5,
        weight_decay: 0.06,
        max_grad_norm: 0.7,
        scale: 8.0,
        seed: u64::MAX,
        scope: NegativeScope::OwnAnchor,
        max_tokens: Some(10),
        precision: EncoderPrecision::F32,
        frozen_layers: 1,
    };
    let json = serde_json::to_string(&options).unwrap();
    assert!(json.contains(r#""scope":"own_anchor""#), "{json}");
    assert_eq!(serde_json::from_str::<TrainOptions>(&json).unwrap(), options);
    assert_eq!(serde_json::from_str::<TrainOptions>("{}").unwrap(), TrainOptions::default());
    let part: TrainOptions = serde_json::from_str(r#"{"epochs": 5, "max_tokens": null}"#).unwrap();
    assert_eq!(part, TrainOptions::default().with_epochs(5));
}

#[test]
fn the_scope_follows_the_size_of_the_corpus() {
    assert_eq!(NegativeScope::Auto.resolve(999_999), NegativeScope::OwnAnchor);
    assert_eq!(NegativeScope::Auto.resolve(1_000_000), NegativeScope::Batch);
    assert_eq!(NegativeScope::Batch.resolve(10), NegativeScope::Batch);
}
