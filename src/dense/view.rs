//! Searching: the vectors of a list of live chunks at one moment.

use std::sync::{Arc, OnceLock};

use super::directory::skip;
use super::exact::{AHEAD, best_of};
use super::graph::Graph;
use super::options::DenseOptions;
use super::vectors::{Query, Rows};
use crate::error::{Error, Result};
use crate::ids::{ChunkId, ChunkSet};

/// Rows that are scored in order in the time that a search through the graph takes for each candidate it asks for: 19 of
/// 10,000 rows, 25 of 100,000 and 23 of 1,000,000 were measured (docs/performance.md). Decides between graph and exact.
const GRAPH_COST: usize = 24;

/// The vectors of the chunks that were alive at one moment. Cheap to clone, never changes, and outlives its index.
#[derive(Debug, Clone)]
pub(crate) struct DenseView(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) rows: Arc<Rows>,
    pub(super) graph: Option<Arc<Graph>>,
    pub(super) options: DenseOptions,
    /// Live chunks that have a vector, ascending.
    pub(super) chunks: Vec<ChunkId>,
    /// Their rows.
    pub(super) row_of: Vec<u32>,
    /// Live chunks without one, ascending.
    pub(super) missing: Vec<ChunkId>,
    pub(super) coverage: OnceLock<Coverage>,
}

/// What the graph can find of a view's rows.
#[derive(Debug)]
pub(super) struct Coverage {
    /// For every row that the graph is about, whether it is one of them.
    found: Vec<bool>,
    /// How many are.
    covered: usize,
    /// The view's other rows: to be scored exactly.
    others: Vec<u32>,
}

impl Coverage {
    fn new(graph: &Graph, rows: &[u32]) -> Coverage {
        let mut found = vec![false; graph.rows()];
        let (covered, others): (Vec<u32>, Vec<u32>) = rows.iter().partition(|&&row| graph.covers(row));
        covered.iter().for_each(|&row| found[row as usize] = true);
        Coverage { found, covered: covered.len(), others }
    }
}

impl DenseView {
    pub(super) fn new(inner: Inner) -> DenseView {
        DenseView(Arc::new(inner))
    }

    /// The best `k` chunks by cosine, best first, equal ones by ascending id; among `allowed` only, if given.
    /// There are `k` of them unless fewer chunks are alive and allowed; ids in it that are not alive count for nothing.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a query of other dimensions, with NaN or infinities, or all zero.
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

    /// Live chunks that have a vector.
    pub(crate) fn len(&self) -> usize {
        self.0.chunks.len()
    }

    /// Live chunks that have a vector, ascending.
    #[cfg(test)]
    pub(crate) fn chunks(&self) -> &[ChunkId] {
        &self.0.chunks
    }

    /// Live chunks without a vector, or with a damaged one: to be encoded again. Ascending.
    pub(crate) fn missing(&self) -> &[ChunkId] {
        &self.0.missing
    }

    /// What a search for `k` scores, in the graph's order by codes; `None` where that is every row.
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
        // Ids ascend, so that none is further in than it is from the first: there it is, where no chunk was removed.
        let furthest = chunk.0.checked_sub(chunks.first()?.0)?.min(chunks.len() as u64 - 1) as usize;
        let at = match chunks[furthest] == chunk {
            true => furthest,
            false => chunks[..furthest].binary_search(&chunk).ok()?,
        };
        Some(self.0.row_of[at])
    }
}

impl Inner {
    /// The rows of those `allowed` chunks that are in the view.
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

    /// Those of the allowed rows that may be among the best `k`: what the graph proposes, and all that it does not cover.
    /// `None` when scoring every one is cheaper, or the graph gives too few.
    ///
    /// Dead and filtered rows are dropped behind the graph, not in it: the candidates among the nearest N rows are
    /// exactly the nearest candidates, however the filter lies, and N need only grow with the share that is dropped.
    fn shortlist(&self, query: &Query, k: usize, allowed: Option<&dyn ChunkSet>) -> Option<Vec<u32>> {
        let graph = self.graph.as_deref()?;
        let candidates = allowed.map_or(self.chunks.len(), |allowed| allowed.len().min(self.chunks.len()));
        let k = k.min(candidates);
        if k == 0 || candidates <= self.options.exact_below {
            return None;
        }
        let coverage = self.coverage.get_or_init(|| Coverage::new(graph, &self.row_of));
        // As if the filter let the same share of either kind through.
        let covered = (candidates as u64 * coverage.covered as u64 / self.chunks.len() as u64) as usize;
        if covered == 0 {
            return None;
        }
        let enough = self.options.candidates(k);
        let breadth = self.options.breadth(enough, graph.covered());
        let fetch = breadth.saturating_mul(graph.covered()).div_ceil(covered);
        if fetch.saturating_mul(GRAPH_COST) >= covered {
            return None;
        }
        let is_allowed = |row| allowed.is_none_or(|allowed| allowed.contains(self.rows.chunk(row)));
        let mut found = graph.search(query, fetch);
        found.retain(|&(_, row)| coverage.found.get(row as usize) == Some(&true) && is_allowed(row));
        // A walk keeps more in mind than it takes to find these, so as not to miss any; what its codes place behind them is not
        // among the best. Where codes are equal they cannot tell: all with the last one's stay.
        if let Some(&(last, _)) = found.get(enough - 1) {
            found.truncate(found.partition_point(|&(place, _)| place <= last));
        }
        let mut shortlist: Vec<u32> = found.into_iter().map(|(_, row)| row).collect();
        // With k of its own rows proposed, no other of them can be among the best k. The rows that it does not cover don't
        // count: they would hide that it has found none.
        if shortlist.len() < k {
            return None;
        }
        shortlist.extend(coverage.others.iter().filter(|&&row| is_allowed(row)));
        Some(shortlist)
    }
}

pub(super) fn check_ascending(what: &'static str, chunks: &[ChunkId]) -> Result<()> {
    if chunks.is_sorted_by(|a, b| a < b) {
        return Ok(());
    }
    Err(Error::invalid(what, "ids out of order or twice", "ascending ids"))
}
