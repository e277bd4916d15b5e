//! Tests on real folders, and properties of generated texts.

mod chunks;
mod folders;
mod formats;

use proptest::prelude::ProptestConfig;

use super::*;

/// A configuration with the same cases on every run.
pub(super) fn seeded(cases: u32) -> ProptestConfig {
    let rng_seed = proptest::test_runner::RngSeed::Fixed(17);
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

/// Counts words and punctuation marks, like a simple tokeniser.
pub(super) fn count_words(text: &str) -> usize {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).count()
        + text.chars().filter(|c| !c.is_alphanumeric() && !c.is_whitespace()).count()
}

/// A real but small tokeniser.
pub(super) fn tiny_tokenizer() -> tokenizers::Tokenizer {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/reference/tiny-mpnet/tokenizer.json");
    let mut tokenizer = tokenizers::Tokenizer::from_file(path).unwrap();
    tokenizer.with_truncation(None).unwrap();
    tokenizer.with_padding(None);
    tokenizer
}

pub(super) fn chunks_of(text: &str, format: Format, max_tokens: usize) -> Vec<Chunk> {
    let lengths = Lengths { text: max_tokens, ..Lengths::DEFAULT };
    chunk_text(None, text, format, lengths, &count_words).unwrap()
}

pub(super) fn titles(chunks: &[Chunk]) -> Vec<&str> {
    chunks.iter().map(|chunk| chunk.title.as_str()).collect()
}
