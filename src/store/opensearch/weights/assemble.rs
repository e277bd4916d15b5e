//! Puts the files of an encoder together of their parts.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::stored::{Part, StoredEncoder, StoredFile};
use crate::error::{Error, Result};
use crate::ids::Digest;

/// Writes all files below `folder`, part by part; `fetch` gives the bytes of a part. What an attempt before this one
/// has left there goes on being used, as far as it is what it should be. Holds one part in memory. Durable it is not.
///
/// # Errors
/// [`Error::Damaged`] for a file whose parts are right and which is not.
pub(super) fn assemble(
    encoder: &StoredEncoder,
    folder: &Path,
    fetch: &mut dyn FnMut(&Part<'_>) -> Result<Vec<u8>>,
) -> Result<()> {
    for (name, stored) in &encoder.files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io("create the folder", parent))?;
        }
        write(encoder, name, stored, &path, fetch)?;
    }
    Ok(())
}

fn write(
    encoder: &StoredEncoder,
    name: &str,
    stored: &StoredFile,
    path: &Path,
    fetch: &mut dyn FnMut(&Part<'_>) -> Result<Vec<u8>>,
) -> Result<()> {
    let failed = || Error::io("write", path);
    let opened = File::options().read(true).write(true).create(true).truncate(false).open(path);
    let mut file = opened.map_err(failed())?;
    let (mut all, mut end, mut left) = (Sha256::new(), 0, true);
    for part in encoder.parts_of(name, stored) {
        if left {
            let mut there = Vec::new();
            (&file).take(part.bytes as u64).read_to_end(&mut there).map_err(failed())?;
            if Digest::of(&there) == part.sha256 {
                all.update(&there);
                end += there.len() as u64;
                continue;
            }
            left = false;
            file.set_len(end).map_err(failed())?;
            file.seek(SeekFrom::Start(end)).map_err(failed())?;
        }
        let bytes = fetch(&part)?;
        file.write_all(&bytes).map_err(failed())?;
        all.update(&bytes);
        end += bytes.len() as u64;
    }
    if file.metadata().map_err(failed())?.len() != end {
        file.set_len(end).map_err(failed())?;
    }
    let found = Digest(all.finalize().into());
    match found == stored.sha256 {
        true => Ok(()),
        false => Err(Error::Damaged {
            path: path.to_path_buf(),
            found: format!("SHA-256 {found}"),
            expected: format!("SHA-256 {}, as the manifest of the generation says", stored.sha256),
            remedy: "migrate the index again",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::stored::tests::encoder;
    use super::*;
    use crate::encoder::WEIGHTS;

    /// The bytes of a part of what lies in a folder.
    fn part_of(folder: &Path, part: &Part<'_>) -> Vec<u8> {
        let bytes = fs::read(folder.join(part.file)).unwrap();
        bytes[10 * part.number..][..part.bytes].to_vec()
    }

    #[test]
    fn what_was_cut_short_is_taken_up_behind_the_last_part_that_is_right() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let stored = encoder(from.path());
        let mut fetched = 0;
        let cut = assemble(&stored, to.path(), &mut |part| {
            fetched += 1;
            match (part.file, part.number) {
                (WEIGHTS, 2) => Err(Error::Cancelled { doing: "the test" }),
                _ => Ok(part_of(from.path(), part)),
            }
        });
        assert!(matches!(cut, Err(Error::Cancelled { .. })));
        // Its last write came to the disk in part, and behind it stands something else.
        let mut half = fs::read(to.path().join(WEIGHTS)).unwrap();
        half[15] ^= 1;
        half.extend([0; 30]);
        fs::write(to.path().join(WEIGHTS), half).unwrap();
        let mut again = Vec::new();
        assemble(&stored, to.path(), &mut |part| {
            again.push((part.file.to_string(), part.number));
            Ok(part_of(from.path(), part))
        })
        .unwrap();
        assert_eq!((fetched, again), (4, vec![(WEIGHTS.into(), 1), (WEIGHTS.into(), 2)]));
        for name in stored.files.keys() {
            assert_eq!(fs::read(to.path().join(name)).unwrap(), fs::read(from.path().join(name)).unwrap());
        }
    }

    #[test]
    fn parts_in_another_order_make_no_file() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut stored = encoder(from.path());
        stored.files.get_mut(WEIGHTS).unwrap().parts.swap(0, 1);
        let wrong = assemble(&stored, to.path(), &mut |part| {
            let number = if part.file == WEIGHTS { [1, 0, 2][part.number] } else { part.number };
            Ok(part_of(from.path(), &Part { number, ..*part }))
        });
        assert!(matches!(&wrong, Err(Error::Damaged { path, .. }) if path.ends_with(WEIGHTS)), "{wrong:?}");
    }
}
