//! How far a round is, and where its time goes.

use std::ops::ControlFlow;
use std::time::Instant;

use super::report::{LearnProgress, LearnStage, RoundSeconds};
use crate::error::{Error, Result};

/// Is told of every unit of work, and stops the round by breaking.
pub(crate) type Progress<'a> = dyn FnMut(LearnProgress) -> ControlFlow<()> + 'a;

/// Tells the caller how far a round is, and measures its stages.
pub(super) struct Tracker<'a> {
    progress: &'a mut Progress<'a>,
    started: Instant,
    seconds: RoundSeconds,
}

impl<'a> Tracker<'a> {
    pub(super) fn start(progress: &'a mut Progress<'a>) -> Tracker<'a> {
        Tracker { progress, started: Instant::now(), seconds: RoundSeconds::default() }
    }

    /// Reports `done` of `total` units.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when the caller stops the round.
    pub(super) fn report(&mut self, stage: LearnStage, done: usize, total: usize) -> Result<()> {
        match self.flow(LearnProgress { stage, done, total, loss: None }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled { doing: "learning" }),
        }
    }

    /// As [`report`](Tracker::report), for callees that make an error of a break themselves.
    pub(super) fn flow(&mut self, progress: LearnProgress) -> ControlFlow<()> {
        (self.progress)(progress)
    }

    /// Does a part of a stage, whose time counts for it.
    pub(super) fn during<T>(
        &mut self,
        stage: LearnStage,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let started = Instant::now();
        let result = work(self);
        *self.seconds.of(stage) += started.elapsed().as_secs_f64();
        result
    }

    pub(super) fn seconds(&self) -> RoundSeconds {
        RoundSeconds { total: self.started.elapsed().as_secs_f64(), ..self.seconds }
    }
}
