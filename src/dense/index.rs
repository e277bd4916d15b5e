//! The index as its one writer, or a reader of the folder, holds it.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::build::{BuiltGraph, GraphBuilder};
use super::directory::Directory;
use super::exact;
use super::graph::{Basis, Graph, copy_graph, numbered, tidy};
use super::options::DenseOptions;
use super::vectors::{Layout, REMEDY, Scanned, VectorFile};
use super::view::{DenseView, Inner, check_ascending};
use crate::error::{Error, Result};
use crate::ids::{ChunkId, Digest};
use crate::storage::{read_envelope, sync_folder, write_envelope};

const KIND: &str = "dense";
const VERSION: u32 = 1;
/// Of fewer dimensions there are so few codes that a graph can't tell near from nearest.
const LEAST_DIMENSIONS: usize = 8;

/// The vectors of one encoder, in one folder. Searching is done on a [`DenseView`].
#[derive(Debug)]
pub(crate) struct DenseIndex {
    dir: PathBuf,
    weights: Digest,
    options: DenseOptions,
    vectors: VectorFile,
    directory: Directory,
    damaged: Vec<u32>,
    graph: Option<Arc<Graph>>,
    /// How many rows there were when a graph could not be built.
    graph_failed_at: usize,
    writable: bool,
}

impl DenseIndex {
    /// Creates an empty index in `dir`, which is created if need be, for vectors made by the encoder with `weights`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for options or dimensions out of range, or when `dir` holds an index already.
    pub(crate) fn create(
        dir: &Path,
        dimensions: usize,
        weights: Digest,
        options: DenseOptions,
    ) -> Result<DenseIndex> {
        options.validate()?;
        Layout::new(dimensions)?;
        fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
        let path = vectors_path(dir);
        if path.exists() {
            let found = format!("an index in {}", dir.display());
            return Err(Error::invalid("the folder for a new dense index", found, "none"));
        }
        DenseIndex::renew_options(dir, &options)?;
        VectorFile::create(&path, dimensions, weights)?;
        if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_folder(parent)?;
        }
        DenseIndex::open(dir, weights)
    }

    /// Copies the index in `from` into the new folder `to`, rows and graphs as they lie, and opens the copy for writing. A
    /// writer may append to `from` meanwhile, or put another graph in place: a row of which a part was copied is cut off,
    /// a graph that is not whole is passed over.
    ///
    /// # Errors
    /// As [`open`](DenseIndex::open).
    pub(crate) fn copy(
        from: &Path,
        to: &Path,
        weights: Digest,
        options: &DenseOptions,
    ) -> Result<DenseIndex> {
        fs::create_dir_all(to).map_err(Error::io("create", to))?;
        DenseIndex::renew_options(to, options)?;
        // Graphs first: the rows that they cover are in the file before them.
        for (_, graph) in numbered(from)? {
            copy_graph(&graph, to)?;
        }
        let vectors = vectors_path(from);
        fs::copy(&vectors, vectors_path(to)).map_err(Error::io("copy", &vectors))?;
        DenseIndex::open(to, weights)
    }

    /// Writes the options of an index anew, as it was created with them.
    pub(crate) fn renew_options(dir: &Path, options: &DenseOptions) -> Result<()> {
        write_envelope(&options_path(dir), KIND, VERSION, options)
    }

    /// Opens the index for its one writer; the caller holds the writer's lock. Every row is checked, a torn write at
    /// the end is cut off, left-overs are removed.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none; [`Error::Invalid`] when the vectors were made by other weights;
    /// [`Error::Damaged`] when a header or the options are. Damaged rows and graphs are no error.
    pub(crate) fn open(dir: &Path, weights: Digest) -> Result<DenseIndex> {
        DenseIndex::open_as(dir, weights, true)
    }

    /// Opens the index without ever changing the folder.
    ///
    /// # Errors
    /// As [`open`](DenseIndex::open).
    pub(crate) fn open_read_only(dir: &Path, weights: Digest) -> Result<DenseIndex> {
        DenseIndex::open_as(dir, weights, false)
    }

    fn open_as(dir: &Path, weights: Digest, writable: bool) -> Result<DenseIndex> {
        let path = vectors_path(dir);
        if !path.exists() {
            return Err(Error::NotFound {
                what: "dense index in",
                id: dir.display().to_string(),
                remedy: REMEDY,
            });
        }
        let options: DenseOptions = read_envelope(&options_path(dir), KIND, VERSION)
            .map_err(|error| error.with_remedy(REMEDY))?
            .ok_or_else(|| Error::Damaged {
                path: options_path(dir),
                found: "no such file".into(),
                expected: "the options of the dense index".into(),
                remedy: REMEDY,
            })?;
        options.validate()?;
        let (vectors, scanned) = VectorFile::open(&path, weights, writable)?;
        let mut index = DenseIndex {
            dir: dir.to_path_buf(),
            weights,
            options,
            vectors,
            directory: Directory::default(),
            damaged: Vec::new(),
            graph: None,
            graph_failed_at: 0,
            writable,
        };
        index.take_up(&scanned);
        index.find_graph()?;
        // Here and not by the first long search, which may be that of a round in the background.
        exact::pool();
        if writable {
            tidy(dir, index.graph.as_deref(), true)?;
        }
        Ok(index)
    }

    fn take_up(&mut self, scanned: &[Scanned]) {
        self.directory.extend(scanned.iter().filter_map(|row| Some((row.chunk?, row.row))));
        self.damaged.extend(scanned.iter().filter(|row| row.chunk.is_none()).map(|row| row.row));
    }

    fn find_graph(&mut self) -> Result<()> {
        self.graph =
            Graph::newest(&self.dir, &self.basis(), |rows| self.vectors.fingerprint(rows))?.map(Arc::new);
        Ok(())
    }

    fn basis(&self) -> Basis {
        Basis {
            weights: self.weights,
            dimensions: self.dimensions(),
            connectivity: self.options.connectivity,
            expansion_build: self.options.expansion_build,
        }
    }

    /// Takes up what the writer, in this process or another, has added since: rows and the newest graph.
    /// Views made before stay as they are.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        let scanned = self.vectors.extend()?;
        self.take_up(&scanned);
        self.find_graph()
    }

    /// Appends vectors of any length but zero; they are stored with length 1, rounded to bf16. All or nothing. A chunk
    /// that has a vector already gets the new one. Durable only after [`sync`](DenseIndex::sync).
    ///
    /// # Errors
    /// [`Error::Invalid`], with nothing written, for wrong dimensions, NaN, infinities or a zero vector;
    /// [`Error::ReadOnly`]; [`Error::Io`], with nothing left written.
    pub(crate) fn append(&mut self, rows: &[(ChunkId, &[f32])]) -> Result<()> {
        let appended = self.vectors.append(rows)?;
        self.directory.extend(appended);
        Ok(())
    }

    /// Makes everything appended so far durable.
    pub(crate) fn sync(&self) -> Result<()> {
        self.vectors.sync()
    }

    /// The vectors of those `live` chunks (ascending) that have one, as of now.
    pub(crate) fn view(&self, live: &[ChunkId]) -> Result<DenseView> {
        check_ascending("the list of live chunks", live)?;
        let found = self.directory.look_up(live);
        Ok(DenseView::new(Inner {
            rows: self.vectors.rows(),
            graph: self.graph.clone(),
            options: self.options.clone(),
            chunks: found.chunks,
            row_of: found.rows,
            missing: found.missing,
            coverage: OnceLock::new(),
        }))
    }

    /// Builds a graph if that would speed searches up. A build that fails is logged and tried again when there is as
    /// much more to cover: searches are exact until then. `progress` is told how many rows of how many were added, and
    /// may cancel.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `progress` breaks.
    pub(crate) fn keep_graph(
        &mut self,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<()> {
        if !self.wants_graph() {
            return Ok(());
        }
        match self.build_graph_with(progress) {
            Err(error @ Error::Cancelled { .. }) => Err(error),
            Err(error) => {
                tracing::error!(%error, "searches stay exact");
                self.graph_failed_at = self.vectors.count();
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Whether vectors are long enough for a graph, and there are more than `exact_below` rows, of which more than `exact_below` would otherwise be scored one by
    /// one in every search.
    pub(super) fn wants_graph(&self) -> bool {
        let behind = self.graph.as_ref().map_or(0, |graph| graph.rows());
        let uncovered = self.vectors.count() - behind.max(self.graph_failed_at);
        self.writable
            && self.dimensions() >= LEAST_DIMENSIONS
            && self.directory.len() > self.options.exact_below
            && uncovered > self.options.exact_below
    }

    /// A build over the rows there are now, to be run anywhere, while this index is searched and appended to. The
    /// present graph is added to, unless a quarter of it is out of date. Only one build may run at a time.
    pub(crate) fn graph_builder(&self) -> Result<GraphBuilder> {
        if !self.writable {
            return Err(Error::ReadOnly { doing: "build the vector graph", path: self.dir.clone() });
        }
        let current = self.directory.rows();
        let base = self.graph.clone().filter(|graph| {
            let still = current.partition_point(|&row| (row as usize) < graph.rows());
            4 * still >= 3 * graph.covered()
        });
        let rows = self.vectors.rows();
        let fingerprint = self.vectors.fingerprint(rows.count()).unwrap_or_default();
        Ok(GraphBuilder { dir: self.dir.clone(), rows, current, fingerprint, basis: self.basis(), base })
    }

    /// Uses a graph that was built, in views made from now on, and removes older ones.
    pub(crate) fn install(&mut self, built: BuiltGraph) -> Result<()> {
        let graph = Arc::new(built.0);
        self.graph = Some(Arc::clone(&graph));
        tidy(&self.dir, Some(&graph), false)
    }

    /// Builds a graph over all rows and uses it. Takes minutes for a hundred thousand rows.
    #[cfg(test)]
    pub(crate) fn build_graph(&mut self) -> Result<()> {
        self.build_graph_with(&mut |_, _| ControlFlow::Continue(()))
    }

    fn build_graph_with(&mut self, progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>) -> Result<()> {
        let built = self.graph_builder()?.build(progress)?;
        self.install(built)
    }

    /// Whether views have a graph to search through.
    #[cfg(test)]
    pub(crate) fn has_graph(&self) -> bool {
        self.graph.is_some()
    }

    /// Elements of a vector.
    pub(crate) fn dimensions(&self) -> usize {
        self.vectors.layout().dimensions
    }

    /// The options that it was created with.
    #[cfg(test)]
    pub(crate) fn options(&self) -> &DenseOptions {
        &self.options
    }

    /// Numbers of the rows whose checksum failed. Which chunks they held cannot be known from them: those that are
    /// alive and have no other row are in [`DenseView::missing`].
    #[cfg(test)]
    pub(crate) fn damaged_rows(&self) -> &[u32] {
        &self.damaged
    }

    /// The largest chunk id among the sound rows, live or not.
    pub(crate) fn highest_chunk(&self) -> Option<ChunkId> {
        self.directory.highest()
    }

    /// Rows in the file, damaged and outdated ones too.
    #[cfg(test)]
    pub(crate) fn rows(&self) -> usize {
        self.vectors.count()
    }

    #[cfg(test)]
    pub(super) fn break_writes(&mut self) {
        self.vectors.break_writes();
    }

    #[cfg(test)]
    pub(super) fn graph(&self) -> Option<&Graph> {
        self.graph.as_deref()
    }
}

fn vectors_path(dir: &Path) -> PathBuf {
    dir.join("vectors.bin")
}

fn options_path(dir: &Path) -> PathBuf {
    dir.join("dense.json")
}
