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
    /// Candidates that a search takes from the graph at least. Default 200, as many as for a hundred hits: recall@10 is 0.9995
    /// with it at 100,000 rows, 0.9900 with 128.
    pub(crate) expansion_search: usize,
}

impl Default for DenseOptions {
    fn default() -> Self {
        DenseOptions { exact_below: 5_000, connectivity: 16, expansion_build: 128, expansion_search: 200 }
    }
}

/// Rows up to which a walk is as broad as the candidates are many, and how it grows beyond: one that meets the same share of the nearest among
/// more rows has to look further.
const GROWS_FROM: f64 = 100_000.0;
const GROWTH: f64 = 0.8;

impl DenseOptions {
    /// Candidates for the best `k` that are scored by their vectors.
    pub(crate) fn candidates(&self, k: usize) -> usize {
        self.expansion_search.max(k.saturating_mul(2))
    }

    /// How many nodes a walk for so many candidates keeps in mind in a graph over so many rows.
    pub(crate) fn breadth(&self, candidates: usize, rows: usize) -> usize {
        let growth = (rows as f64 / GROWS_FROM).max(1.0).powf(GROWTH);
        (candidates as f64 * growth) as usize
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
    fn more_candidates_are_taken_for_more_hits_and_walks_are_broader_among_more_rows() {
        let options = DenseOptions::default();
        assert_eq!(
            [options.candidates(10), options.candidates(100), options.candidates(1_000)],
            [200, 200, 2_000]
        );
        assert_eq!([options.breadth(200, 0), options.breadth(200, 100_000)], [200; 2]);
        assert!((1_000..1_300).contains(&options.breadth(200, 1_000_000)));
        assert!(options.breadth(options.candidates(usize::MAX), usize::MAX) > 1_000_000);
    }
}
