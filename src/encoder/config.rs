//! The configuration in a model folder.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ops::BUCKETS;
use crate::error::{Error, Result};

const USE_ANOTHER: &str = "use a sentence-transformers folder of an MPNet model, such as all-mpnet-base-v2";
pub(super) const COMPLETE_IT: &str = "complete the folder from its source, or fetch the model again";

/// An [`Error::Model`] about `path`.
pub(super) fn problem(path: &Path, problem: impl Into<String>, remedy: &'static str) -> Error {
    Error::Model { path: path.to_path_buf(), problem: problem.into(), remedy }
}

/// The model's shape and how to prepare texts for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ModelConfig {
    pub(super) hidden: usize,
    pub(super) layers: usize,
    pub(super) heads: usize,
    pub(super) intermediate: usize,
    pub(super) vocabulary: usize,
    pub(super) positions: usize,
    pub(super) buckets: usize,
    pub(super) eps: f32,
    /// The longest input in tokens, including the two special tokens.
    pub(super) max_tokens: usize,
    /// Whether texts are lower-cased before the tokeniser gets them.
    pub(super) lower_case: bool,
}

#[derive(Deserialize)]
struct ConfigFile {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "default_buckets")]
    relative_attention_num_buckets: usize,
    #[serde(default = "default_eps")]
    layer_norm_eps: f32,
    hidden_act: String,
}

fn default_buckets() -> usize {
    BUCKETS
}

fn default_eps() -> f32 {
    1e-12
}

#[derive(Deserialize, Default)]
struct SentenceBertFile {
    max_seq_length: Option<f64>,
    #[serde(default)]
    do_lower_case: bool,
}

#[derive(Deserialize, Default)]
struct TokenizerFile {
    model_max_length: Option<f64>,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    #[serde(rename = "type")]
    kind: String,
}

/// Version 2 has one flag for each mode, version 6 the name of the mode.
#[derive(Deserialize)]
struct PoolingFile {
    pooling_mode: Option<String>,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_max_tokens: bool,
    #[serde(default)]
    pooling_mode_mean_sqrt_len_tokens: bool,
    #[serde(default)]
    pooling_mode_weightedmean_tokens: bool,
    #[serde(default)]
    pooling_mode_lasttoken: bool,
}

/// The longest input in tokens, with the two special ones, of the model in a folder.
///
/// # Errors
/// [`Error::Model`] if its configuration is missing, damaged, or of a model that this encoder does not compute.
pub(crate) fn longest_input(folder: &Path) -> Result<usize> {
    Ok(ModelConfig::read(folder)?.max_tokens)
}

impl ModelConfig {
    /// Reads the configuration of the model in `folder`. Refuses what this encoder does not support.
    pub(super) fn read(folder: &Path) -> Result<ModelConfig> {
        if !folder.is_dir() {
            return Err(problem(folder, "no such folder", USE_ANOTHER));
        }
        let path = folder.join("config.json");
        let file: ConfigFile = match read_json::<serde_json::Value>(&path)? {
            Some(json) => {
                check_kind(&path, &json)?;
                serde_json::from_value(json).map_err(|e| problem(&path, e.to_string(), COMPLETE_IT))?
            }
            None => return Err(problem(&path, "the file is missing", COMPLETE_IT)),
        };
        check_modules(folder)?;
        let longest = file.max_position_embeddings.saturating_sub(2);
        let bert: SentenceBertFile =
            read_json(&folder.join("sentence_bert_config.json"))?.unwrap_or_default();
        let tokenizer: TokenizerFile = read_json(&folder.join("tokenizer_config.json"))?.unwrap_or_default();
        // If neither file has a limit, transformers writes 1e30 or nothing.
        let said = bert.max_seq_length.or(tokenizer.model_max_length).unwrap_or(f64::MAX);
        let config = ModelConfig {
            hidden: file.hidden_size,
            layers: file.num_hidden_layers,
            heads: file.num_attention_heads,
            intermediate: file.intermediate_size,
            vocabulary: file.vocab_size,
            positions: file.max_position_embeddings,
            buckets: file.relative_attention_num_buckets,
            eps: file.layer_norm_eps,
            max_tokens: (said as usize).min(longest),
            lower_case: bert.do_lower_case,
        };
        config.check(&path, &file.hidden_act)?;
        Ok(config)
    }

    fn check(&self, path: &Path, activation: &str) -> Result<()> {
        let refuse = |what: String| Err(problem(path, what, USE_ANOTHER));
        if activation != "gelu" {
            return refuse(format!("the activation is {activation:?}, this encoder computes \"gelu\""));
        }
        if self.hidden == 0 || self.heads == 0 || !self.hidden.is_multiple_of(self.heads) {
            return refuse(format!("hidden_size {} does not divide into {} heads", self.hidden, self.heads));
        }
        if self.buckets < BUCKETS {
            return refuse(format!("{} position buckets, at least {BUCKETS} are needed", self.buckets));
        }
        if self.max_tokens < 3 {
            return refuse(format!("the longest input is {} tokens", self.max_tokens));
        }
        if !(self.eps > 0.0 && self.eps < 1.0) {
            return refuse(format!("layer_norm_eps is {}", self.eps));
        }
        Ok(())
    }
}

/// Reads a JSON file. `None` if it does not exist.
fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("read", path)(e)),
    };
    serde_json::from_slice(&text).map(Some).map_err(|e| problem(path, e.to_string(), COMPLETE_IT))
}

fn check_kind(path: &Path, config: &serde_json::Value) -> Result<()> {
    let kind = config.get("model_type").and_then(|kind| kind.as_str()).unwrap_or("unknown");
    if kind == "mpnet" {
        Ok(())
    } else {
        Err(problem(path, format!("the model_type is {kind:?}"), USE_ANOTHER))
    }
}

/// The folders of the modules after the transformer, from `modules.json`.
pub(super) fn module_folders(folder: &Path) -> Result<Vec<String>> {
    Ok(modules(folder)?.into_iter().map(|module| module.path).filter(|path| !path.is_empty()).collect())
}

fn modules(folder: &Path) -> Result<Vec<Module>> {
    let path = folder.join("modules.json");
    let modules: Vec<Module> = read_json(&path)?.unwrap_or_default();
    match modules.iter().find(|module| !is_plain_name(&module.path)) {
        Some(module) => Err(problem(&path, format!("{:?} is not a folder name", module.path), COMPLETE_IT)),
        None => Ok(modules),
    }
}

/// Whether `path` names an entry directly inside the model folder, or the folder itself.
fn is_plain_name(path: &str) -> bool {
    path != ".." && path != "." && !path.contains(['/', '\\', ':', '\0'])
}

/// Requires a transformer, mean pooling and optionally a normalisation.
fn check_modules(folder: &Path) -> Result<()> {
    let modules = modules(folder)?;
    let path = folder.join("modules.json");
    for module in &modules {
        match module.kind.rsplit('.').next() {
            Some("Transformer" | "Normalize") => {}
            Some("Pooling") => check_pooling(&folder.join(&module.path))?,
            kind => {
                let kind = kind.unwrap_or_default();
                return Err(problem(&path, format!("this encoder has no module {kind:?}"), USE_ANOTHER));
            }
        }
    }
    if modules.is_empty() { check_pooling(&folder.join("1_Pooling")) } else { Ok(()) }
}

fn check_pooling(folder: &Path) -> Result<()> {
    let path = folder.join("config.json");
    let Some(file) = read_json::<PoolingFile>(&path)? else {
        return Err(problem(&path, "the file is missing", COMPLETE_IT));
    };
    let others = file.pooling_mode_cls_token
        || file.pooling_mode_max_tokens
        || file.pooling_mode_mean_sqrt_len_tokens
        || file.pooling_mode_weightedmean_tokens
        || file.pooling_mode_lasttoken;
    let mean = match &file.pooling_mode {
        Some(mode) => mode == "mean",
        None => file.pooling_mode_mean_tokens && !others,
    };
    if mean {
        Ok(())
    } else {
        Err(problem(&path, "the pooling is not the mean over the tokens", USE_ANOTHER))
    }
}
