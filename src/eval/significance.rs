//! Significance tests for the difference between two systems.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Evaluation, Metric};
use crate::error::{Error, Result};

/// Number of random permutations, if there are too many to try all.
const PERMUTATIONS: usize = 10_000;
/// With fewer pairs than this, the test tries all `2^n` permutations.
const EXACT_BELOW: usize = 14;

/// The result of a paired test.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Significance {
    /// The mean of second minus first.
    pub difference: f64,
    /// The two-sided p-value: the probability of a difference this large by chance. Never 0.
    pub p_value: f64,
    /// Number of pairs.
    pub pairs: usize,
    /// Whether all permutations were tried. The p-value is then exact.
    pub exact: bool,
}

/// Fisher's paired randomisation test, two-sided.
///
/// Under the null hypothesis the sign of each query's difference is random (Smucker, Allan and Carterette, "A
/// Comparison of Statistical Significance Tests for Information Retrieval Evaluation", 2007). Below 14 pairs the test
/// tries all sign patterns. Otherwise it draws 10,000 random ones with `seed`, and the p-value is `(hits + 1) / (10,000
/// + 1)`.
///
/// # Errors
/// [`Error::Invalid`] if the samples differ in length or contain a number that is not finite.
pub fn randomisation_test(first: &[f64], second: &[f64], seed: u64) -> Result<Significance> {
    if first.len() != second.len() {
        let found = format!("{} and {} values", first.len(), second.len());
        return Err(Error::invalid("the paired samples", found, "samples of equal length"));
    }
    if let Some(odd) = first.iter().chain(second).find(|value| !value.is_finite()) {
        return Err(Error::invalid("the paired samples", odd, "finite numbers"));
    }
    let differences: Vec<f64> = first.iter().zip(second).map(|(a, b)| b - a).collect();
    let pairs = differences.len();
    let exact = pairs < EXACT_BELOW;
    let p_value = if exact { exact_p(&differences) } else { sampled_p(&differences, seed) };
    let difference = differences.iter().sum::<f64>() / pairs.max(1) as f64;
    Ok(Significance { difference, p_value, pairs, exact })
}

/// The [`randomisation_test`] for a metric, over the queries that both evaluations have.
///
/// # Errors
/// [`Error::Invalid`] if the metric was not evaluated in both.
pub fn compare(first: &Evaluation, second: &Evaluation, metric: Metric, seed: u64) -> Result<Significance> {
    let (Some(a), Some(b)) = (first.by_query(metric), second.by_query(metric)) else {
        return Err(Error::invalid("the metric to compare", metric, "a metric that both evaluations have"));
    };
    let pairs = a.iter().filter_map(|(query, value)| Some((*value, *b.get(query)?)));
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.unzip();
    randomisation_test(&a, &b, seed)
}

/// Corrects p-values for multiple comparisons and returns them in the same order. Controls the family-wise error rate
/// (Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979).
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let (mut adjusted, mut least) = (vec![1.0; p_values.len()], 0.0f64);
    for (rank, &index) in order.iter().enumerate() {
        least = least.max(p_values[index] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[index] = least;
    }
    adjusted
}

/// The smallest absolute sum that counts as large as the observed one, with tolerance for rounding.
fn threshold(differences: &[f64]) -> f64 {
    let scale: f64 = differences.iter().map(|d| d.abs()).sum();
    differences.iter().sum::<f64>().abs() - scale * 1e-12
}

pub(super) fn exact_p(differences: &[f64]) -> f64 {
    let threshold = threshold(differences);
    let patterns = 1usize << differences.len();
    let sum = |pattern: usize| -> f64 {
        differences.iter().enumerate().map(|(i, d)| if pattern >> i & 1 == 1 { -d } else { *d }).sum()
    };
    let hits = (0..patterns).filter(|&pattern| sum(pattern).abs() >= threshold).count();
    hits as f64 / patterns as f64
}

pub(super) fn sampled_p(differences: &[f64], seed: u64) -> f64 {
    let threshold = threshold(differences);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut sum = || -> f64 {
        differences.chunks(64).fold(0.0, |sum, chunk| {
            let signs: u64 = random.random();
            let signed = chunk.iter().enumerate().map(|(i, d)| if signs >> i & 1 == 1 { -d } else { *d });
            sum + signed.sum::<f64>()
        })
    };
    let hits = (0..PERMUTATIONS).filter(|_| sum().abs() >= threshold).count();
    (hits + 1) as f64 / (PERMUTATIONS + 1) as f64
}
