//! A fusion that the held-out queries choose themselves, and how that is kept from flattering it.
//!
//! The queries are cut into two halves along their clusters. What one half chooses scores the other, so that the gate
//! judges a choice by queries that had no part in it. What is published is chosen on all.

use super::rank::Ranked;
use crate::fusion::Fusion;

/// The half that each query is in: clusters alternate in the order of their numbers.
pub(super) fn halves(clusters: &[usize]) -> Vec<usize> {
    let mut numbers = clusters.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    clusters.iter().map(|cluster| numbers.partition_point(|number| number < cluster) % 2).collect()
}

/// What the queries choose.
pub(super) struct CrossFit {
    /// All of them.
    pub(super) all: Fusion,
    by_other_half: [Fusion; 2],
}

impl CrossFit {
    /// Chosen by the first queries of `ranked`, as many as have a half; `base` where they have no preference.
    pub(super) fn of(ranked: &Ranked, halves: &[usize], base: Fusion) -> CrossFit {
        let by = |half| ranked.best_fusion(|query| halves.get(query) == Some(&half), base);
        CrossFit {
            all: ranked.best_fusion(|query| query < halves.len(), base),
            by_other_half: [by(1), by(0)],
        }
    }

    /// Nothing is chosen.
    pub(super) fn fixed(fusion: Fusion) -> CrossFit {
        CrossFit { all: fusion, by_other_half: [fusion; 2] }
    }

    /// What scores the queries of a half: chosen by the other one.
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
