//! Writes a trained model as a complete model folder.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::config;
use super::weights::{WEIGHTS, WeightFile};
use crate::error::{Error, Result};
use crate::storage::publish_folder;

const MODULES: &str = "modules.json";
/// What a folder without modules stands for, in the words of all versions from 2 on.
const DEFAULT_MODULES: &str = r#"[
  {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
  {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
  {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}
]
"#;
/// The files of a model folder to copy next to the weights. Others, such as a README or weights in other formats,
/// describe the untrained model and are skipped.
const FILES: [&str; 8] = [
    "config.json",
    "config_sentence_transformers.json",
    MODULES,
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
];

/// Writes the model in `source` to `folder`, with new weights for some names. `folder` must not exist. It appears under
/// its name once everything in it is durable.
pub(super) fn save(source: &Path, changed: &HashMap<&str, &[f32]>, folder: &Path) -> Result<()> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.is_empty() || folder.exists() {
        return Err(Error::invalid("the folder to save the model to", folder.display(), "a new name"));
    }
    let building = folder.with_file_name(format!(".tmp-{name}"));
    if building.exists() {
        fs::remove_dir_all(&building).map_err(Error::io("remove the unfinished folder", &building))?;
    }
    fs::create_dir_all(&building).map_err(Error::io("create the folder", &building))?;
    let written = write(source, changed, &building).and_then(|()| publish_folder(&building, folder));
    if written.is_err() {
        let _ = fs::remove_dir_all(&building); // report the first error
    }
    written
}

fn write(source: &Path, changed: &HashMap<&str, &[f32]>, folder: &Path) -> Result<()> {
    copy_beside(source, folder)?;
    let file = WeightFile::open(source)?;
    file.tensors()?.write_with(&folder.join(WEIGHTS), changed)
}

/// Copies the model in `source` into the folder `into`, which exists: the weights as they are, and what
/// sentence-transformers needs beside them. It is not durable yet.
pub(crate) fn copy_model(source: &Path, into: &Path) -> Result<()> {
    copy_beside(source, into)?;
    if !into.join(MODULES).exists() {
        let path = into.join(MODULES);
        fs::write(&path, DEFAULT_MODULES).map_err(Error::io("write", &path))?;
    }
    let weights = source.join(WEIGHTS);
    fs::copy(&weights, into.join(WEIGHTS)).map(drop).map_err(Error::io("copy", &weights))
}

/// Copies the files beside the weights.
fn copy_beside(source: &Path, folder: &Path) -> Result<()> {
    for name in FILES {
        copy_if_there(&source.join(name), &folder.join(name))?;
    }
    let mut modules = config::module_folders(source)?;
    if modules.is_empty() {
        modules.push("1_Pooling".to_string());
    }
    for name in modules {
        let (from, into) = (source.join(&name), folder.join(&name));
        if from.is_dir() {
            fs::create_dir_all(&into).map_err(Error::io("create the folder", &into))?;
            copy_if_there(&from.join("config.json"), &into.join("config.json"))?;
        }
    }
    Ok(())
}

fn copy_if_there(from: &Path, to: &Path) -> Result<()> {
    match fs::read(from) {
        Ok(bytes) => fs::write(to, bytes).map_err(Error::io("write", to)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(Error::io("read", from)(e)),
    }
}
