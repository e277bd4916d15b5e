//! Every round trains the model that the index was created with, on the whole log.

use std::fs;
use std::path::Path;

use retune::learn::{Tier, TrainingStart};
use retune::{Engine, Fusion, LearnOptions, Options};

use crate::common::rounds::{by_words, cosines, farthest, publish};
use crate::common::{copy, judge_pages, pages, quick_round, tiny_model};

const QUERY: &str = "kettle vinegar shift";
/// Cosines that a step of 1e-12 may move.
const ALIKE: f32 = 1e-3;

fn open(folder: &Path) -> Engine {
    Engine::open(folder.join("index"), by_words().with_model(folder.join("model"))).unwrap()
}

/// Opens it without naming a model.
fn open_alone(folder: &Path) -> Engine {
    let fusion = Fusion::Convex { dense_weight: 0.0 };
    let options = Options::default().with_trial_share(0.0).with_fusion(fusion);
    Engine::open(folder.join("index"), options).unwrap()
}

/// A round of so large steps.
fn round(learning_rate: f64) -> LearnOptions {
    let options = quick_round();
    let train = options.train.clone().with_learning_rate(learning_rate);
    options.with_train(train).with_tiers(&[Tier::Encoder])
}

fn start(engine: &Engine, learning_rate: f64) -> TrainingStart {
    publish(engine, &round(learning_rate), Tier::Encoder).training.unwrap().start
}

#[test]
fn rounds_start_from_the_model_that_the_index_was_created_with() {
    let folder = tempfile::tempdir().unwrap();
    copy(&tiny_model(), &folder.path().join("model"));
    let engine = open(folder.path());
    engine.add(pages()).unwrap();
    judge_pages(&engine);
    let untrained = cosines(&engine, QUERY);
    assert_eq!(start(&engine, 1e-3), TrainingStart::FirstModel);
    assert!(farthest(&cosines(&engine, QUERY), &untrained) > 10.0 * ALIKE);
    // A round that hardly moves shows what it started from.
    assert_eq!(start(&engine, 1e-12), TrainingStart::FirstModel);
    assert!(farthest(&cosines(&engine, QUERY), &untrained) < ALIKE);
    engine.close().unwrap();

    // Also after the index was opened anew, and a generation later.
    let engine = open(folder.path());
    assert_eq!(start(&engine, 1e-3), TrainingStart::FirstModel);
    let trained = cosines(&engine, QUERY);
    assert!(farthest(&trained, &untrained) > 10.0 * ALIKE);
    engine.close().unwrap();

    // Where it is gone, the serving encoder is trained further.
    fs::remove_dir_all(folder.path().join("model")).unwrap();
    let engine = open_alone(folder.path());
    assert_eq!(start(&engine, 1e-12), TrainingStart::Serving);
    assert!(farthest(&cosines(&engine, QUERY), &trained) < ALIKE);
}

#[test]
fn a_model_with_other_weights_in_its_place_is_not_taken_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    copy(&tiny_model(), &model);
    let engine = open(folder.path());
    engine.add(pages()).unwrap();
    judge_pages(&engine);
    assert_eq!(start(&engine, 1e-3), TrainingStart::FirstModel);
    engine.close().unwrap();
    let trained = fs::read(folder.path().join("index/generations/000002/model/model.safetensors")).unwrap();
    fs::write(model.join("model.safetensors"), trained).unwrap();
    let engine = open_alone(folder.path());
    assert_eq!(start(&engine, 1e-3), TrainingStart::Serving);
}
