//! The input of a round.

use std::path::Path;

use super::helpers::Helpers;
use super::options::LearnOptions;
use crate::dense::DenseOptions;
use crate::feedback::Replay;
use crate::search::Snapshot;
use crate::train::Checkpoints;

/// The input of a round.
pub(crate) struct RoundInput<'a> {
    /// Number of the round.
    pub(crate) round: u64,
    /// When the log was read.
    pub(crate) started_ms: u64,
    /// Rounds that were rejected since the last publication.
    pub(crate) attempts: usize,
    /// Whether a generation that is not proved better may go on trial.
    pub(crate) trial: bool,
    /// The folder of the generations.
    pub(crate) root: &'a Path,
    /// The serving generation, and the documents as they were when the round began.
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) replay: &'a Replay,
    pub(crate) options: &'a LearnOptions,
    pub(crate) dense: &'a DenseOptions,
    /// Where training keeps its checkpoint.
    pub(crate) checkpoints: Checkpoints<'a>,
    /// Who encodes passages beside this machine.
    pub(crate) helpers: Option<&'a dyn Helpers>,
}
