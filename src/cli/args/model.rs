//! The model, and what it computes in.

use std::ops::ControlFlow;
use std::path::PathBuf;

use retune::encoder::{Device, EncoderPrecision, Precisions};
use retune::{Options, Result, model};

use crate::cli::print::counting_bar;

/// Where the model is.
#[derive(clap::Args, Clone)]
pub(crate) struct ModelFolder {
    /// Folder of a sentence-transformers model. Default: RETUNE_MODEL, else all-mpnet-base-v2 in retune's cache or the
    /// Hugging Face cache. What makes an index, and `model fetch`, downloads it if it is in neither.
    #[arg(long = "model", value_name = "DIR")]
    model_folder: Option<PathBuf>,
}

/// The model, and how it computes.
#[derive(clap::Args, Clone)]
pub(crate) struct Model {
    #[command(flatten)]
    folder: ModelFolder,
    /// Numbers that this command's encoder multiplies: f32, bf16, int16 or int8 (bf16 until texts of the index have
    /// calibrated it). If the processor lacks them it takes the next better ones that it has; `retune status` says
    /// which. Vectors that are stored stay as they are. A round trains in f32 if this is f32, else in bf16 or int16.
    #[arg(long, default_value = "bf16")]
    pub(crate) precision: EncoderPrecision,
    /// Where the encoder computes: cpu, candle-cpu (a slow reference), or cuda:N or metal in builds with that feature.
    #[arg(long, default_value = "cpu")]
    pub(crate) device: Device,
}

impl Model {
    /// Whether nothing but defaults is asked for.
    pub(crate) fn is_usual(&self) -> bool {
        let usual =
            Precisions::of(self.precision) == Precisions::default() && self.device == Device::default();
        usual && self.folder.model_folder.is_none()
    }

    pub(crate) fn apply(&self, options: Options) -> Options {
        let options = options.with_precisions(Precisions::of(self.precision)).with_device(self.device);
        self.folder.apply(options)
    }

    /// The model folder. The model is fetched if it is not on this machine.
    pub(crate) fn ensure(&self) -> Result<model::Located> {
        match model::locate(self.folder.model_folder.as_deref())? {
            Some(located) => Ok(located),
            None => self.folder.fetch(),
        }
    }
}

impl ModelFolder {
    pub(crate) fn apply(&self, options: Options) -> Options {
        match &self.model_folder {
            Some(folder) => options.with_model(folder),
            None => options,
        }
    }

    /// The model folder with every file checked. The model is fetched if it is missing or damaged.
    pub(crate) fn fetch(&self) -> Result<model::Located> {
        let mut options = model::FetchOptions::from_env();
        if let Some(folder) = &self.model_folder {
            options = options.with_folder(folder);
        }
        let bar = counting_bar("fetching the model", 0);
        let located = model::fetch(&options, &mut |progress| {
            bar.set_message(progress.stage.to_string());
            bar.set_length(progress.total.unwrap_or(0));
            bar.set_position(progress.done);
            ControlFlow::Continue(())
        });
        bar.finish_and_clear();
        located
    }
}
