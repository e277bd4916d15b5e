//! Rounds of learning, and what they leave of an index.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use retune::learn::Tier;
use retune::{Decision, Engine, Fusion, LearnOptions, Mode, Options, Query, RoundReport};

use super::{documents, judge_everything, judge_pages, open, options, pages, quick_round};

/// An index with a judged query or two for each of its documents.
pub fn judged(folder: &Path) -> Engine {
    let engine = open(folder);
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    engine
}

/// The hybrid is the lexical ranking: what the gate sees is never worse, so that what the vectors do decides nothing.
pub fn by_words() -> Options {
    options().with_fusion(Fusion::Convex { dense_weight: 0.0 })
}

/// The hybrid is the dense ranking.
pub fn by_vectors() -> Options {
    options().with_fusion(Fusion::Convex { dense_weight: 1.0 })
}

/// An index in which every round that ranks by words as before passes its gate.
pub fn open_by_words(folder: &Path) -> Engine {
    Engine::open(folder.join("index"), by_words()).unwrap()
}

/// Such an index of the pages, of which the answers are judged.
pub fn judged_pages(folder: &Path) -> Engine {
    let engine = open_by_words(folder);
    engine.add(pages()).unwrap();
    judge_pages(&engine);
    engine
}

/// A gate that lets everything pass would hide a broken one: this round can only make things worse.
pub fn harmful_round() -> LearnOptions {
    let round = quick_round();
    let train = round.train.clone().with_learning_rate(0.5).with_epochs(20);
    round.with_train(train).with_tiers(&[Tier::Encoder])
}

/// Runs a round to its end.
pub fn learn(engine: &Engine, options: &LearnOptions) -> RoundReport {
    engine.learn(options, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// Runs a round, which must publish what this tier has learnt.
pub fn publish(engine: &Engine, options: &LearnOptions, tier: Tier) -> RoundReport {
    let report = learn(engine, options);
    assert_eq!((report.gate.decision, report.tier), (Decision::Published, Some(tier)), "{report:?}");
    report
}

/// Every document's cosine to a query.
pub fn cosines(engine: &Engine, query: &str) -> BTreeMap<String, f32> {
    let query = Query::new(query).with_mode(Mode::Dense).with_limit(100).without_logging();
    engine.search(&query).unwrap().hits.into_iter().map(|hit| (hit.document, hit.score)).collect()
}

/// How far the cosine that has moved the most has moved.
pub fn farthest(after: &BTreeMap<String, f32>, before: &BTreeMap<String, f32>) -> f32 {
    assert!(after.keys().eq(before.keys()), "{after:?} {before:?}");
    after.iter().map(|(document, cosine)| (cosine - before[document]).abs()).fold(0.0, f32::max)
}

/// The folder of a generation.
pub fn generation(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("index/generations/{number:06}"))
}

/// The names in `generations/`, without the pointer file.
pub fn generations(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("index/generations")).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "CURRENT");
    names.sort();
    names
}

/// The bytes of a generation's vectors.
pub fn vectors(folder: &Path, number: u64) -> Vec<u8> {
    std::fs::read(generation(folder, number).join("dense/vectors.bin")).unwrap()
}
