//! Ctrl-C, and other ways to ask the program to end.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use retune::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::{register, register_conditional_shutdown};

/// As shells count a program that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// Whether the program was asked to end: by Ctrl-C, or by the system (SIGTERM).
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// From now on the program ends by itself, where it asks; when it is asked for a second time, at once.
    ///
    /// # Errors
    /// If the system takes no handler.
    pub(super) fn on_signals() -> Result<Stop> {
        let asked: Arc<AtomicBool> = Arc::default();
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal sets what the second one finds.
            register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&asked))
                .and_then(|_| register(signal, Arc::clone(&asked)))
                .map_err(|source| Error::Io { doing: "listen for", path: "Ctrl-C".into(), source })?;
        }
        Ok(Stop(asked))
    }

    /// Breaks once the program was asked to end.
    pub(super) fn go_on(&self) -> ControlFlow<()> {
        if self.0.load(Ordering::Acquire) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
