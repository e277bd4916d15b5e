//! Reads files as text, or finds the reason to skip them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::ids::Digest;

use super::encoding::{Decoded, decode, is_binary};
use super::format::{Format, Kind};
use super::formats::is_man_page;
use super::skip::SkipReason;

/// The bytes of a file that may hold text.
pub(super) struct Content {
    bytes: Vec<u8>,
    kind: Kind,
    /// SHA-256 of all bytes.
    pub(super) digest: Digest,
}

/// How many bytes at the start are checked for binary content.
const SNIFFED_BYTES: usize = 8 << 10;

/// Reads a file. Stops early for files that are too large or obviously binary.
pub(super) fn read(path: &Path, kind: Kind, limit: u64) -> Result<Content, SkipReason> {
    if let Kind::Unsupported(format) = kind {
        return Err(SkipReason::UnsupportedFormat { format: format.to_owned() });
    }
    let unreadable = |error: io::Error| SkipReason::Unreadable { message: error.to_string() };
    let mut file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > limit {
        return Err(SkipReason::TooLarge { bytes: length, limit });
    }
    let mut bytes = Vec::new();
    file.by_ref().take(SNIFFED_BYTES as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.is_empty() {
        return Err(SkipReason::Empty);
    }
    if is_binary(&bytes) {
        return Err(SkipReason::Binary);
    }
    // The file may have grown since its length was read: the limit still holds.
    let rest = (limit + 1).saturating_sub(bytes.len() as u64);
    file.take(rest).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(SkipReason::TooLarge { bytes: bytes.len() as u64, limit });
    }
    let digest = Digest::of(&bytes);
    Ok(Content { bytes, kind, digest })
}

impl Content {
    /// What lies in a container.
    pub(super) fn of(bytes: Vec<u8>, kind: Kind) -> Result<Content, SkipReason> {
        if bytes.is_empty() {
            return Err(SkipReason::Empty);
        }
        if is_binary(&bytes[..bytes.len().min(SNIFFED_BYTES)]) {
            return Err(SkipReason::Binary);
        }
        let digest = Digest::of(&bytes);
        Ok(Content { bytes, kind, digest })
    }

    /// The text, including a byte order mark of UTF-8, and its format.
    pub(super) fn into_text(self) -> Result<(Decoded, Format), SkipReason> {
        match self.kind {
            Kind::Known(format) => Ok((decode(self.bytes, true)?, format)),
            _ => {
                let decoded = decode(self.bytes, false)?;
                let text = &decoded.text;
                let format = match text {
                    _ if is_man_page(text) => Format::Man,
                    #[cfg(feature = "formats")]
                    _ if is_html(text) => Format::Html,
                    _ => Format::Text,
                };
                Ok((decoded, format))
            }
        }
    }
}

/// Whether a text says that it is HTML, whatever its name.
#[cfg(feature = "formats")]
fn is_html(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let begins = |with: &str| start.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    begins("<!doctype html") || begins("<html")
}
