//! How many of the needs that asked a query ended with the same document.
//!
//! Anybody opens a wrong document now and then, and the more people ask a query, the more such documents there are. The
//! right one they have in common.

use std::collections::BTreeSet;

use super::need::Need;

/// An answer that was only opened has more than this share of a query's needs.
const SMALLEST: f64 = 0.25;
/// Needs that ended with nothing count up to twice as many as those that ended: programs that never tell what was
/// opened must not silence those that do.
const SILENT: f64 = 2.0;

/// The needs that asked a query.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) needs: BTreeSet<Need>,
    /// Those of them that ended with a document that is still there.
    pub(super) ended: BTreeSet<Need>,
}

impl Asked {
    /// How many of them ended with nothing.
    pub(super) fn failed(&self) -> usize {
        self.needs.difference(&self.ended).count()
    }

    /// The share of the needs with an end, among all of these queries. 0 if there are none.
    pub(super) fn usually_ended<'a>(queries: impl Iterator<Item = &'a Asked>) -> f64 {
        let (ended, all) =
            queries.fold((0, 0), |(ended, all), one| (ended + one.ended.len(), all + one.needs.len()));
        if all == 0 { 0.0 } else { ended as f64 / all as f64 }
    }

    /// Whether `agreeing` of these needs are enough for their document to be an answer: `n / (m + 1) > 1/4`.
    ///
    /// m is the number of needs that ended, or how many would have ended usually, if that is more: a query that is
    /// seldom answered was asked in vain, unless people seldom open anything. One is added since a single need may err.
    pub(super) fn are_enough(&self, agreeing: usize, usually_ended: f64) -> bool {
        let ended = self.ended.len() as f64;
        let usually = (self.needs.len() as f64 * usually_ended).min((1.0 + SILENT) * ended);
        agreeing as f64 / (ended.max(usually) + 1.0) > SMALLEST
    }
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
        let least =
            |asked: Asked, usually_ended| (1..).find(|&n| asked.are_enough(n, usually_ended)).unwrap();
        assert_eq!(
            [1, 2, 3, 6, 7, 10, 11].map(|needs| least(asked(needs, needs), 1.0)),
            [1, 1, 2, 2, 3, 3, 4]
        );
        // Of twelve four ended, where usually six, nine or eleven do; these count as if four in twelve were.
        assert_eq!([0.5, 0.75, 0.9].map(|usually| least(asked(12, 4), usually)), [2, 3, 3]);
        // Where people seldom open anything, a query without an end says little.
        assert_eq!(least(asked(12, 4), 0.1), 2);
    }

    #[test]
    fn those_who_never_say_what_they_found_do_not_silence_those_who_do() {
        let programs = asked(10_000, 30);
        assert!(programs.are_enough(30, 0.5) && !programs.are_enough(10, 0.5));
        assert!(!asked(10_000, 1).are_enough(1, 0.5), "one among them may have erred");
    }

    #[test]
    fn how_often_needs_end_is_counted_over_all_queries() {
        assert_eq!(Asked::usually_ended([asked(3, 1), asked(5, 5)].iter()), 0.75);
        assert_eq!(Asked::usually_ended([].iter()), 0.0);
        assert_eq!(asked(9, 2).failed(), 7);
    }

    #[test]
    fn the_more_agree_the_more_they_count() {
        assert_eq!([1, 2, 9].map(weight), [0.5, 2.0 / 3.0, 0.9]);
    }
}
