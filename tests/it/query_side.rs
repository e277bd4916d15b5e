//! Rounds in which only the query side moves, on the tiny model.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use crate::common::rounds::{
    by_vectors, cosines, farthest, generation, generations, judged, learn, publish, vectors,
};
use crate::common::{documents, flip, judge, judge_everything, open, options, quick_round};
use retune::learn::Tier;
use retune::{Decision, Document, Engine, Error, LearnOptions, LearnStage};

const ASKED: &str = "what is done about a kettle";

/// Nothing but an encoder of queries, which moves visibly.
fn query_round() -> LearnOptions {
    at_rate(5e-3)
}

fn at_rate(rate: f64) -> LearnOptions {
    let train = quick_round().train.with_learning_rate(rate);
    quick_round().with_tiers(&[Tier::QuerySide]).with_train(train)
}

#[test]
fn queries_move_and_the_vectors_stay_over_reopening_adding_and_a_rollback() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let (before, first) = (engine.status().unwrap().generation, cosines(&engine, ASKED));
    let mut reindexed = false;
    let report = engine
        .learn(&query_round(), &mut |progress| {
            reindexed |= progress.stage == LearnStage::Reindex;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
    assert_eq!((report.tier, report.generation.0, reindexed), (Some(Tier::QuerySide), 2, false));
    assert!(report.loss.last() < report.loss.first(), "{:?}", report.loss);
    assert_eq!(report.tried.len(), 1);
    assert!(engine.status().unwrap().coverage.is_complete());
    let after = engine.status().unwrap().generation;
    assert_eq!(after.weights, before.weights);
    assert!(before.query_weights.is_none() && after.query_weights.is_some_and(|own| own != after.weights));
    assert_eq!(vectors(folder.path(), 1), vectors(folder.path(), 2));
    let moved = cosines(&engine, ASKED);
    assert!(moved.iter().zip(&first).all(|(new, old)| new.0 == old.0 && new.1 != old.1), "{moved:?}");
    engine.close().unwrap();

    let engine = open(folder.path());
    assert_eq!(engine.status().unwrap().generation.query_weights, after.query_weights);
    assert_eq!(cosines(&engine, ASKED), moved);
    // What is added is encoded as everything was before.
    let added = || vec![Document::new("new", "A new page about eels and what they eat.")];
    engine.add(added()).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let untrained = open(elsewhere.path());
    untrained.add(documents()).unwrap();
    untrained.add(added()).unwrap();
    assert_eq!(vectors(folder.path(), 2), vectors(elsewhere.path(), 1));

    assert_eq!(engine.rollback().unwrap().0, 1);
    assert_eq!(engine.status().unwrap().generation.query_weights, None);
    assert_eq!(cosines(&engine, ASKED), cosines(&untrained, ASKED));
    engine.remove(&["new"]).unwrap();
    assert_eq!(cosines(&engine, ASKED), first);
}

#[test]
fn another_round_of_the_query_side_goes_on_and_one_of_the_encoder_resets_both() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let untrained = cosines(&engine, ASKED);
    publish(&engine, &query_round(), Tier::QuerySide);
    let first = engine.status().unwrap().generation;
    publish(&engine, &query_round(), Tier::QuerySide);
    let second = engine.status().unwrap().generation;
    assert!(second.query_weights.is_some() && second.query_weights != first.query_weights);
    // It hardly moves: what answers then is where the encoder of documents was.
    let train = quick_round().train.with_learning_rate(1e-9);
    publish(&engine, &quick_round().with_tiers(&[Tier::Encoder]).with_train(train), Tier::Encoder);
    let third = engine.status().unwrap().generation;
    assert_eq!(third.query_weights, None);
    assert_ne!(third.weights, first.weights);
    assert!(!generation(folder.path(), third.id.0).join("queries").exists());
    let moved = farthest(&cosines(&engine, ASKED), &untrained);
    assert!(moved < 1e-3, "{moved}");
}

#[test]
fn a_round_of_the_fusion_carries_the_query_side_along() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path().join("index"), by_vectors()).unwrap();
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    publish(&engine, &at_rate(5e-5), Tier::QuerySide);
    let (before, scores) = (engine.status().unwrap().generation, cosines(&engine, ASKED));
    // One word of a text is too little for vectors of random weights; words find it.
    for document in documents() {
        for word in document.text.split_whitespace().filter(|word| word.len() > 5) {
            judge(&engine, word, &document.id);
        }
    }
    publish(&engine, &quick_round().with_tiers(&[Tier::Fusion]), Tier::Fusion);
    let check = |engine: &Engine| {
        let after = engine.status().unwrap().generation;
        assert_eq!((after.id.0, after.query_weights), (3, before.query_weights));
        assert_ne!(after.fusion, before.fusion);
        assert_eq!(cosines(engine, ASKED), scores);
    };
    check(&engine);
    engine.close().unwrap();
    check(&Engine::open(folder.path().join("index"), by_vectors()).unwrap());
}

#[test]
fn a_damaged_encoder_of_queries_is_reported_and_left_by_a_rollback() {
    type Damage = (&'static str, fn(&Path));
    let damages: [Damage; 3] = [
        ("model.safetensors", |path| flip(path, 50_000)),
        ("tokenizer.json", |path| flip(path, 3000)),
        ("config.json", |path| std::fs::remove_file(path).unwrap()),
    ];
    for (name, harm) in damages {
        let folder = tempfile::tempdir().unwrap();
        let (index, engine) = (folder.path().join("index"), judged(folder.path()));
        publish(&engine, &query_round(), Tier::QuerySide);
        engine.close().unwrap();
        harm(&generation(folder.path(), 2).join("queries").join(name));
        let (path, remedy) = match Engine::open(&index, options()) {
            Err(Error::Damaged { path, remedy, .. }) => (path, remedy),
            opened => panic!("{name}: {opened:?}"),
        };
        assert!(path.ends_with(Path::new("queries").join(name)), "{}", path.display());
        assert!(remedy.contains("retune rollback"), "{remedy}");
        assert_eq!(Engine::rollback_at(&index, &options()).unwrap().0, 1);
        assert_eq!(open(folder.path()).status().unwrap().generation.query_weights, None);
    }
}

#[test]
fn a_cancelled_or_rejected_round_of_the_query_side_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // By vectors, so that queries which moved too far are answered worse.
    let engine = Engine::open(folder.path().join("index"), by_vectors()).unwrap();
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    for stage in [LearnStage::Collect, LearnStage::Train, LearnStage::Gate] {
        let result = engine.learn(&query_round(), &mut |progress| match progress.stage == stage {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        assert!(matches!(result, Err(Error::Cancelled { .. })), "{stage:?}: {result:?}");
        assert_eq!(generations(folder.path()), ["000001"], "{stage:?}");
    }
    let before = cosines(&engine, ASKED);
    let report = learn(&engine, &at_rate(2.5));
    assert_eq!(report.gate.decision, Decision::Rejected, "{}", report.gate.reason);
    assert_eq!((report.tier, report.tried[0].tier), (None, Tier::QuerySide));
    assert_eq!(generations(folder.path()), ["000001"]);
    assert_eq!(cosines(&engine, ASKED), before);
}

#[test]
fn a_round_tries_the_cheapest_first_and_publishes_the_best() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path().join("index"), by_vectors()).unwrap();
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let report = learn(&engine, &query_round().with_tiers(&Tier::ALL));
    let tried: Vec<Tier> = report.tried.iter().map(|one| one.tier).collect();
    // A cheap one may come to nothing that can be judged.
    assert!(tried.is_sorted_by_key(|tier| Tier::ALL.iter().position(|one| one == tier)), "{tried:?}");
    assert!(tried.ends_with(&[Tier::QuerySide, Tier::Encoder]), "{tried:?}");
    let passed = report.tried.iter().rfind(|one| one.gate.decision == Decision::Published).unwrap();
    assert_eq!((report.tier, &report.gate), (Some(passed.tier), &passed.gate));
    // Each is held against the best before it.
    let mut best = report.tried[0].gate.before;
    for one in &report.tried {
        assert_eq!(one.gate.before, best, "{:?}", one.tier);
        if one.gate.decision == Decision::Published {
            best = one.gate.after;
        }
    }
    assert_eq!(generations(folder.path()), ["000001", "000002"]);
}

#[test]
fn where_a_reindex_costs_too_much_queries_learn_alone_and_the_report_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let before = engine.status().unwrap().generation;
    let round = quick_round().with_train(query_round().train);
    let report = learn(&engine, &round.with_reindex_budget(Some(Duration::from_nanos(1))));
    let tried: Vec<Tier> = report.tried.iter().map(|one| one.tier).collect();
    assert_eq!((tried[0], *tried.last().unwrap()), (Tier::Encoder, Tier::QuerySide), "{tried:?}");
    let left_out = &report.tried[0].gate;
    assert_eq!(left_out.decision, Decision::Skipped);
    assert!(left_out.reason.starts_with("encoding all 8 chunks anew would take"), "{}", left_out.reason);
    assert!(left_out.reason.contains("the reindex budget of"), "{}", left_out.reason);
    assert_eq!((report.gate.decision, report.tier), (Decision::Published, Some(Tier::QuerySide)));
    let after = engine.status().unwrap().generation;
    assert!(after.weights == before.weights && after.query_weights.is_some());
    assert_eq!(vectors(folder.path(), 1), vectors(folder.path(), 2));
}

#[test]
fn the_encoder_learns_where_the_budget_allows_it_or_the_tiers_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let within = |budget| quick_round().with_reindex_budget(budget);
    for options in [
        quick_round(),
        within(None),
        // Measured: eight chunks could take longer than a minute, but don't.
        within(Some(Duration::from_secs(60))),
        within(Some(Duration::ZERO)).with_tiers(&[Tier::Fusion, Tier::Encoder]),
    ] {
        let report = engine.dry_run(&options, &mut |_| ControlFlow::Continue(())).unwrap();
        let mut tried = report.tried.iter().map(|one| (one.tier, one.gate.decision));
        assert!(tried.all(|(tier, gate)| tier != Tier::QuerySide && gate != Decision::Skipped), "{report:?}");
        assert_eq!(report.tried.last().unwrap().tier, Tier::Encoder);
    }
}

#[test]
fn what_is_learnt_of_queries_can_be_taken_to_another_index_of_the_same_encoder() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (engine, other) = (judged(folder.path()), open(elsewhere.path()));
    other.add(documents()).unwrap();
    publish(&engine, &query_round(), Tier::QuerySide);
    assert_ne!(cosines(&other, ASKED), cosines(&engine, ASKED));
    assert_eq!(other.adopt_query_side(&engine).unwrap().0, 2);
    assert_eq!(cosines(&other, ASKED), cosines(&engine, ASKED));
    publish(&engine, &quick_round().with_tiers(&[Tier::Encoder]), Tier::Encoder);
    let refused = other.adopt_query_side(&engine);
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    assert_eq!(other.status().unwrap().generation.id.0, 2);
}
