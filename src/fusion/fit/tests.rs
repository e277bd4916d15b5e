use super::super::tests::{CEILING, candidate};
use super::*;

fn relevant(document: &str) -> BTreeSet<String> {
    BTreeSet::from([document.to_string()])
}

/// Every chunk is its own document.
fn learn(queries: &[Judged]) -> Option<f32> {
    let ids = queries.iter().flat_map(|query| &query.candidates).map(|one| one.id);
    learn_dense_weight(&queries.iter().collect::<Vec<_>>(), &ids.map(|id| (id, id.0.to_string())).collect())
}

/// A query whose answer only the lexical side finds, among ten that the dense side prefers.
fn lexical_query() -> Judged {
    let mut candidates: Vec<_> = (1..=12).map(|i| candidate(i, 1.0, 0.9 - i as f32 / 25.0)).collect();
    candidates.push(candidate(99, 2.0, 0.4));
    Judged { candidates, relevant: relevant("99"), ceiling: CEILING }
}

#[test]
fn the_learned_weight_follows_the_judgements_and_shrinks_with_few_of_them() {
    let many = learn(&vec![lexical_query(); 400]).unwrap();
    let few = learn(&vec![lexical_query(); 15]).unwrap();
    assert!(many < few && few < Fusion::DEFAULT_DENSE_WEIGHT, "{many} {few}");
    assert!(Fusion::Convex { dense_weight: many }.validate().is_ok());
}

#[test]
fn nothing_is_learned_from_queries_that_tell_nothing() {
    assert_eq!(learn(&[]), None);
    let alone =
        Judged { candidates: vec![candidate(1, 1.0, 0.5)], relevant: relevant("1"), ceiling: CEILING };
    let absent = Judged { relevant: relevant("12345"), ..lexical_query() };
    assert_eq!(learn(&[alone, absent]), None);
}

#[test]
fn judgements_that_the_default_ranks_right_give_the_default() {
    let right = Judged {
        candidates: vec![candidate(1, 0.0, 0.9), candidate(2, 5.0, 0.1)],
        relevant: relevant("1"),
        ceiling: CEILING,
    };
    assert_eq!(learn(&vec![right; 50]), Some(Fusion::DEFAULT_DENSE_WEIGHT));
}

#[test]
fn a_document_counts_once_by_its_best_chunk() {
    let documents: HashMap<ChunkId, String> =
        (1..=12).map(|id| (ChunkId(id), "long".into())).chain([(ChunkId(99), "99".into())]).collect();
    // Second of two documents, though thirteenth among the chunks.
    let second = 1.0 / 3f64.log2();
    assert!((quality(&lexical_query(), &documents, 1.0) - second).abs() < 1e-12);
}
