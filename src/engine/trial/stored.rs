//! `trial.json`: a trial as it is kept on disk.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::engine::layout::Layout;
use crate::error::Result;
use crate::feedback::{Judgement, JudgementCount, Standing};
use crate::ids::QueryId;
use crate::learn::TrialReport;
use crate::storage::{read_envelope, remove_file, write_private_envelope};
use crate::trial::{Outcome, Recorded, Trial};

/// After so long, 30 days, there is no use in waiting for more votes.
const LONGEST_MS: u64 = 30 * 24 * 3600 * 1000;
const KIND: &str = "trial";
const VERSION: u32 = 1;

/// A trial with the votes so far. It holds ids of queries, and no text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredTrial {
    pub(super) report: TrialReport,
    pub(super) trial: Trial,
    /// The judgements of the log when the candidate was made.
    pub(super) judged: u64,
    /// All queries of the needs that have voted: any of them may be forgotten. Older versions have not kept them.
    #[serde(default)]
    pub(super) queries: BTreeSet<QueryId>,
}

impl StoredTrial {
    /// Whether the log still has nine in ten of the judgements that the candidate was made from. Without them nobody
    /// knows which queries it has learnt.
    pub(super) fn is_remembered(&self, log: &[Judgement]) -> bool {
        let before = log.iter().filter(|one| one.time_ms < self.report.started_ms);
        // What was withdrawn since the log was read is still there.
        let left = JudgementCount::of(before).said;
        left.saturating_mul(10) >= self.judged.saturating_mul(9)
    }

    pub(super) fn is_young(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.report.started_ms) < LONGEST_MS
    }

    /// Whether no other candidate may take its place: users have found it better, or their votes alone speak for it.
    /// The latter counts for 30 days.
    pub(super) fn stands(&self, now_ms: u64) -> bool {
        match self.trial.outcome() {
            Some(outcome) => outcome == Outcome::Better,
            None => self.trial.of_votes() > 1.0 && self.is_young(now_ms),
        }
    }

    /// The trial of a candidate that takes the place of this one, undecided as it is. `None` if that gets further with
    /// a trial `anew`. Both have an alpha that is spent once, so the nearer one may be chosen.
    pub(super) fn for_another(&self, anew: &Trial) -> Option<Trial> {
        let is_undecided = self.trial.outcome().is_none();
        let carried = is_undecided.then(|| Trial::in_place_of(&self.trial))?;
        let share = |trial: &Trial| trial.better() * trial.options().alpha;
        (share(&carried) > share(anew)).then_some(carried)
    }

    /// Takes note of further queries of those who have voted.
    pub(super) fn know_again(&mut self, voters: &[Vec<QueryId>]) {
        for queries in voters {
            if queries.iter().any(|id| self.queries.contains(id)) {
                self.queries.extend(queries);
            }
        }
    }

    /// Has the need with these queries vote, if it has not. The others must be [known](StoredTrial::know_again).
    pub(super) fn record(&mut self, queries: &[QueryId], pick: Standing) -> Recorded {
        let Some(first) = queries.first().filter(|first| !self.queries.contains(first)) else {
            return Recorded::Repeated;
        };
        let recorded = self.trial.record(*first, pick);
        if recorded != Recorded::Late {
            self.queries.extend(queries);
        }
        recorded
    }

    pub(super) fn read(layout: &Layout) -> Result<Option<StoredTrial>> {
        read_envelope(&layout.trial(), KIND, VERSION)
    }

    pub(super) fn write(&self, layout: &Layout) -> Result<()> {
        write_private_envelope(&layout.trial(), KIND, VERSION, self)
    }

    pub(super) fn remove(layout: &Layout) -> Result<()> {
        remove_file(&layout.trial())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feedback::Verdict;
    use crate::ids::GenerationId;
    use crate::learn::Tier;
    use crate::trial::TrialOptions;

    const PICK: Standing = Standing { place: 1, serving: 2, candidate: 1 };

    fn stored(judged: u64) -> StoredTrial {
        let trial = Trial::new(TrialOptions::default()).unwrap();
        let report = TrialReport::begin(1, Tier::Encoder, [GenerationId(1), GenerationId(2)], 1000, &trial);
        StoredTrial { report, trial, judged, queries: BTreeSet::new() }
    }

    #[test]
    fn a_voter_is_known_by_each_of_its_queries_and_by_the_first_alone_in_older_files() {
        let ids = |ids: &[u64]| ids.iter().copied().map(QueryId).collect::<Vec<_>>();
        let mut one = stored(0);
        assert_eq!(one.record(&ids(&[1, 2]), PICK), Recorded::Counted);
        one.know_again(&[ids(&[2, 3]), ids(&[4, 5])]);
        for known in [[1, 9], [2, 9], [3, 9]] {
            assert_eq!(one.record(&ids(&known), PICK), Recorded::Repeated, "{known:?}");
        }
        assert_eq!(one.record(&ids(&[4, 5]), PICK), Recorded::Counted);
        let mut json = serde_json::to_value(&one).unwrap();
        assert_eq!(serde_json::from_value::<StoredTrial>(json.clone()).unwrap(), one);
        json.as_object_mut().unwrap().remove("queries").unwrap();
        let mut older: StoredTrial = serde_json::from_value(json).unwrap();
        assert_eq!(older.record(&ids(&[1, 2]), PICK), Recorded::Repeated);
        assert_eq!(older.record(&ids(&[2, 3]), PICK), Recorded::Repeated, "it is known from then on");
        assert_eq!(older.trial.votes(), 2);
    }

    #[test]
    fn a_candidate_stands_by_its_votes_for_thirty_days_and_once_it_is_proved_for_ever() {
        let after = |days: u64| 1000 + days * 24 * 3600 * 1000;
        let mut one = stored(0);
        one.trial = one.trial.with_prior(3.0).unwrap();
        assert!(!one.stands(after(0)), "nobody has voted");
        one.record(&[QueryId(1)], PICK);
        assert!(one.stands(after(29)) && !one.stands(after(30)));
        for need in 2.. {
            if one.trial.outcome().is_some() {
                break;
            }
            one.record(&[QueryId(need)], PICK);
        }
        assert!(one.trial.outcome() == Some(Outcome::Better) && one.stands(after(30)));
    }

    #[test]
    fn a_trial_is_remembered_by_nine_in_ten_of_the_judgements_before_it() {
        let said = |time_ms, number: usize| {
            let one =
                Judgement { query_id: QueryId(1), time_ms, document: "d".into(), verdict: Verdict::Chosen };
            vec![one; number]
        };
        let one = stored(20);
        assert!(one.is_remembered(&said(999, 18)));
        assert!(!one.is_remembered(&[said(999, 17), said(1000, 100)].concat()));
        assert!(!one.is_remembered(&[]));
        assert!(stored(0).is_remembered(&[]));
    }
}
