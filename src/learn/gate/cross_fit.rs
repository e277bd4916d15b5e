//! Cross-fitting: the held-out queries choose a fusion without flattering it.
//!
//! The queries are split into two halves, never within a cluster. Each half is scored with the choice of the other, so
//! the gate judges a choice by queries that had no part in it. The published fusion is the choice of all.

use super::rank::Ranked;
use crate::fusion::Fusion;

/// The half of each query. Clusters alternate in the order of their numbers.
pub(super) fn halves(clusters: &[usize]) -> Vec<usize> {
    let mut numbers = clusters.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    clusters.iter().map(|cluster| numbers.partition_point(|number| number < cluster) % 2).collect()
}

/// The choices of the queries.
pub(super) struct CrossFit {
    /// The choice of all queries.
    pub(super) all: Fusion,
    by_other_half: [Fusion; 2],
}

impl CrossFit {
    /// The choices of the first queries of `ranked`, one for each entry of `halves`. `base` if they have no preference.
    pub(super) fn of(ranked: &Ranked, halves: &[usize], base: Fusion) -> CrossFit {
        let by = |half| ranked.best_fusion(|query| halves.get(query) == Some(&half), base);
        CrossFit {
            all: ranked.best_fusion(|query| query < halves.len(), base),
            by_other_half: [by(1), by(0)],
        }
    }

    /// The same fusion for all.
    pub(super) fn fixed(fusion: Fusion) -> CrossFit {
        CrossFit { all: fusion, by_other_half: [fusion; 2] }
    }

    /// The fusion to score the queries of a half with: the choice of the other half.
    pub(super) fn of_half(&self, half: usize) -> Fusion {
        self.by_other_half[half]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_never_cut() {
        assert_eq!(halves(&[0, 1, 0, 3, 3, 5]), [0, 1, 0, 0, 0, 1]);
        assert_eq!(halves(&[]), [0; 0]);
    }
}
