//! What users open, bounce off and open again, from the search to the round, on the tiny model.

use std::path::Path;

use crate::common::rounds::{judged, learn};
use crate::common::{documents, open, quick_round};
use retune::{Engine, Query, Verdict};

/// An index with the queries of [`judged`], each asked twice by a user who opens the right document, asks again,
/// bounces off that document, and opens it once more.
fn opened(folder: &Path) -> Engine {
    let engine = open(folder);
    engine.add(documents()).unwrap();
    for document in documents() {
        let words: Vec<&str> = document.text.split_whitespace().collect();
        for text in [&words[..5], &words[words.len() - 5..]] {
            let text = text.join(" ");
            let query = Query::new(text.as_str()).with_session(format!("looking for {text}"));
            let first = engine.search(&query).unwrap().query_id;
            engine.judge(first, &document.id, Verdict::Opened).unwrap();
            let second = engine.search(&query).unwrap().query_id;
            for verdict in [Verdict::Opened, Verdict::Withdrawn, Verdict::Opened] {
                engine.judge(second, &document.id, verdict).unwrap();
            }
        }
    }
    engine
}

#[test]
fn what_was_opened_last_trains_like_what_was_chosen() {
    let round = |index: fn(&Path) -> Engine| {
        let folder = tempfile::tempdir().unwrap();
        let engine = index(folder.path());
        let report = learn(&engine, &quick_round());
        (report, engine.status().unwrap())
    };
    let ((chosen, after_chosen), (opened, after_opened)) = (round(judged), round(opened));
    assert_eq!((&opened.loss, opened.held_out), (&chosen.loss, chosen.held_out));
    assert_eq!(after_opened.generation.weights, after_chosen.generation.weights);
    let queries = 2 * documents().len() as u64;
    let mut dropped = chosen.sources.clone();
    dropped.insert("dropped_withdrawn_judgement".into(), queries);
    dropped.insert("dropped_overruled_opening".into(), queries);
    assert_eq!(opened.sources, dropped);
    assert_eq!(
        after_opened.feedback.unwrap().judgements,
        2 * queries,
        "three openings, one of them withdrawn"
    );
}
