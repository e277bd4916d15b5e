//! Tar archives.

use std::io::{self, Read};

use tar::{Archive, EntryType};

use super::reader::{MOST_DOCUMENT_BYTES, Member, Members, Source, malformed, read_bounded};
use super::text::Unreadable;

pub(super) fn read(source: &mut dyn Source, members: &mut dyn Members) -> Result<(), Unreadable> {
    read_stream(source, members)
}

/// Whether a stream that begins with these bytes is a tar archive.
pub(super) fn begins(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
}

/// Reads an archive from a stream, such as an unpacked one.
pub(super) fn read_stream(stream: &mut dyn Read, members: &mut dyn Members) -> Result<(), Unreadable> {
    let damaged = |error: io::Error| malformed("the archive", &error);
    let mut archive = Archive::new(stream);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if !matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Continuous) {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match read_bounded(&mut entry, "an entry", MOST_DOCUMENT_BYTES) {
            Ok(bytes) => members.take(Member { path: &path, place: Default::default(), bytes: &bytes })?,
            Err(why) => members.refuse(&path, why)?,
        }
    }
    Ok(())
}
