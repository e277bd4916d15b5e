//! Measures what a background learning round costs searches: the time of a hybrid search with and without one, for one
//! user who pauses between queries.
//!
//!     cargo bench --bench learning -- [seconds]
//!
//! Each figure is measured for this many seconds (20). Measures the model in `RETUNE_MODEL`, else the fixtures' tiny
//! one, whose rounds are too short to mean much.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use retune::learn::{Tier, TrainOptions};
use retune::{Document, Engine, LearnOptions, LearnTask, Options, Query, Verdict};

/// The pause between two searches.
const THINKS: Duration = Duration::from_millis(50);
const DOCUMENTS: usize = 400;
const JUDGED: usize = 60;
const SYLLABLES: [&str; 16] =
    ["ka", "lo", "mi", "ren", "tor", "vas", "pel", "un", "gri", "sta", "ho", "den", "fu", "zel", "bra", "ni"];

fn main() {
    let seconds = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(20.0);
    let time = Duration::from_secs_f64(seconds);
    let tiny = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/tiny-mpnet");
    let model = std::env::var_os("RETUNE_MODEL").map_or_else(tiny, PathBuf::from);
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::open(folder.path(), Options::default().with_model(model)).expect("an index");
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let documents: Vec<String> = (0..DOCUMENTS).map(|_| words(&mut random, 80)).collect();
    let added = documents.iter().enumerate().map(|(id, text)| Document::new(id.to_string(), text.as_str()));
    engine.add(added.collect()).expect("documents");
    for (id, text) in documents.iter().enumerate().take(JUDGED) {
        let query: Vec<&str> = text.split(' ').take(8).collect();
        let answer = engine.search(&Query::new(query.join(" "))).expect("an answer");
        engine.judge(answer.query_id, &id.to_string(), Verdict::Chosen).expect("a judgement");
    }
    let mut measure = |what: &str, before: Option<f64>| {
        let mut times = searches(&engine, &mut random, time);
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        let (p50, p95) = (at(0.5), at(0.95));
        let more = before.map_or(String::new(), |before| format!("{:.2}", p95 / before));
        println!("| {what} | {} | {p50:.2} | {p95:.2} | {more} |", times.len());
        p95
    };
    println!("| | searches | p50 ms | p95 ms | of p95 alone |");
    println!("|---|---|---|---|---|");
    let alone = measure("alone", None);
    for threads in [None, Some(2)] {
        let task = endless(&engine, threads);
        let threads = threads.map_or("all but one".into(), |threads| threads.to_string());
        measure(&format!("beside training on threads: {threads}"), Some(alone));
        task.cancel();
        assert!(
            task.wait().is_err(),
            "the round has ended before it was measured: use a larger model or less time"
        );
    }
    measure("alone again", Some(alone));
    engine.close().expect("a sound index");
}

/// Starts a round that is training when this returns, and won't end by itself.
fn endless(engine: &Engine, threads: Option<usize>) -> LearnTask {
    let train = TrainOptions::default().with_epochs(100_000).with_frozen_layers(0);
    let round = LearnOptions::default().with_train(train).with_tiers(&[Tier::Encoder]).with_threads(threads);
    let task = engine.learn_in_background(round).expect("a round");
    while !engine.status().expect("a status").learning {
        std::thread::sleep(Duration::from_millis(10));
    }
    // It collects its examples first.
    std::thread::sleep(Duration::from_secs(3));
    task
}

/// Times of searches in milliseconds, each for another query.
fn searches(engine: &Engine, random: &mut ChaCha8Rng, time: Duration) -> Vec<f64> {
    let (started, mut times) = (Instant::now(), Vec::new());
    while started.elapsed() < time {
        let query = Query::new(words(random, 6)).without_logging();
        let asked = Instant::now();
        engine.search(&query).expect("an answer");
        times.push(asked.elapsed().as_secs_f64() * 1e3);
        std::thread::sleep(THINKS);
    }
    times
}

fn words(random: &mut ChaCha8Rng, count: usize) -> String {
    let word = |random: &mut ChaCha8Rng| -> String {
        let syllables = random.random_range(1..4);
        (0..syllables).map(|_| *SYLLABLES.choose(random).expect("there are some")).collect()
    };
    (0..count).map(|_| word(random)).collect::<Vec<_>>().join(" ")
}
