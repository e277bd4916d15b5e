//! The header of all our binary files: their first 32 bytes.
//!
//! | bytes | content |
//! |---|---|
//! | 0..8 | magic, ASCII |
//! | 8..12 | format version, u32 little endian |
//! | 12..28 | 16 bytes for the format's own use, zero where unused |
//! | 28..32 | CRC-32 (IEEE) of bytes 0..28, little endian |

use std::path::Path;

use crate::error::{Error, Result};

/// Length of a [`FileHeader`] in bytes.
pub(crate) const HEADER_LEN: usize = 32;

/// Magic, version and 16 bytes for the format's own use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) magic: [u8; 8],
    pub(crate) version: u32,
    pub(crate) extra: [u8; 16],
}

impl FileHeader {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(&self.magic);
        bytes[8..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[12..28].copy_from_slice(&self.extra);
        let crc = crc32fast::hash(&bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header of `path` from its first bytes and checks it against what the format expects.
    pub(crate) fn parse(path: &Path, bytes: &[u8], magic: [u8; 8], version: u32) -> Result<FileHeader> {
        let damaged = |found: String, expected: String| Error::Damaged {
            path: path.to_path_buf(),
            found,
            expected,
            remedy: "restore it from a backup",
        };
        let Some(bytes) = bytes.get(..HEADER_LEN) else {
            return Err(damaged(format!("{} bytes", bytes.len()), format!("a header of {HEADER_LEN} bytes")));
        };
        if bytes[..8] != magic {
            let found = format!("magic {:?}", String::from_utf8_lossy(&bytes[..8]));
            return Err(damaged(found, format!("{:?}", String::from_utf8_lossy(&magic))));
        }
        let (found, expected) = (le_u32(&bytes[28..]), crc32fast::hash(&bytes[..28]));
        if found != expected {
            return Err(damaged(format!("header checksum {found:08x}"), format!("{expected:08x}")));
        }
        let found = le_u32(&bytes[8..12]);
        if found != version {
            return Err(Error::Version { path: path.to_path_buf(), found, supported: version });
        }
        let mut extra = [0; 16];
        extra.copy_from_slice(&bytes[12..28]);
        Ok(FileHeader { magic, version, extra })
    }
}

/// The little-endian u32 in the first four bytes. The caller has checked the length.
pub(super) fn le_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: [u8; 8] = *b"RETUNEXX";

    #[test]
    fn every_flipped_bit_and_every_short_header_is_refused() {
        let path = Path::new("file");
        let header = FileHeader { magic: MAGIC, version: 3, extra: [7; 16] };
        let bytes = header.to_bytes();
        assert_eq!(FileHeader::parse(path, &bytes, MAGIC, 3).ok(), Some(header));
        for bit in 0..HEADER_LEN * 8 {
            let mut bad = bytes;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(FileHeader::parse(path, &bad, MAGIC, 3).is_err(), "bit {bit}");
        }
        for len in 0..HEADER_LEN {
            assert!(FileHeader::parse(path, &bytes[..len], MAGIC, 3).is_err());
        }
        assert!(matches!(FileHeader::parse(path, &bytes, MAGIC, 4), Err(Error::Version { found: 3, .. })));
    }
}
