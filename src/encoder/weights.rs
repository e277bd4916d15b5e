//! `model.safetensors`: reading, checking, writing.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, View};

use super::config::{COMPLETE_IT, problem};
use crate::error::{Error, Result};
use crate::ids::Digest;

pub(crate) const WEIGHTS: &str = "model.safetensors";

/// A file of weights, read whole, because its folder is the user's and may change at any time. Callers copy or pack the
/// tensors they need and then drop the file.
pub(super) struct WeightFile {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl WeightFile {
    pub(super) fn open(folder: &Path) -> Result<WeightFile> {
        let path = folder.join(WEIGHTS);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(WeightFile { path, bytes }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Err(problem(&path, "the file is missing", COMPLETE_IT))
            }
            Err(e) => Err(Error::io("read", &path)(e)),
        }
    }

    /// SHA-256 of the whole file. It identifies the weights.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// Checks the header and every offset in it.
    pub(super) fn tensors(&self) -> Result<Weights<'_>> {
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(|e| {
            problem(&self.path, format!("it is not a complete safetensors file ({e})"), COMPLETE_IT)
        })?;
        Ok(Weights { path: &self.path, tensors })
    }
}

/// Little-endian f32 bytes as numbers, without a copy. `None` if they are misaligned or the processor is big-endian.
fn in_place(bytes: &[u8]) -> Option<&[f32]> {
    // SAFETY: any four bytes are an f32, and `align_to` returns only aligned ones.
    let (before, numbers, after) = unsafe { bytes.align_to::<f32>() };
    (cfg!(target_endian = "little") && before.is_empty() && after.is_empty()).then_some(numbers)
}

/// The tensors of a file by name.
pub(super) struct Weights<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl<'a> Weights<'a> {
    /// One tensor as f32: borrowed from the file if possible, else copied.
    pub(super) fn get(&self, name: &str, shape: &[usize]) -> Result<Cow<'a, [f32]>> {
        let problem = |what: String| problem(self.path, what, COMPLETE_IT);
        let Ok(view) = self.tensors.tensor(name) else {
            return Err(problem(format!("the tensor {name} is missing")));
        };
        if view.shape() != shape {
            let found = view.shape();
            return Err(problem(format!(
                "the tensor {name} has shape {found:?}, config.json says {shape:?}"
            )));
        }
        let bytes: &'a [u8] = view.data();
        let halves = || bytes.as_chunks::<2>().0.iter();
        let numbers = match (view.dtype(), in_place(bytes)) {
            (Dtype::F32, Some(numbers)) => Cow::Borrowed(numbers),
            (Dtype::F32, None) => bytes.as_chunks().0.iter().map(|x| f32::from_le_bytes(*x)).collect(),
            (Dtype::F16, _) => halves().map(|x| f16::from_le_bytes(*x).to_f32()).collect(),
            (Dtype::BF16, _) => halves().map(|x| bf16::from_le_bytes(*x).to_f32()).collect(),
            (other, _) => {
                return Err(problem(format!(
                    "the tensor {name} holds {other:?}, not floating-point numbers"
                )));
            }
        };
        if numbers.iter().fold(0.0, |sum, x| sum + x * 0.0) != 0.0 {
            return Err(problem(format!("the tensor {name} holds numbers that are not finite")));
        }
        Ok(numbers)
    }

    /// Writes all tensors to `path` under their names, with new values for those in `changed`.
    pub(super) fn write_with(&self, path: &Path, changed: &HashMap<&str, &[f32]>) -> Result<()> {
        let failed = |e: String| Error::Encoder { doing: "write the weights", message: e };
        let mut tensors = Vec::new();
        for (name, view) in self.tensors.iter() {
            let view = match changed.get(name) {
                Some(numbers) => Saved::Changed { shape: view.shape().to_vec(), numbers },
                None => Saved::Same { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data() },
            };
            tensors.push((name, view));
        }
        let info = HashMap::from([("format".to_string(), "pt".to_string())]);
        safetensors::serialize_to_file(tensors, Some(info), path).map_err(|e| failed(e.to_string()))
    }
}

enum Saved<'a> {
    Changed { shape: Vec<usize>, numbers: &'a [f32] },
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
