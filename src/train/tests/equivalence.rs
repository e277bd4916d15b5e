use std::ops::ControlFlow;

use super::*;
use crate::encoder::test_model::devices;
use crate::error::Error;
use crate::train::Guide;

fn distance(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    let apart = |(a, b): (&Vec<f32>, &Vec<f32>)| a.iter().zip(b).map(|(a, b)| a - b).collect();
    let differences: Vec<Vec<f32>> = a.iter().zip(b).map(apart).collect();
    global_norm(&differences) / global_norm(b)
}

#[test]
fn gradient_caching_changes_neither_loss_nor_gradient() {
    let mut rows = reference_rows("tiny", 2);
    rows[2].negatives.truncate(1);
    // Other rows' answers, and texts declared to be answers, are hidden.
    rows[1].other_answers = vec![rows[4].positive.clone(), rows[0].negatives[1].clone()];
    // If products are rounded to bf16, a text's vector differs slightly between batch shapes.
    for (precision, bound) in [(EncoderPrecision::F32, 1e-5), (EncoderPrecision::Bf16, 2e-2)] {
        let mut model =
            TrainableEncoder::load(Device::Cpu, &tiny_model(), precision, Kernel::best().unwrap()).unwrap();
        for scope in [NegativeScope::Batch, NegativeScope::OwnAnchor] {
            let (loss, whole) = batch(&mut model, &rows, scope, usize::MAX);
            for part_tokens in [1, 64, 200] {
                let (cached_loss, cached) = batch(&mut model, &rows, scope, part_tokens);
                let what = format!("{precision} in parts of {part_tokens} tokens with {scope:?}");
                close(cached_loss.into(), loss.into(), bound / 10.0, &what);
                let apart = distance(&cached, &whole);
                assert!(apart < bound, "{apart}: {what}");
            }
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
fn every_variable_gets_a_gradient_and_moves_on_every_device() {
    for device in devices() {
        let mut model = load_on(device, &tiny_model());
        let before = model.parameters().unwrap().into_owned();
        let rows = reference_rows("tiny", 1);
        let (_, gradients) = batch(&mut model, &rows, NegativeScope::OwnAnchor, usize::MAX);
        run(&mut model, &rows, &options()).unwrap();
        let after = model.parameters().unwrap();
        for (i, name) in model.names().iter().enumerate() {
            // Zero in theory: softmax ignores a constant added to a whole row.
            if !name.ends_with("attn.k.bias") {
                assert!(global_norm(&gradients[i..=i]) > 1e-6, "{device}: {name} got no gradient");
                assert_ne!(before[i], after[i], "{device}: {name} did not move");
            }
        }
    }
}

/// Training with the default options, from the rows to the saved folder, gives the same weights on every device.
#[test]
fn every_device_trains_to_the_same_weights_and_saves_them() {
    let untrained = tiny().parameters().unwrap().into_owned();
    let trained = |device, frozen| {
        let mut model = load_on(device, &tiny_model());
        let options = options().with_frozen_layers(frozen).with_gradient_negatives(Some(0.02));
        let report = run(&mut model, &reference_rows("tiny", 2), &options).unwrap();
        let folder = tempfile::tempdir().unwrap();
        model.save(&folder.path().join("model")).unwrap();
        let saved = load(&folder.path().join("model"));
        assert_eq!(saved.parameters().unwrap(), model.parameters().unwrap());
        (losses(&report), saved.parameters().unwrap().into_owned())
    };
    for frozen in [0, 1] {
        let (expected_losses, expected) = trained(Device::Cpu, frozen);
        assert!(expected_losses.last() < expected_losses.first(), "{expected_losses:?}");
        for device in devices() {
            let (losses, found) = trained(device, frozen);
            for (found, expected) in losses.iter().zip(&expected_losses) {
                close((*found).into(), (*expected).into(), 1e-4, &format!("{device}, loss"));
            }
            for (i, name) in tiny().names().iter().enumerate() {
                let of = |a: &[Vec<f32>], b: &[Vec<f32>]| {
                    let both = a[i].iter().zip(&b[i]);
                    both.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
                };
                let (apart, way) = (of(&found, &expected), of(&expected, &untrained));
                // AdamW turns pure noise into a step.
                let close = apart <= 0.01 * way || name.ends_with("attn.k.bias");
                assert!(close, "{device}, {name}: {apart} apart after a way of {way}");
            }
        }
    }
}

#[test]
fn above_frozen_layers_the_gradient_is_the_same_and_below_there_is_none() {
    let rows = reference_rows("tiny", 2);
    let (loss, all) = batch(&mut tiny(), &rows, NegativeScope::OwnAnchor, usize::MAX);
    let mut model = tiny();
    model.freeze(1).unwrap();
    // In parts: every text is embedded twice, the second time from the cached layers.
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
        let mut model =
            TrainableEncoder::load(Device::Cpu, &tiny_model(), precision, Kernel::best().unwrap()).unwrap();
        let before = model.parameters().unwrap().into_owned();
        let options = options().with_epochs(6).with_learning_rate(1e-3).with_frozen_layers(1);
        let losses = losses(&run(&mut model, &reference_rows("tiny", 1), &options).unwrap());
        assert!(losses[5] < 0.9 * losses[0], "{losses:?}");
        let after = model.parameters().unwrap();
        for (i, name) in model.names().iter().enumerate() {
            let moved = before[i] != after[i];
            assert_eq!(moved, name.starts_with("encoder.layer.1."), "{name}");
        }
    }
    let mut model = tiny();
    let before = model.parameters().unwrap().into_owned();
    run(&mut model, &reference_rows("tiny", 1), &TrainOptions::default()).unwrap();
    let after = model.parameters().unwrap();
    for (i, name) in model.names().iter().enumerate() {
        let moved = before[i] != after[i];
        assert_eq!(
            moved,
            name.starts_with("encoder.layer.1."),
            "half of both, unless told otherwise: {name}"
        );
    }
    let all = options().with_frozen_layers(2);
    let refused = run(&mut tiny(), &reference_rows("tiny", 1), &all);
    assert!(matches!(refused, Err(Error::Invalid { .. })));
}

#[test]
fn training_lowers_the_loss_and_the_same_seed_gives_the_same_weights() {
    let trained = |seed| {
        let mut model = tiny();
        let options = options().with_epochs(8).with_learning_rate(1e-3).with_batch_size(3).with_seed(seed);
        let report = run(&mut model, &reference_rows("tiny", 1), &options).unwrap();
        (losses(&report), model.parameters().unwrap().into_owned())
    };
    let (losses, first) = trained(1);
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    assert_eq!(losses.len(), 16);
    assert!(mean(&losses[12..]) < 0.8 * mean(&losses[..4]), "{losses:?}");
    assert_eq!(trained(1), (losses, first.clone()));
    assert_ne!(trained(2).1, first);
}

#[test]
fn progress_is_told_every_step_and_can_stop() {
    let mut told = Vec::new();
    let rows = reference_rows("tiny", 1);
    let options = options();
    let training = Training {
        rows: &rows,
        options: &options,
        chunks: 100,
        guide: None,
        documents: Documents::Move,
        monitor: true,
        checkpoints: None,
    };
    let result = train(&mut tiny(), training, &mut |step| {
        let Some(step) = step else { return ControlFlow::Continue(()) };
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
    model.update(|parameters, _| parameters[0].fill(f32::NAN)).unwrap();
    let result = run(&mut model, &reference_rows("tiny", 1), &options());
    assert!(matches!(result, Err(Error::Encoder { .. })), "{result:?}");
}

#[test]
fn unusable_options_are_refused() {
    for options in [
        TrainOptions::default().with_batch_size(1),
        TrainOptions::default().with_learning_rate(f64::NAN),
        TrainOptions::default().with_time_limit(Some(std::time::Duration::ZERO)),
    ] {
        assert!(matches!(options.validate(), Err(Error::Invalid { .. })), "{options:?}");
    }
    assert!(TrainOptions::default().validate().is_ok());
}

#[test]
fn training_needs_rows() {
    let result = run(&mut tiny(), &[], &options());
    assert!(matches!(result, Err(Error::Invalid { what: "the training rows", .. })), "{result:?}");
}

#[test]
fn options_survive_json_and_absent_ones_are_the_defaults() {
    let options = TrainOptions {
        batch_size: 3,
        learning_rate: 4e-5,
        seed: u64::MAX,
        scope: NegativeScope::OwnAnchor,
        frozen_layers: Some(1),
        gradient_negatives: Some(0.5),
        time_limit: Some(std::time::Duration::from_millis(1500)),
        epochs: TrainOptions::default().epochs,
    };
    let json = serde_json::to_string(&options).unwrap();
    assert!(json.contains(r#""scope":"own_anchor""#), "{json}");
    assert_eq!(serde_json::from_str::<TrainOptions>(&json).unwrap(), options);
    assert_eq!(serde_json::from_str::<TrainOptions>("{}").unwrap(), TrainOptions::default());
    let part: TrainOptions = serde_json::from_str(r#"{"batch_size": 5, "time_limit": null}"#).unwrap();
    assert_eq!(part, TrainOptions::default().with_batch_size(5));
}

#[test]
fn what_is_masked_in_training_is_counted_and_the_scope_is_told() {
    let mut rows = reference_rows("tiny", 1);
    // The same question has two answers: neither is the other's negative.
    rows[1].anchor = rows[0].anchor.clone();
    rows[2].negatives = vec![rows[1].positive.clone()];
    let report = run(&mut tiny(), &rows, &options().with_epochs(1)).unwrap();
    assert_eq!(report.scope.scope, NegativeScope::OwnAnchor);
    assert_eq!(report.scope.reason, "the corpus has only 100 chunks");
    let shared = run(&mut tiny(), &rows, &options().with_epochs(1).with_scope(NegativeScope::Batch)).unwrap();
    assert_eq!((report.masked.known_answer, shared.scope.reason.as_str()), (0, "chosen"));
    assert!(shared.masked.looked_at > report.masked.looked_at);
}

/// A guide with the model's own vectors of the rows' documents.
fn stored(model: &mut TrainableEncoder, rows: &[TrainingRow]) -> Guide {
    let mut guide = Guide::default();
    for example in rows {
        for text in [&example.positive].into_iter().chain(&example.negatives) {
            let vector = model.encode(&[text.as_str()], &mut || Ok(())).unwrap().concat();
            guide.add(text, vector);
        }
    }
    guide
}

#[test]
fn against_documents_that_stand_the_loss_is_the_same_and_the_gradient_goes_through_anchors_alone() {
    let mut model = tiny();
    let rows = reference_rows("tiny", 2);
    let guide = stored(&mut model, &rows);
    let scope = NegativeScope::OwnAnchor;
    let against = |model: &mut TrainableEncoder, part_tokens| {
        let refs: Vec<&TrainingRow> = rows.iter().collect();
        let hidden = Mask::of(&refs, scope, Known { answers: &Answers::of(&rows), guide: None }).hidden;
        let documents = Documents::Stand(&guide);
        let batch = Batch { rows: &refs, documents, hidden: &hidden, gradient_negatives: None };
        model.zero_gradients();
        let loss = add_gradients(model, batch, part_tokens).unwrap().loss;
        (loss, model.gradients().unwrap().into_owned())
    };
    let (moving, whole) = batch(&mut model, &rows, scope, usize::MAX);
    let (loss, gradients) = against(&mut model, usize::MAX);
    close(loss.into(), moving.into(), 1e-5, "loss");
    assert!(distance(&gradients, &whole) > 0.1, "half of the whole gradient is missing");
    let (_, cached) = against(&mut model, 10);
    assert!(distance(&cached, &gradients) < 1e-5, "{}", distance(&cached, &gradients));
    // A small step against the gradient lowers the loss by as much as the gradient predicts.
    let (norm, step) = (global_norm(&gradients), 1e-3);
    let plain = |parameters: &mut [Vec<f32>], _: &[Vec<f32>]| {
        for (numbers, gradient) in parameters.iter_mut().zip(&gradients) {
            let moves = numbers.iter_mut().zip(gradient);
            moves.for_each(|(x, g)| *x -= (step / norm) as f32 * g);
        }
    };
    model.update(plain).unwrap();
    let (lower, _) = against(&mut model, usize::MAX);
    close((loss - lower).into(), step * norm, 0.1, "fall of the loss");
}

#[test]
fn a_document_without_a_vector_to_train_against_is_refused() {
    let (mut model, rows, guide) = (tiny(), reference_rows("tiny", 1), Guide::default());
    let options = options();
    let training = Training {
        rows: &rows,
        options: &options,
        chunks: 100,
        guide: None,
        documents: Documents::Stand(&guide),
        monitor: true,
        checkpoints: None,
    };
    let refused = train(&mut model, training, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
}
