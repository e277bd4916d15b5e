//! Encoding what has no vector yet while the machine is idle.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Engine;
use super::idle::{IdleOptions, IdleWatch};
use super::threads::{all_but_one, pool};
use crate::error::{Error, Result};

const THREADS: &str = "retune-encode";
/// How long nothing is tried after a failure: what made it fail may last.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// Whether and when pending chunks are encoded by themselves.
pub(super) struct EncodeIdle {
    watch: IdleWatch,
    not_before: Instant,
}

impl EncodeIdle {
    pub(super) fn new(options: IdleOptions) -> EncodeIdle {
        EncodeIdle { watch: IdleWatch::new(options), not_before: Instant::now() }
    }

    /// Encodes while the machine is idle, until nothing is pending, until there is something better to do (`wanted`),
    /// or until nobody else holds the engine.
    pub(super) fn run(&mut self, engine: &Engine, wanted: &(dyn Fn() -> bool + Sync)) {
        if engine.coverage().is_complete() || Instant::now() < self.not_before || !self.is_idle(engine) {
            return;
        }
        match self.encode(engine, wanted) {
            Ok(_) | Err(Error::Cancelled { .. } | Error::Closed { .. }) => {}
            Err(error) => {
                tracing::error!(%error, "passages could not be encoded in the background");
                self.not_before = Instant::now() + AFTER_FAILURE;
            }
        }
    }

    fn encode(&mut self, engine: &Engine, wanted: &(dyn Fn() -> bool + Sync)) -> Result<usize> {
        pool(THREADS, all_but_one(), true)?.install(|| {
            engine.encode_pending(&mut |_, _| {
                let alone = Arc::strong_count(&engine.reader.inner) == 1;
                match alone || wanted() || !self.is_idle(engine) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })
        })
    }

    fn is_idle(&mut self, engine: &Engine) -> bool {
        self.watch.is_idle(Instant::now(), engine.inner.last_search.ago())
    }
}
