//! The passages, by number, and the queries.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use crate::ids::Digest;

/// Passages of a made-up corpus.
const MADE_UP: usize = 20_000;
const VOCABULARY: usize = 30_000;
const SYLLABLES: [&str; 16] =
    ["ka", "lo", "mi", "ren", "tor", "vas", "pel", "un", "gri", "sta", "ho", "den", "fu", "zel", "bra", "ni"];
/// Neighbours in a corpus are often alike, so it is traversed in steps of this prime.
const STEP: usize = 7919;

#[derive(Clone, Deserialize)]
pub(crate) struct Passage {
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) text: String,
}

pub(crate) struct Texts {
    passages: Vec<Passage>,
    queries: Vec<String>,
    /// Number of passages with vectors of their own.
    pub(crate) encoded: usize,
}

impl Texts {
    /// The corpus. Its last passages give the queries, some words of each, and are not indexed.
    pub(crate) fn read(corpus: Option<&Path>, queries: usize, encoded: usize) -> Texts {
        let read = corpus.map_or_else(made_up, read);
        let mut passages: Vec<Passage> =
            (0..read.len()).map(|i| read[i * STEP % read.len()].clone()).collect();
        assert!(passages.len() >= encoded + queries, "the corpus has {} passages", passages.len());
        let held_back = passages.split_off(passages.len() - queries);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let asked = held_back.iter().map(|passage| {
            let words: Vec<&str> = passage.text.split_whitespace().collect();
            let count = words.len().min(random.random_range(4..=8));
            let from = random.random_range(0..=words.len() - count);
            words[from..from + count].join(" ")
        });
        Texts { queries: asked.collect(), passages, encoded }
    }

    pub(crate) fn queries(&self) -> &[String] {
        &self.queries
    }

    /// Identifies these texts, and how many of them are encoded.
    pub(crate) fn digest(&self) -> Digest {
        let passages = self.passages.iter().flat_map(|passage| [&passage.title, &passage.text]);
        let all = format!("{} {:?}", self.encoded, passages.collect::<Vec<_>>());
        Digest::of(all.as_bytes())
    }

    /// Passage `number`. Beyond the corpus: the first half of the encoded passage that its vector is sampled around,
    /// and the second half of any other, so that lengths and word frequencies stay those of the corpus.
    pub(crate) fn passage(&self, number: usize) -> Passage {
        if let Some(own) = self.passages.get(number) {
            return own.clone();
        }
        let (first, mut random) = self.base(number);
        let first = &self.passages[first];
        let second = self.passages.choose(&mut random).expect("a passage");
        let words = |text: &str, half: usize| -> Vec<String> {
            let words: Vec<&str> = text.split_whitespace().collect();
            let middle = words.len().div_ceil(2);
            let half = if half == 0 { &words[..middle] } else { &words[middle..] };
            half.iter().map(|&word| word.to_owned()).collect()
        };
        let text = [words(&first.text, 0), words(&second.text, 1)].concat().join(" ");
        Passage { title: second.title.clone(), text }
    }

    /// The encoded passage that the unencoded `number` is sampled around, and the random source for it.
    pub(crate) fn base(&self, number: usize) -> (usize, ChaCha8Rng) {
        let mut random = ChaCha8Rng::seed_from_u64(number as u64);
        (random.random_range(0..self.encoded), random)
    }
}

fn read(path: &Path) -> Vec<Passage> {
    let file = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let lines = BufReader::new(file).lines().enumerate();
    let passage = lines.map(|(at, line)| -> Passage {
        let parsed = line.map_err(|e| e.to_string());
        let parsed = parsed.and_then(|line| serde_json::from_str(&line).map_err(|e| e.to_string()));
        parsed.unwrap_or_else(|e| panic!("{}, line {}: {e}", path.display(), at + 1))
    });
    passage.filter(|passage| !passage.text.trim().is_empty()).collect()
}

/// Words with Zipf-distributed frequencies.
fn made_up() -> Vec<Passage> {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let syllables = |random: &mut ChaCha8Rng| {
        let count = random.random_range(1..5);
        (0..count).map(|_| *SYLLABLES.choose(random).expect("a syllable")).collect::<String>()
    };
    let vocabulary: Vec<String> = (0..VOCABULARY).map(|_| syllables(&mut random)).collect();
    let mut words = |count: usize| {
        let word = |_| {
            let rank = (VOCABULARY as f64).powf(random.random_range(0.0..1.0)) as usize;
            vocabulary[rank.min(VOCABULARY - 1)].as_str()
        };
        (0..count).map(word).collect::<Vec<_>>().join(" ")
    };
    (0..MADE_UP).map(|i| Passage { title: words(2), text: words(5 + i % 20) }).collect()
}
