//! The model for documents and queries on a candle device.

use std::collections::HashMap;

use candle_core::{Device, Tensor};

use super::batch::Batch;
use super::build::Build;
use super::device;
use super::failed;
use super::forms::Forms;
use super::model::Mpnet;
use crate::encoder::config::ModelConfig;
use crate::encoder::ops::EncoderPrecision;
use crate::encoder::options::Backend;
use crate::encoder::parameters::Parameters;
use crate::encoder::weights::Weights;
use crate::error::Result;

/// Tokens of a batch, including padding. This fills a GPU. On the processor, more would only cost memory.
const GPU_TOKENS: usize = 16 * 1024;
const CPU_TOKENS: usize = 1024;

/// A model on a device, in one or two precisions.
pub(in crate::encoder) struct Embedder {
    device: Device,
    models: Vec<(EncoderPrecision, Mpnet)>,
}

impl Embedder {
    /// # Errors
    /// [`Error::Invalid`] if this build can't use the device. [`Error::Encoder`] if the device fails. [`Error::Model`]
    /// if a tensor is missing or its shape differs from `config`.
    pub(in crate::encoder) fn load(
        backend: Backend,
        config: &ModelConfig,
        weights: &Weights<'_>,
    ) -> Result<Embedder> {
        let device = device::open(backend.device)?;
        let failed = failed("load the model");
        let mut tensors = HashMap::new();
        Parameters::build(config, &mut |name, shape| {
            let numbers = weights.get(name, shape)?;
            let tensor = Tensor::from_slice(&numbers, shape, &device).map_err(&failed)?;
            tensors.insert(name.to_string(), tensor);
            Ok(())
        })?;
        let asked = [backend.precisions.documents, backend.precisions.queries];
        let mut models: Vec<(EncoderPrecision, Mpnet)> = Vec::new();
        for precision in asked.map(|asked| device::precision(&device, asked)) {
            if models.iter().any(|(other, _)| *other == precision) {
                continue;
            }
            let (product, forms) = (device::dtype(precision), Forms::Fused);
            let build = Build { config, device: &device, product, forms, fixed: true };
            models.push((precision, Mpnet::new(&build, tensors.clone()).map_err(&failed)?));
        }
        Ok(Embedder { device, models })
    }

    /// The precision that products use when `asked` is requested.
    pub(in crate::encoder) fn precision(&self, asked: EncoderPrecision) -> EncoderPrecision {
        device::precision(&self.device, asked)
    }

    /// Cuts texts, sorted from longest to shortest, into batches of a size that suits the device.
    pub(in crate::encoder) fn batches<'a>(&self, ids: &[Vec<u32>], order: &'a [usize]) -> Vec<&'a [usize]> {
        let budget = if self.device.is_cpu() { CPU_TOKENS } else { GPU_TOKENS };
        let (mut batches, mut rest) = (Vec::new(), order);
        while let Some(&first) = rest.first() {
            let count = (budget / ids[first].len().max(1)).clamp(1, rest.len());
            let (batch, others) = rest.split_at(count);
            batches.push(batch);
            rest = others;
        }
        batches
    }

    /// One L2-normalised vector for each text, concatenated, from the model for a requested precision.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the device fails.
    pub(in crate::encoder) fn embed(&self, asked: EncoderPrecision, texts: &[&[u32]]) -> Result<Vec<f32>> {
        let precision = self.precision(asked);
        let model = self.models.iter().find(|(other, _)| *other == precision);
        let Some((_, model)) = model.or(self.models.first()) else { return Ok(Vec::new()) };
        let embed = || {
            Batch::new(texts, &self.device).and_then(|batch| model.embed(&batch))?.flatten_all()?.to_vec1()
        };
        embed().map_err(failed("encode a batch"))
    }
}
