//! Segment files, each a header and frames. There are three kinds:
//!
//! - **Live** segments, `live-….log`: one handle appends to each, and no other ever does. Their names have the time of
//!   their creation, a number and a random number, and are never used again.
//! - **Sealed** segments, `000001.log`, `000002.log`, …: nobody appends to them. [`seal`](super::seal) makes them of
//!   live ones, and of smaller sealed ones. Numbers only rise.
//! - **Taken** segments, `taken-….log`: live ones on the way to a sealed one.
//!
//! An appender holds a lock on its live segment while it appends, and checks that the segment still has its name.
//! Taking a segment away renames it under the same lock. So no record gets lost between the two, and an appender never
//! waits: if it finds its segment locked or gone, it starts another one.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use memmap2::{Mmap, MmapOptions};

use super::record::replaces;
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::storage::{FileHeader, HEADER_LEN, Scanned, scan_frames, write_private};

const MAGIC: [u8; 8] = *b"RETUNELG";
const VERSION: u32 = 1;
const LIVE: &str = "live-";
const TAKEN: &str = "taken-";

/// A random number in a sealed segment's header, which distinguishes its content from earlier content under the same
/// name. Zero in live segments and in those of earlier versions.
pub(super) type Edition = [u8; 16];

/// The header of every segment.
pub(super) fn header(edition: Edition) -> [u8; HEADER_LEN] {
    FileHeader { magic: MAGIC, version: VERSION, extra: edition }.to_bytes()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Sealed(u64),
    Taken,
    Live,
}

/// A segment file's path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    pub(super) state: State,
    pub(super) path: PathBuf,
}

impl Segment {
    pub(super) fn sealed(folder: &Path, number: u64) -> Segment {
        Segment { state: State::Sealed(number), path: folder.join(format!("{number:06}.log")) }
    }

    pub(super) fn new_live(folder: &Path) -> Segment {
        // Names of one process sort in order, for records of the same millisecond.
        static CREATED: AtomicU32 = AtomicU32::new(0);
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("{LIVE}{:012x}-{number:08x}-{:016x}.log", now_ms(), rand::random::<u64>());
        let path = folder.join(name);
        Segment { state: State::Live, path }
    }

    /// The name of this live segment once it is taken.
    pub(super) fn taken(&self) -> Segment {
        let path = self.path.with_file_name(self.name().replacen(LIVE, TAKEN, 1));
        Segment { state: State::Taken, path }
    }

    fn parse(path: PathBuf) -> Option<Segment> {
        let name = path.file_name()?.to_str()?.strip_suffix(".log")?;
        let state = match name.parse() {
            Ok(number) => State::Sealed(number),
            Err(_) if name.starts_with(TAKEN) => State::Taken,
            Err(_) if name.starts_with(LIVE) => State::Live,
            Err(_) => return None,
        };
        Some(Segment { state, path })
    }

    pub(super) fn is_sealed(&self) -> bool {
        matches!(self.state, State::Sealed(_))
    }

    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// The segments of a log: the sealed ones by number, then the others. Empty if the folder does not exist.
pub(super) fn list(folder: &Path) -> Result<Vec<Segment>> {
    let mut segments = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(segments),
        entries => entries.map_err(Error::io("list", folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(Error::io("list", folder))?;
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        segments.extend(Segment::parse(entry.path()).filter(|_| !is_folder));
    }
    segments.sort_unstable();
    Ok(segments)
}

/// A segment at the time it was opened. It can be read even if the file no longer exists.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) segment: Segment,
    pub(super) edition: Edition,
    file: File,
    /// Whole batches, and possibly a part of one that is being written. `None` if the file is empty.
    map: Option<Mmap>,
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

impl Opened {
    /// # Errors
    /// [`Error::Version`] for a segment of a newer format.
    pub(super) fn new(segment: Segment) -> Result<Opened> {
        let path = &segment.path;
        let mut file = File::open(path).map_err(Error::io("open", path))?;
        let length = file.metadata().map_err(Error::io("inspect", path))?.len();
        let length =
            usize::try_from(length).map_err(|_| Error::io("map", path)(ErrorKind::OutOfMemory.into()))?;
        let mut head = Vec::new();
        (&mut file).take(HEADER_LEN as u64).read_to_end(&mut head).map_err(Error::io("read", path))?;
        let edition = match FileHeader::parse(path, &head, MAGIC, VERSION) {
            Ok(header) => header.extra,
            Err(error @ Error::Version { .. }) => return Err(error),
            // The frames have checksums of their own.
            Err(_) => Edition::default(),
        };
        let map = if length > 0 { Some(map(&file, path, length)?) } else { None };
        Ok(Opened { segment, edition, file, map })
    }

    /// The same content under the name that the file is about to get.
    pub(super) fn under(self, segment: Segment) -> Opened {
        Opened { segment, ..self }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }

    /// The payload of the whole frame at `offset`, if there is one.
    pub(super) fn frame_at(&self, offset: usize) -> Option<&[u8]> {
        match scan_frames(self.bytes().get(offset..)?).next() {
            Some(Scanned::Frame { payload, .. }) => Some(payload),
            _ => None,
        }
    }

    /// Calls `visit` with every part. If the segment is shorter than a header, all of it is torn. A tail that is being
    /// written is no part of it yet.
    pub(super) fn walk(&self, visit: &mut dyn FnMut(Part<'_>) -> Result<()>) -> Result<()> {
        let bytes = self.bytes();
        if bytes.len() < HEADER_LEN {
            let torn = !bytes.is_empty() && !self.is_growing();
            return if torn { visit(Part::Torn(0..bytes.len())) } else { Ok(()) };
        }
        if FileHeader::parse(&self.segment.path, bytes, MAGIC, VERSION).is_err() {
            visit(Part::Damaged(0..HEADER_LEN))?;
        }
        let moved = |range: Range<usize>| range.start + HEADER_LEN..range.end + HEADER_LEN;
        for item in scan_frames(&bytes[HEADER_LEN..]) {
            visit(match item {
                Scanned::Frame { range, payload } => Part::Frame { range: moved(range), payload },
                Scanned::Damaged(range) => Part::Damaged(moved(range)),
                Scanned::TornTail(_) if self.is_growing() => break,
                Scanned::TornTail(range) => Part::Torn(moved(range)),
            })?;
        }
        Ok(())
    }

    /// Copies the segment into a folder under its own name, without a torn tail.
    pub(super) fn copy_to(&self, folder: &Path) -> Result<()> {
        let mut whole = self.bytes().len().min(HEADER_LEN);
        self.walk(&mut |part| {
            if let Part::Frame { range, .. } | Part::Damaged(range) = part {
                whole = range.end;
            }
            Ok(())
        })?;
        let path = folder.join(self.segment.name());
        write_private(&path, &self.bytes()[..whole])
    }

    /// Whether somebody is appending, or has appended since it was opened. Then its end is not an interrupted write.
    fn is_growing(&self) -> bool {
        if self.segment.state != State::Live {
            return false;
        }
        match self.file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => false,
            Ok(()) => {
                let length = self.file.metadata().map_or(0, |found| found.len());
                // Closing the file unlocks it too.
                let _ = self.file.unlock();
                length > self.bytes().len() as u64
            }
        }
    }
}

fn map(file: &File, path: &Path, length: usize) -> Result<Mmap> {
    // SAFETY: the mapped bytes never change and never go away. Writers, in this or another process, only append after
    // `length`. Shortening or merging segments puts another file in their place and does not change these.
    unsafe { MmapOptions::new().len(length).map(file) }.map_err(Error::io("map", path))
}

/// The segments of a log as they were opened together.
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// Each record of these is in one of them, whatever other processes do meanwhile.
    pub(super) opened: Vec<Opened>,
    /// Those that this user may not read.
    pub(super) unreadable: Vec<Segment>,
}

/// Opens every segment of the log in `folder`.
pub(super) fn open_all(folder: &Path) -> Result<Segments> {
    const TRIES: usize = 100;
    let mut left = TRIES;
    loop {
        left -= 1;
        let mut listed = list(folder)?;
        let mut unreadable = Vec::new();
        let mut opened = Vec::with_capacity(listed.len());
        for segment in &listed {
            match Opened::new(segment.clone()) {
                // It was replaced.
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                Err(Error::Io { source, .. }) if source.kind() == ErrorKind::PermissionDenied => {
                    unreadable.push(segment.clone());
                }
                one => opened.push(one?),
            }
        }
        listed.retain(|one| !unreadable.contains(one));
        let settled = |mut all: Vec<Segment>| {
            all.retain(|one| one.state != State::Live && !unreadable.contains(one));
            all
        };
        // Listing a folder while names change may miss both a segment and its replacement.
        if left == 0 || (opened.len() == listed.len() && settled(list(folder)?) == settled(listed)) {
            let replaced = opened.iter().flat_map(replaced_by).collect::<Vec<_>>();
            opened.retain(|one| !replaced.contains(&one.segment.name()));
            return Ok(Segments { opened, unreadable });
        }
    }
}

/// The names of the segments that this sealed one has replaced. A crash may have left them.
pub(super) fn replaced_by(opened: &Opened) -> Vec<String> {
    match opened.segment.is_sealed() {
        true => opened.frame_at(HEADER_LEN).and_then(replaces).unwrap_or_default(),
        false => Vec::new(),
    }
}
