use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::error::Error;
use crate::train::loss::{Layout, loss_and_gradient};
use crate::train::mixing::Mixing;

const WIDTH: usize = 12;

/// Four rows of an anchor, a positive and a hard negative that its own anchor alone sees.
fn layout() -> Layout {
    let rows = 4;
    let hidden = (0..rows * 2 * rows).map(|at| at % 8 >= rows && at % 8 - rows != at / 8).collect();
    Layout {
        anchors: vec![0, 1, 2, 3],
        positives: vec![4, 5, 6, 7],
        negatives: (8..12).zip(0..rows).collect(),
        weights: vec![1.0; rows],
        hidden,
        mixtures: None,
    }
}

/// Twelve texts of random vectors that are not of length 1.
fn vectors() -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    (0..12 * WIDTH).map(|_| random.random_range(-1.0..1.0)).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn mixtures_are_of_what_the_anchor_sees_and_never_of_its_positive() {
    // Each text is an axis, so that a mixture's numbers tell what it was made of.
    let mut axes = vec![0.0; 12 * WIDTH];
    (0..12).for_each(|text| axes[text * WIDTH + text] = 3.0);
    let mixed = Mixing::default().with_pairs(20).with_anchored(20).mix(&axes, WIDTH, &layout(), 1, 0);
    assert!(mixed.absent.iter().all(|absent| !absent));
    for (at, mixture) in mixed.vectors.chunks_exact(WIDTH).enumerate() {
        let (row, with_anchor) = (at / 40, at % 40 >= 20);
        let length = mixture.iter().map(|number| number * number).sum::<f32>();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
        let parts: Vec<usize> = (0..12).filter(|&text| mixture[text] != 0.0).collect();
        assert_eq!(parts.len(), 2, "{parts:?}");
        assert_eq!(parts.contains(&row), with_anchor);
        for text in parts.into_iter().filter(|&text| text != row) {
            assert!((4..8).contains(&text) && text != 4 + row || text == 8 + row, "{text} for anchor {row}");
        }
    }
}

#[test]
fn the_hardest_are_mixed_and_the_anchors_share_makes_them_harder() {
    let (vectors, layout) = (vectors(), layout());
    let of = |text: usize| &vectors[text * WIDTH..][..WIDTH];
    // Of the single hardest candidate with the anchor: nearer to the anchor than that candidate.
    let one = Mixing::default().with_hardest(1).with_pairs(0).with_anchored(5);
    let mixed = one.mix(&vectors, WIDTH, &layout, 1, 0);
    for (at, mixture) in mixed.vectors.chunks_exact(WIDTH).enumerate() {
        let row = at / 5;
        let seen = (4..8).filter(|&text| text != 4 + row).chain([8 + row]);
        let hardest = seen.map(|text| cosine(of(row), of(text))).fold(-1.0, f32::max);
        let found = cosine(of(row), mixture);
        assert!(hardest <= found + 1e-6 && found < 1.0, "{found}, of {hardest}");
    }
}

#[test]
fn a_seed_and_a_step_give_the_same_mixtures_and_others_give_others() {
    let mix = |seed, step| Mixing::default().mix(&vectors(), WIDTH, &layout(), seed, step);
    assert_eq!(mix(1, 0), mix(1, 0));
    assert_ne!(mix(1, 0), mix(2, 0));
    assert_ne!(mix(1, 0), mix(1, 1));
}

#[test]
fn an_anchor_that_sees_too_little_has_no_mixtures_and_the_plain_loss() {
    let mut layout = layout();
    layout.hidden = (0..32).map(|at| at % 8 != at / 8).collect();
    let plain = loss_and_gradient(&vectors(), WIDTH, &layout, &TrainOptions::default()).unwrap();
    layout.mixtures = Some(Mixing::default().mix(&vectors(), WIDTH, &layout, 1, 0));
    assert!(layout.mixtures.as_ref().unwrap().absent.iter().all(|&absent| absent));
    let mixed = loss_and_gradient(&vectors(), WIDTH, &layout, &TrainOptions::default()).unwrap();
    close(mixed.0.into(), plain.0.into(), 1e-6, "loss");
    for (&mixed, &plain) in mixed.1.iter().zip(&plain.1) {
        close(mixed.into(), plain.into(), 1e-4, "gradient");
    }
}

#[test]
fn mixtures_raise_the_loss_whose_gradient_takes_them_as_constant() {
    for bidirectional in [Bidirectional::Off, Bidirectional::PerDirection, Bidirectional::Joint] {
        let options = TrainOptions::default().with_scale(5.0).with_bidirectional(bidirectional);
        let (mut vectors, mut layout) = (vectors(), layout());
        let (plain, _) = loss_and_gradient(&vectors, WIDTH, &layout, &options).unwrap();
        layout.mixtures = Some(Mixing::default().mix(&vectors, WIDTH, &layout, 1, 0));
        let (mixed, gradient) = loss_and_gradient(&vectors, WIDTH, &layout, &options).unwrap();
        assert!(mixed > plain + 0.01, "{mixed}, without mixtures {plain}");
        for at in 0..vectors.len() {
            let (here, step) = (vectors[at], 1e-2);
            let mut loss_at = |value: f32| {
                vectors[at] = value;
                loss_and_gradient(&vectors, WIDTH, &layout, &options).unwrap().0
            };
            let found = (loss_at(here + step) - loss_at(here - step)) / (2.0 * step);
            loss_at(here);
            assert!((found - gradient[at]).abs() < 2e-3, "{at}: {found}, not {}", gradient[at]);
        }
    }
}

#[test]
fn gradient_caching_goes_with_mixing() {
    let mut model = tiny();
    let rows = reference_rows("tiny", 2);
    let plain = TrainOptions::default().with_scope(NegativeScope::OwnAnchor);
    let mixing = plain.clone().with_mixing(Some(Mixing::default()));
    let (without, _) = batch_with(&mut model, &rows, &plain, usize::MAX);
    let (loss, whole) = batch_with(&mut model, &rows, &mixing, usize::MAX);
    let (cached_loss, cached) = batch_with(&mut model, &rows, &mixing, 64);
    assert!(loss > without, "{loss}, without mixtures {without}");
    close(cached_loss.into(), loss.into(), 1e-5, "loss");
    close(global_norm(&cached), global_norm(&whole), 1e-4, "gradient");
}

#[test]
fn mixing_of_nothing_is_refused() {
    for mixing in [
        Mixing::default().with_pairs(0).with_anchored(0),
        Mixing::default().with_hardest(1),
        Mixing::default().with_hardest(0).with_pairs(0),
    ] {
        let result = TrainOptions::default().with_mixing(Some(mixing)).validate();
        assert!(matches!(result, Err(Error::Invalid { .. })), "{mixing:?}");
    }
    assert!(TrainOptions::default().with_mixing(Some(Mixing::default())).validate().is_ok());
}
