//! Building a graph over the rows of an index, and publishing it.
//!
//! Equal codes would become each other's only neighbours, so that a walk could not leave them or never met them: one of them becomes a
//! node, and the others are listed as its copies. What no walk reaches even so is looked for at the end and listed, and
//! searches score it exactly.

use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::code::code;
use super::graph::{BUILDING, Basis, Copies, FILE, Graph, KIND, PREFIX, SIDECAR, Sidecar, VERSION, numbered};
use super::grow::Growing;
use super::hnsw::Hnsw;
use super::vectors::Rows;
use crate::error::{Error, Result};
use crate::storage::{publish_folder, remove_folder, write_envelope};

/// While codes are compared, it is asked every so many rows whether to go on.
const STEP: usize = 4096;

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
        let (hnsw, mut copies) = self.add_rows(progress)?;
        let left_out = self.left_out(&hnsw, &mut copies);
        let path = building.join(FILE);
        fs::write(&path, &hnsw.bytes).map_err(Error::io("write", &path))?;
        let sidecar = Sidecar {
            basis: self.basis.clone(),
            rows: self.rows.count(),
            fingerprint: self.fingerprint,
            levels: hnsw.shape().levels.clone(),
            copies,
            left_out,
            file_crc: crc32fast::hash(&hnsw.bytes),
        };
        drop(hnsw);
        write_envelope(&building.join(SIDECAR), KIND, VERSION, &sidecar)?;
        let next = numbered(&self.dir)?.last().map_or(1, |(number, _)| number + 1);
        let folder = self.dir.join(format!("{PREFIX}{next:06}"));
        publish_folder(building, &folder)?;
        let graph = Graph::open(&folder, &self.basis, |_| Some(self.fingerprint));
        if graph.is_err() {
            remove_folder(&folder)?;
        }
        graph.map(BuiltGraph)
    }

    /// The graph with a node for every distinct code, and the copies.
    fn add_rows(
        &self,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<(Hnsw<Vec<u8>>, Copies)> {
        let (mut nodes, mut copies) = (Nodes::new(&self.rows), Copies::new());
        let mut fresh = &self.current[..];
        if let Some(base) = &self.base {
            fresh = &fresh[fresh.partition_point(|&row| (row as usize) < base.rows())..];
        }
        let all = fresh.len();
        let mut going_on = |done| match progress(done, all) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled { doing: "building the vector graph" }),
        };
        going_on(0)?;
        let base = self.base.as_ref().map(|base| base.hnsw());
        if let Some(graph) = &self.base {
            copies.clone_from(&graph.sidecar().copies);
            for (node, row) in (0..).zip(graph.hnsw().rows()) {
                nodes.original(row, graph.hnsw().code(node));
            }
        }
        let mut distinct = Vec::new();
        for (at, &row) in fresh.iter().enumerate() {
            if at % STEP == 0 {
                going_on(0)?;
            }
            match nodes.original(row, &nodes.code(row)) {
                Some(node) => copies.push((node, row)),
                None => distinct.push(row),
            }
        }
        copies.sort_unstable();
        let Basis { dimensions, connectivity, expansion_build, .. } = self.basis;
        let sizes = (dimensions, connectivity, expansion_build);
        let mut growing = Growing::new(base, &distinct, sizes, |row| nodes.code(row)).ok_or_else(|| {
            Error::invalid("the number of vectors for a graph", self.current.len(), "fewer than four billion")
        })?;
        growing.grow(|done| going_on(all - distinct.len() + done))?;
        going_on(all)?;
        Ok((growing.into_graph(), copies))
    }

    /// The rows that a search cannot find: those that are neither nodes nor copies, and those that a walk from the
    /// first node does not reach, with their copies.
    fn left_out(&self, hnsw: &Hnsw<Vec<u8>>, copies: &mut Copies) -> Vec<u32> {
        let mut found = vec![false; self.rows.count()];
        for (row, _) in hnsw.rows().zip(hnsw.reached()).filter(|(_, reached)| *reached) {
            found[row as usize] = true;
        }
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

    fn code(&self, row: u32) -> Vec<u8> {
        code(&self.rows.vector(row))
    }

    /// The row of the node with the very code of `row`; when there is none, `row` becomes one.
    fn original(&mut self, row: u32, code: &[u8]) -> Option<u32> {
        let node = *self.by_hash.entry(self.hasher.hash_one(code)).or_insert(row);
        (node != row && self.code(node) == code).then_some(node)
    }
}
