//! A trial's votes and what they decide.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::credit::credit;
use super::wealth::Wealth;
use crate::error::{Error, Result};
use crate::feedback::Standing;
use crate::ids::QueryId;

/// When a trial ends. `docs/trial.md` has the figures of the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrialOptions {
    /// The probability of publishing a candidate that is no better: it is published at an e-value of `1 / alpha`. 0.05
    /// by default; where rounds have a budget, [`AlphaSplit`](super::AlphaSplit) gives it.
    pub alpha: f64,
    /// The probability of rejecting a candidate that gains `least_gain` or more. Larger than `alpha` by default, 0.2:
    /// rejecting costs nobody a worse search, and a candidate that does harm goes sooner.
    pub beta: f64,
    /// The smallest mean vote that is worth a new generation, in discounted gain: 0.01 by default. A candidate that
    /// gains less is rejected as soon as that is proved, instead of staying on trial until the votes run out.
    pub least_gain: f64,
    /// The number of votes, ties included, at which the trial ends undecided: 3,000 by default.
    pub most_votes: u32,
    /// The smallest probability to assume that a user who has looked at a hit looks at the next one: 0.8 by default.
    pub least_continuing: f64,
    /// The largest such probability: 0.95 by default. A candidate is published if it is better under both, so that the
    /// position bias in between need not be known.
    pub most_continuing: f64,
}

impl Default for TrialOptions {
    fn default() -> Self {
        TrialOptions {
            alpha: 0.05,
            beta: 0.2,
            least_gain: 0.01,
            most_votes: 3000,
            least_continuing: 0.8,
            most_continuing: 0.95,
        }
    }
}

impl TrialOptions {
    /// Sets [`alpha`](TrialOptions::alpha).
    pub fn with_alpha(self, alpha: f64) -> Self {
        TrialOptions { alpha, ..self }
    }

    /// Sets [`beta`](TrialOptions::beta).
    pub fn with_beta(self, beta: f64) -> Self {
        TrialOptions { beta, ..self }
    }

    /// Sets [`least_gain`](TrialOptions::least_gain).
    pub fn with_least_gain(self, least_gain: f64) -> Self {
        TrialOptions { least_gain, ..self }
    }

    /// Sets [`most_votes`](TrialOptions::most_votes).
    pub fn with_most_votes(self, most_votes: u32) -> Self {
        TrialOptions { most_votes, ..self }
    }

    /// Sets [`least_continuing`](TrialOptions::least_continuing) and
    /// [`most_continuing`](TrialOptions::most_continuing).
    pub fn with_continuing(self, between: RangeInclusive<f64>) -> Self {
        TrialOptions { least_continuing: *between.start(), most_continuing: *between.end(), ..self }
    }

    fn check(&self) -> Result<()> {
        for (what, value) in [
            ("a trial's alpha", self.alpha),
            ("a trial's beta", self.beta),
            ("the least share of users who look at the next hit", self.least_continuing),
            ("the largest share of users who look at the next hit", self.most_continuing),
        ] {
            if !(value > 0.0 && value <= 1.0) {
                return Err(Error::invalid(what, value, "a number above 0 and at most 1"));
            }
        }
        if !(0.0..=0.5).contains(&self.least_gain) {
            return Err(Error::invalid("a trial's least gain", self.least_gain, "a number from 0 to 0.5"));
        }
        Ok(())
    }
}

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The candidate is better: publish it.
    Better,
    /// The candidate gains less than [`TrialOptions::least_gain`], or is worse: reject it.
    NotBetter,
    /// As many votes as there may be proved neither.
    Undecided,
}

/// What became of a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Recorded {
    /// It counts.
    Counted,
    /// This need has voted before; only its first vote counts.
    Repeated,
    /// The trial has ended.
    Late,
}

/// A candidate on trial beside the serving generation.
///
/// It is a function of its options, its start and the votes in their order, and of nothing else: no clock, no chance.
/// So it can be stored, or made anew from a log with [`replay`](Trial::replay), and goes on as if nothing had
/// happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    options: TrialOptions,
    /// An e-value from elsewhere for "better".
    prior: f64,
    /// For the least and for the most continuing users.
    better: [Wealth; 2],
    not_better: [Wealth; 2],
    /// The needs that have voted since this trial started.
    voted: BTreeSet<QueryId>,
    wins: u32,
    losses: u32,
    /// The sum of all votes, over `voted`.
    sum: f64,
    outcome: Option<Outcome>,
}

impl Trial {
    /// A trial without votes.
    ///
    /// # Errors
    /// [`Error::Invalid`] if an option is outside its range.
    pub fn new(options: TrialOptions) -> Result<Trial> {
        options.check()?;
        Ok(Trial::begin(options))
    }

    fn begin(options: TrialOptions) -> Trial {
        Trial {
            options,
            prior: 1.0,
            better: [Wealth::new(), Wealth::new()],
            not_better: [Wealth::new(), Wealth::new()],
            voted: BTreeSet::new(),
            wins: 0,
            losses: 0,
            sum: 0.0,
            outcome: None,
        }
    }

    /// A trial that goes on where an earlier one of the same candidate beside the same serving generation ended
    /// undecided or was cut short: its evidence counts, and there may be as many votes again. Over all of them
    /// together the probabilities are still at most the largest `alpha` and `beta`, because the evidence may be looked
    /// at after every vote, also to decide to go on. Needs that voted then must not vote again.
    ///
    /// # Errors
    /// [`Error::Invalid`] if an option is outside its range.
    pub fn after(earlier: &Trial, options: TrialOptions) -> Result<Trial> {
        let new = Trial::new(options)?;
        Ok(Trial {
            prior: earlier.prior,
            better: earlier.better.clone(),
            not_better: earlier.not_better.clone(),
            ..new
        })
    }

    /// A trial of another candidate beside the same serving generation that takes the place of an undecided one. It has
    /// the same options, and begins with the evidence for the earlier candidate if that is below 1, and else with 1.
    /// A need may vote for each of them.
    ///
    /// So a row of candidates shares one `alpha`: if none of them is better, any of them is published with a
    /// probability of at most `alpha`, because a gambler may choose before each vote what to bet on. None begins above
    /// 1, whatever was said of another.
    pub fn in_place_of(earlier: &Trial) -> Trial {
        Trial { prior: earlier.better().min(1.0), ..Trial::begin(earlier.options) }
    }

    /// Multiplies what users say by an e-value for "the candidate is better" that comes from elsewhere, such as
    /// [`e_value_of_p`](super::e_value_of_p) of the gate's test. Whoever does so must do it for every trial that begins
    /// anew, also where the e-value is below 1, and before the first vote; the data behind it must not be votes of this
    /// trial.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is negative or not finite.
    pub fn with_prior(self, e_value: f64) -> Result<Trial> {
        if !(e_value >= 0.0 && e_value.is_finite()) {
            return Err(Error::invalid("an e-value", e_value, "a number from 0 on"));
        }
        Ok(Trial { prior: self.prior * e_value, ..self })
    }

    /// Counts a need's vote: the standing of the hit that was picked. A need is what one user looked for, named by its
    /// first query, and votes once, when it is over: with the pick that then answers it. What happens to that pick
    /// later changes nothing, and neither does a second vote: a vote that could still be changed would let the trial
    /// look twice. A need without a pick has no vote.
    pub fn record(&mut self, need: QueryId, pick: Standing) -> Recorded {
        if self.outcome.is_some() {
            return Recorded::Late;
        }
        if !self.voted.insert(need) {
            return Recorded::Repeated;
        }
        let votes = [self.options.least_continuing, self.options.most_continuing]
            .map(|continues| credit(pick, continues));
        for ((better, not_better), vote) in self.better.iter_mut().zip(&mut self.not_better).zip(votes) {
            better.bet(vote);
            not_better.bet(self.options.least_gain - vote);
        }
        self.wins += u32::from(pick.candidate < pick.serving);
        self.losses += u32::from(pick.serving < pick.candidate);
        self.sum += votes.iter().sum::<f64>() / 2.0;
        self.outcome = self.decide();
        Recorded::Counted
    }

    /// The trial after these votes, such as those of a log, in its order.
    pub fn replay(mut self, votes: impl IntoIterator<Item = (QueryId, Standing)>) -> Trial {
        for (need, pick) in votes {
            self.record(need, pick);
        }
        self
    }

    fn decide(&self) -> Option<Outcome> {
        if self.better() >= 1.0 / self.options.alpha {
            Some(Outcome::Better)
        } else if self.not_better() >= 1.0 / self.options.beta {
            Some(Outcome::NotBetter)
        } else if self.votes() >= self.options.most_votes {
            Some(Outcome::Undecided)
        } else {
            None
        }
    }

    /// How it ended, if it has.
    pub fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }

    /// Its options.
    pub fn options(&self) -> TrialOptions {
        self.options
    }

    /// The e-value for "better": the smaller one of both position biases. The candidate is published at `1 / alpha`.
    pub fn better(&self) -> f64 {
        self.prior * self.of_votes()
    }

    /// As [`better`](Trial::better), by the votes for this candidate alone.
    pub fn of_votes(&self) -> f64 {
        let [least, most] = &self.better;
        least.e_value().min(most.e_value())
    }

    /// The e-value for "gains less than the least gain": the mean of both position biases, since a candidate is to
    /// gain under both. It is rejected at `1 / beta`.
    pub fn not_better(&self) -> f64 {
        let [least, most] = &self.not_better;
        (least.e_value() + most.e_value()) / 2.0
    }

    /// The number of votes, ties included.
    pub fn votes(&self) -> u32 {
        u32::try_from(self.voted.len()).unwrap_or(u32::MAX)
    }

    /// The number of votes for the candidate.
    pub fn wins(&self) -> u32 {
        self.wins
    }

    /// The number of votes for the serving generation.
    pub fn losses(&self) -> u32 {
        self.losses
    }

    /// The mean vote: by how much of a discounted gain of 1 the candidate ranks what users pick higher, as the mean of
    /// both position biases. `None` without votes.
    pub fn mean(&self) -> Option<f64> {
        (self.votes() > 0).then(|| self.sum / f64::from(self.votes()))
    }
}
