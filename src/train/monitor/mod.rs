//! Monitors the effect of training on the hard negatives: measures a sample of them before training and after each
//! epoch.
//!
//! All measurements use the encoder in training, also the first one. The serving encoder's vectors have another
//! precision, and its texts are truncated elsewhere.

mod distribution;
mod report;

use std::collections::{BTreeMap, HashMap};

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use distribution::{Distribution, Quantiles};
pub use report::{Measurement, MonitorReport, Moved, SourceMeasurement};

use super::loss::SCALE;
use super::mask::{DUPLICATE_COSINE, FalseNegative, Known};
use super::row::TrainingRow;
use crate::encoder::TrainableEncoder;
use crate::error::{Error, Result};
use crate::negatives::NegativeKind;

/// Maximum number of monitored queries.
const QUERIES: usize = 64;
/// A negative is too easy if its share of the softmax, next to the positive alone, is below this.
const EASY_SHARE: f64 = 0.01;

/// The monitored queries.
pub(super) struct Monitor<'a> {
    /// Each distinct text once.
    texts: Vec<&'a str>,
    queries: Vec<Query>,
    of_queries: usize,
    easy_margin: f64,
}

/// A query, as indices of the monitor's texts.
struct Query {
    anchor: usize,
    positives: Vec<usize>,
    negatives: Vec<Negative>,
}

struct Negative {
    text: usize,
    kind: NegativeKind,
    /// Whether it is a suspected answer, by what is known before training.
    suspected: bool,
}

/// The measurements so far. Checkpoints include them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    /// The margin of every negative before training, in the order of the queries.
    first: Vec<f64>,
    measurements: Vec<Measurement>,
}

impl Measured {
    /// The number of steps before the last measurement.
    pub(super) fn last_step(&self) -> Option<usize> {
        self.measurements.last().map(|last| last.step)
    }

    pub(super) fn count(&self) -> usize {
        self.measurements.len()
    }
}

/// Values by source.
#[derive(Default)]
struct Gathered {
    positive: Vec<f64>,
    negative: Vec<f64>,
    margin: Vec<f64>,
    suspected: u64,
    moved: Moved,
}

impl<'a> Monitor<'a> {
    /// Monitors 64 queries, drawn with the seed from those with hard negatives; `None` if there are none.
    pub(super) fn of(training_rows: &'a [TrainingRow], seed: u64, known: Known<'_>) -> Option<Monitor<'a>> {
        let mut rows: Vec<Vec<&TrainingRow>> = Vec::new();
        let mut places: HashMap<&str, usize> = HashMap::new();
        for row in training_rows.iter().filter(|row| !row.negatives.is_empty()) {
            let place = *places.entry(&row.anchor).or_insert(rows.len());
            if place == rows.len() {
                rows.push(Vec::new());
            }
            rows[place].push(row);
        }
        let of_queries = rows.len();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        // Far from the sampler's streams, which count from 0.
        random.set_stream(1 << 63);
        let mut drawn = sample(&mut random, of_queries, QUERIES.min(of_queries)).into_vec();
        drawn.sort_unstable();
        let easy_margin = ((1.0 - EASY_SHARE) / EASY_SHARE).ln() / SCALE;
        let mut texts = Texts::default();
        let queries = drawn.into_iter().map(|place| texts.query(&rows[place], known)).collect();
        let monitor = Monitor { texts: texts.texts, queries, of_queries, easy_margin };
        (!monitor.queries.is_empty()).then_some(monitor)
    }

    /// Adds a measurement of the current model after this many steps. `going_on` is called before each batch of texts;
    /// its error stops the measurement.
    ///
    /// # Errors
    /// [`Error::Encoder`] if the model yields numbers that are not finite.
    pub(super) fn measure(
        &self,
        model: &mut TrainableEncoder,
        step: usize,
        measured: &mut Measured,
        going_on: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        let vectors = model.encode(&self.texts, going_on)?;
        if vectors.iter().flatten().any(|number| !number.is_finite()) {
            return Err(Error::Encoder {
                doing: "measure the hard negatives",
                message: format!(
                    "vectors are no finite numbers after step {step}; use a lower learning rate"
                ),
            });
        }
        let margins = self.queries.iter().flat_map(|query| query.margins(&vectors)).collect();
        if measured.first.is_empty() {
            measured.first = margins;
        }
        let sources = self.sources(&vectors, &measured.first);
        measured.measurements.push(Measurement { step, sources });
        Ok(())
    }

    fn sources(&self, vectors: &[Vec<f32>], first: &[f64]) -> BTreeMap<NegativeKind, SourceMeasurement> {
        let mut gathered: BTreeMap<NegativeKind, Gathered> = BTreeMap::new();
        let mut first = first.iter();
        for query in &self.queries {
            let positives = query.positives(vectors);
            let margins = query.margins(vectors);
            for ((negative, margin), before) in query.negatives.iter().zip(margins).zip(first.by_ref()) {
                let into = gathered.entry(negative.kind).or_default();
                into.negative.push(cosine(vectors, query.anchor, negative.text));
                into.margin.push(margin);
                into.moved.count(*before, margin);
                let near = |&positive: &usize| {
                    cosine(vectors, positive, negative.text) >= f64::from(DUPLICATE_COSINE)
                };
                into.suspected += u64::from(negative.suspected || query.positives.iter().any(near));
            }
            for (kind, into) in &mut gathered {
                if query.negatives.iter().any(|negative| negative.kind == *kind) {
                    into.positive.extend(&positives);
                }
            }
        }
        let sources = gathered.into_iter();
        sources.filter_map(|(kind, one)| Some((kind, one.finish(self.easy_margin)?))).collect()
    }

    pub(super) fn report(&self, measured: Measured) -> MonitorReport {
        MonitorReport {
            queries: self.queries.len(),
            of_queries: self.of_queries,
            easy_margin: self.easy_margin,
            measurements: measured.measurements,
        }
    }
}

impl Gathered {
    fn finish(self, easy_margin: f64) -> Option<SourceMeasurement> {
        let harder = self.margin.iter().filter(|margin| **margin < 0.0).count() as u64;
        let too_easy = self.margin.iter().filter(|margin| **margin > easy_margin).count() as u64;
        Some(SourceMeasurement {
            positive: Distribution::of(self.positive)?,
            negative: Distribution::of(self.negative)?,
            margin: Distribution::of(self.margin)?,
            harder,
            too_easy,
            suspected: self.suspected,
            moved: self.moved,
        })
    }
}

impl Query {
    fn positives(&self, vectors: &[Vec<f32>]) -> Vec<f64> {
        self.positives.iter().map(|&text| cosine(vectors, self.anchor, text)).collect()
    }

    /// The margin of each negative, relative to the farthest positive.
    fn margins(&self, vectors: &[Vec<f32>]) -> Vec<f64> {
        let farthest = self.positives(vectors).into_iter().fold(f64::INFINITY, f64::min);
        let negatives = self.negatives.iter();
        negatives.map(|negative| farthest - cosine(vectors, self.anchor, negative.text)).collect()
    }
}

fn cosine(vectors: &[Vec<f32>], a: usize, b: usize) -> f64 {
    vectors[a].iter().zip(&vectors[b]).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
}

/// Distinct texts with their indices.
#[derive(Default)]
struct Texts<'a> {
    texts: Vec<&'a str>,
    places: HashMap<&'a str, usize>,
}

impl<'a> Texts<'a> {
    fn place(&mut self, text: &'a str) -> usize {
        *self.places.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() - 1
        })
    }

    /// Combines the rows of one anchor into one query.
    fn query(&mut self, rows: &[&'a TrainingRow], known: Known<'_>) -> Query {
        let mut query =
            Query { anchor: self.place(&rows[0].anchor), positives: Vec::new(), negatives: Vec::new() };
        for row in rows {
            query.positives.push(self.place(&row.positive));
            for (negative, &kind) in row.negatives.iter().zip(&row.kinds) {
                let text = self.place(negative);
                if !query.negatives.iter().any(|known| known.text == text) {
                    let suspect =
                        |row: &&TrainingRow| FalseNegative::check(row, negative, false, known).is_some();
                    query.negatives.push(Negative { text, kind, suspected: rows.iter().any(suspect) });
                }
            }
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::row::{Answers, Guide};

    #[test]
    fn suspects_are_what_the_guide_ranks_above_the_positive_or_finds_to_be_a_copy() {
        let mut guide = Guide::default();
        let mut at = |text: &str, angle: f32| {
            guide.add(text, vec![angle.cos(), angle.sin()]);
            text.to_string()
        };
        let (anchor, positive) = (at("anchor", 0.0), at("positive", 1.0));
        let negatives = vec![at("above", 0.5), at("copy", 1.1), at("far", 2.0)];
        let kinds = vec![NegativeKind::Confusable; 3];
        let rows =
            [TrainingRow { anchor, positive, other_answers: Vec::new(), negatives, kinds, weight: 1.0 }];
        let answers = Answers::of(&rows);
        let suspected = |guide| {
            let monitor = Monitor::of(&rows, 1, Known { answers: &answers, guide }).unwrap();
            monitor.queries[0].negatives.iter().map(|negative| negative.suspected).collect::<Vec<_>>()
        };
        assert_eq!(suspected(Some(&guide)), [true, true, false]);
        assert_eq!(suspected(None), [false; 3]);
    }
}
