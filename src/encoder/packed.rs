//! Models packed for this processor, for inference.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::calibration::Calibration;
use super::config::ModelConfig;
use super::mpnet::{Mpnet, Record, Tables, Workspace};
use super::ops::{EncoderPrecision, Kernel, Run};
use super::options::Precisions;
use super::parameters::Parameters;
use super::weights::Weights;
use crate::error::Result;

/// Models packed for the kernel, one for each precision that is not int8, and at least one.
pub(super) struct Packed {
    kernel: Kernel,
    models: Vec<Mpnet>,
    int8: OnceLock<Mpnet>,
    /// The tables of [`Tables`].
    words: Vec<f32>,
    positions: Vec<f32>,
    spaces: Mutex<Vec<Workspace>>,
}

impl Packed {
    /// Packs a model for each precision in `precisions`. bf16 serves until int8 is calibrated.
    pub(super) fn load(
        kernel: Kernel,
        precisions: Precisions,
        config: &ModelConfig,
        weights: &Weights<'_>,
    ) -> Result<Packed> {
        let run = Run { kernel, threads: rayon::current_num_threads() };
        let floats = [precisions.documents, precisions.queries].map(|asked| match kernel.precision(asked) {
            EncoderPrecision::Int8 => kernel.precision(EncoderPrecision::Bf16),
            float => float,
        });
        let parameters = Parameters::build(config, &mut |name, shape| weights.get(name, shape))?;
        let model = |precision| Mpnet::new(run, precision, config, &parameters, &|x| &x[..], None);
        let mut models = vec![model(floats[0])];
        if floats[1] != floats[0] {
            models.push(model(floats[1]));
        }
        Ok(Packed {
            kernel,
            models,
            int8: OnceLock::new(),
            words: parameters.words.into_owned(),
            positions: parameters.positions.into_owned(),
            spaces: Mutex::default(),
        })
    }

    /// The precision that products use when `asked` is requested.
    pub(super) fn precision(&self, asked: EncoderPrecision) -> EncoderPrecision {
        self.model(asked).precision
    }

    /// Whether int8 is requested and supported, but has no calibration yet.
    pub(super) fn wants_calibration(&self, precisions: Precisions) -> bool {
        let int8 = |asked| self.kernel.precision(asked) == EncoderPrecision::Int8;
        (int8(precisions.documents) || int8(precisions.queries)) && self.int8.get().is_none()
    }

    /// Records the largest inputs of each product while it encodes a text.
    pub(super) fn observe(&self, ids: &[u32], calibration: &mut Calibration) {
        let run = Run { kernel: self.kernel, threads: rayon::current_num_threads() };
        let mut space = Workspace::default();
        space.batch.set(std::iter::once(ids));
        self.models[0].embed(run, self.tables(), &mut space, Record::Largest(calibration));
    }

    /// Packs the model for int8. Only the first calibration counts.
    pub(super) fn calibrate(
        &self,
        config: &ModelConfig,
        weights: &Weights<'_>,
        calibration: &Calibration,
    ) -> Result<()> {
        let parameters = Parameters::build(config, &mut |name, shape| weights.get(name, shape))?;
        let run = Run { kernel: self.kernel, threads: rayon::current_num_threads() };
        let precision = EncoderPrecision::Int8;
        let model = Mpnet::new(run, precision, config, &parameters, &|x| &x[..], Some(calibration));
        let _ = self.int8.set(model); // lost to another thread, which is as good
        Ok(())
    }

    /// The model for a requested precision.
    fn model(&self, asked: EncoderPrecision) -> &Mpnet {
        let precision = self.kernel.precision(asked);
        let float =
            || self.models.iter().find(|model| model.precision == precision).unwrap_or(&self.models[0]);
        match precision {
            EncoderPrecision::Int8 => self.int8.get().unwrap_or_else(float),
            _ => float(),
        }
    }

    fn tables(&self) -> Tables<'_> {
        Tables { words: &self.words, positions: &self.positions }
    }

    /// Encodes a batch with the model for a requested precision. `then` gets the concatenated vectors.
    pub(super) fn embed<'a, R>(
        &self,
        asked: EncoderPrecision,
        texts: impl Iterator<Item = &'a [u32]>,
        threads: usize,
        then: impl FnOnce(&[f32]) -> R,
    ) -> R {
        let spaces = || self.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        let mut space = spaces().pop().unwrap_or_default();
        space.batch.set(texts);
        let (run, model) = (Run { kernel: self.kernel, threads }, self.model(asked));
        model.embed(run, self.tables(), &mut space, Record::Nothing);
        let result = then(&space.vectors[..space.batch.lengths.len() * model.hidden]);
        spaces().push(space);
        result
    }
}
