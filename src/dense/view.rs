//! Searches the vectors of a list of chunks that were alive at one moment.

use std::cmp::Reverse;
use std::sync::{Arc, OnceLock};

use super::code::CodeQuery;
use super::coverage::{Coverage, Covered};
use super::directory::skip;
use super::exact::{AHEAD, best_of};
use super::live::{Live, LivePart};
use super::options::DenseOptions;
use super::segment::Segment;
use super::vectors::{Query, Rows};
use crate::error::{Error, Result};
use crate::ids::{ChunkId, ChunkSet};

/// Number of rows that can be scored in sequence in the time that a segment search takes per requested candidate: 19 of
/// 10,000 rows, 25 of 100,000 and 23 of 1,000,000 were measured (docs/performance.md). Decides between graph and exact
/// search.
const GRAPH_COST: usize = 24;
/// The same for the live part: 31 of 10,000 rows.
const LIVE_COST: usize = 32;

/// The vectors of the chunks that were alive at one moment. Cheap to clone, never changes, and outlives its index.
#[derive(Debug, Clone)]
pub(crate) struct DenseView(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) rows: Arc<Rows>,
    /// In the order of their rows.
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) live: Arc<Live>,
    pub(super) options: DenseOptions,
    /// Live chunks that have a vector, ascending.
    pub(super) chunks: Vec<ChunkId>,
    /// Their rows.
    pub(super) row_of: Vec<u32>,
    /// Live chunks without a vector, ascending.
    pub(super) missing: Vec<ChunkId>,
    pub(super) coverage: OnceLock<Coverage>,
}

impl DenseView {
    pub(super) fn new(inner: Inner) -> DenseView {
        DenseView(Arc::new(inner))
    }

    /// Dimensions of a vector.
    pub(crate) fn dimensions(&self) -> usize {
        self.0.rows.layout().dimensions
    }

    /// Returns the best `k` chunks by cosine, best first, ties by ascending id; only chunks in `allowed`, if given.
    /// Fewer than `k` only if fewer chunks are alive and allowed. Ids in `allowed` that are not alive are ignored.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a query with other dimensions, with NaN or infinities, or all zero.
    pub(crate) fn search(
        &self,
        query: &[f32],
        k: usize,
        allowed: Option<&dyn ChunkSet>,
    ) -> Result<Vec<(ChunkId, f32)>> {
        let inner = &*self.0;
        let query = inner.rows.layout().query(query)?;
        let hits = match inner.shortlist(&query, k, allowed) {
            Some(rows) => best_of(&inner.rows, &query, &rows, k),
            None => match allowed {
                None => best_of(&inner.rows, &query, &inner.row_of, k),
                Some(allowed) => {
                    let allowed = allowed.chunks();
                    check_ascending("the list of allowed chunks", &allowed)?;
                    best_of(&inner.rows, &query, &inner.rows_of(&allowed), k)
                }
            },
        };
        Ok(hits.into_iter().map(|hit| (hit.chunk, hit.score.clamp(-1.0, 1.0))).collect())
    }

    /// The cosine of the query and each chunk; `None` for a chunk that is not in the view.
    ///
    /// # Errors
    /// As [`search`](DenseView::search).
    pub(crate) fn score(&self, query: &[f32], chunks: &[ChunkId]) -> Result<Vec<Option<f32>>> {
        let rows = &self.0.rows;
        let query = rows.layout().query(query)?;
        let places: Vec<Option<u32>> = chunks.iter().map(|&chunk| self.row(chunk)).collect();
        let score = |(at, place): (usize, &Option<u32>)| {
            if let Some(&Some(soon)) = places.get(at + AHEAD) {
                rows.prefetch(soon);
            }
            place.map(|row| rows.cosine(row, &query).clamp(-1.0, 1.0))
        };
        Ok(places.iter().enumerate().map(score).collect())
    }

    /// The chunk's vector, of length 1; `None` for a chunk that is not in the view.
    pub(crate) fn vector(&self, chunk: ChunkId) -> Option<Vec<f32>> {
        self.row(chunk).map(|row| self.0.rows.vector(row))
    }

    /// Whether the chunk is alive and has a vector.
    #[cfg(test)]
    pub(crate) fn contains(&self, chunk: ChunkId) -> bool {
        self.row(chunk).is_some()
    }

    /// Number of live chunks with a vector.
    pub(crate) fn len(&self) -> usize {
        self.0.chunks.len()
    }

    /// The rows of those chunks, ascending.
    pub(super) fn rows(&self) -> Vec<u32> {
        let mut rows = self.0.row_of.clone();
        rows.sort_unstable();
        rows
    }

    /// Live chunks with a vector, ascending.
    #[cfg(test)]
    pub(crate) fn chunks(&self) -> &[ChunkId] {
        &self.0.chunks
    }

    /// Live chunks without a vector, or with a damaged one, to be encoded again. Ascending.
    pub(crate) fn missing(&self) -> &[ChunkId] {
        &self.0.missing
    }

    /// The rows that a search for `k` scores, in the graph's order by codes; `None` if that is every row.
    ///
    /// # Errors
    /// As [`search`](DenseView::search).
    #[cfg_attr(not(test), expect(dead_code, reason = "the scale bench shows what scoring it brings"))]
    pub(crate) fn proposed(
        &self,
        query: &[f32],
        k: usize,
        allowed: Option<&dyn ChunkSet>,
    ) -> Result<Option<Vec<ChunkId>>> {
        let rows = &self.0.rows;
        let shortlist = self.0.shortlist(&rows.layout().query(query)?, k, allowed);
        Ok(shortlist.map(|found| found.into_iter().map(|row| rows.chunk(row)).collect()))
    }

    fn row(&self, chunk: ChunkId) -> Option<u32> {
        let chunks = &self.0.chunks;
        // Ids ascend, so a chunk's index is at most its id's distance from the first; equal, if no chunk was removed.
        let furthest = chunk.0.checked_sub(chunks.first()?.0)?.min(chunks.len() as u64 - 1) as usize;
        let at = match chunks[furthest] == chunk {
            true => furthest,
            false => chunks[..furthest].binary_search(&chunk).ok()?,
        };
        Some(self.0.row_of[at])
    }
}

impl Inner {
    /// The rows of the `allowed` chunks that are in the view.
    fn rows_of(&self, allowed: &[ChunkId]) -> Vec<u32> {
        let mut rows = Vec::with_capacity(allowed.len().min(self.chunks.len()));
        let mut at = 0;
        for &chunk in allowed {
            at += skip(&self.chunks[at..], chunk, |&id| id);
            if self.chunks.get(at) == Some(&chunk) {
                rows.push(self.row_of[at]);
            }
        }
        rows
    }

    /// The allowed rows that may be among the best `k`: candidates from the segments and the live part, nearest by code
    /// first, then all rows that have to be scored exactly. `None` if these are all rows.
    fn shortlist(&self, query: &Query, k: usize, allowed: Option<&dyn ChunkSet>) -> Option<Vec<u32>> {
        let candidates = allowed.map_or(self.chunks.len(), |allowed| allowed.len().min(self.chunks.len()));
        let live = self.live.get();
        if k == 0 || candidates <= self.options.exact_below || self.segments.is_empty() && live.is_none() {
            return None;
        }
        let k = k.min(candidates);
        let search = Search {
            view: self,
            code: CodeQuery::vector(query.unit()),
            k,
            enough: self.options.candidates(k),
            allowed,
            candidates,
        };
        let coverage = self.coverage.get_or_init(|| Coverage::new(&self.segments, &self.row_of));
        let (mut proposed, mut exact, mut searched) = (Vec::new(), Vec::new(), false);
        for (segment, covered) in self.segments.iter().zip(&coverage.segments) {
            match search.segment(segment, covered) {
                Some(found) => {
                    searched |= !found.is_empty();
                    proposed.extend(found);
                }
                None => exact.extend(covered.rows().filter(|&row| search.allows(row))),
            }
        }
        search.cut(&mut proposed);
        let mut shortlist: Vec<u32> = proposed.into_iter().map(|(_, row)| row).collect();
        let found = live.as_deref().and_then(|part| Some((part, search.live(part, coverage)?)));
        let others = &coverage.others;
        match found {
            Some((part, found)) => {
                let place = |row: u32| others.partition_point(|&other| other < row);
                let rows = part.rows();
                let missed = part.missed().iter().filter(|row| others.binary_search(row).is_ok());
                let around = others[..place(rows.start)].iter().chain(&others[place(rows.end)..]);
                exact.extend(missed.chain(around).filter(|&&row| search.allows(row)));
                shortlist.extend(found);
                searched = true;
            }
            None => exact.extend(others.iter().filter(|&&row| search.allows(row))),
        }
        shortlist.extend(exact);
        searched.then_some(shortlist)
    }
}

/// A search of a view for candidates.
///
/// Dead and filtered rows are dropped after a graph search: the candidates among the nearest N rows are the nearest
/// candidates for any filter, and N grows with the share that is dropped.
struct Search<'a> {
    view: &'a Inner,
    code: CodeQuery,
    k: usize,
    /// Number of candidates to score with their vectors.
    enough: usize,
    allowed: Option<&'a dyn ChunkSet>,
    /// Upper bound of the number of allowed chunks.
    candidates: usize,
}

impl Search<'_> {
    fn allows(&self, row: u32) -> bool {
        self.allowed.is_none_or(|allowed| allowed.contains(self.view.rows.chunk(row)))
    }

    /// Estimates how many of this many rows are allowed, assuming a uniform filter.
    fn share(&self, rows: usize) -> usize {
        (self.candidates as u64 * rows as u64 / self.view.chunks.len() as u64) as usize
    }

    /// Candidates from a segment. `None` if scoring its rows exactly is cheaper, or if fewer than `k` were found: only
    /// with `k` candidates no other row of the segment can be among the best `k`.
    fn segment(&self, segment: &Segment, covered: &Covered) -> Option<Vec<(i32, u32)>> {
        if covered.count == 0 {
            return Some(Vec::new());
        }
        let allowed = self.share(covered.count);
        let ef = self.view.options.ef(self.enough, segment.found());
        let fetch = ef.saturating_mul(segment.found()).checked_div(allowed)?;
        if fetch.saturating_mul(GRAPH_COST) >= allowed {
            return None;
        }
        let mut found = segment.search(&self.code, fetch);
        found.retain(|&(_, row)| covered.contains(row) && self.allows(row));
        (found.len() >= self.k).then_some(found)
    }

    /// Candidates from the live part, in the same way.
    fn live(&self, part: &LivePart, coverage: &Coverage) -> Option<Vec<u32>> {
        let rows = coverage.others_in(part.rows().start, part.rows().end);
        let allowed = self.share(rows.len());
        let fetch = self.enough.saturating_mul(part.found()).checked_div(allowed)?;
        if fetch.saturating_mul(LIVE_COST) >= allowed {
            return None;
        }
        let mut found = part.search(&self.code, fetch)?;
        found.retain(|&row| rows.binary_search(&row).is_ok() && self.allows(row));
        (found.len() >= self.k).then_some(found)
    }

    /// Keeps the nearest candidates by code; the list was longer only to avoid misses. Rows with the same product as
    /// the last one stay too: codes can't tell them apart.
    fn cut(&self, proposed: &mut Vec<(i32, u32)>) {
        proposed.sort_unstable_by_key(|&(score, row)| (Reverse(score), row));
        if let Some(&(last, _)) = proposed.get(self.enough - 1) {
            proposed.truncate(proposed.partition_point(|&(score, _)| score >= last));
        }
    }
}

pub(super) fn check_ascending(what: &'static str, chunks: &[ChunkId]) -> Result<()> {
    if chunks.is_sorted_by(|a, b| a < b) {
        return Ok(());
    }
    Err(Error::invalid(what, "ids out of order or twice", "ascending ids"))
}
