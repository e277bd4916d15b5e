//! An index of an earlier version is made anew, from the texts that it holds.

use std::ops::ControlFlow;
use std::path::Path;

use super::index::LexicalIndex;
use super::marker::Marker;
use crate::error::{Error, Result};
use crate::storage;

impl LexicalIndex {
    /// Opens the index in the folder `path` for writing; `None` if there is no such folder. One of an earlier version
    /// is made anew first: chunks, their ids and the payload stay. Nobody else may be writing. `progress` gets (chunks
    /// done, chunks in all), and may break.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if it breaks: the old index stays.
    pub(crate) fn open_for_writing(
        path: &Path,
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<Option<LexicalIndex>> {
        storage::restore_folder(path)?;
        if !path.exists() {
            return Ok(None);
        }
        let marker = Marker::read(path)?;
        if !marker.is_current() {
            renew(path, &marker, progress)?;
        }
        LexicalIndex::open(path).map(Some)
    }
}

fn renew(
    path: &Path,
    marker: &Marker,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<()> {
    let old = LexicalIndex::open_marked(path, marker)?;
    let chunks = old.snapshot()?;
    tracing::warn!(
        folder = %path.display(),
        chunks = chunks.chunk_count(),
        "an earlier version of retune made this lexical index: it is made anew from its own texts"
    );
    let draft = LexicalIndex::draft(path, marker.language)?;
    let new = LexicalIndex::open(&draft)?;
    let mut writer = new.writer()?;
    let (mut done, total) = (0, chunks.live_chunks().len());
    chunks.all_chunks(&mut |record| {
        writer.add(&record)?;
        done += 1;
        match progress(done, total) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled { doing: "making the lexical index anew" }),
        }
    })?;
    writer.commit(&old.payload()?)?;
    writer.close()?;
    // Windows renames no folder with files that are open.
    drop((old, chunks, new));
    storage::replace_folder(&draft, path)
}
