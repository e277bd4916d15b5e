//! Documents that change on a cluster itself, by any process, without an index of a machine.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::Cluster;
use super::basis::Basis;
use super::edition::{Edition, Vectors};
use super::serving::serving;
use super::transfer::Transfer;
use crate::encoder::Encoder;
use crate::engine::document::Document;
use crate::engine::layout::Settings;
use crate::engine::prepared::Prepared;
use crate::error::{Error, Result};
use crate::ids::{Digest, GenerationId};
use crate::store::opensearch::{ClusterState, Difference, Lease, Manifest, Swept, sweep};

/// How long a change waits for others.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a change of documents on a cluster has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ChangeReport {
    /// The generation that has the change. If nothing has changed, that which served before.
    pub generation: GenerationId,
    /// Documents that were added, replaced or removed.
    pub documents: usize,
    /// Documents that were there with the same content, and ids to remove that were not.
    pub unchanged: usize,
    /// Passages that were encoded.
    pub chunks_encoded: usize,
    /// Passages that were sent or removed.
    pub sent: u64,
}

impl ChangeReport {
    /// Of a change that sends nothing.
    fn of(state: &ClusterState, documents: usize, unchanged: usize) -> ChangeReport {
        ChangeReport { generation: state.generation(), documents, unchanged, chunks_encoded: 0, sent: 0 }
    }
}

impl Cluster {
    /// Adds documents, or replaces those with the same ids: all of them or none. Returns when the generation that has
    /// them serves: this handle's next search finds them, other processes' do within a second.
    ///
    /// They are cut as the settings of the index say, and encoded by this process. The next generation begins as a copy
    /// of the one that serves and gets what is new, so a change takes seconds, many documents or few: give many at
    /// once. Changes by several processes wait for one another, for a minute at most; they encode side by side.
    ///
    /// The machine that the index was migrated from is behind then: of it only what it has learnt since goes there. An
    /// index that is [brought back](Cluster::restore) after the change can be migrated, and learn.
    ///
    /// # Errors
    /// [`Error::Invalid`] as [`Engine::add`](crate::Engine::add); [`Error::Cluster`] if somebody else writes the index
    /// all that time, if the encoder of its passages is not on the cluster, or if the cluster refuses something. What
    /// served goes on then.
    pub fn add(&self, documents: Vec<Document>) -> Result<ChangeReport> {
        Document::validate_all(&documents)?;
        self.change(&documents, &[])
    }

    /// Removes documents, as [`add`](Cluster::add) adds them. Unknown ids are ignored.
    ///
    /// # Errors
    /// As [`add`](Cluster::add).
    pub fn remove<S: AsRef<str>>(&self, documents: &[S]) -> Result<ChangeReport> {
        let ids: Vec<String> = documents.iter().map(|id| id.as_ref().to_string()).collect();
        self.change(&[], &ids)
    }

    fn change(&self, added: &[Document], removed: &[String]) -> Result<ChangeReport> {
        let mut state = self.following.state();
        if added.is_empty() && removed.is_empty() {
            return Ok(ChangeReport::of(&state, 0, 0));
        }
        let (mut prepared, mut vectors) = (self.prepare(&state, added)?, Vectors::default());
        // Others don't wait for the encoder. What fails here may be a generation that has been dropped meanwhile.
        if let Err(error) = self.edition(&state, &prepared, &[], &mut vectors) {
            tracing::debug!(%error, "documents are encoded under the lease");
        }
        let lease = Lease::wait(&self.client, &self.names, PATIENCE)?;
        let serving = serving(&self.client, &self.names)?;
        let now = ClusterState::open(&self.client, &self.names, serving, self.following.encoders())?;
        let before = std::mem::replace(&mut state, Arc::new(now));
        if !added.is_empty() && self.cuts_as(&state)? != self.cuts_as(&before)? {
            prepared = self.prepare(&state, added)?;
        }
        let edition = self.edition(&state, &prepared, removed, &mut vectors)?;
        let mut report = ChangeReport::of(&state, edition.documents, edition.unchanged);
        if edition.documents > 0 {
            report.chunks_encoded = vectors.made();
            (report.generation, report.sent) = self.publish(&state, edition, &lease)?;
        }
        drop(lease);
        if let Err(error) = self.following.follow(Instant::now()) {
            tracing::warn!(%error, "the change serves, but could not be opened yet");
        }
        Ok(report)
    }

    /// What decides how documents are cut for a generation.
    fn cuts_as(&self, state: &ClusterState) -> Result<(Settings, Digest)> {
        let Some(origin) = &state.manifest().origin else {
            return Err(self.unfit(state, "one of an earlier version, without the settings of its index"));
        };
        let unreadable = |error| self.unfit(state, format!("settings that can't be read: {error}"));
        let settings: Settings = serde_json::from_value(origin.settings.clone()).map_err(unreadable)?;
        Ok((Settings { edit: None, ..settings }, state.manifest().weights))
    }

    fn prepare(&self, state: &ClusterState, added: &[Document]) -> Result<Vec<Prepared>> {
        if added.is_empty() {
            return Ok(Vec::new());
        }
        let ((settings, _), encoder) = (self.cuts_as(state)?, self.passages_by(state)?);
        let lengths = settings.lengths(encoder.max_tokens());
        added.iter().map(|document| Prepared::of(document, settings.chunking, lengths, &encoder)).collect()
    }

    /// What the generation comes to.
    fn edition(
        &self,
        state: &ClusterState,
        prepared: &[Prepared],
        removed: &[String],
        vectors: &mut Vectors,
    ) -> Result<Edition> {
        let mut edition = Edition::of(&self.client, state, prepared, removed)?;
        edition.encode(state.manifest().weights, &|| self.passages_by(state), vectors)?;
        Ok(edition)
    }

    /// Makes the next generation. Returns its number, and how many passages were sent or removed.
    fn publish(&self, state: &ClusterState, edition: Edition, lease: &Lease) -> Result<(GenerationId, u64)> {
        let (client, names) = (&*self.client, &self.names);
        let manifest = state.manifest();
        let serving = names.generation(state.generation());
        let Swept { next, .. } =
            sweep(&self.client, names, lease, &serving, None, manifest.encoder.as_ref())?;
        let Some(layout) = manifest.layout else { return Err(self.unfit(state, "no layout")) };
        let manifest = edition.manifest(next, manifest);
        Manifest::take_number(client, names, next, lease.holder())?;
        let Edition { passages, analysis, new, changed, gone, .. } = edition;
        let transfer = Transfer {
            source: &passages,
            analysis: &analysis,
            layout,
            client,
            names,
            lease,
            serving: &serving,
            index: &names.generation(next),
        };
        let basis = Basis::Most(state.manifest(), Difference { new, changed, gone });
        let sent = transfer.run(&manifest, basis, None, None, &mut |_| ControlFlow::Continue(()))?;
        Ok((next, sent.passages))
    }

    /// The encoder that has made the vectors of the passages.
    fn passages_by(&self, state: &ClusterState) -> Result<Arc<Encoder>> {
        let found = self.following.encoders().for_passages(state.manifest())?;
        found.ok_or_else(|| self.unfit(state, "vectors of an encoder that is not there"))
    }

    fn unfit(&self, state: &ClusterState, found: impl Into<String>) -> Error {
        Error::Cluster {
            doing: "change documents of the generation at",
            at: self.client.at(&format!("/{}", state.index())),
            found: found.into(),
            remedy: "change them on the machine that the index is migrated from, and migrate it",
        }
    }
}
