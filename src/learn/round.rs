//! One round, up to the moment of publishing.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use super::choose::{Fit, fusion_by, halves};
use super::encoder_tier::{Trained, train_next};
use super::examples::{Collected, JudgedQuery, collect};
use super::gate::{Evidence, QueryScores, Ruling, clusters, decide, guard_queries, mean, score};
use super::ledger::{Following, Ledger};
use super::options::LearnOptions;
use super::report::{
    Decision, Gate, GuardScores, LearnProgress, LearnStage, RoundReport, RoundSeconds, Tier, TrainingReport,
};
use crate::dense::DenseOptions;
use crate::error::{Error, Result};
use crate::feedback::Replay;
use crate::fusion::{Fusion, Judged};
use crate::generation::Building;
use crate::search::{Query, Snapshot, classify, scored_candidates};
use crate::train::Checkpoints;

/// What a round works on.
pub(crate) struct RoundInput<'a> {
    /// Number of the round.
    pub(crate) round: u64,
    /// When the log was read.
    pub(crate) started_ms: u64,
    /// Rounds that were rejected since the last publication.
    pub(crate) attempts: usize,
    /// The folder of the generations.
    pub(crate) root: &'a Path,
    /// The serving generation and the documents as they were when the round began.
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) replay: &'a Replay,
    /// What earlier rounds have found of confusables.
    pub(crate) ledger: &'a Ledger,
    pub(crate) options: &'a LearnOptions,
    pub(crate) dense: &'a DenseOptions,
    /// Where training is kept against a crash.
    pub(crate) checkpoints: Checkpoints<'a>,
}

/// A round that has been judged: its report, and the new generation if the gate let it through.
pub(crate) struct Round {
    pub(crate) report: RoundReport,
    pub(crate) accepted: Option<Building>,
    /// What is known of confusables now.
    pub(crate) ledger: Ledger,
}

pub(super) type Progress<'a> = dyn FnMut(LearnProgress) -> ControlFlow<()> + 'a;

/// What a round has found out so far.
pub(super) struct Course<'a> {
    pub(super) input: &'a RoundInput<'a>,
    pub(super) collected: Collected,
    /// Of the held-out queries.
    pub(super) clusters: Vec<usize>,
    pub(super) guard: Vec<JudgedQuery>,
    pub(super) seconds: RoundSeconds,
}

/// Collects, trains, indexes and judges. Nothing that serves is touched.
///
/// # Errors
/// [`Error::Cancelled`] when `progress` breaks, and whatever a stage runs into; then nothing is left behind.
pub(crate) fn prepare_round(input: &RoundInput<'_>, progress: &mut Progress<'_>) -> Result<Round> {
    input.options.validate()?;
    let started = Instant::now();
    let mut seconds = RoundSeconds::default();
    tell(progress, LearnStage::Collect, 0, 1, None)?;
    let mut following =
        Following::begin(input.ledger.clone(), input.snapshot, input.round, input.options.follow);
    let collected = timed(&mut seconds.collect, || {
        let mut told = |done, total| tell(progress, LearnStage::Collect, done, total, None);
        collect(input.replay, input.snapshot, input.options, &mut following, &mut told)
    })?;
    let clusters = clusters(&collected.held_out);
    let mut course = Course { input, collected, clusters, guard: Vec::new(), seconds };
    let (gate, training, accepted) = match course.too_little() {
        Some(reason) => (skipped(reason), None, None),
        None => {
            course.guard = guard_queries(&input.snapshot.lexical, &input.options.gate)?;
            course.go(progress)?
        }
    };
    course.seconds.total = started.elapsed().as_secs_f64();
    let Course { collected, seconds, .. } = course;
    let serving = &input.snapshot.pinned.generation.meta;
    let report = RoundReport {
        round: input.round,
        started_ms: input.started_ms,
        examples: collected.examples.len(),
        held_out: collected.held_out.len(),
        evidence: collected.evidence(),
        sources: collected.sources,
        followed: following.report,
        loss: training.iter().flat_map(|training| &training.steps).map(|step| step.loss).collect(),
        training,
        tier: accepted.as_ref().map(|(tier, _)| *tier),
        fusion: accepted.as_ref().map_or(serving.fusion, |(_, building)| building.meta.fusion),
        gate,
        generation: serving.id,
        seconds,
    };
    let ledger = following.end(report.training.is_some());
    Ok(Round { report, accepted: accepted.map(|(_, building)| building), ledger })
}

fn skipped(reason: String) -> Gate {
    Gate {
        before: None,
        after: None,
        decision: Decision::Skipped,
        reason,
        p_value: None,
        allowed: None,
        guard: None,
    }
}

type Outcome = (Gate, Option<TrainingReport>, Option<(Tier, Building)>);

impl Course<'_> {
    fn too_little(&self) -> Option<String> {
        let (train, held_out) = (self.collected.trained.len(), self.collected.held_out.len());
        let options = self.input.options;
        if train < options.min_queries && !options.learn_fusion {
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

    /// The fusion weight first, which costs a second; then the encoder, which must be better than that.
    fn go(&mut self, progress: &mut Progress<'_>) -> Result<Outcome> {
        let serving = self.input.snapshot.pinned.generation.meta.fusion;
        let learnt = self.learn_fusion(progress)?;
        let (weighed, base_scores) = match learnt == serving {
            true => (None, None),
            false => {
                let (gate, scores) = self.weigh(serving, learnt, progress)?;
                (Some(gate), Some(scores))
            }
        };
        let accepted = weighed.as_ref().is_some_and(|gate| gate.decision == Decision::Published);
        let base = if accepted { learnt } else { serving };
        let options = self.input.options;
        let (train, needed) = (self.collected.trained.len(), options.min_queries);
        let (mut gate, mut training) = (weighed, None);
        if options.learn_encoder && train >= needed {
            let (ruled, report, building) = self.encoder((base, base_scores), progress)?;
            if let Some(building) = building {
                return Ok((ruled, Some(report), Some((Tier::Encoder, building))));
            }
            training = Some(report);
            // The fusion's gate stands if it published; else the encoder's tells more.
            if !accepted {
                gate = Some(ruled);
            }
        }
        let Some(gate) = gate else {
            let reason = match options.learn_encoder {
                true => format!(
                    "{train} judged queries to train on, {needed} are needed, and no other fusion weight is better: \
                     search and judge more"
                ),
                false => "no other fusion weight is better".into(),
            };
            return Ok((skipped(reason), None, None));
        };
        if !accepted {
            return Ok((gate, training, None));
        }
        let Course { input, seconds, .. } = self;
        let building = timed(&mut seconds.reindex, || {
            Building::sibling(input.root, &input.snapshot.pinned, learnt, input.dense)
        })?;
        Ok((gate, training, Some((Tier::Fusion, building))))
    }

    /// The fusion weight that ranks the training queries best with the encoder that had not seen them: with the one
    /// just trained on them the dense side would look better than it is.
    fn learn_fusion(&mut self, progress: &mut Progress<'_>) -> Result<Fusion> {
        let Course { input, collected, seconds, .. } = self;
        let present = input.snapshot.pinned.generation.meta.fusion;
        if !input.options.learn_fusion {
            return Ok(present);
        }
        timed(&mut seconds.collect, || {
            let total = collected.trained.len();
            let mut told = |done| tell(progress, LearnStage::Collect, done, total, None);
            let (judged, documents) = judge(input.snapshot, &collected.trained, &mut told)?;
            Ok(fusion_by(&judged.iter().collect::<Vec<_>>(), &documents, present, Fit::of(input.options)))
        })
    }

    /// The gate of another fusion over the serving encoder, with the figures of the one that it chose.
    fn weigh(
        &mut self,
        serving: Fusion,
        learnt: Fusion,
        progress: &mut Progress<'_>,
    ) -> Result<(Gate, Scores)> {
        let snapshot = self.input.snapshot;
        let before = self.score(snapshot, serving, progress)?;
        let after = self.score(snapshot, learnt, progress)?;
        let gate = self.rule(&before, &after)?;
        let chosen = if gate.decision == Decision::Published { after } else { before };
        Ok((gate, chosen))
    }

    /// Trains the encoder and judges it: on a pool, then over the whole corpus. `base` is the fusion that it has to beat with
    /// the serving encoder, and its figures where they are known.
    fn encoder(
        &mut self,
        (base, base_scores): (Fusion, Option<Scores>),
        progress: &mut Progress<'_>,
    ) -> Result<(Gate, TrainingReport, Option<Building>)> {
        let trained = train_next(self, base, progress)?;
        let Trained { mut building, report } = match trained {
            Err((gate, report)) => return Ok((gate, report, None)),
            Ok(trained) => trained,
        };
        let input = self.input;
        timed(&mut self.seconds.reindex, || {
            building.catch_up(&input.snapshot.lexical, &mut |done, total| {
                progress(LearnProgress { stage: LearnStage::Reindex, done, total, loss: None })
            })
        })?;
        let (building, gate) = self.compare(building, (base, base_scores), progress)?;
        let accepted = gate.decision == Decision::Published;
        Ok((gate, report, accepted.then_some(building)))
    }

    /// Old against new over the whole corpus. The new one's fusion is chosen by the held-out queries: each half of them is
    /// scored with what the other half chose.
    fn compare(
        &mut self,
        mut building: Building,
        (base, base_scores): (Fusion, Option<Scores>),
        progress: &mut Progress<'_>,
    ) -> Result<(Building, Gate)> {
        let snapshot = self.input.snapshot;
        let after = Snapshot { lexical: snapshot.lexical.clone(), pinned: building.pin(&snapshot.lexical)? };
        let before = match base_scores {
            Some(scores) => scores,
            None => self.score(snapshot, base, progress)?,
        };
        let fit = Fit::of(self.input.options);
        let (judged, documents) = judge(&after, &self.collected.held_out, &mut |_| Ok(()))?;
        let halves = halves(&self.clusters);
        let by = |keep: &dyn Fn(usize) -> bool| {
            let some: Vec<&Judged> =
                judged.iter().enumerate().filter(|(query, _)| keep(*query)).map(|(_, one)| one).collect();
            fusion_by(&some, &documents, base, fit)
        };
        let by_other = [by(&|query| halves[query] == 1), by(&|query| halves[query] == 0)];
        let Course { collected, guard, seconds, .. } = self;
        let mut score =
            |fusion, queries: &[JudgedQuery]| score_all(&mut seconds.gate, &after, fusion, queries, progress);
        let mut held_out = score(by_other[0], &collected.held_out)?;
        if by_other[0] != by_other[1] {
            for (query, second) in score(by_other[1], &collected.held_out)?.into_iter().enumerate() {
                if halves[query] == 1 {
                    held_out[query] = second;
                }
            }
        }
        building.meta.fusion = by(&|_| true);
        let guard = score(building.meta.fusion, guard)?;
        let gate = self.rule(&before, &Scores { held_out, guard })?;
        Ok((building, gate))
    }

    /// The figures of the held-out queries and of the guard.
    fn score(&mut self, snapshot: &Snapshot, fusion: Fusion, progress: &mut Progress<'_>) -> Result<Scores> {
        let Course { collected, guard, seconds, .. } = self;
        let mut score =
            |queries: &[JudgedQuery]| score_all(&mut seconds.gate, snapshot, fusion, queries, progress);
        Ok(Scores { held_out: score(&collected.held_out)?, guard: score(guard)? })
    }

    /// The gate's word on two sets of figures.
    pub(super) fn rule(&self, before: &Scores, after: &Scores) -> Result<Gate> {
        let guard = (!self.guard.is_empty()).then(|| GuardScores {
            queries: self.guard.len(),
            before: mean(&before.guard).hybrid.ndcg_10,
            after: mean(&after.guard).hybrid.ndcg_10,
        });
        let evidence = Evidence {
            before: &before.held_out,
            after: &after.held_out,
            clusters: &self.clusters,
            guard: guard.map(|guard| (guard.before, guard.after)),
            attempts: self.input.attempts,
        };
        let Ruling { decision, reason, p_value, allowed } = decide(&evidence, &self.input.options.gate)?;
        let (before, after) = (Some(mean(&before.held_out)), Some(mean(&after.held_out)));
        Ok(Gate { before, after, decision, reason, p_value, allowed, guard })
    }
}

/// Figures by query.
pub(super) struct Scores {
    pub(super) held_out: Vec<QueryScores>,
    pub(super) guard: Vec<QueryScores>,
}

fn score_all(
    seconds: &mut f64,
    snapshot: &Snapshot,
    fusion: Fusion,
    queries: &[JudgedQuery],
    progress: &mut Progress<'_>,
) -> Result<Vec<QueryScores>> {
    let (mut done, total) = (0, queries.len());
    timed(seconds, || {
        score(snapshot, fusion, queries, &mut || {
            done += 1;
            progress(LearnProgress { stage: LearnStage::Gate, done, total, loss: None })
        })
    })
}

type Documents = std::collections::HashMap<crate::ids::ChunkId, String>;

/// The candidates of judged queries with their documents. `told` is called with the number of queries done before each,
/// and stops the work by failing.
fn judge(
    snapshot: &Snapshot,
    queries: &[JudgedQuery],
    told: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<(Vec<Judged>, Documents)> {
    let (mut judged, mut documents) = (Vec::with_capacity(queries.len()), Documents::new());
    for (done, query) in queries.iter().enumerate() {
        told(done)?;
        let candidates = scored_candidates(snapshot, &Query::new(query.text.as_str()))?;
        for candidate in &candidates {
            if !documents.contains_key(&candidate.id)
                && let Some(record) = snapshot.lexical.get(candidate.id)?
            {
                documents.insert(candidate.id, record.document);
            }
        }
        let relevant = query.relevant.keys().cloned().collect();
        judged.push(Judged { candidates, relevant, class: classify(&snapshot.lexical, &query.text)? });
    }
    Ok((judged, documents))
}

pub(super) fn tell(
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

pub(super) fn timed<T>(seconds: &mut f64, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    *seconds += started.elapsed().as_secs_f64();
    result
}
