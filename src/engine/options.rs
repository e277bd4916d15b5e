//! How an engine is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::idle::IdleOptions;
use crate::corpus::CorpusOptions;
use crate::encoder::{Backend, Device, Encoder, Precisions};
use crate::error::{Error, Result};
use crate::extract::Extractor;
use crate::feedback::FeedbackOptions;
use crate::fusion::Fusion;
use crate::generation::ModelSource;
use crate::learn::LearnOptions;
use crate::lexical::Language;

/// Options of [`Engine::open`](crate::Engine::open). What is marked *fixed* is stored when the index is created and
/// read from there afterwards.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The model folder. Default: `RETUNE_MODEL`, retune's cache, the Hugging Face cache; never the network: see
    /// [`model::fetch`](crate::model::fetch).
    pub model: Option<PathBuf>,
    /// An encoder that many engines share: it is loaded once, and held in memory once, however many indexes use it.
    /// It stands in for [`model`](Options::model), [`precisions`](Options::precisions) and
    /// [`device`](Options::device). An index that has been trained loads its own weights. Default none.
    pub encoder: Option<Arc<Encoder>>,
    /// Whether the model is loaded by the first call that needs it, which then fails if it can't be, and not when the
    /// index is opened. Default false.
    pub lazy_model: bool,
    /// What the encoder's products are computed in, for documents and for queries apart. Default bf16 for both.
    pub precisions: Precisions,
    /// Where the encoder computes, in search and in learning. Default: this processor, with retune's own kernels.
    pub device: Device,
    /// *Fixed.* How words are stemmed. Default English.
    pub language: Language,
    /// *Fixed.* How documents are cut. Default passages.
    pub chunking: Chunking,
    /// *Fixed.* How the two scores are fused, until learning sets it. Default a convex combination.
    pub fusion: Fusion,
    /// Which files `index_folder` reads, and how long a passage may be.
    pub corpus: CorpusOptions,
    /// What reads files that are not text, such as PDF. Default none: `index_folder` skips them, with the reason.
    /// [`extract::ChildProcess`](crate::extract::ChildProcess) reads them in processes of their own.
    pub extractor: Option<Arc<dyn Extractor>>,
    /// The feedback log.
    pub feedback: FeedbackOptions,
    /// How many earlier generations are kept for a rollback. Default 1.
    pub keep_generations: usize,
    /// When the background worker starts a round by itself. Default never.
    pub policy: LearnPolicy,
    /// Whether a thread of the engine encodes what was committed without vectors, while the machine is so idle: after
    /// [`AddOptions::words_first`](crate::AddOptions::words_first), or where a run over a folder was cut short. It
    /// gives way to searches, to rounds and to other processes. Default none:
    /// [`encode_pending`](crate::Engine::encode_pending) and [`watch`](crate::Engine::watch) do it.
    pub encode_when_idle: Option<IdleOptions>,
    /// The share of searches, 0 to 1, that a generation on trial answers too. A trained generation that the gate
    /// neither proves better nor finds worse goes on trial, and picks decide. Such a search takes one more encoding of
    /// the query. 0 means no trials. Default 1: users decide soonest. Only an [`Engine`](crate::Engine) has trials.
    pub trial_share: f64,
    /// How long to wait for another writer, or for another process that forgets, before failing with
    /// [`Error::Locked`]. Default 5 s; zero doesn't wait.
    pub lock_wait: Duration,
    /// A folder that keeps the vectors of texts from one index to the next, by the hash of weights, precision and text:
    /// for collections that are indexed again and again. It only grows; remove it whenever you like. Not used with
    /// int8. Default none.
    pub embeddings: Option<PathBuf>,
    /// The folder that keeps the latest encoders that [`Cluster`](crate::cluster::Cluster) has downloaded, for all
    /// processes of this machine. Default `trained` in retune's cache (`RETUNE_CACHE`, else the platform's).
    #[cfg(feature = "opensearch")]
    pub model_cache: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            model: None,
            encoder: None,
            lazy_model: false,
            precisions: Precisions::default(),
            device: Device::default(),
            language: Language::default(),
            chunking: Chunking::default(),
            fusion: Fusion::default(),
            corpus: CorpusOptions::default(),
            extractor: None,
            feedback: FeedbackOptions::default(),
            keep_generations: 1,
            policy: LearnPolicy::default(),
            encode_when_idle: None,
            trial_share: 1.0,
            lock_wait: Duration::from_secs(5),
            embeddings: None,
            #[cfg(feature = "opensearch")]
            model_cache: None,
        }
    }
}

/// How a document is cut into chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Chunking {
    /// Passages of at most [`CorpusOptions::max_tokens`] tokens, along headings, paragraphs and sentences.
    #[default]
    Passages,
    /// Each document is one chunk; the encoder truncates it at the model's length. For test collections.
    Whole,
}

/// When the background worker of an open engine starts a round.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct LearnPolicy {
    /// After so many judgements since the last round. Default never.
    pub new_judgements: Option<usize>,
    /// After this time since the last round, if anything was judged in it. Default never.
    pub interval: Option<Duration>,
    /// Rounds of the policy start and continue only while the machine is idle enough; else they wait. Default: they
    /// don't check.
    pub idle: Option<IdleOptions>,
    /// Options of those rounds.
    pub options: LearnOptions,
}

impl LearnPolicy {
    /// Learns after every `judgements` new judgements.
    pub fn after_judgements(judgements: usize) -> Self {
        LearnPolicy { new_judgements: Some(judgements), ..LearnPolicy::default() }
    }

    /// Learns every `interval`, if anything was judged in it.
    pub fn every(interval: Duration) -> Self {
        LearnPolicy { interval: Some(interval), ..LearnPolicy::default() }
    }

    /// Sets the options of the rounds.
    pub fn with_options(mut self, options: LearnOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets [`idle`](LearnPolicy::idle).
    pub fn when_idle(mut self, idle: IdleOptions) -> Self {
        self.idle = Some(idle);
        self
    }

    pub(super) fn is_active(&self) -> bool {
        self.new_judgements.is_some() || self.interval.is_some()
    }
}

impl Options {
    /// Sets [`precisions`](Options::precisions).
    pub fn with_precisions(mut self, precisions: Precisions) -> Self {
        self.precisions = precisions;
        self
    }

    /// Sets [`device`](Options::device).
    pub fn with_device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    pub(super) fn backend(&self) -> Backend {
        match &self.encoder {
            Some(encoder) => encoder.backend(),
            None => Backend { device: self.device, precisions: self.precisions },
        }
    }

    pub(super) fn model_source(&self) -> ModelSource {
        ModelSource { shared: self.encoder.clone(), folder: self.model.clone(), backend: self.backend() }
    }

    /// Sets [`model`](Options::model).
    pub fn with_model(mut self, folder: impl Into<PathBuf>) -> Self {
        self.model = Some(folder.into());
        self
    }

    /// Sets [`model_cache`](Options::model_cache).
    #[cfg(feature = "opensearch")]
    pub fn with_model_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.model_cache = Some(folder.into());
        self
    }

    /// Sets [`encoder`](Options::encoder).
    pub fn with_encoder(mut self, encoder: Arc<Encoder>) -> Self {
        self.encoder = Some(encoder);
        self
    }

    /// Sets [`lazy_model`](Options::lazy_model).
    pub fn with_lazy_model(mut self, lazy: bool) -> Self {
        self.lazy_model = lazy;
        self
    }

    /// Sets [`language`](Options::language).
    pub fn with_language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// Sets [`chunking`](Options::chunking).
    pub fn with_chunking(mut self, chunking: Chunking) -> Self {
        self.chunking = chunking;
        self
    }

    /// Sets [`fusion`](Options::fusion).
    pub fn with_fusion(mut self, fusion: Fusion) -> Self {
        self.fusion = fusion;
        self
    }

    /// Sets [`extractor`](Options::extractor).
    pub fn with_extractor(mut self, extractor: Arc<dyn Extractor>) -> Self {
        self.extractor = Some(extractor);
        self
    }

    /// Sets [`corpus`](Options::corpus).
    pub fn with_corpus(mut self, corpus: CorpusOptions) -> Self {
        self.corpus = corpus;
        self
    }

    /// Sets [`feedback`](Options::feedback).
    pub fn with_feedback(mut self, feedback: FeedbackOptions) -> Self {
        self.feedback = feedback;
        self
    }

    /// Sets [`keep_generations`](Options::keep_generations).
    pub fn with_keep_generations(mut self, generations: usize) -> Self {
        self.keep_generations = generations;
        self
    }

    /// Sets [`lock_wait`](Options::lock_wait).
    pub fn with_lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// Sets [`trial_share`](Options::trial_share).
    pub fn with_trial_share(mut self, share: f64) -> Self {
        self.trial_share = share;
        self
    }

    /// Sets [`embeddings`](Options::embeddings).
    pub fn with_embeddings(mut self, folder: impl Into<PathBuf>) -> Self {
        self.embeddings = Some(folder.into());
        self
    }

    /// Sets [`policy`](Options::policy).
    pub fn with_policy(mut self, policy: LearnPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets [`encode_when_idle`](Options::encode_when_idle).
    pub fn with_encode_when_idle(mut self, idle: IdleOptions) -> Self {
        self.encode_when_idle = Some(idle);
        self
    }

    /// Whether the engine has a thread from the beginning.
    pub(super) fn works_by_itself(&self) -> bool {
        self.policy.is_active() || self.encode_when_idle.is_some()
    }

    /// # Errors
    /// [`Error::Invalid`] naming the first option that can't be used.
    pub(super) fn validate(&self) -> Result<()> {
        self.fusion.validate()?;
        self.corpus.validate()?;
        self.feedback.validate()?;
        if self.encoder.as_ref().is_some_and(|encoder| encoder.wants_calibration()) {
            return Err(Error::invalid(
                "the shared encoder",
                "int8 without a calibration",
                "one with a calibration (Encoder::calibrate, Encoder::use_calibration): every index would wait for \
                 its own",
            ));
        }
        if !(0.0..=1.0).contains(&self.trial_share) {
            return Err(Error::invalid("the share of searches on trial", self.trial_share, "0 to 1"));
        }
        if self.policy.new_judgements == Some(0) {
            return Err(Error::invalid("the learning policy", "0 new judgements", "1 or more"));
        }
        if self.policy.interval.is_some_and(|interval| interval < Duration::from_secs(1)) {
            return Err(Error::invalid(
                "the learning policy's interval",
                "less than a second",
                "a second or more",
            ));
        }
        let idle = self.policy.idle.into_iter().chain(self.encode_when_idle);
        idle.into_iter().try_for_each(|idle| idle.validate())?;
        self.policy.options.validate()
    }
}
