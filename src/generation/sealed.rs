//! Small binary files of a generation, each read whole and held to what was published: a header, bytes of the file's own, and
//! their CRC-32 (IEEE). `generation.json` has the SHA-256 of each.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::open::REMEDY;
use crate::error::{Error, Result};
use crate::ids::Digest;
use crate::storage::{FileHeader, HEADER_LEN, write_atomic};

/// Writes a file, durably, and gives its SHA-256.
pub(super) fn write(path: &Path, header: FileHeader, body: &[u8]) -> Result<Digest> {
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes.extend_from_slice(&crc32fast::hash(body).to_le_bytes());
    write_atomic(path, &bytes)?;
    Ok(Digest::of(&bytes))
}

/// Reads the file that was published with this SHA-256: the header's own bytes, and those behind it.
///
/// # Errors
/// [`Error::Damaged`] where it is missing, another or not whole; [`Error::Version`] for one of another version.
pub(super) fn read(
    path: &Path,
    magic: [u8; 8],
    version: u32,
    published: Digest,
) -> Result<([u8; 16], Vec<u8>)> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            return Err(damaged(path, "no such file".into(), published));
        }
        Err(e) => return Err(Error::io("read", path)(e)),
    };
    let header =
        FileHeader::parse(path, &bytes, magic, version).map_err(|error| error.with_remedy(REMEDY))?;
    let found = Digest::of(&bytes);
    let whole = bytes[HEADER_LEN..]
        .split_last_chunk()
        .filter(|(body, crc)| crc32fast::hash(body).to_le_bytes() == **crc);
    match whole {
        Some((body, _)) if found == published => Ok((header.extra, body.to_vec())),
        _ => Err(damaged(path, format!("SHA-256 {found}"), published)),
    }
}

/// Gives a generation the file of another.
pub(super) fn hand_on(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).map_err(Error::io("read", from))?;
    write_atomic(to, &bytes)
}

/// What a file that is not as published is reported as.
pub(super) fn damaged(path: &Path, found: String, published: Digest) -> Error {
    Error::Damaged {
        path: path.to_path_buf(),
        found,
        expected: format!("the file with SHA-256 {published}"),
        remedy: REMEDY,
    }
}

/// The u32 at `at` of a header's own bytes.
pub(super) fn number(extra: &[u8; 16], at: usize) -> usize {
    u32::from_le_bytes([extra[at], extra[at + 1], extra[at + 2], extra[at + 3]]) as usize
}

/// Numbers as they stand in a file.
pub(super) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect()
}
