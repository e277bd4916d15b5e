//! Envelopes: small JSON files with one line of magic, version and checksum before the JSON.
//!
//! ```text
//! retune <kind> <version> <crc32 of the rest, 8 hexadecimal digits>\n
//! { … }
//! ```

use std::fs;
use std::io::{self, BufRead as _, Read as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::atomic::{write_atomic, write_private};
use crate::error::{Error, Result};

/// The first line is shorter.
const LONGEST_HEADER: u64 = 256;

/// The remedy that always works; the feedback log is kept. A macro, so that `concat!` can put more text before it.
macro_rules! rebuild {
    () => {
        "restore it from a backup, or remove `generations`, `lexical` and `retune.json` from the index folder and \
         index the documents again; the judgements are kept"
    };
}
pub(crate) use rebuild;

/// Atomically replaces the file `path` by an envelope with `value` as JSON.
pub(crate) fn write_envelope<T: Serialize>(path: &Path, kind: &str, version: u32, value: &T) -> Result<()> {
    write_atomic(path, &envelope(path, kind, version, serde_json::to_string_pretty(value))?)
}

/// As [`write_envelope`], for its owner alone, and for whoever may write into its folder.
pub(crate) fn write_private_envelope<T: Serialize>(
    path: &Path,
    kind: &str,
    version: u32,
    value: &T,
) -> Result<()> {
    write_private(path, &envelope(path, kind, version, serde_json::to_string_pretty(value))?)
}

/// As [`write_envelope`], on one line: for large files that nobody reads.
pub(crate) fn write_compact_envelope<T: Serialize>(
    path: &Path,
    kind: &str,
    version: u32,
    value: &T,
) -> Result<()> {
    write_atomic(path, &envelope(path, kind, version, serde_json::to_string(value))?)
}

fn envelope(path: &Path, kind: &str, version: u32, json: serde_json::Result<String>) -> Result<Vec<u8>> {
    let json = json.map_err(|e| Error::io("serialise", path)(e.into()))?;
    let crc = crc32fast::hash(json.as_bytes());
    Ok(format!("retune {kind} {version} {crc:08x}\n{json}").into_bytes())
}

/// The JSON of an envelope, to be read in part: its checksum is not verified. `None` for a file of another version.
pub(crate) fn open_envelope(
    path: &Path,
    kind: &str,
    version: u32,
) -> io::Result<Option<impl io::Read + use<>>> {
    let mut file = io::BufReader::with_capacity(1 << 16, fs::File::open(path)?);
    let mut line = String::new();
    file.by_ref().take(LONGEST_HEADER).read_line(&mut line)?;
    Ok(line.starts_with(&format!("retune {kind} {version} ")).then_some(file))
}

/// Reads an envelope. `Ok(None)` if the file does not exist.
pub(crate) fn read_envelope<T: DeserializeOwned>(path: &Path, kind: &str, version: u32) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("read", path)(e)),
    };
    let damaged = |found: String, expected: String| Error::Damaged {
        path: path.to_path_buf(),
        found,
        expected,
        remedy: rebuild!(),
    };
    let (line, json) = text.split_once('\n').unwrap_or((&text, ""));
    let words: Vec<&str> = line.split(' ').collect();
    let ["retune", found_kind, found_version, crc] = words[..] else {
        return Err(damaged("no header line".into(), format!("\"retune {kind} {version} …\"")));
    };
    if found_kind != kind {
        return Err(damaged(format!("a file of kind {found_kind}"), kind.into()));
    }
    let expected = format!("{:08x}", crc32fast::hash(json.as_bytes()));
    if crc != expected {
        return Err(damaged(format!("checksum {crc}"), expected));
    }
    match found_version.parse::<u32>() {
        Ok(found) if found == version => {}
        Ok(found) => return Err(Error::Version { path: path.to_path_buf(), found, supported: version }),
        Err(_) => return Err(damaged(format!("version {found_version}"), "a number".into())),
    }
    serde_json::from_str(json).map(Some).map_err(|e| damaged(e.to_string(), format!("a {kind}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_was_written_and_refuses_any_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file.json");
        assert_eq!(read_envelope::<Vec<u32>>(&path, "numbers", 1).unwrap(), None);
        write_envelope(&path, "numbers", 1, &vec![1, 2, 3]).unwrap();
        assert_eq!(read_envelope::<Vec<u32>>(&path, "numbers", 1).unwrap(), Some(vec![1, 2, 3]));
        assert!(matches!(read_envelope::<Vec<u32>>(&path, "numbers", 2), Err(Error::Version { .. })));
        assert!(read_envelope::<Vec<u32>>(&path, "letters", 1).is_err());
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(read_envelope::<Vec<u32>>(&path, "numbers", 1).is_err(), "byte {at}");
        }
    }
}
