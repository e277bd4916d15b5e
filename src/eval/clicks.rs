//! Click models: simulated users who pick from a ranked list.

use std::fmt;
use std::str::FromStr;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A model of the documents that a user picks.
///
/// `Cascade` and `Noisy` are cascade models (Craswell et al., "An experimental comparison of click position-bias
/// models", 2008): the user reads from the top and may stop after each document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClickModel {
    /// Picks every relevant document.
    Perfect,
    /// Picks a relevant document with probability 0.9 and is then satisfied with probability 0.7. Otherwise continues
    /// to the next document with probability 0.85.
    Cascade,
    /// As [`Cascade`](ClickModel::Cascade), but also picks an irrelevant document with probability 0.15.
    Noisy,
}

const CONTINUES: f64 = 0.85;
const PICKS_RELEVANT: f64 = 0.9;
const PICKS_IRRELEVANT: f64 = 0.15;
const SATISFIED: f64 = 0.7;

impl ClickModel {
    /// The positions that the user picks, ascending from 0. `relevant` says which documents of the list are relevant.
    /// Equal seeds give equal picks.
    pub fn clicks(self, relevant: &[bool], seed: u64) -> Vec<usize> {
        let irrelevant = match self {
            ClickModel::Perfect => return (0..relevant.len()).filter(|&place| relevant[place]).collect(),
            ClickModel::Cascade => 0.0,
            ClickModel::Noisy => PICKS_IRRELEVANT,
        };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut clicks = Vec::new();
        for (place, &is_relevant) in relevant.iter().enumerate() {
            let clicked = random.random_bool(if is_relevant { PICKS_RELEVANT } else { irrelevant });
            if clicked {
                clicks.push(place);
            }
            if (clicked && random.random_bool(SATISFIED)) || !random.random_bool(CONTINUES) {
                break;
            }
        }
        clicks
    }

    /// The name: `perfect`, `cascade` or `noisy`.
    pub fn name(self) -> &'static str {
        match self {
            ClickModel::Perfect => "perfect",
            ClickModel::Cascade => "cascade",
            ClickModel::Noisy => "noisy",
        }
    }
}

impl fmt::Display for ClickModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ClickModel {
    type Err = String;

    fn from_str(name: &str) -> Result<ClickModel, String> {
        [ClickModel::Perfect, ClickModel::Cascade, ClickModel::Noisy]
            .into_iter()
            .find(|model| model.name() == name)
            .ok_or_else(|| format!("there is no click model {name}; use perfect, cascade or noisy"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each position is picked in a thousand lists.
    fn counts(model: ClickModel, relevant: &[bool]) -> Vec<usize> {
        let mut counts = vec![0; relevant.len()];
        for seed in 0..1000 {
            model.clicks(relevant, seed).into_iter().for_each(|place| counts[place] += 1);
        }
        counts
    }

    #[test]
    fn the_perfect_user_picks_what_is_right() {
        assert_eq!(ClickModel::Perfect.clicks(&[false, true, false, true], 1), [1, 3]);
    }

    #[test]
    fn patience_ends_and_the_noisy_err() {
        let right = [true; 6];
        let cascade = counts(ClickModel::Cascade, &right);
        assert!(cascade.is_sorted_by(|a, b| a > b), "{cascade:?}");
        assert!((850..950).contains(&cascade[0]), "{cascade:?}");
        let wrong = [false; 6];
        assert_eq!(counts(ClickModel::Cascade, &wrong), [0; 6]);
        let noisy = counts(ClickModel::Noisy, &wrong);
        assert!((110..190).contains(&noisy[0]) && noisy[5] < noisy[0], "{noisy:?}");
        assert_eq!(ClickModel::Noisy.clicks(&right, 7), ClickModel::Noisy.clicks(&right, 7));
    }

    #[test]
    fn models_are_known_by_name() {
        assert_eq!("noisy".parse(), Ok(ClickModel::Noisy));
        assert!("drunk".parse::<ClickModel>().unwrap_err().contains("perfect"));
    }
}
