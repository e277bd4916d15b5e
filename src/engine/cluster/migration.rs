//! What an index of this machine comes to on a cluster.

use std::collections::BTreeSet;
use std::path::Path;

use super::basis::Basis;
use super::transfer::{Progress, Source, Transfer, Transferred};
use crate::error::Result;
use crate::generation::OwnEncoder;
use crate::ids::{ChunkId, GenerationId};
use crate::lexical::{Analysis, Language};
use crate::search::Snapshot;
use crate::store::opensearch::{Counts, Held, Manifest, Origin, Parts, Passage, StoredEncoder};

/// What a generation is to hold, beside the encoder and its vectors.
pub(super) struct Content {
    /// In the order of their ids.
    pub(super) chunks: Vec<ChunkId>,
    pub(super) documents: u64,
    pub(super) language: Language,
    pub(super) other_languages: Vec<Language>,
    pub(super) fields: BTreeSet<String>,
    /// The names of the folders that they are from.
    pub(super) folders: Vec<String>,
    pub(super) origin: Option<Origin>,
}

impl Content {
    pub(super) fn analysis(&self) -> Analysis {
        Analysis::new(self.language, self.other_languages.iter().copied())
    }
}

/// What an index of this machine has learnt, on its way to a cluster.
pub(super) struct Migration<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) content: &'a Content,
    pub(super) transfer: Transfer<'a>,
}

/// What passages come to.
pub(super) struct Survey {
    pub(super) counts: Counts,
    /// In the order of their ids.
    passages: Vec<Held>,
}

/// Counts the passages, and marks the state of each.
pub(super) fn survey(content: &Content, source: &dyn Source, analysis: &Analysis) -> Result<Survey> {
    let mut survey = Survey { counts: Counts::default(), passages: Vec::new() };
    for &chunk in &content.chunks {
        let Some((record, vector)) = source.passage(chunk)? else { continue };
        let indexed = analysis.of_chunk(&record);
        survey.counts.add(&Counts::of(&indexed, vector.is_some()));
        survey.passages.push(Passage::of(record, &indexed, vector.as_deref())?.held());
    }
    Ok(survey)
}

/// What a migration comes to.
pub(super) struct Plan<'m> {
    pub(super) manifest: Manifest,
    basis: Basis<'m>,
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
        let Transfer { source, analysis, layout, client, names, serving, .. } = self.transfer;
        let Survey { counts, passages } = survey(self.content, source, analysis)?;
        let meta = &self.snapshot.pinned.generation.meta;
        let basis = Basis::choose(kept, &passages, meta.weights, layout, client, names)?;
        let Content { documents, language, other_languages, fields, folders, origin, .. } = self.content;
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
            language: *language,
            other_languages: other_languages.clone(),
            fusion: meta.fusion,
            counts,
            documents: *documents,
            fields: fields.clone(),
            folders: folders.clone(),
            origin: origin.clone(),
            created_ms: crate::clock::now_ms(),
        };
        Ok(Plan { manifest, basis })
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
        let Plan { manifest, basis } = plan;
        let all = || self.content.chunks.clone();
        self.transfer.run(&manifest, basis, Some(&all), own, progress)
    }
}
