//! How far a measurement is.

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::{LearnProgress, Mode};

/// The step a measurement is in, and how much of it is done.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Progress {
    /// Documents are being added.
    Adding {
        /// Bytes of text that are done.
        bytes: u64,
        /// Bytes of text in all.
        total_bytes: u64,
        /// Documents encoded so far; others were there already.
        encoded: usize,
    },
    /// Segments of the vector index are being merged.
    Merging {
        /// Vectors that are done.
        done: usize,
        /// Vectors in all.
        total: usize,
    },
    /// Searches are being timed.
    Timing {
        /// Queries that are done.
        done: usize,
        /// Queries in all.
        total: usize,
    },
    /// The rankings of a mode are being made.
    Ranking {
        /// The mode.
        mode: Mode,
        /// Queries that are done.
        done: usize,
        /// Queries in all.
        total: usize,
    },
    /// The hybrid is being measured with one dense weight after the other.
    Weights {
        /// Queries that are done.
        done: usize,
        /// Queries in all.
        total: usize,
    },
    /// Simulated users ask and pick.
    Asking {
        /// Queries that are done.
        done: usize,
        /// Queries in all.
        total: usize,
    },
    /// A round of learning.
    Learning(LearnProgress),
}

/// Calls `progress`.
///
/// # Errors
/// [`Error::Cancelled`] when it breaks.
pub(super) fn tell(progress: &mut dyn FnMut(Progress) -> ControlFlow<()>, at: Progress) -> Result<()> {
    match progress(at) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled { doing: "measuring" }),
    }
}
