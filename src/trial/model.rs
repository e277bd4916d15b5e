//! Needs and users drawn at random, to try trials on. For the tests, and for `benches/trial.rs`.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Documents in a drawn corpus, and those of a list.
const DOCUMENTS: u8 = 40;
const DEPTH: usize = 10;

/// What a user looks for, and what both lists have for it. Documents below `answers` answer it.
#[derive(Debug, Clone)]
pub struct Need {
    pub serving: Vec<u8>,
    pub candidate: Vec<u8>,
    pub answers: u8,
}

impl Need {
    /// The same with the lists swapped.
    pub fn swapped(&self) -> Need {
        Need { serving: self.candidate.clone(), candidate: self.serving.clone(), answers: self.answers }
    }
}

/// How lists come about: documents have scores, answers higher ones, and each list sees them through its own noise.
#[derive(Debug, Clone, Copy)]
pub struct Lists {
    /// The share of queries for which the lists differ.
    pub changed: f64,
    /// The standard deviation of each list's noise; that of scores is 1.
    pub noise: f64,
    /// What the candidate adds to the scores of answers.
    pub gain: f64,
}

impl Lists {
    /// Draws needs. Equal seeds give the same scores and the same noise, whatever the gain.
    pub fn draw(&self, count: usize, seed: u64) -> Vec<Need> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| self.need(&mut random)).collect()
    }

    fn need(&self, random: &mut ChaCha8Rng) -> Need {
        let answers = if random.random_bool(0.7) { 1 } else { 2 };
        let ease = 2.0 + normal(random);
        let changed = random.random_bool(self.changed);
        let (mut serving, mut candidate) = (Vec::new(), Vec::new());
        for document in 0..DOCUMENTS {
            let answer = document < answers;
            let score = if answer { ease } else { normal(random) };
            let (one, other) = (self.noise * normal(random), self.noise * normal(random));
            serving.push((score + one, document));
            let gained = score + other + if answer { self.gain } else { 0.0 };
            candidate.push((if changed { gained } else { score + one }, document));
        }
        Need { serving: ranked(serving), candidate: ranked(candidate), answers }
    }
}

fn ranked(mut scores: Vec<(f64, u8)>) -> Vec<u8> {
    scores.sort_by(|one, other| other.0.total_cmp(&one.0));
    scores.into_iter().take(DEPTH).map(|(_, document)| document).collect()
}

/// A standard normal number (Box and Muller, 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// Needs of equal mean nDCG@10, to the last digit, where the candidate sends one answer in ten or so from the first
/// place to the fifth, and lifts the others from the fourth to the third.
pub fn few_large_losses(count: usize) -> Vec<Need> {
    let gain = |rank: usize| 1.0 / (1.0 + rank as f64).log2();
    let (large, small) = (gain(1) - gain(5), gain(3) - gain(4));
    let losses = (count as f64 * small / (small + large)).round() as usize;
    let need = |at: usize| {
        let (from, to) = if at < losses { (1, 5) } else { (4, 3) };
        Need { serving: with_answer_at(from), candidate: with_answer_at(to), answers: 1 }
    };
    (0..count).map(need).collect()
}

/// A list whose answer has this rank.
fn with_answer_at(rank: usize) -> Vec<u8> {
    let mut list: Vec<u8> = (1..DOCUMENTS).take(DEPTH - 1).collect();
    list.insert(rank - 1, 0);
    list
}

/// The mean nDCG@10 of both lists; relevance is binary.
pub fn mean_ndcg_10(needs: &[Need]) -> (f64, f64) {
    let mean = |list: fn(&Need) -> &[u8]| {
        needs.iter().map(|need| ndcg_10(list(need), need.answers)).sum::<f64>() / needs.len() as f64
    };
    (mean(|need| &need.serving), mean(|need| &need.candidate))
}

fn ndcg_10(list: &[u8], answers: u8) -> f64 {
    let gain = |place: usize| 1.0 / (2.0 + place as f64).log2();
    let found = (0..list.len().min(10)).filter(|&place| list[place] < answers).map(gain);
    let most = (0..usize::from(answers).min(10)).map(gain);
    found.sum::<f64>() / most.sum::<f64>()
}

/// Users who look from the top, open what attracts them, and pick what they opened last.
#[derive(Debug, Clone, Copy)]
pub struct Users {
    /// The probability of looking at the next hit.
    pub continues: f64,
    /// The probability of opening a hit that is no answer; of an answer it is 0.9, and one more hit is looked at after
    /// it with a probability of 0.1.
    pub wrong: f64,
    /// The share of users who open three in ten of the hits that they look at, whatever they are.
    pub careless: f64,
}

impl Users {
    /// As in a small model that the trial was first tried on.
    pub const CASCADE: Users = Users { continues: 0.85, wrong: 0.08, careless: 0.0 };
    /// A quarter picks anything.
    pub const QUARTER_CARELESS: Users = Users { careless: 0.25, ..Users::CASCADE };

    /// The place, from 0, that a user picks.
    pub fn pick(&self, answers: &[bool], random: &mut ChaCha8Rng) -> Option<usize> {
        let careless = random.random_bool(self.careless);
        let mut picked = None;
        for (place, &answer) in answers.iter().enumerate() {
            let attraction = if careless {
                0.3
            } else if answer {
                0.9
            } else {
                self.wrong
            };
            if random.random_bool(attraction) {
                picked = Some(place);
                if (answer || careless) && random.random_bool(0.9) {
                    break;
                }
            }
            if !random.random_bool(self.continues) {
                break;
            }
        }
        picked
    }
}
