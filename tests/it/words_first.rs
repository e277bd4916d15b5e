//! Words are searched before vectors are there.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use retune::{AddOptions, Coverage, Decision, Document, Engine, IdleOptions, Mode, Query, Reader};

use crate::common::rounds::{generation, learn};
use crate::common::{documents, flip, ids, judge_everything, open, options, quick_round};

fn add_words(engine: &Engine, documents: Vec<Document>) -> usize {
    let options = AddOptions::default().with_words_first();
    engine.add_with(documents, &options, &mut |_| ControlFlow::Continue(())).unwrap().chunks_pending
}

fn encode(engine: &Engine) -> usize {
    engine.encode_pending(&mut |_, _| ControlFlow::Continue(())).unwrap()
}

fn coverage(engine: &Reader) -> (usize, usize) {
    let Coverage { encoded, chunks, .. } = engine.status().unwrap().coverage;
    (encoded, chunks)
}

fn others() -> Vec<Document> {
    let text = |n: usize| format!("The heron number {n} stands by the weir and waits for eels.");
    (0..5).map(|n| Document::new(format!("heron {n}"), text(n))).collect()
}

#[test]
fn documents_are_found_by_words_at_once_and_by_vectors_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    assert_eq!(add_words(&engine, documents()), documents().len());
    assert_eq!(coverage(&engine), (0, 8));
    for mode in [Mode::Lexical, Mode::Hybrid] {
        let answer = engine.search(&Query::new("descaled kettle").with_mode(mode)).unwrap();
        assert_eq!((answer.hits[0].document.as_str(), answer.hits[0].dense), ("kettle", None));
        assert_eq!((answer.coverage.encoded, answer.coverage.share()), (0, 0.0));
    }
    assert!(ids(&engine, &Query::new("kettle").with_mode(Mode::Dense)).is_empty());
    let mut steps = Vec::new();
    let encoded = engine.encode_pending(&mut |done, total| {
        steps.push((done, total));
        ControlFlow::Continue(())
    });
    assert_eq!((encoded.unwrap(), steps.last()), (8, Some(&(8, 8))));
    assert_eq!(coverage(&engine), (8, 8));
    let other = tempfile::tempdir().unwrap();
    let whole = open(other.path());
    whole.add(documents()).unwrap();
    for mode in [Mode::Hybrid, Mode::Dense] {
        let query = Query::new("where is the horn sounded in fog").with_mode(mode);
        let scores = |engine: &Engine| -> Vec<(String, Option<f32>)> {
            engine.search(&query).unwrap().hits.into_iter().map(|hit| (hit.document, hit.dense)).collect()
        };
        assert_eq!(scores(&engine), scores(&whole));
    }
    assert_eq!(encode(&engine), 0);
}

#[test]
fn opening_leaves_what_is_pending_and_mends_what_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    add_words(&engine, others());
    assert_eq!(coverage(&engine), (8, 13));
    engine.close().unwrap();
    let reader = Reader::open(folder.path().join("index"), options()).unwrap();
    assert_eq!(coverage(&reader), (8, 13));
    fs::remove_dir_all(generation(folder.path(), 1).join("dense")).unwrap();
    let engine = open(folder.path());
    assert_eq!(coverage(&engine), (8, 13), "eight were lost, five are pending");
    assert_eq!(encode(&engine), 5);
    reader.refresh().unwrap();
    engine.close().unwrap();
    // Nothing is pending any more: whatever is missing is lost.
    flip(&generation(folder.path(), 1).join("dense/vectors.bin"), 70);
    let engine = open(folder.path());
    assert_eq!(coverage(&engine), (13, 13));
}

#[test]
fn a_change_of_a_document_that_waits_is_not_encoded_twice() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    add_words(&engine, documents());
    add_words(&engine, vec![Document::new("kettle", "The kettle has been scrapped.").with_title("kettle")]);
    engine.remove(&["fog"]).unwrap();
    assert_eq!(coverage(&engine), (0, 7));
    // What is added as a whole has its vectors, even where the same text was waiting for one.
    let lamp = documents().remove(3).with_field("checked", true);
    assert_eq!(engine.add(vec![lamp]).unwrap().chunks_encoded, 1);
    assert_eq!(coverage(&engine), (1, 7));
    assert_eq!(encode(&engine), 6);
    assert_eq!(coverage(&engine), (7, 7));
}

#[test]
fn the_same_text_is_encoded_once_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let text = "Lock keepers are relieved at noon and at midnight.";
    let copies = |from: usize| (from..from + 3).map(|n| Document::new(format!("copy {n}"), text)).collect();
    let report = engine.add(copies(0)).unwrap();
    assert_eq!((report.chunks_encoded, report.chunks_kept), (1, 2));
    assert_eq!(engine.add(copies(3)).unwrap().chunks_encoded, 0);
    assert_eq!(add_words(&engine, copies(6)), 0, "its vector is there");
    let other = |n: usize| Document::new(format!("other {n}"), "Tolls are doubled on feast days.");
    assert_eq!(add_words(&engine, (0..4).map(other).collect()), 4);
    assert_eq!(encode(&engine), 1);
    assert_eq!(coverage(&engine), (13, 13));
    let query = Query::new(text).with_mode(Mode::Dense).with_copies().with_limit(20);
    let answer = engine.search(&query).unwrap();
    let cosines: Vec<f32> = answer.hits.iter().take(9).filter_map(|hit| hit.dense).collect();
    assert!(cosines.iter().all(|cosine| (cosine - cosines[0]).abs() < 1e-3), "{cosines:?}");
}

#[test]
fn what_searches_have_found_is_encoded_first() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let many =
        (0..400).map(|n| Document::new(format!("{n:03}"), format!("Entry {n} of the log, of word{n}.")));
    add_words(&engine, many.collect());
    let has_vector = |document: &str| {
        let answer = engine.search(&Query::new(format!("word{}", document.parse::<u32>().unwrap()))).unwrap();
        let hit = answer.hits.into_iter().find(|hit| hit.document == document);
        hit.is_some_and(|hit| hit.dense.is_some())
    };
    assert!(!has_vector("200") && !has_vector("007"));
    let stopped = engine.encode_pending(&mut |_, _| ControlFlow::Break(()));
    assert!(stopped.is_err() && coverage(&engine).0 < 400);
    assert!(has_vector("200") && has_vector("007"));
}

#[test]
fn a_new_generation_and_an_earlier_one_leave_pending_what_is() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    add_words(&engine, others());
    let report = learn(&engine, &quick_round());
    assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
    assert_eq!(coverage(&engine), (8, 13));
    engine.add(vec![Document::new("since", "A document that came since.")]).unwrap();
    engine.rollback().unwrap();
    assert_eq!(coverage(&engine), (9, 14), "what came since is encoded, what is pending is not");
    engine.close().unwrap();
    let engine = open(folder.path());
    assert_eq!(coverage(&engine), (9, 14));
    assert_eq!(encode(&engine), 5);
    assert!(ids(&engine, &Query::new("heron").with_mode(Mode::Dense).with_limit(20)).len() == 14);
}

#[test]
fn searches_and_changes_go_on_while_it_is_encoded() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let many = (0..300).map(|n| Document::new(format!("{n:03}"), format!("Entry {n} of the log.")));
    add_words(&engine, many.collect());
    let mut steps = 0;
    let encoded = engine.encode_pending(&mut |_, _| {
        let answer = engine.search(&Query::new("entry of the log")).unwrap();
        assert!(answer.coverage.encoded > 0 && !answer.hits.is_empty());
        engine.remove(&[format!("{steps:03}")]).unwrap();
        steps += 1;
        ControlFlow::Continue(())
    });
    encoded.unwrap();
    let Coverage { encoded, chunks, .. } = engine.status().unwrap().coverage;
    assert!(steps > 1 && encoded == chunks && chunks == 300 - steps, "{encoded} of {chunks}, {steps} steps");
    engine.close().unwrap();
    assert_eq!(coverage(&open(folder.path())), (chunks, chunks));
}

#[test]
fn a_file_that_was_renamed_keeps_its_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    let text =
        "# The river\n\nKeepers are relieved at noon.\n\n## Tolls\n\nTolls are doubled on feast days.\n";
    fs::write(files.join("a.md"), text).unwrap();
    let engine = open(folder.path());
    let index = |files: &Path| engine.index_folder(files, &mut |_| ControlFlow::Continue(())).unwrap();
    assert!(index(&files).chunks_encoded > 0);
    fs::rename(files.join("a.md"), files.join("b.md")).unwrap();
    fs::write(files.join("c.md"), text).unwrap();
    let report = index(&files);
    assert_eq!((report.read, report.removed, report.chunks_encoded), (2, 1, 0), "{report:?}");
    assert!(engine.status().unwrap().coverage.is_complete());
    assert_eq!(ids(&engine, &Query::new("feast").with_copies()), ["b.md", "c.md"]);
}

#[test]
fn a_document_of_many_passages_is_encoded_in_steps() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let entry =
        |n: usize| format!("# Entry {n}\n\nOn day {n} the keeper of the lock wrote {n} lines of it.\n\n");
    let text: String = (0..600).map(entry).collect();
    let long = Document::new("log", text.as_str()).with_format(retune::Format::Markdown);
    add_words(&engine, vec![long, Document::new("other", "A lamp.")]);
    let pending = coverage(&engine).1;
    assert!(pending > 20, "{pending} passages");
    // A search wants it, and it is taken up again after each step.
    engine.search(&Query::new("keeper of the lock")).unwrap();
    let mut steps = Vec::new();
    engine
        .encode_pending(&mut |done, total| {
            steps.push(done);
            assert_eq!(total, pending);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(steps[0] <= 8 && steps.last() == Some(&pending), "{steps:?}");
}

#[test]
fn an_engine_encodes_by_itself_while_it_is_idle() {
    let folder = tempfile::tempdir().unwrap();
    let idle = IdleOptions::default().with_others_busy(None).with_no_search_for(None);
    let engine = Engine::open(folder.path().join("index"), options().with_encode_when_idle(idle)).unwrap();
    assert_eq!(add_words(&engine, documents()), 8);
    for _ in 0..1200 {
        if engine.coverage().is_complete() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(engine.coverage().is_complete());
    engine.close().unwrap();
}
