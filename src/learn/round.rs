//! One round, up to the moment of publishing.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use super::choose::{Fit, fusion_by, halves};
use super::encoder_tier::{Trained, train_next};
use super::examples::{Collected, JudgedQuery, collect};
use super::gate::{Evidence, Guarded, QueryScores, Ruling, clusters, decide, guard_queries, mean, score};
use super::ledger::{Following, Ledger};
use super::nudge_tier::NudgeReport;
use super::options::LearnOptions;
use super::report::{
    Decision, Gate, GuardScores, LearnProgress, LearnStage, RoundReport, RoundSeconds, TrainingReport,
};
use super::tiers::{Best, Outcome};
use crate::dense::DenseOptions;
use crate::error::{Error, Result};
use crate::feedback::Replay;
use crate::fusion::{Fusion, Judged};
use crate::generation::Building;
use crate::search::{Query, Snapshot, scored_candidates};
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
    pub(super) guard: Guarded<JudgedQuery>,
    /// The part of the attempt's allowance that the tier being tried may spend.
    pub(super) share: f64,
    pub(super) nudge: Option<NudgeReport>,
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
    let mut course =
        Course { input, collected, clusters, guard: Guarded::default(), share: 1.0, nudge: None, seconds };
    let outcome = match course.too_little() {
        Some(reason) => Outcome::skipped(reason),
        None => {
            course.guard = guard_queries(&input.snapshot.lexical, &input.options.gate)?;
            course.go(progress)?
        }
    };
    course.seconds.total = started.elapsed().as_secs_f64();
    let Course { collected, nudge, seconds, .. } = course;
    let serving = &input.snapshot.pinned.generation.meta;
    let mut report = RoundReport {
        round: input.round,
        started_ms: input.started_ms,
        examples: collected.examples.len(),
        held_out: collected.held_out.len(),
        evidence: collected.evidence(),
        sources: collected.sources,
        followed: following.report,
        loss: Vec::new(),
        training: None,
        tier: None,
        tried: Vec::new(),
        nudge,
        fusion: serving.fusion,
        gate: skipped(String::new()),
        generation: serving.id,
        seconds,
    };
    let accepted = outcome.tell(&mut report);
    let ledger = following.end(report.training.is_some());
    Ok(Round { report, accepted, ledger })
}

pub(super) fn skipped(reason: String) -> Gate {
    Gate {
        before: None,
        after: None,
        decision: Decision::Skipped,
        reason,
        p_value: None,
        allowed: None,
        golden: None,
        guard: None,
    }
}

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

    /// The fusion weight that ranks the training queries best with the encoder that had not seen them: with one that was
    /// trained on them the dense side would look better than it is.
    pub(super) fn learn_fusion(&mut self, progress: &mut Progress<'_>) -> Result<Fusion> {
        let Course { input, collected, seconds, .. } = self;
        let present = input.snapshot.pinned.generation.meta.fusion;
        timed(&mut seconds.collect, || {
            let total = collected.trained.len();
            let mut told = |done| tell(progress, LearnStage::Collect, done, total, None);
            let (judged, documents) = judge(input.snapshot, &collected.trained, &mut told)?;
            Ok(fusion_by(&judged.iter().collect::<Vec<_>>(), &documents, present, Fit::of(input.options)))
        })
    }

    /// Trains the encoder and judges it: on a pool, then over the whole corpus, against the best so far.
    pub(super) fn encoder(&mut self, best: &mut Best, progress: &mut Progress<'_>) -> Result<TrainedEncoder> {
        let Trained { mut building, report } = match train_next(self, best, progress)? {
            Err((gate, report)) => return Ok((report, Err(gate))),
            Ok(trained) => trained,
        };
        let lexical = &self.input.snapshot.lexical;
        timed(&mut self.seconds.reindex, || {
            building.catch_up(lexical, &mut |done, total| {
                progress(LearnProgress { stage: LearnStage::Reindex, done, total, loss: None })
            })
        })?;
        let after = Snapshot { lexical: lexical.clone(), pinned: building.pin(lexical)? };
        let compared = self.compare(&after, best, progress)?;
        Ok((report, Ok((building, compared))))
    }

    /// Something new against the best so far, over the whole corpus. The new one's fusion is chosen by the held-out queries:
    /// each half of them is scored with what the other half chose.
    pub(super) fn compare(
        &mut self,
        after: &Snapshot,
        best: &mut Best,
        progress: &mut Progress<'_>,
    ) -> Result<Compared> {
        let before = match best.scores.take() {
            Some(scores) => scores,
            None => self.score(&best.snapshot, best.fusion, progress)?,
        };
        let (base, fit) = (best.fusion, Fit::of(self.input.options));
        let total = self.collected.held_out.len();
        let mut told = |done| tell(progress, LearnStage::Gate, done, total, None);
        let (judged, documents) = judge(after, &self.collected.held_out, &mut told)?;
        let halves = halves(&self.clusters);
        let by = |keep: &dyn Fn(usize) -> bool| {
            let some: Vec<&Judged> =
                judged.iter().enumerate().filter(|(query, _)| keep(*query)).map(|(_, one)| one).collect();
            fusion_by(&some, &documents, base, fit)
        };
        let by_other = [by(&|query| halves[query] == 1), by(&|query| halves[query] == 0)];
        let Course { collected, guard, seconds, .. } = self;
        let mut score =
            |fusion, queries: &[JudgedQuery]| score_all(&mut seconds.gate, after, fusion, queries, progress);
        let mut held_out = score(by_other[0], &collected.held_out)?;
        if by_other[0] != by_other[1] {
            for (query, second) in score(by_other[1], &collected.held_out)?.into_iter().enumerate() {
                if halves[query] == 1 {
                    held_out[query] = second;
                }
            }
        }
        let fusion = by(&|_| true);
        let guard = Guarded { golden: score(fusion, &guard.golden)?, titles: score(fusion, &guard.titles)? };
        let scores = Scores { held_out, guard };
        let gate = self.rule(&before, &scores)?;
        best.scores = Some(before);
        Ok(Compared { gate, fusion, scores })
    }

    /// The figures of the held-out queries and of the guard.
    pub(super) fn score(
        &mut self,
        snapshot: &Snapshot,
        fusion: Fusion,
        progress: &mut Progress<'_>,
    ) -> Result<Scores> {
        let Course { collected, guard, seconds, .. } = self;
        let mut score =
            |queries: &[JudgedQuery]| score_all(&mut seconds.gate, snapshot, fusion, queries, progress);
        let guard = Guarded { golden: score(&guard.golden)?, titles: score(&guard.titles)? };
        Ok(Scores { held_out: score(&collected.held_out)?, guard })
    }

    /// The gate's word on two sets of figures.
    pub(super) fn rule(&self, before: &Scores, after: &Scores) -> Result<Gate> {
        let figures = |before: &[QueryScores], after: &[QueryScores]| {
            (!before.is_empty()).then(|| GuardScores {
                queries: before.len(),
                before: mean(before).hybrid.ndcg_10,
                after: mean(after).hybrid.ndcg_10,
            })
        };
        let golden = figures(&before.guard.golden, &after.guard.golden);
        let guard = figures(&before.guard.titles, &after.guard.titles);
        let parts = [("the golden queries'", golden), ("the titles'", guard)];
        let parts: Vec<_> = parts
            .iter()
            .filter_map(|(name, part)| part.map(|part| (*name, part.before, part.after)))
            .collect();
        let evidence = Evidence {
            before: &before.held_out,
            after: &after.held_out,
            clusters: &self.clusters,
            guard: &parts,
            attempts: self.input.attempts,
            share: self.share,
        };
        let Ruling { decision, reason, p_value, allowed } = decide(&evidence, &self.input.options.gate)?;
        let (before, after) = (Some(mean(&before.held_out)), Some(mean(&after.held_out)));
        Ok(Gate { before, after, decision, reason, p_value, allowed, golden, guard })
    }
}

/// How an encoder was trained, and itself with its figures, or what the pool said against it.
pub(super) type TrainedEncoder = (TrainingReport, std::result::Result<(Building, Compared), Gate>);

/// Something new, as the gate saw it.
pub(super) struct Compared {
    pub(super) gate: Gate,
    /// Its own best fusion.
    pub(super) fusion: Fusion,
    pub(super) scores: Scores,
}

/// Figures by query.
pub(super) struct Scores {
    pub(super) held_out: Vec<QueryScores>,
    pub(super) guard: Guarded<QueryScores>,
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
        let (candidates, profile) = scored_candidates(snapshot, &Query::new(query.text.as_str()))?;
        for candidate in &candidates {
            if !documents.contains_key(&candidate.id)
                && let Some(record) = snapshot.lexical.get(candidate.id)?
            {
                documents.insert(candidate.id, record.document);
            }
        }
        let relevant = query.relevant.keys().cloned().collect();
        judged.push(Judged { candidates, relevant, profile });
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
