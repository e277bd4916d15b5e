//! Which index a verb works on, and with which model.

use std::path::{Path, PathBuf};

use retune::{Engine, Error, GenerationId, Options, Result};

use super::model::Model;

/// The index and the model.
#[derive(clap::Args, Clone)]
pub(crate) struct Place {
    /// The indexed folder: its index is DIR/.retune. Default: the current folder.
    #[arg(long, value_name = "DIR", conflicts_with = "index")]
    dir: Option<PathBuf>,
    /// The index folder, if it is not DIR/.retune.
    #[arg(long, value_name = "PATH")]
    index: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) model: Model,
}

impl Place {
    /// The index folder: `--index`, or `.retune` in `--dir` or the current folder.
    fn path(&self) -> PathBuf {
        self.path_for(self.dir.as_deref().unwrap_or(Path::new(".")))
    }

    /// The index folder of `folder`: `--index`, or `.retune` in it.
    pub(crate) fn path_for(&self, folder: &Path) -> PathBuf {
        self.index.clone().unwrap_or_else(|| folder.join(".retune"))
    }

    /// Opens an index that must exist.
    pub(crate) fn open(&self) -> Result<Engine> {
        Engine::open(self.existing()?, self.options())
    }

    /// Opens an index that must exist, for searching only.
    pub(crate) fn open_read_only(&self) -> Result<Engine> {
        Engine::open_read_only(self.existing()?, self.options())
    }

    /// Opens an index that must exist; for searching only if another process is writing to it.
    pub(crate) fn open_beside(&self) -> Result<Engine> {
        match self.open() {
            Err(Error::Locked { .. }) => self.open_read_only(),
            opened => opened,
        }
    }

    /// Returns an index that must exist to an earlier generation.
    pub(crate) fn roll_back(&self) -> Result<GenerationId> {
        Engine::rollback_at(self.existing()?, &self.options())
    }

    fn options(&self) -> Options {
        self.model.apply(Options::default())
    }

    fn existing(&self) -> Result<PathBuf> {
        let path = self.path();
        // An index that has lost one of the two says so when it is opened.
        if ["retune.json", "generations"].iter().any(|part| path.join(part).exists()) {
            return Ok(path);
        }
        Err(Error::NotFound {
            what: "index in",
            id: path.display().to_string(),
            remedy: "make one with `retune index DIR`, or name it with --dir DIR or --index PATH",
        })
    }
}
