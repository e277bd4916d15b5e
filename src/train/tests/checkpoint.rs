//! A training interrupted at any point ends with the same weights.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::error::Error;
use crate::ids::Digest;
use crate::train::{Checkpoints, Guide, Origin, read_origin};

fn origin() -> Origin {
    Origin {
        started_ms: 7,
        impressions: 3,
        judgements: 2,
        weights: Digest([1; 32]),
        options: Digest([2; 32]),
        program: "0".into(),
    }
}

/// Six rows that share no text.
fn rows() -> Vec<TrainingRow> {
    reference_rows("tiny", 2)
}

fn options() -> TrainOptions {
    TrainOptions::default().with_batch_size(3).with_epochs(3).with_learning_rate(1e-3).with_frozen_layers(0)
}

/// A guide with a vector for every text.
fn guide(rows: &[TrainingRow]) -> Guide {
    let mut guide = Guide::default();
    for (place, text) in rows.iter().flat_map(TrainingRow::texts).enumerate() {
        let angle = place as f32 * 1.1;
        guide.add(text, vec![angle.cos(), angle.sin()]);
    }
    guide
}

/// Trains the tiny model, cancelled after step number `last`.
fn train_until(
    last: usize,
    rows: &[TrainingRow],
    options: &TrainOptions,
    checkpoints: Option<(&Path, Option<Duration>)>,
) -> (TrainableEncoder, Result<TrainReport>) {
    let mut model = tiny();
    let (guide, origin) = (guide(rows), origin());
    let checkpoints = checkpoints.map(|(path, interval)| Checkpoints { path, interval, origin: &origin });
    let (guide, documents) = (Some(&guide), Documents::Move);
    let training = Training { rows, options, chunks: 100, guide, documents, monitor: true, checkpoints };
    let report = train(&mut model, training, &mut |step| match step.is_some_and(|step| step.step == last) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    (model, report)
}

fn bits(model: &TrainableEncoder) -> Vec<Vec<u32>> {
    model.parameters().unwrap().iter().map(|numbers| numbers.iter().map(|x| x.to_bits()).collect()).collect()
}

const ALWAYS: Option<Duration> = Some(Duration::ZERO);

#[test]
fn an_interrupted_training_goes_on_to_the_same_weights() {
    let moved = Some(0.02);
    for (frozen, negatives) in [(0, None), (1, None), (0, moved), (1, moved)] {
        let options = options().with_frozen_layers(frozen).with_gradient_negatives(negatives);
        let rows = rows();
        let (whole, expected) = train_until(usize::MAX, &rows, &options, None);
        let expected = expected.unwrap();
        assert_eq!(expected.steps.len(), 6, "{:?}", expected.steps);
        assert!(expected.masked.suspected > 0, "{:?}", expected.masked);
        assert_eq!(expected.displaced.is_some_and(|displaced| displaced.negatives > 0), negatives.is_some());
        let untrained = bits(&tiny());
        assert_ne!(bits(&whole), untrained);
        for last in 1..=6 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("new/checkpoint.bin");
            let (_, cancelled) = train_until(last, &rows, &options, Some((&path, ALWAYS)));
            assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
            assert_eq!(read_origin(&path).unwrap(), Some(origin()));
            let (model, report) = train_until(usize::MAX, &rows, &options, Some((&path, None)));
            let report = report.unwrap();
            assert_eq!(report, TrainReport { resumed_at: Some(last), ..expected.clone() });
            assert_eq!(bits(&model), bits(&whole), "after step {last}, {frozen} frozen layers");
        }
    }
}

#[test]
fn a_checkpoint_that_is_damaged_or_of_another_training_is_passed_over() {
    let (rows, options) = (rows(), options());
    let (whole, expected) = train_until(usize::MAX, &rows, &options, None);
    let expected = expected.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.bin");
    let (_, cancelled) = train_until(2, &rows, &options, Some((&path, ALWAYS)));
    assert!(cancelled.is_err());
    let good = std::fs::read(&path).unwrap();
    let starts_afresh = |bytes: &[u8], what: &str| {
        std::fs::write(&path, bytes).unwrap();
        let (model, report) = train_until(usize::MAX, &rows, &options, Some((&path, None)));
        assert_eq!(report.unwrap(), expected, "{what}");
        assert_eq!(bits(&model), bits(&whole), "{what}");
    };
    for at in [0, 9, 13, 20, 29, 40, good.len() / 2, good.len() - 5, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 4;
        starts_afresh(&bad, &format!("byte {at}"));
    }
    for length in [0, 31, 100, good.len() / 2, good.len() - 1] {
        starts_afresh(&good[..length], &format!("cut to {length} bytes"));
    }
    std::fs::write(&path, &good).unwrap();
    let other = |rows: &[TrainingRow], options: &TrainOptions| {
        let (_, report) = train_until(usize::MAX, rows, options, Some((&path, None)));
        report.unwrap().resumed_at
    };
    assert_eq!(other(&rows[..5], &options), None);
    let mut answered = rows.clone();
    answered[0].other_answers = vec!["another answer".into()];
    assert_eq!(other(&answered, &options), None);
    assert_eq!(other(&rows, &options.clone().with_seed(1)), None);
    assert_eq!(other(&rows, &options.clone().with_frozen_layers(1)), None);
    assert_eq!(other(&rows, &options), Some(2), "it was left alone");
}

#[test]
fn a_training_that_is_short_or_may_not_writes_no_checkpoint_and_a_failing_disk_costs_nothing() {
    let (rows, options) = (rows(), options());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.bin");
    for interval in [None, Some(Duration::from_secs(3600))] {
        train_until(usize::MAX, &rows, &options, Some((&path, interval))).1.unwrap();
        assert!(!path.exists());
    }
    // A folder can't be created in place of a file.
    std::fs::write(folder.path().join("file"), b"").unwrap();
    let nowhere = folder.path().join("file/checkpoint.bin");
    let (_, report) = train_until(usize::MAX, &rows, &options, Some((&nowhere, ALWAYS)));
    assert_eq!(report.unwrap().steps.len(), 6);
}

#[test]
fn a_time_limit_ends_training_early_with_the_rate_at_its_end() {
    let endless = options().with_epochs(100_000);
    let limited = endless.with_time_limit(Some(Duration::from_millis(200)));
    let (_, report) = train_until(usize::MAX, &rows(), &limited, None);
    let report = report.unwrap();
    assert!(report.stopped_by_time && report.steps.len() < 200_000);
    let rates: Vec<f64> = report.steps.iter().map(|step| step.learning_rate).collect();
    let peak = rates.iter().copied().fold(0.0, f64::max);
    assert!(report.steps.len() == 1 || *rates.last().unwrap() < peak, "{rates:?}");
    // A limit that is never reached changes nothing.
    let (free, whole) = train_until(usize::MAX, &rows(), &options(), None);
    let ample = options().with_time_limit(Some(Duration::from_secs(3600)));
    let (bounded, report) = train_until(usize::MAX, &rows(), &ample, None);
    assert_eq!(report.unwrap(), whole.unwrap());
    assert_eq!(bits(&bounded), bits(&free));
}
