//! Many small indexes in one process, one per tenant, with one shared encoder.
//!
//!     RETUNE_MODEL=DIR cargo bench --bench tenants -- [INDEXES]
//!
//! Creates INDEXES indexes (default 1000) of ten documents each, reopens all of them, and keeps them open. Measures the
//! time for each step, the memory and threads of an open one, and a search in each. Without `RETUNE_MODEL` it uses the
//! fixtures' tiny model.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use retune::{Document, Encoder, Engine, Options, Query};

fn main() {
    let indexes: usize = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(1000);
    let tiny = || Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/tiny-mpnet");
    let model = std::env::var_os("RETUNE_MODEL").map_or_else(tiny, PathBuf::from);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let encoder = Arc::new(Encoder::load(&model).expect("an encoder"));
    let open = |tenant: usize| {
        let options = Options::default().with_encoder(Arc::clone(&encoder));
        Engine::open(folder.path().join(tenant.to_string()), options).expect("an index")
    };

    let mut created = Vec::new();
    for tenant in 0..indexes {
        let started = Instant::now();
        let engine = open(tenant);
        engine.add(documents(tenant)).expect("documents");
        engine.close().expect("a clean end");
        created.push(started.elapsed().as_secs_f64() * 1e3);
    }

    let (memory, threads) = (status("VmRSS"), status("Threads"));
    let mut opened = Vec::new();
    let engines: Vec<Engine> = (0..indexes)
        .map(|tenant| {
            let started = Instant::now();
            let engine = open(tenant);
            opened.push(started.elapsed().as_secs_f64() * 1e3);
            engine
        })
        .collect();
    let mut searched = Vec::new();
    for (tenant, engine) in engines.iter().enumerate() {
        let started = Instant::now();
        let answer = engine.search(&Query::new(format!("invoice {tenant}"))).expect("an answer");
        searched.push(started.elapsed().as_secs_f64() * 1e3);
        assert!(!answer.hits.is_empty());
    }
    let (memory_after, threads_after) = (status("VmRSS"), status("Threads"));

    println!(
        "| indexes | create and fill, ms | open, ms | first search, ms | kB of an open one | threads of it |"
    );
    println!("|---|---|---|---|---|---|");
    println!(
        "| {indexes} | {:.1} | {:.1} | {:.1} | {:.0} | {:.1} |",
        median(created),
        median(opened),
        median(searched),
        (memory_after - memory) / indexes as f64,
        (threads_after - threads) / indexes as f64,
    );
}

fn documents(tenant: usize) -> Vec<Document> {
    (0..10)
        .map(|n| {
            Document::new(format!("{tenant}/{n}"), format!("Invoice {n} of tenant {tenant} was paid in May."))
        })
        .collect()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A number from `/proc/self/status`: kB, or a count.
fn status(name: &str) -> f64 {
    let all = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = all.lines().find(|line| line.starts_with(name)).expect("a line");
    line.split_whitespace().nth(1).expect("a value").parse().expect("a number")
}
