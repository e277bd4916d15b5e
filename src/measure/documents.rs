//! Adding a collection's documents to an index.

use std::mem::take;
use std::ops::ControlFlow;
use std::time::Instant;

use serde::Serialize;

use super::progress::Progress;
use super::test_set::TestSet;
use crate::error::Result;
use crate::eval;
use crate::{AddOptions, Document, Engine};

/// Documents that are added in one commit.
const COMMIT: usize = 512;

/// What adding a collection to an index took.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[non_exhaustive]
pub struct Added {
    /// Documents that were encoded. Those that the index had, or whose vectors were kept, are not counted.
    pub documents: usize,
    /// Wall time.
    pub seconds: f64,
}

impl TestSet {
    /// Adds the documents that the index lacks. Of an id that comes more than once, the last document counts. Documents
    /// without a text are left out.
    pub(super) fn add_to(&self, engine: &Engine, progress: &mut dyn FnMut(Progress)) -> Result<Added> {
        let started = Instant::now();
        let mut commit = Commit::new(engine, self.inventory.text_bytes());
        for (place, document) in self.collection.documents()?.enumerate() {
            let document = document?;
            commit.bytes += document.bytes();
            if self.inventory.counts(place, &document.id) && !is_empty(&document) {
                commit.documents.push(Document::new(document.id, document.text).with_title(document.title));
            }
            if commit.documents.len() >= COMMIT {
                commit.add(progress)?;
            }
        }
        commit.add(progress)?;
        let seconds = started.elapsed().as_secs_f64();
        // What is measured is the index as it will stay, and the process may end soon.
        engine.merge_segments(&mut |done, total| {
            progress(Progress::Merging { done, total });
            ControlFlow::Continue(())
        })?;
        Ok(Added { documents: commit.encoded, seconds })
    }
}

fn is_empty(document: &eval::Document) -> bool {
    document.text.trim().is_empty() && document.title.trim().is_empty()
}

/// The documents of the next commit, and what those before came to.
struct Commit<'a> {
    engine: &'a Engine,
    documents: Vec<Document>,
    /// Bytes of text that were read since the last commit, those of documents left out too.
    bytes: u64,
    bytes_before: u64,
    total_bytes: u64,
    encoded: usize,
}

impl<'a> Commit<'a> {
    fn new(engine: &'a Engine, total_bytes: u64) -> Commit<'a> {
        Commit { engine, documents: Vec::new(), bytes: 0, bytes_before: 0, total_bytes, encoded: 0 }
    }

    fn add(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let (before, bytes, total_bytes) = (self.bytes_before, take(&mut self.bytes), self.total_bytes);
        let (documents, all) = (take(&mut self.documents), self.encoded);
        let asked = documents.len();
        let mut encoded = 0;
        let added = self.engine.add_with(documents, &AddOptions::default(), &mut |chunks| {
            encoded += chunks;
            let bytes = before + share(bytes, encoded, asked);
            progress(Progress::Adding { bytes, total_bytes, encoded: all + encoded });
            ControlFlow::Continue(())
        })?;
        self.encoded += added.chunks_encoded;
        // All of them, those that the index had already too.
        self.bytes_before += bytes;
        progress(Progress::Adding { bytes: self.bytes_before, total_bytes, encoded: self.encoded });
        Ok(())
    }
}

/// The bytes of `done` documents of `all` that have `bytes` together, as if all were of the same length.
fn share(bytes: u64, done: usize, all: usize) -> u64 {
    bytes * done.min(all) as u64 / all.max(1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_a_commit_grows_to_all_of_it() {
        let shares: Vec<u64> = [0, 128, 256, 300].into_iter().map(|done| share(1000, done, 256)).collect();
        assert_eq!(shares, [0, 500, 1000, 1000]);
        assert_eq!(share(0, 0, 0), 0);
    }
}
