//! `adapter.bin`: a low-rank map of the vectors of queries, in a generation's folder.
//!
//! | bytes | content |
//! |---|---|
//! | 0..32 | [`FileHeader`]: magic `RETUNEQA`, version 1, numbers of a vector and rank as u32, eight zero bytes |
//! | then | U, then V: column after column, f32 |
//! | last 4 | CRC-32 (IEEE) of the numbers |
//!
//! All little endian. `generation.json` has the file's SHA-256.

use std::path::{Path, PathBuf};

use super::sealed::{self, damaged, floats, number};
use crate::encoder::Adapter;
use crate::error::Result;
use crate::ids::Digest;
use crate::storage::FileHeader;

const MAGIC: [u8; 8] = *b"RETUNEQA";
const VERSION: u32 = 1;

/// Where the file lies in the folder of its generation.
pub(super) fn path(generation: &Path) -> PathBuf {
    generation.join("adapter.bin")
}

/// Writes the file and gives its SHA-256.
pub(super) fn write(generation: &Path, adapter: &Adapter) -> Result<Digest> {
    let mut extra = [0; 16];
    extra[..4].copy_from_slice(&(adapter.width() as u32).to_le_bytes());
    extra[4..8].copy_from_slice(&(adapter.rank() as u32).to_le_bytes());
    let numbers: Vec<u8> =
        adapter.u.iter().chain(&adapter.v).flat_map(|number| number.to_le_bytes()).collect();
    sealed::write(&path(generation), FileHeader { magic: MAGIC, version: VERSION, extra }, &numbers)
}

/// Reads the file that was published with this SHA-256, a map of vectors of `width` numbers.
///
/// # Errors
/// [`Error::Damaged`](crate::Error::Damaged) where it is missing, another or not whole;
/// [`Error::Version`](crate::Error::Version) for one of another version.
pub(super) fn read(generation: &Path, published: Digest, width: usize) -> Result<Adapter> {
    let path = path(generation);
    let (extra, body) = sealed::read(&path, MAGIC, VERSION, published)?;
    let (found, rank) = (number(&extra, 0), number(&extra, 4));
    let factors = floats(&body);
    if found != width || factors.len() != 2 * width * rank {
        let found = format!("{} numbers for vectors of {found} and rank {rank}", factors.len());
        return Err(damaged(&path, found, published));
    }
    let (u, v) = factors.split_at(width * rank);
    Adapter::new(width, u.to_vec(), v.to_vec()).map_err(|error| damaged(&path, error.to_string(), published))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::storage::HEADER_LEN;
    use std::fs;

    fn adapter() -> Adapter {
        Adapter::new(3, vec![0.5, -1.0, 2.0, 0.0, 0.25, 4.0], vec![1.0, 2.0, 3.0, -4.0, 5.0, 6.5]).unwrap()
    }

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let digest = write(folder.path(), &adapter()).unwrap();
        assert_eq!(read(folder.path(), digest, 3).unwrap(), adapter());
        let elsewhere = tempfile::tempdir().unwrap();
        sealed::hand_on(&path(folder.path()), &path(elsewhere.path())).unwrap();
        assert_eq!(read(elsewhere.path(), digest, 3).unwrap(), adapter());
        assert!(matches!(read(folder.path(), digest, 6), Err(Error::Damaged { .. })), "another width");
    }

    #[test]
    fn every_flipped_bit_every_cut_and_another_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let digest = write(folder.path(), &adapter()).unwrap();
        let path = path(folder.path());
        let whole = fs::read(&path).unwrap();
        assert_eq!(whole.len(), HEADER_LEN + 2 * 6 * 4 + 4);
        let refused = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            matches!(read(folder.path(), digest, 3), Err(Error::Damaged { .. } | Error::Version { .. }))
        };
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(refused(&bytes), "bit {bit}");
        }
        (0..whole.len()).for_each(|len| assert!(refused(&whole[..len]), "{len} bytes"));
        assert!(refused(&[&whole[..], &[0]].concat()));
        write(folder.path(), &Adapter::new(3, vec![0.0; 3], vec![0.0; 3]).unwrap()).unwrap();
        assert!(read(folder.path(), digest, 3).is_err(), "sound, but another");
        fs::remove_file(&path).unwrap();
        assert!(matches!(read(folder.path(), digest, 3), Err(Error::Damaged { .. })));
    }
}
