//! Building a graph.
//!
//! Nodes are added by one thread: concurrent adds can strand vectors, so that no search ever meets them. Equal codes
//! do the same harm on a larger scale, for they become each other's only neighbours: one of them becomes a node, and
//! the others are listed as its copies. What is stranded even so is looked for at the end and listed, and searches
//! score it exactly.

use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use usearch::{Index, IndexOptions, MetricKind, ScalarKind};

use super::code::code;
use super::graph::{BUILDING, Basis, FILE, Graph, KIND, PREFIX, SIDECAR, Sidecar, VERSION, numbered};
use super::hnsw::Hnsw;
use super::vectors::Rows;
use crate::error::{Error, Result};
use crate::storage::{publish_folder, remove_folder, write_envelope};

/// Progress is reported, and cancelling possible, every so many rows.
const STEP: usize = 256;

/// A build that can run while its index is searched and appended to. See [`super::DenseIndex::graph_builder`].
#[derive(Debug)]
pub(crate) struct GraphBuilder {
    pub(super) dir: PathBuf,
    pub(super) rows: Arc<Rows>,
    /// The rows to cover, ascending.
    pub(super) current: Vec<u32>,
    pub(super) fingerprint: u32,
    pub(super) basis: Basis,
    /// A graph over a prefix of the rows: it is added to.
    pub(super) base: Option<Arc<Graph>>,
}

/// A finished, published graph, for [`super::DenseIndex::install`].
#[derive(Debug)]
pub(crate) struct BuiltGraph(pub(super) Graph);

impl GraphBuilder {
    /// Builds and publishes the graph. `progress` is told how many rows of how many were added, and may cancel.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `progress` breaks; then, as after any error, nothing was changed.
    pub(crate) fn build(
        self,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<BuiltGraph> {
        let building = self.dir.join(format!("{BUILDING}{:016x}", rand::random::<u64>()));
        fs::create_dir(&building).map_err(Error::io("create", &building))?;
        let built = self.build_in(&building, progress);
        if built.is_err()
            && let Err(e) = remove_folder(&building)
        {
            tracing::warn!("could not remove an unfinished graph: {e}");
        }
        built
    }

    fn build_in(
        &self,
        building: &Path,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<BuiltGraph> {
        let path = building.join(FILE);
        let (index, mut copies) = self.add_rows(&path, progress)?;
        let (file_len, file_crc) = save(&index, &path)?;
        drop(index);
        let unread = |found| Error::Dense {
            doing: "read what was saved of the graph",
            path: path.clone(),
            message: found,
        };
        let hnsw = Hnsw::open(&path)?.map_err(unread)?;
        let left_out = self.left_out(&hnsw, &mut copies);
        let sidecar = Sidecar {
            library: usearch::version().to_owned(),
            basis: self.basis.clone(),
            rows: self.rows.count(),
            fingerprint: self.fingerprint,
            nodes: hnsw.len(),
            copies,
            left_out,
            file_len,
            file_crc,
        };
        drop(hnsw);
        write_envelope(&building.join(SIDECAR), KIND, VERSION, &sidecar)?;
        let fingerprint = |_| Some(self.fingerprint);
        drop(Graph::open(building, &self.basis, fingerprint)?);
        let next = numbered(&self.dir)?.last().map_or(1, |(number, _)| number + 1);
        let folder = self.dir.join(format!("{PREFIX}{next:06}"));
        publish_folder(building, &folder)?;
        Graph::open(&folder, &self.basis, fingerprint).map(BuiltGraph)
    }

    /// The library's index with a node for every distinct code, and the copies: (node, row), ascending.
    fn add_rows(
        &self,
        path: &Path,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<(Index, Vec<(u32, u32)>)> {
        let index = Index::new(&IndexOptions {
            dimensions: self.basis.dimensions,
            metric: MetricKind::IP,
            quantization: ScalarKind::I8,
            connectivity: self.basis.connectivity,
            expansion_add: self.basis.expansion_build,
            ..IndexOptions::default()
        })
        .map_err(failed("create the graph", path))?;
        let (mut nodes, mut copies) = (Nodes::new(&self.rows), Vec::new());
        let mut fresh = &self.current[..];
        if let Some(base) = &self.base {
            index.load_from_buffer(base.bytes()).map_err(failed("load the graph", path))?;
            fresh = &fresh[fresh.partition_point(|&row| (row as usize) < base.rows())..];
            copies.clone_from(&base.sidecar().copies);
            rows_in(&index, base.rows()).for_each(|row| _ = nodes.original(row, &nodes.code(row)));
        }
        index
            .reserve_capacity_and_threads(index.size() + fresh.len(), 1)
            .map_err(failed("reserve memory for the graph", path))?;
        let cancelled = Error::Cancelled { doing: "building the vector graph" };
        for (done, &row) in fresh.iter().enumerate() {
            if done % STEP == 0 && progress(done, fresh.len()).is_break() {
                return Err(cancelled);
            }
            let code = nodes.code(row);
            match nodes.original(row, &code) {
                Some(node) => copies.push((node, row)),
                None => index.add(u64::from(row), &code).map_err(failed("add to the graph", path))?,
            }
        }
        if progress(fresh.len(), fresh.len()).is_break() {
            return Err(cancelled);
        }
        copies.sort_unstable();
        Ok((index, copies))
    }

    /// The rows that a search cannot find: those that are neither nodes nor copies, and those that a walk from the
    /// entry node does not reach, with their copies.
    fn left_out(&self, hnsw: &Hnsw, copies: &mut Vec<(u32, u32)>) -> Vec<u32> {
        let mut found = hnsw.reached(self.rows.count());
        copies.retain(|&(node, _)| found[node as usize]);
        copies.iter().for_each(|&(_, row)| found[row as usize] = true);
        (0..).zip(&found).filter(|(_, found)| !**found).map(|(row, _)| row).collect()
    }
}

/// The nodes by their codes.
struct Nodes<'a> {
    rows: &'a Rows,
    by_hash: HashMap<u64, u32>,
    hasher: RandomState,
}

impl Nodes<'_> {
    fn new(rows: &Rows) -> Nodes<'_> {
        Nodes { rows, by_hash: HashMap::new(), hasher: RandomState::new() }
    }

    fn code(&self, row: u32) -> Vec<i8> {
        code(&self.rows.vector(row))
    }

    /// The node with the very code of `row`; when there is none, `row` becomes it.
    fn original(&mut self, row: u32, code: &[i8]) -> Option<u32> {
        let node = *self.by_hash.entry(self.hasher.hash_one(code)).or_insert(row);
        (node != row && self.code(node) == code).then_some(node)
    }
}

fn rows_in(index: &Index, below: usize) -> impl Iterator<Item = u32> {
    (0..below as u32).filter(|&row| index.contains(u64::from(row)))
}

/// Writes the graph and gives length and checksum of the file. The library's own way of writing a file does not
/// report a full disk.
fn save(index: &Index, path: &Path) -> Result<(u64, u32)> {
    let mut bytes = vec![0; index.serialized_length()];
    index.save_to_buffer(&mut bytes).map_err(failed("save the graph", path))?;
    fs::write(path, &bytes).map_err(Error::io("write", path))?;
    Ok((bytes.len() as u64, crc32fast::hash(&bytes)))
}

fn failed<E: std::fmt::Display>(doing: &'static str, path: &Path) -> impl FnOnce(E) -> Error {
    move |e| Error::Dense { doing, path: path.to_path_buf(), message: e.to_string() }
}
