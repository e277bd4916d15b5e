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

/// Every way in which the loss is made: with rows that count differently, and texts that are hidden.
fn losses_to_cache() -> Vec<TrainOptions> {
    let shared = TrainOptions::default().with_scope(NegativeScope::Batch);
    let hard = |of| Some(Hardness { of, strength: 5.0 });
    vec![
        shared.clone(),
        TrainOptions::default().with_scope(NegativeScope::OwnAnchor),
        shared.clone().with_scale(40.0),
        shared.clone().with_bidirectional(Bidirectional::PerDirection),
        shared.clone().with_bidirectional(Bidirectional::Joint),
        shared.clone().with_hardness(hard(HardnessOf::InBatchNegatives)),
        shared.clone().with_hardness(hard(HardnessOf::AllNegatives)),
        shared.with_mixing(Some(crate::train::Mixing::default().with_hardest(4))),
    ]
}

#[test]
fn gradient_caching_changes_neither_loss_nor_gradient() {
    let mut rows = reference_rows("tiny", 2);
    rows[2].negatives.truncate(1);
    // What another row answers with, and what one is told is an answer, are hidden.
    rows[1].other_answers = vec![rows[4].positive.clone(), rows[0].negatives[1].clone()];
    for (row, weight) in rows.iter_mut().zip([1.0, 0.25, 3.0, 1.0, 0.0, 0.5]) {
        row.weight = weight;
    }
    // A text's vector is not quite the same in a batch of another shape where products are rounded to bf16.
    for (precision, bound) in [(EncoderPrecision::F32, 1e-5), (EncoderPrecision::Bf16, 2e-2)] {
        let mut model =
            TrainableEncoder::load(Device::Cpu, &tiny_model(), precision, Kernel::best().unwrap()).unwrap();
        for options in losses_to_cache() {
            let (loss, whole) = batch_with(&mut model, &rows, &options, usize::MAX);
            for part_tokens in [1, 64, 200] {
                let (cached_loss, cached) = batch_with(&mut model, &rows, &options, part_tokens);
                let what = format!("{precision} in parts of {part_tokens} tokens with {options:?}");
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
            // Its gradient is zero in theory: softmax does not see what is added to all of a row.
            if !name.ends_with("attn.k.bias") {
                assert!(global_norm(&gradients[i..=i]) > 1e-6, "{device}: {name} got no gradient");
                assert_ne!(before[i], after[i], "{device}: {name} did not move");
            }
        }
    }
}

/// A round as it is by default, from reading the rows to the saved folder, gives the same weights wherever it is computed.
#[test]
fn every_device_trains_to_the_same_weights_and_saves_them() {
    let untrained = tiny().parameters().unwrap().into_owned();
    let trained = |device, frozen| {
        let mut model = load_on(device, &tiny_model());
        let options = options().with_frozen_layers(frozen).with_gradient_negatives(Some(Default::default()));
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
                // AdamW makes a step of what is only noise.
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
        examples: &rows,
        options: &options,
        chunks: 100,
        guide: None,
        documents: Documents::Move,
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
    let result = run(&mut tiny(), &[], &options());
    assert!(matches!(result, Err(Error::Invalid { what: "the training examples", .. })), "{result:?}");
    let result = run(&mut tiny(), &reference_rows("tiny", 1), &options().with_max_tokens(100_000));
    assert!(matches!(result, Err(Error::Invalid { what: "max_tokens", .. })), "{result:?}");
}

#[test]
fn what_is_beyond_max_tokens_takes_no_part() {
    let trained =
        |rows: &[Example], options: TrainOptions| losses(&run(&mut tiny(), rows, &options).unwrap());
    let rows = reference_rows("tiny", 1);
    let mut longer = rows.clone();
    for row in &mut longer {
        row.positive.push_str(" and so on");
    }
    let cut = || options().with_max_tokens(4);
    assert_ne!(trained(&rows, cut()), trained(&rows, options()));
    assert_ne!(trained(&longer, options()), trained(&rows, options()));
    assert_eq!(trained(&longer, cut()), trained(&rows, cut()));
    let limit = tiny().max_tokens();
    assert_eq!(trained(&rows, options().with_max_tokens(limit)), trained(&rows, options()));
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
        frozen_layers: Some(1),
        guide_margin: None,
        duplicate_cosine: 0.9,
        similar_anchors: 0.8,
        bidirectional: Bidirectional::Joint,
        hardness: Some(Hardness { of: HardnessOf::AllNegatives, strength: 5.0 }),
        time_limit: Some(std::time::Duration::from_millis(1500)),
        mixing: Some(crate::train::Mixing::default().with_hardest(5)),
        gradient_negatives: Some(crate::train::GradientNegatives::default().with_epsilon(0.5)),
        monitor_queries: 5,
    };
    let json = serde_json::to_string(&options).unwrap();
    assert!(json.contains(r#""scope":"own_anchor""#), "{json}");
    assert_eq!(serde_json::from_str::<TrainOptions>(&json).unwrap(), options);
    assert_eq!(serde_json::from_str::<TrainOptions>("{}").unwrap(), TrainOptions::default());
    let part: TrainOptions = serde_json::from_str(r#"{"epochs": 5, "max_tokens": null}"#).unwrap();
    assert_eq!(part, TrainOptions::default().with_epochs(5));
}

#[test]
fn the_scope_follows_the_size_of_the_corpus_and_what_is_suspected() {
    let auto = |chunks, suspected| NegativeScope::Auto.resolve(chunks, suspected).0;
    assert_eq!(auto(999_999, None), NegativeScope::OwnAnchor);
    assert_eq!(auto(1_000_000, Some(0.5)), NegativeScope::Batch);
    assert_eq!(auto(1000, Some(0.01)), NegativeScope::Batch);
    assert_eq!(auto(1000, Some(0.1)), NegativeScope::OwnAnchor);
    let (scope, reason) = NegativeScope::Auto.resolve(1000, Some(0.105));
    assert_eq!(
        (scope, reason.as_str()),
        (NegativeScope::OwnAnchor, "10.5 % of other rows' hard negatives may be answers")
    );
    assert_eq!(NegativeScope::Batch.resolve(10, Some(1.0)).0, NegativeScope::Batch);
}

#[test]
fn what_is_masked_in_training_is_counted_and_the_scope_is_told() {
    let mut rows = reference_rows("tiny", 1);
    // The same question has two answers: neither is the other's negative.
    rows[1].anchor = rows[0].anchor.clone();
    rows[2].negatives = vec![rows[1].positive.clone()];
    let report = run(&mut tiny(), &rows, &options().with_epochs(1)).unwrap();
    assert_eq!(report.scope, NegativeScope::OwnAnchor);
    assert_eq!(report.scope_reason, "the corpus has only 100 chunks");
    let shared = run(&mut tiny(), &rows, &options().with_epochs(1).with_scope(NegativeScope::Batch)).unwrap();
    assert_eq!((report.masked.known_answer, shared.scope_reason.as_str()), (0, "chosen"));
    assert!(shared.masked.looked_at > report.masked.looked_at);
}

/// A guide that has the model's own vectors of the rows' documents.
fn stored(model: &mut TrainableEncoder, rows: &[Example]) -> Guide {
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
    let options = TrainOptions::default().with_scope(NegativeScope::OwnAnchor);
    let against = |model: &mut TrainableEncoder, part_tokens| {
        let refs: Vec<&Example> = rows.iter().collect();
        let known = Knowledge { answers: &Answers::of(&rows), guide: None };
        let hidden = Mask::of(&refs, options.scope, &options, known).hidden;
        let batch = Batch { rows: &refs, documents: Documents::Stand(&guide), hidden };
        model.zero_gradients();
        let place = Place { step: 0, part_tokens };
        let (loss, _) = add_gradients(model, batch, &options, place).unwrap();
        (loss, model.gradients().unwrap().into_owned())
    };
    let (moving, whole) = batch(&mut model, &rows, options.scope, usize::MAX);
    let (loss, gradients) = against(&mut model, usize::MAX);
    close(loss.into(), moving.into(), 1e-5, "loss");
    assert!(distance(&gradients, &whole) > 0.1, "half of the whole gradient is missing");
    let (_, cached) = against(&mut model, 10);
    assert!(distance(&cached, &gradients) < 1e-5, "{}", distance(&cached, &gradients));
    // A small step against the gradient lowers the loss by its squared norm.
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
        examples: &rows,
        options: &options,
        chunks: 100,
        guide: None,
        documents: Documents::Stand(&guide),
        checkpoints: None,
    };
    let refused = train(&mut model, training, &mut |_| ControlFlow::Continue(()));
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
}
