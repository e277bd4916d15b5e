//! The encoder that search uses.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::calibration::Calibration;
use super::candle::Embedder;
use super::config::{ModelConfig, problem};
use super::device::Device;
use super::ops::{EncoderPrecision, Kernel};
use super::options::{Backend, EncoderOptions, Precisions};
use super::packed::Packed;
use super::parallel::in_parallel;
use super::tokens::Tokens;
use super::weights::{WEIGHTS, WeightFile};
use crate::error::{Error, Result};
use crate::ids::Digest;

/// Tokens that one thread encodes at a time. Products of a few hundred rows already run at full speed. More tokens only
/// cost memory and delay cancellation.
const BATCH_TOKENS: usize = 256;

/// A smaller batch is not divided among threads. Its operations are.
const SPLIT_TOKENS: usize = 128;

/// Texts to tokenise before the first of them is encoded.
const WINDOW: usize = 1024;

/// Turns texts into vectors: an MPNet model with mean pooling, L2-normalised.
///
/// Cheap to share behind an `Arc`; every method takes `&self`.
pub struct Encoder {
    folder: PathBuf,
    tokens: Tokens,
    config: ModelConfig,
    weights: Digest,
    kernel: Kernel,
    /// The precisions as requested.
    backend: Backend,
    model: Model,
}

/// The two implementations of the model.
enum Model {
    Packed(Box<Packed>),
    Candle(Embedder),
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("folder", &self.folder).field("weights", &self.weights).finish()
    }
}

impl Encoder {
    /// Loads the MPNet model with mean pooling in a sentence-transformers folder, with the fastest options of this
    /// processor.
    ///
    /// # Errors
    /// [`Error::Model`] if a file is missing or damaged, or the model is of a kind that this encoder does not support.
    /// [`Error::Invalid`] if `RETUNE_KERNEL` does not name a kernel of this processor.
    pub fn load(folder: &Path) -> Result<Encoder> {
        Encoder::load_with(folder, EncoderOptions::default())
    }

    /// [`load`](Self::load) with options.
    ///
    /// # Errors
    /// As [`load`](Self::load). [`Error::Invalid`] if this processor lacks the kernel, or this build can't use the
    /// device. [`Error::Encoder`] if the device fails.
    pub fn load_with(folder: &Path, options: EncoderOptions) -> Result<Encoder> {
        let kernel = options.kernel.map_or_else(Kernel::best, Kernel::checked)?;
        let backend = Backend { device: options.device, precisions: options.precisions };
        let config = ModelConfig::read(folder)?;
        let tokens = Tokens::read(folder, config.vocabulary, config.lower_case)?;
        let file = WeightFile::open(folder)?;
        let tensors = file.tensors()?;
        let load = || match backend.device {
            Device::Cpu => {
                Packed::load(kernel, backend.precisions, &config, &tensors).map(Box::new).map(Model::Packed)
            }
            _ => Embedder::load(backend, &config, &tensors).map(Model::Candle),
        };
        let (weights, model) = rayon::join(|| file.digest(), load);
        let folder = folder.to_path_buf();
        let encoder = Encoder { folder, tokens, config, weights, kernel, backend, model: model? };
        drop(file);
        if let Some(calibration) = &options.calibration {
            encoder.use_calibration(calibration)?;
        }
        Ok(encoder)
    }

    /// Encodes texts: one L2-normalised vector of [`dimensions`](Self::dimensions) numbers each, in the given order.
    /// Texts longer than [`max_tokens`](Self::max_tokens) are truncated.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the model returns numbers that are not finite.
    pub fn encode<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Result<Vec<Vec<f32>>> {
        self.encode_with(texts, &mut |_| ControlFlow::Continue(()))
    }

    /// Encodes one text, such as a query, on all threads.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_one(&self, text: &str) -> Result<Vec<f32>> {
        let ids = self.token_ids(text)?;
        self.embed(self.backend.precisions.queries, &[&ids], rayon::current_num_threads(), <[f32]>::to_vec)
    }

    /// [`encode`](Self::encode) with progress: `progress` gets the number of texts done and may stop the work.
    ///
    /// # Errors
    /// As [`encode`](Self::encode). [`Error::Cancelled`] if `progress` returns `Break`.
    pub fn encode_with<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<f32>>> {
        let threads = rayon::current_num_threads();
        let mut vectors = Vec::with_capacity(texts.len());
        for window in texts.chunks(WINDOW) {
            let ids = self.tokenise(window, threads)?;
            let done = vectors.len();
            vectors.extend(self.encode_ids(&ids, threads, &mut |more| progress(done + more))?);
        }
        Ok(vectors)
    }

    /// The dimensions of a vector.
    pub fn dimensions(&self) -> usize {
        self.config.hidden
    }

    /// The longest input in tokens, including the two special tokens.
    pub fn max_tokens(&self) -> usize {
        self.config.max_tokens
    }

    /// SHA-256 of the weights' file. Vectors of different weights must not be compared.
    pub fn weights(&self) -> Digest {
        self.weights
    }

    /// The number of tokens of a text, without special tokens and without truncation. A text that can't be tokenised
    /// counts as one token for each character.
    pub fn count_tokens(&self, text: &str) -> usize {
        self.tokens.count(text).unwrap_or_else(|_| text.chars().count())
    }

    /// The kernel that the encoder uses.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// The device that the encoder runs on.
    pub fn device(&self) -> Device {
        self.backend.device
    }

    /// The precisions that products use now. They differ from the requested ones if the processor lacks a precision, or
    /// if int8 is not calibrated yet.
    pub fn computes_in(&self) -> Precisions {
        let precision = |asked| match &self.model {
            Model::Packed(packed) => packed.precision(asked),
            Model::Candle(embedder) => embedder.precision(asked),
        };
        let Precisions { documents, queries } = self.backend.precisions;
        Precisions { documents: precision(documents), queries: precision(queries) }
    }

    /// The device and precisions that were requested.
    pub(crate) fn backend(&self) -> Backend {
        self.backend
    }

    /// Whether int8 is requested and supported, but has no calibration yet.
    pub fn wants_calibration(&self) -> bool {
        match &self.model {
            Model::Packed(packed) => packed.wants_calibration(self.backend.precisions),
            Model::Candle(_) => false,
        }
    }

    /// Measures a sample of the texts to encode, for int8. A few dozen are enough. A device other than [`Device::Cpu`]
    /// has no int8 and needs no calibration.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn calibrate<S: AsRef<str>>(&self, texts: &[S]) -> Result<Calibration> {
        let mut calibration = Calibration::default();
        if let Model::Packed(packed) = &self.model {
            for text in texts {
                packed.observe(&self.token_ids(text.as_ref())?, &mut calibration);
            }
        }
        Ok(calibration)
    }

    /// Switches to int8 if int8 was requested. Only the first calibration has an effect.
    ///
    /// # Errors
    /// [`Error::Model`] if the weights' file can't be read any more, or has changed since the encoder was loaded.
    pub fn use_calibration(&self, calibration: &Calibration) -> Result<()> {
        let Model::Packed(packed) = &self.model else { return Ok(()) };
        if !packed.wants_calibration(self.backend.precisions) {
            return Ok(());
        }
        let file = WeightFile::open(&self.folder)?;
        if file.digest() != self.weights {
            let problem_found = "it has changed since the encoder was loaded";
            return Err(problem(&self.folder.join(WEIGHTS), problem_found, "open the index again"));
        }
        packed.calibrate(&self.config, &file.tensors()?, calibration)
    }

    /// The folder that the model was loaded from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The token ids that a text is encoded as, with special tokens.
    pub(crate) fn token_ids(&self, text: &str) -> Result<Vec<u32>> {
        self.tokens.ids(text, self.config.max_tokens)
    }

    fn tokenise<S: AsRef<str> + Sync>(&self, texts: &[S], threads: usize) -> Result<Vec<Vec<u32>>> {
        let part = texts.len().div_ceil(threads.max(1)).max(8);
        let ids =
            in_parallel(texts.len().div_ceil(part), threads, &mut |_| ControlFlow::Continue(()), |i| {
                let end = texts.len().min((i + 1) * part);
                texts[i * part..end]
                    .iter()
                    .map(|text| self.token_ids(text.as_ref()))
                    .collect::<Result<Vec<_>>>()
            })?;
        Ok(ids.into_iter().flatten().collect())
    }

    /// Encodes a window of tokenised texts, longest first. Each batch runs on one thread. If there is only one, all
    /// threads share it.
    fn encode_ids(
        &self,
        ids: &[Vec<u32>],
        threads: usize,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<f32>>> {
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.sort_by_key(|&text| std::cmp::Reverse(ids[text].len()));
        let (batches, threads) = match &self.model {
            Model::Packed(_) => (batches(ids, &order, threads), threads),
            // A device runs one batch at a time.
            Model::Candle(embedder) => (embedder.batches(ids, &order), 1),
        };
        let inner = if batches.len() > 1 { 1 } else { threads };
        let mut done = 0;
        let vectors = in_parallel(
            batches.len(),
            threads,
            &mut |i| {
                done += batches[i].len();
                progress(done)
            },
            |i| {
                let texts: Vec<&[u32]> = batches[i].iter().map(|&text| &ids[text][..]).collect();
                self.embed(self.backend.precisions.documents, &texts, inner, |vectors| {
                    vectors.chunks_exact(self.dimensions()).map(<[f32]>::to_vec).collect::<Vec<_>>()
                })
            },
        )?;
        let mut in_order = vec![Vec::new(); ids.len()];
        for (text, vector) in order.into_iter().zip(vectors.into_iter().flatten()) {
            in_order[text] = vector;
        }
        Ok(in_order)
    }

    /// Encodes a batch with the model for a requested precision. `then` gets the concatenated vectors.
    fn embed<R>(
        &self,
        asked: EncoderPrecision,
        texts: &[&[u32]],
        threads: usize,
        then: impl FnOnce(&[f32]) -> R,
    ) -> Result<R> {
        let check = |vectors: &[f32]| vectors.iter().all(|x| x.is_finite()).then(|| then(vectors));
        let result = match &self.model {
            Model::Packed(packed) => packed.embed(asked, texts.iter().copied(), threads, check),
            Model::Candle(embedder) => check(&embedder.embed(asked, texts)?),
        };
        result.ok_or_else(|| Error::Encoder {
            doing: "encode a batch",
            message: format!("a vector is not finite; the weights in {} are damaged", self.folder.display()),
        })
    }
}

/// Cuts texts, in this order, into batches of at most [`BATCH_TOKENS`] tokens, with at least one batch for each thread
/// if there are enough tokens. A text that is longer gets its own batch.
fn batches<'a>(ids: &[Vec<u32>], order: &'a [usize], threads: usize) -> Vec<&'a [usize]> {
    let total: usize = ids.iter().map(Vec::len).sum();
    let share = total.div_ceil(threads.max(1)).max(SPLIT_TOKENS);
    let budget = share.min(BATCH_TOKENS);
    let (mut batches, mut start, mut tokens) = (Vec::new(), 0, 0);
    for (at, &text) in order.iter().enumerate() {
        if at > start && tokens + ids[text].len() > budget {
            batches.push(&order[start..at]);
            (start, tokens) = (at, 0);
        }
        tokens += ids[text].len();
    }
    if start < order.len() {
        batches.push(&order[start..]);
    }
    batches
}
