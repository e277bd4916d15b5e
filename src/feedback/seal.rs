//! Maintenance of the log: turns live segments into sealed ones, and small sealed ones into larger ones.
//!
//! Only one process at a time does this, under the lock of the log. Appenders and readers don't take that lock.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use super::ids::{Ids, file_of};
use super::record::{Kind, Record, Replaced, peek, time_of};
use super::replay::Order;
use super::segment::{self, Edition, Opened, Part, Segment, State, header, replaced_by};
use crate::error::{Error, Result};
use crate::storage::{
    FRAME_OVERHEAD, HEADER_LEN, WriterLock, append_frame, rename_file, sync_folder, write_private,
};

/// A sealed segment is merged with segments to be sealed if it is at most this many times as large. So a record is
/// copied about as often as its segment can double.
const GROWTH: usize = 2;
/// How often to check a live segment that is being appended to.
const LOOK: Duration = Duration::from_millis(1);

/// The right to replace and remove segments, until it is dropped.
pub(super) struct Maintenance<'a> {
    folder: &'a Path,
    _lock: WriterLock,
}

/// How to treat segments with damaged bytes in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damaged {
    /// They are kept as they are, so that the damage remains visible.
    Stay,
    /// They are sealed without the damaged bytes.
    AreCut,
}

/// The result of sealing.
#[derive(Debug, Default)]
pub(super) struct Sealing {
    /// Bytes of torn tails that were cut off.
    pub(super) cut: u64,
    /// Whether a segment was skipped because somebody was appending to it.
    pub(super) busy: bool,
}

impl<'a> Maintenance<'a> {
    /// Waits for at most `wait` until nobody else maintains the log, and removes leftovers of crashes.
    ///
    /// # Errors
    /// [`Error::Locked`].
    pub(super) fn begin(folder: &'a Path, wait: Duration) -> Result<Maintenance<'a>> {
        let maintenance = Maintenance { folder, _lock: WriterLock::acquire(folder, wait)? };
        maintenance.remove_leftovers()?;
        Ok(maintenance)
    }

    /// Files of interrupted writes, replaced segments, and id lists without a segment.
    fn remove_leftovers(&self) -> Result<()> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.folder).map_err(Error::io("list", self.folder))? {
            let name = entry.map_err(Error::io("list", self.folder))?.file_name();
            names.push(name.to_string_lossy().into_owned());
        }
        let mut left: Vec<String> = names.iter().filter(|name| name.starts_with(".tmp-")).cloned().collect();
        for segment in segment::list(self.folder)?.into_iter().filter(Segment::is_sealed) {
            left.extend(replaced_by(&Opened::new(segment)?).into_iter().filter(|name| names.contains(name)));
        }
        let orphans = names.iter().filter(|name| {
            let segment = name.strip_suffix(".ids").map(|number| format!("{number}.log"));
            segment.is_some_and(|segment| !names.contains(&segment) || left.contains(&segment))
        });
        let removed: Vec<String> = left.iter().chain(orphans).cloned().collect();
        self.remove(&removed)
    }

    /// Removes files durably, if they exist.
    fn remove(&self, names: &[String]) -> Result<()> {
        for name in names {
            let path = self.folder.join(name);
            match fs::remove_file(&path) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(Error::io("remove", &path)(e)),
                _ => {}
            }
        }
        if names.is_empty() { Ok(()) } else { sync_folder(self.folder) }
    }

    /// Seals the live segments into segments of at most `segment_bytes`, without their torn tails. Waits until
    /// `deadline` for one that is being appended to, and then skips it.
    pub(super) fn seal(&self, segment_bytes: u64, damaged: Damaged, deadline: Instant) -> Result<Sealing> {
        let most = usize::try_from(segment_bytes).unwrap_or(usize::MAX);
        let mut sealing = Sealing::default();
        let (mut sealed, mut loose) = (Vec::new(), Vec::new());
        for segment in segment::list(self.folder)? {
            match segment.state {
                State::Sealed(_) => sealed.push(segment),
                State::Taken => loose.push(Content::read(Opened::new(segment)?)?),
                State::Live => match take(&segment, damaged, deadline)? {
                    Take::Taken(content) => loose.push(content),
                    Take::Left => {}
                    Take::Busy => sealing.busy = true,
                },
            }
        }
        loose.splice(0..0, self.pop_unfinished(&mut sealed, damaged)?);
        sealing.cut = loose.iter().map(|one| one.torn).sum();
        while !loose.is_empty() {
            let mut batch = vec![loose.remove(0)];
            let mut bytes = batch[0].bytes();
            while loose.first().is_some_and(|next| bytes + next.bytes() <= most) {
                bytes += loose[0].bytes();
                batch.push(loose.remove(0));
            }
            self.add_small(&sealed, &mut batch, most)?;
            sealed.retain(|one| !batch.iter().any(|merged| merged.opened.segment == *one));
            sealed.extend(self.merge(&batch)?);
        }
        Ok(sealing)
    }

    /// The last segment of a log of an earlier version, whose writer appended to it.
    fn pop_unfinished(&self, sealed: &mut Vec<Segment>, damaged: Damaged) -> Result<Option<Content>> {
        let Some(last) = sealed.last().cloned() else { return Ok(None) };
        let opened = Opened::new(last)?;
        if opened.edition != Edition::default() {
            return Ok(None);
        }
        let content = Content::read(opened)?;
        if content.is_damaged && damaged == Damaged::Stay {
            return Ok(None);
        }
        sealed.pop();
        Ok(Some(content))
    }

    /// Puts the last sealed segments in front of the batch while they are small.
    fn add_small(&self, sealed: &[Segment], batch: &mut Vec<Content>, most: usize) -> Result<()> {
        let mut bytes: usize = batch.iter().map(Content::bytes).sum();
        for segment in sealed.iter().rev() {
            let opened = Opened::new(segment.clone())?;
            let length = opened.bytes().len();
            if length > GROWTH * bytes || bytes + length > most {
                break;
            }
            let content = Content::read(opened)?;
            if content.is_damaged {
                break;
            }
            bytes += content.bytes();
            batch.insert(0, content);
        }
        Ok(())
    }

    /// Merges segments into a new sealed one, in the order of their records. Returns none if they have no record.
    fn merge(&self, batch: &[Content]) -> Result<Option<Segment>> {
        let names: Vec<String> = batch.iter().map(|one| one.opened.segment.name()).collect();
        let mut frames: Vec<(u64, &[u8])> = batch.iter().flat_map(Content::frames).collect();
        // Stable, so that records of one segment stay in order.
        frames.sort_by_key(|(place, _)| *place);
        let mut merged = None;
        if !frames.is_empty() {
            let numbers = segment::list(self.folder)?.into_iter().filter_map(|one| match one.state {
                State::Sealed(number) => Some(number),
                _ => None,
            });
            let segment = Segment::sealed(self.folder, numbers.max().unwrap_or(0) + 1);
            let replaced = Record::Replaced(Replaced { segments: names.clone() }).encode();
            let payloads =
                replaced.iter().map(Vec::as_slice).chain(frames.iter().map(|(_, payload)| *payload));
            write_sealed(&segment, payloads)?;
            merged = Some(segment);
        }
        let lists = batch.iter().map(|one| file_of(&one.opened.segment.path));
        let lists = lists.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        let removed: Vec<String> = names.iter().cloned().chain(lists).collect();
        self.remove(&removed)?;
        Ok(merged)
    }
}

/// Writes a sealed segment, or replaces it as a whole, and the list of its ids.
pub(super) fn write_sealed<'a>(segment: &Segment, payloads: impl Iterator<Item = &'a [u8]>) -> Result<()> {
    let edition: Edition = rand::random();
    let mut bytes = header(edition).to_vec();
    payloads.for_each(|payload| append_frame(&mut bytes, payload));
    write_private(&segment.path, &bytes)?;
    // If that fails, the next search for a query rebuilds it.
    if let Err(error) = Opened::new(segment.clone()).and_then(|opened| Ids::of(&opened)) {
        tracing::warn!(%error, "could not list the ids of a segment");
    }
    Ok(())
}

/// The result of taking a live segment.
enum Take {
    Taken(Content),
    /// It is damaged and must stay, or it no longer exists.
    Left,
    /// Somebody kept appending to it.
    Busy,
}

/// Takes a live segment away from its appender.
fn take(segment: &Segment, damaged: Damaged, deadline: Instant) -> Result<Take> {
    let path = &segment.path;
    let file = match File::open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Take::Left),
        file => file.map_err(Error::io("open", path))?,
    };
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(LOOK),
            Err(TryLockError::WouldBlock) => return Ok(Take::Busy),
            Err(TryLockError::Error(e)) => return Err(Error::io("lock", path)(e)),
        }
    }
    // Nobody is appending now.
    let content = Content::read(Opened::new(segment.clone())?.under(segment.taken()))?;
    if content.is_damaged && damaged == Damaged::Stay {
        return Ok(Take::Left);
    }
    rename_file(path, &content.opened.segment.path)?;
    Ok(Take::Taken(content))
}

/// The content of a segment.
struct Content {
    opened: Opened,
    /// The positions of its records' payloads, with the records' order among those of other segments.
    frames: Vec<(u64, Range<usize>)>,
    torn: u64,
    is_damaged: bool,
}

impl Content {
    fn read(opened: Opened) -> Result<Content> {
        let (mut asked, mut judged, mut frames) = (Order::default(), Order::default(), Vec::new());
        let (mut torn, mut is_damaged) = (0, false);
        opened.walk(&mut |part| {
            match part {
                Part::Frame { range, payload } => {
                    let place = match peek(payload).0 {
                        Kind::Impression => asked.place(time_of(payload)),
                        Kind::Judgement | Kind::Withdrawal => judged.place(time_of(payload)),
                        // The segments that it replaced no longer exist.
                        Kind::Replaced => return Ok(()),
                        Kind::Loss | Kind::Newer | Kind::Garbage => asked.place(0),
                    };
                    frames.push((place, range.start + FRAME_OVERHEAD..range.end));
                }
                Part::Damaged(_) => is_damaged = true,
                Part::Torn(range) => torn = range.len() as u64,
            }
            Ok(())
        })?;
        Ok(Content { opened, frames, torn, is_damaged })
    }

    fn bytes(&self) -> usize {
        self.opened.bytes().len().max(HEADER_LEN)
    }

    fn frames(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let bytes = self.opened.bytes();
        self.frames.iter().map(move |(place, range)| (*place, &bytes[range.clone()]))
    }
}
