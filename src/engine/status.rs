//! What an index is and holds.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Reader;
use super::options::Chunking;
use super::source::Folder;
use crate::encoder::{Device, Kernel, Precisions};
use crate::error::Result;
use crate::feedback::{FeedbackStats, read_stats};
use crate::fusion::Fusion;
use crate::generation::Manifest;
use crate::ids::{Digest, GenerationId};
use crate::learn::{RoundReport, TrialReport};
use crate::lexical::Language;
use crate::search::Coverage;

/// A moment of an index.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The folders that it follows.
    pub folders: Vec<Folder>,
    /// Documents that a search can find.
    pub documents: usize,
    /// Chunks that a search can find.
    pub chunks: usize,
    /// How many of them have a vector: [`Engine::encode_pending`](super::Engine::encode_pending) gives the others
    /// theirs.
    pub coverage: Coverage,
    /// How words are stemmed. This and the next two were fixed when the index was made.
    pub language: Language,
    /// How documents are cut.
    pub chunking: Chunking,
    /// The longest passage in tokens.
    pub max_tokens: usize,
    /// What answers.
    pub generation: GenerationStatus,
    /// Earlier generations that a rollback can return to, the most recent first.
    pub kept_generations: Vec<GenerationId>,
    /// The trial that goes on, if there is one.
    #[serde(default)]
    pub trial: Option<TrialReport>,
    /// The feedback log.
    pub feedback: Option<FeedbackStats>,
    /// The latest round, if there was one.
    pub last_round: Option<RoundReport>,
    /// Files of the lexical index whose checksum is wrong; an index that is sound has none.
    pub damaged_files: Vec<PathBuf>,
    /// Whether a round is running in this engine, or was asked for and waits for its turn.
    pub learning: bool,
    /// Whether it waits: it was paused, or the machine is not idle enough for it.
    pub paused: bool,
    /// Bytes on disk, the whole index folder.
    pub bytes: u64,
}

/// The generation that answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GenerationStatus {
    /// Its number.
    pub id: GenerationId,
    /// SHA-256 of the encoder's weights.
    pub weights: Digest,
    /// SHA-256 of the weights of the encoder of queries, where that is not the documents'.
    pub query_weights: Option<Digest>,
    /// Length of a vector.
    pub dimensions: usize,
    /// Where the encoder computes.
    pub device: Device,
    /// The instructions that it uses on [`Device::Cpu`].
    pub kernel: Kernel,
    /// What the encoder's products are computed in.
    pub precisions: Precisions,
    /// How the two scores are fused unless a query says otherwise.
    pub fusion: Fusion,
}

impl GenerationStatus {
    /// What the encoder computes on: the device, or the instruction set of [`Device::Cpu`].
    pub fn hardware(&self) -> String {
        match self.device {
            Device::Cpu => self.kernel.to_string(),
            device => device.to_string(),
        }
    }
}

impl Reader {
    /// The folder of the serving encoder of documents: another index can be opened with it. A later round may replace
    /// and remove it. What this index has for queries alone goes there with
    /// [`Engine::adopt_query_side`](super::Engine::adopt_query_side).
    pub fn model_folder(&self) -> PathBuf {
        self.inner.snapshot.load().pinned.generation.model_folder()
    }

    /// The reports of all rounds of this index, the first one first. Damaged ones are left out with a word in the log.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if they can't be read.
    pub fn rounds(&self) -> Result<Vec<RoundReport>> {
        self.check_open("list the rounds")?;
        self.inner.history.all()
    }

    /// How much of the index has vectors. Cheap, unlike [`status`](Reader::status).
    pub fn coverage(&self) -> Coverage {
        self.inner.snapshot.load().coverage()
    }

    /// Counts what is there.
    pub fn status(&self) -> Result<Status> {
        self.check_open("tell the status")?;
        let snapshot = self.inner.snapshot.load_full();
        let generation = &snapshot.pinned.generation;
        let kept =
            Manifest::read(&self.inner.layout.generations())?.map_or_else(Vec::new, |manifest| manifest.kept);
        let (kernel, precisions) = generation.computes_in()?;
        Ok(Status {
            folders: self.folders()?,
            documents: snapshot.lexical.documents()?.len(),
            chunks: snapshot.lexical.chunk_count() as usize,
            coverage: snapshot.coverage(),
            language: self.inner.settings.language,
            chunking: self.inner.settings.chunking,
            max_tokens: self.inner.settings.lengths(generation.max_tokens().unwrap_or(usize::MAX)).text,
            generation: GenerationStatus {
                id: generation.meta.id,
                weights: generation.meta.weights,
                query_weights: generation.meta.queries.encoder.as_ref().map(|encoder| encoder.weights),
                dimensions: snapshot.pinned.dense.dimensions(),
                device: generation.backend().device,
                kernel,
                precisions,
                fusion: generation.meta.fusion,
            },
            kept_generations: kept,
            trial: self.trial()?,
            feedback: Some(match &self.inner.feedback {
                Some(log) => log.stats(),
                None => read_stats(&self.inner.layout.feedback()),
            }),
            last_round: self.inner.history.last()?,
            damaged_files: self.inner.lexical.damaged_files()?,
            learning: self.inner.history.is_running() || self.is_asked_to_learn(),
            paused: self.inner.history.is_paused(),
            bytes: folder_bytes(self.path()),
        })
    }
}

/// Sum of the file sizes below a folder. What vanishes while it is counted counts nothing.
fn folder_bytes(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
