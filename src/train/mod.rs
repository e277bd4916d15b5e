//! Fine-tuning the encoder with MultipleNegativesRankingLoss.
//!
//! Training runs the serving encoder's own operations, without dropout: rounds are small, and a round that is seeded
//! gives the same weights every time. The reference for loss, gradients and optimiser is sentence-transformers 6.2
//! with torch's AdamW.

mod loss;
mod optimizer;
mod options;
mod sampler;
mod schedule;
#[cfg(test)]
mod tests;
mod trainer;

pub use options::{NegativeScope, TrainOptions};
pub(crate) use trainer::{Example, TrainReport, train};
