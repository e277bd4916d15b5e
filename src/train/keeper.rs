//! Writes a training's checkpoints when they are due.

use std::time::Duration;

use super::checkpoint::{Checkpoints, Done};
use super::optimizer::Optimizer;
use super::row::Documents;
use super::scope::NegativeScope;
use super::training::Training;
use crate::encoder::TrainableEncoder;
use crate::error::Result;
use crate::ids::Digest;

/// Writes the checkpoints of one training.
pub(super) struct Keeper<'a> {
    place: Checkpoints<'a>,
    plan: Digest,
    last: Option<Kept>,
}

/// The state of the last checkpoint.
struct Kept {
    steps: usize,
    spent: Duration,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(
        place: Checkpoints<'a>,
        model: &TrainableEncoder,
        training: &Training<'_>,
        scope: NegativeScope,
    ) -> Keeper<'a> {
        Keeper { place, plan: plan(model, training, scope), last: None }
    }

    /// Restores model and optimiser from the checkpoint of this training, if there is one.
    pub(super) fn resume(
        &mut self,
        model: &mut TrainableEncoder,
        optimizer: &mut Optimizer,
    ) -> Result<Option<Done>> {
        let Optimizer::Host(optimizer) = optimizer else { return Ok(None) };
        let done = self.place.resume(self.plan, model, optimizer)?;
        self.last = done.as_ref().map(|done| Kept { steps: done.steps.len(), spent: done.spent });
        Ok(done)
    }

    /// Writes a checkpoint if the last one is old enough, or if training has `ended` and there is an older one. A
    /// failed write is logged: it must not fail the round. Training on a device writes none, because candle's optimiser
    /// does not expose its moments.
    pub(super) fn keep(&mut self, model: &TrainableEncoder, optimizer: &Optimizer, done: &Done, ended: bool) {
        let (Some(interval), Optimizer::Host(optimizer)) = (self.place.interval, optimizer) else { return };
        let (steps, spent) =
            self.last.as_ref().map_or_else(Default::default, |last| (last.steps, last.spent));
        let new = done.steps.len() > steps;
        let due = done.spent.saturating_sub(spent) >= interval;
        if new && (due || ended && self.last.is_some()) {
            match self.place.write(self.plan, model, optimizer, done) {
                Ok(()) => tracing::debug!(step = done.steps.len(), "wrote a checkpoint"),
                Err(error) => tracing::warn!(%error, "training continues without a checkpoint"),
            }
            self.last = Some(Kept { steps: done.steps.len(), spent: done.spent });
        }
    }
}

/// Digest of everything that determines the steps of a training, except for the initial weights.
fn plan(model: &TrainableEncoder, training: &Training<'_>, scope: NegativeScope) -> Digest {
    let Training { rows, options, guide, documents, .. } = *training;
    let stand = matches!(documents, Documents::Stand(_));
    let plan = format!("{options:?} {scope:?} {stand} {:?}", model.kernel());
    let mut parts = vec![Digest::of(plan.as_bytes())];
    for row in rows {
        parts.push(Digest::of(&row.negatives.len().to_le_bytes()));
        parts.push(Digest::of(format!("{:?}", row.kinds).as_bytes()));
        parts.push(Digest::of(&row.other_answers.len().to_le_bytes()));
        for text in row.texts().chain(row.other_answers.iter().map(String::as_str)) {
            parts.push(Digest::of(text.as_bytes()));
            let vector = guide.and_then(|guide| guide.vector(text)).unwrap_or_default();
            let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
            parts.push(Digest::of(&bytes));
        }
    }
    Digest::of(parts.iter().map(|part| part.0).collect::<Vec<_>>().as_flattened())
}
