//! What the tests of the engine share.

pub mod html;
pub mod rounds;
mod tiny;

use std::path::Path;

use retune::{Document, Engine, Query, Reader};

pub use tiny::*;

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
