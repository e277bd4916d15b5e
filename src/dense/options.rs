//! How a dense index trades memory and time for exactness.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Options of a dense index. Chosen at creation and stored with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DenseOptions {
    /// Up to this many candidate rows a search computes every score; a graph is wanted only above. Default 5,000: about as
    /// many rows as are scored in the time that the graph takes (docs/performance.md).
    pub(crate) exact_below: usize,
    /// Neighbours of a node in the graph's upper levels; the lowest level has twice as many. Default 16.
    pub(crate) connectivity: usize,
    /// Breadth of the search for neighbours while the graph is built. Default 128.
    pub(crate) expansion_build: usize,
    /// Candidates that a search takes from the graph at least. Default 200, as many as for a hundred hits: recall@10 is 0.9940
    /// with it at 100,000 rows, 0.9900 with 128.
    pub(crate) expansion_search: usize,
}

impl Default for DenseOptions {
    fn default() -> Self {
        DenseOptions { exact_below: 5_000, connectivity: 16, expansion_build: 128, expansion_search: 200 }
    }
}

/// Rows up to which `expansion_search` candidates are enough, and how they grow beyond: a walk that meets the same share of the nearest among
/// more rows has to look further.
const GROWS_FROM: f64 = 100_000.0;
const GROWTH: f64 = 0.7;

impl DenseOptions {
    /// Candidates that a search for the best `k` takes from a graph over so many rows.
    pub(crate) fn candidates(&self, k: usize, rows: usize) -> usize {
        let least = self.expansion_search.max(k.saturating_mul(2));
        let growth = (rows as f64 / GROWS_FROM).max(1.0).powf(GROWTH);
        (least as f64 * growth) as usize
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
        within("the graph's expansion_build", self.expansion_build, 1, 4096)?;
        within("the graph's expansion_search", self.expansion_search, 1, 4096)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_candidates_are_taken_for_more_hits_and_from_more_rows() {
        let options = DenseOptions::default();
        let candidates = |k, rows| options.candidates(k, rows);
        assert_eq!([candidates(10, 0), candidates(100, 6_000), candidates(10, 100_000)], [200; 3]);
        assert_eq!(candidates(1_000, 50_000), 2_000);
        assert!((1_000..1_010).contains(&candidates(10, 1_000_000)));
        assert!(candidates(usize::MAX, usize::MAX) > 1_000_000);
    }
}
