//! The dense index, opened by its one writer or by a reader.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::directory::Directory;
use super::exact;
use super::live::{self, Live, LiveRows};
use super::merge::{Merge, Merged, Progress, fingerprint};
use super::options::DenseOptions;
use super::segment::{self, Basis, Segment};
use super::vectors::{Layout, REMEDY, Scanned, VectorFile};
use super::view::{DenseView, Inner, check_ascending};
use crate::error::{Error, Result};
use crate::ids::{ChunkId, Digest};
use crate::storage::{read_envelope, sync_folder, write_envelope};

const KIND: &str = "dense";
const VERSION: u32 = 1;
/// With fewer dimensions there are too few distinct codes to tell near from nearest.
const LEAST_DIMENSIONS: usize = 8;

/// The vectors of one encoder, in one folder. Searches run on a [`DenseView`].
#[derive(Debug)]
pub(crate) struct DenseIndex {
    dir: PathBuf,
    weights: Digest,
    options: DenseOptions,
    vectors: VectorFile,
    directory: Directory,
    damaged: Vec<u32>,
    /// In the order of their rows.
    segments: Vec<Arc<Segment>>,
    live: Arc<Live>,
    /// No merge starts while there are fewer rows.
    merge_again_at: usize,
    writable: bool,
}

impl DenseIndex {
    /// Creates an empty index in `dir`, for vectors of the encoder with `weights`. Creates the folder if necessary.
    ///
    /// # Errors
    /// [`Error::Invalid`] if options or dimensions are out of range, or `dir` already has an index.
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

    /// Copies the index in `from` to the new folder `to`, rows and segments, and opens the copy for writing. A writer
    /// may append to `from` or merge its segments meanwhile: a partly copied row is cut off, and a partly copied
    /// segment is ignored.
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
        // Segments first: their rows are in the file before they are.
        segment::copy_all(from, to)?;
        let vectors = vectors_path(from);
        fs::copy(&vectors, vectors_path(to)).map_err(Error::io("copy", &vectors))?;
        DenseIndex::open(to, weights)
    }

    /// Rewrites the options of an index, as it was created with them.
    pub(crate) fn renew_options(dir: &Path, options: &DenseOptions) -> Result<()> {
        write_envelope(&options_path(dir), KIND, VERSION, options)
    }

    /// Opens the index for its one writer; the caller holds the writer's lock. Checks every row, cuts off a torn write
    /// at the end and removes leftovers of merges.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none; [`Error::Invalid`] if the vectors were made with other weights;
    /// [`Error::Damaged`] if a header or the options are damaged. Damaged rows and graphs are not errors.
    pub(crate) fn open(dir: &Path, weights: Digest) -> Result<DenseIndex> {
        DenseIndex::open_as(dir, weights, true)
    }

    /// Opens the index read-only, without ever changing the folder.
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
            segments: Vec::new(),
            live: Arc::default(),
            merge_again_at: 0,
            writable,
        };
        index.take_up(&scanned);
        index.find_segments()?;
        // Here, not in the first long search, which may be part of a background round.
        exact::pool();
        if writable {
            segment::tidy(dir, &index.segments, true)?;
        }
        Ok(index)
    }

    fn take_up(&mut self, scanned: &[Scanned]) {
        self.directory.extend(scanned.iter().filter_map(|row| Some((row.chunk?, row.row))));
        self.damaged.extend(scanned.iter().filter(|row| row.chunk.is_none()).map(|row| row.row));
    }

    fn find_segments(&mut self) -> Result<()> {
        let fingerprint = |rows: Range<usize>| self.vectors.checksums().get(rows).map(fingerprint);
        self.segments = segment::open_all(&self.dir, &self.basis(), &self.segments, fingerprint)?;
        Ok(())
    }

    fn basis(&self) -> Basis {
        Basis {
            weights: self.weights,
            dimensions: self.dimensions(),
            connectivity: self.options.connectivity,
            ef_construction: self.options.ef_construction,
        }
    }

    /// Picks up what the writer, in this process or another, has added since: rows and segments. Existing views do not
    /// change.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        let scanned = self.vectors.extend()?;
        self.take_up(&scanned);
        self.find_segments()
    }

    /// Appends vectors of any length except zero; they are stored with length 1, rounded to bf16. If a chunk already
    /// has a vector, the new one replaces it. Durable only after [`sync`](DenseIndex::sync).
    ///
    /// # Errors
    /// [`Error::Invalid`], with nothing written, for wrong dimensions, NaN, infinities or a zero vector;
    /// [`Error::ReadOnly`]; [`Error::Io`], after which the index may have the first few of the vectors.
    pub(crate) fn append(&mut self, rows: &[(ChunkId, &[f32])]) -> Result<()> {
        if self.writable {
            // Leftovers of a failed append: a reader may have them, so they are not overwritten.
            let scanned = self.vectors.extend()?;
            self.take_up(&scanned);
        }
        let appended = self.vectors.append(rows)?;
        self.directory.extend(appended);
        Ok(())
    }

    /// Makes everything appended so far durable.
    pub(crate) fn sync(&self) -> Result<()> {
        self.vectors.sync()
    }

    /// The current vectors of those `live` chunks (ascending) that have one.
    pub(crate) fn view(&self, live: &[ChunkId]) -> Result<DenseView> {
        check_ascending("the list of live chunks", live)?;
        let found = self.directory.look_up(live);
        Ok(DenseView::new(Inner {
            rows: self.vectors.rows(),
            segments: self.segments.clone(),
            live: Arc::clone(&self.live),
            options: self.options.clone(),
            chunks: found.chunks,
            row_of: found.rows,
            missing: found.missing,
            coverage: OnceLock::new(),
        }))
    }

    /// Whether there may be something to merge or to add to the live part. `view` is the newest view. Cheap.
    pub(crate) fn wants_upkeep(&self, view: &DenseView) -> bool {
        let found: usize = self.segments.iter().map(|segment| segment.found()).sum();
        let dead = (found + self.behind_segments().len()).saturating_sub(view.len());
        self.writable
            && self.dimensions() >= LEAST_DIMENSIONS
            && (self.behind_segments().len() > self.options.exact_below
                || self.segments.iter().any(|segment| 2 * dead > segment.found()))
    }

    /// The input of a background merge. `view` is the newest view: rows that it lacks are dead.
    pub(crate) fn merge(&self, view: &DenseView) -> Result<Merge> {
        self.merge_from(view, self.options.rows_of_a_segment())
    }

    /// As [`merge`](DenseIndex::merge), but leaves fewer rows outside segments.
    pub(crate) fn merge_now(&self, view: &DenseView) -> Result<Merge> {
        self.merge_from(view, self.options.exact_below)
    }

    fn merge_from(&self, view: &DenseView, least: usize) -> Result<Merge> {
        if !self.writable {
            return Err(Error::ReadOnly { doing: "merge the vector graphs", path: self.dir.clone() });
        }
        Ok(Merge {
            dir: self.dir.clone(),
            rows: self.vectors.rows(),
            checksums: self.vectors.checksums().to_vec(),
            basis: self.basis(),
            segments: self.segments.clone(),
            view: view.clone(),
            least,
            waits: self.dimensions() < LEAST_DIMENSIONS || self.vectors.count() < self.merge_again_at,
        })
    }

    /// Uses the result of a merge for all later views, and removes the segments that it replaces. Ignores a merge of
    /// another index.
    pub(crate) fn install(&mut self, merged: Merged) -> Result<()> {
        if merged.dir != self.dir {
            return Ok(());
        }
        self.segments.retain(|segment| !segment::overlap(&segment.rows(), &merged.rows));
        self.segments.extend(merged.segment.map(Arc::new));
        self.segments.sort_by_key(|segment| segment.rows().start);
        if self.behind_segments().len() <= self.options.exact_below {
            self.live.clear();
        }
        segment::tidy(&self.dir, &self.segments, false)
    }

    /// Records that a merge has failed: the next one waits for `exact_below` more rows.
    pub(crate) fn merge_failed(&mut self) {
        self.merge_again_at = self.vectors.count().saturating_add(self.options.exact_below).saturating_add(1);
    }

    /// Does all merges that are due, until at most `exact_below` rows are outside segments. A failed merge is logged:
    /// searches are correct without it. `progress` gets the number of rows added and the total, and may cancel.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when `progress` breaks.
    pub(crate) fn merge_all(&mut self, view: &DenseView, progress: &mut Progress<'_>) -> Result<()> {
        loop {
            let merged = self.merge_now(view)?.run(progress);
            match merged.and_then(|merged| merged.map(|merged| self.install(merged)).transpose()) {
                Ok(Some(())) => {}
                Ok(None) => return Ok(()),
                Err(error @ Error::Cancelled { .. }) => return Err(error),
                Err(error) => {
                    tracing::error!(%error, "searches stay exact");
                    self.merge_failed();
                    return Ok(());
                }
            }
        }
    }

    /// The rows after the segments, to be added to the live part. `None` if there are so few that a search scores them
    /// exactly.
    pub(crate) fn live_rows(&self) -> Option<LiveRows> {
        let behind = self.behind_segments();
        if !self.writable
            || self.dimensions() < LEAST_DIMENSIONS
            || behind.len() <= self.options.exact_below.max(live::STEP)
        {
            return None;
        }
        let mut current = self.directory.rows();
        let first = behind.start as u32;
        current.drain(..current.partition_point(|&row| row < first));
        Some(LiveRows {
            live: Arc::clone(&self.live),
            dir: self.dir.clone(),
            rows: self.vectors.rows(),
            first,
            current,
            connectivity: self.options.connectivity,
            ef_construction: self.options.ef_construction,
        })
    }

    fn behind_segments(&self) -> Range<usize> {
        self.segments.last().map_or(0, |segment| segment.rows().end)..self.vectors.count()
    }

    /// Dimensions of a vector.
    pub(crate) fn dimensions(&self) -> usize {
        self.vectors.layout().dimensions
    }

    /// The options that the index was created with.
    pub(crate) fn options(&self) -> &DenseOptions {
        &self.options
    }

    /// Numbers of the rows with a bad checksum. Their chunks are unknown: those that are alive and have no other row
    /// are in [`DenseView::missing`].
    #[cfg(test)]
    pub(crate) fn damaged_rows(&self) -> &[u32] {
        &self.damaged
    }

    /// The largest chunk id among the valid rows, live or not.
    pub(crate) fn highest_chunk(&self) -> Option<ChunkId> {
        self.directory.highest()
    }

    /// Number of rows in the file, including damaged and outdated ones.
    #[cfg(test)]
    pub(crate) fn rows(&self) -> usize {
        self.vectors.count()
    }

    #[cfg(test)]
    pub(super) fn leave_room(&mut self, bytes: Option<usize>) {
        self.vectors.leave_room(bytes);
    }

    #[cfg(test)]
    pub(super) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }
}

fn vectors_path(dir: &Path) -> PathBuf {
    dir.join("vectors.bin")
}

fn options_path(dir: &Path) -> PathBuf {
    dir.join("dense.json")
}
