//! How many of the needs that asked a query ended with the same document.
//!
//! Anybody opens a wrong document now and then, and the more people ask a query, the more such documents there are. The
//! right one they have in common.

use std::collections::BTreeSet;

use super::need::Need;

/// An answer that was only opened has at least this share of a query's needs.
const SMALLEST: f64 = 0.25;

/// The needs that asked a query.
#[derive(Debug, Default)]
pub(super) struct Asked {
    needs: BTreeSet<Need>,
    /// Those of them that ended with a document.
    ended: BTreeSet<Need>,
}

impl Asked {
    pub(super) fn add(&mut self, need: Need, has_ended: bool) {
        self.needs.insert(need);
        if has_ended {
            self.ended.insert(need);
        }
    }

    /// How many of them ended with nothing.
    pub(super) fn failed(&self) -> usize {
        self.needs.len() - self.ended.len()
    }

    /// The share of the needs with an end, among all of these queries. 0 if there are none.
    pub(super) fn usually_ended<'a>(queries: impl Iterator<Item = &'a Asked>) -> f64 {
        let (ended, all) =
            queries.fold((0, 0), |(ended, all), one| (ended + one.ended.len(), all + one.needs.len()));
        if all == 0 { 0.0 } else { ended as f64 / all as f64 }
    }

    /// The share of these needs that `agreeing` of them are: `n / (m + 1)`.
    ///
    /// m is the number of needs that ended, or how many would have ended usually, if that is more: a query that is
    /// seldom answered was asked in vain, unless people seldom open anything. One is added since a single need may err.
    pub(super) fn share(&self, agreeing: usize, usually_ended: f64) -> f64 {
        let ended = (self.ended.len() as f64).max(self.needs.len() as f64 * usually_ended);
        agreeing as f64 / (ended + 1.0)
    }
}

/// Whether so many agree that their document is an answer.
pub(super) fn is_enough(share: f64) -> bool {
    share >= SMALLEST
}

/// How much answers count in the loss that `agreeing` needs have in common: `n / (n + 1)`. One need may have erred.
pub(super) fn weight(agreeing: usize) -> f64 {
    let needs = agreeing as f64;
    needs / (needs + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(needs: usize, ended: usize) -> Asked {
        Asked { needs: (0..needs).map(Need).collect(), ended: (0..ended).map(Need).collect() }
    }

    #[test]
    fn a_share_is_of_the_needs_that_ended_or_would_have_usually() {
        assert_eq!(asked(1, 1).share(1, 1.0), 0.5);
        assert_eq!(asked(9, 9).share(8, 1.0), 0.8);
        // Of nine two ended, where usually six do.
        assert_eq!(asked(9, 2).share(1, 2.0 / 3.0), 1.0 / 7.0);
        // Where people seldom open anything, a query without an end says little.
        assert_eq!(asked(9, 2).share(1, 0.1), 1.0 / 3.0);
    }

    #[test]
    fn one_need_is_enough_for_a_query_that_few_ask() {
        let is_enough = |needs| is_enough(asked(needs, needs).share(1, 1.0));
        assert_eq!([1, 2, 3, 4, 10].map(is_enough), [true, true, true, false, false]);
    }

    #[test]
    fn how_often_needs_end_is_counted_over_all_queries() {
        assert_eq!(Asked::usually_ended([asked(3, 1), asked(5, 5)].iter()), 0.75);
        assert_eq!(Asked::usually_ended([].iter()), 0.0);
    }
}
