//! Users, as models: what somebody who knows the answers picks from a ranked list.

use std::fmt;
use std::str::FromStr;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How a simulated user picks. The latter two read from the top and lose patience (the cascade model: Craswell et al., "An
/// experimental comparison of click position-bias models", 2008).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClickModel {
    /// Picks every right document that is shown.
    Perfect,
    /// After each document goes on to the next with probability 0.85; picks a right one with probability 0.9, and
    /// is then content with probability 0.7.
    Cascade,
    /// As [`Cascade`](ClickModel::Cascade), and picks a wrong one with probability 0.15.
    Noisy,
}

const PATIENCE: f64 = 0.85;
const PICKS_RIGHT: f64 = 0.9;
const PICKS_WRONG: f64 = 0.15;
const CONTENT: f64 = 0.7;

impl ClickModel {
    /// The places that are picked of a list in which `relevant` are right, ascending. Equal seeds give equal picks.
    pub fn clicks(self, relevant: &[bool], seed: u64) -> Vec<usize> {
        let wrong = match self {
            ClickModel::Perfect => return (0..relevant.len()).filter(|&place| relevant[place]).collect(),
            ClickModel::Cascade => 0.0,
            ClickModel::Noisy => PICKS_WRONG,
        };
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut clicks = Vec::new();
        for (place, &right) in relevant.iter().enumerate() {
            let clicked = random.random_bool(if right { PICKS_RIGHT } else { wrong });
            if clicked {
                clicks.push(place);
            }
            if (clicked && random.random_bool(CONTENT)) || !random.random_bool(PATIENCE) {
                break;
            }
        }
        clicks
    }

    /// `perfect`, `cascade` or `noisy`.
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
            .ok_or_else(|| format!("{name} is no click model; there are perfect, cascade and noisy"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often each place is picked in a thousand lists.
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
