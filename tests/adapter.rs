//! Rounds that fit an adapter of query vectors, on the tiny model.

mod common;

use std::ops::ControlFlow;
use std::path::Path;

use common::{judge_pages, options, pages, quick_round};
use retune::{
    AdapterOptions, Decision, Document, Engine, Error, Fusion, LearnOptions, LearnStage, Mode, NegativeScope,
    NegativeShares, Options, Query, QuerySideOptions, RoundReport, Tier,
};

/// The hybrid is the lexical ranking: what the gate sees is never worse, so that what the vectors do decides nothing.
fn by_words() -> Options {
    options().with_fusion(Fusion::Convex { dense_weight: 0.0 })
}

fn open(folder: &Path) -> Engine {
    Engine::open(folder.join("index"), by_words()).unwrap()
}

fn judged(folder: &Path) -> Engine {
    let engine = open(folder);
    engine.add(pages()).unwrap();
    judge_pages(&engine);
    engine
}

/// Nothing but an adapter, which moves queries visibly.
fn adapter_round() -> LearnOptions {
    let options = AdapterOptions::default().with_rank(4).with_learning_rate(1e-2).with_steps(20);
    quick_round().with_tiers(&[Tier::Adapter]).with_adapter(options)
}

fn publish(engine: &Engine, options: &LearnOptions, tier: Tier) -> RoundReport {
    let report = engine.learn(options, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((report.gate.decision, report.tier), (Decision::Published, Some(tier)), "{report:?}");
    report
}

/// Every document's cosine.
fn cosines(engine: &Engine) -> Vec<(String, f32)> {
    let query = Query::new("what is done about a kettle").with_mode(Mode::Dense).with_limit(100);
    let mut hits: Vec<(String, f32)> =
        engine.search(&query).unwrap().hits.into_iter().map(|hit| (hit.document, hit.score)).collect();
    hits.sort_by(|a, b| a.0.cmp(&b.0));
    hits
}

fn generation(folder: &Path, number: u64) -> std::path::PathBuf {
    folder.join(format!("index/generations/{number:06}"))
}

fn vectors(folder: &Path, number: u64) -> Vec<u8> {
    std::fs::read(generation(folder, number).join("dense/vectors.bin")).unwrap()
}

#[test]
fn searches_go_through_the_adapter_over_reopening_adding_and_a_rollback() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let first = cosines(&engine);
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
    let moved = cosines(&engine);
    assert!(moved.iter().zip(&first).all(|(new, old)| new.0 == old.0 && new.1 != old.1), "{moved:?}");
    engine.close().unwrap();

    let engine = open(folder.path());
    assert_eq!(engine.status().unwrap().generation.query_adapter, Some(4));
    assert_eq!(cosines(&engine), moved);
    // What is added is a document: it goes through no adapter.
    let added = || vec![Document::new("new", "A new page about eels and what they eat.")];
    engine.add(added()).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let untrained = open(elsewhere.path());
    untrained.add(pages()).unwrap();
    untrained.add(added()).unwrap();
    assert_eq!(vectors(folder.path(), 2), vectors(elsewhere.path(), 1));

    assert_eq!(engine.rollback().unwrap().0, 1);
    assert_eq!(engine.status().unwrap().generation.query_adapter, None);
    assert_eq!(cosines(&engine), cosines(&untrained));
}

#[test]
fn an_adapter_is_fitted_anew_and_not_put_on_top_of_the_one_that_serves() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    // Without what the serving queries find and suspect, which have moved.
    let train = quick_round().train.with_scope(NegativeScope::OwnAnchor).with_guide_margin(None);
    let shares = NegativeShares::default().with(1.0, 0.0, 0.0);
    let round = adapter_round().with_train(train).with_negative_shares(shares);
    publish(&engine, &round, Tier::Adapter);
    let moved = cosines(&engine);
    publish(&engine, &round, Tier::Adapter);
    assert_eq!(engine.status().unwrap().generation.id.0, 3);
    assert_eq!(cosines(&engine), moved);
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
        let engine = judged(folder.path());
        let first = cosines(&engine);
        publish(&engine, &adapter_round(), Tier::Adapter);
        let far = |(new, old): (&(String, f32), &(String, f32))| (new.1 - old.1).abs();
        let moved: f32 = cosines(&engine).iter().zip(&first).map(far).fold(0.0, f32::max);
        publish(&engine, &hardly(tier), tier);
        assert_eq!(engine.status().unwrap().generation.query_adapter, None);
        assert!(!generation(folder.path(), 3).join("adapter.bin").exists());
        let left: f32 = cosines(&engine).iter().zip(&first).map(far).fold(0.0, f32::max);
        assert!(left < moved / 2.0, "{tier:?}: {left}, {moved}");
    }
}

#[test]
fn another_index_and_a_round_of_the_fusion_carry_the_adapter_along() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = judged(folder.path());
    publish(&engine, &adapter_round(), Tier::Adapter);
    let scores = cosines(&engine);
    let other = open(elsewhere.path());
    other.add(pages()).unwrap();
    judge_pages(&other);
    assert_ne!(cosines(&other), scores);
    other.adopt_query_side(&engine).unwrap();
    assert_eq!(cosines(&other), scores);
    publish(&other, &quick_round().with_tiers(&[Tier::Fusion]), Tier::Fusion);
    other.close().unwrap();
    let other = open(elsewhere.path());
    let status = other.status().unwrap().generation;
    assert_eq!((status.id.0, status.query_adapter), (3, Some(4)));
    assert_eq!(cosines(&other), scores);
}

#[test]
fn a_damaged_adapter_is_reported_and_left_by_a_rollback() {
    let flip = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    let remove = |path: &Path| std::fs::remove_file(path).unwrap();
    let damage: [&dyn Fn(&Path); 2] = [&flip, &remove];
    for harm in damage {
        let folder = tempfile::tempdir().unwrap();
        let (index, engine) = (folder.path().join("index"), judged(folder.path()));
        publish(&engine, &adapter_round(), Tier::Adapter);
        engine.close().unwrap();
        harm(&generation(folder.path(), 2).join("adapter.bin"));
        let Err(Error::Damaged { path, remedy, .. }) = Engine::open(&index, by_words()) else {
            panic!("opened")
        };
        assert!(path.ends_with("adapter.bin"), "{}", path.display());
        assert!(remedy.contains("retune rollback"), "{remedy}");
        assert_eq!(Engine::rollback_at(&index, &by_words()).unwrap().0, 1);
        assert_eq!(open(folder.path()).status().unwrap().generation.query_adapter, None);
    }
}

#[test]
fn too_few_queries_are_said_and_a_cancelled_fit_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged(folder.path());
    let result = engine.learn(&adapter_round(), &mut |progress| match progress.stage {
        LearnStage::Train => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(result, Err(Error::Cancelled { .. })), "{result:?}");
    let report =
        engine.learn(&adapter_round().with_min_queries(1000), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(report.gate.decision, Decision::Skipped);
    assert!(report.gate.reason.contains("1000 are needed"), "{}", report.gate.reason);
    assert!(!generation(folder.path(), 2).exists());
}
