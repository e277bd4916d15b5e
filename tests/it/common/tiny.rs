//! The tiny model, and a handful of documents with judged queries.

use std::path::{Path, PathBuf};

use retune::learn::TrainOptions;
use retune::{Document, Engine, LearnOptions, Options, Query, Reader};

/// A complete MPNet of 200 KB with random weights.
pub fn tiny_model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/tiny-mpnet")
}

pub fn options() -> Options {
    Options::default().with_model(tiny_model()).with_trial_share(0.0)
}

pub fn open(folder: &Path) -> Engine {
    Engine::open(folder.join("index"), options()).unwrap()
}

/// Documents whose words tell them apart.
pub fn documents() -> Vec<Document> {
    [
        ("kettle", "The kettle is descaled with vinegar every second Monday before the shift begins."),
        ("gate", "A gate that creeps is chocked, and its ram is bled until the pointer rests."),
        ("ledger", "Each toll is entered in the blue ledger and signed by the keeper on watch."),
        ("lamp", "The green lamp burns while the lower pound is level with the river."),
        ("rope", "Frayed ropes are cut at the whipping and sent ashore for splicing."),
        ("pump", "When the pump sulks, close the foot valve and prime it with two buckets."),
        ("boots", "Boots are issued in spring; worn soles are exchanged at the store."),
        ("fog", "In fog the horn is sounded every two minutes and the swing bridge stays shut."),
    ]
    .into_iter()
    .map(|(id, text)| Document::new(id, text).with_title(id))
    .collect()
}

/// A round that is quick and asks for little.
pub fn quick_round() -> LearnOptions {
    // All of the tiny model's two layers: one alone learns next to nothing in so few steps.
    let train = TrainOptions::default().with_batch_size(4).with_learning_rate(1e-4).with_frozen_layers(0);
    LearnOptions::default()
        .with_train(train)
        // What the tiny model learns from a dozen queries may be luck; the gate's own tests are about that.
        .with_significance(None)
}

/// Searches and judges as a user who always picks the document with the given id.
pub fn judge(engine: &Reader, text: &str, document: &str) {
    let answer = engine.search(&Query::new(text)).unwrap();
    engine.judge(answer.query_id, document, retune::Verdict::Chosen).unwrap();
}

/// A query for every document, twice in different words, with the document's id.
pub fn judged_queries() -> Vec<(String, String)> {
    let both = documents().into_iter().flat_map(|document| {
        let words: Vec<&str> = document.text.split_whitespace().collect();
        [&words[..5], &words[words.len() - 5..]].map(|words| (words.join(" "), document.id.clone()))
    });
    both.collect()
}

/// Judges all of these.
pub fn judge_everything(engine: &Reader) {
    judged_queries().iter().for_each(|(text, document)| judge(engine, text, document));
}
