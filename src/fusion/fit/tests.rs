use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::tests::{PROFILE, candidate};
use super::*;
use crate::fusion::QueryClass;

fn relevant(document: &str) -> BTreeSet<String> {
    BTreeSet::from([document.to_string()])
}

/// Every chunk is a document of its own.
fn learn(queries: &[Judged]) -> Option<f32> {
    let ids = queries.iter().flat_map(|query| &query.candidates).map(|one| one.id);
    learn_dense_weight(&queries.iter().collect::<Vec<_>>(), &ids.map(|id| (id, id.0.to_string())).collect())
}

/// A query whose right answer only the lexical side knows, among ten that the dense side prefers.
fn lexical_query() -> Judged {
    let mut candidates: Vec<_> = (1..=12).map(|i| candidate(i, 1.0, 0.9 - i as f32 / 25.0)).collect();
    candidates.push(candidate(99, 2.0, 0.4));
    Judged { candidates, relevant: relevant("99"), profile: PROFILE }
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
        Judged { candidates: vec![candidate(1, 1.0, 0.5)], relevant: relevant("1"), profile: PROFILE };
    let absent = Judged { relevant: relevant("12345"), ..lexical_query() };
    assert_eq!(learn(&[alone, absent]), None);
}

#[test]
fn judgements_that_the_default_ranks_right_give_the_default() {
    let right = Judged {
        candidates: vec![candidate(1, 0.0, 0.9), candidate(2, 5.0, 0.1)],
        relevant: relevant("1"),
        profile: PROFILE,
    };
    assert_eq!(learn(&vec![right; 50]), Some(Fusion::DEFAULT_DENSE_WEIGHT));
}

#[test]
fn a_document_counts_once_by_its_best_chunk() {
    let documents: HashMap<ChunkId, String> =
        (1..=12).map(|id| (ChunkId(id), "long".into())).chain([(ChunkId(99), "99".into())]).collect();
    // Second of two documents, though thirteenth of the chunks.
    let second = 1.0 / 3f64.log2();
    assert!((quality(&lexical_query(), &documents, 1.0) - second).abs() < 1e-12);
}

fn every_chunk_a_document(queries: &[Judged]) -> HashMap<ChunkId, String> {
    let ids = queries.iter().flat_map(|query| &query.candidates).map(|one| one.id);
    ids.map(|id| (id, id.0.to_string())).collect()
}

/// Queries of all classes in turn, each with twenty documents, of which the right one is that which a user finds who
/// gives the dense side the weight of the query's class, with some noise.
fn queries(count: usize, weight: impl Fn(QueryClass) -> f32, seed: u64) -> Vec<Judged> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let one = |place: usize| {
        let class = QueryClass::ALL[place % 4];
        let candidates: Vec<Candidate> =
            (0..20).map(|at| candidate((20 * place + at) as u64, random.random(), random.random())).collect();
        let weight = weight(class);
        let liked: Vec<f32> = candidates
            .iter()
            .map(|one| weight * one.dense + (1.0 - weight) * one.lexical + 0.2 * random.random::<f32>())
            .collect();
        let best = (0..20).max_by(|a, b| liked[*a].total_cmp(&liked[*b])).unwrap();
        let relevant = relevant(&candidates[best].id.0.to_string());
        Judged { candidates, relevant, profile: QueryProfile { class, ceiling: 1.0 } }
    };
    (0..count).map(one).collect()
}

fn learn_classes(queries: &[Judged]) -> Fusion {
    let documents = every_chunk_a_document(queries);
    learn_class_weights(&queries.iter().collect::<Vec<_>>(), &documents).unwrap()
}

#[test]
fn classes_that_differ_get_weights_of_their_own() {
    let apart = |class: QueryClass| if class.long { 0.2 } else { 0.95 };
    let mut found = 0;
    for seed in 0..20 {
        match learn_classes(&queries(120, apart, seed)) {
            Fusion::ByClass(weights) => {
                assert!(weights.short > weights.long + 0.15, "seed {seed}: {weights:?}");
                assert!(weights.short_rare > weights.long_rare + 0.15, "seed {seed}: {weights:?}");
                assert!(Fusion::ByClass(weights).validate().is_ok());
                found += 1;
            }
            one => assert!(matches!(one, Fusion::Convex { .. }), "seed {seed}: {one:?}"),
        }
    }
    assert!(found >= 18, "{found} of 20");
}

#[test]
fn classes_that_do_not_differ_keep_one_weight() {
    for weight in [0.3, 0.7] {
        let alike = |seed| {
            let queries = queries(120, |_| weight, seed);
            let refs: Vec<&Judged> = queries.iter().collect();
            let documents = every_chunk_a_document(&queries);
            let global = learn_dense_weight(&refs, &documents).unwrap();
            learn_class_weights(&refs, &documents) == Some(Fusion::Convex { dense_weight: global })
        };
        let kept = (0..20).filter(|&seed| alike(seed)).count();
        assert!(kept >= 18, "{kept} of 20 at {weight}");
    }
}

#[test]
fn few_queries_or_many_about_one_answer_are_no_ground_for_classes() {
    let apart = |class: QueryClass| if class.long { 0.0 } else { 1.0 };
    assert!(matches!(learn_classes(&queries(8, apart, 1)), Fusion::Convex { .. }));
    let mut about_one = queries(120, apart, 1);
    assert!(matches!(learn_classes(&about_one), Fusion::ByClass(_)));
    // One answer that nothing finds joins all of them in one group.
    for query in &mut about_one {
        query.relevant.insert("the same".into());
    }
    assert!(matches!(learn_classes(&about_one), Fusion::Convex { .. }));
    assert_eq!(learn_class_weights(&[], &HashMap::new()), None);
}

#[test]
fn a_class_with_few_queries_stays_near_the_weight_for_all() {
    let weights = |of_class: usize| {
        let long = QueryClass { long: true, rare: false };
        let profile = QueryProfile { class: long, ..PROFILE };
        let queries: Vec<Judged> = vec![Judged { profile, ..lexical_query() }; of_class];
        let documents = every_chunk_a_document(&queries);
        let past = Past::of(&queries.iter().collect::<Vec<_>>(), &documents);
        past.fit_classes(&past.all(), 0.8)
    };
    let (few, many) = (weights(4), weights(400));
    assert!(many.long < few.long && few.long <= 0.8, "{few:?} {many:?}");
    assert_eq!((few.short, few.short_rare, few.long_rare), (0.8, 0.8, 0.8));
}

#[test]
fn a_fold_never_cuts_a_group() {
    let folds = folds(&[0, 1, 0, 3, 4, 5, 6, 7, 3]);
    assert_eq!(folds, [0, 1, 0, 2, 3, 4, 0, 1, 2]);
}
