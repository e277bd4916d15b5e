//! Confusables followed from encoder to encoder.
//!
//! Each is measured in every round, in the rows or outside of them, by the vectors that serve: no text is encoded for it. What
//! an encoder found counts once, in however many rounds it served.

mod file;
mod follow;
mod options;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use file::LedgerFile;
pub use follow::FollowReport;
pub(super) use follow::{Following, Measured};
pub use options::FollowOptions;

use crate::ids::{Digest, GenerationId};

/// Confusables that are followed at most; of more, those that no round has measured for longest are dropped.
const MOST: usize = 20_000;

/// Below it a margin has not moved: more than rounding to bf16 makes of it.
const STILL: f32 = 0.01;

/// The first eight bytes of a SHA-256: tells texts and ids apart without keeping them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Mark(u64);

impl Mark {
    fn of(bytes: &[u8]) -> Mark {
        Mark(Digest::of(bytes).0[..8].iter().fold(0, |mark, byte| mark << 8 | u64::from(*byte)))
    }
}

/// A confusable of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Pair {
    /// The normalised text.
    query: Mark,
    /// The id.
    document: Mark,
}

impl Pair {
    pub(super) fn of(normalised: &str, document: &str) -> Pair {
        Pair { query: Mark::of(normalised.as_bytes()), document: Mark::of(document.as_bytes()) }
    }
}

/// What is known of a confusable.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Followed {
    #[serde(flatten)]
    pair: Pair,
    /// The text that was measured; another one begins anew.
    passage: Mark,
    /// The encoder that measured it last, by its weights, and a generation that had it.
    encoder: Mark,
    generation: GenerationId,
    /// By that encoder.
    margin: f32,
    /// Encoders in a row that found it solved.
    solved: u32,
    /// Encoders in a row that had it nearer than the one before, though they were trained against it.
    risen: u32,
    /// The margin before it began to rise.
    before: f32,
    /// Whether the last round that trained had it in its rows.
    in_rows: bool,
    /// The last round that measured it.
    round: u64,
}

/// How a confusable stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    /// It is far enough behind the answer.
    Solved,
    /// It comes nearer though it is trained against: likely an answer.
    Rising,
}

/// All confusables that are followed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ledger(BTreeMap<Pair, Followed>);

/// When and by what confusables are measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meter {
    encoder: Mark,
    generation: GenerationId,
    round: u64,
    options: FollowOptions,
}

impl Meter {
    /// The serving encoder, by its weights, in a round.
    pub(super) fn new(
        weights: Digest,
        generation: GenerationId,
        round: u64,
        options: FollowOptions,
    ) -> Meter {
        Meter { encoder: Mark::of(&weights.0), generation, round, options }
    }
}

impl Followed {
    fn standing(&self, options: &FollowOptions) -> Standing {
        if self.solved >= options.solved_after {
            Standing::Solved
        } else if self.risen >= options.rising_after && self.margin < options.solved_margin {
            Standing::Rising
        } else {
            Standing::Open
        }
    }

    /// What another encoder finds. Only a later generation was trained with the rows of the one before; a rollback was not.
    fn measure(&mut self, meter: &Meter, margin: f32) {
        let trained = self.in_rows && meter.generation > self.generation;
        if trained && margin < self.margin - STILL {
            if self.risen == 0 {
                self.before = self.margin;
            }
            self.risen += 1;
        } else if margin >= self.before || (trained && margin > self.margin + STILL) {
            self.risen = 0;
        }
        self.margin = margin;
        (self.encoder, self.generation) = (meter.encoder, meter.generation);
    }
}

impl Ledger {
    /// Takes down the margin of a confusable, and says how it stood before and stands now.
    pub(super) fn measure(
        &mut self,
        pair: Pair,
        passage: &str,
        margin: f32,
        meter: &Meter,
    ) -> (Standing, Standing) {
        let (passage, options) = (Mark::of(passage.as_bytes()), &meter.options);
        let solved = margin >= options.solved_margin;
        let new = Followed {
            pair,
            passage,
            encoder: meter.encoder,
            generation: meter.generation,
            margin,
            solved: solved.into(),
            risen: 0,
            before: margin,
            in_rows: false,
            round: meter.round,
        };
        let Some(followed) = self.0.get_mut(&pair).filter(|known| known.passage == passage) else {
            self.0.insert(pair, new);
            return (Standing::Open, new.standing(options));
        };
        let before = followed.standing(options);
        if followed.encoder != meter.encoder {
            followed.measure(meter, margin);
            followed.solved = if solved { followed.solved + 1 } else { 0 };
        } else {
            // Another answer may have been judged since, or another limit set.
            followed.margin = margin;
            followed.solved = if solved { followed.solved.max(1) } else { 0 };
        }
        followed.round = meter.round;
        (before, followed.standing(options))
    }

    /// Takes down which of the confusables that a round measured are in its rows.
    pub(super) fn train(&mut self, round: u64, in_rows: impl Fn(&Pair) -> bool) {
        for followed in self.0.values_mut().filter(|followed| followed.round == round) {
            followed.in_rows = in_rows(&followed.pair);
        }
    }

    fn drop_oldest(&mut self) {
        let beyond = self.0.len().saturating_sub(MOST);
        if beyond > 0 {
            let mut oldest: Vec<(u64, Pair)> = self.0.values().map(|one| (one.round, one.pair)).collect();
            oldest.sort_unstable();
            for (_, pair) in &oldest[..beyond] {
                self.0.remove(pair);
            }
        }
    }
}
