//! A process that is killed at any moment loses nothing that was committed, and leaves an index that opens.
//!
//! The test runs itself as a child that adds, replaces, removes, indexes a folder, judges, learns, rolls back and
//! forgets. The child prints what it starts and what is done. The parent kills it at a random point, opens the index
//! and compares every document with a naive model: what was done is there, and what was started is there whole or not
//! at all.

use crate::common;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use retune::{Document, Engine, Mode, Query, Verdict};

const KILLS: usize = 60;
const FOLDER: &str = "RETUNE_KILL_TEST_FOLDER";
const SEED: &str = "RETUNE_KILL_TEST_SEED";

/// Document id → text.
type Model = BTreeMap<String, String>;

#[derive(Debug, Clone)]
enum Change {
    Add(Vec<(String, String)>),
    Remove(Vec<String>),
    /// The folder's files, all of them.
    Folder(Vec<(String, String)>),
    Judge(String),
    Forget,
    Learn,
    Rollback,
}

fn change(random: &mut ChaCha8Rng, model: &Model) -> Change {
    let id = |random: &mut ChaCha8Rng| format!("document {}", random.random_range(0..12));
    let text = |random: &mut ChaCha8Rng| {
        let word = ["gate", "lamp", "rope", "pump"].choose(random).unwrap();
        format!("{word} version {}", random.random::<u32>())
    };
    match random.random_range(0..14) {
        0..5 => {
            let added: Model = (0..random.random_range(1..4)).map(|_| (id(random), text(random))).collect();
            Change::Add(added.into_iter().collect())
        }
        5..7 => Change::Remove((0..2).map(|_| id(random)).collect()),
        7..9 => match model.keys().collect::<Vec<_>>().choose(random) {
            Some(document) => Change::Judge(document.to_string()),
            None => Change::Add(vec![(id(random), "first".into())]),
        },
        9..11 => {
            let count = random.random_range(1..5);
            let name = |random: &mut ChaCha8Rng| format!("file {}.txt", random.random_range(0..6));
            let files: Model = (0..count).map(|_| (name(random), text(random))).collect();
            Change::Folder(files.into_iter().collect())
        }
        11 => Change::Forget,
        12 => Change::Rollback,
        _ => Change::Learn,
    }
}

/// The states that a change goes through, the last one when it is done.
fn states(model: &Model, change: &Change) -> Vec<Model> {
    let mut after = model.clone();
    match change {
        Change::Add(added) => after.extend(added.iter().cloned()),
        Change::Remove(removed) => removed.iter().for_each(|id| drop(after.remove(id))),
        Change::Folder(files) => {
            // What is gone is removed in a commit of its own.
            after.extend(files.iter().cloned());
            let between = after.clone();
            after.retain(|id, _| !id.starts_with("file ") || files.iter().any(|(name, _)| name == id));
            return vec![between, after];
        }
        Change::Judge(_) | Change::Forget | Change::Learn | Change::Rollback => {}
    }
    vec![after]
}

fn apply(model: &mut Model, change: &Change) {
    *model = states(model, change).pop().unwrap();
}

fn index_files(engine: &Engine, folder: &Path, files: &[(String, String)]) {
    let _ = std::fs::remove_dir_all(folder); // there is none the first time
    std::fs::create_dir(folder).unwrap();
    files.iter().for_each(|(name, text)| std::fs::write(folder.join(name), text).unwrap());
    engine.index_folder(folder, &mut |_| ControlFlow::Continue(())).map(drop).unwrap();
}

/// Every document of the index with its text, through the vectors.
fn contents(engine: &Engine) -> Model {
    let everything = Query::new("anything").with_mode(Mode::Dense).with_limit(1000).without_logging();
    let answer = engine.search(&everything).unwrap();
    answer.hits.into_iter().map(|hit| (hit.document, hit.passage)).collect()
}

/// The child: changes the index until it is killed. Does nothing when it isn't called by the test below.
#[test]
fn child() {
    let (Ok(folder), Ok(seed)) = (std::env::var(FOLDER), std::env::var(SEED)) else { return };
    let mut random = ChaCha8Rng::seed_from_u64(seed.parse().unwrap());
    let engine = common::open(Path::new(&folder));
    let mut model = contents(&engine);
    let mut out = std::io::stdout();
    for step in 0.. {
        let next = change(&mut random, &model);
        writeln!(out, "\nstart {step}").unwrap();
        out.flush().unwrap();
        match &next {
            Change::Add(added) => {
                let documents = added.iter().map(|(id, text)| Document::new(id.as_str(), text.as_str()));
                engine.add(documents.collect()).map(drop).unwrap();
            }
            Change::Remove(removed) => engine.remove(removed).map(drop).unwrap(),
            Change::Judge(document) => {
                // Several, since a round needs a dozen queries.
                for question in ["what of", "where is", "who wrote", "show me", "the newest"] {
                    let answer = engine.search(&Query::new(format!("{question} {document}"))).unwrap();
                    engine.judge(answer.query_id, document, Verdict::Chosen).unwrap();
                }
            }
            Change::Folder(files) => index_files(&engine, &Path::new(&folder).join("files"), files),
            Change::Forget => {
                engine.search(&Query::new("to be forgotten")).unwrap();
                assert!(engine.forget_query("to be forgotten").unwrap() > 0);
            }
            Change::Rollback => match engine.rollback() {
                Ok(_) | Err(retune::Error::NotFound { .. }) => {}
                Err(error) => panic!("{error}"),
            },
            Change::Learn => {
                let mut go_on = |_| ControlFlow::Continue(());
                engine.learn(&common::quick_round(), &mut go_on).map(drop).unwrap();
            }
        }
        apply(&mut model, &next);
        writeln!(out, "\ndone {step} {}", if matches!(next, Change::Judge(_)) { "judged" } else { "" })
            .unwrap();
        out.flush().unwrap();
    }
}

/// What the child said before it was killed: changes started, changes done, judgements among those.
fn run_and_kill(folder: &Path, seed: u64, after: Duration) -> (usize, usize, usize) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["kill::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let (mut started, mut done, mut judged) = (0, 0, 0);
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            started += usize::from(line.starts_with("start "));
            done += usize::from(line.starts_with("done "));
            judged += usize::from(line.ends_with(" judged"));
        }
        (started, done, judged)
    });
    std::thread::sleep(after);
    assert!(child.try_wait().unwrap().is_none(), "the child ended by itself: {}", errors(&mut child));
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

fn errors(child: &mut std::process::Child) -> String {
    let mut text = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        std::io::Read::read_to_string(&mut stderr, &mut text).unwrap();
    }
    text
}

#[test]
fn a_killed_process_loses_nothing_that_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut model = Model::new();
    let (mut judged, mut changes, mut generations, mut serving) = (0, 0, 1, 1);
    for seed in 0.. {
        // A slow machine needs more of them, and more time each, to get anywhere.
        let turn = seed as usize / KILLS;
        if turn > 0 && changes > KILLS && generations > 1 || turn == 8 {
            break;
        }
        let after = Duration::from_millis(random.random_range(5..900)) * (1 + turn as u32);
        let (started, done, judged_now) = run_and_kill(folder.path(), seed, after);

        let mut rolled_back = false;
        let mut replayed = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..done {
            let next = change(&mut replayed, &model);
            rolled_back |= matches!(next, Change::Rollback);
            apply(&mut model, &next);
        }
        // Only a run over a folder commits texts before their vectors.
        let mut in_a_folder = false;
        let mut possible = vec![model.clone()];
        if started > done {
            let next = change(&mut replayed, &model);
            in_a_folder = matches!(next, Change::Folder(_));
            possible.extend(states(&model, &next));
            rolled_back |= matches!(next, Change::Rollback);
        }

        let engine = common::open(folder.path());
        let covered = engine.status().unwrap().coverage;
        assert!(covered.is_complete() || in_a_folder, "{covered:?} after kill {seed} at {after:?}");
        engine.encode_pending(&mut |_, _| ControlFlow::Continue(())).unwrap();
        let found = contents(&engine);
        assert!(
            possible.contains(&found),
            "after kill {seed} at {after:?} ({done} of {started} changes done):\n\
             found {found:#?}\nnot one of {possible:#?}"
        );
        for (document, text) in &found {
            let by_words = Query::new(text.as_str()).with_mode(Mode::Lexical).with_limit(1000);
            let hits = common::ids(&engine, &by_words.without_logging());
            assert!(hits.contains(document), "{document} is not found by its words");
        }
        let status = engine.status().unwrap();
        assert_eq!(status.documents, found.len());
        assert!(status.coverage.is_complete());
        judged += judged_now;
        let log = status.feedback.unwrap();
        assert!(log.judgements >= judged as u64, "{} judgements of {judged} are in the log", log.judgements);
        assert_eq!(log.damaged_bytes, 0);
        let generation = status.generation.id.0;
        assert!(rolled_back || generation >= serving, "a published generation was lost");
        (serving, generations) = (generation, generations.max(generation));
        engine.close().unwrap();
        model = found;
        changes += done;
    }
    // A test whose child never got to work would prove nothing.
    assert!(changes > KILLS, "only {changes} changes were made in {KILLS} kills");
    assert!(generations > 1, "no round was published");
}
