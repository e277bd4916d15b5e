use super::score::Fused;
use super::*;
use crate::ids::ChunkId;
use proptest::prelude::*;

/// Of a query whose words could score 10.
pub(super) const CEILING: f32 = 10.0;

fn fuse(fusion: &Fusion, candidates: &[Candidate]) -> Vec<Fused> {
    super::fuse(fusion, CEILING, candidates)
}

pub(super) fn candidate(id: u64, lexical: f32, dense: f32) -> Candidate {
    Candidate { id: ChunkId(id), lexical, dense: Some(dense) }
}

fn order(fused: &[Fused]) -> Vec<u64> {
    fused.iter().map(|hit| hit.id.0).collect()
}

fn rank_of(fused: &[Fused], id: ChunkId) -> usize {
    fused.iter().position(|hit| hit.id == id).unwrap()
}

/// Scores from a coarse scale, so that ties happen, with a share of lexical zeros.
fn pools() -> impl Strategy<Value = Vec<Candidate>> {
    prop::collection::vec((0..30i32, -20..=20i32), 1..25).prop_map(|scores| {
        scores
            .iter()
            .enumerate()
            .map(|(i, &(l, d))| candidate(i as u64, (l - 10).max(0) as f32 * 0.7, d as f32 / 20.0))
            .collect()
    })
}

fn fusions() -> impl Strategy<Value = Fusion> {
    prop_oneof![
        (0.0f32..=1.0).prop_map(|dense_weight| Fusion::Convex { dense_weight }),
        (1u32..100).prop_map(|k| Fusion::Rrf { k }),
    ]
}

proptest! {
    #[test]
    fn the_order_of_the_candidates_makes_no_difference(
        (pool, shuffled) in pools().prop_flat_map(|p| (Just(p.clone()), Just(p).prop_shuffle())), fusion in fusions(),
    ) {
        prop_assert_eq!(fuse(&fusion, &pool), fuse(&fusion, &shuffled));
    }

    #[test]
    fn a_better_score_never_means_a_worse_rank(
        pool in pools(), at in any::<prop::sample::Index>(), lexical in 0.0f32..5.0, dense in 0.0f32..0.5,
        fusion in fusions(),
    ) {
        let at = at.index(pool.len());
        let before = rank_of(&fuse(&fusion, &pool), pool[at].id);
        let mut better = pool.clone();
        better[at].lexical += lexical;
        better[at].dense = better[at].dense.map(|before| (before + dense).min(1.0));
        prop_assert!(rank_of(&fuse(&fusion, &better), pool[at].id) <= before);
    }

    #[test]
    fn a_candidate_that_leads_on_both_sides_leads(pool in pools(), weight in 0.0f32..=1.0) {
        let mut pool = pool;
        let leader = candidate(1000, 99.0, 1.0);
        pool.iter_mut().for_each(|c| c.dense = c.dense.map(|dense| dense.min(0.95)));
        pool.push(leader);
        for fusion in [Fusion::Convex { dense_weight: weight }, Fusion::RRF] {
            prop_assert_eq!(fuse(&fusion, &pool)[0].id, leader.id);
        }
    }

    #[test]
    fn a_lone_hit_scores_above_zero(lexical in 0.0f32..50.0, dense in -0.99f32..=1.0, fusion in fusions()) {
        let hit = fuse(&fusion, &[candidate(1, lexical, dense)]);
        let counts = lexical > 0.0 || fusion != Fusion::Convex { dense_weight: 0.0 };
        prop_assert!(hit[0].score > 0.0 || !counts);
    }

    #[test]
    fn other_candidates_change_no_convex_score(pool in pools(), others in pools(), weight in 0.0f32..=1.0) {
        let fusion = Fusion::Convex { dense_weight: weight };
        let before = fuse(&fusion, &pool);
        let mut more = pool.clone();
        more.extend(others.iter().map(|other| Candidate { id: ChunkId(2000 + other.id.0), ..*other }));
        for hit in before {
            let after = fuse(&fusion, &more);
            prop_assert_eq!(after[rank_of(&after, hit.id)].score, hit.score);
        }
    }

    #[test]
    fn whatever_comes_in_a_finite_score_goes_out(
        scores in prop::collection::vec((any::<f32>(), any::<f32>()), 0..10), fusion in fusions(),
    ) {
        let pool: Vec<_> = scores.iter().enumerate().map(|(i, &(l, d))| candidate(i as u64, l, d)).collect();
        let fused = fuse(&fusion, &pool);
        prop_assert_eq!(fused.len(), pool.len());
        for hit in fused {
            prop_assert!(hit.score.is_finite() && hit.lexical.is_finite() && hit.dense.is_some_and(f32::is_finite));
            prop_assert!(hit.score >= 0.0);
        }
    }
}

#[test]
fn the_ends_of_the_convex_scale_are_the_two_sides() {
    let pool = [candidate(1, 9.0, 0.1), candidate(2, 0.0, 0.9), candidate(3, 3.0, -0.5)];
    assert_eq!(order(&fuse(&Fusion::Convex { dense_weight: 0.0 }, &pool)), [1, 3, 2]);
    assert_eq!(order(&fuse(&Fusion::Convex { dense_weight: 1.0 }, &pool)), [2, 1, 3]);
    let half = fuse(&Fusion::Convex { dense_weight: 0.5 }, &pool);
    assert_eq!(order(&half), [1, 2, 3]);
    let expected = 0.5 * 9.0 / 10.0 + 0.5 * (0.02 + 0.98 * 0.1);
    assert!((half[0].score - expected).abs() < 1e-6, "{}", half[0].score);
}

#[test]
fn rank_fusion_counts_from_one_and_shares_ranks() {
    let pool =
        [candidate(7, 5.0, 0.9), candidate(8, 5.0, 0.2), candidate(9, 0.0, 0.9), candidate(10, 0.0, 0.1)];
    let fused = fuse(&Fusion::RRF, &pool);
    assert_eq!(order(&fused), [7, 8, 9, 10]);
    let expected = [1. / 61. + 1. / 61., 1. / 61. + 1. / 63., 1. / 64. + 1. / 61., 1. / 64. + 1. / 64.];
    for (hit, expected) in fused.iter().zip(expected) {
        assert!((hit.score - expected as f32).abs() < 1e-7, "{hit:?} {expected}");
    }
}

#[test]
fn ties_break_by_id() {
    let pool = [candidate(5, 1.0, 0.5), candidate(2, 1.0, 0.5), candidate(9, 1.0, 0.5)];
    assert_eq!(order(&fuse(&Fusion::default(), &pool)), [2, 5, 9]);
    assert_eq!(order(&fuse(&Fusion::RRF, &pool)), [2, 5, 9]);
}

#[test]
fn options_are_checked_and_kept_as_json() {
    assert!(Fusion::default().validate().is_ok() && Fusion::RRF.validate().is_ok());
    for dense_weight in [-0.1, 1.1, f32::NAN] {
        assert!(Fusion::Convex { dense_weight }.validate().is_err());
    }
    assert!(Fusion::Rrf { k: 0 }.validate().is_err());
    for fusion in [Fusion::default(), Fusion::RRF] {
        let json = serde_json::to_string(&fusion).unwrap();
        assert_eq!(serde_json::from_str::<Fusion>(&json).unwrap(), fusion, "{json}");
    }
    let json = serde_json::to_string(&Fusion::default()).unwrap();
    assert_eq!(json, r#"{"mode":"convex","dense_weight":0.55}"#);
}

#[test]
fn weights_by_kind_of_query_which_earlier_versions_stored_are_read_as_the_default() {
    let stored = r#"{"mode":"by-class","short":0.9,"short_rare":0.5,"long":0.75,"long_rare":0.25}"#;
    assert_eq!(serde_json::from_str::<Fusion>(stored).unwrap(), Fusion::default());
}

#[test]
fn a_candidate_without_a_vector_stands_where_its_words_put_it() {
    let without = |id, lexical| Candidate { dense: None, ..candidate(id, lexical, 0.0) };
    // By words: 4, 1, 5, 2. By both: 3, 1, 2.
    let pool = [
        candidate(1, 6.0, 0.4),
        candidate(2, 2.0, 0.3),
        candidate(3, 0.0, 0.95),
        without(4, 7.0),
        without(5, 4.0),
    ];
    for fusion in [Fusion::default(), Fusion::Convex { dense_weight: 1.0 }] {
        assert_eq!(order(&fuse(&fusion, &pool)), [4, 3, 5, 1, 2], "{fusion}");
    }
    assert_eq!(order(&fuse(&Fusion::RRF, &pool)), [4, 1, 5, 3, 2]);
    let alone = [without(1, 1.0), without(2, 3.0), without(3, 2.0)];
    for fusion in [Fusion::default(), Fusion::RRF, Fusion::Convex { dense_weight: 1.0 }] {
        assert_eq!(order(&fuse(&fusion, &alone)), [2, 3, 1], "{fusion}");
    }
}
