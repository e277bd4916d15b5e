//! What an index of this machine comes to on a cluster.

use std::path::Path;

use super::basis::Basis;
use super::transfer::{Progress, Transfer, Transferred};
use crate::error::Result;
use crate::generation::OwnEncoder;
use crate::ids::{ChunkSet as _, GenerationId};
use crate::lexical::{Analysis, Filter, Language};
use crate::search::Snapshot;
use crate::store::opensearch::{Counts, Held, Manifest, Origin, Parts, Passage, StoredEncoder};

/// An index of this machine that goes to a cluster.
pub(super) struct Migration<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) language: Language,
    pub(super) origin: Origin,
    /// The names of the folders that the index follows.
    pub(super) folders: Vec<String>,
    pub(super) transfer: Transfer<'a>,
}

/// What an index of this machine holds.
struct Survey {
    counts: Counts,
    /// In the order of their ids.
    passages: Vec<Held>,
}

/// What a migration comes to.
pub(super) struct Plan<'m> {
    pub(super) manifest: Manifest,
    basis: Basis<'m>,
    passages: Vec<Held>,
}

impl Migration<'_> {
    /// Reads all passages, and finds out what of them is on the cluster already. Sends nothing. `kept` are the
    /// generations that stay.
    pub(super) fn plan<'m>(
        &self,
        next: GenerationId,
        kept: &'m [Manifest],
        encoder: Option<StoredEncoder>,
    ) -> Result<Plan<'m>> {
        let Transfer { layout, client, names, serving, .. } = self.transfer;
        let Survey { counts, passages } = survey(self.snapshot, self.transfer.analysis)?;
        let (lexical, meta) = (&self.snapshot.lexical, &self.snapshot.pinned.generation.meta);
        let documents = lexical.one_per_document(&lexical.matching(&Filter::everything())?)?.len() as u64;
        let basis = Basis::choose(kept, &passages, meta.weights, layout, client, names)?;
        let manifest = Manifest {
            version: Manifest::VERSION,
            generation: next,
            replaces: names.id_of(serving),
            passages: match &basis {
                Basis::Same(earlier) => Some(earlier.passages()),
                Basis::Most(..) | Basis::Nothing => None,
            },
            layout: Some(layout),
            weights: meta.weights,
            model: meta.outside_model().map(Path::to_path_buf),
            encoder,
            dimensions: self.snapshot.pinned.dense.dimensions(),
            language: self.language,
            other_languages: lexical.other_languages(),
            fusion: meta.fusion,
            counts,
            documents,
            fields: lexical.field_names()?,
            folders: self.folders.clone(),
            origin: Some(self.origin.clone()),
            created_ms: crate::clock::now_ms(),
        };
        Ok(Plan { manifest, basis, passages })
    }

    /// Whether the cluster has all weights of the generation.
    pub(super) fn has_weights(&self, plan: &Plan<'_>) -> bool {
        let encoder = plan.manifest.encoder.as_ref();
        encoder
            .is_none_or(|encoder| Parts::of(self.transfer.client, self.transfer.names).check(encoder).is_ok())
    }

    /// Sends what the cluster has not, and has the generation serve.
    pub(super) fn run(
        &self,
        plan: Plan<'_>,
        own: Option<&OwnEncoder>,
        progress: Progress<'_>,
    ) -> Result<Transferred> {
        let Plan { manifest, basis, passages } = plan;
        let all = || passages.iter().map(|passage| passage.chunk).collect();
        self.transfer.run(&manifest, basis, Some(&all), own, progress)
    }
}

/// Counts the chunks, and marks the state of each.
fn survey(snapshot: &Snapshot, analysis: &Analysis) -> Result<Survey> {
    let mut survey = Survey { counts: Counts::default(), passages: Vec::new() };
    for chunk in snapshot.lexical.live_chunks() {
        let Some(record) = snapshot.lexical.get(chunk)? else { continue };
        let indexed = analysis.of_chunk(&record);
        let vector = snapshot.pinned.dense.vector(chunk);
        survey.counts.add(&Counts::of(&indexed, vector.is_some()));
        survey.passages.push(Passage::of(record, &indexed, vector.as_deref())?.held());
    }
    Ok(survey)
}
