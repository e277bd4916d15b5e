//! Background upkeep of the vector index: merging segments and adding rows to the live part. The threads only
//! schedule it.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, TryLockError, Weak};
use std::time::Duration;

use rayon::ThreadPool;

use super::threads::{all_but_one, pool};
use super::upkeep::Task;
use super::{Access, Engine, Inner, Reader};
use crate::dense::{DenseIndex, DenseView, Merge, Merged};
use crate::error::{Error, Result};
use crate::search::Snapshot;

/// How often [`Engine::merge_segments`] looks whether the merge in the background is done.
const LOOK: Duration = Duration::from_millis(50);

/// Does the next piece of work and returns whether there may be more.
type Work = fn(&Weak<Inner>, &AtomicBool) -> Result<bool>;

/// How to look at the vector index: for merging in the background or at once.
type Look = fn(&DenseIndex, &DenseView) -> Result<Merge>;

impl Engine {
    /// Merges segments of the vector index until only a few thousand passages are outside of them. An open index does
    /// this in the background; a program that ends soon after adding many documents should call it. `progress` gets
    /// how many passages of how many were added to a graph, and may cancel.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `progress` breaks: what was merged before stays.
    pub fn merge_segments(&self, progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>) -> Result<()> {
        let _merging = loop {
            match self.inner.upkeep.merging.try_lock() {
                Ok(merging) => break merging,
                Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK),
            }
            if progress(0, 0).is_break() {
                return Err(Error::Cancelled { doing: "merging the vector graphs" });
            }
        };
        loop {
            let (merge, snapshot) = self.look(DenseIndex::merge_now)?;
            if !self.install(merge.run(progress), snapshot)? {
                return Ok(());
            }
        }
    }

    /// Starts the threads if there is something to do for them in the newest view of the index, and wakes them.
    pub(super) fn wake_upkeep(&self, dense: &DenseIndex, view: &DenseView) {
        if !dense.wants_upkeep(view) || !matches!(self.inner.access, Access::Writing(_)) {
            return;
        }
        let mut tasks = self.inner.upkeep.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if tasks.is_empty() && !self.inner.closed.load(Ordering::Acquire) {
            let works: [(&str, Work); 2] =
                [("retune-merge", Engine::merge_in_background), ("retune-live", Engine::add_live_rows)];
            for (name, work) in works {
                let engine = Arc::downgrade(&self.inner);
                match Task::start(name, move |stop| work(&engine, stop)) {
                    Ok(task) => tasks.push(task),
                    // Searches are right without it, and slower.
                    Err(error) => tracing::error!(%error, "the vector index is not kept up"),
                }
            }
        }
        tasks.iter().for_each(Task::wake);
    }

    fn merge_in_background(engine: &Weak<Inner>, stop: &AtomicBool) -> Result<bool> {
        let Some(engine_now) = Engine::upgrade(engine) else { return Ok(false) };
        let (merging, pool) = (Arc::clone(&engine_now.inner.upkeep.merging), engine_now.merge_pool()?);
        let _merging = merging.lock().unwrap_or_else(PoisonError::into_inner);
        let (merge, snapshot) = engine_now.look(DenseIndex::merge)?;
        // Nobody else may be left to hold it.
        drop(engine_now);
        let merged = pool.install(|| merge.run(&mut |_, _| going_on(stop)));
        Engine::upgrade(engine).map_or(Ok(false), |engine| engine.install(merged, snapshot))
    }

    fn add_live_rows(engine: &Weak<Inner>, stop: &AtomicBool) -> Result<bool> {
        let Some(engine) = Engine::upgrade(engine) else { return Ok(false) };
        let rows = engine.lock_writer("add vectors to the live part")?.get()?.dense.live_rows();
        drop(engine);
        rows.map_or(Ok(()), |rows| rows.add(&mut |_, _| going_on(stop)))?;
        Ok(false)
    }

    fn upgrade(engine: &Weak<Inner>) -> Option<Engine> {
        engine.upgrade().map(|inner| Engine { reader: Reader { inner } })
    }

    fn merge_pool(&self) -> Result<Arc<ThreadPool>> {
        let kept = &self.inner.upkeep.pool;
        if let Some(pool) = kept.get() {
            return Ok(Arc::clone(pool));
        }
        let pool = Arc::new(pool("retune-merge", all_but_one(), true)?);
        Ok(Arc::clone(kept.get_or_init(|| pool)))
    }

    /// What a merge needs, and a snapshot that keeps the folder of its generation while it runs. Neither the writer
    /// nor a search waits for the merge.
    fn look(&self, look: Look) -> Result<(Merge, Arc<Snapshot>)> {
        let mut writer = self.lock_writer("merge the vector graphs")?;
        let snapshot = self.inner.snapshot.load_full();
        Ok((look(&writer.get()?.dense, &snapshot.pinned.dense)?, snapshot))
    }

    /// Lets searches use what was merged. Returns whether there was something.
    fn install(&self, merged: Result<Option<Merged>>, of: Arc<Snapshot>) -> Result<bool> {
        let mut writer = self.lock_writer("merge the vector graphs")?;
        let installed = match merged {
            Ok(None) => return Ok(false),
            Ok(Some(merged)) => writer.get()?.dense.install(merged),
            Err(error) => Err(error),
        };
        drop(of);
        if let Err(error) = installed {
            if !matches!(error, Error::Cancelled { .. }) {
                writer.get()?.dense.merge_failed();
            }
            return Err(error);
        }
        self.refresh_from(&mut writer)?;
        Ok(true)
    }
}

fn going_on(stop: &AtomicBool) -> ControlFlow<()> {
    match stop.load(Ordering::Acquire) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::Instant;

    use super::*;
    use crate::dense::DenseOptions;
    use crate::engine::{Chunking, Document, Options};
    use crate::search::Query;

    fn open(folder: &Path) -> Engine {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference/tiny-mpnet");
        let options = Options::default().with_model(model).with_chunking(Chunking::Whole);
        Engine::open(folder.join("index"), options).unwrap()
    }

    fn dense_folder(folder: &Path) -> PathBuf {
        folder.join("index/generations/000001/dense")
    }

    /// The segments in the folder, and what is unfinished.
    fn graphs(folder: &Path) -> Vec<String> {
        let names = std::fs::read_dir(dense_folder(folder)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains("graph-")).collect()
    }

    fn graph_bytes(folder: &Path) -> u64 {
        let files = graphs(folder).into_iter().map(|name| dense_folder(folder).join(name).join("graph.hnsw"));
        files.filter_map(|file| std::fs::metadata(file).ok()).map(|file| file.len()).sum()
    }

    fn documents(range: std::ops::Range<usize>) -> Vec<Document> {
        range.map(|number| Document::new(format!("{number}"), format!("entry {number} of the log"))).collect()
    }

    /// An index that searches exactly up to 20 passages.
    fn small(folder: &Path, documents_in_it: usize) {
        let engine = open(folder);
        engine.add(documents(0..documents_in_it)).unwrap();
        engine.close().unwrap();
        let options = DenseOptions { exact_below: 20, ..DenseOptions::default() };
        DenseIndex::renew_options(&dense_folder(folder), &options).unwrap();
    }

    fn until(what: &str, done: impl Fn() -> bool) {
        let started = Instant::now();
        while !done() {
            assert!(started.elapsed() < Duration::from_secs(120), "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn segments_are_merged_while_the_index_is_used_and_dead_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        small(folder.path(), 10);
        let engine = open(folder.path());
        for first in (10..400).step_by(39) {
            engine.add(documents(first..first + 39)).unwrap();
            assert!(!engine.search(&Query::new(format!("entry {first}"))).unwrap().hits.is_empty());
        }
        // A node takes 148 bytes, and 80 rows may wait.
        until("no merge", || graph_bytes(folder.path()) > 200 * 148);
        let removed: Vec<String> = (0..380).map(|number| number.to_string()).collect();
        engine.remove(&removed).unwrap();
        until("the rows of removed documents stay", || graph_bytes(folder.path()) < 80 * 148);
        engine.close().unwrap();
        assert_eq!(open(folder.path()).documents().unwrap().len(), 20);
    }

    #[test]
    fn closing_cancels_a_merge_and_opening_takes_it_up_again() {
        let folder = tempfile::tempdir().unwrap();
        small(folder.path(), 300);
        let engine = open(folder.path());
        // Whether or not the merge has begun by now.
        engine.close().unwrap();
        assert!(graphs(folder.path()).iter().all(|name| name.starts_with("graph-")));
        let engine = open(folder.path());
        until("no merge", || graphs(folder.path()).contains(&"graph-000001".to_string()));
        engine.close().unwrap();
        assert_eq!(graphs(folder.path()), ["graph-000001"]);
    }

    #[test]
    fn a_merge_that_is_told_to_stop_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let engine = open(folder.path());
        engine.add(documents(0..300)).unwrap();
        // So few that no thread was started. Now they are many.
        let options = DenseOptions { exact_below: 20, ..DenseOptions::default() };
        DenseIndex::renew_options(&dense_folder(folder.path()), &options).unwrap();
        let dense = engine.inner.snapshot.load().pinned.generation.open_dense(&options).unwrap();
        engine.lock_writer("test").unwrap().get().unwrap().dense = dense;
        let stopped = Engine::merge_in_background(&Arc::downgrade(&engine.inner), &AtomicBool::new(true));
        assert!(matches!(stopped, Err(Error::Cancelled { .. })));
        let cancelled = engine.merge_segments(&mut |_, _| ControlFlow::Break(()));
        assert!(matches!(cancelled, Err(Error::Cancelled { .. })));
        assert!(graphs(folder.path()).is_empty());
        engine.merge_segments(&mut |_, _| ControlFlow::Continue(())).unwrap();
        assert_eq!(graphs(folder.path()), ["graph-000001"]);
        let hits = engine.search(&Query::new("entry 17 of the log")).unwrap().hits;
        assert!(!hits.is_empty());
        engine.close().unwrap();
    }
}
