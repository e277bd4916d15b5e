//! Which queries ask for the same, and which documents say the same.

use super::passages::Passages;
use crate::error::{Error, Result};
use crate::feedback::Impression;
use crate::negatives::Likeness;
use crate::search::Snapshot;

/// How many of the first [`SHOWN`] documents two answers have in common if their queries ask for the same.
const SHARED: usize = 3;
const SHOWN: usize = 10;
/// In an index of fewer passages any two answers have documents in common.
const LEAST_CHUNKS: u64 = 100;
/// The least cosine of two queries that ask for the same. On four collections 33 to 100 % of the pairs of queries with
/// a common answer have it, and 3 to 8 % of the others.
const COSINE: f32 = 0.3;

/// Likeness by content and by the serving encoder.
pub(super) struct Alike<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) passages: &'a Passages<'a>,
    /// The first failure. After it nothing is like anything else.
    pub(super) failure: Option<Error>,
}

/// Whether two queries that one session asked one after the other ask for the same: by the documents that both found,
/// or by their vectors.
pub(crate) fn is_same_need(snapshot: &Snapshot, before: &Impression, after: &Impression) -> Result<bool> {
    let shown = |one: &Impression| one.hits.iter().take(SHOWN).map(|hit| hit.document.clone()).collect();
    let (first, second): (Vec<String>, Vec<String>) = (shown(before), shown(after));
    let shared = first.iter().filter(|document| second.contains(document)).count();
    if shared >= SHARED && snapshot.lexical.chunk_count() >= LEAST_CHUNKS {
        return Ok(true);
    }
    let generation = &snapshot.pinned.generation;
    let (a, b) = (generation.encode_query(before.searched())?, generation.encode_query(after.searched())?);
    Ok(a.iter().zip(b.iter()).map(|(x, y)| x * y).sum::<f32>() >= COSINE)
}

impl Alike<'_> {
    fn or_failure(&mut self, found: Result<bool>) -> bool {
        found.unwrap_or_else(|error| {
            self.failure.get_or_insert(error);
            false
        })
    }
}

impl Likeness for Alike<'_> {
    fn is_same_need(&mut self, before: &Impression, after: &Impression) -> bool {
        if self.failure.is_some() {
            return false;
        }
        let same = is_same_need(self.snapshot, before, after);
        self.or_failure(same)
    }

    fn is_there(&mut self, document: &str) -> bool {
        let found = self.passages.is_there(document);
        self.or_failure(found)
    }

    fn is_duplicate(&mut self, positive: &str, candidate: &str) -> bool {
        let same = self.passages.same_content(positive, candidate);
        self.or_failure(same)
    }
}
