//! Grows an index from nothing, a thousand vectors at a time: how long additions take, and how many bytes are written.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, bounded};
use crossbeam_utils::thread::scope;

use crate::dense::{DenseIndex, DenseOptions, DenseView};
use crate::ids::ChunkId;
use crate::searches::Queries;
use crate::texts::Texts;
use crate::timing::{Percentiles, timed};
use crate::vectors::Vectors;

/// Vectors per addition.
const STEP: usize = 1000;

/// An index with its newest view, as the engine has them.
struct Growing {
    dense: DenseIndex,
    view: DenseView,
}

impl Growing {
    fn see(&mut self, chunks: u64) {
        let live: Vec<ChunkId> = (0..chunks).map(ChunkId).collect();
        self.view = self.dense.view(&live).expect("a view");
    }
}

/// Grows an index to `size` vectors, alongside a thread that merges and one that adds to the live part, and prints a
/// row.
pub(crate) fn grow(folder: &Path, texts: &Texts, vectors: &Vectors, queries: &Queries, size: usize) {
    let folder = folder.join("growth");
    let _ = fs::remove_dir_all(&folder);
    let dense = DenseIndex::create(&folder, vectors.dimensions(), vectors.weights, DenseOptions::default())
        .expect("an index");
    let view = dense.view(&[]).expect("a view");
    let growing = Mutex::new(Growing { dense, view });
    let (started, before, mut additions) = (Instant::now(), written(), Vec::new());
    let (wake_merger, merger_woken) = bounded(1);
    let (wake_adder, adder_woken) = bounded(1);
    scope(|scope| {
        scope.spawn(|_| merge(&growing, &merger_woken));
        scope.spawn(|_| add_live_rows(&growing, &adder_woken));
        for first in (0..size).step_by(STEP) {
            let block: Vec<(ChunkId, Vec<f32>)> = (first..first + STEP)
                .map(|number| (ChunkId(number as u64), vectors.vector(texts, number)))
                .collect();
            let rows: Vec<(ChunkId, &[f32])> = block.iter().map(|(id, v)| (*id, v.as_slice())).collect();
            additions.push(
                timed(|| {
                    let mut growing = growing.lock().unwrap_or_else(PoisonError::into_inner);
                    growing.dense.append(&rows).expect("vectors");
                    growing.dense.sync().expect("vectors on disk");
                    growing.see((first + STEP) as u64);
                })
                .1,
            );
            // Full: it has been woken but has not looked yet.
            let _ = (wake_merger.try_send(()), wake_adder.try_send(()));
        }
        // The threads end when nothing is left to do.
        drop((wake_merger, wake_adder));
    })
    .expect("threads");
    additions.sort_by(f64::total_cmp);
    let seconds = started.elapsed().as_secs_f64();
    let written = written() - before;
    let view = growing.into_inner().unwrap_or_else(PoisonError::into_inner).view;
    let search = |query: usize| timed(|| view.search(&queries.vectors()[query], 10, None)).1;
    println!(
        "| {size} | {seconds:.0} | {:.0} | {:.0} | {:.1} | {:.2} | {:.2} | {} | {} |",
        additions.iter().sum::<f64>() / 1e3,
        additions[additions.len() - 1],
        additions[additions.len() / 2],
        written as f64 / 1e9,
        fs::metadata(folder.join("vectors.bin")).expect("rows").len() as f64 / 1e9,
        fs::read_dir(&folder).expect("a folder").count() - 2,
        Percentiles::of(queries.vectors().len(), search),
    );
}

fn merge(growing: &Mutex<Growing>, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        loop {
            let merge = {
                let growing = growing.lock().unwrap_or_else(PoisonError::into_inner);
                growing.dense.merge(&growing.view).expect("a merge")
            };
            let merged = merge.run(&mut |_, _| ControlFlow::Continue(())).expect("a segment");
            let Some(merged) = merged else { break };
            let mut growing = growing.lock().unwrap_or_else(PoisonError::into_inner);
            growing.dense.install(merged).expect("a segment");
            let chunks = growing.view.len() as u64;
            growing.see(chunks);
        }
    }
}

fn add_live_rows(growing: &Mutex<Growing>, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        let rows = growing.lock().unwrap_or_else(PoisonError::into_inner).dense.live_rows();
        if let Some(rows) = rows {
            rows.add(&mut |_, _| ControlFlow::Continue(())).expect("live rows");
        }
    }
}

/// Bytes that this process has written, if the system reports them.
fn written() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or_default()
}
