//! The public handle on the tiny model.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::common;
use crate::common::{copy, documents, ids, judge, judge_everything, open, options};
use retune::{
    AddOptions, Document, Encoder, Engine, Error, Filter, Fusion, Mode, Options, Query, Reader, Verdict,
};

#[test]
fn what_was_added_is_found_in_every_mode_and_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let report = engine.add(documents()).unwrap();
    assert_eq!((report.documents, report.chunks_encoded), (8, 8));
    for mode in [Mode::Hybrid, Mode::Lexical] {
        assert_eq!(ids(&engine, &Query::new("descaled kettle").with_mode(mode))[0], "kettle");
    }
    let exact = documents()[2].text.clone();
    assert_eq!(ids(&engine, &Query::new(format!("ledger {exact}")).with_mode(Mode::Dense))[0], "ledger");
    let before = engine.search(&Query::new("fog horn")).unwrap();
    engine.close().unwrap();

    let engine = open(folder.path());
    let after = engine.search(&Query::new("fog horn")).unwrap();
    let scores = |answer: &retune::Answer| -> Vec<(String, f32)> {
        answer.hits.iter().map(|hit| (hit.document.clone(), hit.score)).collect()
    };
    assert_eq!(scores(&before), scores(&after));
    assert_ne!(before.query_id, after.query_id);
}

#[test]
fn a_hit_says_where_its_passage_stands_and_what_both_sides_think() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let text = "Nothing here.\n\nThe horn is sounded in fog.";
    engine.add(vec![Document::new("a", text).with_title("Fog signals")]).unwrap();
    let answer = engine.search(&Query::new("sounding horns")).unwrap();
    let hit = &answer.hits[0];
    assert_eq!((hit.rank, hit.document.as_str(), hit.title.as_str()), (1, "a", "Fog signals"));
    assert_eq!(hit.passage, &text[hit.start as usize..hit.end as usize]);
    assert!(hit.lexical.unwrap() > 0.0 && hit.dense.is_some() && hit.score > 0.0);
    let words: Vec<&str> = hit.highlights.iter().map(|range| &hit.passage[range.clone()]).collect();
    assert_eq!(words, ["horn", "sounded"]);
    let plain = engine.search(&Query::new("sounding horns").without_highlights()).unwrap();
    assert!(plain.hits[0].highlights.is_empty() && plain.hits[0].score == hit.score);
    let json = serde_json::to_value(&answer).unwrap();
    for field in ["query_id", "generation", "mode", "took_ms", "hits"] {
        assert!(json.get(field).is_some(), "{field}");
    }
}

#[test]
fn a_document_is_replaced_and_only_its_changed_passages_are_encoded() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    // Long enough not to be joined with its neighbours.
    let section = |name: &str| {
        let sentences: String =
            (0..6).map(|i| format!("The {name} does its part of the work, number {i}. ")).collect();
        format!("# {name}\n\n{sentences}\n\n")
    };
    let markdown = |names: &[&str]| {
        let text: String = names.iter().map(|name| section(name)).collect();
        Document::new("guide", text).with_format(retune::Format::Markdown)
    };
    let first = engine.add(vec![markdown(&["pump", "lamp", "rope"])]).unwrap();
    assert_eq!((first.chunks_encoded, first.chunks_kept), (3, 0));
    let again = engine.add(vec![markdown(&["pump", "lamp", "rope"])]).unwrap();
    assert_eq!((again.unchanged, again.chunks_encoded), (1, 0));
    let changed = engine.add(vec![markdown(&["pump", "gate", "rope"])]).unwrap();
    assert_eq!((changed.chunks_encoded, changed.chunks_kept), (1, 2));
    assert!(ids(&engine, &Query::new("lamp").with_mode(Mode::Lexical)).is_empty());
    assert_eq!(ids(&engine, &Query::new("gate").with_mode(Mode::Lexical)), ["guide"]);
}

#[test]
fn bad_input_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let twice = vec![Document::new("a", "one"), Document::new("b", "two"), Document::new("a", "three")];
    assert!(matches!(engine.add(twice), Err(Error::Invalid { .. })));
    let empty = vec![Document::new("a", "one"), Document::new("", "two")];
    assert!(matches!(engine.add(empty), Err(Error::Invalid { .. })));
    assert_eq!(engine.status().unwrap().documents, 0);
    engine.add(documents()).unwrap();
    assert!(matches!(engine.search(&Query::new("x").with_limit(0)), Err(Error::Invalid { .. })));
    let weight = Fusion::Convex { dense_weight: f32::NAN };
    assert!(matches!(engine.search(&Query::new("x").with_fusion(weight)), Err(Error::Invalid { .. })));
}

#[test]
fn removed_documents_are_gone_and_unknown_ones_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    assert_eq!(engine.remove(&["kettle", "no such document"]).unwrap(), 1);
    for mode in [Mode::Hybrid, Mode::Lexical, Mode::Dense] {
        let found = ids(&engine, &Query::new("descaled kettle").with_mode(mode).with_limit(100));
        assert!(!found.contains(&"kettle".to_string()), "{mode:?}");
    }
    assert_eq!(engine.status().unwrap().documents, 7);
}

#[test]
fn filters_hold_in_every_mode() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let with_year = documents()
        .into_iter()
        .enumerate()
        .map(|(i, document)| document.with_field("year", 2000.0 + i as f64));
    engine.add(with_year.collect()).unwrap();
    let recent = Filter::range("year", 2003..=2005);
    for mode in [Mode::Hybrid, Mode::Lexical, Mode::Dense] {
        let query = Query::new("the lamp rope pump kettle").with_mode(mode).with_filter(recent.clone());
        let mut found = ids(&engine, &query);
        found.sort();
        assert_eq!(found, ["lamp", "pump", "rope"], "{mode:?}");
    }
}

#[test]
fn odd_queries_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    let long = "kettle ".repeat(15_000);
    for text in
        ["", " ", "AND OR NOT \"(", "🦀 日本語", "\0\u{1b}[31m", "title:kettle^3 -lamp", long.as_str()]
    {
        for mode in [Mode::Hybrid, Mode::Lexical, Mode::Dense] {
            engine.search(&Query::new(text).with_mode(mode)).unwrap();
        }
    }
}

#[test]
fn fusion_can_be_chosen_per_query() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    let order = |fusion| ids(&engine, &Query::new("kettle pump lamp").with_fusion(fusion).with_limit(8));
    let dense = ids(&engine, &Query::new("kettle pump lamp").with_mode(Mode::Dense).with_limit(8));
    assert_eq!(order(Fusion::Convex { dense_weight: 1.0 }), dense);
    assert_ne!(order(Fusion::Convex { dense_weight: 0.0 }), dense);
    assert_eq!(order(Fusion::RRF).len(), 8);
}

#[test]
fn a_second_writer_is_refused_while_readers_are_welcome() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    let path = folder.path().join("index");
    let at_once = options().with_lock_wait(std::time::Duration::ZERO);
    assert!(matches!(Engine::open(&path, at_once), Err(Error::Locked { .. })));
    let reader = Reader::open(&path, options()).unwrap();
    assert_eq!(ids(&reader, &Query::new("descaled kettle"))[0], "kettle");

    engine.remove(&["kettle"]).unwrap();
    assert_eq!(ids(&reader, &Query::new("descaled kettle"))[0], "kettle", "a snapshot does not change");
    reader.refresh().unwrap();
    assert_ne!(ids(&reader, &Query::new("descaled kettle"))[0], "kettle");

    engine.close().unwrap();
    assert!(matches!(engine.search(&Query::new("x")), Err(Error::Closed { .. })));
    assert!(matches!(engine.add(documents()), Err(Error::Closed { .. })));
    engine.close().unwrap();
    Engine::open(&path, options()).unwrap();
}

#[test]
fn there_is_nothing_to_read_where_there_is_no_index() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Reader::open(folder.path().join("index"), options());
    assert!(matches!(missing, Err(Error::NotFound { .. })));
    assert!(!folder.path().join("index").exists());
}

#[test]
fn a_folder_with_other_files_is_not_taken_for_an_index() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("generations")).unwrap();
    std::fs::write(folder.path().join("generations/mine.txt"), "of my family").unwrap();
    assert!(matches!(Engine::open(folder.path(), options()), Err(Error::Invalid { .. })));
    assert!(folder.path().join("generations/mine.txt").exists());
}

#[test]
fn an_index_keeps_to_the_weights_it_was_built_with() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    engine.close().unwrap();
    let other = folder.path().join("other-model");
    copy(&common::tiny_model(), &other);
    let weights = other.join("model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    let refused = Engine::open(folder.path().join("index"), retune::Options::default().with_model(other));
    assert!(matches!(refused, Err(Error::Model { .. })), "{refused:?}");
}

#[test]
fn judging_names_what_does_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    let answer = engine.search(&Query::new("lamp")).unwrap();
    engine.judge(answer.query_id, "lamp", Verdict::Chosen).unwrap();
    let unknown = engine.judge(answer.query_id, "lantern", Verdict::Chosen);
    assert!(matches!(unknown, Err(Error::NotFound { what: "document", .. })));
    let unlogged = engine.search(&Query::new("lamp").without_logging()).unwrap();
    assert!(matches!(engine.judge(unlogged.query_id, "lamp", Verdict::Chosen), Err(Error::NotFound { .. })));
    assert_eq!(engine.status().unwrap().feedback.unwrap().judgements, 1);
    assert!(engine.forget_query("  LAMP ").unwrap() >= 2);
    assert_eq!(engine.status().unwrap().feedback.unwrap().judgements, 0);
}

#[test]
fn searches_go_on_while_documents_come_and_go() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let searchers: Vec<_> = (0..2)
        .map(|_| {
            let (engine, stop) = (engine.clone(), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut searches = 0;
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let answer = engine.search(&Query::new("descaled kettle")).unwrap();
                    assert_eq!(answer.hits[0].document, "kettle");
                    searches += 1;
                }
                searches
            })
        })
        .collect();
    for round in 0..10 {
        engine.add(vec![Document::new("comes", format!("goes in round {round}"))]).unwrap();
        engine.remove(&["comes"]).unwrap();
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(searchers.into_iter().all(|searcher| searcher.join().unwrap() > 0));
}

#[test]
fn a_title_alone_is_found_and_a_document_of_nothing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let engine = common::open(folder.path());
    engine.add(vec![Document::new("faq/9", " ").with_title("Passwords")]).unwrap();
    assert_eq!(common::ids(&engine, &Query::new("passwords")), ["faq/9"]);
    assert_eq!(engine.add(vec![Document::new("faq/9", " ").with_title("Passwords")]).unwrap().unchanged, 1);
    let refused = engine.add(vec![Document::new("new", "Some text."), Document::new("faq/9", "")]);
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    assert_eq!(engine.status().unwrap().documents, 1, "nothing of it was added");
}

#[test]
fn documents_of_an_application_outlive_the_indexing_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    std::fs::write(files.join("a.txt"), "One file.").unwrap();
    std::fs::write(files.join("b.txt"), "Another file.").unwrap();
    let engine = common::open(folder.path());
    engine.add(common::documents()).unwrap();
    let index = || engine.index_folder(&files, &mut |_| std::ops::ControlFlow::Continue(())).unwrap();
    assert_eq!((index().removed, engine.status().unwrap().documents), (0, 10));
    std::fs::remove_file(files.join("b.txt")).unwrap();
    assert_eq!((index().removed, engine.status().unwrap().documents), (1, 9));
    let marked = Document::new("x", "y").with_field("retune.folder", true);
    assert!(matches!(engine.add(vec![marked]), Err(Error::Invalid { .. })));
}

#[test]
fn an_index_that_lost_its_settings_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let engine = common::open(folder.path());
    engine.add(common::documents()).unwrap();
    engine.close().unwrap();
    drop(engine);
    let settings = folder.path().join("index/retune.json");
    let saved = std::fs::read(&settings).unwrap();
    std::fs::remove_file(&settings).unwrap();
    let refused = retune::Engine::open(folder.path().join("index"), common::options());
    assert!(matches!(refused, Err(Error::Damaged { .. })), "{:?}", refused.err());
    std::fs::write(&settings, saved).unwrap();
    assert_eq!(common::open(folder.path()).status().unwrap().documents, 8);
}

#[test]
fn many_indexes_share_one_encoder() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = Arc::new(Encoder::load(&common::tiny_model()).unwrap());
    let shared = || Options::default().with_encoder(Arc::clone(&encoder));
    let tenants: Vec<Engine> =
        (0..3).map(|n| Engine::open(folder.path().join(n.to_string()), shared()).unwrap()).collect();
    assert!(Arc::strong_count(&encoder) > 3, "none has loaded its own");
    for engine in &tenants {
        engine.add(documents()).unwrap();
        assert_eq!(ids(engine, &Query::new("descaled kettle"))[0], "kettle");
        engine.close().unwrap();
    }
    drop(tenants);
    assert_eq!(Arc::strong_count(&encoder), 1);
    // The same index with a model of its own, and again with a shared one.
    let path = folder.path().join("0");
    Engine::open(&path, options()).unwrap().close().unwrap();
    assert_eq!(Engine::open(&path, shared()).unwrap().status().unwrap().documents, 8);
}

#[test]
fn a_shared_encoder_with_other_weights_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).close().unwrap();
    let other = folder.path().join("model");
    copy(&common::tiny_model(), &other);
    let weights = other.join("model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    let encoder = Arc::new(Encoder::load(&other).unwrap());
    let opened = Engine::open(folder.path().join("index"), Options::default().with_encoder(encoder));
    assert!(matches!(opened, Err(Error::Model { .. })), "{opened:?}");
}

#[test]
fn a_backup_of_an_open_index_is_whole_whatever_goes_on_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let path = folder.path().join("index");
    crossbeam_utils::thread::scope(|scope| {
        scope.spawn(|_| {
            for number in 0.. {
                if stop.load(std::sync::atomic::Ordering::SeqCst) {
                    return;
                }
                // Both or none.
                let pair =
                    ["a", "b"].map(|name| Document::new(format!("{name}{number}"), "a lamp and a rope"));
                engine.add(pair.to_vec()).unwrap();
            }
        });
        scope.spawn(|_| {
            let other = Reader::open(&path, options()).unwrap();
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                judge(&other, "green lamp", "lamp");
            }
        });
        for number in 0..6 {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let to = folder.path().join(format!("backup{number}/index"));
            std::fs::create_dir(to.parent().unwrap()).unwrap();
            engine.backup(&to).unwrap();
            assert_eq!(std::fs::read_dir(to.parent().unwrap()).unwrap().count(), 1);
        }
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
    })
    .unwrap();
    let mut before = (0, 0);
    for number in 0..6 {
        let copy = open(&folder.path().join(format!("backup{number}")));
        let status = copy.status().unwrap();
        let found = copy.documents().unwrap();
        assert_eq!(
            (found.len() % 2, status.damaged_files.len(), status.coverage.is_complete()),
            (0, 0, true)
        );
        assert_eq!(found.iter().filter(|id| !id.ends_with(|c: char| c.is_ascii_digit())).count(), 8);
        let log = status.feedback.unwrap();
        assert_eq!((log.damaged_bytes, log.torn_bytes), (0, 0));
        assert!(log.judgements >= 16 && (found.len(), log.judgements) >= before, "{before:?}");
        before = (found.len(), log.judgements);
        assert_eq!(ids(&copy, &Query::new("descaled kettle"))[0], "kettle");
        copy.add(vec![Document::new("new", "added to the copy")]).unwrap();
        copy.close().unwrap();
    }
    engine.backup(path.join("inside")).unwrap();
    let inside = Reader::open(path.join("inside"), options()).unwrap();
    assert_eq!(inside.documents().unwrap(), engine.documents().unwrap());
    let there = engine.backup(folder.path().join("backup0/index"));
    assert!(matches!(there, Err(Error::Invalid { .. })));
}

#[test]
fn a_cancelled_addition_changes_nothing_and_the_next_takes_up_its_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    let many: Vec<Document> = (0..60)
        .map(|n| Document::new(format!("{n}"), format!("Lamp number {n} burns while the pound is level.")))
        .collect();
    let mut steps = 0;
    let cancelled = engine.add_with(many.clone(), &AddOptions::default(), &mut |_| {
        steps += 1;
        if steps < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(matches!(cancelled, Err(Error::Cancelled { .. })), "{cancelled:?}");
    assert_eq!(engine.status().unwrap().documents, 0);
    let report = engine.add(many).unwrap();
    assert_eq!(report.documents, 60);
    assert!(report.chunks_encoded < 60, "{report:?}");
    assert_eq!(ids(&engine, &Query::new("lamp number 7"))[0], "7");
}
