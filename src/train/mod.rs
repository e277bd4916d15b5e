//! Fine-tuning the encoder with MultipleNegativesRankingLoss.
//!
//! Training uses the serving encoder's own operations, without dropout: rounds are small, and the same seed gives the
//! same weights every time. The reference for loss, gradients and optimiser is sentence-transformers 6.2 with torch's
//! AdamW.

mod checkpoint;
mod gradient_negatives;
mod keeper;
mod loss;
mod mask;
mod monitor;
mod optimizer;
mod options;
mod parts;
mod row;
mod sampler;
mod schedule;
mod scope;
mod step;
#[cfg(test)]
mod tests;
mod trainer;
mod training;

pub(crate) use checkpoint::{Checkpoints, Origin, read_origin};
pub use gradient_negatives::Displaced;
pub use mask::Masked;
pub use monitor::{Distribution, Measurement, MonitorReport, Moved, Quantiles, SourceMeasurement};
pub use options::TrainOptions;
pub(crate) use row::{Documents, Guide, TrainingRow};
pub use scope::NegativeScope;
pub use step::StepReport;
pub(crate) use trainer::train;
pub(crate) use training::{TrainReport, Training};
