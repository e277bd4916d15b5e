//! Which index a verb works on, and with which model.

use std::path::{Path, PathBuf};

use clap::Args;
use retune::encoder::{Device, EncoderPrecision, Precisions};
use retune::{Engine, Error, GenerationId, Options, Result, model};

use super::output::Output;

/// The index and the model.
#[derive(Args, Clone)]
pub(super) struct Place {
    /// The folder whose index is meant: DIR/.retune.
    #[arg(long, value_name = "DIR", conflicts_with = "index")]
    dir: Option<PathBuf>,
    /// The index folder itself, where it isn't DIR/.retune.
    #[arg(long, value_name = "PATH")]
    pub(super) index: Option<PathBuf>,
    #[command(flatten)]
    pub(super) model: Model,
}

/// The model folder.
#[derive(Args, Clone)]
pub(super) struct Model {
    /// A sentence-transformers folder; also RETUNE_MODEL. Default: retune's cache, the Hugging Face cache, the hub.
    #[arg(long = "model", value_name = "DIR")]
    model_folder: Option<PathBuf>,
    /// What the encoder computes in, documents and queries: f32, bf16 or int8. f32 where the processor lacks it.
    #[arg(long, default_value = "bf16")]
    pub(super) precision: EncoderPrecision,
    /// Where the encoder computes: cpu, candle-cpu, and cuda:N or metal in a build with that feature.
    #[arg(long, default_value_t = Device::Cpu)]
    pub(super) device: Device,
}

/// Where vectors of test collections are kept.
#[derive(Args, Clone)]
pub(super) struct Kept {
    /// A folder that keeps the documents' vectors, so that the next run on a collection takes seconds, or `none`. Default:
    /// `embeddings` in retune's cache.
    #[arg(long, value_name = "DIR")]
    embeddings: Option<PathBuf>,
}

impl Kept {
    pub(super) fn apply(&self, options: Options) -> Options {
        let default = || model::FetchOptions::from_env().cache.map(|cache| cache.join("embeddings"));
        match &self.embeddings {
            Some(none) if none.as_os_str() == "none" => options,
            given => match given.clone().or_else(default) {
                Some(folder) => options.with_embeddings(folder),
                None => options,
            },
        }
    }
}

impl Place {
    /// The index folder: `--index`, or `.retune` in `--dir`, else in the current folder.
    fn path(&self) -> PathBuf {
        match (&self.index, &self.dir) {
            (Some(index), _) => index.clone(),
            (None, dir) => dir.as_deref().unwrap_or(Path::new(".")).join(".retune"),
        }
    }

    /// The index of a folder that was named: `--index`, or `.retune` in it.
    pub(super) fn path_for(&self, folder: &Path) -> PathBuf {
        self.index.clone().unwrap_or_else(|| folder.join(".retune"))
    }

    /// Opens an index that must exist.
    pub(super) fn open(&self, options: Options) -> Result<Engine> {
        let path = self.existing()?;
        Engine::open(path, self.model.apply(options))
    }

    /// Opens an index that must exist, for searching only.
    pub(super) fn open_read_only(&self, options: Options) -> Result<Engine> {
        Engine::open_read_only(self.existing()?, self.model.apply(options))
    }

    /// Opens an index that must exist to tell of it, beside a writer if there is one.
    pub(super) fn open_beside(&self) -> Result<Engine> {
        match self.open(Options::default()) {
            Err(Error::Locked { .. }) => self.open_read_only(Options::default()),
            opened => opened,
        }
    }

    /// Makes an index that must exist return to an earlier generation.
    pub(super) fn roll_back(&self) -> Result<GenerationId> {
        Engine::rollback_at(self.existing()?, &self.model.apply(Options::default()))
    }

    fn existing(&self) -> Result<PathBuf> {
        let path = self.path();
        // An index that has lost one of them says so when it is opened.
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

impl Model {
    pub(super) fn apply(&self, options: Options) -> Options {
        let options = options.with_precisions(Precisions::of(self.precision)).with_device(self.device);
        match &self.model_folder {
            Some(folder) => options.with_model(folder),
            None => options,
        }
    }

    /// The model folder; fetched if it is not on this machine.
    pub(super) fn ensure(&self, out: &Output) -> Result<model::Located> {
        match model::locate(self.model_folder.as_deref())? {
            Some(located) => Ok(located),
            None => self.fetch(out),
        }
    }

    /// The model folder with every file checked; fetched if it is not on this machine or damaged.
    pub(super) fn fetch(&self, out: &Output) -> Result<model::Located> {
        let mut options = model::FetchOptions::from_env();
        if let Some(folder) = &self.model_folder {
            options = options.with_folder(folder);
        }
        let bar = out.bar("fetching the model", 0);
        let located = model::fetch(&options, &mut |progress| {
            bar.set_message(progress.stage.to_string());
            bar.set_length(progress.total.unwrap_or(0));
            bar.set_position(progress.done);
        });
        bar.finish_and_clear();
        located
    }
}
