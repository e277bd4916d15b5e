//! Rounds that fit an adapter of query vectors, on the tiny model.

mod common;

use std::ops::ControlFlow;
use std::path::Path;

use common::rounds::{
    by_words, cosines, farthest, generation, judged_pages, learn, open_by_words, publish, vectors,
};
use common::{flip, judge_pages, pages, quick_round};
use retune::{
    AdapterOptions, Decision, Document, Engine, Error, LearnOptions, LearnStage, NegativeScope,
    NegativeShares, QuerySideOptions, Tier,
};

const ASKED: &str = "what is done about a kettle";

/// Nothing but an adapter, which moves queries visibly.
fn adapter_round() -> LearnOptions {
    let options = AdapterOptions::default().with_rank(4).with_learning_rate(1e-2).with_steps(20);
    quick_round().with_tiers(&[Tier::Adapter]).with_adapter(options)
}

#[test]
fn searches_go_through_the_adapter_over_reopening_adding_and_a_rollback() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    let first = cosines(&engine, ASKED);
    let mut reindexed = false;
    let report = engine
        .learn(&adapter_round(), &mut |progress| {
            reindexed |= progress.stage == LearnStage::Reindex;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
    assert_eq!((report.tier, report.generation.0, reindexed), (Some(Tier::Adapter), 2, false));
    let training = report.training.unwrap();
    assert!(!training.steps.is_empty() && training.steps.len() == report.loss.len());
    let status = engine.status().unwrap().generation;
    assert_eq!((status.query_adapter, status.query_weights, status.missing_vectors), (Some(4), None, 0));
    assert_eq!(vectors(folder.path(), 1), vectors(folder.path(), 2));
    let moved = cosines(&engine, ASKED);
    assert!(moved.iter().zip(&first).all(|(new, old)| new.0 == old.0 && new.1 != old.1), "{moved:?}");
    engine.close().unwrap();

    let engine = open_by_words(folder.path());
    assert_eq!(engine.status().unwrap().generation.query_adapter, Some(4));
    assert_eq!(cosines(&engine, ASKED), moved);
    // What is added is a document: it goes through no adapter.
    let added = || vec![Document::new("new", "A new page about eels and what they eat.")];
    engine.add(added()).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let untrained = open_by_words(elsewhere.path());
    untrained.add(pages()).unwrap();
    untrained.add(added()).unwrap();
    assert_eq!(vectors(folder.path(), 2), vectors(elsewhere.path(), 1));

    assert_eq!(engine.rollback().unwrap().0, 1);
    assert_eq!(engine.status().unwrap().generation.query_adapter, None);
    assert_eq!(cosines(&engine, ASKED), cosines(&untrained, ASKED));
}

#[test]
fn an_adapter_is_fitted_anew_and_not_put_on_top_of_the_one_that_serves() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    // Without what the serving queries find and suspect, which have moved.
    let train = quick_round().train.with_scope(NegativeScope::OwnAnchor).with_guide_margin(None);
    let shares = NegativeShares::default().with(1.0, 0.0, 0.0);
    let round = adapter_round().with_train(train).with_negative_shares(shares);
    publish(&engine, &round, Tier::Adapter);
    let moved = cosines(&engine, ASKED);
    publish(&engine, &round, Tier::Adapter);
    assert_eq!(engine.status().unwrap().generation.id.0, 3);
    assert_eq!(cosines(&engine, ASKED), moved);
}

#[test]
fn an_encoder_that_is_trained_resets_the_adapter() {
    let hardly = |tier| {
        let train = quick_round().train.with_learning_rate(1e-9);
        let queries = QuerySideOptions::default().with_epochs(1).with_learning_rate(1e-9);
        quick_round().with_tiers(&[tier]).with_train(train).with_query_side(queries)
    };
    for tier in [Tier::QuerySide, Tier::Encoder] {
        let folder = tempfile::tempdir().unwrap();
        let engine = judged_pages(folder.path());
        let first = cosines(&engine, ASKED);
        publish(&engine, &adapter_round(), Tier::Adapter);
        let moved = farthest(&cosines(&engine, ASKED), &first);
        publish(&engine, &hardly(tier), tier);
        assert_eq!(engine.status().unwrap().generation.query_adapter, None);
        assert!(!generation(folder.path(), 3).join("adapter.bin").exists());
        let left = farthest(&cosines(&engine, ASKED), &first);
        assert!(left < moved / 2.0, "{tier:?}: {left}, {moved}");
    }
}

#[test]
fn another_index_and_a_round_of_the_fusion_carry_the_adapter_along() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = judged_pages(folder.path());
    publish(&engine, &adapter_round(), Tier::Adapter);
    let scores = cosines(&engine, ASKED);
    let other = open_by_words(elsewhere.path());
    other.add(pages()).unwrap();
    judge_pages(&other);
    assert_ne!(cosines(&other, ASKED), scores);
    other.adopt_query_side(&engine).unwrap();
    assert_eq!(cosines(&other, ASKED), scores);
    publish(&other, &quick_round().with_tiers(&[Tier::Fusion]), Tier::Fusion);
    other.close().unwrap();
    let other = open_by_words(elsewhere.path());
    let status = other.status().unwrap().generation;
    assert_eq!((status.id.0, status.query_adapter), (3, Some(4)));
    assert_eq!(cosines(&other, ASKED), scores);
}

#[test]
fn a_damaged_adapter_is_reported_and_left_by_a_rollback() {
    let damages: [fn(&Path); 2] = [|path| flip(path, 200), |path| std::fs::remove_file(path).unwrap()];
    for harm in damages {
        let folder = tempfile::tempdir().unwrap();
        let (index, engine) = (folder.path().join("index"), judged_pages(folder.path()));
        publish(&engine, &adapter_round(), Tier::Adapter);
        engine.close().unwrap();
        harm(&generation(folder.path(), 2).join("adapter.bin"));
        let Err(Error::Damaged { path, remedy, .. }) = Engine::open(&index, by_words()) else {
            panic!("opened")
        };
        assert!(path.ends_with("adapter.bin"), "{}", path.display());
        assert!(remedy.contains("retune rollback"), "{remedy}");
        assert_eq!(Engine::rollback_at(&index, &by_words()).unwrap().0, 1);
        assert_eq!(open_by_words(folder.path()).status().unwrap().generation.query_adapter, None);
    }
}

#[test]
fn too_few_queries_are_said_and_a_cancelled_fit_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    let result = engine.learn(&adapter_round(), &mut |progress| match progress.stage {
        LearnStage::Train => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(result, Err(Error::Cancelled { .. })), "{result:?}");
    let report = learn(&engine, &adapter_round().with_min_queries(1000));
    assert_eq!(report.gate.decision, Decision::Skipped);
    assert!(report.gate.reason.contains("1000 are needed"), "{}", report.gate.reason);
    assert!(!generation(folder.path(), 2).exists());
}
