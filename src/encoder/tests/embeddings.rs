use std::path::Path;

use super::{cosine, distance, golden};
use crate::encoder::Encoder;
use crate::encoder::test_model::{real_model, reference, tiny_model};

#[derive(serde::Deserialize)]
struct Golden {
    texts: Vec<Text>,
}

#[derive(serde::Deserialize)]
struct Text {
    name: String,
    text: String,
    token_ids: Vec<u32>,
    embedding: Vec<f32>,
}

/// Tokens equal, vectors within rounding, each text alone and all in one call.
fn check(folder: &Path, golden_file: &str) {
    let encoder = Encoder::load(folder).unwrap();
    let golden: Golden = golden(golden_file);
    assert_eq!(golden.texts.len(), 24);
    let texts: Vec<&str> = golden.texts.iter().map(|text| text.text.as_str()).collect();
    let together = encoder.encode(&texts).unwrap();
    for (text, together) in golden.texts.iter().zip(&together) {
        assert_eq!(encoder.token_ids(&text.text).unwrap(), text.token_ids, "{}", text.name);
        let alone = encoder.encode_one(&text.text).unwrap();
        assert_eq!(alone.len(), encoder.dimensions());
        let (similarity, apart) = (cosine(&alone, &text.embedding), distance(&alone, &text.embedding));
        assert!(similarity >= 0.99999 && apart < 2e-5, "{}: cosine {similarity}, {apart} apart", text.name);
        assert!(distance(&alone, together) < 2e-6, "{}: {}", text.name, distance(&alone, together));
    }
}

#[test]
fn the_tiny_model_agrees_with_the_reference() {
    check(&tiny_model(), "tiny_tokenize_embed.json");
}

#[test]
fn the_tiny_model_in_the_layout_of_version_6_agrees_with_the_reference() {
    check(&reference().join("tiny-mpnet-saved-by-st6"), "tiny_tokenize_embed.json");
}

#[test]
fn the_real_model_agrees_with_the_reference() {
    if let Some(folder) = real_model() {
        check(&folder, "real_tokenize_embed.json");
    }
}
