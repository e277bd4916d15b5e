//! Which index a verb works on.

use std::path::{Path, PathBuf};

use retune::access::{Log, Served};
use retune::feedback::Impression;
use retune::{Engine, Error, Feedback, Options, Reader, Result};

use super::model::ModelFolder;
use super::wait::Wait;
use crate::cli::print::Bars;

/// The folder of an index in the folder that it follows.
const NAME: &str = ".retune";

/// The index.
#[derive(clap::Args, Clone)]
pub(crate) struct IndexFolder {
    /// The indexed folder, or one below it: the index is .retune in it or in the nearest folder above. Default: the
    /// current folder.
    #[arg(long, value_name = "DIR", conflicts_with = "index")]
    dir: Option<PathBuf>,
    /// The index folder itself, if it is not a folder's .retune.
    #[arg(long, value_name = "PATH")]
    index: Option<PathBuf>,
}

/// An index for what encodes nothing.
#[derive(clap::Args, Clone)]
pub(crate) struct StoredPlace {
    #[command(flatten)]
    folder: IndexFolder,
    #[command(flatten)]
    model: ModelFolder,
}

impl StoredPlace {
    /// Opens an index that must exist, beside any others who read and write it, without its model. What is damaged and
    /// can be made anew is, if nobody else writes to the index.
    pub(crate) fn open(&self) -> Result<Reader> {
        self.folder.open_reader(&self.options())
    }

    /// Whether an index folder is named.
    #[cfg(feature = "opensearch")]
    pub(crate) fn is_named(&self) -> bool {
        self.folder.is_named()
    }

    /// Opens an index on a cluster, without its model.
    #[cfg(feature = "opensearch")]
    pub(crate) fn open_cluster(&self, store: &str) -> Result<retune::cluster::Cluster> {
        retune::cluster::Cluster::open(store, &self.options())
    }

    /// As [`open`](StoredPlace::open), the index of a folder that may be named.
    #[cfg(feature = "opensearch")]
    pub(crate) fn open_of(&self, folder: Option<&Path>) -> Result<Reader> {
        match folder {
            Some(folder) => Reader::open(self.folder.path_for(folder), self.options()),
            None => self.open(),
        }
    }

    /// Where the index of a folder that may be named is, or will be.
    #[cfg(feature = "opensearch")]
    pub(crate) fn new_index(&self, folder: Option<&Path>) -> PathBuf {
        let folder = folder.or(self.folder.dir.as_deref());
        self.folder.path_for(folder.unwrap_or(Path::new(".")))
    }

    /// Opens the feedback log of an index that must exist, or the service that holds it. Judging needs no `wait`.
    pub(crate) fn open_feedback(&self, wait: Option<&Wait>) -> Result<Log> {
        let options = self.options();
        self.folder.open_feedback(&wait.map_or(options.clone(), |wait| wait.apply(options)))
    }

    /// Opens the feedback log of an index that must exist, beside a service that may hold it.
    pub(crate) fn open_own_feedback(&self) -> Result<Feedback> {
        Feedback::open(self.folder.existing()?, &self.options())
    }

    fn options(&self) -> Options {
        self.model.apply(Options::default()).with_lazy_model(true)
    }
}

impl IndexFolder {
    /// Whether one is named.
    #[cfg(feature = "opensearch")]
    pub(super) fn is_named(&self) -> bool {
        self.dir.is_some() || self.index.is_some()
    }

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

    /// Opens an index that must exist, beside any others who read and write it. What is damaged and can be made anew
    /// is, if nobody else writes to the index.
    pub(super) fn open_reader(&self, options: &Options) -> Result<Reader> {
        let path = self.existing()?;
        match Reader::open(&path, options.clone()) {
            // Opening for writing repairs what can be made anew, and renews what an earlier version has made.
            Err(unusable @ (Error::Damaged { .. } | Error::Lexical { .. })) => {
                let mut bars = Bars::default();
                match Engine::open_with(&path, options.clone(), &mut |progress| bars.show_opening(progress)) {
                    Err(Error::Locked { .. } | Error::Io { .. }) => Err(unusable),
                    repaired => repaired
                        .and_then(|engine| engine.close())
                        .and_then(|()| Reader::open(&path, options.clone())),
                }
            }
            opened => opened,
        }
    }

    pub(super) fn open_feedback(&self, options: &Options) -> Result<Log> {
        let path = self.existing()?;
        match Served::find(&path) {
            Some(served) => Ok(Log::Served(served)),
            None => Feedback::open(path, options).map(|feedback| Log::Own(Box::new(feedback))),
        }
    }

    /// The query that was answered last, in whatever process.
    pub(super) fn last_query(&self, options: &Options) -> Result<Option<Impression>> {
        let feedback = Feedback::open(self.existing()?, options)?;
        let last = feedback.last_query()?;
        feedback.close().map(|()| last)
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
