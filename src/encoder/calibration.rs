//! Calibration for int8.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::config::problem;
use super::ops::Weight;
use crate::error::{Error, Result};

/// How much of an input's outliers is moved into the weight: the exponent of SmoothQuant.
const MIGRATION: f32 = 0.5;

const ENCODE_ANEW: &str = "remove the file: it is recreated when documents are encoded";

/// The largest magnitude at each input of each product with a weight, over a sample of the texts to encode.
///
/// In some inputs of an encoder, a few channels are a hundred times as large as the rest, so 8 bits for all of them
/// leave nothing for the rest. Dividing those channels by a factor and multiplying the weight's columns by it costs
/// nothing and keeps both (Xiao et al., "SmoothQuant", 2023).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calibration {
    layers: Vec<LayerCalibration>,
}

/// The largest inputs of the products of one transformer block.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LayerCalibration {
    pub(super) qkv: Vec<f32>,
    pub(super) out: Vec<f32>,
    pub(super) up: Vec<f32>,
    pub(super) down: Vec<f32>,
}

impl Calibration {
    pub(super) fn layer(&self, index: usize) -> Option<&LayerCalibration> {
        self.layers.get(index)
    }

    pub(super) fn layer_mut(&mut self, index: usize) -> &mut LayerCalibration {
        if self.layers.len() <= index {
            self.layers.resize_with(index + 1, LayerCalibration::default);
        }
        &mut self.layers[index]
    }

    /// The contents of a file for [`read`](Self::read), in safetensors format.
    ///
    /// # Errors
    /// [`Error::Encoder`] if it is too large for the format.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes: Vec<(String, Vec<u8>)> = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            for (name, numbers) in layer.parts() {
                bytes.push((
                    format!("{index}.{name}"),
                    numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
                ));
            }
        }
        let info = HashMap::from([("format".to_string(), "retune calibration".to_string())]);
        bytes
            .iter()
            .map(|(name, bytes)| Ok((name, TensorView::new(Dtype::F32, vec![bytes.len() / 4], bytes)?)))
            .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
            .and_then(|tensors| safetensors::serialize(tensors, Some(info)))
            .map_err(|e| Error::Encoder { doing: "describe the calibration", message: e.to_string() })
    }

    /// Reads a file that [`to_bytes`](Self::to_bytes) made.
    ///
    /// # Errors
    /// [`Error::Model`] if the file is missing or damaged.
    pub fn read(path: &Path) -> Result<Calibration> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let damaged = |what: String| problem(path, what, ENCODE_ANEW);
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
        let mut calibration = Calibration::default();
        let layers = tensors.len() / LayerCalibration::default().parts().len();
        for index in 0..layers {
            let layer = calibration.layer_mut(index);
            let names = LayerCalibration::default().parts().map(|(name, _)| name);
            for (name, into) in names.into_iter().zip(layer.parts_mut()) {
                let view = tensors.tensor(&format!("{index}.{name}")).map_err(|e| damaged(e.to_string()))?;
                *into = view.data().as_chunks().0.iter().map(|x| f32::from_le_bytes(*x)).collect();
                if view.dtype() != Dtype::F32 || into.iter().any(|x| !x.is_finite() || *x < 0.0) {
                    return Err(damaged(format!("{index}.{name} does not hold absolute values")));
                }
            }
        }
        Ok(calibration)
    }
}

impl LayerCalibration {
    fn parts(&self) -> [(&'static str, &Vec<f32>); 4] {
        [("qkv", &self.qkv), ("out", &self.out), ("up", &self.up), ("down", &self.down)]
    }

    fn parts_mut(&mut self) -> [&mut Vec<f32>; 4] {
        [&mut self.qkv, &mut self.out, &mut self.up, &mut self.down]
    }
}

/// Updates the largest magnitudes with rows of inputs.
pub(super) fn observe(largest: &mut Vec<f32>, rows: &[f32], width: usize) {
    rows.chunks_exact(width).for_each(|row| widen(largest, row));
}

fn widen(largest: &mut Vec<f32>, row: &[f32]) {
    largest.resize(row.len(), 0.0);
    for (largest, x) in largest.iter_mut().zip(row) {
        *largest = largest.max(x.abs());
    }
}

/// The factors to divide a product's inputs by, given the largest magnitude of each. `None` if they belong to another
/// product.
pub(super) fn factors(largest: &[f32], weights: &[Weight<'_>]) -> Option<Vec<f32>> {
    let mut of_weight = Vec::new();
    for weight in weights {
        observe(&mut of_weight, weight.numbers, weight.inputs);
    }
    (of_weight.len() == largest.len()).then(|| {
        let balance = |(x, w): (&f32, &f32)| x.max(1e-5).powf(MIGRATION) / w.max(1e-5).powf(1.0 - MIGRATION);
        largest.iter().zip(&of_weight).map(balance).collect()
    })
}
