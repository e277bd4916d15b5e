//! A query of the index of this machine.

use std::ops::Range;

use crate::clock::timed;
use crate::dense::DenseView;
use crate::error::Result;
use crate::ids::{ChunkId, ChunkSet};
use crate::lexical::{ChunkRecord, LexicalSnapshot, Matching, Prepared};
use crate::store::proposal::{Nearest, Proposed, Times, Wanted};
use crate::store::state::{Counts, Found, StoreQuery};

/// A query that was looked up in a snapshot.
pub(crate) struct EmbeddedQuery<'s> {
    pub(super) lexical: &'s LexicalSnapshot,
    pub(super) dense: &'s DenseView,
    pub(super) words: Prepared<'s>,
    /// The chunks that it may find; `None` for all.
    pub(super) allowed: Option<Matching>,
}

impl StoreQuery for EmbeddedQuery<'_> {
    fn has_words(&self) -> bool {
        self.words.has_words()
    }

    fn ceiling(&self) -> f32 {
        self.words.ceiling()
    }

    fn propose(&self, wanted: Wanted<'_>) -> Result<Proposed> {
        let (vectors, mut times) = (self.dense, Times::default());
        let nearest = match (wanted.nearest, wanted.vector) {
            (Nearest::Known(nearest), _) => nearest,
            (Nearest::Best(most), Some(vector)) => timed(&mut times.dense, || {
                vectors.search(vector, most, self.allowed.as_ref().map(|allowed| allowed as &dyn ChunkSet))
            })?,
            (Nearest::Best(_), None) => Vec::new(),
        };
        let by_words = match wanted.words {
            0 => Vec::new(),
            most => timed(&mut times.lexical, || self.words.search(most, self.allowed.as_ref()))?,
        };
        let (found, least_lexical) = (by_words.len(), by_words.last().map_or(0.0, |&(_, score)| score));
        let mut chunks: Vec<ChunkId> = by_words.iter().chain(&nearest).map(|&(chunk, _)| chunk).collect();
        chunks.sort_unstable();
        chunks.dedup();
        let lexical =
            timed(&mut times.lexical, || complete(&chunks, by_words, |others| self.words.score(others)))?;
        let known = nearest.iter().map(|&(chunk, score)| (chunk, Some(score))).collect();
        let dense = match wanted.vector {
            Some(vector) => {
                timed(&mut times.dense, || complete(&chunks, known, |others| vectors.score(vector, others)))?
            }
            None => vec![None; chunks.len()],
        };
        Ok(Proposed { chunks, lexical, dense, nearest, by_words: found, cut: false, least_lexical, times })
    }

    fn record(&self, chunk: ChunkId) -> Result<Option<ChunkRecord>> {
        self.lexical.get(chunk)
    }

    fn highlight(&self, chunk: &ChunkRecord) -> Vec<Range<usize>> {
        self.words.highlight(chunk)
    }

    fn count(&self, found: Found<'_>, facets: &[String]) -> Result<Counts> {
        let lexical = self.lexical;
        let chunks = match found {
            Found::These(chunks) => lexical.set_of(chunks.iter().copied()),
            Found::WithWordsAnd(chunks) => {
                let others = lexical.set_of(chunks.iter().copied());
                self.words.containing(self.allowed.as_ref())?.union(&others)
            }
        };
        let documents = lexical.one_per_document(&chunks)?;
        let facets = facets.iter().map(|field| Ok((field.clone(), lexical.facet(field, &documents)?)));
        Ok(Counts { total: Some(documents.len()), facets: facets.collect::<Result<_>>()? })
    }
}

/// The score of each chunk: the known one, or else that of `score`.
fn complete<S: Copy>(
    chunks: &[ChunkId],
    mut known: Vec<(ChunkId, S)>,
    score: impl FnOnce(&[ChunkId]) -> Result<Vec<S>>,
) -> Result<Vec<S>> {
    known.sort_unstable_by_key(|&(chunk, _)| chunk);
    let known = |chunk| Some(known[known.binary_search_by_key(&chunk, |&(chunk, _)| chunk).ok()?].1);
    let others: Vec<ChunkId> = chunks.iter().copied().filter(|&chunk| known(chunk).is_none()).collect();
    let mut others = score(&others)?.into_iter();
    Ok(chunks.iter().filter_map(|&chunk| known(chunk).or_else(|| others.next())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scores_that_are_not_known_are_asked_for() {
        let [first, second, third, fourth] = [1, 2, 5, 9].map(ChunkId);
        let scores = complete(&[first, second, third, fourth], vec![(third, 0.5), (first, 0.1)], |others| {
            assert_eq!(others, [second, fourth]);
            Ok(vec![0.2, 0.9])
        });
        assert_eq!(scores.unwrap(), [0.1, 0.2, 0.5, 0.9]);
    }
}
