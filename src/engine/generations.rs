//! The generations that somebody may still read.

use std::path::Path;
use std::sync::{Arc, Weak};

use crate::error::Result;
use crate::generation::Generation;
use crate::ids::GenerationId;
use crate::storage::remove_folder;

/// Every generation of this index that some reader may still hold.
#[derive(Debug)]
pub(super) struct Generations {
    alive: Vec<Weak<Generation>>,
}

impl Generations {
    pub(super) fn starting_with(generation: &Arc<Generation>) -> Generations {
        Generations { alive: vec![Arc::downgrade(generation)] }
    }

    pub(super) fn add(&mut self, generation: &Arc<Generation>) {
        self.alive.retain(|one| one.strong_count() > 0);
        self.alive.push(Arc::downgrade(generation));
    }

    /// Removes the folder of a generation: now, or when its last reader is gone.
    pub(super) fn remove(&mut self, root: &Path, id: GenerationId) -> Result<()> {
        let readers: Vec<_> =
            self.alive.iter().filter_map(Weak::upgrade).filter(|one| one.meta.id == id).collect();
        if readers.is_empty() {
            return remove_folder(&Generation::folder_in(root, id));
        }
        readers.iter().for_each(|one| one.doom());
        Ok(())
    }
}
