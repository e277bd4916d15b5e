//! `vectors.bin`: the vectors, append-only and memory-mapped.
//!
//! | bytes | content |
//! |---|---|
//! | 0..32 | [`FileHeader`]: magic `RETUNEVC`, version 1, dimensions as u32 and twelve zero bytes |
//! | 32..64 | SHA-256 of the weights that made the vectors |
//! | 64..124 | zero |
//! | 124..128 | CRC-32 (IEEE) of bytes 0..124 |
//! | 128.. | rows of equal length |
//!
//! | bytes of a row | content |
//! |---|---|
//! | 0..8 | chunk id, u64 |
//! | 8..12 | CRC-32 (IEEE) of the row without these four bytes |
//! | 12..16 | scale, f32: one over the length of the vector as rounded to bf16 |
//! | 16.. | elements, bf16, padded with zeros to a multiple of 8 |
//!
//! All little endian. A whole row is never rewritten or cut off, because a reader may already use it: whole rows of a
//! failed append stay, and the next append continues after them. An incomplete row at the end is a torn write: readers
//! ignore it, and the writer overwrites it, or cuts it off when it opens the file. A whole row with a bad checksum
//! stays where it is and is listed.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use half::bf16;
use memmap2::{Mmap, MmapOptions};

use super::kernel::{self, Kernel, LANES, widen};
use super::unit::{length, unit};
use crate::error::{Error, Result};
use crate::ids::{ChunkId, Digest};
use crate::storage::{FileHeader, HEADER_LEN, sync_file, write_atomic};

/// The remedy for a damaged file: opening the index for writing replaces it.
pub(super) const REMEDY: &str =
    "open the index for writing, as `retune index` does: the vectors are made anew from their texts";
const MAGIC: [u8; 8] = *b"RETUNEVC";
const VERSION: u32 = 1;
/// Where the rows start: a multiple of 16, so that every row is aligned for the kernels.
const START: usize = 128;
const ROW_HEAD: usize = 16;
/// Rows are encoded and written in pieces of about this many bytes.
const PIECE: usize = 4 << 20;
/// More dimensions than any encoder has. Limits what a header can make us allocate.
pub(super) const MAX_DIMENSIONS: usize = 1 << 16;

/// The shape of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) dimensions: usize,
    lanes: usize,
    row_len: usize,
}

impl Layout {
    pub(super) fn new(dimensions: usize) -> Result<Layout> {
        if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
            let expected = format!("1 to {MAX_DIMENSIONS}");
            return Err(Error::invalid("the number of dimensions", dimensions, expected));
        }
        let lanes = dimensions.next_multiple_of(LANES);
        Ok(Layout { dimensions, lanes, row_len: ROW_HEAD + 2 * lanes })
    }

    fn offset(&self, row: usize) -> u64 {
        START as u64 + row as u64 * self.row_len as u64
    }

    /// Prepares a query for the kernels: length 1, padded.
    pub(super) fn query(&self, vector: &[f32]) -> Result<Query> {
        let mut elements = unit("the query vector", vector, self.dimensions)?;
        elements.resize(self.lanes, 0.0);
        Ok(Query { elements, dimensions: self.dimensions })
    }

    fn encode(&self, out: &mut Vec<u8>, chunk: ChunkId, unit: &[f32]) {
        let start = out.len();
        let (rounded, scale) = rounded(unit);
        out.extend_from_slice(&chunk.0.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&scale.to_le_bytes());
        rounded.iter().for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
        out.resize(start + self.row_len, 0);
        let crc = row_checksum(&out[start..]);
        out[start + 8..start + 12].copy_from_slice(&crc.to_le_bytes());
    }
}

/// The elements of a row, and its scale.
fn rounded(unit: &[f32]) -> (Vec<bf16>, f32) {
    let rounded: Vec<bf16> = unit.iter().map(|&value| bf16::from_f32(value)).collect();
    let scale = (1.0 / length(rounded.iter().map(|value| value.to_f32()))) as f32;
    (rounded, scale)
}

/// A vector as an index gives it back that has it.
///
/// # Errors
/// [`Error::Invalid`] for NaN, infinities or a zero vector.
#[cfg(feature = "opensearch")]
pub(crate) fn as_stored(vector: &[f32]) -> Result<Vec<f32>> {
    let (rounded, scale) = rounded(&unit("the vector", vector, vector.len())?);
    Ok(rounded.iter().map(|value| value.to_f32() * scale).collect())
}

fn row_checksum(row: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&row[..8]);
    hasher.update(&row[12..]);
    hasher.finalize()
}

fn le_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn chunk_of(row: &[u8]) -> ChunkId {
    ChunkId(u64::from(le_u32(row)) | u64::from(le_u32(&row[4..])) << 32)
}

/// A checked query vector of length 1, padded to whole lanes.
#[derive(Debug)]
pub(super) struct Query {
    elements: Vec<f32>,
    dimensions: usize,
}

impl Query {
    /// Without the padding.
    pub(super) fn unit(&self) -> &[f32] {
        &self.elements[..self.dimensions]
    }
}

/// The rows of a file at some moment, mapped. Later appends do not change them.
#[derive(Debug)]
pub(super) struct Rows {
    map: Mmap,
    layout: Layout,
    count: usize,
    kernel: Kernel,
}

impl Rows {
    fn map(file: &File, path: &Path, layout: Layout, count: usize) -> Result<Arc<Rows>> {
        let len = usize::try_from(layout.offset(count)).map_err(|_| {
            Error::invalid("the number of vectors", count, "as many as fit into the address space")
        })?;
        // SAFETY: the file is ours. Whole rows are never rewritten, and the file is only ever cut behind the
        // last of them; what is mapped ends with a whole row, so it neither changes nor loses the pages
        // behind it.
        let map = unsafe { MmapOptions::new().len(len).map(file) }.map_err(Error::io("map", path))?;
        Ok(Arc::new(Rows { map, layout, count, kernel: Kernel::best() }))
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The bytes of a row.
    ///
    /// # Panics
    /// If the row does not exist.
    pub(super) fn bytes(&self, row: u32) -> &[u8] {
        let start = START + row as usize * self.layout.row_len;
        &self.map[start..start + self.layout.row_len]
    }

    pub(super) fn chunk(&self, row: u32) -> ChunkId {
        chunk_of(self.bytes(row))
    }

    fn scale(&self, row: u32) -> f32 {
        f32::from_bits(le_u32(&self.bytes(row)[12..]))
    }

    /// The stored elements, with padding.
    pub(super) fn elements(&self, row: u32) -> &[u16] {
        let bytes = &self.bytes(row)[ROW_HEAD..];
        // SAFETY: any two bytes are a u16; the map starts on a page and START, the row length and ROW_HEAD are
        // even, so the pointer is aligned; the length stays within `bytes`.
        unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len() / 2) }
    }

    /// The cosine of a row and a query.
    #[inline]
    pub(super) fn cosine(&self, row: u32, query: &Query) -> f32 {
        self.kernel.dot(self.elements(row), &query.elements) * self.scale(row)
    }

    /// Prefetches a row that will be scored soon. Non-consecutive rows would otherwise wait for memory one by one.
    #[inline]
    pub(super) fn prefetch(&self, row: u32) {
        kernel::prefetch(self.bytes(row));
    }

    /// Returns a row as a vector of length 1.
    pub(super) fn vector(&self, row: u32) -> Vec<f32> {
        let scale = self.scale(row);
        self.elements(row)[..self.layout.dimensions].iter().map(|&bits| widen(bits) * scale).collect()
    }
}

/// What is known about a row after its checksum was verified.
#[derive(Debug)]
pub(super) struct Scanned {
    pub(super) row: u32,
    /// `None` if the row is damaged: then its id can't be trusted either.
    pub(super) chunk: Option<ChunkId>,
}

/// The rows written by an append: their chunks, numbers and checksums.
struct Written {
    rows: Vec<(ChunkId, u32)>,
    checksums: Vec<u32>,
}

/// An open `vectors.bin`.
#[derive(Debug)]
pub(super) struct VectorFile {
    path: PathBuf,
    file: File,
    writable: bool,
    layout: Layout,
    /// The stored checksum of every row. Together they are the fingerprint of the file.
    checksums: Vec<u32>,
    rows: Arc<Rows>,
    /// Capacity of a write in bytes.
    #[cfg(test)]
    room: Option<usize>,
}

impl VectorFile {
    /// Creates the file durably, without rows.
    pub(super) fn create(path: &Path, dimensions: usize, weights: Digest) -> Result<()> {
        let mut extra = [0; 16];
        let layout = Layout::new(dimensions)?;
        extra[..4].copy_from_slice(&(layout.dimensions as u32).to_le_bytes());
        let mut bytes = [0; START];
        bytes[..HEADER_LEN].copy_from_slice(&FileHeader { magic: MAGIC, version: VERSION, extra }.to_bytes());
        bytes[HEADER_LEN..HEADER_LEN + 32].copy_from_slice(&weights.0);
        let crc = crc32fast::hash(&bytes[..START - 4]);
        bytes[START - 4..].copy_from_slice(&crc.to_le_bytes());
        write_atomic(path, &bytes)
    }

    /// Opens the file and checks every row. The writer cuts a torn tail.
    pub(super) fn open(path: &Path, weights: Digest, writable: bool) -> Result<(VectorFile, Vec<Scanned>)> {
        let mut file =
            OpenOptions::new().read(true).write(writable).open(path).map_err(Error::io("open", path))?;
        let layout = read_head(path, &mut file, weights)?;
        let rows = Rows::map(&file, path, layout, 0)?;
        let mut vectors = VectorFile {
            path: path.to_path_buf(),
            file,
            writable,
            layout,
            checksums: Vec::new(),
            rows,
            #[cfg(test)]
            room: None,
        };
        let scanned = vectors.extend()?;
        if writable {
            let (len, whole) = (vectors.file_len()?, layout.offset(vectors.count()));
            if len != whole {
                tracing::warn!(path = %path.display(), bytes = len - whole, "cutting a torn write off the vectors");
                vectors.file.set_len(whole).map_err(Error::io("cut the torn tail of", path))?;
                vectors.sync()?;
            }
        }
        Ok((vectors, scanned))
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// Number of rows in the file, including damaged and outdated ones.
    pub(super) fn count(&self) -> usize {
        self.checksums.len()
    }

    /// The current rows.
    pub(super) fn rows(&self) -> Arc<Rows> {
        Arc::clone(&self.rows)
    }

    /// The stored checksum of every row.
    pub(super) fn checksums(&self) -> &[u32] {
        &self.checksums
    }

    /// Picks up the whole rows that the file has and that are not known yet, and returns them: on a reader, rows
    /// appended since; on the writer, rows left by a failed append.
    ///
    /// They are read, not accessed through the map: others with access to the file may have truncated it.
    pub(super) fn extend(&mut self) -> Result<Vec<Scanned>> {
        let known = self.count();
        let len = self.file_len()?.saturating_sub(self.layout.offset(known));
        let fresh = usize::try_from(len / self.layout.row_len as u64).unwrap_or(usize::MAX);
        self.check_room(fresh)?;
        self.file.seek(SeekFrom::Start(self.layout.offset(known))).map_err(Error::io("read", &self.path))?;
        let mut reader = BufReader::with_capacity(1 << 20, &self.file);
        let mut bytes = vec![0; self.layout.row_len];
        let (mut scanned, mut checksums) = (Vec::new(), Vec::new());
        for row in known..known + fresh {
            match reader.read_exact(&mut bytes) {
                Ok(()) => {}
                Err(e) if e.kind() == ErrorKind::UnexpectedEof => break,
                Err(e) => return Err(Error::io("read", &self.path)(e)),
            }
            let stored = le_u32(&bytes[8..]);
            checksums.push(stored);
            let chunk = (row_checksum(&bytes) == stored).then(|| chunk_of(&bytes));
            scanned.push(Scanned { row: row as u32, chunk });
        }
        if !checksums.is_empty() {
            self.rows = Rows::map(&self.file, &self.path, self.layout, known + checksums.len())?;
            self.checksums.append(&mut checksums);
        }
        Ok(scanned)
    }

    /// Appends vectors after all known rows, and returns their rows. Writes nothing if one is invalid. After a disk
    /// error the file may have some of them, and [`extend`](VectorFile::extend) has to pick them up before the next
    /// append.
    pub(super) fn append(&mut self, vectors: &[(ChunkId, &[f32])]) -> Result<Vec<(ChunkId, u32)>> {
        let layout = self.layout;
        let units = vectors
            .iter()
            .map(|(_, vector)| unit("a vector to be indexed", vector, layout.dimensions))
            .collect::<Result<Vec<_>>>()?;
        let rows = vectors.iter().zip(&units);
        self.append_rows(rows, |out, ((chunk, _), unit)| layout.encode(out, *chunk, unit))
    }

    fn append_rows<T>(
        &mut self,
        items: impl ExactSizeIterator<Item = T>,
        encode: impl Fn(&mut Vec<u8>, T),
    ) -> Result<Vec<(ChunkId, u32)>> {
        if !self.writable {
            return Err(Error::ReadOnly { doing: "add vectors", path: self.path.clone() });
        }
        if items.len() == 0 {
            return Ok(Vec::new());
        }
        self.check_room(items.len())?;
        let written = self.write_rows(items, encode)?;
        let count = self.count() + written.rows.len();
        self.rows = Rows::map(&self.file, &self.path, self.layout, count)?;
        self.checksums.extend(written.checksums);
        Ok(written.rows)
    }

    /// Writes rows after the known ones.
    fn write_rows<T>(
        &self,
        items: impl Iterator<Item = T>,
        encode: impl Fn(&mut Vec<u8>, T),
    ) -> Result<Written> {
        let (mut appended, mut checksums) = (Vec::new(), Vec::new());
        let mut piece = Vec::new();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.layout.offset(self.count())))
            .map_err(Error::io("append to", &self.path))?;
        for item in items {
            let start = piece.len();
            encode(&mut piece, item);
            appended.push((chunk_of(&piece[start..]), (self.count() + appended.len()) as u32));
            checksums.push(le_u32(&piece[start + 8..]));
            if piece.len() >= PIECE {
                self.write(&piece).map_err(Error::io("append to", &self.path))?;
                piece.clear();
            }
        }
        self.write(&piece).map_err(Error::io("append to", &self.path))?;
        Ok(Written { rows: appended, checksums })
    }

    fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        #[cfg(test)]
        if let Some(room) = self.room.filter(|&room| room < bytes.len()) {
            (&self.file).write_all(&bytes[..room])?;
            return Err(ErrorKind::StorageFull.into());
        }
        (&self.file).write_all(bytes)
    }

    /// Makes appended rows durable.
    pub(super) fn sync(&self) -> Result<()> {
        sync_file(&self.path)
    }

    fn file_len(&self) -> Result<u64> {
        self.file.metadata().map(|meta| meta.len()).map_err(Error::io("inspect", &self.path))
    }

    /// Row numbers are u32.
    fn check_room(&self, more: usize) -> Result<()> {
        if self.count().checked_add(more).is_some_and(|count| u32::try_from(count).is_ok()) {
            return Ok(());
        }
        Err(Error::invalid(
            "the number of vectors",
            format!("{more} more"),
            format!("at most {} rows", u32::MAX),
        ))
    }

    #[cfg(test)]
    pub(super) fn leave_room(&mut self, bytes: Option<usize>) {
        self.room = bytes;
    }
}

fn read_head(path: &Path, file: &mut File, weights: Digest) -> Result<Layout> {
    let mut bytes = Vec::with_capacity(START);
    file.take(START as u64).read_to_end(&mut bytes).map_err(Error::io("read the header of", path))?;
    let header = FileHeader::parse(path, &bytes, MAGIC, VERSION).map_err(|e| e.with_remedy(REMEDY))?;
    let damaged = |found: String, expected: String| Error::Damaged {
        path: path.to_path_buf(),
        found,
        expected,
        remedy: REMEDY,
    };
    if bytes.len() < START {
        return Err(damaged(format!("{} bytes", bytes.len()), format!("a header of {START} bytes")));
    }
    let (found, expected) = (le_u32(&bytes[START - 4..]), crc32fast::hash(&bytes[..START - 4]));
    if found != expected {
        return Err(damaged(format!("header checksum {found:08x}"), format!("{expected:08x}")));
    }
    let mut digest = Digest([0; 32]);
    digest.0.copy_from_slice(&bytes[HEADER_LEN..HEADER_LEN + 32]);
    if digest != weights {
        let expected = format!("{digest}, which made the vectors in {}", path.display());
        return Err(Error::invalid("the encoder's weights", weights, expected));
    }
    let dimensions = le_u32(&header.extra) as usize;
    Layout::new(dimensions).map_err(|_| damaged(format!("{dimensions} dimensions"), "a sane number".into()))
}
