//! Progress of a measurement.

use std::ops::ControlFlow;

use crate::error::{Error, Result};
use crate::{LearnProgress, Mode};

/// The current step of a measurement, and how much of it is done.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Progress {
    /// Documents are being added.
    Adding {
        /// Bytes of text done.
        bytes: u64,
        /// Total bytes of text.
        total_bytes: u64,
        /// Documents encoded so far. Documents already in the index are not counted.
        encoded: usize,
    },
    /// Segments of the vector index are being merged.
    Merging {
        /// Vectors done.
        done: usize,
        /// Total vectors.
        total: usize,
    },
    /// Searches are being timed.
    Timing {
        /// Queries done.
        done: usize,
        /// Total queries.
        total: usize,
    },
    /// A mode's rankings are being computed.
    Ranking {
        /// The mode.
        mode: Mode,
        /// Queries done.
        done: usize,
        /// Total queries.
        total: usize,
    },
    /// The hybrid is being evaluated with one dense weight after another.
    Weights {
        /// Queries done.
        done: usize,
        /// Total queries.
        total: usize,
    },
    /// Simulated users search and pick.
    Asking {
        /// Queries done.
        done: usize,
        /// Total queries.
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
