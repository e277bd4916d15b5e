//! Which index a verb works on, and with which model.

use std::path::{Path, PathBuf};

use retune::access::{Log, Served};
use retune::feedback::Impression;
use retune::{Engine, Error, Feedback, GenerationId, Options, Reader, Result};

use super::model::Model;
use super::wait::Wait;
use crate::cli::print::Bars;

/// The folder of an index in the folder that it follows.
const NAME: &str = ".retune";

/// The index and the model.
#[derive(clap::Args, Clone)]
pub(crate) struct Place {
    /// The indexed folder, or one below it: the index is .retune in it or in the nearest folder above. Default: the
    /// current folder.
    #[arg(long, value_name = "DIR", conflicts_with = "index")]
    dir: Option<PathBuf>,
    /// The index folder itself, if it is not a folder's .retune.
    #[arg(long, value_name = "PATH")]
    index: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) model: Model,
}

impl Place {
    /// The index folder of `folder`: `--index`, or `.retune` in it.
    pub(crate) fn path_for(&self, folder: &Path) -> PathBuf {
        self.index.clone().unwrap_or_else(|| folder.join(NAME))
    }

    /// The folder to index if no other is named: the one whose index is found, else `--dir`.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        let of_index = |index: PathBuf| index.parent().map(Path::to_path_buf);
        let found = self.existing().ok().filter(|index| index.ends_with(NAME)).and_then(of_index);
        found.or_else(|| self.dir.clone()).ok_or_else(|| Error::NotFound {
            what: "index in this folder or above",
            id: "to bring up to date".into(),
            remedy: "name the folder whose documents are to be indexed: `retune index DIR`",
        })
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
        self.open_beside_with(self.options().with_lazy_model(false))
    }

    /// As [`open_beside`](Place::open_beside), for what needs no model.
    pub(crate) fn open_without_model(&self) -> Result<Reader> {
        self.open_beside_with(self.options())
    }

    fn open_beside_with(&self, options: Options) -> Result<Reader> {
        let path = self.existing()?;
        match Reader::open(&path, options.clone()) {
            // Opening for writing repairs what can be made anew, and renews what an earlier version has made.
            Err(unusable @ (Error::Damaged { .. } | Error::Lexical { .. })) => {
                let mut bars = Bars::default();
                match Engine::open_with(&path, options.clone(), &mut |progress| bars.show_opening(progress)) {
                    Err(Error::Locked { .. } | Error::Io { .. }) => Err(unusable),
                    repaired => {
                        repaired.and_then(|engine| engine.close()).and_then(|()| Reader::open(&path, options))
                    }
                }
            }
            opened => opened,
        }
    }

    /// Opens the feedback log of an index that must exist. Judging needs no `wait`.
    pub(crate) fn open_feedback(&self, wait: Option<&Wait>) -> Result<Log> {
        if let Some(served) = self.served() {
            return Ok(Log::Served(served));
        }
        let options = self.options();
        let log = Feedback::open(self.existing()?, &wait.map_or(options.clone(), |wait| wait.apply(options)));
        log.map(Box::new).map(Log::Own)
    }

    /// The query that was answered last, in whatever process.
    pub(crate) fn last_query(&self) -> Result<Option<Impression>> {
        let feedback = self.open_feedback(None)?;
        let last = feedback.last_query()?;
        feedback.close().map(|()| last)
    }

    /// Returns an index that must exist to an earlier generation.
    pub(crate) fn roll_back(&self, wait: &Wait) -> Result<GenerationId> {
        if let Some(served) = self.served() {
            return served.roll_back();
        }
        Engine::rollback_at(self.existing()?, &wait.apply(self.options()))
    }

    /// A model is loaded only by what needs it.
    fn options(&self) -> Options {
        self.model.apply(Options::default()).with_lazy_model(true)
    }

    /// The index folder: `--index`, or the `.retune` that is nearest to `--dir` or the current folder.
    pub(crate) fn existing(&self) -> Result<PathBuf> {
        let folder = self.dir.as_deref().unwrap_or(Path::new("."));
        let found = match &self.index {
            Some(index) => Some(index.clone()).filter(|index| is_index(index)),
            None => nearest(folder)?,
        };
        found.ok_or_else(|| Error::NotFound {
            what: "index in",
            id: match &self.index {
                Some(index) => index.display().to_string(),
                None => format!("{} or a folder above it", folder.join(NAME).display()),
            },
            remedy: "make one with `retune index DIR`, or name it with --dir DIR or --index PATH",
        })
    }
}

/// The index of `folder`, else that of the nearest folder above.
fn nearest(folder: &Path) -> Result<Option<PathBuf>> {
    let own = folder.join(NAME);
    if is_index(&own) {
        return Ok(Some(own));
    }
    let doing = "look for an index in the folder";
    let full = folder.canonicalize().map_err(|source| Error::Io { doing, path: folder.into(), source })?;
    Ok(full.ancestors().skip(1).map(|above| above.join(NAME)).find(|index| is_index(index)))
}

/// Whether a folder holds an index. One that has lost one of the two parts says so when it is opened.
fn is_index(folder: &Path) -> bool {
    ["retune.json", "generations"].iter().any(|part| folder.join(part).exists())
}
