use std::ops::ControlFlow;

use super::distance;
use crate::Error;
use crate::encoder::Encoder;
use crate::encoder::test_model::tiny_model;

fn tiny() -> Encoder {
    Encoder::load(&tiny_model()).unwrap()
}

#[test]
fn every_text_has_a_vector_of_length_one() {
    let encoder = tiny();
    let long = "The relationship between vectors. \0\u{7} ".repeat(3000);
    let texts =
        ["", "\0", "\u{7}\u{1b}[31m", "🍕👨‍👩‍👧", "東京は日本の首都です", "<pad>", "<pad><pad>", " \t\n", &long];
    assert!(long.len() > 100_000);
    for (text, vector) in texts.iter().zip(encoder.encode(&texts).unwrap()) {
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((length - 1.0).abs() < 1e-5, "{:?}: {length}", &text[..text.len().min(20)]);
    }
    assert_eq!(encoder.token_ids(&long).unwrap().len(), encoder.max_tokens());
    assert_eq!(encoder.count_tokens(&long), 18_000);
    assert_eq!(encoder.count_tokens(""), 0);
}

#[test]
fn vectors_come_in_the_order_of_the_texts_however_they_are_batched() {
    let encoder = tiny();
    // Lengths from 0 to 700 words, in more than one window of texts and many batches.
    let texts: Vec<String> = (0..1500).map(|i| format!("{i} ").repeat((i * 7919) % 97 * (i % 8))).collect();
    let mut reports = Vec::new();
    let vectors = encoder
        .encode_with(&texts, &mut |done| {
            reports.push(done);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(reports.is_sorted() && reports.last() == Some(&texts.len()) && reports.len() > 10, "{reports:?}");
    for i in [0, 1, 9, 500, 1023, 1024, 1499] {
        assert!(distance(&vectors[i], &encoder.encode_one(&texts[i]).unwrap()) < 2e-6, "text {i}");
    }
    assert!(encoder.encode::<&str>(&[]).unwrap().is_empty());
}

#[test]
fn encoding_stops_when_told_to() {
    let texts = vec!["a few words to encode"; 5000];
    let mut calls = 0;
    let result = tiny().encode_with(&texts, &mut |_| {
        calls += 1;
        if calls == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(matches!(result, Err(Error::Cancelled { .. })));
    assert_eq!(calls, 2);
}
