//! Trained generations that come while others search.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use retune::learn::Tier;
use retune::{Engine, GenerationId};
use serde_json::Value as Json;

use crate::common::tiny_model;
use crate::learnt::{by_vectors, judged, learn, open};
use crate::support::index;

const ASKED: &str = "what is done about a kettle";

/// The cosine of each document.
type Cosines = BTreeMap<String, f32>;

fn cosines(engine: &Engine) -> Cosines {
    let hits = engine.search(&by_vectors(ASKED)).unwrap().hits;
    hits.into_iter().map(|hit| (hit.document, hit.score)).collect()
}

/// What each generation answers. Those of one encoder's queries by another's vectors are among none.
#[derive(Default)]
struct Expected(Mutex<BTreeMap<u64, Cosines>>);

impl Expected {
    fn add(&self, generation: u64, cosines: Cosines) {
        self.0.lock().unwrap().insert(generation, cosines);
    }

    fn check(&self, generation: u64, found: &Cosines) {
        let all = self.0.lock().unwrap();
        let expected = &all[&generation];
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-4;
        assert!(expected.keys().eq(found.keys()), "{found:?}");
        assert!(expected.values().zip(found.values()).all(near), "{generation}: {found:?} {expected:?}");
    }
}

/// Ends the others also when something fails here.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn searches_go_on_in_two_handles_and_another_process_while_trained_generations_come() {
    let Some(index) = index("rounds") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (cache, other) = (folder.path().join("cache"), folder.path().join("other"));
    let engine = judged(folder.path());
    let expected = Expected::default();
    expected.add(1, cosines(&engine));
    index.migrate(&engine, 1);
    let handles = [0; 2].map(|_| open(&index, &cache).unwrap());
    let (stop, searches, processes) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let seen_by_process = AtomicUsize::new(0);
    let goes_on = || !stop.load(Ordering::Relaxed);
    let again = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retune"));
        command.args(["--json", "search", "--mode", "dense", "-n", "100", "--store", &index.store(), ASKED]);
        command.env("RETUNE_MODEL", tiny_model()).env("RETUNE_CACHE", &other);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let answer: Json = serde_json::from_slice(&output.stdout).unwrap();
        let cosine = |hit: &Json| {
            (hit["document"].as_str().unwrap().to_string(), hit["score"].as_f64().unwrap() as f32)
        };
        let generation = answer["generation"].as_u64().unwrap();
        expected.check(generation, &answer["hits"].as_array().unwrap().iter().map(cosine).collect());
        generation
    };
    let slowest = crossbeam_utils::thread::scope(|scope| {
        for cluster in &handles {
            for _ in 0..2 {
                scope.spawn(|_| {
                    while goes_on() {
                        let answer = cluster.search(&by_vectors(ASKED)).unwrap();
                        let found = answer.hits.into_iter().map(|hit| (hit.document, hit.score)).collect();
                        expected.check(answer.generation.0, &found);
                        searches.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        }
        scope.spawn(|_| {
            while goes_on() {
                seen_by_process.store(again() as usize, Ordering::Relaxed);
                processes.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _stop = Stop(&stop);
        let rounds = [(Tier::Encoder, 1e-3), (Tier::QuerySide, 5e-3), (Tier::Encoder, 2e-3)];
        let mut slowest = Duration::ZERO;
        for (generation, (tier, rate)) in (2..).zip(rounds) {
            learn(&engine, tier, rate);
            expected.add(generation, cosines(&engine));
            assert_eq!(index.migrate(&engine, 1).generation, GenerationId(generation));
            let swapped = Instant::now();
            let all_see = || {
                handles.iter().all(|cluster| cluster.generation().0 == generation)
                    && seen_by_process.load(Ordering::Relaxed) as u64 == generation
            };
            while !all_see() {
                assert!(swapped.elapsed() < Duration::from_secs(4), "{generation} was not seen");
                thread::sleep(Duration::from_millis(10));
            }
            slowest = slowest.max(swapped.elapsed());
        }
        slowest
    })
    .unwrap();
    let (searches, processes) = (searches.into_inner(), processes.into_inner());
    assert!(searches > 30 && processes > 3, "{searches} {processes}");
    eprintln!("{searches} searches and {processes} processes, none failed; seen by all within {slowest:?}");
    assert_eq!(engine.status().unwrap().generation.id, GenerationId(4));
    let different = expected.0.lock().unwrap();
    let all: Vec<&Cosines> = different.values().collect();
    assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "what rounds have learnt shows");
}
