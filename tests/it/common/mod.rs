//! What the tests of the engine share: the tiny model and a handful of documents.

pub mod html;
pub mod rounds;

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

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let into = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &into),
            false => drop(std::fs::copy(&path, &into).unwrap()),
        }
    }
}

/// Damages a byte of a file.
pub fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x55;
    std::fs::write(path, bytes).unwrap();
}

/// The ids of the answer, best first.
pub fn ids(engine: &Reader, query: &Query) -> Vec<String> {
    engine.search(query).unwrap().hits.into_iter().map(|hit| hit.document).collect()
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

/// A judged query for every document, twice in different words.
pub fn judge_everything(engine: &Reader) {
    for document in documents() {
        let words: Vec<&str> = document.text.split_whitespace().collect();
        judge(engine, &words[..5].join(" "), &document.id);
        judge(engine, &words[words.len() - 5..].join(" "), &document.id);
    }
}

pub const TOPICS: [&str; 16] = [
    "kettle vinegar shift",
    "gate ram pointer",
    "toll ledger keeper",
    "green lamp river",
    "frayed rope splice",
    "pump valve bucket",
    "boots soles store",
    "fog horn bridge",
    "anchor chain rust",
    "lock sluice water",
    "barge coal weight",
    "winch grease gear",
    "pilot chart shoal",
    "paint brush hull",
    "stove chimney soot",
    "flag signal mast",
];

/// For each topic, a page that asks about it, and one that answers it in words that all answers share. Users ask with
/// the words of the first and choose the second. So all queries differ from their answers in the same direction.
pub fn pages() -> Vec<Document> {
    let page = |kind: &str, tail: &str| -> Vec<Document> {
        let pages = TOPICS.iter().enumerate();
        pages.map(|(at, topic)| Document::new(format!("{kind}{at}"), format!("{topic}{tail}"))).collect()
    };
    [page("ask", ""), page("answer", " it is done so and then so by the book of rules")].concat()
}

/// Every answer is chosen by three queries: its topic's words in other orders.
pub fn judge_pages(engine: &Engine) {
    for (at, topic) in TOPICS.iter().enumerate() {
        let words: Vec<&str> = topic.split(' ').collect();
        for [first, second, third] in [[0, 1, 2], [2, 1, 0], [1, 0, 2]] {
            let text = format!("{} {} {}", words[first], words[second], words[third]);
            judge(engine, &text, &format!("answer{at}"));
        }
    }
}
