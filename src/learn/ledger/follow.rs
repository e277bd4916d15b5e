//! The confusables of one round, as it follows them.

use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::{FollowOptions, Ledger, Meter, Pair, Standing};
use crate::error::Result;
use crate::ids::ChunkId;
use crate::lexical::ChunkRecord;
use crate::negatives::Negative;
use crate::search::Snapshot;

/// What a round found of the confusables that are followed from round to round; see [`FollowOptions`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FollowReport {
    /// Confusables of training queries that were measured.
    pub measured: u64,
    /// Of them, those that no round had measured before.
    pub new: u64,
    /// Of them, those that are solved: far enough behind the answer.
    pub solved: u64,
    /// Of them, those that come nearer though they are trained against: likely answers.
    pub rising: u64,
    /// Of them, those that were kept out of the rows for either.
    pub left_out: u64,
    /// Of them, those that were solved or rising before this round and are no more.
    pub returned: u64,
}

/// A round's part in following confusables.
#[derive(Debug)]
pub(in crate::learn) struct Following {
    ledger: Ledger,
    meter: Meter,
    /// Of the query that is at hand.
    measured: Vec<(Pair, ChunkId)>,
    in_rows: BTreeSet<Pair>,
    pub(in crate::learn) report: FollowReport,
}

/// Passages that were passed over, each with whether a user called it not relevant.
type PassedOver = Vec<(ChunkRecord, bool)>;

/// A query whose confusables are measured.
pub(in crate::learn) struct Measured<'a> {
    pub(in crate::learn) normalised: &'a str,
    pub(in crate::learn) vector: &'a [f32],
    /// The lowest cosine of an answer.
    pub(in crate::learn) worst: f32,
}

impl Following {
    /// Begins with what earlier rounds have found.
    pub(in crate::learn) fn begin(
        ledger: Ledger,
        snapshot: &Snapshot,
        round: u64,
        options: FollowOptions,
    ) -> Following {
        let serving = &snapshot.pinned.generation.meta;
        let meter = Meter::new(serving.weights, serving.id, round, options);
        let (measured, in_rows) = (Vec::new(), BTreeSet::new());
        Following { ledger, meter, measured, in_rows, report: FollowReport::default() }
    }

    /// Measures the confusables of a query. Returns those that may stand in its rows, and the texts of those that may not.
    pub(in crate::learn) fn follow(
        &mut self,
        query: &Measured<'_>,
        passed_over: PassedOver,
        snapshot: &Snapshot,
    ) -> Result<(PassedOver, HashSet<String>)> {
        let ids: Vec<ChunkId> = passed_over.iter().map(|(passage, _)| passage.chunk).collect();
        let scores = snapshot.pinned.dense.score(query.vector, &ids)?;
        let (mut kept, mut left_out) = (Vec::new(), HashSet::new());
        self.measured.clear();
        for ((passage, not_relevant), score) in passed_over.into_iter().zip(scores) {
            let standing = match score {
                Some(score) => self.measure(query.normalised, &passage, query.worst - score),
                // Its vector is missing.
                None => Standing::Open,
            };
            let out = match standing {
                Standing::Open => false,
                Standing::Solved => self.meter.options.leave_out,
                Standing::Rising => self.meter.options.leave_out && !not_relevant,
            };
            match out {
                true => drop(left_out.insert(passage.encoder_text())),
                false => kept.push((passage, not_relevant)),
            }
        }
        self.report.left_out += left_out.len() as u64;
        Ok((kept, left_out))
    }

    fn measure(&mut self, normalised: &str, passage: &ChunkRecord, margin: f32) -> Standing {
        let pair = Pair::of(normalised, &passage.document);
        self.measured.push((pair, passage.chunk));
        let known = self.ledger.0.len();
        let (before, now) = self.ledger.measure(pair, &passage.encoder_text(), margin, &self.meter);
        let report = &mut self.report;
        report.measured += 1;
        report.new += (self.ledger.0.len() - known) as u64;
        report.solved += u64::from(now == Standing::Solved);
        report.rising += u64::from(now == Standing::Rising);
        report.returned += u64::from(before != Standing::Open && now == Standing::Open);
        now
    }

    /// Takes down which confusables of the query that was measured last are in its rows, whatever source gave them.
    pub(in crate::learn) fn take(&mut self, negatives: &[Negative]) {
        let taken = self
            .measured
            .drain(..)
            .filter(|(_, chunk)| negatives.iter().any(|negative| negative.proposal.chunk == Some(*chunk)));
        self.in_rows.extend(taken.map(|(pair, _)| pair));
    }

    /// The ledger as the round leaves it.
    pub(in crate::learn) fn end(mut self, trained: bool) -> Ledger {
        if trained {
            self.ledger.train(self.meter.round, |pair| self.in_rows.contains(pair));
        }
        self.ledger
    }
}
