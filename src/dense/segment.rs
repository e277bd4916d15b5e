//! A segment: an HNSW graph over consecutive rows, in a folder.
//!
//! A folder `graph-N` has `graph.hnsw` (see [`hnsw`](super::hnsw)) and the envelope `graph.json`, with the segment's
//! rows and the sizes of the graph. The file is used only if its length and checksum match. A segment that is damaged,
//! or doesn't belong to the vectors next to it, is ignored and rebuilt.

use std::fs::{self, File};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memmap2::Mmap;
use serde::{Deserialize, Serialize};

use super::bits::Bits;
use super::code::CodeQuery;
use super::hnsw::{Hnsw, Shape};
use crate::error::{Error, Result};
use crate::ids::Digest;
use crate::storage::{read_envelope, remove_folder};

pub(super) const KIND: &str = "dense-graph";
pub(super) const VERSION: u32 = 5;
/// Its single graph started at the first row.
const VERSION_BEFORE: u32 = 4;
/// The graph file, and the file that describes it.
pub(super) const FILE: &str = "graph.hnsw";
pub(super) const SIDECAR: &str = "graph.json";
pub(super) const PREFIX: &str = "graph-";
pub(super) const BUILDING: &str = ".tmp-graph-";
/// How often to list the folders again because one was replaced while it was opened.
const ATTEMPTS: usize = 3;

/// The vectors and options next to a graph, which it must match to be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Basis {
    pub(super) weights: Digest,
    pub(super) dimensions: usize,
    pub(super) connectivity: usize,
    #[serde(rename = "expansion_build")]
    pub(super) ef_construction: usize,
}

/// Rows without a node because their code equals a node's: (row of the node, row), ascending.
pub(super) type Copies = Vec<(u32, u32)>;

/// The envelope `graph.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sidecar {
    pub(super) basis: Basis,
    /// The first row of the segment.
    #[serde(default)]
    pub(super) first: usize,
    /// The row after its last one.
    #[serde(rename = "rows")]
    pub(super) end: usize,
    /// Fingerprint of those rows.
    pub(super) fingerprint: u32,
    /// Number of nodes on each level, from the lowest.
    pub(super) levels: Vec<usize>,
    pub(super) copies: Copies,
    /// Rows that no search of the graph reaches. Ascending.
    pub(super) left_out: Vec<u32>,
    pub(super) file_crc: u32,
}

/// An open segment.
pub(super) struct Segment {
    hnsw: Hnsw<Mmap>,
    sidecar: Sidecar,
    folder: PathBuf,
    /// The rows that a search can find, relative to the first.
    found: Bits,
    count: usize,
}

impl std::fmt::Debug for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Segment").field("folder", &self.folder).field("rows", &self.rows()).finish()
    }
}

impl Segment {
    /// Opens a segment. `fingerprint` computes that of a range of the rows next to it.
    pub(super) fn open(
        folder: &Path,
        basis: &Basis,
        fingerprint: impl Fn(Range<usize>) -> Option<u32>,
    ) -> Result<Segment> {
        let path = folder.join(FILE);
        let mismatch = |found: String, expected: String| Error::Damaged {
            path: path.clone(),
            found,
            expected,
            remedy: "no action needed: searches are exact until the segment is rebuilt",
        };
        let sidecar =
            read_sidecar(folder)?.ok_or_else(|| mismatch("no graph.json beside it".into(), "one".into()))?;
        if sidecar.basis != *basis {
            return Err(mismatch(format!("a graph for {:?}", sidecar.basis), format!("{basis:?}")));
        }
        let actual = fingerprint(sidecar.first..sidecar.end);
        if actual != Some(sidecar.fingerprint) {
            let found = format!("a graph for rows with fingerprint {:08x}", sidecar.fingerprint);
            return Err(mismatch(found, format!("{actual:08x?}")));
        }
        let file = File::open(&path).map_err(Error::io("open", &path))?;
        // SAFETY: the file of a published segment is never written again; once unlinked it stays mapped.
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
        let found = rows_found(&hnsw, &sidecar)
            .ok_or_else(|| mismatch("rows twice or out of range".into(), "each row once".into()))?;
        let count = found.len();
        Ok(Segment { hnsw, sidecar, folder: folder.to_path_buf(), found, count })
    }

    /// The range of the segment's rows.
    pub(super) fn rows(&self) -> Range<usize> {
        self.sidecar.first..self.sidecar.end
    }

    /// Number of rows that a search can find.
    pub(super) fn found(&self) -> usize {
        self.count
    }

    /// Whether a search can find this row. If not, it must be scored exactly.
    pub(super) fn finds(&self, row: u32) -> bool {
        let at = (row as usize).checked_sub(self.sidecar.first);
        at.is_some_and(|at| self.found.contains(at))
    }

    /// Whether the row can be found, or belongs to an unreachable node.
    pub(super) fn holds(&self, row: u32) -> bool {
        self.finds(row) || self.sidecar.left_out.binary_search(&row).is_ok()
    }

    pub(super) fn sidecar(&self) -> &Sidecar {
        &self.sidecar
    }

    pub(super) fn hnsw(&self) -> &Hnsw<Mmap> {
        &self.hnsw
    }

    /// Returns the rows of the `ef` nodes nearest to the query by their codes, and their copies, nearest first, each
    /// with the product of its code. Products of different segments are comparable.
    pub(super) fn search(&self, query: &CodeQuery, ef: usize) -> Vec<(i32, u32)> {
        let found = self.hnsw.search(query, ef);
        let copies = &self.sidecar.copies;
        let mut rows = Vec::with_capacity(found.len());
        for (score, node) in found {
            rows.push((score, node));
            let from = copies.partition_point(|copy| copy.0 < node);
            let copies = copies[from..].iter().take_while(|copy| copy.0 == node);
            rows.extend(copies.map(|copy| (score, copy.1)));
        }
        rows
    }
}

fn read_sidecar(folder: &Path) -> Result<Option<Sidecar>> {
    let path = folder.join(SIDECAR);
    match read_envelope(&path, KIND, VERSION) {
        Err(Error::Version { found: VERSION_BEFORE, .. }) => read_envelope(&path, KIND, VERSION_BEFORE),
        read => read,
    }
}

/// The rows of reachable nodes and of their copies, relative to the first. `None` unless each row occurs at most once
/// and is within the segment.
fn rows_found(hnsw: &Hnsw<Mmap>, sidecar: &Sidecar) -> Option<Bits> {
    let len = sidecar.end.checked_sub(sidecar.first)?;
    let at = |row: u32| (row as usize).checked_sub(sidecar.first).filter(|&at| at < len);
    let (mut nodes, mut found) = (Bits::below(len), Bits::below(len));
    for row in hnsw.rows() {
        (nodes.insert(at(row)?) && found.insert(at(row)?)).then_some(())?;
    }
    for &(node, row) in &sidecar.copies {
        (nodes.contains(at(node)?) && found.insert(at(row)?)).then_some(())?;
    }
    sidecar.left_out.iter().filter_map(|&row| at(row)).for_each(|at| found.remove(at));
    (sidecar.copies.is_sorted() && sidecar.left_out.is_sorted()).then_some(found)
}

/// The usable segments in `dir`, in the order of their rows. If two overlap, the one with the higher number counts: it
/// has replaced the other. Segments in `known` are not opened again.
pub(super) fn open_all(
    dir: &Path,
    basis: &Basis,
    known: &[Arc<Segment>],
    fingerprint: impl Fn(Range<usize>) -> Option<u32>,
) -> Result<Vec<Arc<Segment>>> {
    for attempt in 1.. {
        let (mut segments, mut replaced): (Vec<Arc<Segment>>, bool) = (Vec::new(), false);
        for (_, folder) in numbered(dir)?.into_iter().rev() {
            let opened = match known.iter().find(|segment| segment.folder == folder) {
                Some(segment) => Ok(Arc::clone(segment)),
                None => Segment::open(&folder, basis, &fingerprint).map(Arc::new),
            };
            match opened {
                Ok(segment) if segments.iter().all(|other| !overlap(&segment.rows(), &other.rows())) => {
                    segments.push(segment);
                }
                Ok(_) => {}
                Err(_) if !folder.exists() => replaced = true,
                Err(e) => tracing::warn!(folder = %folder.display(), "ignoring a segment: {e}"),
            }
        }
        if !replaced || attempt == ATTEMPTS {
            segments.sort_by_key(|segment| segment.rows().start);
            return Ok(segments);
        }
    }
    Ok(Vec::new())
}

pub(super) fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The folders of segments in `dir`, ascending.
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

/// Copies the segments of `from` to `to`. A merge may be running: a segment that it replaces may be copied in part, so
/// its result is copied too.
pub(super) fn copy_all(from: &Path, to: &Path) -> Result<()> {
    let mut copied = Vec::new();
    loop {
        let mut folders = numbered(from)?;
        folders.retain(|folder| !copied.contains(folder));
        if folders.is_empty() {
            return Ok(());
        }
        for (_, folder) in &folders {
            copy(folder, to)?;
        }
        copied.extend(folders);
    }
}

fn copy(folder: &Path, dir: &Path) -> Result<()> {
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

/// Removes all segments except `keep`, and unfinished ones if requested. What can't be removed now is removed next
/// time.
pub(super) fn tidy(dir: &Path, keep: &[Arc<Segment>], unfinished: bool) -> Result<()> {
    let mut old: Vec<PathBuf> = numbered(dir)?.into_iter().map(|(_, folder)| folder).collect();
    if unfinished {
        for entry in fs::read_dir(dir).map_err(Error::io("list", dir))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(BUILDING) {
                old.push(entry.path());
            }
        }
    }
    for folder in old.iter().filter(|folder| keep.iter().all(|segment| segment.folder != **folder)) {
        if let Err(e) = remove_folder(folder) {
            tracing::warn!("could not remove an old segment: {e}");
        }
    }
    Ok(())
}
