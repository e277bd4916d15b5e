//! Training rows, and what is known of their texts.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::negatives::NegativeKind;

/// One training row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainingRow {
    pub(crate) anchor: String,
    pub(crate) positive: String,
    /// What else answers the anchor, or may; with a row of its own or without.
    pub(crate) other_answers: Vec<String>,
    pub(crate) negatives: Vec<String>,
    /// Where each of `negatives` is from.
    pub(crate) kinds: Vec<NegativeKind>,
}

impl TrainingRow {
    /// What is encoded.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        [&self.anchor, &self.positive].into_iter().chain(&self.negatives).map(String::as_str)
    }

    fn answers(&self) -> impl Iterator<Item = &str> {
        [&self.positive].into_iter().chain(&self.other_answers).map(String::as_str)
    }
}

/// Every answer that the rows know of, by anchor.
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

    /// What is known to answer `anchor`.
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

/// What becomes of the rows' documents while the encoder moves.
#[derive(Clone, Copy)]
pub(crate) enum Documents<'a> {
    /// They are encoded with it, and it learns from them too.
    Move,
    /// They stand still at these vectors: it learns from the anchors alone.
    Stand(&'a Guide),
}

/// What an encoder that does not move says of the rows' texts: the serving one, by its L2-normalised vectors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guide(HashMap<String, Vec<f32>>);

impl Guide {
    /// Keeps the vector of a text.
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

    /// The vector of a text that training needs.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is not known, or not of this width.
    pub(super) fn stored(&self, text: &str, width: usize) -> Result<&[f32]> {
        let found = self.vector(text);
        found.filter(|vector| vector.len() == width).ok_or_else(|| {
            let found = found.map_or("none".into(), |vector| format!("{} numbers", vector.len()));
            Error::invalid("the stored vector of a text to train with", found, format!("{width} numbers"))
        })
    }

    /// The cosine of two texts; `None` if one of them is not known.
    pub(crate) fn cosine(&self, a: &str, b: &str) -> Option<f32> {
        let (a, b) = (self.0.get(a)?, self.0.get(b)?);
        Some(a.iter().zip(b).map(|(x, y)| x * y).sum())
    }
}
