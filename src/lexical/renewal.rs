//! An index of an earlier version is made anew, from the texts that it holds.

use std::path::Path;

use super::index::LexicalIndex;
use super::marker::Marker;
use crate::error::Result;
use crate::storage;

impl LexicalIndex {
    /// Opens the index in the folder `path` for writing; `None` if there is no such folder. One of an earlier version
    /// is made anew first: chunks, their ids and the payload stay. Nobody else may be writing.
    pub(crate) fn open_for_writing(path: &Path) -> Result<Option<LexicalIndex>> {
        storage::restore_folder(path)?;
        if !path.exists() {
            return Ok(None);
        }
        let marker = Marker::read(path)?;
        if !marker.is_current() {
            renew(path, &marker)?;
        }
        LexicalIndex::open(path).map(Some)
    }
}

fn renew(path: &Path, marker: &Marker) -> Result<()> {
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
    chunks.all_chunks(&mut |record| writer.add(&record))?;
    writer.commit(&old.payload()?)?;
    writer.close()?;
    // Windows renames no folder with files that are open.
    drop((old, chunks, new));
    storage::replace_folder(&draft, path)
}
