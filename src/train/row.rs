//! Training rows, and what is known about their texts.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::negatives::NegativeKind;

/// One training row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainingRow {
    pub(crate) anchor: String,
    pub(crate) positive: String,
    /// Other texts that answer the anchor, or may, whether they have a row or not.
    pub(crate) other_answers: Vec<String>,
    pub(crate) negatives: Vec<String>,
    /// The source of each of `negatives`.
    pub(crate) kinds: Vec<NegativeKind>,
    /// How much the row counts in its batch's loss, relative to others.
    pub(crate) weight: f32,
}

impl TrainingRow {
    /// The texts to encode.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        [&self.anchor, &self.positive].into_iter().chain(&self.negatives).map(String::as_str)
    }

    fn answers(&self) -> impl Iterator<Item = &str> {
        [&self.positive].into_iter().chain(&self.other_answers).map(String::as_str)
    }
}

/// Every known answer in the rows, by anchor.
pub(super) struct Answers<'a>(HashMap<&'a str, HashSet<&'a str>>);

impl<'a> Answers<'a> {
    pub(super) fn of(rows: &'a [TrainingRow]) -> Answers<'a> {
        let mut answers: HashMap<&str, HashSet<&str>> = HashMap::new();
        for row in rows {
            answers.entry(&row.anchor).or_default().extend(row.answers());
        }
        Answers(answers)
    }

    /// Whether `text` is known to answer `anchor`.
    pub(super) fn has(&self, anchor: &str, text: &str) -> bool {
        self.0.get(anchor).is_some_and(|answers| answers.contains(text))
    }

    /// The known answers to `anchor`.
    pub(super) fn to(&self, anchor: &str) -> impl Iterator<Item = &'a str> {
        self.0.get(anchor).into_iter().flatten().copied()
    }

    /// Whether two anchors have an answer in common.
    pub(super) fn meet(&self, a: &str, b: &str) -> bool {
        match (self.0.get(a), self.0.get(b)) {
            (Some(a), Some(b)) => !a.is_disjoint(b),
            _ => false,
        }
    }
}

/// How the rows' documents are embedded during training.
#[derive(Clone, Copy)]
pub(crate) enum Documents<'a> {
    /// The encoder embeds them, and learns from them too.
    Move,
    /// Their vectors are fixed: the encoder learns from the anchors alone.
    Stand(&'a Guide),
}

/// A fixed encoder's view of the rows' texts: the serving encoder's L2-normalised vectors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guide(HashMap<String, Vec<f32>>);

impl Guide {
    /// Stores the vector of a text.
    pub(crate) fn add(&mut self, text: &str, vector: Vec<f32>) {
        self.0.insert(text.to_string(), vector);
    }

    /// Whether a text has a vector.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.0.contains_key(text)
    }

    /// The vector of a text.
    pub(super) fn vector(&self, text: &str) -> Option<&[f32]> {
        self.0.get(text).map(Vec::as_slice)
    }

    /// The vector of a text that training requires.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is unknown, or has another width.
    pub(super) fn stored(&self, text: &str, width: usize) -> Result<&[f32]> {
        let found = self.vector(text);
        found.filter(|vector| vector.len() == width).ok_or_else(|| {
            let found = found.map_or("none".into(), |vector| format!("{} numbers", vector.len()));
            Error::invalid("the stored vector of a training text", found, format!("{width} numbers"))
        })
    }

    /// The cosine of two texts; `None` if one is unknown.
    pub(crate) fn cosine(&self, a: &str, b: &str) -> Option<f32> {
        let (a, b) = (self.0.get(a)?, self.0.get(b)?);
        Some(a.iter().zip(b).map(|(x, y)| x * y).sum())
    }
}
