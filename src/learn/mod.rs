//! One round of learning: collect → mine → train → gate → publish.
//!
//! `collect` turns the log into judged queries. A round that can't pass the gate ends here. `mine` gives the
//! training queries their hard negatives, `proposal` trains and builds what may be published, and `gate` compares
//! it with the serving generation. Both sides search the whole corpus. A rejected round leaves nothing behind.
//! Publishing needs the writer, so the engine does it.

mod collect;
mod counts;
mod evidence;
mod gate;
mod golden;
mod helpers;
mod history;
mod input;
mod intervals;
mod mine;
mod old_reports;
mod options;
mod progress;
mod proposal;
mod queries;
mod report;
mod resume;
mod seconds;
mod stage;
mod tier;
mod topic;
mod training_report;
mod trial_report;

pub use evidence::{AnswerCounts, ConfusedPair, LogEvidence};
pub use golden::GoldenQuery;
pub(crate) use helpers::Helpers;
pub(crate) use history::{History, Listener, Running};
pub(crate) use input::RoundInput;
pub use intervals::{ChangeIntervals, GateIntervals, RankingIntervals};
pub use options::LearnOptions;
pub(crate) use progress::Progress;
pub(crate) use queries::Forgotten;
pub use queries::{QueryChange, QueryChanges, QueryRanking};
pub use report::{
    Decision, GateScores, GuardScores, NotWorse, RankingScores, RoundReport, Ruling, SuspectReport,
    TierReport,
};
pub(crate) use resume::Unfinished;
pub use seconds::RoundSeconds;
pub(crate) use stage::Overall;
pub use stage::{LearnProgress, LearnStage};
pub use tier::Tier;
pub use training_report::{TrainingReport, TrainingStart};
pub use trial_report::{TrialPoint, TrialReport};

pub use crate::negatives::{NegativeCounts, NegativeKind};
pub use crate::train::{
    Displaced, Distribution, Masked, Measurement, MonitorReport, Moved, NegativeScope, Quantiles,
    SourceMeasurement, StepReport, TrainOptions,
};

use crate::error::Result;
use crate::feedback::normalise_query;
use crate::generation::Building;
use collect::collect;
pub(crate) use collect::{is_held_out, is_same_need};
use counts::Counts;
use gate::Gate;
use mine::mine;
use progress::Tracker;
pub(crate) use proposal::OnTrial;
use proposal::{Materials, Outcome, plan, try_tiers};

/// A finished round: its report, and the new generation if it passed the gate.
pub(crate) struct Round {
    pub(crate) report: RoundReport,
    pub(crate) evidence: LogEvidence,
    pub(crate) accepted: Option<Building>,
    /// What may go on trial.
    pub(crate) on_trial: Option<OnTrial>,
}

/// Runs a round up to publishing. Changes nothing that serves.
///
/// # Errors
/// [`Error::Cancelled`](crate::Error::Cancelled) if `progress` breaks, and the errors of each stage. Then nothing is
/// left behind.
pub(crate) fn prepare_round(input: &RoundInput<'_>, progress: &mut Progress<'_>) -> Result<Round> {
    let RoundInput { options, snapshot, .. } = *input;
    options.validate()?;
    let (mut tracker, mut counts) = (Tracker::start(progress), Counts::default());
    let judged = tracker
        .during(LearnStage::Collect, |tracker| collect(input.replay, snapshot, &mut counts, tracker))?;
    let mut report = RoundReport::begin(input.round, input.started_ms, &snapshot.pinned.generation.meta);
    report.held_out = judged.held_out.len();
    let topics = judged.training_topics();
    let outcome = match plan(options, judged.training.len(), judged.held_out.len(), snapshot) {
        Err(reason) => Outcome::skipped(reason),
        Ok(tiers) => {
            let gate = Gate::new(judged.held_out, &snapshot.lexical, options, input.attempts, input.trial)?;
            let fusion = snapshot.pinned.generation.meta.fusion;
            let before = tracker.during(LearnStage::Collect, |tracker| {
                gate.score(snapshot, fusion, LearnStage::Collect, tracker)
            })?;
            // The last tier may spend the whole alpha, if all tiers before it leave their shares.
            match gate.out_of_reach(&before, 1.0)? {
                Some(reason) => Outcome::skipped(reason),
                None => {
                    let mined = tracker.during(LearnStage::Collect, |tracker| {
                        let trains = tiers.iter().any(|tier| tier.is_trained());
                        let trained = judged.training.iter().map(|query| query.text.as_str());
                        let asked = gate.queries().chain(trained).map(normalise_query).collect();
                        let mut mine =
                            || mine(&judged.training, &asked, snapshot, options, &mut counts, tracker);
                        trains.then(&mut mine).transpose()
                    })?;
                    report.examples = mined.as_ref().map_or(0, |mined| mined.rows.len());
                    report.suspects = mined.as_ref().and_then(|mined| mined.suspects);
                    let materials = Materials { input, topics: &topics, mined: mined.as_ref(), gate: &gate };
                    try_tiers(materials, &tiers, before, &mut tracker)?
                }
            }
        }
    };
    report.sources = counts.into_table();
    report.seconds = tracker.seconds();
    let (accepted, on_trial) = outcome.publish_in(&mut report);
    Ok(Round { report, evidence: judged.evidence, accepted, on_trial })
}
