//! An evaluation on a collection: how good each mode is, on which queries, by which weight, and how fast.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::markup::{figure, figures, paragraph, section, table};
use super::plots::{Axes, Estimate, estimates, hexadecimal};
use super::{AFTER, Parts, queries, speed, weights};
use crate::error::Result;
use crate::eval::{Evaluation, Interval, Inventory, Metric};
use crate::{Fusion, Took};

pub(super) const LEXICAL: RGBColor = RGBColor(200, 90, 10);
pub(super) const DENSE: RGBColor = RGBColor(90, 160, 120);
pub(super) const HYBRID: RGBColor = AFTER;

/// What the plots are of, if it was measured; else the first metric that was.
const PLOTTED: Metric = Metric::NdcgAt(10);
/// What the first drawing has room for, as far as it was measured; else the first metrics that were.
const SHOWN: [Metric; 5] =
    [Metric::NdcgAt(10), Metric::MrrAt(10), Metric::Map, Metric::PrecisionAt(10), Metric::RecallAt(100)];

/// What was measured on a collection, as its page tells it. Nothing here but the evaluations is needed: what is left at its
/// default is told as nothing, or left out.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EvaluationReport {
    /// The collection's name, or the folder's.
    pub collection: String,
    /// The split whose judgements it was, or their file.
    pub split: String,
    /// What the collection holds, and what is odd about it. `None` of a folder of files.
    pub inventory: Option<Inventory>,
    /// BM25 alone.
    pub lexical: Evaluation,
    /// The vectors alone.
    pub dense: Evaluation,
    /// Both, fused.
    pub hybrid: Evaluation,
    /// Of the intervals' samples. Default 42.
    pub seed: u64,
    /// The queries' texts by id.
    pub texts: BTreeMap<String, String>,
    /// How the hybrid was fused.
    pub fusion: Fusion,
    /// What the hybrid comes to by its dense weight: pairs of a weight, ascending from 0 to 1, and the mean of
    /// [`plotted`](EvaluationReport::plotted).
    pub weights: Vec<(f64, f64)>,
    /// Of each hybrid search that was timed, in milliseconds.
    pub took_ms: Vec<Took>,
    /// Documents whose vectors were made for this evaluation.
    pub encoded: usize,
    /// How long that took, with all else that adding them takes.
    pub encode_seconds: f64,
    /// What else to say of how it was measured: names and values.
    pub setup: Vec<(String, String)>,
}

impl EvaluationReport {
    /// Of three evaluations of the same queries by the same metrics.
    pub fn new(lexical: Evaluation, dense: Evaluation, hybrid: Evaluation) -> EvaluationReport {
        EvaluationReport {
            collection: String::new(),
            split: String::new(),
            inventory: None,
            lexical,
            dense,
            hybrid,
            seed: 42,
            texts: BTreeMap::new(),
            fusion: Fusion::default(),
            weights: Vec::new(),
            took_ms: Vec::new(),
            encoded: 0,
            encode_seconds: 0.0,
            setup: Vec::new(),
        }
    }

    /// The metric that the plots are of, of those that were measured: nDCG@10 if it was, else the first one.
    pub fn plotted(metrics: &[Metric]) -> Metric {
        let first = metrics.first().copied().unwrap_or(PLOTTED);
        metrics.iter().copied().find(|&metric| metric == PLOTTED).unwrap_or(first)
    }

    pub(super) fn metric(&self) -> Metric {
        EvaluationReport::plotted(self.hybrid.metrics())
    }

    /// With names and colours, in the order in which they are always told.
    pub(super) fn modes(&self) -> [(&'static str, RGBColor, &Evaluation); 3] {
        [("lexical", LEXICAL, &self.lexical), ("dense", DENSE, &self.dense), ("hybrid", HYBRID, &self.hybrid)]
    }

    fn estimate(&self, evaluation: &Evaluation, metric: Metric) -> Estimate {
        let interval = evaluation.interval(metric, self.seed);
        let Interval { low, high } = interval.unwrap_or(Interval { low: 0.0, high: 0.0 });
        Estimate { value: evaluation.mean(metric).unwrap_or(0.0), low, high }
    }
}

impl Parts for EvaluationReport {
    fn title(&self) -> String {
        format!("Evaluation on {}, {}", self.collection, self.split)
    }

    fn content(&self) -> Result<String> {
        let metric = self.metric();
        let means = self
            .modes()
            .map(|(name, _, evaluation)| format!("{name} {:.4}", evaluation.mean(metric).unwrap_or(0.0)));
        let mut content = paragraph(&format!(
            "{metric} over {} queries: {} ({}).",
            self.hybrid.len(),
            means.join(", "),
            self.fusion
        ));
        content.push_str(&self.figures()?);
        content.push_str(&queries::queries(self)?);
        content.push_str(&weights::weights(self)?);
        content.push_str(&speed::speed(self)?);
        content.push_str(&self.collection());
        Ok(content)
    }
}

impl EvaluationReport {
    /// Every metric of every mode, with its interval.
    fn figures(&self) -> Result<String> {
        let metrics = self.hybrid.metrics();
        let all: Vec<[Estimate; 3]> = metrics
            .iter()
            .map(|&metric| self.modes().map(|(_, _, evaluation)| self.estimate(evaluation, metric)))
            .collect();
        let usual: Vec<usize> =
            SHOWN.iter().filter_map(|shown| metrics.iter().position(|metric| metric == shown)).collect();
        let shown = match usual.is_empty() {
            true => (0..metrics.len().min(SHOWN.len())).collect(),
            false => usual,
        };
        let names: Vec<String> = shown.iter().map(|&place| metrics[place].to_string()).collect();
        let series: Vec<(RGBColor, Vec<Estimate>)> = self
            .modes()
            .iter()
            .enumerate()
            .map(|(mode, &(_, colour, _))| (colour, shown.iter().map(|&place| all[place][mode]).collect()))
            .collect();
        let axes = Axes { x: "metric", y: "mean over queries (0 to 1)" };
        let svg = estimates("the means of each mode with their intervals", axes, &names, &series)?;
        let legend = self.modes().map(|(name, colour, _)| (hexadecimal(colour), name));
        let mut content = figures(&[figure("Means with 95 % intervals", &legend, &svg)]);
        let rows: Vec<Vec<String>> = metrics
            .iter()
            .zip(&all)
            .map(|(metric, all)| {
                // In one line.
                let cell = |one: &Estimate| {
                    format!("{:.4}\u{a0}({:.3}\u{a0}to\u{a0}{:.3})", one.value, one.low, one.high)
                };
                [vec![metric.to_string()], all.iter().map(cell).collect()].concat()
            })
            .collect();
        let caption = "Means, and 95 % intervals by the bootstrap over queries";
        content.push_str(&table(caption, &["metric", "lexical", "dense", "hybrid"], &rows));
        Ok(section("figures", "Figures", &content))
    }

    fn collection(&self) -> String {
        let holds = self.inventory.as_ref().map_or_else(String::new, |inventory| {
            let held = [("documents", inventory.documents), ("judged queries", inventory.queries)];
            let counts = held.into_iter().chain(inventory.odd());
            let counts: Vec<_> =
                counts.map(|(what, count)| vec![what.to_string(), count.to_string()]).collect();
            table("What it holds, and what is odd about it", &["what", "number"], &counts)
        });
        let setup: Vec<Vec<String>> =
            self.setup.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
        let content = holds + &table("How it was measured", &["what", "value"], &setup);
        section("collection", "Collection", &content)
    }
}
