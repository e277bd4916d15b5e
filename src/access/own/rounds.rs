//! Rounds of learning.

use super::Own;
use crate::access::api::{Round, RoundQuery};
use crate::error::{Error, Result};
use crate::learn::{LearnOptions, QueryChange, RoundReport};

impl Own {
    /// As [`Access::rounds`](crate::access::Access::rounds).
    pub fn rounds(&self) -> Result<Vec<Round>> {
        Ok(self.reader()?.rounds()?.into_iter().map(told).collect())
    }

    /// The page of a round: HTML that loads nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such round.
    #[cfg(feature = "page")]
    pub fn round_page(&self, round: u64) -> Result<String> {
        let found = self.reader()?.rounds()?.into_iter().find(|report| report.round == round);
        crate::page::html(&found.ok_or_else(|| Error::NotFound {
            what: "round",
            id: round.to_string(),
            remedy: "use the number of one that is listed",
        })?)
    }

    /// As [`Access::learn`](crate::access::Access::learn).
    pub fn learn(&self) -> Result<()> {
        let engine = self.engine("learn")?;
        if engine.round().is_some() {
            return Err(Error::RoundRunning { doing: "learn" });
        }
        engine.learn_in_background(LearnOptions::default()).map(drop)
    }
}

fn told(report: RoundReport) -> Round {
    let score = |scores: Option<crate::learn::GateScores>| scores.map(|scores| scores.hybrid.ndcg_10);
    let by_picks = report.is_by_picks();
    let (won, lost) = report.queries.map_or_else(Default::default, |all| (all.won_most, all.lost_most));
    Round {
        round: report.round,
        at: report.started_ms,
        decision: report.gate.decision,
        reason: report.gate.reason,
        before: score(report.gate.before),
        after: score(report.gate.after),
        p: report.gate.p_value,
        by_picks,
        published: report.tier.map(|tier| tier.name().to_string()),
        generation: report.generation,
        examples: report.examples,
        held_out: report.held_out,
        seconds: report.seconds.total,
        queries_won: won.into_iter().map(changed).collect(),
        queries_lost: lost.into_iter().map(changed).collect(),
    }
}

fn changed(change: QueryChange) -> RoundQuery {
    RoundQuery {
        query: change.query,
        before: change.before.rank,
        after: change.after.rank,
        first_before: change.before.first,
        first_after: change.after.first,
    }
}
