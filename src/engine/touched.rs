//! Files that were touched: their content is the one that is indexed, and their time is another.

use std::time::SystemTime;

use serde_json::{Map, Value};

use super::writer::Writer;
use crate::error::Result;
use crate::lexical::{ChunkRecord, Date, LexicalSnapshot};

/// The chunks of such files, with their new time. They keep their ids, and so their vectors.
#[derive(Debug, Default)]
pub(super) struct Touched {
    chunks: Vec<ChunkRecord>,
}

impl Touched {
    /// Takes up a document whose file was changed at `modified`. Returns how many chunks are to be written for it: none
    /// if the index has that time.
    pub(super) fn add(
        &mut self,
        index: &LexicalSnapshot,
        document: &str,
        modified: SystemTime,
    ) -> Result<usize> {
        let Some(first) = index.first_chunk_of(document)? else { return Ok(0) };
        let Some(metadata) = changed_at(&first.metadata, modified) else { return Ok(0) };
        let before = self.chunks.len();
        let chunks = index.chunks_of(document)?.into_iter();
        self.chunks.extend(chunks.map(|chunk| ChunkRecord { metadata: metadata.clone(), ..chunk }));
        Ok(self.chunks.len() - before)
    }

    /// Commits the new times of those documents that `index`, the writer's last commit, has as they were. Returns
    /// whether there is a commit.
    pub(super) fn commit(&mut self, index: &LexicalSnapshot, writer: &mut Writer) -> Result<bool> {
        let mut chunks = std::mem::take(&mut self.chunks);
        let mut last: Option<(String, bool)> = None;
        let mut failed = Ok(());
        chunks.retain(|chunk| match &last {
            Some((document, same)) if *document == chunk.document => *same,
            _ => {
                let digest = index.document_digest(&chunk.document);
                let same = digest.map(|digest| digest == Some(chunk.document_digest));
                let same = same.unwrap_or_else(|error| {
                    failed = Err(error);
                    false
                });
                last = Some((chunk.document.clone(), same));
                same
            }
        });
        failed?;
        if chunks.is_empty() {
            return Ok(false);
        }
        writer.rewrite(&chunks)?;
        Ok(true)
    }
}

/// The metadata of a document of a folder with another time. `None` if it has that.
fn changed_at(metadata: &Map<String, Value>, modified: SystemTime) -> Option<Map<String, Value>> {
    let now = Value::from(Date::from(modified).to_string());
    let before = metadata.get("modified").filter(|before| **before != now)?;
    let mut changed = metadata.clone();
    // A document that says no date of its own is as old as its file.
    if metadata.get("date") == Some(before) {
        changed.insert("date".into(), now.clone());
    }
    changed.insert("modified".into(), now);
    Some(changed)
}
