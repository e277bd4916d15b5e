//! What is told of the hard negatives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::distribution::Distribution;
use crate::negatives::NegativeKind;

/// Hard negatives of a round as its encoder saw them, before it was trained and after each epoch.
///
/// A margin is the cosine of anchor and positive less that of anchor and negative: what is above 0 is ranked rightly.
/// Of several positives of a query the farthest counts. Each pair of a query and a negative counts once, in however
/// many rows it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MonitorReport {
    /// Queries that were measured, 64 at most, drawn at random.
    pub queries: usize,
    /// Of so many that have hard negatives.
    pub of_queries: usize,
    /// A negative with a greater margin is too easy to teach anything: beside the positive alone it would have less
    /// than 1 % of the softmax of the loss. `ln 99` over the loss's scale, 20.
    pub easy_margin: f64,
    /// Before training, then after each epoch; after the last step too, where the time limit fell into an epoch.
    pub measurements: Vec<Measurement>,
}

/// All sources at one moment of training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Measurement {
    /// Steps that were done: 0 before training.
    pub step: usize,
    /// By the source of the negatives; those that gave none are absent.
    pub sources: BTreeMap<NegativeKind, SourceMeasurement>,
}

/// The negatives of one source at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceMeasurement {
    /// Cosines of anchors and their positives, of the queries that have such a negative.
    pub positive: Distribution,
    /// Cosines of anchors and such negatives.
    pub negative: Distribution,
    /// Margins; its `count` is the number of negatives.
    pub margin: Distribution,
    /// Negatives that are nearer to the anchor than the positive is.
    pub harder: u64,
    /// Negatives beyond [`MonitorReport::easy_margin`].
    pub too_easy: u64,
    /// Negatives that may be answers: for the reasons for which candidates are hidden from anchors (see
    /// [`Masked`](crate::learn::Masked)), or because this encoder too finds them as near to a positive as a duplicate.
    pub suspected: u64,
    /// How they have moved since training began.
    pub moved: Moved,
}

/// How negatives have moved since training began; each is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Moved {
    /// They were nearer to the anchor than the positive, and are no more.
    pub resolved: u64,
    /// Their margin has grown by more than 0.01, but not so far, or they were behind the positive already.
    pub eased: u64,
    /// Their margin is the same, within 0.01.
    pub unchanged: u64,
    /// Their margin has shrunk by more than 0.01.
    pub harder: u64,
}

/// Below it a margin has not moved: more than rounding to bf16 makes of it.
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
