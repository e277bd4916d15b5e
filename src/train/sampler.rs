//! Batches in which no text stands twice.
//!
//! A text that stands twice would be its own negative: another row's positive, or hard negative, counts as wrong.

use std::collections::HashSet;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::trainer::Example;

/// One epoch's batches, as indices into `examples`. Every example is in exactly one; what finds one of its texts in the
/// batch already waits for a later one. Equal seed and epoch give equal batches.
pub(super) fn batches(examples: &[Example], batch_size: usize, seed: u64, epoch: usize) -> Vec<Vec<usize>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(epoch as u64);
    let mut waiting: Vec<usize> = (0..examples.len()).collect();
    waiting.shuffle(&mut random);
    let mut batches = Vec::new();
    while !waiting.is_empty() {
        let (mut batch, mut later) = (Vec::new(), Vec::new());
        let mut texts: HashSet<&str> = HashSet::new();
        for index in waiting {
            let own = || examples[index].texts();
            if batch.len() < batch_size && own().all(|text| !texts.contains(text)) {
                texts.extend(own());
                batch.push(index);
            } else {
                later.push(index);
            }
        }
        batches.push(batch);
        waiting = later;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn examples() -> impl Strategy<Value = Vec<Example>> {
        let row = (0u8..12, 0u8..12, prop::collection::vec(0u8..12, 0..3));
        prop::collection::vec(row, 0..40).prop_map(|rows| {
            let name = |n: u8| format!("text {n}");
            rows.into_iter()
                .map(|(anchor, positive, negatives)| Example {
                    anchor: format!("query {anchor}"),
                    positive: name(positive),
                    negatives: negatives.into_iter().map(name).collect(),
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn every_example_is_in_one_batch_and_no_text_stands_twice(
            examples in examples(), size in 1usize..9, seed: u64, epoch in 0usize..4,
        ) {
            let batches = batches(&examples, size, seed, epoch);
            let mut seen: Vec<usize> = batches.concat();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..examples.len()).collect::<Vec<_>>());
            for batch in &batches {
                prop_assert!((1..=size).contains(&batch.len()));
                for (place, &a) in batch.iter().enumerate() {
                    for &b in &batch[place + 1..] {
                        prop_assert!(examples[a].texts().all(|text| examples[b].texts().all(|other| text != other)));
                    }
                }
            }
            prop_assert_eq!(batches, super::batches(&examples, size, seed, epoch));
        }
    }

    #[test]
    fn epochs_differ_in_their_order() {
        let example =
            |i| Example { anchor: format!("q{i}"), positive: format!("p{i}"), negatives: Vec::new() };
        let examples: Vec<Example> = (0..50).map(example).collect();
        assert_ne!(batches(&examples, 8, 1, 0), batches(&examples, 8, 1, 1));
        assert_ne!(batches(&examples, 8, 1, 0), batches(&examples, 8, 2, 0));
    }
}
