//! What a training works on, and what it reports.

use std::ops::ControlFlow;

use super::checkpoint::Checkpoints;
use super::gradient_negatives::Displaced;
use super::mask::Masked;
use super::monitor::MonitorReport;
use super::options::TrainOptions;
use super::row::{Documents, Guide, TrainingRow};
use super::scope::ChosenScope;
use super::step::StepReport;

/// What a training works on.
#[derive(Clone, Copy)]
pub(crate) struct Training<'a> {
    pub(crate) rows: &'a [TrainingRow],
    pub(crate) options: &'a TrainOptions,
    /// The size of the corpus, for [`NegativeScope::Auto`](super::NegativeScope::Auto).
    pub(crate) chunks: usize,
    /// The serving encoder's vectors of the texts, to tell false negatives by.
    pub(crate) guide: Option<&'a Guide>,
    /// Whether documents are encoded, too.
    pub(crate) documents: Documents<'a>,
    /// Whether hard negatives are measured before training and after each epoch. The weights don't depend on it.
    pub(crate) monitor: bool,
    /// Where the training is kept against a crash.
    pub(crate) checkpoints: Option<Checkpoints<'a>>,
}

/// What a training did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainReport {
    /// The steps in their order.
    pub(crate) steps: Vec<StepReport>,
    pub(crate) scope: ChosenScope,
    pub(crate) masked: Masked,
    /// Over all steps; `None` where no negatives are displaced.
    pub(crate) displaced: Option<Displaced>,
    /// The steps that a checkpoint had done already.
    pub(crate) resumed_at: Option<usize>,
    /// Whether the time limit left some steps out.
    pub(crate) stopped_by_time: bool,
    /// The hard negatives before and after.
    pub(crate) monitor: Option<MonitorReport>,
}

/// Is told of each step, and with `None` at every batch of texts that is measured beside them.
pub(crate) type Progress<'a> = dyn FnMut(Option<&StepReport>) -> ControlFlow<()> + 'a;
