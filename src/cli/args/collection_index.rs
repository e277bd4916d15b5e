//! The index of a test collection.

use std::path::{Path, PathBuf};

use retune::{Chunking, Engine, Language, Options, Result, model};

use super::fixed::fixed;
use super::model::Model;
use super::scratch::Scratch;

/// Where a test collection is indexed, and how.
#[derive(clap::Args)]
pub(crate) struct CollectionIndex {
    /// Keep the index in this folder, or use the one that is there. Default: a temporary folder.
    #[arg(long, value_name = "PATH")]
    pub(crate) index: Option<PathBuf>,
    /// Language of the documents, for stemming; "none" for no stemming.
    #[arg(long, default_value = "english")]
    language: Language,
    #[command(flatten)]
    pub(crate) model: Model,
    /// Keep the documents' vectors in this folder, so that the next run takes seconds; "none" to keep none. Default:
    /// `embeddings` in retune's cache.
    #[arg(long, value_name = "DIR")]
    embeddings: Option<PathBuf>,
}

impl CollectionIndex {
    /// Opens the index. The model is fetched if it is not on this machine.
    pub(crate) fn open(&self) -> Result<OpenIndex> {
        self.open_with_trials(false)
    }

    /// As [`open`](CollectionIndex::open). Generations may go on trial.
    pub(crate) fn open_with_trials(&self, trials: bool) -> Result<OpenIndex> {
        self.model.ensure()?;
        let (path, scratch) = match &self.index {
            Some(path) => (path.clone(), None),
            None => {
                let scratch = Scratch::new()?;
                (scratch.join("index"), Some(scratch))
            }
        };
        let mut options = self.options().with_trial_share(f64::from(u8::from(trials)));
        if let Some(folder) = self.embeddings() {
            options = options.with_embeddings(folder);
        }
        let engine = Engine::open(&path, options)?;
        fixed("--language", Some(self.language), engine.status()?.language, &path)?;
        Ok(OpenIndex { engine, _scratch: scratch })
    }

    /// How an index of a test collection is opened, but for the vectors that are kept.
    pub(crate) fn options(&self) -> Options {
        let options = Options::default().with_chunking(Chunking::Whole).with_language(self.language);
        self.model.apply(options)
    }

    /// The folder of kept vectors, if there is to be one.
    fn embeddings(&self) -> Option<PathBuf> {
        match self.embeddings.as_deref() {
            Some(none) if none == Path::new("none") => None,
            Some(folder) => Some(folder.to_path_buf()),
            None => model::FetchOptions::from_env().cache.map(|cache| cache.join("embeddings")),
        }
    }
}

/// An engine, with the temporary folder that its index may be in.
pub(crate) struct OpenIndex {
    pub(crate) engine: Engine,
    _scratch: Option<Scratch>,
}
