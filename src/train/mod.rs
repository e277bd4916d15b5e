//! Fine-tuning the encoder with MultipleNegativesRankingLoss.
//!
//! Training runs the serving encoder's own operations, without dropout: rounds are small, and a round that is seeded
//! gives the same weights every time. The reference for loss, gradients and optimiser is sentence-transformers 6.2
//! with torch's AdamW.

mod adapter;
mod checkpoint;
mod example;
mod gradient_negatives;
mod loss;
mod mask;
mod mixing;
mod monitor;
mod nudge;
mod optimizer;
mod options;
mod parts;
mod sampler;
mod schedule;
#[cfg(test)]
mod tests;
mod trainer;

pub(crate) use adapter::{Fitting, fit_adapter};
pub(crate) use checkpoint::{Checkpoints, Origin, read_origin};
pub(crate) use example::{Documents, Example, Guide};
pub use gradient_negatives::{Displaced, GradientNegatives};
pub use mask::Masked;
pub use mixing::Mixing;
pub use monitor::{Distribution, Measurement, MonitorReport, Moved, Quantiles, SourceMeasurement};
pub(crate) use nudge::{goal, nudged};
pub use options::{Bidirectional, Hardness, HardnessOf, NegativeScope, TrainOptions};
pub use trainer::StepReport;
pub(crate) use trainer::{TrainReport, Training, train};
