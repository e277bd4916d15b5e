//! Segment files: `000001.log`, `000002.log`, …, each a header and frames.
//!
//! Numbers only rise. Records are appended to the last segment. The others change only when something is forgotten. A
//! new segment appears atomically, with its header.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use memmap2::{Mmap, MmapOptions};

use crate::error::{Error, Result};
use crate::storage::{
    FileHeader, HEADER_LEN, Scanned, scan_frames, sync_folder, sync_open_file, write_atomic,
};

const MAGIC: [u8; 8] = *b"RETUNELG";
const VERSION: u32 = 1;

/// The header of every segment.
pub(super) fn header() -> [u8; HEADER_LEN] {
    FileHeader { magic: MAGIC, version: VERSION, extra: [0; 16] }.to_bytes()
}

/// The segments of a log with their numbers, in order. Empty if the folder does not exist.
pub(super) fn list(folder: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let mut segments = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(segments),
        entries => entries.map_err(Error::io("list", folder))?,
    };
    for entry in entries {
        let path = entry.map_err(Error::io("list", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(number) = name.and_then(|name| name.strip_suffix(".log")).and_then(|n| n.parse().ok()) {
            segments.push((number, path));
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

pub(super) fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:06}.log"))
}

/// Removes files of interrupted replacements. They may contain records that are to be forgotten.
pub(super) fn remove_strays(folder: &Path) -> Result<()> {
    let mut removed = false;
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let entry = entry.map_err(Error::io("list", folder))?;
        if entry.file_name().as_encoded_bytes().starts_with(b".tmp-") {
            fs::remove_file(entry.path()).map_err(Error::io("remove", &entry.path()))?;
            removed = true;
        }
    }
    if removed { sync_folder(folder) } else { Ok(()) }
}

/// A part of a segment. The parts cover the segment from its header to its end, each byte once.
#[derive(Debug, PartialEq)]
pub(super) enum Part<'a> {
    /// A whole frame.
    Frame { range: Range<usize>, payload: &'a [u8] },
    /// Bytes in the middle that are not a frame, or a damaged header.
    Damaged(Range<usize>),
    /// Bytes at the end that are not a whole frame.
    Torn(Range<usize>),
}

/// Calls `visit` with every part of the segment at `path`. If it is shorter than a header, all of it is torn.
///
/// # Errors
/// [`Error::Version`] for a segment of a newer format, and any error of `visit`.
pub(super) fn walk(path: &Path, visit: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let length = file.metadata().map_err(Error::io("inspect", path))?.len();
    let length =
        usize::try_from(length).map_err(|_| Error::io("map", path)(ErrorKind::OutOfMemory.into()))?;
    if length < HEADER_LEN {
        return if length > 0 { visit(Part::Torn(0..length)) } else { Ok(()) };
    }
    parts_of(path, &map(&file, path, length)?, visit)
}

fn map(file: &File, path: &Path, length: usize) -> Result<Mmap> {
    // SAFETY: the mapped bytes never change and never go away. Writers, in this or another process, only append behind
    // `length`. What shortens a segment renames another file over it and does not change this one.
    unsafe { MmapOptions::new().len(length).map(file) }.map_err(Error::io("map", path))
}

fn parts_of(path: &Path, bytes: &[u8], visit: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()> {
    match FileHeader::parse(path, bytes, MAGIC, VERSION) {
        Ok(_) => {}
        Err(error @ Error::Version { .. }) => return Err(error),
        // The frames have checksums of their own.
        Err(_) => visit(Part::Damaged(0..HEADER_LEN))?,
    }
    let moved = |range: Range<usize>| range.start + HEADER_LEN..range.end + HEADER_LEN;
    for item in scan_frames(&bytes[HEADER_LEN..]) {
        visit(match item {
            Scanned::Frame { range, payload } => Part::Frame { range: moved(range), payload },
            Scanned::Damaged(range) => Part::Damaged(moved(range)),
            Scanned::TornTail(range) => Part::Torn(moved(range)),
        })?;
    }
    Ok(())
}

/// Returns [`Error::Version`] for a segment of a newer format. Reads only the header.
pub(super) fn check_version(path: &Path) -> Result<()> {
    let mut head = Vec::new();
    let file = File::open(path).map_err(Error::io("open", path))?;
    file.take(HEADER_LEN as u64).read_to_end(&mut head).map_err(Error::io("read the header of", path))?;
    match FileHeader::parse(path, &head, MAGIC, VERSION) {
        Err(error @ Error::Version { .. }) => Err(error),
        _ => Ok(()),
    }
}

/// Cuts a torn tail off the segment at `path`. Returns the number of bytes cut.
///
/// This replaces the file instead of shortening it: another process may have it mapped.
pub(super) fn cut_torn_tail(path: &Path) -> Result<u64> {
    let mut torn = None;
    walk(path, &mut |part| {
        if let Part::Torn(range) = part {
            torn = Some(range);
        }
        Ok(())
    })?;
    let Some(torn) = torn else { return Ok(0) };
    let mut bytes = fs::read(path).map_err(Error::io("read", path))?;
    bytes.truncate(torn.start);
    if bytes.is_empty() {
        bytes = header().to_vec();
    }
    write_atomic(path, &bytes)?;
    Ok(torn.len() as u64)
}

/// An open segment. A trait, so that tests can simulate a failing disk.
pub(super) trait SegmentFile: Send {
    /// Bytes in the segment.
    fn len(&self) -> u64;
    /// Appends `bytes`. After an error the end of the segment is unknown.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;
    /// Makes everything appended durable.
    fn sync(&mut self) -> Result<()>;
}

/// Opens the segment at a path for appending, or creates it.
pub(super) type OpenSegment = Box<dyn Fn(&Path) -> Result<Box<dyn SegmentFile>> + Send>;

struct DiskSegment {
    file: File,
    path: PathBuf,
    len: u64,
}

impl SegmentFile for DiskSegment {
    fn len(&self) -> u64 {
        self.len
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.len += bytes.len() as u64;
        self.file.write_all(bytes).map_err(Error::io("append to", &self.path))
    }

    fn sync(&mut self) -> Result<()> {
        sync_open_file(&self.file, &self.path)
    }
}

/// Opens or creates a segment on disk. A new one is durable, with its header.
pub(super) fn open_on_disk(path: &Path) -> Result<Box<dyn SegmentFile>> {
    if fs::metadata(path).map_or(0, |found| found.len()) == 0 {
        write_atomic(path, &header())?;
    }
    let file = OpenOptions::new().append(true).open(path).map_err(Error::io("open", path))?;
    let len = file.metadata().map_err(Error::io("inspect", path))?.len();
    Ok(Box::new(DiskSegment { file, path: path.to_path_buf(), len }))
}
