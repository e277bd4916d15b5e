//! A copy of an open index.

use std::path::Path;

use super::Engine;
use super::open::read_manifest;
use crate::error::Result;
use crate::generation::Generation;
use crate::storage::{copy_folder, write_folder};

impl Engine {
    /// Copies the index as it is now into the new folder `to`, which appears whole or not at all. Searches go on
    /// meanwhile, in all processes; changes wait. To restore it, copy it to where the index was, or open it where it
    /// is.
    ///
    /// The copy has the documents, every generation that is kept, the reports of rounds and the feedback of all
    /// processes. It lacks what is not in the index folder either: the model that the index was created with. The state
    /// of a round that is running is left out.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) if there is something at `to`;
    /// [`Error::ReadOnly`](crate::Error::ReadOnly) on a handle for reading; [`Error::Io`](crate::Error::Io).
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<()> {
        // Nothing is committed or published while this is held.
        let mut writer = self.lock_writer("back up the index")?;
        writer.get()?.dense.sync()?;
        write_folder(to.as_ref(), "the folder of the backup", |draft| self.copy_parts(draft))
    }

    fn copy_parts(&self, to: &Path) -> Result<()> {
        let layout = &self.inner.layout;
        self.inner.lexical.copy_to(&to.join("lexical"))?;
        let (from, into) = (layout.generations(), to.join("generations"));
        let manifest = read_manifest(layout)?;
        let named = manifest.named();
        // A kept one that is gone is no hindrance: a rollback steps over it.
        for id in named.filter(|id| Generation::folder_in(&from, *id).exists()) {
            // Graphs that are being built.
            let unfinished = |name: &str| name.starts_with(".tmp-");
            copy_folder(&Generation::folder_in(&from, id), &Generation::folder_in(&into, id), &unfinished)?;
        }
        manifest.write(&into)?;
        self.log("back up the index")?.copy_to(&to.join("feedback"), self.inner.options.lock_wait)?;
        if layout.rounds().exists() {
            copy_folder(&layout.rounds(), &to.join("rounds"), &|name| !name.ends_with(".json"))?;
        }
        // The other files. The backup itself may be one of the folders.
        let skip =
            |name: &str| name == "LOCK" || name.starts_with(".tmp-") || layout.path.join(name).is_dir();
        copy_folder(&layout.path, to, &skip)
    }
}
