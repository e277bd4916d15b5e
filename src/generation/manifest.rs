//! `CURRENT`: the current generation and those kept.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::ids::GenerationId;
use crate::storage::{read_envelope, write_envelope};

const FILE: &str = "CURRENT";
const KIND: &str = "generations";
const VERSION: u32 = 1;

/// The pointer file of the folder `generations/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The current generation.
    pub(crate) current: GenerationId,
    /// Earlier generations that a rollback can return to, the most recent first.
    pub(crate) kept: Vec<GenerationId>,
    /// The number of the next generation. Numbers are never reused.
    pub(crate) next: GenerationId,
    /// The generation that is on trial beside the current one. Versions before trials take its folder for garbage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) candidate: Option<GenerationId>,
}

impl Manifest {
    /// Reads the pointer file in `root`. `None` before the first generation is published.
    pub(crate) fn read(root: &Path) -> Result<Option<Manifest>> {
        read_envelope(&root.join(FILE), KIND, VERSION)
    }

    /// Every generation that it names.
    pub(crate) fn named(&self) -> impl Iterator<Item = GenerationId> {
        [self.current].into_iter().chain(self.kept.iter().copied()).chain(self.candidate)
    }

    /// Replaces the pointer file atomically. At this moment a generation is published.
    pub(crate) fn write(&self, root: &Path) -> Result<()> {
        write_envelope(&root.join(FILE), KIND, VERSION, self)
    }
}

/// The folder of a generation.
pub(super) fn folder_of(root: &Path, id: GenerationId) -> PathBuf {
    root.join(format!("{:06}", id.0))
}
