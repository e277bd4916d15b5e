//! Rounds that move the vectors of judged passages, on the tiny model.

mod common;

use std::ops::ControlFlow;

use common::rounds::{by_vectors, by_words, cosines, judged_pages, open_by_words, publish};
use common::{judge_pages, pages, quick_round};
use retune::{Decision, Engine, Error, LearnOptions, LearnStage, Tier};

fn nudge_round() -> LearnOptions {
    quick_round().with_tiers(&[Tier::Nudge])
}

const ASKED: &str = "kettle vinegar shift";

#[test]
fn judged_passages_move_towards_their_queries_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    let (first, weights) = (cosines(&engine, ASKED), engine.status().unwrap().generation.weights);
    let mut reindexed = false;
    let report = engine
        .learn(&nudge_round(), &mut |progress| {
            reindexed |= progress.stage == LearnStage::Reindex;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!((report.gate.decision, reindexed), (Decision::Published, false), "{}", report.gate.reason);
    let nudge = report.nudge.unwrap();
    assert_eq!((nudge.passages, nudge.gamma > 0.0), (16, true));
    let status = engine.status().unwrap().generation;
    assert_eq!((status.id.0, status.nudged, status.weights, status.missing_vectors), (2, 16, weights, 0));
    let moved = cosines(&engine, ASKED);
    assert!(moved["answer0"] > first["answer0"], "{} {}", moved["answer0"], first["answer0"]);
    assert_eq!(moved["ask0"], first["ask0"]);
    engine.close().unwrap();

    let engine = open_by_words(folder.path());
    assert_eq!((cosines(&engine, ASKED), engine.status().unwrap().generation.nudged), (moved, 16));
    assert_eq!(engine.rollback().unwrap().0, 1);
    assert_eq!((cosines(&engine, ASKED), engine.status().unwrap().generation.nudged), (first, 0));
}

#[test]
fn every_round_begins_where_the_encoder_has_the_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    let first = cosines(&engine, ASKED);
    publish(&engine, &nudge_round(), Tier::Nudge);
    let moved = cosines(&engine, ASKED);
    publish(&engine, &nudge_round(), Tier::Nudge);
    assert_eq!(cosines(&engine, ASKED), moved, "not moved twice");
    // Nothing says any more that this page answers anything: its vector goes back.
    engine.forget_document("answer0").unwrap();
    let report = publish(&engine, &nudge_round(), Tier::Nudge);
    let again = cosines(&engine, ASKED);
    assert_eq!(report.nudge.unwrap().passages, 15);
    assert!((again["answer0"] - first["answer0"]).abs() < 1e-3, "{} {}", again["answer0"], first["answer0"]);
}

#[test]
fn a_round_of_the_fusion_carries_them_along_and_one_of_the_encoder_resets_them() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    publish(&engine, &nudge_round(), Tier::Nudge);
    let (moved, nudged) = (cosines(&engine, ASKED), engine.status().unwrap().generation.nudged);
    assert!(nudged > 0);
    publish(&engine, &quick_round().with_tiers(&[Tier::Fusion]), Tier::Fusion);
    assert_eq!((cosines(&engine, ASKED), engine.status().unwrap().generation.nudged), (moved, nudged));
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    publish(&engine, &nudge_round(), Tier::Nudge);
    publish(&engine, &quick_round().with_tiers(&[Tier::Encoder]), Tier::Encoder);
    assert_eq!(engine.status().unwrap().generation.nudged, 0);
}

#[test]
fn a_cancelled_round_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let engine = judged_pages(folder.path());
    let result = engine.learn(&nudge_round(), &mut |progress| match progress.stage {
        LearnStage::Train => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert!(matches!(result, Err(Error::Cancelled { .. })), "{result:?}");
    assert!(!folder.path().join("index/generations/000002").exists());
    assert_eq!(engine.status().unwrap().generation.nudged, 0);
}

#[test]
fn moved_vectors_and_an_encoder_can_be_tried_in_one_round() {
    let train = quick_round().train.with_learning_rate(1e-9);
    let both = quick_round().with_tiers(&[Tier::Nudge, Tier::Encoder]).with_train(train);
    // By the vectors the moved ones are better than those of an encoder that has hardly changed; by words all are alike.
    for (options, tier) in [(by_vectors(), Tier::Nudge), (by_words(), Tier::Encoder)] {
        let folder = tempfile::tempdir().unwrap();
        let open = || Engine::open(folder.path().join("index"), options.clone()).unwrap();
        let engine = open();
        engine.add(pages()).unwrap();
        judge_pages(&engine);
        let report = publish(&engine, &both, tier);
        assert_eq!(report.tried.iter().map(|one| one.tier).collect::<Vec<_>>(), [Tier::Nudge, Tier::Encoder]);
        let moved = cosines(&engine, ASKED);
        engine.close().unwrap();
        let engine = open();
        let status = engine.status().unwrap().generation;
        assert_eq!((status.id.0, status.nudged > 0, status.missing_vectors), (2, tier == Tier::Nudge, 0));
        assert_eq!(cosines(&engine, ASKED), moved);
    }
}
