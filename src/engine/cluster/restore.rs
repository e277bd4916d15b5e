//! An index of this machine, made of what is on a cluster: the way back from a migration.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use super::Cluster;
use super::progress::MigrateProgress;
use crate::engine::commit::CommitPayload;
use crate::engine::layout::{Layout, Settings};
use crate::engine::open::read_manifest;
use crate::error::{Error, Result};
use crate::generation::{Building, Candidate, Generation, OutsideModel, Pinned, collect_garbage, publish};
use crate::ids::{ChunkId, GenerationId};
use crate::lexical::LexicalIndex;
use crate::storage::write_folder;
use crate::store::opensearch::{ClusterState, Kept, Manifest, Origin, Parts};

/// Vectors that are written at a time.
const BATCH: usize = 1000;

/// What was brought back from a cluster.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RestoreReport {
    /// The name of the index on the cluster.
    pub name: String,
    /// The cluster's number of the generation.
    pub generation: GenerationId,
    /// Passages.
    pub chunks: u64,
    /// Passages that have a vector. The others get theirs as after any change.
    pub encoded: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Cluster {
    /// Makes an index of this machine, at `path`, of the generation that serves: its passages with their vectors and
    /// ids, its encoder, its fusion weight and its settings. It appears whole or not at all. Searches of the cluster go
    /// on.
    ///
    /// The model that the index was created with has to be on this machine. What was asked and judged comes by
    /// [`Feedback::import_cluster`](crate::Feedback::import_cluster), or with the next round
    /// ([`Engine::learn_from_cluster`](crate::Engine::learn_from_cluster)). Earlier generations, reports of rounds and
    /// which folders the index follows are not on the cluster.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is something at `path`; [`Error::Cluster`] if the generation was migrated by an
    /// earlier version, lacks the encoder of its passages, or is dropped meanwhile; [`Error::Model`] if the first model
    /// is not found; [`Error::Cancelled`] if `progress` breaks.
    pub fn restore(
        &self,
        path: impl AsRef<Path>,
        progress: &mut dyn FnMut(MigrateProgress) -> ControlFlow<()>,
    ) -> Result<RestoreReport> {
        let (started, state) = (Instant::now(), self.following.state());
        let manifest = state.manifest();
        let wrong = |found| Error::Cluster {
            doing: "make an index of the generation at",
            at: self.client.at(&format!("/{}", state.index())),
            found,
            remedy: "migrate the index again, from the machine that has it",
        };
        let Some(origin) = &manifest.origin else {
            return Err(wrong(
                "one of an earlier version of retune, without the settings of its index".into(),
            ));
        };
        let settings = serde_json::from_value::<Settings>(origin.settings.clone())
            .map_err(|error| wrong(format!("settings that can't be read: {error}")))?;
        let first = first_model(manifest, origin).map_err(|missing| wrong(missing.into()))?;
        let next_chunk = origin.next_chunk;
        let restoration =
            Restoration { cluster: self, state: &state, first, next_chunk, settings: &settings };
        write_folder(path.as_ref(), "the folder of the index", |draft| restoration.write(draft, progress))?;
        Ok(RestoreReport {
            name: self.names.alias().to_string(),
            generation: manifest.generation,
            chunks: manifest.counts.chunks,
            encoded: manifest.counts.encoded,
            seconds: started.elapsed().as_secs_f64(),
        })
    }
}

/// The model that the index was created with, or what of the encoders is neither there nor on the cluster.
fn first_model<'o>(manifest: &Manifest, origin: &'o Origin) -> Result<&'o OutsideModel, &'static str> {
    let first = origin.first.as_ref().ok_or("no word of which model the index was created with")?;
    let has_encoder = manifest.encoder.as_ref().is_some_and(|encoder| encoder.trained_against.is_none());
    if has_encoder || first.weights == manifest.weights {
        return Ok(first);
    }
    Err("vectors of a trained encoder that is not there: a later round has trained that of queries alone")
}

struct Restoration<'a> {
    cluster: &'a Cluster,
    state: &'a ClusterState,
    first: &'a OutsideModel,
    next_chunk: u64,
    settings: &'a Settings,
}

impl Restoration<'_> {
    fn write(
        &self,
        draft: &Path,
        progress: &mut dyn FnMut(MigrateProgress) -> ControlFlow<()>,
    ) -> Result<()> {
        let layout = Layout::new(draft);
        fs::create_dir_all(layout.generations()).map_err(Error::io("create", &layout.generations()))?;
        let generation = self.write_generation(&layout)?;
        self.write_passages(&layout, &generation, progress)?;
        self.settings.write(&layout)
    }

    /// Publishes a generation without vectors.
    fn write_generation(&self, layout: &Layout) -> Result<Arc<Generation>> {
        let (root, dense) = (layout.generations(), &self.settings.dense);
        let manifest = self.state.manifest();
        let first = self.cluster.following.encoders().outside(self.first)?;
        let publish = |building| Ok(publish(&root, building, 0, |_| Ok(()))?.generation);
        let Some(trained) = &manifest.encoder else {
            return publish(Building::first(&root, first, manifest.fusion, dense)?);
        };
        let first = publish(Building::first(&root, first, self.settings.fusion, dense)?)?;
        let parts = Parts::of(&self.cluster.client, &self.cluster.names);
        let save = |folder: &Path| parts.write(trained, folder);
        let building = match trained.trained_against {
            None => Building::next(&root, &first, dense, save)?.with_fusion(manifest.fusion),
            Some(_) => {
                let candidate = Candidate::with_encoder(&root, &first, save)?;
                let view = first.open_dense(dense)?.view(&[])?;
                let pinned = Pinned { dense: view, generation: first };
                Building::sibling(&root, &pinned, manifest.fusion, Some(candidate), dense)?
            }
        };
        let generation = publish(building)?;
        collect_garbage(&root, &read_manifest(layout)?)?;
        Ok(generation)
    }

    fn write_passages(
        &self,
        layout: &Layout,
        generation: &Generation,
        progress: &mut dyn FnMut(MigrateProgress) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut going_on = |done, total| match progress(MigrateProgress { done, total }) {
            ControlFlow::Break(()) => Err(Error::Cancelled { doing: "bringing the index back" }),
            ControlFlow::Continue(()) => Ok(()),
        };
        let total = self.state.manifest().counts.chunks;
        let lexical = LexicalIndex::create(&layout.lexical(), self.settings.language)?;
        let mut writer = lexical.writer()?;
        let mut dense = generation.open_dense(&self.settings.dense)?;
        let (mut rows, mut pending): (Vec<(ChunkId, Vec<f32>)>, Vec<ChunkId>) = Default::default();
        let mut append = |rows: &mut Vec<(ChunkId, Vec<f32>)>| {
            let some: Vec<(ChunkId, &[f32])> = rows.iter().map(|(chunk, row)| (*chunk, &row[..])).collect();
            let appended = dense.append(&some);
            rows.clear();
            appended
        };
        let mut done = 0;
        for kept in Kept::all(&self.cluster.client, self.state.index()) {
            let Kept { record, vector } = kept?;
            writer.add(&record)?;
            match vector {
                Some(vector) => rows.push((record.chunk, vector)),
                None => pending.push(record.chunk),
            }
            done += 1;
            if rows.len() == BATCH {
                append(&mut rows)?;
                going_on(done, total)?;
            }
        }
        append(&mut rows)?;
        going_on(done, total)?;
        if done != total {
            return Err(Error::Cluster {
                doing: "read the passages at",
                at: self.cluster.client.at(&format!("/{}", self.state.index())),
                found: format!("{done} passages of {total}"),
                remedy: "try again: the generation may have been replaced",
            });
        }
        dense.sync()?;
        let pending = pending.into_iter().collect();
        writer.commit(&CommitPayload { next_chunk: self.next_chunk, pending }.text())?;
        writer.close()?;
        let view = dense.view(&lexical.snapshot()?.live_chunks())?;
        if view.len() <= self.settings.dense.exact_below {
            return Ok(());
        }
        dense.merge_all(&view, &mut |_, _| progress(MigrateProgress { done, total }))
    }
}
