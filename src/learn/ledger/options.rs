//! What is made of confusables that were followed.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// When a confusable that is followed from round to round counts as solved or as rising, and what comes of it.
///
/// Its margin is the cosine of the query and its farthest answer less that of the query and the confusable, by the encoder that
/// serves when a round begins. Rounds that meet the same encoder again count once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FollowOptions {
    /// A confusable with this margin or more is solved, −2 to 2. Default 0.23: with the loss's scale of 20 it has less than 1 % of the softmax
    /// beside the answer alone.
    pub solved_margin: f32,
    /// So many encoders in a row must find it so, 1 or more. Default 2.
    pub solved_after: u32,
    /// So many encoders in a row, each trained with it as a negative, must have it nearer than the one before for it to count as rising: it
    /// likely is an answer. 1 or more. Default 2.
    pub rising_after: u32,
    /// Whether solved and rising ones leave the training rows, to return when the margin of a solved one falls below the limit again,
    /// or that of a rising one is what it was before it rose. What a user called not relevant is never taken to rise. Default no: they are counted alone.
    pub leave_out: bool,
}

impl Default for FollowOptions {
    fn default() -> Self {
        FollowOptions { solved_margin: 0.23, solved_after: 2, rising_after: 2, leave_out: false }
    }
}

impl FollowOptions {
    /// Sets [`solved_margin`](FollowOptions::solved_margin).
    pub fn with_solved_margin(mut self, margin: f32) -> Self {
        self.solved_margin = margin;
        self
    }

    /// Sets [`solved_after`](FollowOptions::solved_after).
    pub fn with_solved_after(mut self, encoders: u32) -> Self {
        self.solved_after = encoders;
        self
    }

    /// Sets [`rising_after`](FollowOptions::rising_after).
    pub fn with_rising_after(mut self, encoders: u32) -> Self {
        self.rising_after = encoders;
        self
    }

    /// Sets [`leave_out`](FollowOptions::leave_out).
    pub fn with_leave_out(mut self, leave_out: bool) -> Self {
        self.leave_out = leave_out;
        self
    }

    /// # Errors
    /// [`Error::Invalid`] for a margin that no two cosines have, and for no encoders at all.
    pub fn validate(&self) -> Result<()> {
        if !(-2.0..=2.0).contains(&self.solved_margin) {
            return Err(Error::invalid(
                "the margin of solved negatives",
                self.solved_margin,
                "a number from -2 to 2",
            ));
        }
        if self.solved_after == 0 || self.rising_after == 0 {
            return Err(Error::invalid("the number of encoders that must agree", 0, "1 or more"));
        }
        Ok(())
    }
}
