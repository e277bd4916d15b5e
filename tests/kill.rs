//! A process that is killed at any moment loses nothing that was committed, and leaves an index that opens.
//!
//! The test runs itself as a child that adds, replaces, removes, judges and learns, and says on standard output what
//! it starts and what is done. The parent kills it at a random point, opens the index and compares every document
//! with a naive model: what was done is there, what was begun is there whole or not at all.

mod common;

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
    Judge(String),
    Learn,
}

fn change(random: &mut ChaCha8Rng, model: &Model) -> Change {
    let id = |random: &mut ChaCha8Rng| format!("document {}", random.random_range(0..12));
    match random.random_range(0..10) {
        0..5 => {
            let mut added = Model::new();
            for _ in 0..random.random_range(1..4) {
                let word = ["gate", "lamp", "rope", "pump"].choose(random).unwrap();
                added.insert(id(random), format!("{word} version {}", random.random::<u32>()));
            }
            Change::Add(added.into_iter().collect())
        }
        5..7 => Change::Remove((0..2).map(|_| id(random)).collect()),
        7..9 => match model.keys().collect::<Vec<_>>().choose(random) {
            Some(document) => Change::Judge(document.to_string()),
            None => Change::Add(vec![(id(random), "first".into())]),
        },
        _ => Change::Learn,
    }
}

fn apply(model: &mut Model, change: &Change) {
    match change {
        Change::Add(added) => model.extend(added.iter().cloned()),
        Change::Remove(removed) => removed.iter().for_each(|id| drop(model.remove(id))),
        Change::Judge(_) | Change::Learn => {}
    }
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
                let answer = engine.search(&Query::new(format!("what of {document}"))).unwrap();
                engine.judge(answer.query_id, document, Verdict::Chosen).unwrap();
            }
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
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
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
    let (mut judged, mut changes, mut generations) = (0, 0, 1);
    for seed in 0..KILLS as u64 {
        let after = Duration::from_millis(random.random_range(5..900));
        let (started, done, judged_now) = run_and_kill(folder.path(), seed, after);

        let mut replayed = ChaCha8Rng::seed_from_u64(seed);
        for _ in 0..done {
            let next = change(&mut replayed, &model);
            apply(&mut model, &next);
        }
        let mut begun = model.clone();
        if started > done {
            let next = change(&mut replayed, &model);
            apply(&mut begun, &next);
        }

        let engine = common::open(folder.path());
        let found = contents(&engine);
        assert!(
            found == model || found == begun,
            "after kill {seed} at {after:?} ({done} of {started} changes done):\n\
             found {found:#?}\nexpected {model:#?}\nor {begun:#?}"
        );
        let status = engine.status().unwrap();
        assert_eq!(status.documents, found.len());
        assert_eq!(status.generation.missing_vectors, 0);
        judged += judged_now;
        let log = status.feedback.unwrap();
        assert!(log.judgements >= judged as u64, "{} judgements of {judged} are in the log", log.judgements);
        assert_eq!(log.damaged_bytes, 0);
        assert!(status.generation.id.0 >= generations, "a published generation was lost");
        generations = status.generation.id.0;
        engine.close().unwrap();
        model = found;
        changes += done;
    }
    // A test whose child never got to work would prove nothing.
    assert!(changes > KILLS, "only {changes} changes were made in {KILLS} kills");
    assert!(generations > 1, "no round was published");
}
