//! Documents that may have been confused with the right one.

use crate::ids::ChunkId;

/// A document, and the chunk that was shown for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShownRef {
    pub(crate) document: String,
    pub(crate) chunk: Option<ChunkId>,
}

/// A candidate hard negative with its evidence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Confusable {
    pub(crate) document: String,
    /// The chunk that was shown for it last; absent if it was judged without having been shown.
    pub(crate) chunk: Option<ChunkId>,
    /// Impressions in which it ranked above the lowest chosen document.
    pub(crate) times_passed_over: u32,
    /// Impressions that showed it and in which something was chosen.
    pub(crate) times_shown: u32,
    /// Its best rank in those, from 1.
    pub(crate) best_rank: Option<usize>,
    pub(crate) last_seen_ms: u64,
    pub(crate) judged_not_relevant: bool,
}

impl Confusable {
    /// The strength of the evidence, 0 to 1: `rate · rank`.
    ///
    /// `rate = (passed over + 1) / (shown + 3)` is the share of those impressions in which it was passed over, with a
    /// Beta(1, 2) prior: 0.5 after one of one, 0.85 after ten of ten. `rank = 1 / log2(1 + the best rank at which it
    /// was passed over)` is the discount of DCG: users are less sure to have looked at documents further down, and
    /// those mislead fewer users.
    ///
    /// Documents judged not relevant need no estimate: 1.
    pub(crate) fn evidence(&self) -> f32 {
        if self.judged_not_relevant {
            return 1.0;
        }
        let rate = (f64::from(self.times_passed_over) + 1.0) / (f64::from(self.times_shown) + 3.0);
        let rank = self.best_rank.map_or(0.0, |rank| 1.0 / (1.0 + rank as f64).log2());
        (rate * rank) as f32
    }

    /// Adds what the log says of the same document for another query.
    pub(crate) fn add(&mut self, other: &Confusable) {
        self.times_passed_over += other.times_passed_over;
        self.times_shown += other.times_shown;
        self.best_rank = self.best_rank.into_iter().chain(other.best_rank).min();
        self.judged_not_relevant |= other.judged_not_relevant;
        if other.last_seen_ms >= self.last_seen_ms {
            (self.chunk, self.last_seen_ms) = (other.chunk, other.last_seen_ms);
        }
    }
}
