//! What a report says of the training.

use serde::{Deserialize, Serialize};

use super::old_reports::known;
use crate::train::{Displaced, Masked, MonitorReport, NegativeScope, StepReport, TrainOptions, TrainReport};

/// The weights that training starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TrainingStart {
    /// The model that the index was created with.
    FirstModel,
    /// The serving encoder: of queries alone, or because the first model was not found.
    #[default]
    Serving,
}

/// How an encoder was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainingReport {
    /// The weights that it started from.
    #[serde(default)]
    pub start: TrainingStart,
    /// The scope of hard negatives.
    pub scope: NegativeScope,
    /// The reason for the scope.
    pub scope_reason: String,
    /// Candidates that were hidden from anchors.
    pub masked: Masked,
    /// The steps with their gradient norms and learning rates.
    pub steps: Vec<StepReport>,
    /// The number of steps that were taken from a checkpoint. Absent if the round was not interrupted.
    #[serde(default)]
    pub resumed_at: Option<usize>,
    /// Whether the time limit ended training early.
    #[serde(default)]
    pub stopped_by_time: bool,
    /// The share of their length by which hard negatives were moved towards their anchors. Absent if they were not.
    #[serde(default, deserialize_with = "known")]
    pub gradient_negatives: Option<f32>,
    /// The effect of the displacement. Absent if none were displaced.
    #[serde(default)]
    pub displaced: Option<Displaced>,
    /// Measurements of the hard negatives before training and after each epoch. Absent if there were none, or they were
    /// not measured.
    #[serde(default)]
    pub monitor: Option<MonitorReport>,
}

impl TrainingReport {
    pub(super) fn of(trained: TrainReport, options: &TrainOptions, start: TrainingStart) -> TrainingReport {
        TrainingReport {
            start,
            scope: trained.scope.scope,
            scope_reason: trained.scope.reason,
            masked: trained.masked,
            steps: trained.steps,
            resumed_at: trained.resumed_at,
            stopped_by_time: trained.stopped_by_time,
            gradient_negatives: options.gradient_negatives,
            displaced: trained.displaced,
            monitor: trained.monitor,
        }
    }
}
