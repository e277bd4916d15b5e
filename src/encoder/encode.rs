//! The encoder that search uses.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::batch::Batch;
use super::config::ModelConfig;
use super::failed_to;
use super::mpnet::Mpnet;
use super::tokens::Tokens;
use super::weights::WeightFile;
use crate::error::{Error, Result};
use crate::ids::Digest;

/// Tokens that one thread takes through the model at a time. Products of 128 rows already run at full speed; more only
/// takes memory and makes cancelling slower.
const BATCH_TOKENS: usize = 512;

/// Below this many tokens a batch is not divided among threads; its operations are.
const SPLIT_TOKENS: usize = 128;

/// Texts that are tokenised before the first of them is encoded.
const WINDOW: usize = 1024;

/// Turns texts into vectors: an MPNet model with mean pooling, L2-normalised, in f32.
///
/// Cheap to share behind an `Arc`; every method takes `&self`.
pub struct Encoder {
    folder: PathBuf,
    tokens: Tokens,
    model: Mpnet,
    config: ModelConfig,
    weights: Digest,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("folder", &self.folder).field("weights", &self.weights).finish()
    }
}

impl Encoder {
    /// Loads the model in a sentence-transformers folder (MPNet, mean pooling).
    ///
    /// # Errors
    /// [`Error::Model`] if a file is missing, damaged, or of a model that this encoder does not compute.
    pub fn load(folder: &Path) -> Result<Encoder> {
        let config = ModelConfig::read(folder)?;
        let tokens = Tokens::read(folder, config.vocabulary, config.lower_case)?;
        let file = WeightFile::open(folder)?;
        let tensors = file.tensors()?;
        let (weights, model) = rayon::join(
            || file.digest(),
            || Mpnet::build(&config, &mut |name, shape| tensors.get_for_search(name, shape)),
        );
        Ok(Encoder { folder: folder.to_path_buf(), tokens, model: model?, config, weights })
    }

    /// Encodes texts: one L2-normalised vector of [`dimensions`](Self::dimensions) numbers each, in the order given.
    /// Texts beyond [`max_tokens`](Self::max_tokens) are cut.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the model yields numbers that are not finite.
    pub fn encode<S: AsRef<str> + Sync>(&self, texts: &[S]) -> Result<Vec<Vec<f32>>> {
        self.encode_with(texts, &mut |_| ControlFlow::Continue(()))
    }

    /// Encodes one text, such as a query.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_one(&self, text: &str) -> Result<Vec<f32>> {
        self.encode(&[text]).map(|vectors| vectors.into_iter().next().unwrap_or_default())
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

    /// Encodes a window of tokenised texts. Batches go to threads whole; a lone batch is worked on by all of them.
    fn encode_ids(
        &self,
        ids: &[Vec<u32>],
        threads: usize,
        progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<f32>>> {
        let batches = batches(ids, threads);
        let inner = if batches.len() > 1 { 1 } else { threads };
        let mut done = 0;
        let vectors = in_parallel(
            batches.len(),
            threads,
            &mut |i| {
                done += batches[i].len();
                progress(done)
            },
            |i| self.encode_batch(&ids[batches[i].clone()], inner),
        )?;
        Ok(vectors.into_iter().flatten().collect())
    }

    fn encode_batch(&self, ids: &[Vec<u32>], threads: usize) -> Result<Vec<Vec<f32>>> {
        let vectors = Batch::new(ids.iter().map(Vec::as_slice))
            .and_then(|batch| self.model.embed(&batch, threads))
            .and_then(|tensor| tensor.to_vec2::<f32>())
            .map_err(failed_to("encode a batch"))?;
        if vectors.iter().flatten().all(|x| x.is_finite()) {
            return Ok(vectors);
        }
        Err(Error::Encoder {
            doing: "encode a batch",
            message: format!("a vector is not finite; the weights in {} are damaged", self.folder.display()),
        })
    }
}

/// Cuts consecutive texts into batches of at most [`BATCH_TOKENS`] tokens (a longer text is alone), and so that every
/// thread gets one if there are enough tokens.
fn batches(ids: &[Vec<u32>], threads: usize) -> Vec<std::ops::Range<usize>> {
    let total: usize = ids.iter().map(Vec::len).sum();
    let share = total.div_ceil(threads.max(1)).max(SPLIT_TOKENS);
    let budget = share.min(BATCH_TOKENS);
    let (mut batches, mut start, mut tokens) = (Vec::new(), 0, 0);
    for (i, text) in ids.iter().enumerate() {
        if i > start && tokens + text.len() > budget {
            batches.push(start..i);
            (start, tokens) = (i, 0);
        }
        tokens += text.len();
    }
    if start < ids.len() {
        batches.push(start..ids.len());
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
