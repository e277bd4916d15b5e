//! Damaged parts of the log.

use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Bytes of a segment that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogDamage {
    /// The segment's file name.
    pub segment: String,
    /// Offset of the first byte.
    pub start: u64,
    /// Offset after the last byte.
    pub end: u64,
    /// Whether it is an interrupted write at the end, rather than corrupted bytes.
    pub torn: bool,
}

impl LogDamage {
    pub(super) fn new(path: &Path, range: &Range<usize>, torn: bool) -> LogDamage {
        let segment = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        LogDamage { segment, start: range.start as u64, end: range.end as u64, torn }
    }
}
