//! Hard negatives are measured before training and after each epoch.

use std::ops::ControlFlow;

use super::*;
use crate::error::Error;
use crate::train::monitor::Monitor;
use crate::train::{Guide, MonitorReport};

/// Six rows of two negatives each, of two sources.
fn rows() -> Vec<TrainingRow> {
    let mut rows = reference_rows("tiny", 2);
    for row in &mut rows {
        row.kinds = vec![NegativeKind::Confusable, NegativeKind::Semantic];
    }
    rows
}

fn options() -> TrainOptions {
    TrainOptions::default().with_batch_size(3).with_epochs(2).with_learning_rate(1e-3).with_frozen_layers(0)
}

fn monitored(rows: &[TrainingRow], options: &TrainOptions, guide: Option<&Guide>) -> MonitorReport {
    let documents = Documents::Move;
    let training =
        Training { rows, options, chunks: 100, guide, documents, monitor: true, checkpoints: None };
    let report = train(&mut tiny(), training, &mut |_| ControlFlow::Continue(()));
    report.unwrap().monitor.unwrap()
}

/// A model's margins for one kind of negatives, by definition.
fn margins(model: &mut TrainableEncoder, rows: &[TrainingRow], place: usize) -> Vec<f64> {
    let mut vector = |text: &String| model.encode(&[text], &mut || Ok(())).unwrap().remove(0);
    let mut margins = Vec::new();
    for row in rows {
        let (anchor, positive, negative) =
            (vector(&row.anchor), vector(&row.positive), vector(&row.negatives[place]));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(x * y)).sum::<f64>();
        margins.push(dot(&anchor, &positive) - dot(&anchor, &negative));
    }
    margins
}

#[test]
fn what_is_measured_is_the_model_before_and_after_each_epoch() {
    let (rows, options) = (rows(), options());
    let report = monitored(&rows, &options, None);
    assert_eq!((report.queries, report.of_queries), (6, 6));
    assert!((report.easy_margin - 99f64.ln() / 20.0).abs() < 1e-12);
    let steps: Vec<usize> = report.measurements.iter().map(|one| one.step).collect();
    assert_eq!(steps, [0, 2, 4]);
    let mut trained = tiny();
    run(&mut trained, &rows, &options).unwrap();
    for (measurement, model) in [(0, &mut tiny()), (2, &mut trained)] {
        let sources = &report.measurements[measurement].sources;
        assert_eq!(sources.len(), 2);
        for (kind, place) in [(NegativeKind::Confusable, 0), (NegativeKind::Semantic, 1)] {
            let (expected, found) = (margins(model, &rows, place), &sources[&kind]);
            let mean = expected.iter().sum::<f64>() / 6.0;
            assert!((found.margin.mean - mean).abs() < 1e-4, "{kind:?}: {}, not {mean}", found.margin.mean);
            assert_eq!(found.harder, expected.iter().filter(|margin| **margin < 0.0).count() as u64);
            let easy = expected.iter().filter(|margin| **margin > report.easy_margin).count() as u64;
            assert_eq!((found.too_easy, found.margin.count, found.positive.count), (easy, 6, 6));
            let difference = found.positive.mean - found.negative.mean;
            assert!((difference - found.margin.mean).abs() < 1e-9, "each row has one positive");
            let moved = found.moved;
            assert_eq!(moved.resolved + moved.eased + moved.unchanged + moved.harder, 6);
            if measurement == 0 {
                assert_eq!(moved.unchanged, 6);
            }
        }
    }
    let (before, after) = (&report.measurements[0], &report.measurements[2]);
    let mean = |one: &crate::train::Measurement| one.sources[&NegativeKind::Confusable].margin.mean;
    assert!(mean(after) > mean(before), "training pushes hard negatives away");
    let moved = after.sources[&NegativeKind::Confusable].moved;
    assert!(moved.resolved + moved.eased > moved.harder, "{moved:?}");
}

#[test]
fn a_query_counts_once_and_by_its_farthest_positive() {
    let mut rows = rows();
    // The first query has another answer, and its rows share their negatives.
    rows[1] = TrainingRow { positive: rows[1].positive.clone(), ..rows[0].clone() };
    let report = monitored(&rows, &options(), None);
    let confusable = &report.measurements[0].sources[&NegativeKind::Confusable];
    assert_eq!((report.queries, confusable.margin.count, confusable.positive.count), (5, 5, 6));
    let mut expected = margins(&mut tiny(), &rows, 0);
    let farthest = expected[0].min(expected[1]);
    expected.splice(..2, [farthest]);
    let mean = expected.iter().sum::<f64>() / 5.0;
    assert!((confusable.margin.mean - mean).abs() < 1e-4, "{}, not {mean}", confusable.margin.mean);
}

#[test]
fn sixty_four_queries_are_drawn_by_the_seed() {
    let mut rows = Vec::new();
    for copy in 0..12 {
        for mut row in self::rows() {
            row.anchor = format!("{} {copy}", row.anchor);
            rows.push(row);
        }
    }
    let known = Known { answers: &Answers::of(&rows), guide: None };
    let drawn = |seed| {
        let (mut measured, monitor) = (Default::default(), Monitor::of(&rows, seed, known).unwrap());
        monitor.measure(&mut tiny(), 0, &mut measured, &mut || Ok(())).unwrap();
        monitor.report(measured)
    };
    let first = drawn(1);
    assert_eq!((first.queries, first.of_queries), (64, 72));
    assert_eq!(first.measurements[0].sources[&NegativeKind::Semantic].margin.count, 64);
    assert_eq!(drawn(1), first);
    assert!((2..5).any(|seed| drawn(seed) != first));
}

#[test]
fn measuring_can_be_cancelled_and_numbers_that_are_not_finite_end_it() {
    let (rows, options) = (rows(), options());
    let training = Training {
        rows: &rows,
        options: &options,
        chunks: 100,
        guide: None,
        documents: Documents::Move,
        monitor: true,
        checkpoints: None,
    };
    let cancelled = train(&mut tiny(), training, &mut |step| match step {
        None => ControlFlow::Break(()),
        Some(_) => panic!("measuring comes first"),
    });
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
    let mut model = tiny();
    model.update(|parameters, _| parameters.iter_mut().for_each(|numbers| numbers.fill(f32::NAN))).unwrap();
    let result = run(&mut model, &rows, &options);
    assert!(matches!(result, Err(Error::Encoder { doing: "measure the hard negatives", .. })), "{result:?}");
}

#[test]
fn the_time_limit_ends_with_a_measurement() {
    let options = options().with_epochs(3).with_time_limit(Some(std::time::Duration::from_nanos(1)));
    let report = monitored(&rows(), &options, None);
    let steps: Vec<usize> = report.measurements.iter().map(|one| one.step).collect();
    assert_eq!(steps, [0, 1]);
}
