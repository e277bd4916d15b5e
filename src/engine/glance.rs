//! What an index is and does, told cheaply: for front ends that ask again and again.

use super::{Engine, Reader};
#[cfg(feature = "access")]
use crate::error::Result;
#[cfg(feature = "access")]
use crate::feedback::{FeedbackStats, read_stats};
#[cfg(feature = "access")]
use crate::generation::Manifest;
#[cfg(feature = "access")]
use crate::ids::{Digest, GenerationId};
use crate::learn::{LearnProgress, Listener};
#[cfg(feature = "access")]
use crate::lexical::Filter;

#[cfg(feature = "access")]
/// A part of [`Status`](super::Status) that takes no long look at the disk.
#[derive(Debug, Clone)]
pub(crate) struct Glance {
    /// Documents that a search can find.
    pub(crate) documents: usize,
    pub(crate) generation: GenerationId,
    /// SHA-256 of the encoder's weights.
    pub(crate) weights: Digest,
    pub(crate) can_roll_back: bool,
    pub(crate) feedback: FeedbackStats,
}

/// A round that is running, or was asked for and waits for its turn.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct RoundState {
    /// How far it is; `None` while it waits for its turn.
    pub progress: Option<LearnProgress>,
    /// Seconds since it began.
    pub seconds: f64,
    /// Whether it waits for the machine to be idle, or was paused.
    pub paused: bool,
}

impl Reader {
    #[cfg(feature = "access")]
    pub(crate) fn glance(&self) -> Result<Glance> {
        self.check_open("tell the status")?;
        let snapshot = self.inner.snapshot.load_full();
        let meta = &snapshot.pinned.generation.meta;
        let manifest = Manifest::read(&self.inner.layout.generations())?;
        Ok(Glance {
            documents: self.count(&Filter::everything())?,
            generation: meta.id,
            weights: meta.weights,
            can_roll_back: manifest.is_some_and(|manifest| !manifest.kept.is_empty()),
            feedback: match &self.inner.feedback {
                Some(log) => log.stats(),
                None => read_stats(&self.inner.layout.feedback()),
            },
        })
    }

    /// The round that is running in this engine, or waits for its turn.
    pub fn round(&self) -> Option<RoundState> {
        let (history, asked) = (&self.inner.history, self.is_asked_to_learn());
        let running = history.progress().map(|(progress, seconds)| RoundState {
            progress,
            seconds,
            paused: history.is_paused(),
        });
        running.or(asked.then_some(RoundState { progress: None, seconds: 0.0, paused: false }))
    }
}

impl Engine {
    /// Asks the round that is running to stop at its next batch, whoever started it. Returns whether one was running.
    pub fn cancel_round(&self) -> bool {
        self.inner.history.cancel()
    }

    /// Has `listener` called at the end of each round in this engine, when its report can be read, and of each
    /// rollback; also of a round that was cancelled or has failed. It takes the place of the one before, and must not
    /// wait for the engine.
    pub fn on_round_end(&self, listener: impl Fn() + Send + Sync + 'static) {
        self.inner.history.set_listener(Listener::new(listener));
    }
}
