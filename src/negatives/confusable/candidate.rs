//! A document that may have been confused with the right one.

use crate::ids::ChunkId;

/// A document, and the chunk that stood for it where it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownRef {
    pub(crate) document: String,
    pub(crate) chunk: Option<ChunkId>,
}

/// A candidate hard negative with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confusable {
    pub(crate) document: String,
    /// The chunk that stood for it when it was last seen; absent when it was judged without having been shown.
    pub(crate) chunk: Option<ChunkId>,
    /// Impressions in which it stood above the lowest chosen document.
    pub(crate) times_passed_over: u32,
    /// Impressions in which it was shown and something was chosen.
    pub(crate) times_shown: u32,
    /// The best rank it had in those, from 1.
    pub(crate) best_rank: Option<usize>,
    pub(crate) last_seen_ms: u64,
    pub(crate) judged_not_relevant: bool,
}

impl Confusable {
    /// How much speaks for it, 0 to 1: `rate · rank`.
    ///
    /// `rate = (passed over + 1) / (shown + 3)` is how often it was passed over of how often it was shown where
    /// something was chosen, with a Beta(1, 2) prior: 0.5 after one time of one, 0.85 after ten of ten.
    /// `rank = 1 / log2(1 + the best rank at which it was passed over)` is the discount of DCG: what stands further
    /// down was looked at less surely, and misleads fewer.
    ///
    /// What was judged not relevant needs no guess: 1.
    pub(super) fn evidence(&self) -> f32 {
        if self.judged_not_relevant {
            return 1.0;
        }
        let rate = (f64::from(self.times_passed_over) + 1.0) / (f64::from(self.times_shown) + 3.0);
        let rank = self.best_rank.map_or(0.0, |rank| 1.0 / (1.0 + rank as f64).log2());
        (rate * rank) as f32
    }
}
