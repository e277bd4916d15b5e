//! The encoder as training sees it: weights that move, results with a graph behind them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{Tensor, Var};

use super::batch::Batch;
use super::config::{self, ModelConfig};
use super::failed_to;
use super::mpnet::Mpnet;
use super::tokens::Tokens;
use super::weights::{WEIGHTS, WeightFile};
use crate::error::{Error, Result};
use crate::storage::publish_folder;

/// Files of a model folder beside the weights. Others (a README, weights in other formats) are not copied by
/// [`TrainableEncoder::save`]: they describe the untrained model.
const FILES: [&str; 8] = [
    "config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
];

/// An encoder whose weights are f32 variables. It gives the same vectors as [`super::Encoder`], without dropout.
pub(crate) struct TrainableEncoder {
    folder: PathBuf,
    tokens: Tokens,
    model: Mpnet,
    variables: Vec<(String, Var)>,
    max_tokens: usize,
    longest: usize,
}

impl TrainableEncoder {
    /// Loads the model in `folder`.
    ///
    /// # Errors
    /// [`Error::Model`] if a file is missing, damaged, or of a model that this encoder does not compute.
    pub(crate) fn load(folder: &Path) -> Result<TrainableEncoder> {
        let config = ModelConfig::read(folder)?;
        let tokens = Tokens::read(folder, config.vocabulary, config.lower_case)?;
        let file = WeightFile::open(folder)?;
        let weights = file.tensors()?;
        let mut variables = Vec::new();
        let model = Mpnet::build(&config, &mut |name, shape| {
            let variable = weights
                .get(name, shape)
                .and_then(|tensor| Var::from_tensor(&tensor).map_err(failed_to("load the weights")))?;
            let tensor = variable.as_tensor().clone();
            variables.push((name.to_string(), variable));
            Ok(tensor)
        })?;
        variables.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(TrainableEncoder {
            folder: folder.to_path_buf(),
            tokens,
            model,
            variables,
            max_tokens: config.max_tokens,
            longest: config.positions - 2,
        })
    }

    fn check_max_tokens(&self, max_tokens: usize) -> Result<()> {
        if (3..=self.longest).contains(&max_tokens) {
            return Ok(());
        }
        Err(Error::invalid("max_tokens", max_tokens, format!("a number from 3 to {}", self.longest)))
    }

    /// The longest input in tokens, with the two special ones. Longer texts are cut.
    pub(crate) fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Tokens of a text as it is embedded: with the two special ones, cut at `max_tokens`.
    pub(crate) fn count_tokens(&self, text: &str, max_tokens: usize) -> Result<usize> {
        Ok(self.tokens.ids(text, max_tokens)?.len())
    }

    /// Encodes texts in one batch: `(texts, dimensions)`, L2-normalised, with the graph that leads to the variables.
    #[cfg(test)]
    pub(crate) fn embed(&self, texts: &[&str]) -> Result<Tensor> {
        self.embed_up_to(texts, self.max_tokens)
    }

    /// [`embed`](Self::embed), cutting texts at `max_tokens`.
    pub(crate) fn embed_up_to(&self, texts: &[&str], max_tokens: usize) -> Result<Tensor> {
        self.check_max_tokens(max_tokens)?;
        if texts.is_empty() {
            return Err(Error::invalid("the batch", "no text", "at least one"));
        }
        let ids: Vec<Vec<u32>> =
            texts.iter().map(|text| self.tokens.ids(text, max_tokens)).collect::<Result<_>>()?;
        let batch = Batch::new(ids.iter().map(Vec::as_slice)).map_err(failed_to("prepare a batch"))?;
        self.model.embed(&batch, rayon::current_num_threads()).map_err(failed_to("encode a batch"))
    }

    /// Every variable that takes part in an embedding, sorted by name. The names are those of the weights' file.
    pub(crate) fn variables(&self) -> &[(String, Var)] {
        &self.variables
    }

    /// Writes a complete model folder to `folder`, which must not exist: the source's files with the weights as they
    /// are now. The folder appears whole, under its name, when everything in it is durable.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.is_empty() || folder.exists() {
            return Err(Error::invalid("the folder to save the model to", folder.display(), "a new name"));
        }
        let building = folder.with_file_name(format!(".tmp-{name}"));
        if building.exists() {
            fs::remove_dir_all(&building).map_err(Error::io("remove the unfinished folder", &building))?;
        }
        fs::create_dir_all(&building).map_err(Error::io("create the folder", &building))?;
        let written = self.write(&building).and_then(|()| publish_folder(&building, folder));
        if written.is_err() {
            let _ = fs::remove_dir_all(&building); // the first error is the one to report
        }
        written
    }

    fn write(&self, folder: &Path) -> Result<()> {
        for name in FILES {
            copy_if_there(&self.folder.join(name), &folder.join(name))?;
        }
        let mut modules = config::module_folders(&self.folder)?;
        if modules.is_empty() {
            modules.push("1_Pooling".to_string());
        }
        for name in modules {
            let (from, into) = (self.folder.join(&name), folder.join(&name));
            if from.is_dir() {
                fs::create_dir_all(&into).map_err(Error::io("create the folder", &into))?;
                copy_if_there(&from.join("config.json"), &into.join("config.json"))?;
            }
        }
        let changed: HashMap<&str, &Tensor> =
            self.variables.iter().map(|(name, variable)| (name.as_str(), variable.as_tensor())).collect();
        let file = WeightFile::open(&self.folder)?;
        file.tensors()?.write_with(&folder.join(WEIGHTS), &changed)
    }
}

fn copy_if_there(from: &Path, to: &Path) -> Result<()> {
    match fs::read(from) {
        Ok(bytes) => fs::write(to, bytes).map_err(Error::io("write", to)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io("read", from)(e)),
    }
}
