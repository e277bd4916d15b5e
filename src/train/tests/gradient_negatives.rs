use super::*;
use crate::error::Error;
use crate::train::gradient_negatives::displacement;
use crate::train::step::StepReport;

const SCOPE: NegativeScope = NegativeScope::OwnAnchor;

/// Rows with different numbers of negatives. The first negative of the first row is hidden from it: the second row says
/// that it is an answer.
fn rows() -> Vec<TrainingRow> {
    let mut rows = reference_rows("tiny", 2);
    rows[1].anchor = rows[0].anchor.clone();
    rows[0].negatives[0] = rows[1].positive.clone();
    rows[3].negatives.clear();
    rows[4].negatives.truncate(1);
    rows
}

/// The hard negatives visible to their anchors: row and text.
fn seen(rows: &[TrainingRow]) -> Vec<(usize, &str)> {
    let all = rows
        .iter()
        .enumerate()
        .flat_map(|(row, example)| example.negatives.iter().map(move |negative| (row, negative.as_str())));
    all.skip(1).collect()
}

fn ids(model: &TrainableEncoder, texts: &[&str]) -> Vec<Vec<u32>> {
    texts.iter().map(|text| model.token_ids(text, model.max_tokens()).unwrap()).collect()
}

fn slices(ids: &[Vec<u32>]) -> Vec<&[u32]> {
    ids.iter().map(Vec::as_slice).collect()
}

fn embed(model: &mut TrainableEncoder, texts: &[&str]) -> Vec<f32> {
    let ids = ids(model, texts);
    model.embed(&slices(&ids), false).unwrap().to_vec()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn frozen_to(layers: usize) -> TrainableEncoder {
    let mut model = tiny();
    model.freeze(layers).unwrap();
    model
}

/// Texts with their displacements towards the anchors of their rows.
struct Moved {
    ids: Vec<Vec<u32>>,
    displacement: Vec<f32>,
}

fn moved(model: &mut TrainableEncoder, rows: &[TrainingRow], epsilon: f32) -> Moved {
    let (texts, width) = (seen(rows), model.dimensions());
    let anchors: Vec<&str> = texts.iter().map(|(row, _)| rows[*row].anchor.as_str()).collect();
    let anchors = embed(model, &anchors);
    let ids = ids(model, &texts.iter().map(|(_, text)| *text).collect::<Vec<_>>());
    let displacement = displacement(epsilon, model, &slices(&ids), anchors).unwrap();
    assert_eq!(displacement.len(), width * ids.iter().map(Vec::len).sum::<usize>());
    Moved { ids, displacement }
}

/// The additional term by definition, with constant displacements.
fn term(model: &mut TrainableEncoder, rows: &[TrainingRow], moved: &Moved) -> f64 {
    let width = model.dimensions();
    let column =
        |of: fn(&TrainingRow) -> &String| rows.iter().map(|row| of(row).as_str()).collect::<Vec<_>>();
    let anchors = embed(model, &column(|row| &row.anchor));
    let positives = embed(model, &column(|row| &row.positive));
    let vectors = model.embed_displaced(&slices(&moved.ids), &moved.displacement).unwrap();
    let of = |vectors: &[f32], row: usize| vectors[row * width..][..width].to_vec();
    let pairs = seen(rows);
    let terms = pairs.iter().zip(vectors.chunks_exact(width)).map(|(&(row, _), negative)| {
        let anchor = of(&anchors, row);
        let above = dot(&anchor, negative) - dot(&anchor, &of(&positives, row));
        let of_row = pairs.iter().filter(|(other, _)| *other == row).count() as f64;
        1.0 / rows.len() as f64 / of_row * (20.0 * above).exp().ln_1p()
    });
    terms.sum()
}

fn difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> Vec<Vec<f32>> {
    a.iter().zip(b).map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect()).collect()
}

#[test]
fn a_displaced_negative_is_nearer_to_its_anchor_and_its_rows_keep_their_length() {
    let rows = rows();
    for (layers, epsilon) in [(0, 0.001), (0, 0.02), (1, 0.001), (1, 0.02)] {
        let mut model = frozen_to(layers);
        let width = model.dimensions();
        let Moved { ids, displacement } = moved(&mut model, &rows, epsilon);
        let plain = model.embed(&slices(&ids), true).unwrap().to_vec();
        let input = model.input_gradient(plain.clone()).unwrap().input;
        let vectors = model.embed_displaced(&slices(&ids), &displacement).unwrap().to_vec();
        for (at, (row, text)) in seen(&rows).into_iter().enumerate() {
            let anchor = embed(&mut model, &[&rows[row].anchor]);
            let of = |vectors: &[f32]| dot(&anchor, &vectors[at * width..][..width]);
            let (before, after) = (of(&plain), of(&vectors));
            assert!(after > before, "{layers} frozen, {epsilon}: {before} → {after}, {text:?}");
        }
        let mut start = 0;
        for text in &ids {
            let part = start..start + text.len() * width;
            let (input, by) = (&input[part.clone()], &displacement[part.clone()]);
            let share = (dot(by, by) / dot(input, input)).sqrt();
            let epsilon = f64::from(epsilon);
            assert!((0.5 * epsilon..1.05 * epsilon).contains(&share), "moved by {share}, not {epsilon}");
            for (row, by) in input.chunks_exact(width).zip(by.chunks_exact(width)) {
                let new: Vec<f32> = row.iter().zip(by).map(|(x, by)| x + by).collect();
                close(dot(&new, &new), dot(row, row), 1e-5, "the squared length of a row");
            }
            start = part.end;
        }
    }
}

#[test]
fn the_term_is_as_defined_and_its_gradient_is_the_slope_for_every_parameter() {
    let rows = rows();
    for layers in [0, 1] {
        let mut model = frozen_to(layers);
        let (plain_loss, without) = batch(&mut model, &rows, SCOPE, usize::MAX);
        let (loss, all) = batch_with(&mut model, &rows, SCOPE, Some(0.05), usize::MAX);
        let moved = moved(&mut model, &rows, 0.05);
        close((loss - plain_loss).into(), term(&mut model, &rows, &moved), 1e-4, "the term");
        let gradients = difference(&all, &without);
        for (place, name) in model.names().to_vec().iter().enumerate() {
            let norm = global_norm(&gradients[place..=place]);
            // Zero in theory: softmax ignores a constant added to a whole row.
            if gradients[place].is_empty() || name.ends_with("attn.k.bias") {
                continue;
            }
            assert!(norm > 1e-3, "{name}: {norm}");
            let before = model.parameters().unwrap()[place].clone();
            let mut at = |by: f64| {
                let change = |parameters: &mut [Vec<f32>], _: &[Vec<f32>]| {
                    let numbers = parameters[place].iter_mut().zip(&gradients[place]);
                    numbers.for_each(|(x, g)| *x += (by / norm) as f32 * g);
                };
                model.update(change).unwrap();
                let found = term(&mut model, &rows, &moved);
                model.update(|parameters, _| parameters[place] = before.clone()).unwrap();
                found
            };
            let step = 5e-3;
            let slope = (at(step) - at(-step)) / (2.0 * step);
            assert!((slope - norm).abs() < 0.01 * norm + 2e-3, "{name}: {slope}, not {norm}");
        }
    }
}

#[test]
fn gradient_caching_goes_with_displaced_negatives() {
    let rows = rows();
    for layers in [0, 1] {
        let mut model = frozen_to(layers);
        let (loss, whole) = batch_with(&mut model, &rows, SCOPE, Some(0.05), usize::MAX);
        for part_tokens in [1, 64, 200] {
            let (cached_loss, cached) = batch_with(&mut model, &rows, SCOPE, Some(0.05), part_tokens);
            close(cached_loss.into(), loss.into(), 1e-6, "loss");
            let apart = global_norm(&difference(&cached, &whole)) / global_norm(&whole);
            assert!(apart < 1e-5, "parts of {part_tokens} tokens: {apart}");
        }
    }
}

#[test]
fn what_an_anchor_does_not_see_is_not_displaced() {
    let told = |rows: &[TrainingRow], negatives| {
        let mut model = tiny();
        let options = options().with_epochs(1).with_gradient_negatives(negatives);
        let report = run(&mut model, rows, &options).unwrap();
        (report.displaced, losses(&report), model.parameters().unwrap().into_owned())
    };
    let mut rows = reference_rows("tiny", 1);
    let (displaced, ..) = told(&rows, Some(0.02));
    let displaced = displaced.unwrap();
    assert_eq!(displaced.negatives, 6);
    assert!(displaced.rise > 0.0 && displaced.rise < 1.0, "{displaced:?}");
    // Now each row's negative is an answer to the same question by another row.
    let anchor = rows[0].anchor.clone();
    for row in 0..6 {
        rows[row].anchor = anchor.clone();
        rows[row].negatives[0] = rows[(row + 1) % 6].positive.clone();
    }
    let (displaced, losses, weights) = told(&rows, Some(0.02));
    assert_eq!(displaced.map(|displaced| displaced.negatives), Some(0));
    assert_eq!((None, losses, weights), told(&rows, None), "nothing else may change");
}

#[test]
fn a_seed_gives_the_same_weights_on_any_number_of_threads() {
    let rows = rows();
    let trained = |threads: usize, negatives: Option<f32>| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut model = tiny();
            let options = options().with_batch_size(3).with_learning_rate(1e-3);
            let report = run(&mut model, &rows, &options.with_gradient_negatives(negatives)).unwrap();
            (report.displaced, losses(&report), model.parameters().unwrap().into_owned())
        })
    };
    let first = trained(1, Some(0.05));
    assert_eq!(trained(1, Some(0.05)), first);
    assert_eq!(trained(3, Some(0.05)), first);
    assert_ne!(trained(1, None).2, first.2);
    assert_ne!(trained(1, Some(0.1)).2, first.2);
}

#[test]
fn displacements_without_a_size_are_refused_and_old_steps_have_none() {
    let with = |epsilon| TrainOptions::default().with_gradient_negatives(Some(epsilon));
    for epsilon in [0.0, -0.1, 1.5, f32::NAN] {
        assert!(matches!(with(epsilon).validate(), Err(Error::Invalid { .. })), "{epsilon}");
    }
    assert!(with(0.02).validate().is_ok());
    let old = r#"{"step":1,"steps":2,"loss":0.5,"grad_norm":0.25,"learning_rate":0.1}"#;
    let step: StepReport = serde_json::from_str(old).unwrap();
    assert_eq!(step.displaced, None);
    assert_eq!(serde_json::to_string(&step).unwrap(), old);
}
