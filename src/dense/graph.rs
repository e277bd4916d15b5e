//! The proximity graph over a prefix of the rows, in a folder.
//!
//! A folder `graph-N` holds `graph.hnsw` ([`hnsw`](super::hnsw) says what is in it) and the envelope `graph.json`, which says what the graph
//! covers and its sizes. The file is read only when its length and checksum are as written; a graph that is damaged, or does
//! not belong to the vectors beside it, is passed over and built anew.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use serde::{Deserialize, Serialize};

use super::code::Sought;
use super::hnsw::{Hnsw, Shape};
use super::vectors::Query;
use crate::error::{Error, Result};
use crate::ids::Digest;
use crate::storage::{read_envelope, remove_folder};

pub(super) const KIND: &str = "dense-graph";
pub(super) const VERSION: u32 = 4;
/// The graph itself, and what says which it is.
pub(super) const FILE: &str = "graph.hnsw";
pub(super) const SIDECAR: &str = "graph.json";
pub(super) const PREFIX: &str = "graph-";
pub(super) const BUILDING: &str = ".tmp-graph-";

/// What a graph must match to be used: the vectors and options beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Basis {
    pub(super) weights: Digest,
    pub(super) dimensions: usize,
    pub(super) connectivity: usize,
    pub(super) expansion_build: usize,
}

/// Rows that are not nodes because their code equals that of one: (row of the node, row), ascending.
pub(super) type Copies = Vec<(u32, u32)>;

/// The envelope `graph.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sidecar {
    pub(super) basis: Basis,
    /// The graph is about rows below this one.
    pub(super) rows: usize,
    /// Fingerprint of those rows.
    pub(super) fingerprint: u32,
    /// How many nodes are on each level, from the lowest.
    pub(super) levels: Vec<usize>,
    pub(super) copies: Copies,
    /// The other rows below `rows` that no walk through the graph finds. Ascending.
    pub(super) left_out: Vec<u32>,
    pub(super) file_crc: u32,
}

/// An open graph.
pub(super) struct Graph {
    hnsw: Hnsw<Mmap>,
    sidecar: Sidecar,
    folder: PathBuf,
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Graph").field("folder", &self.folder).field("rows", &self.sidecar.rows).finish()
    }
}

impl Graph {
    /// The newest usable graph in `dir`.
    pub(super) fn newest(
        dir: &Path,
        basis: &Basis,
        fingerprint: impl Fn(usize) -> Option<u32>,
    ) -> Result<Option<Graph>> {
        for (_, folder) in numbered(dir)?.into_iter().rev() {
            match Graph::open(&folder, basis, &fingerprint) {
                Ok(graph) => return Ok(Some(graph)),
                Err(e) => tracing::warn!(folder = %folder.display(), "passing over a graph: {e}"),
            }
        }
        Ok(None)
    }

    pub(super) fn open(
        folder: &Path,
        basis: &Basis,
        fingerprint: impl Fn(usize) -> Option<u32>,
    ) -> Result<Graph> {
        let path = folder.join(FILE);
        let mismatch = |found: String, expected: String| Error::Damaged {
            path: path.clone(),
            found,
            expected,
            remedy: "nothing need be done: searches are exact until the graph is built anew",
        };
        let sidecar: Sidecar = read_envelope(&folder.join(SIDECAR), KIND, VERSION)?
            .ok_or_else(|| mismatch("no graph.json beside it".into(), "one".into()))?;
        if sidecar.basis != *basis {
            return Err(mismatch(format!("a graph for {:?}", sidecar.basis), format!("{basis:?}")));
        }
        let actual = fingerprint(sidecar.rows);
        if actual != Some(sidecar.fingerprint) {
            let found = format!("a graph for rows with fingerprint {:08x}", sidecar.fingerprint);
            return Err(mismatch(found, format!("{actual:08x?}")));
        }
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        // SAFETY: a published graph is never written again; an unlinked one stays mapped.
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io("map", &path))?;
        let shape = Shape {
            dimensions: basis.dimensions,
            connectivity: basis.connectivity,
            levels: sidecar.levels.clone(),
        };
        let len = map.len();
        let hnsw = Hnsw::new(map, shape).ok_or_else(|| {
            mismatch(format!("{len} bytes"), format!("a graph of {:?} nodes", sidecar.levels))
        })?;
        let crc = crc32fast::hash(&hnsw.bytes);
        if crc != sidecar.file_crc {
            return Err(mismatch(format!("checksum {crc:08x}"), format!("{:08x}", sidecar.file_crc)));
        }
        if !is_sound(&hnsw, &sidecar) {
            return Err(mismatch("rows twice or that there are not".into(), "each row once".into()));
        }
        Ok(Graph { hnsw, sidecar, folder: folder.to_path_buf() })
    }

    /// The graph is about rows below this one.
    pub(super) fn rows(&self) -> usize {
        self.sidecar.rows
    }

    /// Rows that searches can find: nodes and their copies.
    pub(super) fn covered(&self) -> usize {
        self.hnsw.shape().nodes() + self.sidecar.copies.len()
    }

    /// Whether a search can find this row; if not, it must be scored exactly.
    pub(super) fn covers(&self, row: u32) -> bool {
        (row as usize) < self.sidecar.rows && self.sidecar.left_out.binary_search(&row).is_err()
    }

    pub(super) fn sidecar(&self) -> &Sidecar {
        &self.sidecar
    }

    pub(super) fn hnsw(&self) -> &Hnsw<Mmap> {
        &self.hnsw
    }

    /// About `count` rows nearest to the query by their codes, the nearest first, and their copies. With each the place of its code
    /// among those found, which copies share.
    pub(super) fn search(&self, query: &Query, count: usize) -> Vec<(usize, u32)> {
        let found = self.hnsw.nearest(&Sought::vector(query.unit()), count);
        let copies = &self.sidecar.copies;
        let mut rows = Vec::with_capacity(found.len());
        for (place, node) in found.into_iter().enumerate() {
            rows.push((place, node));
            let from = copies.partition_point(|copy| copy.0 < node);
            let copies = copies[from..].iter().take_while(|copy| copy.0 == node);
            rows.extend(copies.map(|copy| (place, copy.1)));
        }
        rows
    }
}

/// Whether each row below `rows` is a node, or a copy of one, at most once, and nothing else is.
fn is_sound(hnsw: &Hnsw<Mmap>, sidecar: &Sidecar) -> bool {
    let (mut nodes, mut copies) = (vec![false; sidecar.rows], vec![false; sidecar.rows]);
    let new = |seen: Option<&mut bool>| seen.is_some_and(|seen| !std::mem::replace(seen, true));
    hnsw.rows().all(|row| new(nodes.get_mut(row as usize)))
        && sidecar.copies.iter().all(|&(node, row)| {
            let of = (nodes.get(node as usize), nodes.get(row as usize));
            of == (Some(&true), Some(&false)) && new(copies.get_mut(row as usize))
        })
        && sidecar.copies.is_sorted()
        && sidecar.left_out.is_sorted()
}

/// The graph folders in `dir`, ascending.
pub(super) fn numbered(dir: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::io("list", dir))? {
        let entry = entry.map_err(Error::io("list", dir))?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|n| n.parse().ok());
        folders.extend(number.map(|number| (number, entry.path())));
    }
    folders.sort();
    Ok(folders)
}

/// Copies a graph's folder into `dir`. One that is removed meanwhile leaves a copy that is not whole.
pub(super) fn copy_graph(folder: &Path, dir: &Path) -> Result<()> {
    let to = dir.join(folder.file_name().unwrap_or_default());
    fs::create_dir_all(&to).map_err(Error::io("create", &to))?;
    for name in [FILE, SIDECAR] {
        match fs::copy(folder.join(name), to.join(name)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("copy", &folder.join(name))(e));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Removes unfinished graphs and all graphs but `keep`. What cannot be removed now goes the next time.
pub(super) fn tidy(dir: &Path, keep: Option<&Graph>, unfinished: bool) -> Result<()> {
    let mut old: Vec<PathBuf> = numbered(dir)?.into_iter().map(|(_, folder)| folder).collect();
    if unfinished {
        for entry in fs::read_dir(dir).map_err(Error::io("list", dir))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(BUILDING) {
                old.push(entry.path());
            }
        }
    }
    for folder in old.iter().filter(|folder| keep.is_none_or(|graph| graph.folder != **folder)) {
        if let Err(e) = remove_folder(folder) {
            tracing::warn!("could not remove an old graph: {e}");
        }
    }
    Ok(())
}
