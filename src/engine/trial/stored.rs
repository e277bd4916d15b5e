//! `trial.json`: a trial as it is kept on disk.

use serde::{Deserialize, Serialize};

use crate::engine::layout::Layout;
use crate::error::Result;
use crate::learn::TrialReport;
use crate::storage::{read_envelope, remove_file, write_private_envelope};
use crate::trial::Trial;

const KIND: &str = "trial";
const VERSION: u32 = 1;

/// A trial with the votes so far. It holds ids of queries, and no text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredTrial {
    pub(super) report: TrialReport,
    pub(super) trial: Trial,
    /// The judgements of the log when the candidate was made.
    pub(super) judged: u64,
}

impl StoredTrial {
    pub(super) fn read(layout: &Layout) -> Result<Option<StoredTrial>> {
        read_envelope(&layout.trial(), KIND, VERSION)
    }

    pub(super) fn write(&self, layout: &Layout) -> Result<()> {
        write_private_envelope(&layout.trial(), KIND, VERSION, self)
    }

    pub(super) fn remove(layout: &Layout) -> Result<()> {
        remove_file(&layout.trial())
    }
}
