//! The report of a simulation.

use std::collections::BTreeMap;

use serde::Serialize;

use super::by_mode::ByMode;
use super::progress::Progress;
use crate::eval::{Evaluation, Figures, Interval, Metric};
use crate::learn::Tier;
use crate::{Decision, Mode, RoundReport};

/// All rounds of a simulation.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct SimulationReport {
    /// The collection's name.
    pub collection: String,
    /// How the users behaved.
    pub users: &'static str,
    /// The seed.
    pub seed: u64,
    /// The engine before learning, then after each round.
    pub rounds: Vec<SimulatedRound>,
}

/// The engine after a round, evaluated on the test queries.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct SimulatedRound {
    /// The number of the round; 0 before the first.
    pub round: u64,
    /// Needs that users have had so far.
    pub needs: usize,
    /// Judgements so far.
    pub judgements: u64,
    /// The gate's decision.
    pub decision: Option<Decision>,
    /// The published tier.
    pub tier: Option<Tier>,
    /// The reason for the decision.
    pub reason: String,
    /// Negatives by source and what was dropped, as in [`RoundReport::sources`].
    pub negatives: BTreeMap<String, u64>,
    /// The means on the test queries.
    pub test: ByMode<Figures>,
    /// The 95 % confidence intervals of those means.
    pub intervals: ByMode<BTreeMap<String, Interval>>,
    /// The p-value of the paired test of the hybrid's nDCG@10 against round 0.
    pub p_value: Option<f64>,
    /// The means on the guard's test queries.
    pub guard: Option<ByMode<Figures>>,
    /// The time that the round took.
    pub seconds: SimulatedSeconds,
}

/// The time of a round, in seconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[non_exhaustive]
pub struct SimulatedSeconds {
    /// Training.
    pub train: f64,
    /// The gate.
    pub gate: f64,
    /// Reindexing.
    pub reindex: f64,
}

impl SimulationReport {
    /// A mode's mean of a metric after each round, over the needs so far.
    pub fn learning_curve(&self, mode: Mode, metric: Metric) -> Vec<(f64, f64)> {
        let mean = |round: &SimulatedRound| round.test.get(mode).get(&metric.to_string()).copied();
        self.rounds.iter().map(|round| (round.needs as f64, mean(round).unwrap_or(0.0))).collect()
    }
}

impl SimulatedRound {
    /// The state before any learning.
    pub(super) fn untrained(test: &ByMode<Evaluation>, guard: Option<ByMode<Figures>>) -> SimulatedRound {
        SimulatedRound {
            round: 0,
            needs: 0,
            judgements: 0,
            decision: None,
            tier: None,
            reason: String::new(),
            negatives: BTreeMap::new(),
            test: test.map(Evaluation::means),
            intervals: test.map(Evaluation::intervals),
            p_value: None,
            guard,
            seconds: SimulatedSeconds::default(),
        }
    }

    /// The state after a round.
    pub(super) fn learnt(report: RoundReport, test: &ByMode<Evaluation>) -> SimulatedRound {
        SimulatedRound {
            round: report.round,
            decision: Some(report.gate.decision),
            tier: report.tier,
            reason: report.gate.reason,
            negatives: report.sources,
            seconds: SimulatedSeconds {
                train: report.seconds.train,
                gate: report.seconds.gate,
                reindex: report.seconds.reindex,
            },
            ..SimulatedRound::untrained(test, None)
        }
    }
}

/// An event of a running simulation.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum SimulationEvent<'a> {
    /// Progress of a step.
    Progress(Progress),
    /// The number of train queries that are skipped, because they repeat test queries.
    LeftOut(usize),
    /// A round has ended.
    Learnt(&'a RoundReport),
    /// The engine was evaluated, before the first round or after one.
    Measured(&'a SimulatedRound),
}
