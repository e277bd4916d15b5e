//! Which index a verb works on, and with which model.

use std::path::{Path, PathBuf};

use retune::{Engine, Error, Feedback, GenerationId, Options, Result};

use super::model::Model;
use super::wait::Wait;

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
    pub(crate) fn open(&self, wait: &Wait) -> Result<Engine> {
        Engine::open(self.existing()?, wait.apply(self.options()))
    }

    /// Opens an index that must exist, with its model, beside any others who read and write it. What is damaged and
    /// can be made anew is, if nobody else writes to the index.
    pub(crate) fn open_beside(&self) -> Result<Engine> {
        // At once: a round of another process may remove the model of the generation that is open.
        self.open_beside_with(self.options().with_lazy_model(false))
    }

    /// As [`open_beside`](Place::open_beside), for what needs no model.
    pub(crate) fn open_without_model(&self) -> Result<Engine> {
        self.open_beside_with(self.options())
    }

    fn open_beside_with(&self, options: Options) -> Result<Engine> {
        let path = self.existing()?;
        match Engine::open_read_only(&path, options.clone()) {
            Err(damaged @ Error::Damaged { .. }) => match Engine::open(&path, options) {
                Err(Error::Locked { .. } | Error::Io { .. }) => Err(damaged),
                repaired => repaired,
            },
            opened => opened,
        }
    }

    /// Opens the feedback log of an index that must exist. Judging needs no `wait`.
    pub(crate) fn open_feedback(&self, wait: Option<&Wait>) -> Result<Feedback> {
        let options = self.options();
        Feedback::open(self.existing()?, &wait.map_or(options.clone(), |wait| wait.apply(options)))
    }

    /// Returns an index that must exist to an earlier generation.
    pub(crate) fn roll_back(&self, wait: &Wait) -> Result<GenerationId> {
        Engine::rollback_at(self.existing()?, &wait.apply(self.options()))
    }

    /// A model is loaded only by what needs it.
    fn options(&self) -> Options {
        self.model.apply(Options::default()).with_lazy_model(true)
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
