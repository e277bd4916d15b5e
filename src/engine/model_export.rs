//! An encoder of the index as a folder for sentence-transformers.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use super::Reader;
use super::model_card::{Trained, model_card};
use super::open::read_manifest;
use crate::encoder::longest_input;
use crate::error::{Error, Result};
use crate::generation::{Generation, GenerationMeta};
use crate::ids::{Digest, GenerationId};
use crate::learn::{Decision, RoundReport};
use crate::storage::{publish_folder, remove_folder};

/// Which encoder [`Reader::export_model`] exports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelExport {
    /// The generation, of those that are kept. Default the one that answers.
    pub generation: Option<GenerationId>,
    /// The encoder of queries, where a round has trained one for them alone. Default the encoder of documents, which
    /// else encodes queries too.
    pub of_queries: bool,
}

impl ModelExport {
    /// Sets [`generation`](ModelExport::generation).
    pub fn with_generation(mut self, generation: GenerationId) -> ModelExport {
        self.generation = Some(generation);
        self
    }

    /// Sets [`of_queries`](ModelExport::of_queries).
    pub fn of_queries(mut self) -> ModelExport {
        self.of_queries = true;
        self
    }
}

/// A model that was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ExportedModel {
    /// Its folder.
    pub folder: PathBuf,
    /// The generation that it encodes for.
    pub generation: GenerationId,
    /// SHA-256 of the weights.
    pub weights: Digest,
    /// Whether a round has trained it. If not, it is the model that the index was created with.
    pub trained: bool,
}

impl Reader {
    /// Copies an encoder of the index to the folder `to`, which is new or empty, whole or not at all: weights,
    /// tokeniser and configuration as `SentenceTransformer(to)` reads them, and a README that says what it was trained
    /// from. Loads no model. Other indexes can be opened with it: see
    /// [`Options::with_model`](crate::Options::with_model).
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is anything at `to`; [`Error::NotFound`] for a generation that is not kept, and for
    /// a model outside the index that is gone; [`Error::Model`] and [`Error::Damaged`] for weights that are others.
    pub fn export_model(&self, to: impl AsRef<Path>, which: &ModelExport) -> Result<ExportedModel> {
        let to = &std::path::absolute(to.as_ref()).map_err(Error::io("resolve", to.as_ref()))?;
        self.check_open("export a model")?;
        check_empty(to)?;
        let generation = self.generation_to_export(which.generation)?;
        let draft = to.with_added_extension("unfinished");
        remove_folder(&draft)?;
        let exported = self.write_model(&generation, which, &draft).and_then(|exported| {
            match fs::remove_dir(to) {
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    return Err(Error::io("replace the folder", to)(e));
                }
                _ => publish_folder(&draft, to)?,
            }
            Ok(ExportedModel { folder: to.to_path_buf(), ..exported })
        });
        if exported.is_err() {
            // Report the first error.
            let _ = remove_folder(&draft);
        }
        exported
    }

    fn generation_to_export(&self, asked: Option<GenerationId>) -> Result<Arc<Generation>> {
        let serving = Arc::clone(&self.inner.snapshot.load().pinned.generation);
        let Some(id) = asked.filter(|id| *id != serving.meta.id) else { return Ok(serving) };
        let manifest = read_manifest(&self.inner.layout)?;
        if id != manifest.current && !manifest.kept.contains(&id) {
            return Err(Error::NotFound {
                what: "generation",
                id: id.to_string(),
                remedy: "`retune status` lists the generations that are kept",
            });
        }
        let (root, source) = (self.inner.layout.generations(), self.inner.options.model_source());
        Generation::open_unloaded(&root, id, &source).map(Arc::new)
    }

    fn write_model(
        &self,
        generation: &Generation,
        which: &ModelExport,
        into: &Path,
    ) -> Result<ExportedModel> {
        fs::create_dir_all(into).map_err(Error::io("create", into))?;
        let weights = generation.copy_encoder(which.of_queries, into)?;
        let meta = &generation.meta;
        let of_queries = which.of_queries && meta.queries.encoder.is_some();
        let trained = of_queries || !meta.is_untrained();
        let rounds = if trained { self.rounds_of(meta)? } else { Vec::new() };
        let card = model_card(&Trained {
            generation: meta.id,
            weights,
            encodes: match (of_queries, meta.queries.encoder.is_some()) {
                (true, _) => "queries",
                (false, true) => "documents",
                (false, false) => "documents and queries",
            },
            tokens: longest_input(into)?,
            trained,
            rounds,
        });
        let path = into.join("README.md");
        fs::write(&path, card).map_err(Error::io("write", &path))?;
        Ok(ExportedModel { folder: into.to_path_buf(), generation: meta.id, weights, trained })
    }

    /// The rounds that have made a generation and those that it came from, the first one first, as far as it is known.
    fn rounds_of(&self, meta: &GenerationMeta) -> Result<Vec<RoundReport>> {
        let mut lineage = vec![meta.id];
        let mut parent = meta.parent;
        while let Some(id) = parent {
            lineage.push(id);
            let opened = Generation::open_unloaded(&self.inner.layout.generations(), id, &Default::default());
            // Generations that are no longer kept don't say what they came from.
            parent = opened.ok().and_then(|generation| generation.meta.parent);
        }
        let mut rounds = self.inner.history.all()?;
        let published = |decision| decision == Decision::Published;
        rounds.retain(|one| published(one.gate.decision) && lineage.contains(&one.generation));
        Ok(rounds)
    }
}

/// Refuses what is not a new or empty folder.
fn check_empty(to: &Path) -> Result<()> {
    let found = match fs::read_dir(to) {
        _ if to.file_name().is_none() => format!("{}, which ends in no name", to.display()),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) if e.kind() == ErrorKind::NotADirectory => format!("{}, which is a file", to.display()),
        Err(e) => return Err(Error::io("list", to)(e)),
        Ok(mut entries) => match entries.next() {
            None => return Ok(()),
            Some(_) => format!("{}, which is not empty", to.display()),
        },
    };
    Err(Error::invalid("the folder of the model", found, "a new or empty folder"))
}
