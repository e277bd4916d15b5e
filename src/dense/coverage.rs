//! The rows of a view that a search finds without scoring all of them.

use std::sync::Arc;

use super::bits::Bits;
use super::segment::Segment;

/// The rows of a view, divided among the segments.
#[derive(Debug)]
pub(super) struct Coverage {
    /// In the order of the segments.
    pub(super) segments: Vec<Covered>,
    /// Rows that no segment finds, ascending.
    pub(super) others: Vec<u32>,
}

/// The rows of a view that a segment finds.
#[derive(Debug)]
pub(super) struct Covered {
    /// The first row of the segment.
    first: usize,
    rows: Bits,
    pub(super) count: usize,
}

impl Covered {
    pub(super) fn contains(&self, row: u32) -> bool {
        (row as usize).checked_sub(self.first).is_some_and(|at| self.rows.contains(at))
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = u32> {
        self.rows.iter().map(|at| (self.first + at) as u32)
    }
}

impl Coverage {
    /// `segments` in the order of their rows.
    pub(super) fn new(segments: &[Arc<Segment>], rows: &[u32]) -> Coverage {
        let mut covered: Vec<Covered> = segments
            .iter()
            .map(|segment| segment.rows())
            .map(|rows| Covered { first: rows.start, rows: Bits::below(rows.len()), count: 0 })
            .collect();
        let mut others = Vec::new();
        for &row in rows {
            let at = segments.partition_point(|segment| segment.rows().end <= row as usize);
            match segments.get(at).filter(|segment| segment.finds(row)) {
                Some(_) => {
                    let part = &mut covered[at];
                    part.count += usize::from(part.rows.insert(row as usize - part.first));
                }
                None => others.push(row),
            }
        }
        others.sort_unstable();
        Coverage { segments: covered, others }
    }

    /// The other rows from `first` on and below `end`.
    pub(super) fn others_in(&self, first: u32, end: u32) -> &[u32] {
        let place = |row: u32| self.others.partition_point(|&other| other < row);
        &self.others[place(first)..place(end)]
    }
}
