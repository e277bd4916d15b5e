//! Checksums of the index's files: nothing is parsed before its checksum was found right.
//!
//! Files of segments end with a footer of tantivy's that has a CRC-32 of what precedes it. tantivy checks it only when
//! it is asked to, and trusts lengths that it reads. Its two JSON files have no checksum: a last line with one is ours.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use tantivy::HasLen as _;
use tantivy::directory::footer::Footer;
use tantivy::directory::{FileHandle, FileSlice};

/// What a last line begins with. Behind it stand eight hexadecimal digits and a line feed.
const SEAL: &str = "\nretune-crc32 ";
/// The length and the magic of tantivy's footer.
const FOOTER_END_BYTES: usize = 8;
/// What is read at once.
const BUFFER_BYTES: usize = 256 << 10;
const SEAL_BYTES: usize = SEAL.len() + 9;

/// Compares the segment's file `path`, of which `mapped` is the mapping, with the checksum in its footer.
///
/// The file is read, not the mapping: that stays out of memory, and a disk that can't be read gives an error.
pub(super) fn verify(path: &Path, mapped: Arc<dyn FileHandle>) -> io::Result<()> {
    // tantivy reads so much of the end without a look at the length.
    if mapped.len() < FOOTER_END_BYTES {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it is damaged: it has been cut short"));
    }
    let (footer, content) = Footer::extract_footer(FileSlice::new(mapped))?;
    let mut file = File::open(path)?.take(content.len() as u64);
    let (mut buffer, mut hasher) = (vec![0; BUFFER_BYTES], crc32fast::Hasher::new());
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => hasher.update(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let found = hasher.finalize();
    match found == footer.crc {
        true => Ok(()),
        false => Err(mismatch(found, &format!("{:08x}", footer.crc))),
    }
}

/// `content` with its checksum in a line behind it.
pub(super) fn seal(content: &[u8]) -> Vec<u8> {
    let mut sealed = content.to_vec();
    sealed.extend_from_slice(format!("{SEAL}{:08x}\n", crc32fast::hash(content)).as_bytes());
    sealed
}

/// Takes off what [`seal`] has put behind the content.
pub(super) fn unseal(mut sealed: Vec<u8>) -> io::Result<Vec<u8>> {
    let line = sealed.split_off(sealed.len().saturating_sub(SEAL_BYTES));
    let found = crc32fast::hash(&sealed);
    match line == format!("{SEAL}{found:08x}\n").as_bytes() {
        true => Ok(sealed),
        false => Err(mismatch(found, String::from_utf8_lossy(&line).trim())),
    }
}

fn mismatch(found: u32, stands: &str) -> io::Error {
    let message =
        format!("it is damaged: the checksum of its content is {found:08x}, but in it stands {stands:?}");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_taken_off_again_and_no_flipped_bit_is_missed() {
        let sealed = seal(b"{\"a\": 1}\n");
        assert_eq!(unseal(sealed.clone()).unwrap(), b"{\"a\": 1}\n");
        assert_eq!(unseal(seal(b"")).unwrap(), b"");
        for bit in 0..sealed.len() * 8 {
            let mut bad = sealed.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(unseal(bad).is_err(), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(unseal(sealed[..len].to_vec()).is_err(), "cut to {len}");
        }
    }
}
