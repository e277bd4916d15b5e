//! The gradient at the layers' input, and embeddings displaced there.

use super::cosine;
use crate::encoder::test_model::{devices, tiny_model};
use crate::encoder::{Device, EncoderPrecision, InputGradient, Kernel, TrainableEncoder};

/// Three texts of different lengths. The others are compared with the first.
const TEXTS: [&[u32]; 3] = [&[0, 7, 11, 2], &[0, 5, 9, 12, 6, 2], &[0, 8, 2]];

fn model(device: Device, frozen: usize) -> TrainableEncoder {
    let (precision, kernel) = (EncoderPrecision::F32, Kernel::best().unwrap());
    let mut model = TrainableEncoder::load(device, &tiny_model(), precision, kernel).unwrap();
    model.freeze(frozen).unwrap();
    model
}

/// Every device, with no layer frozen and with one.
fn models() -> impl Iterator<Item = (usize, TrainableEncoder)> {
    let both = |device| [0, 1].map(|frozen| (frozen, model(device, frozen)));
    devices().into_iter().flat_map(both)
}

/// The input of `model`'s layers for the two other texts, and its gradient for the sum of their cosines to the first.
fn input_gradient(model: &mut TrainableEncoder) -> InputGradient {
    let first = model.embed(&TEXTS[..1], false).unwrap().to_vec();
    model.embed(&TEXTS[1..], true).unwrap();
    model.input_gradient([&first[..], &first[..]].concat()).unwrap()
}

/// The sum of the cosines to the first text after the displacement.
fn cosines(model: &mut TrainableEncoder, displacement: &[f32]) -> f64 {
    let first = model.embed(&TEXTS[..1], false).unwrap().to_vec();
    let width = model.dimensions();
    let vectors = model.embed_displaced(&TEXTS[1..], displacement).unwrap();
    vectors.chunks_exact(width).map(|vector| cosine(vector, &first)).sum()
}

#[test]
fn the_gradient_at_the_input_is_the_slope_of_the_cosines() {
    for (frozen, mut model) in models() {
        let InputGradient { input, gradient } = input_gradient(&mut model);
        let (tokens, width) = (TEXTS[1].len() + TEXTS[2].len(), model.dimensions());
        assert_eq!((input.len(), gradient.len()), (tokens * width, tokens * width));
        let size = input.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        let slope = |model: &mut TrainableEncoder, at: usize| {
            let mut moved = |by: f32| {
                let mut displacement = vec![0.0; tokens * width];
                displacement[at] = by;
                cosines(model, &displacement)
            };
            let step = 0.02 * size;
            (moved(step) - moved(-step)) / f64::from(2.0 * step)
        };
        let largest = gradient.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        assert!(largest > 0.0);
        for at in (0..tokens * width).step_by(7) {
            let (found, expected) = (f64::from(gradient[at]), slope(&mut model, at));
            let apart = (found - expected).abs();
            assert!(
                apart < 5e-3 * f64::from(largest),
                "{frozen} frozen layers, {at}: {found}, not {expected} ({largest})"
            );
        }
    }
}

#[test]
fn no_displacement_changes_no_bit_and_one_is_a_constant_to_the_gradient() {
    for (_, mut model) in models() {
        let width = model.dimensions();
        let tokens = TEXTS.iter().map(|text| text.len()).sum::<usize>();
        let backward = |model: &mut TrainableEncoder| {
            model.zero_gradients();
            model.backward((0..3 * width).map(|at| (at % 5) as f32 - 2.0).collect()).unwrap();
            model.gradients().unwrap().into_owned()
        };
        let plain = model.embed(&TEXTS, true).unwrap().to_vec();
        let expected = backward(&mut model);
        assert_eq!(model.embed_displaced(&TEXTS, &vec![0.0; tokens * width]).unwrap(), plain);
        assert_eq!(backward(&mut model), expected);
        let displacement: Vec<f32> = (0..tokens * width).map(|at| 0.01 * (at % 3) as f32).collect();
        assert_ne!(model.embed_displaced(&TEXTS, &displacement).unwrap(), plain);
        assert_ne!(backward(&mut model), expected);
        assert_eq!(model.embed(&TEXTS, true).unwrap(), plain, "it is forgotten");
        assert_eq!(backward(&mut model), expected);
    }
}

#[test]
fn with_a_displacement_the_gradient_of_every_parameter_is_the_slope() {
    for (_, mut model) in models() {
        let InputGradient { input, gradient } = input_gradient(&mut model);
        let length = |x: &[f32]| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let scale = (0.1 * length(&input) / length(&gradient)) as f32;
        let displacement: Vec<f32> = gradient.iter().map(|x| scale * x).collect();
        // The first text's vector is held fixed. Otherwise it would have a gradient too.
        let first = model.embed(&TEXTS[..1], false).unwrap().to_vec();
        let width = model.dimensions();
        let sum = |model: &mut TrainableEncoder| -> f64 {
            let vectors = model.embed_displaced(&TEXTS[1..], &displacement).unwrap();
            vectors.chunks_exact(width).map(|vector| cosine(vector, &first)).sum()
        };
        sum(&mut model);
        model.backward([&first[..], &first[..]].concat()).unwrap();
        let gradients = model.gradients().unwrap().into_owned();
        let names = model.names().to_vec();
        for (place, name) in names.iter().enumerate() {
            let norm = length(&gradients[place]);
            // Zero in theory: softmax ignores a constant added to a whole row.
            if gradients[place].is_empty() || name.ends_with("attn.k.bias") {
                continue;
            }
            let mut moved = |by: f64| {
                let before = model.parameters().unwrap()[place].clone();
                let change = |parameters: &mut [Vec<f32>], _: &[Vec<f32>]| {
                    let numbers = parameters[place].iter_mut().zip(&gradients[place]);
                    numbers.for_each(|(x, g)| *x += (by / norm) as f32 * g);
                };
                model.update(change).unwrap();
                let found = sum(&mut model);
                model.update(|parameters, _| parameters[place] = before).unwrap();
                found
            };
            let step = 5e-3;
            let slope = (moved(step) - moved(-step)) / (2.0 * step);
            assert!((slope - norm).abs() < 0.01 * norm + 5e-5, "{name}: {slope}, not {norm}");
        }
    }
}
