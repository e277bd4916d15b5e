//! Reading in the application's own process.

use std::ops::ControlFlow;
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
        unpack::source(name.into(), source, unpack::Budget::of(bytes.len() as u64), &mut |found| {
            give(found);
            Ok(())
        })
    }
}

impl Extractor for InProcess {
    fn extract(&self, file: &Path, give: &mut dyn FnMut(Found) -> ControlFlow<()>) -> Result<(), Unreadable> {
        let mut ended = false;
        let done = unpack::file(file, &mut |found| {
            ended = ended || give(found).is_break();
            if ended { Err(Unreadable::Failed("nobody wants more of it".into())) } else { Ok(()) }
        });
        if ended { Ok(()) } else { done }
    }
}
