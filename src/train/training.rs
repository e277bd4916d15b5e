//! The input and the report of a training.

use std::ops::ControlFlow;

use super::checkpoint::Checkpoints;
use super::gradient_negatives::Displaced;
use super::mask::Masked;
use super::monitor::MonitorReport;
use super::options::TrainOptions;
use super::row::{Documents, Guide, TrainingRow};
use super::scope::ChosenScope;
use super::step::StepReport;

/// The input of a training.
#[derive(Clone, Copy)]
pub(crate) struct Training<'a> {
    pub(crate) rows: &'a [TrainingRow],
    pub(crate) options: &'a TrainOptions,
    /// The size of the corpus, for [`NegativeScope::Auto`](super::NegativeScope::Auto).
    pub(crate) chunks: usize,
    /// The serving encoder's vectors of the texts, for detecting false negatives.
    pub(crate) guide: Option<&'a Guide>,
    /// Whether the encoder embeds documents too.
    pub(crate) documents: Documents<'a>,
    /// Whether to measure hard negatives before training and after each epoch. Does not affect the weights.
    pub(crate) monitor: bool,
    /// Checkpoint settings.
    pub(crate) checkpoints: Option<Checkpoints<'a>>,
}

/// The report of a training.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainReport {
    /// The steps in order.
    pub(crate) steps: Vec<StepReport>,
    pub(crate) scope: ChosenScope,
    pub(crate) masked: Masked,
    /// Over all steps; `None` if no negatives are displaced.
    pub(crate) displaced: Option<Displaced>,
    /// The number of steps taken from a checkpoint.
    pub(crate) resumed_at: Option<usize>,
    /// Whether the time limit ended training early.
    pub(crate) stopped_by_time: bool,
    /// The hard negatives before and after training.
    pub(crate) monitor: Option<MonitorReport>,
}

/// Called after each step, and with `None` for every batch of texts measured besides.
pub(crate) type Progress<'a> = dyn FnMut(Option<&StepReport>) -> ControlFlow<()> + 'a;
