//! Chooses which segments to merge, and when: tiers as in a log-structured merge tree (O'Neil et al., 1996).
//!
//! Segments and the gaps between them are in the order of their rows. A segment is on tier `t` if at least `4^t` and
//! fewer than `4^(t + 1)` of its rows are alive. New rows become a segment once there are enough of them, and four
//! neighbours on one tier become one on the next. So a row is written once per tier, and there are at most three
//! segments on a tier.

use std::ops::Range;

/// Number of neighbours on a tier that become one on the next.
const FACTOR: usize = 4;

/// A segment, or rows between segments, before the first or after the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Rows that the segment finds. A gap has none.
    pub(super) found: usize,
    /// The live rows among these; for a gap, all its live rows.
    pub(super) alive: usize,
}

impl Part {
    fn is_gap(&self) -> bool {
        self.found == 0
    }

    fn tier(&self) -> u32 {
        tier(self.alive)
    }

    fn is_mostly_dead(&self) -> bool {
        !self.is_gap() && 2 * self.alive < self.found
    }
}

fn tier(rows: usize) -> u32 {
    rows.max(1).ilog(FACTOR)
}

/// The parts that should become one segment now, if any: the rows after the last segment if more than `least` are
/// alive, with the segments that they pull in; else another gap of that size; else a segment that is mostly dead,
/// together with its smaller neighbour if few rows are left.
pub(super) fn next(parts: &[Part], least: usize) -> Option<Range<usize>> {
    let gap = |part: &Part| part.is_gap() && part.alive > least;
    if parts.last().is_some_and(gap) {
        return Some(with_lower_tiers(parts));
    }
    if let Some(at) = parts.iter().position(gap) {
        return Some(at..at + 1);
    }
    let dead = parts.iter().position(Part::is_mostly_dead)?;
    if parts[dead].alive > least {
        return Some(dead..dead + 1);
    }
    let segments = |range: Range<usize>| range.filter(|&at| !parts[at].is_gap());
    let before = segments(0..dead).next_back();
    let after = segments(dead + 1..parts.len()).next();
    let neighbour = before.into_iter().chain(after).min_by_key(|&at| parts[at].alive);
    let neighbour = neighbour.unwrap_or(dead);
    Some(neighbour.min(dead)..neighbour.max(dead) + 1)
}

/// The last part, the segments before it on lower tiers, and those on its own tier if they are enough for the next.
fn with_lower_tiers(parts: &[Part]) -> Range<usize> {
    let mut from = parts.len() - 1;
    let mut alive = parts[from].alive;
    loop {
        let tier = tier(alive);
        let mut reach = from;
        let mut equal = 1;
        while reach > 0 && parts[reach - 1].tier() <= tier {
            reach -= 1;
            equal += usize::from(parts[reach].tier() == tier && !parts[reach].is_gap());
        }
        let lower = parts[..from].iter().rev().take_while(|part| part.tier() < tier).count();
        let taken = if equal >= FACTOR { from - reach } else { lower };
        if taken == 0 {
            return from..parts.len();
        }
        alive += parts[from - taken..from].iter().map(|part| part.alive).sum::<usize>();
        from -= taken;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segment(found: usize, alive: usize) -> Part {
        Part { found, alive }
    }

    fn gap(alive: usize) -> Part {
        Part { found: 0, alive }
    }

    #[test]
    fn few_rows_wait_and_four_segments_become_one() {
        assert_eq!(next(&[], 100), None);
        assert_eq!(next(&[gap(100)], 100), None);
        assert_eq!(next(&[gap(101)], 100), Some(0..1));
        let full = segment(101, 101);
        assert_eq!(next(&[full, full, gap(101)], 100), Some(2..3));
        assert_eq!(next(&[full, full, full, gap(101)], 100), Some(0..4));
        // A segment that moves to the next tier pulls in those that wait there.
        let next_tier = segment(404, 404);
        assert_eq!(next(&[next_tier, next_tier, next_tier, full, full, full, gap(101)], 100), Some(0..7));
        assert_eq!(next(&[next_tier, next_tier, full, full, full, gap(101)], 100), Some(2..6));
        // Many rows at once absorb segments that are smaller than they are.
        assert_eq!(next(&[next_tier, full, gap(2000)], 100), Some(0..3));
    }

    #[test]
    fn a_gap_in_the_middle_is_closed() {
        let full = segment(5000, 5000);
        assert_eq!(next(&[full, gap(300), full, gap(10)], 100), Some(1..2));
        assert_eq!(next(&[full, gap(30), full, gap(10)], 100), None);
    }

    #[test]
    fn a_segment_that_is_mostly_dead_is_built_anew() {
        let full = segment(5000, 5000);
        assert_eq!(next(&[full, segment(5000, 2500), gap(5)], 100), None);
        assert_eq!(next(&[full, segment(5000, 2499), gap(5)], 100), Some(1..2));
        assert_eq!(next(&[full, segment(5000, 10), segment(300, 300), gap(5)], 100), Some(1..3));
        assert_eq!(next(&[segment(300, 300), gap(1), segment(5000, 10), full], 100), Some(0..3));
        assert_eq!(next(&[segment(5000, 0), gap(5)], 100), Some(0..1));
    }

    proptest! {
        #[test]
        fn segments_stay_few_and_rows_are_written_seldom(steps in prop::collection::vec(1usize..900, 1..300)) {
            let (least, mut segments, mut tail, mut written, mut all) = (500, Vec::<usize>::new(), 0, 0, 0);
            for step in steps {
                tail += step;
                all += step;
                let mut parts: Vec<Part> = segments.iter().map(|&rows| segment(rows, rows)).collect();
                parts.push(gap(tail));
                if let Some(merged) = next(&parts, least) {
                    let rows: usize = parts[merged.clone()].iter().map(|part| part.alive).sum();
                    prop_assert_eq!(merged.end, parts.len());
                    segments.truncate(merged.start);
                    segments.push(rows);
                    (written, tail) = (written + rows, 0);
                }
                prop_assert!(tail <= least);
                prop_assert!(segments.is_sorted_by(|a, b| tier(*a) >= tier(*b)));
                for on in 0..=tier(all) {
                    prop_assert!(segments.iter().filter(|&&rows| tier(rows) == on).count() < FACTOR);
                }
            }
            let tiers = (tier(all) + 1).saturating_sub(tier(least)) as usize;
            prop_assert!(written <= all * (tiers + 1), "{written} of {all}");
        }
    }
}
