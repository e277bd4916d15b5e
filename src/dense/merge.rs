//! Merging: rows outside segments, and segments that are small or mostly dead, become one segment.
//!
//! Nodes with equal codes would become each other's only neighbours, and searches would get stuck among them. So only
//! one of them becomes a node, and the others are listed as its copies. Unreachable nodes are found at the end and
//! listed; searches score them exactly.

use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::code::code;
use super::grow::{Growing, Parameters};
use super::hnsw::Hnsw;
use super::segment::{
    BUILDING, Basis, Copies, FILE, KIND, PREFIX, SIDECAR, Segment, Sidecar, VERSION, numbered,
};
use super::tiers::{self, Part};
use super::vectors::Rows;
use super::view::DenseView;
use crate::error::{Error, Result};
use crate::storage::{publish_folder, remove_folder, write_envelope};

/// Rows between two calls of `progress` while codes are compared.
const STEP: usize = 4096;

/// Gets the number of rows added and the total, and may cancel.
pub(crate) type Progress<'a> = dyn FnMut(usize, usize) -> ControlFlow<()> + 'a;

/// A snapshot of an index that can plan and do the next merge while the index is searched and appended to.
#[derive(Debug)]
pub(crate) struct Merge {
    pub(super) dir: PathBuf,
    pub(super) rows: Arc<Rows>,
    /// Checksums of the rows.
    pub(super) checksums: Vec<u32>,
    pub(super) basis: Basis,
    /// In the order of their rows.
    pub(super) segments: Vec<Arc<Segment>>,
    /// The newest view: rows that it lacks are dead.
    pub(super) view: DenseView,
    /// Number of rows that may stay outside segments.
    pub(super) least: usize,
    /// Nothing is merged now.
    pub(super) waits: bool,
}

/// A finished and published merge, for [`super::DenseIndex::install`].
#[derive(Debug)]
pub(crate) struct Merged {
    pub(super) dir: PathBuf,
    /// The rows of the merge.
    pub(super) rows: Range<usize>,
    /// `None` if none of them was alive.
    pub(super) segment: Option<Segment>,
}

/// A segment to build.
struct Job<'a> {
    merge: &'a Merge,
    rows: Range<usize>,
    /// The rows that it will find, ascending.
    live: &'a [u32],
    /// The segment whose graph is extended.
    base: Option<&'a Segment>,
}

impl Merge {
    /// Does the next merge that is due and publishes its segment; `None` if none is due.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `progress` breaks. After any error, nothing has changed.
    pub(crate) fn run(&self, progress: &mut Progress<'_>) -> Result<Option<Merged>> {
        if self.waits {
            return Ok(None);
        }
        let live = self.view.rows();
        let Some(job) = self.next(&live) else { return Ok(None) };
        let rows = job.rows.clone();
        let segment = match job.live.is_empty() {
            true => None,
            false => Some(job.build(progress)?),
        };
        Ok(Some(Merged { dir: self.dir.clone(), rows, segment }))
    }

    fn next<'a>(&'a self, live: &'a [u32]) -> Option<Job<'a>> {
        let live_in = |rows: Range<usize>| {
            let place = |row: usize| live.partition_point(|&live| (live as usize) < row);
            &live[place(rows.start)..place(rows.end)]
        };
        let (mut parts, mut ranges, mut end) = (Vec::new(), Vec::new(), 0);
        for segment in &self.segments {
            let rows = segment.rows();
            ranges.extend([end..rows.start, rows.clone()]);
            parts.push(Part { found: 0, alive: live_in(end..rows.start).len() });
            let alive = live_in(rows.clone()).iter().filter(|&&row| segment.finds(row)).count();
            parts.push(Part { found: segment.found(), alive });
            end = rows.end;
        }
        ranges.push(end..self.rows.count());
        parts.push(Part { found: 0, alive: live_in(end..self.rows.count()).len() });
        let merged = tiers::next(&parts, self.least)?;
        let rows = ranges[merged.start].start..ranges[merged.end - 1].end;
        let alive = |segment: &Segment| {
            let place = ranges.iter().position(|range| *range == segment.rows())?;
            merged.contains(&place).then(|| parts[place].alive)
        };
        // A graph with a quarter of its rows dead is not worth keeping.
        let sound = self.segments.iter().filter_map(|segment| Some((alive(segment)?, segment)));
        let base = sound.filter(|(alive, segment)| 4 * alive >= 3 * segment.found());
        let base = base.max_by_key(|(alive, _)| *alive).map(|(_, segment)| &**segment);
        Some(Job { merge: self, live: live_in(rows.clone()), rows, base })
    }
}

impl Job<'_> {
    fn build(&self, progress: &mut Progress<'_>) -> Result<Segment> {
        let building = self.merge.dir.join(format!("{BUILDING}{:016x}", rand::random::<u64>()));
        fs::create_dir(&building).map_err(Error::io("create", &building))?;
        let built = self.build_in(&building, progress);
        if built.is_err()
            && let Err(e) = remove_folder(&building)
        {
            tracing::warn!("could not remove an unfinished segment: {e}");
        }
        built
    }

    fn build_in(&self, building: &Path, progress: &mut Progress<'_>) -> Result<Segment> {
        let Merge { dir, checksums, basis, .. } = self.merge;
        let (hnsw, mut copies) = self.add_rows(progress)?;
        let left_out = left_out(&hnsw, &mut copies);
        let path = building.join(FILE);
        fs::write(&path, &hnsw.bytes).map_err(Error::io("write", &path))?;
        let fingerprint = fingerprint(&checksums[self.rows.clone()]);
        let sidecar = Sidecar {
            basis: basis.clone(),
            first: self.rows.start,
            end: self.rows.end,
            fingerprint,
            levels: hnsw.shape().levels.clone(),
            copies,
            left_out,
            file_crc: crc32fast::hash(&hnsw.bytes),
        };
        drop(hnsw);
        write_envelope(&building.join(SIDECAR), KIND, VERSION, &sidecar)?;
        let next = numbered(dir)?.last().map_or(1, |(number, _)| number + 1);
        let folder = dir.join(format!("{PREFIX}{next:06}"));
        publish_folder(building, &folder)?;
        let segment = Segment::open(&folder, basis, |_| Some(fingerprint));
        if segment.is_err() {
            remove_folder(&folder)?;
        }
        segment
    }

    /// Builds the graph with a node for every distinct code, and lists the copies.
    fn add_rows(&self, progress: &mut Progress<'_>) -> Result<(Hnsw<Vec<u8>>, Copies)> {
        let mut nodes = Nodes::new(&self.merge.rows);
        let mut copies = Copies::new();
        let is_fresh = |row: &u32| self.base.is_none_or(|base| !base.holds(*row));
        let fresh: Vec<u32> = self.live.iter().copied().filter(is_fresh).collect();
        let all = fresh.len();
        let mut going_on = |done| match progress(done, all) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled { doing: "merging the vector graphs" }),
        };
        going_on(0)?;
        if let Some(base) = self.base {
            copies.clone_from(&base.sidecar().copies);
            for (node, row) in (0..).zip(base.hnsw().rows()) {
                nodes.original(row, base.hnsw().code(node));
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
        let &Basis { dimensions, connectivity, ef_construction, .. } = &self.merge.basis;
        let parameters = Parameters { dimensions, connectivity, ef_construction };
        let base = self.base.map(Segment::hnsw);
        let mut growing =
            Growing::new(base, &distinct, parameters, |row| nodes.code(row)).ok_or_else(|| {
                let expected = "fewer than four billion";
                Error::invalid("the number of vectors for a graph", self.live.len(), expected)
            })?;
        growing.grow(|done| going_on(all - distinct.len() + done))?;
        going_on(all)?;
        Ok((growing.into_graph(), copies))
    }
}

/// The rows of unreachable nodes. Their copies no longer count as copies.
fn left_out(hnsw: &Hnsw<Vec<u8>>, copies: &mut Copies) -> Vec<u32> {
    let reached = hnsw.reached();
    let lost = hnsw.rows().enumerate().filter(|&(node, _)| !reached.contains(node));
    let mut lost: Vec<u32> = lost.map(|(_, row)| row).collect();
    lost.sort_unstable();
    copies.retain(|(node, _)| lost.binary_search(node).is_err());
    lost
}

/// Fingerprint of rows with these checksums.
pub(super) fn fingerprint(checksums: &[u32]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    checksums.iter().for_each(|crc| hasher.update(&crc.to_le_bytes()));
    hasher.finalize()
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

    /// The row of the node with the same code as `row`. If there is none, `row` becomes a node.
    fn original(&mut self, row: u32, code: &[u8]) -> Option<u32> {
        let node = *self.by_hash.entry(self.hasher.hash_one(code)).or_insert(row);
        (node != row && self.code(node) == code).then_some(node)
    }
}
