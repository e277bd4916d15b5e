//! The positions of queries in a sealed segment: `000001.ids` next to `000001.log`.
//!
//! | bytes | content |
//! |---|---|
//! | 0..32 | header; its own bytes: the edition of the segment |
//! | 32..40 | length of the segment in bytes, u64 |
//! | 40..48 | offset of the frame of its last impression, u64; zero if it has none |
//! | 48.. | of each impression, ascending by id: query id, u64, and offset of its frame, u64 |
//! | last 4 | CRC-32 of the bytes from 32 on |
//!
//! It is rebuilt if it is missing, damaged, or does not match the segment.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::record::{Kind, peek};
use super::segment::{Opened, Part};
use crate::error::Result;
use crate::ids::QueryId;
use crate::storage::{FileHeader, HEADER_LEN, write_private};

const MAGIC: [u8; 8] = *b"RETUNEID";
const VERSION: u32 = 1;
const HEAD: usize = 16;
const ENTRY: usize = 16;

/// The impressions of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ids {
    /// Bytes of the segment.
    length: u64,
    last: u64,
    /// Query ids and offsets, ascending.
    entries: Vec<(u64, u64)>,
}

/// The file for the segment at `path`.
pub(super) fn file_of(path: &Path) -> PathBuf {
    path.with_extension("ids")
}

impl Ids {
    /// Reads the stored ids of a sealed segment, or collects them from the segment. In the latter case stores them, if
    /// the folder is writable.
    pub(super) fn of(opened: &Opened) -> Result<Ids> {
        if !opened.segment.is_sealed() {
            return Ids::read_segment(opened);
        }
        let path = file_of(&opened.segment.path);
        let stored = fs::read(&path).ok().and_then(|bytes| Ids::parse(&path, &bytes, opened));
        match stored {
            Some(stored) => Ok(stored),
            None => {
                let ids = Ids::read_segment(opened)?;
                if let Err(error) = ids.store(opened) {
                    tracing::debug!(%error, "could not store the ids of a segment");
                }
                Ok(ids)
            }
        }
    }

    pub(super) fn store(&self, opened: &Opened) -> Result<()> {
        let mut bytes =
            FileHeader { magic: MAGIC, version: VERSION, extra: opened.edition }.to_bytes().to_vec();
        let entries = self.entries.iter().flat_map(|(id, offset)| [id, offset]);
        for number in [&self.length, &self.last].into_iter().chain(entries) {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        let crc = crc32fast::hash(&bytes[HEADER_LEN..]);
        bytes.extend_from_slice(&crc.to_le_bytes());
        write_private(&file_of(&opened.segment.path), &bytes)
    }

    fn parse(path: &Path, bytes: &[u8], opened: &Opened) -> Option<Ids> {
        let header = FileHeader::parse(path, bytes, MAGIC, VERSION).ok()?;
        let (body, crc) = bytes.get(HEADER_LEN..)?.split_last_chunk::<4>()?;
        if header.extra != opened.edition || crc32fast::hash(body) != u32::from_le_bytes(*crc) {
            return None;
        }
        let (head, entries) = body.split_at_checked(HEAD)?;
        let number = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
        let (length, last) = (number(head)?, number(&head[8..])?);
        let entries = entries.chunks_exact(ENTRY).filter_map(|one| Some((number(one)?, number(&one[8..])?)));
        let ids = Ids { length, last, entries: entries.collect() };
        (length == opened.bytes().len() as u64).then_some(ids)
    }

    fn read_segment(opened: &Opened) -> Result<Ids> {
        let mut ids = Ids { length: opened.bytes().len() as u64, last: 0, entries: Vec::new() };
        opened.walk(&mut |part| {
            if let Part::Frame { range, payload } = part
                && let (Kind::Impression, QueryId(id)) = peek(payload)
            {
                ids.last = range.start as u64;
                ids.entries.push((id, ids.last));
            }
            Ok(())
        })?;
        ids.entries.sort_unstable();
        Ok(ids)
    }

    /// The offset of the last impression.
    pub(super) fn last(&self) -> Option<usize> {
        (self.last > 0).then_some(self.last as usize)
    }

    /// The impressions with ids in this range, ascending, with the offsets of their frames.
    pub(super) fn within(&self, ids: RangeInclusive<QueryId>) -> impl Iterator<Item = (QueryId, usize)> {
        let from = self.entries.partition_point(|(id, _)| *id < ids.start().0);
        let rest = self.entries[from..].iter().take_while(move |(id, _)| *id <= ids.end().0);
        rest.map(|(id, offset)| (QueryId(*id), *offset as usize))
    }
}
