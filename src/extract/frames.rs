//! What goes through the pipes between the application and the child.
//!
//! A frame is its length as a little-endian u32 and so many bytes. To the child: its [`Limits`], then a path for each
//! file. From the child for each file: a [`Reply`] for each thing found, and [`Reply::End`]; behind a [`Reply::Text`]
//! the text's bytes.

#[cfg(feature = "formats")]
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
#[cfg(feature = "formats")]
use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::text::{ExtractedText, Unreadable};

/// The longest frame that is read: a document's text as JSON.
const LONGEST: u32 = 1 << 30;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Limits {
    /// What the child may hold.
    pub(super) memory_bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Extracted {
        path: String,
        extracted: ExtractedText,
    },
    /// The bytes are the next frame.
    Text {
        path: String,
    },
    Unreadable {
        path: String,
        why: Unreadable,
    },
    /// The file is read, or not to its end.
    End(Result<(), Unreadable>),
}

pub(super) fn write(to: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).ok().filter(|&length| length <= LONGEST);
    let length = length.ok_or_else(|| io::Error::other("a text of more than a gigabyte"))?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)
}

/// `None` at the end of the stream.
pub(super) fn read(from: &mut dyn Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::Error::other("a frame that is too long"));
    }
    let mut bytes = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Ok(None);
    }
    Ok(Some(bytes))
}

pub(super) fn write_json(to: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    write(to, &serde_json::to_vec(value)?)
}

pub(super) fn read_json<T: DeserializeOwned>(from: &mut dyn Read) -> io::Result<Option<T>> {
    Ok(read(from)?.map(|bytes| serde_json::from_slice(&bytes)).transpose()?)
}

#[cfg(unix)]
pub(super) fn path_bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(all(unix, feature = "formats"))]
pub(super) fn path_of(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
pub(super) fn path_bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

#[cfg(all(not(unix), feature = "formats"))]
pub(super) fn path_of(bytes: Vec<u8>) -> PathBuf {
    OsString::from(String::from_utf8_lossy(&bytes).into_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_and_a_broken_one_ends_the_stream() {
        let mut stream = Vec::new();
        write(&mut stream, b"abc").unwrap();
        write_json(&mut stream, &Reply::Text { path: "a/ä".into() }).unwrap();
        let mut from = stream.as_slice();
        assert_eq!(read(&mut from).unwrap(), Some(b"abc".to_vec()));
        assert!(matches!(read_json(&mut from).unwrap(), Some(Reply::Text { path }) if path == "a/ä"));
        assert_eq!(read(&mut from).unwrap(), None);
        assert_eq!(read(&mut &stream[..6]).unwrap(), None, "cut short");
        assert!(read(&mut &b"\xff\xff\xff\xff"[..]).is_err());
    }
}
