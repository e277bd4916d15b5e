//! Vectors of judged passages that are moved towards the queries that they answer; no encoder changes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::examples::JudgedQuery;
use super::gate::ranking_scores;
use super::report::{LearnProgress, LearnStage};
use super::round::{Course, Progress, timed};
use crate::error::{Error, Result};
use crate::generation::Building;
use crate::ids::ChunkId;
use crate::search::Snapshot;
use crate::train::{goal, nudged};

/// Bounds that are tried, as chords of the unit sphere. The first moves nothing.
const GAMMAS: [f32; 7] = [0.0, 0.1, 0.2, 0.3, 0.45, 0.65, 0.9];
/// One query in so many is kept apart to choose the bound by. Queries, not groups that share answers: a vector that moves
/// helps none but those that its passage answers.
const APART: usize = 5;
/// So many of them at most.
const JUDGES: usize = 300;
/// Passages that are encoded at a time.
const BATCH: usize = 64;
/// Chunks that a kept-apart query is ranked over, beside those that move.
const RANKED: usize = 100;

/// How vectors were moved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NudgeReport {
    /// How far a vector may have moved: the chord between before and after, both of length 1.
    pub gamma: f32,
    /// Passages that were moved.
    pub passages: usize,
}

/// A passage that may move.
struct Passage {
    chunk: ChunkId,
    document: String,
    /// By the encoder, as no round has moved it.
    plain: Vec<f32>,
}

/// What moves, and what is to tell how far.
struct Nudging<'a> {
    passages: Vec<Passage>,
    /// Vectors of the queries that train, each with the places of the passages that answer it.
    asked: Vec<(std::sync::Arc<[f32]>, Vec<usize>)>,
    trained: &'a [JudgedQuery],
}

/// A generation in which the vectors of judged passages are moved, from where the encoder has them, whatever earlier rounds did.
/// `None` where no bound ranks the queries better that were kept apart.
pub(super) fn nudge(
    course: &mut Course<'_>,
    progress: &mut Progress<'_>,
) -> Result<Option<(Building, NudgeReport)>> {
    let Course { input, collected, seconds, .. } = course;
    let snapshot = input.snapshot;
    let (chosen, nudging) = timed(&mut seconds.train, || {
        let nudging = Nudging::of(snapshot, &collected.answers, &collected.trained, progress)?;
        let gamma = nudging.choose(snapshot, progress)?;
        Ok::<_, Error>((gamma, nudging))
    })?;
    let Some(gamma) = chosen else { return Ok(None) };
    let moved = nudging.moved(gamma, |_| true);
    let rows: Vec<(ChunkId, &[f32])> =
        moved.iter().map(|(chunk, (vector, _))| (*chunk, &vector[..])).collect();
    let nudged: BTreeSet<ChunkId> =
        moved.iter().filter(|(_, (_, has_moved))| *has_moved).map(|(chunk, _)| *chunk).collect();
    let fusion = snapshot.pinned.generation.meta.fusion;
    let report = NudgeReport { gamma, passages: nudged.len() };
    let building = timed(&mut seconds.reindex, || {
        let mut building = Building::sibling(input.root, &snapshot.pinned, fusion, None, input.dense)?;
        building.nudge(&rows, nudged)?;
        Ok::<_, Error>(building)
    })?;
    Ok(Some((building, report)))
}

impl<'a> Nudging<'a> {
    fn of(
        snapshot: &Snapshot,
        answers: &BTreeMap<String, Vec<ChunkId>>,
        trained: &'a [JudgedQuery],
        progress: &mut Progress<'_>,
    ) -> Result<Nudging<'a>> {
        let generation = &snapshot.pinned.generation;
        let mut chunks: BTreeSet<ChunkId> = answers.values().flatten().copied().collect();
        // What an earlier round has moved goes back to its place unless it is moved again.
        chunks.extend(generation.meta.nudged.iter());
        let mut records = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            records.extend(snapshot.lexical.get(chunk)?);
        }
        let (mut passages, total) = (Vec::with_capacity(records.len()), records.len());
        for batch in records.chunks(BATCH) {
            let done = passages.len();
            going_on(progress, done, total)?;
            let texts: Vec<String> = batch.iter().map(|record| record.encoder_text()).collect();
            let vectors = generation.encoder.encode(&texts)?;
            passages.extend(batch.iter().zip(vectors).map(|(record, plain)| Passage {
                chunk: record.chunk,
                document: record.document.clone(),
                plain,
            }));
        }
        let places: HashMap<ChunkId, usize> =
            passages.iter().enumerate().map(|(place, passage)| (passage.chunk, place)).collect();
        let mut asked = Vec::with_capacity(trained.len());
        for query in trained {
            let of_query = answers.get(&query.text).into_iter().flatten();
            let of_query = of_query.filter_map(|chunk| places.get(chunk).copied()).collect();
            asked.push((generation.encode_query(&query.text)?, of_query));
        }
        Ok(Nudging { passages, asked, trained })
    }

    /// Every passage's vector once it is moved towards the queries that `teaches` says, and whether it was.
    fn moved(&self, gamma: f32, teaches: impl Fn(usize) -> bool) -> BTreeMap<ChunkId, (Vec<f32>, bool)> {
        let mut queries: Vec<Vec<&[f32]>> = vec![Vec::new(); self.passages.len()];
        for (_, (vector, answers)) in self.asked.iter().enumerate().filter(|(query, _)| teaches(*query)) {
            answers.iter().for_each(|&place| queries[place].push(vector));
        }
        let vector = |(passage, queries): (&Passage, Vec<&[f32]>)| match goal(queries) {
            Some(goal) => (passage.chunk, (nudged(&passage.plain, &goal, gamma), true)),
            None => (passage.chunk, (passage.plain.clone(), false)),
        };
        self.passages.iter().zip(queries).map(vector).collect()
    }

    /// The bound by which the queries that are kept apart are ranked best by the vectors alone, if that is not 0. Of equal ones
    /// the least.
    fn choose(&self, snapshot: &Snapshot, progress: &mut Progress<'_>) -> Result<Option<f32>> {
        let apart = (0..self.trained.len()).filter(|query| query % APART == APART - 1);
        let apart: Vec<usize> = apart.take(JUDGES).collect();
        let mut ranked = Vec::with_capacity(apart.len());
        for &query in &apart {
            ranked.push(self.stays(snapshot, &self.asked[query].0)?);
        }
        let mut best = (0.0, f64::NEG_INFINITY);
        let total = GAMMAS.len();
        for (done, gamma) in GAMMAS.into_iter().enumerate() {
            going_on(progress, done, total)?;
            let moved = self.moved(gamma, |query| query % APART != APART - 1);
            let scores = apart.iter().zip(&ranked).map(|(&query, stays)| self.score(query, stays, &moved));
            let score = scores.sum::<f64>();
            if score > best.1 + 1e-9 {
                best = (gamma, score);
            }
        }
        Ok((best.0 > 0.0).then_some(best.0))
    }

    /// What a query finds that does not move: documents with their cosines.
    fn stays(&self, snapshot: &Snapshot, vector: &[f32]) -> Result<Vec<(String, f32)>> {
        let moves: BTreeSet<ChunkId> = self.passages.iter().map(|passage| passage.chunk).collect();
        let hits = snapshot.pinned.dense.search(vector, RANKED + moves.len().min(RANKED), None)?;
        let mut stays = Vec::with_capacity(hits.len());
        for (chunk, cosine) in hits.into_iter().filter(|(chunk, _)| !moves.contains(chunk)) {
            if let Some(record) = snapshot.lexical.get(chunk)? {
                stays.push((record.document, cosine));
            }
        }
        Ok(stays)
    }

    /// nDCG@10 of a query over documents by their best passage.
    fn score(
        &self,
        query: usize,
        stays: &[(String, f32)],
        moved: &BTreeMap<ChunkId, (Vec<f32>, bool)>,
    ) -> f64 {
        let vector = &self.asked[query].0;
        let mut best: HashMap<&str, f32> = HashMap::new();
        let mut take = |document, cosine: f32| {
            let known = best.entry(document).or_insert(cosine);
            *known = known.max(cosine);
        };
        stays.iter().for_each(|(document, cosine)| take(document.as_str(), *cosine));
        for passage in &self.passages {
            let (moved, _) = &moved[&passage.chunk];
            take(passage.document.as_str(), moved.iter().zip(&vector[..]).map(|(a, b)| a * b).sum());
        }
        let mut ranked: Vec<(&str, f32)> = best.into_iter().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        let documents: Vec<&str> = ranked.into_iter().map(|(document, _)| document).collect();
        ranking_scores(&documents, &self.trained[query]).ndcg_10
    }
}

/// Tells how far the work is, and whether it is to go on.
fn going_on(progress: &mut Progress<'_>, done: usize, total: usize) -> Result<()> {
    match progress(LearnProgress { stage: LearnStage::Train, done, total, loss: None }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Cancelled { doing: "moving vectors" }),
    }
}
