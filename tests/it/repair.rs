//! Every remedy that an error names, followed: files of an index are damaged, and what the message says mends it.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::common::rounds::{generation, learn};
use crate::common::{documents, flip, ids, judge_everything, open, options, quick_round};
use retune::{Decision, Engine, Error, LearnStage, Mode, OpenProgress, Query, Reader};

/// An index in `folder/index` whose current generation is the `rounds`-th that was learnt.
fn learnt(folder: &Path, rounds: usize) {
    let engine = Engine::open(folder.join("index"), options().with_keep_generations(rounds)).unwrap();
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    for _ in 0..rounds {
        let report = learn(&engine, &quick_round());
        assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
    }
    engine.close().unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Every document is found by its words and by its vector.
fn is_whole(engine: &Reader) {
    for document in documents() {
        let words = engine.search(&Query::new(&document.text).with_mode(Mode::Lexical)).unwrap();
        assert_eq!(words.hits[0].document, document.id);
    }
    let vectors = ids(engine, &Query::new("rope").with_mode(Mode::Dense).with_limit(20));
    assert_eq!(vectors.len(), documents().len());
    assert!(engine.status().unwrap().coverage.is_complete());
}

#[test]
fn a_damaged_current_generation_is_left_by_rolling_back() {
    let damages: [fn(&Path); 5] = [
        |folder| flip(&generation(folder, 2).join("generation.json"), 60),
        |folder| flip(&generation(folder, 2).join("model/tokenizer.json"), 3000),
        |folder| fs::remove_file(generation(folder, 2).join("model/1_Pooling/config.json")).unwrap(),
        |folder| flip(&generation(folder, 2).join("model/model.safetensors"), 50_000),
        |folder| fs::remove_file(generation(folder, 2).join("model/config.json")).unwrap(),
    ];
    for damage in damages {
        let folder = tempfile::tempdir().unwrap();
        learnt(folder.path(), 1);
        damage(folder.path());
        let index = folder.path().join("index");
        let error = Engine::open(&index, options()).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("retune rollback"), "{error}");
        assert_eq!(Engine::rollback_at(&index, &options()).unwrap().0, 1);
        let engine = open(folder.path());
        is_whole(&engine);
        assert_eq!(engine.status().unwrap().generation.id.0, 1);
        assert!(!generation(folder.path(), 2).exists());
        let report = learn(&engine, &quick_round());
        assert_eq!(report.generation.0, 3, "numbers are not used twice");
    }
}

#[test]
fn rolling_back_by_path_is_refused_where_it_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let index = folder.path().join("index");
    assert!(matches!(Engine::rollback_at(&index, &options()), Err(Error::NotFound { .. })));
    assert!(!index.exists());
    let engine = open(folder.path());
    let at_once = options().with_lock_wait(std::time::Duration::ZERO);
    assert!(matches!(Engine::rollback_at(&index, &at_once), Err(Error::Locked { .. })));
    engine.close().unwrap();
    assert!(matches!(Engine::rollback_at(&index, &options()), Err(Error::NotFound { .. })));
    open(folder.path()).close().unwrap();
}

#[test]
fn damage_in_a_kept_generation_stops_nothing_and_a_rollback_steps_over_it() {
    let folder = tempfile::tempdir().unwrap();
    learnt(folder.path(), 2);
    flip(&generation(folder.path(), 2).join("generation.json"), 60);
    let keeping = || Engine::open(folder.path().join("index"), options().with_keep_generations(2)).unwrap();
    let engine = keeping();
    is_whole(&engine);
    assert_eq!(engine.rollback().unwrap().0, 1);
    is_whole(&engine);
    assert!(engine.status().unwrap().kept_generations.is_empty());
    engine.close().unwrap();
    is_whole(&keeping());
}

#[test]
fn when_no_earlier_generation_is_sound_a_rollback_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    learnt(folder.path(), 1);
    flip(&generation(folder.path(), 1).join("generation.json"), 60);
    let engine = open(folder.path());
    assert!(matches!(engine.rollback(), Err(Error::Damaged { .. })));
    is_whole(&engine);
    engine.close().unwrap();
    let index = folder.path().join("index");
    assert!(matches!(Engine::rollback_at(&index, &options()), Err(Error::Damaged { .. })));
    is_whole(&open(folder.path()));
}

#[test]
fn damaged_vectors_are_made_anew_by_whoever_opens_the_index_for_writing() {
    let damages: [fn(&Path); 4] = [
        |folder| flip(&folder.join("vectors.bin"), 3),
        |folder| flip(&folder.join("vectors.bin"), 40),
        |folder| {
            flip(&folder.join("dense.json"), 30);
            flip(&folder.join("vectors.bin"), 70);
        },
        |folder| fs::remove_dir_all(folder).unwrap(),
    ];
    for damage in damages {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        engine.add(documents()).unwrap();
        let query = Query::new("the green lamp").with_mode(Mode::Dense);
        let before = ids(&engine, &query);
        engine.close().unwrap();
        damage(&generation(folder.path(), 1).join("dense"));
        let index = folder.path().join("index");
        let error = Reader::open(&index, options()).unwrap_err();
        assert!(error.to_string().contains("open the index for writing"), "{error}");
        let cancelled = Engine::open_with(&index, options(), &mut |_| ControlFlow::Break(()));
        assert!(matches!(cancelled, Err(Error::Cancelled { .. })), "{cancelled:?}");
        damage(&generation(folder.path(), 1).join("dense"));
        let mut told = Vec::new();
        let engine = Engine::open_with(&index, options(), &mut |progress| {
            told.push(progress);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!(
            matches!(told.last(), Some(OpenProgress::Vectors { done, total }) if done == total),
            "{told:?}"
        );
        is_whole(&engine);
        assert_eq!(ids(&engine, &query), before);
        is_whole(&Reader::open(&index, options()).unwrap());
    }
}

#[test]
fn a_damaged_lexical_index_is_deleted_and_its_documents_are_indexed_again() {
    let folder = tempfile::tempdir().unwrap();
    learnt(folder.path(), 1);
    let (index, lexical) = (folder.path().join("index"), folder.path().join("index/lexical"));
    let shown = {
        let engine = open(folder.path());
        let answer = engine.search(&Query::new("the green lamp")).unwrap();
        engine.close().unwrap();
        answer.hits.iter().map(|hit| hit.chunk).max().unwrap()
    };
    let mut refused = 0;
    for file in files(&lexical) {
        let sound = fs::read(&file).unwrap();
        (0..sound.len()).step_by(7).for_each(|at| flip(&file, at));
        for opened in [
            Engine::open(&index, options()).map(|engine| Reader::clone(&engine)),
            Reader::open(&index, options()),
        ] {
            match opened {
                Ok(engine) if sound.is_empty() || file.ends_with(".managed.json") => is_whole(&engine),
                Ok(engine) => assert_eq!(engine.status().unwrap().damaged_files, std::slice::from_ref(&file)),
                Err(error) => {
                    refused += 1;
                    let error = error.to_string();
                    assert!(
                        error.contains("delete this folder") && error.contains("index the documents again"),
                        "{error}"
                    );
                }
            }
        }
        fs::write(&file, sound).unwrap();
    }
    assert!(refused > 0);
    fs::remove_dir_all(&lexical).unwrap();
    let missing = Reader::open(&index, options()).unwrap_err();
    assert!(missing.to_string().contains("index the documents again"), "{missing}");

    // The vectors go as well: then the log alone knows which ids were given.
    fs::remove_dir_all(generation(folder.path(), 2).join("dense")).unwrap();
    fs::remove_dir_all(generation(folder.path(), 1).join("dense")).unwrap();
    let engine = open(folder.path());
    assert_eq!(engine.status().unwrap().documents, 0);
    let report = engine.add(documents()).unwrap();
    assert_eq!(report.chunks_encoded, documents().len());
    is_whole(&engine);
    let status = engine.status().unwrap();
    assert_eq!(status.generation.id.0, 2, "what was learnt stays");
    assert!(status.feedback.unwrap().judgements > 0);
    let hits = engine.search(&Query::new("the green lamp")).unwrap().hits;
    assert!(hits.iter().all(|hit| hit.chunk > shown), "an id of another text was given again");
    let report = learn(&engine, &quick_round());
    assert!(report.examples > 0, "the judgements teach on");
}

#[test]
fn a_publication_that_failed_at_its_last_step_is_no_hindrance_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    // What a failed write of CURRENT leaves: a whole folder of the next number, which nothing names.
    let stray = generation(folder.path(), 2);
    fs::create_dir_all(stray.join("dense")).unwrap();
    fs::write(stray.join("generation.json"), "of another round").unwrap();
    let report = learn(&engine, &quick_round());
    assert_eq!((report.gate.decision, report.generation.0), (Decision::Published, 2));
    engine.close().unwrap();
    is_whole(&open(folder.path()));
}

#[test]
fn a_round_that_was_published_is_told_though_its_report_cannot_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let rounds = folder.path().join("index/rounds");
    let fill = |stage| {
        if stage == LearnStage::Gate && !rounds.is_file() {
            // Nothing can be written in a folder that is a file.
            let _ = fs::remove_dir_all(&rounds);
            fs::write(&rounds, "").unwrap();
        }
    };
    let report = engine.learn(&quick_round(), &mut |progress| {
        fill(progress.stage);
        ControlFlow::Continue(())
    });
    assert_eq!(report.unwrap().gate.decision, Decision::Published);
    assert_eq!(engine.search(&Query::new("rope")).unwrap().generation.0, 2);
    fs::remove_file(&rounds).unwrap();
    engine.close().unwrap();
    let engine = open(folder.path());
    assert_eq!(engine.status().unwrap().generation.id.0, 2);
    is_whole(&engine);
    assert_eq!(learn(&engine, &quick_round()).round, 1, "the round is lost, what it learnt is not");
}

#[test]
fn a_lexical_index_of_an_earlier_version_is_made_anew_when_it_is_opened_for_writing() {
    let folder = tempfile::tempdir().unwrap();
    learnt(folder.path(), 0);
    let (index, lexical) = (folder.path().join("index"), folder.path().join("index/lexical"));
    fs::remove_dir_all(&lexical).unwrap();
    fs::create_dir(&lexical).unwrap();
    let earlier = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/earlier/lexical-1");
    for file in files(&earlier) {
        fs::copy(&file, lexical.join(file.file_name().unwrap())).unwrap();
    }
    let error = Reader::open(&index, options()).unwrap_err().to_string();
    assert!(error.contains("open the index for writing"), "{error}");
    let query = Query::new("kx4401").with_mode(Mode::Lexical);
    assert_eq!(ids(&open(folder.path()), &query), ["part.md"]);
    let reader = Reader::open(&index, options()).unwrap();
    assert_eq!(ids(&reader, &query), ["part.md"]);
}

#[test]
fn an_index_that_lost_its_settings_is_not_created_over_even_if_it_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    learnt(folder.path(), 0);
    let index = folder.path().join("index");
    fs::remove_file(index.join("retune.json")).unwrap();
    fs::write(index.join("lexical/meta.json"), "{").unwrap();
    assert!(matches!(Engine::open(&index, options()), Err(Error::Damaged { .. })));
    assert!(index.join("lexical/retune-lexical.json").exists());
}

#[test]
fn options_of_a_dense_index_are_renewed_without_its_vectors() {
    let folder = tempfile::tempdir().unwrap();
    learnt(folder.path(), 0);
    let options = generation(folder.path(), 1).join("dense/dense.json");
    let vectors = generation(folder.path(), 1).join("dense/vectors.bin");
    let (sound, made) = (fs::read(&options).unwrap(), fs::metadata(&vectors).unwrap().modified().unwrap());
    for damage in [|path: &Path| flip(path, 30), |path: &Path| fs::remove_file(path).unwrap()] {
        damage(&options);
        is_whole(&open(folder.path()));
        assert_eq!(fs::read(&options).unwrap(), sound);
        assert_eq!(fs::metadata(&vectors).unwrap().modified().unwrap(), made, "vectors were made anew");
    }
}

#[test]
fn a_damaged_report_of_a_round_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    learnt(folder.path(), 2);
    flip(&folder.path().join("index/rounds/000002.json"), 60);
    let engine = open(folder.path());
    assert_eq!(engine.status().unwrap().last_round.unwrap().round, 1);
    let report = learn(&engine, &quick_round());
    assert_eq!(report.round, 3, "numbers are not used twice");
}

#[test]
fn what_names_the_folder_is_removed_and_the_folder_indexed_again() {
    let folder = tempfile::tempdir().unwrap();
    let notes = folder.path().join("notes");
    fs::create_dir(&notes).unwrap();
    fs::write(notes.join("a.txt"), "The lamp burns.").unwrap();
    let index_notes = |engine: &Engine| engine.index_folder(&notes, &mut |_| ControlFlow::Continue(()));
    let engine = open(folder.path());
    index_notes(&engine).unwrap();
    let named = folder.path().join("index/folder.json");
    flip(&named, 60);
    let error = index_notes(&engine).unwrap_err().to_string();
    assert!(error.contains("remove it"), "{error}");
    fs::remove_file(named).unwrap();
    assert_eq!(index_notes(&engine).unwrap().unchanged, 1);
}

#[test]
fn all_but_the_log_can_be_made_anew() {
    for file in ["retune.json", "generations/CURRENT", "generations/000001/generation.json"] {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("index");
        let engine = open(folder.path());
        engine.add(documents()).unwrap();
        judge_everything(&engine);
        engine.close().unwrap();
        flip(&index.join(file), 40);
        let error = Engine::open(&index, options()).unwrap_err().to_string();
        assert!(error.contains("remove `generations`, `lexical` and `retune.json`"), "{error}");
        fs::remove_dir_all(index.join("generations")).unwrap();
        fs::remove_dir_all(index.join("lexical")).unwrap();
        fs::remove_file(index.join("retune.json")).unwrap();
        let engine = open(folder.path());
        engine.add(documents()).unwrap();
        is_whole(&engine);
        let report = learn(&engine, &quick_round());
        assert!(report.examples > 0, "the judgements teach on");
    }
}

#[test]
fn a_generation_can_be_left_while_the_documents_are_gone_too() {
    let folder = tempfile::tempdir().unwrap();
    learnt(folder.path(), 1);
    flip(&generation(folder.path(), 2).join("generation.json"), 60);
    let index = folder.path().join("index");
    fs::remove_dir_all(index.join("lexical")).unwrap();
    assert_eq!(Engine::rollback_at(&index, &options()).unwrap().0, 1);
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    is_whole(&engine);
}

#[test]
fn a_reader_that_comes_while_generations_change_sees_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path());
    engine.add(documents()).unwrap();
    judge_everything(&engine);
    let index = folder.path().join("index");
    let opened = crossbeam_utils::thread::scope(|scope| {
        let (running, ended) = crossbeam_channel::bounded::<()>(0);
        let engine = &engine;
        let changes = scope.spawn(move |_| {
            let _running = running;
            for _ in 0..10 {
                let report = learn(engine, &quick_round());
                assert_eq!(report.gate.decision, Decision::Published, "{}", report.gate.reason);
                engine.rollback().unwrap();
            }
        });
        let mut opened = 0;
        while ended.try_recv() == Err(crossbeam_channel::TryRecvError::Empty) {
            let reader = Reader::open(&index, options()).unwrap();
            reader.refresh().unwrap();
            opened += 1;
        }
        changes.join().unwrap();
        opened
    })
    .unwrap();
    assert!(opened > 0);
}
