//! Building a graph.
//!
//! Nodes are added by one thread: concurrent adds can strand vectors, so that no search ever meets them. Equal vectors
//! do the same harm on a larger scale, for they become each other's only neighbours: one of them becomes a node, and
//! the others are listed as its copies. What is stranded even so is looked for at the end and listed, and searches
//! score it exactly.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use usearch::Index;

use super::graph::{
    BUILDING, Basis, FILE, Graph, KIND, PREFIX, SIDECAR, Sidecar, VERSION, failed, new_index, numbered,
};
use super::options::DenseOptions;
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
        let left_out = self.left_out(&index, &mut copies);
        let (file_len, file_crc) = save(&index, &path)?;
        let sidecar = Sidecar {
            library: usearch::version().to_owned(),
            basis: self.basis.clone(),
            rows: self.rows.count(),
            fingerprint: self.fingerprint,
            nodes: index.size(),
            copies,
            left_out,
            file_len,
            file_crc,
        };
        drop(index);
        write_envelope(&building.join(SIDECAR), KIND, VERSION, &sidecar)?;
        let fingerprint = |_| Some(self.fingerprint);
        drop(Graph::open(building, &self.basis, fingerprint)?);
        let next = numbered(&self.dir)?.last().map_or(1, |(number, _)| number + 1);
        let folder = self.dir.join(format!("{PREFIX}{next:06}"));
        publish_folder(building, &folder)?;
        Graph::open(&folder, &self.basis, fingerprint).map(BuiltGraph)
    }

    /// The library's index with a node for every distinct vector, and the copies: (node, row), ascending.
    fn add_rows(
        &self,
        path: &Path,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<(Index, Vec<(u32, u32)>)> {
        let options = DenseOptions {
            connectivity: self.basis.connectivity,
            expansion_build: self.basis.expansion_build,
            ..DenseOptions::default()
        };
        let index = new_index(path, self.basis.dimensions, &options)?;
        let (mut nodes, mut copies) = (Nodes::new(&self.rows), Vec::new());
        let mut fresh = &self.current[..];
        if let Some(base) = &self.base {
            index.load_from_buffer(base.bytes()).map_err(failed("load the graph", path))?;
            fresh = &fresh[fresh.partition_point(|&row| (row as usize) < base.rows())..];
            copies.clone_from(&base.sidecar().copies);
            rows_in(&index, base.rows()).for_each(|row| _ = nodes.original(row));
        }
        index
            .reserve_capacity_and_threads(index.size() + fresh.len(), 1)
            .map_err(failed("reserve memory for the graph", path))?;
        let cancelled = Error::Cancelled { doing: "building the vector graph" };
        for (done, &row) in fresh.iter().enumerate() {
            if done % STEP == 0 && progress(done, fresh.len()).is_break() {
                return Err(cancelled);
            }
            match nodes.original(row) {
                Some(node) => copies.push((node, row)),
                None => {
                    index
                        .add(u64::from(row), &self.rows.vector(row))
                        .map_err(failed("add to the graph", path))?;
                }
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
    fn left_out(&self, index: &Index, copies: &mut Vec<(u32, u32)>) -> Vec<u32> {
        let mut found = reached(index, self.rows.count());
        copies.retain(|&(node, _)| found[node as usize]);
        copies.iter().for_each(|&(_, row)| found[row as usize] = true);
        (0..).zip(&found).filter(|(_, found)| !**found).map(|(row, _)| row).collect()
    }
}

/// The nodes by their vectors.
struct Nodes<'a> {
    rows: &'a Rows,
    by_hash: HashMap<u64, u32>,
    hasher: RandomState,
}

impl Nodes<'_> {
    fn new(rows: &Rows) -> Nodes<'_> {
        Nodes { rows, by_hash: HashMap::new(), hasher: RandomState::new() }
    }

    /// The node with the very vector of `row`; when there is none, `row` becomes it.
    fn original(&mut self, row: u32) -> Option<u32> {
        let vector = self.rows.vector_bytes(row);
        let node = *self.by_hash.entry(self.hasher.hash_one(vector)).or_insert(row);
        (node != row && self.rows.vector_bytes(node) == vector).then_some(node)
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

/// Which rows below `below` a walk from the entry node meets: level by level down, along all edges.
fn reached(index: &Index, below: usize) -> Vec<bool> {
    let mut reached = vec![false; below];
    // The entry is the first node that was added on the highest level, and rows are added in order.
    let level = |row: u32| index.level_of_key(u64::from(row));
    let Some(entry) = rows_in(index, below).max_by_key(|&row| (level(row), Reverse(row))) else {
        return reached;
    };
    let mut found = vec![entry];
    reached[entry as usize] = true;
    for level in (0..=level(entry)).rev() {
        let mut at = 0;
        while let Some(&row) = found.get(at) {
            at += 1;
            for next in index.neighbors(u64::from(row), level) {
                if let Some(seen) = reached.get_mut(next as usize)
                    && !std::mem::replace(seen, true)
                {
                    found.push(next as u32);
                }
            }
        }
    }
    reached
}
