//! Options of a dense index.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Options of a dense index. Chosen at creation and stored with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DenseOptions {
    /// A search with up to this many candidates scores all of them. Default 5,000: about as many as can be scored in
    /// the time of a graph search (docs/performance.md).
    pub(crate) exact_below: usize,
    /// Links of a node on the graph's upper levels (M); the lowest level has twice as many. Default 16.
    pub(crate) connectivity: usize,
    /// Length of the candidate list during the build of a graph (efConstruction). Default 128.
    #[serde(rename = "expansion_build")]
    pub(crate) ef_construction: usize,
    /// Minimum number of candidates that a search rescores with their vectors (efSearch). Default 200, enough for a
    /// hundred hits: recall@10 is 0.9995 at 100,000 rows, and 0.9900 with 128.
    #[serde(rename = "expansion_search")]
    pub(crate) ef_search: usize,
}

impl Default for DenseOptions {
    fn default() -> Self {
        DenseOptions { exact_below: 5_000, connectivity: 16, ef_construction: 128, ef_search: 200 }
    }
}

/// Up to this many rows the candidate list is as long as the number of candidates to rescore. Beyond, it grows with
/// this power of the number of rows, to keep the recall.
const GROWS_FROM: f64 = 100_000.0;
const GROWTH: f64 = 0.8;

impl DenseOptions {
    /// Number of candidates to rescore with their vectors for the best `k`.
    pub(crate) fn candidates(&self, k: usize) -> usize {
        self.ef_search.max(k.saturating_mul(2))
    }

    /// The length of the candidate list (ef) in a graph over this many rows.
    pub(crate) fn ef(&self, candidates: usize, rows: usize) -> usize {
        let growth = (rows as f64 / GROWS_FROM).max(1.0).powf(GROWTH);
        (candidates as f64 * growth) as usize
    }

    /// Rows that become a segment in the background. The live part searches fewer rows just as fast.
    pub(super) fn rows_of_a_segment(&self) -> usize {
        self.exact_below.saturating_mul(4)
    }

    /// # Errors
    /// [`Error::Invalid`] names the first option outside its range.
    pub(crate) fn validate(&self) -> Result<()> {
        let within = |what, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(Error::invalid(what, value, format!("{low} to {high}")))
            }
        };
        within("the graph's connectivity", self.connectivity, 2, 256)?;
        within("the graph's ef_construction", self.ef_construction, 1, 4096)?;
        within("the graph's ef_search", self.ef_search, 1, 4096)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_candidates_are_taken_for_more_hits_and_walks_are_broader_among_more_rows() {
        let options = DenseOptions::default();
        assert_eq!(
            [options.candidates(10), options.candidates(100), options.candidates(1_000)],
            [200, 200, 2_000]
        );
        assert_eq!([options.ef(200, 0), options.ef(200, 100_000)], [200; 2]);
        assert!((1_000..1_300).contains(&options.ef(200, 1_000_000)));
        assert!(options.ef(options.candidates(usize::MAX), usize::MAX) > 1_000_000);
    }
}
