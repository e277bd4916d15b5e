//! Compound files: how Office wrote before 2007, how Outlook writes messages, and how Office encrypts.

use std::io::Cursor;

use cfb::CompoundFile;

/// What they begin with.
const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// The file, if it is one.
pub(super) fn open(bytes: &[u8]) -> Option<CompoundFile<Cursor<&[u8]>>> {
    bytes.starts_with(MAGIC).then(|| CompoundFile::open(Cursor::new(bytes)).ok())?
}

/// Whether it is one that has this stream or storage.
pub(super) fn has(bytes: &[u8], path: &str) -> bool {
    open(bytes).is_some_and(|file| file.exists(path))
}
