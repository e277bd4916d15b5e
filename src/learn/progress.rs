//! Progress of a round, and the time of each stage.

use std::ops::ControlFlow;
use std::time::Instant;

use super::seconds::RoundSeconds;
use super::stage::{LearnProgress, LearnStage};
use crate::error::{Error, Result};

/// Called for every unit of work. Returning `Break` stops the round.
pub(crate) type Progress<'a> = dyn FnMut(LearnProgress) -> ControlFlow<()> + 'a;

/// Reports progress to the caller, and measures the stages.
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
    /// [`Error::Cancelled`] if the caller stops the round.
    pub(super) fn report(&mut self, stage: LearnStage, done: usize, total: usize) -> Result<()> {
        match self.flow(LearnProgress::of(stage, done, total)) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Cancelled { doing: "learning" }),
        }
    }

    /// [`report`](Tracker::report) for callees that turn a break into an error themselves.
    pub(super) fn flow(&mut self, progress: LearnProgress) -> ControlFlow<()> {
        (self.progress)(progress)
    }

    /// Runs a part of a stage and adds its time to the stage.
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
