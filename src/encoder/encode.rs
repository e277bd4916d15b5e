//! The encoder that search uses.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use serde::Serialize;

use super::calibration::Calibration;
use super::config::ModelConfig;
use super::mpnet::{Mpnet, Record, Workspace};
use super::ops::{EncoderPrecision, Kernel, Run};
use super::parameters::Parameters;
use super::tokens::Tokens;
use super::weights::{Table, WeightFile};
use crate::error::{Error, Result};
use crate::ids::Digest;

/// Tokens that one thread takes through the model at a time. Products of some hundred rows already run at full speed;
/// more only takes memory and makes cancelling slower.
const BATCH_TOKENS: usize = 256;

/// Below this many tokens a batch is not divided among threads; its operations are.
const SPLIT_TOKENS: usize = 128;

/// Texts that are tokenised before the first of them is encoded.
const WINDOW: usize = 1024;

/// What products are computed in for documents and for queries. Two take the memory of both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Precisions {
    /// For documents. Default bf16.
    pub documents: EncoderPrecision,
    /// For queries. Default bf16.
    pub queries: EncoderPrecision,
}

impl Precisions {
    /// One for both.
    pub fn of(precision: EncoderPrecision) -> Self {
        Precisions { documents: precision, queries: precision }
    }

    /// The options of an encoder that is otherwise as it comes.
    pub(crate) fn options(self) -> EncoderOptions {
        EncoderOptions { precisions: self, ..EncoderOptions::default() }
    }
}

/// How an encoder computes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EncoderOptions {
    /// What products are computed in. Default: bf16, where the processor has it.
    pub precisions: Precisions,
    /// The instructions. Default: [`Kernel::best`].
    pub kernel: Option<Kernel>,
    /// What [`Encoder::calibrate`] has found, for int8. Default: nothing; int8 then begins with
    /// [`Encoder::use_calibration`], and bf16 serves until then.
    pub calibration: Option<Calibration>,
}

impl EncoderOptions {
    /// Documents and queries in one precision.
    pub fn of(precision: EncoderPrecision) -> Self {
        Precisions::of(precision).options()
    }

    /// Sets [`kernel`](EncoderOptions::kernel).
    pub fn with_kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = Some(kernel);
        self
    }

    /// Sets [`calibration`](EncoderOptions::calibration).
    pub fn with_calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = Some(calibration);
        self
    }
}

/// Turns texts into vectors: an MPNet model with mean pooling, L2-normalised.
///
/// Cheap to share behind an `Arc`; every method takes `&self`.
pub struct Encoder {
    folder: PathBuf,
    tokens: Tokens,
    /// One for each precision that is not int8, and at least one.
    models: Vec<Mpnet>,
    int8: OnceLock<Mpnet>,
    /// As they were asked for.
    precisions: Precisions,
    file: Arc<WeightFile>,
    words: Table,
    positions: Table,
    config: ModelConfig,
    weights: Digest,
    kernel: Kernel,
    spaces: Mutex<Vec<Workspace>>,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("folder", &self.folder).field("weights", &self.weights).finish()
    }
}

impl Encoder {
    /// Loads the model in a sentence-transformers folder (MPNet, mean pooling), to compute as the processor does best.
    ///
    /// # Errors
    /// [`Error::Model`] if a file is missing, damaged, or of a model that this encoder does not compute;
    /// [`Error::Invalid`] if `RETUNE_KERNEL` names no kernel of this processor.
    pub fn load(folder: &Path) -> Result<Encoder> {
        Encoder::load_with(folder, EncoderOptions::default())
    }

    /// [`load`](Self::load) with options.
    ///
    /// # Errors
    /// As [`load`](Self::load); [`Error::Invalid`] for a kernel that this processor lacks.
    pub fn load_with(folder: &Path, options: EncoderOptions) -> Result<Encoder> {
        let kernel = options.kernel.map_or_else(Kernel::best, Kernel::checked)?;
        let config = ModelConfig::read(folder)?;
        let tokens = Tokens::read(folder, config.vocabulary, config.lower_case)?;
        let file = Arc::new(WeightFile::open(folder)?);
        let tensors = file.tensors()?;
        let run = Run { kernel, threads: rayon::current_num_threads() };
        let precisions = options.precisions;
        let floats = [precisions.documents, precisions.queries].map(|asked| match kernel.precision(asked) {
            EncoderPrecision::Int8 => kernel.precision(EncoderPrecision::Bf16),
            float => float,
        });
        let (weights, loaded) = rayon::join(
            || file.digest(),
            || {
                let parameters = Parameters::build(&config, &mut |name, shape| tensors.get(name, shape))?;
                let model = |precision| Mpnet::new(run, precision, &config, &parameters, &|x| &x[..], None);
                let mut models = vec![model(floats[0])];
                if floats[1] != floats[0] {
                    models.push(model(floats[1]));
                }
                Ok((models, parameters))
            },
        );
        let (models, parameters) = loaded?;
        let (words, positions) = (parameters.words, parameters.positions);
        let encoder = Encoder {
            folder: folder.to_path_buf(),
            tokens,
            models,
            int8: OnceLock::new(),
            precisions,
            words: Table::keep(&file, words),
            positions: Table::keep(&file, positions),
            config,
            weights,
            kernel,
            spaces: Mutex::default(),
            file: Arc::clone(&file),
        };
        if let Some(calibration) = &options.calibration {
            encoder.use_calibration(calibration)?;
        }
        Ok(encoder)
    }

    /// Encodes texts: one L2-normalised vector of [`dimensions`](Self::dimensions) numbers each, in the order given.
    /// Texts beyond [`max_tokens`](Self::max_tokens) are cut.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the model yields numbers that are not finite.
    pub fn encode<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Result<Vec<Vec<f32>>> {
        self.encode_with(texts, &mut |_| ControlFlow::Continue(()))
    }

    /// Encodes one text, such as a query, on all threads.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_one(&self, text: &str) -> Result<Vec<f32>> {
        let ids = self.token_ids(text)?;
        self.embed(
            self.model(self.precisions.queries),
            std::iter::once(&ids[..]),
            rayon::current_num_threads(),
            <[f32]>::to_vec,
        )
    }

    /// [`encode`](Self::encode) that reports the number of texts done, and stops when told to.
    ///
    /// # Errors
    /// As [`encode`](Self::encode); [`Error::Cancelled`] when `progress` says `Break`.
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

    /// The length of a vector.
    pub fn dimensions(&self) -> usize {
        self.config.hidden
    }

    /// The longest input in tokens, with the two special ones.
    pub fn max_tokens(&self) -> usize {
        self.config.max_tokens
    }

    /// The digest of the weights' file. Vectors of different weights must not be compared.
    pub fn weights(&self) -> Digest {
        self.weights
    }

    /// The number of tokens of a text, without the special ones and without a limit. A text that cannot be tokenised
    /// counts as one token a character.
    pub fn count_tokens(&self, text: &str) -> usize {
        self.tokens.count(text).unwrap_or_else(|_| text.chars().count())
    }

    /// The instructions that the encoder uses.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// What products are computed in: what was asked for, or f32 where the processor lacks it, or bf16 where int8 has no
    /// calibration yet.
    pub fn computes_in(&self) -> Precisions {
        let Precisions { documents, queries } = self.precisions;
        Precisions { documents: self.model(documents).precision, queries: self.model(queries).precision }
    }

    /// What was asked for.
    pub(crate) fn precisions(&self) -> Precisions {
        self.precisions
    }

    /// Whether int8 was asked for, can be computed, and has no calibration yet.
    pub fn wants_calibration(&self) -> bool {
        let Precisions { documents, queries } = self.precisions;
        let int8 = |asked| self.kernel.precision(asked) == EncoderPrecision::Int8;
        (int8(documents) || int8(queries)) && self.int8.get().is_none()
    }

    /// Looks at a sample of the texts to encode, for int8. Some dozens suffice.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn calibrate<S: AsRef<str>>(&self, texts: &[S]) -> Result<Calibration> {
        let run = Run { kernel: self.kernel, threads: rayon::current_num_threads() };
        let (mut calibration, mut space) = (Calibration::default(), Workspace::default());
        for text in texts {
            let ids = self.token_ids(text.as_ref())?;
            space.batch.set(std::iter::once(&ids[..]));
            self.models[0].embed(run, self.tables(), &mut space, Record::Largest(&mut calibration));
        }
        Ok(calibration)
    }

    /// Begins to compute in int8 what was asked for in int8. The first calibration stays.
    ///
    /// # Errors
    /// [`Error::Model`] if the weights' file has become unreadable.
    pub fn use_calibration(&self, calibration: &Calibration) -> Result<()> {
        if !self.wants_calibration() {
            return Ok(());
        }
        let tensors = self.file.tensors()?;
        let parameters = Parameters::build(&self.config, &mut |name, shape| tensors.get(name, shape))?;
        let run = Run { kernel: self.kernel, threads: rayon::current_num_threads() };
        let precision = EncoderPrecision::Int8;
        let model = Mpnet::new(run, precision, &self.config, &parameters, &|x| &x[..], Some(calibration));
        let _ = self.int8.set(model); // another thread's is as good
        Ok(())
    }

    /// The model for what was asked.
    fn model(&self, asked: EncoderPrecision) -> &Mpnet {
        let precision = self.kernel.precision(asked);
        let float =
            || self.models.iter().find(|model| model.precision == precision).unwrap_or(&self.models[0]);
        match precision {
            EncoderPrecision::Int8 => self.int8.get().unwrap_or_else(float),
            _ => float(),
        }
    }

    fn tables(&self) -> (&[f32], &[f32]) {
        (self.words.numbers(), self.positions.numbers())
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

    /// Encodes a window of tokenised texts, the longest first. Batches go to threads whole; a lone batch is worked on by
    /// all of them.
    fn encode_ids(
        &self,
        ids: &[Vec<u32>],
        threads: usize,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<f32>>> {
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.sort_by_key(|&text| std::cmp::Reverse(ids[text].len()));
        let batches = batches(ids, &order, threads);
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
                let texts = batches[i].iter().map(|&text| &ids[text][..]);
                self.embed(self.model(self.precisions.documents), texts, inner, |vectors| {
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

    /// Takes a batch through the model and gives its vectors, one behind the other, to `then`.
    fn embed<'a, R>(
        &self,
        model: &Mpnet,
        texts: impl Iterator<Item = &'a [u32]>,
        threads: usize,
        then: impl FnOnce(&[f32]) -> R,
    ) -> Result<R> {
        let spaces = || self.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        let mut space = spaces().pop().unwrap_or_default();
        space.batch.set(texts);
        let run = Run { kernel: self.kernel, threads };
        model.embed(run, self.tables(), &mut space, Record::Nothing);
        let vectors = &space.vectors[..space.batch.lengths.len() * self.dimensions()];
        let finite = vectors.iter().all(|x| x.is_finite());
        let result = finite.then(|| then(vectors));
        spaces().push(space);
        result.ok_or_else(|| Error::Encoder {
            doing: "encode a batch",
            message: format!("a vector is not finite; the weights in {} are damaged", self.folder.display()),
        })
    }
}

/// Cuts texts, in this order, into batches of at most [`BATCH_TOKENS`] tokens (a longer text is alone), and so that
/// every thread gets one if there are enough tokens.
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

/// Runs `work` for `0..count` on up to `threads` threads and returns the results in order. `finished` is called on the
/// calling thread with each index, in the order of completion.
fn in_parallel<R: Send>(
    count: usize,
    threads: usize,
    finished: &mut dyn FnMut(usize) -> ControlFlow<()>,
    work: impl Fn(usize) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let cancelled = || Error::Cancelled { doing: "encoding" };
    if count <= 1 || threads <= 1 {
        return (0..count)
            .map(|i| {
                let result = work(i)?;
                if finished(i).is_break() { Err(cancelled()) } else { Ok(result) }
            })
            .collect();
    }
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let mut results: Vec<Option<R>> = (0..count).map(|_| None).collect();
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..threads.min(count) {
            let (sender, next, stop, work) = (sender.clone(), &next, &stop, &work);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count || sender.send((i, work(i))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (i, result) in receiver {
            let outcome = result.and_then(|result| {
                results[i] = Some(result);
                if finished(i).is_break() { Err(cancelled()) } else { Ok(()) }
            });
            if outcome.is_err() {
                stop.store(true, Ordering::Relaxed);
                return outcome;
            }
        }
        Ok(())
    })?;
    // A worker that panicked has ended the scope with its panic: every result is there.
    Ok(results.into_iter().flatten().collect())
}
