//! `model.safetensors`: reading, checking, writing.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use candle_core::safetensors::Load;
use candle_core::{DType, Device, Tensor};
use memmap2::Mmap;
use safetensors::tensor::{Dtype, SafeTensors, View};

use super::config::{COMPLETE_IT, problem};
use super::mpnet::POSITION_TABLE;
use super::ops::{Floats, column_major};
use crate::error::{Error, Result};
use crate::ids::Digest;

pub(super) const WEIGHTS: &str = "model.safetensors";

/// A memory-mapped file of weights.
pub(super) struct WeightFile {
    path: PathBuf,
    map: Mmap,
}

impl WeightFile {
    pub(super) fn open(folder: &Path) -> Result<WeightFile> {
        let path = folder.join(WEIGHTS);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(problem(&path, "the file is missing", COMPLETE_IT));
            }
            Err(e) => return Err(Error::io("open", &path)(e)),
        };
        // SAFETY: a model folder is written under a temporary name and published whole; nobody changes or truncates
        // its files afterwards. The map lives only while the weights are copied out of it.
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io("map", &path))?;
        Ok(WeightFile { path, map })
    }

    /// The digest of the whole file: which weights these are.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.map)
    }

    /// Checks the header and every offset in it.
    pub(super) fn tensors(&self) -> Result<Weights<'_>> {
        let tensors = SafeTensors::deserialize(&self.map).map_err(|e| {
            problem(&self.path, format!("it is no whole safetensors file ({e})"), COMPLETE_IT)
        })?;
        Ok(Weights { path: &self.path, tensors })
    }
}

/// The tensors of a file by name.
pub(super) struct Weights<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl Weights<'_> {
    /// One tensor as f32, copied to memory, where a matrix that texts are multiplied with is column-major.
    pub(super) fn get_for_search(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let tensor = self.get(name, shape)?;
        let &[rows, columns] = shape else { return Ok(tensor) };
        if name.starts_with("embeddings.") || name == POSITION_TABLE {
            return Ok(tensor);
        }
        let turned = Floats::of(&tensor).and_then(|numbers| column_major(&numbers, (rows, columns)));
        turned.map_err(|e| problem(self.path, format!("the tensor {name}: {e}"), COMPLETE_IT))
    }

    /// One tensor as f32, copied to memory.
    pub(super) fn get(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        let Ok(view) = self.tensors.tensor(name) else {
            return Err(problem(self.path, format!("the tensor {name} is missing"), COMPLETE_IT));
        };
        if view.shape() != shape {
            let what = format!("the tensor {name} has shape {:?}, config.json says {shape:?}", view.shape());
            return Err(problem(self.path, what, COMPLETE_IT));
        }
        if !matches!(view.dtype(), Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            let what = format!("the tensor {name} holds {:?}, not floating-point numbers", view.dtype());
            return Err(problem(self.path, what, COMPLETE_IT));
        }
        view.load(&Device::Cpu)
            .and_then(|tensor| tensor.to_dtype(DType::F32))
            .map_err(|e| problem(self.path, format!("the tensor {name}: {e}"), COMPLETE_IT))
    }

    /// Writes all tensors to `path` under their names, those in `changed` with their new values.
    pub(super) fn write_with(&self, path: &Path, changed: &HashMap<&str, &Tensor>) -> Result<()> {
        let failed = |e: String| Error::Encoder { doing: "write the weights", message: e };
        let mut tensors = Vec::new();
        for (name, view) in self.tensors.iter() {
            let view = match changed.get(name) {
                Some(tensor) => {
                    let numbers = Floats::of(tensor).map_err(|e| failed(e.to_string()))?;
                    Saved::Changed { shape: tensor.dims(), numbers }
                }
                None => Saved::Same { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data() },
            };
            tensors.push((name, view));
        }
        let info = HashMap::from([("format".to_string(), "pt".to_string())]);
        safetensors::serialize_to_file(tensors, Some(info), path).map_err(|e| failed(e.to_string()))
    }
}

enum Saved<'a> {
    Changed { shape: &'a [usize], numbers: Floats<'a> },
    Same { dtype: Dtype, shape: Vec<usize>, bytes: &'a [u8] },
}

impl View for Saved<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            Saved::Changed { .. } => Dtype::F32,
            Saved::Same { dtype, .. } => *dtype,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Saved::Changed { shape, .. } => shape,
            Saved::Same { shape, .. } => shape,
        }
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match self {
            Saved::Changed { numbers, .. } => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Saved::Same { bytes, .. } => Cow::Borrowed(bytes),
        }
    }

    fn data_len(&self) -> usize {
        match self {
            Saved::Changed { numbers, .. } => numbers.len() * 4,
            Saved::Same { bytes, .. } => bytes.len(),
        }
    }
}
