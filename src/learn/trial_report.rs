//! What is known of a trial.

use serde::{Deserialize, Serialize};

use super::tier::Tier;
use crate::ids::GenerationId;
use crate::trial::{Outcome, Trial};

/// How many points of the evidence's course are kept.
const MOST_POINTS: usize = 200;

/// A trial that goes on, or how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrialReport {
    /// The round that put the generation on trial.
    pub round: u64,
    /// The generation on trial.
    pub candidate: GenerationId,
    /// The generation that serves beside it.
    pub serving: GenerationId,
    /// What it changed.
    pub tier: Tier,
    /// The generation that was on trial before, if this one takes its place with the alpha of that trial and the
    /// evidence, 1 at most.
    #[serde(default)]
    pub in_place_of: Option<GenerationId>,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When it ended. Absent while it goes on.
    #[serde(default)]
    pub ended_ms: Option<u64>,
    /// What the votes proved. Absent while it goes on, and if it was ended before.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Why it ended without an outcome.
    #[serde(default)]
    pub ended_by: Option<String>,
    /// The number of votes, one for each need that ended with a pick from both lists.
    pub votes: u32,
    /// Votes for the candidate.
    pub wins: u32,
    /// Votes for the serving generation. The others are ties.
    pub losses: u32,
    /// The mean vote: by how much of a discounted gain of 1 the candidate ranks higher what users pick. Absent without
    /// votes.
    pub mean: Option<f64>,
    /// The e-value for "better". The candidate is published at [`publish_at`](TrialReport::publish_at).
    pub better: f64,
    /// The e-value for "gains too little". The candidate is rejected at [`reject_at`](TrialReport::reject_at).
    pub not_better: f64,
    /// One over the trial's alpha.
    pub publish_at: f64,
    /// One over the trial's beta.
    pub reject_at: f64,
    /// The number of votes at which it ends undecided.
    pub most_votes: u32,
    /// Both e-values after some of the votes, for drawing.
    #[serde(default)]
    pub course: Vec<TrialPoint>,
}

/// The evidence after so many votes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrialPoint {
    /// The number of votes.
    pub votes: u32,
    /// The e-value for "better".
    pub better: f64,
    /// The e-value for "gains too little".
    pub not_better: f64,
}

impl TrialReport {
    /// A trial that begins.
    pub(crate) fn begin(
        round: u64,
        tier: Tier,
        [serving, candidate]: [GenerationId; 2],
        started_ms: u64,
        trial: &Trial,
    ) -> TrialReport {
        let options = trial.options();
        let mut report = TrialReport {
            round,
            candidate,
            serving,
            tier,
            in_place_of: None,
            started_ms,
            ended_ms: None,
            outcome: None,
            ended_by: None,
            votes: 0,
            wins: 0,
            losses: 0,
            mean: None,
            better: 0.0,
            not_better: 0.0,
            publish_at: 1.0 / options.alpha,
            reject_at: 1.0 / options.beta,
            most_votes: options.most_votes,
            course: Vec::new(),
        };
        report.update(trial);
        report
    }

    /// Takes over the figures of the trial as it is now.
    pub(crate) fn update(&mut self, trial: &Trial) {
        (self.votes, self.wins, self.losses) = (trial.votes(), trial.wins(), trial.losses());
        (self.mean, self.outcome) = (trial.mean(), trial.outcome());
        (self.better, self.not_better) = (trial.better(), trial.not_better());
        let point = TrialPoint { votes: self.votes, better: self.better, not_better: self.not_better };
        if self.course.last().is_none_or(|last| last.votes < point.votes) {
            self.course.push(point);
        }
        if self.course.len() > MOST_POINTS {
            // Every second one, and the latest.
            let latest = self.course.pop();
            let mut place = 0;
            self.course.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.course.extend(latest);
        }
    }

    /// Marks it as ended, for a reason if not by its votes.
    pub(crate) fn end(&mut self, ended_ms: u64, ended_by: Option<String>) {
        (self.ended_ms, self.ended_by) = (Some(ended_ms), ended_by);
    }

    /// The votes and what they prove, in words.
    pub fn verdict(&self) -> String {
        let votes = match self.votes {
            1 => "1 vote".to_string(),
            votes => format!("{votes} votes"),
        };
        let counted = match self.mean {
            Some(mean) => {
                let TrialReport { wins, losses, .. } = self;
                format!("{votes} (candidate {wins}, serving {losses}, mean {mean:+.4})")
            }
            None => votes,
        };
        let evidence = format!(
            "evidence for it {:.1} of {:.1}, against it {:.1} of {:.1}",
            self.better, self.publish_at, self.not_better, self.reject_at
        );
        let end = match (self.outcome, &self.ended_by, self.ended_ms) {
            (_, Some(reason), _) => reason.as_str(),
            (Some(Outcome::Better), ..) => "users find it better",
            (Some(Outcome::NotBetter), ..) => "users find it no better",
            (Some(Outcome::Undecided), ..) => "undecided",
            (None, None, Some(_)) => "ended",
            (None, None, None) => "goes on",
        };
        format!("{end} after {counted}, {evidence}")
    }

    /// Whether it still goes on.
    pub fn is_running(&self) -> bool {
        self.ended_ms.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feedback::Standing;
    use crate::ids::QueryId;
    use crate::trial::TrialOptions;

    #[test]
    fn the_course_stays_short_and_ends_at_the_latest_vote() {
        let mut trial = Trial::new(TrialOptions::default().with_beta(1e-9).with_alpha(1e-9)).unwrap();
        let ids = [GenerationId(1), GenerationId(2)];
        let mut report = TrialReport::begin(1, Tier::Encoder, ids, 5, &trial);
        for need in 0..1000 {
            let (serving, candidate) = if need % 2 == 0 { (1, 2) } else { (2, 1) };
            trial.record(QueryId(need), Standing { place: 1, serving, candidate });
            report.update(&trial);
            report.update(&trial);
        }
        let votes: Vec<u32> = report.course.iter().map(|point| point.votes).collect();
        assert!(votes.len() <= MOST_POINTS && votes.is_sorted_by(|a, b| a < b), "{votes:?}");
        assert_eq!((votes[0], votes.last().copied(), report.votes), (0, Some(1000), 1000));
        assert_eq!((report.wins, report.losses), (500, 500));
        assert!(report.is_running());
        report.end(9, Some("a rollback".into()));
        assert!(!report.is_running());
    }
}
