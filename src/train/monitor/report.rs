//! The report on hard negatives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::distribution::Distribution;
use crate::negatives::NegativeKind;

/// Hard negatives of a round as its encoder saw them, before training and after each epoch.
///
/// A margin is the cosine of anchor and positive minus that of anchor and negative. Above 0, the ranking is right. If a
/// query has several positives, the farthest counts. Each pair of a query and a negative counts once, even if several
/// rows have it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MonitorReport {
    /// Number of measured queries, at most 64, drawn at random.
    pub queries: usize,
    /// Number of queries with hard negatives, from which they were drawn.
    pub of_queries: usize,
    /// A negative with a larger margin is too easy to teach anything: next to the positive alone, it would get less
    /// than 1 % of the loss's softmax. `ln 99` divided by the loss's scale, 20.
    pub easy_margin: f64,
    /// Measurements before training and after each epoch; also after the last step, if the time limit ended training
    /// within an epoch.
    pub measurements: Vec<Measurement>,
}

/// A measurement of all sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measurement {
    /// Number of finished steps: 0 before training.
    pub step: usize,
    /// Measurements by source. Sources without negatives are absent.
    pub sources: BTreeMap<NegativeKind, SourceMeasurement>,
}

/// A measurement of one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceMeasurement {
    /// Cosines of anchors and positives, for queries with such a negative.
    pub positive: Distribution,
    /// Cosines of anchors and such negatives.
    pub negative: Distribution,
    /// Margins; its `count` is the number of negatives.
    pub margin: Distribution,
    /// Negatives nearer to the anchor than the positive.
    pub harder: u64,
    /// Negatives beyond [`MonitorReport::easy_margin`].
    pub too_easy: u64,
    /// Negatives that may be answers: for the same reasons that hide candidates from anchors (see
    /// [`Masked`](crate::learn::Masked)), or because this encoder also finds them as near to a positive as a duplicate.
    pub suspected: u64,
    /// How they have moved since training began.
    pub moved: Moved,
}

/// Movement of negatives since training began. Each negative is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Moved {
    /// They were nearer to the anchor than the positive, and no longer are.
    pub resolved: u64,
    /// Their margin has grown by more than 0.01, without crossing 0 as in `resolved`.
    pub eased: u64,
    /// Their margin is the same, within 0.01.
    pub unchanged: u64,
    /// Their margin has shrunk by more than 0.01.
    pub harder: u64,
}

/// Smaller changes of a margin count as none: this is more than bf16 rounding causes.
const STILL: f64 = 0.01;

impl Moved {
    pub(super) fn count(&mut self, before: f64, now: f64) {
        let place = if before < 0.0 && now >= 0.0 {
            &mut self.resolved
        } else if now > before + STILL {
            &mut self.eased
        } else if now < before - STILL {
            &mut self.harder
        } else {
            &mut self.unchanged
        };
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_has_moved_in_one_way() {
        let of = |before, now| {
            let mut moved = Moved::default();
            moved.count(before, now);
            moved
        };
        let none = Moved::default();
        assert_eq!(of(-0.1, 0.0), Moved { resolved: 1, ..none });
        assert_eq!(of(-0.3, -0.1), Moved { eased: 1, ..none });
        assert_eq!(of(0.1, 0.2), Moved { eased: 1, ..none });
        assert_eq!(of(0.1, 0.105), Moved { unchanged: 1, ..none });
        assert_eq!(of(0.1, -0.1), Moved { harder: 1, ..none });
    }
}
