//! Which index a verb works on, and with which model.

use std::path::{Path, PathBuf};

use retune::access::{Log, Served};
use retune::feedback::Impression;
use retune::{Engine, GenerationId, Options, Reader, Result};

use super::index_folder::IndexFolder;
use super::model::Model;
use super::wait::Wait;
use crate::cli::print::Bars;

/// The index and the model.
#[derive(clap::Args, Clone)]
pub(crate) struct Place {
    #[command(flatten)]
    folder: IndexFolder,
    #[command(flatten)]
    pub(crate) model: Model,
}

impl Place {
    /// Whether an index folder is named.
    #[cfg(feature = "opensearch")]
    pub(crate) fn is_named(&self) -> bool {
        self.folder.is_named()
    }

    /// As [`IndexFolder::path_for`].
    pub(crate) fn path_for(&self, folder: &Path) -> PathBuf {
        self.folder.path_for(folder)
    }

    /// As [`IndexFolder::folder`].
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        self.folder.folder()
    }

    /// As [`IndexFolder::existing`].
    pub(crate) fn existing(&self) -> Result<PathBuf> {
        self.folder.existing()
    }

    /// The service that holds the index, unless another model or another way to compute is asked for than it may have.
    pub(crate) fn served(&self) -> Option<Served> {
        self.existing().ok().and_then(|index| self.served_at(&index))
    }

    /// As [`served`](Place::served), for the index in this folder.
    pub(crate) fn served_at(&self, index: &Path) -> Option<Served> {
        self.model.is_usual().then(|| Served::find(index)).flatten()
    }

    /// Opens an index that must exist.
    pub(crate) fn open(&self, wait: &Wait) -> Result<Engine> {
        let mut bars = Bars::default();
        Engine::open_with(self.existing()?, wait.apply(self.options()), &mut |progress| {
            bars.show_opening(progress)
        })
    }

    /// Opens an index that must exist, with its model, beside any others who read and write it. What is damaged and
    /// can be made anew is, if nobody else writes to the index.
    pub(crate) fn open_beside(&self) -> Result<Reader> {
        // At once: a round of another process may remove the model of the generation that is open.
        self.folder.open_reader(&self.options().with_lazy_model(false))
    }

    /// As [`open_beside`](Place::open_beside), for what needs no model.
    pub(crate) fn open_without_model(&self) -> Result<Reader> {
        self.folder.open_reader(&self.options())
    }

    /// Opens the feedback log of an index that must exist, or the service that holds it.
    pub(crate) fn open_feedback(&self) -> Result<Log> {
        self.folder.open_feedback(&self.options())
    }

    /// The query that was answered last, in whatever process.
    pub(crate) fn last_query(&self) -> Result<Option<Impression>> {
        self.folder.last_query(&self.options())
    }

    /// Returns an index that must exist to an earlier generation.
    pub(crate) fn roll_back(&self, wait: &Wait) -> Result<GenerationId> {
        if let Some(served) = self.served() {
            return served.roll_back();
        }
        Engine::rollback_at(self.existing()?, &wait.apply(self.options()))
    }

    /// A model is loaded only by what needs it.
    pub(crate) fn options(&self) -> Options {
        self.model.apply(Options::default()).with_lazy_model(true)
    }
}
