//! One round, up to the moment of publishing.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use super::examples::{Collected, JudgedQuery, collect};
use super::gate;
use super::options::LearnOptions;
use super::report::{Decision, Gate, GateScores, LearnProgress, LearnStage, RoundReport, RoundSeconds};
use crate::dense::DenseOptions;
use crate::encoder::TrainableEncoder;
use crate::error::{Error, Result};
use crate::feedback::Replay;
use crate::fusion::{Fusion, Judged, learn_dense_weight};
use crate::generation::Building;
use crate::ids::ChunkId;
use crate::search::{Query, Snapshot, scored_candidates};
use crate::train::{TrainReport, train};

/// What a round works on.
pub(crate) struct RoundInput<'a> {
    /// Number of the round.
    pub(crate) round: u64,
    /// When the log was read.
    pub(crate) started_ms: u64,
    /// The folder of the generations.
    pub(crate) root: &'a Path,
    /// The serving generation and the documents as they were when the round began.
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) replay: &'a Replay,
    pub(crate) options: &'a LearnOptions,
    pub(crate) dense: &'a DenseOptions,
}

/// A round that has been judged: its report, and the new generation if the gate let it through.
pub(crate) struct Round {
    pub(crate) report: RoundReport,
    pub(crate) accepted: Option<Building>,
}

type Progress<'a> = dyn FnMut(LearnProgress) -> ControlFlow<()> + 'a;

/// Collects, trains, indexes and judges. Nothing that serves is touched.
///
/// # Errors
/// [`Error::Cancelled`] when `progress` breaks, and whatever a stage runs into; then nothing is left behind.
pub(crate) fn prepare_round(input: &RoundInput<'_>, progress: &mut Progress<'_>) -> Result<Round> {
    input.options.validate()?;
    let mut seconds = RoundSeconds::default();
    let started = Instant::now();
    tell(progress, LearnStage::Collect, 0, 1, None)?;
    let collected = timed(&mut seconds.collect, || {
        let mut told = |done, total| tell(progress, LearnStage::Collect, done, total, None);
        collect(input.replay, input.snapshot, input.options, &mut told)
    })?;
    if let Some(reason) = too_little(&collected, input.options) {
        let gate = Gate { before: None, after: None, decision: Decision::Skipped, reason };
        seconds.total = started.elapsed().as_secs_f64();
        return Ok(Round { report: report(input, &collected, Vec::new(), gate, seconds), accepted: None });
    }

    let fusion = timed(&mut seconds.collect, || learn_fusion(input, &collected.trained, progress))?;
    let (mut building, trained) = timed(&mut seconds.train, || train_next(input, &collected, progress))?;
    building.meta.fusion = fusion;
    timed(&mut seconds.reindex, || {
        building.catch_up(&input.snapshot.lexical, &mut |done, total| {
            progress(LearnProgress { stage: LearnStage::Reindex, done, total, loss: None })
        })
    })?;
    let (before, after) =
        timed(&mut seconds.gate, || compare(input.snapshot, &building, &collected.held_out, progress))?;
    let (decision, reason) = gate::decide(&before, &after, collected.held_out.len());
    let gate = Gate { before: Some(before), after: Some(after), decision, reason };
    seconds.total = started.elapsed().as_secs_f64();
    let report = report(input, &collected, trained.losses, gate, seconds);
    Ok(Round { report, accepted: (decision == Decision::Published).then_some(building) })
}

fn report(
    input: &RoundInput<'_>,
    collected: &Collected,
    loss: Vec<f32>,
    gate: Gate,
    seconds: RoundSeconds,
) -> RoundReport {
    RoundReport {
        round: input.round,
        started_ms: input.started_ms,
        examples: collected.examples.len(),
        held_out: collected.held_out.len(),
        sources: collected.sources.clone(),
        loss,
        gate,
        generation: input.snapshot.pinned.generation.meta.id,
        seconds,
    }
}

fn too_little(collected: &Collected, options: &LearnOptions) -> Option<String> {
    let (train, held_out) = (collected.trained.len(), collected.held_out.len());
    if train < options.min_queries {
        return Some(format!(
            "{train} judged queries to train on, {} are needed: search and judge more",
            options.min_queries
        ));
    }
    (held_out < options.min_held_out).then(|| {
        format!(
            "{held_out} held-out queries to judge by, {} are needed: search and judge more",
            options.min_held_out
        )
    })
}

/// Trains the serving encoder further and starts a generation over the result.
fn train_next(
    input: &RoundInput<'_>,
    collected: &Collected,
    progress: &mut Progress<'_>,
) -> Result<(Building, TrainReport)> {
    let serving = &input.snapshot.pinned.generation;
    let mut model = TrainableEncoder::load(
        &serving.model_folder(),
        input.options.train.precision,
        serving.encoder.kernel(),
    )?;
    let chunks = input.snapshot.lexical.chunk_count() as usize;
    let trained = train(&mut model, &collected.examples, &input.options.train, chunks, &mut |step| {
        let loss = Some(step.loss);
        progress(LearnProgress { stage: LearnStage::Train, done: step.step, total: step.steps, loss })
    })?;
    let building = Building::next(input.root, serving, input.dense, |folder| model.save(folder))?;
    Ok((building, trained))
}

/// The fusion weight that ranks the judged queries best with the encoder that had not seen them: with the one just
/// trained on them the dense side would look better than it is.
fn learn_fusion(
    input: &RoundInput<'_>,
    judged: &[JudgedQuery],
    progress: &mut Progress<'_>,
) -> Result<Fusion> {
    let snapshot = input.snapshot;
    let fusion = snapshot.pinned.generation.meta.fusion;
    if !input.options.learn_fusion {
        return Ok(fusion);
    }
    let Fusion::Convex { .. } = fusion else { return Ok(fusion) };
    let mut queries = Vec::with_capacity(judged.len());
    let mut documents: HashMap<ChunkId, String> = HashMap::new();
    for (done, query) in judged.iter().enumerate() {
        tell(progress, LearnStage::Collect, done, judged.len(), None)?;
        let candidates = scored_candidates(snapshot, &Query::new(query.text.as_str()))?;
        for candidate in &candidates {
            if !documents.contains_key(&candidate.id)
                && let Some(record) = snapshot.lexical.get(candidate.id)?
            {
                documents.insert(candidate.id, record.document);
            }
        }
        queries.push(Judged { candidates, relevant: query.relevant.keys().cloned().collect() });
    }
    Ok(learn_dense_weight(&queries, &documents)
        .map_or(fusion, |dense_weight| Fusion::Convex { dense_weight }))
}

fn compare(
    snapshot: &Snapshot,
    building: &Building,
    held_out: &[JudgedQuery],
    progress: &mut Progress<'_>,
) -> Result<(GateScores, GateScores)> {
    let after = Snapshot { lexical: snapshot.lexical.clone(), pinned: building.pin(&snapshot.lexical)? };
    let (mut done, total) = (0, 2 * held_out.len());
    let mut step = || {
        done += 1;
        progress(LearnProgress { stage: LearnStage::Gate, done, total, loss: None })
    };
    Ok((gate::score(snapshot, held_out, &mut step)?, gate::score(&after, held_out, &mut step)?))
}

fn tell(
    progress: &mut Progress<'_>,
    stage: LearnStage,
    done: usize,
    total: usize,
    loss: Option<f32>,
) -> Result<()> {
    match progress(LearnProgress { stage, done, total, loss }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled { doing: "learning" }),
    }
}

fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    *seconds += started.elapsed().as_secs_f64();
    result
}
