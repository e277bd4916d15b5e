//! Samples batches without false negatives among their rows.
//!
//! If a batch had the same text twice, the text would be its own negative, because the other rows' positives and hard
//! negatives count as wrong. The same holds for the answer to a question that is asked twice in other words.

use std::collections::HashSet;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::mask::Known;
use super::options::TrainOptions;
use super::row::TrainingRow;

/// Two anchors with at least this cosine, by the guide, never share a batch.
const SIMILAR_ANCHORS: f32 = 0.9;

/// Returns one epoch's batches, as indices into `rows`. Every row is in exactly one. Within a batch, texts are
/// distinct, and no two anchors share an answer or are similar: a conflicting row waits for a later batch. Equal seed
/// and epoch give equal batches.
pub(super) fn batches(
    rows: &[TrainingRow],
    options: &TrainOptions,
    known: Known<'_>,
    epoch: usize,
) -> Vec<Vec<usize>> {
    let mut random = ChaCha8Rng::seed_from_u64(options.seed);
    random.set_stream(epoch as u64);
    let mut waiting: Vec<usize> = (0..rows.len()).collect();
    waiting.shuffle(&mut random);
    let mut batches = Vec::new();
    while !waiting.is_empty() {
        let (mut batch, mut later) = (Vec::new(), Vec::new());
        let mut texts: HashSet<&str> = HashSet::new();
        for index in waiting {
            let own = || rows[index].texts();
            let apart = |&other: &usize| are_apart(&rows[index].anchor, &rows[other].anchor, known);
            if batch.len() < options.batch_size
                && own().all(|text| !texts.contains(text))
                && batch.iter().all(apart)
            {
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

fn are_apart(a: &str, b: &str, known: Known<'_>) -> bool {
    let cosine = known.guide.and_then(|guide| guide.cosine(a, b));
    !known.answers.meet(a, b) && cosine.is_none_or(|cosine| cosine < SIMILAR_ANCHORS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::negatives::NegativeKind;
    use crate::train::row::{Answers, Guide};
    use proptest::prelude::*;

    fn rows() -> impl Strategy<Value = Vec<TrainingRow>> {
        let texts = |most| prop::collection::vec(0u8..12, 0..most);
        let row = (0u8..12, 0u8..12, texts(2), texts(3));
        prop::collection::vec(row, 0..40).prop_map(|rows| {
            let name = |n: u8| format!("text {n}");
            rows.into_iter()
                .map(|(anchor, positive, others, negatives)| TrainingRow {
                    anchor: format!("query {anchor}"),
                    positive: name(positive),
                    other_answers: others.into_iter().map(name).collect(),
                    weight: 1.0,
                    kinds: vec![NegativeKind::Semantic; negatives.len()],
                    negatives: negatives.into_iter().map(name).collect(),
                })
                .collect()
        })
    }

    /// Query n stands at 20 n degrees: only neighbours, and those a turn apart, are similar.
    fn guide() -> Guide {
        let mut guide = Guide::default();
        for n in 0u8..12 {
            let angle = (20.0 * f32::from(n)).to_radians();
            guide.add(&format!("query {n}"), vec![angle.cos(), angle.sin()]);
        }
        guide
    }

    proptest! {
        #[test]
        fn every_example_is_in_one_batch_and_no_batch_holds_what_must_be_apart(
            rows in rows(), size in 2usize..9, seed: u64, epoch in 0usize..4, guided: bool,
        ) {
            let options = TrainOptions::default().with_batch_size(size).with_seed(seed);
            let (answers, guide) = (Answers::of(&rows), guide());
            let known = Known { answers: &answers, guide: guided.then_some(&guide) };
            let batches = batches(&rows, &options, known, epoch);
            let mut seen: Vec<usize> = batches.concat();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..rows.len()).collect::<Vec<_>>());
            for batch in &batches {
                prop_assert!((1..=size).contains(&batch.len()));
                for (place, &a) in batch.iter().enumerate() {
                    for &b in &batch[place + 1..] {
                        let (a, b) = (&rows[a], &rows[b]);
                        prop_assert!(a.texts().all(|text| b.texts().all(|other| text != other)));
                        let answers = |anchor: &str| -> BTreeSet<&str> {
                            let rows = rows.iter().filter(|one| one.anchor == anchor);
                            rows.flat_map(|one| [&one.positive].into_iter().chain(&one.other_answers))
                                .map(String::as_str)
                                .collect()
                        };
                        let apart = answers(&a.anchor).is_disjoint(&answers(&b.anchor));
                        prop_assert!(apart, "{} and {} have an answer in common", a.anchor, b.anchor);
                        if guided {
                            prop_assert!(guide.cosine(&a.anchor, &b.anchor).unwrap() < 0.9);
                        }
                    }
                }
            }
            prop_assert_eq!(batches, super::batches(&rows, &options, known, epoch));
        }
    }

    #[test]
    fn epochs_and_seeds_differ_in_their_order() {
        let row = |i| TrainingRow {
            anchor: format!("q{i}"),
            positive: format!("p{i}"),
            other_answers: Vec::new(),
            weight: 1.0,
            negatives: Vec::new(),
            kinds: Vec::new(),
        };
        let rows: Vec<TrainingRow> = (0..50).map(row).collect();
        let answers = Answers::of(&rows);
        let order = |seed, epoch| {
            let known = Known { answers: &answers, guide: None };
            batches(&rows, &TrainOptions::default().with_seed(seed), known, epoch)
        };
        assert_ne!(order(1, 0), order(1, 1));
        assert_ne!(order(1, 0), order(2, 0));
    }
}
