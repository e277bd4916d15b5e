//! Reading in the application's own process.

use std::path::Path;

use super::extractor::{Extractor, Found};
use super::text::Unreadable;
use super::unpack;

/// Reads in the process of the application: for files that it trusts. Hostile ones may end the process.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct InProcess;

#[cfg(any(test, feature = "fuzzing"))]
impl InProcess {
    /// Reads bytes as a file with this name.
    pub(crate) fn read_bytes(
        &self,
        name: &str,
        bytes: &[u8],
        give: &mut dyn FnMut(Found),
    ) -> Result<(), Unreadable> {
        let source = &mut std::io::Cursor::new(bytes);
        unpack::source(name.into(), bytes.len() as u64, source, &mut |found| {
            give(found);
            Ok(())
        })
    }
}

impl Extractor for InProcess {
    fn extract(&self, file: &Path, give: &mut dyn FnMut(Found)) -> Result<(), Unreadable> {
        unpack::file(file, &mut |found| {
            give(found);
            Ok(())
        })
    }
}
